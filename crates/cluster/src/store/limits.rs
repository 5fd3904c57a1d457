//! LimitRanges: what they give to containers that ask for nothing, and what they refuse.
//!
//! Source: `plugin/pkg/admission/limitranger/admission.go`.

use std::rc::Rc;

use crate::store::Store;
use api::kind::Kind;
use api::object::Object;
use api::status::ApiError;
use values::quantity::Quantity;
use values::value::Value;

/// The annotation that says what was given.
const GIVEN: &str = "kubernetes.io/limit-ranger";

fn ranges(store: &Store, namespace: &str) -> Vec<Rc<Object>> {
    store.list_in(Kind::LimitRange, namespace).cloned().collect()
}

fn items<'v>(range: &'v Object, kind: &'v str) -> impl Iterator<Item = &'v Value> {
    range.value().list_at("spec.limits").iter().filter(move |item| item.str_at("type") == Some(kind))
}

/// Gives the containers of a new Pod the defaults of its namespace.
pub(super) fn give(store: &Store, pod: &mut Value) {
    let namespace = pod.str_at("metadata.namespace").unwrap_or_default().to_owned();
    let ranges = ranges(store, &namespace);
    if ranges.is_empty() {
        return;
    }
    let mut told = Vec::new();
    for list in ["containers", "initContainers"] {
        let mut containers = pod.at("spec").list_at(list).to_vec();
        for container in &mut containers {
            let mut given = [Vec::new(), Vec::new()];
            for item in ranges.iter().flat_map(|range| items(range, "Container")) {
                for (at, (side, source)) in
                    [("requests", "defaultRequest"), ("limits", "default")].into_iter().enumerate()
                {
                    for (resource, amount) in item.map_at(source).into_iter().flat_map(|map| map.iter()) {
                        let mut resources = container.at("resources").clone();
                        if resources.at_keys([side, resource]).is_null() {
                            let mut amounts =
                                Some(resources.at(side)).filter(|m| !m.is_null()).cloned().unwrap_or_else(Value::map);
                            amounts.map_mut().insert(resource, amount.clone());
                            if resources.is_null() {
                                resources = Value::map();
                            }
                            resources.map_mut().insert(side, amounts);
                            container.set("resources", resources);
                            given[at].push(resource.to_owned());
                        }
                    }
                }
            }
            let name = container.str_at("name").unwrap_or_default();
            for (resources, word) in given.iter().zip(["request", "limit"]).filter(|(list, _)| !list.is_empty()) {
                let init = if list == "initContainers" { "init " } else { "" };
                told.push(format!("{} {word} for {init}container {name}", resources.join(", ")));
            }
        }
        if !containers.is_empty() {
            let mut spec = pod.at("spec").clone();
            spec.map_mut().insert(list, containers);
            pod.set("spec", spec);
        }
    }
    if !told.is_empty() {
        super::claims::annotate_with(pod, GIVEN, &format!("LimitRanger plugin set: {}", told.join("; ")));
    }
}

/// Refuses a Pod or claim that a LimitRange of its namespace does not allow.
///
/// # Errors
/// Forbidden, with all that is wrong.
pub(super) fn check(store: &Store, kind: Kind, value: &Value) -> Result<(), ApiError> {
    let namespace = value.str_at("metadata.namespace").unwrap_or_default();
    let mut wrong = Vec::new();
    for range in ranges(store, namespace) {
        match kind {
            Kind::Pod => {
                let lists = ["spec.containers", "spec.initContainers"].into_iter();
                let containers: Vec<&Value> = lists.flat_map(|list| value.list_at(list)).collect();
                for item in items(&range, "Container") {
                    for container in &containers {
                        wrong.extend(broken(item, "Container", &|side, resource| {
                            amount(container.at("resources").at_keys([side, resource]))
                        }));
                    }
                }
                for item in items(&range, "Pod") {
                    wrong.extend(broken(item, "Pod", &|side, resource| {
                        let own = value.list_at("spec.containers").iter();
                        let all = own.map(|c| amount(c.at("resources").at_keys([side, resource])));
                        all.flatten().reduce(|a, b| Quantity::from_millis(a.millis() + b.millis()))
                    }));
                }
            }
            _ => {
                for item in items(&range, "PersistentVolumeClaim") {
                    wrong.extend(broken(item, "PersistentVolumeClaim", &|side, resource| {
                        amount(value.at("spec.resources").at_keys([side, resource]))
                    }));
                }
            }
        }
    }
    let name = value.str_at("metadata.name").unwrap_or_default();
    match wrong.as_slice() {
        [] => Ok(()),
        [one] => Err(ApiError::forbidden(kind, name, one)),
        many => Err(ApiError::forbidden(kind, name, &format!("[{}]", many.join(", ")))),
    }
}

fn amount(value: &Value) -> Option<Quantity> {
    Quantity::parse(value.as_str()?).ok()
}

/// What one item of a range says against the amounts that `of` gives for a side and a resource.
fn broken(item: &Value, kind: &str, of: &dyn Fn(&str, &str) -> Option<Quantity>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (bound, word) in [("min", "minimum"), ("max", "maximum")] {
        for (resource, limit) in item.map_at(bound).into_iter().flat_map(|map| map.iter()) {
            let Some(border) = amount(limit) else { continue };
            let shown = limit.as_str().unwrap_or_default();
            let head = format!("{word} {resource} usage per {kind} is {shown}");
            let (request, own) = (of("requests", resource), of("limits", resource));
            let is_claim = kind == "PersistentVolumeClaim";
            match (bound, request, own) {
                ("min", None, _) => wrong.push(format!("{head}.  No request is specified")),
                ("min", Some(request), _) if request < border => {
                    wrong.push(format!("{head}, but request is {request}"))
                }
                ("min", _, Some(own)) if own < border => wrong.push(format!("{head}, but limit is {own}")),
                ("max", Some(request), _) if is_claim && request > border => {
                    wrong.push(format!("{head}, but request is {request}"));
                }
                ("max", _, None) if !is_claim => wrong.push(format!("{head}.  No limit is specified")),
                ("max", _, Some(own)) if own > border => wrong.push(format!("{head}, but limit is {own}")),
                ("max", Some(request), _) if request > border => {
                    wrong.push(format!("{head}, but request is {request}"))
                }
                _ => {}
            }
        }
    }
    wrong
}
