//! The steps of a rollout: the new set, the old ones, scaling, and the clearing away of history.
//!
//! Source: `pkg/controller/deployment/{sync,rolling,recreate}.go`.

use std::rc::Rc;

use crate::control::deployment::numbers;
use crate::control::deployment::revision::{self, HASH_LABEL, REVISION, Set};
use crate::control::deployment::{Sync, status, template_hash};
use crate::control::ref_manager;
use crate::store::{DeleteOptions, EventType, Rule};
use api::kind::Kind;
use values::object;
use values::sort::sort_by_key;
use values::value::Value;

impl Sync<'_, '_> {
    /// Strategy RollingUpdate.
    pub(super) fn roll(&mut self) {
        if !self.note_revision(true) {
            return;
        }
        let Some(new) = self.new.clone() else { return };
        let wanted = numbers::replicas(self.deployment());
        let target = if new.replicas > wanted {
            wanted
        } else {
            numbers::new_size(self.deployment(), new.replicas, self.total())
        };
        let grown = self.scale_new(target);
        if grown || self.shrink_old() {
            return self.write_rollout_status();
        }
        self.finish();
    }

    /// Strategy Recreate: all old Pods go before the first new one comes.
    pub(super) fn recreate(&mut self) {
        self.note_revision(false);
        let mut shrunk = false;
        for index in 0..self.old.len() {
            shrunk |= self.scale_old(index, 0);
        }
        if shrunk || self.has_old_pods() {
            return self.write_rollout_status();
        }
        if !self.note_revision(true) {
            return;
        }
        self.scale_new(numbers::replicas(self.deployment()));
        self.finish();
    }

    fn finish(&mut self) {
        if status::is_complete(self.deployment(), &self.deployment().status) {
            self.clear_history();
        }
        self.write_rollout_status();
    }

    fn has_old_pods(&self) -> bool {
        let pods = self.old.iter().flat_map(|set| self.api.store().owned_by(set.object.uid()));
        pods.filter(|o| o.kind() == Kind::Pod).any(|pod| !pod.pod().is_terminal())
    }

    /// Numbers the new set, and makes it if there is none and `create` says so. False if it could not be made.
    pub(super) fn note_revision(&mut self, create: bool) -> bool {
        let number = self.old.iter().map(Set::revision).max().unwrap_or(0) + 1;
        match self.new.clone() {
            Some(set) => self.renew(&set, number),
            None if create => return self.create_set(number),
            None => {}
        }
        true
    }

    fn renew(&mut self, set: &Set, number: i64) {
        self.api.because(Rule::DeploymentRevision);
        let deployment = Rc::clone(&self.object);
        let min_ready = self.deployment().spec.min_ready_seconds;
        let written = self.api.update(&set.object.key(), |value| {
            revision::annotate(&deployment, value, number, true);
            if min_ready > 0 || value.has("spec.minReadySeconds") {
                value.set("spec.minReadySeconds", min_ready);
            }
        });
        if let Ok(object) = written {
            let number = revision::annotation(&object, REVISION).unwrap_or_default().to_owned();
            self.new = Some(Set { object, replicas: set.replicas });
            self.set_own_revision(&number);
        }
        let has_deadline = self.deployment().spec.progress_deadline_seconds.is_some_and(|s| s < i32::MAX);
        if has_deadline && status::condition(&self.deployment().status.conditions, "Progressing").is_none() {
            let message = format!("Found new replica set \"{}\"", set.object.name());
            self.set_progressing("True", "FoundNewReplicaSet", message);
        }
    }

    fn set_own_revision(&mut self, number: &str) {
        if revision::annotation(&self.object, REVISION) == Some(number) {
            return;
        }
        let key = self.key();
        let written = self.api.update(&key, |value| {
            let mut notes = value.at("metadata.annotations").clone();
            notes.map_mut().insert(REVISION, number);
            value.set("metadata.annotations", notes);
        });
        self.refresh(written);
    }

    fn create_set(&mut self, number: i64) -> bool {
        let wanted = numbers::replicas(self.deployment());
        let size = numbers::new_size(self.deployment(), 0, self.total());
        let max = wanted + numbers::limits(self.deployment()).max_surge;
        let collisions = self.object.value().i64_at("status.collisionCount").and_then(|n| i32::try_from(n).ok());
        let hash = template_hash::template_hash(self.object.value().at("spec.template"), collisions);
        let mut set = self.new_set(&hash, size);
        revision::annotate(&self.object, &mut set, number, false);
        revision::annotate_sizes(&mut set, wanted, max);
        self.api.because(Rule::DeploymentNewRevision);
        match self.api.create(set) {
            Ok(object) => {
                let name = object.name().to_owned();
                self.new = Some(Set::new(object));
                if size > 0 {
                    self.event_scaled(&name, 0, size);
                }
                self.set_own_revision(&number.to_string());
                if self.deployment().spec.progress_deadline_seconds.is_some_and(|s| s < i32::MAX) {
                    let message = format!("Created new replica set \"{name}\"");
                    self.set_progressing("True", "NewReplicaSetCreated", message);
                }
                true
            }
            Err(error) => {
                let name = format!("{}-{hash}", self.object.name());
                let message = format!("Failed to create new replica set \"{name}\": {error}");
                let object = Rc::clone(&self.object);
                self.api.event(&object, EventType::Warning, "ReplicaSetCreateError", &message);
                self.set_progressing("False", "ReplicaSetCreateError", message);
                false
            }
        }
    }

    fn new_set(&self, hash: &str, size: i32) -> Value {
        let with_hash = |labels: &Value| {
            let mut labels = labels.clone();
            labels.map_mut().insert(HASH_LABEL, hash);
            labels
        };
        let spec = self.object.value().at("spec");
        let mut template = spec.at("template").clone();
        template.set("metadata.labels", with_hash(spec.at("template.metadata.labels")));
        let mut selector = spec.at("selector").clone();
        selector.set("matchLabels", with_hash(spec.at("selector.matchLabels")));
        let labels = template.at("metadata.labels").clone();
        let mut set_spec = object! { "replicas" => size, "selector" => selector, "template" => template };
        if self.deployment().spec.min_ready_seconds > 0 {
            set_spec.set("minReadySeconds", self.deployment().spec.min_ready_seconds);
        }
        object! {
            "apiVersion" => "apps/v1", "kind" => "ReplicaSet", "spec" => set_spec,
            "metadata" => object! {
                "name" => format!("{}-{hash}", self.object.name()), "namespace" => self.object.namespace(),
                "labels" => labels, "ownerReferences" => vec![ref_manager::controller_reference(&self.object)],
            },
        }
    }

    /// Scales a set and notes the Deployment's size on it. True if its size changed.
    fn scale_set(&mut self, set: &mut Set, size: i32) -> bool {
        let wanted = numbers::replicas(self.deployment());
        let max = wanted + numbers::limits(self.deployment()).max_surge;
        let before = set.replicas;
        if before == size && set.desired() == Some(wanted) && set.max() == Some(max) {
            return false;
        }
        self.api.because(Rule::DeploymentScale);
        let written = self.api.update(&set.object.key(), |value| {
            value.set("spec.replicas", size);
            revision::annotate_sizes(value, wanted, max);
        });
        let Ok(object) = written else { return false };
        let name = object.name().to_owned();
        *set = Set { object, replicas: size };
        if before != size {
            self.event_scaled(&name, before, size);
        }
        before != size
    }

    fn scale_new(&mut self, size: i32) -> bool {
        let Some(mut set) = self.new.take() else { return false };
        let changed = set.replicas != size && self.scale_set(&mut set, size);
        self.new = Some(set);
        changed
    }

    fn scale_old(&mut self, index: usize, size: i32) -> bool {
        if self.old[index].replicas == size {
            return false;
        }
        let mut set = self.old[index].clone();
        let changed = self.scale_set(&mut set, size);
        self.old[index] = set;
        changed
    }

    /// Takes away old Pods: first those that do not work anyway, then as many as availability allows.
    fn shrink_old(&mut self) -> bool {
        if self.old_total() == 0 {
            return false;
        }
        let wanted = numbers::replicas(self.deployment());
        let least = wanted - numbers::limits(self.deployment()).max_unavailable;
        let new_unavailable = self.new.as_ref().map_or(0, |set| set.replicas - set.available());
        let spare = self.total() - least - new_unavailable;
        if spare <= 0 {
            return false;
        }
        let mut cleaned = 0;
        for index in 0..self.old.len() {
            let set = &self.old[index];
            let count = (spare - cleaned).min(set.replicas - set.available());
            if count > 0 {
                let size = set.replicas - count;
                cleaned += count;
                self.scale_old(index, size);
            }
        }
        let available: i32 = self.old.iter().chain(&self.new).map(Set::available).sum();
        let mut surplus = (available - least).max(0);
        let mut shrunk = 0;
        for index in 0..self.old.len() {
            let count = surplus.min(self.old[index].replicas);
            if count > 0 {
                let size = self.old[index].replicas - count;
                surplus -= count;
                shrunk += count;
                self.scale_old(index, size);
            }
        }
        cleaned + shrunk > 0
    }

    /// The Deployment's size changed, or it is paused: no rollout, only sizes.
    pub(super) fn scale_all(&mut self) {
        let wanted = numbers::replicas(self.deployment());
        let active: Vec<usize> = (0..self.old.len()).filter(|i| self.old[*i].replicas > 0).collect();
        let new_active = self.new.as_ref().is_some_and(|set| set.replicas > 0);
        match (active.as_slice(), new_active) {
            ([], _) => {
                if self.new.is_some() {
                    self.resize_new(wanted);
                } else if let Some(last) = self.old.len().checked_sub(1) {
                    self.resize_old(last, wanted);
                }
            }
            ([only], false) => self.resize_old(*only, wanted),
            _ if self.is_saturated() => {
                for index in active {
                    self.resize_old(index, 0);
                }
            }
            _ if numbers::is_rolling(self.deployment()) => self.share_out(&active),
            _ => {}
        }
    }

    fn resize_new(&mut self, size: i32) {
        if let Some(mut set) = self.new.take() {
            self.scale_set(&mut set, size);
            self.new = Some(set);
        }
    }

    fn resize_old(&mut self, index: usize, size: i32) {
        let mut set = self.old[index].clone();
        self.scale_set(&mut set, size);
        self.old[index] = set;
    }

    /// The new set alone is as large as the Deployment, and all of it works.
    fn is_saturated(&self) -> bool {
        let wanted = numbers::replicas(self.deployment());
        self.new
            .as_ref()
            .is_some_and(|set| set.replicas == wanted && set.desired() == Some(wanted) && set.available() == wanted)
    }

    /// Scaling in the middle of a rollout: each set gets its share, the largest what is left over.
    fn share_out(&mut self, active: &[usize]) {
        let wanted = numbers::replicas(self.deployment());
        let allowed = if wanted > 0 { wanted + numbers::limits(self.deployment()).max_surge } else { 0 };
        let to_add = allowed - self.total();
        // `None` is the new set. The largest come first; among equals the newest when growing, else the oldest.
        let mut order: Vec<Option<usize>> = active.iter().map(|i| Some(*i)).collect();
        order.extend(self.new.as_ref().filter(|set| set.replicas > 0).map(|_| None));
        if to_add > 0 {
            order.reverse();
        }
        sort_by_key(&mut order, |place| std::cmp::Reverse(self.at(*place).map_or(0, |set| set.replicas)));
        let mut sizes = Vec::new();
        let mut added = 0;
        for place in &order {
            let Some(set) = self.at(*place) else { continue };
            let before = set.max().unwrap_or(self.deployment().status.replicas);
            let share = numbers::proportion(self.deployment(), set.replicas, before, to_add, added);
            sizes.push(set.replicas + share);
            added += share;
        }
        if let Some(first) = sizes.first_mut() {
            *first = (*first + to_add - added).max(0);
        }
        for (place, size) in order.into_iter().zip(sizes) {
            match place {
                None => self.resize_new(size),
                Some(index) => self.resize_old(index, size),
            }
        }
    }

    fn at(&self, place: Option<usize>) -> Option<&Set> {
        place.map_or(self.new.as_ref(), |index| self.old.get(index))
    }

    /// Deletes empty old sets beyond `revisionHistoryLimit`, the earliest revisions first.
    fn clear_history(&mut self) {
        let Some(limit) = self.deployment().spec.revision_history_limit.filter(|limit| *limit < i32::MAX) else {
            return;
        };
        let surplus = self.old.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        let mut sets = self.old.clone();
        sort_by_key(&mut sets, Set::revision);
        self.api.because(Rule::DeploymentHistory);
        for set in sets.into_iter().take(surplus) {
            let typed = set.object.replica_set();
            let idle = typed.status.replicas == 0
                && set.replicas == 0
                && typed.metadata.generation <= typed.status.observed_generation
                && !typed.metadata.is_being_deleted();
            if idle {
                // Someone else may have deleted it first.
                let _gone = self.api.delete(&set.object.key(), &DeleteOptions::background());
            }
        }
    }
}
