//! Which share of the inputs a shard has: a run of files, the first and last of which others may have a part of.
//!
//! Shares are even by bytes. Where one ends inside a file, the file is divided there if its format allows that: behind a
//! line where records are lines, between two parts where there is an index. Any other file, and a compressed one, goes
//! as a whole to the shard in whose share its middle lies.
//! Each shard finds out for itself where it begins and ends, from the same list and the same bytes as the one before it.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use memchr::memchr;
use tamis_config::{Opened, OpenedReader};
use tamis_input::{OpenOptions, RandomAccess};
use tamis_text::kind::is_companion;

use crate::error::RunError;
use crate::read::choose::{SNIFF_BYTES, choose};
use crate::read::cutter::Limits;
use crate::read::inputs::{InputFile, Inputs};
use crate::read::seam::Seam;
use crate::read::stream::{Opener, Stream};
use crate::read::unpack::{Anywhere, Unpacker};
use crate::segment::Shard;

/// What a file counts beside its bytes, so that empty files and those of unknown size are shared out, too.
const FILE_BYTES: u128 = 256;

/// A file stays whole that is no more than such a part of a share: that makes no shard uneven by more than a 32nd, and in a
/// file that is read by one shard all records are counted from its beginning.
const LEAST_PART: u128 = 32;

/// How much is read at once to find the end of a line.
const LOOK_BYTES: u64 = 64 * 1024;

/// What a shard reads; see [`shares`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Bytes of the files, as they lie there.
    pub bytes: u64,
    /// How many files it reads, or a part of.
    pub files: u64,
    /// The first of these, and where the shard begins in it; none where there is nothing to read.
    pub from: Option<(Arc<str>, u64)>,
}

/// What each of `count` shards of a plan reads.
///
/// # Errors
///
/// When the inputs cannot be listed, or the machine breaks while one is looked at.
pub fn shares(opened: &Opened, count: u32) -> Result<Vec<Share>, RunError> {
    let mut inputs = crate::read::inputs::list(&opened.plan, &opened.run)?;
    let seams = seams(opened, &inputs, count, 0..=count)?;
    let shares = seams.windows(2).map(|ends| {
        let files = inputs.leave(ends[0]..ends[1]);
        let from = (!files.is_empty()).then(|| (Arc::clone(&inputs.get(files.start).name), ends[0].offset));
        Share { bytes: inputs.size_of(files.clone()), files: files.len() as u64, from }
    });
    Ok(shares.collect())
}

impl Shard {
    /// Where the share of the shard begins and ends.
    pub(crate) fn share(self, opened: &Opened, inputs: &Inputs) -> Result<Range<Seam>, RunError> {
        let seams = seams(opened, inputs, self.count, self.index..=self.index + 1)?;
        Ok(seams[0]..seams[1])
    }

    /// The shard whose folder has this name.
    pub(crate) fn of_folder(name: &str) -> Option<Self> {
        let (index, count) = name.strip_prefix("shard-")?.split_once("-of-")?;
        let shard = Self { index: index.parse().ok()?, count: count.parse().ok()? };
        (shard.folder() == name).then_some(shard)
    }

    /// The folder of its output below that of an export.
    pub(crate) fn folder(self) -> String {
        format!("shard-{:05}-of-{:05}", self.index, self.count)
    }
}

/// Where some of `count` shards begin, in order.
fn seams(
    opened: &Opened,
    inputs: &Inputs,
    count: u32,
    shards: impl IntoIterator<Item = u32>,
) -> Result<Vec<Seam>, RunError> {
    let weight = |file: usize| u128::from(inputs.size(file)) + FILE_BYTES;
    let total: u128 = (0..inputs.len()).map(weight).sum();
    let (mut file, mut before) = (0, 0);
    let mut grain = None;
    let mut seams = Vec::new();
    for shard in shards {
        let limit = total * u128::from(shard) / u128::from(count.max(1));
        while file < inputs.len() && before + weight(file) <= limit {
            before += weight(file);
            (file, grain) = (file + 1, None);
        }
        let into = u64::try_from(limit.saturating_sub(before)).unwrap_or(u64::MAX);
        if file == inputs.len() || into == 0 {
            seams.push(Seam { file, ..Seam::default() });
            continue;
        }
        let grain = match &grain {
            Some(grain) => grain,
            None if weight(file) * LEAST_PART * u128::from(count) <= total => grain.insert(Grain::Whole),
            None => grain.insert(Grain::of(opened, inputs, file)?),
        };
        let inside = grain.from(into, inputs.size(file));
        seams.push(match inside {
            Some((offset, part)) => Seam { file, offset, part },
            None => Seam { file: file + 1, ..Seam::default() },
        });
    }
    Ok(seams)
}

/// Where a file may be divided.
enum Grain {
    /// Nowhere.
    Whole,
    /// Behind every line.
    Lines(Arc<dyn RandomAccess>),
    /// Between two parts: how many bytes lie before each.
    Parts(Vec<u64>),
}

impl Grain {
    /// Looks at the beginning of a file. What cannot be read is for the shard that reads the file to say.
    fn of(opened: &Opened, inputs: &Inputs, index: usize) -> Result<Self, RunError> {
        let file = inputs.get(index);
        let sought = Self::sought(opened, &file);
        sought.or_else(|error| RunError::of_machine(&file.name, &error).map_or(Ok(Self::Whole), Err))
    }

    fn sought(opened: &Opened, file: &InputFile) -> io::Result<Self> {
        let source = &opened.sources[file.source];
        let can = |reader: &OpenedReader| reader.info.flags.by_line || reader.info.flags.random_access;
        if file.trouble.is_some() || file.size == 0 || !source.readers.iter().any(can) {
            return Ok(Self::Whole);
        }
        let open_with = Opener::with(OpenOptions::default(), Unpacker::new(PathBuf::new()));
        let Some(mut stream) = Stream::open(file, &open_with, 0)? else { return Ok(Self::Whole) };
        stream.fill(SNIFF_BYTES)?;
        if !stream.is_plain() || is_companion(&file.name, stream.bytes()) {
            return Ok(Self::Whole);
        }
        let reader = choose(source, stream.bytes(), stream.at_end(), &file.name);
        let Some(reader) = reader.map(|reader| &source.readers[reader]) else { return Ok(Self::Whole) };
        let bytes = tamis_input::random_access(file)?;
        if reader.info.flags.by_line {
            return Ok(Self::Lines(bytes));
        }
        if !reader.info.flags.random_access {
            return Ok(Self::Whole);
        }
        let target = Limits::new(&opened.plan).block_bytes as u64;
        let indexed = reader.handle.index(&file.name, Arc::new(Anywhere(bytes)), target);
        let Ok(indexed) = indexed else { return Ok(Self::Whole) };
        let before = indexed.splits().iter().scan(0, |sum, split| {
            let before = *sum;
            *sum += split.bytes;
            Some(before)
        });
        Ok(Self::Parts(before.collect()))
    }

    /// Where a shard begins that would begin `into` bytes behind the beginning of a file: how many bytes and parts lie
    /// before; none behind the file.
    fn from(&self, into: u64, size: u64) -> Option<(u64, usize)> {
        match self {
            Self::Lines(bytes) if into < size => match line_behind(&**bytes, into, size) {
                Ok(offset) => (offset < size).then_some((offset, 0)),
                Err(_) => Self::Whole.from(into, size),
            },
            Self::Parts(before) if into < size => {
                let part = before.partition_point(|before| *before < into);
                before.get(part).map(|before| ((*before).min(size - 1), part))
            }
            Self::Lines(_) | Self::Parts(_) => None,
            Self::Whole => (u128::from(into) * 2 <= u128::from(size) + FILE_BYTES).then_some((0, 0)),
        }
    }
}

/// Where the first line begins that begins at `offset`, which is not the beginning of the file, or behind.
fn line_behind(bytes: &dyn RandomAccess, offset: u64, size: u64) -> io::Result<u64> {
    let mut at = offset - 1;
    let mut buffer = Vec::new();
    while at < size {
        buffer.resize(usize::try_from(LOOK_BYTES.min(size - at)).unwrap_or_default(), 0);
        bytes.read_at(at, &mut buffer)?;
        if let Some(newline) = memchr(b'\n', &buffer) {
            return Ok(at + newline as u64 + 1);
        }
        at += buffer.len() as u64;
    }
    Ok(size)
}
