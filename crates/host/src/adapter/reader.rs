//! Readers.

use std::sync::Arc;

use tamis_document::Record;
use tamis_plugin::abi::{self, Str};
use tamis_stage::handle::{Effects, ReaderHandle};
use tamis_stage::{Block, Cut, Failure};

use super::Instance;
use crate::call::{Decode, Target, str};

/// A block as the plugin sees it; valid as long as the block is borrowed.
fn view(block: &Block<'_>) -> abi::Block {
    abi::Block {
        file: str(block.file),
        bytes: Str::new(block.bytes),
        offset: block.offset,
        first_ordinal: block.first_ordinal,
        head: Str::new(block.head),
    }
}

pub(super) struct Reader {
    instance: Instance,
    table: &'static abi::Reader,
}

impl Reader {
    pub(super) fn new(instance: Instance, table: &'static abi::Reader) -> Self {
        Self { instance, table }
    }
}

impl ReaderHandle for Reader {
    fn sniff(&self, head: &[u8], complete: bool, name: &str) -> u8 {
        let Some(sniff) = self.table.sniff else { return 0 };
        let head = view(&Block { file: name, head: &[], bytes: head, offset: 0, first_ordinal: 0 });
        let mut score = 0;
        let mut call = self.instance.call(Target::Nothing);
        // What the reader says of an error is logged: a file that it cannot look at is not its own.
        let looked = call.run(|host| {
            // SAFETY: the table was checked, the instance is open, and the block outlives the call.
            score = unsafe { sniff(self.instance.pointer, &raw const head, complete.into(), host) };
            abi::OK
        });
        if looked.is_ok() { score.min(100) as u8 } else { 0 }
    }

    fn head(&self, block: &Block<'_>, end: bool) -> Result<Option<usize>, Failure> {
        let Some(head) = self.table.head else { return Ok(Some(0)) };
        let mut out = abi::MORE;
        let view = view(block);
        let mut call = self.instance.call(Target::Nothing);
        // SAFETY: the table was checked, the instance is open, and the block outlives the call.
        call.run(|host| unsafe {
            head(self.instance.pointer, &raw const view, end.into(), &raw mut out, host)
        })
        .map_err(|error| self.instance.failure(&error))?;
        match usize::try_from(out) {
            Ok(length) if length <= block.bytes.len() => Ok(Some(length)),
            _ if out == abi::MORE => Ok(None),
            _ => Err(self.instance.breach(&format!(
                "it found a head of {out} bytes in the first {} of a file",
                block.bytes.len()
            ))),
        }
    }

    fn cut(&self, block: &Block<'_>, end: bool) -> Result<Cut, Failure> {
        let bytes = block.bytes;
        let Some(cut) = self.table.cut else {
            // A reader of whole files: one record, once all of the file is there.
            return Ok(if end { Cut::At { bytes: bytes.len(), records: 1 } } else { Cut::More });
        };
        let mut out = abi::Cut { bytes: 0, records: 0, reserved: [std::ptr::null(); 2] };
        let view = view(block);
        let mut call = self.instance.call(Target::Nothing);
        // SAFETY: the table was checked and the instance is open.
        call.run(|host| unsafe {
            cut(self.instance.pointer, &raw const view, end.into(), &raw mut out, host)
        })
        .map_err(|error| self.instance.failure(&error))?;
        let taken = usize::try_from(out.bytes).unwrap_or(usize::MAX);
        if taken > bytes.len() || (end && taken != bytes.len()) {
            let rule = if end { " at the end of the file, where it must take all" } else { "" };
            return Err(self.instance.breach(&format!(
                "it cut {} bytes off a block of {}{rule}",
                out.bytes,
                bytes.len()
            )));
        }
        // One record a byte, and one for the end of the file: more would be garbage, and ordinals would run over.
        if out.records > taken as u64 + 1 {
            let breach = format!("it found {} records in {taken} bytes", out.records);
            return Err(self.instance.breach(&breach));
        }
        Ok(if taken == 0 && !bytes.is_empty() {
            Cut::More
        } else {
            Cut::At { bytes: taken, records: out.records }
        })
    }

    fn decode(
        &self,
        block: &Block<'_>,
        records: &mut Vec<Record>,
        effects: &mut Effects,
    ) -> Result<(), Failure> {
        let Some(decode) = self.table.decode else { return Ok(()) };
        let view = view(block);
        let before = records.len();
        let target = Target::Decode(Decode {
            file: Arc::from(block.file),
            records,
            next_ordinal: block.first_ordinal,
        });
        let mut call = self.instance.call(target);
        // SAFETY: the table was checked, the instance is open, and the block outlives the call.
        let result = call.run(|host| unsafe { decode(self.instance.pointer, &raw const view, host) });
        for (name, n) in call.counts {
            let counter = effects.counts.entry(name).or_default();
            *counter = counter.saturating_add(n);
        }
        result.map_err(|error| self.instance.failure(&error))?;
        let is_blank = block.bytes.iter().all(u8::is_ascii_whitespace);
        if records.len() == before && !is_blank {
            return Err(self.instance.breach(&format!(
                "it read no record out of {} bytes, and did not say that it failed",
                block.bytes.len()
            )));
        }
        Ok(())
    }
}
