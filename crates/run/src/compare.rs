//! How two branches differ: the first thing that was done otherwise, and the first change that came of it.
//!
//! Rule: both are played side by side on copies from where they part, up to the latest moment that both have reached, under a
//! budget like everything that plays.

use std::rc::Rc;

use crate::branch::BranchId;
use crate::input::Input;
use crate::record::Record;
use crate::{Progress, Sim};
use cluster::store::Change;
use values::time::SimTime;

/// What each of two branches did first that the other did not do there; none if it did nothing more.
#[derive(Clone, PartialEq, Debug)]
pub struct FirstInput {
    /// The earlier of the two times.
    pub at: SimTime,
    pub left: Option<(SimTime, Input)>,
    pub right: Option<(SimTime, Input)>,
}

/// The first change of an object that is not the same on both sides; none if there is no more on that side by then.
#[derive(Clone, Debug)]
pub struct FirstChange {
    /// The earlier of the two times.
    pub at: SimTime,
    pub left: Option<Change>,
    pub right: Option<Change>,
}

/// A comparison under way: [`Comparison::go_on`] until it is [`Progress::Reached`].
pub struct Comparison {
    input: Option<FirstInput>,
    change: Option<FirstChange>,
    left: Sim,
    right: Sim,
    until: SimTime,
}

/// Things that happen on one side before the other has its turn.
const TURN: u32 = 100;

impl Comparison {
    pub(crate) fn new(sim: &Sim, left: BranchId, right: BranchId) -> Option<Comparison> {
        let (one, other) = (sim.branches.find(left)?, sim.branches.find(right)?);
        let shared = one.inputs.iter().zip(&other.inputs).take_while(|(a, b)| a.place == b.place && a.input == b.input);
        let shared = shared.count();
        let first = |branch: &crate::branch::Branch| {
            branch.inputs.get(shared).map(|given| (given.place, (given.place.at, given.input.clone())))
        };
        let (a, b) = (first(one), first(other));
        let place = [&a, &b].into_iter().flatten().map(|(place, _)| *place).min();
        let until = one.frontier.at.min(other.frontier.at);
        let input = place.map(|place| FirstInput { at: place.at, left: a.map(|(_, a)| a), right: b.map(|(_, b)| b) });
        // Up to there all is the same; without any difference in inputs there is none in what comes of them.
        let parted = place.map_or(until, |place| place.at.min(until));
        let (left, right) = (sim.copy(left, parted)?, sim.copy(right, parted)?);
        Some(Comparison { input, change: None, left, right, until })
    }

    /// Plays both on, doing at most about `budget` things.
    pub fn go_on(&mut self, budget: u32) -> Progress {
        let mut left_over = budget.max(1);
        while self.change.is_none() {
            let turn = left_over.min(TURN);
            let left = self.left.advance(self.until, turn);
            let right = self.right.advance(self.until, turn);
            if [left, right].contains(&Progress::Lacks) {
                return Progress::Lacks;
            }
            let at_end = left == Progress::Reached && right == Progress::Reached;
            self.match_up(at_end);
            if at_end || self.change.is_some() {
                break;
            }
            left_over = left_over.saturating_sub(2 * turn);
            if left_over == 0 {
                return Progress::Busy;
            }
        }
        Progress::Reached
    }

    /// What was done otherwise first; none if the same was done on both sides.
    pub fn first_input(&self) -> Option<&FirstInput> {
        self.input.as_ref()
    }

    /// What was otherwise first, once [`Comparison::go_on`] has reached its end; none if all was the same.
    pub fn first_change(&self) -> Option<&FirstChange> {
        self.change.as_ref()
    }

    /// The moment up to which was compared.
    pub fn until(&self) -> SimTime {
        self.until
    }

    /// Pairs the changes of both sides. At the end one that is left over has no partner.
    fn match_up(&mut self, at_end: bool) {
        loop {
            let (left, right) = (next_change(&mut self.left), next_change(&mut self.right));
            match (left, right) {
                (Some(a), Some(b)) if same(&a, &b) => {}
                (None, None) => return,
                (left, right) if at_end || left.is_some() && right.is_some() => {
                    let at = [&left, &right].into_iter().flatten().map(|change| change.at).min();
                    self.change = at.map(|at| FirstChange { at, left, right });
                    return;
                }
                (left, right) => {
                    // Its partner may still come.
                    if let Some(change) = left {
                        self.left.records.push_front(Record::Change(change));
                    }
                    if let Some(change) = right {
                        self.right.records.push_front(Record::Change(change));
                    }
                    return;
                }
            }
        }
    }
}

fn next_change(sim: &mut Sim) -> Option<Change> {
    loop {
        if let Record::Change(change) = sim.poll_record()? {
            return Some(change);
        }
    }
}

fn same(a: &Change, b: &Change) -> bool {
    (a.at, a.change) == (b.at, b.change) && (Rc::ptr_eq(&a.object, &b.object) || a.object.value() == b.object.value())
}
