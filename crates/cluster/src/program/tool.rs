//! Programs that are described by data and look at their arguments: clients that reach a server or do not, entry points
//! that start what they are given, and stand-ins for what is not run here.
//!
//! Rule: `static/images-more.yaml` says what each does, as cases of which the first that fits the arguments counts; its
//! header lists the fields. What cannot be run says so in its container's log and is taken to succeed, so that nobody looks
//! for the mistake in their own image.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::program::behaviour::{Behaviour, lines};
use crate::program::http::{NetError, Request, Response};
use crate::program::machine::{Call, Machine, RequestId};
use crate::program::one_liner::{self, Language, Step};
use crate::program::reach::{Reach, flag, words};
use shell::host::resolve;
use shell::{Env, Io, Poll, Stream};
use values::time::{SimTime, Span};
use values::value::{Value, beginning};

/// A program: its cases, of which the first that fits is what a run does.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Tool {
    cases: Vec<Rc<Case>>,
}

/// What a program does with certain arguments.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Case {
    /// Words that all stand among the arguments, in this order. Empty: fits always.
    words: Vec<String>,
    pub kind: Kind,
    behaviour: Behaviour,
    /// Lines on standard error, before those of `behaviour.log`.
    err: Vec<String>,
    /// It stays until it is stopped although it serves nothing.
    stays: bool,
    /// Variables of which one must be set, and what is said if none is.
    needs: Vec<String>,
    lacking: Say,
    reaches: Option<Reach>,
    refused: Say,
    unknown: Say,
    /// Directories it makes; variables as in texts.
    makes: Vec<String>,
    /// Flags that name the file to which the output goes.
    output_flags: Vec<String>,
}

/// What carries a case out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Kind {
    /// The fields of the case.
    #[default]
    Told,
    /// Nothing does: it is logged and taken to succeed.
    StandIn,
    /// A package manager: programs that the image lacked are there afterwards.
    Installs,
    /// An interpreter: a text that only prints, sleeps and ends is run, any other is stood in for.
    Code(Language),
    /// An entry point: starts the program that its arguments name, else the image's own.
    Entry,
    /// `kubectl` with the Pod's account.
    Kubectl,
}

/// What is printed and how it ends when something is not as it should be.
#[derive(Clone, PartialEq, Debug, Default)]
struct Say {
    out: Vec<String>,
    err: Vec<String>,
    exit_code: i32,
}

impl Tool {
    /// Reads an entry of `tools`: one case, or a list of them.
    ///
    /// # Errors
    /// The field that is wrong.
    pub fn read(value: &Value) -> Result<Tool, String> {
        let cases = match value.as_list() {
            Some(list) => list.iter().map(Case::read).collect::<Result<Vec<Case>, String>>()?,
            None => vec![Case::read(value)?],
        };
        Ok(Tool { cases: cases.into_iter().map(Rc::new).collect() })
    }

    /// The case for these arguments (without the program's own name). Without one that fits it is stood in for.
    pub fn case(&self, args: &[String]) -> Rc<Case> {
        self.cases.iter().find(|case| case.fits(args)).cloned().unwrap_or_else(|| Rc::new(Case::stand_in()))
    }
}

impl Case {
    /// Nothing carries it out.
    pub fn stand_in() -> Case {
        Case { kind: Kind::StandIn, ..Case::default() }
    }

    fn read(value: &Value) -> Result<Case, String> {
        if let Some(name) = value.as_str() {
            return Ok(Case { kind: Kind::read(name)?, ..Case::default() });
        }
        let map = value.as_map().ok_or("must be a map, a list or a kind")?;
        let mut case = Case::default();
        let mut told = Value::map();
        for (field, value) in map.iter() {
            let wrong = || format!("{field}: cannot be {value}");
            match field {
                "args" => case.words = words(value).ok_or_else(wrong)?,
                "kind" => case.kind = Kind::read(value.as_str().ok_or_else(wrong)?)?,
                "err" => case.err = lines(value).ok_or_else(wrong)?,
                "stays" => case.stays = value == &Value::Bool(true),
                "needs" => case.needs = words(value).ok_or_else(wrong)?,
                "lacking" => case.lacking = Say::read(value).ok_or_else(wrong)?,
                "reaches" => case.reaches = Some(Reach::read(value).ok_or_else(wrong)?),
                "refused" => case.refused = Say::read(value).ok_or_else(wrong)?,
                "unknown" => case.unknown = Say::read(value).ok_or_else(wrong)?,
                "makes" => case.makes = words(value).ok_or_else(wrong)?,
                "output" => case.output_flags = words(value).ok_or_else(wrong)?,
                _ => {
                    told.map_mut().insert(field, value.clone());
                }
            }
        }
        case.behaviour = Behaviour::read(&told)?;
        Ok(case)
    }

    fn fits(&self, args: &[String]) -> bool {
        let mut rest = args.iter();
        self.words.iter().all(|word| rest.any(|arg| arg == word))
    }
}

impl Kind {
    fn read(name: &str) -> Result<Kind, String> {
        Ok(match name {
            "standIn" => Kind::StandIn,
            "installs" => Kind::Installs,
            "entry" => Kind::Entry,
            "kubectl" => Kind::Kubectl,
            other => Kind::Code(Language::named(other).ok_or_else(|| format!("kind: no such kind: {other}"))?),
        })
    }
}

impl Say {
    fn read(value: &Value) -> Option<Say> {
        if value.as_map().is_none() {
            return Some(Say { out: Vec::new(), err: lines(value)?, exit_code: 1 });
        }
        let list = |field: &str| if value.has(field) { lines(value.at(field)) } else { Some(Vec::new()) };
        let exit_code = i32::try_from(value.i64_at("exitCode").unwrap_or(1)).ok()?;
        Some(Say { out: list("log")?, err: list("err")?, exit_code })
    }
}

/// How a program is run.
#[derive(Clone, PartialEq, Debug)]
pub struct Manner {
    /// It belongs to a Pod that is meant to go on: a server's, not a Job's.
    pub stays: bool,
    /// The ports its container declares.
    pub ports: Vec<u16>,
    /// The image as the container names it.
    pub image: String,
    /// It is the container's own program, not one that a script starts.
    pub first: bool,
}

/// A running program of this kind.
#[derive(Clone, PartialEq, Debug)]
pub struct Running {
    case: Rc<Case>,
    argv: Vec<String>,
    cwd: String,
    manner: Manner,
    host: String,
    port: u16,
    /// No variable is set that the program needs.
    lacks: bool,
    /// For what is carried out elsewhere.
    env: Rc<Env>,
    /// When it last went on, for what it prints.
    now: SimTime,
    state: State,
}

#[derive(Clone, PartialEq, Debug)]
enum State {
    New,
    Reaching(RequestId),
    /// Carried out elsewhere.
    Called(RequestId),
    /// Ends then; none: when it is stopped.
    Runs(Option<SimTime>),
    /// What is still to be done, from then on.
    Steps(VecDeque<Step>, SimTime),
}

/// Where a Pod finds its account's token.
const TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
/// How long an interpreter takes to start.
const CODE_STARTS: Span = Span::ms(30);

/// The program of an image that nobody knows.
const UNKNOWN_ENTRY: &str = "/entrypoint";
/// What a program that serves listens on if its container names no port.
const ANY_PORT: &[u16] = &[];

impl Running {
    pub fn new(case: Rc<Case>, argv: &[String], env: &Env, cwd: &str, manner: Manner) -> Running {
        let (host, port) = case.reaches.as_ref().map(|reach| reach.target(&argv[1..], env)).unwrap_or_default();
        let is_set = |name: &String| env.get(name).is_some_and(|value| !value.is_empty());
        let lacks = !case.needs.is_empty() && !case.needs.iter().any(is_set);
        let env = if case.kind == Kind::Kubectl { Rc::new(env.clone()) } else { Rc::default() };
        Running {
            case,
            argv: argv.to_vec(),
            cwd: cwd.to_owned(),
            manner,
            host,
            port,
            lacks,
            env,
            now: SimTime::EPOCH,
            state: State::New,
        }
    }

    pub fn poll(&mut self, machine: &mut Machine<'_>, io: &mut Io) -> Poll {
        self.now = machine.now;
        match &mut self.state {
            State::New => self.begin(machine, io),
            State::Reaching(id) => match machine.net.take(*id) {
                Some(Ok(_)) => self.reached(machine, io),
                Some(Err(error)) => {
                    let case = Rc::clone(&self.case);
                    let nobody = matches!(error, NetError::NoSuchHost { .. });
                    self.say(if nobody { &case.unknown } else { &case.refused }, io)
                }
                None => Poll::Wait,
            },
            State::Called(id) => match machine.net.take_returned(*id) {
                Some(returned) => {
                    io.out(&returned.out);
                    io.err(&returned.err);
                    Poll::Exit(returned.exit_code)
                }
                None => Poll::Wait,
            },
            State::Steps(_, from) if machine.now < *from => Poll::SleepUntil(*from),
            State::Steps(steps, from) => go_on(steps, from, machine.now, io),
            State::Runs(Some(at)) if machine.now >= *at => {
                let case = Rc::clone(&self.case);
                self.print(&case.behaviour.log_at_end, Stream::Stdout, io);
                Poll::Exit(case.behaviour.exit_code)
            }
            State::Runs(Some(at)) => Poll::SleepUntil(*at),
            State::Runs(None) => Poll::Wait,
        }
    }

    fn begin(&mut self, machine: &mut Machine<'_>, io: &mut Io) -> Poll {
        let case = Rc::clone(&self.case);
        if self.lacks {
            return self.say(&case.lacking, io);
        }
        if case.kind == Kind::Kubectl {
            return self.call(machine, io);
        }
        if case.reaches.is_some() && !self.host.is_empty() {
            let request = Request {
                method: Request::CONNECT.into(),
                host: self.host.clone(),
                port: self.port,
                path: "/".into(),
                ..Request::default()
            };
            self.state = State::Reaching(machine.net.send(request));
            return Poll::Wait;
        }
        self.reached(machine, io)
    }

    /// Has `kubectl` carried out, with the files and the input that it may read. Without the account's token it finds no
    /// server.
    fn call(&mut self, machine: &mut Machine<'_>, io: &mut Io) -> Poll {
        let own = || self.argv[1..].iter().take_while(|arg| *arg != "--");
        if own().any(|arg| arg == "-" || arg.ends_with("=-")) && !io.stdin.is_closed() {
            return Poll::Wait;
        }
        if machine.files.info(TOKEN).is_err() && !self.argv[1..].iter().any(|arg| arg == "--client" || arg == "--help")
        {
            io.err(
                "The connection to the server localhost:8080 was refused - did you specify the right host or port?\n",
            );
            return Poll::Exit(1);
        }
        let paths = own().map(|arg| resolve(&self.cwd, arg.rsplit('=').next().unwrap_or(arg)));
        let mut files = Vec::new();
        for path in paths {
            match machine.files.info(&path) {
                Ok(info) if info.directory && path != "/" => {
                    for name in machine.files.list(&path).unwrap_or_default() {
                        let inside = format!("{path}/{name}");
                        files.extend(machine.files.read(&inside).ok().map(|bytes| (inside, bytes)));
                    }
                }
                Ok(info) if !info.directory => files.extend(machine.files.read(&path).ok().map(|bytes| (path, bytes))),
                _ => {}
            }
        }
        let call = Call {
            argv: self.argv.clone(),
            env: (*self.env).clone(),
            cwd: self.cwd.clone(),
            input: io.stdin.take(),
            files,
        };
        self.state = State::Called(machine.net.call(call));
        Poll::Wait
    }

    /// Nothing stands in its way.
    fn reached(&mut self, machine: &mut Machine<'_>, io: &mut Io) -> Poll {
        let case = Rc::clone(&self.case);
        if let Kind::Code(language) = case.kind
            && let Some(steps) = one_liner::steps(language, &self.argv)
        {
            self.state = State::Steps(steps.into(), machine.now + CODE_STARTS);
            return Poll::SleepUntil(machine.now + CODE_STARTS);
        }
        if matches!(case.kind, Kind::StandIn | Kind::Code(_)) {
            return self.stand_in(machine, io);
        }
        for path in &case.makes {
            let path = resolve(&self.cwd, &self.filled(path));
            // What is there already, or cannot be made, is left as it is.
            let _ = machine.files.make_dir(&path);
        }
        if case.kind == Kind::Installs {
            machine.files.own.put(INSTALLED, b"", false, machine.now);
        }
        self.print(&case.err, Stream::Stderr, io);
        self.print_log(&case, machine, io);
        let spans = case.behaviour.runs.or_else(|| {
            let goes_on = case.stays || case.behaviour.serves.is_some();
            (!goes_on).then_some((Span::ms(80), Span::ms(600)))
        });
        let ends_at = spans.map(|(least, most)| machine.now + drawn(machine, least, most));
        self.run_until(ends_at, machine.now)
    }

    /// The output, to where a flag sends it.
    fn print_log(&self, case: &Case, machine: &mut Machine<'_>, io: &mut Io) {
        match flag(&self.argv[1..], &case.output_flags).filter(|file| file != "-") {
            None => self.print(&case.behaviour.log, Stream::Stdout, io),
            Some(file) => {
                let text: String = case.behaviour.log.iter().map(|line| format!("{}\n", self.filled(line))).collect();
                let path = resolve(&self.cwd, &file);
                if let Err(error) = machine.files.write(&path, text.as_bytes(), false) {
                    io.err(&format!("{}: {file}: {error}\n", self.name()));
                }
            }
        }
    }

    fn run_until(&mut self, ends_at: Option<SimTime>, now: SimTime) -> Poll {
        self.state = State::Runs(ends_at);
        match ends_at {
            Some(at) if at <= now => Poll::Yield,
            Some(at) => Poll::SleepUntil(at),
            None => Poll::Wait,
        }
    }

    /// Nothing here runs it: a line says so, and it is taken to succeed.
    fn stand_in(&mut self, machine: &mut Machine<'_>, io: &mut Io) -> Poll {
        let asks = |arg: &String| matches!(arg.as_str(), "--version" | "-version" | "-v" | "-V" | "version" | "--help");
        let stays = self.case.stays || (self.manner.first && self.manner.stays);
        let own = self.argv[0] == UNKNOWN_ENTRY && !self.manner.image.is_empty();
        let name = if own { &self.manner.image } else { &self.argv[0] };
        let words: Vec<&str> = std::iter::once(name).chain(&self.argv[1..]).map(String::as_str).collect();
        let what = beginning(&words.join(" "), 120).replace('\n', " ");
        let taken = if stays { "it is taken to serve" } else { "taken to succeed" };
        io.err(&format!("{what}: not run by Batchyard, {taken}\n"));
        let (least, most) = match () {
            () if stays => return self.run_until(None, machine.now),
            // A probe, or `kubectl exec`: someone waits for the answer.
            () if !machine.main || self.argv[1..].iter().any(asks) => (60, 180),
            () if self.manner.first => match obvious_ms(&self.argv) {
                Some(span_ms) => (span_ms, span_ms),
                None => (4_000, 8_000),
            },
            () => (900, 2_500),
        };
        let ends_at = machine.now + drawn(machine, Span::ms(least), Span::ms(most));
        self.run_until(Some(ends_at), machine.now)
    }

    fn say(&self, say: &Say, io: &mut Io) -> Poll {
        self.print(&say.out, Stream::Stdout, io);
        self.print(&say.err, Stream::Stderr, io);
        Poll::Exit(say.exit_code)
    }

    fn print(&self, lines: &[String], stream: Stream, io: &mut Io) {
        for line in lines {
            io.output.write(stream, format!("{}\n", self.filled(line)).as_bytes());
        }
    }

    fn name(&self) -> &str {
        self.argv[0].rsplit('/').next().unwrap_or_default()
    }

    /// Puts in `{host}`, `{port}`, `{args}`, `{name}`, `{1}` … (the operands) and `{repo}`.
    fn filled(&self, text: &str) -> String {
        if !text.contains('{') {
            return text.to_owned();
        }
        let operands: Vec<&String> = self.argv[1..].iter().filter(|arg| !arg.starts_with('-')).collect();
        let mut out = text.replace("{host}", &self.host).replace("{port}", &self.port.to_string());
        out = out.replace("{now}", &self.now.format("%Y-%m-%d %H:%M:%S"));
        out = out.replace("{name}", self.name()).replace("{args}", &self.argv[1..].join(" "));
        for at in 1..=9 {
            let operand = operands.get(at - 1).map_or("", |operand| operand.as_str());
            out = out.replace(&format!("{{{at}}}"), operand);
        }
        let last = operands.last().map_or("", |operand| operand.trim_end_matches('/'));
        let repository = last.rsplit('/').next().unwrap_or_default();
        out.replace("{repo}", repository.strip_suffix(".git").unwrap_or(repository))
    }

    /// Whether it listens on this port.
    pub fn listens(&self, port: u16) -> bool {
        if self.state != State::Runs(None) {
            return false;
        }
        match (&self.case.behaviour.serves, self.case.kind) {
            (Some(served), _) => served.port == port || flag(&self.argv, &port_flags()) == Some(port.to_string()),
            (None, Kind::StandIn | Kind::Code(_)) => self.manner.ports == ANY_PORT || self.manner.ports.contains(&port),
            (None, _) => false,
        }
    }

    /// Answers a request to a port it listens on; status 0 says that it speaks no HTTP.
    pub fn serve(&self, _request: &Request) -> Response {
        match &self.case.behaviour.serves {
            Some(served) => Response::text(served.status, &served.body),
            None => Response::text(200, "Batchyard answers for a program that it does not run.\n"),
        }
    }

    pub fn on_term(&self) -> crate::program::OnTerm {
        self.case.behaviour.on_term
    }
}

/// Does what is left up to the next pause.
fn go_on(steps: &mut VecDeque<Step>, from: &mut SimTime, now: SimTime, io: &mut Io) -> Poll {
    while let Some(step) = steps.pop_front() {
        match step {
            Step::Print(stream, text) => io.output.write(stream, text.as_bytes()),
            Step::Exit(code) => return Poll::Exit(code),
            Step::Sleep(span) => {
                *from = now + span;
                return Poll::SleepUntil(*from);
            }
        }
    }
    Poll::Exit(0)
}

/// The file that says that a package manager has run.
pub const INSTALLED: &str = "/var/lib/batchyard-installed";

/// Flags by which servers are told their port.
fn port_flags() -> Vec<String> {
    ["-p", "--port", "--http-port"].map(str::to_owned).into()
}

fn drawn(machine: &mut Machine<'_>, least: Span, most: Span) -> Span {
    Span::ms(machine.draw("tool").between(least.as_ms(), most.as_ms()))
}

/// How long arguments say that a program runs: a single span (`30s`), or a flag that is named for one.
fn obvious_ms(argv: &[String]) -> Option<i64> {
    let span = |text: &str| {
        let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let number: i64 = text[..digits].parse().ok()?;
        match &text[digits..] {
            "ms" => Some(number),
            "s" => number.checked_mul(1000),
            "m" => number.checked_mul(60_000),
            "h" => number.checked_mul(3_600_000),
            _ => None,
        }
    };
    let args = argv.get(1..).unwrap_or_default();
    if let [only] = args
        && let Some(found) = span(only)
    {
        return Some(found);
    }
    args.iter().enumerate().find_map(|(at, arg)| {
        let name = arg.trim_start_matches('-');
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, value),
            None => (name, args.get(at + 1)?.as_str()),
        };
        let is_named = arg.starts_with('-') && matches!(name, "sleep" | "duration" | "runtime" | "run-for");
        let seconds = || value.parse::<i64>().ok()?.checked_mul(1000);
        if is_named { span(value).or_else(seconds) } else { None }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn obvious_arguments_say_how_long() {
        for (line, ms) in [
            ("/sleep 30s", Some(30_000)),
            ("x --duration=2m", Some(120_000)),
            ("x --sleep 5", Some(5_000)),
            ("x 30", None),
            ("x run 30s", None),
        ] {
            assert_eq!(obvious_ms(&args(line)), ms, "{line}");
        }
    }

    #[test]
    fn the_first_case_that_fits_counts() {
        let text = r#"[{"args":"s3 cp","log":"copied"},{"args":["s3"],"exitCode":3},"standIn"]"#;
        let tool = Tool::read(&Value::from_json(text).unwrap()).unwrap();
        assert_eq!(tool.case(&args("--quiet s3 cp a b")).behaviour.log, ["copied"]);
        assert_eq!(tool.case(&args("s3 ls")).behaviour.exit_code, 3);
        assert_eq!(tool.case(&args("ec2 ls")).kind, Kind::StandIn);
        assert!(Tool::read(&Value::from_json(r#"{"kind":"nosuch"}"#).unwrap()).is_err());
    }
}
