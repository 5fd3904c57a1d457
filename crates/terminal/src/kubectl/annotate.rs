//! `kubectl annotate`: as `label`, for annotations.
//!
//! Source: `kubectl/pkg/cmd/annotate/annotate.go`.

use crate::kubectl::{Call, Outcome, Verb, label};

pub const VERB: Verb = Verb {
    name: "annotate",
    summary: "Change the annotations of objects",
    usage: "kubectl annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N [--resource-version=version]",
    flags: label::FLAGS,
    run,
};

fn run(call: &mut Call<'_, '_>) -> Outcome {
    label::run_on(call, "annotations")
}
