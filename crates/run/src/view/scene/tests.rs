//! What the stage says of objects, row by row.

use super::*;
use values::value::Value;
use values::zone::ZoneTable;

fn read<T: values::value::Record>(json: &str) -> T {
    Value::from_json(json).unwrap_or_else(|e| panic!("{e}: {json}")).decode().unwrap_or_else(|e| panic!("{e}: {json}"))
}

fn at(text: &str) -> SimTime {
    SimTime::parse_rfc3339(&format!("2026-01-01T{text}Z")).unwrap_or_else(|| panic!("{text}"))
}

/// Milliseconds since 08:00.
fn ms(moment: SimTime) -> i64 {
    moment.since(at("08:00:00")).as_ms()
}

/// A Pod on a node with one container in this state, in the phase Pending.
fn bound(state: &str, policy: &str) -> Pod {
    read(&format!(
        r#"{{"spec":{{"nodeName":"n","restartPolicy":"{policy}","containers":[{{"name":"a"}}]}},"status":{{"phase":
        "Pending","containerStatuses":[{{"name":"a","restartCount":2,"state":{{{state}}}}}]}}}}"#
    ))
}

#[test]
fn every_state_of_a_pod_has_its_sign() {
    let ended = |reason: &str, code: i32| {
        format!(
            r#"{{"spec":{{"nodeName":"n"}},"status":{{"phase":"Failed","containerStatuses":[{{"name":"a",
            "state":{{"terminated":{{"reason":"{reason}","exitCode":{code}}}}}}}]}}}}"#
        )
    };
    let waiting = |reason: &str| {
        format!(
            r#"{{"status":{{"phase":"Pending","conditions":[{{"type":"PodScheduled","status":"False",
            "reason":"{reason}"}}]}}}}"#
        )
    };
    for (json, sign, word) in [
        (r#"{"status":{"phase":"Succeeded"}}"#.to_owned(), Sign::Done, "done"),
        (ended("Error", 3), Sign::Failed, "exit 3"),
        (ended("OOMKilled", 137), Sign::Failed, "OOMKilled"),
        (r#"{"status":{"phase":"Failed"}}"#.to_owned(), Sign::Failed, "failed"),
        (r#"{"status":{"phase":"Failed","reason":"Evicted"}}"#.to_owned(), Sign::Failed, "Evicted"),
        (r#"{"status":{"phase":"Failed","reason":"DeadlineExceeded"}}"#.to_owned(), Sign::Failed, "DeadlineExceeded"),
        (r#"{"status":{"phase":"Pending"}}"#.to_owned(), Sign::Waits, "waits"),
        (waiting("Unschedulable"), Sign::NoRoom, Sign::NoRoom.word()),
        (waiting("SchedulingGated"), Sign::Waits, "gated"),
    ] {
        assert_eq!(sign_of(&read(&json)), (sign, word.into()), "{json}");
    }
    // Whoever is told to go ends, wherever it stood; who has ended has ended.
    let going = r#""metadata":{"deletionTimestamp":"2026-01-01T08:00:30Z"}"#;
    let (sign, _) = sign_of(&read(&format!(r#"{{{going},"spec":{{"nodeName":"n"}},"status":{{"phase":"Running"}}}}"#)));
    assert_eq!(sign, Sign::Ends);
    let (sign, _) = sign_of(&read(&format!(r#"{{{going},"status":{{"phase":"Failed"}}}}"#)));
    assert_eq!(sign, Sign::Failed);
}

#[test]
fn every_state_of_a_container_has_its_sign() {
    let waiting = |reason: &str| format!(r#""waiting":{{"reason":"{reason}"}}"#);
    let ended = |reason: &str, code: i32| format!(r#""terminated":{{"reason":"{reason}","exitCode":{code}}}"#);
    for (state, policy, sign, word) in [
        (waiting("ContainerCreating"), "Never", Sign::Starts, "starts"),
        (waiting("PodInitializing"), "Never", Sign::Starts, "starts"),
        (waiting("CreateContainerConfigError"), "Never", Sign::Starts, "CreateContainerConfigError"),
        (waiting("CrashLoopBackOff"), "OnFailure", Sign::BacksOff, "backs off, 2 so far"),
        (waiting("ErrImagePull"), "Never", Sign::BacksOff, "no image"),
        (waiting("ImagePullBackOff"), "Never", Sign::BacksOff, "no image"),
        (ended("Error", 1), "OnFailure", Sign::BacksOff, "will restart"),
        (ended("Error", 1), "Always", Sign::BacksOff, "will restart"),
        (ended("OOMKilled", 137), "OnFailure", Sign::BacksOff, "will restart"),
        (ended("Error", 1), "Never", Sign::Runs, "runs"),
        (ended("Completed", 0), "Never", Sign::Runs, "finishes"),
        (ended("Completed", 0), "OnFailure", Sign::Runs, "finishes"),
        (ended("Completed", 0), "Always", Sign::Runs, "runs"),
    ] {
        assert_eq!(bound_sign(&bound(&state, policy)), (sign, word.into()), "{state} {policy}");
    }
}

#[test]
fn a_sign_says_since_when_it_holds_and_until_when() {
    let pod: Pod = read(
        r#"{"metadata":{"creationTimestamp":"2026-01-01T08:00:00Z","deletionTimestamp":"2026-01-01T08:01:30Z",
        "deletionGracePeriodSeconds":30},"status":{"startTime":"2026-01-01T08:00:02Z","containerStatuses":[
        {"name":"a","state":{"running":{"startedAt":"2026-01-01T08:00:05Z"}}},
        {"name":"b","state":{"running":{"startedAt":"2026-01-01T08:00:07Z"}}},
        {"name":"c","state":{"terminated":{"exitCode":0,"finishedAt":"2026-01-01T08:00:50Z"}}}]}}"#,
    );
    let hold = Some(Hold { from: at("08:00:20"), until: at("08:00:40") });
    for (sign, from, to) in [
        (Sign::Waits, "08:00:00", None),
        (Sign::NoRoom, "08:00:00", None),
        (Sign::Starts, "08:00:02", None),
        (Sign::Runs, "08:00:07", None),
        (Sign::Done, "08:00:50", None),
        (Sign::Failed, "08:00:50", None),
        (Sign::BacksOff, "08:00:20", Some("08:00:40")),
        (Sign::Ends, "08:01:00", Some("08:01:30")),
    ] {
        assert_eq!(since(&pod, sign, hold), Some(at(from)), "{sign:?}");
        assert_eq!(until(&pod, sign, hold), to.map(at), "{sign:?}");
    }
    // What is not told is counted from the Pod's beginning.
    let bare: Pod = read(r#"{"metadata":{"creationTimestamp":"2026-01-01T08:00:00Z"}}"#);
    for sign in [Sign::Starts, Sign::Runs, Sign::Done, Sign::BacksOff, Sign::Ends] {
        assert_eq!(since(&bare, sign, None), Some(at("08:00:00")), "{sign:?}");
        assert_eq!(until(&bare, sign, None), None, "{sign:?}");
    }
}

#[test]
fn a_note_is_what_holds_the_pod_up_or_ended_it() {
    for (status, says) in [
        (r#"{"message":"The node was low on memory"}"#, "The node was low on memory"),
        (r#"{"conditions":[{"type":"PodScheduled","status":"False","message":"0/2 nodes"}]}"#, "0/2 nodes"),
        (r#"{"conditions":[{"type":"PodScheduled","status":"True","message":"yes"}]}"#, ""),
        (r#"{"initContainerStatuses":[{"state":{"waiting":{"message":"no key"}}}]}"#, "no key"),
        (r#"{"containerStatuses":[{"state":{"terminated":{"exitCode":1,"message":"no disk"}}}]}"#, "no disk"),
        ("{}", ""),
    ] {
        assert_eq!(note(&read(&format!(r#"{{"status":{status}}}"#))), says, "{status}");
    }
}

#[test]
fn a_candle_burns_for_a_deadline_or_a_time_to_live() {
    let job = |spec: &str, status: &str| -> Job { read(&format!(r#"{{"spec":{{{spec}}},"status":{{{status}}}}}"#)) };
    let started = r#""startTime":"2026-01-01T08:00:01Z""#;
    let finished = r#""startTime":"2026-01-01T08:00:01Z","conditions":[{"type":"Complete","status":"True",
                      "lastTransitionTime":"2026-01-01T08:00:09Z"}]"#;
    let (deadline, ttl) = (r#""activeDeadlineSeconds":60"#, r#""ttlSecondsAfterFinished":100"#);
    let both = format!("{deadline},{ttl}");
    let burns = |field: &str, from_ms, until_ms| {
        let says = if field == "activeDeadlineSeconds" { "deadline in" } else { "deleted in" };
        Some(Candle { field: field.to_owned(), says: says.to_owned(), from_ms, until_ms })
    };
    for (spec, status, expected) in [
        (deadline, started, burns("activeDeadlineSeconds", 1000, 61_000)),
        (deadline, "", None),
        (r#""activeDeadlineSeconds":60,"suspend":true"#, started, None),
        (ttl, started, None),
        (ttl, finished, burns("ttlSecondsAfterFinished", 9000, 109_000)),
        (&both, started, burns("activeDeadlineSeconds", 1000, 61_000)),
        (&both, finished, burns("ttlSecondsAfterFinished", 9000, 109_000)),
        (deadline, finished, None),
        (r#""ttlSecondsAfterFinished":0"#, finished, burns("ttlSecondsAfterFinished", 9000, 9000)),
    ] {
        assert_eq!(candle(&job(spec, status), &ms), expected, "{spec} {status}");
    }
}

#[test]
fn a_back_off_is_shown_only_where_pods_are_missing() {
    for (spec, status, wants) in [
        (r#""completions":5,"parallelism":2"#, r#""active":1"#, true),
        (r#""completions":5,"parallelism":2"#, r#""active":2"#, false),
        (r#""completions":5,"parallelism":2"#, r#""active":1,"succeeded":4"#, false),
        (r#""completions":5,"parallelism":2"#, r#""active":0,"succeeded":4"#, true),
        (r#""completions":1"#, "", true),
        (r#""parallelism":2"#, r#""active":1"#, true),
        (r#""parallelism":2"#, r#""active":1,"succeeded":1"#, false),
        (r#""completions":1,"suspend":true"#, "", false),
        (r#""completions":3,"backoffLimitPerIndex":1"#, "", false),
        (r#""completions":1"#, r#""conditions":[{"type":"Failed","status":"True"}]"#, false),
    ] {
        let job: Job = read(&format!(r#"{{"spec":{{{spec}}},"status":{{{status}}}}}"#));
        assert_eq!(wants_pods(&job), wants, "{spec} {status}");
    }
}

fn create(cluster: &mut Cluster, json: &str) -> Rc<Object> {
    let value = Value::from_json(json).unwrap_or_else(|e| panic!("{e}: {json}"));
    cluster.api("test", |api| api.create(value)).unwrap_or_else(|e| panic!("{e}: {json}"))
}

#[test]
fn a_service_shows_the_ready_pods_of_its_namespace() {
    let mut cluster = terminal::empty_cluster(&ZoneTable::default());
    create(&mut cluster, r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"other"}}"#);
    create(
        &mut cluster,
        r#"{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default","namespace":"other"}}"#,
    );
    create(
        &mut cluster,
        r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"queue","namespace":"default"},
        "spec":{"selector":{"app":"q"},"ports":[{"port":80}]}}"#,
    );
    let pods =
        [("default", "b", "True"), ("default", "a", "True"), ("default", "slow", "False"), ("other", "c", "True")];
    for (number, (namespace, name, ready)) in pods.into_iter().enumerate() {
        let pod = create(
            &mut cluster,
            &format!(
                r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","namespace":"{namespace}","labels":
                {{"app":"q"}}}},"spec":{{"nodeName":"n","containers":[{{"name":"a","image":"busybox"}}]}}}}"#
            ),
        );
        let status = format!(
            r#"{{"phase":"Running","podIP":"10.0.0.{number}","conditions":[{{"type":"Ready","status":"{ready}"}}]}}"#
        );
        let status = Value::from_json(&status).unwrap();
        cluster.api("test", |api| api.update_status(&pod.key(), status)).unwrap();
    }
    let cards = services(cluster.store());
    assert_eq!(cards.len(), 1);
    assert_eq!(cards[0].endpoints, ["a", "b"]);
    // One that is told to go is no endpoint any more.
    let key = cluster.store().find(Kind::Pod, "default", "a").unwrap().key();
    cluster.api("test", |api| api.delete(&key, &cluster::store::DeleteOptions::default())).unwrap();
    assert_eq!(services(cluster.store())[0].endpoints, ["b"]);
}

#[test]
fn room_is_told_in_words() {
    assert_eq!(of(1500, 2000, |millis| Quantity::from_millis(millis).to_string()), "1500m of 2");
    assert_eq!(of(0, 2000, |_| unreachable!("nothing is asked for")), "");
    assert_eq!(
        [memory_text(4 << 30), memory_text(300 << 20), memory_text((1 << 30) + (512 << 20))],
        ["4Gi", "300Mi", "1536Mi"]
    );
    assert_eq!([percent(1500, 2000), percent(1, 0), percent(3, 2)], [75, 0, 150]);
}
