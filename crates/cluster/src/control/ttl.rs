//! The ttl-after-finished controller: deletes Jobs some time after they ended.
//!
//! Rule: `docs/semantics/ttl.md` §1. The time counts from the whole second of the condition `Complete` or `Failed`; the
//! Job is read again before it is deleted, and it is deleted in the foreground. Source:
//! `pkg/controller/ttlafterfinished/ttlafterfinished_controller.go`.

use crate::actor::{Actor, WorkQueue};
use crate::store::{Api, Cause, Change, ChangeType, DeleteOptions, Happened, Propagation, Rule, Store, Subject};
use api::batch::Job;
use api::kind::Kind;
use api::meta::Key;
use values::time::{SimTime, Span};

/// From a change of the Job until the controller has looked at it.
const WATCH_DELAY: Span = Span::ms(5);
/// From the expiry to the deletion.
const EXPIRY_DELAY: Span = Span::ms(9);

/// ttl-after-finished-controller.
#[derive(Clone, Debug, Default)]
pub struct TtlAfterFinished {
    queue: WorkQueue<Key>,
}

/// When a Job is due, as seen from one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Expiry {
    pub at: SimTime,
    /// Negative once the moment has passed.
    pub left: Span,
}

/// How long the Job has left at `since`.
///
/// # Errors
/// If it has not ended, has no TTL, or does not say when it ended.
pub fn time_left(job: &Job, since: SimTime) -> Result<Expiry, String> {
    let name = || format!("{}/{}", job.metadata.namespace, job.metadata.name);
    let finished =
        job.status.conditions.iter().find(|c| (c.kind == "Complete" || c.kind == "Failed") && c.status == "True");
    let (Some(condition), Some(ttl_seconds)) = (finished, job.spec.ttl_seconds_after_finished) else {
        return Err(format!("job {} should not be cleaned up", name()));
    };
    let Some(finished_at) = condition.last_transition_time else {
        return Err(format!("unable to find the time when the Job {} finished", name()));
    };
    let at = finished_at + Span::secs(i64::from(ttl_seconds));
    Ok(Expiry { at, left: at.since(since) })
}

impl TtlAfterFinished {
    pub fn new() -> TtlAfterFinished {
        TtlAfterFinished::default()
    }

    fn plan(&mut self, key: Key, job: &Job, now: SimTime, cause: Cause) {
        if job.metadata.is_being_deleted() {
            self.queue.remove(&key);
        } else if let Ok(expiry) = time_left(job, now) {
            self.queue.add(key, (expiry.at + EXPIRY_DELAY).max(now + WATCH_DELAY), cause);
        }
    }
}

impl Actor for TtlAfterFinished {
    fn name(&self) -> &'static str {
        "ttl-after-finished-controller"
    }

    fn observe(&mut self, change: &Change, _store: &Store) {
        if change.kind() != Kind::Job {
            return;
        }
        let key = change.object.key();
        if change.change == ChangeType::Deleted {
            self.queue.remove(&key);
        } else if change.object.value().has("spec.ttlSecondsAfterFinished") {
            self.plan(key, change.object.job(), change.at, change.cause());
        }
    }

    fn next_wakeup(&self) -> Option<SimTime> {
        self.queue.next_at()
    }

    fn step(&mut self, api: &mut Api<'_>) {
        let now = api.now();
        let Some(due) = self.queue.pop(now) else { return };
        let Some(object) = api.get(&due.key) else { return };
        // The TTL may have been changed since this was planned.
        match time_left(object.job(), now) {
            Ok(expiry) if !expiry.left.is_positive() => {
                let ttl_ms = i64::from(object.job().spec.ttl_seconds_after_finished.unwrap_or(0)) * 1000;
                api.set_cause(due.cause.counted(Rule::JobTtl, [ttl_ms, 0]));
                api.note(Subject::from(&*object), Happened::TimeUp);
                let options = DeleteOptions {
                    propagation: Some(Propagation::Foreground),
                    grace_period_seconds: None,
                    precondition_uid: Some(object.uid().to_owned()),
                };
                let deleted = api.delete(&due.key, &options);
                debug_assert!(deleted.is_ok(), "the Job is there: {deleted:?}");
            }
            Ok(_) => self.plan(due.key, object.job(), now, due.cause),
            Err(_) => {}
        }
    }

    fn restart(&mut self, now: SimTime, store: &Store, cause: Cause) {
        self.queue = WorkQueue::new();
        for object in store.list(Kind::Job) {
            self.plan(object.key(), object.job(), now, cause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actor::stage::Stage;
    use values::object;
    use values::value::Value;

    fn stage_with_job(ttl: &str) -> Stage {
        let mut stage = Stage::new(vec![Box::new(TtlAfterFinished::new())]);
        stage.create(&format!(
            r#"{{"apiVersion":"batch/v1","kind":"Job","metadata":{{"name":"a"}},"spec":{{{ttl}"template":{{"spec":
            {{"restartPolicy":"Never","containers":[{{"name":"main","image":"busybox:1.36"}}]}}}}}}}}"#
        ));
        stage
    }

    fn finish(stage: &mut Stage) {
        let now = stage.now;
        stage.patch_status(Kind::Job, "a", |status| {
            let condition = object! { "type" => "Complete", "status" => "True", "lastTransitionTime" => now };
            status.set("conditions", vec![condition]);
        });
    }

    fn deleted_at(stage: &Stage) -> Option<i64> {
        stage.first_time(Kind::Job, "a", |c| c.object.meta().is_being_deleted())
    }

    #[test]
    fn the_time_counts_from_the_whole_second() {
        let mut stage = stage_with_job(r#""ttlSecondsAfterFinished":5,"#);
        stage.run_for(Span::ms(2700));
        finish(&mut stage);
        stage.run_for(Span::secs(10));
        assert_eq!(deleted_at(&stage), Some(7009));
        assert!(stage.get(Kind::Job, "a").meta().has_finalizer("foregroundDeletion"));
    }

    #[test]
    fn zero_deletes_at_once_and_no_ttl_never() {
        let mut stage = stage_with_job(r#""ttlSecondsAfterFinished":0,"#);
        finish(&mut stage);
        stage.run_for(Span::secs(1));
        assert_eq!(deleted_at(&stage), Some(9));
        let mut stage = stage_with_job("");
        finish(&mut stage);
        stage.run_for(Span::mins(60));
        assert_eq!(deleted_at(&stage), None);
    }

    #[test]
    fn a_ttl_may_be_set_shortened_or_lengthened_on_a_finished_job() {
        let key = Key::new(Kind::Job, "default", "a");
        let set = |stage: &mut Stage, seconds: i64| {
            let edit = |job: &mut Value| job.set("spec.ttlSecondsAfterFinished", seconds);
            stage.api(|api| api.update(&key, edit)).unwrap();
        };
        let mut stage = stage_with_job(r#""ttlSecondsAfterFinished":10,"#);
        finish(&mut stage);
        stage.run_for(Span::secs(5));
        set(&mut stage, 20);
        stage.run_for(Span::secs(10));
        assert_eq!(deleted_at(&stage), None);
        set(&mut stage, 1);
        stage.run_for(Span::secs(1));
        assert_eq!(deleted_at(&stage), Some(15_005));
    }
}
