//! What a kubelet knows of one Pod: its containers and their runs, its volumes, and where its sync stands.

use std::rc::Rc;

use crate::actor::Hold;
use crate::node::backoff::BackOff;
use crate::node::logs::Log;
use crate::node::probe::Prober;
use crate::program::files::{FileTree, Mount};
use crate::program::image::Image;
use crate::program::{Connections, Process};
use crate::store::{Cause, EntryId, Rule, Subject};
use api::meta::Key;
use api::object::Object;
use api::pod::{Container, Pod, PodStatus};
use shell::host::Env;
use shell::process::Io;
use values::sorted::SortedMap;
use values::time::{SimTime, Span};
use values::value::{Text, Value};

/// A Pod's number on this simulation's nodes.
pub type PodId = u32;

/// One Pod on its node.
#[derive(Clone, Debug)]
pub struct Worker {
    pub id: PodId,
    /// Index of the node's kubelet.
    pub node: usize,
    pub key: Key,
    pub uid: Rc<str>,
    /// The newest version heard of.
    pub object: Rc<Object>,
    /// When the kubelet first saw it.
    pub start_time: SimTime,
    /// Init containers first, then the others, as in the spec.
    pub slots: Vec<Slot>,
    pub volumes: SortedMap<String, FileTree>,
    /// Volumes that outlive the Pod: the Pod's name for it, and what it is known as on the cluster.
    pub shared_volumes: Vec<(String, String)>,
    pub sandbox: Sandbox,
    pub ip: Text,
    pub stage: Stage,
    /// Containers still to be started by the running sync.
    pub plan: Vec<usize>,
    /// The earliest of the errors of the running sync: when to sync again at the latest.
    pub sync_error: Option<SyncError>,
    /// Someone asked for a sync while one was running.
    pub sync_again: bool,
    /// Whether a sync has read the container states at least once since they ran (the pod cgroup is measured then).
    pub measured: bool,
    pub ending: Option<Ending>,
    /// What made the newest work necessary.
    pub cause: Cause,
    /// What placed the Pod here.
    pub placed: Cause,
    /// The status to be written.
    pub wanted_status: Option<WantedStatus>,
    pub started_counted: bool,
    pub initialized: bool,
    /// The number of the next process that is started beside a container's first.
    pub next_process: u32,
    /// From when its probes' periods count: the volumes were mounted then.
    pub probes_from: SimTime,
    /// The kubelet has looked whether it takes the Pod at all.
    pub admitted: bool,
}

/// A Pod's status as it was computed: by type, and the tree, which has more in it.
#[derive(Clone, Debug)]
pub struct WantedStatus {
    pub typed: PodStatus,
    pub tree: Value,
}

/// Why the sync could not do all it wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SyncError {
    /// Tried again after the usual back-off.
    Plain,
    /// A container or a pull waits until then.
    BackOffUntil(SimTime),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sandbox {
    None,
    /// Up, but not yet in the runtime's list as the kubelet last read it.
    Unseen,
    Ready,
    Stopped,
}

/// Where a sync stands. Everything that takes time is a stage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    Idle,
    Mount {
        tries: u32,
    },
    Sandbox,
    Image {
        slot: usize,
    },
    /// The pull is under way since then.
    Pull {
        slot: usize,
        asked_at: SimTime,
    },
    Create {
        slot: usize,
    },
    Start {
        slot: usize,
    },
    PostStart {
        slot: usize,
        process: u32,
    },
    /// A container is being killed (probe, or restart of all); the sync goes on when it has stopped.
    Killing {
        slot: usize,
    },
}

/// One container of the spec.
#[derive(Clone, Debug)]
pub struct Slot {
    pub name: Text,
    /// Init containers and sidecars.
    pub init: bool,
    pub sidecar: bool,
    /// Index in its list of the spec.
    pub index: usize,
    /// Its runs that are still known: the newest and the one before it.
    pub runs: Vec<Run>,
    pub restart_count: i32,
    pub back_off: BackOff,
    pub pull_back_off: BackOff,
    /// Why it waits, as the last sync found (the kubelet's reason cache).
    pub reason: Option<Waiting>,
    /// Created, and about to be started with this.
    pub prepared: Option<Prepared>,
    /// The image as found for this container.
    pub image: Option<Rc<Image>>,
    pub image_id: Text,
    pub image_name: Text,
    pub probers: Vec<Prober>,
    /// The container is being stopped.
    pub kill: Option<Kill>,
    /// A probe wants it killed: what the event says after the container's name.
    pub unhealthy: Option<Unhealthy>,
    /// All containers start anew, and this one has not yet: however it ended, it runs again.
    pub anew: bool,
    /// What last happened to the container, for explanations.
    pub turn: Option<EntryId>,
    /// The waits that were noted last: until when before its next start, and before the next pull.
    pub noted_waits: [Option<SimTime>; 2],
    /// Pulls that failed in a row.
    pub failed_pulls: u32,
}

/// What a container is created with.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub env: Rc<Env>,
    /// Its program and arguments.
    pub argv: Vec<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    pub reason: Text,
    pub message: Text,
}

/// A probe has given up on a container.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unhealthy {
    /// `liveness` or `startup`.
    pub probe: &'static str,
    /// The probe's own grace period.
    pub grace_seconds: Option<i64>,
}

/// A container being stopped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kill {
    /// When it gets SIGKILL.
    pub deadline: SimTime,
    /// How long it was given.
    pub grace: Span,
    /// The number of the preStop hook's process while that runs.
    pub hook: Option<u32>,
    pub signalled: bool,
}

/// What the kubelet has read of a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Seen {
    Nothing,
    Running,
    Ended,
}

/// One instance of a container.
#[derive(Clone, Debug)]
pub struct Run {
    pub container_id: Text,
    pub restart_count: i32,
    pub started_at: SimTime,
    pub ended: Option<Ended>,
    pub seen: Seen,
    pub files: FileTree,
    pub mounts: Rc<Vec<Mount>>,
    pub env: Rc<Env>,
    pub cwd: String,
    pub net: Connections,
    pub draws: u64,
    pub log: Log,
    pub memory_limit_bytes: Option<u64>,
    pub user: u32,
    /// The first process and those that were started beside it (exec, probes, hooks), by number; the first is 0.
    pub processes: SortedMap<u32, Running>,
    /// Started at least once in the sense of the startup probe.
    pub started: bool,
    pub ready: bool,
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ended {
    pub at: SimTime,
    pub exit_code: i32,
    pub reason: Text,
    pub message: Text,
    /// It never ran: `startedAt` is 1970.
    pub never_started: bool,
}

/// A process in a container.
#[derive(Clone, Debug)]
pub struct Running {
    pub process: Process,
    pub io: Io,
    pub purpose: Purpose,
    pub exit_code: Option<i32>,
    /// When it goes on, if it waits for the clock alone.
    pub sleeps_until: Option<SimTime>,
}

/// Why a process runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    Main,
    Exec,
    Probe(usize),
    PreStop,
    PostStart,
}

/// The Pod is on its way out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ending {
    pub why: EndReason,
    pub step: EndStep,
    /// Something had to be killed.
    pub killed: bool,
    pub grace: Span,
    /// When the first containers were told to stop.
    pub since: Option<SimTime>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EndReason {
    /// All its containers have ended.
    Completed,
    /// The API says so.
    Deleted,
    /// `status.reason` and `status.message`: `DeadlineExceeded`, `Evicted` …
    Failed { reason: Text, message: Text },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndStep {
    /// Decided, nothing done yet.
    Announced,
    /// Containers are being stopped.
    Stopping,
    /// All are; the sandbox is being stopped.
    Sandbox,
    /// The last status is due.
    LastStatus,
    /// Written; a deleted Pod goes from the API.
    CleanUp,
    Done,
}

/// What explanations need to know of it.
impl Worker {
    /// The Pod.
    pub fn subject(&self) -> Subject {
        Subject { key: self.key.clone(), uid: Rc::clone(&self.uid) }
    }

    /// Something happened to a container, and what is done next follows from it.
    pub fn turned(&mut self, slot: usize, entry: EntryId) {
        self.slots[slot].turn = Some(entry);
        self.cause = Cause::by(entry);
    }

    /// Why a container is started now: what last happened to it, else the init container before it, else the Pod's
    /// placement.
    pub fn why_start(&self, slot: usize) -> Cause {
        let state = &self.slots[slot];
        let again = !state.runs.is_empty();
        if let Some(turn) = state.turn {
            return Cause::by(turn).rule(if again { Rule::KubeletRestart } else { Rule::KubeletStart });
        }
        let before = self.slots[..slot].iter().rev().filter(|other| other.init).find_map(|other| other.turn);
        match before {
            Some(turn) => Cause::by(turn).rule(Rule::KubeletNext),
            None => self.placed.rule(Rule::KubeletStart),
        }
    }
}

impl Worker {
    pub fn pod(&self) -> &Rc<Pod> {
        self.object.pod()
    }

    pub fn spec_of(&self, slot: usize) -> &Container {
        self.slots[slot].spec_in(self.object.pod())
    }

    /// `spec.containers{main}`
    pub fn field_path(&self, slot: usize) -> String {
        let slot = &self.slots[slot];
        format!("spec.{}{{{}}}", if slot.init { "initContainers" } else { "containers" }, slot.name)
    }

    pub fn slot_named(&self, name: &str) -> Option<usize> {
        self.slots.iter().position(|slot| slot.name == name)
    }

    /// Whether any container is running.
    pub fn any_running(&self) -> bool {
        self.slots.iter().any(Slot::is_running)
    }
}

impl Slot {
    /// The container as the Pod describes it.
    pub fn spec_in<'p>(&self, pod: &'p Pod) -> &'p Container {
        if self.init { &pod.spec.init_containers[self.index] } else { &pod.spec.containers[self.index] }
    }

    pub fn run(&self) -> Option<&Run> {
        self.runs.last()
    }

    pub fn run_mut(&mut self) -> Option<&mut Run> {
        self.runs.last_mut()
    }

    pub fn is_running(&self) -> bool {
        self.run().is_some_and(|run| run.ended.is_none())
    }

    /// The newest run the kubelet has read.
    pub fn seen_run(&self) -> Option<&Run> {
        self.runs.iter().rev().find(|run| run.seen != Seen::Nothing)
    }

    /// The newest run that the kubelet has read as ended.
    pub fn seen_ended(&self) -> Option<&Ended> {
        self.runs.iter().rev().find(|run| run.seen == Seen::Ended).and_then(|run| run.ended.as_ref())
    }

    /// The back-off that holds the container up, as far as the last sync found one; it may be over.
    pub fn hold(&self) -> Option<Hold> {
        match self.reason.as_ref()?.reason.as_str() {
            "CrashLoopBackOff" => self.back_off.hold(self.seen_ended()?.at),
            "ErrImagePull" | "ImagePullBackOff" => self.pull_back_off.hold_since_try(),
            _ => None,
        }
    }

    /// Whether the kubelet believes it to be running.
    pub fn seen_running(&self) -> bool {
        self.seen_run().is_some_and(|run| run.seen == Seen::Running)
    }
}
