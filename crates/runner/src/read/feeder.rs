//! What there is to do, task by task: from the inputs, or from what an earlier segment has put aside.

use tamis_config::Opened;

use crate::disk::spill::SpillReader;
use crate::error::RunError;
use crate::observer::Events;
use crate::read::cutter::{Cutter, Limits};
use crate::read::inputs::Inputs;
use crate::read::stream::Opener;
use crate::work::task::{Block, PIECE_OVERHEAD, Position, Task, Work};

/// How many files are looked at to find those that are inflated ahead.
const MAX_NEAR: usize = 256;

/// Makes tasks, in corpus order; whoever has nothing else to do asks for the next one.
pub(crate) struct Feeder<'a> {
    sequence: u64,
    /// What a corpus stage must see again after an interruption.
    seen: Option<SpillReader>,
    feed: Feed<'a>,
}

enum Feed<'a> {
    Inputs(Box<InputFeed<'a>>),
    Spill { reader: SpillReader, frame: usize },
}

/// Files to read.
pub(crate) struct InputFeed<'a> {
    pub(crate) opened: &'a Opened,
    pub(crate) events: Events<'a>,
    pub(crate) opener: &'a Opener,
    /// All inputs of the plan.
    pub(crate) files: &'a Inputs,
    /// The file that is next, and the one behind the last.
    pub(crate) range: std::ops::Range<usize>,
    /// How many records are wanted; all if `None`.
    pub(crate) wanted: Option<u64>,
    cutter: Option<Cutter<'a>>,
    /// What a cutter found out when it went on where an earlier run stopped.
    first: Block,
}

impl<'a> Feeder<'a> {
    pub(crate) fn inputs(feed: InputFeed<'a>, seen: Option<SpillReader>) -> Self {
        Self { sequence: 0, seen, feed: Feed::Inputs(Box::new(feed)) }
    }

    /// Feeds what was put aside, from the frame `start` on.
    pub(crate) fn spill(
        mut reader: SpillReader,
        start: usize,
        seen: Option<SpillReader>,
    ) -> Result<Self, RunError> {
        reader.skip(start)?;
        Ok(Self { sequence: 0, seen, feed: Feed::Spill { reader, frame: start } })
    }

    /// The next task; none when everything has been read.
    pub(crate) fn next(&mut self) -> Result<Option<Task>, RunError> {
        if let Some(seen) = &mut self.seen {
            if let Some(frame) = seen.next()? {
                let weight = frame.weight();
                return Ok(Some(self.task(Work::Seen(frame), weight, Position::default())));
            }
            self.seen = None;
        }
        match &mut self.feed {
            Feed::Inputs(inputs) => {
                let Some((work, weight, end)) = inputs.next()? else { return Ok(None) };
                Ok(Some(self.task(work, weight, end)))
            }
            Feed::Spill { reader, frame } => {
                let Some(read) = reader.next()? else { return Ok(None) };
                *frame += 1;
                let (weight, end) = (read.weight(), Position { file: *frame, ..Position::default() });
                Ok(Some(self.task(Work::Spilled(read), weight, end)))
            }
        }
    }

    fn task(&mut self, work: Work, weight: u64, end: Position) -> Task {
        let sequence = self.sequence;
        self.sequence += 1;
        Task { sequence, weight, work, end }
    }
}

impl<'a> InputFeed<'a> {
    /// Feeds the files in `range`, from `start` on, and no more than `wanted` records.
    pub(crate) fn new(
        opened: &'a Opened,
        events: Events<'a>,
        open_with: &'a Opener,
        files: &'a Inputs,
        range: std::ops::Range<usize>,
        wanted: Option<u64>,
    ) -> Self {
        Self {
            opened,
            events,
            opener: open_with,
            files,
            range,
            wanted,
            cutter: None,
            first: Block::default(),
        }
    }

    /// Goes on where an earlier run stopped.
    pub(crate) fn resume(&mut self, start: Position) -> Result<(), RunError> {
        self.range.start = start.file;
        if start == (Position { file: start.file, ..Position::default() }) {
            return Ok(());
        }
        self.announce(start.file);
        let mut cutter = self.cutter();
        cutter.resume(start, &mut self.first)?;
        self.cutter = Some(cutter);
        Ok(())
    }

    fn next(&mut self) -> Result<Option<(Work, u64, Position)>, RunError> {
        loop {
            if let Some(cutter) = &self.cutter {
                self.announce(cutter.position().file);
            }
            if let Some(cutter) = &mut self.cutter {
                let mut block = std::mem::take(&mut self.first);
                cutter.fill(&mut block)?;
                self.wanted = cutter.wanted();
                let end = cutter.position();
                if cutter.is_done() {
                    self.cutter = None;
                }
                if !block.is_empty() {
                    let weight = block.weight;
                    return Ok(Some((Work::Block(block), weight, end)));
                }
                // An empty block is no end: only the cutter knows whether it is done.
                if self.cutter.is_some() {
                    continue;
                }
            }
            if self.range.is_empty() || self.wanted == Some(0) {
                return Ok(None);
            }
            if self.opened.run.is_cancelled() {
                return Err(RunError::Interrupted);
            }
            if self.cutter.is_none() {
                if let Some(small) = self.small_files() {
                    return Ok(Some(small));
                }
                self.cutter = Some(self.cutter());
            }
        }
    }

    /// Says which files come next, from the one that is read now; small ones are left to whoever is given them. When
    /// only some records are wanted, files may not be read at all.
    fn announce(&self, first: usize) {
        if self.wanted.is_none() {
            let near = (first..self.range.end).take(MAX_NEAR);
            self.opener
                .announce(self.files, near.filter(|file| !self.is_small(*file) && self.files.takes(*file)));
        }
    }

    /// A cutter for the files up to the next small one; they count as taken.
    fn cutter(&mut self) -> Cutter<'a> {
        let first = self.range.start;
        let end = (first + 1..self.range.end).find(|file| self.is_small(*file)).unwrap_or(self.range.end);
        self.range.start = end;
        Cutter::new(self.opened, self.events, self.opener, self.files, first..end, self.wanted)
    }

    /// As many small files as make a block.
    fn small_files(&mut self) -> Option<(Work, u64, Position)> {
        let block_bytes = Limits::new(&self.opened.plan).block_bytes as u64;
        let (first, mut weight) = (self.range.start, 0);
        for file in self.range.clone() {
            if weight >= block_bytes || !self.is_small(file) {
                break;
            }
            weight += self.files.size(file) + PIECE_OVERHEAD;
            self.range.start += 1;
        }
        let end = Position { file: self.range.start, ..Position::default() };
        (weight > 0).then(|| (Work::Files(first..self.range.start), weight, end))
    }

    /// Whether a worker may read the file: what it holds fits a block, unless it is compressed.
    ///
    /// When only some records are wanted they must be counted in order, so nothing is handed on unread.
    fn is_small(&self, file: usize) -> bool {
        self.wanted.is_none()
            && self.files.is_local(file)
            && self.files.size(file) <= Limits::new(&self.opened.plan).block_bytes as u64
    }
}
