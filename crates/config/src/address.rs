//! Inputs and outputs that are addresses: `s3://bucket/dump/*.jsonl`.

use tamis_address::glob::is_glob;
use tamis_address::{Parts, SCHEMES, WRITABLE, is_web, scheme, shown};

use crate::diagnostic::Diagnostic;
use crate::suggest::{closest, fold, list};
use crate::text::Place;

/// Whether an input is an address, of whatever kind.
pub(crate) fn is_address(written: &str) -> bool {
    scheme(written).is_some()
}

/// What is wrong with an address, if anything; whether there is something under it is not asked.
pub(crate) fn mistake(written: &str, place: &Place) -> Option<Diagnostic> {
    let parts = Parts::of(written)?;
    let scheme = parts.scheme;
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
    if !parts.has_host() {
        let what = parts.host_name();
        let problem = if parts.host.is_empty() { "without" } else { "with wildcards in" };
        let message = format!("an address {problem} its {what}: `{written}`");
        return Some(error(message).label(format!("name the {what} behind `{scheme}://`")));
    }
    if scheme == "hf" {
        let mut names = parts.path.split('/').skip(1).take(2);
        let is_named = |name: Option<&str>| name.is_some_and(|name| !name.is_empty() && !is_glob(name));
        if parts.host != "datasets" || !is_named(names.next()) || !is_named(names.next()) {
            let message = format!("`{written}` names no data set of the hub");
            let label =
                "write `hf://datasets/OWNER/NAME/`, with `@REVISION` behind the name if it is not `main`";
            return Some(error(message).label(label));
        }
    }
    // `?` begins a query.
    if is_web(scheme) && parts.path.contains(['*', '[', '{']) {
        let message = format!("`{written}` has wildcards, but a web server does not list what it has");
        return Some(error(message).label("name each file, or write such letters as `%2A`, `%5B`, `%7B`"));
    }
    None
}

/// What is wrong with an address to write to, if anything.
pub(crate) fn output_mistake(written: &str, place: &Place) -> Option<Diagnostic> {
    let parts = Parts::of(written)?;
    let scheme = parts.scheme;
    let error = |message: String, label: &str| Some(Diagnostic::error(place, message).label(label));
    if SCHEMES.contains(&scheme) && !WRITABLE.contains(&scheme) {
        let (what, label) = match scheme {
            "hf" => ("the hub of Hugging Face", "name a folder, and upload it when the run has ended"),
            _ => ("web servers", "name a folder, or a place in an object store such as `s3://bucket/out`"),
        };
        return error(format!("exports cannot write to {what}: `{}`", shown(written)), label);
    }
    if let Some(mistake) = mistake(written, place) {
        return Some(mistake);
    }
    if shown(written) != written {
        let label = "leave them out: the environment variables of the store name who may write";
        return error("an address to write to holds no secrets".to_owned(), label);
    }
    let key = parts.path.strip_prefix('/').unwrap_or_default().trim_end_matches('/');
    if key.contains(['*', '?', '[']) {
        return error(
            format!("`{written}` has wildcards, and an export writes to one place"),
            "name that place",
        );
    }
    let is_odd = |part: &str| matches!(part, "" | "." | "..");
    (!key.is_empty() && key.split('/').any(is_odd)).then(|| {
        let message = format!("`{written}` has an empty part, or one that is `.` or `..`");
        Diagnostic::error(place, message).label("stores know no folders: write the key as it is")
    })
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
