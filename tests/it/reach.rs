//! How the user's machine reaches into containers (`cluster::reach`): logs, exec, attach, requests to a port.

use batchyard::api::kind::Kind;
use batchyard::api::meta::Key;
use batchyard::cluster::net::{NetError, Request};
use batchyard::cluster::node::{ExecHandle, ExecState, LogsError, NodeSpec};
use batchyard::cluster::{Cluster, Setup};
use batchyard::shell::{Input, Io};
use batchyard::values::rng::Rng;
use batchyard::values::time::{SimTime, Span};
use batchyard::values::value::Value;
use batchyard::values::zone::ZoneTable;

/// A cluster of one node with one Pod in the namespace `team`, which has had time to start.
fn cluster_with(container: &str) -> (Cluster, Key) {
    let node = NodeSpec { name: "node-1".into(), cpu: "4".into(), memory: "8Gi".into() };
    let start = SimTime::parse_rfc3339("2026-01-01T08:00:00Z").expect("a time");
    let setup = Setup { nodes: vec![node], ..Setup::default() };
    let mut cluster = Cluster::new(&setup, start, Rng::new(4), ZoneTable::default());
    create(&mut cluster, r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"team"}}"#);
    create(
        &mut cluster,
        r#"{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default","namespace":"team"}}"#,
    );
    create(
        &mut cluster,
        &format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p","namespace":"team"}},"spec":{{"restartPolicy":
            "Never","containers":[{{"name":"main",{container}}}]}}}}"#
        ),
    );
    (cluster, Key::new(Kind::Pod, "team", "p"))
}

fn create(cluster: &mut Cluster, json: &str) {
    let value = Value::from_json(json).unwrap_or_else(|e| panic!("{e}: {json}"));
    // The namespace may have made its own account already.
    let _ = cluster.api("test", |api| api.create(value));
}

fn run_for(cluster: &mut Cluster, seconds: i64) {
    let until = cluster.now() + Span::secs(seconds);
    while cluster.step(until) {}
}

fn shell(script: &str) -> String {
    format!(r#""image":"busybox:1.36","command":["sh","-c",{}]"#, Value::from(script).to_json())
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

fn lines(cluster: &Cluster, pod: &Key, from: usize) -> Vec<String> {
    let (first, lines) = cluster.logs(pod, "main", false, from).expect("it has run");
    assert_eq!(first, from);
    lines.into_iter().map(|line| line.text).collect()
}

/// What a command has written by now.
fn written(cluster: &mut Cluster, handle: &ExecHandle) -> (String, ExecState) {
    let (chunks, state) = cluster.exec_poll(handle);
    let bytes: Vec<u8> = chunks.into_iter().flat_map(|chunk| chunk.bytes).collect();
    (String::from_utf8(bytes).expect("text"), state)
}

#[test]
fn logs_are_there_once_the_container_has_run() {
    let (mut cluster, pod) = cluster_with(&shell("echo one; echo two; sleep 5; echo three"));
    assert_eq!(cluster.logs(&pod, "main", false, 0).unwrap_err(), LogsError::NoPod, "it is on no node yet");
    while cluster.store().get(&pod).is_none_or(|pod| pod.pod().spec.node_name.is_empty()) {
        let now = cluster.now();
        cluster.step(now + Span::secs(1));
    }
    let waits = r#"container "main" in pod "p" is waiting to start: ContainerCreating"#;
    assert_eq!(cluster.logs(&pod, "main", false, 0).unwrap_err(), LogsError::WaitingToStart(waits.into()));
    run_for(&mut cluster, 4);
    assert_eq!(lines(&cluster, &pod, 0), ["one", "two"]);
    assert_eq!(lines(&cluster, &pod, 1), ["two"]);
    run_for(&mut cluster, 10);
    assert_eq!(lines(&cluster, &pod, 0), ["one", "two", "three"]);
    let none = r#"previous terminated container "main" in pod "p" not found"#;
    assert_eq!(cluster.logs(&pod, "main", true, 0).unwrap_err(), LogsError::NoPrevious(none.into()));
    assert_eq!(cluster.logs(&pod, "other", false, 0).unwrap_err(), LogsError::NoPod);
    // A Pod of that name in another namespace is another Pod.
    let elsewhere = Key::new(Kind::Pod, "default", "p");
    assert_eq!(cluster.logs(&elsewhere, "main", false, 0).unwrap_err(), LogsError::NoPod);
}

#[test]
fn a_command_runs_beside_the_container_and_ends_with_it() {
    let (mut cluster, pod) = cluster_with(&shell("sleep 60"));
    run_for(&mut cluster, 5);
    let argv = ["sh", "-c", "echo hi; sleep 1; exit 3"].map(str::to_owned);
    let handle = cluster.exec(&pod, "main", &argv, Io::without_input()).expect("it runs");
    run_for(&mut cluster, 0);
    assert_eq!(written(&mut cluster, &handle), ("hi\n".to_owned(), ExecState::Running));
    run_for(&mut cluster, 2);
    assert_eq!(written(&mut cluster, &handle), (String::new(), ExecState::Exited(3)));
    let refused = cluster.exec(&pod, "other", &words("true"), Io::without_input());
    assert_eq!(refused, Err(r#"container not found ("other")"#.to_owned()));
    let long = cluster.exec(&pod, "main", &words("sleep 600"), Io::without_input()).expect("it runs");
    run_for(&mut cluster, 90);
    assert_eq!(written(&mut cluster, &long).1, ExecState::Exited(137), "its container has ended");
    let late = cluster.exec(&pod, "main", &words("true"), Io::without_input());
    assert_eq!(late, Err(r#"container not found ("main")"#.to_owned()));
}

#[test]
fn input_reaches_commands_and_the_first_process() {
    let reads = r#"while read line; do echo "got $line"; done; echo end"#;
    let (mut cluster, pod) = cluster_with(&format!(r#"{},"stdin":true"#, shell(reads)));
    run_for(&mut cluster, 5);
    let first = cluster.attach(&pod, "main").expect("it runs");
    cluster.exec_input(&first, b"a\n", false);
    run_for(&mut cluster, 1);
    assert_eq!(lines(&cluster, &pod, 0), ["got a"]);
    let io = Io { stdin: Input::default(), ..Io::without_input() };
    let cat = cluster.exec(&pod, "main", &words("cat"), io).expect("it runs");
    cluster.exec_input(&cat, b"through\n", true);
    run_for(&mut cluster, 1);
    assert_eq!(written(&mut cluster, &cat), ("through\n".to_owned(), ExecState::Exited(0)));
    cluster.exec_input(&first, b"b\n", true);
    run_for(&mut cluster, 5);
    assert_eq!(lines(&cluster, &pod, 0), ["got a", "got b", "end"]);
    assert!(cluster.attach(&pod, "main").is_none(), "it has ended");
}

#[test]
fn a_command_that_is_ended_is_forgotten() {
    let (mut cluster, pod) = cluster_with(&shell("sleep 60"));
    run_for(&mut cluster, 5);
    let handle = cluster.exec(&pod, "main", &words("sleep 30"), Io::without_input()).expect("it runs");
    cluster.exec_end(&handle);
    run_for(&mut cluster, 1);
    assert_eq!(written(&mut cluster, &handle), (String::new(), ExecState::Exited(137)));
}

#[test]
fn a_request_reaches_the_port_that_is_listened_on() {
    let (mut cluster, pod) = cluster_with(r#""image":"gcr.io/kuar-demo/kuard-amd64:blue""#);
    let request = Request::to_url("GET", "http://p:8080/healthy").expect("an address");
    let early = cluster.request(&pod, 8080, &request);
    assert!(matches!(early, Err(NetError::Refused { .. })), "{early:?}");
    run_for(&mut cluster, 5);
    let answer = cluster.request(&pod, 8080, &request).expect("kuard listens there");
    assert_eq!((answer.status, String::from_utf8_lossy(&answer.body).trim()), (200, "ok"));
    let other = cluster.request(&pod, 81, &request);
    assert!(matches!(other, Err(NetError::Refused { port: 81, .. })), "{other:?}");
}
