//! Did you mean …?

use strsim::damerau_levenshtein;

/// Names whose lengths differ by more bytes are no slips of each other.
const MOST_APART: usize = 16;

/// The candidate that `word` was probably meant to be: at most two slips away, and at most a third of it.
/// Case, `-` and `_` count as no slip.
pub(crate) fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word);
    let longest = (folded.chars().count() / 3).clamp(1, 2);
    candidates
        .into_iter()
        // Told from lengths first: what is compared costs the product of both.
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= MOST_APART)
        .map(|candidate| (damerau_levenshtein(&folded, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= longest)
        // A tie goes to the first in alphabetical order, so that messages do not change from run to run.
        .min()
        .map(|(_, candidate)| candidate)
}

/// The only candidate of which `word` is a part between `_` or `-`, such as `level` of `compression_level`.
pub(crate) fn containing<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(word);
    let has_part = |candidate: &&str| fold(candidate).split('-').any(|part| part == folded);
    let mut found = candidates.into_iter().filter(has_part);
    found.next().filter(|_| found.next().is_none())
}

/// What people call a thing, and the words by which names and summaries of stages call it.
const SAID_OTHERWISE: [(&str, &[&str]); 12] = [
    ("dedup", &["duplicate"]),
    ("fasttext", &["lang"]),
    ("langid", &["lang"]),
    ("lsh", &["dedup", "duplicate"]),
    ("minhash", &["dedup", "duplicate"]),
    ("ndjson", &["jsonlines"]),
    ("normalize", &["repair"]),
    ("readability", &["extract"]),
    ("regex", &["rules"]),
    ("simhash", &["dedup", "duplicate"]),
    ("trafilatura", &["extract"]),
    ("uniq", &["dedup", "duplicate"]),
];

/// More names than this are no suggestion.
const MOST_AKIN: usize = 3;

/// The names that have the most words in common with `word`, or else the most in their summaries; few or none.
/// `candidates` are names with summaries.
pub fn akin<'a>(word: &str, candidates: &[(&'a str, &'a str)]) -> Vec<&'a str> {
    let folded = fold(word);
    let mut wanted: Vec<&str> = folded.split('-').filter(|part| part.chars().count() >= 3).collect();
    let others = SAID_OTHERWISE.iter().filter(|(said, _)| wanted.iter().any(|part| part.starts_with(said)));
    let others: Vec<&str> = others.flat_map(|(_, others)| others.iter().copied()).collect();
    wanted.extend(others);
    let best = |text: fn(&(&'a str, &'a str)) -> &'a str| {
        let scored = || candidates.iter().map(|it| (n_common(&wanted, text(it)), it.0));
        let most = scored().map(|(score, _)| score).max().filter(|most| *most > 0);
        scored().filter(|(score, _)| Some(*score) == most).map(|(_, name)| name).collect::<Vec<_>>()
    };
    let mut found = best(|it| it.0);
    if found.is_empty() {
        found = best(|it| it.1);
    }
    if found.len() > MOST_AKIN {
        return Vec::new();
    }
    found
}

/// Whether people call something so that has another name here.
pub(crate) fn is_said_otherwise(word: &str) -> bool {
    let folded = fold(word);
    SAID_OTHERWISE.iter().any(|(said, _)| *said == folded)
}

/// How many of the words begin as a word of the text does: `lang` and `language`, `dedup` and `deduplicate`.
fn n_common(wanted: &[&str], text: &str) -> usize {
    let text = fold(text);
    let words = || text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= 3);
    wanted.iter().filter(|part| words().any(|word| word.starts_with(*part) || part.starts_with(word))).count()
}

/// The form in which names are compared where spelling cannot be exact: lower case, `_` as `-`.
pub(crate) fn fold(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).map(|c| if c == '_' { '-' } else { c }).collect()
}

/// What to write beside an unknown word: the likely one, or else all there are.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
    what: &str,
) -> String {
    if let Some(candidate) = closest(word, candidates.clone()) {
        return format!("did you mean `{candidate}`?");
    }
    let all: Vec<&str> = candidates.into_iter().collect();
    match all.as_slice() {
        [] => format!("there are no {what}"),
        all if all.len() <= 12 => format!("{what}: {}", list(all)),
        _ => String::new(),
    }
}

/// [`did_you_mean`], where words of another kind, with what they are called, are known as well.
pub(crate) fn did_you_mean_beside<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
    what: &str,
    (others, what_others): (&[&str], &str),
) -> String {
    if let Some(other) = closest(word, others.iter().copied()) {
        return format!("did you mean `{other}`?");
    }
    let label = did_you_mean(word, candidates, what);
    match others {
        [] => label,
        _ if label.ends_with('?') => label,
        _ if label.is_empty() => format!("{what_others}: {}", list(others)),
        _ => format!("{label}; {what_others}: {}", list(others)),
    }
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn list<S: AsRef<str>>(words: &[S]) -> String {
    join(words, "and")
}

/// `` `a`, `b` or `c` ``.
pub(crate) fn choice<S: AsRef<str>>(words: &[S]) -> String {
    join(words, "or")
}

fn join<S: AsRef<str>>(words: &[S], last: &str) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{}`", word.as_ref())).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [init @ .., end] => format!("{} {last} {end}", init.join(", ")),
    }
}

/// The name with its article, for sentences: `a filter`, `an extractor`.
pub(crate) fn with_article(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} {word}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_is_called_otherwise() {
        let stages = [
            ("boilerplate", "Keeps the text of a page that was flattened."),
            ("dedup-exact", "Drops documents whose text has occurred before."),
            ("html-extract", "Takes the main content out of a page."),
            ("html-metadata", "Reads title, author and language of a page."),
            ("html-links", "Collects links of a page."),
            ("html-tables", "Collects tables of a page."),
        ];
        for (word, found) in [
            ("dedup", &["dedup-exact"][..]),
            ("deduplicate", &["dedup-exact"]),
            ("near_dedup", &["dedup-exact"]),
            ("minhash", &["dedup-exact"]),
            ("MinHash-LSH", &["dedup-exact"]),
            ("language", &["html-metadata"]),
            ("lang-filter", &["html-metadata"]),
            ("collect-links", &["html-links"]),
            ("page-tables", &["html-tables"]),
            // Four share the word.
            ("html", &[]),
            ("chunk", &[]),
            ("pii", &[]),
            ("x", &[]),
            ("去重", &[]),
        ] {
            assert_eq!(akin(word, &stages), found, "{word}");
        }
    }

    #[test]
    fn suggests_slips_and_nothing_far_fetched() {
        let names = ["length", "line-length", "line-template", "language"];
        for (word, found) in [
            ("lenght", Some("length")),
            ("line_length", Some("line-length")),
            ("LineLength", Some("line-length")),
            ("langage", Some("language")),
            ("dedup", None),
            ("x", None),
            ("长度", None),
        ] {
            assert_eq!(closest(word, names), found, "{word}");
        }
    }
}
