//! What each fault of a scenario does, and that it ends when it should (`docs/scenario.md`, "Faults").
//!
//! Each run has one node and one Job whose Pod sleeps ten seconds; the fault comes first. Without a fault the Pod runs well
//! before 10 s and the Job is complete before 30 s, as the first test says.

use batchyard::api::kind::Kind;
use batchyard::run::{Progress, Scenario, Sim};
use batchyard::values::time::Span;
use batchyard::values::value::Value;
use batchyard::values::zone::ZoneTable;

const JOB: &str = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: nap}\nspec:\n  template:\n    spec:\n      \
                   restartPolicy: Never\n      containers:\n      - {name: main, image: 'busybox:1.35', command: \
                   [sleep, '10']}\n";

/// A run in which `fault` happens and then the Job is applied.
fn broken_by(fault: &str) -> Sim {
    let fault = if fault.is_empty() { String::new() } else { format!("- {{at: 0s, fault: {fault}}}\n") };
    let job = Value::from(JOB).to_json();
    let text = format!(
        "name: fault\ncluster: {{nodes: [{{name: node-1}}]}}\nduration: 9000s\nsteps:\n{fault}- {{at: 1s, apply: {job}}}\n"
    );
    let scenario = Scenario::parse(&text, "fault").unwrap_or_else(|problems| panic!("{problems:?}\n{text}"));
    Sim::new(&scenario, &ZoneTable::bundled())
}

/// Goes on to this second of the run.
fn go_to(sim: &mut Sim, second: i64) {
    let until = sim.start() + Span::secs(second);
    while sim.advance(until, 10_000) == Progress::Busy {}
}

/// STATUS of the Job's Pods as kubectl shows it, and whether the Job is complete.
fn state(sim: &mut Sim) -> (Vec<String>, bool) {
    let view = sim.view();
    let complete = view.jobs.iter().any(|job| job.status == "Complete");
    (view.pods.iter().map(|pod| pod.status.clone()).collect(), complete)
}

/// `reason: message` of all events with this reason.
fn events(sim: &Sim, reason: &str) -> Vec<String> {
    let events = sim.cluster().store().list(Kind::Event).map(|event| event.value());
    let of_reason = events.filter(|event| event.str_at("reason") == Some(reason));
    of_reason.map(|event| event.str_at("message").unwrap_or_default().to_owned()).collect()
}

#[test]
fn without_a_fault_the_job_completes() {
    let mut sim = broken_by("");
    go_to(&mut sim, 8);
    assert_eq!(state(&mut sim), (vec!["Running".to_owned()], false));
    go_to(&mut sim, 30);
    assert_eq!(state(&mut sim), (vec!["Completed".to_owned()], true));
}

#[test]
fn a_pull_fails_for_as_long_as_the_fault_lasts() {
    let mut sim = broken_by("{fail-pull: 'busybox:1.35', for: 45s}");
    go_to(&mut sim, 40);
    let (pods, complete) = state(&mut sim);
    assert!(["ErrImagePull", "ImagePullBackOff"].contains(&pods[0].as_str()) && !complete, "{pods:?}");
    let failed = events(&sim, "Failed");
    assert!(failed.iter().any(|text| text.contains("the registry does not answer")), "{failed:?}");
    // The picture knows the kubelet's next try.
    let until = sim.view().pods[0].until_ms.expect("a back-off ends");
    assert!(until > 30_000, "{until}");
    go_to(&mut sim, 200);
    assert_eq!(state(&mut sim), (vec!["Completed".to_owned()], true));
    let mut other = broken_by("{fail-pull: 'nginx:1.27', for: 45s}");
    go_to(&mut other, 30);
    assert!(state(&mut other).1, "the pull of another image does not fail");
    let mut for_good = broken_by("{fail-pull: 'busybox:1.35'}");
    go_to(&mut for_good, 3000);
    assert!(!state(&mut for_good).1);
}

#[test]
fn a_pull_takes_as_much_longer_as_the_fault_says() {
    let mut sim = broken_by("{slow-pull: 'busybox:1.35', seconds: 4000}");
    go_to(&mut sim, 3990);
    assert_eq!(state(&mut sim), (vec!["ContainerCreating".to_owned()], false));
    go_to(&mut sim, 4040);
    assert_eq!(state(&mut sim), (vec!["Completed".to_owned()], true));
    // As Go writes durations: hours stand for themselves.
    let pulled = events(&sim, "Pulled");
    assert!(pulled[0].contains(" in 1h6m4"), "{pulled:?}");
    let mut over = broken_by("{slow-pull: 'busybox:1.35', seconds: 60, for: 500ms}");
    go_to(&mut over, 30);
    assert!(state(&mut over).1, "the fault is over when the pull begins");
}

#[test]
fn a_stopped_controller_does_nothing_until_it_is_back() {
    let mut sim = broken_by("{stop-controller: job-controller, for: 60s}");
    go_to(&mut sim, 59);
    assert_eq!(state(&mut sim), (vec![], false));
    go_to(&mut sim, 100);
    assert_eq!(state(&mut sim), (vec!["Completed".to_owned()], true));
    let mut sim = broken_by("{stop-controller: default-scheduler, for: 60s}");
    go_to(&mut sim, 59);
    assert_eq!(state(&mut sim), (vec!["Pending".to_owned()], false));
    assert_eq!(sim.view().pods[0].word, "waits");
    go_to(&mut sim, 100);
    assert_eq!(state(&mut sim), (vec!["Completed".to_owned()], true));
    let mut for_good = broken_by("{stop-controller: job-controller}");
    go_to(&mut for_good, 3000);
    assert_eq!(state(&mut for_good), (vec![], false));
    let mut other = broken_by("{stop-controller: cronjob-controller}");
    go_to(&mut other, 30);
    assert!(state(&mut other).1, "another controller is not needed");
}

#[test]
fn every_controller_reacts_later_while_the_api_is_slow() {
    let mut sim = broken_by("{slow-api: 5000, for: 60s}");
    // The Job controller comes 5 s after the Job, the scheduler 5 s after the Pod.
    go_to(&mut sim, 5);
    assert_eq!(state(&mut sim), (vec![], false));
    go_to(&mut sim, 10);
    assert_eq!(state(&mut sim), (vec!["Pending".to_owned()], false));
    assert!(sim.view().pods[0].word == "waits");
    go_to(&mut sim, 19);
    assert_eq!(state(&mut sim), (vec!["Running".to_owned()], false));
    go_to(&mut sim, 60);
    assert_eq!(state(&mut sim), (vec!["Completed".to_owned()], true));
    let mut over = broken_by("{slow-api: 5000, for: 500ms}");
    go_to(&mut over, 8);
    assert_eq!(state(&mut over), (vec!["Running".to_owned()], false), "the fault is over before the Job comes");
}
