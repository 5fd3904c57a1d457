//! Stopping containers and ending Pods.
//!
//! Rules: `docs/semantics/kubelet.md` §5 (order with sidecars), §8. SIGTERM, the grace period, SIGKILL; when all
//! containers have stopped, the sandbox; then the last status, then the Pod goes from the API if it was deleted.
//! Source: `kuberuntime_container.go` (`killContainer`, `killContainersWithSyncResult`), `pod_workers.go`.

use crate::node::worker::{EndReason, EndStep, Ending, Kill, Purpose, Sandbox, Seen, Stage, Unhealthy, Worker};
use crate::node::{Nodes, What, latency};
use crate::store::{Api, Cause, DeleteOptions, Happened, Rule};
use shell::process::{Io, Signal};
use values::time::{SimTime, Span};

impl Nodes {
    /// Begins the end of a Pod.
    pub(super) fn begin_ending(&mut self, worker: &mut Worker, why: EndReason, api: &mut Api<'_>) {
        let now = api.now();
        let seconds = worker.pod().metadata.deletion_grace_period_seconds;
        let own = worker.pod().spec.termination_grace_period_seconds.unwrap_or(30);
        let grace = Span::secs(seconds.unwrap_or(own)).max(latency::MINIMUM_GRACE);
        let ending = Ending { why, step: EndStep::Announced, killed: worker.any_running(), grace, since: None };
        if worker.stage != Stage::Idle {
            self.count_started(worker);
            worker.stage = Stage::Idle;
            worker.plan.clear();
        }
        worker.slots.iter_mut().for_each(|slot| slot.unhealthy = None);
        if ending.why == EndReason::Completed {
            // The status that shows the ended containers was asked for by the sync that found them.
            worker.ending = Some(ending);
            return self.go_on_ending(worker, api);
        }
        self.announce(worker, &ending.why, api);
        let is_deadline = matches!(ending.why, EndReason::Failed { .. });
        worker.ending = Some(ending);
        self.ask_status(worker, now);
        if is_deadline {
            let pause = self.draw(latency::DEADLINE_PAUSE, "deadline-pause", worker, now);
            return self.after(worker, What::End, now, pause);
        }
        self.go_on_ending(worker, api);
    }

    /// The event that tells why a Pod is failed by the kubelet. It is repeated with each step.
    fn announce(&self, worker: &Worker, why: &EndReason, api: &mut Api<'_>) {
        if let EndReason::Failed { reason, message } = why {
            self.event(worker, None, reason != "DeadlineExceeded", reason, message, api);
        }
    }

    /// The next step of a Pod's end.
    pub(super) fn go_on_ending(&mut self, worker: &mut Worker, api: &mut Api<'_>) {
        let now = api.now();
        let Some(ending) = worker.ending.clone() else { return };
        match ending.step {
            EndStep::Announced => {
                self.step_to(worker, EndStep::Stopping);
                if matches!(&ending.why, EndReason::Failed { reason, .. } if reason == "DeadlineExceeded") {
                    self.announce(worker, &ending.why, api);
                }
                self.stop_in_order(worker, api);
            }
            EndStep::Stopping => {
                self.shorten_grace(worker, now);
                self.stop_in_order(worker, api);
            }
            EndStep::Sandbox => self.all_stopped(worker, api),
            EndStep::LastStatus => {
                self.step_to(worker, EndStep::CleanUp);
                if matches!(&ending.why, EndReason::Failed { reason, .. } if reason == "DeadlineExceeded") {
                    self.announce(worker, &ending.why, api);
                }
                self.ask_status(worker, now);
                let delay = self.draw(latency::DELETE, "delete", worker, now);
                self.after(worker, What::End, now, delay);
            }
            EndStep::CleanUp | EndStep::Done => self.clean_up(worker, api),
        }
    }

    fn step_to(&mut self, worker: &mut Worker, step: EndStep) {
        if let Some(ending) = &mut worker.ending {
            ending.step = step;
        }
    }

    /// A deletion may come while the Pod is already ending, or a second one with less time.
    fn shorten_grace(&mut self, worker: &mut Worker, now: SimTime) {
        let Some(seconds) = worker.pod().metadata.deletion_grace_period_seconds else { return };
        let grace = Span::secs(seconds).max(latency::MINIMUM_GRACE);
        for slot in 0..worker.slots.len() {
            if let Some(kill) = &mut worker.slots[slot].kill
                && now + grace < kill.deadline
            {
                kill.deadline = now + grace;
                self.after(worker, What::Kill { slot }, now, grace);
            }
        }
    }

    /// Stops the containers, sidecars after all others and the last one first. Who waits for its turn has that much less
    /// of the one grace period.
    fn stop_in_order(&mut self, worker: &mut Worker, api: &mut Api<'_>) {
        let now = api.now();
        let grace = worker.ending.as_mut().map_or(Span::ZERO, |ending| {
            let waited = now.since(*ending.since.get_or_insert(now));
            (ending.grace - Span::secs(waited.as_secs())).max(latency::MINIMUM_GRACE)
        });
        let running: Vec<usize> = (0..worker.slots.len()).filter(|i| worker.slots[*i].is_running()).collect();
        if running.is_empty() {
            let delay = self.draw(latency::SANDBOX_STOP, "sandbox-stop", worker, now);
            self.step_to(worker, EndStep::Sandbox);
            return self.after(worker, What::End, now, delay);
        }
        let others: Vec<usize> = running.iter().copied().filter(|i| !worker.slots[*i].sidecar).collect();
        let turn = if others.is_empty() { running.last().copied().into_iter().collect() } else { others };
        for slot in turn {
            if worker.slots[slot].kill.is_none() {
                let text = format!("Stopping container {}", worker.slots[slot].name);
                self.stop(worker, slot, &text, grace, api);
            }
        }
    }

    /// Begins to stop one container: event, hook, SIGTERM, and SIGKILL after `grace`.
    fn stop(&mut self, worker: &mut Worker, slot: usize, text: &str, grace: Span, api: &mut Api<'_>) {
        let now = api.now();
        let state = &worker.slots[slot];
        let cause = match (&worker.ending, state.unhealthy, state.turn) {
            (None, Some(_), Some(turn)) => Cause::by(turn).rule(Rule::KubeletProbeKill),
            _ => worker.cause,
        };
        api.set_cause(Cause { counts: cause.counts, ..cause.or_rule(Rule::KubeletTerm) });
        if api.cause().rule == Rule::KubeletTerm {
            api.because_of(Rule::KubeletTerm, [grace.as_ms(), 0]);
        }
        let told = Happened::ProcessTold { container: state.name.clone(), grace_seconds: grace.as_secs() };
        let entry = api.note(worker.subject(), told);
        worker.slots[slot].turn = Some(entry);
        self.event(worker, Some(slot), false, "Killing", text, api);
        worker.slots[slot].kill = Some(Kill { deadline: now + grace, grace, hook: None, signalled: false });
        self.after(worker, What::Kill { slot }, now, grace);
        if !self.begin_pre_stop(worker, slot, api) {
            let delay = self.draw(latency::SIGNAL, "sigterm", worker, now);
            self.after(worker, What::Term { slot }, now, delay);
        }
    }

    /// Runs the preStop hook; true if it takes its time.
    fn begin_pre_stop(&mut self, worker: &mut Worker, slot: usize, api: &mut Api<'_>) -> bool {
        let now = api.now();
        let hook = worker.spec_of(slot).lifecycle.at("preStop").clone();
        if let Some(seconds) = hook.i64_at("sleep.seconds") {
            self.after(worker, What::Term { slot }, now, Span::secs(seconds.max(0)));
            return true;
        }
        let command: Vec<String> =
            hook.list_at("exec.command").iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
        if command.is_empty() {
            return false;
        }
        match self.start_beside(worker, slot, &command, Purpose::PreStop, Io::without_input(), now) {
            Ok(number) => {
                if let Some(kill) = &mut worker.slots[slot].kill {
                    kill.hook = Some(number);
                }
                true
            }
            Err(_) => {
                self.event(worker, Some(slot), true, "FailedPreStopHook", "PreStopHook failed", api);
                false
            }
        }
    }

    pub(super) fn pre_stop_ended(&mut self, worker: &mut Worker, slot: usize, exit_code: i32, api: &mut Api<'_>) {
        if exit_code != 0 {
            self.event(worker, Some(slot), true, "FailedPreStopHook", "PreStopHook failed", api);
        }
        self.after(worker, What::Term { slot }, api.now(), Span::ms(1));
    }

    pub(super) fn send_term(&mut self, worker: &mut Worker, slot: usize, api: &mut Api<'_>) {
        if let Some(kill) = &mut worker.slots[slot].kill {
            kill.signalled = true;
            self.signal(worker, slot, 0, Signal::Term, api);
        }
    }

    /// The grace is over.
    pub(super) fn kill_now(&mut self, worker: &mut Worker, slot: usize, api: &mut Api<'_>) {
        let now = api.now();
        let Some(kill) = &mut worker.slots[slot].kill else { return };
        if now < kill.deadline {
            return;
        }
        kill.signalled = true;
        self.signal(worker, slot, 0, Signal::Kill, api);
    }

    /// No container runs any more and the sandbox is down.
    fn all_stopped(&mut self, worker: &mut Worker, api: &mut Api<'_>) {
        let now = api.now();
        let Some(ending) = worker.ending.clone() else { return };
        worker.sandbox = Sandbox::Stopped;
        for run in worker.slots.iter_mut().flat_map(|slot| &mut slot.runs) {
            run.seen = Seen::Ended;
        }
        self.step_to(worker, EndStep::LastStatus);
        if ending.killed || ending.why != EndReason::Completed {
            self.announce_stopped(worker, &ending.why, api);
            self.ask_status(worker, now);
        }
        let at = if ending.why == EndReason::Completed {
            let relist = self.kubelets[worker.node].next_relist(now);
            relist + self.draw(latency::LAST_STATUS, "last-status", worker, now)
        } else {
            now + self.draw(latency::CLEAN_UP, "clean-up", worker, now)
        };
        self.add(worker.id, What::End, at, worker.cause);
    }

    fn announce_stopped(&self, worker: &Worker, why: &EndReason, api: &mut Api<'_>) {
        if matches!(why, EndReason::Failed { reason, .. } if reason == "DeadlineExceeded") {
            self.announce(worker, why, api);
        }
    }

    /// A deleted Pod whose containers have stopped goes from the API.
    fn clean_up(&mut self, worker: &mut Worker, api: &mut Api<'_>) {
        self.step_to(worker, EndStep::Done);
        if !worker.pod().metadata.is_being_deleted() {
            return;
        }
        api.because(Rule::KubeletGone);
        let options = DeleteOptions { precondition_uid: Some(worker.uid.to_string()), ..DeleteOptions::with_grace(0) };
        // NotFound: someone was faster.
        let _ = api.delete(&worker.key, &options);
    }

    // ---- one container only

    /// Kills the containers that a probe has given up. True if the sync has to wait for that.
    pub(super) fn kill_unhealthy(&mut self, worker: &mut Worker, api: &mut Api<'_>) -> bool {
        let found = (0..worker.slots.len()).find_map(|i| {
            let slot = &worker.slots[i];
            slot.unhealthy.filter(|_| slot.is_running() && slot.kill.is_none()).map(|unhealthy| (i, unhealthy))
        });
        let Some((slot, Unhealthy { probe, grace_seconds })) = found else { return false };
        let own = worker.pod().spec.termination_grace_period_seconds.unwrap_or(30);
        let grace = Span::secs(grace_seconds.unwrap_or(own)).max(latency::MINIMUM_GRACE);
        let stays = crate::node::phase::after_exit(&worker.pod().spec, worker.spec_of(slot), 137)
            == crate::node::phase::AfterExit::Stay;
        let others_run =
            (0..worker.slots.len()).any(|i| i != slot && !worker.slots[i].sidecar && worker.slots[i].is_running());
        if stays && !others_run {
            // Nothing is left to keep: the whole Pod is stopped.
            self.begin_ending(worker, EndReason::Completed, api);
            return true;
        }
        let name = &worker.slots[slot].name;
        let text = if stays {
            format!("Stopping container {name}")
        } else {
            format!("Container {name} failed {probe} probe, will be restarted")
        };
        worker.stage = Stage::Killing { slot };
        self.stop(worker, slot, &text, grace, api);
        true
    }

    /// The killed container has stopped: it starts again in the same sync, by what the last relist said of the others.
    pub(super) fn killed_for_restart(&mut self, worker: &mut Worker, slot: usize, api: &mut Api<'_>) {
        worker.stage = Stage::Idle;
        worker.slots[slot].unhealthy = None;
        let stays = {
            let code = worker.slots[slot].run().and_then(|run| run.ended.as_ref()).map_or(137, |ended| ended.exit_code);
            crate::node::phase::after_exit(&worker.pod().spec, worker.spec_of(slot), code)
                == crate::node::phase::AfterExit::Stay
        };
        worker.plan = if stays { Vec::new() } else { vec![slot] };
        self.start_next(worker, api);
    }

    /// A container ended in a way that makes the whole Pod start anew in place (`RestartAllContainers`).
    pub(super) fn restart_all(&mut self, worker: &mut Worker, api: &mut Api<'_>) {
        let now = api.now();
        for slot in 0..worker.slots.len() {
            if worker.slots[slot].is_running() {
                worker.slots[slot].kill = Some(Kill { deadline: now, grace: Span::ZERO, hook: None, signalled: true });
                self.container_ended(worker, slot, 137, Some("RestartingAllContainers"), api);
            }
            let state = &mut worker.slots[slot];
            for run in &mut state.runs {
                run.seen = Seen::Ended;
            }
            state.reason = None;
            // What never ran begins as it would have.
            state.anew = !state.runs.is_empty();
        }
        worker.initialized = false;
        worker.plan = restart_plan(worker);
        self.start_next(worker, api);
    }

    // ---- postStart

    /// Runs the postStart hook; true if the sync waits for it.
    pub(super) fn begin_post_start(&mut self, worker: &mut Worker, slot: usize, now: SimTime) -> bool {
        let hook = worker.spec_of(slot).lifecycle.at("postStart").clone();
        let command: Vec<String> =
            hook.list_at("exec.command").iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
        if command.is_empty() {
            return false;
        }
        match self.start_beside(worker, slot, &command, Purpose::PostStart, Io::without_input(), now) {
            Ok(process) => {
                worker.stage = Stage::PostStart { slot, process };
                true
            }
            Err(_) => false,
        }
    }

    pub(super) fn post_start_ended(&mut self, worker: &mut Worker, slot: usize, exit_code: i32, api: &mut Api<'_>) {
        let now = api.now();
        if exit_code != 0 {
            self.event(worker, Some(slot), true, "FailedPostStartHook", "PostStartHook failed", api);
            let own = worker.pod().spec.termination_grace_period_seconds.unwrap_or(30);
            let grace = Span::secs(own).max(latency::MINIMUM_GRACE);
            self.stop(worker, slot, "FailedPostStartHook", grace, api);
        }
        self.after(worker, What::Stage, now, Span::ms(1));
    }
}

/// After `RestartAllContainers` everything begins as in a new Pod: the first init container, or all containers.
fn restart_plan(worker: &Worker) -> Vec<usize> {
    let mut plan = Vec::new();
    for (at, slot) in worker.slots.iter().enumerate() {
        plan.push(at);
        if slot.init {
            return plan;
        }
    }
    plan
}
