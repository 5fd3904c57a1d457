//! The interpreter: processes made of explicit frames, so that a script can stop at any command, be copied, and go on.
//!
//! A shell is several processes: the main one, and one for each subshell, pipeline stage, background job and command
//! substitution. Each has a stack of [`Frame`]s. The frame on top does one step at a time; when it is done it leaves
//! its exit code in `$?` and is popped, and the frame below looks at `$?` and goes on.

mod arrays;
mod compound;
mod control;
pub(super) mod launch;
mod nested;
mod redirect;
mod run;
mod signals;
mod simple;

use std::rc::Rc;

use super::commands;
use super::expand::{Expander, Halt};
use super::files::{Files, OpenId};
use super::host::{Host, System};
use super::process::{Io, Signal, Stream};
use super::state::{Event, State};
use super::syntax::Dialect;
use super::syntax::ast::{Chain, Command, Script};
use super::variables::Var;
use values::sorted::{SortedMap, SortedSet};
use values::time::SimTime;

pub(super) use nested::{Nested, Xargs};
pub(crate) use run::death;

/// Frames of one process: function calls deeper than this end with an error.
const MAX_FRAMES: usize = 12_000;
/// Processes of one shell at a time.
const MAX_PROCESSES: usize = 2048;

/// Changed variables with what they were before.
pub(super) type Saved = Vec<(String, Option<Var>)>;

/// What a text that is being run belongs to, and what to put back after it.
#[derive(Clone, Debug)]
pub(super) enum TextKind {
    Main,
    Eval,
    /// What an alias stands for.
    Alias,
    /// `. file args`: the positional parameters before it, if it was given its own.
    Sourced {
        positional: Option<Vec<String>>,
    },
    /// A trap's action keeps `$?`.
    Trap {
        status: i32,
        event: Event,
    },
}

#[derive(Clone, Debug)]
pub(super) enum Frame<C> {
    /// A text that is parsed and run line by line.
    Text {
        source: Rc<Vec<char>>,
        at: usize,
        line: u32,
        kind: TextKind,
    },
    List {
        script: Rc<Script>,
        next: usize,
    },
    /// `a && b || c`; `ran_last`: whether the last one run is the last of the chain.
    Chain {
        chain: Rc<Chain>,
        next: usize,
        ran_last: bool,
    },
    Negate,
    Timed {
        since: SimTime,
        portable: bool,
    },
    /// Leaves once what is above it is done: `set -e` after an ERR trap.
    Leaves(Leave),
    /// Assigns the lists that a built-in such as `declare` stands before.
    Declared(Vec<Listed>),
    /// A command to start; `known`: outputs of its substitutions so far.
    Command {
        command: Rc<Command>,
        known: Vec<String>,
    },
    /// Redirections to undo.
    Redirected {
        saved: Vec<(u32, Option<OpenId>)>,
    },
    If {
        command: Rc<Command>,
        branch: usize,
    },
    Loop {
        command: Rc<Command>,
        testing: bool,
        status: i32,
    },
    For {
        command: Rc<Command>,
        words: Vec<String>,
        next: usize,
    },
    CountedFor {
        command: Rc<Command>,
        phase: Phase,
    },
    /// A function call: its positional parameters and `local` variables to undo.
    Call {
        positional: Vec<String>,
        locals: Saved,
        /// The RETURN trap has run.
        trapped: bool,
    },
    /// Assignments in front of a built-in or function, to undo.
    Restore(Saved),
    /// A foreground pipeline, subshell or nested shell.
    Children {
        pids: Vec<u32>,
        /// `shopt -s lastpipe`: the last command ran here, and this frame waits below it.
        last_here: bool,
        pipeline: bool,
    },
    /// `select`: the menu, and the line that is read.
    Select {
        command: Rc<Command>,
        words: Vec<String>,
        reading: bool,
    },
    /// A program that a command runs, whose output it wants.
    Request {
        pid: Option<u32>,
        from: Option<OpenId>,
        bytes: Vec<u8>,
        state: commands::State,
    },
    /// The output of a substitution being collected.
    Capture {
        pid: u32,
        from: OpenId,
        bytes: Vec<u8>,
        total: u64,
    },
    /// The built-in `wait`.
    Wait {
        pids: Vec<u32>,
        all: bool,
        /// `-n`: the first one that ends.
        any: bool,
    },
    ReadLine(super::builtins::ReadLine),
    MapFile(super::builtins::MapFile),
    /// A command that has to wait for the rest of a pipe.
    Again {
        words: Vec<String>,
    },
    Local(commands::State),
    External {
        command: C,
        io: Io,
    },
    Nested(Nested),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    Start,
    Test,
    Body,
}

/// One process of a shell.
#[derive(Clone, Debug)]
pub(super) struct Process<C> {
    pub pid: u32,
    pub state: State,
    pub frames: Vec<Frame<C>>,
    pub descriptors: SortedMap<u32, OpenId>,
    pub pending: Vec<Signal>,
    /// Set by `exit`; the EXIT trap may still have to run.
    pub exiting: Option<i32>,
    /// Started with `&`, directly or by an ancestor: Ctrl-C does not reach it.
    pub background: bool,
    /// A container's first process: signals without a trap do nothing.
    pub first: bool,
    /// Status of the last substitution of the command being expanded.
    pub substitution_status: Option<i32>,
    /// Who started it.
    pub parent: u32,
}

/// A list to assign, with its subscripts known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Listed {
    pub name: String,
    pub append: bool,
    pub elements: Vec<(Option<String>, bool, String)>,
}

/// What the processes of a shell share.
#[derive(Clone, Debug, Default)]
pub(super) struct Common {
    pub files: Files,
    /// Exit codes of processes that ended and may be waited for.
    pub ended: SortedMap<u32, i32>,
    /// Those of them that a signal ended.
    pub killed: SortedMap<u32, Signal>,
    pub next_pid: u32,
    pub history: Vec<String>,
    /// Bytes beyond what is kept, of a substitution whose output is too large.
    pub out_of_memory: bool,
    pub alive: SortedSet<u32>,
    /// The command lines of processes, as `ps` shows them.
    pub names: SortedMap<u32, String>,
    /// Whether descriptors were closed since files were last swept.
    pub dirty: bool,
}

/// Everything around the process that is stepping.
pub(super) struct Context<'a, H: Host> {
    pub host: &'a mut H,
    pub io: &'a mut Io,
    pub common: &'a mut Common,
    pub spawned: Vec<Process<H::Command>>,
    pub sent: Vec<(u32, Signal)>,
}

/// What a step came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    Ran,
    /// Cannot go on before this moment, or before something happens.
    Blocked(Option<SimTime>),
    /// Wants virtual time to pass.
    Yielded,
    Ended(i32),
}

/// Leaving several frames at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Leave {
    Break(usize),
    Continue(usize),
    Return(i32),
    Exit(i32),
    /// An error: a script ends, a terminal goes back to its prompt.
    Abort(i32),
}

impl<C: Clone + std::fmt::Debug> Process<C> {
    /// One step of the frame on top.
    pub fn step<H: Host<Command = C>>(&mut self, cx: &mut Context<'_, H>) -> Step {
        if let Some(step) = self.handle_signals(cx) {
            return step;
        }
        self.fire_timeouts(cx);
        if self.frames.len() > MAX_FRAMES {
            self.complain(cx, None, "maximum function nesting level exceeded");
            self.leave(Leave::Abort(2), cx);
            return Step::Ran;
        }
        let Some(frame) = self.frames.pop() else { return self.finish() };
        match frame {
            Frame::Text { source, at, line, kind } => self.step_text(source, at, line, kind, cx),
            Frame::List { script, next } => self.step_list(script, next, cx),
            Frame::Chain { chain, next, ran_last } => self.step_chain(chain, next, ran_last, cx),
            Frame::Negate => {
                self.state.pipe_status.clear();
                self.state.pipe_status.push(self.state.status);
                self.state.status = i32::from(self.state.status == 0);
                Step::Ran
            }
            Frame::Timed { since, portable } => self.report_time(since, portable, cx),
            Frame::Leaves(leave) => {
                self.leave(leave, cx);
                Step::Ran
            }
            Frame::Declared(lists) => {
                self.assign_lists(lists, true, cx);
                Step::Ran
            }
            Frame::Command { command, known } => self.step_command(command, known, cx),
            Frame::Redirected { saved } => {
                self.undo_redirects(saved, cx);
                Step::Ran
            }
            Frame::If { command, branch } => self.step_if(command, branch),
            Frame::Loop { command, testing, status } => self.step_loop(command, testing, status),
            Frame::For { command, words, next } => self.step_for(command, words, next, cx),
            Frame::CountedFor { command, phase } => self.step_counted(command, phase),
            Frame::Call { positional, locals, trapped } => self.step_call(positional, locals, trapped),
            Frame::Select { command, words, reading } => self.step_select(command, words, reading, cx),
            Frame::Request { pid, from, bytes, state } => self.step_request(pid, from, bytes, state, cx),
            Frame::Restore(saved) => {
                self.restore(saved);
                Step::Ran
            }
            Frame::Children { pids, last_here, pipeline } => self.step_children(pids, last_here, pipeline, cx),
            Frame::Capture { pid, from, bytes, total } => self.step_capture(pid, from, bytes, total, cx),
            Frame::Wait { pids, all, any } => self.step_wait(pids, all, any, cx),
            Frame::ReadLine(read) => self.step_read(read, cx),
            Frame::MapFile(map) => self.step_mapfile(map, cx),
            Frame::Again { words } => {
                self.run_words(words.clone(), false, cx);
                match self.frames.last() {
                    Some(Frame::Again { .. }) => Step::Blocked(None),
                    _ => Step::Ran,
                }
            }
            Frame::Local(state) => self.step_local(state, cx),
            Frame::External { command, io } => self.step_external(command, io, cx),
            Frame::Nested(nested) => self.step_nested(nested, cx),
        }
    }

    /// No frame is left: the EXIT trap runs, then the process ends.
    fn finish(&mut self) -> Step {
        if self.state.interactive && self.exiting.is_none() && self.pid == self.state.pid {
            return Step::Blocked(None);
        }
        let status = self.exiting.unwrap_or(self.state.status);
        match self.state.traps.remove(&Event::Exit) {
            Some(action) if !action.is_empty() => {
                self.exiting = Some(status);
                self.state.status = status;
                self.push_text(&action, TextKind::Trap { status, event: Event::Exit });
                Step::Ran
            }
            _ => Step::Ended(status),
        }
    }

    pub fn push_text(&mut self, text: &str, kind: TextKind) {
        let line = if matches!(kind, TextKind::Main | TextKind::Sourced { .. }) { 1 } else { self.state.line.max(1) };
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        self.frames.push(Frame::Text { source: Rc::new(text.chars().collect()), at: 0, line, kind });
    }

    /// Whether this process is the shell of a terminal that is at its prompt.
    pub fn is_idle(&self) -> bool {
        self.frames.is_empty() && self.exiting.is_none()
    }

    pub fn descriptor(&self, fd: u32) -> Option<OpenId> {
        self.descriptors.get(&fd).copied()
    }

    /// Everything it holds open, also in redirections that will be undone.
    pub fn held(&self, into: &mut SortedSet<OpenId>) {
        into.extend(self.descriptors.values().copied());
        for frame in &self.frames {
            match frame {
                Frame::Redirected { saved } => into.extend(saved.iter().filter_map(|(_, id)| *id)),
                Frame::Capture { from, .. } | Frame::Request { from: Some(from), .. } => {
                    into.insert(*from);
                }
                _ => {}
            }
        }
    }

    /// Writes an error message of the shell itself to its standard error.
    pub fn complain<H: Host<Command = C>>(&mut self, cx: &mut Context<'_, H>, builtin: Option<&str>, message: &str) {
        let text = format!("{}{message}\n", self.state.prefix(builtin));
        let _ = self.write(2, text.as_bytes(), cx);
    }

    /// Writes to a descriptor; false if its reader is gone.
    pub fn write<H: Host<Command = C>>(&mut self, fd: u32, bytes: &[u8], cx: &mut Context<'_, H>) -> bool {
        cx.common.files.write(self.descriptor(fd), bytes, cx.host, cx.io).is_ok()
    }

    /// Writes what a command printed, in its order; false if a reader is gone.
    fn write_chunks<H: Host<Command = C>>(
        &mut self,
        chunks: Vec<super::process::Chunk>,
        cx: &mut Context<'_, H>,
    ) -> bool {
        let mut intact = true;
        for chunk in chunks {
            let fd = if chunk.stream == Stream::Stdout { 1 } else { 2 };
            intact &= self.write(fd, &chunk.bytes, cx);
        }
        intact
    }

    /// Expands something, or starts the substitution that it needs first.
    ///
    /// `None`: a substitution was started; `again` is on the stack below it and will be stepped with what it printed.
    /// An error has been reported and the script is being left.
    pub fn expand<H: Host<Command = C>, T>(
        &mut self,
        again: &Rc<Command>,
        known: &[String],
        has_substitution: bool,
        cx: &mut Context<'_, H>,
        work: impl FnOnce(&mut Expander<'_>) -> Result<T, Halt>,
    ) -> Option<T> {
        let before = has_substitution.then(|| self.state.clone());
        let mut expander = Expander::new(&mut self.state, cx.host, known);
        let result = work(&mut expander);
        cx.common.files.moved += expander.work as u64;
        match (result, before) {
            (Err(Halt::Connect { script, writes }), Some(before)) => {
                self.state = before;
                let mut known = known.to_vec();
                self.start_connected(script, writes, &mut known, cx);
                self.frames.push(Frame::Command { command: again.clone(), known });
                None
            }
            (Err(Halt::Connect { .. }), None) => {
                self.fail("process substitution is not possible here", cx);
                None
            }
            (Ok(value), _) => Some(value),
            (Err(Halt::Substitute(script)), Some(before)) => {
                let inner = std::mem::replace(&mut self.state, before);
                self.frames.push(Frame::Command { command: again.clone(), known: known.to_vec() });
                self.start_capture(inner, script, cx);
                None
            }
            (Err(Halt::Substitute(_)), None) => {
                self.fail("command substitution is not possible here", cx);
                None
            }
            (Err(Halt::Status(status)), _) => {
                self.state.status = status;
                None
            }
            (Err(Halt::Fail(message)), _) => {
                self.fail(&message, cx);
                None
            }
        }
    }

    /// An expansion failed: the message, and the script ends.
    pub fn fail<H: Host<Command = C>>(&mut self, message: &str, cx: &mut Context<'_, H>) {
        self.complain(cx, None, message);
        let status = if self.state.dialect.is_bash() { 1 } else { 2 };
        // `${x?}` and `set -u` end a bash script with 127 when it is no terminal's.
        self.leave(Leave::Abort(status), cx);
    }

    /// A copy of this process that will run `frames`; `None` (and a message) if there are too many already.
    pub fn fork<H: Host<Command = C>>(
        &mut self,
        state: Option<State>,
        frames: Vec<Frame<C>>,
        cx: &mut Context<'_, H>,
    ) -> Option<u32> {
        if cx.common.alive.len() >= MAX_PROCESSES {
            let message = match self.state.dialect {
                Dialect::Ash => "can't fork: Resource temporarily unavailable",
                Dialect::Dash => "Cannot fork",
                Dialect::Bash => "fork: retry: Resource temporarily unavailable",
            };
            self.complain(cx, None, message);
            return None;
        }
        let errexit_ignored = self.is_tested();
        let mut state = state.unwrap_or_else(|| self.state.clone());
        state.errexit_ignored = errexit_ignored;
        let traced = state.flags.errtrace;
        state.traps.retain(|event, action| action.is_empty() || traced && *event == Event::Error);
        state.jobs.clear();
        state.subshells += 1;
        cx.common.next_pid += 1;
        let pid = cx.common.next_pid;
        cx.common.alive.insert(pid);
        state.own_pid = pid;
        cx.spawned.push(Process {
            pid,
            state,
            frames,
            descriptors: self.descriptors.clone(),
            pending: Vec::new(),
            exiting: None,
            background: self.background,
            first: false,
            substitution_status: None,
            parent: self.pid,
        });
        Some(pid)
    }

    /// Bytes this process holds.
    pub fn memory_bytes(&self) -> u64 {
        let captured: u64 =
            self.frames.iter().map(|frame| if let Frame::Capture { total, .. } = frame { *total } else { 0 }).sum();
        self.state.memory_bytes() + captured
    }
}

/// The host as the machine that commands see.
pub(super) fn system<H: Host>(host: &mut H) -> &mut dyn System {
    host
}
