//! `kubectl exec`: a command in a running container, with its output, its input and its exit code.
//!
//! Source: `kubectl/pkg/cmd/exec/exec.go`.

use crate::host::Desk;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb, Waiting, common, pods};
use api::meta::Key;
use api::status::{ApiError, Reason};
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
    let Some(word) = names.first() else {
        return call.misused("pod, type/name or --filename must be specified");
    };
    if names.len() > 1 {
        let text = "exec [POD] [COMMAND] is not supported anymore. Use exec [POD] -- [COMMAND] instead";
        return call.misused(text);
    }
    if command.is_empty() {
        return call.misused("you must specify at least one command for the container");
    }
    let (pod, container) = match target(call, word) {
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
                "Internal error occurred: error executing command in container: failed to exec in container: failed to \
                 start exec \"{id}{id}\": OCI runtime exec failed: exec failed: {text}"
            ))
        }
    }
}

/// The running Pod and the container that `word` and `-c` mean. Shared with `attach`.
pub fn target(call: &mut Call<'_, '_>, word: &str) -> Result<(Key, String), Outcome> {
    let verb = call.verb;
    let key = pods::named(call, word).map_err(|text| call.fail(&text))?;
    let Some(object) = call.desk.cluster.store().get(&key).cloned() else {
        return Err(call.refuse(&ApiError::not_found(key.kind, &key.name)));
    };
    if !pods::has_pods(key.kind) {
        let kind = key.kind.name();
        return Err(call.fail(&format!("cannot {verb} to *v1.{kind}: selector for *v1.{kind} not implemented")));
    }
    let found = pods::of(call.desk.cluster.store(), &object).unwrap_or_default();
    let Some(pod) = pods::best_for_attaching(&found) else {
        return Err(call.fail("timed out waiting for the condition"));
    };
    let typed = pod.pod();
    if typed.is_terminal() {
        let phase = &typed.status.phase;
        let what = if verb == "exec" { "exec into" } else { "attach" };
        return Err(call.fail(&format!("cannot {what} a container in a completed pod; current phase is {phase}")));
    }
    let container = match call.parsed.text("container") {
        Some(name) if pods::containers(typed).iter().any(|c| c == name) => name.to_owned(),
        Some(name) => {
            let message = format!("container {name} is not valid for pod {}", pod.name());
            return Err(call.refuse(&ApiError { reason: Reason::BadRequest, ..ApiError::bad_request(message) }));
        }
        None => {
            let (name, said) = pods::default_container(typed);
            call.io.err(&said.unwrap_or_default());
            name
        }
    };
    if typed.spec.node_name.is_empty() {
        let message = format!("pod {} does not have a host assigned", pod.name());
        return Err(call.refuse(&ApiError::bad_request(message)));
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
