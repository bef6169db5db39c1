//! Which documents are of one template, when nothing says where they come from.
//!
//! The first pass counts the lines of all documents whose group is not known, and remembers some holders of
//! each. Two documents that share many lines are of one cluster, and so is what is linked over others; a line
//! is of the cluster to which most of its holders belong. In the second pass every document belongs to the
//! cluster whose lines it has, and counting goes on as if the clusters were groups.

use std::cmp::Ordering;
use std::collections::HashMap;

use tamis_plugin::Failure;

use super::count::{Holders, Tally, WHOLE_GROUP, sizes_of};
use super::line::FoldedState;
use crate::spill::{Entry, Runs, Scratch, take};

/// Two documents are linked when they share at least this share of the lines of the smaller.
///
/// Pages of different sites in one language share `Home`, `Search`, `Share`; on the development set a tenth joined
/// half of the Chinese portals, and with three tenths pages of one site fell apart.
const MIN_SHARED_RATIO: f64 = 0.2;

/// Bytes that a line or a document takes in a map.
const SLOT_BYTES: usize = 64;

/// So many pairs are added at once.
const BATCH: usize = 1 << 15;

/// What two documents have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) documents: (u64, u64),
    /// Lines that both hold, without prose.
    pub(super) n_lines: u64,
    /// Bytes of the prose that both hold.
    pub(super) prose: u64,
}

impl Pair {
    /// What one line says of two documents that hold it.
    pub(super) fn new(documents: (u64, u64), prose: u32) -> Self {
        Self { documents, n_lines: u64::from(prose == 0), prose: prose.into() }
    }

    /// Whether one document is the other once more. What they share then says nothing.
    ///
    /// It is if they share nearly all prose of the one that has less, or half of it in different templates. Pages
    /// of one template share prose, too, because notices are prose: up to three quarters of it on short pages
    /// of the BBC, but there most of their lines with it.
    pub(super) fn is_reposted(&self) -> bool {
        let (one, other) = (sizes_of(self.documents.0), sizes_of(self.documents.1));
        let (n_lines, prose) = (one.0.min(other.0), one.1.min(other.1));
        let shares = |share: u64, of: u64| self.prose.saturating_mul(of) >= prose.saturating_mul(share);
        prose > 0 && (shares(9, 10) || (shares(1, 2) && self.n_lines * 2 < n_lines))
    }

    fn is_linked(&self, min_lines: u64) -> bool {
        let (one, other) = self.documents;
        let least = sizes_of(one).0.min(sizes_of(other).0);
        self.n_lines >= min_lines
            && self.n_lines as f64 >= MIN_SHARED_RATIO * least as f64
            && !self.is_reposted()
    }
}

impl Entry for Pair {
    fn order(&self, other: &Self) -> Ordering {
        self.documents.cmp(&other.documents)
    }

    fn combine(&mut self, other: &Self) {
        self.n_lines = self.n_lines.saturating_add(other.n_lines);
        self.prose = self.prose.saturating_add(other.prose);
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let (one, other) = self.documents;
        for number in [one, other, self.n_lines, self.prose] {
            out.extend_from_slice(&number.to_be_bytes());
        }
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let mut next = || take(input).map(u64::from_be_bytes);
        Some(Self { documents: (next()?, next()?), n_lines: next()?, prose: next()? })
    }
}

/// A line that several documents hold.
#[derive(Debug, Clone)]
struct Shared {
    line: u128,
    documents: u64,
    holders: Holders,
}

impl Entry for Shared {
    fn order(&self, other: &Self) -> Ordering {
        self.line.cmp(&other.line)
    }

    fn combine(&mut self, other: &Self) {
        self.documents = self.documents.max(other.documents);
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.line.to_be_bytes());
        out.extend_from_slice(&self.documents.to_be_bytes());
        self.holders.encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        Some(Self {
            line: u128::from_be_bytes(take(input)?),
            documents: u64::from_be_bytes(take(input)?),
            holders: Holders::decode(input)?,
        })
    }
}

/// Takes the counts of the documents whose group is not known.
pub(super) struct Pool {
    shared: Runs<Shared>,
    pairs: Runs<Pair>,
    shared_batch: Vec<Shared>,
    pair_batch: Vec<Pair>,
    /// Bytes that the clusters may hold.
    most: usize,
}

impl Pool {
    pub(super) fn new(scratch: Option<&Scratch>) -> Self {
        let (shared, pairs) = (Runs::new("shared"), Runs::new("pairs"));
        if let Some(scratch) = scratch {
            shared.place(scratch.clone());
            pairs.place(scratch.clone());
        }
        let most = scratch.map_or(usize::MAX, Scratch::table_bytes);
        Self { shared, pairs, shared_batch: Vec::new(), pair_batch: Vec::new(), most }
    }

    /// Takes the count of a line of the pool; counts come in order.
    pub(super) fn see(&mut self, tally: &Tally) {
        let Tally { line, documents, holders, .. } = *tally;
        // One text many times is one holder.
        if line == WHOLE_GROUP || holders.iter().count() < 2 {
            return;
        }
        self.shared_batch.push(Shared { line, documents, holders });
        self.pair_batch.extend(holders.pairs().map(|documents| Pair::new(documents, tally.prose)));
        if self.pair_batch.len() >= BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.shared.add(std::mem::take(&mut self.shared_batch));
        self.pairs.add(std::mem::take(&mut self.pair_batch));
    }

    /// Links documents that share at least so many lines.
    ///
    /// # Errors
    ///
    /// When what was put on the disk cannot be read.
    pub(super) fn finish(mut self, min_lines: u64) -> Result<Clusters, Failure> {
        self.flush();
        let mut links = Links { parents: HashMap::default(), most: self.most / 2 / SLOT_BYTES };
        self.pairs.drain(|pair| {
            if pair.is_linked(min_lines) {
                links.join(pair.documents);
            }
            Ok(())
        })?;
        let mut clusters = Clusters { lines: HashMap::default(), min_lines };
        let most = self.most / 2 / SLOT_BYTES;
        self.shared.drain(|shared| {
            // Lines come in the order of their hashes, so where memory ends, what is kept is a fair sample.
            if clusters.lines.len() < most
                && let Some(cluster) = links.cluster_of(&shared.holders)
            {
                clusters.lines.insert(shared.line, (cluster, shared.documents));
            }
            Ok(())
        })?;
        Ok(clusters)
    }
}

/// Documents that belong together, as a forest in which the root has the lowest hash.
struct Links {
    parents: HashMap<u64, u64, FoldedState>,
    /// So many documents may be held. Those with low hashes come first, so beyond it small clusters are lost
    /// before large ones.
    most: usize,
}

impl Links {
    fn join(&mut self, (one, other): (u64, u64)) {
        let n_new = [one, other].iter().filter(|document| !self.parents.contains_key(document)).count();
        if self.parents.len() + n_new > self.most {
            return;
        }
        let (one, other) = (self.root(one), self.root(other));
        self.parents.insert(one.max(other), one.min(other));
        self.parents.insert(one.min(other), one.min(other));
    }

    fn root(&mut self, document: u64) -> u64 {
        let mut root = document;
        while let Some(&parent) = self.parents.get(&root).filter(|parent| **parent != root) {
            root = parent;
        }
        // The next one has a shorter way.
        let mut at = document;
        while let Some(parent) = self.parents.get_mut(&at).filter(|parent| **parent != root) {
            at = std::mem::replace(parent, root);
        }
        root
    }

    /// The cluster to which most of the holders belong, at least two; of several the lowest.
    fn cluster_of(&mut self, holders: &Holders) -> Option<u64> {
        let mut roots: Vec<u64> = Vec::new();
        for holder in holders.iter() {
            if self.parents.contains_key(&holder) {
                roots.push(self.root(holder));
            }
        }
        roots.sort_unstable();
        let groups = roots.chunk_by(|one, other| one == other).filter(|group| group.len() >= 2);
        // Of equal ones the last would win.
        groups.rev().max_by_key(|group| group.len())?.first().copied()
    }
}

/// The lines by which a document shows its cluster.
#[derive(Debug)]
pub(super) struct Clusters {
    /// The cluster of a line, and how many documents hold it.
    lines: HashMap<u128, (u64, u64), FoldedState>,
    /// A document has at least so many lines of its cluster.
    min_lines: u64,
}

impl Clusters {
    /// The name of the cluster that fits a document with these lines best.
    ///
    /// A line weighs the less the more documents hold it: those of one site say more than those that a content
    /// management system prints on every site.
    pub(super) fn name_for(&self, lines: impl Iterator<Item = u128>) -> Option<String> {
        let mut votes: Vec<(u64, u64)> = lines.filter_map(|line| self.lines.get(&line).copied()).collect();
        votes.sort_unstable();
        let weight = |votes: &[(u64, u64)]| -> f64 {
            votes.iter().map(|(_, documents)| (*documents as f64).sqrt().recip()).sum()
        };
        let groups = votes.chunk_by(|one, other| one.0 == other.0);
        let fitting = groups.filter(|votes| votes.len() as u64 >= self.min_lines);
        let best = fitting.rev().max_by(|one, other| weight(one).total_cmp(&weight(other)))?;
        // The sizes are not part of a name.
        best.first().map(|(cluster, _)| format!("cluster-{:010x}", cluster >> 24))
    }
}
