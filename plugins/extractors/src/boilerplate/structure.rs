//! Lines that belong to a structure which a text has and a menu has not: fenced code, headings, lists, tables.
//!
//! Only the beginnings of lines are looked at, so pages that were flattened without marks have hardly any. What
//! is kept of a text by people or by other programs often has them, and a line of code or an entry of a list is
//! text there, however little it looks like it.

/// What a line is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Structure {
    /// None that is known.
    Plain,
    /// Between two fences of code, or a fence.
    Fence,
    /// A heading of Markdown.
    Heading,
    /// An entry of a list: a bullet stands before it.
    Item,
    /// An entry of a numbered list.
    Number,
    /// A row of a table between bars.
    Row,
    /// A quotation that `>` marks.
    Quote,
    /// A heading of a section, or its entry in a table of contents: `2.1. Keeping bees`.
    Section,
}

/// What a line is part of by its beginning.
pub(super) fn structure(line: &str) -> Structure {
    let behind = |n: usize| line.as_bytes().get(n).copied();
    match line.as_bytes().first() {
        Some(b'`') if line.starts_with("```") => Structure::Fence,
        Some(b'~') if line.starts_with("~~~") => Structure::Fence,
        Some(b'#') => {
            let level = line.bytes().take_while(|byte| *byte == b'#').count();
            if level <= 6 && behind(level) == Some(b' ') { Structure::Heading } else { Structure::Plain }
        }
        Some(b'-' | b'*' | b'+') if behind(1) == Some(b' ') => Structure::Item,
        Some(0xE2 | 0xC2) if line.starts_with(['•', '●', '■', '▪', '◆', '·', '–']) => {
            Structure::Item
        }
        Some(b'>') if behind(1).is_some_and(|byte| byte == b' ' || byte == b'>') => Structure::Quote,
        Some(b'|') if line.len() > 2 && line.ends_with('|') => Structure::Row,
        Some(b'0'..=b'9') => {
            let digits = line.bytes().take_while(u8::is_ascii_digit).count();
            let rest = line.get(digits..).unwrap_or_default();
            let numbers = digits <= 3 && rest.starts_with(['.', ')', '、', '）', '．']);
            // `1.5` is a number, and so is a date.
            let ends = rest.chars().nth(1).is_some_and(|c| !c.is_ascii_digit());
            match numbers {
                true if ends || rest == "." => Structure::Number,
                true if is_section(rest) => Structure::Section,
                _ => Structure::Plain,
            }
        }
        _ => Structure::Plain,
    }
}

/// Whether the number of a section goes on, and its title follows: `.1. Keeping bees`, `.10 Ausblick`. A small letter begins
/// a unit, `1.5 litres`. With a full stop behind it the number may stand alone.
fn is_section(behind_first: &str) -> bool {
    let number = |rest: &str| rest.bytes().take_while(u8::is_ascii_digit).count();
    let mut rest = behind_first;
    while let Some(behind) = rest.strip_prefix('.').filter(|behind| (1..=2).contains(&number(behind))) {
        rest = behind.get(number(behind)..).unwrap_or_default();
    }
    let title = rest.strip_prefix('.').unwrap_or(rest).trim_start_matches(tamis_text::chars::is_blank);
    rest.len() < behind_first.len()
        && title.len() < rest.len()
        && title.chars().next().is_none_or(|c| c.is_alphabetic() && !c.is_lowercase())
}
