//! `kubectl rollout status`: tells each step of a rollout until it is done.
//!
//! Source: `kubectl/pkg/cmd/rollout/rollout_status.go`, `kubectl/pkg/polymorphichelpers/rollout_status.go`.

use crate::host::Desk;
use crate::kubectl::common;
use crate::kubectl::flags::{Takes, flag};
use crate::kubectl::targets::{self, Reading};
use crate::kubectl::{Call, Outcome, Verb, Waiting};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use shell::{Io, Poll};
use values::time::SimTime;

pub const VERB: Verb = Verb {
    name: "rollout status",
    summary: "Show how a rollout goes on until it is done",
    usage: "kubectl rollout status (TYPE NAME | TYPE/NAME) [flags]",
    flags: &[
        common::FILENAME,
        common::KUSTOMIZE,
        common::RECURSIVE,
        flag("revision", Takes::Number, "The revision to watch; 0 is the last one").default("0"),
        common::SELECTOR,
        flag("timeout", Takes::Duration, "How long to watch; 0 is for ever").default("0s"),
        flag("watch", Takes::Nothing, "Go on until it is done").short('w').default("true"),
    ],
    run,
};

/// A rollout that is watched.
#[derive(Clone, Debug)]
pub struct Watching {
    left: Vec<Key>,
    /// The version that was told last.
    seen: u64,
    watch: bool,
    give_up_at: Option<SimTime>,
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let args = call.parsed.args.clone();
    if args.is_empty() && call.parsed.list("filename").is_empty() {
        return call.fail("required resource not specified");
    }
    let timeout = match call.duration("timeout") {
        Ok(timeout) => timeout.filter(|span| span.is_positive()),
        Err(text) => return call.fail(&text),
    };
    let objects = match targets::existing(call, &args, Reading { bare_type_is_all: true, ..Reading::default() }) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    if call.has_failed() {
        return call.finish();
    }
    if objects.is_empty() {
        let namespace = call.namespace().to_owned();
        call.io.err(&format!("No resources found in {namespace} namespace.\n"));
        return Outcome::Exit(0);
    }
    if let Some(other) = objects.iter().find(|o| o.kind() != Kind::Deployment) {
        let kind = other.kind().info().group_kind();
        return call.fail(&format!("no status viewer has been implemented for {kind}"));
    }
    Outcome::Waits(Waiting::Rollout(Watching {
        left: objects.iter().map(|o| o.key()).collect(),
        seen: 0,
        watch: call.parsed.text("watch") != Some("false"),
        give_up_at: timeout.map(|timeout| call.desk.cluster.now() + timeout),
    }))
}

impl Watching {
    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        while let Some(key) = self.left.first() {
            let Some(object) = desk.cluster.store().get(key) else {
                io.err("error: object has been deleted\n");
                return Poll::Exit(1);
            };
            if object.resource_version() != self.seen {
                self.seen = object.resource_version();
                match progress(object) {
                    Ok((text, done)) => {
                        io.out(&text);
                        if done || !self.watch {
                            self.left.remove(0);
                            self.seen = 0;
                            continue;
                        }
                    }
                    Err(text) => {
                        io.err(&format!("error: {text}\n"));
                        return Poll::Exit(1);
                    }
                }
            }
            return match self.give_up_at {
                Some(at) if desk.cluster.now() >= at => {
                    io.err("error: timed out waiting for the condition\n");
                    Poll::Exit(1)
                }
                Some(at) => Poll::SleepUntil(at),
                None => Poll::Wait,
            };
        }
        Poll::Exit(0)
    }
}

/// How far the rollout is, and whether it is done.
fn progress(object: &Object) -> Result<(String, bool), String> {
    let (deployment, name) = (object.deployment(), object.name());
    let status = &deployment.status;
    if object.meta().generation > status.observed_generation {
        return Ok(("Waiting for deployment spec update to be observed...\n".to_owned(), false));
    }
    if status.conditions.iter().any(|c| c.kind == "Progressing" && c.reason == "ProgressDeadlineExceeded") {
        return Err(format!("deployment \"{name}\" exceeded its progress deadline"));
    }
    let waiting =
        |what: String| Ok((format!("Waiting for deployment \"{name}\" rollout to finish: {what}...\n"), false));
    let (updated, available) = (status.updated_replicas, status.available_replicas);
    match deployment.spec.replicas {
        Some(wanted) if updated < wanted => {
            return waiting(format!("{updated} out of {wanted} new replicas have been updated"));
        }
        _ => {}
    }
    if status.replicas > updated {
        return waiting(format!("{} old replicas are pending termination", status.replicas - updated));
    }
    if available < updated {
        return waiting(format!("{available} of {updated} updated replicas are available"));
    }
    Ok((format!("deployment \"{name}\" successfully rolled out\n"), true))
}
