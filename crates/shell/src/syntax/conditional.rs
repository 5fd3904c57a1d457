//! `[[ … ]]`: its own little grammar, in which `<`, `>`, `&&`, `||` and parentheses belong to the test.

use std::rc::Rc;

use super::ast::{Kind, Part, Test, Word};
use super::lexer::Token;
use super::parser::{Parser, SyntaxError};
use super::words::Quotes;

const BINARY: [&str; 15] =
    ["=", "==", "!=", "=~", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"];

impl Parser<'_> {
    pub(super) fn test_command(&mut self) -> Result<Kind, SyntaxError> {
        self.take()?;
        let outside = std::mem::replace(&mut self.extended_patterns, true);
        let test = self.test_or()?;
        self.skip_newlines()?;
        self.extended_patterns = outside;
        if !self.accept_keyword("]]")? {
            return Err(self.unexpected(Some("]]")));
        }
        Ok(Kind::Test(Rc::new(test)))
    }

    fn test_or(&mut self) -> Result<Test, SyntaxError> {
        self.deeper()?;
        let mut left = self.test_and()?;
        while self.accept("||")? {
            left = Test::Or(Rc::new(left), Rc::new(self.test_and()?));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn test_and(&mut self) -> Result<Test, SyntaxError> {
        let mut left = self.test_not()?;
        while self.accept("&&")? {
            left = Test::And(Rc::new(left), Rc::new(self.test_not()?));
        }
        Ok(left)
    }

    fn test_not(&mut self) -> Result<Test, SyntaxError> {
        self.skip_newlines()?;
        let mut negated = false;
        while self.accept_keyword("!")? {
            negated = !negated;
        }
        let test = if self.accept("(")? {
            let inner = self.test_or()?;
            self.expect_operator(")")?;
            inner
        } else {
            self.test_primary()?
        };
        Ok(if negated { Test::Not(Rc::new(test)) } else { test })
    }

    fn test_primary(&mut self) -> Result<Test, SyntaxError> {
        let first = self.test_word()?;
        let operator = first.plain().filter(|text| text.len() == 2 && text.starts_with('-')).map(str::to_string);
        let next = match self.peek()? {
            Token::Operator(op @ ("<" | ">")) => Some((*op).to_string()),
            Token::Word(word) => word.plain().map(str::to_string),
            _ => None,
        };
        if let Some(binary) = next.as_deref().filter(|text| BINARY.contains(text)).map(str::to_string) {
            self.take()?;
            let right = if binary == "=~" { self.regex_word()? } else { self.test_word()? };
            return Ok(Test::Binary(first, binary, right));
        }
        if let (Some(operator), true) =
            (operator, matches!(self.peek()?, Token::Word(_)) && next.as_deref() != Some("]]"))
        {
            return Ok(Test::Unary(operator, self.test_word()?));
        }
        Ok(Test::NonEmpty(first))
    }

    fn test_word(&mut self) -> Result<Word, SyntaxError> {
        if matches!(self.peek()?, Token::Word(word) if word.plain() != Some("]]"))
            && let Token::Word(word) = self.take()?
        {
            return Ok(word);
        }
        Err(self.unexpected(None))
    }

    /// The pattern of `=~`: parentheses and bars in it are the pattern's.
    fn regex_word(&mut self) -> Result<Word, SyntaxError> {
        while matches!(self.current(), Some(' ' | '\t')) {
            self.pos += 1;
        }
        let word = self.word(Quotes::Regex)?;
        if word.parts.is_empty() {
            return Err(self.unexpected(None));
        }
        let starts_with_tilde = matches!(word.parts.first(), Some(Part::Tilde(_)));
        debug_assert!(!starts_with_tilde, "tildes are read in bare words only");
        Ok(word)
    }
}
