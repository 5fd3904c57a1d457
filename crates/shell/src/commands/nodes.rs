//! What is known of files, and links: `chmod`, `chown`, `ln`, `readlink`, `realpath`, `stat`, `mkfifo`, `install`,
//! `truncate`.

use super::date::format_time;
use super::fs::{base, join, make_all};
use super::ls::number_of;
use super::modes::{changed_mode, real_path, shown_mode};
use super::{Call, Outcome, parse_args};
use crate::host::{FileInfo, FileKind};

/// Directories below each other that `-R` goes into.
const MAX_DEPTH: usize = 50;

/// A path and, with `deep`, everything below it.
fn all_below(call: &Call<'_>, path: &str, deep: bool, depth: usize) -> Vec<String> {
    let mut all = vec![path.to_string()];
    if deep && depth < MAX_DEPTH && call.system.link_info(path).is_ok_and(|info| info.directory()) {
        for name in call.system.list_dir(path).unwrap_or_default() {
            all.extend(all_below(call, &join(path, &name), deep, depth + 1));
        }
    }
    all
}

pub fn chmod(call: &mut Call<'_>) -> Outcome {
    // A mode may begin with a minus sign.
    let (mut options, mut words) = (String::new(), Vec::new());
    let mut reference = None;
    for arg in call.args {
        match arg.strip_prefix('-') {
            Some(letters) if words.is_empty() && !letters.is_empty() && letters.chars().all(|c| "Rvcf".contains(c)) => {
                options.push_str(letters);
            }
            Some("-recursive") => options.push('R'),
            Some(long) if long.starts_with("-reference=") => reference = long.split_once('=').map(|(_, file)| file),
            Some("-") => {}
            _ => words.push(arg.clone()),
        }
    }
    if let Some(file) = reference {
        let mode = call.system.info(&call.path(file)).map_or(0o644, |info| info.mode);
        words.insert(0, format!("{mode:o}"));
    }
    let Some((mode, files)) = words.split_first().filter(|(_, files)| !files.is_empty()) else {
        let what = match words.first() {
            Some(mode) => format!("missing operand after '{mode}'"),
            None => "missing operand".to_string(),
        };
        return call.missing(&what, 1);
    };
    let mut status = 0;
    for name in files {
        for path in all_below(call, &call.path(name), options.contains('R'), 0) {
            let info = match call.system.info(&path) {
                Ok(info) => info,
                Err(error) => {
                    let text = match call.is_ash() {
                        true => format!("{name}: {error}"),
                        false => format!("cannot access '{name}': {error}"),
                    };
                    call.err("chmod", &text);
                    status = 1;
                    continue;
                }
            };
            let Some(new) = changed_mode(mode, info.mode, info.directory(), call.state.mask) else {
                let text = match call.is_ash() {
                    true => format!("invalid mode '{mode}'"),
                    false => format!("invalid mode: '{mode}'\nTry 'chmod --help' for more information."),
                };
                call.err("chmod", &text);
                return Outcome::Done(1);
            };
            if let Err(error) = call.system.set_mode(&path, new) {
                let text = match call.is_ash() {
                    true => format!("{name}: {error}"),
                    false => format!("changing permissions of '{name}': {error}"),
                };
                call.err("chmod", &text);
                status = 1;
            }
        }
    }
    Outcome::Done(status)
}

/// The number of a user or group by name or number.
fn number(call: &Call<'_>, text: &str, group: bool) -> Option<u32> {
    text.parse().ok().or_else(|| super::system::user_number(call, text, group))
}

pub fn chown(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "RvchfHLP", "", &[("recursive", 'R'), ("no-dereference", 'h'), ("verbose", 'v')]);
    let name = call.name;
    let Some((owner, files)) = args.operands.split_first().filter(|(_, files)| !files.is_empty()) else {
        return call.missing("missing operand", 1);
    };
    let (user, group) = match owner.split_once([':', '.']) {
        _ if name == "chgrp" => (None, Some(owner.as_str())),
        Some((user, group)) => {
            (Some(user).filter(|user| !user.is_empty()), Some(group).filter(|group| !group.is_empty()))
        }
        None => (Some(owner.as_str()), None),
    };
    let user = match user.map(|text| (text, number(call, text, false))) {
        Some((text, None)) => return unknown(call, "user", text, owner),
        found => found.and_then(|(_, number)| number),
    };
    let group = match group.map(|text| (text, number(call, text, true))) {
        Some((text, None)) => return unknown(call, "group", text, owner),
        found => found.and_then(|(_, number)| number),
    };
    let mut status = 0;
    for file in files {
        for path in all_below(call, &call.path(file), args.has('R'), 0) {
            let result = call.system.info(&path).and_then(|info| {
                if call.system.user().1 != 0 && user.is_some_and(|user| user != info.user) {
                    return Err(crate::FileError::NotPermitted);
                }
                call.system.set_owner(&path, user.unwrap_or(info.user), group.unwrap_or(info.group))
            });
            if let Err(error) = result {
                let text = match (call.is_ash(), call.system.info(&path).is_ok()) {
                    (true, _) => format!("{file}: {error}"),
                    (false, true) => format!("changing ownership of '{file}': {error}"),
                    (false, false) => format!("cannot access '{file}': {error}"),
                };
                call.err(name, &text);
                status = 1;
            }
        }
    }
    Outcome::Done(status)
}

fn unknown(call: &mut Call<'_>, kind: &str, text: &str, owner: &str) -> Outcome {
    let name = call.name;
    let message = match call.is_ash() {
        true => format!("unknown {kind} {text}"),
        false => format!("invalid {kind}: '{owner}'"),
    };
    call.err(name, &message);
    Outcome::Done(1)
}

pub fn ln(call: &mut Call<'_>) -> Outcome {
    let long = [("symbolic", 's'), ("force", 'f'), ("no-dereference", 'n'), ("verbose", 'v'), ("relative", 'r')];
    let args = parse_args!(call, "sfnvbTr", "tS", &long);
    let mut operands = args.operands.clone();
    operands.extend(args.value('t').map(str::to_string));
    let last = match operands.as_slice() {
        [] => return call.missing("missing file operand", 1),
        [only] => base(only).to_string(),
        [.., last] => last.clone(),
    };
    let sources = if operands.len() == 1 { operands.clone() } else { operands[..operands.len() - 1].to_vec() };
    let into = {
        let path = call.path(&last);
        let link = call.system.link_info(&path).is_ok_and(|info| info.kind == FileKind::Link);
        call.system.info(&path).is_ok_and(|info| info.directory()) && !(args.has('n') && link) && !args.has('T')
    };
    let mut status = 0;
    for source in sources {
        let shown = if into { join(&last, base(&source)) } else { last.clone() };
        let path = call.path(&shown);
        if args.has('f') && call.system.link_info(&path).is_ok_and(|info| !info.directory()) {
            let _ = call.system.remove(&path);
        }
        let result = if args.has('s') {
            call.system.make_link(&source, &path)
        } else {
            // Another name for the same bytes: here a copy of them.
            let from = call.path(&source);
            match (call.system.info(&from), call.system.link_info(&path)) {
                (_, Ok(_)) => Err(crate::FileError::Exists),
                (Ok(info), _) if info.directory() => Err(crate::FileError::NotPermitted),
                (Ok(info), Err(_)) => call
                    .system
                    .read_file(&from)
                    .and_then(|bytes| call.system.write_file(&path, &bytes, false))
                    .and_then(|()| call.system.set_mode(&path, info.mode)),
                (Err(error), _) => Err(error),
            }
        };
        match result {
            Ok(()) if args.has('v') => call.out(&format!("'{shown}' -> '{source}'\n")),
            Ok(()) => {}
            Err(error) => {
                let kind = if args.has('s') { "symbolic link" } else { "hard link" };
                let text = match call.is_ash() {
                    true => format!("{shown}: {error}"),
                    false if error == crate::FileError::NotFound && !args.has('s') => {
                        format!("failed to access '{source}': {error}")
                    }
                    false => format!("failed to create {kind} '{shown}': {error}"),
                };
                call.err("ln", &text);
                status = 1;
            }
        }
    }
    Outcome::Done(status)
}

pub fn readlink(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "fnemqsvz", "", &[("canonicalize", 'f'), ("no-newline", 'n')]);
    if args.operands.is_empty() {
        return call.missing("missing operand", 1);
    }
    let mut status = 0;
    for name in &args.operands {
        let path = call.path(name);
        let found = match args.has('f') || args.has('e') || args.has('m') {
            true => real_path(call.system, &path).filter(|path| !args.has('e') || call.system.info(path).is_ok()),
            false => call.system.read_link(&path).ok(),
        };
        match found {
            Some(text) => call.out(&if args.has('n') { text } else { format!("{text}\n") }),
            None => status = 1,
        }
    }
    Outcome::Done(status)
}

pub fn realpath(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(
        call,
        "emsqzLP",
        "",
        &[("canonicalize-missing", 'm'), ("canonicalize-existing", 'e'), ("no-symlinks", 's')]
    );
    if args.operands.is_empty() {
        return call.missing("missing operand", 1);
    }
    let mut status = 0;
    for name in &args.operands {
        let path = call.path(name);
        let found = match args.has('s') {
            true => Some(path.clone()),
            false => real_path(call.system, &path),
        };
        let needed = args.has('e');
        match found.filter(|path| !needed || call.system.info(path).is_ok()).or(args.has('m').then(|| path.clone())) {
            Some(text) => call.out(&format!("{text}\n")),
            None => {
                call.err("realpath", &format!("{name}: No such file or directory"));
                status = 1;
            }
        }
    }
    Outcome::Done(status)
}

fn kind_words(info: &FileInfo) -> &'static str {
    match info.kind {
        FileKind::File if info.size == 0 => "regular empty file",
        FileKind::File => "regular file",
        FileKind::Directory => "directory",
        FileKind::Link => "symbolic link",
        FileKind::Device => "character special file",
        FileKind::Pipe => "fifo",
    }
}

pub fn stat(call: &mut Call<'_>) -> Outcome {
    let args =
        parse_args!(call, "fLt", "c", &[("format", 'c'), ("printf", 'c'), ("dereference", 'L'), ("file-system", 'f')]);
    if args.operands.is_empty() {
        return call.missing("missing operand", 1);
    }
    let mut status = 0;
    for name in &args.operands {
        let path = call.path(name);
        let info = if args.has('L') { call.system.info(&path) } else { call.system.link_info(&path) };
        let info = match info {
            Ok(info) => info,
            Err(error) => {
                let text = match call.is_ash() {
                    true => format!("can't stat '{name}': {error}"),
                    false => format!("cannot statx '{name}': {error}"),
                };
                call.err("stat", &text);
                status = 1;
                continue;
            }
        };
        let format = match args.value('c') {
            Some(format) => format.to_string(),
            None => {
                let newline = if call.is_ash() { "" } else { " Birth: -\n" };
                format!(
                    "  File: %N\n  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\nDevice: 2ch/44d\tInode: %-10i  Links: %h\nAccess: (%04a/%10A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\nAccess: %x\nModify: %y\nChange: %z\n{newline}"
                )
                .trim_end()
                .to_string()
            }
        };
        let mut text = String::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                text.push(c);
                continue;
            }
            let rest = chars.as_str();
            let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '-')).unwrap_or(rest.len());
            let width = &rest[..digits];
            chars = rest[digits..].chars();
            let Some(letter) = chars.next() else { break };
            let value = stat_value(call, letter, name, &path, &info);
            let (left, zero) = (width.starts_with('-'), width.starts_with('0'));
            let columns: usize = width.trim_start_matches(['-', '0']).parse().unwrap_or(0);
            let blanks = columns.saturating_sub(value.chars().count());
            match (left, zero) {
                (true, _) => text.push_str(&format!("{value}{}", " ".repeat(blanks))),
                (_, true) => text.push_str(&format!("{}{value}", "0".repeat(blanks))),
                _ => text.push_str(&format!("{}{value}", " ".repeat(blanks))),
            }
        }
        call.out(&format!("{text}\n"));
    }
    Outcome::Done(status)
}

fn stat_value(call: &Call<'_>, letter: char, name: &str, path: &str, info: &FileInfo) -> String {
    let user = |number: u32| super::system::user_name(call, number).unwrap_or_else(|| "UNKNOWN".to_string());
    let time = "%Y-%m-%d %H:%M:%S.%N %z";
    match letter {
        'n' => name.to_string(),
        'N' => match call.system.read_link(path) {
            Ok(target) => format!("'{name}' -> '{target}'"),
            Err(_) if call.is_ash() => name.to_string(),
            Err(_) => name.to_string(),
        },
        's' => info.size.to_string(),
        'b' => (super::ls::blocks(info) * 2).to_string(),
        'B' => "512".into(),
        'o' => "4096".into(),
        'a' => format!("{:o}", info.mode),
        'f' => format!("{:x}", info.mode | if info.directory() { 0x4000 } else { 0x8000 }),
        'A' => shown_mode(info),
        'F' => kind_words(info).into(),
        'u' => info.user.to_string(),
        'g' => info.group.to_string(),
        'U' => user(info.user),
        'G' => user(info.group),
        'h' => if info.directory() { "2" } else { "1" }.into(),
        'i' => number_of(path).to_string(),
        'd' => "44".into(),
        'm' => "/".into(),
        'x' | 'y' | 'z' => format_time(info.modified, time),
        'X' | 'Y' | 'Z' => info.modified.secs().to_string(),
        'w' => "-".into(),
        'W' => "0".into(),
        '%' => "%".into(),
        other => format!("%{other}"),
    }
}

pub fn mkfifo(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "", "m", &[("mode", 'm')]);
    if args.operands.is_empty() {
        return call.missing("missing operand", 1);
    }
    let mut status = 0;
    for name in &args.operands {
        let path = call.path(name);
        let mode = args.value('m').and_then(|text| changed_mode(text, 0o666, false, 0));
        let made = call.system.make_pipe(&path);
        if let (Ok(()), Some(mode)) = (made, mode) {
            let _ = call.system.set_mode(&path, mode);
        }
        if let Err(error) = made {
            let text = match call.is_ash() {
                true => format!("{name}: {error}"),
                false => format!("cannot create fifo '{name}': {error}"),
            };
            call.err("mkfifo", &text);
            status = 1;
        }
    }
    Outcome::Done(status)
}

pub fn install(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "cdDpsv", "mogt", &[("directory", 'd'), ("mode", 'm')]);
    let mode = args.value('m').and_then(|text| changed_mode(text, 0, false, 0)).unwrap_or(0o755);
    let mut status = 0;
    let mut operands = args.operands.clone();
    operands.extend(args.value('t').map(str::to_string));
    if args.has('d') {
        for name in &operands {
            let path = call.path(name);
            let made = make_all(call, &path);
            if made.is_err() || call.system.set_mode(&path, mode).is_err() {
                call.err("install", &format!("cannot create directory '{name}'"));
                status = 1;
            }
        }
        return Outcome::Done(status);
    }
    let Some((target, sources)) = operands.split_last().filter(|(_, sources)| !sources.is_empty()) else {
        return call.missing("missing file operand", 1);
    };
    let place = call.path(target);
    let into = call.system.info(&place).is_ok_and(|info| info.directory());
    for source in sources {
        let to = if into { join(&place, base(source)) } else { place.clone() };
        if args.has('D') {
            let above = to.rsplit_once('/').map_or("/", |(above, _)| above).to_string();
            let _ = make_all(call, &above);
        }
        let from = call.path(source);
        let result = call.system.read_file(&from).and_then(|bytes| call.system.write_file(&to, &bytes, false));
        if let Err(error) = result.and_then(|()| call.system.set_mode(&to, mode)) {
            let text = match call.is_ash() {
                true => format!("can't stat '{source}': {error}"),
                false => format!("cannot stat '{source}': {error}"),
            };
            call.err("install", &text);
            status = 1;
        }
    }
    Outcome::Done(status)
}

pub fn truncate(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "c", "sr", &[("size", 's'), ("no-create", 'c')]);
    let Some(text) = args.value('s') else {
        return call.missing("you must specify either '--size' or '--reference'", 1);
    };
    let (sign, digits) = match text.chars().next() {
        Some(sign @ ('+' | '-')) => (sign, &text[1..]),
        _ => (' ', text),
    };
    let Some(amount) = super::size(digits) else {
        call.err("truncate", &format!("Invalid number: '{text}'"));
        return Outcome::Done(1);
    };
    let mut status = 0;
    for name in &args.operands {
        let path = call.path(name);
        let mut bytes = match call.system.read_file(&path) {
            Ok(bytes) => bytes,
            Err(_) if args.has('c') => continue,
            Err(_) => Vec::new(),
        };
        let length = match sign {
            '+' => bytes.len() as u64 + amount,
            '-' => (bytes.len() as u64).saturating_sub(amount),
            _ => amount,
        };
        bytes.resize(usize::try_from(length.min(128 << 20)).unwrap_or(0), 0);
        if let Err(error) = call.system.write_file(&path, &bytes, false) {
            call.err("truncate", &format!("cannot open '{name}' for writing: {error}"));
            status = 1;
        }
    }
    Outcome::Done(status)
}
