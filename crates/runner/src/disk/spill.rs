//! Documents that are put aside between two segments: frames of records in one file.
//!
//! A frame is what one task left, so that a later segment works on the same units in the same order.
//! The form is ours alone and lasts as long as the run: records in binary, as they are at first, and beyond some
//! gigabytes with zstd at its fastest level.
//!
//! To compress and decompress text costs about as much as everything else that is done with a document that is
//! read, hashed and written again (`cargo xtask bench`, case `dedup`), and a file of a few gigabytes that was just
//! written is read from memory. What is larger than that meets the disk, and there the bytes count.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use tamis_document::Record;
use tamis_packed::Unpacker;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::appended::{Appended, check_length};
use crate::error::RunError;

/// Documents compress well at any level, and a pass should cost little more than reading a disk.
const LEVEL: i32 = 1;
/// So many bytes of a spill are written as they are.
const PLAIN_BYTES: u64 = 8 << 30;
/// Bytes of the header of a frame: lengths compressed and plain, records, and the sum of its bytes.
const HEADER: usize = 32;

/// The records of one task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Compressed, unless they are as many as plain.
    bytes: Vec<u8>,
    plain_bytes: u64,
    pub(crate) records: u64,
    /// Of the bytes: what was put aside lies on a disk for hours, and a flipped bit must not become
    /// another text. Ten gigabytes a second cost nothing beside the rest.
    sum: u64,
}

impl Frame {
    /// Packs the records of a task, each with the number of documents that were split off it. `before` bytes have been
    /// spilled before, or about so many: what is packed is the same however it lies on the disk.
    pub(crate) fn pack(records: &[Record], numbered: &[u64], before: u64) -> Result<Self, RunError> {
        let mut plain = Vec::with_capacity(records.iter().map(|record| record.document.size() + 96).sum());
        for (record, numbered) in records.iter().zip(numbered) {
            plain.extend_from_slice(&numbered.to_le_bytes());
            tamis_packed::pack(record, &mut plain);
        }
        let (plain_bytes, records) = (plain.len() as u64, records.len() as u64);
        let bytes = if before < PLAIN_BYTES { plain } else { compressed(plain)? };
        let sum = sum_of(&bytes, plain_bytes, records);
        Ok(Self { bytes, plain_bytes, records, sum })
    }

    /// The records, and how many documents were split off each.
    pub(crate) fn unpack(&self) -> Result<(Vec<Record>, Vec<u64>), RunError> {
        let broken =
            || RunError::Spill { message: "a frame does not hold the records that it should".to_owned() };
        // Before the lengths are believed.
        if sum_of(&self.bytes, self.plain_bytes, self.records) != self.sum {
            let message = "a frame was changed since it was written: the disk may be failing".to_owned();
            return Err(RunError::Spill { message });
        }
        let is_plain = self.bytes.len() as u64 == self.plain_bytes;
        let unpacked = if is_plain {
            Ok(Vec::new())
        } else {
            zstd::bulk::decompress(&self.bytes, self.plain_bytes as usize)
        };
        let unpacked = unpacked.map_err(|_| broken())?;
        let plain = if is_plain { &self.bytes } else { &unpacked };
        let (mut records, mut numbered) = (Vec::new(), Vec::new());
        let mut rest = Unpacker::new(plain);
        while !rest.is_empty() {
            numbered.push(rest.word().ok_or_else(broken)?);
            records.push(rest.record().ok_or_else(broken)?);
        }
        if records.len() as u64 == self.records { Ok((records, numbered)) } else { Err(broken()) }
    }

    /// Bytes of memory that it takes, unpacked.
    pub(crate) fn weight(&self) -> u64 {
        self.plain_bytes
    }

    /// Bytes of the file that it takes.
    pub(crate) fn length(&self) -> u64 {
        (HEADER + self.bytes.len()) as u64
    }
}

/// The sum of a frame: its bytes, how many they are unpacked, and of how many records.
fn sum_of(bytes: &[u8], plain_bytes: u64, records: u64) -> u64 {
    let seed = xxh3_64(&[plain_bytes.to_le_bytes(), records.to_le_bytes()].concat());
    xxh3_64_with_seed(bytes, seed)
}

/// Fewer bytes than before, or the same: a frame of as many bytes is none that was compressed.
fn compressed(plain: Vec<u8>) -> Result<Vec<u8>, RunError> {
    let bytes = zstd::bulk::compress(&plain, LEVEL)
        .map_err(|error| RunError::Internal { message: format!("cannot compress a spill: {error}") })?;
    Ok(if bytes.len() < plain.len() { bytes } else { plain })
}

/// Writes frames.
pub(crate) struct SpillWriter(Appended);

impl SpillWriter {
    /// Goes on with a file of which `length` bytes hold, or begins one.
    pub(crate) fn open(path: PathBuf, length: u64) -> Result<Self, RunError> {
        Appended::open(path, length).map(Self)
    }

    pub(crate) fn write(&mut self, frame: &Frame) -> Result<(), RunError> {
        let mut header = [0; HEADER];
        let words = [frame.bytes.len() as u64, frame.plain_bytes, frame.records, frame.sum];
        for (place, word) in header.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        self.0.write(&header, &frame.bytes)
    }

    /// What was written so far is on the disk when this returns; how much that is.
    pub(crate) fn save(&mut self) -> Result<u64, RunError> {
        self.0.save()
    }
}

/// Reads frames in order.
pub(crate) struct SpillReader {
    file: BufReader<File>,
    /// Bytes that are still to be read.
    rest: u64,
}

impl SpillReader {
    /// Reads the first `length` bytes of a spill.
    pub(crate) fn open(path: &Path, length: u64) -> Result<Self, RunError> {
        let broken =
            |error: std::io::Error| RunError::Spill { message: format!("`{}`: {error}", path.display()) };
        let file = File::open(path).map_err(broken)?;
        check_length(&file, length).map_err(broken)?;
        Ok(Self { file: BufReader::with_capacity(1 << 16, file), rest: length })
    }

    pub(crate) fn next(&mut self) -> Result<Option<Frame>, RunError> {
        if self.rest == 0 {
            return Ok(None);
        }
        let broken = |error: std::io::Error| RunError::Spill { message: error.to_string() };
        let mut header = [0; HEADER];
        self.file.read_exact(&mut header).map_err(broken)?;
        let mut words = header.chunks_exact(8).map(|word| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(word);
            u64::from_le_bytes(bytes)
        });
        let mut word = || words.next().unwrap_or(0);
        let (length, plain_bytes, records, sum) = (word(), word(), word(), word());
        let whole = length.saturating_add(HEADER as u64);
        if whole > self.rest {
            return Err(broken(std::io::Error::other("a frame is longer than the file")));
        }
        self.rest -= whole;
        let mut bytes = vec![0; length as usize];
        self.file.read_exact(&mut bytes).map_err(broken)?;
        Ok(Some(Frame { bytes, plain_bytes, records, sum }))
    }

    /// Passes over frames.
    pub(crate) fn skip(&mut self, frames: usize) -> Result<(), RunError> {
        for _ in 0..frames {
            self.next()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tamis_document::{Document, Value};

    use super::*;

    fn records() -> Vec<Record> {
        let record = |n: u64| {
            let mut document =
                Document::new(format!("d{n}"), "a text that repeats itself, ".repeat(n as usize));
            document.raw = n.is_multiple_of(2).then(|| vec![0xFF; 9]);
            document.metadata.insert("n", Value::Integer(n.cast_signed()));
            Record { position: u128::from(n) << 70, ..Record::from(document) }
        };
        (0..20).map(record).collect()
    }

    #[test]
    fn records_come_back_whether_they_were_compressed_or_not() {
        let records = records();
        let numbered: Vec<u64> = (0..20).collect();
        let plain = Frame::pack(&records, &numbered, 0).unwrap();
        let compressed = Frame::pack(&records, &numbered, PLAIN_BYTES).unwrap();
        assert_eq!(plain.length(), HEADER as u64 + plain.weight());
        assert!(compressed.length() < plain.length() && compressed.weight() == plain.weight());
        for mut frame in [plain, compressed] {
            assert_eq!(frame.unpack().unwrap(), (records.clone(), numbered.clone()));
            frame.bytes[70] ^= 1;
            assert!(frame.unpack().unwrap_err().to_string().contains("was changed since it was written"));
        }
        let all_bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(
            super::compressed(all_bytes.clone()).unwrap(),
            all_bytes,
            "what does not get smaller stays"
        );
    }
}
