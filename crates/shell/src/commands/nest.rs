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
            "-u" | "--unset" => {
                at += 1;
                unset.extend(call.args.get(at).cloned());
            }
            "-0" | "--" => {}
            "-S" if !call.is_ash() => {
                at += 1;
                let words = call.args.get(at).map(|text| text.split_whitespace().map(str::to_string).collect());
                let mut argv: Vec<String> = words.unwrap_or_default();
                argv.extend(call.args.get(at + 1..).unwrap_or_default().iter().cloned());
                return Outcome::Nests(Nested::Env { argv, set, unset, clear, started: false });
            }
            option if option.starts_with("-u") && option.len() > 2 => unset.push(option[2..].to_string()),
            option if option.starts_with('-') => {
                call.bad_option(option);
                return Outcome::Done(if call.is_ash() { 1 } else { 125 });
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
    let mut args = call.args.to_vec();
    let (mut signal, mut kill_after, mut keeps_status) = (Signal::Term, None, false);
    let failure = if call.is_ash() { 1 } else { 125 };
    while let Some(option) = args.first().filter(|arg| arg.starts_with('-') && arg.len() > 1).cloned() {
        args.remove(0);
        let (name, attached) = match option.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name.to_string(), Some(value.to_string())),
            _ if option.starts_with("--") || option.len() == 2 => (option.clone(), None),
            _ => (option[..2].to_string(), Some(option[2..].to_string())),
        };
        let gnu = !call.is_ash();
        match name.as_str() {
            "--" => break,
            "-s" | "--signal" | "-k" | "--kill-after" if gnu || name.len() == 2 => {
                let value = match attached {
                    Some(value) => value,
                    None if args.is_empty() => return call.usage(failure),
                    None => args.remove(0),
                };
                if name.contains('s') && name != "--kill-after" {
                    match Signal::parse(&value) {
                        Some(parsed) => signal = parsed,
                        None => {
                            call.err("timeout", &format!("{value}: invalid signal"));
                            return Outcome::Done(failure);
                        }
                    }
                } else {
                    kill_after = parse_seconds(&value);
                }
            }
            "--preserve-status" if gnu => keeps_status = true,
            "--foreground" | "-v" | "--verbose" if gnu => {}
            _ => {
                call.bad_option(&option);
                return Outcome::Done(failure);
            }
        }
    }
    if args.len() < 2 {
        return call.missing("missing operand", failure);
    }
    let text = args.remove(0);
    let Some(span) = parse_seconds(&text) else {
        let message = match call.is_ash() {
            true => format!("invalid number '{text}'"),
            false => format!("invalid time interval '{text}'\nTry 'timeout --help' for more information."),
        };
        call.err("timeout", &message);
        return Outcome::Done(failure);
    };
    let span = if span == Span::ZERO { Span::MAX } else { span };
    let deadline = call.system.now() + span;
    Outcome::Nests(Nested::Timeout {
        argv: args,
        deadline,
        signal,
        kill_after,
        keeps_status,
        started: false,
        fired: false,
    })
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
    let ash = call.is_ash();
    let mut args = call.args.iter();
    while let Some(option) = args.clone().next().filter(|arg| arg.starts_with('-') && arg.len() > 1) {
        args.next();
        if option == "--" {
            break;
        }
        let long = option.strip_prefix("--").filter(|_| !ash).map(|name| name.split_once('=').unwrap_or((name, "")));
        let (letter, attached) = match long {
            Some((name, value)) => {
                let letter = match name {
                    "null" => "0",
                    "no-run-if-empty" => "r",
                    "verbose" => "t",
                    "max-args" => "n",
                    "max-procs" => "P",
                    "max-lines" => "L",
                    "delimiter" => "d",
                    "replace" => "I",
                    "arg-file" => "a",
                    _ => return call.bad_option(option),
                };
                (letter, value.to_string())
            }
            None => (option.get(1..2).unwrap_or_default(), option.get(2..).unwrap_or_default().to_string()),
        };
        let mut value = || if attached.is_empty() { args.next().cloned() } else { Some(attached.clone()) };
        let mut flags = attached.clone();
        match letter {
            "n" => match value().and_then(|text| text.parse::<usize>().ok()).filter(|n| *n > 0) {
                Some(n) => xargs.per_run = Some(n),
                None => return call.usage(1),
            },
            "L" if !ash => match value().and_then(|text| text.parse::<usize>().ok()).filter(|n| *n > 0) {
                Some(n) => xargs.lines = Some(n),
                None => return call.usage(1),
            },
            "I" => xargs.replace = value(),
            "i" if !ash => xargs.replace = Some(if attached.is_empty() { "{}".into() } else { attached.clone() }),
            "E" => xargs.end = value(),
            "d" if !ash => {
                let text = value().unwrap_or_default();
                let (bytes, _) = crate::escapes::unescape_bytes(&text, crate::escapes::Style::Printf);
                xargs.delimiter = bytes.first().copied();
            }
            "P" | "s" => {
                value();
            }
            "a" => {
                let file = value().unwrap_or_default();
                match call.read_file(&file) {
                    Ok(bytes) => {
                        xargs.input = bytes;
                        xargs.words = split_xargs(&xargs).ok().map(Into::into);
                    }
                    Err(error) => {
                        call.err("xargs", &format!("Cannot open input file '{file}': {error}"));
                        return Outcome::Done(1);
                    }
                }
            }
            "0" | "r" | "t" | "x" | "p" | "o" => {
                flags.insert_str(0, letter);
                // Letters in a row, the last of which may take a value.
                let mut rest = flags.chars();
                while let Some(flag) = rest.next() {
                    let behind = rest.as_str().to_string();
                    match flag {
                        '0' => xargs.delimiter = Some(0),
                        'r' => xargs.skip_if_empty = true,
                        't' => xargs.trace = true,
                        'x' => {}
                        'n' | 'I' => {
                            let value = if behind.is_empty() { args.next().cloned() } else { Some(behind) };
                            match flag {
                                'n' => xargs.per_run = value.and_then(|text| text.parse().ok()),
                                _ => xargs.replace = value,
                            }
                            break;
                        }
                        _ => return call.bad_option(&format!("-{flag}")),
                    }
                }
            }
            _ => return call.bad_option(&format!("-{letter}")),
        }
    }
    xargs.argv = args.cloned().collect();
    if xargs.argv.is_empty() {
        xargs.argv.push("echo".into());
    }
    Outcome::Nests(Nested::Xargs(xargs))
}

/// The words of xargs' input: lines for `-I`, else split at blanks with quotes and backslashes obeyed. With `-L`, `"\n"`
/// stands where a line ends.
///
/// # Errors
/// The quote that is not closed.
pub fn split_xargs(xargs: &Xargs) -> Result<Vec<String>, &'static str> {
    let text = String::from_utf8_lossy(&xargs.input);
    if let Some(delimiter) = xargs.delimiter {
        let text = text.strip_suffix(char::from(delimiter)).unwrap_or(&text);
        return Ok(match text {
            "" => Vec::new(),
            text => text.split(char::from(delimiter)).map(str::to_string).collect(),
        });
    }
    if xargs.replace.is_some() {
        let lines = text.lines().map(|line| line.trim_start().replace(['"', '\''], "").to_string());
        return Ok(lines.filter(|line| !line.is_empty()).collect());
    }
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some('\''), '\n') => return Err("single"),
            (Some(_), '\n') => return Err("double"),
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '\\') => word.get_or_insert_default().extend(chars.next()),
            (None, c) if c.is_whitespace() => {
                words.extend(word.take());
                if c == '\n' && xargs.lines.is_some() && words.last().is_some_and(|last| last != "\n") {
                    words.push("\n".to_string());
                }
            }
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    match quote {
        Some('\'') => Err("single"),
        Some(_) => Err("double"),
        None => {
            if let Some(at) = xargs.end.as_ref().and_then(|end| words.iter().position(|word| word == end)) {
                words.truncate(at);
            }
            Ok(words)
        }
    }
}
