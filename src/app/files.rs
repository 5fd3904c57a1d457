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
}

impl File {
    /// True if the cluster has not seen this text.
    pub fn edited(&self) -> bool {
        self.applied.as_ref() != Some(&self.text)
    }
}

/// The tabs of an example, as it was written.
pub fn of(example: &Example) -> Vec<File> {
    let file = |(name, text): &(&str, &str)| File {
        name: (*name).to_owned(),
        text: (*text).to_owned(),
        applied: Some((*text).to_owned()),
    };
    example.files.iter().map(file).collect()
}

/// A name that no tab has yet: `new.yaml`, `new-2.yaml` …
pub fn fresh_name(files: &[File]) -> String {
    let taken = |name: &str| files.iter().any(|file| file.name == name);
    let mut names = (1..).map(|nth| if nth == 1 { "new.yaml".to_owned() } else { format!("new-{nth}.yaml") });
    names.find(|name| !taken(name)).expect("there is always another number")
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
    }
}
