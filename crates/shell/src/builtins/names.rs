//! What a name means: `type` and `command`.

use super::{Flow, find};
use crate::commands;
use crate::host::Host;
use crate::interp::{Context, Process};
use crate::syntax::{Dialect, KEYWORDS};

/// What a name stands for, in the words of `type`; and of `command -v`.
fn meaning<H: Host>(process: &Process<H::Command>, name: &str, cx: &Context<'_, H>) -> Option<(String, String)> {
    let bash = process.state.dialect == Dialect::Bash;
    if KEYWORDS.contains(&name) {
        return Some((format!("{name} is a shell keyword"), name.to_string()));
    }
    if process.state.functions.contains_key(name) {
        return Some((format!("{name} is a{} function", if bash { "" } else { " shell" }), name.to_string()));
    }
    if name == "exec" || find::<H>(name).is_some() || matches!(name, "echo" | "test" | "[" | "true" | "false") {
        return Some((format!("{name} is a shell builtin"), name.to_string()));
    }
    if (commands::find(name).is_some() && cx.host.has_common(name)) || cx.host.knows(name) {
        let path = commands::path_of(name, process.state.dialect);
        return Some((format!("{name} is {path}"), path));
    }
    None
}

pub(super) fn type_of<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let mut status = 0;
    for name in words[1..].iter().filter(|arg| !arg.starts_with('-')) {
        match (meaning(process, name, cx), process.state.dialect) {
            (Some((text, _)), _) => {
                process.write(1, format!("{text}\n").as_bytes(), cx);
            }
            (None, dialect) => {
                status = if dialect == Dialect::Ash { 127 } else { 1 };
                match dialect {
                    Dialect::Ash => {
                        process.write(1, format!("{name}: not found\n").as_bytes(), cx);
                    }
                    Dialect::Bash => process.complain(cx, Some("type"), &format!("{name}: not found")),
                }
            }
        }
    }
    Flow::Done(status)
}

/// `command name`: without functions; `command -v name`: what it means.
pub(super) fn command<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    match words.get(1).map(String::as_str) {
        None => Flow::Done(0),
        Some(option @ ("-v" | "-V")) => {
            let mut status = 0;
            for name in &words[2..] {
                match meaning(process, name, cx) {
                    Some((long, short)) => {
                        let text = if option == "-v" { short } else { long };
                        process.write(1, format!("{text}\n").as_bytes(), cx);
                    }
                    None => status = if process.state.dialect == Dialect::Ash { 127 } else { 1 },
                }
            }
            Flow::Done(status)
        }
        Some(_) => {
            let from = if words[1] == "-p" || words[1] == "--" { 2 } else { 1 };
            process.run_words(words[from..].to_vec(), false, cx);
            Flow::Continues
        }
    }
}
