//! Commands that run other commands: reading their arguments. The running is in `interp/nested.rs`.

use super::{Call, Outcome, parse_seconds};
use crate::interp::{Nested, Xargs};
use crate::process::Signal;
use values::time::Span;

pub fn env(call: &mut Call<'_>) -> Outcome {
    let (mut set, mut unset, mut clear) = (Vec::new(), Vec::new(), false);
    let mut at = 0;
    while let Some(arg) = call.args.get(at) {
        match arg.as_str() {
            "-i" | "-" | "--ignore-environment" => clear = true,
            "-u" => {
                at += 1;
                unset.extend(call.args.get(at).cloned());
            }
            _ => match arg.split_once('=') {
                Some((name, value)) => set.push((name.to_string(), value.to_string())),
                None => break,
            },
        }
        at += 1;
    }
    let argv = call.args.get(at..).unwrap_or_default().to_vec();
    if !argv.is_empty() {
        return Outcome::Nests(Nested::Env { argv, set, unset, clear, started: false });
    }
    let mut env = if clear { Default::default() } else { call.state.env() };
    env.retain(|name, _| !unset.contains(name));
    env.extend(set);
    for (name, value) in env {
        call.out(&format!("{name}={value}\n"));
    }
    Outcome::Done(0)
}

/// `nice` and `nohup`: priorities and hang-ups do not exist here.
pub fn nice(call: &mut Call<'_>) -> Outcome {
    let skip = match call.args.first().map(String::as_str) {
        Some("-n") => 2,
        Some(option) if option.starts_with('-') => 1,
        _ => 0,
    };
    let argv = call.args.get(skip..).unwrap_or_default().to_vec();
    if argv.is_empty() {
        return call.usage(1);
    }
    Outcome::Nests(Nested::Env { argv, set: Vec::new(), unset: Vec::new(), clear: false, started: false })
}

pub fn time(call: &mut Call<'_>) -> Outcome {
    let argv: Vec<String> = call.args.iter().skip_while(|arg| *arg == "-p").cloned().collect();
    if argv.is_empty() {
        return call.usage(1);
    }
    Outcome::Nests(Nested::Timed { argv, since: None })
}

pub fn timeout(call: &mut Call<'_>) -> Outcome {
    let mut args = call.args;
    let mut signal = Signal::Term;
    while let Some(option) = args.first().filter(|arg| arg.starts_with('-') && arg.len() > 1) {
        let takes_value = matches!(option.as_str(), "-s" | "-k");
        if option == "-s" {
            let Some(parsed) = args.get(1).and_then(|name| Signal::parse(name)) else { return call.usage(1) };
            signal = parsed;
        }
        args = args.get(if takes_value { 2 } else { 1 }..).unwrap_or_default();
    }
    let [span, argv @ ..] = args else { return call.usage(if call.is_ash() { 1 } else { 125 }) };
    let Some(span) = parse_seconds(span).filter(|_| !argv.is_empty()) else {
        if argv.is_empty() {
            return call.usage(if call.is_ash() { 1 } else { 125 });
        }
        let quotes = if call.is_ash() {
            format!("invalid number '{span}'")
        } else {
            format!("invalid time interval ‘{span}’")
        };
        call.err("timeout", &quotes);
        return Outcome::Done(if call.is_ash() { 1 } else { 125 });
    };
    let span = if span == Span::ZERO { Span::MAX } else { span };
    let deadline = call.system.now() + span;
    Outcome::Nests(Nested::Timeout { argv: argv.to_vec(), deadline, signal, started: false, fired: false })
}

pub fn watch(call: &mut Call<'_>) -> Outcome {
    let (mut every, mut title) = (Span::secs(2), true);
    let mut args = call.args;
    while let Some(option) = args.first().filter(|arg| arg.starts_with('-')) {
        let (letter, attached) = (option.get(1..2).unwrap_or_default(), option.get(2..).unwrap_or_default());
        match letter {
            "n" => {
                if attached.is_empty() {
                    args = args.get(1..).unwrap_or_default();
                }
                let text = if attached.is_empty() { args.first().map_or("", String::as_str) } else { attached };
                let Some(span) = parse_seconds(text) else { return call.usage(1) };
                every = span.max(Span::ms(100));
            }
            "t" => title = false,
            _ => {}
        }
        args = args.get(1..).unwrap_or_default();
    }
    if args.is_empty() {
        return call.usage(1);
    }
    Outcome::Nests(Nested::Watch { line: args.join(" "), every, next: None, title })
}

pub fn xargs(call: &mut Call<'_>) -> Outcome {
    let mut xargs = Xargs::default();
    let mut args = call.args.iter();
    while let Some(option) = args.clone().next().filter(|arg| arg.starts_with('-') && arg.len() > 1) {
        args.next();
        let (letter, attached) =
            (option.get(1..2).unwrap_or_default(), option.get(2..).unwrap_or_default().to_string());
        let mut value = || if attached.is_empty() { args.next().cloned() } else { Some(attached.clone()) };
        match letter {
            "n" | "L" => match value().and_then(|text| text.parse::<usize>().ok()).filter(|n| *n > 0) {
                Some(n) => xargs.per_run = Some(n),
                None => return call.usage(1),
            },
            "I" => xargs.replace = value(),
            "P" | "s" | "E" => {
                value();
            }
            "0" => xargs.null_separated = true,
            "r" => xargs.skip_if_empty = true,
            "t" => xargs.trace = true,
            "d" => xargs.null_separated = false,
            _ => return call.bad_option(option),
        }
    }
    xargs.argv = args.cloned().collect();
    if xargs.argv.is_empty() {
        xargs.argv.push("echo".into());
    }
    Outcome::Nests(Nested::Xargs(xargs))
}

/// The words of xargs' input: lines for `-I`, else split at blanks with quotes and backslashes obeyed.
pub fn split_xargs(xargs: &Xargs) -> Vec<String> {
    let text = String::from_utf8_lossy(&xargs.input);
    if xargs.null_separated {
        return text.split('\0').filter(|word| !word.is_empty()).map(str::to_string).collect();
    }
    if xargs.replace.is_some() {
        return text.lines().map(|line| line.trim_start().to_string()).filter(|line| !line.is_empty()).collect();
    }
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
