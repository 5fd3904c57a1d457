//! The StatefulSet and DaemonSet controllers: Pods that have a name of their own, and Pods that every node has one of.
//!
//! Rules: a StatefulSet makes its Pods in the order of their numbers, each when those before it are ready
//! (`OrderedReady`), and takes them away in the other order; claims of its templates are made before the Pod and stay. A
//! DaemonSet makes a Pod for each node that its template may run on and leaves the choice to the scheduler, by a node
//! affinity. Both replace what has failed, and what has an old template one by one. Revisions are hashes of the template.
//! Source: `pkg/controller/statefulset/stateful_set_control.go`, `pkg/controller/daemon/{daemon_controller,update}.go`.

use std::rc::Rc;

use crate::actor::{Actor, WorkQueue};
use crate::control::deployment::template_hash;
use crate::control::ref_manager;
use crate::store::{Api, Cause, Change, ChangeType, DeleteOptions, EventType, Rule, Store};
use api::core::Taint;
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use api::pod::{NodeSelector, Toleration};
use api::taint::is_tolerated;
use values::object;
use values::rng::Rng;
use values::time::{SimTime, Span};
use values::value::{Text, Value};

/// From a change to the sync it leads to.
const SYNC_MS: (i64, i64) = (6, 16);
/// The label by which a Pod says which template it was made of.
const REVISION: &str = "controller-revision-hash";

/// One of the two controllers; which says its kind.
#[derive(Clone, Debug)]
pub struct SetController {
    kind: Kind,
    rng: Rng,
    queue: WorkQueue<Key>,
}

/// A set in a sync.
struct Sync<'a, 'b> {
    api: &'a mut Api<'b>,
    set: &'a Object,
    /// The hash of its template.
    revision: String,
    pods: Vec<Rc<Object>>,
}

impl SetController {
    pub fn stateful(rng: Rng) -> SetController {
        SetController { kind: Kind::StatefulSet, rng, queue: WorkQueue::new() }
    }

    pub fn daemon(rng: Rng) -> SetController {
        SetController { kind: Kind::DaemonSet, rng, queue: WorkQueue::new() }
    }

    fn enqueue(&mut self, key: Key, at: SimTime, cause: Cause) {
        let delay = self.rng.between("set-sync", &format!("{}/{at}", key.name), SYNC_MS.0, SYNC_MS.1);
        self.queue.add(key, at + Span::ms(delay), cause);
    }

    fn managing(&self, pod: &Object) -> Option<Key> {
        let owner = pod.meta().controller().filter(|owner| owner.kind == self.kind.name())?;
        Some(Key::new(self.kind, pod.namespace(), &owner.name))
    }
}

impl Actor for SetController {
    fn name(&self) -> &'static str {
        if self.kind == Kind::StatefulSet { "statefulset-controller" } else { "daemonset-controller" }
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        let (at, cause) = (change.at, change.cause());
        let key = change.object.key();
        match change.kind() {
            kind if kind == self.kind && change.change == ChangeType::Deleted => self.queue.remove(&key),
            kind if kind == self.kind && change.changes_spec() => self.enqueue(key, at, cause),
            Kind::Pod => {
                let before = change.previous.as_ref().and_then(|before| self.managing(before));
                let after = self.managing(&change.object);
                for key in before.iter().chain(after.iter().filter(|after| Some(*after) != before.as_ref())) {
                    self.enqueue(key.clone(), at, cause);
                }
            }
            Kind::Node if self.kind == Kind::DaemonSet => {
                let known = |o: &Rc<Object>| (o.value().at("spec").clone(), o.value().at("metadata.labels").clone());
                let changed = change.previous.as_ref().is_none_or(|before| known(before) != known(&change.object));
                if changed || change.change == ChangeType::Deleted {
                    let sets: Vec<Key> = store.list(Kind::DaemonSet).map(|set| set.key()).collect();
                    sets.into_iter().for_each(|key| self.enqueue(key, at, cause));
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
        let Some(set) = api.get(&due.key) else { return };
        api.set_cause(due.cause);
        let revision = template_hash::template_hash(set.value().at("spec.template"), None);
        let pods = api.store().owned_by(set.uid()).filter(|o| o.kind() == Kind::Pod).cloned().collect();
        let mut sync = Sync { api, set: &set, revision, pods };
        if !set.meta().is_being_deleted() {
            match self.kind {
                Kind::StatefulSet => sync.stateful(),
                _ => sync.daemon(),
            }
        }
        let status = if self.kind == Kind::StatefulSet { sync.stateful_status() } else { sync.daemon_status() };
        api.because(Rule::SetStatus);
        // The set may have gone meanwhile.
        let _gone = api.update_status(&due.key, status);
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        self.queue = WorkQueue::new();
        let sets: Vec<Key> = store.list(self.kind).map(|set| set.key()).collect();
        sets.into_iter().for_each(|key| self.enqueue(key, now, cause));
    }
}

impl Sync<'_, '_> {
    fn event(&mut self, kind: EventType, reason: &'static str, message: &str) {
        self.api.event(self.set, kind, reason, message);
    }

    fn has_revision(&self, pod: &Object) -> bool {
        pod.meta().labels.get(REVISION).is_some_and(|own| own.ends_with(&self.revision))
    }

    fn on_delete(&self) -> bool {
        self.set.value().str_at("spec.updateStrategy.type") == Some("OnDelete")
    }

    // ---- StatefulSet

    /// The first number and how many there are.
    fn numbers(&self) -> std::ops::Range<i64> {
        let first = self.set.value().i64_at("spec.ordinals.start").unwrap_or(0);
        first..first + self.set.value().i64_at("spec.replicas").unwrap_or(1)
    }

    fn numbered(&self, number: i64) -> Option<Rc<Object>> {
        let name = format!("{}-{number}", self.set.name());
        self.pods.iter().find(|pod| pod.name() == name).cloned()
    }

    fn stateful(&mut self) {
        let parallel = self.set.value().str_at("spec.podManagementPolicy") == Some("Parallel");
        let numbers = self.numbers();
        for number in numbers.clone() {
            let pod = self.numbered(number);
            match &pod {
                Some(pod) if pod.pod().is_terminal() => {
                    let (namespace, name) = (self.set.namespace(), self.set.name());
                    let message = format!("StatefulSet {namespace}/{name} is recreating failed Pod {}", pod.name());
                    self.event(EventType::Warning, "RecreatingFailedPod", &message);
                    self.delete_numbered(pod);
                    return;
                }
                None => self.create_numbered(number),
                Some(_) => {}
            }
            let healthy = pod.is_some_and(|pod| pod.pod().is_ready() && !pod.meta().is_being_deleted());
            if !healthy && !parallel {
                return;
            }
        }
        // Too many: the last one first, one at a time.
        let mut extra: Vec<(i64, Rc<Object>)> = Vec::new();
        for pod in &self.pods {
            let number = pod.name().rsplit('-').next().and_then(|n| n.parse::<i64>().ok());
            extra.extend(number.filter(|n| !numbers.contains(n)).map(|n| (n, Rc::clone(pod))));
        }
        if let Some((_, last)) = extra.iter().max_by_key(|(number, _)| *number) {
            let last = Rc::clone(last);
            if !last.meta().is_being_deleted() {
                self.delete_numbered(&last);
            }
            return;
        }
        if self.on_delete() {
            return;
        }
        let partition = self.set.value().i64_at("spec.updateStrategy.rollingUpdate.partition").unwrap_or(0);
        for number in numbers.rev().filter(|number| *number >= partition) {
            let Some(pod) = self.numbered(number) else { return };
            if !self.has_revision(&pod) {
                if !pod.meta().is_being_deleted() {
                    self.delete_numbered(&pod);
                }
                return;
            }
            if !pod.pod().is_ready() {
                return;
            }
        }
    }

    fn delete_numbered(&mut self, pod: &Object) {
        self.api.because(Rule::SetReplaced);
        if self.api.delete(&pod.key(), &DeleteOptions::default()).is_ok() {
            let message = format!("delete Pod {} in StatefulSet {} successful", pod.name(), self.set.name());
            self.event(EventType::Normal, "SuccessfulDelete", &message);
        }
    }

    fn create_numbered(&mut self, number: i64) {
        self.api.because(Rule::SetTooFew);
        let name = format!("{}-{number}", self.set.name());
        let mut pod = self.pod_of_template();
        pod.set("metadata.name", &*name);
        let mut labels = pod.at("metadata.labels").clone();
        labels.map_mut().insert("statefulset.kubernetes.io/pod-name", &*name);
        labels.map_mut().insert("apps.kubernetes.io/pod-index", number.to_string());
        labels.map_mut().insert(REVISION, format!("{}-{}", self.set.name(), self.revision));
        pod.set("metadata.labels", labels);
        pod.set("spec.hostname", &*name);
        let service = self.set.value().str_at("spec.serviceName").unwrap_or_default();
        if !service.is_empty() {
            pod.set("spec.subdomain", service);
        }
        if !self.make_claims(&name, &mut pod) {
            return;
        }
        match self.api.create(pod) {
            Ok(_) => {
                let message = format!("create Pod {name} in StatefulSet {} successful", self.set.name());
                self.event(EventType::Normal, "SuccessfulCreate", &message);
            }
            // Its predecessor is still going.
            Err(error) if error.reason == api::status::Reason::AlreadyExists => {}
            Err(error) => {
                let message = format!("create Pod {name} in StatefulSet {} failed error: {error}", self.set.name());
                self.event(EventType::Warning, "FailedCreate", &message);
            }
        }
    }

    /// The claims of the templates, and the volumes that mount them; false if one cannot be made.
    fn make_claims(&mut self, pod_name: &str, pod: &mut Value) -> bool {
        let templates = self.set.value().list_at("spec.volumeClaimTemplates").to_vec();
        let mut volumes = pod.list_at("spec.volumes").to_vec();
        for template in &templates {
            let volume = template.str_at("metadata.name").unwrap_or_default();
            let name = format!("{volume}-{pod_name}");
            let key = Key::new(Kind::PersistentVolumeClaim, self.set.namespace(), &name);
            if self.api.get(&key).is_none() {
                let mut claim = object! {
                    "apiVersion" => "v1", "kind" => "PersistentVolumeClaim",
                    "metadata" => object! { "name" => &*name, "namespace" => self.set.namespace() },
                    "spec" => template.at("spec").clone(),
                };
                let labels = self.set.value().at("spec.selector.matchLabels");
                if !labels.is_empty() {
                    claim.set("metadata.labels", labels.clone());
                }
                let set = self.set.name();
                if let Err(error) = self.api.create(claim) {
                    let message =
                        format!("create Claim {name} for Pod {pod_name} in StatefulSet {set} failed error: {error}");
                    self.event(EventType::Warning, "FailedCreate", &message);
                    return false;
                }
                let message = format!("create Claim {name} Pod {pod_name} in StatefulSet {set} success");
                self.event(EventType::Normal, "SuccessfulCreate", &message);
            }
            volumes.retain(|own| own.str_at("name") != Some(volume));
            volumes.push(object! { "name" => volume, "persistentVolumeClaim" => object! { "claimName" => &*name } });
        }
        if !volumes.is_empty() {
            pod.set("spec.volumes", volumes);
        }
        true
    }

    fn stateful_status(&self) -> Value {
        let ready = self.pods.iter().filter(|pod| pod.pod().is_ready()).count() as i64;
        let all = self.pods.iter().filter(|pod| !pod.pod().is_terminal()).count() as i64;
        let updated = self.pods.iter().filter(|pod| self.has_revision(pod)).count() as i64;
        let revision = format!("{}-{}", self.set.name(), self.revision);
        let wanted = self.numbers().count() as i64;
        let before = self.set.value().str_at("status.currentRevision").filter(|_| updated < wanted);
        let current = before.unwrap_or(&revision).to_owned();
        let of_current = if current == revision { updated } else { all - updated };
        let mut status = object! {
            "availableReplicas" => ready, "collisionCount" => 0, "currentRevision" => current,
            "observedGeneration" => self.set.meta().generation, "replicas" => all, "updateRevision" => revision,
        };
        for (field, count) in [("currentReplicas", of_current), ("readyReplicas", ready), ("updatedReplicas", updated)]
        {
            if count > 0 {
                status.set(field, count);
            }
        }
        status
    }

    // ---- DaemonSet

    fn daemon(&mut self) {
        let nodes: Vec<Rc<Object>> = self.api.store().list(Kind::Node).cloned().collect();
        let mut outdated = Vec::new();
        for node in &nodes {
            let mut here: Vec<Rc<Object>> =
                self.pods.iter().filter(|pod| node_of(pod) == Some(node.name())).cloned().collect();
            let wanted = self.may_run_on(node);
            if let Some(failed) = here.iter().position(|pod| pod.pod().is_terminal()).map(|at| here.remove(at)) {
                let (namespace, name) = (failed.namespace(), failed.name());
                let message =
                    format!("Found failed daemon pod {namespace}/{name} on node {}, will try to kill it", node.name());
                self.event(EventType::Warning, "FailedDaemonPod", &message);
                self.delete_daemon(&failed);
                continue;
            }
            match here.first() {
                None if wanted => self.create_daemon(node.name()),
                Some(pod) if !wanted => {
                    let pod = Rc::clone(pod);
                    self.delete_daemon(&pod);
                }
                Some(pod) if !self.has_revision(pod) => outdated.push(Rc::clone(pod)),
                _ => {}
            }
        }
        let unready = self.pods.iter().any(|pod| !pod.pod().is_ready() || pod.meta().is_being_deleted());
        if let Some(pod) = outdated.first().filter(|pod| !self.on_delete() && (!unready || !pod.pod().is_ready())) {
            let pod = Rc::clone(pod);
            self.delete_daemon(&pod);
        }
    }

    fn delete_daemon(&mut self, pod: &Object) {
        self.api.because(Rule::SetReplaced);
        if !pod.meta().is_being_deleted() && self.api.delete(&pod.key(), &DeleteOptions::default()).is_ok() {
            self.event(EventType::Normal, "SuccessfulDelete", &format!("Deleted pod: {}", pod.name()));
        }
    }

    fn create_daemon(&mut self, node: &str) {
        self.api.because(Rule::SetTooFew);
        let mut pod = self.pod_of_template();
        pod.set("metadata.generateName", format!("{}-", self.set.name()));
        let mut labels = pod.at("metadata.labels").clone();
        labels.map_mut().insert(REVISION, self.revision.clone());
        if let Some(generation) = self.set.value().i64_at("metadata.generation") {
            labels.map_mut().insert("pod-template-generation", generation.to_string());
        }
        pod.set("metadata.labels", labels);
        let field = object! { "key" => "metadata.name", "operator" => "In", "values" => Value::list([node.into()]) };
        let term = object! { "matchFields" => Value::list([field]) };
        let required = object! { "nodeSelectorTerms" => Value::list([term]) };
        pod.set("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution", required);
        let mut tolerations = pod.list_at("spec.tolerations").to_vec();
        tolerations.extend(own_tolerations());
        pod.set("spec.tolerations", tolerations);
        match self.api.create(pod) {
            Ok(pod) => self.event(EventType::Normal, "SuccessfulCreate", &format!("Created pod: {}", pod.name())),
            Err(error) => self.event(EventType::Warning, "FailedCreate", &format!("Error creating: {error}")),
        }
    }

    /// Whether the template's Pods may run on a node: its selector and affinity, and the taints it does not tolerate.
    fn may_run_on(&self, node: &Object) -> bool {
        let spec = self.set.value().at("spec.template.spec");
        let labels = &node.meta().labels;
        let selected = spec
            .map_at("nodeSelector")
            .is_none_or(|wanted| wanted.iter().all(|(key, value)| labels.get(key).map(Text::as_str) == value.as_str()));
        let required = spec.at("affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
        let fits = required.is_null() || {
            let selector: NodeSelector = required.decode().unwrap_or_default();
            selector.node_selector_terms.iter().any(|term| crate::sched::term_matches(term, node.name(), labels))
        };
        let mut tolerations: Vec<Toleration> = spec.at("tolerations").decode().unwrap_or_default();
        tolerations.extend(own_tolerations().iter().filter_map(|t| t.decode().ok()));
        selected
            && fits
            && node
                .node()
                .spec
                .taints
                .iter()
                .filter(|taint: &&Taint| taint.keeps_pods_away())
                .all(|taint| is_tolerated(taint, &tolerations))
    }

    fn daemon_status(&self) -> Value {
        let wanted: Vec<Rc<Object>> =
            self.api.store().list(Kind::Node).filter(|node| self.may_run_on(node)).cloned().collect();
        let on_wanted = |pod: &&Rc<Object>| wanted.iter().any(|node| node_of(pod) == Some(node.name()));
        let here: Vec<&Rc<Object>> = self.pods.iter().filter(on_wanted).collect();
        let ready = here.iter().filter(|pod| pod.pod().is_ready()).count() as i64;
        let updated = here.iter().filter(|pod| self.has_revision(pod)).count() as i64;
        let desired = wanted.len() as i64;
        let mut status = object! {
            "currentNumberScheduled" => here.len() as i64, "desiredNumberScheduled" => desired,
            "numberMisscheduled" => (self.pods.len() - here.len()) as i64, "numberReady" => ready,
            "observedGeneration" => self.set.meta().generation,
        };
        for (field, count) in
            [("updatedNumberScheduled", updated), ("numberAvailable", ready), ("numberUnavailable", desired - ready)]
        {
            if count > 0 {
                status.set(field, count);
            }
        }
        status
    }

    fn pod_of_template(&self) -> Value {
        let template = self.set.value().at("spec.template");
        let mut metadata = object! {
            "namespace" => self.set.namespace(),
            "ownerReferences" => vec![ref_manager::controller_reference(self.set)],
        };
        for field in ["labels", "annotations", "finalizers"] {
            let value = template.at_keys(["metadata", field]);
            if !value.is_empty() {
                metadata.set(field, value.clone());
            }
        }
        object! { "apiVersion" => "v1", "kind" => "Pod", "metadata" => metadata, "spec" => template.at("spec").clone() }
    }
}

/// The node a daemon's Pod is on, or meant for.
fn node_of(pod: &Object) -> Option<&str> {
    if let Some(node) = pod.value().str_at("spec.nodeName").filter(|node| !node.is_empty()) {
        return Some(node);
    }
    let required = pod.value().at("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
    let term = required.list_at("nodeSelectorTerms").first()?;
    term.list_at("matchFields").first()?.list_at("values").first()?.as_str()
}

/// What every daemon's Pod tolerates. (`pkg/controller/daemon/util.AddOrUpdateDaemonPodTolerations`)
fn own_tolerations() -> Vec<Value> {
    let taints = [
        ("not-ready", "NoExecute"),
        ("unreachable", "NoExecute"),
        ("disk-pressure", "NoSchedule"),
        ("memory-pressure", "NoSchedule"),
        ("pid-pressure", "NoSchedule"),
        ("unschedulable", "NoSchedule"),
    ];
    let tolerates = |(key, effect): (&str, &'static str)| {
        object! { "effect" => effect, "key" => format!("node.kubernetes.io/{key}"), "operator" => "Exists" }
    };
    taints.into_iter().map(tolerates).collect()
}
