//! `repair-text`: repairs text that was encoded twice, white space, invisible characters, Unicode forms, font damage
//! and hard line ends.
//!
//! One file for each group of repairs: [`twice`], [`spacing`], [`nfc`], [`font`], [`joins`].
//! Each tells from the bytes whether there is anything to do, so a clean text is read and left alone.

mod font;
mod joins;
mod nfc;
mod options;
mod spacing;
#[cfg(test)]
mod tests;
mod twice;

use std::borrow::Cow;

use tamis_plugin::{Draft, Extractor, Failure, Form, Forms, Layout, SetupError, ValueRef, Verdict};

use tamis_text::scan::Scan;

pub use options::RepairTextOptions;

/// What a page says of itself went through the same hands as its text.
const LINES: [&str; 5] = ["author", "description", "publisher", "source", "title"];

/// Repairs what was encoded twice, white space, invisible characters, Unicode forms, font damage and hard line ends;
/// see [`RepairTextOptions`].
#[derive(Debug)]
pub struct RepairText {
    options: RepairTextOptions,
}

/// The repaired text and the number of repairs, or `None` if there is nothing to repair.
type Repair = fn(&str) -> Option<(String, u64)>;

impl Extractor for RepairText {
    const NAME: &'static str = "repair-text";
    const WRITES: &'static [&'static str] =
        &["text", "author", "description", "publisher", "source", "title"];
    type Options = RepairTextOptions;

    fn open(options: RepairTextOptions) -> Result<Self, SetupError> {
        Ok(Self { options })
    }

    fn forms(&self) -> Forms {
        let RepairTextOptions { white_space, remove_blank_lines, join_lines, .. } = self.options;
        let blanks = white_space.then_some([Layout::WhiteSpace, Layout::NoBreakSpaces]);
        let markdown = (white_space || remove_blank_lines).then_some(Layout::Markdown);
        let lines = join_lines.then_some(Layout::Lines);
        Forms::new()
            .taking([Form::Flattened, Form::Clean])
            .destroying(blanks.into_iter().flatten().chain(markdown).chain(lines))
            .cleaning()
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let mut options = self.options.clone();
        if crate::laid_out::by_hand(draft) {
            // There blank lines part paragraphs, indentation is code, and lines end where their writer ended them.
            (options.white_space, options.remove_blank_lines, options.join_lines) = (false, false, false);
        }
        let options = &options;
        let mut counts: Vec<(&'static str, u64)> = Vec::new();
        let mut lines = Vec::new();
        let mut text = Cow::Borrowed(draft.text());
        // First, because blanks and controls may be bytes of what was encoded twice.
        if options.encoded_twice
            && let Some((repaired, n)) = twice::repair(&text)
        {
            counts.push(("encoded_twice_repaired", n));
            lines = repaired_lines(draft);
            text = Cow::Owned(repaired);
        }
        if let Some((repaired, spacing)) = spacing::repair(&text, options) {
            counts.extend(spacing.counts());
            text = Cow::Owned(repaired);
        }
        let repairs: [(bool, &'static str, Repair); 3] = [
            (options.nfc, "nfc_repaired", nfc::repair),
            (options.quotes, "quotes_repaired", font::repair_quotes),
            (options.characters, "characters_repaired", font::repair_characters),
        ];
        for (enabled, name, repair) in repairs {
            if enabled && let Some((repaired, n)) = repair(&text) {
                counts.push((name, n));
                text = Cow::Owned(repaired);
            }
        }
        if options.join_lines {
            let joined = match &text {
                Cow::Borrowed(_) => joins::repair(&crate::scanned::scan(draft.original())),
                Cow::Owned(text) => joins::repair(&Scan::of(text)),
            };
            if let Some((joined, n)) = joined {
                counts.push(("lines_joined", n));
                text = Cow::Owned(joined);
            }
        }
        counts.push(("quotes_unbalanced", unbalanced_quotes(&text)));
        let changed = match text {
            Cow::Owned(text) => Some(text),
            Cow::Borrowed(_) => None,
        };
        if let Some(text) = changed {
            draft.set_text(text);
        }
        for (name, line) in lines {
            draft.set_metadata(name, line);
        }
        for (name, n) in counts {
            draft.notes().count(name, n);
        }
        Ok(Verdict::Keep)
    }
}

/// The fields of a document that was encoded twice that have to be put right as well.
fn repaired_lines(draft: &Draft<'_>) -> Vec<(&'static str, String)> {
    let line =
        |name: &'static str| draft.metadata(name).and_then(ValueRef::as_str).and_then(twice::repair_line);
    LINES.iter().filter_map(|name| Some((*name, line(name)?))).collect()
}

/// The first byte of “ and ”, `E2 80 9C` and `E2 80 9D`, and of little else in most texts.
const FIRST_OF_QUOTES: u8 = 0xE2;

/// Number of lines with a ” that no “ before it in the line opens.
///
/// Only counted: where the quotation began is a guess.
fn unbalanced_quotes(text: &str) -> u64 {
    if !font::holds(text, "”") {
        return 0;
    }
    let bytes = text.as_bytes();
    // Quotations that are open in a line; none once the line is known to be unbalanced.
    let (mut n_unbalanced, mut n_open) = (0, Some(0_usize));
    for at in memchr::memchr2_iter(b'\n', FIRST_OF_QUOTES, bytes) {
        match (bytes.get(at..at + 3), n_open) {
            _ if bytes[at] == b'\n' => n_open = Some(0),
            (Some([_, 0x80, 0x9C]), Some(n)) => n_open = Some(n + 1),
            (Some([_, 0x80, 0x9D]), Some(n)) => {
                n_open = n.checked_sub(1);
                n_unbalanced += u64::from(n_open.is_none());
            }
            _ => {}
        }
    }
    n_unbalanced
}
