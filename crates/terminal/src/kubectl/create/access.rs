//! `kubectl create role|clusterrole|rolebinding|clusterrolebinding|token`.
//!
//! Source: `kubectl/pkg/cmd/create/create_{role,clusterrole,rolebinding,clusterrolebinding,token}.go`.

use crate::kubectl::common;
use crate::kubectl::create::{bare, create_made, one_name};
use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::resource::{find_kind, unknown};
use crate::kubectl::{Call, Outcome, Verb};
use api::kind::Kind;
use api::status::ApiError;
use shell::base64_encode;
use values::object;
use values::sorted::SortedMap;
use values::value::{Map, Value};

macro_rules! flags {
    ($($more:expr),* $(,)?) => {
        &[
            common::MISSING_KEYS,
            common::DRY_RUN,
            common::FIELD_MANAGER,
            common::OUTPUT,
            common::SAVE_CONFIG,
            common::MANAGED_FIELDS,
            common::TEMPLATE,
            common::VALIDATE,
            $($more),*
        ]
    };
}

const VERBS: Flag = flag("verb", Takes::List, "What is allowed: get, list, create …");
const RESOURCE: Flag = flag("resource", Takes::List, "On what: pods, jobs.batch, pods/log …");
const RESOURCE_NAME: Flag = flag("resource-name", Takes::Array, "Only on objects with this name");
const USERS: Flag = flag("user", Takes::List, "Users who get the role");
const GROUPS: Flag = flag("group", Takes::List, "Groups that get the role");
const ACCOUNTS: Flag = flag("serviceaccount", Takes::List, "ServiceAccounts that get the role: namespace:name");

const RBAC: &str = "rbac.authorization.k8s.io/v1";
const RBAC_GROUP: &str = "rbac.authorization.k8s.io";

pub const ROLE: Verb = Verb {
    name: "create role",
    summary: "Create a Role with one rule",
    usage: "kubectl create role NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename] \
            [--dry-run=server|client|none]",
    flags: flags!(VERBS, RESOURCE, RESOURCE_NAME),
    run: |call| role(call, "Role"),
};

pub const CLUSTER_ROLE: Verb = Verb {
    name: "create clusterrole",
    summary: "Create a ClusterRole",
    usage: "kubectl create clusterrole NAME --verb=verb --resource=resource.group [--resource-name=resourcename] \
            [--dry-run=server|client|none]",
    flags: flags!(
        VERBS,
        RESOURCE,
        RESOURCE_NAME,
        flag("aggregation-rule", Takes::Text, "Labels of ClusterRoles whose rules are taken over"),
        flag("non-resource-url", Takes::List, "Addresses of the API that are no objects"),
    ),
    run: |call| role(call, "ClusterRole"),
};

pub const ROLE_BINDING: Verb = Verb {
    name: "create rolebinding",
    summary: "Give a Role to users, groups or ServiceAccounts",
    usage: "kubectl create rolebinding NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] \
            [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]",
    flags: flags!(
        USERS,
        GROUPS,
        ACCOUNTS,
        flag("clusterrole", Takes::Text, "The ClusterRole to give"),
        flag("role", Takes::Text, "The Role to give"),
    ),
    run: |call| binding(call, "RoleBinding"),
};

pub const CLUSTER_ROLE_BINDING: Verb = Verb {
    name: "create clusterrolebinding",
    summary: "Give a ClusterRole to users, groups or ServiceAccounts",
    usage: "kubectl create clusterrolebinding NAME --clusterrole=NAME [--user=username] [--group=groupname] \
            [--serviceaccount=namespace:serviceaccountname] [--dry-run=server|client|none]",
    flags: flags!(USERS, GROUPS, ACCOUNTS, flag("clusterrole", Takes::Text, "The ClusterRole to give")),
    run: |call| binding(call, "ClusterRoleBinding"),
};

pub const TOKEN: Verb = Verb {
    name: "create token",
    summary: "Ask for a ServiceAccount's token",
    usage: "kubectl create token SERVICE_ACCOUNT_NAME",
    flags: &[
        flag("audience", Takes::Array, "Whom the token is for"),
        flag("bound-object-kind", Takes::Text, "The kind of the object that the token ends with"),
        flag("bound-object-name", Takes::Text, "The name of the object that the token ends with"),
        flag("bound-object-uid", Takes::Text, "The uid of the object that the token ends with"),
        flag("duration", Takes::Duration, "How long the token is wanted for").default("0s"),
        common::OUTPUT,
        common::TEMPLATE,
    ],
    run: token,
};

/// Verbs that the API knows; others are noted, and kept.
const KNOWN_VERBS: [&str; 16] = [
    "get",
    "delete",
    "list",
    "create",
    "update",
    "patch",
    "watch",
    "proxy",
    "deletecollection",
    "use",
    "bind",
    "escalate",
    "impersonate",
    "approve",
    "sign",
    "attest",
];

fn texts(items: &[String]) -> Vec<Value> {
    items.iter().map(|item| Value::from(item.as_str())).collect()
}

fn role(call: &mut Call<'_, '_>, kind: &str) -> Outcome {
    let name = match one_name(call) {
        Ok(name) => name,
        Err(outcome) => return outcome,
    };
    let rules = match rules(call, kind) {
        Ok(rules) => rules,
        Err(text) => return call.fail(&text),
    };
    let mut made = bare(RBAC, kind, &name);
    if let Some(text) = call.parsed.text("aggregation-rule") {
        let labels: Map = text.split(',').filter_map(|pair| pair.split_once('=')).collect();
        let selectors = vec![object! { "matchLabels" => labels }];
        made.set("aggregationRule", object! { "clusterRoleSelectors" => selectors });
    }
    made.set("rules", if rules.is_empty() { Value::Null } else { rules.into() });
    let failing = if kind == "Role" { "failed to create role:" } else { "failed to create clusterrole:" };
    create_made(call, made, Some(failing))
}

fn rules(call: &mut Call<'_, '_>, kind: &str) -> Result<Vec<Value>, String> {
    let mut verbs: Vec<String> = Vec::new();
    for verb in call.parsed.list("verb") {
        if verb == "*" {
            verbs = vec!["*".to_owned()];
            break;
        }
        if !verbs.contains(verb) {
            verbs.push(verb.clone());
        }
    }
    let (resources, urls) = (call.parsed.list("resource").to_vec(), call.parsed.list("non-resource-url").to_vec());
    let names = call.parsed.list("resource-name").to_vec();
    let aggregates = call.parsed.is_set("aggregation-rule");
    if aggregates && (!verbs.is_empty() || !resources.is_empty() || !urls.is_empty()) {
        return Err("aggregation rule must be specified without nonResourceURLs, resources or resourceNames".to_owned());
    }
    if aggregates {
        return Ok(Vec::new());
    }
    if verbs.is_empty() {
        return Err("at least one verb must be specified".to_owned());
    }
    for verb in verbs.iter().filter(|verb| *verb != "*" && !KNOWN_VERBS.contains(&verb.as_str())) {
        call.io.err(&format!("Warning: '{verb}' is not a standard resource verb\n"));
    }
    if resources.is_empty() && urls.is_empty() {
        return Err(match kind {
            "Role" => "at least one resource must be specified".to_owned(),
            _ => "one of resource or nonResourceURL must be specified".to_owned(),
        });
    }
    let mut by_group: SortedMap<String, Vec<String>> = SortedMap::new();
    for resource in &resources {
        let (word, sub) = resource.split_once('/').map_or((resource.as_str(), ""), |(word, sub)| (word, sub));
        let (group, plural) = match find_kind(word) {
            _ if word == "*" => (String::new(), "*".to_owned()),
            Some(kind) => (kind.info().group.to_owned(), kind.info().plural.to_owned()),
            None => return Err(unknown(word)),
        };
        let full = if sub.is_empty() { plural } else { format!("{plural}/{sub}") };
        let list = by_group.entry(group).or_default();
        if !list.contains(&full) {
            list.push(full);
        }
    }
    let mut rules = Vec::new();
    for (group, resources) in by_group.iter() {
        let mut rule = object! {
            "apiGroups" => vec![Value::from(group.as_str())], "resources" => texts(resources), "verbs" => texts(&verbs),
        };
        if !names.is_empty() {
            rule.set("resourceNames", texts(&names));
        }
        rules.push(rule);
    }
    if !urls.is_empty() {
        rules.push(object! { "nonResourceURLs" => texts(&urls), "verbs" => texts(&verbs) });
    }
    Ok(rules)
}

fn binding(call: &mut Call<'_, '_>, kind: &str) -> Outcome {
    let name = match one_name(call) {
        Ok(name) => name,
        Err(outcome) => return outcome,
    };
    let text = |flag: &str| call.parsed.text(flag).unwrap_or_default().to_owned();
    let (role, cluster_role) = (text("role"), text("clusterrole"));
    let (role_kind, role_name) = match (role.is_empty(), cluster_role.is_empty()) {
        (true, true) if kind == "ClusterRoleBinding" => return call.fail("clusterrole is required"),
        (true, true) | (false, false) => return call.fail("exactly one of clusterrole or role must be specified"),
        (false, true) => ("Role", role),
        (true, false) => ("ClusterRole", cluster_role),
    };
    let mut subjects = Vec::new();
    for (flag, kind) in [("user", "User"), ("group", "Group")] {
        let named = call.parsed.list(flag).iter().filter(|name| !name.is_empty());
        subjects
            .extend(named.map(|name| object! { "apiGroup" => RBAC_GROUP, "kind" => kind, "name" => name.as_str() }));
    }
    for account in call.parsed.list("serviceaccount").to_vec() {
        let Some((namespace, name)) = account.split_once(':').filter(|(a, b)| !a.is_empty() && !b.is_empty()) else {
            return call.fail("serviceaccount must be <namespace>:<name>");
        };
        subjects.push(object! { "kind" => "ServiceAccount", "name" => name, "namespace" => namespace });
    }
    let mut made = bare(RBAC, kind, &name);
    made.set("roleRef", object! { "apiGroup" => RBAC_GROUP, "kind" => role_kind, "name" => role_name });
    if !subjects.is_empty() {
        made.set("subjects", subjects);
    }
    let failing = format!("failed to create {}:", kind.to_lowercase());
    create_made(call, made, Some(&failing))
}

/// A token that looks like one; nobody here checks its signature.
fn token(call: &mut Call<'_, '_>) -> Outcome {
    let name = match one_name(call) {
        Ok(name) => name,
        Err(outcome) => return outcome,
    };
    let namespace = call.namespace().to_owned();
    let Some(account) = call.desk.cluster.store().find(Kind::ServiceAccount, &namespace, &name).cloned() else {
        let error = ApiError::not_found(Kind::ServiceAccount, &name);
        return call.fail(&format!("failed to create token: {error}"));
    };
    let now = call.desk.cluster.now();
    let seconds = now.millis() / 1000;
    let lasts = call.duration("duration").ok().flatten().map_or(3600, |span| span.as_secs().max(600));
    let head = "{\"alg\":\"RS256\",\"kid\":\"batchyard\"}";
    let body = format!(
        "{{\"aud\":[\"https://kubernetes.default.svc.cluster.local\"],\"exp\":{},\"iat\":{seconds},\"iss\":\
         \"https://kubernetes.default.svc.cluster.local\",\"kubernetes.io\":{{\"namespace\":\"{namespace}\",\
         \"serviceaccount\":{{\"name\":\"{name}\",\"uid\":\"{}\"}}}},\"nbf\":{seconds},\"sub\":\
         \"system:serviceaccount:{namespace}:{name}\"}}",
        seconds + lasts.max(0),
        account.uid()
    );
    let signature = call.desk.cluster.rng().uuid(format_args!("token/{namespace}/{name}/{seconds}"));
    let url = |text: &str| base64_encode(text.as_bytes()).trim_end_matches('=').replace('+', "-").replace('/', "_");
    call.io.out(&format!("{}.{}.{}", url(head), url(&body), url(&signature)));
    Outcome::Exit(0)
}
