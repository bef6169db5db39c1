//! One piece of an object, whatever happens to the connection.

use std::io;
use std::ops::Range;
use std::time::Duration;

use futures_util::StreamExt;
use object_store::{Error, GetOptions, GetRange};

use tamis_address::Address;
use tamis_store::connect::innermost;

use super::Object;

/// How often reading goes on after a failure without a single byte in between.
const MAX_ATTEMPTS: u32 = 3;

/// Gets a piece of an object, exactly as long as it is asked for, and of the version that `tag` names.
///
/// The store repeats requests that fail; a body that is cut is gone on with here, from the byte that was reached.
pub(super) async fn range(object: Object, range: Range<u64>, tag: Option<String>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut attempts = 0;
    loop {
        let at = range.start + bytes.len() as u64;
        if at >= range.end {
            return Ok(bytes);
        }
        let before = bytes.len();
        let failure = match some(&object, at..range.end, tag.as_deref(), &mut bytes).await {
            Ok(()) => is_cut(&object.url, range.start + bytes.len() as u64),
            Err(error) if error.kind() == io::ErrorKind::Other => error,
            Err(error) => return Err(error),
        };
        attempts = if bytes.len() > before { 0 } else { attempts + 1 };
        if range.start + (bytes.len() as u64) < range.end {
            if attempts == MAX_ATTEMPTS {
                return Err(failure);
            }
            tokio::time::sleep(Duration::from_millis(100) * attempts).await;
        }
    }
}

/// Adds what one request brings; `Other` errors may pass.
async fn some(object: &Object, range: Range<u64>, tag: Option<&str>, bytes: &mut Vec<u8>) -> io::Result<()> {
    // A weak tag never matches; it is compared below.
    let if_match = tag.filter(|tag| !tag.starts_with("W/")).map(str::to_owned);
    let wanted = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    let options = GetOptions { range: Some(GetRange::Bounded(range)), if_match, ..GetOptions::default() };
    let failed = |error| explain(&object.url, error);
    let found = object.store.get_opts(&object.key, options).await.map_err(failed)?;
    if tag.is_some() && found.meta.e_tag.is_some() && tag != found.meta.e_tag.as_deref() {
        return Err(has_changed(&object.url));
    }
    let end = bytes.len() + wanted;
    let mut pieces = found.into_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(failed)?;
        let room = end - bytes.len();
        bytes.extend_from_slice(piece.get(..room).unwrap_or(&piece));
    }
    Ok(())
}

/// What an error of a store means; one that may pass is of the kind `Other`.
pub(super) fn explain(url: &Address, error: Error) -> io::Error {
    let (kind, message) = match error {
        Error::NotFound { .. } => (io::ErrorKind::NotFound, format!("there is no `{url}`")),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } if url.is_of_hub() => (
            io::ErrorKind::PermissionDenied,
            format!("`{url}` is not there, or the token in `HF_TOKEN` is none that may read it"),
        ),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => (
            io::ErrorKind::PermissionDenied,
            format!(
                "`{url}` may not be read with these credentials: check the environment variables of the store"
            ),
        ),
        Error::Precondition { .. } => return has_changed(url),
        Error::NotSupported { .. } => {
            (io::ErrorKind::Unsupported, format!("the server of `{url}` does not send pieces of a file"))
        }
        error => (io::ErrorKind::Other, format!("`{url}` cannot be read: {}", url.hide(&innermost(&error)))),
    };
    io::Error::new(kind, message)
}

pub(super) fn has_changed(url: &Address) -> io::Error {
    let message = format!("`{url}` has changed since it was listed: run again when nobody writes to it");
    io::Error::new(io::ErrorKind::InvalidData, message)
}

pub(super) fn is_cut(url: &Address, at: u64) -> io::Error {
    let message = format!(
        "the connection to `{url}` was cut at byte {at} and reading cannot go on from there: download the file first"
    );
    io::Error::new(io::ErrorKind::ConnectionAborted, message)
}
