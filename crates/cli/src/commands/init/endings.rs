//! What the names of files end with.

/// The endings of files that are packed.
pub(super) const PACKED: [&str; 9] = ["gz", "zst", "bz2", "xz", "lz4", "br", "zip", "tar", "tgz"];

/// The ending of a file, with that of what packs it: `jsonl.gz`.
pub(super) fn ending(file: &str) -> Option<&str> {
    let name = file.rsplit('/').next()?;
    let (before, last) = name.rsplit_once('.')?;
    let inner = before.rsplit_once('.').filter(|_| PACKED.contains(&last.to_lowercase().as_str()));
    let ending = match inner {
        Some((_, inner)) => name.get(name.len() - inner.len() - 1 - last.len()..)?,
        None => last,
    };
    let is_plain = !ending.is_empty() && ending.chars().all(|c| c.is_ascii_alphanumeric() || c == '.');
    (is_plain && !before.is_empty()).then_some(ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ending_is_plain_and_has_that_of_what_packs_the_file() {
        assert_eq!([ending("2024.01.csv"), ending(".csv"), ending("a")], [Some("csv"), None, None]);
        assert_eq!([ending("a.jsonl.gz"), ending("b/c.tar")], [Some("jsonl.gz"), Some("tar")]);
    }
}
