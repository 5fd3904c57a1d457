//! Commands that run other commands: `timeout`, `watch`, `xargs`, `env`, `time`, and a shell that reads its script
//! from standard input.

use std::collections::VecDeque;

use super::{Context, Frame, Process, Step, TextKind};
use crate::expand::MAX_BYTES;
use crate::host::{Host, Tools};
use crate::process::{Read, Signal};
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
        /// `-k`: when it is killed after that.
        kill_after: Option<Span>,
        /// `--preserve-status`
        keeps_status: bool,
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
    /// `-d`, `-0`: what separates words.
    pub delimiter: Option<u8>,
    /// `-L`: lines for each run.
    pub lines: Option<usize>,
    /// `-E`: the word that ends the input.
    pub end: Option<String>,
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
            Nested::Timed { since: Some(since), .. } => self.report_time(since, false, cx),
            Nested::Timeout { argv, deadline, signal, kill_after, keeps_status, started: false, .. } => {
                let timeout = Nested::Timeout {
                    argv: Vec::new(),
                    deadline,
                    signal,
                    kill_after,
                    keeps_status,
                    started: true,
                    fired: false,
                };
                self.frames.push(Frame::Nested(timeout));
                self.launch(argv, cx);
                Step::Ran
            }
            Nested::Timeout { fired, signal, keeps_status, .. } => {
                if fired && !keeps_status {
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
            self.state.vars.insert(name, crate::variables::Var::exported(value));
        }
        self.frames.push(Frame::Restore(saved));
        self.launch(argv, cx);
    }

    /// busybox's `timeout` leaves the exit code of the killed command (143); coreutils' gives 124.
    fn end_timeout<H: Host<Command = C>>(&mut self, signal: Signal, cx: &mut Context<'_, H>) {
        match self.state.tools {
            Tools::Gnu => self.state.status = if signal == Signal::Kill { 137 } else { 124 },
            Tools::Busybox if self.state.status == Signal::Term.exit_code() => {
                self.write(2, b"Terminated\n", cx);
            }
            Tools::Busybox => {}
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
                _ => match crate::commands::split_xargs(&xargs) {
                    Ok(words) => xargs.words = Some(words.into()),
                    Err(quote) => {
                        let hint = match self.state.tools {
                            Tools::Gnu => "; by default quotes are special to xargs unless you use the -0 option",
                            Tools::Busybox => "",
                        };
                        self.write(2, format!("xargs: unmatched {quote} quote{hint}\n").as_bytes(), cx);
                        self.state.status = 1;
                        return Step::Ran;
                    }
                },
            }
            self.frames.push(Frame::Nested(Nested::Xargs(xargs)));
            return Step::Ran;
        };
        if std::mem::take(&mut xargs.running) && self.state.status != 0 {
            xargs.status = match self.state.status {
                255 => {
                    let text = format!("xargs: {}: exited with status 255; aborting\n", xargs.argv[0]);
                    self.write(2, text.as_bytes(), cx);
                    124
                }
                status @ (126 | 127) => status,
                status if status > 128 => 125,
                _ => 123,
            };
        }
        let done = words.is_empty() && (xargs.ran || xargs.skip_if_empty || xargs.replace.is_some());
        if done || matches!(xargs.status, 124..=127) {
            self.state.status = xargs.status;
            return Step::Ran;
        }
        let line_end = "\n";
        let argv: Vec<String> = match &xargs.replace {
            Some(mark) => {
                let line = words.pop_front().unwrap_or_default();
                xargs.argv.iter().map(|arg| arg.replace(mark, &line)).collect()
            }
            None if xargs.lines.is_some() => {
                // Lines end with an empty word of their own.
                let mut argv = xargs.argv.clone();
                let mut left = xargs.lines.unwrap_or(1);
                while let Some(word) = words.pop_front() {
                    if word != line_end {
                        argv.push(word);
                        continue;
                    }
                    left -= 1;
                    if left == 0 {
                        break;
                    }
                }
                argv
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
