//! The Job controller in a store of its own, rule by rule (`docs/semantics/job.md`), and laws over random histories.

use batchyard::api::kind::Kind;
use batchyard::api::meta::Key;
use batchyard::cluster::actor::Actor;
use batchyard::cluster::store::{ChangeType, DeleteOptions};
use batchyard::values::object;
use batchyard::values::time::{SimTime, Span};
use batchyard::values::value::Value;
use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::lab::{Lab, simple_job};

fn start() -> SimTime {
    SimTime::parse_rfc3339("2026-11-21T08:00:00Z").unwrap()
}

/// A Job named `j` with some fields of its spec set.
fn job(fields: &[(&str, Value)]) -> Value {
    let mut job = simple_job("j");
    for (field, value) in fields {
        job.put(&format!("spec.{field}"), value.clone());
    }
    job
}

fn lab_with(fields: &[(&str, Value)]) -> Lab {
    let mut lab = Lab::new(start());
    lab.create(job(fields));
    lab
}

fn status(lab: &Lab) -> Value {
    lab.find(Kind::Job, "j").value().at("status").clone()
}

/// What a watcher of Jobs and Pods sees, one line a change: the second, what changed, and how.
fn watched(lab: &Lab) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut lines = String::new();
    for change in lab.log.iter().filter(|c| matches!(c.kind(), Kind::Job | Kind::Pod | Kind::Event)) {
        let at = change.at.since(start()).as_ms();
        let object = &change.object;
        let what = match change.kind() {
            Kind::Job if change.change == ChangeType::Deleted => "job gone".to_owned(),
            Kind::Job => format!("job {}", short_status(object.value().at("status"))),
            Kind::Pod => {
                if !names.contains(&object.name().to_owned()) {
                    names.push(object.name().to_owned());
                }
                let number = names.iter().position(|name| name == object.name()).unwrap();
                let tracked = if object.meta().finalizers.is_empty() { "" } else { " tracked" };
                let deleting = if object.meta().is_being_deleted() { " deleting" } else { "" };
                let gone = if change.change == ChangeType::Deleted { " gone" } else { "" };
                format!("pod {number} {}{tracked}{deleting}{gone}", object.pod().status.phase)
            }
            _ => {
                let text = |path: &str| object.value().str_at(path).unwrap_or_default().to_owned();
                let mut message = text("message");
                for (number, name) in names.iter().enumerate() {
                    message = message.replace(name.as_str(), &format!("<{number}>"));
                }
                format!("event {} {} {message}", text("type"), text("reason"))
            }
        };
        let second = format!("{}.{}", at.div_euclid(1000), at.rem_euclid(1000) / 100);
        lines += &format!("{second:<6}{what}\n");
    }
    lines
}

fn short_status(status: &Value) -> String {
    let mut status = status.clone();
    let conditions: Vec<String> =
        status.list_at("conditions").iter().map(|c| format!("{}={}", c.at("type"), c.at("status"))).collect();
    status.remove("conditions");
    for list in ["uncountedTerminatedPods.succeeded", "uncountedTerminatedPods.failed"] {
        let count = status.list_at(list).len();
        if count > 0 {
            status.set(list, count);
        }
    }
    format!("{status} {}", conditions.join(" ")).replace('"', "").trim_end().to_owned()
}

fn check(lab: &Lab, expected: &Expect) {
    expected.assert_eq(&watched(lab));
}

#[test]
fn one_pod_that_succeeds() {
    let mut lab = lab_with(&[]);
    lab.run_for(Span::secs(2));
    let pod = lab.unfinished_pods().remove(0);
    lab.start_pod(&pod);
    lab.run_for(Span::secs(3));
    lab.finish_pod(&pod, 0);
    lab.run_for(Span::secs(60));
    check(
        &lab,
        &expect![[r#"
            0.0   job {}
            0.0   pod 0 Pending tracked
            0.0   event Normal SuccessfulCreate Created pod: <0>
            0.0   job {active:1,ready:0,startTime:2026-11-21T08:00:00Z,terminating:0,uncountedTerminatedPods:{}}
            2.0   pod 0 Pending tracked
            2.0   pod 0 Running tracked
            3.0   job {active:1,ready:1,startTime:2026-11-21T08:00:00Z,terminating:0,uncountedTerminatedPods:{}}
            5.0   pod 0 Succeeded tracked
            6.0   job {ready:0,startTime:2026-11-21T08:00:00Z,terminating:0,uncountedTerminatedPods:{succeeded:1}} SuccessCriteriaMet=True
            6.0   pod 0 Succeeded
            6.0   job {completionTime:2026-11-21T08:00:06Z,ready:0,startTime:2026-11-21T08:00:00Z,succeeded:1,terminating:0,uncountedTerminatedPods:{}} SuccessCriteriaMet=True Complete=True
            6.0   event Normal Completed Job completed
        "#]],
    );
}

#[test]
fn one_failure_is_replaced_after_ten_seconds_the_second_ends_the_job() {
    let mut lab = lab_with(&[("backoffLimit", 1.into())]);
    for _ in 0..2 {
        lab.run_for(Span::ms(500));
        let pod = lab.unfinished_pods().remove(0);
        lab.finish_pod(&pod, 1);
        lab.run_for(Span::secs(12));
    }
    check(
        &lab,
        &expect![[r#"
            0.0   job {}
            0.0   pod 0 Pending tracked
            0.0   event Normal SuccessfulCreate Created pod: <0>
            0.0   job {active:1,ready:0,startTime:2026-11-21T08:00:00Z,terminating:0,uncountedTerminatedPods:{}}
            0.5   pod 0 Failed tracked
            1.0   job {ready:0,startTime:2026-11-21T08:00:00Z,terminating:0,uncountedTerminatedPods:{failed:1}}
            1.0   pod 0 Failed
            1.0   job {failed:1,ready:0,startTime:2026-11-21T08:00:00Z,terminating:0,uncountedTerminatedPods:{}}
            10.0  pod 1 Pending tracked
            10.0  event Normal SuccessfulCreate Created pod: <1>
            10.0  job {active:1,failed:1,ready:0,startTime:2026-11-21T08:00:00Z,terminating:0,uncountedTerminatedPods:{}}
            13.0  pod 1 Failed tracked
            14.0  job {failed:1,ready:0,startTime:2026-11-21T08:00:00Z,terminating:0,uncountedTerminatedPods:{failed:1}} FailureTarget=True
            14.0  pod 1 Failed
            14.0  job {failed:2,ready:0,startTime:2026-11-21T08:00:00Z,terminating:0,uncountedTerminatedPods:{}} FailureTarget=True Failed=True
            14.0  event Warning BackoffLimitExceeded Job has reached the specified backoff limit
        "#]],
    );
}

#[test]
fn the_deadline_ends_a_job_but_it_is_failed_only_when_its_pod_has_gone() {
    let mut lab = lab_with(&[("activeDeadlineSeconds", 5.into())]);
    lab.run_for(Span::secs(1));
    let pod = lab.unfinished_pods().remove(0);
    lab.start_pod(&pod);
    lab.run_for(Span::secs(10));
    lab.end_deletion(&pod);
    lab.run_for(Span::secs(10));
    check(
        &lab,
        &expect![[r#"
            0.0   job {}
            0.0   pod 0 Pending tracked
            0.0   event Normal SuccessfulCreate Created pod: <0>
            0.0   job {active:1,ready:0,startTime:2026-11-21T08:00:00Z,terminating:0,uncountedTerminatedPods:{}}
            1.0   pod 0 Pending tracked
            1.0   pod 0 Running tracked
            1.0   job {active:1,ready:1,startTime:2026-11-21T08:00:00Z,terminating:0,uncountedTerminatedPods:{}}
            5.0   pod 0 Running tracked deleting
            5.0   event Normal SuccessfulDelete Deleted pod: <0>
            5.0   job {ready:0,startTime:2026-11-21T08:00:00Z,terminating:1,uncountedTerminatedPods:{failed:1}} FailureTarget=True
            5.0   pod 0 Running deleting
            5.0   job {failed:1,ready:0,startTime:2026-11-21T08:00:00Z,terminating:1,uncountedTerminatedPods:{}} FailureTarget=True
            11.0  pod 0 Running deleting
            11.0  pod 0 Running deleting gone
            12.0  job {failed:1,ready:0,startTime:2026-11-21T08:00:00Z,terminating:0,uncountedTerminatedPods:{}} FailureTarget=True
            12.0  job {failed:1,ready:0,startTime:2026-11-21T08:00:00Z,terminating:0,uncountedTerminatedPods:{}} FailureTarget=True Failed=True
            12.0  event Warning DeadlineExceeded Job was active longer than specified deadline
        "#]],
    );
}

#[test]
fn suspending_deletes_pods_without_counting_them_and_stops_the_clock() {
    let mut lab = lab_with(&[("suspend", true.into()), ("activeDeadlineSeconds", 30.into())]);
    lab.run_for(Span::secs(100));
    lab.edit(Kind::Job, "j", |job| job.set("spec.suspend", false));
    lab.run_for(Span::secs(5));
    let pod = lab.unfinished_pods().remove(0);
    lab.start_pod(&pod);
    lab.run_for(Span::secs(5));
    lab.edit(Kind::Job, "j", |job| job.set("spec.suspend", true));
    lab.run_for(Span::ms(200));
    lab.end_deletion(&pod);
    lab.run_for(Span::secs(100));
    check(
        &lab,
        &expect![[r#"
            0.0   job {}
            0.0   job {ready:0,terminating:0,uncountedTerminatedPods:{}} Suspended=True
            0.0   event Normal Suspended Job suspended
            100.0 job {ready:0,terminating:0,uncountedTerminatedPods:{}} Suspended=True
            100.0 pod 0 Pending tracked
            100.0 event Normal SuccessfulCreate Created pod: <0>
            100.0 job {active:1,ready:0,startTime:2026-11-21T08:01:40Z,terminating:0,uncountedTerminatedPods:{}} Suspended=False
            100.0 event Normal Resumed Job resumed
            105.0 pod 0 Pending tracked
            105.0 pod 0 Running tracked
            106.0 job {active:1,ready:1,startTime:2026-11-21T08:01:40Z,terminating:0,uncountedTerminatedPods:{}} Suspended=False
            110.0 job {active:1,ready:1,startTime:2026-11-21T08:01:40Z,terminating:0,uncountedTerminatedPods:{}} Suspended=False
            110.0 pod 0 Running
            110.0 pod 0 Running deleting
            110.0 event Normal SuccessfulDelete Deleted pod: <0>
            110.0 job {ready:0,terminating:1,uncountedTerminatedPods:{}} Suspended=True
            110.0 event Normal Suspended Job suspended
            110.2 pod 0 Running deleting
            110.2 pod 0 Running deleting gone
            111.0 job {ready:0,terminating:0,uncountedTerminatedPods:{}} Suspended=True
        "#]],
    );
}

#[test]
fn pods_of_a_deleted_job_lose_their_finalizers() {
    let mut lab = lab_with(&[("parallelism", 2.into()), ("completions", 2.into())]);
    lab.run_for(Span::secs(2));
    lab.delete(Kind::Job, "j");
    lab.run_for(Span::secs(5));
    check(
        &lab,
        &expect![[r#"
            0.0   job {}
            0.0   pod 0 Pending tracked
            0.0   event Normal SuccessfulCreate Created pod: <0>
            0.0   pod 1 Pending tracked
            0.0   event Normal SuccessfulCreate Created pod: <1>
            0.0   job {active:2,ready:0,startTime:2026-11-21T08:00:00Z,terminating:0,uncountedTerminatedPods:{}}
            2.0   job gone
            2.0   pod 1 Pending
            2.0   pod 0 Pending
        "#]],
    );
}

#[test]
fn a_job_that_waits_for_its_dependents_makes_no_more_pods_and_counts_what_has_ended() {
    let mut lab = lab_with(&[("parallelism", 2.into()), ("completions", 2.into())]);
    lab.run_for(Span::ms(500));
    let pod = lab.unfinished_pods().remove(0);
    lab.finish_pod(&pod, 1);
    lab.api(|api| api.delete(&Key::new(Kind::Job, "default", "j"), &DeleteOptions::foreground())).unwrap();
    lab.run_for(Span::secs(30));
    assert_eq!(status(&lab).i64_at("failed"), Some(1));
    assert_eq!(lab.pods().len(), 2);
    assert!(lab.pods().iter().all(|pod| pod.meta().finalizers.is_empty()));
}

#[test]
fn pods_that_cannot_be_made_are_tried_again_later_and_later() {
    let robot = ("template.spec.serviceAccountName", "robot".into());
    let mut lab = lab_with(&[("parallelism", 3.into()), ("completions", 3.into()), robot]);
    lab.run_for(Span::secs(200));
    let failures = lab.log.iter().filter(|c| c.kind() == Kind::Event);
    let text = "Warning FailedCreate Error creating: pods \"j-\" is forbidden: error looking up service account \
                default/robot: serviceaccount \"robot\" not found";
    let seconds: Vec<i64> = failures.map(|c| c.at.since(start()).as_secs()).collect();
    // The first status write asks for a sync after one second too; from then on the waits double up to a minute.
    assert_eq!(seconds, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
    assert_eq!(lab.events("j")[0], text);
    assert_eq!(status(&lab).i64_at("active"), None);
}

#[test]
fn nothing_is_made_in_a_namespace_that_ends() {
    let mut lab = Lab::new(start());
    lab.create(job(&[]));
    // `default` may not be deleted, so it is put as one that ends would stand there.
    let mut ending = lab.store.find(Kind::Namespace, "", "default").expect("it is there").value().clone();
    ending.set("metadata.deletionTimestamp", start());
    ending.set("status.phase", "Terminating");
    lab.store.replay(start(), "MODIFIED", ending);
    lab.run_for(Span::secs(60));
    assert!(lab.events("j").is_empty());
    assert_eq!(lab.pods().len(), 0);
}

#[test]
fn three_failures_together_wait_as_three() {
    let mut lab = lab_with(&[("parallelism", 3.into()), ("completions", 3.into())]);
    lab.run_for(Span::secs(1));
    for pod in lab.unfinished_pods() {
        lab.finish_pod(&pod, 1);
    }
    lab.run_for(Span::ms(39_900));
    assert!(lab.unfinished_pods().is_empty());
    lab.run_for(Span::ms(200));
    assert_eq!(lab.unfinished_pods().len(), 3);
}

#[test]
fn a_restarted_controller_has_forgotten_the_failures() {
    let mut lab = lab_with(&[]);
    lab.run_for(Span::ms(500));
    let pod = lab.unfinished_pods().remove(0);
    lab.finish_pod(&pod, 1);
    lab.run_for(Span::secs(3));
    assert!(lab.unfinished_pods().is_empty());
    lab.restart();
    lab.run_for(Span::secs(1));
    assert_eq!(lab.unfinished_pods().len(), 1);
}

#[test]
fn the_last_failed_pod_of_an_index_hands_its_failures_on() {
    let mut lab = lab_with(&[
        ("completionMode", "Indexed".into()),
        ("backoffLimitPerIndex", 2.into()),
        ("template.metadata.annotations", object! { "team" => "blue" }),
    ]);
    lab.run_for(Span::secs(1));
    let first = lab.unfinished_pods().remove(0);
    lab.finish_pod(&first, 1);
    lab.run_for(Span::secs(5));
    let held = |lab: &Lab, pod: &str| !lab.find(Kind::Pod, pod).meta().finalizers.is_empty();
    assert!(held(&lab, &first), "the last failed Pod of an index stays until it is replaced");
    lab.run_for(Span::secs(10));
    assert!(!held(&lab, &first));
    let pod = lab.find(Kind::Pod, &lab.unfinished_pods()[0]);
    let annotations = &pod.meta().annotations;
    assert_eq!(annotations["batch.kubernetes.io/job-index-failure-count"], "1");
    assert_eq!((annotations["team"].as_str(), pod.pod().spec.hostname.as_str()), ("blue", "j-0"));
    assert_eq!(status(&lab).i64_at("failed"), Some(1));
}

#[test]
fn an_elastic_indexed_job_follows_its_completions() {
    let mut lab =
        lab_with(&[("completionMode", "Indexed".into()), ("completions", 3.into()), ("parallelism", 3.into())]);
    lab.run_for(Span::secs(2));
    lab.edit(Kind::Job, "j", |job| {
        job.set("spec.completions", 5);
        job.set("spec.parallelism", 5);
    });
    lab.run_for(Span::secs(2));
    assert_eq!(lab.unfinished_pods().len(), 5);
    for pod in lab.unfinished_pods() {
        let index = lab.find(Kind::Pod, &pod).meta().labels["batch.kubernetes.io/job-completion-index"].clone();
        if index == "1" || index == "4" {
            lab.finish_pod(&pod, 0);
        }
    }
    lab.run_for(Span::secs(2));
    assert_eq!(status(&lab).str_at("completedIndexes"), Some("1,4"));
    lab.edit(Kind::Job, "j", |job| {
        job.set("spec.completions", 2);
        job.set("spec.parallelism", 2);
    });
    lab.run_for(Span::secs(2));
    assert_eq!(status(&lab).str_at("completedIndexes"), Some("1"));
    assert_eq!(lab.unfinished_pods().len(), 1);
}

/// A Pod that nobody manages, with the label `app: a`.
fn bare_pod(name: &str) -> Value {
    let mut pod = simple_job("").at("spec.template").clone();
    pod.set("apiVersion", "v1");
    pod.set("kind", "Pod");
    pod.set("metadata", object! { "name" => name, "namespace" => "default", "labels" => object! { "app" => "a" } });
    pod
}

/// The Job `j`, which takes in Pods with the label `app: a`.
fn adopting_job() -> Value {
    job(&[
        ("manualSelector", true.into()),
        ("selector", object! { "matchLabels" => object! { "app" => "a" } }),
        ("template.metadata.labels", object! { "app" => "a" }),
    ])
}

#[test]
fn orphans_are_adopted_and_strays_let_go() {
    let mut lab = Lab::new(start());
    lab.create(bare_pod("bare"));
    lab.create(adopting_job());
    lab.run_for(Span::secs(2));
    assert_eq!(lab.pods().len(), 1, "the orphan is all the Job needs");
    let uid = lab.find(Kind::Job, "j").uid().to_owned();
    assert!(lab.find(Kind::Pod, "bare").meta().is_controlled_by(&uid));
    assert_eq!(lab.find(Kind::Pod, "bare").meta().finalizers.len(), 1);
    lab.edit(Kind::Pod, "bare", |pod| pod.set("metadata.labels.app", "b"));
    lab.run_for(Span::secs(2));
    let bare = lab.find(Kind::Pod, "bare");
    assert!(bare.meta().owner_references.is_empty() && bare.meta().finalizers.is_empty());
    assert_eq!(lab.pods().len(), 2, "another takes its place");
}

#[test]
fn a_new_deadline_is_heard_at_once() {
    let mut lab = lab_with(&[]);
    lab.run_for(Span::secs(20));
    lab.edit(Kind::Job, "j", |job| job.set("spec.activeDeadlineSeconds", 10));
    lab.run_for(Span::ms(100));
    assert_eq!(status(&lab).str_at("conditions.0.reason"), Some("DeadlineExceeded"));
}

#[test]
fn too_many_successes_are_told() {
    let mut lab = Lab::new(start());
    for name in ["first", "second"] {
        lab.create(bare_pod(name));
        lab.finish_pod(name, 0);
    }
    lab.create(adopting_job());
    lab.run_for(Span::secs(5));
    assert_eq!(
        lab.events("j"),
        [
            "Warning TooManySucceededPods Too many succeeded pods running after completion count reached",
            "Normal Completed Job completed",
        ]
    );
}

/// Ten thousand Pods, each counted once, with work per sync that depends on the Pods that run and not on those that ran.
#[test]
fn ten_thousand_completions() {
    for mode in ["NonIndexed", "Indexed"] {
        let mut lab =
            lab_with(&[("parallelism", 500.into()), ("completions", 10_000.into()), ("completionMode", mode.into())]);
        let mut rounds = 0;
        while lab.find(Kind::Job, "j").job().finished().is_none() {
            lab.run_for(Span::secs(2));
            for pod in lab.last_made_pods() {
                lab.finish_pod(&pod, 0);
            }
            rounds += 1;
            assert!(rounds < 60, "{}", short_status(&status(&lab)));
        }
        assert_eq!(status(&lab).i64_at("succeeded"), Some(10_000));
        assert_eq!(lab.pods().len(), 10_000);
    }
}

/// `docs/semantics/job.md` §4, step 7: batches of 1, 2, 4, 8 …; the first that fails is the last.
#[test]
fn pods_are_made_in_growing_batches_up_to_the_first_refusal() {
    let mut lab = Lab::new(start());
    let name = object! { "name" => "few", "namespace" => "default" };
    let hard = object! { "pods" => "4" };
    lab.create(object! {
        "apiVersion" => "v1", "kind" => "ResourceQuota", "metadata" => name,
        "spec" => object! { "hard" => hard.clone() },
    });
    lab.edit_status(Kind::ResourceQuota, "few", |status| status.set("hard", hard));
    lab.create(job(&[("completions", 20.into()), ("parallelism", 20.into())]));
    lab.run_for(Span::ms(500));
    assert_eq!(lab.pods().len(), 4);
    let refused = lab.events("j").iter().filter(|event| event.starts_with("Warning FailedCreate")).count();
    assert_eq!(refused, 3, "of the third batch one Pod was made, and a fourth was not begun");
}

#[derive(Clone, Debug)]
enum Act {
    Wait(i64),
    Start(usize),
    Finish(usize, bool),
    Delete(usize),
    End(usize),
    Suspend(bool),
    Parallelism(i64),
    Restart,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => (1_i64..30_000).prop_map(Act::Wait),
        3 => (0_usize..4).prop_map(Act::Start),
        4 => ((0_usize..4), any::<bool>()).prop_map(|(pod, success)| Act::Finish(pod, success)),
        1 => (0_usize..4).prop_map(Act::Delete),
        2 => (0_usize..4).prop_map(Act::End),
        1 => any::<bool>().prop_map(Act::Suspend),
        1 => (0_i64..5).prop_map(Act::Parallelism),
        1 => Just(Act::Restart),
    ];
    prop::collection::vec(act, 0..60)
}

fn play(lab: &mut Lab, act: &Act) {
    let nth = |lab: &Lab, n: &usize| lab.unfinished_pods().get(*n).cloned();
    match act {
        Act::Wait(ms) => lab.run_for(Span::ms(*ms)),
        Act::Start(n) => {
            let pod = nth(lab, n).filter(|pod| lab.find(Kind::Pod, pod).pod().spec.node_name.is_empty());
            pod.into_iter().for_each(|pod| lab.start_pod(&pod));
        }
        Act::Finish(n, success) => {
            nth(lab, n).into_iter().for_each(|pod| lab.finish_pod(&pod, i64::from(!success)));
        }
        Act::Delete(n) => nth(lab, n).into_iter().for_each(|pod| lab.delete(Kind::Pod, &pod)),
        Act::End(n) => {
            let pod = nth(lab, n).filter(|pod| lab.find(Kind::Pod, pod).meta().is_being_deleted());
            pod.into_iter().for_each(|pod| lab.end_deletion(&pod));
        }
        Act::Suspend(suspend) => lab.edit(Kind::Job, "j", |job| job.set("spec.suspend", *suspend)),
        Act::Parallelism(count) => lab.edit(Kind::Job, "j", |job| job.set("spec.parallelism", *count)),
        Act::Restart => lab.restart(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Whatever happens to its Pods: a Job's counters never shrink, each ended Pod counts at most once, there is one end
    /// and it is never left, and at rest a sync writes nothing.
    #[test]
    fn laws_of_jobs(acts in acts(), indexed in any::<bool>(), only_failed in any::<bool>(), per_index in any::<bool>()) {
        let mut fields = vec![("completions", 4.into()), ("parallelism", 3.into()), ("backoffLimit", 3.into())];
        if indexed {
            fields.push(("completionMode", "Indexed".into()));
        }
        if indexed && per_index {
            fields.push(("backoffLimitPerIndex", 1.into()));
        }
        if only_failed {
            fields.push(("podReplacementPolicy", "Failed".into()));
        }
        let mut lab = lab_with(&fields);
        for act in &acts {
            play(&mut lab, act);
        }
        lab.run_for(Span::secs(3600));
        let mut before = (0, 0);
        let mut ended = None;
        for change in lab.log.iter().filter(|change| change.kind() == Kind::Job) {
            let job = change.object.job();
            let counted = (job.status.succeeded, job.status.failed);
            prop_assert!(counted.0 >= before.0 && counted.1 >= before.1, "{counted:?} after {before:?}");
            before = counted;
            if let Some(end) = &ended {
                prop_assert_eq!(Some(end), job.finished());
            }
            ended = job.finished().cloned();
            let uncounted = job.status.uncounted_terminated_pods.clone().unwrap_or_default();
            prop_assert!(ended.is_none() || (uncounted.succeeded.is_empty() && uncounted.failed.is_empty()));
            prop_assert!(ended.is_none() || (job.status.active == 0 && job.status.terminating == Some(0)));
        }
        let made = lab.log.iter().filter(|c| c.kind() == Kind::Pod && c.change == ChangeType::Added).count();
        prop_assert!((before.0 + before.1) as usize <= made);
        let revision = lab.store.revision();
        lab.restart();
        // A restarted controller has forgotten the failures and may replace Pods sooner; nothing else may change.
        let waits_for_backoff = lab.find(Kind::Job, "j").job().finished().is_none();
        lab.run_for(Span::secs(1));
        prop_assert!(waits_for_backoff || lab.store.revision() == revision);
        lab.run_for(Span::secs(3600));
        let settled = lab.store.revision();
        prop_assert_eq!(lab.controller.next_wakeup(), None);
        lab.edit(Kind::Job, "j", |job| job.set("metadata.annotations", object! { "touched" => "yes" }));
        lab.run_for(Span::secs(3600));
        prop_assert_eq!(lab.store.revision(), settled + 1, "a sync at rest writes nothing");
    }
}
