//! helm: the part of Helm 3 that one-time Jobs around a release need.
//!
//! `install`, `upgrade`, `rollback`, `uninstall`, `template`, `list`, `status`, `history`, `get`, `version`, over a chart
//! kept as files of the terminal. Words and order are those of Helm v3.22.0 (recording `helm-hooks`). Not there:
//! repositories, charts inside charts, `test`, `lint`, schemas, CRDs.

mod action;
mod chart;
mod commands;
pub mod functions;
mod objects;
mod print;
mod release;
mod render;
#[cfg(test)]
mod tests;
mod chart_values;
mod verbs;

use crate::command::Args;
use crate::host::Desk;
use crate::kubectl::flags::{self, Flag, Parsed, Takes, flag};
use action::{Doing, Operation, Progress};
use shell::{Io, Poll};
use values::time::{SimTime, Span};
use verbs::{VERBS, Verb};

pub const VERSION: &str = "v3.22.0";

const GLOBAL_FLAGS: &[Flag] = &[
    flag("namespace", Takes::Text, "The namespace of the release").short('n'),
    flag("help", Takes::Nothing, "Says how the command is used").short('h'),
    flag("debug", Takes::Nothing, "Say more"),
    flag("kube-context", Takes::Text, "The context of the configuration to use"),
];

/// One run of a verb.
struct Call<'a, 'b> {
    desk: &'a mut Desk<'b>,
    io: &'a mut Io,
    parsed: Parsed,
    cwd: &'a str,
}

/// What a verb's start came to.
enum Next {
    Done,
    Runs(Box<Operation>),
}

/// A helm that was started.
#[derive(Clone, Debug, Default)]
pub enum Task {
    #[default]
    New,
    /// The program starts and reads.
    Starts(SimTime),
    Runs(Box<Operation>),
}

impl Task {
    /// Goes on as far as it can without time passing.
    pub fn poll(&mut self, args: &Args, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        loop {
            match self {
                Task::New => match ready(&args.argv) {
                    Ok(verb) => *self = Task::Starts(desk.cluster.now() + Span::ms(verb.starts_in_ms)),
                    Err((code, out, err)) => {
                        io.out(&out);
                        io.err(&err);
                        return Poll::Exit(code);
                    }
                },
                Task::Starts(at) if desk.cluster.now() < *at => return Poll::SleepUntil(*at),
                Task::Starts(_) => match start(args, desk, io) {
                    Ok(Next::Done) => return Poll::Exit(0),
                    Ok(Next::Runs(operation)) => *self = Task::Runs(operation),
                    Err(text) => return failed(&text, io),
                },
                Task::Runs(operation) => match operation.poll(desk.cluster) {
                    Progress::SleepUntil(at) | Progress::Waits(at) => return Poll::SleepUntil(at),
                    Progress::Done => {
                        tell(operation, io);
                        return Poll::Exit(0);
                    }
                    Progress::Failed(text) => {
                        let prefix = match operation.doing {
                            Doing::Install => "INSTALLATION FAILED: ",
                            Doing::Upgrade => "UPGRADE FAILED: ",
                            Doing::Rollback | Doing::Uninstall => "",
                        };
                        return failed(&format!("{prefix}{text}"), io);
                    }
                },
            }
        }
    }
}

fn failed(text: &str, io: &mut Io) -> Poll {
    io.err(&format!("Error: {text}\n"));
    Poll::Exit(1)
}

/// The verb of a command line, if it can be run; else exit code, output and errors.
fn ready(argv: &[String]) -> Result<&'static Verb, (i32, String, String)> {
    let Some(name) = argv.iter().find(|arg| !arg.starts_with('-')) else { return Err((0, help(), String::new())) };
    if name == "help" {
        return Err((0, help(), String::new()));
    }
    let Some(verb) = find(name) else {
        let text = format!("Error: unknown command \"{name}\" for \"helm\"\nRun 'helm --help' for usage.\n");
        return Err((1, String::new(), text));
    };
    match parse(argv, verb) {
        Err(message) => Err((1, String::new(), format!("Error: {message}\n"))),
        Ok(parsed) if parsed.on("help") => Err((0, help_of(verb), String::new())),
        Ok(parsed) => {
            let (least, most) = verb.arguments;
            let given = parsed.args.len();
            if given >= least && given <= most {
                return Ok(verb);
            }
            let want = match (least, most) {
                (0, 0) => "accepts no arguments".to_owned(),
                (least, most) if given < least && least != most => format!("requires at least {}", counted(least)),
                (least, most) if given > most && least != most => format!("accepts at most {}", counted(most)),
                (least, _) => format!("requires {}", counted(least)),
            };
            let text = format!("Error: \"helm {}\" {want}\n\nUsage:  {}\n", verb.name, verb.usage);
            Err((1, String::new(), text))
        }
    }
}

fn counted(count: usize) -> String {
    format!("{count} argument{}", if count == 1 { "" } else { "s" })
}

fn find(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name || verb.aliases.contains(&name))
}

fn parse(argv: &[String], verb: &Verb) -> Result<Parsed, String> {
    let mut rest = argv.to_vec();
    if let Some(i) = rest.iter().position(|arg| arg == verb.name || verb.aliases.contains(&arg.as_str())) {
        rest.remove(i);
    }
    flags::parse(&rest, &[verb.flags, GLOBAL_FLAGS])
}

fn help() -> String {
    let rows: String = VERBS.iter().map(|verb| format!("  {:11} {}\n", verb.name, verb.summary)).collect();
    format!("The Kubernetes package manager\n\nUsage:\n  helm [command]\n\nAvailable Commands:\n{rows}")
}

fn help_of(verb: &Verb) -> String {
    let row = |flag: &Flag| {
        let short = flag.short.map_or("    ".to_owned(), |short| format!("-{short}, "));
        format!("  {short}--{:20} {}\n", flag.name, flag.help)
    };
    let rows: String = verb.flags.iter().chain(GLOBAL_FLAGS).map(row).collect();
    format!("{}\n\nUsage:\n  {}\n\nFlags:\n{rows}", verb.summary, verb.usage)
}

/// Names of all verbs, for completion.
pub fn verbs() -> impl Iterator<Item = &'static str> {
    VERBS.iter().map(|verb| verb.name)
}

fn start(args: &Args, desk: &mut Desk<'_>, io: &mut Io) -> Result<Next, String> {
    let verb = args.argv.iter().find(|arg| !arg.starts_with('-')).and_then(|name| find(name));
    let Some(verb) = verb else { return Ok(Next::Done) };
    let parsed = parse(&args.argv, verb)?;
    let mut call = Call { desk, io, parsed, cwd: &args.cwd };
    (verb.run)(&mut call).map_err(|text| format!("{}{text}", verb.failed))
}

/// What a finished operation prints.
fn tell(operation: &Operation, io: &mut Io) {
    let release = &operation.release;
    match operation.doing {
        Doing::Install => io.out(&print::status(release, true)),
        Doing::Upgrade => {
            io.out(&format!("Release \"{}\" has been upgraded. Happy Helming!\n", release.name));
            io.out(&print::status(release, true));
        }
        Doing::Rollback => io.out("Rollback was a success! Happy Helming!\n"),
        Doing::Uninstall => {
            if !operation.kept.is_empty() {
                let kept: String = operation.kept.iter().map(|key| format!("[{}] {}\n", key.kind, key.name)).collect();
                io.out(&format!("These resources were kept due to the resource policy:\n{kept}\n"));
            }
            io.out(&format!("release \"{}\" uninstalled\n", release.name));
        }
    }
}
