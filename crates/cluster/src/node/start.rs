//! Starting containers: volumes, sandbox, image, configuration, process.
//!
//! Rules: `docs/semantics/kubelet.md` §2 to §4, §10; texts recorded in `image-pull-fail`, `bad-command-and-oom`,
//! `missing-config`. Source: `kuberuntime_container.go` (`startContainer`), `kuberuntime_manager.go` (`doBackOff`),
//! `images/image_manager.go`.

use std::rc::Rc;

use crate::node::env::{self, Facts};
use crate::node::logs::Log;
use crate::node::volume::{mount_all, mounts_of, read_again};
use crate::node::worker::{Ended, Prepared, Purpose, Run, Running, Sandbox, Seen, Stage, SyncError, Waiting, Worker};
use crate::node::{Nodes, What, latency};
use crate::program::files::Mount;
use crate::program::image::{Image, Missing};
use crate::program::reference::Reference;
use crate::program::{ANNOTATION, Behaviour, Connections, Occasion, Process, Start};
use crate::store::{Api, Cause, Happened, Rule};
use shell::host::Env;
use shell::process::Io;
use values::duration::GoDuration;
use values::quantity::Quantity;
use values::sorted::SortedMap;
use values::time::{SimTime, Span};
use values::value::{Text, Value, beginning};

/// Before what containerd and runc say of a program that cannot be run.
const RUNC: &str = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create \
                    failed: unable to start container process: error during container init: ";

impl Nodes {
    /// The stage of the running sync is over.
    pub(super) fn go_on(&mut self, worker: &mut Worker, api: &mut Api<'_>) {
        match worker.stage {
            Stage::Idle => {}
            Stage::Mount { tries } => self.mount(worker, tries, api),
            Stage::Sandbox => self.sandbox_is_up(worker, api),
            Stage::Image { slot } => self.look_at_image(worker, slot, api),
            Stage::Pull { slot, asked_at } => self.pulled(worker, slot, asked_at, api),
            Stage::Create { slot } => self.create(worker, slot, api),
            Stage::Start { slot } => self.start(worker, slot, api),
            Stage::PostStart { .. } => self.start_next(worker, api),
            Stage::Killing { slot } => self.killed_for_restart(worker, slot, api),
        }
    }

    fn stage(&mut self, worker: &mut Worker, stage: Stage, now: SimTime, delay: Span) {
        worker.stage = stage;
        self.after(worker, What::Stage, now, delay);
    }

    fn mount(&mut self, worker: &mut Worker, tries: u32, api: &mut Api<'_>) {
        let now = api.now();
        if worker.pod().metadata.is_being_deleted() {
            worker.stage = Stage::Idle;
            return self.sync(worker, api);
        }
        let pod = Rc::clone(worker.pod());
        let host_name = host_name(worker);
        let kubelet = &self.kubelets[worker.node];
        let facts = Facts {
            pod_ip: "",
            host_ip: &kubelet.ip,
            host_name: &host_name,
            node_cpu: &kubelet.cpu,
            node_memory: &kubelet.memory,
        };
        match mount_all(api.store(), &pod, facts, now) {
            Ok(mounted) => {
                worker.volumes = mounted.trees;
                worker.shared_volumes = mounted.shared;
                self.make_sandbox(worker, now);
            }
            Err(failures) => {
                for failure in failures {
                    let message = format!("MountVolume.SetUp failed for volume {:?} : {}", failure.volume, failure.why);
                    self.event(worker, None, true, "FailedMount", &message, api);
                }
                let wait = latency::MOUNT_RETRY.as_ms() << tries.min(16);
                let wait = Span::ms(wait).min(latency::MOUNT_RETRY_MAX);
                self.stage(worker, Stage::Mount { tries: tries + 1 }, now, wait);
            }
        }
    }

    fn make_sandbox(&mut self, worker: &mut Worker, now: SimTime) {
        worker.probes_from = now;
        let own = self.draw(latency::SANDBOX, "sandbox", worker, now);
        let per_other = self.draw(latency::SANDBOX_PER_OTHER, "sandbox-other", worker, now);
        let others = self.kubelets[worker.node].starting;
        self.kubelets[worker.node].starting += 1;
        worker.started_counted = true;
        self.stage(worker, Stage::Sandbox, now, own + Span::ms(per_other.as_ms() * others));
    }

    fn sandbox_is_up(&mut self, worker: &mut Worker, api: &mut Api<'_>) {
        let now = api.now();
        worker.sandbox = Sandbox::Unseen;
        let kubelet = &mut self.kubelets[worker.node];
        worker.ip = if worker.pod().spec.host_network { kubelet.ip.clone() } else { kubelet.new_address().into() };
        self.ask_status(worker, now);
        worker.stage = Stage::Idle;
        worker.plan = super::sync::to_start(worker);
        self.start_next(worker, api);
    }

    /// Goes on with the next container of the plan, or ends the sync.
    pub(super) fn start_next(&mut self, worker: &mut Worker, api: &mut Api<'_>) {
        let now = api.now();
        while !worker.plan.is_empty() {
            let slot = worker.plan.remove(0);
            if self.is_backing_off(worker, slot, api) {
                continue;
            }
            let delay = self.draw(latency::IMAGE, "image", worker, now);
            return self.stage(worker, Stage::Image { slot }, now, delay);
        }
        self.count_started(worker);
        self.finish_sync(worker, now);
    }

    /// The Pod no longer slows down others that start.
    pub(super) fn count_started(&mut self, worker: &mut Worker) {
        if std::mem::take(&mut worker.started_counted) {
            self.kubelets[worker.node].starting -= 1;
        }
    }

    /// Crash-loop back-off: true if the container has to wait.
    fn is_backing_off(&mut self, worker: &mut Worker, slot: usize, api: &mut Api<'_>) -> bool {
        let now = api.now();
        let Some(ended_at) = worker.slots[slot].seen_ended().map(|ended| ended.at) else { return false };
        let state = &mut worker.slots[slot];
        let Some(until) = state.back_off.until(ended_at, now) else {
            state.back_off.next(ended_at, now);
            return false;
        };
        let (name, wait) = (state.name.clone(), GoDuration::from(state.back_off.wait()));
        let pod = format!("{}_{}({})", worker.key.name, worker.key.namespace, worker.uid);
        let message = format!("back-off {wait} restarting failed container={name} pod={pod}");
        let (ended, wait_ms) = (i64::from(state.restart_count) + 1, state.back_off.wait().as_ms());
        if state.noted_waits[0].replace(until) != Some(until) {
            let cause = state.turn.map_or(worker.placed, Cause::by);
            api.set_cause(cause.counted(Rule::KubeletBackoff, [ended, wait_ms]));
            let waits = Happened::BackOff { container: name.clone(), until, pulls: false };
            let entry = api.note(worker.subject(), waits);
            worker.turned(slot, entry);
        }
        let state = &mut worker.slots[slot];
        state.reason = Some(Waiting { reason: Text::Known("CrashLoopBackOff"), message: message.into() });
        let text = format!("Back-off restarting failed container {name} in pod {pod}");
        self.event(worker, Some(slot), true, "BackOff", &text, api);
        Nodes::note_error(worker, SyncError::BackOffUntil(until));
        true
    }

    /// The container cannot be started in this sync.
    fn cannot_start(
        &mut self,
        worker: &mut Worker,
        slot: usize,
        reason: &'static str,
        message: &str,
        api: &mut Api<'_>,
    ) {
        worker.slots[slot].reason = Some(Waiting { reason: Text::Known(reason), message: message.into() });
        worker.cause = worker.cause.or_rule(Rule::KubeletCannotCreate);
        Nodes::note_error(worker, SyncError::Plain);
        // An init container that does not start holds back all that follow.
        if worker.slots[slot].init {
            worker.plan.clear();
        }
        self.start_next(worker, api);
    }

    fn look_at_image(&mut self, worker: &mut Worker, slot: usize, api: &mut Api<'_>) {
        let now = api.now();
        let container = worker.spec_of(slot);
        let (name, policy) = (container.image.clone(), container.image_pull_policy.clone());
        let reference = match Reference::parse(&name) {
            Ok(reference) => reference,
            Err(why) => {
                let message =
                    format!("Failed to apply default image tag {name:?}: couldn't parse image name {name:?}: {why}");
                self.event(worker, Some(slot), true, "InspectFailed", &message, api);
                self.event(worker, Some(slot), true, "Failed", "Error: InvalidImageName", api);
                return self.cannot_start(worker, slot, "InvalidImageName", &message, api);
            }
        };
        if !self.images.is_among_the_first(&reference) {
            self.images.complete();
        }
        let present = self.kubelets[worker.node].images.contains(&reference.full());
        if present && policy != "Always" {
            let text = format!("Container image {name:?} already present on machine and can be accessed by the pod");
            self.event(worker, Some(slot), false, "Pulled", &text, api);
            return self.image_is_there(worker, slot, &reference, api);
        }
        if policy == "Never" {
            let message = format!("Container image {name:?} is not present with pull policy of Never");
            self.event(worker, Some(slot), true, "ErrImageNeverPull", &message, api);
            self.event(worker, Some(slot), true, "Failed", "Error: ErrImageNeverPull", api);
            return self.cannot_start(worker, slot, "ErrImageNeverPull", &message, api);
        }
        if let Some(until) = worker.slots[slot].pull_back_off.until_since_try(now) {
            self.note_pull_back_off(worker, slot, until, api);
            let text = format!("Back-off pulling image {name:?}");
            self.event(worker, Some(slot), false, "BackOff", &text, api);
            self.event(worker, Some(slot), true, "Failed", "Error: ImagePullBackOff", api);
            let why = self.pull_error(worker, slot, &reference, now).unwrap_or_default();
            let message = format!("{text}: ErrImagePull: {why}");
            return self.cannot_start(worker, slot, "ImagePullBackOff", &message, api);
        }
        api.set_cause(worker.why_start(slot).rule(Rule::KubeletPull));
        let begins = Happened::PullBegan { container: worker.slots[slot].name.clone(), image: name.clone() };
        let entry = api.note(worker.subject(), begins);
        worker.turned(slot, entry);
        self.event(worker, Some(slot), false, "Pulling", &format!("Pulling image {name:?}"), api);
        let takes = self.pull_takes(worker, slot, &reference, present, now);
        let kubelet = &mut self.kubelets[worker.node];
        let begins = kubelet.pulls_until.max(now);
        kubelet.pulls_until = begins + takes;
        let delay = kubelet.pulls_until.since(now);
        self.stage(worker, Stage::Pull { slot, asked_at: now }, now, delay);
    }

    /// How long this pull takes.
    fn pull_takes(&self, worker: &Worker, slot: usize, reference: &Reference, present: bool, now: SimTime) -> Span {
        if self.pull_error(worker, slot, reference, now).is_some() {
            return self.draw(latency::PULL_FAILS, "pull-fails", worker, now);
        }
        let usual = self.draw(latency::PULL_NEAR, "pull", worker, now);
        let slow = self.slowness(reference, now);
        let described = described(worker, slot).is_some();
        let full = self.images.find(reference, described).ok().and_then(|image| image.pull).filter(|_| !present);
        let key = format!("{}/{}", worker.uid, now.millis());
        let own = full.map(|(least, most)| Span::ms(self.rng.between("pull", &key, least.as_ms(), most.as_ms())));
        own.unwrap_or(usual) + slow
    }

    /// Why the image cannot be pulled, as containerd says it; none if it can.
    fn pull_error(&self, worker: &Worker, slot: usize, reference: &Reference, now: SimTime) -> Option<String> {
        let full = reference.full();
        let failed = format!("failed to pull and unpack image {full:?}: failed to resolve image: ");
        if let Some(why) = self.pull_fails(reference, now) {
            return Some(format!("{failed}{why}"));
        }
        let opened =
            self.images.is_closed(reference) && !worker.object.value().list_at("spec.imagePullSecrets").is_empty();
        match self.images.find(reference, opened || described(worker, slot).is_some()) {
            Ok(_) => None,
            Err(Missing::Tag) => Some(format!("rpc error: code = NotFound desc = {failed}{full}: not found")),
            Err(Missing::Repository) => Some(format!(
                "{failed}pull access denied, repository does not exist or may require authorization: server message: \
                 insufficient_scope: authorization failed"
            )),
        }
    }

    fn pulled(&mut self, worker: &mut Worker, slot: usize, asked_at: SimTime, api: &mut Api<'_>) {
        let now = api.now();
        let name = worker.spec_of(slot).image.clone();
        let Ok(reference) = Reference::parse(&name) else { return };
        if let Some(why) = self.pull_error(worker, slot, &reference, now) {
            worker.slots[slot].pull_back_off.next(now, now);
            worker.slots[slot].failed_pulls += 1;
            self.note_pulled(worker, slot, &name, why.as_str().into(), api);
            self.event(worker, Some(slot), true, "Failed", &format!("Failed to pull image {name:?}: {why}"), api);
            self.event(worker, Some(slot), true, "Failed", "Error: ErrImagePull", api);
            return self.cannot_start(worker, slot, "ErrImagePull", &why, api);
        }
        let Ok(image) = self.images.find(&reference, true) else { return };
        let with_wait = now.since(asked_at);
        let present = self.kubelets[worker.node].images.contains(&reference.full());
        let own = with_wait.min(self.pull_takes(worker, slot, &reference, present, asked_at));
        let text = format!(
            "Successfully pulled image {name:?} in {} ({} including waiting). Image size: {} bytes.",
            GoDuration::from(own),
            GoDuration::from(with_wait),
            image.size(&reference, self.rng)
        );
        self.kubelets[worker.node].images.insert(reference.full());
        worker.slots[slot].failed_pulls = 0;
        self.note_pulled(worker, slot, &name, Text::default(), api);
        self.event(worker, Some(slot), false, "Pulled", &text, api);
        self.image_is_there(worker, slot, &reference, api);
    }

    fn image_is_there(&mut self, worker: &mut Worker, slot: usize, reference: &Reference, api: &mut Api<'_>) {
        let now = api.now();
        let described = described(worker, slot).is_some();
        // An image on the node is one that could once be pulled.
        let image = self.images.find(reference, true).or_else(|_| self.images.find(reference, described));
        let Ok(image) = image else { return };
        let state = &mut worker.slots[slot];
        state.image_id = image.id(reference, self.rng).into();
        state.image_name = reference.full().into();
        state.image = Some(image);
        let delay = self.draw(latency::CREATE, "create", worker, now);
        self.stage(worker, Stage::Create { slot }, now, delay);
    }

    fn create(&mut self, worker: &mut Worker, slot: usize, api: &mut Api<'_>) {
        let now = api.now();
        let prepared = self.prepare(worker, slot, api);
        match prepared {
            Err(why) => {
                self.event(worker, Some(slot), true, "Failed", &format!("Error: {why}"), api);
                self.cannot_start(worker, slot, "CreateContainerConfigError", &why, api);
            }
            Ok(prepared) if prepared.argv.is_empty() => {
                let why = "failed to generate container spec: no command specified";
                self.event(worker, Some(slot), true, "Failed", &format!("Error: {why}"), api);
                self.cannot_start(worker, slot, "CreateContainerError", why, api);
            }
            Ok(prepared) => {
                worker.slots[slot].prepared = Some(prepared);
                self.event(worker, Some(slot), false, "Created", "Container created", api);
                let alone = self.draw(latency::START, "start", worker, now);
                let others = self.kubelets[worker.node].starting - i64::from(worker.started_counted);
                let delay = Span::ms(alone.as_ms() * (100 + latency::START_PERCENT_PER_OTHER * others) / 100);
                self.stage(worker, Stage::Start { slot }, now, delay);
            }
        }
    }

    /// What the container starts with, or why its configuration cannot be made.
    fn prepare(&self, worker: &Worker, slot: usize, api: &Api<'_>) -> Result<Prepared, String> {
        let image = worker.slots[slot].image.clone().unwrap_or_default();
        let container = worker.spec_of(slot);
        let security = |path: &str| {
            let own = container.security_context.at(path);
            if own.is_null() { worker.object.value().at("spec.securityContext").at(path) } else { own }.clone()
        };
        let user = security("runAsUser").as_i64();
        if security("runAsNonRoot") == Value::Bool(true) && user.unwrap_or(i64::from(image.user)) == 0 {
            let pod = format!("{}_{}({})", worker.key.name, worker.key.namespace, worker.uid);
            let name = &container.name;
            return Err(if user.is_some() {
                format!("container's runAsUser breaks non-root policy (pod: {pod:?}, container: {name})")
            } else {
                format!("container has runAsNonRoot and image will run as root (pod: {pod:?}, container: {name})")
            });
        }
        let kubelet = &self.kubelets[worker.node];
        let host_name = host_name(worker);
        let facts = Facts {
            pod_ip: &worker.ip,
            host_ip: &kubelet.ip,
            host_name: &host_name,
            node_cpu: &kubelet.cpu,
            node_memory: &kubelet.memory,
        };
        let given = env::given(api.store(), worker.pod(), container, facts)?;
        let env = env::environment(&image, facts, &given);
        Ok(Prepared { argv: env::argv(container, &image, &given), env: Rc::new(env) })
    }

    fn start(&mut self, worker: &mut Worker, slot: usize, api: &mut Api<'_>) {
        let now = api.now();
        let image = worker.slots[slot].image.clone().unwrap_or_default();
        let Some(Prepared { env, argv }) = worker.slots[slot].prepared.take() else { return };
        let run = self.new_run(worker, slot, &image, env, now);
        self.make_mounted_parts(worker, &run.mounts);
        let occasion = self.occasion(worker, slot);
        let why = worker.why_start(slot);
        let state = &mut worker.slots[slot];
        if !state.runs.is_empty() {
            state.restart_count += 1;
        }
        state.anew = false;
        state.runs.reserve_exact(1);
        state.runs.push(Run { restart_count: state.restart_count, ..run });
        // The kubelet keeps one dead container of each name.
        if state.runs.len() > 2 {
            state.runs.remove(0);
        }
        state.kill = None;
        state.unhealthy = None;
        match self.start_process(worker, slot, &argv, &occasion, now) {
            Ok(process) => {
                let container = worker.spec_of(slot);
                let io = match container.stdin {
                    true => Io { terminal: container.tty, ..Io::default() },
                    false => Io::without_input(),
                };
                let running = Running { process, io, purpose: Purpose::Main, exit_code: None, sleeps_until: None };
                let state = &mut worker.slots[slot];
                state.reason = None;
                if let Some(run) = state.run_mut() {
                    run.processes.insert(0, running);
                }
                let attempt = worker.slots[slot].restart_count.unsigned_abs() + 1;
                api.set_cause(why);
                let started = Happened::ProcessStarted { container: worker.slots[slot].name.clone(), attempt };
                let entry = api.note(worker.subject(), started);
                worker.turned(slot, entry);
                self.event(worker, Some(slot), false, "Started", "Container started", api);
                let first_step = self.draw(latency::FIRST_STEP, "first-step", worker, now);
                self.after(worker, What::Run { slot, process: 0 }, now, first_step);
                self.begin_probing(worker, slot, now);
                if self.begin_post_start(worker, slot, now) {
                    return;
                }
                self.start_next(worker, api);
            }
            Err(why) => {
                let message = format!("{RUNC}{why}");
                if let Some(run) = worker.slots[slot].run_mut() {
                    run.ended = Some(Ended {
                        at: now,
                        exit_code: 128,
                        reason: Text::Known("StartError"),
                        message: message.as_str().into(),
                        never_started: true,
                    });
                }
                self.event(worker, Some(slot), true, "Failed", &format!("Error: {message}"), api);
                self.cannot_start(worker, slot, "RunContainerError", &message, api);
            }
        }
    }

    /// The part of a volume that a container mounts by itself is made if it is not there. (`SafeMakeDir`)
    fn make_mounted_parts(&mut self, worker: &mut Worker, mounts: &[Mount]) {
        for mount in mounts.iter().filter(|mount| !mount.sub_path.is_empty()) {
            let known_as =
                worker.shared_volumes.iter().find(|(name, _)| *name == mount.volume).map(|(_, shared)| shared);
            let tree = match known_as {
                Some(shared) => Some(self.shared_volumes.entry(shared.clone()).or_default()),
                None => worker.volumes.get_mut(&mount.volume),
            };
            if let Some(tree) = tree.filter(|tree| !tree.has(&mount.sub_path)) {
                tree.put_dir(&mount.sub_path);
            }
        }
    }

    /// The Pod's files from the API are read again, as one of their objects has changed.
    pub(super) fn read_volumes_again(&mut self, worker: &mut Worker, api: &Api<'_>) {
        if worker.volumes.is_empty() {
            return;
        }
        let pod = Rc::clone(worker.pod());
        let host_name = host_name(worker);
        let kubelet = &self.kubelets[worker.node];
        let facts = Facts {
            pod_ip: &worker.ip,
            host_ip: &kubelet.ip,
            host_name: &host_name,
            node_cpu: &kubelet.cpu,
            node_memory: &kubelet.memory,
        };
        for (name, tree) in read_again(api.store(), &pod, facts, api.now()) {
            worker.volumes.insert(name, tree);
        }
    }

    fn new_run(&self, worker: &Worker, slot: usize, image: &Image, env: Rc<Env>, now: SimTime) -> Run {
        let container = worker.spec_of(slot);
        let mut files = self.usual_directories.clone();
        files.put("/etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n", false, now);
        files.put("/etc/hostname", format!("{}\n", host_name(worker)).as_bytes(), false, now);
        files.put(
            "/etc/hosts",
            format!("127.0.0.1\tlocalhost\n{}\t{}\n", worker.ip, host_name(worker)).as_bytes(),
            false,
            now,
        );
        for (path, text) in &image.files {
            files.put(path, text.as_bytes(), false, now);
        }
        if container.termination_message_path.starts_with("/dev") || container.termination_message_path.is_empty() {
            files.put(message_path(container), b"", false, now);
        }
        let own_dir: &str = if container.working_dir.is_empty() { &image.working_dir } else { &container.working_dir };
        let cwd = if own_dir.is_empty() { "/".to_owned() } else { own_dir.to_owned() };
        files.put_dir(&cwd);
        let security = |path: &str| {
            let own = container.security_context.i64_at(path);
            own.or_else(|| worker.object.value().at("spec.securityContext").i64_at(path))
        };
        let user = security("runAsUser").and_then(|user| u32::try_from(user).ok()).unwrap_or(image.user);
        let limit = container.resources.limits.get("memory").and_then(|text| Quantity::parse(text).ok());
        let key = format_args!("{}/{}/{}", worker.uid, container.name, now.millis());
        let mut id = self.rng.stream_of("container-id", key);
        let has_readiness = container.readiness_probe.is_some();
        Run {
            container_id: Text::from(format_args!("containerd://{}", id.hex(64))),
            restart_count: 0,
            started_at: now,
            ended: None,
            seen: Seen::Nothing,
            files,
            mounts: Rc::new(mounts_of(worker.pod(), container, &env)),
            env,
            cwd,
            net: Connections::default(),
            draws: 0,
            log: Log::default(),
            memory_limit_bytes: limit.map(|q| q.units().max(0) as u64),
            user,
            processes: SortedMap::new(),
            started: container.startup_probe.is_none(),
            ready: !has_readiness,
        }
    }

    fn start_process(
        &mut self,
        worker: &mut Worker,
        slot: usize,
        argv: &[String],
        occasion: &Occasion,
        now: SimTime,
    ) -> Result<Process, String> {
        let described = described(worker, slot);
        let (env, cwd) = match worker.slots[slot].run() {
            Some(run) => (Rc::clone(&run.env), run.cwd.clone()),
            None => return Err("no container".into()),
        };
        let start = Start { argv, env: &env, cwd: &cwd, occasion, first: true, described: described.as_ref() };
        self.with_machine(worker, slot, now, |machine| Process::start(start, machine))
            .unwrap_or_else(|| Err("no container".into()))
    }

    /// Counts the starts of a container of this owner, index and name.
    fn occasion(&mut self, worker: &Worker, slot: usize) -> Occasion {
        let meta = &worker.pod().metadata;
        let index = meta.annotations.get("batch.kubernetes.io/job-completion-index").map(Text::to_string);
        let owner = meta.controller().map_or(worker.uid.to_string(), |owner| owner.uid.to_string());
        let key = (owner, index.clone().unwrap_or_default(), worker.slots[slot].name.to_string());
        let count = self.attempts.entry(key).or_insert(0);
        *count += 1;
        let attempt = *count - 1;
        let container = worker.spec_of(slot);
        let ports = container.ports.iter().filter_map(|port| u16::try_from(port.container_port).ok()).collect();
        Occasion { attempt, index, stays: stays(worker, slot), ports, image: container.image.to_string() }
    }
}

/// Whether a container is meant to go on until it is stopped: that of a server, and a sidecar's.
fn stays(worker: &Worker, slot: usize) -> bool {
    const SERVERS: [&str; 5] = ["ReplicaSet", "StatefulSet", "DaemonSet", "Deployment", "ReplicationController"];
    let pod = worker.pod();
    if worker.slots[slot].init {
        return worker.spec_of(slot).is_sidecar();
    }
    match pod.metadata.controller() {
        Some(owner) => SERVERS.contains(&owner.kind.as_str()),
        None => pod.spec.restart_policy == "Always",
    }
}

/// What the Pod itself says of a container's behaviour. What cannot be read says nothing.
pub(super) fn described(worker: &Worker, slot: usize) -> Option<Behaviour> {
    let annotations = &worker.pod().metadata.annotations;
    if annotations.is_empty() {
        return None;
    }
    let own = format!("{ANNOTATION}.{}", worker.slots[slot].name);
    let text = annotations.get(own.as_str()).or_else(|| annotations.get(ANNOTATION))?;
    Behaviour::parse(text).ok()
}

/// The name the Pod's containers see.
pub(super) fn host_name(worker: &Worker) -> String {
    let own = &worker.pod().spec.hostname;
    let name: &str = if own.is_empty() { &worker.key.name } else { own };
    beginning(name, 63).to_owned()
}

pub(super) fn message_path(container: &api::pod::Container) -> &str {
    if container.termination_message_path.is_empty() {
        "/dev/termination-log"
    } else {
        &container.termination_message_path
    }
}
