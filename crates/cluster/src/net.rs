//! How a name becomes a Pod: DNS names, Services, their ready endpoints, and which of them gets a connection.
//!
//! Rule: a Service's name resolves inside its namespace as `queue`, elsewhere as `queue.NAMESPACE`, with or without
//! `.svc.cluster.local`; its endpoints are the Pods of its namespace its selector matches that are Ready and not on
//! their way out, oldest first. A Pod with a host name behind a headless Service is `HOSTNAME.SERVICE`. `docs/semantics/kuard.md`: with [`Routing::Random`] (kube-proxy) every connection draws one of them,
//! and a Service without any refuses; with [`Routing::First`] (the recorded cluster, which has no kube-proxy) the name
//! is the oldest's address, and a Service without endpoints has no address. Source: `pkg/controller/endpointslice`,
//! `pkg/proxy/iptables`, CoreDNS `kubernetes`.

use std::rc::Rc;

use crate::store::Store;
use api::core::ServicePort;
use api::kind::Kind;
use api::meta::{Key, StringMap};
use api::object::Object;
use api::pod::{ContainerPort, Pod};
use values::rng::Stream;
use values::sort::sort_by_key;
use values::value::Value;

pub use crate::program::http::{Answer, NetError, Request, Response};

/// How a Service's name finds a Pod.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Routing {
    /// A random ready endpoint for each connection, as kube-proxy does.
    #[default]
    Random,
    /// The oldest ready endpoint, as on the recorded cluster.
    First,
}

/// Where a connection ends: a port of a Pod.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target {
    pub pod: Key,
    pub address: String,
    pub port: u16,
}

/// Finds the Pod behind `host:port`, seen from a Pod of `namespace`.
///
/// # Errors
/// The name is unknown, or nobody stands behind it.
pub fn resolve(
    store: &Store,
    namespace: &str,
    host: &str,
    port: u16,
    routing: Routing,
    chance: &mut Stream,
) -> Result<Target, NetError> {
    if is_address(host) {
        return by_address(store, host, port, chance);
    }
    if let Some(pod) = pod_named(store, namespace, host) {
        return Ok(Target { pod: pod.key(), address: pod.pod().status.pod_ip.to_string(), port });
    }
    let service = service_named(store, namespace, host).ok_or_else(|| NetError::NoSuchHost { host: host.into() })?;
    let headless = service.service().spec.cluster_ip == "None";
    let routing = if headless { Routing::First } else { routing };
    through_service(store, service, host, port, routing, chance)
}

/// The Service that a name means.
pub fn service_named<'s>(store: &'s Store, namespace: &'s str, host: &'s str) -> Option<&'s Rc<Object>> {
    let name = without_domain(host);
    let (name, namespace) = name.split_once('.').unwrap_or((name, namespace));
    store.find(Kind::Service, namespace, name)
}

/// The Pod that a name of the form `HOSTNAME.SUBDOMAIN` means: behind the headless Service that is its subdomain.
fn pod_named<'s>(store: &'s Store, namespace: &'s str, host: &'s str) -> Option<&'s Rc<Object>> {
    let (hostname, rest) = without_domain(host).split_once('.')?;
    let (subdomain, namespace) = rest.split_once('.').unwrap_or((rest, namespace));
    let service = store.find(Kind::Service, namespace, subdomain)?;
    let is_meant = |pod: &&Rc<Object>| {
        let spec = &pod.pod().spec;
        spec.hostname == *hostname && spec.subdomain == *subdomain
    };
    let headless = service.service().spec.cluster_ip == "None";
    endpoints(store, service).into_iter().filter(|_| headless).find(is_meant)
}

/// A name without the cluster's domain: `queue.batch` of `queue.batch.svc.cluster.local.`.
fn without_domain(host: &str) -> &str {
    let name = host.trim_end_matches('.');
    let name = name.strip_suffix(".cluster.local").unwrap_or(name);
    name.strip_suffix(".svc").unwrap_or(name)
}

/// A Pod that a Service selects, that has an address and has not ended.
#[derive(Clone, Copy, Debug)]
pub struct Behind<'s> {
    pub pod: &'s Rc<Object>,
    /// It is given new connections.
    pub ready: bool,
    /// It can answer, whether or not it is on its way out.
    pub serving: bool,
    /// It is being deleted.
    pub terminating: bool,
}

/// The Pods that stand behind a Service, of its own namespace and by name: the one place that decides which they are.
/// A Service without a selector, or one that only names another host, has none.
pub fn behind<'s>(store: &'s Store, service: &Object) -> Vec<Behind<'s>> {
    let spec = &service.service().spec;
    if spec.selector.is_empty() || spec.kind == "ExternalName" {
        return Vec::new();
    }
    let stands_behind = |object: &'s Rc<Object>| {
        let pod = object.pod();
        if !selects(&spec.selector, &pod.metadata.labels) || pod.is_terminal() || pod.status.pod_ip.is_empty() {
            return None;
        }
        let (serving, terminating) = (pod.is_ready(), pod.metadata.is_being_deleted());
        let ready = spec.publish_not_ready_addresses || (serving && !terminating);
        Some(Behind { pod: object, ready, serving, terminating })
    };
    store.list_in(Kind::Pod, service.namespace()).filter_map(stands_behind).collect()
}

/// Whether a Service's selector picks these labels; an empty one picks nothing.
pub fn selects(selector: &StringMap, labels: &StringMap) -> bool {
    !selector.is_empty() && selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

/// The ready Pods behind a Service, oldest first.
pub fn endpoints<'s>(store: &'s Store, service: &Object) -> Vec<&'s Rc<Object>> {
    oldest_first(behind(store, service).into_iter().filter(|one| one.ready))
}

/// Where kube-proxy sends connections: to ready Pods, and if there are none, to those that still answer while they end.
/// Source: `pkg/proxy/topology.go` (`CategorizeEndpoints`).
fn routed_to<'s>(store: &'s Store, service: &Object) -> Vec<&'s Rc<Object>> {
    let all = behind(store, service);
    let any_ready = all.iter().any(|one| one.ready);
    oldest_first(all.into_iter().filter(|one| if any_ready { one.ready } else { one.serving && one.terminating }))
}

fn oldest_first<'s>(pods: impl Iterator<Item = Behind<'s>>) -> Vec<&'s Rc<Object>> {
    let mut pods: Vec<_> = pods.map(|one| one.pod).collect();
    sort_by_key(&mut pods, |pod| (pod.meta().creation_timestamp, address_key(&pod.pod().status.pod_ip)));
    pods
}

fn through_service(
    store: &Store,
    service: &Object,
    host: &str,
    port: u16,
    routing: Routing,
    chance: &mut Stream,
) -> Result<Target, NetError> {
    let cluster_ip = service.service().spec.cluster_ip.clone();
    let (pod, target_port) = match routing {
        Routing::First => {
            let pods = endpoints(store, service);
            let pod = *pods.first().ok_or_else(|| NetError::NoSuchHost { host: host.into() })?;
            // Without kube-proxy the name is the Pod's own address: the port is the one the client asked for.
            (pod, i32::from(port))
        }
        Routing::Random => {
            let refused = || NetError::Refused { address: cluster_ip.clone(), port };
            let named = service.service().spec.ports.iter().find(|p| p.port == i32::from(port)).ok_or_else(refused)?;
            // A Pod without a port of that name is no endpoint of it.
            let pods = routed_to(store, service).into_iter();
            let pods: Vec<_> = pods.filter_map(|pod| Some((pod, target_port(named, pod.pod())?))).collect();
            let last = (pods.len() as i64) - 1;
            *pods.get(chance.between(0, last.max(0)) as usize).ok_or_else(refused)?
        }
    };
    let address = pod.pod().status.pod_ip.to_string();
    let target_port = u16::try_from(target_port).map_err(|_| NetError::Refused { address: address.clone(), port })?;
    Ok(Target { pod: pod.key(), address, port: target_port })
}

/// The number of the Pod's port that a Service's port leads to; none if the Pod has no port of that name. Sidecars count.
/// Source: `pkg/api/v1/pod/util.go` (`FindPort`).
pub fn target_port(port: &ServicePort, pod: &Pod) -> Option<i32> {
    match &port.target_port {
        Value::Int(number) if *number > 0 => i32::try_from(*number).ok(),
        Value::Str(name) if !name.is_empty() => {
            let protocol = if port.protocol.is_empty() { "TCP" } else { &port.protocol };
            let named = |p: &&ContainerPort| *p.name == **name && (p.protocol.is_empty() || p.protocol == protocol);
            let sidecars = pod.spec.init_containers.iter().filter(|container| container.is_sidecar());
            pod.spec.containers.iter().chain(sidecars).flat_map(|c| &c.ports).find(named).map(|p| p.container_port)
        }
        _ => Some(port.port),
    }
}

fn by_address(store: &Store, host: &str, port: u16, chance: &mut Stream) -> Result<Target, NetError> {
    let service = store.list(Kind::Service).find(|s| s.value().str_at("spec.clusterIP") == Some(host));
    if let Some(service) = service {
        return through_service(store, service, host, port, Routing::Random, chance);
    }
    let has_it = |pod: &&Rc<Object>| pod.value().str_at("status.podIP") == Some(host) && !pod.pod().is_terminal();
    match store.list(Kind::Pod).find(has_it) {
        Some(pod) => Ok(Target { pod: pod.key(), address: host.into(), port }),
        None => Err(NetError::TimedOut { address: host.into(), port }),
    }
}

fn is_address(host: &str) -> bool {
    host.split('.').count() == 4 && host.split('.').all(|part| part.parse::<u8>().is_ok())
}

fn address_key(address: &str) -> Vec<u8> {
    address.split('.').filter_map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::stage::Stage;
    use crate::store::DeleteOptions;
    use values::object;
    use values::rng::Rng;

    /// A stage with the namespaces `default` and `other`.
    fn stage() -> Stage {
        let mut stage = Stage::new(Vec::new());
        stage.create(r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"other"}}"#);
        stage
            .create(r#"{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default","namespace":"other"}}"#);
        stage
    }

    fn service(stage: &mut Stage, namespace: &str, name: &str, spec: &str) -> Rc<Object> {
        stage.create(&format!(
            r#"{{"apiVersion":"v1","kind":"Service","metadata":{{"name":"{name}","namespace":"{namespace}"}},
            "spec":{{{spec} "selector":{{"app":"queue"}},"ports":[{{"port":80,"targetPort":"http"}}]}}}}"#
        ))
    }

    /// A Pod of the app `queue` that runs and is ready; `more` goes into its spec.
    fn pod(stage: &mut Stage, namespace: &str, name: &str, ip: &str, more: &str) -> Key {
        let made = stage.create(&format!(
            r#"{{"apiVersion":"v1","kind":"Pod",
            "metadata":{{"name":"{name}","namespace":"{namespace}","labels":{{"app":"queue"}}}},
            "spec":{{"nodeName":"node-1",{more}"containers":[{{"name":"main","image":"kuard",
            "ports":[{{"name":"http","containerPort":8080}}]}}]}}}}"#
        ));
        let ip = ip.to_owned();
        set_status(stage, &made.key(), "True", &ip);
        made.key()
    }

    fn set_status(stage: &mut Stage, key: &Key, ready: &str, ip: &str) {
        let (ready, ip) = (ready.to_owned(), ip.to_owned());
        let write = |status: &mut Value| {
            status.set("phase", "Running");
            status.set("podIP", ip);
            status.set("conditions", vec![object! { "type" => "Ready", "status" => ready }]);
        };
        stage.api(|api| api.patch_status(key, write)).expect("it exists");
    }

    /// All Pods that connections come to, by name, and their port.
    fn reached(stage: &Stage, namespace: &str, host: &str, routing: Routing) -> Result<Vec<(String, u16)>, NetError> {
        let mut found = std::collections::BTreeSet::new();
        for draw in 0..50 {
            let mut chance = Rng::new(3).stream("test", &draw.to_string());
            let target = resolve(&stage.store, namespace, host, 80, routing, &mut chance)?;
            found.insert((target.pod.name.to_string(), target.port));
        }
        Ok(found.into_iter().collect())
    }

    fn names(found: &[(&str, u16)]) -> Result<Vec<(String, u16)>, NetError> {
        Ok(found.iter().map(|(name, port)| ((*name).to_owned(), *port)).collect())
    }

    #[test]
    fn only_ready_pods_of_the_services_namespace_stand_behind_it() {
        let mut stage = stage();
        let queue = service(&mut stage, "default", "queue", "");
        pod(&mut stage, "default", "a", "10.244.0.1", "");
        pod(&mut stage, "other", "elsewhere", "10.244.0.2", "");
        let unready = pod(&mut stage, "default", "unready", "10.244.0.3", "");
        set_status(&mut stage, &unready, "False", "10.244.0.3");
        let ending = pod(&mut stage, "default", "ending", "10.244.0.4", "");
        stage.api(|api| api.delete(&ending, &DeleteOptions::default())).unwrap();
        pod(&mut stage, "default", "no-address", "", "");
        let ended = pod(&mut stage, "default", "ended", "10.244.0.5", "");
        stage.patch_status(Kind::Pod, &ended.name, |status| status.set("phase", "Succeeded"));
        let found: Vec<&str> = endpoints(&stage.store, &queue).iter().map(|pod| pod.name()).collect();
        assert_eq!(found, ["a"]);
        let behind = behind(&stage.store, &queue);
        let all: Vec<_> = behind.iter().map(|b| (b.pod.name(), b.ready, b.serving, b.terminating)).collect();
        assert_eq!(all, [("a", true, true, false), ("ending", false, true, true), ("unready", false, false, false)]);
    }

    #[test]
    fn a_name_means_a_service_of_its_own_or_the_named_namespace() {
        let mut stage = stage();
        service(&mut stage, "default", "queue", "");
        service(&mut stage, "other", "queue", "");
        pod(&mut stage, "default", "near", "10.244.0.1", "");
        pod(&mut stage, "other", "far", "10.244.0.2", "");
        for (from, host, name) in [
            ("default", "queue", "near"),
            ("other", "queue", "far"),
            ("default", "queue.other", "far"),
            ("default", "queue.other.svc", "far"),
            ("other", "queue.default.svc.cluster.local", "near"),
            ("other", "queue.default.svc.cluster.local.", "near"),
        ] {
            assert_eq!(reached(&stage, from, host, Routing::Random), names(&[(name, 8080)]), "{host} from {from}");
        }
        let unknown = NetError::NoSuchHost { host: "queue.nowhere".into() };
        assert_eq!(reached(&stage, "default", "queue.nowhere", Routing::Random), Err(unknown));
    }

    #[test]
    fn connections_are_spread_or_go_to_the_oldest() {
        let mut stage = stage();
        service(&mut stage, "default", "queue", "");
        pod(&mut stage, "default", "b", "10.244.0.1", "");
        stage.run_for(values::time::Span::secs(1));
        pod(&mut stage, "default", "a", "10.244.0.2", "");
        let random = reached(&stage, "default", "queue", Routing::Random);
        assert_eq!(random, names(&[("a", 8080), ("b", 8080)]));
        // The name is the Pod's own address, so the port is the one that was asked for.
        assert_eq!(reached(&stage, "default", "queue", Routing::First), names(&[("b", 80)]));
    }

    #[test]
    fn a_service_without_endpoints_refuses_or_has_no_address() {
        let mut stage = stage();
        let queue = service(&mut stage, "default", "queue", "");
        let address = queue.service().spec.cluster_ip.clone();
        let refused = NetError::Refused { address, port: 80 };
        assert_eq!(reached(&stage, "default", "queue", Routing::Random), Err(refused));
        let no_host = NetError::NoSuchHost { host: "queue".into() };
        assert_eq!(reached(&stage, "default", "queue", Routing::First), Err(no_host));
    }

    #[test]
    fn pods_that_end_are_asked_when_no_other_is_left() {
        let mut stage = stage();
        service(&mut stage, "default", "queue", "");
        let ending = pod(&mut stage, "default", "ending", "10.244.0.1", "");
        stage.api(|api| api.delete(&ending, &DeleteOptions::default())).unwrap();
        assert_eq!(reached(&stage, "default", "queue", Routing::Random), names(&[("ending", 8080)]));
        assert!(reached(&stage, "default", "queue", Routing::First).is_err(), "DNS has ready Pods only");
        pod(&mut stage, "default", "new", "10.244.0.2", "");
        assert_eq!(reached(&stage, "default", "queue", Routing::Random), names(&[("new", 8080)]));
    }

    #[test]
    fn a_port_can_have_a_name_also_in_a_sidecar() {
        let mut stage = stage();
        let queue = service(&mut stage, "default", "queue", "");
        let port = &queue.service().spec.ports[0];
        let with =
            |spec: &str| -> Pod { Value::from_json(&format!(r#"{{"spec":{spec}}}"#)).unwrap().decode().unwrap() };
        let ports = r#""ports":[{"name":"http","containerPort":9000}]"#;
        assert_eq!(target_port(port, &with(&format!(r#"{{"containers":[{{"name":"a",{ports}}}]}}"#))), Some(9000));
        let sidecar = format!(r#"{{"initContainers":[{{"name":"a","restartPolicy":"Always",{ports}}}]}}"#);
        assert_eq!(target_port(port, &with(&sidecar)), Some(9000));
        let init = format!(r#"{{"initContainers":[{{"name":"a",{ports}}}]}}"#);
        assert_eq!(target_port(port, &with(&init)), None);
        let number = ServicePort { target_port: Value::Int(7), port: 80, ..ServicePort::default() };
        assert_eq!(target_port(&number, &Pod::default()), Some(7));
        let same = ServicePort { port: 80, ..ServicePort::default() };
        assert_eq!(target_port(&same, &Pod::default()), Some(80));
    }

    #[test]
    fn pods_behind_a_headless_service_have_names_of_their_own() {
        let mut stage = stage();
        service(&mut stage, "default", "workers", r#""clusterIP":"None","#);
        pod(&mut stage, "default", "job-0-abcde", "10.244.0.1", r#""hostname":"job-0","subdomain":"workers","#);
        pod(&mut stage, "default", "job-1-abcde", "10.244.0.2", r#""hostname":"job-1","subdomain":"workers","#);
        assert_eq!(reached(&stage, "default", "job-1.workers", Routing::Random), names(&[("job-1-abcde", 80)]));
        let far = "job-0.workers.default.svc.cluster.local";
        assert_eq!(reached(&stage, "other", far, Routing::First), names(&[("job-0-abcde", 80)]));
        assert!(reached(&stage, "default", "job-2.workers", Routing::Random).is_err());
        // The Service's own name is the oldest Pod's address.
        assert_eq!(reached(&stage, "default", "workers", Routing::Random).map(|found| found.len()), Ok(1));
    }

    #[test]
    fn addresses_are_those_of_services_and_pods() {
        let mut stage = stage();
        let queue = service(&mut stage, "default", "queue", "");
        let key = pod(&mut stage, "default", "a", "10.244.0.1", "");
        let address = queue.service().spec.cluster_ip.clone();
        assert_eq!(reached(&stage, "other", &address, Routing::First), names(&[("a", 8080)]));
        assert_eq!(reached(&stage, "other", "10.244.0.1", Routing::First), names(&[("a", 80)]));
        stage.patch_status(Kind::Pod, &key.name, |status| status.set("phase", "Failed"));
        let silent = NetError::TimedOut { address: "10.244.0.1".into(), port: 80 };
        assert_eq!(reached(&stage, "other", "10.244.0.1", Routing::First), Err(silent));
    }
}
