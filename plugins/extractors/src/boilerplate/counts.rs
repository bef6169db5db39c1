//! What is counted in a piece of a page while it is read.

use super::lexicon::Category;

/// The width of a letter of an alphabet beside a Chinese character: about as many letters make a word of
/// Chinese as this says.
const LETTER_WIDTH: f32 = 0.4;

/// What was counted in a piece of a page.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an observation of its own")]
pub(super) struct Counts {
    /// First byte in the page, white space at the ends left out.
    pub(super) start: usize,
    /// The byte after the last.
    pub(super) end: usize,
    /// Blank characters between the line end and the segment.
    pub(super) indent: u32,
    /// Whether the indent holds U+3000 or U+00A0, as paragraphs of Chinese pages do.
    pub(super) wide_indent: bool,
    /// Characters, white space left out.
    pub(super) n_chars: u32,
    /// Letters of scripts without blanks between words.
    pub(super) n_cjk: u32,
    /// Latin letters.
    pub(super) n_latin: u32,
    /// Letters of other scripts.
    pub(super) n_other: u32,
    /// Digits.
    pub(super) n_digits: u32,
    /// Words of letters that blanks separate.
    pub(super) n_words: u32,
    /// Those of them that begin with a capital letter.
    pub(super) n_capitalised: u32,
    /// Where a small letter meets a capital or a letter a digit, as in `HomeNews` and `Basics2`: elements that
    /// stood apart were glued together there.
    pub(super) n_glued: u32,
    /// White space characters inside.
    pub(super) n_blanks: u32,
    /// Ends of sentences.
    pub(super) n_ends: u32,
    /// Commas of any script.
    pub(super) n_commas: u32,
    /// Characters that separate the entries of menus.
    pub(super) n_separators: u32,
    /// Characters that code is full of and prose is not.
    pub(super) n_code: u32,
    /// Opening quotation marks.
    pub(super) n_quotes: u32,
    /// Bytes of dates and times of day.
    pub(super) date_bytes: u32,
    /// Whether it ends as a sentence does.
    pub(super) ends_sentence: bool,
    /// The last character.
    pub(super) last: char,
    /// Whether an address on the web is in it.
    pub(super) has_address: bool,
    /// Whether it breaks off: with an ellipsis or three full stops.
    pub(super) breaks_off: bool,
    /// Bytes of lexicon hits by category.
    pub(super) hit_bytes: [u32; Category::COUNT],
    /// A bit for each category that has hits.
    pub(super) hits: u16,
    /// A bit for each category of which the first hit stands at the start.
    pub(super) hits_at_start: u16,
    /// Words that prose is full of.
    pub(super) n_prose: u32,
}

impl Counts {
    /// Its width: Chinese characters count 1, others 0.4.
    pub(super) fn width(&self) -> f32 {
        let narrow = self.n_chars.saturating_sub(self.n_cjk) + self.n_blanks;
        self.n_cjk as f32 + LETTER_WIDTH * narrow as f32
    }

    /// Whether most of its letters are of a script without blanks between words.
    pub(super) fn is_cjk(&self) -> bool {
        self.n_cjk * 2 > self.n_letters().max(1)
    }

    /// Letters of all scripts.
    pub(super) fn n_letters(&self) -> u32 {
        self.n_cjk + self.n_latin + self.n_other
    }

    /// The categories that have hits, in their order.
    pub(super) fn categories(&self) -> impl Iterator<Item = Category> {
        let mut rest = self.hits;
        std::iter::from_fn(move || {
            let category = Category::ALL.get(rest.trailing_zeros() as usize).copied()?;
            rest &= rest - 1;
            Some(category)
        })
    }

    /// Whether the first hit of the category stands at the start.
    pub(super) fn begins_with(&self, category: Category) -> bool {
        self.hits_at_start >> category as u32 & 1 != 0
    }

    /// The share of its bytes that lexicon hits of the category take.
    pub(super) fn coverage(&self, category: Category) -> f32 {
        self.hit_bytes[category as usize] as f32 / self.bytes()
    }

    /// Its bytes, at least one.
    pub(super) fn bytes(&self) -> f32 {
        (self.end - self.start).max(1) as f32
    }
}
