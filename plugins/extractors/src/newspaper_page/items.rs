//! What a newspaper page is made of.

use serde::Serialize;

/// A section of the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Section {
    pub(super) number: u32,
    pub(super) heading: Option<String>,
    pub(super) paragraphs: Vec<String>,
}

/// What a section is made of, in source order.
#[derive(Debug)]
pub(super) enum Item {
    Mark(u32),
    Heading(String),
    Paragraph(String),
}
