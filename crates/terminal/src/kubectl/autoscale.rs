//! `kubectl autoscale`: there is no HorizontalPodAutoscaler here, and it says so.

use crate::kubectl::common;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::targets::{self, Reading};
use crate::kubectl::{Call, Outcome, Verb};

pub const VERB: Verb = Verb {
    name: "autoscale",
    summary: "Not simulated: there are no HorizontalPodAutoscalers here",
    usage: "kubectl autoscale (-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu-percent=CPU]",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    flag("cpu", Takes::Text, "The wanted load"),
    flag("cpu-percent", Takes::Text, "The wanted load in percent").default("-1"),
    common::DRY_RUN,
    common::FILENAME,
    flag("max", Takes::Text, "Most Pods").default("-1"),
    flag("memory", Takes::Text, "The wanted memory"),
    flag("min", Takes::Text, "Fewest Pods").default("-1"),
    flag("name", Takes::Text, "The autoscaler's name"),
    common::OUTPUT,
];

fn run(call: &mut Call<'_, '_>) -> Outcome {
    if !call.parsed.is_set("max") {
        return call.fail("required flag(s) \"max\" not set");
    }
    let args = call.parsed.args.clone();
    match targets::existing(call, &args, Reading::default()) {
        Ok((objects, false)) => match objects.first() {
            Some(object) if !object.value().has("spec.replicas") => {
                let kind = object.kind().info().group_kind();
                call.fail(&format!("cannot autoscale a {kind}: not found"))
            }
            _ => call.fail("HorizontalPodAutoscalers are not simulated: set the size with kubectl scale"),
        },
        Ok(_) => Outcome::Exit(1),
        Err(line) => call.fail_line(&line),
    }
}
