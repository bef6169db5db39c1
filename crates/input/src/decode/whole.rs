//! Members of gzip whose bytes are all there, inflated in one go.
//!
//! libdeflate does that in half the time of a decompressor that can stop anywhere, but wants to know beforehand how
//! much room there must be. A member says so in its last four bytes, and these are known if its end is: where the next
//! one may begin, or the bytes end. All this is a guess until what came out has the length and the checksum that the
//! member says; whatever is not as guessed is left to a [`Codec`](super::Codec), which also knows what is wrong with it.

use libdeflater::Decompressor;
use memchr::memmem;

use super::Format;
use crate::ahead::next_member;

/// How long the fixed part of the header of a member is, in bytes.
const HEADER: usize = 10;
/// The flag of a header with a checksum of its own, which libdeflate does not look at.
const HEADER_CRC: u8 = 2;
/// A byte becomes no more than so many: two bits stand for the longest copy, 258 bytes.
const MAX_GROWTH: usize = 258 * 4;

/// A decompressor of whole members.
pub(crate) struct Whole(Decompressor);

impl Whole {
    /// `None` for formats that are not inflated so.
    pub(crate) fn of(format: Format) -> Option<Self> {
        format.has_whole_members().then(|| Self(Decompressor::new()))
    }

    /// Inflates the member at the start of `bytes`, if all of it is there, sound and no longer than `room`; how many
    /// bytes it took.
    pub(crate) fn inflate(&mut self, bytes: &[u8], plain: &mut Plain, room: usize) -> Option<usize> {
        if bytes.get(3)? & HEADER_CRC != 0 {
            return None;
        }
        let end = next_member(bytes, HEADER).unwrap_or(bytes.len());
        let member = bytes.get(..end)?;
        let (body, size) = member.get(HEADER..)?.split_last_chunk()?;
        let length = u32::from_le_bytes(*size) as usize;
        if length > room.min(end.saturating_mul(MAX_GROWTH)) {
            return None;
        }
        let inflated = self.0.gzip_decompress(member, plain.room(length).get_mut(..length)?).ok()?;
        // What follows a member that ends earlier is nothing to libdeflate. But the last four bytes of the member are
        // the length of what came out: where these stand nowhere else, it ends here.
        if inflated != length || memmem::find(member.get(HEADER..)?, size) != Some(body.len()) {
            return None;
        }
        plain.add(length);
        Some(end)
    }
}

/// Bytes in memory that has been written before, so that a decompressor may be given what is behind them.
#[derive(Default)]
pub(crate) struct Plain {
    memory: Vec<u8>,
    length: usize,
}

impl Plain {
    /// None yet; `memory` is used again if it has `least` bytes.
    pub(crate) fn new(memory: Vec<u8>, least: usize) -> Self {
        let memory = if memory.len() < least { vec![0; least] } else { memory };
        Self { memory, length: 0 }
    }

    /// What there is.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.memory.get(..self.length).unwrap_or_default()
    }

    /// How much memory they take, in bytes.
    pub(crate) fn capacity(&self) -> usize {
        self.memory.len()
    }

    /// The memory, to be used again.
    pub(crate) fn into_memory(self) -> Vec<u8> {
        self.memory
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// The memory behind them, `least` bytes or more.
    pub(crate) fn room(&mut self, least: usize) -> &mut [u8] {
        let wanted = self.length + least;
        if wanted > self.memory.len() {
            self.memory.resize(wanted.max(self.memory.len() * 3 / 2), 0);
        }
        self.memory.get_mut(self.length..).unwrap_or_default()
    }

    /// So many bytes more have been written.
    pub(crate) fn add(&mut self, length: usize) {
        self.length = (self.length + length).min(self.memory.len());
    }

    /// Forgets all but the first bytes.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.length = self.length.min(length);
    }
}
