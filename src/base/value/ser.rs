//! Between types and trees: `Serialize` for the tree itself, and a serde serializer that makes one.

use serde::ser::{Impossible, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

use super::{DecodeError, Map, Name, Value};

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(b) => serializer.serialize_bool(*b),
            Value::Int(n) => serializer.serialize_i64(*n),
            Value::Float(x) => serializer.serialize_f64(*x),
            Value::Str(s) => serializer.serialize_str(s),
            Value::List(items) => serializer.collect_seq(items.iter()),
            Value::Map(map) => serializer.collect_map(map.iter()),
        }
    }
}

/// A serializer whose output is a [`Value`]. Enums are written by their variants' names; only unit variants are allowed.
pub(super) struct ToValue;

pub(super) struct ToList(Vec<Value>);

pub(super) struct ToMap {
    map: Map,
    key: Option<Name>,
}

impl Serializer for ToValue {
    type Ok = Value;
    type Error = DecodeError;
    type SerializeSeq = ToList;
    type SerializeTuple = Impossible<Value, DecodeError>;
    type SerializeTupleStruct = Impossible<Value, DecodeError>;
    type SerializeTupleVariant = Impossible<Value, DecodeError>;
    type SerializeMap = ToMap;
    type SerializeStruct = ToMap;
    type SerializeStructVariant = Impossible<Value, DecodeError>;

    fn serialize_bool(self, v: bool) -> Result<Value, DecodeError> {
        Ok(v.into())
    }
    fn serialize_i8(self, v: i8) -> Result<Value, DecodeError> {
        Ok(Value::Int(v.into()))
    }
    fn serialize_i16(self, v: i16) -> Result<Value, DecodeError> {
        Ok(Value::Int(v.into()))
    }
    fn serialize_i32(self, v: i32) -> Result<Value, DecodeError> {
        Ok(v.into())
    }
    fn serialize_i64(self, v: i64) -> Result<Value, DecodeError> {
        Ok(v.into())
    }
    fn serialize_u8(self, v: u8) -> Result<Value, DecodeError> {
        Ok(Value::Int(v.into()))
    }
    fn serialize_u16(self, v: u16) -> Result<Value, DecodeError> {
        Ok(Value::Int(v.into()))
    }
    fn serialize_u32(self, v: u32) -> Result<Value, DecodeError> {
        Ok(v.into())
    }
    fn serialize_u64(self, v: u64) -> Result<Value, DecodeError> {
        Ok(i64::try_from(v).map_or(Value::Float(v as f64), Value::Int))
    }
    fn serialize_f32(self, v: f32) -> Result<Value, DecodeError> {
        Ok(Value::Float(v.into()))
    }
    fn serialize_f64(self, v: f64) -> Result<Value, DecodeError> {
        Ok(Value::Float(v))
    }
    fn serialize_char(self, v: char) -> Result<Value, DecodeError> {
        Ok(v.to_string().into())
    }
    fn serialize_str(self, v: &str) -> Result<Value, DecodeError> {
        Ok(v.into())
    }
    fn serialize_bytes(self, v: &[u8]) -> Result<Value, DecodeError> {
        Ok(Value::list(v.iter().map(|b| Value::Int((*b).into()))))
    }
    fn serialize_none(self) -> Result<Value, DecodeError> {
        Ok(Value::Null)
    }
    fn serialize_some<T: Serialize + ?Sized>(self, v: &T) -> Result<Value, DecodeError> {
        v.serialize(self)
    }
    fn serialize_unit(self) -> Result<Value, DecodeError> {
        Ok(Value::Null)
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, DecodeError> {
        Ok(Value::Null)
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Value, DecodeError> {
        Ok(variant.into())
    }
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, v: &T) -> Result<Value, DecodeError> {
        v.serialize(self)
    }
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Value, DecodeError> {
        Err(unsupported())
    }
    fn serialize_seq(self, len: Option<usize>) -> Result<ToList, DecodeError> {
        Ok(ToList(Vec::with_capacity(len.unwrap_or(0))))
    }
    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, DecodeError> {
        Err(unsupported())
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, DecodeError> {
        Err(unsupported())
    }
    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, DecodeError> {
        Err(unsupported())
    }
    fn serialize_map(self, _: Option<usize>) -> Result<ToMap, DecodeError> {
        Ok(ToMap { map: Map::new(), key: None })
    }
    fn serialize_struct(self, _: &'static str, fields: usize) -> Result<ToMap, DecodeError> {
        Ok(ToMap { map: Map::with_capacity(fields), key: None })
    }
    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, DecodeError> {
        Err(unsupported())
    }
}

impl SerializeSeq for ToList {
    type Ok = Value;
    type Error = DecodeError;
    fn serialize_element<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<(), DecodeError> {
        self.0.push(v.serialize(ToValue)?);
        Ok(())
    }
    fn end(self) -> Result<Value, DecodeError> {
        Ok(self.0.into())
    }
}

impl SerializeMap for ToMap {
    type Ok = Value;
    type Error = DecodeError;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), DecodeError> {
        match key.serialize(ToValue)? {
            Value::Str(key) => self.key = Some(key.into()),
            Value::Int(number) => self.key = Some(number.to_string().into()),
            _ => return Err(unsupported()),
        }
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, v: &T) -> Result<(), DecodeError> {
        let key = self.key.take().ok_or_else(unsupported)?;
        self.map.insert(key, v.serialize(ToValue)?);
        Ok(())
    }
    fn end(self) -> Result<Value, DecodeError> {
        Ok(self.map.into())
    }
}

impl SerializeStruct for ToMap {
    type Ok = Value;
    type Error = DecodeError;
    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, v: &T) -> Result<(), DecodeError> {
        self.map.insert(Name::Known(key), v.serialize(ToValue)?);
        Ok(())
    }
    fn end(self) -> Result<Value, DecodeError> {
        Ok(self.map.into())
    }
}

fn unsupported() -> DecodeError {
    serde::ser::Error::custom("tuples and data-carrying enums have no place in an API object")
}
