//! The fields of all kinds: names, Go types, what is required, how lists are merged, what a field means.
//!
//! Rule: the facts of the Go structs of Kubernetes 1.36, read from two checked-in texts: `kinds.txt` (facts; its header
//! says how it was made), read once, on first use; and `docs.txt` (sentences, our own), read by `kubectl explain` alone.
//! Strict decoding, completion, `kubectl explain` and strategic merge use the facts.

mod read;

use std::sync::OnceLock;
use values::sorted::SortedMap;

/// Index of a struct in [`Schema::structs`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StructId(usize);

/// All kinds and structs.
#[derive(Debug)]
pub struct Schema {
    structs: Vec<Struct>,
    by_name: SortedMap<&'static str, StructId>,
    kinds: Vec<KindEntry>,
}

/// A kind that can be the root of an object.
#[derive(Clone, Copy, Debug)]
pub struct KindEntry {
    /// `batch/v1`
    pub api_version: &'static str,
    /// `Job`, also the name of its struct.
    pub kind: &'static str,
}

/// A Go struct.
#[derive(Debug)]
pub struct Struct {
    /// Go's name without its package: `JobSpec`.
    pub name: &'static str,
    /// Where it is declared: `batch/v1`.
    pub group_version: &'static str,
    /// In the order of the declaration.
    pub members: Vec<Member>,
    /// All fields with those of inlined structs, by JSON name.
    lookup: SortedMap<&'static str, Slot>,
}

/// Where the field of a JSON name is: in this struct, or in one it inlines.
#[derive(Clone, Copy, Debug)]
struct Slot {
    owner: StructId,
    index: usize,
}

/// A field, or a struct whose fields are inlined.
#[derive(Debug)]
pub enum Member {
    Field(Field),
    Inline(StructId),
}

/// A field of a struct.
#[derive(Debug)]
pub struct Field {
    /// JSON name: `backoffLimit`.
    pub name: &'static str,
    /// Go name: `BackoffLimit`; [`Field::go_name`] gives it.
    go_name: Option<&'static str>,
    pub ty: Type,
    /// Left out of JSON when empty (for structs this never happens).
    pub omit_empty: bool,
    /// Left out when it is the zero value, also for times and structs.
    pub omit_zero: bool,
    pub required: bool,
    pub patch: Patch,
    /// The key that items of a merged list are told apart by.
    pub merge_key: Option<&'static str>,
    /// Whether server-side apply sees one value or many.
    pub list: ListType,
    /// The struct that declares it: `JobSpec`.
    owner: &'static str,
}

/// How the items of a list are owned (`x-kubernetes-list-type`).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum ListType {
    /// All together.
    #[default]
    Atomic,
    /// Each value for itself.
    Set,
    /// Each item by its `merge_key`.
    Map,
}

/// What a strategic merge patch does to a list or struct.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Patch {
    /// Lists are replaced; maps and structs are merged.
    #[default]
    Default,
    /// Lists are merged, by `merge_key` or as sets.
    Merge,
    /// The whole struct is replaced, keeping only the keys that are named.
    RetainKeys,
    /// Merged by key, and each item keeps only the keys that are named.
    MergeRetainKeys,
}

/// The type of a field.
#[derive(Clone, PartialEq, Debug)]
pub enum Type {
    String,
    Int32,
    Int64,
    Bool,
    Float64,
    /// base64 in JSON.
    Bytes,
    Quantity,
    IntOrString,
    /// RFC 3339 with whole seconds.
    Time,
    /// RFC 3339 with microseconds.
    MicroTime,
    /// Any JSON.
    Raw,
    /// A named type: its Go name, what it is based on, and its values if it is an enum.
    Named {
        name: &'static str,
        base: Box<Type>,
        values: Vec<&'static str>,
    },
    Struct(StructId),
    Pointer(Box<Type>),
    List(Box<Type>),
    Map {
        key: Box<Type>,
        value: Box<Type>,
    },
}

impl Field {
    /// What it means, in a sentence; empty where none has been written.
    pub fn doc(&self) -> &'static str {
        let sentences = include_str!("docs.txt").lines().filter(|line| !line.starts_with('#'));
        let sentence_of = |owner: &str| {
            let of_field = |name: &str| name.split_once('.') == Some((owner, self.name));
            sentences.clone().filter_map(|line| line.split_once(' ')).find(|(name, _)| of_field(name))
        };
        sentence_of(self.owner).or_else(|| sentence_of("*")).map_or("", |(_, sentence)| sentence)
    }
}

impl Schema {
    /// The schema of Kubernetes 1.36.
    pub fn get() -> &'static Schema {
        static SCHEMA: OnceLock<Schema> = OnceLock::new();
        SCHEMA.get_or_init(|| read::read(include_str!("kinds.txt")))
    }

    /// The kinds, in the order of the table.
    pub fn kinds(&self) -> &[KindEntry] {
        &self.kinds
    }

    /// The struct of a kind.
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<StructId> {
        let entry = self.kinds.iter().find(|k| k.kind == kind && k.api_version == api_version)?;
        self.by_name.get(entry.kind).copied()
    }

    /// A struct by its Go name: `PodSpec`.
    pub fn named(&self, name: &str) -> Option<StructId> {
        self.by_name.get(name).copied()
    }

    pub fn of(&self, id: StructId) -> &Struct {
        &self.structs[id.0]
    }

    /// A field by its JSON name, inlined structs included. (`apiVersion` and `kind` belong to every object and are not
    /// listed.)
    pub fn field(&self, id: StructId, name: &str) -> Option<&Field> {
        let place = self.of(id).lookup.get(name)?;
        match &self.of(place.owner).members[place.index] {
            Member::Field(field) => Some(field),
            Member::Inline(_) => None,
        }
    }

    /// All fields of a struct in Go's order, inlined structs included.
    pub fn fields(&self, id: StructId) -> Vec<&Field> {
        let mut all = Vec::new();
        for member in &self.of(id).members {
            match member {
                Member::Field(field) => all.push(field),
                Member::Inline(inner) => all.extend(self.fields(*inner)),
            }
        }
        all
    }

    /// The field at a path such as `spec.template.spec.containers[0].image`; list indexes and map keys are passed over.
    pub fn field_at(&self, root: StructId, path: &str) -> Option<&Field> {
        let mut here = Some(root);
        let mut found = None;
        for part in path.split('.') {
            let name = part.split('[').next().unwrap_or(part);
            let field = self.field(here?, name)?;
            (found, here) = (Some(field), field.ty.struct_within());
        }
        found
    }

    /// The type as Go prints it: `[]v1.Container`, `map[string]string`, `int32`.
    pub fn go_type(&self, ty: &Type) -> String {
        match ty {
            Type::String => "string".into(),
            Type::Int32 => "int32".into(),
            Type::Int64 => "int64".into(),
            Type::Bool => "bool".into(),
            Type::Float64 => "float64".into(),
            Type::Bytes => "[]uint8".into(),
            Type::Quantity => "resource.Quantity".into(),
            Type::IntOrString => "intstr.IntOrString".into(),
            Type::Time => "v1.Time".into(),
            Type::MicroTime => "v1.MicroTime".into(),
            Type::Raw => "runtime.RawExtension".into(),
            Type::Named { name, .. } if name.contains('.') => (*name).into(),
            Type::Named { name, .. } => format!("v1.{name}"),
            Type::Struct(id) => format!("v1.{}", self.of(*id).name),
            Type::Pointer(inner) => format!("*{}", self.go_type(inner)),
            Type::List(inner) => format!("[]{}", self.go_type(inner)),
            Type::Map { key, value } => format!("map[{}]{}", self.go_type(key), self.go_type(value)),
        }
    }
}

impl Field {
    /// The name of the Go field: `TTLSecondsAfterFinished`.
    pub fn go_name(&self) -> String {
        match self.go_name {
            Some(name) => name.into(),
            None => {
                let (first, rest) = self.name.split_at(self.name.len().min(1));
                first.to_ascii_uppercase() + rest
            }
        }
    }
}

impl Type {
    /// The type behind pointers and names.
    pub fn base(&self) -> &Type {
        match self {
            Type::Pointer(inner) => inner.base(),
            Type::Named { base, .. } => base.base(),
            other => other,
        }
    }

    /// Without the pointer, names kept.
    pub fn pointed(&self) -> &Type {
        if let Type::Pointer(inner) = self { inner.pointed() } else { self }
    }

    /// The struct this is, or is a list or map of.
    pub fn struct_within(&self) -> Option<StructId> {
        match self.base() {
            Type::Struct(id) => Some(*id),
            Type::List(inner) | Type::Map { value: inner, .. } => inner.struct_within(),
            _ => None,
        }
    }

    /// The values an enum may have; empty for other types.
    pub fn values(&self) -> &[&'static str] {
        match self {
            Type::Pointer(inner) | Type::List(inner) => inner.values(),
            Type::Named { values, .. } => values,
            _ => &[],
        }
    }

    /// The type as `kubectl explain` writes it: `string`, `[]Container`, `map[string]string`, `Object`.
    pub fn explained(&self, schema: &Schema) -> String {
        match self.base() {
            Type::String | Type::Bytes | Type::Quantity | Type::IntOrString | Type::Time | Type::MicroTime => {
                match self.base() {
                    Type::Quantity => "Quantity".into(),
                    Type::IntOrString => "IntOrString".into(),
                    Type::Time => "Time".into(),
                    Type::MicroTime => "MicroTime".into(),
                    _ => "string".into(),
                }
            }
            Type::Int32 | Type::Int64 => "integer".into(),
            Type::Bool => "boolean".into(),
            Type::Float64 => "number".into(),
            Type::Raw => "Object".into(),
            Type::Struct(id) => schema.of(*id).name.into(),
            Type::List(inner) => format!("[]{}", inner.explained(schema)),
            Type::Map { value, .. } => format!("map[string]{}", value.explained(schema)),
            Type::Named { .. } | Type::Pointer(_) => unreachable!("base() looks behind names and pointers"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_struct_and_metadata() {
        let schema = Schema::get();
        assert!(schema.kinds().len() >= 20);
        for entry in schema.kinds() {
            let id =
                schema.kind(entry.api_version, entry.kind).unwrap_or_else(|| panic!("{} has no struct", entry.kind));
            assert!(schema.field(id, "metadata").is_some(), "{}", entry.kind);
        }
    }

    #[test]
    fn facts_of_some_fields() {
        let schema = Schema::get();
        let job = schema.kind("batch/v1", "Job").unwrap();
        let go = |path: &str| schema.go_type(&schema.field_at(job, path).unwrap().ty);
        assert_eq!(go("spec.parallelism"), "*int32");
        assert_eq!(go("spec.template.spec.containers"), "[]v1.Container");
        assert_eq!(go("spec.template.spec.containers[0].command"), "[]string");
        assert_eq!(go("spec.template.spec.restartPolicy"), "v1.RestartPolicy");
        assert_eq!(go("spec.template.spec.containers[0].resources.limits"), "v1.ResourceList");
        let field = schema.field_at(job, "spec.ttlSecondsAfterFinished").unwrap();
        assert_eq!(field.go_name(), "TTLSecondsAfterFinished");
        let containers = schema.field_at(job, "spec.template.spec.containers").unwrap();
        assert_eq!((containers.patch, containers.merge_key), (Patch::Merge, Some("name")));
        assert!(containers.required && !containers.omit_empty);
        let volume = schema.field_at(job, "spec.template.spec.volumes[0].emptyDir").unwrap();
        assert_eq!(volume.ty.explained(schema), "EmptyDirVolumeSource");
        let policy = schema.field_at(job, "spec.completionMode").unwrap();
        assert_eq!(policy.ty.values(), ["NonIndexed", "Indexed"]);
    }

    #[test]
    fn sentences_are_short_and_belong_to_fields() {
        let schema = Schema::get();
        for line in include_str!("docs.txt").lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let (name, sentence) = line.split_once(' ').unwrap();
            let (owner, field) = name.split_once('.').unwrap();
            assert!(sentence.chars().count() <= 110 && sentence.ends_with('.'), "{name}");
            if owner == "*" {
                continue;
            }
            let id = schema.named(owner).unwrap_or_else(|| panic!("no struct {owner}"));
            let found = schema.of(id).members.iter().find_map(|m| match m {
                Member::Field(f) if f.name == field => Some(f),
                _ => None,
            });
            assert_eq!(found.map(Field::doc), Some(sentence), "{name}");
        }
    }
}
