//! What a container does over virtual time: its programs, the images they come from, and the machine they run on.
//!
//! Rule: a program is plain data that is polled; it never blocks and never sees the cluster. It reads and writes through
//! [`Machine`], sends requests through it, and answers requests in [`Process::serve`].

mod behaviour;
pub mod commands;
pub mod files;
pub mod http;
pub mod image;
mod kuard;
mod reading;
mod kuard_flags;
pub mod machine;
mod memq;
mod one_liner;
mod pi;
mod reach;
pub mod reference;
mod shells;
mod tool;
pub mod wget;

use shell::host::resolve;
use shell::{Env, Host, Io, Launch, Poll, Shell, Signal};
use values::time::SimTime;

pub use behaviour::{ANNOTATION, Behaviour, Occasion, OnTerm};
pub use machine::{Call, Connections, Machine, RequestId, Returned};
pub use shells::{Shells, shells};
pub use wget::curl_error;

use behaviour::Scripted;
use http::{Request, Response};
use image::ProgramKind;
use kuard::Kuard;
use reading::Reading;
use tool::Running as Tool;
use wget::Fetch;

/// Steps of a script that run in one poll; then a little time passes.
const STEPS_PER_POLL: u32 = 4000;

/// One running program. A copy is the program at that moment.
#[derive(Clone, Debug)]
pub enum Process {
    Shell(Box<Shell<Process>>),
    /// A shell that takes its commands from its standard input.
    Reading(Box<Reading<Process>>),
    Kuard(Box<Kuard>),
    Scripted(Box<Scripted>),
    Fetch(Box<Fetch>),
    /// A program described by cases.
    Tool(Box<Tool>),
    /// Prints its text then and ends.
    Perl {
        prints: String,
        ends_at: Option<SimTime>,
        digits: usize,
    },
    /// `sleep N`, and everything else that only waits.
    Sleep {
        until: Option<SimTime>,
        span_ms: i64,
    },
    /// Prints and ends at once.
    Prints {
        out: String,
        err: String,
        exit_code: i32,
    },
}

/// What a signal does to a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reaction {
    /// Nothing: it goes on.
    Ignored,
    /// It has heard; poll it.
    Handled,
    /// It is gone, with this exit code.
    Dies(i32),
}

/// What a process is started with.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// The program and its arguments, not empty.
    pub argv: &'a [String],
    pub env: &'a Env,
    /// Absolute.
    pub cwd: &'a str,
    pub occasion: &'a Occasion,
    /// The container's first process.
    pub first: bool,
    /// What the Pod's annotation says of the container's own program, if it does.
    pub described: Option<&'a Behaviour>,
}

impl Process {
    /// Starts a program of the machine's image.
    ///
    /// # Errors
    /// Why there is no such program, as runc says it: `exec: "nosuch": executable file not found in $PATH`.
    pub fn start(start: Start<'_>, machine: &Machine<'_>) -> Result<Process, String> {
        if let Some(behaviour) = start.described {
            let scripted = Scripted::new(behaviour.clone(), start.occasion.clone());
            return Ok(Process::Scripted(Box::new(scripted)));
        }
        let name = start.argv[0].as_str();
        let path_variable = start.env.get("PATH").map(String::as_str);
        let Some((_, kind)) = machine.image.program(name, path_variable) else {
            if let Some(argv) = script(start, machine) {
                return Process::start(Start { argv: &argv, ..start }, machine);
            }
            return match may_be_there(name, machine) {
                true => (shells::fetched().tool)(&ProgramKind::StandIn, start, machine),
                false => Err(not_started(name, machine)),
            };
        };
        Ok(match kind {
            ProgramKind::Tool(_) | ProgramKind::StandIn => return (shells::fetched().tool)(kind, start, machine),
            ProgramKind::Kuard(item) => Process::Kuard(Box::new(Kuard::new(start.argv.to_vec(), *item))),
            ProgramKind::Scripted(behaviour) => {
                Process::Scripted(Box::new(Scripted::new((**behaviour).clone(), start.occasion.clone())))
            }
            ProgramKind::Perl => perl(start.argv),
            ProgramKind::Shell => (shells::fetched().start)(start, machine),
        })
    }

    /// Lets the program go on until it ends, waits or has used its share.
    pub fn poll(&mut self, machine: &mut Machine<'_>, io: &mut Io) -> Poll {
        match self {
            Process::Shell(shell) => {
                let mut steps = STEPS_PER_POLL;
                (shells::fetched().poll)(shell, machine, io, &mut steps)
            }
            Process::Reading(reading) => {
                let mut steps = STEPS_PER_POLL;
                (shells::fetched().read)(reading, machine, io, &mut steps)
            }
            Process::Kuard(kuard) => kuard.poll(machine, io),
            Process::Scripted(scripted) => scripted.poll(machine, io),
            Process::Fetch(fetch) => (shells::fetched().fetch)(fetch, machine, io),
            Process::Tool(tool) => (shells::fetched().poll_tool)(tool, machine, io),
            Process::Perl { prints, ends_at, digits } => {
                let at = *ends_at
                    .get_or_insert(machine.now + if *digits > 0 { pi::duration(*digits) } else { pi::duration(1) });
                if machine.now < at {
                    return Poll::SleepUntil(at);
                }
                if *digits > 0 {
                    *prints = format!("{}\n", pi::pi(*digits));
                }
                io.out(prints);
                Poll::Exit(0)
            }
            Process::Sleep { until, span_ms } => {
                let span = values::time::Span::ms(*span_ms);
                let at = *until.get_or_insert(machine.now + span);
                if machine.now < at { Poll::SleepUntil(at) } else { Poll::Exit(0) }
            }
            Process::Prints { out, err, exit_code } => {
                io.out(out);
                io.err(err);
                Poll::Exit(*exit_code)
            }
        }
    }

    /// Tells the program of a signal. `first` says that it is the container's first process, which only gets signals it
    /// handles (and the kernel's own SIGKILL).
    pub fn signal(&mut self, signal: Signal, first: bool, machine: &mut Machine<'_>, io: &mut Io) -> Reaction {
        if signal == Signal::Kill {
            return Reaction::Dies(Signal::Kill.exit_code());
        }
        let shell = match self {
            Process::Shell(shell) => Some(&mut **shell),
            Process::Reading(reading) => Some(reading.shell()),
            _ => None,
        };
        if let Some(shell) = shell {
            (shells::fetched().signal)(shell, machine, io, signal);
            return shell.ended().map_or(Reaction::Handled, Reaction::Dies);
        }
        let terminates = matches!(signal, Signal::Term | Signal::Int | Signal::Quit);
        match self {
            // A Go program without handlers of its own: the runtime ends it with 2 (recorded in `work-queue`).
            Process::Kuard(_) if terminates || signal == Signal::Hup => Reaction::Dies(2),
            Process::Scripted(scripted) if terminates => match scripted.on_term() {
                OnTerm::Ignore => Reaction::Ignored,
                OnTerm::Exit(code) => Reaction::Dies(code),
            },
            Process::Tool(tool) if terminates => match (shells::fetched().tool_on_term)(tool) {
                OnTerm::Ignore => Reaction::Ignored,
                OnTerm::Exit(code) => Reaction::Dies(code),
            },
            _ if first || signal.is_harmless() => Reaction::Ignored,
            _ => Reaction::Dies(signal.exit_code()),
        }
    }

    /// Whether it listens on this port.
    pub fn listens(&self, port: u16) -> bool {
        match self {
            Process::Kuard(kuard) => kuard.listens_on() == Some(port),
            Process::Scripted(scripted) => scripted.listens_on() == Some(port),
            Process::Tool(tool) => (shells::fetched().tool_listens)(tool, port),
            _ => false,
        }
    }

    /// Answers a request to the port it listens on. Status 0: it speaks no HTTP, and hangs up.
    pub fn serve(&mut self, request: &Request, machine: &mut Machine<'_>) -> Response {
        if request.method == Request::CONNECT {
            return Response { status: 204, ..Response::default() };
        }
        let mut response = match self {
            Process::Tool(tool) => (shells::fetched().serve_tool)(tool, request),
            Process::Kuard(kuard) => kuard.serve(request, machine),
            Process::Scripted(scripted) => scripted.serve(request),
            _ => Response::error(404, "404 page not found"),
        };
        response.headers.push(("Date".into(), machine.now.format("%a, %d %b %Y %H:%M:%S GMT")));
        if response.status != 204 {
            response.headers.push(("Content-Length".into(), response.body.len().to_string()));
        }
        response
    }
}

/// What a container's shell finds beside its own commands.
impl Host for Machine<'_> {
    type Command = Process;

    fn start(&mut self, launch: Launch<'_>) -> shell::Start<Process> {
        let name = launch.argv[0].as_str();
        let path_variable = launch.env.get("PATH").map(String::as_str);
        let found = self.image.program(name, path_variable).map(|(_, kind)| kind.clone());
        let base = name.rsplit('/').next().unwrap_or_default();
        let found = found.or_else(|| may_be_there(name, self).then_some(ProgramKind::StandIn));
        match found {
            // The shell does the rest itself.
            Some(ProgramKind::Shell) if !matches!(base, "wget" | "curl") => shell::Start::NotFound,
            Some(_) => {
                let occasion = Occasion::default();
                let start = Start {
                    argv: launch.argv,
                    env: launch.env,
                    cwd: launch.cwd,
                    occasion: &occasion,
                    first: false,
                    described: None,
                };
                Process::start(start, self).map_or(shell::Start::NotFound, shell::Start::Started)
            }
            // A script: the shell runs it itself.
            None if self.is_runnable(launch.cwd, name) => shell::Start::NotFound,
            None if self.files.info(name).is_ok() && name.contains('/') => shell::Start::NotExecutable,
            None => shell::Start::NotFound,
        }
    }

    fn poll(&mut self, command: &mut Process, io: &mut Io) -> Poll {
        command.poll(self, io)
    }

    fn signal_first(&mut self, signal: Signal) -> bool {
        self.net.signal_first(signal);
        true
    }

    fn signal(&mut self, command: &mut Process, signal: Signal) {
        command.signal(signal, false, self, &mut Io::default());
    }
}

/// The command line by which a file that may be run is run: what its first line names, with the file. None if it is no
/// such file. (`execve(2)`)
fn script(start: Start<'_>, machine: &Machine<'_>) -> Option<Vec<String>> {
    let name = start.argv[0].as_str();
    if !name.contains('/') || !machine.is_runnable(start.cwd, name) {
        return None;
    }
    let path = resolve(start.cwd, name);
    let bytes = machine.files.read(&path).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().next()?.strip_prefix("#!")?.trim();
    let mut argv: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    if argv.first().is_some_and(|program| program.ends_with("/env")) && argv.len() > 1 {
        argv.remove(0);
    }
    // Scripts that name scripts might never end.
    if argv.first().is_none_or(|program| machine.is_runnable("/", program)) {
        return None;
    }
    argv.push(path);
    argv.extend(start.argv[1..].iter().cloned());
    Some(argv)
}

/// Whether a program that is not known may be there: nobody knows what is in the image, and it is not looked for where
/// all files are known, in volumes and temporary folders.
fn may_be_there(name: &str, machine: &Machine<'_>) -> bool {
    let known_place = |mount: &files::Mount| name == mount.path || name.starts_with(&format!("{}/", mount.path));
    machine.holds_anything()
        && machine.files.info(name).is_err()
        && !name.starts_with("/tmp/")
        && !machine.files.mounts.iter().any(known_place)
}

/// perl: only the documentation's one-liner is known.
fn perl(argv: &[String]) -> Process {
    match pi::digits_asked(argv) {
        Some(digits) => Process::Perl { prints: String::new(), ends_at: None, digits },
        None if argv.len() == 1 => Process::Prints { out: String::new(), err: String::new(), exit_code: 0 },
        None => Process::Prints {
            out: String::new(),
            err: "perl: Batchyard only knows the one-liner with bpi(N)\n".into(),
            exit_code: 2,
        },
    }
}

/// What runc says of a command it cannot run (recorded in `bad-command-and-oom`).
fn not_started(name: &str, machine: &Machine<'_>) -> String {
    if !name.contains('/') {
        return format!("exec: {name:?}: executable file not found in $PATH");
    }
    match machine.files.info(name) {
        Ok(info) if info.directory() => format!("exec: {name:?}: is a directory"),
        Ok(_) => format!("exec: {name:?}: permission denied"),
        Err(error) => {
            let text = error.to_string();
            let mut chars = text.chars();
            let first = chars.next().map(|c| c.to_ascii_lowercase().to_string()).unwrap_or_default();
            format!("exec: {name:?}: stat {name}: {first}{}", chars.as_str())
        }
    }
}

#[cfg(test)]
mod tests;
