//! `kubectl scale`: sets the replicas of Deployments and ReplicaSets. Jobs have no such thing.
//!
//! Source: `kubectl/pkg/cmd/scale/scale.go`, `kubectl/pkg/scale/scale.go`.

use crate::kubectl::common::{self, DryRun};
use crate::kubectl::errors::Failure;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets::{self, Reading};
use crate::kubectl::{Call, Outcome, Verb};
use api::object::Object;

pub const VERB: Verb = Verb {
    name: "scale",
    summary: "Set a new size for a Deployment or ReplicaSet",
    usage: "kubectl scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    common::ALL,
    common::MISSING_KEYS,
    flag("current-replicas", Takes::Number, "Only if it has this size now").default("-1"),
    common::DRY_RUN,
    common::FILENAME,
    common::KUSTOMIZE,
    common::OUTPUT,
    common::RECURSIVE,
    flag("replicas", Takes::Number, "The new size").default("0"),
    flag("resource-version", Takes::Text, "Only if the object has this resourceVersion"),
    common::SELECTOR,
    common::MANAGED_FIELDS,
    common::TEMPLATE,
    flag("timeout", Takes::Duration, "How long to wait until it has the size; 0 does not wait").default("0s"),
];

fn run(call: &mut Call<'_, '_>) -> Outcome {
    if !call.parsed.is_set("replicas") {
        return call.fail("required flag(s) \"replicas\" not set");
    }
    let (replicas, current) = match (call.number("replicas"), call.number("current-replicas")) {
        (Ok(replicas), Ok(current)) => (replicas.unwrap_or(0), current.unwrap_or(-1)),
        (Err(text), _) | (_, Err(text)) => return call.fail(&text),
    };
    if replicas < 0 {
        return call.fail("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0");
    }
    let dry_run = match call.dry_run() {
        Ok(dry_run) => dry_run,
        Err(text) => return call.fail(&text),
    };
    let args = call.parsed.args.clone();
    let objects = match targets::existing(call, &args, Reading::default()) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    if objects.is_empty() && !call.has_failed() {
        return call.fail("no objects passed to scale");
    }
    for object in objects {
        if let Err(failure) = scale_one(call, &object, replicas, current, dry_run) {
            call.note(failure);
        }
    }
    call.finish()
}

fn scale_one(
    call: &mut Call<'_, '_>,
    object: &Object,
    replicas: i64,
    current: i64,
    dry_run: DryRun,
) -> Result<(), Failure> {
    if !common::has_subresource(object.kind(), "scale") {
        return Err(common::no_such_resource().into());
    }
    let have = object.value().i64_at("spec.replicas").unwrap_or(1);
    if current >= 0 && current != have {
        return Err(Failure::client(format!("Expected replicas to be {current}, was {have}")));
    }
    let version = call.parsed.text("resource-version").map(str::to_owned);
    if let Some(version) = version.filter(|version| !version.is_empty()) {
        let have = object.resource_version().to_string();
        if version != have {
            return Err(Failure::client(format!("Expected resource version to be {version}, was {have}")));
        }
    }
    let changed = match dry_run {
        DryRun::Client => {
            let mut changed = object.value().clone();
            changed.set("spec.replicas", replicas);
            changed
        }
        _ => call.update(dry_run, &object.key(), |value| value.set("spec.replicas", replicas))?,
    };
    call.tell(&changed, "scaled", dry_run).map_err(Failure::Client)
}
