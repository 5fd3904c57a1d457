//! The controller in a small cluster of its own: what the recordings of the real one show, with Jobs whose progress the
//! test plays (there is no Job controller here), and what they do not show.

use super::*;
use crate::store::{Cause, DeleteOptions, Rule};
use api::status::Reason;
use values::object;
use values::value::Value;

/// A store and the controller; times are seconds since `start`.
struct World {
    start: SimTime,
    now: SimTime,
    store: Store,
    controller: CronJobController,
    log: Vec<Change>,
}

impl World {
    fn new(start: &str, zones: ZoneTable) -> World {
        let start = SimTime::parse_rfc3339(start).unwrap();
        let controller = CronJobController::new(Rng::new(1), zones);
        let mut world = World { start, now: start, store: Store::new(), controller, log: Vec::new() };
        let namespace = object! {
            "apiVersion" => "v1", "kind" => "Namespace", "metadata" => object! { "name" => "default" },
        };
        world.act(|api| api.create(namespace)).unwrap();
        world.log.clear();
        world
    }

    fn act<R>(&mut self, act: impl FnOnce(&mut Api<'_>) -> R) -> R {
        let result = act(&mut Api::new(&mut self.store, self.now, Rng::new(1), "user"));
        self.tell();
        result
    }

    fn tell(&mut self) {
        for change in self.store.take_changes() {
            self.controller.observe(&change, &self.store);
            self.log.push(change);
        }
    }

    /// Lets the controller act until `seconds`.
    fn until(&mut self, seconds: f64) -> &mut World {
        let end = self.start + Span::ms((seconds * 1000.0).round() as i64);
        while let Some(at) = self.controller.next_wakeup().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.controller.step(&mut Api::new(&mut self.store, self.now, Rng::new(1), NAME));
            self.tell();
        }
        self.now = end;
        self
    }

    fn create(&mut self, name: &str, schedule: &str, spec: &str) -> &mut World {
        let mut tree = cron_job(name, schedule);
        for (field, value) in Value::from_json(spec).unwrap().as_map().unwrap().iter() {
            tree.put(&format!("spec.{field}"), value.clone());
        }
        self.act(|api| api.create(tree)).unwrap();
        self
    }

    fn patch(&mut self, name: &str, field: &str, value: impl Into<Value>) -> &mut World {
        let key = Key::new(Kind::CronJob, "default", name);
        self.act(|api| api.update(&key, |tree| tree.put(field, value.into()))).unwrap();
        self
    }

    /// The Job's Pod gets ready: a change without an end.
    fn ready(&mut self, job: &str, ready: i32) -> &mut World {
        let key = Key::new(Kind::Job, "default", job);
        let now = self.now;
        self.act(|api| {
            api.patch_status(&key, |status| {
                status.set_default("startTime", now);
                status.set("ready", ready);
            })
        })
        .unwrap();
        self
    }

    fn finish(&mut self, job: &str, condition: &str) -> &mut World {
        let (key, now) = (Key::new(Kind::Job, "default", job), self.now);
        self.act(|api| {
            api.patch_status(&key, |status| {
                status.set_default("startTime", now);
                let interim = if condition == "Complete" { "SuccessCriteriaMet" } else { "FailureTarget" };
                let conditions = [interim, condition].map(|kind| object! { "type" => kind, "status" => "True" });
                status.set("conditions", conditions.to_vec());
                if condition == "Complete" {
                    status.set("completionTime", now);
                }
            })
        })
        .unwrap();
        self
    }

    fn cron(&self, name: &str) -> Rc<CronJob> {
        Rc::clone(self.store.find(Kind::CronJob, "default", name).unwrap().cron_job())
    }

    fn jobs(&self) -> Vec<&str> {
        self.store.list(Kind::Job).map(|job| job.name()).collect()
    }

    /// What the controller wrote, a line each: tenths of a second, and what matters of the object.
    fn written(&mut self) -> String {
        let mut text = String::new();
        for change in std::mem::take(&mut self.log).iter().filter(|change| change.actor == NAME) {
            let tenths = change.at.since(self.start).as_ms() / 100;
            let (object, value) = (&change.object, change.object.value());
            let what = match change.kind() {
                Kind::Job => format!("{} {}", change.change.name(), object.name()),
                Kind::CronJob => {
                    let status = &object.cron_job().status;
                    let active: Vec<&str> = status.active.iter().map(|job| minutes(&job.name)).collect();
                    let at = |time: Option<SimTime>| time.map_or("-".to_owned(), |at| at.format("%H:%M:%S"));
                    let (last, success) = (at(status.last_schedule_time), at(status.last_successful_time));
                    format!("STATUS active {active:?} last {last} success {success}")
                }
                _ => {
                    let (count, reason) = (value.i64_at("count").unwrap(), value.str_at("reason").unwrap());
                    format!("EVENT {count} {reason}: {}", value.str_at("message").unwrap())
                }
            };
            text.push_str(&format!("{}.{} {what}\n", tenths / 10, tenths % 10));
        }
        text
    }
}

fn minutes(job: &str) -> &str {
    job.rsplit('-').next().unwrap()
}

fn cron_job(name: &str, schedule: &str) -> Value {
    let container = object! { "name" => "hello", "image" => "busybox:1.36" };
    let pod = object! { "restartPolicy" => "OnFailure", "containers" => vec![container] };
    let template = object! { "spec" => object! { "template" => object! { "spec" => pod } } };
    object! {
        "apiVersion" => "batch/v1", "kind" => "CronJob", "metadata" => object! { "name" => name },
        "spec" => object! { "schedule" => schedule, "jobTemplate" => template },
    }
}

const MINUTELY: &str = "* * * * *";

#[test]
fn each_minute_a_job_and_three_are_kept() {
    // `conformance/cronjob-minute`
    let mut world = World::new("2026-11-21T08:15:50Z", ZoneTable::empty());
    world.until(0.4).create("example-cron", MINUTELY, "{}");
    for (at, job) in [(13.2, 816), (73.2, 817), (133.2, 818), (193.2, 819)] {
        world.until(at).finish(&format!("example-cron-29920{job}"), "Complete");
    }
    world.until(200.0);
    let expected = expect_test::expect![[r#"
        10.1 ADDED example-cron-29920816
        10.1 STATUS active ["29920816"] last 08:16:00 success -
        10.1 EVENT 1 SuccessfulCreate: Created job example-cron-29920816
        13.2 STATUS active [] last 08:16:00 success 08:16:03
        13.2 EVENT 1 SawCompletedJob: Saw completed job: example-cron-29920816, condition: Complete
        70.1 ADDED example-cron-29920817
        70.1 STATUS active ["29920817"] last 08:17:00 success 08:16:03
        70.1 EVENT 1 SuccessfulCreate: Created job example-cron-29920817
        73.2 STATUS active [] last 08:17:00 success 08:17:03
        73.2 EVENT 1 SawCompletedJob: Saw completed job: example-cron-29920817, condition: Complete
        130.1 ADDED example-cron-29920818
        130.1 STATUS active ["29920818"] last 08:18:00 success 08:17:03
        130.1 EVENT 1 SuccessfulCreate: Created job example-cron-29920818
        133.2 STATUS active [] last 08:18:00 success 08:18:03
        133.2 EVENT 1 SawCompletedJob: Saw completed job: example-cron-29920818, condition: Complete
        190.1 ADDED example-cron-29920819
        190.1 STATUS active ["29920819"] last 08:19:00 success 08:18:03
        190.1 EVENT 1 SuccessfulCreate: Created job example-cron-29920819
        193.2 DELETED example-cron-29920816
        193.2 STATUS active [] last 08:19:00 success 08:19:03
        193.2 EVENT 1 SuccessfulDelete: Deleted job example-cron-29920816
        193.2 EVENT 1 SawCompletedJob: Saw completed job: example-cron-29920819, condition: Complete
    "#]];
    expected.assert_eq(&world.written());
}

#[test]
fn the_job_carries_what_the_real_one_carries() {
    let mut world = World::new("2026-11-21T08:15:50Z", ZoneTable::bundled());
    world
        .create("a", MINUTELY, r#"{"timeZone":"Europe/Berlin","jobTemplate.metadata.labels":{"app":"x"}}"#)
        .until(11.0);
    let job = world.store.find(Kind::Job, "default", "a-29920816").unwrap();
    let cron = world.store.find(Kind::CronJob, "default", "a").unwrap();
    let metadata = job.value().at("metadata");
    assert_eq!(
        metadata.at("annotations").to_json(),
        r#"{"batch.kubernetes.io/cronjob-scheduled-timestamp":"2026-11-21T09:16:00+01:00"}"#
    );
    assert_eq!(
        metadata.at("ownerReferences").to_json(),
        format!(
            r#"[{{"apiVersion":"batch/v1","blockOwnerDeletion":true,"controller":true,"kind":"CronJob","name":"a","uid":"{}"}}]"#,
            cron.uid()
        )
    );
    assert_eq!(metadata.str_at("labels.app"), Some("x"));
    assert_eq!(
        cron.value().at("status").to_json(),
        format!(
            r#"{{"active":[{{"apiVersion":"batch/v1","kind":"Job","name":"a-29920816","namespace":"default","resourceVersion":"{}","uid":"{}"}}],"lastScheduleTime":"2026-11-21T08:16:00Z"}}"#,
            job.resource_version(),
            job.uid()
        )
    );
}

#[test]
fn forbid_makes_up_for_the_latest_missed_run() {
    // `conformance/cronjob-forbid`: each change of the running Job is a sync, and repeats the event.
    let mut world = World::new("2026-11-21T07:49:50Z", ZoneTable::empty());
    world.until(0.4).create("forbid", MINUTELY, r#"{"concurrencyPolicy":"Forbid"}"#);
    world.until(12.5).ready("forbid-29920790", 1);
    world.until(92.9).ready("forbid-29920790", 0).until(93.95).finish("forbid-29920790", "Complete");
    world.until(95.0).ready("forbid-29920791", 1);
    world.until(176.2).ready("forbid-29920791", 0).until(177.2).finish("forbid-29920791", "Complete");
    world.until(178.2).ready("forbid-29920792", 1).until(264.2).finish("forbid-29920792", "Complete").until(265.0);
    let expected = expect_test::expect![[r#"
        10.1 ADDED forbid-29920790
        10.1 STATUS active ["29920790"] last 07:50:00 success -
        10.1 EVENT 1 SuccessfulCreate: Created job forbid-29920790
        70.1 EVENT 1 JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid
        92.9 EVENT 2 JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid
        93.9 ADDED forbid-29920791
        93.9 STATUS active ["29920791"] last 07:51:00 success 07:51:23
        93.9 EVENT 1 SawCompletedJob: Saw completed job: forbid-29920790, condition: Complete
        93.9 EVENT 1 SuccessfulCreate: Created job forbid-29920791
        130.1 EVENT 3 JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid
        176.2 EVENT 4 JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid
        177.2 ADDED forbid-29920792
        177.2 STATUS active ["29920792"] last 07:52:00 success 07:52:47
        177.2 EVENT 1 SawCompletedJob: Saw completed job: forbid-29920791, condition: Complete
        177.2 EVENT 1 SuccessfulCreate: Created job forbid-29920792
        190.1 EVENT 5 JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid
        250.1 EVENT 6 JobAlreadyActive: Not starting job because prior execution is running and concurrency policy is Forbid
        264.2 ADDED forbid-29920794
        264.2 STATUS active ["29920794"] last 07:54:00 success 07:54:14
        264.2 EVENT 1 SawCompletedJob: Saw completed job: forbid-29920792, condition: Complete
        264.2 EVENT 1 SuccessfulCreate: Created job forbid-29920794
    "#]];
    expected.assert_eq(&world.written());
}

#[test]
fn replace_and_allow() {
    // `conformance/cronjob-replace`, `conformance/cronjob-allow`
    let mut world = World::new("2026-11-21T07:49:50Z", ZoneTable::empty());
    world.create("replace", MINUTELY, r#"{"concurrencyPolicy":"Replace"}"#).until(71.0);
    let expected = expect_test::expect![[r#"
        10.1 ADDED replace-29920790
        10.1 STATUS active ["29920790"] last 07:50:00 success -
        10.1 EVENT 1 SuccessfulCreate: Created job replace-29920790
        70.1 DELETED replace-29920790
        70.1 ADDED replace-29920791
        70.1 STATUS active ["29920791"] last 07:51:00 success -
        70.1 EVENT 1 SuccessfulDelete: Deleted job replace-29920790
        70.1 EVENT 1 SuccessfulCreate: Created job replace-29920791
    "#]];
    expected.assert_eq(&world.written());
    let mut world = World::new("2026-11-21T07:50:50Z", ZoneTable::empty());
    world.create("allow", MINUTELY, "{}").until(94.0).finish("allow-29920791", "Complete").until(95.0);
    let expected = expect_test::expect![[r#"
        10.1 ADDED allow-29920791
        10.1 STATUS active ["29920791"] last 07:51:00 success -
        10.1 EVENT 1 SuccessfulCreate: Created job allow-29920791
        70.1 ADDED allow-29920792
        70.1 STATUS active ["29920791", "29920792"] last 07:52:00 success -
        70.1 EVENT 1 SuccessfulCreate: Created job allow-29920792
        94.0 STATUS active ["29920792"] last 07:52:00 success 07:52:24
        94.0 EVENT 1 SawCompletedJob: Saw completed job: allow-29920791, condition: Complete
    "#]];
    expected.assert_eq(&world.written());
}

#[test]
fn suspended_resumed_and_started_by_hand() {
    // `conformance/cronjob-suspend-resume`
    let mut world = World::new("2026-11-21T08:15:50Z", ZoneTable::empty());
    world.until(0.4).create("nightly", MINUTELY, r#"{"suspend":true}"#);
    world.until(30.05).patch("nightly", "spec.suspend", false);
    world.until(53.65).finish("nightly-29920816", "Complete");
    world.until(76.3).patch("nightly", "spec.suspend", true);
    world.until(93.8).finish("nightly-29920817", "Complete").until(145.0);
    let owner = object! {
        "apiVersion" => "batch/v1", "kind" => "CronJob", "name" => "nightly", "controller" => true,
        "uid" => world.store.find(Kind::CronJob, "default", "nightly").unwrap().uid(),
    };
    let mut manual = cron_job("manual-run", "").at("spec.jobTemplate").clone();
    manual.set("apiVersion", "batch/v1");
    manual.set("kind", "Job");
    manual.set("metadata", object! { "name" => "manual-run", "ownerReferences" => vec![owner] });
    world.act(|api| api.create(manual)).unwrap();
    world.until(146.1).ready("manual-run", 1).until(168.4).finish("manual-run", "Complete");
    world
        .until(180.05)
        .act(|api| {
            api.update(&Key::new(Kind::CronJob, "default", "nightly"), |tree| {
                tree.set("spec.suspend", false);
                tree.set("spec.schedule", "*/2 * * * *");
            })
        })
        .unwrap();
    world.until(251.0);
    let expected = expect_test::expect![[r#"
        30.0 ADDED nightly-29920816
        30.0 STATUS active ["29920816"] last 08:16:00 success -
        30.0 EVENT 1 SuccessfulCreate: Created job nightly-29920816
        53.6 STATUS active [] last 08:16:00 success 08:16:43
        53.6 EVENT 1 SawCompletedJob: Saw completed job: nightly-29920816, condition: Complete
        70.1 ADDED nightly-29920817
        70.1 STATUS active ["29920817"] last 08:17:00 success 08:16:43
        70.1 EVENT 1 SuccessfulCreate: Created job nightly-29920817
        93.8 STATUS active [] last 08:17:00 success 08:17:23
        93.8 EVENT 1 SawCompletedJob: Saw completed job: nightly-29920817, condition: Complete
        145.0 EVENT 1 UnexpectedJob: Saw a job that the controller did not create or forgot: manual-run
        146.1 EVENT 2 UnexpectedJob: Saw a job that the controller did not create or forgot: manual-run
        168.4 STATUS active [] last 08:17:00 success 08:18:38
        250.1 ADDED nightly-29920820
        250.1 STATUS active ["29920820"] last 08:20:00 success 08:18:38
        250.1 EVENT 1 SuccessfulCreate: Created job nightly-29920820
    "#]];
    expected.assert_eq(&world.written());
}

#[test]
fn a_limit_of_zero_keeps_nothing_but_the_time() {
    let mut world = World::new("2026-11-21T08:15:50Z", ZoneTable::empty());
    world.create("a", MINUTELY, r#"{"successfulJobsHistoryLimit":0,"failedJobsHistoryLimit":0}"#);
    world.until(20.0).finish("a-29920816", "Complete").until(80.0).finish("a-29920817", "Failed").until(81.0);
    assert_eq!(world.jobs(), Vec::<&str>::new());
    let expected = expect_test::expect![[r#"
        10.1 ADDED a-29920816
        10.1 STATUS active ["29920816"] last 08:16:00 success -
        10.1 EVENT 1 SuccessfulCreate: Created job a-29920816
        20.0 DELETED a-29920816
        20.0 STATUS active [] last 08:16:00 success 08:16:10
        20.0 EVENT 1 SuccessfulDelete: Deleted job a-29920816
        70.1 ADDED a-29920817
        70.1 STATUS active ["29920817"] last 08:17:00 success 08:16:10
        70.1 EVENT 1 SuccessfulCreate: Created job a-29920817
        80.0 DELETED a-29920817
        80.0 STATUS active [] last 08:17:00 success 08:16:10
        80.0 EVENT 1 SuccessfulDelete: Deleted job a-29920817
    "#]];
    expected.assert_eq(&world.written());
}

#[test]
fn a_job_deleted_by_hand_is_missed_once() {
    let mut world = World::new("2026-11-21T08:15:50Z", ZoneTable::empty());
    world.create("a", MINUTELY, "{}").until(20.0);
    world.written();
    let key = Key::new(Kind::Job, "default", "a-29920816");
    world.act(|api| api.delete(&key, &DeleteOptions::background())).unwrap();
    world.until(30.0);
    let expected = expect_test::expect![[r#"
        20.0 STATUS active [] last 08:16:00 success -
        20.0 EVENT 1 MissingJob: Active job went missing: a-29920816
    "#]];
    expected.assert_eq(&world.written());
}

#[test]
fn a_name_that_is_taken_is_adopted_only_if_it_is_ours() {
    let mut world = World::new("2026-11-21T08:15:50Z", ZoneTable::empty());
    world.create("a", MINUTELY, r#"{"suspend":true}"#).until(5.0);
    let cron = Rc::clone(world.store.find(Kind::CronJob, "default", "a").unwrap());
    let due = SimTime::parse_rfc3339("2026-11-21T08:16:00Z").unwrap();
    let ours = sync::job_from_template(&cron, due, &values::zone::Zone::UTC);
    world.act(|api| api.create(ours)).unwrap();
    world.until(11.0).patch("a", "spec.suspend", false).until(12.0);
    assert_eq!(world.cron("a").status.active[0].name, "a-29920816");
    assert_eq!(world.cron("a").status.last_schedule_time, Some(due));
    assert!(!world.written().contains("SuccessfulCreate"));

    let mut world = World::new("2026-11-21T08:15:50Z", ZoneTable::empty());
    let mut foreign = sync::job_from_template(&cron, due, &values::zone::Zone::UTC);
    foreign.remove("metadata.ownerReferences");
    world.act(|api| api.create(foreign)).unwrap();
    world.create("a", MINUTELY, "{}").until(50.0);
    assert_eq!(world.cron("a").status, Default::default());
    assert_eq!(world.written(), "");
}

#[test]
fn refused_jobs_are_tried_again_later_each_time() {
    let mut world = World::new("2026-11-21T08:15:50Z", ZoneTable::empty());
    world.create("a", MINUTELY, "{}").until(1.0);
    // Nothing can be created in a namespace that is going; the CronJob is still there.
    // `default` may not be deleted, so it is put as one that ends would stand there.
    let mut ending = world.store.find(Kind::Namespace, "", "default").unwrap().value().clone();
    ending.set("metadata.deletionTimestamp", world.now);
    ending.set("status.phase", "Terminating");
    world.store.replay(world.now, "MODIFIED", ending);
    world.until(11.0);
    assert_eq!(world.written(), "", "no event, no status");
    let due = |world: &World| world.controller.timers.next_at().unwrap();
    let first = due(&world);
    world.until(30.0);
    assert!(due(&world) > first + Span::secs(5), "5 ms, doubled each time");
}

#[test]
fn missed_runs_collapse_after_a_stop() {
    for (spec, expected) in [
        ("{}", "a-29920835"),
        (r#"{"startingDeadlineSeconds":10}"#, ""),
        (r#"{"startingDeadlineSeconds":600}"#, "a-29920835"),
    ] {
        let mut world = World::new("2026-11-21T08:15:50Z", ZoneTable::empty());
        world.create("a", "*/5 * * * *", spec).until(1.0);
        // Stopped from here; nobody asks it to act.
        world.now = world.start + Span::secs(20 * 60 + 7);
        world.controller.restart(world.now, &world.store.clone(), Cause::default());
        world.until(20.0 * 60.0 + 20.0);
        assert_eq!(world.jobs().join(","), expected, "{spec}");
    }
}

#[test]
fn a_hundred_missed_runs_are_a_warning_only() {
    let mut world = World::new("2026-11-21T08:15:50Z", ZoneTable::empty());
    world.create("a", MINUTELY, "{}").until(1.0);
    world.now = world.start + Span::mins(200);
    world.controller.restart(world.now, &world.store.clone(), Cause::default());
    world.until(200.0 * 60.0 + 1.0);
    let expected = expect_test::expect![[r#"
        12000.0 ADDED a-29921015
        12000.0 STATUS active ["29921015"] last 11:35:00 success -
        12000.0 EVENT 1 TooManyMissedTimes: too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew
        12000.0 EVENT 1 SuccessfulCreate: Created job a-29921015
    "#]];
    expected.assert_eq(&world.written());
}

#[test]
fn a_deadline_hides_times_and_says_when_one_was_missed() {
    let mut world = World::new("2026-11-21T08:15:50Z", ZoneTable::empty());
    world.create("a", MINUTELY, r#"{"startingDeadlineSeconds":0}"#).until(11.0);
    assert_eq!(world.written(), "", "what is older than the deadline is not even seen");
    let due = SimTime::parse_rfc3339("2026-11-21T08:16:00Z").unwrap();
    let mut notes = Vec::new();
    assert!(!plan::may_start(&world.cron("a"), due, due + Span::ms(1), &mut notes));
    let text = "Missed scheduled time to start a job: Sat, 21 Nov 2026 08:16:00 +0000";
    let skips = Some((due, Rule::CronJobDeadline, [0, 0]));
    assert_eq!(notes, [plan::Note { skips, ..plan::Note::warning("MissSchedule", text) }]);
}

/// What is said of a spec that the API would refuse today.
#[test]
fn what_cannot_be_scheduled_is_said() {
    let now = SimTime::parse_rfc3339("2026-11-21T08:15:50Z").unwrap();
    for (schedule, zone, expected) in [
        ("x", None, "UnparseableSchedule unparseable schedule: \"x\" : expected exactly 5 fields, found 1: [x]"),
        (
            MINUTELY,
            Some("Mars/Olympus"),
            "UnknownTimeZone invalid timeZone: \"Mars/Olympus\": unknown time zone Mars/Olympus",
        ),
        (
            "59 23 31 2 *",
            None,
            "InvalidSchedule invalid schedule: 59 23 31 2 * : time difference between two schedules is less than 1 second",
        ),
        (
            "TZ=UTC 0 0 1 1 *",
            None,
            "UnsupportedSchedule CRON_TZ or TZ used in schedule \"TZ=UTC 0 0 1 1 *\" is not officially supported, see \
             https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details",
        ),
    ] {
        let mut cron = CronJob::default();
        cron.metadata.creation_timestamp = Some(now);
        cron.spec.schedule = schedule.to_owned();
        cron.spec.time_zone = zone.map(str::to_owned);
        let timing = Timing::read(&cron.spec, &ZoneTable::bundled());
        let mut notes = Vec::new();
        let decision = plan::decide(&cron, &timing, now, &mut notes);
        assert_eq!(notes.iter().map(|n| format!("{} {}", n.reason, n.message)).collect::<Vec<_>>(), [expected]);
        assert_eq!(decision == plan::Decision::Rest, !schedule.starts_with("TZ"), "{schedule}: {decision:?}");
    }
}

#[test]
fn zones_that_are_not_there_yet_are_waited_for() {
    let mut world = World::new("2026-11-21T08:15:50Z", ZoneTable::empty());
    world.create("a", MINUTELY, r#"{"timeZone":"Europe/Berlin"}"#).until(15.0);
    assert_eq!(world.written(), "");
    let cron = world.cron("a");
    assert_eq!(next_schedule(&cron, world.now, &ZoneTable::empty()), None);
    assert_eq!(
        next_schedule(&cron, world.now, &ZoneTable::bundled()).map(SimTime::rfc3339).as_deref(),
        Some("2026-11-21T08:17:00Z")
    );
    let now = world.now;
    world.controller.set_zones(&ZoneTable::bundled(), now);
    world.until(16.0);
    assert_eq!(world.jobs(), ["a-29920816"]);
}

#[test]
fn an_earlier_timer_stays_when_the_schedule_changes() {
    let mut world = World::new("2026-11-21T08:15:50Z", ZoneTable::empty());
    world.create("a", MINUTELY, "{}").until(5.0).patch("a", "spec.schedule", "0 * * * *").until(6.0);
    let key = Key::new(Kind::CronJob, "default", "a");
    assert!(world.controller.timers.due_at(&key).unwrap() < world.start + Span::secs(11));
    world.until(20.0);
    let next = SimTime::parse_rfc3339("2026-11-21T09:00:00.1Z").unwrap();
    assert!((0..20).contains(&world.controller.timers.due_at(&key).unwrap().since(next).as_ms()));
    assert_eq!(world.jobs(), Vec::<&str>::new());
}

#[test]
fn the_next_time_is_known() {
    let zones = ZoneTable::empty();
    let now = SimTime::parse_rfc3339("2026-11-21T08:15:50Z").unwrap();
    for (schedule, suspend, expected) in [
        (MINUTELY, false, Some("2026-11-21T08:16:00Z")),
        ("@every 7m", false, Some("2026-11-21T08:17:00Z")),
        (MINUTELY, true, None),
        ("59 23 31 2 *", false, None),
        ("nonsense", false, None),
    ] {
        let mut cron = CronJob::default();
        cron.metadata.creation_timestamp = SimTime::parse_rfc3339("2026-11-21T08:10:00Z");
        cron.spec.schedule = schedule.to_owned();
        cron.spec.suspend = Some(suspend);
        assert_eq!(next_schedule(&cron, now, &zones).map(SimTime::rfc3339).as_deref(), expected, "{schedule}");
    }
}

#[test]
fn thousands_of_runs_leave_no_more_than_a_few() {
    let runs: usize = 12 * 24 * 31;
    let mut world = World::new("2026-01-01T00:00:00Z", ZoneTable::bundled());
    world.create("a", "*/5 * * * *", r#"{"timeZone":"America/New_York"}"#);
    let mut syncs = 0;
    for run in 1..=runs {
        world.until(run as f64 * 300.0 + 4.0);
        let job = world.cron("a").status.active[0].name.clone();
        world.finish(&job, "Complete");
        world.act(|api| api.expire_events());
        // Neither the store nor the controller holds more than at the start.
        assert!(world.store.len() < 60 && world.jobs().len() <= 4);
        syncs += world.log.iter().filter(|change| change.kind() == Kind::CronJob && change.actor == NAME).count();
        world.log.clear();
    }
    assert_eq!(syncs, 2 * runs - 1, "two statuses for each run, but the last is still to be seen");
}

#[test]
fn a_deleted_cron_job_leaves_nothing_behind() {
    let mut world = World::new("2026-11-21T08:15:50Z", ZoneTable::empty());
    world.create("a", MINUTELY, "{}").until(5.0);
    let key = Key::new(Kind::CronJob, "default", "a");
    world.act(|api| api.delete(&key, &DeleteOptions::background())).unwrap();
    assert_eq!(world.controller.next_wakeup(), None);
    let missing = world.act(|api| api.update(&key, |_| {})).unwrap_err();
    assert_eq!(missing.reason, Reason::NotFound);
}
