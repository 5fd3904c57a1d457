//! `kubectl scale`: sets the replicas of Deployments and ReplicaSets. Jobs have no such thing.
//!
//! Source: `kubectl/pkg/cmd/scale/scale.go`, `kubectl/pkg/scale/scale.go`.

use crate::kubectl::common::{self, DryRun};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets::{self, Reading};
use crate::kubectl::{Call, Outcome, Verb};
use api::kind::Kind;
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
    flag("current-replicas", Takes::Text, "Only if it has this size now").default("-1"),
    common::DRY_RUN,
    common::FILENAME,
    common::KUSTOMIZE,
    common::OUTPUT,
    common::RECURSIVE,
    flag("replicas", Takes::Text, "The new size").default("0"),
    flag("resource-version", Takes::Text, "Only if the object has this resourceVersion"),
    common::SELECTOR,
    common::MANAGED_FIELDS,
    common::TEMPLATE,
    flag("timeout", Takes::Text, "How long to wait until it has the size; 0 does not wait").default("0s"),
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
    let (objects, mut failed) = match targets::existing(call, &args, Reading { bare_type_is_all: false }) {
        Ok(found) => found,
        Err(line) => return call.fail_line(&line),
    };
    if objects.is_empty() && !failed {
        return call.fail("no objects passed to scale");
    }
    for object in objects {
        failed |= !scale_one(call, &object, replicas, current, dry_run);
    }
    Outcome::Exit(i32::from(failed))
}

fn scale_one(call: &mut Call<'_, '_>, object: &Object, replicas: i64, current: i64, dry_run: DryRun) -> bool {
    if !matches!(object.kind(), Kind::Deployment | Kind::ReplicaSet) {
        call.fail_line("Error from server (NotFound): the server could not find the requested resource");
        return false;
    }
    let have = object.value().i64_at("spec.replicas").unwrap_or(1);
    if current >= 0 && current != have {
        call.fail(&format!("Expected replicas to be {current}, was {have}"));
        return false;
    }
    let mut changed = object.value().clone();
    changed.set("spec.replicas", replicas);
    if dry_run != DryRun::Client {
        match call.write(dry_run, |api| api.update(&object.key(), |value| value.set("spec.replicas", replicas))) {
            Ok(written) => changed = written.value().clone(),
            Err(error) => {
                call.complain(&error, None);
                return false;
            }
        }
    }
    match call.tell(&changed, "scaled", dry_run) {
        Ok(()) => true,
        Err(text) => {
            call.fail(&text);
            false
        }
    }
}
