//! Remarks about values that YAML reads differently from what the writer most likely meant.
//!
//! Rule: Kubernetes reads YAML 1.1, where `N`, `y`, `on`, `no` are booleans and `0777` is octal. Where the schema wants a
//! string, the server refuses such a value; the hint says how to write it.

use crate::schema::{Schema, StructId, Type};
use values::value::Value;
use yaml::{Content, Diagnostic, Node, Severity};

/// Hints for a document, in its order.
pub fn hints(document: &Node) -> Vec<Diagnostic> {
    let text = |name: &str| document.entry(name).and_then(|e| e.value.value().as_str().map(str::to_string));
    let (Some(api_version), Some(kind)) = (text("apiVersion"), text("kind")) else { return Vec::new() };
    let mut found = Vec::new();
    if api_version == "v1" && kind == "List" {
        if let Some(Content::List(items)) = document.entry("items").map(|e| &e.value.content) {
            items.iter().for_each(|item| found.extend(hints(item)));
        }
        return found;
    }
    if let Some(id) = Schema::get().kind(&api_version, &kind) {
        structure(id, document, &mut found);
    }
    found
}

fn structure(id: StructId, node: &Node, found: &mut Vec<Diagnostic>) {
    let Content::Map(entries) = &node.content else { return };
    for entry in entries.iter() {
        if let Some(field) = Schema::get().field(id, &entry.key) {
            value(&field.ty, &entry.key, &entry.value, found);
        }
    }
}

fn value(ty: &Type, name: &str, node: &Node, found: &mut Vec<Diagnostic>) {
    match (ty.base(), &node.content) {
        (Type::Struct(id), _) => structure(*id, node, found),
        (Type::List(inner), Content::List(items)) => items.iter().for_each(|item| value(inner, name, item, found)),
        (Type::Map { value: inner, .. }, Content::Map(entries)) => {
            for entry in entries.iter() {
                if let Some(message) = key_message(&entry.key, entry.key_span.end - entry.key_span.start) {
                    found.push(Diagnostic::new(Severity::Hint, "yaml-boolean-key", entry.key_span, message));
                }
                value(inner, &entry.key, &entry.value, found);
            }
        }
        (_, Content::Scalar(scalar)) => {
            if let Some((code, message)) = scalar_message(ty.base(), name, scalar, node.plain.as_deref()) {
                found.push(Diagnostic::new(Severity::Hint, code, node.span, message));
            }
        }
        _ => {}
    }
}

/// `on:` as a label's name became `true`: the key is longer or shorter than what was written.
fn key_message(key: &str, written_bytes: u32) -> Option<String> {
    let is_word = matches!(key, "true" | "false") && written_bytes as usize != key.len() && written_bytes <= 3;
    is_word.then(|| format!("YAML 1.1 reads this key as the boolean {key}; put it in quotes"))
}

fn scalar_message(ty: &Type, name: &str, scalar: &Value, plain: Option<&str>) -> Option<(&'static str, String)> {
    let plain = plain?;
    match (ty, scalar) {
        (Type::String, Value::Bool(b)) => Some((
            "yaml-boolean",
            format!("{name}: YAML 1.1 reads {plain} as the boolean {b}; write \"{plain}\" in quotes"),
        )),
        (Type::String, Value::Int(_) | Value::Float(_)) => {
            Some(("yaml-number", format!("{name}: {plain} is a number here; write \"{plain}\" in quotes")))
        }
        (_, Value::Int(n)) if is_octal(plain) => {
            Some(("yaml-octal", format!("{name}: the leading 0 makes {plain} octal; it is {n} in decimal")))
        }
        _ => None,
    }
}

fn is_octal(plain: &str) -> bool {
    let digits = plain.trim_start_matches(['-', '+']);
    digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit() || b == b'_')
}
