//! Commands that change or list files: `ls`, `mkdir`, `rm`, `rmdir`, `cp`, `mv`, `touch`, `mktemp`, `chmod`.

use super::{Call, Outcome, changed_mode, parse_args};
use crate::host::{FileError, FileKind};

/// Directories below one that is removed or copied.
const MAX_DEPTH: usize = 50;

pub(super) fn join(directory: &str, name: &str) -> String {
    format!("{}/{name}", directory.trim_end_matches('/'))
}

pub(super) fn base(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or_default()
}

pub fn mkdir(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "pv", "m", &[("parents", 'p'), ("verbose", 'v'), ("mode", 'm')]);
    if args.operands.is_empty() {
        return call.missing("missing operand", 1);
    }
    let mut status = 0;
    for name in &args.operands {
        let path = call.path(name);
        let result = if args.has('p') { make_all(call, &path) } else { call.system.make_dir(&path).map(|()| true) };
        match result {
            Ok(made) => {
                if let Some(mode) = args.value('m').and_then(|text| changed_mode(text, 0o777, true, 0)) {
                    let _ = call.system.set_mode(&path, mode);
                } else if made && call.state.mask != 0o022 {
                    let _ = call.system.set_mode(&path, 0o777 & !call.state.mask);
                }
                if args.has('v') && made {
                    let start = if call.is_ash() { "created directory:" } else { "mkdir: created directory" };
                    call.out(&format!("{start} '{name}'\n"));
                }
            }
            Err(error) => {
                let text = match call.is_ash() {
                    true => format!("can't create directory '{name}': {error}"),
                    false => format!("cannot create directory '{name}': {error}"),
                };
                call.err("mkdir", &text);
                status = 1;
            }
        }
    }
    Outcome::Done(status)
}

/// Makes a directory with those above it; whether the last one is new.
pub(super) fn make_all(call: &mut Call<'_>, path: &str) -> Result<bool, FileError> {
    let mut at = String::new();
    let mut made = false;
    for part in path.split('/').filter(|part| !part.is_empty()) {
        at = format!("{at}/{part}");
        match call.system.info(&at) {
            Ok(info) if info.directory() => made = false,
            Ok(_) if at == path => return Err(FileError::Exists),
            Ok(_) => return Err(FileError::NotADirectory),
            Err(_) => {
                call.system.make_dir(&at)?;
                made = true;
            }
        }
    }
    Ok(made)
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
    let long = [("force", 'f'), ("recursive", 'r'), ("verbose", 'v'), ("dir", 'd')];
    let args = parse_args!(call, "rfRivdI", "", &long);
    if args.operands.is_empty() && !args.has('f') {
        return call.missing("missing operand", 1);
    }
    let recursive = args.has('r') || args.has('R');
    let mut status = 0;
    for name in &args.operands {
        let path = call.path(name);
        if matches!(path.as_str(), "/") && recursive {
            let text =
                "it is dangerous to operate recursively on '/'\nrm: use --no-preserve-root to override this failsafe";
            call.err("rm", text);
            status = 1;
            continue;
        }
        let text = match (call.system.link_info(&path), call.is_ash()) {
            (Err(FileError::NotFound), _) if args.has('f') => continue,
            (Err(error), true) => format!("can't remove '{name}': {error}"),
            (Err(error), false) => format!("cannot remove '{name}': {error}"),
            (Ok(info), true) if info.directory() && !recursive => format!("'{name}' is a directory"),
            (Ok(info), false) if info.directory() && !recursive => format!("cannot remove '{name}': Is a directory"),
            (Ok(_), ash) => match remove_all(call, &path, 0) {
                Ok(()) => {
                    if args.has('v') {
                        call.out(&format!("removed '{name}'\n"));
                    }
                    continue;
                }
                Err(error) if ash => format!("can't remove '{name}': {error}"),
                Err(error) => format!("cannot remove '{name}': {error}"),
            },
        };
        call.err("rm", &text);
        status = 1;
    }
    Outcome::Done(status)
}

pub(super) fn remove_all(call: &mut Call<'_>, path: &str, depth: usize) -> Result<(), FileError> {
    if call.system.link_info(path)?.directory() && depth < MAX_DEPTH {
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
    let long = [
        ("recursive", 'r'),
        ("archive", 'a'),
        ("force", 'f'),
        ("preserve", 'p'),
        ("verbose", 'v'),
        ("no-clobber", 'n'),
        ("update", 'u'),
        ("target-directory", 't'),
        ("no-target-directory", 'T'),
    ];
    let args = parse_args!(call, "rRafpinvudTlsLPH", "t", &long);
    let name = call.name;
    let mut operands = args.operands.clone();
    if let Some(target) = args.value('t') {
        operands.push(target.to_string());
    }
    let Some((target, sources)) = operands.split_last().filter(|(_, sources)| !sources.is_empty()) else {
        let what = match operands.first() {
            None => "missing file operand".to_string(),
            Some(only) => format!("missing destination file operand after '{only}'"),
        };
        return call.missing(&what, 1);
    };
    let target_path = call.path(target);
    let into = call.system.info(&target_path).is_ok_and(|info| info.directory()) && !args.has('T');
    if !into && sources.len() > 1 {
        let text = if call.is_ash() {
            format!("can't create '{target}': Not a directory")
        } else {
            format!("target '{target}' is not a directory")
        };
        call.err(name, &text);
        return Outcome::Done(1);
    }
    let how = Copying {
        recursive: args.has('r') || args.has('R') || args.has('a'),
        keeps: args.has('p') || args.has('a'),
        links: args.has('d') || args.has('a') || args.has('P') || moves,
    };
    let mut status = 0;
    for source in sources {
        let from = call.path(source);
        let (to, shown) = match into {
            true => (join(&target_path, base(&from)), join(target, base(&from))),
            false => (target_path.clone(), target.clone()),
        };
        let exists = call.system.link_info(&to).is_ok();
        if exists && args.has('n') {
            continue;
        }
        if args.has('u') && exists {
            let time = |path: &str| call.system.info(path).map(|info| info.modified).ok();
            if time(&from) <= time(&to) {
                continue;
            }
        }
        match one(call, source, &from, target, &to, moves, &how) {
            Ok(()) if args.has('v') => {
                let start = if moves && !call.is_ash() { "renamed " } else { "" };
                call.out(&format!("{start}'{source}' -> '{shown}'\n"));
            }
            Ok(()) => {}
            Err(text) => {
                call.err(name, &text);
                status = 1;
            }
        }
    }
    Outcome::Done(status)
}

/// How files are copied.
struct Copying {
    recursive: bool,
    /// Modes, owners and times too.
    keeps: bool,
    /// Links as links.
    links: bool,
}

/// Copies or moves one file; the error is what is said.
fn one(
    call: &mut Call<'_>,
    source: &str,
    from: &str,
    target: &str,
    to: &str,
    moves: bool,
    how: &Copying,
) -> Result<(), String> {
    let ash = call.is_ash();
    let info = match (call.system.link_info(from), moves, ash) {
        (Ok(info), ..) => info,
        (Err(error), true, true) => return Err(format!("can't rename '{source}': {error}")),
        (Err(error), false, true) => return Err(format!("can't stat '{source}': {error}")),
        (Err(error), _, false) => return Err(format!("cannot stat '{source}': {error}")),
    };
    let directory = call.system.info(from).is_ok_and(|info| info.directory());
    if directory && !(moves || how.recursive || info.kind == FileKind::Link && how.links) {
        return Err(match ash {
            true => format!("omitting directory '{source}'"),
            false => format!("-r not specified; omitting directory '{source}'"),
        });
    }
    if from == to {
        return Err(format!("'{source}' and '{target}' are the same file"));
    }
    let missing = target.ends_with('/') && call.system.info(to).is_err() && !directory;
    if missing {
        return Err(match (moves, ash) {
            (true, true) => format!("can't rename '{source}': Not a directory"),
            (true, false) => format!("cannot move '{source}' to '{target}': Not a directory"),
            (false, true) => format!("can't create '{target}': Is a directory"),
            (false, false) => format!("cannot create regular file '{target}': Not a directory"),
        });
    }
    let below = to.starts_with(&format!("{from}/"));
    if below && directory {
        return Err(match (moves, ash) {
            (true, true) => format!("can't rename '{source}': Invalid argument"),
            (true, false) => format!("cannot move '{source}' to a subdirectory of itself, '{target}'"),
            (false, true) => "recursion detected, omitting directory".to_string(),
            (false, false) => format!("cannot copy a directory, '{source}', into itself, '{target}'"),
        });
    }
    let result = if moves {
        if !info.directory() && call.system.link_info(to).is_ok_and(|info| !info.directory()) {
            let _ = call.system.remove(to);
        }
        call.system.rename(from, to)
    } else {
        copy_all(call, from, to, how, 0)
    };
    result.map_err(|error| match (moves, ash) {
        (true, true) => format!("can't rename '{source}': {error}"),
        (false, true) => format!("can't create '{target}': {error}"),
        (true, false) => format!("cannot move '{source}' to '{target}': {error}"),
        (false, false) => format!("cannot create regular file '{target}': {error}"),
    })
}

fn copy_all(call: &mut Call<'_>, from: &str, to: &str, how: &Copying, depth: usize) -> Result<(), FileError> {
    let own = call.system.link_info(from)?;
    if own.kind == FileKind::Link && how.links {
        let target = call.system.read_link(from)?;
        let _ = call.system.remove(to);
        return call.system.make_link(&target, to);
    }
    let info = call.system.info(from)?;
    if info.directory() {
        if depth >= MAX_DEPTH {
            return Err(FileError::Invalid);
        }
        let names = call.system.list_dir(from)?;
        if call.system.info(to).is_err() {
            call.system.make_dir(to)?;
        }
        names.iter().try_for_each(|name| copy_all(call, &join(from, name), &join(to, name), how, depth + 1))?;
    } else {
        let bytes = call.system.read_file(from)?;
        let fresh = call.system.info(to).is_err();
        call.system.write_file(to, &bytes, false)?;
        if fresh {
            call.system.set_mode(to, info.mode & !call.state.mask)?;
        }
    }
    if how.keeps {
        call.system.set_mode(to, info.mode)?;
        call.system.set_owner(to, info.user, info.group)?;
        call.system.set_modified(to, info.modified)?;
    }
    Ok(())
}

pub fn touch(call: &mut Call<'_>) -> Outcome {
    let long = [("no-create", 'c'), ("date", 'd'), ("reference", 'r')];
    let args = parse_args!(call, "acmhf", "drt", &long);
    if args.operands.is_empty() {
        return call.missing("missing file operand", 1);
    }
    let now = call.system.now();
    let time = if let Some(file) = args.value('r') {
        match call.system.info(&call.path(file)) {
            Ok(info) => Some(info.modified),
            Err(error) => {
                let text = match call.is_ash() {
                    true => format!("{file}: {error}"),
                    false => format!("failed to get attributes of '{file}': {error}"),
                };
                call.err("touch", &text);
                return Outcome::Done(1);
            }
        }
    } else if let Some(text) = args.value('t') {
        super::date::stamp(text, now)
    } else if let Some(text) = args.value('d') {
        match super::date::read(text, now, call.is_ash()) {
            Some(time) => Some(time),
            None => {
                call.err(
                    "touch",
                    &format!("invalid date '{text}'").replace(
                        "invalid date '",
                        if call.is_ash() { "invalid date '" } else { "invalid date format '" },
                    ),
                );
                return Outcome::Done(1);
            }
        }
    } else {
        None
    };
    let mut status = 0;
    for name in &args.operands {
        let path = call.path(name);
        let known = call.system.info(&path);
        if known.is_err() && args.has('c') {
            continue;
        }
        let made = match known {
            Ok(_) => Ok(()),
            Err(_) => call.system.write_file(&path, b"", true),
        };
        if made.is_ok() && known.is_err() && call.state.mask != 0o022 {
            let _ = call.system.set_mode(&path, 0o666 & !call.state.mask);
        }
        if let Err(error) = made.and_then(|()| call.system.set_modified(&path, time.unwrap_or(now))) {
            let text =
                if call.is_ash() { format!("{name}: {error}") } else { format!("cannot touch '{name}': {error}") };
            call.err("touch", &text);
            status = 1;
        }
    }
    Outcome::Done(status)
}

pub fn mktemp(call: &mut Call<'_>) -> Outcome {
    let long = [("directory", 'd'), ("dry-run", 'u'), ("quiet", 'q'), ("tmpdir", 'p')];
    let args = parse_args!(call, "dqtu", "p", &long);
    let given = args.operands.first().cloned();
    let template = given.clone().unwrap_or_else(|| match call.is_ash() {
        true => "tmp.XXXXXX".to_string(),
        false => "tmp.XXXXXXXXXX".to_string(),
    });
    let in_temporary = given.is_none() || args.has('t') || args.has('p');
    let folder = call.state.get("TMPDIR").filter(|dir| !dir.is_empty()).unwrap_or("/tmp").to_string();
    let folder = args.value('p').filter(|dir| !dir.is_empty()).map_or(folder, str::to_string);
    let start = template.trim_end_matches('X');
    let count = template.len() - start.len();
    if count < if call.is_ash() { 6 } else { 3 } {
        let text = match call.is_ash() {
            true => "Invalid argument".to_string(),
            false => format!("too few X's in template '{template}'"),
        };
        call.err("mktemp", &text);
        return Outcome::Done(1);
    }
    let letters: Vec<char> = ('a'..='z').chain('A'..='Z').chain('0'..='9').collect();
    let suffix: String = (0..count).map(|_| letters[(call.system.random() % letters.len() as u64) as usize]).collect();
    let name = if in_temporary { join(&folder, &format!("{start}{suffix}")) } else { format!("{start}{suffix}") };
    let path = call.path(&name);
    let (result, mode) = match (args.has('u'), args.has('d')) {
        (true, _) => (Ok(()), None),
        (false, true) => (call.system.make_dir(&path), Some(0o700)),
        (false, false) => (call.system.write_file(&path, b"", false), Some(0o600)),
    };
    match result {
        Ok(()) => {
            if let Some(mode) = mode {
                let _ = call.system.set_mode(&path, mode);
            }
            call.out(&format!("{name}\n"));
            Outcome::Done(0)
        }
        Err(error) => {
            let kind = if args.has('d') { "directory" } else { "file" };
            let text = match call.is_ash() {
                true => format!("{template}: {error}").replace(&format!("{template}: "), ""),
                false => format!(
                    "failed to create {kind} via template '{}': {error}",
                    if in_temporary { join(&folder, &template) } else { template.clone() }
                ),
            };
            call.err("mktemp", &text);
            Outcome::Done(1)
        }
    }
}
