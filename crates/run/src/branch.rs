//! Lines of time: a tree of branches, and the moments that are kept of them.
//!
//! Rule: what two branches have in common they have up to the place where one left the other; a moment that is kept before
//! that place belongs to both. All branches share one budget of kept moments: when it is spent, the moment goes whose loss
//! makes the least to be played again.

use std::rc::Rc;

use crate::input::Input;
use crate::view::History;
use crate::world::{Place, World};
use values::time::SimTime;

/// Checkpoints of all branches together.
const CHECKPOINTS_MAX: usize = 64;
/// Things that happen between two kept moments at least, and the part of a branch's length if that is more.
const KEEP_EVERY: u64 = 1_000;
const KEEP_PART: u64 = 32;

/// Which line of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct BranchId(u64);

impl BranchId {
    /// The first line of time is 1; later ones count up, and a number is never given again.
    pub fn number(self) -> u64 {
        self.0 + 1
    }

    /// The line of time of that number.
    pub fn numbered(number: u64) -> BranchId {
        BranchId(number.saturating_sub(1))
    }
}

/// A line of time, as a list shows it.
#[derive(Clone, PartialEq, Debug)]
pub struct BranchInfo {
    pub id: BranchId,
    /// `branch 2`, or as it was named.
    pub name: String,
    /// The branch that it left; none for the first.
    pub parent: Option<BranchId>,
    /// When it left it; the start for the first.
    pub forked_at: SimTime,
    /// What was done from outside since the start, apart from a script's steps; and since it left its parent.
    pub inputs: usize,
    pub own_inputs: usize,
    /// The latest moment of it that was reached.
    pub frontier: SimTime,
}

/// An input with its place.
#[derive(Clone, PartialEq, Debug)]
pub struct Given {
    pub place: Place,
    pub input: Input,
    /// The step's place in the scenario, if it comes from there.
    pub step: Option<usize>,
}

/// A line of time: what was done from outside, and when.
#[derive(Clone, Debug)]
pub struct Branch {
    pub id: BranchId,
    pub name: String,
    pub parent: Option<BranchId>,
    /// Where it left its parent, and how many inputs they have in common.
    pub forked: Place,
    pub shared: usize,
    pub inputs: Vec<Rc<Given>>,
    /// Where the steps of the scenario's script were begun that did not come with a place.
    pub begun: Vec<Place>,
    /// The latest place that was reached, how many things had happened by then, and records handed over.
    pub frontier: Place,
    pub length: u64,
    pub told: u64,
}

/// A moment that is kept, so that going back does not start at zero.
#[derive(Clone)]
pub struct Checkpoint {
    pub branch: BranchId,
    pub world: World,
    pub history: History,
    /// Inputs of the branch that had been given, and records that had been made.
    pub given: usize,
    pub recorded: u64,
    pub wants_shells: bool,
}

/// All branches of a run. There is always at least one.
#[derive(Clone)]
pub struct Branches {
    all: Vec<Branch>,
    made: u64,
    /// The start first.
    kept: Vec<Checkpoint>,
    keeps: bool,
}

impl Branches {
    /// One branch with the inputs that a scenario brings.
    pub fn new(start: SimTime, inputs: Vec<Rc<Given>>) -> Branches {
        let mut branches = Branches { all: Vec::new(), made: 0, kept: Vec::new(), keeps: true };
        let place = Place { at: start, after: 0 };
        branches.add(None, place, 0, inputs, Vec::new(), 0, 0);
        branches
    }

    /// One branch by itself, of which nothing will be kept: for a copy that is played and thrown away.
    pub fn only(&self, id: BranchId) -> Option<Branches> {
        let branch = self.find(id)?.clone();
        let place = branch.forked;
        let branch = Branch { parent: None, forked: place, shared: 0, told: 0, ..branch };
        Some(Branches { all: vec![branch], made: self.made, kept: Vec::new(), keeps: false })
    }

    #[expect(clippy::too_many_arguments, reason = "each is a field of what is made here")]
    fn add(
        &mut self,
        parent: Option<BranchId>,
        forked: Place,
        shared: usize,
        inputs: Vec<Rc<Given>>,
        begun: Vec<Place>,
        length: u64,
        told: u64,
    ) -> BranchId {
        let id = BranchId(self.made);
        self.made += 1;
        let name = format!("branch {}", id.number());
        self.all.push(Branch { id, name, parent, forked, shared, inputs, begun, frontier: forked, length, told });
        id
    }

    pub fn find(&self, id: BranchId) -> Option<&Branch> {
        self.all.iter().find(|branch| branch.id == id)
    }

    pub fn find_mut(&mut self, id: BranchId) -> Option<&mut Branch> {
        self.all.iter_mut().find(|branch| branch.id == id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Branch> {
        self.all.iter()
    }

    /// A branch that leaves another one here.
    pub fn fork(&mut self, from: BranchId, given: usize, world: &World, recorded: u64) -> BranchId {
        let parent = self.find(from).expect("the branch that is played exists");
        let (inputs, begun) = (parent.inputs[..given].to_vec(), parent.begun[..world.steps_begun()].to_vec());
        self.add(Some(from), world.place(), given, inputs, begun, world.happened(), recorded)
    }

    /// The branch from here up to the first, each with the place up to which this branch has its line; none: all of it.
    fn line(&self, id: BranchId) -> Vec<(BranchId, Option<Place>)> {
        let (mut line, mut limit, mut next) = (Vec::new(), None::<Place>, Some(id));
        while let Some(branch) = next.and_then(|id| self.find(id)) {
            line.push((branch.id, limit));
            limit = Some(limit.map_or(branch.forked, |limit| limit.min(branch.forked)));
            next = branch.parent;
        }
        line
    }

    /// Whether a moment of branch `of` at `place` is one of branch `id` as well.
    pub fn has(&self, id: BranchId, of: BranchId, place: Place) -> bool {
        if id == of {
            return true;
        }
        let others = self.line(of);
        self.line(id).into_iter().any(|(shared, limit)| {
            let other = others.iter().find(|(branch, _)| *branch == shared);
            other.is_some_and(|(_, other)| {
                limit.is_none_or(|limit| place <= limit) && other.is_none_or(|limit| place <= limit)
            })
        })
    }

    /// The latest moment of a branch that is kept, not later than `at`.
    pub fn nearest(&self, id: BranchId, at: SimTime) -> Option<&Checkpoint> {
        let is_meant = |kept: &&Checkpoint| kept.world.now() <= at && self.has(id, kept.branch, kept.world.place());
        self.kept.iter().filter(is_meant).max_by_key(|kept| kept.world.place())
    }

    pub fn kept_mut(&mut self) -> impl Iterator<Item = &mut Checkpoint> {
        self.kept.iter_mut()
    }

    /// How many moments are kept.
    pub fn kept(&self) -> usize {
        self.kept.len()
    }

    /// How many things happen in a branch before the next moment is kept. A copy costs what the world holds, so a large
    /// world is copied less often.
    pub fn pause(&self, id: BranchId, world: &World) -> u64 {
        let length = self.find(id).map_or(0, |branch| branch.length);
        if !self.keeps {
            return u64::MAX;
        }
        KEEP_EVERY.max(length / KEEP_PART) + 4 * world.cluster.store().len() as u64
    }

    /// Keeps a moment, and lets another one go if there are too many.
    pub fn keep(&mut self, kept: Checkpoint) {
        self.kept.push(kept);
        if self.kept.len() > CHECKPOINTS_MAX {
            // Neither the start, from where everything can be reached, nor what was kept right now.
            let losses = (1..self.kept.len() - 1).map(|i| (self.loss(i), i));
            if let Some((_, least)) = losses.min() {
                self.kept.remove(least);
            }
        }
    }

    /// How much more is to be played at most, if a kept moment goes.
    fn loss(&self, index: usize) -> u64 {
        let kept = &self.kept[index];
        let place = kept.world.place();
        let before = self
            .kept
            .iter()
            .filter(|other| other.world.place() < place && self.has(kept.branch, other.branch, other.world.place()));
        let after = self.kept.iter().filter(|other| other.branch == kept.branch && other.world.place() > place);
        let length = self.find(kept.branch).map_or(0, |branch| branch.length);
        let from = before.map(|other| other.world.happened()).max().unwrap_or(0);
        let to = after.map(|other| other.world.happened()).min().unwrap_or(length);
        to.saturating_sub(from)
    }

    /// Forgets a branch. Branches that left it go on: the one that left it last takes its place in the tree.
    pub fn drop(&mut self, id: BranchId) {
        let Some(at) = self.all.iter().position(|branch| branch.id == id) else { return };
        let gone = self.all.remove(at);
        let children = self.all.iter().filter(|branch| branch.parent == Some(id));
        let Some((heir, until)) = children.max_by_key(|child| child.forked).map(|child| (child.id, child.forked))
        else {
            self.kept.retain(|kept| kept.branch != id);
            return;
        };
        self.kept.retain(|kept| kept.branch != id || kept.world.place() <= until);
        for kept in self.kept.iter_mut().filter(|kept| kept.branch == id) {
            kept.branch = heir;
        }
        for child in self.all.iter_mut().filter(|branch| branch.parent == Some(id)) {
            if child.id == heir {
                (child.parent, child.forked, child.shared) = (gone.parent, gone.forked, gone.shared);
            } else {
                child.parent = Some(heir);
            }
        }
    }
}
