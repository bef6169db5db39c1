//! A stage of each kind, as they were written for the SDK of ABI 1.1; see `../../README.md`.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::{Mutex, OnceLock};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tamis_plugin::{
    Block, CorpusStage, Cut, Document, Draft, Emit, ExportView, Exporter, Extractor, Failure, Filter, Limit,
    NewDocument, NoOptions, Notes, Output, Reader, SetupError, ValueRef, Verdict, View,
};

tamis_plugin::export_plugin! {
    readers: [Lines],
    filters: [FewWords],
    extractors: [Halve],
    corpus_stages: [Common],
    exporters: [Texts],
}

/// A document of each line.
pub struct Lines;

impl Reader for Lines {
    const NAME: &'static str = "frozen-lines";
    const WRITES: &'static [&'static str] = &["text", "line"];
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn cut(&self, bytes: &[u8], end: bool) -> Cut {
        let end = if end { bytes.len() } else { bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1) };
        let records = bytes[..end].split_inclusive(|byte| *byte == b'\n').count() as u64;
        if end == 0 { Cut::More } else { Cut::At { bytes: end, records } }
    }

    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        let mut at = block.offset;
        for (ordinal, line) in (block.first_ordinal..).zip(block.bytes.split_inclusive(|byte| *byte == b'\n')) {
            match std::str::from_utf8(line.trim_ascii_end()) {
                Ok(text) => emit.document(&NewDocument {
                    text,
                    raw: Some(line),
                    metadata: &[("line", ValueRef::Integer(ordinal as i64))],
                    ordinal,
                    offset: at,
                    length: line.len() as u64,
                    ..NewDocument::default()
                }),
                Err(error) => emit.failed(ordinal, at, line, &Failure::new(error)),
            }
            at += line.len() as u64;
        }
        Ok(())
    }
}

/// Drops documents of few words.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FewWordsOptions {
    /// Fewest words of a document that is kept.
    min_words: usize,
}

impl Default for FewWordsOptions {
    fn default() -> Self {
        Self { min_words: 2 }
    }
}

pub struct FewWords(FewWordsOptions);

impl Filter for FewWords {
    const NAME: &'static str = "frozen-few-words";
    type Options = FewWordsOptions;

    fn open(options: FewWordsOptions) -> Result<Self, SetupError> {
        Ok(Self(options))
    }

    fn counters(&self) -> Vec<String> {
        vec!["seen".to_owned(), "never".to_owned()]
    }

    fn filter(&self, document: &View<'_>, notes: &mut Notes) -> Result<Verdict, Failure> {
        if document.text().contains("fail") {
            return Err(Failure::new("it says so"));
        }
        assert!(!document.text().contains("panic"), "no luck");
        let n_words = document.text().split_whitespace().count();
        notes.measure("words", n_words as f64, Limit::Min(self.0.min_words as f64));
        notes.count("seen", 1);
        Ok(if n_words < self.0.min_words { Verdict::Drop("few-words".into()) } else { Verdict::Keep })
    }
}

/// Splits the second half of a text at `|` off.
pub struct Halve;

impl Extractor for Halve {
    const NAME: &'static str = "frozen-halve";
    const WRITES: &'static [&'static str] = &["text", "half"];
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let text = draft.text().to_owned();
        if let Some((first, second)) = text.split_once('|') {
            draft.set_text(first);
            draft.set_metadata("half", 1);
            let mut document = Document::new("", second);
            document.metadata.insert("half", 2);
            draft.split_off(document);
        }
        Ok(Verdict::Keep)
    }
}

/// Says of each document how many have its text.
#[derive(Default)]
pub struct Common {
    counting: Mutex<BTreeMap<String, u64>>,
    counted: OnceLock<BTreeMap<String, u64>>,
}

impl CorpusStage for Common {
    const NAME: &'static str = "frozen-common";
    const WRITES: &'static [&'static str] = &["copies"];
    type Options = NoOptions;
    type Local = BTreeMap<String, u64>;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self::default())
    }

    fn observe(&self, _: u32, local: &mut Self::Local, document: &View<'_>) -> Result<(), Failure> {
        *local.entry(document.text().to_owned()).or_default() += 1;
        Ok(())
    }

    fn merge(&self, _: u32, local: Self::Local) {
        let mut counting = self.counting.lock().expect("nothing panics here");
        for (text, n) in local {
            *counting.entry(text).or_default() += n;
        }
    }

    fn end_pass(&self, _: u32) -> Result<(), Failure> {
        let counting = std::mem::take(&mut *self.counting.lock().expect("nothing panics here"));
        self.counted.set(counting).map_err(|_| Failure::new("the pass has ended before"))
    }

    fn apply(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let copies = self.counted.get().and_then(|counted| counted.get(draft.text())).copied();
        draft.set_metadata("copies", copies.unwrap_or_default() as i64);
        Ok(Verdict::Keep)
    }

    fn save(&self, _: u32, out: &mut dyn Write) -> Result<(), Failure> {
        for (text, n) in &*self.counting.lock().expect("nothing panics here") {
            writeln!(out, "{n} {}", text.replace('\\', "\\b").replace('\n', "\\n")).map_err(Failure::new)?;
        }
        Ok(())
    }

    fn load(&self, pass: u32, state: &mut dyn Read) -> Result<(), Failure> {
        let mut text = String::new();
        state.read_to_string(&mut text).map_err(Failure::new)?;
        let entry = |line: &str| {
            let (n, text) = line.split_once(' ')?;
            Some((text.replace("\\n", "\n").replace("\\b", "\\"), n.parse().ok()?))
        };
        let local: Option<_> = text.split_terminator('\n').map(entry).collect();
        self.merge(pass, local.ok_or_else(|| Failure::new("this is no state of counts"))?);
        Ok(())
    }
}

/// Writes texts, a line each.
pub struct Texts;

impl Exporter for Texts {
    const NAME: &'static str = "frozen-texts";
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn extension(&self) -> &str {
        "txt"
    }

    fn encode(&self, record: &ExportView<'_>, out: &mut Output) -> Result<(), Failure> {
        let document = &record.document;
        let words = record.measures.first().map_or(0.0, |measure| measure.value);
        let copies = match document.metadata("copies") {
            Some(ValueRef::Integer(copies)) => copies,
            _ => 0,
        };
        let (at, length) = record.span;
        let line = format!("{} {at}+{length} {words} {copies} {}\n", document.id(), document.text());
        out.bytes.extend_from_slice(line.as_bytes());
        Ok(())
    }
}
