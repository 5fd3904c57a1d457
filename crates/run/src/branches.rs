//! The tree of a run's branches as those who use it see it: listed, named, entered, compared, dropped, written down.
//!
//! Rule: what is done in the past begins a branch, and the one that was left stays as it was.

use crate::*;

impl Sim {
    /// Begins a new line of time here; the old one stays as it was.
    pub fn fork(&mut self) -> BranchId {
        self.branch = self.branches.fork(self.branch, self.given, &self.world, self.recorded);
        self.journal.fork(self.branch.number(), self.world.cluster.last_entry());
        self.branch
    }

    /// The branch that is played.
    pub fn branch(&self) -> BranchId {
        self.branch
    }

    /// All lines of time, in the order in which they began.
    pub fn branches(&self) -> Vec<BranchInfo> {
        let info = |branch: &Branch| BranchInfo {
            id: branch.id,
            name: branch.name.clone(),
            parent: branch.parent,
            forked_at: branch.forked.at,
            inputs: branch.inputs.len(),
            own_inputs: branch.inputs.len() - branch.shared,
            frontier: branch.frontier.at,
        };
        self.branches.iter().map(info).collect()
    }

    /// How many moments are kept of all branches, so that going back is short; they are never more than some dozens.
    pub fn checkpoints(&self) -> usize {
        self.branches.kept()
    }

    /// What was done from outside in a branch, each with its time: all of it, also what lies in the future of `now`. Empty
    /// if there is no such branch.
    pub fn inputs(&self, branch: BranchId) -> impl Iterator<Item = (SimTime, &Input)> {
        let inputs = self.branches.find(branch).map(|branch| branch.inputs.as_slice()).unwrap_or_default();
        inputs.iter().map(|given| (given.place.at, &given.input))
    }

    /// Names a branch. False if there is no such branch.
    pub fn name_branch(&mut self, branch: BranchId, name: &str) -> bool {
        let found = self.branches.find_mut(branch);
        found.map(|branch| branch.name = name.to_owned()).is_some()
    }

    /// Plays another branch from now on. The result is the moment to [`Sim::seek`] next: the one that is looked at, or the
    /// latest that was reached of that branch. Until it is reached `now` is a moment before it. None if there is no such branch.
    pub fn enter(&mut self, branch: BranchId) -> Option<SimTime> {
        let goal = self.now().min(self.branches.find(branch)?.frontier.at);
        let stays = self.branches.has(branch, self.branch, self.world.place());
        let near = if stays { None } else { self.branches.nearest(branch, goal).cloned() };
        self.branch = branch;
        self.journal.enter(branch.number());
        self.view = None;
        if let Some(kept) = near {
            self.restore(kept);
        }
        Some(goal)
    }

    /// Forgets a branch; branches that left it stay, and the one that left it last takes its place in the tree. False for
    /// the branch that is played, and if there is no such branch.
    pub fn drop_branch(&mut self, branch: BranchId) -> bool {
        if branch == self.branch || self.branches.find(branch).is_none() {
            return false;
        }
        self.branches.drop(branch);
        self.journal.forget(branch.number());
        true
    }

    /// How two branches differ; see [`Comparison`]. None if one of them does not exist.
    pub fn compare(&self, left: BranchId, right: BranchId) -> Option<Comparison> {
        Comparison::new(self, left, right)
    }

    /// The run as a scenario: its set-up and seed, and everything that was done in the branch that is played, up to the
    /// latest moment that was reached. Playing that gives the same records.
    pub fn as_scenario(&self) -> Scenario {
        self.branch_as_scenario(self.branch).expect("the branch that is played exists")
    }

    /// The same of any branch; none if it does not exist.
    pub fn branch_as_scenario(&self, branch: BranchId) -> Option<Scenario> {
        let branch = self.branches.find(branch)?;
        Some(self.written(&branch.inputs, &branch.begun, None, branch.frontier.at))
    }

    /// The run as a scenario of what was done up to now, and of this input now: for a host that keeps what it is about to
    /// do, should it not live to tell.
    pub fn about_to(&self, input: &Input) -> Scenario {
        let branch = self.played();
        let begun = &branch.begun[..self.world.steps_begun()];
        self.written(&branch.inputs[..self.given], begun, Some(input), self.now())
    }

    /// What was given and what was begun of the script in the order in which it was done, then `last`, now, then what is
    /// left of the script.
    fn written(&self, given: &[Rc<Given>], begun: &[Place], last: Option<&Input>, end: SimTime) -> Scenario {
        let start = self.scenario.start;
        let step = |place: Place, input: &Input| {
            (place, Step { at: place.at.since(start), after: Some(place.after), input: input.clone() })
        };
        let script: Vec<&Step> = self.world.script().map(|index| &self.scenario.steps[index]).collect();
        let mut done: Vec<(Place, Step)> = given.iter().map(|given| step(given.place, &given.input)).collect();
        done.extend(begun.iter().zip(&script).map(|(place, scripted)| step(*place, &scripted.input)));
        done.extend(last.map(|input| step(self.world.place(), input)));
        sort_by_key(&mut done, |(place, _)| *place);
        let mut steps: Vec<Step> = done.into_iter().map(|(_, step)| step).collect();
        // What still waits comes after all that has happened.
        let next = end.since(start) + Span::ms(1);
        steps.extend(script[begun.len()..].iter().map(|&step| Step { at: step.at.max(next), ..step.clone() }));
        Scenario { steps, duration: end.since(start), ..(*self.scenario).clone() }
    }
}
