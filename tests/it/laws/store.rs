//! Laws of the API server: versions grow, the watch tells the history, identities stay, events add up.

use std::collections::{BTreeMap, BTreeSet};

use batchyard::api::kind::Kind;
use batchyard::cluster::store::{Change, ChangeType};
use batchyard::run::Sim;
use batchyard::values::value::Value;

use super::Law;
use super::world::World;

/// Every change stands in the log once, in order, and changes something.
#[derive(Default)]
pub struct History {
    revision: u64,
    uids: BTreeSet<String>,
}

impl Law for History {
    fn see(&mut self, change: &Change, _world: &World, broken: &mut Vec<String>) {
        let (object, kind, name) = (&change.object, change.kind(), change.object.name());
        let mut fail = |text: String| broken.push(format!("{kind:?} {name}: {text}"));
        if change.revision <= self.revision {
            fail(format!("resourceVersion {} follows {}", change.revision, self.revision));
        }
        self.revision = change.revision;
        if object.value().str_at("metadata.resourceVersion") != Some(&change.revision.to_string()) {
            fail("its resourceVersion is not that of the change".to_owned());
        }
        if change.cause.by.is_some_and(|cause| cause >= change.entry) {
            fail("it was caused by what came later".to_owned());
        }
        let meta = object.meta();
        match (&change.previous, change.change) {
            (None, _) => {
                if !self.uids.insert(object.uid().to_owned()) {
                    fail("its uid was another's before".to_owned());
                }
            }
            (Some(before), ChangeType::Modified) => {
                let old = before.meta();
                if (&old.uid, old.creation_timestamp) != (&meta.uid, meta.creation_timestamp) {
                    fail("its identity changed".to_owned());
                }
                // A shorter grace period counts from when it was asked for (recorded in `deployment-rollout`).
                let shorter = meta.deletion_grace_period_seconds < old.deletion_grace_period_seconds;
                if old.is_being_deleted() && meta.deletion_timestamp > old.deletion_timestamp && !shorter {
                    fail("its deletion was put off".to_owned());
                }
                if old.is_being_deleted() && !meta.is_being_deleted() {
                    fail("its deletion was taken back".to_owned());
                }
                if old.is_being_deleted() && meta.finalizers.iter().any(|f| !old.finalizers.contains(f)) {
                    fail("it got a finalizer while it was being deleted".to_owned());
                }
                let specs = (before.value().at("spec"), object.value().at("spec"));
                let deletion_begins = change.starts_deletion();
                if meta.generation < old.generation {
                    fail("its generation went back".to_owned());
                } else if kind == Kind::Job
                    && (meta.generation > old.generation) != (specs.0 != specs.1 || deletion_begins)
                {
                    fail("its generation does not tell whether its spec changed".to_owned());
                }
                if without_version(before.value()) == without_version(object.value()) {
                    fail(format!("{} wrote it without a change", change.actor));
                }
            }
            (Some(_), _) => {
                // The last state is that before the last finalizer was taken off.
                if meta.finalizers.len() > usize::from(meta.is_being_deleted()) {
                    fail(format!("it went with finalizers {:?}", meta.finalizers));
                }
            }
        }
    }

    fn end(&mut self, sim: &Sim, world: &World, broken: &mut Vec<String>) {
        let store = sim.cluster().store();
        for (key, object) in &world.objects {
            if store.get(key).is_none_or(|stored| stored != object) {
                broken.push(format!("{key:?} is not in the store as the watch told it"));
            }
        }
        if store.revision() < self.revision {
            broken.push("the store is older than its changes".to_owned());
        }
    }
}

fn without_version(value: &Value) -> Value {
    let mut value = value.clone();
    value.remove("metadata.resourceVersion");
    value
}

/// Events count upwards, are about what was there, and say of each Pod of a small Job once that it was created.
#[derive(Default)]
pub struct Events {
    known: BTreeSet<String>,
    /// Pods that the Job controller made, by the Job's uid.
    made: BTreeMap<String, BTreeSet<String>>,
    /// Events about each Job: how many, and the Pods of which creation was told.
    about: BTreeMap<String, (i64, BTreeMap<String, i64>)>,
}

impl Law for Events {
    fn see(&mut self, change: &Change, _world: &World, broken: &mut Vec<String>) {
        let object = &change.object;
        if change.kind() != Kind::Event {
            self.known.insert(object.uid().to_owned());
            if change.kind() == Kind::Pod && change.change == ChangeType::Added && change.actor == "job-controller" {
                let owner = object.meta().controller().map(|owner| owner.uid.to_string()).unwrap_or_default();
                self.made.entry(owner).or_default().insert(object.name().to_owned());
            }
            return;
        }
        if change.change == ChangeType::Deleted {
            return;
        }
        let event = object.value();
        let count = |event: &Value| event.i64_at("count").unwrap_or(1);
        let before = change.previous.as_ref().map_or(0, |before| count(before.value()));
        let text = |path: &str| event.str_at(path).unwrap_or_default().to_owned();
        if count(event) < before.max(1)
            || (change.previous.is_some()
                && count(event) == before
                && text("series").is_empty()
                && event.at("series").is_null())
        {
            broken.push(format!("the event {} counts {} after {before}", object.name(), count(event)));
        }
        if event.str_at("firstTimestamp") > event.str_at("lastTimestamp") {
            broken.push(format!("the event {} ends before it begins", object.name()));
        }
        let uid = text("involvedObject.uid");
        if text("involvedObject.kind") != "Node" && !uid.is_empty() && !self.known.contains(&uid) {
            broken.push(format!("the event {} is about {uid}, which never was", object.name()));
        }
        if text("involvedObject.kind") == "Job" {
            let (all, created) = self.about.entry(uid).or_default();
            *all += count(event) - before;
            if let Some(pod) = text("message").strip_prefix("Created pod: ") {
                *created.entry(pod.to_owned()).or_default() += count(event) - before;
            }
        }
    }

    fn end(&mut self, _sim: &Sim, _world: &World, broken: &mut Vec<String>) {
        for (job, pods) in &self.made {
            let (all, created) = self.about.get(job).cloned().unwrap_or_default();
            // From the tenth on similar events become one, and after 25 some are dropped.
            if pods.len() > 9 || all > 24 {
                continue;
            }
            if created.values().any(|count| *count != 1) || !created.keys().eq(pods.iter()) {
                broken.push(format!("Pods {pods:?} were created, and the events tell {created:?}"));
            }
        }
    }
}
