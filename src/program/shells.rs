//! Shells in containers: a part of the engine, see `base::part`.

use wasm_split_helpers::wasm_split;

use super::commands::is_shell;
use super::reading::Reading;
use super::{Machine, Process, Start};
use crate::base::part::{self, NotFetched};
use crate::shell::host::resolve;
use crate::shell::{Dialect, Io, Options, Poll, Shell, Signal, command_names};

/// What can be done with a container's shell.
pub struct Shells {
    /// Starts a shell, or a command of its world, called by the last part of its path.
    pub(super) start: fn(Start<'_>, &str, &Machine<'_>) -> Process,
    pub(super) poll: fn(&mut Shell<Process>, &mut Machine<'_>, &mut Io, &mut u32) -> Poll,
    pub(super) read: fn(&mut Reading<Process>, &mut Machine<'_>, &mut Io, &mut u32) -> Poll,
    pub(super) signal: fn(&mut Shell<Process>, &mut Machine<'_>, &mut Io, Signal),
    /// Whether a command of this name comes with the shell.
    pub(super) has_command: fn(&str) -> bool,
}

static SHELLS: Shells = Shells {
    start,
    poll: |shell, machine, io, steps| shell.poll(machine, io, steps),
    read: |reading, machine, io, steps| reading.poll(machine, io, steps),
    signal: |shell, machine, io, signal| shell.signal(machine, io, signal),
    has_command: |name| command_names().any(|known| known == name),
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
pub(super) fn now() -> &'static Shells {
    part::now(shells())
}

fn start(start: Start<'_>, base: &str, machine: &Machine<'_>) -> Process {
    let dialect = if machine.image.shell == "busybox" { Dialect::Ash } else { Dialect::Bash };
    let is_shell = is_shell(base);
    let read = if is_shell { Options::from_args(start.argv, dialect) } else { Ok(Options::new(dialect)) };
    let mut options = match read {
        Ok(options) => options,
        Err(why) => {
            return Process::Prints { out: String::new(), err: format!("{base}: {why}\n"), exit_code: 2 };
        }
    };
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
            Err(_) => {
                let err = format!("{base}: can't open '{file}': No such file or directory\n");
                Process::Prints { out: String::new(), err, exit_code: 2 }
            }
        },
    }
}
