//! A small cluster for tests of one controller: a store, the controller, and hands to play everyone else.

use std::rc::Rc;

use batchyard::api::kind::Kind;
use batchyard::api::meta::Key;
use batchyard::api::object::Object;
use batchyard::cluster::actor::Actor;
use batchyard::cluster::control::job::JobController;
use batchyard::cluster::store::{Api, Cause, Change, ChangeType, DeleteOptions, Store};
use batchyard::values::object;
use batchyard::values::rng::Rng;
use batchyard::values::time::{SimTime, Span};
use batchyard::values::value::Value;

/// The Job controller and a store, at one moment.
pub struct Lab {
    pub store: Store,
    pub controller: JobController,
    pub now: SimTime,
    /// All changes so far.
    pub log: Vec<Change>,
    rng: Rng,
}

impl Lab {
    pub fn new(now: SimTime) -> Lab {
        let rng = Rng::new(1);
        let mut lab = Lab { store: Store::new(), controller: JobController::new(rng), now, log: vec![], rng };
        lab.create(object! {
            "apiVersion" => "v1", "kind" => "Namespace", "metadata" => object! { "name" => "default" },
            "status" => object! { "phase" => "Active" },
        });
        // What the API asks for before it lets Pods in.
        let name = object! { "name" => "default", "namespace" => "default" };
        lab.create(object! { "apiVersion" => "v1", "kind" => "ServiceAccount", "metadata" => name });
        let class = object! { "name" => "system-cluster-critical" };
        lab.create(object! {
            "apiVersion" => "scheduling.k8s.io/v1", "kind" => "PriorityClass", "metadata" => class,
            "value" => 2_000_000_000_i64, "globalDefault" => false,
        });
        lab
    }

    /// Acts on the API as somebody else.
    pub fn api<R>(&mut self, act: impl FnOnce(&mut Api<'_>) -> R) -> R {
        let result = act(&mut Api::new(&mut self.store, self.now, self.rng, "test"));
        self.tell();
        result
    }

    /// Lets the controller act until `until`.
    pub fn run_until(&mut self, until: SimTime) {
        while let Some(at) = self.controller.next_wakeup().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            let name = self.controller.name();
            self.controller.step(&mut Api::new(&mut self.store, self.now, self.rng, name));
            self.tell();
        }
        self.now = self.now.max(until);
    }

    pub fn run_for(&mut self, span: Span) {
        self.run_until(self.now + span);
    }

    pub fn create(&mut self, value: Value) -> Rc<Object> {
        self.api(|api| api.create(value)).expect("the test's object is valid")
    }

    /// Deletes with the object's own grace period, or at once.
    pub fn delete(&mut self, kind: Kind, name: &str) {
        self.api(|api| api.delete(&Key::new(kind, "default", name), &DeleteOptions::background())).expect("it exists");
    }

    /// Ends a Pod as the kubelet does.
    pub fn end_deletion(&mut self, pod: &str) {
        let key = Key::new(Kind::Pod, "default", pod);
        self.api(|api| api.delete(&key, &DeleteOptions::with_grace(0))).expect("it exists");
    }

    pub fn edit(&mut self, kind: Kind, name: &str, edit: impl FnOnce(&mut Value)) {
        self.api(|api| api.update(&Key::new(kind, "default", name), edit)).expect("the edit is valid");
    }

    pub fn edit_status(&mut self, kind: Kind, name: &str, edit: impl FnOnce(&mut Value)) {
        self.api(|api| api.patch_status(&Key::new(kind, "default", name), edit)).expect("it exists");
    }

    pub fn find(&self, kind: Kind, name: &str) -> Rc<Object> {
        Rc::clone(self.store.find(kind, "default", name).expect("it exists"))
    }

    /// All Pods, by name.
    pub fn pods(&self) -> Vec<Rc<Object>> {
        self.store.list(Kind::Pod).cloned().collect()
    }

    /// The names of the Pods that have not ended, in the order in which they were made.
    pub fn unfinished_pods(&self) -> Vec<String> {
        let mut pods: Vec<_> = self.pods().into_iter().filter(|pod| !pod.pod().is_terminal()).collect();
        pods.sort_by_key(|pod| {
            let added = self.log.iter().find(|change| change.object.uid() == pod.uid());
            added.map(|change| change.revision)
        });
        pods.iter().map(|pod| pod.name().to_owned()).collect()
    }

    /// The Pods that were made since this was last asked.
    pub fn last_made_pods(&mut self) -> Vec<String> {
        let made = self.log.drain(..).filter(|c| c.kind() == Kind::Pod && c.change == ChangeType::Added);
        made.map(|c| c.object.name().to_owned()).collect()
    }

    /// Restarts the controller.
    pub fn restart(&mut self) {
        self.controller.restart(self.now, &self.store, Cause::default());
    }

    /// Runs a Pod as scheduler and kubelet do.
    pub fn start_pod(&mut self, pod: &str) {
        self.api(|api| api.bind(&Key::new(Kind::Pod, "default", pod), "node-1")).expect("it exists");
        let now = self.now;
        self.edit_status(Kind::Pod, pod, |status| {
            status.set("phase", "Running");
            status.set("conditions", vec![ready(now, "True")]);
        });
    }

    /// Ends a Pod's only container with an exit code.
    pub fn finish_pod(&mut self, pod: &str, exit_code: i64) {
        let now = self.now;
        let ended = object! { "exitCode" => exit_code, "finishedAt" => now, "startedAt" => now };
        let container = object! { "name" => "main", "restartCount" => 0, "state" => object! { "terminated" => ended } };
        self.edit_status(Kind::Pod, pod, |status| {
            status.set("phase", if exit_code == 0 { "Succeeded" } else { "Failed" });
            status.set("conditions", vec![ready(now, "False")]);
            status.set("containerStatuses", vec![container]);
        });
    }

    /// The Job controller's events about one object, oldest first: `Normal SuccessfulCreate Created pod: x`.
    pub fn events(&self, about: &str) -> Vec<String> {
        let ours = self.log.iter().filter(|c| c.kind() == Kind::Event && c.actor == self.controller.name());
        let lines = ours.filter(|c| c.object.value().str_at("involvedObject.name") == Some(about)).map(|c| {
            let text = |path: &str| c.object.value().str_at(path).unwrap_or_default().to_owned();
            format!("{} {} {}", text("type"), text("reason"), text("message"))
        });
        lines.collect()
    }

    fn tell(&mut self) {
        for change in self.store.take_changes() {
            self.controller.observe(&change, &self.store);
            self.log.push(change);
        }
    }
}

fn ready(now: SimTime, status: &str) -> Value {
    object! { "type" => "Ready", "status" => status, "lastTransitionTime" => now, "lastProbeTime" => Value::Null }
}

/// A Job that needs one Pod.
pub fn simple_job(name: &str) -> Value {
    let container = object! { "name" => "main", "image" => "busybox:1.36" };
    let spec = object! { "restartPolicy" => "Never", "containers" => vec![container] };
    object! {
        "apiVersion" => "batch/v1", "kind" => "Job", "metadata" => object! { "name" => name, "namespace" => "default" },
        "spec" => object! {
            "parallelism" => 1, "completions" => 1, "backoffLimit" => 6, "completionMode" => "NonIndexed",
            "template" => object! { "metadata" => Value::map(), "spec" => spec },
        },
    }
}
