//! Commands that change or list files: `ls`, `mkdir`, `rm`, `rmdir`, `cp`, `mv`, `touch`, `mktemp`, `chmod`.

use super::date::format_time;
use super::{Call, Outcome, parse_args};
use crate::host::{FileError, FileInfo};
use values::sort::sort_by_key;

/// Directories below one that is removed or copied.
const MAX_DEPTH: usize = 50;

fn join(directory: &str, name: &str) -> String {
    format!("{}/{name}", directory.trim_end_matches('/'))
}

fn base(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

pub fn mkdir(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "pv", "m");
    if args.operands.is_empty() {
        return call.usage(1);
    }
    let mut status = 0;
    for name in &args.operands {
        let path = call.path(name);
        let result = if args.has('p') { make_all(call, &path) } else { call.system.make_dir(&path) };
        if let Err(error) = result {
            let text = match call.is_ash() {
                true => format!("can't create directory '{name}': {error}"),
                false => format!("cannot create directory ‘{name}’: {error}"),
            };
            call.err("mkdir", &text);
            status = 1;
        }
    }
    Outcome::Done(status)
}

fn make_all(call: &mut Call<'_>, path: &str) -> Result<(), FileError> {
    let mut at = String::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        at = format!("{at}/{part}");
        match call.system.info(&at) {
            Ok(info) if info.directory() => {}
            Ok(_) => return Err(FileError::NotADirectory),
            Err(_) => call.system.make_dir(&at)?,
        }
    }
    Ok(())
}

pub fn rmdir(call: &mut Call<'_>) -> Outcome {
    let mut status = 0;
    for name in call.args {
        let path = call.path(name);
        let result = match call.system.info(&path) {
            Ok(info) if !info.directory() => Err(FileError::NotADirectory),
            Ok(_) => call.system.remove(&path),
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            let text = if call.is_ash() {
                format!("'{name}': {error}")
            } else {
                format!("failed to remove '{name}': {error}")
            };
            call.err("rmdir", &text);
            status = 1;
        }
    }
    Outcome::Done(status)
}

pub fn rm(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "rfRiv", "", &[("force", 'f'), ("recursive", 'r')]);
    if args.operands.is_empty() && !args.has('f') {
        return call.usage(1);
    }
    let recursive = args.has('r') || args.has('R');
    let mut status = 0;
    for name in &args.operands {
        let path = call.path(name);
        let text = match (call.system.info(&path), call.is_ash()) {
            (Err(FileError::NotFound), _) if args.has('f') => continue,
            (Err(error), true) => format!("can't remove '{name}': {error}"),
            (Err(error), false) => format!("cannot remove '{name}': {error}"),
            (Ok(info), true) if info.directory() && !recursive => format!("'{name}' is a directory"),
            (Ok(info), false) if info.directory() && !recursive => format!("cannot remove '{name}': Is a directory"),
            (Ok(_), ash) => match remove_all(call, &path, 0) {
                Ok(()) => continue,
                Err(error) if ash => format!("can't remove '{name}': {error}"),
                Err(error) => format!("cannot remove '{name}': {error}"),
            },
        };
        call.err("rm", &text);
        status = 1;
    }
    Outcome::Done(status)
}

fn remove_all(call: &mut Call<'_>, path: &str, depth: usize) -> Result<(), FileError> {
    if call.system.info(path)?.directory() && depth < MAX_DEPTH {
        for name in call.system.list_dir(path)? {
            remove_all(call, &join(path, &name), depth + 1)?;
        }
    }
    call.system.remove(path)
}

pub fn cp(call: &mut Call<'_>) -> Outcome {
    copy_or_move(call, false)
}

pub fn mv(call: &mut Call<'_>) -> Outcome {
    copy_or_move(call, true)
}

fn copy_or_move(call: &mut Call<'_>, moves: bool) -> Outcome {
    let args = parse_args!(call, "rRafpinvud", "tT");
    let Some((target, sources)) = args.operands.split_last().filter(|(_, sources)| !sources.is_empty()) else {
        return call.usage(1);
    };
    let target_path = call.path(target);
    let into = call.system.info(&target_path).is_ok_and(|info| info.directory());
    if !into && sources.len() > 1 {
        let name = call.name;
        let text = if call.is_ash() {
            format!("can't create '{target}': Not a directory")
        } else {
            format!("target '{target}' is not a directory")
        };
        call.err(name, &text);
        return Outcome::Done(1);
    }
    let recursive = args.has('r') || args.has('R') || args.has('a');
    let mut status = 0;
    for source in sources {
        let from = call.path(source);
        let to = if into { join(&target_path, base(&from)) } else { target_path.clone() };
        let info = call.system.info(&from);
        let text = match (info, moves, call.is_ash()) {
            (Err(error), true, true) => format!("can't rename '{source}': {error}"),
            (Err(error), false, true) => format!("can't stat '{source}': {error}"),
            (Err(error), _, false) => format!("cannot stat '{source}': {error}"),
            (Ok(info), false, ash) if info.directory() && !recursive => match ash {
                true => format!("omitting directory '{source}'"),
                false => format!("-r not specified; omitting directory '{source}'"),
            },
            (Ok(_), _, ash) => {
                let result = if moves { call.system.rename(&from, &to) } else { copy_all(call, &from, &to, 0) };
                match result {
                    Ok(()) => continue,
                    Err(error) if ash => format!("can't create '{target}': {error}"),
                    Err(error) => format!("cannot create regular file '{target}': {error}"),
                }
            }
        };
        let name = call.name;
        call.err(name, &text);
        status = 1;
    }
    Outcome::Done(status)
}

fn copy_all(call: &mut Call<'_>, from: &str, to: &str, depth: usize) -> Result<(), FileError> {
    if !call.system.info(from)?.directory() {
        let bytes = call.system.read_file(from)?;
        return call.system.write_file(to, &bytes, false);
    }
    if depth >= MAX_DEPTH || to.starts_with(&format!("{from}/")) {
        return Err(FileError::Invalid);
    }
    let names = call.system.list_dir(from)?;
    if call.system.info(to).is_err() {
        call.system.make_dir(to)?;
    }
    names.iter().try_for_each(|name| copy_all(call, &join(from, name), &join(to, name), depth + 1))
}

pub fn touch(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "acmh", "drt");
    if args.operands.is_empty() {
        return call.usage(1);
    }
    let mut status = 0;
    for name in &args.operands {
        let path = call.path(name);
        if call.system.info(&path).is_ok_and(|info| info.directory())
            || args.has('c') && call.system.info(&path).is_err()
        {
            continue;
        }
        if let Err(error) = call.system.write_file(&path, b"", true) {
            let text =
                if call.is_ash() { format!("{name}: {error}") } else { format!("cannot touch '{name}': {error}") };
            call.err("touch", &text);
            status = 1;
        }
    }
    Outcome::Done(status)
}

pub fn chmod(call: &mut Call<'_>) -> Outcome {
    let mut status = 0;
    for name in call.args.iter().filter(|arg| !arg.starts_with('-')).skip(1) {
        let path = call.path(name);
        if let Err(error) = call.system.info(&path) {
            let text =
                if call.is_ash() { format!("{name}: {error}") } else { format!("cannot access '{name}': {error}") };
            call.err("chmod", &text);
            status = 1;
        }
    }
    Outcome::Done(status)
}

pub fn mktemp(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "dqtu", "p");
    let template = args.operands.first().cloned().unwrap_or_else(|| "/tmp/tmp.XXXXXX".to_string());
    let start = template.trim_end_matches('X');
    let letters: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').collect();
    let suffix = (start.len()..template.len()).map(|_| letters[(call.system.random() % letters.len() as u64) as usize]);
    let name = format!("{start}{}", suffix.collect::<String>());
    let path = call.path(&name);
    let result = if args.has('d') { call.system.make_dir(&path) } else { call.system.write_file(&path, b"", false) };
    match result {
        Ok(()) => call.out(&format!("{name}\n")),
        Err(error) => {
            call.err("mktemp", &format!("{template}: {error}"));
            return Outcome::Done(1);
        }
    }
    Outcome::Done(0)
}

pub fn ls(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "1aAlCdhtrSRFpi", "", &[("all", 'a'), ("color", '1')]);
    let operands = if args.operands.is_empty() { vec![".".to_string()] } else { args.operands.clone() };
    let (mut files, mut directories, mut status) = (Vec::new(), Vec::new(), 0);
    for name in &operands {
        match call.system.info(&call.path(name)) {
            Ok(info) if info.directory() && !args.has('d') => directories.push(name.clone()),
            Ok(info) => files.push((name.clone(), info)),
            Err(error) => {
                let text =
                    if call.is_ash() { format!("{name}: {error}") } else { format!("cannot access '{name}': {error}") };
                call.err("ls", &text);
                status = if call.is_ash() { 1 } else { 2 };
            }
        }
    }
    let mut first = files.is_empty();
    print_entries(call, &args, files);
    for directory in directories {
        let path = call.path(&directory);
        if operands.len() > 1 {
            call.out(&format!("{}{directory}:\n", if first { "" } else { "\n" }));
        }
        first = false;
        let mut entries = Vec::new();
        if args.has('a') {
            entries.extend(
                [".", ".."].iter().filter_map(|name| Some(((*name).to_string(), call.system.info(&path).ok()?))),
            );
        }
        for name in call.system.list_dir(&path).unwrap_or_default() {
            if name.starts_with('.') && !args.has('a') && !args.has('A') {
                continue;
            }
            if let Ok(info) = call.system.info(&join(&path, &name)) {
                entries.push((name, info));
            }
        }
        if args.has('l') {
            call.out(&format!("total {}\n", entries.len() * 4));
        }
        print_entries(call, &args, entries);
    }
    Outcome::Done(status)
}

fn print_entries(call: &mut Call<'_>, args: &super::Args, mut entries: Vec<(String, FileInfo)>) {
    if args.has('t') {
        sort_by_key(&mut entries, |(_, info)| std::cmp::Reverse(info.modified));
    }
    if args.has('S') {
        sort_by_key(&mut entries, |(_, info)| std::cmp::Reverse(info.size));
    }
    if args.has('r') {
        entries.reverse();
    }
    if args.has('l') {
        let (user, _) = call.system.user();
        for (name, info) in entries {
            let mode = match (info.directory(), info.executable()) {
                (true, _) => "drwxr-xr-x",
                (false, true) => "-rwxr-xr-x",
                (false, false) => "-rw-r--r--",
            };
            let links = if info.directory() { 2 } else { 1 };
            let time = format_time(info.modified, "%b %e %H:%M");
            let size = info.size;
            let line = match call.is_ash() {
                true => format!("{mode} {links:>4} {user:<8} {user:<8} {size:>9} {time} {name}\n"),
                false => format!("{mode} {links} {user} {user} {size:>5} {time} {name}\n"),
            };
            call.out(&line);
        }
    } else if call.to_terminal && !args.has('1') && !entries.is_empty() {
        let names: Vec<String> = entries.into_iter().map(|(name, _)| name).collect();
        call.out(&columns(&names));
    } else {
        entries.iter().for_each(|(name, _)| call.out(&format!("{name}\n")));
    }
}

/// Names in columns of a terminal 80 wide, down and then across, as coreutils' `ls` sets them.
fn columns(names: &[String]) -> String {
    for rows in 1..=names.len() {
        let widths: Vec<usize> = names
            .chunks(rows)
            .map(|column| column.iter().map(|name| name.chars().count()).max().unwrap_or(0))
            .collect();
        if widths.iter().sum::<usize>() + 2 * (widths.len() - 1) > 80 && rows < names.len() {
            continue;
        }
        let mut out = String::new();
        for row in 0..rows {
            let cells: Vec<(&String, usize)> = names
                .chunks(rows)
                .zip(&widths)
                .filter_map(|(column, width)| Some((column.get(row)?, *width)))
                .collect();
            for (i, (name, width)) in cells.iter().enumerate() {
                let last = i + 1 == cells.len();
                out.push_str(&if last { (*name).clone() } else { format!("{name:<width$}  ", width = *width) });
            }
            out.push('\n');
        }
        return out;
    }
    String::new()
}
