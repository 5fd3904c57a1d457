//! Variables and the current directory: `cd`, `pwd`, `export`, `readonly`, `local`, `declare`, `unset`, `shift`, `let`,
//! `printf -v`, `umask`.

use super::Flow;
use super::flow::number;
use crate::commands::{Mode, printf_text};
use crate::escapes::quote_value;
use crate::expand::params::double_quoted;
use crate::expand::{arith, read_only_message};
use crate::host::{Host, resolve};
use crate::interp::{Context, Leave, Process};
use crate::state::State;
use crate::syntax::{Dialect, is_name};
use crate::variables::{Array, Case, NotSet, Var};

pub(super) fn cd<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let arg = words[1..].iter().find(|arg| !matches!(arg.as_str(), "--" | "-P" | "-L" | "-e"));
    let bash = process.state.dialect.is_bash();
    if bash && words[1..].iter().filter(|arg| !arg.starts_with('-')).count() > 1 {
        process.complain(cx, Some("cd"), "too many arguments");
        return Flow::Done(1);
    }
    let target = match arg.map(String::as_str) {
        None => match process.state.get("HOME") {
            Some(home) => home.to_string(),
            None if bash => {
                process.complain(cx, Some("cd"), "HOME not set");
                return Flow::Done(1);
            }
            None => return Flow::Done(0),
        },
        Some("-") => match process.state.get("OLDPWD") {
            Some(old) => old.to_string(),
            None => {
                process.complain(cx, Some("cd"), "OLDPWD not set");
                return Flow::Done(1);
            }
        },
        Some(path) => path.to_string(),
    };
    let mut path = resolve(&process.state.cwd, &target);
    let mut shown = arg.is_some_and(|arg| arg == "-");
    let searches = !target.starts_with(['/', '.']);
    if let Some(list) = process.state.get("CDPATH").filter(|_| searches).map(str::to_string) {
        let found = list.split(':').map(|base| resolve(&resolve(&process.state.cwd, base), &target));
        if let Some(found) = found.into_iter().find(|path| cx.host.info(path).is_ok_and(|info| info.directory())) {
            shown |= found != path;
            path = found;
        }
    }
    let error = match cx.host.info(&path) {
        Ok(info) if info.directory() => None,
        Ok(_) => Some("Not a directory".to_string()),
        Err(error) => Some(error.to_string()),
    };
    if let Some(error) = error {
        let message = match process.state.dialect {
            Dialect::Ash => format!("can't cd to {target}: {error}"),
            Dialect::Dash => format!("can't cd to {target}"),
            Dialect::Bash => format!("{target}: {error}"),
        };
        process.complain(cx, Some("cd"), &message);
        // cd is no special built-in, but ash ends a script with 2 when it is the last command.
        return Flow::Done(if bash { 1 } else { 2 });
    }
    go_to(&mut process.state, path.clone());
    if shown {
        process.write(1, format!("{path}\n").as_bytes(), cx);
    }
    Flow::Done(0)
}

/// Makes a directory the current one.
pub(super) fn go_to(state: &mut State, path: String) {
    let old = std::mem::replace(&mut state.cwd, path.clone());
    let _ = state.set("OLDPWD", old);
    let _ = state.set("PWD", path);
}

pub(super) fn pwd<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let mut path = process.state.cwd.clone();
    if words.get(1).is_some_and(|arg| arg == "-P") {
        path = crate::commands::real_path(cx.host, &path).unwrap_or(path);
    }
    process.write(1, format!("{path}\n").as_bytes(), cx);
    Flow::Done(0)
}

/// A name that is none: special built-ins end a script of ash then.
fn bad_name<H: Host>(process: &mut Process<H::Command>, builtin: &str, name: &str, cx: &mut Context<'_, H>) -> Flow {
    match process.state.dialect {
        Dialect::Ash | Dialect::Dash => {
            process.complain(cx, Some(builtin), &format!("{name}: bad variable name"));
            Flow::Leave(Leave::Abort(2))
        }
        Dialect::Bash => {
            process.complain(cx, Some(builtin), &format!("`{name}': not a valid identifier"));
            Flow::Done(1)
        }
    }
}

fn complain_not_set<H: Host>(
    process: &mut Process<H::Command>,
    builtin: Option<&str>,
    name: &str,
    why: NotSet,
    cx: &mut Context<'_, H>,
) -> Flow {
    let bash = process.state.dialect.is_bash();
    let message = match why {
        NotSet::ReadOnly => read_only_message(process.state.dialect, name),
        NotSet::Wrong(message) => message,
    };
    process.complain(cx, builtin, &message);
    if bash { Flow::Done(1) } else { Flow::Leave(Leave::Abort(2)) }
}

pub(super) fn export<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let exports = words[0] == "export";
    let bash = process.state.dialect.is_bash();
    let options: String = words[1..].iter().take_while(|arg| arg.starts_with('-')).map(|arg| &arg[1..]).collect();
    let args: Vec<&String> = words[1..].iter().skip_while(|arg| arg.starts_with('-')).collect();
    if let Some(letter) = options.chars().find(|c| !"pnfaA-".contains(*c)) {
        process.complain(cx, Some(&words[0]), &format!("-{letter}: invalid option"));
        return Flow::Done(2);
    }
    let remove = options.contains('n');
    if args.is_empty() {
        let mut text = String::new();
        for (name, var) in &process.state.vars {
            if !if exports { var.exported } else { var.read_only } {
                continue;
            }
            if bash {
                text.push_str(&declaration(&process.state, name).unwrap_or_default());
            } else {
                let value = var.value.as_ref().map(|value| format!("={}", quote_value(value, process.state.dialect)));
                text.push_str(&format!("{} {name}{}", words[0], value.unwrap_or_default()));
            }
            text.push('\n');
        }
        process.write(1, text.as_bytes(), cx);
        return Flow::Done(0);
    }
    let mut status = 0;
    for arg in args {
        if options.contains('f') {
            if !process.state.functions.contains_key(arg.as_str()) {
                process.complain(cx, Some(&words[0]), &format!("{arg}: not a function"));
                status = 1;
            }
            continue;
        }
        let (name, value) = arg.split_once('=').map_or((arg.as_str(), None), |(name, value)| (name, Some(value)));
        let (name, append) = name.strip_suffix('+').filter(|_| bash).map_or((name, false), |name| (name, true));
        if !is_name(name) {
            match bad_name(process, &words[0], if bash { arg } else { name }, cx) {
                Flow::Done(code) => {
                    status = code;
                    continue;
                }
                flow => return flow,
            }
        }
        if let Some(value) = value
            && let Err(why) = process.state.set_element(name, None, value.to_string(), append)
        {
            match complain_not_set(process, None, name, why, cx) {
                Flow::Done(code) => {
                    status = code;
                    continue;
                }
                flow => return flow,
            }
        }
        let name = process.state.target(name).to_string();
        let var = process.state.vars.entry(name).or_default();
        if exports {
            var.exported = !remove;
        } else {
            var.read_only = true;
        }
    }
    Flow::Done(status)
}

/// How `declare -p` writes a variable; `None` if there is none.
pub fn declaration(state: &State, name: &str) -> Option<String> {
    let var = state.vars.get(name)?;
    let letters = var.letters();
    let start = format!("declare -{}", if letters.is_empty() { "-" } else { &letters });
    Some(match (&var.array, &var.value) {
        (Some(array), _) if array.len() == 0 => format!("{start} {name}=()"),
        (Some(array), _) => {
            let keyed = matches!(array, Array::Keyed(_));
            let items: Vec<String> = array
                .entries()
                .into_iter()
                .map(|(key, value)| {
                    let plain = key.chars().all(|c| c.is_ascii_alphanumeric() || "_-.,/:@%+".contains(c));
                    let key = if keyed && (key.is_empty() || !plain) { double_quoted(&key) } else { key };
                    format!("[{key}]={}", double_quoted(&value))
                })
                .collect();
            format!("{start} {name}=({}{})", items.join(" "), if keyed { " " } else { "" })
        }
        (None, Some(value)) => format!("{start} {name}={}", double_quoted(value)),
        (None, None) => format!("{start} {name}"),
    })
}

/// What a `declare` asks for.
#[derive(Default)]
struct Asked {
    /// Letters behind `-`, and behind `+`.
    on: String,
    off: String,
}

/// `local`, and bash's `declare`.
pub(super) fn local<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let is_local = words[0] == "local";
    let bash = process.state.dialect.is_bash();
    if is_local && !process.in_function() {
        let text = if bash { "can only be used in a function" } else { "not in a function" };
        process.complain(cx, Some("local"), text);
        return if bash { Flow::Done(1) } else { Flow::Leave(Leave::Abort(2)) };
    }
    let mut asked = Asked::default();
    let mut args = &words[1..];
    while let Some(arg) = args.first().filter(|arg| bash && arg.len() > 1 && arg.starts_with(['-', '+'])) {
        args = &args[1..];
        if arg == "--" {
            break;
        }
        let list = if arg.starts_with('-') { &mut asked.on } else { &mut asked.off };
        list.push_str(&arg[1..]);
        if let Some(letter) = arg[1..].chars().find(|c| !"aAfFgiIlnprtux".contains(*c)) {
            process.complain(cx, Some(&words[0]), &format!("-{letter}: invalid option"));
            return Flow::Done(2);
        }
    }
    if asked.on.contains(['p', 'f', 'F']) || args.is_empty() && bash {
        return show(process, &asked.on, args, is_local, cx);
    }
    let mut status = 0;
    for arg in args {
        match declare(process, arg, &asked, cx) {
            Flow::Done(0) => {}
            Flow::Done(code) => status = code,
            flow => return flow,
        }
    }
    Flow::Done(status)
}

fn declare<H: Host>(process: &mut Process<H::Command>, arg: &str, asked: &Asked, cx: &mut Context<'_, H>) -> Flow {
    let bash = process.state.dialect.is_bash();
    let (left, value) = arg.split_once('=').map_or((arg, None), |(name, value)| (name, Some(value)));
    let (left, append) = left.strip_suffix('+').filter(|_| bash).map_or((left, false), |name| (name, true));
    let (name, key) = match left.split_once('[').filter(|_| bash) {
        Some((name, key)) => (name, Some(key.trim_end_matches(']').to_string())),
        None => (left, None),
    };
    if !is_name(name) {
        return bad_name(process, if process.in_function() { "local" } else { "declare" }, arg, cx);
    }
    let fresh = process.in_function() && !asked.on.contains('g') && process.save_local(name);
    let has = |letter: char| asked.on.contains(letter);
    if process.state.vars.get(name).is_some_and(|var| var.read_only) && (value.is_some() || has('a') || has('A')) {
        return complain_not_set(process, None, name, NotSet::ReadOnly, cx);
    }
    if fresh {
        let keeps = process.state.dialect == Dialect::Dash || has('I');
        let old = process.state.vars.get(name).cloned();
        let exported = old.as_ref().is_some_and(|var| var.exported);
        let var = old.filter(|_| keeps).unwrap_or(Var { exported, ..Var::default() });
        process.state.vars.insert(name.to_string(), Var { read_only: false, ..var });
    }
    if has('n') {
        let var = process.state.vars.entry(name.to_string()).or_default();
        var.reference = true;
        var.array = None;
        if let Some(value) = value {
            var.value = Some(value.to_string());
        }
        return Flow::Done(0);
    }
    let target = process.state.target(name).to_string();
    if asked.off.contains('n') {
        process.state.vars.entry(name.to_string()).or_default().reference = false;
    }
    if (has('a') || has('A') || key.is_some())
        && let Err(why) = process.state.make_array(&target, has('A'), false)
    {
        return complain_not_set(process, Some("declare"), name, why, cx);
    }
    let var = process.state.vars.entry(target.clone()).or_default();
    var.integer = (var.integer || has('i')) && !asked.off.contains('i');
    if has('u') || has('l') {
        var.case = Some(if has('u') { Case::Upper } else { Case::Lower });
    }
    if asked.off.contains(['u', 'l']) {
        var.case = None;
    }
    var.exported = (var.exported || has('x')) && !asked.off.contains('x');
    if let Some(value) = value
        && let Err(why) = process.state.set_element(&target, key.as_deref(), value.to_string(), append)
    {
        return complain_not_set(process, None, name, why, cx);
    }
    if let Some(var) = process.state.vars.get_mut(&target) {
        var.read_only |= has('r');
    }
    Flow::Done(0)
}

/// `declare -p`, `-f`, `-F`, and `declare` alone.
fn show<H: Host>(
    process: &mut Process<H::Command>,
    letters: &str,
    args: &[String],
    is_local: bool,
    cx: &mut Context<'_, H>,
) -> Flow {
    let mut text = String::new();
    let mut status = 0;
    if letters.contains(['f', 'F']) {
        let names: Vec<String> =
            if args.is_empty() { process.state.functions.keys().cloned().collect() } else { args.to_vec() };
        for name in names {
            match process.state.functions.get(&name) {
                Some(_) if letters.contains('F') && args.is_empty() => text.push_str(&format!("declare -f {name}\n")),
                Some(_) if letters.contains('F') => text.push_str(&format!("{name}\n")),
                Some(body) => text.push_str(&crate::syntax::printer::function(&name, body)),
                None => status = 1,
            }
        }
        process.write(1, text.as_bytes(), cx);
        return Flow::Done(status);
    }
    let picks = letters.chars().filter(|c| "aAinrxul".contains(*c)).collect::<String>();
    let names: Vec<String> = match args.is_empty() {
        true => process.state.vars.keys().cloned().collect(),
        false => args.to_vec(),
    };
    for name in names {
        let Some(var) = process.state.vars.get(&name) else {
            process.complain(cx, Some(if is_local { "local" } else { "declare" }), &format!("{name}: not found"));
            status = 1;
            continue;
        };
        let own = var.letters();
        if args.is_empty() && !picks.chars().all(|c| own.contains(c)) {
            continue;
        }
        let line = match (letters.is_empty() && args.is_empty(), &var.value) {
            (true, Some(value)) => Some(format!("{name}={}", quote_value(value, Dialect::Bash))),
            (true, None) => None,
            (false, _) => declaration(&process.state, &name),
        };
        text.extend(line.map(|line| line + "\n"));
    }
    process.write(1, text.as_bytes(), cx);
    Flow::Done(status)
}

pub(super) fn unset<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let options: String = words[1..].iter().take_while(|arg| arg.starts_with('-')).map(|arg| &arg[1..]).collect();
    let bash = process.state.dialect.is_bash();
    let mut status = 0;
    for arg in words[1..].iter().skip_while(|arg| arg.starts_with('-')) {
        if options.contains('f') {
            process.state.functions.remove(arg);
            continue;
        }
        let (name, key) = match arg.split_once('[').filter(|_| bash) {
            Some((name, key)) => (name.to_string(), Some(key.trim_end_matches(']').to_string())),
            None => (arg.clone(), None),
        };
        if !is_name(&name) {
            match bad_name(process, "unset", arg, cx) {
                Flow::Done(code) => status = code,
                flow => return flow,
            }
            continue;
        }
        let target = if options.contains('n') { name.clone() } else { process.state.target(&name).to_string() };
        if process.state.vars.get(&target).is_some_and(|var| var.read_only) {
            let message = match process.state.dialect {
                Dialect::Bash => format!("{name}: cannot unset: readonly variable"),
                _ => format!("{name}: is read only"),
            };
            process.complain(cx, Some("unset"), &message);
            if !bash {
                return Flow::Leave(Leave::Abort(2));
            }
            status = 1;
            continue;
        }
        match key {
            Some(key) if matches!(key.as_str(), "@" | "*") && !process.state.is_keyed(&target) => {
                process.state.vars.remove(&target);
            }
            Some(key) => {
                let key = match process.state.is_keyed(&target) {
                    true => key.trim_matches(['"', '\'']).to_string(),
                    false => {
                        let mut at = arith::evaluate(&key, &mut process.state).unwrap_or(0);
                        if at < 0 {
                            let entries = process.state.entries(&target);
                            at += entries.last().and_then(|(key, _)| key.parse::<i64>().ok()).unwrap_or(-1) + 1;
                        }
                        at.to_string()
                    }
                };
                if let Some(array) = process.state.vars.get_mut(&target).and_then(|var| var.array.as_mut()) {
                    array.remove(&key);
                }
            }
            None => {
                let local = process.unset_local(&target);
                let removed = local || process.state.vars.remove(&target).is_some();
                if !removed && bash && !options.contains('v') {
                    process.state.functions.remove(&name);
                }
            }
        }
    }
    Flow::Done(status)
}

pub(super) fn shift<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let count = match number(process, words, 1, cx) {
        Ok(count) => usize::try_from(count).unwrap_or(usize::MAX),
        Err(flow) => return flow,
    };
    if count > process.state.positional.len() {
        if process.state.dialect == Dialect::Dash {
            process.complain(cx, Some("shift"), "can't shift that many");
            return Flow::Leave(Leave::Abort(2));
        }
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
    process.state.drawn = cx.host.random();
    process.state.now = cx.host.now();
    for text in &words[1..] {
        match arith::evaluate(text, &mut process.state) {
            Ok(value) => last = value,
            Err(message) => {
                process.complain(cx, Some("let"), &message);
                return Flow::Done(1);
            }
        }
    }
    if words.len() == 1 {
        process.complain(cx, Some("let"), "expression expected");
        return Flow::Done(1);
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
        let usage = match process.state.dialect {
            Dialect::Bash => "usage: printf [-v var] format [arguments]",
            Dialect::Ash => "usage: printf FORMAT [ARGUMENT...]",
            Dialect::Dash => "printf: usage: printf format [arg ...]",
        };
        let text = if bash { format!("printf: {usage}\n") } else { format!("{prefix}{usage}\n") };
        process.write(2, text.as_bytes(), cx);
        return Flow::Done(2);
    };
    let mode = Mode::builtin(process.state.dialect, cx.host.now());
    let printed = printf_text(format, values, mode);
    for message in &printed.errors {
        let name = (process.state.dialect != Dialect::Ash).then_some("printf");
        process.complain(cx, name, message);
    }
    let status = printed.status;
    match into {
        Some(name) => {
            let text = String::from_utf8_lossy(&printed.bytes).into_owned();
            let (base, key) = match name.split_once('[') {
                Some((base, key)) => (base.to_string(), Some(key.trim_end_matches(']').to_string())),
                None => (name.clone(), None),
            };
            if !is_name(&base) {
                return bad_name(process, "printf", &name, cx);
            }
            let key = match key {
                Some(key) if !process.state.is_keyed(&base) => {
                    Some(arith::evaluate(&key, &mut process.state).unwrap_or(0).to_string())
                }
                key => key,
            };
            if let Err(why) = process.state.set_element(&base, key.as_deref(), text, false) {
                return complain_not_set(process, None, &base, why, cx);
            }
        }
        None => {
            if !process.write(1, &printed.bytes, cx) {
                process.broken_output("printf", cx);
                return Flow::Continues;
            }
        }
    }
    Flow::Done(status)
}

pub(super) fn umask<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let symbolic = words.iter().any(|word| word == "-S");
    let Some(text) = words[1..].iter().find(|word| !word.starts_with('-')) else {
        let mask = process.state.mask;
        let part = |shift: u32| {
            let bits = !(mask >> shift) & 7;
            "rwx".chars().zip([4, 2, 1]).filter(|(_, bit)| bits & bit != 0).map(|(c, _)| c).collect::<String>()
        };
        let text = match symbolic {
            true => format!("u={},g={},o={}\n", part(6), part(3), part(0)),
            false => format!("{mask:04o}\n"),
        };
        process.write(1, text.as_bytes(), cx);
        return Flow::Done(0);
    };
    match u32::from_str_radix(text, 8).ok().filter(|mask| *mask <= 0o777) {
        Some(mask) => process.state.mask = mask,
        None => match crate::commands::changed_mode(text, !process.state.mask & 0o777, false, 0) {
            Some(mode) => process.state.mask = !mode & 0o777,
            None => {
                let message = match process.state.dialect {
                    Dialect::Bash => format!("{text}: octal number out of range"),
                    _ => format!("Illegal mode: {text}"),
                };
                process.complain(cx, Some("umask"), &message);
                return Flow::Done(1);
            }
        },
    }
    Flow::Done(0)
}

/// All variables, as `set` without arguments prints them.
pub(super) fn list<H: Host>(process: &mut Process<H::Command>, cx: &mut Context<'_, H>) {
    let mut text = String::new();
    for (name, var) in &process.state.vars {
        match (&var.value, &var.array) {
            (_, Some(_)) => {
                let line = declaration(&process.state, name).unwrap_or_default();
                text.extend(
                    line.split_once(' ').and_then(|(_, rest)| rest.split_once(' ')).map(|(_, it)| format!("{it}\n")),
                );
            }
            (Some(value), None) => {
                text.push_str(&format!("{name}={}\n", quote_value(value, process.state.dialect)));
            }
            (None, None) => {}
        }
    }
    process.write(1, text.as_bytes(), cx);
}
