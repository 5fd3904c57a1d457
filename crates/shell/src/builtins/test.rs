//! `test`, `[`, and the operators that `[[` shares with them (POSIX.1 XCU test).

use std::cmp::Ordering;

use crate::host::{FileKind, System, resolve};
use crate::syntax::Dialect;

/// The files that tests look at.
pub(crate) struct Files<'a> {
    pub cwd: &'a str,
    pub system: &'a dyn System,
    /// Descriptors that are pipes.
    pub pipes: &'a [u32],
    /// Whether standard input and output are a terminal.
    pub terminal: bool,
}

impl<'a> Files<'a> {
    pub fn of(cwd: &'a str, system: &'a dyn System) -> Files<'a> {
        Files { cwd, system, pipes: &[], terminal: false }
    }
}

/// One-argument operators; `None` if there is no such operator.
pub(crate) fn unary(operator: &str, text: &str, files: &Files<'_>) -> Option<bool> {
    let path = resolve(files.cwd, text);
    let descriptor = match path.as_str() {
        "/dev/stdin" => Some(0),
        "/dev/stdout" => Some(1),
        "/dev/stderr" => Some(2),
        _ => path.strip_prefix("/dev/fd/").and_then(|fd| fd.parse::<u32>().ok()),
    };
    let pipe = descriptor.is_some_and(|fd| files.pipes.contains(&fd));
    let device = matches!(
        path.as_str(),
        "/dev/null"
            | "/dev/zero"
            | "/dev/full"
            | "/dev/tty"
            | "/dev/random"
            | "/dev/urandom"
            | "/dev/stdin"
            | "/dev/stdout"
            | "/dev/stderr"
    );
    let info = if text.is_empty() { None } else { files.system.info(&path).ok() };
    let (_, user) = files.system.user();
    let permits = |bit: u32| {
        info.is_some_and(|info| {
            let shift = if info.user == user { 6 } else { 0 };
            user == 0 && bit != 1 || info.mode >> shift & bit != 0 || user == 0 && info.mode & 0o111 != 0
        }) || device && bit != 1
    };
    Some(match operator {
        "-n" => !text.is_empty(),
        "-z" => text.is_empty(),
        "-e" | "-a" => info.is_some() || device || descriptor.is_some(),
        "-f" => info.is_some_and(|info| info.kind == FileKind::File),
        "-d" => info.is_some_and(|info| info.directory()),
        "-s" => info.is_some_and(|info| info.size > 0),
        "-r" => permits(4),
        "-w" => permits(2),
        "-x" => permits(1) || info.is_some_and(|info| info.directory()),
        "-O" => info.is_some_and(|info| info.user == user),
        "-G" => info.is_some_and(|info| info.group == user),
        "-N" => info.is_some(),
        "-c" => device && !pipe,
        "-p" => pipe || info.is_some_and(|info| info.kind == FileKind::Pipe),
        "-L" | "-h" => files.system.link_info(&path).is_ok_and(|info| info.kind == FileKind::Link),
        "-u" => info.is_some_and(|info| info.mode & 0o4000 != 0),
        "-g" => info.is_some_and(|info| info.mode & 0o2000 != 0),
        "-k" => info.is_some_and(|info| info.mode & 0o1000 != 0),
        "-t" => files.terminal && matches!(text, "0" | "1" | "2"),
        "-S" | "-b" => false,
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

/// Whether a dialect's `[` knows an operator of two words.
fn is_known(operator: &str, dialect: Dialect) -> bool {
    !(dialect == Dialect::Dash && operator == "==")
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
        && is_known(operator, dialect)
        && let Some(result) = binary(a, operator, b, files)
    {
        return result.map_err(|text| parser.bad_number(&text));
    }
    if let [only] = args {
        return Ok(!only.is_empty());
    }
    if let [operator, operand] = args
        && dialect == Dialect::Bash
        && operator != "!"
    {
        return unary(operator, operand, files).ok_or(format!("{operator}: unary operator expected"));
    }
    let value = parser.or()?;
    match args.get(parser.pos) {
        None => Ok(value),
        Some(word) if dialect == Dialect::Ash => Err(format!("{word}: unknown operand")),
        Some(word) if dialect == Dialect::Dash => Err(format!("{word}: unexpected operator")),
        Some(_) if args.len() == 3 => Err(format!("{}: binary operator expected", args[1])),
        Some(_) => Err("too many arguments".into()),
    }
}

impl Parser<'_> {
    fn bad_number(&self, text: &str) -> String {
        match self.dialect {
            Dialect::Ash => format!("{text}: bad number"),
            Dialect::Dash => format!("Illegal number: {text}"),
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
            && is_known(operator, self.dialect)
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
