//! What a user named.

use std::path::{Path, PathBuf};

use globset::GlobMatcher;
use tamis_address::glob::{common_folder, compile, is_glob};
use tamis_address::{Address, Parts, SCHEMES, is_web, shown};

use crate::InputError;

/// One entry of `paths`: a file, a folder of which every file is taken, a glob, standard input, or an address.
///
/// An address of an object store names one object, or with `/` at its end or wildcards in it every object that
/// begins so or matches; one of the web (`http`, `https`) names one file.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// As the user wrote it, without secrets.
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
        address: Address,
        /// What names are relative to, without secrets; empty if they are whole addresses.
        root: String,
        is_prefix: bool,
    },
}

impl Pattern {
    /// A file or folder `path`, below which files must look like `glob`; names of files begin at `root`.
    pub fn local(written: &str, path: PathBuf, root: PathBuf, glob: Option<GlobMatcher>) -> Self {
        Self { written: written.to_owned(), place: Place::Path { path, root }, glob }
    }

    /// Standard input, which can be read once only.
    pub fn stdin() -> Self {
        Self { written: "-".to_owned(), place: Place::Stdin, glob: None }
    }

    /// An address of an object store or of the web.
    ///
    /// # Errors
    ///
    /// When it is none, of a kind that is not known, or its wildcards are no glob.
    pub fn remote(address: &Address) -> Result<Self, InputError> {
        let written = address.secret();
        let bad = |reason: String| InputError::BadUrl { written: address.to_string(), reason };
        let parts = Parts::of(written).ok_or_else(|| bad("it is a path".to_owned()))?;
        let scheme = parts.scheme;
        if !SCHEMES.contains(&scheme) {
            return Err(bad(format!(
                "`{scheme}` is none of {}",
                SCHEMES.map(|it| format!("`{it}`")).join(", ")
            )));
        }
        if cfg!(not(feature = "remote")) {
            return Err(
                bad("this program was built without object stores and the web: `cargo build --release` builds all of tamis".to_owned()),
            );
        }
        if !parts.has_host() {
            return Err(bad(format!("name the {} behind `{scheme}://`", parts.host_name())));
        }
        let pattern = |address: Address, root: &str, is_prefix, glob| Self {
            written: shown(written).into_owned(),
            place: Place::Url { address, root: shown(root).into_owned(), is_prefix },
            glob,
        };
        if is_web(scheme) {
            let root = folder_of(written.split(['?', '#']).next().unwrap_or_default());
            return Ok(pattern(address.clone(), &root, false, None));
        }
        let (_, rest) = written.split_once("://").unwrap_or_default();
        if !is_glob(rest) {
            // On the hub a data set has three parts; what is behind them is a path in it.
            let least = if scheme == "hf" { 3 } else { 1 };
            let is_prefix = rest.ends_with('/') || rest.split('/').count() <= least;
            let url =
                if is_prefix { format!("{}/", written.trim_end_matches('/')) } else { written.to_owned() };
            let root = folder_of(&url);
            return Ok(pattern(Address::new(url), &root, is_prefix, None));
        }
        let wild =
            rest.split('/').take_while(|part| !is_glob(part)).map(|part| part.len() + 1).sum::<usize>();
        let (folder, glob) = rest.split_at_checked(wild).unwrap_or((rest, ""));
        let glob = compile(glob)
            .map_err(|reason| InputError::BadGlob { written: shown(written).into_owned(), reason })?;
        let url = format!("{scheme}://{folder}");
        Ok(pattern(Address::new(url.as_str()), &url, true, Some(glob)))
    }

    /// The entry as the user wrote it, for messages.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Whether it is an address of an object store or of the web.
    pub fn is_remote(&self) -> bool {
        matches!(self.place, Place::Url { .. })
    }

    /// Makes names relative to the deepest folder that holds every input of a source, so that two files of it never
    /// have the same name. When some inputs lie elsewhere, remote files are called by their whole address.
    pub fn share_root(patterns: &mut [Self]) {
        let common_path = common_folder(patterns.iter().filter_map(|pattern| match &pattern.place {
            Place::Path { root, .. } => Some(root.as_path()),
            _ => None,
        }));
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

    /// Whether two patterns may find the same file.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        match (&self.place, &other.place) {
            (Place::Path { path: a, .. }, Place::Path { path: b, .. }) => {
                a.starts_with(b) || b.starts_with(a)
            }
            (Place::Url { address: a, .. }, Place::Url { address: b, .. }) => {
                a.secret().starts_with(b.secret()) || b.secret().starts_with(a.secret())
            }
            (Place::Stdin, Place::Stdin) => true,
            _ => false,
        }
    }
}

/// An address up to its last `/`.
fn folder_of(url: &str) -> String {
    let begin = url.find("://").map_or(0, |at| at + 3);
    match url.rfind('/') {
        Some(end) if end >= begin => url.get(..=end).unwrap_or(url).to_owned(),
        _ => format!("{url}/"),
    }
}

/// What two folders of stores have in common, up to a `/`; `None` when they are of different stores.
fn common_address(a: &str, b: &str) -> Option<String> {
    let same = a.split_inclusive('/').zip(b.split_inclusive('/')).take_while(|(a, b)| a == b);
    let common: String = same.map(|(part, _)| part).collect();
    // `s3:`, `/` and the bucket.
    (common.matches('/').count() >= 3).then_some(common)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "remote")]
    fn remote(written: &str) -> Pattern {
        Pattern::remote(&Address::new(written)).unwrap()
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
            ("https://me:pw@host/a/b", "https://me:pw@host/a/b", "https://host/a/", false, ""),
            ("http://[::1]:8080/a/b", "http://[::1]:8080/a/b", "http://[::1]:8080/a/", false, ""),
        ] {
            let pattern = remote(written);
            assert!(pattern.is_remote() && !pattern.written.contains("pw"));
            assert!(pattern.takes(Path::new(takes)), "{written}");
            let Place::Url { address, root: found_root, is_prefix: found_prefix } = pattern.place else {
                panic!("{written} is no address")
            };
            assert_eq!((address.secret(), &*found_root, found_prefix), (url, root, is_prefix));
        }
    }

    #[cfg(feature = "remote")]
    #[test]
    fn remote_names_are_whole_where_inputs_share_nothing() {
        for (written, expected) in [
            (&["s3://b/x/y/", "s3://b/x/z/a.txt"][..], &["s3://b/x/", "s3://b/x/"][..]),
            (&["s3://b/x/", "gs://b/x/"], &["", ""]),
            (&["s3://b/x/", "-"], &["", "-"]),
            (&["s3://b/x/", "."], &["", "/base/"]),
            (&[".", "-"], &["/base/", "-"]),
        ] {
            let pattern = |written: &str| match written {
                "-" => Pattern::stdin(),
                "." => Pattern::local(written, "/base/".into(), "/base/".into(), None),
                url => remote(url),
            };
            let mut patterns: Vec<_> = written.iter().map(|it| pattern(it)).collect();
            Pattern::share_root(&mut patterns);
            let root = |pattern: &Pattern| match &pattern.place {
                Place::Path { root, .. } => root.to_string_lossy().into_owned(),
                Place::Url { root, .. } => root.clone(),
                Place::Stdin => "-".to_owned(),
            };
            assert_eq!(patterns.iter().map(root).collect::<Vec<_>>(), expected, "{written:?}");
        }
    }

    #[test]
    fn what_cannot_be_is_said() {
        for (written, expected) in [
            ("ftp://bob:pw@host/a", "cannot read from `ftp://host/a`: `ftp` is none of `s3`"),
            #[cfg(feature = "remote")]
            ("s3://", "name the bucket behind `s3://`"),
            #[cfg(feature = "remote")]
            ("https:///a", "name the host behind `https://`"),
            #[cfg(feature = "remote")]
            ("s3://b/*.[z-a]", "`s3://b/*.[z-a]` is no glob: "),
            #[cfg(not(feature = "remote"))]
            ("s3://b/a", "build it with the feature `remote`"),
        ] {
            let error = Pattern::remote(&Address::new(written)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_common_root_holds_all() {
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
