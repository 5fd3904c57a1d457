//! The face of the engine: a scenario goes in, records and views come out.
//!
//! Contract: time moves only through [`Sim::advance`]; every change from outside is an [`Input`] and is kept; after each call
//! the host may drain [`Sim::poll_record`]. Equal scenario and equal inputs at equal times give equal records on every
//! machine.

#![forbid(unsafe_code)]

mod reading;
mod fault;
mod ask;
pub mod explain;
pub mod forecast;
pub mod journal;
mod journal_lines;
pub mod outcome;
mod input;
pub mod scenario;
mod record;
pub mod view;
mod world;
mod branch;
mod branches;
mod compare;

use std::collections::VecDeque;
use std::rc::Rc;

use crate::journal::{Journal, Log};
use crate::view::{History, View};
use api::kind::Kind;
use cluster::Cluster;
use cluster::store::{ChangeType, EntryId};
use terminal::Terminals;
use values::sort::sort_by_key;
use values::time::{SimTime, Span};
use values::zone::ZoneTable;

pub use ask::{Answer, ask};
use branch::{Branch, Branches, Checkpoint, Given};
pub use branch::{BranchId, BranchInfo};
pub use cluster::controllers;
pub use compare::{Comparison, FirstChange, FirstInput};
pub use fault::Fault;
pub use input::Input;
pub use reading::Wrong;
pub use record::{Output, Record};
pub use scenario::{Scenario, Step};
pub use terminal::{Ink, Piece, Reply, Session, SessionId};
use world::{Place, World};

/// How far [`Sim::advance`] came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// It is `until`.
    Reached,
    /// The budget was used up first; call again.
    Busy,
    /// A container may soon start a shell, and the host has not brought the code for it: see [`Sim::wait_for_shells`].
    Lacks,
}

/// How long a run goes on after its duration for commands that have not ended, and how often it looks.
const OVERTIME: Span = Span::secs(600);
const TAIL: Span = Span::ms(100);

/// A running simulation.
///
/// A run is its scenario (set-up, seed, script) and its inputs with their times; [`Sim::as_scenario`] writes it down, and
/// playing that gives the same records again. Time goes on by [`Sim::advance`] and back by [`Sim::seek`], each with a budget.
/// What is done in the past begins another branch; see [`Sim::branches`].
pub struct Sim {
    scenario: Rc<Scenario>,
    world: World,
    history: History,
    branches: Branches,
    branch: BranchId,
    /// Inputs of the branch that have been given; the rest lie in the future of `now`.
    given: usize,
    /// Things that happened since a moment was kept, as far as known.
    since_kept: u64,
    records: VecDeque<Record>,
    journal: Journal,
    /// Records made on the way to now. Going over the past again hands over none.
    recorded: u64,
    view: Option<(u64, SimTime, Rc<View>)>,
    /// A Pod was made whose containers may start a shell.
    wants_shells: bool,
    /// The code for that is not there yet.
    lacks_shells: bool,
}

impl Sim {
    /// A run at its start. `zones` may be empty as long as nothing names a time zone.
    pub fn new(scenario: &Scenario, zones: &ZoneTable) -> Sim {
        let scenario = Rc::new(scenario.clone());
        let branches = Branches::new(scenario.start, placed_inputs(&scenario));
        let mut sim = Sim {
            world: World::new(&scenario, zones.clone()),
            history: History::default(),
            branches,
            branch: BranchId::default(),
            given: 0,
            since_kept: 0,
            records: VecDeque::new(),
            journal: Journal::default(),
            recorded: 0,
            view: None,
            wants_shells: false,
            lacks_shells: false,
            scenario,
        };
        sim.drain();
        sim.keep();
        sim
    }

    /// Brings the table of time zones to a run that was begun without it, now and in all moments that were kept.
    pub fn set_zones(&mut self, zones: &ZoneTable) {
        self.world.cluster.set_zones(zones.clone());
        for kept in self.branches.kept_mut() {
            kept.world.cluster.set_zones(zones.clone());
        }
    }

    /// For a host that fetches the part `program::shells` when it is first needed. While `waits`, time stops before the
    /// first container that may need it starts ([`Progress::Lacks`]). To be said before anything is made.
    pub fn wait_for_shells(&mut self, waits: bool) {
        if self.lacks_shells && !waits {
            self.world.cluster.complete_images();
        }
        self.lacks_shells = waits;
    }

    /// Whether time stands because that part is not there.
    pub fn lacks_shells(&self) -> bool {
        self.lacks_shells && self.wants_shells
    }

    /// Whether the host has not brought the code for shells, so that time may have to stand.
    fn awaits_shells(&self) -> bool {
        self.lacks_shells
    }

    /// Whether time stands because a container wants what comes with the part `terminal`: `kubectl`.
    pub fn lacks_terminal(&self) -> bool {
        self.world.cluster.has_calls() && !terminal::are_here()
    }

    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    pub fn start(&self) -> SimTime {
        self.scenario.start
    }

    pub fn now(&self) -> SimTime {
        self.world.now()
    }

    pub fn cluster(&self) -> &Cluster {
        &self.world.cluster
    }

    pub fn terminals(&self) -> &Terminals {
        &self.world.terminals
    }

    /// Acts from outside, now. If now lies in the past of this branch, a new branch begins and the old one stays.
    ///
    /// The reply has what is answered at once, also why it could not be done (`exit` is not 0 then). What is for a terminal
    /// that is not there is answered and not kept.
    pub fn handle(&mut self, input: Input) -> Reply {
        if let Some(terminal) = self.lacks(&input) {
            let stderr = format!("{}\n", world::no_terminal(terminal));
            return Reply { stderr, exit: 1, ..Reply::default() };
        }
        let branch = self.played();
        if self.given < branch.inputs.len() || self.world.place() < branch.frontier {
            self.fork();
        }
        let given = Rc::new(Given { place: self.world.place(), input, step: None });
        self.played_mut().inputs.push(Rc::clone(&given));
        self.give(&given)
    }

    /// The terminal that an input is for, if it is not there.
    pub fn lacks(&self, input: &Input) -> Option<SessionId> {
        self.world.lacks_terminal(input)
    }

    /// Opens an interactive terminal. Whoever goes back to before this moment finds it gone.
    pub fn terminal_open(&mut self) -> SessionId {
        self.handle(Input::OpenTerminal);
        self.world.terminals.newest().expect("a terminal was opened by the line above")
    }

    /// Types a line into a terminal: a command at its prompt, or input of the command that runs.
    pub fn terminal_line(&mut self, terminal: SessionId, line: &str) {
        self.handle(Input::Line { terminal, line: line.to_owned() });
    }

    /// Ctrl-C in a terminal.
    pub fn terminal_interrupt(&mut self, terminal: SessionId) {
        self.handle(Input::Interrupt { terminal });
    }

    /// A terminal: its screen so far, its history, its prompt. None before it was opened.
    pub fn terminal(&self, terminal: SessionId) -> Option<&Session> {
        self.world.terminals.session(terminal)
    }

    /// What this line of time remembers, also of what lies in the future of now.
    pub fn journal(&self) -> &Log {
        self.journal.log()
    }

    /// Nothing of the journal is thinned out, however long the run is. For programs that end soon.
    pub fn keep_whole_journal(&mut self) {
        self.journal.keep_whole();
    }

    /// When something next happens by itself, or by an input that was given before in this branch, if ever.
    pub fn next_wakeup(&self) -> Option<SimTime> {
        let input = self.next_given().map(|given| given.place.at.max(self.now()));
        let due = self.world.next().map(|due| due.at);
        [due, self.world.next_step_at(), input].into_iter().flatten().min()
    }

    /// Lets time pass until `until`, doing at most `budget` things.
    pub fn advance(&mut self, until: SimTime, budget: u32) -> Progress {
        for _ in 0..budget {
            if self.lacks_shells() || self.lacks_terminal() {
                return Progress::Lacks;
            }
            if !self.happen(until) {
                return Progress::Reached;
            }
        }
        Progress::Busy
    }

    /// Lets the scenario pass: its duration, and then until the commands of its steps have ended, as the recorder of the
    /// real cluster waited for them. A command that does not end is left after [`OVERTIME`]; those of steps with a place of
    /// their own (`after`) are not waited for.
    pub fn play(&mut self, budget: u32) -> Progress {
        let end = self.start() + self.scenario.duration;
        if self.now() < end {
            return match self.advance(end, budget) {
                Progress::Reached if self.world.has_steps_left(end) => Progress::Busy,
                progress => progress,
            };
        }
        if self.now() >= end + OVERTIME || !self.world.has_steps_left(end) {
            return self.advance(self.now(), budget);
        }
        self.advance(self.now() + TAIL, budget);
        Progress::Busy
    }

    /// How many records were made on the way from the start to now, handed over or not: a host that keeps them for itself
    /// keeps so many when it goes back.
    pub fn recorded(&self) -> u64 {
        self.recorded
    }

    /// The next record, oldest first. None is handed over twice: in going over the past there are none, and after a fork
    /// only those that belong to the new branch.
    pub fn poll_record(&mut self) -> Option<Record> {
        self.records.pop_front()
    }

    /// Goes to a moment of this branch, back or forth, doing at most `budget` things; call it again with the same moment
    /// until it is [`Progress::Reached`]. Going back takes the nearest moment that is kept and plays on from there, so on
    /// the way `now` is a moment before `at`. Whoever acts on the way acts at that moment.
    ///
    /// A host that draws calls it once a frame: with the moment that is wished for then, whatever it was before.
    pub fn seek(&mut self, at: SimTime, budget: u32) -> Progress {
        let at = at.max(self.start());
        let here = self.world.place();
        let near = self.branches.nearest(self.branch, at);
        if let Some(kept) = near.filter(|kept| self.now() > at || kept.world.place() > here) {
            let kept = kept.clone();
            self.restore(kept);
        }
        self.advance(at, budget)
    }

    /// [`Sim::seek`] without a bound, for tests and programs that have nothing else to do.
    pub fn go_to(&mut self, at: SimTime) -> Progress {
        loop {
            match self.seek(at, u32::MAX) {
                Progress::Busy => {}
                progress => return progress,
            }
        }
    }

    /// The picture of now.
    pub fn view(&mut self) -> Rc<View> {
        // What happens without a write (a fault, a mark) is seen too, so the newest entry counts and not the revision.
        let newest = self.world.cluster.last_entry().map_or(0, EntryId::number);
        let now = self.now();
        let now_ms = now.since(self.start()).as_ms();
        if let Some((seen, at, view)) = &self.view
            && *seen == newest
            && (*at == now || view.holds_at(now_ms))
        {
            if *at == now {
                return Rc::clone(view);
            }
            // Nothing was written since: only the time is another.
            let view = Rc::new(View { now_ms, wall_clock: view::wall_clock(now), ..(**view).clone() });
            self.view = Some((newest, now, Rc::clone(&view)));
            return view;
        }
        let mut fresh = view::scene(&self.world.cluster, &self.history, self.start());
        if let Some((_, _, old)) = &self.view {
            fresh.share_unchanged(old);
        }
        let view = Rc::new(fresh);
        self.view = Some((newest, now, Rc::clone(&view)));
        view
    }

    /// The next thing that is known to come by itself; none if nobody can know of any.
    pub fn coming(&mut self) -> Option<view::Coming> {
        let view = self.view();
        let (start, cluster) = (self.start(), &self.world.cluster);
        view::coming(&view, |pod| {
            let wakes = cluster.sleeps_until(&pod.namespace, &pod.name)?;
            Some(wakes.since(start).as_ms())
        })
    }

    /// What a container wrote: `previous` is the run before the present one.
    ///
    /// # Errors
    /// Why there is none, in the API server's words.
    pub fn logs(
        &self,
        namespace: &str,
        pod: &str,
        container: Option<&str>,
        previous: bool,
    ) -> Result<Vec<LogLine>, String> {
        let start = self.start();
        let lines = self.world.cluster.logs_of(namespace, pod, container, previous)?;
        Ok(lines.into_iter().map(|line| LogLine { at_ms: line.at.since(start).as_ms(), text: line.text }).collect())
    }

    /// A copy of one branch by itself, not later than `at`, of which nothing is kept and nothing was handed over.
    fn copy(&self, branch: BranchId, at: SimTime) -> Option<Sim> {
        let kept = self.branches.nearest(branch, at)?;
        Some(Sim {
            scenario: Rc::clone(&self.scenario),
            world: kept.world.clone(),
            history: kept.history.clone(),
            branches: self.branches.only(branch)?,
            branch,
            given: kept.given,
            since_kept: 0,
            records: VecDeque::new(),
            journal: Journal::default(),
            recorded: 0,
            view: None,
            wants_shells: kept.wants_shells,
            lacks_shells: self.lacks_shells,
        })
    }

    fn played(&self) -> &Branch {
        self.branches.find(self.branch).expect("the branch that is played exists")
    }

    fn played_mut(&mut self) -> &mut Branch {
        self.branches.find_mut(self.branch).expect("the branch that is played exists")
    }

    /// The next input of this branch that was given before.
    fn next_given(&self) -> Option<&Rc<Given>> {
        self.played().inputs.get(self.given)
    }

    /// Lets the first thing happen that is due by `until`. False if there was none, and it is `until`.
    fn happen(&mut self, until: SimTime) -> bool {
        let (due, script) = (self.world.next(), self.world.next_step_at());
        let first = [due.map(|due| due.at), script].into_iter().flatten().min();
        if let Some(given) = self.next_given().filter(|given| self.is_at(given.place, first, until)) {
            let given = Rc::clone(given);
            self.world.set_now(given.place.at);
            self.give(&given);
            return true;
        }
        let Some(first) = first.filter(|at| *at <= until) else {
            self.world.set_now(until);
            self.note(Vec::new());
            return false;
        };
        match due.filter(|due| script.is_none_or(|at| due.at < at)) {
            Some(due) => {
                self.world.take(due);
                self.drain();
            }
            None => self.begin_step(first),
        }
        self.since_kept += 1;
        self.keep_if_long_ago();
        true
    }

    /// Whether it is the place of an input, or will be once time has passed in which nothing happens. `first` is when
    /// something next happens by itself.
    fn is_at(&self, place: Place, first: Option<SimTime>, until: SimTime) -> bool {
        let here = self.world.place();
        place <= here
            || place.at <= until
                && first
                    .is_none_or(|first| first > place.at || first == place.at && here.at < first && place.after == 0)
    }

    fn begin_step(&mut self, at: SimTime) {
        self.world.set_now(at);
        let (begun, place) = (self.world.steps_begun(), self.world.place());
        let Some((step, input, reply)) = self.world.begin_step() else { return };
        let branch = self.played_mut();
        if branch.begun.len() == begun {
            branch.begun.push(place);
        }
        self.answered(&input, Some(step), &reply);
    }

    fn give(&mut self, given: &Given) -> Reply {
        self.given += 1;
        let (reply, _) = self.world.give(&given.input, given.step, false);
        self.answered(&given.input, given.step, &reply);
        reply
    }

    /// Something was done from outside: it is marked on the time line, and what was answered at once is written down.
    fn answered(&mut self, input: &Input, step: Option<usize>, reply: &Reply) {
        let now = self.now();
        let is_marked = match input {
            Input::Apply { .. } | Input::Run { .. } | Input::Fault(_) | Input::Image { .. } => true,
            Input::AddNode(_) | Input::ResizeNode { .. } | Input::RemoveNode { .. } => true,
            Input::Line { line, .. } => !line.trim().is_empty(),
            _ => false,
        };
        if is_marked {
            self.history.mark_input(now, &input.says());
        }
        self.drain();
        if reply.exit != 0 || !reply.stdout.is_empty() || !reply.stderr.is_empty() {
            self.note(vec![Record::Output(Rc::new(Output {
                at: now,
                step,
                command: match input {
                    Input::Apply { file, .. } => format!("kubectl apply -f {file}"),
                    other => other.says(),
                },
                exit: reply.exit,
                stdout: reply.stdout.clone(),
                stderr: reply.stderr.clone(),
                refused: reply.exit != 0 && !matches!(input, Input::Apply { .. }),
                end: now,
                lines: Vec::new(),
            }))]);
        }
    }

    fn drain(&mut self) {
        let mut fresh = Vec::new();
        self.world.drain(&mut |record| fresh.push(record));
        self.note(fresh);
    }

    fn note(&mut self, fresh: Vec<Record>) {
        let mut told = self.played().told;
        for record in fresh {
            self.journal.note(&record);
            if let Record::Change(change) = &record {
                self.history.observe(change);
                // Making a Pod and starting its containers are steps apart.
                let is_new_pod = (change.change, change.object.kind()) == (ChangeType::Added, Kind::Pod);
                if is_new_pod && self.lacks_shells && !self.wants_shells {
                    self.wants_shells = self.world.cluster.images().may_start_shell(&change.object.pod().spec);
                }
            }
            self.recorded += 1;
            if self.recorded > told {
                told = self.recorded;
                self.records.push_back(record);
            }
        }
        let (place, length) = (self.world.place(), self.world.happened());
        let branch = self.played_mut();
        branch.told = told;
        branch.frontier = branch.frontier.max(place);
        branch.length = branch.length.max(length);
    }

    /// Keeps this moment if the last one that is kept lies long enough back.
    fn keep_if_long_ago(&mut self) {
        let pause = self.branches.pause(self.branch, &self.world);
        if self.since_kept < pause {
            return;
        }
        // On a way that was gone before, moments are kept already.
        let near = self.branches.nearest(self.branch, self.now()).map_or(0, |kept| kept.world.happened());
        self.since_kept = self.world.happened().saturating_sub(near);
        if self.since_kept >= pause {
            self.keep();
        }
    }

    fn keep(&mut self) {
        self.since_kept = 0;
        self.branches.keep(Checkpoint {
            branch: self.branch,
            world: self.world.clone(),
            history: self.history.clone(),
            given: self.given,
            recorded: self.recorded,
            wants_shells: self.wants_shells,
        });
    }

    fn restore(&mut self, kept: Checkpoint) {
        (self.world, self.history) = (kept.world, kept.history);
        (self.given, self.recorded, self.wants_shells) = (kept.given, kept.recorded, kept.wants_shells);
        self.since_kept = 0;
        self.view = None;
    }
}

/// The steps of a scenario that come with a place. One that stands behind another is not done before it.
fn placed_inputs(scenario: &Scenario) -> Vec<Rc<Given>> {
    let mut last = Place { at: scenario.start, after: 0 };
    let steps = scenario.steps.iter().enumerate();
    let placed = steps.filter_map(|(index, step)| {
        let place = Place { at: scenario.start + step.at, after: step.after? };
        last = last.max(place);
        Some(Rc::new(Given { place: last, input: step.input.clone(), step: Some(index) }))
    });
    placed.collect()
}

/// Whether a refusal is about a field that cannot be changed any more: a cluster without the object would take the text.
pub fn is_about_immutable(refusal: &str) -> bool {
    refusal.contains("field is immutable")
}

/// One line of a container's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine {
    pub at_ms: i64,
    pub text: String,
}
