//! kubectl: one table of verbs, from which parsing, help, completion and errors all come.
//!
//! Adding a verb is a file and a row in [`VERBS`]. A verb of two words (`create job`) is found before the first of them alone.
//! Source: `k8s.io/kubectl/pkg/cmd`, `github.com/spf13/cobra/command.go`.

mod api_resources;
mod apply;
mod attach;
mod auth;
mod autoscale;
pub mod common;
pub mod completion;
mod config;
mod cordon;
mod cp;
mod create;
mod debug;
mod delete;
mod describe;
mod diff;
mod drain;
mod edit;
mod errors;
mod events;
mod exec;
mod explain;
mod expose;
pub mod flags;
mod get;
pub mod help;
mod kubeconfig;
mod label;
mod last_applied;
mod logs;
mod managers;
mod manifests;
mod options;
mod others;
mod patch;
mod pods;
mod port_forward;
mod prune;
mod query;
mod raw;
mod replace;
mod resource;
mod rollout;
mod run;
mod scale;
mod set;
mod taint;
mod targets;
mod top;
mod version;
mod wait;
mod waiting;
mod watch;

#[cfg(test)]
mod tests;

use crate::Reply;
use crate::command::Args;
use crate::host::Desk;
use cluster::Cluster;
use errors::Failure;
use flags::{Flag, Parsed, Takes, flag};
use help::children;
use kubeconfig::Kubeconfig;
use shell::{Io, Poll};

pub use patch::json_patch;
pub use port_forward::Forwards;
pub use waiting::Waiting;

/// A verb of kubectl.
#[derive(Debug)]
pub struct Verb {
    /// One word, or two: `create job`.
    pub name: &'static str,
    /// One line, our own words.
    pub summary: &'static str,
    /// `kubectl delete ([-f FILENAME] | TYPE [(NAME | -l label | --all)])`
    pub usage: &'static str,
    pub flags: &'static [Flag],
    /// Starts the verb. Whatever takes time goes on in the returned state.
    run: fn(&mut Call<'_, '_>) -> Outcome,
}

/// All verbs, in the order of kubectl's own help.
pub const VERBS: &[&Verb] = &[
    &create::VERB,
    &create::CLUSTER_ROLE,
    &create::CLUSTER_ROLE_BINDING,
    &create::configmap::VERB,
    &create::workload::CRON_JOB,
    &create::workload::DEPLOYMENT,
    &create::INGRESS,
    &create::workload::JOB,
    &create::simple::NAMESPACE,
    &create::DISRUPTION_BUDGET,
    &create::simple::PRIORITY_CLASS,
    &create::simple::QUOTA,
    &create::ROLE,
    &create::ROLE_BINDING,
    &create::configmap::SECRET,
    &create::DOCKER_REGISTRY,
    &create::configmap::SECRET_GENERIC,
    &create::TLS,
    &create::service::VERB,
    &create::service::CLUSTER_IP,
    &create::service::EXTERNAL_NAME,
    &create::service::LOAD_BALANCER,
    &create::service::NODE_PORT,
    &create::simple::SERVICE_ACCOUNT,
    &create::TOKEN,
    &expose::VERB,
    &run::VERB,
    &set::VERB,
    &set::IMAGE,
    &set::ENV,
    &set::RESOURCES,
    &set::SELECTOR,
    &set::SERVICE_ACCOUNT,
    &explain::VERB,
    &get::VERB,
    &edit::VERB,
    &delete::VERB,
    &rollout::VERB,
    &rollout::HISTORY,
    &rollout::PAUSE,
    &rollout::RESTART,
    &rollout::RESUME,
    &rollout::STATUS,
    &rollout::UNDO,
    &scale::VERB,
    &autoscale::VERB,
    &others::CERTIFICATE,
    &others::APPROVE,
    &others::DENY,
    &version::CLUSTER_INFO,
    &top::VERB,
    &top::NODE,
    &top::POD,
    &cordon::CORDON,
    &cordon::UNCORDON,
    &drain::VERB,
    &taint::VERB,
    &describe::VERB,
    &logs::VERB,
    &attach::VERB,
    &exec::VERB,
    &port_forward::VERB,
    &others::PROXY,
    &cp::VERB,
    &auth::VERB,
    &auth::CAN_I,
    &auth::WHO_AM_I,
    &debug::VERB,
    &events::VERB,
    &diff::VERB,
    &apply::VERB,
    &last_applied::EDIT,
    &last_applied::SET,
    &last_applied::VIEW,
    &patch::VERB,
    &replace::VERB,
    &wait::VERB,
    &others::KUSTOMIZE,
    &label::VERB,
    &label::ANNOTATE,
    &completion::VERB,
    &others::ALPHA,
    &api_resources::VERB,
    &api_resources::VERSIONS,
    &config::VERB,
    &options::VERB,
    &others::PLUGIN,
    &others::PLUGIN_LIST,
    &version::VERB,
];

/// Flags every verb has.
pub const GLOBAL_FLAGS: &[Flag] = &[
    flag("namespace", Takes::Text, "The namespace to work in").short('n'),
    flag("help", Takes::Nothing, "Says how the command is used").short('h').default("false"),
    flag("request-timeout", Takes::Text, "How long to wait for one request").default("0"),
    flag("v", Takes::Number, "How much kubectl says about itself").short('v').default("0"),
    flag("context", Takes::Text, "The context of the configuration to use"),
    flag("cluster", Takes::Text, "The cluster of the configuration to use"),
    flag("user", Takes::Text, "The user of the configuration to use"),
    flag("kubeconfig", Takes::Text, "The configuration file"),
    flag("server", Takes::Text, "The address of the API server").short('s'),
    flag("token", Takes::Text, "The bearer token to show to the API server"),
    flag("as", Takes::Text, "Whom to act as"),
    flag("as-group", Takes::List, "The groups to act in"),
    flag("insecure-skip-tls-verify", Takes::Nothing, "Trust any certificate").default("false"),
    flag("match-server-version", Takes::Nothing, "Refuse to work with a server of another version").default("false"),
    flag("warnings-as-errors", Takes::Nothing, "Exit with an error if the server warns").default("false"),
];

/// One run of kubectl.
pub struct Call<'a, 'b> {
    pub desk: &'a mut Desk<'b>,
    pub io: &'a mut Io,
    pub parsed: Parsed,
    pub args: &'a Args,
    /// The verb's name, for messages.
    pub verb: &'static str,
    /// Of `-n`, or of the kubeconfig's context.
    namespace: String,
    /// What of the work was not done; told at its end.
    failures: Vec<Failure>,
}

/// How a verb's first part ended. It lives for one call only, so its size does not matter.
#[allow(clippy::large_enum_variant)]
pub enum Outcome {
    Exit(i32),
    Waits(Waiting),
}

/// A kubectl that was started.
#[derive(Clone, Debug, Default)]
pub enum Task {
    #[default]
    New,
    Waits(Box<Waiting>),
}

impl Task {
    /// Starts the verb, or goes on waiting.
    pub fn poll(&mut self, args: &Args, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        if let Task::New = self {
            // `-f -` means all of the input.
            if reads_input(&args.argv) && !io.stdin.is_closed() {
                return Poll::Wait;
            }
            match start(args, desk, io) {
                Outcome::Exit(code) => return Poll::Exit(code),
                Outcome::Waits(waiting) => *self = Task::Waits(Box::new(waiting)),
            }
        }
        match self {
            Task::New => Poll::Exit(1),
            Task::Waits(waiting) => waiting.poll(args, desk, io),
        }
    }

    /// It is ended from outside: whatever it holds elsewhere is let go.
    pub fn cancel(&mut self, desk: &mut Desk<'_>) {
        if let Task::Waits(waiting) = self {
            waiting.cancel(desk);
        }
    }
}

impl<'a, 'b> Call<'a, 'b> {
    /// A call that goes on with what was read before.
    pub fn again(
        desk: &'a mut Desk<'b>,
        io: &'a mut Io,
        parsed: Parsed,
        args: &'a Args,
        verb: &'static str,
        namespace: String,
    ) -> Call<'a, 'b> {
        Call { desk, io, parsed, args, verb, namespace, failures: Vec::new() }
    }
}

impl Call<'_, '_> {
    /// The namespace of the call.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Prints `error: …` and gives exit code 1.
    pub fn fail(&mut self, message: &str) -> Outcome {
        self.io.err(&format!("error: {message}\n"));
        Outcome::Exit(1)
    }

    /// Prints a whole line, which says itself that it is an error, and gives exit code 1.
    pub fn fail_line(&mut self, line: &str) -> Outcome {
        self.io.err(&format!("{line}\n"));
        Outcome::Exit(1)
    }
}

/// Whether a file among the arguments is standard input; what follows `--` belongs to a container.
fn reads_input(argv: &[String]) -> bool {
    let own = argv.iter().take_while(|arg| *arg != "--");
    own.into_iter()
        .any(|arg| matches!(arg.as_str(), "-" | "-f-" | "-f=-") || arg.starts_with("--") && arg.ends_with("=-"))
}

fn start(args: &Args, desk: &mut Desk<'_>, io: &mut Io) -> Outcome {
    let Some((verb, rest)) = find(&args.argv) else {
        return help::without_verb(&args.argv, io);
    };
    let parsed = match flags::parse(&rest, &[verb.flags, GLOBAL_FLAGS]) {
        Ok(parsed) => parsed,
        Err(message) => {
            io.err(&format!("error: {message}\nSee 'kubectl {} --help' for usage.\n", verb.name));
            return Outcome::Exit(1);
        }
    };
    if parsed.on("help") {
        io.out(&help::of(verb));
        return Outcome::Exit(0);
    }
    let mut call =
        Call { desk, io, parsed, args, verb: verb.name, namespace: "default".to_owned(), failures: Vec::new() };
    if !verb.works_alone(&call.parsed) {
        let found = Kubeconfig::load(&call.parsed, args, call.desk.files).and_then(|c| c.namespace(&call.parsed));
        match found {
            Ok(namespace) => call.namespace = namespace,
            Err(failure) => return call.end(&[failure]),
        }
    }
    (verb.run)(&mut call)
}

impl Verb {
    /// It asks no cluster, so it needs no configuration.
    fn works_alone(&self, parsed: &Parsed) -> bool {
        let first = self.name.split(' ').next().unwrap_or_default();
        let below = children(self.name).next().is_some() && parsed.args.is_empty();
        matches!(first, "alpha" | "completion" | "config" | "kustomize" | "options" | "plugin")
            || (first == "version" && parsed.on("client"))
            || (below && self.flags.is_empty())
    }
}

/// The verb of a command line, and the line without it. Global flags may stand before it.
pub fn find(argv: &[String]) -> Option<(&'static Verb, Vec<String>)> {
    let first = flags::first_argument(argv, 0, GLOBAL_FLAGS)?;
    let second = flags::first_argument(argv, first + 1, GLOBAL_FLAGS);
    if let Some(second) = second {
        let both = format!("{} {}", argv[first], alias(&argv[second]));
        // `create service clusterip` and `create secret generic` have a third word.
        let third = flags::first_argument(argv, second + 1, GLOBAL_FLAGS);
        if let Some(third) = third
            && let Some(verb) = named(&format!("{both} {}", argv[third]))
        {
            return Some((verb, without(argv, &[first, second, third])));
        }
        if let Some(verb) = named(&both) {
            return Some((verb, without(argv, &[first, second])));
        }
    }
    named(&argv[first]).map(|verb| (verb, without(argv, &[first])))
}

/// The verb with this name.
pub fn named(name: &str) -> Option<&'static Verb> {
    all().find(|verb| verb.name == name)
}

/// All verbs, those of `config` among them.
pub fn all() -> impl Iterator<Item = &'static Verb> {
    VERBS.iter().chain(config::SUBCOMMANDS).copied()
}

/// Short names of subcommands.
fn alias(word: &str) -> &str {
    match word {
        "cm" => "configmap",
        "cj" => "cronjob",
        "deploy" | "dep" => "deployment",
        "ing" => "ingress",
        "ns" => "namespace",
        "pdb" => "poddisruptionbudget",
        "pc" => "priorityclass",
        "resourcequota" => "quota",
        "sa" => "serviceaccount",
        "svc" => "service",
        "no" | "nodes" => "node",
        "po" | "pods" => "pod",
        other => other,
    }
}

fn without(argv: &[String], places: &[usize]) -> Vec<String> {
    argv.iter().enumerate().filter(|(i, _)| !places.contains(i)).map(|(_, arg)| arg.clone()).collect()
}

/// `kubectl apply -f FILE` with the text of an editor's tab.
pub fn apply_text(cluster: &mut Cluster, file: &str, text: &str) -> Reply {
    apply::apply_text(cluster, file, text, "default")
}
