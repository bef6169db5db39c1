//! Cuts a flattened page into segments, the pieces that are kept or removed as a whole.
//!
//! A line is a segment; a long line, which may hold a whole article, is cut at the ends of sentences, at wide
//! gaps, behind moments and before the labels of page furniture.

use std::ops::Range;

use tamis_text::chars::{is_blank, is_invisible, is_line_end};

use super::counts::Counts;
use super::form::Form;
#[cfg(test)]
use super::lexicon::Found;
use super::lexicon::{Category, Search};
use super::moment::moment;
use super::title::Noted;
use super::tokens::Letters;
use tamis_text::class::{Classes, Table};

/// Lines of fewer bytes are never cut: menus and headings.
const MIN_CUT_LINE_BYTES: usize = 90;
/// What has so many segments or more is no page, and it is not cut any further: each takes some 270 bytes until the page is
/// decided, and one of two million lines of a letter took 150 times its size.
pub(super) const MOST_SEGMENTS: usize = 200_000;
/// Lines of fewer bytes are not cut at the ends of sentences: a short paragraph is kept or removed whole.
const MIN_SENTENCE_LINE_BYTES: usize = 240;
/// So many blanks in a row stand for white space of a layout, where an element ended.
const WIDE_GAP_BLANKS: u32 = 3;
/// A full stop behind a number of so few digits ends no sentence within a line: `1. Introduction2. Keeping bees2.1.` is
/// what becomes of a table of contents.
const MAX_COUNTED: u32 = 2;
/// Characters of a segment at whose end such a full stop ends a sentence.
const MIN_SENTENCE_CHARS: u32 = 40;
/// Stands before the last digit of a moment, so that a cut may follow it.
const MOMENT: char = '\u{1}';
/// What may follow the end of a sentence without beginning the next one.
const END_OR_CLOSING: Classes = Classes::END.or(Classes::CLOSING);
/// What is counted of signs; full stops and brackets in prose are none of these.
const COUNTED: Classes = Classes::CJK
    .or(Classes::DIGIT)
    .or(Classes::COMMA)
    .or(Classes::SEPARATOR)
    .or(Classes::CODE)
    .or(Classes::QUOTE);

/// A piece of a page.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// First byte in the page, white space at the ends left out.
    pub(super) start: usize,
    /// The byte after the last.
    pub(super) end: usize,
    /// Line ends before it; 0 when it goes on in the line of the segment before it.
    pub(super) gap: u32,
    /// Characters, white space left out.
    pub(super) n_chars: u32,
    /// A bit for each word of the title that is in it.
    pub(super) title_words: u64,
    /// What it shows by itself.
    pub(super) form: Form,
}

impl Segment {
    /// The bytes in the page.
    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// Leaves only what depends on its line alone, which begins at byte `start` of the page.
    pub(super) fn forget_page(&mut self, start: usize) {
        self.start -= start;
        self.end -= start;
        self.gap = 0;
        self.title_words = 0;
    }
}

/// The segments of `page`, in order, with what was found in each before it was cut: the slow way.
#[cfg(test)]
pub(super) fn segments(page: &str, found: &Found) -> Vec<Segment> {
    let (title, lexicon) = (super::title::Title::default(), &*super::lexicon::BUNDLED);
    let scan = tamis_text::scan::Scan::of(page);
    let search = Search::new(lexicon, page, &title, lexicon.begins());
    let mut cutter = Cutter::new(page, scan.n_lines(), search);
    cutter.search.found = found.clone();
    for line in scan.lines() {
        if line.text.len() >= MIN_CUT_LINE_BYTES {
            cutter.read::<true, false>(line.range());
        } else {
            cutter.read::<false, false>(line.range());
        }
    }
    cutter.segments
}

/// Cuts a page line by line, and has it searched on the way.
pub(super) struct Cutter<'a> {
    pub(super) page: &'a str,
    search: Search<'a>,
    table: &'static Table,
    /// The first hit that has not been counted yet.
    hit: usize,
    /// The first hit that may be a label further on.
    label: usize,
    /// The first word of the title that has not been counted yet.
    title_word: usize,
    /// Those of the lines so far.
    pub(super) segments: Vec<Segment>,
    /// Line ends since the last segment.
    gap: u32,
    /// From so many segments on the line is not cut.
    most: usize,
}

/// Where the reading of a line is.
#[derive(Clone, Copy)]
struct Here {
    /// The first byte of the character, and its classes.
    first: u8,
    classes: Classes,
    at: usize,
    /// Whether the line is cut at the ends of sentences.
    sentences: bool,
}

/// What the reading of a line remembers.
#[expect(clippy::struct_excessive_bools, reason = "each is an observation of its own")]
struct Reading {
    current: Counts,
    /// Nothing but white space so far.
    empty: bool,
    /// The sentence has ended; closing marks may follow.
    ended: bool,
    /// Blanks in a row.
    blanks: u32,
    /// A gap of layout was among them.
    wide: bool,
    in_word: bool,
    /// Digits in a row, where the last character is one.
    n_row: u32,
    /// A full stop stands behind a short number, which ends a number as often as a sentence.
    counted: bool,
    last: char,
    before_last: char,
}

impl Reading {
    fn new() -> Self {
        Self {
            current: Counts::default(),
            empty: true,
            ended: false,
            blanks: 0,
            wide: false,
            in_word: false,
            n_row: 0,
            counted: false,
            last: ' ',
            before_last: ' ',
        }
    }
}

impl Reading {
    /// Goes on behind a segment, which was taken out; the last character is that of the line.
    fn restart(&mut self) {
        (self.empty, self.ended, self.wide, self.in_word, self.counted) = (true, false, false, false, false);
        (self.blanks, self.n_row, self.before_last) = (0, 0, ' ');
    }
}

impl<'a> Cutter<'a> {
    /// For a page of so many lines.
    pub(super) fn new(page: &'a str, n_lines: usize, search: Search<'a>) -> Self {
        Self {
            page,
            search,
            table: Table::get(),
            hit: 0,
            label: 0,
            title_word: 0,
            // A line has one, and a long line one for each 55 bytes; a Vec that grows copies all of them again and again.
            segments: Vec::with_capacity(page.len() / 48 + n_lines),
            gap: 1,
            most: usize::MAX,
        }
    }

    /// Adds the segments of a line that begins at byte `start`, which are known already, by their places in the line.
    pub(super) fn known_line(&mut self, start: usize, segments: &[Segment]) {
        let first = self.segments.len();
        self.segments.extend_from_slice(segments);
        for segment in &mut self.segments[first..] {
            segment.start += start;
            segment.end += start;
        }
        if let Some(segment) = self.segments.get_mut(first) {
            segment.gap = self.gap;
            self.gap = 0;
        }
        self.gap += 1;
    }

    /// Cuts a line that nobody remembers, so that how it is cut may depend on what stands before it on the page: no further
    /// where that is no page any more.
    pub(super) fn long_line(&mut self, line: Range<usize>) {
        self.most = MOST_SEGMENTS;
        self.line(line);
        self.most = usize::MAX;
    }

    /// Cuts the line of these bytes; the tokens that it has.
    pub(super) fn line(&mut self, line: Range<usize>) -> Noted {
        self.search.begin_line();
        (self.hit, self.label, self.title_word) = (0, 0, 0);
        if line.len() >= MIN_CUT_LINE_BYTES {
            self.read::<true, true>(line);
        } else {
            self.read::<false, true>(line);
        }
        self.search.tokens()
    }

    /// Reads a line that is cut, or is not, and that is searched, or was before.
    ///
    /// Runs of letters, digits and Chinese characters are read at once. Each is searched before a segment may end there:
    /// labels are phrases.
    fn read<const CUT: bool, const SEARCH: bool>(&mut self, line: Range<usize>) {
        let sentences = line.len() >= MIN_SENTENCE_LINE_BYTES;
        let mut reading = Reading::new();
        let bytes = self.page.as_bytes();
        let Range { start: mut at, end } = line;
        let line = bytes.get(..end).unwrap_or_default();
        while let Some(&first) = line.get(at) {
            if first == b' ' {
                reading.plain_blank();
                at += 1;
                continue;
            }
            let classes = match first {
                0..0x80 => self.table.of(first.into()),
                // Nearly all Han characters.
                0xE5..=0xE9 => Classes::CJK,
                _ => match character(self.page, at) {
                    Some(c) => self.table.of(c),
                    None => break,
                },
            };
            let here = Here { first, classes, at, sentences };
            match first {
                b'A'..=b'Z' | b'a'..=b'z' => {
                    let letters = Letters::at(bytes, at);
                    if SEARCH {
                        self.search.letters(at, letters);
                    }
                    self.come_to::<CUT>(&mut reading, here);
                    reading.letters(bytes, at, letters);
                    at += letters.n;
                }
                b'0'..=b'9' => {
                    let moment = moment(self.page, at, reading.last);
                    let n = moment.unwrap_or_else(|| n_digits(bytes, at));
                    match moment {
                        Some(n) if SEARCH => self.search.run(at..at + n),
                        None if SEARCH => self.search.signs(at..at + n),
                        _ => {}
                    }
                    self.come_to::<CUT>(&mut reading, here);
                    match moment {
                        Some(n) => reading.moment(n),
                        None => reading.digits(&bytes[at..at + n]),
                    }
                    at += n;
                }
                0..0x80 if !classes.has(Classes::SPACE) => {
                    if SEARCH {
                        self.search.signs(at..at + 1);
                    }
                    self.come_to::<CUT>(&mut reading, here);
                    reading.read(first.into(), classes);
                    at += 1;
                }
                _ if classes == Classes::CJK => {
                    let search = &mut self.search;
                    let (n_bytes, n_chars) = cjk_characters(self.page, at, self.table, |at, n_bytes| {
                        if SEARCH {
                            search.character(at, n_bytes);
                        }
                    });
                    self.come_to::<CUT>(&mut reading, here);
                    reading.characters(self.page.get(at..at + n_bytes).unwrap_or_default(), n_chars);
                    at += n_bytes;
                }
                _ => {
                    let Some(c) = character(self.page, at) else { break };
                    let n = c.len_utf8();
                    if SEARCH && classes.has(Classes::WORD) {
                        self.search.run(at..at + n);
                    } else if SEARCH {
                        self.search.character(at, n);
                    }
                    at += n;
                    if classes.has(Classes::SPACE) {
                        reading.blank(c);
                        continue;
                    }
                    self.come_to::<CUT>(&mut reading, here);
                    reading.read(c, classes);
                }
            }
            reading.current.end = at;
        }
        if !reading.empty {
            self.finish(&mut reading);
        }
        self.gap += 1;
    }

    /// Comes to a character that is no white space: a segment may end before it, and one may begin.
    #[inline]
    fn come_to<const CUT: bool>(&mut self, reading: &mut Reading, here: Here) {
        // Within words, numbers and Chinese there is nothing to ask, which is most of the time.
        if reading.empty || reading.may_be_over() {
            self.part_at::<CUT>(reading, here);
        }
    }

    fn part_at<const CUT: bool>(&mut self, reading: &mut Reading, here: Here) {
        let Here { first, classes, at, sentences } = here;
        if CUT
            && reading.may_be_over()
            && self.segments.len() < self.most
            && self.cuts_before(reading, first, classes, at, sentences)
        {
            self.finish(reading);
        }
        if reading.empty {
            reading.begin(at);
        }
    }

    /// Whether a segment ends before a character that is no white space, of which `first` is the first byte.
    fn cuts_before(
        &mut self,
        reading: &Reading,
        first: u8,
        classes: Classes,
        at: usize,
        sentences: bool,
    ) -> bool {
        if reading.wide {
            return true;
        }
        // An end of a sentence, with closing marks behind it.
        if reading.ended && sentences && !classes.has(END_OR_CLOSING) {
            // A full stop is one only before a capital letter, a quotation or another script.
            let plain = reading.blanks > 0 && !classes.has(Classes::LOWER) && !first.is_ascii_digit();
            if plain || self.table.of(reading.last_mark(self.table)).has(Classes::CJK_END) {
                return true;
            }
        }
        let after_moment = reading.before_last == MOMENT && reading.blanks > 0 && sentences;
        after_moment || ((reading.blanks > 0 || reading.ended) && self.label_at(at, reading.ended))
    }

    /// Whether a label that begins a line of furniture stands at this byte. Within a sentence only a colon
    /// tells a label from a word.
    fn label_at(&mut self, at: usize, after_sentence: bool) -> bool {
        while self.search.found.hits.get(self.label).is_some_and(|hit| hit.start < at) {
            self.label += 1;
        }
        let Some(hit) = self.search.found.hits.get(self.label).filter(|hit| hit.start == at) else {
            return false;
        };
        let rest = self.page.get(hit.start..).unwrap_or_default();
        let (label, behind) = rest.split_at_checked(hit.end - hit.start).unwrap_or_default();
        let colon =
            label.ends_with([':', '：']) || behind.trim_start_matches(is_blank).starts_with([':', '：']);
        hit.category.begins_furniture() && (after_sentence || colon)
    }

    fn finish(&mut self, reading: &mut Reading) {
        let counts = &mut reading.current;
        counts.n_blanks = counts.n_blanks.saturating_sub(reading.blanks);
        // Behind a long segment it rather ends a sentence.
        let may_end = reading.counted && reading.last == '.' && counts.n_chars >= MIN_SENTENCE_CHARS;
        counts.n_ends += u32::from(may_end);
        counts.ends_sentence = reading.ended || may_end;
        counts.last = reading.last;
        let text = self.page.get(counts.start..counts.end).unwrap_or_default();
        counts.breaks_off = reading.last == '…' || (reading.last == '.' && text.ends_with("..."));
        self.count_hits(counts);
        let Counts { start, end, n_chars, .. } = *counts;
        let title_words = self.title_words(start, end);
        let form = Form::of(text, counts);
        self.segments.push(Segment { start, end, gap: self.gap, n_chars, title_words, form });
        *counts = Counts::default();
        reading.restart();
        self.gap = 0;
    }

    fn count_hits(&mut self, segment: &mut Counts) {
        while let Some(hit) = self.search.found.hits.get(self.hit).filter(|hit| hit.start < segment.end) {
            if hit.start >= segment.start {
                match hit.category {
                    Category::Prose => segment.n_prose += 1,
                    category => {
                        let index = category as usize;
                        // A bullet or a bracket may stand before it.
                        if segment.hit_bytes[index] == 0 && hit.start <= segment.start + 4 {
                            segment.hits_at_start |= 1 << index;
                        }
                        segment.hits |= 1 << index;
                        segment.hit_bytes[index] += (hit.end - hit.start) as u32;
                    }
                }
            }
            self.hit += 1;
        }
    }

    /// A bit for each word of the title that begins in these bytes.
    fn title_words(&mut self, start: usize, end: usize) -> u64 {
        let mut words = 0;
        while let Some((at, word)) =
            self.search.found.title_words.get(self.title_word).filter(|(at, _)| *at < end)
        {
            if *at >= start {
                words |= 1 << word;
            }
            self.title_word += 1;
        }
        words
    }
}

impl Reading {
    fn begin(&mut self, at: usize) {
        self.current.start = at;
        self.current.indent = self.blanks;
        self.empty = false;
        self.blanks = 0;
        self.wide = false;
        self.current.end = at;
    }

    /// The last character that closes nothing, if it is one of the last two.
    fn last_mark(&self, table: &Table) -> char {
        let closes = self.last != '…' && table.of(self.last).has(Classes::CLOSING);
        if closes { self.before_last } else { self.last }
    }

    /// The same as [`Reading::blank`], for what nearly all of them are.
    #[inline]
    fn plain_blank(&mut self) {
        self.in_word = false;
        self.blanks += 1;
        if !self.empty {
            self.current.n_blanks += 1;
            self.wide |= self.blanks >= WIDE_GAP_BLANKS;
        }
    }

    fn blank(&mut self, c: char) {
        self.in_word = false;
        if is_invisible(c) {
            return;
        }
        self.blanks += 1;
        let layout = matches!(c, '\u{A0}' | '\u{3000}' | '\t') || is_line_end(c);
        if self.empty {
            self.current.wide_indent |= layout;
            return;
        }
        self.current.n_blanks += 1;
        self.wide |= self.blanks >= WIDE_GAP_BLANKS
            || c == '\t'
            || c == '\u{3000}'
            || is_line_end(c)
            || (c == '\u{A0}' && self.blanks >= 2);
    }

    /// Whether a segment may end here: white space, or the end of a sentence, stands before what comes.
    fn may_be_over(&self) -> bool {
        !self.empty && (self.ended || self.blanks > 0)
    }

    /// Reads digits that are no date or time of day.
    fn digits(&mut self, digits: &[u8]) {
        let n = digits.len() as u32;
        self.n_row = n;
        self.current.n_digits += n;
        self.current.n_glued += u32::from(self.in_word);
        self.visible(n);
        self.in_word = false;
        self.ended = false;
        for digit in &digits[digits.len().saturating_sub(2)..] {
            (self.before_last, self.last) = (self.last, (*digit).into());
        }
    }

    fn moment(&mut self, length: usize) {
        self.current.date_bytes += length as u32;
        self.current.n_digits += length as u32;
        self.visible(length as u32);
        self.ended = false;
        self.in_word = false;
        self.before_last = MOMENT;
        self.last = '0';
    }

    /// Counts characters that are no white space.
    fn visible(&mut self, n_chars: u32) {
        self.current.n_chars += n_chars;
        self.blanks = 0;
        self.wide = false;
    }

    /// Reads a character that is no letter or digit of ASCII.
    fn read(&mut self, c: char, classes: Classes) {
        self.visible(1);
        let segment = &mut self.current;
        if classes.has(Classes::WORD) {
            let latin = u32::from(classes.has(Classes::LATIN));
            segment.n_latin += latin;
            segment.n_other += 1 - latin;
            if !self.in_word {
                segment.n_words += 1;
                segment.n_capitalised += u32::from(classes.has(Classes::UPPER));
            }
            self.in_word = true;
        } else {
            if classes.has(COUNTED) {
                let one = |class: Classes| u32::from(classes.has(class));
                segment.n_cjk += one(Classes::CJK);
                segment.n_digits += one(Classes::DIGIT);
                segment.n_commas += one(Classes::COMMA);
                segment.n_separators += one(Classes::SEPARATOR);
                segment.n_code += one(Classes::CODE);
                segment.n_quotes += one(Classes::QUOTE);
                segment.has_address |= c == '/' && self.last == '/' && self.before_last == ':';
                segment.n_glued += u32::from(self.in_word && classes.has(Classes::DIGIT));
            }
            self.in_word &= classes.has(Classes::JOINER);
        }
        let is_number = self.last.is_ascii_digit() && self.before_last != MOMENT && self.n_row <= MAX_COUNTED;
        self.counted = c == '.' && is_number;
        if classes.has(Classes::END) && !self.counted {
            segment.n_ends += u32::from(!self.ended);
            self.ended = true;
        } else {
            self.ended &= classes.has(Classes::CLOSING);
        }
        self.before_last = self.last;
        self.last = c;
    }

    /// Reads the letters of ASCII that begin at a byte of the page.
    #[inline]
    fn letters(&mut self, bytes: &[u8], at: usize, letters: Letters) {
        let Letters { word, n, has_capitals } = letters;
        let segment = &mut self.current;
        segment.n_latin += n as u32;
        if !self.in_word {
            segment.n_words += 1;
            segment.n_capitalised += u32::from((word as u8).is_ascii_uppercase());
        }
        if has_capitals {
            let meet = |pair: &&[u8]| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase();
            segment.n_glued += bytes[at..at + n].windows(2).filter(meet).count() as u32;
        }
        self.visible(n as u32);
        self.in_word = true;
        self.ended = false;
        self.before_last = if n > 1 { bytes[at + n - 2].into() } else { self.last };
        self.last = bytes[at + n - 1].into();
    }

    /// Reads CJK characters.
    fn characters(&mut self, characters: &str, n_chars: u32) {
        self.current.n_cjk += n_chars;
        self.visible(n_chars);
        self.in_word = false;
        self.ended = false;
        let mut last = characters.chars().rev();
        if let Some(c) = last.next() {
            (self.before_last, self.last) = (last.next().unwrap_or(self.last), c);
        }
    }
}

fn n_digits(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// The CJK characters that begin at a byte of a page: how many bytes they have, and how many they are. Calls `each` with
/// the place of each of them, and how many bytes it has.
#[inline]
fn cjk_characters(
    page: &str,
    start: usize,
    table: &Table,
    mut each: impl FnMut(usize, usize),
) -> (usize, u32) {
    let bytes = page.as_bytes();
    let (mut at, mut n_chars) = (start, 0);
    loop {
        // All Han characters, but not the hexagrams before most of them.
        while let Some(&[first, second]) = bytes.get(at..).and_then(<[u8]>::first_chunk)
            && matches!(first, 0xE4..=0xE9)
            && (first, second) != (0xE4, 0xB7)
        {
            each(at, 3);
            at += 3;
            n_chars += 1;
        }
        let Some(c) = character(page, at).filter(|c| table.of(*c) == Classes::CJK) else {
            return (at - start, n_chars);
        };
        each(at, c.len_utf8());
        at += c.len_utf8();
        n_chars += 1;
    }
}

/// The character at a byte of a page.
#[inline]
fn character(page: &str, at: usize) -> Option<char> {
    page.get(at..)?.chars().next()
}
