//! Filters that change the shape of text: `paste`, `fold`, `expand`, `column`, `od`, `hexdump`, `xxd`, `strings`, `shuf`,
//! `split`.

use super::filter::{Filter, Flow, start};
use super::text::cloned;
use super::{Call, Outcome, parse_args};
use crate::expand::MAX_BYTES;

/// Files whose lines are kept until the end.
#[derive(Clone, Debug, Default)]
struct Kept {
    what: What,
    files: Vec<Vec<Vec<u8>>>,
    bytes: usize,
}

#[derive(Clone, Debug, Default)]
enum What {
    #[default]
    None,
    /// Delimiters, and whether files come one after another.
    Paste(Vec<u8>, bool),
    /// Separators of the input, and of the output.
    Column(Option<String>, String),
    Shuffle(Option<usize>),
}

impl Filter for Kept {
    cloned!();
    fn begin_file(&mut self, _: &str, _: &mut Call<'_>) {
        self.files.push(Vec::new());
    }
    fn take(&mut self, line: &[u8], _: bool, _: &mut Call<'_>) -> Flow {
        self.bytes += line.len() + 24;
        self.files.last_mut().into_iter().for_each(|file| file.push(line.to_vec()));
        if self.bytes > MAX_BYTES * 2 { Flow::Stop } else { Flow::More }
    }
    fn finish(&mut self, call: &mut Call<'_>) -> i32 {
        match &self.what {
            What::None => {}
            What::Paste(delimiters, true) => {
                for file in &self.files {
                    let mut out = Vec::new();
                    for (i, line) in file.iter().enumerate() {
                        if i > 0 {
                            out.extend(delimiter(delimiters, i - 1));
                        }
                        out.extend_from_slice(line);
                    }
                    out.push(b'\n');
                    call.out_bytes(&out);
                }
            }
            What::Paste(delimiters, false) => {
                let rows = self.files.iter().map(Vec::len).max().unwrap_or(0);
                for row in 0..rows {
                    let mut out = Vec::new();
                    for (i, file) in self.files.iter().enumerate() {
                        if i > 0 {
                            out.extend(delimiter(delimiters, i - 1));
                        }
                        out.extend_from_slice(file.get(row).map_or(&[][..], |line| line));
                    }
                    out.push(b'\n');
                    call.out_bytes(&out);
                }
            }
            What::Column(separator, between) => {
                let text = table(&self.files.concat(), separator.as_deref(), between);
                call.out(&text);
            }
            What::Shuffle(count) => {
                let mut lines = std::mem::take(&mut self.files).concat();
                let mut left = count.unwrap_or(lines.len());
                while !lines.is_empty() && left > 0 {
                    let at = (call.system.random() % lines.len() as u64) as usize;
                    let line = lines.swap_remove(at);
                    call.out_bytes(&[&line[..], b"\n"].concat());
                    left -= 1;
                }
            }
        }
        0
    }
}

fn delimiter(delimiters: &[u8], at: usize) -> Option<u8> {
    delimiters.get(at % delimiters.len().max(1)).copied().filter(|byte| *byte != 0)
}

fn table(lines: &[Vec<u8>], separator: Option<&str>, between: &str) -> String {
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .filter(|line| !line.trim().is_empty())
        .map(|line| match separator {
            Some(separator) => line.split(|c| separator.contains(c)).map(str::to_string).collect(),
            None => line.split_whitespace().map(str::to_string).collect(),
        })
        .collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for row in rows {
        for (i, cell) in row.iter().enumerate() {
            let last = i + 1 == row.len();
            let width = widths[i];
            out.push_str(&if last { cell.clone() } else { format!("{cell:<width$}{between}") });
        }
        out.push('\n');
    }
    out
}

pub fn paste(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "sz", "d", &[("delimiters", 'd'), ("serial", 's')]);
    let text = args.value('d').unwrap_or("\t").replace("\\0", "\0");
    let (delimiters, _) = crate::escapes::unescape_bytes(&text, crate::escapes::Style::Printf);
    let what = What::Paste(delimiters, args.has('s'));
    start(call, Kept { what, ..Kept::default() }, args.operands, 1)
}

pub fn column(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "tnex", "socN", &[("table", 't'), ("separator", 's'), ("output-separator", 'o')]);
    if !args.has('t') {
        let what = What::Column(Some("\n".into()), "  ".into());
        return start(call, Kept { what, ..Kept::default() }, args.operands, 1);
    }
    let what = What::Column(args.value('s').map(str::to_string), args.value('o').unwrap_or("  ").to_string());
    start(call, Kept { what, ..Kept::default() }, args.operands, 1)
}

pub fn shuf(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "ezr", "nio", &[("head-count", 'n'), ("input-range", 'i'), ("echo", 'e')]);
    let count = args.value('n').and_then(|text| text.parse().ok());
    let mut kept = Kept { what: What::Shuffle(count), ..Kept::default() };
    let given: Option<Vec<Vec<u8>>> = if args.has('e') {
        Some(args.operands.iter().map(|word| word.as_bytes().to_vec()).collect())
    } else {
        args.value('i').and_then(|range| range.split_once('-')).and_then(|(low, high)| {
            let (low, high) = (low.parse::<u64>().ok()?, high.parse::<u64>().ok()?);
            (high.saturating_sub(low) < 1_000_000).then(|| (low..=high).map(|n| n.to_string().into_bytes()).collect())
        })
    };
    match given {
        Some(lines) => {
            kept.files.push(lines);
            Outcome::Done(kept.finish(call))
        }
        None => start(call, kept, args.operands, 1),
    }
}

#[derive(Clone, Debug)]
struct Fold {
    width: usize,
    at_blanks: bool,
}

impl Filter for Fold {
    cloned!();
    fn take(&mut self, line: &[u8], complete: bool, call: &mut Call<'_>) -> Flow {
        let mut rest = line;
        while rest.len() > self.width {
            let blank = rest[..self.width].iter().rposition(|byte| *byte == b' ').filter(|_| self.at_blanks);
            let cut = blank.map_or(self.width, |at| at + 1);
            call.out_bytes(&[&rest[..cut], b"\n"].concat());
            rest = &rest[cut..];
        }
        call.out_bytes(rest);
        call.out(if complete { "\n" } else { "" });
        Flow::More
    }
}

pub fn fold(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "bs", "w", &[("width", 'w'), ("spaces", 's'), ("bytes", 'b')]);
    let width = args.value('w').and_then(|text| text.parse().ok()).filter(|width| *width > 0).unwrap_or(80);
    start(call, Fold { width, at_blanks: args.has('s') }, args.operands, 1)
}

#[derive(Clone, Debug)]
struct Tabs {
    width: usize,
    to_tabs: bool,
    all: bool,
}

impl Filter for Tabs {
    cloned!();
    fn take(&mut self, line: &[u8], complete: bool, call: &mut Call<'_>) -> Flow {
        let (mut out, mut column) = (Vec::new(), 0);
        if self.to_tabs {
            let blanks = line.iter().take_while(|byte| **byte == b' ').count();
            out.extend(vec![b'\t'; blanks / self.width]);
            out.extend(vec![b' '; blanks % self.width]);
            out.extend_from_slice(&line[blanks..]);
        } else {
            for byte in line {
                if *byte == b'\t' {
                    let blanks = self.width - column % self.width;
                    out.extend(vec![b' '; blanks]);
                    column += blanks;
                } else {
                    out.push(*byte);
                    column += 1;
                }
            }
        }
        debug_assert!(!self.all || self.to_tabs, "only `unexpand` looks at all blanks");
        call.out_bytes(&out);
        call.out(if complete { "\n" } else { "" });
        Flow::More
    }
}

pub fn expand(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "iaf", "t", &[("tabs", 't'), ("all", 'a'), ("initial", 'i')]);
    let width = args.value('t').and_then(|text| text.parse().ok()).filter(|width| *width > 0).unwrap_or(8);
    let to_tabs = call.name == "unexpand";
    if to_tabs && args.has('a') {
        return call.lacking("option -a");
    }
    start(call, Tabs { width, to_tabs, all: false }, args.operands, 1)
}

/// Bytes shown as numbers, a row of 16 at a time.
#[derive(Clone, Debug)]
struct Dump {
    kind: char,
    /// Whether addresses are shown.
    addresses: bool,
    bytes: Vec<u8>,
    limit: usize,
    plain: bool,
}

impl Filter for Dump {
    cloned!();
    fn in_pieces(&self) -> bool {
        true
    }
    fn take(&mut self, bytes: &[u8], _: bool, _: &mut Call<'_>) -> Flow {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() >= self.limit.min(MAX_BYTES) { Flow::Stop } else { Flow::More }
    }
    fn finish(&mut self, call: &mut Call<'_>) -> i32 {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.truncate(self.limit);
        call.work_bytes += bytes.len() * 4;
        let mut text = String::new();
        let mut last: Option<&[u8]> = None;
        let mut starred = false;
        if self.kind == 'p' {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            hex.as_bytes().chunks(60).for_each(|row| text.push_str(&format!("{}\n", String::from_utf8_lossy(row))));
            call.out(&text);
            return 0;
        }
        for (i, row) in bytes.chunks(16).enumerate() {
            // Rows that repeat are shown once.
            if last == Some(row) && self.kind != 'X' && self.kind != 'p' {
                if !std::mem::replace(&mut starred, true) {
                    text.push_str("*\n");
                }
                continue;
            }
            (last, starred) = (Some(row), false);
            text.push_str(&self.row(i * 16, row));
        }
        if self.addresses && self.kind != 'X' && !(self.plain && bytes.is_empty()) {
            let end = bytes.len();
            text.push_str(&if matches!(self.kind, 'C' | 'H') {
                format!("{end:08x}\n").replacen('0', if self.kind == 'H' { "" } else { "0" }, 1)
            } else {
                format!("{end:07o}\n")
            });
        }
        call.out(&text);
        0
    }
}

impl Dump {
    fn row(&self, address: usize, row: &[u8]) -> String {
        let printable: String =
            row.iter().map(|byte| if (32..127).contains(byte) { char::from(*byte) } else { '.' }).collect();
        match self.kind {
            'C' => {
                let half = |part: &[u8]| part.iter().map(|byte| format!("{byte:02x} ")).collect::<String>();
                let left = half(&row[..row.len().min(8)]);
                let right = half(row.get(8..).unwrap_or_default());
                format!("{address:08x}  {left:<24} {right:<24} |{printable}|\n")
            }
            'X' => {
                let pairs: String = row
                    .chunks(2)
                    .map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + " ")
                    .collect();
                format!("{address:08x}: {pairs:<40} {printable}\n")
            }
            'H' => {
                let words: String = row
                    .chunks(2)
                    .map(|pair| {
                        let high = pair.get(1).copied().unwrap_or(0);
                        format!(" {:02x}{:02x}", high, pair[0])
                    })
                    .collect();
                format!("{address:07x}{words}\n")
            }
            kind => {
                let start = if self.addresses { format!("{address:07o}") } else { String::new() };
                let cells: String = match kind {
                    'c' => row.iter().map(|byte| format!("{:>4}", shown_byte(*byte))).collect(),
                    'x' => row.iter().map(|byte| format!(" {byte:02x}")).collect(),
                    'u' => row.iter().map(|byte| format!(" {byte:>3}")).collect(),
                    'b' => row.iter().map(|byte| format!(" {byte:03o}")).collect(),
                    'w' => row
                        .chunks(2)
                        .map(|pair| format!(" {:02x}{:02x}", pair.get(1).copied().unwrap_or(0), pair[0]))
                        .collect(),
                    _ => row
                        .chunks(2)
                        .map(|pair| {
                            format!(" {:06o}", u16::from(pair[0]) | u16::from(pair.get(1).copied().unwrap_or(0)) << 8)
                        })
                        .collect(),
                };
                format!("{start}{cells}\n")
            }
        }
    }
}

fn shown_byte(byte: u8) -> String {
    match byte {
        0 => "\\0".into(),
        7 => "\\a".into(),
        8 => "\\b".into(),
        b'\t' => "\\t".into(),
        b'\n' => "\\n".into(),
        11 => "\\v".into(),
        12 => "\\f".into(),
        b'\r' => "\\r".into(),
        32..=126 => char::from(byte).to_string(),
        other => format!("{other:03o}"),
    }
}

pub fn dump(call: &mut Call<'_>) -> Outcome {
    let name = call.name;
    let (flags, values) = match name {
        "od" => ("cbxovdah", "AtNjw"),
        "xxd" => ("pui", "lcsg"),
        _ => ("Cvcbxd", "nse"),
    };
    let args = parse_args!(
        call,
        flags,
        values,
        &[("address-radix", 'A'), ("format", 't'), ("read-bytes", 'N'), ("length", 'n')]
    );
    if args.has('e') || args.has('i') {
        return call.lacking("such a format");
    }
    let kind = match (name, args.value('t')) {
        ("xxd", _) if args.has('p') => 'p',
        ("xxd", _) => 'X',
        ("od", Some(format)) => match format {
            "x1" => 'x',
            "u1" | "d1" => 'u',
            "c" | "a" => 'c',
            "o1" => 'b',
            "x2" => 'w',
            _ => 'o',
        },
        ("od", None) if args.has('c') => 'c',
        ("od", None) if args.has('b') => 'b',
        ("od", None) if args.has('x') => 'w',
        ("od", None) => 'o',
        _ if args.has('C') => 'C',
        _ => 'H',
    };
    let limit = ['N', 'l', 'n'].into_iter().find_map(|letter| args.value(letter)).and_then(super::size);
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
    let addresses = args.value('A') != Some("n");
    let dump = Dump { kind, addresses, bytes: Vec::new(), limit, plain: name != "od" };
    start(call, dump, args.operands, 1)
}

#[derive(Clone, Debug)]
struct Strings {
    least: usize,
    run: Vec<u8>,
}

impl Filter for Strings {
    cloned!();
    fn in_pieces(&self) -> bool {
        true
    }
    fn take(&mut self, bytes: &[u8], _: bool, call: &mut Call<'_>) -> Flow {
        for byte in bytes {
            if (32..127).contains(byte) || *byte == b'\t' {
                self.run.push(*byte);
            } else {
                self.end(call);
            }
        }
        Flow::More
    }
    fn finish(&mut self, call: &mut Call<'_>) -> i32 {
        self.end(call);
        0
    }
}

impl Strings {
    fn end(&mut self, call: &mut Call<'_>) {
        let run = std::mem::take(&mut self.run);
        if run.len() >= self.least {
            call.out_bytes(&[&run[..], b"\n"].concat());
        }
    }
}

pub fn strings(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(call, "af", "n");
    let least = args.value('n').and_then(|text| text.parse().ok()).unwrap_or(4);
    start(call, Strings { least, run: Vec::new() }, args.operands, 1)
}

#[derive(Clone, Debug)]
struct Split {
    lines: usize,
    bytes: Option<usize>,
    prefix: String,
    digits: bool,
    suffix: usize,
    text: Vec<u8>,
    held: usize,
    made: usize,
    failed: bool,
}

impl Split {
    fn end_piece(&mut self, call: &mut Call<'_>) {
        if self.text.is_empty() {
            return;
        }
        let (mut number, mut name) = (self.made, String::new());
        for _ in 0..self.suffix {
            let base = if self.digits { 10 } else { 26 };
            let first = if self.digits { b'0' } else { b'a' };
            name.insert(0, char::from(first + (number % base) as u8));
            number /= base;
        }
        self.made += 1;
        let path = call.path(&format!("{}{name}", self.prefix));
        self.failed |= call.system.write_file(&path, &std::mem::take(&mut self.text), false).is_err();
        self.held = 0;
    }
}

impl Filter for Split {
    cloned!();
    fn in_pieces(&self) -> bool {
        self.bytes.is_some()
    }
    fn take(&mut self, bytes: &[u8], complete: bool, call: &mut Call<'_>) -> Flow {
        if let Some(size) = self.bytes {
            for byte in bytes {
                self.text.push(*byte);
                if self.text.len() == size {
                    self.end_piece(call);
                }
            }
            return Flow::More;
        }
        self.text.extend_from_slice(bytes);
        if complete {
            self.text.push(b'\n');
        }
        self.held += 1;
        if self.held == self.lines {
            self.end_piece(call);
        }
        Flow::More
    }
    fn finish(&mut self, call: &mut Call<'_>) -> i32 {
        self.end_piece(call);
        i32::from(self.failed)
    }
}

pub fn split(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(
        call,
        "d",
        "lban",
        &[("lines", 'l'), ("bytes", 'b'), ("suffix-length", 'a'), ("numeric-suffixes", 'd')]
    );
    if args.has('n') {
        return call.lacking("option -n");
    }
    let split = Split {
        lines: args.value('l').and_then(|text| text.parse().ok()).filter(|lines| *lines > 0).unwrap_or(1000),
        bytes: args
            .value('b')
            .and_then(super::size)
            .and_then(|size| usize::try_from(size).ok())
            .filter(|size| *size > 0),
        prefix: args.operands.get(1).cloned().unwrap_or_else(|| "x".into()),
        digits: args.has('d'),
        suffix: args.value('a').and_then(|text| text.parse().ok()).unwrap_or(2).clamp(1, 10),
        text: Vec::new(),
        held: 0,
        made: 0,
        failed: false,
    };
    start(call, split, args.operands.into_iter().take(1).collect(), 1)
}
