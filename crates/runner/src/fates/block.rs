//! Some rows of the table, packed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;
use std::io::{self, Read};

use tamis_document::{Fate, Limit, Measure};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::row::FateRow;
use crate::error::RunError;

/// Ids and reasons are short and alike: higher levels take longer and save next to nothing.
const LEVEL: i32 = 1;
pub(crate) const HEADER: usize = 32 + 8 * N_COLUMNS;
/// The lowest bits of a position, which are hardly ever set: letter and split.
const LOW_BITS: u32 = 25;
const LOW: u128 = (1 << LOW_BITS) - 1;
const MAX_MEASURES: usize = 8;
const MAX_REASON: usize = 200;
/// What is kept of an f32: sign, exponent and eleven bits behind the point.
const DROPPED_BITS: u32 = 12;

/// The columns, in the order in which they stand.
const FATES: usize = 0;
const POSITIONS: usize = 1;
const IDS: usize = 2;
const MEASURES: usize = 3;
/// One more is a place in [`FateRow`], in `push` of the builder and its two callers, in `finish` and `unpack`, in the table
/// of the module's page, and another version in `MAGIC` and `END`; what comes from a record must also come back from a
/// spill.
const N_COLUMNS: usize = 4;

/// Packed rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) header: Header,
    /// The columns, one behind the other.
    pub(crate) bytes: Vec<u8>,
}

/// What stands before the columns of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) rows: u32,
    sum: u64,
    /// The position of the first row.
    pub(crate) first: u128,
    /// Bytes of each column as it is stored, and plain.
    columns: [(u32, u32); N_COLUMNS],
}

/// Packs rows, which come in the order of their positions.
#[derive(Default)]
pub(crate) struct Builder {
    pub(crate) rows: u32,
    first: u128,
    last: u128,
    fates: Dictionary<(u8, String, String)>,
    fate_of_row: Vec<u8>,
    positions: Vec<u8>,
    last_id: String,
    shared: Vec<u8>,
    lengths: Vec<u8>,
    ids: Vec<u8>,
    /// By name, kind of the limit, and the bits of the limit.
    measures: Dictionary<(String, u8, u64)>,
    counts: Vec<u8>,
    which: Vec<u8>,
    values: Vec<u32>,
}

impl Builder {
    /// Adds a row.
    pub(crate) fn push(
        &mut self,
        id: &str,
        position: u128,
        fate: &Fate,
        stage: Option<&str>,
        measures: &[Measure],
    ) {
        self.push_fate(fate, stage);
        self.push_position(position);
        self.push_id(id);
        self.push_measures(measures);
        self.rows += 1;
    }

    fn push_fate(&mut self, fate: &Fate, stage: Option<&str>) {
        let (code, reason) = match fate {
            Fate::Kept => (0, ""),
            Fate::Dropped(reason) => (1, reason.as_ref()),
            Fate::Failed(reason) => (2, reason.as_ref()),
        };
        let reason = reason.get(..reason.floor_char_boundary(MAX_REASON)).unwrap_or_default();
        let stage = stage.unwrap_or_default();
        let is_same = |(a, b, c): &(u8, String, String)| *a == code && b == stage && c == reason;
        let number = self.fates.number(is_same, || (code, stage.to_owned(), reason.to_owned()));
        put(number as u128, &mut self.fate_of_row);
    }

    fn push_position(&mut self, position: u128) {
        if self.rows == 0 {
            (self.first, self.last) = (position, position);
        }
        let (place, low) = (position >> LOW_BITS, position & LOW);
        let further = place.saturating_sub(self.last >> LOW_BITS);
        put(further << 1 | u128::from(low != 0), &mut self.positions);
        if low != 0 {
            put(low, &mut self.positions);
        }
        self.last = position;
    }

    fn push_id(&mut self, id: &str) {
        let shared = n_shared(self.last_id.as_bytes(), id.as_bytes());
        put(shared as u128, &mut self.shared);
        put((id.len() - shared) as u128, &mut self.lengths);
        self.ids.extend_from_slice(&id.as_bytes()[shared..]);
        self.last_id.clear();
        self.last_id.push_str(id);
    }

    fn push_measures(&mut self, measures: &[Measure]) {
        let chosen = chosen(measures);
        put(chosen.len() as u128, &mut self.counts);
        for measure in chosen {
            let (kind, limit) = match measure.limit {
                Limit::None => (0, 0.0),
                Limit::Min(limit) => (1, limit),
                Limit::Max(limit) => (2, limit),
            };
            let (name, limit) = (measure.name.as_ref(), limit.to_bits());
            let is_same = |(a, b, c): &(String, u8, u64)| *c == limit && *b == kind && a == name;
            let number = self.measures.number(is_same, || (name.to_owned(), kind, limit));
            put(number as u128, &mut self.which);
            self.values.push(rounded(measure));
        }
    }

    /// The block; nothing if there are no rows.
    pub(crate) fn finish(self) -> Result<Option<Block>, RunError> {
        if self.rows == 0 {
            return Ok(None);
        }
        let fates = self.fates.column(|(code, stage, reason), column| {
            column.push(*code);
            put_text(stage, column);
            put_text(reason, column);
        });
        let fates = [fates, self.fate_of_row].concat();
        let ids = [self.shared, self.lengths, self.ids].concat();
        let measures = self.measures.column(|(name, kind, limit), column| {
            put_text(name, column);
            column.push(*kind);
            column.extend_from_slice(&limit.to_le_bytes());
        });
        let mut measures = [measures, self.counts, self.which].concat();
        for shift in [24, 16, 8] {
            measures.extend(self.values.iter().map(|value| (value >> shift) as u8));
        }
        let (mut bytes, mut columns) = (Vec::new(), [(0, 0); N_COLUMNS]);
        for (column, plain) in columns.iter_mut().zip([fates, self.positions, ids, measures]) {
            let packed = compress(&plain).map_err(|error| cannot_pack(&error))?;
            let stored = if packed.len() < plain.len() { &packed } else { &plain };
            bytes.extend_from_slice(stored);
            *column = (stored.len() as u32, plain.len() as u32);
        }
        let header = Header { rows: self.rows, sum: 0, first: self.first, columns };
        Ok(Some(Block { header: Header { sum: header.sum_with(&bytes), ..header }, bytes }))
    }
}

/// Numbers for what comes again and again.
struct Dictionary<T> {
    entries: Vec<T>,
    numbers: HashMap<T, usize>,
    last: usize,
}

impl<T> Default for Dictionary<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), numbers: HashMap::new(), last: 0 }
    }
}

impl<T: Clone + Eq + Hash> Dictionary<T> {
    /// The number of an entry, which `make` makes if it is new.
    ///
    /// Rows mostly have the fate of the one before, and measures the order that they had there: looking at these two
    /// first spares nearly every row the making of an entry to look it up.
    fn number(&mut self, is_same: impl Fn(&T) -> bool, make: impl FnOnce() -> T) -> usize {
        let next = if self.last + 1 < self.entries.len() { self.last + 1 } else { 0 };
        let likely = [self.last, next].into_iter().find(|at| self.entries.get(*at).is_some_and(&is_same));
        self.last = likely.unwrap_or_else(|| {
            let (entry, number) = (make(), self.entries.len());
            *self.numbers.entry(entry).or_insert_with_key(|entry| {
                self.entries.push(entry.clone());
                number
            })
        });
        self.last
    }

    /// How many entries there are, and these as `put_entry` puts them.
    fn column(&self, put_entry: impl Fn(&T, &mut Vec<u8>)) -> Vec<u8> {
        let mut column = Vec::new();
        put(self.entries.len() as u128, &mut column);
        self.entries.iter().for_each(|entry| put_entry(entry, &mut column));
        column
    }
}

thread_local! {
    /// The memory of a compressor is half a megabyte, which to ask for costs as much as to compress the rows of a block.
    static COMPRESSOR: RefCell<Option<zstd::bulk::Compressor<'static>>> = const { RefCell::new(None) };
}

fn compress(plain: &[u8]) -> io::Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|kept| {
        let compressor = match kept {
            Some(compressor) => compressor,
            None => kept.insert(zstd::bulk::Compressor::new(LEVEL)?),
        };
        compressor.compress(plain)
    })
}

/// How many bytes two ids begin with in common; ids of neighbours share most of them.
fn n_shared(one: &[u8], other: &[u8]) -> usize {
    let words = one.chunks_exact(8).zip(other.chunks_exact(8)).take_while(|(a, b)| a == b).count() * 8;
    let rest = one.iter().zip(other).skip(words).take_while(|(a, b)| a == b);
    words + rest.count()
}

fn cannot_pack(error: &io::Error) -> RunError {
    RunError::Internal { message: format!("cannot compress fates: {error}") }
}

/// The measures that a row holds, in their order.
fn chosen(measures: &[Measure]) -> Vec<&Measure> {
    if measures.len() <= MAX_MEASURES {
        return measures.iter().collect();
    }
    let mut indices: Vec<usize> = (0..measures.len()).rev().collect();
    // Stable: of each kind the later come first.
    indices.sort_by_key(|index| measures[*index].holds());
    indices.truncate(MAX_MEASURES);
    indices.sort_unstable();
    indices.into_iter().map(|index| &measures[index]).collect()
}

/// The bits that are kept of a value, in their place: those of the nearest value that is on the same side of the limit,
/// or a document would seem to have been dropped for nothing.
fn rounded(measure: &Measure) -> u32 {
    const UNIT: u32 = 1 << DROPPED_BITS;
    let bits = (measure.value as f32).to_bits();
    let below = bits / UNIT * UNIT;
    let (nearest, other) = if bits - below >= UNIT / 2 {
        (below.saturating_add(UNIT), below)
    } else {
        (below, below.saturating_add(UNIT))
    };
    let holds = |bits: &u32| {
        let value = f64::from(f32::from_bits(*bits));
        let is_like =
            value.is_nan() == measure.value.is_nan() && value.is_finite() == measure.value.is_finite();
        is_like && Measure { name: "".into(), value, limit: measure.limit }.holds() == measure.holds()
    };
    [nearest, other].into_iter().find(holds).unwrap_or(below)
}

impl Header {
    pub(crate) fn to_bytes(self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[0..4].copy_from_slice(&self.rows.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.sum.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.first.to_le_bytes());
        for (place, (stored, plain)) in bytes[32..].chunks_exact_mut(8).zip(self.columns) {
            place[..4].copy_from_slice(&stored.to_le_bytes());
            place[4..].copy_from_slice(&plain.to_le_bytes());
        }
        bytes
    }

    pub(crate) fn of(bytes: &[u8; HEADER]) -> Self {
        let mut reader = &bytes[..];
        // There are as many bytes as are taken.
        let rows = take::<4>(&mut reader).map_or(0, u32::from_le_bytes);
        take::<4>(&mut reader);
        let sum = take::<8>(&mut reader).map_or(0, u64::from_le_bytes);
        let first = take::<16>(&mut reader).map_or(0, u128::from_le_bytes);
        let mut word = || take::<4>(&mut reader).map_or(0, u32::from_le_bytes);
        let columns = std::array::from_fn(|_| (word(), word()));
        Self { rows, sum, first, columns }
    }

    /// The sum of a block: of its columns, and of what else stands in the header.
    fn sum_with(self, columns: &[u8]) -> u64 {
        xxh3_64_with_seed(columns, xxh3_64(&Self { sum: 0, ..self }.to_bytes()))
    }

    /// Bytes of the columns.
    pub(crate) fn length(&self) -> u64 {
        self.columns.iter().map(|(stored, _)| u64::from(*stored)).sum()
    }

    /// Where the ids begin behind the header, and their bytes as they are stored.
    pub(crate) fn ids(&self) -> (u64, usize) {
        let before = self.columns[..IDS].iter().map(|(stored, _)| u64::from(*stored)).sum();
        (before, self.columns[IDS].0 as usize)
    }

    /// The row numbers of an id, from the stored ids; none when they are damaged.
    pub(crate) fn find(&self, stored: &[u8], wanted: &str) -> Option<Vec<usize>> {
        let plain = unpack(stored, self.columns[IDS])?;
        let mut found = Vec::new();
        each_id(&plain, self.rows as usize, |row, id| {
            if id == wanted.as_bytes() {
                found.push(row);
            }
        })?;
        Some(found)
    }
}

impl Block {
    /// The rows; none when the bytes are not what they were.
    pub(crate) fn unpack(&self) -> Option<Vec<FateRow>> {
        if self.header.sum_with(&self.bytes) != self.header.sum {
            return None;
        }
        let (mut rest, mut columns) = (&self.bytes[..], Vec::with_capacity(N_COLUMNS));
        for sizes in self.header.columns {
            let (stored, behind) = rest.split_at_checked(sizes.0 as usize)?;
            columns.push(unpack(stored, sizes)?);
            rest = behind;
        }
        let n_rows = self.header.rows as usize;
        let mut rows = Vec::with_capacity(n_rows.min(columns[FATES].len()));
        each_id(&columns[IDS], n_rows, |_, id| {
            let id = String::from_utf8_lossy(id).into_owned();
            rows.push(FateRow { id, position: 0, fate: Fate::Kept, stage: None, measures: Vec::new() });
        })?;
        read_fates(&columns[FATES], &mut rows)?;
        read_positions(&columns[POSITIONS], self.header.first, &mut rows)?;
        read_measures(&columns[MEASURES], &mut rows)?;
        Some(rows)
    }
}

fn unpack(stored: &[u8], (packed, plain): (u32, u32)) -> Option<Vec<u8>> {
    if packed == plain {
        return Some(stored.to_vec());
    }
    zstd::bulk::decompress(stored, plain as usize).ok().filter(|bytes| bytes.len() == plain as usize)
}

fn each_id(column: &[u8], n_rows: usize, mut see: impl FnMut(usize, &[u8])) -> Option<()> {
    let mut rest = column;
    let mut numbers =
        || (0..n_rows).map(|_| usize::try_from(varint(&mut rest)?).ok()).collect::<Option<Vec<_>>>();
    let (shared, lengths) = (numbers()?, numbers()?);
    let mut id = Vec::new();
    for (row, (shared, length)) in shared.into_iter().zip(lengths).enumerate() {
        let (suffix, behind) = rest.split_at_checked(length)?;
        id.truncate(shared);
        id.extend_from_slice(suffix);
        see(row, &id);
        rest = behind;
    }
    Some(())
}

fn read_fates(column: &[u8], rows: &mut [FateRow]) -> Option<()> {
    let mut rest = column;
    let mut known = Vec::new();
    for _ in 0..varint(&mut rest)? {
        let code = take::<1>(&mut rest)?[0];
        let (stage, reason) = (text(&mut rest)?, text(&mut rest)?);
        let fate = match code {
            0 => Fate::Kept,
            1 => Fate::Dropped(reason.into()),
            _ => Fate::Failed(reason.into()),
        };
        known.push((fate, Some(stage).filter(|stage| !stage.is_empty())));
    }
    for row in rows {
        let number = usize::try_from(varint(&mut rest)?).ok()?;
        (row.fate, row.stage) = known.get(number)?.clone();
    }
    Some(())
}

fn read_positions(column: &[u8], first: u128, rows: &mut [FateRow]) -> Option<()> {
    let (mut rest, mut place) = (column, first >> LOW_BITS);
    for row in rows {
        let further = varint(&mut rest)?;
        place = place.checked_add(further >> 1)?;
        let low = if further & 1 == 1 { varint(&mut rest)? } else { 0 };
        row.position = place << LOW_BITS | low;
    }
    Some(())
}

fn read_measures(column: &[u8], rows: &mut [FateRow]) -> Option<()> {
    let mut rest = column;
    let mut known = Vec::new();
    for _ in 0..varint(&mut rest)? {
        let name = text(&mut rest)?;
        let kind = take::<1>(&mut rest)?[0];
        let limit = f64::from_bits(u64::from_le_bytes(take::<8>(&mut rest)?));
        let limit = match kind {
            0 => Limit::None,
            1 => Limit::Min(limit),
            _ => Limit::Max(limit),
        };
        known.push(Measure { name: name.into(), value: 0.0, limit });
    }
    let counts: Vec<u128> = rows.iter().map(|_| varint(&mut rest)).collect::<Option<_>>()?;
    for (row, count) in rows.iter_mut().zip(counts) {
        for _ in 0..count {
            let number = usize::try_from(varint(&mut rest)?).ok()?;
            row.measures.push(known.get(number)?.clone());
        }
    }
    let n_values: usize = rows.iter().map(|row| row.measures.len()).sum();
    let mut planes = rest.chunks_exact(n_values.max(1));
    let (high, middle, low) = if n_values == 0 {
        (&[][..], &[][..], &[][..])
    } else {
        (planes.next()?, planes.next()?, planes.next()?)
    };
    let values = high.iter().zip(middle).zip(low);
    let measures = rows.iter_mut().flat_map(|row| &mut row.measures);
    for (measure, ((high, middle), low)) in measures.zip(values) {
        measure.value = f32::from_be_bytes([*high, *middle, *low, 0]).into();
    }
    Some(())
}

fn put(mut number: u128, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_text(text: &str, out: &mut Vec<u8>) {
    put(text.len() as u128, out);
    out.extend_from_slice(text.as_bytes());
}

fn varint(bytes: &mut &[u8]) -> Option<u128> {
    let mut number = 0;
    for shift in (0..128).step_by(7) {
        let byte = take::<1>(bytes)?[0];
        number |= u128::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn text(bytes: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(varint(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    String::from_utf8(text.to_vec()).ok()
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let mut taken = [0; N];
    bytes.read_exact(&mut taken).ok()?;
    Some(taken)
}
