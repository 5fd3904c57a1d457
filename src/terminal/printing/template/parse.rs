//! Reads templates. Source: `src/text/template/parse/{lex,parse}.go`.

use super::{Node, Pipeline, Term};
use crate::base::value::Value;

/// Blocks and groups nest; deeper ones are refused rather than followed.
const DEPTH_MAX: usize = 100;

pub(super) fn parse(text: &str) -> Result<Vec<Node>, String> {
    let mut pieces = cut(text)?;
    pieces.reverse();
    let (nodes, end) = block(&mut pieces, 0)?;
    match end {
        None => Ok(nodes),
        Some(word) => Err(format!("unexpected {{{{{word}}}}}")),
    }
}

enum Piece<'t> {
    Text(&'t str),
    Action(&'t str),
}

/// Cuts at the braces; `{{-` and `-}}` take the white space next to them away.
fn cut(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let (mut pieces, mut rest, mut trim) = (Vec::new(), text, false);
    while let Some(open) = rest.find("{{") {
        let mut before = &rest[..open];
        let mut inside = &rest[open + 2..];
        if trim {
            before = before.trim_start();
        }
        if let Some(trimmed) = inside.strip_prefix('-').filter(|t| t.starts_with(char::is_whitespace)) {
            (before, inside) = (before.trim_end(), trimmed);
        }
        pieces.push(Piece::Text(before));
        let comment = inside.trim_start().starts_with("/*");
        let close = if comment {
            inside.find("*/").and_then(|at| Some(at + inside[at..].find("}}")?))
        } else {
            close_of(inside)
        };
        let close = close.ok_or("unclosed action")?;
        let action = &inside[..close];
        rest = &inside[close + 2..];
        trim = action.ends_with('-') && action[..action.len() - 1].ends_with(char::is_whitespace);
        if !comment {
            pieces.push(Piece::Action(if trim { &action[..action.len() - 1] } else { action }));
        }
    }
    pieces.push(Piece::Text(if trim { rest.trim_start() } else { rest }));
    Ok(pieces)
}

/// Where the action ends; braces in quotes do not end it.
fn close_of(text: &str) -> Option<usize> {
    let (mut quote, mut escaped) = (None, false);
    for (i, c) in text.char_indices() {
        match quote {
            _ if escaped => escaped = false,
            Some('"') if c == '\\' => escaped = true,
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if c == '"' || c == '`' => quote = Some(c),
            None if text[i..].starts_with("}}") => return Some(i),
            None => {}
        }
    }
    None
}

/// Reads up to an `end` or `else`, which is given back with what follows it.
fn block(pieces: &mut Vec<Piece<'_>>, depth: usize) -> Result<(Vec<Node>, Option<String>), String> {
    if depth > DEPTH_MAX {
        return Err("blocks nest too deeply".to_owned());
    }
    let mut nodes = Vec::new();
    while let Some(piece) = pieces.pop() {
        let action = match piece {
            Piece::Text("") => continue,
            Piece::Text(text) => {
                nodes.push(Node::Text(text.to_owned()));
                continue;
            }
            Piece::Action(action) => action.trim(),
        };
        let (word, rest) = action.split_once(char::is_whitespace).unwrap_or((action, ""));
        match word {
            "end" | "else" => return Ok((nodes, Some(action.to_owned()))),
            "if" | "with" | "range" => nodes.push(branch(word, rest, pieces, depth)?),
            "define" | "template" | "block" | "break" | "continue" => {
                return Err(format!("{{{{{word}}}}} is not supported here"));
            }
            _ => nodes.push(Node::Action(pipeline(action)?)),
        }
    }
    Ok((nodes, None))
}

fn branch(word: &str, condition: &str, pieces: &mut Vec<Piece<'_>>, depth: usize) -> Result<Node, String> {
    let pipeline = pipeline(condition)?;
    let (body, end) = block(pieces, depth + 1)?;
    let otherwise = match end.as_deref() {
        None => return Err("unexpected EOF".to_owned()),
        Some("end") => Vec::new(),
        Some("else") => match block(pieces, depth + 1)? {
            (nodes, Some(end)) if end == "end" => nodes,
            (_, Some(other)) => return Err(format!("expected end; found {{{{{other}}}}}")),
            (_, None) => return Err("unexpected EOF".to_owned()),
        },
        Some(more) => {
            // `else if x` holds one more branch, which ends with the same `end`.
            let more = more.trim_start_matches("else").trim();
            let (word, rest) = more.split_once(char::is_whitespace).ok_or("unexpected else")?;
            vec![branch(word, rest, pieces, depth + 1)?]
        }
    };
    match word {
        "if" => Ok(Node::If(pipeline, body, otherwise)),
        "with" => Ok(Node::With(pipeline, body, otherwise)),
        "range" => Ok(Node::Range(pipeline, body, otherwise)),
        other => Err(format!("unexpected {other} in else")),
    }
}

fn pipeline(text: &str) -> Result<Pipeline, String> {
    let mut reader = Reader { tokens: tokens(text)?, next: 0, depth: 0 };
    let pipeline = reader.pipeline()?;
    match reader.tokens.get(reader.next) {
        None => Ok(pipeline),
        Some(token) => Err(format!("unexpected {token:?} in operand")),
    }
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    /// `.a`, attached to what stands before it if there was no blank.
    Field(String, bool),
    Dot,
    Variable(String),
    Word(String),
    Constant(Value),
    Sign(char),
    Declare,
    Assign,
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut blank = true;
    let name = |text: &str| text.find(|c: char| !(c == '_' || c.is_alphanumeric())).unwrap_or(text.len());
    while let Some(c) = rest.chars().next() {
        let mut used = c.len_utf8();
        match c {
            c if c.is_whitespace() => {}
            '.' => {
                let length = name(&rest[1..]);
                used += length;
                tokens.push(if length == 0 { Token::Dot } else { Token::Field(rest[1..used].to_owned(), !blank) });
            }
            '$' => {
                used += name(&rest[1..]);
                tokens.push(Token::Variable(rest[1..used].to_owned()));
            }
            '"' | '`' | '\'' => {
                let (value, length) = quoted(rest, c)?;
                used = length;
                tokens.push(Token::Constant(value));
            }
            ':' if rest.starts_with(":=") => {
                used = 2;
                tokens.push(Token::Declare);
            }
            '=' => tokens.push(Token::Assign),
            '|' | '(' | ')' | ',' => tokens.push(Token::Sign(c)),
            '+' | '-' | '0'..='9' => {
                let signs = |c: char| !(c.is_alphanumeric() || matches!(c, '.' | '+' | '-' | '_'));
                used = rest.find(signs).unwrap_or(rest.len());
                let number = &rest[..used];
                let value = number.parse::<i64>().map(Value::Int).or_else(|_| number.parse::<f64>().map(Value::Float));
                tokens.push(Token::Constant(value.map_err(|_| format!("bad number syntax: {number:?}"))?));
            }
            c if c == '_' || c.is_alphabetic() => {
                used = name(rest);
                tokens.push(match &rest[..used] {
                    "true" => Token::Constant(Value::Bool(true)),
                    "false" => Token::Constant(Value::Bool(false)),
                    "nil" => Token::Constant(Value::Null),
                    word => Token::Word(word.to_owned()),
                });
            }
            c => return Err(format!("unexpected bad character U+{:04X} '{c}' in command", c as u32)),
        }
        blank = c.is_whitespace();
        rest = &rest[used..];
    }
    Ok(tokens)
}

/// A text in quotes and how many bytes it takes.
fn quoted(text: &str, quote: char) -> Result<(Value, usize), String> {
    let (mut out, mut chars) = (String::new(), text.char_indices().skip(1));
    while let Some((i, c)) = chars.next() {
        match c {
            c if c == quote => {
                let value = if quote == '\'' {
                    Value::Int(out.chars().next().map_or(0, |c| c as i64))
                } else {
                    Value::from(out)
                };
                return Ok((value, i + 1));
            }
            '\\' if quote != '`' => match chars.next().map(|(_, c)| c) {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some(c @ ('\\' | '"' | '\'')) => out.push(c),
                _ => return Err("invalid syntax".to_owned()),
            },
            c => out.push(c),
        }
    }
    Err("unterminated quoted string".to_owned())
}

struct Reader {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Reader {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn pipeline(&mut self) -> Result<Pipeline, String> {
        let (sets, declares) = self.sets();
        let mut commands = vec![self.command()?];
        while self.peek() == Some(&Token::Sign('|')) {
            self.next += 1;
            commands.push(self.command()?);
        }
        Ok(Pipeline { sets, declares, commands })
    }

    /// `$x :=`, `$i, $x :=` or `$x =`
    fn sets(&mut self) -> (Vec<String>, bool) {
        let mut names = Vec::new();
        let mut at = self.next;
        while let Some(Token::Variable(name)) = self.tokens.get(at) {
            names.push(name.clone());
            match self.tokens.get(at + 1) {
                Some(Token::Sign(',')) => at += 2,
                Some(sign @ (Token::Declare | Token::Assign)) => {
                    let declares = *sign == Token::Declare;
                    self.next = at + 2;
                    return (names, declares);
                }
                _ => break,
            }
        }
        (Vec::new(), false)
    }

    fn command(&mut self) -> Result<Vec<Term>, String> {
        let mut terms = Vec::new();
        while let Some(token) = self.peek().cloned() {
            if matches!(token, Token::Sign('|' | ')')) {
                break;
            }
            self.next += 1;
            terms.push(match token {
                Token::Field(name, _) => Term::Field(self.fields(vec![name])),
                Token::Dot => Term::Field(Vec::new()),
                Token::Variable(name) => Term::Variable(name, self.fields(Vec::new())),
                Token::Word(word) => Term::Function(word),
                Token::Constant(value) => Term::Constant(value),
                Token::Sign('(') => self.group()?,
                other => return Err(format!("unexpected {other:?} in operand")),
            });
        }
        if terms.is_empty() { Err("missing value for command".to_owned()) } else { Ok(terms) }
    }

    fn group(&mut self) -> Result<Term, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("groups nest too deeply".to_owned());
        }
        let inner = self.pipeline()?;
        self.depth -= 1;
        if self.peek() != Some(&Token::Sign(')')) {
            return Err("unclosed left paren".to_owned());
        }
        self.next += 1;
        Ok(Term::Group(Box::new(inner), self.fields(Vec::new())))
    }

    fn fields(&mut self, mut names: Vec<String>) -> Vec<String> {
        while let Some(Token::Field(name, true)) = self.peek() {
            names.push(name.clone());
            self.next += 1;
        }
        names
    }
}
