//! `jq`: a useful part of jq 1.7.
//!
//! Source: the jq manual. The words of its errors and its exit codes (2, 3 and 5) are jq's.

mod builtins;
mod eval;
mod json;
mod operate;
mod parse;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::filter::{Filter, Flow, start};
use super::text::cloned;
use super::{Call, Outcome};
use eval::{Failure, Machine, Variables};
use json::Json;
use parse::Expr;

/// Bytes of input that are kept.
const INPUT_MAX: usize = 8 << 20;

/// How the values are written.
#[derive(Clone, Copy, Debug)]
struct Style {
    raw: bool,
    joined: bool,
    indent: Option<usize>,
    sorted: bool,
}

#[derive(Clone, Debug)]
struct Jq {
    program: Rc<Expr>,
    variables: Variables,
    style: Style,
    slurp: bool,
    raw_input: bool,
    null_input: bool,
    exit_status: bool,
    bytes: Vec<u8>,
}

impl Filter for Jq {
    cloned!();
    fn in_pieces(&self) -> bool {
        true
    }
    fn take(&mut self, bytes: &[u8], _: bool, _: &mut Call<'_>) -> Flow {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > INPUT_MAX { Flow::Stop } else { Flow::More }
    }
    fn finish(&mut self, call: &mut Call<'_>) -> i32 {
        self.run(call)
    }
}

impl Jq {
    fn run(&self, call: &mut Call<'_>) -> i32 {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        let (inputs, broken) = self.inputs(&text);
        let mut machine = Machine::at(call.system.now());
        let (mut exit, mut last) = (0, None);
        let firsts = if self.null_input {
            machine.inputs = inputs;
            vec![Json::Null]
        } else {
            inputs
        };
        for input in &firsts {
            match machine.eval(&self.program, input, &self.variables) {
                Ok(values) => {
                    for value in values {
                        self.write(&value, call);
                        last = Some(value);
                    }
                }
                Err(Failure::Exhausted) => {
                    call.err("jq", "error: the program takes too many steps, or makes too much");
                    return 5;
                }
                Err(Failure::Error(why)) => {
                    let shown = match &why {
                        Json::Text(text) => text.to_string(),
                        other => format!("{} (not a string)", other.write(None, false)),
                    };
                    let place =
                        if self.null_input { "<unknown>".to_owned() } else { format!("<stdin>:{}", lines(&text)) };
                    call.err("jq", &format!("error (at {place}): {shown}"));
                    exit = 5;
                }
            }
        }
        if let Some(why) = broken {
            call.err("jq", &format!("parse error: {why}"));
            return 2;
        }
        match (self.exit_status, exit, &last) {
            (true, 0, None) => 4,
            (true, 0, Some(value)) => i32::from(!value.is_true()),
            (_, exit, _) => exit,
        }
    }

    /// The values of the input, and why it could not be read to its end.
    fn inputs(&self, text: &str) -> (Vec<Json>, Option<String>) {
        if self.raw_input {
            let lines: Vec<Json> = text.lines().map(Json::text).collect();
            return (if self.slurp { vec![Json::text(text)] } else { lines }, None);
        }
        let (mut values, mut broken) = (Vec::new(), None);
        for value in serde_json::Deserializer::from_str(text).into_iter::<Json>() {
            match value {
                Ok(value) => values.push(value),
                Err(error) => {
                    broken = Some(error.to_string());
                    break;
                }
            }
        }
        (if self.slurp { vec![Json::array(values)] } else { values }, broken)
    }

    fn write(&self, value: &Json, call: &mut Call<'_>) {
        let text = match value {
            Json::Text(text) if self.style.raw => text.to_string(),
            value => value.write(self.style.indent, self.style.sorted),
        };
        call.out(&text);
        if !self.style.joined {
            call.out("\n");
        }
    }
}

fn lines(text: &str) -> usize {
    text.matches('\n').count()
}

/// `jq [OPTIONS] FILTER [FILE]...`
pub fn jq(call: &mut Call<'_>) -> Outcome {
    let mut jq = Jq {
        program: Rc::new(Expr::Identity),
        variables: Variables::new(),
        style: Style { raw: false, joined: false, indent: Some(2), sorted: false },
        slurp: false,
        raw_input: false,
        null_input: false,
        exit_status: false,
        bytes: Vec::new(),
    };
    let mut operands = Vec::new();
    let mut args = call.args.iter();
    while let Some(arg) = args.next() {
        let mut pair = || Some((args.next()?.clone(), args.next()?.clone()));
        match arg.as_str() {
            "--arg" | "--argjson" => {
                let Some((name, text)) = pair() else {
                    call.err("jq", &format!("{arg} takes two parameters (e.g. {arg} varname value)"));
                    return Outcome::Done(2);
                };
                let value = if arg == "--arg" { Ok(Json::text(&text)) } else { serde_json::from_str(&text) };
                let Ok(value) = value else {
                    call.err("jq", &format!("Invalid JSON text passed to --argjson\n{USE}"));
                    return Outcome::Done(2);
                };
                jq.variables.insert(name, value);
            }
            "--indent" => jq.style.indent = args.next().and_then(|n| n.parse().ok()).map(|n: usize| n.min(7)),
            "--help" => match super::find("jq", call.state.tools) {
                Some(row) => return call.help(row),
                None => return Outcome::Done(0),
            },
            option if option.len() > 1 && option.starts_with('-') => {
                if jq.option(option).is_err() {
                    call.err("jq", &format!("Unknown arguments\n{USE}"));
                    return Outcome::Done(2);
                }
            }
            _ => operands.push(arg.clone()),
        }
    }
    if operands.is_empty() {
        call.err("jq", &format!("no filter given\n{USE}"));
        return Outcome::Done(2);
    }
    let program = operands.remove(0);
    match parse::parse(&program) {
        Ok(expr) => jq.program = Rc::new(expr),
        Err(why) => {
            call.err("jq", &format!("error: {why} at <top-level>, line 1:\n{program}\njq: 1 compile error"));
            return Outcome::Done(3);
        }
    }
    let variables = call.state.env().into_iter().map(|(name, value)| (name.as_str().into(), Json::text(&value)));
    jq.variables.insert("ENV".to_owned(), Json::Object(Rc::new(variables.collect())));
    if jq.null_input && operands.is_empty() {
        return Outcome::Done(jq.run(call));
    }
    start(call, jq, operands, 2)
}

const USE: &str = "Use jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://jqlang.github.io/jq";

impl Jq {
    /// `-rc`, `--raw-output` …
    fn option(&mut self, option: &str) -> Result<(), char> {
        let letters = match option {
            "--raw-output" => "r",
            "--compact-output" => "c",
            "--null-input" => "n",
            "--slurp" => "s",
            "--raw-input" => "R",
            "--exit-status" => "e",
            "--sort-keys" => "S",
            "--join-output" => "j",
            "--monochrome-output" => "M",
            "--color-output" => "C",
            long if long.starts_with("--") => return Err('-'),
            short => &short[1..],
        };
        for letter in letters.chars() {
            match letter {
                'r' => self.style.raw = true,
                'c' => self.style.indent = None,
                'n' => self.null_input = true,
                's' => self.slurp = true,
                'R' => self.raw_input = true,
                'e' => self.exit_status = true,
                'S' => self.style.sorted = true,
                'j' => (self.style.raw, self.style.joined) = (true, true),
                'M' | 'C' => {}
                other => return Err(other),
            }
        }
        Ok(())
    }
}
