//! The only place of the page that touches the simulation.
//!
//! Times are milliseconds since the start of the run. The rest of the page knows `view` and this file, nothing else.

use std::rc::Rc;

pub use batchyard::view::*;

use super::fake::Fake;

/// What a run starts from.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Setup {
    pub seed: u64,
    /// File name and text, applied at the start in this order.
    pub files: Vec<(String, String)>,
}

/// What came of applying a file.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Answer {
    pub ok: bool,
    /// What `kubectl apply` printed.
    pub text: String,
    pub remarks: Vec<Remark>,
}

/// How much a remark matters; the order is the order of the list.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Weight {
    Error,
    Warning,
    Hint,
}

impl Weight {
    /// As the editor's module and the style sheet call it.
    pub fn word(self) -> &'static str {
        match self {
            Weight::Error => "error",
            Weight::Warning => "warning",
            Weight::Hint => "hint",
        }
    }
}

/// Something to say about a place of a text. Lines and columns count from 1.
#[derive(Clone, PartialEq, Debug)]
pub struct Remark {
    pub weight: Weight,
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
    pub message: String,
}

/// A line that a container printed.
#[derive(Clone, PartialEq, Debug)]
pub struct LogLine {
    pub at_ms: i64,
    pub text: String,
}

/// A running simulation.
pub struct Engine {
    fake: Fake,
}

impl Engine {
    /// Starts a run and applies its files; the answers are in their order.
    pub fn new(setup: &Setup) -> (Engine, Vec<Answer>) {
        let mut engine = Engine { fake: Fake::new(setup.seed) };
        let answers = setup.files.iter().map(|(file, text)| engine.apply(file, text)).collect();
        (engine, answers)
    }

    /// `kubectl apply -f FILE`, now.
    pub fn apply(&mut self, file: &str, text: &str) -> Answer {
        let remarks = lint(text);
        if let Some(error) = remarks.iter().find(|remark| remark.weight == Weight::Error) {
            let text = format!("error: error parsing {file}: line {}: {}", error.line, error.message);
            return Answer { ok: false, text, remarks };
        }
        Answer { ok: true, text: self.fake.apply(text), remarks }
    }

    /// Moves time on. False if the budget was used up before.
    pub fn advance(&mut self, until_ms: i64, _budget: u32) -> bool {
        self.fake.now_ms = until_ms.max(self.fake.now_ms);
        true
    }

    /// When there is next something to do; none if nothing will happen by itself.
    pub fn next_ms(&self) -> Option<i64> {
        self.fake.next_ms()
    }

    pub fn now_ms(&self) -> i64 {
        self.fake.now_ms
    }

    /// Goes to a moment that has been seen before.
    pub fn seek(&mut self, at_ms: i64) {
        self.fake.now_ms = at_ms.max(0);
    }

    pub fn view(&self) -> Rc<View> {
        self.fake.view()
    }

    /// What a container printed up to now, or why there is nothing to read.
    pub fn logs(&self, pod: &str, _container: Option<&str>, previous: bool) -> Result<Vec<LogLine>, String> {
        self.fake.logs(pod, previous)
    }

    /// The wall clock at a moment: `2026-11-21 08:00:42 UTC`.
    pub fn wall_clock(&self, at_ms: i64) -> String {
        (batchyard::base::time::SimTime::from_millis(self.fake.start_ms + at_ms)).format("%Y-%m-%d %H:%M:%S UTC")
    }
}

/// What the API server would say of a text.
pub fn lint(text: &str) -> Vec<Remark> {
    super::fake::lint(text)
}
