//! Filters that choose parts: `head`, `tail` (also `-f`), `cut`.

use std::collections::VecDeque;

use super::filter::{Filter, Flow, open_error, start};
use super::text::cloned;
use super::{Advance, Call, Outcome, State};
use values::time::{SimTime, Span};

/// `==> file <==` before each of several files.
fn header(name: &str, files: &mut usize, wanted: bool, call: &mut Call<'_>) {
    *files += 1;
    if wanted {
        let shown = if name == "-" { "standard input" } else { name };
        call.out(&format!("{}==> {shown} <==\n", if *files > 1 { "\n" } else { "" }));
    }
}

/// A count such as `5`, `+5`, `-5`, `2k`.
fn count(text: &str) -> Option<(char, u64)> {
    let (sign, digits) = match text.chars().next()? {
        sign @ ('+' | '-') => (sign, &text[1..]),
        _ => (' ', text),
    };
    let (digits, unit) = match digits.as_bytes().last()? {
        b'k' | b'K' => (&digits[..digits.len() - 1], 1024),
        b'm' | b'M' => (&digits[..digits.len() - 1], 1024 * 1024),
        b'b' => (&digits[..digits.len() - 1], 512),
        _ => (digits, 1),
    };
    digits.parse::<u64>().ok().map(|n| (sign, n.saturating_mul(unit)))
}

/// `-5` as the old way to write `-n 5`.
fn modern(args: &[String]) -> Vec<String> {
    let old = |arg: &String| arg.len() > 1 && arg.starts_with('-') && arg[1..].bytes().all(|c| c.is_ascii_digit());
    let mut words = Vec::new();
    let mut is_value = false;
    for arg in args {
        let value =
            std::mem::replace(&mut is_value, matches!(arg.as_str(), "-n" | "-c" | "-s" | "--lines" | "--bytes"));
        match !value && old(arg) {
            true => words.extend(["-n".to_string(), arg[1..].to_string()]),
            false => words.push(arg.clone()),
        }
    }
    words
}

#[derive(Clone, Debug)]
struct Head {
    limit: u64,
    left: u64,
    bytes: bool,
    headers: bool,
    files: usize,
    several: bool,
}

impl Filter for Head {
    cloned!();
    fn in_pieces(&self) -> bool {
        self.bytes
    }
    fn begin_file(&mut self, name: &str, call: &mut Call<'_>) {
        self.left = self.limit;
        header(name, &mut self.files, self.headers, call);
    }
    fn take(&mut self, bytes: &[u8], complete: bool, call: &mut Call<'_>) -> Flow {
        if self.bytes {
            let take = bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
            call.out_bytes(&bytes[..take]);
            self.left -= take as u64;
        } else if self.left > 0 {
            call.out_bytes(bytes);
            call.out(if complete { "\n" } else { "" });
            self.left -= 1;
        }
        match (self.left, self.several) {
            (0, false) => Flow::Stop,
            (0, true) => Flow::NextFile,
            _ => Flow::More,
        }
    }
}

/// `head -n -N`: all but the last N lines.
#[derive(Clone, Debug)]
struct AllButLast {
    held: VecDeque<Vec<u8>>,
    count: usize,
}

impl Filter for AllButLast {
    cloned!();
    fn take(&mut self, line: &[u8], _: bool, call: &mut Call<'_>) -> Flow {
        self.held.push_back(line.to_vec());
        while self.held.len() > self.count {
            let line = self.held.pop_front().unwrap_or_default();
            call.out_bytes(&[line.as_slice(), b"\n"].concat());
        }
        Flow::More
    }
}

/// `head -c -N`: all but the last N bytes.
#[derive(Clone, Debug)]
struct AllButBytes {
    held: Vec<u8>,
    count: usize,
}

impl Filter for AllButBytes {
    cloned!();
    fn in_pieces(&self) -> bool {
        true
    }
    fn take(&mut self, bytes: &[u8], _: bool, call: &mut Call<'_>) -> Flow {
        self.held.extend_from_slice(bytes);
        let ready = self.held.len().saturating_sub(self.count);
        call.out_bytes(&self.held[..ready]);
        self.held.drain(..ready);
        Flow::More
    }
}

pub fn head(call: &mut Call<'_>) -> Outcome {
    let words = modern(call.args);
    let args = match super::Args::parse(
        &words,
        "qvz",
        "nc",
        &[("lines", 'n'), ("bytes", 'c'), ("quiet", 'q'), ("verbose", 'v')],
    ) {
        Ok(args) => args,
        Err(option) => return call.bad_option(&option),
    };
    let bytes = args.has('c');
    let text = args.value(if bytes { 'c' } else { 'n' }).unwrap_or("10");
    let Some((sign, limit)) = count(text) else {
        return bad_number(call, text);
    };
    if sign == '-' && !bytes {
        let all = AllButLast { held: VecDeque::new(), count: usize::try_from(limit).unwrap_or(usize::MAX) };
        return start(call, all, args.operands, 1);
    }
    if sign == '-' {
        return start(
            call,
            AllButBytes { held: Vec::new(), count: usize::try_from(limit).unwrap_or(usize::MAX) },
            args.operands,
            1,
        );
    }
    if limit == 0 {
        return Outcome::Done(0);
    }
    let several = args.operands.len() > 1;
    let headers = (several || args.has('v')) && !args.has('q');
    start(call, Head { limit, left: limit, bytes, headers, files: 0, several }, args.operands, 1)
}

fn bad_number(call: &mut Call<'_>, text: &str) -> Outcome {
    let name = call.name;
    let message = match call.is_ash() {
        true => format!("invalid number '{text}'"),
        false => format!("invalid number of lines: '{text}'"),
    };
    call.err(name, &message);
    Outcome::Done(1)
}

#[derive(Clone, Debug)]
struct Tail {
    from_start: bool,
    bytes: bool,
    count: u64,
    seen: u64,
    held: VecDeque<(Vec<u8>, bool)>,
    held_bytes: usize,
    headers: bool,
    files: usize,
}

impl Filter for Tail {
    cloned!();
    fn in_pieces(&self) -> bool {
        self.bytes
    }
    fn begin_file(&mut self, name: &str, call: &mut Call<'_>) {
        self.seen = 0;
        header(name, &mut self.files, self.headers, call);
    }
    fn take(&mut self, bytes: &[u8], complete: bool, call: &mut Call<'_>) -> Flow {
        let newline: &[u8] = if complete && !self.bytes { b"\n" } else { b"" };
        self.seen += if self.bytes { bytes.len() as u64 } else { 1 };
        if self.from_start {
            let skip = self.count.saturating_sub(1);
            if self.bytes {
                let over = self.seen.saturating_sub(skip).min(bytes.len() as u64) as usize;
                call.out_bytes(&bytes[bytes.len() - over..]);
            } else if self.seen > skip {
                call.out_bytes(&[bytes, newline].concat());
            }
            return Flow::More;
        }
        self.held_bytes += bytes.len();
        self.held.push_back((bytes.to_vec(), complete));
        if self.bytes {
            let mut all: Vec<u8> = self.held.drain(..).flat_map(|(bytes, _)| bytes).collect();
            let keep = usize::try_from(self.count).unwrap_or(usize::MAX).min(all.len());
            self.held.push_back((all.split_off(all.len() - keep), true));
        } else {
            while self.held.len() as u64 > self.count {
                self.held.pop_front();
            }
        }
        Flow::More
    }
    fn finish(&mut self, call: &mut Call<'_>) -> i32 {
        if self.files == 0 && call.is_ash() {
            call.err("tail", "no files");
            return 1;
        }
        0
    }
    fn end_file(&mut self, _: &str, call: &mut Call<'_>) {
        for (line, complete) in self.held.drain(..) {
            call.out_bytes(&line);
            call.out(if complete && !self.bytes { "\n" } else { "" });
        }
    }
}

pub fn tail(call: &mut Call<'_>) -> Outcome {
    let words = modern(call.args);
    let args = match super::Args::parse(
        &words,
        "qvfFr",
        "ncsp",
        &[
            ("lines", 'n'),
            ("bytes", 'c'),
            ("follow", 'f'),
            ("retry", 'r'),
            ("pid", 'p'),
            ("quiet", 'q'),
            ("sleep-interval", 's'),
        ],
    ) {
        Ok(args) => args,
        Err(option) => return call.bad_option(&option),
    };
    let bytes = args.has('c');
    let text = args.value(if bytes { 'c' } else { 'n' }).unwrap_or("10");
    let Some((sign, count)) = count(text) else {
        return bad_number(call, text);
    };
    if (args.has('f') || args.has('F')) && !args.operands.is_empty() {
        return follow(call, &args.operands, count);
    }
    let headers = (args.operands.len() > 1 || args.has('v')) && !args.has('q');
    let (held, from_start) = (VecDeque::new(), sign == '+');
    start(call, Tail { from_start, bytes, count, seen: 0, held, held_bytes: 0, headers, files: 0 }, args.operands, 1)
}

/// `tail -f`: looks at its files again and again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Follow {
    files: Vec<(String, usize)>,
    every: Span,
    next: SimTime,
}

fn follow(call: &mut Call<'_>, files: &[String], count: u64) -> Outcome {
    let mut followed = Vec::new();
    for file in files {
        match call.read_file(file) {
            Ok(bytes) => {
                let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
                let from = lines.len().saturating_sub(usize::try_from(count).unwrap_or(usize::MAX));
                call.out_bytes(&lines[from..].concat());
                followed.push((call.path(file), bytes.len()));
            }
            Err(error) => {
                let message = open_error(call, "tail", file, error);
                call.err("tail", &message);
            }
        }
    }
    if followed.is_empty() {
        let name = call.name;
        call.err(name, if call.is_ash() { "no files" } else { "no files remaining" });
        return Outcome::Done(1);
    }
    // GNU's is told of changes by the kernel; busybox' looks once a second.
    let every = if call.is_ash() { Span::secs(1) } else { Span::ms(50) };
    Outcome::Runs(State::Follow(Follow { files: followed, every, next: call.system.now() + every }))
}

impl Follow {
    pub fn advance(&mut self, call: &mut Call<'_>) -> Advance {
        if call.system.now() < self.next {
            return Advance::Blocked(Some(self.next));
        }
        self.next = call.system.now() + self.every;
        for (path, seen) in &mut self.files {
            let Ok(bytes) = call.system.read_file(path) else { continue };
            let from = if bytes.len() < *seen { 0 } else { *seen };
            call.out_bytes(&bytes[from..]);
            *seen = bytes.len();
        }
        Advance::More
    }
}

#[derive(Clone, Debug)]
struct Cut {
    ranges: Vec<(usize, usize)>,
    complement: bool,
    fields: bool,
    separator: Vec<u8>,
    output: Option<Vec<u8>>,
    only_separated: bool,
}

impl Cut {
    fn wants(&self, number: usize) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&number)) != self.complement
    }
}

impl Filter for Cut {
    cloned!();
    fn take(&mut self, line: &[u8], _: bool, call: &mut Call<'_>) -> Flow {
        let mut kept: Vec<u8> = Vec::new();
        call.work_bytes += line.len();
        if !self.fields {
            let mut last = None;
            for (i, byte) in line.iter().enumerate().filter(|(i, _)| self.wants(i + 1)) {
                // A given separator stands between ranges.
                if let (Some(output), Some(before)) = (&self.output, last)
                    && before + 1 < i
                {
                    kept.extend_from_slice(output);
                }
                kept.push(*byte);
                last = Some(i);
            }
        } else {
            let separator = self.separator[0];
            if !line.contains(&separator) {
                if self.only_separated {
                    return Flow::More;
                }
                kept.extend_from_slice(line);
            } else {
                let output = self.output.as_ref().unwrap_or(&self.separator);
                let fields = line.split(|byte| *byte == separator).enumerate();
                for (n, (_, field)) in fields.filter(|(i, _)| self.wants(i + 1)).enumerate() {
                    if n > 0 {
                        kept.extend_from_slice(output);
                    }
                    kept.extend_from_slice(field);
                }
            }
        }
        kept.push(b'\n');
        call.out_bytes(&kept);
        Flow::More
    }
}

pub fn cut(call: &mut Call<'_>) -> Outcome {
    let long = [
        ("output-delimiter", 'O'),
        ("fields", 'f'),
        ("delimiter", 'd'),
        ("characters", 'c'),
        ("bytes", 'b'),
        ("only-delimited", 's'),
        ("complement", 'C'),
    ];
    let ash = call.is_ash();
    let known: &[(&str, char)] = if ash { &[("output-delimiter", 'O')] } else { &long };
    let args = match super::Args::parse(call.args, "sn", "bcfdO", known) {
        Ok(args) => args,
        Err(option) => return call.bad_option(&option),
    };
    let list = ['f', 'c', 'b'].into_iter().find_map(|letter| args.value(letter).map(|list| (letter, list)));
    let Some((letter, list)) = list else {
        if ash {
            call.err("cut", "expected a list of bytes, characters, or fields");
            return Outcome::Done(1);
        }
        return call.missing("you must specify a list of bytes, characters, or fields", 1);
    };
    let mut ranges = Vec::new();
    for item in list.split([',', ' ']) {
        let (first, last) = item.split_once('-').map_or((item, item), |(first, last)| (first, last));
        let number = |text: &str, otherwise: usize| if text.is_empty() { Some(otherwise) } else { text.parse().ok() };
        match (number(first, 1), number(last, usize::MAX)) {
            (Some(first), Some(last)) if first > 0 && last >= first && item != "-" => ranges.push((first, last)),
            _ => {
                let text = match (ash, letter) {
                    (true, _) => format!("invalid range {item}"),
                    (false, 'f') if first == "0" => {
                        "fields are numbered from 1\nTry 'cut --help' for more information.".into()
                    }
                    (false, 'f') => format!("invalid field value '{item}'\nTry 'cut --help' for more information."),
                    (false, _) => {
                        format!("invalid byte/character position '{item}'\nTry 'cut --help' for more information.")
                    }
                };
                call.err("cut", &text);
                return Outcome::Done(1);
            }
        }
    }
    let separator = args.value('d').unwrap_or("\t");
    if separator.chars().count() > 1 {
        let text = match ash {
            true => format!("bad delimiter '{separator}'"),
            false => "the delimiter must be a single character\nTry 'cut --help' for more information.".to_string(),
        };
        call.err("cut", &text);
        return Outcome::Done(1);
    }
    let separator = if separator.is_empty() { vec![0] } else { separator.as_bytes().to_vec() };
    let cut = Cut {
        ranges,
        complement: args.has('C'),
        fields: letter == 'f',
        separator,
        output: args.value('O').map(|text| text.as_bytes().to_vec()),
        only_separated: args.has('s'),
    };
    start(call, cut, args.operands, 1)
}
