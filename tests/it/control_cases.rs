//! Kubernetes' own tables for the scheduler and the controllers, straight from `tests/cases/kubelet_cases.json`.
//!
//! Times in the tables are from a `time.Now()` of 2026-01-01T00:00:00Z; what is missing is zero. Other tables of the same
//! file belong to the kubelet and stand in its own tests.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use batchyard::api::apps::{ReplicaSet, ReplicaSetStatus};
use batchyard::api::batch::Job;
use batchyard::api::core::Taint;
use batchyard::api::pod::{Pod, Toleration};
use batchyard::cluster::control::pod_gc::terminated_beyond;
use batchyard::cluster::control::replicaset::rank::{self, Ranked};
use batchyard::cluster::control::replicaset::status;
use batchyard::cluster::control::taint_eviction::{min_toleration_time, time_to_stay};
use batchyard::cluster::control::ttl::time_left;
use batchyard::cluster::sched::{FitError, Plugin, Rejection};
use batchyard::values::object;
use batchyard::values::time::{SimTime, Span};
use batchyard::values::value::Value;

fn now() -> SimTime {
    SimTime::parse_rfc3339("2026-01-01T00:00:00Z").unwrap()
}

/// The cases of one table, each with its name or number.
fn cases(table: &str) -> Vec<(String, Value)> {
    let file = Value::from_json(include_str!("../cases/kubelet_cases.json")).unwrap();
    let cases = file.at(table).list_at("cases").to_vec();
    assert!(!cases.is_empty(), "no table {table}");
    let name = |i: usize, case: &Value| {
        let text = case.str_at("name").or_else(|| case.str_at("description")).unwrap_or_default();
        format!("{table} {i}: {text}")
    };
    cases.into_iter().enumerate().map(|(i, case)| (name(i, &case), case)).collect()
}

fn pods(list: &[Value]) -> Vec<Pod> {
    list.iter().map(|pod| pod.decode().unwrap()).collect()
}

#[test]
fn fit_error_messages() {
    for (name, case) in cases("TestFitError_Error") {
        let diagnosis = case.at("diagnosis");
        let text = |path: &str| diagnosis.str_at(path).unwrap_or_default().to_owned();
        let mut fit = FitError {
            all_nodes: case.i64_at("numAllNodes").unwrap() as usize,
            pre_filter: text("preFilterMsg"),
            post_filter: text("postFilterMsg"),
            ..FitError::default()
        };
        for (node, status) in diagnosis.map_at("nodeToStatus.nodeToStatus").unwrap().iter() {
            let reasons = status.list_at("reasons").iter().map(|r| r.as_str().unwrap().to_owned().into()).collect();
            let rejection = Rejection { plugin: Plugin::NodeResourcesFit, reasons, unresolvable: false };
            fit.rejections.insert(node.to_owned(), rejection);
        }
        assert_eq!(fit.message(), case.str_at("wantReasonMsg").unwrap(), "{name}");
    }
}

#[test]
fn ttl_time_left() {
    for (name, case) in cases("TestTimeLeft") {
        let mut job = object! { "metadata" => object! { "name" => "j", "namespace" => "default" } };
        for (field, kind) in [("completionTime", "Complete"), ("failedTime", "Failed")] {
            if let Some(time) = case.str_at(field) {
                let condition = object! { "type" => kind, "status" => "True", "lastTransitionTime" => time };
                job.set("status.conditions", vec![condition]);
            }
        }
        if let Some(ttl) = case.i64_at("ttl") {
            job.set("spec.ttlSecondsAfterFinished", ttl);
        }
        let job: Job = job.decode().unwrap();
        let since = SimTime::parse_rfc3339(case.str_at("since").unwrap()).unwrap();
        let left = time_left(&job, since);
        if case.bool_at("expectErr") == Some(true) {
            let error = left.expect_err(&name);
            assert!(error.contains(case.str_at("expectErrStr").unwrap()), "{name}: {error}");
        } else {
            let expiry = left.expect(&name);
            assert_eq!(expiry.left.as_ms() * 1_000_000, case.i64_at("expectedTimeLeft").unwrap(), "{name}");
            assert_eq!(expiry.at.rfc3339(), case.str_at("expectedExpireAt").unwrap(), "{name}");
        }
    }
}

#[test]
fn pod_gc_of_terminated_pods() {
    for (name, case) in cases("TestGCTerminated") {
        let listed = case.list_at("pods").iter().enumerate();
        let made: Vec<Pod> = listed
            .map(|(i, row)| {
                // Each Pod of the table is an hour younger than the one before.
                let created = now() + Span::mins(60 * i as i64);
                let pod = object! {
                    "metadata" => object! { "name" => row.at("name").clone(), "creationTimestamp" => created },
                    "status" => object! {
                        "phase" => row.at("phase").clone(), "reason" => row.str_at("reason").unwrap_or_default(),
                    },
                };
                pod.decode().unwrap()
            })
            .collect();
        let refs: Vec<&Pod> = made.iter().collect();
        let threshold = case.i64_at("threshold").unwrap() as usize;
        let mut deleted: Vec<&str> =
            terminated_beyond(&refs, threshold).iter().map(|pod| pod.metadata.name.as_str()).collect();
        let mut expected: Vec<&str> = case.list_at("deletedPodNames").iter().filter_map(Value::as_str).collect();
        deleted.sort();
        expected.sort();
        assert_eq!(deleted, expected, "{name}");
    }
}

#[test]
fn taint_eviction_of_new_pods() {
    for (name, case) in cases("TestCreatePod") {
        let pod: Pod = case.at("pod").decode().unwrap();
        let taints: Vec<Taint> = case.at_keys(["taintedNodes", &pod.spec.node_name]).decode().unwrap_or_default();
        let evicted =
            !pod.spec.node_name.is_empty() && time_to_stay(&taints, &pod.spec.tolerations) == Some(Span::ZERO);
        assert_eq!(Some(evicted), case.bool_at("expectDelete"), "{name}");
    }
}

#[test]
fn shortest_toleration() {
    for (name, case) in cases("TestGetMinTolerationTime") {
        let tolerations: Vec<Toleration> = case.at("tolerations").decode().unwrap();
        let time = min_toleration_time(&tolerations.iter().collect::<Vec<_>>());
        let nanos = time.map_or(-1, |time| time.as_ms() * 1_000_000);
        assert_eq!(Some(nanos), case.i64_at("expected"), "{name}");
    }
}

#[test]
fn ranking_of_active_pods() {
    for (name, case) in cases("TestSortingActivePodsWithRanks") {
        if case.bool_at("disablePodDeletioncost") == Some(true) {
            // With the gate PodDeletionCost off, which 1.36 has on by default.
            continue;
        }
        let side = |side: &str| -> (Pod, usize) {
            let pod = case.at_keys([side, "pod"]).decode().unwrap();
            (pod, case.at_keys([side, "rank"]).as_i64().unwrap_or(0) as usize)
        };
        let (lesser, greater) = (side("lesser"), side("greater"));
        let (a, b) = (
            Ranked { pod: &lesser.0, related_on_node: lesser.1 },
            Ranked { pod: &greater.0, related_on_node: greater.1 },
        );
        assert_eq!(rank::compare(a, b, now()), Ordering::Less, "{name}");
        assert_eq!(rank::compare(b, a, now()), Ordering::Greater, "{name}");
    }
}

#[test]
fn pods_to_delete() {
    for (name, case) in cases("TestGetPodsToDelete") {
        let all = pods(case.list_at("pods"));
        let related = if case.has("related") { pods(case.list_at("related")) } else { all.clone() };
        let count = case.i64_at("diff").unwrap() as usize;
        let victims =
            rank::pods_to_delete(&all.iter().collect::<Vec<_>>(), &related.iter().collect::<Vec<_>>(), count, now());
        // The Pods of a table may share their names.
        let tally = |names: Vec<String>| {
            names.into_iter().fold(BTreeMap::<String, usize>::new(), |mut tally, name| {
                *tally.entry(name).or_default() += 1;
                tally
            })
        };
        let expected = pods(case.list_at("expectedPodsToDelete"));
        assert_eq!(
            tally(victims.iter().map(|pod| pod.metadata.name.to_string()).collect()),
            tally(expected.iter().map(|pod| pod.metadata.name.to_string()).collect()),
            "{name}"
        );
    }
}

#[test]
fn replica_set_status() {
    for (name, case) in cases("TestCalculateStatus") {
        let set: ReplicaSet = case.at("replicaset").decode().unwrap();
        let active = pods(case.list_at("activePods"));
        let terminating = case.list_at("terminatingPods").len();
        let found = status::calculate(&set, &active.iter().collect::<Vec<_>>(), terminating, None, now());
        let mut expected: ReplicaSetStatus = case.at("expectedReplicaSetStatus").decode().unwrap();
        if expected.terminating_replicas.is_none() {
            // An older gate, or a ReplicationController: there the field is never written.
            expected.terminating_replicas = found.terminating_replicas;
        }
        assert_eq!(found, expected, "{name}");
    }
}
