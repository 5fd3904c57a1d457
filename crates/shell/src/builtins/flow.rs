//! `.`, `eval`, `exit`, `return`, `break`, `continue`, `trap`, `:`.

use super::Flow;
use crate::escapes::{quote_always as quote_value_always, quote_value};
use crate::host::{Host, resolve};
use crate::interp::{Context, Frame, Leave, Process, TextKind};
use crate::process::Signal;
use crate::state::Event;
use crate::syntax::Dialect;

/// `:`
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
    let dialect = process.state.dialect;
    let found = if file.contains('/') { file.clone() } else { in_path(process, file, cx) };
    let path = resolve(&process.state.cwd, &found);
    let read = match path.strip_prefix("/dev/fd/").and_then(|fd| fd.parse().ok()) {
        // `. <(command)`: as far as the pipe has come; the shell waits for the rest.
        Some(fd) => match process.read_whole(fd, cx) {
            Some(bytes) => Ok(bytes),
            None => {
                process.frames.push(Frame::Again { words: words.to_vec() });
                return Flow::Continues;
            }
        },
        None => cx.host.read_file(&path),
    };
    match read {
        Ok(bytes) => {
            let positional =
                (words.len() > 2).then(|| std::mem::replace(&mut process.state.positional, words[2..].to_vec()));
            process.push_text(&String::from_utf8_lossy(&bytes), TextKind::Sourced { positional });
            process.state.status = 0;
            Flow::Continues
        }
        Err(error) if !dialect.is_bash() => {
            let text = match dialect {
                Dialect::Ash => format!("can't open '{file}': {error}"),
                _ if file.contains('/') => format!("cannot open {file}: No such file"),
                _ => format!("{file}: not found"),
            };
            process.complain(cx, Some(&words[0]), &text);
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
    let bash = process.state.dialect.is_bash();
    let parsed = text.trim().parse::<i64>().ok().filter(|n| bash || *n >= 0);
    parsed.ok_or_else(|| {
        let message = match process.state.dialect {
            Dialect::Ash | Dialect::Dash => format!("Illegal number: {text}"),
            Dialect::Bash => format!("{text}: numeric argument required"),
        };
        process.complain(cx, Some(&words[0]), &message);
        // bash leaves a function with 2, and a script by `exit` only.
        match words[0].as_str() {
            "return" if bash => Flow::Leave(Leave::Return(2)),
            "exit" if bash => Flow::Leave(Leave::Exit(2)),
            "shift" if bash => Flow::Done(1),
            _ => Flow::Leave(Leave::Abort(2)),
        }
    })
}

/// `ulimit`: there are no limits here; it can be asked, and what it sets is not checked.
pub(super) fn ulimit<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let sets = words[1..].iter().any(|word| !word.starts_with('-'));
    if !sets {
        let value = if words[1..].iter().any(|word| word.contains('n')) { "1048576\n" } else { "unlimited\n" };
        process.write(1, value.as_bytes(), cx);
    }
    Flow::Done(0)
}

pub(super) fn exit<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let status = process.exiting.unwrap_or(process.state.status);
    match number(process, words, i64::from(status), cx) {
        Ok(status) => Flow::Leave(Leave::Exit((status & 255) as i32)),
        Err(flow) => flow,
    }
}

/// A file without a slash is looked for in `$PATH`, and in bash then in the current directory.
fn in_path<H: Host>(process: &Process<H::Command>, file: &str, cx: &Context<'_, H>) -> String {
    let path = process.state.get("PATH").unwrap_or_default().to_string();
    let places = path.split(':').map(|directory| format!("{}/{file}", directory.trim_end_matches('/')));
    let is_file = |place: &String| {
        cx.host.info(&resolve(&process.state.cwd, place)).is_ok_and(|info| !info.directory() && info.size != 1_131_168)
    };
    places.into_iter().find(is_file).unwrap_or_else(|| match process.state.dialect {
        Dialect::Dash => format!("/dev/null/{file}"),
        _ => file.to_string(),
    })
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

fn event(text: &str, bash: bool) -> Option<Event> {
    match text {
        "EXIT" | "exit" | "0" => Some(Event::Exit),
        "ERR" if bash => Some(Event::Error),
        "DEBUG" if bash => Some(Event::Debug),
        "RETURN" if bash => Some(Event::Return),
        _ => Signal::parse(text).map(Event::Signal),
    }
}

/// `trap action signals`, `trap - signals`, `trap` to list.
pub(super) fn trap<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let mut args = &words[1..];
    let bash = process.state.dialect.is_bash();
    if args.first().is_some_and(|arg| arg == "--") {
        args = &args[1..];
    }
    let listing = args.is_empty() || args[0] == "-p";
    if bash && args.first().is_some_and(|arg| arg == "-l") {
        process.write(1, super::jobs::signal_table().as_bytes(), cx);
        return Flow::Done(0);
    }
    if listing {
        let asked: Option<Vec<Option<Event>>> =
            (args.len() > 1).then(|| args[1..].iter().map(|name| event(name, bash)).collect());
        let mut text = String::new();
        for (event, action) in &process.state.traps {
            let name = match event {
                Event::Exit => "EXIT".to_string(),
                Event::Error => "ERR".to_string(),
                Event::Debug => "DEBUG".to_string(),
                Event::Return => "RETURN".to_string(),
                Event::Signal(signal) if bash => format!("SIG{}", signal.name()),
                Event::Signal(signal) => signal.name().to_string(),
            };
            if asked.as_ref().is_some_and(|asked| !asked.contains(&Some(*event))) {
                continue;
            }
            let quoted = if bash { quote_value_always(action) } else { quote_value(action, process.state.dialect) };
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
        match (event(name, bash), action) {
            (None, _) => {
                let message = match process.state.dialect {
                    Dialect::Ash => format!("{name}: invalid signal specification"),
                    Dialect::Dash => format!("{name}: bad trap"),
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
