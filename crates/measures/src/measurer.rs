//! Measures a text, what belongs together in one pass, and only what is asked for.

use std::ops::Range;

use xxhash_rust::xxh3::xxh3_64;

use crate::c4::{C4, c4_of};
use crate::words::{Word, words};
use crate::{Group, Measure, characters, lines, neo, python, repetition, sentences};

/// Measures texts, one after the other, in memory that it keeps.
#[derive(Debug, Default)]
pub struct Measurer {
    words: Vec<Word>,
    hashes: Vec<u64>,
    lines: lines::Scratch,
    repetition: repetition::Scratch,
    characters: characters::Scratch,
}

/// What was measured.
#[derive(Debug, Clone)]
pub struct Values([f64; Measure::ALL.len()]);

impl Values {
    /// A value; `None` if it was not asked for, or makes no sense for the text, such as the mean length of no words.
    pub fn get(&self, measure: Measure) -> Option<f64> {
        self.0.get(measure as usize).copied().filter(|value| value.is_finite())
    }

    fn set(&mut self, measure: Measure, value: impl Into<f64>) {
        self.0[measure as usize] = value.into();
    }

    /// A share; that of nothing is nothing.
    fn share(&mut self, measure: Measure, part: u64, whole: u64) {
        self.set(measure, part as f64 / whole as f64);
    }
}

/// Words to look for, at most 128 of them.
#[derive(Debug, Clone, Default)]
pub struct StopWords {
    hashes: Vec<u64>,
    /// Which last bytes of a hash any of them has, so that most words are told from it.
    may_be: Vec<bool>,
}

impl StopWords {
    /// The first 128 distinct words.
    pub fn new<T: AsRef<str>>(words: impl IntoIterator<Item = T>) -> Self {
        let mut hashes: Vec<u64> =
            words.into_iter().map(|word| hash(word.as_ref().as_bytes(), 0..word.as_ref().len())).collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes.truncate(128);
        let mut may_be = vec![false; 4096];
        for hash in &hashes {
            may_be[(hash & 4095) as usize] = true;
        }
        Self { hashes, may_be }
    }

    /// How many of them are among words with these hashes.
    fn count(&self, words: &[u64]) -> u32 {
        let mut found = 0u128;
        for hash in words {
            if self.may_be.get((hash & 4095) as usize) == Some(&true)
                && let Ok(at) = self.hashes.binary_search(hash)
            {
                found |= 1 << at;
            }
        }
        found.count_ones()
    }
}

impl Measurer {
    /// Measures what is wanted of `text`, and what comes with it.
    pub fn measure(&mut self, text: &str, wanted: &[Measure], stop_words: &StopWords) -> Values {
        let mut measuring = self.begin(text);
        measuring.want(wanted, stop_words);
        measuring.values
    }

    /// Begins with a text of which is measured what will be asked for.
    pub fn begin<'a>(&'a mut self, text: &'a str) -> Measuring<'a> {
        let values = Values([f64::NAN; Measure::ALL.len()]);
        Measuring {
            measurer: self,
            text,
            values,
            done: 0,
            has_words: false,
            has_joined: false,
            only_feeds: None,
        }
    }
}

/// A text that is being measured: what belongs together is measured when the first of it is asked for, and once.
///
/// ```
/// use tamis_measures::{Measure, Measurer, StopWords};
///
/// let mut measurer = Measurer::default();
/// let mut measuring = measurer.begin("The mill and the wheel.");
/// measuring.want(&[Measure::Words], &StopWords::default());
/// assert_eq!(measuring.values().get(Measure::Words), Some(5.0));
/// assert_eq!(measuring.values().get(Measure::TextChars), None);
/// measuring.want(&[Measure::TextChars], &StopWords::default());
/// assert_eq!(measuring.values().get(Measure::TextChars), Some(23.0));
/// ```
#[derive(Debug)]
pub struct Measuring<'a> {
    measurer: &'a mut Measurer,
    text: &'a str,
    values: Values,
    /// A bit for each group that has been measured.
    done: u32,
    has_words: bool,
    /// Whether the repetition of longer groups of words can be counted.
    has_joined: bool,
    /// Whether all lines end with a line feed, once somebody has asked.
    only_feeds: Option<bool>,
}

impl Measuring<'_> {
    /// What has been measured so far.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// Measures what is wanted, and what comes with it, unless it has been.
    pub fn want(&mut self, wanted: &[Measure], stop_words: &StopWords) {
        for measure in wanted {
            let group = measure.group();
            let bit = 1 << group as u32;
            if self.done & bit == 0 {
                self.done |= bit;
                self.measure(group, stop_words);
            }
        }
    }

    /// Forgets how many stop words there are: what is wanted next is counted with others.
    pub fn forget_stop_words(&mut self) {
        self.done &= !(1 << Group::StopWords as u32);
        self.values.set(Measure::StopWords, f64::NAN);
    }

    fn measure(&mut self, group: Group, stop_words: &StopWords) {
        let text = self.text;
        match group {
            Group::Lines => {
                let only_feeds = self.only_feeds();
                lines_of(&self.measurer.lines.count(text, only_feeds), &mut self.values);
            }
            Group::Words => {
                self.find_words();
                words_of(text, &self.measurer.words, &mut self.values);
            }
            Group::StopWords => {
                self.find_words();
                self.values.set(Measure::StopWords, stop_words.count(&self.measurer.hashes));
            }
            Group::TopGrams => {
                let found = self.top_grams();
                top_grams_of(found, lines::count_chars(text), &mut self.values);
            }
            Group::DupFiveGrams => self.duplicates(5, Measure::DupFiveGramCharRatio),
            Group::DupSixGrams => self.duplicates(6, Measure::DupSixGramCharRatio),
            Group::DupSevenGrams => self.duplicates(7, Measure::DupSevenGramCharRatio),
            Group::DupEightGrams => self.duplicates(8, Measure::DupEightGramCharRatio),
            Group::DupNineGrams => self.duplicates(9, Measure::DupNineGramCharRatio),
            Group::DupTenGrams => self.duplicates(10, Measure::DupTenGramCharRatio),
            Group::C4 | Group::LooseC4 => {
                self.done |= 1 << Group::C4 as u32 | 1 << Group::LooseC4 as u32;
                c4_values(c4_of(text, self.only_feeds()), &mut self.values);
            }
            Group::Characters => characters_of(&self.measurer.characters.count(text), &mut self.values),
            Group::Runs => {
                self.values.set(Measure::RepeatedRunRatio, self.measurer.characters.repeated_runs(text));
            }
            Group::Sentences => {
                let found = sentences::count(text);
                self.values.set(Measure::Sentences, found.n as f64);
                self.values.share(Measure::EndedSentenceCharRatio, found.n_ended, found.n_visible);
                self.values.share(Measure::MeanSentenceChars, found.n_visible, found.n);
            }
            Group::Chinese => {
                let (simplified, traditional) = tamis_language::chinese_forms(text);
                self.values.set(Measure::SimplifiedChars, simplified);
                self.values.set(Measure::TraditionalChars, traditional);
            }
            Group::Neo => neo_of(&neo::count(text), &mut self.values),
            Group::Compression => {
                if let Ok(compressed) = zstd::bulk::compress(text.as_bytes(), 3) {
                    let (whole, compressed) = (text.len() as u64, compressed.len() as u64);
                    self.values.share(Measure::CompressionRatio, whole, compressed);
                }
            }
        }
    }

    fn top_grams(&mut self) -> [u64; 3] {
        self.find_words();
        let Measurer { repetition, words, hashes, .. } = &mut *self.measurer;
        repetition.top(words, hashes)
    }

    fn duplicates(&mut self, length: usize, measure: Measure) {
        if !std::mem::replace(&mut self.has_joined, true) {
            self.want(&[Measure::TopTwoGramCharRatio], &StopWords::default());
            let Measurer { repetition, words, .. } = &mut *self.measurer;
            repetition.begin_duplicates(self.text, words);
        }
        let found = self.measurer.repetition.duplicate(length);
        self.values.share(measure, found, lines::count_chars(self.text));
    }

    fn only_feeds(&mut self) -> bool {
        *self.only_feeds.get_or_insert_with(|| !python::has_other_ends(self.text))
    }

    fn find_words(&mut self) {
        if !std::mem::replace(&mut self.has_words, true) {
            let Measurer { words: found, hashes, .. } = &mut *self.measurer;
            words(self.text, found);
            hashes.clear();
            hashes.extend(found.iter().map(|word| hash(self.text.as_bytes(), word.range())));
        }
    }
}

/// A number for the bytes of a word.
///
/// Most words have at most eight bytes and more text behind them: they are read with one load, without what does not belong to
/// them, which takes a fifth of the time of a hash of any length.
fn hash(text: &[u8], word: Range<usize>) -> u64 {
    /// 2⁶⁴ divided by the golden ratio.
    const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
    let length = word.len();
    if length > 8 {
        return xxh3_64(text.get(word).unwrap_or_default());
    }
    let loaded = if let Some(bytes) = text.get(word.start..).and_then(|rest| rest.first_chunk::<8>()) {
        u64::from_le_bytes(*bytes) & (u64::MAX >> (64 - 8 * length.max(1)))
    } else {
        let bytes = text.get(word).unwrap_or_default().iter().rev();
        bytes.fold(0, |loaded, byte| loaded << 8 | u64::from(*byte))
    };
    // Each step can be undone, so that two such words of one length never have one number.
    let mixed = loaded.wrapping_mul(MULTIPLIER);
    (mixed ^ mixed >> 32).wrapping_mul(MULTIPLIER) ^ length as u64
}

/// How often a string occurs, without overlaps.
fn count(text: &[u8], needle: &[u8]) -> u64 {
    memchr::memmem::find_iter(text, needle).count() as u64
}

fn words_of(text: &str, words: &[Word], values: &mut Values) {
    let bytes = text.as_bytes();
    let n_all = words.len() as u64;
    let (mut n_words, mut n_chars, mut n_letters) = (0, 0, 0);
    for word in words {
        n_letters += u64::from(word.has_letter);
        n_words += u64::from(!word.is_symbol);
        n_chars += if word.is_symbol { 0 } else { u64::from(word.n_chars) };
    }
    let n_hashes = memchr::memchr_iter(b'#', bytes).count() as u64;
    let n_ellipses = count(bytes, b"...") + count(bytes, "…".as_bytes());
    let n_feeds = memchr::memchr_iter(b'\n', bytes).count() as u64;
    values.set(Measure::Words, n_words as f64);
    values.share(Measure::MeanWordChars, n_chars, n_words);
    values.share(Measure::HashWordRatio, n_hashes, n_all);
    values.share(Measure::EllipsisWordRatio, n_ellipses, n_all);
    values.share(Measure::LetterWordRatio, n_letters, n_all);
    values.share(Measure::LineFeedWordRatio, n_feeds, n_all);
}

fn c4_values([strict, loose]: [C4; 2], values: &mut Values) {
    values.set(Measure::C4Lines, strict.n_lines as f64);
    values.set(Measure::C4Sentences, strict.n_sentences as f64);
    values.set(Measure::C4Filler, strict.has_filler);
    values.set(Measure::C4Bracket, strict.has_bracket);
    values.set(Measure::LooseC4Sentences, loose.n_sentences as f64);
    values.set(Measure::LooseC4Filler, loose.has_filler);
    values.set(Measure::LooseC4Bracket, loose.has_bracket);
}

fn lines_of(found: &lines::Lines, values: &mut Values) {
    let lines::Lines { n_chars, filled, runs, paragraphs, .. } = found;
    values.set(Measure::TextChars, *n_chars as f64);
    values.set(Measure::LineFeeds, found.n_feeds as f64);
    values.share(Measure::BulletLineRatio, found.n_bullets, found.n_python);
    values.share(Measure::EllipsisLineRatio, found.n_ellipses, found.n_python);
    values.share(Measure::DupLineRatio, runs.n_again, runs.n);
    values.share(Measure::DupLineCharRatio, runs.chars_again, *n_chars);
    values.share(Measure::DupParagraphRatio, paragraphs.n_again, paragraphs.n);
    values.share(Measure::DupParagraphCharRatio, paragraphs.chars_again, *n_chars);
    values.set(Measure::FilledLines, filled.n as f64);
    values.share(Measure::EndedLineRatio, found.n_ended, filled.n);
    values.share(Measure::ShortLineRatio, found.n_short, filled.n);
    values.set(Measure::LongLines, found.n_long as f64);
    values.share(Measure::RepeatedLineCharRatio, filled.chars_again, n_chars - found.n_feeds);
    let mean = found.filled_chars as f64 / filled.n as f64;
    values.set(Measure::MeanLineChars, mean);
    let variance = (found.squares / filled.n as f64 - mean * mean).max(0.0);
    values.set(Measure::LineCharVariation, variance.sqrt() / mean);
}

fn top_grams_of(found: [u64; 3], n_chars: u64, values: &mut Values) {
    let measures =
        [Measure::TopTwoGramCharRatio, Measure::TopThreeGramCharRatio, Measure::TopFourGramCharRatio];
    for (measure, part) in measures.into_iter().zip(found) {
        values.share(measure, part, n_chars);
    }
}

fn characters_of(found: &characters::Characters, values: &mut Values) {
    let all = found.n_visible;
    values.set(Measure::VisibleChars, all as f64);
    values.share(Measure::HanRatio, found.n_han, all);
    values.share(Measure::LetterRatio, found.n_letters, all);
    values.share(Measure::DigitRatio, found.n_digits, all);
    values.share(Measure::CapitalRatio, found.n_capitals, all);
    values.share(Measure::SignRatio, found.n_signs, all);
    values.share(Measure::DistinctCharRatio, found.n_distinct, all);
    values.set(Measure::CharEntropy, found.entropy);
}

fn neo_of(found: &neo::Neo, values: &mut Values) {
    values.share(Measure::BracketedCharRatio, found.bracketed, found.chars);
    values.share(Measure::HashCharRatio, found.hashes, found.chars);
    values.share(Measure::EllipsisCharRatio, found.ellipses, found.chars);
    values.share(Measure::PlainDigitRatio, found.digits, found.plain);
    values.share(Measure::FoldedLineRatio, found.folded, found.lines);
}
