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
    is_at_start: bool,
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
        Ok(Self { decoder, at_one_go, is_at_start: true })
    }
}

impl Member for ZstdFrame {
    fn restart(&mut self) -> io::Result<()> {
        self.is_at_start = true;
        self.decoder.reinit()
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        let at_start = std::mem::take(&mut self.is_at_start);
        // The decoder takes the short way only when it sees the whole frame at once.
        let input = if at_start && !self.at_one_go { input.get(..1).unwrap_or(input) } else { input };
        match self.decoder.run_on_buffers(input, output) {
            Ok(status) => Step {
                consumed: status.bytes_read,
                produced: status.bytes_written,
                ended: Ok(status.remaining == 0),
            },
            Err(error) => Step { consumed: 0, produced: 0, ended: Err(broken(&error)) },
        }
    }
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
