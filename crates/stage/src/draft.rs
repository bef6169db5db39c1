//! Changes that an extractor proposes to a document.

use std::borrow::Cow;
use std::collections::HashMap;

use tamis_document::{Document, Limit, Measure, Value, ValueRef};

use crate::{Place, View};

/// What a stage noticed: measures beside their limits, and counts of what it did.
///
/// Measures show in `explain`, in reports and beside dropped documents; counts are summed over the run
/// (`quotes_repaired`, `lines_dropped`).
#[derive(Debug, Default)]
pub struct Notes {
    measures: Vec<Measure>,
    counts: Vec<(Cow<'static, str>, u64)>,
    warnings: Vec<String>,
}

impl Notes {
    /// Records a measured value beside its limit, in the unit of the option that sets the limit. Declare it in
    /// `MEASURES` of the stage, so that the help names it and a run keeps how its values are spread.
    pub fn measure(&mut self, name: impl Into<Cow<'static, str>>, value: f64, limit: Limit) {
        self.measures.push(Measure { name: name.into(), value, limit });
    }

    /// Adds `n` to the run's counter `name`; adding 0 leaves no trace.
    pub fn count(&mut self, name: impl Into<Cow<'static, str>>, n: u64) {
        if n > 0 {
            self.counts.push((name.into(), n));
        }
    }

    /// Says something to whoever watches the run, for its log. For what concerns the machine or the program, such as a
    /// service that answers slowly; what concerns the document is a reason or a count.
    pub fn warn(&mut self, message: impl Into<String>) {
        self.warnings.push(message.into());
    }

    /// The warnings so far.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The measures so far.
    pub fn measures(&self) -> &[Measure] {
        &self.measures
    }

    /// The counts so far; a name may occur several times.
    pub fn counts(&self) -> &[(Cow<'static, str>, u64)] {
        &self.counts
    }

    /// Forgets everything but the allocations, for the next document.
    pub fn clear(&mut self) {
        self.measures.clear();
        self.counts.clear();
        self.warnings.clear();
    }
}

/// A document with proposed changes.
///
/// Reading shows the document as changed so far.
/// Nothing reaches the document itself before the stage has returned without error.
pub struct Draft<'a> {
    view: View<'a>,
    edits: Edits,
    /// Where the change of each name stands among the edits, once there are many of them.
    by_name: HashMap<Cow<'static, str>, usize>,
    notes: Notes,
}

/// The changes of a [`Draft`], for whoever applies them.
#[derive(Debug, Default)]
pub struct Edits {
    /// The new identifier, if it was set.
    pub id: Option<String>,
    /// The new text, if it was set.
    pub text: Option<String>,
    /// What was made of the text as it stands: name and version of the layout, and bytes.
    pub attachments: Vec<(Cow<'static, str>, u64, Vec<u8>)>,
    /// Metadata set (`Some`) or removed (`None`), one entry a name.
    pub metadata: Vec<(Cow<'static, str>, Option<Value>)>,
    /// Documents that were split off, in order.
    pub split: Vec<SplitOff>,
}

/// A document that was split off another.
#[derive(Debug, Clone, PartialEq)]
pub struct SplitOff {
    /// The document, with the metadata of its own.
    pub document: Document,
    /// Whether it has those fields of its parent, too, that it does not set itself.
    pub inherits: bool,
}

impl Edits {
    /// Applies id, text and metadata to `document` and returns the documents that were split off.
    pub fn apply(self, document: &mut Document) -> Vec<Document> {
        if let Some(id) = self.id {
            document.id = id;
        }
        if let Some(text) = self.text {
            document.text = text;
        }
        document.metadata.apply(self.metadata.into_iter().map(|(name, value)| (name.into_owned(), value)));
        let split = self.split.into_iter().map(|mut split| {
            if split.inherits {
                split.document.metadata.inherit(&document.metadata);
                split.document.form = split.document.form.or(document.form);
            }
            split.document
        });
        split.collect()
    }
}

impl<'a> Draft<'a> {
    /// A draft without changes.
    pub fn new(view: View<'a>) -> Self {
        Self { view, edits: Edits::default(), by_name: HashMap::new(), notes: Notes::default() }
    }

    /// The document as it came in.
    pub fn original(&self) -> View<'a> {
        self.view
    }

    /// The identifier as it stands.
    pub fn id(&self) -> &str {
        self.edits.id.as_deref().unwrap_or(self.view.id())
    }

    /// Gives the document another identifier, which must not be empty.
    ///
    /// It is taken as one that a user gave: in a run ids are unique if what they are made of is, and nobody checks,
    /// because that would take a table of all. So make it of the old id or of a field that is unique. Nothing in a
    /// run is joined by id: duplicates are told apart by their position.
    pub fn set_id(&mut self, id: impl Into<String>) {
        self.edits.id = Some(id.into());
    }

    /// Where the document was read; `None` where an older host does not tell.
    pub fn origin(&self) -> Option<Place<'a>> {
        self.view.origin()
    }

    /// The bytes as scraped, if the reader kept them.
    pub fn raw(&self) -> Option<&'a [u8]> {
        self.view.raw()
    }

    /// The text as it stands.
    pub fn text(&self) -> &str {
        self.edits.text.as_deref().unwrap_or(self.view.text())
    }

    /// Replaces the text. What was attached to the one before is gone with it.
    pub fn set_text(&mut self, text: impl Into<String>) {
        self.edits.text = Some(text.into());
        self.edits.attachments.clear();
    }

    /// Attaches bytes that were made of the text as it stands; see [`View::attach`].
    ///
    /// What was attached to the text that came in is found through [`Draft::original`].
    pub fn attach(&mut self, name: impl Into<Cow<'static, str>>, version: u64, bytes: impl Into<Vec<u8>>) {
        self.edits.attachments.push((name.into(), version, bytes.into()));
    }

    /// The metadata field `name` as it stands.
    pub fn metadata(&self, name: &str) -> Option<ValueRef<'_>> {
        match self.position(name) {
            Some(index) => self.edits.metadata[index].1.as_ref().map(Value::as_ref),
            None => self.view.metadata(name),
        }
    }

    /// Sets the metadata field `name`.
    pub fn set_metadata(&mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) {
        self.edit(name.into(), Some(value.into()));
    }

    /// Removes the metadata field `name`, if it is there.
    pub fn remove_metadata(&mut self, name: impl Into<Cow<'static, str>>) {
        self.edit(name.into(), None);
    }

    /// Splits a document off: it follows this one in the corpus, goes on with the next stage, and is counted
    /// as read by this stage. An empty id becomes this document's id with `/1`, `/2`, … behind it.
    ///
    /// It inherits the metadata of this document, as that is when the stage returns: what holds for a page holds for
    /// its parts. Fields that it sets itself stay as they are.
    pub fn split_off(&mut self, document: Document) {
        self.edits.split.push(SplitOff { document, inherits: true });
    }

    /// The same with no metadata but that of `document`.
    pub fn split_off_alone(&mut self, document: Document) {
        self.edits.split.push(SplitOff { document, inherits: false });
    }

    /// Measures and counts of this document.
    pub fn notes(&mut self) -> &mut Notes {
        &mut self.notes
    }

    /// The changes and the notes, for whoever applies them.
    pub fn finish(self) -> (Edits, Notes) {
        (self.edits, self.notes)
    }

    fn edit(&mut self, name: Cow<'static, str>, value: Option<Value>) {
        /// So many edits are looked through faster than hashed.
        const FEW: usize = 32;
        if let Some(index) = self.position(&name) {
            self.edits.metadata[index].1 = value;
            return;
        }
        self.edits.metadata.push((name, value));
        let n_edits = self.edits.metadata.len();
        if n_edits > FEW {
            let n_known = self.by_name.len();
            let unknown = self.edits.metadata.iter().enumerate().skip(n_known);
            self.by_name.extend(unknown.map(|(index, (name, _))| (name.clone(), index)));
        }
    }

    /// Where the change of a field stands among the edits.
    fn position(&self, name: &str) -> Option<usize> {
        if self.by_name.is_empty() {
            self.edits.metadata.iter().position(|(edited, _)| edited == name)
        } else {
            self.by_name.get(name).copied()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_own_changes_and_leaves_the_document_alone_until_applied() {
        let mut document = Document::new("a", "before");
        document.metadata.insert("title", "old");
        document.metadata.insert("author", "someone");
        let mut draft = Draft::new(View::from(&document));
        draft.set_text("after");
        draft.set_metadata("title", "new");
        draft.remove_metadata("author");
        assert_eq!(draft.text(), "after");
        assert_eq!(draft.metadata("title").and_then(ValueRef::as_str), Some("new"));
        assert_eq!(draft.metadata("author"), None);
        assert_eq!(draft.original().text(), "before");

        let (edits, _) = draft.finish();
        let split = edits.apply(&mut document);
        assert!(split.is_empty());
        assert_eq!(document.text, "after");
        assert_eq!(document.metadata, [("title", "new")].into_iter().collect());
    }

    #[test]
    fn what_is_split_off_inherits_what_it_does_not_set() {
        let mut document = Document::new("a", "one two");
        for (name, value) in [("site", "s"), ("title", "old"), ("author", "someone")] {
            document.metadata.insert(name, value);
        }
        let part = || {
            let mut part = Document::new("", "two");
            part.metadata.insert("title", "two");
            part.metadata.insert("rank", 1);
            part
        };
        let mut draft = Draft::new(View::from(&document));
        draft.split_off(part());
        draft.split_off_alone(part());
        draft.remove_metadata("author");
        draft.set_metadata("parts", 2);
        let (edits, _) = draft.finish();
        let split = edits.apply(&mut document);
        let fields = |document: &Document| -> Vec<String> {
            document.metadata.iter().map(|(name, value)| format!("{name}={value:?}")).collect()
        };
        assert_eq!(fields(&split[1]), fields(&part()));
        assert_eq!(split[0].metadata.get("title"), Some(&Value::from("two")));
        let names: Vec<&str> = split[0].metadata.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["parts", "rank", "site", "title"]);
    }

    #[test]
    fn many_fields_are_found_among_the_changes() {
        const N: usize = 200_000;
        let document = Document::new("a", "text");
        let view = View::from(&document);
        let mut draft = Draft::new(view);
        for number in (0..N).rev() {
            draft.set_metadata(format!("k{number}"), number as i64);
            assert_eq!(draft.metadata(&format!("k{number}")), Some(ValueRef::Integer(number as i64)));
        }
        draft.remove_metadata("k7");
        draft.set_metadata("k8", "eight");
        assert_eq!((draft.metadata("k7"), draft.metadata("k8")), (None, Some(ValueRef::String("eight"))));
        let (edits, _) = draft.finish();
        assert_eq!(edits.metadata.len(), N);
        let mut document = document.clone();
        assert!(edits.apply(&mut document).is_empty());
        assert_eq!(document.metadata.len(), N - 1);
        assert_eq!(document.metadata.get("k8"), Some(&Value::from("eight")));
    }
}
