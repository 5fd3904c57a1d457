//! Laws of the end: nothing is left lying about, what the statuses say is so, and who is restarted finds nothing to do.
//!
//! Rules: `docs/semantics/job.md` §1 (how late a status may be), §3, §13; `docs/semantics/ttl.md` §1, §2;
//! `docs/semantics/kubelet.md` §8.

use std::collections::BTreeMap;

use batchyard::api::batch::JOB_TRACKING_FINALIZER;
use batchyard::api::kind::Kind;
use batchyard::cluster::Cluster;
use batchyard::cluster::store::{Change, Entry};
use batchyard::run::{Fault, Input, Scenario, Sim};
use batchyard::values::time::{SimTime, Span};

use super::Law;
use super::world::World;

/// Who can be restarted without forgetting anything that shows.
const CONTROLLERS: &[&str] = &[
    "job-controller",
    "cronjob-controller",
    "ttl-after-finished-controller",
    "garbage-collector-controller",
    "replicaset-controller",
    "deployment-controller",
    "endpointslice-controller",
];

/// Looks at what a run leaves.
pub struct Leftovers {
    /// Controllers that were stopped at some time.
    stopped: Vec<String>,
    slow: bool,
    /// A kubelet was silent, or a node gone.
    silent: bool,
    /// When something about a Job's Pods last changed, by the Job's uid.
    touched: BTreeMap<String, SimTime>,
}

impl Leftovers {
    pub fn new(scenario: &Scenario) -> Leftovers {
        let mut found = Leftovers { stopped: Vec::new(), slow: false, silent: false, touched: BTreeMap::new() };
        for step in &scenario.steps {
            match &step.input {
                Input::Fault(Fault::StopController { name, .. }) => found.stopped.push(name.clone()),
                Input::Fault(Fault::SlowApi { .. }) => found.slow = true,
                Input::Fault(Fault::KillNode { .. } | Fault::FreezeNode { .. }) => found.silent = true,
                Input::Run { line } if line.contains("delete node") => found.silent = true,
                _ => {}
            }
        }
        found
    }

    fn works(&self, controller: &str) -> bool {
        !self.slow && !self.stopped.iter().any(|name| name == controller)
    }

    fn jobs(&self, world: &World, now: SimTime, broken: &mut Vec<String>) {
        let long_ago = |at: Option<SimTime>, room: i64| at.is_some_and(|at| at + Span::secs(room) < now);
        for object in world.list(Kind::Job) {
            let job = object.job();
            let mut fail = |text: String| broken.push(format!("Job {} at the end: {text}", object.name()));
            let end = job.finished().and_then(|end| end.last_transition_time);
            if let (Some(end), Some(ttl)) = (end, job.spec.ttl_seconds_after_finished)
                && self.works("ttl-after-finished-controller")
                && long_ago(Some(end + Span::secs(i64::from(ttl))), 5)
                && !job.metadata.is_being_deleted()
            {
                fail(format!("its TTL of {ttl} s was over long ago"));
            }
            if !self.works("job-controller") || !long_ago(self.touched.get(object.uid()).copied(), 5) {
                continue;
            }
            let pods: Vec<_> = world.controlled_by(Kind::Pod, object.uid()).map(|pod| pod.pod()).collect();
            let tracked = |pod: &&&std::rc::Rc<_>| {
                let pod: &batchyard::api::pod::Pod = pod;
                pod.is_terminal() && pod.metadata.has_finalizer(JOB_TRACKING_FINALIZER)
            };
            if job.spec.backoff_limit_per_index.is_none() || end.is_some() {
                let kept: Vec<&str> = pods.iter().filter(tracked).map(|pod| pod.metadata.name.as_str()).collect();
                if !kept.is_empty() {
                    fail(format!("it never counted {kept:?}"));
                }
            }
            if end.is_some() || job.metadata.is_being_deleted() {
                continue;
            }
            let active = pods.iter().filter(|pod| pod.is_active()).count();
            let ready = pods.iter().filter(|pod| pod.is_active() && pod.is_ready()).count();
            let leaving = pods.iter().filter(|pod| !pod.is_terminal() && pod.metadata.is_being_deleted()).count();
            let status = &job.status;
            let says =
                (status.active as usize, status.ready.unwrap_or(0) as usize, status.terminating.unwrap_or(0) as usize);
            if says != (active, ready, leaving) {
                fail(format!("{active} active, {ready} ready and {leaving} terminating, and it says {says:?}"));
            }
            let reached = match job.spec.completions {
                Some(completions) => status.succeeded >= completions,
                None => status.succeeded > 0,
            };
            if reached && active + leaving == 0 && !job.is_suspended() {
                fail("all is done, and it does not end".to_owned());
            }
        }
    }

    fn dependents(&self, world: &World, now: SimTime, broken: &mut Vec<String>) {
        for object in world.objects.values() {
            let meta = object.meta();
            let gone = |uid: &str| world.gone.get(uid).is_some_and(|at| *at + Span::secs(10) < now);
            let owned = !meta.owner_references.is_empty();
            if owned
                && meta.owner_references.iter().all(|owner| gone(&owner.uid))
                && !meta.is_being_deleted()
                && self.works("garbage-collector-controller")
            {
                broken.push(format!("{:?} {} outlives its owners", object.kind(), object.name()));
            }
            let overdue = meta.deletion_timestamp.is_some_and(|due| due + Span::secs(15) < now);
            let orphan = meta.finalizers.iter().any(|f| f == JOB_TRACKING_FINALIZER) && world.job_of(object).is_none();
            if object.kind() != Kind::Pod || self.silent || !overdue || !self.works("job-controller") {
                continue;
            }
            if meta.finalizers.is_empty() || orphan {
                broken.push(format!("Pod {} was to be gone by {:?}", object.name(), meta.deletion_timestamp));
            }
        }
    }

    /// A controller that is restarted when nothing happens any more has nothing to write.
    fn restart(&self, sim: &Sim, world: &World, broken: &mut Vec<String>) {
        // A restarted Job controller forgets its back-off and tries at once; node controllers start their clocks anew.
        let failed = world.list(Kind::Pod).any(|pod| pod.pod().status.phase == "Failed")
            || world.list(Kind::Job).any(|job| job.job().status.failed > 0);
        if self.silent || failed {
            return;
        }
        let later = sim.now() + Span::secs(20);
        let written = |mut cluster: Cluster| -> Vec<Change> {
            while cluster.step(later) {}
            let log = cluster.take_log();
            let changes = log.into_iter().filter_map(|entry| match entry {
                Entry::Change(change) => Some(change),
                Entry::Happening(_) => None,
            });
            changes.filter(|change| change.kind() != Kind::Event).collect()
        };
        if !written(sim.cluster().clone()).is_empty() {
            return;
        }
        let mut restarted = sim.cluster().clone();
        for name in CONTROLLERS.iter().filter(|name| self.works(name)) {
            restarted.stop_actor(name, Some(sim.now() + Span::ms(1))).expect("it is one of the controllers");
        }
        for change in written(restarted) {
            broken.push(format!(
                "restarted when all was quiet, {} wrote {:?} {}: {}",
                change.actor,
                change.kind(),
                change.object.name(),
                change.object.value().at("status").to_json()
            ));
        }
    }
}

impl Law for Leftovers {
    fn see(&mut self, change: &Change, _world: &World, _broken: &mut Vec<String>) {
        match change.kind() {
            Kind::Pod => {
                let owner = change.object.meta().controller();
                let before = change.previous.as_ref().and_then(|before| before.meta().controller());
                for owner in owner.into_iter().chain(before) {
                    self.touched.insert(owner.uid.to_string(), change.at);
                }
            }
            Kind::Job => {
                self.touched.insert(change.object.uid().to_owned(), change.at);
            }
            _ => {}
        }
    }

    fn end(&mut self, sim: &Sim, world: &World, broken: &mut Vec<String>) {
        self.jobs(world, sim.now(), broken);
        self.dependents(world, sim.now(), broken);
        self.restart(sim, world, broken);
    }
}
