//! A Job (`describeJob`).

use super::sheet::{text, time};
use super::{Sheet, template};
use api::columns::label_selector;
use api::object::Object;
use values::human::human_duration;

/// Completed indexes are cut at the first comma after so many characters.
const INDEXES_SOFT_MAX: usize = 50;

pub fn describe(sheet: &mut Sheet, object: &Object) {
    let (value, job) = (object.value(), object.job());
    let status = &job.status;
    sheet.names(value);
    sheet.row("Selector", label_selector(value.at("spec.selector")));
    sheet.labels_and_annotations(value);
    sheet.controlled_by(value);
    sheet.row_if("Parallelism", job.spec.parallelism);
    match job.spec.completions {
        Some(completions) => sheet.row("Completions", completions),
        None => sheet.row("Completions", "<unset>"),
    }
    sheet.row_if("Completion Mode", job.spec.completion_mode.as_ref());
    sheet.row_if("Suspend", job.spec.suspend);
    sheet.row_if("Backoff Limit", job.spec.backoff_limit);
    sheet.row_if("TTL Seconds After Finished", job.spec.ttl_seconds_after_finished);
    sheet.row_if("Start Time", time(value, "status.startTime"));
    sheet.row_if("Completed At", time(value, "status.completionTime"));
    if let (Some(start), Some(end)) = (status.start_time, status.completion_time) {
        sheet.row("Duration", human_duration(end.since(start)));
    }
    sheet.row_if("Active Deadline Seconds", job.spec.active_deadline_seconds.map(|s| format!("{s}s")));
    let ready = status.ready.map(|ready| format!(" ({ready} Ready)")).unwrap_or_default();
    let (active, succeeded, failed) = (status.active, status.succeeded, status.failed);
    sheet.row("Pods Statuses", format!("{active} Active{ready} / {succeeded} Succeeded / {failed} Failed"));
    if job.is_indexed() {
        sheet.row("Completed Indexes", indexes(text(value, "status.completedIndexes")));
    }
    template::describe(sheet, &job.spec.template);
}

fn indexes(list: &str) -> String {
    if list.is_empty() {
        return "<none>".to_owned();
    }
    match list.get(INDEXES_SOFT_MAX..).and_then(|rest| rest.find(',')) {
        Some(comma) => format!("{}...", &list[..=INDEXES_SOFT_MAX + comma]),
        None => list.to_owned(),
    }
}
