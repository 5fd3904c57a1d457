//! What can be broken on a node from outside.
//!
//! A frozen kubelet does nothing while its containers run on; a killed machine takes them with it. A failed or slow pull holds
//! for an image's name until a moment. The rest happens to single containers and Pods.

use std::rc::Rc;

use crate::node::worker::{Ended, Seen};
use crate::node::{Nodes, What, latency};
use crate::program::reference::Reference;
use crate::store::{Api, Cause, Happened};
use api::meta::Key;
use values::time::{SimTime, Span};
use values::value::Text;

/// What containerd says of a container that went with its machine.
const LOST_EXIT_CODE: i32 = 255;

/// A disturbed pull.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PullFault {
    /// The image, as a manifest names it.
    pub image: String,
    /// Until when it lasts; none: for ever.
    pub until: Option<SimTime>,
    /// What the registry says; none: it is only slow.
    pub fails: Option<String>,
    pub slower_by: Span,
    /// What disturbs it.
    pub cause: Cause,
}

impl Nodes {
    /// The disturbances of this image's pulls that last.
    fn faults<'f>(&'f self, reference: &Reference, now: SimTime) -> impl Iterator<Item = &'f PullFault> {
        let full = reference.full();
        let lasts = move |fault: &&PullFault| fault.until.is_none_or(|until| now < until);
        let is_meant = move |fault: &&PullFault| Reference::parse(&fault.image).is_ok_and(|named| named.full() == full);
        self.pull_faults.iter().filter(lasts).filter(is_meant)
    }

    /// Why a pull of this image fails now.
    pub fn pull_fails(&self, reference: &Reference, now: SimTime) -> Option<&str> {
        self.faults(reference, now).find_map(|fault| fault.fails.as_deref())
    }

    /// What makes pulls of this image fail now, if it is a disturbance.
    pub fn why_pull_fails(&self, reference: &Reference, now: SimTime) -> Option<Cause> {
        self.faults(reference, now).find(|fault| fault.fails.is_some()).map(|fault| fault.cause)
    }

    /// How much longer a pull takes.
    pub fn slowness(&self, reference: &Reference, now: SimTime) -> Span {
        self.faults(reference, now).map(|fault| fault.slower_by).max().unwrap_or(Span::ZERO)
    }
}

impl Nodes {
    /// The names of all machines, in the order in which they registered.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.kubelets.iter().filter(|kubelet| !kubelet.taken_away).map(|kubelet| kubelet.name.as_str())
    }

    /// The machine of that name.
    pub(super) fn node(&self, name: &str) -> Option<usize> {
        self.kubelets.iter().position(|kubelet| kubelet.name == name && !kubelet.taken_away)
    }

    /// The machine is no more: another one may have its name.
    pub fn take_away(&mut self, name: &str) {
        if let Some(node) = self.node(name) {
            self.kubelets[node].taken_away = true;
        }
    }

    /// `nodectl stop NODE`: the kubelet is frozen, its containers run on. False if there is no such node.
    pub fn freeze(&mut self, node: &str, now: SimTime) -> bool {
        let Some(node) = self.node(node) else { return false };
        self.kubelets[node].freeze();
        self.kubelets[node].fall_silent(now);
        true
    }

    /// `nodectl start NODE`: a frozen kubelet, or a killed machine, works again. False if there is no such node.
    pub fn thaw(&mut self, node: &str, api: &mut Api<'_>) -> bool {
        let Some(node) = self.node(node) else { return false };
        let now = api.now();
        self.kubelets[node].renewed_at = None;
        self.kubelets[node].dead = false;
        let put_off = self.kubelets[node].thaw();
        for task in put_off {
            self.add(task.pod, task.what, now + Span::ms(2), Cause::default());
        }
        let pods: Vec<(u32, Rc<str>)> =
            self.pods.iter().filter(|w| w.node == node).map(|w| (w.id, w.uid.clone())).collect();
        for (id, uid) in pods {
            let delay = latency::HEAR.draw(self.rng, "thaw", format_args!("{uid}/{}", now.millis()));
            self.add(id, What::Relist, now + Span::ms(1), Cause::default());
            // What others wrote into its Pods' status meanwhile is written over.
            self.add(id, What::Sync, now + delay, Cause::default());
        }
        // The kubelet reports with its next status update, up to ten seconds later.
        let delay = self.rng.between("thaw-report", &self.kubelets[node].name, 500, 10_000);
        self.queue.add(super::Task { pod: 0, what: What::Heartbeat { node } }, now + Span::ms(delay), Cause::default());
        true
    }

    /// The machine stops at once, with all that runs on it. False if there is no such node.
    pub fn kill_node(&mut self, node: &str, api: &mut Api<'_>) -> bool {
        let now = api.now();
        if !self.freeze(node, now) {
            return false;
        }
        let Some(node) = self.node(node) else { return false };
        self.kubelets[node].dead = true;
        for worker in self.pods.iter_mut().filter(|worker| worker.node == node) {
            for slot in 0..worker.slots.len() {
                let Some(run) = worker.slots[slot].run_mut().filter(|run| run.ended.is_none()) else { continue };
                run.ended = Some(Ended {
                    at: now,
                    exit_code: LOST_EXIT_CODE,
                    reason: Text::Known("Unknown"),
                    message: Text::default(),
                    never_started: false,
                });
                run.seen = run.seen.max(Seen::Running);
                let container = worker.slots[slot].name.clone();
                let ended =
                    Happened::ProcessEnded { container, exit_code: LOST_EXIT_CODE, signal: None, out_of_memory: false };
                let entry = api.happened(Some(worker.subject()), ended);
                worker.turned(slot, entry);
            }
        }
        true
    }

    /// Disturbs pulls on all nodes, also on those that come later.
    pub fn disturb_pulls(&mut self, fault: &PullFault) {
        self.pull_faults.retain(|known| known.image != fault.image);
        self.pull_faults.push(fault.clone());
    }

    /// An image is what this entry says from now on.
    ///
    /// # Errors
    /// What is wrong with the entry.
    pub fn set_image(&mut self, entry: &str) -> Result<(), String> {
        let (images, present) = self.images.with(entry)?;
        self.images = images;
        for kubelet in &mut self.kubelets {
            for name in &present {
                kubelet.images.insert(name.clone());
            }
        }
        Ok(())
    }

    /// Ends a container's process with this exit code, or as the kernel does when memory runs out (137, `OOMKilled`). False if
    /// it is not running. Without a name the first container is meant.
    pub fn kill_container(
        &mut self,
        pod: &Key,
        container: Option<&str>,
        exit_code: i32,
        oom: bool,
        api: &mut Api<'_>,
    ) -> bool {
        let Some(id) = self.pods.named(pod) else { return false };
        let Some(mut worker) = self.pods.take(id) else { return false };
        let slot = match container {
            Some(name) => worker.slot_named(name),
            None => worker.slots.iter().position(|slot| !slot.init && slot.is_running()),
        };
        let running = slot.filter(|slot| worker.slots[*slot].is_running());
        if let Some(slot) = running {
            let (code, reason) = if oom { (137, Some("OOMKilled")) } else { (exit_code, None) };
            self.container_ended(Rc::make_mut(&mut worker), slot, code, reason, api);
        }
        self.pods.put(worker);
        running.is_some()
    }
}
