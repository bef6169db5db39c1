//! Folders named by what is in a record.
//!
//! A value becomes part of a folder's name as follows, so that every system can hold it, it stays inside the
//! folder of the export, and two values never share a folder by accident:
//!
//! - `/ \ : * ? " < > |`, control characters and `%` are written as in URLs: `a/b` is `a%2Fb`.
//! - So is the first character of a name that begins with a dot or `_`, which readers of data sets pass over, that
//!   Windows keeps for itself (`con`), or that is one of ours (`part-00000.jsonl`, the folder of another export), and a
//!   dot or blank at the end.
//! - A name of more than 200 bytes is cut, and a hash of all of it put behind.
//! - A `language` is written as BCP 47 has it ([`forms::tag`]): `zh_cn` and `zh-CN` are one folder.
//! - A field that a record does not have, `null`, a list, an object, an empty string and what should be a date
//!   but is none are `unknown`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;
use std::path::Component;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::strtime;
use jiff::tz::Offset;
use tamis_config::{ExportPlan, Partition, PartitionPiece};
use tamis_document::{Fate, Record, Value};
use unicode_normalization::UnicodeNormalization;

use crate::disk::names::is_ours;
use crate::write::forms;

/// The field that holds the language of a document, by the contract of output.
const LANGUAGE: &str = "language";
/// What stands for a value that is not there.
const UNKNOWN: &str = "unknown";
/// The longest name of a folder; most file systems take 255 bytes.
const MAX_NAME_BYTES: usize = 200;
/// How much of a longer one is left.
const KEPT_NAME_BYTES: usize = 180;

/// Names the folder of a record.
pub(crate) struct Partitioner<'a> {
    partition: &'a Partition,
    /// The folders of other exports below this one, folded, with `/`.
    taken: Vec<String>,
}

impl<'a> Partitioner<'a> {
    /// `exports` are all exports of the plan: no partition may be the folder of another one.
    pub(crate) fn new(export: &ExportPlan, partition: &'a Partition, exports: &[ExportPlan]) -> Self {
        let below = exports.iter().filter_map(|other| other.path.strip_prefix(&export.path).ok());
        let names = below.map(|path| {
            let parts = path.components().filter_map(|part| match part {
                Component::Normal(part) => part.to_str(),
                _ => None,
            });
            fold(&parts.collect::<Vec<_>>().join("/"))
        });
        Self { partition, taken: names.filter(|name| !name.is_empty()).collect() }
    }

    /// The folder of a record below that of the export, with `/`.
    pub(crate) fn folder(&self, record: &Record) -> String {
        let mut names = vec![String::new()];
        for piece in &self.partition.pieces {
            match piece {
                PartitionPiece::Text(text) => push(text.split('/').map(Cow::Borrowed), &mut names),
                PartitionPiece::Field { name, format } if !is_date(format.as_deref()) => {
                    let value = field(record, name).and_then(|value| in_form(name, format.as_deref(), value));
                    push(std::iter::once(plain(value)), &mut names);
                }
                PartitionPiece::Field { name, format } => {
                    let format = format.as_deref().unwrap_or_default();
                    let date = field(record, name).as_deref().and_then(parse_date);
                    push(format.split('/').map(|format| formatted(format, date)), &mut names);
                }
            }
        }
        names.retain(|name| !name.is_empty());
        let mut folder = names.into_iter().map(guarded).collect::<Vec<_>>().join("/");
        if !self.taken.is_empty() && self.is_taken(&fold(&folder)) {
            folder = escape_first(&folder);
        }
        folder
    }

    fn is_taken(&self, folder: &str) -> bool {
        let is_in = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.taken.iter().any(|taken| is_in(folder, taken) || is_in(taken, folder))
    }

    /// Shares the records of a block out.
    pub(crate) fn group(&self, records: &[Record]) -> Groups {
        let mut folders: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, record) in records.iter().enumerate() {
            folders.entry(self.folder(record)).or_default().push(index);
        }
        let mut groups = Groups::default();
        for (folder, indices) in folders {
            let start = groups.order.len();
            groups.order.extend(indices);
            groups.folders.push((folder, start..groups.order.len()));
        }
        groups
    }
}

/// The records of a block by folder.
#[derive(Default)]
pub(crate) struct Groups {
    /// The folders in the order of their names, and where their records are in `order`.
    pub(crate) folders: Vec<(String, Range<usize>)>,
    /// Indices of the records, those of a folder together and in corpus order.
    pub(crate) order: Vec<usize>,
}

impl Groups {
    /// Puts the records of each folder together.
    pub(crate) fn arrange(&self, records: &mut Vec<Record>) {
        if self.folders.len() > 1 {
            let mut places: Vec<_> = std::mem::take(records).into_iter().map(Some).collect();
            records.extend(self.order.iter().filter_map(|index| places[*index].take()));
        }
    }

    /// Puts them back.
    pub(crate) fn put_back(&self, records: &mut Vec<Record>) {
        if self.folders.len() > 1 {
            let mut places: Vec<_> = self.order.iter().map(|_| None).collect();
            for (index, record) in self.order.iter().zip(records.drain(..)) {
                places[*index] = Some(record);
            }
            records.extend(places.into_iter().flatten());
        }
    }
}

/// A folder as systems see it that do not tell cases apart.
pub(crate) fn fold(folder: &str) -> String {
    if folder.is_ascii() { folder.to_ascii_lowercase() } else { folder.to_uppercase().to_lowercase() }
}

/// Appends pieces of a path: the first to the last name, the others as names of their own.
fn push<'a>(pieces: impl Iterator<Item = Cow<'a, str>>, names: &mut Vec<String>) {
    for (index, piece) in pieces.enumerate() {
        match names.last_mut() {
            Some(name) if index == 0 => name.push_str(&piece),
            _ => names.push(piece.into_owned()),
        }
    }
}

/// The text of a field, if it has one.
fn field<'a>(record: &'a Record, name: &str) -> Option<Cow<'a, str>> {
    let text = match record.document.metadata.find(name) {
        Some(Cow::Borrowed(value)) => shown(value)?,
        Some(Cow::Owned(member)) => Cow::Owned(shown(&member)?.into_owned()),
        None => Cow::Borrowed(of_fate(record, name)?),
    };
    (!text.trim().is_empty()).then_some(text)
}

/// A value as a name, if it is a single one.
fn shown(value: &Value) -> Option<Cow<'_, str>> {
    Some(match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        Value::Integer(value) => Cow::Owned(value.to_string()),
        Value::Float(value) => Cow::Owned(value.to_string()),
        // A number beyond 64 bits is JSON text.
        Value::Json(json) if !json.as_str().starts_with(['[', '{']) => Cow::Borrowed(json.as_str()),
        Value::Json(_) | Value::Null => return None,
    })
}

fn is_date(format: Option<&str>) -> bool {
    format.is_some_and(|format| format.contains('%'))
}

/// A value in a form that is a word; that of the language of a document is its tag, because `zh-CN` and `zh_cn` are
/// one language to everybody but a file system.
fn in_form<'a>(name: &str, format: Option<&str>, value: Cow<'a, str>) -> Option<Cow<'a, str>> {
    let form = |of: fn(&str) -> Cow<'_, str>| Cow::Owned(of(&value).into_owned());
    Some(match format.unwrap_or(if name == LANGUAGE { "tag" } else { "" }) {
        "tag" => form(forms::tag),
        "primary" => form(forms::primary),
        "host" => Cow::Owned(tamis_text::hosts::host(&value)?),
        _ => value,
    })
}

/// What an exporter writes of a dropped or failed record beside its metadata.
fn of_fate<'a>(record: &'a Record, name: &str) -> Option<&'a str> {
    match (name, &record.fate) {
        ("stage", Fate::Dropped(_) | Fate::Failed(_)) => record.stage.as_deref(),
        // Why a record failed is a sentence, and seldom the same one.
        ("reason", Fate::Dropped(reason)) => Some(reason),
        _ => None,
    }
}

fn plain(value: Option<Cow<'_, str>>) -> Cow<'static, str> {
    value.map_or(Cow::Borrowed(UNKNOWN), |value| Cow::Owned(escaped(&value)))
}

/// The date and time as written, of wherever that was; of a time in UTC that of UTC.
fn parse_date(text: &str) -> Option<DateTime> {
    let text = text.trim();
    text.parse::<DateTime>().ok().or_else(|| Some(Offset::UTC.to_datetime(text.parse::<Timestamp>().ok()?)))
}

fn formatted(format: &str, date: Option<DateTime>) -> Cow<'static, str> {
    let text = date.and_then(|date| strtime::format(format, date).ok());
    plain(text.filter(|text| !text.trim().is_empty()).map(Cow::Owned))
}

/// A value without what cannot be in the name of a folder.
fn escaped(value: &str) -> String {
    // The same text may be written in two ways that some systems take for one name.
    let value: Cow<'_, str> =
        if value.is_ascii() { Cow::Borrowed(value) } else { Cow::Owned(value.nfc().collect()) };
    let mut name = String::with_capacity(value.len());
    for character in value.chars() {
        if character.is_control() || r#"/\:*?"<>|%"#.contains(character) {
            escape(character, &mut name);
        } else {
            name.push(character);
        }
    }
    name
}

fn escape(character: char, name: &mut String) {
    for byte in character.encode_utf8(&mut [0; 4]).bytes() {
        // Writing to a string never fails.
        let _ = write!(name, "%{byte:02X}");
    }
}

/// A name that may be that of a folder.
fn guarded(name: String) -> String {
    let mut name =
        if name.starts_with(['.', '_']) || is_reserved(&name) { escape_first(&name) } else { name };
    if let Some(last) = name.chars().next_back().filter(|last| *last == '.' || last.is_whitespace()) {
        name.pop();
        escape(last, &mut name);
    }
    if name.len() <= MAX_NAME_BYTES {
        return name;
    }
    let hash = blake3::hash(name.as_bytes()).to_hex();
    name.truncate(name.floor_char_boundary(KEPT_NAME_BYTES));
    name.push('~');
    name.extend(hash.chars().take(16));
    name
}

fn escape_first(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len() + 8);
    let mut rest = name.chars();
    if let Some(first) = rest.next() {
        escape(first, &mut escaped);
    }
    escaped + rest.as_str()
}

/// Whether Windows has a device of this name, or we a file.
fn is_reserved(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let numbered = |prefix| {
        let mut rest = stem.strip_prefix(prefix).unwrap_or_default().chars();
        matches!((rest.next(), rest.next()), (Some('0'..='9' | '¹' | '²' | '³'), None))
    };
    is_ours(&name)
        || matches!(stem, "con" | "prn" | "aux" | "nul" | "conin$" | "conout$")
        || numbered("com")
        || numbered("lpt")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tamis_document::{Document, Json};

    use super::*;

    fn partition(pieces: &[&str]) -> Partition {
        let pieces = pieces.iter().map(|piece| match piece.strip_prefix('$') {
            None => PartitionPiece::Text((*piece).to_owned()),
            Some(field) => {
                let (name, format) = field.split_once(':').unzip();
                let name = name.unwrap_or(field).to_owned();
                PartitionPiece::Field { name, format: format.map(str::to_owned) }
            }
        });
        Partition { pieces: pieces.collect() }
    }

    fn folder(pieces: &[&str], value: impl Into<Value>) -> String {
        let partition = partition(pieces);
        let taken = vec!["failed".to_owned(), "more/dropped".to_owned()];
        let mut document = Document::new("a", "");
        document.metadata.insert("a", value);
        Partitioner { partition: &partition, taken }.folder(&Record::from(document))
    }

    #[test]
    fn values_become_names() {
        let long = "字".repeat(100);
        for (value, expected) in [
            (Value::from("zh"), "zh"),
            (Value::from("a/b\\c"), "a%2Fb%5Cc"),
            (Value::from(".."), "%2E%2E"),
            (Value::from("..."), "%2E.%2E"),
            (Value::from("100%\n"), "100%25%0A"),
            (Value::from("Con.txt"), "%43on.txt"),
            (Value::from("com7"), "%63om7"),
            (Value::from("com10"), "com10"),
            (Value::from("console"), "console"),
            (Value::from("__dropped"), "%5F_dropped"),
            (Value::from("a_b"), "a_b"),
            (Value::from("part-00000.jsonl"), "%70art-00000.jsonl"),
            (Value::from("FAILED"), "%46AILED"),
            (Value::from("failed 2"), "failed 2"),
            (Value::from("more"), "%6Dore"),
            (Value::from("blank "), "blank%20"),
            (Value::from("e\u{301}"), "é"),
            (Value::from("字/字"), "字%2F字"),
            (Value::from(""), "unknown"),
            (Value::from(" \n"), "unknown"),
            (Value::Null, "unknown"),
            (Value::from(true), "true"),
            (Value::from(-7_i64), "-7"),
            (Value::from(1.5), "1.5"),
            (
                Value::Json(Json::parse("123456789012345678901234567890").unwrap()),
                "123456789012345678901234567890",
            ),
            (Value::Json(Json::parse("[1]").unwrap()), "unknown"),
        ] {
            assert_eq!(folder(&["$a"], value.clone()), expected, "{value:?}");
        }
        let name = folder(&["$a"], long.as_str());
        assert!(name.len() <= MAX_NAME_BYTES && name.starts_with("字字"), "{name}");
        assert_ne!(name, folder(&["$a"], format!("{long}。")));
    }

    #[test]
    fn pieces_make_paths() {
        for (pieces, value, expected) in [
            (&["language=", "$a", "/x"][..], "zh", "language=zh/x"),
            (&["$b", "/", "$a"], "zh", "unknown/zh"),
            (&["$a", "-", "$a", "/"], "z/h", "z%2Fh-z%2Fh"),
            (&["$a:%Y-%m"], "2024-03-09", "2024-03"),
            (&["$a:%Y/%m", "/", "$a:%d"], "2024-03-09T23:59:59+08:00", "2024/03/09"),
            (&["$a:%Y-%m-%d %H"], "2024-03-09T23:59:59.5Z", "2024-03-09 23"),
            (&["$a:%D"], "2024-03-09 10:20", "03%2F09%2F24"),
            (&["$a:%Y"], "March 2024", "unknown"),
            (&["$a:%Y/%m"], "2024-02-30", "unknown/unknown"),
            (&["x", "$a:%z"], "2024-02-03", "xunknown"),
        ] {
            assert_eq!(folder(pieces, value), expected, "{pieces:?} {value}");
        }
    }

    #[test]
    fn a_language_is_one_folder_however_it_is_written() {
        let folder = |piece: &str, field: &str, value: &str| {
            let partition = partition(&[piece]);
            let mut document = Document::new("a", "");
            document.metadata.insert(field, value);
            Partitioner { partition: &partition, taken: Vec::new() }.folder(&Record::from(document))
        };
        for written in ["zh-CN", "zh_cn", "ZH-cn"] {
            assert_eq!(folder("$language", "language", written), "zh-CN");
            assert_eq!(folder("$language:primary", "language", written), "zh");
            assert_eq!(folder("$lang:tag", "lang", written), "zh-CN");
            assert_eq!(folder("$lang", "lang", written), written);
        }
        assert_eq!(folder("$language", "other", "zh"), "unknown");
        assert_eq!(folder("$url:host", "url", "https://A.b:8/c"), "a.b");
        assert_eq!(folder("$url:host", "url", "no address"), "unknown");
    }

    #[test]
    fn dropped_records_by_stage_and_reason() {
        let partition = partition(&["$stage", "/", "$reason"]);
        let partitioner = Partitioner { partition: &partition, taken: Vec::new() };
        let dropped = Record {
            fate: Fate::Dropped("too-short".into()),
            stage: Some("length".into()),
            ..Record::default()
        };
        assert_eq!(partitioner.folder(&dropped), "length/too-short");
        assert_eq!(partitioner.folder(&Record::default()), "unknown/unknown");
    }

    #[test]
    fn groups_keep_the_order_of_records() {
        let partition = partition(&["$a"]);
        let partitioner = Partitioner { partition: &partition, taken: Vec::new() };
        let records: Vec<Record> = (0..20_i64)
            .map(|n| {
                let mut document = Document::new(n.to_string(), "");
                document.metadata.insert("a", n * n % 5);
                Record::from(document)
            })
            .collect();
        let groups = partitioner.group(&records);
        let mut arranged = records.clone();
        groups.arrange(&mut arranged);
        let mut seen = 0;
        for (folder, range) in &groups.folders {
            let ids: Vec<usize> =
                arranged[range.clone()].iter().map(|r| r.document.id.parse().unwrap()).collect();
            assert!(ids.is_sorted() && ids.iter().all(|id| (id * id % 5).to_string() == *folder));
            seen += ids.len();
        }
        assert_eq!(seen, 20);
        groups.put_back(&mut arranged);
        assert_eq!(arranged, records);
    }

    proptest! {
        #[test]
        fn any_value_is_one_folder_inside(value in "\\PC*|[./\\\\%a ]{0,8}|(?s).{0,300}") {
            let name = folder(&["$a"], value.as_str());
            prop_assert!(!name.is_empty() && name.len() <= MAX_NAME_BYTES);
            prop_assert!(!name.starts_with('.') && !name.ends_with(['.', ' ']));
            prop_assert!(!name.contains(['/', '\\', ':', '\0', '\n']));
        }

        #[test]
        fn two_values_are_two_folders(one in "[a-z./%: ]{1,6}", two in "[a-z./%: ]{1,6}") {
            prop_assume!(!one.trim().is_empty() && !two.trim().is_empty());
            prop_assert_eq!(one == two, folder(&["$a"], one.as_str()) == folder(&["$a"], two.as_str()));
        }
    }
}
