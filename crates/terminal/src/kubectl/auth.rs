//! `kubectl auth`: the learner may do everything; who is acted as may do nothing.
//!
//! Source: `kubectl/pkg/cmd/auth/{cani,whoami}.go`.

use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb, common, help, resource};
use crate::printing::format::Format;
use crate::printing::tabwriter::TabWriter;
use values::object;
use values::value::Value;

pub const VERB: Verb = Verb {
    name: "auth",
    summary: "Ask what one may do",
    usage: "kubectl auth [flags]",
    flags: &[],
    run: help::needs_subcommand,
};

pub const CAN_I: Verb = Verb {
    name: "auth can-i",
    summary: "Ask whether something is allowed",
    usage: "kubectl auth can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL]",
    flags: FLAGS,
    run: can_i,
};

pub const WHO_AM_I: Verb = Verb {
    name: "auth whoami",
    summary: "Show who one is to the API server",
    usage: "kubectl auth whoami",
    flags: &[common::MISSING_KEYS, common::OUTPUT, common::MANAGED_FIELDS, common::TEMPLATE],
    run: who_am_i,
};

const FLAGS: &[Flag] = &[
    flag("all-namespaces", Takes::Nothing, "Ask for all namespaces").short('A').default("false"),
    flag("list", Takes::Nothing, "List all that is allowed").default("false"),
    flag("no-headers", Takes::Nothing, "Leave out the head of the table").default("false"),
    flag("quiet", Takes::Nothing, "Only give the exit code").short('q').default("false"),
    flag("subresource", Takes::Text, "Ask about this part of the object"),
];

/// Verbs that the API knows.
const KNOWN: [&str; 16] = [
    "*",
    "approve",
    "attest",
    "bind",
    "create",
    "delete",
    "deletecollection",
    "escalate",
    "get",
    "impersonate",
    "list",
    "patch",
    "sign",
    "update",
    "use",
    "watch",
];

/// What every user may do besides.
const OF_ALL: &str = "selfsubjectreviews.authentication.k8s.io\t[]\t[]\t[create]\n\
    selfsubjectaccessreviews.authorization.k8s.io\t[]\t[]\t[create]\n\
    selfsubjectrulesreviews.authorization.k8s.io\t[]\t[]\t[create]\n";
const ADDRESSES: [&str; 15] = [
    "/api/*",
    "/api",
    "/apis/*",
    "/apis",
    "/healthz",
    "/healthz",
    "/livez",
    "/livez",
    "/openapi/*",
    "/openapi",
    "/readyz",
    "/readyz",
    "/version/",
    "/version/",
    "/version",
];

fn can_i(call: &mut Call<'_, '_>) -> Outcome {
    let args = call.parsed.args.clone();
    if call.parsed.on("list") {
        let mut text = String::new();
        if !call.parsed.on("no-headers") {
            text.push_str("Resources\tNon-Resource URLs\tResource Names\tVerbs\n");
        }
        if !is_other(call) {
            text.push_str("*.*\t[]\t[]\t[*]\n\t[*]\t[]\t[*]\n");
        }
        text.push_str(OF_ALL);
        ADDRESSES.iter().chain(&["/version"]).for_each(|url| text.push_str(&format!("\t[{url}]\t[]\t[get]\n")));
        call.io.out(&TabWriter::table().align(&text));
        return Outcome::Exit(0);
    }
    let [verb, what] = args.as_slice() else {
        let text = "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' \
                    for help and examples.";
        return call.fail(text);
    };
    if !what.starts_with('/') {
        warn(call, verb, what);
    }
    let allowed = !is_other(call);
    if !call.parsed.on("quiet") {
        call.io.out(if allowed { "yes\n" } else { "no\n" });
    }
    Outcome::Exit(i32::from(!allowed))
}

/// Somebody else is acted as, and nobody else was given a right.
fn is_other(call: &Call<'_, '_>) -> bool {
    let groups = call.parsed.list("as-group");
    call.parsed.text("as").is_some_and(|name| !name.is_empty() && name != "admin")
        && !groups.iter().any(|group| group == "system:masters")
}

fn warn(call: &mut Call<'_, '_>, verb: &str, what: &str) {
    if !KNOWN.contains(&verb) {
        call.io.err(&format!("Warning: verb '{verb}' is not a known verb\n\n"));
    }
    let word = what.split('/').next().unwrap_or(what);
    match resource::find_kind(word) {
        None if word != "*" => call.io.err(&match word.split_once('.') {
            Some((resource, group)) => {
                format!("Warning: the server doesn't have a resource type '{resource}' in group '{group}'\n\n")
            }
            None => format!("Warning: the server doesn't have a resource type '{word}'\n\n"),
        }),
        Some(kind) if !kind.info().namespaced && !call.parsed.on("all-namespaces") => {
            let info = kind.info();
            let group = if info.group.is_empty() { String::new() } else { format!(" in group '{}'", info.group) };
            call.io.err(&format!("Warning: resource '{}' is not namespace scoped{group}\n\n", info.plural));
        }
        _ => {}
    }
}

fn who_am_i(call: &mut Call<'_, '_>) -> Outcome {
    if !call.parsed.args.is_empty() {
        let text = format!("unknown command \"{}\" for \"kubectl auth whoami\"", call.parsed.args[0]);
        return call.fail(&text);
    }
    let format = match common::format(call) {
        Ok(format) => format,
        Err(text) => return call.fail(&text),
    };
    let name = call.parsed.text("as").filter(|name| !name.is_empty()).map(str::to_owned);
    let mut groups: Vec<String> = call.parsed.list("as-group").to_vec();
    if name.is_none() {
        groups.push("system:masters".to_owned());
    }
    groups.push("system:authenticated".to_owned());
    let user = name.as_deref().unwrap_or("admin");
    if let Format::Table { .. } = format {
        let uid = if name.is_none() { "UID\tadmin\n" } else { "" };
        let text = format!("ATTRIBUTE\tVALUE\nUsername\t{user}\n{uid}Groups\t[{}]\n", groups.join(" "));
        call.io.out(&TabWriter::table().align(&text));
        return Outcome::Exit(0);
    }
    let mut info = object! { "groups" => Value::list(groups.into_iter().map(Value::from)), "username" => user };
    if name.is_none() {
        info.set("uid", "admin");
    }
    let review = object! {
        "apiVersion" => "authentication.k8s.io/v1", "kind" => "SelfSubjectReview",
        "metadata" => object! { "creationTimestamp" => call.desk.cluster.now().rfc3339() },
        "status" => object! { "userInfo" => info },
    };
    match call.tell(&review, "", common::DryRun::No) {
        Ok(()) => Outcome::Exit(0),
        Err(text) => call.fail(&text),
    }
}
