//! Variables and the current directory: `cd`, `pwd`, `export`, `readonly`, `local`, `unset`, `shift`, `let`, `printf -v`.

use super::Flow;
use super::flow::number;
use crate::shell::commands::printf_text;
use crate::shell::escapes::quote;
use crate::shell::expand::{arith, read_only_message};
use crate::shell::host::{Host, resolve};
use crate::shell::interp::{Context, Leave, Process};
use crate::shell::syntax::{Dialect, is_name};

pub(super) fn cd<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let target = match words.get(1).map(String::as_str).filter(|arg| *arg != "--") {
        None => process.state.get("HOME").unwrap_or("/").to_string(),
        Some("-") => match process.state.get("OLDPWD") {
            Some(old) => old.to_string(),
            None => {
                process.complain(cx, Some("cd"), "OLDPWD not set");
                return Flow::Done(1);
            }
        },
        Some(path) => path.to_string(),
    };
    let path = resolve(&process.state.cwd, &target);
    let error = match cx.host.info(&path) {
        Ok(info) if info.directory() => None,
        Ok(_) => Some("Not a directory".to_string()),
        Err(error) => Some(error.to_string()),
    };
    if let Some(error) = error {
        let ash = process.state.dialect == Dialect::Ash;
        let message = if ash { format!("can't cd to {target}: {error}") } else { format!("{target}: {error}") };
        process.complain(cx, Some("cd"), &message);
        // cd is no special built-in, but ash ends a script with 2 when it is the last command.
        return Flow::Done(if ash { 2 } else { 1 });
    }
    let old = std::mem::replace(&mut process.state.cwd, path.clone());
    let _ = process.state.set("OLDPWD", old);
    let _ = process.state.set("PWD", path.clone());
    if words.get(1).is_some_and(|arg| arg == "-") {
        process.write(1, format!("{path}\n").as_bytes(), cx);
    }
    Flow::Done(0)
}

pub(super) fn pwd<H: Host>(process: &mut Process<H::Command>, _: &[String], cx: &mut Context<'_, H>) -> Flow {
    let text = format!("{}\n", process.state.cwd);
    process.write(1, text.as_bytes(), cx);
    Flow::Done(0)
}

/// A name that is none: special built-ins end a script of ash then.
fn bad_name<H: Host>(process: &mut Process<H::Command>, builtin: &str, name: &str, cx: &mut Context<'_, H>) -> Flow {
    match process.state.dialect {
        Dialect::Ash => {
            process.complain(cx, Some(builtin), &format!("{name}: bad variable name"));
            Flow::Leave(Leave::Abort(2))
        }
        Dialect::Bash => {
            process.complain(cx, Some(builtin), &format!("`{name}': not a valid identifier"));
            Flow::Done(1)
        }
    }
}

pub(super) fn export<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let exports = words[0] == "export";
    let args: Vec<&String> = words[1..].iter().filter(|arg| !matches!(arg.as_str(), "-p" | "--" | "-n")).collect();
    let remove = words[1..].iter().any(|arg| arg == "-n");
    if args.is_empty() {
        let bash = process.state.dialect == Dialect::Bash;
        let mut text = String::new();
        for (name, var) in &process.state.vars {
            if if exports { var.exported } else { var.read_only } {
                let start = match (bash, exports) {
                    (true, true) => "declare -x",
                    (true, false) => "declare -r",
                    (false, _) => words[0].as_str(),
                };
                let value = var.value.as_ref().map(|value| {
                    if bash {
                        format!("=\"{}\"", value.replace('"', "\\\""))
                    } else {
                        format!("='{}'", value.replace('\'', "'\\''"))
                    }
                });
                text.push_str(&format!("{start} {name}{}\n", value.unwrap_or_default()));
            }
        }
        process.write(1, text.as_bytes(), cx);
        return Flow::Done(0);
    }
    for arg in args {
        let (name, value) = arg.split_once('=').map_or((arg.as_str(), None), |(name, value)| (name, Some(value)));
        if !is_name(name) {
            return bad_name(process, &words[0], name, cx);
        }
        if let Some(value) = value
            && process.state.set(name, value).is_err()
        {
            return read_only(process, name, cx);
        }
        let var = process.state.vars.entry(name.to_string()).or_default();
        if exports {
            var.exported = !remove;
        } else {
            var.read_only = true;
        }
    }
    Flow::Done(0)
}

fn read_only<H: Host>(process: &mut Process<H::Command>, name: &str, cx: &mut Context<'_, H>) -> Flow {
    let message = read_only_message(process.state.dialect, name);
    process.complain(cx, None, &message);
    Flow::Leave(Leave::Abort(if process.state.dialect == Dialect::Ash { 2 } else { 1 }))
}

/// `local`, and bash's `declare` with the letters that mean something here.
pub(super) fn local<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let is_local = words[0] == "local";
    if is_local && !process.in_function() {
        let text =
            if process.state.dialect == Dialect::Ash { "not in a function" } else { "can only be used in a function" };
        process.complain(cx, Some("local"), text);
        return match process.state.dialect {
            Dialect::Ash => Flow::Leave(Leave::Abort(2)),
            Dialect::Bash => Flow::Done(1),
        };
    }
    let letters: String = words[1..].iter().filter_map(|arg| arg.strip_prefix('-')).collect();
    for arg in words[1..].iter().filter(|arg| !arg.starts_with('-')) {
        let (name, value) = arg.split_once('=').map_or((arg.as_str(), None), |(name, value)| (name, Some(value)));
        if !is_name(name) {
            return bad_name(process, &words[0], name, cx);
        }
        process.save_local(name);
        let keeps = process.state.dialect == Dialect::Ash || !is_local;
        let value = match value {
            Some(text) if letters.contains('i') => match arith::evaluate(text, &mut process.state) {
                Ok(number) => Some(number.to_string()),
                Err(_) => Some("0".to_string()),
            },
            Some(text) => Some(text.to_string()),
            None if keeps => process.state.get(name).map(str::to_string),
            None => None,
        };
        if process.state.vars.get(name).is_some_and(|var| var.read_only) {
            return read_only(process, name, cx);
        }
        let var = process.state.vars.entry(name.to_string()).or_default();
        var.value = value;
        var.exported |= letters.contains('x');
        var.read_only |= letters.contains('r');
    }
    Flow::Done(0)
}

pub(super) fn unset<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let functions = words.get(1).is_some_and(|arg| arg == "-f");
    for name in words[1..].iter().filter(|arg| !arg.starts_with('-')) {
        if functions {
            process.state.functions.remove(name);
        } else if !is_name(name) {
            return bad_name(process, "unset", name, cx);
        } else if process.state.vars.get(name).is_some_and(|var| var.read_only) {
            return read_only(process, name, cx);
        } else if process.state.vars.remove(name).is_none() && process.state.dialect == Dialect::Bash {
            process.state.functions.remove(name);
        }
    }
    Flow::Done(0)
}

pub(super) fn shift<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let count = match number(process, words, 1, cx) {
        Ok(count) => usize::try_from(count).unwrap_or(usize::MAX),
        Err(flow) => return flow,
    };
    if count > process.state.positional.len() {
        return Flow::Done(1);
    }
    process.state.positional.drain(..count);
    Flow::Done(0)
}

pub(super) fn let_values<H: Host>(
    process: &mut Process<H::Command>,
    words: &[String],
    cx: &mut Context<'_, H>,
) -> Flow {
    let mut last = 0;
    for text in &words[1..] {
        match arith::evaluate(text, &mut process.state) {
            Ok(value) => last = value,
            Err(message) => {
                process.complain(cx, Some("let"), &message);
                return Flow::Done(1);
            }
        }
    }
    Flow::Done(i32::from(last == 0))
}

/// `printf`, and bash's `printf -v name`.
pub(super) fn printf<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let bash = process.state.dialect == Dialect::Bash;
    let into = words.get(2).filter(|_| bash && words[1] == "-v").cloned();
    let mut args = if into.is_some() { &words[3..] } else { &words[1..] };
    if args.first().is_some_and(|arg| arg == "--") {
        args = &args[1..];
    }
    let Some((format, values)) = args.split_first() else {
        let prefix = process.state.prefix(bash.then_some("printf"));
        let usage =
            if bash { "usage: printf [-v var] format [arguments]" } else { "usage: printf FORMAT [ARGUMENT...]" };
        process.write(2, format!("{prefix}{usage}\n").as_bytes(), cx);
        return Flow::Done(if bash { 2 } else { 1 });
    };
    let printed = printf_text(format, values, process.state.dialect);
    for message in &printed.errors {
        process.complain(cx, bash.then_some("printf"), message);
    }
    let status = i32::from(!printed.errors.is_empty());
    match into {
        Some(name) if is_name(&name) => {
            let text = String::from_utf8_lossy(&printed.bytes).into_owned();
            if process.state.set(&name, text).is_err() {
                return read_only(process, &name, cx);
            }
        }
        Some(name) => return bad_name(process, "printf", &name, cx),
        None => {
            if !process.write(1, &printed.bytes, cx) {
                process.broken_pipe(cx);
                return Flow::Continues;
            }
        }
    }
    Flow::Done(status)
}

pub(super) fn umask<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    if words.len() < 2 {
        process.write(1, b"0022\n", cx);
    }
    Flow::Done(0)
}

/// All variables, as `set` without arguments prints them.
pub(super) fn list<H: Host>(process: &mut Process<H::Command>, cx: &mut Context<'_, H>) {
    let mut text = String::new();
    for (name, var) in &process.state.vars {
        if let Some(value) = &var.value {
            let shown = match process.state.dialect {
                Dialect::Ash => format!("'{}'", value.replace('\'', "'\\''")),
                Dialect::Bash if value.contains('\n') => {
                    format!("$'{}'", value.replace('\n', "\\n").replace('\t', "\\t"))
                }
                Dialect::Bash => quote(value),
            };
            text.push_str(&format!("{name}={shown}\n"));
        }
    }
    process.write(1, text.as_bytes(), cx);
}
