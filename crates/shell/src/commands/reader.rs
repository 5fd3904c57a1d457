//! Input by the record, for commands that ask for it when they want it: `sed`, `awk`.

use super::Call;
use super::filter::{open_error, split_descriptor};
use crate::process::Read;

/// Bytes of a file taken at a time.
const PIECE: usize = 64 * 1024;
/// A record longer than this is handed over in parts.
const MAX_RECORD: usize = 32 << 20;

/// What ends a record.
#[derive(Clone, Debug)]
pub enum Separator {
    Byte(u8),
    /// Blank lines (`RS=""`).
    Paragraph,
    Pattern(crate::regex::Regex),
}

/// What asking for a record gave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// The record without what ended it, and whether something did.
    Got(Vec<u8>, bool),
    /// Input has to come first.
    Wait,
    /// The file has ended.
    End,
    /// It could not be opened; the message.
    Failed(String),
}

#[derive(Clone, Debug)]
enum Source {
    Descriptor(u32),
    Bytes { bytes: Vec<u8>, at: usize },
}

/// One file, or standard input, from which records are taken.
#[derive(Clone, Debug)]
pub struct Reader {
    file: String,
    source: Option<Source>,
    buffer: Vec<u8>,
    /// Where the next record begins in the buffer.
    at: usize,
    /// How far the buffer has been searched for the end of the record.
    searched: usize,
    ended: bool,
}

impl Reader {
    pub fn new(file: &str) -> Reader {
        Reader { file: file.to_string(), source: None, buffer: Vec::new(), at: 0, searched: 0, ended: false }
    }

    /// One that holds these bytes.
    pub fn of(bytes: Vec<u8>) -> Reader {
        let source = Some(Source::Bytes { bytes: Vec::new(), at: 0 });
        Reader { file: "-".to_string(), source, buffer: bytes, at: 0, searched: 0, ended: true }
    }

    pub fn file(&self) -> &str {
        &self.file
    }

    /// The descriptor whose input it waits for.
    pub fn descriptor(&self) -> Option<u32> {
        match self.source {
            Some(Source::Descriptor(fd)) if !self.ended => Some(fd),
            _ => None,
        }
    }

    /// Takes what arrived.
    pub fn feed(&mut self, input: Read) {
        match input {
            Read::Data(bytes) => self.buffer.extend(bytes),
            Read::End => self.ended = true,
            Read::Empty => {}
        }
    }

    /// What was read and not used.
    pub fn rest(&mut self) -> Vec<u8> {
        self.buffer.split_off(self.at.min(self.buffer.len()))
    }

    /// The next record.
    pub fn record(&mut self, separator: &Separator, name: &str, call: &mut Call<'_>) -> Record {
        if self.source.is_none()
            && let Some(message) = self.open(name, call)
        {
            return Record::Failed(message);
        }
        loop {
            if let Some(record) = self.cut(separator) {
                return record;
            }
            if self.at > PIECE {
                self.buffer.drain(..self.at);
                self.searched -= self.at;
                self.at = 0;
            }
            match &mut self.source {
                Some(Source::Bytes { bytes, at }) if *at < bytes.len() => {
                    let end = (*at + PIECE).min(bytes.len());
                    self.buffer.extend_from_slice(&bytes[*at..end]);
                    call.work_bytes += end - *at;
                    *at = end;
                }
                Some(Source::Bytes { .. }) if !self.ended => self.ended = true,
                _ if self.ended => return Record::End,
                _ => return Record::Wait,
            }
        }
    }

    fn open(&mut self, name: &str, call: &mut Call<'_>) -> Option<String> {
        let path = call.path(&self.file);
        let source = match split_descriptor(&self.file, &path) {
            Some(fd) => Source::Descriptor(fd),
            None => match call.read_file(&self.file) {
                Ok(bytes) => Source::Bytes { bytes, at: 0 },
                Err(error) => {
                    self.ended = true;
                    self.source = Some(Source::Bytes { bytes: Vec::new(), at: 0 });
                    return Some(open_error(call, name, &self.file, error));
                }
            },
        };
        self.source = Some(source);
        None
    }

    /// A whole record of the buffer, if there is one.
    fn cut(&mut self, separator: &Separator) -> Option<Record> {
        let rest = &self.buffer[self.at..];
        let (end, next) = match separator {
            Separator::Byte(byte) => {
                let from = self.searched.max(self.at) - self.at;
                match rest[from..].iter().position(|c| c == byte) {
                    Some(len) => (from + len, from + len + 1),
                    None => {
                        self.searched = self.buffer.len();
                        return self.last(rest.len(), false);
                    }
                }
            }
            Separator::Paragraph => {
                let skip = rest.iter().take_while(|c| **c == b'\n').count();
                if skip > 0 && (skip < rest.len() || self.ended) {
                    self.at += skip;
                    self.searched = self.at;
                    return self.cut(separator);
                }
                match rest.windows(2).position(|pair| pair == b"\n\n") {
                    Some(end) => {
                        let more = rest[end..].iter().take_while(|c| **c == b'\n').count();
                        if end + more == rest.len() && !self.ended {
                            return None;
                        }
                        (end, end + more)
                    }
                    None => return self.last(rest.len(), true),
                }
            }
            Separator::Pattern(regex) => match regex.find(rest, 0).and_then(|groups| groups[0]) {
                // A match at the end of what is there may go on in what comes.
                Some((start, end)) if end > start && (end < rest.len() || self.ended) => (start, end),
                _ => return self.last(rest.len(), true),
            },
        };
        let record = self.buffer[self.at..self.at + end].to_vec();
        self.at += next;
        self.searched = self.at;
        Some(Record::Got(record, true))
    }

    /// The last record, which nothing ends.
    fn last(&mut self, length: usize, trimmed: bool) -> Option<Record> {
        if !(self.ended && length > 0) && length <= MAX_RECORD {
            return None;
        }
        let mut record = self.buffer.split_off(self.at);
        self.searched = self.at;
        if trimmed && record.ends_with(b"\n") {
            record.pop();
        }
        Some(Record::Got(record, false))
    }
}
