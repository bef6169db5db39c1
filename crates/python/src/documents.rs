//! Documents as JSON, and records.

use serde_json::{Map, Value as Json, json};
use tamis_document::{Document, Fate, Form, Metadata, Record, Value};

/// Reads a list of documents: objects with `text`, and with `id`, `metadata` and `form` if they like.
pub(crate) fn read(json: &[u8]) -> Result<Vec<Document>, String> {
    let documents: Vec<Map<String, Json>> =
        serde_json::from_slice(json).map_err(|error| format!("no list of documents: {error}"))?;
    documents.into_iter().enumerate().map(|(index, fields)| document(index, fields)).collect()
}

fn document(index: usize, fields: Map<String, Json>) -> Result<Document, String> {
    let wrong = |what: &str| format!("document {index}: {what}");
    let mut document = Document::new(index.to_string(), "");
    for (name, value) in fields {
        match (name.as_str(), value) {
            ("id", Json::String(id)) if !id.is_empty() => document.id = id,
            ("text", Json::String(text)) => document.text = text,
            ("form", Json::String(name)) => document.form = Some(form(&name).map_err(|why| wrong(&why))?),
            ("metadata", Json::Object(fields)) => {
                document.metadata =
                    fields.into_iter().map(|(name, value)| (name, Value::from(value))).collect();
            }
            ("id" | "text" | "form" | "metadata", Json::Null) => {}
            ("id" | "text" | "form", _) => {
                return Err(wrong(&format!("`{name}` is no string that is not empty")));
            }
            ("metadata", _) => return Err(wrong("`metadata` is no object")),
            _ => {
                let message =
                    format!("unknown member `{name}`; there are `id`, `text`, `metadata` and `form`");
                return Err(wrong(&message));
            }
        }
    }
    Ok(document)
}

/// A form by its name.
pub(crate) fn form(name: &str) -> Result<Form, String> {
    let find = Form::ALL.into_iter().find(|form| form.as_str() == name);
    find.ok_or_else(|| format!("unknown form `{name}`; there are `markup`, `flattened` and `clean`"))
}

/// Writes a list of records.
pub(crate) fn write(records: &[Record]) -> String {
    let records: Vec<Json> = records.iter().map(record).collect();
    Json::Array(records).to_string()
}

/// Writes the first of some records.
pub(crate) fn write_one(records: &[Record]) -> String {
    records.first().map_or(Json::Null, record).to_string()
}

fn record(record: &Record) -> Json {
    let (fate, reason) = fate(record);
    let measures: Map<String, Json> = record
        .measures
        .iter()
        .map(|measure| (measure.name.clone().into_owned(), json!(measure.value)))
        .collect();
    json!({
        "id": record.document.id,
        "text": record.document.text,
        "metadata": metadata(&record.document.metadata),
        "fate": fate,
        "stage": record.stage.as_deref(),
        "reason": reason,
        "measures": measures,
    })
}

/// The word for a fate, and its reason.
pub(crate) fn fate(record: &Record) -> (&'static str, Option<&str>) {
    match &record.fate {
        Fate::Kept => ("kept", None),
        Fate::Dropped(reason) => ("dropped", Some(reason)),
        Fate::Failed(reason) => ("failed", Some(reason)),
    }
}

/// Metadata as JSON.
pub(crate) fn metadata(fields: &Metadata) -> Json {
    serde_json::to_value(fields).unwrap_or_default()
}
