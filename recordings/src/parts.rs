//! The parts of the score, and what differs in each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use fancy_regex::Regex;
use serde_json::Value;

use crate::diff::shared;
use crate::facts::{self, Facts, Times};
use crate::normal::normal;
use crate::run::Recording;

/// One category.
#[derive(Clone, PartialEq, Debug)]
pub struct Category {
    pub name: &'static str,
    pub good: usize,
    pub total: usize,
    /// What differs, a line each.
    pub differences: Vec<String>,
}

/// Compares a simulated run with the recorded one; with `outputs` also what the commands printed.
pub fn compare(real: &Recording, simulated: &Recording, outputs: bool) -> Vec<Category> {
    let mut parts = vec![
        same_facts("jobs", &facts::jobs(real), &facts::jobs(simulated)),
        same_facts("cronjobs, sets, services", &facts::others(real), &facts::others(simulated)),
        same_bags("pod STATUS histories", facts::pod_signatures(real), facts::pod_signatures(simulated)),
        same_bags("pod ends", facts::pod_ends(real), facts::pod_ends(simulated)),
        near_times("job times", &facts::job_times(real), &facts::job_times(simulated)),
        near_births("pod creation times", &facts::pod_births(real), &facts::pod_births(simulated)),
        near_counts("events", &facts::events(real), &facts::events(simulated)),
    ];
    if outputs {
        parts.push(same_outputs("kubectl output", &real.outputs, &simulated.outputs));
    }
    parts
}

fn part(name: &'static str, total: usize, differences: Vec<String>) -> Category {
    Category { name, good: total - differences.len().min(total), total, differences }
}

fn keys<'k, V>(a: &'k BTreeMap<String, V>, b: &'k BTreeMap<String, V>) -> BTreeSet<&'k String> {
    a.keys().chain(b.keys()).collect()
}

fn near(a: f64, b: f64, floor: f64, share: f64) -> bool {
    (a - b).abs() <= floor.max(share * a.abs())
}

fn same_facts(name: &'static str, real: &Facts, simulated: &Facts) -> Category {
    let keys = keys(real, simulated);
    let different = keys.iter().filter(|k| real.get(**k) != simulated.get(**k));
    let say = |k: &&&String| format!("{k}: real {:?}, simulated {:?}", real.get(**k), simulated.get(**k));
    part(name, keys.len(), different.map(|k| say(&k)).collect())
}

fn near_times(name: &'static str, real: &Times, simulated: &Times) -> Category {
    let keys = keys(real, simulated);
    let close = |k: &String| real.get(k).zip(simulated.get(k)).is_some_and(|(a, b)| near(*a, *b, 3.0, 0.2));
    let say = |k: &&&String| format!("{k}: real {:?}, simulated {:?}", real.get(**k), simulated.get(**k));
    part(name, keys.len(), keys.iter().filter(|k| !close(k)).map(|k| say(&k)).collect())
}

fn near_counts(name: &'static str, real: &BTreeMap<String, i64>, simulated: &BTreeMap<String, i64>) -> Category {
    let keys = keys(real, simulated);
    let count = |of: &BTreeMap<String, i64>, k: &String| of.get(k).copied().unwrap_or(0);
    let close = |k: &String| {
        let (a, b) = (count(real, k), count(simulated, k));
        a > 0 && b > 0 && near(a as f64, b as f64, 0.5, 0.25)
    };
    let say = |k: &&&String| format!("{k}: real x{}, simulated x{}", count(real, k), count(simulated, k));
    part(name, keys.len(), keys.iter().filter(|k| !close(k)).map(|k| say(&k)).collect())
}

fn same_bags(name: &'static str, real: Vec<String>, simulated: Vec<String>) -> Category {
    let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let total = real.len().max(simulated.len());
    real.into_iter().for_each(|item| counts.entry(item).or_default().0 += 1);
    simulated.into_iter().for_each(|item| counts.entry(item).or_default().1 += 1);
    let good = counts.values().map(|(a, b)| a.min(b)).sum();
    let mut differences = Vec::new();
    for (item, (a, b)) in counts {
        match a.cmp(&b) {
            std::cmp::Ordering::Greater => differences.push(format!("only real: {item} x{}", a - b)),
            std::cmp::Ordering::Less => differences.push(format!("only simulated: {item} x{}", b - a)),
            std::cmp::Ordering::Equal => {}
        }
    }
    Category { name, good, total, differences }
}

fn near_births(
    name: &'static str,
    real: &BTreeMap<String, Vec<f64>>,
    simulated: &BTreeMap<String, Vec<f64>>,
) -> Category {
    let (mut good, mut total, mut differences) = (0, 0, Vec::new());
    let none = Vec::new();
    for who in real.keys().chain(simulated.keys()).collect::<BTreeSet<_>>() {
        let (a, b) = (real.get(who).unwrap_or(&none), simulated.get(who).unwrap_or(&none));
        let close = a.iter().zip(b).filter(|(x, y)| near(**x, **y, 3.0, 0.2)).count();
        let all = a.len().max(b.len());
        (good, total) = (good + close, total + all);
        if close < all {
            differences.push(format!("{who}: real {a:.1?}, simulated {b:.1?}"));
        }
    }
    Category { name, good, total, differences }
}

/// Of `kubectl explain` only the frame is compared: the API's own sentences are not ours to print.
static FRAME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^(?:[A-Z]+:|error|  \S+  ?<)").expect("a pattern"));

fn same_outputs(name: &'static str, real: &[Value], simulated: &[Value]) -> Category {
    let (mut good, mut total, mut differences) = (0, 0, Vec::new());
    for (i, recorded) in real.iter().enumerate() {
        let command = recorded["cmd"].as_str().unwrap_or_default();
        let short: String = command.chars().take(90).collect();
        let none = Value::Null;
        let ours = simulated.get(i).unwrap_or(&none);
        total += 1;
        if recorded["exit"] == ours["exit"] {
            good += 1;
        } else {
            differences.push(format!("$ {short}: exit real {}, simulated {}", recorded["exit"], ours["exit"]));
        }
        for stream in ["stdout", "stderr"] {
            let lines = |record: &Value| {
                let text = normal(record[stream].as_str().unwrap_or_default());
                let mut lines: Vec<String> = text.lines().map(normal).collect();
                if command.contains("kubectl explain") {
                    lines.retain(|line| FRAME.is_match(line).unwrap_or(false));
                }
                lines
            };
            let (a, b) = (lines(recorded), lines(ours));
            let (same, all) = (shared(&a, &b), a.len().max(b.len()));
            (good, total) = (good + same, total + all);
            if same < all {
                differences.push(format!("$ {short} [{stream}] {same}/{all}"));
                differences.extend(a.iter().filter(|l| !b.contains(l)).take(6).map(|l| format!("    -{l}")));
                differences.extend(b.iter().filter(|l| !a.contains(l)).take(6).map(|l| format!("    +{l}")));
            }
        }
    }
    Category { name, good, total, differences }
}
