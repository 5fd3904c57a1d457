//! CronJobs.
//!
//! Rules and texts: `docs/semantics/validation.md` §5. Source: `pkg/apis/batch/validation/validation.go`.

use values::cron::Schedule;
use values::value::Value;
use values::zone::{ZoneTable, check_time_zone};

use super::field::{Errors, Path};
use super::read::{flag, get, int, set, text};
use super::{job, meta, names};

const SPEC: Path<'static> = Path::root("spec");
const METADATA: Path<'static> = Path::root("metadata");
/// A Job's name is the CronJob's with a dash and ten digits behind it.
const MAX_NAME: usize = 52;

/// Checks a new CronJob.
pub fn create(errors: &mut Errors, cron_job: &Value, zones: &ZoneTable) {
    meta::create(errors, cron_job, true, names::dns_subdomain);
    spec(errors, get(cron_job, "spec"), None, zones);
    let name = text(get(cron_job, "metadata"), "name");
    if name.len() > MAX_NAME {
        errors.invalid(&METADATA.child("name"), name, "must be no more than 52 characters");
    }
}

/// Checks a changed CronJob. Everything may change; what was wrong before may stay in a few places.
pub fn update(errors: &mut Errors, cron_job: &Value, old: &Value, zones: &ZoneTable) {
    meta::update(errors, cron_job, old);
    spec(errors, get(cron_job, "spec"), Some(get(old, "spec")), zones);
}

fn spec(errors: &mut Errors, spec: &Value, old: Option<&Value>, zones: &ZoneTable) {
    let path = SPEC.child("schedule");
    match text(spec, "schedule") {
        "" => errors.required(&path, ""),
        written => {
            let had_zone = old.is_some_and(|old| text(old, "schedule").contains("TZ"));
            schedule(errors, &path, written, set(spec, "timeZone").is_some(), had_zone, zones);
        }
    }
    errors.non_negative(&SPEC.child("startingDeadlineSeconds"), int(spec, "startingDeadlineSeconds"));
    // A zone that was accepted once stays, whatever this table knows.
    let zone = get(spec, "timeZone");
    if let Some(zone) = zone.as_str().filter(|_| old.is_none_or(|old| get(old, "timeZone") != zone)) {
        // Without a table (the page fetches it later) nothing can be said against a name; the controller waits for it.
        if !zones.is_empty() || zone.is_empty() || zone.eq_ignore_ascii_case("Local") {
            errors.invalid_each(&SPEC.child("timeZone"), zone, check_time_zone(zone, zones));
        }
    }
    match text(spec, "concurrencyPolicy") {
        "Allow" | "Forbid" | "Replace" => {}
        "" => errors.required(&SPEC.child("concurrencyPolicy"), ""),
        other => errors.unsupported(&SPEC.child("concurrencyPolicy"), other, &["Allow", "Forbid", "Replace"]),
    }
    job_template(errors, get(spec, "jobTemplate"));
    for field in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        errors.non_negative(&SPEC.child(field), int(spec, field));
    }
}

/// Checks a schedule. `zone_allowed` if the old one had a zone in it, too.
fn schedule(
    errors: &mut Errors,
    path: &Path<'_>,
    written: &str,
    has_time_zone: bool,
    zone_allowed: bool,
    zones: &ZoneTable,
) {
    if let Err(error) = Schedule::parse(written, zones) {
        errors.invalid(path, written, &error.to_string());
    }
    if !written.contains("TZ") {
        return;
    }
    if !zone_allowed {
        errors.invalid(path, written, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead");
    } else if has_time_zone {
        errors.invalid(path, written, "cannot use both timeZone field and TZ or CRON_TZ in schedule");
    }
}

fn job_template(errors: &mut Errors, template: &Value) {
    let path = SPEC.child("jobTemplate.spec");
    let spec = get(template, "spec");
    job::spec(errors, &path, spec);
    if let Some(selector) = set(spec, "selector") {
        errors.invalid(&path.child("selector"), selector, "`selector` will be auto-generated");
    }
    if flag(spec, "manualSelector") {
        let value = get(spec, "manualSelector");
        errors.unsupported(&path.child("manualSelector"), value, &["nil", "false"]);
    }
}
