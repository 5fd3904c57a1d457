//! The journal as JSON lines, one an entry: what `batchyard run --journal FILE` writes.
//!
//! Rules: `docs/scenario.md`, "Journal". Empty fields are left out; times are seconds since the start.

use crate::explain::says;
use crate::journal::{Facts, JournalEntry, What};
use crate::record::seconds;
use cluster::store::Happened;
use values::object;
use values::time::SimTime;
use values::value::Value;

impl JournalEntry {
    /// The entry's line.
    pub fn line(&self, start: SimTime) -> String {
        let mut line =
            object! { "id" => self.id.number() as i64, "t" => seconds(self.at, start), "actor" => self.actor };
        line.set("what", self.name());
        if let Some(about) = &self.about {
            line.set("kind", about.key.kind.name());
            if !about.key.namespace.is_empty() {
                line.set("namespace", &*about.key.namespace);
            }
            line.set("name", &*about.key.name);
            line.set("uid", &*about.uid);
        }
        line.set("says", says(self));
        if let Some(by) = self.cause.by {
            line.set("by", by.number() as i64);
        }
        line.set("rule", self.cause.rule.id());
        if self.cause.counts != [0; 2] {
            line.set("counts", Value::list(self.cause.counts.iter().map(|count| Value::Int(*count))));
        }
        if let Some(facts) = self.facts() {
            line.set("facts", facts.to_value());
        }
        if let What::Change { origin: Some(origin), .. } = &self.what {
            line.set("file", &*origin.file);
        }
        line.to_json()
    }

    /// `ADDED`, `MODIFIED`, `DELETED`, or what happened without a write: `ProcessEnded`, `Input` …
    pub fn name(&self) -> &'static str {
        match &self.what {
            What::Change { change, .. } => change.name(),
            What::Happened(happened) => name(happened),
        }
    }
}

fn name(happened: &Happened) -> &'static str {
    match happened {
        Happened::Input { .. } => "Input",
        Happened::ProcessStarted { .. } => "ProcessStarted",
        Happened::ProcessEnded { .. } => "ProcessEnded",
        Happened::ProcessTold { .. } => "ProcessTold",
        Happened::Probe { .. } => "Probe",
        Happened::PullBegan { .. } => "PullBegan",
        Happened::PullEnded { .. } => "PullEnded",
        Happened::BackOff { .. } => "BackOff",
        Happened::Held { .. } => "Held",
        Happened::NotPlaced { .. } => "NotPlaced",
        Happened::ScheduleMet { .. } => "ScheduleMet",
        Happened::ScheduleSkipped { .. } => "ScheduleSkipped",
        Happened::TimeUp => "TimeUp",
        Happened::Evicted => "Evicted",
        Happened::Preempted { .. } => "Preempted",
        Happened::NodeSilent => "NodeSilent",
        Happened::NodeBack => "NodeBack",
        Happened::ActorBack { .. } => "ActorBack",
    }
}

impl Facts {
    fn to_value(&self) -> Value {
        let mut value = Value::map();
        if let Some(phase) = &self.phase {
            value.set("phase", phase.clone());
        }
        if !self.conditions.is_empty() {
            let turned = |turned: &crate::journal::Turned| {
                object! {
                    "type" => turned.kind.clone(), "status" => turned.status.clone(), "reason" => turned.reason.clone(),
                }
            };
            value.set("conditions", Value::list(self.conditions.iter().map(turned)));
        }
        if self.deletion_began {
            value.set("deletionBegan", true);
        }
        if self.spec {
            value.set("spec", true);
        }
        if let Some(counts) = self.counts {
            value.set("counts", Value::list(counts.iter().map(|count| Value::Int(i64::from(*count)))));
        }
        if let Some(controller) = &self.controller {
            value.set("controller", &*controller.key.name);
        }
        if let Some(index) = self.index {
            value.set("index", i64::from(index));
        }
        if let Some(node) = &self.node {
            value.set("node", node.clone());
        }
        value
    }
}
