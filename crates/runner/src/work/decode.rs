//! From the bytes of a piece to records.

use std::sync::Arc;

use tamis_config::Opened;
use tamis_document::{Document, Fate, Origin, Record};
use tamis_stage::handle::{Counts, Effects};
use tamis_stage::{Block as ReaderBlock, Failure, Split};

use crate::clock::{Spent, Stopwatch};
use crate::work::place::Span;
use crate::work::task::{Content, Decoded, Piece};

/// Decodes a piece where it is read, because no more than `wanted` records are to be read.
///
/// Where records end, a reader tells; how many there are is known when they have been decoded, and not before.
pub(crate) fn decode_wanted(opened: &Opened, piece: Piece, wanted: &mut u64) -> Piece {
    let (source, container, file) = (piece.source, piece.container, Arc::clone(&piece.file));
    let mut decoded = decode(opened, piece);
    decoded.records.truncate(usize::try_from(*wanted).unwrap_or(usize::MAX));
    *wanted -= decoded.records.len() as u64;
    Piece { source, container, file, content: Content::Decoded(Box::new(decoded)) }
}

/// Decodes a piece; its records get their positions, and ids where they have none.
pub(crate) fn decode(opened: &Opened, piece: Piece) -> Decoded {
    let start = Stopwatch::start();
    let Piece { source, container, file, content } = piece;
    let (mut records, mut effects) = (Vec::new(), Effects::default());
    let (span, decoded, unreadable) = match content {
        Content::Decoded(decoded) => return *decoded,
        Content::Failed(record) => {
            return Decoded {
                records: vec![*record],
                counts: Counts::new(),
                time: Spent::default(),
                is_unread: false,
            };
        }
        Content::Records { reader, head, bytes, offset, first_ordinal, counted_from } => {
            let reader = &opened.sources[source].readers[reader];
            let length = bytes.len() as u64;
            let block = ReaderBlock { file: &file, head: &head, bytes: &bytes, offset, first_ordinal };
            let is_whole = reader.info.flags.whole_file && offset == 0;
            let span = if is_whole { Span::Whole(length) } else { Span::Bytes { offset, length } };
            let decoded = reader.handle.decode(&block, &mut records, &mut effects);
            let decoded = decoded.and_then(|()| check_number(span, &records));
            if counted_from > 0 {
                say_where_counting_begins(&mut records, counted_from);
            }
            let origin = Origin { file: Arc::clone(&file), offset, length, ordinal: first_ordinal };
            (span, decoded, Document { raw: Some(bytes), origin, ..Document::default() })
        }
        Content::Split { indexed, split } => {
            let decoded = indexed.decode(split, &mut records, &mut effects);
            let split = &indexed.splits()[split];
            let decoded = decoded.map_err(|failure| in_rows(split, &failure));
            // What it holds is still in the file.
            let origin =
                Origin { file: Arc::clone(&file), ordinal: split.first_ordinal, ..Origin::default() };
            let span = Span::Rows { first: split.first_ordinal };
            (span, decoded, Document { origin, ..Document::default() })
        }
    };
    // Its first block: where that is lost the others mostly are, for the same reason, and a file is named once.
    let is_given_up = decoded.is_err() && unreadable.origin.ordinal == 0;
    if let Err(failure) = decoded {
        // A block that its reader has given up is one dead letter.
        let fate = Fate::Failed(failure.to_string().into());
        records = vec![Record { fate, ..Record::from(unreadable) }];
    }
    container.settle(&file, span, &mut records);
    let is_lost = matches!((span, records.as_slice()), (Span::Whole(_), [record]) if !record.is_kept());
    let is_unread = is_given_up || is_lost;
    Decoded { records, counts: effects.counts, time: start.spent(), is_unread }
}

/// Readers tell lines and records by their number, which a shard counts from where it begins in a file.
fn say_where_counting_begins(records: &mut [Record], from: u64) {
    for record in records {
        if let Fate::Failed(why) = &mut record.fate {
            *why = format!("{why} (counted from byte {from} of the file, where the shard begins)").into();
        }
    }
}

/// A reader cannot find more records than there are bytes: their positions would be those of the next block.
fn check_number(span: Span, records: &[Record]) -> Result<(), Failure> {
    let (n_records, most) = (records.len() as u64, span.most_records());
    if n_records <= most {
        return Ok(());
    }
    Err(Failure::new(format_args!(
        "the reader broke the plugin contract: it read {n_records} records out of {most} bytes; \
         tell the author of the plugin"
    )))
}

fn in_rows(split: &Split, failure: &Failure) -> Failure {
    let (first, last) = (split.first_ordinal, split.first_ordinal + split.records - 1);
    Failure::new(format_args!("{failure} (records {first} to {last} of the file)"))
}
