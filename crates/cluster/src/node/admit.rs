//! Whether a kubelet takes a Pod at all.
//!
//! Rule: `docs/semantics/kubelet.md` §10: a Pod that does not fit is failed at once with a reason of its own. Source:
//! `pkg/kubelet/lifecycle/predicate.go`.

use crate::node::worker::{EndReason, EndStep, Ending, Worker};
use crate::node::{Nodes, What, latency};
use crate::store::Api;
use values::quantity::Quantity;

/// Pods a node takes, as on the recorded cluster.
pub const PODS_MAX: usize = 250;

impl Nodes {
    /// Reason and message if the Pod cannot run here.
    pub(super) fn refusal(&mut self, worker: &Worker) -> Option<(String, String)> {
        let (pods, kubelet) = (&self.pods, &mut self.kubelets[worker.node]);
        kubelet.admitted.retain(|id| pods.get(*id).is_some_and(|other| !is_done(other)));
        let others: Vec<&Worker> = kubelet.admitted.iter().filter_map(|id| pods.get(*id)).collect();
        kubelet.admitted.push(worker.id);
        if others.len() >= PODS_MAX {
            let used = others.len();
            let message =
                format!("Node didn't have enough resource: pods, requested: 1, used: {used}, capacity: {PODS_MAX}");
            return Some(("OutOfpods".into(), format!("Pod was rejected: {message}")));
        }
        for (name, capacity) in [("cpu", &kubelet.cpu), ("memory", &kubelet.memory)] {
            let wanted = requested(worker, name);
            if wanted == 0 {
                continue;
            }
            let used: i64 = others.iter().map(|other| requested(other, name)).sum();
            let capacity = amount(name, capacity);
            if used.saturating_add(wanted) > capacity {
                let what = format!("requested: {wanted}, used: {used}, capacity: {capacity}");
                let message = format!("Pod was rejected: Node didn't have enough resource: {name}, {what}");
                return Some((format!("OutOf{name}"), message));
            }
        }
        None
    }

    pub(super) fn reject(&mut self, worker: &mut Worker, reason: &str, message: &str, api: &mut Api<'_>) {
        let now = api.now();
        let event = message.strip_prefix("Pod was rejected: ").unwrap_or(message);
        self.event(worker, None, true, reason, event, api);
        let why = EndReason::Failed { reason: reason.into(), message: message.into() };
        let grace = latency::MINIMUM_GRACE;
        worker.ending = Some(Ending { why, step: EndStep::LastStatus, killed: false, grace, since: None });
        self.ask_status(worker, now);
        let delay = self.draw(latency::CLEAN_UP, "clean-up", worker, now);
        self.after(worker, What::End, now, delay);
    }
}

fn is_done(worker: &Worker) -> bool {
    worker.ending.as_ref().is_some_and(|e| e.step == EndStep::Done) || worker.pod().is_terminal()
}

/// Thousandths of a CPU, or bytes.
fn amount(name: &str, text: &str) -> i64 {
    let quantity = Quantity::parse(text).unwrap_or(Quantity::from_units(0));
    if name == "cpu" { quantity.millis() } else { quantity.units() }
}

/// What a Pod asks for: its containers and sidecars together, or its largest init container.
fn requested(worker: &Worker, name: &str) -> i64 {
    let spec = &worker.pod().spec;
    let of = |c: &api::pod::Container| c.resources.requests.get(name).map_or(0, |text| amount(name, text));
    let sidecars: i64 = spec.init_containers.iter().filter(|c| c.is_sidecar()).map(of).sum();
    let main: i64 = spec.containers.iter().map(of).sum();
    let init = spec.init_containers.iter().filter(|c| !c.is_sidecar()).map(of).max().unwrap_or(0);
    (main + sidecars).max(init)
}
