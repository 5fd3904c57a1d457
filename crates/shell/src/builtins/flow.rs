//! `.`, `eval`, `exit`, `return`, `break`, `continue`, `trap`, `:`.

use super::Flow;
use crate::escapes::quote;
use crate::host::{Host, resolve};
use crate::interp::{Context, Leave, Process, TextKind};
use crate::process::Signal;
use crate::state::Event;
use crate::syntax::Dialect;

/// `:` and built-ins whose effect does not exist here (`ulimit`, `hash`, `shopt`, `disown`).
pub(super) fn nothing<H: Host>(_: &mut Process<H::Command>, _: &[String], _: &mut Context<'_, H>) -> Flow {
    Flow::Done(0)
}

pub(super) fn eval<H: Host>(process: &mut Process<H::Command>, words: &[String], _: &mut Context<'_, H>) -> Flow {
    process.push_text(&words[1..].join(" "), TextKind::Eval);
    process.state.status = 0;
    Flow::Continues
}

/// `. file args`: the file's commands, in this shell.
pub(super) fn source<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let Some(file) = words.get(1) else {
        process.complain(cx, Some(&words[0]), "filename argument required");
        return Flow::Done(2);
    };
    let ash = process.state.dialect == Dialect::Ash;
    match cx.host.read_file(&resolve(&process.state.cwd, file)) {
        Ok(bytes) => {
            let positional =
                (words.len() > 2).then(|| std::mem::replace(&mut process.state.positional, words[2..].to_vec()));
            process.push_text(&String::from_utf8_lossy(&bytes), TextKind::Sourced { positional });
            process.state.status = 0;
            Flow::Continues
        }
        Err(error) if ash => {
            process.complain(cx, Some(&words[0]), &format!("can't open '{file}': {error}"));
            Flow::Leave(Leave::Abort(2))
        }
        Err(error) => {
            process.complain(cx, None, &format!("{file}: {error}"));
            Flow::Done(1)
        }
    }
}

/// The number argument of `exit`, `return`, `break`, `shift`; `Err`: it is none, and that has been said.
pub(super) fn number<H: Host>(
    process: &mut Process<H::Command>,
    words: &[String],
    otherwise: i64,
    cx: &mut Context<'_, H>,
) -> Result<i64, Flow> {
    let Some(text) = words.get(1) else { return Ok(otherwise) };
    text.parse::<i64>().map_err(|_| {
        let message = match process.state.dialect {
            Dialect::Ash => format!("Illegal number: {text}"),
            Dialect::Bash => format!("{text}: numeric argument required"),
        };
        process.complain(cx, Some(&words[0]), &message);
        Flow::Leave(Leave::Abort(2))
    })
}

pub(super) fn exit<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let status = process.exiting.unwrap_or(process.state.status);
    match number(process, words, i64::from(status), cx) {
        Ok(status) => Flow::Leave(Leave::Exit((status & 255) as i32)),
        Err(flow) => flow,
    }
}

pub(super) fn leave_function<H: Host>(
    process: &mut Process<H::Command>,
    words: &[String],
    cx: &mut Context<'_, H>,
) -> Flow {
    let status = i64::from(process.state.status);
    match number(process, words, status, cx) {
        Ok(_) if process.state.interactive && !process.in_function() => {
            process.complain(cx, Some("return"), "can only `return' from a function or sourced script");
            Flow::Done(2)
        }
        Ok(status) => Flow::Leave(Leave::Return((status & 255) as i32)),
        Err(flow) => flow,
    }
}

pub(super) fn leave_loop<H: Host>(
    process: &mut Process<H::Command>,
    words: &[String],
    cx: &mut Context<'_, H>,
) -> Flow {
    let levels = match number(process, words, 1, cx) {
        Ok(levels) => levels.clamp(1, 1000) as usize,
        Err(flow) => return flow,
    };
    if process.loops_around() == 0 {
        if process.state.dialect == Dialect::Bash {
            process.complain(cx, Some(&words[0]), "only meaningful in a `for', `while', or `until' loop");
        }
        return Flow::Done(0);
    }
    Flow::Leave(if words[0] == "break" { Leave::Break(levels) } else { Leave::Continue(levels) })
}

fn event(text: &str) -> Option<Event> {
    match text {
        "EXIT" | "exit" | "0" => Some(Event::Exit),
        _ => Signal::parse(text).map(Event::Signal),
    }
}

/// `trap action signals`, `trap - signals`, `trap` to list.
pub(super) fn trap<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let mut args = &words[1..];
    if args.first().is_some_and(|arg| arg == "--") {
        args = &args[1..];
    }
    let listing = args.is_empty() || args[0] == "-p";
    if listing {
        let bash = process.state.dialect == Dialect::Bash;
        let mut text = String::new();
        for (event, action) in &process.state.traps {
            let name = match event {
                Event::Exit => "EXIT".to_string(),
                Event::Signal(signal) if bash => format!("SIG{}", signal.name()),
                Event::Signal(signal) => signal.name().to_string(),
            };
            let quoted = if action.contains(' ') || action.is_empty() { quote(action) } else { format!("'{action}'") };
            text.push_str(&format!("trap -- {quoted} {name}\n"));
        }
        process.write(1, text.as_bytes(), cx);
        return Flow::Done(0);
    }
    let (action, signals) = match args {
        [only] => (None, std::slice::from_ref(only)),
        [action, signals @ ..] => (Some(action.as_str()).filter(|action| *action != "-"), signals),
        [] => (None, &[][..]),
    };
    let mut status = 0;
    for name in signals {
        match (event(name), action) {
            (None, _) if matches!(name.as_str(), "ERR" | "DEBUG" | "RETURN") => {}
            (None, _) => {
                let message = match process.state.dialect {
                    Dialect::Ash => format!("{name}: invalid signal specification"),
                    Dialect::Bash => format!("{name}: invalid signal specification"),
                };
                process.complain(cx, Some("trap"), &message);
                status = 1;
            }
            (Some(event), Some(action)) => {
                process.state.traps.insert(event, action.to_string());
            }
            (Some(event), None) => {
                process.state.traps.remove(&event);
            }
        }
    }
    Flow::Done(status)
}
