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
    flag("cpu-percent", Takes::Number, "The wanted load in percent").default("-1"),
    common::DRY_RUN,
    common::FILENAME,
    flag("max", Takes::Number, "Most Pods").default("-1"),
    flag("memory", Takes::Text, "The wanted memory"),
    flag("min", Takes::Number, "Fewest Pods").default("-1"),
    flag("name", Takes::Text, "The autoscaler's name"),
    common::OUTPUT,
];

fn run(call: &mut Call<'_, '_>) -> Outcome {
    if !call.parsed.is_set("max") {
        return call.fail("required flag(s) \"max\" not set");
    }
    let args = call.parsed.args.clone();
    let objects = match targets::existing(call, &args, Reading::default()) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    if call.has_failed() {
        return call.finish();
    }
    match objects.first() {
        Some(object) if !common::has_subresource(object.kind(), "scale") => {
            let info = object.kind().info();
            let resource = format!("{}, Resource={}", info.api_version(), info.plural);
            call.fail(&format!(
                "cannot autoscale a {}: could not find scale subresource for {resource} in discovery information",
                info.name
            ))
        }
        _ => call.fail("HorizontalPodAutoscalers are not simulated: set the size with kubectl scale"),
    }
}
