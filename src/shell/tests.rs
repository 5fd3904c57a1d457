//! The whole language against a fake machine: rows of script, output, errors, exit code and virtual time.

use std::collections::BTreeMap;

use expect_test::expect;
use proptest::prelude::*;

use super::*;
use crate::base::time::{SimTime, Span};

/// A machine with a clock, files, and one external command: `ext [ms] [exit]`, which copies its input after a wait.
#[derive(Clone, Debug)]
struct Machine {
    now: SimTime,
    draws: u64,
    files: BTreeMap<String, Option<Vec<u8>>>,
    memory_limit: Option<u64>,
}

#[derive(Clone, Debug)]
struct Ext {
    until: SimTime,
    exit: i32,
}

impl System for Machine {
    fn now(&self) -> SimTime {
        self.now
    }
    fn random(&mut self) -> u64 {
        self.draws += 7919;
        self.draws
    }
    fn host_name(&self) -> String {
        "box".into()
    }
    fn memory_limit_bytes(&self) -> Option<u64> {
        self.memory_limit
    }
    fn knows(&self, name: &str) -> bool {
        name == "ext"
    }
    fn info(&self, path: &str) -> Result<FileInfo, FileError> {
        let entry = self.files.get(path).ok_or(FileError::NotFound)?;
        let size = entry.as_ref().map_or(4096, |bytes| bytes.len() as u64);
        Ok(FileInfo { directory: entry.is_none(), executable: path.ends_with(".sh"), size, modified: self.now })
    }
    fn read_file(&self, path: &str) -> Result<Vec<u8>, FileError> {
        self.files.get(path).ok_or(FileError::NotFound)?.clone().ok_or(FileError::IsADirectory)
    }
    fn write_file(&mut self, path: &str, bytes: &[u8], append: bool) -> Result<(), FileError> {
        let parent = path.rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent });
        match self.files.get(parent) {
            Some(None) => {}
            Some(Some(_)) => return Err(FileError::NotADirectory),
            None => return Err(FileError::NotFound),
        }
        match self.files.entry(path.to_string()).or_insert_with(|| Some(Vec::new())) {
            None => Err(FileError::IsADirectory),
            Some(old) => {
                if !append {
                    old.clear();
                }
                old.extend_from_slice(bytes);
                Ok(())
            }
        }
    }
    fn list_dir(&self, path: &str) -> Result<Vec<String>, FileError> {
        if !self.info(path)?.directory {
            return Err(FileError::NotADirectory);
        }
        let prefix = if path == "/" { "/".to_string() } else { format!("{path}/") };
        let below = self.files.keys().filter_map(|name| name.strip_prefix(&prefix));
        Ok(below.filter(|name| !name.is_empty() && !name.contains('/')).map(str::to_string).collect())
    }
    fn make_dir(&mut self, path: &str) -> Result<(), FileError> {
        if self.files.contains_key(path) {
            return Err(FileError::Exists);
        }
        let parent = path.rsplit_once('/').map_or("/", |(parent, _)| if parent.is_empty() { "/" } else { parent });
        self.info(parent)?;
        self.files.insert(path.to_string(), None);
        Ok(())
    }
    fn remove(&mut self, path: &str) -> Result<(), FileError> {
        if self.info(path)?.directory && !self.list_dir(path)?.is_empty() {
            return Err(FileError::NotEmpty);
        }
        self.files.remove(path);
        Ok(())
    }
    fn rename(&mut self, from: &str, to: &str) -> Result<(), FileError> {
        let entry = self.files.remove(from).ok_or(FileError::NotFound)?;
        self.files.insert(to.to_string(), entry);
        Ok(())
    }
}

impl Host for Machine {
    type Command = Ext;
    fn start(&mut self, launch: Launch<'_>) -> Start<Ext> {
        if launch.argv[0] != "ext" {
            return Start::NotFound;
        }
        let number = |n: usize| launch.argv.get(n).and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
        Start::Started(Ext { until: self.now + Span::ms(number(1)), exit: number(2) as i32 })
    }
    fn poll(&mut self, command: &mut Ext, io: &mut Io) -> Poll {
        if self.now < command.until {
            return Poll::SleepUntil(command.until);
        }
        match io.stdin.read(4096) {
            Read::Data(bytes) => {
                io.output.write(Stream::Stdout, &bytes);
                Poll::Yield
            }
            Read::Empty => Poll::Wait,
            Read::End => Poll::Exit(command.exit),
        }
    }
    fn signal(&mut self, command: &mut Ext, signal: Signal) {
        command.until = self.now;
        command.exit = signal.exit_code();
    }
}

fn machine() -> Machine {
    let files = ["/", "/tmp", "/root", "/etc"].into_iter().map(|path| (path.to_string(), None)).collect();
    let now = SimTime::parse_rfc3339("2026-11-21T08:44:12Z").expect("a valid time");
    Machine { now, draws: 0, files, memory_limit: None }
}

fn options(dialect: Dialect) -> Options {
    let env = [("HOME", "/root"), ("WHO", "wide  world"), ("COUNT", "3"), ("PATH", "/bin")];
    let env = env.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    Options { env, started: machine().now, cwd: "/tmp".into(), ..Options::new(dialect) }
}

/// What a run came to.
#[derive(Debug, PartialEq, Eq)]
struct Ran {
    out: String,
    err: String,
    exit: i32,
    ms: i64,
}

struct Run {
    shell: Shell<Ext>,
    machine: Machine,
    io: Io,
    out: String,
    err: String,
}

impl Run {
    fn new(script: &str, options: Options) -> Run {
        let shell = Shell::new(script, options);
        Run { shell, machine: machine(), io: Io::without_input(), out: String::new(), err: String::new() }
    }

    /// Polls until the shell ends, or `until_ms` of virtual time have passed, or nothing can happen any more.
    fn advance(&mut self, until_ms: i64) -> Option<i32> {
        let end = machine().now + Span::ms(until_ms);
        for _ in 0..200_000 {
            let poll = self.shell.poll(&mut self.machine, &mut self.io, &mut 2000);
            for chunk in self.io.output.take() {
                let text = String::from_utf8_lossy(&chunk.bytes).into_owned();
                let sink = if chunk.stream == Stream::Stdout { &mut self.out } else { &mut self.err };
                if sink.len() < 1 << 20 {
                    sink.push_str(&text);
                }
            }
            match poll {
                Poll::Exit(status) => return Some(status),
                Poll::SleepUntil(until) if until > end => break,
                Poll::SleepUntil(until) => self.machine.now = self.machine.now.max(until),
                Poll::Yield if self.machine.now >= end => break,
                Poll::Yield => self.machine.now += Span::ms(1),
                Poll::Wait => break,
            }
        }
        self.machine.now = self.machine.now.max(end);
        None
    }
}

fn run_with(script: &str, options: Options, input: &str) -> Ran {
    let mut run = Run::new(script, options);
    run.io.stdin = Input::of(input);
    let exit = run.advance(3_600_000).unwrap_or(-1);
    Ran { out: run.out, err: run.err, exit, ms: run.machine.now.since(machine().now).as_ms() }
}

fn ash(script: &str) -> Ran {
    run_with(script, options(Dialect::Ash), "")
}

fn bash(script: &str) -> Ran {
    run_with(script, options(Dialect::Bash), "")
}

/// One row of a table file: a script and what it does.
struct Row {
    line: usize,
    script: String,
    want: Ran,
}

/// Reads a table: blocks between lines `---`; a script, then `=> exit ms`, then output lines, with `! ` before those
/// of standard error.
fn rows(table: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut line = 1;
    for block in table.split("---\n") {
        let start = line;
        line += block.lines().count() + 1;
        let Some((script, rest)) = block.split_once("=> ") else { continue };
        let mut lines = rest.lines();
        let numbers: Vec<i64> = lines.next().unwrap_or("").split_whitespace().map(|n| n.parse().expect("a number")).collect();
        let mut want = Ran { out: String::new(), err: String::new(), exit: numbers[0] as i32, ms: *numbers.get(1).unwrap_or(&0) };
        for text in lines {
            match text.strip_prefix("! ") {
                Some(text) => want.err.push_str(&format!("{text}\n")),
                None => want.out.push_str(&format!("{text}\n")),
            }
        }
        rows.push(Row { line: start, script: script.trim_end_matches('\n').to_string(), want });
    }
    rows
}

fn check(table: &str, name: &str, run: fn(&str) -> Ran) {
    let mut wrong = Vec::new();
    for row in rows(table) {
        let mut ran = run(&row.script);
        // A last line without its newline is written with one in the table.
        for text in [&mut ran.out, &mut ran.err] {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
        }
        if ran != row.want {
            wrong.push(format!("{name}:{}: {}\n  want {:?}\n  have {ran:?}", row.line, row.script, row.want));
        }
    }
    assert!(wrong.is_empty(), "{} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn ash_rows() {
    check(include_str!("tests/ash.txt"), "ash.txt", ash);
}

#[test]
fn bash_rows() {
    check(include_str!("tests/bash.txt"), "bash.txt", bash);
}
