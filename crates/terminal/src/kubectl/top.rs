//! `kubectl top`: needs the metrics server, which clusters do not have by themselves; this one has none.
//!
//! Source: `kubectl/pkg/cmd/top/{top,top_pod,top_node}.go`.

use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb, help};

pub const VERB: Verb = Verb {
    name: "top",
    summary: "Show what nodes or Pods use of CPU and memory",
    usage: "kubectl top [flags]",
    flags: &[],
    run: help::needs_subcommand,
};

pub const NODE: Verb = Verb {
    name: "top node",
    summary: "Show what nodes use of CPU and memory",
    usage: "kubectl top node [NAME | -l label]",
    flags: FLAGS,
    run,
};

pub const POD: Verb = Verb {
    name: "top pod",
    summary: "Show what Pods use of CPU and memory",
    usage: "kubectl top pod [NAME | -l label]",
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
    if call.parsed.text("sort-by").is_some_and(|by| !["", "cpu", "memory"].contains(&by)) {
        return call.fail("--sort-by accepts only cpu or memory");
    }
    if call.parsed.args.len() > 1 {
        return call.misused("can only be called with one argument");
    }
    call.fail("Metrics API not available")
}
