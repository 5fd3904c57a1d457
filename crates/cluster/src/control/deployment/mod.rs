//! The Deployment controller: a ReplicaSet for each revision of the template, and the way from the old to the new.
//!
//! Rules: recorded in `deployment-rollout`. One sync does one thing: it creates or grows the new set, or shrinks old ones,
//! and writes the status; the sets' own changes lead to the next.
//! Source: `pkg/controller/deployment/{deployment_controller,sync,rolling,recreate,progress}.go`.

mod numbers;
mod revision;
mod rollout;
mod status;
pub(super) mod template_hash;

#[cfg(test)]
mod tests;

use crate::actor::{Actor, WorkQueue};
use crate::control::ref_manager::{self, Claim};
use crate::store::{Api, Cause, Change, ChangeType, EventType, Rule, Store};
use api::apps::Deployment;
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use values::rng::Rng;
use values::sort::sort_by_key;
use values::sorted::SortedMap;
use values::time::{SimTime, Span};
use values::value::Value;

use revision::Set;
use status::NewCondition;

/// From a change to the sync it leads to.
const SYNC_MS: (i64, i64) = (5, 12);
/// How long a sync is busy for each write: the next one of the same Deployment waits that long. In the recordings a set
/// answers its creation before the Deployment's next step, which comes 26 to 47 ms after the step before.
const WRITE_MS: (i64, i64) = (4, 7);

/// deployment-controller.
#[derive(Clone, Debug)]
pub struct DeploymentController {
    rng: Rng,
    queue: WorkQueue<Key>,
    /// Until when the last sync of a Deployment writes.
    busy_until: SortedMap<Key, SimTime>,
}

/// One sync: the Deployment and its sets.
struct Sync<'a, 'b> {
    api: &'a mut Api<'b>,
    object: std::rc::Rc<Object>,
    new: Option<Set>,
    /// By age, oldest first.
    old: Vec<Set>,
}

impl DeploymentController {
    pub fn new(rng: Rng) -> DeploymentController {
        DeploymentController { rng, queue: WorkQueue::new(), busy_until: SortedMap::new() }
    }

    fn enqueue(&mut self, key: Key, at: SimTime, cause: Cause) {
        let delay = self.rng.between("deployment-sync", &format!("{}/{at}", key.name), SYNC_MS.0, SYNC_MS.1);
        let free = self.busy_until.get(&key).copied().unwrap_or(at);
        self.queue.add(key, at.max(free) + Span::ms(delay), cause);
    }

    fn observe_set(&mut self, change: &Change, store: &Store, cause: Cause) {
        let before = change.previous.as_ref().and_then(|before| managing(before, store));
        let after = managing(&change.object, store);
        for key in before.iter().chain(after.iter().filter(|after| Some(*after) != before.as_ref())) {
            self.enqueue(key.clone(), change.at, cause);
        }
        if change.change != ChangeType::Deleted && change.object.meta().controller().is_none() {
            let labels = &change.object.meta().labels;
            let matching: Vec<Key> = store
                .list_in(Kind::Deployment, change.object.namespace())
                .filter(|d| d.deployment().spec.selector.matches(labels))
                .map(|d| d.key())
                .collect();
            for key in matching {
                self.enqueue(key, change.at, cause);
            }
        }
    }

    fn sync(&mut self, api: &mut Api<'_>, key: &Key, cause: Cause) {
        let before = api.store().revision();
        self.reconcile(api, key, cause);
        let now = api.now();
        let each = self.rng.between("deployment-write", &format!("{}/{now}", key.name), WRITE_MS.0, WRITE_MS.1);
        let writes = i64::try_from(api.store().revision() - before).unwrap_or(0);
        self.busy_until.retain(|_, until| *until > now);
        if writes > 0 {
            self.busy_until.insert(key.clone(), now + Span::ms(each * writes));
        }
    }

    fn reconcile(&mut self, api: &mut Api<'_>, key: &Key, cause: Cause) {
        let Some(object) = api.get(key) else { return };
        let sets = claim(api, &object);
        let index = revision::find_new(&object, &sets);
        let mut old = sets;
        let new = index.map(|index| old.remove(index));
        let mut sync = Sync { api, object, new, old };
        let deployment = sync.object.deployment();
        if deployment.metadata.is_being_deleted() {
            sync.write_plain_status();
        } else {
            sync.set_pause_condition();
            if sync.deployment().spec.paused || sync.is_scaling() {
                sync.note_revision(false);
                sync.scale_all();
                sync.write_plain_status();
            } else if numbers::is_rolling(sync.deployment()) {
                sync.roll();
            } else {
                sync.recreate();
            }
        }
        let Some(object) = api.get(key) else { return };
        if let Some(deadline) = status::deadline(object.deployment()) {
            // One second more, since times are cut to seconds.
            self.queue.add(key.clone(), (deadline + Span::secs(1)).max(api.now() + Span::secs(1)), cause);
        }
    }
}

/// The Deployment's sets by age, after taking in and letting go.
fn claim(api: &mut Api<'_>, deployment: &Object) -> Vec<Set> {
    let keys: Vec<Key> = api.store().list_in(Kind::ReplicaSet, deployment.namespace()).map(|o| o.key()).collect();
    let mut sets = Vec::new();
    for key in keys {
        let Some(set) = api.get(&key) else { continue };
        match ref_manager::claim(deployment.meta(), &deployment.deployment().spec.selector, set.meta()) {
            Claim::Keep => sets.push(Set::new(set)),
            Claim::Adopt => {
                if ref_manager::adopt(api, &key, deployment, None).is_ok() {
                    sets.extend(api.get(&key).map(Set::new));
                }
            }
            Claim::Release => {
                // What could not be let go now is tried again with the next change.
                let _later = ref_manager::release(api, &key, deployment.uid(), None);
            }
            Claim::Ignore => {}
        }
    }
    let age = |set: &Set| (set.object.meta().creation_timestamp, set.object.name().to_owned());
    sort_by_key(&mut sets, age);
    sets
}

fn managing(set: &Object, store: &Store) -> Option<Key> {
    let owner = set.meta().controller().filter(|owner| owner.kind == "Deployment")?;
    let object = store.find(Kind::Deployment, set.namespace(), &owner.name)?;
    (object.uid() == owner.uid).then(|| object.key())
}

impl Sync<'_, '_> {
    fn deployment(&self) -> &Deployment {
        self.object.deployment()
    }

    fn key(&self) -> Key {
        self.object.key()
    }

    fn total(&self) -> i32 {
        self.old.iter().chain(&self.new).map(|set| set.replicas).sum()
    }

    fn old_total(&self) -> i32 {
        self.old.iter().map(|set| set.replicas).sum()
    }

    /// True if the Deployment was scaled since its sets were.
    fn is_scaling(&self) -> bool {
        let wanted = numbers::replicas(self.deployment());
        let active = self.old.iter().chain(&self.new).filter(|set| set.replicas > 0);
        active.into_iter().any(|set| set.desired().is_some_and(|desired| desired != wanted))
    }

    /// Says that a rollout is paused or goes on.
    fn set_pause_condition(&mut self) {
        let deployment = self.deployment();
        let current = status::condition(&deployment.status.conditions, "Progressing");
        let has_deadline = deployment.spec.progress_deadline_seconds.is_some_and(|seconds| seconds < i32::MAX);
        if !has_deadline || current.is_some_and(|c| c.reason == status::TIMED_OUT) {
            return;
        }
        let was_paused = current.is_some_and(|c| c.reason == "DeploymentPaused");
        let (reason, message) = match (deployment.spec.paused, was_paused) {
            (true, false) => ("DeploymentPaused", "Deployment is paused"),
            (false, true) => ("DeploymentResumed", "Deployment is resumed"),
            _ => return,
        };
        self.set_progressing("Unknown", reason, message.to_owned());
    }

    fn set_progressing(&mut self, condition_status: &str, reason: &str, message: String) {
        let mut conditions = self.deployment().status.conditions.clone();
        let new = NewCondition { kind: "Progressing", status: condition_status, reason, message };
        status::set_condition(&mut conditions, new, self.api.now());
        let value = Value::encode(&conditions);
        let key = self.key();
        let written = self.api.patch_status(&key, |status| status.set("conditions", value));
        self.refresh(written);
    }

    /// Goes on with the version that was just written.
    fn refresh(&mut self, written: Result<std::rc::Rc<Object>, api::status::ApiError>) {
        if let Ok(object) = written {
            self.object = object;
        }
    }

    /// The status without a word on progress.
    fn write_plain_status(&mut self) {
        let status = status::calculate(self.deployment(), self.new.as_ref(), &self.old, self.api.now());
        self.write_status(&status);
    }

    /// The status with everything, after a step of the rollout.
    fn write_rollout_status(&mut self) {
        let now = self.api.now();
        let mut status = status::calculate(self.deployment(), self.new.as_ref(), &self.old, now);
        status::set_progress(self.object.deployment(), self.new.as_ref(), &mut status, now);
        status::set_failures(self.new.as_ref(), &self.old, &mut status);
        self.write_status(&status);
    }

    fn write_status(&mut self, status: &api::apps::DeploymentStatus) {
        self.api.because(Rule::DeploymentStatus);
        let mut value = Value::encode(status);
        if let Some(count) = self.object.value().i64_at("status.collisionCount") {
            value.set("collisionCount", count);
        }
        let key = self.key();
        let written = self.api.update_status(&key, value);
        self.refresh(written);
    }

    fn event_scaled(&mut self, set: &str, from: i32, to: i32) {
        let way = if to > from { "up" } else { "down" };
        let message = format!("Scaled {way} replica set {set} from {from} to {to}");
        let object = std::rc::Rc::clone(&self.object);
        self.api.event(&object, EventType::Normal, "ScalingReplicaSet", &message);
    }
}

impl Actor for DeploymentController {
    fn name(&self) -> &'static str {
        "deployment-controller"
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        let cause = change.cause();
        match change.kind() {
            Kind::Deployment if change.change == ChangeType::Deleted => self.queue.remove(&change.object.key()),
            Kind::Deployment => self.enqueue(change.object.key(), change.at, cause),
            Kind::ReplicaSet => self.observe_set(change, store, cause),
            Kind::Pod if change.change == ChangeType::Deleted => {
                // With the strategy Recreate the new Pods wait until the last old one is gone.
                let owner = change.object.meta().controller().filter(|owner| owner.kind == "ReplicaSet");
                let set = owner.and_then(|o| store.find(Kind::ReplicaSet, change.object.namespace(), &o.name));
                let deployment = set.and_then(|set| managing(set, store)).and_then(|key| store.get(&key));
                if let Some(deployment) = deployment.filter(|d| !numbers::is_rolling(d.deployment())) {
                    self.enqueue(deployment.key(), change.at, cause);
                }
            }
            _ => {}
        }
    }

    fn next_wakeup(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    fn step(&mut self, api: &mut Api<'_>) {
        let Some(due) = self.queue.pop(api.now()) else { return };
        api.set_cause(due.cause);
        self.sync(api, &due.key, due.cause);
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        self.queue = WorkQueue::new();
        self.busy_until = SortedMap::new();
        for deployment in store.list(Kind::Deployment) {
            self.enqueue(deployment.key(), now, cause);
        }
    }
}
