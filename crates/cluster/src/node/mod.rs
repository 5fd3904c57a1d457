//! The nodes: kubelets and the containers that run under them.
//!
//! One actor holds all nodes, so that a copy of the cluster is one copy. Each Pod has a [`worker::Worker`]; whatever it
//! has to do next waits in one queue by time. Rules: `docs/semantics/kubelet.md`. Source: `pkg/kubelet` (pod workers,
//! sync loop, PLEG, kuberuntime, status manager, prober).
//!
//! - `sync` decides, `start` and `kill` do; `runtime` lets processes run; `status` says what is true.
//! - A sync sees what the last relist of the runtime has read, not what is: that is why reasons and ends show up late.

mod admit;
mod backoff;
mod conditions;
mod env;
mod faults;
mod face;
mod kill;
mod kubelet;
mod latency;
mod logs;
mod notes;
mod phase;
mod probe;
mod registration;
mod runtime;
mod start;
mod status;
mod sync;
mod volume;
mod worker;
mod workers;

use std::rc::Rc;

use crate::actor::{Actor, Hold, WorkQueue};
use crate::net::Routing;
use crate::program::files::FileTree;
use crate::program::image::Images;
use crate::store::{Api, Cause, Change, ChangeType, Rule, Store};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use values::rng::Rng;
use values::sorted::SortedMap;
use values::time::{SimTime, Span};

pub use conditions::{Finding, containers_ready, initialized, pod_ready};
pub use env::{Facts, resource};
pub use face::{ExecHandle, ExecState, LogsError};
pub use faults::PullFault;
pub use logs::LogLine;
pub use phase::{AfterExit, after_exit, matching_rule, phase};
pub use registration::NodeSpec;
pub use runtime::PodCall;

use kubelet::Kubelet;
use runtime::InFlight;
use worker::{PodId, Slot, Worker};
use workers::Workers;

/// All nodes and what runs on them.
#[derive(Clone, Debug)]
pub struct Nodes {
    rng: Rng,
    routing: Routing,
    images: Images,
    kubelets: Vec<Kubelet>,
    pull_faults: Vec<faults::PullFault>,
    pods: Workers,
    next_pod: PodId,
    queue: WorkQueue<Task>,
    /// What every container's own files begin with.
    usual_directories: FileTree,
    /// Requests between containers.
    requests: SortedMap<u64, InFlight>,
    next_request: u64,
    /// Command lines of containers that the layer above is to carry out.
    calls: Vec<runtime::PodCall>,
    /// Volumes that outlive their Pods.
    shared_volumes: SortedMap<String, FileTree>,
    /// How often a container of this owner, index and name has started (for behaviours that depend on it).
    attempts: SortedMap<(String, String, String), usize>,
}

/// One thing to be done at a time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Task {
    /// 0 for what belongs to no Pod.
    pod: PodId,
    what: What,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum What {
    /// Look at the Pod and decide.
    Sync,
    /// The Pod's own deadline strikes: look at it.
    Deadline,
    /// Objects that its files come from have changed: read them again.
    Volumes,
    /// The stage of the running sync is over.
    Stage,
    /// Read what the runtime says of the Pod.
    Relist,
    /// Write the status.
    Status,
    /// Go on with the Pod's end.
    End,
    /// A container's grace is over.
    Kill {
        slot: usize,
    },
    /// SIGTERM arrives.
    Term {
        slot: usize,
    },
    /// Let a process go on.
    Run {
        slot: usize,
        process: u32,
    },
    Probe {
        slot: usize,
        prober: usize,
    },
    ProbeTimeout {
        slot: usize,
        prober: usize,
        process: u32,
    },
    /// The Pod is gone from the API.
    Gone,
    /// A request arrives at its server.
    Deliver {
        request: u64,
    },
    /// An answer arrives at its client.
    Answer {
        request: u64,
    },
    /// A node reports.
    Heartbeat {
        node: usize,
    },
}

impl What {
    /// Whether it is the kubelet that acts (and not the container runtime or the network).
    fn is_kubelets(self) -> bool {
        !matches!(self, What::Run { .. } | What::Deliver { .. } | What::Answer { .. } | What::Gone)
    }
}

impl Nodes {
    /// Nodes without any machine yet; see [`Nodes::register`].
    pub fn new(rng: Rng, routing: Routing, images: Images) -> Nodes {
        let mut usual_directories = FileTree::default();
        for path in ["/bin", "/dev", "/etc", "/home", "/proc", "/root", "/sys", "/tmp", "/usr", "/var"] {
            usual_directories.put_dir(path);
        }
        Nodes {
            rng,
            routing,
            images,
            kubelets: Vec::new(),
            pull_faults: Vec::new(),
            pods: Workers::default(),
            next_pod: 0,
            queue: WorkQueue::new(),
            usual_directories,
            calls: Vec::new(),
            requests: SortedMap::new(),
            next_request: 0,
            shared_volumes: SortedMap::new(),
            attempts: SortedMap::new(),
        }
    }

    /// The images that containers can have.
    pub fn images(&self) -> &Images {
        &self.images
    }

    /// Reads the table of those that come with the part `shells`.
    pub fn complete_images(&mut self) {
        self.images.complete();
    }

    fn add(&mut self, pod: PodId, what: What, at: SimTime, cause: Cause) {
        self.queue.add(Task { pod, what }, at, cause);
    }

    /// Asks for `what` after `delay`.
    fn after(&mut self, worker: &Worker, what: What, now: SimTime, delay: Span) {
        self.add(worker.id, what, now + delay, worker.cause);
    }

    /// A draw for a Pod that happens now.
    fn draw(&self, range: latency::Range, purpose: &str, worker: &Worker, now: SimTime) -> Span {
        range.draw(self.rng, purpose, format_args!("{}/{}", worker.uid, now.millis()))
    }

    fn hear_of_pod(&mut self, change: &Change) {
        let object = &change.object;
        let now = change.at;
        let cause = change.cause();
        let node = object.value().str_at("spec.nodeName").unwrap_or_default();
        if node.is_empty() {
            return;
        }
        if let Some(id) = self.pods.find(&object.key(), object.uid()) {
            if change.change == ChangeType::Deleted {
                self.add(id, What::Gone, now, cause);
                return;
            }
            let Some(worker) = self.pods.get_mut(id) else { return };
            worker.object = Rc::clone(object);
            if change.starts_deletion() || change.changes_spec() {
                worker.cause = cause;
                let delay =
                    latency::HEAR.draw(self.rng, "kubelet-hears", format_args!("{}/{}", worker.uid, now.millis()));
                let what = if worker.ending.is_some() { What::End } else { What::Sync };
                self.add(id, what, now + delay, cause);
            }
            return;
        }
        if change.change == ChangeType::Deleted || object.pod().is_terminal() {
            return;
        }
        let Some(node) = self.node(node) else { return };
        self.adopt(object, node, now, cause);
    }

    /// Pods with files from a ConfigMap or Secret get the new ones with one of their next syncs: those come about once a
    /// minute, each Pod's in its own time.
    fn hear_of_data(&mut self, change: &Change) {
        let object = &change.object;
        let concerned: Vec<(PodId, String)> = self
            .pods
            .iter()
            .filter(|worker| {
                *worker.key.namespace == *object.namespace()
                    && volume::reads_from(worker.pod(), object.kind(), object.name())
            })
            .map(|worker| (worker.id, worker.uid.to_string()))
            .collect();
        for (id, uid) in concerned {
            let delay = latency::DATA.draw(self.rng, "data-changes", format_args!("{uid}/{}", change.at.millis()));
            self.add(id, What::Volumes, change.at + delay, change.cause());
        }
    }

    /// Takes a Pod on.
    fn adopt(&mut self, object: &Rc<Object>, node: usize, now: SimTime, cause: Cause) {
        self.next_pod += 1;
        let worker = Worker::new(self.next_pod, node, object, now, cause);
        let delay = latency::HEAR.draw(self.rng, "kubelet-hears", format_args!("{}", worker.uid));
        self.add(worker.id, What::Sync, now + delay, cause);
        self.pods.add(worker);
    }

    fn act(&mut self, task: Task, api: &mut Api<'_>) {
        match task.what {
            What::Deliver { request } => return self.deliver(request, api),
            What::Answer { request } => return self.answer(request, api),
            What::Heartbeat { node } => return self.heartbeat(node, api),
            _ => {}
        }
        let Some(mut worker) = self.pods.take(task.pod) else { return };
        let kubelet = &mut self.kubelets[worker.node];
        if kubelet.is_frozen() && task.what.is_kubelets() {
            kubelet.put_off(task);
            return self.pods.put(worker);
        }
        api.set_cause(worker.cause.or_rule(Rule::KubeletStatus));
        let worker_ref = Rc::make_mut(&mut worker);
        match task.what {
            What::Sync | What::Deadline => self.sync(worker_ref, api),
            What::Volumes => self.read_volumes_again(worker_ref, api),
            What::Stage => self.go_on(worker_ref, api),
            What::Relist => self.relist(worker_ref, api),
            What::Status => self.write_status(worker_ref, api),
            What::End => self.go_on_ending(worker_ref, api),
            What::Kill { slot } => self.kill_now(worker_ref, slot, api),
            What::Term { slot } => self.send_term(worker_ref, slot, api),
            What::Run { slot, process } => self.run_process(worker_ref, slot, process, api),
            What::Probe { slot, prober } => self.probe(worker_ref, slot, prober, api),
            What::ProbeTimeout { slot, prober, process } => self.probe_timeout(worker_ref, slot, prober, process, api),
            What::Gone => {
                self.release(worker_ref);
                return self.pods.forget(worker_ref);
            }
            What::Deliver { .. } | What::Answer { .. } | What::Heartbeat { .. } => {}
        }
        self.pods.put(worker);
    }
}

impl Actor for Nodes {
    fn name(&self) -> &'static str {
        "kubelet"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        match change.kind() {
            Kind::Pod => self.hear_of_pod(change),
            Kind::ConfigMap | Kind::Secret if change.change == ChangeType::Modified => self.hear_of_data(change),
            _ => {}
        }
    }

    fn next_wakeup(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    fn step(&mut self, api: &mut Api<'_>) {
        if let Some(due) = self.queue.pop(api.now()) {
            api.set_cause(due.cause);
            self.act(due.key, api);
        }
    }

    /// The back-off of the Pod's container that waits longest.
    fn back_off(&self, key: &Key) -> Option<Hold> {
        let worker = self.pods.get(self.pods.named(key)?)?;
        worker.slots.iter().filter_map(Slot::hold).max_by_key(|hold| hold.until)
    }

    /// Kubelets find their Pods again in the API; containers run on meanwhile, so nothing is lost.
    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        for object in store.list(Kind::Pod) {
            if self.pods.find(&object.key(), object.uid()).is_some() || object.pod().is_terminal() {
                continue;
            }
            let node = object.value().str_at("spec.nodeName").unwrap_or_default();
            if let Some(node) = self.node(node) {
                self.adopt(object, node, now, cause);
            }
        }
    }
}
