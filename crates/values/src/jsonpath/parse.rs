//! Reads templates.
//!
//! Source: `client-go/util/jsonpath/parser.go`; its errors are the ones given here.

use super::{Filter, Hop, Piece, Slice};

/// Filters and unions nest; deeper ones are refused rather than followed.
const DEPTH_MAX: usize = 64;

/// What stands between two braces.
enum Action {
    Steps(Vec<Hop>),
    Range(Vec<Hop>),
    End,
}

pub(super) fn parse(text: &str) -> Result<Vec<Piece>, String> {
    let mut actions = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some(open) = rest.find('{') else {
            actions.push(Action::Steps(vec![Hop::Text(rest.to_owned())]));
            break;
        };
        if open > 0 {
            actions.push(Action::Steps(vec![Hop::Text(rest[..open].to_owned())]));
        }
        let mut reader = Reader { rest: &rest[open + 1..], depth: 0 };
        actions.push(reader.action()?);
        rest = reader.rest;
    }
    // Ranges are closed from the innermost; one without an end reaches to the end of the text.
    let mut open: Vec<(Vec<Hop>, Vec<Piece>)> = Vec::new();
    let mut parts = Vec::new();
    for action in actions {
        match action {
            Action::Steps(steps) => parts.push(Piece::Steps(steps)),
            Action::Range(steps) => open.push((steps, std::mem::take(&mut parts))),
            Action::End => match open.pop() {
                Some((steps, outer)) => {
                    let body = std::mem::replace(&mut parts, outer);
                    parts.push(Piece::Range(steps, body));
                }
                None => parts.push(Piece::StrayEnd),
            },
        }
    }
    while let Some((steps, outer)) = open.pop() {
        let body = std::mem::replace(&mut parts, outer);
        parts.push(Piece::Range(steps, body));
    }
    Ok(parts)
}

struct Reader<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Reader<'t> {
    /// Reads up to the closing brace.
    fn action(&mut self) -> Result<Action, String> {
        let mut steps = self.steps(true)?;
        Ok(match steps.first() {
            Some(Hop::Word(word)) if word == "range" => {
                steps.remove(0);
                Action::Range(steps)
            }
            Some(Hop::Word(word)) if word == "end" => Action::End,
            _ => Action::Steps(steps),
        })
    }

    /// Reads steps: up to the closing brace in an action, to the end of the text in a filter's or union's part.
    fn steps(&mut self, in_action: bool) -> Result<Vec<Hop>, String> {
        let mut steps = Vec::new();
        loop {
            let Some(c) = self.rest.chars().next() else {
                return if in_action { Err("unclosed action".to_owned()) } else { Ok(steps) };
            };
            match c {
                '}' if in_action => {
                    self.skip(c);
                    return Ok(steps);
                }
                '\n' | '\r' => return Err("unclosed action".to_owned()),
                ' ' | '@' | '$' => self.skip(c),
                '[' => {
                    self.skip(c);
                    steps.extend(self.bracket()?);
                }
                '"' | '\'' => {
                    let text = self.quoted(c)?;
                    steps.push(Hop::Text(text));
                }
                '.' if self.rest.starts_with("..") => {
                    self.rest = &self.rest[2..];
                    steps.push(Hop::Recursive);
                    // `..name` is a field without a dot of its own.
                    if self.rest.starts_with(|c: char| is_word(c)) {
                        steps.push(self.field());
                    }
                }
                '.' => {
                    self.skip(c);
                    steps.push(self.field());
                }
                '+' | '-' | '0'..='9' => steps.push(self.number()?),
                c if is_word(c) => steps.push(self.word()),
                c => return Err(format!("unrecognized character in action: {}", go_rune(c))),
            }
        }
    }

    fn skip(&mut self, c: char) {
        self.rest = &self.rest[c.len_utf8()..];
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// A name up to the next sign of a path; `\.` is a dot within it.
    fn field(&mut self) -> Hop {
        let mut name = String::new();
        let mut chars = self.rest.char_indices();
        let mut end = self.rest.len();
        while let Some((i, c)) = chars.next() {
            match c {
                '\\' => name.extend(chars.next().map(|(_, escaped)| escaped)),
                '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}' | ' ' | '\t' | '\n' | '\r' => {
                    end = i;
                    break;
                }
                c => name.push(c),
            }
        }
        self.rest = &self.rest[end..];
        if name == "*" { Hop::Wildcard } else { Hop::Field(name) }
    }

    fn word(&mut self) -> Hop {
        match self.take(is_word) {
            "true" => Hop::Bool(true),
            "false" => Hop::Bool(false),
            word => Hop::Word(word.to_owned()),
        }
    }

    fn number(&mut self) -> Result<Hop, String> {
        let text = self.take(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
        match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(number), _) => Ok(Hop::Number(number)),
            (_, Ok(number)) => Ok(Hop::Decimal(number)),
            _ => Err(format!("cannot parse number {text}")),
        }
    }

    /// Text in quotes: it ends at the first one without a backslash before it.
    fn quoted(&mut self, quote: char) -> Result<String, String> {
        let mut before = quote;
        for (i, c) in self.rest.char_indices().skip(1) {
            if c == '\n' {
                break;
            }
            if c == quote && before != '\\' {
                let (inner, rest) = (&self.rest[1..i], &self.rest[i + 1..]);
                let text = unquoted(inner, quote)
                    .ok_or_else(|| format!("unquote string {quote}{inner}{quote} error invalid syntax"))?;
                self.rest = rest;
                return Ok(text);
            }
            before = c;
        }
        Err("unterminated quoted string".to_owned())
    }

    /// What stands in brackets: an index, a slice, `*`, a key in quotes, a union or a filter.
    fn bracket(&mut self) -> Result<Vec<Hop>, String> {
        if self.depth > DEPTH_MAX {
            return Err("nested too deeply".to_owned());
        }
        let inner = self.up_to_bracket()?;
        if let Some(filter) = inner.strip_prefix("?(") {
            let filter = filter.strip_suffix(')').ok_or("unterminated filter")?;
            return Ok(vec![self.filter(filter)?]);
        }
        if inner == "*" {
            return Ok(vec![Hop::Slice(Slice::default())]);
        }
        let parts = split_union(inner);
        if parts.len() > 1 {
            let parts = parts.iter().map(|part| self.inner(&format!("[{}]", part.trim())));
            return Ok(vec![Hop::Union(parts.collect::<Result<_, _>>()?)]);
        }
        // A key in quotes is a path of its own: its dots count unless a backslash stands before them.
        let key = inner.strip_prefix('\'').and_then(|key| key.strip_suffix('\'')).filter(|key| !key.contains('\''));
        if let Some(key) = key {
            return self.inner(&format!(".{key}"));
        }
        Ok(vec![Hop::Slice(slice(inner)?)])
    }

    /// The text up to the bracket that closes this one; quotes and inner brackets are passed over.
    fn up_to_bracket(&mut self) -> Result<&'t str, String> {
        let (mut depth, mut quote, mut escaped) = (1, None, false);
        for (i, c) in self.rest.char_indices() {
            match (quote, c) {
                _ if escaped => escaped = false,
                (_, '\\') => escaped = true,
                (Some(q), c) if c == q => quote = None,
                (Some(_), _) => {}
                (None, '"' | '\'') => quote = Some(c),
                (None, '[') => depth += 1,
                (None, ']') => {
                    depth -= 1;
                    if depth == 0 {
                        let inner = &self.rest[..i];
                        self.rest = &self.rest[i + 1..];
                        return Ok(inner);
                    }
                }
                (None, '\n') => break,
                _ => {}
            }
        }
        Err("unterminated array".to_owned())
    }

    /// A path within this one.
    fn inner(&self, text: &str) -> Result<Vec<Hop>, String> {
        Reader { rest: text, depth: self.depth + 1 }.steps(false)
    }

    fn filter(&self, text: &str) -> Result<Hop, String> {
        let signs = |c: char| matches!(c, '!' | '<' | '>' | '=');
        let (left, operator, right) = match text.find(signs).filter(|at| *at > 0) {
            None => (text, None, ""),
            Some(at) => {
                let end = text[at..].find(|c| !signs(c)).map_or(text.len(), |n| at + n);
                if end == text.len() {
                    (text, None, "")
                } else {
                    (&text[..at], Some(text[at..end].to_owned()), &text[end..])
                }
            }
        };
        let (left, right) = (self.inner(left.trim())?, self.inner(right.trim())?);
        Ok(Hop::Filter(Box::new(Filter { left, operator, right })))
    }
}

/// Text with Go's escapes (`strconv.UnquoteChar`).
fn unquoted(text: &str, quote: char) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let digits = |chars: &mut std::str::Chars<'_>, count: usize, base: u32, first: u32| {
            (0..count).try_fold(first, |sum, _| Some(sum * base + chars.next()?.to_digit(base)?))
        };
        out.push(match chars.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            '\\' => '\\',
            'x' => char::from_u32(digits(&mut chars, 2, 16, 0)?)?,
            'u' => char::from_u32(digits(&mut chars, 4, 16, 0)?)?,
            'U' => char::from_u32(digits(&mut chars, 8, 16, 0)?)?,
            octal @ '0'..='7' => char::from_u32(digits(&mut chars, 2, 8, octal.to_digit(8)?)?)?,
            c if c == quote => c,
            _ => return None,
        });
    }
    Some(out)
}

/// Cuts at commas outside of quotes.
fn split_union(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quote) = (Vec::new(), 0, None);
    for (i, c) in text.char_indices() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, ',') => {
                parts.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn slice(text: &str) -> Result<Slice, String> {
    let invalid = || format!("invalid array index {text}");
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 {
        return Err(invalid());
    }
    let number = |i: usize| match parts.get(i) {
        None | Some(&"") => Ok(None),
        Some(part) => part.trim().parse::<i64>().map(Some).map_err(|_| invalid()),
    };
    if let [_] = parts[..] {
        // Nothing at all means the first item.
        let start = number(0)?.unwrap_or(0);
        return Ok(Slice { start: Some(start), end: Some(start.saturating_add(1)), end_is_derived: true, step: None });
    }
    Ok(Slice { start: number(0)?, end: number(1)?, end_is_derived: false, step: number(2)? })
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

/// As Go's `%#U`: `U+0026 '&'`.
fn go_rune(c: char) -> String {
    format!("U+{:04X} '{c}'", c as u32)
}
