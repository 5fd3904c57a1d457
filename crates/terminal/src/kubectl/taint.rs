//! `kubectl taint`: puts taints on nodes and takes them off.
//!
//! Source: `kubectl/pkg/cmd/taint/{taint,utils}.go`.

use crate::kubectl::common::{self, DryRun};
use crate::kubectl::errors::Failure;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets::{self, Reading};
use crate::kubectl::{Call, Outcome, Verb, resource};
use api::kind::Kind;
use api::object::Object;
use api::validate::names::{label_value, qualified_name};
use values::object;
use values::value::Value;

pub const VERB: Verb = Verb {
    name: "taint",
    summary: "Change the taints of nodes",
    usage: "kubectl taint NODE NAME KEY_1=VAL_1:TAINT_EFFECT_1 ... KEY_N=VAL_N:TAINT_EFFECT_N",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    common::ALL,
    common::MISSING_KEYS,
    common::DRY_RUN,
    common::FIELD_MANAGER,
    common::OUTPUT,
    flag("overwrite", Takes::Nothing, "A taint with the same key and effect may be changed").default("false"),
    common::SELECTOR,
    common::MANAGED_FIELDS,
    common::TEMPLATE,
    common::VALIDATE,
];

struct Taint {
    key: String,
    value: String,
    /// Empty: every effect, when it is taken off.
    effect: String,
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let dry_run = match call.dry_run() {
        Ok(dry_run) => dry_run,
        Err(text) => return call.fail(&text),
    };
    let (mut specs, mut names) = (Vec::new(), Vec::new());
    for arg in call.parsed.args.clone() {
        let is_taint = arg.contains('=') || arg.contains(':') || arg.ends_with('-');
        match (is_taint, specs.is_empty()) {
            (true, _) => specs.push(arg),
            (false, true) => names.push(arg),
            (false, false) => {
                return call.fail(&format!("all resources must be specified before taint changes: {arg}"));
            }
        }
    }
    let Some(first) = names.first().map(|name| name.to_lowercase()) else {
        return call.fail("one or more resources must be specified as <resource> <name>");
    };
    if specs.is_empty() {
        return call.fail("at least one taint update is required");
    }
    let (added, removed) = match read_all(&specs) {
        Ok(read) => read,
        Err(text) => return call.misused(&text),
    };
    if let Err(text) = check(call, &first, names.len(), &added, &removed) {
        return call.fail(&text);
    }
    if call.parsed.on("all") || call.parsed.is_set("selector") {
        names.truncate(1);
    }
    let nodes = match targets::existing(call, &names, Reading::default()) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    for node in nodes {
        if let Err(failure) = taint_one(call, &node, &added, &removed, dry_run) {
            call.note(failure);
        }
    }
    call.finish()
}

fn check(call: &Call<'_, '_>, first: &str, names: usize, added: &[Taint], removed: &[Taint]) -> Result<(), String> {
    match resource::find_kind(first) {
        None => return Err(resource::unknown(first)),
        Some(Kind::Node) => {}
        Some(_) => return Err(format!("invalid resource type {first}, only node types are supported")),
    }
    let clashes = |gone: &&Taint| {
        added.iter().any(|new| new.key == gone.key && (gone.effect.is_empty() || gone.effect == new.effect))
    };
    let both: Vec<String> = removed.iter().filter(clashes).map(|t| format!("{}={}", t.key, t.effect)).collect();
    if !both.is_empty() {
        let list = both.join(", ");
        return Err(format!("can not both modify and remove the following taint(s) in the same command: {list}"));
    }
    let (all, selector) = (call.parsed.on("all"), call.parsed.is_set("selector"));
    if all && selector {
        return Err("setting 'all' parameter with a non empty selector is prohibited".to_owned());
    }
    if !all && !selector && names < 2 {
        return Err("at least one resource name must be specified since 'all' parameter is not set".to_owned());
    }
    Ok(())
}

fn taint_one(
    call: &mut Call<'_, '_>,
    node: &Object,
    added: &[Taint],
    removed: &[Taint],
    dry_run: DryRun,
) -> Result<(), Failure> {
    let overwrite = call.parsed.on("overwrite");
    let (taints, word) = apply(node.value().list_at("spec.taints"), added, removed, overwrite).map_err(|refused| {
        Failure::Client(match refused {
            Refused::Missing(text) => text,
            Refused::Taken => format!(
                "node {} already has {} taint(s) with same effect(s) and --overwrite is false",
                node.name(),
                keys(added)
            ),
        })
    })?;
    let edit = |value: &mut Value| match taints.is_empty() {
        true => drop(value.remove("spec.taints")),
        false => value.set("spec.taints", taints.clone()),
    };
    let mut changed = node.value().clone();
    edit(&mut changed);
    if dry_run != DryRun::Client {
        changed = call.update(dry_run, &node.key(), edit)?;
    }
    // What is done only for show is told as if it was done.
    call.tell(&changed, word, DryRun::No).map_err(Failure::Client)
}

fn keys(taints: &[Taint]) -> String {
    taints.iter().map(|taint| taint.key.as_str()).collect::<Vec<_>>().join(",")
}

/// The taints to add and those to take off.
fn read_all(specs: &[String]) -> Result<(Vec<Taint>, Vec<Taint>), String> {
    let (mut added, mut removed): (Vec<Taint>, Vec<Taint>) = (Vec::new(), Vec::new());
    for spec in specs {
        if let Some(text) = spec.strip_suffix('-') {
            removed.push(read(text)?);
            continue;
        }
        let taint = read(spec)?;
        if taint.effect.is_empty() {
            return Err(format!("invalid taint spec: {spec}"));
        }
        if added.iter().any(|known| known.key == taint.key && known.effect == taint.effect) {
            let Taint { key, value, effect } = taint;
            return Err(format!("duplicated taints with the same key and effect: {{{key} {value} {effect} <nil>}}"));
        }
        added.push(taint);
    }
    Ok((added, removed))
}

/// `key=value:Effect`, `key:Effect`, `key`.
fn read(spec: &str) -> Result<Taint, String> {
    let invalid = || format!("invalid taint spec: {spec}");
    let (mut key, mut value, mut effect) = (spec, "", "");
    match spec.split(':').collect::<Vec<_>>().as_slice() {
        [_] => {}
        [pair, given] => {
            if !["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(given) {
                return Err(format!("invalid taint effect: {given}, unsupported taint effect"));
            }
            effect = given;
            (key, value) = match pair.split('=').collect::<Vec<_>>().as_slice() {
                [key] => (*key, ""),
                [key, value] => (*key, *value),
                _ => return Err(invalid()),
            };
            let wrong = label_value(value);
            if !wrong.is_empty() {
                return Err(format!("{}, {}", invalid(), wrong.join("; ")));
            }
        }
        _ => return Err(invalid()),
    }
    let wrong = qualified_name(key);
    if !wrong.is_empty() {
        return Err(format!("{}, {}", invalid(), wrong.join("; ")));
    }
    Ok(Taint { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() })
}

enum Refused {
    Taken,
    Missing(String),
}

fn apply(
    have: &[Value],
    added: &[Taint],
    removed: &[Taint],
    overwrite: bool,
) -> Result<(Vec<Value>, &'static str), Refused> {
    let same = |have: &Value, taint: &Taint| {
        have.str_at("key") == Some(&taint.key)
            && (taint.effect.is_empty() || have.str_at("effect") == Some(&taint.effect))
    };
    let mut taints = have.to_vec();
    for taint in removed {
        let before = taints.len();
        taints.retain(|have| !same(have, taint));
        if taints.len() == before {
            let colon = if taint.effect.is_empty() { String::new() } else { format!(":{}", taint.effect) };
            return Err(Refused::Missing(format!("taint \"{}{colon}\" not found", taint.key)));
        }
    }
    for taint in added {
        if taints.iter().any(|have| same(have, taint)) && !overwrite {
            return Err(Refused::Taken);
        }
        taints.retain(|have| !same(have, taint));
        let mut fresh = object! { "effect" => taint.effect.as_str(), "key" => taint.key.as_str() };
        if !taint.value.is_empty() {
            fresh.set("value", taint.value.as_str());
        }
        taints.push(fresh);
    }
    let word = match (added.is_empty(), removed.is_empty()) {
        (false, true) => "tainted",
        (true, _) => "untainted",
        (false, false) => "modified",
    };
    Ok((taints, word))
}
