//! Why records failed and which files were not read, in bounded memory.
//!
//! Both are sums of what blocks say, and come out the same in whatever order those are added: on one thread or many,
//! after a resume, over shards. What falls out of a bound must therefore depend on nothing but itself: what is kept
//! is the least of all in a fixed order, and whatever is not among the least of a part is not among those of the whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tamis_document::{Fate, Record};

/// So many reasons of one source, stage or export are told apart.
const MAX_REASONS: usize = 64;
/// So many files that were not read are named.
const MAX_FILES: usize = 10;
/// How long a form may be, in characters. What makes longer ones differ is text of documents.
const MAX_FORM_CHARS: usize = 160;
/// How much of a message is kept as an example, in characters.
const MAX_MESSAGE_CHARS: usize = 2_000;

/// Why records failed at one source, stage or export.
///
/// Messages that differ in numbers and in quoted text alone are counted together, under their form (`#` for numbers,
/// nothing between quotes, but for media types: pictures and books fail for two reasons).
/// When there are more than 64 forms, the shortest ones stay: forms are that many when messages carry text of
/// documents, which makes them long, and a reason in fixed words is short.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Listed", into = "Listed")]
pub struct Reasons {
    /// By the length of the form in characters, and the form.
    groups: BTreeMap<(usize, String), Group>,
    others: u64,
}

/// Records that failed for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    n: u64,
    example: Example,
}

/// Some records that failed for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// How many.
    pub n: u64,
    /// What their messages have in common.
    pub form: String,
    /// The first of them in corpus order.
    pub example: Example,
}

/// A record or file that failed, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Example {
    /// Where it stands in the corpus (see [`crate::RecordPlace`]); a string in JSON, which has no numbers of 128 bits.
    #[serde(with = "decimal")]
    pub position: u128,
    /// Its id.
    pub id: String,
    /// The input file, with the member of an archive behind it.
    pub file: String,
    /// Where it begins in the decompressed file or member, in bytes.
    pub offset: u64,
    /// Its number in the file, counted from 0.
    pub ordinal: u64,
    /// Why it failed: the message of its dead letter, up to 2000 characters of it.
    pub message: String,
}

impl Example {
    /// A record that failed; nothing if it has not.
    pub(crate) fn of(record: &Record) -> Option<Self> {
        let Fate::Failed(message) = &record.fate else { return None };
        let (id, origin) = (&record.document.id, &record.document.origin);
        Some(Self {
            position: record.position,
            id: id.clone(),
            file: origin.file.to_string(),
            offset: origin.offset,
            ordinal: origin.ordinal,
            message: first_chars(message, MAX_MESSAGE_CHARS),
        })
    }
}

impl Reasons {
    /// The reasons, the most frequent first, and those of equal number in corpus order.
    pub fn list(&self) -> Vec<Reason> {
        let reason = |((_, form), group): (&(usize, String), &Group)| Reason {
            n: group.n,
            form: form.clone(),
            example: group.example.clone(),
        };
        let mut reasons: Vec<Reason> = self.groups.iter().map(reason).collect();
        reasons.sort_by(|a, b| b.n.cmp(&a.n).then_with(|| a.example.cmp(&b.example)));
        reasons
    }

    /// Records whose reasons were too many to be told apart.
    pub fn others(&self) -> u64 {
        self.others
    }

    /// Whether nothing has failed.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.others == 0
    }

    /// Notes a record, if it failed.
    pub(crate) fn note(&mut self, record: &Record) {
        if let Some(example) = Example::of(record) {
            let form = form(&example.message);
            self.insert((form.chars().count(), form), Group { n: 1, example });
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.others += other.others;
        for (form, group) in other.groups {
            self.insert(form, group);
        }
    }

    fn insert(&mut self, form: (usize, String), group: Group) {
        match self.groups.get_mut(&form) {
            Some(known) => {
                known.n += group.n;
                if group.example < known.example {
                    known.example = group.example;
                }
            }
            None => {
                self.groups.insert(form, group);
            }
        }
        if self.groups.len() > MAX_REASONS
            && let Some((_, group)) = self.groups.pop_last()
        {
            self.others += group.n;
        }
    }
}

/// What messages about the same thing have in common: the message with `#` for each number and nothing between
/// quotation marks, up to 160 characters.
///
/// A number is whatever begins with a digit, such as `0xB1` or `1.5`. An apostrophe within a word opens no quotation,
/// and neither does a mark that is not closed.
fn form(message: &str) -> String {
    let mut form = String::new();
    let mut n_chars = 0;
    let mut before = ' ';
    let mut rest = message.chars();
    while let Some(character) = rest.next() {
        if n_chars >= MAX_FORM_CHARS {
            break;
        }
        let mut push = |character| {
            form.push(character);
            n_chars += 1;
        };
        if character.is_ascii_digit() {
            push('#');
            rest = behind_number(rest);
        } else if let Some(behind) = behind_quotation(character, before, &rest) {
            push(character);
            let quoted = rest.as_str().strip_suffix(behind.as_str()).unwrap_or_default();
            let close = closing(character).unwrap_or(character);
            let kind = quoted.strip_suffix(close).filter(|quoted| is_media_type(quoted)).unwrap_or_default();
            kind.chars().for_each(&mut push);
            push(close);
            rest = behind;
        } else {
            push(character);
        }
        before = character;
    }
    form
}

/// Whether quoted text is a media type, of which there are not as many as there are documents.
fn is_media_type(quoted: &str) -> bool {
    let is_word =
        |word: &str| word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    quoted.len() <= 80
        && quoted.split_once('/').is_some_and(|(kind, rest)| {
            ["application", "audio", "font", "image", "model", "text", "video"].contains(&kind)
                && is_word(rest)
        })
}

fn behind_number(mut rest: std::str::Chars<'_>) -> std::str::Chars<'_> {
    loop {
        let mut next = rest.clone();
        match next.next() {
            Some(character) if character.is_alphanumeric() || character == '_' => {}
            Some('.' | ',') if next.clone().next().is_some_and(|digit| digit.is_ascii_digit()) => {}
            _ => return rest,
        }
        rest = next;
    }
}

/// What follows the mark that closes a quotation, if one begins here and is closed.
fn behind_quotation<'a>(open: char, before: char, rest: &std::str::Chars<'a>) -> Option<std::str::Chars<'a>> {
    let close = closing(open)?;
    let mut behind = rest.clone();
    while let Some(character) = behind.next() {
        let is_apostrophe = |c: char| open == '\'' && c.is_alphanumeric();
        if character == close && !is_apostrophe(before) && !behind.clone().next().is_some_and(is_apostrophe) {
            return Some(behind);
        }
    }
    None
}

fn closing(open: char) -> Option<char> {
    match open {
        '`' | '"' | '\'' => Some(open),
        '“' => Some('”'),
        '‘' => Some('’'),
        '«' => Some('»'),
        _ => None,
    }
}

fn first_chars(text: &str, n_chars: usize) -> String {
    match text.char_indices().nth(n_chars) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// The form in JSON.
#[derive(Serialize, Deserialize)]
struct Listed {
    most_frequent: Vec<Reason>,
    #[serde(default)]
    others: u64,
}

impl From<Reasons> for Listed {
    fn from(reasons: Reasons) -> Self {
        Self { most_frequent: reasons.list(), others: reasons.others }
    }
}

impl From<Listed> for Reasons {
    fn from(listed: Listed) -> Self {
        let group = |Reason { n, form, example }| ((form.chars().count(), form), Group { n, example });
        Self { groups: listed.most_frequent.into_iter().map(group).collect(), others: listed.others }
    }
}

/// Files, and members of archives, that could not be read at all or not to their end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// How many.
    pub n: u64,
    /// The first ten in corpus order.
    pub first: Vec<Example>,
}

impl Unread {
    /// Whether all was read.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Notes the dead letter of a file.
    pub(crate) fn note(&mut self, record: &Record) {
        self.add(Self { n: 1, first: Example::of(record).into_iter().collect() });
    }

    pub(crate) fn add(&mut self, other: Self) {
        if other.n > 0 {
            self.n += other.n;
            self.first.extend(other.first);
            self.first.sort_unstable();
            self.first.truncate(MAX_FILES);
        }
    }
}

/// Numbers of 128 bits as strings.
mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(number: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tamis_document::Document;

    use super::*;

    fn failed(position: u128, message: &str) -> Record {
        let document = Document::new(format!("a#{position}"), "");
        let fate = Fate::Failed(message.to_owned().into());
        Record { position, fate, ..Record::from(document) }
    }

    #[test]
    fn messages_differ_in_more_than_numbers_and_quoted_text() {
        for (message, expected) in [
            ("line 5: column 12: not JSON", "line #: column #: not JSON"),
            ("byte 0xB1 is not UTF-8, at 1,024.", "byte # is not UTF-#, at #."),
            ("no `title` and no \"text\"", "no `` and no \"\""),
            ("can't read 'a b', it isn't there", "can't read '', it isn't there"),
            ("the \"rest, 3 bytes", "the \"rest, # bytes"),
            ("‘字’ in “字 1”", "‘’ in “”"),
            ("``", "``"),
            ("gb18030", "gb#"),
            ("the file is `image/jpeg`, and", "the file is `image/jpeg`, and"),
            ("cannot read `a/image/b`", "cannot read ``"),
            ("the field `image/x y`", "the field ``"),
        ] {
            assert_eq!(form(message), expected);
        }
        assert_eq!(form(&"字".repeat(1000)).chars().count(), MAX_FORM_CHARS);
    }

    #[test]
    fn the_first_record_is_the_example_and_the_most_frequent_reason_comes_first() {
        let mut reasons = Reasons::default();
        for (position, message) in [(7, "line 7: no"), (3, "line 3: no"), (1, "gone"), (9, "line 9: no")] {
            reasons.note(&failed(position, message));
        }
        reasons.note(&Record::from(Document::new("kept", "")));
        let list = reasons.list();
        let shown = list.iter().map(|it| (it.n, it.form.as_str(), it.example.message.as_str()));
        let expected = [(3, "line #: no", "line 3: no"), (1, "gone", "gone")];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        let json = serde_json::to_value(&reasons).unwrap();
        assert_eq!(json["most_frequent"][0]["example"]["position"], "3");
        assert_eq!(serde_json::from_value::<Reasons>(json).unwrap(), reasons);
    }

    proptest! {
        #[test]
        fn no_sum_hangs_on_the_order(
            notes in prop::collection::vec((0..400_usize, 0..1000_u64), 0..600),
            parts in 1..9_usize,
            order in any::<prop::sample::Index>(),
        ) {
            let record = |(at, (form, _)): (usize, &(usize, u64))| {
                failed(at as u128, &format!("{} {at}", "x".repeat(1 + form % 150) + &"y".repeat(form / 150)))
            };
            let records: Vec<Record> = notes.iter().enumerate().map(record).collect();
            let (mut whole, mut unread) = (Reasons::default(), Unread::default());
            for record in &records {
                whole.note(record);
                unread.note(record);
            }
            // Into parts as lots decide, and these together from any of them on.
            let mut sums = vec![(Reasons::default(), Unread::default()); parts];
            for (record, (_, lot)) in records.iter().zip(&notes).rev() {
                let sum = &mut sums[*lot as usize % parts];
                sum.0.note(record);
                sum.1.note(record);
            }
            sums.rotate_left(order.index(parts));
            let (mut reasons, mut files) = (Reasons::default(), Unread::default());
            for sum in sums {
                reasons.add(sum.0);
                files.add(sum.1);
            }
            prop_assert_eq!(&reasons, &whole);
            prop_assert_eq!(files, unread);
            let n: u64 = reasons.list().iter().map(|reason| reason.n).sum();
            prop_assert_eq!(n + reasons.others(), records.len() as u64);
            prop_assert!(reasons.list().len() <= MAX_REASONS);
        }
    }
}
