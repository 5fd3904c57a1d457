//! The editor's texts: its tabs, what can be taken back, the drafts of other examples, and what happens to all of them
//! besides typing.
//!
//! Rule: a text is never lost. What is closed can be opened again, what outlives its `kubectl edit` stays as a file, and what
//! another tab of the browser wrote is offered beside one's own (`kept`).

use serde::{Deserialize, Serialize};

use super::examples::{self, EXAMPLES};
use super::files::{self, File};

/// What can be taken back.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Undo {
    /// The tabs as they were before Reset, until something else is typed.
    Reset(Vec<File>),
    /// A tab that was closed, and its place.
    Closed(usize, File),
    /// A tab's text before it was turned into YAML, until something else is typed.
    Text(String, String),
    /// One's own tabs before those of another tab of the browser were taken.
    Taken(Vec<File>),
}

impl Undo {
    /// What the button says.
    pub fn label(&self) -> String {
        match self {
            Undo::Reset(_) => "Undo reset".to_owned(),
            Undo::Closed(_, file) => format!("Reopen {}", file.name),
            Undo::Text(..) => "Back to Python".to_owned(),
            Undo::Taken(_) => "Back to mine".to_owned(),
        }
    }
}

/// All texts of a session.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Texts {
    /// Grows with each writing, in whichever tab of the browser.
    pub revision: u64,
    pub example: String,
    pub files: Vec<File>,
    pub active: usize,
    /// Edited tabs of examples that are not shown, by example: picking another one loses nothing.
    pub drafts: Vec<(String, Vec<File>)>,
    pub undo: Option<Undo>,
    /// What another tab of the browser had written when this one wrote over it.
    pub elsewhere: Option<Vec<File>>,
    /// Grows when the page changed the text itself.
    #[serde(skip)]
    pub version: u32,
    /// The tab that was shown before `kubectl edit` opened its own.
    #[serde(skip)]
    pub before_edit: Option<String>,
}

/// What someone does to the texts.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// Another text of the tab that is shown.
    Edit(String),
    Show(usize),
    New,
    Close,
    Rename(String),
    /// A Python dict becomes this YAML.
    TurnInto(String),
    Reset,
    Undo,
    Example(usize),
    /// The texts of another tab of the browser: taken, or not.
    Take,
    KeepMine,
}

/// What follows from a change.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Effect {
    /// The text rests: it is to be checked and stored.
    pub rests: bool,
    /// The texts are others: the run starts anew.
    pub restarts: bool,
    /// A word for who listens.
    pub says: Option<String>,
    /// Why it was not done.
    pub refused: Option<&'static str>,
    /// A `kubectl edit` is to end without saving.
    pub cancels_edit: bool,
    /// Something besides the text is to be drawn anew.
    pub draws: bool,
}

impl Effect {
    fn rests() -> Effect {
        Effect { rests: true, draws: true, ..Effect::default() }
    }

    fn restarts() -> Effect {
        Effect { restarts: true, ..Effect::rests() }
    }
}

/// What became of the texts of `kubectl edit`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Edits {
    AsBefore,
    Opened,
    Closed,
}

impl Texts {
    /// There is always a tab, and one of them is shown.
    pub fn settled(mut self) -> Texts {
        self.files.iter_mut().for_each(File::outlive_its_edit);
        if self.files.is_empty() {
            EXAMPLES[0].id.clone_into(&mut self.example);
            self.files = files::of(&EXAMPLES[0]);
        }
        self.active = self.active.min(self.files.len() - 1);
        self
    }

    /// The tab that is shown.
    pub fn shown(&self) -> &File {
        &self.files[self.active]
    }

    fn shown_mut(&mut self) -> &mut File {
        &mut self.files[self.active]
    }

    /// The cluster has this text now.
    pub fn applied(&mut self) {
        let file = self.shown_mut();
        file.applied = Some(file.text.clone());
    }

    /// The tabs, as the terminals have them: name and text.
    pub fn as_files(&self) -> Vec<(String, String)> {
        let files = self.files.iter().filter(|file| file.edit.is_none());
        files.map(|file| (file.name.clone(), file.text.clone())).collect()
    }

    /// What the cluster was last given of each tab.
    pub fn given(&self) -> Vec<(String, String)> {
        let given = |file: &File| file.applied.clone().map(|text| (file.name.clone(), text));
        self.files.iter().filter_map(given).collect()
    }

    /// Does it.
    pub fn change(&mut self, change: Change) -> Effect {
        match change {
            Change::Edit(text) => return self.edit(text),
            Change::Show(at) => self.active = at.min(self.files.len() - 1),
            Change::New => {
                let name = files::fresh_name(&self.files);
                self.files.push(File { name, ..File::default() });
                self.active = self.files.len() - 1;
            }
            Change::Close => return self.close(),
            Change::Rename(name) => return self.rename(name.trim()),
            Change::TurnInto(yaml) => {
                let file = self.shown_mut();
                let old = (file.name.clone(), std::mem::replace(&mut file.text, yaml));
                self.undo = Some(Undo::Text(old.0, old.1));
                self.version += 1;
            }
            Change::Reset => {
                let original = files::of(&EXAMPLES[examples::index_of(&self.example)]);
                let old = std::mem::replace(&mut self.files, original);
                self.undo = (old != self.files).then_some(Undo::Reset(old));
                return self.others();
            }
            Change::Undo => return self.take_back(),
            Change::Example(at) => return self.pick(at),
            Change::Take => {
                let Some(theirs) = self.elsewhere.take() else { return Effect::default() };
                self.undo = Some(Undo::Taken(std::mem::replace(&mut self.files, theirs)));
                return self.others();
            }
            Change::KeepMine => self.elsewhere = None,
        }
        Effect::rests()
    }

    fn edit(&mut self, text: String) -> Effect {
        // A closed tab can be opened again for as long as nothing else was closed.
        let could_undo = self.undo.take_if(|undo| matches!(undo, Undo::Reset(_) | Undo::Text(..))).is_some();
        let file = self.shown_mut();
        let was_edited = file.edited();
        file.text = text;
        // A textarea that is not told its own text would be reset by the next drawing.
        Effect { draws: could_undo || was_edited != file.edited(), ..Effect::default() }
    }

    /// Closes the tab that is shown; one of `kubectl edit` without saving.
    fn close(&mut self) -> Effect {
        if self.shown().edit.is_some() {
            return Effect { cancels_edit: true, ..Effect::rests() };
        }
        let (at, file) = (self.active, self.files.remove(self.active));
        let says = Some(format!("{} is closed", file.name));
        self.undo = (!file.text.trim().is_empty()).then_some(Undo::Closed(at, file));
        self.show_near(at);
        Effect { says, ..Effect::rests() }
    }

    /// Shows the tab at a place, or the nearest one.
    fn show_near(&mut self, at: usize) {
        if self.files.is_empty() {
            self.files.push(File { name: files::fresh_name(&[]), ..File::default() });
        }
        self.active = at.min(self.files.len() - 1);
        self.version += 1;
    }

    /// Gives the tab that is shown another name, unless there is something against it.
    fn rename(&mut self, name: &str) -> Effect {
        if self.shown().name == name {
            return Effect::default();
        }
        if let Some(why) = files::misnamed(&self.files, self.active, name) {
            return Effect { refused: Some(why), draws: true, ..Effect::default() };
        }
        name.clone_into(&mut self.shown_mut().name);
        self.version += 1;
        Effect::rests()
    }

    fn take_back(&mut self) -> Effect {
        match self.undo.take() {
            None => Effect::default(),
            Some(Undo::Reset(files)) => {
                self.files = files;
                self.others()
            }
            Some(Undo::Taken(files)) => {
                self.elsewhere = Some(std::mem::replace(&mut self.files, files));
                self.others()
            }
            Some(Undo::Closed(at, mut file)) => {
                let at = at.min(self.files.len());
                if files::misnamed(&self.files, usize::MAX, &file.name).is_some() {
                    file.name = files::fresh_name(&self.files);
                }
                self.files.insert(at, file);
                self.show_near(at);
                Effect::rests()
            }
            Some(Undo::Text(name, text)) => {
                if let Some(at) = self.files.iter().position(|file| file.name == name) {
                    self.files[at].text = text;
                    self.show_near(at);
                }
                Effect::rests()
            }
        }
    }

    /// Shows another example; what was typed into this one waits for its return.
    fn pick(&mut self, at: usize) -> Effect {
        let files = std::mem::take(&mut self.files);
        if files != files::of(&EXAMPLES[examples::index_of(&self.example)]) {
            self.drafts.push((self.example.clone(), files));
        }
        let example = &EXAMPLES[at.min(EXAMPLES.len() - 1)];
        example.id.clone_into(&mut self.example);
        self.undo = None;
        let draft = self.drafts.iter().position(|(id, _)| id == example.id);
        self.files = draft.map_or_else(|| files::of(example), |at| self.drafts.remove(at).1);
        self.others()
    }

    /// The tabs are others than before.
    fn others(&mut self) -> Effect {
        self.active = 0;
        self.version += 1;
        Effect::restarts()
    }

    /// A new run knows nothing of the edits of the old one.
    pub fn end_all_edits(&mut self) {
        if self.files.iter().all(|file| file.edit.is_none()) {
            return;
        }
        self.files.retain(|file| file.edit.is_none() || file.edited());
        self.files.iter_mut().for_each(File::outlive_its_edit);
        self.before_edit = None;
        self.show_near(self.active);
    }

    /// Opens a tab for each text that `kubectl edit` hands out (path and text), and closes those it wants no more.
    pub fn follow_edits(&mut self, open: &[(String, String)]) -> Edits {
        let known = |file: &File| file.edit.as_ref().is_some_and(|path| open.iter().any(|(open, _)| open == path));
        let over = self.files.iter().any(|file| file.edit.is_some() && !known(file));
        let fresh: Vec<_> =
            open.iter().filter(|(path, _)| !self.files.iter().any(|file| file.edit.as_ref() == Some(path))).collect();
        if !over && fresh.is_empty() {
            return Edits::AsBefore;
        }
        let shown = self.shown().name.clone();
        // The tab to go back to, once nothing is edited any more.
        let mut back = None;
        if fresh.is_empty() {
            back = self.before_edit.take();
        } else if self.shown().edit.is_none() {
            self.before_edit = Some(shown.clone());
        }
        self.files.retain(|file| file.edit.is_none() || known(file) || file.edited());
        for file in self.files.iter_mut().filter(|file| !known(file)) {
            file.outlive_its_edit();
        }
        let name_of = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        for (path, text) in &fresh {
            let (applied, edit) = (Some(text.clone()), Some(path.clone()));
            self.files.push(File { name: name_of(path), applied, text: text.clone(), edit });
        }
        let wanted = fresh.last().map(|(path, _)| name_of(path)).or(back).unwrap_or(shown);
        let at = self.files.iter().position(|file| file.name == wanted).unwrap_or(0);
        self.show_near(at);
        if fresh.is_empty() { Edits::Closed } else { Edits::Opened }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(names: &[&str]) -> Texts {
        let file = |name: &&str| File { name: (*name).to_owned(), text: format!("# {name}\n"), ..File::default() };
        Texts { files: names.iter().map(file).collect(), example: EXAMPLES[0].id.to_owned(), ..Texts::default() }
    }

    fn names(texts: &Texts) -> Vec<&str> {
        texts.files.iter().map(|file| file.name.as_str()).collect()
    }

    #[test]
    fn what_is_closed_comes_back_to_its_place() {
        let mut texts = texts(&["a.yaml", "b.yaml", "c.yaml"]);
        texts.change(Change::Show(1));
        assert_eq!(texts.change(Change::Close).says.as_deref(), Some("b.yaml is closed"));
        assert_eq!((names(&texts), texts.active), (vec!["a.yaml", "c.yaml"], 1));
        texts.change(Change::Edit("x".to_owned()));
        texts.change(Change::Undo);
        assert_eq!((names(&texts), texts.active), (vec!["a.yaml", "b.yaml", "c.yaml"], 1));
        // The last tab leaves an empty one.
        (0..3).for_each(|_| drop(texts.change(Change::Close)));
        assert_eq!(names(&texts), ["new.yaml"]);
    }

    #[test]
    fn a_name_is_taken_or_refused() {
        let mut texts = texts(&["a.yaml", "b.yaml"]);
        assert_eq!(texts.change(Change::Rename("b.yaml".to_owned())).refused, Some("Another tab has this name"));
        assert_eq!(texts.change(Change::Rename("a.yaml".to_owned())), Effect::default());
        assert!(texts.change(Change::Rename(" chart/values.yaml ".to_owned())).rests);
        assert_eq!(names(&texts), ["chart/values.yaml", "b.yaml"]);
    }

    #[test]
    fn reset_examples_and_python_can_be_taken_back() {
        let mut texts = texts(&["a.yaml"]);
        assert!(texts.change(Change::Reset).restarts);
        assert_eq!(texts.files, files::of(&EXAMPLES[0]));
        texts.change(Change::Undo);
        assert_eq!(names(&texts), ["a.yaml"]);
        texts.change(Change::Example(1));
        assert_eq!(texts.files, files::of(&EXAMPLES[1]));
        texts.change(Change::Example(0));
        assert_eq!(names(&texts), ["a.yaml"]);
        texts.change(Change::TurnInto("kind: Job\n".to_owned()));
        assert_eq!(texts.shown().text, "kind: Job\n");
        texts.change(Change::Undo);
        assert_eq!(texts.shown().text, "# a.yaml\n");
    }

    #[test]
    fn the_texts_of_kubectl_edit_come_and_go() {
        let mut texts = texts(&["a.yaml", "b.yaml"]);
        texts.change(Change::Show(1));
        let first = ("/tmp/kubectl-edit-1.yaml".to_owned(), "kind: Job\n".to_owned());
        assert_eq!(texts.follow_edits(&[]), Edits::AsBefore);
        assert_eq!(texts.follow_edits(std::slice::from_ref(&first)), Edits::Opened);
        assert_eq!((names(&texts), texts.active), (vec!["a.yaml", "b.yaml", "kubectl-edit-1.yaml"], 2));
        assert_eq!(texts.follow_edits(std::slice::from_ref(&first)), Edits::AsBefore);
        assert_eq!(texts.as_files().len(), 2);
        assert!(texts.change(Change::Close).cancels_edit);
        // Over, unchanged: it goes, and the tab before it is shown again.
        assert_eq!(texts.follow_edits(&[]), Edits::Closed);
        assert_eq!((names(&texts), texts.active), (vec!["a.yaml", "b.yaml"], 1));
        // Over, with something typed that nobody took: it stays as a file.
        texts.follow_edits(std::slice::from_ref(&first));
        texts.change(Change::Edit("# mine\n".to_owned()));
        texts.follow_edits(&[]);
        assert_eq!(names(&texts), ["a.yaml", "b.yaml", "kubectl-edit-1.yaml"]);
        assert!(texts.files[2].edit.is_none() && texts.files[2].edited());
        // A new run ends all edits.
        texts.follow_edits(&[first]);
        texts.end_all_edits();
        assert!(texts.files.iter().all(|file| file.edit.is_none()));
    }
}
