//! How the user's machine reaches into containers: logs, exec, ports.

use crate::cluster::Cluster;
use crate::net::{Answer, Request};
use crate::node::{ExecHandle, ExecState, LogLine, LogsError};
use crate::store::Api;
use api::kind::Kind;
use api::meta::Key;
use shell::{Chunk, Io};

impl Cluster {
    /// What a container wrote: the lines from number `from` on that are kept, and the number of the first of them.
    /// `previous` means the run before.
    ///
    /// # Errors
    /// Why there is nothing to show.
    pub fn logs(
        &self,
        pod: &Key,
        container: &str,
        previous: bool,
        from: usize,
    ) -> Result<(usize, Vec<LogLine>), LogsError> {
        self.nodes.logs(pod, container, previous, from)
    }

    /// The logs of a Pod; without a name, of its first container.
    ///
    /// # Errors
    /// Why there are none, in the API server's words.
    pub fn logs_of(
        &self,
        namespace: &str,
        pod: &str,
        container: Option<&str>,
        previous: bool,
    ) -> Result<Vec<LogLine>, String> {
        let key = Key::new(Kind::Pod, namespace, pod);
        let object = self.store.get(&key).ok_or_else(|| format!("pods \"{pod}\" not found"))?;
        let first = || object.pod().spec.containers.first().map(|c| c.name.to_string());
        let container = container.map(str::to_owned).or_else(first).unwrap_or_default();
        match self.nodes.logs(&key, &container, previous, 0) {
            Ok((_, lines)) => Ok(lines),
            Err(LogsError::WaitingToStart(text) | LogsError::NoPrevious(text)) => Err(text),
            Err(LogsError::NoPod) => Err(format!("pod {pod} does not have a host assigned")),
        }
    }

    /// Starts a command in a running container.
    ///
    /// # Errors
    /// Why it cannot be, in the runtime's words.
    pub fn exec(&mut self, pod: &Key, container: &str, argv: &[String], io: Io) -> Result<ExecHandle, String> {
        self.nodes.exec(pod, container, argv, io, self.now)
    }

    /// What an exec'd command wrote since the last call, and whether it has ended.
    pub fn exec_poll(&mut self, handle: &ExecHandle) -> (Vec<Chunk>, ExecState) {
        self.nodes.exec_poll(handle)
    }

    /// The first process of a running container, to give it input.
    pub fn attach(&self, pod: &Key, container: &str) -> Option<ExecHandle> {
        self.nodes.attach(pod, container)
    }

    /// Gives an exec'd command more input, or the end of it.
    pub fn exec_input(&mut self, handle: &ExecHandle, bytes: &[u8], close: bool) {
        self.nodes.exec_input(handle, bytes, close, self.now);
    }

    /// Ends an exec'd command, and forgets it.
    pub fn exec_end(&mut self, handle: &ExecHandle) {
        let mut api = Api::new(&mut self.store, self.now, self.rng, "kubelet");
        api.set_cause(self.acting);
        self.nodes.exec_end(handle, &mut api);
        self.tell();
    }

    /// A request to a port of a Pod, as `kubectl port-forward` brings it there.
    ///
    /// # Errors
    /// Nobody listens there.
    pub fn request(&mut self, pod: &Key, port: u16, request: &Request) -> Answer {
        let answer = self.nodes.request(pod, port, request, &Api::new(&mut self.store, self.now, self.rng, "kubelet"));
        self.tell();
        answer
    }
}
