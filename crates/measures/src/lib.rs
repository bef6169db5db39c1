//! What is measured of a text to judge its quality.
//!
//! Rules are data, measures are code: this crate measures, and knows no limit but those that are a part of a definition
//! (C4's three words). Each [`Measure`] has a name, a unit, a direction and a definition.
//! What belongs together is measured together ([`Group`]), and only what is asked for.
//!
//! ```
//! use tamis_measures::{Measure, Measurer, StopWords};
//!
//! let wanted = [Measure::Words, Measure::StopWords];
//! let stop_words = StopWords::new(["the", "and", "of"]);
//! let values = Measurer::default().measure("The mill and the wheel.", &wanted, &stop_words);
//! assert_eq!(values.get(Measure::Words), Some(5.0));
//! assert_eq!(values.get(Measure::StopWords), Some(2.0));
//! ```
//!
//! Where a published rule is coded somewhere, the definition is that of datatrove, which whole corpora were made with;
//! `cargo xtask` has a page that compares both (`docs/judging.md` there).

pub mod c4;
mod characters;
mod lines;
mod measurer;
mod neo;
mod python;
mod repetition;
mod sentences;
mod signs;
mod table;
mod words;

pub use measurer::{Measurer, Measuring, StopWords, Values};
pub use words::{Word, words};

/// What is measured in one go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Lines and paragraphs.
    Lines,
    /// Words one by one.
    Words,
    /// Words that are looked for.
    StopWords,
    /// The most frequent groups of two to four words.
    TopGrams,
    /// Repeated groups of five words.
    DupFiveGrams,
    /// Repeated groups of six words.
    DupSixGrams,
    /// Repeated groups of seven words.
    DupSevenGrams,
    /// Repeated groups of eight words.
    DupEightGrams,
    /// Repeated groups of nine words.
    DupNineGrams,
    /// Repeated groups of ten words.
    DupTenGrams,
    /// The line rules of C4.
    C4,
    /// The same without the rule of end marks.
    LooseC4,
    /// Classes of characters.
    Characters,
    /// Repeated runs of characters.
    Runs,
    /// Sentences.
    Sentences,
    /// Simplified and traditional Chinese.
    Chinese,
    /// Compression.
    Compression,
    /// What MAP-NEO asks for.
    Neo,
}

/// Which values speak for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Better {
    /// Neither high nor low ones.
    Middle,
    /// High ones.
    Higher,
    /// Low ones.
    Lower,
}

/// Makes the enum of measures and what is known of each.
macro_rules! measures {
    ($($id:ident $name:literal $group:ident $unit:literal $better:ident $summary:literal)*) => {
        /// A value that is measured of a text.
        #[expect(clippy::doc_markdown, reason = "the same sentences are shown to users, with the names of rule sets")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Measure {
            $(#[doc = $summary] $id,)*
        }

        impl Measure {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$id),*];

            /// The name in rules.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$id => $name),* }
            }

            /// What its lower and its upper limit are called where limits are by name. Here, because only literals can be
            /// joined to a constant.
            pub const fn limits(self) -> (&'static str, &'static str) {
                match self { $(Self::$id => (concat!("limits.min_", $name), concat!("limits.max_", $name))),* }
            }

            /// The unit; empty for a share or a number without one.
            pub const fn unit(self) -> &'static str {
                match self { $(Self::$id => $unit),* }
            }

            /// What it is measured with.
            pub const fn group(self) -> Group {
                match self { $(Self::$id => Group::$group),* }
            }

            /// Which values speak for a text.
            pub const fn better(self) -> Better {
                match self { $(Self::$id => Better::$better),* }
            }

            /// What it is, in a sentence.
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$id => $summary),* }
            }
        }
    };
}

measures! {
    TextChars "text_chars" Lines "characters" Middle "Characters of the text, white space included."
    LineFeeds "line_feeds" Lines "lines" Middle "Line ends of the text."
    BulletLineRatio "bullet_line_ratio" Lines "" Lower "Share of lines that begin with `•` or `-` (Gopher)."
    EllipsisLineRatio "ellipsis_line_ratio" Lines "" Lower "Share of lines that end with `...` or `…` (Gopher)."
    DupLineRatio "dup_line_ratio" Lines "" Lower "Share of lines, empty ones aside, that have stood there before (Gopher)."
    DupLineCharRatio "dup_line_char_ratio" Lines "" Lower "Characters in lines that have stood there before, of all characters (Gopher)."
    DupParagraphRatio "dup_paragraph_ratio" Lines "" Lower "Share of paragraphs, parted by empty lines, that have stood there before (Gopher)."
    DupParagraphCharRatio "dup_paragraph_char_ratio" Lines "" Lower "Characters in paragraphs that have stood there before, of all characters (Gopher)."
    FilledLines "filled_lines" Lines "lines" Middle "Lines that are not blank."
    EndedLineRatio "ended_line_ratio" Lines "" Higher "Share of lines that end with a mark that ends sentences in any script; a blank or a quotation mark behind it hides it (FineWeb)."
    ShortLineRatio "short_line_ratio" Lines "" Lower "Share of lines of at most 30 characters (FineWeb)."
    LongLines "long_lines" Lines "lines" Higher "Lines of 200 characters and more (mC4)."
    RepeatedLineCharRatio "repeated_line_char_ratio" Lines "" Lower "Characters in lines that have stood there before, of all but line ends (FineWeb)."
    MeanLineChars "mean_line_chars" Lines "characters" Higher "Mean length of lines that are not blank."
    LineCharVariation "line_char_variation" Lines "" Middle "Standard deviation of the lengths of lines, by their mean: menus are even, and so is no prose."
    LineFeedWordRatio "line_feed_word_ratio" Words "" Lower "Line ends to words, signs included (FineWeb)."
    Words "words" Words "words" Middle "Words that are not only punctuation (Gopher)."
    MeanWordChars "mean_word_chars" Words "characters" Middle "Mean length of the words that are not only punctuation (Gopher)."
    HashWordRatio "hash_word_ratio" Words "" Lower "`#` to words, signs included (Gopher)."
    EllipsisWordRatio "ellipsis_word_ratio" Words "" Lower "`...` and `…` to words, signs included (Gopher)."
    LetterWordRatio "letter_word_ratio" Words "" Higher "Share of words, signs included, that have a letter (Gopher)."
    StopWords "stop_words" StopWords "words" Higher "How many of the stop words of the rule file occur, each once, in the case that stands there (Gopher)."
    TopTwoGramCharRatio "top_2_gram_char_ratio" TopGrams "" Lower "Characters in the most frequent two words in a row, blanks counted, of all characters (Gopher)."
    TopThreeGramCharRatio "top_3_gram_char_ratio" TopGrams "" Lower "Characters in the most frequent three words in a row, blanks counted, of all characters (Gopher)."
    TopFourGramCharRatio "top_4_gram_char_ratio" TopGrams "" Lower "Characters in the most frequent four words in a row, blanks counted, of all characters (Gopher)."
    DupFiveGramCharRatio "dup_5_gram_char_ratio" DupFiveGrams "" Lower "Characters in five words in a row that have stood there before, of all characters (Gopher)."
    DupSixGramCharRatio "dup_6_gram_char_ratio" DupSixGrams "" Lower "Characters in six words in a row that have stood there before, of all characters (Gopher)."
    DupSevenGramCharRatio "dup_7_gram_char_ratio" DupSevenGrams "" Lower "Characters in seven words in a row that have stood there before, of all characters (Gopher)."
    DupEightGramCharRatio "dup_8_gram_char_ratio" DupEightGrams "" Lower "Characters in eight words in a row that have stood there before, of all characters (Gopher)."
    DupNineGramCharRatio "dup_9_gram_char_ratio" DupNineGrams "" Lower "Characters in nine words in a row that have stood there before, of all characters (Gopher)."
    DupTenGramCharRatio "dup_10_gram_char_ratio" DupTenGrams "" Lower "Characters in ten words in a row that have stood there before, of all characters (Gopher)."
    C4Lines "c4_lines" C4 "lines" Higher "Lines that C4 keeps: an end mark, three words, no banner."
    C4Sentences "c4_sentences" C4 "sentences" Higher "Sentences in the lines that C4 keeps."
    C4Filler "c4_filler" C4 "" Lower "1 if C4 comes upon `lorem ipsum`, else 0."
    C4Bracket "c4_bracket" C4 "" Lower "1 if C4 comes upon a curly bracket, else 0."
    LooseC4Sentences "loose_c4_sentences" LooseC4 "sentences" Higher "`c4_sentences` where lines need no end mark (FineWeb)."
    LooseC4Filler "loose_c4_filler" LooseC4 "" Lower "`c4_filler` where lines need no end mark (FineWeb)."
    LooseC4Bracket "loose_c4_bracket" LooseC4 "" Lower "`c4_bracket` where lines need no end mark (FineWeb)."
    VisibleChars "visible_chars" Characters "characters" Middle "Characters that are not white space."
    HanRatio "han_ratio" Characters "" Middle "Share of Chinese characters (U+4E00 to U+9FA5) among those that can be seen."
    LetterRatio "letter_ratio" Characters "" Higher "Share of letters of any script among characters that can be seen."
    DigitRatio "digit_ratio" Characters "" Lower "Share of digits."
    CapitalRatio "capital_ratio" Characters "" Lower "Share of capital letters."
    SignRatio "sign_ratio" Characters "" Lower "Share of what is neither letter nor digit."
    DistinctCharRatio "distinct_char_ratio" Characters "" Middle "Distinct characters to all; falls with the length of a text (MAP-NEO)."
    CharEntropy "char_entropy" Characters "nats" Middle "Entropy of the characters (MAP-NEO)."
    RepeatedRunRatio "repeated_run_ratio" Runs "" Lower "Of all runs of 13 characters, white space left out, those that occur more than once (ChineseWebText)."
    Sentences "sentences" Sentences "sentences" Middle "Sentences, and pieces of lines without end mark."
    EndedSentenceCharRatio "ended_sentence_char_ratio" Sentences "" Higher "Share of characters that stand in sentences with an end mark; the form of `ended_line_ratio` for texts whose paragraphs are a line."
    MeanSentenceChars "mean_sentence_chars" Sentences "characters" Middle "Mean length of sentences, white space left out."
    SimplifiedChars "simplified_chars" Chinese "characters" Middle "Characters that only simplified Chinese has."
    TraditionalChars "traditional_chars" Chinese "characters" Middle "Characters that only traditional Chinese has (ChineseWebText drops a text with one)."
    CompressionRatio "compression_ratio" Compression "" Middle "Bytes of the text to bytes of its zstd (level 3): high for what repeats itself, low for noise."
    BracketedCharRatio "bracketed_char_ratio" Neo "" Lower "Share of characters in 【】 (MAP-NEO)."
    HashCharRatio "hash_char_ratio" Neo "" Lower "Runs of `#` to characters (MAP-NEO)."
    EllipsisCharRatio "ellipsis_char_ratio" Neo "" Lower "`...` and `…` to characters (MAP-NEO)."
    PlainDigitRatio "plain_digit_ratio" Neo "" Lower "Share of digits among letters and digits (MAP-NEO)."
    FoldedLineRatio "folded_line_ratio" Neo "" Lower "Share of lines that end with `展开`, `更多`, `readmore` or `。。。` (MAP-NEO)."
}
