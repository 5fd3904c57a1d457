//! Resource quotas: how much of a namespace's limits is used, and whether one more object fits.
//!
//! Rules: recorded in `quota-and-serviceaccount`. Pods count until they have ended; all other kinds by their number.
//! Source: `plugin/pkg/admission/resourcequota/controller.go`, `pkg/quota/v1/evaluator/core/{pods,services}.go`.

use crate::store::Store;
use api::kind::Kind;
use api::object::Object;
use values::quantity::Quantity;
use values::sorted::{SortedMap, SortedSet};
use values::value::Value;

/// Amounts by the name a quota uses for them: `pods`, `requests.cpu`, `count/jobs.batch`.
pub type Amounts = SortedMap<String, Quantity>;

/// Would the namespace's quotas let `value` in?
///
/// # Errors
/// What follows `is forbidden: ` in the API server's answer, for the first quota (by name) that does not.
pub fn check(store: &Store, kind: Kind, value: &Value) -> Result<(), String> {
    let namespace = value.str_at("metadata.namespace").unwrap_or_default();
    for quota in store.list_in(Kind::ResourceQuota, namespace) {
        if applies(quota, kind, value) {
            check_one(store, quota, kind, value)?;
        }
    }
    Ok(())
}

fn check_one(store: &Store, quota: &Object, kind: Kind, value: &Value) -> Result<(), String> {
    let hard = hard(quota);
    let missing = missing_requests(&hard, kind, value);
    if !missing.is_empty() {
        return Err(format!("failed quota: {}: must specify {}", quota.name(), missing.join("; ")));
    }
    let asked: Amounts = usage_of(kind, value).into_iter().filter(|(name, _)| hard.contains_key(name)).collect();
    let used = used(store, quota);
    let over: SortedSet<&String> = asked
        .iter()
        .filter(|(name, amount)| {
            let before = used.get(*name).copied().unwrap_or(Quantity::ZERO);
            !amount.is_zero() && before + **amount > hard[*name]
        })
        .map(|(name, _)| name)
        .collect();
    if over.is_empty() {
        return Ok(());
    }
    let list = |amounts: &Amounts| {
        let of = |name: &&String| format!("{name}={}", amounts.get(*name).copied().unwrap_or(Quantity::ZERO));
        over.iter().map(of).collect::<Vec<_>>().join(",")
    };
    Err(format!(
        "exceeded quota: {}, requested: {}, used: {}, limited: {}",
        quota.name(),
        list(&asked),
        list(&used),
        list(&hard)
    ))
}

/// `spec.hard`.
pub fn hard(quota: &Object) -> Amounts {
    let entries = quota.value().map_at("spec.hard").into_iter().flat_map(|hard| hard.iter());
    entries.filter_map(|(name, text)| Some((name.to_owned(), quantity(text)?))).collect()
}

/// What of the quota's resources the namespace uses now; each of them has an entry.
pub fn used(store: &Store, quota: &Object) -> Amounts {
    let mut used: Amounts = hard(quota).into_keys().map(|name| (name, Quantity::ZERO)).collect();
    let kinds: SortedSet<Kind> = used.keys().flat_map(|name| kinds_of(name)).collect();
    for kind in kinds {
        for object in store.list_in(kind, quota.namespace()).filter(|o| applies(quota, kind, o.value())) {
            for (name, amount) in usage_of(kind, object.value()) {
                if let Some(sum) = used.get_mut(&name) {
                    *sum = *sum + amount;
                }
            }
        }
    }
    used
}

/// Names of the core group that stand for a count.
const COUNTED: [(&str, Kind); 7] = [
    ("pods", Kind::Pod),
    ("services", Kind::Service),
    ("configmaps", Kind::ConfigMap),
    ("secrets", Kind::Secret),
    ("persistentvolumeclaims", Kind::PersistentVolumeClaim),
    ("resourcequotas", Kind::ResourceQuota),
    ("serviceaccounts", Kind::ServiceAccount),
];

/// The kinds whose objects may use the resource `name`.
fn kinds_of(name: &str) -> Vec<Kind> {
    if let Some(resource) = name.strip_prefix("count/") {
        let named = |info: &&api::kind::KindInfo| info.resource() == resource;
        return api::kind::KINDS.iter().filter(named).map(|info| info.kind).collect();
    }
    if let Some((_, kind)) = COUNTED.iter().find(|(counted, _)| *counted == name) {
        return vec![*kind];
    }
    match name {
        "services.nodeports" | "services.loadbalancers" => vec![Kind::Service],
        "requests.storage" => vec![Kind::PersistentVolumeClaim],
        _ => vec![Kind::Pod],
    }
}

/// What one object uses.
fn usage_of(kind: Kind, value: &Value) -> Amounts {
    let one = Quantity::from_millis(1000);
    let mut usage = Amounts::from([(format!("count/{}", kind.info().resource()), one)]);
    let counted = COUNTED.iter().find(|(_, counted)| *counted == kind).map(|(name, _)| (*name).to_owned());
    match kind {
        Kind::Pod => {
            if !has_ended(value) {
                usage.extend(counted.map(|name| (name, one)));
                usage.extend(pod_resources(value));
            }
        }
        Kind::Service => {
            usage.extend(counted.map(|name| (name, one)));
            let kind = value.str_at("spec.type").unwrap_or_default();
            let ports = value.list_at("spec.ports").len() as i64;
            if kind == "NodePort" || kind == "LoadBalancer" {
                usage.insert("services.nodeports".into(), Quantity::from_millis(ports.saturating_mul(1000)));
            }
            if kind == "LoadBalancer" {
                usage.insert("services.loadbalancers".into(), one);
            }
        }
        Kind::PersistentVolumeClaim => {
            usage.extend(counted.map(|name| (name, one)));
            if let Some(storage) = quantity(value.at("spec.resources.requests.storage")) {
                usage.insert("requests.storage".into(), storage);
            }
        }
        _ => usage.extend(counted.map(|name| (name, one))),
    }
    usage
}

fn has_ended(pod: &Value) -> bool {
    matches!(pod.str_at("status.phase"), Some("Succeeded" | "Failed"))
}

fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::Str(text) => Quantity::parse(text).ok(),
        Value::Int(number) => Quantity::parse(&number.to_string()).ok(),
        _ => None,
    }
}

/// Requests and limits of a Pod under their quota names; `cpu` and `memory` mean the requests.
fn pod_resources(pod: &Value) -> Amounts {
    let mut usage = Amounts::new();
    for (side, prefix) in [("requests", "requests."), ("limits", "limits.")] {
        for (name, amount) in effective(pod, side) {
            usage.insert(format!("{prefix}{name}"), amount);
            if side == "requests" {
                usage.insert(name, amount);
            }
        }
    }
    usage
}

/// The sum over app containers, or the largest init container where that is more, plus sidecars.
fn effective(pod: &Value, side: &str) -> Amounts {
    let of = |container: &Value| -> Amounts {
        let entries = container.map_at(&format!("resources.{side}")).into_iter().flat_map(|m| m.iter());
        entries.filter_map(|(name, text)| Some((name.to_owned(), quantity(text)?))).collect()
    };
    let add = |sum: &mut Amounts, more: Amounts| {
        for (name, amount) in more {
            let entry = sum.entry(name).or_default();
            *entry = *entry + amount;
        }
    };
    let raise = |sum: &mut Amounts, to: &Amounts| {
        for (name, amount) in to {
            let entry = sum.entry(name.clone()).or_default();
            *entry = (*entry).max(*amount);
        }
    };
    let mut sum = Amounts::new();
    for container in pod.list_at("spec.containers") {
        add(&mut sum, of(container));
    }
    let (mut sidecars, mut largest) = (Amounts::new(), Amounts::new());
    for container in pod.list_at("spec.initContainers") {
        if container.str_at("restartPolicy") == Some("Always") {
            add(&mut sum, of(container));
            add(&mut sidecars, of(container));
            raise(&mut largest, &sidecars);
        } else {
            let mut moment = of(container);
            add(&mut moment, sidecars.clone());
            raise(&mut largest, &moment);
        }
    }
    raise(&mut sum, &largest);
    sum
}

/// `requests.cpu for: main,other`: what a quota limits must be said by every container.
fn missing_requests(hard: &Amounts, kind: Kind, value: &Value) -> Vec<String> {
    if kind != Kind::Pod {
        return Vec::new();
    }
    let mut missing = Vec::new();
    for name in hard.keys() {
        let (side, resource) = match name.split_once('.') {
            Some((side @ ("requests" | "limits"), resource)) => (side, resource),
            None if name == "cpu" || name == "memory" => ("requests", name.as_str()),
            _ => continue,
        };
        if !["cpu", "memory", "ephemeral-storage"].contains(&resource) {
            continue;
        }
        let lacks = |container: &&Value| container.at_keys(["resources", side, resource]).is_null();
        let containers = value.list_at("spec.containers").iter().chain(value.list_at("spec.initContainers"));
        let names: SortedSet<&str> = containers.filter(lacks).filter_map(|c| c.str_at("name")).collect();
        if !names.is_empty() {
            missing.push(format!("{name} for: {}", names.into_iter().collect::<Vec<_>>().join(",")));
        }
    }
    missing
}

/// True if the quota limits this kind at all, and the object is within its scopes.
fn applies(quota: &Object, kind: Kind, value: &Value) -> bool {
    let limits_kind = hard(quota).keys().any(|name| kinds_of(name).contains(&kind));
    limits_kind && quota.value().list_at("spec.scopes").iter().all(|scope| in_scope(scope.as_str(), kind, value))
}

fn in_scope(scope: Option<&str>, kind: Kind, value: &Value) -> bool {
    let best_effort = || api::defaults::qos_class(value.at("spec")) == "BestEffort";
    let bounded = || !value.at("spec.activeDeadlineSeconds").is_null();
    kind == Kind::Pod
        && match scope {
            Some("BestEffort") => best_effort(),
            Some("NotBestEffort") => !best_effort(),
            Some("Terminating") => bounded(),
            Some("NotTerminating") => !bounded(),
            _ => true,
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::stage::Stage;

    fn stage(hard: &str) -> Stage {
        let mut stage = Stage::new(vec![]);
        stage.create(&format!(
            r#"{{"apiVersion":"v1","kind":"ResourceQuota","metadata":{{"name":"few"}},"spec":{{"hard":{{{hard}}}}}}}"#
        ));
        stage
    }

    fn pod(name: &str, resources: &str) -> Value {
        let json = format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","namespace":"default"}},"spec":{{"containers":
            [{{"name":"main","image":"busybox:1.36","resources":{{{resources}}}}}]}}}}"#
        );
        Value::from_json(&json).unwrap()
    }

    #[test]
    fn a_third_pod_is_refused_until_one_has_ended() {
        let mut stage = stage(r#""pods":"2""#);
        for name in ["a", "b"] {
            assert_eq!(check(&stage.store, Kind::Pod, &pod(name, "")), Ok(()));
            stage.create(&pod(name, "").to_json());
        }
        assert_eq!(
            check(&stage.store, Kind::Pod, &pod("c", "")),
            Err("exceeded quota: few, requested: pods=1, used: pods=2, limited: pods=2".into())
        );
        stage.patch_status(Kind::Pod, "a", |status| status.set("phase", "Succeeded"));
        assert_eq!(check(&stage.store, Kind::Pod, &pod("c", "")), Ok(()));
    }

    #[test]
    fn amounts_add_up_and_must_be_given() {
        let mut stage = stage(r#""requests.cpu":"1","limits.memory":"1Gi""#);
        let resources = r#""requests":{"cpu":"600m"},"limits":{"memory":"512Mi"}"#;
        stage.create(&pod("a", resources).to_json());
        assert_eq!(
            check(&stage.store, Kind::Pod, &pod("b", resources)),
            Err("exceeded quota: few, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1"
                .into())
        );
        assert_eq!(
            check(&stage.store, Kind::Pod, &pod("b", "")),
            Err("failed quota: few: must specify limits.memory for: main; requests.cpu for: main".into())
        );
    }

    #[test]
    fn other_kinds_are_counted() {
        let mut stage = stage(r#""count/jobs.batch":"1","configmaps":"1""#);
        let map = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","namespace":"default"}}"#;
        let value = Value::from_json(map).unwrap();
        assert_eq!(check(&stage.store, Kind::ConfigMap, &value), Ok(()));
        stage.create(map);
        assert_eq!(
            check(&stage.store, Kind::ConfigMap, &value),
            Err("exceeded quota: few, requested: configmaps=1, used: configmaps=1, limited: configmaps=1".into())
        );
        assert_eq!(check(&stage.store, Kind::Pod, &pod("p", "")), Ok(()));
    }
}
