//! Tokens to templates.
//!
//! Source: `text/template/parse/parse.go`; the error texts are its.

use std::rc::Rc;

use super::ast::{Branch, Command, Node, Operand, Pipe, Template, What};
use super::lex::{Kind, Token, lex};
use super::{Error, Functions, builtin, limits};
use crate::value::Value;

/// Reads `text` as the template `name`; what it defines comes before it.
pub fn parse(name: &str, text: &str, functions: &dyn Functions) -> Result<Vec<Template>, Error> {
    let fail = |at: usize, message: String| {
        let line = 1 + text[..at.min(text.len())].matches('\n').count();
        Error { in_parse: true, place: format!("{name}:{line}"), message }
    };
    if text.len() > limits::OUTPUT_BYTES {
        return Err(fail(0, "the template is too long".into()));
    }
    let tokens = lex(text).map_err(|(at, message)| fail(at, message))?;
    let mut parser = Parser {
        tokens: &tokens,
        next: 0,
        end: text.len(),
        functions,
        variables: vec!["$".into()],
        defined: Vec::new(),
        depth: 0,
        loops: 0,
        file: name.into(),
        text: text.into(),
    };
    let body = match parser.list(&[]) {
        Ok((body, _)) => body,
        Err((at, message)) => return Err(fail(at, message)),
    };
    let mut templates = parser.defined;
    templates.push(Template { name: name.into(), file: name.into(), text: text.into(), body });
    Ok(templates)
}

type Failure = (usize, String);

struct Parser<'a> {
    tokens: &'a [Token],
    next: usize,
    end: usize,
    functions: &'a dyn Functions,
    variables: Vec<String>,
    defined: Vec<Template>,
    depth: usize,
    loops: usize,
    file: Rc<str>,
    text: Rc<str>,
}

/// What ended a list of nodes.
#[derive(Clone, Copy, PartialEq, Debug)]
enum End {
    /// The text's end.
    Text,
    Close,
    Else,
    ElseIf,
    ElseWith,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Kind> {
        self.tokens.get(self.next).map(|token| &token.kind)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |token| token.at)
    }

    fn skip_space(&mut self) {
        while self.peek() == Some(&Kind::Space) {
            self.next += 1;
        }
    }

    fn word(&self) -> Option<&str> {
        match self.peek() {
            Some(Kind::Word(word)) => Some(word),
            _ => None,
        }
    }

    fn unexpected<T>(&self, context: &str) -> Result<T, Failure> {
        let shown = match self.peek() {
            None => "EOF".to_owned(),
            Some(Kind::Close) => "\"}}\"".to_owned(),
            Some(kind) => shown(kind),
        };
        Err((self.at(), format!("unexpected {shown} in {context}")))
    }

    fn deeper(&mut self) -> Result<(), Failure> {
        self.depth += 1;
        if self.depth > limits::DEPTH { Err((self.at(), "too many blocks inside each other".into())) } else { Ok(()) }
    }

    /// Nodes up to an end that is one of `ends`; without ends, the text's own.
    fn list(&mut self, ends: &[End]) -> Result<(Vec<Node>, End), Failure> {
        self.deeper()?;
        let mut nodes = Vec::new();
        loop {
            match self.tokens.get(self.next).map(|token| token.kind.clone()) {
                None if ends.is_empty() => {
                    self.depth -= 1;
                    return Ok((nodes, End::Text));
                }
                None => return Err((self.end, "unexpected EOF".into())),
                Some(Kind::Text(text)) => {
                    self.next += 1;
                    nodes.push(Node::Text(text));
                }
                Some(_) => {
                    let at = self.at();
                    self.next += 1;
                    self.skip_space();
                    if let Some(end) = self.end_of_list()? {
                        if ends.is_empty() {
                            let word = if end == End::Close { "{{end}}" } else { "{{else}}" };
                            return Err((at, format!("unexpected {word}")));
                        }
                        self.depth -= 1;
                        return Ok((nodes, end));
                    }
                    nodes.extend(self.action(at)?);
                }
            }
        }
    }

    fn end_of_list(&mut self) -> Result<Option<End>, Failure> {
        let end = match self.word() {
            Some("end") => End::Close,
            Some("else") => End::Else,
            _ => return Ok(None),
        };
        self.next += 1;
        self.skip_space();
        let chained = match self.word() {
            Some("if") if end == End::Else => Some(End::ElseIf),
            Some("with") if end == End::Else => Some(End::ElseWith),
            _ => None,
        };
        if let Some(chained) = chained {
            self.next += 1;
            return Ok(Some(chained));
        }
        self.close(if end == End::Close { "end" } else { "else" })?;
        Ok(Some(end))
    }

    fn close(&mut self, context: &str) -> Result<(), Failure> {
        self.skip_space();
        if self.peek() != Some(&Kind::Close) {
            return self.unexpected(context);
        }
        self.next += 1;
        Ok(())
    }

    fn action(&mut self, at: usize) -> Result<Option<Node>, Failure> {
        let word = self.word().unwrap_or_default().to_owned();
        let known = ["if", "with", "range", "define", "block", "template", "break", "continue"];
        if !known.contains(&word.as_str()) {
            let pipe = self.pipe("command", &Kind::Close)?;
            return Ok(Some(Node::Action(pipe)));
        }
        self.next += 1;
        match word.as_str() {
            "if" => self.branch("if").map(|branch| Some(Node::If(branch))),
            "with" => self.branch("with").map(|branch| Some(Node::With(branch))),
            "range" => self.branch("range").map(|branch| Some(Node::Range(branch))),
            "define" => self.define().map(|()| None),
            "block" => self.block(at).map(Some),
            "template" => self.template(at).map(Some),
            word => {
                self.close(&format!("{{{{{word}}}}}"))?;
                if self.loops == 0 {
                    return Err((at, format!("{{{{{word}}}}} outside {{{{range}}}}")));
                }
                Ok(Some(if word == "break" { Node::Break } else { Node::Continue }))
            }
        }
    }

    /// The rest of `if`, `with` and `range`; `else if` is a branch inside the `else`.
    fn branch(&mut self, word: &str) -> Result<Branch, Failure> {
        self.deeper()?;
        let scope = self.variables.len();
        let pipe = self.pipe(word, &Kind::Close)?;
        self.loops += usize::from(word == "range");
        let (body, mut end) = self.list(&[End::Close, End::Else])?;
        self.loops -= usize::from(word == "range");
        let mut otherwise = Vec::new();
        match (end, word) {
            (End::Else, _) => {
                (otherwise, end) = self.list(&[End::Close])?;
                if end != End::Close {
                    return Err((self.at(), "expected end; found {{else}}".into()));
                }
            }
            (End::ElseIf, "if") => otherwise.push(Node::If(self.branch("if")?)),
            (End::ElseWith, "with") => otherwise.push(Node::With(self.branch("with")?)),
            (End::ElseIf | End::ElseWith, _) => return Err((self.at(), format!("unexpected <{word}> in else"))),
            _ => {}
        }
        self.variables.truncate(scope);
        self.depth -= 1;
        Ok(Branch { pipe, body, otherwise })
    }

    fn name(&mut self, context: &str) -> Result<String, Failure> {
        self.skip_space();
        let Some(Kind::Quoted(name, _)) = self.peek().cloned() else { return self.unexpected(context) };
        self.next += 1;
        Ok(name)
    }

    fn define(&mut self) -> Result<(), Failure> {
        let name = self.name("define clause")?;
        self.close("define clause")?;
        self.define_body(name)
    }

    fn define_body(&mut self, name: String) -> Result<(), Failure> {
        let outer = std::mem::replace(&mut self.variables, vec!["$".into()]);
        let (body, end) = self.list(&[End::Close])?;
        if end != End::Close {
            return Err((self.at(), "unexpected {{else}} in define clause".into()));
        }
        self.variables = outer;
        self.defined.push(Template { name, file: Rc::clone(&self.file), text: Rc::clone(&self.text), body });
        Ok(())
    }

    fn block(&mut self, at: usize) -> Result<Node, Failure> {
        let name = self.name("block clause")?;
        let with = Some(self.pipe("block clause", &Kind::Close)?);
        self.define_body(name.clone())?;
        Ok(Node::Template { at, name, with })
    }

    fn template(&mut self, at: usize) -> Result<Node, Failure> {
        let name = self.name("template clause")?;
        self.skip_space();
        if self.peek() == Some(&Kind::Close) {
            self.next += 1;
            return Ok(Node::Template { at, name, with: None });
        }
        let with = Some(self.pipe("template clause", &Kind::Close)?);
        Ok(Node::Template { at, name, with })
    }

    /// A pipeline up to `end`, which is taken as well.
    fn pipe(&mut self, context: &str, end: &Kind) -> Result<Pipe, Failure> {
        self.deeper()?;
        self.skip_space();
        let mut pipe = Pipe { at: self.at(), variables: Vec::new(), assigns: false, commands: Vec::new() };
        self.declarations(context, &mut pipe)?;
        loop {
            self.skip_space();
            match self.peek() {
                Some(kind) if kind == end => {
                    self.next += 1;
                    break;
                }
                _ => pipe.commands.push(self.command(context, end)?),
            }
        }
        if pipe.commands.is_empty() {
            return Err((pipe.at, format!("missing value for {context}")));
        }
        for command in &pipe.commands[1..] {
            if !matches!(
                command.operands[0].what,
                What::Function(_) | What::Field(_) | What::Variable(..) | What::Chain(..)
            ) {
                let shown = &command.operands[0];
                return Err((command.at, format!("non executable command in pipeline stage 2: {shown}")));
            }
        }
        self.depth -= 1;
        Ok(pipe)
    }

    /// `$x :=`, `$x =`, and in `range` also `$i, $x :=`.
    fn declarations(&mut self, context: &str, pipe: &mut Pipe) -> Result<(), Failure> {
        let start = self.next;
        let mut names = Vec::new();
        while let Some(Kind::Variable(name)) = self.peek().cloned() {
            self.next += 1;
            self.skip_space();
            names.push(name);
            match self.peek() {
                Some(Kind::Declare) => {
                    self.next += 1;
                    self.variables.extend(names.iter().cloned());
                    pipe.variables = names;
                    return Ok(());
                }
                Some(Kind::Assign) => {
                    self.next += 1;
                    pipe.variables = names;
                    pipe.assigns = true;
                    return Ok(());
                }
                Some(Kind::Comma) if context == "range" && names.len() < 2 => {
                    self.next += 1;
                    self.skip_space();
                }
                Some(Kind::Comma) => return Err((self.at(), format!("too many declarations in {context}"))),
                _ => break,
            }
        }
        self.next = start;
        Ok(())
    }

    /// Operands up to `|` or the end (which is not taken).
    fn command(&mut self, context: &str, end: &Kind) -> Result<Command, Failure> {
        let mut command = Command { at: self.at(), operands: Vec::new() };
        loop {
            self.skip_space();
            if let Some(operand) = self.operand()? {
                command.operands.push(operand);
            }
            match self.peek() {
                Some(Kind::Space) => {}
                Some(Kind::Pipe) => {
                    self.next += 1;
                    self.skip_space();
                    if self.peek() == Some(end) {
                        return Err((self.at(), format!("missing value for {context}")));
                    }
                    break;
                }
                Some(kind) if kind == end => break,
                _ => return self.unexpected("operand"),
            }
        }
        if command.operands.is_empty() {
            return Err((command.at, "empty command".into()));
        }
        Ok(command)
    }

    fn operand(&mut self) -> Result<Option<Operand>, Failure> {
        let at = self.at();
        let Some(what) = self.term()? else { return Ok(None) };
        let chain_at = self.at();
        let mut fields = Vec::new();
        while let Some(Kind::Field(name)) = self.peek().cloned() {
            self.next += 1;
            fields.push(name);
        }
        if fields.is_empty() {
            return Ok(Some(Operand { at, what }));
        }
        // Go gives the whole the place of the second part.
        let operand = match what {
            What::Field(mut names) => {
                names.extend(fields);
                Operand { at: chain_at, what: What::Field(names) }
            }
            What::Variable(name, _) => Operand { at: chain_at, what: What::Variable(name, fields) },
            What::Dot | What::Nil | What::Constant(..) => {
                return Err((at, format!("unexpected . after term {:?}", Operand { at, what }.to_string())));
            }
            what => Operand { at: chain_at, what: What::Chain(Box::new(Operand { at, what }), fields) },
        };
        Ok(Some(operand))
    }

    fn term(&mut self) -> Result<Option<What>, Failure> {
        let at = self.at();
        let Some(kind) = self.peek().cloned() else { return Ok(None) };
        self.next += 1;
        Ok(Some(match kind {
            Kind::Dot => What::Dot,
            Kind::Field(name) => What::Field(vec![name]),
            Kind::Variable(name) => {
                if !self.variables.contains(&name) {
                    return Err((at, format!("undefined variable {name:?}")));
                }
                What::Variable(name, Vec::new())
            }
            Kind::Quoted(text, written) => What::Constant(text.into(), written),
            Kind::Char(c, written) => What::Constant(Value::Int(i64::from(u32::from(c))), written),
            Kind::Number(text) => match number(&text) {
                Some(value) => What::Constant(value, text),
                None => return Err((at, format!("bad number syntax: {text:?}"))),
            },
            Kind::OpenParen => What::Pipe(Box::new(self.pipe("parenthesized pipeline", &Kind::CloseParen)?)),
            Kind::Word(word) => match word.as_str() {
                "true" | "false" => What::Constant(Value::Bool(word == "true"), word),
                "nil" => What::Nil,
                _ if builtin::has(&word) || self.functions.has(&word) => What::Function(word),
                _ => return Err((at, format!("function {word:?} not defined"))),
            },
            _ => {
                self.next -= 1;
                return Ok(None);
            }
        }))
    }
}

fn shown(kind: &Kind) -> String {
    let quoted = |text: &str| format!("{text:?}");
    match kind {
        Kind::Word(word)
            if matches!(word.as_str(), "if" | "else" | "end" | "range" | "with" | "define" | "template") =>
        {
            format!("<{word}>")
        }
        Kind::Word(text) | Kind::Variable(text) | Kind::Number(text) | Kind::Quoted(_, text) | Kind::Char(_, text) => {
            quoted(text)
        }
        Kind::Field(name) => format!("<.{name}>"),
        Kind::Text(text) => quoted(&text.chars().take(10).collect::<String>()),
        Kind::Open => quoted("{{"),
        Kind::Close => quoted("}}"),
        Kind::Space => quoted(" "),
        Kind::Dot => "<.>".to_owned(),
        Kind::Pipe => quoted("|"),
        Kind::Comma => quoted(","),
        Kind::Declare => quoted(":="),
        Kind::Assign => quoted("="),
        Kind::OpenParen => quoted("("),
        Kind::CloseParen => quoted(")"),
    }
}

/// A Go number: decimal, `0x`, `0o`, `0b`, with a fraction or an exponent.
fn number(text: &str) -> Option<Value> {
    let plain = text.replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(rest) = digits.to_ascii_lowercase().strip_prefix(prefix) {
            return i64::from_str_radix(rest, radix).ok().map(|n| Value::Int(sign * n));
        }
    }
    if let Ok(n) = plain.parse::<i64>() {
        return Some(Value::Int(n));
    }
    let plausible = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    plain.parse::<f64>().ok().filter(|x| plausible && x.is_finite()).map(Value::Float)
}
