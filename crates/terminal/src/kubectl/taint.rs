//! `kubectl taint`: puts taints on nodes and takes them off.
//!
//! Source: `kubectl/pkg/cmd/taint/{taint,utils}.go`.

use crate::kubectl::common::{self, DryRun};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets::{self, Reading};
use crate::kubectl::{Call, Outcome, Verb};
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
    let args = call.parsed.args.clone();
    let is_taint =
        |(i, arg): &(usize, &String)| *i > 0 && (arg.contains('=') || arg.contains(':') || arg.ends_with('-'));
    let (specs, names): (Vec<_>, Vec<_>) = args.iter().enumerate().partition(is_taint);
    let names: Vec<String> = names.into_iter().map(|(_, name)| name.clone()).collect();
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for (_, spec) in specs {
        match read(spec) {
            Ok((taint, true)) => removed.push(taint),
            Ok((taint, false)) => added.push(taint),
            Err(text) => return call.fail(&text),
        }
    }
    if added.is_empty() && removed.is_empty() {
        return call.fail("at least one taint update is required");
    }
    let first = names.first().map(String::as_str).unwrap_or_default();
    if !matches!(first, "node" | "nodes" | "no") && !first.starts_with("node") {
        return call.fail(&format!("invalid resource type {first}, only node(s) is supported"));
    }
    let dry_run = match call.dry_run() {
        Ok(dry_run) => dry_run,
        Err(text) => return call.fail(&text),
    };
    let (nodes, mut failed) = match targets::existing(call, &names, Reading::default()) {
        Ok(found) => found,
        Err(line) => return call.fail_line(&line),
    };
    for node in nodes {
        let (taints, word) =
            match apply(node.value().list_at("spec.taints"), &added, &removed, call.parsed.on("overwrite")) {
                Ok(changed) => changed,
                Err(Refused::Taken) => {
                    let name = node.name();
                    call.fail(&format!(
                        "node {name} already has {} taint(s) with same effect(s) and --overwrite is false",
                        keys(&added)
                    ));
                    failed = true;
                    continue;
                }
                Err(Refused::Missing(text)) => {
                    call.fail(&text);
                    failed = true;
                    continue;
                }
            };
        let edit = |value: &mut Value| match taints.is_empty() {
            true => drop(value.remove("spec.taints")),
            false => value.set("spec.taints", taints.clone()),
        };
        let mut changed = node.value().clone();
        edit(&mut changed);
        if dry_run != DryRun::Client
            && let Err(error) = call.write(dry_run, |api| api.update(&node.key(), edit))
        {
            call.complain(&error, None);
            failed = true;
            continue;
        }
        if let Err(text) = call.tell(&changed, word, dry_run) {
            return call.fail(&text);
        }
    }
    Outcome::Exit(i32::from(failed))
}

fn keys(taints: &[Taint]) -> String {
    taints.iter().map(|taint| taint.key.as_str()).collect::<Vec<_>>().join(",")
}

/// `key=value:Effect`, `key:Effect`, and with `-` behind it: to be removed.
fn read(spec: &str) -> Result<(Taint, bool), String> {
    let invalid = || format!("invalid taint spec: {spec}");
    let (text, removal) = spec.strip_suffix('-').map_or((spec, false), |text| (text, true));
    let (pair, effect) = text.split_once(':').unwrap_or((text, ""));
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    let known = ["NoSchedule", "PreferNoSchedule", "NoExecute"].contains(&effect);
    if !(known || removal && effect.is_empty()) {
        return Err(match effect {
            "" => invalid(),
            other => format!("invalid taint effect: {other}, unsupported taint effect"),
        });
    }
    if key.is_empty() {
        return Err(invalid());
    }
    Ok((Taint { key: key.to_owned(), value: value.to_owned(), effect: effect.to_owned() }, removal))
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
