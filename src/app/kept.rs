//! What outlives a visit and a panic: texts, choices, and what is needed to tell of a fault.
//!
//! One JSON text, in the browser's local storage where that is allowed and in `boot.js` always. Unknown fields are left
//! out and missing ones have their defaults, so that an older page's text can be read.

use serde::{Deserialize, Serialize};

use super::browser;
use super::clock::NORMAL;
use super::files::File;
use super::ui::Theme;

/// A change from outside, as a scenario's step.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Step {
    pub at_ms: i64,
    /// The tab whose text was applied; empty for a line of the terminal, and for a fault.
    pub file: String,
    /// The manifest, the line, or the fault as a scenario has it.
    pub text: String,
    #[serde(default)]
    pub fault: bool,
}

impl Step {
    pub fn apply(at_ms: i64, file: &str, text: &str) -> Step {
        Step { at_ms, file: file.to_owned(), text: text.to_owned(), fault: false }
    }

    pub fn run(at_ms: i64, line: &str) -> Step {
        Step { at_ms, file: String::new(), text: line.to_owned(), fault: false }
    }

    pub fn fault(at_ms: i64, text: String) -> Step {
        Step { at_ms, file: String::new(), text, fault: true }
    }
}

/// What can be taken back.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Undo {
    /// The tabs as they were before Reset, until something else is typed.
    Reset(Vec<File>),
    /// A tab that was closed, and its place.
    Closed(usize, File),
    /// A tab's text before it was turned into YAML, until something else is typed.
    Text(String, String),
}

impl Undo {
    /// What the button says.
    pub fn label(&self) -> String {
        match self {
            Undo::Reset(_) => "Undo reset".to_owned(),
            Undo::Closed(_, file) => format!("Reopen {}", file.name),
            Undo::Text(..) => "Back to Python".to_owned(),
        }
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    pub example: String,
    pub files: Vec<File>,
    pub active: usize,
    /// Edited tabs of examples that are not shown, by example: picking another one loses nothing.
    pub drafts: Vec<(String, Vec<File>)>,
    pub undo: Option<Undo>,
    pub seed: u64,
    /// An index of `clock::SPEEDS`.
    pub speed: usize,
    pub skip: bool,
    pub theme: Theme,
    /// Whether single keys are shortcuts.
    pub keys: bool,
    /// Of the splitters, in px: editor's width, time line's height, dock's height.
    pub sizes: [Option<i32>; 3],
    pub folded: [bool; 3],
    /// Everything that was applied in this run, with its moment.
    pub steps: Vec<Step>,
}

impl Default for Kept {
    fn default() -> Kept {
        Kept {
            example: String::new(),
            files: Vec::new(),
            active: 0,
            drafts: Vec::new(),
            undo: None,
            seed: 1,
            speed: NORMAL,
            skip: true,
            theme: Theme::Auto,
            keys: true,
            sizes: [None; 3],
            folded: [false; 3],
            steps: Vec::new(),
        }
    }
}

impl Kept {
    /// What the last panic left, with what it said; else what was stored; else the defaults.
    pub fn load() -> (Kept, Option<String>) {
        let parse = |text: String| serde_json::from_str::<Kept>(&text).ok();
        let (left, said) = match browser::last_panic() {
            Some((left, said)) => (left.and_then(parse), Some(said)),
            None => (None, None),
        };
        let mut kept = left.or_else(|| browser::stored().and_then(parse)).unwrap_or_default();
        kept.files.iter_mut().for_each(File::outlive_its_edit);
        (kept, said)
    }

    /// Keeps it for a fresh instance after a panic.
    pub fn keep(&self) {
        browser::keep(&self.text());
    }

    /// Stores it for the next visit. False if the browser refuses.
    pub fn store(&self) -> bool {
        browser::store(&Kept { steps: Vec::new(), ..self.clone() }.text())
    }

    fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
