//! Cutting a template's text into text and the words of its actions.
//!
//! Source: `text/template/parse/lex.go`. Trim markers (`{{- `, ` -}}`) are worked off here.

/// A piece of the text, with its byte offset.
#[derive(Clone, PartialEq, Debug)]
pub struct Token {
    pub at: usize,
    pub kind: Kind,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Kind {
    Text(String),
    /// `{{` and `}}`.
    Open,
    Close,
    /// Blanks between operands; they separate arguments.
    Space,
    /// `.name`
    Field(String),
    Dot,
    /// `$` or `$name`, with the `$`.
    Variable(String),
    /// A word: keyword, function, true, false, nil.
    Word(String),
    Number(String),
    /// A quoted string: what it stands for, and how it is written.
    Quoted(String, String),
    Char(char, String),
    Pipe,
    Comma,
    /// `:=`
    Declare,
    /// `=`
    Assign,
    OpenParen,
    CloseParen,
}

/// Cuts `text` up.
///
/// # Errors
/// The byte offset and Go's message.
pub fn lex(text: &str) -> Result<Vec<Token>, (usize, String)> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new(), parens: 0 };
    lexer.all()?;
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
    parens: usize,
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn push(&mut self, at: usize, kind: Kind) {
        self.tokens.push(Token { at, kind });
    }

    fn all(&mut self) -> Result<(), (usize, String)> {
        let mut trim_left = false;
        loop {
            let rest = &self.text[self.at..];
            let start = self.at;
            let open = rest.find("{{");
            let mut piece = &rest[..open.unwrap_or(rest.len())];
            let trims_right = open.is_some_and(|i| trims(&rest[i + 2..]));
            if trim_left {
                piece = piece.trim_start_matches(BLANKS);
            }
            if trims_right {
                piece = piece.trim_end_matches(BLANKS);
            }
            if !piece.is_empty() {
                self.push(start, Kind::Text(piece.to_owned()));
            }
            let Some(open) = open else { return Ok(()) };
            self.at = start + open + 2 + if trims_right { 2 } else { 0 };
            trim_left = if self.rest().starts_with("/*") { self.comment()? } else { self.action(start + open)? };
        }
    }

    /// Passes over a comment; true if it trims what follows.
    fn comment(&mut self) -> Result<bool, (usize, String)> {
        let start = self.at;
        let Some(end) = self.rest().find("*/") else { return Err((start, "unclosed comment".into())) };
        self.at += end + 2;
        let trims = self.rest().starts_with(BLANKS) && self.rest()[1..].starts_with("-}}");
        let close = if trims { " -}}" } else { "}}" };
        if !trims && !self.rest().starts_with(close) {
            return Err((start, "comment ends before closing delimiter".into()));
        }
        self.at += close.len();
        Ok(trims)
    }

    /// Reads an action up to its end; true if it trims what follows.
    fn action(&mut self, open: usize) -> Result<bool, (usize, String)> {
        self.push(open, Kind::Open);
        self.parens = 0;
        loop {
            let at = self.at;
            let trimmed = self.rest().trim_start_matches(BLANKS);
            let blanks = self.rest().len() - trimmed.len();
            let closes_trimming = blanks > 0 && trimmed.starts_with("-}}");
            if closes_trimming || trimmed.starts_with("}}") {
                if self.parens > 0 {
                    return Err((at, "unclosed left paren".into()));
                }
                self.at += blanks + if closes_trimming { 3 } else { 2 };
                self.push(self.at - 2, Kind::Close);
                return Ok(closes_trimming);
            }
            if blanks > 0 {
                self.at += blanks;
                self.push(at, Kind::Space);
                continue;
            }
            let Some(c) = self.rest().chars().next() else { return Err((open, "unclosed action".into())) };
            self.word(c)?;
        }
    }

    fn word(&mut self, c: char) -> Result<(), (usize, String)> {
        let at = self.at;
        let rest = &self.text[at..];
        let name_len = |from: &str| from.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(from.len());
        let digit_next = rest[c.len_utf8()..].starts_with(|c: char| c.is_ascii_digit());
        let (length, kind) = match c {
            '"' | '`' => return self.quoted(c),
            '\'' => return self.character(),
            ':' if rest.starts_with(":=") => (2, Kind::Declare),
            ':' => return Err((at, "expected :=".into())),
            '=' => (1, Kind::Assign),
            '|' => (1, Kind::Pipe),
            ',' => (1, Kind::Comma),
            '(' => {
                self.parens += 1;
                (1, Kind::OpenParen)
            }
            ')' if self.parens == 0 => return Err((at, "unexpected right paren".into())),
            ')' => {
                self.parens -= 1;
                (1, Kind::CloseParen)
            }
            '$' => {
                let length = 1 + name_len(&rest[1..]);
                (length, Kind::Variable(rest[..length].to_owned()))
            }
            '.' if !digit_next => {
                let length = name_len(&rest[1..]);
                (1 + length, if length == 0 { Kind::Dot } else { Kind::Field(rest[1..=length].to_owned()) })
            }
            '0'..='9' | '.' | '+' | '-' => {
                let sign = usize::from(matches!(c, '+' | '-'));
                let number = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_');
                let mut length = sign + rest[sign..].find(|c| !number(c)).unwrap_or(rest.len() - sign);
                if rest[..length].ends_with(['e', 'E']) && rest[length..].starts_with(['+', '-']) {
                    length +=
                        1 + rest[length + 1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - length - 1);
                }
                (length, Kind::Number(rest[..length].to_owned()))
            }
            c if c == '_' || c.is_alphabetic() => {
                let length = name_len(rest);
                (length, Kind::Word(rest[..length].to_owned()))
            }
            c => return Err((at, format!("unrecognized character in action: {}", unicode(c)))),
        };
        self.at += length;
        self.push(at, kind);
        Ok(())
    }

    fn quoted(&mut self, quote: char) -> Result<(), (usize, String)> {
        let (at, rest) = (self.at, self.rest());
        let mut escaped = false;
        for (i, c) in rest.char_indices().skip(1) {
            match c {
                '\n' if quote == '"' => break,
                _ if escaped => escaped = false,
                '\\' if quote == '"' => escaped = true,
                c if c == quote => {
                    let written = rest[..=i].to_owned();
                    let inside = &rest[1..i];
                    let text = if quote == '`' { Some(inside.replace('\r', "")) } else { unquote(inside) };
                    let Some(text) = text else { return Err((at, "invalid syntax".into())) };
                    self.at += i + 1;
                    self.push(at, Kind::Quoted(text, written));
                    return Ok(());
                }
                _ => {}
            }
        }
        Err((at, if quote == '"' { "unterminated quoted string" } else { "unterminated raw quoted string" }.into()))
    }

    fn character(&mut self) -> Result<(), (usize, String)> {
        let (at, rest) = (self.at, self.rest());
        let mut end = rest.char_indices().skip(2).filter(|(_, c)| *c == '\'');
        let found = end.find_map(|(i, _)| {
            let text = unquote(&rest[1..i])?;
            let mut chars = text.chars();
            chars.next().filter(|_| chars.next().is_none()).map(|c| (i, c))
        });
        let Some((i, c)) = found.filter(|(i, _)| *i < 14) else {
            return Err((at, "unterminated character constant".into()));
        };
        let written = rest[..=i].to_owned();
        self.at += i + 1;
        self.push(at, Kind::Char(c, written));
        Ok(())
    }
}

/// Whether an action begins with a trim marker: `-` and a blank.
fn trims(inside: &str) -> bool {
    inside.strip_prefix('-').is_some_and(|rest| rest.starts_with(BLANKS))
}

fn unicode(c: char) -> String {
    format!("U+{:04X} '{c}'", u32::from(c))
}

/// Go's `strconv.Unquote` for what stands between the quotes.
pub fn unquote(inside: &str) -> Option<String> {
    let mut text = String::new();
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        let escape = chars.next()?;
        let digits = match escape {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        if digits > 0 {
            let code: String = chars.by_ref().take(digits).collect();
            let code = u32::from_str_radix(&code, 16).ok().filter(|_| code.len() == digits)?;
            text.push(char::from_u32(code)?);
            continue;
        }
        text.push(match escape {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0c',
            'v' => '\x0b',
            '\\' | '"' | '\'' => escape,
            _ => return None,
        });
    }
    Some(text)
}
