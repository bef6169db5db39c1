//! Which paragraphs belong to which heading, by the words that they share.
//!
//! A column of a printed page continues above the heading of its own box, so a flattener that reads boxes
//! from top to bottom puts the continuation first and the heading after it, or under the next number.
//! What stays reliable is that a heading is followed by the first paragraph of its section, and that a
//! section keeps to its subject.

use std::collections::{BTreeMap, BTreeSet};

use super::items::{Item, Section};

/// A heading's words count so many times beside those of its first paragraph.
const HEADING_WEIGHT: f64 = 3.0;
/// Below this likeness a run of paragraphs says nothing about its heading; unrelated paragraphs of one page
/// come to about half of it.
const MIN_LIKENESS: f64 = 0.03;
/// A run leaves the heading beside it for one that it resembles so many times more.
const CLEARLY_MORE: f64 = 1.5;

/// Pairs of neighbouring letters, weighted; the words of a script that does not space them.
type Pairs = BTreeMap<(char, char), f64>;

/// A heading with its paragraphs.
struct Topic<'a> {
    heading: &'a str,
    /// Paragraphs that surely belong to it: the one right after the heading.
    own: Vec<&'a str>,
    /// Paragraphs given to it, in source order.
    given: Vec<&'a str>,
    words: Pairs,
    number: Option<u32>,
}

/// Paragraphs between two marks or headings, less the one that a heading keeps.
struct Run<'a> {
    /// The number of the mark right before it.
    mark: Option<u32>,
    /// The heading beside it: the one before it, or the one behind it under the same mark.
    beside: Option<usize>,
    paragraphs: Vec<&'a str>,
}

/// Groups the items into one section a heading; none if the words do not settle it.
pub(super) fn by_words(items: &[Item]) -> Option<Vec<Section>> {
    let rarity = Rarity::of(items);
    let (mut topics, runs, adjacent) = parts(items, &rarity);
    let mut claims: Vec<(f64, u32, usize)> = Vec::new();
    for run in &runs {
        let (likeness, topic) = topic_of(run, &topics, &rarity)?;
        topics[topic].given.extend(&run.paragraphs);
        claims.extend(run.mark.map(|number| (likeness, number, topic)));
    }
    claims.sort_by(|a, b| b.0.total_cmp(&a.0));
    // What a number stands before counts first: its own text, then the heading right behind it, and the
    // last number falls to the last heading.
    let claims = claims.into_iter().map(|(_, number, topic)| (number, topic)).chain(adjacent);
    let mut free: BTreeSet<u32> = items
        .iter()
        .filter_map(|item| if let Item::Mark(number) = item { Some(*number) } else { None })
        .collect();
    for (number, topic) in claims {
        if topics[topic].number.is_none() && free.remove(&number) {
            topics[topic].number = Some(number);
        }
    }
    let mut unnumbered: Vec<&mut Topic<'_>> =
        topics.iter_mut().filter(|topic| topic.number.is_none()).collect();
    if unnumbered.len() > 1 {
        return None;
    }
    if let Some(topic) = unnumbered.first_mut() {
        topic.number = free.pop_first();
    }
    sections(&topics)
}

/// The topic of a run, and how much it resembles it: the one beside it, unless it resembles another clearly
/// more; none if nothing is beside it and it resembles nothing.
fn topic_of(run: &Run<'_>, topics: &[Topic<'_>], rarity: &Rarity) -> Option<(f64, usize)> {
    let words = rarity.weighted(&run.paragraphs.concat(), 1.0);
    let likeness_to = |index: usize| likeness(&words, &topics[index].words);
    let best =
        (0..topics.len()).map(|index| (likeness_to(index), index)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    let beside = run.beside.map(|index| (likeness_to(index), index));
    match beside {
        Some(beside) if best.0 < MIN_LIKENESS || best.0 < beside.0 * CLEARLY_MORE => Some(beside),
        _ => (best.0 >= MIN_LIKENESS).then_some(best),
    }
}

fn sections(topics: &[Topic<'_>]) -> Option<Vec<Section>> {
    let section = |topic: &Topic<'_>| {
        let paragraphs = topic.own.iter().chain(&topic.given).map(|text| (*text).to_owned()).collect();
        Some(Section { number: topic.number?, heading: Some(topic.heading.to_owned()), paragraphs })
    };
    let mut sections = topics.iter().map(section).collect::<Option<Vec<_>>>()?;
    sections.sort_by_key(|section| section.number);
    Some(sections)
}

/// Topics, runs, and the pairs of a number and a topic whose heading stands right behind it.
fn parts<'a>(items: &'a [Item], rarity: &Rarity) -> (Vec<Topic<'a>>, Vec<Run<'a>>, Vec<(u32, usize)>) {
    let (mut topics, mut runs, mut adjacent) = (Vec::<Topic<'_>>::new(), Vec::<Run<'_>>::new(), Vec::new());
    let mut before: Option<&Item> = None;
    for item in items {
        match (item, before) {
            (Item::Mark(number), _) => {
                runs.push(Run { mark: Some(*number), beside: None, paragraphs: Vec::new() });
            }
            (Item::Heading(heading), _) => {
                if let Some(Item::Mark(number)) = before {
                    adjacent.push((*number, topics.len()));
                }
                if let Some(run) = runs.last_mut() {
                    run.beside.get_or_insert(topics.len());
                }
                let words = rarity.weighted(heading, HEADING_WEIGHT);
                topics.push(Topic { heading, own: Vec::new(), given: Vec::new(), words, number: None });
            }
            (Item::Paragraph(text), Some(Item::Heading(_))) => {
                runs.push(Run { mark: None, beside: topics.len().checked_sub(1), paragraphs: Vec::new() });
                let Some(topic) = topics.last_mut() else { continue };
                topic.own.push(text);
                for (pair, weight) in rarity.weighted(text, 1.0) {
                    *topic.words.entry(pair).or_default() += weight;
                }
            }
            (Item::Paragraph(text), _) => {
                if let Some(run) = runs.last_mut() {
                    run.paragraphs.push(text);
                }
            }
        }
        before = Some(item);
    }
    runs.retain(|run| !run.paragraphs.is_empty());
    (topics, runs, adjacent)
}

/// In how many items each pair of letters occurs.
struct Rarity {
    n_items: f64,
    occurs_in: BTreeMap<(char, char), f64>,
}

impl Rarity {
    fn of(items: &[Item]) -> Self {
        let mut rarity = Self { n_items: 0.0, occurs_in: BTreeMap::new() };
        for item in items {
            let (Item::Heading(text) | Item::Paragraph(text)) = item else { continue };
            rarity.n_items += 1.0;
            for pair in pairs(text).collect::<BTreeSet<_>>() {
                *rarity.occurs_in.entry(pair).or_default() += 1.0;
            }
        }
        rarity
    }

    /// The pairs of a text, each `weight` times its inverse document frequency; what every item has, such as
    /// the name of the town, weighs nothing.
    fn weighted(&self, text: &str, weight: f64) -> Pairs {
        let value = |pair| {
            weight * tamis_text::maths::ln(self.n_items / self.occurs_in.get(&pair).copied().unwrap_or(1.0))
        };
        pairs(text).collect::<BTreeSet<_>>().into_iter().map(|pair| (pair, value(pair))).collect()
    }
}

fn pairs(text: &str) -> impl Iterator<Item = (char, char)> {
    text.chars().zip(text.chars().skip(1)).filter(|(a, b)| a.is_alphabetic() && b.is_alphabetic())
}

/// The cosine of two weighted sets, from 0 to 1.
fn likeness(a: &Pairs, b: &Pairs) -> f64 {
    let dot: f64 = a.iter().filter_map(|(pair, weight)| Some(weight * b.get(pair)?)).sum();
    let norm = |words: &Pairs| words.values().map(|weight| weight * weight).sum::<f64>().sqrt();
    let norms = norm(a) * norm(b);
    if norms > 0.0 { dot / norms } else { 0.0 }
}
