//! Frames of Zstandard (RFC 8878).

use std::io;

use zstd::stream::raw::{DParameter, Decoder, Operation};

use super::{Broken, Member, Step};

/// The largest window, as a power of two in bytes: that of `zstd --ultra -22`, 128 MiB.
const MAX_WINDOW_LOG: u32 = 27;

/// The largest window where many frames are decompressed at once: that of `zstd -19`, 8 MiB.
const HASTY_WINDOW_LOG: u32 = 23;

/// One frame after the other.
pub(super) struct ZstdFrame {
    decoder: Decoder<'static>,
    /// Whether frames that are whole in memory are decompressed at one go. It is faster, but of a frame that is
    /// damaged nothing comes out then, not even what lies before the damage.
    at_one_go: bool,
    /// How many bytes the decoder wants: the rest of a header or of a block, and the header behind it.
    ///
    /// When it fails it does not say what it has written before, so it is given one block at a time: what comes out of
    /// a damaged frame then does not depend on how much was asked for at once.
    wanted: usize,
    /// Whether more of a block may wait than there was room for.
    is_full: bool,
}

impl ZstdFrame {
    pub(super) fn new() -> io::Result<Self> {
        Self::with(MAX_WINDOW_LOG, false)
    }

    pub(super) fn hasty() -> io::Result<Self> {
        Self::with(HASTY_WINDOW_LOG, true)
    }

    fn with(window_log: u32, at_one_go: bool) -> io::Result<Self> {
        let mut decoder = Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(window_log))?;
        Ok(Self { decoder, at_one_go, wanted: 1, is_full: false })
    }
}

impl Member for ZstdFrame {
    fn restart(&mut self) -> io::Result<()> {
        (self.wanted, self.is_full) = (1, false);
        self.decoder.reinit()
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        if self.is_full && !self.at_one_go {
            let step = self.run(&[], output);
            if step.produced > 0 || step.ended.as_ref().is_ok_and(|has_ended| *has_ended) {
                return step;
            }
        }
        // The decoder takes the short way only when it sees the whole frame at once.
        let input = if self.at_one_go { input } else { input.get(..self.wanted).unwrap_or(input) };
        self.run(input, output)
    }
}

impl ZstdFrame {
    fn run(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        match self.decoder.run_on_buffers(input, output) {
            Ok(status) => {
                self.wanted = status.remaining.max(1);
                self.is_full = status.bytes_written == output.len();
                Step {
                    consumed: status.bytes_read,
                    produced: status.bytes_written,
                    ended: Ok(status.remaining == 0),
                }
            }
            Err(error) => Step { consumed: 0, produced: 0, ended: Err(broken(&error)) },
        }
    }
}

/// How much of what came out a frame with these first bytes refers to, in bytes.
pub(super) fn window(head: &[u8]) -> Option<u64> {
    let [0x28, 0xB5, 0x2F, 0xFD, flags, descriptor, ..] = *head else { return None };
    // One that holds its length has no more than that; it is not looked at.
    if flags & 0x20 != 0 {
        return None;
    }
    let base = 1_u64 << (10 + u32::from(descriptor >> 3));
    let window = base + base / 8 * u64::from(descriptor & 7);
    Some(window.min(1 << MAX_WINDOW_LOG))
}

/// The decoder tells its errors as text only.
fn broken(error: &io::Error) -> Broken {
    let reason = error.to_string();
    if reason.contains("Unknown frame descriptor") {
        Broken::Foreign
    } else if reason.contains("too much memory") {
        let message = format!(
            "needs a window of more than {} MiB: compress it again, without `--long` beyond {MAX_WINDOW_LOG}",
            (1_u64 << MAX_WINDOW_LOG) >> 20
        );
        Broken::TooMuch(message)
    } else {
        Broken::Damaged(reason.to_lowercase())
    }
}
