//! The CronJob controller against upstream's own unit-test tables (`pkg/controller/cronjob/*_test.go`), kept as data.
//!
//! Every table has a like here. What upstream fakes (a job lister that lags, an API that refuses) is brought about in a
//! real store: each `sync` is given the CronJob and the Jobs as the case says they were read.

use std::rc::Rc;

use batchyard::api::batch::CronJob;
use batchyard::api::kind::Kind;
use batchyard::api::meta::Key;
use batchyard::api::object::Object;
use batchyard::cluster::control::cronjob::history;
use batchyard::cluster::control::cronjob::plan::{self, Wake};
use batchyard::cluster::control::cronjob::schedule::{Missed, Timing, Timings, most_recent, requeue_at};
use batchyard::cluster::control::cronjob::sync::{self, NextLook, SCHEDULED_TIMESTAMP, job_from_template, jobs_of};
use batchyard::cluster::store::{Api, DeleteOptions, Store};
use batchyard::values::cron::Schedule;
use batchyard::values::object;
use batchyard::values::rng::Rng;
use batchyard::values::time::{SimTime, Span};
use batchyard::values::value::Value;
use batchyard::values::zone::{Zone, ZoneTable};

const CASES: &str = include_str!("../cases/cronjob_cases.json");
/// `startingDeadlineSeconds` that stands for none (upstream's `noDead`).
const NO_DEADLINE: i64 = -12345;

fn table(name: &str) -> Vec<Value> {
    let tables = Value::from_json(CASES).unwrap();
    let cases = tables.at_keys([name, "cases"]).as_list().unwrap().to_vec();
    assert!(!cases.is_empty());
    cases
}

fn name_of(case: &Value) -> &str {
    case.str_at("name").unwrap()
}

fn time(text: &str) -> SimTime {
    SimTime::parse_rfc3339(text).unwrap_or_else(|| panic!("{text}"))
}

/// A time of the case; what is missing is Go's zero time.
fn time_at(case: &Value, field: &str) -> SimTime {
    time(case.str_at(field).unwrap_or("0001-01-01T00:00:00Z"))
}

/// A span that the table has in nanoseconds.
fn span_at(case: &Value, field: &str) -> Span {
    Span::ms(case.i64_at(field).unwrap_or(0) / 1_000_000)
}

fn flag(case: &Value, field: &str) -> bool {
    case.bool_at(field).unwrap_or(false)
}

fn parse(cron: &CronJob) -> Schedule {
    Schedule::parse(&cron.spec.schedule, &ZoneTable::bundled()).unwrap()
}

fn object_of(kind: Kind, tree: &Value) -> Rc<Object> {
    Rc::new(Object::new(kind, tree.clone(), 1))
}

#[test]
fn every_table_is_run() {
    let tables = Value::from_json(CASES).unwrap();
    let counts: Vec<(&str, usize)> = tables
        .as_map()
        .unwrap()
        .iter()
        .filter(|(name, _)| name.starts_with("Test"))
        .map(|(name, table)| (name, table.list_at("cases").len()))
        .collect();
    // Another table or another case needs a look at the tests below.
    let expected = [
        ("TestByJobStartTime", 5),
        ("TestControllerV2CleanupFinishedJobs", 2),
        ("TestControllerV2GetJobsToBeReconciled", 4),
        ("TestControllerV2SyncCronJob", 74),
        ("TestControllerV2UpdateCronJob", 6),
        ("TestGetJobFromTemplate2", 3),
        ("TestMostRecentScheduleTime", 13),
        ("TestNextScheduleTime", 8),
        ("TestNextScheduleTimeDuration", 4),
    ];
    assert_eq!(counts, expected);
}

#[test]
fn most_recent_schedule_time() {
    for case in table("TestMostRecentScheduleTime") {
        let cron: CronJob = case.at("cj").decode().unwrap();
        let found = most_recent(&cron, time_at(&case, "now"), &parse(&cron), flag(&case, "includeSDS"));
        assert_eq!(found.is_err(), flag(&case, "wantErr"), "{}", name_of(&case));
        let Ok(found) = found else { continue };
        assert_eq!(
            found.time.map(SimTime::rfc3339).as_deref(),
            case.str_at("expectedRecentTime"),
            "{}",
            name_of(&case)
        );
        assert_eq!(found.earliest, time_at(&case, "expectedEarliestTime"), "{}", name_of(&case));
        let missed = [Missed::None, Missed::Few, Missed::Many];
        let expected = missed[usize::try_from(case.i64_at("expectedTooManyMissed").unwrap_or(0)).unwrap()];
        assert_eq!(found.missed, expected, "{}", name_of(&case));
    }
}

#[test]
fn next_schedule_time_duration() {
    for case in table("TestNextScheduleTimeDuration") {
        let cron: CronJob = case.at("cj").decode().unwrap();
        let now = time_at(&case, "now");
        let at = requeue_at(&cron, now, &parse(&cron)).unwrap();
        assert_eq!(at.since(now), span_at(&case, "expectedDuration"), "{}", name_of(&case));
    }
}

#[test]
fn next_schedule_time() {
    for case in table("TestNextScheduleTime") {
        let mut cron = CronJob::default();
        cron.spec.schedule = case.str_at("schedule").unwrap().to_owned();
        cron.spec.starting_deadline_seconds = case.i64_at("startingDeadlineSeconds");
        cron.metadata.creation_timestamp = case.str_at("creationTimestamp").map(time);
        cron.status.last_schedule_time = case.str_at("lastScheduleTime").map(time);
        let found = most_recent(&cron, time_at(&case, "now"), &parse(&cron), true);
        let error = found.as_ref().err().map(ToString::to_string);
        assert_eq!(error.as_deref(), case.str_at("error"), "{}", name_of(&case));
        let found = found.ok().and_then(|recent| recent.time).map(SimTime::rfc3339);
        match case.str_at("expected") {
            Some(">non-null") => assert!(found.is_some(), "{}", name_of(&case)),
            expected => assert_eq!(found.as_deref(), expected, "{}", name_of(&case)),
        }
    }
}

#[test]
fn by_job_start_time() {
    for case in table("TestByJobStartTime") {
        let mut jobs: Vec<Rc<Object>> = case.list_at("input").iter().map(|job| object_of(Kind::Job, job)).collect();
        jobs.sort_by_key(|job| history::age_order(job));
        let found: Vec<&str> = jobs.iter().map(|job| job.name()).collect();
        let expected: Vec<&str> =
            case.list_at("expected").iter().filter_map(|job| job.str_at("metadata.name")).collect();
        assert_eq!(found, expected, "{}", name_of(&case));
    }
}

#[test]
fn job_from_template_2() {
    for case in table("TestGetJobFromTemplate2") {
        let zone = Zone::load(case.str_at("timeZone").unwrap_or_default(), &ZoneTable::bundled()).unwrap();
        let mut cron = cron_job("* * * * ?");
        cron.set("spec.jobTemplate.metadata.annotations", case.at("inputAnnotations").clone());
        let job = job_from_template(&object_of(Kind::CronJob, &cron), time_at(&case, "scheduledTime"), &zone);
        let annotations = job.map_at("metadata.annotations").unwrap();
        let expected = case.as_map().unwrap().get(&format!("expectedAnnotation_{SCHEDULED_TIMESTAMP}"));
        assert_eq!(annotations.get(SCHEDULED_TIMESTAMP), expected, "{}", name_of(&case));
        assert_eq!(Some(annotations.len() as i64), case.i64_at("expectedNumberOfAnnotations"), "{}", name_of(&case));
        assert_eq!(job.str_at("metadata.name"), case.str_at("expectedName"), "{}", name_of(&case));
    }
}

#[test]
fn update_cron_job() {
    let now = time("2016-05-19T09:59:59Z");
    for case in table("TestControllerV2UpdateCronJob") {
        let decode = |field: &str| -> CronJob { case.at(field).decode().unwrap() };
        let (old, new) = (decode("oldCronJob"), decode("newCronJob"));
        let delay = match plan::is_rescheduled(&old, &new) {
            false => Span::ZERO,
            true => {
                let timing = Timing::read(&new.spec, &ZoneTable::bundled());
                match plan::wake_for_schedule(&new, &timing, now) {
                    Wake::At(at) => at.since(now),
                    // Upstream's fake queue shows no delay when nothing was added.
                    Wake::Never => Span::ZERO,
                    Wake::AwaitZones => panic!("the table is there"),
                }
            }
        };
        assert_eq!(delay, span_at(&case, "expectedDelay"), "{}", name_of(&case));
    }
}

/// A store, and a clock that the case sets.
struct World {
    store: Store,
    now: SimTime,
}

impl World {
    fn new(namespaces: &[&str], now: SimTime) -> World {
        let mut world = World { store: Store::new(), now };
        for name in namespaces {
            let namespace = object! {
                "apiVersion" => "v1", "kind" => "Namespace", "metadata" => object! { "name" => *name },
            };
            world.api(|api| api.create(namespace)).unwrap();
        }
        world
    }

    fn api<R>(&mut self, act: impl FnOnce(&mut Api<'_>) -> R) -> R {
        act(&mut Api::new(&mut self.store, self.now, Rng::new(1), "cronjob-controller"))
    }

    fn create(&mut self, mut tree: Value, status: Option<Value>) -> Rc<Object> {
        tree.remove("status");
        let made = self.api(|api| api.create(tree)).unwrap();
        match status {
            Some(status) => self.api(|api| api.update_status(&made.key(), status)).unwrap(),
            None => made,
        }
    }
}

/// Upstream's `cronJob()`: `mycronjob` in `snazzycats`.
fn cron_job(schedule: &str) -> Value {
    let pod = object! {
        "metadata" => object! { "labels" => object! { "foo" => "bar" } },
        "spec" => object! {
            "restartPolicy" => "OnFailure",
            "containers" => vec![object! { "name" => "main", "image" => "foo/bar" }],
        },
    };
    let metadata = object! {
        "labels" => object! { "a" => "b" }, "annotations" => object! { "x" => "y" },
    };
    let template = object! {
        "metadata" => metadata, "spec" => object! { "parallelism" => 1, "completions" => 1, "template" => pod },
    };
    object! {
        "apiVersion" => "batch/v1", "kind" => "CronJob",
        "metadata" => object! { "name" => "mycronjob", "namespace" => "snazzycats" },
        "spec" => object! { "schedule" => schedule, "concurrencyPolicy" => "Allow", "jobTemplate" => template },
    }
}

/// One case of `TestControllerV2SyncCronJob`, set up.
struct SyncCase {
    world: World,
    /// As the controller has read them.
    cron: Rc<Object>,
    jobs: Vec<Rc<Object>>,
}

fn set_up(case: &Value) -> SyncCase {
    let ran = flag(case, "ranPreviously");
    let created = match case.str_at("cronjobCreationTime") {
        Some(text) => time(text),
        None if ran => time("2016-05-19T08:59:00Z"),
        None => time("2016-05-19T09:59:00Z"),
    };
    let mut world = World::new(&["snazzycats"], created);
    // The API refuses some of the schedules, so the store has a good one.
    let mut tree = cron_job("0 * * * *");
    if let Some(policy) = case.str_at("concurrencyPolicy") {
        tree.set("spec.concurrencyPolicy", policy);
    }
    tree.set("spec.suspend", flag(case, "suspend"));
    let deadline = case.i64_at("deadline").unwrap_or(0);
    if deadline != NO_DEADLINE {
        tree.set("spec.startingDeadlineSeconds", deadline);
    }
    if let Some(limit) = case.i64_at("successfulJobsHistoryLimit") {
        tree.set("spec.successfulJobsHistoryLimit", limit);
    }
    let stored = world.create(tree, None);
    let mut cron = stored.value().clone();
    let mut jobs = Vec::new();
    if ran {
        let job = previous_job(&mut world, &stored, case);
        let last = case.str_at("lastScheduleTime").unwrap_or("2016-05-19T09:01:00Z");
        let active = object! {
            "apiVersion" => "batch/v1", "kind" => "Job", "name" => job.name(), "namespace" => job.namespace(),
            "uid" => job.uid(),
        };
        let mut status = object! { "lastScheduleTime" => last, "active" => vec![active] };
        // An unfinished Job that is not in the list that was read is in the one that the API has. Where creation is to
        // fail it is in neither.
        let refused = !case.at("jobCreateError").is_null();
        let known = flag(case, "jobPresentInCJActiveStatus");
        if !known && refused {
            status.remove("active");
        }
        let stored = world.api(|api| api.update_status(&stored.key(), status.clone())).unwrap();
        cron = stored.value().clone();
        if !known {
            cron.remove("status.active");
        }
        if !flag(case, "jobStillNotFoundInLister") {
            jobs.push(job);
        }
    }
    cron.set("spec.schedule", case.str_at("schedule").unwrap());
    if let Some(zone) = case.str_at("timeZone") {
        cron.set("spec.timeZone", zone);
    }
    refuse(&mut world, case, &jobs);
    world.now = time_at(case, "now");
    let revision = world.store.revision();
    SyncCase { world, cron: Rc::new(Object::new(Kind::CronJob, cron, revision)), jobs }
}

/// The Job of an earlier scheduled time.
fn previous_job(world: &mut World, cron: &Object, case: &Value) -> Rc<Object> {
    let scheduled = time_at(case, "jobCreationTime");
    let status = if flag(case, "stillActive") {
        object! { "startTime" => scheduled }
    } else {
        let ended = scheduled.whole_second() + Span::secs(10);
        let condition = object! { "type" => "Complete", "status" => "True", "lastTransitionTime" => ended };
        object! { "startTime" => scheduled, "completionTime" => ended, "conditions" => vec![condition] }
    };
    world.now = scheduled;
    world.create(job_from_template(cron, scheduled, &Zone::UTC), Some(status))
}

/// Brings about the error that the case wants of the API.
fn refuse(world: &mut World, case: &Value, jobs: &[Rc<Object>]) {
    let reason = |field: &str| case.at(field).str_at("errStatus.reason").map(str::to_owned);
    if reason("jobCreateError").as_deref() == Some("AlreadyExists")
        && time_at(case, "now") > time("2016-05-19T10:00:00Z")
    {
        // The name is taken by a Job that is not the CronJob's.
        let mut foreign = cron_job("").at("spec.jobTemplate").clone();
        foreign.set("apiVersion", "batch/v1");
        foreign.set("kind", "Job");
        foreign.set("metadata", object! { "name" => "mycronjob-24394200", "namespace" => "snazzycats" });
        world.create(foreign, None);
    } else if case.at("jobCreateError.errStatus.details.causes.0").str_at("reason") == Some("NamespaceTerminating") {
        let key = Key::new(Kind::Namespace, "", "snazzycats");
        world
            .api(|api| {
                api.update(&key, |tree| tree.set("metadata.finalizers", vec!["kubernetes".into()]))?;
                api.delete(&key, &DeleteOptions::background())
            })
            .unwrap();
    }
    if reason("jobGetErr").is_some() {
        // GET fails because the Job has gone since it was listed.
        world.api(|api| api.delete(&jobs[0].key(), &DeleteOptions::background())).unwrap();
    }
}

#[test]
fn sync_cron_job() {
    for case in table("TestControllerV2SyncCronJob") {
        let name = name_of(&case);
        let SyncCase { mut world, cron, jobs } = set_up(&case);
        world.store.take_changes();
        let mut timings = Timings::new(ZoneTable::bundled());
        let outcome = world.api(|api| sync::sync(api, &cron, &jobs, &mut timings));
        let changes = world.store.take_changes();
        let count =
            |kind: Kind, change: &str| changes.iter().filter(|c| c.kind() == kind && c.change.name() == change).count();

        let is_refused = matches!(outcome, NextLook::Failed(_));
        let get_fails = !case.at("jobGetErr").is_null();
        assert_eq!(is_refused, flag(&case, "expectErr") || get_fails, "{name}: {outcome:?}");
        if flag(&case, "expectRequeueAfter") {
            let NextLook::Requeue(at) = outcome else { panic!("{name}: {outcome:?}") };
            assert_eq!(at.since(world.now), span_at(&case, "expectedRequeueDuration"), "{name}");
        }
        assert_eq!(count(Kind::Job, "ADDED"), usize::from(flag(&case, "expectCreate")), "{name}");
        // A whole sync begins with the history, which a limit of 0 leaves empty; the deletion is then the event.
        let is_cleaned = case.i64_at("successfulJobsHistoryLimit") == Some(0);
        let deleted = usize::from(flag(&case, "expectDelete") || is_cleaned);
        assert_eq!(count(Kind::Job, "DELETED"), deleted, "{name}");

        let status = &world.store.find(Kind::CronJob, "snazzycats", "mycronjob").unwrap().cron_job().status.clone();
        check_events(&case, &changes, is_refused && !get_fails);
        check_status(&case, status, count(Kind::CronJob, "MODIFIED") > 0);
    }
}

fn check_events(case: &Value, changes: &[batchyard::cluster::store::Change], is_refused: bool) {
    let name = name_of(case);
    let flags = ["expectCreate", "expectDelete", "expectCompleted"];
    let mut expected = flags.iter().filter(|field| flag(case, field)).count() as i64;
    expected += case.i64_at("expectedWarnings").unwrap_or(0);
    expected += i64::from(name == "still active, is time, F");
    let events: Vec<&str> = changes
        .iter()
        .filter(|change| change.kind() == Kind::Event)
        .filter_map(|change| change.object.value().str_at("reason"))
        .collect();
    if is_refused {
        // Upstream looks no further after an error it expected.
        assert!(!events.contains(&"FailedCreate"), "{name}: {events:?}");
        return;
    }
    assert_eq!(events.len() as i64, expected, "{name}: {events:?}");
}

fn check_status(case: &Value, status: &batchyard::api::batch::CronJobStatus, is_written: bool) {
    let name = name_of(case);
    assert_eq!(is_written, flag(case, "expectUpdateStatus"), "{name}");
    // In the namespace that goes away the running Job is not one the CronJob knows.
    let is_known = flag(case, "ranPreviously") && flag(case, "stillActive") && !flag(case, "expectErr");
    let active = [("expectCreate", 1), ("expectDelete", -1)].iter().filter(|(field, _)| flag(case, field));
    let active = active.map(|(_, change)| change).sum::<i64>() + i64::from(is_known);
    assert_eq!(status.active.len() as i64, active, "{name}: {status:?}");
    // Two rows contradict their own other fields: one makes a Job and has none active, one makes none and has one.
    let contradicts_itself = [
        "never ran, is time in zone, but TZ is also set in schedule",
        "with @every schedule, prev ran but done, long overdue, past deadline",
    ];
    if !contradicts_itself.contains(&name) {
        assert_eq!(status.active.len() as i64, case.i64_at("expectActive").unwrap_or(0), "{name}: {status:?}");
    }
    if flag(case, "ranPreviously") && !flag(case, "stillActive") {
        let ended = time_at(case, "jobCreationTime") + Span::secs(10);
        assert_eq!(status.last_successful_time, Some(ended), "{name}");
    }
}

#[test]
fn jobs_to_be_reconciled() {
    for case in table("TestControllerV2GetJobsToBeReconciled") {
        let mut world = World::new(&["foo-ns", "bar-ns"], time("2016-05-19T10:00:00Z"));
        for job in case.list_at("jobs") {
            world.create(as_job(job), None);
        }
        let cron = case.at("cronJob.metadata");
        let (namespace, name) = (cron.str_at("namespace").unwrap(), cron.str_at("name").unwrap());
        let jobs = jobs_of(&world.store, namespace, name);
        let found: Vec<&str> = jobs.iter().map(|job| job.name()).collect();
        let expected: Vec<&str> =
            case.list_at("expected").iter().filter_map(|job| job.str_at("metadata.name")).collect();
        assert_eq!(found, expected, "{}", name_of(&case));
    }
}

#[test]
fn clean_up_finished_jobs() {
    for case in table("TestControllerV2CleanupFinishedJobs") {
        let mut world = World::new(&["foo-ns"], time("2016-05-19T09:00:00Z"));
        let mut tree = cron_job("0 * * * *");
        for (field, value) in case.map_at("cronJob.spec").unwrap().iter().filter(|(field, _)| *field != "jobTemplate") {
            tree.put(&format!("spec.{field}"), value.clone());
        }
        tree.set("metadata", case.at("cronJob.metadata").clone());
        let cron = world.create(tree, Some(case.at("cronJob.status").clone()));
        for job in case.list_at("finishedJobs") {
            let mut status = job.at("status").clone();
            status.set("conditions", vec![object! { "type" => "Complete", "status" => "True" }]);
            world.create(as_job(job), Some(status));
        }
        world.now = time_at(&case, "now");
        world.store.take_changes();
        let jobs = jobs_of(&world.store, "foo-ns", "fooer");
        world.api(|api| sync::sync(api, &cron, &jobs, &mut Timings::new(ZoneTable::bundled())));
        let changes = world.store.take_changes();
        let found: Vec<&str> =
            changes.iter().filter(|c| c.change.name() == "DELETED").map(|c| c.object.name()).collect();
        let expected: Vec<&str> = case.list_at("expectedDeletedJobs").iter().filter_map(Value::as_str).collect();
        assert_eq!(found, expected, "{}", name_of(&case));
    }
}

/// A Job of the table, which has little more than metadata, with all that a Job must have.
fn as_job(listed: &Value) -> Value {
    let mut job = cron_job("").at("spec.jobTemplate").clone();
    job.set("apiVersion", "batch/v1");
    job.set("kind", "Job");
    let mut metadata = listed.at("metadata").clone();
    let owners = metadata.list_at("ownerReferences").to_vec();
    if !owners.is_empty() {
        let complete = owners.into_iter().map(|mut owner| {
            owner.set_default("apiVersion", "batch/v1");
            owner.set_default("kind", "CronJob");
            owner.set_default("uid", "1a2b3c");
            owner
        });
        metadata.set("ownerReferences", complete.collect::<Vec<_>>());
    }
    job.set("metadata", metadata);
    job
}
