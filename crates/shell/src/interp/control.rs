//! Texts, lists, chains and pipelines, and leaving them: `break`, `return`, `exit`, errors, `set -e`.

use std::rc::Rc;

use super::{Context, Frame, Leave, Phase, Process, Saved, Step, TextKind};
use crate::files::Open;
use crate::host::Host;
use crate::process::Signal;
use crate::state::{Event, Job};
use crate::syntax::ast::{Chain, Connector, Kind, Pipeline, Script};
use crate::syntax::{Parser, SyntaxError};
use values::time::SimTime;

impl<C: Clone + std::fmt::Debug> Process<C> {
    pub(crate) fn step_text<H: Host<Command = C>>(
        &mut self,
        source: Rc<Vec<char>>,
        at: usize,
        line: u32,
        kind: TextKind,
        cx: &mut Context<'_, H>,
    ) -> Step {
        let extended = self.state.flags.extglob;
        let mut parser = Parser::new(&source, at, line, self.state.dialect).with_extended_patterns(extended);
        let parsed = parser.next_line();
        let (at, line) = parser.position();
        match parsed {
            Ok(Some(script)) => {
                if self.state.flags.noexec {
                    self.frames.push(Frame::Text { source, at, line, kind });
                    return Step::Ran;
                }
                self.frames.push(Frame::Text { source, at, line, kind });
                self.frames.push(Frame::List { script, next: 0 });
            }
            Ok(None) => self.end_text(kind),
            Err(error) => {
                self.report_syntax_error(&error, &source, cx);
                self.leave(Leave::Abort(2), cx);
            }
        }
        Step::Ran
    }

    fn end_text(&mut self, kind: TextKind) {
        match kind {
            TextKind::Sourced { positional: Some(positional) } => self.state.positional = positional,
            TextKind::Trap { status, .. } => self.state.status = status,
            _ => {}
        }
    }

    fn report_syntax_error<H: Host<Command = C>>(
        &mut self,
        error: &SyntaxError,
        source: &[char],
        cx: &mut Context<'_, H>,
    ) {
        self.state.line = error.line;
        if !self.state.dialect.is_bash() || self.state.interactive {
            return self.complain(cx, None, &error.message);
        }
        let from = if self.state.named { "" } else { "-c: " };
        let place = format!("{}: {from}line {}: ", self.state.name, error.line);
        let mut text = format!("{place}{}\n", error.message);
        if error.message.contains("near unexpected token") {
            let text_line: String =
                source.split(|c| *c == '\n').nth(error.line.saturating_sub(1) as usize).unwrap_or(&[]).iter().collect();
            text.push_str(&format!("{place}`{text_line}'\n"));
        }
        self.write(2, text.as_bytes(), cx);
    }

    pub(crate) fn step_list<H: Host<Command = C>>(
        &mut self,
        script: Rc<Script>,
        next: usize,
        cx: &mut Context<'_, H>,
    ) -> Step {
        let Some(item) = script.items.get(next).cloned() else { return Step::Ran };
        self.frames.push(Frame::List { script, next: next + 1 });
        let chain = Frame::Chain { chain: item.chain.clone(), next: 0, ran_last: false };
        if item.background {
            self.start_background(chain, item.text, cx);
        } else {
            self.frames.push(chain);
        }
        Step::Ran
    }

    fn start_background<H: Host<Command = C>>(&mut self, chain: Frame<C>, text: Rc<str>, cx: &mut Context<'_, H>) {
        let Some(pid) = self.fork(None, vec![chain], cx) else {
            return self.leave(Leave::Abort(2), cx);
        };
        let null = cx.common.files.add(Open::Null);
        if let Some(child) = cx.spawned.last_mut() {
            child.background = true;
            child.state.errexit_ignored = false;
            child.descriptors.insert(0, null);
        }
        cx.common.names.insert(pid, text.to_string());
        let number = self.state.jobs.iter().map(|job| job.number).max().unwrap_or(0) + 1;
        self.state.jobs.push(Job { number, pid, text });
        self.state.last_background = Some(pid);
        self.state.status = 0;
        if self.state.interactive && self.is_prompt() {
            self.write(2, format!("[{number}] {pid}\n").as_bytes(), cx);
        }
    }

    /// Whether this is the shell that shows the prompt, and not one of its subshells.
    pub(crate) fn is_prompt(&self) -> bool {
        self.state.interactive && self.pid == self.state.pid
    }

    pub(crate) fn step_chain<H: Host<Command = C>>(
        &mut self,
        chain: Rc<Chain>,
        mut next: usize,
        ran_last: bool,
        cx: &mut Context<'_, H>,
    ) -> Step {
        if let Some(before) = next.checked_sub(1) {
            let before = before.checked_sub(1).and_then(|at| chain.rest.get(at)).map_or(&chain.first, |(_, it)| it);
            if before.commands.len() == 1 && !before.negated {
                self.state.pipe_status.clear();
                self.state.pipe_status.push(self.state.status);
            }
        }
        let pipeline = loop {
            if next == 0 {
                break chain.first.clone();
            }
            let Some((connector, pipeline)) = chain.rest.get(next - 1) else {
                return self.end_chain(&chain, ran_last, cx);
            };
            if (*connector == Connector::And) == (self.state.status == 0) {
                break pipeline.clone();
            }
            next += 1;
        };
        let ran_last = next == chain.rest.len();
        self.frames.push(Frame::Chain { chain, next: next + 1, ran_last });
        if pipeline.timed {
            self.frames.push(Frame::Timed { since: cx.host.now(), portable: pipeline.portable });
        }
        if pipeline.negated {
            self.frames.push(Frame::Negate);
        }
        match pipeline.commands.as_slice() {
            [command] => self.frames.push(Frame::Command { command: command.clone(), known: Vec::new() }),
            _ => self.start_pipeline(&pipeline, cx),
        }
        Step::Ran
    }

    /// `set -e`: the shell ends if the last pipeline of a chain failed and nobody tests that.
    fn end_chain<H: Host<Command = C>>(&mut self, chain: &Chain, ran_last: bool, cx: &mut Context<'_, H>) -> Step {
        let last = chain.rest.last().map_or(&chain.first, |(_, pipeline)| pipeline);
        let counts = match last.commands.as_slice() {
            [command] => {
                matches!(command.kind, Kind::Simple(_) | Kind::Subshell(_) | Kind::Test(_) | Kind::Arithmetic(_))
            }
            _ => true,
        };
        let failed = ran_last && counts && !last.negated && self.state.status != 0;
        let traps = self.state.traps.contains_key(&Event::Error);
        if !failed || !(self.state.flags.errexit || traps) || self.is_tested() {
            return Step::Ran;
        }
        let status = self.state.status;
        let inherited = self.state.flags.errtrace || !self.in_function();
        match self.state.traps.get(&Event::Error).filter(|action| inherited && !action.is_empty()).cloned() {
            Some(action) if !self.in_trap() => {
                if self.state.flags.errexit {
                    self.frames.push(Frame::Leaves(Leave::Exit(status)));
                }
                self.push_text(&action, TextKind::Trap { status, event: Event::Error });
            }
            _ if self.state.flags.errexit => self.leave(Leave::Exit(status), cx),
            _ => {}
        }
        Step::Ran
    }

    /// Whether someone tests the status of what runs now (`if`, `while`, `!`, all but the last of a chain).
    pub(crate) fn is_tested(&self) -> bool {
        self.state.errexit_ignored
            || self.frames.iter().any(|frame| match frame {
                Frame::If { .. } | Frame::Negate | Frame::Loop { testing: true, .. } => true,
                Frame::CountedFor { phase, .. } => *phase == Phase::Test,
                Frame::Chain { ran_last, .. } => !ran_last,
                _ => false,
            })
    }

    /// Each command of a pipeline in its own process, joined by pipes.
    fn start_pipeline<H: Host<Command = C>>(&mut self, pipeline: &Pipeline, cx: &mut Context<'_, H>) {
        let mut pids = Vec::new();
        let mut input = None;
        let last_here = self.state.flags.lastpipe && self.state.dialect.is_bash() && !self.state.interactive;
        let count = pipeline.commands.len();
        for (i, command) in pipeline.commands.iter().enumerate() {
            let pipe = (i + 1 < count).then(|| cx.common.files.pipe());
            let frame = Frame::Command { command: command.clone(), known: Vec::new() };
            if last_here && i + 1 == count {
                self.frames.push(Frame::Children { pids, last_here: true, pipeline: true });
                if let Some(input) = input {
                    let before = self.descriptors.insert(0, input);
                    self.frames.push(Frame::Redirected { saved: vec![(0, before)] });
                }
                return self.frames.push(frame);
            }
            let Some(pid) = self.fork(None, vec![frame], cx) else {
                return self.leave(Leave::Abort(2), cx);
            };
            if let Some(child) = cx.spawned.last_mut() {
                if let Some(input) = input {
                    child.descriptors.insert(0, input);
                }
                if let Some((_, writer)) = pipe {
                    child.descriptors.insert(1, writer);
                }
            }
            input = pipe.map(|(reader, _)| reader);
            pids.push(pid);
        }
        self.frames.push(Frame::Children { pids, last_here: false, pipeline: true });
    }

    pub(crate) fn report_time<H: Host<Command = C>>(
        &mut self,
        since: SimTime,
        portable: bool,
        cx: &mut Context<'_, H>,
    ) -> Step {
        let span = cx.host.now().since(since);
        let format = self.state.get("TIMEFORMAT").filter(|_| self.state.dialect.is_bash() && !portable);
        let text = match format {
            Some(format) => crate::commands::time_by_format(format, span),
            None if portable => {
                let ms = span.as_ms().max(0);
                format!("real {}.{:02}\nuser 0.00\nsys 0.00\n", ms / 1000, ms % 1000 / 10)
            }
            None => crate::commands::time_report(self.state.tools, span),
        };
        self.write(2, text.as_bytes(), cx);
        Step::Ran
    }

    pub(crate) fn end_call(&mut self, positional: Vec<String>, locals: Saved) {
        self.state.positional = positional;
        self.state.calls.pop();
        self.restore(locals);
    }

    /// Puts variables back, the last change first.
    pub(crate) fn restore(&mut self, saved: Saved) {
        for (name, var) in saved.into_iter().rev() {
            match var {
                Some(var) => self.state.vars.insert(name, var),
                None => self.state.vars.remove(&name),
            };
        }
    }

    /// Leaves frames up to the one that is meant, undoing what they have to undo.
    pub(crate) fn leave<H: Host<Command = C>>(&mut self, leave: Leave, cx: &mut Context<'_, H>) {
        match leave {
            Leave::Break(levels) | Leave::Continue(levels) => {
                self.leave_loops(levels, matches!(leave, Leave::Continue(_)), cx);
            }
            Leave::Return(status) => {
                self.state.status = status;
                while let Some(frame) = self.frames.pop() {
                    let stop =
                        matches!(&frame, Frame::Call { .. } | Frame::Text { kind: TextKind::Sourced { .. }, .. });
                    self.undo(frame, cx);
                    self.state.status = status;
                    if stop {
                        return;
                    }
                }
                self.exiting = Some(status);
            }
            Leave::Abort(status) if self.is_prompt() => {
                self.unwind(cx);
                self.state.status = status;
            }
            Leave::Exit(status) | Leave::Abort(status) => {
                self.unwind(cx);
                self.state.status = status;
                self.exiting = Some(status);
            }
        }
    }

    /// Loops around the running command within the same function.
    pub(crate) fn loops_around(&self) -> usize {
        let frames = self.frames.iter().rev();
        let inside = frames.take_while(|frame| !matches!(frame, Frame::Call { .. }));
        inside.filter(|frame| is_loop(frame)).count()
    }

    fn leave_loops<H: Host<Command = C>>(&mut self, levels: usize, again: bool, cx: &mut Context<'_, H>) {
        let mut levels = levels.min(self.loops_around());
        self.state.status = 0;
        while levels > 0 {
            let Some(frame) = self.frames.pop() else { return };
            let is_loop = is_loop(&frame);
            levels -= usize::from(is_loop);
            if is_loop && again && levels == 0 {
                self.frames.push(match frame {
                    Frame::Loop { command, .. } => Frame::Loop { command, testing: false, status: 0 },
                    Frame::CountedFor { command, .. } => Frame::CountedFor { command, phase: Phase::Body },
                    other => other,
                });
                return;
            }
            self.undo(frame, cx);
        }
    }

    /// Pops every frame.
    pub(crate) fn unwind<H: Host<Command = C>>(&mut self, cx: &mut Context<'_, H>) {
        while let Some(frame) = self.frames.pop() {
            self.undo(frame, cx);
        }
    }

    fn undo<H: Host<Command = C>>(&mut self, frame: Frame<C>, cx: &mut Context<'_, H>) {
        match frame {
            Frame::Redirected { saved } => self.undo_redirects(saved, cx),
            Frame::Restore(saved) => self.restore(saved),
            Frame::Call { positional, locals, .. } => self.end_call(positional, locals),
            Frame::Text { kind: kind @ TextKind::Sourced { .. }, .. } => self.end_text(kind),
            Frame::External { mut command, .. } => cx.host.signal(&mut command, Signal::Int),
            Frame::Capture { .. } | Frame::Request { .. } | Frame::Nested(_) => cx.common.dirty = true,
            _ => {}
        }
    }
}

fn is_loop<C>(frame: &Frame<C>) -> bool {
    matches!(frame, Frame::Loop { .. } | Frame::For { .. } | Frame::CountedFor { .. } | Frame::Select { .. })
}
