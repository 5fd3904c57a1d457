//! jq's language as a tree.
//!
//! Source: the jq manual (1.7). Not read: `def`, `foreach`, `label`, `import`, destructuring.

use super::json::Json;

/// Parentheses, brackets and operators inside each other.
const DEPTH_MAX: usize = 60;

#[derive(Clone, PartialEq, Debug)]
pub enum Expr {
    Identity,
    /// `..`
    Recurse,
    /// `a.b`, `a[b]`
    Index(Box<Expr>, Box<Expr>),
    Slice(Box<Expr>, Option<Box<Expr>>, Option<Box<Expr>>),
    /// `a[]`
    Iterate(Box<Expr>),
    Literal(Json),
    /// `"a \(b) c"`, with the format that is applied to what is put in.
    Text(Option<String>, Vec<Part>),
    Array(Option<Box<Expr>>),
    Object(Vec<(Expr, Expr)>),
    Negate(Box<Expr>),
    Pipe(Box<Expr>, Box<Expr>),
    Comma(Box<Expr>, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    If(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    Try(Box<Expr>, Option<Box<Expr>>),
    Variable(String),
    /// `a as $x | b`
    As(Box<Expr>, String, Box<Expr>),
    Reduce(Box<Expr>, String, Box<Expr>, Box<Expr>),
    Call(String, Vec<Expr>),
    /// `@base64`
    Format(String),
    /// `=`, `|=`, `+=` …
    Assign(&'static str, Box<Expr>, Box<Expr>),
}

#[derive(Clone, PartialEq, Debug)]
pub enum Part {
    Literal(String),
    Value(Expr),
}

#[derive(Clone, PartialEq, Debug)]
enum Token {
    Symbol(&'static str),
    /// `.name`
    Field(String),
    Word(String),
    Variable(String),
    Format(String),
    Number(f64),
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
    let expr = parser.pipe()?;
    match parser.peek() {
        None => Ok(expr),
        Some(token) => Err(unexpected(Some(token))),
    }
}

fn unexpected(token: Option<&Token>) -> String {
    let shown = match token {
        None => "end of file".to_owned(),
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
            let length = name_len(after);
            let name = after[..length].to_owned();
            tokens.push(if c == '$' { Token::Variable(name) } else { Token::Format(name) });
            rest = &after[length..];
        } else if c.is_ascii_digit() || (c == '.' && after.starts_with(|c: char| c.is_ascii_digit())) {
            let mut length =
                rest.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E'))).unwrap_or(rest.len());
            if rest[..length].ends_with(['e', 'E']) && rest[length..].starts_with(['+', '-']) {
                length += 1 + rest[length + 1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - length - 1);
            }
            let number = rest[..length].parse().map_err(|_| format!("syntax error, bad number {}", &rest[..length]))?;
            tokens.push(Token::Number(number));
            rest = &rest[length..];
        } else if c.is_ascii_alphabetic() || c == '_' {
            let length = name_len(rest);
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
        let Some(c) = rest.chars().next() else { return Err("syntax error, unexpected end of file".to_owned()) };
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
                        parts.push(Part::Value(parse_at(&rest[..end], depth + 1)?));
                        rest = &rest[end + 1..];
                    }
                    'n' => literal.push('\n'),
                    't' => literal.push('\t'),
                    'r' => literal.push('\r'),
                    'b' => literal.push('\x08'),
                    'f' => literal.push('\x0c'),
                    'u' => {
                        let code = rest.get(..4).and_then(|code| u32::from_str_radix(code, 16).ok());
                        literal.push(code.and_then(char::from_u32).unwrap_or('\u{fffd}'));
                        rest = rest.get(4..).unwrap_or_default();
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

    fn variable(&mut self) -> Result<String, String> {
        match self.peek().cloned() {
            Some(Token::Variable(name)) => {
                self.next += 1;
                Ok(name)
            }
            other => Err(unexpected(other.as_ref())),
        }
    }

    fn pipe(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("the program is nested too deeply".to_owned());
        }
        let left = self.comma()?;
        let whole = if self.word("as") {
            let name = self.variable()?;
            self.want("|")?;
            Expr::As(left.into(), name, self.pipe()?.into())
        } else if self.takes("|") {
            Expr::Pipe(left.into(), self.pipe()?.into())
        } else {
            left
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
        for (symbol, operator) in
            [("=", "="), ("|=", "|"), ("+=", "+"), ("-=", "-"), ("*=", "*"), ("/=", "/"), ("%=", "%"), ("//=", "//")]
        {
            if self.takes(symbol) {
                return Ok(Expr::Assign(operator, left.into(), self.alternative()?.into()));
            }
        }
        Ok(left)
    }

    fn alternative(&mut self) -> Parsed {
        let left = self.binary(0)?;
        if self.takes("//") {
            return Ok(Expr::Binary("//", left.into(), self.alternative()?.into()));
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
                    left = Expr::Binary(operator, left.into(), self.binary(level + 1)?.into());
                    continue 'more;
                }
            }
            return Ok(left);
        }
    }

    fn postfix(&mut self) -> Parsed {
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
                let negated = self.postfix();
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
            Token::Number(number) => Ok(Expr::Literal(Json::Number(number))),
            Token::Text(parts) => Ok(Expr::Text(None, parts)),
            Token::Variable(name) => Ok(Expr::Variable(name)),
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
                let body = self.postfix()?;
                let otherwise = if self.word("catch") { Some(self.postfix()?.into()) } else { None };
                Ok(Expr::Try(body.into(), otherwise))
            }
            "reduce" => {
                let source = self.postfix()?;
                self.want_word("as")?;
                let name = self.variable()?;
                self.want("(")?;
                let start = self.pipe()?;
                self.want(";")?;
                let update = self.pipe()?;
                self.want(")")?;
                Ok(Expr::Reduce(source.into(), name, start.into(), update.into()))
            }
            "then" | "else" | "elif" | "end" | "as" | "catch" | "def" | "foreach" | "label" | "import" => {
                Err(format!("syntax error, unexpected {word}"))
            }
            _ => {
                let mut args = Vec::new();
                if self.takes("(") {
                    args.push(self.pipe()?);
                    while self.takes(";") {
                        args.push(self.pipe()?);
                    }
                    self.want(")")?;
                }
                if super::builtins::known(word, args.len()) {
                    return Ok(Expr::Call(word.to_owned(), args));
                }
                Err(format!("{word}/{} is not defined", args.len()))
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
        let mut entries = Vec::new();
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
                Token::Variable(name) => (Expr::Literal(Json::text(&name)), Some(Expr::Variable(name))),
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
            entries.push((key, value));
        }
        Ok(Expr::Object(entries))
    }
}
