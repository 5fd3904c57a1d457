//! `ls`.

use super::date::format_time;
use super::fs::join;
use super::modes::shown_mode;
use super::{Call, Outcome, parse_args};
use crate::host::{FileInfo, FileKind};
use values::sort::sort_by_key;

/// Directories below each other that `-R` goes into.
const MAX_DEPTH: usize = 30;

/// An entry with what its link says.
type Entry = (String, FileInfo, Option<String>);

pub fn ls(call: &mut Call<'_>) -> Outcome {
    let long = [
        ("all", 'a'),
        ("almost-all", 'A'),
        ("color", 'Z'),
        ("directory", 'd'),
        ("human-readable", 'h'),
        ("recursive", 'R'),
        ("reverse", 'r'),
        ("inode", 'i'),
        ("size", 's'),
        ("classify", 'F'),
        ("full-time", 'e'),
        ("group-directories-first", 'D'),
        ("time-style", 'T'),
        ("sort", 'W'),
    ];
    let known = if call.is_ash() { "1aAlCdhtrSRFpisnxXLkHge" } else { "1aAlCdhtrSRFpisnxXLkHgGoQqNbBUfcumev" };
    let args = parse_args!(call, known, "wT", &long);
    let operands = if args.operands.is_empty() { vec![".".to_string()] } else { args.operands.clone() };
    let (mut files, mut directories, mut status) = (Vec::new(), Vec::new(), 0);
    let follows = !args.has('l') && !args.has('d') && !args.has('F');
    for name in &operands {
        let path = call.path(name);
        let info = match call.system.link_info(&path) {
            Ok(info) if info.kind == FileKind::Link && (follows || args.has('L') || name.ends_with('/')) => {
                call.system.info(&path).or(Ok(info))
            }
            other => other,
        };
        match info {
            Ok(info) if info.directory() && !args.has('d') => directories.push(name.clone()),
            Ok(info) => files.push(entry(call, name.clone(), &path, info)),
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
    order_names(&mut directories);
    let titled = operands.len() > 1 || args.has('R');
    directories.reverse();
    let mut todo: Vec<(String, usize)> = directories.into_iter().map(|name| (name, 0)).collect();
    while let Some((directory, depth)) = todo.pop() {
        let path = call.path(&directory);
        if titled {
            call.out(&format!("{}{directory}:\n", if first { "" } else { "\n" }));
        }
        first = false;
        let mut entries = Vec::new();
        if args.has('a') {
            for dots in [".", ".."] {
                let at = call.path(&join(&path, dots));
                if let Ok(info) = call.system.info(&at) {
                    entries.push((dots.to_string(), info, None));
                }
            }
        }
        let names = match call.system.list_dir(&path) {
            Ok(names) => names,
            Err(error) => {
                call.err("ls", &format!("cannot open directory '{directory}': {error}"));
                status = 2;
                continue;
            }
        };
        for name in names {
            if name.starts_with('.') && !args.has('a') && !args.has('A') {
                continue;
            }
            let at = join(&path, &name);
            let info = if args.has('L') { call.system.info(&at) } else { call.system.link_info(&at) };
            if let Ok(info) = info {
                entries.push(entry(call, name, &at, info));
            }
        }
        if args.has('R') && depth < MAX_DEPTH {
            let mut below: Vec<String> = entries
                .iter()
                .filter(|(name, info, _)| info.directory() && name != "." && name != "..")
                .map(|(name, ..)| join_shown(&directory, name))
                .collect();
            order_names(&mut below);
            below.reverse();
            todo.extend(below.into_iter().map(|name| (name, depth + 1)));
        }
        if args.has('l') || args.has('n') || args.has('s') {
            let blocks: u64 = entries.iter().map(|(_, info, _)| blocks(info)).sum();
            call.out(&format!("total {blocks}\n"));
        }
        print_entries(call, &args, entries);
    }
    Outcome::Done(status)
}

fn join_shown(directory: &str, name: &str) -> String {
    format!("{}/{name}", directory.trim_end_matches('/'))
}

fn order_names(names: &mut [String]) {
    names.sort();
}

/// Blocks of a kilobyte that a file takes.
pub(super) fn blocks(info: &FileInfo) -> u64 {
    match info.kind {
        FileKind::Link | FileKind::Device | FileKind::Pipe => 0,
        FileKind::Directory => 4,
        FileKind::File => info.size.div_ceil(4096) * 4,
    }
}

fn entry(call: &Call<'_>, name: String, path: &str, info: FileInfo) -> Entry {
    let target = (info.kind == FileKind::Link).then(|| call.system.read_link(path).ok()).flatten();
    (name, info, target)
}

/// `1.5K`
pub(super) fn human(size: u64) -> String {
    let units = ["", "K", "M", "G", "T"];
    let (mut tenths, mut unit) = (size as u128 * 10, 0);
    while tenths >= 10_240 && unit + 1 < units.len() {
        tenths = tenths.div_ceil(1024);
        unit += 1;
    }
    match unit {
        0 => size.to_string(),
        _ if tenths >= 100 => format!("{}{}", tenths.div_ceil(10), units[unit]),
        _ => format!("{}.{}{}", tenths / 10, tenths % 10, units[unit]),
    }
}

fn sign(info: &FileInfo, args: &super::Args) -> &'static str {
    match info.kind {
        FileKind::Directory if args.has('F') || args.has('p') => "/",
        FileKind::Link if args.has('F') && !args.has('l') => "@",
        FileKind::Pipe if args.has('F') => "|",
        FileKind::File if args.has('F') && info.executable() => "*",
        _ => "",
    }
}

fn print_entries(call: &mut Call<'_>, args: &super::Args, mut entries: Vec<Entry>) {
    if args.has('f') || args.has('U') {
        // In the order of the directory.
    } else if args.has('t') {
        sort_by_key(&mut entries, |(_, info, _)| std::cmp::Reverse(info.modified));
    } else if args.has('S') {
        sort_by_key(&mut entries, |(_, info, _)| std::cmp::Reverse(info.size));
    } else if args.has('X') {
        sort_by_key(&mut entries, |(name, ..)| {
            name.rsplit_once('.').filter(|(start, _)| !start.is_empty()).map(|(_, end)| end.to_string())
        });
    }
    if args.has('D') {
        sort_by_key(&mut entries, |(_, info, _)| !info.directory());
    }
    if args.has('r') {
        entries.reverse();
    }
    if args.has('l') || args.has('n') || args.has('g') || args.has('o') {
        return print_long(call, args, entries);
    }
    let shown = |(name, info, _): &Entry| {
        let name = if args.has('Q') { format!("\"{name}\"") } else { name.clone() };
        let inode = if args.has('i') { format!("{:>7} ", number_of(&name)) } else { String::new() };
        let size = if args.has('s') { format!("{:>4} ", blocks(info)) } else { String::new() };
        format!("{inode}{size}{name}{}", sign(info, args))
    };
    let names: Vec<String> = entries.iter().map(shown).collect();
    if (call.to_terminal || args.has('C') || args.has('x')) && !args.has('1') && !names.is_empty() {
        call.out(&columns(&names));
    } else if args.has('m') {
        call.out(&format!("{}\n", names.join(", ")));
    } else {
        names.iter().for_each(|name| call.out(&format!("{name}\n")));
    }
}

/// A number that stands for a file, the same for the same name.
pub(super) fn number_of(name: &str) -> u64 {
    name.bytes().fold(7u64, |hash, byte| (hash * 31 + u64::from(byte)) % 9_999_991) + 1_000_000
}

fn print_long(call: &mut Call<'_>, args: &super::Args, entries: Vec<Entry>) {
    let now = call.system.now();
    let owner = |call: &Call<'_>, number: u32| match args.has('n') {
        true => number.to_string(),
        false => super::system::user_name(call, number).unwrap_or_else(|| number.to_string()),
    };
    let group = |call: &Call<'_>, number: u32| match (args.has('n'), number, call.is_ash()) {
        (false, 65534, false) => "nogroup".to_string(),
        _ => owner(call, number),
    };
    let mut rows = Vec::new();
    for (name, info, target) in &entries {
        let size = if args.has('h') { human(info.size) } else { info.size.to_string() };
        let size = if info.kind == FileKind::Device { "1,   3".to_string() } else { size };
        let old = now.since(info.modified).as_secs() > 15_552_000 || info.modified > now;
        let time = match (args.has('e') || args.value('T').is_some(), old) {
            (true, _) if call.is_ash() => format_time(info.modified, "%a %b %e %H:%M:%S %Y"),
            (true, _) => match args.value('T') {
                Some("long-iso") => format_time(info.modified, "%Y-%m-%d %H:%M"),
                Some("iso") => format_time(info.modified, "%m-%d %H:%M"),
                Some(format) if format.starts_with('+') => format_time(info.modified, &format[1..]),
                _ => format_time(info.modified, "%Y-%m-%d %H:%M:%S.%N %z"),
            },
            (false, true) => format_time(info.modified, "%b %e  %Y"),
            (false, false) => format_time(info.modified, "%b %e %H:%M"),
        };
        let arrow = target.as_ref().map(|target| format!(" -> {target}")).unwrap_or_default();
        let links = if info.directory() { 2 } else { 1 };
        let name = format!("{name}{}{arrow}", sign(info, args));
        rows.push((shown_mode(info), links, owner(call, info.user), group(call, info.group), size, time, name));
    }
    let width = |pick: &dyn Fn(usize) -> usize| (0..rows.len()).map(pick).max().unwrap_or(0);
    let users = width(&|i| rows[i].2.len());
    let groups = width(&|i| rows[i].3.len());
    let sizes = width(&|i| rows[i].4.len());
    for ((mode, links, user, group, size, time, name), (_, info, _)) in rows.iter().zip(&entries) {
        let inode = if args.has('i') { format!("{:>7} ", number_of(name)) } else { String::new() };
        let blocks = if args.has('s') { format!("{:>4} ", blocks(info)) } else { String::new() };
        let line = match call.is_ash() {
            true => format!("{mode} {links:>4} {user:<8} {group:<8} {size:>9} {time} {name}\n"),
            false => {
                let user = if args.has('g') { String::new() } else { format!("{user:<users$} ") };
                let group = if args.has('G') || args.has('o') { String::new() } else { format!("{group:<groups$} ") };
                format!("{mode} {links} {user}{group}{size:>sizes$} {time} {name}\n")
            }
        };
        call.out(&format!("{inode}{blocks}{line}"));
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
