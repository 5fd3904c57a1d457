//! Frames that wait for programs: children, substitutions, common commands with a state, commands of the host.

use super::{Context, Frame, Nested, Process, Step};
use crate::commands::{self, Advance, Call};
use crate::expand::MAX_BYTES;
use crate::files::OpenId;
use crate::host::Host;
use crate::process::{Io, Poll, Read, Signal};
use crate::state::State;
use crate::syntax::ast::Script;

/// What a shell says of a process that a signal ended.
pub(crate) fn death(signal: Signal) -> &'static str {
    match signal {
        Signal::Hup => "Hangup\n",
        Signal::Quit => "Quit\n",
        Signal::Kill => "Killed\n",
        Signal::Usr1 => "User defined signal 1\n",
        Signal::Usr2 => "User defined signal 2\n",
        Signal::Alrm => "Alarm clock\n",
        Signal::Term => "Terminated\n",
        _ => "",
    }
}

/// Bytes handed to a command at a time.
const CHUNK: usize = 16 * 1024;

impl<C: Clone + std::fmt::Debug> Process<C> {
    pub(crate) fn step_children<H: Host<Command = C>>(
        &mut self,
        pids: Vec<u32>,
        last_here: bool,
        pipeline: bool,
        cx: &mut Context<'_, H>,
    ) -> Step {
        if !pids.iter().all(|pid| cx.common.ended.contains_key(pid)) {
            self.frames.push(Frame::Children { pids, last_here, pipeline });
            return Step::Blocked(None);
        }
        let mut statuses: Vec<i32> = pids.iter().filter_map(|pid| cx.common.ended.remove(pid)).collect();
        statuses.extend(last_here.then_some(self.state.status));
        self.report_deaths(&pids, cx);
        if pipeline {
            self.state.pipe_status.clone_from(&statuses);
        }
        let failed = statuses.iter().rev().find(|status| **status != 0).copied();
        let last = statuses.last().copied().unwrap_or(0);
        self.state.status = if self.state.flags.pipefail { failed.unwrap_or(0) } else { last };
        Step::Ran
    }

    /// ash says how a foreground process died; under `timeout` that is said once, by the caller.
    fn report_deaths<H: Host<Command = C>>(&mut self, pids: &[u32], cx: &mut Context<'_, H>) {
        let under_timeout = self.frames.iter().any(|frame| matches!(frame, Frame::Nested(Nested::Timeout { .. })));
        for pid in pids {
            let text = match cx.common.killed.remove(pid) {
                Some(signal) => death(signal),
                None => continue,
            };
            if !self.state.dialect.is_bash() && !under_timeout {
                self.write(2, text.as_bytes(), cx);
            }
        }
    }

    /// Starts the process of `<(…)` or `>(…)`; the pipe's path is learnt, and the pipe stays open until the command ends.
    pub(crate) fn start_connected<H: Host<Command = C>>(
        &mut self,
        script: std::rc::Rc<Script>,
        writes: bool,
        known: &mut Vec<String>,
        cx: &mut Context<'_, H>,
    ) {
        let (reader, writer) = cx.common.files.pipe();
        let frames = vec![Frame::List { script, next: 0 }];
        let (own, theirs, place) = if writes { (writer, reader, 0) } else { (reader, writer, 1) };
        let number = (0..64).rev().find(|fd| !self.descriptors.contains_key(fd)).unwrap_or(63);
        if self.fork(None, frames, cx).is_none() {
            return;
        }
        if let Some(child) = cx.spawned.last_mut() {
            child.descriptors.insert(place, theirs);
            child.state.errexit_ignored = false;
            child.state.interactive = false;
            child.background = true;
        }
        let before = self.descriptors.insert(number, own);
        self.frames.push(Frame::Redirected { saved: vec![(number, before)] });
        known.push(format!("/dev/fd/{number}"));
    }

    /// Starts a substitution in its own process, whose output a [`Frame::Capture`] collects.
    pub(crate) fn start_capture<H: Host<Command = C>>(
        &mut self,
        state: State,
        script: std::rc::Rc<Script>,
        cx: &mut Context<'_, H>,
    ) {
        let (reader, writer) = cx.common.files.pipe();
        let frames = vec![Frame::List { script, next: 0 }];
        let Some(pid) = self.fork(Some(state), frames, cx) else {
            return self.leave(super::Leave::Abort(2), cx);
        };
        if let Some(child) = cx.spawned.last_mut() {
            child.descriptors.insert(1, writer);
            child.state.errexit_ignored = false;
            child.state.interactive = false;
            child.state.trace_depth += 1;
            // bash forgets `set -e` in substitutions, unless it is told otherwise.
            if child.state.dialect.is_bash() && !child.state.flags.inherit_errexit {
                child.state.flags.errexit = false;
            }
        }
        self.frames.push(Frame::Capture { pid, from: reader, bytes: Vec::new(), total: 0 });
    }

    pub(crate) fn step_capture<H: Host<Command = C>>(
        &mut self,
        pid: u32,
        from: OpenId,
        mut bytes: Vec<u8>,
        mut total: u64,
        cx: &mut Context<'_, H>,
    ) -> Step {
        match cx.common.files.read(Some(from), CHUNK * 4, cx.io) {
            Read::Data(data) => {
                total += data.len() as u64;
                if bytes.len() <= MAX_BYTES {
                    bytes.extend_from_slice(&data);
                }
                if cx.host.memory_limit_bytes().is_some_and(|limit| total > limit) {
                    cx.common.out_of_memory = true;
                }
                self.frames.push(Frame::Capture { pid, from, bytes, total });
                return Step::Ran;
            }
            Read::Empty => {
                self.frames.push(Frame::Capture { pid, from, bytes, total });
                return Step::Blocked(None);
            }
            Read::End => {}
        }
        let Some(status) = cx.common.ended.remove(&pid) else {
            self.frames.push(Frame::Capture { pid, from, bytes, total });
            return Step::Blocked(None);
        };
        cx.common.dirty = true;
        if total > MAX_BYTES as u64 {
            self.frames.pop();
            self.fail("expansion too large: out of memory", cx);
            return Step::Ran;
        }
        bytes.retain(|byte| *byte != 0);
        let text = String::from_utf8_lossy(&bytes);
        self.substitution_status = Some(status);
        if self.state.dialect.is_bash() {
            self.state.status = status;
        }
        if let Some(Frame::Command { known, .. }) = self.frames.last_mut() {
            known.push(text.trim_end_matches('\n').to_string());
        }
        Step::Ran
    }

    /// The reader of this process' output is gone: it ends as SIGPIPE would end it.
    pub(crate) fn broken_pipe<H: Host<Command = C>>(&mut self, cx: &mut Context<'_, H>) {
        self.state.traps.clear();
        self.leave(super::Leave::Exit(Signal::Pipe.exit_code()), cx);
    }

    /// What a command wrote could not be written: its reader is gone, or the device is full.
    pub(crate) fn broken_output<H: Host<Command = C>>(&mut self, name: &str, cx: &mut Context<'_, H>) {
        if !std::mem::take(&mut cx.common.files.full) {
            return self.broken_pipe(cx);
        }
        let text = "write error: No space left on device";
        let builtin = matches!(name, "echo" | "printf");
        match (builtin, self.state.dialect.is_bash()) {
            (true, bash) => self.complain(cx, Some(name).filter(|_| bash), text),
            (false, _) => {
                self.write(2, format!("{name}: {text}\n").as_bytes(), cx);
            }
        }
        self.state.status = 1;
    }

    /// Runs the program that a command asked for.
    fn start_request<H: Host<Command = C>>(
        &mut self,
        request: commands::Request,
        state: commands::State,
        cx: &mut Context<'_, H>,
    ) {
        let pipe = request.captured.then(|| cx.common.files.pipe());
        let mut frames = Vec::new();
        let before = self.frames.len();
        match &request.argv[..] {
            [shell, c, script] if shell == "sh" && c == "-c" => {
                let mut inner = self.state.clone();
                inner.traps.clear();
                inner.flags = crate::state::Flags::of(inner.dialect);
                let Some(pid) = self.fork(Some(inner), Vec::new(), cx) else { return };
                if let Some(child) = cx.spawned.last_mut() {
                    child.push_text(script, super::TextKind::Main);
                }
                frames.push(pid);
            }
            argv => {
                let Some(pid) = self.fork(None, Vec::new(), cx) else { return };
                if let Some(child) = cx.spawned.last_mut() {
                    child.frames.push(Frame::Nested(Nested::Env {
                        argv: argv.to_vec(),
                        set: request.env.clone(),
                        unset: Vec::new(),
                        clear: false,
                        started: false,
                    }));
                }
                frames.push(pid);
            }
        }
        debug_assert_eq!(before, self.frames.len(), "a request starts nothing in its own process");
        let input = request.input.map(|bytes| cx.common.files.add(crate::files::Open::Bytes { bytes, at: 0 }));
        if let Some(child) = cx.spawned.last_mut() {
            child.state.errexit_ignored = false;
            child.state.interactive = false;
            if let Some(cwd) = request.cwd {
                child.state.cwd = cwd;
            }
            if let Some((_, writer)) = pipe {
                child.descriptors.insert(1, writer);
            }
            if let Some(input) = input {
                child.descriptors.insert(0, input);
            }
        }
        let from = pipe.map(|(reader, _)| reader);
        self.frames.push(Frame::Request { pid: frames.first().copied(), from, bytes: Vec::new(), state });
    }

    pub(crate) fn step_request<H: Host<Command = C>>(
        &mut self,
        pid: Option<u32>,
        from: Option<OpenId>,
        mut bytes: Vec<u8>,
        mut state: commands::State,
        cx: &mut Context<'_, H>,
    ) -> Step {
        if let Some(from) = from {
            match cx.common.files.read(Some(from), CHUNK * 4, cx.io) {
                Read::Data(data) => {
                    if bytes.len() <= MAX_BYTES {
                        bytes.extend_from_slice(&data);
                    }
                    self.frames.push(Frame::Request { pid, from: Some(from), bytes, state });
                    return Step::Ran;
                }
                Read::Empty => {
                    self.frames.push(Frame::Request { pid, from: Some(from), bytes, state });
                    return Step::Blocked(None);
                }
                Read::End => {}
            }
        }
        let Some(status) = pid.and_then(|pid| cx.common.ended.remove(&pid)) else {
            self.frames.push(Frame::Request { pid, from, bytes, state });
            return Step::Blocked(None);
        };
        cx.common.dirty = true;
        state.answer(status, bytes);
        self.frames.push(Frame::Local(state));
        Step::Ran
    }

    /// What stops a command before it may run: a full pipe or output.
    fn output_blocked<H: Host<Command = C>>(&self, cx: &Context<'_, H>) -> Option<Step> {
        if cx.io.output.is_full() {
            return Some(Step::Yielded);
        }
        let full = [1, 2].into_iter().any(|fd| cx.common.files.is_full(self.descriptor(fd), cx.io));
        full.then_some(Step::Blocked(None))
    }

    pub(crate) fn step_local<H: Host<Command = C>>(
        &mut self,
        mut state: commands::State,
        cx: &mut Context<'_, H>,
    ) -> Step {
        if let Some(step) = self.output_blocked(cx) {
            self.frames.push(Frame::Local(state));
            return step;
        }
        let input = match state.wants_input() {
            Some(fd) => Some(cx.common.files.read(self.descriptor(fd), CHUNK, cx.io)),
            None => None,
        };
        let to_terminal = self.to_terminal(cx);
        let mut call = Call {
            args: &[],
            name: "",
            state: &self.state,
            system: super::system(cx.host),
            output: Default::default(),
            history: &cx.common.history,
            to_terminal,
            work_bytes: 0,
            processes: &[],
            unread: Vec::new(),
        };
        let advance = state.advance(input, &mut call);
        let (chunks, work_bytes, unread) = (call.output.take(), call.work_bytes, std::mem::take(&mut call.unread));
        cx.common.files.moved += work_bytes as u64;
        if !unread.is_empty() {
            cx.common.files.unread(self.descriptor(0), &unread, cx.io);
        }
        if !self.write_chunks(chunks, cx) {
            self.broken_output(state.name(), cx);
            return Step::Ran;
        }
        match advance {
            Advance::Request(request) => {
                self.start_request(request, state, cx);
                Step::Ran
            }
            Advance::Done(status) => {
                self.state.status = status;
                Step::Ran
            }
            Advance::More => {
                self.frames.push(Frame::Local(state));
                Step::Ran
            }
            Advance::Blocked(until) => {
                self.frames.push(Frame::Local(state));
                Step::Blocked(until)
            }
        }
    }

    pub(crate) fn step_external<H: Host<Command = C>>(
        &mut self,
        mut command: C,
        mut io: Io,
        cx: &mut Context<'_, H>,
    ) -> Step {
        if let Some(step) = self.output_blocked(cx) {
            self.frames.push(Frame::External { command, io });
            return step;
        }
        let mut progress = false;
        if io.stdin.is_empty() && !io.stdin.is_closed() {
            match cx.common.files.read(self.descriptor(0), CHUNK, cx.io) {
                Read::Data(bytes) => {
                    io.stdin.push(&bytes);
                    progress = true;
                }
                Read::End => io.stdin.close(),
                Read::Empty => {}
            }
        }
        let mut poll = cx.host.poll(&mut command, &mut io);
        // It has seen what there is and wants more: it reads to the end before it does anything.
        while poll == Poll::Wait && !io.stdin.is_empty() && !io.stdin.is_closed() && io.output.is_empty() {
            match cx.common.files.read(self.descriptor(0), CHUNK, cx.io) {
                Read::Data(bytes) => io.stdin.push(&bytes),
                Read::End => io.stdin.close(),
                Read::Empty => break,
            }
            poll = cx.host.poll(&mut command, &mut io);
        }
        progress |= !io.output.is_empty();
        let chunks = io.output.take();
        if !self.write_chunks(chunks, cx) {
            cx.host.signal(&mut command, Signal::Kill);
            self.broken_pipe(cx);
            return Step::Ran;
        }
        if let Poll::Exit(status) = poll {
            let unread = io.stdin.take();
            cx.common.files.unread(self.descriptor(0), &unread, cx.io);
            self.state.status = status;
            return Step::Ran;
        }
        self.frames.push(Frame::External { command, io });
        match poll {
            _ if progress => Step::Ran,
            Poll::SleepUntil(until) => Step::Blocked(Some(until)),
            Poll::Yield => Step::Yielded,
            _ => Step::Blocked(None),
        }
    }
}
