//! Tests of the scheduler on a small stage.

use super::*;
use crate::actor::stage::Stage;
use values::sorted::SortedMap;

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
    let more = &with_class(stage, more);
    stage.create(&format!(
        r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}","labels":{{"app":"{name}"}}}},"spec":{{{more}
        "containers":[{{"name":"main","image":"busybox:1.36","resources":{{"requests":{{"cpu":"{cpu}"}}}}}}]}}}}"#
    ));
}

/// The API takes a priority only from a class, so there is a class for each.
fn with_class(stage: &mut Stage, more: &str) -> String {
    let Some((before, rest)) = more.split_once("\"priority\":") else { return more.to_owned() };
    let (value, after) = rest.split_once(',').expect("more goes on after it");
    let class = format!("priority-{}", value.replace('-', "minus-"));
    if stage.store.find(Kind::PriorityClass, "", &class).is_none() {
        stage.create(&format!(
            r#"{{"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass","metadata":{{"name":"{class}"}},"value":{value}}}"#
        ));
    }
    format!("{before}\"priorityClassName\":\"{class}\",{after}")
}

fn node_of(stage: &Stage, pod: &str) -> String {
    stage.get(Kind::Pod, pod).pod().spec.node_name.to_string()
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
    fresh.restart(stage.now, &stage.store, Cause::default());
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
    let mut used: SortedMap<String, i64> = SortedMap::new();
    for pod in stage.store.list(Kind::Pod) {
        *used.entry(pod.pod().spec.node_name.to_string()).or_default() += 500;
    }
    assert_eq!(used.len(), 20, "{used:?}");
    assert!(used.values().all(|milli_cpu| *milli_cpu <= 10_000), "{used:?}");
}

#[test]
fn scores_choose_between_nodes_that_will_do() {
    let prefers = |operator: &str| {
        format!(
            r#""affinity":{{"nodeAffinity":{{"preferredDuringSchedulingIgnoredDuringExecution":[{{"weight":10,"preference":
            {{"matchExpressions":[{{"key":"kubernetes.io/hostname","operator":"{operator}","values":["a"]}}]}}}}]}}}},"#
        )
    };
    let near = r#""affinity":{"podAffinity":{"preferredDuringSchedulingIgnoredDuringExecution":[{"weight":50,
        "podAffinityTerm":{"labelSelector":{"matchLabels":{"app":"there"}},"topologyKey":"kubernetes.io/hostname"}}]}},"#;
    let apart = near.replace("podAffinity\"", "podAntiAffinity\"");
    let spread = r#""topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"kubernetes.io/hostname",
        "whenUnsatisfiable":"ScheduleAnyway","labelSelector":{"matchLabels":{"app":"there"}}}],"#;
    for (what, spec, expected) in [
        ("the emptier node", String::new(), "b"),
        ("a preferred label", prefers("In"), "a"),
        ("a label it would rather avoid", prefers("NotIn"), "b"),
        ("company", near.to_owned(), "a"),
        ("no company", apart, "b"),
        ("spread", spread.to_owned(), "b"),
    ] {
        let mut stage = stage(&[("a", "8"), ("b", "8")]);
        add_pod(&mut stage, "there", "1", r#""nodeSelector":{"kubernetes.io/hostname":"a"},"#);
        stage.run_for(Span::secs(1));
        add_pod(&mut stage, "x", "1", &spec);
        stage.run_for(Span::secs(1));
        assert_eq!(node_of(&stage, "x"), expected, "{what}");
    }
}

#[test]
fn a_node_with_a_soft_taint_is_the_last_choice() {
    let mut stage = stage(&[]);
    add_node(&mut stage, "a", "64", r#""taints":[{"key":"slow","effect":"PreferNoSchedule"}]"#);
    add_node(&mut stage, "b", "2", "");
    add_pod(&mut stage, "x", "1", "");
    stage.run_for(Span::secs(1));
    assert_eq!(node_of(&stage, "x"), "b");
}

#[test]
fn a_pod_that_waited_for_five_minutes_is_tried_again() {
    let mut stage = stage(&[("node-1", "1")]);
    add_pod(&mut stage, "big", "2", "");
    stage.run_for(Span::secs(299));
    assert_eq!(stage.events("big").len(), 1);
    stage.run_for(Span::secs(40));
    assert_eq!(stage.events("big").len(), 2);
}

#[test]
fn a_pod_deleted_before_its_binding_leaves_no_trace_on_the_node() {
    let mut stage = stage(&[("node-1", "1")]);
    add_pod(&mut stage, "a", "1", "");
    // The node is chosen, the binding not yet written.
    stage.run_for(Span::ms(4));
    let key = stage.get(Kind::Pod, "a").key();
    assert_eq!(node_of(&stage, "a"), "");
    stage.api(|api| api.delete(&key, &crate::store::DeleteOptions::default())).unwrap();
    add_pod(&mut stage, "b", "1", "");
    stage.run_for(Span::secs(1));
    assert_eq!(node_of(&stage, "b"), "node-1");
}

#[test]
fn more_important_pods_are_placed_first() {
    let mut stage = stage(&[]);
    add_pod(&mut stage, "low", "1", "");
    add_pod(&mut stage, "high", "1", r#""priority":5,"#);
    stage.run_for(Span::secs(1));
    assert_eq!(message(&stage, "low"), "False Unschedulable: no nodes available to schedule pods");
    add_node(&mut stage, "node-1", "1", "");
    stage.run_for(Span::secs(1));
    assert_eq!(node_of(&stage, "high"), "node-1");
    assert_eq!(node_of(&stage, "low"), "");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(60))]

    /// Whatever comes and goes: no node is overfull, and at rest nobody waits who would fit.
    #[test]
    fn nodes_hold_what_they_can_and_nobody_waits_in_vain(
        nodes in proptest::collection::vec(1..6_i64, 1..4),
        pods in proptest::collection::vec((100..3000_i64, 0..3_i32, proptest::bool::ANY), 1..25),
    ) {
        let mut stage = stage(&[]);
        for (i, cpu) in nodes.iter().enumerate() {
            add_node(&mut stage, &format!("n{i}"), &cpu.to_string(), "");
        }
        for (i, (milli_cpu, priority, ends)) in pods.iter().enumerate() {
            add_pod(&mut stage, &format!("p{i}"), &format!("{milli_cpu}m"), &format!(r#""priority":{priority},"#));
            stage.run_for(Span::ms(700));
            if *ends {
                stage.patch_status(Kind::Pod, &format!("p{i}"), |status| status.set("phase", "Succeeded"));
            }
            // Those that were pushed out end, as their kubelet would see to.
            let going: Vec<Key> = stage
                .store
                .list(Kind::Pod)
                .filter(|pod| pod.meta().is_being_deleted())
                .map(|pod| pod.key())
                .collect();
            for key in going {
                stage.api(|api| api.delete(&key, &crate::store::DeleteOptions::with_grace(0))).unwrap();
            }
        }
        stage.run_for(Span::secs(30));
        let mut free: SortedMap<String, i64> =
            nodes.iter().enumerate().map(|(i, cpu)| (format!("n{i}"), cpu * 1000)).collect();
        let mut waiting = Vec::new();
        for object in stage.store.list(Kind::Pod).filter(|pod| !pod.pod().is_terminal()) {
            let milli_cpu = pod_requests(object.pod()).milli_cpu;
            match free.get_mut(object.pod().spec.node_name.as_str()) {
                Some(left) => *left -= milli_cpu,
                None => waiting.push(milli_cpu),
            }
        }
        proptest::prop_assert!(free.values().all(|left| *left >= 0), "{:?}", free);
        let going = stage.store.list(Kind::Pod).any(|pod| pod.meta().is_being_deleted());
        let most = free.values().max().copied().unwrap_or(0);
        proptest::prop_assert!(going || waiting.iter().all(|need| *need > most), "{:?} {:?}", waiting, free);
    }
}
