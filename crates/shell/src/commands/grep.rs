//! `grep`, `egrep`, `fgrep`.

use super::filter::{Filter, Flow, start};
use super::text::cloned;
use super::{Call, Outcome};
use crate::expand::pattern::Pattern;
use crate::host::System;
use crate::regex::Regex;

#[derive(Clone, Debug)]
struct Grep {
    regexes: Vec<Regex>,
    inverted: bool,
    count: bool,
    names_only: bool,
    without_match: bool,
    quiet: bool,
    numbered: bool,
    with_name: bool,
    only_matching: bool,
    silent: bool,
    offsets: bool,
    whole_line: bool,
    word: bool,
    limit: Option<u64>,
    before: usize,
    after: usize,
    held: Vec<(u64, Vec<u8>)>,
    trailing: usize,
    last_printed: u64,
    name: String,
    line: u64,
    found: u64,
    any: bool,
}

impl Grep {
    fn matches(&self, line: &[u8], work: &mut u64) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        for regex in &self.regexes {
            let mut from = 0;
            while let Some((start, end)) = regex.find_counted(line, from, work).and_then(|groups| groups[0]) {
                let edge = |at: Option<&u8>| !at.is_some_and(|c| c.is_ascii_alphanumeric() || *c == b'_');
                let fits = (!self.whole_line || start == 0 && end == line.len())
                    && (!self.word || edge(start.checked_sub(1).and_then(|i| line.get(i))) && edge(line.get(end)));
                if fits {
                    found.push((start, end));
                    if !self.only_matching {
                        return found;
                    }
                }
                from = if end > start && fits { end } else { start + 1 };
                if from > line.len() || *work > 200_000_000 {
                    break;
                }
            }
        }
        found.sort_unstable();
        found
    }

    fn print(&mut self, number: u64, mark: char, text: &[u8], call: &mut Call<'_>) {
        let has_context = self.before + self.after > 0;
        if has_context && self.last_printed > 0 && number > self.last_printed + 1 {
            call.out("--\n");
        }
        self.last_printed = number;
        let mut start = String::new();
        if self.with_name {
            start.push_str(&format!("{}{mark}", self.name));
        }
        if self.numbered {
            start.push_str(&format!("{number}{mark}"));
        }
        call.out_bytes(&[start.as_bytes(), text, b"\n"].concat());
    }
}

impl Filter for Grep {
    cloned!();
    fn begin_file(&mut self, name: &str, _: &mut Call<'_>) {
        self.name = if name == "-" { "(standard input)".into() } else { name.to_string() };
        self.line = 0;
        self.found = 0;
        self.trailing = 0;
        self.last_printed = 0;
        self.held.clear();
    }
    fn take(&mut self, line: &[u8], _: bool, call: &mut Call<'_>) -> Flow {
        self.line += 1;
        if self.limit.is_some_and(|limit| self.found >= limit) {
            if self.trailing == 0 {
                return Flow::NextFile;
            }
            self.trailing -= 1;
            self.print(self.line, '-', line, call);
            return Flow::More;
        }
        let mut work = 0;
        let found = self.matches(line, &mut work);
        call.work_bytes += line.len() / 4 + usize::try_from(work).unwrap_or(usize::MAX);
        if found.is_empty() != self.inverted {
            if self.trailing > 0 {
                self.trailing -= 1;
                self.print(self.line, '-', line, call);
            } else if self.before > 0 {
                self.held.push((self.line, line.to_vec()));
                let surplus = self.held.len().saturating_sub(self.before);
                self.held.drain(..surplus);
            }
            return Flow::More;
        }
        self.found += 1;
        self.any = true;
        if self.quiet {
            return Flow::Stop;
        }
        if self.names_only || self.without_match {
            return Flow::NextFile;
        }
        if self.only_matching && !self.inverted {
            for (start, end) in found.into_iter().filter(|(start, end)| start < end) {
                self.print(self.line, ':', &line[start..end], call);
            }
        } else if !self.count {
            for (number, text) in std::mem::take(&mut self.held) {
                self.print(number, '-', &text, call);
            }
            self.trailing = self.after;
            self.print(self.line, ':', line, call);
        }
        match self.limit.is_some_and(|limit| self.found >= limit) {
            // The lines behind the last match are printed still.
            true if self.trailing > 0 && !self.count => Flow::More,
            true => Flow::NextFile,
            false => Flow::More,
        }
    }
    fn end_file(&mut self, _: &str, call: &mut Call<'_>) {
        if self.count && !self.quiet {
            let start = if self.with_name { format!("{}:", self.name) } else { String::new() };
            call.out(&format!("{start}{}\n", self.found));
        }
        if self.names_only && self.found > 0 || self.without_match && self.found == 0 {
            call.out(&format!("{}\n", self.name));
        }
    }
    fn finish(&mut self, _: &mut Call<'_>) -> i32 {
        i32::from(!self.any)
    }
}

pub fn grep(call: &mut Call<'_>) -> Outcome {
    run(call, ' ')
}

pub fn egrep(call: &mut Call<'_>) -> Outcome {
    run(call, 'E')
}

pub fn fgrep(call: &mut Call<'_>) -> Outcome {
    run(call, 'F')
}

fn run(call: &mut Call<'_>, kind: char) -> Outcome {
    let long = [
        ("ignore-case", 'i'),
        ("invert-match", 'v'),
        ("count", 'c'),
        ("quiet", 'q'),
        ("silent", 'q'),
        ("color", 'Z'),
        ("colour", 'Z'),
        ("line-buffered", 'U'),
        ("extended-regexp", 'E'),
        ("fixed-strings", 'F'),
        ("basic-regexp", 'G'),
        ("perl-regexp", 'P'),
        ("only-matching", 'o'),
        ("line-number", 'n'),
        ("files-with-matches", 'l'),
        ("files-without-match", 'L'),
        ("with-filename", 'H'),
        ("no-filename", 'h'),
        ("no-messages", 's'),
        ("word-regexp", 'w'),
        ("line-regexp", 'x'),
        ("recursive", 'r'),
        ("dereference-recursive", 'R'),
        ("max-count", 'm'),
        ("regexp", 'e'),
        ("file", 'f'),
        ("after-context", 'A'),
        ("before-context", 'B'),
        ("context", 'C'),
        ("include", 'I'),
        ("exclude", 'X'),
        ("exclude-dir", 'D'),
        ("text", 'a'),
        ("null", 'z'),
        ("byte-offset", 'b'),
    ];
    let ash = call.is_ash();
    let (known, takes) =
        if ash { ("invcloqhHsxwEFrRLZUya", "emABCf") } else { ("invcloqhHsxwEFGrRLZUyPabz", "emABCfIXD") };
    // `-5` is a context of five lines.
    let words: Vec<String> = call
        .args
        .iter()
        .map(|arg| match arg.strip_prefix('-') {
            Some(digits) if !digits.is_empty() && digits.bytes().all(|c| c.is_ascii_digit()) => format!("-C{digits}"),
            _ => arg.clone(),
        })
        .collect();
    let args = match super::Args::parse(&words, known, takes, if ash { &[] } else { &long }) {
        Ok(args) => args,
        Err(option) => return call.bad_option(&option),
    };
    let mut operands = args.operands.clone();
    let mut patterns: Vec<String> =
        args.options.iter().filter(|(letter, _)| *letter == 'e').map(|(_, text)| text.clone()).collect();
    let mut from_file = false;
    for (_, file) in args.options.iter().filter(|(letter, _)| *letter == 'f') {
        from_file = true;
        match call.read_file(file) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                patterns.extend(text.lines().map(str::to_string));
            }
            Err(error) => {
                call.err("grep", &format!("{file}: {error}"));
                return Outcome::Done(2);
            }
        }
    }
    if patterns.is_empty() && !from_file {
        if operands.is_empty() {
            if call.is_ash() {
                return call.usage(1);
            }
            let text = "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n";
            call.output.write(crate::process::Stream::Stderr, text.as_bytes());
            return Outcome::Done(2);
        }
        patterns.push(operands.remove(0));
    }
    let extended = kind == 'E' || args.has('E');
    let perl = args.has('P');
    let fixed = kind == 'F' || args.has('F');
    let mut regexes = Vec::new();
    for pattern in patterns.iter().flat_map(|pattern| pattern.split('\n')) {
        let compiled = match (fixed, extended) {
            _ if perl => Regex::perl(pattern, args.has('i')),
            (true, _) => Regex::basic(&literal(pattern), args.has('i')),
            (_, true) => Regex::extended(pattern, args.has('i')),
            _ => Regex::basic(pattern, args.has('i')),
        };
        match compiled {
            Ok(regex) => regexes.push(regex),
            Err(message) => {
                let text = if call.is_ash() { format!("bad regex '{pattern}': {message}") } else { message };
                call.err("grep", &text);
                return Outcome::Done(2);
            }
        }
    }
    let recursive = args.has('r') || args.has('R');
    if recursive {
        let roots = if operands.is_empty() { vec![".".to_string()] } else { operands };
        operands = roots.iter().flat_map(|root| below(root, &call.path(root), &*call.system, 0)).collect();
        let patterns = |letter: char| -> Vec<Pattern> {
            let given = args.options.iter().filter(|(found, _)| *found == letter);
            given.map(|(_, text)| Pattern::new(text)).collect()
        };
        let (only, not, not_in) = (patterns('I'), patterns('X'), patterns('D'));
        let fits = |list: &[Pattern], path: &str| {
            list.iter().any(|pattern| pattern.matches(path.rsplit('/').next().unwrap_or(path)))
        };
        operands.retain(|path| {
            let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
            (only.is_empty() || fits(&only, path))
                && !fits(&not, path)
                && !folders.split('/').any(|folder| not_in.iter().any(|pattern| pattern.matches(folder)))
        });
        if operands.is_empty() {
            return Outcome::Done(1);
        }
    }
    let number = |letter: char| args.value(letter).and_then(|text| text.parse::<usize>().ok());
    let context = number('C').unwrap_or(0);
    let filter = Grep {
        regexes,
        inverted: args.has('v'),
        count: args.has('c'),
        names_only: args.has('l'),
        without_match: args.has('L'),
        quiet: args.has('q'),
        numbered: args.has('n'),
        with_name: (args.has('H') || recursive || operands.len() > 1) && !args.has('h'),
        only_matching: args.has('o'),
        silent: args.has('s'),
        offsets: args.has('b'),
        whole_line: args.has('x'),
        word: args.has('w'),
        limit: number('m').map(|n| n as u64),
        before: number('B').unwrap_or(context),
        after: number('A').unwrap_or(context),
        held: Vec::new(),
        trailing: 0,
        last_printed: 0,
        name: String::new(),
        line: 0,
        found: 0,
        any: false,
    };
    // Files that are missing or directories are passed over silently with `-s`.
    let before = operands.len();
    if filter.silent {
        operands.retain(|file| file == "-" || call.system.info(&call.path(file)).is_ok_and(|info| !info.directory()));
        if operands.is_empty() && before > 0 {
            return Outcome::Done(2);
        }
    }
    if filter.offsets {
        return call.lacking("option -b");
    }
    start(call, filter, operands, 2)
}

/// A fixed text as a basic regular expression.
fn literal(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if matches!(c, '.' | '[' | '*' | '^' | '$' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

fn below(shown: &str, path: &str, system: &dyn System, depth: usize) -> Vec<String> {
    let is_directory = system.info(path).is_ok_and(|info| info.directory());
    if !is_directory || depth > 20 {
        return vec![shown.to_string()];
    }
    let names = system.list_dir(path).unwrap_or_default();
    let child = |base: &str, name: &str| format!("{}/{name}", base.trim_end_matches('/'));
    names.iter().flat_map(|name| below(&child(shown, name), &child(path, name), system, depth + 1)).collect()
}
