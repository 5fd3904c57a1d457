//! A chart and its values become manifests, hooks and notes.
//!
//! Sources: `helm/pkg/engine/engine.go`, `helm/pkg/releaseutil/{manifest_sorter,kind_sorter}.go`,
//! `helm/pkg/action/action.go` (`renderResources`).

use super::chart::{Chart, read_yaml};
use super::functions::{Helm, WARN_END, WARN_START};
use values::record;
use values::sort::sort_by;
use values::template::{Error, Templates};
use values::value::{Map, Value};

/// What `.Release` says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    pub name: String,
    pub namespace: String,
    pub revision: i64,
    pub is_upgrade: bool,
}

record! {
    /// An object that is made at a moment of the release and not part of it.
    #[derive(Eq)]
    pub struct Hook {
        pub name: String = always,
        pub kind: String = always,
        pub path: String = always,
        pub manifest: String = always,
        /// `pre-install` …
        pub events: Vec<String> = always,
        pub weight: i64 = always,
        pub delete_policies: Vec<String> = always,
    }
}

/// What came of the templates.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Rendered {
    pub manifest: String,
    pub hooks: Vec<Hook>,
    pub notes: String,
}

const EVENTS: [&str; 9] = [
    "pre-install",
    "post-install",
    "pre-delete",
    "post-delete",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    "test",
];

/// The order in which kinds are created; the others come after them by name.
const ORDER: [&str; 34] = [
    "PriorityClass",
    "Namespace",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodSecurityPolicy",
    "PodDisruptionBudget",
    "ServiceAccount",
    "Secret",
    "SecretList",
    "ConfigMap",
    "StorageClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "CustomResourceDefinition",
    "ClusterRole",
    "ClusterRoleList",
    "ClusterRoleBinding",
    "ClusterRoleBindingList",
    "Role",
    "RoleList",
    "RoleBinding",
    "RoleBindingList",
    "Service",
    "DaemonSet",
    "Pod",
    "ReplicationController",
    "ReplicaSet",
    "Deployment",
    "HorizontalPodAutoscaler",
    "StatefulSet",
    "Job",
    "CronJob",
    "Ingress",
];

/// Where a kind stands in the order of creation.
pub fn rank(kind: &str) -> (usize, &str) {
    match ORDER.iter().position(|known| *known == kind) {
        Some(i) => (i, ""),
        None => (ORDER.len(), kind),
    }
}

/// Carries out all templates of a chart and sorts what they made.
///
/// # Errors
/// Helm's text.
pub fn render(chart: &Chart, values: &Value, facts: &Facts, functions: &Helm) -> Result<Rendered, String> {
    let mut templates = Templates::default();
    let full = |path: &str| format!("{}/{path}", chart.name());
    // Deeper files first, and the last name first: what Helm reads later wins.
    let mut paths: Vec<&(String, String)> = chart.templates.iter().collect();
    sort_by(&mut paths, |(a, _), (b, _)| (b.matches('/').count(), b).cmp(&(a.matches('/').count(), a)));
    for (path, text) in &paths {
        templates.add(&full(path), text, functions).map_err(|error| parse_error(&error))?;
    }
    let mut made = Vec::new();
    for (path, _) in &paths {
        let base = path.rsplit('/').next().unwrap_or_default();
        if base.starts_with('_') {
            continue;
        }
        let name = full(path);
        let data = top(chart, values, facts, &name);
        let text = templates.run(&name, &data, functions).map_err(|error| run_error(&error))?;
        made.push((name, text.replace("<no value>", "")));
    }
    made.sort();
    sort(made)
}

/// `.`
fn top(chart: &Chart, values: &Value, facts: &Facts, template: &str) -> Value {
    let versions =
        ["v1", "apps/v1", "batch/v1", "batch/v1/Job", "batch/v1/CronJob", "discovery.k8s.io/v1", "events.k8s.io/v1"];
    values::object! {
        "Chart" => chart.for_templates(),
        "Values" => values.clone(),
        "Files" => chart.files.clone(),
        "Release" => values::object! {
            "Name" => facts.name.as_str(),
            "Namespace" => facts.namespace.as_str(),
            "Revision" => facts.revision,
            "IsInstall" => !facts.is_upgrade,
            "IsUpgrade" => facts.is_upgrade,
            "Service" => "Helm",
        },
        "Capabilities" => values::object! {
            "KubeVersion" => values::object! {
                "Version" => "v1.36.3", "GitVersion" => "v1.36.3", "Major" => "1", "Minor" => "36",
            },
            "APIVersions" => Value::list(versions.map(Value::from)),
            "HelmVersion" => values::object! { "Version" => super::VERSION },
        },
        "Template" => values::object! { "Name" => template, "BasePath" => format!("{}/templates", chart.name()) },
    }
}

fn parse_error(error: &Error) -> String {
    format!("parse error at ({}): {}", error.place, error.message)
}

/// `required` and `fail` are told without Go's words.
fn run_error(error: &Error) -> String {
    let text = &error.message;
    let inside = text.find(WARN_START).and_then(|start| {
        let rest = &text[start + WARN_START.len()..];
        rest.find(WARN_END).map(|end| &rest[..end])
    });
    match inside {
        Some(inside) => format!("execution error at ({}): {inside}", error.place),
        None => error.to_string(),
    }
}

/// One object's text with what is known of it.
struct Piece {
    path: String,
    content: String,
    kind: String,
}

fn sort(made: Vec<(String, String)>) -> Result<Rendered, String> {
    let mut rendered = Rendered::default();
    let mut pieces = Vec::new();
    for (path, text) in made {
        if path.ends_with("NOTES.txt") {
            rendered.notes = text;
            continue;
        }
        for content in split(&text) {
            let head = read_yaml(&content, &format!("YAML parse error on {path}"))?;
            if head.is_null() {
                continue;
            }
            let kind = head.str_at("kind").unwrap_or_default().to_owned();
            let annotations = head.map_at("metadata.annotations").cloned().unwrap_or_default();
            match hook(&head, &annotations, &path, &content) {
                Some(hook) => rendered.hooks.push(hook),
                // A hook with an event that does not exist is neither made nor kept.
                None if annotations.contains_key("helm.sh/hook") => {}
                None => pieces.push(Piece { path: path.clone(), content, kind }),
            }
        }
    }
    sort_by(&mut pieces, |a, b| rank(&a.kind).cmp(&rank(&b.kind)));
    sort_by(&mut rendered.hooks, |a, b| rank(&a.kind).cmp(&rank(&b.kind)));
    rendered.manifest =
        pieces.iter().map(|piece| format!("---\n# Source: {}\n{}\n", piece.path, piece.content)).collect();
    Ok(rendered)
}

/// The parts of a text between lines that begin with `---`; blank ones and those of comments alone are left out.
pub fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for line in text.lines() {
        match line.strip_prefix("---") {
            Some(rest) => {
                parts.push(String::new());
                if !rest.trim().is_empty() {
                    parts.last_mut().into_iter().for_each(|part| part.push_str(&format!("{}\n", rest.trim_start())));
                }
            }
            None => parts.last_mut().into_iter().for_each(|part| part.push_str(&format!("{line}\n"))),
        }
    }
    let says = |part: &str| part.lines().any(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| says(part)).collect()
}

fn hook(head: &Value, annotations: &Map, path: &str, content: &str) -> Option<Hook> {
    let list = |key: &str| -> Vec<String> {
        let text = annotations.get(key).and_then(Value::as_str).unwrap_or_default();
        text.split(',').map(|word| word.trim().to_lowercase()).filter(|word| !word.is_empty()).collect()
    };
    let events = list("helm.sh/hook");
    let known = |event: &String| EVENTS.contains(&event.as_str()) || event == "test-success";
    if events.is_empty() || !events.iter().all(known) {
        return None;
    }
    let weight = annotations.get("helm.sh/hook-weight").map(super::functions::text_of).unwrap_or_default();
    let mut delete_policies = list("helm.sh/hook-delete-policy");
    if delete_policies.is_empty() {
        delete_policies.push("before-hook-creation".to_owned());
    }
    Some(Hook {
        name: head.str_at("metadata.name").unwrap_or_default().to_owned(),
        kind: head.str_at("kind").unwrap_or_default().to_owned(),
        path: path.to_owned(),
        manifest: content.to_owned(),
        events,
        weight: weight.parse().unwrap_or(0),
        delete_policies,
    })
}
