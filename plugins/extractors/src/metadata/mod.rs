//! `metadata`: title, author, publisher, date and source of a page that was flattened to text.
//!
//! [`options`] holds the page of the stage.
//! `titles`, `dates`, `bylines` and `sources` each look for candidates and choose among them.
//! `repeated` and `glued` find titles by their copies, `quality` knows what a title looks like and `names` what a
//! name does; `labels` finds the words that announce something in one pass, `page` walks over lines.

mod bylines;
mod dates;
mod evidence;
mod glued;
mod labels;
mod names;
mod options;
mod page;
mod quality;
mod repeated;
mod sources;
#[cfg(test)]
mod tests;
mod titles;

use std::collections::BTreeMap;

use tamis_dates::certain_moment;
use tamis_plugin::{Draft, Extractor, Failure, Form, Forms, Json, Layout, SetupError, ValueRef, Verdict};

use bylines::Places;
use evidence::{Evidence, Written};
use labels::Labels;
use page::Page;
use repeated::Repeated;

pub use options::MetadataOptions;

/// Finds the metadata of flattened pages; see [`MetadataOptions`].
#[derive(Debug)]
pub struct Metadata {
    options: MetadataOptions,
}

impl Extractor for Metadata {
    const NAME: &'static str = "metadata";
    const WRITES: &'static [&'static str] =
        &["author", "metadata_evidence", "published", "published_raw", "publisher", "source", "title"];
    type Options = MetadataOptions;

    fn open(options: Self::Options) -> Result<Self, SetupError> {
        Ok(Self { options })
    }

    fn forms(&self) -> Forms {
        // Documents that were cleaned come to it to be passed over.
        let passed = self.options.skip_cleaned.then_some(Form::Clean);
        Forms::new().taking(passed.into_iter().chain([Form::Flattened])).needing([Layout::Lines])
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let is_cleaned = || draft.metadata("cleaned_by").is_some_and(|value| value != ValueRef::Null);
        if self.options.skip_cleaned && is_cleaned() {
            return Ok(Verdict::Keep);
        }
        let known = Known::of(draft);
        let scan = crate::scanned::scan(draft.original());
        let found = self.find(Page::new(&scan), &known);
        if self.options.published
            && !known.has("published")
            && let Some(published) = known.published_raw.as_deref().and_then(certain_moment)
        {
            draft.set_metadata("published", published);
        }
        self.write(draft, found)?;
        Ok(Verdict::Keep)
    }
}

/// What the document knows about itself already.
#[derive(Debug, Default)]
struct Known {
    title: Option<String>,
    published_raw: Option<String>,
    url: Option<String>,
    /// Names of the other fields that have a value.
    others: Vec<&'static str>,
}

impl Known {
    fn of(draft: &Draft<'_>) -> Self {
        let has = |name: &&str| draft.metadata(name).is_some_and(|value| value != ValueRef::Null);
        let string = |name| draft.metadata(name).and_then(ValueRef::as_str).map(str::to_owned);
        Self {
            title: string("title").filter(|title| !title.trim().is_empty()),
            published_raw: string("published_raw"),
            url: string("url"),
            others: ["author", "publisher", "published", "source"].into_iter().filter(has).collect(),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.others.contains(&name)
    }
}

type Found = Vec<(&'static str, Evidence)>;

impl Metadata {
    /// The fields that are wanted and not known, with their evidence, certain or not.
    fn find(&self, page: Page<'_>, known: &Known) -> Found {
        let labels = Labels::of(page);
        let repeated = match &known.title {
            Some(title) => Repeated::of_known(page, title),
            None => Repeated::find(page),
        };
        let repeated = repeated.as_ref();
        let candidates = dates::candidates(page, repeated, known.url.as_deref());
        let title = match known.title {
            Some(_) => None,
            None => titles::choose(page, repeated, &candidates, &labels),
        };
        let date = dates::choose(page, &candidates);
        let places = places(repeated, title.as_ref(), date.as_ref());
        let wanted = |wanted: bool, known: bool| wanted && !known;
        let mut found = Vec::new();
        let mut add =
            |name, evidence: Option<Evidence>| found.extend(evidence.map(|evidence| (name, evidence)));
        if wanted(self.options.author, known.has("author")) {
            add("author", bylines::choose(page, &labels, &places));
        }
        if wanted(self.options.publisher, known.has("publisher")) {
            add("publisher", sources::publisher(page, &labels, repeated));
        }
        if wanted(self.options.source, known.has("source")) {
            let near: Vec<_> = places.titles.iter().chain(&places.date).cloned().collect();
            add("source", sources::choose(page, &labels, &near));
        }
        if wanted(self.options.published, known.has("published") || known.published_raw.is_some()) {
            add("published", date);
        }
        if self.options.title {
            add("title", title);
        }
        found
    }

    fn write(&self, draft: &mut Draft<'_>, found: Found) -> Result<(), Failure> {
        let mut written = BTreeMap::new();
        for (name, evidence) in found {
            if evidence.confidence < self.options.min_confidence {
                draft.notes().count("uncertain", 1);
                continue;
            }
            draft.notes().count(name, 1);
            written.insert(name, Written::from(&evidence));
            if let Some(raw) = evidence.raw {
                draft.set_metadata("published_raw", raw);
            }
            draft.set_metadata(name, evidence.value);
        }
        if self.options.evidence && !written.is_empty() {
            let text = serde_json::to_string(&written).map_err(Failure::new)?;
            draft.set_metadata("metadata_evidence", Json::parse(&text).map_err(Failure::new)?);
        }
        Ok(())
    }
}

/// Where title and date stand, for what is looked for near them.
fn places(repeated: Option<&Repeated<'_>>, title: Option<&Evidence>, date: Option<&Evidence>) -> Places {
    let mut titles: Vec<_> = title.iter().map(|title| title.range.clone()).collect();
    if let Some(repeated) = repeated
        && title
            .is_none_or(|title| title.value.contains(repeated.text) || repeated.text.contains(&title.value))
    {
        titles.push(repeated.core.clone());
        titles.extend(repeated.at.iter().cloned());
    }
    Places { titles, date: date.map(|date| date.range.clone()) }
}
