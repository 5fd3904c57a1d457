//! `kubectl run`: makes a Pod (and never a Job), attaches to it if asked, and passes on its exit code.
//!
//! Rules: recording `kubectl-run-oneshot`. Source: `kubectl/pkg/cmd/run/run.go`.

use crate::host::Desk;
use crate::kubectl::attach;
use crate::kubectl::common::{self, DryRun};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb, Waiting};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use api::patch;
use cluster::program::reference::Reference;
use cluster::store::DeleteOptions;
use shell::{Io, Poll};
use values::object;
use values::time::{SimTime, Span};
use values::value::{Map, Value};

pub const VERB: Verb = Verb {
    name: "run",
    summary: "Run an image in a Pod",
    usage: "kubectl run NAME --image=image [--env=\"key=value\"] [--port=port] [--dry-run=server|client] [--overrides=inline-json] \
            [--command] -- [COMMAND] [args...]",
    flags: FLAGS,
    run,
};

const FLAGS: &[Flag] = &[
    common::MISSING_KEYS,
    flag("annotations", Takes::Array, "Annotations of the Pod: key=value"),
    flag("attach", Takes::Nothing, "Wait until the Pod runs, then show what it prints").default("false"),
    flag("command", Takes::Nothing, "What follows is the command, not its arguments").default("false"),
    flag("detach-keys", Takes::Text, "The keys that detach").default("ctrl-p,ctrl-q"),
    common::DRY_RUN,
    flag("env", Takes::Array, "Environment variables: KEY=value"),
    flag("expose", Takes::Nothing, "Make a Service for the Pod as well").default("false"),
    common::FIELD_MANAGER,
    flag("image", Takes::Text, "The image to run"),
    flag("image-pull-policy", Takes::Text, "Always, IfNotPresent or Never"),
    flag("labels", Takes::Text, "Labels of the Pod: a=b,c=d").short('l'),
    flag("leave-stdin-open", Takes::Nothing, "Leave standard input open after the first attach").default("false"),
    common::OUTPUT,
    flag("override-type", Takes::Text, "How --overrides is merged: json, merge or strategic").default("merge"),
    flag("overrides", Takes::Text, "JSON to lay over the made object"),
    common::POD_RUNNING_TIMEOUT,
    flag("port", Takes::Text, "The port that the container listens on"),
    flag("privileged", Takes::Nothing, "Run the container privileged").default("false"),
    flag("quiet", Takes::Nothing, "Print only what the container prints").short('q').default("false"),
    flag("restart", Takes::Text, "Always, OnFailure or Never").default("Always"),
    flag("rm", Takes::Nothing, "Delete the Pod after it ended").default("false"),
    common::SAVE_CONFIG,
    common::MANAGED_FIELDS,
    flag("stdin", Takes::Nothing, "Keep standard input open").short('i').default("false"),
    common::TEMPLATE,
    flag("tty", Takes::Nothing, "Give the container a terminal").short('t').default("false"),
];

/// What asking for the log and then for the stream takes; what a container prints in its first moment comes from its log.
const JOINS_AFTER: Span = Span::ms(150);

/// A Pod that was made and is attended until its end.
#[derive(Clone, Debug)]
pub struct Attended {
    pod: Key,
    uid: String,
    container: String,
    stage: Stage,
    /// The exit code counts: the Pod is not restarted for ever.
    ends: bool,
    only_success_ends: bool,
    remove: bool,
    quiet: bool,
    /// What is typed goes to the container.
    stdin: bool,
    timeout: Span,
    give_up_at: SimTime,
}

#[derive(Clone, Debug)]
enum Stage {
    Starting,
    /// It runs; the connection is there at this moment.
    Joining(SimTime),
    Attached(attach::Session),
    Ending,
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    let dry_run = match check(call) {
        Ok(dry_run) => dry_run,
        Err(Mistake::Usage(text)) => return call.misused(&text),
        Err(Mistake::Plain(text)) => return call.fail(&text),
    };
    let pod = match pod(call) {
        Ok(pod) => pod,
        Err(text) => return call.fail(&text),
    };
    let made = if dry_run == DryRun::Client {
        pod
    } else {
        match call.create(dry_run, pod) {
            Ok(object) => object,
            Err(error) => return call.refuse(&error),
        }
    };
    let mut told = Vec::new();
    if call.parsed.on("expose") {
        let service = service(call, &made);
        let created = match dry_run {
            DryRun::Client => Ok(service),
            _ => call.create(dry_run, service),
        };
        match created {
            Ok(service) => told.push(service),
            Err(error) => call.complain(&error, None),
        }
    }
    if attaches(call) {
        return attend(call, &made);
    }
    told.push(made);
    for object in told {
        if let Err(text) = call.tell_struct(&object, "created", dry_run) {
            return call.fail(&text);
        }
    }
    Outcome::Exit(0)
}

enum Mistake {
    Usage(String),
    Plain(String),
}

fn attaches(call: &Call<'_, '_>) -> bool {
    if call.parsed.is_set("attach") { call.parsed.on("attach") } else { call.parsed.on("stdin") }
}

fn restart_policy(call: &Call<'_, '_>) -> String {
    let default = if call.parsed.on("stdin") { "OnFailure" } else { "Always" };
    call.parsed.text("restart").filter(|text| !text.is_empty()).unwrap_or(default).to_owned()
}

fn check(call: &mut Call<'_, '_>) -> Result<DryRun, Mistake> {
    let usage = |text: &str| Err(Mistake::Usage(text.to_owned()));
    if !call.parsed.is_set("image") {
        return Err(Mistake::Plain("required flag(s) \"image\" not set".to_owned()));
    }
    let policy = restart_policy(call);
    let dry_run = call.dry_run();
    let parsed = &call.parsed;
    if !["Always", "OnFailure", "Never"].contains(&policy.as_str()) {
        return usage(&format!("invalid restart policy: {policy}"));
    }
    let pull = parsed.text("image-pull-policy").unwrap_or_default();
    if !["", "Always", "IfNotPresent", "Never"].contains(&pull) {
        return usage(&format!("invalid image pull policy: {pull}"));
    }
    let dry_run = dry_run.map_err(Mistake::Plain)?;
    if parsed.args.is_empty() || parsed.dash_at == Some(0) {
        return usage("NAME is required for run");
    }
    let Some(image) = parsed.text("image").filter(|image| !image.is_empty()) else {
        return usage("--image is required");
    };
    if Reference::parse(image).is_err() {
        return Err(Mistake::Plain(format!("Invalid image name \"{image}\": invalid reference format")));
    }
    if parsed.on("tty") && !parsed.on("stdin") {
        return usage("-i/--stdin is required for containers with -t/--tty=true");
    }
    if parsed.on("expose") && parsed.text("port").is_none() {
        return usage("--port must be set when exposing a service");
    }
    if parsed.on("rm") && !attaches(call) {
        return usage("--rm should only be used for attached containers");
    }
    if attaches(call) && dry_run != DryRun::No {
        return usage(
            "--dry-run=[server|client] can't be used with attached containers options (--attach, --stdin, or --tty)",
        );
    }
    Ok(dry_run)
}

/// `a=b,c=d`
fn labels(text: &str) -> Result<Map, String> {
    let mut labels = Map::new();
    for part in text.split(',').filter(|part| !part.is_empty()) {
        match part.split('=').collect::<Vec<_>>().as_slice() {
            ["", _] => return Err(format!("unexpected empty label key: {part}")),
            [key, value] => labels.insert(*key, *value),
            _ => return Err(format!("unexpected label spec: {part}")),
        };
    }
    Ok(labels)
}

/// The Pod as kubectl makes it.
fn pod(call: &Call<'_, '_>) -> Result<Value, String> {
    let parsed = &call.parsed;
    let name = parsed.args[0].as_str();
    let mut container = object! { "name" => name, "image" => parsed.text("image").unwrap_or_default() };
    container.set("resources", Value::map());
    let words = Value::list(parsed.args[1..].iter().map(|word| Value::from(word.as_str())));
    if parsed.args.len() > 1 {
        container.set(if parsed.on("command") { "command" } else { "args" }, words);
    }
    let mut env = Vec::new();
    for pair in parsed.list("env") {
        let (key, value) =
            pair.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or(format!("invalid env: {pair}"))?;
        env.push(object! { "name" => key, "value" => value });
    }
    if !env.is_empty() {
        container.set("env", env);
    }
    if let Some(policy) = parsed.text("image-pull-policy") {
        container.set("imagePullPolicy", policy);
    }
    if let Some(text) = parsed.text("port").filter(|text| !text.is_empty()) {
        let port = text.parse::<i32>().map_err(|_| format!("strconv.Atoi: parsing \"{text}\": invalid syntax"))?;
        container.set("ports", vec![object! { "containerPort" => port }]);
    }
    if parsed.on("stdin") {
        container.set("stdin", true);
        if !parsed.on("leave-stdin-open") {
            container.set("stdinOnce", true);
        }
    }
    if parsed.on("tty") {
        container.set("tty", true);
    }
    if parsed.on("privileged") {
        container.set("securityContext.privileged", true);
    }
    let mut labels = labels(parsed.text("labels").unwrap_or_default())?;
    if labels.is_empty() {
        labels.insert("run", name);
    }
    let mut metadata = object! { "name" => name, "labels" => labels };
    let mut annotations = Map::new();
    for pair in parsed.list("annotations") {
        let (key, value) = pair.split_once('=').ok_or(format!("unexpected annotations format: {pair}"))?;
        annotations.insert(key, value);
    }
    if !annotations.is_empty() {
        metadata.set("annotations", annotations);
    }
    if parsed.is_set("namespace") {
        metadata.set("namespace", call.namespace());
    }
    let spec = object! {
        "containers" => vec![container], "dnsPolicy" => "ClusterFirst", "restartPolicy" => restart_policy(call),
    };
    let mut pod = object! {
        "apiVersion" => "v1", "kind" => "Pod", "metadata" => metadata, "spec" => spec, "status" => Value::map(),
    };
    if let Some(text) = parsed.text("overrides") {
        let over = Value::from_json(text).map_err(|_| "Invalid JSON Patch".to_owned())?;
        match parsed.text("override-type") {
            Some("strategic") => patch::strategic(&mut pod, &over, patch::Shape::of_kind("v1", "Pod")),
            _ => patch::merge(&mut pod, &over),
        }
    }
    Ok(pod)
}

fn service(call: &Call<'_, '_>, pod: &Value) -> Value {
    let port = call.parsed.text("port").and_then(|port| port.parse::<i64>().ok()).unwrap_or_default();
    let ports = vec![object! { "port" => port, "protocol" => "TCP", "targetPort" => port }];
    let spec = object! { "ports" => ports, "selector" => pod.at("metadata.labels").clone() };
    let mut service = object! { "apiVersion" => "v1", "kind" => "Service", "spec" => spec };
    service.set("metadata.name", pod.at("metadata.name").clone());
    if call.parsed.is_set("namespace") {
        service.set("metadata.namespace", call.namespace());
    }
    service
}

fn attend(call: &mut Call<'_, '_>, made: &Value) -> Outcome {
    let timeout = match call.duration("pod-running-timeout") {
        Ok(timeout) => timeout.unwrap_or(Span::mins(1)),
        Err(text) => return call.fail(&text),
    };
    let name = made.str_at("metadata.name").unwrap_or_default();
    let policy = restart_policy(call);
    Outcome::Waits(Waiting::Run(Attended {
        pod: Key::new(Kind::Pod, call.namespace(), name),
        uid: made.str_at("metadata.uid").unwrap_or_default().to_owned(),
        container: made.str_at("spec.containers.0.name").unwrap_or_default().to_owned(),
        stage: Stage::Starting,
        ends: !call.parsed.on("leave-stdin-open") && policy != "Always",
        only_success_ends: policy == "OnFailure",
        remove: call.parsed.on("rm"),
        quiet: call.parsed.on("quiet"),
        stdin: call.parsed.on("stdin"),
        timeout,
        give_up_at: call.desk.cluster.now() + timeout,
    }))
}

impl Attended {
    pub fn poll(&mut self, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        let now = desk.cluster.now();
        let pod = desk.cluster.store().get(&self.pod).filter(|o| o.uid() == self.uid).cloned();
        let Some(pod) = pod else {
            return self.finish(1, &format!("error: pods \"{}\" not found\n", self.pod.name), desk, io);
        };
        if let Stage::Starting = self.stage {
            let typed = pod.pod();
            if typed.is_terminal() {
                self.print_log(desk, io);
                self.begin_ending(now);
            } else if typed.status.phase == "Running" && typed.is_ready() {
                self.stage = Stage::Joining(now + JOINS_AFTER);
            }
        }
        if let Stage::Joining(at) = self.stage {
            if now < at {
                return Poll::SleepUntil(at);
            }
            if pod.pod().is_terminal() {
                self.print_log(desk, io);
                self.begin_ending(now);
            } else {
                self.print_log(desk, io);
                if !self.quiet {
                    io.err(attach::WARNINGS);
                }
                match attach::Session::begin(desk, &self.pod, &self.container, self.stdin) {
                    Some(session) => self.stage = Stage::Attached(session),
                    None => self.begin_ending(now),
                }
            }
        }
        if let Stage::Attached(session) = &mut self.stage {
            match session.poll(desk, io) {
                Poll::Exit(_) => self.begin_ending(now),
                other => return other,
            }
        }
        if let Stage::Ending = self.stage {
            if !self.ends {
                return self.finish(0, "", desk, io);
            }
            match pod.pod().status.phase.as_str() {
                "Succeeded" => return self.finish(0, "", desk, io),
                "Failed" if !self.only_success_ends => {
                    let (code, text) = failure(&pod);
                    return self.finish(code, &text, desk, io);
                }
                _ => {}
            }
        }
        if now >= self.give_up_at {
            return self.finish(1, "error: timed out waiting for the condition\n", desk, io);
        }
        Poll::SleepUntil(self.give_up_at)
    }

    fn begin_ending(&mut self, now: SimTime) {
        self.stage = Stage::Ending;
        self.give_up_at = now + self.timeout;
    }

    /// What the container printed before anyone was attached.
    fn print_log(&self, desk: &Desk<'_>, io: &mut Io) {
        let (_, lines) = desk.cluster.logs(&self.pod, &self.container, false, 0).unwrap_or_default();
        lines.iter().filter(|line| line.complete).for_each(|line| io.out(&format!("{}\n", line.text)));
    }

    fn finish(&self, code: i32, text: &str, desk: &mut Desk<'_>, io: &mut Io) -> Poll {
        if self.remove && desk.cluster.api("user", |api| api.delete(&self.pod, &DeleteOptions::background())).is_ok() {
            io.out(&format!("pod \"{}\" deleted from {} namespace\n", self.pod.name, self.pod.namespace));
        }
        io.err(text);
        Poll::Exit(code)
    }

    /// Ctrl-C, or the end of `timeout`: with `--rm` the Pod goes all the same.
    pub fn cancel(&mut self, desk: &mut Desk<'_>) {
        if self.remove {
            // It may be gone already.
            let _ = desk.cluster.api("user", |api| api.delete(&self.pod, &DeleteOptions::background()));
        }
    }
}

/// The exit code of a failed Pod, and what is said of it.
fn failure(pod: &Object) -> (i32, String) {
    let (namespace, name) = (pod.namespace(), pod.name());
    let ended = pod.value().at("status.containerStatuses.0.state.terminated");
    match ended.i64_at("exitCode").and_then(|code| i32::try_from(code).ok()).filter(|code| *code != 0) {
        Some(code) => {
            let (reason, message) =
                (ended.str_at("reason").unwrap_or_default(), ended.str_at("message").unwrap_or_default());
            (code, format!("pod {namespace}/{name} terminated ({reason})\n{message}"))
        }
        None => (1, format!("error: pod {namespace}/{name} failed with unknown exit code\n")),
    }
}
