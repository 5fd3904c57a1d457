//! `kubectl create namespace|serviceaccount|priorityclass|quota`.
//!
//! Source: `kubectl/pkg/cmd/create/create_{namespace,serviceaccount,priorityclass,quota}.go`.

use crate::kubectl::common;
use crate::kubectl::create::{PLAIN, bare, create_made, one_name};
use crate::kubectl::flags::{Takes, flag};
use crate::kubectl::set::quantities;
use crate::kubectl::{Call, Outcome, Verb};
use values::value::Value;

pub const NAMESPACE: Verb = Verb {
    name: "create namespace",
    summary: "Create a Namespace",
    usage: "kubectl create namespace NAME [--dry-run=server|client|none]",
    flags: &PLAIN,
    run: namespace,
};

pub const SERVICE_ACCOUNT: Verb = Verb {
    name: "create serviceaccount",
    summary: "Create a ServiceAccount",
    usage: "kubectl create serviceaccount NAME [--dry-run=server|client|none]",
    flags: &PLAIN,
    run: service_account,
};

pub const PRIORITY_CLASS: Verb = Verb {
    name: "create priorityclass",
    summary: "Create a PriorityClass",
    usage: "kubectl create priorityclass NAME --value=VALUE --global-default=BOOL [--dry-run=server|client|none]",
    flags: &[
        common::MISSING_KEYS,
        flag("description", Takes::Text, "What the class is for"),
        common::DRY_RUN,
        common::FIELD_MANAGER,
        flag("global-default", Takes::Nothing, "The class of Pods that name none").default("false"),
        common::OUTPUT,
        flag("preemption-policy", Takes::Text, "PreemptLowerPriority or Never").default("PreemptLowerPriority"),
        common::SAVE_CONFIG,
        common::MANAGED_FIELDS,
        common::TEMPLATE,
        common::VALIDATE,
        flag("value", Takes::Number, "The priority").default("0"),
    ],
    run: priority_class,
};

pub const QUOTA: Verb = Verb {
    name: "create quota",
    summary: "Create a ResourceQuota",
    usage: "kubectl create quota NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2] [--dry-run=server|client|none]",
    flags: &[
        common::MISSING_KEYS,
        common::DRY_RUN,
        common::FIELD_MANAGER,
        flag("hard", Takes::Text, "The limits: pods=2,requests.cpu=1"),
        common::OUTPUT,
        common::SAVE_CONFIG,
        flag("scopes", Takes::Text, "The scopes that every counted object must match"),
        common::MANAGED_FIELDS,
        common::TEMPLATE,
        common::VALIDATE,
    ],
    run: quota,
};

fn namespace(call: &mut Call<'_, '_>) -> Outcome {
    let name = match one_name(call) {
        Ok(name) => name,
        Err(outcome) => return outcome,
    };
    let mut made = bare("v1", "Namespace", &name);
    made.set("spec", Value::map());
    made.set("status", Value::map());
    create_made(call, made, None)
}

fn service_account(call: &mut Call<'_, '_>) -> Outcome {
    match one_name(call) {
        Ok(name) => create_made(call, bare("v1", "ServiceAccount", &name), Some("failed to create serviceaccount:")),
        Err(outcome) => outcome,
    }
}

fn priority_class(call: &mut Call<'_, '_>) -> Outcome {
    let name = match one_name(call) {
        Ok(name) => name,
        Err(outcome) => return outcome,
    };
    let value = match call.number("value") {
        Ok(value) => value.unwrap_or(0),
        Err(text) => return call.fail(&text),
    };
    let mut made = bare("scheduling.k8s.io/v1", "PriorityClass", &name);
    made.set("value", value);
    if call.parsed.on("global-default") {
        made.set("globalDefault", true);
    }
    if let Some(text) = call.parsed.text("description") {
        made.set("description", text);
    }
    made.set("preemptionPolicy", call.parsed.text("preemption-policy").unwrap_or("PreemptLowerPriority"));
    create_made(call, made, Some("failed to create priorityclass:"))
}

fn quota(call: &mut Call<'_, '_>) -> Outcome {
    let name = match one_name(call) {
        Ok(name) => name,
        Err(outcome) => return outcome,
    };
    let hard = match quantities(call.parsed.text("hard").unwrap_or_default()) {
        Ok(hard) => hard,
        Err(text) => return call.fail(&text),
    };
    let mut made = bare("v1", "ResourceQuota", &name);
    made.set("spec", Value::map());
    if !hard.is_empty() {
        made.set("spec.hard", hard);
    }
    let scopes = call.parsed.text("scopes").unwrap_or_default().split(',').filter(|s| !s.is_empty());
    let scopes: Vec<Value> = scopes.map(Value::from).collect();
    if !scopes.is_empty() {
        made.set("spec.scopes", scopes);
    }
    made.set("status", Value::map());
    create_made(call, made, Some("failed to create quota:"))
}
