//! What every namespace has from the start: the ServiceAccount `default` and the ConfigMap with the cluster's CA.
//!
//! Source: `pkg/controller/serviceaccount/serviceaccounts_controller.go`,
//! `pkg/controller/certificates/rootcacertpublisher/publisher.go`.

use crate::actor::{Actor, WorkQueue};
use crate::store::{Api, Cause, Change, ChangeType, Rule, Store};
use api::kind::Kind;
use api::meta::Key;
use values::object;
use values::time::{SimTime, Span};
use values::value::Value;

/// From the namespace to what it gets.
const DELAY: Span = Span::ms(2);
const ROOT_CA: &str = "kube-root-ca.crt";
/// The annotation on the ConfigMap, as the publisher writes it.
const ROOT_CA_NOTE: &str = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints \
    such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of \
    Kubernetes clusters.";

/// serviceaccount-controller and root-ca-certificate-publisher-controller. Keys are namespaces.
#[derive(Clone, Debug, Default)]
pub struct ServiceAccountController {
    queue: WorkQueue<String>,
}

impl ServiceAccountController {
    pub fn new() -> ServiceAccountController {
        ServiceAccountController::default()
    }
}

fn account(namespace: &str) -> Value {
    object! {
        "apiVersion" => "v1", "kind" => "ServiceAccount",
        "metadata" => object! { "name" => "default", "namespace" => namespace },
    }
}

fn root_ca(namespace: &str) -> Value {
    // There is no TLS here; the bundle only has to look like one to whoever mounts it.
    let bundle = "-----BEGIN CERTIFICATE-----\nc2ltdWxhdGVk\n-----END CERTIFICATE-----\n";
    let mut annotations = Value::map();
    annotations.map_mut().insert("kubernetes.io/description", ROOT_CA_NOTE);
    let mut data = Value::map();
    data.map_mut().insert("ca.crt", bundle);
    object! {
        "apiVersion" => "v1", "kind" => "ConfigMap", "data" => data,
        "metadata" => object! { "name" => ROOT_CA, "namespace" => namespace, "annotations" => annotations },
    }
}

impl Actor for ServiceAccountController {
    fn name(&self) -> &'static str {
        "service-account-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        let cause = change.cause();
        let object = &change.object;
        let lost = change.change == ChangeType::Deleted;
        match change.kind() {
            Kind::Namespace if !lost => self.queue.add(object.name().to_owned(), change.at + DELAY, cause),
            Kind::ServiceAccount if lost && object.name() == "default" => {
                self.queue.add(object.namespace().to_owned(), change.at + DELAY, cause);
            }
            Kind::ConfigMap if lost && object.name() == ROOT_CA => {
                self.queue.add(object.namespace().to_owned(), change.at + DELAY, cause);
            }
            _ => {}
        }
    }

    fn next_wakeup(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    fn step(&mut self, api: &mut Api<'_>) {
        let Some(due) = self.queue.pop(api.now()) else { return };
        let namespace = due.key;
        let open = api.find(Kind::Namespace, "", &namespace).is_some_and(|ns| !ns.meta().is_being_deleted());
        if !open {
            return;
        }
        api.set_cause(due.cause.rule(Rule::NamespaceDefaults));
        for (kind, name, value) in
            [(Kind::ServiceAccount, "default", account(&namespace)), (Kind::ConfigMap, ROOT_CA, root_ca(&namespace))]
        {
            if api.get(&Key::new(kind, &namespace, name)).is_none() {
                let made = api.create(value);
                debug_assert!(made.is_ok(), "nothing speaks against it: {made:?}");
            }
        }
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        self.queue = WorkQueue::new();
        for namespace in store.list(Kind::Namespace) {
            self.queue.add(namespace.name().to_owned(), now + DELAY, cause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::stage::Stage;
    use crate::store::DeleteOptions;

    #[test]
    fn every_namespace_has_its_account_and_gets_it_back() {
        let mut stage = Stage::new(vec![Box::new(ServiceAccountController::new())]);
        stage.run_for(Span::secs(1));
        let account = stage.get(Kind::ServiceAccount, "default");
        assert!(stage.get(Kind::ConfigMap, ROOT_CA).value().at("data").as_map().unwrap().contains_key("ca.crt"));
        stage.api(|api| api.delete(&account.key(), &DeleteOptions::default())).unwrap();
        stage.run_for(Span::secs(1));
        assert_ne!(stage.get(Kind::ServiceAccount, "default").uid(), account.uid());
    }
}
