//! Values while an expression is evaluated: borrowed from the document wherever they can be.

use std::borrow::Cow;
use std::cmp::Ordering;

use tamis_document::ValueRef;

use crate::types::Type;

#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(Cow<'a, str>),
    Bytes(&'a [u8]),
    /// Items and fields of nested metadata.
    Json(serde_json::Value),
}

impl<'a> Value<'a> {
    /// A field of metadata; what is nested is parsed when it is asked for.
    pub(crate) fn of_field(field: ValueRef<'a>) -> Self {
        match field {
            ValueRef::Null => Self::Null,
            ValueRef::Bool(value) => Self::Bool(value),
            ValueRef::Integer(value) => Self::Integer(value),
            ValueRef::Float(value) => Self::Float(value),
            ValueRef::String(text) => Self::Text(Cow::Borrowed(text)),
            ValueRef::Json(json) => serde_json::from_str(json).map_or(Self::Null, Self::of_json),
        }
    }

    pub(crate) fn of_json(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Self::Integer(whole),
                None => Self::float(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Self::Text(Cow::Owned(text)),
            nested => Self::Json(nested),
        }
    }

    /// A number; what is none, as 0/0, is null.
    pub(crate) fn float(float: f64) -> Self {
        if float.is_finite() { Self::Float(float) } else { Self::Null }
    }

    pub(crate) fn of(&self) -> Type {
        match self {
            Self::Null => Type::Null,
            Self::Bool(_) => Type::Bool,
            Self::Integer(_) | Self::Float(_) => Type::Number,
            Self::Text(_) => Type::String,
            Self::Bytes(_) => Type::Bytes,
            Self::Json(serde_json::Value::Array(_)) => Type::List,
            Self::Json(_) => Type::Map,
        }
    }

    pub(crate) fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(whole) => Some(*whole as f64),
            Self::Float(float) => Some(*float),
            _ => None,
        }
    }

    /// How this one stands to another of the same type; `None` if the types differ or have no order.
    pub(crate) fn compare(&self, other: &Value<'_>) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(one), Value::Integer(other)) => Some(one.cmp(other)),
            (Self::Text(one), Value::Text(other)) => Some(one.as_ref().cmp(other.as_ref())),
            (Self::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
            _ => self.as_f64()?.partial_cmp(&other.as_f64()?),
        }
    }

    /// Whether they are the same; `None` if their types differ.
    pub(crate) fn equals(&self, other: &Value<'_>) -> Option<bool> {
        match (self, other) {
            (Self::Json(one), Value::Json(other)) => (self.of() == other_of(other)).then(|| one == other),
            (Self::Bytes(one), Value::Bytes(other)) => Some(one == other),
            _ => self.compare(other).map(Ordering::is_eq),
        }
    }
}

fn other_of(json: &serde_json::Value) -> Type {
    if json.is_array() { Type::List } else { Type::Map }
}
