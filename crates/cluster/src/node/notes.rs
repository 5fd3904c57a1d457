//! What the kubelet notes of pulls, for explanations: nothing is decided by it.

use crate::node::Nodes;
use crate::node::worker::Worker;
use crate::program::reference::Reference;
use crate::store::{Api, Cause, Happened, Rule};
use values::time::SimTime;
use values::value::Text;

impl Nodes {
    /// Notes that a pull has ended, with its error if it has one.
    pub(super) fn note_pulled(&self, worker: &mut Worker, slot: usize, image: &Text, error: Text, api: &mut Api<'_>) {
        let reference = Reference::parse(image).ok().filter(|_| !error.is_empty());
        let disturbed = reference.and_then(|reference| self.why_pull_fails(&reference, api.now()));
        let state = &worker.slots[slot];
        api.set_cause(match disturbed {
            Some(cause) => cause.rule(Rule::Broken),
            None => state.turn.map_or(worker.placed, Cause::by).rule(Rule::KubeletPull),
        });
        let ended = Happened::PullEnded { container: state.name.clone(), image: image.clone(), error };
        let entry = api.note(worker.subject(), ended);
        worker.turned(slot, entry);
    }

    /// Notes that the next pull waits, once for each wait.
    pub(super) fn note_pull_back_off(&self, worker: &mut Worker, slot: usize, until: SimTime, api: &mut Api<'_>) {
        let state = &mut worker.slots[slot];
        if state.noted_waits[1].replace(until) == Some(until) {
            return;
        }
        let counts = [i64::from(state.failed_pulls), state.pull_back_off.wait().as_ms()];
        api.set_cause(state.turn.map_or(worker.placed, Cause::by).counted(Rule::KubeletPullBackoff, counts));
        let waits = Happened::BackOff { container: state.name.clone(), until, pulls: true };
        let entry = api.note(worker.subject(), waits);
        worker.turned(slot, entry);
    }
}
