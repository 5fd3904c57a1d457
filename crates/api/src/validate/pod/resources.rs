//! Requests, limits and claims.
//!
//! Source: `pkg/apis/core/validation/validation.go` (`ValidateResourceRequirements`, `validateContainerResourceName`,
//! `ValidateResourceQuantityValue`), `pkg/apis/core/helper/helpers.go`.

use values::quantity::Quantity;
use values::sort::sort;
use values::value::Value;

use super::super::field::{Errors, NOT_NEGATIVE, Path};
use super::super::names;
use super::super::read::{entries, get, items, set, text};
use super::Context;

const CONTAINER_RESOURCES: &[&str] = &["cpu", "memory", "ephemeral-storage"];
/// Names without a domain that quotas and volumes know.
const STANDARD_RESOURCES: &[&str] = &[
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "persistentvolumeclaims",
    "configmaps",
    "storage",
    "requests.storage",
    "services.nodeports",
    "services.loadbalancers",
];
/// Those of them that are counted, not measured.
const COUNTED: &[&str] = &[
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "persistentvolumeclaims",
    "configmaps",
    "services.nodeports",
    "services.loadbalancers",
];
const HUGE_PAGES: &str = "hugepages-";

/// Checks the `resources` of a container; `claims` are the Pod's.
pub fn requirements(errors: &mut Errors, path: &Path<'_>, requirements: &Value, claims: &[Value]) {
    let (limits_path, requests_path) = (path.child("limits"), path.child("requests"));
    let limits = get(requirements, "limits");
    for (name, amount) in entries(requirements, "limits") {
        resource(errors, &limits_path.key(name), name, amount);
    }
    for (name, amount) in entries(requirements, "requests") {
        resource(errors, &requests_path.key(name), name, amount);
        let Some(request) = quantity(amount) else { continue };
        let exact = !overcommit_allowed(name);
        match quantity(get(limits, name)) {
            Some(limit) if exact && request != limit => {
                let detail = format!("must be equal to {name} limit of {limit}");
                errors.invalid(&requests_path, request.to_string().as_str(), &detail);
            }
            Some(limit) if request > limit => {
                let detail = format!("must be less than or equal to {name} limit of {limit}");
                errors.invalid(&requests_path, request.to_string().as_str(), &detail);
            }
            None if exact => errors.required(&limits_path, "Limit must be set for non overcommitable resources"),
            _ => {}
        }
    }
    let any = |matches: fn(&str) -> bool| {
        entries(requirements, "limits").chain(entries(requirements, "requests")).any(|(name, _)| matches(name))
    };
    if any(|name| name.starts_with(HUGE_PAGES)) && !any(|name| matches!(name, "cpu" | "memory")) {
        errors.forbidden(path, "HugePages require cpu or memory");
    }
    claim_names(errors, &path.child("claims"), items(requirements, "claims"), claims);
}

fn claim_names(errors: &mut Errors, path: &Path<'_>, claims: &[Value], of_pod: &[Value]) {
    for (i, claim) in claims.iter().enumerate() {
        let path = path.index(i);
        let name = text(claim, "name");
        if name.is_empty() {
            errors.required(&path, "");
            continue;
        }
        let key = |claim: &Value| (text(claim, "name").to_owned(), text(claim, "request").to_owned());
        if claims[..i].iter().any(|other| key(other) == key(claim)) {
            errors.duplicate(&path, name);
        }
        if !of_pod.iter().any(|other| text(other, "name") == name) {
            let mut known: Vec<&str> = of_pod.iter().map(|claim| text(claim, "name")).collect();
            sort(&mut known);
            let rest = if known.is_empty() { " which is empty".to_owned() } else { format!(": {}", known.join(", ")) };
            errors.not_found(&path, name, &format!("must be one of the names in pod.spec.resourceClaims{rest}"));
        }
    }
}

fn resource(errors: &mut Errors, path: &Path<'_>, name: &str, amount: &Value) {
    container_name(errors, path, name);
    if let Some(quantity) = quantity(amount) {
        amount_of(errors, path, name, quantity);
        let page = name.strip_prefix(HUGE_PAGES).and_then(|size| Quantity::parse(size).ok()).map(Quantity::units);
        if page.is_some_and(|page| page <= 0 || quantity.units() % page != 0) {
            let detail = format!("{quantity} is not positive integer multiple of {name}");
            errors.invalid(path, quantity.to_string().as_str(), &detail);
        }
    }
}

fn container_name(errors: &mut Errors, path: &Path<'_>, name: &str) {
    if CONTAINER_RESOURCES.contains(&name) {
        return;
    }
    resource_name(errors, path, name);
    if !name.contains('/') {
        if !name.starts_with(HUGE_PAGES) {
            errors.invalid(path, name, "must be a standard resource for containers");
        }
    } else if !is_native(name) && !is_extended(name) {
        errors.invalid(path, name, "doesn't follow extended resource name standard");
    }
}

/// Checks the name of any resource.
pub fn resource_name(errors: &mut Errors, path: &Path<'_>, name: &str) {
    let messages = names::qualified_name(name);
    let good = messages.is_empty();
    errors.invalid_each(path, name, messages);
    if good && !name.contains('/') && !STANDARD_RESOURCES.contains(&name) && !name.starts_with(HUGE_PAGES) {
        errors.invalid(path, name, "must be a standard resource type or fully qualified");
    }
}

/// Checks an amount: not negative, and whole where things are counted.
pub fn amount_of(errors: &mut Errors, path: &Path<'_>, name: &str, amount: Quantity) {
    if amount.is_negative() {
        errors.invalid(path, amount.to_string().as_str(), NOT_NEGATIVE);
    }
    if (COUNTED.contains(&name) || is_extended(name)) && amount.millis() % 1000 != 0 {
        errors.invalid(path, amount.to_string().as_str(), "must be an integer");
    }
}

fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name) && !name.starts_with("requests.") && names::qualified_name(&format!("requests.{name}")).is_empty()
}

fn overcommit_allowed(name: &str) -> bool {
    is_native(name) && !name.starts_with(HUGE_PAGES)
}

/// The amount a field holds; decoding has checked that it is one.
pub fn quantity(value: &Value) -> Option<Quantity> {
    Quantity::parse(value.as_str()?).ok()
}

/// Checks the Pod's own `resources`, which stand above those of its containers.
pub fn of_pod(errors: &mut Errors, path: &Path<'_>, own: &Value, pod: &Context<'_>) {
    if !items(own, "claims").is_empty() {
        errors.forbidden(&path.child("claims"), "claims may not be set for Resources at pod-level");
    }
    let (limits_path, requests_path) = (path.child("limits"), path.child("requests"));
    for (list, list_path) in [("limits", &limits_path), ("requests", &requests_path)] {
        for (name, _) in entries(own, list) {
            if !matches!(name, "cpu" | "memory") && !name.starts_with(HUGE_PAGES) {
                errors.unsupported(&list_path.key(name), name, &["cpu", "hugepages-", "memory"]);
            }
        }
    }
    requirements(
        errors,
        path,
        &values::object! {
            "limits" => get(own, "limits").clone(), "requests" => get(own, "requests").clone(),
        },
        &[],
    );
    for (name, amount) in entries(own, "requests") {
        let total = items(pod.spec, "containers")
            .iter()
            .filter_map(|container| quantity(container.at_keys(["resources", "requests", name])))
            .fold(Quantity::from_units(0), Quantity::plus);
        let Some(request) = quantity(amount) else { continue };
        if total > request {
            let detail = format!("must be greater than or equal to aggregate container requests of {total}");
            errors.invalid(&requests_path.key(name), request.to_string().as_str(), &detail);
        }
    }
}

/// Checks `spec.resourceClaims`.
pub fn pod_claims(errors: &mut Errors, path: &Path<'_>, claims: &[Value]) {
    for (i, claim) in claims.iter().enumerate() {
        let path = path.index(i);
        let name = text(claim, "name");
        if name.is_empty() {
            errors.required(&path.child("name"), "");
        } else if claims[..i].iter().any(|other| text(other, "name") == name) {
            errors.duplicate(&path.child("name"), name);
        } else {
            errors.invalid_each(&path.child("name"), name, names::dns_label(name));
        }
        let sources = ["resourceClaimName", "resourceClaimTemplateName"];
        let given: Vec<&str> = sources.into_iter().filter(|source| set(claim, source).is_some()).collect();
        let shown = || super::super::go_form::shown("PodResourceClaim", claim);
        match given.len() {
            0 => {
                let detail = "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`";
                errors.invalid(&path, shown(), detail);
            }
            2 => {
                let detail = "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified";
                errors.invalid(&path, shown(), detail);
            }
            _ => {}
        }
        for source in given {
            let name = text(claim, source);
            errors.invalid_each(&path.child(source), name, names::dns_subdomain(name));
        }
    }
}
