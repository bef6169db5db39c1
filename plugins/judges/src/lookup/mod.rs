//! `lookup`: gives documents what a table knows of them.

mod options;
mod table;
#[cfg(test)]
mod tests;

use tamis_plugin::{Draft, Extractor, Failure, SetupError, Value, ValueRef, Verdict};
use tamis_text::domain::readable;
use tamis_text::hosts::host_or_bare;

pub use options::{LookupBy, LookupOptions, Missing};
use table::{Table, read};

/// Looks documents up in a table; see [`LookupOptions`].
#[derive(Debug)]
pub struct Lookup {
    table: Table,
    field: String,
    by: LookupBy,
    take: Vec<String>,
    missing: Missing,
}

impl Extractor for Lookup {
    const NAME: &'static str = "lookup";
    // What it reads stands in the options.
    const READS: &'static [&'static str] = &["*"];
    // Where it is written stands in the options.
    const WRITES: &'static [&'static str] = &[];
    type Options = LookupOptions;

    fn open(options: LookupOptions) -> Result<Self, SetupError> {
        let LookupOptions { table, key, field, by, take, missing } = options;
        if table.is_empty() {
            return Err(SetupError::in_option("table", "it looks nothing up: give a `table`"));
        }
        if take.is_empty() && missing == Missing::Keep {
            let message = "it changes nothing: name columns in `take`, or give `missing = \"drop\"`";
            return Err(SetupError::in_option("take", message));
        }
        let spelled = |key: &str| match by {
            LookupBy::Host => readable(key).into_owned(),
            LookupBy::Value => key.to_owned(),
        };
        let table = read(&table, &key, &take, &spelled).map_err(|why| SetupError::in_option("table", why))?;
        Ok(Self { table, field, by, take, missing })
    }

    fn counters(&self) -> Vec<String> {
        vec!["lookup:found".to_owned()]
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let found = match draft.original().metadata(&self.field) {
            None | Some(ValueRef::Null) => None,
            Some(ValueRef::String(value)) => self.find(value),
            Some(ValueRef::Integer(number)) => self.find(&number.to_string()),
            Some(_) => {
                let message = format!(
                    "field `{}` is no string and no whole number: it cannot be looked up",
                    self.field
                );
                return Err(Failure::new(message));
            }
        };
        let Some(values) = found else {
            draft.notes().count("lookup:missing", 1);
            return Ok(match self.missing {
                Missing::Keep => Verdict::Keep,
                Missing::Drop => Verdict::Drop("not-in-table".into()),
            });
        };
        for (name, value) in self.take.iter().zip(values) {
            if let Some(value) = value {
                draft.set_metadata(name.clone(), value.clone());
            }
        }
        draft.notes().count("lookup:found", 1);
        Ok(Verdict::Keep)
    }
}

impl Lookup {
    fn find(&self, value: &str) -> Option<&[Option<Value>]> {
        let get = |key: &str| self.table.get(key).map(Vec::as_slice);
        match self.by {
            LookupBy::Value => get(value),
            LookupBy::Host => {
                let host = host_or_bare(value).unwrap_or_default();
                let domains = std::iter::successors(Some(host.as_str()), |domain| {
                    domain.split_once('.').map(|(_, parent)| parent)
                });
                domains.filter(|domain| !domain.is_empty()).find_map(get)
            }
        }
    }
}
