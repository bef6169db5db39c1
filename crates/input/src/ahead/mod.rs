//! Files of many gzip members or zstd frames, inflated ahead by helpers.
//!
//! The raw file is cut into groups where a member may begin. A helper inflates a group on the guess that one does; what
//! it made counts only if everything before it ended exactly there. Where the guess was wrong (compressed bytes may
//! look like the beginning of a member), or anything at all is wrong with a group, it is inflated once more by whoever
//! reads, from the last end of a member that is known. So the bytes, and the error if there is one, are those of
//! [`Decoded`](crate::decode::Decoded), whatever the helpers did.
//!
//! A group that no helper has begun when its turn comes is not waited for, so reading never depends on helpers: whoever
//! reads does what they would have done, where that is faster than bit by bit.

mod group;
mod split;

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::Arc;

use crate::Helpers;
use crate::decode::{Codec, Format, Plain, no_progress, retry};
use group::{Done, Group};
pub(crate) use split::{Splitter, next_member};

/// How much is read and inflated at once.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    /// How much of the file is read at once, in bytes.
    piece: usize,
    /// The least that is worth a job, in bytes before decompression.
    min_group: usize,
    /// Where a group is cut even inside a member, in bytes before decompression.
    max_group: usize,
    /// What a job may make of a group, in bytes; more is inflated bit by bit by whoever reads.
    max_plain: usize,
}

const SIZES: Sizes =
    Sizes { piece: 256 << 10, min_group: 256 << 10, max_group: 2 << 20, max_plain: 16 << 20 };

/// Memory that is used again is no larger, in bytes: few groups need more.
const MAX_SPARE: usize = 4 << 20;

/// How much is taken of a group before it is known what has been made of it, in bytes.
const FIRST_OF_GROUP: usize = 4 << 10;

/// How much is inflated at once where it is done bit by bit, in bytes: a block of zstd.
const BIT: usize = 128 << 10;

/// How many groups more are read each time one has been used up, until there are enough.
const GROUPS_PER_TURN: usize = 2;

/// A compressed stream, decompressed by many.
pub(crate) struct Ahead {
    reader: Box<dyn Read + Send>,
    helpers: Arc<dyn Helpers>,
    format: Format,
    sizes: Sizes,
    splitter: Splitter,
    /// What was read and is in no group yet, and where in the file that begins.
    pending: Vec<u8>,
    offset: u64,
    /// Whether a member may begin there.
    is_start: bool,
    at_end: bool,
    /// Why the file cannot be read on.
    error: Option<io::Error>,
    groups: VecDeque<Arc<Group>>,
    /// What was made of a group, and how much of it was given out.
    plain: (Plain, usize),
    /// Memory of what was given out: memory of its own for each group would be zeroed by the system each time.
    spare: Vec<Vec<u8>>,
    /// The group that is inflated here, and how much of it was.
    current: Option<(Arc<Group>, usize)>,
    /// Inside a member; `None` when everything so far ended with one.
    codec: Option<Codec>,
}

impl Ahead {
    pub(crate) fn new(
        format: Format,
        splitter: Splitter,
        reader: Box<dyn Read + Send>,
        helpers: &Arc<dyn Helpers>,
    ) -> Self {
        Self {
            reader,
            helpers: Arc::clone(helpers),
            format,
            sizes: SIZES,
            splitter,
            pending: Vec::new(),
            offset: 0,
            is_start: true,
            at_end: false,
            error: None,
            groups: VecDeque::new(),
            plain: (Plain::default(), 0),
            spare: Vec::new(),
            current: None,
            codec: None,
        }
    }

    /// Appends bytes to `buffer`, `most` of them or all that are left; how many.
    ///
    /// What has been made of a group is copied once, and nothing is zeroed for it first.
    pub(crate) fn append(&mut self, buffer: &mut Vec<u8>, most: usize) -> io::Result<usize> {
        let before = buffer.len();
        loop {
            let have = buffer.len();
            let missing = most.saturating_sub(have - before);
            let plain = self.plain.0.bytes().get(self.plain.1..).unwrap_or_default();
            if let Some(plain @ [_, ..]) = plain.get(..missing.min(plain.len())) {
                buffer.extend_from_slice(plain);
                self.given(buffer.len() - have);
                continue;
            }
            let next = if self.current.is_some() { BIT } else { FIRST_OF_GROUP };
            buffer.resize(have + missing.min(next), 0);
            let read = self.read(buffer.get_mut(have..).unwrap_or_default());
            buffer.truncate(have + read.as_ref().map_or(0, |n| *n));
            if read? == 0 {
                return Ok(have - before);
            }
        }
    }

    /// Gives out what was made of a group.
    fn give(&mut self, output: &mut [u8]) -> usize {
        let (plain, at) = &mut self.plain;
        let rest = plain.bytes().get(*at..).unwrap_or_default();
        let n = rest.len().min(output.len());
        if let (Some(to), Some(from)) = (output.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        if n > 0 {
            self.given(n);
        }
        n
    }

    /// So many bytes of what was made of a group have been given out.
    fn given(&mut self, n: usize) {
        self.plain.1 += n;
        if self.plain.1 == self.plain.0.len() {
            let (plain, _) = std::mem::take(&mut self.plain);
            if (1..=MAX_SPARE).contains(&plain.capacity()) && self.spare.len() <= self.groups.len() {
                self.spare.push(plain.into_memory());
            }
        }
    }

    /// Inflates some of the current group; 0 when it is used up.
    fn inflate(&mut self, group: &Group, at: &mut usize, output: &mut [u8]) -> io::Result<usize> {
        loop {
            let input = group.bytes.get(*at..).unwrap_or_default();
            let codec = match &mut self.codec {
                Some(codec) => codec,
                None if input.is_empty() => return Ok(0),
                None => {
                    let Some(codec) = self.format.codec(group.offset + *at as u64)? else { return Ok(0) };
                    self.codec.insert(codec)
                }
            };
            let ran = codec.run(input, output)?;
            *at += ran.consumed;
            if ran.produced > 0 {
                return Ok(ran.produced);
            }
            if ran.consumed == 0 {
                if *at < group.bytes.len() {
                    return Err(no_progress());
                }
                if codec.is_between() {
                    self.codec = None;
                }
                return Ok(0);
            }
        }
    }

    /// Whether helpers have nothing to do: one member is all that is known of the rest.
    pub(crate) fn is_serial(&self) -> bool {
        !self.groups.iter().any(|group| group.is_for_helpers())
    }

    /// Takes the next group; whether there is one.
    fn turn(&mut self) -> bool {
        for _ in 0..GROUPS_PER_TURN {
            let is_enough = self.groups.len() >= 2 * self.helpers.threads();
            // What lies inside a long member nobody but the reader can inflate.
            let is_inside = self.groups.back().is_some_and(|last| !last.ends_well);
            if (is_enough || is_inside) && !self.groups.is_empty() {
                break;
            }
            self.read_group();
        }
        let Some(group) = self.groups.pop_front() else { return false };
        let Done { plain, consumed } = if self.codec.is_some() {
            // What a helper made of the group began at the wrong place.
            group.cancel();
            Done::default()
        } else {
            match group.wait(&*self.helpers) {
                Some(done) => done,
                None if self.format.has_whole_members() && group.ends_well => {
                    group.inflate(self.format, self.sizes.max_plain)
                }
                None => Done::default(),
            }
        };
        self.plain = (plain, 0);
        self.current = Some((group, consumed));
        true
    }

    /// Reads one group more, if there is one, and has it inflated.
    fn read_group(&mut self) {
        let (length, ends_well) = loop {
            if let Some(start) = self.splitter.find(&self.pending, self.sizes.min_group) {
                break (start, true);
            }
            if self.at_end {
                break (self.pending.len(), true);
            }
            let searched = self.splitter.searched(&self.pending);
            if self.pending.len() >= self.sizes.max_group && searched > 0 {
                break (searched, false);
            }
            self.read_piece();
        };
        if length == 0 {
            return;
        }
        self.splitter.cut(length);
        let rest = self.pending.split_off(length);
        let bytes = std::mem::replace(&mut self.pending, rest);
        let memory = self.spare.pop().unwrap_or_default();
        let group = Arc::new(Group::new(bytes, self.offset, ends_well, memory));
        self.offset += length as u64;
        // The first is used at once.
        if self.is_start && ends_well && !self.groups.is_empty() {
            group.submit(&*self.helpers, self.format, self.sizes.max_plain);
        }
        self.is_start = ends_well;
        self.groups.push_back(group);
    }

    fn read_piece(&mut self) {
        let have = self.pending.len();
        self.pending.resize(have + self.sizes.piece, 0);
        let read = retry(|| self.reader.read(self.pending.get_mut(have..).unwrap_or_default()));
        self.pending.truncate(have + read.as_ref().map_or(0, |n| *n));
        self.at_end = !matches!(read, Ok(1..));
        self.error = read.err();
    }
}

impl Read for Ahead {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        loop {
            let n = self.give(output);
            if n > 0 {
                return Ok(n);
            }
            if let Some((group, mut at)) = self.current.take() {
                let result = self.inflate(&group, &mut at, output);
                if !matches!(result, Ok(0)) {
                    self.current = Some((group, at));
                    return result;
                }
            } else if !self.turn() {
                return match (self.error.take(), &self.codec) {
                    (Some(error), _) => Err(error),
                    (None, Some(codec)) => codec.check_end().map(|()| 0),
                    (None, None) => Ok(0),
                };
            }
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        for group in &self.groups {
            group.cancel();
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
