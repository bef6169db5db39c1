//! The table of contents of a zip archive, read entry by entry (APPNOTE 6.3.10, sections 4.3.12 to 4.3.16).
//!
//! A library that keeps it by name loses members that share one, and holds some hundred bytes for each member; here
//! nothing is kept but where the next entry stands.

use std::io::{self, Read};

use super::window::Window;

/// How long the fixed part of an entry is, in bytes.
const ENTRY: usize = 46;

/// How long the fixed part of a local header is, in bytes.
const LOCAL: usize = 30;

/// How long the extra fields of a local header mostly are at most, in bytes.
const ABOUT_EXTRA: usize = 64;

/// How long the record at the end is without its comment, in bytes.
const END: usize = 22;

/// How far from the end of the file that record may begin, in bytes.
const MAX_END: u64 = END as u64 + 0xFFFF;

/// The table of contents of an archive.
pub(super) struct Table {
    window: Window,
    /// Where the next entry stands, and where the table ends, in the file.
    next: u64,
    end: u64,
    /// What has to be added to places that the archive names: something stands in front of it.
    shift: u64,
    /// How many members the archive says it has.
    pub(super) expected: u64,
    /// Whether that number has 16 bits only, of which writers of larger archives keep the lower ones.
    is_short: bool,
    /// How many entries have been read.
    n_read: u64,
}

/// What the table says of a member.
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(super) size: u64,
    /// Where its local header stands in the file.
    pub(super) header: u64,
    /// The mode of a file of Unix, if it is one.
    pub(super) mode: Option<u32>,
}

impl Table {
    /// Finds the table of an archive.
    pub(super) fn find(window: &Window) -> io::Result<Self> {
        let size = window.size();
        let begin = size.saturating_sub(MAX_END);
        let mut tail = Vec::new();
        window.at(begin, size).read_to_end(&mut tail)?;
        let (at, end) =
            last_end(&tail).ok_or_else(|| broken("it has no table of contents: it was cut off"))?;
        let end_at = begin + at as u64;
        let table = Self::of(window, end, end_at)?;
        if table.next > table.end || table.end > size {
            return Err(broken("its table of contents is said to be outside of the file"));
        }
        Ok(table)
    }

    fn of(window: &Window, end: &[u8], end_at: u64) -> io::Result<Self> {
        let number = |at: usize| u64::from(u16_at(end, at));
        let (mut expected, mut length) = (number(10), u64::from(u32_at(end, 12)));
        let (mut start, mut before) = (u64::from(u32_at(end, 16)), end_at);
        let (mut is_short, mut disks) = (true, number(4).max(number(6)));
        // An archive with many or large members says more in another record, and where that is in front of this one.
        let mut locator = [0; 20];
        if let Some(at) = end_at.checked_sub(20)
            && window.at(at, end_at).read_exact(&mut locator).is_ok()
            && locator.starts_with(b"PK\x06\x07")
        {
            let mut large = [0; 56];
            // Where the archive has something in front of it the record is further behind: it ends at its locator.
            let named = u64_at(&locator, 8);
            let found = [named, at.saturating_sub(56)].into_iter().find(|place| {
                let read = window.at(*place, at).read_exact(&mut large);
                read.is_ok() && large.starts_with(b"PK\x06\x06")
            });
            let Some(place) = found else {
                return Err(broken("the record at its end leads nowhere"));
            };
            (expected, length, start, before) =
                (u64_at(&large, 32), u64_at(&large, 40), u64_at(&large, 48), place);
            (is_short, disks) = (false, u64::from(u32_at(&large, 16).max(u32_at(&large, 20))));
        }
        if disks != 0 && disks != 0xFFFF && disks != 0xFFFF_FFFF {
            return Err(broken("it is one of several files: join them first"));
        }
        let next = before
            .checked_sub(length)
            .ok_or_else(|| broken("its table of contents is longer than the file"))?;
        // Where the table is said to begin behind where it does, what it says is taken as it is.
        let shift = next.saturating_sub(start);
        Ok(Self { window: window.at(next, before), next, end: before, shift, expected, is_short, n_read: 0 })
    }

    /// The next entry; `None` behind the last.
    pub(super) fn next(&mut self) -> io::Result<Option<Entry>> {
        if self.next >= self.end {
            let is_right =
                self.expected == self.n_read || (self.is_short && self.expected == self.n_read & 0xFFFF);
            if is_right {
                self.expected = self.n_read;
                return Ok(None);
            }
            let (expected, n_read) = (self.expected, self.n_read);
            return Err(broken(&format!(
                "it is said to have {expected} members, and its table of contents has {n_read}"
            )));
        }
        let mut fixed = [0; ENTRY];
        self.read(&mut fixed)?;
        if !fixed.starts_with(b"PK\x01\x02") {
            let number = self.n_read;
            return Err(broken(&format!("entry {number} of its table of contents is damaged")));
        }
        let mut name = vec![0; usize::from(u16_at(&fixed, 28))];
        self.read(&mut name)?;
        let mut extra = vec![0; usize::from(u16_at(&fixed, 30))];
        self.read(&mut extra)?;
        let mut comment = vec![0; usize::from(u16_at(&fixed, 32))];
        self.read(&mut comment)?;
        let large = Large::of(&fixed, &extra);
        self.n_read += 1;
        // Made by a program of Unix or macOS.
        let is_unix = matches!(fixed.get(5), Some(3 | 19));
        Ok(Some(Entry {
            name,
            flags: u16_at(&fixed, 8),
            method: u16_at(&fixed, 10),
            crc: u32_at(&fixed, 16),
            packed: large.packed,
            size: large.size,
            header: large.header.saturating_add(self.shift),
            mode: is_unix.then(|| u32_at(&fixed, 38) >> 16),
        }))
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        self.window.read_exact(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                broken(&format!("its table of contents breaks off in entry {}", self.n_read))
            }
            _ => error,
        })?;
        self.next += buffer.len() as u64;
        Ok(())
    }
}

/// Lengths and places, which stand elsewhere if they are large.
struct Large {
    size: u64,
    packed: u64,
    header: u64,
}

impl Large {
    fn of(fixed: &[u8], mut extra: &[u8]) -> Self {
        let mut large = Self {
            size: u64::from(u32_at(fixed, 24)),
            packed: u64::from(u32_at(fixed, 20)),
            header: u64::from(u32_at(fixed, 42)),
        };
        while let Some((head, rest)) = extra.split_at_checked(4) {
            let length = usize::from(u16_at(head, 2)).min(rest.len());
            let (mut field, more) = rest.split_at_checked(length).unwrap_or((rest, &[]));
            if u16_at(head, 0) == 1 {
                for value in [&mut large.size, &mut large.packed, &mut large.header] {
                    if *value == 0xFFFF_FFFF
                        && let Some((number, rest)) = field.split_first_chunk()
                    {
                        (*value, field) = (u64::from_le_bytes(*number), rest);
                    }
                }
            }
            extra = more;
        }
        large
    }
}

/// The bytes of a member as they are in the archive, behind its local header.
///
/// Header and bytes are read at one go, because there are archives of a million small members, and because of stores,
/// where each request takes its time.
pub(super) fn data(window: &Window, entry: &Entry) -> io::Result<Window> {
    let about = (LOCAL + entry.name.len() + ABOUT_EXTRA) as u64;
    let mut member = window.at(entry.header, entry.header.saturating_add(about).saturating_add(entry.packed));
    let mut local = [0; LOCAL];
    member.read_exact(&mut local)?;
    if !local.starts_with(b"PK\x03\x04") {
        let message = "the table of contents leads to something that is no member";
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    }
    let start = entry.header + LOCAL as u64 + u64::from(u16_at(&local, 26)) + u64::from(u16_at(&local, 28));
    member.become_part(start, start.saturating_add(entry.packed));
    Ok(member)
}

/// The record at the end of an archive, and where it stands in `tail`.
fn last_end(tail: &[u8]) -> Option<(usize, &[u8])> {
    let last = tail.len().checked_sub(END)?;
    (0..=last).rev().find_map(|at| {
        let record = tail.get(at..)?;
        // Its comment reaches to the end, or less far if something was written behind the archive.
        let fits = record.starts_with(b"PK\x05\x06") && usize::from(u16_at(record, 20)) <= record.len() - END;
        fits.then_some((at, record))
    })
}

fn broken(how: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("the zip archive cannot be read: {how}"))
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |number| u16::from_le_bytes(*number))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |number| u32::from_le_bytes(*number))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |number| u64::from_le_bytes(*number))
}
