//! A document as a stage sees it: borrowed, valid for one call.

use std::any::Any;
use std::sync::Arc;

use tamis_document::{Document, Fate, Form, Measure, Origin, Record, ValueRef};

/// Where a view finds what is not handed over with a document but asked for: in the document here, across the
/// plugin boundary in the host.
pub trait Lookup {
    /// The value of the metadata field `name`.
    fn field(&self, name: &str) -> Option<ValueRef<'_>>;

    /// The metadata field at `index` in name order.
    fn field_at(&self, index: usize) -> Option<(&str, ValueRef<'_>)>;

    /// Where the document was read; `None` if the host does not tell.
    fn origin(&self) -> Option<Place<'_>>;

    /// The attached bytes of a layout.
    fn flat(&self, _name: &str, _version: u64) -> Option<&[u8]> {
        None
    }

    /// What a stage before has measured under `name`, the last of that name.
    fn measured(&self, _name: &str) -> Option<f64> {
        None
    }

    /// Says that the stage begins with this document, or waits for what comes of it.
    fn begin(&self) {}

    /// Attaches bytes; they may be refused.
    fn attach(&self, _name: &str, _version: u64, _bytes: &[u8]) {}

    /// The value that this library has attached under `key`.
    fn value(&self, _key: &str) -> Option<Shared> {
        None
    }

    /// Attaches a value of about `bytes` bytes for this library; it may be refused.
    fn attach_value(&self, _key: &str, _value: Shared, _bytes: usize) {}
}

/// A value that stages of one library share.
pub type Shared = Arc<dyn Any + Send + Sync>;

/// A value that a stage makes of a text and attaches to it, for the other stages of its library.
///
/// See [`View::attachment`].
pub trait Attachment: Send + Sync + 'static {
    /// About how many bytes it takes in memory, so that what is attached stays bounded.
    fn bytes(&self) -> usize;
}

/// Where a document was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The file, relative to its input, with the member of an archive behind it; `/` between the parts.
    pub file: &'a str,
    /// First byte of the record in the (decompressed) file.
    pub offset: u64,
    /// Its length in bytes; 0 when the format has no byte range.
    pub length: u64,
}

impl Lookup for Document {
    fn field(&self, name: &str) -> Option<ValueRef<'_>> {
        self.metadata.get(name).map(tamis_document::Value::as_ref)
    }

    fn field_at(&self, index: usize) -> Option<(&str, ValueRef<'_>)> {
        self.metadata.at(index)
    }

    fn origin(&self) -> Option<Place<'_>> {
        let Origin { file, offset, length, .. } = &self.origin;
        Some(Place { file, offset: *offset, length: *length })
    }
}

/// What was made of a record is found here as it is across the boundary; nothing can be attached through a view.
impl Lookup for Record {
    fn field(&self, name: &str) -> Option<ValueRef<'_>> {
        self.document.field(name)
    }

    fn field_at(&self, index: usize) -> Option<(&str, ValueRef<'_>)> {
        self.document.field_at(index)
    }

    fn origin(&self) -> Option<Place<'_>> {
        Lookup::origin(&self.document)
    }

    fn flat(&self, name: &str, version: u64) -> Option<&[u8]> {
        self.attachments.flat(name, version)
    }

    fn measured(&self, name: &str) -> Option<f64> {
        self.measures.iter().rfind(|measure| measure.name == name).map(|measure| measure.value)
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
    form: Option<Form>,
    lookup: &'a dyn Lookup,
}

impl<'a> View<'a> {
    /// A view from its parts, for hosts; stages receive views.
    pub fn new(
        id: &'a str,
        text: &'a str,
        raw: Option<&'a [u8]>,
        ordinal: u64,
        lookup: &'a dyn Lookup,
    ) -> Self {
        Self { id, text, raw, ordinal, position: 0, form: None, lookup }
    }

    /// Says that the stage is at this document from now on, for whoever asks at which one it takes long. A stage that is
    /// given documents one by one need not say so.
    pub fn begin(&self) {
        self.lookup.begin();
    }

    /// The view with the position of its record in the corpus.
    #[must_use]
    pub fn with_position(self, position: u128) -> Self {
        Self { position, ..self }
    }

    /// The view with the form of its text.
    #[must_use]
    pub fn with_form(self, form: Option<Form>) -> Self {
        Self { form, ..self }
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

    /// What the text is, as far as reader and stages have said; `None` also where an older host does not tell.
    pub fn form(&self) -> Option<Form> {
        self.form
    }

    /// Where the document was read; `None` where an older host does not tell.
    pub fn origin(&self) -> Option<Place<'a>> {
        self.lookup.origin()
    }

    /// The metadata field `name`, or the member of an object that a name with dots leads to (`author.name`).
    pub fn metadata(&self, name: &str) -> Option<ValueRef<'a>> {
        self.lookup.field(name)
    }

    /// All metadata in name order.
    pub fn fields(&self) -> impl Iterator<Item = (&'a str, ValueRef<'a>)> + use<'a> {
        let lookup = self.lookup;
        (0..).map_while(move |index| lookup.field_at(index))
    }

    /// What a stage before this one has measured under `name`; of several of that name the last. `None` if none has,
    /// or where an older host does not tell.
    pub fn measured(&self, name: &str) -> Option<f64> {
        self.lookup.measured(name)
    }

    /// The bytes that were made of this text in layout `name`, if any stage or the reader, of whatever library, has
    /// attached them in exactly this version. They begin at a multiple of 16.
    ///
    /// A stage must do the same with and without them: they may be missing at any time.
    pub fn flat(&self, name: &str, version: u64) -> Option<&'a [u8]> {
        self.lookup.flat(name, version)
    }

    /// Attaches bytes that were made of this text, for whoever comes after: an exporter that can copy what a reader has
    /// had in its hands, a filter that can read a scan instead of making one.
    ///
    /// `name` is that of the layout, at most 64 bytes, and begins with the name of whoever defines it; what a version
    /// means never changes. The bytes are copied, and gone when the text changes.
    pub fn attach(&self, name: &str, version: u64, bytes: &[u8]) {
        self.lookup.attach(name, version, bytes);
    }

    /// What `make` makes of the text: by the first stage of this library that asks, and shared by those that come
    /// after until the text changes.
    ///
    /// The value depends on the text alone, never on options: another stage with other options finds the same. It is
    /// private to the library; for what others may read see [`View::attach`].
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub fn attachment<T: Attachment, E>(
        &self,
        make: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let key = std::any::type_name::<T>();
        // Types of one name, of two versions of a crate for instance, are told apart here.
        if let Some(Ok(found)) = self.lookup.value(key).map(Arc::downcast::<T>) {
            return Ok(found);
        }
        let value = Arc::new(make(self.text)?);
        self.lookup.attach_value(key, Arc::<T>::clone(&value), value.bytes());
        Ok(value)
    }
}

impl<'a> From<&'a Document> for View<'a> {
    fn from(document: &'a Document) -> Self {
        let raw = document.raw.as_deref();
        Self::new(&document.id, &document.text, raw, document.origin.ordinal, document)
            .with_form(document.form)
    }
}

impl<'a> From<&'a Record> for View<'a> {
    fn from(record: &'a Record) -> Self {
        Self { position: record.position, lookup: record, ..Self::from(&record.document) }
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
            document: View::from(record),
            fate: &record.fate,
            stage: record.stage.as_deref(),
            measures: &record.measures,
            file: &origin.file,
            span: (origin.offset, origin.length),
        }
    }
}
