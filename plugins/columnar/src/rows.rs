//! Records as a batch of rows, in the columns of the output contract.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, BinaryArray, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use tamis_plugin::{ExportView, Failure, Fate, SetupError, ValueRef, json_object};

use crate::parquet::ColumnType;

/// The columns that rows have for one thing or another, so that no metadata field can have one of these names.
const TAKEN: [&str; 8] = ["id", "text", "metadata", "stage", "reason", "measures", "origin", "raw"];

/// Which columns there are, and what goes into them.
#[derive(Debug)]
pub(crate) struct Layout {
    /// Metadata fields that have one of their own.
    columns: BTreeMap<String, ColumnType>,
    /// Whether the other fields are in `metadata`.
    rest: bool,
    raw: bool,
    origin: bool,
}

/// What becomes of records decides which columns they need; an export takes one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Kept,
    Dropped,
    Failed,
}

/// A string that every record has.
pub(crate) type Text = for<'a> fn(&ExportView<'a>) -> Cow<'a, str>;

/// Records of a chunk that have no row, each with its index.
pub(crate) type Failures = Vec<(usize, Failure)>;

impl Layout {
    /// # Errors
    ///
    /// When two columns would have one name; query engines tell no cases apart.
    pub(crate) fn new(
        columns: BTreeMap<String, ColumnType>,
        rest: bool,
        raw: bool,
        origin: bool,
    ) -> Result<Self, SetupError> {
        let mut seen = BTreeMap::new();
        for name in columns.keys() {
            let folded = name.to_lowercase();
            if let Some(taken) = TAKEN.iter().find(|taken| **taken == folded) {
                let message = format_args!(
                    "there is a column `{taken}` already: give the field `{name}` another name before the export"
                );
                return Err(SetupError::in_option("columns", message));
            }
            if let Some(other) = seen.insert(folded, name) {
                let message = format_args!("`{other}` and `{name}` are one column to most query engines");
                return Err(SetupError::in_option("columns", message));
            }
        }
        Ok(Self { columns, rest, raw, origin })
    }

    /// The columns of kept documents, for a part that none came to.
    pub(crate) fn kept_schema(&self) -> SchemaRef {
        self.schema(Kind::Kept)
    }

    /// The columns of kept documents, if all are strings that every record has.
    pub(crate) fn kept_texts(&self) -> Option<Vec<Text>> {
        if !self.columns.is_empty() || self.raw {
            return None;
        }
        let mut texts: Vec<Text> =
            vec![|record| record.document.id().into(), |record| record.document.text().into(), |record| {
                json_object(record.document.fields()).into()
            }];
        if self.origin {
            texts.push(|record| record.origin_json().into());
        }
        Some(texts)
    }

    /// The records as rows.
    ///
    /// # Errors
    ///
    /// Names every record that has no row.
    pub(crate) fn batch(&self, records: &[ExportView<'_>]) -> Result<RecordBatch, Failures> {
        let kind = records.iter().map(kind_of).max().unwrap_or(Kind::Kept);
        let too_much = beyond_offsets(records);
        if !too_much.is_empty() {
            return Err(too_much);
        }
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(strings(records.iter().map(|record| record.document.id()))),
            Arc::new(strings(records.iter().map(|record| record.document.text()))),
        ];
        columns.extend(self.typed(records, kind)?);
        if self.has_metadata(kind) {
            let lifted = |name: &str| self.typed_columns(kind).any(|(column, _)| column == name);
            let others = |record: &ExportView<'_>| {
                json_object(record.document.fields().filter(|(name, _)| !lifted(name)))
            };
            columns.push(Arc::new(StringArray::from_iter_values(records.iter().map(others))));
        }
        if kind >= Kind::Dropped {
            columns.push(Arc::new(records.iter().map(|record| record.stage).collect::<StringArray>()));
            columns.push(Arc::new(records.iter().map(reason).collect::<StringArray>()));
            columns
                .push(Arc::new(StringArray::from_iter_values(records.iter().map(ExportView::measures_json))));
        }
        if self.has_origin(kind) {
            columns
                .push(Arc::new(StringArray::from_iter_values(records.iter().map(ExportView::origin_json))));
        }
        if self.has_raw(kind) {
            columns
                .push(Arc::new(records.iter().map(|record| record.document.raw()).collect::<BinaryArray>()));
        }
        RecordBatch::try_new(self.schema(kind), columns).map_err(|error| every(records.len(), &error))
    }

    fn has_origin(&self, kind: Kind) -> bool {
        self.origin || kind == Kind::Failed
    }

    fn has_raw(&self, kind: Kind) -> bool {
        self.raw || kind == Kind::Failed
    }

    fn schema(&self, kind: Kind) -> SchemaRef {
        let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
        let mut fields = vec![text("id", false), text("text", false)];
        let typed = self.typed_columns(kind);
        fields.extend(typed.map(|(name, column)| Field::new(name, column.data_type(), true)));
        fields.extend(self.has_metadata(kind).then(|| text("metadata", false)));
        if kind >= Kind::Dropped {
            fields.extend([text("stage", true), text("reason", true), text("measures", false)]);
        }
        if self.has_origin(kind) {
            fields.push(text("origin", false));
        }
        if self.has_raw(kind) {
            fields.push(Field::new("raw", DataType::Binary, true));
        }
        Arc::new(Schema::new(fields))
    }

    /// The metadata fields that have columns. Those of dead letters have none: a value of the wrong type may be what
    /// they failed for.
    fn typed_columns(&self, kind: Kind) -> impl Iterator<Item = (&str, ColumnType)> {
        let columns = if kind == Kind::Failed { None } else { Some(&self.columns) };
        columns.into_iter().flatten().map(|(name, column)| (name.as_str(), *column))
    }

    fn has_metadata(&self, kind: Kind) -> bool {
        self.rest || self.columns.is_empty() || kind == Kind::Failed
    }

    fn typed(&self, records: &[ExportView<'_>], kind: Kind) -> Result<Vec<ArrayRef>, Failures> {
        let mut builders: Vec<_> =
            self.typed_columns(kind).map(|(name, column)| (name, Builder::new(column))).collect();
        let mut failures = Vec::new();
        for (index, record) in records.iter().enumerate() {
            for (name, builder) in &mut builders {
                if let Err(found) = builder.push(record.document.metadata(name)) {
                    let wanted = builder.describes();
                    let message = format_args!("field `{name}` is {found}, not {wanted} as `columns` says");
                    failures.push((index, Failure::new(message)));
                    break;
                }
            }
        }
        if !failures.is_empty() {
            return Err(failures);
        }
        Ok(builders.into_iter().map(|(_, builder)| builder.finish()).collect())
    }
}

/// Every record of a chunk fails for one reason.
pub(crate) fn every(n_records: usize, why: &impl std::fmt::Display) -> Failures {
    (0..n_records).map(|index| (index, Failure::new(why))).collect()
}

/// Records whose bytes would not fit behind the 32-bit offsets of a column.
pub(crate) fn beyond_offsets(records: &[ExportView<'_>]) -> Failures {
    // Metadata and measures may need a few times their size as JSON.
    const MAX_BYTES: usize = 1 << 30;
    let mut sum = 0_usize;
    let mut failures = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let size = record.document.text().len() + record.document.raw().map_or(0, <[u8]>::len);
        sum += size;
        if sum > MAX_BYTES {
            sum -= size;
            let message = format_args!("a record of {size} bytes; a block of this format holds {MAX_BYTES}");
            failures.push((index, Failure::new(message)));
        }
    }
    failures
}

/// A column of strings, in memory that is asked for once: most of a block is in one of them.
fn strings<'a>(values: impl Iterator<Item = &'a str> + Clone) -> StringArray {
    let n_bytes = values.clone().map(str::len).sum();
    let mut builder = StringBuilder::with_capacity(values.size_hint().0, n_bytes);
    values.for_each(|value| builder.append_value(value));
    builder.finish()
}

/// Gathers the values of one typed field.
enum Builder {
    String(StringBuilder),
    Integer(Int64Builder),
    Float(Float64Builder),
    Boolean(BooleanBuilder),
}

impl Builder {
    fn new(column: ColumnType) -> Self {
        match column {
            ColumnType::String => Self::String(StringBuilder::new()),
            ColumnType::Integer => Self::Integer(Int64Builder::new()),
            ColumnType::Float => Self::Float(Float64Builder::new()),
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::new()),
        }
    }

    fn describes(&self) -> &'static str {
        match self {
            Self::String(_) => "a string",
            Self::Integer(_) => "a whole number",
            Self::Float(_) => "a number",
            Self::Boolean(_) => "a boolean",
        }
    }

    /// Adds a value; says what it is if its type is another.
    fn push(&mut self, value: Option<ValueRef<'_>>) -> Result<(), &'static str> {
        match (self, value) {
            (Self::String(builder), Some(ValueRef::String(text))) => builder.append_value(text),
            (Self::Integer(builder), Some(ValueRef::Integer(value))) => builder.append_value(value),
            (Self::Float(builder), Some(ValueRef::Float(value))) => builder.append_value(value),
            (Self::Float(builder), Some(ValueRef::Integer(value))) => builder.append_value(value as f64),
            (Self::Boolean(builder), Some(ValueRef::Bool(value))) => builder.append_value(value),
            (Self::String(builder), None | Some(ValueRef::Null)) => builder.append_null(),
            (Self::Integer(builder), None | Some(ValueRef::Null)) => builder.append_null(),
            (Self::Float(builder), None | Some(ValueRef::Null)) => builder.append_null(),
            (Self::Boolean(builder), None | Some(ValueRef::Null)) => builder.append_null(),
            (_, Some(other)) => {
                return Err(match other {
                    ValueRef::Null => "null",
                    ValueRef::Bool(_) => "a boolean",
                    ValueRef::Integer(_) => "a whole number",
                    ValueRef::Float(_) => "a number with a fraction",
                    ValueRef::String(_) => "a string",
                    ValueRef::Json(_) => "a nested value or a large number",
                });
            }
        }
        Ok(())
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::String(mut builder) => Arc::new(builder.finish()),
            Self::Integer(mut builder) => Arc::new(builder.finish()),
            Self::Float(mut builder) => Arc::new(builder.finish()),
            Self::Boolean(mut builder) => Arc::new(builder.finish()),
        }
    }
}

fn kind_of(record: &ExportView<'_>) -> Kind {
    match record.fate {
        Fate::Kept => Kind::Kept,
        Fate::Dropped(_) => Kind::Dropped,
        Fate::Failed(_) => Kind::Failed,
    }
}

fn reason<'a>(record: &ExportView<'a>) -> Option<&'a str> {
    match record.fate {
        Fate::Kept => None,
        Fate::Dropped(reason) | Fate::Failed(reason) => Some(reason),
    }
}
