//! The API server's own unit-test tables for Jobs and CronJobs, as data.
//!
//! `tests/cases/validation_cases.json` and `api_cases.json` hold the tables of `pkg/apis/batch/validation`,
//! `pkg/registry/batch/{job,cronjob}`, `pkg/apis/batch/v1` and `pkg/api/job` (Kubernetes 1.36.3). Upstream calls inner
//! functions with options of feature gates; here everything goes through the public face with 1.36's defaults. Cases
//! without a like are named in `LEFT_OUT`, with the reason.

use batchyard::api::defaults;
use batchyard::api::kind::Kind;
use batchyard::api::status::FieldCause;
use batchyard::api::validate;
use batchyard::values::object;
use batchyard::values::value::Value;
use batchyard::values::zone::ZoneTable;

const VALIDATION: &str = include_str!("../cases/validation_cases.json");
const API: &str = include_str!("../cases/api_cases.json");

/// Cases, or whole tables, that cannot be asked here.
const LEFT_OUT: &[(&str, &str, &str)] = &[
    (
        "TestJobStrategy_PrepareForUpdate",
        "",
        "preparation belongs to the store, and half of it is about disabled gates",
    ),
    ("TestStatusStrategy_PrepareForUpdate", "", "the store writes status and spec by different verbs"),
    ("jobUpdate", "reject container resource updates only with feature gate off", "the gate is on in 1.36"),
    ("TestJobStrategy_ValidateUpdate_MutablePodResources", "feature gate disabled", "the gate is on in 1.36"),
    (
        "TestJobStrategy_ValidateUpdate_MutableSchedulingDirectives",
        "feature gate disabled - scheduling directives update rejected for suspended Job",
        "the gate is on in 1.36",
    ),
    (
        "TestJobStrategy_Validate",
        "FailIndex action; when JobBackoffLimitPerIndex is disabled",
        "the gate is on in 1.36",
    ),
    (
        "TestStatusStrategy_ValidateUpdate",
        "invalid addition of both Failed=True and Complete=True; allowed",
        "older gates",
    ),
    ("TestStatusStrategy_ValidateUpdate", "valid update of Job if SuccessCriteriaMet already present", "older gates"),
    ("TestStatusStrategy_ValidateUpdate", "valid addition of Complete for Job with SuccessCriteriaMet", "older gates"),
    ("TestStatusStrategy_ValidateUpdate", "invalid addition of SuccessCriteriaMet for NonIndexed", "older gates"),
    ("TestStatusStrategy_ValidateUpdate", "invalid addition of SuccessCriteriaMet for Job without", "older gates"),
];

fn table(file: &str, name: &str) -> Vec<Value> {
    let all = Value::from_json(file).unwrap();
    let cases = all.at_keys([name]).as_list().unwrap_or_else(|| panic!("no table {name}")).to_vec();
    let left_out = |case: &Value| {
        let case = case.str_at("name").unwrap_or("");
        LEFT_OUT.iter().any(|(table, start, _)| *table == name && case.starts_with(start))
    };
    cases.into_iter().filter(|case| !left_out(case)).collect()
}

fn zones() -> ZoneTable {
    ZoneTable::bundled()
}

fn texts(causes: &[FieldCause]) -> Vec<String> {
    causes.iter().map(ToString::to_string).collect()
}

/// Upstream's names of the types, with the field; each once.
fn kinds(causes: &[FieldCause]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for cause in causes {
        let kind = match cause.message.split(':').next() {
            Some("Invalid value") => "FieldValueInvalid",
            Some("Required value") => "FieldValueRequired",
            Some("Duplicate value") => "FieldValueDuplicate",
            other => panic!("no name for {other:?}"),
        };
        let one = (kind.to_owned(), cause.field.clone());
        if !found.contains(&one) {
            found.push(one);
        }
    }
    found
}

fn wanted(errors: &[Value]) -> Vec<(String, String)> {
    let mut wanted = Vec::new();
    for error in errors {
        let one = (error.str_at("type").unwrap().to_owned(), error.str_at("field").unwrap().to_owned());
        if !wanted.contains(&one) {
            wanted.push(one);
        }
    }
    wanted
}

/// Upstream's tests call inner functions, which do not look at selectors and versions.
fn ready_for_update(job: &Value) -> Value {
    let mut job = job.clone();
    job.set("spec.manualSelector", true);
    job.set_default("metadata.resourceVersion", "1");
    job
}

#[track_caller]
fn none(failures: Vec<String>) {
    assert!(failures.is_empty(), "{} cases fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn few_cases_are_left_out() {
    let all = |file: &str| -> Vec<(String, usize)> {
        let file = Value::from_json(file).unwrap();
        let tables = file.as_map().unwrap().iter();
        tables.map(|(name, cases)| (name.to_owned(), cases.as_list().unwrap().len())).collect()
    };
    let (mut total, mut run) = (0, 0);
    for file in [VALIDATION, API] {
        // The names of time zones are many, and would hide what is left out.
        for (name, cases) in all(file).into_iter().filter(|(name, _)| name != "validTimeZones") {
            total += cases;
            run += table(file, &name).len();
        }
    }
    assert!((total - run) * 10 < total, "{run} of {total} cases are run");
}

#[test]
fn good_jobs_and_cron_jobs_pass() {
    let mut failures = Vec::new();
    for (name, kind) in [("jobCreateOK", Kind::Job), ("cronJobCreateOK", Kind::CronJob)] {
        for case in table(VALIDATION, name) {
            let causes = checked(kind, &case);
            if !causes.is_empty() {
                failures.push(format!("{}: {:?}", case.at("name"), texts(&causes)));
            }
        }
    }
    none(failures);
}

/// A new object; but a Job of before the prefixed labels, which upstream tells apart by an option, as an unchanged one.
fn checked(kind: Kind, case: &Value) -> Vec<FieldCause> {
    let manifest = case.at("manifest");
    let prefixed = case.bool_at("options.requirePrefixedLabels").unwrap_or(false);
    if kind != Kind::Job || prefixed {
        return validate::create(kind, manifest, &zones());
    }
    let mut manifest = manifest.clone();
    manifest.set_default("metadata.resourceVersion", "1");
    let mut old = manifest.clone();
    for label in ["batch.kubernetes.io/job-name", "batch.kubernetes.io/controller-uid"] {
        if let Some(labels) = old.at_mut("spec.template.metadata.labels") {
            labels.map_mut().remove(label);
        }
    }
    let mut causes = validate::update(kind, &manifest, &old, &zones());
    causes.retain(|cause| !(cause.field == "spec.template" && cause.message.ends_with("field is immutable")));
    causes
}

#[test]
fn bad_jobs_and_cron_jobs_are_refused() {
    let mut failures = Vec::new();
    for (name, kind) in [("jobCreateErrors", Kind::Job), ("cronJobCreateErrors", Kind::CronJob)] {
        for case in table(VALIDATION, name) {
            let causes = checked(kind, &case);
            let (field, contains) = (case.str_at("error.field").unwrap(), case.str_at("error.contains").unwrap());
            // The table writes the zones of this one as placeholders.
            let contains = if contains.contains("Continent/") { "unknown time zone " } else { contains };
            let first = causes.first();
            if !first.is_some_and(|cause| cause.field == field && cause.to_string().contains(contains)) {
                failures.push(format!("{}: {:?}", case.at("name"), texts(&causes)));
            }
        }
    }
    none(failures);
}

#[test]
fn what_may_change_in_a_job() {
    let mut failures = Vec::new();
    for case in table(VALIDATION, "jobUpdate") {
        let (mut old, mut new) = (ready_for_update(case.at("old")), ready_for_update(case.at("new")));
        let option = |name: &str| case.at_keys(["options", name]).as_bool().unwrap_or(false);
        if option("allowMutableSchedulingDirectives") || option("allowMutablePodResources") {
            // What sets these options: the Job is suspended.
            old.set("spec.suspend", true);
            new.set("spec.suspend", true);
        }
        let causes = validate::update(Kind::Job, &new, &old, &zones());
        let error = case.at("error");
        let expected = if error.is_null() { Vec::new() } else { wanted(std::slice::from_ref(error)) };
        if kinds(&causes) != expected {
            failures.push(format!("{}: {:?}", case.at("name"), texts(&causes)));
        }
    }
    for name in [
        "TestJobStrategy_ValidateUpdate",
        "TestJobStrategy_ValidateUpdate_MutablePodResources",
        "TestJobStrategy_ValidateUpdate_MutableSchedulingDirectives",
    ] {
        for case in table(API, name) {
            let (old, new) = (case.at("job"), case.at("updated"));
            let causes = validate::update(Kind::Job, new, old, &zones());
            if kinds(&causes) != wanted(case.list_at("wantErrs")) {
                failures.push(format!("{name}: {}: {:?}", case.at("name"), texts(&causes)));
            }
        }
    }
    none(failures);
}

#[test]
fn jobs_with_and_without_generated_labels() {
    let mut failures = Vec::new();
    for case in table(API, "TestJobStrategy_Validate") {
        let causes = validate::create(Kind::Job, case.at("job"), &zones());
        // The table counts errors by this name.
        let same = causes.len() as i64 == case.i64_at("wantWarningCount").unwrap_or(0);
        if !same {
            failures.push(format!("{}: {:?}", case.at("name"), texts(&causes)));
        }
    }
    none(failures);
}

#[test]
fn the_status_of_a_job() {
    let mut failures = Vec::new();
    for case in table(VALIDATION, "jobUpdateStatus") {
        let causes = validate::job_status(case.at("new"), case.at("old"));
        let errors = case.list_at("errors");
        let details = errors.iter().filter_map(|error| error.str_at("detail"));
        let told = details.into_iter().all(|detail| texts(&causes).iter().any(|text| text.ends_with(detail)));
        if kinds(&causes) != wanted(errors) || !told {
            failures.push(format!("{}: {:?}", case.at("name"), texts(&causes)));
        }
    }
    for case in table(API, "TestStatusStrategy_ValidateUpdate") {
        let causes = validate::job_status(case.at("newJob"), case.at("job"));
        let (found, expected) = (kinds(&causes), wanted(case.list_at("wantErrs")));
        // Without this gate upstream looks at less; what it finds is found here, too.
        let all_rules = case.bool_at("enableJobManagedBy") == Some(true);
        let good = if all_rules || expected.is_empty() {
            found == expected
        } else {
            expected.iter().all(|error| found.contains(error))
        };
        if !good {
            failures.push(format!("{}: {:?}", case.at("name"), texts(&causes)));
        }
    }
    none(failures);
}

#[test]
fn zones_in_schedules() {
    let mut failures = Vec::new();
    for case in table(VALIDATION, "cronJobScheduleTZ") {
        let (mut old, mut new) = (case.at("manifest").clone(), case.at("updated").clone());
        let created = texts(&validate::create(Kind::CronJob, &old, &zones()));
        for object in [&mut old, &mut new] {
            object.set("metadata.resourceVersion", "1");
        }
        let updated = texts(&validate::update(Kind::CronJob, &new, &old, &zones()));
        for (found, wanted) in [(created, "createErrorContains"), (updated, "updateErrorContains")] {
            let good = match case.str_at(wanted) {
                None => found.is_empty(),
                Some(part) => found.iter().any(|text| text.contains(part)),
            };
            if !good {
                failures.push(format!("{} {wanted}: {found:?}", case.at("name")));
            }
        }
    }
    for case in table(VALIDATION, "cronJobSpecUpdate") {
        let object = |spec: &str| {
            let metadata = object! { "name" => "a", "namespace" => "b", "resourceVersion" => "1" };
            object! { "metadata" => metadata, "spec" => case.at(spec).clone() }
        };
        let causes = validate::update(Kind::CronJob, &object("newSpec"), &object("oldSpec"), &zones());
        if causes.is_empty() == case.bool_at("expectError").unwrap_or(false) {
            failures.push(format!("{}: {:?}", case.at("name"), texts(&causes)));
        }
    }
    none(failures);
}

/// A CronJob that is good but for its schedule.
fn cron_job(schedule: &str, zone: Option<&str>) -> Value {
    let mut cron_job = table(VALIDATION, "cronJobCreateOK")[0].at("manifest").clone();
    cron_job.set("spec.schedule", schedule);
    cron_job.set("metadata.resourceVersion", "1");
    if let Some(zone) = zone {
        cron_job.set("spec.timeZone", zone);
    }
    cron_job
}

#[test]
fn schedules_and_time_zones() {
    let mut failures = Vec::new();
    for name in table(VALIDATION, "validTimeZones") {
        let causes = validate::create(Kind::CronJob, &cron_job("0 0 * * *", name.as_str()), &zones());
        if !causes.is_empty() {
            failures.push(format!("{name}: {:?}", texts(&causes)));
        }
    }
    for case in table(VALIDATION, "scheduleFormat") {
        let new = cron_job(case.str_at("schedule").unwrap(), case.str_at("timeZone"));
        let causes = if case.bool_at("allowTZInSchedule") == Some(true) {
            let old = cron_job("TZ=UTC 1 * * * *", None);
            validate::update(Kind::CronJob, &new, &old, &zones())
        } else {
            validate::create(Kind::CronJob, &new, &zones())
        };
        let part = case.str_at("expectedError").unwrap_or("");
        let told = texts(&causes).iter().any(|text| text.contains(part));
        if told != case.bool_at("expectError").unwrap() {
            failures.push(format!("{}: {:?}", case.at("name"), texts(&causes)));
        }
    }
    for case in table(VALIDATION, "scheduleFormatPanic") {
        let causes = validate::create(Kind::CronJob, &cron_job(case.str_at("schedule").unwrap(), None), &zones());
        if !texts(&causes).iter().any(|text| text.contains(case.str_at("expected").unwrap())) {
            failures.push(format!("{}: {:?}", case.at("name"), texts(&causes)));
        }
    }
    none(failures);
}

#[test]
fn lists_of_indexes() {
    let mut failures = Vec::new();
    let base = table(VALIDATION, "jobCreateOK")[0].at("manifest").clone();
    for case in table(VALIDATION, "indexesFormat") {
        let total = case.i64_at("wantTotal").unwrap();
        let mut job = base.clone();
        job.set("spec.completionMode", "Indexed");
        job.set("spec.completions", case.at("completions").clone());
        let rule = |count: i64| {
            let rule = object! {
                "succeededIndexes" => case.at("indexesString").clone(), "succeededCount" => count,
            };
            object! { "rules" => vec![rule] }
        };
        // As many as the list holds are allowed, one more is not.
        job.set("spec.successPolicy", rule(total));
        let exact = texts(&validate::create(Kind::Job, &job, &zones()));
        job.set("spec.successPolicy", rule(total + 1));
        let more = texts(&validate::create(Kind::Job, &job, &zones()));
        let good = match case.str_at("wantError") {
            Some(error) => exact.iter().any(|text| text.ends_with(&format!("error parsing succeededIndexes: {error}"))),
            None => {
                exact.is_empty()
                    && more.iter().any(|text| text.contains(&format!("equal to {total} (the number of indexes")))
            }
        };
        if !good {
            failures.push(format!("{}: {exact:?} {more:?}", case.at("name")));
        }
    }
    for case in table(VALIDATION, "failedIndexesOverlap") {
        let spec = object! {
            "completionMode" => "Indexed", "backoffLimitPerIndex" => 1, "completions" => case.at("completions").clone(),
        };
        let metadata = object! { "name" => "a", "namespace" => "b", "resourceVersion" => "1" };
        let old = object! { "metadata" => metadata, "spec" => spec };
        let mut new = old.clone();
        new.set("status.completedIndexes", case.at("completedIndexesStr").clone());
        new.set("status.failedIndexes", case.at("failedIndexesStr").clone());
        let found = texts(&validate::job_status(&new, &old));
        let overlaps = found.iter().filter(|text| text.contains("overlap")).count();
        let good = match case.str_at("wantError") {
            Some(error) => found.iter().any(|text| text.ends_with(error)),
            None => overlaps == 0,
        };
        if !good {
            failures.push(format!("{}: {found:?}", case.at("name")));
        }
    }
    none(failures);
}

#[test]
fn warnings_are_as_many_as_upstreams() {
    let mut failures = Vec::new();
    let mut check = |case: &Value, found: Vec<String>| {
        if found.len() as i64 != case.i64_at("wantWarningsCount").unwrap_or(0) {
            failures.push(format!("{}: {found:?}", case.at("name")));
        }
    };
    for case in table(API, "TestJobStrategy_WarningsOnCreate") {
        check(&case, validate::warnings(Kind::Job, case.at("job"), None));
    }
    for case in table(API, "TestCronJobStrategy_WarningsOnCreate") {
        check(&case, validate::warnings(Kind::CronJob, case.at("cronjob"), None));
    }
    for case in table(API, "TestJobStrategy_WarningsOnUpdate") {
        check(&case, validate::warnings(Kind::Job, case.at("job"), Some(case.at("oldJob"))));
    }
    for case in table(API, "TestCronJobStrategy_WarningsOnUpdate") {
        check(&case, validate::warnings(Kind::CronJob, case.at("cronjob"), Some(case.at("oldCronJob"))));
    }
    for case in table(API, "TestWarningsForJobSpec") {
        let job = object! { "metadata" => object! { "name" => "a" }, "spec" => case.at("spec").clone() };
        check(&case, validate::warnings(Kind::Job, &job, None));
    }
    none(failures);
}

#[test]
fn defaults_of_jobs_and_cron_jobs() {
    let mut failures = Vec::new();
    for (name, kind) in [("TestSetDefaultJob", "Job"), ("TestSetDefaultCronJob", "CronJob")] {
        for case in table(API, name) {
            let mut object = case.at("original").clone();
            object.set("metadata.name", "a");
            defaults::apply(kind, &mut object);
            for (field, wanted) in
                case.map_at("expected.spec").unwrap().iter().filter(|(field, _)| *field != "template")
            {
                let found = object.at_keys(["spec", field]);
                if found != wanted {
                    failures.push(format!("{} {field}: {found} instead of {wanted}", case.at("name")));
                }
            }
            if case.bool_at("expectLabels") == Some(true)
                && object.at("metadata.labels") != object.at("spec.template.metadata.labels")
            {
                failures.push(format!("{}: {}", case.at("name"), object.at("metadata.labels")));
            }
        }
    }
    for case in table(API, "TestJobStrategy_PrepareForCreate") {
        let disabled = case
            .as_map()
            .unwrap()
            .iter()
            .any(|(key, value)| key.starts_with("enable") && value.as_bool() == Some(false));
        let mut job = case.at("job").clone();
        defaults::create::prepare_job(&mut job);
        // The selector in the table is the one from before: upstream's cases share it.
        for field in ["spec.template.metadata.labels", "metadata.generation"] {
            let (found, wanted) = (job.at(field), case.at("wantJob").at(field));
            if !disabled && found != wanted {
                failures.push(format!("{} {field}: {found} instead of {wanted}", case.at("name")));
            }
        }
    }
    none(failures);
}
