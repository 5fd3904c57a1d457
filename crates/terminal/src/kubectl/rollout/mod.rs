//! `kubectl rollout`: the history of a Deployment's templates, and the way between them.
//!
//! Rules: recording `deployment-rollout`. Source: `kubectl/pkg/cmd/rollout`, `kubectl/pkg/polymorphichelpers`.

pub mod status;

use std::rc::Rc;

use crate::kubectl::apply::LAST_APPLIED;
use crate::kubectl::common::{self, DryRun};
use crate::kubectl::errors::Failure;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets::{self, Reading};
use crate::kubectl::{Call, Outcome, Verb, describe, help};
use api::kind::Kind;
use api::object::Object;
use cluster::store::Store;
use values::sort::sort_by_key;
use values::value::Value;

pub use status::VERB as STATUS;

const REVISION: &str = "deployment.kubernetes.io/revision";
const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";
const HASH_LABEL: &str = "pod-template-hash";

pub const VERB: Verb = Verb {
    name: "rollout",
    summary: "Manage the rollout of a Deployment",
    usage: "kubectl rollout SUBCOMMAND",
    flags: &[],
    run: help::needs_subcommand,
};

pub const HISTORY: Verb = Verb {
    name: "rollout history",
    summary: "Show the revisions of a Deployment",
    usage: "kubectl rollout history (TYPE NAME | TYPE/NAME) [flags]",
    flags: &[
        common::MISSING_KEYS,
        common::FILENAME,
        common::KUSTOMIZE,
        common::OUTPUT,
        common::RECURSIVE,
        flag("revision", Takes::Number, "Show this revision").default("0"),
        common::SELECTOR,
        common::MANAGED_FIELDS,
        common::TEMPLATE,
    ],
    run: history,
};

pub const UNDO: Verb = Verb {
    name: "rollout undo",
    summary: "Go back to an earlier revision",
    usage: "kubectl rollout undo (TYPE NAME | TYPE/NAME) [flags]",
    flags: &[
        common::MISSING_KEYS,
        common::DRY_RUN,
        common::FILENAME,
        common::KUSTOMIZE,
        common::OUTPUT,
        common::RECURSIVE,
        common::SELECTOR,
        common::MANAGED_FIELDS,
        common::TEMPLATE,
        flag("to-revision", Takes::Number, "The revision to go back to; 0 is the last one").default("0"),
    ],
    run: undo,
};

const PLAIN: &[Flag] = &[
    common::MISSING_KEYS,
    common::FIELD_MANAGER,
    common::FILENAME,
    common::KUSTOMIZE,
    common::OUTPUT,
    common::RECURSIVE,
    common::SELECTOR,
    common::MANAGED_FIELDS,
    common::TEMPLATE,
];

pub const RESTART: Verb = Verb {
    name: "rollout restart",
    summary: "Replace all Pods of a Deployment by new ones",
    usage: "kubectl rollout restart RESOURCE",
    flags: PLAIN,
    run: restart,
};

pub const PAUSE: Verb = Verb {
    name: "rollout pause",
    summary: "Let changes of a Deployment rest",
    usage: "kubectl rollout pause RESOURCE",
    flags: PLAIN,
    run: pause,
};

pub const RESUME: Verb = Verb {
    name: "rollout resume",
    summary: "Let a paused Deployment go on",
    usage: "kubectl rollout resume RESOURCE",
    flags: PLAIN,
    run: resume,
};

/// Does something with every named object. `act` says how it went: what to tell, or a line for standard error.
fn each(
    call: &mut Call<'_, '_>,
    dry_run: DryRun,
    act: impl Fn(&mut Call<'_, '_>, &Object) -> Result<Option<&'static str>, String>,
) -> Outcome {
    let args = call.parsed.args.clone();
    if args.is_empty() && call.parsed.list("filename").is_empty() && !call.parsed.is_set("kustomize") {
        return call.fail("required resource not specified");
    }
    let objects = match targets::existing(call, &args, Reading { bare_type_is_all: true, ..Reading::default() }) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    if objects.is_empty() && !call.has_failed() && call.verb != "rollout history" {
        let namespace = call.namespace().to_owned();
        call.io.err(&format!("No resources found in {namespace} namespace.\n"));
    }
    for object in objects {
        let told = act(call, &object).and_then(|how| {
            let now = call.desk.cluster.store().get(&object.key()).cloned().unwrap_or_else(|| Rc::clone(&object));
            how.map_or(Ok(()), |how| call.tell(now.value(), how, dry_run))
        });
        if let Err(text) = told {
            call.note(Failure::Client(text));
        }
    }
    call.finish()
}

/// A Deployment's ReplicaSets with their revisions, oldest first.
fn revisions(store: &Store, deployment: &Object) -> Vec<(i64, Rc<Object>)> {
    let sets = store.owned_by(deployment.uid()).filter(|o| o.kind() == Kind::ReplicaSet);
    let numbered = sets.filter_map(|set| Some((set.meta().annotations.get(REVISION)?.parse().ok()?, Rc::clone(set))));
    let mut all: Vec<(i64, Rc<Object>)> = numbered.collect();
    sort_by_key(&mut all, |(revision, _)| *revision);
    all
}

fn history(call: &mut Call<'_, '_>) -> Outcome {
    let wanted = match call.number("revision") {
        Ok(number) => number.unwrap_or(0),
        Err(text) => return call.fail(&text),
    };
    if wanted < 0 {
        return call.fail(&format!("revision must be a positive integer: {wanted}"));
    }
    each(call, DryRun::No, |call, object| {
        if object.kind() != Kind::Deployment {
            return Err(format!(
                "no history viewer has been implemented for \"{}\"",
                object.kind().info().group_kind()
            ));
        }
        let all = revisions(call.desk.cluster.store(), object);
        let name = common::name_of(object.value());
        if wanted > 0 {
            let (_, set) =
                all.iter().find(|(n, _)| *n == wanted).ok_or("unable to find the specified revision".to_owned())?;
            let mut template = set.value().at("spec.template").clone();
            if let Some(cause) = set.meta().annotations.get(CHANGE_CAUSE) {
                let mut notes = template.at("metadata.annotations").clone();
                notes.map_mut().insert(CHANGE_CAUSE, cause.as_str());
                template.set("metadata.annotations", notes);
            }
            // The columns of this description are never aligned.
            let text = describe::pod_template(&template);
            call.io.out(&format!("{name} with revision #{wanted}\n{text}\n"));
            return Ok(None);
        }
        if all.is_empty() {
            call.io.out(&format!("{name} \nNo rollout history found.\n"));
            return Ok(None);
        }
        call.io.out(&format!("{name} \nREVISION  CHANGE-CAUSE\n"));
        for (revision, set) in all {
            let cause = set.meta().annotations.get(CHANGE_CAUSE).map_or("<none>", |text| text.as_str());
            call.io.out(&format!("{revision:<10}{cause}\n"));
        }
        call.io.out("\n");
        Ok(None)
    })
}

fn undo(call: &mut Call<'_, '_>) -> Outcome {
    let (dry_run, wanted) = match (call.dry_run(), call.number("to-revision")) {
        (Ok(dry_run), Ok(wanted)) => (dry_run, wanted.unwrap_or(0)),
        (Err(text), _) | (_, Err(text)) => return call.fail(&text),
    };
    each(call, dry_run, |call, object| undo_one(call, object, wanted, dry_run))
}

fn undo_one(
    call: &mut Call<'_, '_>,
    object: &Object,
    wanted: i64,
    dry_run: DryRun,
) -> Result<Option<&'static str>, String> {
    if object.meta().annotations.contains_key(LAST_APPLIED) {
        let (resource, name) = (object.kind().info().plural, object.name());
        call.io.err(&format!(
            "Warning: resource {resource}/{name} was previously managed with 'kubectl apply'. Rolling back will not update \
             the {LAST_APPLIED} annotation, which may cause unexpected behavior on future 'kubectl apply' operations. \
             Consider using 'kubectl apply' with your previous configuration file instead.\n"
        ));
    }
    if object.kind() != Kind::Deployment {
        return Err(format!("no rollbacker has been implemented for \"{}\"", object.kind().info().group_kind()));
    }
    let name = object.name();
    if object.value().bool_at("spec.paused") == Some(true) {
        return Err(format!(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout resume deployment/{name}' and \
             try again"
        ));
    }
    let all = revisions(call.desk.cluster.store(), object);
    let set = match wanted {
        0 if all.len() < 2 => return Err(format!("no rollout history found for deployment \"{name}\"")),
        0 => Rc::clone(&all[all.len() - 2].1),
        number => match all.iter().find(|(n, _)| *n == number) {
            Some((_, set)) => Rc::clone(set),
            None => return Err(format!("unable to find specified revision {number} in history")),
        },
    };
    let mut template = set.value().at("spec.template").clone();
    if let Some(labels) = template.at_mut("metadata.labels") {
        labels.map_mut().remove(HASH_LABEL);
    }
    if template == *object.value().at("spec.template") {
        let revision = set.meta().annotations.get(REVISION).cloned().unwrap_or_default();
        let line = format!(
            "{} skipped rollback (current template already matches revision {revision})\n",
            common::name_of(object.value())
        );
        call.io.out(&line);
        return Ok(None);
    }
    if dry_run == DryRun::Client {
        // Nothing is rolled back: the template that would be is shown.
        let text = describe::pod_template(set.value().at("spec.template"));
        let text = text.trim_start_matches("Pod Template:\n");
        call.io.out(&format!("{} Pod Template:\n{text}", common::name_of(object.value())));
        return Ok(None);
    }
    let written = call.update(dry_run, &object.key(), |value| value.set("spec.template", template));
    written.map_err(|error| format!("failed restoring revision {wanted}: {error}"))?;
    Ok(Some("rolled back"))
}

fn restart(call: &mut Call<'_, '_>) -> Outcome {
    each(call, DryRun::No, |call, object| {
        let resource = format!("{} \"{}\"", object.kind().info().resource(), object.name());
        if object.kind() != Kind::Deployment {
            return Err(format!("{resource} restarting is not supported"));
        }
        if object.value().bool_at("spec.paused") == Some(true) {
            return Err(format!("{resource} can't restart paused deployment (run rollout resume first)"));
        }
        let now = call.desk.cluster.now().rfc3339();
        let mut annotations = object.value().at("spec.template.metadata.annotations").clone();
        if annotations.as_map().and_then(|map| map.get(RESTARTED_AT)).and_then(Value::as_str) == Some(&now) {
            return Err(
                "if restart has already been triggered within the past second, please wait before attempting to \
                        trigger another"
                    .to_owned(),
            );
        }
        annotations.map_mut().insert(RESTARTED_AT, now);
        write(call, object, "spec.template.metadata.annotations", annotations)?;
        Ok(Some("restarted"))
    })
}

fn pause(call: &mut Call<'_, '_>) -> Outcome {
    each(call, DryRun::No, |call, object| set_paused(call, object, true))
}

fn resume(call: &mut Call<'_, '_>) -> Outcome {
    each(call, DryRun::No, |call, object| set_paused(call, object, false))
}

fn set_paused(call: &mut Call<'_, '_>, object: &Object, paused: bool) -> Result<Option<&'static str>, String> {
    let resource = format!("{} \"{}\"", object.kind().info().resource(), object.name());
    let (doing, done) = if paused { ("pausing", "paused") } else { ("resuming", "resumed") };
    if object.kind() != Kind::Deployment {
        return Err(format!("{resource} {doing} is not supported"));
    }
    match (object.value().bool_at("spec.paused") == Some(true), paused) {
        (true, true) => return Err(format!("{resource} is already paused")),
        (false, false) => return Err(format!("{resource} is not paused")),
        _ => {}
    }
    write(call, object, "spec.paused", paused.into())?;
    Ok(Some(done))
}

fn write(call: &mut Call<'_, '_>, object: &Object, path: &'static str, field: Value) -> Result<(), String> {
    let written = call.write(DryRun::No, |api| api.update(&object.key(), |value| value.set(path, field)));
    written.map(|_| ()).map_err(|error| error.message)
}
