//! Damage by fonts: documents whose fonts put glyphs where other characters belong, copied as text.
//!
//! Such text comes from PDF files and from document libraries that were filled from them.

use tamis_text::chars::{is_han, is_latin};

/// Fewest marks of each kind; a font replaces all of them, while a stray low quote stands alone.
const MIN_MARKS: usize = 4;

/// Whether a character stands in a text; `str::contains` looks for its last byte, which many others of the script share.
pub(super) fn holds(text: &str, character: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), character.as_bytes()).is_some()
}

/// ‚ (U+201A) and ‛ (U+201B) to “ and ”; returns the text and the number of marks, or `None`.
///
/// A ‚ that is closed by ’ with no ‛ before the next ‚ is closed by ” instead; inner ‘…’ stay.
pub(super) fn repair_quotes(text: &str) -> Option<(String, u64)> {
    if !holds(text, "‚") || !holds(text, "‛") {
        return None;
    }
    let n_of = |mark: char| text.matches(mark).count();
    let (n_opening, n_closing) = (n_of('‚'), n_of('‛'));
    let german = n_of('„') >= n_opening;
    if n_opening.min(n_closing) < MIN_MARKS || german || !is_chinese(text) {
        return None;
    }
    let mut repaired = String::with_capacity(text.len());
    let mut n_marks = 0;
    for line in text.split_inclusive('\n') {
        let closers = odd_closers(line);
        let mut closers = closers.iter().peekable();
        for (offset, c) in line.char_indices() {
            let mark = match c {
                '‚' => '“',
                '‛' => '”',
                _ if closers.next_if(|closer| **closer == offset).is_some() => '”',
                _ => c,
            };
            n_marks += u64::from(mark != c);
            repaired.push(mark);
        }
    }
    Some((repaired, n_marks))
}

/// The bytes of each ’ that closes a ‚ in `line`: no ‘ in between waits for it, no letter stands on both
/// sides as with an apostrophe, and no ‛ comes before the next ‚.
fn odd_closers(line: &str) -> Vec<usize> {
    let mut closers = Vec::new();
    let mut n_inner = 0_usize;
    // The first ’ that could close the ‚ that is open.
    let mut candidate = None;
    let mut is_open = false;
    let mut previous = ' ';
    let mut chars = line.char_indices().peekable();
    while let Some((offset, c)) = chars.next() {
        match c {
            '‚' => {
                closers.extend(candidate.take());
                (is_open, n_inner) = (true, 0);
            }
            '‛' => (is_open, candidate) = (false, None),
            '‘' => n_inner += 1,
            '’' if n_inner > 0 => n_inner -= 1,
            '’' if is_open && candidate.is_none() => {
                let next_is_latin = chars.peek().is_some_and(|(_, next)| is_latin(*next));
                if !(is_latin(previous) && next_is_latin) {
                    candidate = Some(offset);
                }
            }
            _ => {}
        }
        previous = c;
    }
    closers.extend(candidate);
    closers
}

/// 臵 (U+81F5) to 置; returns the text and the number of characters, or `None`.
///
/// 臵 is a rare variant of 置 that fonts of PDF files are known to put in its place (设臵, 位臵). A text with
/// Traditional characters may mean it.
pub(super) fn repair_characters(text: &str) -> Option<(String, u64)> {
    if !holds(text, "臵") || text.contains(TRADITIONAL) || !is_chinese(text) {
        return None;
    }
    Some((text.replace('臵', "置"), text.matches('臵').count() as u64))
}

/// The most frequent characters that Simplified Chinese does not use.
const TRADITIONAL: [char; 64] = [
    '們', '這', '個', '來', '時', '對', '說', '國', '學', '會', '過', '為', '發', '無', '開', '關', '問',
    '題', '實', '現', '體', '點', '東', '車', '長', '門', '見', '馬', '龍', '黨', '業', '產', '務', '動',
    '與', '經', '營', '應', '從', '進', '還', '選', '擇', '讓', '認', '識', '計', '設', '許', '論', '證',
    '評', '請', '談', '變', '處', '頭', '電', '後', '據', '報', '種', '樣', '讀',
];

/// Whether a text has more Chinese characters than Latin letters.
fn is_chinese(text: &str) -> bool {
    let (mut n_han, mut n_latin) = (0_usize, 0_usize);
    for c in text.chars() {
        n_han += usize::from(is_han(c));
        n_latin += usize::from(is_latin(c));
    }
    n_han > n_latin
}
