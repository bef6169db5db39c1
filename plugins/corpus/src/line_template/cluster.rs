//! Which documents are of one template, when nothing says where they come from.
//!
//! The first pass counts the lines of all documents whose group is not known, and remembers some holders of
//! each. Two documents that share many lines are of one cluster, and so is what is linked over others; a line
//! is of the cluster to which most of its holders belong. In the second pass every document belongs to the
//! cluster whose lines it has, and counting goes on as if the clusters were groups.

use std::cmp::Ordering;

use tamis_plugin::Failure;
use xxhash_rust::xxh3::xxh3_64;

use super::count::{Tally, WHOLE_GROUP, sizes_of};
use crate::spill::{Batch, Entry, Fixed, Lookup, LookupWriter, Scratch, Sorted, take};

/// Two documents are linked when they share at least this share of the lines of the smaller.
///
/// Pages of different sites in one language share `Home`, `Search`, `Share`; on the development set a tenth joined
/// half of the Chinese portals, and with three tenths pages of one site fell apart.
const MIN_SHARED_RATIO: f64 = 0.2;

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

/// A link between two documents, or from a document to the root of its cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    from: u64,
    to: u64,
}

impl Entry for Link {
    fn order(&self, other: &Self) -> Ordering {
        self.cmp(other)
    }

    fn combine(&mut self, _other: &Self) {}

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        (self.from, self.to).encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let (from, to) = Fixed::decode(input)?;
        Some(Self { from, to })
    }
}

/// A holder of a line that several documents hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Holder {
    document: u64,
    line: u128,
    documents: u64,
}

impl Entry for Holder {
    fn order(&self, other: &Self) -> Ordering {
        (self.document, self.line).cmp(&(other.document, other.line))
    }

    fn combine(&mut self, other: &Self) {
        self.documents = self.documents.max(other.documents);
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        ((self.document, self.line), self.documents).encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let ((document, line), documents) = Fixed::decode(input)?;
        Some(Self { document, line, documents })
    }
}

/// How many holders of a line are of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Vote {
    line: u128,
    cluster: u64,
    n_holders: u64,
    documents: u64,
}

impl Entry for Vote {
    fn order(&self, other: &Self) -> Ordering {
        (self.line, self.cluster).cmp(&(other.line, other.cluster))
    }

    fn combine(&mut self, other: &Self) {
        self.n_holders += other.n_holders;
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        ((self.line, self.cluster), (self.n_holders, self.documents)).encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let ((line, cluster), (n_holders, documents)) = Fixed::decode(input)?;
        Some(Self { line, cluster, n_holders, documents })
    }
}

/// Takes the counts of the documents whose group is not known.
pub(super) struct Pool {
    holders: Batch<Holder>,
    pairs: Batch<Pair>,
    scratch: Option<Scratch>,
}

impl Pool {
    pub(super) fn new(scratch: Option<&Scratch>) -> Self {
        Self {
            holders: Batch::new("holders", scratch),
            pairs: Batch::new("pairs", scratch),
            scratch: scratch.cloned(),
        }
    }

    /// Takes the count of a line of the pool.
    pub(super) fn see(&mut self, tally: &Tally) {
        let Tally { line, documents, holders, .. } = *tally;
        // One text many times is one holder.
        if line == WHOLE_GROUP || holders.iter().count() < 2 {
            return;
        }
        holders.iter().for_each(|document| self.holders.push(Holder { document, line, documents }));
        holders.pairs().for_each(|documents| self.pairs.push(Pair::new(documents, tally.prose)));
    }

    /// Links documents that share at least so many lines.
    ///
    /// # Errors
    ///
    /// When what was put on the disk cannot be written or read.
    pub(super) fn finish(mut self, min_lines: u64) -> Result<Clusters, Failure> {
        let scratch = self.scratch.as_ref();
        let mut links = Batch::new("links", scratch);
        for pair in self.pairs.sorted()? {
            let pair = pair?;
            if pair.is_linked(min_lines) {
                links.push(Link { from: pair.documents.0, to: pair.documents.1 });
            }
        }
        let mut roots = roots(links, scratch)?;
        let mut root = roots.next().transpose()?;
        let mut votes = Batch::new("votes", scratch);
        for holder in self.holders.sorted()? {
            let Holder { document, line, documents } = holder?;
            while root.is_some_and(|root| root.from < document) {
                root = roots.next().transpose()?;
            }
            if let Some(root) = root.filter(|root| root.from == document) {
                votes.push(Vote { line, cluster: root.to, n_holders: 1, documents });
            }
        }
        drop(roots);
        let most = scratch.map_or(usize::MAX, |scratch| scratch.table_bytes() / 2);
        let mut known = LookupWriter::new("clusters.table", scratch, most);
        let mut best: Option<Vote> = None;
        let mut push = |vote: Vote| -> Result<(), Failure> {
            if vote.n_holders >= 2 { known.push(vote.line, (vote.cluster, vote.documents)) } else { Ok(()) }
        };
        for vote in votes.sorted()? {
            let vote = vote?;
            match &mut best {
                Some(first) if first.line == vote.line => {
                    // Of clusters with as many holders the lowest, which came first.
                    if vote.n_holders > first.n_holders {
                        *first = vote;
                    }
                }
                other => {
                    if let Some(last) = other.replace(vote) {
                        push(last)?;
                    }
                }
            }
        }
        best.map_or(Ok(()), push)?;
        Ok(Clusters { lines: known.finish()?, min_lines })
    }
}

/// Which documents belong together: a link from each that has one to the lowest that it reaches.
///
/// Large-star and small-star in turn (R. Kiveris et al., Connected components in `MapReduce` and beyond, `SoCC` 2014):
/// each round is a sort, so nothing but the sort takes memory, and few rounds are needed, however long chains are.
fn roots(mut links: Batch<Link>, scratch: Option<&Scratch>) -> Result<Sorted<Link>, Failure> {
    let mut both = Batch::new("both-ways", scratch);
    for link in links.sorted()? {
        let Link { from, to } = link?;
        both.push(Link { from, to });
        both.push(Link { from: to, to: from });
    }
    let mut known = None;
    loop {
        let mut down = Batch::new("down", scratch);
        each_star(both.sorted()?, |document, least, neighbour| {
            if neighbour > document {
                down.push(Link { from: neighbour, to: least });
            }
        })?;
        let mut stars = Batch::new("stars", scratch);
        each_star(down.sorted()?, |document, least, neighbour| {
            for from in [document, neighbour].into_iter().filter(|from| *from != least) {
                stars.push(Link { from, to: least });
            }
        })?;
        // Sums that do not depend on the order tell whether anything has changed.
        let mut sums = (0_u64, 0_u64);
        let mut ends = Batch::new("roots", scratch);
        both = Batch::new("both-ways", scratch);
        for link in stars.sorted()? {
            let Link { from, to } = link?;
            let mut bytes = Vec::with_capacity(16);
            (from, to).encode(&mut bytes);
            sums = (sums.0 + 1, sums.1.wrapping_add(xxh3_64(&bytes)));
            ends.push(Link { from, to });
            ends.push(Link { from: to, to });
            both.push(Link { from, to });
            both.push(Link { from: to, to: from });
        }
        if known.replace(sums) == Some(sums) {
            return ends.sorted();
        }
    }
}

/// Hands on each neighbour of each document, with the least of the document and all its neighbours.
fn each_star(links: Sorted<Link>, mut each: impl FnMut(u64, u64, u64)) -> Result<(), Failure> {
    let mut star: Option<(u64, u64)> = None;
    for link in links {
        let Link { from, to } = link?;
        // Neighbours come in order, so the first is the least of them.
        let least = match star {
            Some((document, least)) if document == from => least,
            _ => from.min(to),
        };
        star = Some((from, least));
        each(from, least, to);
    }
    Ok(())
}

/// The lines by which a document shows its cluster.
#[derive(Debug)]
pub(super) struct Clusters {
    /// The cluster of a line, and how many documents hold it.
    lines: Lookup<u128, (u64, u64)>,
    /// A document has at least so many lines of its cluster.
    min_lines: u64,
}

impl Clusters {
    /// The name of the cluster that fits a document with these lines best.
    ///
    /// A line weighs the less the more documents hold it: those of one site say more than those that a content
    /// management system prints on every site.
    ///
    /// # Errors
    ///
    /// When what was put on the disk cannot be read.
    pub(super) fn name_for(&self, lines: impl Iterator<Item = u128>) -> Result<Option<String>, Failure> {
        let mut votes: Vec<(u64, u64)> = Vec::new();
        let mut known = self.lines.cursor();
        for line in lines {
            votes.extend(known.get(line)?);
        }
        votes.sort_unstable();
        let weight = |votes: &[(u64, u64)]| -> f64 {
            votes.iter().map(|(_, documents)| (*documents as f64).sqrt().recip()).sum()
        };
        let groups = votes.chunk_by(|one, other| one.0 == other.0);
        let fitting = groups.filter(|votes| votes.len() as u64 >= self.min_lines);
        let best = fitting.rev().max_by(|one, other| weight(one).total_cmp(&weight(other)));
        // The sizes are not part of a name.
        let first = best.and_then(|votes| votes.first());
        Ok(first.map(|(cluster, _)| format!("cluster-{:010x}", cluster >> 24)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::spill::tests::workspace;

    /// The lowest document that each reaches, by going round until nothing changes.
    fn reached(links: &[(u64, u64)]) -> BTreeMap<u64, u64> {
        let mut lowest: BTreeMap<u64, u64> =
            links.iter().flat_map(|(one, other)| [(*one, *one), (*other, *other)]).collect();
        loop {
            let before = lowest.clone();
            for (one, other) in links {
                let least = lowest[one].min(lowest[other]);
                lowest.insert(*one, least);
                lowest.insert(*other, least);
            }
            if before == lowest {
                return lowest;
            }
        }
    }

    fn found(links: &[(u64, u64)], scratch: Option<&Scratch>) -> BTreeMap<u64, u64> {
        let mut batch = Batch::new("links", scratch);
        for (one, other) in links {
            batch.push(Link { from: *one.min(other), to: *one.max(other) });
        }
        let roots = roots(batch, scratch).unwrap().map(|link| link.map(|link| (link.from, link.to)));
        roots.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn a_long_chain_is_one_cluster() {
        // In an order in which neighbours have numbers far apart.
        let number = |place: u64| place.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let chain: Vec<_> = (0..3000).map(|place| (number(place), number(place + 1))).collect();
        assert_eq!(found(&chain, None), reached(&chain));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn what_is_linked_is_one_cluster_however_little_fits(
            links in prop::collection::vec((0_u64..60, 0_u64..60), 0..80),
            most in prop::sample::select(vec![8192_u64, 1 << 30]),
        ) {
            let links: Vec<_> = links.into_iter().filter(|(one, other)| one != other).collect();
            let folder = tempfile::tempdir().unwrap();
            let scratch = Scratch::new(&workspace(folder.path(), 1), most);
            prop_assert_eq!(found(&links, Some(&scratch)), reached(&links));
        }
    }
}
