use super::*;
use crate::actor::stage::Stage;

fn stage(nodes: &[(&str, &str)]) -> Stage {
    let mut stage = Stage::new(vec![Box::new(Scheduler::new(Rng::new(7)))]);
    for (name, cpu) in nodes {
        add_node(&mut stage, name, cpu, "");
    }
    stage
}

fn add_node(stage: &mut Stage, name: &str, cpu: &str, spec: &str) {
    stage.create(&format!(
        r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"{name}","labels":{{"kubernetes.io/hostname":"{name}"}}}},
        "spec":{{{spec}}},
        "status":{{"allocatable":{{"cpu":"{cpu}","memory":"8Gi","pods":"110"}}}}}}"#
    ));
}

/// A Pod that asks for `cpu`; `more` goes into its spec.
fn add_pod(stage: &mut Stage, name: &str, cpu: &str, more: &str) {
    stage.create(&format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","labels":{{"app":"{name}"}}}},"spec":{{{more}
        "containers":[{{"name":"main","image":"busybox:1.36","resources":{{"requests":{{"cpu":"{cpu}"}}}}}}]}}}}"#
    ));
}

fn node_of(stage: &Stage, pod: &str) -> String {
    stage.get(Kind::Pod, pod).pod().spec.node_name.clone()
}

fn message(stage: &Stage, pod: &str) -> String {
    let pod = stage.get(Kind::Pod, pod);
    let condition = pod.pod().condition("PodScheduled").cloned().unwrap_or_default();
    format!("{} {}: {}", condition.status, condition.reason, condition.message)
}

#[test]
fn a_pod_is_bound_within_milliseconds_and_says_so() {
    let mut stage = stage(&[("node-1", "2")]);
    add_pod(&mut stage, "a", "1", "");
    stage.run_for(Span::secs(1));
    assert_eq!(node_of(&stage, "a"), "node-1");
    assert_eq!(stage.events("a"), ["Scheduled: Successfully assigned default/a to node-1"]);
    let bound = stage.first_time(Kind::Pod, "a", |c| !c.object.pod().spec.node_name.is_empty()).unwrap();
    assert!((3..50).contains(&bound), "{bound}");
}

#[test]
fn equal_pods_spread_over_equal_nodes() {
    let mut stage = stage(&[("node-1", "4"), ("node-2", "4"), ("node-3", "4")]);
    for i in 0..6 {
        add_pod(&mut stage, &format!("p{i}"), "500m", "");
    }
    stage.run_for(Span::secs(1));
    for node in ["node-1", "node-2", "node-3"] {
        assert_eq!((0..6).filter(|i| node_of(&stage, &format!("p{i}")) == node).count(), 2, "{node}");
    }
}

#[test]
fn a_pod_that_fits_nowhere_says_why() {
    let cordoned = r#""unschedulable":true"#;
    let tainted = r#""taints":[{"key":"a","value":"b","effect":"NoSchedule"}]"#;
    let mut stage = stage(&[("node-1", "2")]);
    add_pod(&mut stage, "big", "3", "");
    add_pod(&mut stage, "picky", "1", r#""nodeSelector":{"disk":"ssd"},"#);
    add_pod(&mut stage, "claims", "1", r#""volumes":[{"name":"d","persistentVolumeClaim":{"claimName":"data"}}],"#);
    stage.run_for(Span::secs(1));
    assert_eq!(
        message(&stage, "big"),
        "False Unschedulable: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 \
         nodes are available: 1 Preemption is not helpful for scheduling."
    );
    assert_eq!(
        message(&stage, "picky"),
        "False Unschedulable: 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. no new claims \
         to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    );
    assert_eq!(
        message(&stage, "claims"),
        "False Unschedulable: 0/1 nodes are available: persistentvolumeclaim \"data\" not found. not found"
    );
    add_node(&mut stage, "node-2", "2", cordoned);
    add_node(&mut stage, "node-3", "2", tainted);
    add_pod(&mut stage, "big-2", "3", "");
    stage.run_for(Span::secs(1));
    assert_eq!(
        message(&stage, "big-2"),
        "False Unschedulable: 0/3 nodes are available: 1 Insufficient cpu, 1 node(s) had untolerated taint(s), 1 node(s) \
         were unschedulable. no new claims to deallocate, preemption: 0/3 nodes are available: 3 Preemption is not helpful \
         for scheduling."
    );
}

#[test]
fn a_waiting_pod_is_placed_when_room_is_made() {
    let mut stage = stage(&[("node-1", "1")]);
    add_pod(&mut stage, "first", "1", "");
    stage.run_for(Span::secs(1));
    add_pod(&mut stage, "second", "1", "");
    stage.run_for(Span::secs(20));
    assert_eq!(
        message(&stage, "second"),
        "False Unschedulable: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 \
         nodes are available: 1 No preemption victims found for incoming pod."
    );
    stage.patch_status(Kind::Pod, "first", |status| status.set("phase", "Succeeded"));
    stage.run_for(Span::secs(1));
    assert_eq!(node_of(&stage, "second"), "node-1");
    assert_eq!(message(&stage, "second"), "True : ");
}

#[test]
fn gates_and_other_schedulers_keep_pods_out() {
    let mut stage = stage(&[("node-1", "2")]);
    add_pod(&mut stage, "gated", "1", r#""schedulingGates":[{"name":"example.com/wait"}],"#);
    add_pod(&mut stage, "foreign", "1", r#""schedulerName":"other","#);
    stage.run_for(Span::secs(1));
    assert_eq!(node_of(&stage, "gated"), "");
    assert_eq!(node_of(&stage, "foreign"), "");
    let key = stage.get(Kind::Pod, "gated").key();
    stage
        .api(|api| {
            api.update(&key, |pod| {
                pod.remove("spec.schedulingGates");
            })
        })
        .unwrap();
    stage.run_for(Span::secs(1));
    assert_eq!(node_of(&stage, "gated"), "node-1");
}

#[test]
fn an_important_pod_pushes_the_fewest_and_least_important_out() {
    let mut stage = stage(&[("node-1", "2")]);
    for (i, name) in ["f1", "f2", "f3"].iter().enumerate() {
        add_pod(&mut stage, name, "600m", "");
        stage.run_for(Span::secs(1));
        let start = stage.now;
        stage.patch_status(Kind::Pod, name, |status| {
            status.set("phase", "Running");
            status.set("startTime", start);
        });
        assert!(i < 3);
    }
    add_pod(&mut stage, "urgent", "1", r#""priority":1000,"#);
    stage.run_for(Span::secs(1));
    assert_eq!(message(&stage, "urgent"), "False Unschedulable: 0/1 nodes are available: 1 Insufficient cpu.");
    assert_eq!(stage.get(Kind::Pod, "urgent").pod().status.nominated_node_name, "node-1");
    let uid = stage.get(Kind::Pod, "urgent").uid().to_owned();
    assert!(!stage.get(Kind::Pod, "f1").meta().is_being_deleted());
    for victim in ["f2", "f3"] {
        let object = stage.get(Kind::Pod, victim);
        assert!(object.meta().is_being_deleted(), "{victim}");
        assert_eq!(object.pod().condition("DisruptionTarget").unwrap().reason, "PreemptionByScheduler");
        assert!(stage.events(victim).contains(&format!("Preempted: Preempted by pod {uid} on node node-1")));
    }
    stage.patch_status(Kind::Pod, "f2", |status| status.set("phase", "Failed"));
    stage.run_for(Span::secs(1));
    assert_eq!(
        message(&stage, "urgent"),
        "False Unschedulable: 0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: not \
         eligible due to a terminating pod on the nominated node."
    );
    stage.patch_status(Kind::Pod, "f3", |status| status.set("phase", "Failed"));
    stage.run_for(Span::secs(1));
    assert_eq!(node_of(&stage, "urgent"), "node-1");
    assert_eq!(stage.get(Kind::Pod, "urgent").pod().status.nominated_node_name, "");
}

#[test]
fn a_pod_that_never_preempts_says_so() {
    let mut stage = stage(&[("node-1", "1")]);
    add_pod(&mut stage, "low", "1", "");
    stage.run_for(Span::secs(1));
    add_pod(&mut stage, "polite", "1", r#""priority":10,"preemptionPolicy":"Never","#);
    stage.run_for(Span::secs(1));
    assert!(message(&stage, "polite").ends_with("preemption: not eligible due to preemptionPolicy=Never."));
}

#[test]
fn repeats_of_an_event_become_a_series_under_each_version_of_the_pod() {
    let mut stage = stage(&[("node-1", "1")]);
    add_pod(&mut stage, "low", "1", "");
    stage.run_for(Span::secs(1));
    add_pod(&mut stage, "waits", "1", "");
    stage.run_for(Span::secs(1));
    for i in 0..2 {
        add_node(&mut stage, &format!("closed-{i}"), "1", r#""taints":[{"key":"a","effect":"NoSchedule"}]"#);
        let grown = ["2", "3"][i];
        stage.patch_status(Kind::Node, &format!("closed-{i}"), |status| status.set("allocatable.cpu", grown));
        stage.run_for(Span::secs(20));
    }
    let failed = stage.events("waits").iter().filter(|e| e.starts_with("FailedScheduling")).count();
    assert_eq!(failed, 3, "{:#?}", stage.events("waits"));
}

#[test]
fn hard_spread_and_anti_affinity_are_kept() {
    let mut stage = stage(&[("node-1", "8"), ("node-2", "8")]);
    let apart = r#""affinity":{"podAntiAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":[
        {"labelSelector":{"matchExpressions":[{"key":"app","operator":"In","values":["x1","x2","x3"]}]},
         "topologyKey":"kubernetes.io/hostname"}]}},"#;
    for name in ["x1", "x2", "x3"] {
        add_pod(&mut stage, name, "100m", apart);
    }
    stage.run_for(Span::secs(1));
    assert_ne!(node_of(&stage, "x1"), node_of(&stage, "x2"));
    assert!(
        message(&stage, "x3").contains("2 node(s) didn't match pod anti-affinity rules"),
        "{}",
        message(&stage, "x3")
    );
    let spread = r#""topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"kubernetes.io/hostname",
        "whenUnsatisfiable":"DoNotSchedule",
        "labelSelector":{"matchExpressions":[{"key":"app","operator":"In","values":["y1","y2","y3","y4"]}]}}],"#;
    for name in ["y1", "y2", "y3", "y4"] {
        add_pod(&mut stage, name, "100m", spread);
    }
    stage.run_for(Span::secs(1));
    let on_first = ["y1", "y2", "y3", "y4"].iter().filter(|pod| node_of(&stage, pod) == "node-1").count();
    assert_eq!(on_first, 2);
}

#[test]
fn uncordoning_lets_waiting_pods_in_without_waiting_for_their_back_off() {
    let mut stage = stage(&[]);
    add_node(&mut stage, "node-1", "2", r#""unschedulable":true"#);
    add_pod(&mut stage, "a", "1", "");
    stage.run_for(Span::secs(1));
    assert!(message(&stage, "a").contains("1 node(s) were unschedulable."));
    let key = Key::new(Kind::Node, "", "node-1");
    stage
        .api(|api| {
            api.update(&key, |node| {
                node.remove("spec.unschedulable");
            })
        })
        .unwrap();
    stage.run_for(Span::ms(100));
    assert_eq!(node_of(&stage, "a"), "node-1");
}

#[test]
fn a_restarted_scheduler_goes_on_from_the_store() {
    let mut stage = stage(&[("node-1", "1")]);
    add_pod(&mut stage, "a", "1", "");
    stage.run_for(Span::secs(1));
    add_pod(&mut stage, "b", "1", "");
    let mut fresh = Scheduler::new(Rng::new(7));
    fresh.restart(stage.now, &stage.store);
    stage.actors = vec![Box::new(fresh)];
    stage.run_for(Span::secs(1));
    assert!(message(&stage, "b").starts_with("False Unschedulable: 0/1 nodes are available: 1 Insufficient cpu."));
}

#[test]
fn many_pods_at_once_keep_within_the_nodes() {
    let mut stage = Stage::new(vec![Box::new(Scheduler::new(Rng::new(7)))]);
    for i in 0..20 {
        add_node(&mut stage, &format!("node-{i}"), "10", "");
    }
    for i in 0..400 {
        add_pod(&mut stage, &format!("p{i}"), "500m", "");
    }
    stage.run_for(Span::secs(30));
    let mut used: BTreeMap<String, i64> = BTreeMap::new();
    for pod in stage.store.list(Kind::Pod) {
        *used.entry(pod.pod().spec.node_name.clone()).or_default() += 500;
    }
    assert_eq!(used.len(), 20, "{used:?}");
    assert!(used.values().all(|milli_cpu| *milli_cpu <= 10_000), "{used:?}");
}
