//! Frames of LZ4.

use std::io::{self, BufReader, Read};

use lz4_flex::frame::FrameDecoder;

use super::{Format, Walk};

/// A stream of LZ4 frames, decompressed.
///
/// The decoder takes a file that ends between two blocks for whole; so the blocks are followed beside it.
pub(super) struct Lz4Reader {
    /// A new one for every frame: one that has read a frame with other blocks trips over its own checks.
    decoder: Option<FrameDecoder<Watched>>,
    /// What is wrong, told again and again.
    failed: Option<(io::ErrorKind, String)>,
}

/// What the decoder reads, and where in its frames that is.
struct Watched {
    reader: BufReader<Box<dyn Read + Send>>,
    walk: Walk,
    offset: u64,
    /// Where the frame begins that is being read.
    began: u64,
    /// Errors of the file itself, told apart from those of the decoder.
    has_failed: bool,
}

impl Lz4Reader {
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Self {
        let reader = BufReader::with_capacity(super::BUFFER, reader);
        let watched = Watched { reader, walk: Walk::lz4(), offset: 0, began: 0, has_failed: false };
        Self { decoder: Some(FrameDecoder::new(watched)), failed: None }
    }

    /// Reads on in this frame or, when it has ended, in the next.
    fn next(&mut self, output: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(decoder) = &mut self.decoder else { return Ok(0) };
            let before = decoder.get_ref().offset;
            let result = decoder.read(output);
            let watched = decoder.get_ref();
            match result {
                Ok(0) if !watched.walk.may_end() => {
                    return Err(Format::Lz4.breaks_off(watched.began, watched.offset));
                }
                Ok(0) if watched.offset > before => {
                    self.decoder = self.decoder.take().map(|decoder| FrameDecoder::new(decoder.into_inner()));
                }
                Ok(n) => return Ok(n),
                Err(error) if watched.has_failed => return Err(error),
                Err(error) => return Err(explain(watched, &error)),
            }
        }
    }
}

fn explain(watched: &Watched, error: &io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Format::Lz4.breaks_off(watched.began, watched.offset),
        _ if error.to_string().contains("WrongMagicNumber") => Format::Lz4.is_foreign(watched.began),
        _ => Format::Lz4.is_damaged(watched.began, &error.to_string()),
    }
}

impl Read for Lz4Reader {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        if let Some((kind, message)) = &self.failed {
            return Err(io::Error::new(*kind, message.clone()));
        }
        self.next(output).inspect_err(|error| {
            if error.kind() != io::ErrorKind::Interrupted {
                self.failed = Some((error.kind(), error.to_string()));
            }
        })
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer).inspect_err(|_| self.has_failed = true)?;
        let mut bytes = buffer.get(..n).unwrap_or_default();
        while !bytes.is_empty() {
            if self.walk.may_end() {
                self.began = self.offset;
            }
            let (passed, _) = self.walk.step(bytes);
            self.offset += passed as u64;
            bytes = bytes.get(passed..).unwrap_or_default();
        }
        Ok(n)
    }
}
