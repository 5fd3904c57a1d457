//! `kubectl debug`: ephemeral containers are not simulated, and it says so.

use crate::kubectl::common;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets::{self, Reading};
use crate::kubectl::{Call, Outcome, Verb};

pub const VERB: Verb = Verb {
    name: "debug",
    summary: "Not simulated: there are no ephemeral containers here",
    usage: "kubectl debug (POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ]",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    flag("arguments-only", Takes::Nothing, "What follows are arguments, not the command").default("false"),
    flag("attach", Takes::Nothing, "Attach to the container").default("false"),
    common::CONTAINER,
    flag("copy-to", Takes::Text, "Make a copy of the Pod with this name"),
    flag("env", Takes::Array, "KEY=value"),
    flag("image", Takes::Text, "The image to debug with"),
    flag("profile", Takes::Text, "Which rights it gets").default("general"),
    flag("quiet", Takes::Nothing, "Say less").short('q').default("false"),
    flag("stdin", Takes::Nothing, "Keep standard input open").short('i').default("false"),
    flag("target", Takes::Text, "The container whose processes are seen"),
    flag("tty", Takes::Nothing, "Give the container a terminal").short('t').default("false"),
];

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let given = |flag: &str| call.parsed.text(flag).is_some_and(|text| !text.is_empty());
    if !given("image") && !given("copy-to") {
        return call.fail("you must specify --image when not using --copy-to.");
    }
    let Some(word) = call.parsed.args.first().cloned() else {
        return call.misused("NAME or TYPE/NAME is required for debug");
    };
    let word = if word.contains('/') { word } else { format!("pod/{word}") };
    match targets::existing(call, &[word], Reading::default()) {
        Ok(_) if call.has_failed() => call.finish(),
        Ok(_) => call.fail(
            "ephemeral containers are not simulated: use kubectl exec in a running container, or kubectl run for a Pod of \
             your own",
        ),
        Err(outcome) => outcome,
    }
}
