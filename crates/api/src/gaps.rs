//! What the API accepts and the simulation does not act on, each with its reason.
//!
//! Rule (design §1): what is not simulated is listed, never guessed in silence. `lint`, the page and `docs/fidelity.md` read
//! this table. A row goes when the behaviour comes.

use crate::kind::Kind;
use values::value::Value;

/// One field, or one kind of behaviour.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gap {
    /// Where the field stands.
    pub within: Within,
    /// The field below that place, dotted; empty for behaviour that is no field.
    pub field: &'static str,
    /// What is missing, in one sentence.
    pub says: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// The place of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Within {
    /// The spec of a Pod or of a Pod template.
    PodSpec,
    /// Each container, init containers as well.
    Container,
    /// Each volume of a Pod.
    Volume,
    /// The spec of a kind.
    Spec(Kind),
    /// Nothing one writes: the cluster itself.
    Cluster,
}

const MACHINE: &str = "there is no real machine underneath";
const NETWORK: &str = "the network carries HTTP between Pods and nothing else";

/// The table.
pub const GAPS: &[Gap] = &[
    pod("dnsConfig", "Resolver options are kept, names resolve as usual.", NETWORK),
    pod("hostAliases", "Host aliases are kept, names resolve through Services only.", NETWORK),
    pod("hostIPC", "Sharing the host's memory has no effect.", MACHINE),
    pod("hostPID", "Sharing the host's processes has no effect.", MACHINE),
    pod("hostUsers", "User namespaces have no effect.", MACHINE),
    pod("shareProcessNamespace", "Containers do not see each other's processes.", MACHINE),
    pod("runtimeClassName", "Every Pod runs in the same simulated runtime.", MACHINE),
    pod("imagePullSecrets", "Registries ask for no credentials.", "images are models, not downloads"),
    pod("resourceClaims", "Devices are not allocated.", MACHINE),
    pod("ephemeralContainers", "Debug containers are not started.", "no lesson needs them yet"),
    pod("setHostnameAsFQDN", "The host name stays the short one.", NETWORK),
    pod("os", "Every node runs Linux.", MACHINE),
    container("securityContext", "Programs run without users or capabilities.", MACHINE),
    container("volumeDevices", "Block devices are not attached.", MACHINE),
    container("resizePolicy", "Containers are not resized in place.", "no lesson needs it yet"),
    container("lifecycle.stopSignal", "Containers are stopped with SIGTERM.", "its feature gate is off in 1.36"),
    volume("nfs", "The share is mounted empty.", MACHINE),
    volume("hostPath", "The host's folder is mounted empty.", MACHINE),
    volume("csi", "The volume is mounted empty.", MACHINE),
    volume("iscsi", "The volume is mounted empty.", MACHINE),
    volume("image", "The image is mounted empty.", "images are models, not files"),
    service("sessionAffinity", "Every connection chooses its endpoint anew.", NETWORK),
    service("externalIPs", "Addresses from outside lead nowhere.", NETWORK),
    service("loadBalancerIP", "No load balancer is provided: EXTERNAL-IP stays <pending>.", NETWORK),
    cluster(
        "What an image that Batchyard does not know starts is not run: it takes a moment, says so in its log and is taken \
         to succeed; behind a Deployment it is taken to serve. The annotation batchyard.dev/behaviour says otherwise.",
        "images are models, not programs",
    ),
    cluster(
        "Interpreters (python, node …) run what only prints, sleeps and ends; any other program of theirs is taken to \
         succeed.",
        "images are models, not programs",
    ),
    cluster(
        "Databases listen, are found and keep nothing; clients of clouds and registries are taken to succeed.",
        "images are models, not programs",
    ),
    cluster(
        "Autoscalers, Ingresses, NetworkPolicies, webhooks, definitions of kinds, classes of runtimes and devices are kept, \
         listed and printed; nothing acts on them.",
        "Batchyard is about Jobs",
    ),
    cluster(
        "Access rules hold for ServiceAccounts whose Pods run kubectl; whoever sits at the terminal may do everything.",
        "there is one user",
    ),
    cluster("Every StorageClass provisions, whatever its provisioner, but for kubernetes.io/no-provisioner.", MACHINE),
    cluster("CPU limits do not slow programs down.", MACHINE),
];

const fn pod(field: &'static str, says: &'static str, reason: &'static str) -> Gap {
    Gap { within: Within::PodSpec, field, says, reason }
}

const fn container(field: &'static str, says: &'static str, reason: &'static str) -> Gap {
    Gap { within: Within::Container, field, says, reason }
}

const fn volume(field: &'static str, says: &'static str, reason: &'static str) -> Gap {
    Gap { within: Within::Volume, field, says, reason }
}

const fn service(field: &'static str, says: &'static str, reason: &'static str) -> Gap {
    Gap { within: Within::Spec(Kind::Service), field, says, reason }
}

const fn cluster(says: &'static str, reason: &'static str) -> Gap {
    Gap { within: Within::Cluster, field: "", says, reason }
}

/// The gaps that an object touches, each with the path of the field. Defaults (`None`, empty values) touch nothing.
pub fn touched(kind: Kind, object: &Value) -> Vec<(String, &'static Gap)> {
    let mut found = Vec::new();
    let mut look = |base: String, within: Within| {
        for gap in GAPS.iter().filter(|gap| gap.within == within && !gap.field.is_empty()) {
            let path = format!("{base}.{}", gap.field);
            let value = object.at_keys(path.split(['.', '[']).map(|part| part.trim_end_matches(']')));
            if !value.is_empty() && value.as_str() != Some("None") {
                found.push((path, gap));
            }
        }
    };
    look("spec".to_owned(), Within::Spec(kind));
    if let Some(spec) = pod_spec_path(kind) {
        look(spec.to_owned(), Within::PodSpec);
        for (list, within) in
            [("containers", Within::Container), ("initContainers", Within::Container), ("volumes", Within::Volume)]
        {
            for i in 0..object.list_at(&format!("{spec}.{list}")).len() {
                look(format!("{spec}.{list}[{i}]"), within);
            }
        }
    }
    found
}

/// Where a kind keeps its Pod spec.
pub fn pod_spec_path(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Pod => Some("spec"),
        Kind::Job | Kind::ReplicaSet | Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet => {
            Some("spec.template.spec")
        }
        Kind::CronJob => Some("spec.jobTemplate.spec.template.spec"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_found_where_they_are() {
        let job = r#"{"spec":{"template":{"spec":{"hostPID":true,"dnsPolicy":"ClusterFirst","containers":[{"name":"a"},
            {"name":"b","securityContext":{"runAsUser":5}}],"volumes":[{"name":"v","hostPath":{"path":"/x"}}]}}}}"#;
        let paths: Vec<String> =
            touched(Kind::Job, &Value::from_json(job).unwrap()).into_iter().map(|(path, _)| path).collect();
        assert_eq!(
            paths,
            [
                "spec.template.spec.hostPID",
                "spec.template.spec.containers[1].securityContext",
                "spec.template.spec.volumes[0].hostPath"
            ]
        );
        assert!(touched(Kind::Job, &Value::map()).is_empty());
    }

    #[test]
    fn every_gap_says_what_and_why() {
        for gap in GAPS {
            assert!(gap.says.ends_with('.') && !gap.reason.is_empty(), "{gap:?}");
        }
    }
}
