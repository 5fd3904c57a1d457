//! Defaults of Jobs and CronJobs. Source: `pkg/apis/batch/v1/defaults.go`.

use values::value::Value;

use super::edit::{default_in, each, update};
use super::pod;

/// A Job without own labels gets its template's.
pub(super) fn job(object: &mut Value) {
    default_in(object, "spec", Value::map);
    update(object, "spec", |spec| {
        if spec.at("completions").is_null() && spec.at("parallelism").is_null() {
            spec.map_mut().insert("completions", 1);
        }
        default_in(spec, "parallelism", || 1.into());
        let per_index = !spec.at("backoffLimitPerIndex").is_null();
        default_in(spec, "backoffLimit", || if per_index { i32::MAX.into() } else { 6.into() });
        default_in(spec, "completionMode", || "NonIndexed".into());
        default_in(spec, "suspend", || false.into());
        default_in(spec, "manualSelector", || false.into());
        let has_policy = !spec.at("podFailurePolicy").is_null();
        default_in(spec, "podReplacementPolicy", || if has_policy { "Failed" } else { "TerminatingOrFailed" }.into());
        failure_policy(spec);
        update(spec, "template", pod::template);
    });
    let labels = object.at("spec.template.metadata.labels").clone();
    if object.at("metadata.labels").is_empty() && !labels.is_empty() {
        update(object, "metadata", |metadata| {
            metadata.map_mut().insert("labels", labels);
        });
    }
}

pub(super) fn cron_job(object: &mut Value) {
    default_in(object, "spec", Value::map);
    update(object, "spec", |spec| {
        default_in(spec, "concurrencyPolicy", || "Allow".into());
        default_in(spec, "suspend", || false.into());
        default_in(spec, "successfulJobsHistoryLimit", || 3.into());
        default_in(spec, "failedJobsHistoryLimit", || 1.into());
        // The Job's own defaults come when the Job is made.
        update(spec, "jobTemplate", |job| {
            update(job, "spec", |spec| {
                failure_policy(spec);
                update(spec, "template", pod::template);
            });
        });
    });
}

fn failure_policy(spec: &mut Value) {
    update(spec, "podFailurePolicy", |policy| {
        each(policy, "rules", |rule| {
            each(rule, "onPodConditions", |pattern| {
                if pattern.str_at("status").is_none_or(str::is_empty) {
                    pattern.set("status", "True");
                }
            });
        });
    });
}
