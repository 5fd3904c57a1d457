//! The disruption controller: says in each PodDisruptionBudget how many of its Pods may go.
//!
//! Source: `pkg/controller/disruption/disruption.go` (`updatePdbStatus`).

use crate::actor::{Actor, WorkQueue};
use crate::store::budget::standing;
use crate::store::{Api, Cause, Change, ChangeType, Rule, Store};
use api::kind::Kind;
use api::meta::Key;
use values::object;
use values::time::{SimTime, Span};
use values::value::Value;

/// From a change to the sync it leads to.
const WATCH_DELAY: Span = Span::ms(8);

/// disruption-controller.
#[derive(Clone, Debug, Default)]
pub struct DisruptionController {
    queue: WorkQueue<Key>,
}

impl DisruptionController {
    pub fn new() -> DisruptionController {
        DisruptionController::default()
    }
}

impl Actor for DisruptionController {
    fn name(&self) -> &'static str {
        "disruption-controller"
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        let (at, cause) = (change.at + WATCH_DELAY, change.cause());
        match change.kind() {
            Kind::PodDisruptionBudget if change.change == ChangeType::Deleted => {
                self.queue.remove(&change.object.key())
            }
            Kind::PodDisruptionBudget if change.changes_spec() => self.queue.add(change.object.key(), at, cause),
            Kind::Pod | Kind::ReplicaSet | Kind::Deployment | Kind::StatefulSet => {
                let budgets: Vec<Key> =
                    store.list_in(Kind::PodDisruptionBudget, change.object.namespace()).map(|b| b.key()).collect();
                budgets.into_iter().for_each(|key| self.queue.add(key, at, cause));
            }
            _ => {}
        }
    }

    fn next_wakeup(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    fn step(&mut self, api: &mut Api<'_>) {
        let Some(due) = self.queue.pop(api.now()) else { return };
        let Some(budget) = api.get(&due.key) else { return };
        api.set_cause(due.cause.rule(Rule::BudgetStatus));
        let counted = standing(api.store(), &budget);
        let allowed = counted.allowed();
        let (status, reason) = if allowed > 0 { ("True", "SufficientPods") } else { ("False", "InsufficientPods") };
        let before = budget.value().list_at("status.conditions").first();
        let since = before.filter(|c| c.str_at("status") == Some(status)).map(|c| c.at("lastTransitionTime").clone());
        let condition = object! {
            "type" => "DisruptionAllowed", "status" => status, "reason" => reason, "message" => "",
            "lastTransitionTime" => since.unwrap_or_else(|| api.now().into()),
            "observedGeneration" => budget.meta().generation,
        };
        let fresh = object! {
            "conditions" => Value::list([condition]), "currentHealthy" => counted.healthy,
            "desiredHealthy" => counted.desired, "disruptionsAllowed" => allowed, "expectedPods" => counted.expected,
            "observedGeneration" => budget.meta().generation,
        };
        // The budget may have gone meanwhile.
        let _gone = api.update_status(&due.key, fresh);
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        self.queue = WorkQueue::new();
        let budgets: Vec<Key> = store.list(Kind::PodDisruptionBudget).map(|budget| budget.key()).collect();
        budgets.into_iter().for_each(|key| self.queue.add(key, now + WATCH_DELAY, cause));
    }
}
