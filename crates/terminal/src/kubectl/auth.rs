//! `kubectl auth`: the learner may do everything.
//!
//! Source: `kubectl/pkg/cmd/auth/{cani,whoami}.go`.

use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb, resource};
use crate::printing::tabwriter::TabWriter;

pub const VERB: Verb = Verb {
    name: "auth",
    summary: "Ask what one may do",
    usage: "kubectl auth (can-i VERB [TYPE | TYPE/NAME] | whoami)",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    flag("all-namespaces", Takes::Nothing, "Ask for all namespaces").short('A').default("false"),
    flag("list", Takes::Nothing, "List all that is allowed").default("false"),
    flag("no-headers", Takes::Nothing, "Leave out the head of the table").default("false"),
    flag("quiet", Takes::Nothing, "Only give the exit code").short('q').default("false"),
    flag("subresource", Takes::Text, "Ask about this part of the object"),
];

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let args = call.parsed.args.clone();
    match args.first().map(String::as_str) {
        Some("can-i") if call.parsed.on("list") => {
            let text = "Resources\tNon-Resource URLs\tResource Names\tVerbs\n*.*\t[]\t[]\t[*]\n\t[*]\t[]\t[*]\n";
            call.io.out(&TabWriter::table().align(text));
        }
        Some("can-i") => {
            let (Some(_), Some(what)) = (args.get(1), args.get(2)) else {
                return call.fail(
                    "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i \
                     -h' for help and examples.",
                );
            };
            let kind = what.split('/').next().unwrap_or(what);
            if kind != "*" && !what.starts_with('/') && resource::find_kind(kind).is_none() {
                call.io.err(&format!("Warning: the server doesn't have a resource type '{kind}'\n\n"));
            }
            if !call.parsed.on("quiet") {
                call.io.out("yes\n");
            }
        }
        Some("whoami") => {
            let text = "ATTRIBUTE\tVALUE\nUsername\tlearner\nGroups\t[system:masters system:authenticated]\n";
            call.io.out(&TabWriter::table().align(text));
        }
        Some(other) => return call.fail(&format!("unknown command \"{other}\" for \"kubectl auth\"")),
        None => call.io.out(&format!("{}.\n\nUsage:\n  {}\n", VERB.summary, VERB.usage)),
    }
    Outcome::Exit(0)
}
