//! Commands, lists and pipelines (POSIX.1 XCU 2.10), by recursive descent with a depth limit.
//!
//! The crate brush-parser 0.4 was measured first: 86 crates (pest, cached, bon, tracing, stacker …), 637 kB of wasm
//! before compression, a stack overflow on 3000 open parentheses, and no way to resume line by line; this parser has no
//! dependency.

use std::rc::Rc;

use super::ast::{
    Action, Assign, AssignValue, Chain, Command, Connector, Element, Item, Kind, Part, Pipeline, Redirect, Script,
    Simple, Word,
};
use super::lexer::Token;
use super::{Dialect, braces};

/// Nesting of commands and words; real scripts stay under 20, and each level takes native stack.
const MAX_DEPTH: u32 = 60;

/// Words that are keywords where a command may start.
pub(crate) const KEYWORDS: [&str; 21] = [
    "if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "in", "{", "}", "!",
    "[[", "function", "time", "select", "coproc",
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// More text could make it right.
    Incomplete,
    Wrong,
}

/// Text that is no script.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SyntaxError {
    pub line: u32,
    pub trouble: Trouble,
    /// In the dialect's words, without the shell's name and line.
    pub message: String,
}

/// A parser over a text; it can be rebuilt at any line from [`Parser::position`].
pub struct Parser<'a> {
    pub(super) src: &'a [char],
    pub(super) pos: usize,
    pub(super) line: u32,
    pub(super) dialect: Dialect,
    pub(super) depth: u32,
    pub(super) ahead: Option<Token>,
    pub(super) token_start: usize,
    /// Where reading goes on after this line, when here-documents follow it.
    pub(super) after_documents: Option<(usize, u32)>,
    pub(super) whole_documents: bool,
    /// What would end the lists that are being read, innermost last.
    pub(super) expecting: Vec<&'static str>,
    /// Whether `@(a|b)` is a pattern: `shopt -s extglob`.
    pub(super) extended_patterns: bool,
}

impl<'a> Parser<'a> {
    pub fn new(src: &'a [char], pos: usize, line: u32, dialect: Dialect) -> Parser<'a> {
        Parser {
            src,
            pos,
            line,
            dialect,
            depth: 0,
            ahead: None,
            token_start: pos,
            after_documents: None,
            whole_documents: false,
            expecting: Vec::new(),
            extended_patterns: false,
        }
    }

    /// Reads `@(a|b)` as a pattern, as `shopt -s extglob` wants it.
    pub fn with_extended_patterns(mut self, on: bool) -> Parser<'a> {
        self.extended_patterns = on;
        self
    }

    /// Position and line to go on from.
    pub fn position(&self) -> (usize, u32) {
        (self.pos, self.line)
    }

    /// Makes a here-document without its end incomplete instead of accepted (as shells accept it at end of file).
    pub fn wants_whole_documents(&mut self) {
        self.whole_documents = true;
    }

    /// The commands of the next line that has any; `None` at the end.
    pub fn next_line(&mut self) -> Result<Option<Rc<Script>>, SyntaxError> {
        self.skip_newlines()?;
        if matches!(self.peek()?, Token::End) {
            return Ok(None);
        }
        let mut script = Script::default();
        loop {
            self.item(&mut script)?;
            match self.peek()? {
                Token::Newline => {
                    self.ahead = None;
                    return Ok(Some(Rc::new(script)));
                }
                Token::End => return Ok(Some(Rc::new(script))),
                _ => {}
            }
        }
    }

    /// Commands up to one of these operators or closing keywords (left unread), or to the end of the text.
    pub(super) fn script_until(&mut self, ends: &[&'static str]) -> Result<Script, SyntaxError> {
        self.expecting.push(match ends {
            [";;", ..] => ";;",
            ends => ends.last().copied().unwrap_or_default(),
        });
        let script = self.script_up_to(ends)?;
        self.expecting.pop();
        Ok(script)
    }

    /// What ends the innermost list, if one is being read.
    pub(super) fn expected(&self) -> Option<&'static str> {
        self.expecting.last().copied().filter(|end| !end.is_empty())
    }

    fn script_up_to(&mut self, ends: &[&'static str]) -> Result<Script, SyntaxError> {
        self.deeper()?;
        let mut script = Script::default();
        loop {
            self.skip_newlines()?;
            let done = match self.peek()? {
                Token::End => true,
                Token::Operator(operator) => ends.contains(operator),
                Token::Word(word) => word.plain().is_some_and(|text| ends.contains(&text)),
                _ => false,
            };
            if done {
                self.depth -= 1;
                return Ok(script);
            }
            self.item(&mut script)?;
        }
    }

    pub(super) fn item(&mut self, script: &mut Script) -> Result<(), SyntaxError> {
        self.peek()?;
        let start = self.token_start;
        let chain = Rc::new(self.chain()?);
        self.peek()?;
        let end = self.token_start.min(self.src.len()).max(start);
        let text: String = self.src[start..end].iter().take(200).collect();
        let background = self.accept("&")?;
        if !background {
            let at_end =
                matches!(self.peek()?, Token::Newline | Token::End | Token::Operator(")" | ";;" | ";&" | ";;&"));
            if !at_end && !self.accept(";")? {
                let expected = self.expected();
                return Err(self.unexpected(expected));
            }
        }
        script.items.push(Item { chain, background, text: text.trim().into() });
        Ok(())
    }

    fn chain(&mut self) -> Result<Chain, SyntaxError> {
        let first = Rc::new(self.pipeline()?);
        let mut rest = Vec::new();
        loop {
            let connector = if self.accept("&&")? {
                Connector::And
            } else if self.accept("||")? {
                Connector::Or
            } else {
                return Ok(Chain { first, rest });
            };
            self.skip_newlines()?;
            rest.push((connector, Rc::new(self.pipeline()?)));
        }
    }

    fn pipeline(&mut self) -> Result<Pipeline, SyntaxError> {
        // In ash `time` is a program, so that redirections on its line are its own.
        let timed = self.dialect == Dialect::Bash && self.accept_keyword("time")?;
        let portable = timed && self.accept_keyword("-p")?;
        let mut negated = false;
        while self.accept_keyword("!")? {
            negated = !negated;
        }
        let mut commands = Vec::new();
        loop {
            let mut command = self.command()?;
            let piped = self.accept("|")?;
            if !piped && self.dialect == Dialect::Bash && self.accept("|&")? {
                let action = Action::Duplicate(Word::of_text("1"));
                command.redirects.push(Redirect { fd: 2, name: None, action });
            } else if !piped {
                commands.push(Rc::new(command));
                return Ok(Pipeline { negated, timed, portable, commands });
            }
            commands.push(Rc::new(command));
            self.skip_newlines()?;
        }
    }

    pub(super) fn command(&mut self) -> Result<Command, SyntaxError> {
        self.deeper()?;
        self.peek()?;
        let line = self.line;
        let start = self.token_start;
        let mut command = match self.compound()? {
            Some(kind) => {
                let mut redirects = Vec::new();
                while let Some(redirect) = self.redirect()? {
                    redirects.extend(redirect);
                }
                Command { line, kind, redirects, text: "".into() }
            }
            None => self.simple(line)?,
        };
        self.depth -= 1;
        if self.dialect.is_bash() {
            let end = if self.ahead.is_some() { self.token_start } else { self.pos };
            let text: String = self.src[start.min(end)..end.min(self.src.len())].iter().take(2000).collect();
            command.text = text.trim().into();
        }
        Ok(command)
    }

    /// Whether words behind this command may be assignments of lists.
    fn declares(&self, words: &[Word]) -> bool {
        let names = ["declare", "typeset", "local", "readonly", "export"];
        self.dialect.is_bash() && words.first().and_then(Word::plain).is_some_and(|name| names.contains(&name))
    }

    /// The elements of `name=(…)`, standing behind the parenthesis.
    fn list(&mut self) -> Result<Vec<Element>, SyntaxError> {
        let mut list = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.accept(")")? {
                return Ok(list);
            }
            let Token::Word(word) = self.take()? else { return Err(self.unexpected(None)) };
            let subscript = matches!(word.parts.first(), Some(Part::Text(text)) if text.starts_with('['));
            match subscript.then(|| subscripted(&word)).flatten() {
                Some((index, append, value)) => list.push(Element { index: Some(index), append, value }),
                None => {
                    let plain = |value| Element { index: None, append: false, value };
                    list.extend(self.with_braces(word)?.into_iter().map(plain));
                }
            }
        }
    }

    fn simple(&mut self, line: u32) -> Result<Command, SyntaxError> {
        let mut simple = Simple::default();
        let mut redirects = Vec::new();
        loop {
            if let Some(found) = self.redirect()? {
                redirects.extend(found);
                continue;
            }
            match self.peek()? {
                Token::Word(_) => {}
                Token::Operator("(")
                    if simple.assigns.is_empty() && redirects.is_empty() && simple.words.len() == 1 =>
                {
                    let name = simple.words[0].plain().unwrap_or_default().to_string();
                    self.take()?;
                    self.expect_operator(")")?;
                    return Ok(Command { line, kind: self.function_body(name)?, redirects, text: "".into() });
                }
                _ if simple.words.is_empty() && simple.assigns.is_empty() && redirects.is_empty() => {
                    let expected = self.expected();
                    return Err(self.unexpected(expected));
                }
                Token::Operator("(") => {
                    let expected = self.expected();
                    return Err(self.unexpected(expected));
                }
                _ => return Ok(Command { line, kind: Kind::Simple(simple), redirects, text: "".into() }),
            }
            let declares = self.declares(&simple.words);
            if simple.words.is_empty() || declares {
                let Token::Word(word) = self.take()? else { continue };
                match assignment(word.clone(), self.dialect) {
                    Ok(mut assign) => {
                        let empty = matches!(&assign.value, AssignValue::Word(value) if value.parts.is_empty());
                        let is_list = self.dialect.is_bash() && empty && self.ahead.is_none() && self.looking_at("(");
                        if is_list {
                            self.pos += 1;
                            assign.value = AssignValue::List(self.list()?);
                        }
                        if !declares {
                            simple.assigns.push(assign);
                        } else if is_list {
                            simple.words.push(Word::of_text(&assign.name));
                            simple.declared.push(assign);
                        } else {
                            simple.words.push(Word::assigning(word));
                        }
                    }
                    Err(word) => simple.words.extend(self.with_braces(word)?),
                }
            } else {
                simple.words.extend(self.braced_word()?);
            }
        }
    }

    pub(super) fn braced_word(&mut self) -> Result<Vec<Word>, SyntaxError> {
        match self.take()? {
            Token::Word(word) => self.with_braces(word),
            _ => Ok(Vec::new()),
        }
    }

    pub(super) fn with_braces(&mut self, word: Word) -> Result<Vec<Word>, SyntaxError> {
        if !self.dialect.is_bash() {
            return Ok(vec![word]);
        }
        let line = self.line;
        braces::expand(word).ok_or_else(|| SyntaxError {
            line,
            trouble: Trouble::Wrong,
            message: format!("brace expansion: more than {} words", braces::MAX_WORDS),
        })
    }

    fn redirect(&mut self) -> Result<Option<Vec<Redirect>>, SyntaxError> {
        let (fd, name) = match self.peek()? {
            Token::Descriptor(fd) => (Some(*fd), None),
            Token::NamedDescriptor(name) => (Some(0), Some(name.clone())),
            _ => (None, None),
        };
        if fd.is_some() {
            self.take()?;
        }
        let operator = match self.peek()? {
            Token::Operator(
                op @ ("<" | ">" | ">>" | ">|" | "<>" | "<&" | ">&" | "<<" | "<<-" | "<<<" | "&>" | "&>>"),
            ) => *op,
            _ => return Ok(None),
        };
        if operator == "<<<" && !self.dialect.is_bash() {
            let message = "syntax error: unexpected redirection".to_string();
            return Err(SyntaxError { line: self.line, trouble: Trouble::Wrong, message });
        }
        self.take()?;
        let target = match self.peek()? {
            Token::Word(_) => match self.take()? {
                Token::Word(word) => word,
                _ => Word::default(),
            },
            _ => return Err(self.unexpected(None)),
        };
        let input = operator.starts_with('<');
        let action = match operator {
            "<" => Action::Read(target),
            ">" => Action::Write(target),
            ">|" => Action::Clobber(target),
            ">>" => Action::Append(target),
            "<>" => Action::ReadWrite(target),
            "&>" | "&>>" => Action::Both { target, append: operator == "&>>" },
            ">&" if fd.is_none()
                && self.dialect.is_bash()
                && target.plain().is_some_and(|t| t != "-" && t.trim_end_matches('-').parse::<u32>().is_err()) =>
            {
                Action::Both { target, append: false }
            }
            "<&" | ">&" => Action::Duplicate(target),
            "<<<" => {
                let mut parts = target.parts;
                parts.push(Part::Quoted("\n".into()));
                Action::Text(Word { parts })
            }
            _ => Action::Text(self.here_document(&target, operator == "<<-")?),
        };
        Ok(Some(vec![Redirect { fd: fd.unwrap_or(u32::from(!input)), name, action }]))
    }

    pub(super) fn deeper(&mut self) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = "syntax error: nested too deeply".to_string();
            return Err(SyntaxError { line: self.line, trouble: Trouble::Wrong, message });
        }
        Ok(())
    }

    /// A parser for text taken out of this one (backticks, here-documents).
    pub(super) fn inner<'b>(&mut self, chars: &'b [char], line: u32) -> Result<Parser<'b>, SyntaxError> {
        self.deeper()?;
        let mut inner = Parser::new(chars, 0, line, self.dialect);
        inner.depth = self.depth;
        inner.extended_patterns = self.extended_patterns;
        self.depth -= 1;
        Ok(inner)
    }

    pub(super) fn expect_end(&mut self) -> Result<(), SyntaxError> {
        match self.peek()? {
            Token::End => Ok(()),
            _ => Err(self.unexpected(None)),
        }
    }

    pub(super) fn expect_keyword(&mut self, keyword: &str) -> Result<(), SyntaxError> {
        if self.accept_keyword(keyword)? { Ok(()) } else { Err(self.unexpected(Some(keyword))) }
    }

    pub(super) fn expect_operator(&mut self, operator: &str) -> Result<(), SyntaxError> {
        if self.accept(operator)? { Ok(()) } else { Err(self.unexpected(Some(operator))) }
    }

    pub(super) fn error_at_end(&self, trouble: Trouble, message: String) -> SyntaxError {
        SyntaxError { line: self.line, trouble, message }
    }

    pub(super) fn unexpected_end(&mut self, expected: &str) -> SyntaxError {
        self.ahead = Some(Token::End);
        self.unexpected(Some(expected))
    }

    /// The error for the token that is next.
    pub(super) fn unexpected(&mut self, expected: Option<&str>) -> SyntaxError {
        let mut line = self.line;
        let token = match self.peek() {
            Ok(token) => token.clone(),
            Err(error) => return error,
        };
        if matches!(token, Token::Newline) {
            line = line.saturating_sub(1);
        }
        let at_end = matches!(token, Token::End);
        let trouble = if at_end { Trouble::Incomplete } else { Trouble::Wrong };
        let message = match self.dialect {
            Dialect::Bash if at_end => "syntax error: unexpected end of file".to_string(),
            Dialect::Bash => format!("syntax error near unexpected token `{}'", self.token_text(&token)),
            Dialect::Ash | Dialect::Dash => {
                let what = match &token {
                    Token::End => "end of file".to_string(),
                    Token::Newline => "newline".to_string(),
                    Token::Descriptor(_) | Token::NamedDescriptor(_) => "redirection".to_string(),
                    Token::Operator("<" | ">" | ">>" | "<<" | "<<-" | "<&" | ">&" | "<>" | ">|") => {
                        "redirection".to_string()
                    }
                    Token::Word(word) => {
                        match word.plain().filter(|text| KEYWORDS.contains(text) && expected != Some(")")) {
                            Some(keyword) => format!("\"{keyword}\""),
                            None => "word".to_string(),
                        }
                    }
                    Token::Operator(operator) => format!("\"{operator}\""),
                };
                let expecting = expected.map(|e| format!(" (expecting \"{e}\")")).unwrap_or_default();
                match self.dialect {
                    Dialect::Dash => format!("Syntax error: {what} unexpected{expecting}"),
                    _ => format!("syntax error: unexpected {what}{expecting}"),
                }
            }
        };
        SyntaxError { line, trouble, message }
    }

    fn token_text(&self, token: &Token) -> String {
        match token {
            Token::Newline => "newline".into(),
            Token::Operator(operator) => (*operator).into(),
            _ => {
                let end = self.pos.min(self.src.len());
                let start = self.token_start.min(end);
                self.src[start..end].iter().take(60).collect::<String>().trim().to_string()
            }
        }
    }
}

/// Whether `text` may name a variable.
pub(crate) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What `[index]=value` consists of.
fn subscripted(word: &Word) -> Option<(Word, bool, Word)> {
    let (mut index, mut depth) = (Vec::new(), 0);
    for (i, part) in word.parts.iter().enumerate() {
        let Part::Text(text) = part else {
            index.push(part.clone());
            continue;
        };
        let mut plain = String::new();
        for (at, c) in text.char_indices() {
            match c {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let rest = &text[at + 1..];
                let (append, value) = match rest.strip_prefix("+=") {
                    Some(value) => (true, value),
                    None => (false, rest.strip_prefix('=')?),
                };
                if !plain.is_empty() {
                    index.push(Part::Text(plain));
                }
                let mut parts = Vec::new();
                if !value.is_empty() {
                    parts.push(Part::Text(value.to_string()));
                }
                parts.extend_from_slice(&word.parts[i + 1..]);
                return Some((Word { parts: index }, append, Word { parts }));
            }
            if !(c == '[' && depth == 1 && at == 0 && i == 0) {
                plain.push(c);
            }
        }
        if !plain.is_empty() {
            index.push(Part::Text(plain));
        }
    }
    None
}

/// The value of an assignment: `~` counts at its start and behind each colon.
pub(super) fn assigned(text: &str, rest: Vec<Part>) -> Word {
    let mut parts = Vec::new();
    let mut plain = String::new();
    for (i, piece) in text.split(':').enumerate() {
        if i > 0 {
            plain.push(':');
        }
        let last = i == text.matches(':').count();
        match piece.strip_prefix('~') {
            Some(after)
                if !(last && after.is_empty() && rest.first().is_some_and(|part| !matches!(part, Part::Text(_)))) =>
            {
                let user: String = after.chars().take_while(|c| *c != '/').collect();
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                plain.push_str(&after[user.len()..]);
                parts.push(Part::Tilde(user));
            }
            _ => plain.push_str(piece),
        }
    }
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    parts.extend(rest);
    Word { parts }
}

/// Splits `name=value`, `name+=value` and `name[index]=value`; gives the word back if it is none of them.
pub(crate) fn assignment(mut word: Word, dialect: Dialect) -> Result<Assign, Word> {
    let Some(Part::Text(text)) = word.parts.first() else { return Err(word) };
    let len = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, rest) = text.split_at(len);
    if !is_name(name) {
        return Err(word);
    }
    let name = name.to_string();
    if dialect.is_bash() && rest.starts_with('[') {
        let behind = rest.to_string();
        let mut inner = word.clone();
        inner.parts[0] = Part::Text(behind);
        let Some((index, append, value)) = subscripted(&inner) else { return Err(word) };
        return Ok(Assign { name, index: Some(index), append, value: AssignValue::Word(value) });
    }
    let (append, value) = match rest.strip_prefix("+=") {
        Some(value) if dialect.is_bash() => (true, value),
        _ => match rest.strip_prefix('=') {
            Some(value) => (false, value),
            None => return Err(word),
        },
    };
    let value = value.to_string();
    let value = assigned(&value, word.parts.split_off(1));
    Ok(Assign { name, index: None, append, value: AssignValue::Word(value) })
}
