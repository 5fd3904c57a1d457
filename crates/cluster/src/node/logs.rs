//! A container's log: its lines with the moment each was finished.

use std::collections::VecDeque;

use shell::process::{Chunk, Stream};
use values::time::SimTime;

/// Bytes kept per run; older lines go (`containerLogMaxSize` rotates at 10 MiB on a real node).
const KEEP_BYTES: usize = 1 << 20;

/// One line, without its newline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine {
    pub at: SimTime,
    pub text: String,
    /// False for a last line without newline.
    pub complete: bool,
    pub stream: Stream,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Log {
    lines: VecDeque<LogLine>,
    /// How many lines were dropped before the first.
    dropped: usize,
    bytes: usize,
    /// Begun and not finished, by stream.
    open: [Vec<u8>; 2],
    open_at: SimTime,
}

impl Log {
    /// Adds what a process wrote.
    pub fn write(&mut self, chunks: Vec<Chunk>, now: SimTime) {
        for chunk in chunks {
            let stream = chunk.stream;
            let open = &mut self.open[usize::from(stream == Stream::Stderr)];
            for byte in chunk.bytes {
                if byte != b'\n' {
                    open.push(byte);
                    self.open_at = now;
                    continue;
                }
                let text = String::from_utf8_lossy(&std::mem::take(open)).into_owned();
                self.bytes += text.len() + 1;
                self.lines.push_back(LogLine { at: now, text, complete: true, stream });
            }
        }
        self.trim();
    }

    fn trim(&mut self) {
        let mut drop = 0;
        while self.bytes > KEEP_BYTES && drop < self.lines.len() {
            self.bytes -= self.lines[drop].text.len() + 1;
            drop += 1;
        }
        self.lines.drain(..drop);
        self.dropped += drop;
    }

    /// The lines from number `from` on that are kept, the unfinished one last, with the number of the first.
    pub fn lines(&self, from: usize) -> (usize, Vec<LogLine>) {
        let known = from.saturating_sub(self.dropped).min(self.lines.len());
        let mut lines: Vec<LogLine> = self.lines.range(known..).cloned().collect();
        let streams = self.open.iter().zip([Stream::Stdout, Stream::Stderr]);
        for (open, stream) in streams.filter(|(open, _)| !open.is_empty()) {
            let text = String::from_utf8_lossy(open).into_owned();
            lines.push(LogLine { at: self.open_at, text, complete: false, stream });
        }
        (self.dropped + known, lines)
    }

    /// The last `lines` lines, at most `bytes` bytes, as a termination message takes them.
    pub fn tail(&self, lines: usize, bytes: usize) -> String {
        let last = self.dropped + self.lines.len();
        let (_, all) = self.lines(last.saturating_sub(lines));
        let mut text = String::new();
        for line in &all[all.len().saturating_sub(lines)..] {
            text.push_str(&line.text);
            if line.complete {
                text.push('\n');
            }
        }
        let mut from = text.len().saturating_sub(bytes);
        while !text.is_char_boundary(from) {
            from += 1;
        }
        text.split_off(from)
    }
}
