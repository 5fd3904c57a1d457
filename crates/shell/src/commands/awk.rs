//! `awk`: carrying out the instructions over records.
//!
//! The machine is plain data and stops after any instruction. Numbers are floating point as in every awk; they decide
//! nothing outside the text that is printed. busybox' awk and mawk differ in a few places (`wide`).

use std::rc::Rc;

use super::awk_compile::{Code, Compiled, From, Into, Op, Target, Test, Var, compile};
use super::awk_parse::{self, parse};
use super::awk_value::{Bytes, Value};
use super::reader::{Reader, Record, Separator};
use super::{Advance, Call, Outcome, Program, Request, State};
use crate::expand::MAX_BYTES;
use crate::process::{Read, Stream};
use crate::regex::Regex;
use values::sorted::SortedMap;

/// Instructions of one step of the shell: they are much shorter than a command.
const OPS: usize = 4000;
/// Bytes that so many instructions count as.
const WORK_BYTES: usize = 1 << 16;
const MAX_FRAMES: usize = 20_000;
const MAX_FIELDS: usize = 100_000;

/// Places of [`SPECIAL`].
pub(super) const NF: usize = 0;
const NR: usize = 1;
const FNR: usize = 2;
pub(super) const FS: usize = 3;
const OFS: usize = 4;
const ORS: usize = 5;
const RS: usize = 6;
const FILENAME: usize = 7;
const SUBSEP: usize = 8;
pub(super) const RSTART: usize = 9;
pub(super) const RLENGTH: usize = 10;
const CONVFMT: usize = 11;
const OFMT: usize = 12;
const ENVIRON: usize = 13;
const ARGC: usize = 14;
const ARGV: usize = 15;

pub(super) type Array = SortedMap<Bytes, (u32, Value)>;

/// What a variable holds.
#[derive(Clone, Debug)]
enum Cell {
    Value(Value),
    Array(usize),
}

/// A value on the stack, or an array that is an argument, or an expression.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Value(Value),
    Array(usize),
    Regex(Rc<Regex>),
}

#[derive(Clone, Debug)]
struct Frame {
    code: Code,
    at: usize,
    /// Where its locals begin.
    locals: usize,
    /// Arrays that end with it.
    arrays: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Begin,
    Main,
    End,
    Closing,
}

#[derive(Clone, Debug)]
pub(super) struct Awk {
    compiled: Rc<Compiled>,
    phase: Phase,
    globals: Vec<Cell>,
    pub(super) arrays: Vec<Array>,
    free: Vec<usize>,
    added: u32,
    locals: Vec<Cell>,
    stack: Vec<Item>,
    frames: Vec<Frame>,
    each: Vec<(Vec<Bytes>, usize)>,
    in_range: Vec<bool>,
    pub(super) record: Bytes,
    fields: Vec<Bytes>,
    /// The record has to be split, or to be joined again.
    unsplit: bool,
    unjoined: bool,
    /// Which operand of the command line comes next.
    operand: usize,
    main: Option<Reader>,
    read_any: bool,
    readers: SortedMap<String, Reader>,
    commands: SortedMap<String, Reader>,
    pipes: Vec<(String, Vec<u8>)>,
    written: Vec<String>,
    /// A `getline` or a function that waits for a program.
    asked: Option<(Asked, i32, Vec<u8>)>,
    waiting_for: Option<Asked>,
    pub(super) count: f64,
    pub(super) error: Option<String>,
    exit: Option<i32>,
    /// A file could not be read.
    failed: i32,
    pub(super) wide: bool,
    pub(super) now: values::time::SimTime,
    pub(super) seed: u64,
    pub(super) seeded: f64,
    waits: bool,
}

/// Why a program runs.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Asked {
    System,
    Command(String),
    Pipe,
}

/// How an instruction ended.
enum Flow {
    On,
    /// Input has to come first; the instruction is done again.
    Wait,
    Request(Asked, Request),
    /// The program's part is over.
    End,
}

pub fn awk(call: &mut Call<'_>) -> Outcome {
    let mut assigns: Vec<(String, String)> = Vec::new();
    let mut programs: Vec<String> = Vec::new();
    let mut args = call.args.iter();
    let mut operands: Vec<String> = Vec::new();
    let mut separator = None;
    while let Some(arg) = args.next() {
        let Some(letters) = arg.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            operands.push(arg.clone());
            break;
        };
        if letters == "-" {
            break;
        }
        if letters == "W" || letters == "-version" || letters == "version" {
            if !call.is_ash() {
                call.out("mawk 1.3.4 20200120\n");
                return Outcome::Done(0);
            }
            return call.bad_option(arg);
        }
        let (letter, attached) = letters.split_at(1);
        let value = if attached.is_empty() { args.next().cloned() } else { Some(attached.to_string()) };
        let Some(value) = value.filter(|_| matches!(letter, "F" | "v" | "f" | "e")) else {
            return call.bad_option(arg);
        };
        match letter {
            "F" => separator = Some(value),
            "v" => match value.split_once('=') {
                Some((name, value)) => assigns.push((name.to_string(), value.to_string())),
                None => return call.usage(1),
            },
            "f" => match call.read_file(&value) {
                Ok(bytes) => programs.push(String::from_utf8_lossy(&bytes).into_owned()),
                Err(error) => {
                    let message = match call.is_ash() {
                        true => format!("can't open '{value}': {error}"),
                        false => format!("couldn't open file {value}: {error}"),
                    };
                    call.err(if call.is_ash() { "awk" } else { "mawk" }, &message);
                    return Outcome::Done(if call.is_ash() { 1 } else { 2 });
                }
            },
            _ => programs.push(value),
        }
    }
    operands.extend(args.cloned());
    if programs.is_empty() {
        if operands.is_empty() {
            return no_program(call);
        }
        programs.push(operands.remove(0));
    }
    let gnu = !call.is_ash();
    let compiled = match parse(&programs.join("\n")).map_err(|wrong| said(&wrong, gnu)) {
        Ok(parser) => compile(&parser, gnu).map_err(|why| if gnu { why } else { format!("cmd. line:1: {why}") }),
        Err(why) => Err(why),
    };
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err(why) => {
            call.err("awk", &why);
            return Outcome::Done(if gnu { 2 } else { 1 });
        }
    };
    let mut machine = Awk::new(compiled, &operands, call);
    if let Some(separator) = separator {
        let text = if separator == "t" { "\t".to_string() } else { unescaped(&separator) };
        machine.globals[FS] = Cell::Value(Value::text_of(&text));
    }
    for (name, value) in assigns {
        machine.assign(&name, &value);
    }
    Outcome::Runs(State::Program(Box::new(machine)))
}

fn no_program(call: &mut Call<'_>) -> Outcome {
    if call.is_ash() {
        return call.usage(1);
    }
    let text = "Usage: mawk [Options] [Program] [file ...]\n\nProgram:\n    The -f option value is the name of a file containing program text.\n    If no -f option is given, a \"--\" ends option processing; the following\n    parameters are the program text.\n";
    call.output.write(Stream::Stderr, text.as_bytes());
    Outcome::Done(0)
}

/// A mistake in a program in the words of mawk or busybox.
fn said(wrong: &awk_parse::Wrong, gnu: bool) -> String {
    let line = wrong.line;
    match (gnu, &wrong.message) {
        (true, Some(message)) if message == "missing }" => format!("line {}: missing }} near end of file", line + 1),
        (true, Some(message)) => format!("line {line}: {message}"),
        (true, None) if wrong.near.is_empty() => format!("line {line}: syntax error at or near end of line"),
        (true, None) => format!("line {line}: syntax error at or near {}", wrong.near),
        (false, Some(message)) if message == "missing }" => format!("cmd. line:{line}: Unexpected end of string"),
        (false, Some(message)) => format!("cmd. line:{line}: {message}"),
        (false, None) => format!("cmd. line:{line}: Unexpected token"),
    }
}

/// A text of the command line, in which escapes count.
fn unescaped(text: &str) -> String {
    crate::escapes::unescape(text, crate::escapes::Style::Printf).0
}

impl Program for Awk {
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn name(&self) -> &'static str {
        "awk"
    }

    fn wants_input(&self) -> Option<u32> {
        self.main.as_ref().filter(|_| self.waits).and_then(Reader::descriptor)
    }

    fn advance(&mut self, input: Option<Read>, call: &mut Call<'_>) -> Advance {
        call.name = "awk";
        self.now = call.system.now();
        let nothing = matches!(input, Some(Read::Empty));
        if let (Some(input), Some(main)) = (input, &mut self.main) {
            main.feed(input);
        }
        call.work_bytes += WORK_BYTES / 4;
        for _ in 0..OPS {
            if call.work_bytes > 1 << 20 {
                return Advance::More;
            }
            let flow = self.step(call);
            if let Some(error) = self.error.take() {
                call.err("awk", &error);
                self.exit = Some(if self.wide { 1 } else { 2 });
                return Advance::Done(self.exit.unwrap_or(2));
            }
            self.waits = matches!(flow, Flow::Wait);
            match flow {
                Flow::On => {}
                Flow::Wait if nothing => return Advance::Blocked(None),
                Flow::Wait => return Advance::More,
                Flow::Request(asked, request) => {
                    self.waiting_for = Some(asked);
                    return Advance::Request(request);
                }
                Flow::End => {
                    if let Some(done) = self.next_phase(call) {
                        return done;
                    }
                }
            }
        }
        call.work_bytes += WORK_BYTES;
        Advance::More
    }

    fn answer(&mut self, status: i32, output: Vec<u8>) {
        if let Some(asked) = self.waiting_for.take() {
            self.asked = Some((asked, status, output));
        }
    }
}

impl Awk {
    fn new(compiled: Compiled, operands: &[String], call: &Call<'_>) -> Awk {
        let globals = vec![Cell::Value(Value::Unset); compiled.globals.len()];
        let ranges = compiled.ranges;
        let mut awk = Awk {
            compiled: Rc::new(compiled),
            phase: Phase::Begin,
            globals,
            arrays: Vec::new(),
            free: Vec::new(),
            added: 0,
            locals: Vec::new(),
            stack: Vec::new(),
            frames: Vec::new(),
            each: Vec::new(),
            in_range: vec![false; ranges],
            record: Rc::from(&b""[..]),
            fields: Vec::new(),
            unsplit: false,
            unjoined: false,
            operand: 1,
            main: None,
            read_any: false,
            readers: SortedMap::new(),
            commands: SortedMap::new(),
            pipes: Vec::new(),
            written: Vec::new(),
            asked: None,
            waiting_for: None,
            count: 0.0,
            error: None,
            exit: None,
            failed: 0,
            wide: call.is_ash(),
            now: call.system.now(),
            seed: 1,
            seeded: 0.0,
            waits: false,
        };
        let texts =
            [(FS, " "), (OFS, " "), (ORS, "\n"), (RS, "\n"), (SUBSEP, "\x1c"), (CONVFMT, "%.6g"), (OFMT, "%.6g")];
        for (at, text) in texts {
            awk.globals[at] = Cell::Value(Value::text_of(text));
        }
        awk.globals[RLENGTH] = Cell::Value(Value::Number(-1.0));
        awk.globals[ARGC] = Cell::Value(Value::Number(1.0 + operands.len() as f64));
        let environ = awk.array(Var::Global(ENVIRON));
        for (name, value) in call.state.env() {
            awk.put(environ, name.as_bytes().into(), Value::Input(value.as_bytes().into()));
        }
        let argv = awk.array(Var::Global(ARGV));
        for (i, text) in std::iter::once("awk").chain(operands.iter().map(String::as_str)).enumerate() {
            awk.put(argv, i.to_string().as_bytes().into(), Value::Input(text.as_bytes().into()));
        }
        awk.start(Rc::clone(&awk.compiled.begin));
        awk
    }

    fn start(&mut self, code: Code) {
        self.stack.clear();
        self.each.clear();
        self.locals.clear();
        self.frames = vec![Frame { code, at: 0, locals: 0, arrays: Vec::new() }];
    }

    /// `-v name=value`, and `name=value` among the files.
    fn assign(&mut self, name: &str, value: &str) {
        let value = Value::Input(unescaped(value).as_bytes().into());
        if let Some(at) = self.compiled.globals.get(name).copied() {
            self.set(Var::Global(at), value);
        }
    }

    /// What comes after BEGIN, after a record, after END.
    fn next_phase(&mut self, call: &mut Call<'_>) -> Option<Advance> {
        if self.exit.is_some() && matches!(self.phase, Phase::Begin | Phase::Main) && self.compiled.end.len() > 1 {
            self.phase = Phase::End;
            self.start(Rc::clone(&self.compiled.end));
            return None;
        }
        match self.phase {
            Phase::Begin if self.exit.is_none() && self.compiled.reads => {
                self.phase = Phase::Main;
                self.frames.clear();
            }
            Phase::Main if self.exit.is_none() => self.frames.clear(),
            Phase::Begin | Phase::Main | Phase::End => {
                self.phase = Phase::Closing;
                self.frames.clear();
            }
            Phase::Closing => {
                if let Some(rest) = self.main.as_mut().filter(|main| main.file() == "-").map(Reader::rest) {
                    call.unread = rest;
                }
                return Some(Advance::Done(self.exit.unwrap_or(self.failed)));
            }
        }
        None
    }

    fn step(&mut self, call: &mut Call<'_>) -> Flow {
        let Some(frame) = self.frames.last_mut() else { return self.between(call) };
        let code = Rc::clone(&frame.code);
        let at = frame.at;
        frame.at += 1;
        let flow = self.op(&code[at], call);
        if matches!(flow, Flow::Wait)
            && let Some(frame) = self.frames.last_mut()
        {
            frame.at = at;
        }
        flow
    }

    /// No instructions run: the next record, or the next pipe to close.
    fn between(&mut self, call: &mut Call<'_>) -> Flow {
        match self.phase {
            Phase::Main => match self.next_record(call) {
                Record::Got(record, _) => {
                    call.work_bytes += record.len();
                    self.set_record(record.into());
                    self.start(Rc::clone(&self.compiled.main));
                    Flow::On
                }
                Record::Wait => Flow::Wait,
                Record::End | Record::Failed(_) => {
                    self.phase = Phase::End;
                    self.start(Rc::clone(&self.compiled.end));
                    Flow::On
                }
            },
            Phase::Closing if !self.pipes.is_empty() => {
                let (line, input) = self.pipes.remove(0);
                Flow::Request(Asked::Pipe, Request { input: Some(input), ..Request::line(&line) })
            }
            _ => Flow::End,
        }
    }

    fn separator(&mut self) -> Separator {
        let text = self.text_of(RS);
        match text.as_ref() {
            [] => Separator::Paragraph,
            [byte] => Separator::Byte(*byte),
            more => match awk_parse::compile(&String::from_utf8_lossy(more)) {
                Ok(regex) => Separator::Pattern(regex),
                Err(_) => Separator::Byte(more[0]),
            },
        }
    }

    /// The next record of the files; counts it.
    fn next_record(&mut self, call: &mut Call<'_>) -> Record {
        let separator = self.separator();
        loop {
            let Some(reader) = &mut self.main else {
                if !self.next_file() {
                    return Record::End;
                }
                continue;
            };
            match reader.record(&separator, "awk", call) {
                Record::Got(record, ended) => {
                    for counter in [NR, FNR] {
                        let number = self.number_of(counter) + 1.0;
                        self.globals[counter] = Cell::Value(Value::Number(number));
                    }
                    return Record::Got(record, ended);
                }
                Record::Wait => return Record::Wait,
                Record::End => self.main = None,
                Record::Failed(message) => {
                    self.main = None;
                    call.err("awk", &message);
                    if !self.wide {
                        self.exit = Some(2);
                        return Record::End;
                    }
                    self.failed = 1;
                }
            }
        }
    }

    /// Opens the next operand that is a file; assignments among them are done.
    fn next_file(&mut self) -> bool {
        loop {
            let count = self.number_of(ARGC) as usize;
            if self.operand >= count {
                if std::mem::replace(&mut self.read_any, true) {
                    return false;
                }
                self.main = Some(Reader::new("-"));
                return true;
            }
            let argv = self.array(Var::Global(ARGV));
            let key: Bytes = self.operand.to_string().as_bytes().into();
            self.operand += 1;
            let Some((_, value)) = self.arrays[argv].get(&key) else { continue };
            let text = String::from_utf8_lossy(&value.bytes("%.6g", true)).into_owned();
            if text.is_empty() {
                continue;
            }
            let assigns = text.split_once('=').filter(|(name, _)| crate::syntax::is_name(name));
            if let Some((name, value)) = assigns {
                self.assign(name, value);
                continue;
            }
            self.read_any = true;
            self.main = Some(Reader::new(&text));
            self.globals[FNR] = Cell::Value(Value::Number(0.0));
            self.globals[FILENAME] = Cell::Value(Value::text_of(&text));
            return true;
        }
    }

    pub(super) fn set_record(&mut self, record: Bytes) {
        self.record = record;
        self.unsplit = true;
        self.unjoined = false;
    }

    fn split_record(&mut self) {
        if std::mem::take(&mut self.unsplit) {
            let separator = self.text_of(FS);
            let paragraph = self.text_of(RS).is_empty();
            self.fields = self.split(&Rc::clone(&self.record), &separator, paragraph);
        }
    }

    fn join_record(&mut self) {
        if std::mem::take(&mut self.unjoined) {
            let separator = self.text_of(OFS);
            self.record = self.fields.join(&separator[..]).into();
        }
    }

    /// The fields of a text. In paragraphs a newline always separates.
    pub(super) fn split(&mut self, text: &[u8], separator: &[u8], paragraph: bool) -> Vec<Bytes> {
        if text.is_empty() {
            return Vec::new();
        }
        let own = |part: &[u8]| -> Bytes { part.into() };
        match separator {
            b" " => text.split(|c| c.is_ascii_whitespace()).filter(|part| !part.is_empty()).map(own).collect(),
            b"" => text.chunks(1).map(own).collect(),
            [one] if *one != b'\\' => text.split(|c| c == one || paragraph && *c == b'\n').map(own).collect(),
            pattern => {
                let pattern = String::from_utf8_lossy(pattern).into_owned();
                let pattern = if paragraph { format!("({pattern})|\n") } else { pattern };
                let Ok(regex) = awk_parse::compile(&pattern) else { return vec![own(text)] };
                self.split_by(text, &regex)
            }
        }
    }

    pub(super) fn split_by(&mut self, text: &[u8], regex: &Regex) -> Vec<Bytes> {
        let (mut parts, mut at) = (Vec::new(), 0);
        super::sed::matches(regex, text, &mut 0, |groups| {
            if let Some((start, end)) = groups[0].filter(|(start, end)| start < end) {
                parts.push(Bytes::from(&text[at..start]));
                at = end;
            }
            parts.len() < MAX_FIELDS
        });
        parts.push(Bytes::from(&text[at..]));
        parts
    }

    fn cell(&self, var: Var) -> &Cell {
        match var {
            Var::Global(at) => &self.globals[at],
            Var::Local(at) => &self.locals[self.frames.last().map_or(0, |frame| frame.locals) + at],
        }
    }

    fn cell_mut(&mut self, var: Var) -> &mut Cell {
        match var {
            Var::Global(at) => &mut self.globals[at],
            Var::Local(at) => {
                let base = self.frames.last().map_or(0, |frame| frame.locals);
                &mut self.locals[base + at]
            }
        }
    }

    fn get(&mut self, var: Var) -> Value {
        if var == Var::Global(NF) {
            self.split_record();
            return Value::Number(self.fields.len() as f64);
        }
        match self.cell(var) {
            Cell::Value(value) => value.clone(),
            Cell::Array(_) => {
                self.error = Some("can't use an array as a scalar".into());
                Value::Unset
            }
        }
    }

    fn set(&mut self, var: Var, value: Value) {
        if var == Var::Global(NF) {
            self.split_record();
            let count = (value.number().max(0.0) as usize).min(MAX_FIELDS);
            self.fields.resize(count, Rc::from(&b""[..]));
            self.unjoined = true;
            return;
        }
        if matches!(self.cell(var), Cell::Array(_)) {
            self.error = Some("can't assign to an array".into());
            return;
        }
        *self.cell_mut(var) = Cell::Value(value);
    }

    /// The array a variable is, or becomes.
    fn array(&mut self, var: Var) -> usize {
        match self.cell(var) {
            Cell::Array(id) => *id,
            Cell::Value(Value::Unset) => {
                let id = match self.free.pop() {
                    Some(id) => id,
                    None => {
                        self.arrays.push(Array::new());
                        self.arrays.len() - 1
                    }
                };
                if matches!(var, Var::Local(_))
                    && let Some(frame) = self.frames.last_mut()
                {
                    frame.arrays.push(id);
                }
                *self.cell_mut(var) = Cell::Array(id);
                id
            }
            Cell::Value(_) => {
                self.error = Some("can't use a scalar as an array".into());
                self.arrays.push(Array::new());
                self.arrays.len() - 1
            }
        }
    }

    pub(super) fn put(&mut self, array: usize, key: Bytes, value: Value) {
        self.added = self.added.wrapping_add(1);
        let number = self.added;
        match self.arrays[array].get_mut(&key) {
            Some(slot) => slot.1 = value,
            None => {
                self.arrays[array].insert(key, (number, value));
            }
        }
    }

    /// Keys in the order in which the real ones give them: busybox' by its table, mawk's sorted.
    fn keys(&self, array: usize) -> Vec<Bytes> {
        let items = &self.arrays[array];
        if !self.wide {
            return items.keys().cloned().collect();
        }
        let primes = [31usize, 251, 1021, 4093, 16_381, 65_521];
        let size = primes.into_iter().find(|size| items.len() <= size * 8).unwrap_or(65_521);
        let place = |key: &[u8]| {
            let hash =
                key.iter().fold(0u32, |hash, byte| u32::from(*byte).wrapping_add(hash << 6).wrapping_add(hash >> 26));
            hash as usize % size
        };
        let mut keys: Vec<(usize, std::cmp::Reverse<u32>, Bytes)> =
            items.iter().map(|(key, (number, _))| (place(key), std::cmp::Reverse(*number), Rc::clone(key))).collect();
        keys.sort();
        keys.into_iter().map(|(_, _, key)| key).collect()
    }

    fn number_of(&self, special: usize) -> f64 {
        match &self.globals[special] {
            Cell::Value(value) => value.number(),
            Cell::Array(_) => 0.0,
        }
    }

    pub(super) fn text_of(&self, special: usize) -> Bytes {
        match &self.globals[special] {
            Cell::Value(value) => value.bytes("%.6g", self.wide),
            Cell::Array(_) => Rc::from(&b""[..]),
        }
    }

    pub(super) fn set_special(&mut self, special: usize, value: Value) {
        self.globals[special] = Cell::Value(value);
    }

    /// A value's text.
    pub(super) fn text(&self, value: &Value) -> Bytes {
        match value {
            Value::Number(number) if number.fract() != 0.0 => {
                let format = String::from_utf8_lossy(&self.text_of(CONVFMT)).into_owned();
                value.bytes(&format, self.wide)
            }
            value => value.bytes("%.6g", self.wide),
        }
    }

    pub(super) fn pop(&mut self) -> Value {
        match self.stack.pop() {
            Some(Item::Value(value)) => value,
            Some(Item::Regex(regex)) => Value::truth_of(regex.is_match(&self.whole_record())),
            _ => Value::Unset,
        }
    }

    pub(super) fn pop_item(&mut self) -> Item {
        self.stack.pop().unwrap_or(Item::Value(Value::Unset))
    }

    pub(super) fn push(&mut self, value: Value) {
        self.stack.push(Item::Value(value));
    }

    /// `$0`
    pub(super) fn whole_record(&mut self) -> Bytes {
        self.join_record();
        Rc::clone(&self.record)
    }

    fn field(&mut self, index: f64) -> Value {
        if index < 0.0 {
            self.error = Some(match self.wide {
                true => "cmd. line:1: Access to negative field".to_string(),
                false => format!("run time error: negative field index ${}", index as i64),
            });
            return Value::Unset;
        }
        match index as usize {
            0 => Value::Input(self.whole_record()),
            n => {
                self.split_record();
                self.fields.get(n - 1).map_or(Value::Unset, |field| Value::Input(Rc::clone(field)))
            }
        }
    }

    fn set_field(&mut self, index: f64, value: &Value) {
        let text = self.text(value);
        match index as usize {
            _ if index < 0.0 => {
                self.field(index);
            }
            0 => self.set_record(text),
            n if n < MAX_FIELDS => {
                self.split_record();
                if self.fields.len() < n {
                    self.fields.resize(n, Rc::from(&b""[..]));
                }
                self.fields[n - 1] = text;
                self.unjoined = true;
            }
            _ => self.error = Some("bad field number".into()),
        }
    }

    fn op(&mut self, op: &Op, call: &mut Call<'_>) -> Flow {
        match op {
            Op::Push(value) => self.push(value.clone()),
            Op::MatchRecord(regex) => {
                let record = self.whole_record();
                call.work_bytes += record.len() / 8;
                self.push(Value::truth_of(regex.is_match(&record)));
            }
            Op::PushRegex(regex) => self.stack.push(Item::Regex(Rc::clone(regex))),
            Op::Get(var) => {
                let value = self.get(*var);
                self.push(value);
            }
            Op::Set(var) => {
                let value = self.pop();
                self.set(*var, value.clone());
                self.push(value);
            }
            Op::GetField => {
                let index = self.pop().number();
                let value = self.field(index);
                self.push(value);
            }
            Op::SetField => {
                let (value, index) = (self.pop(), self.pop().number());
                self.set_field(index, &value);
                self.push(value);
            }
            Op::Key(count) => {
                let at = self.stack.len().saturating_sub(*count);
                let keys: Vec<Bytes> = self
                    .stack
                    .split_off(at)
                    .into_iter()
                    .map(|item| match item {
                        Item::Value(value) => self.text(&value),
                        _ => Rc::from(&b""[..]),
                    })
                    .collect();
                let separator = self.text_of(SUBSEP);
                let key: Bytes =
                    if let [only] = keys.as_slice() { Rc::clone(only) } else { keys.join(&separator[..]).into() };
                self.push(Value::Text(key));
            }
            Op::GetElement(array) => {
                let key = self.pop_key();
                let array = self.array(*array);
                let value = self.arrays[array].get(&key).map(|(_, value)| value.clone());
                if value.is_none() {
                    self.put(array, key, Value::Unset);
                }
                self.push(value.unwrap_or(Value::Unset));
            }
            Op::SetElement(array) => {
                let (value, key) = (self.pop(), self.pop_key());
                let array = self.array(*array);
                self.put(array, key, value.clone());
                self.push(value);
            }
            Op::Duplicate => self.stack.extend(self.stack.last().cloned()),
            Op::Pop => {
                self.stack.pop();
            }
            Op::StepVar(var, step, old) => {
                let before = self.get(*var).number();
                self.set(*var, Value::Number(before + step));
                self.push(Value::Number(if *old { before } else { before + step }));
            }
            Op::StepField(step, old) => {
                let index = self.pop().number();
                let before = self.field(index).number();
                self.set_field(index, &Value::Number(before + step));
                self.push(Value::Number(if *old { before } else { before + step }));
            }
            Op::StepElement(array, step, old) => {
                let key = self.pop_key();
                let array = self.array(*array);
                let before = self.arrays[array].get(&key).map_or(0.0, |(_, value)| value.number());
                self.put(array, key, Value::Number(before + step));
                self.push(Value::Number(if *old { before } else { before + step }));
            }
            Op::Arithmetic(operator) => {
                let (b, a) = (self.pop().number(), self.pop().number());
                if matches!(operator, '/' | '%') && b == 0.0 {
                    self.error =
                        Some(if self.wide { "cmd. line:1: Division by zero" } else { "division by zero" }.into());
                }
                self.push(Value::Number(calculate(*operator, a, b)));
            }
            Op::Negate => {
                let value = -self.pop().number();
                self.push(Value::Number(value));
            }
            Op::Number => {
                let value = self.pop().number();
                self.push(Value::Number(value));
            }
            Op::Not => {
                let value = self.pop().truth();
                self.push(Value::truth_of(!value));
            }
            Op::Truth => {
                let value = self.pop().truth();
                self.push(Value::truth_of(value));
            }
            Op::Compare(test) => {
                let (b, a) = (self.pop(), self.pop());
                let holds = self.compare(*test, &a, &b);
                self.push(Value::truth_of(holds));
            }
            Op::Concatenate => {
                let (b, a) = (self.pop(), self.pop());
                let (a, b) = (self.text(&a), self.text(&b));
                call.work_bytes += (a.len() + b.len()) / 8;
                if a.len() + b.len() > MAX_BYTES {
                    self.error = Some("out of memory".into());
                }
                self.push(Value::Text([&a[..], &b[..]].concat().into()));
            }
            Op::Match(negated) => {
                let pattern = self.pop_item();
                let value = self.pop();
                let text = self.text(&value);
                call.work_bytes += text.len() / 8;
                let found = self.regex(&pattern).is_some_and(|regex| regex.is_match(&text));
                self.push(Value::truth_of(found != *negated));
            }
            Op::Jump(to) => self.jump(*to),
            Op::JumpFalse(to) => {
                if !self.pop().truth() {
                    self.jump(*to);
                }
            }
            Op::JumpTrue(to) => {
                if self.pop().truth() {
                    self.jump(*to);
                }
            }
            Op::Has(array) => {
                let key = self.pop_key();
                let array = self.array(*array);
                let has = self.arrays[array].contains_key(&key);
                self.push(Value::truth_of(has));
            }
            Op::PushArray(var) => match self.cell(*var) {
                Cell::Value(value) if *value != Value::Unset => {
                    let value = value.clone();
                    self.push(value);
                }
                _ => {
                    let array = self.array(*var);
                    self.stack.push(Item::Array(array));
                }
            },
            Op::Builtin("system", _) => return self.system(call),
            Op::Builtin("close", _) => return self.close(),
            Op::Builtin(name, count) => self.builtin(name, *count, call),
            Op::Call(function, count) => self.call_function(*function, *count),
            Op::Return => self.return_from(),
            Op::Getline(from, into) => return self.getline(*from, *into, call),
            Op::Print(count, target) => return self.print(*count, *target, call),
            Op::Printf(count, target) => {
                let file = (*target != Target::Output).then(|| self.pop());
                let text = self.format(*count);
                return self.write(text, file, *target, call);
            }
            Op::Delete(array) => {
                let key = self.pop_key();
                let array = self.array(*array);
                self.arrays[array].remove(&key);
            }
            Op::DeleteAll(array) => {
                let array = self.array(*array);
                self.arrays[array].clear();
            }
            Op::Each(array) => {
                let array = self.array(*array);
                let keys = self.keys(array);
                call.work_bytes += keys.len() * 8;
                self.each.push((keys, array));
                if let Some((keys, _)) = self.each.last_mut() {
                    keys.reverse();
                }
            }
            Op::NextKey(var, to) => {
                let array = self.each.last().map(|(_, array)| *array);
                let key = self.each.last_mut().and_then(|(keys, _)| keys.pop());
                match (key, array) {
                    (Some(key), Some(_)) => self.set(*var, Value::Input(key)),
                    _ => self.jump(*to),
                }
            }
            Op::EndEach => {
                self.each.pop();
            }
            Op::Next => {
                self.frames.clear();
                return Flow::End;
            }
            Op::NextFile => {
                self.main = None;
                self.frames.clear();
                return Flow::End;
            }
            Op::Exit(has_code) => {
                let code = has_code.then(|| self.pop().number() as i32 & 255);
                self.exit = Some(code.or(self.exit).unwrap_or(0));
                self.frames.clear();
                return Flow::End;
            }
            Op::InRange(number) => {
                let inside = self.in_range[*number];
                self.push(Value::truth_of(inside));
            }
            Op::SetRange(number, on) => self.in_range[*number] = *on,
            Op::End => return Flow::End,
        }
        Flow::On
    }

    fn pop_key(&mut self) -> Bytes {
        match self.pop() {
            Value::Text(key) | Value::Input(key) => key,
            other => self.text(&other),
        }
    }

    fn jump(&mut self, to: usize) {
        if let Some(frame) = self.frames.last_mut() {
            frame.at = to;
        }
    }

    fn compare(&self, test: Test, a: &Value, b: &Value) -> bool {
        let order = match (a.comparable(), b.comparable()) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => Some(self.text(a).cmp(&self.text(b))),
        };
        let Some(order) = order else { return test == Test::Unequal };
        match test {
            Test::Less => order.is_lt(),
            Test::LessEqual => order.is_le(),
            Test::Greater => order.is_gt(),
            Test::GreaterEqual => order.is_ge(),
            Test::Equal => order.is_eq(),
            Test::Unequal => order.is_ne(),
        }
    }

    /// The expression that an argument is.
    pub(super) fn regex(&mut self, item: &Item) -> Option<Rc<Regex>> {
        match item {
            Item::Regex(regex) => Some(Rc::clone(regex)),
            Item::Array(_) => None,
            Item::Value(value) => {
                let pattern = String::from_utf8_lossy(&self.text(value)).into_owned();
                awk_parse::compile(&pattern).map(Rc::new).map_err(|error| self.error = Some(error)).ok()
            }
        }
    }

    fn call_function(&mut self, function: usize, count: usize) {
        if self.frames.len() > MAX_FRAMES {
            self.error = Some("function call nesting too deep".into());
            return;
        }
        let compiled = Rc::clone(&self.compiled);
        let at = self.stack.len().saturating_sub(count);
        let args = self.stack.split_off(at);
        let locals = self.locals.len();
        for item in args {
            let cell = match item {
                Item::Value(value) => Cell::Value(value),
                Item::Array(id) => Cell::Array(id),
                Item::Regex(regex) => {
                    let record = self.whole_record();
                    Cell::Value(Value::truth_of(regex.is_match(&record)))
                }
            };
            self.locals.push(cell);
        }
        self.locals.resize(locals + compiled.parameters[function].len(), Cell::Value(Value::Unset));
        self.frames.push(Frame { code: Rc::clone(&compiled.functions[function]), at: 0, locals, arrays: Vec::new() });
    }

    fn return_from(&mut self) {
        if let Some(frame) = self.frames.pop() {
            self.locals.truncate(frame.locals);
            for id in frame.arrays {
                self.arrays[id].clear();
                self.free.push(id);
            }
        }
    }

    fn print(&mut self, count: usize, target: Target, call: &mut Call<'_>) -> Flow {
        let file = (target != Target::Output).then(|| self.pop());
        let at = self.stack.len().saturating_sub(count);
        let items = self.stack.split_off(at);
        let mut text: Vec<u8> = Vec::new();
        if items.is_empty() {
            text.extend_from_slice(&self.whole_record());
        }
        let separator = self.text_of(OFS);
        let format = String::from_utf8_lossy(&self.text_of(OFMT)).into_owned();
        for (i, item) in items.into_iter().enumerate() {
            if i > 0 {
                text.extend_from_slice(&separator);
            }
            match item {
                Item::Value(value) => text.extend_from_slice(&value.bytes(&format, self.wide)),
                Item::Regex(regex) => {
                    let record = self.whole_record();
                    text.push(if regex.is_match(&record) { b'1' } else { b'0' });
                }
                Item::Array(_) => {}
            }
        }
        text.extend_from_slice(&self.text_of(ORS));
        self.write(text, file, target, call)
    }

    fn write(&mut self, text: Vec<u8>, file: Option<Value>, target: Target, call: &mut Call<'_>) -> Flow {
        let Some(file) = file else {
            call.out_bytes(&text);
            return Flow::On;
        };
        let name = String::from_utf8_lossy(&self.text(&file)).into_owned();
        if target == Target::Pipe {
            match self.pipes.iter_mut().find(|(line, _)| *line == name) {
                Some((_, input)) if input.len() < MAX_BYTES => input.extend(text),
                Some(_) => self.error = Some("out of memory".into()),
                None => self.pipes.push((name, text)),
            }
            return Flow::On;
        }
        match name.as_str() {
            "/dev/stdout" | "-" => call.out_bytes(&text),
            "/dev/stderr" => call.output.write(Stream::Stderr, &text),
            "/dev/null" => {}
            _ => {
                let first = !self.written.contains(&name);
                let path = call.path(&name);
                if let Err(error) = call.system.write_file(&path, &text, !first || target == Target::Append) {
                    self.error = Some(match self.wide {
                        true => format!("can't redirect to '{name}': {error}"),
                        false => format!("cannot open \"{name}\" for output ({error})"),
                    });
                }
                if first {
                    self.written.push(name);
                }
            }
        }
        Flow::On
    }

    fn system(&mut self, call: &mut Call<'_>) -> Flow {
        if let Some((Asked::System, status, _)) = self.asked.take() {
            self.pop();
            self.push(Value::Number(f64::from(status)));
            return Flow::On;
        }
        let value = self.stack.last().cloned();
        let Some(Item::Value(value)) = value else { return Flow::On };
        let line = String::from_utf8_lossy(&self.text(&value)).into_owned();
        debug_assert!(call.name == "awk", "the caller is awk");
        self.again();
        Flow::Request(Asked::System, Request::line(&line))
    }

    /// The instruction is done again when the program has ended.
    fn again(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.at -= 1;
        }
    }

    fn close(&mut self) -> Flow {
        if let Some((Asked::Pipe, status, _)) = self.asked.take() {
            self.pop();
            self.push(Value::Number(f64::from(status)));
            return Flow::On;
        }
        let value = self.stack.last().cloned();
        let Some(Item::Value(value)) = value else { return Flow::On };
        let name = String::from_utf8_lossy(&self.text(&value)).into_owned();
        if let Some(at) = self.pipes.iter().position(|(line, _)| *line == name) {
            let (line, input) = self.pipes.remove(at);
            self.again();
            return Flow::Request(Asked::Pipe, Request { input: Some(input), ..Request::line(&line) });
        }
        let known = self.readers.remove(&name).is_some() | self.commands.remove(&name).is_some();
        let before = self.written.len();
        self.written.retain(|file| *file != name);
        let closed = known || self.written.len() < before;
        self.pop();
        self.push(Value::Number(if closed { 0.0 } else { -1.0 }));
        Flow::On
    }

    fn getline(&mut self, from: From, into: Into, call: &mut Call<'_>) -> Flow {
        let separator = self.separator();
        let got = match from {
            From::Input => self.next_record(call),
            From::File | From::Command => {
                let Some(Item::Value(value)) = self.stack.last().cloned() else { return Flow::On };
                let name = String::from_utf8_lossy(&self.text(&value)).into_owned();
                if from == From::Command {
                    if let Some((Asked::Command(_), _, output)) = self.asked.take() {
                        self.commands.insert(name.clone(), Reader::of(output));
                    }
                    if !self.commands.contains_key(&name) {
                        self.again();
                        let request = Request { captured: true, ..Request::line(&name) };
                        return Flow::Request(Asked::Command(name), request);
                    }
                }
                let readers = if from == From::Command { &mut self.commands } else { &mut self.readers };
                let mut reader = readers.remove(&name).unwrap_or_else(|| Reader::new(&name));
                let record = reader.record(&separator, "awk", call);
                let kept = !matches!(record, Record::Failed(_));
                let readers = if from == From::Command { &mut self.commands } else { &mut self.readers };
                if kept {
                    readers.insert(name, reader);
                }
                if let Record::Got(..) = record {
                    // A file's records do not count; a command's do.
                    if from == From::Command {
                        let number = self.number_of(NR) + 1.0;
                        self.globals[NR] = Cell::Value(Value::Number(number));
                    }
                }
                record
            }
        };
        if got == Record::Wait {
            return Flow::Wait;
        }
        if from != From::Input {
            self.pop();
        }
        let address = matches!(into, Into::Field | Into::Element(_)).then(|| self.pop());
        let status = match got {
            Record::Got(record, _) => {
                let value = Value::Input(record.into());
                match (into, address) {
                    (Into::Record, _) => {
                        let text = self.text(&value);
                        self.set_record(text);
                    }
                    (Into::Variable(var), _) => self.set(var, value),
                    (Into::Field, Some(index)) => self.set_field(index.number(), &value),
                    (Into::Element(array), Some(key)) => {
                        let (array, key) = (self.array(array), self.text(&key));
                        self.put(array, key, value);
                    }
                    _ => {}
                }
                1.0
            }
            Record::Failed(_) => -1.0,
            Record::End | Record::Wait => 0.0,
        };
        self.push(Value::Number(status));
        Flow::On
    }
}

fn calculate(operator: char, a: f64, b: f64) -> f64 {
    match operator {
        '+' => a + b,
        '-' => a - b,
        '*' => a * b,
        '/' => a / b,
        '%' => a % b,
        _ => a.powf(b),
    }
}
