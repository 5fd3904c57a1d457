//! Nodes with a store and a binder, without controllers: how single Pods live and die.

use batchyard::api::kind::Kind;
use batchyard::api::meta::Key;
use batchyard::cluster::actor::Actor;
use batchyard::cluster::net::{Request, Routing};
use batchyard::cluster::node::{ExecState, NodeSpec, Nodes};
use batchyard::cluster::program::image::Images;
use batchyard::cluster::store::{Api, ChangeType, DeleteOptions, Store};
use batchyard::shell::{Io, Stream};
use batchyard::values::object;
use batchyard::values::rng::Rng;
use batchyard::values::time::{SimTime, Span};
use batchyard::values::value::Value;

/// A cluster of one node on which every Pod is bound at once.
struct Lab {
    store: Store,
    nodes: Nodes,
    now: SimTime,
    start: SimTime,
    rng: Rng,
    /// Name, STATUS as a person would say it, in the order of the writes, without repeats.
    statuses: Vec<(String, String)>,
    /// Reason and message of events, in order.
    events: Vec<String>,
}

impl Lab {
    fn new() -> Lab {
        let (rng, start) = (Rng::new(3), SimTime::parse_rfc3339("2026-11-21T08:00:00Z").unwrap());
        let nodes = Nodes::new(rng, Routing::Random, Images::built_in());
        let mut lab =
            Lab { store: Store::new(), nodes, now: start, start, rng, statuses: Vec::new(), events: Vec::new() };
        lab.create(r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default"}}"#);
        lab.create(
            r#"{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"default","namespace":"default"}}"#,
        );
        let spec = NodeSpec { name: "node-1".into(), cpu: "2".into(), memory: "4Gi".into() };
        lab.nodes.register(&spec, &mut Api::new(&mut lab.store, start, rng, "kubelet"));
        lab.tell();
        lab
    }

    fn create(&mut self, json: &str) {
        let value = Value::from_json(json).unwrap();
        Api::new(&mut self.store, self.now, self.rng, "user").create(value).unwrap();
        self.tell();
    }

    /// Creates a bound Pod; `spec` is JSON.
    fn pod(&mut self, name: &str, spec: &str) -> Key {
        let mut spec = Value::from_json(spec).unwrap();
        spec.set_default("restartPolicy", "Never");
        for list in ["containers", "initContainers"] {
            let mut containers = spec.list_at(list).to_vec();
            for container in &mut containers {
                container.set_default("image", "busybox:1.36");
                container.set_default("imagePullPolicy", "IfNotPresent");
            }
            if !containers.is_empty() {
                spec.set(list, containers);
            }
        }
        let pod = object! {
            "apiVersion" => "v1", "kind" => "Pod", "spec" => spec,
            "metadata" => object! { "name" => name, "labels" => object! { "app" => name } },
        };
        self.create(&pod.to_json());
        let key = Key::new(Kind::Pod, "default", name);
        Api::new(&mut self.store, self.now, self.rng, "default-scheduler").bind(&key, "node-1").unwrap();
        self.tell();
        key
    }

    fn sh(&mut self, name: &str, script: &str, more: &str) -> Key {
        let command = Value::from(script).to_json();
        self.pod(name, &format!(r#"{{"containers":[{{"name":"main","command":["sh","-c",{command}]}}]{more}}}"#))
    }

    fn delete(&mut self, pod: &Key) {
        Api::new(&mut self.store, self.now, self.rng, "user").delete(pod, &DeleteOptions::default()).unwrap();
        self.tell();
    }

    fn run_to(&mut self, seconds: i64) {
        let until = self.start + Span::secs(seconds);
        while let Some(next) = self.nodes.next_wakeup().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            self.nodes.step(&mut Api::new(&mut self.store, self.now, self.rng, "kubelet"));
            self.tell();
        }
        self.now = until;
    }

    fn tell(&mut self) {
        for change in self.store.take_changes() {
            self.nodes.observe(&change, &self.store);
            let object = &change.object;
            match object.kind() {
                Kind::Pod => {
                    let text =
                        if change.change == ChangeType::Deleted { "gone".into() } else { column(object.value()) };
                    let name = object.name().to_owned();
                    if self.statuses.iter().rev().find(|(n, _)| *n == name).is_none_or(|(_, last)| *last != text) {
                        self.statuses.push((name, text));
                    }
                }
                Kind::Event => {
                    let event = object.value();
                    let [reason, message] = ["reason", "message"].map(|f| event.str_at(f).unwrap_or_default());
                    self.events.push(format!("{reason}: {message}"));
                }
                _ => {}
            }
        }
    }

    fn history(&self, pod: &str) -> String {
        let own = self.statuses.iter().filter(|(name, _)| name == pod).map(|(_, status)| status.as_str());
        own.collect::<Vec<_>>().join(" > ")
    }

    fn log(&self, pod: &Key) -> Vec<String> {
        self.nodes.logs(pod, "main", false, 0).unwrap().1.into_iter().map(|line| line.text).collect()
    }

    fn status(&self, pod: &Key) -> Value {
        self.store.get(pod).unwrap().value().at("status").clone()
    }
}

/// READY and STATUS, the first that says something.
fn column(pod: &Value) -> String {
    let status = pod.at("status");
    let containers = status.list_at("containerStatuses");
    let ready = containers.iter().filter(|c| c.bool_at("ready") == Some(true)).count();
    let of = |c: &Value| {
        let reason = c.str_at("state.waiting.reason").or(c.str_at("state.terminated.reason"));
        reason.map(str::to_owned)
    };
    let phase = status.str_at("phase").unwrap_or_default();
    let text = containers.iter().find_map(of).unwrap_or_else(|| phase.to_owned());
    let deleting = pod.has("metadata.deletionTimestamp") && !matches!(phase, "Succeeded" | "Failed");
    format!("{ready} {}", if deleting { "Terminating" } else { &text })
}

#[test]
fn a_pod_runs_to_its_end() {
    let mut lab = Lab::new();
    let pod = lab.sh("once", "echo hello; sleep 3; echo bye", "");
    lab.run_to(20);
    assert_eq!(lab.history("once"), "0 Pending > 0 ContainerCreating > 1 Running > 0 Completed");
    assert_eq!(lab.log(&pod), ["hello", "bye"]);
    assert_eq!(
        lab.events,
        [
            "Pulled: Container image \"busybox:1.36\" already present on machine and can be accessed by the pod",
            "Created: Container created",
            "Started: Container started",
        ]
    );
    let status = lab.status(&pod);
    assert_eq!(status.str_at("phase"), Some("Succeeded"));
    let conditions: Vec<String> = status
        .list_at("conditions")
        .iter()
        .map(|c| {
            format!(
                "{} {} {}",
                c.str_at("type").unwrap(),
                c.str_at("status").unwrap(),
                c.str_at("reason").unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        conditions,
        [
            "PodReadyToStartContainers False -",
            "Initialized True PodCompleted",
            "Ready False PodCompleted",
            "ContainersReady False PodCompleted",
            "PodScheduled True -",
        ]
    );
}

#[test]
fn the_phase_follows_the_containers_by_about_a_second() {
    let mut lab = Lab::new();
    let pod = lab.sh("ends", "exit 3", "");
    let mut ended_at = None;
    let mut failed_at = None;
    for _ in 0..100 {
        let Some(next) = lab.nodes.next_wakeup() else { break };
        lab.now = lab.now.max(next);
        lab.nodes.step(&mut Api::new(&mut lab.store, lab.now, lab.rng, "kubelet"));
        lab.tell();
        let status = lab.status(&pod);
        let ended = status
            .list_at("containerStatuses")
            .first()
            .is_some_and(|c| c.i64_at("state.terminated.exitCode") == Some(3));
        if ended && ended_at.is_none() {
            ended_at = Some(lab.now);
            assert_eq!(status.str_at("phase"), Some("Running"));
        }
        if status.str_at("phase") == Some("Failed") && failed_at.is_none() {
            failed_at = Some(lab.now);
        }
        if lab.now > lab.start + Span::secs(20) {
            break;
        }
    }
    let between = failed_at.unwrap().since(ended_at.unwrap()).as_ms();
    assert!((900..2000).contains(&between), "{between}");
}

#[test]
fn crashed_containers_wait_longer_each_time() {
    let mut lab = Lab::new();
    let pod = lab.sh("crash", "exit 1", r#","restartPolicy":"OnFailure""#);
    lab.run_to(300);
    assert!(lab.history("crash").starts_with(
        "0 Pending > 0 ContainerCreating > 1 Running > 0 Error > 1 Running > 0 Error > 0 CrashLoopBackOff > 1 Running > 0 Error"
    ));
    let status = lab.status(&pod);
    assert_eq!(status.str_at("phase"), Some("Running"));
    // Waits of 0, 10, 20, 40, 80 s, each up to half as long again.
    let restarts = status.list_at("containerStatuses")[0].i64_at("restartCount").unwrap();
    assert!((5..=6).contains(&restarts), "{restarts}");
    assert!(lab.nodes.logs(&pod, "main", true, 0).is_ok());
}

#[test]
fn the_first_process_is_deaf_to_sigterm_without_a_trap() {
    let mut lab = Lab::new();
    let grace = r#","terminationGracePeriodSeconds":10"#;
    let deaf = lab.pod("deaf", &format!(r#"{{"containers":[{{"name":"main","command":["sleep","1000"]}}]{grace}}}"#));
    let polite = lab.sh("polite", "trap 'echo bye; exit 7' TERM; while true; do sleep 1; done", grace);
    lab.run_to(5);
    lab.delete(&deaf);
    lab.delete(&polite);
    lab.run_to(8);
    assert!(lab.store.get(&polite).is_none(), "{}", lab.history("polite"));
    assert!(lab.store.get(&deaf).is_some());
    lab.run_to(18);
    assert!(lab.store.get(&deaf).is_none(), "{}", lab.history("deaf"));
    assert_eq!(lab.history("deaf"), "0 Pending > 0 ContainerCreating > 1 Running > 1 Terminating > 0 Error > gone");
}

#[test]
fn images_that_are_not_there_back_off() {
    let mut lab = Lab::new();
    lab.pod("norepo", r#"{"containers":[{"name":"main","image":"nosuch/thing"}]}"#);
    lab.run_to(60);
    assert!(lab.history("norepo").starts_with("0 Pending > 0 ContainerCreating > 0 ErrImagePull > 0 ImagePullBackOff"));
    assert_eq!(lab.events[0], "Pulling: Pulling image \"nosuch/thing\"");
    assert!(lab.events[1].contains("pull access denied"), "{}", lab.events[1]);
    assert_eq!(lab.events[2], "Failed: Error: ErrImagePull");
}

#[test]
fn init_containers_and_sidecars_take_turns() {
    let mut lab = Lab::new();
    let pod = lab.pod(
        "turns",
        r#"{"initContainers":[
              {"name":"setup","command":["sh","-c","echo ready > /v/x; sleep 1"],"volumeMounts":[{"name":"v","mountPath":"/v"}]},
              {"name":"side","command":["sh","-c","trap 'exit 0' TERM; while true; do sleep 1; done"],"restartPolicy":"Always"}],
            "containers":[{"name":"main","command":["sh","-c","cat /v/x; sleep 2"],"volumeMounts":[{"name":"v","mountPath":"/v"}]}],
            "volumes":[{"name":"v","emptyDir":{}}]}"#,
    );
    lab.run_to(30);
    assert_eq!(lab.log(&pod), ["ready"]);
    assert_eq!(lab.status(&pod).str_at("phase"), Some("Succeeded"));
    assert!(lab.events.contains(&"Killing: Stopping container side".to_owned()));
}

#[test]
fn missing_configuration_is_waited_for() {
    let mut lab = Lab::new();
    let from = r#"{"configMapKeyRef":{"name":"settings","key":"v"}}"#;
    let pod = lab.pod(
        "waits",
        &format!(
            r#"{{"containers":[{{"name":"main","command":["sh","-c","echo value $V"],"env":[{{"name":"V","valueFrom":{from}}}]}}]}}"#
        ),
    );
    lab.run_to(5);
    assert_eq!(lab.history("waits"), "0 Pending > 0 ContainerCreating > 0 CreateContainerConfigError");
    assert!(lab.events.contains(&"Failed: Error: configmap \"settings\" not found".to_owned()));
    lab.create(r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"},"data":{"v":"42"}}"#);
    lab.run_to(30);
    assert_eq!(lab.log(&pod), ["value 42"]);
}

#[test]
fn a_service_leads_to_a_ready_pod() {
    let mut lab = Lab::new();
    lab.create(
        r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"queue"},
            "spec":{"selector":{"app":"server"},"ports":[{"port":80,"targetPort":8080}]}}"#,
    );
    let server = lab.pod(
        "server",
        r#"{"containers":[{"name":"main","image":"gcr.io/kuar-demo/kuard-amd64:blue","imagePullPolicy":"Always"}]}"#,
    );
    lab.run_to(5);
    let early =
        lab.sh("client", "wget -q -O - http://queue/healthy; echo \" status $?\"; wget -q -O - http://nobody/", "");
    lab.run_to(10);
    assert_eq!(lab.log(&early), ["ok status 0", "wget: bad address 'nobody:80'"]);
    let request = Request::to_url("PUT", "localhost:8080/memq/server/queues/q").unwrap();
    let api = Api::new(&mut lab.store, lab.now, lab.rng, "user");
    assert_eq!(lab.nodes.request(&server, 8080, &request, &api).unwrap().status, 200);
    assert!(lab.nodes.request(&server, 9, &request, &api).is_err());
}

#[test]
fn commands_run_in_a_container() {
    let mut lab = Lab::new();
    let pod = lab.sh("host", "echo x > /tmp/f; sleep 100", "");
    lab.run_to(5);
    let argv: Vec<String> = ["sh", "-c", "cat /tmp/f; exit 5"].map(str::to_owned).to_vec();
    let handle = lab.nodes.exec(&pod, "main", &argv, Io::without_input(), lab.now).unwrap();
    lab.run_to(6);
    let (chunks, state) = lab.nodes.exec_poll(&handle);
    assert_eq!(state, ExecState::Exited(5));
    assert_eq!((chunks[0].stream, chunks[0].bytes.as_slice()), (Stream::Stdout, b"x\n".as_slice()));
}

#[test]
fn a_frozen_kubelet_does_nothing_until_it_thaws() {
    let mut lab = Lab::new();
    let pod = lab.sh("cold", "sleep 5", "");
    lab.run_to(3);
    assert!(lab.nodes.freeze("node-1", lab.now));
    lab.run_to(30);
    assert_eq!(lab.history("cold"), "0 Pending > 0 ContainerCreating > 1 Running");
    lab.nodes.thaw("node-1", &mut Api::new(&mut lab.store, lab.now, lab.rng, "kubelet"));
    lab.run_to(40);
    assert_eq!(lab.status(&pod).str_at("phase"), Some("Succeeded"));
}

#[test]
fn a_busy_loop_lets_time_pass() {
    let mut lab = Lab::new();
    let pod = lab.sh("busy", "while true; do :; done", r#","terminationGracePeriodSeconds":2"#);
    lab.run_to(10);
    lab.delete(&pod);
    lab.run_to(20);
    assert!(lab.store.get(&pod).is_none());
}

#[test]
fn memory_over_the_limit_kills() {
    let mut lab = Lab::new();
    let script = Value::from("x=$(head -c 200000000 /dev/zero | tr '\\0' x); echo done").to_json();
    let limits = r#""resources":{"limits":{"memory":"32Mi"},"requests":{"memory":"32Mi"}}"#;
    let pod =
        lab.pod("oom", &format!(r#"{{"containers":[{{"name":"main","command":["sh","-c",{script}],{limits}}}]}}"#));
    lab.run_to(30);
    let terminated = lab.status(&pod).list_at("containerStatuses")[0].at("state.terminated").clone();
    assert_eq!((terminated.str_at("reason"), terminated.i64_at("exitCode")), (Some("OOMKilled"), Some(137)));
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = || {
        let mut lab = Lab::new();
        for n in 0..5 {
            lab.sh(&format!("p{n}"), "sleep 2; exit 1", r#","restartPolicy":"OnFailure""#);
        }
        lab.run_to(60);
        (lab.statuses, lab.events)
    };
    assert_eq!(run(), run());
}
