//! The machine that the user's shell runs on: its files, and the commands only it knows.

use values::sorted::SortedSet;

use crate::command::{self, Command};
use crate::docker::Daemon;
use crate::files::Files;
use crate::kubectl::Forwards;
use cluster::Cluster;
use shell::{Env, FileError, FileInfo, Host, Io, Launch, Poll, Signal, Start, System};
use values::time::SimTime;

/// What a command may reach while it runs.
pub struct Desk<'a> {
    pub cluster: &'a mut Cluster,
    pub files: &'a mut Files,
    /// The workstation's own containers.
    pub docker: &'a mut Daemon,
    /// Names the draws of this task.
    pub task: u64,
    pub draws: &'a mut u64,
    /// The ports that lead into the cluster.
    pub forwards: &'a mut Forwards,
    pub editors: &'a mut Editors,
    /// Someone sits at this terminal and can edit a text. Elsewhere an edit ends at once.
    pub attended: bool,
    /// Set by a command that waits for what containers print: that is no change in the cluster's objects.
    pub listens: &'a mut bool,
}

/// Texts that `kubectl edit` opened for whoever sits at the terminal.
#[derive(Clone, Debug, Default)]
pub struct Editors {
    /// The files that are being edited. Who is done with one takes it out.
    pub open: SortedSet<String>,
}

/// What all terminals of the user's machine share.
#[derive(Clone, Debug, Default)]
pub struct Workstation {
    pub files: Files,
    pub docker: Daemon,
    pub forwards: Forwards,
    pub editors: Editors,
    pub draws: u64,
}

impl Workstation {
    /// The desk of one command line: `task` names its draws, `listens` is set if it waits for what containers print.
    pub fn desk<'a>(&'a mut self, cluster: &'a mut Cluster, task: u64, listens: &'a mut bool) -> Desk<'a> {
        let Workstation { files, docker, forwards, editors, draws } = self;
        Desk { cluster, files, docker, task, draws, forwards, editors, attended: false, listens }
    }
}

impl System for Desk<'_> {
    fn now(&self) -> SimTime {
        self.cluster.now()
    }

    fn random(&mut self) -> u64 {
        *self.draws += 1;
        self.cluster.rng().stream("terminal", &format!("{}/{}", self.task, self.draws)).next()
    }

    fn host_name(&self) -> String {
        "workstation".to_owned()
    }

    fn user(&self) -> (String, u32) {
        ("learner".to_owned(), 1000)
    }

    fn knows(&self, name: &str) -> bool {
        command::find(name).is_some()
    }

    fn info(&self, path: &str) -> Result<FileInfo, FileError> {
        self.files.info(path)
    }

    fn read_file(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.files.read(path)
    }

    fn write_file(&mut self, path: &str, bytes: &[u8], append: bool) -> Result<(), FileError> {
        self.files.write(path, bytes, append, self.cluster.now())
    }

    fn list_dir(&self, path: &str) -> Result<Vec<String>, FileError> {
        self.files.list(path)
    }

    fn make_dir(&mut self, path: &str) -> Result<(), FileError> {
        self.files.make_dir(path, self.cluster.now())
    }

    fn remove(&mut self, path: &str) -> Result<(), FileError> {
        self.files.remove(path)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), FileError> {
        self.files.rename(from, to)
    }
}

impl Host for Desk<'_> {
    type Command = Command;

    fn start(&mut self, launch: Launch<'_>) -> Start<Command> {
        match command::find(launch.argv.first().map_or("", String::as_str)) {
            Some(start) => Start::Started(start(launch)),
            None => Start::NotFound,
        }
    }

    fn poll(&mut self, command: &mut Command, io: &mut Io) -> Poll {
        command.poll(self, io)
    }

    fn signal(&mut self, command: &mut Command, signal: Signal) {
        if !signal.is_harmless() {
            command.end(signal, self);
        }
    }
}

/// The environment a terminal starts with.
pub fn environment() -> Env {
    let pairs = [
        ("HOME", super::files::HOME),
        ("USER", "learner"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("TERM", "xterm"),
    ];
    pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
}
