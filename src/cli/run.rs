//! `batchyard run`: plays a scenario to its end.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};

use batchyard::cluster::store::{Change, ChangeType};
use batchyard::run::explain::explain_text;
use batchyard::run::journal::JournalEntry;
use batchyard::run::outcome::outcome;
use batchyard::run::{Progress, Record, Scenario, Sim};
use batchyard::values::duration::GoDuration;
use batchyard::values::time::{SimTime, Span};
use batchyard::values::zone::ZoneTable;

use crate::args::{self, Args, Flag, UsageError};

pub const HELP: &str = "\
Simulates a scenario.

Usage: batchyard run SCENARIO.yaml [--trace FILE] [--outputs FILE] [--journal FILE] [--seed N]
                     [--at TIME] [--explain OBJECT|QUESTION] [--outcome text|json]

Without the flags that write or print it tells the story of the run, a line an event.

  --trace FILE     Write every change of Jobs, CronJobs, Pods, ReplicaSets, Services and Events, one JSON line each
  --outputs FILE   Write what each command of the scenario printed, one JSON line each
  --journal FILE   Write everything that was done, written and happened, each with its cause, one JSON line each
  --explain WHAT   Say why: about an object (job/report, pod/report-x7k2p), or a question such as
                   'why is there an eighth pod', 'why was pod NAME deleted', 'why is pod NAME pending',
                   'why did job NAME fail', 'why is job NAME not finished', 'why no job at 08:00', 'why exit 143',
                   'why is active 0', 'why were there two pods for index 3', 'why is nothing running now'
  --outcome FORM   Say how each Job and CronJob came out: text, or json
  --at TIME        Stop after so long (90s, 5m) and ask about that moment; without it the scenario is played to its end
  --seed N         Draw other random numbers than the scenario's seed does
  --help           This text

The formats are described in docs/scenario.md. Exit code 0 if the scenario was played, 1 if the file is no scenario, a
step of it could not be done (a fault that names a node which is not there) or the question is not understood, 2 if the
command line is wrong or a file cannot be read or written.
";

const FLAGS: &[Flag] = &[
    Flag::value("--trace"),
    Flag::value("--outputs"),
    Flag::value("--journal"),
    Flag::value("--explain"),
    Flag::value("--outcome"),
    Flag::value("--at"),
    Flag::value("--seed"),
];

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
    let wishes = Wishes::read(&parsed)?;
    let mut sim = Sim::new(&scenario, &ZoneTable::bundled());
    if wishes.asks() {
        sim.keep_whole_journal();
    }
    let mut papers = Papers::open(&parsed)?;
    papers.quiet |= wishes.asks();
    if !papers.write_run(&mut sim, wishes.until, out)? {
        return Ok(0);
    }
    let refused = !papers.refused.is_empty();
    for line in &papers.refused {
        let _ = write!(err, "{file}: {line}");
    }
    let code = wishes.answer(&sim, out, err).max(i32::from(refused));
    // The process ends next, which gives all memory back at once; taking a large run apart piece by piece takes a while.
    std::mem::forget(sim);
    Ok(code)
}

/// What is asked when the run has been played.
struct Wishes<'a> {
    explain: Option<&'a str>,
    /// True for JSON.
    outcome: Option<bool>,
    until: Option<Span>,
}

impl<'a> Wishes<'a> {
    fn read(args: &'a Args) -> Result<Wishes<'a>, UsageError> {
        let outcome = match args.value("--outcome") {
            None => None,
            Some("text") => Some(false),
            Some("json") => Some(true),
            Some(other) => return Err(UsageError(format!("--outcome {other}: `text` or `json` is needed"))),
        };
        let span = |text: &str| text.parse::<GoDuration>().ok().map(GoDuration::to_span);
        let until = match args.value("--at") {
            None => None,
            Some(text) => {
                Some(span(text).ok_or_else(|| UsageError(format!("--at {text}: a length of time is needed")))?)
            }
        };
        Ok(Wishes { explain: args.value("--explain"), outcome, until })
    }

    fn asks(&self) -> bool {
        self.explain.is_some() || self.outcome.is_some()
    }

    /// Prints the answers; the result is the exit code.
    fn answer(&self, sim: &Sim, out: &mut dyn Write, err: &mut dyn Write) -> i32 {
        if let Some(question) = self.explain {
            match explain_text(sim, question) {
                Ok(explanation) => {
                    let _ = writeln!(out, "{}", explanation.question);
                    for line in explanation.answer() {
                        let _ = writeln!(out, "{line}");
                    }
                }
                Err(message) => {
                    let _ = writeln!(err, "{message}");
                    return 1;
                }
            }
        }
        match self.outcome {
            Some(true) => {
                let _ = writeln!(out, "{}", outcome(sim).to_value(sim.start()).to_json());
            }
            Some(false) => {
                for line in outcome(sim).lines() {
                    let _ = writeln!(out, "{line}");
                }
            }
            None => {}
        }
        0
    }
}

/// The files that a run is written to.
struct Papers {
    trace: Option<BufWriter<File>>,
    outputs: Option<BufWriter<File>>,
    journal: Option<BufWriter<File>>,
    /// The story is not told.
    quiet: bool,
    /// What could not be done, since what it names is not there.
    refused: Vec<String>,
}

impl Papers {
    fn open(args: &Args) -> Result<Papers, UsageError> {
        let open = |flag: &str| args.value(flag).map(create).transpose();
        let (trace, outputs, journal) = (open("--trace")?, open("--outputs")?, open("--journal")?);
        let quiet = trace.is_some() || outputs.is_some() || journal.is_some();
        Ok(Papers { trace, outputs, journal, quiet, refused: Vec::new() })
    }

    /// Plays the run, to its end or until a moment. False if whoever read the story has read enough (`… | head`).
    fn write_run(&mut self, sim: &mut Sim, until: Option<Span>, out: &mut dyn Write) -> Result<bool, UsageError> {
        let start = sim.start();
        let (mut at_end, mut printed) = (false, Vec::new());
        while !at_end {
            let progress = match until {
                Some(until) => sim.advance(start + until, BUDGET),
                None => sim.play(BUDGET),
            };
            at_end = progress == Progress::Reached;
            while let Some(record) = sim.poll_record() {
                match self.write(&record, start, out, &mut printed) {
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(false),
                    written => written.map_err(|e| UsageError(e.to_string()))?,
                }
            }
        }
        printed.sort();
        if let Some(file) = &mut self.outputs {
            let written = printed.iter().try_for_each(|(_, line)| writeln!(file, "{line}"));
            written.map_err(|e| UsageError(e.to_string()))?;
        }
        for file in [&mut self.trace, &mut self.outputs, &mut self.journal].into_iter().flatten() {
            file.flush().map_err(|e| UsageError(e.to_string()))?;
        }
        Ok(true)
    }

    /// Writes one record. A command in the background ends after later ones; the file has outputs in the order of the
    /// steps, so they are gathered in `printed`.
    fn write(
        &mut self,
        record: &Record,
        start: SimTime,
        out: &mut dyn Write,
        printed: &mut Vec<(usize, String)>,
    ) -> std::io::Result<()> {
        if let Some(file) = &mut self.journal
            && let Some(entry) = JournalEntry::of(record)
        {
            writeln!(file, "{}", entry.line(start))?;
        }
        if let Record::Output(output) = record
            && output.refused
        {
            let step = output.step.map(|step| format!("step {}: ", step + 1)).unwrap_or_default();
            self.refused.push(format!("{step}{}: {}", output.command, output.stderr));
        }
        match record {
            _ if !self.quiet => tell(record, start, out)?,
            Record::Change(_) => {
                if let Some(file) = &mut self.trace
                    && let Some(line) = record.trace_line(start)
                {
                    writeln!(file, "{line}")?;
                }
            }
            Record::Happening(_) => {}
            Record::Output(output) => printed.extend(output.step.map(|step| (step, output.line(start)))),
        }
        Ok(())
    }
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
