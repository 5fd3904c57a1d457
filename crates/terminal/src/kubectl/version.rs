//! `kubectl version` and `kubectl cluster-info`.
//!
//! Source: `kubectl/pkg/cmd/version/version.go`, `kubectl/pkg/cmd/clusterinfo/clusterinfo.go`.

use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb};
use crate::printing::json;
use values::object;
use values::value::Value;
use yaml;

/// The version whose rules are simulated.
pub const KUBERNETES: &str = "v1.36.3";
const KUSTOMIZE: &str = "v5.8.1";
/// Where the API server would be.
pub const SERVER: &str = "https://127.0.0.1:6443";

pub const VERB: Verb = Verb {
    name: "version",
    summary: "Show the versions of client and server",
    usage: "kubectl version",
    flags: &[
        flag("client", Takes::Nothing, "Only the client's version").default("false"),
        flag("output", Takes::Text, "yaml or json").short('o'),
    ],
    run,
};

pub const CLUSTER_INFO: Verb = Verb {
    name: "cluster-info",
    summary: "Show where the cluster's services are",
    usage: "kubectl cluster-info",
    flags: CLUSTER_INFO_FLAGS,
    run: cluster_info,
};

const CLUSTER_INFO_FLAGS: &[Flag] = &[];

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let client_only = call.parsed.on("client");
    if !call.parsed.args.is_empty() {
        let text = format!("extra arguments: [{}]", call.parsed.args.join(" "));
        return call.fail(&text);
    }
    let mut versions = object! { "clientVersion" => version(), "kustomizeVersion" => KUSTOMIZE };
    if !client_only {
        versions.set("serverVersion", version());
    }
    match call.parsed.text("output").unwrap_or_default() {
        "" => {
            call.io.out(&format!("Client Version: {KUBERNETES}\nKustomize Version: {KUSTOMIZE}\n"));
            if !client_only {
                call.io.out(&format!("Server Version: {KUBERNETES}\n"));
            }
        }
        "yaml" => call.io.out(&yaml::emit(&versions)),
        "json" => call.io.out(&json::in_order(&versions, FIELDS).replace("    ", "  ")),
        _ => return call.fail("--output must be 'yaml' or 'json'"),
    }
    Outcome::Exit(0)
}

/// What client and server say of how they were built.
fn version() -> Value {
    object! {
        "major" => "1", "minor" => "36", "gitVersion" => KUBERNETES, "gitCommit" => "$Format:%H$", "gitTreeState" => "",
        "buildDate" => "1970-01-01T00:00:00Z", "goVersion" => "go1.26.0", "compiler" => "gc",
        "platform" => "linux/amd64",
    }
}

/// The fields of a version, in their order.
const FIELDS: &[&str] = &[
    "clientVersion",
    "kustomizeVersion",
    "serverVersion",
    "major",
    "minor",
    "gitVersion",
    "gitCommit",
    "gitTreeState",
    "buildDate",
    "goVersion",
    "compiler",
    "platform",
];

/// The answer of `/version`.
pub fn server_text() -> String {
    json::in_order(&version(), FIELDS).replace("    ", "  ").trim_end().to_owned()
}

fn cluster_info(call: &mut Call<'_, '_>) -> Outcome {
    call.io.out(&format!(
        "Kubernetes control plane is running at {SERVER}\n\nTo further debug and diagnose cluster problems, use \
         'kubectl cluster-info dump'.\n"
    ));
    Outcome::Exit(0)
}
