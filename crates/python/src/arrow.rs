//! Documents as record batches.

use std::sync::Arc;

use arrow_array_59::cast::AsArray;
use arrow_array_59::{Array, ArrayRef, RecordBatch, StringArray, StringViewArray, types};
use arrow_schema_59::{DataType, Field, Schema};
use tamis_document::{Document, Record, Value};

use crate::documents;

/// A column of a document.
enum Column<'a> {
    Id(&'a dyn Array),
    Text(&'a dyn Array),
    Raw(&'a dyn Array),
    Form(&'a dyn Array),
    /// Fields as JSON objects.
    Metadata(&'a dyn Array),
    Field(&'a str, &'a dyn Array),
}

/// Reads documents: `text` and, if they are there, `id`, `raw`, `form` and `metadata` (JSON objects); every other column
/// is a field.
pub(crate) fn read(batch: &RecordBatch) -> Result<Vec<Document>, String> {
    let mut documents: Vec<Document> =
        (0..batch.num_rows()).map(|row| Document::new(row.to_string(), "")).collect();
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        let array = array.as_ref();
        let column = match field.name().as_str() {
            "id" => Column::Id(array),
            "text" => Column::Text(array),
            "raw" => Column::Raw(array),
            "form" => Column::Form(array),
            "metadata" => Column::Metadata(array),
            name => Column::Field(name, array),
        };
        for (row, document) in documents.iter_mut().enumerate().filter(|(row, _)| array.is_valid(*row)) {
            column
                .fill(document, row)
                .map_err(|why| format!("row {row} of column `{}`: {why}", field.name()))?;
        }
    }
    Ok(documents)
}

impl Column<'_> {
    fn fill(&self, document: &mut Document, row: usize) -> Result<(), String> {
        match self {
            Self::Id(array) => text(*array, row)?.clone_into(&mut document.id),
            Self::Text(array) => text(*array, row)?.clone_into(&mut document.text),
            Self::Raw(array) => document.raw = Some(bytes(*array, row)?.to_vec()),
            Self::Form(array) => document.form = Some(documents::form(text(*array, row)?)?),
            Self::Metadata(array) => {
                let fields: serde_json::Map<String, serde_json::Value> =
                    serde_json::from_str(text(*array, row)?)
                        .map_err(|error| format!("no JSON object: {error}"))?;
                for (name, value) in fields {
                    document.metadata.insert(name, Value::from(value));
                }
            }
            Self::Field(name, array) => {
                document.metadata.insert(*name, value(*array, row)?);
            }
        }
        Ok(())
    }
}

fn text(array: &dyn Array, row: usize) -> Result<&str, String> {
    match array.data_type() {
        DataType::Utf8 => Ok(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Ok(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Ok(array.as_string_view().value(row)),
        other => Err(format!("the column has the type {other} and must be one of strings")),
    }
}

fn bytes(array: &dyn Array, row: usize) -> Result<&[u8], String> {
    match array.data_type() {
        DataType::Binary => Ok(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => Ok(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => Ok(array.as_binary_view().value(row)),
        _ => text(array, row).map(str::as_bytes).map_err(|why| why.replace("strings", "bytes")),
    }
}

fn value(array: &dyn Array, row: usize) -> Result<Value, String> {
    macro_rules! integer {
        ($type:ident) => {
            Ok(Value::Integer(array.as_primitive::<types::$type>().value(row).into()))
        };
    }
    match array.data_type() {
        DataType::Boolean => Ok(Value::Bool(array.as_boolean().value(row))),
        DataType::Int8 => integer!(Int8Type),
        DataType::Int16 => integer!(Int16Type),
        DataType::Int32 => integer!(Int32Type),
        DataType::Int64 => integer!(Int64Type),
        DataType::UInt8 => integer!(UInt8Type),
        DataType::UInt16 => integer!(UInt16Type),
        DataType::UInt32 => integer!(UInt32Type),
        DataType::UInt64 => {
            Ok(Value::from(serde_json::Value::from(array.as_primitive::<types::UInt64Type>().value(row))))
        }
        DataType::Float32 => {
            // As it is written, so that 0.2 stays 0.2.
            let number = array.as_primitive::<types::Float32Type>().value(row).to_string();
            Ok(number.parse::<f64>().map_or(Value::Null, Value::from))
        }
        DataType::Float64 => Ok(Value::from(array.as_primitive::<types::Float64Type>().value(row))),
        DataType::Null => Ok(Value::Null),
        other => text(array, row).map(Value::from).map_err(|_| {
            format!(
                "the type {other} is no field: give strings, numbers or truth values, or JSON in `metadata`"
            )
        }),
    }
}

/// Writes records: `id`, `text`, `metadata` (JSON objects), `fate` (`kept`, `dropped` or `failed`), `stage` and `reason`.
pub(crate) fn write(records: &[Record]) -> Result<RecordBatch, String> {
    let strings = |column: &dyn Fn(&Record) -> Option<String>| -> ArrayRef {
        Arc::new(records.iter().map(column).collect::<StringArray>())
    };
    // Texts of one batch may be more than the 2 GiB that 32-bit offsets reach.
    let texts: StringViewArray = records.iter().map(|it| Some(it.document.text.as_str())).collect();
    let columns: [(&str, ArrayRef, bool); 6] = [
        ("id", strings(&|it| Some(it.document.id.clone())), false),
        ("text", Arc::new(texts), false),
        ("metadata", strings(&|it| Some(documents::metadata(&it.document.metadata).to_string())), false),
        ("fate", strings(&|it| Some(documents::fate(it).0.to_owned())), false),
        ("stage", strings(&|it| it.stage.as_deref().map(str::to_owned)), true),
        ("reason", strings(&|it| documents::fate(it).1.map(str::to_owned)), true),
    ];
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array, nullable)| Field::new(*name, array.data_type().clone(), *nullable))
        .collect();
    let arrays = columns.into_iter().map(|(_, array, _)| array).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|error| error.to_string())
}
