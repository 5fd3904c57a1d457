//! Jobs: new ones, changed ones, and the Job's spec inside a CronJob.
//!
//! Rules and texts: `docs/semantics/validation.md` §2 and §3. Source: `pkg/apis/batch/validation/validation.go`,
//! `pkg/registry/batch/job/strategy.go` (`validationOptionsForJob`).

use values::value::Value;

use super::field::{Errors, IMMUTABLE, Path, Shown};
use super::meta::{self, immutable};
use super::read::{flag, get, int, items, same, set, text};
use super::{go_form, job_policy, names, pod, selector};

const SPEC: Path<'static> = Path::root("spec");
const METADATA: Path<'static> = Path::root("metadata");
const MAX_MANAGED_BY: usize = 63;
const MAX_INDEXED_PARALLELISM: i64 = 100_000;
const MAX_FAILED_INDEXES: i64 = 100_000;
/// Above this many completions, back-off limits per index are possible only for narrow Jobs.
const HIGH_COMPLETIONS: i64 = 100_000;
const MAX_WITH_HIGH_COMPLETIONS: i64 = 10_000;

/// The labels a Job's Pods carry; each with the older name before it.
const GENERATED_LABELS: [(&str, &str); 4] = [
    ("controller-uid", "uid"),
    ("job-name", "name"),
    ("batch.kubernetes.io/controller-uid", "uid"),
    ("batch.kubernetes.io/job-name", "name"),
];

/// Which parts of the template an update may change. Only those of a suspended Job without Pods.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Mutable {
    scheduling: bool,
    resources: bool,
}

/// Checks a new Job, which has its generated selector and labels already.
pub fn create(errors: &mut Errors, job: &Value) {
    if has_only_generated_labels(job) {
        // A Job that was given no labels shows those of its template, but only when it is read again.
        let mut bare = job.clone();
        bare.remove("metadata.labels");
        return whole(errors, &bare, true, true);
    }
    whole(errors, job, true, true);
}

fn has_only_generated_labels(job: &Value) -> bool {
    let labels = job.at("metadata.labels");
    let generated = |key: &str| GENERATED_LABELS.iter().any(|(label, _)| *label == key);
    labels == job.at("spec.template.metadata.labels")
        && labels.as_map().is_some_and(|labels| labels.keys().all(generated))
}

/// Checks a changed Job.
pub fn update(errors: &mut Errors, job: &Value, old: &Value) {
    let (spec, old_spec) = (get(job, "spec"), get(old, "spec"));
    // A Job of before the labels had their prefix need not have them.
    let prefixed = has_prefixed_labels(old);
    // A selector that is as it was needs no second look, even if it was let in by an older server.
    let new_selector = !same(get(spec, "selector"), get(old_spec, "selector"));
    whole(errors, job, prefixed, new_selector);
    meta::update(errors, job, old);
    full_spec(errors, &SPEC, spec, new_selector);
    completions_update(errors, spec, old_spec);
    immutable(errors, &SPEC.child("selector"), get(spec, "selector"), get(old_spec, "selector"));
    template_update(errors, spec, old_spec, mutable_parts(old));
    for field in ["completionMode", "podFailurePolicy", "backoffLimitPerIndex", "managedBy", "successPolicy"] {
        let (new, old) = (get(spec, field), get(old_spec, field));
        if !same(new, old) {
            let value = match field {
                "podFailurePolicy" if !new.is_null() => go_form::shown("PodFailurePolicy", new),
                "successPolicy" if !new.is_null() => go_form::shown("SuccessPolicy", new),
                _ => Shown::pointer(new),
            };
            errors.invalid(&SPEC.child(field), value, IMMUTABLE);
        }
    }
}

fn whole(errors: &mut Errors, job: &Value, prefixed: bool, new_selector: bool) {
    meta::create(errors, job, true, names::dns_subdomain);
    generated_selector(errors, job, prefixed);
    let spec = get(job, "spec");
    full_spec(errors, &SPEC, spec, new_selector);
    if let Some(completions) = int(spec, "completions").filter(|n| is_indexed(spec) && *n > 0) {
        let name = text(get(job, "metadata"), "name");
        let host = format!("{name}-{}", completions - 1);
        if !names::dns_label(&host).is_empty() {
            let detail = format!("will not able to create pod with invalid DNS label: {host}");
            errors.invalid(&METADATA.child("name"), name, &detail);
        }
    }
}

fn has_prefixed_labels(job: &Value) -> bool {
    let labels = job.at("spec.template.metadata.labels");
    set(labels, "batch.kubernetes.io/job-name").is_some() && set(labels, "batch.kubernetes.io/controller-uid").is_some()
}

fn generated_selector(errors: &mut Errors, job: &Value, prefixed: bool) {
    let (spec, meta) = (get(job, "spec"), get(job, "metadata"));
    if flag(spec, "manualSelector") || set(spec, "selector").is_none() {
        return;
    }
    if text(meta, "uid").is_empty() {
        errors.required(&METADATA.child("uid"), "");
    }
    let template = SPEC.child("template.metadata.labels");
    let labels = spec.at("template.metadata.labels");
    let generated = &GENERATED_LABELS[..if prefixed { 4 } else { 2 }];
    let mut expected = values::value::Map::new();
    for (label, field) in generated {
        let wanted = text(meta, field);
        expected.insert(*label, wanted);
        let detail = format!("must be '{wanted}'");
        match set(labels, label) {
            None => errors.required(&template.key(label), &detail),
            Some(found) if found.as_str() != Some(wanted) => errors.invalid(&template.key(label), labels, &detail),
            Some(_) => {}
        }
    }
    let selector = get(spec, "selector");
    if selector::is_usable(selector) && !selector::matches(selector, &Value::from(expected)) {
        errors.invalid(&SPEC.child("selector"), selector, "`selector` not auto-generated");
    }
}

/// The spec of a Job that stands for itself: it has a selector.
fn full_spec(errors: &mut Errors, path: &Path<'_>, spec: &Value, new_selector: bool) {
    self::spec(errors, path, spec);
    let selector = get(spec, "selector");
    let selector_path = path.child("selector");
    if selector.is_null() {
        errors.required(&selector_path, "");
    } else if new_selector {
        selector::selector(errors, &selector_path, selector);
    }
    let labels = spec.at("template.metadata.labels");
    if (selector.is_null() || selector::is_usable(selector)) && !selector::matches(selector, labels) {
        let detail = "`selector` does not match template `labels`";
        errors.invalid(&path.child("template.metadata.labels"), labels, detail);
    }
}

/// The part of a Job's spec that it has inside a CronJob, too.
pub fn spec(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    for field in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        errors.non_negative(&path.child(field), int(spec, field));
    }
    if int(spec, "maxFailedIndexes").is_some() && int(spec, "backoffLimitPerIndex").is_none() {
        errors.required(&path.child("backoffLimitPerIndex"), "when maxFailedIndexes is specified");
    }
    if let Some(manager) = set(spec, "managedBy").and_then(Value::as_str) {
        managed_by(errors, &path.child("managedBy"), manager);
    }
    completion_mode(errors, path, spec);
    if let Some(policy) = set(spec, "podFailurePolicy") {
        job_policy::failure(errors, &path.child("podFailurePolicy"), policy, spec);
    }
    if let Some(policy) = set(spec, "successPolicy") {
        let policy_path = path.child("successPolicy");
        if is_indexed(spec) {
            job_policy::success(errors, &policy_path, policy, int(spec, "completions").unwrap_or(0));
        } else {
            errors.invalid(&policy_path, go_form::shown("SuccessPolicy", policy), "requires indexed completion mode");
        }
    }
    replacement_policy(errors, &path.child("podReplacementPolicy"), spec);
    pod::template(errors, &path.child("template"), get(spec, "template"));
    restart_policy(errors, &path.child("template.spec.restartPolicy"), spec);
}

fn managed_by(errors: &mut Errors, path: &Path<'_>, manager: &str) {
    domain_prefixed_path(errors, path, manager);
    if manager.len() > MAX_MANAGED_BY {
        errors.too_long(path, MAX_MANAGED_BY);
    }
}

/// `acme.io/foo`. Source: `IsDomainPrefixedPath`.
fn domain_prefixed_path(errors: &mut Errors, path: &Path<'_>, name: &str) {
    if name.is_empty() {
        return errors.required(path, "");
    }
    let (host, rest) = name.split_once('/').unwrap_or((name, ""));
    if host.is_empty() || rest.is_empty() {
        return errors.invalid(path, name, "must be a domain-prefixed path (such as \"acme.io/foo\")");
    }
    errors.invalid_each(path, host, names::dns_subdomain(host));
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&b);
    if !rest.bytes().all(allowed) {
        let detail = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";
        errors.invalid(path, rest, detail);
    }
}

/// True for completionMode Indexed.
fn is_indexed(spec: &Value) -> bool {
    text(spec, "completionMode") == "Indexed"
}

fn completion_mode(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    match set(spec, "completionMode").and_then(Value::as_str) {
        Some("Indexed") => indexed(errors, path, spec),
        None | Some("NonIndexed") => {
            for field in ["backoffLimitPerIndex", "maxFailedIndexes"] {
                if let Some(limit) = int(spec, field) {
                    errors.invalid(&path.child(field), limit, "requires indexed completion mode");
                }
            }
        }
        Some(other) => errors.unsupported(&path.child("completionMode"), other, &["NonIndexed", "Indexed"]),
    }
}

fn indexed(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let (completions, parallelism) = (int(spec, "completions"), int(spec, "parallelism"));
    let max_failed = int(spec, "maxFailedIndexes");
    let max_failed_path = path.child("maxFailedIndexes");
    if completions.is_none() {
        errors.required(&path.child("completions"), "when completion mode is Indexed");
    }
    if let Some(parallelism) = parallelism.filter(|n| *n > MAX_INDEXED_PARALLELISM) {
        let detail = format!("must be less than or equal to {MAX_INDEXED_PARALLELISM} when completion mode is Indexed");
        errors.invalid(&path.child("parallelism"), parallelism, &detail);
    }
    if let Some(max) = max_failed.filter(|max| completions.is_some_and(|n| *max > n)) {
        errors.invalid(&max_failed_path, max, "must be less than or equal to completions");
    }
    if let Some(max) = max_failed.filter(|max| *max > MAX_FAILED_INDEXES) {
        errors.invalid(&max_failed_path, max, &format!("must be less than or equal to {MAX_FAILED_INDEXES}"));
    }
    if completions.is_none_or(|n| n <= HIGH_COMPLETIONS) || int(spec, "backoffLimitPerIndex").is_none() {
        return;
    }
    let narrow = format!(
        "must be less than or equal to {MAX_WITH_HIGH_COMPLETIONS} when completions are above {HIGH_COMPLETIONS} and \
         used with backoff limit per index"
    );
    if max_failed.is_none() {
        let detail = format!("must be specified when completions is above {HIGH_COMPLETIONS}");
        errors.required(&max_failed_path, &detail);
    }
    if let Some(parallelism) = parallelism.filter(|n| *n > MAX_WITH_HIGH_COMPLETIONS) {
        errors.invalid(&path.child("parallelism"), parallelism, &narrow);
    }
    if let Some(max) = max_failed.filter(|max| *max > MAX_WITH_HIGH_COMPLETIONS) {
        errors.invalid(&max_failed_path, max, &narrow);
    }
}

fn replacement_policy(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    let Some(policy) = set(spec, "podReplacementPolicy").and_then(Value::as_str) else { return };
    let supported: &[&str] =
        if set(spec, "podFailurePolicy").is_some() { &["Failed"] } else { &["Failed", "TerminatingOrFailed"] };
    if !supported.contains(&policy) {
        errors.unsupported(path, policy, supported);
    }
}

/// A Job's Pods end, so they are not always restarted.
fn restart_policy(errors: &mut Errors, path: &Path<'_>, spec: &Value) {
    match spec.str_at("template.spec.restartPolicy").unwrap_or("") {
        "" | "Always" => errors.required(path, "valid values: \"OnFailure\", \"Never\""),
        "OnFailure" if set(spec, "podFailurePolicy").is_some() => {
            errors.invalid(path, "OnFailure", "only \"Never\" is supported when podFailurePolicy is specified");
        }
        "OnFailure" | "Never" => {}
        other => errors.unsupported(path, other, &["OnFailure", "Never"]),
    }
}

fn completions_update(errors: &mut Errors, spec: &Value, old: &Value) {
    let (new, old) = (get(spec, "completions"), get(old, "completions"));
    let path = SPEC.child("completions");
    if !is_indexed(spec) {
        return immutable(errors, &path, new, old);
    }
    if new != old && !new.is_null() && new != get(spec, "parallelism") {
        errors.invalid(&path, new, "can only be modified in tandem with spec.parallelism");
    }
}

/// Source: `validationOptionsForJob`: both gates are on in 1.36.
fn mutable_parts(old: &Value) -> Mutable {
    let status = get(old, "status");
    let suspended = flag(get(old, "spec"), "suspend") && int(status, "active").unwrap_or(0) == 0;
    let said_so =
        items(status, "conditions").iter().any(|c| text(c, "type") == "Suspended" && text(c, "status") == "True");
    let quiet = suspended && (set(status, "startTime").is_none() || said_so);
    Mutable { scheduling: quiet, resources: quiet }
}

fn template_update(errors: &mut Errors, spec: &Value, old: &Value, mutable: Mutable) {
    let (template, old) = (get(spec, "template"), get(old, "template"));
    if same(template, old) {
        return;
    }
    if mutable == Mutable::default() {
        return errors.invalid(&SPEC.child("template"), go_form::shown("PodTemplateSpec", template), IMMUTABLE);
    }
    let (new, mut old) = (get(template, "spec"), get(old, "spec").clone());
    if mutable.scheduling {
        for field in ["nodeSelector", "tolerations", "schedulingGates"] {
            take_over(&mut old, new, field);
        }
        let mut affinity = get(&old, "affinity").clone();
        take_over(&mut affinity, get(new, "affinity"), "nodeAffinity");
        old.map_mut().insert("affinity", affinity);
    }
    if mutable.resources {
        for list in ["containers", "initContainers"] {
            take_over_resources(&mut old, new, list);
        }
    }
    if !same(new, &old) {
        errors.invalid(&SPEC.child("template.spec"), go_form::shown("PodSpec", new), IMMUTABLE);
    }
}

/// Gives `to` the field as `from` has it.
fn take_over(to: &mut Value, from: &Value, field: &str) {
    match set(from, field) {
        Some(value) => _ = to.map_mut().insert(field, value.clone()),
        None if to.as_map().is_some_and(|map| map.contains_key(field)) => _ = to.map_mut().remove(field),
        None => {}
    }
}

/// Resources may change where the same containers stand in the same order.
fn take_over_resources(old: &mut Value, new: &Value, list: &str) {
    let new = items(new, list);
    if new.len() != items(old, list).len() {
        return;
    }
    let mut containers = items(old, list).to_vec();
    for (container, new) in containers.iter_mut().zip(new) {
        if text(container, "name") == text(new, "name") {
            take_over(container, new, "resources");
        }
    }
    if !containers.is_empty() {
        old.map_mut().insert(list, containers);
    }
}
