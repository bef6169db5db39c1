//! Compression of what a block adds to a part, as a piece of its own: pieces joined are a valid file.

use std::cell::RefCell;
use std::io::{self, Write};

use flate2::write::GzEncoder;
use tamis_config::Compression;
use tamis_config::ExportPlan;
use zstd::bulk::Compressor;

use crate::error::RunError;

thread_local! {
    /// A context takes longer to make than a small block to compress.
    static ZSTD: RefCell<Option<Zstd>> = const { RefCell::new(None) };
}

struct Zstd {
    context: Compressor<'static>,
    /// Holds the worst case; what is handed on takes no more than it needs.
    buffer: Vec<u8>,
}

/// The ending that compression adds to the name of a file.
pub(crate) fn ending(compression: Compression) -> &'static str {
    match compression {
        Compression::None => "",
        Compression::Gzip { .. } => ".gz",
        Compression::Zstd { .. } => ".zst",
    }
}

/// Compresses bytes as one gzip member or one Zstandard frame; nothing becomes nothing.
pub(crate) fn compress(compression: Compression, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    if bytes.is_empty() {
        return Ok(bytes);
    }
    match compression {
        Compression::None => Ok(bytes),
        Compression::Gzip { level } => {
            // Text shrinks to a third or less.
            let out = Vec::with_capacity(bytes.len() / 3);
            let mut encoder = GzEncoder::new(out, flate2::Compression::new(level));
            encoder.write_all(&bytes)?;
            encoder.finish()
        }
        Compression::Zstd { level } => ZSTD.with_borrow_mut(|zstd| frame(zstd, level, &bytes)),
    }
}

fn frame(zstd: &mut Option<Zstd>, level: i32, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let zstd = match zstd {
        Some(zstd) => zstd,
        None => zstd.insert(Zstd { context: Compressor::new(level)?, buffer: Vec::new() }),
    };
    // Exports of one plan may differ.
    zstd.context.set_compression_level(level)?;
    zstd.buffer.clear();
    zstd.buffer.reserve(zstd::zstd_safe::compress_bound(bytes.len()));
    zstd.context.compress_to_buffer(bytes, &mut zstd.buffer)?;
    Ok(zstd.buffer.as_slice().to_vec())
}

/// Compresses bytes as the export wants it; those of an exporter with parts are for itself.
pub(crate) fn for_export(export: &ExportPlan, bytes: Vec<u8>) -> Result<Vec<u8>, RunError> {
    if export.info.flags.parts {
        return Ok(bytes);
    }
    compress(export.compression, bytes)
        .map_err(|error| RunError::Exporter { export: export.id.clone(), message: error.to_string() })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn joined_pieces_are_one_file() {
        let pieces: Vec<Vec<u8>> =
            (1..40_usize).map(|n| format!("piece {n} ").repeat(n * n % 97).into_bytes()).collect();
        let plain = pieces.concat();
        let join = |compression: &dyn Fn(usize) -> Compression| {
            let compressed = pieces.iter().enumerate();
            let compressed =
                compressed.map(|(index, piece)| compress(compression(index), piece.clone()).unwrap());
            compressed.collect::<Vec<_>>().concat()
        };
        let read = |compression: Compression, bytes: &[u8]| {
            let mut read = Vec::new();
            match compression {
                Compression::None => read.extend_from_slice(bytes),
                Compression::Gzip { .. } => {
                    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut read).unwrap();
                }
                Compression::Zstd { .. } => read = zstd::decode_all(bytes).unwrap(),
            }
            read
        };
        for compression in [Compression::None, Compression::Gzip { level: 6 }, Compression::Zstd { level: 3 }]
        {
            assert_eq!(read(compression, &join(&|_| compression)), plain, "{compression:?}");
        }
        // Levels change from piece to piece, and a context that has served one level serves another.
        let mixed = join(&|index| Compression::Zstd { level: (index % 19) as i32 + 1 });
        assert_eq!(zstd::decode_all(mixed.as_slice()).unwrap(), plain);
        let alone = |level, index: usize| zstd::bulk::compress(&pieces[index], level).unwrap();
        assert!(mixed.ends_with(&alone(1, 38)));
    }

    #[test]
    fn frames_tell_their_size() {
        let frame = compress(Compression::Zstd { level: 3 }, vec![7; 12_345]).unwrap();
        assert_eq!(zstd::zstd_safe::get_frame_content_size(&frame).ok().flatten(), Some(12_345));
        for compression in [Compression::Gzip { level: 1 }, Compression::Zstd { level: 1 }] {
            assert!(compress(compression, Vec::new()).unwrap().is_empty());
        }
    }
}
