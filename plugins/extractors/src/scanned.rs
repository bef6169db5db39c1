//! The lines of a document, found by the first stage that asks for them.

use tamis_plugin::{Draft, View};
use tamis_text::scan::{LAYOUT, Pieces, Scan};

/// The lines of the text of a document as it came to the stage: as a stage before it has left them, or found here and left
/// for those behind it.
pub(crate) fn scan(document: View<'_>) -> Scan<'_> {
    Scan::shared(
        document.text(),
        |name, version| document.flat(name, version),
        |name, version, ends| document.attach(name, version, ends),
    )
}

/// Makes what was kept of a text the text of the document, and leaves its lines for the next stage.
pub(crate) fn set_text(draft: &mut Draft<'_>, kept: Pieces<'_, '_>) {
    let (text, ends) = kept.finish();
    draft.set_text(text);
    if let Some(ends) = ends {
        let (name, version) = LAYOUT;
        draft.attach(name, version, ends);
    }
}
