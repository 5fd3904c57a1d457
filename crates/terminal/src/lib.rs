//! The user's terminals: a shell on the virtual clock, `kubectl`, and the files of the editor.
//!
//! Rule: a command that takes time is part of the state that can be copied; it stops, goes on and rewinds with the rest.

#![forbid(unsafe_code)]

mod acts;
mod command;
pub mod completion;
mod curl;
mod errands;
mod docker;
pub mod files;
pub mod helm;
pub mod hints;
mod host;
pub mod kubectl;
mod kustomize;
mod lint;
mod nodectl;
mod printing;
mod session;

use crate::command::Command;
use crate::files::{Files, HOME};
use crate::host::Workstation;
use cluster::Cluster;
use cluster::store::Cause;
use shell::host::resolve;
use shell::{FileError, Io, Shell};
use values::time::{SimTime, Span};
use yaml::Diagnostic;

pub use acts::{Acts, acts, are_here};
pub use host::environment;
pub use lint::{empty_cluster, lint, lint_together, remarks};
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

/// An editor's tab: its name and its text.
pub type Tab = (String, String);

/// A command line under way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TaskId(u64);

/// All that terminals keep.
#[derive(Clone, Default)]
pub struct Terminals {
    pub workstation: Workstation,
    tasks: Vec<Task>,
    sessions: session::Sessions,
    finished: Vec<Finished>,
    started: u64,
    /// What containers have carried out.
    errands: Vec<errands::Errand>,
    /// What is done now is caused by this.
    acting: Cause,
}

#[derive(Clone)]
struct Task {
    id: TaskId,
    line: String,
    shell: Shell<Command>,
    io: Io,
    /// What it was started by.
    cause: Cause,
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

    /// What is typed from now on is caused by this.
    pub fn act_for(&mut self, cause: Cause) {
        self.acting = cause;
    }

    /// Starts a command line in a fresh shell; it is polled once at the next step.
    pub fn start(&mut self, cluster: &mut Cluster, line: &str, stdin: Option<&str>) -> TaskId {
        (acts::fetched().start)(self, cluster, line, stdin)
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
        (acts::fetched().interrupt)(self, cluster, id)
    }

    /// Saves the text of an editor's tab as the file of that name; `chart/values.yaml` makes its directory.
    pub fn save(&mut self, file: &str, text: &str, now: SimTime) -> Result<(), FileError> {
        save(&mut self.workstation.files, file, text, now)
    }

    /// The tab of that name is gone, and so is its file.
    ///
    /// # Errors
    /// It was not there any more, or it is a directory that holds something.
    pub fn remove(&mut self, file: &str) -> Result<(), FileError> {
        self.workstation.files.remove(&resolve(HOME, file))
    }

    /// The tab of that name has another one; its file moves with it, and its directory is made.
    ///
    /// # Errors
    /// There is no such file, or none can be there.
    pub fn rename(&mut self, from: &str, to: &str, now: SimTime) -> Result<(), FileError> {
        let (from, to) = (resolve(HOME, from), resolve(HOME, to));
        self.workstation.files.info(&from)?;
        make_parents(&mut self.workstation.files, &to, now)?;
        self.workstation.files.rename(&from, &to)
    }

    /// Opens an interactive terminal.
    pub fn open(&mut self, now: SimTime) -> SessionId {
        (acts::fetched().open)(self, now)
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
        (acts::fetched().type_line)(self, id, line, now)
    }

    /// Types keys into an interactive terminal: what runs there reads them as they are.
    pub fn type_text(&mut self, id: SessionId, text: &str, now: SimTime) {
        (acts::fetched().type_text)(self, id, text, now)
    }

    /// Ctrl-C in an interactive terminal.
    pub fn interrupt_session(&mut self, cluster: &mut Cluster, id: SessionId) {
        (acts::fetched().interrupt_session)(self, cluster, id)
    }

    /// Ctrl-D in an interactive terminal while a command runs.
    pub fn end_input(&mut self, id: SessionId, now: SimTime) {
        if let Some(session) = self.sessions.find_mut(id) {
            session.end_input(now);
        }
    }

    /// Closes an interactive terminal; what runs in it ends.
    pub fn close_session(&mut self, cluster: &mut Cluster, id: SessionId) {
        (acts::fetched().close_session)(self, cluster, id)
    }

    /// What Tab may put at the end of a line that is being typed, in a terminal that may not be open yet. `tabs` are files
    /// that will be saved before the line runs.
    pub fn complete(
        &self,
        id: Option<SessionId>,
        line: &str,
        tabs: &[Tab],
        cluster: &Cluster,
    ) -> completion::Completion {
        (acts::fetched().complete)(self, id, line, tabs, cluster)
    }

    /// When a command next wants to go on.
    pub fn next_wakeup(&self, now: SimTime) -> Option<SimTime> {
        let tasks = self.tasks.iter().filter_map(|task| task.due);
        let errands = self.errands.iter().filter_map(|errand| errand.due);
        tasks.chain(errands).chain(self.sessions.next_due()).min().map(|at| at.max(now))
    }

    /// Something changed: whoever waits, or sleeps unless something happens, looks again.
    pub fn wake(&mut self, now: SimTime) {
        for task in &mut self.tasks {
            task.due = Some(now);
        }
        for errand in &mut self.errands {
            errand.due = Some(now);
        }
        self.sessions.wake(now);
    }

    /// Takes over the command lines that containers want carried out.
    pub fn take_errands(&mut self, cluster: &mut Cluster) {
        (acts::fetched().take_errands)(self, cluster)
    }

    /// Polls the first command that is due.
    pub fn step(&mut self, cluster: &mut Cluster) {
        (acts::fetched().step)(self, cluster)
    }

    /// What moves when a command does something that others wait for, though nothing changed in the cluster.
    fn stirs(&self) -> impl PartialEq + use<> {
        (self.workstation.forwards.connections, self.workstation.editors.open.len())
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
        self.workstation.editors.open.remove(path);
        self.wake(now);
    }

    /// The commands that ended since the last call.
    pub fn take_finished(&mut self) -> Vec<Finished> {
        std::mem::take(&mut self.finished)
    }
}

fn save(files: &mut Files, file: &str, text: &str, now: SimTime) -> Result<(), FileError> {
    let path = resolve(HOME, file);
    make_parents(files, &path, now)?;
    files.write(&path, text.as_bytes(), false, now)
}

/// Makes the directories that a file is to lie in.
fn make_parents(files: &mut Files, path: &str, now: SimTime) -> Result<(), FileError> {
    for (at, _) in path.match_indices('/').skip(1) {
        match files.make_dir(&path[..at], now) {
            Ok(()) | Err(FileError::Exists) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
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
