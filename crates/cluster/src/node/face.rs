//! What the terminal may ask of the nodes: logs, exec, ports.

use std::rc::Rc;

use crate::net::{Answer, NetError, Request};
use crate::node::Nodes;
use crate::node::logs::LogLine;
use crate::node::worker::{PodId, Purpose};
use crate::store::Api;
use api::meta::Key;
use shell::process::{Chunk, Io, Signal};
use values::time::SimTime;

/// Why there are no logs. The words are the API server's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LogsError {
    /// `container "main" in pod "x" is waiting to start: ContainerCreating`
    WaitingToStart(String),
    /// `previous terminated container "main" in pod "x" not found`
    NoPrevious(String),
    /// No kubelet knows the Pod.
    NoPod,
}

/// A command that runs in a container for someone outside.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExecHandle {
    pod: PodId,
    slot: usize,
    process: u32,
    restart_count: i32,
}

/// How an exec'd command stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ExecState {
    Running,
    Exited(i32),
}

impl Nodes {
    /// When the first of a Pod's containers goes on whose program waits for the clock alone. For the view only.
    pub fn sleeps_until(&self, pod: &Key) -> Option<SimTime> {
        let worker = self.pods.named(pod).and_then(|id| self.pods.get(id))?;
        let runs = worker.slots.iter().filter_map(|slot| slot.run().filter(|run| run.ended.is_none()));
        let mains = runs.flat_map(|run| run.processes.values()).filter(|running| running.purpose == Purpose::Main);
        mains.filter_map(|running| running.sleeps_until).min()
    }

    /// The lines a container has printed, each with its moment, and the number of the first one kept. With `previous`, of the
    /// run before the current one.
    ///
    /// # Errors
    /// Why there are none, as `kubectl logs` shows it.
    pub fn logs(
        &self,
        pod: &Key,
        container: &str,
        previous: bool,
        from: usize,
    ) -> Result<(usize, Vec<LogLine>), LogsError> {
        let worker = self.pods.named(pod).and_then(|id| self.pods.get(id)).ok_or(LogsError::NoPod)?;
        let slot = worker.slot_named(container).ok_or(LogsError::NoPod)?;
        let slot = &worker.slots[slot];
        let name = &pod.name;
        if previous {
            let before = slot.runs.iter().rev().nth(1);
            let text = format!("previous terminated container {container:?} in pod {name:?} not found");
            return before.map(|run| run.log.lines(from)).ok_or(LogsError::NoPrevious(text));
        }
        slot.run().map(|run| run.log.lines(from)).ok_or_else(|| {
            let lists = ["containerStatuses", "initContainerStatuses"];
            let status = worker.object.value().at("status");
            let waiting = lists
                .iter()
                .flat_map(|list| status.list_at(list))
                .find(|c| c.str_at("name") == Some(container))
                .and_then(|c| c.str_at("state.waiting.reason"));
            let reason = match waiting.unwrap_or("ContainerCreating") {
                "ErrImagePull" => "image can't be pulled",
                "ImagePullBackOff" => "trying and failing to pull image",
                other => other,
            };
            let text = format!("container {container:?} in pod {name:?} is waiting to start: {reason}");
            LogsError::WaitingToStart(text)
        })
    }

    /// Starts a command in a running container.
    ///
    /// # Errors
    /// Why it cannot be: what runc says, or that the container does not run.
    pub fn exec(
        &mut self,
        pod: &Key,
        container: &str,
        argv: &[String],
        io: Io,
        now: SimTime,
    ) -> Result<ExecHandle, String> {
        let not_found = || format!("container not found ({container:?})");
        let id = self.pods.named(pod).ok_or_else(not_found)?;
        let Some(mut worker) = self.pods.take(id) else { return Err(not_found()) };
        let started = match worker.slot_named(container).filter(|slot| worker.slots[*slot].is_running()) {
            Some(slot) => {
                self.start_beside(Rc::make_mut(&mut worker), slot, argv, Purpose::Exec, io, now).map(|process| {
                    let restart_count = worker.slots[slot].restart_count;
                    ExecHandle { pod: id, slot, process, restart_count }
                })
            }
            None => Err(not_found()),
        };
        self.pods.put(worker);
        started
    }

    /// What an exec'd command has written since the last call, and whether it has ended. A container that ended takes its
    /// commands with it (137).
    pub fn exec_poll(&mut self, handle: &ExecHandle) -> (Vec<Chunk>, ExecState) {
        let gone = (Vec::new(), ExecState::Exited(137));
        let Some(worker) = self.pods.get_mut(handle.pod) else { return gone };
        let run = worker.slots[handle.slot].runs.iter_mut().find(|run| run.restart_count == handle.restart_count);
        let Some(running) = run.and_then(|run| run.processes.get_mut(&handle.process)) else { return gone };
        let chunks = running.io.output.take();
        (chunks, running.exit_code.map_or(ExecState::Running, ExecState::Exited))
    }

    /// The first process of a running container, to give it input.
    pub fn attach(&self, pod: &Key, container: &str) -> Option<ExecHandle> {
        let id = self.pods.named(pod)?;
        let worker = self.pods.get(id)?;
        let slot = worker.slot_named(container).filter(|slot| worker.slots[*slot].is_running())?;
        Some(ExecHandle { pod: id, slot, process: 0, restart_count: worker.slots[slot].restart_count })
    }

    /// Gives an exec'd command more input, or the end of it.
    pub fn exec_input(&mut self, handle: &ExecHandle, bytes: &[u8], close: bool, now: SimTime) {
        let Some(mut worker) = self.pods.take(handle.pod) else { return };
        let slot = &mut Rc::make_mut(&mut worker).slots[handle.slot];
        let run = slot.runs.iter_mut().find(|run| run.restart_count == handle.restart_count);
        if let Some(running) = run.and_then(|run| run.processes.get_mut(&handle.process)) {
            running.io.stdin.push(bytes);
            if close {
                running.io.stdin.close();
            }
            let what = super::What::Run { slot: handle.slot, process: handle.process };
            self.add(handle.pod, what, now, worker.cause);
        }
        self.pods.put(worker);
    }

    /// Ends an exec'd command (Ctrl-C), and forgets it.
    pub fn exec_end(&mut self, handle: &ExecHandle, api: &mut Api<'_>) {
        let Some(mut worker) = self.pods.take(handle.pod) else { return };
        if worker.slots[handle.slot].run().is_some_and(|run| run.restart_count == handle.restart_count) {
            self.signal(Rc::make_mut(&mut worker), handle.slot, handle.process, Signal::Kill, api);
        }
        for run in &mut Rc::make_mut(&mut worker).slots[handle.slot].runs {
            if run.restart_count == handle.restart_count {
                run.processes.remove(&handle.process);
            }
        }
        self.pods.put(worker);
    }

    /// A request to a port of a Pod, as `kubectl port-forward` brings it there: answered at once.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn request(&mut self, pod: &Key, port: u16, request: &Request, api: &Api<'_>) -> Answer {
        match self.pods.named(pod) {
            Some(id) => self.serve(id, "127.0.0.1", port, request, api),
            None => Err(NetError::Refused { address: "127.0.0.1".into(), port }),
        }
    }
}
