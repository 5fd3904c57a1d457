//! A CronJob (`describeCronJob`).

use super::sheet::{text, time, yes};
use super::{Sheet, template};
use api::columns::label_selector;
use values::value::Value;

pub fn describe(sheet: &mut Sheet, value: &Value) {
    let or_unset = |path: &str| match value.at(path) {
        Value::Null => "<unset>".to_owned(),
        Value::Str(text) => text.to_string(),
        other => other.to_json(),
    };
    let seconds = |path: &str| value.i64_at(path).map(|seconds| format!("{seconds}s"));
    sheet.names(value);
    sheet.labels_and_annotations(value);
    sheet.row("Schedule", text(value, "spec.schedule"));
    sheet.row("Concurrency Policy", text(value, "spec.concurrencyPolicy"));
    sheet.row("Suspend", value.bool_at("spec.suspend").map_or("<unset>", yes));
    sheet.row("Time Zone", or_unset("spec.timeZone"));
    sheet.row("Successful Job History Limit", or_unset("spec.successfulJobsHistoryLimit"));
    sheet.row("Failed Job History Limit", or_unset("spec.failedJobsHistoryLimit"));
    let deadline = seconds("spec.startingDeadlineSeconds");
    sheet.row("Starting Deadline Seconds", deadline.unwrap_or_else(|| "<unset>".to_owned()));
    let selector = value.at("spec.jobTemplate.spec.selector");
    sheet.row("Selector", if selector.is_null() { "<unset>".to_owned() } else { label_selector(selector) });
    sheet.row("Parallelism", or_unset("spec.jobTemplate.spec.parallelism"));
    sheet.row("Completions", or_unset("spec.jobTemplate.spec.completions"));
    sheet.row_if("Active Deadline Seconds", seconds("spec.jobTemplate.spec.activeDeadlineSeconds"));
    template::describe(sheet, value.at("spec.jobTemplate.spec.template"));
    sheet.row("Last Schedule Time", time(value, "status.lastScheduleTime").unwrap_or_else(|| "<unset>".to_owned()));
    let active: Vec<&str> = value.list_at("status.active").iter().map(|job| text(job, "name")).collect();
    sheet.row("Active Jobs", if active.is_empty() { "<none>".to_owned() } else { active.join(", ") });
}
