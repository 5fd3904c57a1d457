//! `sed`: running a script over lines.
//!
//! The state is plain data and stops after any command, so that a script that loops for ever lets the rest go on.

use super::reader::{Reader, Record, Separator};
use super::sed_parse::{Action, Address, Command, Piece, parse};
use super::{Advance, Call, Outcome, Program, Request, State};
use crate::expand::MAX_BYTES;
use crate::process::{Read, Stream};
use crate::regex::{Captures, Regex};

/// Commands of one step.
const COMMANDS: usize = 2000;
/// Bytes worked on in one step.
const SHARE_BYTES: usize = 512 * 1024;

#[derive(Clone, Debug)]
struct Sed {
    commands: Vec<Command>,
    quiet: bool,
    separate: bool,
    /// `-z`: lines end with a NUL.
    newline: u8,
    files: Vec<String>,
    next_file: usize,
    reader: Option<Reader>,
    /// A line read ahead, by which the last one is known.
    ahead: Option<(Vec<u8>, bool, String)>,
    in_place: Option<String>,
    /// What an edited file becomes.
    edited: Vec<u8>,
    editing: Option<String>,
    line: u64,
    pattern: Vec<u8>,
    complete: bool,
    hold: Vec<u8>,
    /// Where the cycle stands; `None`: a new one begins.
    at: Option<usize>,
    wants: Want,
    substituted: bool,
    /// What comes out at the end of the cycle.
    appended: Vec<Appended>,
    last_regex: Option<Regex>,
    written: Vec<String>,
    status: i32,
    quitting: Option<i32>,
    /// It waits for input.
    waiting: bool,
}

/// What the next line is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Want {
    Cycle,
    /// `n`: it replaces the pattern space.
    Next,
    /// `N`: it is appended.
    Append,
}

#[derive(Clone, Debug)]
enum Appended {
    Text(Vec<u8>),
    File(String),
}

pub fn sed(call: &mut Call<'_>) -> Outcome {
    // The suffix of `-i` is attached to it.
    let mut in_place = None;
    let mut words = Vec::new();
    let mut takes_value = false;
    for arg in call.args {
        if std::mem::take(&mut takes_value) {
            words.push(arg.clone());
            continue;
        }
        if let Some(suffix) = arg.strip_prefix("--in-place") {
            in_place = Some(suffix.trim_start_matches('=').to_string());
            continue;
        }
        let letters = arg.strip_prefix('-').filter(|rest| !rest.is_empty() && !rest.starts_with('-'));
        let place = letters.and_then(|letters| {
            let stop = letters.find(['e', 'f', 'l']).unwrap_or(letters.len());
            letters[..stop].find('i')
        });
        match (letters, place) {
            (Some(letters), Some(place)) => {
                in_place = Some(letters[place + 1..].to_string());
                if place > 0 {
                    words.push(format!("-{}", &letters[..place]));
                }
            }
            (letters, _) => {
                takes_value = letters.is_some_and(|letters| letters.ends_with(['e', 'f']) && letters.len() <= 2);
                words.push(arg.clone());
            }
        }
    }
    let long = [
        ("quiet", 'n'),
        ("silent", 'n'),
        ("expression", 'e'),
        ("file", 'f'),
        ("regexp-extended", 'E'),
        ("separate", 's'),
        ("null-data", 'z'),
        ("unbuffered", 'u'),
        ("posix", 'u'),
        ("debug", 'u'),
    ];
    let known = if call.is_ash() { "nErsz" } else { "nErszu" };
    let args = match super::Args::parse(&words, known, "efl", if call.is_ash() { &[] } else { &long }) {
        Ok(args) => args,
        Err(option) => return call.bad_option(&option),
    };
    let mut operands = args.operands.clone();
    let mut scripts: Vec<String> = Vec::new();
    for (letter, value) in args.options.iter().filter(|(letter, _)| matches!(letter, 'e' | 'f')) {
        if *letter == 'e' {
            scripts.push(value.clone());
            continue;
        }
        match call.read_file(value) {
            Ok(bytes) => scripts.push(String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_string()),
            Err(error) if call.is_ash() => {
                call.err("sed", &format!("{value}: {error}"));
                return Outcome::Done(1);
            }
            Err(error) => {
                call.err("sed", &format!("couldn't open file {value}: {error}"));
                return Outcome::Done(1);
            }
        }
    }
    if scripts.is_empty() {
        if operands.is_empty() {
            return no_script(call);
        }
        scripts.push(operands.remove(0));
    }
    let mut quiet = args.has('n');
    let text: Vec<char> = scripts.join("\n").chars().collect();
    quiet |= text.starts_with(&['#', 'n', '\n']) || text == ['#', 'n'];
    let extended = args.has('E') || args.has('r');
    let commands = match parse(&text, extended, !call.is_ash()) {
        Ok(commands) => commands,
        Err((message, _)) if call.is_ash() => {
            call.err("sed", &message);
            return Outcome::Done(1);
        }
        Err((message, _)) if message.starts_with("can't find label") => {
            call.err("sed", &message);
            return Outcome::Done(1);
        }
        Err((message, place)) => {
            call.err("sed", &format!("-e expression #1, char {place}: {message}"));
            return Outcome::Done(1);
        }
    };
    let files = if operands.is_empty() { vec!["-".to_string()] } else { operands };
    let sed = Sed {
        commands,
        quiet,
        separate: args.has('s') || in_place.is_some(),
        newline: if args.has('z') { 0 } else { b'\n' },
        files,
        next_file: 0,
        reader: None,
        ahead: None,
        in_place,
        edited: Vec::new(),
        editing: None,
        line: 0,
        pattern: Vec::new(),
        complete: true,
        hold: Vec::new(),
        at: None,
        wants: Want::Cycle,
        substituted: false,
        appended: Vec::new(),
        last_regex: None,
        written: Vec::new(),
        status: 0,
        quitting: None,
        waiting: false,
    };
    Outcome::Runs(State::Program(Box::new(sed)))
}

fn no_script(call: &mut Call<'_>) -> Outcome {
    if call.is_ash() {
        return call.usage(1);
    }
    let text = "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n\n  -n, --quiet, --silent\n                 suppress automatic printing of pattern space\n  -e script, --expression=script\n                 add the script to the commands to be executed\n";
    call.output.write(Stream::Stderr, text.as_bytes());
    Outcome::Done(1)
}

/// What trying to get a line gave.
enum Got {
    Line(Vec<u8>, bool, String),
    Wait,
    End,
}

/// How a command left the cycle.
enum Flow {
    On(usize),
    End,
    /// The cycle ends without printing.
    Deleted,
    /// It begins again with what is left, without reading.
    Again,
    Wait,
    Quit,
    Execute(String),
}

impl Program for Sed {
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn name(&self) -> &'static str {
        "sed"
    }

    fn wants_input(&self) -> Option<u32> {
        self.reader.as_ref().filter(|_| self.waiting).and_then(Reader::descriptor)
    }

    fn advance(&mut self, input: Option<Read>, call: &mut Call<'_>) -> Advance {
        call.name = "sed";
        let nothing = matches!(input, Some(Read::Empty));
        if let (Some(input), Some(reader)) = (input, &mut self.reader) {
            reader.feed(input);
        }
        for _ in 0..COMMANDS {
            if call.work_bytes > SHARE_BYTES {
                return Advance::More;
            }
            call.work_bytes += 24;
            let flow = self.step(call);
            self.waiting = matches!(flow, Flow::Wait);
            match flow {
                Flow::On(next) => self.at = Some(next),
                Flow::End => self.end_cycle(true, call),
                Flow::Deleted => self.end_cycle(false, call),
                Flow::Again => {
                    self.flush(call);
                    self.at = Some(0);
                }
                Flow::Execute(line) => {
                    return Advance::Request(Request { captured: true, ..Request::line(&line) });
                }
                Flow::Wait if nothing => return Advance::Blocked(None),
                Flow::Wait => return Advance::More,
                Flow::Quit => {
                    self.end_editing(call);
                    // What was read ahead belongs to whoever reads next.
                    if let Some((line, complete, _)) = self.ahead.take() {
                        let mut rest = line;
                        rest.extend(complete.then_some(self.newline));
                        rest.extend(self.reader.as_mut().map(Reader::rest).unwrap_or_default());
                        if self.reader.as_ref().is_some_and(|reader| reader.file() == "-") {
                            call.unread = rest;
                        }
                    }
                    return Advance::Done(self.quitting.unwrap_or(self.status));
                }
            }
        }
        Advance::More
    }

    fn answer(&mut self, _: i32, output: Vec<u8>) {
        self.pattern = output;
        if self.pattern.last() == Some(&self.newline) {
            self.pattern.pop();
        }
    }
}

impl Sed {
    /// One command, or the line that a cycle begins with.
    fn step(&mut self, call: &mut Call<'_>) -> Flow {
        if self.quitting.is_some() {
            return Flow::Quit;
        }
        if self.at.is_none() || self.wants != Want::Cycle {
            return self.take_line(call);
        }
        let at = self.at.unwrap_or(0);
        if at >= self.commands.len() {
            return Flow::End;
        }
        // Only `$` needs to know whether the line is the last.
        self.command(at, call)
    }

    /// Fetches the line that is wanted, and one ahead.
    fn take_line(&mut self, call: &mut Call<'_>) -> Flow {
        if self.ahead.is_none() {
            match self.read(call) {
                Got::Line(line, complete, file) => self.ahead = Some((line, complete, file)),
                Got::Wait => return Flow::Wait,
                Got::End => return self.no_line(),
            }
        }
        let Some((line, complete, file)) = self.ahead.take() else { return Flow::Wait };
        match self.read(call) {
            Got::Line(next, whole, of) => self.ahead = Some((next, whole, of)),
            // Whether it is the last one has to be known only if somebody asks.
            Got::Wait if self.asks_for_last() => {
                self.ahead = Some((line, complete, file));
                return Flow::Wait;
            }
            Got::Wait | Got::End => {}
        }
        self.use_line(line, complete, file, call)
    }

    /// Whether some command asks if a line is the last one, or what is written depends on it.
    fn asks_for_last(&self) -> bool {
        let last = |address: &Option<Address>| matches!(address, Some(Address::Last));
        self.commands.iter().any(|command| {
            last(&command.first)
                || last(&command.second)
                || matches!(command.action, Action::Next | Action::NextAppended)
        })
    }

    fn use_line(&mut self, line: Vec<u8>, complete: bool, file: String, call: &mut Call<'_>) -> Flow {
        if self.in_place.is_some() && self.editing.as_ref() != Some(&file) {
            self.end_editing(call);
            self.editing = Some(file.clone());
            self.line = 0;
        }
        self.line += 1;
        self.complete = complete;
        call.work_bytes += line.len();
        let want = std::mem::replace(&mut self.wants, Want::Cycle);
        match want {
            Want::Append => {
                self.pattern.push(self.newline);
                self.pattern.extend(line);
            }
            Want::Cycle | Want::Next => self.pattern = line,
        }
        let next = if want == Want::Cycle {
            self.substituted = false;
            0
        } else {
            self.at.map_or(0, |at| at + 1)
        };
        Flow::On(next)
    }

    /// There is no next line.
    fn no_line(&mut self) -> Flow {
        match self.wants {
            Want::Cycle => {
                self.quitting = Some(self.status);
                Flow::Quit
            }
            // `n` without a next line prints and ends; so does GNU's `N`.
            Want::Next | Want::Append => {
                self.wants = Want::Cycle;
                self.quitting = Some(self.status);
                Flow::End
            }
        }
    }

    fn read(&mut self, call: &mut Call<'_>) -> Got {
        loop {
            let Some(reader) = &mut self.reader else {
                let Some(file) = self.files.get(self.next_file) else { return Got::End };
                self.next_file += 1;
                self.reader = Some(Reader::new(file));
                continue;
            };
            match reader.record(&Separator::Byte(self.newline), "sed", call) {
                Record::Got(line, complete) => return Got::Line(line, complete, reader.file().to_string()),
                Record::Wait => return Got::Wait,
                Record::End => {
                    let file = reader.file().to_string();
                    self.reader = None;
                    // An empty file is edited as well.
                    if self.in_place.is_some() && self.editing.is_none() && self.ahead.is_none() {
                        self.editing = Some(file);
                        self.end_editing(call);
                    }
                }
                Record::Failed(message) => {
                    call.err("sed", &message);
                    self.status = if call.is_ash() { 1 } else { 2 };
                    self.reader = None;
                }
            }
        }
    }

    fn is_last(&self) -> bool {
        match &self.ahead {
            None => true,
            Some((_, _, file)) => self.separate && self.editing.as_ref().is_some_and(|editing| editing != file),
        }
    }

    fn out(&mut self, bytes: &[u8], call: &mut Call<'_>) {
        match self.editing {
            Some(_) => self.edited.extend_from_slice(bytes),
            None => call.out_bytes(bytes),
        }
    }

    fn print_pattern(&mut self, call: &mut Call<'_>) {
        let mut line = self.pattern.clone();
        // The last line stays without a newline if it had none.
        if self.complete || !self.is_last() {
            line.push(self.newline);
        }
        self.out(&line, call);
    }

    fn end_cycle(&mut self, print: bool, call: &mut Call<'_>) {
        if print && !self.quiet {
            self.print_pattern(call);
        }
        self.flush(call);
        self.at = None;
    }

    /// Writes what `a` and `r` have put behind the line.
    fn flush(&mut self, call: &mut Call<'_>) {
        for appended in std::mem::take(&mut self.appended) {
            match appended {
                Appended::Text(text) => self.out(&text, call),
                Appended::File(file) => {
                    let bytes = call.read_file(&file).unwrap_or_default();
                    self.out(&bytes, call);
                }
            }
        }
    }

    fn end_editing(&mut self, call: &mut Call<'_>) {
        let Some(file) = self.editing.take() else { return };
        let mut bytes = std::mem::take(&mut self.edited);
        if self.quitting.is_some() {
            // What `q` left unread stays in the file.
            if let Some((line, complete, of)) = self.ahead.as_ref().filter(|(_, _, of)| *of == file) {
                debug_assert_eq!(of, &file, "the rest is of the same file");
                bytes.extend_from_slice(line);
                bytes.extend(complete.then_some(self.newline));
                if let Some(reader) = &mut self.reader {
                    bytes.extend(reader.rest());
                }
                self.ahead = None;
            }
        }
        let path = call.path(&file);
        let suffix = self.in_place.clone().unwrap_or_default();
        if !suffix.is_empty() {
            let backup = if suffix.contains('*') { suffix.replace('*', &file) } else { format!("{file}{suffix}") };
            let old = call.system.read_file(&path).unwrap_or_default();
            let backup = call.path(&backup);
            let _ = call.system.write_file(&backup, &old, false);
        }
        if let Err(error) = call.system.write_file(&path, &bytes, false) {
            let text = match call.is_ash() {
                true => format!("{file}: {error}"),
                false => format!("couldn't open temporary file {file}: {error}"),
            };
            call.err("sed", &text);
            self.status = 4;
        }
    }

    fn command(&mut self, at: usize, call: &mut Call<'_>) -> Flow {
        let (line, last) = (self.line, self.is_last());
        let applies = self.applies(at, line, last, call);
        let action = self.commands[at].action.clone();
        if let Action::Block(end) = action {
            return Flow::On(if applies { at + 1 } else { end + 1 });
        }
        if !applies {
            return Flow::On(at + 1);
        }
        match action {
            Action::Block(_) | Action::EndBlock | Action::Label(_) | Action::Jump(..) => {}
            Action::Substitute { regex, with, which, all, print, file, executes } => {
                let Some(regex) = regex.or_else(|| self.last_regex.clone()) else {
                    call.err("sed", "no previous regular expression");
                    self.quitting = Some(1);
                    return Flow::Quit;
                };
                let mut work = 0;
                let changed = substitute(&regex, &self.pattern, &with, which, all, &mut work);
                call.work_bytes += self.pattern.len() + usize::try_from(work).unwrap_or(usize::MAX);
                self.last_regex = Some(regex);
                if let Some(changed) = changed {
                    self.pattern = changed;
                    self.substituted = true;
                    if executes {
                        self.at = Some(at + 1);
                        return Flow::Execute(String::from_utf8_lossy(&self.pattern).into_owned());
                    }
                    if print {
                        self.print_pattern(call);
                    }
                    if let Some(file) = file {
                        self.write_to(&file, call);
                    }
                }
            }
            Action::Translate(pairs) => {
                let text = String::from_utf8_lossy(&self.pattern).into_owned();
                let changed: String =
                    text.chars().map(|c| pairs.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to)).collect();
                self.pattern = changed.into_bytes();
                call.work_bytes += self.pattern.len();
            }
            Action::Append(text) => self.appended.push(Appended::Text(format!("{text}\n").into_bytes())),
            Action::Read(file) if file == "/dev/stdin" => {
                let bytes = self.reader.as_mut().filter(|reader| reader.file() == "-").map(Reader::rest);
                self.appended.push(Appended::Text(bytes.unwrap_or_default()));
            }
            Action::Read(file) => self.appended.push(Appended::File(file)),
            Action::Insert(text) => self.out(format!("{text}\n").as_bytes(), call),
            Action::Change(text) => {
                let command = &self.commands[at];
                let in_range = command.second.is_some() && !command.negated;
                if !in_range || command.active.is_none() || last {
                    self.out(format!("{text}\n").as_bytes(), call);
                }
                return Flow::Deleted;
            }
            Action::Delete => return Flow::Deleted,
            Action::DeleteFirst => match self.pattern.iter().position(|byte| *byte == self.newline) {
                None => return Flow::Deleted,
                Some(end) => {
                    self.pattern.drain(..=end);
                    return Flow::Again;
                }
            },
            Action::Print => self.print_pattern(call),
            Action::PrintFirst => {
                let end = self.pattern.iter().position(|byte| *byte == self.newline).unwrap_or(self.pattern.len());
                let mut line = self.pattern[..end].to_vec();
                line.push(self.newline);
                self.out(&line, call);
            }
            Action::Next => {
                if last {
                    self.quitting = Some(self.status);
                    return Flow::End;
                }
                if !self.quiet {
                    self.print_pattern(call);
                }
                self.flush(call);
                self.wants = Want::Next;
                self.at = Some(at);
                return self.take_line(call);
            }
            Action::NextAppended => {
                if last {
                    self.quitting = Some(self.status);
                    return Flow::End;
                }
                self.flush(call);
                if self.pattern.len() > MAX_BYTES {
                    call.err("sed", "out of memory");
                    self.quitting = Some(4);
                    return Flow::Quit;
                }
                self.wants = Want::Append;
                self.at = Some(at);
                return self.take_line(call);
            }
            Action::Hold => self.hold.clone_from(&self.pattern),
            Action::HoldAppended => {
                self.hold.push(self.newline);
                self.hold.extend_from_slice(&self.pattern);
            }
            Action::Get => self.pattern.clone_from(&self.hold),
            Action::GetAppended => {
                self.pattern.push(self.newline);
                self.pattern.extend_from_slice(&self.hold);
            }
            Action::Exchange => std::mem::swap(&mut self.pattern, &mut self.hold),
            Action::Number => self.out(format!("{line}\n").as_bytes(), call),
            Action::List(width) => {
                let text = listed(&self.pattern, width);
                self.out(text.as_bytes(), call);
            }
            Action::Quit(code, prints) => {
                self.quitting = Some(code);
                return if prints { Flow::End } else { Flow::Quit };
            }
            Action::Write(file) => self.write_to(&file, call),
            Action::Branch(to) => return Flow::On(to.unwrap_or(self.commands.len())),
            Action::BranchIf(to) => {
                if std::mem::take(&mut self.substituted) {
                    return Flow::On(to.unwrap_or(self.commands.len()));
                }
            }
            Action::BranchUnless(to) => {
                if !std::mem::take(&mut self.substituted) {
                    return Flow::On(to.unwrap_or(self.commands.len()));
                }
            }
            Action::FileName => {
                let name =
                    self.editing.clone().or_else(|| self.reader.as_ref().map(|reader| reader.file().to_string()));
                self.out(format!("{}\n", name.unwrap_or_else(|| "-".to_string())).as_bytes(), call);
            }
            Action::Zap => self.pattern.clear(),
        }
        Flow::On(at + 1)
    }

    fn write_to(&mut self, file: &str, call: &mut Call<'_>) {
        let mut line = self.pattern.clone();
        line.push(self.newline);
        match file {
            "/dev/stdout" => return self.out(&line, call),
            "/dev/stderr" => return call.output.write(Stream::Stderr, &line),
            _ => {}
        }
        let first = !self.written.iter().any(|known| known == file);
        let path = call.path(file);
        if let Err(error) = call.system.write_file(&path, &line, !first) {
            call.err("sed", &format!("couldn't open file {file}: {error}"));
            self.status = 4;
        }
        if first {
            self.written.push(file.to_string());
        }
    }

    fn matches(&mut self, address: &Address, line: u64, last: bool, call: &mut Call<'_>) -> bool {
        match address {
            Address::Line(number) => line == *number,
            Address::Last => last,
            Address::Match(regex) => {
                let Some(regex) = regex.clone().or_else(|| self.last_regex.clone()) else { return false };
                call.work_bytes += self.pattern.len() / 4;
                let found = regex.is_match(&self.pattern);
                self.last_regex = Some(regex);
                found
            }
            Address::Step(first, step) => {
                line >= *first && (line - first).checked_rem(*step).unwrap_or(line - first) == 0
            }
            Address::Plus(_) | Address::Multiple(_) => false,
        }
    }

    fn applies(&mut self, at: usize, line: u64, last: bool, call: &mut Call<'_>) -> bool {
        let Command { first, second, negated, active, .. } = &self.commands[at];
        let (negated, active) = (*negated, *active);
        let (Some(first), second) = (first.clone(), second.clone()) else { return !negated };
        let Some(second) = second else { return self.matches(&first, line, last, call) != negated };
        // `0,/re/` begins before the first line, so that the first may end it.
        let active = match (&first, line, active) {
            (Address::Line(0), 1, None) if !call.is_ash() => Some(u64::MAX),
            (_, _, active) => active,
        };
        let (hit, active) = match active {
            Some(until) => {
                let ends = match &second {
                    Address::Line(_) | Address::Plus(_) | Address::Multiple(_) => line >= until,
                    other => self.matches(other, line, last, call),
                };
                // A range whose end line has gone by already covers its first line only.
                let hit = !matches!(second, Address::Line(_)) || line <= until;
                if hit { (true, active.filter(|_| !ends)) } else { (self.matches(&first, line, last, call), None) }
            }
            None if self.matches(&first, line, last, call) => {
                let until = match &second {
                    Address::Line(number) => Some(*number).filter(|number| *number > line),
                    Address::Plus(count) => Some(line + count).filter(|until| *until > line),
                    Address::Multiple(0) => None,
                    Address::Multiple(of) => Some(line.div_ceil(*of) * of).filter(|until| *until > line),
                    Address::Last if last => None,
                    _ => Some(u64::MAX),
                };
                (true, until)
            }
            None => (false, None),
        };
        self.commands[at].active = active;
        hit != negated
    }
}

/// The text after `s`; `None` if nothing matched.
fn substitute(regex: &Regex, text: &[u8], with: &[Piece], which: usize, all: bool, work: &mut u64) -> Option<Vec<u8>> {
    let mut out: Vec<u8> = Vec::new();
    let (mut copied, mut count, mut changed) = (0, 0, false);
    matches(regex, text, work, |groups| {
        let Some((start, end)) = groups[0] else { return false };
        count += 1;
        if count >= which {
            out.extend_from_slice(&text[copied..start]);
            fill(with, groups, text, &mut out);
            copied = end;
            changed = true;
        }
        (all || !changed) && out.len() < MAX_BYTES
    });
    out.extend_from_slice(&text[copied..]);
    changed.then_some(out)
}

/// Calls `each` for every match, one after another, until it says false. An empty match right behind another is none.
pub(super) fn matches(regex: &Regex, text: &[u8], work: &mut u64, mut each: impl FnMut(&Captures) -> bool) {
    let mut at = 0;
    let mut last_end = None;
    while at <= text.len() {
        let Some(groups) = regex.find_counted(text, at, work) else { return };
        let Some((start, end)) = groups[0] else { return };
        if start == end && last_end == Some(start) {
            at = start + 1;
            continue;
        }
        if !each(&groups) || *work > 200_000_000 {
            return;
        }
        last_end = Some(end);
        at = if end > start { end } else { end + 1 };
    }
}

/// Appends what replaces a match.
fn fill(with: &[Piece], groups: &Captures, text: &[u8], out: &mut Vec<u8>) {
    let (mut mode, mut once) = ('E', None);
    for piece in with {
        let bytes: &[u8] = match piece {
            Piece::Text(text) => text.as_bytes(),
            Piece::Group(n) => groups.get(*n).copied().flatten().map_or(&[][..], |(start, end)| &text[start..end]),
            Piece::Case(kind @ ('u' | 'l')) => {
                once = Some(*kind);
                continue;
            }
            Piece::Case(kind) => {
                mode = *kind;
                once = None;
                continue;
            }
        };
        if mode == 'E' && once.is_none() {
            out.extend_from_slice(bytes);
            continue;
        }
        for byte in bytes {
            let upper = match once.take() {
                Some(kind) => Some(kind == 'u'),
                None => match mode {
                    'U' => Some(true),
                    'L' => Some(false),
                    _ => None,
                },
            };
            out.push(match upper {
                Some(true) => byte.to_ascii_uppercase(),
                Some(false) => byte.to_ascii_lowercase(),
                None => *byte,
            });
        }
    }
}

/// What `l` shows.
fn listed(text: &[u8], width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for byte in text {
        let shown = match byte {
            b'\\' => "\\\\".to_string(),
            0x07 => "\\a".into(),
            0x08 => "\\b".into(),
            0x0c => "\\f".into(),
            b'\n' => "\\n".into(),
            b'\r' => "\\r".into(),
            b'\t' => "\\t".into(),
            0x0b => "\\v".into(),
            32..=126 => char::from(*byte).to_string(),
            other => format!("\\{other:03o}"),
        };
        if width > 1 && column + shown.len() > width - 1 {
            out.push_str("\\\n");
            column = 0;
        }
        column += shown.len();
        out.push_str(&shown);
    }
    out + "$\n"
}
