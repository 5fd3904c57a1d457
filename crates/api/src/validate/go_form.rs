//! How an error prints a whole struct: Go's internal types as JSON, with capitalised names and every nil.
//!
//! Rule: `field.Error` prints what is no plain value with `json.Marshal`. The API server validates its internal types,
//! which have no JSON names, so fields appear by their Go names, in Go's order, empty ones included. `metav1` types keep
//! their JSON names. Where an internal type differs from its `v1` (the host's namespaces live in the security context),
//! a table here says so; all else comes from the schema. Source: `pkg/apis/core/types.go`, `pkg/apis/batch/types.go`.

use crate::schema::{Field, Member, Schema, StructId, Type};
use values::value::Value;

use super::field::Shown;
use super::read::get;

/// A value of the struct with this Go name, as an error shows it.
pub fn shown(go_struct: &str, value: &Value) -> Shown<'static> {
    let schema = Schema::get();
    let mut out = String::new();
    match schema.named(go_struct) {
        Some(id) => write_struct(schema, id, value, &mut out),
        None => out.push_str(&value.to_go_json()),
    }
    Shown::Ready(out)
}

/// Fields of internal structs that stand in another order than in `v1`, or only there. Fields of `v1` that are not
/// named follow in their own order.
const ORDER: &[(&str, &[&str])] = &[
    (
        "PodSpec",
        &[
            "volumes",
            "initContainers",
            "containers",
            "ephemeralContainers",
            "restartPolicy",
            "terminationGracePeriodSeconds",
            "activeDeadlineSeconds",
            "dnsPolicy",
            "nodeSelector",
            "serviceAccountName",
            "automountServiceAccountToken",
            "nodeName",
            "securityContext",
            "imagePullSecrets",
            "hostname",
            "subdomain",
            "setHostnameAsFQDN",
            "affinity",
            "schedulerName",
            "tolerations",
            "hostAliases",
            "priorityClassName",
            "priority",
            "preemptionPolicy",
            "dnsConfig",
            "readinessGates",
            "runtimeClassName",
            "overhead",
            "enableServiceLinks",
            "topologySpreadConstraints",
            "os",
            "schedulingGates",
            "resourceClaims",
            "resources",
            "hostnameOverride",
            "schedulingGroup",
        ],
    ),
    (
        "PodSecurityContext",
        &[
            "seLinuxOptions",
            "windowsOptions",
            "runAsUser",
            "runAsGroup",
            "runAsNonRoot",
            "supplementalGroups",
            "supplementalGroupsPolicy",
            "fsGroup",
            "fsGroupChangePolicy",
            "sysctls",
            "seccompProfile",
            "appArmorProfile",
            "seLinuxChangePolicy",
        ],
    ),
    (
        "VolumeSource",
        &[
            "hostPath",
            "emptyDir",
            "gcePersistentDisk",
            "awsElasticBlockStore",
            "gitRepo",
            "secret",
            "nfs",
            "iscsi",
            "glusterfs",
            "persistentVolumeClaim",
            "rbd",
            "quobyte",
        ],
    ),
];

/// Fields of the `v1` PodSpec that the internal one keeps in its security context, before those of `v1`.
const IN_SECURITY_CONTEXT: &[&str] = &["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers"];
/// Fields of `v1` that the internal PodSpec does not have.
const NOT_INTERNAL: &[(&str, &str)] = &[("PodSpec", "serviceAccount")];

fn write_struct(schema: &Schema, id: StructId, value: &Value, out: &mut String) {
    let mut object = Writer::open(out);
    write_members(schema, id, value, &mut object);
    object.close();
}

fn write_members(schema: &Schema, id: StructId, value: &Value, object: &mut Writer<'_>) {
    let declared = schema.of(id);
    let tagged = declared.group_version == "meta/v1";
    let order = ORDER.iter().find(|(name, _)| *name == declared.name).map_or(&[][..], |(_, fields)| fields);
    let is_spec = declared.name == "PodSpec";
    let left_out = |field: &Field| {
        NOT_INTERNAL.contains(&(declared.name, field.name)) || (is_spec && IN_SECURITY_CONTEXT.contains(&field.name))
    };
    let write = |field: &Field, object: &mut Writer<'_>| {
        let found = get(value, field.name);
        if tagged {
            if !found.is_empty() {
                object.name(field.name);
                write_tagged(found, object.out);
            }
        } else if is_spec && field.name == "securityContext" {
            object.name("SecurityContext");
            write_security_context(schema, value, object.out);
        } else {
            object.name(&field.go_name());
            write_value(schema, &field.ty, found, object.out);
        }
    };
    for name in order {
        if let Some(field) = schema.field(id, name) {
            write(field, object);
        }
    }
    for member in &declared.members {
        match member {
            Member::Field(field) if order.contains(&field.name) || left_out(field) => {}
            // An object's metadata is embedded in Go, so its fields stand among the others.
            Member::Field(field) if field.name == "metadata" => {
                if let Some(meta) = field.ty.struct_within() {
                    write_members(schema, meta, get(value, "metadata"), object);
                }
            }
            Member::Field(field) => write(field, object),
            Member::Inline(inner) => write_members(schema, *inner, value, object),
        }
    }
}

/// The internal PodSecurityContext, which holds some fields of the `v1` PodSpec.
fn write_security_context(schema: &Schema, spec: &Value, out: &mut String) {
    let (Some(spec_id), Some(id)) = (schema.named("PodSpec"), schema.named("PodSecurityContext")) else { return };
    let mut object = Writer::open(out);
    for name in IN_SECURITY_CONTEXT {
        if let Some(field) = schema.field(spec_id, name) {
            object.name(&field.go_name());
            write_value(schema, &field.ty, get(spec, name), object.out);
        }
    }
    write_members(schema, id, get(spec, "securityContext"), &mut object);
    object.close();
}

fn write_value(schema: &Schema, ty: &Type, value: &Value, out: &mut String) {
    match ty {
        Type::Pointer(_) if value.is_null() => out.push_str("null"),
        Type::Pointer(inner) => write_value(schema, inner, value, out),
        Type::Named { base, .. } => write_value(schema, base, value, out),
        Type::List(_) | Type::Map { .. } | Type::Bytes | Type::Raw if value.is_null() => out.push_str("null"),
        Type::List(inner) => {
            out.push('[');
            for (i, item) in value.as_list().unwrap_or(&[]).iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(schema, inner, item, out);
            }
            out.push(']');
        }
        Type::Map { value: inner, .. } => {
            let mut object = Writer::open(out);
            for (key, item) in value.as_map().into_iter().flat_map(|map| map.iter()) {
                object.name(key);
                write_value(schema, inner, item, object.out);
            }
            object.close();
        }
        Type::Struct(id) => write_struct(schema, *id, value, out),
        Type::String if value.is_null() => out.push_str("\"\""),
        Type::Int32 | Type::Int64 | Type::Float64 | Type::IntOrString if value.is_null() => out.push('0'),
        Type::Quantity if value.is_null() => out.push_str("\"0\""),
        Type::Bool if value.is_null() => out.push_str("false"),
        _ => out.push_str(&value.to_go_json()),
    }
}

/// A value below `metav1`: JSON as in a manifest, without what is empty.
fn write_tagged(value: &Value, out: &mut String) {
    out.push_str(&value.to_go_json());
}

/// Writes a JSON object field by field.
struct Writer<'o> {
    out: &'o mut String,
    first: bool,
}

impl<'o> Writer<'o> {
    fn open(out: &'o mut String) -> Writer<'o> {
        out.push('{');
        Writer { out, first: true }
    }

    fn name(&mut self, name: &str) {
        if !std::mem::take(&mut self.first) {
            self.out.push(',');
        }
        self.out.push_str(&Value::from(name).to_go_json());
        self.out.push(':');
    }

    fn close(self) {
        self.out.push('}');
    }
}
