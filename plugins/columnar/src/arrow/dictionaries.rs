//! Dictionaries: which of them a batch needs, read when it does.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::ArrayRef;
use arrow_ipc::reader::read_dictionary;
use arrow_schema::{ArrowError, Schema};
use tamis_plugin::{Failure, RandomAccess};

use super::message::{Frame, check_columns, damaged, guarded, parse};
use crate::value::size;

/// The values of each dictionary, by its number.
pub(super) type Values = HashMap<i64, ArrayRef>;

/// The dictionaries of a file.
///
/// A stream may put another dictionary in the place of one: batches before it belong to one generation,
/// batches behind it to the next. Values that are added later do no harm to earlier batches.
#[derive(Debug, Default)]
pub(super) struct Dictionaries {
    by_id: BTreeMap<i64, Vec<Version>>,
    n_frames: usize,
    generation: u64,
    /// The generation that was read last; most files have one.
    recent: Mutex<Option<(u64, Arc<Values>)>>,
    /// What the longest value of a generation takes.
    longest: Mutex<Option<(u64, u64)>>,
}

/// A dictionary until another one takes its place.
#[derive(Debug)]
struct Version {
    since: u64,
    /// Its messages, each with its position among all of them.
    frames: Vec<(usize, Frame)>,
}

impl Dictionaries {
    /// The generation of the batches that come next.
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Adds a message; in a stream one that is no delta takes the place of the dictionary before it.
    pub(super) fn push(&mut self, id: i64, is_delta: bool, frame: Frame, replaces: bool) {
        let numbered = (self.n_frames, frame);
        self.n_frames += 1;
        let versions = self.by_id.entry(id).or_default();
        match versions.last_mut() {
            Some(version) if is_delta => version.frames.push(numbered),
            Some(_) if replaces => {
                self.generation += 1;
                versions.push(Version { since: self.generation, frames: vec![numbered] });
            }
            _ => versions.push(Version { since: self.generation, frames: vec![numbered] }),
        }
    }

    /// The values of a generation.
    ///
    /// # Errors
    ///
    /// When one of its dictionaries is damaged.
    pub(super) fn load(
        &self,
        generation: u64,
        schema: &Schema,
        bytes: &dyn RandomAccess,
    ) -> Result<Arc<Values>, Failure> {
        if self.by_id.is_empty() {
            return Ok(Arc::default());
        }
        // Nothing is left half done by a worker that panicked.
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, values)) = recent.as_ref()
            && *of == generation
        {
            return Ok(Arc::clone(values));
        }
        // What is there makes room first.
        *recent = None;
        let values = Arc::new(self.read(generation, schema, bytes)?);
        *recent = Some((generation, Arc::clone(&values)));
        Ok(values)
    }

    /// What the longest value of any dictionary of a generation takes, in bytes; 0 without dictionaries.
    ///
    /// # Errors
    ///
    /// When one of its dictionaries is damaged.
    pub(super) fn longest(
        &self,
        generation: u64,
        schema: &Schema,
        bytes: &dyn RandomAccess,
    ) -> Result<u64, Failure> {
        let values = self.load(generation, schema, bytes)?;
        let mut longest = self.longest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, found)) = *longest
            && of == generation
        {
            return Ok(found);
        }
        let of_one = |values: &ArrayRef| (0..values.len()).map(|row| size(values.as_ref(), row)).max();
        let found = guarded(|| Ok(values.values().filter_map(of_one).max().unwrap_or_default()))?;
        *longest = Some((generation, found));
        Ok(found)
    }

    fn read(&self, generation: u64, schema: &Schema, bytes: &dyn RandomAccess) -> Result<Values, Failure> {
        /// Adding values to a dictionary copies it; more than this, in bytes, is not done for a file.
        const MAX_COPIED: u64 = 64 << 30;
        let mut frames: Vec<_> = self
            .by_id
            .values()
            .filter_map(|versions| {
                let n_begun = versions.partition_point(|version| version.since <= generation);
                versions.get(n_begun.checked_sub(1)?)
            })
            .flat_map(|version| &version.frames)
            .collect();
        // A dictionary of lists of dictionaries comes behind those that it needs.
        frames.sort_unstable_by_key(|(position, _)| *position);
        let mut values = Values::new();
        let (mut held, mut copied) = (0_u64, 0_u64);
        for (_, frame) in frames {
            held += add(&mut values, frame, schema, bytes)?;
            copied = copied.saturating_add(held);
            if held > super::message::MAX_BATCH_BYTES || copied > MAX_COPIED {
                return Err(Failure::new(format_args!(
                    "dictionaries of {held} bytes, copied to {copied}; at most {} and {MAX_COPIED} are read",
                    super::message::MAX_BATCH_BYTES
                )));
            }
        }
        Ok(values)
    }
}

/// Adds the values of a message; returns their size in bytes.
fn add(
    values: &mut Values,
    frame: &Frame,
    schema: &Schema,
    bytes: &dyn RandomAccess,
) -> Result<u64, Failure> {
    let (head, body) = (frame.read_head(bytes)?, frame.read_body(bytes)?);
    let size = guarded(|| {
        let message = parse(&head)?;
        let batch = message.header_as_dictionary_batch();
        Ok(batch.and_then(|batch| batch.data()).map(|batch| check_columns(&batch, &body)))
    })?;
    let size = size.ok_or_else(|| damaged(&"a dictionary without values"))??;
    guarded(|| {
        let message = parse(&head)?;
        let batch = message
            .header_as_dictionary_batch()
            .ok_or_else(|| ArrowError::ParseError("no dictionary".to_owned()))?;
        read_dictionary(&body, batch, schema, values, &message.version())
    })?;
    Ok(size)
}
