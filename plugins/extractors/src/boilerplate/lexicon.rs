//! Phrases of page furniture and words of prose, by language, from the data files in `lexicons/`.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use serde::Deserialize;

use super::phrases::{Begins, Phrases};
use super::title::Title;
use super::tokens::{Sieve, Tokens};

/// What a phrase says about the line in which it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
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

/// The phrases of all languages.
#[derive(Debug)]
pub(super) struct Lexicon {
    phrases: Phrases<Category>,
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
                phrases.extend(list.into_iter().map(|phrase| (phrase, category)));
            }
            phrases.extend(file.prose.words.into_iter().map(|word| (word, Category::Prose)));
        }
        Ok(Self { phrases: Phrases::new(phrases) })
    }

    /// Looks for phrases, and for the words of the title.
    ///
    /// Of two phrases that overlap, the first counts, then the longer.
    pub(super) fn find(&self, page: &str, title: &Title) -> Found {
        let mut found = Found { hits: Vec::with_capacity(page.len() / 24 + 1), ..Found::default() };
        let mut begins = Cow::Borrowed(self.phrases.begins());
        if !title.is_unknown() {
            title.add_to(begins.to_mut());
        }
        self.find_in(page, 0..page.len(), title, &mut &*begins, &mut found);
        found
    }

    /// The same in some lines of a page. The sieve lets at least those tokens pass that [`Title::add_to`] lets pass.
    pub(super) fn find_in(
        &self,
        page: &str,
        lines: Range<usize>,
        title: &Title,
        sieve: &mut impl Sieve,
        found: &mut Found,
    ) {
        let mut end = 0;
        let mut tokens = Tokens::within(page, lines);
        while let Some(token) = tokens.next_of(sieve) {
            if let Some(word) = title.word_of(&token) {
                found.title_words.push((token.start, word));
            }
            if token.start >= end
                && let Some((length, category)) = self.phrases.longest(page, &token)
            {
                end = token.start + length;
                found.hits.push(Hit { start: token.start, end, category });
            }
        }
    }

    /// What tells the tokens that begin a phrase.
    pub(super) fn begins(&self) -> &Begins {
        self.phrases.begins()
    }
}

/// The share of a line that phrases of furniture take, 0 to 1; words of prose and code left out.
pub(crate) fn furniture_share(line: &str) -> f32 {
    let found = BUNDLED.find(line, &Title::default());
    let hits = found.hits.iter().filter(|hit| !matches!(hit.category, Category::Prose | Category::Code));
    let bytes: usize = hits.map(|hit| hit.end - hit.start).sum();
    bytes as f32 / line.len().max(1) as f32
}

/// What is found in a page, by the byte at which it begins.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    pub(super) hits: Vec<Hit>,
    /// Words of the title, by their numbers.
    pub(super) title_words: Vec<(usize, u8)>,
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
