//! Phrases of page furniture and words of prose, by language, from the data files in `lexicons/`.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde::Deserialize;

/// What a phrase says about the line in which it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Category {
    /// Menus and channels.
    Navigation,
    /// Accounts, search boxes, carts.
    Account,
    /// Share and print buttons.
    Share,
    /// Comment widgets.
    Comment,
    /// Headings of lists of other pages.
    Related,
    /// Labels of editors, reporters and photographers.
    Credit,
    /// Labels of sources.
    Source,
    /// Labels of dates.
    Date,
    /// Copyright, licences, terms.
    Legal,
    /// Advertisements, subscriptions, apps.
    Promotion,
    /// Controls of players and galleries.
    Media,
    /// Next page, page 2 of 5.
    Paging,
    /// The end of a text.
    Ending,
    /// Scripts, style sheets, data islands.
    Code,
    /// Words that prose is full of.
    Prose,
}

impl Category {
    /// Categories of furniture, which is all but the last.
    pub(super) const COUNT: usize = 14;
    /// Their names in data files and weights.
    pub(super) const NAMES: [&'static str; Self::COUNT] = [
        "navigation",
        "account",
        "share",
        "comment",
        "related",
        "credit",
        "source",
        "date",
        "legal",
        "promotion",
        "media",
        "paging",
        "ending",
        "code",
    ];
    pub(super) const ALL: [Self; Self::COUNT] = [
        Self::Navigation,
        Self::Account,
        Self::Share,
        Self::Comment,
        Self::Related,
        Self::Credit,
        Self::Source,
        Self::Date,
        Self::Legal,
        Self::Promotion,
        Self::Media,
        Self::Paging,
        Self::Ending,
        Self::Code,
    ];

    /// Whether a phrase of this category begins something new within a line of glued text.
    pub(super) fn begins_furniture(self) -> bool {
        matches!(self, Self::Related | Self::Credit | Self::Source | Self::Date | Self::Legal | Self::Ending)
    }
}

/// A phrase found in a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hit {
    /// First byte.
    pub(super) start: usize,
    /// The byte after the last.
    pub(super) end: usize,
    /// What it says.
    pub(super) category: Category,
}

/// The data file of a language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    language: String,
    phrases: std::collections::BTreeMap<String, Vec<String>>,
    prose: Prose,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Prose {
    words: Vec<String>,
}

/// All phrases in one automaton.
#[derive(Debug)]
pub(super) struct Lexicon {
    automaton: AhoCorasick,
    categories: Vec<Category>,
}

impl Lexicon {
    /// Reads data files as text.
    pub(super) fn read(files: &[&str]) -> Result<Self, String> {
        let mut phrases: Vec<(String, Category)> = Vec::new();
        for file in files {
            let file: File = toml::from_str(file).map_err(|error| error.to_string())?;
            for (name, list) in file.phrases {
                let at = Category::NAMES.iter().position(|known| *known == name);
                let category = at.map(|at| Category::ALL[at]).ok_or_else(|| {
                    format!("unknown category `{name}` in the lexicon of `{}`", file.language)
                })?;
                phrases.extend(list.into_iter().map(|phrase| (phrase.to_lowercase(), category)));
            }
            phrases.extend(file.prose.words.into_iter().map(|word| (word.to_lowercase(), Category::Prose)));
        }
        // The automaton ignores the case of ASCII letters alone.
        let capitals: Vec<_> = phrases
            .iter()
            .filter_map(|(phrase, category)| {
                let mut letters = phrase.chars();
                let first = letters.next().filter(|c| !c.is_ascii() && c.is_lowercase())?;
                Some((first.to_uppercase().chain(letters).collect::<String>(), *category))
            })
            .collect();
        phrases.extend(capitals);
        phrases.sort_by(|a, b| a.0.cmp(&b.0));
        phrases.dedup_by(|later, earlier| later.0 == earlier.0);
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(phrases.iter().map(|(phrase, _)| phrase))
            .map_err(|error| error.to_string())?;
        let categories = phrases.into_iter().map(|(_, category)| category).collect();
        Ok(Self { automaton, categories })
    }

    /// What is found in `page`, by start; of two that overlap, the first, then the longer.
    pub(super) fn hits(&self, page: &str, hits: &mut Vec<Hit>) {
        hits.clear();
        let bytes = page.as_bytes();
        for found in self.automaton.find_iter(bytes) {
            let (start, end) = (found.start(), found.end());
            if is_whole(bytes, start, end) {
                hits.push(Hit { start, end, category: self.categories[found.pattern().as_usize()] });
            }
        }
    }
}

/// Whether a phrase that begins or ends with a letter of an alphabet does not cut a word there.
fn is_whole(bytes: &[u8], start: usize, end: usize) -> bool {
    let letter = |at: usize| bytes.get(at).is_some_and(|byte| is_letter(*byte));
    let before = start.checked_sub(1).map(|at| lead(bytes, at));
    // `friendsTwitter`: text of elements that were glued together.
    let glued = |left: usize, right: usize| {
        bytes.get(left).is_some_and(u8::is_ascii_lowercase)
            && bytes.get(right).is_some_and(u8::is_ascii_uppercase)
    };
    let cuts_before = letter(start) && before.is_some_and(|before| letter(before) && !glued(before, start));
    let cuts_after = letter(lead(bytes, end - 1)) && letter(end) && !glued(end - 1, end);
    !cuts_before && !cuts_after
}

/// The first byte of the character that holds the byte `at`.
fn lead(bytes: &[u8], mut at: usize) -> usize {
    while at > 0 && bytes.get(at).is_some_and(|byte| byte & 0xC0 == 0x80) {
        at -= 1;
    }
    at
}

/// Whether a character that begins with this byte is a letter of a script with blanks between words: ASCII,
/// Latin, Greek, Cyrillic, Hebrew, Arabic, Indic.
fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || (0xC3..=0xDB).contains(&byte) || matches!(byte, 0xE0 | 0xE1)
}

/// The lexicon of the languages that come with the stage.
pub(super) static BUNDLED: LazyLock<Lexicon> =
    LazyLock::new(|| Lexicon::read(FILES).expect("the data files are checked by a test"));

pub(super) const FILES: &[&str] = &[
    include_str!("lexicons/code.toml"),
    include_str!("lexicons/zh.toml"),
    include_str!("lexicons/en.toml"),
    include_str!("lexicons/ja.toml"),
    include_str!("lexicons/ko.toml"),
    include_str!("lexicons/de.toml"),
    include_str!("lexicons/fr.toml"),
    include_str!("lexicons/es.toml"),
    include_str!("lexicons/pt.toml"),
    include_str!("lexicons/ru.toml"),
    include_str!("lexicons/tr.toml"),
    include_str!("lexicons/pl.toml"),
    include_str!("lexicons/it.toml"),
    include_str!("lexicons/nl.toml"),
    include_str!("lexicons/hi.toml"),
    include_str!("lexicons/ar.toml"),
    include_str!("lexicons/vi.toml"),
    include_str!("lexicons/id.toml"),
];
