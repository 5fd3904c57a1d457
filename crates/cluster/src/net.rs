//! How a name becomes a Pod: DNS names, Services, their ready endpoints, and which of them gets a connection.
//!
//! Rule: a Service's name resolves inside its namespace as `queue`, elsewhere as `queue.NAMESPACE`, with or without
//! `.svc.cluster.local`; its endpoints are the Pods its selector matches that are Ready and not on their way out,
//! oldest first. `docs/semantics/kuard.md`: with [`Routing::Random`] (kube-proxy) every connection draws one of them,
//! and a Service without any refuses; with [`Routing::First`] (the recorded cluster, which has no kube-proxy) the name
//! is the oldest's address, and a Service without endpoints has no address. Source: `pkg/controller/endpointslice`,
//! `pkg/proxy/iptables`, CoreDNS `kubernetes`.

use std::rc::Rc;

use crate::store::Store;
use api::core::ServicePort;
use api::kind::Kind;
use api::meta::Key;
use api::object::Object;
use api::pod::Pod;
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
    let service = service_named(store, namespace, host).ok_or_else(|| NetError::NoSuchHost { host: host.into() })?;
    let headless = service.service().spec.cluster_ip == "None";
    let routing = if headless { Routing::First } else { routing };
    through_service(store, service, host, port, routing, chance)
}

/// The Service that a name means.
pub fn service_named<'s>(store: &'s Store, namespace: &'s str, host: &'s str) -> Option<&'s Rc<Object>> {
    let name = host.trim_end_matches('.');
    let name = name.strip_suffix(".cluster.local").unwrap_or(name);
    let name = name.strip_suffix(".svc").unwrap_or(name);
    let (name, namespace) = name.split_once('.').unwrap_or((name, namespace));
    store.find(Kind::Service, namespace, name)
}

/// The Pods that stand behind a Service, ready ones only, oldest first.
pub fn endpoints<'s>(store: &'s Store, service: &'s Object) -> Vec<&'s Rc<Object>> {
    let typed = service.service();
    if typed.spec.selector.is_empty() {
        return Vec::new();
    }
    let matches = |pod: &Pod| {
        let labels = &pod.metadata.labels;
        let ready = pod.is_ready() || typed.spec.publish_not_ready_addresses;
        typed.spec.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
            && ready
            && pod.is_active()
            && !pod.status.pod_ip.is_empty()
    };
    let mut pods: Vec<_> = store.list_in(Kind::Pod, service.namespace()).filter(|pod| matches(pod.pod())).collect();
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
    let pods = endpoints(store, service);
    let cluster_ip = service.service().spec.cluster_ip.clone();
    let (pod, target_port) = match routing {
        Routing::First => {
            let pod = pods.first().ok_or_else(|| NetError::NoSuchHost { host: host.into() })?;
            // Without kube-proxy the name is the Pod's own address: the port is the one the client asked for.
            (*pod, i32::from(port))
        }
        Routing::Random => {
            let refused = || NetError::Refused { address: cluster_ip.clone(), port };
            let named = service.service().spec.ports.iter().find(|p| p.port == i32::from(port)).ok_or_else(refused)?;
            let last = (pods.len() as i64) - 1;
            let pod = pods.get(chance.between(0, last.max(0)) as usize).ok_or_else(refused)?;
            (*pod, target_port(named, pod.pod()))
        }
    };
    let address = pod.pod().status.pod_ip.to_string();
    let target_port = u16::try_from(target_port).map_err(|_| NetError::Refused { address: address.clone(), port })?;
    Ok(Target { pod: pod.key(), address, port: target_port })
}

/// The port of the Pod that a Service's port leads to.
pub fn target_port(port: &ServicePort, pod: &Pod) -> i32 {
    match &port.target_port {
        Value::Int(number) if *number > 0 => *number as i32,
        Value::Str(name) => {
            let named = pod.spec.containers.iter().flat_map(|c| &c.ports).find(|p| *p.name == **name);
            named.map_or_else(|| name.parse().unwrap_or(port.port), |p| p.container_port)
        }
        _ => port.port,
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
