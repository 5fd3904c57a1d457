//! `batchyard shell`: the page's terminal, natively.
//!
//! The terminal itself is the engine's (`sim::Input::Line`). Here are the three things around it: the line that is typed
//! (`prompt`), the real clock that drives the virtual one, and files and editors of this machine (`desk`).

mod desk;
mod prompt;

use std::io::{BufRead, IsTerminal, Write};
use std::path::Path;

use batchyard::run::Scenario;
use batchyard::values::duration::GoDuration;
use batchyard::values::time::Span;

use crate::args::{self, Args, Flag, UsageError};
use crate::run;
use desk::{Desk, Ended};

const HELP: &str = "\
Opens a terminal with kubectl, helm, docker and a simulated cluster.

Usage: batchyard shell [SCENARIO.yaml] [--files DIR] [--speed N] [--seed N] [--for SPAN]

A scenario gives the cluster, and its steps happen at their times while you work; without one there are two empty nodes.

  --files DIR    Copy DIR into the terminal's home, without hidden files. Nothing is ever written back. Without it
                 the terminal starts with no files
  --speed N      Let N virtual seconds pass in a real one (1), at the prompt as well as while a command runs
  --seed N       Draw other random numbers than the scenario's seed does
  --for SPAN     For piped input: stop after this much virtual time, such as 90s or 2h (24h), with exit code 124
  --help         This text

Keys: Tab completes commands, kinds, names, flags and files; the arrows go through the lines typed before; Ctrl-C stops
the command that runs; Ctrl-D ends its input, and leaves at the prompt. `kubectl edit` opens $KUBE_EDITOR, $VISUAL or
$EDITOR, or else vi. What background jobs print appears with the next line.

Commands may come from a pipe: echo 'kubectl get nodes' | batchyard shell
Then virtual time does not wait for the real one: it passes as fast as it can be computed, and only while a command runs.

The exit code is that of the last command; 1 if the file is no scenario, 2 if the command line is wrong or a file cannot
be read.
";

const FLAGS: &[Flag] = &[Flag::value("--files"), Flag::value("--speed"), Flag::value("--seed"), Flag::value("--for")];

/// Virtual time that piped commands may take if `--for` does not say.
const PIPED_FOR: Span = Span::mins(24 * 60);
/// As `timeout` has it.
const EXIT_TIMEOUT: i32 = 124;
/// Files that are larger are left out, and so is all that comes after this many bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
const ALL_BYTES_MAX: u64 = 8 << 20;

/// Runs the command; the result is the exit code.
pub fn run(argv: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    match open(argv, out, err) {
        Ok(code) => code,
        Err(message) => args::usage_error(err, "shell", &message),
    }
}

fn open(argv: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<i32, UsageError> {
    let parsed = Args::parse(FLAGS, argv)?;
    if parsed.wants_help() {
        let _ = out.write_all(HELP.as_bytes());
        return Ok(0);
    }
    let speed = match parsed.value("--speed") {
        None => 1.0,
        Some(text) => text
            .parse()
            .ok()
            .filter(|speed: &f64| speed.is_finite() && (0.01..=100_000.0).contains(speed))
            .ok_or_else(|| UsageError(format!("--speed {text}: a number from 0.01 to 100000 is needed")))?,
    };
    let span = match parsed.value("--for") {
        None => PIPED_FOR,
        Some(text) => text
            .parse::<GoDuration>()
            .map(GoDuration::to_span)
            .map_err(|_| UsageError(format!("--for {text}: a length of time such as 90s or 2h is needed")))?,
    };
    let seed = parsed.value("--seed");
    let mut scenario = match parsed.rest() {
        [] => run::with_seed(Scenario::default(), seed)?,
        [file] => match run::scenario(file, seed, err)? {
            Some(scenario) => scenario,
            None => return Ok(1),
        },
        _ => return Err(UsageError("at most one scenario file is needed".to_owned())),
    };
    // Whoever sits there works in the cluster's own `default`.
    scenario.setup.kubernetes_service = true;
    let mut desk = Desk::new(&scenario);
    if let Some(folder) = parsed.value("--files") {
        copy(folder, &mut desk, err)?;
    }
    if std::io::stdin().is_terminal() {
        return Ok(prompt::converse(desk, speed, out, err));
    }
    desk.piped = true;
    for line in std::io::stdin().lock().lines() {
        desk.type_line(&line.map_err(|e| UsageError(format!("standard input: {e}")))?);
    }
    let code = match desk.play(span, out, err) {
        // Nobody reads any more.
        Err(_) => 0,
        Ok(Ended::Idle) => desk.status(),
        Ok(Ended::OutOfTime) => {
            let _ = writeln!(err, "batchyard shell: a command was still running after {}", GoDuration::from(span));
            EXIT_TIMEOUT
        }
    };
    Ok(code)
}

/// Copies a folder's files into the terminal's home, in the order of their names.
fn copy(folder: &str, desk: &mut Desk, err: &mut dyn Write) -> Result<(), UsageError> {
    let (mut open, mut copied) = (vec![Path::new(folder).to_path_buf()], 0);
    while let Some(next) = open.pop() {
        let entries = std::fs::read_dir(&next).map_err(|e| UsageError(format!("{}: {e}", next.display())))?;
        let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        paths.sort();
        for path in paths {
            let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            let Some(info) = std::fs::symlink_metadata(&path).ok().filter(|_| !hidden) else { continue };
            if info.is_dir() {
                open.push(path);
                continue;
            }
            if !info.is_file() || info.len() > FILE_BYTES_MAX || copied + info.len() > ALL_BYTES_MAX {
                let _ = writeln!(err, "batchyard shell: {} is left out: it is no file, or too large", path.display());
                continue;
            }
            copied += info.len();
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            match std::fs::read_to_string(&path) {
                Ok(text) => desk.save(&name, &text),
                Err(error) => drop(writeln!(err, "batchyard shell: {} is left out: {error}", path.display())),
            }
        }
    }
    Ok(())
}
