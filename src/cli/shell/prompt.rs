//! Someone types: the line with its editing, history and completion, the real clock, and Ctrl-C.
//!
//! At the prompt rustyline has the terminal; while a command runs it is the system's own, so that what is typed is echoed
//! and read line by line, and Ctrl-C is a signal.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
#[allow(clippy::disallowed_types)]
use std::time::{Duration, Instant};

use batchyard::terminal::completion::{OFFERS_MAX, followed};
use batchyard::values::time::Span;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::desk::Desk;

/// How long to wait for what is typed before looking at the command again.
const TICK: Duration = Duration::from_millis(20);

/// The terminal and the clock that drives it.
#[allow(clippy::disallowed_types)]
struct Live {
    desk: Desk,
    speed: f64,
    seen: Instant,
}

#[allow(clippy::disallowed_types)]
impl Live {
    /// The virtual time that has passed since the last look.
    fn passed(&mut self) -> Span {
        let now = Instant::now();
        let real_ms = now.duration_since(self.seen).as_secs_f64() * 1000.0;
        let virtual_ms = (real_ms * self.speed).floor();
        // What is less than a millisecond waits for the next look.
        if virtual_ms >= 1.0 {
            self.seen = now;
        }
        Span::ms(virtual_ms as i64)
    }
}

/// Talks with whoever sits there until they leave; the exit code of the last command.
#[allow(clippy::disallowed_types)]
pub fn converse(desk: Desk, speed: f64, out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&interrupted);
    if let Err(error) = ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)) {
        let _ = writeln!(err, "batchyard shell: Ctrl-C will end the shell: {error}");
    }
    let config = Config::builder().completion_type(CompletionType::List).auto_add_history(true).build();
    let mut editor = match Editor::<Tab, MemHistory>::with_history(config, MemHistory::new()) {
        Ok(editor) => editor,
        Err(error) => {
            let _ = writeln!(err, "batchyard shell: {error}");
            return 2;
        }
    };
    let live = Rc::new(RefCell::new(Live { desk, speed, seen: Instant::now() }));
    editor.set_helper(Some(Tab { live: Rc::clone(&live) }));
    let _ =
        writeln!(out, "A simulated cluster of Kubernetes 1.36. Tab completes, Ctrl-C stops a command, Ctrl-D leaves.");
    loop {
        let _ = out.flush();
        let prompt = live.borrow().desk.prompt();
        let typed = editor.readline(&prompt);
        let mut live = live.borrow_mut();
        let passed = live.passed();
        let until = live.desk.now() + passed;
        live.desk.advance_silently(until);
        match typed {
            Ok(lines) => lines.split('\n').for_each(|line| live.desk.type_line(line)),
            Err(ReadlineError::Interrupted) => live.desk.interrupt(),
            Err(ReadlineError::Eof) => {
                let _ = writeln!(out, "exit");
                return live.desk.status();
            }
            Err(error) => {
                let _ = writeln!(err, "batchyard shell: {error}");
                return 2;
            }
        }
        if attend(&mut live, &interrupted, out, err).is_err() || live.desk.has_ended() {
            return live.desk.status();
        }
    }
}

/// Stays with the command that runs until it ends.
fn attend(live: &mut Live, interrupted: &AtomicBool, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<()> {
    interrupted.store(false, Ordering::Relaxed);
    let now = live.desk.now();
    live.desk.advance(now, out, err)?;
    while live.desk.is_busy() {
        match typed(TICK) {
            Typed::Nothing => {}
            Typed::Lines(text) => text.lines().for_each(|line| live.desk.type_line(line)),
            Typed::End => live.desk.end_input(),
        }
        if interrupted.swap(false, Ordering::Relaxed) {
            live.desk.interrupt();
        }
        let passed = live.passed();
        let until = live.desk.now() + passed;
        live.desk.advance(until, out, err)?;
    }
    if !live.desk.at_line_start {
        writeln!(out)?;
        live.desk.at_line_start = true;
    }
    Ok(())
}

/// What came from the keyboard while a command runs.
enum Typed {
    Nothing,
    /// Whole lines, or what stood there when Ctrl-D was pressed.
    Lines(String),
    /// Ctrl-D at the start of a line.
    End,
}

#[cfg(unix)]
fn typed(wait: Duration) -> Typed {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use std::os::fd::AsFd;
    let stdin = io::stdin();
    let mut asked = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    let timeout = PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO);
    // A signal ends the wait early; the caller looks for it.
    if poll(&mut asked, timeout).unwrap_or(0) == 0 {
        return Typed::Nothing;
    }
    let mut bytes = [0; 4096];
    match nix::unistd::read(stdin.as_fd(), &mut bytes) {
        Ok(0) => Typed::End,
        Ok(length) => Typed::Lines(String::from_utf8_lossy(&bytes[..length]).into_owned()),
        Err(_) => Typed::Nothing,
    }
}

/// Without `poll` nothing is read while a command runs.
#[cfg(not(unix))]
fn typed(wait: Duration) -> Typed {
    std::thread::sleep(wait);
    Typed::Nothing
}

/// What rustyline asks while a line is typed.
struct Tab {
    live: Rc<RefCell<Live>>,
}

impl Completer for Tab {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let mut live = self.live.borrow_mut();
        // Names as they are now, not as they were when the prompt came.
        let passed = live.passed();
        let until = live.desk.now() + passed;
        live.desk.advance_silently(until);
        let completion = live.desk.complete(&line[..at]);
        let pair = |offer: &String| Pair { display: offer.clone(), replacement: followed(offer) };
        Ok((completion.from, completion.offers.iter().take(OFFERS_MAX).map(pair).collect()))
    }
}

impl Hinter for Tab {
    type Hint = String;
}
impl Highlighter for Tab {}
impl Validator for Tab {}
impl Helper for Tab {}
