//! `jobs`, `kill`, `wait`, `times`, and the frame of a `wait` that goes on.

use super::Flow;
use crate::host::Host;
use crate::interp::{Context, Frame, Process, Step};
use crate::process::Signal;
use crate::syntax::Dialect;

pub(super) fn jobs<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let mut text = String::new();
    let only_pids = words.iter().any(|word| word == "-p");
    if only_pids {
        let alive = process.state.jobs.iter().filter(|job| cx.common.alive.contains(&job.pid));
        text = alive.map(|job| format!("{}\n", job.pid)).collect();
        process.write(1, text.as_bytes(), cx);
        return Flow::Done(0);
    }
    let running = words.iter().any(|word| word.starts_with('-') && word.contains('r'));
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
            Some(_) if running => continue,
            Some(status) if process.state.dialect != Dialect::Bash => format!("Done({status})"),
            Some(status) => format!("Exit {status}"),
        };
        let ending = if state == "Running" { " &" } else { "" };
        text.push_str(&match process.state.dialect {
            Dialect::Ash | Dialect::Dash => format!("[{}]{mark}  {state:<26} {}\n", job.number, job.text),
            Dialect::Bash => format!("[{}]{mark}  {state:<22}  {}{ending}\n", job.number, job.text),
        });
    }
    process.state.jobs = jobs.into_iter().filter(|job| !cx.common.ended.contains_key(&job.pid)).collect();
    process.write(1, text.as_bytes(), cx);
    Flow::Done(0)
}

/// A job or process by `%1`, `%%` or its number.
pub(super) fn target<C: Clone + std::fmt::Debug>(process: &Process<C>, text: &str) -> Option<u32> {
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
    let ash = process.state.dialect != Dialect::Bash;
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
                        format!("bad signal name '{}'", &name[1..])
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
        process.complain(cx, Some("kill").filter(|_| !ash), &message);
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
    if args.is_empty() && process.state.dialect.is_bash() {
        text = signal_table();
    } else if args.is_empty() {
        for (number, name) in (1..).zip(SIGNAL_NAMES) {
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
pub(super) fn wait<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let bash = process.state.dialect.is_bash();
    let any = bash && words.iter().any(|arg| arg == "-n");
    let mut args: Vec<&String> = words[1..].iter().filter(|arg| !matches!(arg.as_str(), "-n" | "-f" | "--")).collect();
    if let Some(at) = args.iter().position(|arg| *arg == "-p").filter(|_| bash) {
        args.drain(at..args.len().min(at + 2));
    }
    if let Some(wrong) = args.iter().find(|arg| !arg.starts_with('%') && arg.parse::<u32>().is_err()) {
        let message = match process.state.dialect {
            Dialect::Bash => format!("`{wrong}': not a pid or valid job spec"),
            _ => format!("Illegal number: {wrong}"),
        };
        process.complain(cx, Some("wait"), &message);
        return Flow::Done(if bash { 1 } else { 2 });
    }
    let all = args.is_empty() && !any;
    let pids = match args.is_empty() {
        true => process.state.jobs.iter().map(|job| job.pid).collect(),
        false => args.iter().map(|arg| target(process, arg).unwrap_or(0)).collect(),
    };
    process.frames.push(Frame::Wait { pids, all, any });
    Flow::Continues
}

impl<C: Clone + std::fmt::Debug> Process<C> {
    pub(crate) fn step_wait<H: Host<Command = C>>(
        &mut self,
        pids: Vec<u32>,
        all: bool,
        any: bool,
        cx: &mut Context<'_, H>,
    ) -> Step {
        if any {
            let ended = pids.iter().copied().find(|pid| cx.common.ended.contains_key(pid));
            let running = pids.iter().any(|pid| cx.common.alive.contains(pid));
            match ended {
                Some(pid) => {
                    self.state.status = cx.common.ended.get(&pid).copied().unwrap_or(127);
                    cx.common.ended.remove(&pid);
                    self.state.jobs.retain(|job| job.pid != pid);
                }
                None if running => {
                    self.frames.push(Frame::Wait { pids, all, any });
                    return Step::Blocked(None);
                }
                None => self.state.status = 127,
            }
            return Step::Ran;
        }
        if pids.iter().any(|pid| cx.common.alive.contains(pid) && !cx.common.ended.contains_key(pid)) {
            self.frames.push(Frame::Wait { pids, all, any });
            return Step::Blocked(None);
        }
        let mut status = 127;
        for pid in &pids {
            let own = self.state.jobs.iter().any(|job| job.pid == *pid);
            status = cx.common.ended.get(pid).copied().unwrap_or(127);
            // ash says how a background job died; bash does so only at a prompt.
            let death = match cx.common.killed.remove(pid) {
                Some(signal) => crate::interp::death(signal),
                None => "",
            };
            if !self.state.dialect.is_bash() {
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
    pub(crate) fn save_local(&mut self, name: &str) -> bool {
        let before = self.state.vars.get(name).cloned();
        let call = self.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Call { locals, .. } => Some(locals),
            _ => None,
        });
        match call {
            Some(locals) if locals.iter().any(|(known, _)| known == name) => false,
            Some(locals) => {
                locals.push((name.to_string(), before));
                true
            }
            None => false,
        }
    }

    /// `unset` of a local variable leaves it local, without a value.
    pub(crate) fn unset_local(&mut self, name: &str) -> bool {
        let call = self.frames.iter().rev().find_map(|frame| match frame {
            Frame::Call { locals, .. } => Some(locals),
            _ => None,
        });
        let is_local = call.is_some_and(|locals| locals.iter().any(|(known, _)| known == name));
        if is_local {
            self.state.vars.insert(name.to_string(), crate::variables::Var::default());
        }
        is_local
    }
}

pub(super) fn times<H: Host>(process: &mut Process<H::Command>, _: &[String], cx: &mut Context<'_, H>) -> Flow {
    process.write(1, b"0m0.00s 0m0.00s\n0m0.00s 0m0.00s\n", cx);
    Flow::Done(0)
}

/// Linux' signals 1 to 31.
const SIGNAL_NAMES: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "POLL",
    "PWR", "SYS",
];

/// bash's table of `kill -l` and `trap -l`.
pub(super) fn signal_table() -> String {
    let mut names: Vec<(usize, String)> = (1..).zip(SIGNAL_NAMES.map(|name| format!("SIG{name}"))).collect();
    names[28].1 = "SIGIO".into();
    names.push((34, "SIGRTMIN".into()));
    names.extend((1..=15).map(|n| (34 + n, format!("SIGRTMIN+{n}"))));
    names.extend((1..=14).rev().map(|n| (64 - n, format!("SIGRTMAX-{n}"))));
    names.push((64, "SIGRTMAX".into()));
    let mut text = String::new();
    for (i, (number, name)) in names.iter().enumerate() {
        let last = i % 5 == 4 || i + 1 == names.len();
        text.push_str(&format!("{number:>2}) {name}{}", if last { "\n" } else { "\t" }));
    }
    text
}

/// `disown`: the shell forgets a job.
pub(super) fn disown<H: Host>(process: &mut Process<H::Command>, words: &[String], _: &mut Context<'_, H>) -> Flow {
    let args: Vec<&String> = words[1..].iter().filter(|arg| !arg.starts_with('-')).collect();
    let all = words.iter().any(|arg| arg == "-a");
    match (all, args.is_empty()) {
        (true, _) => process.state.jobs.clear(),
        (false, true) => {
            process.state.jobs.pop();
        }
        (false, false) => {
            let pids: Vec<u32> = args.iter().filter_map(|arg| target(process, arg)).collect();
            process.state.jobs.retain(|job| !pids.contains(&job.pid));
        }
    }
    Flow::Done(0)
}
