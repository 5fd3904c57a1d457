//! `kubectl delete`: asks for the deletion, says so, and waits until the objects are gone.
//!
//! Rules: recordings `delete-cascade`, `pod-deleted-by-hand`. Source: `kubectl/pkg/cmd/delete/{delete,delete_flags}.go`.

use crate::host::Desk;
use crate::kubectl::common::{self, DryRun};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets::{self, Reading, Wanted};
use crate::kubectl::{Call, Outcome, Verb, Waiting, errors};
use api::meta::Key;
use cluster::store::{DeleteOptions, Propagation};
use shell::{Io, Poll};
use values::time::{SimTime, Span};

pub const VERB: Verb = Verb {
    name: "delete",
    summary: "Delete objects by name, by label, or by the files they came from",
    usage: "kubectl delete ([-f FILENAME] | TYPE [(NAME | -l label | --all)])",
    flags: FLAGS,
    run,
};

pub const CASCADE: Flag =
    flag("cascade", Takes::Optional("background"), "What becomes of dependents: background, orphan or foreground")
        .default("background");
pub const GRACE_PERIOD: Flag =
    flag("grace-period", Takes::Text, "Seconds a Pod gets to end by itself; negative means its own").default("-1");

const FLAGS: &[Flag] = &[
    common::ALL,
    common::ALL_NAMESPACES,
    CASCADE,
    common::DRY_RUN,
    common::FIELD_SELECTOR,
    common::FILENAME,
    flag("force", Takes::Nothing, "Take the object out of the API at once").default("false"),
    GRACE_PERIOD,
    flag("ignore-not-found", Takes::Nothing, "Missing objects are no error").default("false"),
    flag("interactive", Takes::Nothing, "Ask before deleting; not simulated").short('i').default("false"),
    common::KUSTOMIZE,
    flag("now", Takes::Nothing, "Like --grace-period=1").default("false"),
    common::OUTPUT,
    flag("raw", Takes::Text, "An address of the API to be deleted; not simulated"),
    common::RECURSIVE,
    common::SELECTOR,
    flag("timeout", Takes::Text, "How long to wait until the objects are gone; 0 is as long as it takes").default("0s"),
    flag("wait", Takes::Nothing, "Wait until the objects are gone").default("true"),
];

const FORCED: &str = "Warning: Immediate deletion does not wait for confirmation that the running resource has been \
                      terminated. The resource may continue to run on the cluster indefinitely.\n";

/// Objects on their way out, by key and uid.
#[derive(Clone, Debug)]
pub struct Deletion {
    waits_for: Vec<(Key, String)>,
    give_up_at: Option<SimTime>,
    exit: i32,
}

impl Deletion {
    /// Waits until these objects are gone, as long as it takes.
    pub fn new(waits_for: Vec<(Key, String)>) -> Deletion {
        Deletion { waits_for, give_up_at: None, exit: 0 }
    }

    /// Ends once none of the objects is left.
    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        let store = desk.cluster.store();
        self.waits_for.retain(|(key, uid)| store.get(key).is_some_and(|object| object.uid() == uid));
        let Some((first, _)) = self.waits_for.first() else { return Poll::Exit(self.exit) };
        match self.give_up_at {
            Some(at) if desk.cluster.now() >= at => {
                let resource = first.kind.info().plural;
                io.err(&format!("error: timed out waiting for the condition on {resource}/{}\n", first.name));
                Poll::Exit(1)
            }
            Some(at) => Poll::SleepUntil(at),
            None => Poll::Wait,
        }
    }
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let (options, dry_run, timeout) = match (delete_options(call), call.dry_run(), call.duration("timeout")) {
        (Ok(options), Ok(dry_run), Ok(timeout)) => (options, dry_run, timeout),
        (Err(text), ..) | (_, Err(text), _) | (.., Err(text)) => return call.fail(&text),
    };
    let args = call.parsed.args.clone();
    let found = match targets::wanted(call, &args, Reading::default()) {
        Ok(found) => found,
        Err(line) => return call.fail_line(&line),
    };
    if call.parsed.on("force") && options.grace_period_seconds == Some(0) && dry_run == DryRun::No {
        call.io.err(FORCED);
    }
    let mut exit = 0;
    let mut waits_for = Vec::new();
    // Missing names are no error with --all; files are only looked for when their turn comes.
    let ignore = call.parsed.on("ignore-not-found") || call.parsed.on("all");
    let (from_files, none) = (found.iter().any(|one| one.source.is_some()), found.is_empty());
    let mut told = 0;
    for one in found {
        match delete_one(call, &one, &options, dry_run) {
            Ok(uid) => {
                told += 1;
                waits_for.push((one.key, uid));
            }
            Err(None) if ignore => {}
            Err(None) => exit = complain_missing(call, &one),
            Err(Some(line)) => {
                call.io.err(&format!("{line}\n"));
                exit = 1;
            }
        }
    }
    if exit == 0 && (none || (told == 0 && !from_files)) {
        call.io.out("No resources found\n");
    }
    if call.parsed.text("wait") == Some("false") || dry_run != DryRun::No {
        return Outcome::Exit(exit);
    }
    let timeout: Option<Span> = timeout.filter(|span| span.is_positive());
    let give_up_at = timeout.map(|timeout| call.desk.cluster.now() + timeout);
    Outcome::Waits(Waiting::Deletion(Deletion { waits_for, give_up_at, exit }))
}

fn complain_missing(call: &mut Call<'_, '_>, one: &Wanted) -> i32 {
    let error = api::status::ApiError::not_found(one.key.kind, &one.key.name);
    let doing = one.source.as_ref().map(|source| format!("error when deleting \"{source}\""));
    call.complain(&error, doing.as_deref());
    1
}

/// Deletes an object and says so; gives its uid.
///
/// # Errors
/// None if it is not there, else what kubectl prints.
fn delete_one(
    call: &mut Call<'_, '_>,
    one: &Wanted,
    options: &DeleteOptions,
    dry_run: DryRun,
) -> Result<String, Option<String>> {
    let object = one.find(call).map_err(|_| None)?;
    if dry_run != DryRun::Client {
        call.write(dry_run, |api| api.delete(&one.key, options)).map_err(|e| Some(errors::render(&e, None)))?;
    }
    match call.parsed.text("output") {
        Some("name") => call.io.out(&format!("{}\n", common::name_of(object.value()))),
        Some(other) if !other.is_empty() => {
            return Err(Some(format!("error: unexpected -o output mode: {other}. We only support '-o name'")));
        }
        _ => {
            let line = said(&one.key, options);
            call.io.out(&format!("{}{}\n", line.trim_end(), dry_run.suffix()));
        }
    }
    Ok(object.uid().to_owned())
}

/// `job.batch "x" deleted from default namespace`
pub fn said(key: &Key, options: &DeleteOptions) -> String {
    let how = if options.grace_period_seconds == Some(0) { "force deleted" } else { "deleted" };
    let from = if key.namespace.is_empty() { String::new() } else { format!(" from {} namespace", key.namespace) };
    format!("{} \"{}\" {how}{from}\n", key.kind.info().singular_resource(), key.name)
}

/// Reads `--cascade`, `--grace-period`, `--now` and `--force`.
///
/// # Errors
/// kubectl's words, without `error: `.
pub fn delete_options(call: &Call<'_, '_>) -> Result<DeleteOptions, String> {
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
    let given = call.number("grace-period")?.unwrap_or(-1);
    let (now, force) = (call.parsed.on("now"), call.parsed.on("force"));
    if now && given != -1 {
        return Err("--now and --grace-period cannot be specified together".to_owned());
    }
    if force && given > 0 {
        return Err("--force and --grace-period greater than 0 cannot be specified together".to_owned());
    }
    let grace = match (now, force, given) {
        (true, ..) => 1,
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
