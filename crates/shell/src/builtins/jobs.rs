//! `jobs`, `kill`, `wait`, `times`, and the frame of a `wait` that goes on.

use super::Flow;
use crate::host::Host;
use crate::interp::{Context, Frame, Process, Step};
use crate::process::Signal;
use crate::syntax::Dialect;

pub(super) fn jobs<H: Host>(process: &mut Process<H::Command>, _: &[String], cx: &mut Context<'_, H>) -> Flow {
    let mut text = String::new();
    let jobs = std::mem::take(&mut process.state.jobs);
    let last = jobs.len();
    for (i, job) in jobs.iter().enumerate() {
        let mark = match last - i {
            1 => '+',
            2 => '-',
            _ => ' ',
        };
        let state = match cx.common.ended.get(&job.pid) {
            None => "Running".to_string(),
            Some(0) => "Done".to_string(),
            Some(status) if process.state.dialect == Dialect::Ash => format!("Done({status})"),
            Some(status) => format!("Exit {status}"),
        };
        let ending = if state == "Running" { " &" } else { "" };
        text.push_str(&match process.state.dialect {
            Dialect::Ash => format!("[{}]{mark}  {state:<26} {}\n", job.number, job.text),
            Dialect::Bash => format!("[{}]{mark}  {state:<22}  {}{ending}\n", job.number, job.text),
        });
    }
    process.state.jobs = jobs.into_iter().filter(|job| !cx.common.ended.contains_key(&job.pid)).collect();
    process.write(1, text.as_bytes(), cx);
    Flow::Done(0)
}

/// A job or process by `%1`, `%%` or its number.
fn target<C: Clone + std::fmt::Debug>(process: &Process<C>, text: &str) -> Option<u32> {
    match text.strip_prefix('%') {
        Some("" | "%" | "+") => process.state.jobs.last().map(|job| job.pid),
        Some(number) => {
            let number = number.parse::<u32>().ok()?;
            process.state.jobs.iter().find(|job| job.number == number).map(|job| job.pid)
        }
        None => text.parse().ok(),
    }
}

pub(super) fn kill<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let ash = process.state.dialect == Dialect::Ash;
    let mut signal = Some(Signal::Term);
    let mut asks_only = false;
    let mut args = &words[1..];
    if let Some(first) = args.first().filter(|arg| arg.len() > 1 && arg.starts_with('-')) {
        match first.as_str() {
            "-l" | "-L" => return list_signals(process, &args[1..], cx),
            "--" => args = &args[1..],
            "-s" | "-n" => {
                signal = args.get(1).and_then(|name| Signal::parse(name));
                args = args.get(2..).unwrap_or_default();
            }
            name => {
                asks_only = name == "-0";
                signal = Signal::parse(&name[1..]).or(asks_only.then_some(Signal::Chld));
                if signal.is_none() {
                    let text = if ash {
                        format!("invalid signal '{}'", &name[1..])
                    } else {
                        format!("{}: invalid signal specification", &name[1..])
                    };
                    process.complain(cx, Some("kill").filter(|_| !ash), &text);
                    return Flow::Done(1);
                }
                args = &args[1..];
            }
        }
    }
    let Some(signal) = signal else { return Flow::Done(1) };
    if args.is_empty() {
        let text = if ash {
            "you need to specify whom to kill"
        } else {
            "usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]"
        };
        process.complain(cx, Some("kill").filter(|_| !ash), text);
        return Flow::Done(if ash { 1 } else { 2 });
    }
    let mut status = 0;
    for arg in args {
        let found = target(process, arg);
        let message = match found {
            Some(pid) if cx.common.alive.contains(&pid) => {
                if !asks_only {
                    self_or_other(process, pid, signal, cx);
                }
                continue;
            }
            Some(1) if asks_only || cx.host.signal_first(signal) => continue,
            Some(pid) if arg.starts_with('%') || cx.common.ended.contains_key(&pid) && !asks_only => continue,
            None if arg.starts_with('%') => format!("{arg}: no such job"),
            None if ash => format!("invalid number '{arg}'"),
            None => format!("{arg}: arguments must be process or job IDs"),
            Some(pid) if ash => format!("can't kill pid {pid}: No such process"),
            Some(pid) => format!("({pid}) - No such process"),
        };
        process.complain(cx, Some("kill").filter(|_| !ash || found.is_none()), &message);
        status = 1;
    }
    Flow::Done(status)
}

fn self_or_other<H: Host>(process: &mut Process<H::Command>, pid: u32, signal: Signal, cx: &mut Context<'_, H>) {
    if pid == process.pid {
        process.pending.push(signal);
    } else {
        cx.sent.push((pid, signal));
    }
}

fn list_signals<H: Host>(process: &mut Process<H::Command>, args: &[String], cx: &mut Context<'_, H>) -> Flow {
    let mut text = String::new();
    if args.is_empty() {
        for (_, number, name) in Signal::ALL {
            text.push_str(&format!("{number:>2}) {name}\n"));
        }
    }
    for arg in args {
        let number = arg.parse::<i32>().ok().map(|n| if n > 128 { n - 128 } else { n });
        let found = number.map_or_else(|| Signal::parse(arg), |n| Signal::parse(&n.to_string()));
        match (found, number) {
            (Some(signal), Some(_)) => text.push_str(&format!("{}\n", signal.name())),
            (Some(signal), None) => text.push_str(&format!("{}\n", signal.number())),
            (None, _) => {
                process.complain(cx, Some("kill"), &format!("{arg}: invalid signal specification"));
                return Flow::Done(1);
            }
        }
    }
    process.write(1, text.as_bytes(), cx);
    Flow::Done(0)
}

/// `wait`, `wait pid`, `wait %1`: a frame that a trapped signal interrupts.
pub(super) fn wait<H: Host>(process: &mut Process<H::Command>, words: &[String], _: &mut Context<'_, H>) -> Flow {
    let args: Vec<&String> = words[1..].iter().filter(|arg| *arg != "-n").collect();
    let all = args.is_empty();
    let pids = match all {
        true => process.state.jobs.iter().map(|job| job.pid).collect(),
        false => args.iter().map(|arg| target(process, arg).unwrap_or(0)).collect(),
    };
    process.frames.push(Frame::Wait { pids, all });
    Flow::Continues
}

impl<C: Clone + std::fmt::Debug> Process<C> {
    pub(crate) fn step_wait<H: Host<Command = C>>(
        &mut self,
        pids: Vec<u32>,
        all: bool,
        cx: &mut Context<'_, H>,
    ) -> Step {
        if pids.iter().any(|pid| cx.common.alive.contains(pid) && !cx.common.ended.contains_key(pid)) {
            self.frames.push(Frame::Wait { pids, all });
            return Step::Blocked(None);
        }
        let mut status = 127;
        for pid in &pids {
            let own = self.state.jobs.iter().any(|job| job.pid == *pid);
            status = cx.common.ended.get(pid).copied().unwrap_or(127);
            // ash says how a background job died; bash does so only at a prompt.
            let death = match cx.common.killed.remove(pid) {
                Some(Signal::Term) => "Terminated\n",
                Some(Signal::Kill) => "Killed\n",
                _ => "",
            };
            if self.state.dialect == Dialect::Ash {
                self.write(2, death.as_bytes(), cx);
            }
            if status == 127 && !own && !all && self.state.dialect == Dialect::Bash {
                self.complain(cx, Some("wait"), &format!("pid {pid} is not a child of this shell"));
            }
        }
        self.state.jobs.retain(|job| !pids.contains(&job.pid));
        self.state.status = if all { 0 } else { status };
        Step::Ran
    }

    /// Whether a function is being called.
    pub(crate) fn in_function(&self) -> bool {
        self.frames.iter().any(|frame| {
            matches!(frame, Frame::Call { .. } | Frame::Text { kind: crate::interp::TextKind::Sourced { .. }, .. })
        })
    }

    /// Remembers a variable's value, to be put back when the function ends.
    pub(crate) fn save_local(&mut self, name: &str) {
        let before = self.state.vars.get(name).cloned();
        let call = self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Call { locals, .. } => Some(locals),
            _ => None,
        });
        if let Some(locals) = call {
            locals.push((name.to_string(), before));
        }
    }
}

pub(super) fn times<H: Host>(process: &mut Process<H::Command>, _: &[String], cx: &mut Context<'_, H>) -> Flow {
    process.write(1, b"0m0.00s 0m0.00s\n0m0.00s 0m0.00s\n", cx);
    Flow::Done(0)
}
