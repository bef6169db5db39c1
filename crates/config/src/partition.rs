//! Placeholders in the `path` of an export: `out/{language}/{published:%Y-%m}`.

use std::fmt;
use std::ops::Range;

use crate::plan::{Partition, PartitionPiece};

/// What a date form may hold after `%`: everything that has a meaning for a date and time without zone, and
/// that may stand in the name of a folder.
const DIRECTIVES: &str = "YCyGgqmBbhdjAauwUWVFHIMSp%";

/// The forms that are words, with what they are of.
const WORDS: [(&str, &str); 3] = [
    ("host", "the host of an address"),
    ("tag", "a language tag in one spelling"),
    ("primary", "its language alone"),
];

/// What a path with placeholders says.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// The folder before the first placeholder.
    pub(crate) folder: String,
    /// The rest; `None` without placeholders.
    pub(crate) partition: Option<Partition>,
    /// The fields with the bytes of the path at which they stand.
    pub(crate) fields: Vec<(String, Range<usize>)>,
}

/// What is wrong in a path, and where, in bytes of the path.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) at: Range<usize>,
    pub(crate) message: String,
    pub(crate) label: String,
}

impl Mistake {
    fn new(at: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> Self {
        Self { at, message: message.into(), label: label.into() }
    }
}

/// Reads the `path` of an export; all mistakes at once.
pub(crate) fn parse(path: &str) -> Result<Parsed, Vec<Mistake>> {
    let mut reader =
        Reader { path, position: 0, pieces: Vec::new(), fields: Vec::new(), mistakes: Vec::new() };
    reader.pieces();
    let Reader { pieces, fields, mut mistakes, .. } = reader;
    let first = pieces.iter().find(|(_, piece)| is_field(piece)).map(|(at, _)| at.start);
    if let Some(first) = first {
        // The name that the first placeholder is a part of begins behind the last `/`.
        let begin = path.get(..first).and_then(|before| before.rfind('/')).map_or(0, |slash| slash + 1);
        mistakes.extend(folder_names(path, begin..path.trim_end_matches('/').len()));
    }
    if !mistakes.is_empty() {
        mistakes.sort_by_key(|mistake| mistake.at.start);
        return Err(mistakes);
    }
    let (folder, pieces) = split(pieces.into_iter().map(|(_, piece)| piece).collect());
    Ok(Parsed {
        folder,
        partition: (!pieces.is_empty()).then(|| Partition { pieces: trimmed(pieces) }),
        fields,
    })
}

type Located = (Range<usize>, PartitionPiece);

/// A path on its way into pieces.
struct Reader<'a> {
    path: &'a str,
    position: usize,
    pieces: Vec<Located>,
    fields: Vec<(String, Range<usize>)>,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.path.get(self.position..).unwrap_or_default()
    }

    fn pieces(&mut self) {
        while let Some(first) = self.rest().chars().next() {
            let doubled = self.rest().starts_with("{{") || self.rest().starts_with("}}");
            match first {
                _ if doubled => self.text(first, 2),
                '{' => self.placeholder(),
                '}' => {
                    let at = self.position..self.position + 1;
                    let label = "write `}}` for a brace in a name";
                    self.mistakes.push(Mistake::new(at, "a `}` without its `{`", label));
                    self.position += 1;
                }
                other => self.text(other, other.len_utf8()),
            }
        }
    }

    /// Adds a character that `length` bytes stand for.
    fn text(&mut self, letter: char, length: usize) {
        let at = self.position..self.position + length;
        self.position = at.end;
        match self.pieces.last_mut() {
            Some((_, PartitionPiece::Text(text))) => text.push(letter),
            _ => self.pieces.push((at, PartitionPiece::Text(letter.to_string()))),
        }
    }

    fn placeholder(&mut self) {
        let start = self.position;
        let rest = self.rest();
        let end = rest.find('}').filter(|end| !rest.get(1..*end).unwrap_or_default().contains('{'));
        let Some(length) = end else {
            // What comes after is read on its own: one brace is one mistake.
            self.position += 1;
            let label = "write `{field}`, or `{{` for a brace in a name";
            self.mistakes.push(Mistake::new(start..start + 1, "a `{` without its `}`", label));
            return;
        };
        let inner = rest.get(1..length).unwrap_or_default().to_owned();
        self.position += length + 1;
        let at = start..self.position;
        let (name, format) = match inner.split_once(':') {
            Some((name, format)) => (name, Some(format.to_owned())),
            None => (inner.as_str(), None),
        };
        let before = self.mistakes.len();
        self.mistakes.extend(name_mistake(name, &at));
        if let Some(format) = &format {
            let format_start = start + 1 + name.len() + 1;
            self.mistakes.extend(format_mistakes(name, format, format_start, &at));
        }
        if self.mistakes.len() == before {
            self.fields.push((name.to_owned(), start + 1..start + 1 + name.len()));
        }
        self.pieces.push((at, PartitionPiece::Field { name: name.to_owned(), format }));
    }
}

fn name_mistake(name: &str, at: &Range<usize>) -> Option<Mistake> {
    let trimmed = name.trim();
    if trimmed.is_empty() {
        let label = "name a field, such as `{language}`";
        return Some(Mistake::new(at.clone(), "a placeholder without a field", label));
    }
    if trimmed != name || name.contains('/') {
        let message = format!("`{name}` is no name of a field");
        let label =
            if name.contains('/') { String::new() } else { format!("write `{trimmed}` without spaces") };
        return Some(Mistake::new(at.clone(), message, label));
    }
    matches!(name, "id" | "text" | "raw").then(|| {
        let label = "folders are named by fields of metadata";
        Mistake::new(at.clone(), format!("`{name}` cannot name folders"), label)
    })
}

/// What is wrong with a form that begins at byte `start` of the path.
fn format_mistakes(name: &str, format: &str, start: usize, at: &Range<usize>) -> Vec<Mistake> {
    if WORDS.iter().any(|(word, _)| *word == format) {
        return Vec::new();
    }
    if !format.contains('%') {
        let message = match format {
            "" => "a `:` without a form".to_owned(),
            _ => format!("`{format}` is no form of a value"),
        };
        let words = WORDS.map(|(word, what)| format!("`{word}` ({what})")).join(", ");
        let label = format!("write that of a date, such as `{{{name}:%Y-%m}}`, or {words}");
        return vec![Mistake::new(at.clone(), message, label)];
    }
    let mut mistakes = Vec::new();
    // `%Y/%m` makes a folder in a folder; what is between two `/` is looked at with the rest of the path.
    let slash =
        |at: usize| Mistake::new(start + at..start + at + 1, "a folder without a name", "remove this `/`");
    mistakes.extend(format.starts_with('/').then(|| slash(0)));
    mistakes.extend(format.ends_with('/').then(|| slash(format.len() - 1)));
    let mut letters = format.char_indices();
    while let Some((index, letter)) = letters.next() {
        if letter != '%' {
            continue;
        }
        let directive = letters.next();
        if directive.is_some_and(|(_, letter)| DIRECTIVES.contains(letter)) {
            continue;
        }
        let end = directive.map_or(format.len(), |(index, letter)| index + letter.len_utf8());
        let written = format.get(index..end).unwrap_or_default();
        let label = "year `%Y`, month `%m`, day `%d`, week `%V`, hour `%H`";
        let message = format!("unknown `{written}` in the date form of `{name}`");
        mistakes.push(Mistake::new(start + index..start + end, message, label));
    }
    mistakes
}

/// Parts the pieces from the folder before the first placeholder.
fn split(pieces: Vec<PartitionPiece>) -> (String, Vec<PartitionPiece>) {
    let mut pieces = pieces.into_iter().peekable();
    let Some(PartitionPiece::Text(text)) = pieces.next_if(|piece| !is_field(piece)) else {
        return (".".to_owned(), pieces.collect());
    };
    if pieces.peek().is_none() {
        return (text, Vec::new());
    }
    // `out/lang-{language}`: the folder ends before the name that the placeholder is a part of.
    let (folder, begin) = match text.rsplit_once('/') {
        Some(("", begin)) => ("/", begin),
        Some((folder, begin)) => (folder, begin),
        None => (".", text.as_str()),
    };
    let own = (!begin.is_empty()).then(|| PartitionPiece::Text(begin.to_owned()));
    (folder.to_owned(), own.into_iter().chain(pieces).collect())
}

fn is_field(piece: &PartitionPiece) -> bool {
    matches!(piece, PartitionPiece::Field { .. })
}

/// Complains about names of folders that lead elsewhere; `range` of the path begins with the name
/// that holds the first placeholder.
fn folder_names(path: &str, range: Range<usize>) -> Vec<Mistake> {
    let mut start = range.start;
    let mut mistakes = Vec::new();
    for name in path.get(range).unwrap_or_default().split('/') {
        let at = start..start + name.len();
        start = at.end + 1;
        match name {
            "" => mistakes.push(Mistake::new(
                at.start.saturating_sub(1)..at.end,
                "a folder without a name",
                "remove this `/`",
            )),
            "." | ".." => mistakes.push(Mistake::new(
                at,
                format!("`{name}` after a placeholder"),
                "write it before the first placeholder",
            )),
            _ => {}
        }
    }
    mistakes
}

/// The pieces without a `/` at the end.
fn trimmed(mut pieces: Vec<PartitionPiece>) -> Vec<PartitionPiece> {
    if let Some(PartitionPiece::Text(text)) = pieces.last_mut() {
        text.truncate(text.trim_end_matches('/').len());
        if text.is_empty() {
            pieces.pop();
        }
    }
    pieces
}

/// As a pipeline file writes it.
impl fmt::Display for Partition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.pieces {
            match piece {
                PartitionPiece::Text(text) => out.write_str(&text.replace('{', "{{").replace('}', "}}"))?,
                PartitionPiece::Field { name, format: None } => write!(out, "{{{name}}}")?,
                PartitionPiece::Field { name, format: Some(format) } => write!(out, "{{{name}:{format}}}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_path_is_parted_before_its_first_placeholder() {
        for (path, folder, partition) in [
            ("out", "out", None),
            ("/abs/{{x}}/", "/abs/{x}/", None),
            ("out/{language}", "out", Some("{language}")),
            ("out/{language}/{published:%Y-%m}/", "out", Some("{language}/{published:%Y-%m}")),
            ("{language}", ".", Some("{language}")),
            ("/{language}", "/", Some("{language}")),
            ("../out/lang={language}_x/{{a}}", "../out", Some("lang={language}_x/{{a}}")),
            ("a{b}", ".", Some("a{b}")),
            ("新闻/{栏目}{a}", "新闻", Some("{栏目}{a}")),
            ("字/{{a{b}", "字", Some("{{a{b}")),
            ("out/{published:%Y/%m}", "out", Some("{published:%Y/%m}")),
            ("out/{url:host}/{language:primary}", "out", Some("{url:host}/{language:primary}")),
            ("out/{published:%Y%%}", "out", Some("{published:%Y%%}")),
        ] {
            let parsed = parse(path).unwrap();
            assert_eq!(parsed.folder, folder, "{path}");
            assert_eq!(parsed.partition.map(|it| it.to_string()).as_deref(), partition, "{path}");
        }
    }

    #[test]
    fn a_mistake_is_where_it_is_made() {
        for (path, pointed) in [
            ("out/{language", &["{"][..]),
            ("out/language}", &["}"]),
            ("out/{a/{b}", &["{"]),
            ("out/{}/{:%Y}", &["{}", "{:%Y}"]),
            ("out/{text}", &["{text}"]),
            ("out/{ a }", &["{ a }"]),
            ("out/{a:}", &["{a:}"]),
            ("out/{a:title}", &["{a:title}"]),
            ("out/{a:/%Y}/{b:%Y/}", &["/", "/"]),
            ("out/{a:%Y//%m/../%d}", &["/", ".."]),
            ("out/{a:%Ö-%E}", &["%Ö", "%E"]),
            ("out/{a:%}", &["%"]),
            ("out/{a}/../{b}/./c", &["..", "."]),
            ("out/{a}//c", &["/"]),
        ] {
            let mistakes = parse(path).unwrap_err();
            let found: Vec<&str> =
                mistakes.iter().filter_map(|mistake| path.get(mistake.at.clone())).collect();
            assert_eq!(found, pointed, "{path}");
        }
    }

    #[test]
    fn every_directive_names_a_date_without_zone() {
        let date = jiff::civil::date(2024, 5, 1).at(0, 0, 0, 0);
        for directive in DIRECTIVES.chars() {
            let name = jiff::fmt::strtime::format(format!("%{directive}"), date).unwrap();
            assert!(!name.is_empty() && !name.contains(['/', ':', ' ']), "%{directive}: {name}");
        }
    }

    proptest! {
        #[test]
        fn any_path_is_answered(path in "[a/.{}:%Y字]{0,16}|\\PC{0,16}") {
            match parse(&path) {
                Ok(parsed) => for (name, at) in parsed.fields {
                    prop_assert_eq!(path.get(at), Some(name.as_str()));
                },
                Err(mistakes) => for mistake in mistakes {
                    prop_assert!(path.get(mistake.at).is_some_and(|text| !text.is_empty()));
                },
            }
        }
    }
}
