//! kubectl: one table of verbs, from which parsing, help, completion and errors all come.
//!
//! Adding a verb is a file and a row in [`VERBS`]. Source: `k8s.io/kubectl/pkg/cmd`.

mod api_resources;
mod apply;
mod auth;
mod config;
mod delete;
mod describe;
mod errors;
mod events;
mod explain;
pub mod flags;
mod get;
mod manifests;
mod options;
mod query;
mod resource;
#[cfg(test)]
mod tests;
mod top;
mod version;
mod watch;

use crate::cluster::Cluster;
use crate::shell::{Io, Poll};
use crate::terminal::Reply;
use crate::terminal::command::Args;
use crate::terminal::host::Desk;
use flags::{Flag, Parsed, Takes, flag};

/// A verb of kubectl.
#[derive(Debug)]
pub struct Verb {
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
    &explain::VERB,
    &get::VERB,
    &delete::VERB,
    &version::CLUSTER_INFO,
    &top::VERB,
    &describe::VERB,
    &auth::VERB,
    &events::VERB,
    &apply::VERB,
    &api_resources::VERB,
    &api_resources::VERSIONS,
    &config::VERB,
    &options::VERB,
    &version::VERB,
];

/// Flags every verb has.
pub const GLOBAL_FLAGS: &[Flag] = &[
    flag("namespace", Takes::Text, "The namespace to work in").short('n'),
    flag("help", Takes::Nothing, "Says how the command is used").short('h'),
    flag("request-timeout", Takes::Text, "How long to wait for one request").default("0"),
    flag("v", Takes::Text, "How much kubectl says about itself").short('v').default("0"),
    flag("context", Takes::Text, "The context of the configuration to use"),
    flag("kubeconfig", Takes::Text, "The configuration file"),
];

/// One run of kubectl.
pub struct Call<'a, 'b> {
    pub desk: &'a mut Desk<'b>,
    pub io: &'a mut Io,
    pub parsed: Parsed,
    pub args: &'a Args,
}

/// How a verb's first part ended.
pub enum Outcome {
    Exit(i32),
    Waits(Waiting),
}

/// What a verb waits for.
#[derive(Clone, Debug)]
pub enum Waiting {
    /// Objects that are being deleted.
    Deletion(delete::Deletion),
    /// Changes to print, until someone interrupts.
    Watch(Box<watch::Watch>),
    /// Events to print, until someone interrupts.
    Events(Box<events::EventWatch>),
}

/// A kubectl that was started.
#[derive(Clone, Debug, Default)]
pub enum Task {
    #[default]
    New,
    Waits(Waiting),
}

impl Task {
    /// Starts the verb, or goes on waiting.
    pub fn poll(&mut self, args: &Args, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        if let Task::New = self {
            match start(args, desk, io) {
                Outcome::Exit(code) => return Poll::Exit(code),
                Outcome::Waits(waiting) => *self = Task::Waits(waiting),
            }
        }
        match self {
            Task::New => Poll::Exit(1),
            Task::Waits(Waiting::Deletion(deletion)) => deletion.poll(desk, io),
            Task::Waits(Waiting::Watch(watch)) => watch.poll(desk, io),
            Task::Waits(Waiting::Events(events)) => events.poll(desk, io),
        }
    }
}

impl Call<'_, '_> {
    /// The namespace of the call.
    pub fn namespace(&self) -> &str {
        self.parsed.text("namespace").unwrap_or("default")
    }

    /// Prints `error: …` and gives exit code 1.
    pub fn fail(&mut self, message: &str) -> Outcome {
        self.io.err(&format!("error: {message}\n"));
        Outcome::Exit(1)
    }
}

fn start(args: &Args, desk: &mut Desk<'_>, io: &mut Io) -> Outcome {
    let Some(name) = args.argv.iter().find(|arg| !arg.starts_with('-')) else {
        io.out("kubectl controls the Kubernetes cluster manager.\n");
        return Outcome::Exit(0);
    };
    let Some(verb) = VERBS.iter().find(|verb| verb.name == name) else {
        io.err(&format!("error: unknown command \"{name}\" for \"kubectl\"\n"));
        return Outcome::Exit(1);
    };
    let mut rest = args.argv.clone();
    if let Some(i) = rest.iter().position(|arg| arg == name) {
        rest.remove(i);
    }
    match flags::parse(&rest, &[verb.flags, GLOBAL_FLAGS]) {
        Ok(parsed) => (verb.run)(&mut Call { desk, io, parsed, args }),
        Err(message) => {
            io.err(&format!("error: {message}\nSee 'kubectl {} --help' for usage.\n", verb.name));
            Outcome::Exit(1)
        }
    }
}

/// `kubectl apply -f FILE` with the text of an editor's tab.
pub fn apply_text(cluster: &mut Cluster, file: &str, text: &str) -> Reply {
    apply::apply_text(cluster, file, text, "default")
}
