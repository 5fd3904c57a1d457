//! Signals and traps.
//!
//! Rule (as ash and bash do): a trap runs between commands, so a shell that waits for a foreground command runs it
//! only after that command ends, `sleep` too (deployment-rollout: `sleep 1` in a loop, TERM, and the end up to 0.9 s
//! later; its busybox is 1.35, and the `sleep` that 1.36 has built in would end at once); the built-in `wait` is
//! interrupted at once. A container's first process ignores signals it has no trap for (pid_namespaces(7)); a KILL from
//! inside does nothing to it either.

use super::{Context, Frame, Leave, Nested, Process, Step, TextKind};
use crate::host::Host;
use crate::process::Signal;
use crate::state::Event;

impl<C: Clone + std::fmt::Debug> Process<C> {
    /// Acts on pending signals; `Some` if that was this step.
    pub(crate) fn handle_signals<H: Host<Command = C>>(&mut self, cx: &mut Context<'_, H>) -> Option<Step> {
        let mut i = 0;
        while let Some(signal) = self.pending.get(i).copied() {
            let action = self.state.traps.get(&Event::Signal(signal)).cloned();
            match action {
                Some(_) if signal == Signal::Kill => {}
                Some(action) if action.is_empty() => {
                    self.pending.remove(i);
                    continue;
                }
                Some(action) => {
                    if self.runs_in_foreground() {
                        i += 1;
                        continue;
                    }
                    self.pending.remove(i);
                    let status = match self.frames.last() {
                        Some(Frame::Wait { .. }) => {
                            self.frames.pop();
                            signal.exit_code()
                        }
                        _ => self.state.status,
                    };
                    self.push_text(&action, TextKind::Trap { status, event: Event::Signal(signal) });
                    return Some(Step::Ran);
                }
                None => {}
            }
            self.pending.remove(i);
            let ignored = signal.is_harmless() || self.first || self.is_prompt() && signal != Signal::Kill;
            if !ignored {
                self.terminate(signal, cx);
                cx.common.killed.insert(self.pid, signal);
                return Some(Step::Ended(signal.exit_code()));
            }
        }
        None
    }

    /// Whether a foreground command runs, after which traps have to wait.
    fn runs_in_foreground(&self) -> bool {
        matches!(
            self.frames.last(),
            Some(
                Frame::Children { .. }
                    | Frame::Capture { .. }
                    | Frame::Request { .. }
                    | Frame::Local(_)
                    | Frame::External { .. }
                    | Frame::Nested(_)
            )
        )
    }

    /// Ends everything this process runs, without traps.
    pub(crate) fn terminate<H: Host<Command = C>>(&mut self, signal: Signal, cx: &mut Context<'_, H>) {
        for frame in self.frames.drain(..) {
            if let Frame::External { mut command, .. } = frame {
                cx.host.signal(&mut command, signal);
            }
        }
        self.state.traps.clear();
    }

    /// Ctrl-C at a terminal: what runs in the foreground ends, and the prompt comes back with 130.
    pub(crate) fn interrupt<H: Host<Command = C>>(&mut self, cx: &mut Context<'_, H>) {
        self.leave(Leave::Abort(Signal::Int.exit_code()), cx);
    }

    /// Sends the signal of every `timeout` whose time is over to what it runs.
    pub(crate) fn fire_timeouts<H: Host<Command = C>>(&mut self, cx: &mut Context<'_, H>) {
        let now = cx.host.now();
        let due = self.frames.iter().position(
            |frame| matches!(frame, Frame::Nested(Nested::Timeout { deadline, fired: false, started: true, .. }) if *deadline <= now),
        );
        let Some(at) = due else { return };
        let Some(Frame::Nested(Nested::Timeout { fired, signal, kill_after, deadline, .. })) = self.frames.get_mut(at)
        else {
            return;
        };
        let signal = *signal;
        match kill_after.take() {
            // The signal first; KILL when it is not gone by then.
            Some(after) => *deadline = now + after,
            None => *fired = true,
        }
        let again = !*fired;
        if again && let Some(Frame::Nested(Nested::Timeout { signal, .. })) = self.frames.get_mut(at) {
            *signal = Signal::Kill;
        }
        let above: Vec<Frame<C>> = self.frames.drain(at + 1..).collect();
        for frame in above {
            match frame {
                Frame::External { mut command, io } => {
                    cx.host.signal(&mut command, signal);
                    self.frames.push(Frame::External { command, io });
                }
                Frame::Children { pids, last_here, pipeline } => {
                    cx.sent.extend(pids.iter().map(|pid| (*pid, signal)));
                    self.frames.push(Frame::Children { pids, last_here, pipeline });
                }
                Frame::Nested(nested) => self.frames.push(Frame::Nested(nested)),
                _ => self.state.status = signal.exit_code(),
            }
        }
    }

    /// The moment at which a `timeout` around what runs now has to act.
    pub(crate) fn next_timeout(&self) -> Option<values::time::SimTime> {
        let deadlines = self.frames.iter().filter_map(|frame| match frame {
            Frame::Nested(Nested::Timeout { deadline, fired: false, started: true, .. }) => Some(*deadline),
            _ => None,
        });
        deadlines.min()
    }
}
