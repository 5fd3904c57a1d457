//! Shells in containers: a part of the engine, see `values::part`.

use wasm_split_helpers::wasm_split;

use super::behaviour::{Occasion, OnTerm};
use super::commands::is_shell;
use super::http::{Request, Response};
use super::image::ProgramKind;
use super::reading::Reading;
use super::tool::{Case, Kind, Manner, Running};
use super::wget::{Fetch, Tool};
use super::{Machine, Process, Start};
use shell::host::resolve;
use shell::{Dialect, Io, Options, Poll, Shell, Signal, Tools, command_names, parse_seconds};
use values::part::{self, NotFetched};

/// What can be done with a container's shell.
pub struct Shells {
    /// Starts a shell, or a command of its world.
    pub(super) start: fn(Start<'_>, &Machine<'_>) -> Process,
    pub(super) poll: fn(&mut Shell<Process>, &mut Machine<'_>, &mut Io, &mut u32) -> Poll,
    pub(super) read: fn(&mut Reading<Process>, &mut Machine<'_>, &mut Io, &mut u32) -> Poll,
    pub(super) fetch: fn(&mut Fetch, &mut Machine<'_>, &mut Io) -> Poll,
    pub(super) signal: fn(&mut Shell<Process>, &mut Machine<'_>, &mut Io, Signal),
    /// Whether a command of this name comes with the shell.
    pub(super) has_command: fn(&str, Tools) -> bool,
    /// The names of all those commands.
    pub(super) commands: fn() -> Vec<&'static str>,
    /// Starts a program that is described by cases, or stood in for.
    pub(super) tool: fn(&ProgramKind, Start<'_>, &Machine<'_>) -> Result<Process, String>,
    pub(super) poll_tool: fn(&mut Running, &mut Machine<'_>, &mut Io) -> Poll,
    pub(super) tool_on_term: fn(&Running) -> OnTerm,
    pub(super) tool_listens: fn(&Running, u16) -> bool,
    pub(super) serve_tool: fn(&Running, &Request) -> Response,
    /// The text of the images that a first look does not need.
    pub(super) more_images: fn() -> &'static str,
}

static SHELLS: Shells = Shells {
    start,
    poll: |shell, machine, io, steps| shell.poll(machine, io, steps),
    read: |reading, machine, io, steps| reading.poll(machine, io, steps),
    fetch: |fetch, machine, io| fetch.poll(machine, io),
    signal: |shell, machine, io, signal| shell.signal(machine, io, signal),
    has_command: shell::comes_with,
    commands: || command_names().collect(),
    tool,
    poll_tool: |tool, machine, io| tool.poll(machine, io),
    tool_on_term: Running::on_term,
    tool_listens: Running::listens,
    serve_tool: Running::serve,
    more_images: || include_str!("../../../../static/images-more.yaml"),
};

/// The functions of this part.
///
/// # Errors
/// They could not be fetched.
#[wasm_split(shell, fallible)]
pub fn shells() -> Result<&'static Shells, NotFetched> {
    Ok(&SHELLS)
}

/// The functions of this part, which the host has fetched.
pub(super) fn fetched() -> &'static Shells {
    part::fetched(shells())
}

fn start(start: Start<'_>, machine: &Machine<'_>) -> Process {
    let base = start.argv[0].rsplit('/').next().unwrap_or_default();
    let exits = |exit_code| Process::Prints { out: String::new(), err: String::new(), exit_code };
    match base {
        "sleep" => sleep(&start.argv[1..]),
        "true" => exits(0),
        "false" => exits(1),
        "wget" => Process::Fetch(Box::new(Fetch::new(Tool::Wget, start.argv, start.cwd))),
        "curl" => Process::Fetch(Box::new(Fetch::new(Tool::Curl, start.argv, start.cwd))),
        _ => shell(start, base, machine),
    }
}

/// The number of a process that `kubectl exec` or a probe starts beside the first one.
const BESIDE_PID: u32 = 31;
/// Entry points start what their arguments name, how deep they may call each other.
const ENTRIES_MAX: usize = 4;

fn tool(kind: &ProgramKind, start: Start<'_>, machine: &Machine<'_>) -> Result<Process, String> {
    tool_within(kind, start, machine, ENTRIES_MAX)
}

fn tool_within(kind: &ProgramKind, start: Start<'_>, machine: &Machine<'_>, depth: usize) -> Result<Process, String> {
    let case = match kind {
        ProgramKind::Tool(tool) => tool.case(&start.argv[1..]),
        _ => Case::stand_in().into(),
    };
    if case.kind == Kind::Entry && depth > 0 {
        let own = start.argv[1..].first().is_none_or(|arg| arg.starts_with('-'));
        let program = machine.image.cmd.first().filter(|_| own).cloned();
        let argv: Vec<String> = program.into_iter().chain(start.argv[1..].iter().cloned()).collect();
        let Some(name) = argv.first() else { return Err("no command specified".into()) };
        let inner = Start { argv: &argv, ..start };
        return match machine.image.program(name, start.env.get("PATH").map(String::as_str)) {
            Some((_, kind @ (ProgramKind::Tool(_) | ProgramKind::StandIn))) => {
                tool_within(kind, inner, machine, depth - 1)
            }
            _ => Process::start(inner, machine),
        };
    }
    // What an unknown image's own program is given as arguments is often a command line.
    let command = start.argv.get(1).filter(|_| case.kind == Kind::StandIn && start.first && machine.image.unmodelled);
    if command.is_some_and(|name| is_shell(name) || is_obvious(name)) {
        return Process::start(Start { argv: &start.argv[1..], ..start }, machine);
    }
    let Occasion { stays, ports, image, .. } = start.occasion.clone();
    let manner = Manner { stays, ports, image, first: start.first };
    Ok(Process::Tool(Box::new(Running::new(case, start.argv, start.env, start.cwd, manner))))
}

/// Commands that mean the same wherever they stand.
fn is_obvious(name: &str) -> bool {
    matches!(name, "sleep" | "echo" | "true" | "false" | "printf" | "env" | "date" | "cat" | "ls" | "seq" | "test")
}

fn shell(start: Start<'_>, base: &str, machine: &Machine<'_>) -> Process {
    let tools = machine.image.tools();
    let dialect = match (base, tools) {
        ("bash", _) => Dialect::Bash,
        (_, Tools::Busybox) => Dialect::Ash,
        (_, Tools::Gnu) => Dialect::Dash,
    };
    let is_shell = is_shell(base);
    let read = if is_shell { Options::from_args(start.argv, dialect) } else { Ok(Options::new(dialect)) };
    let mut options = match read {
        Ok(options) => options,
        Err(why) => {
            return Process::Prints { out: String::new(), err: format!("{base}: {why}\n"), exit_code: 2 };
        }
    };
    options.tools = tools;
    options.env = start.env.clone();
    // ash takes over only what can be a variable of its own; bash passes the rest on.
    if dialect == Dialect::Ash {
        options.env.retain(|name, _| is_name(name));
    }
    options.cwd = start.cwd.to_owned();
    options.first_process = start.first;
    if !start.first {
        options.pid = BESIDE_PID;
    }
    options.started = machine.now;
    if !is_shell {
        let words: Vec<String> = start.argv.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
        return Process::Shell(Box::new(Shell::new(&words.join(" "), options)));
    }
    if let Some(script) = options.script.take() {
        return Process::Shell(Box::new(Shell::new(&script, options)));
    }
    match options.file.clone() {
        None => Process::Reading(Box::new(Reading::new(options))),
        Some(file) => match machine.files.read(&resolve(start.cwd, &file)) {
            Ok(bytes) => Process::Shell(Box::new(Shell::new(&String::from_utf8_lossy(&bytes), options))),
            Err(error) => {
                let (err, exit_code) = match dialect {
                    Dialect::Ash => (format!("{base}: can't open '{file}': {error}\n"), 2),
                    Dialect::Dash => (format!("{base}: 0: cannot open {file}: No such file\n"), 2),
                    Dialect::Bash => (format!("{base}: {file}: {error}\n"), 127),
                };
                Process::Prints { out: String::new(), err, exit_code }
            }
        },
    }
}

fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// `sleep 1m 30`: the spans are added; `infinity` never ends.
fn sleep(args: &[String]) -> Process {
    let usage = |text: String| Process::Prints { out: String::new(), err: text, exit_code: 1 };
    if args.is_empty() {
        return usage("BusyBox v1.36.1 multi-call binary.\n\nUsage: sleep [N]...\n".into());
    }
    let mut total_ms: i64 = 0;
    for arg in args {
        match parse_seconds(arg) {
            Some(span) => total_ms = total_ms.saturating_add(span.as_ms()),
            None => return usage(format!("sleep: invalid number '{arg}'\n")),
        }
    }
    Process::Sleep { until: None, span_ms: total_ms }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_reads_numbers_with_units() {
        // As `sleep` typed into a shell does, to the last digit: 0.00005 days are 4.32 s.
        for (text, ms) in [
            ("5", Some(5000)),
            ("0.25", Some(250)),
            ("2m", Some(120_000)),
            ("0.00005d", Some(4320)),
            ("x", None),
            (".5", Some(500)),
            ("1m 30", Some(90_000)),
        ] {
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            match sleep(&words) {
                Process::Sleep { span_ms, .. } => assert_eq!(Some(span_ms), ms, "{text}"),
                Process::Prints { err, .. } => {
                    assert_eq!((None, err), (ms, format!("sleep: invalid number '{text}'\n")));
                }
                _ => panic!("{text}: neither sleeps nor refuses"),
            }
        }
    }
}
