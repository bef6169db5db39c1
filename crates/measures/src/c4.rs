//! The line rules of C4, and what they leave of a text.

use std::sync::LazyLock;

use tamis_text::needles::Needles;

use crate::python::{self, is_ascii_space, is_space};
use crate::sentences;

/// What the rules of C4 find in a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct C4 {
    /// Lines that stay.
    pub n_lines: u64,
    /// Sentences in them.
    pub n_sentences: u64,
    /// Whether "lorem ipsum" stands in a line that passed the rules before it.
    pub has_filler: bool,
    /// Whether a curly bracket does.
    pub has_bracket: bool,
}

/// Phrases of banners; a line that has one goes.
const POLICY: [&str; 6] =
    ["terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies"];

/// The longest word of a line that stays, in characters.
const MAX_WORD: usize = 1000;

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It stays; how many sentences it has.
    Stays(u64),
    /// It goes, and why.
    Goes(&'static str),
    /// The document goes.
    Ends(&'static str),
}

/// Goes through the lines as the reference does, first with the rule of end marks, then without: a line that fails one rule is not
/// looked at by those behind, and the first filler or bracket that is reached ends the document.
pub fn c4(text: &str) -> [C4; 2] {
    c4_of(text, !python::has_other_ends(text))
}

/// [`c4`] of a text of which is known whether [`python::has_other_ends`] holds.
pub(crate) fn c4_of(text: &str, only_feeds: bool) -> [C4; 2] {
    let mut found = [C4::default(); 2];
    let mut is_over = [false; 2];
    let mut phrases = Phrases::of(text);
    for (start, line) in python::lines(text, only_feeds) {
        let in_line = phrases.before(start + line.len());
        let line = Line::new(line);
        let has_end = line.has_end_mark();
        let fate = line.fate(in_line);
        for (found, is_over) in found.iter_mut().zip(&mut is_over).skip(usize::from(!has_end)) {
            match fate {
                _ if *is_over => {}
                Fate::Stays(n_sentences) => {
                    found.n_lines += 1;
                    found.n_sentences += n_sentences;
                }
                Fate::Goes(_) => {}
                Fate::Ends(why) => {
                    found.has_filler = why == FILLER;
                    found.has_bracket = why == BRACKET;
                    *is_over = true;
                }
            }
        }
        if is_over == [true; 2] {
            break;
        }
    }
    found
}

/// Where phrases that a rule looks for occur in a text. In most there is none, and then no line need be looked through for
/// each of them.
#[derive(Debug)]
struct Phrases {
    /// The first byte and the number of each, the last first.
    found: Vec<(usize, usize)>,
    any: bool,
    has_bracket: bool,
}

/// What is known of a line before it is looked at.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// A bit for each phrase that occurs in it as it is.
    phrases: u8,
    /// Whether any may occur once something is taken out of it.
    may_occur: bool,
    has_bracket: bool,
}

/// The numbers of the phrases that are none of [`POLICY`].
const LOREM_IPSUM: usize = POLICY.len();
const JAVASCRIPT: usize = LOREM_IPSUM + 1;

/// All of them, by number.
fn all_phrases() -> impl Iterator<Item = &'static str> {
    POLICY.into_iter().chain(["lorem ipsum", "javascript"])
}

impl Phrases {
    fn of(text: &str) -> Self {
        static NEEDLES: LazyLock<Needles> = LazyLock::new(|| Needles::new(all_phrases()));
        let mut found = Vec::new();
        NEEDLES.each(text, |needle, at| found.push((at, needle)));
        // From the end, so that those of a line can be taken off.
        found.sort_unstable_by(|one, other| other.cmp(one));
        let any = !found.is_empty();
        Self { found, any, has_bracket: memchr::memchr(b'{', text.as_bytes()).is_some() }
    }

    /// What is known of a line that ends at `end`, all lines before having been asked for.
    fn before(&mut self, end: usize) -> Known {
        let mut phrases = 0;
        while let Some((_, phrase)) = self.found.pop_if(|(at, _)| *at < end) {
            phrases |= 1 << phrase;
        }
        Known { phrases, may_occur: self.any, has_bracket: self.has_bracket }
    }
}

/// A line without white space around it and without citations, and as it was.
struct Line<'a> {
    whole: &'a str,
    without: Option<String>,
}

const FILLER: &str = "lorem-ipsum";
const BRACKET: &str = "curly-bracket";

/// What C4 does with one line; `needs_end` says whether it must end with one of `.?!"'`.
pub fn fate(line: &str, needs_end: bool) -> Fate {
    let line = Line::new(line);
    if needs_end && !line.has_end_mark() {
        return Fate::Goes("no-end-mark");
    }
    let known = Phrases::of(line.whole).before(line.whole.len());
    line.fate(known)
}

impl<'a> Line<'a> {
    fn new(line: &'a str) -> Self {
        let whole = python::trim(line);
        Self { whole, without: without_citations(whole) }
    }

    fn text(&self) -> &str {
        self.without.as_deref().unwrap_or(self.whole)
    }

    fn has_end_mark(&self) -> bool {
        let line = self.text();
        line.ends_with(['.', '?', '!', '"', '\'']) && !line.ends_with("...")
    }

    /// The phrases that occur in it, a bit for each.
    fn phrases(&self, known: Known) -> u8 {
        if !known.may_occur || self.without.is_none() {
            return known.phrases;
        }
        // What is taken out may leave a phrase behind.
        let bits =
            all_phrases().enumerate().map(|(phrase, text)| u8::from(contains(self.text(), text)) << phrase);
        bits.fold(0, |all, bit| all | bit)
    }

    /// What becomes of it by the rules behind that of the end mark. Which of those a line fails that only take the line is told
    /// by nobody, so their order does not matter.
    fn fate(&self, known: Known) -> Fate {
        let line = self.text();
        let (n_words, has_long) = words(self.whole);
        if n_words < 3 {
            return Fate::Goes("few-words");
        }
        if has_long {
            return Fate::Goes("long-word");
        }
        let phrases = self.phrases(known);
        let has = |phrase: usize| phrases >> phrase & 1 == 1;
        if has(LOREM_IPSUM) {
            return Fate::Ends(FILLER);
        }
        if has(JAVASCRIPT) {
            return Fate::Goes("javascript");
        }
        if known.has_bracket && memchr::memchr(b'{', line.as_bytes()).is_some() {
            return Fate::Ends(BRACKET);
        }
        if (0..POLICY.len()).any(has) {
            return Fate::Goes("policy");
        }
        let mut n_sentences = 0;
        let mut rest = line;
        while let Some((_, behind)) = rest.split_at_checked(sentences::sentence(rest).0) {
            n_sentences += 1;
            rest = behind.trim_start_matches(is_space);
            if rest.is_empty() {
                break;
            }
        }
        Fate::Stays(n_sentences)
    }
}

/// The number of words between white space, up to three, and whether one is too long.
fn words(line: &str) -> (usize, bool) {
    let is_long = |word: &str| word.len() > MAX_WORD && word.chars().count() > MAX_WORD;
    (words_up_to_three(line), may_have_long(line.as_bytes()) && line.split(is_space).any(is_long))
}

/// Counts words, by bytes where these tell: of white space beyond ASCII few characters begin alike.
fn words_up_to_three(line: &str) -> usize {
    let (mut n_words, mut is_inside, mut at) = (0, false, 0);
    while let Some(&byte) = line.as_bytes().get(at) {
        let (is_blank, length) = match byte {
            0xC2 | 0xE1..=0xE3 => {
                let c = line.get(at..).and_then(|rest| rest.chars().next()).unwrap_or('a');
                (is_space(c), c.len_utf8())
            }
            _ => (is_ascii_space(byte), 1),
        };
        n_words += usize::from(!is_blank && !is_inside);
        if n_words == 3 {
            break;
        }
        is_inside = !is_blank;
        at += length;
    }
    n_words
}

/// Whether there are more than [`MAX_WORD`] bytes in a row without a blank of ASCII: looked for backwards from as far as they
/// reach, so that few bytes of a line are looked at.
fn may_have_long(mut line: &[u8]) -> bool {
    while let Some(reach) = line.get(..=MAX_WORD) {
        match reach.iter().rposition(|byte| is_ascii_space(*byte)) {
            Some(blank) => line = line.get(blank + 1..).unwrap_or_default(),
            None => return true,
        }
    }
    false
}

/// The line without `[12]`, `[edit]` and `[citation needed]`; `None` if it has none.
fn without_citations(line: &str) -> Option<String> {
    memchr::memchr(b'[', line.as_bytes())?;
    let mut kept = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = memchr::memchr(b'[', rest.as_bytes()) {
        let (before, from) = rest.split_at(at);
        kept.push_str(before);
        let inner = from.strip_prefix('[').unwrap_or(from);
        // Digits of any script, as the pattern of the reference has it.
        let digits =
            inner.trim_start_matches(|c: char| c.is_numeric() && !matches!(c, '²' | '³' | '¹' | '¼'..='¾'));
        let behind = digits
            .strip_prefix(']')
            .or_else(|| inner.strip_prefix("edit]"))
            .or_else(|| inner.strip_prefix("citation needed]"));
        if behind.is_none() {
            kept.push('[');
        }
        rest = behind.unwrap_or(inner);
    }
    kept.push_str(rest);
    (kept.len() < line.len()).then_some(kept)
}

/// Whether `needle`, in small letters of ASCII, occurs, whatever the case of the letters.
///
/// Looks for its rarest letter in both cases, so that most lines are passed over at the speed of memory.
fn contains(line: &str, needle: &str) -> bool {
    let (bytes, needle) = (line.as_bytes(), needle.as_bytes());
    let rarity = |byte: u8| b"jpvkymfcdluhrsinaote ".iter().position(|other| *other == byte).unwrap_or(20);
    let Some((offset, &rare)) = needle.iter().enumerate().min_by_key(|(_, byte)| rarity(**byte)) else {
        return true;
    };
    memchr::memchr2_iter(rare, rare.to_ascii_uppercase(), bytes).any(|at| {
        let start = at.checked_sub(offset);
        let found = start.and_then(|start| bytes.get(start..start + needle.len()));
        found.is_some_and(|found| found.eq_ignore_ascii_case(needle))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_by_the_rules() {
        for (line, expected) in [
            ("The mill stands by the river. It is old.", Fate::Stays(2)),
            ("  It was built in 1790.[12] ", Fate::Stays(1)),
            ("Home About Contact us", Fate::Goes("no-end-mark")),
            ("And so on and on...", Fate::Goes("no-end-mark")),
            ("Too short.", Fate::Goes("few-words")),
            ("Please enable JavaScript to go on.", Fate::Goes("javascript")),
            ("See our Privacy Policy for more.", Fate::Goes("policy")),
            ("Lorem Ipsum dolor sit amet.", Fate::Ends("lorem-ipsum")),
            ("if (x) { return the value; }.", Fate::Ends("curly-bracket")),
        ] {
            assert_eq!(fate(line, true), expected, "{line}");
        }
        assert_eq!(fate("Home About Contact us", false), Fate::Stays(1));
        assert_eq!(fate(&format!("a b {}.", "x".repeat(1001)), true), Fate::Goes("long-word"));
    }

    #[test]
    fn phrases_are_found_in_their_lines() {
        let text = "We use cookies on this page.\nThe mill stands there.\nWe use[1] cookies.\nIt needs JavaScript to run.";
        assert_eq!(c4(text)[0].n_lines, 1);
        // Nothing else of the text has a phrase: then the reference's is found no more than ours.
        assert_eq!(fate("We use cookies on[1] this page.", true), Fate::Goes("policy"));
        assert_eq!(fate("And the javascript of it.", true), Fate::Goes("javascript"));
    }

    #[test]
    fn words_are_counted_as_far_as_they_matter() {
        for (line, expected) in [
            ("", 0),
            ("a", 1),
            (" a\u{a0}b ", 2),
            ("水轮\u{3000}磨坊\u{2003}ä b c", 3),
            ("水轮、磨坊", 1),
            ("\u{2014} \u{85}é", 2),
        ] {
            assert_eq!(words_up_to_three(line), expected, "{line:?}");
        }
        let long = "x".repeat(MAX_WORD + 1);
        for (line, expected) in [
            (format!("a {long} b"), true),
            (format!("a {} b", "水".repeat(400)), true),
            (format!("{}{}", "a ".repeat(800), "b".repeat(MAX_WORD)), false),
            (format!("{}{long}", "a ".repeat(800)), true),
        ] {
            assert_eq!(may_have_long(line.as_bytes()), expected, "{}", line.len());
        }
        assert!(!words(&"水".repeat(400)).1 && words(&long).1);
    }

    #[test]
    fn a_bracket_counts_where_it_is_reached() {
        let found = c4("a { b\nThe mill stands by the river.\nIt was { old then.\nNot reached any more.");
        assert_eq!(found[0], C4 { n_lines: 1, n_sentences: 1, has_filler: false, has_bracket: true });
    }

    #[test]
    fn citations_are_taken_out() {
        for (line, without) in [
            ("a[1] b[] c[edit]", Some("a b c")),
            ("a [citation needed].", Some("a .")),
            ("a [1", None),
            ("a [b] [", None),
        ] {
            assert_eq!(without_citations(line).as_deref(), without, "{line}");
        }
    }
}
