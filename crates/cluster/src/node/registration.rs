//! Nodes as the API knows them: their objects, and the reports of their kubelets.
//!
//! Rule: fields as `kubectl describe node` shows them on the recorded cluster. The lease is not an object here: its renewal is
//! the bare fact that a kubelet is alive ([`Nodes::last_renewal`]). Source: `pkg/kubelet/nodestatus/setters.go`,
//! `pkg/kubelet/kubelet_node_status.go`.

use crate::node::admit::PODS_MAX;
use crate::node::kubelet::Kubelet;
use crate::node::{Nodes, What, latency};
use crate::store::{Api, Cause, Rule};
use api::kind::Kind;
use api::meta::Key;
use values::object;
use values::quantity::Quantity;
use values::time::SimTime;
use values::value::Value;

/// One machine, as a scenario's `cluster` block has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NodeSpec {
    pub name: String,
    /// Quantities, such as `2` and `24Gi`.
    pub cpu: String,
    pub memory: String,
}

impl NodeSpec {
    /// Whether a machine can be like that.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        if self.name.is_empty() {
            return Err("a node needs a name".to_owned());
        }
        for (what, size) in [("cpu", &self.cpu), ("memory", &self.memory)] {
            Quantity::parse(size).map_err(|_| format!("{what}: {size:?} is no quantity such as 2, 500m or 24Gi"))?;
        }
        Ok(())
    }
}

const DISK_BYTES: &str = "267847642337";

impl Nodes {
    /// Adds a machine: its kubelet starts and registers its Node object, ready.
    pub fn register(&mut self, spec: &NodeSpec, api: &mut Api<'_>) {
        let now = api.now();
        let index = self.kubelets.len();
        let kubelet = Kubelet::new(index, &spec.name, &spec.cpu, &spec.memory, &self.images, self.rng);
        let node = self.node_object(&kubelet, now);
        self.kubelets.push(kubelet);
        self.queue.add(
            super::Task { pod: 0, what: What::Heartbeat { node: index } },
            now + latency::NODE_REPORT_PERIOD,
            Cause::default(),
        );
        let status = node.at("status").clone();
        let key = Key::new(Kind::Node, "", &spec.name);
        // An existing object is taken over.
        let _ = api.create(node);
        let _ = api.update_status(&key, status);
    }

    /// A machine as it is.
    pub fn spec(&self, name: &str) -> Option<NodeSpec> {
        let kubelet = &self.kubelets[self.node(name)?];
        Some(NodeSpec { name: kubelet.name.clone(), cpu: kubelet.cpu.clone(), memory: kubelet.memory.clone() })
    }

    /// The machine of that name has this size now, and says so.
    pub fn resize(&mut self, spec: &NodeSpec, api: &mut Api<'_>) {
        let Some(node) = self.node(&spec.name) else { return };
        let kubelet = &mut self.kubelets[node];
        (kubelet.cpu, kubelet.memory) = (spec.cpu.clone(), spec.memory.clone());
        let fresh = self.node_status(&self.kubelets[node], api.now());
        // Somebody may have deleted the Node; then nobody hears of it.
        let _ = api.patch_status(&Key::new(Kind::Node, "", &spec.name), |status| {
            for amounts in ["allocatable", "capacity"] {
                for name in ["cpu", "memory"] {
                    status.put(&format!("{amounts}.{name}"), fresh.at(amounts).at(name).clone());
                }
            }
        });
    }

    fn node_object(&self, kubelet: &Kubelet, now: SimTime) -> Value {
        let name = kubelet.name.as_str();
        let mut labels = Value::map();
        for (key, value) in [
            ("beta.kubernetes.io/arch", "amd64"),
            ("beta.kubernetes.io/os", "linux"),
            ("kubernetes.io/arch", "amd64"),
            ("kubernetes.io/hostname", name),
            ("kubernetes.io/os", "linux"),
        ] {
            labels.map_mut().insert(key, value);
        }
        let mut annotations = Value::map();
        annotations.map_mut().insert("node.alpha.kubernetes.io/ttl", "0");
        annotations.map_mut().insert("volumes.kubernetes.io/controller-managed-attach-detach", "true");
        object! {
            "apiVersion" => "v1", "kind" => "Node",
            "metadata" => object! { "name" => name, "labels" => labels, "annotations" => annotations },
            "spec" => Value::map(),
            "status" => self.node_status(kubelet, now),
        }
    }

    fn node_status(&self, kubelet: &Kubelet, now: SimTime) -> Value {
        let memory = Quantity::parse(&kubelet.memory).map_or(kubelet.memory.clone(), |q| q.to_string());
        let amounts = |disk: &str| {
            let mut map = object! {
                "cpu" => kubelet.cpu.as_str(), "memory" => memory.as_str(), "pods" => PODS_MAX.to_string(),
                "ephemeral-storage" => disk,
            };
            map.map_mut().insert("hugepages-1Gi", "0");
            map.map_mut().insert("hugepages-2Mi", "0");
            map
        };
        let machine = self.rng.stream("machine-id", &kubelet.name).hex(32);
        let boot = self.rng.uuid(format_args!("boot/{}", kubelet.name));
        object! {
            "addresses" => vec![
                object! { "type" => "InternalIP", "address" => kubelet.ip.as_str() },
                object! { "type" => "Hostname", "address" => kubelet.name.as_str() },
            ],
            "allocatable" => amounts(DISK_BYTES), "capacity" => amounts("264212084Ki"),
            "conditions" => conditions(now, now),
            "daemonEndpoints" => object! { "kubeletEndpoint" => object! { "Port" => 10250 } },
            "nodeInfo" => object! {
                "architecture" => "amd64", "bootID" => boot, "containerRuntimeVersion" => "containerd://2.3.7",
                "kernelVersion" => "6.18.44-fc-v657", "kubeProxyVersion" => "", "kubeletVersion" => "v1.36.3",
                "machineID" => machine.as_str(), "operatingSystem" => "linux",
                "osImage" => "Debian GNU/Linux 12 (bookworm)", "systemUUID" => machine.as_str(),
            },
        }
    }

    /// When the node's kubelet last renewed its lease, `now` at the latest: each 10 s while it is alive.
    pub fn last_renewal(&self, node: &str, now: SimTime) -> Option<SimTime> {
        let kubelet = &self.kubelets[self.node(node)?];
        Some(kubelet.renewed_at.unwrap_or(now))
    }

    /// A kubelet reports its node's conditions.
    pub(super) fn heartbeat(&mut self, node: usize, api: &mut Api<'_>) {
        let now = api.now();
        if self.kubelets[node].taken_away {
            return;
        }
        self.add(0, What::Heartbeat { node }, now + latency::NODE_REPORT_PERIOD, Cause::default());
        if !self.kubelets[node].is_frozen() {
            api.because(Rule::NodeHeartbeat);
            self.report(node, api);
        }
    }

    /// Writes the node's conditions as the kubelet sees them.
    pub(super) fn report(&mut self, node: usize, api: &mut Api<'_>) {
        let now = api.now();
        let key = Key::new(Kind::Node, "", &self.kubelets[node].name);
        let Some(current) = api.get(&key) else { return };
        let old = current.value().list_at("status.conditions").to_vec();
        let since = |kind: &str, status: &str| {
            let same = old.iter().find(|c| c.str_at("type") == Some(kind) && c.str_at("status") == Some(status));
            same.map(|c| c.at("lastTransitionTime").clone())
        };
        let mut fresh = conditions(now, now);
        for condition in &mut fresh {
            let kind = condition.str_at("type").unwrap_or_default().to_owned();
            let status = condition.str_at("status").unwrap_or_default().to_owned();
            if let Some(since) = since(&kind, &status) {
                condition.set("lastTransitionTime", since);
            }
        }
        // The Node may be gone; then there is nobody to report for.
        let _ = api.patch_status(&key, |status| status.set("conditions", fresh));
    }
}

fn conditions(heartbeat: SimTime, since: SimTime) -> Vec<Value> {
    [
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    ]
    .into_iter()
    .map(|(kind, status, reason, message)| {
        object! {
            "type" => kind, "status" => status, "lastHeartbeatTime" => heartbeat, "lastTransitionTime" => since,
            "reason" => reason, "message" => message,
        }
    })
    .collect()
}
