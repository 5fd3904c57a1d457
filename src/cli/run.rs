//! `batchyard run`: plays a scenario to its end.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};

use batchyard::cluster::store::{Change, ChangeType};
use batchyard::run::{Progress, Record, Scenario, Sim};
use batchyard::values::time::SimTime;
use batchyard::values::zone::ZoneTable;

use crate::args::{self, Args, Flag, UsageError};

pub const HELP: &str = "\
Simulates a scenario.

Usage: batchyard run SCENARIO.yaml [--trace FILE] [--outputs FILE] [--seed N]

Without --trace and --outputs it tells the story of the run, a line an event.

  --trace FILE     Write every change of Jobs, CronJobs, Pods, ReplicaSets, Services and Events, one JSON line each
  --outputs FILE   Write what each command of the scenario printed, one JSON line each
  --seed N         Draw other random numbers than the scenario's seed does
  --help           This text

The formats are described in docs/scenario.md. Exit code 0 if the scenario was played, 1 if the file is no scenario or
a step of it could not be done (a fault that names a node which is not there), 2 if the command line is wrong or a file
cannot be read or written.
";

const FLAGS: &[Flag] = &[Flag::value("--trace"), Flag::value("--outputs"), Flag::value("--seed")];

/// Things done between two looks at what was written; any number works. With a small one the records are given back
/// while they are still at hand.
const BUDGET: u32 = 500;

/// Runs the command; the result is the exit code.
pub fn run(argv: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    match play(argv, out, err) {
        Ok(code) => code,
        Err(message) => args::usage_error(err, "run", &message),
    }
}

fn play(argv: &[String], out: &mut dyn Write, err: &mut dyn Write) -> Result<i32, UsageError> {
    let parsed = Args::parse(FLAGS, argv)?;
    if parsed.wants_help() {
        let _ = out.write_all(HELP.as_bytes());
        return Ok(0);
    }
    let [file] = parsed.rest() else {
        return Err(UsageError("one scenario file is needed".to_owned()));
    };
    let scenario = match scenario(file, parsed.value("--seed"), err)? {
        Some(scenario) => scenario,
        None => return Ok(1),
    };
    let mut trace = parsed.value("--trace").map(create).transpose()?;
    let mut outputs = parsed.value("--outputs").map(create).transpose()?;
    let quiet = trace.is_some() || outputs.is_some();
    let mut sim = Sim::new(&scenario, &ZoneTable::bundled());
    let start = sim.start();
    let (mut at_end, mut printed, mut code) = (false, Vec::new(), 0);
    while !at_end {
        at_end = sim.play(BUDGET) == Progress::Reached;
        while let Some(record) = sim.poll_record() {
            if let Record::Output(output) = &record
                && output.refused
            {
                code = 1;
                let step = output.step.map(|step| format!(" step {}:", step + 1)).unwrap_or_default();
                let _ = write!(err, "{file}:{step} {}: {}", output.command, output.stderr);
            }
            let written = match &record {
                _ if !quiet => tell(&record, start, out),
                Record::Change(_) => trace.as_mut().map_or(Ok(()), |file| match record.trace_line(start) {
                    Some(line) => writeln!(file, "{line}"),
                    None => Ok(()),
                }),
                Record::Happening(_) => Ok(()),
                Record::Output(output) => {
                    // A command in the background ends after later ones; the file has them in the order of the steps.
                    printed.extend(output.step.map(|step| (step, output.line(start))));
                    Ok(())
                }
            };
            match written {
                // Whoever read the story has read enough (`… | head`).
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(0),
                written => written.map_err(|e| UsageError(e.to_string()))?,
            }
        }
    }
    printed.sort();
    if let Some(file) = &mut outputs {
        let written = printed.iter().try_for_each(|(_, line)| writeln!(file, "{line}"));
        written.map_err(|e| UsageError(e.to_string()))?;
    }
    for file in [&mut trace, &mut outputs].into_iter().flatten() {
        file.flush().map_err(|e| UsageError(e.to_string()))?;
    }
    // The process ends next, which gives all memory back at once; taking a large run apart piece by piece takes a while.
    std::mem::forget(sim);
    Ok(code)
}

/// Reads a scenario; none if it is no scenario, and then `err` was told why. `seed` overrules its own.
///
/// # Errors
/// A file that cannot be read, or a seed that is no number.
pub fn scenario(file: &str, seed: Option<&str>, err: &mut dyn Write) -> Result<Option<Scenario>, UsageError> {
    let text = std::fs::read_to_string(file).map_err(|e| UsageError(format!("{file}: {e}")))?;
    let scenario = match Scenario::parse(&text, file) {
        Ok(scenario) => scenario,
        Err(problems) => {
            for problem in problems {
                let _ = writeln!(err, "{file}:{problem}");
            }
            return Ok(None);
        }
    };
    with_seed(scenario, seed).map(Some)
}

/// The scenario with another seed, if one is given.
///
/// # Errors
/// It is no number.
pub fn with_seed(mut scenario: Scenario, seed: Option<&str>) -> Result<Scenario, UsageError> {
    if let Some(seed) = seed {
        scenario.seed = seed.parse().map_err(|_| UsageError(format!("--seed {seed}: a whole number is needed")))?;
    }
    Ok(scenario)
}

fn create(path: &str) -> Result<BufWriter<File>, UsageError> {
    File::create(path).map(BufWriter::new).map_err(|e| UsageError(format!("{path}: {e}")))
}

/// One line of the story: events, commands, and objects that come and go.
fn tell(record: &Record, start: SimTime, out: &mut dyn Write) -> std::io::Result<()> {
    let clock = |at: SimTime| {
        let ms = at.since(start).as_ms();
        format!("{:4}:{:02}.{:03}", ms / 60_000, ms / 1000 % 60, ms % 1000)
    };
    match record {
        Record::Change(change) => match sentence(change) {
            Some(text) => writeln!(out, "{}  {text}", clock(change.at)),
            None => Ok(()),
        },
        Record::Happening(_) => Ok(()),
        Record::Output(output) => {
            writeln!(out, "{}  $ {}", clock(output.at), output.command.lines().next().unwrap_or_default())?;
            for line in output.stdout.lines().chain(output.stderr.lines()) {
                writeln!(out, "           {line}")?;
            }
            Ok(())
        }
    }
}

fn sentence(change: &Change) -> Option<String> {
    use batchyard::api::columns::{completions, job_status, pod_columns};
    use batchyard::api::kind::Kind;
    let object = &change.object;
    let status = |object: &batchyard::api::object::Object| match object.kind() {
        Kind::Pod => {
            let columns = pod_columns(object.pod());
            format!("{} {}/{}", columns.status, columns.ready, columns.total)
        }
        Kind::Job => format!("{} {}", job_status(object.job()), completions(object.job())),
        _ => String::new(),
    };
    let subject = format!("{} {}", object.kind().name(), object.name());
    match (object.kind(), change.change) {
        (Kind::Event, ChangeType::Deleted) => None,
        (Kind::Event, _) => {
            let event = object.value();
            let text = |path: &str| event.str_at(path).unwrap_or_default().to_owned();
            let about = text("involvedObject.kind").to_lowercase();
            Some(format!("  {} {about}/{}: {}", text("reason"), text("involvedObject.name"), text("message")))
        }
        (_, ChangeType::Added) => Some(format!("{subject} is created")),
        (_, ChangeType::Deleted) => Some(format!("{subject} is gone")),
        (Kind::Pod | Kind::Job, ChangeType::Modified) => {
            let now = status(object);
            let before = change.previous.as_ref().map(|p| status(p));
            (before.as_deref() != Some(now.as_str())).then(|| format!("{subject}: {now}"))
        }
        _ => None,
    }
}
