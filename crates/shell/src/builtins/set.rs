//! `set`: switches and positional parameters; `shopt`.

use super::Flow;
use crate::host::Host;
use crate::interp::{Context, Leave, Process};
use crate::state::{Flags, SET_NAMES};
use crate::syntax::Dialect;

pub(super) fn set<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    if words.len() == 1 {
        super::vars::list(process, cx);
        return Flow::Done(0);
    }
    let dialect = process.state.dialect;
    let mut args = words[1..].iter();
    while let Some(arg) = args.clone().next() {
        let on = arg.starts_with('-');
        if arg == "--" || arg == "-" {
            args.next();
            let rest: Vec<String> = args.cloned().collect();
            if arg == "-" {
                process.state.flags.xtrace = false;
                process.state.flags.verbose = false;
            }
            if arg == "--" || !rest.is_empty() {
                process.state.positional = rest;
            }
            return Flow::Done(0);
        }
        if !on && !arg.starts_with('+') {
            process.state.positional = args.cloned().collect();
            return Flow::Done(0);
        }
        args.next();
        for letter in arg.chars().skip(1) {
            if letter == 'o' {
                let Some(name) = args.next() else {
                    list_options(process, on, cx);
                    return Flow::Done(0);
                };
                if !process.state.flags.switch(name, on, dialect) {
                    return bad_option(process, &format!("-o {name}"), cx);
                }
            } else if !process.state.flags.switch_letter(letter, on, dialect) {
                return bad_option(process, &format!("{}{letter}", if on { '-' } else { '+' }), cx);
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
        Dialect::Dash => {
            process.complain(cx, Some("set"), &format!("Illegal option {option}"));
            Flow::Leave(Leave::Abort(2))
        }
        Dialect::Bash => {
            let message = match option.strip_prefix("-o ") {
                Some(name) => format!("{name}: invalid option name"),
                None => format!("{option}: invalid option"),
            };
            process.complain(cx, Some("set"), &message);
            if !option.starts_with("-o ") {
                let usage = "set: usage: set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]\n";
                process.write(2, usage.as_bytes(), cx);
            }
            Flow::Done(if option.starts_with("-o ") { 1 } else { 2 })
        }
    }
}

fn list_options<H: Host>(process: &mut Process<H::Command>, table: bool, cx: &mut Context<'_, H>) {
    let (flags, dialect) = (process.state.flags, process.state.dialect);
    let posix = [
        "errexit",
        "noglob",
        "ignoreeof",
        "interactive",
        "monitor",
        "noexec",
        "stdin",
        "xtrace",
        "verbose",
        "noclobber",
        "allexport",
        "notify",
        "nounset",
        "vi",
        "pipefail",
    ];
    let names: Vec<&str> = match dialect {
        Dialect::Bash => SET_NAMES.to_vec(),
        Dialect::Ash => posix.to_vec(),
        Dialect::Dash => posix[..posix.len() - 1].to_vec(),
    };
    let mut text = String::new();
    if !dialect.is_bash() && table {
        text.push_str("Current option settings\n");
    }
    for name in names {
        let on = flags.is_on(name, dialect);
        text.push_str(&match (table, dialect.is_bash()) {
            (true, true) => format!("{name:<15}\t{}\n", if on { "on" } else { "off" }),
            (true, false) => format!("{name:<16}{}\n", if on { "on" } else { "off" }),
            (false, _) => format!("set {}o {name}\n", if on { '-' } else { '+' }),
        });
    }
    process.write(1, text.as_bytes(), cx);
}

/// `shopt [-pqsu] [-o] [name …]`
pub(super) fn shopt<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let letters: String = words[1..].iter().take_while(|arg| arg.starts_with('-')).map(|arg| &arg[1..]).collect();
    let names: Vec<&String> = words[1..].iter().skip_while(|arg| arg.starts_with('-')).collect();
    if let Some(letter) = letters.chars().find(|c| !"pqsuo".contains(*c)) {
        process.complain(cx, Some("shopt"), &format!("-{letter}: invalid option"));
        return Flow::Done(2);
    }
    let of_set = letters.contains('o');
    let dialect = process.state.dialect;
    let turns = letters.contains('s') || letters.contains('u');
    let mut status = 0;
    if turns && !names.is_empty() {
        for name in names {
            let on = letters.contains('s');
            let known = match of_set {
                true => process.state.flags.switch(name, on, dialect),
                false => process.state.flags.shopt(name, on),
            };
            if !known {
                process.complain(cx, Some("shopt"), &format!("{name}: invalid shell option name"));
                status = 1;
            }
        }
        return Flow::Done(status);
    }
    let all: Vec<String> = match (names.is_empty(), of_set) {
        (false, _) => names.into_iter().cloned().collect(),
        (true, true) => SET_NAMES.iter().map(|name| (*name).to_string()).collect(),
        (true, false) => Flags::shopt_names().into_iter().map(str::to_string).collect(),
    };
    let listed = all.len() > 1 && words.len() <= 2;
    let mut text = String::new();
    for name in all {
        let flags = process.state.flags;
        let on = match of_set {
            true => Some(flags.is_on(&name, dialect)),
            false => flags.shopt_is_on(&name),
        };
        let Some(on) = on else {
            process.complain(cx, Some("shopt"), &format!("{name}: invalid shell option name"));
            status = 1;
            continue;
        };
        if turns && on != letters.contains('s') {
            continue;
        }
        if !on && !listed {
            status = 1;
        }
        if letters.contains('q') {
            continue;
        }
        text.push_str(&match (letters.contains('p'), of_set) {
            (true, false) => format!("shopt -{} {name}\n", if on { 's' } else { 'u' }),
            (true, true) => format!("set {}o {name}\n", if on { '-' } else { '+' }),
            (false, _) => format!("{name:<15}\t{}\n", if on { "on" } else { "off" }),
        });
    }
    process.write(1, text.as_bytes(), cx);
    Flow::Done(status)
}
