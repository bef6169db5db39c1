//! A line as it is compared, and the group of a document.

use std::borrow::Cow;
use std::hash::{BuildHasherDefault, Hasher};

use tamis_plugin::ValueRef;
use tamis_text::chars::text_width;
use xxhash_rust::xxh3::xxh3_128;

use super::LineTemplateOptions;
use crate::squeeze::Squeezer;

/// Makes lines comparable.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines {
    pub(super) mask_digits: bool,
    pub(super) max_columns: usize,
}

impl Lines {
    pub(super) fn of(options: &LineTemplateOptions) -> Self {
        Self { mask_digits: options.mask_digits, max_columns: options.max_line_columns }
    }

    /// Writes `line` as it is compared to `plain` and returns its key, which is never 0; `None` when it is
    /// blank or too wide to be template.
    pub(super) fn key(self, line: &str, plain: &mut Vec<u8>) -> Option<u128> {
        let line = line.trim();
        plain.clear();
        if line.is_empty() || self.is_too_wide(line) {
            return None;
        }
        let mut squeezer = Squeezer::default();
        squeezer.push(line, self.mask_digits, plain);
        // Without letters the digits are all that a line says.
        if self.mask_digits && squeezer.saw_digit && !line.chars().any(char::is_alphabetic) {
            plain.clear();
            Squeezer::default().push(line, false, plain);
        }
        Some(xxh3_128(plain).max(1))
    }

    pub(super) fn is_too_wide(self, line: &str) -> bool {
        // A column is at least one byte and at most four, so most lines need not be measured.
        line.len() > self.max_columns
            && (line.len() / 4 > self.max_columns || text_width(line) > self.max_columns)
    }
}

/// The group that a field value stands for, or `None` when it says nothing.
pub(super) fn group_of(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match value {
        ValueRef::Null => None,
        ValueRef::String(value) => match value.trim() {
            "" => None,
            name => Some(host(name).unwrap_or(name.into())),
        },
        ValueRef::Json(json) => Some(json.into()),
        scalar => serde_json::to_string(&scalar).ok().map(Cow::from),
    }
}

/// The host of a URL, in lower case, without user, port and `www.`.
fn host(url: &str) -> Option<Cow<'_, str>> {
    let (scheme, rest) = url.split_once("://")?;
    if scheme.is_empty() || !scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => host,
        _ => host,
    };
    let host = host.trim_end_matches('.').to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    (!host.is_empty()).then(|| Cow::Owned(host.to_owned()))
}

/// Hashes what is a hash already.
#[derive(Default)]
pub(super) struct Folded(u64);

/// For maps whose keys are hashes.
pub(super) type FoldedState = BuildHasherDefault<Folded>;

impl Hasher for Folded {
    fn write(&mut self, bytes: &[u8]) {
        self.write_u128(xxh3_128(bytes));
    }

    fn write_u128(&mut self, hash: u128) {
        self.0 = self.0.rotate_left(5) ^ (hash as u64) ^ ((hash >> 64) as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(line: &str, max_columns: usize) -> Option<String> {
        let mut plain = Vec::new();
        Lines { mask_digits: true, max_columns }.key(line, &mut plain)?;
        Some(String::from_utf8(plain).unwrap())
    }

    #[test]
    fn lines_are_compared_without_digits_where_letters_speak() {
        for (line, compared) in [
            ("  Share\u{a0} this \r", Some("Share this")),
            ("3 comments", Some("0 comments")),
            ("阅读 12", Some("阅读 0")),
            ("2011-06-24", Some("2011-06-24")),
            ("2011年06月24日", Some("0年0月0日")),
            ("12.5 %", Some("12.5 %")),
            ("１２", Some("１２")),
            (" \t", None),
            ("", None),
        ] {
            assert_eq!(plain(line, 100).as_deref(), compared, "{line}");
        }
    }

    #[test]
    fn width_is_measured_in_columns() {
        assert_eq!(plain("abcdefgh", 8).as_deref(), Some("abcdefgh"));
        assert_eq!(plain("abcdefghi", 8), None);
        assert_eq!(plain("一二三四", 8).as_deref(), Some("一二三四"));
        assert_eq!(plain("一二三四五", 8), None);
        assert_eq!(plain("éàüïéàüï", 8).as_deref(), Some("éàüïéàüï"));
    }

    #[test]
    fn groups_are_values_or_hosts() {
        for (value, group) in [
            (ValueRef::String(" Harbour Gazette "), Some("Harbour Gazette")),
            (ValueRef::String("https://user:pw@WWW.Example.org:8080/a?b#c"), Some("example.org")),
            (ValueRef::String("http://[::1]:80/"), Some("[::1]")),
            (ValueRef::String("http://[::1]/"), Some("[::1]")),
            (ValueRef::String("see a://b c"), Some("see a://b c")),
            (ValueRef::String("://x"), Some("://x")),
            (ValueRef::String("file:///a"), Some("file:///a")),
            (ValueRef::String(" "), None),
            (ValueRef::Null, None),
            (ValueRef::Integer(7), Some("7")),
        ] {
            assert_eq!(group_of(value).as_deref(), group, "{value:?}");
        }
    }
}
