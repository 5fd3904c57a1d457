//! Shells in containers: a part of the engine, see `values::part`.

use wasm_split_helpers::wasm_split;

use super::commands::is_shell;
use super::reading::Reading;
use super::wget::{Fetch, Tool};
use super::{Machine, Process, Start};
use shell::host::resolve;
use shell::{Dialect, Io, Options, Poll, Shell, Signal, Tools, command_names};
use values::part::{self, NotFetched};
use values::time::Span;

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
}

static SHELLS: Shells = Shells {
    start,
    poll: |shell, machine, io, steps| shell.poll(machine, io, steps),
    read: |reading, machine, io, steps| reading.poll(machine, io, steps),
    fetch: |fetch, machine, io| fetch.poll(machine, io),
    signal: |shell, machine, io, signal| shell.signal(machine, io, signal),
    has_command: shell::comes_with,
    commands: || command_names().collect(),
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
    options.cwd = start.cwd.to_owned();
    options.first_process = start.first;
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

/// `sleep 1m 30`: the spans are added; `infinity` never ends.
fn sleep(args: &[String]) -> Process {
    let usage = |text: String| Process::Prints { out: String::new(), err: text, exit_code: 1 };
    if args.is_empty() {
        return usage("BusyBox v1.36.1 multi-call binary.\n\nUsage: sleep [N]...\n".into());
    }
    let mut total_ms: i64 = 0;
    for arg in args {
        if matches!(arg.as_str(), "inf" | "infinity") {
            total_ms = Span::MAX.as_ms();
            continue;
        }
        match sleep_ms(arg) {
            Some(ms) => total_ms = total_ms.saturating_add(ms),
            None => return usage(format!("sleep: invalid number '{arg}'\n")),
        }
    }
    Process::Sleep { until: None, span_ms: total_ms }
}

/// Milliseconds of `1.5`, `2m`, `1h` …
fn sleep_ms(text: &str) -> Option<i64> {
    let (number, unit_ms) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => {
            let unit = match text.as_bytes()[text.len() - 1] {
                b's' => 1000,
                b'm' => 60_000,
                b'h' => 3_600_000,
                _ => 86_400_000,
            };
            (number, unit)
        }
        None => (text, 1000),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let thousandths: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    whole.checked_mul(unit_ms)?.checked_add(thousandths * unit_ms / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleep_reads_numbers_with_units() {
        for (text, ms) in
            [("5", Some(5000)), ("0.25", Some(250)), ("2m", Some(120_000)), ("x", None), (".5", Some(500))]
        {
            assert_eq!(sleep_ms(text), ms, "{text}");
        }
    }
}
