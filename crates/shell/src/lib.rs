//! Batchyard's shell language: `sh -c` in simulated containers and the user's terminal, on virtual time.
//!
//! A [`Shell`] is a resumable interpreter whose whole state is plain data: it is polled, does at most a budget of
//! steps, and says what it waits for. Programs it does not know are asked of a [`Host`]. The common commands (`echo`,
//! `grep`, `awk` …) are implemented once, in `commands/`, for both places.
//!
//! Follows POSIX.1-2017 XCU 2 and busybox 1.35's ash ([`Dialect::Ash`]) or bash 5 ([`Dialect::Bash`]).
//! Not in the language: arrays, aliases, `select`, coprocesses, `extglob`, process substitution, job control by
//! `fg`/`bg`/Ctrl-Z.

#![forbid(unsafe_code)]

mod builtins;
mod commands;
mod escapes;
mod expand;
mod files;
pub mod host;
mod interp;
mod options;
pub mod process;
pub mod regex;
mod state;
mod syntax;

#[cfg(test)]
mod tests;

use values::sorted::{SortedMap, SortedSet};

pub use commands::encode::{decode as base64_decode, encode as base64_encode};
pub use commands::{help_of, names as command_names, parse_seconds};
pub use host::{Env, FileError, FileInfo, Host, Launch, Start, System};
pub use options::Options;
pub use process::{Chunk, Input, Io, Output, Poll, Read, Signal, Stream};
pub use syntax::{Dialect, is_incomplete};

use files::{Files, Open};
use interp::{Common, Context, Process, Step, TextKind};
use state::State;

/// Steps one process does before the next one has its turn.
const SLICE: u32 = 64;
/// Bytes that a step may print, and at a terminal move; who does more has done as many more steps. See
/// [`System::step_bytes`].
const BYTES_A_STEP: usize = 64;
/// Exit codes kept for a `wait` that may come.
const MAX_ENDED: usize = 1000;
/// Lines of history kept.
const MAX_HISTORY: usize = 1000;

/// A running shell with everything it started. `C` is the host's [`Host::Command`].
#[derive(Clone, Debug)]
pub struct Shell<C> {
    processes: SortedMap<u32, Process<C>>,
    common: Common,
    main: u32,
    result: Option<i32>,
    /// A line was fed and its end not yet reported.
    busy: bool,
}

impl<C: Clone + std::fmt::Debug> Shell<C> {
    /// A shell that will run `script`. An interactive one may get an empty script and lines later.
    pub fn new(script: &str, mut options: Options) -> Shell<C> {
        let env = std::mem::take(&mut options.env);
        let mut common = Common { files: Files::default(), next_pid: options.pid, ..Common::default() };
        let descriptors = [Open::Stdin, Open::Output(Stream::Stdout), Open::Output(Stream::Stderr)];
        let descriptors = (0u32..).zip(descriptors.map(|open| common.files.add(open))).collect();
        common.alive.insert(options.pid);
        let mut main = Process {
            pid: options.pid,
            state: State::new(&options, env, options.started),
            frames: Vec::new(),
            descriptors,
            pending: Vec::new(),
            exiting: None,
            background: false,
            first: options.first_process,
            substitution_status: None,
        };
        if !script.is_empty() || !options.interactive {
            main.push_text(script, TextKind::Main);
        }
        let busy = !main.is_idle();
        Shell { processes: SortedMap::from([(options.pid, main)]), common, main: options.pid, result: None, busy }
    }

    /// Runs until something has to be waited for, at most `budget` steps (the rest of which is left in it).
    ///
    /// `Exit` comes when the shell ends, and at the end of each line of an interactive shell; between lines, polling
    /// it keeps its background jobs going.
    pub fn poll<H: Host<Command = C>>(&mut self, host: &mut H, io: &mut Io, budget: &mut u32) -> Poll {
        loop {
            if let Some(status) = self.result {
                return Poll::Exit(status);
            }
            let mut progress = false;
            let mut yielded = false;
            let mut wake: Option<values::time::SimTime> = None;
            for pid in self.processes.keys().copied().collect::<Vec<_>>() {
                if *budget == 0 {
                    return Poll::Yield;
                }
                match self.run_slice(pid, host, io, budget) {
                    Step::Ran | Step::Ended(_) => progress = true,
                    Step::Yielded => yielded = true,
                    Step::Blocked(until) => wake = wake.into_iter().chain(until).min(),
                }
                if self.common.out_of_memory {
                    self.end(Signal::Kill.exit_code(), host, io);
                }
                if self.result.is_some() {
                    break;
                }
            }
            if progress {
                continue;
            }
            if self.busy && self.is_idle() {
                self.busy = false;
                return Poll::Exit(self.status());
            }
            return match wake {
                _ if yielded => Poll::Yield,
                Some(until) => Poll::SleepUntil(until),
                None => Poll::Wait,
            };
        }
    }

    fn run_slice<H: Host<Command = C>>(&mut self, pid: u32, host: &mut H, io: &mut Io, budget: &mut u32) -> Step {
        let Some(mut process) = self.processes.remove(&pid) else { return Step::Blocked(None) };
        let mut cx = Context { host, io, common: &mut self.common, spawned: Vec::new(), sent: Vec::new() };
        let mut outcome = Step::Blocked(None);
        for turn in 0..SLICE {
            let step = if *budget == 0 { break } else { process.step(&mut cx) };
            match step {
                Step::Ran => {
                    let moved = std::mem::take(&mut cx.common.files.moved) / cx.host.step_bytes();
                    let printed = std::mem::take(&mut cx.common.files.printed) / BYTES_A_STEP as u64;
                    let steps = 1 + moved.max(printed);
                    *budget = budget.saturating_sub(u32::try_from(steps).unwrap_or(u32::MAX));
                    outcome = Step::Ran;
                    if !cx.spawned.is_empty() || !cx.sent.is_empty() || cx.common.dirty {
                        break;
                    }
                }
                Step::Blocked(until) => {
                    if turn == 0 {
                        outcome = Step::Blocked(until.into_iter().chain(process.next_timeout()).min());
                    }
                    break;
                }
                other => {
                    outcome = if turn == 0 || matches!(other, Step::Ended(_)) { other } else { outcome };
                    break;
                }
            }
        }
        let (spawned, sent) = (cx.spawned, cx.sent);
        if let Step::Ended(status) = outcome {
            self.common.alive.remove(&pid);
            self.common.dirty = true;
            if pid == self.main {
                self.end(status, host, io);
                return outcome;
            }
            self.common.ended.insert(pid, status);
            while self.common.ended.len() > MAX_ENDED {
                self.common.ended.pop_first();
                self.common.killed.pop_first();
            }
        } else {
            self.processes.insert(pid, process);
        }
        self.processes.extend(spawned.into_iter().map(|process| (process.pid, process)));
        for (to, signal) in sent {
            if let Some(process) = self.processes.get_mut(&to) {
                process.pending.push(signal);
            }
        }
        self.sweep();
        outcome
    }

    /// Forgets files that no process holds; this is how readers of a pipe see its end.
    fn sweep(&mut self) {
        if std::mem::take(&mut self.common.dirty) {
            let mut held = SortedSet::new();
            self.processes.values().for_each(|process| process.held(&mut held));
            self.common.files.sweep(&held);
        }
    }

    /// The main process is over, and with it everything else.
    fn end<H: Host<Command = C>>(&mut self, status: i32, host: &mut H, io: &mut Io) {
        self.result = Some(status);
        let mut cx = Context { host, io, common: &mut self.common, spawned: Vec::new(), sent: Vec::new() };
        for process in self.processes.values_mut() {
            process.terminate(Signal::Kill, &mut cx);
        }
        self.processes.clear();
    }

    /// Sends a signal from outside: Ctrl-C of a terminal (`Int`), or the kubelet's `Term` and `Kill`.
    pub fn signal<H: Host<Command = C>>(&mut self, host: &mut H, io: &mut Io, signal: Signal) {
        if signal == Signal::Kill {
            return self.end(signal.exit_code(), host, io);
        }
        let main = self.main;
        if signal != Signal::Int || !self.processes.get(&main).is_some_and(|process| process.state.interactive) {
            self.processes.get_mut(&main).into_iter().for_each(|process| process.pending.push(signal));
            return;
        }
        let mut cx = Context { host, io, common: &mut self.common, spawned: Vec::new(), sent: Vec::new() };
        self.processes.retain(|pid, process| {
            let keep = *pid == main || process.background;
            if !keep {
                process.terminate(signal, &mut cx);
                cx.common.alive.remove(pid);
            }
            keep
        });
        if let Some(process) = self.processes.get_mut(&main) {
            process.interrupt(&mut cx);
        }
        self.common.dirty = true;
        self.sweep();
    }

    /// Gives an interactive shell its next line (or several, of one command). Variables, functions, the current
    /// directory and background jobs stay from line to line.
    pub fn feed_line(&mut self, line: &str) {
        if !line.trim().is_empty() {
            self.common.history.push(line.trim_end().to_string());
            let surplus = self.common.history.len().saturating_sub(MAX_HISTORY);
            self.common.history.drain(..surplus);
        }
        if let Some(process) = self.processes.get_mut(&self.main) {
            process.push_text(line, TextKind::Main);
            self.busy = true;
        }
    }

    /// Whether it is at its prompt.
    pub fn is_idle(&self) -> bool {
        self.processes.get(&self.main).is_some_and(Process::is_idle)
    }

    /// The exit code, once the shell itself has ended (`exit` in a terminal).
    pub fn ended(&self) -> Option<i32> {
        self.result
    }

    /// Whether it ended because it needed more memory than [`System::memory_limit_bytes`].
    pub fn was_out_of_memory(&self) -> bool {
        self.common.out_of_memory
    }

    /// `$?`
    pub fn status(&self) -> i32 {
        self.result.unwrap_or_else(|| self.processes.get(&self.main).map_or(0, |process| process.state.status))
    }

    /// Lines fed so far, oldest first.
    pub fn history(&self) -> &[String] {
        &self.common.history
    }

    /// The current directory.
    pub fn cwd(&self) -> &str {
        self.processes.get(&self.main).map_or("/", |process| &process.state.cwd)
    }

    /// The value of a variable, for prompts and completion.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.processes.get(&self.main).and_then(|process| process.state.get(name))
    }

    /// Names of the shell's own commands, functions and common commands, for completion.
    pub fn completions(&self) -> Vec<String> {
        let functions = self.processes.get(&self.main).into_iter().flat_map(|process| process.state.functions.keys());
        let mut names: Vec<String> = functions.cloned().collect();
        names.extend(builtins::NAMES.iter().map(|name| (*name).to_string()));
        names.extend(commands::names().map(str::to_string));
        names.sort();
        names.dedup();
        names
    }

    /// Bytes that variables, pipes and captured output take.
    pub fn memory_bytes(&self) -> u64 {
        self.processes.values().map(Process::memory_bytes).sum::<u64>() + self.common.files.memory_bytes()
    }
}
