//! What happens to the editor's texts besides typing: tabs that are closed and renamed, a Python dict that becomes YAML,
//! and the texts that `kubectl edit` hands out.
//!
//! Rule: a text is never lost. What is closed can be opened again, and what outlives its `kubectl edit` stays as a file.

use gloo::timers::callback::Timeout;

use super::app::App;
use super::browser;
use super::engine::Engine;
use super::files::{self, File};
use super::kept::Undo;
use super::terminal;
use super::ui::Tab;

impl App {
    /// Closes the tab that is shown; one of `kubectl edit` without saving.
    pub(super) fn close_file(&mut self) {
        if self.kept.files[self.kept.active].edit.is_some() {
            return self.finish_edit(false);
        }
        let file = self.kept.files.remove(self.kept.active);
        self.said = format!("{} is closed", file.name).into();
        let at = self.kept.active;
        self.kept.undo = (!file.text.trim().is_empty()).then_some(Undo::Closed(at, file));
        self.show_another(at);
    }

    /// Shows the tab at a place, or the nearest one.
    fn show_another(&mut self, at: usize) {
        if self.kept.files.is_empty() {
            self.kept.files.push(File { name: files::fresh_name(&[]), ..File::default() });
        }
        self.kept.active = at.min(self.kept.files.len() - 1);
        self.version += 1;
        self.answer = Default::default();
        self.check();
    }

    /// Gives the tab that is shown another name, unless there is something against it.
    pub(super) fn rename(&mut self, name: &str) {
        let (name, at) = (name.trim(), self.kept.active);
        if self.kept.files[at].name == name {
            return;
        }
        match files::misnamed(&self.kept.files, at, name) {
            Some(why) => self.answer_with(false, why.to_owned()),
            None => {
                self.kept.files[at].name = name.to_owned();
                self.version += 1;
                self.store();
            }
        }
    }

    /// A word at the editor's foot.
    pub(super) fn answer_with(&mut self, ok: bool, text: String) {
        self.said = text.clone().into();
        self.answer = std::rc::Rc::new(super::engine::Answer { ok, text, ..Default::default() });
    }

    /// Puts YAML in the place of a Python dict.
    pub(super) fn turn_into_yaml(&mut self) {
        let Some(yaml) = self.python.take() else { return };
        let file = &mut self.kept.files[self.kept.active];
        let old = std::mem::replace(&mut file.text, (*yaml).clone());
        self.kept.undo = Some(Undo::Text(file.name.clone(), old));
        self.version += 1;
        self.check();
        self.answer_with(true, "Turned into YAML.".to_owned());
    }

    pub(super) fn undo(&mut self) {
        self.answer = Default::default();
        match self.kept.undo.take() {
            None => {}
            Some(Undo::Reset(files)) => self.show_files(files),
            Some(Undo::Closed(at, mut file)) => {
                let at = at.min(self.kept.files.len());
                if files::misnamed(&self.kept.files, usize::MAX, &file.name).is_some() {
                    file.name = files::fresh_name(&self.kept.files);
                }
                self.kept.files.insert(at, file);
                self.show_another(at);
            }
            Some(Undo::Text(name, text)) => {
                if let Some(at) = self.kept.files.iter().position(|file| file.name == name) {
                    self.kept.files[at].text = text;
                    self.show_another(at);
                }
            }
        }
    }

    /// Ends the `kubectl edit` whose tab is shown.
    pub(super) fn finish_edit(&mut self, saved: bool) {
        let file = &mut self.kept.files[self.kept.active];
        let Some(path) = file.edit.clone() else { return };
        let text = saved.then(|| file.text.clone());
        // The command has this text now, or nobody wants it: the tab may go.
        file.applied = Some(file.text.clone());
        self.run.act(None, |engine| engine.close_edit(&path, text));
        self.news();
    }

    /// A new run knows nothing of the edits of the old one.
    pub(super) fn end_all_edits(&mut self) {
        if self.kept.files.iter().all(|file| file.edit.is_none()) {
            return;
        }
        self.kept.files.retain(|file| file.edit.is_none() || file.edited());
        self.kept.files.iter_mut().for_each(File::outlive_its_edit);
        if self.kept.files.is_empty() {
            self.kept.files.push(File { name: files::fresh_name(&[]), ..File::default() });
        }
        self.kept.active = self.kept.active.min(self.kept.files.len() - 1);
        self.before_edit = None;
        self.version += 1;
    }

    /// Opens a tab for each text that `kubectl edit` hands out, and closes those it wants no more. True if there was any.
    pub(super) fn look_for_edits(&mut self) -> bool {
        let open = self.run.engine().map(Engine::edits).unwrap_or_default();
        let known = |file: &File| file.edit.clone().filter(|path| open.iter().any(|(open, _)| open == path));
        let over = self.kept.files.iter().any(|file| file.edit.is_some() && known(file).is_none());
        let fresh: Vec<_> = open
            .iter()
            .filter(|(path, _)| !self.kept.files.iter().any(|file| file.edit.as_ref() == Some(path)))
            .collect();
        if !over && fresh.is_empty() {
            return false;
        }
        let shown = self.kept.files[self.kept.active].name.clone();
        // The tab to go back to, once nothing is edited any more.
        let mut back = None;
        if fresh.is_empty() {
            back = self.before_edit.take();
        } else if self.kept.files[self.kept.active].edit.is_none() {
            self.before_edit = Some(shown.clone());
        }
        self.kept.files.retain(|file| file.edit.is_none() || known(file).is_some() || file.edited());
        for file in &mut self.kept.files {
            if known(file).is_none() {
                file.outlive_its_edit();
            }
        }
        for (path, text) in &fresh {
            let name = path.rsplit('/').next().unwrap_or(path).to_owned();
            let (text, edit) = (text.clone(), Some(path.clone()));
            self.kept.files.push(File { name, applied: Some(text.clone()), text, edit });
        }
        let wanted =
            fresh.last().and_then(|(path, _)| path.rsplit('/').next().map(str::to_owned)).or(back).unwrap_or(shown);
        let at = self.kept.files.iter().position(|file| file.name == wanted).unwrap_or(0);
        self.show_another(at);
        if fresh.is_empty() {
            self.drawer = false;
            if self.tab == Tab::Terminal || self.tab == Tab::Editor {
                self.open_tab(Tab::Terminal);
                Timeout::new(0, || browser::focus(terminal::LINE)).forget();
            }
        } else {
            self.said = "kubectl edit opened the object in the editor".into();
            self.show_editor(true);
            // After the drawing, when it can be seen.
            Timeout::new(0, || browser::focus(".editor textarea, .editor .editor-host")).forget();
        }
        true
    }
}
