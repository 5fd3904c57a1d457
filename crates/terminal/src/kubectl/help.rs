//! The help of kubectl and of each verb, and what is said of verbs that are not there.
//!
//! All comes from the table of verbs. Source: `kubectl/pkg/util/templates/templates.go`, `cobra/command.go`.

use crate::kubectl::flags::{self, Flag, Takes};
use crate::kubectl::{Call, GLOBAL_FLAGS, Outcome, VERBS, Verb, named};
use shell::Io;
use values::sort::sort_by_key;

/// How kubectl groups its commands.
const GROUPS: &[(&str, &[&str])] = &[
    ("Basic Commands (Beginner)", &["create", "expose", "run", "set"]),
    ("Basic Commands (Intermediate)", &["explain", "get", "edit", "delete"]),
    ("Deploy Commands", &["rollout", "scale", "autoscale"]),
    ("Cluster Management Commands", &["certificate", "cluster-info", "top", "cordon", "uncordon", "drain", "taint"]),
    (
        "Troubleshooting and Debugging Commands",
        &["describe", "logs", "attach", "exec", "port-forward", "proxy", "cp", "auth", "debug", "events"],
    ),
    ("Advanced Commands", &["diff", "apply", "patch", "replace", "wait", "kustomize"]),
    ("Settings Commands", &["label", "annotate", "completion"]),
    ("Other Commands", &["api-resources", "api-versions", "config", "plugin", "version"]),
];

/// Words for which kubectl suggests a command although they are spelt otherwise.
const MEANT: &[(&str, &str)] = &[("list", "get"), ("ps", "get"), ("rm", "delete"), ("resize", "scale")];

/// kubectl without a verb, or with one that is not there.
pub fn without_verb(argv: &[String], io: &mut Io) -> Outcome {
    let first = flags::first_argument(argv, 0, GLOBAL_FLAGS).map(|at| argv[at].as_str());
    match first {
        None | Some("help") => help_command(argv, io),
        Some(word) => {
            io.err(&format!("error: unknown command \"{word}\" for \"kubectl\"\n{}", suggestions(word)));
            Outcome::Exit(1)
        }
    }
}

/// `kubectl`, `kubectl --help`, `kubectl help VERB`.
fn help_command(argv: &[String], io: &mut Io) -> Outcome {
    if argv.iter().any(|arg| arg.starts_with('-'))
        && let Err(text) = flags::parse(argv, &[GLOBAL_FLAGS])
    {
        io.err(&format!("error: {text}\nSee 'kubectl --help' for usage.\n"));
        return Outcome::Exit(1);
    }
    let words: Vec<&str> =
        argv.iter().map(String::as_str).filter(|arg| !arg.starts_with('-') && *arg != "help").collect();
    let verb = (1..=words.len()).rev().find_map(|n| named(&words[..n].join(" ")));
    match (words.is_empty(), verb) {
        (true, _) => io.out(&overview()),
        (false, Some(verb)) => io.out(&of(verb)),
        (false, None) => {
            io.out(&format!("Unknown help topic [`{}`]\n{}", words.join("` `"), overview()));
            return Outcome::Exit(0);
        }
    }
    Outcome::Exit(0)
}

/// A verb that only has subcommands was called alone: its help (of most on standard error), and exit code 1; or with a word that
/// is none of them.
pub fn needs_subcommand(call: &mut Call<'_, '_>) -> Outcome {
    if !call.parsed.args.is_empty() {
        let words = call.parsed.args.join(" ");
        return call.misused(&format!("unknown command \"{words}\""));
    }
    if let Some(verb) = named(call.verb) {
        let text = of(verb);
        match call.verb {
            "rollout" | "certificate" => call.io.out(&text),
            _ => call.io.err(&text),
        }
    }
    Outcome::Exit(i32::from(call.verb != "certificate"))
}

/// kubectl's own help.
pub fn overview() -> String {
    let mut text = "kubectl controls the Kubernetes cluster manager.\n\n Find more information at: \
                    https://kubernetes.io/docs/reference/kubectl/\n"
        .to_owned();
    for (title, names) in GROUPS {
        let rows: Vec<&Verb> = names.iter().filter_map(|name| named(name)).collect();
        if !rows.is_empty() {
            text.push_str(&format!("\n{title}:\n"));
            rows.iter().for_each(|verb| text.push_str(&format!("  {:<15} {}\n", verb.name, verb.summary)));
        }
    }
    text.push_str(
        "\nUsage:\n  kubectl [flags] [options]\n\nUse \"kubectl <command> --help\" for more information about a given \
         command.\nUse \"kubectl options\" for a list of global command-line options (applies to all commands).\n",
    );
    text
}

/// The help of a verb.
pub fn of(verb: &Verb) -> String {
    let mut text = format!("{}.\n", verb.summary);
    let below: Vec<&Verb> = children(verb.name).collect();
    if !below.is_empty() {
        text.push_str("\nAvailable Commands:\n");
        for child in below {
            let word = child.name.rsplit(' ').next().unwrap_or_default();
            text.push_str(&format!("  {word:<15} {}\n", child.summary));
        }
    }
    if !verb.flags.is_empty() {
        text.push_str(&format!("\nOptions:\n{}", flag_list(verb.flags)));
    }
    text.push_str(&format!("\nUsage:\n  {} [options]\n\n", verb.usage));
    if children(verb.name).next().is_some() {
        text.push_str(&format!(
            "Use \"kubectl {} <command> --help\" for more information about a given command.\n",
            verb.name
        ));
    }
    text.push_str("Use \"kubectl options\" for a list of global command-line options (applies to all commands).\n");
    text
}

/// The subcommands of a verb.
pub fn children(name: &str) -> impl Iterator<Item = &'static Verb> {
    super::all().filter(move |verb| {
        let rest = verb.name.strip_prefix(name).and_then(|rest| rest.strip_prefix(' '));
        rest.is_some_and(|rest| !rest.contains(' '))
    })
}

/// Flags with their defaults and what they are for.
pub fn flag_list(flags: &[Flag]) -> String {
    let line = |flag: &Flag| {
        let short = flag.short.map_or("    ".to_owned(), |short| format!("-{short}, "));
        let default = match flag.takes {
            Takes::List | Takes::Array if flag.default.is_empty() => "[]".to_owned(),
            Takes::Nothing if flag.default.is_empty() => "false".to_owned(),
            Takes::Text if !is_bare(flag.default) => format!("'{}'", flag.default),
            Takes::Optional(_) => format!("'{}'", flag.default),
            _ => flag.default.to_owned(),
        };
        format!("    {short}--{}={default}:\n\t{}\n", flag.name, flag.help)
    };
    let mut sorted: Vec<&Flag> = flags.iter().collect();
    sort_by_key(&mut sorted, |flag| flag.name);
    sorted.into_iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Numbers and spans stand without quotes.
fn is_bare(default: &str) -> bool {
    default.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit())
}

/// `Did you mean this?` with the commands that are meant.
fn suggestions(word: &str) -> String {
    let near: Vec<&str> = VERBS
        .iter()
        .map(|verb| verb.name)
        .filter(|name| !name.contains(' '))
        .filter(|name| {
            distance(&word.to_lowercase(), name) <= 2
                || name.starts_with(&word.to_lowercase())
                || MEANT.iter().any(|(typed, meant)| typed == &word && meant == name)
        })
        .collect();
    match near.is_empty() {
        true => String::new(),
        false => format!("\nDid you mean this?\n{}", near.iter().map(|name| format!("\t{name}\n")).collect::<String>()),
    }
}

/// The distance of Levenshtein. Long words are cut: they are far from every command anyway.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(40).collect(), b.chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    #[test]
    fn near_words_are_near() {
        for (a, b, want) in [("gte", "get", 2), ("get", "get", 0), ("aply", "apply", 1), ("", "get", 3)] {
            assert_eq!(super::distance(a, b), want);
        }
    }
}
