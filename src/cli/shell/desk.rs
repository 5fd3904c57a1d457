//! A simulation with one terminal, and what is new on its screen.

use std::io::{self, Write};
use std::process::Command;

use batchyard::run::{Ink, Input, Progress, Scenario, Session, SessionId, Sim};
use batchyard::terminal::completion::Completion;
use batchyard::values::time::{SimTime, Span};
use batchyard::values::zone::ZoneTable;

/// What empties a real terminal.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J\u{1b}[3J";
/// Ours, under an answer: set off where colours can be shown.
const FAINT: (&str, &str) = ("\u{1b}[2m", "\u{1b}[0m");

/// Why [`Desk::play`] came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// Nothing runs any more.
    Idle,
    OutOfTime,
}

/// A terminal on this machine.
pub struct Desk {
    sim: Sim,
    id: SessionId,
    /// Lines come from a pipe: no hints, no escape codes, and no editor unless the environment names one.
    pub piped: bool,
    /// What was printed of the screen.
    written: u64,
    clears: u32,
    /// What was printed last ended with a line's end.
    pub at_line_start: bool,
}

impl Desk {
    pub fn new(scenario: &Scenario) -> Desk {
        let mut sim = Sim::new(scenario, &ZoneTable::bundled());
        let id = sim.terminal_open();
        Desk { sim, id, piped: false, written: 0, clears: 0, at_line_start: true }
    }

    fn session(&self) -> &Session {
        self.sim.terminal(self.id).expect("it was opened at the start, and nobody goes back in time here")
    }

    pub fn now(&self) -> SimTime {
        self.sim.now()
    }

    pub fn status(&self) -> i32 {
        self.session().status()
    }

    pub fn prompt(&self) -> String {
        self.session().prompt()
    }

    pub fn is_busy(&self) -> bool {
        self.session().is_busy()
    }

    pub fn has_ended(&self) -> bool {
        self.session().has_ended()
    }

    pub fn complete(&self, line: &str) -> Completion {
        self.sim.terminals().complete(Some(self.id), line, &[], self.sim.cluster())
    }

    /// Puts a file into the terminal's home.
    pub fn save(&mut self, file: &str, text: &str) {
        self.sim.handle(Input::Save { file: file.to_owned(), text: text.to_owned() });
    }

    pub fn type_line(&mut self, line: &str) {
        self.sim.terminal_line(self.id, line);
    }

    pub fn interrupt(&mut self) {
        self.sim.terminal_interrupt(self.id);
    }

    /// The end of what is typed: the command that runs reads it.
    pub fn end_input(&mut self) {
        self.sim.handle(Input::EndInput { terminal: self.id });
    }

    /// Plays until nothing runs, as fast as it goes.
    pub fn play(&mut self, span: Span, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<Ended> {
        let until = self.now() + span;
        self.end_input();
        // A command that takes no time has its prompt back in the moment in which it was typed.
        self.advance(self.now(), out, err)?;
        while self.is_busy() {
            let Some(at) = self.sim.next_wakeup().filter(|at| *at <= until) else { return Ok(Ended::OutOfTime) };
            self.advance(at, out, err)?;
        }
        Ok(Ended::Idle)
    }

    /// Lets time pass until `until`, printing what comes, and opening the editors that are asked for. Comes back early
    /// when the command ends that ran, so that its successor does not lose time.
    pub fn advance(&mut self, until: SimTime, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
        let was_busy = self.is_busy();
        loop {
            let progress = self.sim.advance(until, 1);
            while self.sim.poll_record().is_some() {}
            self.edit();
            self.print(out, err)?;
            if progress == Progress::Reached || was_busy && !self.is_busy() {
                return Ok(());
            }
        }
    }

    /// Lets time pass while a line is being typed: nothing is printed into it.
    pub fn advance_silently(&mut self, until: SimTime) {
        while self.sim.advance(until, 10_000) == Progress::Busy {}
        while self.sim.poll_record().is_some() {}
    }

    /// Prints what is new on the screen.
    pub fn print(&mut self, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
        let session = self.session();
        if (session.written(), session.clears()) == (self.written, self.clears) {
            return Ok(());
        }
        let (pieces, written, clears) = (session.since(self.written), session.written(), session.clears());
        if clears != self.clears && !self.piped {
            out.write_all(CLEAR.as_bytes())?;
            self.at_line_start = true;
        }
        (self.written, self.clears) = (written, clears);
        for piece in pieces {
            match piece.ink {
                // Whoever typed it sees it already.
                Ink::Typed => continue,
                Ink::Hint if self.piped => continue,
                Ink::Hint => write!(out, "{}{}{}", FAINT.0, piece.text, FAINT.1)?,
                Ink::Stdout => out.write_all(piece.text.as_bytes())?,
                Ink::Stderr => {
                    // The order of the two matters to whoever sees both.
                    out.flush()?;
                    err.write_all(piece.text.as_bytes())?;
                }
            }
            self.at_line_start = piece.text.ends_with('\n');
        }
        out.flush()
    }

    /// Opens an editor of this machine for each text that `kubectl edit` hands out, and gives back what was saved.
    fn edit(&mut self) {
        while let Some(path) = self.sim.terminals().workstation.editors.open.first().cloned() {
            let bytes = self.sim.terminals().workstation.files.read(&path).unwrap_or_default();
            let text = edited(&String::from_utf8_lossy(&bytes), self.piped);
            self.sim.handle(Input::CloseEdit { path, text });
            self.sim.advance(self.sim.now(), 1_000);
        }
    }
}

/// The text after an editor had it; none if there is no editor, or it failed.
fn edited(text: &str, piped: bool) -> Option<String> {
    let named = ["KUBE_EDITOR", "VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok());
    let editor = match named.filter(|editor| !editor.trim().is_empty()) {
        Some(editor) => editor,
        // Nobody sits there.
        None if piped => return None,
        None => if cfg!(windows) { "notepad" } else { "vi" }.to_owned(),
    };
    let path = std::env::temp_dir().join(format!("kubectl-edit-{}.yaml", std::process::id()));
    std::fs::write(&path, text).ok()?;
    let mut command = if cfg!(windows) {
        let mut words = editor.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).arg(&path);
        command
    } else {
        // As kubectl does it, so that the editor may have flags and quotes.
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{editor} \"$1\""), "sh"]).arg(&path);
        command
    };
    let done = command.status().is_ok_and(|status| status.success());
    let after = std::fs::read_to_string(&path).ok().filter(|_| done);
    // It stays in the folder for temporary files if it cannot be removed.
    let _ = std::fs::remove_file(&path);
    after
}
