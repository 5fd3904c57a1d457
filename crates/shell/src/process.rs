//! What a running process is to whoever runs it: how it is polled, signalled, and what it reads and writes.
//!
//! Rule: a process never blocks. It is polled, says why it cannot go on, and is polled again; virtual time passes only
//! between polls. These types are shared by the shell, the container programs and the terminal.

use std::collections::VecDeque;

use values::time::SimTime;

/// Why a process stopped running in this poll.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Poll {
    /// It ended with this exit code (0 to 255).
    Exit(i32),
    /// Nothing to do before this moment, unless input or an outside event comes first.
    SleepUntil(SimTime),
    /// Waits for input or an outside event; poll again after anything happened.
    Wait,
    /// Used its step budget, or filled its output; poll again after letting a little virtual time pass.
    Yield,
}

/// The signals that scripts send or trap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Signal {
    Hup,
    Int,
    Quit,
    Kill,
    Usr1,
    Usr2,
    Pipe,
    Alrm,
    Term,
    Chld,
    Cont,
    Stop,
}

impl Signal {
    /// Every signal with its Linux number and its name without `SIG`.
    pub const ALL: [(Signal, i32, &'static str); 12] = [
        (Signal::Hup, 1, "HUP"),
        (Signal::Int, 2, "INT"),
        (Signal::Quit, 3, "QUIT"),
        (Signal::Kill, 9, "KILL"),
        (Signal::Usr1, 10, "USR1"),
        (Signal::Pipe, 13, "PIPE"),
        (Signal::Alrm, 14, "ALRM"),
        (Signal::Usr2, 12, "USR2"),
        (Signal::Term, 15, "TERM"),
        (Signal::Chld, 17, "CHLD"),
        (Signal::Cont, 18, "CONT"),
        (Signal::Stop, 19, "STOP"),
    ];

    pub fn number(self) -> i32 {
        Signal::ALL.iter().find(|(signal, ..)| *signal == self).map_or(0, |row| row.1)
    }

    pub fn name(self) -> &'static str {
        Signal::ALL.iter().find(|(signal, ..)| *signal == self).map_or("", |row| row.2)
    }

    /// Reads `TERM`, `SIGTERM`, `term` or `15`.
    pub fn parse(text: &str) -> Option<Signal> {
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        Signal::ALL.iter().find(|(_, number, known)| *known == name || number.to_string() == name).map(|row| row.0)
    }

    /// The exit code of a process that this signal ended.
    pub fn exit_code(self) -> i32 {
        128 + self.number()
    }

    /// Whether a process that does not handle the signal goes on as if nothing had happened.
    pub fn is_harmless(self) -> bool {
        matches!(self, Signal::Chld | Signal::Cont | Signal::Stop)
    }
}

/// One of the two things a process writes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// Bytes waiting to be read, and whether more can come.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Input {
    bytes: VecDeque<u8>,
    closed: bool,
}

/// What one attempt to read gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Read {
    Data(Vec<u8>),
    /// Nothing yet, more may come.
    Empty,
    End,
}

impl Input {
    /// An input that is at its end from the start (`/dev/null`).
    pub fn closed() -> Input {
        Input { bytes: VecDeque::new(), closed: true }
    }

    /// An input that holds these bytes and then ends.
    pub fn of(bytes: impl Into<Vec<u8>>) -> Input {
        Input { bytes: bytes.into().into(), closed: true }
    }

    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// Puts bytes back that were read but not used.
    pub fn unread(&mut self, bytes: &[u8]) {
        bytes.iter().rev().for_each(|byte| self.bytes.push_front(*byte));
    }

    pub fn close(&mut self) {
        self.closed = true;
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Takes at most `max` bytes.
    pub fn read(&mut self, max: usize) -> Read {
        if self.bytes.is_empty() {
            return if self.closed { Read::End } else { Read::Empty };
        }
        Read::Data(self.bytes.drain(..max.min(self.bytes.len())).collect())
    }

    /// Takes the next line with its end; once the input is closed, also one that has none.
    pub fn read_line(&mut self) -> Read {
        match self.bytes.iter().position(|byte| *byte == b'\n') {
            Some(at) => self.read(at + 1),
            None if self.closed => self.read(usize::MAX),
            None => Read::Empty,
        }
    }

    /// Takes everything that is there.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes).into()
    }
}

/// A run of bytes written to one stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    pub stream: Stream,
    pub bytes: Vec<u8>,
}

/// Written bytes in the order in which they were written, whichever the stream: a container's log needs that order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Output {
    chunks: Vec<Chunk>,
    len: usize,
}

impl Output {
    /// Bytes that may wait to be taken; a writer stops (`Poll::Yield`) when they are reached.
    pub const CAP: usize = 256 * 1024;

    pub fn write(&mut self, stream: Stream, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.len += bytes.len();
        match self.chunks.last_mut() {
            Some(last) if last.stream == stream => last.bytes.extend_from_slice(bytes),
            _ => self.chunks.push(Chunk { stream, bytes: bytes.to_vec() }),
        }
    }

    pub fn is_full(&self) -> bool {
        self.len >= Output::CAP
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn take(&mut self) -> Vec<Chunk> {
        self.len = 0;
        std::mem::take(&mut self.chunks)
    }

    /// Everything written to `stream` and not yet taken, as text.
    pub fn text(&self, stream: Stream) -> String {
        let bytes: Vec<u8> =
            self.chunks.iter().filter(|c| c.stream == stream).flat_map(|c| c.bytes.iter().copied()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// What a process reads and writes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Io {
    pub stdin: Input,
    pub output: Output,
    /// Both belong to a terminal, at which someone sits: shells ask for each line.
    pub terminal: bool,
}

impl Io {
    /// No input (`/dev/null`) and empty output, as a container without `stdin: true` has.
    pub fn without_input() -> Io {
        Io { stdin: Input::closed(), ..Io::default() }
    }

    pub fn out(&mut self, text: &str) {
        self.output.write(Stream::Stdout, text.as_bytes());
    }

    pub fn err(&mut self, text: &str) {
        self.output.write(Stream::Stderr, text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_keeps_the_order_of_both_streams() {
        let mut io = Io::default();
        io.out("a");
        io.out("b");
        io.err("c");
        io.out("d");
        let texts: Vec<_> = io.output.take().into_iter().map(|c| String::from_utf8(c.bytes).unwrap()).collect();
        assert_eq!(texts, ["ab", "c", "d"]);
        assert!(io.output.is_empty());
    }

    #[test]
    fn signals_have_their_linux_numbers() {
        for text in ["TERM", "SIGTERM", "term", "15"] {
            assert_eq!(Signal::parse(text), Some(Signal::Term));
        }
        assert_eq!(Signal::Kill.exit_code(), 137);
        assert_eq!(Signal::parse("FOO"), None);
    }

    #[test]
    fn input_ends_only_when_closed_and_empty() {
        let mut input = Input::default();
        assert_eq!(input.read(9), Read::Empty);
        input.push(b"abc");
        input.close();
        assert_eq!(input.read(2), Read::Data(b"ab".to_vec()));
        input.unread(b"b");
        assert_eq!(input.read(9), Read::Data(b"bc".to_vec()));
        assert_eq!(input.read(9), Read::End);
    }
}
