//! Tests of the Deployment controller on a small stage.

use super::*;
use crate::actor::stage::Stage;
use crate::control::replicaset::ReplicaSetController;
use values::object;

/// Makes Pods ready soon after they are made, as a kubelet does, and ends those that are deleted.
#[derive(Clone, Debug, Default)]
struct FakeKubelet {
    queue: WorkQueue<Key>,
    /// Pods of this image never get ready.
    broken: Option<&'static str>,
}

impl Actor for FakeKubelet {
    fn name(&self) -> &'static str {
        "kubelet"
    }
    fn observe(&mut self, change: &Change, _store: &Store) {
        if change.kind() == Kind::Pod && change.change != ChangeType::Deleted {
            self.queue.add(change.object.key(), change.at + Span::ms(600), Cause::default());
        }
    }
    fn next_wakeup(&self) -> Option<SimTime> {
        self.queue.next_at()
    }
    fn step(&mut self, api: &mut Api<'_>) {
        let Some(due) = self.queue.pop(api.now()) else { return };
        let Some(pod) = api.get(&due.key) else { return };
        let now = api.now();
        if pod.meta().is_being_deleted() {
            api.delete(&due.key, &crate::store::DeleteOptions::with_grace(0)).unwrap();
        } else if Some(pod.pod().spec.containers[0].image.as_str()) != self.broken && !pod.pod().is_ready() {
            api.patch_status(&due.key, |status| {
                status.set("phase", "Running");
                let ready = object! { "type" => "Ready", "status" => "True", "lastTransitionTime" => now };
                status.set("conditions", vec![ready]);
            })
            .unwrap();
        }
    }
    fn restart(&mut self, _now: SimTime, _store: &Store, _cause: Cause) {}
}

fn stage(spec: &str) -> Stage {
    let rng = Rng::new(4);
    let kubelet = FakeKubelet { broken: Some("busybox:nosuch"), ..FakeKubelet::default() };
    let mut stage = Stage::new(vec![
        Box::new(DeploymentController::new(rng)),
        Box::new(ReplicaSetController::new(rng)),
        Box::new(kubelet),
    ]);
    stage.create(&format!(
        r#"{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"web"}},"spec":{{{spec}
        "revisionHistoryLimit":10,"progressDeadlineSeconds":600,
        "selector":{{"matchLabels":{{"app":"web"}}}},"template":{{"metadata":{{"labels":{{"app":"web"}}}},
        "spec":{{"containers":[{{"name":"main","image":"busybox:1.36"}}]}}}}}}}}"#
    ));
    stage.run_for(Span::secs(5));
    stage
}

const ROLLING: &str = r#""replicas":4,"strategy":{"type":"RollingUpdate",
    "rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"}},"#;

fn edit(stage: &mut Stage, edit: impl FnOnce(&mut Value)) {
    let key = stage.get(Kind::Deployment, "web").key();
    stage.api(|api| api.update(&key, edit)).unwrap();
}

fn set_image(stage: &mut Stage, image: &str) {
    edit(stage, |d| d.at_mut("spec.template.spec.containers.0").unwrap().set("image", image));
}

/// Revision and size of each set, by revision.
fn sets(stage: &Stage) -> Vec<(i64, i32)> {
    let mut sets: Vec<Set> = stage.store.list(Kind::ReplicaSet).cloned().map(Set::new).collect();
    sets.sort_by_key(Set::revision);
    sets.iter().map(|set| (set.revision(), set.replicas)).collect()
}

/// Scaling events without the names of the sets.
fn scalings(stage: &Stage) -> Vec<String> {
    let events = stage.events("web");
    events.iter().filter_map(|e| e.strip_prefix("ScalingReplicaSet: ")).map(short).collect()
}

fn short(message: &str) -> String {
    let words: Vec<&str> = message.split(' ').filter(|word| !word.starts_with("web-")).collect();
    words.join(" ").replace("Scaled ", "").replace("replica set ", "")
}

fn condition(stage: &Stage, kind: &str) -> String {
    let object = stage.get(Kind::Deployment, "web");
    let condition = status::condition(&object.deployment().status.conditions, kind).cloned().unwrap_or_default();
    format!("{} {}", condition.status, condition.reason)
}

#[test]
fn a_deployment_makes_a_set_and_completes() {
    let stage = stage(ROLLING);
    assert_eq!(sets(&stage), [(1, 4)]);
    assert_eq!(scalings(&stage), ["up from 0 to 4"]);
    assert_eq!(condition(&stage, "Available"), "True MinimumReplicasAvailable");
    assert_eq!(condition(&stage, "Progressing"), "True NewReplicaSetAvailable");
    let object = stage.get(Kind::Deployment, "web");
    let status = &object.deployment().status;
    assert_eq!((status.replicas, status.updated_replicas, status.available_replicas), (4, 4, 4));
    assert_eq!(revision::annotation(&object, REVISION_NOTE), Some("1"));
}

const REVISION_NOTE: &str = revision::REVISION;

#[test]
fn a_rolling_update_goes_step_by_step_as_recorded() {
    let mut stage = stage(ROLLING);
    set_image(&mut stage, "busybox:1.37");
    stage.run_for(Span::secs(10));
    assert_eq!(sets(&stage), [(1, 0), (2, 4)]);
    let steps = scalings(&stage);
    assert_eq!(&steps[1..4], ["up from 0 to 1", "down from 4 to 3", "up from 1 to 2"]);
    assert_eq!(condition(&stage, "Progressing"), "True NewReplicaSetAvailable");
    // Never fewer than three available, never more than five at all.
    for change in stage.log.iter().filter(|c| c.kind() == Kind::Deployment && c.at > stage.now - Span::secs(10)) {
        let status = &change.object.deployment().status;
        assert!(status.available_replicas >= 3 && status.replicas <= 5, "{status:?}");
    }
}

#[test]
fn a_rollout_that_is_stuck_can_be_undone() {
    let mut stage = stage(ROLLING);
    set_image(&mut stage, "busybox:nosuch");
    stage.run_for(Span::secs(10));
    assert_eq!(sets(&stage), [(1, 3), (2, 2)]);
    set_image(&mut stage, "busybox:1.36");
    stage.run_for(Span::secs(10));
    assert_eq!(sets(&stage), [(2, 0), (3, 4)]);
    let back =
        stage.store.list(Kind::ReplicaSet).find(|set| Set::new(std::rc::Rc::clone(set)).revision() == 3).unwrap();
    assert_eq!(revision::annotation(back, "deployment.kubernetes.io/revision-history"), Some("1"));
}

#[test]
fn the_progress_deadline_is_kept() {
    let mut stage = stage(ROLLING);
    set_image(&mut stage, "busybox:nosuch");
    stage.run_for(Span::secs(595));
    assert_eq!(condition(&stage, "Progressing"), "True ReplicaSetUpdated");
    stage.run_for(Span::secs(10));
    assert_eq!(condition(&stage, "Progressing"), "False ProgressDeadlineExceeded");
    stage.run_for(Span::mins(60));
    assert_eq!(condition(&stage, "Progressing"), "False ProgressDeadlineExceeded");
}

#[test]
fn recreate_waits_for_the_last_old_pod() {
    let mut stage = stage(r#""replicas":3,"strategy":{"type":"Recreate"},"#);
    set_image(&mut stage, "busybox:1.37");
    stage.run_for(Span::secs(10));
    assert_eq!(sets(&stage), [(1, 0), (2, 3)]);
    let image = |c: &Change| c.object.pod().spec.containers[0].image == "busybox:1.37";
    let pods = || stage.log.iter().filter(|c| c.kind() == Kind::Pod);
    let last_old = pods().filter(|c| !image(c) && c.change == ChangeType::Deleted).map(|c| c.at).max().unwrap();
    let first_new = pods().filter(|c| image(c)).map(|c| c.at).min().unwrap();
    assert!(last_old <= first_new);
}

#[test]
fn scaling_a_paused_or_resting_deployment_scales_its_set() {
    let mut stage = stage(ROLLING);
    edit(&mut stage, |d| d.set("spec.replicas", 6));
    stage.run_for(Span::secs(5));
    assert_eq!(sets(&stage), [(1, 6)]);
    edit(&mut stage, |d| d.set("spec.paused", true));
    set_image(&mut stage, "busybox:1.37");
    stage.run_for(Span::secs(5));
    assert_eq!(sets(&stage), [(1, 6)]);
    assert_eq!(condition(&stage, "Progressing"), "Unknown DeploymentPaused");
    edit(&mut stage, |d| d.set("spec.replicas", 2));
    stage.run_for(Span::secs(5));
    assert_eq!(sets(&stage), [(1, 2)]);
    edit(&mut stage, |d| d.set("spec.paused", false));
    stage.run_for(Span::secs(10));
    assert_eq!(sets(&stage), [(1, 0), (2, 2)]);
}

#[test]
fn old_sets_beyond_the_limit_go() {
    let mut stage = stage(ROLLING);
    edit(&mut stage, |d| d.set("spec.revisionHistoryLimit", 1));
    for tag in ["a", "b", "c"] {
        set_image(&mut stage, &format!("busybox:{tag}"));
        stage.run_for(Span::secs(20));
    }
    assert_eq!(sets(&stage), [(3, 0), (4, 4)]);
}

#[test]
fn at_rest_nothing_is_written() {
    let mut stage = stage(ROLLING);
    let before = stage.log.len();
    let mut fresh = DeploymentController::new(Rng::new(4));
    fresh.restart(stage.now, &stage.store, Cause::default());
    stage.actors[0] = Box::new(fresh);
    stage.run_for(Span::mins(30));
    assert_eq!(stage.log.len(), before);
}
