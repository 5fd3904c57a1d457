//! What is done at a terminal: a part of the engine, see `values::part`.
//!
//! Everything that lets a command line begin, go on or end is here, so that no command is reached by another way.

use wasm_split_helpers::wasm_split;

use super::completion::{self, Completion};
use super::errands::Errand;
use super::files::HOME;
use super::host::environment;
use super::{Finished, OUTPUT_MAX, RUNAWAY_EXIT, RUNAWAY_POLLS, STEP_BUDGET};
use super::{Session, SessionId, Tab, Task, TaskId, Terminals, busy_pause, runaway_text, save};
use cluster::Cluster;
use shell::{Dialect, Input, Io, Options, Poll, Shell, Signal, Stream};
use values::part::{self, NotFetched};
use values::time::{SimTime, Span};

/// What can be done with terminals; each is the method of [`Terminals`] that has its name.
pub struct Acts {
    pub start: fn(&mut Terminals, &mut Cluster, &str, Option<&str>) -> TaskId,
    pub interrupt: fn(&mut Terminals, &mut Cluster, TaskId),
    pub open: fn(&mut Terminals, SimTime) -> SessionId,
    pub type_line: fn(&mut Terminals, SessionId, &str, SimTime),
    pub type_text: fn(&mut Terminals, SessionId, &str, SimTime),
    pub interrupt_session: fn(&mut Terminals, &mut Cluster, SessionId),
    pub close_session: fn(&mut Terminals, &mut Cluster, SessionId),
    pub complete: fn(&Terminals, Option<SessionId>, &str, &[Tab], &Cluster) -> Completion,
    pub step: fn(&mut Terminals, &mut Cluster),
    pub take_errands: fn(&mut Terminals, &mut Cluster),
}

static ACTS: Acts = Acts {
    start,
    interrupt,
    open,
    type_line,
    type_text,
    interrupt_session,
    close_session,
    complete,
    step,
    take_errands,
};

/// The functions of this part.
///
/// # Errors
/// They could not be fetched.
#[wasm_split(terminal, fallible)]
pub fn acts() -> Result<&'static Acts, NotFetched> {
    Ok(&ACTS)
}

/// The functions of this part, which the host has fetched.
pub(super) fn fetched() -> &'static Acts {
    part::fetched(acts())
}

fn start(terminals: &mut Terminals, cluster: &mut Cluster, line: &str, stdin: Option<&str>) -> TaskId {
    terminals.started += 1;
    let id = TaskId(terminals.started);
    let options =
        Options { env: environment(), cwd: HOME.to_owned(), started: cluster.now(), ..Options::new(Dialect::Bash) };
    let mut io = Io::without_input();
    if let Some(text) = stdin {
        io.stdin = Input::of(text.as_bytes());
    }
    terminals.tasks.push(Task {
        id,
        line: line.to_owned(),
        shell: Shell::new(line, options),
        io,
        cause: cluster.acting(),
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

fn interrupt(terminals: &mut Terminals, cluster: &mut Cluster, id: TaskId) {
    let Terminals { workstation, tasks, .. } = terminals;
    if let Some(task) = tasks.iter_mut().find(|task| task.id == id) {
        let mut desk = workstation.desk(cluster, id.0, &mut task.listens);
        task.shell.signal(&mut desk, &mut task.io, Signal::Int);
        task.due = Some(desk.cluster.now());
    }
}

fn open(terminals: &mut Terminals, now: SimTime) -> SessionId {
    terminals.sessions.open(now)
}

fn type_line(terminals: &mut Terminals, id: SessionId, line: &str, now: SimTime) {
    let cause = terminals.acting;
    if let Some(session) = terminals.sessions.find_mut(id) {
        session.act_for(cause);
        session.type_line(line, now);
    }
}

fn type_text(terminals: &mut Terminals, id: SessionId, text: &str, now: SimTime) {
    let cause = terminals.acting;
    if let Some(session) = terminals.sessions.find_mut(id) {
        session.act_for(cause);
        session.type_text(text, now);
    }
}

fn interrupt_session(terminals: &mut Terminals, cluster: &mut Cluster, id: SessionId) {
    let Terminals { workstation, sessions, .. } = terminals;
    if let Some(session) = sessions.find_mut(id) {
        let (task, mut listens) = (session.draws_as(), false);
        session.interrupt(&mut workstation.desk(cluster, task, &mut listens));
    }
}

fn close_session(terminals: &mut Terminals, cluster: &mut Cluster, id: SessionId) {
    let Terminals { workstation, sessions, .. } = terminals;
    sessions.close(id, cluster, workstation);
}

fn complete(terminals: &Terminals, id: Option<SessionId>, line: &str, tabs: &[Tab], cluster: &Cluster) -> Completion {
    let fresh = Session::new(SessionId(0), cluster.now());
    let session = id.and_then(|id| terminals.session(id)).unwrap_or(&fresh);
    let mut files = terminals.workstation.files.clone();
    for (name, text) in tabs {
        // What cannot be saved is not offered.
        let _ = save(&mut files, name, text, cluster.now());
    }
    completion::complete(line, &session.commands(), session.cwd(), &files, cluster.store())
}

/// Whether this part is there.
pub fn are_here() -> bool {
    part::is_here(acts())
}

fn take_errands(terminals: &mut Terminals, cluster: &mut Cluster) {
    let now = cluster.now();
    for call in cluster.take_calls() {
        terminals.started += 1;
        terminals.errands.push(Errand::begin(call, terminals.started, now));
    }
}

fn step(terminals: &mut Terminals, cluster: &mut Cluster) {
    let now = cluster.now();
    if let Some(at) = terminals.errands.iter().position(|errand| errand.due.is_some_and(|due| due <= now)) {
        let mut errand = terminals.errands.remove(at);
        if !errand.step(cluster) {
            terminals.errands.push(errand);
        }
        return;
    }
    let before = terminals.stirs();
    let Some(i) = terminals.tasks.iter().position(|task| task.due.is_some_and(|at| at <= now)) else {
        terminals.sessions.step(cluster, &mut terminals.workstation);
        if terminals.stirs() != before {
            terminals.wake(now);
        }
        return;
    };
    let Terminals { workstation, tasks, .. } = terminals;
    let task = &mut tasks[i];
    cluster.act_for(task.cause);
    task.listens = false;
    let mut desk = workstation.desk(cluster, task.id.0, &mut task.listens);
    let mut budget = STEP_BUDGET;
    let poll = task.shell.poll(&mut desk, &mut task.io, &mut budget);
    task.take_output(now);
    task.busy_polls = if poll == Poll::Yield { task.busy_polls + 1 } else { 0 };
    match poll {
        Poll::Exit(exit) => {
            let task = tasks.remove(i);
            terminals.finished.push(task.finish(exit, now));
        }
        Poll::SleepUntil(at) => task.due = Some(at.max(now + Span::ms(1))),
        Poll::Wait => task.due = None,
        Poll::Yield if task.busy_polls >= RUNAWAY_POLLS => {
            let mut task = tasks.remove(i);
            task.stderr.push_str(&runaway_text());
            terminals.finished.push(task.finish(RUNAWAY_EXIT, now));
        }
        Poll::Yield => task.due = Some(now + busy_pause(task.busy_polls)),
    }
    // Who forwards the port has something to say.
    if terminals.stirs() != before {
        terminals.wake(now);
    }
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
