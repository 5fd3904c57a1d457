//! The cluster: the store and everything that acts on it, in one value that can be copied.
//!
//! Rule: one thing happens at a time. The actor whose wish comes first acts; its writes are told to all; then the next.
//! Equal times are served in the order of the actors, so a run is its inputs and nothing else.

mod bootstrap;
mod faults;
mod reach;

use std::rc::Rc;

use crate::actor::{Actor, Hold};
use crate::control::{self, Controller};
use crate::node::Nodes;
use crate::node::PodCall;
use crate::program::Returned;
use crate::program::image::Images;
use crate::sched::Scheduler;
use crate::store::rbac::Account;
use crate::store::{Api, Cause, Entry, EntryId, Happened, Origin, Rule, Store};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use values::rng::Rng;
use values::sorted::SortedMap;
use values::time::{SimTime, Span};
use values::value::Value;
use values::zone::ZoneTable;

pub use crate::net::Routing;
pub use crate::node::NodeSpec;

/// What a cluster is made of, from a scenario's `cluster` block.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Setup {
    pub nodes: Vec<NodeSpec>,
    pub routing: Routing,
    /// `default` has its Service `kubernetes`. The namespaces in which recordings were made had none.
    pub kubernetes_service: bool,
    /// There is a default class of storage, as small clusters and those of clouds have; a bare one has none.
    pub storage_class: bool,
}

/// The names of all that can be stopped: the controllers, and the scheduler.
pub fn controllers() -> Vec<&'static str> {
    let rng = Rng::new(0);
    let mut names: Vec<&str> =
        control::all(rng, ZoneTable::empty()).iter().map(|controller| controller.name()).collect();
    names.push(Scheduler::new(rng).name());
    names
}

/// # Errors
/// There is no controller of that name; the text says which there are.
pub fn check_controller(name: &str) -> Result<(), String> {
    let known = controllers();
    if known.contains(&name) {
        return Ok(());
    }
    Err(format!("there is no controller {name}; there is {}", known.join(", ")))
}

/// Who acts next, and when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    pub at: SimTime,
    who: Who,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Who {
    /// Events expire.
    Store,
    Controller(usize),
    Nodes,
}

/// A whole cluster at one moment.
#[derive(Clone)]
pub struct Cluster {
    now: SimTime,
    rng: Rng,
    routing: Routing,
    zones: ZoneTable,
    pub(crate) store: Store,
    controllers: Vec<Box<dyn Controller>>,
    nodes: Nodes,
    /// Actors that do nothing, until a moment or for good.
    stopped: SortedMap<String, (Option<SimTime>, Cause)>,
    /// Nodes that are silent, and the entry that notes it.
    silent: SortedMap<String, EntryId>,
    /// How much later everyone reacts, and until when.
    slow: Option<(Span, Option<SimTime>)>,
    /// Everything written and noted since the last [`Cluster::take_log`].
    log: Vec<Entry>,
    /// In whose name the user's machine acts: the input that started what runs there now.
    acting: Cause,
    /// The document that the user's machine is sending.
    sending: Option<Rc<Origin>>,
}

impl Cluster {
    /// A cluster at rest: its nodes are ready and nothing runs. `zones` may be empty until a time zone is named.
    pub fn new(setup: &Setup, start: SimTime, rng: Rng, zones: ZoneTable) -> Cluster {
        let mut controllers = control::all(rng, zones.clone());
        controllers.push(Box::new(Scheduler::new(rng)));
        let mut cluster = Cluster {
            now: start,
            rng,
            routing: setup.routing,
            zones,
            store: Store::new(),
            controllers,
            nodes: Nodes::new(rng, setup.routing, Images::built_in()),
            stopped: SortedMap::new(),
            silent: SortedMap::new(),
            slow: None,
            log: Vec::new(),
            acting: Cause::default(),
            sending: None,
        };
        cluster.store.set_zones(cluster.zones.clone());
        cluster.api("kube-apiserver", |api| bootstrap::create(api, setup));
        for node in &setup.nodes {
            // Whoever reads a set-up says what is wrong with it; here such a machine is left out.
            let _ = cluster.add_node(node);
        }
        cluster.api("node-controller", bootstrap::announce_nodes);
        cluster.take_log();
        cluster
    }

    pub fn now(&self) -> SimTime {
        self.now
    }

    pub fn rng(&self) -> Rng {
        self.rng
    }

    pub fn routing(&self) -> Routing {
        self.routing
    }

    pub fn zones(&self) -> &ZoneTable {
        &self.zones
    }

    /// Gives the running cluster its table of time zones; whoever waited for it goes on.
    pub fn set_zones(&mut self, zones: ZoneTable) {
        for controller in &mut self.controllers {
            controller.set_zones(&zones, self.now);
        }
        self.store.set_zones(zones.clone());
        self.zones = zones;
    }

    /// The images that containers can have.
    pub fn images(&self) -> &Images {
        self.nodes.images()
    }

    /// Knows all images that are modelled, with those that come with the part `shells`, which must be there.
    pub fn complete_images(&mut self) {
        self.nodes.complete_images();
    }

    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Puts a recorded object into the store as it is; see [`Store::replay`].
    pub fn replay(&mut self, at: SimTime, change: &str, value: Value) {
        self.store.replay(at, change, value);
    }

    /// The command lines that containers want carried out (`kubectl`), since the last call.
    pub fn take_calls(&mut self) -> Vec<PodCall> {
        self.nodes.take_calls()
    }

    /// Whether a container waits for one of them to be taken.
    pub fn has_calls(&self) -> bool {
        self.nodes.has_calls()
    }

    /// Gives a container what came of its command line.
    pub fn return_call(&mut self, call: &PodCall, returned: Returned) {
        let api = &mut Api::new(&mut self.store, self.now, self.rng, "kubelet");
        self.nodes.return_call(call, returned, api);
        self.tell();
    }

    /// Lets what is asked of the API from now on be asked by an account; none: by the user, who may do everything.
    pub fn act_as(&mut self, account: Option<Account>) {
        self.store.act_as(account);
    }

    /// Acts on the API in the name of `actor`, now; what changes is told to everyone before this returns.
    pub fn api<R>(&mut self, actor: &'static str, act: impl FnOnce(&mut Api<'_>) -> R) -> R {
        let mut api = Api::new(&mut self.store, self.now, self.rng, actor);
        api.set_cause(self.acting);
        api.set_origin(self.sending.clone());
        let result = act(&mut api);
        self.tell();
        result
    }

    /// Notes that something is done from outside: its number among the inputs, and a few words. What is done until the
    /// next call of this or of [`Cluster::act_for`] is caused by it.
    pub fn input(&mut self, number: usize, text: &str, rule: Rule) -> Cause {
        let mut api = Api::new(&mut self.store, self.now, self.rng, "user");
        let entry = api.happened(None, Happened::Input { number, text: Rc::from(text) });
        self.acting = Cause::by(entry).rule(rule);
        self.tell();
        self.acting
    }

    /// What the user's machine does from now on is caused by this: it goes on with what an earlier input began.
    pub fn act_for(&mut self, cause: Cause) {
        self.acting = cause;
    }

    /// What is written from now on comes from this document.
    pub fn send_from(&mut self, origin: Option<Rc<Origin>>) {
        self.sending = origin;
    }

    /// What the user's machine does now is caused by this.
    pub fn acting(&self) -> Cause {
        self.acting
    }

    /// The number of the newest entry of the journal.
    pub fn last_entry(&self) -> Option<EntryId> {
        self.store.last_entry()
    }

    /// When something next happens by itself, if ever.
    pub fn next_wakeup(&self) -> Option<SimTime> {
        self.next().map(|turn| turn.at)
    }

    /// Who acts next by itself, and when. Of equal times the first in the order of the actors counts; times already past
    /// are equal to now.
    pub fn next(&self) -> Option<Turn> {
        let mut first: Option<Turn> = None;
        let mut hear = |wish: Option<SimTime>, who: Who| {
            let Some(at) = wish.map(|at| at.max(self.now)) else { return };
            if first.is_none_or(|first| at < first.at) {
                first = Some(Turn { at, who });
            }
        };
        hear(self.store.next_expiry(), Who::Store);
        for (i, actor) in self.controllers.iter().enumerate() {
            hear(self.wakeup_of(&**actor), Who::Controller(i));
        }
        hear(self.nodes.next_wakeup(), Who::Nodes);
        first
    }

    /// Lets the first thing that is due by `until` happen. False if there was none; then it is `until`.
    pub fn step(&mut self, until: SimTime) -> bool {
        match self.next().filter(|turn| turn.at <= until) {
            Some(turn) => self.take(turn),
            None => {
                self.set_now(until);
                return false;
            }
        }
        true
    }

    /// Lets that happen which was found to be [next](Cluster::next).
    pub fn take(&mut self, turn: Turn) {
        self.now = turn.at;
        match turn.who {
            Who::Store => Api::new(&mut self.store, self.now, self.rng, "etcd").expire_events(),
            Who::Controller(i) => {
                let actor = &mut self.controllers[i];
                if let Some((_, cause)) = self.stopped.remove(actor.name()) {
                    let mut api = Api::new(&mut self.store, self.now, self.rng, actor.name());
                    api.set_cause(cause.rule(Rule::Mended));
                    let entry = api.happened(None, Happened::ActorBack { name: actor.name() });
                    actor.restart(self.now, &self.store, Cause::by(entry));
                } else {
                    actor.step(&mut Api::new(&mut self.store, self.now, self.rng, actor.name()));
                }
            }
            Who::Nodes => self.nodes.step(&mut Api::new(&mut self.store, self.now, self.rng, self.nodes.name())),
        }
        self.tell();
    }

    /// Moves the clock forward without anything happening; whoever calls knows that nothing is due before.
    pub fn set_now(&mut self, now: SimTime) {
        self.now = self.now.max(now);
    }

    /// When an actor may act: its own wish, not before it is started again, later while the API is slow.
    fn wakeup_of(&self, actor: &dyn Actor) -> Option<SimTime> {
        if !self.stopped.is_empty()
            && let Some(stopped) = self.stopped.get(actor.name())
        {
            return stopped.0;
        }
        let wish = actor.next_wakeup()?;
        // The wish counts and not the present: a clock that is stopped in between must not change what happens.
        match self.slow {
            Some((delay, until)) if until.is_none_or(|until| wish < until) => Some(wish + delay),
            _ => Some(wish),
        }
    }

    /// The back-off that keeps a Job from making its next Pods, if it is not over.
    pub fn next_try(&self, job: &Object) -> Option<Hold> {
        let hold = self.controllers.iter().find_map(|controller| controller.back_off(&job.key()))?;
        Some(hold).filter(|hold| hold.until > self.now)
    }

    /// What stopped an actor that stands still.
    pub fn stopped(&self, actor: &str) -> Option<Cause> {
        self.stopped.get(actor).map(|(_, cause)| *cause)
    }

    /// The back-off after which the kubelet next starts a container of this Pod, or pulls its image; it may be over.
    pub fn next_start(&self, pod: &Object) -> Option<Hold> {
        self.nodes.back_off(&pod.key())
    }

    /// The scheduler and the controllers, by their names, in the order in which they act at equal times.
    pub fn controllers(&self) -> impl Iterator<Item = &'static str> {
        self.controllers.iter().map(|controller| controller.name())
    }

    /// When a Pod goes on, if all its running programs do is wait for the clock; none after more than a year (`sleep infinity`).
    pub fn sleeps_until(&self, namespace: &str, pod: &str) -> Option<SimTime> {
        let wakes = self.nodes.sleeps_until(&Key::new(Kind::Pod, namespace, pod))?;
        Some(wakes).filter(|wakes| *wakes > self.now && wakes.since(self.now) < Span::secs(366 * 86_400))
    }

    /// When a CronJob next makes a Job, by its schedule.
    pub fn next_schedule(&self, cron_job: &Object) -> Option<SimTime> {
        control::cronjob::next_schedule(cron_job.cron_job(), self.now, &self.zones)
    }

    /// What was written and noted since the last call, oldest first.
    pub fn take_log(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.log)
    }

    /// Tells everyone what was written.
    fn tell(&mut self) {
        for entry in self.store.take_entries() {
            if let Entry::Change(change) = &entry {
                for controller in &mut self.controllers {
                    controller.observe(change, &self.store);
                }
                self.nodes.observe(change, &self.store);
            }
            self.log.push(entry);
        }
    }
}
