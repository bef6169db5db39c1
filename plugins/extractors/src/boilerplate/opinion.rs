//! A first look at a segment, by rules set by hand: what it seems to be, and how much of prose it has.
//!
//! The model corrects this opinion; it serves to find the stretches of a page where prose lies together.

use super::counts::Counts;
use super::lexicon::Category;

/// What a segment seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glance {
    Prose,
    Sentence,
    Short,
    Title,
    Moment,
    Credit,
    Furniture,
    Ending,
    Code,
    Other,
}

/// A first opinion of a segment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opinion {
    pub(super) glance: Glance,
    /// How much it looks like prose; beyond [`Opinion::PROSE`] it rather is.
    pub(super) score: f32,
    pub(super) width: f32,
    /// The share of signs and words of code.
    pub(super) code: f32,
    /// The share of furniture phrases, code left out.
    pub(super) furniture: f32,
    /// Whether it is the title.
    pub(super) is_title: bool,
    /// The category of phrases that covers most of it, or begins it if it is short.
    pub(super) mark: Option<Category>,
}

impl Opinion {
    /// The score from which on a segment counts as prose.
    pub(super) const PROSE: f32 = 0.5;

    pub(super) fn is_prose(&self) -> bool {
        self.score > Self::PROSE
    }

    /// The same of a segment that is the title.
    pub(super) fn of_title(self) -> Self {
        let glance = if self.glance == Glance::Code { Glance::Code } else { Glance::Title };
        Self { glance, is_title: true, ..self }
    }

    /// Its mark, if it is short enough for a heading or a button.
    pub(super) fn short_mark(&self) -> Option<Category> {
        self.mark.filter(|_| self.width < MAX_MARK_WIDTH)
    }
}

/// Wider segments are no headings and buttons.
const MAX_MARK_WIDTH: f32 = 25.0;
/// Beyond this share of code a segment is code.
const MAX_CODE: f32 = 0.12;
/// Beyond this share of phrases, dates or times a segment is furniture, or the line of a date.
const MAX_FURNITURE: f32 = 0.3;
const MAX_MOMENT: f32 = 0.4;

/// The opinion of a segment by what was counted in it, if it is not the title.
pub(super) fn opinion(segment: &Counts) -> Opinion {
    let width = segment.width();
    let code = code_share(segment);
    let (furniture, mark) = furniture(segment, width);
    let moment = segment.date_bytes as f32 / segment.bytes();
    let mut score = prose_score(segment, width);
    if code > MAX_CODE {
        score = score.min(0.0) - 1.5;
    } else if furniture > MAX_FURNITURE {
        score = score.min(0.0) - 1.0 - furniture;
    } else if moment > MAX_MOMENT {
        score = score.min(0.0) - 1.0;
    }
    let glance = if code > MAX_CODE {
        Glance::Code
    } else if moment > MAX_MOMENT {
        Glance::Moment
    } else if mark == Some(Category::Ending) {
        Glance::Ending
    } else if matches!(mark, Some(Category::Credit | Category::Source | Category::Date)) {
        Glance::Credit
    } else if furniture > MAX_FURNITURE {
        Glance::Furniture
    } else if score > 1.5 {
        Glance::Prose
    } else if segment.ends_sentence && segment.n_letters() > 3 {
        Glance::Sentence
    } else if width < 12.0 {
        Glance::Short
    } else {
        Glance::Other
    };
    Opinion { glance, score, width, code, furniture, is_title: false, mark }
}

/// How much of prose the form of a segment has.
///
/// Length, ends of sentences and commas speak for it; blanks between Chinese words, capitals at most words,
/// separators and digits against it.
fn prose_score(segment: &Counts, width: f32) -> f32 {
    let mut score = width.min(60.0) / 14.0 - 1.8
        + 0.6 * segment.n_ends.min(3) as f32
        + 0.25 * segment.n_commas.min(4) as f32
        + if segment.ends_sentence { 0.8 } else { 0.0 };
    if segment.is_cjk() {
        score -= 1.2 * (5.0 * segment.n_blanks as f32 / width.max(1.0)).min(3.0);
    } else if segment.n_words > 2 {
        let capitalised = segment.n_capitalised as f32 / segment.n_words as f32;
        score -= 3.0 * (capitalised - 0.3).max(0.0) / 0.7;
        score -= if segment.n_prose == 0 { 0.8 } else { 0.0 };
    }
    score -= if segment.n_separators >= 2 { 0.6 } else { 0.0 };
    score -= if segment.n_digits as f32 > 0.3 * segment.n_chars as f32 { 1.0 } else { 0.0 };
    score - if width < 8.0 { 0.3 } else { 0.0 }
}

/// The share of furniture phrases, and the category that marks the segment.
fn furniture(segment: &Counts, width: f32) -> (f32, Option<Category>) {
    let mut share = 0.0;
    let mut mark = None;
    let mut most = MAX_FURNITURE;
    for category in segment.categories().filter(|category| *category != Category::Code) {
        let coverage = segment.coverage(category);
        share += coverage;
        let begins = segment.begins_with(category) && most <= MAX_FURNITURE && width < 20.0;
        if coverage > most || begins {
            most = coverage.max(MAX_FURNITURE);
            mark = Some(category);
        }
    }
    (share, mark)
}

/// The share of signs and words of code; prose has some brackets, so a few are free.
fn code_share(segment: &Counts) -> f32 {
    let free = 2 + segment.n_chars / 60;
    let signs = segment.n_code.saturating_sub(free) as f32 / segment.n_chars.max(1) as f32;
    // One word proves nothing: prose about programs has it, too.
    let words = (segment.coverage(Category::Code) - 0.04).max(0.0);
    signs + 0.7 * words
}
