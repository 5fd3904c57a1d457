//! Records: what a run writes down, and how `trace.jsonl` and `outputs.jsonl` have it.
//!
//! Rules: `docs/scenario.md`, "Run". The trace holds the kinds and the namespace the recorder of the real cluster watched.

use std::rc::Rc;

use api::kind::Kind;
use cluster::store::{Change, Happening};
use values::object;
use values::time::SimTime;
use values::value::Value;

/// The kinds of the trace.
const TRACED: [Kind; 6] = [Kind::Job, Kind::CronJob, Kind::Pod, Kind::ReplicaSet, Kind::Service, Kind::Event];

/// One thing a run wrote down.
#[derive(Clone, Debug)]
pub enum Record {
    /// A write to the store.
    Change(Change),
    /// Something that happened without a write.
    Happening(Happening),
    /// A command that ended.
    Output(Rc<Output>),
}

/// What a step's command printed.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Output {
    pub at: SimTime,
    /// The step's place in the scenario; none for what a user typed.
    pub step: Option<usize>,
    pub command: String,
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
    pub end: SimTime,
    /// It is no command that failed but a step that could not be done, since what it names is not there.
    pub refused: bool,
    /// When each line of a streaming command's output came.
    pub lines: Vec<(SimTime, String)>,
}

impl Record {
    /// The line of `trace.jsonl`, if the change belongs there.
    pub fn trace_line(&self, start: SimTime) -> Option<String> {
        let Record::Change(change) = self else { return None };
        let object = &change.object;
        if !TRACED.contains(&object.kind()) || object.namespace() != "default" {
            return None;
        }
        if object.kind() == Kind::Event && object.value().str_at("involvedObject.kind") == Some("Node") {
            return None;
        }
        let line = object! {
            "t" => seconds(change.at, start), "type" => change.change.name(), "kind" => object.kind().name(),
            "name" => object.name(), "object" => object.value().clone(),
        };
        Some(line.to_json())
    }
}

impl Output {
    /// The line of `outputs.jsonl`.
    pub fn line(&self, start: SimTime) -> String {
        let mut line = object! {
            "t" => seconds(self.at, start), "cmd" => &self.command, "exit" => self.exit, "stdout" => &self.stdout,
            "stderr" => &self.stderr, "end" => seconds(self.end, start),
        };
        if let Some(step) = self.step {
            line.set("step", step);
        }
        if !self.lines.is_empty() {
            let one = |(at, text): &(SimTime, String)| object! { "t" => seconds(*at, start), "text" => text };
            line.set("lines", Value::list(self.lines.iter().map(one)));
        }
        line.to_json()
    }
}

/// Seconds since the start, to the millisecond.
pub(crate) fn seconds(at: SimTime, start: SimTime) -> Value {
    let ms = at.since(start).as_ms();
    if ms % 1000 == 0 { Value::Int(ms / 1000) } else { Value::Float(ms as f64 / 1000.0) }
}
