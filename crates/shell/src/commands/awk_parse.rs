//! `awk`: from program text to a tree (POSIX.1 XCU awk, with functions, `getline`, redirections and `**`).

use std::rc::Rc;

use crate::regex::{Regex, Syntax};

const MAX_DEPTH: u32 = 120;

#[derive(Clone, Debug)]
pub(super) enum Expr {
    Number(f64),
    Text(String),
    /// `/re/` alone: a match on `$0`; as an argument, the expression itself.
    Regex(Rc<Regex>),
    Place(Place),
    Assign(Place, char, Box<Expr>),
    /// `++x`, `x--`: step, and whether the old value is the result.
    Step(Place, f64, bool),
    /// In parentheses: no place.
    Grouped(Box<Expr>),
    Unary(char, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
    Has(Vec<Expr>, String),
    Call(String, Vec<Expr>),
    Getline(Source, Option<Place>),
}

/// Where `getline` reads.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Input,
    File(Box<Expr>),
    Command(Box<Expr>),
}

/// What can be assigned to.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Variable(String),
    Field(Box<Expr>),
    Element(String, Vec<Expr>),
}

/// Where `print` writes.
#[derive(Clone, Debug)]
pub(super) enum Redirect {
    File(Expr),
    Append(Expr),
    Pipe(Expr),
}

#[derive(Clone, Debug)]
pub(super) enum Statement {
    Print(Vec<Expr>, Option<Redirect>),
    Printf(Vec<Expr>, Option<Redirect>),
    Expr(Expr),
    If(Expr, Box<Statement>, Option<Box<Statement>>),
    While(Expr, Box<Statement>),
    Do(Box<Statement>, Expr),
    For(Box<Statement>, Option<Expr>, Box<Statement>, Box<Statement>),
    ForIn(String, String, Box<Statement>),
    Block(Vec<Statement>),
    Delete(String, Vec<Expr>),
    Next,
    NextFile,
    Exit(Option<Expr>),
    Return(Option<Expr>),
    Break,
    Continue,
}

#[derive(Clone, Debug)]
pub(super) enum Pattern {
    Begin,
    End,
    Always,
    When(Expr),
    Range(Expr, Expr),
}

#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub pattern: Pattern,
    pub action: Statement,
}

#[derive(Clone, Debug)]
pub(super) struct Function {
    pub name: String,
    pub parameters: Vec<String>,
    pub body: Statement,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Text(String),
    Regex(String),
    Word(String),
    /// A name directly before a parenthesis.
    Called(String),
    Operator(&'static str),
    Newline,
    End,
}

const OPERATORS: [&str; 44] = [
    "**=", "&&", "||", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "^=", "**", "++", "--", ">>", "!~", "|&",
    "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", "<", ">", "|", "?", ":", "~", "$", "=",
    "\n", "@",
];

const KEYWORDS: [&str; 22] = [
    "BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "break", "continue", "next", "nextfile",
    "exit", "return", "delete", "in", "getline", "print", "printf", "switch", "case",
];

/// What is wrong with a program: in which line, and how it is said.
pub(super) struct Wrong {
    pub line: u32,
    pub near: String,
    pub message: Option<String>,
}

type Parsed<T> = Result<T, Wrong>;

pub(super) struct Parser {
    tokens: Vec<(Token, u32)>,
    pos: usize,
    depth: u32,
    /// Within `print`'s list, where `>` redirects.
    in_print: bool,
    /// Within `for (…)`, where `in` does not end an expression.
    no_in: bool,
    pub rules: Vec<Rule>,
    pub functions: Vec<Function>,
}

/// Reads a program.
pub(super) fn parse(text: &str) -> Parsed<Parser> {
    let tokens = lex(text)?;
    let mut parser =
        Parser { tokens, pos: 0, depth: 0, in_print: false, no_in: false, rules: Vec::new(), functions: Vec::new() };
    parser.program()?;
    Ok(parser)
}

fn lex(text: &str) -> Parsed<Vec<(Token, u32)>> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens: Vec<(Token, u32)> = Vec::new();
    let (mut i, mut line) = (0, 1);
    let wrong = |line: u32, message: &str| Wrong { line, near: String::new(), message: Some(message.to_string()) };
    while let Some(c) = chars.get(i).copied() {
        let next = chars.get(i + 1).copied();
        match c {
            ' ' | '\t' | '\r' => i += 1,
            '\\' if next == Some('\n') => {
                i += 2;
                line += 1;
            }
            '\\' if next == Some('\r') => i += 2,
            '#' => {
                while chars.get(i).is_some_and(|c| *c != '\n') {
                    i += 1;
                }
            }
            '\n' => {
                tokens.push((Token::Newline, line));
                line += 1;
                i += 1;
            }
            '"' => {
                let (text, end) = string(&chars, i + 1).ok_or_else(|| wrong(line, "Unexpected end of string"))?;
                tokens.push((Token::Text(text), line));
                i = end;
            }
            '/' if regex_may_follow(tokens.last().map(|(token, _)| token)) => {
                let (pattern, end) = regex(&chars, i + 1).ok_or_else(|| wrong(line, "Unexpected end of regex"))?;
                tokens.push((Token::Regex(pattern), line));
                i = end;
            }
            c if c.is_ascii_digit() || c == '.' && next.is_some_and(|c| c.is_ascii_digit()) => {
                let (number, end) = number(&chars, i);
                tokens.push((Token::Number(number), line));
                i = end;
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let start = i;
                while chars.get(i).is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    i += 1;
                }
                let word: String = chars[start..i].iter().collect();
                let called = chars.get(i) == Some(&'(') && !KEYWORDS.contains(&word.as_str());
                tokens.push((if called { Token::Called(word) } else { Token::Word(word) }, line));
            }
            _ => {
                let operator = OPERATORS.iter().find(|operator| {
                    operator.chars().zip(&chars[i..]).filter(|(a, b)| a == *b).count() == operator.len()
                });
                let operator = operator.ok_or_else(|| Wrong { line, near: c.to_string(), message: None })?;
                tokens.push((Token::Operator(operator), line));
                i += operator.len();
            }
        }
    }
    tokens.push((Token::Newline, line));
    tokens.push((Token::End, line));
    Ok(tokens)
}

fn number(chars: &[char], start: usize) -> (f64, usize) {
    if chars[start] == '0' && matches!(chars.get(start + 1), Some('x' | 'X')) {
        let digits: String = chars[start + 2..].iter().take_while(|c| c.is_ascii_hexdigit()).collect();
        return (u64::from_str_radix(&digits, 16).unwrap_or(0) as f64, start + 2 + digits.len());
    }
    let mut i = start;
    while chars.get(i).is_some_and(|c| c.is_ascii_digit() || *c == '.') {
        i += 1;
    }
    if matches!(chars.get(i), Some('e' | 'E')) {
        let sign = i + 1 + usize::from(matches!(chars.get(i + 1), Some('+' | '-')));
        if chars.get(sign).is_some_and(char::is_ascii_digit) {
            i = sign;
            while chars.get(i).is_some_and(char::is_ascii_digit) {
                i += 1;
            }
        }
    }
    let text: String = chars[start..i].iter().collect();
    (text.parse().unwrap_or(0.0), i)
}

/// A text behind its quote, and the place behind its end.
fn string(chars: &[char], mut i: usize) -> Option<(String, usize)> {
    let mut out = String::new();
    loop {
        match chars.get(i)? {
            '"' => return Some((out, i + 1)),
            '\n' => return None,
            '\\' => {
                i += 1;
                match chars.get(i)? {
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    'r' => out.push('\r'),
                    'a' => out.push('\x07'),
                    'b' => out.push('\x08'),
                    'f' => out.push('\x0c'),
                    'v' => out.push('\x0b'),
                    '\\' => out.push('\\'),
                    '"' => out.push('"'),
                    '/' => out.push('/'),
                    '\n' => {}
                    '0'..='7' => {
                        let digits: String = chars[i..].iter().take(3).take_while(|c| c.is_digit(8)).collect();
                        i += digits.len() - 1;
                        out.extend(u32::from_str_radix(&digits, 8).ok().and_then(char::from_u32));
                    }
                    // Other backslashes stay, for expressions and replacements to read.
                    other => out.extend(['\\', *other]),
                }
                i += 1;
            }
            c => {
                out.push(*c);
                i += 1;
            }
        }
    }
}

fn regex(chars: &[char], mut i: usize) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut in_set = false;
    loop {
        match chars.get(i)? {
            '/' if !in_set => return Some((out, i + 1)),
            '\n' => return None,
            '\\' if chars.get(i + 1) == Some(&'/') => {
                out.push('/');
                i += 2;
                continue;
            }
            '\\' => {
                out.push('\\');
                i += 1;
                out.push(*chars.get(i)?);
            }
            '[' if !in_set => {
                in_set = true;
                out.push('[');
                if chars.get(i + 1) == Some(&'^') {
                    out.push('^');
                    i += 1;
                }
                if chars.get(i + 1) == Some(&']') {
                    out.push(']');
                    i += 1;
                }
            }
            '[' if chars.get(i + 1) == Some(&':') => {
                out.push_str("[:");
                i += 1;
                while chars.get(i + 1).is_some_and(|c| *c != ']') {
                    i += 1;
                    out.push(chars[i]);
                }
                i += 1;
                out.push(']');
            }
            ']' => {
                in_set = false;
                out.push(']');
            }
            c => out.push(*c),
        }
        i += 1;
    }
}

/// Whether a slash begins an expression here, and is no division.
fn regex_may_follow(token: Option<&Token>) -> bool {
    match token {
        None | Some(Token::Newline) => true,
        Some(Token::Operator(operator)) => !matches!(*operator, ")" | "]" | "$" | "++" | "--"),
        Some(Token::Word(word)) => KEYWORDS.contains(&word.as_str()) && word != "getline",
        _ => false,
    }
}

/// The expression of awk.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern, Syntax { extended: true, set_escapes: true, ..Syntax::default() })
}

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.pos).map_or(&Token::End, |(token, _)| token)
    }

    fn at(&self, operator: &str) -> bool {
        matches!(self.peek(), Token::Operator(found) if *found == operator)
    }

    fn at_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Word(found) if found == word)
    }

    fn accept(&mut self, operator: &str) -> bool {
        let found = self.at(operator);
        self.pos += usize::from(found);
        found
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = self.at_word(word);
        self.pos += usize::from(found);
        found
    }

    fn expect(&mut self, operator: &str) -> Parsed<()> {
        if self.accept(operator) { Ok(()) } else { Err(self.unexpected()) }
    }

    fn unexpected(&self) -> Wrong {
        let line = self.tokens.get(self.pos).map_or(1, |(_, line)| *line);
        let near = match self.peek() {
            Token::Operator(operator) => (*operator).to_string(),
            Token::Word(word) | Token::Called(word) => word.clone(),
            Token::Text(text) => format!("\"{text}\""),
            Token::Number(number) => format!("{number}"),
            Token::Regex(pattern) => format!("/{pattern}/"),
            Token::Newline | Token::End => String::new(),
        };
        Wrong { line, near, message: None }
    }

    fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let line = self.tokens.get(self.pos).map_or(1, |(_, line)| *line);
            return Err(Wrong { line, near: String::new(), message: Some("nested too deeply".into()) });
        }
        Ok(())
    }

    fn skip_newlines(&mut self) {
        while matches!(self.peek(), Token::Newline) {
            self.pos += 1;
        }
    }

    fn skip_ends(&mut self) {
        while matches!(self.peek(), Token::Newline) || self.at(";") {
            self.pos += 1;
        }
    }

    fn name(&mut self) -> Parsed<String> {
        match self.peek().clone() {
            Token::Word(name) | Token::Called(name) if !KEYWORDS.contains(&name.as_str()) => {
                self.pos += 1;
                Ok(name)
            }
            _ => Err(self.unexpected()),
        }
    }

    fn program(&mut self) -> Parsed<()> {
        loop {
            self.skip_ends();
            if matches!(self.peek(), Token::End) {
                return Ok(());
            }
            if self.accept_word("function") || self.accept_word("func") {
                self.function()?;
                continue;
            }
            let pattern = if self.at("{") {
                Pattern::Always
            } else if self.accept_word("BEGIN") {
                Pattern::Begin
            } else if self.accept_word("END") {
                Pattern::End
            } else {
                let first = self.expr()?;
                if self.accept(",") {
                    self.skip_newlines();
                    Pattern::Range(first, self.expr()?)
                } else {
                    Pattern::When(first)
                }
            };
            let action = if self.at("{") {
                self.block()?
            } else if matches!(pattern, Pattern::Begin | Pattern::End) {
                return Err(self.unexpected());
            } else {
                Statement::Print(Vec::new(), None)
            };
            self.rules.push(Rule { pattern, action });
            if !(matches!(self.peek(), Token::Newline | Token::End) || self.at(";")) && self.at("}") {
                return Err(self.unexpected());
            }
        }
    }

    fn function(&mut self) -> Parsed<()> {
        let name = self.name()?;
        self.expect("(")?;
        let mut parameters = Vec::new();
        while !self.accept(")") {
            self.skip_newlines();
            parameters.push(self.name()?);
            self.skip_newlines();
            if !self.accept(",") && !self.at(")") {
                return Err(self.unexpected());
            }
            self.skip_newlines();
        }
        self.skip_newlines();
        let body = self.block()?;
        self.functions.push(Function { name, parameters, body });
        Ok(())
    }

    fn block(&mut self) -> Parsed<Statement> {
        self.deeper()?;
        self.expect("{")?;
        let mut list = Vec::new();
        loop {
            self.skip_ends();
            if self.accept("}") {
                self.depth -= 1;
                return Ok(Statement::Block(list));
            }
            if matches!(self.peek(), Token::End) {
                let line = self.tokens.last().map_or(1, |(_, line)| *line);
                return Err(Wrong { line, near: "end of file".into(), message: Some("missing }".into()) });
            }
            list.push(self.statement()?);
        }
    }

    /// A statement behind `if (…)` and the like, where newlines may come first.
    fn body(&mut self) -> Parsed<Statement> {
        self.skip_newlines();
        if self.accept(";") {
            return Ok(Statement::Block(Vec::new()));
        }
        self.statement()
    }

    fn statement(&mut self) -> Parsed<Statement> {
        self.deeper()?;
        let statement = self.statement_inner()?;
        self.depth -= 1;
        Ok(statement)
    }

    fn statement_inner(&mut self) -> Parsed<Statement> {
        if self.at("{") {
            return self.block();
        }
        if self.accept_word("if") {
            let condition = self.parenthesized()?;
            let yes = self.body()?;
            // `else` may stand behind a semicolon and newlines.
            let before = self.pos;
            self.skip_ends();
            if self.accept_word("else") {
                return Ok(Statement::If(condition, Box::new(yes), Some(Box::new(self.body()?))));
            }
            self.pos = before;
            return Ok(Statement::If(condition, Box::new(yes), None));
        }
        if self.accept_word("while") {
            let condition = self.parenthesized()?;
            if self.at(";") {
                self.pos += 1;
                return Ok(Statement::While(condition, Box::new(Statement::Block(Vec::new()))));
            }
            return Ok(Statement::While(condition, Box::new(self.body()?)));
        }
        if self.accept_word("do") {
            let body = self.body()?;
            self.skip_ends();
            if !self.accept_word("while") {
                return Err(self.unexpected());
            }
            let condition = self.parenthesized()?;
            self.end_of_statement()?;
            return Ok(Statement::Do(Box::new(body), condition));
        }
        if self.accept_word("for") {
            return self.for_statement();
        }
        let statement = self.simple()?;
        self.end_of_statement()?;
        Ok(statement)
    }

    fn end_of_statement(&mut self) -> Parsed<()> {
        match self.peek() {
            Token::Newline | Token::End => Ok(()),
            _ if self.at(";") || self.at("}") => Ok(()),
            _ => Err(self.unexpected()),
        }
    }

    fn parenthesized(&mut self) -> Parsed<Expr> {
        self.expect("(")?;
        let (in_print, no_in) = (std::mem::take(&mut self.in_print), std::mem::take(&mut self.no_in));
        let expr = self.expr()?;
        (self.in_print, self.no_in) = (in_print, no_in);
        self.expect(")")?;
        Ok(expr)
    }

    fn for_statement(&mut self) -> Parsed<Statement> {
        self.expect("(")?;
        let ahead: Vec<Token> = self.tokens[self.pos..].iter().take(4).map(|(token, _)| token.clone()).collect();
        if let [Token::Word(name), Token::Word(keyword), Token::Word(array), Token::Operator(")")] = ahead.as_slice()
            && keyword == "in"
        {
            self.pos += 4;
            return Ok(Statement::ForIn(name.clone(), array.clone(), Box::new(self.body()?)));
        }
        let empty = || Statement::Block(Vec::new());
        let start = if self.at(";") { empty() } else { self.simple()? };
        self.expect(";")?;
        self.skip_newlines();
        let condition = if self.at(";") { None } else { Some(self.expr()?) };
        self.expect(";")?;
        self.skip_newlines();
        let step = if self.at(")") { empty() } else { self.simple()? };
        self.expect(")")?;
        if self.accept(";") {
            return Ok(Statement::For(Box::new(start), condition, Box::new(step), Box::new(empty())));
        }
        Ok(Statement::For(Box::new(start), condition, Box::new(step), Box::new(self.body()?)))
    }

    fn ends_here(&self) -> bool {
        matches!(self.peek(), Token::Newline | Token::End)
            || [";", "}", ")", ">", ">>", "|"].iter().any(|operator| self.at(operator))
    }

    fn simple(&mut self) -> Parsed<Statement> {
        let word = if let Token::Word(word) = self.peek() { word.clone() } else { String::new() };
        let own = ["print", "printf", "next", "nextfile", "exit", "break", "continue", "delete", "return"];
        self.pos += usize::from(own.contains(&word.as_str()));
        Ok(match word.as_str() {
            "print" | "printf" => {
                let list = self.print_list()?;
                let redirect = self.redirect()?;
                if word == "print" {
                    Statement::Print(list, redirect)
                } else if list.is_empty() {
                    return Err(self.unexpected());
                } else {
                    Statement::Printf(list, redirect)
                }
            }
            "next" => Statement::Next,
            "nextfile" => Statement::NextFile,
            "break" => Statement::Break,
            "continue" => Statement::Continue,
            "exit" if self.ends_here() => Statement::Exit(None),
            "exit" => Statement::Exit(Some(self.expr()?)),
            "return" if self.ends_here() => Statement::Return(None),
            "return" => Statement::Return(Some(self.expr()?)),
            "delete" => {
                let name = self.name()?;
                let keys = if self.accept("[") {
                    let keys = self.list("]")?;
                    self.expect("]")?;
                    keys
                } else {
                    Vec::new()
                };
                Statement::Delete(name, keys)
            }
            _ => Statement::Expr(self.expr()?),
        })
    }

    /// What `print` prints: a list, in parentheses or not.
    fn print_list(&mut self) -> Parsed<Vec<Expr>> {
        if self.ends_here() {
            return Ok(Vec::new());
        }
        let start = self.pos;
        if self.accept("(") {
            let outside = std::mem::take(&mut self.in_print);
            let list = self.list(")")?;
            self.in_print = outside;
            self.expect(")")?;
            if self.ends_here() {
                return Ok(list);
            }
            self.pos = start;
        }
        let outside = std::mem::replace(&mut self.in_print, true);
        let list = self.list("")?;
        self.in_print = outside;
        Ok(list)
    }

    fn redirect(&mut self) -> Parsed<Option<Redirect>> {
        let kind = [">>", ">", "|"].into_iter().find(|operator| self.at(operator));
        let Some(kind) = kind else { return Ok(None) };
        self.pos += 1;
        // A concatenation would be ambiguous; awks take it whole, comparisons aside.
        let outside = std::mem::replace(&mut self.in_print, true);
        let target = self.level(4)?;
        self.in_print = outside;
        Ok(Some(match kind {
            ">>" => Redirect::Append(target),
            ">" => Redirect::File(target),
            _ => Redirect::Pipe(target),
        }))
    }

    /// Expressions separated by commas.
    fn list(&mut self, end: &str) -> Parsed<Vec<Expr>> {
        let mut list = Vec::new();
        if !end.is_empty() && self.at(end) {
            return Ok(list);
        }
        self.skip_inside(end);
        list.push(self.expr()?);
        loop {
            self.skip_inside(end);
            if !self.accept(",") {
                return Ok(list);
            }
            self.skip_newlines();
            list.push(self.expr()?);
        }
    }

    fn skip_inside(&mut self, end: &str) {
        if !end.is_empty() {
            self.skip_newlines();
        }
    }

    fn expr(&mut self) -> Parsed<Expr> {
        self.deeper()?;
        let left = self.choice()?;
        let operator = ["=", "+=", "-=", "*=", "/=", "%=", "^=", "**="].into_iter().find(|operator| self.at(operator));
        let expr = match (operator, left) {
            (Some(operator), Expr::Place(place)) => {
                self.pos += 1;
                self.skip_newlines();
                let operator = if operator == "**=" { '^' } else { operator.chars().next().unwrap_or('=') };
                Expr::Assign(place, operator, Box::new(self.expr()?))
            }
            // `1 + x = 2`, `!x = y`: the assignment belongs to the place on the right.
            (Some(_), Expr::Binary(operator, left, right)) if matches!(*right, Expr::Place(_)) => {
                let Expr::Place(place) = *right else { return Err(self.unexpected()) };
                let sign = ["=", "+=", "-=", "*=", "/=", "%=", "^=", "**="].into_iter().find(|sign| self.at(sign));
                self.pos += 1;
                let sign = sign.and_then(|sign| sign.chars().next()).unwrap_or('=');
                let value = Expr::Assign(place, sign, Box::new(self.expr()?));
                Expr::Binary(operator, left, Box::new(value))
            }
            (Some(_), Expr::Unary('!', inner)) if matches!(*inner, Expr::Place(_)) => {
                let Expr::Place(place) = *inner else { return Err(self.unexpected()) };
                self.pos += 1;
                Expr::Unary('!', Box::new(Expr::Assign(place, '=', Box::new(self.expr()?))))
            }
            (Some(_), _) => return Err(self.unexpected()),
            (None, left) => left,
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn choice(&mut self) -> Parsed<Expr> {
        let condition = self.level(0)?;
        if !self.accept("?") {
            return Ok(condition);
        }
        self.skip_newlines();
        let yes = self.expr()?;
        self.skip_newlines();
        self.expect(":")?;
        self.skip_newlines();
        Ok(Expr::Choice(Box::new(condition), Box::new(yes), Box::new(self.expr()?)))
    }

    fn level(&mut self, level: usize) -> Parsed<Expr> {
        const LEVELS: [&[&str]; 8] = [
            &["||"],
            &["&&"],
            &[],
            &["~", "!~"],
            &["<", "<=", ">", ">=", "==", "!="],
            &[],
            &["+", "-"],
            &["*", "/", "%"],
        ];
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        loop {
            if level == 2 && !self.no_in && self.at_word("in") {
                self.pos += 1;
                left = Expr::Has(vec![left], self.name()?);
                continue;
            }
            if level == 4 && !self.in_print && self.at("|") && self.getline_follows() {
                self.pos += 2;
                let place = self.optional_place()?;
                left = Expr::Getline(Source::Command(Box::new(left)), place);
                continue;
            }
            let operator =
                operators.iter().find(|operator| self.at(operator) && !(**operator == ">" && self.in_print)).copied();
            if let Some(operator) = operator {
                self.pos += 1;
                if level < 2 {
                    self.skip_newlines();
                }
                let right = Box::new(self.level(level + 1)?);
                left = Expr::Binary(operator, Box::new(left), right);
                if level == 4 && (self.in_print || !self.at("|")) {
                    // Comparisons do not chain.
                    let again = operators.iter().any(|next| self.at(next) && !(*next == ">" && self.in_print));
                    if again {
                        continue;
                    }
                    return Ok(left);
                }
            } else if level == 5 && self.starts_operand() {
                left = Expr::Binary(" ", Box::new(left), Box::new(self.level(level + 1)?));
            } else if level == 4 && self.in_print && self.at("|") && self.getline_follows() {
                self.pos += 2;
                let place = self.optional_place()?;
                left = Expr::Getline(Source::Command(Box::new(left)), place);
            } else {
                return Ok(left);
            }
        }
    }

    fn getline_follows(&self) -> bool {
        matches!(self.tokens.get(self.pos + 1), Some((Token::Word(word), _)) if word == "getline")
    }

    fn optional_place(&mut self) -> Parsed<Option<Place>> {
        let begins = match self.peek() {
            Token::Word(word) => !KEYWORDS.contains(&word.as_str()),
            Token::Operator("$") => true,
            _ => false,
        };
        if !begins {
            return Ok(None);
        }
        match self.primary()? {
            Expr::Place(place) => Ok(Some(place)),
            _ => Err(self.unexpected()),
        }
    }

    /// Whether an operand comes next, which makes two neighbours a concatenation.
    fn starts_operand(&self) -> bool {
        match self.peek() {
            Token::Number(_) | Token::Text(_) | Token::Called(_) | Token::Regex(_) => true,
            Token::Word(word) => !KEYWORDS.contains(&word.as_str()),
            Token::Operator(operator) => matches!(*operator, "$" | "(" | "!" | "-" | "+" | "++" | "--"),
            _ => false,
        }
    }

    fn unary(&mut self) -> Parsed<Expr> {
        self.deeper()?;
        let operator = ["!", "-", "+"].into_iter().find(|operator| self.at(operator));
        let expr = match operator {
            Some(operator) => {
                self.pos += 1;
                let inner = self.unary()?;
                Expr::Unary(operator.chars().next().unwrap_or('!'), Box::new(inner))
            }
            None => {
                let base = self.postfix()?;
                if self.accept("^") || self.accept("**") {
                    Expr::Binary("^", Box::new(base), Box::new(self.unary()?))
                } else {
                    base
                }
            }
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn postfix(&mut self) -> Parsed<Expr> {
        let step = |operator: &str| if operator == "++" { 1.0 } else { -1.0 };
        if let Some(operator) = ["++", "--"].into_iter().find(|operator| self.at(operator)) {
            self.pos += 1;
            return match self.primary()? {
                Expr::Place(place) => Ok(Expr::Step(place, step(operator), false)),
                _ => Err(self.unexpected()),
            };
        }
        let expr = self.primary()?;
        match (expr, ["++", "--"].into_iter().find(|operator| self.at(operator))) {
            (Expr::Place(place), Some(operator)) => {
                self.pos += 1;
                Ok(Expr::Step(place, step(operator), true))
            }
            (expr, _) => Ok(expr),
        }
    }

    fn primary(&mut self) -> Parsed<Expr> {
        self.deeper()?;
        let token = self.peek().clone();
        let start = self.pos;
        self.pos += 1;
        let expr = match token {
            Token::Number(number) => Expr::Number(number),
            Token::Text(text) => Expr::Text(text),
            Token::Regex(pattern) => {
                let line = self.tokens[start].1;
                let regex = compile(&pattern);
                Expr::Regex(Rc::new(regex.map_err(|why| Wrong { line, near: pattern, message: Some(why) })?))
            }
            Token::Operator("$") => {
                let index =
                    if self.at("-") || self.at("+") || self.at("!") { self.unary()? } else { self.postfix_of_field()? };
                Expr::Place(Place::Field(Box::new(index)))
            }
            Token::Operator("(") => {
                let (in_print, no_in) = (std::mem::take(&mut self.in_print), std::mem::take(&mut self.no_in));
                let mut list = self.list(")")?;
                (self.in_print, self.no_in) = (in_print, no_in);
                self.expect(")")?;
                if list.len() > 1 {
                    if !self.accept_word("in") {
                        return Err(self.unexpected());
                    }
                    Expr::Has(list, self.name()?)
                } else {
                    match list.pop() {
                        Some(inside) => Expr::Grouped(Box::new(inside)),
                        None => return Err(self.unexpected()),
                    }
                }
            }
            Token::Called(name) => {
                self.expect("(")?;
                let (in_print, no_in) = (std::mem::take(&mut self.in_print), std::mem::take(&mut self.no_in));
                let args = self.list(")")?;
                (self.in_print, self.no_in) = (in_print, no_in);
                self.expect(")")?;
                Expr::Call(name, args)
            }
            Token::Word(name) if name == "length" => {
                if self.accept("(") {
                    let args = self.list(")")?;
                    self.expect(")")?;
                    return self.shallower(Expr::Call(name, args));
                }
                Expr::Call(name, Vec::new())
            }
            Token::Word(name) if name == "getline" => {
                let place = self.optional_place()?;
                if self.accept("<") {
                    let file = self.level(6)?;
                    Expr::Getline(Source::File(Box::new(file)), place)
                } else {
                    Expr::Getline(Source::Input, place)
                }
            }
            Token::Word(name) if KEYWORDS.contains(&name.as_str()) => {
                self.pos = start;
                return Err(self.unexpected());
            }
            Token::Word(name) if self.accept("[") => {
                let (in_print, no_in) = (std::mem::take(&mut self.in_print), std::mem::take(&mut self.no_in));
                let keys = self.list("]")?;
                (self.in_print, self.no_in) = (in_print, no_in);
                self.expect("]")?;
                Expr::Place(Place::Element(name, keys))
            }
            Token::Word(name) => Expr::Place(Place::Variable(name)),
            _ => {
                self.pos = start;
                return Err(self.unexpected());
            }
        };
        self.shallower(expr)
    }

    fn shallower(&mut self, expr: Expr) -> Parsed<Expr> {
        self.depth -= 1;
        Ok(expr)
    }

    /// The index of `$`: `$i++` steps the field, `$NF-1` is a difference.
    fn postfix_of_field(&mut self) -> Parsed<Expr> {
        if self.at("++") || self.at("--") {
            return self.postfix();
        }
        self.primary()
    }
}
