//! All that a run is at one moment: the cluster, the terminals, and how far the scenario was carried out.
//!
//! Rule: a copy of the world is the moment itself. Whatever is not in here cannot change what happens next.

use std::rc::Rc;

use crate::fault::Fault;
use crate::record::{Output, Record};
use crate::scenario::{Scenario, StepAction};
use cluster::Cluster;
use cluster::store::{Entry, Rule};
use terminal::{TaskId, Terminals};
use values::rng::Rng;
use values::time::{SimTime, Span};
use values::zone::ZoneTable;

/// A run at one moment.
#[derive(Clone)]
pub struct World {
    pub cluster: Cluster,
    pub terminals: Terminals,
    scenario: Rc<Scenario>,
    /// Steps carried out or under way.
    next_step: usize,
    /// The step that later ones wait for.
    blocked_by: Option<TaskId>,
    /// Commands under way that belong to steps.
    running: Vec<(TaskId, usize)>,
    /// Nodes that come back by themselves, and when.
    thaws: Vec<(SimTime, String)>,
}

impl World {
    pub fn new(scenario: Rc<Scenario>, zones: ZoneTable) -> World {
        World {
            cluster: Cluster::new(&scenario.setup, scenario.start, Rng::new(scenario.seed), zones),
            terminals: Terminals::new(),
            scenario,
            next_step: 0,
            blocked_by: None,
            running: Vec::new(),
            thaws: Vec::new(),
        }
    }

    pub fn now(&self) -> SimTime {
        self.cluster.now()
    }

    /// When something next happens, if ever.
    pub fn next_wakeup(&self) -> Option<SimTime> {
        let cluster = self.cluster.next_wakeup();
        let wishes = [cluster, self.terminals.next_wakeup(self.now()), self.next_step_at(), self.next_thaw_at()];
        wishes.into_iter().flatten().min().map(|at| at.max(self.now()))
    }

    /// Lets the first thing happen that is due by `until`; false if there was none, and it is `until`.
    pub fn step(&mut self, until: SimTime, records: &mut dyn FnMut(Record)) -> bool {
        let now = self.now();
        let (step, terminal, cluster) = (self.next_step_at(), self.terminals.next_wakeup(now), self.cluster.next());
        let thaw = self.next_thaw_at();
        let wishes = [step, thaw, terminal, cluster.map(|turn| turn.at)];
        let Some(next) = wishes.into_iter().flatten().min().filter(|at| *at <= until) else {
            self.cluster.set_now(until);
            return false;
        };
        if step.is_some_and(|at| at <= next) {
            self.cluster.set_now(next);
            self.start_step();
        } else if thaw.is_some_and(|at| at <= next) {
            self.cluster.set_now(next);
            self.thaw();
        } else if let Some(turn) = cluster.filter(|turn| turn.at <= next) {
            self.cluster.take(turn);
            self.terminals.listen(self.cluster.now());
        } else {
            self.cluster.set_now(next);
            self.terminals.step(&mut self.cluster);
        }
        self.drain(records);
        true
    }

    /// Passes on what was written, wakes commands that wait for changes, and notes commands that ended.
    pub fn drain(&mut self, records: &mut dyn FnMut(Record)) {
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
            let step = self.running.iter().position(|(task, _)| *task == done.id).map(|i| self.running.remove(i).1);
            if self.blocked_by == Some(done.id) {
                self.blocked_by = None;
            }
            records(Record::Output(Rc::new(Output {
                at: done.began,
                step,
                command: done.line,
                exit: done.exit,
                stdout: done.stdout,
                stderr: done.stderr,
                end: done.ended,
                lines: done.lines,
            })));
        }
    }

    /// Whether a step is still to be begun, or its command still runs.
    pub fn has_steps_left(&self) -> bool {
        self.next_step < self.scenario.steps.len() || !self.running.is_empty()
    }

    /// Steps wait for their time and for the command before them.
    fn next_step_at(&self) -> Option<SimTime> {
        let step = self.scenario.steps.get(self.next_step).filter(|_| self.blocked_by.is_none())?;
        Some((self.scenario.start + step.at).max(self.now()))
    }

    fn next_thaw_at(&self) -> Option<SimTime> {
        self.thaws.iter().map(|(at, _)| (*at).max(self.now())).min()
    }

    /// The nodes whose time it is come back.
    fn thaw(&mut self) {
        let now = self.now();
        for (_, node) in self.thaws.extract_if(.., |(at, _)| *at <= now) {
            self.cluster.thaw_node(&node);
        }
    }

    fn start_step(&mut self) {
        let scenario = Rc::clone(&self.scenario);
        let index = self.next_step;
        self.next_step += 1;
        let action = &scenario.steps[index].action;
        let rule = if matches!(action, StepAction::Fault(_)) { Rule::Broken } else { Rule::Asked };
        self.cluster.input(index, &action.says(), rule);
        let task = match &scenario.steps[index].action {
            StepAction::Apply(text) => self.terminals.start(&mut self.cluster, "kubectl apply -f -", Some(text)),
            StepAction::Run(line) => self.terminals.start(&mut self.cluster, line, None),
            StepAction::Fault(fault) => return self.fault(fault),
        };
        self.running.push((task, index));
        let line = if let StepAction::Run(line) = &scenario.steps[index].action { line.as_str() } else { "" };
        // As the recorder of the real cluster has it, what begins with `timeout N` streams beside the following steps.
        if !line.starts_with("timeout ") {
            self.blocked_by = Some(task);
        }
    }

    /// Breaks something.
    pub fn fault(&mut self, fault: &Fault) {
        let until = |span: &Option<Span>| span.map(|span| self.cluster.now() + span);
        match fault {
            Fault::KillNode { node } => {
                self.thaws.retain(|(_, silent)| silent != node);
                self.cluster.kill_node(node);
            }
            Fault::FreezeNode { node, until: span } => {
                self.thaws.retain(|(_, silent)| silent != node);
                self.thaws.extend(until(span).map(|at| (at, node.clone())));
                self.cluster.freeze_node(node);
            }
            Fault::ThawNode { node } => {
                self.thaws.retain(|(_, silent)| silent != node);
                self.cluster.thaw_node(node);
            }
            Fault::Drain { node } => {
                let line = format!("kubectl drain {node} --ignore-daemonsets --delete-emptydir-data --force");
                self.terminals.start(&mut self.cluster, &line, None);
            }
            Fault::KillContainer { pod, container, exit_code, oom } => {
                self.cluster.kill_container(pod, container.as_deref(), *exit_code, *oom);
            }
            Fault::EvictPod { pod } => {
                self.cluster.evict(pod);
            }
            Fault::FailPull { image, until: span } => {
                let until = until(span);
                self.cluster.fail_pull(image, until);
            }
            Fault::SlowPull { image, seconds, until: span } => {
                let until = until(span);
                self.cluster.slow_pull(image, Span::secs(*seconds), until);
            }
            Fault::StopController { name, until: span } => {
                let until = until(span);
                self.cluster.stop_actor(name, until);
            }
            Fault::SlowApi { delay_ms, until: span } => {
                let until = until(span);
                self.cluster.slow_api(Span::ms(*delay_ms), until);
            }
        }
    }
}
