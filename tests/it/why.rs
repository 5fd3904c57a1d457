//! Questions that people ask of a run, each with the chain that must be told.
//!
//! Rule: a file of `tests/why/` has two documents: what is asked (`question`, at which moment, and `answer`: what must
//! stand in the answer, in that order), and the scenario. `places` are the lines of manifests that decide. Whatever is
//! asked, each chain ends at something done from outside or at the start, and goes back in time.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use batchyard::api::kind::Kind;
use batchyard::cluster::store::{Rule, Subject};
use batchyard::run::explain::{Chain, End, explain_text};
use batchyard::run::forecast::{Ending, forecast};
use batchyard::run::outcome::{JobEnd, outcome};
use batchyard::run::{Input, Progress, Scenario, Sim, ask};
use batchyard::values::duration::GoDuration;
use batchyard::values::time::Span;
use batchyard::values::value::Value;
use batchyard::values::zone::ZoneTable;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/why");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the folder is checked in").flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    paths
}

/// What is asked, and the run it is asked of, at the moment it is about.
fn staged(path: &Path) -> (Value, Sim) {
    let text = std::fs::read_to_string(path).expect("it was listed");
    let (asked, scenario) = text.split_once("\n---\n").expect("a question and a scenario");
    let parsed = batchyard::yaml::parse(asked, "question");
    let asked = parsed.documents.first().expect("a question").value();
    let scenario = Scenario::parse(scenario, "scenario").unwrap_or_else(|p| panic!("{}: {p:?}", path.display()));
    let mut sim = Sim::new(&scenario, &ZoneTable::bundled());
    match asked.str_at("at") {
        Some(at) => {
            let at: Span = at.parse::<GoDuration>().expect("a length of time").to_span();
            while sim.advance(sim.start() + at, 1_000) == Progress::Busy {}
        }
        None => while sim.play(1_000) == Progress::Busy {},
    }
    (asked, sim)
}

/// What is wrong with a chain, if anything.
fn fault(chain: &Chain) -> Option<String> {
    if chain.end == End::Forgotten {
        return Some("the chain breaks off".to_owned());
    }
    let back = chain.links.windows(2).all(|pair| pair[1].entry < pair[0].entry && pair[1].at <= pair[0].at);
    (!back).then(|| "a cause is later than its effect".to_owned())
}

/// What a file asks for and the answer lacks.
fn lacks(path: &Path) -> Vec<String> {
    let (asked, sim) = staged(path);
    let question = asked.str_at("question").expect("a question");
    let explanation = match explain_text(&sim, question) {
        Ok(explanation) => explanation,
        Err(message) => return vec![message],
    };
    let lines = explanation.answer();
    let mut faults: Vec<String> =
        explanation.findings.iter().filter_map(|finding| finding.chain.as_ref()).filter_map(fault).collect();
    for list in ["answer", "places"] {
        let mut rest = lines.as_slice();
        for wanted in asked.list_at(list) {
            let wanted = wanted.as_str().expect("texts are expected");
            match rest.iter().position(|line| line.contains(wanted)) {
                // More may be wanted of one line.
                Some(at) => rest = &rest[at..],
                None => faults.push(format!("lacks `{wanted}`")),
            }
        }
    }
    if asked.list_at("answer").is_empty() {
        faults.push("nothing is expected".to_owned());
    }
    if !faults.is_empty() {
        faults.push(format!("{}\n    {}", explanation.question, lines.join("\n    ")));
    }
    faults
}

#[test]
fn what_people_ask_is_answered() {
    let paths = files();
    let mut report = String::new();
    for path in &paths {
        let faults = lacks(path);
        if !faults.is_empty() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            report += &format!("\n{name}:\n  {}\n", faults.join("\n  "));
        }
    }
    assert!(report.is_empty(), "{report}");
    assert!(paths.len() >= 30, "{} questions", paths.len());
}

/// Rules that no question here meets, and where they are.
const ELSEWHERE: &[(Rule, &str)] = &[
    (
        Rule::CronJobDeadline,
        "time would have to pass within a sync, which looks for no moment that is too late already",
    ),
    (Rule::GcDropAbsentOwners, "one_living_owner_is_enough_and_a_namesake_is_none in crates/cluster/src/control/gc.rs"),
    (Rule::PodGcTerminated, "it takes more than 12,500 ended Pods; crates/cluster/src/control/pod_gc.rs"),
    (
        Rule::PodGcNeverScheduled,
        "a Pod without a node goes at once; deleting one that a finalizer holds once more writes nothing",
    ),
    (
        Rule::PodGcOutOfService,
        "terminating_pods_of_a_node_out_of_service_are_forced_out in crates/cluster/src/control/pod_gc.rs",
    ),
    (Rule::SetTooFew, "tests/wild/118-stateful-redis.yaml"),
    (Rule::SetReplaced, "StatefulSets and DaemonSets stand in tests/wild"),
    (Rule::SetStatus, "tests/wild/118-stateful-redis.yaml"),
    (Rule::BudgetStatus, "tests/wild/140-budget-holds-drain.yaml"),
    (Rule::VolumeProvisioned, "tests/wild/122-claim-default-class.yaml"),
];

#[test]
fn every_rule_is_met_or_named_with_the_reason() {
    let mut met: BTreeSet<Rule> = BTreeSet::new();
    for path in files() {
        let (_, mut sim) = staged(&path);
        while sim.play(1_000) == Progress::Busy {}
        met.extend(sim.journal().iter().map(|entry| entry.cause.rule));
    }
    let named = |rule: &Rule| ELSEWHERE.iter().any(|(known, _)| known == rule);
    let faults: Vec<String> = Rule::ALL
        .iter()
        .filter(|rule| met.contains(rule) == named(rule))
        .map(|rule| format!("{:?}: {}", rule, if named(rule) { "is met after all" } else { "is met by no question" }))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A run of one Job, played until `seconds`.
fn job_at(spec: &str, command: &str, seconds: i64) -> Sim {
    let text = format!(
        "steps:\n- at: 0s\n  apply: |\n    apiVersion: batch/v1\n    kind: Job\n    metadata: {{name: flaky}}\n    spec:\n      \
         {spec}\n      template:\n        spec:\n          restartPolicy: Never\n          containers:\n          \
         - {{name: main, image: 'busybox:1.36', command: [sh, -c, '{command}']}}\nduration: 20m\n"
    );
    let scenario = Scenario::parse(&text, "job").unwrap_or_else(|p| panic!("{p:?}"));
    let mut sim = Sim::new(&scenario, &ZoneTable::bundled());
    go(&mut sim, seconds);
    sim
}

fn go(sim: &mut Sim, seconds: i64) {
    while sim.advance(sim.start() + Span::secs(seconds), 1_000) == Progress::Busy {}
}

fn the(sim: &Sim, kind: Kind) -> Subject {
    Subject::from(&**sim.cluster().store().list(kind).next().expect("there is one"))
}

#[test]
fn forecasts_are_what_then_happens() {
    let table = [
        ("backoffLimit: 2", "sleep 2; exit 1", "fails (BackoffLimitExceeded)", (2, 2)),
        ("completions: 3", "sleep 2", "is complete", (1, 0)),
        ("activeDeadlineSeconds: 40", "sleep 600", "fails (DeadlineExceeded)", (0, 1)),
    ];
    for (spec, command, end, (pods, failures)) in table {
        // The first Pod has ended, or runs; of three that come one after the other the second runs.
        let mut sim = job_at(spec, command, 6);
        let (revision, journal) = (sim.cluster().store().revision(), sim.journal().len());
        let job = the(&sim, Kind::Job);
        let told = forecast(&sim, &job, 20_000).expect("the Job is there");
        let Ending::At { at, says, .. } = &told.ending else { panic!("{spec}: {told:?}") };
        assert_eq!(says, end, "{spec}");
        if let Ending::At { pods: more, failures: failed, .. } = told.ending {
            assert_eq!((more, failed), (pods, failures), "{spec}: {told:?}");
        }
        assert_eq!((sim.cluster().store().revision(), sim.journal().len()), (revision, journal), "nothing has changed");
        let at = *at;
        go(&mut sim, 1_199);
        let ended = outcome(&sim).jobs[0].ended_at;
        assert_eq!(ended, Some(at), "{spec}");
        let told = forecast(&sim, &job, 100).expect("the Job is there");
        assert_eq!(told.ending, Ending::Past);
    }
}

#[test]
fn a_forecast_counts_the_restarts_of_its_own_pods() {
    let mut sim = job_at("completions: 1", "sleep 200", 6);
    let other = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: flaky-too}\nspec:\n  template:\n    spec:\n      \
                 restartPolicy: OnFailure\n      containers: [{name: c, image: 'busybox:1.36', command: [sh, -c, exit 1]}]\n";
    sim.handle(Input::Apply { file: "other.yaml".to_owned(), text: other.to_owned() });
    go(&mut sim, 10);
    let of = |name: &str| {
        let job = sim.cluster().store().list(Kind::Job).find(|job| job.name() == name).expect("it was applied");
        match forecast(&sim, &Subject::from(&**job), 20_000).expect("it is there").ending {
            Ending::At { restarts, .. } => restarts,
            ending => panic!("{name}: {ending:?}"),
        }
    };
    assert_eq!(of("flaky"), 0);
    assert!(of("flaky-too") > 2);
}

#[test]
fn what_stands_in_the_queue_is_told() {
    let sim = job_at("backoffLimit: 3", "exit 1", 6);
    let lines = forecast(&sim, &the(&sim, Kind::Job), 0).expect("the Job is there").lines(sim.now());
    assert!(lines[0].contains("Job flaky makes its next Pod"), "{lines:?}");
    let sim = job_at("activeDeadlineSeconds: 90", "sleep 600", 6);
    let lines = forecast(&sim, &the(&sim, Kind::Job), 0).expect("the Job is there").lines(sim.now());
    assert!(lines[0].contains("(in 84 s) the time of Job flaky is up"), "{lines:?}");
    let sim = job_at("ttlSecondsAfterFinished: 100", "true", 6);
    let lines = forecast(&sim, &the(&sim, Kind::Job), 0).expect("the Job is there").lines(sim.now());
    assert!(lines[0].contains("Job flaky is deleted"), "{lines:?}");
}

#[test]
fn asking_changes_nothing() {
    let mut sim = job_at("backoffLimit: 3", "sleep 30", 6);
    let (revision, journal) = (sim.cluster().store().revision(), sim.journal().len());
    let answer = ask(&sim, "kubectl get jobs -o name", 10_000);
    assert_eq!((answer.stdout.as_str(), answer.exit), ("job.batch/flaky\n", 0));
    let answer = ask(&sim, "kubectl delete job flaky", 10_000);
    assert_eq!((answer.exit, answer.stopped), (0, false), "{answer:?}");
    assert!(answer.stdout.contains("deleted"), "{answer:?}");
    let answer = ask(&sim, "kubectl wait --for=condition=complete job/flaky --timeout=60s", 10_000);
    assert_eq!(answer.exit, 0, "{answer:?}");
    assert!(answer.took > Span::secs(20), "it waits in the copy: {answer:?}");
    let answer = ask(&sim, "kubectl get pods -w", 2_000);
    assert!(answer.stopped && !answer.stdout.is_empty(), "{answer:?}");
    assert_ne!(ask(&sim, "kubectl get job nothing", 1_000).exit, 0);
    assert_eq!((sim.cluster().store().revision(), sim.journal().len()), (revision, journal));
    go(&mut sim, 60);
    assert_eq!(outcome(&sim).jobs[0].end, JobEnd::Complete);
}

#[test]
fn an_outcome_counts_what_happened() {
    let sim = job_at("backoffLimit: 1", "sleep 2; exit 1", 120);
    let out = outcome(&sim);
    let [job] = out.jobs.as_slice() else { panic!("{out:?}") };
    assert_eq!(job.end, JobEnd::Failed("BackoffLimitExceeded".into()));
    assert_eq!((job.pods, job.retries, job.failures, job.succeeded, job.restarts), (2, 1, 2, 0, 0));
    assert!(job.working >= Span::secs(4) && job.working < Span::secs(6), "{job:?}");
    assert!(job.waiting > Span::secs(9), "{job:?}");
    let line = &out.lines()[0];
    assert!(line.starts_with("Job flaky failed (BackoffLimitExceeded) at 08:00:"), "{line}");
    assert!(
        line.contains("2 Pods, 1 of them in place of one that failed; 0 succeeded, 2 failed; 0 restarts"),
        "{line}"
    );
    let json = out.to_value(sim.start());
    assert_eq!(json.at("jobs").as_list().and_then(|jobs| jobs[0].i64_at("pods")), Some(2));
}

/// Entries up to now, as lines.
fn past(sim: &Sim) -> Vec<String> {
    let last = sim.cluster().last_entry();
    let entries = sim.journal().iter().filter(|entry| Some(entry.id) <= last);
    entries.map(|entry| entry.line(sim.start())).collect()
}

#[test]
fn a_journal_is_the_same_whichever_way_one_came() {
    let mut sim = job_at("backoffLimit: 3", "exit 1", 200);
    let whole = past(&sim);
    sim.go_to(sim.start() + Span::secs(30));
    let until_then = past(&sim);
    assert_eq!(until_then, past(&job_at("backoffLimit: 3", "exit 1", 30)));
    sim.go_to(sim.start() + Span::secs(200));
    assert_eq!(past(&sim), whole);
    // Another line of time leaves this one at its fork.
    sim.go_to(sim.start() + Span::secs(30));
    sim.handle(Input::Run { line: "kubectl delete job flaky".to_owned() });
    go(&mut sim, 200);
    let other = past(&sim);
    assert_eq!(other[..until_then.len()], until_then[..]);
    assert!(other.iter().any(|line| line.contains("kubectl delete job flaky")));
    assert_ne!(other, whole);
}
