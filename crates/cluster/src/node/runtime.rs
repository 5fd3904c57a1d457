//! The container runtime and the network: letting processes run, noticing their ends, carrying requests.
//!
//! Rule: a process is polled when its time has come; what it wrote goes to the log with that moment. An ended container is
//! noticed by the kubelet at its next relist, not before.

use std::rc::Rc;

use crate::net::{self, NetError, Request, Response};
use crate::node::start::{host_name, message_path};
use crate::node::worker::{Ended, Kill, PodId, Purpose, Run, Running, Stage, Worker};
use crate::node::{Nodes, What, latency};
use crate::program::files::{FileTree, Files};
use crate::program::image::Image;
use crate::program::{Call, Connections, Machine, Process, Reaction, RequestId, Returned, Start};
use crate::store::rbac::Account;
use crate::store::{Api, Cause, Happened, Rule};
use api::pod::Container;
use shell::process::{Io, Poll, Signal};
use values::sorted::SortedMap;
use values::time::{SimTime, Span};
use values::value::Text;

/// Longest termination message (`MaxContainerTerminationMessageLength`).
const MESSAGE_BYTES: usize = 4096;
/// Of the log, when it stands in for the message: lines and bytes.
const MESSAGE_LOG_LINES: usize = 80;
const MESSAGE_LOG_BYTES: usize = 2048;

/// A request on its way.
#[derive(Clone, Debug)]
pub struct InFlight {
    client: PodId,
    slot: usize,
    /// Identifies the run that asked, so that its successor does not get the answer.
    run: i32,
    id: RequestId,
    request: Request,
    answer: Option<net::Answer>,
}

/// A command line of a container that the layer above carries out.
#[derive(Clone, Debug)]
pub struct PodCall {
    client: PodId,
    slot: usize,
    run: i32,
    id: RequestId,
    /// In whose name.
    pub account: Account,
    pub call: Call,
}

/// Notes how a container ended, and why: by itself, for want of memory, because it was told to, or broken from outside.
fn note_end(
    worker: &mut Worker,
    slot: usize,
    exit_code: i32,
    kill: Option<Kill>,
    (out_of_memory, limit_bytes): (bool, Option<u64>),
    api: &mut Api<'_>,
) {
    let state = &worker.slots[slot];
    let by = state.turn.map_or(worker.placed, Cause::by);
    let cause = match (kill, api.cause().rule) {
        (_, Rule::Broken) => api.cause(),
        (Some(kill), _) if api.now() >= kill.deadline => by.counted(Rule::KubeletKill, [kill.grace.as_ms(), 0]),
        (Some(kill), _) => by.counted(Rule::KubeletTerm, [kill.grace.as_ms(), 0]),
        (None, _) if out_of_memory => {
            by.counted(Rule::KubeletMemory, [limit_bytes.and_then(|bytes| i64::try_from(bytes).ok()).unwrap_or(0), 0])
        }
        (None, _) => by.rule(Rule::KubeletProgram),
    };
    let signal =
        (128..=159).contains(&exit_code).then_some(exit_code - 128).filter(|_| kill.is_some() || out_of_memory);
    let ended = Happened::ProcessEnded { container: state.name.clone(), exit_code, signal, out_of_memory };
    api.set_cause(cause);
    let entry = api.note(worker.subject(), ended);
    worker.slots[slot].turn = Some(entry);
    // A Pod that is told to end goes on ending for that reason.
    if worker.ending.is_none() {
        worker.cause = Cause::by(entry);
    }
}

impl Nodes {
    /// The calls of containers since the last one of this.
    pub fn take_calls(&mut self) -> Vec<PodCall> {
        std::mem::take(&mut self.calls)
    }

    /// Whether a container waits for a call to be carried out.
    pub fn has_calls(&self) -> bool {
        !self.calls.is_empty()
    }

    /// What came of a call reaches the program that made it, if that still runs.
    pub fn return_call(&mut self, call: &PodCall, returned: Returned, api: &mut Api<'_>) {
        let Some(mut worker) = self.pods.take(call.client) else { return };
        let worker_ref = Rc::make_mut(&mut worker);
        let run = worker_ref.slots[call.slot].run_mut().filter(|run| run.restart_count == call.run);
        if let Some(run) = run.filter(|run| run.ended.is_none()) {
            run.net.put_returned(call.id, returned);
            let numbers: Vec<u32> = run.processes.keys().copied().collect();
            for number in numbers {
                self.run_process(worker_ref, call.slot, number, api);
            }
        }
        self.pods.put(worker);
    }

    /// Calls `act` with the machine of a container's newest run. `None` if it never ran.
    pub(super) fn with_machine<R>(
        &mut self,
        worker: &mut Worker,
        slot: usize,
        now: SimTime,
        act: impl FnOnce(&mut Machine<'_>) -> R,
    ) -> Option<R> {
        let host_name = host_name(worker);
        let image: Rc<Image> = worker.slots[slot].image.clone()?;
        let shared = worker.shared_volumes.clone();
        for (name, known_as) in &shared {
            let tree = self.shared_volumes.remove(known_as).unwrap_or_default();
            worker.volumes.insert(name.clone(), tree);
        }
        let run = worker.slots[slot].runs.last_mut()?;
        let mounts = Rc::clone(&run.mounts);
        let result = act(&mut Machine {
            now,
            rng: self.rng,
            key: &run.container_id,
            draws: &mut run.draws,
            host_name: &host_name,
            image: &image,
            files: Files { own: &mut run.files, volumes: &mut worker.volumes, mounts: &mounts, now },
            net: &mut run.net,
            memory_limit_bytes: run.memory_limit_bytes,
            user: run.user,
            main: true,
        });
        for (name, known_as) in shared {
            if let Some(tree) = worker.volumes.remove(&name) {
                self.shared_volumes.insert(known_as, tree);
            }
        }
        Some(result)
    }

    /// Lets a process of a running container go on.
    pub(super) fn run_process(&mut self, worker: &mut Worker, slot: usize, number: u32, api: &mut Api<'_>) {
        let now = api.now();
        let Some(run) = worker.slots[slot].run_mut().filter(|run| run.ended.is_none()) else { return };
        let Some(mut running) = run.processes.remove(&number) else { return };
        if running.exit_code.is_some() {
            run.processes.insert(number, running);
            return;
        }
        let main = running.purpose == Purpose::Main;
        let polled = self.with_machine(worker, slot, now, |machine| {
            machine.main = main;
            running.process.poll(machine, &mut running.io)
        });
        let Some(run) = worker.slots[slot].run_mut() else { return };
        if main {
            run.log.write(running.io.output.take(), now);
        }
        running.sleeps_until = match polled {
            Some(Poll::SleepUntil(at)) => Some(at),
            _ => None,
        };
        run.processes.insert(number, running);
        self.send_requests(worker, slot, now);
        let signals = worker.slots[slot].run_mut().map(|run| run.net.take_signals()).unwrap_or_default();
        for signal in signals {
            self.signal(worker, slot, 0, signal, api);
        }
        match polled {
            Some(Poll::SleepUntil(at)) => {
                let at = at.max(now + Span::ms(1));
                self.add(worker.id, What::Run { slot, process: number }, at, worker.cause);
            }
            Some(Poll::Yield) => self.after(worker, What::Run { slot, process: number }, now, latency::BUSY_STEP),
            Some(Poll::Exit(code)) => self.process_ended(worker, slot, number, code, api),
            Some(Poll::Wait) | None => {}
        }
    }

    fn process_ended(&mut self, worker: &mut Worker, slot: usize, number: u32, exit_code: i32, api: &mut Api<'_>) {
        let Some(running) = worker.slots[slot].run_mut().and_then(|run| run.processes.get_mut(&number)) else { return };
        running.exit_code = Some(exit_code);
        match running.purpose {
            Purpose::Main => self.container_ended(worker, slot, exit_code, None, api),
            Purpose::Exec => {}
            Purpose::Probe(prober) => self.exec_probe_ended(worker, slot, prober, number, api),
            Purpose::PreStop => self.pre_stop_ended(worker, slot, exit_code, api),
            Purpose::PostStart => self.post_start_ended(worker, slot, exit_code, api),
        }
    }

    /// A container has ended; `reason` if it is not the exit code's own.
    pub(super) fn container_ended(
        &mut self,
        worker: &mut Worker,
        slot: usize,
        exit_code: i32,
        reason: Option<&'static str>,
        api: &mut Api<'_>,
    ) {
        let now = api.now();
        let object = Rc::clone(&worker.object);
        let container = worker.slots[slot].spec_in(object.pod());
        let kill = worker.slots[slot].kill;
        let was_signalled = kill.is_some_and(|kill| kill.signalled);
        let message = self
            .with_machine(worker, slot, now, |machine| machine.files.read(message_path(container)).unwrap_or_default())
            .unwrap_or_default();
        let Some(run) = worker.slots[slot].run_mut().filter(|run| run.ended.is_none()) else { return };
        // Nothing else ends a program with 137 by itself where memory is limited.
        let out_of_memory = exit_code == 137 && run.memory_limit_bytes.is_some() && !was_signalled;
        let usual = if exit_code == 0 {
            "Completed"
        } else if out_of_memory {
            "OOMKilled"
        } else {
            "Error"
        };
        run.ended = Some(Ended {
            at: now,
            exit_code,
            reason: Text::Known(reason.unwrap_or(usual)),
            message: termination_message(container, run, message, exit_code).into(),
            never_started: false,
        });
        let limit_bytes = run.memory_limit_bytes;
        for running in run.processes.values_mut() {
            running.exit_code.get_or_insert(137);
        }
        // Only its log and how it ended are still asked for.
        run.processes.remove(&0);
        if run.processes.is_empty() {
            run.processes = SortedMap::new();
        }
        (run.files, run.env, run.mounts) = (FileTree::default(), Rc::default(), Rc::default());
        worker.slots[slot].kill = None;
        note_end(worker, slot, exit_code, kill.filter(|_| was_signalled), (out_of_memory, limit_bytes), api);
        let relist_at = self.kubelets[worker.node].next_relist(now);
        self.add(worker.id, What::Relist, relist_at, worker.cause);
        let noticed = self.draw(latency::SIGNAL, "stop-noticed", worker, now);
        if worker.ending.is_some() {
            self.after(worker, What::End, now, noticed);
        } else if worker.stage == (Stage::Killing { slot }) {
            self.after(worker, What::Stage, now, noticed);
        }
    }

    /// Sends a signal to a process; false if it is not running.
    pub(super) fn signal(
        &mut self,
        worker: &mut Worker,
        slot: usize,
        number: u32,
        signal: Signal,
        api: &mut Api<'_>,
    ) -> bool {
        let now = api.now();
        let Some(run) = worker.slots[slot].run_mut().filter(|run| run.ended.is_none()) else { return false };
        let Some(mut running) = run.processes.remove(&number) else { return false };
        if running.exit_code.is_some() {
            run.processes.insert(number, running);
            return false;
        }
        let Running { process, io, .. } = &mut running;
        let reaction = self.with_machine(worker, slot, now, |machine| process.signal(signal, number == 0, machine, io));
        let Some(run) = worker.slots[slot].run_mut() else { return false };
        if number == 0 {
            run.log.write(running.io.output.take(), now);
        }
        if let Some(Reaction::Dies(code)) = reaction {
            running.exit_code = Some(code);
        }
        run.processes.insert(number, running);
        match reaction.unwrap_or(Reaction::Ignored) {
            Reaction::Ignored => {}
            Reaction::Handled => self.after(worker, What::Run { slot, process: number }, now, Span::ms(1)),
            Reaction::Dies(code) => {
                if number == 0 {
                    self.container_ended(worker, slot, code, None, api);
                }
            }
        }
        true
    }

    /// Starts a process beside the container's first one. The error is what runc says.
    pub(super) fn start_beside(
        &mut self,
        worker: &mut Worker,
        slot: usize,
        argv: &[String],
        purpose: Purpose,
        io: Io,
        now: SimTime,
    ) -> Result<u32, String> {
        let Some(run) = worker.slots[slot].run().filter(|run| run.ended.is_none()) else {
            return Err("container not running".into());
        };
        let (env, cwd) = (Rc::clone(&run.env), run.cwd.clone());
        let occasion = Default::default();
        let start = Start { argv, env: &env, cwd: &cwd, occasion: &occasion, first: false, described: None };
        let started = self.with_machine(worker, slot, now, |machine| Process::start(start, machine));
        let process = started.unwrap_or_else(|| Err("container not running".into()))?;
        let number = worker.next_process;
        worker.next_process += 1;
        if let Some(run) = worker.slots[slot].run_mut() {
            run.processes.insert(number, Running { process, io, purpose, exit_code: None, sleeps_until: None });
        }
        let delay = self.draw(latency::EXEC, "exec", worker, now);
        self.after(worker, What::Run { slot, process: number }, now, delay);
        Ok(number)
    }

    // ---- requests

    fn send_requests(&mut self, worker: &mut Worker, slot: usize, now: SimTime) {
        let Some(run) = worker.slots[slot].run_mut() else { return };
        let (sent, restart_count) = (run.net.take_outbox(), run.restart_count);
        let calls = run.net.take_calls();
        for (id, call) in calls {
            let spec = &worker.pod().spec;
            let name =
                if spec.service_account_name.is_empty() { "default" } else { spec.service_account_name.as_str() };
            let account = Account { namespace: worker.key.namespace.to_string(), name: name.to_owned() };
            self.calls.push(PodCall { client: worker.id, slot, run: restart_count, id, account, call });
        }
        for (id, request) in sent {
            self.next_request += 1;
            let number = self.next_request;
            let in_flight = InFlight { client: worker.id, slot, run: restart_count, id, request, answer: None };
            self.requests.insert(number, in_flight);
            let delay = latency::NETWORK.draw(self.rng, "network", format_args!("{number}"));
            self.add(0, What::Deliver { request: number }, now + delay, worker.cause);
        }
    }

    /// A request arrives at its server.
    pub(super) fn deliver(&mut self, number: u64, api: &mut Api<'_>) {
        let Some(in_flight) = self.requests.get(&number).cloned() else { return };
        let Some(client) = self.pods.get(in_flight.client) else {
            self.requests.remove(&number);
            return;
        };
        let (namespace, cause) = (client.key.namespace.clone(), client.cause);
        let is_local = matches!(in_flight.request.host.as_str(), "localhost" | "127.0.0.1");
        let answer = if is_local {
            let address = in_flight.request.host.clone();
            self.serve(in_flight.client, &address, in_flight.request.port, &in_flight.request, api)
        } else {
            self.send_to(&namespace, &in_flight.request, number, api)
        };
        // Nobody there: the client finds out only when its patience ends.
        let patience = if matches!(answer, Err(NetError::TimedOut { .. })) { Span::secs(30) } else { Span::ZERO };
        let delay = latency::NETWORK.draw(self.rng, "network-back", format_args!("{number}"));
        if let Some(waiting) = self.requests.get_mut(&number) {
            waiting.answer = Some(answer);
            self.add(0, What::Answer { request: number }, api.now() + delay + patience, cause);
        }
    }

    fn send_to(&mut self, namespace: &str, request: &Request, number: u64, api: &Api<'_>) -> net::Answer {
        let mut chance = self.rng.stream("route", &number.to_string());
        let target = net::resolve(api.store(), namespace, &request.host, request.port, self.routing, &mut chance)?;
        let pod = api.store().get(&target.pod).and_then(|pod| self.pods.find(&target.pod, pod.uid()));
        match pod {
            Some(id) => self.serve(id, &target.address, target.port, request, api),
            None => Err(NetError::Refused { address: target.address, port: target.port }),
        }
    }

    /// Lets the container that listens on `port` of a Pod answer.
    pub(super) fn serve(
        &mut self,
        pod: PodId,
        address: &str,
        port: u16,
        request: &Request,
        api: &Api<'_>,
    ) -> net::Answer {
        let refused = || NetError::Refused { address: address.to_owned(), port };
        let Some(mut worker) = self.pods.take(pod) else { return Err(refused()) };
        let answer = if self.kubelets[worker.node].dead {
            Err(NetError::TimedOut { address: address.to_owned(), port })
        } else {
            let closed = || NetError::Closed { address: address.to_owned(), port };
            let answer = self.serve_in(Rc::make_mut(&mut worker), port, request, api.now()).ok_or_else(refused);
            answer.and_then(|response| if response.status == 0 { Err(closed()) } else { Ok(response) })
        };
        self.pods.put(worker);
        answer
    }

    pub(super) fn serve_in(
        &mut self,
        worker: &mut Worker,
        port: u16,
        request: &Request,
        now: SimTime,
    ) -> Option<Response> {
        let listens = |run: &Run| {
            let running = run.processes.iter().find(|(_, r)| r.exit_code.is_none() && r.process.listens(port));
            run.ended.is_none().then_some(running).flatten().map(|(number, _)| *number)
        };
        let (slot, number) =
            worker.slots.iter().enumerate().find_map(|(i, slot)| slot.run().and_then(listens).map(|n| (i, n)))?;
        let mut running = worker.slots[slot].run_mut()?.processes.remove(&number)?;
        let response = self.with_machine(worker, slot, now, |machine| running.process.serve(request, machine));
        worker.slots[slot].run_mut()?.processes.insert(number, running);
        response
    }

    /// An answer arrives at its client.
    pub(super) fn answer(&mut self, number: u64, api: &mut Api<'_>) {
        let Some(in_flight) = self.requests.remove(&number) else { return };
        let (Some(answer), Some(mut worker)) = (in_flight.answer, self.pods.take(in_flight.client)) else { return };
        let worker_ref = Rc::make_mut(&mut worker);
        let run = worker_ref.slots[in_flight.slot].run_mut().filter(|run| run.restart_count == in_flight.run);
        if let Some(run) = run.filter(|run| run.ended.is_none()) {
            run.net.put_answer(in_flight.id, answer);
            let numbers: Vec<u32> = run.processes.keys().copied().collect();
            for number in numbers {
                self.run_process(worker_ref, in_flight.slot, number, api);
            }
        }
        self.pods.put(worker);
    }

    /// The Pod is gone: its address and what waits for it are given back.
    pub(super) fn release(&mut self, worker: &mut Worker) {
        self.count_started(worker);
        worker.slots.iter_mut().flat_map(|slot| &mut slot.runs).for_each(|run| run.net = Connections::default());
    }
}

fn termination_message(container: &Container, run: &Run, file: Vec<u8>, exit_code: i32) -> String {
    let cut = &file[..file.len().min(MESSAGE_BYTES)];
    if cut.is_empty() && exit_code != 0 && container.termination_message_policy == "FallbackToLogsOnError" {
        return run.log.tail(MESSAGE_LOG_LINES, MESSAGE_LOG_BYTES);
    }
    String::from_utf8_lossy(cut).into_owned()
}
