//! Pages of strings: compressed, and with their head.
//!
//! The compressor of the library belongs to a writer, and a writer to a column of a chunk; here a thread has one for
//! all pages that it makes, with the memory that they take.

use std::cell::RefCell;

use parquet::errors::{ParquetError, Result as ParquetResult};
use zstd::bulk::Compressor;
use zstd::zstd_safe::{CParameter, compress_bound};

/// What a page holds at least before the next one begins, in bytes: that of the writers of others.
pub(super) const PAGE_BYTES: usize = 1 << 20;
/// Memory beyond this is given back after a page, in bytes.
const KEPT_BYTES: usize = 4 << 20;
/// Pages up to this length are compressed with parameters of their own, in bytes.
const SMALL_PAGE: usize = 16 << 10;

/// Values on their way into a page.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// As a page holds them: the length of each in four bytes, and its own.
    pub(super) plain: Vec<u8>,
    pub(super) n_values: u32,
}

impl Values {
    /// Adds a value.
    pub(super) fn push(&mut self, value: &[u8]) -> ParquetResult<()> {
        let length = u32::try_from(value.len()).map_err(|_| too_long(value.len()))?;
        self.plain.extend_from_slice(&length.to_le_bytes());
        self.plain.extend_from_slice(value);
        self.n_values += 1;
        Ok(())
    }

    pub(super) fn is_page(&self) -> bool {
        self.plain.len() >= PAGE_BYTES
    }

    /// Appends the values to `out` as a page, and forgets them; how long the page is before compression, with its
    /// head. `level` is that of Zstandard, none without compression.
    pub(super) fn write_page(&mut self, level: Option<i32>, out: &mut Vec<u8>) -> ParquetResult<usize> {
        // What the head of a page can say.
        let plain = i32::try_from(self.plain.len()).map_err(|_| too_long(self.plain.len()))?;
        let start = out.len();
        let head = match level {
            None => {
                push_head(plain, plain, self.n_values, out);
                let head = out.len() - start;
                out.extend_from_slice(&self.plain);
                head
            }
            Some(level) => ZSTD.with_borrow_mut(|zstd| -> ParquetResult<usize> {
                let compressed = zstd.compress(&self.plain, level)?;
                let length = i32::try_from(compressed.len()).map_err(|_| too_long(compressed.len()))?;
                push_head(plain, length, self.n_values, out);
                let head = out.len() - start;
                out.extend_from_slice(compressed);
                Ok(head)
            })?,
        };
        let length = self.plain.len();
        self.clear();
        Ok(head + length)
    }

    /// Makes room for the next values.
    pub(super) fn clear(&mut self) {
        self.plain.clear();
        self.plain.shrink_to(KEPT_BYTES);
        self.n_values = 0;
    }
}

/// A value or a page that the format cannot hold.
fn too_long(length: usize) -> ParquetError {
    ParquetError::General(format!("{length} bytes are more than a page can hold"))
}

/// The head of a data page of strings that every row has: `PageHeader` of the format, in Thrift's compact protocol.
///
/// A member begins with how far its number lies behind the one before, and with its type: 5 is a number of 32 bits,
/// 12 a structure.
fn push_head(plain: i32, compressed: i32, n_values: u32, out: &mut Vec<u8>) {
    const DATA_PAGE: u8 = 0;
    const PLAIN: u8 = 0;
    /// How the lengths of levels are encoded, of which such a page has none.
    const RLE: u8 = 3;
    out.extend([0x15, DATA_PAGE, 0x15]);
    push_number(plain, out);
    out.push(0x15);
    push_number(compressed, out);
    // The fourth member, a sum to check, is left out.
    out.extend([0x2C, 0x15]);
    push_number(n_values.cast_signed(), out);
    // Numbers are doubled, so that one bit is left for the sign.
    out.extend([0x15, PLAIN << 1, 0x15, RLE << 1, 0x15, RLE << 1, 0, 0]);
}

/// A number of Thrift that is not negative: doubled, seven bits a byte, the least first.
fn push_number(number: i32, out: &mut Vec<u8>) {
    let mut rest = number.unsigned_abs() << 1;
    while rest >= 0x80 {
        out.push((rest & 0x7F) as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

thread_local! {
    static ZSTD: RefCell<Zstd> = RefCell::default();
}

/// A compressor, made when it is first needed, and room for what comes out.
#[derive(Default)]
struct Zstd {
    context: Option<Compressor<'static>>,
    out: Vec<u8>,
}

impl Zstd {
    fn compress(&mut self, plain: &[u8], level: i32) -> ParquetResult<&[u8]> {
        let context = match &mut self.context {
            Some(context) => context,
            None => self.context.insert(Compressor::new(level)?),
        };
        // Exports of one plan may differ.
        context.set_compression_level(level)?;
        // For short input the library takes a larger table and shorter matches than for long: 12 % more instructions,
        // for pages that are 2 to 6 % smaller. 0 leaves the choice to it.
        let is_small = plain.len() <= SMALL_PAGE && level == 1;
        context.set_parameter(CParameter::MinMatch(if is_small { 6 } else { 0 }))?;
        context.set_parameter(CParameter::HashLog(if is_small { 13 } else { 0 }))?;
        self.out.clear();
        self.out.shrink_to(KEPT_BYTES);
        self.out.reserve(compress_bound(plain.len()));
        context.compress_to_buffer(plain, &mut self.out)?;
        Ok(&self.out)
    }
}
