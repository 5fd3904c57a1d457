//! `kubectl delete`: asks for the deletion, says so, and waits until the objects are gone.
//!
//! Source: `kubectl/pkg/cmd/delete/delete.go`.

use crate::api::kind::Kind;
use crate::api::meta::Key;
use crate::api::status::ApiError;
use crate::shell::{Io, Poll};
use crate::store::{DeleteOptions, Propagation};
use crate::terminal::host::Desk;
use crate::terminal::kubectl::flags::{Flag, Takes, flag};
use crate::terminal::kubectl::resource::{self, Target};
use crate::terminal::kubectl::{Call, Outcome, Verb, Waiting};

pub const VERB: Verb = Verb {
    name: "delete",
    summary: "Delete objects by name, by label, or by the files they came from",
    usage: "kubectl delete ([-f FILENAME] | TYPE [(NAME | -l label | --all)])",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    flag("all", Takes::Nothing, "Delete every object of the type").default("false"),
    flag("cascade", Takes::Optional("background"), "What becomes of dependents: background, orphan or foreground")
        .default("background"),
    flag("force", Takes::Nothing, "Take the object out of the API at once").default("false"),
    flag("grace-period", Takes::Text, "Seconds a Pod gets to end by itself; negative means its own").default("-1"),
    flag("ignore-not-found", Takes::Nothing, "Missing objects are no error").default("false"),
    flag("now", Takes::Nothing, "Like --grace-period=1").default("false"),
    flag("wait", Takes::Nothing, "Wait until the objects are gone").default("true"),
];

/// Objects on their way out, by key and uid.
#[derive(Clone, Debug)]
pub struct Deletion {
    waits_for: Vec<(Key, String)>,
    exit: i32,
}

impl Deletion {
    /// Ends once none of the objects is left.
    pub fn poll(&mut self, desk: &mut Desk<'_>, _: &mut Io) -> Poll {
        let store = desk.cluster.store();
        self.waits_for.retain(|(key, uid)| store.get(key).is_some_and(|object| object.uid() == uid));
        if self.waits_for.is_empty() { Poll::Exit(self.exit) } else { Poll::Wait }
    }
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let options = match delete_options(call) {
        Ok(options) => options,
        Err(message) => return call.fail(&message),
    };
    let targets = match resource::targets(&call.parsed.args) {
        Ok(targets) if targets.is_empty() => {
            return call.fail("You must provide one or more resources by argument or filename.");
        }
        Ok(targets) => targets,
        Err(message) => return call.fail(&message),
    };
    let namespace = call.namespace().to_owned();
    let (keys, missing) = match find(call, &targets, &namespace) {
        Ok(found) => found,
        Err(message) => return call.fail(&message),
    };
    let mut exit = 0;
    for error in missing {
        if !call.parsed.on("ignore-not-found") {
            call.io.err(&format!("Error from server ({}): {error}\n", error.reason.name()));
            exit = 1;
        }
    }
    if keys.is_empty() && exit == 0 && targets.iter().any(|t| matches!(t, Target::All(_))) {
        call.io.out("No resources found\n");
    }
    let mut waits_for = Vec::new();
    for (key, uid) in keys {
        match call.desk.cluster.api("user", |api| api.delete(&key, &options)) {
            Ok(()) => {
                call.io.out(&said(&key, &options));
                waits_for.push((key, uid));
            }
            Err(error) => {
                call.io.err(&format!("Error from server ({}): {error}\n", error.reason.name()));
                exit = 1;
            }
        }
    }
    if call.parsed.text("wait") == Some("false") {
        return Outcome::Exit(exit);
    }
    Outcome::Waits(Waiting::Deletion(Deletion { waits_for, exit }))
}

/// `job.batch "x" deleted from default namespace`
fn said(key: &Key, options: &DeleteOptions) -> String {
    let how = if options.grace_period_seconds == Some(0) { "force deleted" } else { "deleted" };
    let from = if key.namespace.is_empty() { String::new() } else { format!(" from {} namespace", key.namespace) };
    format!("{} \"{}\" {how}{from}\n", key.kind.info().singular_resource(), key.name)
}

fn delete_options(call: &Call<'_, '_>) -> Result<DeleteOptions, String> {
    let propagation = match call.parsed.text("cascade").unwrap_or("background") {
        "background" | "true" => Propagation::Background,
        "foreground" => Propagation::Foreground,
        "orphan" | "false" => Propagation::Orphan,
        other => {
            return Err(format!(
                "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
            ));
        }
    };
    let grace: i64 = match call.parsed.text("grace-period") {
        None => -1,
        Some(text) => text.parse().map_err(|_| {
            format!("invalid argument \"{text}\" for \"--grace-period\" flag: strconv.ParseInt: parsing \"{text}\": invalid syntax")
        })?,
    };
    let grace = match (call.parsed.on("now"), call.parsed.on("force"), grace) {
        (true, _, _) => 1,
        (_, true, g) if g < 0 => 0,
        (_, false, 0) => 1,
        (_, _, g) => g,
    };
    Ok(DeleteOptions {
        propagation: Some(propagation),
        grace_period_seconds: (grace >= 0).then_some(grace),
        precondition_uid: None,
    })
}

type Found = (Vec<(Key, String)>, Vec<ApiError>);

fn find(call: &Call<'_, '_>, targets: &[Target], namespace: &str) -> Result<Found, String> {
    let store = call.desk.cluster.store();
    let (mut keys, mut missing) = (Vec::new(), Vec::new());
    for target in targets {
        match target {
            Target::Named(kind, name) => match resource::get(store, *kind, namespace, name) {
                Ok(object) => keys.push((object.key(), object.uid().to_owned())),
                Err(error) => missing.push(error),
            },
            Target::All(_) if !call.parsed.on("all") => {
                return Err("resource(s) were provided, but no name was specified".to_owned());
            }
            Target::All(kind) => {
                keys.extend(store.list_in(*kind, namespace).map(|o| (o.key(), o.uid().to_owned())));
            }
        }
    }
    keys.retain(|(key, _)| key.kind != Kind::Namespace || !key.name.is_empty());
    Ok((keys, missing))
}
