//! An interactive terminal: a shell that lines are typed into, and what its screen shows.
//!
//! Rule: as at a real terminal, what is typed while a command runs is that command's input; what it leaves unread the
//! shell reads next. A line that is no whole command yet (an open quote, a `for` without `done`) waits for more.

use crate::command::Command;
use crate::files::HOME;
use crate::hints;
use crate::host::{Desk, Workstation, environment};
use crate::{RUNAWAY_POLLS, STEP_BUDGET, busy_pause, runaway_text};
use cluster::Cluster;
use cluster::store::Cause;
use shell::{Dialect, Input, Io, Options, Poll, Read, Shell, Signal, Stream, is_incomplete};
use values::time::{SimTime, Span};

/// Bytes of its screen that are kept; the oldest go first.
const SCREEN_MAX: usize = 128 << 10;
/// What `clear` prints.
const CLEAR: &str = "\u{1b}[H\u{1b}[2J\u{1b}[3J";

/// Which terminal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SessionId(pub(super) u64);

impl SessionId {
    /// The terminal that was opened as the `number`th; the first is 1.
    pub fn numbered(number: u64) -> SessionId {
        SessionId(number)
    }

    /// As the how-many-th it was opened; the first is 1.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// What a stretch of the screen is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ink {
    /// What was typed, with its prompt.
    Typed,
    Stdout,
    Stderr,
    /// A line of ours under an answer (`terminal::hints`).
    Hint,
}

/// A stretch of the screen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Piece {
    pub ink: Ink,
    pub text: String,
}

/// One terminal.
#[derive(Clone)]
pub struct Session {
    id: SessionId,
    shell: Shell<Command>,
    io: Io,
    /// When to poll it again; none while nothing runs, or what runs waits for something to happen.
    due: Option<SimTime>,
    /// It waits for what containers print.
    listens: bool,
    /// Polls in a row that ended for want of budget.
    busy_polls: u32,
    screen: Vec<Piece>,
    /// Bytes that were ever shown, and how often the screen was emptied: so that who prints it finds what is new.
    written: u64,
    clears: u32,
    /// Lines of a command that is not whole yet.
    unfinished: String,
    /// The command that runs, for what is to be said under its answer.
    command: Option<String>,
    /// What was done last in it.
    cause: Cause,
}

impl Session {
    pub(super) fn new(id: SessionId, now: SimTime) -> Session {
        let options = Options {
            env: environment(),
            cwd: HOME.to_owned(),
            started: now,
            interactive: true,
            ..Options::new(Dialect::Bash)
        };
        let io = Io { stdin: Input::default(), ..Io::default() };
        Session {
            id,
            shell: Shell::new("", options),
            io,
            due: None,
            listens: false,
            busy_polls: 0,
            screen: Vec::new(),
            written: 0,
            clears: 0,
            unfinished: String::new(),
            command: None,
            cause: Cause::default(),
        }
    }

    pub fn id(&self) -> SessionId {
        self.id
    }

    /// What it shows, oldest first.
    pub fn screen(&self) -> &[Piece] {
        &self.screen
    }

    /// Bytes that were ever shown.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// How often the screen was emptied.
    pub fn clears(&self) -> u32 {
        self.clears
    }

    /// What was shown after the first `written` bytes, as far as it is still on the screen.
    pub fn since(&self, written: u64) -> Vec<Piece> {
        let mut fresh = usize::try_from(self.written - written.min(self.written)).unwrap_or(usize::MAX);
        let mut pieces = Vec::new();
        for piece in self.screen.iter().rev() {
            if fresh == 0 {
                break;
            }
            let from = piece.text.len().saturating_sub(fresh);
            fresh -= piece.text.len() - from;
            pieces.push(Piece { ink: piece.ink, text: piece.text[from..].to_owned() });
        }
        pieces.reverse();
        pieces
    }

    /// `$?`: the exit code of the last command, or of the shell once it has ended.
    pub fn status(&self) -> i32 {
        self.shell.status()
    }

    /// The directory it is in.
    pub fn cwd(&self) -> &str {
        self.shell.cwd()
    }

    /// The commands its shell brings along, and its functions.
    pub fn commands(&self) -> Vec<String> {
        self.shell.completions()
    }

    /// Whether a command runs, so that there is no prompt.
    pub fn is_busy(&self) -> bool {
        !self.shell.is_idle() && self.shell.ended().is_none()
    }

    /// Whether its shell has ended (`exit`).
    pub fn has_ended(&self) -> bool {
        self.shell.ended().is_some()
    }

    /// What stands before the next line: `~ $ `, or `> ` within a command of several lines.
    pub fn prompt(&self) -> String {
        if !self.unfinished.is_empty() {
            return "> ".to_owned();
        }
        let cwd = self.shell.cwd();
        match cwd.strip_prefix(HOME).filter(|rest| rest.is_empty() || rest.starts_with('/')) {
            Some(rest) => format!("~{rest} $ "),
            None => format!("{cwd} $ "),
        }
    }

    /// Commands typed so far, oldest first.
    pub fn history(&self) -> &[String] {
        self.shell.history()
    }

    /// Names its draws: apart from those of tasks, which count up from 1.
    pub(super) fn draws_as(&self) -> u64 {
        u64::MAX - self.id.0
    }

    /// When it next wants to go on.
    pub(super) fn due(&self) -> Option<SimTime> {
        self.due
    }

    /// Something changed in the cluster: whatever waits for it looks again.
    pub(super) fn wake(&mut self, now: SimTime) {
        if self.is_busy() {
            self.due = Some(now);
        }
    }

    /// Takes a line that was typed.
    pub(super) fn type_line(&mut self, line: &str, now: SimTime) {
        if self.has_ended() {
            return;
        }
        if self.is_busy() {
            self.show(Ink::Typed, &format!("{line}\n"));
            self.io.stdin.push(format!("{line}\n").as_bytes());
        } else {
            self.show(Ink::Typed, &format!("{}{line}\n", self.prompt()));
            if self.io.stdin.is_closed() {
                // Its end was for the command before.
                self.io.stdin = Input::default();
            }
            self.feed(line);
        }
        self.due = Some(now);
    }

    /// Takes keys as they are typed: what runs reads them without an end of line after them; at the prompt they are lines.
    pub(super) fn type_text(&mut self, text: &str, now: SimTime) {
        for line in text.split_inclusive('\n') {
            if self.is_busy() {
                self.show(Ink::Typed, line);
                self.io.stdin.push(line.as_bytes());
                self.due = Some(now);
            } else {
                self.type_line(line.strip_suffix('\n').unwrap_or(line), now);
            }
        }
    }

    /// Ctrl-C.
    pub(super) fn interrupt(&mut self, desk: &mut Desk<'_>) {
        let prompt = if self.is_busy() { String::new() } else { self.prompt() };
        self.show(Ink::Typed, &format!("{prompt}^C\n"));
        self.unfinished.clear();
        self.io.stdin.take();
        self.shell.signal(desk, &mut self.io, Signal::Int);
        self.due = Some(desk.cluster.now());
    }

    /// What happens in it from now on is caused by this.
    pub(super) fn act_for(&mut self, cause: Cause) {
        self.cause = cause;
    }

    /// Ctrl-D while a command runs: it reads the end of its input.
    pub(super) fn end_input(&mut self, now: SimTime) {
        if self.is_busy() {
            self.io.stdin.close();
            self.due = Some(now);
        }
    }

    /// Ends whatever runs in it.
    pub(super) fn close(&mut self, desk: &mut Desk<'_>) {
        self.shell.signal(desk, &mut self.io, Signal::Kill);
    }

    /// Goes on as far as it can without time passing.
    pub(super) fn step(&mut self, desk: &mut Desk<'_>) {
        // Before more comes and not after it, so that who prints the screen step by step sees everything.
        self.trim();
        let now = desk.cluster.now();
        let mut budget = STEP_BUDGET;
        let poll = self.shell.poll(desk, &mut self.io, &mut budget);
        self.take_output();
        self.busy_polls = if poll == Poll::Yield { self.busy_polls + 1 } else { 0 };
        if self.busy_polls == RUNAWAY_POLLS && self.is_busy() {
            self.show(Ink::Stderr, &runaway_text());
            self.shell.signal(desk, &mut self.io, Signal::Int);
        }
        if let Poll::Exit(status) = poll {
            self.explain(status);
        }
        self.due = match poll {
            Poll::Exit(_) if self.has_ended() => None,
            // Background jobs go on, and what the command did not read is the next line.
            Poll::Exit(_) => {
                self.read_ahead();
                Some(now)
            }
            Poll::SleepUntil(at) => Some(at.max(now + Span::ms(1))),
            Poll::Wait => None,
            Poll::Yield => Some(now + busy_pause(self.busy_polls)),
        };
    }

    /// Says why a command of an old tutorial answered as it did.
    fn explain(&mut self, status: i32) {
        let says = self.command.take().and_then(|line| hints::for_command(&line, status));
        if let Some(says) = says {
            let newline = if self.screen.last().is_none_or(|last| last.text.ends_with('\n')) { "" } else { "\n" };
            self.show(Ink::Hint, &format!("{newline}{says}\n"));
        }
    }

    fn feed(&mut self, line: &str) {
        let text = if self.unfinished.is_empty() { line.to_owned() } else { format!("{}\n{line}", self.unfinished) };
        if is_incomplete(&text, Dialect::Bash) {
            self.unfinished = text;
        } else {
            self.unfinished.clear();
            self.shell.feed_line(&text);
            self.command = Some(text);
        }
    }

    /// Gives the shell the lines that came while it was busy, up to the first whole command.
    fn read_ahead(&mut self) {
        while let Read::Data(line) = self.io.stdin.read_line() {
            self.feed(String::from_utf8_lossy(&line).trim_end_matches('\n'));
            if self.unfinished.is_empty() {
                return;
            }
        }
    }

    fn take_output(&mut self) {
        for chunk in self.io.output.take() {
            let ink = if chunk.stream == Stream::Stdout { Ink::Stdout } else { Ink::Stderr };
            self.show(ink, &String::from_utf8_lossy(&chunk.bytes));
        }
    }

    fn show(&mut self, ink: Ink, text: &str) {
        let text = match text.rfind(CLEAR) {
            Some(at) => {
                self.screen.clear();
                self.clears += 1;
                &text[at + CLEAR.len()..]
            }
            None => text,
        };
        self.written += text.len() as u64;
        match self.screen.last_mut() {
            Some(last) if last.ink == ink => last.text.push_str(text),
            _ if text.is_empty() => {}
            _ => self.screen.push(Piece { ink, text: text.to_owned() }),
        }
    }

    /// Lets go of the oldest that is too much.
    fn trim(&mut self) {
        let mut over = self.screen.iter().map(|piece| piece.text.len()).sum::<usize>().saturating_sub(SCREEN_MAX);
        while over > 0 && self.screen.len() > 1 {
            over = over.saturating_sub(self.screen.remove(0).text.len());
        }
        if let Some(first) = self.screen.first_mut().filter(|_| over > 0) {
            let cut = (over..first.text.len()).find(|at| first.text.is_char_boundary(*at)).unwrap_or(first.text.len());
            first.text.drain(..cut);
        }
    }
}

/// All terminals of a run.
#[derive(Clone, Default)]
pub struct Sessions {
    open: Vec<Session>,
    opened: u64,
}

impl Sessions {
    pub(super) fn open(&mut self, now: SimTime) -> SessionId {
        self.opened += 1;
        let id = SessionId(self.opened);
        self.open.push(Session::new(id, now));
        id
    }

    /// Ends a terminal and what runs in it.
    pub(super) fn close(&mut self, id: SessionId, cluster: &mut Cluster, workstation: &mut Workstation) {
        if let Some(at) = self.open.iter().position(|session| session.id == id) {
            let (mut session, mut listens) = (self.open.remove(at), false);
            session.close(&mut workstation.desk(cluster, session.draws_as(), &mut listens));
        }
    }

    pub(super) fn newest(&self) -> Option<SessionId> {
        self.open.last().map(Session::id)
    }

    pub(super) fn find(&self, id: SessionId) -> Option<&Session> {
        self.open.iter().find(|session| session.id == id)
    }

    pub(super) fn find_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.open.iter_mut().find(|session| session.id == id)
    }

    pub(super) fn next_due(&self) -> Option<SimTime> {
        self.open.iter().filter_map(Session::due).min()
    }

    pub(super) fn wake(&mut self, now: SimTime) {
        self.open.iter_mut().for_each(|session| session.wake(now));
    }

    /// Lets the first session go on that is due; false if none is.
    pub(super) fn step(&mut self, cluster: &mut Cluster, workstation: &mut Workstation) -> bool {
        let now = cluster.now();
        let Some(session) = self.open.iter_mut().find(|session| session.due().is_some_and(|at| at <= now)) else {
            return false;
        };
        let (task, mut listens) = (session.draws_as(), false);
        cluster.act_for(session.cause);
        let mut desk = workstation.desk(cluster, task, &mut listens);
        desk.attended = true;
        session.step(&mut desk);
        session.listens = listens;
        true
    }

    /// A container may have printed something.
    pub(super) fn listen(&mut self, now: SimTime) {
        self.open.iter_mut().filter(|session| session.listens).for_each(|session| session.wake(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Terminals;
    use cluster::Setup;
    use values::rng::Rng;
    use values::zone::ZoneTable;

    struct Desktop {
        cluster: Cluster,
        terminals: Terminals,
        id: SessionId,
    }

    impl Desktop {
        fn new() -> Desktop {
            let setup = Setup { nodes: Vec::new(), ..Setup::default() };
            let cluster = Cluster::new(&setup, SimTime::EPOCH, Rng::new(1), ZoneTable::empty());
            let mut terminals = Terminals::new();
            let id = terminals.open(SimTime::EPOCH);
            Desktop { cluster, terminals, id }
        }

        fn session(&self) -> &Session {
            self.terminals.session(self.id).unwrap()
        }

        fn line(&mut self, line: &str) -> &mut Desktop {
            let now = self.cluster.now();
            self.terminals.type_line(self.id, line, now);
            self.run(0)
        }

        /// Lets `seconds` pass in the terminal alone.
        fn run(&mut self, seconds: i64) -> &mut Desktop {
            let until = self.cluster.now() + Span::secs(seconds);
            while let Some(at) = self.terminals.next_wakeup(self.cluster.now()).filter(|at| *at <= until) {
                self.cluster.set_now(at);
                self.terminals.step(&mut self.cluster);
            }
            self.cluster.set_now(until);
            self
        }

        fn screen(&self) -> String {
            self.session().screen().iter().map(|piece| piece.text.as_str()).collect()
        }
    }

    #[test]
    fn lines_share_a_shell_and_output_comes_as_it_is_written() {
        let mut desk = Desktop::new();
        desk.line("x=7; cd /tmp").line("echo $x in $PWD").line("echo a; sleep 5; echo b");
        assert_eq!(
            desk.screen(),
            "~ $ x=7; cd /tmp\n/tmp $ echo $x in $PWD\n7 in /tmp\n/tmp $ echo a; sleep 5; echo b\na\n"
        );
        assert!(desk.session().is_busy());
        assert!(desk.run(5).screen().ends_with("a\nb\n"));
        assert!(!desk.session().is_busy());
        assert_eq!(desk.session().history().len(), 3);
    }

    #[test]
    fn ctrl_c_ends_what_runs_and_not_the_shell() {
        let mut desk = Desktop::new();
        desk.line("sleep 1000").run(3);
        let Desktop { cluster, terminals, id } = &mut desk;
        terminals.interrupt_session(cluster, *id);
        desk.run(0).line("echo $?");
        assert_eq!(desk.screen(), "~ $ sleep 1000\n^C\n~ $ echo $?\n130\n");
    }

    #[test]
    fn what_is_typed_while_a_command_runs_is_read_by_it_or_after_it() {
        let mut desk = Desktop::new();
        desk.line("read a; sleep 1; echo got $a").line("first").line("echo second").run(2);
        assert!(desk.screen().ends_with("first\necho second\ngot first\nsecond\n"), "{}", desk.screen());
    }

    #[test]
    fn a_command_of_several_lines_waits_for_its_end() {
        let mut desk = Desktop::new();
        desk.line("for i in 1 2; do");
        assert_eq!(desk.session().prompt(), "> ");
        desk.line("echo $i").line("done");
        assert!(desk.screen().ends_with("> done\n1\n2\n"));
        assert_eq!(desk.session().prompt(), "~ $ ");
    }

    #[test]
    fn an_old_command_is_explained_under_its_answer() {
        let mut desk = Desktop::new();
        desk.line("kubectl get jobs -a");
        let last = desk.session().screen().last().unwrap().clone();
        assert_eq!(last.ink, Ink::Hint);
        assert!(last.text.contains("always listed"), "{last:?}");
        desk.line("kubectl get jobs");
        assert_ne!(desk.session().screen().last().unwrap().ink, Ink::Hint);
    }

    #[test]
    fn what_is_new_on_the_screen_can_be_read_off() {
        let mut desk = Desktop::new();
        desk.line("echo a");
        let seen = desk.session().written();
        assert!(desk.session().since(seen).is_empty());
        desk.line("echo b; nope");
        let news: Vec<_> = desk.session().since(seen).into_iter().map(|piece| (piece.ink, piece.text)).collect();
        let expected = [
            (Ink::Typed, "~ $ echo b; nope\n"),
            (Ink::Stdout, "b\n"),
            (Ink::Stderr, "bash: nope: command not found\n"),
        ];
        assert_eq!(news, expected.map(|(ink, text)| (ink, text.to_owned())));
        assert_eq!((desk.session().status(), desk.session().clears()), (127, 0));
        desk.line("clear");
        assert_eq!(desk.session().clears(), 1);
        assert!(desk.session().since(seen).is_empty());
    }

    #[test]
    fn the_end_of_the_input_is_for_one_command_and_closing_ends_what_runs() {
        let mut desk = Desktop::new();
        desk.line("cat; echo $?").line("x");
        let (now, id) = (desk.cluster.now(), desk.id);
        desk.terminals.end_input(id, now);
        desk.run(0).line("read y; echo got $y").line("z");
        assert!(desk.screen().ends_with("z\ngot z\n"), "{}", desk.screen());
        let Desktop { cluster, terminals, id } = &mut desk;
        terminals.close_session(cluster, *id);
        assert!(terminals.session(*id).is_none() && terminals.next_wakeup(cluster.now()).is_none());
    }

    #[test]
    fn clear_empties_the_screen_and_it_never_grows_without_end() {
        let mut desk = Desktop::new();
        desk.line("echo a").line("clear").line("echo b");
        assert_eq!(desk.screen(), "~ $ echo b\nb\n");
        desk.line("seq 1 60000").run(1);
        assert!(desk.screen().len() <= SCREEN_MAX);
        assert!(desk.screen().ends_with("60000\n"));
        desk.line("exit");
        assert!(desk.session().has_ended() && !desk.session().is_busy());
    }
}
