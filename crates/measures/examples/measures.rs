//! Prints the words and all measures of each document of JSON Lines, for comparisons with other programs
//! (`compare/with_datatrove.py`).
//!
//! Reads `{"text": …, "stop_words": […]}` from standard input; `stop_words` may be missing.

use std::io::{BufRead, Write};

use serde_json::{Map, Value, json};
use tamis_measures::{Measure, Measurer, StopWords, words};

fn main() -> std::io::Result<()> {
    let mut measurer = Measurer::default();
    let mut found = Vec::new();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let document: Value = serde_json::from_str(&line?)?;
        let text = document.get("text").and_then(Value::as_str).unwrap_or_default();
        let stop_words = document.get("stop_words").and_then(Value::as_array);
        let stop_words = StopWords::new(stop_words.into_iter().flatten().filter_map(Value::as_str));
        let values = measurer.measure(text, Measure::ALL, &stop_words);
        words(text, &mut found);
        let words: Vec<&str> = found.iter().filter_map(|word| text.get(word.range())).collect();
        let named: Map<String, Value> = Measure::ALL
            .iter()
            .map(|measure| (measure.name().to_owned(), json!(values.get(*measure))))
            .collect();
        serde_json::to_writer(&mut out, &json!({ "words": words, "measures": named }))?;
        writeln!(out)?;
    }
    Ok(())
}
