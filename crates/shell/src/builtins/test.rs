//! `test`, `[`, and the operators that `[[` shares with them (POSIX.1 XCU test).

use std::cmp::Ordering;

use crate::host::{System, resolve};
use crate::syntax::Dialect;

/// The files that tests look at.
pub(crate) struct Files<'a> {
    pub cwd: &'a str,
    pub system: &'a dyn System,
}

/// One-argument operators; `None` if there is no such operator.
pub(crate) fn unary(operator: &str, text: &str, files: &Files<'_>) -> Option<bool> {
    let path = resolve(files.cwd, text);
    let device =
        matches!(path.as_str(), "/dev/null" | "/dev/zero" | "/dev/tty" | "/dev/stdin" | "/dev/stdout" | "/dev/stderr");
    let info = files.system.info(&path).ok();
    Some(match operator {
        "-n" => !text.is_empty(),
        "-z" => text.is_empty(),
        "-e" | "-a" => info.is_some() || device,
        "-f" => info.is_some_and(|info| !info.directory()),
        "-d" => info.is_some_and(|info| info.directory()),
        "-s" => info.is_some_and(|info| info.size > 0),
        "-r" | "-w" | "-O" | "-G" => info.is_some() || device,
        "-x" => info.is_some_and(|info| info.executable() || info.directory()),
        "-c" => device,
        "-L" | "-h" | "-p" | "-S" | "-b" | "-g" | "-u" | "-k" | "-t" => false,
        _ => return None,
    })
}

/// Numeric comparison operators.
pub(crate) fn compare(operator: &str, a: i64, b: i64) -> bool {
    match operator {
        "-eq" => a == b,
        "-ne" => a != b,
        "-lt" => a < b,
        "-le" => a <= b,
        "-gt" => a > b,
        _ => a >= b,
    }
}

/// Two-argument operators; `None` if there is no such operator, `Err` with the word that is no number.
pub(crate) fn binary(a: &str, operator: &str, b: &str, files: &Files<'_>) -> Option<Result<bool, String>> {
    let number = |text: &str| text.trim().parse::<i64>().map_err(|_| text.to_string());
    let modified = |text: &str| files.system.info(&resolve(files.cwd, text)).map(|info| info.modified).ok();
    Some(Ok(match operator {
        "=" | "==" => a == b,
        "!=" => a != b,
        "<" => a.cmp(b) == Ordering::Less,
        ">" => a.cmp(b) == Ordering::Greater,
        "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" => match (number(a), number(b)) {
            (Ok(a), Ok(b)) => compare(operator, a, b),
            (Err(text), _) | (_, Err(text)) => return Some(Err(text)),
        },
        "-nt" => modified(a) > modified(b),
        "-ot" => modified(a) < modified(b),
        "-ef" => resolve(files.cwd, a) == resolve(files.cwd, b),
        _ => return None,
    }))
}

struct Parser<'a> {
    args: &'a [String],
    pos: usize,
    files: &'a Files<'a>,
    dialect: Dialect,
    depth: u32,
}

/// The arguments between `[` and `]`; the error has no shell name in front.
pub(crate) fn evaluate(args: &[String], files: &Files<'_>, dialect: Dialect) -> Result<bool, String> {
    let mut parser = Parser { args, pos: 0, files, dialect, depth: 0 };
    if args.is_empty() {
        return Ok(false);
    }
    // POSIX decides by the number of arguments, so that operands may look like operators.
    if let [a, operator, b] = args
        && let Some(result) = binary(a, operator, b, files)
    {
        return result.map_err(|text| parser.bad_number(&text));
    }
    if let [only] = args {
        return Ok(!only.is_empty());
    }
    let value = parser.or()?;
    match args.get(parser.pos) {
        None => Ok(value),
        Some(word) if dialect == Dialect::Ash => Err(format!("{word}: unknown operand")),
        Some(_) if args.len() == 3 => Err(format!("{}: binary operator expected", args[1])),
        Some(_) => Err("too many arguments".into()),
    }
}

impl Parser<'_> {
    fn bad_number(&self, text: &str) -> String {
        match self.dialect {
            Dialect::Ash => format!("{text}: bad number"),
            Dialect::Bash => format!("{text}: integer expression expected"),
        }
    }

    fn accept(&mut self, word: &str) -> bool {
        let found = self.args.get(self.pos).is_some_and(|arg| arg == word);
        self.pos += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut value = self.and()?;
        while self.accept("-o") {
            value |= self.and()?;
        }
        Ok(value)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut value = self.not()?;
        while self.accept("-a") {
            value &= self.not()?;
        }
        Ok(value)
    }

    fn not(&mut self) -> Result<bool, String> {
        let mut negated = false;
        while self.args.len() - self.pos > 1 && self.accept("!") {
            negated = !negated;
        }
        Ok(self.primary()? != negated)
    }

    fn primary(&mut self) -> Result<bool, String> {
        let missing = || "argument expected".to_string();
        let rest = &self.args[self.pos.min(self.args.len())..];
        if let [a, operator, b, ..] = rest
            && let Some(result) = binary(a, operator, b, self.files)
        {
            self.pos += 3;
            return result.map_err(|text| self.bad_number(&text));
        }
        if rest.first().is_some_and(|word| word == "(") {
            self.depth += 1;
            if self.depth > 50 {
                return Err("too many arguments".into());
            }
            self.pos += 1;
            let value = self.or()?;
            return if self.accept(")") { Ok(value) } else { Err("closing paren expected".into()) };
        }
        if let [operator, operand, ..] = rest
            && let Some(value) = unary(operator, operand, self.files)
        {
            self.pos += 2;
            return Ok(value);
        }
        let word = rest.first().ok_or_else(missing)?;
        self.pos += 1;
        Ok(!word.is_empty())
    }
}
