//! Whether bytes begin a page.

use tamis_text::encoding::{self, Hints};
use tamis_text::markup;

/// How sure one may be of a file that begins as pages do.
const SURE_BY_CONTENT: u8 = 90;
/// How sure one may be of a file that begins with some other tag and is the piece of a page.
pub(crate) const SURE_BY_TAG: u8 = 70;
/// How far into a file its first tag may be, in bytes: behind comments and white space.
const SNIFF_BYTES: usize = 16 * 1024;

/// How sure it is that bytes begin a page, from 0 to 100, by what stands there.
pub(crate) fn sniff_markup(head: &[u8]) -> u8 {
    let head = head.get(..SNIFF_BYTES).unwrap_or(head);
    let is_utf16 = head.iter().take(4).any(|byte| *byte == 0)
        || head.starts_with(b"\xFF\xFE")
        || head.starts_with(b"\xFE\xFF");
    let decoded = is_utf16.then(|| encoding::decode(head, &Hints::default()).text.into_owned());
    let head = decoded.as_ref().map_or(head, String::as_bytes);
    if markup::begins_document(head) {
        SURE_BY_CONTENT
    } else if markup::begins_with_element(head) && markup::is_page(head) {
        SURE_BY_TAG
    } else {
        0
    }
}
