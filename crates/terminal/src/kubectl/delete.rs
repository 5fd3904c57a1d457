//! `kubectl delete`: asks for the deletion, says so, and waits until the objects are gone.
//!
//! Rules: recordings `delete-cascade`, `pod-deleted-by-hand`. Source: `kubectl/pkg/cmd/delete/{delete,delete_flags}.go`.

use crate::host::Desk;
use crate::kubectl::common::{self, DryRun};
use crate::kubectl::errors::{self, Failure};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::resource::missing;
use crate::kubectl::targets::{self, Reading, Wanted};
use crate::kubectl::{Call, Outcome, Verb, Waiting};
use api::meta::Key;
use api::status::Reason;
use cluster::store::{DeleteOptions, Propagation};
use shell::{Io, Poll, Read};
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
    flag("grace-period", Takes::Number, "Seconds a Pod gets to end by itself; negative means its own").default("-1");

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
    flag("interactive", Takes::Nothing, "Ask before deleting").short('i').default("false"),
    common::KUSTOMIZE,
    flag("now", Takes::Nothing, "Like --grace-period=1").default("false"),
    common::OUTPUT,
    flag("raw", Takes::Text, "An address of the API to be deleted; not simulated"),
    common::RECURSIVE,
    common::SELECTOR,
    flag("timeout", Takes::Duration, "How long to wait until the objects are gone; 0 is as long as it takes")
        .default("0s"),
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
    if let Some(other) = call.parsed.text("output").filter(|output| !["", "name"].contains(output)) {
        return call.fail(&format!("unexpected -o output mode: {other}. We only support '-o name'"));
    }
    let options = match delete_options(call) {
        Ok(options) => options,
        Err(text) => return call.fail(&text),
    };
    let (dry_run, timeout) = match (call.dry_run(), call.duration("timeout")) {
        (Ok(dry_run), Ok(timeout)) => (dry_run, timeout),
        (Err(text), _) | (_, Err(text)) => return call.fail(&text),
    };
    let args = call.parsed.args.clone();
    let found = match targets::wanted(call, &args, Reading::default()) {
        Ok(found) => found,
        Err(failures) => return call.end(&failures),
    };
    if call.parsed.on("force") && options.grace_period_seconds == Some(0) && dry_run == DryRun::No {
        call.io.err(FORCED);
    }
    let timeout = timeout.filter(|span| span.is_positive());
    let deleting = Deleting {
        // Missing names are no error with --all.
        ignore_missing: call.parsed.on("ignore-not-found") || call.parsed.on("all"),
        names_only: call.parsed.text("output") == Some("name"),
        waits: call.parsed.text("wait") != Some("false") && dry_run == DryRun::No,
        failures: std::mem::take(&mut call.failures),
        found,
        options,
        dry_run,
        timeout,
    };
    if call.parsed.on("interactive") && !deleting.found.is_empty() {
        let names = deleting.found.iter().map(|one| format!("{}\n", slashed(&one.key))).collect::<String>();
        let count = deleting.found.len();
        call.io.out(&format!("You are about to delete the following {count} resource(s):\n{names}"));
        call.io.out("Do you want to continue? (y/N): ");
        return Outcome::Waits(Waiting::Confirm(Box::new(Confirm { deleting, answer: String::new() })));
    }
    match deleting.carry_out(call.desk, call.io) {
        Ok(deletion) => Outcome::Waits(Waiting::Deletion(deletion)),
        Err(code) => Outcome::Exit(code),
    }
}

/// `job.batch/x`
fn slashed(key: &Key) -> String {
    format!("{}/{}", key.kind.info().singular_resource(), key.name)
}

/// A deletion that is about to be asked for.
#[derive(Clone, Debug)]
struct Deleting {
    found: Vec<Wanted>,
    options: DeleteOptions,
    dry_run: DryRun,
    timeout: Option<Span>,
    ignore_missing: bool,
    names_only: bool,
    waits: bool,
    failures: Vec<Failure>,
}

impl Deleting {
    /// Asks for the deletions. The wait that follows, or the exit code if nothing is waited for.
    fn carry_out(self, desk: &mut Desk<'_>, io: &mut Io) -> Result<Deletion, i32> {
        let (mut failures, mut waits_for) = (self.failures, Vec::new());
        let mut copy = (self.dry_run == DryRun::Server).then(|| desk.cluster.clone());
        for one in &self.found {
            let cluster = copy.as_mut().unwrap_or(desk.cluster);
            let uid = cluster.store().get(&one.key).map(|object| object.uid().to_owned());
            // On the client nobody looks whether it is there.
            if self.dry_run != DryRun::Client {
                let Some(uid) = uid else {
                    let error = missing(cluster.store(), one.key.kind, &one.key.namespace, &one.key.name);
                    if !(self.ignore_missing && error.reason == Reason::NotFound) {
                        let doing = one.source.as_ref().map(|source| format!("error when deleting \"{source}\""));
                        failures.push(Failure::Server(error, doing));
                    }
                    continue;
                };
                if let Err(error) = cluster.api("user", |api| api.delete(&one.key, &self.options)) {
                    let doing = one.source.as_ref().map(|source| format!("error when deleting \"{source}\""));
                    failures.push(Failure::Server(error, doing));
                    continue;
                }
                waits_for.push((one.key.clone(), uid));
            }
            io.out(&match self.names_only {
                true => format!("{}\n", slashed(&one.key)),
                false => format!("{}{}\n", said(&one.key, &self.options).trim_end(), self.dry_run.suffix()),
            });
        }
        if self.found.is_empty() && failures.is_empty() {
            io.out("No resources found\n");
        }
        io.err(&errors::told(&failures));
        let exit = i32::from(!failures.is_empty());
        if !self.waits {
            return Err(exit);
        }
        let give_up_at = self.timeout.map(|timeout| desk.cluster.now() + timeout);
        Ok(Deletion { waits_for, give_up_at, exit })
    }
}

/// `--interactive`: nothing happens before someone says yes.
#[derive(Clone, Debug)]
pub struct Confirm {
    deleting: Deleting,
    answer: String,
}

impl Confirm {
    /// Reads on; what follows once a line has come.
    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Result<Deletion, Poll> {
        loop {
            match io.stdin.read(1) {
                Read::Data(bytes) if bytes != b"\n" => self.answer.push_str(&String::from_utf8_lossy(&bytes)),
                Read::Empty => return Err(Poll::Wait),
                Read::Data(_) | Read::End => break,
            }
        }
        if !self.answer.trim().eq_ignore_ascii_case("y") {
            io.out("deletion is cancelled\n");
            return Err(Poll::Exit(0));
        }
        self.deleting.clone().carry_out(desk, io).map_err(Poll::Exit)
    }
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
pub fn delete_options(call: &mut Call<'_, '_>) -> Result<DeleteOptions, String> {
    let mut old = |given: &str, now: &str| {
        call.io.err(&format!(
            "warning: --cascade={given} is deprecated (boolean value) and can be replaced with --cascade={now}.\n"
        ));
    };
    let propagation = match call.parsed.text("cascade").unwrap_or("background") {
        "background" => Propagation::Background,
        "foreground" => Propagation::Foreground,
        "orphan" => Propagation::Orphan,
        given @ ("true" | "t" | "T" | "1" | "TRUE" | "True") => {
            old(given, "background");
            Propagation::Background
        }
        given @ ("false" | "f" | "F" | "0" | "FALSE" | "False") => {
            old(given, "orphan");
            Propagation::Orphan
        }
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
