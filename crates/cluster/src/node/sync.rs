//! The sync of one Pod: look at what was read of the runtime, write the status, decide what to start or stop.
//!
//! Rules: `docs/semantics/kubelet.md` §2, §4, §5. The status is computed before anything is done about it, so a reason
//! found in one sync shows in the next. Source: `pkg/kubelet/kubelet.go` (`SyncPod`), `kuberuntime_manager.go`
//! (`computePodActions`).

use std::rc::Rc;

use crate::node::phase::{AfterExit, after_exit};
use crate::node::worker::{EndReason, Sandbox, Seen, Slot, Stage, SyncError, WantedStatus, Worker};
use crate::node::{Nodes, What, latency};
use crate::store::{Api, Cause, EventType, Happened, Rule};
use api::object::Object;
use api::pod::PodCondition;
use values::time::{SimTime, Span};
use values::value::{Text, Value};

impl Worker {
    pub fn new(id: u32, node: usize, object: &Rc<Object>, now: SimTime, cause: Cause) -> Worker {
        let spec = &object.pod().spec;
        let slot = |index: usize, name: &Text, init: bool, sidecar: bool| Slot::new(index, name, init, sidecar);
        let init = spec.init_containers.iter().enumerate().map(|(i, c)| slot(i, &c.name, true, c.is_sidecar()));
        let main = spec.containers.iter().enumerate().map(|(i, c)| slot(i, &c.name, false, false));
        Worker {
            id,
            node,
            key: object.key(),
            uid: object.shared_uid(),
            object: Rc::clone(object),
            start_time: now.whole_second(),
            slots: init.chain(main).collect(),
            volumes: Default::default(),
            shared_volumes: Vec::new(),
            sandbox: Sandbox::None,
            ip: Text::default(),
            stage: Stage::Idle,
            plan: Vec::new(),
            sync_error: None,
            sync_again: false,
            measured: false,
            ending: None,
            cause,
            placed: cause,
            wanted_status: None,
            started_counted: false,
            initialized: false,
            next_process: 1,
            probes_from: now,
            admitted: false,
        }
    }
}

impl Nodes {
    /// Looks at a Pod and begins what it needs.
    pub(super) fn sync(&mut self, worker: &mut Worker, api: &mut Api<'_>) {
        let now = api.now();
        if worker.ending.is_some() {
            return;
        }
        if let Some(why) = told_to_end(worker, now) {
            if matches!(why, EndReason::Failed { .. }) {
                let allowed_ms = worker.pod().spec.active_deadline_seconds.unwrap_or(0).saturating_mul(1000);
                api.set_cause(worker.placed.counted(Rule::KubeletDeadline, [allowed_ms, 0]));
                worker.cause = Cause::by(api.note(worker.subject(), Happened::TimeUp)).rule(Rule::KubeletDeadline);
                worker.cause.counts = [allowed_ms, 0];
            }
            return self.begin_ending(worker, why, api);
        }
        if worker.stage != Stage::Idle {
            worker.sync_again = true;
            return;
        }
        if !worker.admitted {
            worker.admitted = true;
            if let Some((reason, message)) = self.refusal(worker) {
                worker.cause = worker.cause.rule(Rule::KubeletRejects);
                api.set_cause(worker.cause);
                return self.reject(worker, &reason, &message, api);
            }
            if let Some(deadline) = deadline(worker) {
                let beat = self.kubelets[worker.node].sync_beat(deadline);
                self.add(worker.id, What::Deadline, beat, worker.cause);
            }
        }
        let has_run = worker.slots.iter().any(|slot| !slot.init && !slot.anew && slot.seen_run().is_some());
        worker.initialized |= has_run;
        self.ask_status(worker, now);
        // The cgroup is read once containers have been seen running.
        worker.measured |= worker.slots.iter().any(|slot| slot.seen_run().is_some());
        if worker.sandbox == Sandbox::None {
            worker.stage = Stage::Mount { tries: 0 };
            let delay = self.draw(latency::MOUNT, "mount", worker, now);
            self.after(worker, What::Stage, now, delay);
            return;
        }
        self.sync_containers(worker, api);
    }

    fn sync_containers(&mut self, worker: &mut Worker, api: &mut Api<'_>) {
        if wants_restart_of_all(worker) {
            return self.restart_all(worker, api);
        }
        if is_over(worker) {
            return self.begin_ending(worker, EndReason::Completed, api);
        }
        worker.sync_error = None;
        if self.kill_unhealthy(worker, api) {
            return;
        }
        worker.plan = to_start(worker);
        self.start_next(worker, api);
    }

    /// The sync has done what it could.
    pub(super) fn finish_sync(&mut self, worker: &mut Worker, now: SimTime) {
        worker.stage = Stage::Idle;
        if worker.sync_again {
            worker.sync_again = false;
            self.after(worker, What::Sync, now, Span::ms(1));
        }
        let something_new = worker.sandbox == Sandbox::Unseen || worker.slots.iter().any(has_news);
        match worker.sync_error.take() {
            Some(error) => {
                self.sync_later(worker, error, now);
                if something_new {
                    let at = self.kubelets[worker.node].next_relist(now);
                    self.add(worker.id, What::Relist, at, worker.cause);
                }
            }
            None if something_new => {
                let delay = self.draw(latency::RELIST_AT_ONCE, "relist-at-once", worker, now);
                self.after(worker, What::Relist, now, delay);
            }
            None => {}
        }
    }

    /// Asks for the sync that tries again after an error.
    fn sync_later(&mut self, worker: &mut Worker, error: SyncError, now: SimTime) {
        let wait = match error {
            SyncError::Plain => latency::ERROR_BACK_OFF,
            SyncError::BackOffUntil(until) => until.since(now).min(latency::SYNC_FREQUENCY),
        };
        let key = format!("{}/{}", worker.uid, now.millis());
        let percent = self.rng.between("sync-jitter", &key, 100, 150);
        let at = now + Span::ms(wait.as_ms() * percent / 100);
        let at = self.kubelets[worker.node].sync_beat(at);
        self.add(worker.id, What::Sync, at, worker.cause);
    }

    /// Notes an error of the running sync; the one that ends its wait first counts.
    pub(super) fn note_error(worker: &mut Worker, error: SyncError) {
        worker.sync_error = match (worker.sync_error, error) {
            (Some(SyncError::BackOffUntil(a)), SyncError::BackOffUntil(b)) => Some(SyncError::BackOffUntil(a.min(b))),
            (Some(SyncError::Plain), _) => Some(SyncError::Plain),
            (_, error) => Some(error),
        };
    }

    /// Reads what the runtime says of the Pod's containers.
    pub(super) fn relist(&mut self, worker: &mut Worker, api: &mut Api<'_>) {
        let now = api.now();
        let mut changed = worker.sandbox == Sandbox::Unseen;
        if changed {
            worker.sandbox = Sandbox::Ready;
        }
        for run in worker.slots.iter_mut().flat_map(|slot| &mut slot.runs) {
            let seen = if run.ended.is_some() { Seen::Ended } else { Seen::Running };
            changed |= run.seen != seen;
            run.seen = seen;
        }
        if changed && worker.ending.is_none() {
            self.after(worker, What::Sync, now, Span::ms(2));
        }
    }

    /// Computes the status as of now and has it written soon.
    pub(super) fn ask_status(&mut self, worker: &mut Worker, now: SimTime) {
        let host_ip = self.kubelets[worker.node].ip.clone();
        worker.wanted_status = Some(worker.status(now, &host_ip));
        let delay = self.draw(latency::STATUS_WRITE, "status-write", worker, now);
        let turn = self.kubelets[worker.node].statuses_until.max(now);
        self.kubelets[worker.node].statuses_until = turn + delay;
        self.after(worker, What::Status, turn, delay);
    }

    /// Writes the wanted status. What others wrote since it was computed stays.
    pub(super) fn write_status(&mut self, worker: &mut Worker, api: &mut Api<'_>) {
        let Some(WantedStatus { mut typed, mut tree }) = worker.wanted_status.take() else { return };
        let Some(current) = api.get(&worker.key).filter(|object| object.uid() == &*worker.uid) else { return };
        let is_foreign = |c: &PodCondition| typed.conditions.iter().all(|own| own.kind != c.kind);
        let (old, trees) = (&current.pod().status.conditions, current.value().list_at("status.conditions"));
        let foreign = old.iter().zip(trees).filter(|(condition, _)| is_foreign(condition));
        let (mut conditions, mut list): (Vec<PodCondition>, Vec<Value>) =
            foreign.map(|(condition, tree)| (condition.clone(), tree.clone())).unzip();
        if !list.is_empty() {
            list.extend(tree.list_at("conditions").iter().cloned());
            tree.set("conditions", list);
            conditions.append(&mut typed.conditions);
            typed.conditions = conditions;
        }
        // Gone in the meantime: then nobody wants to know.
        if let Ok(object) = api.update_status(&worker.key, tree) {
            object.know_pod_status(Rc::new(typed));
            worker.object = object;
        }
    }

    pub(super) fn event(
        &self,
        worker: &Worker,
        slot: Option<usize>,
        warning: bool,
        reason: &str,
        message: &str,
        api: &mut Api<'_>,
    ) {
        let path = slot.map(|slot| worker.field_path(slot)).unwrap_or_default();
        let kind = if warning { EventType::Warning } else { EventType::Normal };
        api.event_at(&worker.object, &path, &self.kubelets[worker.node].name, kind, reason, message);
    }
}

impl Slot {
    fn new(index: usize, name: &Text, init: bool, sidecar: bool) -> Slot {
        Slot {
            name: name.clone(),
            init,
            sidecar,
            index,
            runs: Vec::new(),
            restart_count: 0,
            back_off: Default::default(),
            pull_back_off: Default::default(),
            reason: None,
            prepared: None,
            image: None,
            image_id: Text::default(),
            image_name: Text::default(),
            probers: Vec::new(),
            kill: None,
            unhealthy: None,
            anew: false,
            turn: None,
            noted_waits: [None; 2],
            failed_pulls: 0,
        }
    }
}

/// Whether a container has done something that no relist has read.
fn has_news(slot: &Slot) -> bool {
    slot.runs.iter().any(|run| run.seen == Seen::Nothing || (run.ended.is_some() && run.seen != Seen::Ended))
}

/// When the Pod's own deadline strikes.
fn deadline(worker: &Worker) -> Option<SimTime> {
    worker.pod().spec.active_deadline_seconds.map(|seconds| worker.start_time + Span::secs(seconds))
}

fn told_to_end(worker: &Worker, now: SimTime) -> Option<EndReason> {
    if worker.pod().metadata.is_being_deleted() {
        return Some(EndReason::Deleted);
    }
    deadline(worker).filter(|at| now >= *at).map(|_| EndReason::Failed {
        reason: Text::Known("DeadlineExceeded"),
        message: Text::Known("Pod was active on the node longer than the specified deadline"),
    })
}

fn exit_action(worker: &Worker, slot: usize) -> Option<AfterExit> {
    let state = &worker.slots[slot];
    if state.is_running() || state.seen_running() {
        return None;
    }
    let ended = state.seen_run().filter(|run| run.seen == Seen::Ended)?.ended.as_ref()?;
    if state.anew {
        return Some(AfterExit::Restart);
    }
    Some(after_exit(&worker.pod().spec, worker.spec_of(slot), ended.exit_code))
}

fn wants_restart_of_all(worker: &Worker) -> bool {
    (0..worker.slots.len()).any(|slot| exit_action(worker, slot) == Some(AfterExit::RestartAll))
}

/// Whether all that should run has run: every container ended for good, or an init container failed for good.
fn is_over(worker: &Worker) -> bool {
    if worker.slots.iter().any(has_news) {
        return false;
    }
    let stays = |slot: usize| exit_action(worker, slot) == Some(AfterExit::Stay);
    let failed = |slot: usize| worker.slots[slot].seen_ended().is_some_and(|ended| ended.exit_code != 0);
    let init_failed =
        (0..worker.slots.len()).any(|i| worker.slots[i].init && !worker.slots[i].sidecar && stays(i) && failed(i));
    let all_ended = (0..worker.slots.len()).filter(|i| !worker.slots[*i].init).all(stays);
    init_failed || all_ended
}

/// The containers that are to be started now.
pub(super) fn to_start(worker: &Worker) -> Vec<usize> {
    let mut plan = Vec::new();
    for (at, slot) in worker.slots.iter().enumerate() {
        let busy = slot.is_running() || slot.seen_running() || has_news(slot);
        let never_ran = slot.runs.is_empty();
        let again = exit_action(worker, at) == Some(AfterExit::Restart);
        if !slot.init {
            if !busy && (never_ran || again) {
                plan.push(at);
            }
            continue;
        }
        if slot.sidecar {
            if !busy && (never_ran || again) {
                plan.push(at);
            }
            // The next one starts when the sidecar has started.
            let started = slot.run().is_some_and(|run| run.ended.is_none() && run.seen == Seen::Running && run.started);
            if !started && !worker.initialized {
                return plan;
            }
            continue;
        }
        let done = !busy && !slot.anew && slot.seen_ended().is_some_and(|ended| ended.exit_code == 0);
        if done || worker.initialized {
            continue;
        }
        if !busy && (never_ran || again) {
            plan.push(at);
        }
        return plan;
    }
    plan
}
