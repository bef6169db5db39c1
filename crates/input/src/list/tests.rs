use std::fs;
use std::path::Path;

use super::*;
use crate::list::listing::Packed;

/// What is left out: names that end so, or folders of this name.
fn is_left_out(excludes: &[&str], found: Candidate<'_>) -> bool {
    let name = found.relative.file_name().unwrap().to_string_lossy().into_owned();
    excludes.iter().any(|it| match it.strip_suffix('/') {
        Some(folder) => found.is_folder && name == folder,
        None => name.ends_with(it),
    })
}

/// What the user names: a file, a folder, `-`, or a folder and the endings of files in it.
fn pattern(folder: &Path, written: &str) -> Pattern {
    if written == "-" {
        return Pattern::stdin();
    }
    let (path, glob) = written.split_once("/**/").unwrap_or((written, ""));
    let glob =
        (!glob.is_empty()).then(|| globset::Glob::new(&format!("**/{glob}")).unwrap().compile_matcher());
    let path = folder.join(path);
    let root = if path.is_dir() { path.clone() } else { path.parent().unwrap().to_owned() };
    Pattern::local(written, path, root, glob)
}

fn listing(folder: &Path, written: &[&str], excludes: &[&str]) -> Result<Listing, InputError> {
    let options = ListOptions {
        is_excluded: &|found: Candidate<'_>| is_left_out(excludes, found),
        is_stopped: &|| false,
    };
    let mut patterns: Vec<_> = written.iter().map(|it| pattern(folder, it)).collect();
    Pattern::share_root(&mut patterns);
    let mut listing = Listing::default();
    listing.add(&patterns, &options)?;
    Ok(listing)
}

/// Names of what is listed, with the trouble.
fn listed(folder: &Path, written: &[&str], excludes: &[&str]) -> Result<Vec<String>, InputError> {
    let listing = listing(folder, written, excludes)?;
    let mut lines = Vec::new();
    for (index, file) in listing.iter().enumerate() {
        assert!(file.trouble.is_some() || file.location == Location::Stdin || file.modified > 0);
        assert_eq!(listing.size(index), file.size);
        assert_eq!(listing.is_local(index), file.location.path().is_some());
        assert_eq!(listing.has_trouble(index), file.trouble.is_some());
        if let (Some(path), None) = (file.location.path(), &file.trouble) {
            assert_eq!(InputFile::look(path).unwrap(), (file.size, file.modified));
        }
        let trouble = file.trouble.map_or(String::new(), |trouble| format!(": {trouble}"));
        lines.push(format!("{}{trouble}", file.name));
    }
    assert_eq!(lines.len(), listing.len());
    assert!(listing.get(lines.len()).is_none());
    Ok(lines)
}

fn folder(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    folder
}

#[test]
fn files_come_once_in_order_relative_to_what_holds_all() {
    let folder =
        folder(&["in/b.txt", "in/a.txt", "in/sub/c.txt", "in/sub/d.tmp", "in/[x].txt", "in/git/e.txt"]);
    for (written, excludes, expected) in [
        (&["in"][..], &[][..], &["[x].txt", "a.txt", "b.txt", "git/e.txt", "sub/c.txt", "sub/d.tmp"][..]),
        (&["in"], &[".tmp", "git/", "b.txt"], &["[x].txt", "a.txt", "sub/c.txt"]),
        (&["in/**/*.txt"], &["git"], &["[x].txt", "a.txt", "b.txt", "sub/c.txt"]),
        (&["in/[x].txt", "-"], &[], &["[x].txt", "stdin"]),
        (&["in/sub", "in/b.txt", "in"], &["[x].txt", "git"], &["sub/c.txt", "sub/d.tmp", "b.txt", "a.txt"]),
        // What is named is taken, whatever is left out.
        (&["in/sub/d.tmp"], &[".tmp"], &["d.tmp"]),
    ] {
        assert_eq!(listed(folder.path(), written, excludes).unwrap(), expected, "{written:?}");
    }
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_a_file_with_a_trouble() {
    let folder = folder(&["in/a.txt", "in/sub/b.txt"]);
    let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, folder.path().join(at)).unwrap();
    link("nowhere", "in/broken");
    link("..", "in/sub/loop");
    link("../a.txt", "in/sub/link.txt");
    let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("in/socket")).unwrap();
    let lines = listed(folder.path(), &["in"], &[]).unwrap();
    let expected = [
        "a.txt",
        "broken: the link to `nowhere` cannot be followed: ",
        "socket: a socket is not a file to read",
        "sub/b.txt",
        "sub/link.txt",
        "sub/loop: the link leads back to `",
    ];
    assert_eq!(lines.len(), expected.len());
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line}");
    }
    assert_eq!(listed(folder.path(), &["in"], &["broken", "loop", "socket"]).unwrap().len(), 3);
    for (named, expected) in
        [("in/socket", "a socket is not a file to read"), ("/dev/null", "a device is not a file")]
    {
        let message = listed(folder.path(), &[named], &[]).unwrap_err().to_string();
        assert!(message.starts_with(&format!("`{named}`: {expected}")), "{message}");
    }
}

#[test]
fn a_listing_can_be_stopped() {
    let folder = folder(&["a"]);
    let options = ListOptions { is_excluded: &|_| false, is_stopped: &|| true };
    for named in [".", "a"] {
        let patterns = [pattern(folder.path(), named)];
        assert!(matches!(Listing::default().add(&patterns, &options), Err(InputError::Stopped)));
    }
}

#[test]
fn nothing_is_called_like_standard_input() {
    let folder = folder(&["in/stdin", "in/x", "tar/stdin/a"]);
    assert_eq!(listed(folder.path(), &["-", "in"], &[]).unwrap(), ["stdin", "./stdin", "x"]);
    assert_eq!(listed(folder.path(), &["tar", "-", "-"], &[]).unwrap(), ["./stdin/a", "stdin"]);
}

#[cfg(unix)]
#[test]
fn names_that_are_no_text_are_kept() {
    use std::os::unix::ffi::OsStrExt;
    let folder = folder(&["in/a.txt", "in/z/x.txt", "in/deep/er/y.txt"]);
    let odd = std::ffi::OsStr::from_bytes(b"b\xFF");
    fs::create_dir(folder.path().join("in").join(odd)).unwrap();
    fs::write(folder.path().join("in").join(odd).join("c.txt"), "c").unwrap();
    fs::write(folder.path().join("in/z").join(odd), "d").unwrap();
    let expected = ["a.txt", "b\\xFF/c.txt", "deep/er/y.txt", "z/b\\xFF", "z/x.txt"];
    assert_eq!(listed(folder.path(), &["in"], &[]).unwrap(), expected);
    let paths: Vec<_> =
        listing(folder.path(), &["in"], &[]).unwrap().iter().map(|file| file.location).collect();
    assert!(paths.iter().all(|it| it.path().unwrap().is_file()), "{paths:?}");
}

#[test]
fn a_file_takes_little_room() {
    let mut listing = Listing::default();
    let root = listing.root(Path::new("/somewhere"), "");
    for folder in 0..100 {
        let folder = listing.folder(root, &format!("folder-{folder}")).unwrap();
        for file in 0..100 {
            let name = format!("page-{file:06}.html");
            assert!(listing.pack(&Packed { within: folder, name: &name, version: "", size: 1, modified: 2 }));
        }
    }
    listing.shrink();
    assert_eq!(&*listing.get(9_999).unwrap().name, "folder-99/page-000099.html");
    assert!(listing.bytes() < 60 * listing.len(), "{} bytes for {} files", listing.bytes(), listing.len());
}

#[cfg(feature = "remote")]
#[test]
fn names_that_look_the_same_are_numbered() {
    let mut named = Named::default();
    let given: Vec<_> = ["a?b=~123456", "c", "a?b=~123456"]
        .map(|name| {
            let mut file = InputFile { name: name.into(), ..InputFile::at(Location::Stdin) };
            named.name(&mut file);
            file.name.to_string()
        })
        .into();
    assert_eq!(given, ["a?b=~123456", "c", "a?b=~123456~2"]);
}
