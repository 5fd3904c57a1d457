//! `kubectl exec`: a command in a running container, with its output, its input and its exit code.
//!
//! Source: `kubectl/pkg/cmd/exec/exec.go`.

use crate::host::Desk;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb, Waiting, attach, common, pods, resource, targets};
use api::meta::Key;
use cluster::node::{ExecHandle, ExecState};
use shell::{Io, Poll, Read};
use values::time::Span;

pub const VERB: Verb = Verb {
    name: "exec",
    summary: "Execute a command in a container",
    usage: "kubectl exec (POD | TYPE/NAME) [-c CONTAINER] [flags] -- COMMAND [args...]",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    common::CONTAINER,
    common::FILENAME,
    common::POD_RUNNING_TIMEOUT,
    flag("quiet", Takes::Nothing, "Print only what the command prints").short('q').default("false"),
    flag("stdin", Takes::Nothing, "Pass standard input to the container").short('i').default("false"),
    flag("tty", Takes::Nothing, "Standard input is a terminal").short('t').default("false"),
];

/// A command that runs in a container.
#[derive(Clone, Debug)]
pub struct Session {
    handle: ExecHandle,
    input: Option<Passing>,
}

/// Standard input that is passed on to a process in a container, until it ends. Shared with `attach`.
#[derive(Clone, Debug)]
pub struct Passing {
    to: ExecHandle,
    ended: bool,
}

impl Passing {
    pub fn to(handle: &ExecHandle) -> Passing {
        Passing { to: handle.clone(), ended: false }
    }

    /// Passes on what has come. False once the input has ended.
    pub fn step(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> bool {
        while !self.ended {
            match io.stdin.read(usize::MAX) {
                Read::Data(bytes) => desk.cluster.exec_input(&self.to, &bytes, false),
                Read::Empty => return true,
                Read::End => {
                    desk.cluster.exec_input(&self.to, &[], true);
                    self.ended = true;
                }
            }
        }
        false
    }
}

/// What is typed comes from outside; who passes it on looks now and then.
pub const LOOKS_EVERY: Span = Span::ms(50);

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let dash = call.parsed.dash_at;
    let (names, command) = match dash {
        Some(at) => call.parsed.args.split_at(at),
        None => (call.parsed.args.as_slice(), &[][..]),
    };
    let (names, command) = (names.to_vec(), command.to_vec());
    let in_files = call.parsed.is_set("filename");
    if names.is_empty() && !in_files {
        return call.fail("pod, type/name or --filename must be specified");
    }
    if dash.is_none() && names.len() > usize::from(!in_files) {
        let text = "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead";
        return call.misused(text);
    }
    if command.is_empty() {
        return call.fail("you must specify at least one command for the container");
    }
    let word = if in_files { in_file(call) } else { Ok(names[0].clone()) };
    let found = word.and_then(|word| target(call, &word));
    if call.parsed.on("tty") && call.parsed.on("stdin") && found.is_ok() {
        call.io.err("Unable to use a TTY - input is not a terminal or the right kind of file\n");
    }
    let (pod, container) = match found {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    let stdin = call.parsed.on("stdin");
    let terminal = stdin && call.parsed.on("tty");
    let io = if stdin { Io { terminal, ..Io::default() } } else { Io::without_input() };
    match call.desk.cluster.exec(&pod, &container, &command, io) {
        Ok(handle) => Outcome::Waits(Waiting::Exec(Session { input: stdin.then(|| Passing::to(&handle)), handle })),
        Err(text) if text.starts_with("container not") => {
            call.fail(&format!("unable to upgrade connection: container not found (\"{container}\")"))
        }
        Err(text) => {
            let id = call
                .desk
                .cluster
                .rng()
                .uuid(format_args!("exec/{}/{}", pod.name, call.desk.cluster.now()))
                .replace('-', "");
            call.fail(&format!(
                "Internal error occurred: Internal error occurred: error executing command in container: failed to exec in container: failed to \
                 start exec \"{id}{id}\": OCI runtime exec failed: exec failed: unable to start container process: {text}"
            ))
        }
    }
}

/// The one object that the files name, as `TYPE/NAME`.
fn in_file(call: &mut Call<'_, '_>) -> Result<String, Outcome> {
    let documents = targets::documents(call).map_err(|failures| call.end(&failures))?;
    match documents.as_slice() {
        [] => Err(call.fail("no objects passed to exec")),
        [(object, kind, _)] => {
            Ok(format!("{}/{}", kind.info().plural, object.str_at("metadata.name").unwrap_or_default()))
        }
        _ => Err(call.fail("cannot exec into multiple objects at a time")),
    }
}

/// The running Pod and the container that `word` and `-c` mean. Shared with `attach`.
pub fn target(call: &mut Call<'_, '_>, word: &str) -> Result<(Key, String), Outcome> {
    let verb = call.verb;
    let key = pods::named(call, word).map_err(|text| call.fail(&text))?;
    let found = resource::get(call.desk.cluster.store(), key.kind, &key.namespace, &key.name);
    let object = found.map_err(|error| call.refuse(&error))?;
    if !pods::has_pods(key.kind) {
        let kind = key.kind.name();
        return Err(call.fail(&format!("cannot attach to *v1.{kind}: selector for *v1.{kind} not implemented")));
    }
    let found = pods::of(call.desk.cluster.store(), &object).unwrap_or_default();
    let Some(pod) = pods::best_for_attaching(&found) else {
        return Err(call.fail("timed out waiting for the condition"));
    };
    let typed = pod.pod();
    if typed.is_terminal() {
        let phase = &typed.status.phase;
        let what = if verb == "attach" { "attach" } else { "exec into" };
        return Err(call.fail(&format!("cannot {what} a container in a completed pod; current phase is {phase}")));
    }
    let container = match call.parsed.text("container") {
        Some(name) if pods::containers(typed).iter().any(|c| c == name) => name.to_owned(),
        Some(name) => {
            let list = pods::container_list(typed);
            let before = if verb == "attach" { "cannot attach to the container: " } else { "" };
            return Err(
                call.fail(&format!("{before}container {name} is not valid for pod {} out of: {list}", pod.name()))
            );
        }
        None => {
            let (name, said) = pods::default_container(typed);
            if !call.parsed.on("quiet") {
                call.io.err(&said.unwrap_or_default());
            }
            name
        }
    };
    if verb == "attach" && !call.parsed.on("quiet") {
        call.io.err(attach::WARNINGS);
    }
    if typed.spec.node_name.is_empty() {
        let message = format!("unable to upgrade connection: pod {} does not have a host assigned", pod.name());
        return Err(call.fail(&message));
    }
    Ok((pod.key(), container))
}

impl Session {
    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        let may_come = self.input.as_mut().is_some_and(|input| input.step(desk, io));
        let (chunks, state) = desk.cluster.exec_poll(&self.handle);
        for chunk in chunks {
            io.output.write(chunk.stream, &chunk.bytes);
        }
        match state {
            ExecState::Running if may_come => {
                *desk.listens = true;
                Poll::SleepUntil(desk.cluster.now() + LOOKS_EVERY)
            }
            ExecState::Running => {
                *desk.listens = true;
                Poll::Wait
            }
            ExecState::Exited(code) => {
                desk.cluster.exec_end(&self.handle);
                if code != 0 {
                    io.err(&format!("command terminated with exit code {code}\n"));
                }
                Poll::Exit(code)
            }
        }
    }

    /// Ctrl-C, or the end of `timeout`.
    pub fn cancel(&mut self, desk: &mut Desk<'_>) {
        desk.cluster.exec_end(&self.handle);
    }
}
