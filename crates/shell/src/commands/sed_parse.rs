//! `sed`: from script to commands (POSIX.1 XCU sed, with GNU's and busybox' additions).

use crate::regex::{Regex, Syntax};

/// Brackets in brackets.
const MAX_DEPTH: usize = 20;

#[derive(Clone, Debug)]
pub(super) struct Command {
    pub first: Option<Address>,
    pub second: Option<Address>,
    pub negated: bool,
    pub action: Action,
    /// Inside a range: the line that ends it, if that is known.
    pub active: Option<u64>,
}

#[derive(Clone, Debug)]
pub(super) enum Address {
    Line(u64),
    /// `first~step`
    Step(u64, u64),
    Last,
    /// `None`: the last expression used.
    Match(Option<Regex>),
    /// `+N` behind a comma.
    Plus(u64),
    /// `~N` behind a comma.
    Multiple(u64),
}

#[derive(Clone, Debug)]
pub(super) enum Action {
    /// Skips to the command behind the matching `}` unless the address fits.
    Block(usize),
    EndBlock,
    Substitute {
        regex: Option<Regex>,
        with: Vec<Piece>,
        which: usize,
        all: bool,
        print: bool,
        file: Option<String>,
        executes: bool,
    },
    Translate(Vec<(char, char)>),
    Append(String),
    Insert(String),
    Change(String),
    Delete,
    DeleteFirst,
    Print,
    PrintFirst,
    Next,
    NextAppended,
    Hold,
    HoldAppended,
    Get,
    GetAppended,
    Exchange,
    Number,
    List(usize),
    Quit(i32, bool),
    Read(String),
    Write(String),
    Label(String),
    /// Where to go on; `None` is the end.
    Branch(Option<usize>),
    BranchIf(Option<usize>),
    BranchUnless(Option<usize>),
    /// To be resolved to the three above.
    Jump(char, String),
    FileName,
    Zap,
}

/// A part of what replaces a match.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    Text(String),
    Group(usize),
    /// `\U`, `\L`, `\u`, `\l`, `\E`
    Case(char),
}

pub(super) struct Parser<'a> {
    text: &'a [char],
    pub pos: usize,
    extended: bool,
    gnu: bool,
    open: Vec<usize>,
    commands: Vec<Command>,
}

/// Reads a script.
///
/// # Errors
/// The message, with the place in characters.
pub(super) fn parse(text: &[char], extended: bool, gnu: bool) -> Result<Vec<Command>, (String, usize)> {
    let mut parser = Parser { text, pos: 0, extended, gnu, open: Vec::new(), commands: Vec::new() };
    match parser.script() {
        Ok(()) => Ok(parser.commands),
        Err(message) => Err((message, parser.pos)),
    }
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.pos).copied()
    }

    fn skip(&mut self, set: &str) {
        while self.peek().is_some_and(|c| set.contains(c)) {
            self.pos += 1;
        }
    }

    fn script(&mut self) -> Result<(), String> {
        loop {
            self.skip(" \t\n;");
            match self.peek() {
                None => break,
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.pos += 1;
                    }
                }
                Some(_) => self.command()?,
            }
        }
        if !self.open.is_empty() {
            self.pos = 0;
            return Err(if self.gnu { "unmatched `{'".into() } else { "unterminated {".into() });
        }
        self.resolve()
    }

    /// Labels become places.
    fn resolve(&mut self) -> Result<(), String> {
        let labels: Vec<(String, usize)> = self
            .commands
            .iter()
            .enumerate()
            .filter_map(|(i, command)| match &command.action {
                Action::Label(name) => Some((name.clone(), i)),
                _ => None,
            })
            .collect();
        for command in &mut self.commands {
            let Action::Jump(kind, label) = &command.action else { continue };
            let to = match label.as_str() {
                "" => None,
                label => match labels.iter().find(|(name, _)| name == label) {
                    Some((_, place)) => Some(*place),
                    None => {
                        return Err(match self.gnu {
                            true => format!("can't find label for jump to `{label}'"),
                            false => format!("can't find label for jump to '{label}'"),
                        });
                    }
                },
            };
            command.action = match kind {
                'b' => Action::Branch(to),
                't' => Action::BranchIf(to),
                _ => Action::BranchUnless(to),
            };
        }
        Ok(())
    }

    fn command(&mut self) -> Result<(), String> {
        let first = self.address(false)?;
        let mut second = None;
        self.skip(" \t");
        if first.is_some() && self.peek() == Some(',') {
            self.pos += 1;
            second = Some(self.address(true)?.ok_or_else(|| match self.gnu {
                true => "unexpected `,'".to_string(),
                false => "no address after comma".to_string(),
            })?);
        }
        if self.gnu && matches!(first, Some(Address::Line(0))) && !matches!(second, Some(Address::Match(_))) {
            return Err("invalid usage of line address 0".into());
        }
        self.skip(" \t");
        let negated = self.peek() == Some('!');
        self.skip("! \t");
        let Some(name) = self.peek() else {
            return Err("missing command".into());
        };
        self.pos += 1;
        if name == '}' {
            let open = self.open.pop().ok_or_else(|| match self.gnu {
                true => "unexpected `}'".to_string(),
                false => "unexpected }".to_string(),
            })?;
            let end = self.commands.len();
            if let Some(Command { action: Action::Block(to), .. }) = self.commands.get_mut(open) {
                *to = end;
            }
            self.push(None, None, false, Action::EndBlock);
            return self.end_of_command();
        }
        if name == '{' {
            if self.open.len() >= MAX_DEPTH {
                return Err("too many {'s".into());
            }
            self.open.push(self.commands.len());
            self.push(first, second, negated, Action::Block(0));
            return Ok(());
        }
        let action = self.action(name)?;
        self.push(first, second, negated, action);
        Ok(())
    }

    fn push(&mut self, first: Option<Address>, second: Option<Address>, negated: bool, action: Action) {
        self.commands.push(Command { first, second, negated, action, active: None });
    }

    fn action(&mut self, name: char) -> Result<Action, String> {
        let action = match name {
            's' => return self.substitution(),
            'y' => {
                let delimiter = self.delimiter("y")?;
                let from = unescaped(&self.until(delimiter, true, "y")?, delimiter);
                let to = unescaped(&self.until(delimiter, false, "y")?, delimiter);
                if from.len() != to.len() {
                    return Err("strings for `y' command are different lengths".into());
                }
                Action::Translate(from.into_iter().zip(to).collect())
            }
            'a' => return Ok(Action::Append(self.text_argument()?)),
            'i' => return Ok(Action::Insert(self.text_argument()?)),
            'c' => return Ok(Action::Change(self.text_argument()?)),
            'r' => return Ok(Action::Read(self.rest_of_line())),
            'w' => return Ok(Action::Write(self.rest_of_line())),
            ':' => {
                self.skip(" \t");
                let label = self.label();
                if label.is_empty() {
                    return Err(if self.gnu { "\":\" lacks a label".into() } else { "missing label".into() });
                }
                return Ok(Action::Label(label));
            }
            'b' | 't' | 'T' => {
                self.skip(" \t");
                let label = self.label();
                return Ok(Action::Jump(name, label));
            }
            'd' => Action::Delete,
            'D' => Action::DeleteFirst,
            'p' => Action::Print,
            'P' => Action::PrintFirst,
            'n' => Action::Next,
            'N' => Action::NextAppended,
            'h' => Action::Hold,
            'H' => Action::HoldAppended,
            'g' => Action::Get,
            'G' => Action::GetAppended,
            'x' => Action::Exchange,
            '=' => Action::Number,
            'l' => {
                self.skip(" \t");
                let width = if self.peek().is_some_and(|c| c.is_ascii_digit()) { self.number() as usize } else { 70 };
                Action::List(width)
            }
            'q' | 'Q' => {
                self.skip(" \t");
                Action::Quit(self.number() as i32, name == 'q')
            }
            'F' if self.gnu => Action::FileName,
            'z' if self.gnu => Action::Zap,
            'e' | 'W' | 'R' | 'v' if self.gnu => return Err(format!("Batchyard's sed has no command {name}")),
            other => {
                return Err(match self.gnu {
                    true => format!("unknown command: `{other}'"),
                    false => format!("unsupported command {other}"),
                });
            }
        };
        self.end_of_command()?;
        Ok(action)
    }

    /// What may stand behind a command that takes no text.
    fn end_of_command(&mut self) -> Result<(), String> {
        self.skip(" \t");
        match self.peek() {
            None | Some('\n' | ';' | '}' | '#') => Ok(()),
            Some(_) => {
                self.pos += 1;
                Err("extra characters after command".into())
            }
        }
    }

    fn number(&mut self) -> u64 {
        let digits: String = self.text[self.pos..].iter().take_while(|c| c.is_ascii_digit()).take(18).collect();
        self.pos += digits.len();
        digits.parse().unwrap_or(0)
    }

    fn address(&mut self, second: bool) -> Result<Option<Address>, String> {
        self.skip(" \t");
        Ok(match self.peek() {
            Some('$') => {
                self.pos += 1;
                Some(Address::Last)
            }
            Some(c @ ('+' | '~')) if second => {
                self.pos += 1;
                let number = self.number();
                Some(if c == '+' { Address::Plus(number) } else { Address::Multiple(number) })
            }
            Some(c) if c.is_ascii_digit() => {
                let line = self.number();
                if self.peek() == Some('~') {
                    self.pos += 1;
                    return Ok(Some(Address::Step(line, self.number())));
                }
                Some(Address::Line(line))
            }
            Some(c @ ('/' | '\\')) => {
                self.pos += 1;
                let delimiter = if c == '\\' { self.peek().ok_or("unexpected `,'")? } else { c };
                self.pos += usize::from(c == '\\');
                let pattern = self.until(delimiter, true, "address")?;
                let (mut ignore_case, mut lines) = (false, false);
                while let Some(c @ ('I' | 'M')) = self.peek() {
                    self.pos += 1;
                    ignore_case |= c == 'I';
                    lines |= c == 'M';
                }
                Some(Address::Match(self.regex(&pattern, ignore_case, lines)?))
            }
            _ => None,
        })
    }

    /// An expression; an empty one is the last that was used.
    fn regex(&self, pattern: &str, ignore_case: bool, lines: bool) -> Result<Option<Regex>, String> {
        if pattern.is_empty() {
            return Ok(None);
        }
        let pattern = in_sets(pattern);
        let syntax = Syntax { extended: self.extended, ignore_case, lines, ..Syntax::default() };
        Regex::new(&pattern, syntax).map(Some).map_err(|why| match self.gnu {
            true => why,
            false => format!("bad regex '{pattern}': {why}"),
        })
    }

    fn delimiter(&mut self, command: &str) -> Result<char, String> {
        let delimiter = self.peek().filter(|c| !matches!(c, '\n' | '\\'));
        self.pos += usize::from(delimiter.is_some());
        delimiter.ok_or_else(|| self.unterminated(command))
    }

    fn unterminated(&self, command: &str) -> String {
        match (self.gnu, command) {
            (true, "address") => "unterminated address regex".into(),
            (true, command) => format!("unterminated `{command}' command"),
            (false, _) => "unmatched '/'".into(),
        }
    }

    /// Text up to an unescaped delimiter, which is consumed.
    fn until(&mut self, delimiter: char, in_pattern: bool, command: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut in_set = false;
        while let Some(c) = self.peek() {
            self.pos += 1;
            match c {
                '\\' => match self.peek() {
                    Some(next) => {
                        self.pos += 1;
                        match next {
                            // A delimiter that means something in expressions stays escaped when it is meant plain.
                            next if next == delimiter => {
                                if !in_pattern && matches!(next, '&') {
                                    out.push('\\');
                                }
                                out.push(next);
                            }
                            '\n' if in_pattern => out.push_str("\\n"),
                            next => {
                                out.push('\\');
                                out.push(next);
                            }
                        }
                    }
                    None => break,
                },
                '[' if in_pattern && !in_set => {
                    in_set = true;
                    out.push(c);
                    // The first `]` of a set is a plain one.
                    if self.peek() == Some('^') {
                        self.pos += 1;
                        out.push('^');
                    }
                    if self.peek() == Some(']') {
                        self.pos += 1;
                        out.push(']');
                    }
                }
                '[' if in_set && matches!(self.peek(), Some(':' | '.' | '=')) => {
                    let mark = self.peek().unwrap_or(':');
                    out.push('[');
                    let rest = &self.text[self.pos + 1..];
                    let end = rest.windows(2).position(|pair| pair == [mark, ']']);
                    let taken = end.map_or(1, |end| end + 3);
                    out.extend(&self.text[self.pos..self.pos + taken]);
                    self.pos += taken;
                }
                ']' if in_set => {
                    in_set = false;
                    out.push(c);
                }
                '\n' if in_pattern && self.gnu && command != "s" => break,
                c if c == delimiter && !in_set => return Ok(out),
                c => out.push(c),
            }
        }
        Err(self.unterminated(command))
    }

    fn substitution(&mut self) -> Result<Action, String> {
        let delimiter = self.delimiter("s")?;
        let pattern = self.until(delimiter, true, "s")?;
        let with = self.until(delimiter, false, "s")?;
        let (mut which, mut all, mut print, mut ignore_case, mut lines) = (1, false, false, false, false);
        let (mut file, mut executes) = (None, false);
        loop {
            match self.peek() {
                Some('g') => all = true,
                Some('p') => print = true,
                Some('i' | 'I') => ignore_case = true,
                Some('m' | 'M') if self.gnu => lines = true,
                Some('e') if self.gnu => executes = true,
                Some('w') => {
                    self.pos += 1;
                    file = Some(self.rest_of_line());
                    break;
                }
                Some('1'..='9') => {
                    which = usize::try_from(self.number()).unwrap_or(1);
                    continue;
                }
                Some('0') if self.gnu => return Err("number option to `s' command may not be zero".into()),
                Some(' ' | '\t') => {}
                None | Some(';' | '\n' | '}' | '#') => break,
                Some(_) => {
                    self.pos += 1;
                    return Err(if self.gnu {
                        "unknown option to `s'"
                    } else {
                        "bad option in substitution expression"
                    }
                    .into());
                }
            }
            self.pos += 1;
        }
        let regex = self.regex(&pattern, ignore_case, lines)?;
        let with = pieces(&with, self.gnu);
        let groups = regex.as_ref().map_or(9, Regex::groups);
        let highest = with.iter().filter_map(|piece| if let Piece::Group(n) = piece { Some(*n) } else { None }).max();
        if let Some(number) = highest.filter(|number| *number > groups) {
            return Err(format!("invalid reference \\{number} on `s' command's RHS"));
        }
        Ok(Action::Substitute { regex, with, which, all, print, file, executes })
    }

    /// A label: up to a semicolon or the end of the line.
    fn label(&mut self) -> String {
        let label: String = self.text[self.pos..].iter().take_while(|c| !matches!(c, '\n' | ';' | '}')).collect();
        self.pos += label.chars().count();
        label.trim().to_string()
    }

    fn rest_of_line(&mut self) -> String {
        self.skip(" \t");
        let text: String = self.text[self.pos..].iter().take_while(|c| **c != '\n').collect();
        self.pos += text.chars().count();
        text
    }

    /// The text of `a`, `i` and `c`: to the end of the line, and on behind each backslash.
    fn text_argument(&mut self) -> Result<String, String> {
        self.skip(" \t");
        if self.peek().is_none() {
            return Err(if self.gnu { "expected \\ after `a', `c' or `i'" } else { "expected \\ after [aic]" }.into());
        }
        if self.peek() == Some('\\') {
            self.pos += 1;
            let newline = self.text[self.pos..].iter().take_while(|c| matches!(c, ' ' | '\t')).count();
            if self.text.get(self.pos + newline) == Some(&'\n') {
                self.pos += newline + 1;
            }
        }
        let mut text = String::new();
        while let Some(c) = self.peek() {
            self.pos += 1;
            match c {
                '\n' => break,
                '\\' => match self.peek() {
                    Some('t') => {
                        self.pos += 1;
                        text.push('\t');
                    }
                    Some(next) => {
                        self.pos += 1;
                        text.push(next);
                    }
                    None => {}
                },
                c => text.push(c),
            }
        }
        Ok(text)
    }
}

/// `\n` and `\t` count within sets too; other backslashes there are plain.
fn in_sets(pattern: &str) -> String {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    let mut in_set = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' if in_set => match chars.peek() {
                Some('n') => {
                    chars.next();
                    out.push('\n');
                }
                Some('t') => {
                    chars.next();
                    out.push('\t');
                }
                Some('r') => {
                    chars.next();
                    out.push('\r');
                }
                Some('f') => {
                    chars.next();
                    out.push('\x0c');
                }
                Some(']') | Some(_) | None => out.push('\\'),
            },
            '\\' => {
                out.push('\\');
                out.extend(chars.next());
            }
            '[' if !in_set => {
                in_set = true;
                out.push('[');
                out.extend(chars.next_if_eq(&'^'));
                out.extend(chars.next_if_eq(&']'));
            }
            '[' if matches!(chars.peek(), Some(':' | '.' | '=')) => {
                let mark = chars.next().unwrap_or(':');
                out.extend(['[', mark]);
                while let Some(c) = chars.next() {
                    out.push(c);
                    if c == mark && chars.peek() == Some(&']') {
                        out.extend(chars.next());
                        break;
                    }
                }
            }
            ']' => {
                in_set = false;
                out.push(']');
            }
            c => out.push(c),
        }
    }
    out
}

/// The characters of a part of `y`.
fn unescaped(text: &str, delimiter: char) -> Vec<char> {
    let mut out = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('\\') => out.push('\\'),
            Some(c) if c == delimiter => out.push(c),
            Some(c) => out.extend(['\\', c]),
            None => out.push('\\'),
        }
    }
    out
}

/// What replaces a match, taken apart.
fn pieces(with: &str, gnu: bool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut chars = with.chars();
    let flush = |text: &mut String, pieces: &mut Vec<Piece>| {
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(text)));
        }
    };
    while let Some(c) = chars.next() {
        match c {
            '&' => {
                flush(&mut text, &mut pieces);
                pieces.push(Piece::Group(0));
            }
            '\\' => match chars.next() {
                Some(digit @ '0'..='9') => {
                    flush(&mut text, &mut pieces);
                    pieces.push(Piece::Group(digit as usize - '0' as usize));
                }
                Some('n') => text.push('\n'),
                Some('t') => text.push('\t'),
                Some('r') => text.push('\r'),
                Some('f') => text.push('\x0c'),
                Some('v') => text.push('\x0b'),
                Some('a') if gnu => text.push('\x07'),
                Some(kind @ ('U' | 'L' | 'u' | 'l' | 'E')) if gnu => {
                    flush(&mut text, &mut pieces);
                    pieces.push(Piece::Case(kind));
                }
                Some(other) => text.push(other),
                None => {}
            },
            c => text.push(c),
        }
    }
    flush(&mut text, &mut pieces);
    pieces
}
