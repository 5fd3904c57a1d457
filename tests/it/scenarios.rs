//! Every recording of the real cluster, played and compared.
//!
//! Rule: a scenario scores at least [`FLOOR`], and the mean is at least [`MEAN`], by the recorder's own measure. A scenario
//! that cannot is named in `tests/scenarios/known_gaps.txt` with its reason; it must stay below, so that the entry goes when
//! the gap does. `docs/fidelity.md` holds the scores; runs repeat exactly, so it is compared as text.

use std::path::{Path, PathBuf};

use batchyard::sim::{Progress, Record, Scenario, Sim};
use recordings::{Part, Run, compare, score};

const FLOOR: f64 = 0.88;
const MEAN: f64 = 0.97;

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

/// Plays a scenario; the two files of a run as texts.
pub fn play(name: &str) -> (String, String) {
    let path = folder().join(name).join("scenario.yaml");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let scenario = Scenario::parse(&text, name).unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
    let mut sim = Sim::new(&scenario, &batchyard::base::zone::ZoneTable::bundled());
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

fn drain(sim: &mut Sim, start: batchyard::base::time::SimTime, trace: &mut String, outputs: &mut Vec<(usize, String)>) {
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

fn compared(name: &str, outputs: bool) -> Vec<Part> {
    let (trace, printed) = play(name);
    let real = Run::read(&folder().join(name)).expect("the recording");
    compare(&real, &Run::from_texts(&trace, &printed), outputs)
}

#[test]
fn every_scenario_does_what_the_real_cluster_did() {
    let gaps = std::fs::read_to_string(folder().join("known_gaps.txt")).unwrap_or_default();
    let gap = |name: &str| gaps.lines().find(|line| line.split(':').next() == Some(name));
    let (mut low, mut sum, mut count) = (Vec::new(), 0.0, 0.0);
    for name in names() {
        let parts = compared(&name, false);
        if parts.iter().all(|part| part.total == 0) {
            continue;
        }
        let share = score(&parts);
        (sum, count) = (sum + share, count + 1.0);
        match gap(&name) {
            None if share < FLOOR => low.push(format!("{name}: {:.1} %", 100.0 * share)),
            Some(line) if share >= FLOOR => low.push(format!("{line}: is closed now, at {:.1} %", 100.0 * share)),
            _ => {}
        }
    }
    assert!(low.is_empty(), "below the floor, or better than known:\n{}", low.join("\n"));
    assert!(sum / count >= MEAN, "the mean is {:.1} %", 100.0 * sum / count);
}

#[test]
fn a_run_repeats_itself() {
    for name in ["parallel-10x5", "onfailure-crashloop", "cronjob-replace"] {
        assert_eq!(play(name), play(name), "{name}");
    }
}
