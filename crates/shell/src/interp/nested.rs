//! Commands that run other commands: `timeout`, `watch`, `xargs`, `env`, `time`, and a shell that reads its script
//! from standard input.

use std::collections::VecDeque;

use super::{Context, Frame, Process, Step, TextKind};
use crate::expand::MAX_BYTES;
use crate::host::Host;
use crate::process::{Read, Signal};
use crate::syntax::Dialect;
use values::time::{SimTime, Span};

/// The state of a command that runs other commands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Nested {
    /// Runs a command once, with changed variables (`env`, `nohup`, `nice`).
    Env {
        argv: Vec<String>,
        set: Vec<(String, String)>,
        unset: Vec<String>,
        clear: bool,
        started: bool,
    },
    Timed {
        argv: Vec<String>,
        since: Option<SimTime>,
    },
    Timeout {
        argv: Vec<String>,
        deadline: SimTime,
        signal: Signal,
        started: bool,
        fired: bool,
    },
    Watch {
        line: String,
        every: Span,
        next: Option<SimTime>,
        title: bool,
    },
    Xargs(Xargs),
    /// A script being read from standard input.
    Script {
        bytes: Vec<u8>,
    },
}

/// `xargs`: the words it read, and what it does with them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Xargs {
    pub argv: Vec<String>,
    /// `-n`: words for each run.
    pub per_run: Option<usize>,
    /// `-I`: replaced by a whole line.
    pub replace: Option<String>,
    /// `-0`
    pub null_separated: bool,
    /// `-r`: no run without words.
    pub skip_if_empty: bool,
    /// `-t`: print each command before it runs.
    pub trace: bool,
    pub input: Vec<u8>,
    pub words: Option<VecDeque<String>>,
    pub running: bool,
    pub ran: bool,
    pub status: i32,
}

impl<C: Clone + std::fmt::Debug> Process<C> {
    pub(crate) fn step_nested<H: Host<Command = C>>(&mut self, nested: Nested, cx: &mut Context<'_, H>) -> Step {
        match nested {
            Nested::Env { started: true, .. } => Step::Ran,
            Nested::Env { argv, set, unset, clear, .. } => {
                self.start_env(argv, set, &unset, clear, cx);
                Step::Ran
            }
            Nested::Timed { argv, since: None } => {
                self.frames.push(Frame::Nested(Nested::Timed { argv: Vec::new(), since: Some(cx.host.now()) }));
                self.launch(argv, cx);
                Step::Ran
            }
            Nested::Timed { since: Some(since), .. } => self.report_time(since, cx),
            Nested::Timeout { argv, deadline, signal, started: false, .. } => {
                let timeout = Nested::Timeout { argv: Vec::new(), deadline, signal, started: true, fired: false };
                self.frames.push(Frame::Nested(timeout));
                self.launch(argv, cx);
                Step::Ran
            }
            Nested::Timeout { fired, signal, .. } => {
                if fired {
                    self.end_timeout(signal, cx);
                }
                Step::Ran
            }
            Nested::Watch { line, every, next, title } => self.step_watch(line, every, next, title, cx),
            Nested::Xargs(xargs) => self.step_xargs(xargs, cx),
            Nested::Script { mut bytes } => match cx.common.files.read(self.descriptor(0), 1 << 16, cx.io) {
                // A script without an end is run as far as it fits.
                Read::Data(data) if bytes.len() < MAX_BYTES => {
                    bytes.extend(data);
                    self.frames.push(Frame::Nested(Nested::Script { bytes }));
                    Step::Ran
                }
                Read::Empty => {
                    self.frames.push(Frame::Nested(Nested::Script { bytes }));
                    Step::Blocked(None)
                }
                Read::Data(_) | Read::End => {
                    self.push_text(&String::from_utf8_lossy(&bytes), TextKind::Main);
                    Step::Ran
                }
            },
        }
    }

    fn start_env<H: Host<Command = C>>(
        &mut self,
        argv: Vec<String>,
        set: Vec<(String, String)>,
        unset: &[String],
        clear: bool,
        cx: &mut Context<'_, H>,
    ) {
        let mut saved = Vec::new();
        for (name, var) in &mut self.state.vars {
            if var.exported && (clear || unset.contains(name)) {
                saved.push((name.clone(), Some(var.clone())));
                var.exported = false;
            }
        }
        for (name, value) in set {
            saved.push((name.clone(), self.state.vars.get(&name).cloned()));
            self.state.vars.insert(name, crate::state::Var { value: Some(value), exported: true, read_only: false });
        }
        self.frames.push(Frame::Restore(saved));
        self.launch(argv, cx);
    }

    /// busybox's `timeout` leaves the exit code of the killed command (143); coreutils' gives 124.
    fn end_timeout<H: Host<Command = C>>(&mut self, signal: Signal, cx: &mut Context<'_, H>) {
        match self.state.dialect {
            Dialect::Bash => self.state.status = if signal == Signal::Kill { 137 } else { 124 },
            Dialect::Ash if self.state.status == Signal::Term.exit_code() => {
                self.write(2, b"Terminated\n", cx);
            }
            Dialect::Ash => {}
        }
    }

    /// `watch`: clears the screen and runs the line again and again, until it is interrupted.
    fn step_watch<H: Host<Command = C>>(
        &mut self,
        line: String,
        every: Span,
        next: Option<SimTime>,
        title: bool,
        cx: &mut Context<'_, H>,
    ) -> Step {
        let now = cx.host.now();
        if let Some(next) = next.filter(|next| *next > now) {
            self.frames.push(Frame::Nested(Nested::Watch { line, every, next: Some(next), title }));
            return Step::Blocked(Some(next));
        }
        let mut screen = "\x1b[H\x1b[2J".to_string();
        if title {
            let seconds = every.as_ms() as f64 / 1000.0;
            let right = format!("{}: {}", cx.host.host_name(), now.format("%a %b %e %H:%M:%S %Y"));
            screen.push_str(&format!("Every {seconds:.1}s: {line}    {right}\n\n"));
        }
        if !self.write(1, screen.as_bytes(), cx) {
            self.broken_pipe(cx);
            return Step::Ran;
        }
        let argv = vec!["sh".to_string(), "-c".to_string(), line.clone()];
        self.frames.push(Frame::Nested(Nested::Watch { line, every, next: Some(now + every), title }));
        self.launch_shell(&argv, cx);
        Step::Ran
    }

    fn step_xargs<H: Host<Command = C>>(&mut self, mut xargs: Xargs, cx: &mut Context<'_, H>) -> Step {
        let Some(words) = &mut xargs.words else {
            match cx.common.files.read(self.descriptor(0), 1 << 16, cx.io) {
                Read::Data(data) if xargs.input.len() < MAX_BYTES => xargs.input.extend(data),
                Read::Empty => {
                    self.frames.push(Frame::Nested(Nested::Xargs(xargs)));
                    return Step::Blocked(None);
                }
                _ => xargs.words = Some(crate::commands::split_xargs(&xargs).into()),
            }
            self.frames.push(Frame::Nested(Nested::Xargs(xargs)));
            return Step::Ran;
        };
        if std::mem::take(&mut xargs.running) && self.state.status != 0 {
            xargs.status = match self.state.status {
                status @ (126 | 127) => status,
                _ => 123,
            };
        }
        let done = words.is_empty() && (xargs.ran || xargs.skip_if_empty || xargs.replace.is_some());
        if done || matches!(xargs.status, 126 | 127) {
            self.state.status = xargs.status;
            return Step::Ran;
        }
        let argv: Vec<String> = match &xargs.replace {
            Some(mark) => {
                let line = words.pop_front().unwrap_or_default();
                xargs.argv.iter().map(|arg| arg.replace(mark, &line)).collect()
            }
            None => {
                let count = xargs.per_run.unwrap_or(5000).clamp(1, words.len().max(1)).min(words.len());
                xargs.argv.iter().cloned().chain(words.drain(..count)).collect()
            }
        };
        if xargs.trace {
            self.write(2, format!("{}\n", argv.join(" ")).as_bytes(), cx);
        }
        xargs.running = true;
        xargs.ran = true;
        self.frames.push(Frame::Nested(Nested::Xargs(xargs)));
        self.launch(argv, cx);
        Step::Ran
    }
}
