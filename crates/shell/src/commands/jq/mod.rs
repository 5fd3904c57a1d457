//! `jq`: jq 1.7 without modules.
//!
//! Source: the jq manual. The words of its errors and its exit codes are jq's. A part of its functions is written in jq
//! (`prelude.jq`); the machine that carries out programs stops after any step and goes on in the next turn.

mod builtins;
mod dates;
mod json;
mod machine;
mod operate;
mod options;
mod parse;
mod paths;
mod reading;
mod regexes;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::filter::{open_error, split_descriptor};
use super::{Advance, Call, Outcome, Program, State};
use crate::process::{Read, Stream};
pub use dates::parse as time_by_format;
use json::Json;
use machine::{Failure, Machine, Prelude, Ran};
use options::{Input, Options, Style};
use parse::{Expr, Sub};

/// Bytes of input that are kept.
const INPUT_MAX: usize = 32 << 20;
/// Steps of the machine in one turn.
const STEPS: u64 = 20_000;

const PRELUDE: &str = include_str!("prelude.jq");

/// The functions that are written in jq.
fn prelude() -> Result<Prelude, String> {
    let mut expr: Sub = parse::parse(PRELUDE)?.into();
    let mut functions = values::sorted::SortedMap::new();
    while let Expr::Define(function, rest) = &*expr {
        functions.insert(Rc::clone(&function.name), Rc::clone(function));
        expr = Rc::clone(rest);
    }
    Ok(Rc::new(functions))
}

#[derive(Clone, Debug)]
struct Jq {
    machine: Machine,
    options: Options,
    /// Files still to be read, the next last.
    files: Vec<String>,
    reading: Option<u32>,
    text: Vec<u8>,
    /// Inputs still to be worked on, the next last.
    inputs: Vec<Json>,
    started: bool,
    running: Option<Machine>,
    broken: Option<String>,
    exit: i32,
    last: Option<bool>,
}

/// `jq [OPTIONS] FILTER [FILE]...`
pub fn jq(call: &mut Call<'_>) -> Outcome {
    let (options, program, files) = match Options::read(call) {
        Ok(read) => read,
        Err(code) => return Outcome::Done(code),
    };
    let library = match prelude() {
        Ok(library) => library,
        Err(why) => {
            call.err("jq", &format!("error: {why}"));
            return Outcome::Done(3);
        }
    };
    let expr = match parse::parse(&program) {
        Ok(expr) => expr,
        Err(why) => return compile_error(call, &why, &program),
    };
    let mut scope: Vec<Rc<str>> = options.variables.iter().map(|(name, _)| Rc::clone(name)).collect();
    let known = |name: &str| builtins::known(name) || library.contains_key(name);
    if let Some(why) = parse::undefined(&expr, &mut scope, &known) {
        return compile_error(call, &why, &program);
    }
    let mut machine = Machine::new(&expr.into(), &options.variables, library);
    machine.world.now_ms = call.system.now().millis();
    let variables = call.state.env().into_iter().map(|(name, value)| (name.as_str().into(), Json::text(&value)));
    machine.world.env = Json::Object(Rc::new(variables.collect()));
    let mut files = files;
    files.reverse();
    let reads = !(options.input == Input::Null && files.is_empty() && !program.contains("input"));
    let jq = Jq {
        machine,
        reading: (files.is_empty() && reads).then_some(0),
        files,
        options,
        text: Vec::new(),
        inputs: Vec::new(),
        started: false,
        running: None,
        broken: None,
        exit: 0,
        last: None,
    };
    Outcome::Runs(State::Program(Box::new(jq)))
}

fn compile_error(call: &mut Call<'_>, why: &str, program: &str) -> Outcome {
    let shown = program.lines().next().unwrap_or_default();
    let blank = if why.contains("unexpected end of file") { " " } else { "" };
    let text = format!("jq: error: {why} at <top-level>, line 1:\n{shown}{blank}\njq: 1 compile error\n");
    call.output.write(Stream::Stderr, text.as_bytes());
    Outcome::Done(3)
}

impl Program for Jq {
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn name(&self) -> &'static str {
        "jq"
    }

    fn wants_input(&self) -> Option<u32> {
        self.reading
    }

    fn advance(&mut self, input: Option<Read>, call: &mut Call<'_>) -> Advance {
        call.name = "jq";
        if self.reading.is_some() {
            match input {
                Some(Read::Data(bytes)) if self.text.len() < INPUT_MAX => {
                    self.text.extend(bytes);
                    return Advance::More;
                }
                Some(Read::Empty) => return Advance::Blocked(None),
                None => return Advance::More,
                Some(Read::Data(_) | Read::End) => self.reading = None,
            }
        }
        if let Some(file) = self.files.pop() {
            self.open(&file, call);
            return Advance::More;
        }
        if !std::mem::replace(&mut self.started, true) {
            self.start();
            call.work_bytes += self.text.len();
        }
        let mut steps = STEPS;
        call.work_bytes += 1 << 14;
        while steps > 0 {
            let Some(machine) = &mut self.running else {
                let Some(input) = self.inputs.pop() else { return self.end(call) };
                let mut machine = self.machine.on(input);
                machine.world.inputs = std::mem::take(&mut self.inputs);
                self.running = Some(machine);
                continue;
            };
            match machine.run(&mut steps) {
                Ran::Paused => break,
                Ran::Value(value) => {
                    self.last = Some(value.is_true());
                    let text = self.options.style.write(&value);
                    steps = steps.saturating_sub(text.len() as u64 / 16);
                    call.out_bytes(&text);
                }
                Ran::End => self.next(),
                Ran::Failed(failure) => {
                    self.next();
                    if let Some(code) = self.failed(failure, call) {
                        return Advance::Done(code);
                    }
                }
            }
        }
        Advance::More
    }
}

impl Jq {
    fn open(&mut self, file: &str, call: &mut Call<'_>) {
        let path = call.path(file);
        if let Some(fd) = split_descriptor(file, &path).filter(|_| file != "-") {
            self.reading = Some(fd);
            return;
        }
        match call.read_file(file) {
            Ok(bytes) => self.text.extend(bytes),
            Err(error) => {
                let why = open_error(call, "jq", file, error);
                let why = why.rsplit(": ").next().unwrap_or_default().to_string();
                call.err("jq", &format!("error: Could not open {file}: {why}"));
                self.exit = 2;
            }
        }
    }

    /// All input is there: it becomes values.
    fn start(&mut self) {
        let text = String::from_utf8_lossy(&self.text).into_owned();
        let mut all = match (self.options.raw_input, self.options.slurp) {
            (true, true) => vec![Json::text(&text)],
            (true, false) => text.lines().map(Json::text).collect(),
            (false, slurp) => {
                let (read, broken) = reading::values(&text);
                self.broken = broken;
                match slurp {
                    true if self.broken.is_some() => Vec::new(),
                    true => vec![Json::array(read)],
                    false => read,
                }
            }
        };
        self.machine.world.line = text.matches('\n').count();
        all.reverse();
        if self.options.input == Input::Null {
            // The inputs wait for `input`.
            all.push(Json::Null);
        }
        self.inputs = all;
    }

    /// A program has ended; what it has not read is the next one's.
    fn next(&mut self) {
        if let Some(machine) = self.running.take() {
            self.inputs = machine.world.inputs;
        }
        if self.options.input == Input::Null {
            self.inputs.clear();
        }
    }

    /// Says what went wrong; `Some`: jq ends with this code.
    fn failed(&mut self, failure: Failure, call: &mut Call<'_>) -> Option<i32> {
        match failure {
            Failure::Exhausted => {
                call.err("jq", "error: the program needs more memory than Batchyard's jq has");
                Some(5)
            }
            Failure::Halt(what, code) => {
                match what {
                    None => {}
                    Some(Json::Text(text)) => call.output.write(Stream::Stderr, text.as_bytes()),
                    Some(value) => {
                        let text = format!("{}\n", value.write(None, false));
                        call.output.write(Stream::Stderr, text.as_bytes());
                    }
                }
                Some(code)
            }
            Failure::Break(_) => {
                call.err("jq", "error: break");
                self.exit = 5;
                None
            }
            Failure::Error(why) => {
                let shown = match &why {
                    Json::Text(text) => text.to_string(),
                    Json::Object(_) | Json::Array(_) => format!("(not a string): {}", why.write(None, false)),
                    other => format!("{} (not a string)", other.write(None, false)),
                };
                let place = match self.options.input == Input::Null && self.text.is_empty() {
                    true => "<unknown>".to_owned(),
                    false => format!("<stdin>:{}", self.machine.world.line),
                };
                let colon = if shown.starts_with("(not a string)") { " " } else { ": " };
                call.err("jq", &format!("error (at {place}){colon}{shown}"));
                self.exit = 5;
                None
            }
        }
    }

    fn end(&mut self, call: &mut Call<'_>) -> Advance {
        if let Some(why) = &self.broken {
            call.err("jq", &format!("parse error: {why}"));
            return Advance::Done(5);
        }
        Advance::Done(match (self.options.exit_status, self.exit, self.last) {
            (true, 0, None) => 4,
            (true, 0, Some(holds)) => i32::from(!holds),
            (_, exit, _) => exit,
        })
    }
}

impl Style {
    fn write(&self, value: &Json) -> Vec<u8> {
        let mut text = match value {
            Json::Text(text) if self.raw && !self.ascii => text.to_string(),
            value => value.write_with(self.indent, self.tabs, self.sorted, self.colors),
        };
        if self.ascii {
            text = ascii(&text);
        }
        let mut bytes = Vec::new();
        if self.sequence {
            bytes.push(0x1e);
        }
        bytes.extend(text.into_bytes());
        match (self.joined, self.nul) {
            (true, _) => {}
            (false, true) => bytes.push(0),
            (false, false) => bytes.push(b'\n'),
        }
        bytes
    }
}

/// Characters beyond ASCII as `\u` escapes.
fn ascii(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}
