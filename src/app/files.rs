//! The editor's tabs: what each holds, and what the cluster was last given of it.

use serde::{Deserialize, Serialize};

use super::examples::Example;

/// One tab.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct File {
    pub name: String,
    pub text: String,
    /// The text that was last applied; none if it never was.
    pub applied: Option<String>,
    /// The path of the text that `kubectl edit` wants edited; such a tab lives as long as that command.
    #[serde(default)]
    pub edit: Option<String>,
}

impl File {
    /// True if the cluster has not seen this text.
    pub fn edited(&self) -> bool {
        self.applied.as_ref() != Some(&self.text)
    }

    /// Its `kubectl edit` is over: the text stays, as a file like others.
    pub fn outlive_its_edit(&mut self) {
        if self.edit.take().is_some() {
            self.applied = None;
        }
    }
}

/// The tabs of an example, as it was written.
pub fn of(example: &Example) -> Vec<File> {
    let file = |(name, text): &(&str, &str)| File {
        name: (*name).to_owned(),
        text: (*text).to_owned(),
        applied: Some((*text).to_owned()),
        edit: None,
    };
    example.files.iter().map(file).collect()
}

/// A name that no tab has yet: `new.yaml`, `new-2.yaml` …
pub fn fresh_name(files: &[File]) -> String {
    let taken = |name: &str| files.iter().any(|file| file.name == name);
    let mut names = (1..).map(|nth| if nth == 1 { "new.yaml".to_owned() } else { format!("new-{nth}.yaml") });
    names.find(|name| !taken(name)).expect("there is always another number")
}

/// Why a file cannot be called so; none if it can. `at` is the tab that wants the name.
pub fn misnamed(files: &[File], at: usize, name: &str) -> Option<&'static str> {
    let parts = || name.split('/');
    match () {
        () if name.is_empty() => Some("A file needs a name"),
        () if name.len() > 120 || name.contains(char::is_control) => {
            Some("This name is too long or has odd characters")
        }
        () if parts().any(|part| part.is_empty() || part == "." || part == "..") => Some("This is no path of a file"),
        () if files.iter().enumerate().any(|(other, file)| other != at && file.name == name) => {
            Some("Another tab has this name")
        }
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_do_not_clash() {
        let mut files = Vec::new();
        for expected in ["new.yaml", "new-2.yaml", "new-3.yaml"] {
            let name = fresh_name(&files);
            assert_eq!(name, expected);
            files.push(File { name, ..File::default() });
        }
        assert!(files[0].edited());
        for (name, fine) in [
            ("new.yaml", true),
            ("chart/values.yaml", true),
            ("", false),
            ("a//b", false),
            ("../x", false),
            ("new-2.yaml", false),
        ] {
            assert_eq!(misnamed(&files, 0, name).is_none(), fine, "{name}");
        }
    }
}
