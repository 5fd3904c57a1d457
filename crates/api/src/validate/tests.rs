//! Manifests and what is said of them, kind by kind. Expected texts are upstream's.

use super::*;
use crate::decode::{FieldValidation, decode};
use crate::defaults;
use yaml;

fn zones() -> ZoneTable {
    ZoneTable::bundled()
}

/// The object as it stands before validation.
fn object(manifest: &str) -> (Kind, Value) {
    let parsed = yaml::parse(manifest, "test");
    let decoded = decode(&parsed.documents[0].value(), FieldValidation::Strict).unwrap_or_else(|e| panic!("{e}"));
    let kind = Kind::named(&decoded.kind).unwrap();
    let mut value = decoded.object;
    if kind.info().namespaced {
        value.set("metadata.namespace", "default");
    }
    value.set("metadata.uid", "9b1d0e50-6a4c-4c39-8d4c-6f5f8b1f2a3b");
    value.set("metadata.resourceVersion", "1");
    defaults::create(kind.name(), &mut value);
    if kind == Kind::Service {
        defaults::allocate_addresses(&mut value, "10.96.7.8");
    }
    (kind, value)
}

fn texts(causes: &[FieldCause]) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for cause in causes {
        if !texts.contains(&cause.to_string()) {
            texts.push(cause.to_string());
        }
    }
    texts
}

fn created(manifest: &str) -> Vec<String> {
    let (kind, value) = object(manifest);
    texts(&create(kind, &value, &zones()))
}

fn updated(old: &str, new: &str) -> Vec<String> {
    let (kind, old) = object(old);
    let (_, mut new) = object(new);
    for field in ["metadata.generation", "status"] {
        new.set(field, old.at(field).clone());
    }
    texts(&update(kind, &new, &old, &zones()))
}

/// A Pod with these lines of a spec.
fn pod(spec: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n{}", indented(spec))
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

/// A Pod of one container with these lines in it.
fn container(fields: &str) -> String {
    pod(&format!("containers:\n- name: main\n  image: busybox\n{}", indented(fields)))
}

const GOOD: &str = "containers:\n- {name: main, image: 'busybox:1'}\n";

#[test]
fn containers() {
    for (fields, expected) in [
        ("ports: [{containerPort: 0}]", &["spec.containers[0].ports[0].containerPort: Required value"][..]),
        (
            "ports: [{containerPort: 80, name: HTTP, protocol: ICMP}]",
            &[
                "spec.containers[0].ports[0].name: Invalid value: \"HTTP\": must contain only alpha-numeric characters \
                 (a-z, 0-9), and hyphens (-)",
                "spec.containers[0].ports[0].name: Invalid value: \"HTTP\": must contain at least one letter (a-z)",
                "spec.containers[0].ports[0].protocol: Unsupported value: \"ICMP\": supported values: \"SCTP\", \"TCP\", \
                 \"UDP\"",
            ],
        ),
        (
            "ports: [{containerPort: 80, hostPort: 8080}, {containerPort: 81, hostPort: 8080}]",
            &["spec.containers[0].ports[1].hostPort: Duplicate value: \"TCP//8080\""],
        ),
        ("env: [{value: x}]", &["spec.containers[0].env[0].name: Required value"]),
        (
            "env: [{name: A, valueFrom: {}}]",
            &["spec.containers[0].env[0].valueFrom: Invalid value: \"\": must specify one of: `fieldRef`, \
                 `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"],
        ),
        (
            "env: [{name: A, valueFrom: {fieldRef: {fieldPath: status.phase}}}]",
            &[
                "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Unsupported value: \"status.phase\": supported \
                 values: \"metadata.name\", \"metadata.namespace\", \"metadata.uid\", \"spec.nodeName\", \
                 \"spec.serviceAccountName\", \"status.hostIP\", \"status.hostIPs\", \"status.podIP\", \"status.podIPs\"",
            ],
        ),
        (
            "env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.foo}}}]",
            &[
                "spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"metadata.foo\": error converting \
                 fieldPath: field label not supported: metadata.foo",
            ],
        ),
        ("env: [{name: A, valueFrom: {fieldRef: {fieldPath: \"metadata.labels['app']\"}}}]", &[]),
        (
            "env: [{name: A, valueFrom: {configMapKeyRef: {name: c, key: a b}}}]",
            &[
                "spec.containers[0].env[0].valueFrom.configMapKeyRef.key: Invalid value: \"a b\": a valid config key must \
                 consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex \
                 used for validation is '[-._a-zA-Z0-9]+')",
            ],
        ),
        (
            "envFrom: [{}]",
            &["spec.containers[0].envFrom: Invalid value: \"\": must specify one of: `configMapRef` or `secretRef`"],
        ),
        (
            "livenessProbe: {successThreshold: 2, exec: {command: [a]}}",
            &["spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"],
        ),
        ("readinessProbe: {}", &["spec.containers[0].readinessProbe: Required value: must specify a handler type"]),
        (
            "startupProbe: {httpGet: {port: 70000}, tcpSocket: {port: x}}",
            &[
                "spec.containers[0].startupProbe.httpGet.port: Invalid value: 70000: must be between 1 and 65535, inclusive",
                "spec.containers[0].startupProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
            ],
        ),
        (
            "lifecycle: {preStop: {sleep: {seconds: 60}}}",
            &["spec.containers[0].lifecycle.preStop.sleep: Invalid value: 60: must be non-negative and less than \
                 terminationGracePeriodSeconds (30)"],
        ),
        (
            "restartPolicyRules: [{action: Restart, exitCodes: {operator: In, values: [42]}}]",
            &[
                "spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used",
            ],
        ),
        (
            "resources: {limits: {nvidia.com/gpu: 500m}}",
            &[
                "spec.containers[0].resources.limits[nvidia.com/gpu]: Invalid value: \"500m\": must be an integer",
                "spec.containers[0].resources.requests[nvidia.com/gpu]: Invalid value: \"500m\": must be an integer",
            ],
        ),
        (
            "resources: {requests: {nvidia.com/gpu: 1}}",
            &[
                "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources",
            ],
        ),
        (
            "securityContext: {privileged: true, allowPrivilegeEscalation: false}",
            &["spec.containers[0].securityContext: Invalid value: {\"Capabilities\":null,\"Privileged\":true,\
                 \"SELinuxOptions\":null,\"WindowsOptions\":null,\"RunAsUser\":null,\"RunAsGroup\":null,\
                 \"RunAsNonRoot\":null,\"ReadOnlyRootFilesystem\":null,\"AllowPrivilegeEscalation\":false,\
                 \"ProcMount\":null,\"SeccompProfile\":null,\"AppArmorProfile\":null}: cannot set \
                 `allowPrivilegeEscalation` to false and `privileged` to true"],
        ),
    ] {
        assert_eq!(created(&container(fields)), expected, "{fields}");
    }
}

#[test]
fn parts_of_a_pod() {
    for (fields, expected) in [
        ("", &[][..]),
        ("volumes: [{name: v, configMap: {}}]", &["spec.volumes[0].configMap.name: Required value"]),
        (
            "volumes: [{name: v, hostPath: {path: /a/../b, type: Folder}}]",
            &[
                "spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'",
                "spec.volumes[0].hostPath.type: Unsupported value: \"Folder\": supported values: \"\", \"BlockDevice\", \
                 \"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", \"Socket\"",
            ],
        ),
        (
            "volumes: [{name: v, secret: {secretName: s, defaultMode: 1000}}]",
            &[
                "spec.volumes[0].secret.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both \
                 inclusive",
            ],
        ),
        (
            "tolerations: [{operator: Equal, value: x}]",
            &[
                "spec.tolerations[0].operator: Invalid value: \"Equal\": operator must be Exists when `key` is empty, which \
                 means \"match all values and all keys\"",
            ],
        ),
        (
            "tolerations: [{key: a, operator: Exists, value: x}]",
            &["spec.tolerations[0].operator: Invalid value: {\"Key\":\"a\",\"Operator\":\"Exists\",\"Value\":\"x\",\
                 \"Effect\":\"\",\"TolerationSeconds\":null}: value must be empty when `operator` is 'Exists'"],
        ),
        (
            "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}",
            &["spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required \
                 value: must have at least one node selector term"],
        ),
        (
            "affinity: {podAntiAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 0, \
             podAffinityTerm: {topologyKey: zone}}]}}",
            &[
                "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: \
                 must be in the range 1-100",
            ],
        ),
        (
            "topologySpreadConstraints: [{maxSkew: 0, topologyKey: zone, whenUnsatisfiable: Never}]",
            &[
                "spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
                "spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: \"Never\": supported values: \
                 \"DoNotSchedule\", \"ScheduleAnyway\"",
            ],
        ),
        ("schedulingGates: [{name: a}, {name: a}]", &["spec.schedulingGates[1]: Duplicate value: \"a\""]),
        ("dnsPolicy: None", &["spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"]),
        (
            "os: {name: plan9}",
            &["spec.os.name: Unsupported value: \"plan9\": supported values: \"linux\", \"windows\""],
        ),
        ("hostUsers: false\nhostPID: true", &["spec.HostPID: Forbidden: when `pod.Spec.HostUsers` is false"]),
        (
            "ephemeralContainers: [{name: debug, image: busybox}]",
            &["spec.ephemeralContainers: Forbidden: cannot be set on create"],
        ),
    ] {
        assert_eq!(created(&pod(&format!("{GOOD}{fields}"))), expected, "{fields}");
    }
    let blanks = created(&pod("containers:\n- {name: main, image: ' busybox'}\n"));
    assert_eq!(
        blanks,
        ["spec.containers[0].image: Invalid value: \" busybox\": must not have leading or trailing whitespace"]
    );
}

#[test]
fn what_may_change_in_a_pod() {
    let old = format!("{GOOD}activeDeadlineSeconds: 50\ntolerations: [{{key: a, operator: Exists}}]\n");
    let deadline = |seconds: &str| old.replace("50", seconds);
    for (new, expected) in [
        (old.replace("busybox:1", "busybox:2"), &[][..]),
        (deadline("20"), &[]),
        (
            deadline("60"),
            &["spec.activeDeadlineSeconds: Invalid value: 60: must be less than or equal to previous value"],
        ),
        (
            old.replace("activeDeadlineSeconds: 50\n", ""),
            &[
                "spec.activeDeadlineSeconds: Invalid value: \"null\": must not update from a positive integer to nil value",
            ],
        ),
        (old.replace("Exists}", "Exists}, {key: b, operator: Exists}"), &[]),
        (
            old.replace("key: a", "key: b"),
            &["spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds"],
        ),
        (
            format!("{old}schedulingGates: [{{name: g}}]\n"),
            &["spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'"],
        ),
        (
            old.replace("- {", "- {name: other, image: busybox}\n- {"),
            &["spec.containers: Forbidden: pod updates may not add or remove containers"],
        ),
        (
            format!("{old}hostname: h\n"),
            &["spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,\
                 `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
                 tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"],
        ),
    ] {
        assert_eq!(updated(&pod(&old), &pod(&new)), expected, "{new}");
    }
    let gated = format!("{GOOD}schedulingGates: [{{name: g}}]\nnodeSelector: {{a: b}}\n");
    let more = gated.replace("a: b", "a: b, c: d");
    let other = gated.replace("a: b", "a: c");
    assert_eq!(updated(&pod(&gated), &pod(&more)), [""; 0]);
    assert_eq!(
        updated(&pod(&gated), &pod(&other)),
        [
            "spec.nodeSelector: Invalid value: {\"a\":\"c\"}: only additions to spec.nodeSelector are allowed (no mutations \
             or deletions)"
        ]
    );
}

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  selector: {matchLabels: {app: d}}
  template:
    metadata: {labels: {app: d}}
    spec: {containers: [{name: main, image: busybox}]}
";

#[test]
fn workloads() {
    assert_eq!(created(DEPLOYMENT), [""; 0]);
    for (from, to, expected) in [
        (
            "labels: {app: d}",
            "labels: {app: e}",
            &[
                "spec.template.metadata.labels: Invalid value: {\"app\":\"e\"}: `selector` does not match template `labels`",
            ][..],
        ),
        (
            "selector: {matchLabels: {app: d}}",
            "replicas: -1",
            &[
                "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
                "spec.selector: Required value",
                "spec.template.metadata.labels: Invalid value: {\"app\":\"d\"}: `selector` does not match template `labels`",
            ],
        ),
        (
            "selector:",
            "strategy: {type: Recreate, rollingUpdate: {maxSurge: 1}}\n  selector:",
            &["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
        ),
        (
            "selector:",
            "strategy: {rollingUpdate: {maxSurge: 0, maxUnavailable: 0}}\n  selector:",
            &["spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0"],
        ),
    ] {
        assert_eq!(created(&DEPLOYMENT.replacen(from, to, 1)), expected, "{to}");
    }
    let other = DEPLOYMENT.replace("app: d", "app: e");
    let immutable = ["spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"e\"}}: field is immutable"];
    assert_eq!(updated(DEPLOYMENT, &other), immutable);
    let replica_set = |text: &str| text.replace("Deployment", "ReplicaSet");
    assert_eq!(updated(&replica_set(DEPLOYMENT), &replica_set(&other)), immutable);
    assert_eq!(updated(DEPLOYMENT, &DEPLOYMENT.replace("busybox", "busybox:2")), [""; 0]);
}

#[test]
fn services() {
    let service = |name: &str, spec: &str| {
        format!("apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n")
    };
    let good = service("s", "clusterIP: 10.96.0.9, ports: [{port: 80}]");
    assert_eq!(created(&good), [""; 0]);
    for (name, spec, expected) in [
        ("s", "selector: {a: b}", &["spec.ports: Required value"][..]),
        (
            "1s",
            "ports: [{port: 80}]",
            &[
                "metadata.name: Invalid value: \"1s\": a DNS-1035 label must consist of lower case alphanumeric characters \
                 or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or \
                 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
            ],
        ),
        (
            "s",
            "ports: [{port: 80}, {port: 81}]",
            &["spec.ports[0].name: Required value", "spec.ports[1].name: Required value"],
        ),
        (
            "s",
            "type: Outside, ports: [{port: 0}]",
            &[
                "spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive",
                "spec.type: Unsupported value: \"Outside\": supported values: \"ClusterIP\", \"ExternalName\", \
                 \"LoadBalancer\", \"NodePort\"",
            ],
        ),
    ] {
        let found = created(&service(name, spec));
        for text in expected {
            assert!(found.contains(&(*text).to_owned()), "{spec}: {found:#?}");
        }
    }
    let moved = good.replace("10.96.0.9", "10.96.0.10");
    assert_eq!(
        updated(&good, &moved),
        ["spec.clusterIPs[0]: Invalid value: [\"10.96.0.10\"]: may not change once set"]
    );
}

#[test]
fn configuration() {
    let map = |fields: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\n{fields}\n");
    assert_eq!(created(&map("data: {..a: x}")), ["data[..a]: Invalid value: \"..a\": must not start with '..'"]);
    assert_eq!(
        updated(&map("immutable: true\ndata: {a: x}"), &map("data: {a: z}")),
        [
            "immutable: Forbidden: field is immutable when `immutable` is set",
            "data: Forbidden: field is immutable when `immutable` is set",
        ]
    );
    let secret = |fields: &str| format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n{fields}\n");
    assert_eq!(created(&secret("type: kubernetes.io/tls\ndata: {tls.crt: eA==}")), ["data[tls.key]: Required value"]);
    assert_eq!(updated(&secret("type: a"), &secret("type: b")), ["type: Invalid value: \"b\": field is immutable"]);
}

#[test]
fn storage_and_the_rest() {
    let claim =
        |spec: &str| format!("apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {{name: c}}\nspec: {{{spec}}}\n");
    assert_eq!(
        created(&claim("accessModes: [Sometimes]")),
        [
            "spec.accessModes: Unsupported value: \"Sometimes\": supported values: \"ReadOnlyMany\", \"ReadWriteMany\", \
             \"ReadWriteOnce\", \"ReadWriteOncePod\"",
            "spec.resources[storage]: Required value",
        ]
    );
    let good = "accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}";
    assert_eq!(
        updated(&claim(good), &claim(&good.replace("Once", "Many"))),
        [
            "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for \
             bound claims"
        ]
    );
    assert_eq!(
        created("apiVersion: v1\nkind: Namespace\nmetadata: {name: a.b}"),
        ["metadata.name: Invalid value: \"a.b\": must not contain dots"]
    );
    let class = |value: i64| {
        format!("apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {{name: high}}\nvalue: {value}\n")
    };
    assert_eq!(
        created(&class(1_000_000_001)),
        ["value: Forbidden: maximum allowed value of a user defined priority is 1000000000"]
    );
    assert_eq!(updated(&class(1), &class(2)), ["value: Forbidden: may not be changed in an update."]);
    assert_eq!(
        created("apiVersion: v1\nkind: ResourceQuota\nmetadata: {name: q}\nspec: {hard: {pods: -1, gpus: 1}}"),
        [
            "spec.hard[gpus]: Invalid value: \"gpus\": must be a standard resource type or fully qualified",
            "spec.hard[pods]: Invalid value: \"-1\": must be greater than or equal to 0",
        ]
    );
}

#[test]
fn metadata() {
    let map = |meta: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c, {meta}}}\n");
    assert_eq!(
        created(&map("finalizers: [mine]")),
        ["metadata.finalizers[0]: Invalid value: \"mine\": name is neither a standard finalizer name nor is it fully \
          qualified"]
    );
    assert_eq!(
        created(&map("ownerReferences: [{apiVersion: v1, kind: Pod, name: p, uid: \"\"}]")),
        ["metadata.ownerReferences.uid: Invalid value: \"\": must not be empty"]
    );
    assert_eq!(created(&map("annotations: {Example.com/A: x}")), [""; 0]);
    let (kind, mut old) = object(&map("finalizers: [a/b]"));
    old.set("metadata.deletionTimestamp", "2026-11-21T08:20:21Z");
    let mut new = old.clone();
    new.set("metadata.finalizers", vec![Value::from("a/b"), Value::from("c/d")]);
    assert_eq!(
        texts(&update(kind, &new, &old, &zones())),
        ["metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new \
          finalizers []string{\"c/d\"}"]
    );
}

#[test]
fn what_is_warned_of() {
    let warned = |manifest: &str| {
        let (kind, value) = object(manifest);
        assert_eq!(texts(&create(kind, &value, &zones())), [""; 0]);
        warnings(kind, &value, None)
    };
    for (fields, expected) in [
        (
            "env: [{name: A, value: x}, {name: A, value: z}]",
            "spec.containers[0].env[1]: hides previous definition of \"A\", which may be dropped when using apply",
        ),
        (
            "resources: {limits: {memory: 100m}}",
            "spec.containers[0].resources.limits[memory]: fractional byte value \"100m\" is invalid, must be an integer",
        ),
        (
            "ports: [{containerPort: 80}, {containerPort: 80, name: b}]",
            "spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]",
        ),
    ] {
        assert!(warned(&container(fields)).contains(&expected.to_owned()), "{:?}", warned(&container(fields)));
    }
    assert_eq!(warned(&container("env: [{name: A, value: x}, {name: A, value: $(A)y}]")), [""; 0]);
    assert_eq!(
        warned(&pod(&format!(
            "{GOOD}nodeSelector: {{beta.kubernetes.io/os: linux}}\nterminationGracePeriodSeconds: -1\n"
        ))),
        [
            "spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use \"kubernetes.io/os\" instead",
            "spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1",
        ]
    );
}

#[test]
fn every_kind_of_volume_is_known_to_the_schema() {
    let schema = crate::schema::Schema::get();
    let source = schema.named("VolumeSource").unwrap();
    let mut fields: Vec<&str> = schema.fields(source).iter().map(|field| field.name).collect();
    let mut known: Vec<&str> = pod::volume_sources().collect();
    fields.sort_unstable();
    known.sort_unstable();
    assert_eq!(known, fields);
}
