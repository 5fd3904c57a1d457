//! The Pod that a verb means when it is given a Job, a ReplicaSet, a Deployment or a Service, and its container.
//!
//! Source: `kubectl/pkg/polymorphichelpers/{helpers,logsforobject}.go`, `kubectl/pkg/util/podutils`.

use std::cmp::{Ordering, Reverse};
use std::rc::Rc;

use crate::kubectl::Call;
use crate::kubectl::resource::split_pair;
use api::kind::Kind;
use api::meta::{Key, LabelSelector};
use api::object::Object;
use api::pod::Pod;
use cluster::store::Store;
use values::sort::{sort_by, sort_by_key};
use values::time::SimTime;

/// The annotation that names the container of `logs`, `exec` and `attach`.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// Reads `POD` or `TYPE/NAME`.
///
/// # Errors
/// kubectl's words, without `error: `.
pub fn named(call: &Call<'_, '_>, word: &str) -> Result<Key, String> {
    let (kind, name) = if word.contains('/') { split_pair(word)? } else { (Kind::Pod, word.to_owned()) };
    Ok(Key::new(kind, if kind.info().namespaced { call.namespace() } else { "" }, &name))
}

/// The Pods that belong to an object, in the order of their names. None if the kind has no Pods.
pub fn of(store: &Store, object: &Object) -> Option<Vec<Rc<Object>>> {
    let selector: LabelSelector = match object.kind() {
        Kind::Pod => return Some(store.get(&object.key()).cloned().into_iter().collect()),
        Kind::Job | Kind::ReplicaSet | Kind::Deployment => {
            object.value().at("spec.selector").decode().unwrap_or_default()
        }
        Kind::Service => {
            let match_labels = object.value().at("spec.selector").decode().unwrap_or_default();
            let selector = LabelSelector { match_labels, ..LabelSelector::default() };
            if selector.is_empty() {
                return Some(Vec::new());
            }
            selector
        }
        _ => return None,
    };
    let mine = store.list_in(Kind::Pod, object.namespace()).filter(|pod| selector.matches(&pod.meta().labels));
    Some(mine.cloned().collect())
}

/// What the Pods of a kind are chosen by, in messages.
pub fn has_pods(kind: Kind) -> bool {
    matches!(kind, Kind::Pod | Kind::Job | Kind::ReplicaSet | Kind::Deployment | Kind::Service)
}

/// The Pod whose log is shown: assigned, running, ready, ready for longest, restarted most, oldest.
pub fn best_for_logs(pods: &[Rc<Object>]) -> Option<Rc<Object>> {
    let mut sorted = pods.to_vec();
    sort_by(&mut sorted, |a, b| by_logging(a, b));
    sorted.into_iter().next()
}

/// The Pod to attach to: assigned, running, ready, ready for longest, restarted least, oldest.
pub fn best_for_attaching(pods: &[Rc<Object>]) -> Option<Rc<Object>> {
    let phase = |pod: &Pod| match pod.status.phase.as_str() {
        "Running" => 2,
        "Unknown" => 1,
        _ => 0,
    };
    let mut sorted = pods.to_vec();
    sort_by_key(&mut sorted, |object| {
        let pod = object.pod();
        (
            Reverse(!pod.spec.node_name.is_empty()),
            Reverse(phase(pod)),
            Reverse(pod.is_ready()),
            pod.metadata.is_being_deleted(),
            ready_since(object).unwrap_or(SimTime::from_secs(i64::MAX / 1000)),
            restarts(object),
            pod.metadata.creation_timestamp,
        )
    });
    sorted.into_iter().next()
}

fn by_logging(a: &Object, b: &Object) -> Ordering {
    let phase = |pod: &Pod| match pod.status.phase.as_str() {
        "Pending" => 2,
        "Unknown" => 1,
        _ => 0,
    };
    let key = |object: &Object| {
        let pod = object.pod();
        (
            pod.spec.node_name.is_empty(),
            phase(pod),
            !pod.is_ready(),
            ready_since(object),
            Reverse(restarts(object)),
            pod.metadata.creation_timestamp,
        )
    };
    key(a).cmp(&key(b))
}

/// Since when a ready Pod is ready.
fn ready_since(object: &Object) -> Option<SimTime> {
    let ready = object.value().list_at("status.conditions").iter().find(|c| c.str_at("type") == Some("Ready"))?;
    (ready.str_at("status") == Some("True"))
        .then(|| ready.str_at("lastTransitionTime"))?
        .and_then(SimTime::parse_rfc3339)
}

fn restarts(object: &Object) -> i64 {
    let statuses = object.value().list_at("status.containerStatuses").iter();
    statuses.filter_map(|status| status.i64_at("restartCount")).max().unwrap_or(0)
}

/// All containers as kubectl lists them: `main, setup (init)`.
pub fn container_list(pod: &Pod) -> String {
    let init = pod.spec.init_containers.iter().map(|c| format!("{} (init)", c.name));
    pod.spec.containers.iter().map(|c| c.name.to_string()).chain(init).collect::<Vec<_>>().join(", ")
}

/// The names of all containers in the order in which they start.
pub fn containers(pod: &Pod) -> Vec<String> {
    pod.spec.init_containers.iter().chain(&pod.spec.containers).map(|c| c.name.to_string()).collect()
}

/// The container that is meant if none is named. Second: the line about the choice, for standard error.
pub fn default_container(pod: &Pod) -> (String, Option<String>) {
    let noted = pod
        .metadata
        .annotations
        .get(DEFAULT_CONTAINER)
        .filter(|name| containers(pod).iter().any(|known| known == *name));
    if let Some(name) = noted {
        return (name.to_string(), None);
    }
    let first = pod.spec.containers.first().map(|c| c.name.to_string()).unwrap_or_default();
    let several = pod.spec.containers.len() + pod.spec.init_containers.len() > 1;
    let said = several.then(|| format!("Defaulted container \"{first}\" out of: {}\n", container_list(pod)));
    (first, said)
}
