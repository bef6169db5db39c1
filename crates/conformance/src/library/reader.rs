//! Readers.

use tamis_document::Record;
use tamis_stage::handle::{Effects, ReaderHandle};
use tamis_stage::{Block, Cut, StageInfo};

use super::{Results, failures, is_mistake, on_threads};

/// Files that break careless readers.
fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("empty", Vec::new()),
        ("a line end", b"\n".to_vec()),
        ("text", "Readers came early.\n读者来得很早。\n".repeat(50).into_bytes()),
        (
            "JSON lines",
            "{\"id\":\"a\",\"text\":\"x\"}\n{\"id\":\"b\",\"text\":\"字\"}\n".repeat(50).into_bytes(),
        ),
        ("broken JSON lines", b"{\"text\":\"x\"\n{]\n\"\n{\"text\":1}\n".to_vec()),
        ("literals", "text:'one\\ntwo'\n\ntext:'three'\n".repeat(20).into_bytes()),
        ("broken literals", b"text:'one\ntext:\"\n'''\n".to_vec()),
        ("not UTF-8", vec![0xff, 0xfe, b'\n', 0x80, b'a', b'\n', 0xc3]),
        ("NUL", vec![0; 4096]),
        ("every byte", (0..=255u8).cycle().take(4096).collect()),
    ]
}

pub(super) fn check(info: &StageInfo, handle: &dyn ReaderHandle, results: &mut Results) {
    results.run("takes any bytes", || for_each(|bytes| decode(handle, bytes, 0, 0).map(drop)));
    results.run("looks at any bytes", || for_each(|bytes| looks_at(handle, bytes)));
    results.run("says where each record stands", || for_each(|bytes| places(handle, bytes)));
    results.run("takes all bytes at the end of a file", || for_each(|bytes| takes_all(handle, bytes)));
    results.run("reads a file the same twice", || for_each(|bytes| twice(handle, bytes)));
    results.run("reads a file the same on many threads", || {
        on_threads(|| for_each(|bytes| twice(handle, bytes)))
    });
    if !info.flags.whole_file {
        results.run("reads a file the same in pieces", || for_each(|bytes| pieces(handle, bytes)));
    }
    if info.flags.by_line {
        results.run("reads a file the same from any line on", || for_each(|bytes| lines(handle, bytes)));
    }
}

pub(super) fn for_each(check: impl Fn(&[u8]) -> Result<(), String>) -> Result<(), String> {
    files().iter().try_for_each(|(name, bytes)| check(bytes).map_err(|why| format!("file `{name}`: {why}")))
}

/// The records of a run of bytes; a block that the reader gives up as a whole is fine, a panic is not.
fn decode(
    handle: &dyn ReaderHandle,
    bytes: &[u8],
    offset: u64,
    first_ordinal: u64,
) -> Result<Vec<Record>, String> {
    let mut records = Vec::new();
    let block = Block { file: "file", head: &[], bytes, offset, first_ordinal };
    match handle.decode(&block, &mut records, &mut Effects::default()) {
        Ok(()) => handed_over(&records).map(|()| records),
        Err(failure) if is_mistake(&failure.to_string()) => Err(failure.to_string()),
        Err(_) => Ok(Vec::new()),
    }
}

/// No record is one that the host refused. What the reader gives up itself, with its bytes, is as it should be.
fn handed_over(records: &[Record]) -> Result<(), String> {
    let mistake = failures(records).find(|(_, reason)| is_mistake(reason));
    mistake.map_or(Ok(()), |(id, reason)| Err(format!("record `{id}`: {reason}")))
}

fn twice(handle: &dyn ReaderHandle, bytes: &[u8]) -> Result<(), String> {
    if decode(handle, bytes, 0, 0)? == decode(handle, bytes, 0, 0)? {
        return Ok(());
    }
    Err("other records came out".to_owned())
}

pub(super) fn looks_at(handle: &dyn ReaderHandle, bytes: &[u8]) -> Result<(), String> {
    for (complete, name) in [(true, "file.txt"), (false, ""), (false, "字.jsonl")] {
        let score = handle.sniff(bytes, complete, name);
        if score != handle.sniff(bytes, complete, name) {
            return Err(format!("it is sure of `{name}` with {score} of 100 and then with another number"));
        }
    }
    Ok(())
}

/// Ordinals go up and are among those that `cut` counts; bytes are those of the file, from where it begins.
fn places(handle: &dyn ReaderHandle, bytes: &[u8]) -> Result<(), String> {
    const OFFSET: u64 = 1_000_000;
    const FIRST: u64 = 5_000;
    let records = decode(handle, bytes, OFFSET, FIRST)?;
    let mut least = FIRST;
    for record in &records {
        let origin = &record.document.origin;
        let id = &record.document.id;
        if origin.ordinal < least {
            return Err(format!(
                "record `{id}` has ordinal {}, and at least {least} was due",
                origin.ordinal
            ));
        }
        let end = OFFSET + bytes.len() as u64;
        if origin.offset < OFFSET || origin.offset + origin.length > end {
            return Err(format!(
                "record `{id}` is said to be {} bytes at {}, outside of its block of {OFFSET} to {end}",
                origin.length, origin.offset
            ));
        }
        least = origin.ordinal + 1;
    }
    Ok(())
}

fn takes_all(handle: &dyn ReaderHandle, bytes: &[u8]) -> Result<(), String> {
    match handle
        .cut(&Block { file: "file", head: &[], bytes, offset: 0, first_ordinal: 0 }, true)
        .map_err(|failure| failure.to_string())?
    {
        Cut::At { bytes: taken, .. } if taken == bytes.len() => Ok(()),
        other => Err(format!("cut gave {other:?} for {} bytes at the end of the file", bytes.len())),
    }
}

/// What two shards read that share the file at a line is what one reads.
fn lines(handle: &dyn ReaderHandle, bytes: &[u8]) -> Result<(), String> {
    let whole = decode(handle, bytes, 0, 0)?;
    for (newline, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        let (before, behind) = bytes.split_at(newline + 1);
        let block = Block { file: "file", head: &[], bytes: before, offset: 0, first_ordinal: 0 };
        let cut = handle.cut(&block, false).map_err(|failure| failure.to_string())?;
        let Cut::At { bytes: taken, records: n } = cut else {
            return Err(format!("no record ends in the first {} bytes, which end in a line", before.len()));
        };
        let mut records = decode(handle, before, 0, 0)?;
        records.extend(decode(handle, behind, before.len() as u64, n)?);
        if taken != before.len() || records != whole {
            return Err(format!("divided at the line behind byte {newline}, it holds other records"));
        }
    }
    Ok(())
}

/// Cuts the file as the runner does, with a tiny block size, and compares with reading it whole.
fn pieces(handle: &dyn ReaderHandle, bytes: &[u8]) -> Result<(), String> {
    let whole = decode(handle, bytes, 0, 0)?;
    let mut records = Vec::new();
    let (mut start, mut ordinal, mut window) = (0, 0, 64);
    while start < bytes.len() {
        let end = (start + window).min(bytes.len());
        let rest = bytes.get(start..end).unwrap_or_default();
        let block =
            Block { file: "file", head: &[], bytes: rest, offset: start as u64, first_ordinal: ordinal };
        match handle.cut(&block, end == bytes.len()).map_err(|failure| failure.to_string())? {
            Cut::At { bytes: taken, records: n } => {
                let piece = rest.get(..taken).unwrap_or_default();
                records.extend(decode(handle, piece, start as u64, ordinal)?);
                (start, ordinal, window) = (start + taken, ordinal + n, 64);
            }
            Cut::More if end == bytes.len() => return Err("cut wants more at the end of the file".to_owned()),
            Cut::More => window *= 2,
        }
    }
    if records == whole {
        return Ok(());
    }
    Err(format!(
        "{} records came out of the pieces and {} of the whole, or others",
        records.len(),
        whole.len()
    ))
}
