//! Options of `repair-text`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Repairs text that was encoded twice, white space, invisible characters, Unicode forms, font damage and hard line ends.
///
/// Put it behind the stages that look at line structure or at U+00A0 (`site-rules`, `newspaper-page`,
/// `recover-paragraphs`) and before filters and exporters.
/// Every repair can be switched off, and every repair is counted.
/// Text is never added, only replaced by what it stands for, and a second run changes nothing.
///
/// In this order:
///
/// 1. *Encoded twice*: UTF-8 that was once taken for windows-1252 (`donâ€™t`, `cafÃ©`) is read again, where nearly all
///    beyond ASCII in a text is like that; then `title`, `author`, `description`, `publisher` and `source`, too.
/// 2. *Line ends*, *white space*, *blank lines*: any line end becomes LF; blanks, tabs, U+00A0, U+3000 and
///    runs of them become one blank, none at the ends of a line; paragraphs follow each other line by line.
///    A single blank inside a line stays, also between Chinese characters, where it may mean something.
/// 3. *Control characters* and invisible ones (U+FEFF, U+200B, U+00AD, …) go. Joiners stay where scripts
///    need them (Arabic, Indic, emoji), direction marks where anything is written from right to left;
///    U+0080 to U+009F become what windows-1252 means by them, as in the HTML standard.
/// 4. *NFC*, never NFKC: full-width forms and ligatures mean something.
/// 5. *Quotation marks* of a damaged font, ‚…‛ for “…”: in Chinese text with four of each mark at least and
///    no German „…“.
/// 6. *Characters* of a damaged font: 臵 for 置, in Chinese text without Traditional characters.
/// 7. *Hard line ends* inside a sentence: a line is joined to the next if it is running text that stops in
///    the middle of a sentence and the next goes on with it; headings, list items and signatures are not.
///
/// ```toml
/// [[stage]]
/// use = "repair-text"
/// remove_blank_lines = false
/// ```
///
/// Counts: `encoded_twice_repaired` (characters), `line_ends_repaired`, `white_space_repaired`, `blank_lines_removed`,
/// `control_characters_removed`, `windows_1252_repaired`, `nfc_repaired` (documents), `quotes_repaired`,
/// `characters_repaired`, `lines_joined`; and, counted but not repaired, `quotes_unbalanced`: lines with a ”
/// that nothing opens.
///
/// Of what a reader says is Markdown or the like (`content_type`, from the name of the file) the layout stays: white
/// space, blank lines and line ends are left alone. In other texts, code between fences of Markdown (three `` ` `` or
/// `~`) stays as it is in white space and lines.
///
/// Limits: the indentation of other program code goes with the other white space; a word that was divided with a
/// hyphen at a line end stays divided.
#[expect(clippy::struct_excessive_bools, reason = "one switch for each repair")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RepairTextOptions {
    /// Read again as UTF-8 what was encoded twice.
    pub encoded_twice: bool,
    /// Make every line end (CR LF, CR, VT, FF, NEL, U+2028, U+2029) a line feed.
    pub line_ends: bool,
    /// Make every run of blanks one blank, and take it away at the ends of lines.
    pub white_space: bool,
    /// Remove blank lines.
    pub remove_blank_lines: bool,
    /// Remove control characters and invisible ones.
    pub control_characters: bool,
    /// Bring the text into Unicode normalization form C.
    pub nfc: bool,
    /// Repair ‚…‛ to “…” where a font was damaged.
    pub quotes: bool,
    /// Repair single characters where a font was damaged: 臵 to 置.
    pub characters: bool,
    /// Join lines that end inside a sentence.
    pub join_lines: bool,
}

impl Default for RepairTextOptions {
    fn default() -> Self {
        Self {
            encoded_twice: true,
            line_ends: true,
            white_space: true,
            remove_blank_lines: true,
            control_characters: true,
            nfc: true,
            quotes: true,
            characters: true,
            join_lines: true,
        }
    }
}
