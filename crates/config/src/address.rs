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

/// What is wrong with an address to read from, if anything; whether there is something under it is not asked.
pub(crate) fn mistake(written: &str, place: &Place) -> Option<Diagnostic> {
    let parts = Parts::of(written)?;
    let scheme = parts.scheme;
    let error = |message: String| Diagnostic::error(place, message);
    if let Some(mistake) =
        unknown(&parts, &SCHEMES, written, place).or_else(|| hostless(&parts, written, place))
    {
        return Some(mistake);
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

/// Whether an address is of no kind among those that are `known`: there are fewer to write to than to read from.
fn unknown(parts: &Parts<'_>, known: &[&str], written: &str, place: &Place) -> Option<Diagnostic> {
    let scheme = parts.scheme;
    if fold(scheme) == "file" {
        let message = format!("`{written}` is a file of this machine");
        return Some(Diagnostic::error(place, message).label("write it as a path, without `file://`"));
    }
    if known.contains(&scheme) {
        return None;
    }
    let all = || known.iter().map(|scheme| format!("{scheme}://")).collect::<Vec<_>>();
    let label = closest(scheme, known.iter().copied())
        .map_or_else(|| format!("known: {}", list(&all())), |known| format!("did you mean `{known}://`?"));
    Some(Diagnostic::error(place, format!("unknown kind of address `{scheme}://`")).label(label))
}

/// Whether an address does not say where to look.
fn hostless(parts: &Parts<'_>, written: &str, place: &Place) -> Option<Diagnostic> {
    if parts.has_host() {
        return None;
    }
    let what = parts.host_name();
    let problem = if parts.host.is_empty() { "without" } else { "with wildcards in" };
    let message = format!("an address {problem} its {what}: `{written}`");
    Some(Diagnostic::error(place, message).label(format!("name the {what} behind `{}://`", parts.scheme)))
}

/// What is wrong with an address to write to, if anything.
pub(crate) fn output_mistake(written: &str, place: &Place) -> Option<Diagnostic> {
    let parts = Parts::of(written)?;
    let error = |message: String, label: &str| Some(Diagnostic::error(place, message).label(label));
    if let Some(mistake) = unwritable(written, place) {
        return Some(mistake);
    }
    if let Some(mistake) =
        unknown(&parts, &WRITABLE, written, place).or_else(|| hostless(&parts, written, place))
    {
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

/// Whether an address is of a kind that is only read from.
fn unwritable(written: &str, place: &Place) -> Option<Diagnostic> {
    let scheme = fold(scheme(written)?);
    if !SCHEMES.contains(&scheme.as_str()) || WRITABLE.contains(&scheme.as_str()) {
        return None;
    }
    let (what, label) = match scheme.as_str() {
        "hf" => ("the hub of Hugging Face", "name a folder, and upload it when the run has ended"),
        _ => ("web servers", "name a folder, or a place in an object store such as `s3://bucket/out`"),
    };
    let message = format!("exports cannot write to {what}: `{}`", shown(written));
    Some(Diagnostic::error(place, message).label(label))
}

/// What is wrong with a path that does not exist and looks like an address with a slip in it: `s3:/bucket`.
pub(crate) fn near_miss(written: &str, place: &Place) -> Option<Diagnostic> {
    Some(slip(written, &meant(written)?, place))
}

/// The same of one to write to, which would else be a folder of this machine that is called `s3:`.
pub(crate) fn output_near_miss(written: &str, place: &Place) -> Option<Diagnostic> {
    let meant = meant(written)?;
    Some(unwritable(&meant, place).unwrap_or_else(|| slip(written, &meant, place)))
}

/// The address that somebody has meant.
fn meant(written: &str) -> Option<String> {
    let (scheme, rest) = written.split_once(':')?;
    let scheme = fold(scheme);
    SCHEMES.contains(&scheme.as_str()).then(|| format!("{scheme}://{}", rest.trim_start_matches('/')))
}

fn slip(written: &str, meant: &str, place: &Place) -> Diagnostic {
    Diagnostic::error(place, format!("`{written}` is no address")).label(format!("write `{meant}`"))
}
