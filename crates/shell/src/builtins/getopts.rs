//! `getopts optstring name [args]` (POSIX.1 XCU getopts).

use super::Flow;
use crate::host::Host;
use crate::interp::{Context, Leave, Process};
use crate::state::State;
use crate::syntax::Dialect;

pub(super) fn getopts<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let [_, optstring, name, given @ ..] = words else {
        process.complain(cx, Some("getopts"), "usage: getopts optstring var [arg]");
        return Flow::Leave(Leave::Abort(2));
    };
    let args = if given.is_empty() { process.state.positional.clone() } else { given.to_vec() };
    let (status, message) = next_option(&mut process.state, optstring, name, &args);
    if let Some(message) = message {
        let prefix = match process.state.dialect {
            Dialect::Ash | Dialect::Dash => String::new(),
            Dialect::Bash => format!("{}: ", process.state.name),
        };
        if process.state.get("OPTERR") != Some("0") || !process.state.dialect.is_bash() {
            process.write(2, format!("{prefix}{message}\n").as_bytes(), cx);
        }
    }
    Flow::Done(status)
}

/// Finds the next option and sets the variables; failures to set (read-only names) leave them as they are.
fn next_option(state: &mut State, optstring: &str, name: &str, args: &[String]) -> (i32, Option<String>) {
    let dialect = state.dialect;
    let silent = optstring.starts_with(':');
    let index = state.get("OPTIND").and_then(|text| text.parse::<usize>().ok()).unwrap_or(1).max(1);
    let at = state.getopts_at.max(1);
    let arg: Vec<char> = args.get(index - 1).map(|arg| arg.chars().collect()).unwrap_or_default();
    let mut put = |name: &str, value: String| {
        let _ = state.set(name, value);
    };
    let is_option = arg.len() > 1 && arg[0] == '-';
    if !is_option || arg == ['-', '-'] {
        put("OPTIND", (index + usize::from(is_option)).to_string());
        put(name, "?".into());
        return (1, None);
    }
    let Some(letter) = arg.get(at).copied() else { return (1, None) };
    let (mut index, mut at) = if at + 1 >= arg.len() { (index + 1, 0) } else { (index, at + 1) };
    let known = optstring.trim_start_matches(':').chars().collect::<Vec<_>>();
    let place = known.iter().position(|c| *c == letter && letter != ':');
    let mut message = None;
    let mut value = letter.to_string();
    match place {
        None => {
            put("OPTARG", if silent { letter.to_string() } else { String::new() });
            message = (!silent).then(|| match dialect {
                Dialect::Ash | Dialect::Dash => format!("Illegal option -{letter}"),
                Dialect::Bash => format!("illegal option -- {letter}"),
            });
            value = "?".into();
        }
        Some(place) if known.get(place + 1) == Some(&':') => {
            let rest: String = if at > 0 { arg[at..].iter().collect() } else { String::new() };
            let argument = if at > 0 {
                Some(rest)
            } else {
                index += 1;
                args.get(index - 2).cloned()
            };
            if at > 0 {
                index += 1;
            }
            at = 0;
            match argument {
                Some(argument) => put("OPTARG", argument),
                None if silent => {
                    put("OPTARG", letter.to_string());
                    value = ":".into();
                }
                None => {
                    message = Some(match dialect {
                        Dialect::Ash | Dialect::Dash => format!("No arg for -{letter} option"),
                        Dialect::Bash => format!("option requires an argument -- {letter}"),
                    });
                    value = "?".into();
                }
            }
        }
        Some(_) => put("OPTARG", String::new()),
    }
    put(name, value);
    put("OPTIND", index.to_string());
    state.getopts_at = at;
    (0, message)
}
