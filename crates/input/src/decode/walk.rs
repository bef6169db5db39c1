//! From part to part of a compressed file without decompressing it, where headers say how long things are.

/// A walk over the frames of zstd or LZ4, fed piece by piece.
///
/// It trusts what headers say, so it only ever says where a frame may begin; a file that is damaged it loses sight of.
pub(crate) struct Walk {
    layout: Layout,
    place: Place,
    /// The header that is being read.
    header: [u8; 8],
    have: usize,
    want: usize,
    /// How many bytes to pass over before the header.
    skip: u64,
    /// Whether a frame ends behind what is passed over.
    ends: bool,
    /// What the header of the frame said.
    flags: u8,
    is_lost: bool,
}

/// How frames are laid out.
#[derive(Debug, Clone, Copy)]
enum Layout {
    Zstd,
    Lz4,
}

/// Which header is read next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Skippable,
    Descriptor,
    Block,
}

/// What follows a header.
struct Next {
    skip: u64,
    place: Place,
    ends: bool,
}

const ZSTD: u32 = 0xFD2F_B528;
const LZ4: u32 = 0x184D_2204;
const SKIPPABLE: std::ops::RangeInclusive<u32> = 0x184D_2A50..=0x184D_2A5F;

impl Walk {
    pub(crate) fn zstd() -> Self {
        Self::new(Layout::Zstd)
    }

    pub(crate) fn lz4() -> Self {
        Self::new(Layout::Lz4)
    }

    fn new(layout: Layout) -> Self {
        Self {
            layout,
            place: Place::Start,
            header: [0; 8],
            have: 0,
            want: 4,
            skip: 0,
            ends: false,
            flags: 0,
            is_lost: false,
        }
    }

    /// Walks on over these bytes, but not beyond the end of a frame; how many it passed, and whether it is at the
    /// end of a frame.
    pub(crate) fn step(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while !self.is_lost {
            let left = bytes.len() - at;
            if self.skip > 0 {
                let passed = self.skip.min(left as u64);
                self.skip -= passed;
                at += passed as usize;
            }
            if self.skip == 0 && std::mem::take(&mut self.ends) {
                return (at, true);
            }
            let Some(&byte) = bytes.get(at) else { return (at, false) };
            self.header[self.have] = byte;
            self.have += 1;
            at += 1;
            if self.have == self.want {
                self.turn();
            }
        }
        (bytes.len(), false)
    }

    /// Whether a file may end here: nothing of a frame has been passed, or the walk has lost its way.
    pub(crate) fn may_end(&self) -> bool {
        self.is_lost || (self.place == Place::Start && self.have == 0 && self.skip == 0)
    }

    /// Takes the header that has been read.
    fn turn(&mut self) {
        let next = match self.layout {
            Layout::Zstd => zstd(self),
            Layout::Lz4 => lz4(self),
        };
        let Some(Next { skip, place, ends }) = next else {
            self.is_lost = true;
            return;
        };
        let want = match (place, self.layout) {
            (Place::Start | Place::Skippable, _) | (Place::Block, Layout::Lz4) => 4,
            (Place::Descriptor, Layout::Zstd) => 1,
            (Place::Descriptor, Layout::Lz4) => 2,
            (Place::Block, Layout::Zstd) => 3,
        };
        (self.have, self.want, self.skip, self.place, self.ends) = (0, want, skip, place, ends);
    }

    fn number(&self) -> u32 {
        let [a, b, c, d, ..] = self.header;
        u32::from_le_bytes([a, b, c, d])
    }
}

#[expect(clippy::unnecessary_wraps, reason = "one of the answers of a layout")]
fn next(skip: u64, place: Place) -> Option<Next> {
    Some(Next { skip, place, ends: place == Place::Start })
}

/// RFC 8878, section 3.1.
fn zstd(walk: &mut Walk) -> Option<Next> {
    match walk.place {
        Place::Start if walk.number() == ZSTD => next(0, Place::Descriptor),
        Place::Start if SKIPPABLE.contains(&walk.number()) => next(0, Place::Skippable),
        Place::Start => None,
        Place::Skippable => next(u64::from(walk.number()), Place::Start),
        Place::Descriptor => {
            let [flags, ..] = walk.header;
            walk.flags = flags;
            let is_single = flags & 0x20 != 0;
            let content_size = match flags >> 6 {
                0 => u64::from(is_single),
                size => 1 << size,
            };
            let dictionary = [0, 1, 2, 4][usize::from(flags & 3)];
            next(u64::from(!is_single) + dictionary + content_size, Place::Block)
        }
        Place::Block => {
            let [a, b, c, ..] = walk.header;
            let block = u32::from_le_bytes([a, b, c, 0]);
            let length = match (block >> 1) & 3 {
                0 | 2 => u64::from(block >> 3),
                1 => 1,
                _ => return None,
            };
            let checksum = if walk.flags & 4 != 0 { 4 } else { 0 };
            if block & 1 == 0 { next(length, Place::Block) } else { next(length + checksum, Place::Start) }
        }
    }
}

/// LZ4 frame format 1.6.
fn lz4(walk: &mut Walk) -> Option<Next> {
    match walk.place {
        Place::Start if walk.number() == LZ4 => next(0, Place::Descriptor),
        Place::Start if SKIPPABLE.contains(&walk.number()) => next(0, Place::Skippable),
        Place::Start => None,
        Place::Skippable => next(u64::from(walk.number()), Place::Start),
        Place::Descriptor => {
            let [flags, ..] = walk.header;
            walk.flags = flags;
            let content_size = if flags & 8 != 0 { 8 } else { 0 };
            let dictionary = if flags & 1 != 0 { 4 } else { 0 };
            next(content_size + dictionary + 1, Place::Block)
        }
        Place::Block if walk.number() == 0 => next(if walk.flags & 4 != 0 { 4 } else { 0 }, Place::Start),
        Place::Block => {
            let checksum = if walk.flags & 16 != 0 { 4 } else { 0 };
            next(u64::from(walk.number() & 0x7FFF_FFFF) + checksum, Place::Block)
        }
    }
}
