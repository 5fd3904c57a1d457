//! `sed`: `s`, `d`, `p`, `q`, `=`, `a`, `i`, `c`, `y`, `n`, with line, `$`, pattern, range and step addresses, and `!`.
//!
//! Not there: labels and branches, the hold space, `w` and `r`.

use super::filter::{Filter, Flow, start};
use super::text::cloned;
use super::{Call, Outcome, parse_args};
use crate::regex::{Captures, Regex};

#[derive(Clone, Debug)]
enum Address {
    Line(u64),
    Last,
    Match(Regex),
    /// `first~step`
    Step(u64, u64),
    /// `addr,+n` as a second address.
    Plus(u64),
}

#[derive(Clone, Debug)]
struct Command {
    first: Option<Address>,
    second: Option<Address>,
    negated: bool,
    action: Action,
    /// Within a range: the line it ends with, if that is known; `None`: not within one.
    active: Option<u64>,
}

#[derive(Clone, Debug)]
enum Action {
    Substitute { regex: Regex, with: String, which: usize, all: bool, print: bool },
    Delete,
    Print,
    Quit,
    Number,
    Next,
    Append(String),
    Insert(String),
    Change(String),
    Translate(Vec<(char, char)>),
    Group(Vec<Command>),
}

#[derive(Clone, Debug)]
struct Sed {
    commands: Vec<Command>,
    quiet: bool,
    line: u64,
    /// The line before, held back so that `$` is known.
    held: Option<(Vec<u8>, bool)>,
    /// `-i`: the file being edited, and its new text.
    in_place: Option<Vec<u8>>,
    status: i32,
    /// `n` prints the line and waits for the next, at which the script goes on from here.
    resume: Option<usize>,
}

enum End {
    Normal,
    Deleted,
    Quit,
    Next(usize),
}

impl Sed {
    fn emit(&mut self, bytes: &[u8], call: &mut Call<'_>) {
        match &mut self.in_place {
            Some(text) => text.extend_from_slice(bytes),
            None => call.out_bytes(bytes),
        }
    }

    fn process(&mut self, line: Vec<u8>, complete: bool, last: bool, call: &mut Call<'_>) -> Flow {
        self.line += 1;
        let mut text = String::from_utf8_lossy(&line).into_owned();
        let mut commands = std::mem::take(&mut self.commands);
        let from = self.resume.take().unwrap_or(0);
        let (mut before, mut after) = (String::new(), String::new());
        let end = self.run(&mut commands, from, &mut text, last, &mut before, &mut after);
        self.commands = commands;
        self.emit(before.as_bytes(), call);
        if !matches!(end, End::Deleted) && !self.quiet {
            self.emit(text.as_bytes(), call);
            if complete || !last || !after.is_empty() {
                self.emit(b"\n", call);
            }
        }
        self.emit(after.as_bytes(), call);
        match end {
            End::Quit => {
                self.held = None;
                Flow::Stop
            }
            End::Next(at) => {
                self.resume = Some(at);
                Flow::More
            }
            _ => Flow::More,
        }
    }

    fn run(
        &self,
        commands: &mut [Command],
        from: usize,
        text: &mut String,
        last: bool,
        before: &mut String,
        after: &mut String,
    ) -> End {
        for (i, command) in commands.iter_mut().enumerate().skip(from) {
            if !command.applies(self.line, text, last) {
                continue;
            }
            match &mut command.action {
                Action::Substitute { regex, with, which, all, print } => {
                    let changed = substitute(regex, text, with, *which, *all);
                    if let Some(changed) = changed {
                        *text = changed;
                        if *print {
                            before.push_str(&format!("{text}\n"));
                        }
                    }
                }
                Action::Delete => return End::Deleted,
                Action::Print => before.push_str(&format!("{text}\n")),
                Action::Quit => return End::Quit,
                Action::Number => before.push_str(&format!("{}\n", self.line)),
                Action::Next if last => return End::Normal,
                Action::Next => return End::Next(i + 1),
                Action::Append(more) => after.push_str(&format!("{more}\n")),
                Action::Insert(more) => before.push_str(&format!("{more}\n")),
                Action::Change(more) => {
                    if command.active.is_none_or(|until| until <= self.line) {
                        before.push_str(&format!("{more}\n"));
                    }
                    return End::Deleted;
                }
                Action::Translate(pairs) => {
                    *text = text
                        .chars()
                        .map(|c| pairs.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to))
                        .collect();
                }
                Action::Group(inner) => match self.run(inner, 0, text, last, before, after) {
                    End::Normal => {}
                    other => return other,
                },
            }
        }
        End::Normal
    }
}

impl Address {
    fn matches(&self, line: u64, text: &str, last: bool) -> bool {
        match self {
            Address::Line(number) => line == *number,
            Address::Last => last,
            Address::Match(regex) => regex.find(text.as_bytes(), 0).is_some(),
            Address::Step(first, step) => {
                line >= *first && (line - first).checked_rem(*step).unwrap_or(line - first) == 0
            }
            Address::Plus(_) => false,
        }
    }
}

impl Command {
    fn applies(&mut self, line: u64, text: &str, last: bool) -> bool {
        let hit = match (&self.first, &self.second) {
            (None, _) => true,
            (Some(first), None) => first.matches(line, text, last),
            (Some(first), Some(second)) => match self.active {
                Some(until) => {
                    let ends = match second {
                        Address::Line(_) | Address::Plus(_) => line >= until,
                        other => other.matches(line, text, last),
                    };
                    if ends {
                        self.active = None;
                    }
                    // A range whose end line has gone by already covers its first line only.
                    !matches!(second, Address::Line(_)) || line <= until
                }
                None => {
                    let begins = first.matches(line, text, last);
                    if begins {
                        self.active = match second {
                            Address::Line(number) => Some(*number).filter(|number| *number > line),
                            Address::Plus(count) => Some(line + count).filter(|until| *until > line),
                            _ => Some(u64::MAX),
                        };
                    }
                    begins
                }
            },
        };
        hit != self.negated
    }
}

/// The text after `s`; `None` if nothing matched.
fn substitute(regex: &Regex, text: &str, with: &str, which: usize, all: bool) -> Option<String> {
    let bytes = text.as_bytes();
    let mut out: Vec<u8> = Vec::new();
    let (mut at, mut copied, mut count) = (0, 0, 0);
    let mut changed = false;
    while at <= bytes.len() {
        let Some(groups) = regex.find(bytes, at) else { break };
        let Some((start, end)) = groups[0] else { break };
        count += 1;
        if count >= which {
            out.extend_from_slice(&bytes[copied..start]);
            replacement(with, &groups, bytes, &mut out);
            copied = end;
            changed = true;
        }
        if changed && !all {
            break;
        }
        at = if end > start { end } else { end + 1 };
        if out.len() > crate::expand::MAX_BYTES {
            break;
        }
    }
    out.extend_from_slice(&bytes[copied.min(bytes.len())..]);
    changed.then(|| String::from_utf8_lossy(&out).into_owned())
}

/// Appends the replacement with `&`, `\1` … `\9` and `\n` filled in.
pub(super) fn replacement(with: &str, groups: &Captures, text: &[u8], out: &mut Vec<u8>) {
    let mut chars = with.chars();
    let group = |n: usize| groups.get(n).copied().flatten().map_or(&[][..], |(start, end)| &text[start..end]);
    while let Some(c) = chars.next() {
        match c {
            '&' => out.extend_from_slice(group(0)),
            '\\' => match chars.next() {
                Some(digit @ '0'..='9') => out.extend_from_slice(group(digit as usize - '0' as usize)),
                Some('n') => out.push(b'\n'),
                Some('t') => out.push(b'\t'),
                Some(other) => out.extend(other.to_string().bytes()),
                None => {}
            },
            c => out.extend(c.to_string().bytes()),
        }
    }
}

impl Filter for Sed {
    cloned!();
    fn begin_file(&mut self, _: &str, _: &mut Call<'_>) {
        if self.in_place.is_some() {
            self.line = 0;
        }
    }
    fn take(&mut self, line: &[u8], complete: bool, call: &mut Call<'_>) -> Flow {
        match self.held.replace((line.to_vec(), complete)) {
            Some((line, complete)) => self.process(line, complete, false, call),
            None => Flow::More,
        }
    }
    fn end_file(&mut self, name: &str, call: &mut Call<'_>) {
        if self.in_place.is_none() {
            return;
        }
        if let Some((line, complete)) = self.held.take() {
            self.process(line, complete, true, call);
        }
        let text = self.in_place.replace(Vec::new()).unwrap_or_default();
        let path = call.path(name);
        if let Err(error) = call.system.write_file(&path, &text, false) {
            call.err("sed", &format!("{name}: {error}"));
            self.status = 1;
        }
    }
    fn finish(&mut self, call: &mut Call<'_>) -> i32 {
        if let Some((line, complete)) = self.held.take() {
            let quit = matches!(self.process(line, complete, true, call), Flow::Stop);
            debug_assert!(quit || self.held.is_none(), "the last line was taken");
        }
        self.status
    }
}

pub fn sed(call: &mut Call<'_>) -> Outcome {
    let args = parse_args!(
        call,
        "nErsi",
        "ef",
        &[("quiet", 'n'), ("expression", 'e'), ("in-place", 'i'), ("regexp-extended", 'E')]
    );
    let mut operands = args.operands.clone();
    let mut scripts: Vec<String> =
        args.options.iter().filter(|(letter, _)| *letter == 'e').map(|(_, text)| text.clone()).collect();
    if scripts.is_empty() {
        if operands.is_empty() {
            return call.usage(1);
        }
        scripts.push(operands.remove(0));
    }
    let text: Vec<char> = scripts.join("\n").chars().collect();
    let mut parser = Parser { text: &text, pos: 0, extended: args.has('E') || args.has('r'), depth: 0 };
    match parser.commands() {
        Ok(commands) => {
            let in_place = args.has('i').then(Vec::new);
            let sed = Sed { commands, quiet: args.has('n'), line: 0, held: None, in_place, status: 0, resume: None };
            start(call, sed, operands, 1)
        }
        Err(message) => {
            let text =
                if call.is_ash() { message } else { format!("-e expression #1, char {}: {message}", parser.pos) };
            call.err("sed", &text);
            Outcome::Done(1)
        }
    }
}

struct Parser<'a> {
    text: &'a [char],
    pos: usize,
    extended: bool,
    depth: u32,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.pos).copied()
    }

    fn skip(&mut self, set: &str) {
        while self.peek().is_some_and(|c| set.contains(c)) {
            self.pos += 1;
        }
    }

    fn commands(&mut self) -> Result<Vec<Command>, String> {
        self.depth += 1;
        if self.depth > 20 {
            return Err("too many {'s".into());
        }
        let mut commands = Vec::new();
        loop {
            self.skip(" \t\n;");
            match self.peek() {
                None if self.depth > 1 => return Err("unterminated {".into()),
                None => return Ok(commands),
                Some('}') if self.depth > 1 => {
                    self.pos += 1;
                    self.depth -= 1;
                    return Ok(commands);
                }
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.pos += 1;
                    }
                }
                Some(_) => commands.push(self.command()?),
            }
        }
    }

    fn command(&mut self) -> Result<Command, String> {
        let first = self.address()?;
        let mut second = None;
        if first.is_some() && self.peek() == Some(',') {
            self.pos += 1;
            second = Some(self.address()?.ok_or("no address after comma")?);
        }
        self.skip(" \t");
        let negated = self.peek() == Some('!');
        self.skip("! ");
        let name = self.peek().ok_or("missing command")?;
        self.pos += 1;
        let action = match name {
            's' => self.substitution()?,
            'y' => {
                let (from, to) = self.two_parts()?;
                if from.chars().count() != to.chars().count() {
                    return Err("strings for `y' command are different lengths".into());
                }
                Action::Translate(from.chars().zip(to.chars()).collect())
            }
            'd' => Action::Delete,
            'p' => Action::Print,
            'q' => Action::Quit,
            '=' => Action::Number,
            'n' => Action::Next,
            'a' => Action::Append(self.text_argument()),
            'i' => Action::Insert(self.text_argument()),
            'c' => Action::Change(self.text_argument()),
            '{' => Action::Group(self.commands()?),
            other => return Err(format!("unsupported command {other}")),
        };
        Ok(Command { first, second, negated, action, active: None })
    }

    fn number(&mut self) -> u64 {
        let digits: String = self.text[self.pos..].iter().take_while(|c| c.is_ascii_digit()).take(18).collect();
        self.pos += digits.len();
        digits.parse().unwrap_or(0)
    }

    fn address(&mut self) -> Result<Option<Address>, String> {
        self.skip(" \t");
        Ok(match self.peek() {
            Some('$') => {
                self.pos += 1;
                Some(Address::Last)
            }
            Some('+') => {
                self.pos += 1;
                Some(Address::Plus(self.number()))
            }
            Some(c) if c.is_ascii_digit() => {
                let line = self.number();
                if self.peek() == Some('~') {
                    self.pos += 1;
                    return Ok(Some(Address::Step(line, self.number())));
                }
                Some(Address::Line(line))
            }
            Some(c @ ('/' | '\\')) => {
                self.pos += 1;
                let delimiter = if c == '\\' { self.peek().ok_or("unexpected `,'")? } else { c };
                self.pos += usize::from(c == '\\');
                let pattern = self.until(delimiter, true)?;
                let ignore_case = self.peek() == Some('I');
                self.pos += usize::from(ignore_case);
                Some(Address::Match(self.regex(&pattern, ignore_case)?))
            }
            _ => None,
        })
    }

    fn regex(&self, pattern: &str, ignore_case: bool) -> Result<Regex, String> {
        if self.extended { Regex::extended(pattern, ignore_case) } else { Regex::basic(pattern, ignore_case) }
    }

    /// Text up to an unescaped delimiter, which is consumed.
    fn until(&mut self, delimiter: char, in_pattern: bool) -> Result<String, String> {
        let mut out = String::new();
        let mut in_set = false;
        while let Some(c) = self.peek() {
            self.pos += 1;
            match c {
                '\\' => match self.peek() {
                    Some(next) => {
                        self.pos += 1;
                        if next != delimiter {
                            out.push('\\');
                        }
                        out.push(next);
                    }
                    None => break,
                },
                '[' if in_pattern => {
                    in_set = true;
                    out.push(c);
                }
                ']' if in_set => {
                    in_set = false;
                    out.push(c);
                }
                c if c == delimiter && !in_set => return Ok(out),
                c => out.push(c),
            }
        }
        Err("unmatched '/'".replace('/', &delimiter.to_string()))
    }

    fn two_parts(&mut self) -> Result<(String, String), String> {
        let delimiter = self.peek().ok_or("unterminated `s' command")?;
        self.pos += 1;
        Ok((self.until(delimiter, true)?, self.until(delimiter, false)?))
    }

    fn substitution(&mut self) -> Result<Action, String> {
        let (pattern, with) = self.two_parts()?;
        let (mut which, mut all, mut print, mut ignore_case) = (1, false, false, false);
        while let Some(c) = self.peek() {
            match c {
                'g' => all = true,
                'p' => print = true,
                'i' | 'I' => ignore_case = true,
                '1'..='9' => {
                    which = usize::try_from(self.number()).unwrap_or(1);
                    continue;
                }
                ' ' | '\t' | ';' | '\n' | '}' | '#' => break,
                _ => return Err("unknown option to `s'".into()),
            }
            self.pos += 1;
        }
        Ok(Action::Substitute { regex: self.regex(&pattern, ignore_case)?, with, which, all, print })
    }

    /// The text of `a`, `i` and `c`, up to the end of the line.
    fn text_argument(&mut self) -> String {
        self.skip(" \t");
        if self.peek() == Some('\\') {
            self.pos += 1;
            self.skip("\n");
        }
        let text: String = self.text[self.pos..].iter().take_while(|c| **c != '\n').collect();
        self.pos += text.chars().count();
        text
    }
}
