//! All that a run is at one moment: the cluster, the terminals, and how far the scenario was carried out.
//!
//! Rule: a copy of the world is the moment itself. Whatever is not in here cannot change what happens next.

use std::rc::Rc;

use crate::fault::Fault;
use crate::input::{Input, STDIN};
use crate::record::{Output, Record};
use crate::scenario::Scenario;
use cluster::store::{Entry, Rule};
use cluster::{Cluster, Turn};
use terminal::{Reply, SessionId, TaskId, Terminals};
use values::rng::Rng;
use values::time::{SimTime, Span};
use values::zone::ZoneTable;

/// A place on a line of time: a moment, and how many things have happened in its millisecond. What is done from outside
/// counts as well, so that no two states of a line share a place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    pub at: SimTime,
    pub after: u32,
}

/// What happens next by itself, and when.
#[derive(Clone, Copy, Debug)]
pub struct Due {
    pub at: SimTime,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    /// Nodes come back.
    Thaw,
    Cluster(Turn),
    Terminals,
}

/// A step of the scenario that comes without a place: not before its time and not before the command before it has ended.
#[derive(Clone, PartialEq, Debug)]
struct Scripted {
    /// Its place in the scenario.
    step: usize,
    at: SimTime,
    input: Input,
}

/// What later steps of the script wait for.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Waits {
    Nothing,
    Task(TaskId),
    /// The prompt of this terminal.
    Prompt(SessionId),
}

/// A command that is more than a line someone runs: it belongs to a step, or is how something breaks.
#[derive(Clone, PartialEq, Debug)]
struct Running {
    task: TaskId,
    /// The step's place in the scenario.
    step: Option<usize>,
    /// It belongs to the script, whose end a player waits for.
    scripted: bool,
    /// It is how something breaks.
    is_fault: bool,
}

/// A run at one moment.
#[derive(Clone)]
pub struct World {
    pub cluster: Cluster,
    pub terminals: Terminals,
    /// Where something happened last.
    place: Place,
    /// Things that have happened since the start, and those among them that were done from outside.
    happened: u64,
    inputs: usize,
    script: Rc<[Scripted]>,
    /// Steps of the script that were begun.
    begun: usize,
    waits: Waits,
    /// Commands under way that belong to steps or are how something breaks.
    running: Vec<Running>,
    /// Nodes that come back by themselves, and when.
    thaws: Vec<(SimTime, String)>,
}

impl World {
    pub fn new(scenario: &Scenario, zones: ZoneTable) -> World {
        let steps = scenario.steps.iter().enumerate().filter(|(_, step)| step.after.is_none());
        let scripted = |(step, one): (usize, &crate::scenario::Step)| Scripted {
            step,
            at: scenario.start + one.at,
            input: one.input.clone(),
        };
        World {
            cluster: Cluster::new(&scenario.setup, scenario.start, Rng::new(scenario.seed), zones),
            terminals: Terminals::new(),
            place: Place { at: scenario.start, after: 0 },
            happened: 0,
            inputs: 0,
            script: steps.map(scripted).collect(),
            begun: 0,
            waits: Waits::Nothing,
            running: Vec::new(),
            thaws: Vec::new(),
        }
    }

    pub fn now(&self) -> SimTime {
        self.cluster.now()
    }

    /// Where it stands on its line of time.
    pub fn place(&self) -> Place {
        let now = self.now();
        if self.place.at == now { self.place } else { Place { at: now, after: 0 } }
    }

    /// Things that have happened since the start.
    pub fn happened(&self) -> u64 {
        self.happened
    }

    /// Lets time pass in which nothing happens.
    pub fn set_now(&mut self, at: SimTime) {
        self.cluster.set_now(at);
    }

    /// Something happens now.
    fn count(&mut self) {
        let place = self.place();
        self.place = Place { after: place.after.saturating_add(1), ..place };
        self.happened += 1;
    }

    /// What happens next by itself, if anything. Of things at the same time nodes that come back are first, then the
    /// cluster, then the terminals.
    pub fn next(&self) -> Option<Due> {
        let now = self.now();
        let thaw = self.thaws.iter().map(|(at, _)| *at).min().map(|at| Due { at: at.max(now), what: What::Thaw });
        let cluster = self.cluster.next().map(|turn| Due { at: turn.at, what: What::Cluster(turn) });
        let terminals = self.terminals.next_wakeup(now).map(|at| Due { at, what: What::Terminals });
        let mut first = thaw;
        for due in [cluster, terminals].into_iter().flatten() {
            if first.is_none_or(|first| due.at < first.at) {
                first = Some(due);
            }
        }
        first
    }

    /// Lets that happen which was found to be [next](World::next).
    pub fn take(&mut self, due: Due) {
        self.cluster.set_now(due.at);
        self.count();
        match due.what {
            What::Thaw => self.thaw(),
            What::Cluster(turn) => {
                self.cluster.take(turn);
                self.terminals.listen(self.now());
            }
            What::Terminals => self.terminals.step(&mut self.cluster),
        }
    }

    /// Passes on what was written, wakes commands that wait for changes, and notes commands that ended.
    pub fn drain(&mut self, records: &mut dyn FnMut(Record)) {
        if self.cluster.has_calls() && terminal::are_here() {
            self.terminals.take_errands(&mut self.cluster);
        }
        let log = self.cluster.take_log();
        if !log.is_empty() {
            self.terminals.wake(self.cluster.now());
        }
        for entry in log {
            records(match entry {
                Entry::Change(change) => Record::Change(change),
                Entry::Happening(happening) => Record::Happening(happening),
            });
        }
        for done in self.terminals.take_finished() {
            let known = self.running.iter().position(|one| one.task == done.id);
            let known = known.map(|i| self.running.remove(i));
            if self.waits == Waits::Task(done.id) {
                self.waits = Waits::Nothing;
            }
            records(Record::Output(Rc::new(Output {
                at: done.began,
                step: known.as_ref().and_then(|known| known.step),
                command: done.line,
                exit: done.exit,
                refused: done.exit != 0 && known.is_some_and(|known| known.is_fault),
                stdout: done.stdout,
                stderr: done.stderr,
                end: done.ended,
                lines: done.lines,
            })));
        }
    }

    /// Steps of the script that were begun.
    pub fn steps_begun(&self) -> usize {
        self.begun
    }

    /// The places of the script's steps in the scenario, in their order.
    pub fn script(&self) -> impl Iterator<Item = usize> {
        self.script.iter().map(|scripted| scripted.step)
    }

    /// Whether a step that is due by `end` is still to be begun, or the command of a step still runs.
    pub fn has_steps_left(&self, end: SimTime) -> bool {
        self.script.get(self.begun).is_some_and(|step| step.at <= end) || self.running.iter().any(|one| one.scripted)
    }

    /// When the script goes on: its steps wait for their time and for the command before them, but what is for a command
    /// that runs does not wait for its end.
    pub fn next_step_at(&self) -> Option<SimTime> {
        let scripted = self.script.get(self.begun)?;
        let is_free = scripted.input.is_for_what_runs()
            || match self.waits {
                Waits::Nothing => true,
                Waits::Task(_) => false,
                Waits::Prompt(terminal) => !self.terminals.session(terminal).is_some_and(|session| session.is_busy()),
            };
        is_free.then(|| scripted.at.max(self.now()))
    }

    /// Begins the next step of the script: its place in the scenario, what it does, and what is answered at once.
    pub fn begin_step(&mut self) -> Option<(usize, Input, Reply)> {
        let Scripted { step, input, .. } = self.script.get(self.begun)?.clone();
        self.begun += 1;
        let is_for_what_runs = input.is_for_what_runs();
        let (reply, task) = self.give(&input, Some(step), true);
        match (&input, task) {
            // As the recorder of the real cluster has it, what begins with `timeout N` streams beside the following steps.
            (Input::Run { line }, _) if line.starts_with("timeout ") => {}
            (Input::Run { .. } | Input::Apply { .. }, Some(task)) => self.waits = Waits::Task(task),
            (Input::Line { terminal, .. }, _) => self.waits = Waits::Prompt(*terminal),
            _ if is_for_what_runs => {}
            _ => self.waits = Waits::Nothing,
        }
        Some((step, input, reply))
    }

    /// Does what is done from outside, now: what is answered at once, and the command that was begun, if one was. `step` is
    /// its place in the scenario.
    pub fn give(&mut self, input: &Input, step: Option<usize>, scripted: bool) -> (Reply, Option<TaskId>) {
        self.count();
        let rule = if matches!(input, Input::Fault(_)) { Rule::Broken } else { Rule::Asked };
        // Numbered as it comes, so that a run that is written down and played again has the same numbers.
        let cause = self.cluster.input(self.inputs, &input.says(), rule);
        self.inputs += 1;
        self.terminals.act_for(cause);
        let now = self.now();
        let mut task = None;
        let done: Result<(), String> = match input {
            Input::Apply { file, text } if file == STDIN => {
                task = Some(self.terminals.start(&mut self.cluster, "kubectl apply -f -", Some(text)));
                Ok(())
            }
            Input::Apply { file, text } => return (self.terminals.apply(&mut self.cluster, file, text), None),
            Input::Run { line } => {
                task = Some(self.terminals.start(&mut self.cluster, line, None));
                Ok(())
            }
            Input::Save { file, text } => self.terminals.save(file, text, now).map_err(|why| format!("{file}: {why}")),
            Input::Rename { from, to } => self.terminals.rename(from, to, now).map_err(|why| format!("{from}: {why}")),
            Input::Remove { file } => self.terminals.remove(file).map_err(|why| format!("{file}: {why}")),
            Input::CloseEdit { path, text } => {
                // A full disk leaves the old text, which is then no change.
                let saved = text.as_ref().map_or(Ok(()), |text| self.terminals.save(path, text, now));
                self.terminals.close_edit(path, now);
                saved.map_err(|why| format!("{path}: {why}"))
            }
            Input::OpenTerminal => {
                self.terminals.open(now);
                Ok(())
            }
            Input::CloseTerminal { .. }
            | Input::Line { .. }
            | Input::Type { .. }
            | Input::Interrupt { .. }
            | Input::EndInput { .. } => self.at_terminal(input),
            Input::Fault(Fault::Drain { node }) => {
                let line = format!("kubectl drain {node} --ignore-daemonsets --delete-emptydir-data --force");
                task = Some(self.terminals.start(&mut self.cluster, &line, None));
                Ok(())
            }
            Input::Fault(fault) => self.fault(fault),
            Input::AddNode(spec) => self.cluster.add_node(spec),
            Input::ResizeNode { name, cpu, memory } => {
                self.cluster.resize_node(name, cpu.as_deref(), memory.as_deref())
            }
            Input::RemoveNode { name } => {
                self.thaws.retain(|(_, silent)| silent != name);
                self.cluster.remove_node(name)
            }
            Input::Image { text } => self.cluster.set_image(text),
        };
        let is_fault = matches!(input, Input::Fault(_));
        if let Some(task) = task.filter(|_| step.is_some() || is_fault) {
            self.running.push(Running { task, step, scripted, is_fault });
        }
        let reply = match done {
            Ok(()) => Reply::default(),
            Err(why) => Reply { stderr: format!("{why}\n"), exit: 1, ..Reply::default() },
        };
        (reply, task)
    }

    /// Whether an input is for a terminal that is not there.
    pub fn lacks_terminal(&self, input: &Input) -> Option<SessionId> {
        let terminal = match input {
            Input::CloseTerminal { terminal }
            | Input::Line { terminal, .. }
            | Input::Type { terminal, .. }
            | Input::Interrupt { terminal }
            | Input::EndInput { terminal } => *terminal,
            _ => return None,
        };
        self.terminals.session(terminal).is_none().then_some(terminal)
    }

    fn at_terminal(&mut self, input: &Input) -> Result<(), String> {
        if let Some(terminal) = self.lacks_terminal(input) {
            return Err(no_terminal(terminal));
        }
        let now = self.now();
        match input {
            Input::CloseTerminal { terminal } => self.terminals.close_session(&mut self.cluster, *terminal),
            Input::Line { terminal, line } => self.terminals.type_line(*terminal, line, now),
            Input::Type { terminal, text } => self.terminals.type_text(*terminal, text, now),
            Input::Interrupt { terminal } => self.terminals.interrupt_session(&mut self.cluster, *terminal),
            Input::EndInput { terminal } => self.terminals.end_input(*terminal, now),
            _ => {}
        }
        Ok(())
    }

    /// The nodes whose time it is come back.
    fn thaw(&mut self) {
        let now = self.now();
        for (_, node) in self.thaws.extract_if(.., |(at, _)| *at <= now) {
            // It was taken away meanwhile.
            let _ = self.cluster.thaw_node(&node);
        }
    }

    /// Breaks something.
    fn fault(&mut self, fault: &Fault) -> Result<(), String> {
        let now = self.now();
        let until = move |span: &Option<Span>| span.map(|span| now + span);
        match fault {
            Fault::KillNode { node } => {
                self.cluster.kill_node(node)?;
                self.thaws.retain(|(_, silent)| silent != node);
                Ok(())
            }
            Fault::FreezeNode { node, until: span } => {
                let back_at = until(span);
                self.cluster.freeze_node(node)?;
                self.thaws.retain(|(_, silent)| silent != node);
                self.thaws.extend(back_at.map(|at| (at, node.clone())));
                Ok(())
            }
            Fault::ThawNode { node } => {
                self.thaws.retain(|(_, silent)| silent != node);
                self.cluster.thaw_node(node)
            }
            // A command, which is started where its task is known.
            Fault::Drain { .. } => Ok(()),
            Fault::KillContainer { namespace, pod, container, exit_code, oom } => {
                self.cluster.kill_container(namespace, pod, container.as_deref(), *exit_code, *oom)
            }
            Fault::EvictPod { namespace, pod } => self.cluster.evict(namespace, pod),
            Fault::FailPull { image, until: span } => self.cluster.fail_pull(image, until(span)),
            Fault::SlowPull { image, seconds, until: span } => {
                self.cluster.slow_pull(image, Span::secs(*seconds), until(span))
            }
            Fault::StopController { name, until: span } => self.cluster.stop_actor(name, until(span)),
            Fault::SlowApi { delay_ms, until: span } => {
                self.cluster.slow_api(Span::ms(*delay_ms), until(span));
                Ok(())
            }
        }
    }
}

/// Said of a terminal that is not open.
pub fn no_terminal(terminal: SessionId) -> String {
    format!("there is no terminal {}", terminal.number())
}
