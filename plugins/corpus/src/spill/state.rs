//! What a saved state says of itself.

use std::io::Read;

use tamis_plugin::Failure;

use super::BlockReader;

/// The version of the format; another one is refused.
const VERSION: u32 = 1;

/// A header is some hundred bytes; what claims more is none.
const MOST_BYTES: u32 = 64 * 1024;

/// The first block of a state, as text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header<'a> {
    /// The stage that saved it.
    pub(crate) stage: &'a str,
    /// The options that decide what is observed, as text.
    pub(crate) options: &'a str,
}

impl Header<'_> {
    pub(super) fn encoded(&self) -> Vec<u8> {
        format!("tamis state {VERSION}\n{}\n{}", self.stage, self.options).into_bytes()
    }

    /// Reads a header and compares it with this one.
    ///
    /// # Errors
    ///
    /// When it is another or none.
    pub(super) fn check<R: Read>(&self, blocks: &mut BlockReader<R>) -> Result<(), Failure> {
        let stage = self.stage;
        let none = || Failure::new(format!("these bytes are no saved state of `{stage}`"));
        let block = blocks.block(MOST_BYTES).map_err(|_| none())?;
        let text = std::str::from_utf8(block).map_err(|_| none())?;
        let mut lines = text.splitn(3, '\n');
        let version = lines.next().and_then(|line| line.strip_prefix("tamis state ")).ok_or_else(none)?;
        if version != VERSION.to_string() {
            return Err(Failure::new(format!(
                "the state has version {version} of its format, but this program knows {VERSION}: run all shards with the same program"
            )));
        }
        let (of, options) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        if of != stage {
            return Err(Failure::new(format!("the state was saved by `{of}`, not by `{stage}`")));
        }
        if options != self.options {
            return Err(Failure::new(format!(
                "the state of `{stage}` was saved with other options: {options} there, {} here",
                self.options
            )));
        }
        Ok(())
    }
}
