//! Replacing by tables: at each place the longest entry, from the beginning to the end.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError, MatchKind};

/// One table.
#[derive(Debug)]
pub(super) struct Table {
    entries: AhoCorasick,
    /// What each entry is replaced by, and how many of its characters are others then; nothing for one that stays.
    targets: Vec<Option<(String, usize)>>,
}

impl Table {
    /// A table as it is written: in each line an entry and what it is replaced by, with a tab between. An entry alone is
    /// replaced letter by letter: it is there so that no other is found in it.
    pub(super) fn parse(text: &str) -> Result<Self, BuildError> {
        let lines =
            || text.lines().map(|line| line.split_once('\t').map_or((line, None), |(a, b)| (a, Some(b))));
        let letters: HashMap<&str, &str> = lines()
            .filter_map(|(entry, target)| Some((entry, target?)))
            .filter(|(entry, _)| is_letter(entry))
            .collect();
        let by_letters = |entry: &str| -> String {
            let mut buffer = [0; 4];
            let mut target = String::with_capacity(entry.len());
            for c in entry.chars() {
                let letter: &str = c.encode_utf8(&mut buffer);
                target.push_str(letters.get(letter).copied().unwrap_or(letter));
            }
            target
        };
        let targets = lines()
            .map(|(entry, target)| target.map_or_else(|| by_letters(entry), str::to_owned))
            .zip(lines())
            .map(|(target, (entry, _))| {
                (target != entry).then(|| {
                    let n_changed = n_changed(entry, &target);
                    (target, n_changed)
                })
            })
            .collect();
        // A table of all transitions would take 200 times the memory, and not be faster on texts of common characters.
        let entries = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(lines().map(|(entry, _)| entry))?;
        Ok(Self { entries, targets })
    }

    /// What becomes of a text, and how many characters were replaced; `None` if it stays as it is.
    pub(super) fn convert(&self, text: &str) -> Option<(String, usize)> {
        let mut converted = String::new();
        let (mut at, mut n_replaced) = (0, 0);
        for found in self.entries.find_iter(text) {
            let Some(Some((target, n_changed))) = self.targets.get(found.pattern().as_usize()) else {
                continue;
            };
            if converted.is_empty() {
                converted.reserve(text.len() + text.len() / 16);
            }
            converted.push_str(text.get(at..found.start()).unwrap_or_default());
            converted.push_str(target);
            at = found.end();
            n_replaced += n_changed;
        }
        if at == 0 {
            return None;
        }
        converted.push_str(text.get(at..).unwrap_or_default());
        Some((converted, n_replaced))
    }
}

/// How many characters of an entry are others in what replaces it; all of them where it is a longer or shorter word.
fn n_changed(entry: &str, target: &str) -> usize {
    let n = entry.chars().count();
    let n_same = entry.chars().zip(target.chars()).filter(|(one, other)| one == other).count();
    if n == target.chars().count() { n - n_same } else { n }
}

fn is_letter(entry: &str) -> bool {
    entry.chars().nth(1).is_none()
}
