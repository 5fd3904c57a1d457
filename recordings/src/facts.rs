//! What is compared, read off a run.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::normal::normal;
use crate::run::{Life, Recording};
use crate::status::status_column;

/// Named facts.
pub type Facts = BTreeMap<String, String>;
/// Named moments, in seconds.
pub type Times = BTreeMap<String, f64>;

fn name(object: &Value) -> String {
    normal(object["metadata"]["name"].as_str().unwrap_or_default())
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn conditions(object: &Value) -> &[Value] {
    object["status"]["conditions"].as_array().map_or(&[], Vec::as_slice)
}

/// Every scalar below `value` with its path, as Python prints it.
fn leaves(value: &Value, path: &str, into: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(k, v)| leaves(v, &format!("{path}.{k}"), into)),
        Value::Array(list) => list.iter().enumerate().for_each(|(i, v)| leaves(v, &format!("{path}[{i}]"), into)),
        Value::String(text) => into.push((path.to_owned(), text.clone())),
        Value::Bool(b) => into.push((path.to_owned(), if *b { "True" } else { "False" }.to_owned())),
        Value::Null => into.push((path.to_owned(), "None".to_owned())),
        Value::Number(n) => into.push((path.to_owned(), n.to_string())),
    }
}

/// The lives of a kind with names that tell equal ones apart: `hello-<minutes>#2`.
fn numbered<'r>(run: &'r Recording, kind: &'r str) -> Vec<(String, &'r Life)> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    run.of(kind)
        .filter_map(|life| {
            let name = name(&life.last()?.object);
            let n = seen.entry(name.clone()).or_default();
            *n += 1;
            Some((format!("{name}#{n}"), life))
        })
        .collect()
}

pub fn jobs(run: &Recording) -> Facts {
    let mut facts = Facts::new();
    for (who, life) in numbered(run, "Job") {
        let last = &life[life.len() - 1];
        for field in ["succeeded", "failed", "active", "ready", "terminating", "completedIndexes", "failedIndexes"] {
            let value = match &last.object["status"][field] {
                Value::Null => "0".to_owned(),
                Value::String(s) if s.is_empty() => "0".to_owned(),
                Value::String(s) => s.clone(),
                other => other.to_string(),
            };
            facts.insert(format!("{who} final {field}"), value);
        }
        let mut seen: Vec<String> = Vec::new();
        for c in life.iter().flat_map(|s| conditions(&s.object)) {
            let parts = [text(c, "type"), text(c, "status"), text(c, "reason"), &normal(text(c, "message"))].join("|");
            if !seen.contains(&parts) {
                seen.push(parts);
            }
        }
        facts.insert(format!("{who} conditions"), seen.join("; "));
        let active = life.iter().filter_map(|s| s.object["status"]["active"].as_i64()).max().unwrap_or(0);
        facts.insert(format!("{who} most active"), active.to_string());
        facts.insert(format!("{who} deleted"), (last.change == "DELETED").to_string());
        let mut spec = Vec::new();
        leaves(&life[0].object["spec"], "", &mut spec);
        for (path, value) in spec {
            if !path.contains("uid") && path != ".template.metadata.creationTimestamp" {
                facts.insert(format!("{who} spec{path}"), normal(&value));
            }
        }
    }
    facts
}

pub fn job_times(run: &Recording) -> Times {
    let mut times = Times::new();
    for (who, life) in numbered(run, "Job") {
        let last = &life[life.len() - 1];
        times.insert(format!("{who} created"), life[0].t);
        if last.change == "DELETED" {
            times.insert(format!("{who} deleted"), last.t);
        }
        for seen in life {
            for c in conditions(&seen.object) {
                times.entry(format!("{who} {}", text(c, "type"))).or_insert(seen.t);
            }
        }
    }
    times
}

/// CronJobs, ReplicaSets and Services.
pub fn others(run: &Recording) -> Facts {
    let mut facts = Facts::new();
    for life in run.of("CronJob") {
        let name = text(&life[0].object["metadata"], "name");
        let status = |s: &crate::run::Seen| s.object["status"].clone();
        let active = life.iter().map(|s| status(s)["active"].as_array().map_or(0, Vec::len)).max().unwrap_or(0);
        facts.insert(format!("{name} most active"), active.to_string());
        let mut schedules: Vec<String> =
            life.iter().filter_map(|s| status(s)["lastScheduleTime"].as_str().map(str::to_owned)).collect();
        schedules.sort();
        schedules.dedup();
        facts.insert(format!("{name} schedules"), schedules.len().to_string());
        let successes = life.iter().any(|s| status(s).get("lastSuccessfulTime").is_some());
        facts.insert(format!("{name} successes seen"), successes.to_string());
        let mut spec = Vec::new();
        leaves(&life[0].object["spec"], "", &mut spec);
        facts.extend(spec.into_iter().map(|(path, value)| (format!("{name} spec{path}"), normal(&value))));
    }
    for kind in ["ReplicaSet", "Service"] {
        for life in run.of(kind) {
            let name = text(&life[0].object["metadata"], "name");
            facts.insert(
                format!("{kind} {name} statuses"),
                collapse(life.iter().map(|s| numbers(&s.object))).join(" > "),
            );
            let mut spec = Vec::new();
            leaves(&life[0].object["spec"], "", &mut spec);
            for (path, value) in spec.into_iter().filter(|(path, _)| !path.to_lowercase().contains("ip")) {
                facts.insert(format!("{kind} {name} spec{path}"), normal(&value));
            }
        }
    }
    facts
}

/// The counters of a status.
fn numbers(object: &Value) -> String {
    let status = object["status"].as_object();
    let counts = status.into_iter().flatten().filter(|(k, v)| v.is_i64() && *k != "observedGeneration");
    counts.map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(",")
}

fn collapse(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for item in items {
        if out.last() != Some(&item) {
            out.push(item);
        }
    }
    out
}

/// A Pod's life with what it belongs to and its index.
fn pods(run: &Recording) -> Vec<(String, String, &Life)> {
    run.of("Pod")
        .map(|life| {
            let meta = &life[0].object["metadata"];
            let owners = meta["ownerReferences"].as_array().map_or(&[][..], Vec::as_slice);
            let owner = owners.iter().find(|o| o["controller"] == true);
            let who = owner
                .map_or_else(|| name(&life[0].object), |o| format!("{}/{}", text(o, "kind"), normal(text(o, "name"))));
            let index = text(&meta["annotations"], "batch.kubernetes.io/job-completion-index").to_owned();
            (who, index, life)
        })
        .collect()
}

/// How every Pod's STATUS moved.
pub fn pod_signatures(run: &Recording) -> Vec<String> {
    let signature = |(who, index, life): (String, String, &Life)| {
        let steps = collapse(life.iter().filter(|s| s.change != "DELETED").map(|s| status_column(&s.object)));
        let gone = life.last().is_some_and(|s| s.change == "DELETED");
        format!("{who} [{index}] {}{}", steps.join(" > "), if gone { " > gone" } else { "" })
    };
    pods(run).into_iter().map(signature).collect()
}

/// How every Pod ended: phase, containers, conditions, labels.
pub fn pod_ends(run: &Recording) -> Vec<String> {
    let mut ends = Vec::new();
    for (who, index, life) in pods(run) {
        let last = &life[life.len() - 1].object;
        let status = &last["status"];
        let list = |key: &str| status[key].as_array().cloned().unwrap_or_default();
        let containers: Vec<String> =
            [list("containerStatuses"), list("initContainerStatuses")].concat().iter().map(container_end).collect();
        let mut conditions: Vec<String> = conditions(last)
            .iter()
            .map(|c| format!("{}={} {}", text(c, "type"), text(c, "status"), text(c, "reason")))
            .collect();
        conditions.sort();
        let keys = |field: &str| -> Vec<String> {
            last["metadata"][field].as_object().into_iter().flatten().map(|(k, _)| k.clone()).collect()
        };
        let mut names: Vec<String> = [keys("labels"), keys("annotations")].concat();
        names.sort();
        names.dedup();
        for (what, value) in [
            ("phase", format!("{} {}", text(status, "phase"), text(status, "reason"))),
            ("containers", containers.join(", ")),
            ("conditions", conditions.join(", ")),
            ("keys", names.join(",")),
        ] {
            ends.push(format!("{who} [{index}] {what}: {value}"));
        }
    }
    ends
}

fn container_end(container: &Value) -> String {
    let state = &container["state"];
    let ended = [&state["terminated"], &container["lastState"]["terminated"]].into_iter().find(|t| t.is_object());
    let code = ended.map_or_else(|| "none".to_owned(), |t| t["exitCode"].to_string());
    let now = state.as_object().and_then(|s| s.keys().next().cloned()).unwrap_or_else(|| "none".to_owned());
    format!("{} x{} {code} {now}", text(container, "name"), container["restartCount"].as_i64().unwrap_or(0))
}

/// When each owner's Pods were created.
pub fn pod_births(run: &Recording) -> BTreeMap<String, Vec<f64>> {
    let mut births: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (who, _, life) in pods(run) {
        births.entry(who).or_default().push(life[0].t);
    }
    births.values_mut().for_each(|times| times.sort_by(f64::total_cmp));
    births
}

/// How often each event came. The endpoint controllers' are left out: they are the API server's own races.
pub fn events(run: &Recording) -> BTreeMap<String, i64> {
    let mut counts = BTreeMap::new();
    for life in run.of("Event") {
        let event = &life[life.len() - 1].object;
        let reporting = text(event, "reportingComponent");
        let component = if reporting.is_empty() { text(&event["source"], "component") } else { reporting };
        if component.starts_with("endpoint") {
            continue;
        }
        let count = event["count"].as_i64().filter(|n| *n != 0).unwrap_or(1);
        let series = event["series"]["count"].as_i64().filter(|n| *n != 0).unwrap_or(1);
        let key = [
            text(&event["involvedObject"], "kind"),
            component,
            text(event, "type"),
            text(event, "reason"),
            &normal(text(event, "message")),
        ]
        .join(" | ");
        *counts.entry(key).or_insert(0) += count.max(series);
    }
    counts
}
