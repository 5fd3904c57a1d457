//! What a name means: `type` and `command`.

use super::Flow;
use crate::host::Host;
use crate::interp::{Context, Process};
use crate::syntax::{Dialect, KEYWORDS, printer};

/// What a name stands for: in the words of `type`, of `command -v`, and in one word.
struct Meaning {
    long: String,
    short: String,
    word: &'static str,
}

/// Everything a name stands for, the first of which counts.
fn meanings<H: Host>(process: &Process<H::Command>, name: &str, cx: &Context<'_, H>) -> Vec<Meaning> {
    let dialect = process.state.dialect;
    let bash = dialect.is_bash();
    let mut all = Vec::new();
    let mut add = |long: String, short: String, word| all.push(Meaning { long, short, word });
    if let Some(value) = process.state.aliases.get(name) {
        let long =
            if bash { format!("{name} is aliased to `{value}'") } else { format!("{name} is an alias for {value}") };
        add(long, format!("alias {name}='{value}'"), "alias");
    }
    let own = match name {
        "[[" => dialect != Dialect::Dash,
        "select" | "coproc" | "function" | "time" => bash,
        _ => true,
    };
    if own && KEYWORDS.contains(&name) {
        add(format!("{name} is a shell keyword"), name.to_string(), "keyword");
    }
    if let Some(body) = process.state.functions.get(name) {
        let long = match dialect {
            Dialect::Bash => format!("{name} is a function\n{}", printer::function(name, body).trim_end_matches('\n')),
            _ => format!("{name} is a shell function"),
        };
        add(long, name.to_string(), "function");
    }
    if process.is_builtin::<H>(name) {
        let kind = if !bash && super::is_special(name) { "a special shell builtin" } else { "a shell builtin" };
        add(format!("{name} is {kind}"), name.to_string(), "builtin");
    }
    if let Some(path) = process.path_to(name, cx) {
        add(format!("{name} is {path}"), path, "file");
    }
    all
}

pub(super) fn type_of<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let bash = process.state.dialect.is_bash();
    let options: String = match bash {
        true => words[1..].iter().take_while(|arg| arg.starts_with('-')).map(|arg| &arg[1..]).collect(),
        false => String::new(),
    };
    let skipped = words[1..].iter().take_while(|arg| bash && arg.starts_with('-')).count();
    let mut status = 0;
    for name in &words[1 + skipped..] {
        let mut found = meanings(process, name, cx);
        if options.contains(['p', 'P']) {
            let shadowed = !options.contains('P') && found.first().is_some_and(|meaning| meaning.word != "file");
            found.retain(|meaning| meaning.word == "file" && !shadowed);
        }
        if found.is_empty() {
            status = if bash { 1 } else { 127 };
            match process.state.dialect {
                _ if options.contains(['t', 'p', 'P']) => {}
                Dialect::Ash | Dialect::Dash => {
                    process.write(1, format!("{name}: not found\n").as_bytes(), cx);
                }
                Dialect::Bash => process.complain(cx, Some("type"), &format!("{name}: not found")),
            }
            continue;
        }
        if !options.contains('a') {
            found.truncate(1);
        }
        for meaning in found {
            let text = match options.chars().find(|c| "tpP".contains(*c)) {
                Some('t') => meaning.word.to_string(),
                Some(_) => meaning.short,
                None => meaning.long,
            };
            process.write(1, format!("{text}\n").as_bytes(), cx);
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
                match meanings(process, name, cx).into_iter().next() {
                    Some(meaning) => {
                        let text = if option == "-v" { meaning.short } else { meaning.long };
                        process.write(1, format!("{text}\n").as_bytes(), cx);
                    }
                    None => {
                        status = if process.state.dialect.is_bash() { 1 } else { 127 };
                        if option == "-V" {
                            match process.state.dialect {
                                Dialect::Bash => process.complain(cx, Some("command"), &format!("{name}: not found")),
                                _ => {
                                    process.write(1, format!("{name}: not found\n").as_bytes(), cx);
                                }
                            }
                        }
                    }
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
