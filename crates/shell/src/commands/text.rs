//! Filters over whole lines: `cat`, `wc`, `sort`, `uniq`, `tac`, `rev`, `nl`, `tee`.

use super::filter::{Filter, Flow, start};
use super::{Call, Outcome, parse_args};
use crate::expand::MAX_BYTES;
use values::sort::sort_by;

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

#[derive(Clone, Debug)]
struct Cat {
    numbered: Option<u64>,
}

impl Filter for Cat {
    cloned!();
    fn in_pieces(&self) -> bool {
        self.numbered.is_none()
    }
    fn take(&mut self, bytes: &[u8], complete: bool, call: &mut Call<'_>) -> Flow {
        match &mut self.numbered {
            None => call.out_bytes(bytes),
            Some(number) => {
                *number += 1;
                call.out(&format!("{number:>6}\t"));
                line_out(bytes, complete, call);
            }
        }
        Flow::More
    }
}

pub fn cat(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "nbvetAsu", "");
    let numbered = (args.has('n') || args.has('b')).then_some(0);
    start(call, Cat { numbered }, args.operands, 1)
}

#[derive(Clone, Debug, Default)]
struct Wc {
    shown: String,
    counts: [u64; 3],
    total: [u64; 3],
    files: usize,
    in_word: bool,
    /// Whether names are printed, which standard input alone has none of.
    named: bool,
}

impl Wc {
    fn print(&self, counts: [u64; 3], name: &str, call: &mut Call<'_>) {
        let chosen =
            "lwc".chars().zip(counts).filter(|(letter, _)| self.shown.contains(*letter)).map(|(_, count)| count);
        let numbers: Vec<u64> = chosen.collect();
        let text = match (numbers.as_slice(), call.is_ash(), self.named) {
            ([only], true, _) => only.to_string(),
            ([only], false, _) if self.files <= 1 => only.to_string(),
            (all, true, _) => all.iter().map(|n| format!("{n:>9}")).collect::<Vec<_>>().join(" "),
            (all, false, false) => all.iter().map(|n| format!("{n:>7}")).collect::<Vec<_>>().join(" "),
            (all, false, true) => all.iter().map(u64::to_string).collect::<Vec<_>>().join(" "),
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
        self.counts = [0; 3];
        self.in_word = false;
        self.files += 1;
    }
    fn take(&mut self, bytes: &[u8], _: bool, _: &mut Call<'_>) -> Flow {
        for byte in bytes {
            self.counts[0] += u64::from(*byte == b'\n');
            let blank = byte.is_ascii_whitespace();
            self.counts[1] += u64::from(!blank && !self.in_word);
            self.in_word = !blank;
        }
        self.counts[2] += bytes.len() as u64;
        Flow::More
    }
    fn end_file(&mut self, name: &str, call: &mut Call<'_>) {
        let shown = if self.named { name } else { "" };
        self.print(self.counts, shown, call);
        for (total, count) in self.total.iter_mut().zip(self.counts) {
            *total += count;
        }
    }
    fn finish(&mut self, call: &mut Call<'_>) -> i32 {
        if self.files > 1 {
            self.print(self.total, "total", call);
        }
        0
    }
}

pub fn wc(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "lwcm", "", &[("lines", 'l'), ("words", 'w'), ("bytes", 'c')]);
    let mut shown: String = args.options.iter().map(|(letter, _)| if *letter == 'm' { 'c' } else { *letter }).collect();
    if shown.is_empty() {
        shown = "lwc".into();
    }
    let named = !args.operands.is_empty();
    start(call, Wc { shown, named, ..Wc::default() }, args.operands, 1)
}

#[derive(Clone, Debug, Default)]
struct Sort {
    lines: Vec<Vec<u8>>,
    bytes: usize,
    numeric: bool,
    reverse: bool,
    unique: bool,
    fold: bool,
    keys: Vec<Key>,
    separator: Option<u8>,
    output: Option<String>,
}

#[derive(Clone, Debug)]
struct Key {
    first: usize,
    last: Option<usize>,
    numeric: bool,
    reverse: bool,
}

impl Sort {
    fn key<'l>(&self, line: &'l [u8], key: &Key) -> Vec<&'l [u8]> {
        let fields: Vec<&[u8]> = match self.separator {
            Some(separator) => line.split(|byte| *byte == separator).collect(),
            None => line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).collect(),
        };
        let end = key.last.unwrap_or(fields.len()).min(fields.len());
        fields.get(key.first.saturating_sub(1)..end).unwrap_or_default().to_vec()
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        for key in &self.keys {
            let (left, right) = (self.key(a, key).join(&b' '), self.key(b, key).join(&b' '));
            let order = self.compare_text(&left, &right, self.numeric || key.numeric);
            let order = if key.reverse != self.reverse { order.reverse() } else { order };
            if order.is_ne() {
                return order;
            }
        }
        let order = self.compare_text(a, b, self.numeric && self.keys.is_empty());
        let order = if order.is_eq() && !self.unique { a.cmp(b) } else { order };
        if self.reverse { order.reverse() } else { order }
    }

    fn compare_text(&self, a: &[u8], b: &[u8], numeric: bool) -> std::cmp::Ordering {
        match (numeric, self.fold) {
            (true, _) => number(a).cmp(&number(b)),
            (false, true) => a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase()),
            (false, false) => a.cmp(b),
        }
    }
}

/// The number a text begins with, in millionths.
fn number(text: &[u8]) -> i128 {
    let text = String::from_utf8_lossy(text);
    let text = text.trim_start();
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let whole: String = digits.chars().take_while(char::is_ascii_digit).take(25).collect();
    let fraction: String = match digits[whole.len()..].strip_prefix('.') {
        Some(rest) => rest.chars().take_while(char::is_ascii_digit).chain("000000".chars()).take(6).collect(),
        None => "000000".into(),
    };
    sign * (whole.parse::<i128>().unwrap_or(0) * 1_000_000 + fraction.parse::<i128>().unwrap_or(0))
}

impl Filter for Sort {
    cloned!();
    fn take(&mut self, line: &[u8], _: bool, call: &mut Call<'_>) -> Flow {
        self.bytes += line.len() + 24;
        if self.bytes > MAX_BYTES * 4 {
            call.err("sort", "out of memory");
            return Flow::Stop;
        }
        self.lines.push(line.to_vec());
        Flow::More
    }
    fn finish(&mut self, call: &mut Call<'_>) -> i32 {
        let mut lines = std::mem::take(&mut self.lines);
        sort_by(&mut lines, |a, b| self.compare(a, b));
        if self.unique {
            lines.dedup_by(|a, b| self.compare(a, b).is_eq());
        }
        let mut text = lines.join(&b'\n');
        if !lines.is_empty() {
            text.push(b'\n');
        }
        match &self.output {
            None => call.out_bytes(&text),
            Some(file) => {
                let path = call.path(file);
                if let Err(error) = call.system.write_file(&path, &text, false) {
                    call.err("sort", &format!("{file}: {error}"));
                    return 2;
                }
            }
        }
        0
    }
}

pub fn sort(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(
        call,
        "nrufsbghVcdi",
        "ktoST",
        &[("reverse", 'r'), ("unique", 'u'), ("numeric-sort", 'n'), ("key", 'k')]
    );
    let keys = args.options.iter().filter(|(letter, _)| *letter == 'k').map(|(_, value)| {
        let (first, last) = value.split_once(',').map_or((value.as_str(), None), |(first, last)| (first, Some(last)));
        let field = |text: &str| {
            text.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<usize>().unwrap_or(1)
        };
        let has = |letter: char| value.contains(letter);
        Key { first: field(first), last: last.map(field), numeric: has('n'), reverse: has('r') }
    });
    let sort = Sort {
        numeric: args.has('n') || args.has('g') || args.has('h') || args.has('V'),
        reverse: args.has('r'),
        unique: args.has('u'),
        fold: args.has('f'),
        keys: keys.collect(),
        separator: args.value('t').and_then(|text| text.bytes().next()),
        output: args.value('o').map(str::to_string),
        ..Sort::default()
    };
    start(call, sort, args.operands, 2)
}

#[derive(Clone, Debug, Default)]
struct Uniq {
    last: Option<(Vec<u8>, u64)>,
    counts: bool,
    only_repeated: bool,
    only_unique: bool,
    fold: bool,
}

impl Uniq {
    fn print(&self, line: &[u8], count: u64, call: &mut Call<'_>) {
        if self.only_repeated && count < 2 || self.only_unique && count > 1 {
            return;
        }
        if self.counts {
            call.out(&format!("{count:>7} "));
        }
        line_out(line, true, call);
    }
}

impl Filter for Uniq {
    cloned!();
    fn take(&mut self, line: &[u8], _: bool, call: &mut Call<'_>) -> Flow {
        match &mut self.last {
            Some((last, count)) if last == line || self.fold && last.eq_ignore_ascii_case(line) => *count += 1,
            _ => {
                if let Some((last, count)) = self.last.replace((line.to_vec(), 1)) {
                    self.print(&last, count, call);
                }
            }
        }
        Flow::More
    }
    fn finish(&mut self, call: &mut Call<'_>) -> i32 {
        if let Some((last, count)) = self.last.take() {
            self.print(&last, count, call);
        }
        0
    }
}

pub fn uniq(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "cdui", "");
    let uniq = Uniq {
        last: None,
        counts: args.has('c'),
        only_repeated: args.has('d'),
        only_unique: args.has('u'),
        fold: args.has('i'),
    };
    start(call, uniq, args.operands, 1)
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

#[derive(Clone, Debug, Default)]
struct Nl {
    number: u64,
}

impl Filter for Nl {
    cloned!();
    fn take(&mut self, line: &[u8], _: bool, call: &mut Call<'_>) -> Flow {
        let start = if line.is_empty() {
            "       ".to_string()
        } else {
            self.number += 1;
            format!("{:>6}\t", self.number)
        };
        call.out(&start);
        line_out(line, true, call);
        Flow::More
    }
}

pub fn nl(call: &mut Call<'_>) -> Outcome {
    start(call, Nl::default(), call.args.to_vec(), 1)
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
            if call.system.write_file(path, bytes, true).is_err() {
                self.status = 1;
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
    let args = parse_args!(call, "ai", "");
    let mut tee = Tee { paths: Vec::new(), status: 0 };
    for file in &args.operands {
        let path = call.path(file);
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
