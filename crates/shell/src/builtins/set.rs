//! `set`: switches and positional parameters.

use super::Flow;
use crate::host::Host;
use crate::interp::{Context, Leave, Process};
use crate::syntax::Dialect;

pub(super) fn set<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    if words.len() == 1 {
        super::vars::list(process, cx);
        return Flow::Done(0);
    }
    let mut args = words[1..].iter();
    while let Some(arg) = args.clone().next() {
        let on = arg.starts_with('-');
        if arg == "--" || arg == "-" {
            args.next();
            process.state.positional = args.cloned().collect();
            return Flow::Done(0);
        }
        if !on && !arg.starts_with('+') {
            process.state.positional = args.cloned().collect();
            return Flow::Done(0);
        }
        args.next();
        for letter in arg.chars().skip(1) {
            let found = if letter == 'o' {
                let Some(name) = args.next() else {
                    list_options(process, cx);
                    return Flow::Done(0);
                };
                process.state.flags.by_name(name).map(|flag| *flag = on).ok_or(format!("-o {name}"))
            } else {
                process.state.flags.by_letter(letter).map(|flag| *flag = on).ok_or(format!("-{letter}"))
            };
            if let Err(option) = found {
                return bad_option(process, &option, cx);
            }
        }
    }
    Flow::Done(0)
}

fn bad_option<H: Host>(process: &mut Process<H::Command>, option: &str, cx: &mut Context<'_, H>) -> Flow {
    match process.state.dialect {
        Dialect::Ash => {
            process.complain(cx, Some("set"), &format!("illegal option {option}"));
            Flow::Leave(Leave::Abort(2))
        }
        Dialect::Bash => {
            let message = match option.strip_prefix("-o ") {
                Some(name) => format!("{name}: invalid option name"),
                None => format!("{option}: invalid option"),
            };
            process.complain(cx, Some("set"), &message);
            Flow::Done(2)
        }
    }
}

fn list_options<H: Host>(process: &mut Process<H::Command>, cx: &mut Context<'_, H>) {
    let names = ["allexport", "errexit", "noexec", "noglob", "nounset", "pipefail", "verbose", "xtrace"];
    let mut flags = process.state.flags;
    let mut text = String::new();
    for name in names {
        let on = flags.by_name(name).is_some_and(|flag| *flag);
        text.push_str(&format!("{name:<15}\t{}\n", if on { "on" } else { "off" }));
    }
    process.write(1, text.as_bytes(), cx);
}
