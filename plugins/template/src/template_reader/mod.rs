//! Reads documents that lines of their own part.

mod options;
#[cfg(test)]
mod tests;

use tamis_plugin::{Block, Cut, Emit, Failure, NewDocument, Reader, SetupError};

pub use options::TemplateReaderOptions;

/// The stage; see [`TemplateReaderOptions`] for what it does.
pub struct TemplateReader {
    options: TemplateReaderOptions,
}

impl Reader for TemplateReader {
    const NAME: &'static str = "template-reader";
    type Options = TemplateReaderOptions;

    fn open(options: TemplateReaderOptions) -> Result<Self, SetupError> {
        if options.separator.trim() != options.separator || options.separator.contains('\n') {
            return Err(SetupError::in_option("separator", "it is one line, without blanks around it"));
        }
        Ok(Self { options })
    }

    // How sure it is that a file is its own, for `use = "auto"`, which takes the surest reader.
    fn sniff(&self, _head: &[u8], _complete: bool, name: &str) -> u8 {
        if name.ends_with(".template-reader") { 60 } else { 0 }
    }

    // Where the runner may cut a file: behind the last separator, so that blocks hold whole documents.
    fn cut(&self, bytes: &[u8], end: bool) -> Cut {
        let records = || self.records(bytes).count() as u64;
        let last = self.separators(bytes).last();
        match last {
            _ if end => Cut::At { bytes: bytes.len(), records: records() },
            Some((_, behind)) if behind > 0 => {
                Cut::At { bytes: behind, records: self.separators(bytes).count() as u64 }
            }
            _ => Cut::More,
        }
    }

    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        for (ordinal, (start, record)) in (block.first_ordinal..).zip(self.records(block.bytes)) {
            let offset = block.offset + start as u64;
            // A record that cannot be read costs itself; its bytes are kept.
            match std::str::from_utf8(record) {
                Ok(text) => emit.document(&NewDocument {
                    text,
                    ordinal,
                    offset,
                    length: record.len() as u64,
                    ..NewDocument::default()
                }),
                Err(error) => emit.failed(ordinal, offset, record, &Failure::new(error)),
            }
        }
        Ok(())
    }
}

impl TemplateReader {
    /// Where each line that is a separator begins, and where the next line does; the last line of the bytes may be
    /// the beginning of a longer one, so it counts only with its end.
    fn separators<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = (usize, usize)> + 'a {
        let mut at = 0;
        bytes.split_inclusive(|byte| *byte == b'\n').filter_map(move |line| {
            let start = at;
            at += line.len();
            let is_separator =
                line.ends_with(b"\n") && line.trim_ascii() == self.options.separator.as_bytes();
            is_separator.then_some((start, at))
        })
    }

    /// The records, each with its place: what stands before each separator, and behind the last one.
    fn records<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = (usize, &'a [u8])> + 'a {
        let ends = self.separators(bytes).chain([(bytes.len(), bytes.len())]);
        let mut start = 0;
        ends.filter_map(move |(end, next)| {
            let begin = std::mem::replace(&mut start, next);
            // Nothing stands behind a separator at the end of a file.
            (begin < end || end < next).then(|| (begin, bytes.get(begin..end).unwrap_or_default()))
        })
    }
}
