//! What a saved state says of itself: the header of a tallied state.
//!
//! The layout is that of `CorpusStage::save` for states whose entries have counts, so that an engine can add up the
//! counts of all shards, and leave out what a single document has, without a line of this stage.

use std::io::Read;

use tamis_plugin::Failure;

use super::BlockReader;

/// The program that saves and reads states.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// A header is some hundred bytes; what claims more is none.
const MOST_BYTES: u32 = 64 * 1024;

/// What the first line of a tallied state begins with; the version is that of the layout.
const KIND: &str = "tamis tallied 1 ";

/// What it began with before counts could be read by others.
const EARLIER_KIND: &str = "tamis state ";

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
    /// The text, for entries whose key has so many bytes.
    pub(super) fn encoded(&self, key_bytes: usize) -> Vec<u8> {
        let Self { stage, format, options } = self;
        format!("{KIND}{PROGRAM}\n{stage}\n{key_bytes}\nformat {format}\n{options}").into_bytes()
    }

    /// Reads a header and compares it with this one.
    ///
    /// # Errors
    ///
    /// When it is another or none.
    pub(super) fn check<R: Read>(
        &self,
        key_bytes: usize,
        blocks: &mut BlockReader<R>,
    ) -> Result<(), Failure> {
        let stage = self.stage;
        let none = || Failure::new(format!("these bytes are no saved state of `{stage}`"));
        let block = blocks.block(MOST_BYTES).map_err(|_| none())?;
        let text = std::str::from_utf8(block).map_err(|_| none())?;
        let mut lines = text.splitn(5, '\n');
        let mut line = || lines.next().unwrap_or_default();
        let first = line();
        if let Some(saved) = first.strip_prefix(EARLIER_KIND) {
            // The first format did not name its program.
            let (format, program) = saved.split_once(' ').unwrap_or((saved, "(an earlier one)"));
            return Err(self.is_of_format(format, program));
        }
        let program = first.strip_prefix(KIND).ok_or_else(none)?;
        let of = line();
        if of != stage {
            return Err(Failure::new(format!("the state was saved by `{of}`, not by `{stage}`")));
        }
        let (bytes, format) = (line(), line());
        let format = format.strip_prefix("format ").ok_or_else(none)?;
        if format != self.format.to_string() {
            return Err(self.is_of_format(format, program));
        }
        if bytes != key_bytes.to_string() {
            return Err(none());
        }
        let options = line();
        if options != self.options {
            return Err(Failure::new(format!(
                "the state of `{stage}` was saved with other options: {options} there, {} here",
                self.options
            )));
        }
        Ok(())
    }

    fn is_of_format(&self, format: &str, program: &str) -> Failure {
        Failure::new(format!(
            "the state of `{}` was saved by tamis {program} with format {format}, and tamis {PROGRAM} reads format {}: run the segment that saved it again with this program",
            self.stage, self.format
        ))
    }
}
