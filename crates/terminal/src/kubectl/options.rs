//! `kubectl options`: the flags every verb has.
//!
//! Source: `kubectl/pkg/cmd/options/options.go`.

use crate::kubectl::{Call, GLOBAL_FLAGS, Outcome, Verb, help};

pub const VERB: Verb = Verb {
    name: "options",
    summary: "List the flags that every command has",
    usage: "kubectl options",
    flags: &[],
    run,
};

fn run(call: &mut Call<'_, '_>) -> Outcome {
    call.io.out("The following options can be passed to any command:\n\n");
    call.io.out(&help::flag_list(GLOBAL_FLAGS));
    Outcome::Exit(0)
}
