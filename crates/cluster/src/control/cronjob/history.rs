//! How many finished Jobs a CronJob keeps.
//!
//! Rule: `docs/semantics/cronjob.md` §6: beyond `successfulJobsHistoryLimit` and `failedJobsHistoryLimit` the oldest
//! go, by start time; those that never started are the youngest, and equals go by name. Source:
//! `pkg/controller/cronjob/cronjob_controllerv2.go` (`cleanupFinishedJobs`).

use std::rc::Rc;

use api::batch::CronJobSpec;
use api::object::Object;
use values::sort::sort_by_key;
use values::time::SimTime;

/// The Jobs to delete, in the order in which to do it: successful ones first.
pub fn surplus(spec: &CronJobSpec, jobs: &[Rc<Object>]) -> Vec<Rc<Object>> {
    let mut surplus = Vec::new();
    for (outcome, limit) in
        [("Complete", spec.successful_jobs_history_limit), ("Failed", spec.failed_jobs_history_limit)]
    {
        let Some(limit) = limit else { continue };
        let limit = usize::try_from(limit).unwrap_or(0);
        let mut finished: Vec<&Rc<Object>> =
            jobs.iter().filter(|job| job.job().finished().is_some_and(|c| c.kind == outcome)).collect();
        sort_by_key(&mut finished, |job| age_order(job));
        let count = finished.len().saturating_sub(limit);
        surplus.extend(finished.into_iter().take(count).cloned());
    }
    surplus
}

/// How many ended Jobs like this one are kept, and how many there were.
pub fn kept_and_had(spec: &CronJobSpec, jobs: &[Rc<Object>], like: &Object) -> [i64; 2] {
    let outcome = |job: &Object| job.job().finished().map(|condition| condition.kind.clone());
    let wanted = outcome(like);
    let limit = match wanted.as_deref() {
        Some("Complete") => spec.successful_jobs_history_limit,
        _ => spec.failed_jobs_history_limit,
    };
    let had = jobs.iter().filter(|job| outcome(job) == wanted).count();
    [i64::from(limit.unwrap_or(0)), i64::try_from(had).unwrap_or(i64::MAX)]
}

/// Sorts Jobs from the oldest to the youngest (`byJobStartTime`).
pub fn age_order(job: &Object) -> (bool, Option<SimTime>, String) {
    let start = job.job().status.start_time;
    (start.is_none(), start, job.name().to_owned())
}
