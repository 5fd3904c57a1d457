//! `awk`: from program text to a tree (POSIX.1 XCU awk, without user functions, `getline` and output redirection).

use crate::regex::Regex;

#[derive(Clone, Debug)]
pub(super) enum Expr {
    Number(f64),
    Text(String),
    /// `/re/` alone: a match on `$0`; as an argument, the expression itself.
    Regex(Regex),
    Place(Box<Place>),
    Assign(Box<Place>, char, Box<Expr>),
    /// `++x`, `x--`: step, and whether the old value is the result.
    Step(Box<Place>, f64, bool),
    Unary(char, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
    Has(Vec<Expr>, String),
    Call(String, Vec<Expr>),
}

/// What can be assigned to.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Variable(String),
    Field(Expr),
    Element(String, Vec<Expr>),
}

#[derive(Clone, Debug)]
pub(super) enum Statement {
    Print(Vec<Expr>),
    Printf(Vec<Expr>),
    Expr(Expr),
    If(Expr, Box<Statement>, Option<Box<Statement>>),
    While(Expr, Box<Statement>),
    Do(Box<Statement>, Expr),
    For(Box<Statement>, Expr, Box<Statement>, Box<Statement>),
    ForIn(String, String, Box<Statement>),
    Block(Vec<Statement>),
    Delete(String, Vec<Expr>),
    Next,
    Exit(Option<Expr>),
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

const OPERATORS: [&str; 34] = [
    "&&", "||", "==", "!=", "<=", ">=", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "!~", "{", "}", "(", ")", "[",
    "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", "<", ">", "~", "=",
];

#[derive(Clone, PartialEq, Debug)]
enum Token {
    Number(f64),
    Text(String),
    Regex(String),
    Word(String),
    Operator(&'static str),
    Newline,
    End,
}

pub(super) struct Parser {
    tokens: Vec<Token>,
    pos: usize,
    depth: u32,
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens: Vec<Token> = Vec::new();
    let mut i = 0;
    while let Some(c) = chars.get(i).copied() {
        let value_before = matches!(
            tokens.last(),
            Some(Token::Number(_) | Token::Text(_) | Token::Word(_) | Token::Operator(")" | "]" | "$" | "++" | "--"))
        );
        i += 1;
        match c {
            ' ' | '\t' | '\r' => {}
            '\\' if chars.get(i) == Some(&'\n') => i += 1,
            '\n' => tokens.push(Token::Newline),
            '#' => i += chars[i..].iter().position(|c| *c == '\n').unwrap_or(chars.len() - i),
            '"' | '/' if c == '"' || !value_before => {
                let mut raw = String::new();
                loop {
                    let next = *chars.get(i).ok_or("Unexpected end of string")?;
                    i += 1;
                    match next {
                        '\\' => {
                            let escaped = chars.get(i).copied().unwrap_or('\\');
                            i += 1;
                            if escaped != '/' {
                                raw.push('\\');
                            }
                            raw.push(escaped);
                        }
                        next if next == c => break,
                        next => raw.push(next),
                    }
                }
                tokens.push(match c {
                    '"' => Token::Text(crate::escapes::unescape(&raw, crate::escapes::Style::DollarQuotes).0),
                    _ => Token::Regex(raw),
                });
            }
            '$' => tokens.push(Token::Operator("$")),
            '?' => tokens.push(Token::Operator("?")),
            ':' => tokens.push(Token::Operator(":")),
            c if c.is_ascii_digit() || c == '.' => {
                let is_part = |at: usize| chars.get(at).is_some_and(|c| c.is_ascii_digit() || *c == '.');
                let start = i - 1;
                while is_part(i) {
                    i += 1;
                }
                if matches!(chars.get(i), Some('e' | 'E')) && chars.get(i + 1).is_some_and(char::is_ascii_digit) {
                    i += 2;
                    while is_part(i) {
                        i += 1;
                    }
                }
                let text: String = chars[start..i].iter().collect();
                tokens.push(Token::Number(text.parse().map_err(|_| format!("bad number {text}"))?));
            }
            c if c.is_alphabetic() || c == '_' => {
                let start = i - 1;
                while chars.get(i).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                    i += 1;
                }
                tokens.push(Token::Word(chars[start..i].iter().collect()));
            }
            _ => {
                let rest: String = chars[i - 1..].iter().take(2).collect();
                let operator =
                    OPERATORS.into_iter().find(|operator| rest.starts_with(operator)).ok_or("Unexpected token")?;
                i += operator.len() - 1;
                tokens.push(Token::Operator(operator));
            }
        }
    }
    tokens.push(Token::End);
    Ok(tokens)
}

/// # Errors
/// What is wrong, in busybox' words.
pub(super) fn parse(text: &str) -> Result<Vec<Rule>, String> {
    let mut parser = Parser { tokens: tokens(text)?, pos: 0, depth: 0 };
    let mut rules = Vec::new();
    loop {
        parser.skip_ends();
        if *parser.peek() == Token::End {
            return Ok(rules);
        }
        rules.push(parser.rule()?);
    }
}

type Parsed<T> = Result<T, String>;

impl Parser {
    fn peek(&self) -> &Token {
        self.tokens.get(self.pos).unwrap_or(&Token::End)
    }

    fn at(&self, operator: &str) -> bool {
        matches!(self.peek(), Token::Operator(found) if *found == operator)
    }

    fn accept(&mut self, operator: &str) -> bool {
        let found = self.at(operator);
        self.pos += usize::from(found);
        found
    }

    fn accept_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Word(found) if found == word);
        self.pos += usize::from(found);
        found
    }

    fn expect(&mut self, operator: &str) -> Parsed<()> {
        if self.accept(operator) { Ok(()) } else { Err("Unexpected token".into()) }
    }

    fn skip_newlines(&mut self) {
        while *self.peek() == Token::Newline {
            self.pos += 1;
        }
    }

    fn skip_ends(&mut self) {
        while *self.peek() == Token::Newline || self.at(";") {
            self.pos += 1;
        }
    }

    fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > 60 { Err("nested too deeply".into()) } else { Ok(()) }
    }

    fn rule(&mut self) -> Parsed<Rule> {
        let pattern = if self.accept_word("BEGIN") {
            Pattern::Begin
        } else if self.accept_word("END") {
            Pattern::End
        } else if self.at("{") {
            Pattern::Always
        } else {
            let first = self.expr()?;
            if self.accept(",") { Pattern::Range(first, self.expr()?) } else { Pattern::When(first) }
        };
        let action = if self.at("{") { self.statement()? } else { Statement::Print(Vec::new()) };
        Ok(Rule { pattern, action })
    }

    fn statement(&mut self) -> Parsed<Statement> {
        self.deeper()?;
        self.skip_newlines();
        let statement = self.statement_inner()?;
        self.depth -= 1;
        Ok(statement)
    }

    fn statement_inner(&mut self) -> Parsed<Statement> {
        if self.accept("{") {
            let mut list = Vec::new();
            loop {
                self.skip_ends();
                if self.accept("}") {
                    return Ok(Statement::Block(list));
                }
                list.push(self.statement()?);
            }
        }
        if self.accept(";") {
            return Ok(Statement::Block(Vec::new()));
        }
        let word = if let Token::Word(word) = self.peek() { word.clone() } else { String::new() };
        let keyword = ["if", "while", "do", "for"].contains(&word.as_str());
        self.pos += usize::from(keyword);
        match word.as_str() {
            "if" => {
                let condition = self.parenthesised()?;
                let yes = Box::new(self.statement()?);
                let back = self.pos;
                self.skip_ends();
                if self.accept_word("else") {
                    return Ok(Statement::If(condition, yes, Some(Box::new(self.statement()?))));
                }
                self.pos = back;
                Ok(Statement::If(condition, yes, None))
            }
            "while" => Ok(Statement::While(self.parenthesised()?, Box::new(self.statement()?))),
            "do" => {
                let body = Box::new(self.statement()?);
                self.skip_ends();
                if !self.accept_word("while") {
                    return Err("Unexpected token".into());
                }
                Ok(Statement::Do(body, self.parenthesised()?))
            }
            "for" => self.for_statement(),
            _ => {
                let statement = self.simple()?;
                if !self.accept(";") && *self.peek() != Token::Newline && !self.at("}") && *self.peek() != Token::End {
                    return Err("Unexpected token".into());
                }
                Ok(statement)
            }
        }
    }

    fn parenthesised(&mut self) -> Parsed<Expr> {
        self.expect("(")?;
        let expr = self.expr()?;
        self.expect(")")?;
        Ok(expr)
    }

    fn for_statement(&mut self) -> Parsed<Statement> {
        self.expect("(")?;
        if let [Token::Word(name), Token::Word(keyword), Token::Word(array), Token::Operator(")"), ..] =
            &self.tokens[self.pos..]
            && keyword == "in"
        {
            let (name, array) = (name.clone(), array.clone());
            self.pos += 4;
            return Ok(Statement::ForIn(name, array, Box::new(self.statement()?)));
        }
        let empty = || Statement::Block(Vec::new());
        let start = if self.at(";") { empty() } else { self.simple()? };
        self.expect(";")?;
        let condition = if self.at(";") { Expr::Number(1.0) } else { self.expr()? };
        self.expect(";")?;
        let step = if self.at(")") { empty() } else { self.simple()? };
        self.expect(")")?;
        Ok(Statement::For(Box::new(start), condition, Box::new(step), Box::new(self.statement()?)))
    }

    fn at_end_of_statement(&self) -> bool {
        matches!(self.peek(), Token::Newline | Token::End) || self.at(";") || self.at("}") || self.at(")")
    }

    fn simple(&mut self) -> Parsed<Statement> {
        let word = if let Token::Word(word) = self.peek() { word.clone() } else { String::new() };
        self.pos +=
            usize::from(["print", "printf", "next", "exit", "break", "continue", "delete"].contains(&word.as_str()));
        Ok(match word.as_str() {
            "print" | "printf" => {
                let list = if self.at_end_of_statement() { Vec::new() } else { self.list()? };
                if self.at(">") {
                    return Err("output redirection is not supported".into());
                }
                if word == "print" { Statement::Print(list) } else { Statement::Printf(list) }
            }
            "next" => Statement::Next,
            "break" => Statement::Break,
            "continue" => Statement::Continue,
            "exit" if self.at_end_of_statement() => Statement::Exit(None),
            "exit" => Statement::Exit(Some(self.expr()?)),
            "delete" => {
                let Token::Word(name) = self.peek().clone() else { return Err("Unexpected token".into()) };
                self.pos += 1;
                let keys = if self.accept("[") {
                    let keys = self.list()?;
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

    /// Expressions separated by commas; in `print`, a `>` ends them.
    fn list(&mut self) -> Parsed<Vec<Expr>> {
        let mut list = vec![self.expr()?];
        while self.accept(",") {
            self.skip_newlines();
            list.push(self.expr()?);
        }
        Ok(list)
    }

    fn expr(&mut self) -> Parsed<Expr> {
        self.deeper()?;
        let left = self.choice()?;
        let operator = ["=", "+=", "-=", "*=", "/=", "%=", "^="].into_iter().find(|operator| self.at(operator));
        let expr = match (operator, left) {
            (Some(operator), Expr::Place(place)) => {
                self.pos += 1;
                Expr::Assign(place, operator.chars().next().unwrap_or('='), Box::new(self.expr()?))
            }
            (Some(_), _) => return Err("Unexpected token".into()),
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
        let yes = self.expr()?;
        self.expect(":")?;
        Ok(Expr::Choice(Box::new(condition), Box::new(yes), Box::new(self.expr()?)))
    }

    fn level(&mut self, level: usize) -> Parsed<Expr> {
        const LEVELS: [&[&str]; 7] =
            [&["||"], &["&&"], &["~", "!~"], &["<", "<=", ">", ">=", "==", "!="], &[], &["+", "-"], &["*", "/", "%"]];
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        loop {
            if level == 2 && matches!(self.peek(), Token::Word(word) if word == "in") {
                self.pos += 1;
                let Token::Word(array) = self.peek().clone() else { return Err("Unexpected token".into()) };
                self.pos += 1;
                left = Expr::Has(vec![left], array);
                continue;
            }
            let operator = operators.iter().find(|operator| self.at(operator)).copied();
            if let Some(operator) = operator {
                self.pos += 1;
                self.skip_newlines();
                left = Expr::Binary(operator, Box::new(left), Box::new(self.level(level + 1)?));
            } else if level == 4 && self.starts_operand() {
                left = Expr::Binary(" ", Box::new(left), Box::new(self.level(level + 1)?));
            } else {
                return Ok(left);
            }
        }
    }

    /// Whether an operand comes next, which makes two neighbours a concatenation.
    fn starts_operand(&self) -> bool {
        match self.peek() {
            Token::Number(_) | Token::Text(_) => true,
            Token::Word(word) => word != "in",
            Token::Operator(operator) => matches!(*operator, "$" | "(" | "!" | "-" | "++" | "--"),
            _ => false,
        }
    }

    fn unary(&mut self) -> Parsed<Expr> {
        self.deeper()?;
        let operator = ["!", "-", "+"].into_iter().find(|operator| self.at(operator));
        let expr = match operator {
            Some(operator) => {
                self.pos += 1;
                Expr::Unary(operator.chars().next().unwrap_or('!'), Box::new(self.unary()?))
            }
            None => {
                let base = self.postfix()?;
                if self.accept("^") { Expr::Binary("^", Box::new(base), Box::new(self.unary()?)) } else { base }
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
                _ => Err("Unexpected token".into()),
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
        self.pos += 1;
        let expr = match token {
            Token::Number(number) => Expr::Number(number),
            Token::Text(text) => Expr::Text(text),
            Token::Regex(pattern) => Expr::Regex(Regex::extended(&pattern, false)?),
            Token::Operator("$") => Expr::Place(Box::new(Place::Field(self.postfix()?))),
            Token::Operator("(") => {
                let mut list = self.list()?;
                self.expect(")")?;
                if list.len() > 1 {
                    if !self.accept_word("in") {
                        return Err("Unexpected token".into());
                    }
                    let Token::Word(array) = self.peek().clone() else { return Err("Unexpected token".into()) };
                    self.pos += 1;
                    Expr::Has(list, array)
                } else {
                    // Parentheses make `(x) = 1` no assignment.
                    Expr::Unary('(', Box::new(list.remove(0)))
                }
            }
            Token::Word(name) if self.accept("(") => {
                let args = if self.at(")") { Vec::new() } else { self.list()? };
                self.expect(")")?;
                Expr::Call(name, args)
            }
            Token::Word(name) if name == "length" => Expr::Call(name, Vec::new()),
            Token::Word(name) if self.accept("[") => {
                let keys = self.list()?;
                self.expect("]")?;
                Expr::Place(Box::new(Place::Element(name, keys)))
            }
            Token::Word(name) if name == "function" || name == "getline" => {
                return Err(format!("{name} is not supported"));
            }
            Token::Word(name) => Expr::Place(Box::new(Place::Variable(name))),
            _ => return Err("Unexpected token".into()),
        };
        self.depth -= 1;
        Ok(expr)
    }
}
