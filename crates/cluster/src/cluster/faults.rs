//! What breaks from outside, how it is mended, and machines that come, grow and go.
//!
//! Rule: a name that is not there is told, never passed over: a lesson with a slip in it must not look like one that works.

use crate::cluster::{Cluster, NodeSpec, check_controller};
use crate::node::PullFault;
use crate::program::reference::Reference;
use crate::store::{Api, Cause, DeleteOptions, Happened, Rule, Subject};
use api::core::LAST_HEARTBEAT;
use api::kind::Kind;
use api::meta::Key;
use values::time::{SimTime, Span};

impl Cluster {
    /// A new machine registers itself.
    ///
    /// # Errors
    /// A machine has that name already, or its size is no quantity.
    pub fn add_node(&mut self, spec: &NodeSpec) -> Result<(), String> {
        if self.nodes.names().any(|name| name == spec.name) {
            return Err(format!("there is a node {} already", spec.name));
        }
        spec.check()?;
        let mut api = Api::new(&mut self.store, self.now, self.rng, "kubelet");
        api.set_cause(self.acting.rule(Rule::NodeRegistered));
        self.nodes.register(spec, &mut api);
        self.tell();
        Ok(())
    }

    /// A machine has another size from now on: its kubelet reports it, and the scheduler places Pods by it. Pods that run
    /// there stay, also if they no longer fit.
    ///
    /// # Errors
    /// There is no such machine, or a size is no quantity.
    pub fn resize_node(&mut self, name: &str, cpu: Option<&str>, memory: Option<&str>) -> Result<(), String> {
        let mut spec = self.nodes.spec(name).ok_or_else(|| no_machine(name))?;
        spec.cpu = cpu.map_or(spec.cpu, str::to_owned);
        spec.memory = memory.map_or(spec.memory, str::to_owned);
        spec.check()?;
        let mut api = Api::new(&mut self.store, self.now, self.rng, "kubelet");
        api.set_cause(self.acting);
        self.nodes.resize(&spec, &mut api);
        self.tell();
        Ok(())
    }

    /// A machine is taken away for good, and its Node with it, as a cloud does it with a machine that was given back.
    ///
    /// # Errors
    /// There is no such machine.
    pub fn remove_node(&mut self, name: &str) -> Result<(), String> {
        let cause = self.note_silence(name).ok_or_else(|| no_machine(name))?;
        let mut api = Api::new(&mut self.store, self.now, self.rng, "kubelet");
        api.set_cause(cause);
        self.nodes.kill_node(name, &mut api);
        self.tell();
        self.silent.remove(name);
        self.nodes.take_away(name);
        let key = Key::new(Kind::Node, "", name);
        // Somebody may have deleted the Node before.
        let _ = self.api("cloud-node-lifecycle-controller", |api| api.delete(&key, &DeleteOptions::default()));
        Ok(())
    }

    /// The machine dies: its containers end, its kubelet is silent.
    ///
    /// # Errors
    /// There is no such machine.
    pub fn kill_node(&mut self, node: &str) -> Result<(), String> {
        let cause = self.note_silence(node).ok_or_else(|| no_machine(node))?;
        let mut api = Api::new(&mut self.store, self.now, self.rng, "kubelet");
        api.set_cause(cause);
        self.nodes.kill_node(node, &mut api);
        self.fall_silent(node, cause);
        Ok(())
    }

    /// The kubelet stops answering; its containers run on.
    ///
    /// # Errors
    /// There is no such machine.
    pub fn freeze_node(&mut self, node: &str) -> Result<(), String> {
        let cause = self.note_silence(node).ok_or_else(|| no_machine(node))?;
        self.nodes.freeze(node, self.now);
        self.fall_silent(node, cause);
        Ok(())
    }

    /// The kubelet answers again.
    ///
    /// # Errors
    /// There is no such machine.
    pub fn thaw_node(&mut self, node: &str) -> Result<(), String> {
        if !self.has_machine(node) {
            return Err(no_machine(node));
        }
        let about = self.node_subject(node);
        // By hand, or because the time of its silence is over.
        let silent = self.silent.remove(node).map(|entry| Cause::by(entry).rule(Rule::Mended));
        let mut api = Api::new(&mut self.store, self.now, self.rng, "kubelet");
        api.set_cause(silent.filter(|silent| silent.by > self.acting.by).unwrap_or(self.acting));
        let cause = Cause::by(api.happened(about, Happened::NodeBack));
        api.set_cause(cause);
        self.nodes.thaw(node, &mut api);
        self.annotate_silence(node, None, cause);
        self.tell();
        Ok(())
    }

    /// Ends one container at once; without a name, the first that runs.
    ///
    /// # Errors
    /// There is no such Pod or container, or it does not run.
    pub fn kill_container(
        &mut self,
        namespace: &str,
        pod: &str,
        container: Option<&str>,
        exit_code: i32,
        oom: bool,
    ) -> Result<(), String> {
        let key = Key::new(Kind::Pod, namespace, pod);
        let object =
            self.store.get(&key).ok_or_else(|| format!("pods \"{pod}\" not found in namespace {namespace}"))?;
        let spec = &object.pod().spec;
        if let Some(name) = container
            && !spec.init_containers.iter().chain(&spec.containers).any(|known| known.name == name)
        {
            return Err(format!("container {name} is not valid for pod {pod}"));
        }
        let mut api = Api::new(&mut self.store, self.now, self.rng, "kubelet");
        api.set_cause(self.acting);
        let killed = self.nodes.kill_container(&key, container, exit_code, oom, &mut api);
        self.tell();
        if killed {
            return Ok(());
        }
        Err(match container {
            Some(name) => format!("container {name} of pod {pod} does not run"),
            None => format!("no container of pod {pod} runs"),
        })
    }

    /// Evicts a Pod through the API.
    ///
    /// # Errors
    /// What the API server answers.
    pub fn evict(&mut self, namespace: &str, pod: &str) -> Result<(), String> {
        let key = Key::new(Kind::Pod, namespace, pod);
        self.api("user", |api| api.evict(&key)).map_err(|error| error.message)
    }

    /// Pulls of `image` fail until a moment, or from now on.
    ///
    /// # Errors
    /// That cannot be the name of an image.
    pub fn fail_pull(&mut self, image: &str, until: Option<SimTime>) -> Result<(), String> {
        let fails = Some("failed to pull and unpack image: the registry does not answer".to_owned());
        self.disturb_pulls(PullFault {
            image: image.to_owned(),
            until,
            fails,
            slower_by: Span::ZERO,
            cause: self.acting,
        })
    }

    /// Pulls of `image` take `longer`.
    ///
    /// # Errors
    /// That cannot be the name of an image.
    pub fn slow_pull(&mut self, image: &str, longer: Span, until: Option<SimTime>) -> Result<(), String> {
        self.disturb_pulls(PullFault {
            image: image.to_owned(),
            until,
            fails: None,
            slower_by: longer,
            cause: self.acting,
        })
    }

    fn disturb_pulls(&mut self, fault: PullFault) -> Result<(), String> {
        let image = &fault.image;
        Reference::parse(image).map_err(|_| format!("{image:?} cannot be the name of an image"))?;
        self.nodes.disturb_pulls(&fault);
        Ok(())
    }

    /// What an image is from now on, as an entry of `static/images.yaml` says it. Containers that run already go on.
    ///
    /// # Errors
    /// What is wrong with the entry.
    pub fn set_image(&mut self, entry: &str) -> Result<(), String> {
        self.nodes.set_image(entry)
    }

    /// A controller, or `default-scheduler`, does nothing until a moment; then it starts anew, as a restarted process does.
    ///
    /// # Errors
    /// There is none of that name; the text says which there are.
    pub fn stop_actor(&mut self, name: &str, until: Option<SimTime>) -> Result<(), String> {
        check_controller(name)?;
        self.stopped.insert(name.to_owned(), (until, self.acting));
        Ok(())
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

fn no_machine(name: &str) -> String {
    format!("there is no node {name}")
}
