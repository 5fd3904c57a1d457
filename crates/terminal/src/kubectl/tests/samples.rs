//! The rendered samples of `docs/semantics/kubectl_samples.md`, and messages that no recording has.

use crate::{Finished, Terminals};
use cluster::{Cluster, Setup};
use values::rng::Rng;
use values::time::SimTime;
use values::value::Value;
use yaml;

const SAMPLES: &str = include_str!("../../../../../docs/semantics/kubectl_samples.md");
const NOW: &str = "2026-11-21T07:00:30Z";

/// Objects of the samples, in their namespace.
const OBJECTS: &str = r#"
kind: Job
apiVersion: batch/v1
metadata: {name: pi, namespace: default, uid: 8a3c1f0e-5b7d-4c55-9d0a-2f1f6f0b7a11, creationTimestamp: "2026-11-21T07:00:00Z",
  labels: &labels {batch.kubernetes.io/controller-uid: 8a3c1f0e-5b7d-4c55-9d0a-2f1f6f0b7a11, batch.kubernetes.io/job-name: pi,
  controller-uid: 8a3c1f0e-5b7d-4c55-9d0a-2f1f6f0b7a11, job-name: pi}}
spec:
  parallelism: 1
  completions: 1
  completionMode: NonIndexed
  suspend: false
  backoffLimit: 4
  selector: {matchLabels: {batch.kubernetes.io/controller-uid: 8a3c1f0e-5b7d-4c55-9d0a-2f1f6f0b7a11}}
  template:
    metadata: {labels: *labels}
    spec: {containers: [{name: pi, image: "perl:5.34.0", command: [perl, "-Mbignum=bpi", "-wle", "print bpi(2000)"]}]}
status: {succeeded: 1, ready: 0, startTime: "2026-11-21T07:00:00Z", completionTime: "2026-11-21T07:00:09Z",
  conditions: [{type: Complete, status: "True"}]}
---
kind: Event
apiVersion: v1
metadata: {name: pi.1, namespace: default}
involvedObject: {kind: Job, name: pi, uid: 8a3c1f0e-5b7d-4c55-9d0a-2f1f6f0b7a11}
type: Normal
reason: SuccessfulCreate
message: "Created pod: pi-x7k2p"
source: {component: job-controller}
firstTimestamp: "2026-11-21T07:00:00Z"
lastTimestamp: "2026-11-21T07:00:00Z"
count: 1
---
kind: Event
apiVersion: v1
metadata: {name: pi.2, namespace: default}
involvedObject: {kind: Job, name: pi, uid: 8a3c1f0e-5b7d-4c55-9d0a-2f1f6f0b7a11}
type: Normal
reason: Completed
message: Job completed
source: {component: job-controller}
firstTimestamp: "2026-11-21T07:00:09Z"
lastTimestamp: "2026-11-21T07:00:09Z"
count: 1
---
kind: Job
apiVersion: batch/v1
metadata: {name: broken, namespace: default, creationTimestamp: "2026-11-21T06:58:25Z"}
spec: {parallelism: 1, completions: 1}
status: {startTime: "2026-11-21T06:58:25Z", failed: 1, conditions: [{type: Failed, status: "True"}]}
---
kind: Job
apiVersion: batch/v1
metadata: {name: sleepy, namespace: default, creationTimestamp: "2026-11-21T06:55:30Z"}
spec: {parallelism: 1, completions: 3, suspend: true}
status: {conditions: [{type: Suspended, status: "True"}]}
---
kind: Job
apiVersion: batch/v1
metadata: {name: wq, namespace: default, creationTimestamp: "2026-11-21T07:00:18Z"}
spec: {parallelism: 3}
status: {active: 3, startTime: "2026-11-21T07:00:18Z"}
---
kind: Service
apiVersion: v1
metadata: {name: web, namespace: default, creationTimestamp: "2026-11-21T07:00:25Z"}
spec: {type: ClusterIP, clusterIP: 10.96.14.7, clusterIPs: [10.96.14.7], ipFamilies: [IPv4], ipFamilyPolicy: SingleStack,
  selector: {app: web}, ports: [{port: 80, protocol: TCP, targetPort: 80}], sessionAffinity: None, internalTrafficPolicy: Cluster}
---
kind: Endpoints
apiVersion: v1
metadata: {name: web, namespace: default}
subsets: [{addresses: [{ip: 10.244.0.6}, {ip: 10.244.0.7}], ports: [{port: 80}]}]
---
kind: CronJob
apiVersion: batch/v1
metadata: {name: hello, namespace: default, creationTimestamp: "2026-11-21T06:50:30Z"}
spec: {schedule: "*/5 * * * *", suspend: false}
status: {lastScheduleTime: "2026-11-21T06:57:18Z"}
---
kind: CronJob
apiVersion: batch/v1
metadata: {name: report, namespace: default, creationTimestamp: "2026-11-19T04:00:00Z"}
spec: {schedule: "@daily", suspend: true, timeZone: Europe/Berlin}
status: {active: [{name: report-1}]}
"#;

fn run(line: &str) -> Finished {
    let now = SimTime::parse_rfc3339(NOW).expect("a time");
    let mut cluster = Cluster::new(&Setup::default(), now, Rng::new(0), values::zone::ZoneTable::empty());
    for node in yaml::parse(OBJECTS, "objects").documents {
        let value: Value = node.value();
        cluster.replay(now, "ADDED", value);
    }
    let mut terminals = Terminals::new();
    let id = terminals.start(&mut cluster, line, None);
    terminals.step(&mut cluster);
    let mut finished = terminals.take_finished();
    if finished.is_empty() {
        terminals.interrupt(&mut cluster, id);
        terminals.step(&mut cluster);
        finished = terminals.take_finished();
    }
    finished.pop().unwrap_or_else(|| panic!("{line} does not end"))
}

/// The block under a heading of the samples.
fn sample(title: &str) -> &'static str {
    let section = SAMPLES.split(&format!("## kubectl {title}\n")).nth(1).expect("the sample is there");
    section.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the sample has a block")
}

#[test]
fn samples_are_printed_to_the_blank() {
    for title in ["describe job pi", "get jobs", "get cronjobs", "describe svc web"] {
        assert_eq!(run(&format!("kubectl {title}")).stdout, sample(title), "{title}");
    }
}

#[test]
fn messages_have_kubectls_words() {
    for (line, exit, text) in [
        ("kubectl get jobs,pods -w", 1, "error: you may only specify a single resource type\n"),
        ("kubectl get jobs pi -l a=b", 1, "error: name cannot be provided when a selector is specified\n"),
        ("kubectl get job pi -A", 1, "error: a resource cannot be retrieved by name across all namespaces\n"),
        (
            "kubectl get pods --field-selector foo=bar",
            1,
            "Error from server (BadRequest): Unable to find \"/v1, Resource=pods\" that match label selector \"\", field \
             selector \"foo=bar\": field label not supported: foo\n",
        ),
        (
            "kubectl get jobs -l a=b=c",
            1,
            "Error from server (BadRequest): Unable to find \"batch/v1, Resource=jobs\" that match label selector \
             \"a=b=c\", field selector \"\": found '=', expected: ',' or 'end of string'\n",
        ),
        ("kubectl get jobs --sort-by=.nothing", 0, "No resources found in default namespace.\n"),
        (
            "kubectl get jobs --sort-by=.nothing -o name",
            1,
            "error: couldn't find any field with path \"{.nothing}\" in the list of objects\n",
        ),
        ("kubectl get jobs -o jsonpath", 1, "error: template format specified but no template given\n"),
        ("kubectl get jobs -o jsonpath='{.a'", 1, "error: error parsing jsonpath {.a, unclosed action\n"),
        ("kubectl get job none --ignore-not-found", 0, ""),
        ("kubectl get pods -A", 0, "No resources found\n"),
        ("kubectl describe pods", 0, "No resources found in default namespace.\n"),
        ("kubectl top nodes", 1, "error: Metrics API not available\n"),
        ("kubectl explain nothing", 1, "error: the server doesn't have a resource type \"nothing\"\n"),
        ("kubectl config use-context x", 1, "error: no context exists with the name: \"x\"\n"),
    ] {
        let finished = run(line);
        assert_eq!((finished.exit, finished.stderr.as_str()), (exit, text), "{line}");
    }
}

#[test]
fn formats_print_what_they_should() {
    for (line, text) in [
        ("kubectl get jobs -o name", "job.batch/broken\njob.batch/pi\njob.batch/sleepy\njob.batch/wq\n"),
        ("kubectl get jobs -o jsonpath='{range .items[*]}{.metadata.name} {end}'", "broken pi sleepy wq "),
        ("kubectl get jobs -o go-template='{{range .items}}{{.metadata.name}};{{end}}'", "broken;pi;sleepy;wq;"),
        (
            "kubectl get jobs --sort-by=.metadata.creationTimestamp -o name",
            "job.batch/sleepy\njob.batch/broken\njob.batch/pi\njob.batch/wq\n",
        ),
        ("kubectl get jobs -o custom-columns=N:.metadata.name --field-selector metadata.name=pi", "N\npi\n"),
        ("kubectl get job pi -w -o name", "job.batch/pi\n"),
        ("kubectl auth can-i create jobs", "yes\n"),
        ("kubectl api-versions | head -2", "admissionregistration.k8s.io/v1\napiextensions.k8s.io/v1\n"),
    ] {
        assert_eq!(run(line).stdout, text, "{line}");
    }
}

#[test]
fn a_prefix_stands_for_all_names_that_begin_with_it() {
    let text = run("kubectl describe job bro").stdout;
    assert!(text.starts_with("Name:"), "{text}");
}
