//! Readers.

use std::sync::Arc;

use tamis_document::Record;
use tamis_plugin::abi::{self, Str};
use tamis_stage::handle::{Effects, ReaderHandle};
use tamis_stage::{Block, Cut, Failure};

use super::Instance;
use crate::call::{Decode, Target, str};

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
        // SAFETY: the table was checked and the instance is open.
        let score = unsafe { sniff(self.instance.pointer, Str::new(head), complete.into(), str(name)) };
        score.min(100) as u8
    }

    fn cut(&self, bytes: &[u8], end: bool) -> Result<Cut, Failure> {
        let Some(cut) = self.table.cut else {
            // A reader of whole files: one record, once all of the file is there.
            return Ok(if end { Cut::At { bytes: bytes.len(), records: 1 } } else { Cut::More });
        };
        let mut out = abi::Cut::default();
        let mut call = self.instance.call(Target::Nothing);
        // SAFETY: the table was checked and the instance is open.
        call.run(|host| unsafe {
            cut(self.instance.pointer, Str::new(bytes), end.into(), &raw mut out, host)
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
        let view = abi::Block {
            file: str(block.file),
            bytes: Str::new(block.bytes),
            offset: block.offset,
            first_ordinal: block.first_ordinal,
            reserved: [std::ptr::null(); 2],
        };
        let target = Target::Decode(Decode { file: Arc::from(block.file), records });
        let mut call = self.instance.call(target);
        // SAFETY: the table was checked, the instance is open, and the block outlives the call.
        let result = call.run(|host| unsafe { decode(self.instance.pointer, &raw const view, host) });
        for (name, n) in call.counts {
            *effects.counts.entry(name).or_default() += n;
        }
        result.map_err(|error| self.instance.failure(&error))
    }
}
