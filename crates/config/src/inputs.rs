//! Source paths: files, folders, globs, and what they leave out.

use std::path::{Component, Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use tamis_address::Address;
use tamis_address::glob::{common_folder, compile, is_glob};

use crate::address;
use crate::canonical::portable;
use crate::destination::is_remote;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::node::Entry;
use crate::plan::{Excluded, Glob, InputKind, InputPattern};
use crate::suggest::closest;
use crate::text::{Place, TextKind};

/// How many names of a folder are looked at to find the one that was meant.
const MAX_NAMES: usize = 2_000;

/// How many files and folders are looked at to find one that a glob matches; beyond, it may match or not.
const MAX_WALKED: usize = 2_000;

/// The input that is standard input.
const STDIN: &str = "-";

/// The inputs of a source; complaints about those that do not exist, and warnings about those that have no
/// file, if that is soon seen.
pub(crate) fn inputs(
    written: &[(&str, &Place)],
    excluded: &Excluded,
    diagnostics: &mut Diagnostics,
) -> Vec<InputPattern> {
    let mut inputs = Vec::with_capacity(written.len());
    for (pattern, place) in written {
        match input(pattern, place) {
            Ok(input) => {
                if input.kind == InputKind::Local && has_no_file(&input, excluded) {
                    diagnostics.push(nothing_there(&input, place));
                }
                inputs.push(input);
            }
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    let is_local = |input: &&InputPattern| input.kind == InputKind::Local;
    let root = common_folder(inputs.iter().filter(is_local).map(|input| input.root.as_path()));
    if let Some(root) = root {
        for input in inputs.iter_mut().filter(|input| input.kind == InputKind::Local) {
            input.root.clone_from(&root);
        }
    }
    inputs
}

/// Complains about standard input that is named again; `first` is where a pipeline names it first.
pub(crate) fn stdin_once<'p>(
    written: &[(&str, &'p Place)],
    first: &mut Option<&'p Place>,
    diagnostics: &mut Diagnostics,
) {
    for (_, place) in written.iter().filter(|(pattern, _)| *pattern == STDIN) {
        if let Some(first) = first {
            diagnostics.push(
                Diagnostic::error(place, "standard input can be read once only")
                    .label("remove this one")
                    .related(first, "it is read here already"),
            );
        } else {
            *first = Some(place);
        }
    }
}

/// What an input is compared by: its path, relative to `base` if it lies below, or its address. That is kept beside
/// the output, so it has no secrets.
pub(crate) fn canonical(written: &str, place: &Place, base: &Path) -> String {
    if written == STDIN || address::is_address(written) {
        return tamis_address::shown(written).into_owned();
    }
    let path = portable(&place.path(written), base);
    // A file of such a name is something else.
    if path == STDIN || address::is_address(&path) { format!("./{path}") } else { path }
}

fn input(written: &str, place: &Place) -> Result<InputPattern, Diagnostic> {
    let elsewhere = |kind, address| InputPattern {
        written: tamis_address::shown(written).into_owned(),
        kind,
        address,
        path: PathBuf::new(),
        root: PathBuf::new(),
        glob: None,
    };
    if written == STDIN {
        return Ok(elsewhere(InputKind::Stdin, None));
    }
    if address::is_address(written) {
        return match address::mistake(written, place) {
            Some(diagnostic) => Err(diagnostic),
            None => Ok(elsewhere(InputKind::Url, Some(Address::new(written)))),
        };
    }
    let path = place.path(written);
    // A file may have a name that looks like a glob: what exists is meant by its name.
    if path.exists() {
        if place.text.kind == TextKind::CommandLine && is_pipeline(&path) {
            let message = format!("`{written}` is a pipeline, and the inputs of one pipeline stand here");
            let label =
                "give each pipeline a command of its own; a pipeline that builds on another says `extends`";
            return Err(Diagnostic::error(place, message).label(label));
        }
        let root = if path.is_dir() { path.clone() } else { path.parent().unwrap_or(&path).to_path_buf() };
        return Ok(InputPattern {
            written: written.to_owned(),
            kind: InputKind::Local,
            address: None,
            path,
            root,
            glob: None,
        });
    }
    if let Some(diagnostic) = address::near_miss(written, place) {
        return Err(diagnostic);
    }
    if !is_glob(written) {
        return Err(missing(written, &path, place, "file or folder"));
    }
    let (folder, pattern) = split_glob(&path);
    if !folder.is_dir() {
        let message = format!("no folder {}, in which `{written}` would look", shown(&folder, place));
        return Err(Diagnostic::error(place, message).label(advice(written, &folder, place)));
    }
    let glob = compile(&pattern).map_err(|reason| bad_glob(written, &reason, place))?;
    Ok(InputPattern {
        written: written.to_owned(),
        kind: InputKind::Local,
        address: None,
        root: folder.clone(),
        path: folder,
        glob: Some(Glob(glob)),
    })
}

/// Whether a file is, by its name and by what stands in it, a pipeline.
fn is_pipeline(path: &Path) -> bool {
    let is_named = path.extension().is_some_and(|ending| ending == "toml") && path.is_file();
    let table = || std::fs::read_to_string(path).ok()?.parse::<toml::Table>().ok();
    let is_list = |value: Option<&toml::Value>| value.is_some_and(toml::Value::is_array);
    is_named
        && table().is_some_and(|it| {
            it.contains_key("extends")
                || ["source", "stage", "export"].iter().any(|key| is_list(it.get(*key)))
        })
}

/// A complaint about a path that does not exist.
pub(crate) fn missing(written: &str, path: &Path, place: &Place, what: &str) -> Diagnostic {
    Diagnostic::error(place, format!("no {what} `{written}`")).label(advice(written, path, place))
}

/// Whether it is certain that an input has no file now.
fn has_no_file(input: &InputPattern, excluded: &Excluded) -> bool {
    let mut folders = vec![input.path.clone()];
    let mut walked = 0;
    while let Some(folder) = folders.pop() {
        // What cannot be listed, a file in the first place, is for the run to complain about.
        let Ok(entries) = std::fs::read_dir(&folder) else { return false };
        for entry in entries {
            walked += 1;
            let Ok(entry) = entry else { return false };
            if walked > MAX_WALKED {
                return false;
            }
            let path = entry.path();
            let relative = path.strip_prefix(&input.path).unwrap_or(&path);
            let Ok(kind) = entry.file_type() else { return false };
            let is_excluded =
                if kind.is_dir() { excluded.contains_dir(relative) } else { excluded.contains(relative) };
            if is_excluded {
                continue;
            }
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_symlink() || input.takes(relative) {
                // A link may lead to a folder, and round in a circle: it is not followed here.
                return false;
            }
        }
    }
    true
}

fn nothing_there(input: &InputPattern, place: &Place) -> Diagnostic {
    let what = if input.is_glob() { "matches no file now" } else { "holds no file now" };
    let warning = Diagnostic::warning(place, format!("`{}` {what}", input.written));
    if input.is_glob() {
        warning.label(format!("looked in {} and below", shown(&input.path, place)))
    } else {
        warning
    }
}

/// Complains about a folder to write to (`what` it is for) that is, or holds, a folder of inputs: the next run
/// would read what this one has written.
pub(crate) fn overlap<'i>(
    what: &str,
    output: &Path,
    place: &Place,
    mut inputs: impl Iterator<Item = &'i InputPattern>,
) -> Option<Diagnostic> {
    if is_remote(output) {
        let input = inputs.find(|input| reaches(input, output))?;
        let message = format!("the input `{}` reads the {what}, `{}`", input.written, output.display());
        return Some(
            Diagnostic::error(place, message).label("the next run would read it: choose another place"),
        );
    }
    // Two ways to one folder are told only by the system.
    let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let real_output = real(output);
    let holds = |input: &&InputPattern| {
        input.kind == InputKind::Local
            && input.path.is_dir()
            && (input.path.starts_with(output) || real(&input.path).starts_with(&real_output))
    };
    let input = inputs.find(holds)?;
    let message = if input.path == output || real(&input.path) == real_output {
        format!("the {what} folder is the input folder of `{}`", input.written)
    } else {
        format!("the {what} folder holds the input folder of `{}`", input.written)
    };
    Some(Diagnostic::error(place, message).label("choose another folder, beside the input or below it"))
}

/// Whether an input in a store reads what is written to a place there.
fn reaches(input: &InputPattern, output: &Path) -> bool {
    let Some(address) = &input.address else { return false };
    let (output, input) = (format!("{}/", output.display()), address.secret());
    let fixed = common_prefix(input);
    // A wildcard that stays in its folder reads nothing below it.
    let is_deep = fixed == input || input.contains("**");
    fixed.starts_with(&output) || (is_deep && output.starts_with(fixed) && fixed.ends_with('/'))
}

/// An address up to its first wildcard, and to the last `/` before that; all of one that has none.
fn common_prefix(address: &str) -> &str {
    match address.find(['*', '?', '[', '{']) {
        Some(wildcard) => {
            let before = address.get(..wildcard).unwrap_or_default();
            before.get(..before.rfind('/').map_or(0, |slash| slash + 1)).unwrap_or_default()
        }
        None => address,
    }
}

/// The name that was probably meant, or where the path was looked for.
pub(crate) fn advice(written: &str, path: &Path, place: &Place) -> String {
    let existing = path.ancestors().find(|folder| folder.exists());
    let rest = existing.and_then(|existing| path.strip_prefix(existing).ok());
    let missing = rest.and_then(|rest| Some((rest.components().next()?, rest.components().nth(1).is_some())));
    if let (Some(folder), Some((Component::Normal(name), has_more))) = (existing, missing) {
        let name = name.to_string_lossy();
        if let Some(similar) = similar_name(folder, &name) {
            return format!("did you mean `{similar}`?");
        }
        if has_more {
            return no_folder(written, &name, folder, place);
        }
    }
    if Path::new(written).is_absolute() { String::new() } else { base(place) }
}

/// That a folder on the way is missing, and where it was looked for.
fn no_folder(written: &str, name: &str, folder: &Path, place: &Place) -> String {
    if Path::new(written).is_absolute() {
        format!("there is no folder `{name}` in `{}`", folder.display())
    } else if folder == place.text.base {
        format!("{}, where there is no folder `{name}`", base(place))
    } else if let Ok(below) = folder.strip_prefix(&place.text.base) {
        format!("there is no folder `{name}` in `{}`, {}", below.display(), base(place))
    } else {
        format!("there is no folder `{name}`; the path is {}", base(place))
    }
}

/// What paths are relative to where this one is written.
fn base(place: &Place) -> String {
    let what = match place.text.kind {
        TextKind::File => "the folder of this file",
        TextKind::CommandLine | TextKind::Environment => "the working folder",
    };
    let name = place.text.base.file_name().map(|name| format!(", `…/{}`", name.to_string_lossy()));
    format!("relative to {what}{}", name.unwrap_or_default())
}

fn similar_name(folder: &Path, wanted: &str) -> Option<String> {
    let names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .take(MAX_NAMES)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    // An ending says nothing of what was meant, as every file there may have it: `zz.toml` is not `ok.toml`.
    let (stem, ending) = wanted.rsplit_once('.').unwrap_or((wanted, ""));
    let ending = format!(".{ending}");
    let stems = names.iter().filter_map(|name| name.strip_suffix(&ending));
    let found = closest(stem, stems).map(|stem| format!("{stem}{ending}"));
    let others = || names.iter().map(String::as_str).filter(|name| !name.ends_with(&ending));
    found.or_else(|| closest(wanted, others()).map(str::to_owned))
}

/// A path as the user thinks of it: relative to where it is written, if it lies there.
fn shown(path: &Path, place: &Place) -> String {
    format!("`{}`", path.strip_prefix(&place.text.base).unwrap_or(path).display())
}

/// The deepest folder before the first wildcard, and the pattern from there.
fn split_glob(path: &Path) -> (PathBuf, String) {
    let mut folder = PathBuf::new();
    let mut pattern: Vec<String> = Vec::new();
    for component in path.components() {
        let part = component.as_os_str().to_string_lossy();
        if pattern.is_empty() && !(matches!(component, Component::Normal(_)) && is_glob(&part)) {
            folder.push(component);
        } else {
            pattern.push(part.into_owned());
        }
    }
    (folder, pattern.join("/"))
}

fn bad_glob(written: &str, reason: &str, place: &Place) -> Diagnostic {
    Diagnostic::error(place, format!("`{written}` is no glob: {reason}"))
}

/// Complains about `exclude` where nothing is looked through: standard input has no name.
pub(crate) fn excludes_nothing(written: &[(&str, &Place)], exclude: Option<&Entry>) -> Option<Diagnostic> {
    let is_stdin = |(path, place): &(&str, &Place)| *path == STDIN && place.text.kind == TextKind::File;
    let entry = exclude.filter(|_| !written.is_empty() && written.iter().all(is_stdin))?;
    let label = "standard input has no files to leave out: remove this";
    Some(Diagnostic::error(&entry.key_place, "`exclude` of `[[source]]` has no effect").label(label))
}

/// The `exclude` patterns of a source.
pub(crate) fn excluded(written: &[(&str, &Place)], diagnostics: &mut Diagnostics) -> Excluded {
    let mut builder = GitignoreBuilder::new("");
    // To a file that many wrote a slip may be a name; here it is a slip.
    builder.allow_unclosed_class(false);
    let mut patterns = Vec::new();
    for (pattern, place) in written {
        if let Some((reason, way_out)) = no_pattern(pattern) {
            let message = format!("`{pattern}` is no pattern: {reason}");
            diagnostics.push(Diagnostic::error(place, message).label(way_out));
            continue;
        }
        let line =
            pattern.strip_prefix("./").map_or_else(|| (*pattern).to_owned(), |rest| format!("/{rest}"));
        if pattern.starts_with('!') && patterns.is_empty() {
            let message =
                format!("`{pattern}` of `exclude` has no effect: no pattern before it leaves anything out");
            let way_out = "put it behind a pattern that it makes an exception of, or remove it";
            diagnostics.push(Diagnostic::error(place, message).label(way_out));
            continue;
        }
        match builder.add_line(None, &line) {
            Ok(_) => patterns.push((*pattern).to_owned()),
            Err(error) => diagnostics.push(bad_glob(pattern, &reason(&error), place)),
        }
    }
    let matcher = builder.build().unwrap_or_else(|error| {
        // Each pattern compiled alone; together they can only be too many.
        if let Some((_, place)) = written.first() {
            let message = format!("cannot use these patterns: {}", reason(&error));
            diagnostics.push(Diagnostic::error(place, message));
        }
        Gitignore::empty()
    });
    Excluded { patterns, matcher }
}

/// Why a line that a `.gitignore` file would pass over is a mistake here, and what to write.
fn no_pattern(pattern: &str) -> Option<(&'static str, &'static str)> {
    match pattern.trim() {
        // An empty one is complained about already.
        "" if !pattern.is_empty() => Some(("it is blank", "remove it")),
        "!" | "/" | "!/" | "./" => Some(("it names nothing", "")),
        comment if comment.starts_with('#') => {
            Some(("`#` begins a comment", "write `\\\\#` for such a name"))
        }
        _ => None,
    }
}

/// The reason without the pattern, which the message has already.
fn reason(error: &ignore::Error) -> String {
    match error {
        ignore::Error::Glob { err, .. } => err.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_begins_at_its_first_wildcard() {
        for (path, folder, pattern) in [
            ("/data/dump/**/*.txt", "/data/dump", "**/*.txt"),
            ("/data/{a,b}/x", "/data", "{a,b}/x"),
            ("/*.txt", "/", "*.txt"),
        ] {
            assert_eq!(split_glob(Path::new(path)), (PathBuf::from(folder), pattern.to_owned()));
        }
    }
}
