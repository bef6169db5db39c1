//! Where members may begin.

use memchr::memmem;

use crate::decode::{Format, Walk};

/// How long the fixed part of the header of a gzip member is, in bytes.
const GZIP_HEADER: usize = 10;

/// Looks for the beginnings of members in what was read of a file and is in no group yet.
pub(crate) enum Splitter {
    /// Looks for what headers have in common; so many bytes have been looked through.
    Gzip { searched: usize },
    /// Follows the headers, which say how long things are; so many bytes have been passed.
    Zstd { walk: Walk, at: usize },
}

impl Splitter {
    /// `None` for formats whose files are one whole.
    pub(crate) fn of(format: Format) -> Option<Self> {
        match format {
            Format::Gzip => Some(Self::Gzip { searched: 0 }),
            Format::Zstd => Some(Self::Zstd { walk: Walk::zstd(), at: 0 }),
            Format::Xz | Format::Bzip2 | Format::Lz4 => None,
        }
    }

    /// The first place not before `min`, and not 0, where a member may begin.
    pub(super) fn find(&mut self, pending: &[u8], min: usize) -> Option<usize> {
        match self {
            Self::Gzip { searched } => {
                let from = (*searched).max(min).max(1);
                let found = next_member(pending, from);
                // A header may begin in the last bytes.
                let unsure = pending.len().saturating_sub(GZIP_HEADER - 1);
                *searched = found.unwrap_or(unsure.max(*searched));
                found
            }
            Self::Zstd { walk, at } => {
                while let Some(bytes @ [_, ..]) = pending.get(*at..) {
                    let (passed, is_end) = walk.step(bytes);
                    *at += passed;
                    if is_end && *at >= min {
                        return Some(*at);
                    }
                }
                None
            }
        }
    }

    /// How much can be cut off although no member begins there: all but what may be half of a beginning.
    pub(super) fn searched(&self, pending: &[u8]) -> usize {
        match self {
            Self::Gzip { searched } => (*searched).min(pending.len()),
            Self::Zstd { .. } => pending.len(),
        }
    }

    /// So many bytes have been cut off.
    pub(super) fn cut(&mut self, length: usize) {
        match self {
            Self::Gzip { searched: at } | Self::Zstd { at, .. } => *at = at.saturating_sub(length),
        }
    }
}

/// The first place in `bytes`, not before `from`, where the whole header of a gzip member may stand.
pub(crate) fn next_member(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        at += memmem::find(bytes.get(at..)?, &[0x1F, 0x8B, 8])?;
        if is_gzip_header(bytes.get(at..at + GZIP_HEADER)?) {
            return Some(at);
        }
        at += 1;
    }
}

/// Whether a header is one that is written: with flags that have a meaning, the marks of a compressor and of a system.
fn is_gzip_header(header: &[u8]) -> bool {
    match header {
        [0x1F, 0x8B, 8, flags, _, _, _, _, extra, system] => {
            flags & 0xE0 == 0 && matches!(extra, 0 | 2 | 4) && matches!(system, 0..=13 | 255)
        }
        _ => false,
    }
}
