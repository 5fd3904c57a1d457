//! Pathname expansion: the host's files that a pattern names.

use super::super::host::{System, resolve};
use super::super::state::State;
use super::super::syntax::Dialect;
use super::pattern::Pattern;

/// Names one pattern may give.
const MAX_NAMES: usize = 10_000;
/// Directories below each other that `**` looks into.
const MAX_DEPTH: usize = 30;

/// The sorted names that match; empty if none does (the word then stays as it is).
pub(super) fn expand(pattern: &str, state: &State, system: &dyn System) -> Vec<String> {
    let absolute = pattern.starts_with('/');
    let segments: Vec<&str> = pattern.split('/').filter(|segment| !segment.is_empty()).collect();
    let only_directories = pattern.ends_with('/');
    let mut found = vec![if absolute { "/".to_string() } else { String::new() }];
    for (i, segment) in segments.iter().enumerate() {
        let last = i + 1 == segments.len() && !only_directories;
        let mut next = Vec::new();
        for base in &found {
            if *segment == "**" && state.flags.globstar {
                below(base, last, state, system, &mut next, 0);
            } else {
                step(base, segment, last, state, system, &mut next);
            }
            if next.len() > MAX_NAMES {
                next.truncate(MAX_NAMES);
                break;
            }
        }
        found = next;
    }
    found.retain(|name| !name.is_empty() && name != "/");
    found.sort();
    found.dedup();
    found
}

/// `**`: everything below, however deep.
fn below(base: &str, last: bool, state: &State, system: &dyn System, next: &mut Vec<String>, depth: usize) {
    if depth > MAX_DEPTH || next.len() > MAX_NAMES {
        return;
    }
    if !last {
        next.push(base.to_string());
    }
    for name in system.list_dir(&resolve(&state.cwd, base)).unwrap_or_default() {
        if name.starts_with('.') && !state.flags.dotglob {
            continue;
        }
        let path = format!("{base}{name}");
        if last {
            next.push(path.clone());
        }
        if system.link_info(&resolve(&state.cwd, &path)).is_ok_and(|info| info.directory()) {
            below(&(path + "/"), last, state, system, next, depth + 1);
        }
    }
}

fn step(base: &str, segment: &str, last: bool, state: &State, system: &dyn System, next: &mut Vec<String>) {
    let cwd = &state.cwd;
    let extended = state.flags.extglob && segment.contains('(');
    if !extended && (!segment.contains(['*', '?', '[']) || only_escaped(segment)) {
        let name = format!("{base}{}", unescape(segment));
        if let Ok(info) = system.info(&resolve(cwd, &name)) {
            if last {
                next.push(name);
            } else if info.directory() {
                next.push(name + "/");
            }
        }
        return;
    }
    let matcher = Pattern::with(segment, state.flags.extglob, state.flags.nocaseglob);
    let Ok(mut names) = system.list_dir(&resolve(cwd, base)) else { return };
    let hidden_asked_for = segment.starts_with('.') || segment.starts_with("\\.");
    if hidden_asked_for && state.dialect != Dialect::Bash {
        names.extend([".".to_string(), "..".to_string()]);
    }
    for name in names {
        let hidden = name.starts_with('.') && !hidden_asked_for && !state.flags.dotglob;
        if hidden || !matcher.matches(&name) {
            continue;
        }
        let path = format!("{base}{name}");
        if last {
            next.push(path);
        } else if system.info(&resolve(cwd, &path)).is_ok_and(|info| info.directory()) {
            next.push(path + "/");
        }
    }
}

fn only_escaped(segment: &str) -> bool {
    let mut escaped = false;
    segment.chars().all(|c| {
        let plain = escaped || !matches!(c, '*' | '?' | '[');
        escaped = c == '\\' && !escaped;
        plain
    })
}

/// The text without the backslashes that protect.
pub(super) fn unescape(segment: &str) -> String {
    let mut out = String::new();
    let mut chars = segment.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
    }
    out
}
