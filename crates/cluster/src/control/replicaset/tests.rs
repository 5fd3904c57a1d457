//! Tests of the ReplicaSet controller on a small stage.

use super::*;
use crate::actor::stage::Stage;
use crate::control::gc::GarbageCollector;

fn stage(replicas: i32) -> Stage {
    let rng = Rng::new(2);
    let mut stage = Stage::new(vec![Box::new(ReplicaSetController::new(rng)), Box::new(GarbageCollector::new(rng))]);
    stage.create(&format!(
        r#"{{"apiVersion":"apps/v1","kind":"ReplicaSet","metadata":{{"name":"web"}},"spec":{{"replicas":{replicas},
        "selector":{{"matchLabels":{{"app":"web"}}}},"template":{{"metadata":{{"labels":{{"app":"web"}}}},
        "spec":{{"containers":[{{"name":"main","image":"busybox:1.36"}}]}}}}}}}}"#
    ));
    stage.run_for(Span::secs(1));
    stage
}

fn pods(stage: &Stage) -> Vec<Rc<Object>> {
    stage.store.list(Kind::Pod).cloned().collect()
}

fn status(stage: &Stage) -> api::apps::ReplicaSetStatus {
    stage.get(Kind::ReplicaSet, "web").replica_set().status.clone()
}

fn make_ready(stage: &mut Stage) {
    let now = stage.now;
    for pod in pods(stage) {
        stage.patch_status(Kind::Pod, pod.name(), |status| {
            status.set("phase", "Running");
            status.set(
                "conditions",
                vec![object! { "type" => "Ready", "status" => "True", "lastTransitionTime" => now }],
            );
        });
    }
    stage.run_for(Span::secs(1));
}

fn scale(stage: &mut Stage, replicas: i32) {
    let key = stage.get(Kind::ReplicaSet, "web").key();
    stage.api(|api| api.update(&key, |set| set.set("spec.replicas", replicas))).unwrap();
    stage.run_for(Span::secs(1));
}

#[test]
fn it_makes_pods_and_counts_them() {
    let mut stage = stage(3);
    assert_eq!(pods(&stage).len(), 3);
    let pod = &pods(&stage)[0];
    assert!(pod.name().starts_with("web-") && pod.name().len() == 9, "{}", pod.name());
    assert_eq!(pod.meta().controller().unwrap().name, "web");
    assert_eq!((status(&stage).replicas, status(&stage).ready_replicas), (3, 0));
    make_ready(&mut stage);
    assert_eq!((status(&stage).available_replicas, status(&stage).terminating_replicas), (3, Some(0)));
    assert_eq!(stage.events("web").iter().filter(|e| e.starts_with("SuccessfulCreate: Created pod: web-")).count(), 3);
    // The first status is from before the Pods were made.
    let first = stage.log.iter().find(|c| c.kind() == Kind::ReplicaSet && c.change == ChangeType::Modified).unwrap();
    assert_eq!(first.object.replica_set().status.replicas, 0);
}

#[test]
fn lost_pods_are_replaced_and_surplus_ones_deleted() {
    let mut stage = stage(2);
    make_ready(&mut stage);
    let gone = pods(&stage)[0].key();
    stage.patch_status(Kind::Pod, &gone.name, |status| status.set("phase", "Failed"));
    stage.run_for(Span::secs(1));
    assert_eq!(pods(&stage).iter().filter(|pod| pod.pod().is_active()).count(), 2);
    assert_eq!(pods(&stage).len(), 3);
    scale(&mut stage, 1);
    assert_eq!(pods(&stage).iter().filter(|pod| pod.pod().is_active()).count(), 1);
    // The one that was not ready went.
    assert!(pods(&stage).iter().any(|pod| pod.pod().is_active() && pod.pod().is_ready()));
    scale(&mut stage, 0);
    assert_eq!(status(&stage).replicas, 0);
}

#[test]
fn orphans_that_match_are_adopted_and_strangers_released() {
    let mut stage = stage(2);
    let pod = pods(&stage)[0].key();
    stage.api(|api| api.update(&pod, |pod| pod.set("metadata.labels.app", "other"))).unwrap();
    stage.run_for(Span::secs(1));
    assert_eq!(pods(&stage).len(), 3);
    assert!(stage.get(Kind::Pod, &pod.name).meta().owner_references.is_empty());
    stage.api(|api| api.update(&pod, |pod| pod.set("metadata.labels.app", "web"))).unwrap();
    stage.run_for(Span::secs(1));
    // Three match, one too many.
    assert_eq!(pods(&stage).iter().filter(|pod| pod.pod().is_active()).count(), 2);
}

#[test]
fn deleting_the_set_takes_its_pods() {
    let mut stage = stage(2);
    let key = stage.get(Kind::ReplicaSet, "web").key();
    stage.api(|api| api.delete(&key, &DeleteOptions::background())).unwrap();
    stage.run_for(Span::secs(1));
    assert!(pods(&stage).is_empty());
}
