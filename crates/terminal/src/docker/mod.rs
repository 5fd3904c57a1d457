//! docker: `build`, `run`, `ps`, `images`, `logs`, `rm`, over the engine's images and programs.
//!
//! Rule: a container runs the same [`Process`] as under a kubelet, on the virtual clock. `docker build` reads the
//! Dockerfile for its `FROM`, `ENTRYPOINT`, `CMD`, `ENV` and `WORKDIR`; nothing is compiled, so an image whose name the
//! registry knows (`hellokubernetesjob`) does what that one does. Not there: detached containers, networks, volumes.

mod build;
mod daemon;

use std::rc::Rc;
use values::sorted::SortedMap;

use crate::command::Args;
use crate::host::Desk;
use crate::kubectl::flags::{self, Flag, Parsed, Takes, flag};
use cluster::program::files::{FileTree, Files};
use cluster::program::http::NetError;
use cluster::program::image::{Image, Missing};
use cluster::program::reference::Reference;
use cluster::program::{Connections, Machine, Occasion, Process, Start};
use shell::{Env, Io, Poll, Stream};
use values::time::{SimTime, Span};

pub use daemon::Daemon;
use daemon::{Container, Local};

/// Until a container runs.
const START: Span = Span::ms(350);
/// Until an image is there that was not.
const PULL: Span = Span::ms(1800);

/// A command of docker.
struct Verb {
    name: &'static str,
    usage: &'static str,
    summary: &'static str,
    flags: &'static [Flag],
    /// The fewest arguments.
    least: usize,
    run: fn(&mut Call<'_, '_>) -> Result<Task, String>,
}

const HELP: Flag = flag("help", Takes::Nothing, "Says how the command is used");

/// Names of all verbs, for completion.
pub fn verbs() -> impl Iterator<Item = &'static str> {
    VERBS.iter().map(|verb| verb.name)
}

const VERBS: &[Verb] = &[
    Verb {
        name: "build",
        usage: "docker build [OPTIONS] PATH",
        summary: "Build an image from a Dockerfile",
        flags: &[
            flag("tag", Takes::List, "Name and tag of the image").short('t'),
            flag("file", Takes::Text, "The Dockerfile").short('f'),
            flag("no-cache", Takes::Nothing, "Do everything anew"),
            HELP,
        ],
        least: 1,
        run: build::run,
    },
    Verb {
        name: "run",
        usage: "docker run [OPTIONS] IMAGE [COMMAND] [ARG...]",
        summary: "Create and run a new container from an image",
        flags: &[
            flag("interactive", Takes::Nothing, "Keep standard input open").short('i'),
            flag("tty", Takes::Nothing, "A terminal for the container").short('t'),
            flag("rm", Takes::Nothing, "Remove the container when it has ended"),
            flag("detach", Takes::Nothing, "Run in the background").short('d'),
            flag("name", Takes::Text, "The container's name"),
            flag("env", Takes::List, "Variables: NAME=VALUE").short('e'),
            flag("entrypoint", Takes::Text, "Instead of the image's own"),
            HELP,
        ],
        least: 1,
        run,
    },
    Verb {
        name: "ps",
        usage: "docker ps [OPTIONS]",
        summary: "List containers",
        flags: &[flag("all", Takes::Nothing, "Also those that have ended").short('a'), HELP],
        least: 0,
        run: |call| {
            let text = call.desk.docker.ps(call.parsed.on("all"), call.desk.cluster.now());
            call.io.out(&text);
            Ok(Task::Done(0))
        },
    },
    Verb {
        name: "images",
        usage: "docker images",
        summary: "List images",
        flags: &[HELP],
        least: 0,
        run: |call| {
            let text = call.desk.docker.images(call.desk.cluster.now());
            call.io.out(&text);
            Ok(Task::Done(0))
        },
    },
    Verb {
        name: "logs",
        usage: "docker logs CONTAINER",
        summary: "Fetch the logs of a container",
        flags: &[HELP],
        least: 1,
        run: |call| {
            let name = call.parsed.args[0].clone();
            let found = call.desk.docker.container(&name);
            let at = found.ok_or_else(|| format!("Error response from daemon: No such container: {name}"))?;
            let log = call.desk.docker.containers[at].log.clone();
            call.io.out(&log);
            Ok(Task::Done(0))
        },
    },
    Verb {
        name: "rm",
        usage: "docker rm CONTAINER [CONTAINER...]",
        summary: "Remove one or more containers",
        flags: &[flag("force", Takes::Nothing, "Running ones too").short('f'), HELP],
        least: 1,
        run: |call| {
            let mut exit = 0;
            for name in call.parsed.args.clone() {
                match call.desk.docker.container(&name) {
                    Some(at) => {
                        call.desk.docker.containers.remove(at);
                        call.io.out(&format!("{name}\n"));
                    }
                    None => {
                        call.io.err(&format!("Error response from daemon: No such container: {name}\n"));
                        exit = 1;
                    }
                }
            }
            Ok(Task::Done(exit))
        },
    },
];

/// One run of a verb.
struct Call<'a, 'b> {
    desk: &'a mut Desk<'b>,
    io: &'a mut Io,
    parsed: Parsed,
    cwd: &'a str,
}

/// A docker that was started.
#[derive(Clone, Debug, Default)]
pub enum Task {
    #[default]
    New,
    Done(i32),
    /// Says something more at that time and ends.
    Later {
        at: SimTime,
        err: String,
        keep: Option<Box<Local>>,
    },
    /// An image is being pulled; the container after it.
    Pulls {
        at: SimTime,
        err: String,
        keep: Box<Local>,
        then: Box<Running>,
    },
    Runs(Box<Running>),
}

/// A container that runs.
#[derive(Clone, Debug)]
pub struct Running {
    id: String,
    argv: Vec<String>,
    env: Env,
    cwd: String,
    image: Rc<Image>,
    removed_at_end: bool,
    starts_at: SimTime,
    process: Option<Process>,
    files: FileTree,
    net: Connections,
    draws: u64,
    io: Io,
}

impl Task {
    /// Goes on as far as it can without time passing.
    pub fn poll(&mut self, args: &Args, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        loop {
            let now = desk.cluster.now();
            match self {
                Task::New => match start(args, desk, io) {
                    Ok(task) => *self = task,
                    Err((code, text)) => {
                        io.err(&format!("{text}\n"));
                        return Poll::Exit(code);
                    }
                },
                Task::Done(code) => return Poll::Exit(*code),
                Task::Later { at, .. } | Task::Pulls { at, .. } if now < *at => return Poll::SleepUntil(*at),
                Task::Later { err, keep, .. } => {
                    io.err(err);
                    if let Some(local) = keep.take() {
                        desk.docker.keep(*local);
                    }
                    return Poll::Exit(0);
                }
                Task::Pulls { err, keep, then, .. } => {
                    io.err(err);
                    desk.docker.keep((**keep).clone());
                    let mut running = then.clone();
                    running.starts_at = now + START;
                    *self = Task::Runs(running);
                }
                Task::Runs(running) => return running.poll(desk, io),
            }
        }
    }
}

fn start(args: &Args, desk: &mut Desk<'_>, io: &mut Io) -> Result<Task, (i32, String)> {
    let Some(name) = args.argv.iter().find(|arg| !arg.starts_with('-')) else {
        let rows: String = VERBS.iter().map(|verb| format!("  {:10} {}\n", verb.name, verb.summary)).collect();
        io.out(&format!("Usage:  docker [OPTIONS] COMMAND\n\nCommands:\n{rows}"));
        return Ok(Task::Done(0));
    };
    let Some(verb) = VERBS.iter().find(|verb| verb.name == name) else {
        let text = format!("docker: unknown command: docker {name}\n\nRun 'docker --help' for more information");
        return Err((1, text));
    };
    let at = args.argv.iter().position(|arg| arg == name).unwrap_or(0);
    // What stands behind the image belongs to the container.
    let rest = &args.argv[at + 1..];
    let parsed = if verb.name == "run" { parse_run(rest, verb.flags) } else { flags::parse(rest, &[verb.flags]) };
    let more = |text: String| (125, format!("{text}\n\nRun 'docker {name} --help' for more information"));
    let parsed = parsed.map_err(more)?;
    if parsed.on("help") {
        io.out(&format!("Usage:  {}\n\n{}\n", verb.usage, verb.summary));
        return Ok(Task::Done(0));
    }
    if parsed.args.len() < verb.least {
        let text = format!(
            "docker: 'docker {name}' requires at least {} argument\n\nUsage:  {}\n\nSee 'docker {name} --help' for more information",
            verb.least, verb.usage
        );
        return Err((1, text));
    }
    let failed = if verb.name == "run" { 125 } else { 1 };
    (verb.run)(&mut Call { desk, io, parsed, cwd: &args.cwd }).map_err(|text| (failed, text))
}

/// Reads flags up to the image only.
fn parse_run(rest: &[String], list: &[Flag]) -> Result<Parsed, String> {
    let mut taken = 0;
    while taken < rest.len() {
        let arg = &rest[taken];
        if !arg.starts_with('-') || arg == "-" {
            break;
        }
        let name = arg.trim_start_matches('-');
        let long = arg.starts_with("--");
        let last = name.chars().last();
        let known =
            list.iter().find(|flag| if long { flag.name == name } else { flag.short.is_some() && flag.short == last });
        let takes_next = known.is_some_and(|flag| matches!(flag.takes, Takes::Text | Takes::List));
        taken += 1 + usize::from(takes_next);
    }
    let taken = taken.min(rest.len());
    let mut line: Vec<String> = rest[..taken].to_vec();
    line.push("--".to_owned());
    line.extend_from_slice(&rest[taken..]);
    flags::parse(&line, &[list])
}

/// Name, tag and what the registry calls it.
fn reference(name: &str) -> Result<(String, String, Reference), String> {
    let invalid = |_| "docker: invalid reference format".to_owned();
    let reference = Reference::parse(name).map_err(invalid)?;
    let tag = reference.tag.clone().unwrap_or_else(|| "latest".to_owned());
    Ok((reference.familiar().to_owned(), tag, reference))
}

fn run(call: &mut Call<'_, '_>) -> Result<Task, String> {
    if call.parsed.on("detach") {
        return Err("docker: containers in the background are not simulated here; run it without -d".to_owned());
    }
    let shown = call.parsed.args[0].clone();
    let (name, tag, reference) = reference(&shown)?;
    let now = call.desk.cluster.now();
    let found = call.desk.docker.find(&name, &tag).cloned();
    let mut pulled = None;
    let local = match found {
        Some(local) => local,
        None => {
            let missing = format!("Unable to find image '{name}:{tag}' locally\n");
            let image = match call.desk.docker.in_registry(&reference) {
                Ok(image) => image,
                Err(what) => {
                    let why = match what {
                        Missing::Tag => {
                            format!("manifest for {name}:{tag} not found: manifest unknown: manifest unknown")
                        }
                        Missing::Repository => format!(
                            "pull access denied for {name}, repository does not exist or may require 'docker login': denied: \
                             requested access to the resource is denied"
                        ),
                    };
                    return Err(format!("{missing}docker: Error response from daemon: {why}"));
                }
            };
            call.io.err(&missing);
            let rng = call.desk.cluster.rng();
            let id = image.id(&reference, rng);
            let digest = id.rsplit('@').next().unwrap_or_default().to_owned();
            pulled = Some(format!(
                "{tag}: Pulling from {}\nDigest: {digest}\nStatus: Downloaded newer image for {name}:{tag}\n",
                reference.repository.split_once('/').map_or(name.as_str(), |(_, rest)| rest)
            ));
            let id = digest.trim_start_matches("sha256:").to_owned();
            Local { name, tag, id, created: now, size_bytes: image.size(&reference, rng), image }
        }
    };
    let running = container(call, &shown, &local)?;
    Ok(match pulled {
        Some(err) => Task::Pulls { at: now + PULL, err, keep: Box::new(local), then: Box::new(running) },
        None => Task::Runs(Box::new(running)),
    })
}

fn container(call: &mut Call<'_, '_>, shown: &str, local: &Local) -> Result<Running, String> {
    let (image, now, rng) = (Rc::clone(&local.image), call.desk.cluster.now(), call.desk.cluster.rng());
    call.desk.docker.made += 1;
    let draw = format!("container/{}", call.desk.docker.made);
    let id = rng.stream("docker", &draw).hex(64);
    let name = match call.parsed.text("name") {
        Some(name) => match call.desk.docker.container(name) {
            Some(at) => {
                let other = &call.desk.docker.containers[at].id;
                return Err(format!(
                    "docker: Error response from daemon: Conflict. The container name \"/{name}\" is already in use by \
                     container \"{other}\". You have to remove (or rename) that container to be able to reuse that name."
                ));
            }
            None => name.to_owned(),
        },
        None => made_up_name(rng, &draw),
    };
    let rest = &call.parsed.args[1..];
    let argv: Vec<String> = match call.parsed.text("entrypoint") {
        Some(program) => std::iter::once(program.to_owned()).chain(rest.iter().cloned()).collect(),
        None if rest.is_empty() => image.entrypoint.iter().chain(&image.cmd).cloned().collect(),
        None => image.entrypoint.iter().chain(rest).cloned().collect(),
    };
    if argv.is_empty() {
        return Err("docker: Error response from daemon: no command specified".to_owned());
    }
    let mut env: Env = image.env.clone();
    env.entry("PATH".to_owned()).or_insert_with(|| image.path_variable().to_owned());
    env.insert("HOSTNAME".to_owned(), id.chars().take(12).collect());
    env.insert("HOME".to_owned(), "/root".to_owned());
    for pair in call.parsed.list("env") {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        env.insert(name.to_owned(), value.to_owned());
    }
    let mut files = FileTree::default();
    for (path, text) in &image.files {
        files.put(path, text.as_bytes(), false, now);
    }
    let cwd = if image.working_dir.is_empty() { "/".to_owned() } else { image.working_dir.clone() };
    let record = Container {
        id: id.clone(),
        image: shown.to_owned(),
        command: argv.clone(),
        name,
        created: now,
        ended: None,
        log: String::new(),
    };
    call.desk.docker.containers.push(record);
    let mut io = Io::default();
    if !call.parsed.on("interactive") {
        io = Io::without_input();
    }
    Ok(Running {
        id,
        argv,
        env,
        cwd,
        image,
        removed_at_end: call.parsed.on("rm"),
        starts_at: now + START,
        process: None,
        files,
        net: Connections::default(),
        draws: 0,
        io,
    })
}

fn made_up_name(rng: values::rng::Rng, draw: &str) -> String {
    const HOW: [&str; 8] = ["brave", "calm", "eager", "happy", "keen", "quiet", "vivid", "wise"];
    const WHO: [&str; 8] = ["bell", "curie", "euler", "hopper", "lovelace", "noether", "turing", "wing"];
    let pick = |what: &str, list: [&'static str; 8]| list[rng.between(what, draw, 0, 7) as usize & 7];
    format!("{}_{}", pick("docker-how", HOW), pick("docker-who", WHO))
}

impl Running {
    fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        let now = desk.cluster.now();
        if now < self.starts_at {
            return Poll::SleepUntil(self.starts_at);
        }
        let (mut volumes, host_name) = (SortedMap::new(), self.id.chars().take(12).collect::<String>());
        let image = Rc::clone(&self.image);
        let mut machine = Machine {
            now,
            rng: desk.cluster.rng(),
            key: &self.id,
            draws: &mut self.draws,
            host_name: &host_name,
            image: &image,
            files: Files { own: &mut self.files, volumes: &mut volumes, mounts: &[], now },
            net: &mut self.net,
            memory_limit_bytes: None,
            user: image.user,
            main: true,
        };
        let process = match &mut self.process {
            Some(process) => process,
            None => {
                let occasion = Occasion::default();
                let start = Start {
                    argv: &self.argv,
                    env: &self.env,
                    cwd: &self.cwd,
                    occasion: &occasion,
                    first: true,
                    described: None,
                };
                match Process::start(start, &machine) {
                    Ok(process) => self.process.insert(process),
                    Err(why) => {
                        let text = format!(
                            "docker: Error response from daemon: failed to create task for container: failed to create shim \
                             task: OCI runtime create failed: runc create failed: unable to start container process: error \
                             during container init: {why}\n"
                        );
                        io.err(&text);
                        desk.docker.ended(&self.id, now, 127);
                        return Poll::Exit(127);
                    }
                }
            }
        };
        self.io.stdin.push(&io.stdin.take());
        if io.stdin.is_closed() {
            self.io.stdin.close();
        }
        let poll = process.poll(&mut machine, &mut self.io);
        // There is no network: whoever asks is told that the name stands for nothing.
        let asked = self.net.take_outbox();
        let waits = !asked.is_empty();
        for (request, sent) in asked {
            self.net.put_answer(request, Err(NetError::NoSuchHost { host: sent.host }));
        }
        for chunk in self.io.output.take() {
            let text = String::from_utf8_lossy(&chunk.bytes);
            desk.docker.log(&self.id, &text);
            match chunk.stream {
                Stream::Stdout => io.out(&text),
                Stream::Stderr => io.err(&text),
            }
        }
        if let Poll::Exit(code) = poll {
            desk.docker.ended(&self.id, now, code);
            if self.removed_at_end {
                desk.docker.containers.retain(|container| container.id != self.id);
            }
        }
        if waits && poll == Poll::Wait { Poll::Yield } else { poll }
    }
}
