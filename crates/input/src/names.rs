//! What files and members are called: text, with `/`, and never two of them the same.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

/// The endings that compressed files have.
const ENDINGS: [&str; 10] = [".gz", ".gzip", ".zst", ".zstd", ".bgz", ".bz2", ".xz", ".lz4", ".GZ", ".ZST"];

/// A file name without the endings that say how it is compressed, as readers judge files by it.
pub fn plain_name(name: &str) -> &str {
    let mut plain = name;
    while let Some(shorter) = ENDINGS.iter().find_map(|ending| plain.strip_suffix(ending)) {
        if shorter.is_empty() {
            break;
        }
        plain = shorter;
    }
    plain
}

/// What standard input is called, and an archive that comes that way with what is in it.
pub(crate) const STDIN: &str = "stdin";

/// The path with `/` between its parts on every platform; `./` in front where it would be called like standard input.
pub(crate) fn name(relative: &Path) -> String {
    let parts: Vec<_> = relative.iter().map(escaped).collect();
    beside_stdin(parts.join("/"))
}

/// A name that is none of standard input or of a member of an archive that comes that way.
pub(crate) fn beside_stdin(name: String) -> String {
    if name.split('/').next() == Some(STDIN) { format!("./{name}") } else { name }
}

/// A part of a path as text: bytes that are not UTF-8 are written `\xFF`, and where a name has such an escape
/// itself its backslash is, so that two names never become one.
pub(crate) fn escaped(part: &OsStr) -> Cow<'_, str> {
    match part.to_str() {
        Some(text) if !text.contains("\\x") => Cow::Borrowed(text),
        _ => Cow::Owned(escape(part.as_encoded_bytes())),
    }
}

pub(crate) fn escape(bytes: &[u8]) -> String {
    let mut name = String::new();
    for chunk in bytes.utf8_chunks() {
        name += &chunk.valid().replace("\\x", "\\x5Cx");
        for byte in chunk.invalid() {
            // Writing to a string never fails.
            let _ = write!(name, "\\x{byte:02X}");
        }
    }
    name
}

/// The name of a member of an archive, which may be anything: `..` and a `/` at the beginning are escaped like bytes
/// that are not UTF-8, so that no name leads out of the archive; `.` and empty parts, which mean nothing, are left out.
pub(crate) fn member_name(bytes: &[u8]) -> Arc<str> {
    let mut name = String::new();
    if bytes.first() == Some(&b'/') {
        name += "\\x2F";
    }
    let parts = bytes.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b"."));
    for (index, part) in parts.enumerate() {
        if index > 0 {
            name.push('/');
        }
        match part {
            b".." => name += "\\x2E\\x2E",
            part => name += &escape(part),
        }
    }
    Arc::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn no_two_names_become_one() {
        use std::os::unix::ffi::OsStrExt;
        for (bytes, expected) in [
            (&b"dump/\xE5\xAD\x97 \xF0\x9F\x98\x80.txt"[..], "dump/字 😀.txt"),
            (b"a\xFFb", "a\\xFFb"),
            (b"a\xFEb\xFF", "a\\xFEb\\xFF"),
            (b"a\\xFFb", "a\\x5CxFFb"),
            (b"a\\x5CxFFb", "a\\x5Cx5CxFFb"),
            (b"a\\b\nc", "a\\b\nc"),
            (b"stdin", "./stdin"),
            (b"stdin/a", "./stdin/a"),
            (b"a/stdin", "a/stdin"),
            (b"stdin.txt", "stdin.txt"),
        ] {
            assert_eq!(name(Path::new(OsStr::from_bytes(bytes))), expected);
        }
    }

    #[test]
    fn no_member_leads_out() {
        for (bytes, expected) in [
            (&b"a/b.txt"[..], "a/b.txt"),
            (b"./a//b/", "a/b"),
            (b"/etc/x", "\\x2Fetc/x"),
            (b"../../a", "\\x2E\\x2E/\\x2E\\x2E/a"),
            (b"a/../b", "a/\\x2E\\x2E/b"),
            (b"...", "..."),
            (b"\xCE\xC4.txt", "\\xCE\\xC4.txt"),
            (b"", ""),
        ] {
            assert_eq!(&*member_name(bytes), expected);
        }
    }

    #[test]
    fn endings_of_compression_fall_off() {
        for (name, expected) in [
            ("a.jsonl.gz", "a.jsonl"),
            ("a.warc.gz.zst", "a.warc"),
            ("a.txt", "a.txt"),
            (".gz", ".gz"),
            ("a.tar.xz", "a.tar"),
        ] {
            assert_eq!(plain_name(name), expected);
        }
    }
}
