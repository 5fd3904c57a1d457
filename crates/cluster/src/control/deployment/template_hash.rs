//! The word for a Pod template in the names of ReplicaSets and Pods: `web-65c97cb47b`.
//!
//! Rule: the template's Go struct is written out with the names and types of all its fields, empty ones included; the
//! text's FNV-1a sum, in decimal, is written in the letters of generated names. So the schema decides the word, and it is
//! the one a cluster of the same version gives. Source: `pkg/controller/controller_utils.go` (`ComputeHash`),
//! `pkg/util/hash` (`DeepHashObject`), `k8s.io/utils/dump` (`ForHash`), `apimachinery/pkg/util/rand`
//! (`SafeEncodeString`), `apimachinery/pkg/api/resource` (what a quantity remembers of its text).

use std::fmt::Write;

use api::schema::{Member, Schema, StructId, Type};
use values::quantity::Quantity;
use values::rng::SUFFIX_LETTERS;
use values::value::Value;

/// A time that was never set.
const NO_TIME: &str = "{Time:(time.Time){wall:(uint64)0 ext:(int64)0 loc:(*time.Location)<nil>}}";

/// The word for a template. `collisions` is the Deployment's `status.collisionCount`, if it has one.
pub fn template_hash(template: &Value, collisions: Option<i32>) -> String {
    let schema = Schema::get();
    let mut text = String::from("(v1.PodTemplateSpec)");
    let id = schema.named("PodTemplateSpec").expect("the schema has Pod templates");
    write_struct(schema, id, template, &mut text);
    let mut sum = fnv(0x811c_9dc5, text.bytes());
    if let Some(collisions) = collisions {
        let mut bytes = [0; 8];
        bytes[..4].copy_from_slice(&collisions.to_le_bytes());
        sum = fnv(sum, bytes.into_iter());
    }
    sum.to_string().bytes().map(|digit| char::from(SUFFIX_LETTERS[usize::from(digit) % SUFFIX_LETTERS.len()])).collect()
}

fn fnv(sum: u32, bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(sum, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// A value with its type before it, as struct fields are written.
fn write_typed(schema: &Schema, ty: &Type, value: &Value, out: &mut String) {
    // Writing to a String cannot fail, here and below.
    let _ = write!(out, "({})", schema.go_type(ty));
    match ty {
        Type::Pointer(_) if value.is_null() => out.push_str("<nil>"),
        Type::Pointer(inner) => write_bare(schema, inner, value, out),
        _ => write_bare(schema, ty, value, out),
    }
}

/// A value without its type, as in lists, maps and behind pointers.
fn write_bare(schema: &Schema, ty: &Type, value: &Value, out: &mut String) {
    let _ = match ty {
        Type::Pointer(inner) => {
            out.push_str("<*>");
            write_bare(schema, inner, value, out);
            Ok(())
        }
        Type::Named { base, .. } => {
            write_bare(schema, base, value, out);
            Ok(())
        }
        // What is stored does not tell an empty list from none.
        Type::List(_) | Type::Map { .. } | Type::Bytes | Type::Raw if value.is_empty() => write!(out, "<nil>"),
        Type::List(inner) => {
            write_items(out, "[", value.as_list().unwrap_or_default(), |item, out| {
                write_bare(schema, inner, item, out);
            });
            Ok(())
        }
        Type::Map { value: inner, .. } => {
            let items: Vec<(&str, &Value)> = value.as_map().into_iter().flat_map(|map| map.iter()).collect();
            write_items(out, "map[", &items, |(key, item), out| {
                let _ = write!(out, "{key}:");
                write_bare(schema, inner, item, out);
            });
            Ok(())
        }
        Type::Struct(id) => {
            write_struct(schema, *id, value, out);
            Ok(())
        }
        Type::Quantity => {
            write_quantity(value, out);
            Ok(())
        }
        Type::IntOrString => match value.as_str() {
            Some(text) => write!(out, "{{Type:(intstr.Type)1 IntVal:(int32)0 StrVal:(string){text}}}"),
            None => {
                let number = value.as_i64().unwrap_or(0);
                write!(out, "{{Type:(intstr.Type)0 IntVal:(int32){number} StrVal:(string)}}")
            }
        },
        Type::Time | Type::MicroTime => write!(out, "{NO_TIME}"),
        Type::Bool => write!(out, "{}", value.as_bool().unwrap_or(false)),
        Type::Int32 | Type::Int64 => write!(out, "{}", value.as_i64().unwrap_or(0)),
        Type::String | Type::Float64 | Type::Bytes | Type::Raw => write!(out, "{}", value.as_str().unwrap_or("")),
    };
}

fn write_items<T>(out: &mut String, open: &str, items: &[T], mut write: impl FnMut(&T, &mut String)) {
    out.push_str(open);
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        write(item, out);
    }
    out.push(']');
}

fn write_struct(schema: &Schema, id: StructId, value: &Value, out: &mut String) {
    out.push('{');
    for (index, member) in schema.of(id).members.iter().enumerate() {
        if index > 0 {
            out.push(' ');
        }
        match member {
            Member::Inline(inner) => {
                out.push_str(schema.of(*inner).name);
                out.push(':');
                write_typed(schema, &Type::Struct(*inner), value, out);
            }
            Member::Field(field) => {
                // An object's metadata is embedded in Go, under the name of its type.
                let name = if field.name == "metadata" { "ObjectMeta".to_owned() } else { field.go_name() };
                let _ = write!(out, "{name}:");
                write_typed(schema, &field.ty, value.at_keys([field.name]), out);
            }
        }
    }
    out.push('}');
}

/// A quantity as it was read: its digits, the power of ten, and the text, which it forgets if it may not be canonical.
fn write_quantity(value: &Value, out: &mut String) {
    let quantity = match (value.as_str(), value.as_i64()) {
        (Some(text), _) => Quantity::parse(text).unwrap_or(Quantity::ZERO),
        (None, number) => Quantity::from_units(number.unwrap_or(0)),
    };
    let text = quantity.to_string();
    let split = text.find(|c: char| !c.is_ascii_digit() && c != '-').unwrap_or(text.len());
    let (digits, suffix) = text.split_at(split);
    let number: i64 = digits.parse().unwrap_or(0);
    let (shift, scale, format) = match suffix {
        "n" => (0, -9, "DecimalSI"),
        "u" => (0, -6, "DecimalSI"),
        "m" => (0, -3, "DecimalSI"),
        "k" => (0, 3, "DecimalSI"),
        "M" => (0, 6, "DecimalSI"),
        "G" => (0, 9, "DecimalSI"),
        "T" => (0, 12, "DecimalSI"),
        "P" => (0, 15, "DecimalSI"),
        "E" => (0, 18, "DecimalSI"),
        "Ki" => (10, 0, "BinarySI"),
        "Mi" => (20, 0, "BinarySI"),
        "Gi" => (30, 0, "BinarySI"),
        "Ti" => (40, 0, "BinarySI"),
        "Pi" => (50, 0, "BinarySI"),
        "Ei" => (60, 0, "BinarySI"),
        _ => match suffix.strip_prefix('e') {
            Some(exponent) => (0, exponent.parse().unwrap_or(0), "DecimalExponent"),
            None => (0, 0, "DecimalSI"),
        },
    };
    let is_kept = if shift > 0 { number & 7 != 0 } else { number == 0 || !digits.ends_with("000") };
    let amount = number.wrapping_shl(shift);
    let kept = if is_kept { &*text } else { "" };
    let _ = write!(
        out,
        "{{i:(resource.int64Amount){{value:(int64){amount} scale:(resource.Scale){scale}}} \
         d:(resource.infDecAmount){{Dec:(*inf.Dec)<nil>}} s:(string){kept} Format:(resource.Format){format}}}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Templates and their words: made with `k8s.io/api` and `k8s.io/apimachinery` v0.36.3. The words of the recorded
    /// Deployments are checked by the scenario `deployment-rollout`.
    const WORDS: &str = include_str!("template_hashes.jsonl");

    #[test]
    fn words_are_those_of_a_cluster() {
        for line in WORDS.lines() {
            let case = Value::from_json(line).unwrap();
            let collisions = case.i64_at("collisions").map(|n| i32::try_from(n).unwrap());
            assert_eq!(Some(&*template_hash(case.at("template"), collisions)), case.str_at("hash"), "{line}");
        }
    }
}
