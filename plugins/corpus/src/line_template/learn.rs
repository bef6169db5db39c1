//! What is template, by the counts.

use std::cmp::Ordering;

use tamis_plugin::Failure;

use super::LineTemplateOptions;
use super::cluster::Pair;
use super::count::{Tally, WHOLE_GROUP};
use super::near;
use crate::spill::{Batch, Entry, Fixed, Scratch, Sorted, decode_str, encode_str};

/// A line that fewer than `min_ratio` of a group hold, but at least this part of it, is template of a section of
/// a site, such as its menu: beside other template.
const SECTION: f64 = 1.0 / 3.0;

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

/// A line that was learned to be template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Learned {
    /// Whether documents belong to the group for their lines.
    pub(super) by_lines: bool,
    /// The name of the group.
    pub(super) group: Box<str>,
    /// Documents of the group.
    pub(super) of: u64,
    /// Documents of the group that hold the line.
    pub(super) documents: u64,
    /// The start of the line as it is compared.
    pub(super) text: Box<str>,
    pub(super) line: u128,
    pub(super) class: Class,
}

impl Entry for Learned {
    /// By group, the most frequent lines first.
    fn order(&self, other: &Self) -> Ordering {
        (self.by_lines, &self.group, other.documents, &self.text, self.line).cmp(&(
            other.by_lines,
            &other.group,
            self.documents,
            &other.text,
            other.line,
        ))
    }

    /// No line is learned twice.
    fn combine(&mut self, _other: &Self) {}

    fn size(&self) -> usize {
        size_of::<Self>() + self.group.len() + self.text.len() + 32
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.by_lines.into());
        encode_str(&self.group, out);
        self.of.encode(out);
        self.documents.encode(out);
        encode_str(&self.text, out);
        self.line.encode(out);
        self.class.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        Some(Self {
            by_lines: u8::decode(input)? != 0,
            group: decode_str(input)?,
            of: u64::decode(input)?,
            documents: u64::decode(input)?,
            text: decode_str(input)?,
            line: u128::decode(input)?,
            class: Class::decode(input)?,
        })
    }
}

impl Fixed for Class {
    const BYTES: usize = 1;

    fn encode(self, out: &mut Vec<u8>) {
        out.push(self as u8);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        [Self::Between, Self::Beside, Self::Anywhere].get(usize::from(u8::decode(input)?)).copied()
    }
}

/// A line that is template if two documents share so many others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Claim {
    documents: (u64, u64),
    line: u128,
    others: u64,
}

impl Entry for Claim {
    fn order(&self, other: &Self) -> Ordering {
        (self.documents, self.line).cmp(&(other.documents, other.line))
    }

    fn combine(&mut self, _other: &Self) {}

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.documents.encode(out);
        self.line.encode(out);
        self.others.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let (documents, line) = Fixed::decode(input)?;
        Some(Self { documents, line, others: u64::decode(input)? })
    }
}

/// A line whose claim was proved.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Proved(u128);

impl Entry for Proved {
    fn order(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }

    /// One proof is enough.
    fn combine(&mut self, _other: &Self) {}

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        u128::decode(input).map(Self)
    }
}

/// Finds the template lines among counts that come in order.
///
/// What it holds are batches that go to the disk where they are too large: a group may be the whole corpus.
#[derive(Debug)]
pub(super) struct Learner {
    options: LineTemplateOptions,
    learned: Batch<Learned>,
    /// The last group, without the counts of its lines.
    group: Option<Tally>,
    by_lines: bool,
    /// What the documents of the last group share, where that matters.
    pairs: Batch<Pair>,
    /// Lines of the last group that are to be proved, and what would prove them.
    doubtful: Batch<Tally>,
    claims: Batch<Claim>,
}

impl Learner {
    pub(super) fn new(options: &LineTemplateOptions, scratch: Option<&Scratch>) -> Self {
        Self {
            options: options.clone(),
            learned: Batch::new("learned", scratch),
            group: None,
            by_lines: false,
            pairs: Batch::new("shared-by", scratch),
            doubtful: Batch::new("doubtful", scratch),
            claims: Batch::new("claims", scratch),
        }
    }

    /// From here on groups are clusters.
    ///
    /// # Errors
    ///
    /// As [`Learner::see`].
    pub(super) fn go_on_with_clusters(&mut self) -> Result<(), Failure> {
        self.end_group()?;
        self.by_lines = true;
        Ok(())
    }

    /// Takes the count of a group or of one of its lines.
    ///
    /// # Errors
    ///
    /// When the counts are out of order, or the disk fails.
    pub(super) fn see(&mut self, tally: Tally) -> Result<(), Failure> {
        if tally.line == WHOLE_GROUP {
            self.end_group()?;
            self.group = Some(tally);
            return Ok(());
        }
        let Some(group) = self.group.as_ref().filter(|group| group.group == tally.group) else {
            return Err(Failure::new("the counts hold a line of a group that has no documents"));
        };
        let n_documents = group.documents;
        if n_documents < self.options.min_group_documents {
            return Ok(());
        }
        if needs_proof(n_documents, &self.options) {
            for documents in tally.holders.pairs() {
                self.pairs.push(Pair::new(documents, tally.prose));
            }
        }
        let Some(class) = class_of(&tally, n_documents, &self.options) else { return Ok(()) };
        if tally.documents >= self.options.min_documents {
            self.learned.push(learned(self.by_lines, group, tally, class));
            return Ok(());
        }
        let others = self.options.min_shared_lines + u64::from(tally.prose == 0);
        for documents in tally.holders.pairs() {
            self.claims.push(Claim { documents, line: tally.line, others });
        }
        self.doubtful.push(tally);
        Ok(())
    }

    /// What was learned, by group, the most frequent lines first.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub(super) fn finish(mut self) -> Result<Sorted<Learned>, Failure> {
        self.end_group()?;
        self.learned.sorted()
    }

    /// Proves what is to be proved of the last group: a doubtful line is template if two documents that hold it share
    /// enough others.
    fn end_group(&mut self) -> Result<(), Failure> {
        let Some(group) = self.group.take() else { return Ok(()) };
        let mut pairs = self.pairs.sorted()?;
        let mut pair = pairs.next().transpose()?;
        let mut proved = Batch::new("proved", self.pairs.scratch());
        for claim in self.claims.sorted()? {
            let claim = claim?;
            while pair.as_ref().is_some_and(|pair| pair.documents < claim.documents) {
                pair = pairs.next().transpose()?;
            }
            let shared = pair.as_ref().filter(|pair| pair.documents == claim.documents);
            if shared.is_some_and(|pair| pair.n_lines >= claim.others && !pair.is_reposted()) {
                proved.push(Proved(claim.line));
            }
        }
        drop(pairs);
        let mut proved = proved.sorted()?;
        let mut line = proved.next().transpose()?;
        for tally in self.doubtful.sorted()? {
            let tally = tally?;
            while line.as_ref().is_some_and(|line| line.0 < tally.line) {
                line = proved.next().transpose()?;
            }
            if line.as_ref().is_some_and(|line| line.0 == tally.line)
                && let Some(class) = class_of(&tally, group.documents, &self.options)
            {
                self.learned.push(learned(self.by_lines, &group, tally, class));
            }
        }
        Ok(())
    }
}

fn learned(by_lines: bool, group: &Tally, line: Tally, class: Class) -> Learned {
    Learned {
        by_lines,
        group: group.text.clone(),
        of: group.documents,
        documents: line.documents,
        text: line.text,
        line: line.line,
        class,
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
