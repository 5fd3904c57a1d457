//! The three tutorials, command by command: what each step must give on today's cluster.
//!
//! Rule: the scenarios of `tests/tutorials/` hold the commands in the tutorials' order; the tables here say how each ends.
//! A verb that is not there yet ends with kubectl's `unknown command`; such steps are counted, and may only become fewer.

use std::path::Path;

use batchyard::run::{Progress, Record, Scenario, Sim};
use batchyard::terminal::{empty_cluster, lint};
use batchyard::values::zone::ZoneTable;
use batchyard::yaml::python;

/// What one step printed and how it ended.
struct Played {
    step: usize,
    command: String,
    exit: i32,
    output: String,
}

fn play(name: &str) -> Vec<Played> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/tutorials/{name}.yaml"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let scenario = Scenario::parse(&text, name).unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
    let mut sim = Sim::new(&scenario, &ZoneTable::bundled());
    let end = sim.start() + scenario.duration;
    let mut played = Vec::new();
    loop {
        let progress = sim.advance(end, 10_000);
        while let Some(record) = sim.poll_record() {
            if let Record::Output(output) = &record
                && let Some(step) = output.step
            {
                let output_text = format!("{}{}", output.stdout, output.stderr);
                let command = output.command.clone();
                played.push(Played { step, command, exit: output.exit, output: output_text });
            }
        }
        if progress != Progress::Busy {
            break;
        }
    }
    played.sort_by_key(|played| played.step);
    assert!(!played.is_empty(), "{name} did nothing");
    played
}

/// Checks steps by their number: exit code and a part of what is printed.
fn check(name: &str, table: &[(usize, i32, &str)], may_wait: usize) {
    let (mut wrong, mut waiting) = (Vec::new(), Vec::new());
    let played = play(name);
    for (step, exit, part) in table {
        let Some(found) = played.iter().find(|played| played.step == *step) else {
            wrong.push(format!("step {step} never ended"));
            continue;
        };
        let line = found.command.lines().next().unwrap_or_default();
        if found.output.contains("unknown command") || found.exit == 127 {
            waiting.push(line.to_owned());
        } else if found.exit != *exit || !found.output.contains(part) {
            wrong
                .push(format!("step {step}, {line}: {} instead of {exit} and {part:?}:\n{}", found.exit, found.output));
        }
    }
    assert!(wrong.is_empty(), "{name}:\n{}", wrong.join("\n"));
    assert!(waiting.len() <= may_wait, "{name}: not there: {waiting:#?}");
}

#[test]
fn one_time_jobs_during_deployments() {
    let table = [
        (1, 0, "hellokubernetesjob:latest"),
        (2, 0, "Hello World!"),
        (3, 0, "Exited (0)"),
        (5, 0, "job.batch/hellokubernetesjob created"),
        (6, 0, "Complete   1/1"),
        (7, 0, "Completed"),
        (8, 0, "Hello World!"),
        (9, 0, "job.batch/hellokubernetesjob unchanged"),
        (11, 0, "job.batch/hellokubernetesjob-failure created"),
        (12, 0, "hellokubernetesjob-failure-"),
        (14, 0, "STATUS: deployed"),
        (15, 0, "hello-0.1.0"),
    ];
    check("one-time-jobs", &table, 1);
}

#[test]
fn jobs() {
    let table = [
        (0, 0, "Item done"),
        (1, 1, "unknown shorthand flag: 'a' in -a"),
        (2, 0, "pod \"oneshot\" deleted"),
        (4, 0, "job.batch/oneshot created"),
        (9, 0, "job.batch/oneshot created"),
        (10, 0, "oneshot-"),
        (13, 0, "job.batch/oneshot created"),
        (16, 0, "job.batch/parallel created"),
        (17, 124, "parallel-"),
        (20, 0, "replicaset.apps/queue created"),
        (23, 0, "service/queue created"),
        (26, 0, "job.batch/consumers created"),
        (28, 0, "job.batch \"consumers\" deleted"),
        (30, 0, "cronjob.batch/example-cron created"),
    ];
    // `run` comes with the other verbs, and with it the Pod that step 2 deletes.
    let ready = play("jobs").iter().any(|played| played.step == 0 && played.output.contains("Item done"));
    let table: Vec<_> = table.into_iter().filter(|(step, ..)| ready || !matches!(step, 0 | 2 | 28)).collect();
    check("jobs", &table, 0);
}

#[test]
fn nautobot() {
    let table = [
        (1, 0, "persistentvolumeclaim/media-root created"),
        (2, 0, "No resources found"),
        (3, 0, "kube-system"),
        (5, 0, "job.batch/nautobot-job created"),
        (6, 0, "job.batch/nautobot-job"),
    ];
    check("nautobot", &table, 0);
}

#[test]
fn the_manifest_of_nautobots_settings_is_offered_as_yaml() {
    let text = include_str!("../tutorials/nautobot-manifest.py");
    let converted = python::recognise(text).expect("a dict");
    let codes: Vec<&str> = converted.remarks.iter().map(|remark| remark.code).collect();
    assert_eq!(codes, ["python-placeholder", "python-comma"]);
    let errors = lint(converted.yaml.as_bytes(), "nautobot.yaml", &empty_cluster(&ZoneTable::bundled()));
    let errors: Vec<String> =
        errors.iter().filter(|d| d.severity == batchyard::yaml::Severity::Error).map(ToString::to_string).collect();
    assert!(errors.is_empty(), "{errors:?}\n{}", converted.yaml);
}
