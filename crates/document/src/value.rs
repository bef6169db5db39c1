//! A metadata value: JSON-like, and lossless for numbers and nested values that it does not look into.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// A metadata value.
///
/// Scalars are typed; arrays, objects and numbers beyond `i64` and `f64` stay JSON text ([`Json`]), because
/// stages pass them on far more often than they look inside, and a number re-parsed as `f64` may come back
/// as another number.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// JSON `null`: the field is known to have no value.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A finite number with a fraction or an exponent.
    Float(f64),
    /// A string.
    String(String),
    /// An array, an object, or a number that fits neither `i64` nor `f64`.
    Json(Json),
}

/// A metadata value, borrowed: what a stage sees of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'a> {
    /// JSON `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A finite number.
    Float(f64),
    /// A string.
    String(&'a str),
    /// Valid JSON text of an array, an object or a large number.
    Json(&'a str),
}

/// Valid, compact JSON text.
#[derive(Debug, Clone)]
pub struct Json(Box<RawValue>);

impl Json {
    /// Checks `text` and holds it; blanks inside are kept as they are.
    ///
    /// # Errors
    ///
    /// When `text` is not one JSON value.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<Box<RawValue>>(text).map(Self)
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl From<Box<RawValue>> for Json {
    fn from(value: Box<RawValue>) -> Self {
        Self(value)
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Value {
    /// The value, borrowed.
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Bool(value) => ValueRef::Bool(*value),
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Float(value) => ValueRef::Float(*value),
            Self::String(value) => ValueRef::String(value),
            Self::Json(value) => ValueRef::Json(value.as_str()),
        }
    }

    /// The string, if the value is one.
    pub fn as_str(&self) -> Option<&str> {
        self.as_ref().as_str()
    }

    /// Bytes held outside the value itself.
    pub fn size(&self) -> usize {
        match self {
            Self::String(value) => value.len(),
            Self::Json(value) => value.as_str().len(),
            _ => 0,
        }
    }
}

impl<'a> ValueRef<'a> {
    /// The string, if the value is one.
    pub fn as_str(self) -> Option<&'a str> {
        match self {
            Self::String(value) => Some(value),
            _ => None,
        }
    }

    /// An owned copy. JSON text that turns out not to be valid becomes a string, so that nothing is lost.
    pub fn to_value(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Integer(value) => Value::Integer(value),
            Self::Float(value) => Value::from(value),
            Self::String(value) => Value::String(value.to_owned()),
            Self::Json(text) => serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Json(value) => value.0.serialize(serializer),
            other => other.as_ref().serialize(serializer),
        }
    }
}

impl Serialize for ValueRef<'_> {
    /// JSON text is written as it stands; a serializer that is not JSON sees it as a nested value only
    /// through [`Value`].
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::String(value) => serializer.serialize_str(value),
            Self::Json(text) => match serde_json::from_str::<&RawValue>(text) {
                Ok(raw) => raw.serialize(serializer),
                Err(_) => serializer.serialize_str(text),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    /// From JSON: the raw text is taken first, so that large numbers and nested values stay exact.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        from_raw(raw).map_err(serde::de::Error::custom)
    }
}

fn from_raw(raw: Box<RawValue>) -> Result<Value, serde_json::Error> {
    let text = raw.get();
    Ok(match text.as_bytes().first() {
        Some(b'n') => Value::Null,
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'"') => Value::String(serde_json::from_str(text)?),
        Some(b'{' | b'[') => Value::Json(Json(raw)),
        _ => number(text).unwrap_or(Value::Json(Json(raw))),
    })
}

/// A JSON number as `i64`, or as `f64` where that is exact enough to be written back unchanged.
fn number(text: &str) -> Option<Value> {
    if let Ok(value) = text.parse::<i64>() {
        return Some(Value::Integer(value));
    }
    let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite())?;
    let written = serde_json::to_string(&value).ok()?;
    (written == text).then_some(Value::Float(value))
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::String(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<f64> for Value {
    /// NaN and the infinities have no JSON form and become `Null`.
    fn from(value: f64) -> Self {
        if value.is_finite() { Self::Float(value) } else { Self::Null }
    }
}

impl From<Json> for Value {
    fn from(value: Json) -> Self {
        Self::Json(value)
    }
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::String(value) => Self::String(value),
            other => serde_json::value::to_raw_value(&other).and_then(from_raw).unwrap_or(Self::Null),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_that_a_float_would_change_stay_text() {
        for text in ["18446744073709551615", "1.10", "1e400", "0.1234567890123456789"] {
            let value: Value = serde_json::from_str(text).expect("valid JSON");
            assert!(matches!(value, Value::Json(_)), "{text}: {value:?}");
            assert_eq!(serde_json::to_string(&value).expect("serialisable"), text);
        }
    }

    proptest! {
        #[test]
        fn a_borrowed_copy_equals_its_owner(text in ".*", whole in any::<i64>(), float in any::<f64>()) {
            for value in [Value::from(text), Value::from(whole), Value::from(float)] {
                prop_assert_eq!(value.as_ref().to_value(), value);
            }
        }
    }
}
