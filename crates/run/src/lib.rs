//! The face of the engine: a scenario goes in, records and views come out.
//!
//! Contract: time moves only through [`Sim::advance`]; every change from outside is an [`Input`] and is kept; after each call
//! the host may drain [`Sim::poll_record`]. Equal scenario and equal inputs at equal times give equal records on every
//! machine.

#![forbid(unsafe_code)]

mod fault;
pub mod view;
pub mod scenario;
mod record;
mod world;

use std::collections::VecDeque;
use std::rc::Rc;

use crate::view::{History, View};
use api::kind::Kind;
use cluster::Cluster;
use cluster::store::{ChangeType, Rule};
use terminal::Terminals;
use values::time::{SimTime, Span};
use values::zone::ZoneTable;

pub use fault::Fault;
pub use record::{Output, Record};
pub use scenario::{Scenario, Step, StepAction};
pub use terminal::{Ink, Piece, Reply, Session, SessionId};
use world::World;

/// What someone does to a running simulation.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// `kubectl apply -f FILE` with the text of an editor tab.
    Apply {
        file: String,
        text: String,
    },
    /// A command line in a shell of its own.
    Run {
        line: String,
    },
    /// The text of an editor's tab is saved as a file of the terminals.
    Save {
        file: String,
        text: String,
    },
    /// An editor's tab was closed or renamed: its file goes.
    Remove {
        file: String,
    },
    /// The editor that `kubectl edit` opened was closed. `text` is what was saved in it, none if nothing was.
    CloseEdit {
        path: String,
        text: Option<String>,
    },
    OpenTerminal,
    /// What runs in the terminal ends with it.
    CloseTerminal {
        terminal: SessionId,
    },
    /// A line typed into a terminal.
    Line {
        terminal: SessionId,
        line: String,
    },
    /// Ctrl-C in a terminal.
    Interrupt {
        terminal: SessionId,
    },
    /// Ctrl-D in a terminal while a command runs.
    EndInput {
        terminal: SessionId,
    },
    Fault(Fault),
}

impl Input {
    /// What is done, in a few words.
    pub fn says(&self) -> String {
        match self {
            Input::Apply { file, .. } => format!("apply {file}"),
            Input::Run { line } | Input::Line { line, .. } => line.clone(),
            Input::Save { file, .. } => format!("save {file}"),
            Input::Remove { file } => format!("remove {file}"),
            Input::CloseEdit { path, .. } => format!("close {path}"),
            Input::OpenTerminal => "open a terminal".to_owned(),
            Input::CloseTerminal { .. } => "close a terminal".to_owned(),
            Input::Interrupt { .. } => "Ctrl-C".to_owned(),
            Input::EndInput { .. } => "Ctrl-D".to_owned(),
            Input::Fault(fault) => fault.says(),
        }
    }
}

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

/// A line of time: what was done from outside, and when.
#[derive(Clone, PartialEq, Debug, Default)]
struct Branch {
    inputs: Vec<(SimTime, Input)>,
}

/// Which line of time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct BranchId(usize);

/// A moment that was kept, so that going back does not start at zero.
#[derive(Clone)]
struct Checkpoint {
    world: World,
    history: History,
    /// Inputs of the branch that had been given, and records that had been made.
    inputs: usize,
    recorded: u64,
    wants_shells: bool,
}

/// Checkpoints kept at most; when there are more, every other one goes.
const CHECKPOINTS_MAX: usize = 64;
/// Steps between checkpoints at first; doubled whenever they are thinned out.
const CHECKPOINT_STEPS: u64 = 1_000;

/// How long a run goes on after its duration for commands that have not ended, and how often it looks.
const OVERTIME: Span = Span::secs(600);
const TAIL: Span = Span::ms(100);

/// A running simulation.
pub struct Sim {
    scenario: Rc<Scenario>,
    world: World,
    history: History,
    branches: Vec<Branch>,
    branch: BranchId,
    /// Inputs of the branch that have been given; the rest lie in the future of `now`.
    given: usize,
    checkpoints: Vec<Checkpoint>,
    checkpoint_every: u64,
    /// Steps since the last checkpoint.
    steps: u64,
    records: VecDeque<Record>,
    /// Records made on the way to now, and the most that were ever handed over: going over the past again hands over none.
    recorded: u64,
    handed_over: u64,
    /// The latest moment of the branch that was reached.
    frontier: SimTime,
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
        let mut sim = Sim {
            world: World::new(Rc::clone(&scenario), zones.clone()),
            history: History::default(),
            branches: vec![Branch::default()],
            branch: BranchId(0),
            given: 0,
            checkpoints: Vec::new(),
            checkpoint_every: CHECKPOINT_STEPS,
            steps: 0,
            records: VecDeque::new(),
            recorded: 0,
            handed_over: 0,
            frontier: scenario.start,
            view: None,
            wants_shells: false,
            lacks_shells: false,
            scenario,
        };
        sim.drain();
        sim.keep_checkpoint();
        sim
    }

    /// Brings the table of time zones to a run that was begun without it, now and in all moments that were kept.
    pub fn set_zones(&mut self, zones: &ZoneTable) {
        self.world.cluster.set_zones(zones.clone());
        for checkpoint in &mut self.checkpoints {
            checkpoint.world.cluster.set_zones(zones.clone());
        }
    }

    /// For a host that fetches the part `program::shells` when it is first needed. While `waits`, time stops before the
    /// first container that may need it starts ([`Progress::Lacks`]). To be said before anything is made.
    pub fn wait_for_shells(&mut self, waits: bool) {
        self.lacks_shells = waits;
    }

    /// Whether time stands because that part is not there.
    pub fn lacks_shells(&self) -> bool {
        self.lacks_shells && self.wants_shells
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
    pub fn handle(&mut self, input: Input) -> Reply {
        if self.given < self.branches[self.branch.0].inputs.len() || self.now() < self.frontier {
            self.fork();
        }
        let now = self.now();
        self.branches[self.branch.0].inputs.push((now, input.clone()));
        self.given += 1;
        let reply = self.give(&input);
        self.drain();
        reply
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

    /// When something next happens by itself, if ever.
    pub fn next_wakeup(&self) -> Option<SimTime> {
        let input = self.branches[self.branch.0].inputs.get(self.given).map(|(at, _)| *at);
        [self.world.next_wakeup(), input].into_iter().flatten().min()
    }

    /// Lets time pass until `until`, doing at most `budget` things.
    pub fn advance(&mut self, until: SimTime, budget: u32) -> Progress {
        for _ in 0..budget {
            if self.lacks_shells() {
                return Progress::Lacks;
            }
            let input = self.branches[self.branch.0].inputs.get(self.given).cloned();
            if let Some((at, input)) = input.filter(|(at, _)| *at <= self.now()) {
                debug_assert!(at <= self.now());
                self.given += 1;
                self.give(&input);
                self.drain();
                continue;
            }
            let next_input = self.branches[self.branch.0].inputs.get(self.given).map(|(at, _)| *at);
            let limit = next_input.map_or(until, |at| at.min(until));
            if !self.step(limit) && limit == until {
                return Progress::Reached;
            }
        }
        Progress::Busy
    }

    /// Lets the scenario pass: its duration, and then until the commands of its steps have ended, as the recorder of the
    /// real cluster waited for them. A command that does not end is left after [`OVERTIME`].
    pub fn play(&mut self, budget: u32) -> Progress {
        let end = self.start() + self.scenario.duration;
        if self.now() < end {
            return match self.advance(end, budget) {
                Progress::Reached if self.world.has_steps_left() => Progress::Busy,
                progress => progress,
            };
        }
        if self.now() >= end + OVERTIME || !self.world.has_steps_left() {
            return Progress::Reached;
        }
        self.advance(self.now() + TAIL, budget);
        Progress::Busy
    }

    /// The next record, oldest first.
    pub fn poll_record(&mut self) -> Option<Record> {
        self.records.pop_front()
    }

    /// Goes to a moment of this branch, back or forth. Going back takes the nearest checkpoint and plays on from there.
    pub fn seek(&mut self, at: SimTime) {
        let at = at.max(self.start());
        if at < self.now() {
            let near = self.checkpoints.iter().rposition(|c| c.world.now() <= at).unwrap_or(0);
            let checkpoint = self.checkpoints[near].clone();
            (self.world, self.history) = (checkpoint.world, checkpoint.history);
            (self.given, self.recorded) = (checkpoint.inputs, checkpoint.recorded);
            self.wants_shells = checkpoint.wants_shells;
            self.view = None;
        }
        while self.advance(at, u32::MAX) == Progress::Busy {}
    }

    /// Begins a new line of time here; the old one stays as it was.
    pub fn fork(&mut self) -> BranchId {
        let inputs = self.branches[self.branch.0].inputs[..self.given].to_vec();
        self.branches.push(Branch { inputs });
        self.branch = BranchId(self.branches.len() - 1);
        let now = self.now();
        self.checkpoints.retain(|c| c.world.now() <= now);
        (self.frontier, self.handed_over) = (now, self.recorded);
        self.branch
    }

    /// The lines of time so far, and the one that is played.
    pub fn branches(&self) -> (usize, BranchId) {
        (self.branches.len(), self.branch)
    }

    /// The picture of now.
    pub fn view(&mut self) -> Rc<View> {
        let (revision, now) = (self.world.cluster.store().revision(), self.now());
        let now_ms = now.since(self.start()).as_ms();
        if let Some((seen, at, view)) = &self.view
            && *seen == revision
            && (*at == now || view.holds_at(now_ms))
        {
            if *at == now {
                return Rc::clone(view);
            }
            // Nothing was written since: only the time is another.
            let view = Rc::new(View { now_ms, wall_clock: view::wall_clock(now), ..(**view).clone() });
            self.view = Some((revision, now, Rc::clone(&view)));
            return view;
        }
        let mut fresh = view::scene(&self.world.cluster, &self.history, self.start());
        if let Some((_, _, old)) = &self.view {
            fresh.share_unchanged(old);
        }
        let view = Rc::new(fresh);
        self.view = Some((revision, now, Rc::clone(&view)));
        view
    }

    /// What a container wrote: `previous` is the run before the present one.
    ///
    /// # Errors
    /// Why there is none, in the API server's words.
    pub fn logs(&self, pod: &str, container: Option<&str>, previous: bool) -> Result<Vec<LogLine>, String> {
        let start = self.start();
        let lines = self.world.cluster.logs_of(pod, container, previous)?;
        Ok(lines.into_iter().map(|line| LogLine { at_ms: line.at.since(start).as_ms(), text: line.text }).collect())
    }

    fn give(&mut self, input: &Input) -> Reply {
        let now = self.now();
        let rule = if matches!(input, Input::Fault(_)) { Rule::Broken } else { Rule::Asked };
        let number = self.scenario.steps.len() + self.given - 1;
        let cause = self.world.cluster.input(number, &input.says(), rule);
        self.world.terminals.act_for(cause);
        match input {
            Input::Apply { file, text } => {
                self.history.mark_input(now, &format!("apply {file}"));
                self.world.terminals.apply(&mut self.world.cluster, file, text)
            }
            Input::Run { line } => {
                self.history.mark_input(now, line);
                self.world.terminals.start(&mut self.world.cluster, line, None);
                Reply::default()
            }
            Input::Save { file, text } => match self.world.terminals.save(file, text, now) {
                Ok(()) => Reply::default(),
                Err(error) => Reply { stderr: format!("{file}: {error}\n"), exit: 1, ..Reply::default() },
            },
            Input::Remove { file } => {
                self.world.terminals.remove(file);
                Reply::default()
            }
            Input::CloseEdit { path, text } => {
                // A full disk leaves the old text, which is then no change.
                let _ = text.as_ref().map(|text| self.world.terminals.save(path, text, now));
                self.world.terminals.close_edit(path, now);
                Reply::default()
            }
            Input::OpenTerminal => {
                self.world.terminals.open(now);
                Reply::default()
            }
            Input::Line { terminal, line } => {
                if !line.trim().is_empty() {
                    self.history.mark_input(now, line);
                }
                self.world.terminals.type_line(*terminal, line, now);
                Reply::default()
            }
            Input::Interrupt { terminal } => {
                self.world.terminals.interrupt_session(&mut self.world.cluster, *terminal);
                Reply::default()
            }
            Input::EndInput { terminal } => {
                self.world.terminals.end_input(*terminal, now);
                Reply::default()
            }
            Input::CloseTerminal { terminal } => {
                self.world.terminals.close_session(&mut self.world.cluster, *terminal);
                Reply::default()
            }
            Input::Fault(fault) => {
                self.history.mark_input(now, &fault.says());
                self.world.fault(fault);
                Reply::default()
            }
        }
    }

    fn step(&mut self, until: SimTime) -> bool {
        let mut fresh = Vec::new();
        let went = self.world.step(until, &mut |record| fresh.push(record));
        self.note(fresh);
        if went {
            self.steps += 1;
            // A copy costs what the world holds, so a large world is copied less often.
            let every = self.checkpoint_every;
            if self.steps >= every && self.steps >= every + 4 * self.world.cluster.store().len() as u64 {
                self.steps = 0;
                self.keep_checkpoint();
            }
        }
        went
    }

    fn drain(&mut self) {
        let mut fresh = Vec::new();
        self.world.drain(&mut |record| fresh.push(record));
        self.note(fresh);
    }

    fn note(&mut self, fresh: Vec<Record>) {
        for record in fresh {
            if let Record::Change(change) = &record {
                self.history.observe(change);
                // Making a Pod and starting its containers are steps apart.
                let is_new_pod = (change.change, change.object.kind()) == (ChangeType::Added, Kind::Pod);
                if is_new_pod && self.lacks_shells && !self.wants_shells {
                    self.wants_shells = self.world.cluster.images().may_start_shell(&change.object.pod().spec);
                }
            }
            self.recorded += 1;
            if self.recorded > self.handed_over {
                self.handed_over = self.recorded;
                self.records.push_back(record);
            }
        }
        self.frontier = self.frontier.max(self.now());
    }

    fn keep_checkpoint(&mut self) {
        let now = self.now();
        if self.checkpoints.last().is_some_and(|c| c.world.now() >= now) {
            return;
        }
        let (world, history) = (self.world.clone(), self.history.clone());
        let (inputs, recorded, wants_shells) = (self.given, self.recorded, self.wants_shells);
        self.checkpoints.push(Checkpoint { world, history, inputs, recorded, wants_shells });
        if self.checkpoints.len() > CHECKPOINTS_MAX {
            let mut odd = false;
            self.checkpoints.retain(|_| {
                odd = !odd;
                odd
            });
            self.checkpoint_every *= 2;
        }
    }
}

/// One line of a container's log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine {
    pub at_ms: i64,
    pub text: String,
}
