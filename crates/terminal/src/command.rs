//! The commands that only the user's machine has. Adding one is a row in [`COMMANDS`].

use crate::curl;
use crate::docker;
use crate::helm;
use crate::host::Desk;
use crate::kubectl;
use crate::nodectl;
use shell::{Env, Io, Launch, Poll, Signal};

/// A command that runs: what it was started with, and where it stands.
#[derive(Clone, Debug)]
pub struct Command {
    pub args: Args,
    state: State,
    /// A signal ended it with this exit code.
    ended: Option<i32>,
}

/// What a command was started with.
#[derive(Clone, Debug)]
pub struct Args {
    /// Without the command's own name.
    pub argv: Vec<String>,
    pub env: Env,
    pub cwd: String,
}

#[derive(Clone, Debug)]
enum State {
    Docker(docker::Task),
    Helm(helm::Task),
    Kubectl(kubectl::Task),
    Nodectl,
    Curl,
}

type Start = fn(Launch<'_>) -> Command;

/// Names and how each is started.
const COMMANDS: &[(&str, Start)] = &[
    ("docker", |launch| new(launch, State::Docker(docker::Task::default()))),
    ("helm", |launch| new(launch, State::Helm(helm::Task::default()))),
    ("kubectl", |launch| new(launch, State::Kubectl(kubectl::Task::default()))),
    ("curl", |launch| new(launch, State::Curl)),
    ("nodectl", |launch| new(launch, State::Nodectl)),
];

/// The command called `name`; a path to it works as well.
pub fn find(name: &str) -> Option<Start> {
    let name = name.rsplit('/').next().unwrap_or(name);
    COMMANDS.iter().find(|(known, _)| *known == name).map(|(_, start)| *start)
}

/// The names of all of them, for completion.
pub fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(name, _)| *name)
}

fn new(launch: Launch<'_>, state: State) -> Command {
    let argv = launch.argv.iter().skip(1).cloned().collect();
    Command { args: Args { argv, env: launch.env.clone(), cwd: launch.cwd.to_owned() }, state, ended: None }
}

impl Command {
    /// Goes on as far as it can without time passing.
    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        if let Some(code) = self.ended {
            return Poll::Exit(code);
        }
        match &mut self.state {
            State::Docker(task) => task.poll(&self.args, desk, io),
            State::Helm(task) => task.poll(&self.args, desk, io),
            State::Kubectl(task) => task.poll(&self.args, desk, io),
            State::Curl => curl::run(&self.args, desk, io),
            State::Nodectl => nodectl::run(&self.args.argv, desk.cluster, io),
        }
    }

    /// It is ended from outside: what it holds elsewhere (ports, commands in containers) is let go.
    pub fn end(&mut self, signal: Signal, desk: &mut Desk<'_>) {
        self.ended = Some(signal.exit_code());
        if let State::Kubectl(task) = &mut self.state {
            task.cancel(desk);
        }
    }
}
