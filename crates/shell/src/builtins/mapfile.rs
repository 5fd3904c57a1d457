//! `mapfile` (`readarray`): lines of standard input into an array (bash manual 4.2).

use super::Flow;
use crate::expand::MAX_BYTES;
use crate::host::Host;
use crate::interp::{Context, Frame, Process, Step};
use crate::process::Read;
use crate::syntax::is_name;

/// A `mapfile` that reads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MapFile {
    name: String,
    /// `-t`: without the delimiters.
    trimmed: bool,
    /// `-n`: lines at most; 0: all.
    count: usize,
    /// `-s`: lines left out at the start.
    skip: usize,
    /// `-O`: where to begin, keeping what is there.
    origin: Option<i64>,
    /// `-d`
    delimiter: u8,
    /// `-u`
    descriptor: u32,
    bytes: Vec<u8>,
}

pub(super) fn mapfile<H: Host>(process: &mut Process<H::Command>, words: &[String], cx: &mut Context<'_, H>) -> Flow {
    let mut map = MapFile {
        name: "MAPFILE".to_string(),
        trimmed: false,
        count: 0,
        skip: 0,
        origin: None,
        delimiter: b'\n',
        descriptor: 0,
        bytes: Vec::new(),
    };
    let mut args = words[1..].iter();
    while let Some(arg) = args.next() {
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            map.name = arg.clone();
            continue;
        };
        for (i, letter) in letters.char_indices() {
            if letter == 't' {
                map.trimmed = true;
                continue;
            }
            let rest = &letters[i + letter.len_utf8()..];
            let value = if rest.is_empty() { args.next().cloned().unwrap_or_default() } else { rest.to_string() };
            let number = value.parse::<i64>().unwrap_or(0);
            match letter {
                'n' => map.count = usize::try_from(number).unwrap_or(0),
                's' => map.skip = usize::try_from(number).unwrap_or(0),
                'O' => map.origin = Some(number),
                'd' => map.delimiter = value.bytes().next().unwrap_or(0),
                'u' => map.descriptor = u32::try_from(number).unwrap_or(0),
                'C' | 'c' => {
                    process.complain(cx, Some(&words[0]), &format!("-{letter}: Batchyard has no callbacks of mapfile"));
                    return Flow::Done(2);
                }
                _ => {
                    process.complain(cx, Some(&words[0]), &format!("-{letter}: invalid option"));
                    return Flow::Done(2);
                }
            }
            break;
        }
    }
    if !is_name(&map.name) {
        process.complain(cx, Some(&words[0]), &format!("`{}': not a valid identifier", map.name));
        return Flow::Done(1);
    }
    process.frames.push(Frame::MapFile(map));
    Flow::Continues
}

impl<C: Clone + std::fmt::Debug> Process<C> {
    pub(crate) fn step_mapfile<H: Host<Command = C>>(&mut self, mut map: MapFile, cx: &mut Context<'_, H>) -> Step {
        let input = self.descriptor(map.descriptor);
        let enough = map.count > 0 && {
            let wanted = map.count + map.skip;
            map.bytes.iter().filter(|byte| **byte == map.delimiter).count() >= wanted
        };
        if !enough && map.bytes.len() < MAX_BYTES {
            match cx.common.files.read(input, 1 << 16, cx.io) {
                Read::Data(bytes) => {
                    map.bytes.extend(bytes);
                    self.frames.push(Frame::MapFile(map));
                    return Step::Ran;
                }
                Read::Empty => {
                    self.frames.push(Frame::MapFile(map));
                    return Step::Blocked(None);
                }
                Read::End => {}
            }
        }
        let mut lines: Vec<&[u8]> = map.bytes.split_inclusive(|byte| *byte == map.delimiter).collect();
        if map.count > 0 && lines.len() > map.count + map.skip {
            let used: usize = lines[..map.count + map.skip].iter().map(|line| line.len()).sum();
            cx.common.files.unread(input, &map.bytes[used..], cx.io);
            lines.truncate(map.count + map.skip);
        }
        let text = |line: &&[u8]| {
            let line = if map.trimmed { line.strip_suffix(&[map.delimiter]).unwrap_or(line) } else { line };
            String::from_utf8_lossy(line).into_owned()
        };
        let lines: Vec<String> = lines.iter().skip(map.skip).map(text).collect();
        let result = match map.origin {
            None => self.state.set_list(&map.name, lines),
            Some(from) => (from..)
                .zip(lines)
                .try_for_each(|(at, line)| self.state.set_element(&map.name, Some(&at.to_string()), line, false)),
        };
        self.state.status = i32::from(result.is_err());
        Step::Ran
    }

    /// All that can be read from a descriptor; `None` while more may come.
    pub(crate) fn read_whole<H: Host<Command = C>>(&mut self, fd: u32, cx: &mut Context<'_, H>) -> Option<Vec<u8>> {
        let input = self.descriptor(fd);
        let mut bytes = Vec::new();
        loop {
            match cx.common.files.read(input, 1 << 16, cx.io) {
                Read::Data(more) if bytes.len() < MAX_BYTES => bytes.extend(more),
                Read::Data(_) | Read::End => return Some(bytes),
                Read::Empty => {
                    cx.common.files.unread(input, &bytes, cx.io);
                    return None;
                }
            }
        }
    }
}
