//! Probes: readiness, liveness, startup.
//!
//! Rules: `docs/semantics/kubelet.md` §9, recorded in `probes`. A prober's period counts from when the Pod's volumes
//! were mounted; the other probes wait for the startup probe. Source:
//! `pkg/kubelet/prober/{worker,prober,prober_manager}.go`.

use std::rc::Rc;

use crate::net::Request;
use crate::node::worker::{Purpose, Seen, Unhealthy, Worker};
use crate::node::{Nodes, What};
use crate::store::{Api, Cause, Happened, ProbeKind, Rule};
use api::pod::{Pod, Probe};
use shell::process::{Io, Stream};
use values::time::{SimTime, Span};
use values::value::Value;

/// A probe of one run of a container.
#[derive(Clone, Debug)]
pub struct Prober {
    pub kind: ProbeKind,
    pub probe: Rc<Probe>,
    /// How often the same came out in a row, and what.
    in_a_row: (bool, i64),
    /// The exec'd command under way.
    process: Option<u32>,
    done: bool,
}

fn title(kind: ProbeKind) -> &'static str {
    match kind {
        ProbeKind::Startup => "Startup",
        ProbeKind::Readiness => "Readiness",
        ProbeKind::Liveness => "Liveness",
    }
}

impl Nodes {
    /// A container runs: its probes begin.
    pub(super) fn begin_probing(&mut self, worker: &mut Worker, slot: usize, now: SimTime) {
        let container = worker.spec_of(slot);
        let probes = [
            (ProbeKind::Startup, &container.startup_probe),
            (ProbeKind::Readiness, &container.readiness_probe),
            (ProbeKind::Liveness, &container.liveness_probe),
        ];
        worker.slots[slot].probers = probes
            .into_iter()
            .filter_map(|(kind, probe)| {
                Some(Prober { kind, probe: probe.clone()?, in_a_row: (false, 0), process: None, done: false })
            })
            .collect();
        for prober in 0..worker.slots[slot].probers.len() {
            self.next_probe(worker, slot, prober, now);
        }
    }

    fn next_probe(&mut self, worker: &mut Worker, slot: usize, prober: usize, now: SimTime) {
        let period_ms = worker.slots[slot].probers[prober].probe.period_seconds.max(1) * 1000;
        let beats = now.since(worker.probes_from).as_ms() / period_ms + 1;
        let at = worker.probes_from + Span::ms(beats * period_ms);
        self.add(worker.id, What::Probe { slot, prober }, at, worker.cause);
    }

    /// A probe's time has come.
    pub(super) fn probe(&mut self, worker: &mut Worker, slot: usize, prober: usize, api: &mut Api<'_>) {
        let now = api.now();
        let state = &worker.slots[slot];
        let Some(Prober { kind, probe, process, done, .. }) = state.probers.get(prober).cloned() else { return };
        let Some(run) = state.run().filter(|run| run.ended.is_none()) else { return };
        if done || worker.ending.is_some() {
            return;
        }
        let too_early = now.secs() - run.started_at.secs() < probe.initial_delay_seconds;
        let waits = kind != ProbeKind::Startup && !run.started;
        let unseen = run.seen == Seen::Nothing;
        let (ready, seen) = (run.ready, run.seen);
        let _ = (ready, seen);
        self.next_probe(worker, slot, prober, now);
        if too_early || waits || unseen || process.is_some() || worker.slots[slot].kill.is_some() {
            return;
        }
        if let Some(exec) = &probe.exec {
            let timeout = Span::secs(probe.timeout_seconds.max(1));
            match self.start_beside(worker, slot, &exec.command, Purpose::Probe(prober), Io::without_input(), now) {
                Ok(process) => {
                    worker.slots[slot].probers[prober].process = Some(process);
                    self.after(worker, What::ProbeTimeout { slot, prober, process }, now, timeout);
                }
                Err(why) => {
                    self.probed(worker, slot, prober, false, &format!("rpc error: code = Unknown desc = {why}"), api)
                }
            }
            return;
        }
        let (holds, text) = self.ask_port(worker, slot, &probe, now);
        self.probed(worker, slot, prober, holds, &text, api);
    }

    /// An HTTP or TCP probe.
    fn ask_port(&mut self, worker: &mut Worker, slot: usize, probe: &Probe, now: SimTime) -> (bool, String) {
        let pod = Rc::clone(worker.pod());
        let name = worker.slots[slot].name.clone();
        if let Some(get) = &probe.http_get {
            let port = port_number(&pod, &name, &get.port);
            let host = if get.host.is_empty() { worker.ip.to_string() } else { get.host.to_string() };
            let scheme = if get.scheme.is_empty() { "http".to_owned() } else { get.scheme.to_ascii_lowercase() };
            let path = if get.path.starts_with('/') { get.path.to_string() } else { format!("/{}", get.path) };
            let request =
                Request { method: "GET".into(), host: host.clone(), port, path: path.clone(), ..Request::default() };
            return match self.serve_in(worker, port, &request, now) {
                Some(response) if response.status == 0 => {
                    (false, format!("Get \"{scheme}://{host}:{port}{path}\": EOF"))
                }
                Some(response) if (200..400).contains(&response.status) => (true, String::new()),
                Some(response) => (false, format!("HTTP probe failed with statuscode: {}", response.status)),
                None => {
                    let refused = format!("dial tcp {host}:{port}: connect: connection refused");
                    (false, format!("Get \"{scheme}://{host}:{port}{path}\": {refused}"))
                }
            };
        }
        let Some(socket) = &probe.tcp_socket else { return (true, String::new()) };
        let port = port_number(&pod, &name, &socket.port);
        let host = if socket.host.is_empty() { worker.ip.to_string() } else { socket.host.to_string() };
        let listens = worker
            .slots
            .iter()
            .filter_map(|slot| slot.run())
            .any(|run| run.ended.is_none() && run.processes.values().any(|r| r.process.listens(port)));
        (listens, format!("dial tcp {host}:{port}: connect: connection refused"))
    }

    pub(super) fn exec_probe_ended(
        &mut self,
        worker: &mut Worker,
        slot: usize,
        prober: usize,
        number: u32,
        api: &mut Api<'_>,
    ) {
        let running = worker.slots[slot].run_mut().and_then(|run| run.processes.remove(&number));
        let Some(state) = worker.slots[slot].probers.get_mut(prober) else { return };
        if state.process.take() != Some(number) {
            return;
        }
        let Some(running) = running else { return };
        let output = &running.io.output;
        let text = format!("{}{}", output.text(Stream::Stdout), output.text(Stream::Stderr));
        self.probed(worker, slot, prober, running.exit_code == Some(0), &text, api);
    }

    /// The exec'd command has taken too long.
    pub(super) fn probe_timeout(
        &mut self,
        worker: &mut Worker,
        slot: usize,
        prober: usize,
        number: u32,
        api: &mut Api<'_>,
    ) {
        let Some(state) = worker.slots[slot].probers.get_mut(prober) else { return };
        if state.process != Some(number) {
            return;
        }
        state.process = None;
        let seconds = state.probe.timeout_seconds.max(1);
        let command = state.probe.exec.as_ref().map(|exec| exec.command.join(" ")).unwrap_or_default();
        if let Some(run) = worker.slots[slot].run_mut() {
            run.processes.remove(&number);
        }
        let text = format!("command timed out: {command:?} timed out after {seconds}s");
        self.probed(worker, slot, prober, false, &text, api);
    }

    /// A probe has its answer.
    fn probed(&mut self, worker: &mut Worker, slot: usize, prober: usize, holds: bool, text: &str, api: &mut Api<'_>) {
        let now = api.now();
        let state = &mut worker.slots[slot].probers[prober];
        let (kind, probe) = (state.kind, state.probe.clone());
        let count = if state.in_a_row.0 == holds { state.in_a_row.1 + 1 } else { 1 };
        state.in_a_row = (holds, count);
        let threshold = if holds { probe.success_threshold } else { probe.failure_threshold }.max(1);
        let counts = count >= threshold;
        let turns = counts
            && match (kind, worker.slots[slot].run()) {
                (ProbeKind::Readiness, Some(run)) => run.ready != holds,
                (ProbeKind::Startup, _) => true,
                _ => !holds,
            };
        if !holds || turns {
            let by = worker.slots[slot].turn.map_or(worker.placed, Cause::by);
            api.set_cause(by.counted(Rule::KubeletProbe, [count, threshold]));
            let verdict = Happened::Probe {
                container: worker.slots[slot].name.clone(),
                kind,
                passed: holds,
                failures: if holds { 0 } else { i32::try_from(count).unwrap_or(i32::MAX) },
                threshold: i32::try_from(threshold).unwrap_or(i32::MAX),
                counts,
            };
            let entry = api.note(worker.subject(), verdict);
            if turns {
                worker.turned(slot, entry);
            }
        }
        if !holds {
            let message = format!("{} probe failed: {text}", title(kind));
            self.event(worker, Some(slot), true, "Unhealthy", &message, api);
        }
        if !counts {
            return;
        }
        let Some(run) = worker.slots[slot].run_mut() else { return };
        match (kind, holds) {
            (ProbeKind::Readiness, _) => {
                if run.ready == holds {
                    return;
                }
                run.ready = holds;
            }
            (ProbeKind::Startup, true) => {
                run.started = true;
                worker.slots[slot].probers[prober].done = true;
                self.probe_readiness_now(worker, slot, now);
            }
            (ProbeKind::Liveness, true) => return,
            (ProbeKind::Startup | ProbeKind::Liveness, false) => {
                let grace_seconds = probe.termination_grace_period_seconds;
                let name = if kind == ProbeKind::Startup { "startup" } else { "liveness" };
                worker.slots[slot].unhealthy = Some(Unhealthy { probe: name, grace_seconds });
                worker.slots[slot].probers[prober].in_a_row = (true, 0);
            }
        }
        self.after(worker, What::Sync, now, Span::ms(3));
    }

    /// Once a container has started, its readiness is looked at without waiting for the period.
    fn probe_readiness_now(&mut self, worker: &mut Worker, slot: usize, now: SimTime) {
        let readiness = worker.slots[slot].probers.iter().position(|p| p.kind == ProbeKind::Readiness);
        if let Some(prober) = readiness {
            self.after(worker, What::Probe { slot, prober }, now, Span::ms(12));
        }
    }
}

/// A probe's port: a number, or the name of one of the container's ports.
fn port_number(pod: &Pod, container: &str, port: &Value) -> u16 {
    let number = match port {
        Value::Int(number) => Some(*number),
        Value::Str(name) => {
            let containers = pod.spec.init_containers.iter().chain(&pod.spec.containers);
            let own = containers.into_iter().find(|c| c.name == container);
            let named = own.and_then(|c| c.ports.iter().find(|p| *p.name == **name));
            named.map(|p| i64::from(p.container_port)).or_else(|| name.parse().ok())
        }
        _ => None,
    };
    number.and_then(|number| u16::try_from(number).ok()).unwrap_or(0)
}
