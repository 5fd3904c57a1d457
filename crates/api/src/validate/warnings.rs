//! The API server's `Warning:` texts: accepted, but probably not meant.
//!
//! Source: `pkg/api/{pod,job,node,persistentvolumeclaim}/*.go` (`GetWarningsForPodTemplate`, `WarningsForJobSpec` …) and the
//! `WarningsOnCreate`/`WarningsOnUpdate` of the kinds' strategies.

use crate::kind::Kind;
use values::value::Value;

use super::field::{Path, go_quote};
use super::names;
use super::pod::resources::quantity;
use super::read::{entries, get, int, items, set, text};

const DEPRECATED_NODE_LABELS: &[(&str, &str, &str)] = &[
    ("beta.kubernetes.io/arch", "v1.14", "kubernetes.io/arch"),
    ("beta.kubernetes.io/os", "v1.14", "kubernetes.io/os"),
    ("failure-domain.beta.kubernetes.io/region", "v1.17", "topology.kubernetes.io/region"),
    ("failure-domain.beta.kubernetes.io/zone", "v1.17", "topology.kubernetes.io/zone"),
    ("beta.kubernetes.io/instance-type", "v1.17", "node.kubernetes.io/instance-type"),
];
const DEPRECATED_ANNOTATIONS: &[(&str, &str)] = &[
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    ("security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
    ("security.alpha.kubernetes.io/unsafe-sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"),
];
const DEPRECATED_VOLUMES: &[(&str, &str, &str)] = &[
    ("photonPersistentDisk", "photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "storageOS", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "cephfs", "deprecated in v1.28, non-functional in v1.31+"),
    ("rbd", "rbd", "deprecated in v1.28, non-functional in v1.31+"),
];
const OBJECT: Path<'static> = Path::root("");
const SPEC: Path<'static> = Path::root("spec");
const CALM_COMPLETIONS: i64 = 100_000;
const CALM_PARALLELISM: i64 = 10_000;
const CALM_WORDS: &str = "In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, \
                          Kubernetes might not be able to track completedIndexes when a big number of indexes fail";

/// The texts for a good object; with `old` for a change of it.
pub fn warnings(kind: Kind, new: &Value, old: Option<&Value>) -> Vec<String> {
    let mut found = Vec::new();
    let generation = |object: &Value| int(get(object, "metadata"), "generation");
    if old.is_some_and(|old| generation(old) == generation(new)) {
        return found;
    }
    let spec = get(new, "spec");
    let is_new = old.is_none();
    let used_in = "this is used in Pod names and hostnames";
    match kind {
        Kind::Job => {
            name(&mut found, is_new, new, used_in);
            job_spec(&mut found, &SPEC, spec);
        }
        Kind::CronJob => {
            name(&mut found, is_new, new, used_in);
            job_spec(&mut found, &SPEC.child("jobTemplate.spec"), spec.at("jobTemplate.spec"));
            if text(spec, "schedule").contains("TZ") {
                let field = if is_new { "timeZone field" } else { "timeZone" };
                found.push(format!("cannot use TZ or CRON_TZ in spec.schedule, use {field} instead"));
            }
        }
        Kind::Pod => {
            name(&mut found, is_new, new, "this is used in the Pod's hostname");
            pod(&mut found, &OBJECT, new);
        }
        Kind::Deployment | Kind::ReplicaSet => {
            name(&mut found, is_new, new, used_in);
            pod(&mut found, &SPEC.child("template"), get(spec, "template"));
        }
        Kind::PersistentVolumeClaim => claim(&mut found, new),
        _ => {}
    }
    found
}

fn name(found: &mut Vec<String>, is_new: bool, object: &Value, used_in: &str) {
    let messages = names::dns_label(text(get(object, "metadata"), "name"));
    if is_new && !messages.is_empty() {
        found.push(format!(
            "metadata.name: {used_in}, which can result in surprising behavior; a DNS label is recommended: [{}]",
            messages.join(" ")
        ));
    }
}

fn job_spec(found: &mut Vec<String>, path: &Path<'_>, spec: &Value) {
    let above = |field: &str, limit: i64| int(spec, field).is_some_and(|number| number > limit);
    let indexed = text(spec, "completionMode") == "Indexed";
    if indexed && above("completions", CALM_COMPLETIONS) && above("parallelism", CALM_PARALLELISM) {
        found.push(format!("{path}: {CALM_WORDS}"));
    }
    pod(found, &path.child("template"), get(spec, "template"));
}

fn claim(found: &mut Vec<String>, claim: &Value) {
    let class = "volume.beta.kubernetes.io/storage-class";
    if set(claim.at("metadata.annotations"), class).is_some() {
        found.push(format!(
            "metadata.annotations[{class}]: deprecated since v1.8; use \"storageClassName\" attribute instead"
        ));
    }
    fractional(found, &SPEC.child("resources.requests"), claim.at("spec.resources.requests"), &["storage"]);
}

/// A Pod or a Pod template; `path` leads to it.
fn pod(found: &mut Vec<String>, path: &Path<'_>, pod: &Value) {
    let spec = get(pod, "spec");
    let spec_path = path.child("spec");
    node_labels(found, &spec_path, spec);
    let annotations = pod.at("metadata.annotations");
    let annotations_path = path.child("metadata.annotations");
    for (key, message) in DEPRECATED_ANNOTATIONS {
        if set(annotations, key).is_some() {
            found.push(format!("{}: {message}", annotations_path.key(key)));
        }
    }
    volumes(found, &spec_path.child("volumes"), items(spec, "volumes"));
    duplicates(found, &spec_path, spec);
    fractional(found, &spec_path.child("overhead"), get(spec, "overhead"), &["memory", "ephemeral-storage"]);
    each_container(spec, &spec_path, |container, path| {
        let resources = path.child("resources");
        for list in ["limits", "requests"] {
            let amounts = container.at_keys(["resources", list]);
            fractional(found, &resources.child(list), amounts, &["memory"]);
        }
        for list in ["limits", "requests"] {
            let amounts = container.at_keys(["resources", list]);
            fractional(found, &resources.child(list), amounts, &["ephemeral-storage"]);
        }
        hidden_variables(found, &path.child("env"), items(container, "env"));
    });
    ports(found, &spec_path, spec);
    if int(spec, "terminationGracePeriodSeconds").is_some_and(|seconds| seconds < 0) {
        let path = spec_path.child("terminationGracePeriodSeconds");
        found.push(format!("{path}: must be >= 0; negative values are invalid and will be treated as 1"));
    }
    pod_affinity(found, &spec_path.child("affinity"), get(spec, "affinity"));
}

/// Init containers first, as upstream visits them.
fn each_container(spec: &Value, path: &Path<'_>, mut visit: impl FnMut(&Value, &Path<'_>)) {
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        let path = path.child(list);
        for (i, container) in items(spec, list).iter().enumerate() {
            visit(container, &path.index(i));
        }
    }
}

fn deprecated_label(key: &str) -> Option<String> {
    let (_, since, instead) = DEPRECATED_NODE_LABELS.iter().find(|(label, ..)| *label == key)?;
    Some(format!("deprecated since {since}; use \"{instead}\" instead"))
}

fn node_labels(found: &mut Vec<String>, path: &Path<'_>, spec: &Value) {
    let selector = path.child("nodeSelector");
    for (key, _) in entries(spec, "nodeSelector") {
        if let Some(message) = deprecated_label(key) {
            found.push(format!("{}: {message}", selector.key(key)));
        }
    }
    let affinity = path.child("affinity.nodeAffinity");
    let node = get(get(spec, "affinity"), "nodeAffinity");
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let required_path = affinity.child(required);
    let terms_path = required_path.child("nodeSelectorTerms");
    for (i, term) in items(get(node, required), "nodeSelectorTerms").iter().enumerate() {
        node_term(found, &terms_path.index(i), term);
    }
    let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    let preferred_path = affinity.child(preferred);
    for (i, term) in items(node, preferred).iter().enumerate() {
        node_term(found, &preferred_path.index(i).child("preference"), get(term, "preference"));
    }
    let spread = path.child("topologySpreadConstraints");
    for (i, constraint) in items(spec, "topologySpreadConstraints").iter().enumerate() {
        let path = spread.index(i);
        let key = text(constraint, "topologyKey");
        if let Some(message) = deprecated_label(key) {
            found.push(format!("{}: {key} is {message}", path.child("topologyKey")));
        }
        null_selector(found, &path, constraint);
    }
}

fn node_term(found: &mut Vec<String>, path: &Path<'_>, term: &Value) {
    let expressions = path.child("matchExpressions");
    for (i, expression) in items(term, "matchExpressions").iter().enumerate() {
        let key = text(expression, "key");
        if let Some(message) = deprecated_label(key) {
            found.push(format!("{}: {key} is {message}", expressions.index(i).child("key")));
        }
    }
}

fn null_selector(found: &mut Vec<String>, path: &Path<'_>, owner: &Value) {
    if set(owner, "labelSelector").is_none() {
        let path = path.child("labelSelector");
        found.push(format!("{path}: a null labelSelector results in matching no pod"));
    }
}

fn pod_affinity(found: &mut Vec<String>, path: &Path<'_>, affinity: &Value) {
    for kind in ["podAffinity", "podAntiAffinity"] {
        let (own, own_path) = (get(affinity, kind), path.child(kind));
        let required = "requiredDuringSchedulingIgnoredDuringExecution";
        let required_path = own_path.child(required);
        for (i, term) in items(own, required).iter().enumerate() {
            null_selector(found, &required_path.index(i), term);
        }
        let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
        let preferred_path = own_path.child(preferred);
        for (i, term) in items(own, preferred).iter().enumerate() {
            let path = preferred_path.index(i);
            null_selector(found, &path.child("podAffinityTerm"), get(term, "podAffinityTerm"));
        }
    }
}

fn volumes(found: &mut Vec<String>, path: &Path<'_>, volumes: &[Value]) {
    for (i, volume) in volumes.iter().enumerate() {
        for (kind, shown, message) in DEPRECATED_VOLUMES {
            if set(volume, kind).is_some() {
                found.push(format!("{}: {message}", path.index(i).child(shown)));
            }
        }
    }
    for volume in volumes {
        overlapping_files(found, volume);
    }
}

fn overlapping_files(found: &mut Vec<String>, volume: &Value) {
    let name = go_quote(text(volume, "name"));
    for (kind, shown, named_by) in [("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")] {
        if let Some(source) = set(volume, kind) {
            let about = format!("volume {name} ({shown} {})", go_quote(text(source, named_by)));
            overlaps(found, &about, items(source, "items"));
        }
    }
    if let Some(source) = set(volume, "downwardAPI") {
        overlaps(found, &format!("volume {name} (DownwardAPI)"), items(source, "items"));
    }
    for source in items(get(volume, "projected"), "sources") {
        if source.is_empty() {
            found.push(format!("volume {name} (Projected) has no sources provided"));
        }
        for (kind, shown) in [("configMap", "ConfigMap"), ("secret", "Secret")] {
            if let Some(files) = set(source, kind) {
                let about = format!("volume {name} (Projected {shown} {})", go_quote(text(files, "name")));
                overlaps(found, &about, items(files, "items"));
            }
        }
    }
}

fn overlaps(found: &mut Vec<String>, about: &str, files: &[Value]) {
    let path = |file: &Value| text(file, "path").trim_end_matches('/').to_owned();
    for (i, file) in files.iter().enumerate() {
        let own = path(file);
        let collides = |other: &String| {
            !own.is_empty()
                && !other.is_empty()
                && (*other == own || format!("{other}/").starts_with(&own) || format!("{own}/").starts_with(other))
        };
        if let Some(other) = files[..i].iter().map(path).find(collides) {
            found.push(format!("{about}: overlapping paths: {} with {}", go_quote(&own), go_quote(&other)));
        }
    }
}

fn duplicates(found: &mut Vec<String>, path: &Path<'_>, spec: &Value) {
    for (list, field, word) in [("hostAliases", "ip", "ip"), ("imagePullSecrets", "name", "name")] {
        let (all, list_path) = (items(spec, list), path.child(list));
        for (i, item) in all.iter().enumerate() {
            let value = text(item, field);
            if all[..i].iter().any(|other| text(other, field) == value) {
                found.push(format!("{}: duplicate {word} {}", list_path.index(i).child(field), go_quote(value)));
            }
        }
    }
    let secrets = path.child("imagePullSecrets");
    for (i, secret) in items(spec, "imagePullSecrets").iter().enumerate() {
        if text(secret, "name").is_empty() {
            found.push(format!("{}: invalid empty name \"\"", secrets.index(i).child("name")));
        }
    }
}

fn fractional(found: &mut Vec<String>, path: &Path<'_>, amounts: &Value, resources: &[&str]) {
    for name in resources {
        if let Some(amount) = quantity(get(amounts, name)).filter(|amount| amount.millis() % 1000 != 0) {
            let path = path.key(name);
            found.push(format!("{path}: fractional byte value \"{amount}\" is invalid, must be an integer"));
        }
    }
}

fn hidden_variables(found: &mut Vec<String>, path: &Path<'_>, vars: &[Value]) {
    for (i, var) in vars.iter().enumerate() {
        let name = text(var, "name");
        if !vars[..i].iter().any(|other| text(other, "name") == name) {
            continue;
        }
        // `X: $(X)more` builds on the earlier value.
        let (value, reference) = (text(var, "value"), format!("$({name})"));
        if set(var, "valueFrom").is_some() || value == reference || !value.contains(&reference) {
            found.push(format!(
                "{}: hides previous definition of {}, which may be dropped when using apply",
                path.index(i),
                go_quote(name)
            ));
        }
    }
}

fn ports(found: &mut Vec<String>, path: &Path<'_>, spec: &Value) {
    let mut earlier: Vec<(String, Value)> = Vec::new();
    each_container(spec, path, |container, path| {
        let ports = path.child("ports");
        for (i, port) in items(container, "ports").iter().enumerate() {
            let place = ports.index(i);
            one_port(found, &place, port, &earlier);
            earlier.push((place.to_string(), port.clone()));
        }
    });
}

fn one_port(found: &mut Vec<String>, place: &Path<'_>, port: &Value, earlier: &[(String, Value)]) {
    let host = |port: &Value| (text(port, "hostIP").to_owned(), int(port, "hostPort").unwrap_or(0));
    let claim = |port: &Value| (int(port, "containerPort").unwrap_or(0), text(port, "protocol").to_owned());
    let (ip, number) = host(port);
    if !ip.is_empty() && number == 0 {
        let (inner, protocol) = claim(port);
        let name = text(port, "name");
        found.push(format!(
            "{place}: hostIP set without hostPort: {{Name:{name} HostPort:0 ContainerPort:{inner} Protocol:{protocol} \
             HostIP:{ip}}}"
        ));
    }
    for (other_place, other) in earlier.iter().filter(|(_, other)| claim(other) == claim(port)) {
        let (other_ip, other_number) = host(other);
        let how = if (&ip, number) == (&other_ip, other_number) {
            "duplicate"
        } else if number == 0 || other_number == 0 {
            "overlapping"
        } else if number == other_number && ip.is_empty() != other_ip.is_empty() {
            "dangerously ambiguous"
        } else {
            continue;
        };
        found.push(format!("{place}: {how} port definition with {other_place}"));
    }
}
