//! Tokens: words, operators, newlines; and the here-documents that stand after a line.

use super::Dialect;
use super::ast::{Part, Word};
use super::parser::{Parser, SyntaxError, Trouble};
use super::words::Quotes;

#[derive(Clone, Debug)]
pub(super) enum Token {
    Word(Word),
    /// A number directly before `<` or `>`.
    Descriptor(u32),
    /// `{name}` directly before `<` or `>`.
    NamedDescriptor(String),
    Operator(&'static str),
    Newline,
    End,
}

/// Longest first, so that the first match is the right one.
const OPERATORS: [&str; 23] = [
    "&>>", "<<-", "<<<", ";;&", "&&", "||", ";;", ";&", "<<", ">>", "<&", ">&", "<>", ">|", "&>", "|&", "&", "|", ";",
    "<", ">", "(", ")",
];

impl Parser<'_> {
    pub(super) fn peek(&mut self) -> Result<&Token, SyntaxError> {
        if self.ahead.is_none() {
            let before = self.pos;
            let token = self.lex()?;
            self.token_start = before;
            self.ahead = Some(token);
        }
        Ok(self.ahead.as_ref().unwrap_or(&Token::End))
    }

    pub(super) fn take(&mut self) -> Result<Token, SyntaxError> {
        self.peek()?;
        Ok(self.ahead.take().unwrap_or(Token::End))
    }

    /// Whether the next token is this operator.
    pub(super) fn at_operator(&mut self, operator: &str) -> Result<bool, SyntaxError> {
        Ok(matches!(self.peek()?, Token::Operator(found) if *found == operator))
    }

    /// Takes the operator if it is next.
    pub(super) fn accept(&mut self, operator: &str) -> Result<bool, SyntaxError> {
        let found = self.at_operator(operator)?;
        if found {
            self.ahead = None;
        }
        Ok(found)
    }

    /// The next token as a keyword candidate: a word of plain characters.
    pub(super) fn plain_word(&mut self) -> Result<Option<String>, SyntaxError> {
        Ok(match self.peek()? {
            Token::Word(word) => word.plain().map(str::to_string),
            _ => None,
        })
    }

    pub(super) fn at_keyword(&mut self, keyword: &str) -> Result<bool, SyntaxError> {
        Ok(matches!(self.peek()?, Token::Word(word) if word.plain() == Some(keyword)))
    }

    pub(super) fn accept_keyword(&mut self, keyword: &str) -> Result<bool, SyntaxError> {
        let found = self.at_keyword(keyword)?;
        if found {
            self.ahead = None;
        }
        Ok(found)
    }

    pub(super) fn skip_newlines(&mut self) -> Result<(), SyntaxError> {
        while matches!(self.peek()?, Token::Newline) {
            self.ahead = None;
        }
        Ok(())
    }

    /// The character at the position, after line continuations.
    pub(super) fn current(&mut self) -> Option<char> {
        while self.src.get(self.pos) == Some(&'\\') && self.src.get(self.pos + 1) == Some(&'\n') {
            self.pos += 2;
            self.line += 1;
        }
        self.src.get(self.pos).copied()
    }

    pub(super) fn looking_at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.src.get(self.pos + i) == Some(&c))
    }

    fn skip_blanks_and_comment(&mut self) {
        while matches!(self.current(), Some(' ' | '\t')) {
            self.pos += 1;
        }
        if self.current() == Some('#') {
            while self.src.get(self.pos).is_some_and(|c| *c != '\n') {
                self.pos += 1;
            }
        }
    }

    fn lex(&mut self) -> Result<Token, SyntaxError> {
        self.skip_blanks_and_comment();
        let Some(c) = self.current() else { return Ok(Token::End) };
        if c == '\n' {
            self.pos += 1;
            self.line += 1;
            if let Some((pos, line)) = self.after_documents.take() {
                (self.pos, self.line) = (pos, line);
            }
            return Ok(Token::Newline);
        }
        if c.is_ascii_digit() {
            let digits: String = self.src[self.pos..].iter().take(4).take_while(|c| c.is_ascii_digit()).collect();
            let after = self.src.get(self.pos + digits.len());
            if let (Some('<' | '>'), Ok(number)) = (after, digits.parse::<u32>()) {
                self.pos += digits.len();
                return Ok(Token::Descriptor(number));
            }
        }
        if c == '{' && self.dialect.is_bash() {
            let rest = &self.src[self.pos + 1..];
            let name: String = rest.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '_').collect();
            let behind = (rest.get(name.len()), rest.get(name.len() + 1));
            if super::parser::is_name(&name) && matches!(behind, (Some('}'), Some('<' | '>'))) {
                self.pos += name.len() + 2;
                return Ok(Token::NamedDescriptor(name));
            }
        }
        if self.dialect.is_bash() && (self.looking_at("<(") || self.looking_at(">(")) {
            return Ok(Token::Word(self.word(Quotes::Bare)?));
        }
        let known = |operator: &&&str| match (self.dialect, **operator) {
            (Dialect::Bash, _) => true,
            (_, ";;&" | ";&" | "|&" | "&>>") => false,
            (Dialect::Dash, "&>" | "<<<") => false,
            _ => true,
        };
        if let Some(operator) = OPERATORS.iter().filter(known).find(|operator| self.looking_at(operator)) {
            self.pos += operator.len();
            return Ok(Token::Operator(operator));
        }
        Ok(Token::Word(self.word(Quotes::Bare)?))
    }

    /// Reads the body of a here-document whose operator and end word were just read. The body begins after the
    /// newline that ends this line, or after the body before it.
    pub(super) fn here_document(&mut self, end: &Word, strip_tabs: bool) -> Result<Word, SyntaxError> {
        let quoted = end.parts.iter().any(|part| !matches!(part, Part::Text(_)));
        let end_text: String = end
            .parts
            .iter()
            .map(|part| match part {
                Part::Text(text) | Part::Quoted(text) => text.clone(),
                Part::Double(inner) => inner
                    .iter()
                    .map(|part| if let Part::Text(text) | Part::Quoted(text) = part { text.as_str() } else { "" })
                    .collect(),
                _ => String::new(),
            })
            .collect();
        let (mut pos, mut line) = match self.after_documents {
            Some(place) => place,
            None => (self.end_of_line(), self.line + 1),
        };
        let first_line = line;
        let mut body = String::new();
        let mut ended = false;
        while pos < self.src.len() {
            let stop = self.src[pos..].iter().position(|c| *c == '\n').map_or(self.src.len(), |n| pos + n);
            let text: String = self.src[pos..stop].iter().collect();
            pos = (stop + 1).min(self.src.len());
            line += 1;
            let text = if strip_tabs { text.trim_start_matches('\t') } else { &text };
            if text == end_text {
                ended = true;
                break;
            }
            body.push_str(text);
            body.push('\n');
        }
        if !ended && self.whole_documents {
            return Err(self.error_at_end(Trouble::Incomplete, "here-document without its end".into()));
        }
        self.after_documents = Some((pos, line));
        if quoted {
            return Ok(Word { parts: vec![Part::Quoted(body)] });
        }
        let chars: Vec<char> = body.chars().collect();
        let mut inner = self.inner(&chars, first_line)?;
        let word = inner.word(Quotes::Document)?;
        Ok(Word { parts: vec![Part::Double(word.parts)] })
    }

    /// Position after the newline that ends the current line, looking past quotes.
    fn end_of_line(&self) -> usize {
        let mut pos = self.pos;
        let mut quote = None;
        while let Some(c) = self.src.get(pos) {
            match (quote, c) {
                (None, '\n') => return pos + 1,
                (None, '\'' | '"') => quote = Some(*c),
                (Some(open), c) if open == *c => quote = None,
                (None | Some('"'), '\\') => pos += 1,
                _ => {}
            }
            pos += 1;
        }
        self.src.len()
    }
}
