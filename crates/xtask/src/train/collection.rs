//! How much of what is a document's own survives, on a collection without gold.
//!
//! A line is own if it stands in one document alone, shared if at least [`MIN_SHARED`] documents have it; blanks,
//! digits, marks of Markdown and pictures aside. A good cleaner keeps nearly all own lines.

use std::collections::HashMap;
use std::path::Path;

use rayon::prelude::*;
use serde::Deserialize;
use tamis_extractors::training::{Decision, Marks, Page, State};

/// So many documents have a shared line.
const MIN_SHARED: u32 = 20;
/// Shorter lines are not asked for, letters and signs.
const MIN_CHARS: usize = 4;
/// A document with fewer own lines is not counted among those that lose.
const MIN_OWN: usize = 5;

#[derive(Debug, Deserialize)]
struct Line {
    id: String,
    text: String,
}

/// A collection, and the pages of its documents.
pub(super) struct Collection {
    documents: Vec<Document>,
    counts: HashMap<String, u32>,
}

struct Document {
    text: String,
    page: Page,
    keys: Vec<String>,
    _id: String,
}

impl Collection {
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let lines: Vec<Line> = super::cases::lines(path)?;
        let document = |line: Line| Document {
            page: Page::read(&line.text, None, &Marks::default()),
            keys: line.text.split('\n').map(key).filter(|key| key.chars().count() >= MIN_CHARS).collect(),
            text: line.text,
            _id: line.id,
        };
        let documents: Vec<Document> = lines.into_par_iter().map(document).collect();
        let mut counts = HashMap::new();
        for document in &documents {
            let mut keys: Vec<&String> = document.keys.iter().collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                *counts.entry(key.clone()).or_default() += 1;
            }
        }
        Ok(Self { documents, counts })
    }

    /// What a way of deciding keeps, in words.
    pub(super) fn report(&self, decide: impl Fn(&Page) -> Option<Decision> + Sync) -> String {
        let kept: Vec<[usize; 4]> =
            self.documents.par_iter().map(|document| self.kept(document, decide(&document.page))).collect();
        let sum = |at: usize| kept.iter().map(|counts| counts[at]).sum::<usize>() as f64;
        let (own, kept_own, shared, kept_shared) = (sum(0), sum(1), sum(2), sum(3));
        let asked: Vec<_> = kept.iter().filter(|counts| counts[0] >= MIN_OWN).collect();
        let lost = asked.iter().filter(|counts| counts[1] * 2 < counts[0]).count();
        format!(
            "own lines kept {:.3}, documents that lose over half of theirs {:.3}, shared lines kept {:.3}",
            kept_own / own,
            lost as f64 / asked.len().max(1) as f64,
            kept_shared / shared.max(1.0),
        )
    }

    /// Own lines, those of them that stay, shared lines, those of them that stay.
    fn kept(&self, document: &Document, decision: Option<Decision>) -> [usize; 4] {
        let text = match decision {
            None => key(&document.text),
            Some(decision) => document
                .page
                .ranges()
                .zip(&decision.states)
                .filter(|(_, state)| **state == State::Inside)
                .map(|(range, _)| key(document.text.get(range).unwrap_or_default()))
                .collect(),
        };
        let mut counts = [0; 4];
        for line in &document.keys {
            let at = match self.counts.get(line) {
                Some(1) => 0,
                Some(n) if *n >= MIN_SHARED => 2,
                _ => continue,
            };
            counts[at] += 1;
            counts[at + 1] += usize::from(memchr::memmem::find(text.as_bytes(), line.as_bytes()).is_some());
        }
        counts
    }
}

/// A line without blanks, digits, marks of Markdown and pictures.
fn key(line: &str) -> String {
    let mut key = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if let Some(picture) = rest.strip_prefix("![")
            && let Some(end) = picture.find(']')
        {
            rest = picture.get(end + 1..).unwrap_or_default();
            continue;
        }
        let mark = matches!(c, '#' | '>' | '*' | '`' | '|' | '-' | '_' | '=' | '~' | ':' | '：');
        if !mark && !c.is_whitespace() && !c.is_numeric() {
            key.push(c);
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    key
}
