//! The line rules of C4, and what they leave of a text.

use std::sync::LazyLock;

use tamis_text::needles::Needles;

use crate::python::{self, is_space};
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
    let mut found = [C4::default(); 2];
    let mut is_over = [false; 2];
    let phrases = Phrases::of(text);
    for line in python::lines(text) {
        let line = Line::new(line);
        let has_end = line.has_end_mark();
        let fate = line.fate(phrases);
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

/// Whether any phrase that a rule looks for may occur in a text. In most there is none, and then no line need be looked
/// through for each of them.
#[derive(Debug, Clone, Copy)]
struct Phrases {
    may_occur: bool,
    has_bracket: bool,
}

impl Phrases {
    fn of(text: &str) -> Self {
        static NEEDLES: LazyLock<Needles> =
            LazyLock::new(|| Needles::new(POLICY.into_iter().chain(["lorem ipsum", "javascript"])));
        let mut may_occur = false;
        NEEDLES.each(text, |_, _| may_occur = true);
        Self { may_occur, has_bracket: memchr::memchr(b'{', text.as_bytes()).is_some() }
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
    line.fate(Phrases { may_occur: true, has_bracket: true })
}

impl<'a> Line<'a> {
    fn new(line: &'a str) -> Self {
        let whole = line.trim_matches(is_space);
        Self { whole, without: without_citations(whole) }
    }

    fn text(&self) -> &str {
        self.without.as_deref().unwrap_or(self.whole)
    }

    fn has_end_mark(&self) -> bool {
        let line = self.text();
        line.ends_with(['.', '?', '!', '"', '\'']) && !line.ends_with("...")
    }

    /// What becomes of it by the rules behind that of the end mark. Which of those a line fails that only take the line is told
    /// by nobody, so their order does not matter.
    fn fate(&self, phrases: Phrases) -> Fate {
        let line = self.text();
        let (n_words, has_long) = words(self.whole);
        if n_words < 3 {
            return Fate::Goes("few-words");
        }
        if has_long {
            return Fate::Goes("long-word");
        }
        let has = |needle: &str| phrases.may_occur && contains(line, needle);
        if has("lorem ipsum") {
            return Fate::Ends(FILLER);
        }
        if has("javascript") {
            return Fate::Goes("javascript");
        }
        if phrases.has_bracket && memchr::memchr(b'{', line.as_bytes()).is_some() {
            return Fate::Ends(BRACKET);
        }
        if POLICY.iter().any(|phrase| has(phrase)) {
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

/// The number of words between white space, as far as it matters, and whether one is too long.
fn words(line: &str) -> (usize, bool) {
    if line.len() <= MAX_WORD {
        return (line.split(is_space).filter(|word| !word.is_empty()).take(3).count(), false);
    }
    let mut n_words = 0;
    let mut has_long = false;
    for word in line.split(is_space).filter(|word| !word.is_empty()) {
        n_words += 1;
        has_long |= word.len() > MAX_WORD && word.chars().count() > MAX_WORD;
    }
    (n_words, has_long)
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
