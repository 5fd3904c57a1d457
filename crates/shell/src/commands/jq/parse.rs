//! jq's language as a tree.
//!
//! Source: the jq manual (1.7). Not read: `import` and `include`, as there are no modules here.

use std::rc::Rc;

use super::json::Json;

/// Parentheses, brackets and operators inside each other.
const DEPTH_MAX: usize = 60;

pub type Sub = Rc<Expr>;

/// An entry of `{…}` in a pattern: the key, the variable that takes its value, and the pattern for the value.
type PatternEntry = (Sub, Option<Rc<str>>, Option<Pattern>);

#[derive(Clone, PartialEq, Debug)]
pub enum Expr {
    Identity,
    /// `..`
    Recurse,
    /// `a.b`, `a[b]`
    Index(Sub, Sub),
    Slice(Sub, Option<Sub>, Option<Sub>),
    /// `a[]`
    Iterate(Sub),
    Literal(Json),
    /// `"a \(b) c"`, with the format that is applied to what is put in.
    Text(Option<String>, Vec<Part>),
    Array(Option<Sub>),
    /// Keys and values, one behind the other.
    Object(Rc<[Sub]>),
    Negate(Sub),
    Pipe(Sub, Sub),
    Comma(Sub, Sub),
    Binary(&'static str, Sub, Sub),
    And(Sub, Sub),
    Or(Sub, Sub),
    /// `a // b`
    Alternative(Sub, Sub),
    If(Sub, Sub, Option<Sub>),
    Try(Sub, Option<Sub>),
    Variable(Rc<str>),
    /// `a as $x ?// [$y] | b`
    As(Sub, Rc<[Pattern]>, Sub),
    Reduce(Sub, Rc<[Pattern]>, Sub, Sub),
    Foreach(Sub, Rc<[Pattern]>, Sub, Sub, Option<Sub>),
    Label(Rc<str>, Sub),
    Break(Rc<str>),
    Define(Rc<Function>, Sub),
    /// The name with the number of its arguments: `map/1`.
    Call(Rc<str>, Rc<[Sub]>),
    /// `@base64`
    Format(String),
    /// `|=`: paths and what they become; `=`, `+=` … are made of others.
    Update(Sub, Sub),
}

#[derive(Clone, PartialEq, Debug)]
pub struct Function {
    /// `name/2`
    pub name: Rc<str>,
    /// `f/0` or `$x`.
    pub parameters: Vec<Rc<str>>,
    pub body: Sub,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Pattern {
    Variable(Rc<str>),
    Array(Vec<Pattern>),
    /// Key, the variable that gets the value too, and what the value is taken apart into.
    Object(Vec<(Sub, Option<Rc<str>>, Option<Pattern>)>),
}

impl Pattern {
    /// The variables in it.
    pub fn names(&self, into: &mut Vec<Rc<str>>) {
        match self {
            Pattern::Variable(name) => into.push(Rc::clone(name)),
            Pattern::Array(items) => items.iter().for_each(|item| item.names(into)),
            Pattern::Object(entries) => {
                for (_, name, pattern) in entries {
                    into.extend(name.clone());
                    pattern.iter().for_each(|pattern| pattern.names(into));
                }
            }
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub enum Part {
    Literal(String),
    Value(Sub),
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    Symbol(&'static str),
    /// `.name`
    Field(String),
    Word(String),
    Variable(String),
    Format(String),
    Number(Json),
    Text(Vec<Part>),
}

const SYMBOLS: [&str; 36] = [
    "?//", "//=", "|=", "+=", "-=", "*=", "/=", "%=", "==", "!=", "<=", ">=", "//", "..", "and", "or", "|", ",", "+",
    "-", "*", "/", "%", "<", ">", "=", "(", ")", "[", "]", "{", "}", ":", "?", ".", ";",
];

/// Reads a program.
///
/// # Errors
/// What jq says after `jq: error: `.
pub fn parse(text: &str) -> Result<Expr, String> {
    parse_at(text, 0)
}

fn parse_at(text: &str, depth: usize) -> Result<Expr, String> {
    let tokens = lex(text, depth)?;
    if tokens.is_empty() {
        return Ok(Expr::Identity);
    }
    let mut parser = Parser { tokens, next: 0, depth };
    let expr = match parser.definitions_only()? {
        Some(expr) => expr,
        None => parser.pipe()?,
    };
    match parser.peek() {
        None => Ok(expr),
        Some(token) => Err(unexpected(Some(token))),
    }
}

fn unexpected(token: Option<&Token>) -> String {
    let shown = match token {
        None => "end of file (Unix shell quoting issues?)".to_owned(),
        Some(Token::Symbol(symbol)) => format!("'{symbol}'"),
        Some(Token::Field(name)) => format!("FIELD .{name}"),
        Some(Token::Word(word)) => format!("IDENT {word}"),
        Some(Token::Variable(name)) => format!("'$' {name}"),
        Some(Token::Format(name)) => format!("FORMAT {name}"),
        Some(Token::Number(_)) => "LITERAL".to_owned(),
        Some(Token::Text(_)) => "QQSTRING_START".to_owned(),
    };
    format!("syntax error, unexpected {shown}")
}

fn lex(text: &str, depth: usize) -> Result<Vec<Token>, String> {
    if depth > DEPTH_MAX {
        return Err("the program is nested too deeply".to_owned());
    }
    let mut tokens = Vec::new();
    let mut rest = text;
    let name_len = |from: &str| from.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(from.len());
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if c.is_whitespace() {
            rest = after;
        } else if c == '#' {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if c == '"' {
            let (parts, left) = string(after, depth)?;
            tokens.push(Token::Text(parts));
            rest = left;
        } else if c == '.' && after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            let length = name_len(after);
            tokens.push(Token::Field(after[..length].to_owned()));
            rest = &after[length..];
        } else if c == '$' || c == '@' {
            let mut length = name_len(after);
            while c == '$' && after[length..].starts_with("::") {
                length += 2 + name_len(&after[length + 2..]);
            }
            let name = after[..length].to_owned();
            tokens.push(if c == '$' { Token::Variable(name) } else { Token::Format(name) });
            rest = &after[length..];
        } else if c.is_ascii_digit() || (c == '.' && after.starts_with(|c: char| c.is_ascii_digit())) {
            let mut length =
                rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E'))).unwrap_or(rest.len());
            if rest[..length].ends_with(['e', 'E']) && rest[length..].starts_with(['+', '-']) {
                length += 1 + rest[length + 1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - length - 1);
            }
            let number =
                Json::number(&rest[..length]).ok_or_else(|| format!("syntax error, bad number {}", &rest[..length]))?;
            tokens.push(Token::Number(number));
            rest = &rest[length..];
        } else if c.is_ascii_alphabetic() || c == '_' {
            let mut length = name_len(rest);
            while rest[length..].starts_with("::") {
                length += 2 + name_len(&rest[length + 2..]);
            }
            let word = &rest[..length];
            tokens.push(match word {
                "and" => Token::Symbol("and"),
                "or" => Token::Symbol("or"),
                word => Token::Word(word.to_owned()),
            });
            rest = &rest[length..];
        } else {
            let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
            let symbol = symbol.ok_or_else(|| format!("syntax error, unexpected INVALID_CHARACTER '{c}'"))?;
            tokens.push(Token::Symbol(symbol));
            rest = &rest[symbol.len()..];
        }
    }
    Ok(tokens)
}

/// A text behind its opening quote, and what follows it.
fn string(text: &str, depth: usize) -> Result<(Vec<Part>, &str), String> {
    let (mut parts, mut literal) = (Vec::new(), String::new());
    let mut rest = text;
    loop {
        let Some(c) = rest.chars().next() else {
            return Err("syntax error, unexpected end of file, expecting QQSTRING_TEXT or QQSTRING_INTERP_START or QQSTRING_END (Unix shell quoting issues?)".to_owned());
        };
        rest = &rest[c.len_utf8()..];
        match c {
            '"' => break,
            '\\' => {
                let Some(escape) = rest.chars().next() else { continue };
                rest = &rest[escape.len_utf8()..];
                match escape {
                    '(' => {
                        let end = closing(rest).ok_or("syntax error, unexpected end of file")?;
                        parts.push(Part::Literal(std::mem::take(&mut literal)));
                        parts.push(Part::Value(parse_at(&rest[..end], depth + 1)?.into()));
                        rest = &rest[end + 1..];
                    }
                    'n' => literal.push('\n'),
                    't' => literal.push('\t'),
                    'r' => literal.push('\r'),
                    'b' => literal.push('\x08'),
                    'f' => literal.push('\x0c'),
                    'u' => {
                        let code = rest.get(..4).and_then(|code| u32::from_str_radix(code, 16).ok());
                        rest = rest.get(4..).unwrap_or_default();
                        let low = rest.strip_prefix("\\u").and_then(|rest| rest.get(..4));
                        let low = low.and_then(|code| u32::from_str_radix(code, 16).ok());
                        match (code, low) {
                            (Some(high @ 0xd800..0xdc00), Some(low @ 0xdc00..0xe000)) => {
                                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                                literal.push(char::from_u32(code).unwrap_or('\u{fffd}'));
                                rest = rest.get(6..).unwrap_or_default();
                            }
                            _ => literal.push(code.and_then(char::from_u32).unwrap_or('\u{fffd}')),
                        }
                    }
                    '"' | '\\' | '/' => literal.push(escape),
                    _ => return Err("syntax error, unexpected INVALID_CHARACTER".to_owned()),
                }
            }
            c => literal.push(c),
        }
    }
    parts.push(Part::Literal(literal));
    Ok((parts, rest))
}

/// Where the parenthesis that is open ends.
fn closing(text: &str) -> Option<usize> {
    let (mut open, mut quoted, mut escaped) = (0, false, false);
    for (i, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '(' if !quoted => open += 1,
            ')' if !quoted && open == 0 => return Some(i),
            ')' if !quoted => open -= 1,
            _ => {}
        }
    }
    None
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

type Parsed = Result<Expr, String>;

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn takes(&mut self, symbol: &'static str) -> bool {
        let found = self.peek() == Some(&Token::Symbol(symbol));
        self.next += usize::from(found);
        found
    }

    fn word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(w)) if w == word);
        self.next += usize::from(found);
        found
    }

    fn want(&mut self, symbol: &'static str) -> Result<(), String> {
        if self.takes(symbol) { Ok(()) } else { Err(unexpected(self.peek())) }
    }

    fn want_word(&mut self, word: &str) -> Result<(), String> {
        if self.word(word) { Ok(()) } else { Err(unexpected(self.peek())) }
    }

    fn variable(&mut self) -> Result<Rc<str>, String> {
        match self.peek().cloned() {
            Some(Token::Variable(name)) => {
                self.next += 1;
                Ok(format!("${name}").into())
            }
            other => Err(unexpected(other.as_ref())),
        }
    }

    /// A program of definitions alone is `.` behind them.
    fn definitions_only(&mut self) -> Result<Option<Expr>, String> {
        if !matches!(self.peek(), Some(Token::Word(word)) if word == "def") {
            return Ok(None);
        }
        let start = self.next;
        let mut functions = Vec::new();
        while matches!(self.peek(), Some(Token::Word(word)) if word == "def") {
            functions.push(self.definition()?);
        }
        if self.peek().is_some() {
            self.next = start;
            return Ok(None);
        }
        let body = functions.into_iter().rev().fold(Expr::Identity, |body, def| Expr::Define(def, body.into()));
        Ok(Some(body))
    }

    fn definition(&mut self) -> Result<Rc<Function>, String> {
        self.next += 1;
        let name = match self.peek().cloned() {
            Some(Token::Word(name)) => name,
            other => return Err(unexpected(other.as_ref())),
        };
        self.next += 1;
        let mut parameters: Vec<Rc<str>> = Vec::new();
        if self.takes("(") {
            loop {
                match self.peek().cloned() {
                    Some(Token::Word(name)) => parameters.push(format!("{name}/0").into()),
                    Some(Token::Variable(name)) => parameters.push(format!("${name}").into()),
                    other => return Err(unexpected(other.as_ref())),
                }
                self.next += 1;
                if !self.takes(";") {
                    break;
                }
            }
            self.want(")")?;
        }
        self.want(":")?;
        let body = self.pipe()?;
        self.want(";")?;
        let name = format!("{name}/{}", parameters.len()).into();
        Ok(Rc::new(Function { name, parameters, body: body.into() }))
    }

    fn patterns(&mut self) -> Result<Rc<[Pattern]>, String> {
        let mut patterns = vec![self.pattern()?];
        while self.takes("?//") {
            patterns.push(self.pattern()?);
        }
        Ok(patterns.into())
    }

    fn pattern(&mut self) -> Result<Pattern, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("the program is nested too deeply".to_owned());
        }
        let pattern = if self.takes("[") {
            let mut items = vec![self.pattern()?];
            while self.takes(",") {
                items.push(self.pattern()?);
            }
            self.want("]")?;
            Pattern::Array(items)
        } else if self.takes("{") {
            let mut entries = Vec::new();
            loop {
                entries.push(self.pattern_entry()?);
                if !self.takes(",") {
                    break;
                }
            }
            self.want("}")?;
            Pattern::Object(entries)
        } else {
            Pattern::Variable(self.variable()?)
        };
        self.depth -= 1;
        Ok(pattern)
    }

    fn pattern_entry(&mut self) -> Result<PatternEntry, String> {
        let token = self.peek().cloned();
        self.next += 1;
        let (key, name) = match token {
            Some(Token::Variable(name)) => {
                (Expr::Literal(Json::text(&name)), Some(Rc::from(format!("${name}").as_str())))
            }
            Some(Token::Word(word)) => (Expr::Literal(Json::text(&word)), None),
            Some(Token::Text(parts)) => (Expr::Text(None, parts), None),
            Some(Token::Symbol("(")) => {
                let key = self.pipe()?;
                self.want(")")?;
                (key, None)
            }
            other => return Err(unexpected(other.as_ref())),
        };
        let pattern = if self.takes(":") { Some(self.pattern()?) } else { None };
        if name.is_none() && pattern.is_none() {
            return Err(unexpected(self.peek()));
        }
        Ok((key.into(), name, pattern))
    }

    fn pipe(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("the program is nested too deeply".to_owned());
        }
        let whole = if matches!(self.peek(), Some(Token::Word(word)) if word == "def") {
            let function = self.definition()?;
            Expr::Define(function, self.pipe()?.into())
        } else if matches!(self.peek(), Some(Token::Word(word)) if word == "label") {
            self.next += 1;
            let name = self.variable()?;
            self.want("|")?;
            Expr::Label(name, self.pipe()?.into())
        } else {
            let left = self.comma()?;
            if self.takes("|") { Expr::Pipe(left.into(), self.pipe()?.into()) } else { left }
        };
        self.depth -= 1;
        Ok(whole)
    }

    fn comma(&mut self) -> Parsed {
        let mut left = self.assign()?;
        while self.takes(",") {
            left = Expr::Comma(left.into(), self.assign()?.into());
        }
        Ok(left)
    }

    fn assign(&mut self) -> Parsed {
        let left = self.alternative()?;
        let all =
            [("=", "="), ("|=", "|"), ("+=", "+"), ("-=", "-"), ("*=", "*"), ("/=", "/"), ("%=", "%"), ("//=", "//")];
        for (symbol, operator) in all {
            if self.takes(symbol) {
                let right: Sub = self.alternative()?.into();
                return Ok(assigned(operator, left.into(), right));
            }
        }
        Ok(left)
    }

    fn alternative(&mut self) -> Parsed {
        let left = self.binary(0)?;
        if self.takes("//") {
            return Ok(Expr::Alternative(left.into(), self.alternative()?.into()));
        }
        Ok(left)
    }

    /// Left-associative operators by how loosely they bind.
    fn binary(&mut self, level: usize) -> Parsed {
        const LEVELS: [&[&str]; 5] =
            [&["or"], &["and"], &["==", "!=", "<=", ">=", "<", ">"], &["+", "-"], &["*", "/", "%"]];
        let Some(operators) = LEVELS.get(level) else { return self.postfix() };
        let mut left = self.binary(level + 1)?;
        'more: loop {
            for operator in *operators {
                if self.takes(operator) {
                    let right = self.binary(level + 1)?.into();
                    left = match *operator {
                        "and" => Expr::And(left.into(), right),
                        "or" => Expr::Or(left.into(), right),
                        operator => Expr::Binary(operator, left.into(), right),
                    };
                    continue 'more;
                }
            }
            return Ok(left);
        }
    }

    /// `term as $x | body` binds as tightly as a term, and its body reaches as far as it can.
    fn postfix(&mut self) -> Parsed {
        let term = self.suffixes()?;
        if !self.word("as") {
            return Ok(term);
        }
        let patterns = self.patterns()?;
        self.want("|")?;
        Ok(Expr::As(term.into(), patterns, self.pipe()?.into()))
    }

    fn suffixes(&mut self) -> Parsed {
        let mut expr = self.term()?;
        loop {
            expr = match self.peek().cloned() {
                Some(Token::Field(name)) => {
                    self.next += 1;
                    Expr::Index(expr.into(), Expr::Literal(Json::text(&name)).into())
                }
                Some(Token::Symbol(".")) => {
                    self.next += 1;
                    match self.peek().cloned() {
                        Some(Token::Text(parts)) => {
                            self.next += 1;
                            Expr::Index(expr.into(), Expr::Text(None, parts).into())
                        }
                        Some(Token::Symbol("[")) => expr,
                        other => return Err(unexpected(other.as_ref())),
                    }
                }
                Some(Token::Symbol("[")) => {
                    self.next += 1;
                    self.brackets(expr)?
                }
                Some(Token::Symbol("?")) => {
                    self.next += 1;
                    Expr::Try(expr.into(), None)
                }
                _ => return Ok(expr),
            };
        }
    }

    fn brackets(&mut self, of: Expr) -> Parsed {
        if self.takes("]") {
            return Ok(Expr::Iterate(of.into()));
        }
        if self.takes(":") {
            let to = self.pipe()?;
            self.want("]")?;
            return Ok(Expr::Slice(of.into(), None, Some(to.into())));
        }
        let from = self.pipe()?;
        if self.takes(":") {
            if self.takes("]") {
                return Ok(Expr::Slice(of.into(), Some(from.into()), None));
            }
            let to = self.pipe()?;
            self.want("]")?;
            return Ok(Expr::Slice(of.into(), Some(from.into()), Some(to.into())));
        }
        self.want("]")?;
        Ok(Expr::Index(of.into(), from.into()))
    }

    fn term(&mut self) -> Parsed {
        let Some(token) = self.peek().cloned() else { return Err(unexpected(None)) };
        self.next += 1;
        match token {
            Token::Symbol(".") => match self.peek().cloned() {
                Some(Token::Text(parts)) => {
                    self.next += 1;
                    Ok(Expr::Index(Expr::Identity.into(), Expr::Text(None, parts).into()))
                }
                _ => Ok(Expr::Identity),
            },
            Token::Symbol("..") => Ok(Expr::Recurse),
            Token::Symbol("-") => {
                self.depth += 1;
                if self.depth > DEPTH_MAX {
                    return Err("the program is nested too deeply".to_owned());
                }
                let negated = self.suffixes();
                self.depth -= 1;
                negated.map(|expr| Expr::Negate(expr.into()))
            }
            Token::Symbol("(") => {
                let inside = self.pipe()?;
                self.want(")")?;
                Ok(inside)
            }
            Token::Symbol("[") => {
                if self.takes("]") {
                    return Ok(Expr::Array(None));
                }
                let inside = self.pipe()?;
                self.want("]")?;
                Ok(Expr::Array(Some(inside.into())))
            }
            Token::Symbol("{") => self.object(),
            Token::Field(name) => Ok(Expr::Index(Expr::Identity.into(), Expr::Literal(Json::text(&name)).into())),
            Token::Number(number) => Ok(Expr::Literal(number)),
            Token::Text(parts) => Ok(Expr::Text(None, parts)),
            Token::Variable(name) if name == "__loc__" => {
                let place = [("file", Json::text("<top-level>")), ("line", Json::Number(1.0))];
                Ok(Expr::Literal(Json::Object(Rc::new(place.into_iter().map(|(k, v)| (k.into(), v)).collect()))))
            }
            Token::Variable(name) => Ok(Expr::Variable(format!("${name}").into())),
            Token::Format(name) => match self.peek().cloned() {
                Some(Token::Text(parts)) => {
                    self.next += 1;
                    Ok(Expr::Text(Some(name), parts))
                }
                _ => Ok(Expr::Format(name)),
            },
            Token::Word(word) => self.word_term(&word),
            other => Err(unexpected(Some(&other))),
        }
    }

    fn word_term(&mut self, word: &str) -> Parsed {
        match word {
            "null" => Ok(Expr::Literal(Json::Null)),
            "true" | "false" => Ok(Expr::Literal(Json::Bool(word == "true"))),
            "if" => self.condition(),
            "try" => {
                let body = self.suffixes()?;
                let otherwise = if self.word("catch") { Some(self.suffixes()?.into()) } else { None };
                Ok(Expr::Try(body.into(), otherwise))
            }
            "reduce" | "foreach" => {
                let source: Sub = self.suffixes()?.into();
                self.want_word("as")?;
                let patterns = self.patterns()?;
                self.want("(")?;
                let start: Sub = self.pipe()?.into();
                self.want(";")?;
                let update: Sub = self.pipe()?.into();
                let extract = if word == "foreach" && self.takes(";") { Some(self.pipe()?.into()) } else { None };
                self.want(")")?;
                Ok(match word {
                    "reduce" => Expr::Reduce(source, patterns, start, update),
                    _ => Expr::Foreach(source, patterns, start, update, extract),
                })
            }
            "break" => Ok(Expr::Break(self.variable()?)),
            "def" => {
                self.next -= 1;
                let function = self.definition()?;
                Ok(Expr::Define(function, self.pipe()?.into()))
            }
            "then" | "else" | "elif" | "end" | "as" | "catch" | "label" | "import" | "include" => {
                Err(format!("syntax error, unexpected {word}"))
            }
            _ => {
                let mut args: Vec<Sub> = Vec::new();
                if self.takes("(") {
                    args.push(self.pipe()?.into());
                    while self.takes(";") {
                        args.push(self.pipe()?.into());
                    }
                    self.want(")")?;
                }
                Ok(Expr::Call(format!("{word}/{}", args.len()).into(), args.into()))
            }
        }
    }

    fn condition(&mut self) -> Parsed {
        let condition = self.pipe()?;
        self.want_word("then")?;
        let then = self.pipe()?;
        let otherwise = if self.word("elif") {
            self.depth += 1;
            let inner = self.condition()?;
            self.depth -= 1;
            return Ok(Expr::If(condition.into(), then.into(), Some(inner.into())));
        } else if self.word("else") {
            Some(self.pipe()?.into())
        } else {
            None
        };
        self.want_word("end")?;
        Ok(Expr::If(condition.into(), then.into(), otherwise))
    }

    fn object(&mut self) -> Parsed {
        let mut entries: Vec<Sub> = Vec::new();
        while !self.takes("}") {
            if !entries.is_empty() {
                self.want(",")?;
            }
            let Some(token) = self.peek().cloned() else { return Err(unexpected(None)) };
            self.next += 1;
            let (key, short) = match token {
                Token::Word(name) => {
                    let key = Expr::Literal(Json::text(&name));
                    (key.clone(), Some(Expr::Index(Expr::Identity.into(), key.into())))
                }
                Token::Variable(name) if name == "__loc__" => {
                    self.next -= 1;
                    (Expr::Literal(Json::text(&name)), Some(self.term()?))
                }
                Token::Variable(name) => {
                    (Expr::Literal(Json::text(&name)), Some(Expr::Variable(format!("${name}").into())))
                }
                Token::Format(name) => {
                    let key = match self.peek().cloned() {
                        Some(Token::Text(parts)) => {
                            self.next += 1;
                            Expr::Text(Some(name), parts)
                        }
                        _ => Expr::Format(name),
                    };
                    (key.clone(), Some(Expr::Index(Expr::Identity.into(), key.into())))
                }
                Token::Text(parts) => {
                    let key = Expr::Text(None, parts);
                    (key.clone(), Some(Expr::Index(Expr::Identity.into(), key.into())))
                }
                Token::Number(_) => return Err("Object keys must be strings".to_owned()),
                Token::Symbol("(") => {
                    let key = self.pipe()?;
                    self.want(")")?;
                    (key, None)
                }
                other => return Err(unexpected(Some(&other))),
            };
            let value = match short {
                Some(short) if !self.takes(":") => short,
                short => {
                    if short.is_none() {
                        self.want(":")?;
                    }
                    let mut value = self.alternative()?;
                    while self.takes("|") {
                        value = Expr::Pipe(value.into(), self.alternative()?.into());
                    }
                    value
                }
            };
            entries.push(key.into());
            entries.push(value.into());
        }
        Ok(Expr::Object(entries.into()))
    }
}

/// `a = b`, `a += b` and the like, said with what there is.
fn assigned(operator: &'static str, left: Sub, right: Sub) -> Expr {
    let (value, path): (Rc<str>, Rc<str>) = ("$__value__".into(), "$__path__".into());
    let variable = |name: &Rc<str>| -> Sub { Expr::Variable(Rc::clone(name)).into() };
    let bound = |name: &Rc<str>| -> Rc<[Pattern]> { [Pattern::Variable(Rc::clone(name))].into() };
    let with = |body: Expr| Expr::As(Rc::clone(&right), bound(&value), body.into());
    match operator {
        "|" => Expr::Update(left, right),
        "=" => {
            let paths = Expr::Call("path/1".into(), [left].into()).into();
            let set = Expr::Call("setpath/2".into(), [variable(&path), variable(&value)].into()).into();
            with(Expr::Reduce(paths, bound(&path), Expr::Identity.into(), set))
        }
        "//" => with(Expr::Update(left, Expr::Alternative(Expr::Identity.into(), variable(&value)).into())),
        operator => with(Expr::Update(left, Expr::Binary(operator, Expr::Identity.into(), variable(&value)).into())),
    }
}

/// The first function or variable that nothing defines, as jq says it.
pub fn undefined(expr: &Expr, scope: &mut Vec<Rc<str>>, known: &dyn Fn(&str) -> bool) -> Option<String> {
    let before = scope.len();
    let sub = |expr: &Expr, scope: &mut Vec<Rc<str>>| undefined(expr, scope, known);
    let found = match expr {
        Expr::Identity | Expr::Recurse | Expr::Literal(_) | Expr::Format(_) | Expr::Array(None) => None,
        Expr::Variable(name) => match scope.contains(name) || &**name == "$ENV" {
            true => None,
            false => Some(format!("{name} is not defined")),
        },
        Expr::Break(name) => {
            let label = Rc::from(format!("*{name}").as_str());
            if scope.contains(&label) { None } else { Some(format!("$*label-{} is not defined", &name[1..])) }
        }
        Expr::Call(name, args) => match scope.contains(name) || known(name) {
            true => args.iter().find_map(|arg| sub(arg, scope)),
            false => Some(format!("{name} is not defined")),
        },
        Expr::Index(a, b)
        | Expr::Pipe(a, b)
        | Expr::Comma(a, b)
        | Expr::Binary(_, a, b)
        | Expr::And(a, b)
        | Expr::Or(a, b)
        | Expr::Alternative(a, b)
        | Expr::Update(a, b) => sub(a, scope).or_else(|| sub(b, scope)),
        Expr::Iterate(a) | Expr::Array(Some(a)) | Expr::Negate(a) | Expr::Try(a, None) => sub(a, scope),
        Expr::Try(a, Some(b)) => sub(a, scope).or_else(|| sub(b, scope)),
        Expr::Slice(a, b, c) => {
            let more = [b, c].into_iter().flatten().find_map(|e| sub(e, scope));
            sub(a, scope).or(more)
        }
        Expr::Text(_, parts) => parts.iter().find_map(|part| match part {
            Part::Literal(_) => None,
            Part::Value(expr) => sub(expr, scope),
        }),
        Expr::Object(entries) => entries.iter().find_map(|entry| sub(entry, scope)),
        Expr::If(a, b, c) => {
            let last = c.as_ref().and_then(|c| sub(c, scope));
            sub(a, scope).or_else(|| sub(b, scope)).or(last)
        }
        Expr::As(source, patterns, body) => sub(source, scope).or_else(|| {
            patterns.iter().for_each(|pattern| pattern.names(scope));
            sub(body, scope)
        }),
        Expr::Reduce(source, patterns, start, update) => {
            sub(source, scope).or_else(|| sub(start, scope)).or_else(|| {
                patterns.iter().for_each(|pattern| pattern.names(scope));
                sub(update, scope)
            })
        }
        Expr::Foreach(source, patterns, start, update, extract) => {
            sub(source, scope).or_else(|| sub(start, scope)).or_else(|| {
                patterns.iter().for_each(|pattern| pattern.names(scope));
                sub(update, scope).or_else(|| extract.as_ref().and_then(|extract| sub(extract, scope)))
            })
        }
        Expr::Label(name, body) => {
            scope.push(format!("*{name}").into());
            sub(body, scope)
        }
        Expr::Define(function, body) => {
            scope.push(Rc::clone(&function.name));
            let inside = scope.len();
            for parameter in &function.parameters {
                scope.push(Rc::clone(parameter));
                if let Some(name) = parameter.strip_prefix('$') {
                    scope.push(format!("{name}/0").into());
                }
            }
            let found = sub(&function.body, scope);
            scope.truncate(inside);
            found.or_else(|| sub(body, scope))
        }
    };
    scope.truncate(before);
    found
}
