//! `kubectl logs`: the lines of one container, or of many, now or as they come.
//!
//! Rules: `docs/semantics/kubectl.md` §6, recordings `logs-follow`, `never-backofflimit-2`, `init-and-sidecar`.
//! Source: `kubectl/pkg/cmd/logs/logs.go`, `kubectl/pkg/polymorphichelpers/logsforobject.go`.

use std::rc::Rc;

use crate::host::Desk;
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb, Waiting, common, pods, resource};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use api::selector::Labels;
use cluster::node::{LogLine, LogsError};
use shell::{Io, Poll};
use values::time::{SimTime, Span};

pub const VERB: Verb = Verb {
    name: "logs",
    summary: "Print the logs of a container",
    usage: "kubectl logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    flag("all-containers", Takes::Nothing, "The logs of all containers").default("false"),
    flag("all-pods", Takes::Nothing, "The logs of all Pods of the object, with prefixes").default("false"),
    common::CONTAINER,
    flag("follow", Takes::Nothing, "Go on as lines come").short('f').default("false"),
    flag("ignore-errors", Takes::Nothing, "Errors of one log do not end the others").default("false"),
    flag("insecure-skip-tls-verify-backend", Takes::Nothing, "Trust any kubelet").default("false"),
    flag("limit-bytes", Takes::Number, "At most this many bytes").default("0"),
    flag("max-log-requests", Takes::Number, "How many logs may be followed at once").default("5"),
    Flag { default: "20s", ..common::POD_RUNNING_TIMEOUT },
    flag("prefix", Takes::Nothing, "Begin each line with Pod and container").default("false"),
    flag("previous", Takes::Nothing, "The log of the run before").short('p').default("false"),
    common::SELECTOR,
    flag("since", Takes::Duration, "Only lines younger than this, such as 5s, 2m or 3h").default("0s"),
    flag("since-time", Takes::Text, "Only lines after this moment (RFC 3339)"),
    flag("tail", Takes::Number, "Only this many lines from the end; -1 is all").default("-1"),
    flag("timestamps", Takes::Nothing, "Begin each line with its moment").default("false"),
];

/// How often a log that has not begun is asked for again.
const RETRY: Span = Span::secs(1);

/// Which lines, and how they are shown.
#[derive(Clone, Debug)]
struct Show {
    follow: bool,
    previous: bool,
    timestamps: bool,
    prefix: bool,
    ignore_errors: bool,
    since: Option<SimTime>,
    tail: Option<usize>,
    /// Bytes that may still be printed.
    left_bytes: Option<usize>,
}

/// One container's log.
#[derive(Clone, Debug)]
struct Source {
    pod: Key,
    container: String,
    /// The run that is read, once it was found.
    restart_count: Option<i64>,
    /// Number of the next line.
    next: usize,
    retry_at: Option<SimTime>,
    /// It was said that it waits.
    told: bool,
    done: bool,
}

/// A `logs` under way.
#[derive(Clone, Debug)]
pub struct Reading {
    show: Show,
    /// An object that has no Pod yet, and until when to wait for one.
    waits_for_pod: Option<(Key, SimTime)>,
    wanted: Wanted,
    sources: Vec<Source>,
    /// When waiting for logs to begin ends.
    give_up_at: SimTime,
    exit: i32,
}

/// Which containers of a Pod.
#[derive(Clone, Debug)]
struct Wanted {
    container: Option<String>,
    all_containers: bool,
    all_pods: bool,
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    match begin(call) {
        Ok(reading) => Outcome::Waits(Waiting::Logs(reading)),
        Err(outcome) => outcome,
    }
}

fn begin(call: &mut Call<'_, '_>) -> Result<Reading, Outcome> {
    let now = call.desk.cluster.now();
    let show = show(call, now).map_err(|text| call.fail(&text))?;
    let args = call.parsed.args.clone();
    let selector = call.parsed.text("selector").map(str::to_owned);
    let expected = "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument \
                    for the logs command";
    let mut wanted = Wanted {
        container: call.parsed.text("container").map(str::to_owned),
        all_containers: call.parsed.on("all-containers"),
        all_pods: call.parsed.on("all-pods"),
    };
    if let [_, container] = args.as_slice() {
        wanted.container.get_or_insert_with(|| container.clone());
    }
    match (args.len(), &selector) {
        (0, None) | (3.., _) => return Err(call.misused(expected)),
        (1.., Some(_)) => return Err(call.misused("only a selector (-l) or a POD name is allowed")),
        _ => {}
    }
    if wanted.all_containers && wanted.container.is_some() {
        return Err(call.fail(&format!(
            "--all-containers=true should not be specified with container name {}",
            wanted.container.as_deref().unwrap_or_default()
        )));
    }
    let timeout = call.duration("pod-running-timeout").map_err(|text| call.fail(&text))?.unwrap_or(Span::secs(20));
    let mut reading =
        Reading { show, waits_for_pod: None, wanted, sources: Vec::new(), give_up_at: now + timeout, exit: 0 };
    match selector {
        Some(text) => reading.choose_by_labels(call, &text)?,
        None => reading.choose_by_name(call, &args[0])?,
    }
    let most = call.number("max-log-requests").map_err(|text| call.fail(&text))?.unwrap_or(5);
    if reading.show.follow && reading.sources.len() as i64 > most {
        return Err(call.fail(&format!(
            "you are attempting to follow {} log streams, but maximum allowed concurrency is {most}, use \
             --max-log-requests to increase the limit",
            reading.sources.len()
        )));
    }
    Ok(reading)
}

fn show(call: &Call<'_, '_>, now: SimTime) -> Result<Show, String> {
    let since = call.duration("since")?.filter(|span| span.is_positive()).map(|span| now - span);
    let since_time = match call.parsed.text("since-time") {
        None => None,
        Some(text) => Some(SimTime::parse_rfc3339(text).ok_or_else(|| {
            format!("parsing time \"{text}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"{text}\" as \"2006\"")
        })?),
    };
    if since.is_some() && since_time.is_some() {
        return Err("at most one of `sinceTime` or `sinceSeconds` may be specified".to_owned());
    }
    let tail = call.number("tail")?;
    if tail.is_some_and(|n| n < -1) {
        return Err("--tail must be greater than or equal to -1".to_owned());
    }
    if call.parsed.is_set("since") && call.duration("since")?.is_some_and(|span| span < Span::ZERO) {
        return Err("--since must be greater than 0".to_owned());
    }
    if call.number("limit-bytes")?.is_some_and(|bytes| bytes < 0) {
        return Err("--limit-bytes must be greater than 0".to_owned());
    }
    // With a selector ten lines of each log are enough, unless more are asked for.
    let tail = tail.or(call.parsed.is_set("selector").then_some(10)).and_then(|n| usize::try_from(n).ok());
    let limit = call.number("limit-bytes")?.filter(|n| *n > 0).and_then(|n| usize::try_from(n).ok());
    Ok(Show {
        follow: call.parsed.on("follow"),
        previous: call.parsed.on("previous"),
        timestamps: call.parsed.on("timestamps"),
        prefix: call.parsed.on("prefix") || call.parsed.on("all-pods"),
        ignore_errors: call.parsed.on("ignore-errors"),
        since: since.or(since_time),
        tail,
        left_bytes: limit,
    })
}

impl Reading {
    fn choose_by_labels(&mut self, call: &mut Call<'_, '_>, text: &str) -> Result<(), Outcome> {
        let labels = Labels::parse(text).map_err(|text| call.fail(&text))?;
        let namespace = call.namespace().to_owned();
        let store = call.desk.cluster.store();
        let chosen: Vec<Rc<Object>> =
            store.list_in(Kind::Pod, &namespace).filter(|p| labels.matches(&p.meta().labels)).cloned().collect();
        if chosen.is_empty() {
            call.io.err(&format!("No resources found in {namespace} namespace.\n"));
            return Err(Outcome::Exit(0));
        }
        for pod in chosen {
            self.add(&pod, call.io).map_err(|text| call.fail(&text))?;
        }
        Ok(())
    }

    fn choose_by_name(&mut self, call: &mut Call<'_, '_>, word: &str) -> Result<(), Outcome> {
        let key = pods::named(call, word).map_err(|text| call.fail(&text))?;
        let found = resource::get(call.desk.cluster.store(), key.kind, &key.namespace, &key.name);
        let object = found.map_err(|error| {
            let namespace = call.namespace().to_owned();
            call.fail(&format!("error from server (NotFound): {error} in namespace \"{namespace}\""))
        })?;
        if !pods::has_pods(key.kind) {
            let kind = key.kind.name();
            let text = format!("cannot get the logs from *v1.{kind}: selector for *v1.{kind} not implemented");
            return Err(call.fail(&text));
        }
        let found = pods::of(call.desk.cluster.store(), &object).unwrap_or_default();
        if found.is_empty() {
            self.waits_for_pod = Some((key, self.give_up_at));
            return Ok(());
        }
        self.choose_among(&found, call.io).map_err(|text| call.fail(&text))
    }

    fn choose_among(&mut self, found: &[Rc<Object>], io: &mut Io) -> Result<(), String> {
        if self.wanted.all_pods {
            return found.iter().try_for_each(|pod| self.add(pod, io));
        }
        let Some(pod) = pods::best_for_logs(found) else { return Ok(()) };
        if found.len() > 1 {
            io.err(&format!("Found {} pods, using pod/{}\n", found.len(), pod.name()));
        }
        self.add(&pod, io)
    }

    /// Adds the logs of a Pod's wanted containers.
    fn add(&mut self, object: &Object, io: &mut Io) -> Result<(), String> {
        let pod = object.pod();
        let names = match (&self.wanted.container, self.wanted.all_containers) {
            (_, true) => pods::containers(pod),
            (Some(name), _) if pods::containers(pod).contains(name) => vec![name.clone()],
            (Some(name), _) => {
                let list = pods::container_list(pod);
                return Err(format!("container {name} is not valid for pod {} out of: {list}", object.name()));
            }
            (None, _) => {
                let (name, said) = pods::default_container(pod);
                io.err(&said.unwrap_or_default());
                vec![name]
            }
        };
        let source = |container| Source {
            pod: object.key(),
            container,
            restart_count: None,
            next: 0,
            retry_at: None,
            told: false,
            done: false,
        };
        self.sources.extend(names.into_iter().map(source));
        Ok(())
    }

    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        let now = desk.cluster.now();
        if let Some((key, until)) = self.waits_for_pod.clone() {
            let object = desk.cluster.store().get(&key).cloned();
            let found = object.and_then(|o| pods::of(desk.cluster.store(), &o)).unwrap_or_default();
            if found.is_empty() {
                if now < until {
                    return Poll::SleepUntil(until);
                }
                io.err("error: timed out waiting for the condition\n");
                return Poll::Exit(1);
            }
            self.waits_for_pod = None;
            if let Err(text) = self.choose_among(&found, io) {
                io.err(&format!("error: {text}\n"));
                return Poll::Exit(1);
            }
        }
        for i in 0..self.sources.len() {
            if self.sources[i].done || self.sources[i].retry_at.is_some_and(|at| at > now) {
                continue;
            }
            if let Err(text) = self.read(i, desk, io) {
                if !self.show.ignore_errors {
                    io.err(&format!("{text}\n"));
                    return Poll::Exit(1);
                }
                // It takes the place of the log.
                io.out(&format!("error: {}\n", text.strip_prefix("Error from server (BadRequest): ").unwrap_or(&text)));
                self.sources[i].done = true;
            }
        }
        if self.sources.iter().all(|s| s.done) || self.show.left_bytes == Some(0) {
            return Poll::Exit(self.exit);
        }
        *desk.listens = true;
        self.sources.iter().filter(|s| !s.done).filter_map(|s| s.retry_at).min().map_or(Poll::Wait, Poll::SleepUntil)
    }

    /// Prints what is new in one log.
    fn read(&mut self, i: usize, desk: &Desk<'_>, io: &mut Io) -> Result<(), String> {
        let now = desk.cluster.now();
        let source = &self.sources[i].clone();
        let store = desk.cluster.store();
        let Some(object) = store.get(&source.pod) else {
            self.sources[i].done = true;
            return match source.restart_count {
                Some(_) => Ok(()),
                None => Err(format!("Error from server (NotFound): pods \"{}\" not found", source.pod.name)),
            };
        };
        if object.pod().spec.node_name.is_empty() {
            // A Pod without a node has no log to stream: the API server answers with nothing.
            self.sources[i].done = true;
            return Ok(());
        }
        let status = Status::of(object, &source.container);
        let earlier = source.restart_count.is_some_and(|count| count < status.restart_count);
        match desk.cluster.logs(&source.pod, &source.container, self.show.previous || earlier, source.next) {
            Ok((first, lines)) => {
                let source = &mut self.sources[i];
                let begins = source.restart_count.is_none();
                source.restart_count.get_or_insert(status.restart_count);
                source.retry_at = None;
                source.done = !self.show.follow || self.show.previous || earlier || !status.running;
                self.print(i, first, &lines, begins, io);
                Ok(())
            }
            Err(error) => {
                let text = match error {
                    LogsError::WaitingToStart(text) => text,
                    LogsError::NoPrevious(text) => return Err(format!("Error from server (BadRequest): {text}")),
                    LogsError::NoPod => format!(
                        "container \"{}\" in pod \"{}\" is waiting to start: ContainerCreating",
                        source.container, source.pod.name
                    ),
                };
                if !self.show.follow || now >= self.give_up_at {
                    return Err(format!("Error from server (BadRequest): {text}"));
                }
                let source = &mut self.sources[i];
                if !std::mem::replace(&mut source.told, true) {
                    io.err(&format!("{text}\n"));
                }
                source.retry_at = Some((now + RETRY).min(self.give_up_at));
                Ok(())
            }
        }
    }

    fn print(&mut self, i: usize, first: usize, lines: &[LogLine], begins: bool, io: &mut Io) {
        let Reading { show, sources, .. } = self;
        let source = &mut sources[i];
        if begins {
            let young = |line: &LogLine| show.since.is_none_or(|since| line.at >= since);
            let old = lines.iter().take_while(|line| !young(line)).count();
            let from = show.tail.map_or(0, |tail| lines.len().saturating_sub(tail));
            source.next = first + old.max(from);
        }
        for line in lines.iter().skip(source.next.saturating_sub(first)) {
            // The rest of a line that is still being written comes with its end.
            if !line.complete && !source.done {
                break;
            }
            source.next += 1;
            let mut text = String::new();
            if show.prefix {
                text.push_str(&format!("[pod/{}/{}] ", source.pod.name, source.container));
            }
            if show.timestamps {
                text.push_str(&format!(
                    "{}.{:03}000000Z ",
                    line.at.format("%Y-%m-%dT%H:%M:%S"),
                    line.at.millis().rem_euclid(1000)
                ));
            }
            text.push_str(&line.text);
            if line.complete {
                text.push('\n');
            }
            if let Some(left) = &mut show.left_bytes {
                let mut fits = text.len().min(*left);
                while !text.is_char_boundary(fits) {
                    fits -= 1;
                }
                *left = if fits < text.len() { 0 } else { *left - fits };
                text.truncate(fits);
            }
            io.out(&text);
        }
    }
}

/// What the Pod's status says of a container.
struct Status {
    running: bool,
    restart_count: i64,
}

impl Status {
    fn of(pod: &Object, container: &str) -> Status {
        let lists = ["status.containerStatuses", "status.initContainerStatuses"];
        let mut all = lists.iter().flat_map(|list| pod.value().list_at(list));
        let status = all.find(|status| status.str_at("name") == Some(container));
        Status {
            // What the kubelet has not told of yet may well run.
            running: status.is_none_or(|s| {
                !s.at("state.running").is_null()
                    || s.str_at("state.waiting.reason")
                        .is_some_and(|r| r == "ContainerCreating" || r == "PodInitializing")
            }),
            restart_count: status.and_then(|s| s.i64_at("restartCount")).unwrap_or(0),
        }
    }
}
