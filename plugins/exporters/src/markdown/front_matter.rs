//! YAML front matter that YAML 1.1 and 1.2 read the same way.

use std::fmt::Write;

use tamis_plugin::{ExportView, Failure, Fate, ValueRef};

use crate::jsonl::{push_measures, push_string, push_value};

/// Names at the top level that mean something of ours; metadata of these names stand under the last one.
const RESERVED: [&str; 5] = ["id", "stage", "reason", "measures", NESTED];
const NESTED: &str = "metadata";

/// YAML allows 1024 characters for a key on one line; beyond, it must be marked.
const MAX_KEY_BYTES: usize = 1000;

/// Appends the front matter, with the lines that enclose it.
///
/// `fields` are the metadata fields to write; without it all.
pub(super) fn push(
    record: &ExportView<'_>,
    fields: Option<&[String]>,
    out: &mut String,
) -> Result<(), Failure> {
    out.push_str("---\n");
    push_field("id", ValueRef::String(record.document.id()), out)?;
    if let Fate::Dropped(reason) | Fate::Failed(reason) = record.fate {
        push_field("stage", record.stage.map_or(ValueRef::Null, ValueRef::String), out)?;
        push_field("reason", ValueRef::String(reason), out)?;
        let mut measures = Vec::new();
        push_measures(record.measures, &mut measures)?;
        push_field("measures", ValueRef::Json(&utf8(measures)?), out)?;
    }
    let mut nested = Vec::new();
    let document = &record.document;
    let chosen = fields.unwrap_or_default().iter();
    let chosen = chosen.filter_map(|name| Some((name.as_str(), document.metadata(name)?)));
    let all = if fields.is_none() { Some(document.fields()) } else { None };
    for (name, value) in chosen.chain(all.into_iter().flatten()) {
        if RESERVED.contains(&name) {
            nested.push(if nested.is_empty() { b'{' } else { b',' });
            push_string(name, &mut nested);
            nested.push(b':');
            push_value(value, &mut nested)?;
        } else {
            push_field(name, value, out)?;
        }
    }
    if !nested.is_empty() {
        nested.push(b'}');
        push_field(NESTED, ValueRef::Json(&utf8(nested)?), out)?;
    }
    out.push_str("---\n");
    Ok(())
}

fn push_field(name: &str, value: ValueRef<'_>, out: &mut String) -> Result<(), Failure> {
    if name.len() > MAX_KEY_BYTES {
        out.push_str("? ");
        push_text(name, out)?;
        out.push_str("\n: ");
    } else {
        push_text(name, out)?;
        out.push_str(": ");
    }
    match value {
        ValueRef::String(text) => push_text(text, out)?,
        other => {
            let mut json = Vec::new();
            push_value(other, &mut json)?;
            push_flow(&utf8(json)?, out);
        }
    }
    out.push('\n');
    Ok(())
}

/// A string, plain where no reader can take it for something else, in double quotes otherwise.
fn push_text(text: &str, out: &mut String) -> Result<(), Failure> {
    if is_plain(text) {
        out.push_str(text);
        return Ok(());
    }
    let mut json = Vec::new();
    push_string(text, &mut json);
    push_flow(&utf8(json)?, out);
    Ok(())
}

/// Whether a string means itself without quotes: it begins with a letter, has no character that YAML gives a
/// meaning to, and is no word for a boolean or null.
///
/// Dates and numbers begin with a digit and get quotes.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let is_harmless = |character: char| {
        character.is_ascii_alphanumeric()
            || matches!(character, ' ' | '_' | '-' | '.' | '/' | '(' | ')' | '+')
            || (!character.is_ascii() && !character.is_whitespace() && !is_unprintable(character))
    };
    text.chars().next().is_some_and(char::is_alphabetic)
        && text.chars().all(is_harmless)
        && !text.ends_with(' ')
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether YAML allows a character only as an escape.
fn is_unprintable(character: char) -> bool {
    matches!(character, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Appends JSON text as YAML, of which it is almost a part: YAML refuses some characters, a surrogate pair in
/// two escapes is two halves to it, and version 1.1 writes exponents in its own way.
fn push_flow(json: &str, out: &mut String) {
    let mut rest = json;
    let mut in_string = false;
    while let Some(character) = rest.chars().next() {
        let mut length = character.len_utf8();
        match character {
            '\\' => {
                if let Some(joined) = surrogate_pair(rest) {
                    out.push(joined);
                    length = 12;
                } else {
                    // What follows a backslash is ASCII, in valid JSON.
                    out.push_str(rest.get(..2).unwrap_or(rest));
                    length = 2;
                }
            }
            '-' | '0'..='9' if !in_string => {
                let is_number = |byte| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
                length = rest.bytes().position(|byte| !is_number(byte)).unwrap_or(rest.len());
                push_number(rest.get(..length).unwrap_or(rest), out);
            }
            '\t' | '\n' | '\r' => out.push(' '),
            refused if is_unprintable(refused) => {
                let _ = write!(out, "\\u{:04x}", u32::from(refused));
            }
            character => {
                in_string ^= character == '"';
                out.push(character);
            }
        }
        rest = rest.get(length..).unwrap_or_default();
    }
}

/// The character of two escapes such as `\ud83d\ude00` at the start of `escapes`.
fn surrogate_pair(escapes: &str) -> Option<char> {
    let unit = |from: usize| {
        let digits = escapes.get(from..from + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let units = [unit(0)?, unit(6)?];
    let mut joined = char::decode_utf16(units);
    match (joined.next(), joined.next()) {
        (Some(Ok(character)), None) => Some(character),
        _ => None,
    }
}

/// A JSON number; with an exponent it needs a dot and a sign, without which YAML 1.1 sees a string.
fn push_number(written: &str, out: &mut String) {
    let Some((mantissa, exponent)) = written.split_once(['e', 'E']) else {
        out.push_str(written);
        return;
    };
    out.push_str(mantissa);
    if !mantissa.contains('.') {
        out.push_str(".0");
    }
    out.push('e');
    if !exponent.starts_with(['+', '-']) {
        out.push('+');
    }
    out.push_str(exponent);
}

fn utf8(bytes: Vec<u8>) -> Result<String, Failure> {
    String::from_utf8(bytes).map_err(Failure::new)
}
