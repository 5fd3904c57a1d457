//! Built-ins around the shell itself: `alias`, `builtin`, `caller`, `pushd`, `enable`, `compgen`, `help`, `hash` …

use super::{Flow, find};
use crate::commands;
use crate::escapes::quote_always;
use crate::host::{Host, resolve};
use crate::interp::{Context, Process};
use crate::syntax::{Dialect, KEYWORDS};

pub(super) fn alias<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let bash = process.state.dialect.is_bash();
    let start = if bash { "alias " } else { "" };
    let args: Vec<&String> = words[1..].iter().filter(|arg| *arg != "-p").collect();
    let mut text = String::new();
    let mut status = 0;
    if args.is_empty() {
        for (name, value) in &process.state.aliases {
            text.push_str(&format!("{start}{name}={}\n", quote_always(value)));
        }
    }
    for arg in args {
        match (arg.split_once('='), process.state.aliases.get(arg)) {
            (Some((name, value)), _) => {
                process.state.aliases.insert(name.to_string(), value.to_string());
            }
            (None, Some(value)) => text.push_str(&format!("{start}{arg}={}\n", quote_always(value))),
            (None, None) => {
                let message = format!("{arg}: not found");
                process.complain(cx, Some("alias"), &message);
                status = 1;
            }
        }
    }
    process.write(1, text.as_bytes(), cx);
    Flow::Done(status)
}

pub(super) fn unalias<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let mut status = 0;
    for name in &words[1..] {
        if name == "-a" {
            process.state.aliases.clear();
        } else if process.state.aliases.remove(name).is_none() {
            process.complain(cx, Some("unalias"), &format!("{name}: not found"));
            status = 1;
        }
    }
    Flow::Done(status)
}

/// `builtin name`: the built-in, whatever functions there are.
pub(super) fn builtin<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let Some(name) = words.get(1) else { return Flow::Done(0) };
    if !process.is_builtin::<H>(name) {
        process.complain(cx, Some("builtin"), &format!("{name}: not a shell builtin"));
        return Flow::Done(1);
    }
    process.run_words(words[1..].to_vec(), false, cx);
    Flow::Continues
}

pub(super) fn caller<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let depth = words.get(1).and_then(|text| text.parse::<usize>().ok());
    let calls = &process.state.calls;
    let Some((_, line)) = calls.len().checked_sub(depth.unwrap_or(0) + 1).and_then(|at| calls.get(at)) else {
        return Flow::Done(1);
    };
    let above = calls.len().checked_sub(depth.unwrap_or(0) + 2).and_then(|at| calls.get(at));
    let from = above.map_or("main", |(name, _)| name.as_str());
    let source = if process.state.named { process.state.name.clone() } else { "environment".to_string() };
    let text = match depth {
        Some(_) => format!("{line} {from} {source}\n"),
        None => format!("{line} {}\n", if process.state.named { source } else { "NULL".to_string() }),
    };
    process.write(1, text.as_bytes(), cx);
    Flow::Done(0)
}

/// `pushd`, `popd`, `dirs`
pub(super) fn directories<H: Host>(
    process: &mut Process<H::Command>,
    words: &[String],
    cx: &mut Context<'_, H>,
) -> Flow {
    let arg = words[1..].iter().find(|arg| !matches!(arg.as_str(), "-n" | "--" | "-l" | "-v" | "-p" | "-c"));
    let has = |option: &str| words[1..].iter().any(|arg| arg == option);
    let rotation = arg.and_then(|text| text.strip_prefix(['+', '-'])).and_then(|text| text.parse::<usize>().ok());
    let length = process.state.directories.len() + 1;
    let place =
        rotation.map(|n| if arg.is_some_and(|text| text.starts_with('-')) { length.wrapping_sub(n + 1) } else { n });
    match words[0].as_str() {
        "pushd" => match (arg, place) {
            (_, Some(at)) if at < length => {
                let mut all = vec![process.state.cwd.clone()];
                all.append(&mut process.state.directories);
                all.rotate_left(at);
                super::vars::go_to(&mut process.state, all.remove(0));
                process.state.directories = all;
            }
            (_, Some(_)) => return out_of_range(process, "pushd", arg, cx),
            (None, _) if process.state.directories.is_empty() => {
                process.complain(cx, Some("pushd"), "no other directory");
                return Flow::Done(1);
            }
            (None, _) => {
                let next = process.state.directories.remove(0);
                let old = process.state.cwd.clone();
                super::vars::go_to(&mut process.state, next);
                process.state.directories.insert(0, old);
            }
            (Some(target), _) => {
                let path = resolve(&process.state.cwd, target);
                let error = match cx.host.info(&path) {
                    Ok(info) if info.directory() => None,
                    Ok(_) => Some("Not a directory".to_string()),
                    Err(error) => Some(error.to_string()),
                };
                if let Some(error) = error {
                    process.complain(cx, Some("pushd"), &format!("{target}: {error}"));
                    return Flow::Done(1);
                }
                let old = process.state.cwd.clone();
                super::vars::go_to(&mut process.state, path);
                process.state.directories.insert(0, old);
            }
        },
        "popd" => match place {
            _ if process.state.directories.is_empty() => {
                process.complain(cx, Some("popd"), "directory stack empty");
                return Flow::Done(1);
            }
            Some(at) if at > 0 && at < length => {
                process.state.directories.remove(at - 1);
            }
            Some(at) if at >= length => return out_of_range(process, "popd", arg, cx),
            _ => {
                let next = process.state.directories.remove(0);
                super::vars::go_to(&mut process.state, next);
            }
        },
        _ if has("-c") => {
            process.state.directories.clear();
            return Flow::Done(0);
        }
        _ => {}
    }
    let home = process.state.get("HOME").unwrap_or_default().to_string();
    let short = |path: &String| match path.strip_prefix(&home) {
        Some(rest) if !home.is_empty() && !has("-l") && (rest.is_empty() || rest.starts_with('/')) => {
            format!("~{rest}")
        }
        _ => path.clone(),
    };
    let shown: Vec<String> = std::iter::once(&process.state.cwd).chain(&process.state.directories).map(short).collect();
    let text = if has("-v") {
        shown.iter().zip(0..).map(|(path, n): (&String, usize)| format!("{n:>2}  {path}\n")).collect()
    } else if has("-p") {
        shown.join("\n") + "\n"
    } else {
        shown.join(" ") + "\n"
    };
    process.write(1, text.as_bytes(), cx);
    Flow::Done(0)
}

fn out_of_range<H: Host>(
    process: &mut Process<H::Command>,
    name: &str,
    arg: Option<&String>,
    cx: &mut Context<'_, H>,
) -> Flow {
    let shown = arg.map_or("", String::as_str);
    process.complain(cx, Some(name), &format!("{shown}: directory stack index out of range"));
    Flow::Done(1)
}

/// `enable`: all built-ins, or nothing to switch.
pub(super) fn enable<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let names: Vec<&String> = words[1..].iter().filter(|arg| !arg.starts_with('-')).collect();
    if names.is_empty() {
        let text: String = super::names(Dialect::Bash).map(|name| format!("enable {name}\n")).collect();
        process.write(1, text.as_bytes(), cx);
        return Flow::Done(0);
    }
    let mut status = 0;
    for name in names {
        if !process.is_builtin::<H>(name) {
            process.complain(cx, Some("enable"), &format!("{name}: not a shell builtin"));
            status = 1;
        } else if words[1..].iter().any(|arg| arg == "-n") {
            process.complain(cx, Some("enable"), &format!("{name}: Batchyard cannot switch built-ins off"));
            status = 1;
        }
    }
    Flow::Done(status)
}

/// `compgen -A function`, `-v`, `-c`, `-b`, `-k`, `-W words`.
pub(super) fn compgen<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let mut found: Vec<String> = Vec::new();
    let mut prefix = String::new();
    let mut args = words[1..].iter();
    while let Some(arg) = args.next() {
        let action = match arg.as_str() {
            "-A" => args.next().cloned().unwrap_or_default(),
            "-v" => "variable".into(),
            "-c" => "command".into(),
            "-b" => "builtin".into(),
            "-k" => "keyword".into(),
            "-a" => "alias".into(),
            "-e" => "export".into(),
            "-W" => {
                found.extend(args.next().into_iter().flat_map(|text| text.split_whitespace()).map(str::to_string));
                continue;
            }
            "-f" | "-d" => "file".into(),
            other if other.starts_with('-') => continue,
            other => {
                prefix = other.to_string();
                continue;
            }
        };
        match action.as_str() {
            "function" => found.extend(process.state.functions.keys().cloned()),
            "variable" => found.extend(process.state.vars.keys().cloned()),
            "export" => found.extend(process.state.env().keys().cloned()),
            "builtin" => found.extend(super::names(Dialect::Bash).map(str::to_string)),
            "keyword" => found.extend(KEYWORDS.map(str::to_string)),
            "alias" => found.extend(process.state.aliases.keys().cloned()),
            "command" => {
                found.extend(process.state.functions.keys().cloned());
                found.extend(super::names(Dialect::Bash).map(str::to_string));
                let offered = commands::names().filter(|name| cx.host.offers(name));
                found.extend(offered.map(str::to_string));
            }
            "file" => found.extend(cx.host.list_dir(&process.state.cwd).unwrap_or_default()),
            _ => {}
        }
    }
    found.retain(|name| name.starts_with(&prefix));
    let text: String = found.iter().map(|name| format!("{name}\n")).collect();
    process.write(1, text.as_bytes(), cx);
    Flow::Done(i32::from(found.is_empty()))
}

/// `hash`: nothing is remembered; a name that is nowhere is said.
pub(super) fn hash<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let mut status = 0;
    let bash = process.state.dialect.is_bash();
    for name in words[1..].iter().filter(|arg| !arg.starts_with('-')) {
        if !process.is_builtin::<H>(name) && process.path_to(name, cx).is_none() {
            let message = format!("{name}: not found");
            process.complain(cx, bash.then_some("hash"), &message);
            status = if bash { 1 } else { 127 };
        }
    }
    if bash && words.len() == 1 {
        process.write(1, b"hash: hash table empty\n", cx);
    }
    Flow::Done(status)
}

pub(super) fn help<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let dialect = process.state.dialect;
    let text = match words.get(1) {
        None if dialect.is_bash() => {
            let names: Vec<&str> = super::names(dialect).collect();
            format!("GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n{}\n", names.join("\n"))
        }
        None => {
            let names: Vec<&str> = super::names(dialect).collect();
            format!("Built-in commands:\n------------------\n\t{}\n\n", names.join(" "))
        }
        Some(name) if find::<H>(name, dialect).is_some() => format!("{name}: a shell builtin\n"),
        Some(name) => {
            let message =
                format!("no help topics match `{name}'.  Try `help help' or `man -k {name}' or `info {name}'.");
            process.complain(cx, Some("help"), &message);
            return Flow::Done(1);
        }
    };
    process.write(1, text.as_bytes(), cx);
    Flow::Done(0)
}

/// `fg` and `bg`: jobs run on; `fg` waits for one.
pub(super) fn foreground<H: Host>(
    process: &mut Process<H::Command>,
    words: &[String],
    cx: &mut Context<'_, H>,
) -> Flow {
    let text = words.get(1).map_or("%%", String::as_str);
    let Some(pid) = super::jobs::target(process, text) else {
        let message = if words.len() > 1 { format!("{text}: no such job") } else { "no current job".to_string() };
        process.complain(cx, Some(&words[0]), &message);
        return Flow::Done(if process.state.dialect.is_bash() { 1 } else { 2 });
    };
    if !process.state.interactive {
        process.complain(cx, Some(&words[0]), "no job control");
        return Flow::Done(1);
    }
    if words[0] == "fg" {
        process.frames.push(crate::interp::Frame::Wait { pids: vec![pid], all: false, any: false });
        return Flow::Continues;
    }
    Flow::Done(0)
}

/// What has a meaning only where someone types: said to be none.
pub(super) fn only_interactive<H: Host>(
    process: &mut Process<H::Command>,
    words: &[String],
    cx: &mut Context<'_, H>,
) -> Flow {
    match words[0].as_str() {
        "logout" => {
            process.complain(cx, Some("logout"), "not login shell: use `exit'");
            Flow::Done(1)
        }
        "suspend" => {
            process.complain(cx, Some("suspend"), "cannot suspend: no job control");
            Flow::Done(1)
        }
        _ => Flow::Done(0),
    }
}
