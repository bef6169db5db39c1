//! What `line-template` with `cluster = true` leaves of documents that nobody has grouped: JSON Lines with `id` and
//! `text` on standard input, the same on standard output, with what the stage has counted of each. For looking at
//! one's own collection, and for scoring.
//!
//! `cargo run --release -p tamis-corpus --example line_template_of <pages.jsonl >stripped.jsonl`

use std::io::{BufRead as _, Write as _};

use serde_json::{Value, json};
use tamis_corpus::{LineTemplate, LineTemplateOptions};
use tamis_plugin::{CorpusStage, Document, Draft, Verdict, View};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = LineTemplateOptions { cluster: true, ..LineTemplateOptions::default() };
    let stage = LineTemplate::open(options).map_err(|error| error.to_string())?;
    let mut documents = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let page: Value = serde_json::from_str(&line?)?;
        let field = |name: &str| page[name].as_str().unwrap_or_default();
        documents.push(Document::new(field("id"), field("text")));
    }
    for pass in 0..stage.passes() {
        let mut local = <LineTemplate as CorpusStage>::Local::default();
        for document in &documents {
            stage.observe(pass, &mut local, &View::from(document)).map_err(|it| it.to_string())?;
        }
        stage.merge(pass, local);
        stage.end_pass(pass).map_err(|it| it.to_string())?;
    }
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for document in &mut documents {
        let mut draft = Draft::new(View::from(&*document));
        let verdict = stage.apply(&mut draft).map_err(|it| it.to_string())?;
        let (edits, notes) = draft.finish();
        edits.apply(document);
        let counts: Vec<&str> = notes.counts().iter().map(|(name, _)| name.as_ref()).collect();
        let dropped = matches!(verdict, Verdict::Drop(_));
        let (id, text) = (&document.id, &document.text);
        writeln!(out, "{}", json!({ "id": id, "text": text, "counts": counts, "dropped": dropped }))?;
    }
    Ok(())
}
