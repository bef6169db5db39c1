//! What inputs are named by: addresses of object stores and of the web (`s3://bucket/dump/a.jsonl`,
//! `https://host/a.jsonl?page=2`), and [globs](glob).
//!
//! An address may hold secrets: a password in front of the host, a signature in the query.
//! Whoever makes requests needs them ([`Address::secret`]); messages, names, manifests and logs must never have them.
//! So an [`Address`] shows itself redacted, and [`redact`] and [`mask`] do the same to text that holds addresses.
//!
//! Both the checker of pipelines and whoever opens inputs lean on this crate, which knows neither and asks for
//! nothing: it makes no request and reads no environment.

pub mod glob;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// The kinds of addresses that are read from.
pub const SCHEMES: [&str; 9] = ["s3", "gs", "az", "azure", "abfs", "abfss", "hf", "http", "https"];

/// The kinds of addresses that are written to.
pub const WRITABLE: [&str; 6] = ["s3", "gs", "az", "azure", "abfs", "abfss"];

/// How many hexadecimal digits stand for a value that is not shown.
///
/// They tell two values apart for a reader of messages, and are too few to find a secret by trying.
/// They are no identity: whoever needs names that are unique compares the addresses themselves.
const DIGITS: usize = 6;

/// The least length of a value that is looked for in texts of others, in bytes.
const MIN_HIDDEN: usize = 4;

/// Letters that no address has as they are, so that one ends before them in a text.
const ENDS: [char; 4] = ['"', '`', '<', '>'];

/// An address, with whatever secrets it holds.
///
/// Two are equal when all of them is; [`fmt::Display`] and [`fmt::Debug`] show them redacted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(Box<str>);

impl Address {
    /// An address as a user wrote it or a store listed it; nothing is checked.
    pub fn new(address: impl Into<Box<str>>) -> Self {
        Self(address.into())
    }

    /// The address as it is asked for. Only for requests: it must not be shown, stored or hashed into a name.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// A text of somebody who has been asked for it, such as an answer of its server, without what it holds of the
    /// secrets of this address, and with every address in it as it may be shown.
    pub fn hide(&self, text: &str) -> String {
        let mut hidden = text.to_owned();
        for secret in secrets(&self.0) {
            let value = secret.of(&self.0).trim_end_matches('@');
            // What is shorter is a page number rather than a key, and would take letters out of words.
            if value.len() >= MIN_HIDDEN {
                hidden = hidden.replace(value, "***");
            }
        }
        redact(&hidden).into_owned()
    }

    /// Whether it is of the web, where nothing can be listed.
    pub fn is_web(&self) -> bool {
        scheme(&self.0).is_some_and(is_web)
    }

    /// Whether it is of the hub of Hugging Face.
    pub fn is_of_hub(&self) -> bool {
        scheme(&self.0) == Some("hf")
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&shown(&self.0))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*shown(&self.0), out)
    }
}

/// The scheme of an address, as written; `None` for what is a path.
pub fn scheme(written: &str) -> Option<&str> {
    let (scheme, _) = written.split_once("://")?;
    // One letter is a drive.
    (scheme.len() > 1 && scheme.chars().all(is_of_scheme)).then_some(scheme)
}

/// An address taken apart.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// The scheme, as written.
    pub scheme: &'a str,
    /// The host, with what stands in front of it and behind it (`me:pw@host:80`), or the bucket.
    pub host: &'a str,
    /// The path, from its first `/`, with the query.
    pub path: &'a str,
}

impl<'a> Parts<'a> {
    /// The parts of an address; `None` for what is a path.
    pub fn of(written: &'a str) -> Option<Self> {
        let scheme = scheme(written)?;
        let rest = written.get(scheme.len() + 3..).unwrap_or_default();
        let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        Some(Self { scheme, host, path })
    }

    /// What the host of such an address is called.
    pub fn host_name(&self) -> &'static str {
        if is_web(self.scheme) { "host" } else { "bucket" }
    }

    /// Whether it says where to look: it has a host, and no bucket with wildcards, since nobody lists buckets.
    /// On the web such letters are no wildcards: `[::1]` is a host.
    pub fn has_host(&self) -> bool {
        !self.host.is_empty() && (is_web(self.scheme) || !glob::is_glob(self.host))
    }
}

/// Whether addresses of a scheme are of the web.
pub fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// What a user wrote as a whole, fit to be shown: an address without user information, with a short hash for each
/// value of its query and for its fragment (`?token=~3f9a1c`); anything else as it is.
///
/// What is redacted already stays the same.
pub fn shown(written: &str) -> Cow<'_, str> {
    match beginning(written, 0) {
        Some((0, _)) => replaced(written, &secrets(written), |secret| match secret.kind {
            Kind::User => String::new(),
            Kind::Value => format!("~{}", short_hash(secret.of(written))),
        }),
        _ => Cow::Borrowed(written),
    }
}

/// A text with each address in it as [`shown`].
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut done = 0;
    for address in addresses(text) {
        let written = text.get(address.clone()).unwrap_or_default();
        if let Cow::Owned(shown) = shown(written) {
            out += text.get(done..address.start).unwrap_or_default();
            out += &shown;
            done = address.end;
        }
    }
    if done == 0 {
        return Cow::Borrowed(text);
    }
    out += text.get(done..).unwrap_or_default();
    Cow::Owned(out)
}

/// A text of the same number of bytes with `*` for every byte of a secret in it, for carets that point into it.
pub fn mask(text: &str) -> Cow<'_, str> {
    let mut all = Vec::new();
    for address in addresses(text) {
        let written = text.get(address.clone()).unwrap_or_default();
        all.extend(secrets(written).into_iter().map(|secret| Secret {
            range: secret.range.start + address.start..secret.range.end + address.start,
            kind: secret.kind,
        }));
    }
    replaced(text, &all, |secret| "*".repeat(secret.range.len()))
}

/// A part of an address that is not shown.
struct Secret {
    range: Range<usize>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// User name and password, with the `@` behind them.
    User,
    Value,
}

impl Secret {
    fn of<'t>(&self, text: &'t str) -> &'t str {
        text.get(self.range.clone()).unwrap_or_default()
    }
}

/// The secrets of an address, in order.
fn secrets(address: &str) -> Vec<Secret> {
    let Some((0, rest)) = beginning(address, 0) else { return Vec::new() };
    let scheme = address.split(':').next().unwrap_or_default();
    let mut found = Vec::new();
    let tail = address.get(rest..).unwrap_or_default();
    let host_end = tail.find(['/', '?', '#']).unwrap_or(tail.len());
    let host = tail.get(..host_end).unwrap_or_default();
    if let Some(at) = host.rfind('@') {
        let user = host.get(..at).unwrap_or_default();
        // `abfss://container@account/path` is no user.
        let is_container = scheme.get(..4).is_some_and(|it| it.eq_ignore_ascii_case("abfs"));
        if !is_container || user.contains(':') {
            found.push(Secret { range: rest..rest + at + 1, kind: Kind::User });
        }
    }
    let path = tail.get(host_end..).unwrap_or_default();
    // In a store `?` is a wildcard and `#` a letter; but signatures are pasted there, too.
    let is_store = SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme)) && !is_web(scheme);
    let begin = if is_store { query_of_store(path) } else { path.find(['?', '#']) };
    let Some(begin) = begin else { return found };
    let (query, fragment) = {
        let from = path.get(begin..).unwrap_or_default();
        let hash = from.find('#').unwrap_or(from.len());
        from.split_at_checked(hash).unwrap_or((from, ""))
    };
    let mut at = rest + host_end + begin;
    for part in query.split_inclusive(['?', '&', ';']) {
        let value = part.trim_end_matches(['?', '&', ';']);
        let name = value.find('=').map_or(0, |equals| equals + 1);
        push_value(address, at + name..at + value.len(), &mut found);
        at += part.len();
    }
    if !fragment.is_empty() {
        push_value(address, at + 1..at + fragment.len(), &mut found);
    }
    found
}

fn push_value(address: &str, range: Range<usize>, found: &mut Vec<Secret>) {
    let value = address.get(range.clone()).unwrap_or_default();
    let is_hash = |hash: &str| hash.len() == DIGITS && hash.bytes().all(|it| it.is_ascii_hexdigit());
    if !value.is_empty() && !value.strip_prefix('~').is_some_and(is_hash) {
        found.push(Secret { range, kind: Kind::Value });
    }
}

/// Where the query of an address of a store begins: at a `?` that a name and `=` follow.
fn query_of_store(path: &str) -> Option<usize> {
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'-' | b'_'))
    };
    path.match_indices('?').map(|(at, _)| at).find(|at| {
        let behind = path.get(at + 1..).unwrap_or_default();
        behind.split_once('=').is_some_and(|(name, _)| is_name(name))
    })
}

/// Where addresses stand in a text.
fn addresses(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some((begin, rest)) = beginning(text, from) {
        let tail = text.get(rest..).unwrap_or_default();
        let is_end = |letter: char| letter.is_whitespace() || letter.is_control() || ENDS.contains(&letter);
        let length = tail.find(is_end).unwrap_or(tail.len());
        let address = tail.get(..length).unwrap_or_default();
        // What closes a sentence or a parenthesis around it.
        let mut closed = address.trim_end_matches(['.', ',', ':', ';']);
        if !closed.contains('(') {
            closed = closed.trim_end_matches(')');
        }
        found.push(begin..rest + closed.len());
        from = rest + length;
    }
    found
}

/// Where the next address begins, and where what is behind its scheme does.
///
/// Slashes too few or too many are a slip, and its secrets are secrets: `https:/user:password@host`.
fn beginning(text: &str, from: usize) -> Option<(usize, usize)> {
    let tail = text.get(from..)?;
    tail.match_indices(':').find_map(|(colon, _)| {
        let before = tail.get(..colon)?;
        let begin = before.rfind(|letter| !is_of_scheme(letter)).map_or(0, |at| {
            // The letter may have several bytes.
            at + before.get(at..).and_then(|it| it.chars().next()).map_or(1, char::len_utf8)
        });
        let scheme = before.get(begin..)?;
        let behind = tail.get(colon + 1..)?;
        let slashes = behind.len() - behind.trim_start_matches('/').len();
        let is_known = SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(scheme));
        let has_more = behind.chars().next().is_some_and(|letter| !letter.is_whitespace());
        let is_one = scheme.len() > 1 && has_more && (is_known || slashes >= 2);
        is_one.then_some((from + begin, from + colon + 1 + slashes))
    })
}

fn is_of_scheme(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.')
}

fn short_hash(value: &str) -> String {
    let hash = blake3::hash(value.as_bytes()).to_hex();
    hash.as_str().chars().take(DIGITS).collect()
}

fn replaced<'t>(text: &'t str, secrets: &[Secret], by: impl Fn(&Secret) -> String) -> Cow<'t, str> {
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut out, mut done) = (String::new(), 0);
    for secret in secrets {
        out += text.get(done..secret.range.start).unwrap_or_default();
        out += &by(secret);
        done = secret.range.end;
    }
    out += text.get(done..).unwrap_or_default();
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_of_servers_hide_what_the_address_hides() {
        let address = Address::new("http://bob:hunter2@host/a?page=2&token=s3cr3t");
        let body = "no such file: /a?page=2&token=s3cr3t (user bob:hunter2), see http://host/?key=other";
        let hidden = address.hide(body);
        assert!(
            hidden.starts_with("no such file: /a?page=2&token=*** (user ***), see http://host/?key=~"),
            "{hidden}"
        );
    }

    #[test]
    fn addresses_are_shown_without_their_secrets() {
        let hash = short_hash;
        for (written, expected) in [
            ("http://bob:SECRETPW@host/a.jsonl", "http://host/a.jsonl".to_owned()),
            ("https://bob@host:8080", "https://host:8080".to_owned()),
            ("HTTPS://a:b@c@host/x@y", "HTTPS://host/x@y".to_owned()),
            ("https:/bob:pw@host/a", "https:/host/a".to_owned()),
            ("https:bob:pw@host/a", "https:host/a".to_owned()),
            ("ftp://bob:pw@host/a?b=c", format!("ftp://host/a?b=~{}", hash("c"))),
            (
                "https://host/a.jsonl?X-Amz-Signature=SIGTOKEN&page=2",
                format!("https://host/a.jsonl?X-Amz-Signature=~{}&page=~{}", hash("SIGTOKEN"), hash("2")),
            ),
            ("https://host/a?SIGTOKEN", format!("https://host/a?~{}", hash("SIGTOKEN"))),
            ("https://host?a=1?b=2", format!("https://host?a=~{}?b=~{}", hash("1"), hash("2"))),
            ("https://host/a?b=&c#frag", format!("https://host/a?b=&~{}#~{}", hash("c"), hash("frag"))),
            ("https://host/a#/b?c=d", format!("https://host/a#~{}", hash("/b?c=d"))),
            ("https://host/a?字=字", format!("https://host/a?字=~{}", hash("字"))),
            ("s3://key:secret@bucket/d/", "s3://bucket/d/".to_owned()),
            ("s3://bucket/a?.txt", "s3://bucket/a?.txt".to_owned()),
            ("s3://bucket/a#1.txt", "s3://bucket/a#1.txt".to_owned()),
            ("az://box/a?sv=1&sig=x", format!("az://box/a?sv=~{}&sig=~{}", hash("1"), hash("x"))),
            ("abfss://box@account.host/a", "abfss://box@account.host/a".to_owned()),
            ("abfss://box:pw@account.host/a", "abfss://account.host/a".to_owned()),
            ("C:/bob:pw@x?a=b", "C:/bob:pw@x?a=b".to_owned()),
            ("dump/a?b=c", "dump/a?b=c".to_owned()),
        ] {
            let address = Address::new(written);
            assert_eq!(address.to_string(), expected, "{written}");
            assert_eq!(format!("{address:?}"), format!("{expected:?}"));
            assert_eq!(shown(&expected), expected, "redacted twice");
            assert_eq!(address.secret(), written);
        }
    }

    #[test]
    fn two_queries_stay_two_addresses() {
        let (a, b) = (Address::new("http://h/a?p=1"), Address::new("http://h/a?p=2"));
        assert!(a != b && a.to_string() != b.to_string());
    }

    #[test]
    fn a_text_loses_the_secrets_of_all_its_addresses() {
        let (sig, pw) = (short_hash("SIG"), short_hash("x"));
        for (text, expected) in [
            ("nothing here: a:/b c:// http: x@y", "nothing here: a:/b c:// http: x@y".to_owned()),
            (
                "cannot read `http://u:p@h/a?s=SIG`: error for url (https://h/b?t=x), see http://h/c.",
                format!(
                    "cannot read `http://h/a?s=~{sig}`: error for url (https://h/b?t=~{pw}), see http://h/c."
                ),
            ),
            ("paths = [\"http://a/b\",\"u@c\"]", "paths = [\"http://a/b\",\"u@c\"]".to_owned()),
            ("字http://u:p@h/字", "字http://h/字".to_owned()),
        ] {
            assert_eq!(redact(text), expected);
        }
        assert_eq!(mask("a \"http://bob:pw@h/a?b=SIG\" c"), "a \"http://*******h/a?b=***\" c");
    }

    #[test]
    fn schemes_are_told_from_paths() {
        for (written, expected) in [
            ("s3://b", Some("s3")),
            ("a+b.c-d://x", Some("a+b.c-d")),
            ("C://x", None),
            ("a b://x", None),
            ("dump/x", None),
        ] {
            assert_eq!(scheme(written), expected);
        }
        assert!(Address::new("https://h").is_web() && !Address::new("s3://b").is_web());
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "([a-z]{1,3}:/{0,3})?[a-z@?&=#:/\" 字~]{0,40}(http://[a-z@?&=#:字]{0,20})?") {
            let once = redact(&text).into_owned();
            prop_assert_eq!(redact(&once), once.as_str());
            prop_assert_eq!(mask(&text).len(), text.len());
        }

        #[test]
        fn no_password_and_no_value_gets_through(user in "[A-Z]{8}", value in "[A-Z]{8}", text in "[a-z ]{0,9}") {
            let written = format!("{text} https://{user}:{user}@host/{text}x?{text}=1&k={value}#{value} {text}");
            for shown in [redact(&written), mask(&written)] {
                // A blank in the address ends it, and with it what is known of it.
                if !text.contains(' ') {
                    prop_assert!(!shown.contains(&user) && !shown.contains(&value), "{}", shown);
                }
            }
        }
    }
}
