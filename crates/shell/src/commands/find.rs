//! `find`: tests and actions on everything below its roots.

use super::fs::{base, remove_all};
use super::modes::{changed_mode, shown_mode};
use super::{Advance, Call, Outcome, Program, Request, State};
use crate::expand::pattern::Pattern;
use crate::host::{FileInfo, FileKind};
use crate::process::Read;
use crate::regex::Regex;
use values::time::SimTime;

/// Files looked at in one step.
const FILES: usize = 500;
const MAX_DEPTH: usize = 100;

#[derive(Clone, Debug)]
enum Expr {
    Not(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Comma(Box<Expr>, Box<Expr>),
    Name(Pattern),
    Path(Pattern),
    Regex(Regex),
    Kind(String),
    /// How it compares (`+`, `-` or neither), the number, and the unit in bytes.
    Size(char, u64, u64),
    /// Minutes or days, as seconds, since it was changed.
    Changed(char, i64, i64),
    Newer(SimTime),
    Mode(char, u32),
    User(u32),
    Group(u32),
    Empty,
    True,
    False,
    Print(&'static str),
    PrintFormat(String),
    List,
    Prune,
    Delete,
    Quit,
    /// The words, whether `{} +`, whether in the file's directory.
    Exec(usize),
}

#[derive(Clone, Debug)]
struct Exec {
    argv: Vec<String>,
    gathers: bool,
    in_place: bool,
    asks: bool,
    gathered: Vec<String>,
}

#[derive(Clone, Debug)]
struct Find {
    expr: Expr,
    execs: Vec<Exec>,
    /// What is still to be looked at, the next last: shown path, depth, and whether its inside was looked at.
    todo: Vec<(String, usize, bool)>,
    depth_first: bool,
    follows: bool,
    least: usize,
    most: usize,
    status: i32,
    /// Where an `-exec` stands: its file and how many were run for it, with what they came to.
    waiting: Option<(String, usize, Vec<bool>)>,
    answered: Option<i32>,
    quits: bool,
    now: SimTime,
}

pub fn find(call: &mut Call<'_>) -> Outcome {
    let mut args = call.args.to_vec();
    let mut follows = false;
    while let Some(option) = args.first().filter(|arg| matches!(arg.as_str(), "-L" | "-H" | "-P")) {
        follows = option == "-L";
        args.remove(0);
    }
    let starts = args
        .iter()
        .position(|arg| arg.starts_with('-') || arg == "(" || arg == "!" || arg == ")")
        .unwrap_or(args.len());
    let mut roots: Vec<String> = args.drain(..starts).collect();
    if roots.is_empty() {
        roots.push(".".into());
    }
    let mut parser = Parser {
        args: &args,
        pos: 0,
        call,
        execs: Vec::new(),
        acts: false,
        depth_first: false,
        least: 0,
        most: MAX_DEPTH,
        depth: 0,
    };
    let parsed = match args.is_empty() {
        true => Ok(Expr::True),
        false => parser.comma(),
    };
    let (done, acts) = (parser.pos >= args.len(), parser.acts);
    let (execs, depth_first, least, most) = (parser.execs, parser.depth_first, parser.least, parser.most);
    let rest = args.get(parser.pos).cloned().unwrap_or_default();
    let expr = match parsed {
        Ok(expr) if done => expr,
        Ok(_) => return wrong(call, &format!("paths must precede expression: `{rest}'"), &rest),
        Err(why) => return wrong(call, &why, &why),
    };
    let expr = if acts { expr } else { Expr::And(Box::new(expr), Box::new(Expr::Print("\n"))) };
    roots.reverse();
    let todo = roots.into_iter().map(|root| (root, 0, false)).collect();
    let now = call.system.now();
    Outcome::Runs(State::Program(Box::new(Find {
        expr,
        execs,
        todo,
        depth_first,
        follows,
        least,
        most,
        status: 0,
        waiting: None,
        answered: None,
        quits: false,
        now,
    })))
}

fn wrong(call: &mut Call<'_>, gnu: &str, busybox: &str) -> Outcome {
    let text = match call.is_ash() {
        true if busybox.contains(' ') => busybox.to_string(),
        true => format!("unrecognized: {busybox}"),
        false => gnu.to_string(),
    };
    call.err("find", &text);
    Outcome::Done(1)
}

struct Parser<'p, 'c> {
    args: &'p [String],
    pos: usize,
    call: &'p Call<'c>,
    execs: Vec<Exec>,
    acts: bool,
    depth_first: bool,
    least: usize,
    most: usize,
    depth: usize,
}

impl Parser<'_, '_> {
    fn peek(&self) -> Option<&str> {
        self.args.get(self.pos).map(String::as_str)
    }

    fn value(&mut self, name: &str) -> Result<String, String> {
        self.pos += 1;
        let value = self.args.get(self.pos - 1).cloned();
        value.ok_or_else(|| match self.call.is_ash() {
            true => format!("{name}: requires an argument"),
            false => format!("missing argument to `{name}'"),
        })
    }

    fn comma(&mut self) -> Result<Expr, String> {
        let mut left = self.or()?;
        while self.peek() == Some(",") {
            self.pos += 1;
            left = Expr::Comma(Box::new(left), Box::new(self.or()?));
        }
        Ok(left)
    }

    fn or(&mut self) -> Result<Expr, String> {
        let mut left = self.and()?;
        while matches!(self.peek(), Some("-o" | "-or")) {
            self.pos += 1;
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut left = self.not()?;
        loop {
            match self.peek() {
                Some("-a" | "-and") => self.pos += 1,
                None | Some("-o" | "-or" | ")" | ",") => return Ok(left),
                Some(_) => {}
            }
            left = Expr::And(Box::new(left), Box::new(self.not()?));
        }
    }

    fn not(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > 100 {
            return Err("the expression is nested too deeply".into());
        }
        let expr = if matches!(self.peek(), Some("!" | "-not")) {
            self.pos += 1;
            Expr::Not(Box::new(self.not()?))
        } else if self.peek() == Some("(") {
            self.pos += 1;
            let inner = self.comma()?;
            if self.peek() != Some(")") {
                return Err("invalid expression; expected to find a ')' but didn't see one. Perhaps you need an extra predicate after '-a'".into());
            }
            self.pos += 1;
            inner
        } else {
            self.primary()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn primary(&mut self) -> Result<Expr, String> {
        let Some(name) = self.peek().map(str::to_string) else {
            return Err("expected an expression after what stands there".into());
        };
        self.pos += 1;
        let gnu = !self.call.is_ash();
        let number = |text: &str| -> Result<(char, i64), String> {
            let sign = text.chars().next().filter(|c| matches!(c, '+' | '-')).unwrap_or(' ');
            let digits = text.trim_start_matches(['+', '-']);
            let bad =
                if gnu { format!("invalid argument `{text}' to `{name}'") } else { format!("invalid number '{text}'") };
            digits.parse().map(|number| (sign, number)).map_err(|_| bad)
        };
        Ok(match name.as_str() {
            "-name" => Expr::Name(Pattern::new(&self.value(&name)?)),
            "-iname" => Expr::Name(Pattern::with(&self.value(&name)?, false, true)),
            "-path" | "-wholename" => Expr::Path(Pattern::new(&self.value(&name)?)),
            "-ipath" => Expr::Path(Pattern::with(&self.value(&name)?, false, true)),
            "-regex" | "-iregex" => {
                let pattern = self.value(&name)?;
                Expr::Regex(Regex::basic(&format!("^{pattern}$"), name == "-iregex")?)
            }
            "-regextype" if gnu => {
                self.value(&name)?;
                Expr::True
            }
            "-type" | "-xtype" => Expr::Kind(self.value(&name)?),
            "-size" => {
                let text = self.value(&name)?;
                let unit = match text.chars().last() {
                    Some('c') => 1,
                    Some('w') => 2,
                    Some('k') => 1024,
                    Some('M') if gnu => 1 << 20,
                    Some('G') if gnu => 1 << 30,
                    _ => 512,
                };
                let (sign, count) = number(text.trim_end_matches(|c: char| c.is_ascii_alphabetic()))?;
                Expr::Size(sign, count.unsigned_abs(), unit)
            }
            "-mmin" | "-cmin" | "-amin" => {
                let (sign, count) = number(&self.value(&name)?)?;
                Expr::Changed(sign, count, 60)
            }
            "-mtime" | "-ctime" | "-atime" => {
                let (sign, count) = number(&self.value(&name)?)?;
                Expr::Changed(sign, count, 86_400)
            }
            "-newer" | "-newermt" | "-anewer" | "-cnewer" => {
                let value = self.value(&name)?;
                let time = match name.as_str() {
                    "-newermt" => super::date::read(&value, self.call.system.now(), false),
                    _ => self.call.system.info(&self.call.path(&value)).map(|info| info.modified).ok(),
                };
                Expr::Newer(time.ok_or_else(|| match gnu {
                    true => format!("'{value}': No such file or directory"),
                    false => format!("{value}: No such file or directory"),
                })?)
            }
            "-perm" => {
                let text = self.value(&name)?;
                let sign = text.chars().next().filter(|c| matches!(c, '-' | '/' | '+')).unwrap_or(' ');
                let mode = changed_mode(text.trim_start_matches(['-', '/', '+']), 0, false, 0);
                Expr::Mode(sign, mode.ok_or_else(|| format!("invalid mode '{text}'"))?)
            }
            "-user" | "-group" => {
                let value = self.value(&name)?;
                let number =
                    value.parse().ok().or_else(|| super::system::user_number(self.call, &value, name == "-group"));
                let number = number.ok_or_else(|| format!("unknown {} {value}", &name[1..]))?;
                if name == "-user" { Expr::User(number) } else { Expr::Group(number) }
            }
            "-nouser" | "-nogroup" => Expr::False,
            "-empty" => Expr::Empty,
            "-true" => Expr::True,
            "-false" if gnu => Expr::False,
            "-readable" | "-writable" if gnu => Expr::True,
            "-executable" => Expr::Mode('/', 0o111),
            "-maxdepth" | "-mindepth" => {
                let (_, depth) = number(&self.value(&name)?)?;
                let depth = usize::try_from(depth).unwrap_or(0);
                if name == "-maxdepth" {
                    self.most = depth
                } else {
                    self.least = depth
                }
                Expr::True
            }
            "-depth" | "-d" => {
                self.depth_first = true;
                Expr::True
            }
            "-mount" | "-xdev" | "-follow" | "-noleaf" | "-daystart" => Expr::True,
            "-print" => self.action(Expr::Print("\n")),
            "-print0" => self.action(Expr::Print("\0")),
            "-printf" if gnu => {
                let format = self.value(&name)?;
                self.action(Expr::PrintFormat(format))
            }
            "-ls" => self.action(Expr::List),
            "-prune" => Expr::Prune,
            "-quit" => self.action(Expr::Quit),
            "-delete" => {
                self.depth_first = true;
                self.action(Expr::Delete)
            }
            "-exec" | "-execdir" | "-ok" | "-okdir" => {
                let mut argv = Vec::new();
                let gathers = loop {
                    let word = self.value(&name)?;
                    match word.as_str() {
                        ";" => break false,
                        "+" if argv.last().is_some_and(|last| last == "{}") => break true,
                        _ => argv.push(word),
                    }
                };
                if argv.is_empty() {
                    return Err(format!("invalid argument `;' to `{name}'"));
                }
                let (in_place, asks) = (name.ends_with("dir"), name.starts_with("-ok"));
                self.execs.push(Exec { argv, gathers, in_place, asks, gathered: Vec::new() });
                self.action(Expr::Exec(self.execs.len() - 1))
            }
            other if other.starts_with('-') && gnu => return Err(format!("unknown predicate `{other}'")),
            other if gnu => return Err(format!("paths must precede expression: `{other}'")),
            other => return Err(other.to_string()),
        })
    }

    fn action(&mut self, expr: Expr) -> Expr {
        self.acts = true;
        expr
    }
}

/// A file that is looked at.
struct Here<'h> {
    shown: &'h str,
    path: String,
    info: FileInfo,
    depth: usize,
}

/// Why the expression stopped half way.
struct Runs(usize);

impl Program for Find {
    fn clone_box(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn name(&self) -> &'static str {
        "find"
    }

    fn wants_input(&self) -> Option<u32> {
        None
    }

    fn advance(&mut self, _: Option<Read>, call: &mut Call<'_>) -> Advance {
        call.name = "find";
        for _ in 0..FILES {
            call.work_bytes += 64;
            if let Some((shown, depth, results)) = self.waiting.take() {
                let mut results = results;
                if let Some(status) = self.answered.take() {
                    results.push(status == 0);
                }
                if let Some(request) = self.look(&shown, depth, results, call) {
                    return Advance::Request(request);
                }
                continue;
            }
            if self.quits {
                self.todo.clear();
            }
            let Some((shown, depth, inside_done)) = self.todo.pop() else {
                return self.end();
            };
            let path = call.path(&shown);
            let known = if self.follows || depth == 0 && shown.ends_with('/') {
                call.system.info(&path).or_else(|_| call.system.link_info(&path))
            } else {
                call.system.link_info(&path)
            };
            let info = match known {
                Ok(info) => info,
                Err(error) => {
                    let text = match call.is_ash() {
                        true => format!("{shown}: {error}"),
                        false => format!("'{shown}': {error}"),
                    };
                    call.err("find", &text);
                    self.status = 1;
                    continue;
                }
            };
            let goes_in = info.directory() && depth < self.most && !inside_done;
            if self.depth_first && goes_in {
                self.todo.push((shown.clone(), depth, true));
                self.go_in(&shown, depth, call);
                continue;
            }
            if let Some(request) = self.look(&shown, depth, Vec::new(), call) {
                return Advance::Request(request);
            }
        }
        Advance::More
    }

    fn answer(&mut self, status: i32, _: Vec<u8>) {
        self.answered = Some(status);
    }
}

impl Find {
    /// What was gathered for `{} +` runs at the end.
    fn end(&mut self) -> Advance {
        if self.answered.take().is_some_and(|status| status != 0) {
            self.status = 1;
        }
        for exec in &mut self.execs {
            if !exec.gathered.is_empty() {
                let files = std::mem::take(&mut exec.gathered);
                let argv = exec.argv[..exec.argv.len() - 1].iter().cloned().chain(files).collect();
                return Advance::Request(Request::of(argv));
            }
        }
        Advance::Done(self.status)
    }

    fn go_in(&mut self, shown: &str, depth: usize, call: &Call<'_>) {
        let path = call.path(shown);
        let Ok(mut names) = call.system.list_dir(&path) else { return };
        names.reverse();
        let start = shown.trim_end_matches('/');
        let start = if start.is_empty() && shown.starts_with('/') { "" } else { start };
        self.todo.extend(names.into_iter().map(|name| (format!("{start}/{name}"), depth + 1, false)));
    }

    /// Looks at one file; `Some`: a program runs first.
    fn look(&mut self, shown: &str, depth: usize, results: Vec<bool>, call: &mut Call<'_>) -> Option<Request> {
        let path = call.path(shown);
        let info = if self.follows { call.system.info(&path) } else { call.system.link_info(&path) };
        let info = info.or_else(|_| call.system.link_info(&path)).ok()?;
        let mut pruned = false;
        if depth >= self.least {
            let here = Here { shown, path, info, depth };
            let expr = self.expr.clone();
            let mut used = 0;
            if let Err(Runs(exec)) = self.eval(&expr, &here, &results, &mut used, &mut pruned, call) {
                self.waiting = Some((shown.to_string(), depth, results));
                let exec = &self.execs[exec];
                let file = if exec.in_place { format!("./{}", base(shown)) } else { shown.to_string() };
                let argv = exec.argv.iter().map(|word| word.replace("{}", &file)).collect();
                let folder = here.path.rsplit_once('/').map_or("/", |(folder, _)| folder);
                let cwd = exec.in_place.then(|| if folder.is_empty() { "/".to_string() } else { folder.to_string() });
                return Some(Request { cwd, ..Request::of(argv) });
            }
        }
        if !self.depth_first && info.directory() && depth < self.most && !pruned {
            self.go_in(shown, depth, call);
        }
        None
    }

    fn eval(
        &mut self,
        expr: &Expr,
        here: &Here<'_>,
        results: &[bool],
        used: &mut usize,
        pruned: &mut bool,
        call: &mut Call<'_>,
    ) -> Result<bool, Runs> {
        let compares = |sign: char, value: i64, wanted: i64| match sign {
            '+' => value > wanted,
            '-' => value < wanted,
            _ => value == wanted,
        };
        Ok(match expr {
            Expr::Not(inner) => !self.eval(inner, here, results, used, pruned, call)?,
            Expr::And(a, b) => {
                self.eval(a, here, results, used, pruned, call)? && self.eval(b, here, results, used, pruned, call)?
            }
            Expr::Or(a, b) => {
                self.eval(a, here, results, used, pruned, call)? || self.eval(b, here, results, used, pruned, call)?
            }
            Expr::Comma(a, b) => {
                self.eval(a, here, results, used, pruned, call)?;
                self.eval(b, here, results, used, pruned, call)?
            }
            Expr::Name(pattern) => {
                let name = base(here.shown);
                pattern.matches(if name.is_empty() { here.shown } else { name })
            }
            Expr::Path(pattern) => pattern.matches(here.shown),
            Expr::Regex(regex) => regex.is_match(here.shown.as_bytes()),
            Expr::Kind(letters) => letters.split(',').any(|letter| {
                matches!(
                    (letter, here.info.kind),
                    ("f", FileKind::File)
                        | ("d", FileKind::Directory)
                        | ("l", FileKind::Link)
                        | ("c", FileKind::Device)
                        | ("p", FileKind::Pipe)
                )
            }),
            Expr::Size(sign, count, unit) => compares(*sign, here.info.size.div_ceil(*unit) as i64, *count as i64),
            Expr::Changed(sign, count, unit) => {
                let age = self.now.since(here.info.modified).as_secs();
                // Days that have begun do not count; minutes that have begun do.
                let units = if *unit == 60 && call.is_ash() {
                    age / 60
                } else if *unit == 60 {
                    (age + 59) / 60
                } else {
                    age / unit
                };
                compares(*sign, units, *count)
            }
            Expr::Newer(time) => here.info.modified > *time,
            Expr::Mode(sign, mode) => match sign {
                '-' => here.info.mode & mode == *mode,
                ' ' => here.info.mode & 0o7777 == *mode,
                _ => *mode == 0 || here.info.mode & mode != 0,
            },
            Expr::User(user) => here.info.user == *user,
            Expr::Group(group) => here.info.group == *group,
            Expr::Empty => match here.info.kind {
                FileKind::Directory => call.system.list_dir(&here.path).is_ok_and(|names| names.is_empty()),
                FileKind::File => here.info.size == 0,
                _ => false,
            },
            Expr::True => true,
            Expr::False => false,
            Expr::Print(end) => {
                if *used >= results.len() {
                    call.out(&format!("{}{end}", here.shown));
                }
                true
            }
            Expr::PrintFormat(format) => {
                let text = printed(format, here, call);
                call.out(&text);
                true
            }
            Expr::List => {
                let time = super::date::format_time(here.info.modified, "%b %e %H:%M");
                let mode = shown_mode(&here.info);
                let line = format!(
                    "{:>9} {:>6} {mode} {:>3} root     root     {:>8} {time} {}\n",
                    super::ls::number_of(&here.path),
                    super::ls::blocks(&here.info),
                    1,
                    here.info.size,
                    here.shown
                );
                call.out(&line);
                true
            }
            Expr::Prune => {
                *pruned = true;
                true
            }
            Expr::Quit => {
                self.quits = true;
                true
            }
            Expr::Delete => {
                here.depth == 0 && here.shown == "." || {
                    let result = match here.info.directory() {
                        true => call.system.remove(&here.path),
                        false => remove_all(call, &here.path, 0),
                    };
                    if let Err(error) = result {
                        call.err("find", &format!("cannot delete '{}': {error}", here.shown));
                        self.status = 1;
                    }
                    result.is_ok()
                }
            }
            Expr::Exec(number) => {
                let exec = &mut self.execs[*number];
                if exec.gathers {
                    exec.gathered.push(here.shown.to_string());
                    return Ok(true);
                }
                if exec.asks {
                    return Ok(false);
                }
                *used += 1;
                match results.get(*used - 1) {
                    Some(result) => *result,
                    None => return Err(Runs(*number)),
                }
            }
        })
    }
}

/// `-printf`
fn printed(format: &str, here: &Here<'_>, call: &Call<'_>) -> String {
    let format = crate::escapes::unescape(format, crate::escapes::Style::PrintfStops).0;
    let mut out = String::new();
    let mut chars = format.chars();
    let info = &here.info;
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let owner = |number: u32| super::system::user_name(call, number).unwrap_or_else(|| number.to_string());
        match chars.next() {
            Some('p') => out.push_str(here.shown),
            Some('f') => out.push_str(base(here.shown)),
            Some('h') => out.push_str(here.shown.rsplit_once('/').map_or(".", |(folder, _)| folder)),
            Some('P') => {
                let mut rest = here.shown;
                for _ in 0..here.depth {
                    rest = rest.rsplit_once('/').map_or("", |(start, _)| start);
                }
                out.push_str(here.shown[rest.len()..].trim_start_matches('/'));
            }
            Some('s') => out.push_str(&info.size.to_string()),
            Some('d') => out.push_str(&here.depth.to_string()),
            Some('m') => out.push_str(&format!("{:o}", info.mode)),
            Some('M') => out.push_str(&shown_mode(info)),
            Some('u') => out.push_str(&owner(info.user)),
            Some('g') => out.push_str(&owner(info.group)),
            Some('U') => out.push_str(&info.user.to_string()),
            Some('G') => out.push_str(&info.group.to_string()),
            Some('y') => out.push(match info.kind {
                FileKind::File => 'f',
                FileKind::Directory => 'd',
                FileKind::Link => 'l',
                FileKind::Device => 'c',
                FileKind::Pipe => 'p',
            }),
            Some('t') => out.push_str(&super::date::format_time(info.modified, "%a %b %e %H:%M:%S.%N0 %Y")),
            Some('T' | 'C' | 'A') => match chars.next() {
                Some('@') => out.push_str(&format!(
                    "{}.{:03}0000000",
                    info.modified.secs(),
                    info.modified.millis().rem_euclid(1000)
                )),
                Some('+') => out.push_str(&super::date::format_time(info.modified, "%Y-%m-%d+%H:%M:%S.%N0")),
                Some(letter) => out.push_str(&super::date::format_time(info.modified, &format!("%{letter}"))),
                None => {}
            },
            Some('l') => out.push_str(&call.system.read_link(&here.path).unwrap_or_default()),
            Some('%') => out.push('%'),
            Some(other) => out.extend(['%', other]),
            None => out.push('%'),
        }
    }
    out
}
