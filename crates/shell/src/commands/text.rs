//! Filters over whole lines: `cat`, `wc`, `sort`, `uniq`, `tac`, `rev`, `nl`, `tee`.

use super::filter::{Filter, Flow, start};
use super::{Call, Outcome, parse_args};

/// Makes the `clone_box` of a filter that is `Clone`.
macro_rules! cloned {
    () => {
        fn clone_box(&self) -> Box<dyn Filter> {
            Box::new(self.clone())
        }
    };
}
pub(super) use cloned;

fn line_out(line: &[u8], complete: bool, call: &mut Call<'_>) {
    call.out_bytes(line);
    if complete {
        call.out("\n");
    }
}

#[derive(Clone, Debug, Default)]
struct Cat {
    number: u64,
    numbered: bool,
    only_filled: bool,
    squeezed: bool,
    ends: bool,
    tabs: bool,
    visible: bool,
    blank: bool,
}

impl Cat {
    fn is_plain(&self) -> bool {
        !(self.numbered || self.only_filled || self.squeezed || self.ends || self.tabs || self.visible)
    }
}

/// Bytes that are no text as `cat -v` shows them.
fn visible(bytes: &[u8], tabs: bool, others: bool) -> Vec<u8> {
    let mut out = Vec::new();
    for byte in bytes {
        match byte {
            b'\t' if tabs => out.extend(b"^I"),
            b'\t' | b'\n' => out.push(*byte),
            0..=31 if others => out.extend([b'^', byte + 64]),
            127 if others => out.extend(b"^?"),
            128..=255 if others => {
                out.extend(b"M-");
                out.extend(visible(&[byte - 128], true, true));
            }
            byte => out.push(*byte),
        }
    }
    out
}

impl Filter for Cat {
    cloned!();
    fn in_pieces(&self) -> bool {
        self.is_plain()
    }
    fn take(&mut self, bytes: &[u8], complete: bool, call: &mut Call<'_>) -> Flow {
        if self.is_plain() {
            call.out_bytes(bytes);
            return Flow::More;
        }
        let blank = std::mem::replace(&mut self.blank, bytes.is_empty());
        if self.squeezed && blank && bytes.is_empty() {
            return Flow::More;
        }
        if self.numbered && !(self.only_filled && bytes.is_empty()) {
            self.number += 1;
            call.out(&format!("{:>6}\t", self.number));
        }
        let mut line = visible(bytes, self.tabs, self.visible);
        if self.ends && complete {
            line.push(b'$');
        }
        line_out(&line, complete, call);
        Flow::More
    }
}

pub fn cat(call: &mut Call<'_>) -> Outcome {
    let long = [
        ("number", 'n'),
        ("number-nonblank", 'b'),
        ("show-all", 'A'),
        ("show-ends", 'E'),
        ("show-tabs", 'T'),
        ("squeeze-blank", 's'),
        ("show-nonprinting", 'v'),
    ];
    let args = parse_args!(call, "nbvetAsuET", "", if call.is_ash() { &[] } else { &long });
    let all = args.has('A');
    let cat = Cat {
        numbered: args.has('n') || args.has('b'),
        only_filled: args.has('b'),
        squeezed: args.has('s'),
        ends: all || args.has('e') || args.has('E'),
        tabs: all || args.has('t') || args.has('T'),
        visible: all || args.has('v') || args.has('e') || args.has('t'),
        ..Cat::default()
    };
    start(call, cat, args.operands, 1)
}

#[derive(Clone, Debug, Default)]
struct Wc {
    shown: String,
    /// Lines, words, characters, bytes, and the longest line.
    counts: [u64; 5],
    total: [u64; 5],
    files: usize,
    in_word: bool,
    column: u64,
    /// How wide numbers are written.
    width: usize,
    /// Whether names are printed, which standard input alone has none of.
    named: bool,
}

impl Wc {
    fn print(&self, counts: [u64; 5], name: &str, call: &mut Call<'_>) {
        let chosen = "lwmcL".chars().zip(counts).filter(|(letter, _)| self.shown.contains(*letter));
        let numbers: Vec<u64> = chosen.map(|(_, count)| count).collect();
        let text = match (numbers.as_slice(), call.is_ash()) {
            ([only], true) if self.width == 0 => only.to_string(),
            (all, true) => all.iter().map(|n| format!("{n:>9}")).collect::<Vec<_>>().join(" "),
            ([only], false) if self.width == 0 => only.to_string(),
            (all, false) => {
                let width = self.width.max(1);
                all.iter().map(|n| format!("{n:>width$}")).collect::<Vec<_>>().join(" ")
            }
        };
        call.out(&if name.is_empty() { format!("{text}\n") } else { format!("{text} {name}\n") });
    }
}

impl Filter for Wc {
    cloned!();
    fn in_pieces(&self) -> bool {
        true
    }
    fn begin_file(&mut self, _: &str, _: &mut Call<'_>) {
        self.counts = [0; 5];
        self.in_word = false;
        self.column = 0;
        self.files += 1;
    }
    fn take(&mut self, bytes: &[u8], _: bool, _: &mut Call<'_>) -> Flow {
        for byte in bytes {
            self.counts[0] += u64::from(*byte == b'\n');
            let blank = byte.is_ascii_whitespace();
            self.counts[1] += u64::from(!blank && !self.in_word);
            self.in_word = !blank;
            match byte {
                b'\n' | b'\r' | 0x0c => self.column = 0,
                b'\t' => self.column = (self.column | 7) + 1,
                32..=126 | 0xc0..=0xff => self.column += 1,
                _ => {}
            }
            self.counts[4] = self.counts[4].max(self.column);
        }
        self.counts[2] += bytes.len() as u64;
        self.counts[3] += bytes.len() as u64;
        Flow::More
    }
    fn end_file(&mut self, name: &str, call: &mut Call<'_>) {
        let shown = if self.named { name } else { "" };
        self.print(self.counts, shown, call);
        for (total, count) in self.total.iter_mut().zip(self.counts).take(4) {
            *total += count;
        }
        self.total[4] = self.total[4].max(self.counts[4]);
    }
    fn finish(&mut self, call: &mut Call<'_>) -> i32 {
        if self.files > 1 {
            self.print(self.total, "total", call);
        }
        0
    }
}

pub fn wc(call: &mut Call<'_>) -> Outcome {
    let long = [("lines", 'l'), ("words", 'w'), ("bytes", 'c'), ("chars", 'm'), ("max-line-length", 'L')];
    let args = parse_args!(call, "lwcmL", "", if call.is_ash() { &[] } else { &long });
    let mut shown: String = args.options.iter().map(|(letter, _)| *letter).collect();
    if shown.is_empty() {
        shown = "lwc".into();
    }
    let named = !args.operands.is_empty();
    let several = args.operands.len() > 1;
    let chosen = "lwmcL".chars().filter(|letter| shown.contains(*letter)).count();
    // GNU's columns are as wide as the largest size; input of unknown size takes 7.
    let width = match (call.is_ash(), chosen, several) {
        (_, 1, false) => 0,
        (true, ..) => 9,
        (false, ..) => {
            let sizes = args.operands.iter().map(|file| call.system.info(&call.path(file)).map(|info| info.size));
            let total: Option<u64> = sizes.map(Result::ok).sum();
            match total.filter(|_| named) {
                Some(total) => total.to_string().len(),
                None => 7,
            }
        }
    };
    start(call, Wc { shown, named, width, ..Wc::default() }, args.operands, 1)
}

#[derive(Clone, Debug, Default)]
struct Uniq {
    last: Option<(Vec<u8>, u64)>,
    counts: bool,
    only_repeated: bool,
    all_repeated: bool,
    only_unique: bool,
    fold: bool,
    /// `-f`: fields left out; `-s`: bytes; `-w`: bytes compared.
    fields: usize,
    skip: usize,
    width: usize,
    held: Vec<Vec<u8>>,
    output: Option<String>,
    text: Vec<u8>,
}

impl Uniq {
    fn print(&mut self, line: &[u8], count: u64, call: &mut Call<'_>) {
        if self.all_repeated {
            for line in std::mem::take(&mut self.held) {
                if count > 1 {
                    self.put(&[&line[..], b"\n"].concat(), call);
                }
            }
            return;
        }
        if self.only_repeated && count < 2 || self.only_unique && count > 1 {
            return;
        }
        let start = if self.counts { format!("{count:>7} ") } else { String::new() };
        self.put(&[start.as_bytes(), line, b"\n"].concat(), call);
    }

    fn put(&mut self, bytes: &[u8], call: &mut Call<'_>) {
        match self.output {
            Some(_) => self.text.extend_from_slice(bytes),
            None => call.out_bytes(bytes),
        }
    }

    /// The part of a line that is compared.
    fn key(&self, line: &[u8]) -> Vec<u8> {
        let mut at = 0;
        for _ in 0..self.fields {
            at += line[at..].iter().take_while(|c| c.is_ascii_whitespace()).count();
            at += line[at..].iter().take_while(|c| !c.is_ascii_whitespace()).count();
        }
        let key = &line[(at + self.skip).min(line.len())..];
        let key = &key[..key.len().min(self.width)];
        if self.fold { key.to_ascii_lowercase() } else { key.to_vec() }
    }
}

impl Filter for Uniq {
    cloned!();
    fn take(&mut self, line: &[u8], _: bool, call: &mut Call<'_>) -> Flow {
        let same = self.last.as_ref().is_some_and(|(last, _)| self.key(last) == self.key(line));
        match (&mut self.last, same) {
            (Some((_, count)), true) => *count += 1,
            _ => {
                if let Some((last, count)) = self.last.replace((line.to_vec(), 1)) {
                    self.print(&last, count, call);
                }
            }
        }
        if self.all_repeated {
            self.held.push(line.to_vec());
        }
        Flow::More
    }
    fn finish(&mut self, call: &mut Call<'_>) -> i32 {
        if let Some((last, count)) = self.last.take() {
            self.print(&last, count, call);
        }
        if let Some(file) = &self.output {
            let path = call.path(file);
            return i32::from(call.system.write_file(&path, &self.text, false).is_err());
        }
        0
    }
}

pub fn uniq(call: &mut Call<'_>) -> Outcome {
    let long = [
        ("count", 'c'),
        ("repeated", 'd'),
        ("unique", 'u'),
        ("ignore-case", 'i'),
        ("skip-fields", 'f'),
        ("skip-chars", 's'),
        ("check-chars", 'w'),
    ];
    let known = if call.is_ash() { "cdui" } else { "cduiD" };
    let args = parse_args!(call, known, "fsw", if call.is_ash() { &[] } else { &long });
    let number = |letter: char| args.value(letter).and_then(|text| text.parse::<usize>().ok());
    let uniq = Uniq {
        counts: args.has('c'),
        only_repeated: args.has('d'),
        all_repeated: args.has('D'),
        only_unique: args.has('u'),
        fold: args.has('i'),
        fields: number('f').unwrap_or(0),
        skip: number('s').unwrap_or(0),
        width: number('w').unwrap_or(usize::MAX),
        output: args.operands.get(1).cloned(),
        ..Uniq::default()
    };
    start(call, uniq, args.operands.into_iter().take(1).collect(), 1)
}

#[derive(Clone, Debug, Default)]
struct Tac {
    lines: Vec<Vec<u8>>,
}

impl Filter for Tac {
    cloned!();
    fn take(&mut self, line: &[u8], _: bool, _: &mut Call<'_>) -> Flow {
        self.lines.push(line.to_vec());
        if self.lines.len() > 500_000 { Flow::Stop } else { Flow::More }
    }
    fn finish(&mut self, call: &mut Call<'_>) -> i32 {
        for line in self.lines.drain(..).rev() {
            call.out_bytes(&[line.as_slice(), b"\n"].concat());
        }
        0
    }
}

pub fn tac(call: &mut Call<'_>) -> Outcome {
    start(call, Tac::default(), call.args.to_vec(), 1)
}

#[derive(Clone, Debug)]
struct Rev;

impl Filter for Rev {
    cloned!();
    fn take(&mut self, line: &[u8], complete: bool, call: &mut Call<'_>) -> Flow {
        let text: String = String::from_utf8_lossy(line).chars().rev().collect();
        line_out(text.as_bytes(), complete, call);
        Flow::More
    }
}

pub fn rev(call: &mut Call<'_>) -> Outcome {
    start(call, Rev, call.args.to_vec(), 1)
}

#[derive(Clone, Debug)]
struct Nl {
    number: i64,
    step: i64,
    width: usize,
    separator: String,
    all: bool,
    none: bool,
    /// How numbers are filled: `ln`, `rn`, `rz`.
    format: String,
}

impl Filter for Nl {
    cloned!();
    fn take(&mut self, line: &[u8], _: bool, call: &mut Call<'_>) -> Flow {
        let width = self.width;
        let start = if self.none || line.is_empty() && !self.all {
            " ".repeat(width + self.separator.len())
        } else {
            let number = match self.format.as_str() {
                "ln" => format!("{:<width$}", self.number),
                "rz" => format!("{:0width$}", self.number),
                _ => format!("{:>width$}", self.number),
            };
            self.number += self.step;
            format!("{number}{}", self.separator)
        };
        call.out(&start);
        line_out(line, true, call);
        Flow::More
    }
}

pub fn nl(call: &mut Call<'_>) -> Outcome {
    let long = [
        ("body-numbering", 'b'),
        ("number-width", 'w'),
        ("number-separator", 's'),
        ("starting-line-number", 'v'),
        ("line-increment", 'i'),
        ("number-format", 'n'),
    ];
    let args = parse_args!(call, "p", "bwsvinhfdl", &long);
    let number =
        |letter: char, otherwise: i64| args.value(letter).and_then(|text| text.parse().ok()).unwrap_or(otherwise);
    let nl = Nl {
        number: number('v', 1),
        step: number('i', 1),
        width: usize::try_from(number('w', 6)).unwrap_or(6).min(100),
        separator: args.value('s').unwrap_or("\t").to_string(),
        all: args.value('b') == Some("a"),
        none: args.value('b') == Some("n"),
        format: args.value('n').unwrap_or("rn").to_string(),
    };
    start(call, nl, args.operands, 1)
}

#[derive(Clone, Debug)]
struct Tee {
    paths: Vec<String>,
    status: i32,
}

impl Filter for Tee {
    cloned!();
    fn in_pieces(&self) -> bool {
        true
    }
    fn take(&mut self, bytes: &[u8], _: bool, call: &mut Call<'_>) -> Flow {
        for path in &self.paths {
            match path.as_str() {
                "/dev/stdout" | "/dev/tty" | "/proc/1/fd/1" => call.out_bytes(bytes),
                "/dev/stderr" | "/proc/1/fd/2" => call.output.write(crate::process::Stream::Stderr, bytes),
                "/dev/null" => {}
                path => {
                    if call.system.write_file(path, bytes, true).is_err() {
                        self.status = 1;
                    }
                }
            }
        }
        call.out_bytes(bytes);
        Flow::More
    }
    fn finish(&mut self, _: &mut Call<'_>) -> i32 {
        self.status
    }
}

pub fn tee(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "aip", "", &[("append", 'a'), ("ignore-interrupts", 'i')]);
    let mut tee = Tee { paths: Vec::new(), status: 0 };
    for file in &args.operands {
        let path = call.path(file);
        if matches!(
            path.as_str(),
            "/dev/stdout" | "/dev/stderr" | "/dev/null" | "/dev/tty" | "/proc/1/fd/1" | "/proc/1/fd/2"
        ) {
            tee.paths.push(path);
            continue;
        }
        match call.system.write_file(&path, b"", args.has('a')) {
            Ok(()) => tee.paths.push(path),
            Err(error) => {
                call.err("tee", &format!("{file}: {error}"));
                tee.status = 1;
            }
        }
    }
    start(call, tee, Vec::new(), 1)
}
