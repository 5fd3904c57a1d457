//! Pathname expansion: the host's files that a pattern names.

use super::super::host::{System, resolve};
use super::pattern::Pattern;

/// Names one pattern may give.
const MAX_NAMES: usize = 10_000;

/// The sorted names that match; empty if none does (the word then stays as it is).
pub(super) fn expand(pattern: &str, cwd: &str, system: &dyn System) -> Vec<String> {
    let absolute = pattern.starts_with('/');
    let segments: Vec<&str> = pattern.split('/').filter(|segment| !segment.is_empty()).collect();
    let mut found = vec![if absolute { "/".to_string() } else { String::new() }];
    for (i, segment) in segments.iter().enumerate() {
        let last = i + 1 == segments.len();
        let mut next = Vec::new();
        for base in &found {
            step(base, segment, last, cwd, system, &mut next);
            if next.len() > MAX_NAMES {
                next.truncate(MAX_NAMES);
                break;
            }
        }
        found = next;
    }
    found.retain(|name| !name.is_empty() && name != "/");
    found.sort();
    found
}

fn step(base: &str, segment: &str, last: bool, cwd: &str, system: &dyn System, next: &mut Vec<String>) {
    if !segment.contains(['*', '?', '[']) || only_escaped(segment) {
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
    let matcher = Pattern::new(segment);
    let Ok(names) = system.list_dir(&resolve(cwd, base)) else { return };
    for name in names {
        let hidden_asked_for = segment.starts_with('.') || segment.starts_with("\\.");
        if name.starts_with('.') && !hidden_asked_for || !matcher.matches(&name) {
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

fn unescape(segment: &str) -> String {
    let mut out = String::new();
    let mut chars = segment.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
    }
    out
}
