//! Features of a segment by itself.

use tamis_text::chars::is_cjk;

use super::features::{Node, Sink, bin};
use super::lexicon::Category;
use super::opinion::Opinion;
use super::segment::Segment;
use super::title::Title;

/// Limits of the bins of widths; Chinese characters count 1, others 0.4.
const WIDTHS: [f32; 7] = [2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0];

pub(super) fn describe(
    page: &str,
    segments: &[Segment],
    at: usize,
    opinion: &Opinion,
    title: &Title,
    sink: &mut impl Sink,
) {
    let segment = &segments[at];
    let text = page.get(segment.range()).unwrap_or_default();
    let mut add = |feature: usize| sink.node(feature);
    add(Node::Bias.bin(0));
    describe_form(segment, text, opinion, &mut add);
    describe_words(segment, opinion, &mut add);
    let share = title.share(segment.title_words);
    let title_is =
        if opinion.is_title { 0 } else { 1 + usize::from(!title.within(text, segment.title_words)) };
    add(Node::TitleIs.bin(title_is));
    add(Node::TitleShare.bin(bin(share, &[0.0, 0.15, 0.3, 0.5])));
    add(Node::Indent.bin(indent(segment)));
    add(Node::Gap.bin(gap(Some(segment))));
    add(Node::GapAfter.bin(gap(segments.get(at + 1))));
}

/// Lengths, marks, and what kinds of characters there are.
fn describe_form(segment: &Segment, text: &str, opinion: &Opinion, add: &mut impl FnMut(usize)) {
    let width = if segment.is_cjk() {
        Node::WidthCjk
    } else if segment.n_latin * 2 > segment.n_letters().max(1) {
        Node::WidthLatin
    } else {
        Node::WidthOther
    };
    add(width.bin(bin(opinion.width, &WIDTHS)));
    add(Node::Ends.bin(segment.n_ends as usize));
    add(Node::EndsAs.bin(ends_as(segment)));
    add(Node::Commas.bin(bin(segment.n_commas as f32, &[0.0, 1.0, 3.0])));
    let digits = segment.n_digits as f32 / segment.n_chars.max(1) as f32;
    add(Node::Digits.bin(bin(digits, &[0.0, 0.1, 0.3, 0.6])));
    add(Node::Separators.bin(bin(segment.n_separators as f32, &[0.0, 1.0, 3.0])));
    add(Node::Quotes.bin(segment.n_quotes as usize));
    add(Node::Moment.bin(bin(segment.date_bytes as f32 / segment.bytes(), &[0.0, 0.4])));
    add(Node::Starts.bin(starts_with(text)));
    add(Node::Code.bin(bin(opinion.code, &[0.0, 0.03, 0.07, 0.15, 0.3])));
    let glued = segment.n_glued as f32 / segment.n_words.max(1) as f32;
    add(Node::Glued.bin(bin(glued, &[0.0, 0.05, 0.15, 0.4])));
    let ends_as_code = text.ends_with([';', '{', '}']) || text.ends_with("*/") || text.ends_with("-->");
    add(Node::CodeEnd.bin(usize::from(!ends_as_code)));
}

/// What the lexicon found.
fn describe_words(segment: &Segment, opinion: &Opinion, add: &mut impl FnMut(usize)) {
    if segment.is_cjk() {
        let share = segment.n_prose as f32 / segment.n_cjk.max(1) as f32;
        add(Node::ProseCjk.bin(bin(share, &[0.0, 0.03, 0.08, 0.15])));
        let blanks = segment.n_blanks as f32 / opinion.width.max(1.0);
        add(Node::BlanksCjk.bin(bin(blanks, &[0.0, 0.05, 0.12, 0.25])));
    } else {
        let words = segment.n_words.max(1) as f32;
        add(Node::ProseWords.bin(bin(segment.n_prose as f32 / words, &[0.0, 0.15, 0.3, 0.45])));
        add(Node::Capitals.bin(bin(segment.n_capitalised as f32 / words, &[0.0, 0.2, 0.5, 0.8])));
    }
    add(Node::Web.bin(usize::from(segment.has_address)));
    for category in segment.categories() {
        let index = category as usize;
        add(Node::LexHolds.bin(index));
        if segment.hit_bytes[index] as f32 > 0.5 * segment.bytes() {
            add(Node::LexCovers.bin(index));
        }
        if segment.begins_with(category) {
            add(Node::LexBegins.bin(index));
        }
    }
    add(Node::LexAny.bin(bin(opinion.furniture, &[0.0, 0.1, 0.3, 0.6])));
    add(Node::CodeHits.bin(bin(segment.coverage(Category::Code), &[0.0, 0.08, 0.2, 0.4])));
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

pub(super) fn ends_as(segment: &Segment) -> usize {
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

pub(super) fn indent(segment: &Segment) -> usize {
    if segment.gap == 0 {
        3
    } else if segment.wide_indent {
        2
    } else {
        usize::from(segment.indent >= 2)
    }
}

/// The bin of the line ends before a segment; the end of the page is far away.
pub(super) fn gap(segment: Option<&Segment>) -> usize {
    segment.map_or(5, |segment| bin(segment.gap as f32, &[0.0, 1.0, 2.0, 4.0, 9.0]))
}
