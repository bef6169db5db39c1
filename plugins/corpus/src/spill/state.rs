//! What a saved state says of itself.

use std::io::Read;

use tamis_plugin::Failure;

use super::BlockReader;

/// The program that saves and reads states.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// A header is some hundred bytes; what claims more is none.
const MOST_BYTES: u32 = 64 * 1024;

/// The first block of a state, as text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Header<'a> {
    /// The stage that saved it.
    pub(crate) stage: &'a str,
    /// The version of the format of its entries; another one is refused.
    pub(crate) format: u32,
    /// The options that decide what is observed, as text.
    pub(crate) options: &'a str,
}

impl Header<'_> {
    pub(super) fn encoded(&self) -> Vec<u8> {
        format!("tamis state {} {PROGRAM}\n{}\n{}", self.format, self.stage, self.options).into_bytes()
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
        let saved = lines.next().and_then(|line| line.strip_prefix("tamis state ")).ok_or_else(none)?;
        // The first format did not name its program.
        let (format, program) = saved.split_once(' ').unwrap_or((saved, "(an earlier one)"));
        if format != self.format.to_string() {
            return Err(Failure::new(format!(
                "the state of `{stage}` was saved by tamis {program} with format {format}, and tamis {PROGRAM} reads format {}: run the segment that saved it again with this program",
                self.format
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
