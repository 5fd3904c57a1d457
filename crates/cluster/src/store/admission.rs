//! The gate every write passes: namespace, defaults, accounts and priorities, quota, validation.
//!
//! Source: `plugin/pkg/admission/*` (NamespaceLifecycle, ServiceAccount, Priority, DefaultTolerationSeconds,
//! ResourceQuota), then `api::defaults` and `api::validate`.

use crate::store::{Api, limits, quota};
use api::defaults::{self, PodAdmission};
use api::kind::Kind;
use api::meta::Key;
use api::status::{ApiError, FieldCause};
use api::validate;
use values::value::Value;

/// Nothing is created in a namespace that is missing or on its way out.
pub(super) fn check_namespace(api: &Api<'_>, key: &Key) -> Result<(), ApiError> {
    if !key.kind.info().namespaced {
        return Ok(());
    }
    let Some(namespace) = api.store().find(Kind::Namespace, "", &key.namespace) else {
        return Err(ApiError::not_found(Kind::Namespace, &key.namespace));
    };
    if namespace.meta().is_being_deleted() {
        let why = format!("unable to create new content in namespace {} because it is being terminated", key.namespace);
        return Err(ApiError::forbidden(key.kind, &key.name, &why));
    }
    Ok(())
}

/// Fills in what the client left out, and what the cluster adds.
///
/// # Errors
/// Forbidden, if the Pod names an account or a priority class that is not there.
pub(super) fn on_create(api: &Api<'_>, kind: Kind, value: &mut Value) -> Result<(), ApiError> {
    defaults::create(kind.name(), value);
    match kind {
        Kind::Pod => admit_pod(api, value),
        Kind::Service => {
            let address = free_address(api, value);
            defaults::allocate_addresses(value, &address);
            allocate_node_ports(api, value);
            Ok(())
        }
        Kind::PersistentVolumeClaim => {
            protect(value, "kubernetes.io/pvc-protection");
            if value.at("spec.storageClassName").is_null()
                && let Some(class) = default_class(api)
            {
                value.set("spec.storageClassName", class);
            }
            limits::check(api.store(), kind, value)
        }
        Kind::PersistentVolume => {
            protect(value, "kubernetes.io/pv-protection");
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The class of claims that name none: the newest of those marked so (`DefaultStorageClass`).
fn default_class(api: &Api<'_>) -> Option<String> {
    let is_default = |class: &&std::rc::Rc<api::object::Object>| {
        class.value().at_keys(["metadata", "annotations", api::columns::DEFAULT_CLASS]).as_str() == Some("true")
    };
    let classes = api.store().list(Kind::StorageClass).filter(is_default);
    classes.max_by_key(|class| class.resource_version()).map(|class| class.name().to_owned())
}

/// Keeps a claim or volume from going while it is in use (`StorageObjectInUseProtection`).
fn protect(value: &mut Value, finalizer: &str) {
    let mut finalizers = value.list_at("metadata.finalizers").to_vec();
    if !finalizers.iter().any(|f| f.as_str() == Some(finalizer)) {
        finalizers.push(finalizer.into());
        value.set("metadata.finalizers", finalizers);
    }
}

/// Fills in what an update left out.
pub(super) fn on_update(kind: Kind, value: &mut Value) {
    defaults::apply(kind.name(), value);
}

fn admit_pod(api: &Api<'_>, pod: &mut Value) -> Result<(), ApiError> {
    limits::give(api.store(), pod);
    let class_of_service = defaults::qos_class(pod.at("spec"));
    if pod.str_at("status.qosClass").is_some_and(|known| known != class_of_service) {
        pod.set("status.qosClass", class_of_service);
    }
    limits::check(api.store(), Kind::Pod, pod)?;
    let namespace = pod.str_at("metadata.namespace").unwrap_or_default();
    // A Pod that is still without a name is known by what its name will begin with.
    let name = pod.str_at("metadata.generateName").or(pod.str_at("metadata.name")).unwrap_or_default();
    let account = pod.str_at("spec.serviceAccountName").filter(|name| !name.is_empty()).unwrap_or("default");
    let Some(account) = api.store().find(Kind::ServiceAccount, namespace, account) else {
        let why =
            format!("error looking up service account {namespace}/{account}: serviceaccount \"{account}\" not found");
        return Err(ApiError::forbidden(Kind::Pod, name, &why));
    };
    let class = priority_class(api, pod, name)?;
    let computed = class.as_ref().and_then(|class| class.value().i64_at("value")).unwrap_or(0);
    if let Some(own) = pod.i64_at("spec.priority").filter(|own| *own != computed) {
        let why = format!(
            "the integer value of priority ({own}) must not be provided in pod spec; priority admission controller computed \
             {computed} from the given PriorityClass name"
        );
        return Err(ApiError::forbidden(Kind::Pod, name, &why));
    }
    let suffix = api.rng().suffix("token", pod.str_at("metadata.uid").unwrap_or_default());
    let mut admission = PodAdmission::plain(&suffix);
    admission.automount = account.value().bool_at("automountServiceAccountToken").unwrap_or(true);
    if let Some(class) = &class {
        admission.priority = class.value().i64_at("value").and_then(|v| i32::try_from(v).ok()).unwrap_or(0);
        admission.preemption_policy = class.value().str_at("preemptionPolicy").unwrap_or("PreemptLowerPriority");
        admission.default_class = Some(class.name());
    }
    defaults::admit_pod(pod, &admission);
    Ok(())
}

type Class = std::rc::Rc<api::object::Object>;

/// The class the Pod names, or the cluster's default class if there is one.
fn priority_class(api: &Api<'_>, pod: &Value, pod_name: &str) -> Result<Option<Class>, ApiError> {
    let Some(wanted) = pod.str_at("spec.priorityClassName").filter(|name| !name.is_empty()) else {
        let classes =
            api.store().list(Kind::PriorityClass).filter(|c| c.value().bool_at("globalDefault") == Some(true));
        return Ok(classes.min_by_key(|c| c.value().i64_at("value")).cloned());
    };
    match api.store().find(Kind::PriorityClass, "", wanted) {
        Some(class) => Ok(Some(std::rc::Rc::clone(class))),
        None => {
            let why = format!("no PriorityClass with name {wanted} was found");
            Err(ApiError::forbidden(Kind::Pod, pod_name, &why))
        }
    }
}

/// An address of the Services' range that nobody has.
fn free_address(api: &Api<'_>, service: &Value) -> String {
    let mut stream = api.rng().stream("cluster-ip", service.str_at("metadata.uid").unwrap_or_default());
    loop {
        let address = format!("10.96.{}.{}", stream.between(0, 255), stream.between(2, 254));
        if !api.store().list(Kind::Service).any(|s| s.value().str_at("spec.clusterIP") == Some(&address)) {
            return address;
        }
    }
}

/// Ports of nodes that Services may have (`--service-node-port-range`).
const NODE_PORTS: (i64, i64) = (30_000, 32_767);

/// Gives the ports of a Service that is reached from outside a port of every node, where they name none.
fn allocate_node_ports(api: &Api<'_>, service: &mut Value) {
    let wanted = match service.str_at("spec.type") {
        Some("NodePort") => true,
        Some("LoadBalancer") => service.bool_at("spec.allocateLoadBalancerNodePorts") != Some(false),
        _ => false,
    };
    if !wanted {
        return;
    }
    let port_of = |port: &Value| port.i64_at("nodePort").filter(|number| *number != 0);
    let services = api.store().list(Kind::Service).map(|service| service.value());
    let mut taken: Vec<i64> = services.flat_map(|s| s.list_at("spec.ports").iter().filter_map(port_of)).collect();
    let mut ports = service.list_at("spec.ports").to_vec();
    taken.extend(ports.iter().filter_map(port_of));
    let mut stream = api.rng().stream("node-port", service.str_at("metadata.uid").unwrap_or_default());
    for port in ports.iter_mut().filter(|port| port_of(port).is_none()) {
        let free = (0..1_000).map(|_| stream.between(NODE_PORTS.0, NODE_PORTS.1)).find(|n| !taken.contains(n));
        if let Some(number) = free {
            taken.push(number);
            port.set("nodePort", number);
        }
    }
    service.set("spec.ports", ports);
}

/// An update may leave out the ports of nodes that the Service has: they stay with its ports. A Service that is no longer
/// reached from outside loses them.
pub(super) fn keep_node_ports(api: &Api<'_>, value: &mut Value, current: &Value) {
    let old = current.list_at("spec.ports");
    let mut ports = value.list_at("spec.ports").to_vec();
    let outside = matches!(value.str_at("spec.type"), Some("NodePort" | "LoadBalancer"));
    for port in &mut ports {
        let same = old.iter().find(|o| ["port", "protocol"].iter().all(|field| o.at(field) == port.at(field)));
        let number = same.map_or(&Value::Null, |same| same.at("nodePort"));
        if outside && port.at("nodePort").is_null() && !number.is_null() {
            port.set("nodePort", number.clone());
        } else if !outside && port.at("nodePort") == number {
            port.remove("nodePort");
        }
    }
    value.set("spec.ports", ports);
    allocate_node_ports(api, value);
}

/// Refuses what the namespace's quotas leave no room for.
pub(super) fn check_quota(api: &Api<'_>, kind: Kind, value: &Value) -> Result<(), ApiError> {
    let name = value.str_at("metadata.name").unwrap_or_default();
    quota::check(api.store(), kind, value).map_err(|why| ApiError::forbidden(kind, name, &why))
}

/// Refuses a new object that is not valid; notes the warnings about one that is.
pub(super) fn validate_create(api: &mut Api<'_>, kind: Kind, name: &str, value: &Value) -> Result<(), ApiError> {
    refuse(kind, name, validate::create(kind, value, &api.store.zones))?;
    api.warnings.extend(validate::warnings(kind, value, None));
    Ok(())
}

/// Refuses a change that is not valid; notes the warnings about one that is.
pub(super) fn validate_update(
    api: &mut Api<'_>,
    kind: Kind,
    name: &str,
    value: &Value,
    current: &Value,
) -> Result<(), ApiError> {
    refuse(kind, name, validate::update(kind, value, current, &api.store.zones))?;
    api.warnings.extend(validate::warnings(kind, value, Some(current)));
    Ok(())
}

/// A Job's status is written by its controller, so that a wrong one is our own fault: development builds stop there.
pub(super) fn check_job_status(api: &Api<'_>, kind: Kind, value: &Value, current: &Value) {
    if cfg!(debug_assertions) && kind == Kind::Job && api.author.actor == "job-controller" {
        let causes = validate::job_status(value, current);
        assert!(causes.is_empty(), "the status of Job {:?} is wrong: {causes:?}", value.str_at("metadata.name"));
    }
}

fn refuse(kind: Kind, name: &str, causes: Vec<FieldCause>) -> Result<(), ApiError> {
    if causes.is_empty() { Ok(()) } else { Err(ApiError::invalid(kind, name, causes)) }
}
