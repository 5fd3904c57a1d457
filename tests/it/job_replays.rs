//! The Job controller alone against recordings of a real 1.36 cluster.
//!
//! `job_replays.json.gz` holds, for each recording, what everyone else did (users, scheduler, kubelets) and what the Job
//! controller wrote: the history of each Job's status and its events. The test does the former at the recorded moments
//! and expects the latter.
//!
//! The file is cut out of the recorded watch events: Jobs as they were created and each later spec; bindings, statuses
//! (phase, Ready, container states), deletions by others and ends of Pods; until the first Job is deleted. `start` is the
//! whole second that fits all creation times. Pods are named by Job, index and order of creation (`job/index/n`), since
//! their names are drawn; of Pods that were made together the file numbers first the one that is deleted first.

use std::collections::BTreeMap;
use std::io::Read;

use batchyard::api::kind::Kind;
use batchyard::api::meta::Key;
use batchyard::api::object::Object;
use batchyard::cluster::actor::Actor;
use batchyard::cluster::store::{ChangeType, DeleteOptions};
use batchyard::values::object;
use batchyard::values::time::{SimTime, Span};
use batchyard::values::value::Value;

use crate::lab::Lab;

/// How far in time a status may be from its recording: the real controller takes up to some tenths of a second under
/// load, and its batches begin with events that are not in the recording.
const TOLERANCE: Span = Span::ms(1100);

/// Recordings with so many Pods that a batch more or less changes even that: there ready Pods are not compared.
const BUSY: &[&str] = &["many-events", "scale-parallelism"];

#[test]
fn recorded_jobs_have_the_same_history() {
    let mut text = String::new();
    flate2::read::GzDecoder::new(&include_bytes!("../cases/job_replays.json.gz")[..])
        .read_to_string(&mut text)
        .unwrap();
    let replays = Value::from_json(&text).unwrap();
    let mut differences = Vec::new();
    for recording in replays.as_list().unwrap() {
        let lab = replay(recording);
        for (job, expected) in recording.map_at("jobs").unwrap().iter() {
            let expected = expected.as_list().unwrap().iter().map(|e| (millis(e.at("0")), e.at("1").clone()));
            let busy = BUSY.contains(&recording.str_at("name").unwrap());
            let (expected, have) = (settled(expected, busy), settled(history(recording, &lab, job), busy));
            differences.extend(compare(recording, job, &expected, &have));
        }
        differences.extend(compare_events(recording, &lab));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn replay(recording: &Value) -> Lab {
    let start = SimTime::from_millis(recording.i64_at("start").unwrap());
    let mut lab = Lab::new(start);
    for input in recording.list_at("inputs") {
        lab.run_until(start + millis(input.at("at")));
        if !input.at("create").is_null() {
            lab.create(input.at("create").clone());
        } else if let Some(job) = input.str_at("job") {
            lab.edit(Kind::Job, job, |value| {
                for (field, wanted) in input.map_at("spec").unwrap().iter() {
                    value.put(&format!("spec.{field}"), wanted.clone());
                }
            });
        } else if let Some(pod) = find_pod(&mut lab, input.str_at("pod").unwrap()) {
            play_pod(&mut lab, &pod, input);
        }
    }
    lab.run_until(start + millis(recording.at("end")) - Span::ms(1));
    lab
}

/// Does what scheduler, kubelet or user did to a Pod.
fn play_pod(lab: &mut Lab, pod: &str, input: &Value) {
    let key = Key::new(Kind::Pod, "default", pod);
    if let Some(node) = input.str_at("bind") {
        lab.api(|api| api.bind(&key, node)).unwrap();
    } else if !input.at("status").is_null() {
        lab.edit_status(Kind::Pod, pod, |status| {
            for (field, value) in input.map_at("status").unwrap().iter() {
                status.put(field, value.clone());
            }
        });
    } else if let Some(grace) = input.i64_at("delete") {
        lab.api(|api| api.delete(&key, &DeleteOptions::with_grace(grace))).unwrap();
    } else {
        lab.end_deletion(pod);
    }
}

/// The name of a Pod that is still there. One that the controller has yet to make is waited for.
fn find_pod(lab: &mut Lab, slot: &str) -> Option<String> {
    let mut parts = slot.split('/');
    let (job, index, n) = (parts.next().unwrap(), parts.next(), parts.next());
    let Some(n) = n.map(|n| n.parse::<usize>().unwrap()) else { return Some(job.to_owned()) };
    for _ in 0..100 {
        let made = |lab: &Lab| {
            let added = lab.log.iter().filter(|c| c.kind() == Kind::Pod && c.change == ChangeType::Added);
            let of_slot = added.filter(|c| {
                let meta = c.object.meta();
                let of_job = meta.controller().is_some_and(|owner| owner.name == job);
                of_job && index_of(&c.object) == index.unwrap_or_default()
            });
            of_slot.map(|c| c.object.name().to_owned()).nth(n)
        };
        if let Some(name) = made(lab) {
            return lab.store.find(Kind::Pod, "default", &name).is_some().then_some(name);
        }
        lab.run_for(Span::ms(20));
    }
    None
}

fn index_of(pod: &Object) -> String {
    let annotations = &pod.meta().annotations;
    annotations.get("batch.kubernetes.io/job-completion-index").map(|index| index.to_string()).unwrap_or_default()
}

fn millis(seconds: &Value) -> Span {
    match seconds {
        Value::Int(n) => Span::secs(*n),
        Value::Float(x) => Span::ms((x * 1000.0).round() as i64),
        _ => panic!("no time: {seconds}"),
    }
}

/// The Job's different statuses, with the moments at which they were written.
fn history(recording: &Value, lab: &Lab, job: &str) -> Vec<(Span, Value)> {
    let start = SimTime::from_millis(recording.i64_at("start").unwrap());
    let mut history: Vec<(Span, Value)> = Vec::new();
    for change in lab.log.iter().filter(|c| c.kind() == Kind::Job && c.object.name() == job) {
        let status = compact(change.object.value().at("status"));
        if history.last().is_none_or(|(_, last)| *last != status) {
            history.push((change.at.since(start), status));
        }
    }
    history
}

/// A status as the file has it: no times, no uids, no fields that Go leaves out when they are empty.
fn compact(status: &Value) -> Value {
    let mut result = Value::map();
    for field in ["active", "succeeded", "failed", "completedIndexes"] {
        if !status.at(field).is_empty() {
            result.set(field, status.at(field).clone());
        }
    }
    for field in ["ready", "terminating", "failedIndexes"] {
        if status.has(field) {
            result.set(field, status.at(field).clone());
        }
    }
    if status.has("uncountedTerminatedPods") {
        let count = |list: &str| status.list_at(&format!("uncountedTerminatedPods.{list}")).len();
        result.set("uncounted", vec![count("succeeded").into(), count("failed").into()]);
    }
    for (field, shown) in [("startTime", "started"), ("completionTime", "completed")] {
        if status.has(field) {
            result.set(shown, true);
        }
    }
    let text = |c: &Value, field: &str| c.str_at(field).unwrap_or_default().to_owned();
    let conditions = status.list_at("conditions").iter();
    let conditions: Vec<Value> =
        conditions.map(|c| format!("{}={} {}", text(c, "type"), text(c, "status"), text(c, "reason")).into()).collect();
    if !conditions.is_empty() {
        result.set("conditions", conditions);
    }
    result
}

/// The history without what depends on how a second's events fell into batches: while nothing else changes, only the
/// last number of ready Pods stays.
fn settled(history: impl IntoIterator<Item = (Span, Value)>, busy: bool) -> Vec<(Span, Value)> {
    let mut result: Vec<(Span, Value)> = Vec::new();
    let mut before = Value::Null;
    for (at, status) in history {
        let mut rest = status.clone();
        let ready = rest.remove("ready");
        let kept = if busy { rest.clone() } else { status };
        match result.last_mut() {
            Some((_, last)) if rest == before && ready.is_some() => *last = kept,
            _ => result.push((at, kept)),
        }
        before = rest;
    }
    result
}

fn compare(recording: &Value, job: &str, expected: &[(Span, Value)], have: &[(Span, Value)]) -> Option<String> {
    let near = |a: Span, b: Span| (a - b).as_ms().abs() <= TOLERANCE.as_ms();
    let pairs = expected.iter().zip(have);
    let equal = pairs.take_while(|(expected, have)| expected.1 == have.1 && near(expected.0, have.0)).count();
    if equal == expected.len() && equal == have.len() {
        return None;
    }
    let name = recording.str_at("name").unwrap();
    let show = |title: &str, history: &[(Span, Value)]| -> String {
        let lines = history.iter().skip(equal).take(3);
        lines.map(|(at, status)| format!("\n  {title} {:7} {status}", at.as_ms())).collect()
    };
    let (recorded, ours) = (show("recorded", expected), show("ours    ", have));
    Some(format!("{name} {job}: equal up to {equal} of {}{recorded}{ours}", expected.len()))
}

/// Compares the events, in the order of their Jobs; Pods made in one batch have no order.
fn compare_events(recording: &Value, lab: &Lab) -> Option<String> {
    let mut have: BTreeMap<String, i64> = BTreeMap::new();
    for change in lab.log.iter().filter(|c| c.kind() == Kind::Event && c.actor == lab.controller.name()) {
        let event = change.object.value();
        let line = object! {
            "0" => event.at("involvedObject.name").clone(), "1" => event.at("type").clone(),
            "2" => event.at("reason").clone(), "3" => without_suffixes(event.str_at("message").unwrap()),
        };
        *have.entry(line_of(&line)).or_default() += 1;
    }
    for line in recording.list_at("events") {
        *have.entry(line_of(line)).or_default() -= 1;
    }
    have.retain(|_, count| *count != 0);
    let name = recording.str_at("name").unwrap();
    (!have.is_empty()).then(|| format!("{name}: events, more (+) or less (-) than recorded: {have:?}"))
}

fn line_of(event: &Value) -> String {
    ["0", "1", "2", "3"].map(|part| event.str_at(part).unwrap_or_default()).join(" ")
}

/// Replaces drawn suffixes as the file does.
fn without_suffixes(message: &str) -> String {
    let is_drawn = |part: &str| part.len() == 5 && part.chars().all(|c| "bcdfghjklmnpqrstvwxz2456789".contains(c));
    let word = |word: &str| match word.rsplit_once('-') {
        Some((front, last)) if is_drawn(last) => format!("{front}-xxxxx"),
        _ => word.to_owned(),
    };
    message.split(' ').map(word).collect::<Vec<_>>().join(" ")
}
