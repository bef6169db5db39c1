//! What a user named.

use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use crate::InputError;

/// The kinds of addresses that are known.
const SCHEMES: [&str; 8] = ["s3", "gs", "az", "azure", "abfs", "abfss", "http", "https"];

/// One entry of `paths`: a file, a folder of which every file is taken, a glob, `-` for standard input, or an
/// address.
///
/// An address of an object store names one object, or with `/` at its end or wildcards in it every object that
/// begins so or matches; one of the web (`http`, `https`) names one file.
#[derive(Debug, Clone)]
pub struct Pattern {
    pub(crate) written: String,
    pub(crate) place: Place,
    /// What a file below the place must look like, relative to it.
    pub(crate) glob: Option<GlobMatcher>,
}

/// Where a pattern looks.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// A file or folder, or the deepest folder that a glob names without wildcards.
    Path {
        path: PathBuf,
        root: PathBuf,
    },
    Stdin,
    #[cfg_attr(not(feature = "remote"), expect(dead_code, reason = "such patterns are refused then"))]
    /// An object, or what the names of all objects begin with (`is_prefix`, then it ends in `/`).
    Url {
        url: String,
        root: String,
        is_prefix: bool,
    },
}

impl Pattern {
    /// Reads one entry; relative paths begin at `base`.
    ///
    /// # Errors
    ///
    /// When there is nothing of this name, or it is no glob or address.
    pub fn parse(written: &str, base: &Path) -> Result<Self, InputError> {
        let whole = |place| Self { written: written.to_owned(), place, glob: None };
        if written == "-" {
            return Ok(whole(Place::Stdin));
        }
        if let Some(scheme) = scheme(written) {
            return address(written, scheme);
        }
        let path = base.join(written);
        // A file may have a name that looks like a glob: what exists is meant by its name.
        if path.exists() {
            let root = if path.is_dir() { path.as_path() } else { path.parent().unwrap_or(&path) };
            return Ok(whole(Place::Path { root: root.to_owned(), path }));
        }
        if !is_glob(written) {
            return Err(InputError::Missing { written: written.to_owned(), path });
        }
        let (folder, glob) = split_glob(&path);
        if !folder.is_dir() {
            return Err(InputError::NoFolder { written: written.to_owned(), folder });
        }
        let glob = Some(compile(written, &glob)?);
        let place = Place::Path { root: folder.clone(), path: folder };
        Ok(Self { written: written.to_owned(), place, glob })
    }

    /// What has been found out already: a file or folder `path`, below which files must look like `glob`; names of
    /// files begin at `root`.
    pub fn local(written: &str, path: PathBuf, root: PathBuf, glob: Option<GlobMatcher>) -> Self {
        Self { written: written.to_owned(), place: Place::Path { path, root }, glob }
    }

    /// The entry as the user wrote it, for messages.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The file or folder, or the deepest folder that a glob names without wildcards; `None` when it is not on
    /// this machine.
    pub fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::Path { path, .. } => Some(path),
            Place::Stdin | Place::Url { .. } => None,
        }
    }

    /// Whether it is an address of an object store or of the web.
    pub fn is_remote(&self) -> bool {
        matches!(self.place, Place::Url { .. })
    }

    /// Whether it is standard input, which can be read once only.
    pub fn is_stdin(&self) -> bool {
        matches!(self.place, Place::Stdin)
    }

    /// Whether it has wildcards.
    pub fn is_glob(&self) -> bool {
        self.glob.is_some()
    }

    /// Makes names relative to the deepest folder that holds every input of a source, so that two files of it never
    /// have the same name. When some inputs lie elsewhere, remote files are called by their whole address.
    pub fn share_root(patterns: &mut [Self]) {
        let mut paths = patterns.iter().filter_map(|pattern| match &pattern.place {
            Place::Path { root, .. } => Some(root.clone()),
            _ => None,
        });
        let common_path = paths
            .next()
            .and_then(|first| paths.try_fold(first, |common, folder| common_folder(common, &folder)));
        let mut urls = patterns.iter().filter_map(|pattern| match &pattern.place {
            Place::Url { root, .. } => Some(root.clone()),
            _ => None,
        });
        let mut common_url =
            urls.next().and_then(|first| urls.try_fold(first, |a, b| common_address(&a, &b)));
        if patterns.iter().any(|pattern| !pattern.is_remote()) {
            common_url = None;
        }
        for pattern in patterns {
            match &mut pattern.place {
                Place::Path { root, .. } => {
                    if let Some(common) = &common_path {
                        root.clone_from(common);
                    }
                }
                Place::Url { root, .. } => *root = common_url.clone().unwrap_or_default(),
                Place::Stdin => {}
            }
        }
    }

    /// Whether a file is taken; `relative` is its path from where the pattern looks.
    pub(crate) fn takes(&self, relative: &Path) -> bool {
        self.glob.as_ref().is_none_or(|glob| glob.is_match(relative))
    }
}

/// The scheme of an address.
fn scheme(written: &str) -> Option<&str> {
    let (scheme, _) = written.split_once("://")?;
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '+' | '-' | '.');
    // One letter is a drive.
    (scheme.len() > 1 && scheme.chars().all(is_letter)).then_some(scheme)
}

fn address(written: &str, scheme: &str) -> Result<Pattern, InputError> {
    let bad = |reason: String| InputError::BadUrl { written: written.to_owned(), reason };
    if scheme == "file" {
        return Err(bad("write a file of this machine as a path, without `file://`".to_owned()));
    }
    if !SCHEMES.contains(&scheme) {
        return Err(bad(format!("`{scheme}` is none of {}", SCHEMES.map(|it| format!("`{it}`")).join(", "))));
    }
    if cfg!(not(feature = "remote")) {
        return Err(bad("this build has no object stores: build it with the feature `remote`".to_owned()));
    }
    let (_, rest) = written.split_once("://").unwrap_or_default();
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.is_empty() || is_glob(host) {
        return Err(bad(format!(
            "name the {} behind `{scheme}://`",
            if is_web(scheme) { "host" } else { "bucket" }
        )));
    }
    if is_web(scheme) {
        let root = folder_of(written.split(['?', '#']).next().unwrap_or_default());
        let place = Place::Url { url: written.to_owned(), root, is_prefix: false };
        return Ok(Pattern { written: written.to_owned(), place, glob: None });
    }
    if !is_glob(rest) {
        let is_prefix = rest.ends_with('/') || !rest.contains('/');
        let url = if is_prefix { format!("{}/", written.trim_end_matches('/')) } else { written.to_owned() };
        let place = Place::Url { root: folder_of(&url), url, is_prefix };
        return Ok(Pattern { written: written.to_owned(), place, glob: None });
    }
    let wild = rest.split('/').take_while(|part| !is_glob(part)).map(|part| part.len() + 1).sum::<usize>();
    let (folder, glob) = rest.split_at_checked(wild).unwrap_or((rest, ""));
    let glob = Some(compile(written, glob)?);
    let url = format!("{scheme}://{folder}");
    let place = Place::Url { root: url.clone(), url, is_prefix: true };
    Ok(Pattern { written: written.to_owned(), place, glob })
}

/// Whether an address is one of the web, where nothing can be listed.
pub(crate) fn is_web(url: &str) -> bool {
    matches!(url.split("://").next(), Some("http" | "https"))
}

/// An address up to its last `/`.
fn folder_of(url: &str) -> String {
    let begin = url.find("://").map_or(0, |at| at + 3);
    match url.rfind('/') {
        Some(end) if end >= begin => url.get(..=end).unwrap_or(url).to_owned(),
        _ => format!("{url}/"),
    }
}

/// The deepest folder that holds both; `None` when they share nothing (drives).
fn common_folder(mut common: PathBuf, folder: &Path) -> Option<PathBuf> {
    while !folder.starts_with(&common) {
        if !common.pop() {
            return None;
        }
    }
    Some(common)
}

/// What two folders of stores have in common, up to a `/`; `None` when they are of different stores.
fn common_address(a: &str, b: &str) -> Option<String> {
    let same = a.split_inclusive('/').zip(b.split_inclusive('/')).take_while(|(a, b)| a == b);
    let common: String = same.map(|(part, _)| part).collect();
    // `s3:`, `/` and the bucket.
    (common.matches('/').count() >= 3).then_some(common)
}

fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
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

fn compile(written: &str, glob: &str) -> Result<GlobMatcher, InputError> {
    let glob = GlobBuilder::new(glob).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| InputError::BadGlob {
        written: written.to_owned(),
        reason: error.kind().to_string(),
    })
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

    #[cfg(feature = "remote")]
    #[test]
    fn addresses_are_told_apart() {
        for (written, url, root, is_prefix, takes) in [
            ("s3://b/a/c.txt", "s3://b/a/c.txt", "s3://b/a/", false, ""),
            ("s3://b/a/", "s3://b/a/", "s3://b/a/", true, "any/thing"),
            ("s3://b", "s3://b/", "s3://b/", true, "any"),
            ("gs://b/a/*/c.{gz,zst}", "gs://b/a/", "gs://b/a/", true, "x/c.zst"),
            ("az://b/**/字.txt", "az://b/", "az://b/", true, "q/字.txt"),
            ("https://host/a/b?x=[1]", "https://host/a/b?x=[1]", "https://host/a/", false, ""),
        ] {
            let pattern = Pattern::parse(written, Path::new("/base")).unwrap();
            assert!(pattern.is_remote() && !pattern.is_stdin() && pattern.path().is_none());
            assert!(pattern.takes(Path::new(takes)), "{written}");
            let Place::Url { url: found, root: found_root, is_prefix: found_prefix } = pattern.place else {
                panic!("{written} is no address")
            };
            assert_eq!((&*found, &*found_root, found_prefix), (url, root, is_prefix));
        }
    }

    #[cfg(feature = "remote")]
    #[test]
    fn remote_names_are_whole_where_inputs_share_nothing() {
        for (written, expected) in [
            (&["s3://b/x/y/", "s3://b/x/z/a.txt"][..], &["s3://b/x/", "s3://b/x/"][..]),
            (&["s3://b/x/", "gs://b/x/"], &["", ""]),
            (&["s3://b/x/", "-"], &["", "-"]),
            (&["s3://b/x/", "."], &["", "/"]),
            (&[".", "-"], &["/", "-"]),
        ] {
            let mut patterns: Vec<_> =
                written.iter().map(|it| Pattern::parse(it, Path::new("/")).unwrap()).collect();
            Pattern::share_root(&mut patterns);
            let root = |pattern: &Pattern| match &pattern.place {
                Place::Path { root, .. } => root.to_string_lossy().trim_end_matches('.').to_owned(),
                Place::Url { root, .. } => root.clone(),
                Place::Stdin => "-".to_owned(),
            };
            assert_eq!(patterns.iter().map(root).collect::<Vec<_>>(), expected, "{written:?}");
        }
    }

    #[test]
    fn what_cannot_be_is_said() {
        let folder = tempfile::tempdir().unwrap();
        for (written, expected) in [
            ("nothing", "no file or folder `nothing`"),
            ("nowhere/*.txt", "in which `nowhere/*.txt` would look"),
            ("*.[z-a]", "`*.[z-a]` is no glob: "),
            ("ftp://host/a", "`ftp` is none of `s3`"),
            ("file:///a", "without `file://`"),
            #[cfg(feature = "remote")]
            ("s3://", "name the bucket behind `s3://`"),
            #[cfg(feature = "remote")]
            ("https:///a", "name the host behind `https://`"),
            #[cfg(not(feature = "remote"))]
            ("s3://b/a", "build it with the feature `remote`"),
        ] {
            let error = Pattern::parse(written, folder.path()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(Pattern::parse("-", folder.path()).unwrap().is_stdin());
    }

    #[test]
    fn the_common_root_holds_all() {
        let common = |a: &str, b: &str| common_folder(PathBuf::from(a), Path::new(b));
        assert_eq!(common("/a/b", "/a/bc"), Some(PathBuf::from("/a")));
        assert_eq!(common("/a/b", "/a/b/c"), Some(PathBuf::from("/a/b")));
        for (a, b, expected) in [
            ("s3://b/x/y/", "s3://b/x/z/", Some("s3://b/x/")),
            ("s3://b/x/", "s3://b/xy/", Some("s3://b/")),
            ("s3://b/x/", "s3://c/x/", None),
            ("s3://b/", "gs://b/", None),
        ] {
            assert_eq!(common_address(a, b).as_deref(), expected);
        }
    }
}
