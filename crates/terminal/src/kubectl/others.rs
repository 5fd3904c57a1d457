//! Verbs that have little to do here: `kustomize`, `proxy`, `certificate`, `plugin`, `alpha`.
//!
//! Source: `kubectl/pkg/cmd/{proxy,certificates,plugin}`, `kustomize/kustomize/commands/build`.

use crate::kubectl::errors::Failure;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb, common, help};
use crate::kustomize;
use api::status::{ApiError, Reason};
use yaml;

pub const KUSTOMIZE: Verb = Verb {
    name: "kustomize",
    summary: "Print what a kustomization folder makes",
    usage: "kubectl kustomize DIR",
    flags: &[
        flag("enable-helm", Takes::Nothing, "Use the charts that the folder names").default("false"),
        flag("load-restrictor", Takes::Text, "Which files may be read").default("LoadRestrictionsRootOnly"),
        flag("output", Takes::Text, "The file to write to").short('o'),
    ],
    run: build,
};

pub const PROXY: Verb = Verb {
    name: "proxy",
    summary: "Serve the API on a port of this machine; not simulated",
    usage: "kubectl proxy [--port=PORT]",
    flags: PROXY_FLAGS,
    run: |call| {
        call.fail("there is no API server to speak HTTP with here; `kubectl get --raw PATH` answers as one would")
    },
};

const PROXY_FLAGS: &[Flag] = &[
    flag("accept-hosts", Takes::Text, "Which hosts are served").default("^localhost$,^127\\.0\\.0\\.1$,^\\[::1\\]$"),
    flag("address", Takes::Text, "The address to serve on").default("127.0.0.1"),
    flag("api-prefix", Takes::Text, "Where the API lies").default("/"),
    flag("port", Takes::Number, "The port to serve on").short('p').default("8001"),
    flag("www", Takes::Text, "A folder of files to serve as well").short('w'),
];

pub const CERTIFICATE: Verb = Verb {
    name: "certificate",
    summary: "Decide about requests for certificates",
    usage: "kubectl certificate SUBCOMMAND",
    flags: &[],
    run: help::needs_subcommand,
};

pub const APPROVE: Verb = Verb {
    name: "certificate approve",
    summary: "Approve requests for certificates",
    usage: "kubectl certificate approve (-f FILENAME | NAME)",
    flags: DECISION,
    run: decide,
};

pub const DENY: Verb = Verb {
    name: "certificate deny",
    summary: "Deny requests for certificates",
    usage: "kubectl certificate deny (-f FILENAME | NAME)",
    flags: DECISION,
    run: decide,
};

const DECISION: &[Flag] = &[
    common::FILENAME,
    flag("force", Takes::Nothing, "Even if it was decided before").default("false"),
    common::KUSTOMIZE,
    common::OUTPUT,
    common::RECURSIVE,
];

pub const PLUGIN: Verb = Verb {
    name: "plugin",
    summary: "Work with plugins",
    usage: "kubectl plugin [flags]",
    flags: &[],
    run: help::needs_subcommand,
};

pub const PLUGIN_LIST: Verb = Verb {
    name: "plugin list",
    summary: "List the plugins there are",
    usage: "kubectl plugin list",
    flags: &[flag("name-only", Takes::Nothing, "Only their names").default("false")],
    run: |call| {
        call.io.err("Unable to read directory \"\" from your PATH: open  no such file or directory. Skipping...\n");
        call.fail("unable to find any kubectl plugins in your PATH")
    },
};

pub const ALPHA: Verb = Verb {
    name: "alpha",
    summary: "Verbs that are being tried out",
    usage: "kubectl alpha",
    flags: &[],
    run: |call| {
        call.io.err("No alpha commands are available in this version of kubectl\n");
        Outcome::Exit(0)
    },
};

fn build(call: &mut Call<'_, '_>) -> Outcome {
    let folder = match call.parsed.args.as_slice() {
        [] => ".".to_owned(),
        [one] => one.clone(),
        _ => return call.fail("specify one path to a kustomization directory"),
    };
    let built = match kustomize::build(call.desk.files, &call.args.cwd, &folder) {
        Ok(built) => built,
        Err(text) => return call.fail(&text),
    };
    let text = built.iter().map(yaml::emit).collect::<Vec<_>>().join("---\n");
    let Some(file) = call.parsed.text("output").map(str::to_owned) else {
        call.io.out(&text);
        return Outcome::Exit(0);
    };
    let (path, now) = (shell::host::resolve(&call.args.cwd, &file), call.desk.cluster.now());
    match call.desk.files.write(&path, text.as_bytes(), false, now) {
        Ok(()) => Outcome::Exit(0),
        Err(error) => call.fail(&format!("{file}: {error}")),
    }
}

/// Nobody asks for certificates here.
fn decide(call: &mut Call<'_, '_>) -> Outcome {
    if call.parsed.args.is_empty() && !call.parsed.is_set("filename") && !call.parsed.is_set("kustomize") {
        return call.fail("one or more CSRs must be specified as <name> or -f <filename>");
    }
    for name in call.parsed.args.clone() {
        let text = format!("certificatesigningrequests.certificates.k8s.io \"{name}\" not found");
        call.note(Failure::from(ApiError { reason: Reason::NotFound, ..ApiError::bad_request(text) }));
    }
    call.finish()
}
