//! File names by a pattern: `{site}/{title}`.

use std::borrow::Cow;

use tamis_plugin::{ValueRef, View};

use crate::file_name::is_reserved;

/// The longest name of a file or folder, in bytes: room for an ending and a number within the 255 bytes of most file
/// systems, and for some folders within the 260 units of Windows.
const MAX_PART_BYTES: usize = 100;

/// What a file is called.
#[derive(Debug)]
pub(super) struct Pattern {
    /// The parts between slashes.
    parts: Vec<Vec<Piece>>,
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Id,
    Field(String),
}

impl Pattern {
    /// # Errors
    ///
    /// Says what is wrong with the pattern.
    pub(super) fn parse(pattern: &str) -> Result<Self, String> {
        let parts: Vec<Vec<Piece>> = pattern.split('/').map(pieces).collect::<Result<_, _>>()?;
        if parts.iter().any(Vec::is_empty) {
            return Err(format!("`{pattern}` has a folder or file without a name: remove a `/`"));
        }
        if parts.iter().flatten().all(|piece| matches!(piece, Piece::Text(_))) {
            return Err(format!(
                "`{pattern}` is one name for all documents: name a field, such as `{{title}}`"
            ));
        }
        Ok(Self { parts })
    }

    /// The path of the file for a document, without ending; none if the document lacks a field.
    pub(super) fn name(&self, document: &View<'_>) -> Option<String> {
        let mut path = String::new();
        for (index, pieces) in self.parts.iter().enumerate() {
            if index > 0 {
                path.push('/');
            }
            let mut name = String::new();
            for piece in pieces {
                match piece {
                    Piece::Text(text) => name.push_str(text),
                    Piece::Id => name.push_str(document.id()),
                    Piece::Field(field) => name.push_str(&shown(document.metadata(field)?)?),
                }
            }
            path.push_str(&safe(&name)?);
        }
        Some(path)
    }
}

fn pieces(part: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = part;
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, behind)) = behind.split_once('}') else {
            return Err(format!("a `{{` without its `}}` in `{part}`"));
        };
        pieces.extend((!before.is_empty()).then(|| Piece::Text(before.to_owned())));
        pieces.push(match name.trim() {
            "" => return Err("braces without a field: write one, such as `{title}`".to_owned()),
            "id" => Piece::Id,
            name => Piece::Field(name.to_owned()),
        });
        rest = behind;
    }
    pieces.extend((!rest.is_empty()).then(|| Piece::Text(rest.to_owned())));
    if pieces.iter().any(|piece| matches!(piece, Piece::Text(text) if text.contains('}'))) {
        return Err(format!("a `}}` without its `{{` in `{part}`"));
    }
    Ok(pieces)
}

/// The text of a value; none if it has none to name a file by.
fn shown(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    let text = match value {
        ValueRef::String(text) => Cow::Borrowed(text),
        ValueRef::Integer(number) => Cow::Owned(number.to_string()),
        ValueRef::Bool(value) => Cow::Borrowed(if value { "true" } else { "false" }),
        ValueRef::Float(number) => Cow::Owned(number.to_string()),
        // A number beyond 64 bits is JSON text.
        ValueRef::Json(json) if !json.starts_with(['[', '{']) => Cow::Borrowed(json),
        ValueRef::Null | ValueRef::Json(_) => return None,
    };
    (!text.trim().is_empty()).then_some(text)
}

/// A name that every system takes and every link reaches: no letter that has a meaning to file systems, in wiki links or
/// in addresses, blanks one by one, no dot or blank at the ends, and not too long. None if nothing is left.
fn safe(name: &str) -> Option<String> {
    let words = name.split_whitespace().map(|word| {
        let plain = |letter: char| if is_refused(letter) { '-' } else { letter };
        word.chars().map(plain).collect::<String>()
    });
    let joined = words.collect::<Vec<_>>().join(" ");
    let mut name = joined.trim_start_matches(['.', ' ']);
    name = name.get(..name.floor_char_boundary(MAX_PART_BYTES)).unwrap_or(name);
    name = name.trim_end_matches(['.', ' ']);
    let has_letter = name.chars().any(|letter| letter != '-' && letter != ' ');
    has_letter.then(|| if is_reserved(name) { format!("_{name}") } else { name.to_owned() })
}

fn is_refused(letter: char) -> bool {
    // Marks of direction and joiners are not seen, and two names that look alike would be two files.
    let is_unseen = matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    letter.is_control() || is_unseen || r#"/\:*?"<>|#[]^%"#.contains(letter)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tamis_plugin::{Document, ExportView, Record};

    use super::*;

    fn name(pattern: &str, title: &str) -> Option<String> {
        let mut document = Document::new("dump/a.jsonl#7", "");
        document.metadata.insert("title", title);
        document.metadata.insert("year", 2024);
        document.metadata.insert("score", 1.5);
        document.metadata.insert("tags", tamis_plugin::Value::from(serde_json::json!(["a"])));
        let record = Record::from(document);
        Pattern::parse(pattern).expect("a good pattern").name(&ExportView::from(&record).document)
    }

    #[test]
    fn titles_become_names() {
        for (pattern, title, expected) in [
            ("{title}", "Over the ridge", Some("Over the ridge")),
            ("{title}", " 一、总体要求：  第1章\n", Some("一、总体要求： 第1章")),
            ("{title}", "A/B: what? [1] #tag", Some("A-B- what- -1- -tag")),
            ("{title}", "../../etc/passwd", Some("-..-etc-passwd")),
            ("{title}", "NUL.txt", Some("_NUL.txt")),
            ("{title}", "ends...", Some("ends")),
            ("{title}", "...", None),
            ("{title}", "???", None),
            ("{title}", "", None),
            ("{year}/{title}", "x", Some("2024/x")),
            ("{id} {title}", "x", Some("dump-a.jsonl-7 x")),
            ("{site}-{score}", "x", None),
            ("{score}", "x", Some("1.5")),
            ("{tags}", "x", None),
            ("{missing}", "x", None),
        ] {
            assert_eq!(name(pattern, title).as_deref(), expected, "{pattern} {title:?}");
        }
        assert_eq!(name("{title}", &"字".repeat(90)).map(|name| name.len()), Some(99));
    }

    #[test]
    fn bad_patterns_say_why() {
        for (pattern, why) in [
            ("post", "one name for all"),
            ("{title", "a `{` without"),
            ("title}", "a `}` without"),
            ("{}", "braces without"),
            ("/{title}", "remove a `/`"),
            ("{site}//{title}", "remove a `/`"),
        ] {
            let trouble = Pattern::parse(pattern).expect_err(pattern);
            assert!(trouble.contains(why), "{pattern}: {trouble}");
        }
    }

    proptest! {
        #[test]
        fn any_title_is_a_safe_name(title in any::<String>()) {
            if let Some(name) = name("{title}", &title) {
                prop_assert!(!name.is_empty() && name.len() <= MAX_PART_BYTES + 1);
                prop_assert!(!name.contains(is_refused) && !name.starts_with(['.', ' ']) && !name.ends_with(['.', ' ']));
            }
        }
    }
}
