//! Features of a segment by itself.

use tamis_text::chars::is_cjk;

use super::counts::Counts;
use super::features::{Node, bin};
use super::lexicon::Category;
use super::opinion::Opinion;

/// Limits of the bins of widths; Chinese characters count 1, others 0.4.
const WIDTHS: [f32; 7] = [2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0];

/// How many features come before those of phrases.
const N_OF_FORM: usize = 15;

/// The features that a segment has by itself.
#[derive(Debug, Clone)]
pub(super) struct Own {
    /// One of each group of which every segment has one.
    features: [u16; N_OF_FORM + 2],
    /// A bit for each category of phrases that it holds, that cover most of it, and that begin it.
    holds: u16,
    covered_by: u16,
    begins_with: u16,
}

impl Own {
    /// Calls `each` with all of them, in an order that does not change: sums of floats depend on it.
    #[inline]
    pub(super) fn each(&self, mut each: impl FnMut(usize)) {
        let (of_form, of_words) = self.features.split_at(N_OF_FORM);
        for feature in of_form {
            each(usize::from(*feature));
        }
        // Most segments hold no phrase.
        let mut rest = self.holds;
        while rest != 0 {
            let category = rest.trailing_zeros() as usize;
            each(Node::LexHolds.bin(category));
            if self.covered_by >> category & 1 != 0 {
                each(Node::LexCovers.bin(category));
            }
            if self.begins_with >> category & 1 != 0 {
                each(Node::LexBegins.bin(category));
            }
            rest &= rest - 1;
        }
        for feature in of_words {
            each(usize::from(*feature));
        }
    }
}

/// The features of a segment by what was counted in it.
pub(super) fn own(text: &str, counts: &Counts, opinion: &Opinion) -> Own {
    let [prose, spread] = words(counts, opinion);
    let digits = counts.n_digits as f32 / counts.n_chars.max(1) as f32;
    let glued = counts.n_glued as f32 / counts.n_words.max(1) as f32;
    let ends_as_code = text.ends_with([';', '{', '}']) || text.ends_with("*/") || text.ends_with("-->");
    let features = [
        width(counts).bin(bin(opinion.width, &WIDTHS)),
        Node::Ends.bin(counts.n_ends as usize),
        Node::EndsAs.bin(ends_as(counts)),
        Node::Commas.bin(bin(counts.n_commas as f32, &[0.0, 1.0, 3.0])),
        Node::Digits.bin(bin(digits, &[0.0, 0.1, 0.3, 0.6])),
        Node::Separators.bin(bin(counts.n_separators as f32, &[0.0, 1.0, 3.0])),
        Node::Quotes.bin(counts.n_quotes as usize),
        Node::Moment.bin(bin(counts.date_bytes as f32 / counts.bytes(), &[0.0, 0.4])),
        Node::Starts.bin(starts_with(text)),
        Node::Code.bin(bin(opinion.code, &[0.0, 0.03, 0.07, 0.15, 0.3])),
        Node::Glued.bin(bin(glued, &[0.0, 0.05, 0.15, 0.4])),
        Node::CodeEnd.bin(usize::from(!ends_as_code)),
        prose,
        spread,
        Node::Web.bin(usize::from(counts.has_address)),
        Node::LexAny.bin(bin(opinion.furniture, &[0.0, 0.1, 0.3, 0.6])),
        Node::CodeHits.bin(bin(counts.coverage(Category::Code), &[0.0, 0.08, 0.2, 0.4])),
    ];
    let (mut holds, mut covered_by, mut begins_with) = (0, 0, 0);
    for category in counts.categories() {
        let bit = 1 << category as u32;
        let covers = counts.hit_bytes[category as usize] as f32 > 0.5 * counts.bytes();
        holds |= bit;
        covered_by |= if covers { bit } else { 0 };
        begins_with |= if counts.begins_with(category) { bit } else { 0 };
    }
    Own { features: features.map(|feature| feature as u16), holds, covered_by, begins_with }
}

/// The group of the width, by script.
fn width(counts: &Counts) -> Node {
    if counts.is_cjk() {
        Node::WidthCjk
    } else if counts.n_latin * 2 > counts.n_letters().max(1) {
        Node::WidthLatin
    } else {
        Node::WidthOther
    }
}

/// The share of words of prose, and of blanks between Chinese words or of capitals at others.
fn words(counts: &Counts, opinion: &Opinion) -> [usize; 2] {
    if counts.is_cjk() {
        let share = counts.n_prose as f32 / counts.n_cjk.max(1) as f32;
        let blanks = counts.n_blanks as f32 / opinion.width.max(1.0);
        let prose = Node::ProseCjk.bin(bin(share, &[0.0, 0.03, 0.08, 0.15]));
        return [prose, Node::BlanksCjk.bin(bin(blanks, &[0.0, 0.05, 0.12, 0.25]))];
    }
    let words = counts.n_words.max(1) as f32;
    let capitals = counts.n_capitalised as f32 / words;
    let prose = Node::ProseWords.bin(bin(counts.n_prose as f32 / words, &[0.0, 0.15, 0.3, 0.45]));
    [prose, Node::Capitals.bin(bin(capitals, &[0.0, 0.2, 0.5, 0.8]))]
}

fn starts_with(text: &str) -> usize {
    match text.chars().next() {
        Some(c) if c.is_ascii_lowercase() => 4,
        Some(c) if c.is_ascii_uppercase() => 5,
        Some('·' | '•' | '●' | '■' | '▪' | '-' | '*' | '>' | '»' | '◆' | '★' | '※' | '|') => {
            0
        }
        Some(c) if is_cjk(c) => 5,
        Some(c) if c.is_numeric() => 1,
        Some('"' | '“' | '「' | '『' | '«' | '„' | '—' | '–') => 2,
        Some('[' | '【' | '(' | '（' | '〔') => 3,
        Some(c) if c.is_lowercase() => 4,
        _ => 5,
    }
}

pub(super) fn ends_as(segment: &Counts) -> usize {
    if segment.breaks_off {
        2
    } else if segment.ends_sentence {
        0
    } else {
        match segment.last {
            ':' | '：' => 1,
            ',' | '，' | '、' | ';' | '；' => 3,
            _ => 4,
        }
    }
}
