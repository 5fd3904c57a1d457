//! A host that fetches the code for containers' shells when it is first needed (`Sim::wait_for_shells`): time stops before
//! that code is called, and a run that waited is the same as one that did not.

use std::path::Path;

use batchyard::api::kind::Kind;
use batchyard::run::{Progress, Scenario, Sim};
use batchyard::values::zone::ZoneTable;

fn scenarios() -> Vec<(String, Scenario)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("the scenarios are checked in")
        .map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned())
        .filter(|name| folder.join(name).join("scenario.yaml").is_file())
        .collect();
    names.sort();
    let read = |name: String| {
        let text = std::fs::read_to_string(folder.join(&name).join("scenario.yaml")).expect("it can be read");
        let scenario = Scenario::parse(&text, &name).expect("it is a scenario");
        (name, scenario)
    };
    names.into_iter().map(read).collect()
}

fn sim(scenario: &Scenario) -> Sim {
    Sim::new(scenario, &ZoneTable::bundled())
}

/// Plays on until time stands or the scenario is over, and gives the lines of the trace.
fn play(sim: &mut Sim) -> (Progress, Vec<String>) {
    let (start, mut lines) = (sim.start(), Vec::new());
    loop {
        let progress = sim.advance(start + sim.scenario().duration, 500);
        while let Some(record) = sim.poll_record() {
            lines.extend(record.trace_line(start));
        }
        if progress != Progress::Busy {
            return (progress, lines);
        }
    }
}

#[test]
fn no_container_that_may_start_a_shell_runs_before_its_code_is_there() {
    let (mut stood, mut did_not) = (0, 0);
    for (name, scenario) in scenarios() {
        let mut sim = sim(&scenario);
        sim.wait_for_shells(true);
        let (progress, _) = play(&mut sim);
        let pods = sim.cluster().store().list(Kind::Pod);
        for pod in pods.filter(|pod| sim.cluster().images().may_start_shell(&pod.pod().spec)) {
            let statuses = &pod.pod().status.container_statuses;
            assert!(statuses.iter().all(|status| !status.started.unwrap_or(false)), "{name}: {}", pod.name());
        }
        match progress {
            Progress::Lacks => stood += 1,
            _ => did_not += 1,
        }
    }
    assert!(stood > 10 && did_not > 3, "{stood} stood, {did_not} did not");
}

#[test]
fn a_run_that_waited_is_the_same_and_can_be_gone_back_in() {
    for (name, scenario) in scenarios().into_iter().filter(|(name, _)| name.contains("pod") || name.contains("index")) {
        let (_, plain) = play(&mut sim(&scenario));
        let mut waits = sim(&scenario);
        waits.wait_for_shells(true);
        let (progress, mut lines) = play(&mut waits);
        if progress == Progress::Lacks {
            let stands_at = waits.now();
            waits.go_to(waits.start());
            assert_eq!(waits.now(), waits.start(), "{name}");
            assert_eq!(play(&mut waits), (Progress::Lacks, Vec::new()), "{name}: nothing is told twice");
            assert_eq!(waits.now(), stands_at, "{name}");
            waits.wait_for_shells(false);
            lines.extend(play(&mut waits).1);
        }
        assert_eq!(lines, plain, "{name}");
    }
}
