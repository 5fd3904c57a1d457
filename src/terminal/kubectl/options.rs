//! `kubectl options`: the flags every verb has.
//!
//! Source: `kubectl/pkg/cmd/options/options.go`.

use crate::terminal::kubectl::flags::{Flag, Takes};
use crate::terminal::kubectl::{Call, GLOBAL_FLAGS, Outcome, Verb};

pub const VERB: Verb = Verb {
    name: "options",
    summary: "List the flags that every command has",
    usage: "kubectl options",
    flags: &[],
    run,
};

fn run(call: &mut Call<'_, '_>) -> Outcome {
    call.io.out("The following options can be passed to any command:\n");
    for flag in GLOBAL_FLAGS {
        call.io.out(&format!("\n{}\n", entry(flag)));
    }
    Outcome::Exit(0)
}

/// `    -n, --namespace='':` and what it is for.
fn entry(flag: &Flag) -> String {
    let short = flag.short.map(|c| format!("-{c}, ")).unwrap_or_default();
    let default = match (flag.takes, flag.default) {
        (Takes::Nothing, "") => "false".to_owned(),
        (Takes::Nothing, default) => default.to_owned(),
        (Takes::List, _) => "[]".to_owned(),
        (_, default) => format!("'{default}'"),
    };
    format!("    {short}--{}={default}:\n\t{}", flag.name, flag.help)
}
