//! The user's terminals: a shell on the virtual clock, `kubectl`, and the files of the editor.
//!
//! Rule: a command that takes time is part of the state that can be copied; it stops, goes on and rewinds with the rest.

mod command;
pub mod completion;
mod curl;
mod docker;
pub mod files;
pub mod helm;
pub mod hints;
mod host;
pub mod kubectl;
mod lint;
mod nodectl;
mod printing;
mod session;

use crate::base::time::{SimTime, Span};
use crate::cluster::Cluster;
use crate::shell::host::resolve;
use crate::shell::{Dialect, FileError, Input, Io, Options, Poll, Shell, Signal, Stream};
use crate::terminal::command::Command;
use crate::terminal::files::{Files, HOME};
use crate::terminal::host::Machine;
use crate::yaml::Diagnostic;

pub use host::environment;
pub use lint::{lint, remarks};
pub use session::{Ink, Piece, Session, SessionId};

/// Shell steps of one poll; after that others have their turn and a millisecond passes.
const STEP_BUDGET: u32 = 10_000;
/// Polls in a row that may end for want of budget before each costs more time, as a busy program's in a container does …
const BUSY_POLLS: u32 = 20;
/// … and before the line is stopped: it never waits for anything, and will not.
const RUNAWAY_POLLS: u32 = 600;
/// What a line that is stopped leaves behind: killed.
const RUNAWAY_EXIT: i32 = 137;
/// Bytes of output that are kept of one command.
const OUTPUT_MAX: usize = 1 << 20;

/// A command line under way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TaskId(u64);

/// All that terminals keep.
#[derive(Clone, Default)]
pub struct Terminals {
    pub machine: Machine,
    tasks: Vec<Task>,
    sessions: session::Sessions,
    finished: Vec<Finished>,
    started: u64,
}

#[derive(Clone)]
struct Task {
    id: TaskId,
    line: String,
    shell: Shell<Command>,
    io: Io,
    began: SimTime,
    /// When to poll it again; none while it waits for something to happen.
    due: Option<SimTime>,
    /// It waits for what containers print.
    listens: bool,
    /// Polls in a row that ended for want of budget.
    busy_polls: u32,
    /// Its output is longer than what is kept.
    cut: bool,
    stdout: String,
    stderr: String,
    lines: Vec<(SimTime, String)>,
    /// The part of the last line that has no end yet.
    partial: String,
}

/// A command line that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    pub id: TaskId,
    pub line: String,
    pub exit: i32,
    pub stdout: String,
    pub stderr: String,
    pub began: SimTime,
    pub ended: SimTime,
    /// Lines of standard output with their times.
    pub lines: Vec<(SimTime, String)>,
}

/// What came of an act at once.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Reply {
    /// What the command printed.
    pub stdout: String,
    pub stderr: String,
    /// 0 if all went well.
    pub exit: i32,
    /// What is wrong with the text and where; empty if nothing is.
    pub diagnostics: Vec<Diagnostic>,
}

impl Terminals {
    pub fn new() -> Terminals {
        Terminals::default()
    }

    /// Starts a command line in a fresh shell; it is polled once at the next step.
    pub fn start(&mut self, cluster: &mut Cluster, line: &str, stdin: Option<&str>) -> TaskId {
        self.started += 1;
        let id = TaskId(self.started);
        let options =
            Options { env: environment(), cwd: HOME.to_owned(), started: cluster.now(), ..Options::new(Dialect::Bash) };
        let mut io = Io::without_input();
        if let Some(text) = stdin {
            io.stdin = Input::of(text.as_bytes());
        }
        self.tasks.push(Task {
            id,
            line: line.to_owned(),
            shell: Shell::new(line, options),
            io,
            began: cluster.now(),
            due: Some(cluster.now()),
            listens: false,
            busy_polls: 0,
            cut: false,
            stdout: String::new(),
            stderr: String::new(),
            lines: Vec::new(),
            partial: String::new(),
        });
        id
    }

    /// `kubectl apply -f FILE` of an editor's tab: saves the text as the file, applies it, and says where it is wrong.
    pub fn apply(&mut self, cluster: &mut Cluster, file: &str, text: &str) -> Reply {
        if let Err(error) = self.save(file, text, cluster.now()) {
            return Reply { stderr: format!("{file}: {error}\n"), exit: 1, ..Reply::default() };
        }
        kubectl::apply_text(cluster, file, text)
    }

    /// Sends Ctrl-C to a command line.
    pub fn interrupt(&mut self, cluster: &mut Cluster, id: TaskId) {
        let Terminals { machine, tasks, .. } = self;
        if let Some(task) = tasks.iter_mut().find(|task| task.id == id) {
            let mut desk = machine.desk(cluster, id.0, &mut task.listens);
            task.shell.signal(&mut desk, &mut task.io, Signal::Int);
            task.due = Some(desk.cluster.now());
        }
    }

    /// Saves the text of an editor's tab as the file of that name; `chart/values.yaml` makes its directory.
    pub fn save(&mut self, file: &str, text: &str, now: SimTime) -> Result<(), FileError> {
        save(&mut self.machine.files, file, text, now)
    }

    /// The tab of that name is gone, and so is its file.
    pub fn remove(&mut self, file: &str) {
        // A command may have removed it before.
        let _ = self.machine.files.remove(&resolve(HOME, file));
    }

    /// Opens an interactive terminal.
    pub fn open(&mut self, now: SimTime) -> SessionId {
        self.sessions.open(now)
    }

    /// The terminal that was opened last.
    pub fn newest(&self) -> Option<SessionId> {
        self.sessions.newest()
    }

    pub fn session(&self, id: SessionId) -> Option<&Session> {
        self.sessions.find(id)
    }

    /// Types a line into an interactive terminal.
    pub fn type_line(&mut self, id: SessionId, line: &str, now: SimTime) {
        if let Some(session) = self.sessions.find_mut(id) {
            session.type_line(line, now);
        }
    }

    /// Ctrl-C in an interactive terminal.
    pub fn interrupt_session(&mut self, cluster: &mut Cluster, id: SessionId) {
        let Terminals { machine, sessions, .. } = self;
        if let Some(session) = sessions.find_mut(id) {
            let (task, mut listens) = (session.draws_as(), false);
            session.interrupt(&mut machine.desk(cluster, task, &mut listens));
        }
    }

    /// Ctrl-D in an interactive terminal while a command runs.
    pub fn end_input(&mut self, id: SessionId, now: SimTime) {
        if let Some(session) = self.sessions.find_mut(id) {
            session.end_input(now);
        }
    }

    /// Closes an interactive terminal; what runs in it ends.
    pub fn close_session(&mut self, cluster: &mut Cluster, id: SessionId) {
        let Terminals { machine, sessions, .. } = self;
        sessions.close(id, cluster, machine);
    }

    /// What Tab may put at the end of a line that is being typed, in a terminal that may not be open yet. `tabs` are files
    /// that will be saved before the line runs.
    pub fn complete(
        &self,
        id: Option<SessionId>,
        line: &str,
        tabs: &[(String, String)],
        cluster: &Cluster,
    ) -> completion::Completion {
        let fresh = Session::new(SessionId(0), cluster.now());
        let session = id.and_then(|id| self.session(id)).unwrap_or(&fresh);
        let mut files = self.machine.files.clone();
        for (name, text) in tabs {
            // What cannot be saved is not offered.
            let _ = save(&mut files, name, text, cluster.now());
        }
        completion::complete(line, &session.commands(), session.cwd(), &files, cluster.store())
    }

    /// When a command next wants to go on.
    pub fn next_wakeup(&self, now: SimTime) -> Option<SimTime> {
        let tasks = self.tasks.iter().filter_map(|task| task.due);
        tasks.chain(self.sessions.next_due()).min().map(|at| at.max(now))
    }

    /// Something changed: whoever waits, or sleeps unless something happens, looks again.
    pub fn wake(&mut self, now: SimTime) {
        for task in &mut self.tasks {
            task.due = Some(now);
        }
        self.sessions.wake(now);
    }

    /// Polls the first command that is due.
    pub fn step(&mut self, cluster: &mut Cluster) {
        let now = cluster.now();
        let before = self.stirs();
        let Some(i) = self.tasks.iter().position(|task| task.due.is_some_and(|at| at <= now)) else {
            self.sessions.step(cluster, &mut self.machine);
            if self.stirs() != before {
                self.wake(now);
            }
            return;
        };
        let Terminals { machine, tasks, .. } = self;
        let task = &mut tasks[i];
        task.listens = false;
        let mut desk = machine.desk(cluster, task.id.0, &mut task.listens);
        let mut budget = STEP_BUDGET;
        let poll = task.shell.poll(&mut desk, &mut task.io, &mut budget);
        task.take_output(now);
        task.busy_polls = if poll == Poll::Yield { task.busy_polls + 1 } else { 0 };
        match poll {
            Poll::Exit(exit) => {
                let task = tasks.remove(i);
                self.finished.push(task.finish(exit, now));
            }
            Poll::SleepUntil(at) => task.due = Some(at.max(now + Span::ms(1))),
            Poll::Wait => task.due = None,
            Poll::Yield if task.busy_polls >= RUNAWAY_POLLS => {
                let mut task = tasks.remove(i);
                task.stderr.push_str(&runaway_text());
                self.finished.push(task.finish(RUNAWAY_EXIT, now));
            }
            Poll::Yield => task.due = Some(now + busy_pause(task.busy_polls)),
        }
        // Who forwards the port has something to say.
        if self.stirs() != before {
            self.wake(now);
        }
    }

    /// What moves when a command does something that others wait for, though nothing changed in the cluster.
    fn stirs(&self) -> impl PartialEq + use<> {
        (self.machine.forwards.connections, self.machine.editors.open.len())
    }

    /// A container may have printed something: whoever shows that looks again.
    pub fn listen(&mut self, now: SimTime) {
        for task in self.tasks.iter_mut().filter(|task| task.listens) {
            task.due = Some(now);
        }
        self.sessions.listen(now);
    }

    /// The editor of a file that `kubectl edit` opened was closed; what the file holds is taken.
    pub fn close_edit(&mut self, path: &str, now: SimTime) {
        self.machine.editors.open.remove(path);
        self.wake(now);
    }

    /// The commands that ended since the last call.
    pub fn take_finished(&mut self) -> Vec<Finished> {
        std::mem::take(&mut self.finished)
    }
}

fn save(files: &mut Files, file: &str, text: &str, now: SimTime) -> Result<(), FileError> {
    let path = resolve(HOME, file);
    for (at, _) in path.match_indices('/').skip(1) {
        match files.make_dir(&path[..at], now) {
            Ok(()) | Err(FileError::Exists) => {}
            Err(error) => return Err(error),
        }
    }
    files.write(&path, text.as_bytes(), false, now)
}

impl Task {
    fn finish(mut self, exit: i32, now: SimTime) -> Finished {
        if !self.partial.is_empty() {
            self.lines.push((now, std::mem::take(&mut self.partial)));
        }
        Finished {
            id: self.id,
            line: self.line,
            exit,
            stdout: self.stdout,
            stderr: self.stderr,
            began: self.began,
            ended: now,
            lines: self.lines,
        }
    }

    fn take_output(&mut self, now: SimTime) {
        for chunk in self.io.output.take() {
            let text = String::from_utf8_lossy(&chunk.bytes).into_owned();
            if self.cut || self.stdout.len() + self.stderr.len() + text.len() > OUTPUT_MAX {
                if !self.cut {
                    self.cut = true;
                    self.stderr.push_str("batchyard: more than a mebibyte of output: the rest is left out\n");
                }
                continue;
            }
            if chunk.stream == Stream::Stderr {
                self.stderr.push_str(&text);
                continue;
            }
            self.stdout.push_str(&text);
            for piece in text.split_inclusive('\n') {
                self.partial.push_str(piece);
                if self.partial.ends_with('\n') {
                    self.partial.pop();
                    self.lines.push((now, std::mem::take(&mut self.partial)));
                }
            }
        }
    }
}

/// How much time passes while a command line that does not wait works off its budget.
fn busy_pause(busy_polls: u32) -> Span {
    Span::ms(if busy_polls > BUSY_POLLS { 100 } else { 1 })
}

/// Said of a line that is stopped.
fn runaway_text() -> String {
    format!(
        "batchyard: stopped after {} million steps without waiting for anything; a loop needs a `sleep`\n",
        STEP_BUDGET * RUNAWAY_POLLS / 1_000_000
    )
}
