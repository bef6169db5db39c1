//! What is template, by the counts.

use std::collections::BTreeMap;

use tamis_plugin::Failure;

use super::LineTemplateOptions;
use super::cluster::Pair;
use super::count::{Tally, WHOLE_GROUP};
use super::near;
use crate::spill::Entry;

/// A line that fewer than `min_ratio` of a group hold, but at least this part of it, is template of a section of
/// a site, such as its menu: beside other template.
const SECTION: f64 = 1.0 / 3.0;

/// Bytes that a pair of documents takes.
const PAIR_BYTES: usize = 64;

/// How sure it is that a line is template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Prose that a few documents share: between other template a notice of the site, anywhere else a quotation.
    Between,
    /// Wherever another line of template is next to it.
    Beside,
    /// Wherever it stands.
    Anywhere,
}

/// A group and what was learned of it.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) whole: Tally,
    pub(super) lines: Vec<(Class, Tally)>,
    /// Whether documents belong to it for their lines.
    pub(super) by_lines: bool,
}

/// Finds the template lines among counts that come in order.
#[derive(Debug)]
pub(super) struct Learner {
    options: LineTemplateOptions,
    /// Bytes that the table may hold.
    most: usize,
    held: usize,
    groups: Vec<Group>,
    /// What the documents of the last group share, where that matters.
    pairs: BTreeMap<(u64, u64), Pair>,
    /// Whether lines of the last group may follow.
    is_open: bool,
    by_lines: bool,
}

impl Learner {
    pub(super) fn new(options: &LineTemplateOptions, most: usize) -> Self {
        Self {
            options: options.clone(),
            most,
            held: 0,
            groups: Vec::new(),
            pairs: BTreeMap::new(),
            is_open: false,
            by_lines: false,
        }
    }

    /// From here on groups are clusters.
    pub(super) fn go_on_with_clusters(&mut self) {
        self.end_group();
        self.by_lines = true;
    }

    /// Takes the count of a group or of one of its lines.
    ///
    /// # Errors
    ///
    /// When more is learned than may be held.
    pub(super) fn see(&mut self, tally: Tally) -> Result<(), Failure> {
        if tally.line == WHOLE_GROUP {
            self.end_group();
            self.is_open = true;
            self.held += tally.size();
            self.groups.push(Group { whole: tally, lines: Vec::new(), by_lines: self.by_lines });
            return Ok(());
        }
        let Some(group) = self.groups.last_mut().filter(|group| group.whole.group == tally.group) else {
            return Err(Failure::new("the counts hold a line of a group that has no documents"));
        };
        let n_documents = group.whole.documents;
        if n_documents < self.options.min_group_documents {
            return Ok(());
        }
        if needs_proof(n_documents, &self.options) {
            for documents in tally.holders.pairs() {
                let pair = Pair::new(documents, tally.prose);
                self.pairs.entry(documents).and_modify(|known| known.combine(&pair)).or_insert(pair);
            }
        }
        if let Some(class) = class_of(&tally, n_documents, &self.options) {
            self.held += tally.size();
            group.lines.push((class, tally));
        }
        if self.held + self.pairs.len() * PAIR_BYTES > self.most {
            return Err(Failure::new(format!(
                "the learned template lines take more than the {} bytes of memory that the stage may hold: raise `min_documents` or `min_ratio`, or give the run more memory",
                self.most
            )));
        }
        Ok(())
    }

    /// The groups in which something was learned, by name, the most frequent lines first.
    pub(super) fn finish(mut self) -> Vec<Group> {
        self.end_group();
        self.groups.sort_unstable_by(|one, other| {
            (one.by_lines, &one.whole.text).cmp(&(other.by_lines, &other.whole.text))
        });
        for group in &mut self.groups {
            group.lines.sort_unstable_by(|(_, one), (_, other)| {
                (other.documents, &one.text, one.line).cmp(&(one.documents, &other.text, other.line))
            });
        }
        self.groups
    }

    /// Drops what was not proved, and the group if nothing is left of it.
    fn end_group(&mut self) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        let (pairs, options) = (std::mem::take(&mut self.pairs), &self.options);
        let Some(group) = self.groups.last_mut() else { return };
        let before: usize = group.lines.iter().map(|(_, tally)| tally.size()).sum();
        group.lines.retain(|(_, tally)| {
            tally.documents >= options.min_documents || is_proved(tally, &pairs, options.min_shared_lines)
        });
        let after: usize = group.lines.iter().map(|(_, tally)| tally.size()).sum();
        self.held = self.held.saturating_sub(before - after);
        if let Some(empty) = self.groups.pop_if(|group| group.lines.is_empty()) {
            self.held = self.held.saturating_sub(empty.whole.size());
        }
    }
}

/// Whether a line of fewer than `min_documents` documents may be template in a group of so many.
fn needs_proof(n_documents: u64, options: &LineTemplateOptions) -> bool {
    options.min_shared_lines > 0
        && (options.min_documents - 1) as f64 >= options.min_ratio * n_documents as f64
}

/// What a line may be; with fewer than `min_documents` documents it is to be proved.
fn class_of(tally: &Tally, n_documents: u64, options: &LineTemplateOptions) -> Option<Class> {
    let ratio = tally.documents as f64 / n_documents.max(1) as f64;
    if tally.documents < options.min_documents {
        let possible = tally.documents >= 2 && ratio >= options.min_ratio && options.min_shared_lines > 0;
        return possible.then_some(if tally.prose > 0 { Class::Between } else { Class::Beside });
    }
    let is_frequent = ratio >= options.min_ratio;
    if is_frequent && !near::is_masked(&tally.text) {
        return Some(Class::Anywhere);
    }
    let is_section = ratio >= SECTION * options.min_ratio && tally.prose == 0;
    let is_possible = is_frequent || (is_section && options.min_shared_lines > 0);
    is_possible.then_some(Class::Beside)
}

/// Whether two documents that hold a line share so many others.
fn is_proved(tally: &Tally, pairs: &BTreeMap<(u64, u64), Pair>, min_lines: u64) -> bool {
    let others = min_lines + u64::from(tally.prose == 0);
    tally
        .holders
        .pairs()
        .filter_map(|documents| pairs.get(&documents))
        .any(|pair| pair.n_lines >= others && !pair.is_reposted())
}
