//! Readers.

use std::ffi::c_void;
use std::sync::Arc;

use tamis_document::Record;
use tamis_plugin::abi::{self, Str};
use tamis_stage::handle::{Effects, IndexedFile, ReaderHandle};
use tamis_stage::{Block, Cut, Failure, Forms, RandomAccess, Split};

use super::{Instance, add_counts};
use crate::call::{Decode, Target, str};

const TAKES_NO_BLOCKS: &str = "the reader reads files anywhere and takes no blocks";

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
    /// Shared with the files that it has opened.
    instance: Arc<Instance>,
    table: &'static abi::Reader,
}

impl Reader {
    pub(super) fn new(instance: Instance, table: &'static abi::Reader) -> Self {
        Self { instance: Arc::new(instance), table }
    }

    fn random_access(&self) -> bool {
        self.instance.table.flags & abi::RANDOM_ACCESS != 0
    }
}

impl ReaderHandle for Reader {
    fn forms(&self) -> Forms {
        self.instance.forms
    }

    fn sniff(&self, head: &[u8], complete: bool, name: &str) -> u8 {
        let Some(sniff) = self.table.sniff else { return 0 };
        let head = view(&Block { file: name, head: &[], bytes: head, offset: 0, first_ordinal: 0 });
        let mut score = 0;
        let mut call = self.instance.call(Target::Nothing);
        call.about = Some(name);
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
        call.about = Some(block.file);
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

    fn index(
        &self,
        file: &str,
        bytes: Arc<dyn RandomAccess>,
        target_bytes: u64,
    ) -> Result<Box<dyn IndexedFile>, Failure> {
        let Some(open) = self.table.file_open.filter(|_| self.random_access()) else {
            return Err(Failure::new("the reader takes blocks"));
        };
        let (mut splits, mut state, mut opened) = (Vec::new(), std::ptr::null_mut(), false);
        let mut call = self.instance.call(Target::Index(&mut splits));
        call.file = Some(&*bytes);
        call.about = Some(file);
        let result = call.run(|host| {
            // SAFETY: the table was checked, the instance is open, name and file outlive the call.
            let code = unsafe { open(self.instance.pointer, str(file), target_bytes, host, &raw mut state) };
            opened = code == abi::OK;
            code
        });
        drop(call);
        // From here on the file is closed, whatever is wrong with it.
        let state =
            FileState { instance: Arc::clone(&self.instance), table: self.table, pointer: state, opened };
        result.map_err(|error| self.instance.failure(&error))?;
        if splits.iter().try_fold(0u64, |sum, split| sum.checked_add(split.weight)).is_none() {
            return Err(self
                .instance
                .breach("the weights of the parts of a file are more than there can be"));
        }
        Ok(Box::new(Indexed { name: Arc::from(file), bytes, state, splits }))
    }

    fn cut(&self, block: &Block<'_>, end: bool) -> Result<Cut, Failure> {
        let bytes = block.bytes;
        if self.random_access() {
            return Err(Failure::new(TAKES_NO_BLOCKS));
        }
        let Some(cut) = self.table.cut else {
            // A reader of whole files: one record, once all of the file is there.
            return Ok(if end { Cut::At { bytes: bytes.len(), records: 1 } } else { Cut::More });
        };
        let mut out = abi::Cut { bytes: 0, records: 0, reserved: [std::ptr::null(); 2] };
        let view = view(block);
        let mut call = self.instance.call(Target::Nothing);
        call.about = Some(block.file);
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
        let Some(decode) = self.table.decode.filter(|_| !self.random_access()) else {
            return Err(Failure::new(TAKES_NO_BLOCKS));
        };
        let view = view(block);
        let before = records.len();
        let target = Target::Decode(Decode {
            file: Arc::from(block.file),
            records,
            next_ordinal: block.first_ordinal,
            end_ordinal: u64::MAX,
        });
        let mut call = self.instance.call(target);
        // SAFETY: the table was checked, the instance is open, and the block outlives the call.
        let result = call.run(|host| unsafe { decode(self.instance.pointer, &raw const view, host) });
        let has_counted = !call.counts.is_empty();
        add_counts(effects, call.counts);
        result.map_err(|error| self.instance.failure(&error))?;
        let is_blank = || block.bytes.iter().all(u8::is_ascii_whitespace);
        if records.len() == before && !has_counted && !is_blank() {
            return Err(self.instance.breach(&format!(
                "it read no record out of {} bytes, and did not say that it failed",
                block.bytes.len()
            )));
        }
        Ok(())
    }
}

/// What the plugin knows of a file; closed when dropped.
struct FileState {
    instance: Arc<Instance>,
    table: &'static abi::Reader,
    pointer: *mut c_void,
    /// Whether there is anything to close.
    opened: bool,
}

// SAFETY: the header demands that a file may be shared by workers that decode its parts in parallel.
unsafe impl Send for FileState {}
// SAFETY: as above.
unsafe impl Sync for FileState {}

impl Drop for FileState {
    fn drop(&mut self) {
        if let Some(close) = self.table.file_close.filter(|_| self.opened) {
            let _entered = self.instance.enter();
            // SAFETY: opened once, closed once, by an instance that is still open; no call is going on.
            unsafe { close(self.instance.pointer, self.pointer) };
        }
    }
}

/// A file whose parts are known.
struct Indexed {
    name: Arc<str>,
    bytes: Arc<dyn RandomAccess>,
    state: FileState,
    splits: Vec<Split>,
}

impl IndexedFile for Indexed {
    fn splits(&self) -> &[Split] {
        &self.splits
    }

    fn decode(&self, split: usize, records: &mut Vec<Record>, effects: &mut Effects) -> Result<(), Failure> {
        let FileState { instance, table, pointer, .. } = &self.state;
        let Some((split, decode)) = self.splits.get(split).zip(table.file_decode) else {
            return Err(Failure::new(format!(
                "the file has {} parts and no part {split}",
                self.splits.len()
            )));
        };
        let view = abi::Split {
            first_ordinal: split.first_ordinal,
            records: split.records,
            weight: split.weight,
            bytes: split.bytes,
            token: split.token,
            reserved: [std::ptr::null(); 2],
        };
        let before = records.len();
        let mut call = instance.call(Target::Decode(Decode {
            file: Arc::clone(&self.name),
            records,
            next_ordinal: split.first_ordinal,
            end_ordinal: split.first_ordinal + split.records,
        }));
        call.file = Some(&*self.bytes);
        // SAFETY: the table was checked, instance and file are open, the part outlives the call.
        let result = call.run(|host| unsafe { decode(instance.pointer, *pointer, &raw const view, host) });
        add_counts(effects, call.counts);
        result.map_err(|error| instance.failure(&error))?;
        // Ordinals go up and stay inside, so only some that were left out can make them fewer.
        let read = (records.len() - before) as u64;
        if read < split.records {
            return Err(instance.breach(&format!(
                "it read {read} of the {} records of a part, and did not say that the others failed",
                split.records
            )));
        }
        Ok(())
    }
}
