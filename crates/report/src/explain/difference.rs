//! What went and what came between two texts.
//!
//! Lines are compared first, because stages take whole lines away; where some were replaced by others, words are, and
//! characters of scripts that have no blanks. Where these have little in common the lines stand as a whole: a
//! patchwork of single letters tells nobody anything.

use std::time::{Duration, Instant};

use serde::Serialize;
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};
use tamis_text::chars::is_cjk;

/// What became of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It stayed.
    Same,
    /// It was taken away.
    Removed,
    /// It was added.
    Added,
}

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// What became of it.
    pub kind: Kind,
    /// The text, with the ends of its lines.
    pub text: String,
}

/// Behind this time a difference is what it is: true, and not the shortest.
const PATIENCE: Duration = Duration::from_millis(400);
/// So much of two passages must be common for their words to be compared.
const COMMON: f64 = 0.4;
/// Passages with more words than this are compared by lines alone.
const MOST_WORDS: usize = 20_000;

/// The pieces of both texts in order: those that stayed and those that went make `before`, those that stayed and those
/// that came make `after`.
pub fn difference(before: &str, after: &str) -> Vec<Piece> {
    let deadline = Instant::now() + PATIENCE;
    // The end of a text without one is no change.
    let ended = |text: &str| {
        if text.is_empty() || text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
    };
    let (before, after) = (ended(before), ended(after));
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let mut pieces = Pieces::default();
    for op in capture_diff_slices_deadline(Algorithm::Patience, &old, &new, Some(deadline)) {
        let text = |lines: &[&str], range: std::ops::Range<usize>| lines[range].concat();
        let (removed, added) = (text(&old, op.old_range()), text(&new, op.new_range()));
        match op {
            DiffOp::Equal { .. } => pieces.push(Kind::Same, &added),
            DiffOp::Replace { .. } => replaced(&removed, &added, deadline, &mut pieces),
            DiffOp::Delete { .. } | DiffOp::Insert { .. } => {
                pieces.push(Kind::Removed, &removed);
                pieces.push(Kind::Added, &added);
            }
        }
    }
    pieces.0
}

/// Lines that were replaced by others: word by word, if there is something in common.
fn replaced(removed: &str, added: &str, deadline: Instant, pieces: &mut Pieces) {
    let (old, new) = (words(removed), words(added));
    let mut inner = Pieces::default();
    if old.len().max(new.len()) <= MOST_WORDS {
        for op in capture_diff_slices_deadline(Algorithm::Myers, &old, &new, Some(deadline)) {
            if let DiffOp::Equal { .. } = op {
                inner.push(Kind::Same, &new[op.new_range()].concat());
            } else {
                inner.push(Kind::Removed, &old[op.old_range()].concat());
                inner.push(Kind::Added, &new[op.new_range()].concat());
            }
        }
    }
    let visible = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    let common: usize =
        inner.0.iter().filter(|piece| piece.kind == Kind::Same).map(|piece| visible(&piece.text)).sum();
    if common as f64 >= COMMON * visible(removed).min(visible(added)).max(1) as f64 {
        inner.0.iter().for_each(|piece| pieces.push(piece.kind, &piece.text));
    } else {
        pieces.push(Kind::Removed, removed);
        pieces.push(Kind::Added, added);
    }
}

/// A line of a difference, as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// Pieces of one line, without its end.
    Text(Vec<Piece>),
    /// So many lines that are not shown, and what became of them.
    Gap(Kind, usize),
}

/// The lines of a difference: around what changed `context` lines that stayed, and of what went or came in one piece no
/// more than `most` lines.
pub fn lines(pieces: &[Piece], context: usize, most: usize) -> Vec<Line> {
    let mut all: Vec<Vec<Piece>> = vec![Vec::new()];
    for piece in pieces {
        for part in piece.text.split_inclusive('\n') {
            let text = part.trim_end_matches(['\n', '\r']).to_owned();
            if let Some(line) = all.last_mut() {
                line.push(Piece { kind: piece.kind, text });
            }
            if part.ends_with('\n') {
                all.push(Vec::new());
            }
        }
    }
    all.retain(|line| !line.is_empty());
    let mut shown = Vec::new();
    let runs: Vec<&[Vec<Piece>]> = all.chunk_by(|a, b| kind(a).is_some() && kind(a) == kind(b)).collect();
    for (index, run) in runs.iter().enumerate() {
        let (head, tail) = match run.first().and_then(|line| kind(line)) {
            Some(Kind::Same) => {
                let beside = |is_there: bool| if is_there { context } else { 0 };
                (beside(index > 0), beside(index + 1 < runs.len()))
            }
            Some(_) => (most.div_ceil(2), most / 2),
            None => (run.len(), 0),
        };
        let text = |line: &&Vec<Piece>| Line::Text((*line).clone());
        let of = run.first().and_then(|line| kind(line)).unwrap_or(Kind::Same);
        // Flattened pages are half blank lines, which tell nobody anything.
        let is_blank = |line: &&Vec<Piece>| line.iter().all(|piece| piece.text.trim().is_empty());
        let is_long = run.len() > head + tail + 1;
        let run: Vec<&Vec<Piece>> =
            run.iter().filter(|line| of == Kind::Same || !is_long || !is_blank(line)).collect();
        // A mark for one line takes as much room as the line.
        if run.len() <= head + tail + 1 {
            shown.extend(run.iter().map(text));
            continue;
        }
        shown.extend(run[..head].iter().map(text));
        shown.push(Line::Gap(of, run.len() - head - tail));
        shown.extend(run[run.len() - tail..].iter().map(text));
    }
    shown
}

/// What became of a line, if the same of all of it.
fn kind(line: &[Piece]) -> Option<Kind> {
    let first = line.first()?.kind;
    line.iter().all(|piece| piece.kind == first).then_some(first)
}

#[derive(Default)]
struct Pieces(Vec<Piece>);

impl Pieces {
    /// Adds some text; what is of the kind of the last piece goes on with it.
    fn push(&mut self, kind: Kind, text: &str) {
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(last) if last.kind == kind => last.text += text,
            _ => self.0.push(Piece { kind, text: text.to_owned() }),
        }
    }
}

/// Words, and every other character by itself.
fn words(text: &str) -> Vec<&str> {
    let is_of_word = |c: char| c.is_alphanumeric() && !is_cjk(c);
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if is_of_word(first) {
            rest.find(|c| !is_of_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, behind) = rest.split_at(end);
        words.push(word);
        rest = behind;
    }
    words
}
