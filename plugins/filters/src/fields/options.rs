//! Options of `fields`.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tamis_plugin::SetupError;

/// Renames, copies, replaces, sets and drops fields of metadata.
///
/// Use it to give fields the names that other stages and readers of the output know (`title`, `author`, `published`,
/// `url`, `language`), to tidy their values, to mark a collection, and to leave out what nobody needs.
///
/// ```toml
/// [[stage]]
/// use = "fields"
/// rename = { headline = "title", lang = "language" }
/// copy = { url = "id" }
/// replace = [{ field = "title", pattern = '\s+[|–-]\s+Daily Mill$', with = "" }]
/// default = { language = "en" }
/// set = { license = "CC-BY-4.0", batch = 7 }
/// drop = ["html_bytes"]
/// ```
///
/// The order is always `rename`, `copy`, `replace`, `default`, `set`, `drop` or `keep`: later ones see what earlier ones
/// have done. For another order use the stage twice.
///
/// | option | what happens |
/// | --- | --- |
/// | `rename` | the field has the new name; one that had that name is overwritten. All at once: two may exchange names |
/// | `copy` | the new field has the same value; `id` and `text` may be copied and copied to, `raw` may be copied: it is decoded. All at once |
/// | `replace` | what the regular expression finds is replaced, everywhere; `$1`, `${name}` are its groups; also in `text` and `id` |
/// | `default` | the field has this value if it is missing, null or an empty string |
/// | `set` | the field has this value, whatever it was |
/// | `drop` | the field is gone |
/// | `keep` | all other fields are gone |
///
/// A field that is missing is passed over.
/// A name with dots reaches into objects, unless there is a field of that very name: `rename = { "author.name" = "author" }`
/// takes the member out of the object, `drop = ["page.html"]` leaves the rest of `page`, `keep = ["page.title"]` nothing else of
/// it; an object of which nothing is left is gone. New names, and what is set, are names of fields.
/// A document fails if a list or an object would have to be a string, or an id would be empty.
///
/// Counts: `rename:<field>`, `copy:<field>`, `replace:<field>:<pattern>`, `default:<field>` and `drop:<field>`, of documents in
/// which something was done; those of `replace` and `default` that stay at 0 are named at the end of a run, and so are fields
/// that no document had.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct FieldsOptions {
    /// New names of fields, by their old ones: `{ headline = "title" }`.
    #[schemars(extend("minProperties" = 1, "x-field-keys" = "remove", "additionalProperties" = {"type": "string", "minLength": 1, "x-field": "write"}))]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rename: BTreeMap<String, String>,
    /// Fields to copy to, by those that are copied: `{ url = "id" }`.
    #[schemars(extend("minProperties" = 1, "x-field-keys" = "read", "additionalProperties" = {"type": "string", "minLength": 1, "x-field": "write"}))]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub copy: BTreeMap<String, String>,
    /// What is replaced in fields, in this order.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replace: Vec<Replace>,
    /// Values of fields that are missing, null or an empty string.
    #[schemars(extend("minProperties" = 1, "x-field-keys" = "write"))]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub default: BTreeMap<String, serde_json::Value>,
    /// Values of fields, whatever they were: `{ license = "CC-BY-4.0" }`.
    #[schemars(extend("minProperties" = 1, "x-field-keys" = "write"))]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, serde_json::Value>,
    /// Fields to leave out.
    #[schemars(length(min = 1), extend("x-field" = "remove", "uniqueItems" = true))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    /// The only fields to keep; an empty list keeps none.
    #[schemars(extend("x-field" = "keep", "uniqueItems" = true, "x-needs" = {"drop": "none"}))]
    pub keep: Option<Vec<String>>,
}

/// What is replaced in a field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replace {
    /// The field, or `text` or `id`.
    #[schemars(length(min = 1), extend("x-field" = "read"))]
    pub field: String,
    /// A regular expression; `(?i)` before it ignores case, `(?m)` makes `^` and `$` mean lines.
    #[schemars(length(min = 1))]
    pub pattern: String,
    /// What stands there instead; `$1` is the first group, `$$` a dollar sign.
    pub with: String,
}

/// What is no field of metadata.
const PARTS: [&str; 3] = ["id", "text", "raw"];

impl FieldsOptions {
    /// Looks for what makes no sense, or has no effect.
    pub(super) fn check(&self) -> Result<(), SetupError> {
        self.check_names()?;
        check_pairs("rename", &self.rename)?;
        check_pairs("copy", &self.copy)?;
        self.check_values("default", &self.default)?;
        self.check_values("set", &self.set)?;
        self.check_left_out()
    }

    fn check_names(&self) -> Result<(), SetupError> {
        let is_part = |name: &&String| PARTS.contains(&name.as_str());
        if let Some(name) = self.rename.keys().find(is_part) {
            let message = format!("`{name}` is no field of metadata: use `copy`");
            return Err(SetupError::in_key(format!("rename.{name}"), message));
        }
        let dropped = self.drop.iter().map(|name| ("drop", name));
        let kept = self.keep.iter().flatten().map(|name| ("keep", name));
        if let Some((option, name)) = dropped.chain(kept).find(|(_, name)| is_part(name)) {
            return Err(SetupError::in_option(option, format!("`{name}` is no field of metadata")));
        }
        let replaced = self.replace.iter().find(|rule| rule.field == "raw");
        replaced.map_or(Ok(()), |_| {
            Err(SetupError::in_option("replace", "`raw` is bytes: copy it to `text` or a field first"))
        })
    }

    fn check_values(
        &self,
        option: &str,
        values: &BTreeMap<String, serde_json::Value>,
    ) -> Result<(), SetupError> {
        for (name, value) in values {
            let at = format!("{option}.{name}");
            if PARTS.contains(&name.as_str()) {
                return Err(SetupError::in_key(at, format!("every document would have the same `{name}`")));
            }
            if option == "default" && self.set.contains_key(name) {
                let message = format!("it has no effect: `set` gives `{name}` a value in any case");
                return Err(SetupError::in_key(at, message));
            }
            if option == "default" && value.as_str() == Some("") {
                let message = "it has no effect: an empty string is what it stands in for";
                return Err(SetupError::in_option(at, message));
            }
        }
        Ok(())
    }

    /// What is written here and taken out here again.
    fn check_left_out(&self) -> Result<(), SetupError> {
        let written = |option: &'static str| move |name: &String| (option, name.clone());
        let values = self.default.keys().map(written("default")).chain(self.set.keys().map(written("set")));
        let pairs =
            self.rename.values().map(written("rename")).chain(self.copy.values().map(written("copy")));
        let dropped: BTreeSet<&String> = self.drop.iter().collect();
        for (option, name) in values.chain(pairs) {
            let is_field = !PARTS.contains(&name.as_str());
            let by = if dropped.contains(&name) {
                "drop"
            } else if is_field && self.keep.as_ref().is_some_and(|keep| !keep.contains(&name)) {
                "keep"
            } else {
                continue;
            };
            let message =
                format!("`{option}` writes `{name}`, which `{by}` leaves out again: one has no effect");
            return Err(SetupError::in_option(by, message));
        }
        Ok(())
    }
}

/// Looks for pairs of names that cannot be.
fn check_pairs(option: &str, pairs: &BTreeMap<String, String>) -> Result<(), SetupError> {
    let mut targets = BTreeMap::new();
    for (from, to) in pairs {
        let error = |message: String| Err(SetupError::in_option(format!("{option}.{from}"), message));
        if from == to {
            return error(format!("`{from}` to itself has no effect"));
        }
        if to == "raw" {
            return error("nothing can be written to `raw`: it is the bytes as scraped".to_owned());
        }
        if option == "rename" && PARTS.contains(&to.as_str()) {
            return error(format!(
                "`{to}` is no field of metadata: use `copy`, and `drop` if `{from}` is to go"
            ));
        }
        if let Some(other) = targets.insert(to, from) {
            return error(format!("`{other}` and `{from}` both become `{to}`"));
        }
    }
    Ok(())
}
