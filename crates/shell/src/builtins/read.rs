//! `read`: one line from standard input into variables.

use super::Flow;
use crate::expand::arith;
use crate::host::Host;
use crate::interp::{Context, Frame, Leave, Process, Step};
use crate::process::Read;
use crate::syntax::{Dialect, is_name};
use values::time::{SimTime, Span};

/// A `read` that waits for the rest of its line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ReadLine {
    names: Vec<String>,
    /// `-a`: the words become this array.
    array: Option<String>,
    /// `-r`: backslashes are plain.
    raw: bool,
    /// `-n`, `-N`: characters at most.
    count: Option<usize>,
    /// `-N`: the delimiter does not end it.
    exact: bool,
    /// `-d`
    delimiter: u8,
    /// `-t`
    deadline: Option<SimTime>,
    /// `-u`
    descriptor: u32,
    /// Bytes so far; `true` marks what a backslash protects.
    bytes: Vec<(u8, bool)>,
    escaped: bool,
}

pub(super) fn read<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let mut read = ReadLine {
        names: Vec::new(),
        array: None,
        raw: false,
        count: None,
        exact: false,
        delimiter: b'\n',
        deadline: None,
        descriptor: 0,
        bytes: Vec::new(),
        escaped: false,
    };
    let dialect = process.state.dialect;
    let known = match dialect {
        Dialect::Bash => "rspnNdtuaie",
        Dialect::Ash => "rspndtu",
        Dialect::Dash => "rp",
    };
    let mut args = words[1..].iter();
    while let Some(arg) = args.next() {
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty() && read.names.is_empty()) else {
            read.names.push(arg.clone());
            continue;
        };
        if letters == "-" {
            read.names.extend(args.by_ref().cloned());
            break;
        }
        for (i, letter) in letters.char_indices() {
            if !known.contains(letter) {
                let text = match dialect {
                    Dialect::Bash => format!("-{letter}: invalid option"),
                    Dialect::Ash => format!("illegal option -{letter}"),
                    Dialect::Dash => format!("Illegal option -{letter}"),
                };
                process.complain(cx, Some("read"), &text);
                return if dialect == Dialect::Bash { Flow::Done(2) } else { Flow::Leave(Leave::Abort(2)) };
            }
            if matches!(letter, 'r' | 's' | 'e') {
                read.raw |= letter == 'r';
                continue;
            }
            let rest = &letters[i + letter.len_utf8()..];
            let value = if rest.is_empty() { args.next().cloned().unwrap_or_default() } else { rest.to_string() };
            match letter {
                'p' if process.state.interactive => {
                    process.write(2, value.as_bytes(), cx);
                }
                'n' | 'N' => {
                    read.count = value.parse().ok();
                    read.exact = letter == 'N';
                }
                'd' => read.delimiter = value.bytes().next().unwrap_or(0),
                'u' => match value.parse::<u32>().ok().filter(|fd| process.descriptor(*fd).is_some()) {
                    Some(fd) => read.descriptor = fd,
                    None => {
                        let message = format!("{value}: invalid file descriptor: Bad file descriptor");
                        process.complain(cx, Some("read"), &message);
                        return Flow::Done(1);
                    }
                },
                'a' => read.array = Some(value),
                't' => {
                    let ms = crate::commands::parse_seconds(&value).unwrap_or(Span::ZERO);
                    read.deadline = Some(cx.host.now() + ms);
                }
                _ => {}
            }
            break;
        }
    }
    if dialect == Dialect::Dash && read.names.is_empty() {
        process.complain(cx, Some("read"), "arg count");
        return Flow::Done(2);
    }
    let base = |name: &String| name.split('[').next().unwrap_or_default().to_string();
    if let Some(name) = read.names.iter().find(|name| !is_name(&base(name))).cloned() {
        let message = match dialect {
            Dialect::Bash => format!("`{name}': not a valid identifier"),
            _ => format!("{name}: bad variable name"),
        };
        process.complain(cx, Some("read"), &message);
        return Flow::Done(if dialect == Dialect::Bash { 1 } else { 2 });
    }
    process.frames.push(Frame::ReadLine(read));
    Flow::Continues
}

impl<C: Clone + std::fmt::Debug> Process<C> {
    pub(crate) fn step_read<H: Host<Command = C>>(&mut self, mut read: ReadLine, cx: &mut Context<'_, H>) -> Step {
        let input = self.descriptor(read.descriptor);
        let late = if self.state.dialect == Dialect::Ash { 1 } else { 142 };
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
                    self.assign_read(&read, late);
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
        let whole = || vec![read.bytes.iter().map(|(byte, _)| *byte).filter(|byte| *byte != 0).collect()];
        self.state.status = status;
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        if let Some(array) = &read.array {
            let words = split(&read.bytes, &ifs, usize::MAX);
            let words: Vec<String> = words.iter().map(text).collect();
            if self.state.set_list(array, words).is_err() {
                self.state.status = 1;
            }
            return;
        }
        let names = if read.names.is_empty() { vec!["REPLY".to_string()] } else { read.names.clone() };
        let values = match read.names.is_empty() || read.exact {
            true => whole(),
            false => split(&read.bytes, &ifs, names.len()),
        };
        for (i, name) in names.iter().enumerate() {
            let value = values.get(i).map(text).unwrap_or_default();
            let (base, key) = match name.split_once('[') {
                Some((base, key)) => (base, Some(key.trim_end_matches(']').to_string())),
                None => (name.as_str(), None),
            };
            let key = match key {
                Some(key) if !self.state.is_keyed(base) => {
                    Some(arith::evaluate(&key, &mut self.state).unwrap_or(0).to_string())
                }
                key => key,
            };
            if self.state.set_element(base, key.as_deref(), value, false).is_err() {
                self.state.status = 1;
            }
        }
    }
}

impl ReadLine {
    /// Takes bytes up to the end of the line; how many, if the line is complete.
    fn accept(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.count == Some(0) {
            return Some(0);
        }
        for (i, byte) in bytes.iter().enumerate() {
            if std::mem::take(&mut self.escaped) {
                if *byte != b'\n' {
                    self.bytes.push((*byte, true));
                }
            } else if *byte == b'\\' && !self.raw {
                self.escaped = true;
            } else if *byte == self.delimiter && !self.exact {
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
    let skip_blanks = |at: usize| bytes[at..].iter().position(|byte| !is_blank(*byte)).map_or(bytes.len(), |n| at + n);
    let mut at = skip_blanks(0);
    let mut fields = Vec::new();
    while fields.len() + 1 < count && at < bytes.len() {
        let end = bytes[at..].iter().position(|byte| is_separator(*byte)).map_or(bytes.len(), |n| at + n);
        fields.push(bytes[at..end].iter().map(|(byte, _)| *byte).collect());
        at = skip_blanks(end);
        if end < bytes.len() && bytes.get(at).is_some_and(|byte| is_separator(*byte)) {
            at = skip_blanks(at + 1);
        }
    }
    if count == usize::MAX {
        return fields;
    }
    let mut end = bytes.iter().rposition(|byte| !is_blank(*byte)).map_or(at, |n| (n + 1).max(at));
    // One separator that ends the only field left belongs to no field.
    let first = bytes[at.min(end)..end].iter().position(|byte| is_separator(*byte)).map(|n| at + n);
    if first.is_some_and(|first| first + 1 == end) {
        end -= 1;
        end = bytes[..end].iter().rposition(|byte| !is_blank(*byte)).map_or(at, |n| (n + 1).max(at));
    }
    fields.push(bytes[at.min(end)..end].iter().map(|(byte, _)| *byte).collect());
    fields
}
