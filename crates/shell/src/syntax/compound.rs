//! Compound commands (POSIX.1 XCU 2.9.4): groups, subshells, `if`, loops, `case`, functions.

use std::rc::Rc;

use super::Dialect;
use super::ast::{Arm, ArmEnding, Command, Kind, Part, Script, Word};
use super::lexer::Token;
use super::parser::{Parser, SyntaxError, Trouble, is_name};
use super::words::Quotes;

/// Keywords that end a list and can therefore not start a command.
const CLOSERS: [&str; 8] = ["then", "elif", "else", "fi", "do", "done", "esac", "}"];

impl Parser<'_> {
    /// A compound command, if one starts here.
    pub(super) fn compound(&mut self) -> Result<Option<Kind>, SyntaxError> {
        if self.at_operator("(")? {
            return self.parentheses().map(Some);
        }
        let Some(word) = self.plain_word()? else { return Ok(None) };
        let bash = self.dialect == Dialect::Bash;
        Ok(Some(match word.as_str() {
            "{" => {
                self.take()?;
                let body = self.body(&["}"])?;
                self.expect_keyword("}")?;
                Kind::Group(body)
            }
            "if" => self.if_command()?,
            "while" | "until" => {
                self.take()?;
                let condition = self.body(&["do"])?;
                Kind::Loop { until: word == "until", condition, body: self.do_group()? }
            }
            "for" => self.for_command()?,
            "case" => self.case_command()?,
            "[[" if self.dialect != Dialect::Dash => self.test_command()?,
            "function" if bash || self.dialect == Dialect::Ash && self.function_word_ahead() => {
                self.take()?;
                let Token::Word(name) = self.take()? else { return Err(self.unexpected(None)) };
                let name = name.plain().unwrap_or_default().to_string();
                if self.accept("(")? {
                    self.expect_operator(")")?;
                }
                self.function_body(name)?
            }
            "select" if bash => self.select_command()?,
            "coproc" if bash => self.coprocess()?,
            closer if CLOSERS.contains(&closer) => {
                let expected = self.expected();
                return Err(self.unexpected(expected));
            }
            _ => return Ok(None),
        }))
    }

    /// ash knows `function name` too, if a name follows.
    fn function_word_ahead(&self) -> bool {
        self.src.get(self.pos) == Some(&' ') && self.src.get(self.pos + 1).is_some_and(|c| c.is_ascii_alphabetic())
    }

    fn parentheses(&mut self) -> Result<Kind, SyntaxError> {
        let (pos, line) = (self.pos, self.line);
        self.take()?;
        if self.dialect == Dialect::Bash && self.src.get(self.pos) == Some(&'(') && self.src.get(pos - 1) == Some(&'(')
        {
            self.pos += 1;
            let word = self.word(Quotes::Arithmetic)?;
            if self.looking_at("))") {
                self.pos += 2;
                return Ok(Kind::Arithmetic(word));
            }
            (self.pos, self.line) = (pos, line);
        }
        let body = self.body(&[")"])?;
        self.expect_operator(")")?;
        Ok(Kind::Subshell(body))
    }

    /// A list that must not be empty, up to one of `ends`.
    fn body(&mut self, ends: &[&'static str]) -> Result<Rc<Script>, SyntaxError> {
        let script = self.script_until(ends)?;
        if script.items.is_empty() {
            return Err(match self.peek()? {
                Token::End => self.unexpected_end(ends.last().unwrap_or(&"")),
                _ => {
                    let expected = ends.last().copied();
                    self.unexpected(expected)
                }
            });
        }
        Ok(Rc::new(script))
    }

    fn select_command(&mut self) -> Result<Kind, SyntaxError> {
        match self.for_command()? {
            Kind::For { name, words, body } => Ok(Kind::Select { name, words, body }),
            _ => Err(self.unexpected(None)),
        }
    }

    /// `coproc command` or `coproc NAME { … }`.
    fn coprocess(&mut self) -> Result<Kind, SyntaxError> {
        self.take()?;
        let (pos, line) = (self.pos, self.line);
        if let Some(name) = self.plain_word()?.filter(|name| is_name(name)) {
            let (ahead, start) = (self.ahead.clone(), self.token_start);
            let after = (self.pos, self.line);
            self.take()?;
            if self.at_keyword("{")? || self.at_operator("(")? || self.at_keyword("while")? || self.at_keyword("for")? {
                return Ok(Kind::Coprocess { name, body: Rc::new(self.command()?) });
            }
            (self.pos, self.line) = after;
            (self.ahead, self.token_start) = (ahead, start);
            debug_assert!(pos <= self.pos && line <= self.line, "reading went on");
        }
        Ok(Kind::Coprocess { name: "COPROC".to_string(), body: Rc::new(self.command()?) })
    }

    fn do_group(&mut self) -> Result<Rc<Script>, SyntaxError> {
        if self.dialect.is_bash() && self.at_keyword("{")? {
            self.take()?;
            let body = self.body(&["}"])?;
            self.expect_keyword("}")?;
            return Ok(body);
        }
        self.expect_keyword("do")?;
        let body = self.body(&["done"])?;
        self.expect_keyword("done")?;
        Ok(body)
    }

    fn if_command(&mut self) -> Result<Kind, SyntaxError> {
        let mut branches = Vec::new();
        let mut otherwise = None;
        self.take()?;
        loop {
            let condition = self.body(&["then"])?;
            self.expect_keyword("then")?;
            branches.push((condition, self.body(&["elif", "else", "fi"])?));
            if self.accept_keyword("elif")? {
                continue;
            }
            if self.accept_keyword("else")? {
                otherwise = Some(self.body(&["fi"])?);
            }
            self.expect_keyword("fi")?;
            return Ok(Kind::If { branches, otherwise });
        }
    }

    fn for_command(&mut self) -> Result<Kind, SyntaxError> {
        self.take()?;
        while matches!(self.current(), Some(' ' | '\t')) {
            self.pos += 1;
        }
        if self.dialect == Dialect::Bash && self.looking_at("((") {
            return self.counted_for();
        }
        let name = match self.take()? {
            Token::Word(word) => word.plain().unwrap_or_default().to_string(),
            _ => String::new(),
        };
        if !is_name(&name) {
            let message = match self.dialect {
                Dialect::Ash => "syntax error: bad for loop variable".to_string(),
                Dialect::Dash => "Syntax error: Bad for loop variable".to_string(),
                Dialect::Bash => format!("`{name}': not a valid identifier"),
            };
            return Err(SyntaxError { line: self.line, trouble: Trouble::Wrong, message });
        }
        self.skip_newlines()?;
        let mut words = None;
        if self.accept_keyword("in")? {
            let mut list = Vec::new();
            while let Token::Word(_) = self.peek()? {
                list.extend(self.braced_word()?);
            }
            words = Some(list);
        }
        if !self.accept(";")? && words.is_some() && !matches!(self.peek()?, Token::Newline) {
            return Err(self.unexpected(None));
        }
        self.skip_newlines()?;
        Ok(Kind::For { name, words, body: self.do_group()? })
    }

    fn counted_for(&mut self) -> Result<Kind, SyntaxError> {
        self.pos += 2;
        let mut pieces = vec![Word::default()];
        let whole = self.word(Quotes::Arithmetic)?;
        if !self.looking_at("))") {
            return Err(self.unexpected_end("))"));
        }
        self.pos += 2;
        for part in whole.parts {
            let Part::Text(text) = &part else {
                pieces.last_mut().into_iter().for_each(|word| word.parts.push(part.clone()));
                continue;
            };
            for (i, piece) in text.split(';').enumerate() {
                if i > 0 {
                    pieces.push(Word::default());
                }
                pieces.last_mut().into_iter().for_each(|word| word.parts.push(Part::Text(piece.to_string())));
            }
        }
        let Ok([start, mut condition, step]) = <[Word; 3]>::try_from(pieces) else { return Err(self.unexpected(None)) };
        if condition.parts.iter().all(|part| matches!(part, Part::Text(text) if text.trim().is_empty())) {
            condition = Word::of_text("1");
        }
        let line = self.line;
        let command =
            |word| Rc::new(Command { line, kind: Kind::Arithmetic(word), redirects: Vec::new(), text: "".into() });
        let (start, condition, step) = (command(start), command(condition), command(step));
        self.accept(";")?;
        self.skip_newlines()?;
        Ok(Kind::CountedFor { start, condition, step, body: self.do_group()? })
    }

    fn case_command(&mut self) -> Result<Kind, SyntaxError> {
        self.take()?;
        let Token::Word(word) = self.take()? else { return Err(self.unexpected(None)) };
        self.skip_newlines()?;
        self.expect_keyword("in")?;
        let mut arms = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.accept_keyword("esac")? {
                return Ok(Kind::Case { word, arms });
            }
            self.accept("(")?;
            let mut patterns = Vec::new();
            loop {
                if !matches!(self.peek()?, Token::Word(_)) {
                    return Err(match self.peek()? {
                        Token::End => self.unexpected_end(")"),
                        _ => self.unexpected(None),
                    });
                }
                if let Token::Word(pattern) = self.take()? {
                    patterns.push(pattern);
                }
                if !self.accept("|")? {
                    break;
                }
            }
            self.expect_operator(")")?;
            let body = Rc::new(self.script_until(&[";;", ";&", ";;&", "esac"])?);
            let ending = if self.at_operator(";&")? {
                ArmEnding::FallThrough
            } else if self.at_operator(";;&")? {
                ArmEnding::TestOn
            } else {
                ArmEnding::Stop
            };
            arms.push(Arm { patterns, body, ending });
            if ending == ArmEnding::Stop && !self.at_operator(";;")? {
                self.expect_keyword("esac")?;
                return Ok(Kind::Case { word, arms });
            }
            self.take()?;
        }
    }

    pub(super) fn function_body(&mut self, name: String) -> Result<Kind, SyntaxError> {
        self.skip_newlines()?;
        let body = Rc::new(self.command()?);
        Ok(Kind::Function { name, body })
    }
}
