//! What breaks from outside.

use crate::api::kind::Kind;
use crate::api::meta::Key;
use crate::base::time::{SimTime, Span};
use crate::cluster::Cluster;

impl Cluster {
    /// The machine dies: its containers end, its kubelet is silent.
    pub fn kill_node(&mut self, node: &str) {
        let _ = node;
    }

    /// The kubelet stops answering; its containers run on.
    pub fn freeze_node(&mut self, node: &str) {
        let _ = node;
    }

    /// The kubelet answers again.
    pub fn thaw_node(&mut self, node: &str) {
        let _ = node;
    }

    /// Ends one container at once.
    pub fn kill_container(&mut self, pod: &str, container: Option<&str>, exit_code: i32, oom: bool) {
        let _ = (pod, container, exit_code, oom);
    }

    /// Evicts a Pod through the API. A Pod that is not there is left alone.
    pub fn evict(&mut self, pod: &str) {
        let key = Key::new(Kind::Pod, "default", pod);
        let _ = self.api("user", |api| api.evict(&key));
    }

    /// Pulls of `image` fail until a moment, or from now on.
    pub fn fail_pull(&mut self, image: &str, until: Option<SimTime>) {
        let _ = (image, until);
    }

    /// Pulls of `image` take `longer`.
    pub fn slow_pull(&mut self, image: &str, longer: Span, until: Option<SimTime>) {
        let _ = (image, longer, until);
    }

    /// A controller, or `default-scheduler`, does nothing until a moment; then it starts anew, as a restarted process does.
    pub fn stop_actor(&mut self, name: &str, until: Option<SimTime>) {
        self.stopped.insert(name.to_owned(), until);
    }

    /// Every component reacts `delay` later.
    pub fn slow_api(&mut self, delay: Span, until: Option<SimTime>) {
        self.slow = Some((delay, until));
    }
}
