//! Manifests as people bring them (`tests/wild/`), each applied to a cluster of its own, with what must come of it.
//!
//! Rule: a case is a file of manifests whose comments say what is asked and what the answer holds:
//!
//! ```text
//! #: 40s $ kubectl get jobs nightly      asked 40 s after the file was applied
//! #: > Complete                          the answer holds this
//! #: ! Error                             and does not hold this
//! #: lacks                               programs may be missing here: that is what the case is about
//! ```
//!
//! Whatever else a case asks, no container ends for want of a program that its image has: nothing in its logs and states
//! says so.

use std::path::{Path, PathBuf};

use batchyard::api::kind::Kind;
use batchyard::run::{Progress, Record, Scenario, Sim};
use batchyard::values::zone::ZoneTable;

/// How many cases there are to be.
const LEAST: usize = 150;

/// One question and what its answer must and must not hold.
struct Question {
    at: String,
    line: String,
    holds: Vec<String>,
    lacks: Vec<String>,
}

struct Case {
    name: String,
    text: String,
    questions: Vec<Question>,
    may_lack: bool,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wild")
}

fn cases() -> Vec<Case> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder())
        .expect("tests/wild")
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .collect();
    paths.sort();
    paths.iter().map(|path| case(path)).collect()
}

fn case(path: &Path) -> Case {
    let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let mut case = Case { name, text, questions: Vec::new(), may_lack: false };
    for line in case.text.lines().filter_map(|line| line.strip_prefix("#: ")) {
        if line == "lacks" {
            case.may_lack = true;
        } else if let Some(text) = line.strip_prefix("> ") {
            case.questions.last_mut().expect("a question comes first").holds.push(text.to_owned());
        } else if let Some(text) = line.strip_prefix("! ") {
            case.questions.last_mut().expect("a question comes first").lacks.push(text.to_owned());
        } else if let Some((at, line)) = line.split_once(" $ ") {
            let question = Question { at: at.to_owned(), line: line.to_owned(), holds: Vec::new(), lacks: Vec::new() };
            case.questions.push(question);
        } else {
            panic!("{}: what is {line:?}?", case.name);
        }
    }
    assert!(!case.questions.is_empty(), "{}: it asks nothing", case.name);
    case
}

/// The case as a scenario: the file is applied at once, the questions come at their times.
fn scenario(case: &Case) -> Scenario {
    let indented: String = case.text.lines().map(|line| format!("      {line}\n")).collect();
    let mut text = format!("name: {}\nsteps:\n  - at: 0s\n    apply: |\n{indented}", case.name);
    for question in &case.questions {
        text.push_str(&format!("  - at: {}\n    run: {:?}\n", question.at, question.line));
    }
    Scenario::parse(&text, &case.name).unwrap_or_else(|problems| panic!("{}: {problems:?}", case.name))
}

/// What is wrong with a case.
fn wrong(case: &Case) -> Vec<String> {
    let mut sim = Sim::new(&scenario(case), &ZoneTable::bundled());
    let mut answers = vec![String::new(); case.questions.len() + 1];
    loop {
        let progress = sim.play(10_000);
        while let Some(record) = sim.poll_record() {
            if let Record::Output(output) = &record
                && let Some(step) = output.step
            {
                answers[step] = format!("{}{}", output.stdout, output.stderr);
            }
        }
        if progress != Progress::Busy {
            break;
        }
    }
    let mut wrong = Vec::new();
    for (question, answer) in case.questions.iter().zip(&answers[1..]) {
        let misses = question.holds.iter().filter(|text| !answer.contains(text.as_str()));
        let extra = question.lacks.iter().filter(|text| answer.contains(text.as_str()));
        for (text, what) in misses.map(|text| (text, "does not hold")).chain(extra.map(|text| (text, "holds"))) {
            wrong.push(format!("{}: $ {} {what} {text:?}:\n{answer}", case.name, question.line));
        }
    }
    if !case.may_lack {
        wrong.extend(missing_programs(&sim).into_iter().map(|what| format!("{}: {what}\n{}", case.name, answers[0])));
    }
    wrong
}

/// What the containers say of programs that are not there.
fn missing_programs(sim: &Sim) -> Vec<String> {
    let mut found = Vec::new();
    for pod in sim.cluster().store().list(Kind::Pod) {
        let spec = &pod.pod().spec;
        let statuses = pod.pod().status.container_statuses.iter().chain(&pod.pod().status.init_container_statuses);
        let states = statuses.filter_map(|status| status.state.terminated.as_ref());
        let unstarted =
            states.map(|ended| ended.message.to_string()).filter(|text| text.contains("not found in $PATH"));
        found.extend(unstarted.map(|text| format!("{}: {text}", pod.name())));
        for container in spec.init_containers.iter().chain(&spec.containers) {
            let Ok(lines) = sim.logs(pod.namespace(), pod.name(), Some(&container.name), false) else { continue };
            let says = |text: &str| text.ends_with(": not found") || text.ends_with("command not found");
            found.extend(
                lines.iter().filter(|line| says(&line.text)).map(|line| format!("{}: {}", pod.name(), line.text)),
            );
        }
    }
    found
}

#[test]
fn manifests_of_the_wild_do_what_they_do_on_a_cluster() {
    let cases = cases();
    assert!(cases.len() >= LEAST, "{} cases", cases.len());
    // Two at a time: the machines that test this have two cores.
    let (first, second) = cases.split_at(cases.len() / 2);
    let mut found: Vec<String> = std::thread::scope(|scope| {
        let beside = scope.spawn(|| second.iter().flat_map(wrong).collect::<Vec<_>>());
        let mut found: Vec<String> = first.iter().flat_map(wrong).collect();
        found.extend(beside.join().expect("it says what failed"));
        found
    });
    found.dedup();
    assert!(found.is_empty(), "{} are wrong:\n{}", found.len(), found.join("\n"));
}
