//! Metadata: a sorted map from names to values.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Value, ValueRef};

/// A map from names to values, sorted by name, so that the same metadata is always written the same way.
///
/// Held as one sorted vector: a scraped document has a handful of fields, and for so few a binary search
/// over one allocation beats a tree of nodes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metadata {
    fields: Vec<(String, Value)>,
}

impl Metadata {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.position(name).ok().map(|index| &self.fields[index].1)
    }

    /// The field at `index` in name order.
    pub fn at(&self, index: usize) -> Option<(&str, ValueRef<'_>)> {
        self.fields.get(index).map(|(name, value)| (name.as_str(), value.as_ref()))
    }

    /// Sets `name` to `value` and returns what it replaced.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        // Readers and most stages write in name order: append without moving anything.
        if self.fields.last().is_none_or(|(last, _)| *last < name) {
            self.fields.push((name, value));
            return None;
        }
        match self.position(&name) {
            Ok(index) => Some(std::mem::replace(&mut self.fields[index].1, value)),
            Err(index) => {
                self.fields.insert(index, (name, value));
                None
            }
        }
    }

    /// Removes `name` and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.position(name).ok().map(|index| self.fields.remove(index).1)
    }

    /// The fields in name order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.fields.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Bytes held, without the bookkeeping of the allocations.
    pub fn size(&self) -> usize {
        self.fields.iter().map(|(name, value)| name.len() + value.size()).sum()
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.fields.binary_search_by(|(candidate, _)| candidate.as_str().cmp(name))
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut metadata = Self::new();
        for (name, value) in fields {
            metadata.insert(name, value);
        }
        metadata
    }
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Metadata;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a map of metadata fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                let mut metadata = Metadata::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    metadata.insert(name, value);
                }
                Ok(metadata)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_names_sorted_whatever_the_order_of_insertion() {
        let metadata: Metadata =
            [("title", "t"), ("author", "a"), ("url", "u"), ("title", "t2")].into_iter().collect();
        let names: Vec<_> = metadata.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["author", "title", "url"]);
        assert_eq!(metadata.get("title"), Some(&Value::from("t2")));
    }

    #[test]
    fn json_round_trip_loses_nothing() {
        let json = r#"{"big":123456789012345678901234567890,"float":1.5,"int":-3,"list":[1,{"a":null}],"none":null,"yes":true,"z":"字"}"#;
        let metadata: Metadata = serde_json::from_str(json).expect("valid JSON");
        assert_eq!(serde_json::to_string(&metadata).expect("serialisable"), json);
    }

    #[test]
    fn remove_gives_the_value_back() {
        let mut metadata: Metadata = [("a", 1), ("b", 2)].into_iter().collect();
        assert_eq!(metadata.remove("a"), Some(Value::Integer(1)));
        assert_eq!(metadata.remove("a"), None);
        assert_eq!(metadata.len(), 1);
    }
}
