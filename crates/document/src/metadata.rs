//! Metadata: a sorted map from names to values.

use std::borrow::Cow;
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

    /// The value of `name`, or of the member of a nested object that a name with dots leads to.
    ///
    /// ```
    /// use tamis_document::{Metadata, Value};
    ///
    /// let metadata: Metadata = serde_json::from_str(r#"{"author": {"name": "Ann"}}"#)?;
    /// assert_eq!(metadata.find("author.name").as_deref(), Some(&Value::from("Ann")));
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn find(&self, name: &str) -> Option<Cow<'_, Value>> {
        let own = self.get(name).map(Cow::Borrowed);
        own.or_else(|| member(name, |field| self.get(field)).map(Cow::Owned))
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

    /// Makes many changes, in their order: `Some` sets the field of that name, `None` removes it.
    ///
    /// Takes the time of a sort, where changing field after field would move the fields behind each one again:
    /// 400,000 fields that came in no order took over a minute that way.
    pub fn apply(&mut self, changes: impl IntoIterator<Item = (String, Option<Value>)>) {
        /// So many changes cost less one by one than a second vector does.
        const FEW: usize = 16;
        let mut changes = changes.into_iter();
        for (name, value) in changes.by_ref().take(FEW) {
            match value {
                Some(value) => self.insert(name, value),
                None => self.remove(&name),
            };
        }
        let rest: Vec<_> = changes.collect();
        if !rest.is_empty() {
            self.merge(rest);
        }
    }

    fn merge(&mut self, mut changes: Vec<(String, Option<Value>)>) {
        // Stable, so that the last change of a name stays the last.
        changes.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut merged = Vec::with_capacity(self.fields.len() + changes.len());
        let mut fields = std::mem::take(&mut self.fields).into_iter().peekable();
        let mut changes = changes.into_iter().peekable();
        while let Some((name, value)) = changes.next() {
            if changes.peek().is_some_and(|(next, _)| *next == name) {
                continue;
            }
            while let Some(before) = fields.next_if(|(field, _)| *field < name) {
                merged.push(before);
            }
            drop(fields.next_if(|(field, _)| *field == name));
            merged.extend(value.map(|value| (name, value)));
        }
        merged.extend(fields);
        self.fields = merged;
    }

    /// Takes over those fields of `other` whose names are not here.
    pub fn inherit(&mut self, other: &Self) {
        let own = std::mem::replace(self, other.clone());
        self.apply(own.fields.into_iter().map(|(name, value)| (name, Some(value))));
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

/// The member of a nested object that a name with dots leads to, `author.name`, given the values of fields.
///
/// Names may have dots of their own, as columns of a flattened table have, so the longest name of a field is tried
/// first; and whoever asks looks for a field of the whole name before.
pub fn member<'v>(name: &str, field: impl Fn(&str) -> Option<&'v Value>) -> Option<Value> {
    name.rmatch_indices('.').find_map(|(dot, _)| {
        let (Some(outer), Some(inner)) = (name.get(..dot), name.get(dot + 1..)) else { return None };
        let Value::Json(json) = field(outer)? else { return None };
        let members: Metadata = serde_json::from_str(json.as_str()).ok()?;
        members.find(inner).map(Cow::into_owned)
    })
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let fields: Vec<_> = fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self::from(fields)
    }
}

impl From<Vec<(String, Value)>> for Metadata {
    /// Fields in any order; of two of one name the last wins.
    fn from(mut fields: Vec<(String, Value)>) -> Self {
        // Readers and most stages write in name order.
        if !fields.is_sorted_by(|(one, _), (other, _)| one < other) {
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            fields.dedup_by(|later, earlier| {
                let is_same = later.0 == earlier.0;
                if is_same {
                    std::mem::swap(later, earlier);
                }
                is_same
            });
        }
        Self { fields }
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
        /// More room than this is not made on the word of the input.
        const MAX_RESERVED: usize = 64;

        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Metadata;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a map of metadata fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
                let mut fields = Vec::with_capacity(map.size_hint().unwrap_or_default().min(MAX_RESERVED));
                while let Some(field) = map.next_entry::<String, Value>()? {
                    fields.push(field);
                }
                Ok(Metadata::from(fields))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn names_with_dots_lead_into_objects_and_are_names_first() {
        let json = r#"{"a":{"b":{"c":1},"n":null},"a.b":{"c":2,"d.e":3},"list":["x"],"text":"y","x.y":4}"#;
        let metadata: Metadata = serde_json::from_str(json).unwrap();
        let found = |name: &str| metadata.find(name).map(|value| serde_json::to_string(&value).unwrap());
        let cases = [
            ("text", Some("\"y\"")),
            ("x.y", Some("4")),
            ("a.b.c", Some("2")),
            ("a.b.d.e", Some("3")),
            ("a.n", Some("null")),
            ("a.b", Some(r#"{"c":2,"d.e":3}"#)),
            ("a.x", None),
            ("list.0", None),
            ("text.length", None),
            (".a", None),
            ("a.", None),
            ("a..b", None),
            (".", None),
        ];
        for (name, expected) in cases {
            assert_eq!(found(name).as_deref(), expected, "{name}");
        }
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

    /// 400,000 names in no order, each more than once: a vector that moves its fields for every one of them
    /// makes this test the slowest by far.
    #[test]
    fn many_fields_in_any_order_are_sorted_once() {
        const N: u64 = 400_000;
        let name = |n: u64| format!("k{}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15) % N);
        let built: Metadata = (0..N).map(|n| (name(n), n as i64)).collect();
        let mut changed: Metadata = [("first", 1)].into_iter().collect();
        changed.apply((0..N).map(|n| (name(n), Some(Value::from(n as i64)))));
        assert_eq!(changed.remove("first"), Some(Value::Integer(1)));
        assert_eq!(changed, built);
        let names: std::collections::BTreeMap<_, _> = (0..N).map(|n| (name(n), n as i64)).collect();
        assert_eq!(built.len(), names.len());
        for ((name, value), (expected_name, expected)) in built.iter().zip(&names) {
            assert_eq!((name, value), (expected_name.as_str(), &Value::Integer(*expected)));
        }
    }

    proptest! {
        #[test]
        fn many_changes_are_what_one_after_the_other_are(
            before in prop::collection::vec(("[a-z]{1,2}", any::<i64>()), 0..40),
            changes in prop::collection::vec(("[a-z]{1,2}", prop::option::of(any::<i64>())), 0..60),
        ) {
            let mut one_by_one = Metadata::new();
            for (name, value) in before.clone() {
                one_by_one.insert(name, value);
            }
            let mut at_once: Metadata = before.into_iter().collect();
            prop_assert_eq!(&at_once, &one_by_one);
            at_once.apply(changes.iter().map(|(name, value)| (name.clone(), value.map(Value::from))));
            for (name, value) in changes {
                match value {
                    Some(value) => one_by_one.insert(name, value),
                    None => one_by_one.remove(&name),
                };
            }
            prop_assert_eq!(at_once, one_by_one);
        }
    }
}
