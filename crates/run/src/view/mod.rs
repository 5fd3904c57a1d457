//! What the page shows: plain data, no types of Kubernetes, nothing left to compute but pixels.
//!
//! Rule: the view says what is true and since when; the page only draws and interpolates. Times are milliseconds since
//! the start of the run (`*_ms`), so the page never does calendar sums. Everything is `PartialEq`, so that a panel whose
//! part did not change is not drawn again, and can be written as JSON and read back, so that it may come from a worker.

mod coming;
mod lanes;
mod scene;

use std::rc::Rc;

use serde::{Deserialize, Serialize};

pub use coming::{Coming, coming};
pub use lanes::History;
pub use scene::scene;
pub(crate) use scene::wall_clock;

/// The whole picture at one moment.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct View {
    /// Now, since the start of the run.
    pub now_ms: i64,
    /// Now on the virtual wall clock: `2026-11-21 08:00:42 UTC`.
    pub wall_clock: String,
    pub jobs: Rc<Vec<JobCard>>,
    pub cron_jobs: Rc<Vec<CronCard>>,
    pub nodes: Rc<Vec<NodePlace>>,
    /// All Pods, oldest first.
    pub pods: Rc<Vec<PodToken>>,
    pub services: Rc<Vec<ServiceCard>>,
    pub lanes: Rc<Vec<Lane>>,
    /// Scheduled times of CronJobs and other moments worth a mark on the time line.
    pub marks: Rc<Vec<Mark>>,
    /// As `kubectl get events` has them, oldest first.
    pub events: Rc<Vec<EventRow>>,
}

impl View {
    /// True if nothing but the clock is different at `now_ms`, as long as nothing is written until then.
    pub fn holds_at(&self, now_ms: i64) -> bool {
        let tries = self.jobs.iter().filter_map(|job| job.next_try_ms);
        let schedules = self.cron_jobs.iter().filter_map(|cron| cron.next_ms);
        tries.chain(schedules).all(|at| at > now_ms)
    }

    /// Takes over from `old` every part that is equal, so that who drew it need not look at it again.
    pub fn share_unchanged(&mut self, old: &View) {
        fn share<T: PartialEq>(new: &mut Rc<T>, old: &Rc<T>) {
            if **new == **old {
                *new = Rc::clone(old);
            }
        }
        share(&mut self.jobs, &old.jobs);
        share(&mut self.cron_jobs, &old.cron_jobs);
        share(&mut self.nodes, &old.nodes);
        share(&mut self.pods, &old.pods);
        share(&mut self.services, &old.services);
        share(&mut self.lanes, &old.lanes);
        share(&mut self.marks, &old.marks);
        share(&mut self.events, &old.events);
    }
}

/// A Pod's state as one of the page's signs; their shapes and colours are the page's (`src/app/sign.rs`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub enum Sign {
    /// Pending and not yet placed.
    #[default]
    Waits,
    /// The scheduler found no node.
    NoRoom,
    /// Placed: pulling, creating, initialising.
    Starts,
    Runs,
    Done,
    Failed,
    /// Waiting to be restarted, or to pull again.
    BacksOff,
    /// Being deleted.
    Ends,
}

impl Sign {
    /// The one word under the sign.
    pub fn word(self) -> &'static str {
        match self {
            Sign::Waits => "waits",
            Sign::NoRoom => "no room",
            Sign::Starts => "starts",
            Sign::Runs => "runs",
            Sign::Done => "done",
            Sign::Failed => "failed",
            Sign::BacksOff => "backs off",
            Sign::Ends => "ends",
        }
    }
}

/// Where a Pod is drawn.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub enum Place {
    #[default]
    Waiting,
    Node(String),
    Finished,
}

/// One Pod on the stage.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct PodToken {
    pub uid: String,
    pub namespace: String,
    pub name: String,
    /// The last five letters, to tell siblings apart.
    pub short: String,
    /// `Job/parallel`; empty for a bare Pod.
    pub owner: String,
    /// Of an Indexed Job's Pod.
    pub index: Option<String>,
    pub place: Place,
    pub sign: Sign,
    /// More than the sign's word where there is more to say: `pulls`, `exit 1`, `ends 18 s`, `OOMKilled`.
    pub word: String,
    /// kubectl's STATUS column: `ContainerCreating`, `CrashLoopBackOff` …
    pub status: String,
    /// kubectl's READY column: `0/1`.
    pub ready: String,
    pub restarts: i32,
    /// Since when the sign holds.
    pub since_ms: i64,
    /// When it will end by itself: a back-off, a grace period, a deadline. None if nobody knows.
    pub until_ms: Option<i64>,
    pub created_ms: i64,
    /// Names of its containers, init containers first; for the log panel.
    pub containers: Vec<String>,
    /// Nobody here knows one of its images: what that starts is not run, but taken to succeed.
    pub stands_in: bool,
    /// Why it waits or failed, in one sentence; empty if there is nothing to say.
    pub note: String,
}

/// One machine on the stage.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct NodePlace {
    pub name: String,
    pub ready: bool,
    /// False if cordoned.
    pub schedulable: bool,
    /// Pods bound to it that have not ended, and how many it takes.
    pub pods: i64,
    pub pods_max: i64,
    /// Requested, in per cent of what it has.
    pub cpu_percent: i64,
    pub memory_percent: i64,
    /// `1500m of 2`
    pub cpu_text: String,
    pub memory_text: String,
    /// kubectl's STATUS column: `Ready`, `NotReady,SchedulingDisabled` …
    pub status: String,
}

/// A Job's band.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct JobCard {
    pub uid: String,
    pub name: String,
    /// `CronJob/hello`; empty if nobody owns it.
    pub owner: String,
    /// The CronJob that made it.
    pub cron_job: Option<String>,
    /// kubectl's STATUS column: `Running`, `Complete`, `Failed`, `Suspended`, `FailureTarget` …
    pub status: String,
    /// The sign that goes with the status.
    pub sign: Sign,
    /// How it ends is settled: no Pod will be made any more.
    pub settled: bool,
    pub active: i64,
    pub ready: i64,
    pub succeeded: i64,
    pub failed: i64,
    pub terminating: i64,
    /// None for a work queue.
    pub completions: Option<i64>,
    /// kubectl's COMPLETIONS column: `3/10`, `0/1 of 5`.
    pub completions_text: String,
    pub parallelism: i64,
    /// Failures that make the Job fail; none if it has no such limit in the whole.
    pub fails_at: Option<i64>,
    pub suspended: bool,
    pub created_ms: i64,
    pub conditions: Vec<ConditionRow>,
    /// When the next Pod may be created, if a back-off holds it.
    pub next_try_ms: Option<i64>,
    /// When that back-off began.
    pub next_try_from_ms: Option<i64>,
    /// When `activeDeadlineSeconds` or the TTL strikes, with which of the two.
    pub candle: Option<Candle>,
}

/// Something that burns down.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Candle {
    /// `activeDeadlineSeconds` or `ttlSecondsAfterFinished`.
    pub field: String,
    /// What happens when it has burnt down, before the time that is left: `deleted in`, `deadline in`.
    pub says: String,
    pub from_ms: i64,
    pub until_ms: i64,
}

/// One line of a Job's conditions.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ConditionRow {
    pub kind: String,
    pub status: String,
    pub reason: String,
    pub message: String,
    pub at_ms: i64,
}

/// A CronJob's dial.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct CronCard {
    pub uid: String,
    pub name: String,
    pub schedule: String,
    pub time_zone: String,
    pub concurrency_policy: String,
    pub suspended: bool,
    pub active: i64,
    pub last_ms: Option<i64>,
    pub next_ms: Option<i64>,
}

/// A Service and what stands behind it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct ServiceCard {
    pub name: String,
    pub cluster_ip: String,
    /// Names of the ready Pods.
    pub endpoints: Vec<String>,
}

/// A Pod's row on the time line.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Lane {
    pub uid: String,
    pub namespace: String,
    pub name: String,
    pub short: String,
    pub owner: String,
    pub segments: Vec<Segment>,
    /// When the Pod was gone from the API.
    pub gone_ms: Option<i64>,
}

/// A stretch of a lane in which the sign was the same.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Segment {
    pub sign: Sign,
    pub word: String,
    pub from_ms: i64,
    /// None while it lasts.
    pub to_ms: Option<i64>,
}

/// A moment on the time line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Mark {
    pub at_ms: i64,
    pub kind: MarkKind,
    pub text: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum MarkKind {
    /// A CronJob made a Job.
    Cron,
    /// A Job ended well.
    Complete,
    /// A Job failed.
    Failed,
    /// The user did something: applied, typed, broke.
    Input,
}

/// One line of `kubectl get events`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct EventRow {
    pub key: String,
    /// When it was last seen.
    pub at_ms: i64,
    pub warning: bool,
    pub reason: String,
    /// `job/parallel`
    pub object: String,
    pub message: String,
    pub count: i64,
    /// `job-controller`
    pub source: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_crosses_a_border_as_it_is() {
        let pod = PodToken {
            name: "a".into(),
            place: Place::Node("node-1".into()),
            sign: Sign::Runs,
            until_ms: Some(3),
            ..PodToken::default()
        };
        let candle =
            Candle { field: "activeDeadlineSeconds".into(), says: "deadline in".into(), from_ms: 0, until_ms: 9 };
        let job = JobCard { name: "j".into(), candle: Some(candle), ..JobCard::default() };
        let mark = Mark { at_ms: 7, kind: MarkKind::Input, text: "apply".into() };
        let view = View {
            now_ms: 1,
            pods: Rc::new(vec![pod]),
            jobs: Rc::new(vec![job]),
            marks: Rc::new(vec![mark]),
            ..View::default()
        };
        let text = serde_json::to_string(&view).unwrap();
        assert_eq!(serde_json::from_str::<View>(&text).unwrap(), view);
    }
}
