//! Hashes in names, and references that follow the names.
//!
//! Rule: a reference means the object of the right kind that has, or had, that name. Source: `kustomize/api/hasher`,
//! `kustomize/api/internal/accumulator/namereferencetransformer.go`, `builtinpluginconsts/namereference.go`.

use values::value::Value;

use super::{Resource, transform};
use crate::helm::functions::sha256;

/// Puts a hash of their content behind the names of generated ConfigMaps and Secrets.
pub(super) fn add_hashes(resources: &mut [Resource]) {
    for resource in resources.iter_mut().filter(|resource| resource.hashed) {
        let name = format!("{}-{}", resource.name(), hash(&resource.value, "", &Value::from("")));
        resource.rename(name);
    }
}

/// The hash of a ConfigMap's or Secret's content; `name` is part of it, `absent` stands for missing data. Ten hex digits of SHA-256, those that could form
/// words replaced.
pub fn hash(object: &Value, name: &str, absent: &Value) -> String {
    let of = |field: &str| match object.at(field) {
        Value::Null => absent.clone(),
        value => value.clone(),
    };
    let mut told = Value::map();
    told.set("kind", object.at("kind").clone());
    told.set("name", name);
    told.set("data", of("data"));
    let more = if object.str_at("kind") == Some("Secret") { "stringData" } else { "binaryData" };
    if object.str_at("kind") == Some("Secret") {
        told.set("type", of("type"));
    }
    if object.has(more) {
        told.map_mut().insert(more, object.at(more).clone());
    }
    let digest = sha256(told.to_go_json().as_bytes());
    let letter = |c: char| match c {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    };
    digest.chars().take(10).map(letter).collect()
}

/// Where a Pod's spec names other objects: the field's place and the kind it means.
const IN_POD_SPEC: [(&str, &str); 17] = [
    ("volumes.*.configMap.name", "ConfigMap"),
    ("volumes.*.secret.secretName", "Secret"),
    ("volumes.*.persistentVolumeClaim.claimName", "PersistentVolumeClaim"),
    ("volumes.*.projected.sources.*.configMap.name", "ConfigMap"),
    ("volumes.*.projected.sources.*.secret.name", "Secret"),
    ("containers.*.env.*.valueFrom.configMapKeyRef.name", "ConfigMap"),
    ("containers.*.env.*.valueFrom.secretKeyRef.name", "Secret"),
    ("containers.*.envFrom.*.configMapRef.name", "ConfigMap"),
    ("containers.*.envFrom.*.secretRef.name", "Secret"),
    ("initContainers.*.env.*.valueFrom.configMapKeyRef.name", "ConfigMap"),
    ("initContainers.*.env.*.valueFrom.secretKeyRef.name", "Secret"),
    ("initContainers.*.envFrom.*.configMapRef.name", "ConfigMap"),
    ("initContainers.*.envFrom.*.secretRef.name", "Secret"),
    ("imagePullSecrets.*.name", "Secret"),
    ("serviceAccountName", "ServiceAccount"),
    ("serviceAccount", "ServiceAccount"),
    ("priorityClassName", "PriorityClass"),
];

/// References of other kinds: the kind that has the field, the field's place, the kind it means. Empty: a sibling `kind` says.
const ELSEWHERE: [(&str, &str, &str); 14] = [
    ("HorizontalPodAutoscaler", "spec.scaleTargetRef.name", ""),
    ("Role", "rules.*.resourceNames.*", "ConfigMap"),
    ("Role", "rules.*.resourceNames.*", "Secret"),
    ("ClusterRole", "rules.*.resourceNames.*", "ConfigMap"),
    ("ClusterRole", "rules.*.resourceNames.*", "Secret"),
    ("RoleBinding", "subjects.*.name", "ServiceAccount"),
    ("ClusterRoleBinding", "subjects.*.name", "ServiceAccount"),
    ("RoleBinding", "roleRef.name", ""),
    ("ClusterRoleBinding", "roleRef.name", "ClusterRole"),
    ("Ingress", "spec.rules.*.http.paths.*.backend.service.name", "Service"),
    ("Ingress", "spec.defaultBackend.service.name", "Service"),
    ("Ingress", "spec.tls.*.secretName", "Secret"),
    ("StatefulSet", "spec.serviceName", "Service"),
    ("ServiceAccount", "imagePullSecrets.*.name", "Secret"),
];

/// Lets all references follow the names of their objects.
pub(super) fn follow(resources: &mut [Resource]) {
    let known: Vec<Resource> = resources.iter().filter(|resource| !resource.earlier.is_empty()).cloned().collect();
    for resource in resources {
        let (kind, namespace) = (resource.kind().to_owned(), resource.namespace().to_owned());
        if let Some(spec) = transform::pod_spec(&kind) {
            for (place, meant) in IN_POD_SPEC {
                let full: Vec<&str> = spec.split('.').chain(place.split('.')).collect();
                rename(&mut resource.value, &full, meant, &namespace, &known);
            }
        }
        for (_, place, meant) in ELSEWHERE.iter().filter(|(of, ..)| *of == kind) {
            let full: Vec<&str> = place.split('.').collect();
            rename(&mut resource.value, &full, meant, &namespace, &known);
        }
    }
}

fn rename(value: &mut Value, place: &[&str], meant: &str, namespace: &str, known: &[Resource]) {
    let [first, rest @ ..] = place else {
        let Some(name) = value.as_str() else { return };
        if let Some(found) = unique(name, meant, namespace, known) {
            *value = found.into();
        }
        return;
    };
    if *first == "*" {
        if value.as_list().is_some() {
            value.list_mut().iter_mut().for_each(|item| rename(item, rest, meant, namespace, known));
        }
        return;
    }
    let (meant, namespace) = if rest.is_empty() {
        let sibling = value.str_at("kind").unwrap_or_default().to_owned();
        let of = value.str_at("namespace").unwrap_or(namespace).to_owned();
        match meant {
            "" => (sibling, of),
            // A subject that is no ServiceAccount is left alone.
            "ServiceAccount" if !sibling.is_empty() && sibling != meant => return,
            other => (other.to_owned(), of),
        }
    } else {
        (meant.to_owned(), namespace.to_owned())
    };
    if value.as_map().is_some_and(|map| map.contains_key(first))
        && let Some(inner) = value.map_mut().get_mut(first)
    {
        rename(inner, rest, &meant, &namespace, known);
    }
}

/// The present name of the one object of a kind that is, or was, called so.
fn unique(name: &str, kind: &str, namespace: &str, known: &[Resource]) -> Option<String> {
    let fits = |resource: &&Resource| {
        resource.kind() == kind
            && resource.is_called(name)
            && (resource.namespace().is_empty() || namespace.is_empty() || resource.namespace() == namespace)
    };
    let mut found = known.iter().filter(fits);
    let first = found.next()?;
    found.next().is_none().then(|| first.name().to_owned())
}
