//! Which of several readers a file is for.

use tamis_config::OpenedSource;

use crate::read::stream::Stream;

/// How much of a file a reader may look at to recognise its format.
pub(super) const SNIFF_BYTES: usize = 64 * 1024;

/// The reader that is surest that the file is its own; the first in name order among equals.
pub(super) fn choose(source: &OpenedSource, stream: &Stream, name: &str) -> Option<usize> {
    if source.readers.len() == 1 {
        return Some(0);
    }
    let (head, complete) = match stream.bytes().get(..SNIFF_BYTES) {
        Some(head) => (head, stream.bytes().len() == SNIFF_BYTES && stream.at_end()),
        None => (stream.bytes(), stream.at_end()),
    };
    let name = tamis_input::plain_name(name);
    let scores = source.readers.iter().map(|reader| reader.handle.sniff(head, complete, name));
    let best = scores.enumerate().max_by_key(|(index, score)| (*score, std::cmp::Reverse(*index)));
    best.filter(|(_, score)| *score > 0).map(|(index, _)| index)
}

/// That no reader wants a file, which may be because it holds no text at all.
pub(super) fn unrecognised(head: &[u8]) -> String {
    match tamis_text::kind::binary(head) {
        Some(kind) => format!(
            "the file is `{kind}`, and no reader takes such files: leave it out with `exclude`, or make text of it first"
        ),
        None => "no reader recognises the format of the file: name one with `use`".to_owned(),
    }
}
