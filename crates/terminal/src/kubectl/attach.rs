//! `kubectl attach`: what a running container prints from now on, until it ends.
//!
//! Source: `kubectl/pkg/cmd/attach/attach.go`. With `-i` what is typed goes to the
//! container's first process, if that was made with `stdin: true`.

use crate::host::Desk;
use crate::kubectl::exec::Passing;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb, Waiting, common, exec};
use api::meta::Key;
use shell::{Io, Poll};

pub const VERB: Verb = Verb {
    name: "attach",
    summary: "Attach to a running container",
    usage: "kubectl attach (POD | TYPE/NAME) -c CONTAINER",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    common::CONTAINER,
    flag("detach-keys", Takes::Text, "The keys that detach").default("ctrl-p,ctrl-q"),
    common::POD_RUNNING_TIMEOUT,
    flag("quiet", Takes::Nothing, "Print only what the container prints").short('q').default("false"),
    flag("stdin", Takes::Nothing, "Pass standard input to the container").short('i').default("false"),
    flag("tty", Takes::Nothing, "Standard input is a terminal").short('t').default("false"),
];

/// Printed before any output of an attached container.
pub const WARNINGS: &str = "All commands and output from this session will be recorded in container logs, including \
                            credentials and sensitive information passed through the command prompt.\nIf you don't see a \
                            command prompt, try pressing enter.\n";

/// A container whose output is shown.
#[derive(Clone, Debug)]
pub struct Session {
    pod: Key,
    uid: String,
    container: String,
    restart_count: i64,
    /// The line that is shown next, and how many bytes of it were shown before it was whole.
    next: usize,
    shown: usize,
    input: Option<Passing>,
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let Some(word) = call.parsed.args.first().cloned() else {
        return call.fail("at least 1 argument is required for attach");
    };
    if call.parsed.args.len() > 2 {
        let (count, args) = (call.parsed.args.len(), call.parsed.args.join(" "));
        return call
            .fail(&format!("expected POD, TYPE/NAME, or TYPE NAME, (at most 2 arguments) saw {count}: [{args}]"));
    }
    let word = match call.parsed.args.get(1) {
        Some(name) => format!("{word}/{name}"),
        None => word,
    };
    let (pod, container) = match exec::target(call, &word) {
        Ok(found) => found,
        Err(outcome) => return outcome,
    };
    match Session::begin(call.desk, &pod, &container, call.parsed.on("stdin")) {
        Some(session) => Outcome::Waits(Waiting::Attach(session)),
        None => call.fail(&format!(
            "unable to upgrade connection: container {container} not found in pod {}_{}",
            pod.name, pod.namespace
        )),
    }
}

impl Session {
    /// Attaches to a container that runs: what it has printed so far is not shown.
    /// `stdin` says that what is typed is passed on.
    pub fn begin(desk: &Desk<'_>, pod: &Key, container: &str, stdin: bool) -> Option<Session> {
        let object = desk.cluster.store().get(pod)?;
        let restart_count = running(object.value(), container)?;
        let (first, lines) = desk.cluster.logs(pod, container, false, 0).unwrap_or_default();
        let complete = lines.iter().filter(|line| line.complete).count();
        // A prompt that stands is shown.
        let (uid, next) = (object.uid().to_owned(), first + complete);
        let input = desk.cluster.attach(pod, container).filter(|_| stdin).map(|handle| Passing::to(&handle));
        Some(Session { pod: pod.clone(), uid, container: container.to_owned(), restart_count, next, shown: 0, input })
    }

    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        let object = desk.cluster.store().get(&self.pod).filter(|o| o.uid() == self.uid).cloned();
        let count = object.as_ref().and_then(|o| running(o.value(), &self.container));
        let runs = count == Some(self.restart_count);
        let may_come = runs && self.input.as_mut().is_some_and(|input| input.step(desk, io));
        let earlier = count.is_some_and(|count| count > self.restart_count);
        let (first, lines) = desk.cluster.logs(&self.pod, &self.container, earlier, self.next).unwrap_or_default();
        for line in lines.iter().skip(self.next.saturating_sub(first)) {
            let rest = line.text.get(self.shown..).unwrap_or_default();
            let end = if line.complete { "\n" } else { "" };
            io.output.write(line.stream, format!("{rest}{end}").as_bytes());
            if !line.complete {
                self.shown = line.text.len();
                break;
            }
            (self.next, self.shown) = (self.next + 1, 0);
        }
        if runs {
            *desk.listens = true;
            return if may_come { Poll::SleepUntil(desk.cluster.now() + exec::LOOKS_EVERY) } else { Poll::Wait };
        }
        Poll::Exit(0)
    }
}

/// How often the container was restarted, if it runs.
fn running(pod: &values::value::Value, container: &str) -> Option<i64> {
    let lists = ["status.containerStatuses", "status.initContainerStatuses"];
    let status = lists.iter().flat_map(|list| pod.list_at(list)).find(|s| s.str_at("name") == Some(container))?;
    (!status.at("state.running").is_null()).then(|| status.i64_at("restartCount").unwrap_or(0))
}
