//! Frames that wait for programs: children, substitutions, common commands with a state, commands of the host.

use super::{Context, Frame, Nested, Process, Step};
use crate::commands::{self, Advance, Call};
use crate::expand::MAX_BYTES;
use crate::files::OpenId;
use crate::host::Host;
use crate::process::{Io, Poll, Read, Signal};
use crate::state::State;
use crate::syntax::Dialect;
use crate::syntax::ast::Script;

/// Bytes handed to a command at a time.
const CHUNK: usize = 16 * 1024;

impl<C: Clone + std::fmt::Debug> Process<C> {
    pub(crate) fn step_children<H: Host<Command = C>>(&mut self, pids: Vec<u32>, cx: &mut Context<'_, H>) -> Step {
        if !pids.iter().all(|pid| cx.common.ended.contains_key(pid)) {
            self.frames.push(Frame::Children { pids });
            return Step::Blocked(None);
        }
        let statuses: Vec<i32> = pids.iter().filter_map(|pid| cx.common.ended.remove(pid)).collect();
        self.report_deaths(&pids, cx);
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
                Some(Signal::Term) => "Terminated\n",
                Some(Signal::Kill) => "Killed\n",
                _ => continue,
            };
            if self.state.dialect == Dialect::Ash && !under_timeout {
                self.write(2, text.as_bytes(), cx);
            }
        }
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
        self.state.status = status;
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
            true => Some(cx.common.files.read(self.descriptor(0), CHUNK, cx.io)),
            false => None,
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
        };
        let advance = state.advance(input, &mut call);
        let (chunks, work_bytes) = (call.output.take(), call.work_bytes);
        cx.common.files.moved += work_bytes as u64;
        if !self.write_chunks(chunks, cx) {
            self.broken_pipe(cx);
            return Step::Ran;
        }
        match advance {
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
