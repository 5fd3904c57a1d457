//! `kubectl cordon` and `kubectl uncordon`: whether the scheduler may put Pods on a node.
//!
//! Source: `kubectl/pkg/cmd/drain/drain.go` (`RunCordonOrUncordon`).

use crate::kubectl::common::{self, DryRun};
use crate::kubectl::flags::Flag;
use crate::kubectl::{Call, Outcome, Verb, errors};
use api::kind::Kind;
use api::object::Object;
use api::selector::Labels;
use std::rc::Rc;

pub const CORDON: Verb = Verb {
    name: "cordon",
    summary: "Mark a node as unschedulable",
    usage: "kubectl cordon NODE",
    flags: FLAGS,
    run: |call| run(call, true),
};

pub const UNCORDON: Verb = Verb {
    name: "uncordon",
    summary: "Mark a node as schedulable",
    usage: "kubectl uncordon NODE",
    flags: FLAGS,
    run: |call| run(call, false),
};

const FLAGS: &[Flag] = &[common::DRY_RUN, common::SELECTOR];

fn run(call: &mut Call<'_, '_>, unschedulable: bool) -> Outcome {
    let dry_run = match call.dry_run() {
        Ok(dry_run) => dry_run,
        Err(text) => return call.fail(&text),
    };
    let (nodes, mut failed) = match nodes(call) {
        Ok(nodes) => nodes,
        Err(outcome) => return outcome,
    };
    for node in nodes {
        failed |= !mark(call, &node, unschedulable, dry_run);
    }
    Outcome::Exit(i32::from(failed))
}

/// The nodes that are named, or that `-l` chooses. Second: whether one was missing.
pub fn nodes(call: &mut Call<'_, '_>) -> Result<(Vec<Rc<Object>>, bool), Outcome> {
    let verb = call.verb;
    let usage = format!("USAGE: {verb} NODE [flags]");
    let args = call.parsed.args.clone();
    let selector = call.parsed.text("selector").map(str::to_owned);
    let store = call.desk.cluster.store();
    match (args.is_empty(), selector) {
        (false, Some(_)) => Err(call.misused("cannot specify both a node name and a --selector option")),
        (true, None) => Err(call.misused(&usage)),
        (true, Some(text)) => {
            let labels = Labels::parse(&text).map_err(|text| call.fail(&text))?;
            let store = call.desk.cluster.store();
            Ok((store.list(Kind::Node).filter(|n| labels.matches(&n.meta().labels)).cloned().collect(), false))
        }
        (false, None) => {
            let (mut nodes, mut lines) = (Vec::new(), Vec::new());
            for name in &args {
                let name = name.strip_prefix("node/").or(name.strip_prefix("nodes/")).unwrap_or(name);
                match crate::kubectl::resource::get(store, Kind::Node, "", name) {
                    Ok(node) => nodes.push(node),
                    Err(error) => lines.push(errors::render(&error, None)),
                }
            }
            lines.iter().for_each(|line| call.io.err(&format!("{line}\n")));
            Ok((nodes, !lines.is_empty()))
        }
    }
}

/// Sets or takes off `spec.unschedulable` and says so. False if the API refused.
pub fn mark(call: &mut Call<'_, '_>, node: &Object, unschedulable: bool, dry_run: DryRun) -> bool {
    let word = if unschedulable { "cordoned" } else { "uncordoned" };
    let name = node.name();
    if node.node().spec.unschedulable == unschedulable {
        call.io.out(&format!("node/{name} already {word}{}\n", dry_run.suffix()));
        return true;
    }
    if dry_run != DryRun::Client {
        let written = call.write(dry_run, |api| {
            api.update(&node.key(), |value| match unschedulable {
                true => value.set("spec.unschedulable", true),
                false => drop(value.remove("spec.unschedulable")),
            })
        });
        if let Err(error) = written {
            let doing = if unschedulable { "cordon" } else { "uncordon" };
            call.fail(&format!("unable to {doing} node \"{name}\": {error}"));
            return false;
        }
    }
    call.io.out(&format!("node/{name} {word}{}\n", dry_run.suffix()));
    true
}
