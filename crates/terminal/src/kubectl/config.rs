//! `kubectl config`: the one cluster and user there is.
//!
//! Source: `kubectl/pkg/cmd/config`.

use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::version::SERVER;
use crate::kubectl::{Call, Outcome, Verb};
use crate::printing::format::Format;
use crate::printing::json;
use crate::printing::tabwriter::TabWriter;
use values::object;
use values::value::Value;
use yaml;

pub const VERB: Verb = Verb {
    name: "config",
    summary: "Show which cluster kubectl talks to",
    usage: "kubectl config (view | current-context | get-contexts | get-clusters | get-users | use-context NAME)",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    flag("flatten", Takes::Nothing, "Put certificates into the file").default("false"),
    flag("minify", Takes::Nothing, "Only what the current context needs").default("false"),
    flag("no-headers", Takes::Nothing, "Leave out the head of the table").default("false"),
    flag("output", Takes::Text, "Format: yaml, json or name").short('o'),
    flag("raw", Takes::Nothing, "Show secrets too").default("false"),
];

const CONTEXT: &str = "batchyard";
const USER: &str = "learner";

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let args = call.parsed.args.clone();
    let name = args.get(1).map(String::as_str);
    match args.first().map(String::as_str) {
        Some("view") => match call.parsed.text("output").unwrap_or("yaml") {
            "json" => call.io.out(&json::indented(&view())),
            "yaml" => call.io.out(&yaml::emit(&view())),
            other => {
                let unread = |path: &str| Err(format!("open {path}: no such file or directory"));
                match Format::parse(other, None, unread).and_then(|format| format.print(&view())) {
                    Ok(text) => call.io.out(&text),
                    Err(text) => return call.fail(&text),
                }
            }
        },
        Some("current-context") => call.io.out(&format!("{CONTEXT}\n")),
        Some("get-contexts") if name.is_some_and(|name| name != CONTEXT) => {
            return call.fail(&format!("context {} not found", name.unwrap_or_default()));
        }
        Some("get-contexts") if call.parsed.text("output") == Some("name") => call.io.out(&format!("{CONTEXT}\n")),
        Some("get-contexts") => {
            let head = if call.parsed.on("no-headers") { "" } else { "CURRENT\tNAME\tCLUSTER\tAUTHINFO\tNAMESPACE\n" };
            call.io.out(&TabWriter::table().align(&format!("{head}*\t{CONTEXT}\t{CONTEXT}\t{USER}\tdefault\n")));
        }
        Some("get-clusters") => call.io.out(&format!("NAME\n{CONTEXT}\n")),
        Some("get-users") => call.io.out(&format!("NAME\n{USER}\n")),
        Some("use-context" | "use") => match name {
            Some(CONTEXT) => call.io.out(&format!("Switched to context \"{CONTEXT}\".\n")),
            Some(other) => return call.fail(&format!("no context exists with the name: \"{other}\"")),
            None => return call.fail("accepts 1 arg(s), received 0"),
        },
        Some(
            "set-context" | "set-cluster" | "set-credentials" | "set" | "unset" | "delete-context" | "rename-context",
        ) => {
            return call
                .fail("the configuration of this terminal cannot be changed; use -n to work in another namespace");
        }
        Some(other) => return call.fail(&format!("unknown command \"{other}\" for \"kubectl config\"")),
        None => call.io.out(&format!("{}.\n\nUsage:\n  {}\n", VERB.summary, VERB.usage)),
    }
    Outcome::Exit(0)
}

fn view() -> Value {
    object! {
        "apiVersion" => "v1",
        "kind" => "Config",
        "clusters" => Value::list([object! {
            "cluster" => object! { "certificate-authority-data" => "DATA+OMITTED", "server" => SERVER },
            "name" => CONTEXT,
        }]),
        "contexts" => Value::list([object! {
            "context" => object! { "cluster" => CONTEXT, "namespace" => "default", "user" => USER },
            "name" => CONTEXT,
        }]),
        "current-context" => CONTEXT,
        "users" => Value::list([object! {
            "name" => USER,
            "user" => object! { "client-certificate-data" => "DATA+OMITTED", "client-key-data" => "DATA+OMITTED" },
        }]),
    }
}
