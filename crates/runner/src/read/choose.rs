//! Which of several readers a file is for.

use tamis_config::OpenedSource;

/// How much of a file a reader may look at to recognise its format.
pub(super) const SNIFF_BYTES: usize = 64 * 1024;

/// The reader that is surest that the file is its own; the first in name order among equals.
///
/// `bytes` are the beginning of the file, and all of it if that is `complete`.
pub(super) fn choose(source: &OpenedSource, bytes: &[u8], complete: bool, name: &str) -> Option<usize> {
    if source.readers.len() == 1 {
        return Some(0);
    }
    let (head, complete) = match bytes.get(..SNIFF_BYTES) {
        Some(head) => (head, complete && bytes.len() == SNIFF_BYTES),
        None => (bytes, complete),
    };
    let name = tamis_input::plain_name(name);
    let scores = source.readers.iter().map(|reader| reader.handle.sniff(head, complete, name));
    let best = scores.enumerate().max_by_key(|(index, score)| (*score, std::cmp::Reverse(*index)));
    best.filter(|(_, score)| *score > 0).map(|(index, _)| index)
}

/// That no reader wants a file, which may be because it holds no text at all, or none that anybody takes apart.
pub(super) fn unrecognised(head: &[u8], complete: bool) -> String {
    if let Some(kind) = tamis_text::kind::binary(head) {
        return format!(
            "the file is `{kind}`, and no reader takes such files: leave it out with `exclude`, or make text of it first"
        );
    }
    match tamis_text::kind::format(head, complete) {
        Some(what) => format!(
            "the file is {what}, which no reader takes apart: leave it out with `exclude`, make text or JSON Lines of it \
             first, or take it as it is with `any_format = true`"
        ),
        None => "no reader recognises the format of the file: name one with `use`".to_owned(),
    }
}
