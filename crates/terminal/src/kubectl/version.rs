//! `kubectl version` and `kubectl cluster-info`.
//!
//! Source: `kubectl/pkg/cmd/version/version.go`, `kubectl/pkg/cmd/clusterinfo/clusterinfo.go`.

use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb};
use crate::printing::json;
use values::object;
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
    let version =
        || object! { "gitVersion" => KUBERNETES, "major" => "1", "minor" => "36", "platform" => "linux/amd64" };
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
        "json" => call.io.out(&json::indented(&versions).replace("    ", "  ")),
        _ => return call.fail("--output must be 'yaml' or 'json'"),
    }
    Outcome::Exit(0)
}

fn cluster_info(call: &mut Call<'_, '_>) -> Outcome {
    if let Some(word) = call.parsed.args.first() {
        return call.fail(&format!("unknown command \"{word}\" for \"kubectl cluster-info\""));
    }
    call.io.out(&format!(
        "Kubernetes control plane is running at {SERVER}\n\nTo further debug and diagnose cluster problems, use \
         'kubectl cluster-info dump'.\n"
    ));
    Outcome::Exit(0)
}
