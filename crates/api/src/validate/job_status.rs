//! The status of a Job, as its controller may write it.
//!
//! Rules and texts: `docs/semantics/validation.md` §4. Each rule only holds where the change touches what it is about,
//! so that a status that was wrong before can still be repaired. Source: `pkg/apis/batch/validation/validation.go`
//! (`validateJobStatus`, `ValidateJobUpdateStatus`), `pkg/registry/batch/job/strategy.go`
//! (`getStatusValidationOptions`).

use values::time::SimTime;
use values::value::Value;

use super::field::{Errors, IMMUTABLE, Path, Shown};
use super::read::{flag, get, int, items, same, set, text};
use super::{go_form, indexes, meta};

const STATUS: Path<'static> = Path::root("status");
const CONDITIONS: Path<'static> = STATUS.child("conditions");

/// One version of a Job.
#[derive(Clone, Copy)]
struct Job<'j> {
    spec: &'j Value,
    status: &'j Value,
}

impl<'j> Job<'j> {
    fn of(job: &'j Value) -> Job<'j> {
        Job { spec: get(job, "spec"), status: get(job, "status") }
    }

    fn is(&self, condition: &str) -> bool {
        items(self.status, "conditions").iter().any(|c| text(c, "type") == condition && text(c, "status") == "True")
    }

    fn is_finished(&self) -> bool {
        self.is("Complete") || self.is("Failed")
    }

    fn is_indexed(&self) -> bool {
        text(self.spec, "completionMode") == "Indexed"
    }

    fn number(&self, field: &str) -> i64 {
        int(self.status, field).unwrap_or(0)
    }

    fn completions(&self) -> i64 {
        int(self.spec, "completions").unwrap_or(0)
    }
}

/// What is wrong with a change of a Job's status.
pub fn update(errors: &mut Errors, new: &Value, old: &Value) {
    meta::update(errors, new, old);
    let (new, old) = (Job::of(new), Job::of(old));
    numbers(errors, &new);
    finish(errors, &new, &old);
    index_lists(errors, &new, &old);
    pods_left(errors, &new, &old);
    success_criteria(errors, &new, &old);
    steps(errors, &new, &old);
}

fn changes(new: &Job<'_>, old: &Job<'_>, field: &str) -> bool {
    !same(get(new.status, field), get(old.status, field))
}

fn numbers(errors: &mut Errors, job: &Job<'_>) {
    for field in ["active", "succeeded", "failed", "ready", "terminating"] {
        errors.non_negative(&STATUS.child(field), int(job.status, field));
    }
    let path = STATUS.child("uncountedTerminatedPods");
    let mut seen: Vec<&str> = Vec::new();
    for list in ["succeeded", "failed"] {
        let list_path = path.child(list);
        let uncounted = get(job.status, "uncountedTerminatedPods");
        for (i, uid) in items(uncounted, list).iter().filter_map(Value::as_str).enumerate() {
            let path = list_path.index(i);
            if uid.is_empty() {
                errors.invalid(&path, uid, "must not be empty");
            } else if seen.contains(&uid) {
                errors.duplicate(&path, uid);
            } else {
                seen.push(uid);
            }
        }
    }
}

/// How a Job may come to its end.
fn finish(errors: &mut Errors, new: &Job<'_>, old: &Job<'_>) {
    let becomes = |condition: &str| new.is(condition) && !old.is(condition);
    let both = |a: &str, b: &str| new.is(a) && new.is(b) && (becomes(a) || becomes(b));
    if both("Complete", "Failed") {
        errors.invalid_omitted(&CONDITIONS, "cannot set Complete=True and Failed=true conditions");
    }
    if both("Complete", "FailureTarget") {
        errors.invalid_omitted(&CONDITIONS, "cannot set Complete=True and FailureTarget=true conditions");
    }
    let time_path = STATUS.child("completionTime");
    let completion = get(new.status, "completionTime");
    let time_moves = changes(new, old, "completionTime") || new.is("Complete") != old.is("Complete");
    if time_moves && !completion.is_null() && !new.is("Complete") {
        let detail = "cannot set completionTime when there is no Complete=True condition";
        errors.invalid(&time_path, completion, detail);
    }
    if time_moves && completion.is_null() && new.is("Complete") {
        errors.required(&time_path, "completionTime is required for Complete jobs");
    }
    let time = |field: &str| get(new.status, field).as_str().and_then(SimTime::parse_rfc3339);
    let moved = changes(new, old, "completionTime") || changes(new, old, "startTime");
    let ends_early = time("completionTime").zip(time("startTime")).is_some_and(|(end, start)| end < start);
    if moved && ends_early {
        errors.invalid(&time_path, completion, "must be equal to or after `startTime`");
    }
    if becomes("Failed") && !new.is("FailureTarget") {
        let detail = "cannot set Failed=True condition without the FailureTarget=true condition";
        errors.invalid_omitted(&CONDITIONS, detail);
    }
    if becomes("Complete") && !new.is("SuccessCriteriaMet") {
        let detail = "cannot set Complete=True condition without the SuccessCriteriaMet=true condition";
        errors.invalid_omitted(&CONDITIONS, detail);
    }
    finished(errors, new, old);
}

/// What a finished Job cannot have.
fn finished(errors: &mut Errors, new: &Job<'_>, old: &Job<'_>) {
    let finishes = new.is_finished() != old.is_finished();
    if !new.is_finished() {
        return;
    }
    if new.number("active") > 0 && (finishes || changes(new, old, "active")) {
        errors.invalid(&STATUS.child("active"), new.number("active"), "active>0 is invalid for finished job");
    }
    // A suspended Job without work is finished before it starts.
    let nothing_to_do = flag(new.spec, "suspend") && new.completions() == 0 && int(new.spec, "completions").is_some();
    let no_start = get(new.status, "startTime").is_null();
    if no_start && !nothing_to_do && (finishes || changes(new, old, "startTime")) {
        errors.required(&STATUS.child("startTime"), "startTime is required for finished job");
    }
    let uncounted = get(new.status, "uncountedTerminatedPods");
    let some = ["succeeded", "failed"].iter().any(|list| !items(uncounted, list).is_empty());
    if some && (finishes || changes(new, old, "uncountedTerminatedPods")) {
        let shown = go_form::shown("UncountedTerminatedPods", uncounted);
        errors.invalid(&STATUS.child("uncountedTerminatedPods"), shown, "must be empty for finished job");
    }
}

fn index_lists(errors: &mut Errors, new: &Job<'_>, old: &Job<'_>) {
    let (done, failed) = (text(new.status, "completedIndexes"), text(new.status, "failedIndexes"));
    let has_failed = set(new.status, "failedIndexes").is_some();
    let (done_path, failed_path) = (STATUS.child("completedIndexes"), STATUS.child("failedIndexes"));
    let (done_moves, failed_moves) = (changes(new, old, "completedIndexes"), changes(new, old, "failedIndexes"));
    let per_index = int(new.spec, "backoffLimitPerIndex").is_some();
    if done_moves && !done.is_empty() && !new.is_indexed() {
        let detail = "cannot set non-empty completedIndexes when non-indexed completion mode";
        errors.invalid(&done_path, done, detail);
    }
    if failed_moves && has_failed && !per_index {
        let detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
        errors.invalid(&failed_path, failed, detail);
    }
    if !new.is_indexed() {
        return;
    }
    let count = |list: &str, looked_at: bool| if looked_at { indexes::count(list, new.completions()) } else { Ok(0) };
    if let Err(why) = count(done, done_moves) {
        errors.invalid(&done_path, done, &format!("error parsing completedIndexes: {why}"));
    }
    if let Err(why) = count(failed, failed_moves && per_index) {
        errors.invalid(&failed_path, failed, &format!("error parsing failedIndexes: {why}"));
    }
    let both = (done_moves || failed_moves) && has_failed;
    if let Some(index) = both.then(|| indexes::overlap(done, failed, new.completions())).flatten() {
        let detail = format!("failedIndexes and completedIndexes overlap at index: {index}");
        errors.invalid(&failed_path, failed, &detail);
    }
}

fn pods_left(errors: &mut Errors, new: &Job<'_>, old: &Job<'_>) {
    let finishes = new.is_finished() && !old.is_finished();
    if finishes && new.number("terminating") > 0 {
        let detail = "terminating>0 is invalid for finished job";
        errors.invalid(&STATUS.child("terminating"), new.number("terminating"), detail);
    }
    let moved = changes(new, old, "ready") || changes(new, old, "active");
    if moved && new.number("ready") > new.number("active") {
        errors.invalid(&STATUS.child("ready"), new.number("ready"), "cannot set more ready pods than active");
    }
}

fn success_criteria(errors: &mut Errors, new: &Job<'_>, old: &Job<'_>) {
    const MET: &str = "SuccessCriteriaMet";
    let becomes = |condition: &str| new.is(condition) && !old.is(condition);
    for other in ["Failed", "FailureTarget"] {
        if new.is(MET) && new.is(other) && (becomes(MET) || becomes(other)) {
            let detail = format!("cannot set SuccessCriteriaMet=True and {other}=true conditions");
            errors.invalid_omitted(&CONDITIONS, &detail);
        }
    }
    if becomes(MET) && old.is("Complete") {
        let detail = "cannot set SuccessCriteriaMet=True when the Complete condition is already set";
        errors.invalid_omitted(&CONDITIONS, detail);
    }
}

/// What may only go forward.
fn steps(errors: &mut Errors, new: &Job<'_>, old: &Job<'_>) {
    for condition in ["Complete", "Failed", "FailureTarget", "SuccessCriteriaMet"] {
        if old.is(condition) && !new.is(condition) {
            let word = if condition == "SuccessCriteriaMet" { "" } else { "terminal " };
            errors.invalid_omitted(&CONDITIONS, &format!("cannot disable the {word}{condition}=True condition"));
        }
    }
    // Scaling an Indexed Job down forgets the indexes above.
    let scalable = new.is_indexed() && int(new.spec, "completions") == int(new.spec, "parallelism");
    for (field, scales) in [("failed", false), ("succeeded", true)] {
        if new.number(field) < old.number(field) && !(scales && scalable) {
            let detail = format!("cannot decrease the {field} counter");
            errors.invalid(&STATUS.child(field), new.number(field), &detail);
        }
    }
    let completion = get(new.status, "completionTime");
    if old.is("Complete") && new.is("Complete") && !completion.is_null() && changes(new, old, "completionTime") {
        errors.invalid(&STATUS.child("completionTime"), completion, IMMUTABLE);
    }
    let resumes = old.is("Suspended") && !new.is("Suspended");
    let started = !get(old.status, "startTime").is_null();
    if started && changes(new, old, "startTime") && !flag(new.spec, "suspend") && !resumes {
        let shown = Shown::pointer(get(new.status, "startTime"));
        errors.invalid(&STATUS.child("startTime"), shown, "field is immutable for unsuspended job once set");
    }
}
