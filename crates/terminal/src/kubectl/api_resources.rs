//! `kubectl api-resources` and `kubectl api-versions`: the kinds there are.
//!
//! Source: `kubectl/pkg/cmd/apiresources/{apiresources,apiversions}.go`.

use crate::kubectl::flags::{Flag, Takes, flag};
use crate::kubectl::{Call, Outcome, Verb};
use crate::printing::json;
use crate::printing::tabwriter::TabWriter;
use api::kind::{KINDS, KindInfo};
use values::object;
use values::sort::sort_by_key;
use values::value::Value;
use yaml;

pub const VERB: Verb = Verb {
    name: "api-resources",
    summary: "List the kinds the server knows",
    usage: "kubectl api-resources",
    flags: FLAGS,
    run,
};

pub const VERSIONS: Verb = Verb {
    name: "api-versions",
    summary: "List the groups and versions the server knows",
    usage: "kubectl api-versions",
    flags: &[],
    run: versions,
};

const FLAGS: &[Flag] = &[
    flag("api-group", Takes::Text, "Only kinds of this group"),
    flag("cached", Takes::Nothing, "Use what was asked before").default("false"),
    flag("categories", Takes::List, "Only kinds of these categories, such as all"),
    flag("namespaced", Takes::Nothing, "Only kinds that live in namespaces, or only others").default("true"),
    flag("no-headers", Takes::Nothing, "Leave out the head of the table").default("false"),
    flag("output", Takes::Text, "json, yaml, wide or name").short('o'),
    flag("sort-by", Takes::Text, "name or kind"),
    flag("verbs", Takes::List, "Only kinds that know these verbs"),
];

/// What nearly every kind can do.
const ALL: &str = "create,delete,deletecollection,get,list,patch,update,watch";

/// Kinds of a plain cluster besides those of [`KINDS`]: plural, short names, version, whether in namespaces, kind, verbs.
type Other = (&'static str, &'static str, &'static str, bool, &'static str, &'static str);

#[rustfmt::skip]
const OTHERS: &[Other] = &[
    ("bindings", "", "v1", true, "Binding", "create"),
    ("componentstatuses", "cs", "v1", false, "ComponentStatus", "get,list"),
    ("limitranges", "limits", "v1", true, "LimitRange", ALL),
    ("podtemplates", "", "v1", true, "PodTemplate", ALL),
    ("replicationcontrollers", "rc", "v1", true, "ReplicationController", ALL),
    ("mutatingadmissionpolicies", "", "admissionregistration.k8s.io/v1", false, "MutatingAdmissionPolicy", ALL),
    ("mutatingadmissionpolicybindings", "", "admissionregistration.k8s.io/v1", false, "MutatingAdmissionPolicyBinding", ALL),
    ("mutatingwebhookconfigurations", "", "admissionregistration.k8s.io/v1", false, "MutatingWebhookConfiguration", ALL),
    ("validatingadmissionpolicies", "", "admissionregistration.k8s.io/v1", false, "ValidatingAdmissionPolicy", ALL),
    ("validatingadmissionpolicybindings", "", "admissionregistration.k8s.io/v1", false, "ValidatingAdmissionPolicyBinding", ALL),
    ("validatingwebhookconfigurations", "", "admissionregistration.k8s.io/v1", false, "ValidatingWebhookConfiguration", ALL),
    ("customresourcedefinitions", "crd,crds", "apiextensions.k8s.io/v1", false, "CustomResourceDefinition", ALL),
    ("apiservices", "", "apiregistration.k8s.io/v1", false, "APIService", ALL),
    ("controllerrevisions", "", "apps/v1", true, "ControllerRevision", ALL),
    ("daemonsets", "ds", "apps/v1", true, "DaemonSet", ALL),
    ("statefulsets", "sts", "apps/v1", true, "StatefulSet", ALL),
    ("selfsubjectreviews", "", "authentication.k8s.io/v1", false, "SelfSubjectReview", "create"),
    ("tokenreviews", "", "authentication.k8s.io/v1", false, "TokenReview", "create"),
    ("localsubjectaccessreviews", "", "authorization.k8s.io/v1", true, "LocalSubjectAccessReview", "create"),
    ("selfsubjectaccessreviews", "", "authorization.k8s.io/v1", false, "SelfSubjectAccessReview", "create"),
    ("selfsubjectrulesreviews", "", "authorization.k8s.io/v1", false, "SelfSubjectRulesReview", "create"),
    ("subjectaccessreviews", "", "authorization.k8s.io/v1", false, "SubjectAccessReview", "create"),
    ("horizontalpodautoscalers", "hpa", "autoscaling/v2", true, "HorizontalPodAutoscaler", ALL),
    ("certificatesigningrequests", "csr", "certificates.k8s.io/v1", false, "CertificateSigningRequest", ALL),
    ("leases", "", "coordination.k8s.io/v1", true, "Lease", ALL),
    ("events", "ev", "events.k8s.io/v1", true, "Event", ALL),
    ("flowschemas", "", "flowcontrol.apiserver.k8s.io/v1", false, "FlowSchema", ALL),
    ("prioritylevelconfigurations", "", "flowcontrol.apiserver.k8s.io/v1", false, "PriorityLevelConfiguration", ALL),
    ("ingressclasses", "", "networking.k8s.io/v1", false, "IngressClass", ALL),
    ("ingresses", "ing", "networking.k8s.io/v1", true, "Ingress", ALL),
    ("ipaddresses", "ip", "networking.k8s.io/v1", false, "IPAddress", ALL),
    ("networkpolicies", "netpol", "networking.k8s.io/v1", true, "NetworkPolicy", ALL),
    ("servicecidrs", "", "networking.k8s.io/v1", false, "ServiceCIDR", ALL),
    ("runtimeclasses", "", "node.k8s.io/v1", false, "RuntimeClass", ALL),
    ("poddisruptionbudgets", "pdb", "policy/v1", true, "PodDisruptionBudget", ALL),
    ("clusterrolebindings", "", "rbac.authorization.k8s.io/v1", false, "ClusterRoleBinding", ALL),
    ("clusterroles", "", "rbac.authorization.k8s.io/v1", false, "ClusterRole", ALL),
    ("rolebindings", "", "rbac.authorization.k8s.io/v1", true, "RoleBinding", ALL),
    ("roles", "", "rbac.authorization.k8s.io/v1", true, "Role", ALL),
    ("deviceclasses", "", "resource.k8s.io/v1", false, "DeviceClass", ALL),
    ("resourceclaims", "", "resource.k8s.io/v1", true, "ResourceClaim", ALL),
    ("resourceclaimtemplates", "", "resource.k8s.io/v1", true, "ResourceClaimTemplate", ALL),
    ("resourceslices", "", "resource.k8s.io/v1", false, "ResourceSlice", ALL),
    ("csidrivers", "", "storage.k8s.io/v1", false, "CSIDriver", ALL),
    ("csinodes", "", "storage.k8s.io/v1", false, "CSINode", ALL),
    ("csistoragecapacities", "", "storage.k8s.io/v1", true, "CSIStorageCapacity", ALL),
    ("storageclasses", "sc", "storage.k8s.io/v1", false, "StorageClass", ALL),
    ("volumeattachments", "", "storage.k8s.io/v1", false, "VolumeAttachment", ALL),
    ("volumeattributesclasses", "vac", "storage.k8s.io/v1", false, "VolumeAttributesClass", ALL),
];

/// One line of the list.
struct Row {
    plural: &'static str,
    singular: String,
    short: String,
    group: String,
    version: String,
    namespaced: bool,
    kind: &'static str,
    verbs: &'static str,
    in_all: bool,
}

impl Row {
    fn of(info: &KindInfo) -> Row {
        Row {
            plural: info.plural,
            singular: info.singular.to_owned(),
            short: info.short_names.join(","),
            group: info.group.to_owned(),
            version: info.version.to_owned(),
            namespaced: info.namespaced,
            kind: info.name,
            verbs: ALL,
            in_all: info.in_all,
        }
    }

    fn other((plural, short, version, namespaced, kind, verbs): &Other) -> Row {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        Row {
            plural,
            singular: kind.to_lowercase(),
            short: (*short).to_owned(),
            group: group.to_owned(),
            version: version.to_owned(),
            namespaced: *namespaced,
            kind,
            verbs,
            in_all: matches!(
                *plural,
                "daemonsets" | "horizontalpodautoscalers" | "replicationcontrollers" | "statefulsets"
            ),
        }
    }

    fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    fn value(&self) -> Value {
        let words = |text: &str| Value::list(text.split(',').map(Value::from));
        let mut value = object! {
            "name" => self.plural, "singularName" => self.singular.as_str(), "namespaced" => self.namespaced,
            "version" => self.version.as_str(), "kind" => self.kind, "verbs" => words(self.verbs),
        };
        if !self.group.is_empty() {
            value.set("group", self.group.as_str());
        }
        if !self.short.is_empty() {
            value.set("shortNames", words(&self.short));
        }
        if self.in_all {
            value.set("categories", words("all"));
        }
        value
    }
}

fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = KINDS.iter().map(Row::of).collect();
    for other in OTHERS.iter().map(Row::other) {
        if !rows.iter().any(|row| row.plural == other.plural && row.group == other.group) {
            rows.push(other);
        }
    }
    rows
}

fn run(call: &mut Call<'_, '_>) -> Outcome {
    if !call.parsed.args.is_empty() {
        let text = format!("unexpected arguments: [{}]", call.parsed.args.join(" "));
        return call.misused(&text);
    }
    let parsed = &call.parsed;
    let all_wanted = parsed.list("categories").iter().all(|c| c == "all");
    let wanted = |row: &Row| {
        parsed.text("api-group").is_none_or(|group| row.group == group)
            && (!parsed.is_set("namespaced") || row.namespaced == parsed.on("namespaced"))
            && (!parsed.is_set("categories") || (all_wanted && row.in_all))
            && parsed.list("verbs").iter().all(|verb| row.verbs.split(',').any(|known| known == verb))
    };
    let mut kinds = rows();
    kinds.retain(wanted);
    sort_by_key(&mut kinds, |row| (row.group.clone(), row.plural));
    match parsed.text("sort-by").filter(|text| !text.is_empty()) {
        Some("name") => sort_by_key(&mut kinds, |row| row.plural),
        Some("kind") => sort_by_key(&mut kinds, |row| row.kind),
        Some(_) => return call.fail("--sort-by accepts only name or kind"),
        None => {}
    }
    let wide = match parsed.text("output").unwrap_or_default() {
        "" => false,
        "wide" => true,
        "name" => {
            for row in &kinds {
                let group = if row.group.is_empty() { String::new() } else { format!(".{}", row.group) };
                call.io.out(&format!("{}{group}\n", row.plural));
            }
            return Outcome::Exit(0);
        }
        format @ ("json" | "yaml") => {
            let list = object! {
                "kind" => "APIResourceList", "apiVersion" => "v1", "groupVersion" => "",
                "resources" => Value::list(kinds.iter().map(Row::value)),
            };
            let text = if format == "json" { json::in_order(&list, FIELDS) } else { yaml::emit(&list) };
            call.io.out(&text);
            return Outcome::Exit(0);
        }
        other => {
            let text = format!(
                "unable to match a printer suitable for the output format \"{other}\", allowed formats are: \
                 json,name,wide,yaml"
            );
            return call.fail(&text);
        }
    };
    let mut text = String::new();
    if !parsed.on("no-headers") {
        text.push_str("NAME\tSHORTNAMES\tAPIVERSION\tNAMESPACED\tKIND");
        text.push_str(if wide { "\tVERBS\tCATEGORIES\n" } else { "\n" });
    }
    for row in kinds {
        text += &format!("{}\t{}\t{}\t{}\t{}", row.plural, row.short, row.api_version(), row.namespaced, row.kind);
        if wide {
            text += &format!("\t{}\t{}", row.verbs, if row.in_all { "all" } else { "" });
        }
        text.push('\n');
    }
    call.io.out(&TabWriter::table().align(&text));
    Outcome::Exit(0)
}

/// The fields of a kind in `-o json`, in their order.
const FIELDS: &[&str] = &[
    "kind",
    "apiVersion",
    "groupVersion",
    "resources",
    "name",
    "singularName",
    "namespaced",
    "group",
    "version",
    "verbs",
    "shortNames",
    "categories",
];

fn versions(call: &mut Call<'_, '_>) -> Outcome {
    if !call.parsed.args.is_empty() {
        let text = format!("unexpected arguments: [{}]", call.parsed.args.join(" "));
        return call.misused(&text);
    }
    let mut versions: Vec<String> = rows().iter().map(Row::api_version).collect();
    versions.push("autoscaling/v1".to_owned());
    versions.sort();
    versions.dedup();
    call.io.out(&(versions.join("\n") + "\n"));
    Outcome::Exit(0)
}
