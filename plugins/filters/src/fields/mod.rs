//! `fields`: renames, copies, replaces, sets and drops fields of metadata.

mod options;
mod replace;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

use tamis_plugin::{
    Draft, Extractor, Failure, Form, Forms, Metadata, SetupError, Value, ValueRef, Verdict, nested,
};
use tamis_text::encoding::{Hints, decode};

pub use options::{FieldsOptions, Replace};
use replace::Replacement;

/// Changes fields; see [`FieldsOptions`].
#[derive(Debug)]
pub struct Fields {
    /// New names by old ones.
    rename: BTreeMap<String, String>,
    copy: BTreeMap<String, String>,
    replace: Vec<Replacement>,
    default: BTreeMap<String, Value>,
    set: BTreeMap<String, Value>,
    drop: Vec<String>,
    keep: Option<Vec<String>>,
}

impl Extractor for Fields {
    const NAME: &'static str = "fields";
    // What it reads and writes stands in the options.
    const READS: &'static [&'static str] = &["*"];
    const WRITES: &'static [&'static str] = &[];
    type Options = FieldsOptions;

    fn open(options: FieldsOptions) -> Result<Self, SetupError> {
        options.check()?;
        let FieldsOptions { rename, copy, replace, default, set, drop, keep } = options;
        let values = |values: BTreeMap<String, serde_json::Value>| {
            values.into_iter().map(|(name, value)| (name, Value::from(value))).collect()
        };
        let replace = replace.into_iter().map(Replacement::new).collect::<Result<_, _>>()?;
        Ok(Self { rename, copy, replace, default: values(default), set: values(set), drop, keep })
    }

    fn counters(&self) -> Vec<String> {
        let counter = |action: &'static str| move |name: &String| format!("{action}:{name}");
        // Fields that no document has are told by whoever runs the stage, which names them in its options.
        let replaced = self.replace.iter().map(|replacement| replacement.counter().to_owned());
        let defaults = self.default.keys().map(counter("default"));
        replaced.chain(defaults).collect()
    }

    fn forms(&self) -> Forms {
        // What was scraped is a page; what another field holds nobody knows.
        let is_page = self.copy.get("raw").is_some_and(|to| to == "text");
        Forms::new().giving(is_page.then_some(Form::Markup))
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        self.rename(draft);
        // All at once, so that none copies what another has just written.
        let copied = self.copy.iter().map(|(from, to)| Some((from, to, source(from, draft)?)));
        for (from, to, value) in copied.collect::<Vec<_>>().into_iter().flatten() {
            write(from, to, value, draft)?;
        }
        for replacement in &self.replace {
            replacement.apply(draft)?;
        }
        for (name, value) in &self.default {
            if is_empty(draft.metadata(name)) {
                draft.set_metadata(name.clone(), value.clone());
                draft.notes().count(format!("default:{name}"), 1);
            }
        }
        for (name, value) in &self.set {
            draft.set_metadata(name.clone(), value.clone());
        }
        for name in &self.drop {
            if take_out(draft, name) {
                draft.notes().count(format!("drop:{name}"), 1);
            }
        }
        self.keep(draft);
        Ok(Verdict::Keep)
    }
}

impl Fields {
    /// All at once, so that two fields may exchange their names.
    fn rename(&self, draft: &mut Draft<'_>) {
        let found: Vec<(&String, &String, Value)> =
            self.rename.iter().filter_map(|(from, to)| Some((from, to, value(draft, from)?))).collect();
        for (from, ..) in &found {
            take_out(draft, from);
        }
        for (from, to, value) in found {
            draft.set_metadata(to.clone(), value);
            draft.notes().count(format!("rename:{from}"), 1);
        }
    }

    fn keep(&self, draft: &mut Draft<'_>) {
        let Some(keep) = &self.keep else { return };
        // Those that came in, and those that were written here.
        let written =
            self.rename.values().chain(self.copy.values()).chain(self.default.keys()).chain(self.set.keys());
        let names: Vec<String> =
            draft.original().fields().map(|(name, _)| name.to_owned()).chain(written.cloned()).collect();
        for name in names {
            let Some(value) = draft.metadata(&name).filter(|_| !keep.contains(&name)) else { continue };
            let inner = |keep: &'_ String| Some(keep.strip_prefix(&name)?.strip_prefix('.')?.to_owned());
            let inner: Vec<String> = keep.iter().filter_map(inner).collect();
            let inner: Vec<&str> = inner.iter().map(String::as_str).collect();
            let left = match value {
                ValueRef::Json(json) if !inner.is_empty() => nested::only(json, &inner),
                _ => None,
            };
            match left {
                Some(left) => draft.set_metadata(name, Value::Json(left)),
                None => draft.remove_metadata(name),
            }
        }
    }
}

/// Takes a field out, or the member of an object that a name with dots leads to; whether it was there.
fn take_out(draft: &mut Draft<'_>, name: &str) -> bool {
    if has_own(draft, name) {
        draft.remove_metadata(name.to_owned());
        return true;
    }
    let found = nested::ways(name).filter(|(outer, _)| has_own(draft, outer)).find_map(|(outer, inner)| {
        let ValueRef::Json(json) = draft.metadata(outer)? else { return None };
        Some((outer.to_owned(), nested::without(json, inner)?))
    });
    let is_there = found.is_some();
    if let Some((outer, left)) = found {
        if left.as_str() == "{}" {
            draft.remove_metadata(outer);
            return true;
        }
        draft.set_metadata(outer, Value::Json(left));
    }
    is_there
}

/// Whether there is a field of that very name: one with dots is found inside of objects as well.
fn has_own(draft: &Draft<'_>, name: &str) -> bool {
    let is_read = draft.metadata(name).is_some();
    is_read && (!name.contains('.') || draft.original().fields().any(|(own, _)| own == name))
}

/// Whether there is nothing that a default would hide.
fn is_empty(value: Option<ValueRef<'_>>) -> bool {
    matches!(value, None | Some(ValueRef::Null | ValueRef::String("")))
}

/// What is to be copied: a field, the text, the id or the bytes as scraped; `None` if it is not there.
fn source(from: &str, draft: &Draft<'_>) -> Option<Value> {
    match from {
        "text" => Some(Value::from(draft.text())),
        "id" => Some(Value::from(draft.id())),
        "raw" => {
            let hints = Hints { markup: true, ..Hints::default() };
            Some(Value::from(decode(draft.raw()?, &hints).text.as_ref()))
        }
        field => value(draft, field),
    }
}

/// A field, or the member of an object that a name with dots leads to, as the document is by now.
fn value(draft: &Draft<'_>, name: &str) -> Option<Value> {
    let own = draft.metadata(name).map(ValueRef::to_value);
    own.or_else(|| {
        nested::ways(name).find_map(|(outer, inner)| {
            let Some(ValueRef::Json(json)) = draft.metadata(outer) else { return None };
            let members: Metadata = serde_json::from_str(json).ok()?;
            members.find(inner).map(Cow::into_owned)
        })
    })
}

fn write(from: &str, to: &str, value: Value, draft: &mut Draft<'_>) -> Result<(), Failure> {
    match to {
        "text" => draft.set_text(written(from, to, value)?),
        "id" => {
            let id = written(from, to, value)?;
            if id.is_empty() {
                return Err(Failure::new(format!("field `{from}` is empty, and `id` cannot be")));
            }
            draft.set_id(id);
        }
        field => draft.set_metadata(field.to_owned(), value),
    }
    draft.notes().count(format!("copy:{from}"), 1);
    Ok(())
}

/// A scalar as a string.
fn written(from: &str, to: &str, value: Value) -> Result<String, Failure> {
    let what = match value {
        Value::String(text) => return Ok(text),
        Value::Integer(number) => return Ok(number.to_string()),
        Value::Float(number) => return Ok(number.to_string()),
        Value::Bool(_) => "true or false",
        Value::Null => "null",
        Value::Json(_) => "a list or an object",
    };
    Err(Failure::new(format!("field `{from}` is {what}, and `{to}` must be a string")))
}

/// The text of a target that must be a string, if it is there.
fn string<'d>(name: &str, draft: &'d Draft<'_>) -> Result<Option<Cow<'d, str>>, Failure> {
    match name {
        "text" => Ok(Some(Cow::Borrowed(draft.text()))),
        "id" => Ok(Some(Cow::Borrowed(draft.id()))),
        field => match draft.metadata(field) {
            None | Some(ValueRef::Null) => Ok(None),
            Some(ValueRef::String(text)) => Ok(Some(Cow::Borrowed(text))),
            Some(other) => written(field, field, other.to_value()).map(|text| Some(Cow::Owned(text))),
        },
    }
}
