//! The resource quota controller: writes into each ResourceQuota's status what is used.
//!
//! Source: `pkg/controller/resourcequota/resource_quota_controller.go`. How usage is counted: `store::quota`.

use crate::actor::{Actor, WorkQueue};
use crate::store::quota::{self, Amounts};
use crate::store::{Api, Cause, Change, ChangeType, Rule, Store};
use api::kind::Kind;
use api::meta::Key;
use values::object;
use values::time::{SimTime, Span};
use values::value::Value;

/// From a change to the new status.
const SYNC_DELAY: Span = Span::ms(8);

/// resourcequota-controller.
#[derive(Clone, Debug, Default)]
pub struct ResourceQuotaController {
    queue: WorkQueue<Key>,
}

impl ResourceQuotaController {
    pub fn new() -> ResourceQuotaController {
        ResourceQuotaController::default()
    }
}

/// True if the change may alter what is used: an object came or went, a Pod ended, a quota changed.
fn matters(change: &Change) -> bool {
    match change.kind() {
        Kind::Event => false,
        _ if change.change != ChangeType::Modified => true,
        Kind::Pod => {
            let phase = |o: &api::object::Object| o.value().at("status.phase").clone();
            change.previous.as_ref().is_some_and(|before| phase(before) != phase(&change.object))
        }
        Kind::ResourceQuota | Kind::Service | Kind::PersistentVolumeClaim => true,
        _ => false,
    }
}

fn tree(amounts: &Amounts) -> Value {
    Value::from(
        amounts.iter().map(|(name, amount)| (name.as_str(), amount.to_string())).collect::<values::value::Map>(),
    )
}

impl Actor for ResourceQuotaController {
    fn name(&self) -> &'static str {
        "resourcequota-controller"
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        if change.object.namespace().is_empty() || !matters(change) {
            return;
        }
        let cause = change.cause();
        let quotas: Vec<Key> =
            store.list_in(Kind::ResourceQuota, change.object.namespace()).map(|quota| quota.key()).collect();
        for key in quotas {
            self.queue.add(key, change.at + SYNC_DELAY, cause);
        }
    }

    fn next_wakeup(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    fn step(&mut self, api: &mut Api<'_>) {
        let Some(due) = self.queue.pop(api.now()) else { return };
        let Some(quota) = api.get(&due.key) else { return };
        api.set_cause(due.cause.rule(Rule::QuotaStatus));
        let (hard, used) = (quota::hard(&quota), quota::used(api.store(), &quota));
        let written = api.update_status(&due.key, object! { "hard" => tree(&hard), "used" => tree(&used) });
        debug_assert!(written.is_ok(), "the quota is there: {written:?}");
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        self.queue = WorkQueue::new();
        for quota in store.list(Kind::ResourceQuota) {
            self.queue.add(quota.key(), now + SYNC_DELAY, cause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::stage::Stage;

    #[test]
    fn the_status_follows_the_pods() {
        let mut stage = Stage::new(vec![Box::new(ResourceQuotaController::new())]);
        stage.create(
            r#"{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"few"},"spec":{"hard":{"pods":"2"}}}"#,
        );
        let used = |stage: &Stage| stage.get(Kind::ResourceQuota, "few").value().at("status").to_json();
        stage.run_for(Span::secs(1));
        assert_eq!(used(&stage), r#"{"hard":{"pods":"2"},"used":{"pods":"0"}}"#);
        stage.create(
            r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"main","image":"x"}]}}"#,
        );
        stage.run_for(Span::secs(1));
        assert_eq!(used(&stage), r#"{"hard":{"pods":"2"},"used":{"pods":"1"}}"#);
        stage.patch_status(Kind::Pod, "a", |status| status.set("phase", "Failed"));
        stage.run_for(Span::secs(1));
        assert_eq!(used(&stage), r#"{"hard":{"pods":"2"},"used":{"pods":"0"}}"#);
    }
}
