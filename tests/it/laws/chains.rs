//! Laws of causes: every chain ends at something done from outside or at the start, goes back in time, and has no circle.

use batchyard::cluster::store::{Change, Rule};
use batchyard::run::Sim;

use super::Law;
use super::world::World;

/// What the cluster does of its own accord, without anything done to it: such chains end at the start.
const OF_ITSELF: &[Rule] = &[Rule::Start, Rule::NodeHeartbeat];

/// Looks at the journal when the run has ended.
pub struct Causes;

impl Law for Causes {
    fn see(&mut self, _change: &Change, _world: &World, _broken: &mut Vec<String>) {}

    fn end(&mut self, sim: &Sim, _world: &World, broken: &mut Vec<String>) {
        let log = sim.journal();
        for entry in log.iter() {
            let what = || format!("entry {} ({}, {})", entry.id.number(), entry.actor, entry.cause.rule.id());
            let Some(by) = entry.cause.by else {
                if !entry.is_input() && !OF_ITSELF.contains(&entry.cause.rule) {
                    broken.push(format!("{} has no cause", what()));
                }
                continue;
            };
            // A cause with a lower number ends every walk.
            if by >= entry.id {
                broken.push(format!("{} is caused by a later entry, {}", what(), by.number()));
            }
            match log.get(by) {
                Some(cause) if cause.at > entry.at => broken.push(format!("{} is older than its cause", what())),
                None if log.dropped() == 0 && !log.is_before(by) => {
                    broken.push(format!("{}: no entry {}", what(), by.number()))
                }
                _ => {}
            }
        }
    }
}
