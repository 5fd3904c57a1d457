//! What breaks from outside, and how it is mended. Names that are not there are passed over.

use crate::cluster::{Cluster, NodeSpec};
use crate::node::PullFault;
use crate::store::{Api, Cause, Happened, Rule, Subject};
use api::core::LAST_HEARTBEAT;
use api::kind::Kind;
use api::meta::Key;
use values::time::{SimTime, Span};

impl Cluster {
    /// A new machine registers itself.
    pub fn add_node(&mut self, spec: &NodeSpec) {
        let mut api = Api::new(&mut self.store, self.now, self.rng, "kubelet");
        api.set_cause(self.acting.rule(Rule::NodeRegistered));
        self.nodes.register(spec, &mut api);
        self.tell();
    }

    /// The machine dies: its containers end, its kubelet is silent.
    pub fn kill_node(&mut self, node: &str) {
        let Some(cause) = self.note_silence(node) else { return };
        let mut api = Api::new(&mut self.store, self.now, self.rng, "kubelet");
        api.set_cause(cause);
        if self.nodes.kill_node(node, &mut api) {
            self.fall_silent(node, cause);
        }
    }

    /// The kubelet stops answering; its containers run on.
    pub fn freeze_node(&mut self, node: &str) {
        let Some(cause) = self.note_silence(node) else { return };
        if self.nodes.freeze(node, self.now) {
            self.fall_silent(node, cause);
        }
    }

    /// The kubelet answers again.
    pub fn thaw_node(&mut self, node: &str) {
        if !self.has_machine(node) {
            return;
        }
        let about = self.node_subject(node);
        // By hand, or because the time of its silence is over.
        let silent = self.silent.remove(node).map(|entry| Cause::by(entry).rule(Rule::Mended));
        let mut api = Api::new(&mut self.store, self.now, self.rng, "kubelet");
        api.set_cause(silent.filter(|silent| silent.by > self.acting.by).unwrap_or(self.acting));
        let cause = Cause::by(api.happened(about, Happened::NodeBack));
        api.set_cause(cause);
        if self.nodes.thaw(node, &mut api) {
            self.annotate_silence(node, None, cause);
        }
        self.tell();
    }

    /// Ends one container at once. False if it does not run.
    pub fn kill_container(&mut self, pod: &str, container: Option<&str>, exit_code: i32, oom: bool) -> bool {
        let key = Key::new(Kind::Pod, "default", pod);
        let mut api = Api::new(&mut self.store, self.now, self.rng, "kubelet");
        api.set_cause(self.acting);
        let killed = self.nodes.kill_container(&key, container, exit_code, oom, &mut api);
        self.tell();
        killed
    }

    /// Evicts a Pod through the API. False if it is not there.
    pub fn evict(&mut self, pod: &str) -> bool {
        let key = Key::new(Kind::Pod, "default", pod);
        self.api("user", |api| api.evict(&key)).is_ok()
    }

    /// Pulls of `image` fail until a moment, or from now on.
    pub fn fail_pull(&mut self, image: &str, until: Option<SimTime>) {
        let fails = Some("failed to pull and unpack image: the registry does not answer".to_owned());
        self.nodes.disturb_pulls(&PullFault {
            image: image.to_owned(),
            until,
            fails,
            slower_by: Span::ZERO,
            cause: self.acting,
        });
    }

    /// Pulls of `image` take `longer`.
    pub fn slow_pull(&mut self, image: &str, longer: Span, until: Option<SimTime>) {
        self.nodes.disturb_pulls(&PullFault {
            image: image.to_owned(),
            until,
            fails: None,
            slower_by: longer,
            cause: self.acting,
        });
    }

    /// A controller, or `default-scheduler`, does nothing until a moment; then it starts anew, as a restarted process does.
    pub fn stop_actor(&mut self, name: &str, until: Option<SimTime>) {
        self.stopped.insert(name.to_owned(), (until, self.acting));
    }

    /// Every controller reacts `delay` later.
    pub fn slow_api(&mut self, delay: Span, until: Option<SimTime>) {
        self.slow = Some((delay, until));
    }

    /// The node's lease is no longer renewed. A lease is no object here: the moment of its last renewal stands on the Node.
    fn fall_silent(&mut self, node: &str, cause: Cause) {
        let heard_at = self.nodes.last_renewal(node, self.now);
        self.annotate_silence(node, heard_at, cause);
        self.tell();
    }

    fn node_subject(&self, node: &str) -> Option<Subject> {
        self.store.find(Kind::Node, "", node).map(|node| Subject::from(&**node))
    }

    /// Whether there is such a machine; its Node may have been deleted.
    fn has_machine(&self, node: &str) -> bool {
        self.nodes.names().any(|name| name == node)
    }

    /// Notes that a node falls silent; none if there is no such machine.
    fn note_silence(&mut self, node: &str) -> Option<Cause> {
        let about = self.has_machine(node).then(|| self.node_subject(node))?;
        let mut api = Api::new(&mut self.store, self.now, self.rng, "kubelet");
        api.set_cause(self.acting);
        let entry = api.happened(about, Happened::NodeSilent);
        self.silent.insert(node.to_owned(), entry);
        Some(Cause::by(entry).rule(Rule::Broken))
    }

    fn annotate_silence(&mut self, node: &str, heard_at: Option<SimTime>, cause: Cause) {
        let key = Key::new(Kind::Node, "", node);
        let mut api = Api::new(&mut self.store, self.now, self.rng, "kubelet");
        api.set_cause(cause);
        // A Node that was deleted has nothing to note.
        let _ = api.update(&key, |node| {
            let mut annotations = node.at("metadata.annotations").clone();
            match heard_at {
                Some(at) => {
                    annotations.map_mut().insert(LAST_HEARTBEAT, at);
                }
                None => {
                    annotations.map_mut().remove(LAST_HEARTBEAT);
                }
            }
            node.set("metadata.annotations", annotations);
        });
    }
}
