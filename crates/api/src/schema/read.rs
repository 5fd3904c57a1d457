//! Reads the schema's text. Its format is told in its own header.
//!
//! The text is part of the program: a line that cannot be read is our own fault, and a test reads it all.

use values::sorted::SortedMap;

use super::{Field, KindEntry, ListType, Member, Patch, Schema, Slot, Struct, StructId, Type};

/// Makes the schema of `kinds.txt`.
pub(super) fn read(kinds: &'static str) -> Schema {
    let lines = || kinds.lines().filter(|l| !l.is_empty() && !l.starts_with('#'));
    let mut names = Names { structs: SortedMap::new(), named: SortedMap::new() };
    for line in lines() {
        let mut words = line.split(' ');
        match (words.next(), words.next()) {
            (Some("="), Some(name)) => {
                let id = StructId(names.structs.len());
                names.structs.insert(name, id);
            }
            (Some("~"), Some(name)) => {
                let base = words.next().expect("a named type has a base");
                let values: Vec<&str> = words.next().map(|v| v.split('|').collect()).unwrap_or_default();
                names.named.insert(name, (base, values));
            }
            _ => {}
        }
    }
    let mut schema = Schema { structs: Vec::new(), by_name: names.structs.clone(), kinds: Vec::new() };
    for line in lines() {
        let words: Vec<&'static str> = line.split(' ').collect();
        match words[..] {
            ["!", api_version, kind] => schema.kinds.push(KindEntry { api_version, kind }),
            ["=", name, group_version] => {
                let name = name.split('@').next().unwrap_or(name);
                schema.structs.push(Struct { name, group_version, members: Vec::new(), lookup: SortedMap::new() });
            }
            ["~", ..] => {}
            ["+", name] => last(&mut schema).members.push(Member::Inline(names.structs[name])),
            [name, ty, ref flags @ ..] => {
                let owner = last(&mut schema).name;
                let field = field(owner, name, names.parse(ty), flags);
                last(&mut schema).members.push(Member::Field(field));
            }
            _ => panic!("schema line {line:?}"),
        }
    }
    for index in 0..schema.structs.len() {
        let mut lookup = SortedMap::new();
        collect(&schema, StructId(index), &mut lookup);
        schema.structs[index].lookup = lookup;
    }
    schema
}

fn last(schema: &mut Schema) -> &mut Struct {
    schema.structs.last_mut().expect("fields stand under a struct")
}

/// Own fields win over inlined ones, as in Go.
fn collect(schema: &Schema, id: StructId, lookup: &mut SortedMap<&'static str, Slot>) {
    for (index, member) in schema.of(id).members.iter().enumerate() {
        match member {
            Member::Field(field) => {
                lookup.insert(field.name, Slot { owner: id, index });
            }
            Member::Inline(inner) => collect(schema, *inner, lookup),
        }
    }
}

fn field(owner: &'static str, name: &'static str, ty: Type, flags: &[&'static str]) -> Field {
    let (name, go_name) = name.split_once(':').map_or((name, None), |(json, go)| (json, Some(go)));
    let value = |key: &str| flags.iter().find_map(|f| f.strip_prefix(key));
    let patch = match value("patch=") {
        Some("merge") => Patch::Merge,
        Some("retainKeys") => Patch::RetainKeys,
        Some("merge,retainKeys") => Patch::MergeRetainKeys,
        _ => Patch::Default,
    };
    Field {
        name,
        go_name,
        ty,
        omit_empty: !flags.contains(&"keep"),
        omit_zero: flags.contains(&"zero"),
        required: flags.contains(&"required"),
        patch,
        merge_key: value("key="),
        list: match (value("list="), value("key=")) {
            (Some("set"), _) => ListType::Set,
            (None, Some(_)) => ListType::Map,
            _ => ListType::Atomic,
        },
        owner,
    }
}

struct Names {
    structs: SortedMap<&'static str, StructId>,
    named: SortedMap<&'static str, (&'static str, Vec<&'static str>)>,
}

impl Names {
    fn parse(&self, text: &'static str) -> Type {
        if let Some(inner) = text.strip_prefix('*') {
            return Type::Pointer(Box::new(self.parse(inner)));
        }
        if let Some(inner) = text.strip_prefix("[]") {
            return Type::List(Box::new(self.parse(inner)));
        }
        if let Some((key, value)) = text.strip_prefix("map[").and_then(|t| t.split_once(']')) {
            return Type::Map { key: Box::new(self.parse(key)), value: Box::new(self.parse(value)) };
        }
        match text {
            "string" => Type::String,
            "int32" => Type::Int32,
            "int64" => Type::Int64,
            "bool" => Type::Bool,
            "float64" => Type::Float64,
            "bytes" => Type::Bytes,
            "quantity" => Type::Quantity,
            "intOrString" => Type::IntOrString,
            "time" => Type::Time,
            "microtime" => Type::MicroTime,
            "raw" => Type::Raw,
            name => match (self.structs.get(name), self.named.get(name)) {
                (Some(id), _) => Type::Struct(*id),
                (_, Some((base, values))) => {
                    Type::Named { name, base: Box::new(self.parse(base)), values: values.clone() }
                }
                _ => panic!("schema type {name:?}"),
            },
        }
    }
}
