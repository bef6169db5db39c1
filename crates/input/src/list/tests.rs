use std::fs;

use super::*;
use crate::Excludes;

/// Names of what is listed, with the trouble.
fn listed(folder: &Path, written: &[&str], excludes: &[&str]) -> Result<Vec<String>, InputError> {
    let excludes = Excludes::new(&excludes.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())?;
    let options = ListOptions {
        is_excluded: &|found: Candidate<'_>| excludes.contains(found.relative, found.is_folder),
        is_stopped: &|| false,
    };
    let mut patterns = written.iter().map(|it| Pattern::parse(it, folder)).collect::<Result<Vec<_>, _>>()?;
    Pattern::share_root(&mut patterns);
    let (mut seen, mut lines) = (Seen::default(), Vec::new());
    for pattern in &patterns {
        for file in list(pattern, &options, &mut seen)? {
            assert!(file.trouble.is_some() || file.location == Location::Stdin || file.modified > 0);
            let trouble = file.trouble.map_or(String::new(), |trouble| format!(": {trouble}"));
            lines.push(format!("{}{trouble}", file.name));
        }
    }
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
        (&["in"], &["*.tmp", "git/", "/b.txt"], &["[x].txt", "a.txt", "sub/c.txt"]),
        (&["in"], &["*", "!a.txt"], &["a.txt"]),
        (&["in/**/*.txt"], &["git"], &["[x].txt", "a.txt", "b.txt", "sub/c.txt"]),
        (&["in/[x].txt", "-"], &[], &["[x].txt", "stdin"]),
        (&["in/sub", "in/b.txt", "in"], &["[[]x*", "git"], &["sub/c.txt", "sub/d.tmp", "b.txt", "a.txt"]),
        // What is named is taken, whatever is left out.
        (&["in/sub/d.tmp"], &["*.tmp"], &["d.tmp"]),
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
    let pattern = Pattern::parse(".", folder.path()).unwrap();
    assert!(matches!(list(&pattern, &options, &mut Seen::default()), Err(InputError::Stopped)));
}
