//! A document as a stage sees it: borrowed, valid for one call.

use tamis_document::{Document, Fate, Measure, Metadata, Record, ValueRef};

/// Where a view finds metadata: in a [`Metadata`] here, across the plugin boundary in the host.
pub trait Fields {
    /// The value of `name`.
    fn get(&self, name: &str) -> Option<ValueRef<'_>>;

    /// The field at `index` in name order.
    fn at(&self, index: usize) -> Option<(&str, ValueRef<'_>)>;
}

impl Fields for Metadata {
    fn get(&self, name: &str) -> Option<ValueRef<'_>> {
        Self::get(self, name).map(tamis_document::Value::as_ref)
    }

    fn at(&self, index: usize) -> Option<(&str, ValueRef<'_>)> {
        Self::at(self, index)
    }
}

/// A borrowed, read-only document.
#[derive(Clone, Copy)]
pub struct View<'a> {
    id: &'a str,
    text: &'a str,
    raw: Option<&'a [u8]>,
    ordinal: u64,
    position: u128,
    fields: &'a dyn Fields,
}

impl<'a> View<'a> {
    /// A view from its parts, for hosts; stages receive views.
    pub fn new(
        id: &'a str,
        text: &'a str,
        raw: Option<&'a [u8]>,
        ordinal: u64,
        fields: &'a dyn Fields,
    ) -> Self {
        Self { id, text, raw, ordinal, position: 0, fields }
    }

    /// The view with the position of its record in the corpus.
    #[must_use]
    pub fn with_position(self, position: u128) -> Self {
        Self { position, ..self }
    }

    /// The identifier.
    pub fn id(&self) -> &'a str {
        self.id
    }

    /// The text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The bytes as scraped, if the reader kept them.
    pub fn raw(&self) -> Option<&'a [u8]> {
        self.raw
    }

    /// The position of the record in its file, from 0.
    pub fn ordinal(&self) -> u64 {
        self.ordinal
    }

    /// The position of the record in the corpus: greater than that of every record before it and no other's,
    /// the same in every pass over the corpus and however that is cut into shards. 0 outside a run.
    pub fn position(&self) -> u128 {
        self.position
    }

    /// The metadata field `name`.
    pub fn metadata(&self, name: &str) -> Option<ValueRef<'a>> {
        self.fields.get(name)
    }

    /// All metadata in name order.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, ValueRef<'a>)> + use<'a> {
        let fields = self.fields;
        (0..).map_while(move |index| fields.at(index))
    }
}

impl<'a> From<&'a Document> for View<'a> {
    fn from(document: &'a Document) -> Self {
        Self::new(
            &document.id,
            &document.text,
            document.raw.as_deref(),
            document.origin.ordinal,
            &document.metadata,
        )
    }
}

/// A record as an exporter sees it: the document and what became of it.
#[derive(Clone, Copy)]
pub struct ExportView<'a> {
    /// The document.
    pub document: View<'a>,
    /// Kept, dropped or failed, with the reason.
    pub fate: &'a Fate,
    /// The stage that dropped or failed it.
    pub stage: Option<&'a str>,
    /// What the stages measured.
    pub measures: &'a [Measure],
    /// The file it was read from, relative to its input.
    pub file: &'a str,
    /// First byte and length of the record in that file.
    pub span: (u64, u64),
}

impl<'a> From<&'a Record> for ExportView<'a> {
    fn from(record: &'a Record) -> Self {
        let origin = &record.document.origin;
        Self {
            document: View::from(&record.document).with_position(record.position),
            fate: &record.fate,
            stage: record.stage.as_deref(),
            measures: &record.measures,
            file: &origin.file,
            span: (origin.offset, origin.length),
        }
    }
}
