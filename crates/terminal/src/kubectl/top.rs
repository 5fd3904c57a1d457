//! `kubectl top`: needs the metrics server, which clusters do not have by themselves; this one has none.
//!
//! Source: `kubectl/pkg/cmd/top/{top,top_pod,top_node}.go`.

use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb};

pub const VERB: Verb = Verb {
    name: "top",
    summary: "Show what nodes or Pods use of CPU and memory",
    usage: "kubectl top (node | pod) [NAME | -l label]",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    flag("all-namespaces", Takes::Nothing, "Ask in all namespaces").short('A').default("false"),
    flag("containers", Takes::Nothing, "Show each container").default("false"),
    flag("field-selector", Takes::Text, "Choose by fields"),
    flag("no-headers", Takes::Nothing, "Leave out the head of the table").default("false"),
    flag("selector", Takes::Text, "Choose by labels").short('l'),
    flag("show-capacity", Takes::Nothing, "Compare with all a node has").default("false"),
    flag("sort-by", Takes::Text, "cpu or memory"),
    flag("sum", Takes::Nothing, "Add the columns up").default("false"),
    flag("use-protocol-buffers", Takes::Nothing, "How to ask").default("true"),
];

fn run(call: &mut Call<'_, '_>) -> Outcome {
    match call.parsed.args.first().map(String::as_str) {
        Some("pod" | "pods" | "po" | "node" | "nodes" | "no") => call.fail("Metrics API not available"),
        Some(other) => call.fail(&format!("unknown command \"{other}\" for \"kubectl top\"")),
        None => {
            call.io.out("Show what nodes or Pods use of CPU and memory.\n\nUsage:\n  kubectl top (node | pod)\n");
            Outcome::Exit(0)
        }
    }
}
