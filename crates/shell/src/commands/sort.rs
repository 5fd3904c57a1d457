//! `sort`: keys as POSIX.1 XCU sort has them, with GNU's kinds of order.

use std::cmp::Ordering;

use super::awk_value::leading_number;
use super::filter::{Filter, Flow, start};
use super::text::cloned;
use super::{Call, Outcome, parse_args};
use crate::expand::MAX_BYTES;
use values::sort::sort_by;

/// Bytes of lines that are kept.
const MAX_KEPT: usize = MAX_BYTES * 4;

#[derive(Clone, Copy, Debug, Default)]
struct Order {
    numeric: bool,
    general: bool,
    human: bool,
    version: bool,
    month: bool,
    random: bool,
    fold: bool,
    dictionary: bool,
    printable: bool,
    blanks: bool,
    reverse: bool,
}

#[derive(Clone, Debug)]
struct Key {
    /// Field and character it begins with, from 1.
    from: (usize, usize),
    /// The last field and character; character 0 is the field's end.
    to: Option<(usize, usize)>,
    order: Order,
    blanks_at_end: bool,
}

#[derive(Clone, Debug, Default)]
struct Sort {
    lines: Vec<Vec<u8>>,
    current: Vec<u8>,
    bytes: usize,
    order: Order,
    unique: bool,
    stable: bool,
    keys: Vec<Key>,
    separator: Option<u8>,
    output: Option<String>,
    nul: bool,
    checks: bool,
    quiet: bool,
    merges: bool,
    disorder: Option<(usize, Vec<u8>)>,
    file: String,
    seed: u64,
}

impl Order {
    fn with(mut self, letter: char) -> Option<Order> {
        match letter {
            'n' => self.numeric = true,
            'g' => self.general = true,
            'h' => self.human = true,
            'V' => self.version = true,
            'M' => self.month = true,
            'R' => self.random = true,
            'f' => self.fold = true,
            'd' => self.dictionary = true,
            'i' => self.printable = true,
            'b' => self.blanks = true,
            'r' => self.reverse = true,
            _ => return None,
        }
        Some(self)
    }

    fn is_default(&self) -> bool {
        !(self.numeric
            || self.general
            || self.human
            || self.version
            || self.month
            || self.random
            || self.fold
            || self.dictionary
            || self.printable
            || self.blanks
            || self.reverse)
    }

    fn compare(&self, a: &[u8], b: &[u8], seed: u64) -> Ordering {
        let order = if self.numeric {
            decimal(a).cmp(&decimal(b))
        } else if self.general {
            general(a).total_cmp(&general(b))
        } else if self.human {
            human(a).cmp(&human(b))
        } else if self.month {
            month(a).cmp(&month(b))
        } else if self.version {
            version(a, b)
        } else if self.random {
            scrambled(a, seed).cmp(&scrambled(b, seed))
        } else if self.fold || self.dictionary || self.printable {
            self.letters(a).cmp(&self.letters(b))
        } else {
            a.cmp(b)
        };
        if self.reverse { order.reverse() } else { order }
    }

    /// What counts of a text.
    fn letters(&self, text: &[u8]) -> Vec<u8> {
        let kept = text.iter().copied().filter(|c| {
            !(self.dictionary && !c.is_ascii_alphanumeric() && !c.is_ascii_whitespace()
                || self.printable && !(32..127).contains(c))
        });
        kept.map(|c| if self.fold { c.to_ascii_uppercase() } else { c }).collect()
    }
}

fn trimmed(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|c| c.is_ascii_whitespace()).count();
    &text[blanks..]
}

/// The number a text begins with: its sign, its digits before and behind the point.
fn decimal(text: &[u8]) -> i128 {
    let text = trimmed(text);
    let (sign, text) = match text.first() {
        Some(b'-') => (-1, &text[1..]),
        _ => (1, text),
    };
    let whole: i128 =
        text.iter().take_while(|c| c.is_ascii_digit()).take(25).fold(0, |n, c| n * 10 + i128::from(c - b'0'));
    let digits = text.iter().take_while(|c| c.is_ascii_digit()).count();
    let mut fraction = 0i128;
    let mut behind = match text.get(digits) {
        Some(b'.') => text[digits + 1..].iter().take_while(|c| c.is_ascii_digit()).copied().collect(),
        _ => Vec::new(),
    };
    behind.resize(9, b'0');
    for c in behind {
        fraction = fraction * 10 + i128::from(c - b'0');
    }
    sign * (whole * 1_000_000_000 + fraction)
}

/// A floating point number; what is none comes first.
fn general(text: &[u8]) -> f64 {
    let text = String::from_utf8_lossy(trimmed(text)).into_owned();
    let begins = text.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if begins { leading_number(&text) } else { f64::NEG_INFINITY }
}

/// `2K` before `1M`: the unit counts first.
fn human(text: &[u8]) -> (i32, i128) {
    let number = decimal(text);
    let text = trimmed(text);
    let len = text.iter().take_while(|c| c.is_ascii_digit() || matches!(c, b'-' | b'+' | b'.')).count();
    let unit = match text.get(len).map(u8::to_ascii_uppercase) {
        Some(b'K') => 1,
        Some(b'M') => 2,
        Some(b'G') => 3,
        Some(b'T') => 4,
        Some(b'P') => 5,
        _ => 0,
    };
    match number.cmp(&0) {
        Ordering::Less => (-unit, number),
        Ordering::Equal => (0, 0),
        Ordering::Greater => (unit, number),
    }
}

fn month(text: &[u8]) -> usize {
    let months = [b"JAN", b"FEB", b"MAR", b"APR", b"MAY", b"JUN", b"JUL", b"AUG", b"SEP", b"OCT", b"NOV", b"DEC"];
    let start: Vec<u8> = trimmed(text).iter().take(3).map(u8::to_ascii_uppercase).collect();
    months.iter().position(|name| name[..] == start[..]).map_or(0, |at| at + 1)
}

/// Runs of digits count as numbers.
fn version(a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let text = |part: &[u8]| part.iter().take_while(|c| !c.is_ascii_digit()).count();
        let (n, m) = (text(a), text(b));
        let order = a[..n].cmp(&b[..m]);
        if order.is_ne() {
            return order;
        }
        (a, b) = (&a[n..], &b[m..]);
        let digits = |part: &[u8]| part.iter().take_while(|c| c.is_ascii_digit()).count();
        let (n, m) = (digits(a), digits(b));
        let number = |part: &[u8]| -> Vec<u8> { part.iter().copied().skip_while(|c| *c == b'0').collect() };
        let (left, right) = (number(&a[..n]), number(&b[..m]));
        let order = left.len().cmp(&right.len()).then(left.cmp(&right));
        if order.is_ne() {
            return order;
        }
        (a, b) = (&a[n..], &b[m..]);
        if a.is_empty() && b.is_empty() {
            return Ordering::Equal;
        }
    }
}

fn scrambled(text: &[u8], seed: u64) -> u64 {
    text.iter().fold(seed, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(5))
}

impl Sort {
    /// Where the fields of a line begin and end. Without a separator, blanks in front belong to the field.
    fn fields(&self, line: &[u8]) -> Vec<(usize, usize)> {
        let mut fields = Vec::new();
        let mut at = 0;
        match self.separator {
            Some(separator) => {
                for part in line.split(|c| *c == separator) {
                    fields.push((at, at + part.len()));
                    at += part.len() + 1;
                }
            }
            None => {
                while at < line.len() {
                    let start = at;
                    at += line[at..].iter().take_while(|c| c.is_ascii_whitespace()).count();
                    at += line[at..].iter().take_while(|c| !c.is_ascii_whitespace()).count();
                    fields.push((start, at));
                }
            }
        }
        fields
    }

    fn key<'l>(&self, line: &'l [u8], key: &Key) -> &'l [u8] {
        let fields = self.fields(line);
        let place = |(field, character): (usize, usize), blanks: bool, end: bool| {
            let Some((start, stop)) = fields.get(field.wrapping_sub(1)).copied() else { return line.len() };
            let skip =
                if blanks { line[start..stop].iter().take_while(|c| c.is_ascii_whitespace()).count() } else { 0 };
            match (end, character) {
                (true, 0) => stop,
                (true, n) => (start + skip + n).min(line.len()),
                (false, n) => (start + skip + n.saturating_sub(1)).min(line.len()),
            }
        };
        let from = place(key.from, key.order.blanks, false);
        let to = key.to.map_or(line.len(), |to| place(to, key.blanks_at_end, true));
        &line[from.min(to)..to]
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        for key in &self.keys {
            let order = key.order.compare(self.key(a, key), self.key(b, key), self.seed);
            if order.is_ne() {
                return order;
            }
        }
        if self.keys.is_empty() {
            let (left, right) = if self.order.blanks { (trimmed(a), trimmed(b)) } else { (a, b) };
            let order = self.order.compare(left, right, self.seed);
            if order.is_ne() {
                return order;
            }
        }
        // Lines that are equal by their keys are ordered as texts.
        if self.stable || self.unique {
            return Ordering::Equal;
        }
        let order = a.cmp(b);
        if self.order.reverse { order.reverse() } else { order }
    }
}

impl Filter for Sort {
    cloned!();
    fn in_pieces(&self) -> bool {
        self.nul
    }
    fn begin_file(&mut self, name: &str, _: &mut Call<'_>) {
        self.file = name.to_string();
    }
    fn take(&mut self, line: &[u8], _: bool, call: &mut Call<'_>) -> Flow {
        if self.nul {
            for byte in line {
                match byte {
                    0 => self.lines.push(std::mem::take(&mut self.current)),
                    byte => self.current.push(*byte),
                }
            }
            return Flow::More;
        }
        self.bytes += line.len() + 24;
        if self.bytes > MAX_KEPT {
            call.err("sort", "Batchyard's sort holds no more than 64 MB");
            self.disorder = Some((0, Vec::new()));
            return Flow::Stop;
        }
        if self.checks && self.disorder.is_none() {
            let before = self.lines.last();
            let wrong = before.is_some_and(|before| {
                let order = self.compare(before, line);
                order.is_gt() || self.unique && order.is_eq()
            });
            if wrong {
                self.disorder = Some((self.lines.len() + 1, line.to_vec()));
                return Flow::Stop;
            }
        }
        self.lines.push(line.to_vec());
        Flow::More
    }
    fn finish(&mut self, call: &mut Call<'_>) -> i32 {
        match &self.disorder {
            Some((0, _)) => return 2,
            Some((line, text)) => {
                if !self.quiet {
                    let file = &self.file;
                    let text = String::from_utf8_lossy(text).into_owned();
                    call.err("sort", &format!("{file}:{line}: disorder: {text}"));
                }
                return 1;
            }
            None if self.checks => return 0,
            None => {}
        }
        if !self.current.is_empty() {
            self.lines.push(std::mem::take(&mut self.current));
        }
        let mut lines = std::mem::take(&mut self.lines);
        call.work_bytes += self.bytes * 2;
        sort_by(&mut lines, |a, b| self.compare(a, b));
        if self.unique {
            lines.dedup_by(|a, b| self.compare(b, a).is_eq());
        }
        let end = if self.nul { 0 } else { b'\n' };
        let mut text = lines.join(&end);
        if !lines.is_empty() {
            text.push(end);
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

/// `2.3n,4.5r`
fn key(text: &str, global: Order) -> Option<Key> {
    let (from, to) = text.split_once(',').map_or((text, None), |(from, to)| (from, Some(to)));
    let part = |text: &str| -> Option<((usize, usize), String)> {
        let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
        let (field, character) = text[..digits].split_once('.').unwrap_or((&text[..digits], "0"));
        Some(((field.parse().ok()?, character.parse().ok()?), text[digits..].to_string()))
    };
    let (start, letters) = part(from)?;
    let (end, end_letters) = match to {
        Some(to) => part(to).map(|(end, letters)| (Some(end), letters))?,
        None => (None, String::new()),
    };
    let mut order = Order::default();
    for letter in letters.chars() {
        order = order.with(letter)?;
    }
    for letter in end_letters.chars().filter(|letter| *letter != 'b') {
        order = order.with(letter)?;
    }
    let own = !order.is_default();
    let order = if own { order } else { global };
    let blanks_at_end = end_letters.contains('b') || !own && global.blanks;
    (start.0 > 0).then_some(Key { from: start, to: end, order, blanks_at_end })
}

pub fn sort(call: &mut Call<'_>) -> Outcome {
    let long = [
        ("reverse", 'r'),
        ("unique", 'u'),
        ("numeric-sort", 'n'),
        ("general-numeric-sort", 'g'),
        ("human-numeric-sort", 'h'),
        ("version-sort", 'V'),
        ("month-sort", 'M'),
        ("random-sort", 'R'),
        ("ignore-case", 'f'),
        ("ignore-leading-blanks", 'b'),
        ("dictionary-order", 'd'),
        ("key", 'k'),
        ("field-separator", 't'),
        ("output", 'o'),
        ("stable", 's'),
        ("check", 'c'),
        ("zero-terminated", 'z'),
        ("merge", 'm'),
        ("parallel", 'P'),
        ("buffer-size", 'S'),
    ];
    let known = if call.is_ash() { "nrufsbghVcdizMCm" } else { "nrufsbghVcdizMRCm" };
    let args = parse_args!(call, known, "ktoSTP", if call.is_ash() { &[] } else { &long });
    let mut order = Order::default();
    for (letter, _) in args.options.iter().filter(|(letter, _)| "ngVhMRfdibr".contains(*letter)) {
        order = order.with(*letter).unwrap_or(order);
    }
    let mut keys = Vec::new();
    for (_, text) in args.options.iter().filter(|(letter, _)| *letter == 'k') {
        match key(text, order) {
            Some(key) => keys.push(key),
            None => {
                let message = match call.is_ash() {
                    true => "bad field specification".to_string(),
                    false => format!("invalid field specification '{text}'"),
                };
                call.err("sort", &message);
                return Outcome::Done(2);
            }
        }
    }
    let separator = match args.value('t') {
        None => None,
        Some("\\0") => Some(0),
        Some(text) if text.len() == 1 || text.chars().count() == 1 => text.bytes().next(),
        Some(text) => {
            let message = match call.is_ash() {
                true => "bad -t parameter".to_string(),
                false => format!("multi-character tab '{text}'"),
            };
            call.err("sort", &message);
            return Outcome::Done(2);
        }
    };
    let sort = Sort {
        order,
        unique: args.has('u'),
        stable: args.has('s'),
        keys,
        separator,
        output: args.value('o').map(str::to_string),
        nul: args.has('z'),
        checks: args.has('c') || args.has('C'),
        quiet: args.has('C'),
        merges: args.has('m'),
        seed: call.system.random(),
        ..Sort::default()
    };
    debug_assert!(!sort.merges || sort.lines.is_empty(), "merging is sorting");
    start(call, sort, args.operands, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_compared_by_their_keys() {
        let order = Order { numeric: true, ..Order::default() };
        let sort = Sort { keys: vec![key("2", order).unwrap()], ..Sort::default() };
        assert_eq!(sort.compare(b"a 10", b"b 9"), Ordering::Greater);
        assert_eq!(version(b"v1.10", b"v1.9"), Ordering::Greater);
        assert!(human(b"2K") < human(b"1M"));
        assert!(general(b"1e3") > general(b"200"));
        assert!(key("0", order).is_none());
    }
}
