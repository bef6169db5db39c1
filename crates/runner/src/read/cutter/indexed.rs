//! Files with an index, such as Parquet: which parts they have, and one part after the other.

use std::sync::Arc;

use tamis_config::OpenedReader;
use tamis_stage::handle::IndexedFile;

use super::lost::Lost;
use super::{Cutter, Open, cannot_read};
use crate::error::RunError;
use crate::read::stream::{NoAccess, Stream};
use crate::read::unpack::Unpacked;
use crate::work::place::MAX_PLACE;
use crate::work::task::{Block, Content, Position};

/// A file with an index, or a member of an archive.
pub(super) struct OpenIndex {
    name: Arc<str>,
    pub(super) member: u64,
    indexed: Arc<dyn IndexedFile>,
    /// The part that is next.
    pub(super) next: usize,
    /// The part behind the last that is read.
    end: usize,
    /// What the bytes that the parts are read from take in memory, beside the parts.
    held: u64,
    /// Whether they are a file of their own, which is open until the last part was worked on.
    is_on_disk: bool,
    archive: Option<Box<Stream>>,
}

impl Cutter<'_> {
    /// Reads the index of a file.
    pub(super) fn index(
        &mut self,
        opened: &OpenedReader,
        mut stream: Stream,
        name: Arc<str>,
        start: Position,
        block: &mut Block,
    ) -> Result<Option<Open>, RunError> {
        let file = &*self.file();
        let (member, progress) = (stream.member(), stream.progress());
        let (unpacked, archive) = match stream.random_access(file, self.opener) {
            Ok((unpacked, archive)) => (Ok(unpacked), archive),
            Err(NoAccess::File(error, archive)) => (Err(cannot_read(&name, &error)?), archive),
            Err(NoAccess::Run(error)) => return Err(error),
        };
        let target = self.limits.block_bytes as u64;
        let indexed = unpacked.and_then(|Unpacked { bytes, held, is_on_disk }| {
            let indexed = opened.handle.index(&name, bytes, target).map_err(|failure| failure.to_string())?;
            Ok((Arc::<dyn IndexedFile>::from(indexed), held, is_on_disk))
        });
        match indexed {
            Ok((indexed, held, is_on_disk)) => {
                let parts = self.inputs.stretch(self.files.start).map_or(0..usize::MAX, |it| it.parts);
                let next = parts.start.max(start.ordinal as usize);
                let end = parts.end.min(indexed.splits().len());
                let open = OpenIndex { name, member, indexed, next, end, held, is_on_disk, archive };
                let open = Box::new(open);
                Ok(self.indexed(open, block))
            }
            Err(message) => {
                let lost = Lost { name: &name, member, read: progress, ..Lost::file(file) };
                self.fail(&lost, &message, block);
                Ok(self.behind(archive, block))
            }
        }
    }

    /// A file with an index, if a part of it is left, or what comes behind it.
    fn indexed(&mut self, open: Box<OpenIndex>, block: &mut Block) -> Option<Open> {
        if open.next < open.end {
            return Some(Open::Indexed(open));
        }
        self.account.n_read = self.inputs.size(self.files.start);
        self.behind(open.archive, block)
    }

    /// Takes one part of a file with an index.
    ///
    /// What the file itself takes counts for every block that holds a part of it, and not for the first one alone: where
    /// a block ends must follow from where it begins, or a run that goes on in the middle of a file would cut others.
    pub(super) fn split(&mut self, mut open: Box<OpenIndex>, block: &mut Block) -> Option<Open> {
        let part = &open.indexed.splits()[open.next];
        let (bytes, first) = (part.bytes, part.first_ordinal);
        if first + part.records > MAX_PLACE {
            let file = self.file();
            let message = format!("a file may have no more than {MAX_PLACE} rows");
            let lost = Lost { name: &open.name, member: open.member, ..Lost::file(&file) };
            self.fail(&Lost { ordinal: first, offset: first, is_whole: false, ..lost }, &message, block);
            return self.behind(open.archive, block);
        }
        if !block.holds_part_of(&open.indexed) {
            block.weight += open.held;
        }
        // One a block: so there are never more open files than tasks.
        block.is_closed |= open.is_on_disk;
        let content = Content::Split { indexed: Arc::clone(&open.indexed), split: open.next };
        self.push(&open.name, open.member, content, bytes, block);
        open.next += 1;
        self.indexed(open, block)
    }
}
