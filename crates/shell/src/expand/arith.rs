//! Arithmetic: `$((…))`, `((…))` and `let`, on 64-bit integers that wrap, with assignments (POSIX.1 XCU 2.6.4).

use super::super::state::State;
use super::super::syntax::Dialect;
use super::super::variables::NotSet;

const MAX_DEPTH: u32 = 50;

/// Binary operators that are not assignments, with their precedence, loosest first.
const BINARY: [(&str, u8); 18] = [
    ("||", 1),
    ("&&", 2),
    ("==", 6),
    ("!=", 6),
    ("<=", 7),
    (">=", 7),
    ("<<", 8),
    (">>", 8),
    ("**", 11),
    ("|", 3),
    ("^", 4),
    ("&", 5),
    ("<", 7),
    (">", 7),
    ("+", 9),
    ("-", 9),
    ("*", 10),
    ("/", 10),
];

struct Evaluator<'a> {
    text: &'a [u8],
    pos: usize,
    state: &'a mut State,
    depth: u32,
    /// Where the last operand began, for messages.
    operand: usize,
    /// In the branch of `&&`, `||` or `?:` that does not count: no assignments, no division errors.
    skipping: bool,
}

/// The value of an expression; the error is the dialect's message without the shell's name.
pub fn evaluate(text: &str, state: &mut State) -> Result<i64, String> {
    evaluate_at(text, state, 0)
}

fn evaluate_at(text: &str, state: &mut State, depth: u32) -> Result<i64, String> {
    let mut evaluator = Evaluator { text: text.as_bytes(), pos: 0, state, depth, skipping: false, operand: 0 };
    evaluator.blanks();
    if evaluator.pos == text.len() {
        return Ok(0);
    }
    let value = evaluator.comma()?;
    if evaluator.pos < text.len() { Err(evaluator.syntax_error()) } else { Ok(value) }
}

impl Evaluator<'_> {
    fn blanks(&mut self) {
        while self.text.get(self.pos).is_some_and(u8::is_ascii_whitespace) {
            self.pos += 1;
        }
    }

    fn looking_at(&self, token: &str) -> bool {
        self.text[self.pos..].starts_with(token.as_bytes())
    }

    fn accept(&mut self, token: &str) -> bool {
        self.blanks();
        let found = self.looking_at(token);
        if found {
            self.pos += token.len();
            self.blanks();
        }
        found
    }

    fn syntax_error(&self) -> String {
        let text = String::from_utf8_lossy(self.text);
        match self.state.dialect {
            Dialect::Ash => "arithmetic syntax error".into(),
            Dialect::Dash if self.pos >= self.text.len() => {
                format!("arithmetic expression: expecting primary: \"{text}\"")
            }
            Dialect::Dash => format!("arithmetic expression: expecting EOF: \"{text}\""),
            Dialect::Bash => {
                let rest = String::from_utf8_lossy(&self.text[self.pos.min(self.text.len())..]).into_owned();
                let what = if rest.is_empty() { "operand expected" } else { "invalid arithmetic operator" };
                let rest = if rest.is_empty() {
                    text.trim_end().chars().last().map(String::from).unwrap_or_default()
                } else {
                    rest
                };
                format!("{}: syntax error: {what} (error token is \"{rest}\")", text.trim_start())
            }
        }
    }

    fn comma(&mut self) -> Result<i64, String> {
        let mut value = self.assignment()?;
        while self.accept(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn name(&mut self) -> Option<String> {
        let rest = &self.text[self.pos..];
        let len = rest.iter().take_while(|c| c.is_ascii_alphanumeric() || **c == b'_').count();
        let name = String::from_utf8_lossy(&rest[..len]).into_owned();
        if len == 0 || rest[0].is_ascii_digit() {
            return None;
        }
        self.pos += len;
        if self.state.dialect.is_bash() && self.text.get(self.pos) == Some(&b'[') {
            let mut depth = 0;
            let close = self.text[self.pos..].iter().position(|c| {
                depth += i32::from(*c == b'[') - i32::from(*c == b']');
                depth == 0
            });
            if let Some(close) = close {
                let index = String::from_utf8_lossy(&self.text[self.pos..=self.pos + close]).into_owned();
                self.pos += close + 1;
                return Some(name + &index);
            }
        }
        Some(name)
    }

    /// The variable, and the key if one element is meant.
    fn place(&mut self, name: &str) -> Result<(String, Option<String>), String> {
        let Some((array, index)) = name.split_once('[') else { return Ok((name.to_string(), None)) };
        let index = index.strip_suffix(']').unwrap_or(index);
        if self.state.is_keyed(array) {
            return Ok((array.to_string(), Some(index.trim_matches('"').to_string())));
        }
        let mut number = evaluate_at(index, self.state, self.depth + 5)?;
        if number < 0 {
            let last = self.state.entries(array).last().and_then(|(key, _)| key.parse::<i64>().ok()).unwrap_or(-1);
            number += last + 1;
        }
        Ok((array.to_string(), Some(number.to_string())))
    }

    fn assignment(&mut self) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("expression recursion level exceeded".into());
        }
        self.blanks();
        let start = self.pos;
        if let Some(name) = self.name() {
            self.blanks();
            let operators = ["<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "="];
            let operator =
                operators.into_iter().find(|op| self.looking_at(op) && !(*op == "=" && self.looking_at("==")));
            if let Some(operator) = operator {
                self.pos += operator.len();
                let right = self.assignment()?;
                let value = match operator.strip_suffix('=') {
                    Some("") | None => right,
                    Some(op) => {
                        let left = self.variable(&name)?;
                        self.apply(op, left, right)?
                    }
                };
                self.assign(&name, value)?;
                self.depth -= 1;
                return Ok(value);
            }
            self.pos = start;
        }
        let value = self.ternary()?;
        self.depth -= 1;
        Ok(value)
    }

    fn ternary(&mut self) -> Result<i64, String> {
        let condition = self.binary(1)?;
        if !self.accept("?") {
            return Ok(condition);
        }
        let skipping = self.skipping;
        self.skipping = skipping || condition == 0;
        let yes = self.comma()?;
        if !self.accept(":") {
            return Err(self.syntax_error());
        }
        self.skipping = skipping || condition != 0;
        let no = self.assignment()?;
        self.skipping = skipping;
        Ok(if condition != 0 { yes } else { no })
    }

    fn operator(&mut self) -> Option<(&'static str, u8)> {
        self.blanks();
        if self.looking_at("%") && !self.looking_at("%=") {
            return Some(("%", 10));
        }
        let found = BINARY.into_iter().find(|(op, _)| self.looking_at(op))?;
        let rest = &self.text[self.pos + found.0.len()..];
        let is_assignment = rest.first() == Some(&b'=') && !matches!(found.0, "==" | "!=" | "<=" | ">=" | "&&" | "||");
        (!is_assignment).then_some(found)
    }

    fn binary(&mut self, least: u8) -> Result<i64, String> {
        let mut left = self.unary()?;
        while let Some((operator, precedence)) = self.operator().filter(|(_, precedence)| *precedence >= least) {
            self.pos += operator.len();
            let skipping = self.skipping;
            self.skipping |= operator == "&&" && left == 0 || operator == "||" && left != 0;
            let right = self.binary(if operator == "**" { precedence } else { precedence + 1 })?;
            self.skipping = skipping;
            left = self.apply(operator, left, right)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("expression recursion level exceeded".into());
        }
        self.blanks();
        let steps = self.state.dialect != Dialect::Dash && (self.looking_at("++") || self.looking_at("--"));
        let value = if steps {
            self.accept("++");
            let step = if self.accept("--") { -1 } else { 1 };
            match self.name() {
                Some(name) => {
                    let value = self.variable(&name)?.wrapping_add(step);
                    self.assign(&name, value)?;
                    value
                }
                None => self.unary()?,
            }
        } else if self.accept("!") {
            i64::from(self.unary()? == 0)
        } else if self.accept("~") {
            !self.unary()?
        } else if self.accept("-") {
            self.unary()?.wrapping_neg()
        } else if self.accept("+") {
            self.unary()?
        } else {
            self.primary()?
        };
        self.depth -= 1;
        Ok(value)
    }

    fn primary(&mut self) -> Result<i64, String> {
        self.operand = self.pos;
        if self.accept("(") {
            let value = self.comma()?;
            return if self.accept(")") { Ok(value) } else { Err(self.syntax_error()) };
        }
        if let Some(name) = self.name() {
            let value = self.variable(&name)?;
            self.blanks();
            let step = if self.state.dialect == Dialect::Dash {
                return Ok(value);
            } else if self.looking_at("++") {
                1
            } else if self.looking_at("--") {
                -1
            } else {
                return Ok(value);
            };
            self.pos += 2;
            self.assign(&name, value.wrapping_add(step))?;
            return Ok(value);
        }
        self.literal()
    }

    fn literal(&mut self) -> Result<i64, String> {
        let rest = &self.text[self.pos..];
        let in_base = |c: u8| self.state.dialect.is_bash() && matches!(c, b'#' | b'@' | b'_');
        let len = rest.iter().take_while(|c| c.is_ascii_alphanumeric() || in_base(**c)).count();
        let token = String::from_utf8_lossy(&rest[..len]).into_owned();
        let value = number(&token, self.state.dialect);
        if value.is_none() && self.state.dialect.is_bash() && token.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(format!("{token}: value too great for base (error token is \"{token}\")"));
        }
        match value {
            Some(value) => {
                self.pos += len;
                Ok(value)
            }
            None => Err(self.syntax_error()),
        }
    }

    /// A variable's value; as in C, a name in it is looked up in turn.
    fn variable(&mut self, name: &str) -> Result<i64, String> {
        if self.skipping {
            return Ok(0);
        }
        let (array, key) = self.place(name)?;
        let text = match self.state.element(&array, key.as_deref()) {
            Some(text) => text.trim().to_string(),
            None if name == "RANDOM"
                || name == "SECONDS"
                || name == "LINENO"
                || name == "EPOCHSECONDS"
                || name == "UID" =>
            {
                return Ok(self.state.computed(name));
            }
            None if self.state.flags.nounset => return Err(super::unset_message(self.state.dialect, name)),
            None => return Ok(0),
        };
        match number(&text, self.state.dialect) {
            _ if text.is_empty() => Ok(0),
            None if !self.state.dialect.is_bash() && self.state.dialect == Dialect::Dash => {
                Err(format!("Illegal number: {text}"))
            }
            Some(value) => Ok(value),
            None if self.depth >= MAX_DEPTH => Err("expression recursion level exceeded".into()),
            None => evaluate_at(&text, self.state, self.depth + 5),
        }
    }

    fn assign(&mut self, name: &str, value: i64) -> Result<(), String> {
        if self.skipping {
            return Ok(());
        }
        let dialect = self.state.dialect;
        let (array, key) = self.place(name)?;
        self.state.set_element(&array, key.as_deref(), value.to_string(), false).map_err(|why| match why {
            NotSet::ReadOnly => super::read_only_message(dialect, &array),
            NotSet::Wrong(message) => message,
        })
    }

    fn apply(&self, operator: &str, a: i64, b: i64) -> Result<i64, String> {
        if matches!(operator, "/" | "%") && b == 0 {
            if self.skipping {
                return Ok(0);
            }
            let text = String::from_utf8_lossy(self.text).into_owned();
            return Err(match self.state.dialect {
                Dialect::Ash => "divide by zero".into(),
                Dialect::Dash => format!("arithmetic expression: division by zero: \"{text}\""),
                Dialect::Bash => {
                    let token = String::from_utf8_lossy(&self.text[self.operand..]).into_owned();
                    format!("{}: division by 0 (error token is \"{token}\")", text.trim_start())
                }
            });
        }
        Ok(match operator {
            "||" => i64::from(a != 0 || b != 0),
            "&&" => i64::from(a != 0 && b != 0),
            "==" => i64::from(a == b),
            "!=" => i64::from(a != b),
            "<=" => i64::from(a <= b),
            ">=" => i64::from(a >= b),
            "<" => i64::from(a < b),
            ">" => i64::from(a > b),
            "<<" => a.wrapping_shl((b & 63) as u32),
            ">>" => a.wrapping_shr((b & 63) as u32),
            "|" => a | b,
            "^" => a ^ b,
            "&" => a & b,
            "+" => a.wrapping_add(b),
            "-" => a.wrapping_sub(b),
            "*" => a.wrapping_mul(b),
            "/" => a.wrapping_div(b),
            "%" => a.wrapping_rem(b),
            _ if b < 0 => return Err("exponent less than 0".into()),
            _ => a.wrapping_pow(u32::try_from(b).unwrap_or(u32::MAX)),
        })
    }
}

/// Decimal, `0x` hexadecimal, `0` octal and `base#digits`; a minus sign for values of variables.
fn number(token: &str, dialect: Dialect) -> Option<i64> {
    if let Some(rest) = token.strip_prefix('-').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        return number(rest, dialect).map(i64::wrapping_neg);
    }
    let wraps = dialect != Dialect::Dash;
    if let Some(digits) = token.strip_prefix("0x").or_else(|| token.strip_prefix("0X")) {
        return in_base(digits, 16, wraps);
    }
    if let Some((base, digits)) = token.split_once('#').filter(|_| dialect.is_bash()) {
        let base = base.parse::<u32>().ok().filter(|base| (2..=64).contains(base))?;
        return in_base(digits, base, wraps);
    }
    if token.len() > 1 && token.starts_with('0') {
        return in_base(token, 8, wraps);
    }
    in_base(token, 10, wraps)
}

/// Digits of a base up to 64, as bash writes them; too many of them wrap, or stop at the largest number.
fn in_base(digits: &str, base: u32, wraps: bool) -> Option<i64> {
    if digits.is_empty() {
        return None;
    }
    let mut value: i64 = 0;
    for c in digits.chars() {
        let digit = match c {
            '0'..='9' => c as u32 - '0' as u32,
            'a'..='z' => c as u32 - 'a' as u32 + 10,
            'A'..='Z' if base <= 36 => c as u32 - 'A' as u32 + 10,
            'A'..='Z' => c as u32 - 'A' as u32 + 36,
            '@' => 62,
            '_' => 63,
            _ => return None,
        };
        if digit >= base {
            return None;
        }
        value = match wraps {
            true => value.wrapping_mul(i64::from(base)).wrapping_add(i64::from(digit)),
            false => value.saturating_mul(i64::from(base)).saturating_add(i64::from(digit)),
        };
    }
    Some(value)
}
