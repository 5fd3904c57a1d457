//! The namespace controller: empties namespaces that are being deleted, then lets them go.
//!
//! Rules: `docs/semantics/ttl.md` §2. Content goes five seconds after the request; what takes longer (Pods with their
//! grace period) is looked at again later. Source: `pkg/controller/namespace/{namespace_controller,deletion}`.

use crate::actor::{Actor, WorkQueue};
use crate::store::{Api, Cause, Change, ChangeType, DeleteOptions, Rule, Store};
use api::kind::{KINDS, Kind};
use api::meta::Key;
use values::object;
use values::sorted::SortedMap;
use values::time::{SimTime, Span};
use values::value::Value;

/// `namespaceDeletionGracePeriod`: other API servers should have heard of the deletion by then.
const GRACE: Span = Span::secs(5);
/// How long an object with finalizers is thought to take (`finalizerEstimateSeconds`).
const FINALIZER_ESTIMATE_SECONDS: i64 = 15;

/// namespace-controller.
#[derive(Clone, Debug, Default)]
pub struct NamespaceController {
    queue: WorkQueue<Key>,
}

/// What is left of a kind after everything was asked to go.
#[derive(Default)]
struct Remaining {
    /// `pods.`, `jobs.batch`, with how many there are.
    kinds: SortedMap<String, usize>,
    finalizers: SortedMap<String, usize>,
    estimate_seconds: i64,
}

impl NamespaceController {
    pub fn new() -> NamespaceController {
        NamespaceController::default()
    }

    fn sync(&mut self, api: &mut Api<'_>, key: &Key, cause: Cause) {
        let Some(namespace) = api.get(key).filter(|ns| ns.meta().is_being_deleted()) else { return };
        api.because(Rule::NamespaceEmpty);
        let content: Vec<Key> = KINDS
            .iter()
            .filter(|info| info.namespaced)
            .flat_map(|info| api.store().list_in(info.kind, &key.name).map(|o| o.key()).collect::<Vec<_>>())
            .collect();
        for object in &content {
            // Many go with their owners in the meantime.
            let _gone = api.delete(object, &DeleteOptions::background());
        }
        let remaining = look(api, &content);
        let now = api.now();
        let conditions = conditions(namespace.value().list_at("status.conditions"), &remaining, now);
        let status = object! { "phase" => "Terminating", "conditions" => conditions };
        let written = api.update_status(key, status);
        debug_assert!(written.is_ok(), "the namespace is there: {written:?}");
        if remaining.kinds.is_empty() {
            let released = api.update(key, |ns| {
                ns.remove("spec.finalizers");
            });
            debug_assert!(released.is_ok(), "the namespace is there: {released:?}");
        } else {
            self.queue.add(key.clone(), now + Span::secs(remaining.estimate_seconds / 2 + 1), cause);
        }
    }
}

fn look(api: &Api<'_>, content: &[Key]) -> Remaining {
    let mut remaining = Remaining::default();
    for object in content.iter().filter_map(|key| api.get(key)) {
        let info = object.kind().info();
        *remaining.kinds.entry(format!("{}.{}", info.plural, info.group)).or_default() += 1;
        let mut estimate = FINALIZER_ESTIMATE_SECONDS;
        if object.kind() == Kind::Pod {
            estimate = object.pod().spec.termination_grace_period_seconds.unwrap_or(30);
        }
        for finalizer in &object.meta().finalizers {
            *remaining.finalizers.entry(finalizer.to_string()).or_default() += 1;
        }
        remaining.estimate_seconds = remaining.estimate_seconds.max(estimate);
    }
    remaining
}

/// What `kubectl describe namespace` says while it goes.
fn conditions(before: &[Value], remaining: &Remaining, now: SimTime) -> Vec<Value> {
    let list = |counts: &SortedMap<String, usize>, what: &str| {
        let parts: Vec<String> =
            counts.iter().map(|(name, count)| format!("{name} {what} {count} resource instances")).collect();
        parts.join(", ")
    };
    let content = (!remaining.kinds.is_empty())
        .then(|| format!("Some resources are remaining: {}", list(&remaining.kinds, "has")));
    let finalizers = (!remaining.finalizers.is_empty()).then(|| {
        format!("Some content in the namespace has finalizers remaining: {}", list(&remaining.finalizers, "in"))
    });
    let fine = |kind, reason, message: &str| (kind, "False", reason, message.to_owned());
    let rows = [
        fine("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
        fine(
            "NamespaceDeletionGroupVersionParsingFailure",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        fine(
            "NamespaceDeletionContentFailure",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
        match content {
            Some(message) => ("NamespaceContentRemaining", "True", "SomeResourcesRemain", message),
            None => fine("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
        },
        match finalizers {
            Some(message) => ("NamespaceFinalizersRemaining", "True", "SomeFinalizersRemain", message),
            None => fine(
                "NamespaceFinalizersRemaining",
                "ContentHasNoFinalizers",
                "All content-preserving finalizers finished",
            ),
        },
    ];
    let since = |kind: &str, status: &str| {
        let same = |c: &&Value| c.str_at("type") == Some(kind) && c.str_at("status") == Some(status);
        before.iter().find(same).map_or(Value::from(now), |c| c.at("lastTransitionTime").clone())
    };
    rows.into_iter()
        .map(|(kind, status, reason, message)| {
            object! {
                "type" => kind, "status" => status, "reason" => reason, "message" => message,
                "lastTransitionTime" => since(kind, status),
            }
        })
        .collect()
}

impl Actor for NamespaceController {
    fn name(&self) -> &'static str {
        "namespace-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if change.kind() == Kind::Namespace && change.change != ChangeType::Deleted && change.starts_deletion() {
            let cause = change.cause();
            self.queue.add(change.object.key(), change.at + GRACE, cause);
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
        for namespace in store.list(Kind::Namespace).filter(|ns| ns.meta().is_being_deleted()) {
            self.queue.add(namespace.key(), now + GRACE, cause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::stage::Stage;

    #[test]
    fn a_namespace_goes_when_it_is_empty() {
        let mut stage = Stage::new(vec![Box::new(NamespaceController::new())]);
        stage.create(r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"lab"}}"#);
        stage.create(r#"{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default","namespace":"lab"}}"#);
        stage.create(r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","namespace":"lab"}}"#);
        stage.create(
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","namespace":"lab"},"spec":{"nodeName":"node-1",
            "terminationGracePeriodSeconds":4,"containers":[{"name":"main","image":"busybox:1.36"}]}}"#,
        );
        let key = Key::new(Kind::Namespace, "", "lab");
        stage.api(|api| api.delete(&key, &DeleteOptions::background())).unwrap();
        let namespace = stage.store.get(&key).unwrap();
        assert_eq!(namespace.value().str_at("status.phase"), Some("Terminating"));
        stage.run_for(Span::secs(6));
        assert!(stage.store.find(Kind::ConfigMap, "lab", "c").is_none());
        let remaining = stage.store.get(&key).unwrap().value().at("status.conditions.3").clone();
        assert_eq!(remaining.str_at("message"), Some("Some resources are remaining: pods. has 1 resource instances"));
        let pod = Key::new(Kind::Pod, "lab", "p");
        stage.api(|api| api.delete(&pod, &DeleteOptions::with_grace(0))).unwrap();
        stage.run_for(Span::secs(5));
        assert!(stage.store.get(&key).is_none());
    }
}
