//! JSON as Go's `json.MarshalIndent` writes it with four blanks.
//!
//! Rule: trees are written in the order of their keys; Go's structs in the order of their fields, `kind` and `apiVersion`
//! first. Source: `cli-runtime/pkg/printers/json.go`.

use api::schema::{Schema, StructId, Type};
use values::sort::sort_by_key;
use values::value::{Map, Value};

/// How the keys of a map are ordered.
#[derive(Clone, Copy)]
enum Order<'a> {
    Keys,
    /// These first, in this order, in every map.
    Listed(&'a [&'a str]),
    /// The fields of a Go struct; an object's `kind` and `apiVersion` first.
    Struct(StructId),
    /// A list of such structs.
    Each(StructId),
}

impl Order<'_> {
    fn keys<'v>(&self, map: &'v Map) -> Vec<(&'v str, &'v Value)> {
        let mut pairs: Vec<(&str, &Value)> = map.iter().collect();
        let rank = |key: &str| match self {
            Order::Keys | Order::Each(_) => 0,
            Order::Listed(keys) => keys.iter().position(|known| *known == key).unwrap_or(keys.len()),
            Order::Struct(id) => {
                let fields = Schema::get().fields(*id);
                match (key, fields.iter().position(|field| field.name == key)) {
                    (_, Some(place)) => place + 2,
                    ("kind", None) => 0,
                    ("apiVersion", None) => 1,
                    (_, None) => fields.len() + 2,
                }
            }
        };
        sort_by_key(&mut pairs, |(key, _)| rank(key));
        pairs
    }

    fn below(&self, key: &str) -> Self {
        match self {
            Order::Struct(id) => match Schema::get().field(*id, key).map(|field| field.ty.pointed().base()) {
                Some(Type::Struct(inner)) => Order::Struct(*inner),
                Some(Type::List(item)) => match item.pointed().base() {
                    Type::Struct(inner) => Order::Each(*inner),
                    _ => Order::Keys,
                },
                _ => Order::Keys,
            },
            other => *other,
        }
    }
}

/// Indented JSON, with an end of line.
pub fn indented(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, Order::Keys, &mut out);
    out.push('\n');
    out
}

/// Indented JSON with these keys first.
pub fn in_order(value: &Value, keys: &[&str]) -> String {
    let mut out = String::new();
    write(value, 0, Order::Listed(keys), &mut out);
    out.push('\n');
    out
}

/// Indented JSON of an object as Go's struct of its kind.
pub fn of_struct(value: &Value) -> String {
    let mut out = String::new();
    write(value, 0, struct_of(value), &mut out);
    out.push('\n');
    out
}

/// JSON in one line, with these keys first.
pub fn in_line(value: &Value, keys: &[&str]) -> String {
    let mut out = String::new();
    write_line(value, Order::Listed(keys), &mut out);
    out
}

/// JSON in one line of an object as Go's struct of its kind, as the API server sends it.
pub fn line_of_struct(value: &Value) -> String {
    let mut out = String::new();
    write_line(value, struct_of(value), &mut out);
    out
}

fn struct_of(value: &Value) -> Order<'static> {
    let text = |field: &str| value.str_at(field).unwrap_or_default();
    Schema::get().kind(text("apiVersion"), text("kind")).map_or(Order::Keys, Order::Struct)
}

fn write_line(value: &Value, order: Order<'_>, out: &mut String) {
    match value {
        Value::List(items) => {
            out.push('[');
            let order = if let Order::Each(id) = order { Order::Struct(id) } else { order };
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                write_line(item, order, out);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (i, (key, item)) in order.keys(map).into_iter().enumerate() {
                out.push_str(if i > 0 { "," } else { "" });
                out.push_str(&Value::from(key).to_go_json());
                out.push(':');
                write_line(item, order.below(key), out);
            }
            out.push('}');
        }
        leaf => out.push_str(&leaf.to_go_json()),
    }
}

fn write(value: &Value, depth: usize, order: Order<'_>, out: &mut String) {
    match value {
        Value::List(items) if !items.is_empty() => {
            out.push('[');
            let order = if let Order::Each(id) = order { Order::Struct(id) } else { order };
            for (i, item) in items.iter().enumerate() {
                line(i, depth + 1, out);
                write(item, depth + 1, order, out);
            }
            close(']', depth, out);
        }
        Value::Map(map) if !map.is_empty() => {
            out.push('{');
            for (i, (key, item)) in order.keys(map).into_iter().enumerate() {
                line(i, depth + 1, out);
                out.push_str(&Value::from(key).to_go_json());
                out.push_str(": ");
                write(item, depth + 1, order.below(key), out);
            }
            close('}', depth, out);
        }
        leaf => out.push_str(&leaf.to_go_json()),
    }
}

fn line(index: usize, depth: usize, out: &mut String) {
    out.push_str(if index > 0 { ",\n" } else { "\n" });
    out.push_str(&"    ".repeat(depth));
}

fn close(bracket: char, depth: usize, out: &mut String) {
    out.push('\n');
    out.push_str(&"    ".repeat(depth));
    out.push(bracket);
}
