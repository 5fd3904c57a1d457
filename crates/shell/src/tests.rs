//! The whole language against a fake machine: rows of script, output, errors, exit code and virtual time.

use std::collections::BTreeMap;

use expect_test::expect;
use proptest::prelude::*;

use super::*;
use values::time::{SimTime, Span};

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
        let mode = if path.ends_with(".sh") { 0o755 } else { 0o644 };
        Ok(if entry.is_none() { FileInfo::dir(self.now) } else { FileInfo::file(size, mode, self.now) })
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
        if !self.info(path)?.directory() {
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
        if self.info(path)?.directory() && !self.list_dir(path)?.is_empty() {
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
    let files = ["/", "/tmp", "/desk", "/etc"].into_iter().map(|path| (path.to_string(), None)).collect();
    let now = SimTime::parse_rfc3339("2026-11-21T08:44:12Z").expect("a valid time");
    Machine { now, draws: 0, files, memory_limit: None }
}

fn options(dialect: Dialect) -> Options {
    let env = [("HOME", "/desk"), ("WHO", "wide  world"), ("COUNT", "3"), ("PATH", "/bin")];
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
            let poll = self.shell.poll(&mut self.machine, &mut self.io, &mut 50_000);
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
        let numbers: Vec<i64> =
            lines.next().unwrap_or("").split_whitespace().map(|n| n.parse().expect("a number")).collect();
        let mut want =
            Ran { out: String::new(), err: String::new(), exit: numbers[0] as i32, ms: *numbers.get(1).unwrap_or(&0) };
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
    check(include_str!("tests/ash_more.txt"), "ash_more.txt", ash);
}

#[test]
fn bash_rows() {
    check(include_str!("tests/bash.txt"), "bash.txt", bash);
}

/// The recording `shell-in-containers`: both streams in one log, in the order they were written. In the recording the
/// runtime, which reads two pipes, saw `status 127` before the message that was written first.
#[test]
fn the_recorded_script_gives_the_recorded_log() {
    let mut shell = Shell::new(include_str!("tests/recorded.sh"), options(Dialect::Ash));
    let (mut machine, mut io) = (machine(), Io::without_input());
    let mut log = Vec::new();
    let exit = loop {
        let poll = shell.poll(&mut machine, &mut io, &mut 1000);
        log.extend(io.output.take().into_iter().flat_map(|chunk| chunk.bytes));
        match poll {
            Poll::Exit(exit) => break exit,
            Poll::SleepUntil(until) => machine.now = until,
            Poll::Yield => machine.now += Span::ms(1),
            Poll::Wait => panic!("waits for nothing"),
        }
    };
    let written = ["sh: nosuchcommand: not found\n", "status 127\n"];
    let recorded =
        include_str!("tests/recorded.log").replace(&(written[1].to_string() + written[0]), &written.concat());
    assert_eq!((exit, String::from_utf8_lossy(&log).into_owned()), (7, recorded));
}

#[test]
fn signals_do_what_the_recordings_show() {
    let mut first = options(Dialect::Ash);
    first.first_process = true;
    let mut run = Run::new("sleep 1; kill -9 $$; kill $$; sleep 5", first.clone());
    assert_eq!((run.advance(60_000), run.machine.now.since(machine().now)), (Some(0), Span::secs(6)));

    let script = "trap 'echo bye; exit 5' TERM; echo up; while true; do sleep 1; done";
    let mut run = Run::new(script, first.clone());
    assert_eq!(run.advance(2_300), None);
    run.shell.signal(&mut run.machine, &mut run.io, Signal::Term);
    assert_eq!(run.advance(2_900), None, "the trap waits for sleep to end");
    assert_eq!((run.advance(10_000), run.out.as_str()), (Some(5), "up\nbye\n"));
    assert_eq!(run.machine.now.since(machine().now), Span::secs(3));

    let mut run = Run::new("trap \"sleep 4; exit 0\" TERM; sleep 60 & wait", first.clone());
    assert_eq!(run.advance(2_000), None);
    run.shell.signal(&mut run.machine, &mut run.io, Signal::Term);
    assert_eq!((run.advance(60_000), run.machine.now.since(machine().now)), (Some(0), Span::secs(6)));

    let mut run = Run::new("echo up; sleep 1000", first);
    assert_eq!(run.advance(2_000), None);
    run.shell.signal(&mut run.machine, &mut run.io, Signal::Term);
    assert_eq!(run.advance(20_000), None, "a first process without a trap is deaf to TERM");
    run.shell.signal(&mut run.machine, &mut run.io, Signal::Kill);
    assert_eq!(run.advance(20_000), Some(137));

    let mut run = Run::new("sleep 1000", options(Dialect::Ash));
    assert_eq!(run.advance(1_000), None);
    run.shell.signal(&mut run.machine, &mut run.io, Signal::Term);
    assert_eq!(run.advance(2_000), Some(143));
}

#[test]
fn too_much_memory_ends_the_container() {
    let script = "echo eating; x=$(head -c 200000000 /dev/zero | tr \"\\0\" x); echo done";
    let mut run = Run::new(script, options(Dialect::Ash));
    run.machine.memory_limit = Some(32 << 20);
    assert_eq!((run.advance(60_000), run.out.as_str()), (Some(137), "eating\n"));
    assert!(run.shell.was_out_of_memory());
}

#[test]
fn a_terminal_keeps_its_state_between_lines() {
    let mut terminal = options(Dialect::Bash);
    (terminal.interactive, terminal.pid) = (true, 1000);
    let mut run = Run::new("", terminal);
    run.io.stdin = Input::default();
    let mut log = String::new();
    for line in [
        "x=1; f() { echo f$x; }",
        "cd /etc",
        "f; pwd",
        "nosuch",
        "fi",
        "echo $?",
        "sleep 5 & echo bg",
        "jobs",
        "history | tail -n 1",
        "ls /",
    ] {
        run.shell.feed_line(line);
        let exit = run.advance(1_000);
        log.push_str(&format!(
            "$ {line}\n{}{}[{exit:?}]\n",
            std::mem::take(&mut run.out),
            std::mem::take(&mut run.err)
        ));
    }
    run.shell.feed_line("sleep 100; echo not reached");
    assert_eq!(run.advance(3_000), None);
    let copy = run.shell.clone();
    run.shell.signal(&mut run.machine, &mut run.io, Signal::Int);
    assert_eq!(run.advance(3_000), Some(130));
    assert!(run.shell.is_idle() && !copy.is_idle());
    expect![[r#"
        $ x=1; f() { echo f$x; }
        [Some(0)]
        $ cd /etc
        [Some(0)]
        $ f; pwd
        f1
        /etc
        [Some(0)]
        $ nosuch
        bash: nosuch: command not found
        [Some(127)]
        $ fi
        bash: syntax error near unexpected token `fi'
        [Some(2)]
        $ echo $?
        2
        [Some(0)]
        $ sleep 5 & echo bg
        bg
        [1] 1001
        [Some(0)]
        $ jobs
        [1]+  Running                 sleep 5 &
        [Some(0)]
        $ history | tail -n 1
            9  history | tail -n 1
        [Some(0)]
        $ ls /
        desk  etc  tmp
        [Some(0)]
    "#]]
    .assert_eq(&log);
}

/// A shell copied in the middle of a script goes on as the original does.
#[test]
fn a_copy_goes_on_alike() {
    let script = "for i in 1 2 3 4; do echo $i $(sleep 1; echo s$i) | cat; sleep 1; done; x=$((x+1)); echo $x";
    let mut run = Run::new(script, options(Dialect::Ash));
    assert_eq!(run.advance(3_500), None);
    let mut copy = Run {
        shell: run.shell.clone(),
        machine: run.machine.clone(),
        io: run.io.clone(),
        out: run.out.clone(),
        err: String::new(),
    };
    assert_eq!((run.advance(60_000), copy.advance(60_000)), (Some(0), Some(0)));
    assert_eq!((run.out.as_str(), &run.out), ("1 s1\n2 s2\n3 s3\n4 s4\n1\n", &copy.out));
}

#[test]
fn a_loop_that_never_sleeps_lets_time_pass() {
    for script in ["while :; do :; done", "yes", ":(){ :|:& };:", "f() { f; f; }; while f; do :; done; yes >/dev/null"]
    {
        let mut run = Run::new(script, options(Dialect::Bash));
        let ended = run.advance(50);
        let passed = run.machine.now.since(machine().now);
        assert!(ended.is_some() || passed >= Span::ms(50), "{script}: {ended:?} after {passed:?}");
    }
}

#[test]
fn unfinished_lines_are_recognised() {
    for (text, want) in [
        ("echo a", false),
        ("if true", true),
        ("if true; then echo; fi", false),
        ("echo 'a", true),
        ("echo \"a", true),
        ("echo $(a", true),
        ("a |", true),
        ("a &&", true),
        ("echo \\", true),
        ("echo \\\\", false),
        ("cat <<E", true),
        ("cat <<E\nx\nE", false),
        ("f() {", true),
        ("fi", false),
        ("case x in", true),
        ("", false),
    ] {
        assert_eq!(is_incomplete(text, Dialect::Bash), want, "{text}");
    }
}

fn hostile() -> impl Strategy<Value = String> {
    let pieces = [
        "echo ",
        "$(",
        ")",
        "((",
        "))",
        "${x",
        "}",
        "{",
        "{1..9}",
        "{a,b}",
        "'",
        "\"",
        "`",
        "|",
        "&&",
        "||",
        ";",
        "&",
        "\n",
        "if ",
        "then ",
        "fi ",
        "while ",
        "do ",
        "done ",
        "case x in ",
        "esac ",
        "for i in ",
        "<<E\n",
        "E\n",
        ">f ",
        "<f ",
        "x=",
        "$x",
        "$((",
        "1+",
        "/0",
        "[[ ",
        " ]]",
        "*",
        "?",
        "[a-",
        "#",
        "%",
        ":-",
        "//",
        "\\",
        "awk '{print ",
        "sed s/",
        "~",
        "grep '\\(",
        "read x ",
        "eval ",
        "local ",
        "trap x ",
        "f() ",
        "f ",
        "set -e ",
        "exit ",
        "break ",
        "printf %s",
        "%5d ",
        "xargs ",
        "timeout 1 ",
        "env ",
        "\0",
        "é",
        "sleep 1 ",
        "seq 9 ",
        "tr a-z ",
        "cut -f",
        "expr 1 ",
        "test ",
        "let ",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..25).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is typed: no panic, and it ends or time passes.
    #[test]
    fn arbitrary_scripts_do_no_harm(script in prop_oneof![hostile(), ".{0,80}"], bash in any::<bool>()) {
        let mut run = Run::new(&script, options(if bash { Dialect::Bash } else { Dialect::Ash }));
        run.advance(40);
        is_incomplete(&script, Dialect::Bash);
    }

    /// Quoted text comes through `echo` and `set --` as it is.
    #[test]
    fn quoted_text_stays_as_it_is(text in "[ -~éñ\n]{0,40}") {
        let quoted = escapes::quote(&text);
        prop_assert_eq!(ash(&format!("printf '%s' {quoted}")).out, text.clone());
        prop_assert_eq!(ash(&format!("x={quoted}; printf '%s' \"$x\"")).out, text);
    }
}

#[test]
fn every_listed_builtin_exists() {
    for dialect in [Dialect::Ash, Dialect::Dash, Dialect::Bash] {
        for name in builtins::names(dialect) {
            // `echo` and the like are the commands of that name; `exec` is the launcher's.
            let is_command =
                || builtins::is_command_builtin(name, dialect) && crate::command_names().any(|n| n == name);
            let exists = name == "exec" || builtins::find::<Machine>(name, dialect).is_some() || is_command();
            assert!(exists, "{dialect:?}: {name}");
        }
    }
}
