//! Large objects, sent in pieces.
//!
//! A store shows nothing of them until they are complete, keeps what was sent until somebody completes or aborts it,
//! and bills it meanwhile. So the number of an upload is noted before its first piece, and whoever gives up aborts.
//!
//! Completing an upload has no condition in the library, though S3 has one. So whether somebody else has written there
//! is looked at before the first piece and again before the end; that two writers look at the same moment is what the
//! claim of a run is for.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;

use object_store::multipart::PartId;
use object_store::{Error, PutMultipartOptions, PutPayload};

use crate::connect::{Pending, start, wait};
use crate::objects::{Objects, attributes, explain};
use crate::{Marks, Sending};

/// What is not larger is sent in one request, with a condition.
pub(crate) const MIN_BYTES: u64 = 8 << 20;
/// How many pieces are on their way at once.
const IN_FLIGHT: usize = 2;
/// How many pieces S3 takes for one object.
const MAX_PIECES: u64 = 10_000;

/// Sends a file.
pub(crate) fn send(
    objects: &Objects,
    name: &str,
    file: &Path,
    marks: &Marks,
    sending: &dyn Sending,
) -> io::Result<()> {
    let head = objects.head(name)?;
    if head.as_ref().is_some_and(|head| head.marks == *marks) {
        return Ok(());
    }
    objects.condition_beside(name, head.as_ref(), sending)?;
    let Some(upload) = create(objects, name, marks)? else {
        return send_unnumbered(objects, name, file, marks, sending);
    };
    let sent = sending
        .begun(name, &upload)
        .and_then(|()| send_pieces(objects, name, &upload, file, sending))
        .and_then(|pieces| {
            sending.check()?;
            objects.condition_beside(name, objects.head(name)?.as_ref(), sending)?;
            let (store, key, id) = (Arc::clone(&objects.bucket.pieces), objects.key(name), upload.clone());
            let completed = wait(async move { store.complete_multipart(&key, &id, pieces).await })?;
            completed.map(drop).map_err(|error| explain(&objects.shown(name), &error))
        });
    let Err(error) = sent else {
        sending.ended(name);
        return Ok(());
    };
    // The answer may be all that was lost.
    if let Ok(Some(head)) = objects.head(name)
        && head.marks == *marks
    {
        sending.ended(name);
        return Ok(());
    }
    // If the store does not answer, the note stays, for the next run.
    if abort(objects, name, &upload).is_ok() {
        sending.ended(name);
    }
    Err(error)
}

/// Begins an upload; `None` where the store does not number them. Azure does not, and forgets pieces by itself.
fn create(objects: &Objects, name: &str, marks: &Marks) -> io::Result<Option<String>> {
    let options = PutMultipartOptions { attributes: attributes(marks), ..PutMultipartOptions::default() };
    let (store, key) = (Arc::clone(&objects.bucket.pieces), objects.key(name));
    match wait(async move { store.create_multipart_opts(&key, options).await })? {
        Ok(upload) => Ok(Some(upload)),
        Err(Error::NotSupported { .. }) => Ok(None),
        Err(error) => Err(explain(&objects.shown(name), &error)),
    }
}

fn send_pieces(
    objects: &Objects,
    name: &str,
    upload: &str,
    file: &Path,
    sending: &dyn Sending,
) -> io::Result<Vec<PartId>> {
    let mut flying: VecDeque<Pending<object_store::Result<PartId>>> = VecDeque::new();
    let mut pieces = Vec::new();
    let mut land = |flying: &mut VecDeque<Pending<_>>| {
        let piece = flying.pop_front().map(Pending::wait).transpose()?;
        let piece: Option<object_store::Result<PartId>> = piece;
        pieces.extend(piece.transpose().map_err(|error| explain(&objects.shown(name), &error))?);
        Ok::<_, io::Error>(())
    };
    for (number, piece) in Pieces::of(file)?.enumerate() {
        if sending.is_stopped() {
            return Err(stopped());
        }
        if flying.len() == IN_FLIGHT {
            land(&mut flying)?;
        }
        let payload = PutPayload::from(piece?);
        let (store, key, id) = (Arc::clone(&objects.bucket.pieces), objects.key(name), upload.to_owned());
        flying.push_back(start(async move { store.put_part(&key, &id, number, payload).await })?);
    }
    while !flying.is_empty() {
        land(&mut flying)?;
    }
    Ok(pieces)
}

/// Sends the pieces one after the other to a store that does not number uploads.
fn send_unnumbered(
    objects: &Objects,
    name: &str,
    file: &Path,
    marks: &Marks,
    sending: &dyn Sending,
) -> io::Result<()> {
    let failed = |error| explain(&objects.shown(name), &error);
    let options = PutMultipartOptions { attributes: attributes(marks), ..PutMultipartOptions::default() };
    let (store, key) = (Arc::clone(&objects.bucket.objects), objects.key(name));
    let mut upload = wait(async move { store.put_multipart_opts(&key, options).await })?.map_err(failed)?;
    for piece in Pieces::of(file)? {
        if sending.is_stopped() {
            return Err(stopped());
        }
        wait(upload.put_part(PutPayload::from(piece?)))?.map_err(failed)?;
    }
    sending.check()?;
    objects.condition_beside(name, objects.head(name)?.as_ref(), sending)?;
    wait(async move { upload.complete().await })?.map(drop).map_err(failed)
}

/// Takes away the pieces of an upload.
pub(crate) fn abort(objects: &Objects, name: &str, upload: &str) -> io::Result<()> {
    let (store, key, id) = (Arc::clone(&objects.bucket.pieces), objects.key(name), upload.to_owned());
    match wait(async move { store.abort_multipart(&key, &id).await })? {
        Err(Error::NotFound { .. }) | Ok(()) => Ok(()),
        Err(error) => Err(explain(&objects.shown(name), &error)),
    }
}

fn stopped() -> io::Error {
    io::Error::new(ErrorKind::Interrupted, "it was asked to stop")
}

/// A file, in pieces of one length but for the last: some stores want them alike.
struct Pieces {
    file: File,
    left: u64,
    step: u64,
}

impl Pieces {
    fn of(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let left = file.metadata()?.len();
        Ok(Self { file, left, step: step(left) })
    }
}

/// How long the pieces of a file are, in whole MiB.
fn step(bytes: u64) -> u64 {
    MIN_BYTES.max(bytes.div_ceil(MAX_PIECES).next_multiple_of(1 << 20))
}

impl Iterator for Pieces {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let length = self.left.min(self.step);
        self.left -= length;
        let mut piece = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        Some(self.file.read_exact(&mut piece).map(|()| piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_object_has_too_many_pieces() {
        for bytes in [MIN_BYTES + 1, 80 << 30, (80 << 30) + 1, 5 << 40] {
            assert!(bytes.div_ceil(step(bytes)) <= MAX_PIECES, "{bytes}");
            assert!(step(bytes) >= MIN_BYTES && step(bytes).is_multiple_of(1 << 20), "{bytes}");
        }
    }
}
