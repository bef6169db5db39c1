//! What `metadata` finds: JSON Lines with `id`, `text` and perhaps `url` on standard input, `id` and the found
//! fields on standard output. For looking at one's own pages, and for scoring.
//!
//! `cargo run -p tamis-extractors --example metadata_of <pages.jsonl`

use std::io::{BufRead as _, Write as _};

use serde_json::{Map, Value, json};
use tamis_extractors::{Metadata, MetadataOptions};
use tamis_plugin::{Document, Draft, Extractor as _, View};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let stage = Metadata::open(MetadataOptions::default()).map_err(|error| error.to_string())?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let page: Value = serde_json::from_str(&line?)?;
        let field = |name: &str| page[name].as_str().unwrap_or_default();
        let mut document = Document::new(field("id"), field("text"));
        for name in ["url", "title"] {
            if let Some(value) = page[name].as_str() {
                document.metadata.insert(name, value);
            }
        }
        let mut draft = Draft::new(View::from(&document));
        stage.extract(&mut draft).map_err(|failure| failure.to_string())?;
        draft.finish().0.apply(&mut document);
        let mut fields = Map::new();
        fields.insert("id".to_owned(), json!(document.id));
        for (name, value) in document.metadata.iter() {
            fields.insert(name.to_owned(), serde_json::to_value(value)?);
        }
        writeln!(out, "{}", Value::from(fields))?;
    }
    Ok(())
}
