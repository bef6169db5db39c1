//! A file name for any id, good on Linux, Windows and macOS.

/// Longest path in bytes, ending included: short enough to be joined to a folder where paths end at 260
/// UTF-16 units, and for any file system in one part.
const MAX_BYTES: usize = 120;

/// Hexadecimal digits of the hash behind a name that is not the id itself: 64 bits.
const HASH_DIGITS: usize = 16;

/// The path of the file for a document, relative to the folder of the export; `extension` has no dot.
///
/// A slash in the id separates folders. A `#`, which ends the path of a link, becomes `-`; that the id `a-1` exists
/// beside `a#1` is rare, and whoever writes the files puts a number behind the second. An id that had to be changed gets a hash of the id behind it, so that
/// two ids do not end in the same file.
pub(crate) fn of(id: &str, extension: &str) -> String {
    let id = &*id.replace('#', "-");
    let parts: Vec<_> = id.split('/').filter(|part| !part.is_empty()).collect();
    let mut path = String::with_capacity(id.len() + extension.len() + 1);
    for (index, part) in parts.iter().enumerate() {
        let is_folder = index + 1 < parts.len();
        push_part(part, is_folder.then_some(extension), &mut path);
        if is_folder {
            path.push('/');
        }
    }
    let max = MAX_BYTES - extension.len() - 1;
    if path != id || path.is_empty() || path.len() > max {
        let mut end = path.len().min(max - HASH_DIGITS - 1);
        while !path.is_char_boundary(end) {
            end -= 1;
        }
        path.truncate(end);
        path.truncate(path.trim_end_matches('/').len());
        let hash = blake3::hash(id.as_bytes()).to_hex();
        path.push('-');
        path.push_str(hash.get(..HASH_DIGITS).unwrap_or_default());
    }
    path.push('.');
    path.push_str(extension);
    path
}

/// Appends one part of the path, changed where a system would refuse or change it itself.
///
/// `folder_beside` is the ending of the files beside it, if the part is a folder.
fn push_part(part: &str, folder_beside: Option<&str>, path: &mut String) {
    if is_reserved(part) {
        path.push('_');
    }
    let last = part.chars().count() - 1;
    for (index, character) in part.chars().enumerate() {
        let is_refused = character.is_control()
            || matches!(character, '<' | '>' | ':' | '"' | '\\' | '|' | '?' | '*')
            // Windows drops dots and blanks at the end; a dot at the start hides the file, or leaves the
            // folder.
            || matches!(character, '.' | ' ') && (index == 0 || index == last);
        path.push(if is_refused { '_' } else { character });
    }
    // Or the folder of `a.md/b` would be in the way of the file of `a`.
    let ending = part.rsplit_once('.').map_or("", |(_, ending)| ending);
    if folder_beside.is_some_and(|extension| ending.eq_ignore_ascii_case(extension)) {
        path.push('_');
    }
}

/// Whether Windows takes the name for a device, whatever its ending.
pub(crate) fn is_reserved(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let is_port = |prefix| {
        let number = stem.strip_prefix(prefix).unwrap_or_default();
        matches!(number, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul" | "conin$" | "conout$")
        || is_port("com")
        || is_port("lpt")
}
