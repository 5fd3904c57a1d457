//! What PodDisruptionBudgets leave to evictions.
//!
//! Rule: the budgets of a Pod's namespace whose selector matches it are asked; more than one is an error. As many Pods may go
//! as are healthy beyond what must stay. Percentages and `maxUnavailable` need the scale of the Pods' controller; Pods
//! without one (those of Jobs) allow none. Pods that have ended, and those that are not ready of a budget that is kept, go
//! without being counted. Source: `pkg/registry/core/pod/storage/eviction.go`, `pkg/controller/disruption/disruption.go`.

use std::rc::Rc;

use crate::store::Store;
use api::kind::Kind;
use api::meta::LabelSelector;
use api::object::Object;
use api::status::{ApiError, Reason};
use values::value::Value;

/// How it stands with a budget.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    pub expected: i64,
    pub healthy: i64,
    /// How many must stay healthy.
    pub desired: i64,
}

impl Standing {
    /// How many Pods may be evicted.
    pub fn allowed(self) -> i64 {
        if self.expected > 0 { (self.healthy - self.desired).max(0) } else { 0 }
    }
}

/// The Pods that a budget is about.
pub fn pods_of(store: &Store, budget: &Object) -> Vec<Rc<Object>> {
    let selector: LabelSelector = budget.value().at("spec.selector").decode().unwrap_or_default();
    let meant = |pod: &&Rc<Object>| selector.matches(&pod.meta().labels) && !pod.pod().is_terminal();
    store.list_in(Kind::Pod, budget.namespace()).filter(meant).cloned().collect()
}

/// Counts the Pods of a budget.
pub fn standing(store: &Store, budget: &Object) -> Standing {
    let pods = pods_of(store, budget);
    let healthy = pods.iter().filter(|pod| pod.pod().is_ready() && !pod.meta().is_being_deleted()).count() as i64;
    let spec = budget.value().at("spec");
    let (least, most) = (spec.at("minAvailable"), spec.at("maxUnavailable"));
    if let Some(least) = least.as_i64() {
        return Standing { expected: pods.len() as i64, healthy, desired: least };
    }
    let expected = scale(store, &pods);
    let desired = match most {
        Value::Null if least.is_null() => expected - 1,
        Value::Null => share(least, expected),
        most => expected - share(most, expected),
    };
    Standing { expected, healthy, desired: desired.max(0) }
}

/// What the controllers of the Pods want to have together.
fn scale(store: &Store, pods: &[Rc<Object>]) -> i64 {
    let mut owners: Vec<Rc<Object>> = Vec::new();
    for pod in pods {
        let Some(mut owner) = owner_of(store, pod) else { continue };
        if let Some(above) = owner_of(store, &owner) {
            owner = above;
        }
        if !owners.iter().any(|known| known.uid() == owner.uid()) {
            owners.push(owner);
        }
    }
    owners.iter().map(|owner| owner.value().i64_at("spec.replicas").unwrap_or(0)).sum()
}

fn owner_of(store: &Store, object: &Object) -> Option<Rc<Object>> {
    let reference = object.meta().controller()?;
    let kind = Kind::named(&reference.kind).filter(|kind| {
        matches!(kind, Kind::ReplicaSet | Kind::Deployment | Kind::StatefulSet | Kind::ReplicationController)
    })?;
    store.find(kind, object.namespace(), &reference.name).cloned()
}

/// A number, or a percentage rounded up.
fn share(amount: &Value, of: i64) -> i64 {
    let percent = amount.as_str().and_then(|text| text.strip_suffix('%')?.parse::<i64>().ok());
    amount.as_i64().or_else(|| percent.map(|percent| (of * percent + 99).div_euclid(100))).unwrap_or(0)
}

/// Whether a Pod may be evicted.
///
/// # Errors
/// TooManyRequests if a budget has nothing left.
pub(super) fn check(store: &Store, pod: &Object) -> Result<(), ApiError> {
    if pod.pod().is_terminal() || pod.meta().is_being_deleted() || pod.value().str_at("status.phase") == Some("Pending")
    {
        return Ok(());
    }
    let is_meant = |budget: &&Rc<Object>| {
        let selector: LabelSelector = budget.value().at("spec.selector").decode().unwrap_or_default();
        selector.matches(&pod.meta().labels)
    };
    let budgets: Vec<&Rc<Object>> =
        store.list_in(Kind::PodDisruptionBudget, pod.namespace()).filter(is_meant).collect();
    let refuses = |reason: Reason, message: &str| {
        Err(ApiError { reason, message: message.to_owned(), about: None, causes: Vec::new() })
    };
    match budgets[..] {
        [] => Ok(()),
        [budget] => {
            let standing = standing(store, budget);
            let unhealthy = !pod.pod().is_ready();
            let always = budget.value().str_at("spec.unhealthyPodEvictionPolicy") == Some("AlwaysAllow");
            if unhealthy && (always || (standing.desired > 0 && standing.healthy >= standing.desired)) {
                return Ok(());
            }
            if standing.allowed() > 0 {
                return Ok(());
            }
            refuses(Reason::TooManyRequests, "Cannot evict pod as it would violate the pod's disruption budget.")
        }
        _ => refuses(
            Reason::Unknown,
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
        ),
    }
}
