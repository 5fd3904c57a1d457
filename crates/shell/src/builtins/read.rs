//! `read`: one line from standard input into variables.

use super::Flow;
use crate::host::Host;
use crate::interp::{Context, Frame, Process, Step};
use crate::process::Read;
use crate::syntax::is_name;
use values::time::{SimTime, Span};

/// A `read` that waits for the rest of its line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ReadLine {
    names: Vec<String>,
    /// `-r`: backslashes are plain.
    raw: bool,
    /// `-n`: characters at most.
    count: Option<usize>,
    /// `-d`
    delimiter: u8,
    /// `-t`
    deadline: Option<SimTime>,
    /// Bytes so far; `true` marks what a backslash protects.
    bytes: Vec<(u8, bool)>,
    escaped: bool,
}

pub(super) fn read<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let mut read = ReadLine {
        names: Vec::new(),
        raw: false,
        count: None,
        delimiter: b'\n',
        deadline: None,
        bytes: Vec::new(),
        escaped: false,
    };
    let mut args = words[1..].iter();
    while let Some(arg) = args.next() {
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            read.names.push(arg.clone());
            continue;
        };
        for (i, letter) in letters.char_indices() {
            if matches!(letter, 'r' | 's') {
                read.raw |= letter == 'r';
                continue;
            }
            let rest = &letters[i + letter.len_utf8()..];
            let value = if rest.is_empty() { args.next().cloned().unwrap_or_default() } else { rest.to_string() };
            match letter {
                'p' => {
                    process.write(2, value.as_bytes(), cx);
                }
                'n' | 'N' => read.count = value.parse().ok(),
                'd' => read.delimiter = value.bytes().next().unwrap_or(0),
                't' => {
                    let ms = crate::commands::parse_seconds(&value).unwrap_or(Span::ZERO);
                    read.deadline = Some(cx.host.now() + ms);
                }
                _ => {
                    process.complain(cx, Some("read"), &format!("illegal option -{letter}"));
                    return Flow::Done(2);
                }
            }
            break;
        }
    }
    if let Some(name) = read.names.iter().find(|name| !is_name(name)).cloned() {
        process.complain(cx, Some("read"), &format!("`{name}': not a valid identifier"));
        return Flow::Done(2);
    }
    process.frames.push(Frame::ReadLine(read));
    Flow::Continues
}

impl<C: Clone + std::fmt::Debug> Process<C> {
    pub(crate) fn step_read<H: Host<Command = C>>(&mut self, mut read: ReadLine, cx: &mut Context<'_, H>) -> Step {
        let input = self.descriptor(0);
        loop {
            match cx.common.files.read(input, 4096, cx.io) {
                Read::Data(bytes) => {
                    if let Some(used) = read.accept(&bytes) {
                        cx.common.files.unread(input, &bytes[used..], cx.io);
                        self.assign_read(&read, 0);
                        return Step::Ran;
                    }
                }
                Read::End => {
                    self.assign_read(&read, 1);
                    return Step::Ran;
                }
                Read::Empty if read.deadline.is_some_and(|deadline| deadline <= cx.host.now()) => {
                    self.assign_read(&read, 142);
                    return Step::Ran;
                }
                Read::Empty => {
                    let deadline = read.deadline;
                    self.frames.push(Frame::ReadLine(read));
                    return Step::Blocked(deadline);
                }
            }
            if read.bytes.len() > crate::expand::MAX_BYTES {
                self.assign_read(&read, 1);
                return Step::Ran;
            }
        }
    }

    /// Splits the line at IFS into the variables; the last one takes the rest.
    fn assign_read(&mut self, read: &ReadLine, status: i32) {
        let ifs = self.state.get("IFS").unwrap_or(" \t\n").as_bytes().to_vec();
        let names = if read.names.is_empty() { vec!["REPLY".to_string()] } else { read.names.clone() };
        let values = match read.names.is_empty() {
            true => vec![read.bytes.iter().map(|(byte, _)| *byte).collect()],
            false => split(&read.bytes, &ifs, names.len()),
        };
        self.state.status = status;
        for (i, name) in names.iter().enumerate() {
            let value = values.get(i).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).unwrap_or_default();
            if self.state.set(name, value).is_err() {
                self.state.status = 1;
            }
        }
    }
}

impl ReadLine {
    /// Takes bytes up to the end of the line; how many, if the line is complete.
    fn accept(&mut self, bytes: &[u8]) -> Option<usize> {
        for (i, byte) in bytes.iter().enumerate() {
            if std::mem::take(&mut self.escaped) {
                if *byte != b'\n' {
                    self.bytes.push((*byte, true));
                }
            } else if *byte == b'\\' && !self.raw {
                self.escaped = true;
            } else if *byte == self.delimiter {
                return Some(i + 1);
            } else {
                self.bytes.push((*byte, false));
            }
            if self.count.is_some_and(|count| self.bytes.len() >= count) {
                return Some(i + 1);
            }
        }
        None
    }
}

fn split(bytes: &[(u8, bool)], ifs: &[u8], count: usize) -> Vec<Vec<u8>> {
    let is_blank = |(byte, protected): (u8, bool)| !protected && ifs.contains(&byte) && byte.is_ascii_whitespace();
    let is_separator = |(byte, protected): (u8, bool)| !protected && ifs.contains(&byte);
    let mut at = bytes.iter().position(|byte| !is_blank(*byte)).unwrap_or(bytes.len());
    let mut fields = Vec::new();
    while fields.len() + 1 < count && at < bytes.len() {
        let end = bytes[at..].iter().position(|byte| is_separator(*byte)).map_or(bytes.len(), |n| at + n);
        fields.push(bytes[at..end].iter().map(|(byte, _)| *byte).collect());
        at = end;
        let skip_blanks =
            |at: usize| bytes[at..].iter().position(|byte| !is_blank(*byte)).map_or(bytes.len(), |n| at + n);
        at = skip_blanks(at);
        if end < bytes.len() && bytes.get(at).is_some_and(|byte| is_separator(*byte)) {
            at = skip_blanks(at + 1);
        }
    }
    let end = bytes.iter().rposition(|byte| !is_blank(*byte)).map_or(at, |n| (n + 1).max(at));
    fields.push(bytes[at.min(end)..end].iter().map(|(byte, _)| *byte).collect());
    fields
}
