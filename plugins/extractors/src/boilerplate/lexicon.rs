//! Phrases of page furniture and words of prose, by language, from the data files in `lexicons/`.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use serde::Deserialize;

use super::phrases::{Begins, Phrases};
use super::title::{Noted, Title, note};
use super::tokens::{Character, Letters, Sieve, Token, Tokens};

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
        let mut begins = Cow::Borrowed(self.phrases.begins());
        if !title.is_unknown() {
            title.add_to(begins.to_mut());
        }
        let mut search = Search::new(self, page, title, &begins);
        search.run(0..page.len());
        search.found
    }

    /// What tells the tokens that begin a phrase.
    pub(super) fn begins(&self) -> &Begins {
        self.phrases.begins()
    }
}

/// Looks for phrases, and for words of a title, in the lines of a page over which somebody else walks.
pub(super) struct Search<'a> {
    lexicon: &'a Lexicon,
    page: &'a str,
    title: &'a Title,
    sieve: Noting<'a>,
    /// Where the last phrase ends; one that begins before is none.
    phrase_end: usize,
    /// Up to here all tokens were looked at: a word may go on behind what was asked for.
    done: usize,
    /// What was found in the line, in order.
    pub(super) found: Found,
}

impl<'a> Search<'a> {
    /// The beginnings let at least those tokens pass that [`Title::add_to`] lets pass.
    pub(super) fn new(lexicon: &'a Lexicon, page: &'a str, title: &'a Title, begins: &'a Begins) -> Self {
        let sieve = Noting { begins, tokens: Noted::default() };
        Self { lexicon, page, title, sieve, phrase_end: 0, done: 0, found: Found::default() }
    }

    /// Forgets what was found in the line before, and which tokens it has.
    pub(super) fn begin_line(&mut self) {
        self.found.hits.clear();
        self.found.title_words.clear();
        self.sieve.tokens = Noted::default();
    }

    /// The tokens of the line so far.
    pub(super) fn tokens(&self) -> Noted {
        self.sieve.tokens
    }

    /// Looks at all tokens that begin in some bytes, which follow those that were looked at before.
    #[inline]
    pub(super) fn run(&mut self, bytes: Range<usize>) {
        // Letters beyond ASCII come one by one, and the first of them has brought the word.
        if bytes.end > self.done {
            self.look_at(bytes);
        }
    }

    fn look_at(&mut self, bytes: Range<usize>) {
        let mut tokens = Tokens::within(self.page, bytes.start.max(self.done)..bytes.end);
        while let Some(token) = tokens.next_of(&mut self.sieve) {
            self.look_up(&token);
        }
        self.done = tokens.at();
    }

    /// The same for the letters of ASCII at a byte.
    #[inline]
    pub(super) fn letters(&mut self, start: usize, letters: Letters) {
        if start < self.done {
            return;
        }
        match letters.word(self.page.as_bytes(), start) {
            Some(token) if self.sieve.may_be(token.key) => self.look_up(&token),
            Some(_) => {}
            None => self.run(start..start + letters.n),
        }
    }

    /// The same for signs or digits of ASCII.
    #[inline]
    pub(super) fn signs(&mut self, places: Range<usize>) {
        let bytes = self.page.as_bytes();
        for at in places {
            let next = bytes.get(at + 1).copied().unwrap_or(0xFF);
            if self.sieve.may_begin_with(bytes[at], next) {
                self.run(at..at + 1);
            }
        }
    }

    /// The same for a character beyond ASCII that is no letter of an alphabet, and how many bytes it has.
    #[inline]
    pub(super) fn character(&mut self, at: usize, n_bytes: usize) {
        let character = Character::at(self.page.as_bytes(), at, n_bytes);
        if self.sieve.may_be(character.key) || self.sieve.may_be_alone(character.alone) {
            let token = character.token(self.page, at);
            self.look_up(&token);
        }
        self.done = at + n_bytes;
    }

    #[inline]
    fn look_up(&mut self, token: &Token) {
        if let Some(word) = self.title.word_of(token) {
            self.found.title_words.push((token.start, word));
        }
        if token.start >= self.phrase_end
            && let Some((length, category)) = self.lexicon.phrases.longest(self.page, token)
        {
            self.phrase_end = token.start + length;
            self.found.hits.push(Hit { start: token.start, end: self.phrase_end, category });
        }
    }
}

/// Notes the tokens that come by.
struct Noting<'a> {
    begins: &'a Begins,
    tokens: Noted,
}

impl Sieve for Noting<'_> {
    #[inline]
    fn may_be(&mut self, key: u64) -> bool {
        note(&mut self.tokens, key);
        let mut begins = self.begins;
        Sieve::may_be(&mut begins, key)
    }

    #[inline]
    fn may_be_alone(&mut self, bytes: u32) -> bool {
        let mut begins = self.begins;
        begins.may_be_alone(bytes)
    }

    #[inline]
    fn may_begin_with(&mut self, sign: u8, next: u8) -> bool {
        let mut begins = self.begins;
        begins.may_begin_with(sign, next)
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
