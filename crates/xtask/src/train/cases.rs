//! Pages to learn from and to measure on, and what is left out together.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::Value as Json;
use tamis_extractors::training::{Decision, Marks, Page, State};

use super::gold::{self, Score};
use super::learn::Example;

#[derive(Debug, Deserialize)]
struct Line {
    id: String,
    set: String,
    family: String,
    lang: String,
    raw: String,
    gold_body: String,
}

/// How many groups there are, each left out once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Folds {
    /// Of families.
    pub(super) families: u64,
    /// Of sets and packages, at least two.
    pub(super) sets: u64,
}

impl Folds {
    pub(super) fn all(self) -> u64 {
        self.families + self.sets
    }
}

/// A page to learn from and to measure on.
pub(super) struct Case {
    pub(super) id: String,
    pub(super) set: Set,
    pub(super) family: String,
    pub(super) lang: String,
    pub(super) example: Example,
    /// A rule file has cleaned it, so that the stage leaves it alone.
    pub(super) is_clean: bool,
    /// The squeezed characters of the page, and where those of each segment end.
    chars: String,
    ends: Vec<usize>,
    gold: String,
}

/// What a page is for, and where it is from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Set {
    pub(super) kind: String,
    pub(super) name: String,
}

impl Case {
    /// How well a choice of segments does.
    pub(super) fn score(&self, keeps: impl Fn(usize) -> bool) -> Score {
        let mut kept = String::new();
        let mut start = 0;
        for (at, end) in self.ends.iter().enumerate() {
            if keeps(at) {
                kept += self.chars.get(start..*end).unwrap_or_default();
            }
            start = *end;
        }
        gold::score(&kept, &self.gold)
    }

    /// How well a decision does; `None` leaves the page as it is.
    pub(super) fn outcome(&self, decision: Option<&Decision>) -> Score {
        match decision {
            Some(decision) if !self.is_clean => self.score(|at| decision.states[at] == State::Inside),
            _ => self.score(|_| true),
        }
    }

    /// With what it is left out: a family of the pages that came flattened, or of the others all that comes from
    /// one set or package.
    pub(super) fn fold(&self, folds: Folds) -> u64 {
        let hash = |key: &str, n: u64| {
            key.bytes().fold(7, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(byte.into())) % n
        };
        match self.set.name.split('_').next().unwrap_or_default() {
            "flattened" => hash(site(&self.family), folds.families),
            // The largest set is left out alone, or there would be little to learn from.
            "wcxb" => folds.all() - 1,
            name => folds.families + hash(name, folds.sets - 1),
        }
    }

    /// Whether the page was measured on, as the pages that came flattened are.
    pub(super) fn came_flattened(&self) -> bool {
        self.set.kind == "pages" && self.set.name == "flattened"
    }
}

/// The longest label of a family's name that says whose site it is: `bbc` of `bbc.co.uk_news`.
pub(super) fn site(family: &str) -> &str {
    let host = family.split('_').next().unwrap_or(family);
    let tells = |label: &&str| !matches!(*label, "www" | "com" | "blogs" | "news" | "tv" | "unknown");
    host.split('.').filter(tells).fold("", |best, label| if label.len() > best.len() { label } else { best })
}

pub(super) fn lines<T: for<'de> Deserialize<'de> + Send>(path: &Path) -> anyhow::Result<Vec<T>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let parse = |(at, line)| {
        serde_json::from_str(line)
            .with_context(|| format!("{}:{} is not as expected", path.display(), at + 1))
    };
    text.lines().enumerate().map(parse).collect()
}

/// A document as it comes to the stage.
pub(super) struct Came {
    text: String,
    title: Option<String>,
    is_clean: bool,
}

/// Documents as they come to the stage, by id.
pub(super) fn documents(paths: &[PathBuf]) -> anyhow::Result<HashMap<String, Came>> {
    let mut documents = HashMap::new();
    let text = |value: &Json| value.as_str().map(str::to_owned);
    for path in paths {
        for line in lines::<Json>(path)? {
            let metadata = &line["metadata"];
            let came = Came {
                text: text(&line["text"]).unwrap_or_default(),
                title: text(&metadata["title"]),
                is_clean: !metadata["cleaned_by"].is_null(),
            };
            documents.insert(text(&line["id"]).unwrap_or_default(), came);
        }
    }
    Ok(documents)
}

/// Reads pages. Those whose gold cannot be found in them are left out, for they would teach what is wrong;
/// those that came flattened stay, for they are measured on.
pub(super) fn cases(
    path: &Path,
    came: &HashMap<String, Came>,
    weight: impl Fn(&Set) -> f64 + Sync,
    quick: Option<usize>,
) -> anyhow::Result<Vec<Case>> {
    let mut lines = lines::<Line>(path)?;
    let sharing = Sharing::of(lines.iter().filter(|line| line.set.starts_with("sites:")));
    if let Some(n) = quick {
        let mut counts: HashMap<String, usize> = HashMap::new();
        lines.retain(|line| {
            let count = counts.entry(line.set.clone()).or_default();
            *count += 1;
            *count <= n || line.set.ends_with(":flattened")
        });
    }
    let alone = lines.par_iter().map(|line| case(line, came, &weight, None));
    // The pages of whole sites stand there twice, once with what is known of their lines.
    let in_company = lines.par_iter().filter(|line| line.set.starts_with("sites:"));
    let in_company = in_company.map(|line| case(line, came, &weight, Some(&sharing)));
    let mut cases: Vec<Case> = alone.chain(in_company).collect();
    let is_there = |case: &Case| {
        case.came_flattened() || case.score(|at| case.example.states[at] == State::Inside).f1() > 0.9
    };
    let there: Vec<bool> = cases.par_iter().map(is_there).collect();
    let mut there = there.into_iter();
    cases.retain(|_| there.next().unwrap_or_default());
    Ok(cases)
}

fn case(
    line: &Line,
    came: &HashMap<String, Came>,
    weight: &impl Fn(&Set) -> f64,
    sharing: Option<&Sharing>,
) -> Case {
    let (kind, name) = line.set.split_once(':').unwrap_or(("pages", line.set.as_str()));
    let kind = if sharing.is_some() { "company" } else { kind };
    let set = Set { kind: kind.to_owned(), name: name.to_owned() };
    let known = came.get(&line.id);
    let text = known.map_or(line.raw.as_str(), |came| came.text.as_str());
    let marks = sharing.map_or_else(Marks::default, |sharing| sharing.marks(&line.family, text));
    let page = Page::read(text, known.and_then(|came| came.title.as_deref()), &marks);
    let ranges: Vec<_> = page.ranges().collect();
    let (chars, places) = gold::squeeze_ranges(text, &ranges);
    let wanted = gold::squeezed(&line.gold_body);
    let is_text: Vec<bool> = if line.raw == line.gold_body {
        vec![true; ranges.len()]
    } else {
        let mask = gold::align(&chars, &wanted);
        let n_text = |place: &std::ops::Range<usize>| mask[place.clone()].iter().filter(|is| **is).count();
        places.iter().map(|place| n_text(place) * 2 > place.len()).collect()
    };
    let (mut squeezed, mut ends) = (String::new(), Vec::with_capacity(places.len()));
    for place in places {
        squeezed.extend(&chars[place]);
        ends.push(squeezed.len());
    }
    Case {
        example: Example { page, states: states(&is_text), weight: weight(&set) },
        is_clean: known.is_some_and(|came| came.is_clean),
        chars: squeezed,
        ends,
        gold: wanted.into_iter().collect(),
        id: line.id.clone(),
        set,
        family: line.family.clone(),
        lang: line.lang.clone(),
    }
}

/// How many pages of each site have a line, digits aside: what `line-template` would know of it.
#[derive(Default)]
struct Sharing {
    counts: HashMap<(String, String), u32>,
    pages: HashMap<String, u32>,
}

/// A line of so many pages of a site is shared, and of so many by many.
const MIN_PAGES: u32 = 3;
const MIN_SHARE: f32 = 0.1;
const MANY: f32 = 0.3;

impl Sharing {
    fn of<'a>(lines: impl Iterator<Item = &'a Line>) -> Self {
        let mut sharing = Self::default();
        for line in lines {
            *sharing.pages.entry(line.family.clone()).or_default() += 1;
            let mut keys: Vec<String> = line.raw.lines().map(key).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys.into_iter().filter(|key| !key.is_empty()) {
                *sharing.counts.entry((line.family.clone(), key)).or_default() += 1;
            }
        }
        sharing
    }

    fn marks(&self, family: &str, text: &str) -> Marks {
        let of = self.pages.get(family).copied().unwrap_or(1) as f32;
        let mut pieces = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let n = self.counts.get(&(family.to_owned(), key(line))).copied().unwrap_or_default();
            if n >= MIN_PAGES && n as f32 / of >= MIN_SHARE {
                pieces.push((start..start + line.len(), n as f32 / of >= MANY));
            }
            start += line.len();
        }
        Marks::of(pieces)
    }
}

/// A line as it is compared: white space and digits aside.
fn key(line: &str) -> String {
    let mut key = String::new();
    for c in line.trim().chars().map(|c| if c.is_numeric() { '0' } else { c }) {
        if !(key.ends_with('0') && c == '0') {
            key.push(c);
        }
    }
    key
}

fn states(is_text: &[bool]) -> Vec<State> {
    let first = is_text.iter().position(|is_text| *is_text).unwrap_or(is_text.len());
    let last = is_text.iter().rposition(|is_text| *is_text).unwrap_or(is_text.len());
    let state = |(at, is_text): (usize, &bool)| match is_text {
        true => State::Inside,
        false if at < first => State::Before,
        false if at > last => State::After,
        false => State::Pause,
    };
    is_text.iter().enumerate().map(state).collect()
}
