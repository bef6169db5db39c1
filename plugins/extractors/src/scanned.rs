//! The lines of a document, found by the first stage that asks for them.

use tamis_plugin::View;
use tamis_text::scan::{LAYOUT, Scan};

/// A text that is shorter is looked through again: to hand over where its lines end takes longer, bytes.
const MIN_ATTACHED: usize = 512;

/// The lines of the text of a document as it came to the stage: as a stage before it has left them, or found here and left
/// for those behind it.
pub(crate) fn scan(document: View<'_>) -> Scan<'_> {
    let (text, (name, version)) = (document.text(), LAYOUT);
    if text.len() < MIN_ATTACHED {
        return Scan::of(text);
    }
    if let Some(scan) = document.flat(name, version).and_then(|attached| Scan::read(text, attached)) {
        return scan;
    }
    let scan = Scan::of(text);
    document.attach(name, version, scan.bytes());
    scan
}
