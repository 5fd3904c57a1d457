//! What every moving part of the cluster is: it hears of changes, says when it wants to act, and acts through the API.
//!
//! Rule: no part calls another, and none reads a clock; whoever drives the cluster gives the time. The contract is that of
//! a sans-IO state machine: `observe` each change, ask `next_wakeup`, call `step` once that moment has come.

mod queue;
#[cfg(test)]
pub(crate) mod stage;

use crate::store::{Api, Cause, Change, Store};
use api::meta::Key;
use values::time::SimTime;
use values::zone::ZoneTable;

pub use queue::{Due, Retry, WorkQueue};

/// A wait on purpose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hold {
    pub from: SimTime,
    pub until: SimTime,
}

/// A controller, the scheduler, or the kubelets. State is plain data: a copy of the actor is a copy of the moment.
pub trait Actor {
    /// The component's name, as its events carry it.
    fn name(&self) -> &'static str;

    /// Hears of one change (also of its own writes). Only takes notes; acting is for [`Actor::step`].
    fn observe(&mut self, change: &Change, store: &Store);

    /// When it next wants to act, if at all. Moments already past mean: at once.
    fn next_wakeup(&self) -> Option<SimTime>;

    /// Does one piece of the work that is due at `api.now()`: one key, one Pod, one write or a few that belong together.
    fn step(&mut self, api: &mut Api<'_>);

    /// Forgets what a restarted process would forget, and reads the store anew. What it does then is caused by `cause`.
    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause);

    /// The back-off that holds this object up, as far as the actor remembers one; it may be over. For the view only.
    fn back_off(&self, _key: &Key) -> Option<Hold> {
        None
    }

    /// Is given the table of time zones, which may come while the cluster runs. Most have no use for it.
    fn set_zones(&mut self, _zones: &ZoneTable, _now: SimTime) {}
}
