//! Reading a tree by Go types, with Go's errors.
//!
//! Rule: Go's JSON decoder remembers the first value of a wrong type and reads on, but types that read themselves
//! (quantities, times, int-or-string) stop it at once. A field's path in such errors has no list indexes; in errors about
//! unknown fields it has. Null is no value. Writing back, `omitempty` leaves out empty scalars, lists, maps and nil
//! pointers, never structs; a field without it is always written. Source: `sigs.k8s.io/json` (a fork of `encoding/json`),
//! `apimachinery/pkg/apis/meta/v1/{time,micro_time}.go`, `pkg/util/intstr`, `pkg/api/resource`.

use crate::schema::{Field, Schema, StructId, Type};
use values::quantity::{self, Quantity};
use values::time::SimTime;
use values::value::{Map, Value};

/// Most unknown fields that are told of one object.
const MAX_UNKNOWN: usize = 100;

/// A value that does not fit its type.
#[derive(Debug)]
pub(super) struct TypeError {
    pub text: String,
    /// With list indexes.
    pub path: String,
}

pub(super) struct Walk {
    schema: &'static Schema,
    /// JSON names from the root to here.
    names: Vec<&'static str>,
    /// The same with list indexes and map keys.
    path: String,
    first_error: Option<TypeError>,
    unknown: Vec<String>,
}

/// The way was given up, and why.
type Walked<T> = Result<T, TypeError>;

impl Walk {
    /// Reads a whole object. Gives it as Go would write it, and the paths of unknown fields.
    pub fn of_object(id: StructId, fields: &Map) -> Result<(Value, Vec<String>), TypeError> {
        let mut walk = Walk::new();
        let object = walk.structure(id, fields)?;
        match walk.first_error {
            Some(error) => Err(error),
            None => Ok((object, walk.unknown)),
        }
    }

    /// Reads only the metadata, as kubectl does before anything is sent. Unknown fields are let pass.
    pub fn of_metadata(metadata: &Value) -> Result<(), TypeError> {
        let mut walk = Walk::new();
        let id = walk.schema.named("ObjectMeta").expect("the schema has ObjectMeta");
        walk.enter("metadata");
        walk.value(&Type::Struct(id), metadata, "metadataOnlyObject")?;
        walk.first_error.map_or(Ok(()), Err)
    }

    fn new() -> Walk {
        Walk { schema: Schema::get(), names: Vec::new(), path: String::new(), first_error: None, unknown: Vec::new() }
    }

    /// Goes into a field; gives what [`Walk::leave`] needs to come back.
    fn enter(&mut self, name: &'static str) -> usize {
        let before = self.path.len();
        self.names.push(name);
        if before > 0 {
            self.path.push('.');
        }
        self.path.push_str(name);
        before
    }

    fn leave(&mut self, before: usize) {
        self.names.pop();
        self.path.truncate(before);
    }

    fn structure(&mut self, id: StructId, fields: &Map) -> Walked<Value> {
        let schema = self.schema;
        let owner = schema.of(id).name;
        let is_kind = schema.kinds().iter().any(|k| k.kind == owner);
        let mut read = Map::new();
        for (name, value) in fields.iter() {
            if is_kind && matches!(name, "apiVersion" | "kind") {
                read.insert(name, value.clone());
                continue;
            }
            let Some(field) = schema.field(id, name) else {
                if self.unknown.len() < MAX_UNKNOWN {
                    let dot = if self.path.is_empty() { "" } else { "." };
                    self.unknown.push(format!("{}{dot}{name}", self.path));
                }
                continue;
            };
            let before = self.enter(field.name);
            let value = self.value(&field.ty, value, owner)?;
            self.leave(before);
            read.insert(field.name, value);
        }
        Ok(written_back(schema, id, read))
    }

    /// Reads one value. `owner` is the Go struct whose field it is.
    fn value(&mut self, ty: &Type, value: &Value, owner: &str) -> Walked<Value> {
        if value.is_null() {
            return Ok(if matches!(ty, Type::Pointer(_)) { Value::Null } else { zero(self.schema, ty) });
        }
        match (ty.base(), value) {
            (Type::String, Value::Str(_)) | (Type::Bool, Value::Bool(_)) | (Type::Raw, _) => Ok(value.clone()),
            (Type::Int64, Value::Int(_)) => Ok(value.clone()),
            (Type::Int32, Value::Int(n)) if i32::try_from(*n).is_ok() => Ok(value.clone()),
            (Type::Int32 | Type::Int64, Value::Int(_) | Value::Float(_)) => {
                self.mismatch(&format!("number {}", number_text(value)), ty, owner)
            }
            (Type::Float64, Value::Int(_) | Value::Float(_)) => Ok(value.clone()),
            (Type::Bytes, Value::Str(text)) => match bad_base64(text) {
                None => Ok(value.clone()),
                Some(at) => {
                    self.remember(format!("illegal base64 data at input byte {at}"));
                    Ok(Value::Null)
                }
            },
            (Type::Quantity, _) => self.quantity(value),
            (Type::IntOrString, _) => self.int_or_string(value, owner),
            (Type::Time | Type::MicroTime, _) => self.time(ty.base(), value, owner),
            (Type::Struct(id), Value::Map(fields)) => self.structure(*id, fields),
            (Type::List(inner), Value::List(items)) => {
                let mut read = Vec::with_capacity(items.len());
                for (i, item) in items.iter().enumerate() {
                    let before = self.path.len();
                    self.path.push_str(&format!("[{i}]"));
                    read.push(self.value(inner, item, owner)?);
                    self.path.truncate(before);
                }
                Ok(read.into())
            }
            (Type::Map { value: inner, .. }, Value::Map(entries)) => {
                let mut read = Map::new();
                for (key, item) in entries.iter() {
                    let before = self.path.len();
                    self.path.push_str(&format!(".{key}"));
                    read.insert(key, self.value(inner, item, owner)?);
                    self.path.truncate(before);
                }
                Ok(read.into())
            }
            _ => self.mismatch(json_word(value), ty, owner),
        }
    }

    fn quantity(&mut self, value: &Value) -> Walked<Value> {
        let text = match value {
            Value::Str(text) => text.trim().to_string(),
            Value::Int(_) | Value::Float(_) => number_text(value),
            _ => return self.stop(quantity::WRONG_FORMAT),
        };
        match Quantity::parse(&text) {
            Ok(quantity) => Ok(quantity.to_string().into()),
            Err(text) => self.stop(text),
        }
    }

    fn int_or_string(&mut self, value: &Value, owner: &str) -> Walked<Value> {
        match value {
            Value::Str(_) => Ok(value.clone()),
            Value::Int(n) if i32::try_from(*n).is_ok() => Ok(value.clone()),
            Value::Int(_) | Value::Float(_) => {
                let text = self.mismatch_text(&format!("number {}", number_text(value)), "int32", owner);
                self.stop(text)
            }
            other => {
                let text = self.mismatch_text(json_word(other), "int32", owner);
                self.stop(text)
            }
        }
    }

    fn time(&mut self, ty: &Type, value: &Value, owner: &str) -> Walked<Value> {
        let Value::Str(text) = value else {
            let text = self.mismatch_text(json_word(value), "string", owner);
            return self.stop(text);
        };
        let micro = *ty == Type::MicroTime;
        match SimTime::parse_rfc3339(text) {
            // Our moments are coarser; a text in the form it is written in keeps its digits.
            Some(_) if micro && text.len() == "2006-01-02T15:04:05.000000Z".len() && text.ends_with('Z') => {
                Ok(value.clone())
            }
            Some(time) => Ok(if micro { time.rfc3339_micro() } else { time.rfc3339() }.into()),
            None => self.stop(time_error(text, micro)),
        }
    }

    /// Remembers that a value of kind `what` does not fit, if nothing was wrong before, and goes on.
    fn mismatch(&mut self, what: &str, ty: &Type, owner: &str) -> Walked<Value> {
        let go_type = self.schema.go_type(ty.pointed());
        let text = self.mismatch_text(what, &go_type, owner);
        self.remember(text);
        Ok(Value::Null)
    }

    fn mismatch_text(&self, what: &str, go_type: &str, owner: &str) -> String {
        format!("json: cannot unmarshal {what} into Go struct field {owner}.{} of type {go_type}", self.names.join("."))
    }

    fn remember(&mut self, text: String) {
        if self.first_error.is_none() {
            self.first_error = Some(TypeError { text, path: self.path.clone() });
        }
    }

    fn stop<T>(&self, text: impl Into<String>) -> Walked<T> {
        Err(TypeError { text: text.into(), path: self.path.clone() })
    }
}

/// The fields of a struct as Go writes them. `read` holds those that were given.
fn written_back(schema: &Schema, id: StructId, mut read: Map) -> Value {
    let mut out = Map::new();
    for name in ["apiVersion", "kind"] {
        // Of an object; references have fields of the same names.
        if schema.field(id, name).is_some() {
            continue;
        }
        if let Some(value) = read.remove(name).filter(|v| !v.is_empty()) {
            out.insert(name, value);
        }
    }
    for field in schema.fields(id) {
        let value = match read.remove(field.name) {
            Some(value) => value,
            None if field.omit_zero || skipped_when_absent(field) => continue,
            None => zero(schema, &field.ty),
        };
        if !left_out(field, &value) {
            out.insert(field.name, value);
        }
    }
    out.into()
}

fn skipped_when_absent(field: &Field) -> bool {
    let is_struct =
        matches!(field.ty, Type::Struct(_) | Type::Quantity | Type::IntOrString | Type::Time | Type::MicroTime);
    field.omit_empty && !is_struct
}

fn left_out(field: &Field, value: &Value) -> bool {
    if field.omit_zero && value.is_empty() {
        return true;
    }
    match &field.ty {
        Type::Pointer(_) => field.omit_empty && value.is_null(),
        Type::Struct(_) | Type::Quantity | Type::IntOrString | Type::Time | Type::MicroTime => false,
        _ => field.omit_empty && value.is_empty(),
    }
}

/// Go's zero value of a type, as JSON.
fn zero(schema: &Schema, ty: &Type) -> Value {
    match ty {
        Type::String => "".into(),
        Type::Int32 | Type::Int64 | Type::Float64 | Type::IntOrString => Value::Int(0),
        Type::Bool => Value::Bool(false),
        Type::Quantity => "0".into(),
        Type::Named { base, .. } => zero(schema, base),
        Type::Struct(id) => written_back(schema, *id, Map::new()),
        Type::Bytes
        | Type::Time
        | Type::MicroTime
        | Type::Raw
        | Type::Pointer(_)
        | Type::List(_)
        | Type::Map { .. } => Value::Null,
    }
}

/// JSON's word for a value, as Go's errors have it.
fn json_word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Float(_) => "number",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
    }
}

/// A number as Go's JSON encoder writes it.
fn number_text(value: &Value) -> String {
    match value {
        Value::Float(x) if x.abs() >= 1e21 || (*x != 0.0 && x.abs() < 1e-6) => {
            let text = format!("{x:e}");
            if text.contains("e-") { text } else { text.replace('e', "e+") }
        }
        Value::Float(x) => x.to_string(),
        other => other.to_json(),
    }
}

/// The offset of the first byte that makes a text no base64; line breaks are let pass.
fn bad_base64(text: &str) -> Option<usize> {
    let bytes: Vec<(usize, u8)> = text.bytes().enumerate().filter(|(_, b)| !matches!(b, b'\n' | b'\r')).collect();
    let padding = bytes.iter().rev().take_while(|(_, b)| *b == b'=').count();
    let body = &bytes[..bytes.len() - padding];
    if let Some((at, _)) = body.iter().find(|(_, b)| !(b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))) {
        return Some(*at);
    }
    match (body.len() % 4, padding) {
        (0, 0) | (2, 2) | (3, 1) => None,
        (0 | 1, 1..) => Some(body.last().map_or(0, |(i, _)| i + 1)),
        _ => Some(text.len()),
    }
}

/// The text of Go's `time.Parse` for a text that is no RFC 3339 time.
fn time_error(text: &str, micro: bool) -> String {
    let layout = if micro { "2006-01-02T15:04:05.000000Z07:00" } else { "2006-01-02T15:04:05Z07:00" };
    let mut rest = text;
    for element in ["2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05"] {
        let digits = element.bytes().all(|b| b.is_ascii_digit());
        let fits = match rest.get(..element.len()) {
            Some(part) if digits => part.bytes().all(|b| b.is_ascii_digit()),
            Some(part) => part == element,
            None => false,
        };
        if !fits {
            return format!("parsing time {text:?} as {layout:?}: cannot parse {rest:?} as {element:?}");
        }
        rest = &rest[element.len()..];
    }
    let element = if micro && !rest.starts_with('.') { ".000000" } else { "Z07:00" };
    format!("parsing time {text:?} as {layout:?}: cannot parse {rest:?} as {element:?}")
}
