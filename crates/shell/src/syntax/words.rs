//! Words: quotes, `$` expansions and backticks, taken apart but not yet expanded.

use std::rc::Rc;

use super::Dialect;
use super::ast::{Change, Index, Param, Part, Word};
use super::lexer::Token;
use super::parser::{Parser, SyntaxError, Trouble};

/// Where a run of word characters stands, which decides what ends it and which quotes count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Quotes {
    /// A word of a command: ends at blanks and operators.
    Bare,
    /// Between double quotes: ends at `"`.
    Double,
    /// A here-document: ends at the end of the text; `"` is a plain character.
    Document,
    /// The word of `${name-word}`: ends at `}`.
    Braces,
    /// The same within double quotes, where `'` is a plain character.
    QuotedBraces,
    /// `${name/pattern/word}`: the pattern, which ends at `/` or `}`.
    Pattern,
    /// `${name:offset:length}`: ends at `:` or `}`.
    Offset,
    /// `$((…))`: ends at the `)` that closes it.
    Arithmetic,
    /// `$[…]` and `${name[…]}`: ends at the `]` that closes it.
    Subscript,
    /// The right side of `[[ x =~ … ]]`: ends at blanks only.
    Regex,
}

impl Quotes {
    fn ends_at(self, c: char) -> bool {
        match self {
            Quotes::Bare => matches!(c, ' ' | '\t' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')'),
            Quotes::Double => c == '"',
            Quotes::Document => false,
            Quotes::Braces | Quotes::QuotedBraces => c == '}',
            Quotes::Pattern => matches!(c, '/' | '}'),
            Quotes::Offset => matches!(c, ':' | '}'),
            Quotes::Arithmetic | Quotes::Subscript => false,
            Quotes::Regex => matches!(c, ' ' | '\t' | '\n'),
        }
    }

    fn is_quoted(self) -> bool {
        matches!(self, Quotes::Double | Quotes::Document | Quotes::Arithmetic | Quotes::QuotedBraces)
    }
}

impl Parser<'_> {
    /// Reads parts up to the end that `quotes` has; the end character itself is left.
    pub(super) fn word(&mut self, quotes: Quotes) -> Result<Word, SyntaxError> {
        self.deeper()?;
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut parentheses = 0usize;
        if quotes == Quotes::Bare && self.current() == Some('~') {
            self.pos += 1;
            let rest = &self.src[self.pos..];
            let user: String =
                rest.iter().take_while(|c| c.is_ascii_alphanumeric() || matches!(**c, '_' | '-' | '+')).collect();
            self.pos += user.chars().count();
            parts.push(Part::Tilde(user));
        }
        while let Some(c) = self.current() {
            if quotes == Quotes::Arithmetic {
                match c {
                    '(' => parentheses += 1,
                    ')' if parentheses == 0 => break,
                    ')' => parentheses -= 1,
                    _ => {}
                }
            }
            if quotes == Quotes::Subscript {
                match c {
                    '[' => parentheses += 1,
                    ']' if parentheses == 0 => break,
                    ']' => parentheses -= 1,
                    _ => {}
                }
            }
            if quotes == Quotes::Regex {
                match c {
                    '(' => parentheses += 1,
                    ')' => parentheses = parentheses.saturating_sub(1),
                    _ => {}
                }
            }
            let process = quotes == Quotes::Bare && self.dialect.is_bash() && self.src.get(self.pos + 1) == Some(&'(');
            if process && matches!(c, '<' | '>') {
                let script = self.process_substitution()?;
                flush(&mut text, &mut parts);
                parts.push(Part::Process { script, writes: c == '>' });
                continue;
            }
            if quotes == Quotes::Bare && c == '(' && self.opens_extended_pattern(&text) {
                self.extended_pattern(&mut text, &mut parts)?;
                continue;
            }
            if quotes == Quotes::Bare && c == '[' && parts.is_empty() && self.opens_subscript(&text) {
                self.pos += 1;
                let inside = self.word(Quotes::Subscript)?;
                text.push('[');
                for part in inside.parts {
                    match part {
                        Part::Text(more) => text.push_str(&more),
                        other => {
                            flush(&mut text, &mut parts);
                            parts.push(other);
                        }
                    }
                }
                continue;
            }
            if quotes.ends_at(c) && !(quotes == Quotes::Regex && parentheses > 0 && c != '\n') {
                break;
            }
            let special = match c {
                '\\' => self.backslash(quotes, &mut text),
                '\'' if !quotes.is_quoted() => Some(self.single_quotes()?),
                '\'' if quotes == Quotes::Arithmetic && self.dialect.is_bash() => {
                    self.pos += 1;
                    None
                }
                '"' if !matches!(quotes, Quotes::Document | Quotes::Arithmetic | Quotes::Double) => {
                    Some(self.double_quotes()?)
                }
                '"' if quotes == Quotes::Arithmetic => {
                    self.pos += 1;
                    None
                }
                '$' => self.dollar(quotes, &mut text)?,
                '`' => Some(self.backticks(quotes)?),
                _ => {
                    self.pos += 1;
                    self.line += u32::from(c == '\n');
                    text.push(c);
                    None
                }
            };
            if let Some(part) = special {
                flush(&mut text, &mut parts);
                parts.push(part);
            }
        }
        flush(&mut text, &mut parts);
        self.depth -= 1;
        Ok(Word { parts })
    }

    fn backslash(&mut self, quotes: Quotes, text: &mut String) -> Option<Part> {
        let next = self.src.get(self.pos + 1).copied();
        let escapes = match quotes {
            Quotes::Double => matches!(next, Some('$' | '`' | '"' | '\\')),
            Quotes::QuotedBraces => matches!(next, Some('$' | '`' | '"' | '\\' | '}')),
            Quotes::Document | Quotes::Arithmetic => matches!(next, Some('$' | '`' | '\\')),
            _ => next.is_some(),
        };
        match next {
            Some(c) if escapes => {
                self.pos += 2;
                self.line += u32::from(c == '\n');
                Some(Part::Quoted(c.to_string()))
            }
            _ => {
                self.pos += 1;
                text.push('\\');
                None
            }
        }
    }

    fn single_quotes(&mut self) -> Result<Part, SyntaxError> {
        self.pos += 1;
        let start = self.pos;
        while let Some(c) = self.src.get(self.pos) {
            if *c == '\'' {
                let text = self.src[start..self.pos].iter().collect();
                self.pos += 1;
                return Ok(Part::Quoted(text));
            }
            self.line += u32::from(*c == '\n');
            self.pos += 1;
        }
        Err(self.unterminated('\''))
    }

    fn double_quotes(&mut self) -> Result<Part, SyntaxError> {
        self.pos += 1;
        let word = self.word(Quotes::Double)?;
        if self.current() != Some('"') {
            return Err(self.unterminated('"'));
        }
        self.pos += 1;
        Ok(Part::Double(word.parts))
    }

    fn unterminated(&mut self, quote: char) -> SyntaxError {
        let message = match self.dialect {
            Dialect::Ash => "syntax error: unterminated quoted string".to_string(),
            Dialect::Dash => "Syntax error: Unterminated quoted string".to_string(),
            Dialect::Bash => format!("unexpected EOF while looking for matching `{quote}'"),
        };
        self.error_at_end(Trouble::Incomplete, message)
    }

    /// What follows a `$`; a `$` that starts nothing is plain text.
    fn dollar(&mut self, quotes: Quotes, text: &mut String) -> Result<Option<Part>, SyntaxError> {
        self.pos += 1;
        let Some(c) = self.current() else {
            text.push('$');
            return Ok(None);
        };
        if c == '(' {
            return self.dollar_parenthesis().map(Some);
        }
        if c == '{' {
            return self.braced_parameter(quotes.is_quoted()).map(Some);
        }
        if c == '[' && self.dialect.is_bash() {
            self.pos += 1;
            let word = self.word(Quotes::Subscript)?;
            self.pos += 1;
            return Ok(Some(Part::Arithmetic(word)));
        }
        let quotes_count = self.dialect != Dialect::Dash;
        if c == '\'' && !quotes.is_quoted() && quotes_count {
            return self.dollar_quotes().map(Some);
        }
        if c == '"' && !quotes.is_quoted() && quotes_count {
            return self.double_quotes().map(Some);
        }
        let name = self.parameter_name(false);
        if name.is_empty() {
            text.push('$');
            return Ok(None);
        }
        Ok(Some(Part::Param(Rc::new(Param::plain(name)))))
    }

    /// Whether `name[` begins the left side of an assignment: `a[i + 1]=x`.
    fn opens_subscript(&self, name: &str) -> bool {
        if !self.dialect.is_bash() || !super::is_name(name) {
            return false;
        }
        let (mut depth, mut quote) = (0, None);
        for (i, c) in self.src[self.pos..].iter().enumerate().take(500) {
            match (quote, c) {
                (_, '\n') => return false,
                (Some(open), c) if open == *c => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(*c),
                (None, '[') => depth += 1,
                (None, ']') => {
                    depth -= 1;
                    if depth == 0 {
                        let behind = self.src.get(self.pos + i + 1);
                        return behind == Some(&'=')
                            || behind == Some(&'+') && self.src.get(self.pos + i + 2) == Some(&'=');
                    }
                }
                _ => {}
            }
        }
        false
    }

    /// Whether the `(` after what was read opens `@(…)` and the like.
    fn opens_extended_pattern(&self, before: &str) -> bool {
        self.dialect.is_bash() && before.ends_with(['@', '?', '*', '+', '!']) && self.extended_patterns
    }

    /// The inside of `@(a|b)`, kept as text of the pattern.
    fn extended_pattern(&mut self, text: &mut String, parts: &mut Vec<Part>) -> Result<(), SyntaxError> {
        self.deeper()?;
        text.push('(');
        self.pos += 1;
        loop {
            match self.current() {
                None => return Err(self.unexpected_end(")")),
                Some(')') => {
                    self.pos += 1;
                    text.push(')');
                    self.depth -= 1;
                    return Ok(());
                }
                Some('|') => {
                    self.pos += 1;
                    text.push('|');
                }
                Some('(') if self.opens_extended_pattern(text) => self.extended_pattern(text, parts)?,
                Some(c @ (' ' | ';' | '&' | '<' | '>' | '(')) => {
                    self.pos += 1;
                    text.push(c);
                }
                Some(_) => {
                    let word = self.word(Quotes::Bare)?;
                    for part in word.parts {
                        match part {
                            Part::Text(more) => text.push_str(&more),
                            other => {
                                flush(text, parts);
                                parts.push(other);
                            }
                        }
                    }
                }
            }
        }
    }

    /// The commands of `<(…)`, standing on the `<`.
    fn process_substitution(&mut self) -> Result<Rc<super::ast::Script>, SyntaxError> {
        self.pos += 2;
        self.deeper()?;
        let outer = self.ahead.take();
        let script = self.script_until(&[")"])?;
        if !matches!(self.take()?, Token::Operator(")")) {
            return Err(self.unexpected_end(")"));
        }
        self.ahead = outer;
        self.depth -= 1;
        Ok(Rc::new(script))
    }

    /// A variable's name, a digit (in braces: digits), or a special character; empty if there is none.
    fn parameter_name(&mut self, braces: bool) -> String {
        let Some(c) = self.current() else { return String::new() };
        let rest = &self.src[self.pos..];
        let name: String = if c.is_ascii_alphabetic() || c == '_' {
            rest.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '_').collect()
        } else if c.is_ascii_digit() && braces {
            rest.iter().take_while(|c| c.is_ascii_digit()).collect()
        } else if c.is_ascii_digit() || "@*#?-$!".contains(c) {
            c.to_string()
        } else {
            String::new()
        };
        self.pos += name.len();
        name
    }

    fn dollar_parenthesis(&mut self) -> Result<Part, SyntaxError> {
        if self.src.get(self.pos + 1) == Some(&'(') {
            let (pos, line) = (self.pos, self.line);
            self.pos += 2;
            let word = self.word(Quotes::Arithmetic)?;
            if self.looking_at("))") {
                self.pos += 2;
                return Ok(Part::Arithmetic(word));
            }
            if self.current().is_none() {
                return Err(self.unexpected_end("))"));
            }
            // `$( (a) b )`: a substitution that starts with a subshell.
            (self.pos, self.line) = (pos, line);
        }
        self.pos += 1;
        self.deeper()?;
        let outer = self.ahead.take();
        let script = self.script_until(&[")"])?;
        if !matches!(self.take()?, Token::Operator(")")) {
            return Err(self.unexpected_end(")"));
        }
        self.ahead = outer;
        self.depth -= 1;
        Ok(Part::Substitution(Rc::new(script)))
    }

    fn backticks(&mut self, quotes: Quotes) -> Result<Part, SyntaxError> {
        self.pos += 1;
        let first_line = self.line;
        let mut inner_text = Vec::new();
        loop {
            let Some(c) = self.src.get(self.pos).copied() else { return Err(self.unterminated('`')) };
            self.pos += 1;
            match (c, self.src.get(self.pos)) {
                ('`', _) => break,
                ('\\', Some(next @ ('`' | '\\' | '$'))) => {
                    inner_text.push(*next);
                    self.pos += 1;
                }
                ('\\', Some('"')) if quotes == Quotes::Double => {
                    inner_text.push('"');
                    self.pos += 1;
                }
                _ => {
                    self.line += u32::from(c == '\n');
                    inner_text.push(c);
                }
            }
        }
        let mut inner = self.inner(&inner_text, first_line)?;
        let script = inner.script_until(&[])?;
        inner.expect_end()?;
        Ok(Part::Substitution(Rc::new(script)))
    }

    /// `$'…'` with C's escapes.
    fn dollar_quotes(&mut self) -> Result<Part, SyntaxError> {
        self.pos += 1;
        let start = self.pos;
        loop {
            match self.src.get(self.pos) {
                None => return Err(self.unterminated('\'')),
                Some('\'') => break,
                Some('\\') => self.pos += 2,
                Some(c) => {
                    self.line += u32::from(*c == '\n');
                    self.pos += 1;
                }
            }
        }
        let raw: String = self.src[start..self.pos].iter().collect();
        self.pos += 1;
        Ok(Part::Quoted(crate::escapes::unescape(&raw, crate::escapes::Style::DollarQuotes).0))
    }

    /// `${…}`, standing on the `{`.
    fn braced_parameter(&mut self, quoted: bool) -> Result<Part, SyntaxError> {
        self.deeper()?;
        self.pos += 1;
        let bash = self.dialect == Dialect::Bash;
        let start = self.pos;
        let next = self.src.get(self.pos + 1).copied();
        let counts = self.current() == Some('#') && next.is_some_and(|c| c != '}');
        // `${#-x}`, `${#%x}` change `$#`; `${#x}` is a length.
        let of_count = matches!(next, Some('-' | '?' | '+' | '=' | ':' | '%' | '#' | '/'))
            && self.src.get(self.pos + 2) != Some(&'}');
        if counts && !of_count {
            self.pos += 1;
            let name = self.parameter_name(true);
            let index = self.subscript(bash)?;
            if !name.is_empty() && self.current() == Some('}') {
                return self.end_braces(Param { name, index, indirect: false, change: Change::Length });
            }
            self.pos = start;
            return self.bad_braces();
        }
        let indirect = bash
            && self.current() == Some('!')
            && next.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '#' | '@' | '*' | '?'))
            && !(matches!(next, Some('#' | '?')) && self.src.get(self.pos + 2) != Some(&'}'));
        self.pos += usize::from(indirect);
        let name = self.parameter_name(true);
        if name.is_empty() {
            self.pos = start;
            return self.bad_braces();
        }
        let index = self.subscript(bash)?;
        if indirect {
            let behind = (self.current(), self.src.get(self.pos + 1).copied());
            if let (Some(c @ ('*' | '@')), Some('}'), None) = (behind.0, behind.1, &index) {
                self.pos += 1;
                let change = Change::Names { separate: c == '@' };
                return self.end_braces(Param { name, index, indirect: false, change });
            }
            if let (Some('}'), Some(Index::At | Index::Star)) = (behind.0, &index) {
                return self.end_braces(Param { name, index, indirect: false, change: Change::Keys });
            }
        }
        let change = self.parameter_change(quoted)?;
        if self.current().is_none() {
            return Err(self.open_braces());
        }
        if self.current() != Some('}') || bad_in(self.dialect, &change) {
            self.pos = start;
            return self.bad_braces();
        }
        self.end_braces(Param { name, index, indirect, change })
    }

    fn end_braces(&mut self, param: Param) -> Result<Part, SyntaxError> {
        self.pos += 1;
        self.depth -= 1;
        Ok(Part::Param(Rc::new(param)))
    }

    fn open_braces(&mut self) -> SyntaxError {
        let message = match self.dialect {
            Dialect::Bash => "unexpected EOF while looking for matching `}'",
            Dialect::Ash => "syntax error: missing '}'",
            Dialect::Dash => "Syntax error: Missing '}'",
        };
        self.error_at_end(Trouble::Incomplete, message.to_string())
    }

    /// `[index]` of an array.
    fn subscript(&mut self, bash: bool) -> Result<Option<Index>, SyntaxError> {
        if !bash || self.current() != Some('[') {
            return Ok(None);
        }
        self.pos += 1;
        let word = self.word(Quotes::Subscript)?;
        if self.current() != Some(']') {
            return Err(self.open_braces());
        }
        self.pos += 1;
        Ok(Some(match word.plain() {
            Some("@") => Index::At,
            Some("*") => Index::Star,
            _ => Index::One(word),
        }))
    }

    fn parameter_change(&mut self, quoted: bool) -> Result<Change, SyntaxError> {
        let bash = self.dialect == Dialect::Bash;
        let inner = if quoted { Quotes::QuotedBraces } else { Quotes::Braces };
        let Some(c) = self.current() else { return Ok(Change::None) };
        let next = self.src.get(self.pos + 1).copied();
        match c {
            '}' => Ok(Change::None),
            ':' if matches!(next, Some('-' | '=' | '?' | '+')) => {
                self.pos += 2;
                Ok(Change::Alternative { kind: next.unwrap_or('-'), colon: true, word: self.word(inner)? })
            }
            '-' | '=' | '?' | '+' => {
                self.pos += 1;
                Ok(Change::Alternative { kind: c, colon: false, word: self.word(inner)? })
            }
            ':' => {
                self.pos += 1;
                let offset = self.word(Quotes::Offset)?;
                let length = if self.current() == Some(':') {
                    self.pos += 1;
                    Some(self.word(Quotes::Offset)?)
                } else {
                    None
                };
                Ok(Change::Slice { offset, length })
            }
            '#' | '%' => {
                let longest = next == Some(c);
                self.pos += 1 + usize::from(longest);
                Ok(Change::Trim { suffix: c == '%', longest, pattern: self.word(Quotes::Braces)? })
            }
            '/' => {
                let kind = next.filter(|k| matches!(k, '/' | '#' | '%')).unwrap_or(' ');
                self.pos += 1 + usize::from(kind != ' ');
                let pattern = self.word(Quotes::Pattern)?;
                let with = if self.current() == Some('/') {
                    self.pos += 1;
                    self.word(Quotes::Braces)?
                } else {
                    Word::default()
                };
                Ok(Change::Replace { kind, pattern, with })
            }
            '^' | ',' | '~' if bash => {
                let all = next == Some(c);
                self.pos += 1 + usize::from(all);
                Ok(Change::Case { kind: c, all, pattern: self.word(Quotes::Braces)? })
            }
            '@' if bash && next.is_some_and(|c| "QEPAKaUuLk".contains(c)) => {
                self.pos += 2;
                Ok(Change::Transform(next.unwrap_or('Q')))
            }
            _ => Ok(Change::None),
        }
    }

    /// Skips to the closing brace of something that is no parameter; it fails only when it is reached.
    fn bad_braces(&mut self) -> Result<Part, SyntaxError> {
        let start = self.pos;
        self.word(Quotes::Braces)?;
        if self.current().is_none() {
            return Err(self.open_braces());
        }
        let text: String = self.src[start..self.pos].iter().collect();
        self.pos += 1;
        self.depth -= 1;
        Ok(Part::Param(Rc::new(Param { name: text, index: None, indirect: false, change: Change::Bad })))
    }
}

/// Whether a dialect has no such change.
fn bad_in(dialect: Dialect, change: &Change) -> bool {
    dialect == Dialect::Dash && matches!(change, Change::Slice { .. } | Change::Replace { .. })
}

fn flush(text: &mut String, parts: &mut Vec<Part>) {
    if !text.is_empty() {
        parts.push(Part::Text(std::mem::take(text)));
    }
}
