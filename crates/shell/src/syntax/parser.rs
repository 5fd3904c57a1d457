//! Commands, lists and pipelines (POSIX.1 XCU 2.10), by recursive descent with a depth limit.
//!
//! The crate brush-parser 0.4 was measured first: 86 crates (pest, cached, bon, tracing, stacker …), 637 kB of wasm
//! before compression, a stack overflow on 3000 open parentheses, and no way to resume line by line; this parser has no
//! dependency.

use std::rc::Rc;

use super::ast::{
    Action, Assign, Chain, Command, Connector, Item, Kind, Part, Pipeline, Redirect, Script, Simple, Word,
};
use super::lexer::Token;
use super::{Dialect, braces};

/// Nesting of commands and words; real scripts stay under 20, and each level takes native stack.
const MAX_DEPTH: u32 = 60;

/// Words that are keywords where a command may start.
pub(crate) const KEYWORDS: [&str; 19] = [
    "if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac", "in", "{", "}", "!",
    "[[", "function", "time",
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
        }
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
    pub(super) fn script_until(&mut self, ends: &[&str]) -> Result<Script, SyntaxError> {
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
                return Err(self.unexpected(None));
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
        if timed && self.at_keyword("-p")? {
            self.take()?;
        }
        let mut negated = false;
        while self.accept_keyword("!")? {
            negated = !negated;
        }
        let mut commands = Vec::new();
        loop {
            let mut command = self.command()?;
            let piped = self.accept("|")?;
            if !piped && self.dialect == Dialect::Bash && self.accept("|&")? {
                command.redirects.push(Redirect { fd: 2, action: Action::Duplicate(Word::of_text("1")) });
            } else if !piped {
                commands.push(Rc::new(command));
                return Ok(Pipeline { negated, timed, commands });
            }
            commands.push(Rc::new(command));
            self.skip_newlines()?;
        }
    }

    pub(super) fn command(&mut self) -> Result<Command, SyntaxError> {
        self.deeper()?;
        self.peek()?;
        let line = self.line;
        let kind = match self.compound()? {
            Some(kind) => kind,
            None => {
                let command = self.simple(line)?;
                self.depth -= 1;
                return Ok(command);
            }
        };
        let mut redirects = Vec::new();
        while let Some(redirect) = self.redirect()? {
            redirects.extend(redirect);
        }
        self.depth -= 1;
        Ok(Command { line, kind, redirects })
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
                    return Ok(Command { line, kind: self.function_body(name)?, redirects });
                }
                _ if simple.words.is_empty() && simple.assigns.is_empty() && redirects.is_empty() => {
                    return Err(self.unexpected(None));
                }
                Token::Operator("(") => return Err(self.unexpected(None)),
                _ => return Ok(Command { line, kind: Kind::Simple(simple), redirects }),
            }
            if simple.words.is_empty() {
                let Token::Word(word) = self.take()? else { continue };
                match assignment(word) {
                    Ok(assign) => simple.assigns.push(assign),
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
        if self.dialect == Dialect::Ash {
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
        let fd = match self.peek()? {
            Token::Descriptor(fd) => Some(*fd),
            _ => None,
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
        if operator == "<<<" && self.dialect == Dialect::Ash {
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
            ">" | ">|" => Action::Write(target),
            ">>" => Action::Append(target),
            "<>" => Action::ReadWrite(target),
            "&>" | "&>>" => Action::Both { target, append: operator == "&>>" },
            ">&" if fd.is_none() && !target.plain().is_some_and(|t| t == "-" || t.parse::<u32>().is_ok()) => {
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
        Ok(Some(vec![Redirect { fd: fd.unwrap_or(u32::from(!input)), action }]))
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
            Dialect::Ash => {
                let what = match &token {
                    Token::End => "end of file".to_string(),
                    Token::Newline => "newline".to_string(),
                    Token::Descriptor(_) => "redirection".to_string(),
                    Token::Word(word) => {
                        match word.plain().filter(|text| KEYWORDS.contains(text) && expected != Some(")")) {
                            Some(keyword) => format!("\"{keyword}\""),
                            None => "word".to_string(),
                        }
                    }
                    Token::Operator(operator) => format!("\"{operator}\""),
                };
                let expecting = expected.map(|e| format!(" (expecting \"{e}\")")).unwrap_or_default();
                format!("syntax error: unexpected {what}{expecting}")
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

/// Splits `name=value` and `name+=value`; gives the word back if it is neither.
pub(crate) fn assignment(mut word: Word) -> Result<Assign, Word> {
    let Some(Part::Text(text)) = word.parts.first() else { return Err(word) };
    let Some((left, value)) = text.split_once('=') else { return Err(word) };
    let (name, append) = left.strip_suffix('+').map_or((left, false), |name| (name, true));
    if !is_name(name) {
        return Err(word);
    }
    let name = name.to_string();
    let value = value.to_string();
    word.parts.remove(0);
    match value.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/')) {
        Some(rest) => {
            word.parts.insert(0, Part::Text(rest.to_string()));
            word.parts.insert(0, Part::Tilde(String::new()));
        }
        None if value.is_empty() => {}
        None => word.parts.insert(0, Part::Text(value)),
    }
    Ok(Assign { name, append, value: word })
}
