//! Inputs that are addresses: `s3://bucket/dump/*.jsonl`.

use tamis_address::{SCHEMES, is_web, scheme};

use crate::diagnostic::Diagnostic;
use crate::suggest::{closest, fold, list};
use crate::text::Place;

/// Whether an input is an address, of whatever kind.
pub(crate) fn is_address(written: &str) -> bool {
    scheme(written).is_some()
}

/// What is wrong with an address, if anything; whether there is something under it is not asked.
pub(crate) fn mistake(written: &str, place: &Place) -> Option<Diagnostic> {
    let (scheme, rest) = written.split_once("://")?;
    let error = |message: String| Diagnostic::error(place, message);
    if fold(scheme) == "file" {
        let message = format!("`{written}` is a file of this machine");
        return Some(error(message).label("write it as a path, without `file://`"));
    }
    if !SCHEMES.contains(&scheme) {
        let label = match closest(scheme, SCHEMES) {
            Some(known) => format!("did you mean `{known}://`?"),
            None => format!("known: {}", list(&SCHEMES.map(|scheme| format!("{scheme}://")))),
        };
        return Some(error(format!("unknown kind of address `{scheme}://`")).label(label));
    }
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || (!is_web(scheme) && has_wildcard(host, &['*', '?', '[', '{'])) {
        let what = if is_web(scheme) { "host" } else { "bucket" };
        let problem = if host.is_empty() { "without" } else { "with wildcards in" };
        let message = format!("an address {problem} its {what}: `{written}`");
        return Some(error(message).label(format!("name the {what} behind `{scheme}://`")));
    }
    let path = rest.get(host.len()..).unwrap_or_default();
    // `?` begins a query.
    if is_web(scheme) && has_wildcard(path, &['*', '[', '{']) {
        let message = format!("`{written}` has wildcards, but a web server does not list what it has");
        return Some(error(message).label("name each file, or write such letters as `%2A`, `%5B`, `%7B`"));
    }
    None
}

fn has_wildcard(text: &str, wildcards: &[char]) -> bool {
    text.contains(wildcards)
}

/// What is wrong with a path that does not exist and looks like an address with a slip in it: `s3:/bucket`.
pub(crate) fn near_miss(written: &str, place: &Place) -> Option<Diagnostic> {
    let (scheme, rest) = written.split_once(':')?;
    if !SCHEMES.contains(&fold(scheme).as_str()) {
        return None;
    }
    let label = format!("write `{}://{}`", fold(scheme), rest.trim_start_matches('/'));
    Some(Diagnostic::error(place, format!("`{written}` is no address")).label(label))
}
