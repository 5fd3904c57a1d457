//! The machine a container program sees while it is polled: time, chance, files, and a way to send requests.
//!
//! Rule: programs keep their own state and nothing of the machine's; what outlives a poll (files, open requests) belongs to
//! the container. So a program is plain data, and a copy of the container is a copy of everything in it.

use crate::program::files::Files;
use crate::program::http::{Answer, Request};
use crate::program::image::Image;
use crate::program::tool::INSTALLED;
use shell::host::resolve;
use shell::{Env, FileError, FileInfo, Signal, System};
use values::rng::{Rng, Stream};
use values::sort::sort;
use values::sorted::SortedMap;
use values::time::SimTime;

/// A request on its way, as the client knows it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RequestId(u32);

/// A command line that only the layer above can carry out: `kubectl` with the Pod's account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// With the program's own name.
    pub argv: Vec<String>,
    pub env: Env,
    pub cwd: String,
    /// All of its input.
    pub input: Vec<u8>,
    /// The files that its arguments name, by absolute path.
    pub files: Vec<(String, Vec<u8>)>,
}

/// What came of a [`Call`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Returned {
    pub out: String,
    pub err: String,
    pub exit_code: i32,
}

/// The open requests of one container.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Connections {
    sent: u32,
    outbox: Vec<(RequestId, Request)>,
    answers: SortedMap<RequestId, Answer>,
    /// Signals that a process sent to the container's first one.
    signals: Vec<Signal>,
    calls: Vec<(RequestId, Call)>,
    returned: SortedMap<RequestId, Returned>,
}

impl Connections {
    /// Sends a request; the answer comes under the id.
    pub fn send(&mut self, request: Request) -> RequestId {
        self.sent += 1;
        let id = RequestId(self.sent);
        self.outbox.push((id, request));
        id
    }

    /// The answer, once it is there.
    pub fn take(&mut self, id: RequestId) -> Option<Answer> {
        self.answers.remove(&id)
    }

    /// What was sent since the last call; whoever runs the container carries it to its target.
    pub fn take_outbox(&mut self) -> Vec<(RequestId, Request)> {
        std::mem::take(&mut self.outbox)
    }

    /// Has a command line carried out; what came of it comes under the id.
    pub fn call(&mut self, call: Call) -> RequestId {
        self.sent += 1;
        let id = RequestId(self.sent);
        self.calls.push((id, call));
        id
    }

    /// What came of a call, once it has ended.
    pub fn take_returned(&mut self, id: RequestId) -> Option<Returned> {
        self.returned.remove(&id)
    }

    /// The calls since the last one of this.
    pub fn take_calls(&mut self) -> Vec<(RequestId, Call)> {
        std::mem::take(&mut self.calls)
    }

    pub fn put_returned(&mut self, id: RequestId, returned: Returned) {
        self.returned.insert(id, returned);
    }

    /// Signals for the container's first process, sent since the last call.
    pub fn take_signals(&mut self) -> Vec<Signal> {
        std::mem::take(&mut self.signals)
    }

    pub(super) fn signal_first(&mut self, signal: Signal) {
        self.signals.push(signal);
    }

    pub fn put_answer(&mut self, id: RequestId, answer: Answer) {
        self.answers.insert(id, answer);
    }
}

/// A container's machine for the time of one poll.
pub struct Machine<'a> {
    pub now: SimTime,
    pub rng: Rng,
    /// Who draws: the Pod's uid, the container and its run.
    pub key: &'a str,
    /// How many draws this container has made.
    pub draws: &'a mut u64,
    pub host_name: &'a str,
    pub image: &'a Image,
    pub files: Files<'a>,
    pub net: &'a mut Connections,
    /// `resources.limits.memory`.
    pub memory_limit_bytes: Option<u64>,
    /// The numeric user the container runs as.
    pub user: u32,
    /// What is polled belongs to the container's own program, not to a probe or `kubectl exec`.
    pub main: bool,
}

impl Machine<'_> {
    /// A fresh stream of draws.
    pub fn draw(&mut self, purpose: &str) -> Stream {
        *self.draws += 1;
        self.rng.stream(purpose, &format!("{}/{}", self.key, self.draws))
    }
}

impl Machine<'_> {
    /// Whether a path leads to a file that may be run.
    pub fn is_runnable(&self, cwd: &str, name: &str) -> bool {
        let info = self.files.info(&resolve(cwd, name));
        name.contains('/') && info.is_ok_and(|info| !info.directory() && info.executable())
    }

    /// Whether a program that is not known may be there all the same: nobody knows the image, or a package manager has run.
    pub fn holds_anything(&self) -> bool {
        self.image.unmodelled || self.files.own.has(INSTALLED)
    }
}

impl System for Machine<'_> {
    /// A container's budget is time (`node::latency::BUSY_STEP`), in which memory moves fast.
    fn step_bytes(&self) -> u64 {
        1 << 16
    }

    fn now(&self) -> SimTime {
        self.now
    }

    fn random(&mut self) -> u64 {
        self.draw("shell").next()
    }

    fn host_name(&self) -> String {
        self.host_name.to_owned()
    }

    fn user(&self) -> (String, u32) {
        let name = match self.user {
            0 => "root",
            65534 => "nobody",
            _ => "unknown",
        };
        (name.into(), self.user)
    }

    fn memory_limit_bytes(&self) -> Option<u64> {
        self.memory_limit_bytes
    }

    fn offers(&self, name: &str) -> bool {
        self.image.shell_knows(name) || self.holds_anything()
    }

    fn knows(&self, name: &str) -> bool {
        self.image.program(name, None).is_some() || self.holds_anything()
    }

    fn info(&self, path: &str) -> Result<FileInfo, FileError> {
        if let Some(device) = device_info(path) {
            return Ok(device);
        }
        self.files
            .info(path)
            .or_else(|error| if self.image.has_program(path) { Ok(program_info()) } else { Err(error) })
    }

    fn read_file(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.files.read(path)
    }

    fn write_file(&mut self, path: &str, bytes: &[u8], append: bool) -> Result<(), FileError> {
        self.files.write(path, bytes, append)
    }

    fn list_dir(&self, path: &str) -> Result<Vec<String>, FileError> {
        let listed = self.files.list(path);
        let more: Vec<String> = match path {
            "/dev" => DEVICES.iter().map(|name| (*name).to_owned()).collect(),
            _ => self.image.programs_in(path),
        };
        if more.is_empty() {
            return listed;
        }
        let mut names = listed.unwrap_or_default();
        names.extend(more);
        sort(&mut names);
        names.dedup();
        Ok(names)
    }

    fn make_dir(&mut self, path: &str) -> Result<(), FileError> {
        self.files.make_dir(path)
    }

    fn remove(&mut self, path: &str) -> Result<(), FileError> {
        self.files.remove(path)
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<(), FileError> {
        self.files.rename(from, to)
    }

    fn link_info(&self, path: &str) -> Result<FileInfo, FileError> {
        match self.files.link_info(path) {
            Err(_) => self.info(path),
            known => known,
        }
    }

    fn read_link(&self, path: &str) -> Result<String, FileError> {
        self.files.read_link(path)
    }

    fn make_link(&mut self, target: &str, path: &str) -> Result<(), FileError> {
        self.files.make_link(target, path)
    }

    fn make_pipe(&mut self, path: &str) -> Result<(), FileError> {
        self.files.make_pipe(path)
    }

    fn set_mode(&mut self, path: &str, mode: u32) -> Result<(), FileError> {
        self.files.set_mode(path, mode)
    }

    fn set_owner(&mut self, path: &str, user: u32, group: u32) -> Result<(), FileError> {
        self.files.set_owner(path, user, group)
    }

    fn set_modified(&mut self, path: &str, at: SimTime) -> Result<(), FileError> {
        self.files.set_modified(path, at)
    }
}

fn device_info(path: &str) -> Option<FileInfo> {
    let name = path.strip_prefix("/dev/")?;
    DEVICES.contains(&name).then(FileInfo::device)
}

/// The devices every container has.
const DEVICES: [&str; 9] = ["full", "null", "random", "stderr", "stdin", "stdout", "tty", "urandom", "zero"];

fn program_info() -> FileInfo {
    FileInfo::file(1_131_168, 0o755, SimTime::EPOCH)
}
