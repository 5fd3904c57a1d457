//! Every recording of the real cluster, played and compared; and `docs/fidelity.md`, which says what came of it.
//!
//! Rule: by the recorder's own measure a scenario scores at least [`FLOOR`] without the commands' output and
//! [`FLOOR_WHOLE`] with it, and the means are at least [`MEAN`], [`MEAN_WHOLE`] and, for the output alone,
//! [`MEAN_OUTPUT`]. A scenario that cannot is named in `tests/scenarios/known_gaps.txt` with its reason; it must stay
//! below, so that the entry goes when the gap does. Runs repeat exactly, so the page of scores is compared as text;
//! `cargo xtask fidelity` writes it anew.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use batchyard::run::{Progress, Record, Scenario, Sim};
use recordings::{Category, Recording, compare, score};

use crate::fidelity;

const FLOOR: f64 = 0.88;
const MEAN: f64 = 0.97;
const FLOOR_WHOLE: f64 = 0.85;
const MEAN_WHOLE: f64 = 0.96;
const MEAN_OUTPUT: f64 = 0.92;

/// A recording and how near our run comes to it.
pub struct Compared {
    pub name: String,
    pub title: String,
    /// Objects, their times, and events.
    pub objects: Vec<Category>,
    /// What the commands printed.
    pub output: Category,
    /// Why it cannot match, from `known_gaps.txt`.
    pub gap: Option<String>,
}

impl Compared {
    /// The score without output; none if nothing but output was recorded.
    pub fn bare(&self) -> Option<f64> {
        self.objects.iter().any(|part| part.total > 0).then(|| score(&self.objects))
    }

    pub fn printed(&self) -> Option<f64> {
        (self.output.total > 0).then(|| score(std::slice::from_ref(&self.output)))
    }

    pub fn whole(&self) -> f64 {
        score(&[self.objects.as_slice(), std::slice::from_ref(&self.output)].concat())
    }
}

/// All recordings, compared once for all tests.
static ALL: LazyLock<Vec<Compared>> = LazyLock::new(|| {
    let names = names();
    // Two at a time: the machines that test this have two cores.
    let (first, second): (Vec<&String>, Vec<&String>) = {
        let (even, odd): (Vec<_>, Vec<_>) = names.iter().enumerate().partition(|(i, _)| i % 2 == 0);
        (even.into_iter().map(|(_, name)| name).collect(), odd.into_iter().map(|(_, name)| name).collect())
    };
    let mut all: Vec<Compared> = std::thread::scope(|scope| {
        let beside = scope.spawn(|| second.into_iter().map(|name| compared(name)).collect::<Vec<_>>());
        let mut all: Vec<Compared> = first.into_iter().map(|name| compared(name)).collect();
        all.extend(beside.join().expect("it says what failed"));
        all
    });
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
});

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

/// The names of all scenarios, sorted.
pub fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("tests/scenarios").flatten();
    let mut names: Vec<String> =
        entries.filter(|e| e.path().is_dir()).filter_map(|e| e.file_name().into_string().ok()).collect();
    names.sort();
    names
}

fn scenario(name: &str) -> Scenario {
    let path = folder().join(name).join("scenario.yaml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Scenario::parse(&text, name).unwrap_or_else(|problems| panic!("{name}: {problems:?}"))
}

/// Plays a scenario; the two files of a run as texts.
pub fn play(name: &str) -> (String, String) {
    let scenario = scenario(name);
    let mut sim = Sim::new(&scenario, &batchyard::values::zone::ZoneTable::bundled());
    let start = sim.start();
    let (mut trace, mut outputs) = (String::new(), Vec::new());
    while sim.play(10_000) == Progress::Busy {
        drain(&mut sim, start, &mut trace, &mut outputs);
    }
    drain(&mut sim, start, &mut trace, &mut outputs);
    outputs.sort();
    let lines: Vec<String> = outputs.into_iter().map(|(_, line)| line).collect();
    (trace, lines.join("\n"))
}

fn drain(
    sim: &mut Sim,
    start: batchyard::values::time::SimTime,
    trace: &mut String,
    outputs: &mut Vec<(usize, String)>,
) {
    while let Some(record) = sim.poll_record() {
        if let Some(line) = record.trace_line(start) {
            trace.push_str(&line);
            trace.push('\n');
        } else if let Record::Output(output) = &record
            && let Some(step) = output.step
        {
            outputs.push((step, output.line(start)));
        }
    }
}

fn compared(name: &str) -> Compared {
    let (trace, printed) = play(name);
    let real = Recording::read(&folder().join(name)).expect("the recording");
    let mut objects = compare(&real, &Recording::from_texts(&trace, &printed), true);
    let output = objects.pop().expect("the output is the last part");
    let gaps = std::fs::read_to_string(folder().join("known_gaps.txt")).unwrap_or_default();
    let gap = gaps.lines().find_map(|line| line.split_once(": ").filter(|(gap, _)| *gap == name));
    let gap = gap.map(|(_, reason)| reason.to_owned());
    Compared { name: name.to_owned(), title: scenario(name).title, objects, output, gap }
}

/// The mean of those that have a score.
pub fn mean(of: impl Fn(&Compared) -> Option<f64>, all: &[Compared]) -> f64 {
    let scores: Vec<f64> = all.iter().filter_map(of).collect();
    scores.iter().sum::<f64>() / scores.len() as f64
}

#[test]
fn every_scenario_does_what_the_real_cluster_did() {
    let mut wrong = Vec::new();
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    for one in ALL.iter() {
        let low = one.bare().is_some_and(|bare| bare < FLOOR) || one.whole() < FLOOR_WHOLE;
        let scores = format!("{}, {} with output", percent(one.bare().unwrap_or(1.0)), percent(one.whole()));
        match &one.gap {
            None if low => wrong.push(format!("{}: {scores}", one.name)),
            Some(reason) if !low => wrong.push(format!("{}: {reason}: is closed now, at {scores}", one.name)),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "below the floor, or better than known:\n{}", wrong.join("\n"));
    let means = [
        ("without output", mean(Compared::bare, &ALL), MEAN),
        ("with output", mean(|one| Some(one.whole()), &ALL), MEAN_WHOLE),
        ("of the output", mean(Compared::printed, &ALL), MEAN_OUTPUT),
    ];
    for (what, share, least) in means {
        assert!(share >= least, "the mean {what} is {}, not {}", percent(share), percent(least));
    }
}

#[test]
fn the_page_of_scores_is_up_to_date() {
    fidelity::check(&ALL);
}

#[test]
fn a_run_repeats_itself() {
    for name in ["parallel-10x5", "onfailure-crashloop", "cronjob-replace"] {
        assert_eq!(play(name), play(name), "{name}");
    }
}
