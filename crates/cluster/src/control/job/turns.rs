//! Which entries of the journal turned a Job's course, so that what the controller does names its true cause and not
//! merely what happened to wake it.
//!
//! Rule: a queue keeps only the first wish for a key, as the real one does; several changes may be behind one sync. This
//! is for explanations alone: nothing is decided by it.

use crate::store::{Change, ChangeType, EntryId, Rule};
use values::time::SimTime;

/// The latest turns of one Job.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Turns {
    /// The Job was made, or its clock began anew.
    pub started: Option<EntryId>,
    /// One of its Pods failed, or is on its way out.
    pub failed: Option<EntryId>,
    /// One of its Pods succeeded.
    pub succeeded: Option<EntryId>,
    /// The wait that was noted last: until when (none: until a Pod has ended), and its entry.
    pub held: Option<(Option<SimTime>, EntryId)>,
}

impl Turns {
    /// Takes note of a change of one of the Job's Pods.
    pub fn observe_pod(&mut self, change: &Change) {
        let phase = |object: &api::object::Object| object.pod().status.phase.clone();
        let after = phase(&change.object);
        let turned = change.previous.as_ref().is_none_or(|before| phase(before) != after);
        match &*after {
            "Succeeded" if turned => self.succeeded = Some(change.entry),
            "Failed" if turned => self.failed = Some(change.entry),
            "Succeeded" | "Failed" => {}
            // A Pod that goes before it has ended counts as failed.
            _ if change.starts_deletion() || change.change == ChangeType::Deleted => self.failed = Some(change.entry),
            _ => {}
        }
    }

    /// Takes note of a change of the Job itself.
    pub fn observe_job(&mut self, change: &Change) {
        let start = |object: &api::object::Object| object.job().status.start_time;
        if change.change == ChangeType::Added {
            *self = Turns { started: Some(change.entry), ..Turns::default() };
        } else if change.previous.as_ref().is_some_and(|before| start(before) != start(&change.object)) {
            self.started = Some(change.entry);
        }
    }

    /// What a replacement is made for: the end of the back-off if there was one, else the failure.
    pub fn replaces(&self) -> Option<EntryId> {
        self.held.map(|(_, entry)| entry).max(self.failed)
    }

    /// What let this rule end the Job.
    pub fn ended_by(&self, rule: Rule) -> Option<EntryId> {
        match rule {
            Rule::JobCompletions | Rule::JobSuccessPolicy => self.succeeded,
            Rule::JobBackoffLimit
            | Rule::JobBackoffLimitPerIndex
            | Rule::JobMaxFailedIndexes
            | Rule::JobPodFailurePolicy => self.failed,
            _ => None,
        }
    }
}
