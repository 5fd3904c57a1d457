//! Endpoints and EndpointSlices: the addresses behind each Service.
//!
//! Rules: `docs/semantics/replicaset.md` §2. Ended Pods are no endpoints; those that are not ready are, but marked so;
//! those being deleted stay in the slices as terminating. A slice holds 100 endpoints. Source:
//! `pkg/controller/{endpoint,endpointslice}`, `k8s.io/endpointslice/{reconciler,utils}.go`.

use std::rc::Rc;

use crate::actor::{Actor, WorkQueue};
use crate::control::ref_manager;
use crate::net::{self, Behind};
use crate::store::{Api, Cause, Change, ChangeType, DeleteOptions, Rule, Store};
use api::core::{Service, ServicePort};
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use api::pod::Pod;
use values::object;
use values::rng::Rng;
use values::sort::sort_by_key;
use values::sorted::SortedMap;
use values::time::{SimTime, Span};
use values::value::Value;

/// From a change to the sync it leads to.
const SYNC_MS: (i64, i64) = (6, 20);
/// `--max-endpoints-per-slice`
const PER_SLICE: usize = 100;

const SERVICE_NAME: &str = "kubernetes.io/service-name";
const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const HEADLESS: &str = "service.kubernetes.io/headless";

/// The endpoints and endpointslice controllers in one.
#[derive(Clone, Debug)]
pub struct EndpointsController {
    rng: Rng,
    queue: WorkQueue<Key>,
}

/// A Pod behind a Service.
#[derive(Clone, Debug)]
struct Endpoint {
    pod: Rc<Object>,
    ready: bool,
    serving: bool,
    terminating: bool,
    /// Encoded `ports`, which tells the groups apart.
    ports: Vec<Value>,
}

impl EndpointsController {
    pub fn new(rng: Rng) -> EndpointsController {
        EndpointsController { rng, queue: WorkQueue::new() }
    }

    fn enqueue(&mut self, key: Key, at: SimTime, cause: Cause) {
        let delay = self.rng.between("endpoints-sync", &format!("{}/{at}", key.name), SYNC_MS.0, SYNC_MS.1);
        self.queue.add(key, at + Span::ms(delay), cause);
    }

    fn observe_pod(&mut self, change: &Change, store: &Store, cause: Cause) {
        let selected = |service: &Service| {
            let selects = |pod: &Rc<Object>| net::selects(&service.spec.selector, &pod.meta().labels);
            selects(&change.object) || change.previous.as_ref().is_some_and(selects)
        };
        let services = store.list_in(Kind::Service, change.object.namespace());
        let keys: Vec<Key> = services.filter(|s| selected(s.service())).map(|s| s.key()).collect();
        let gone = change.change == ChangeType::Deleted;
        if keys.is_empty() || !gone && change.previous.as_ref().is_some_and(|before| is_alike(before, &change.object)) {
            return;
        }
        for key in keys {
            self.enqueue(key, change.at, cause);
        }
    }

    fn sync(&self, api: &mut Api<'_>, key: &Key) {
        // What belonged to a Service that is gone is the garbage collector's, except the Endpoints, which share its name.
        let Some(object) = api.get(key) else {
            let endpoints = Key::new(Kind::Endpoints, &key.namespace, &key.name);
            let _none = api.delete(&endpoints, &DeleteOptions::default());
            return;
        };
        let service = object.service();
        if service.spec.selector.is_empty() || service.spec.kind == "ExternalName" {
            return;
        }
        let behind = net::behind(api.store(), &object);
        let mut endpoints: Vec<Endpoint> = behind.into_iter().map(|one| endpoint(service, one)).collect();
        let age = |e: &Endpoint| (e.pod.meta().creation_timestamp, e.pod.resource_version(), e.pod.name().to_owned());
        sort_by_key(&mut endpoints, age);
        api.because(Rule::EndpointsFollow);
        write_endpoints(api, &object, &endpoints);
        write_slices(api, &object, &endpoints);
    }
}

/// Whether two states of a Pod are the same in all that matters to its Services.
fn is_alike(before: &Object, now: &Object) -> bool {
    let (before, now) = (before.pod(), now.pod());
    let facts = |pod: &Pod| (pod.is_terminal(), pod.is_ready(), pod.metadata.is_being_deleted());
    facts(before) == facts(now)
        && before.status.pod_ip == now.status.pod_ip
        && before.metadata.labels == now.metadata.labels
}

fn endpoint(service: &Service, behind: Behind<'_>) -> Endpoint {
    let pod = behind.pod.pod();
    let ports = service.spec.ports.iter();
    let ports = ports.filter_map(|port| Some(port_value(port, net::target_port(port, pod)?))).collect();
    let Behind { pod, ready, serving, terminating } = behind;
    Endpoint { pod: Rc::clone(pod), ready, serving, terminating, ports }
}

fn port_value(port: &ServicePort, number: i32) -> Value {
    let protocol = if port.protocol.is_empty() { "TCP" } else { &port.protocol };
    object! { "name" => &port.name, "port" => number, "protocol" => protocol }
}

fn target_ref(pod: &Object) -> Value {
    object! { "kind" => "Pod", "name" => pod.name(), "namespace" => pod.namespace(), "uid" => pod.uid() }
}

/// Addresses with the same ports.
#[derive(Default)]
struct Subset {
    ports: Vec<Value>,
    ready: Vec<Value>,
    not_ready: Vec<Value>,
}

impl Subset {
    fn into_value(self) -> Value {
        let mut subset = Value::map();
        for (field, mut list) in [("addresses", self.ready), ("notReadyAddresses", self.not_ready)] {
            sort_by_key(&mut list, |address| address.at("ip").to_json());
            if !list.is_empty() {
                subset.set(field, list);
            }
        }
        if !self.ports.is_empty() {
            subset.set("ports", self.ports);
        }
        subset
    }
}

/// The old kind: ready addresses and the others, in one object of the Service's name.
fn write_endpoints(api: &mut Api<'_>, service: &Object, endpoints: &[Endpoint]) {
    let publish_all = service.service().spec.publish_not_ready_addresses;
    let mut groups: SortedMap<String, Subset> = SortedMap::new();
    for endpoint in endpoints.iter().filter(|e| publish_all || !e.terminating) {
        if endpoint.ports.is_empty() && !service.service().spec.ports.is_empty() {
            continue;
        }
        let pod = endpoint.pod.pod();
        let mut address = object! {
            "ip" => &pod.status.pod_ip, "nodeName" => &pod.spec.node_name, "targetRef" => target_ref(&endpoint.pod),
        };
        if let Some(hostname) = hostname(service, pod) {
            address.set("hostname", hostname);
        }
        let ports: Vec<Value> = endpoint.ports.iter().map(without_empty_name).collect();
        let group = groups.entry(Value::list(ports.clone()).to_json()).or_default();
        group.ports = ports;
        if endpoint.ready {
            group.ready.push(address);
        } else {
            group.not_ready.push(address);
        }
    }
    let subsets: Vec<Value> = groups.into_values().map(Subset::into_value).collect();
    let key = Key::new(Kind::Endpoints, service.namespace(), service.name());
    if api.get(&key).is_none() {
        let mut labels = service.value().at("metadata.labels").clone();
        labels.map_mut().insert("endpoints.kubernetes.io/managed-by", "endpoint-controller");
        if service.service().spec.cluster_ip == "None" {
            labels.map_mut().insert(HEADLESS, "");
        }
        let mut new = object! {
            "apiVersion" => "v1", "kind" => "Endpoints",
            "metadata" => object! {
                "name" => service.name(), "namespace" => service.namespace(), "labels" => labels,
            },
        };
        if !subsets.is_empty() {
            new.set("subsets", subsets);
        }
        // A namespace on its way out takes nothing more.
        let _refused = api.create(new);
        return;
    }
    let written = api.update(&key, |value| {
        if subsets.is_empty() {
            value.remove("subsets");
        } else {
            value.set("subsets", subsets);
        }
    });
    debug_assert!(written.is_ok(), "the endpoints are there: {written:?}");
}

/// Pods with a name of their own below a headless Service.
fn hostname<'p>(service: &Object, pod: &'p Pod) -> Option<&'p str> {
    (!pod.spec.hostname.is_empty() && pod.spec.subdomain == service.name()).then_some(&pod.spec.hostname)
}

fn without_empty_name(port: &Value) -> Value {
    let mut port = port.clone();
    if port.str_at("name") == Some("") {
        port.remove("name");
    }
    port
}

fn slice_endpoint(service: &Object, endpoint: &Endpoint) -> Value {
    let pod = endpoint.pod.pod();
    let mut value = object! {
        "addresses" => vec![Value::from(&pod.status.pod_ip)],
        "conditions" => object! {
            "ready" => endpoint.ready, "serving" => endpoint.serving, "terminating" => endpoint.terminating,
        },
        "nodeName" => &pod.spec.node_name, "targetRef" => target_ref(&endpoint.pod),
    };
    if let Some(hostname) = hostname(service, pod) {
        value.set("hostname", hostname);
    }
    value
}

/// The new kind: groups of equal ports, in slices. Slices that exist are filled first.
fn write_slices(api: &mut Api<'_>, service: &Object, endpoints: &[Endpoint]) {
    let mut groups: SortedMap<String, (Vec<Value>, Vec<Value>)> = SortedMap::new();
    for endpoint in endpoints {
        let key = Value::list(endpoint.ports.clone()).to_json();
        let group = groups.entry(key).or_insert_with(|| (endpoint.ports.clone(), Vec::new()));
        group.1.push(slice_endpoint(service, endpoint));
    }
    let mut wanted: Vec<(Value, Value)> = Vec::new();
    for (ports, endpoints) in groups.into_values() {
        for chunk in endpoints.chunks(PER_SLICE) {
            wanted.push((Value::from(ports.clone()), Value::from(chunk.to_vec())));
        }
    }
    if wanted.is_empty() {
        // A Service without Pods has an empty slice.
        wanted.push((Value::Null, Value::Null));
    }
    let mut existing: Vec<Rc<Object>> =
        api.store().owned_by(service.uid()).filter(|o| o.kind() == Kind::EndpointSlice).cloned().collect();
    for (ports, endpoints) in wanted {
        let same = existing.iter().position(|slice| *slice.value().at("ports") == ports);
        let reused = same.or_else(|| existing.iter().position(|slice| slice.value().at("ports").is_null()));
        match reused.map(|index| existing.remove(index)) {
            Some(slice) => {
                let written = api.update(&slice.key(), |value| {
                    value.set("ports", ports);
                    value.set("endpoints", endpoints);
                });
                debug_assert!(written.is_ok(), "the slice is there: {written:?}");
            }
            None => {
                // A namespace on its way out takes nothing more.
                let _refused = api.create(new_slice(service, ports, endpoints));
            }
        }
    }
    for surplus in existing {
        let deleted = api.delete(&surplus.key(), &DeleteOptions::default());
        debug_assert!(deleted.is_ok(), "the slice is there: {deleted:?}");
    }
}

fn new_slice(service: &Object, ports: Value, endpoints: Value) -> Value {
    let mut labels = service.value().at("metadata.labels").clone();
    labels.map_mut().insert(SERVICE_NAME, service.name());
    labels.map_mut().insert(MANAGED_BY, "endpointslice-controller.k8s.io");
    if service.service().spec.cluster_ip == "None" {
        labels.map_mut().insert(HEADLESS, "");
    }
    object! {
        "apiVersion" => "discovery.k8s.io/v1", "kind" => "EndpointSlice", "addressType" => "IPv4",
        "endpoints" => endpoints, "ports" => ports,
        "metadata" => object! {
            "generateName" => format!("{}-", service.name()), "namespace" => service.namespace(), "labels" => labels,
            "ownerReferences" => vec![ref_manager::controller_reference(service)],
        },
    }
}

impl Actor for EndpointsController {
    fn name(&self) -> &'static str {
        "endpointslice-controller"
    }

    fn observe(&mut self, change: &Change, store: &Store) {
        let cause = change.cause();
        match change.kind() {
            Kind::Service => self.enqueue(change.object.key(), change.at, cause),
            Kind::Pod => self.observe_pod(change, store, cause),
            _ => {}
        }
    }

    fn next_wakeup(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    fn step(&mut self, api: &mut Api<'_>) {
        let Some(due) = self.queue.pop(api.now()) else { return };
        api.set_cause(due.cause);
        self.sync(api, &due.key);
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        self.queue = WorkQueue::new();
        for service in store.list(Kind::Service) {
            self.enqueue(service.key(), now, cause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::stage::Stage;
    use crate::control::gc::GarbageCollector;

    fn stage(service_spec: &str) -> Stage {
        let rng = Rng::new(6);
        let mut stage = Stage::new(vec![Box::new(EndpointsController::new(rng)), Box::new(GarbageCollector::new(rng))]);
        stage.create(&format!(
            r#"{{"apiVersion":"v1","kind":"Service","metadata":{{"name":"queue"}},"spec":{{{service_spec}
            "selector":{{"app":"queue"}},"ports":[{{"port":80,"targetPort":"http"}}]}}}}"#
        ));
        stage
    }

    fn pod(stage: &mut Stage, name: &str, ip: &str, ready: bool) {
        stage.create(&format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","labels":{{"app":"queue"}}}},
            "spec":{{"nodeName":"node-1","containers":[{{"name":"main","image":"kuard",
            "ports":[{{"name":"http","containerPort":8080}}]}}]}}}}"#
        ));
        stage.patch_status(Kind::Pod, name, |status| {
            status.set("phase", "Running");
            status.set("podIP", ip);
            let text = if ready { "True" } else { "False" };
            status.set("conditions", vec![object! { "type" => "Ready", "status" => text }]);
        });
        stage.run_for(Span::secs(1));
    }

    fn slices(stage: &Stage) -> Vec<Rc<Object>> {
        stage.store.list(Kind::EndpointSlice).cloned().collect()
    }

    #[test]
    fn endpoints_follow_the_pods() {
        let mut stage = stage("");
        stage.run_for(Span::secs(1));
        assert_eq!(slices(&stage).len(), 1);
        assert!(!stage.get(Kind::Endpoints, "queue").value().has("subsets"));
        pod(&mut stage, "a", "10.244.0.2", true);
        pod(&mut stage, "b", "10.244.0.3", false);
        let slice = &slices(&stage)[0];
        assert!(slice.name().starts_with("queue-"), "{}", slice.name());
        assert_eq!(slice.value().at("ports").to_json(), r#"[{"name":"","port":8080,"protocol":"TCP"}]"#);
        let ready: Vec<Option<bool>> =
            slice.value().list_at("endpoints").iter().map(|e| e.bool_at("conditions.ready")).collect();
        assert_eq!(ready, [Some(true), Some(false)]);
        let old = stage.get(Kind::Endpoints, "queue");
        assert_eq!(old.value().str_at("subsets.0.addresses.0.ip"), Some("10.244.0.2"));
        assert_eq!(old.value().str_at("subsets.0.notReadyAddresses.0.targetRef.name"), Some("b"));
        stage.patch_status(Kind::Pod, "a", |status| status.set("phase", "Succeeded"));
        stage.run_for(Span::secs(1));
        assert_eq!(slices(&stage)[0].value().list_at("endpoints").len(), 1);
    }

    #[test]
    fn addresses_that_are_not_ready_can_be_published() {
        let mut stage = stage(r#""clusterIP":"None","publishNotReadyAddresses":true,"#);
        pod(&mut stage, "b", "10.244.0.3", false);
        let endpoints = stage.get(Kind::Endpoints, "queue");
        assert_eq!(endpoints.value().str_at("subsets.0.addresses.0.ip"), Some("10.244.0.3"));
    }

    #[test]
    fn many_pods_fill_several_slices_and_all_go_with_the_service() {
        let mut stage = stage("");
        for i in 0..101 {
            pod(&mut stage, &format!("p{i}"), &format!("10.244.1.{i}"), true);
        }
        let mut sizes: Vec<usize> = slices(&stage).iter().map(|s| s.value().list_at("endpoints").len()).collect();
        sizes.sort();
        assert_eq!(sizes, [1, 100]);
        let key = stage.get(Kind::Service, "queue").key();
        stage.api(|api| api.delete(&key, &DeleteOptions::background())).unwrap();
        stage.run_for(Span::secs(1));
        assert!(slices(&stage).is_empty());
        assert!(stage.find(Kind::Endpoints, "queue").is_none());
    }
}
