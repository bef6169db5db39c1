//! `html-metadata`: what a page says about itself.
//!
//! [`options`] holds the page of the stage; `declared` reads the head and `json_ld` structured data, `shown` what
//! readers see on a `page`, with `dates`, their `labels`, and `names`; `title` parts a title from the name of the
//! site, `moment` chooses among dates (`address` has one, too), `statement` decides whom to believe.

mod address;
mod dates;
mod declared;
mod json_ld;
mod labels;
mod moment;
mod names;
mod options;
mod page;
mod shown;
mod statement;
#[cfg(test)]
mod tests;
mod title;

use std::collections::BTreeMap;

use tamis_plugin::{Draft, Extractor, Failure, Form, Forms, Json, SetupError, Value, ValueRef, Verdict};
use tamis_text::likeness::say_the_same;

use crate::parsed::{Source, is_page, parsed};
use statement::{Statement, Statements, Written, believed, letters};

pub use options::{Field, HtmlMetadataOptions};

/// Between tags in one string.
const TAG_MARKS: [char; 5] = [',', '，', ';', '；', '、'];
/// More tags say nothing.
const MOST_TAGS: usize = 200;

/// Reads what a page says about itself; see [`HtmlMetadataOptions`].
#[derive(Debug)]
pub struct HtmlMetadata {
    options: HtmlMetadataOptions,
}

impl Extractor for HtmlMetadata {
    const NAME: &'static str = "html-metadata";
    const WRITES: &'static [&'static str] = &[
        "author",
        "canonical_url",
        "description",
        "language",
        "metadata_evidence",
        "modified",
        "published",
        "published_raw",
        "publisher",
        "source",
        "tags",
        "title",
    ];
    type Options = HtmlMetadataOptions;

    fn open(options: HtmlMetadataOptions) -> Result<Self, SetupError> {
        if !(0.0..=1.0).contains(&options.min_confidence) {
            let message = format!("`min_confidence` is {}, but must be from 0 to 1", options.min_confidence);
            return Err(SetupError::in_option("min_confidence", message));
        }
        if options.fields.is_empty() {
            return Err(SetupError::in_option(
                "fields",
                "`fields` names no field, so there is nothing to do",
            ));
        }
        Ok(Self { options })
    }

    fn forms(&self) -> Forms {
        Forms::new().taking([Form::Markup])
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let original = draft.original();
        let source = Source::of(&original);
        let page = source.as_ref().map_or(original.text(), Source::text);
        if !is_page(&original, source.as_ref()) {
            draft.notes().count("no_markup", 1);
            return Ok(Verdict::Keep);
        }
        let parsed = parsed(&original, source.as_ref())?;
        let mut statements = Statements::default();
        declared::declared(page, &parsed.tree, &mut statements);
        shown::shown(page, &parsed, &mut statements);
        let url = draft.metadata("url").and_then(ValueRef::as_str).map(str::to_owned);
        let found: Vec<Statement> = self
            .options
            .fields
            .iter()
            .filter_map(|field| choose(*field, &statements, url.as_deref()))
            .collect();
        let language = moment::language(&statements);
        self.write(draft, found, language.as_deref())?;
        Ok(Verdict::Keep)
    }
}

impl HtmlMetadata {
    fn write(
        &self,
        draft: &mut Draft<'_>,
        found: Vec<Statement>,
        language: Option<&str>,
    ) -> Result<(), Failure> {
        let mut written = BTreeMap::new();
        for statement in found {
            let name = statement.field.name();
            if draft.metadata(name).is_some_and(|value| value != ValueRef::Null) {
                continue;
            }
            if statement.confidence < self.options.min_confidence {
                draft.notes().count("uncertain", 1);
                continue;
            }
            draft.notes().count(name, 1);
            written.insert(name, Written::from(&statement));
            let value = match statement.field {
                Field::Tags => json(&tags(&statement.value))?.into(),
                Field::Published | Field::Modified => {
                    let moment = moment::written(&statement.value, language).unwrap_or_default();
                    if statement.field == Field::Published {
                        draft.set_metadata("published_raw", statement.value);
                    }
                    moment.into()
                }
                _ => Value::from(statement.value),
            };
            draft.set_metadata(name, value);
        }
        if self.options.evidence && !written.is_empty() {
            draft.set_metadata("metadata_evidence", json(&written)?);
        }
        Ok(())
    }
}

fn json(value: &impl serde::Serialize) -> Result<Json, Failure> {
    let text = serde_json::to_string(value).map_err(Failure::new)?;
    Json::parse(&text).map_err(Failure::new)
}

/// The statement to believe about a field.
fn choose(field: Field, statements: &Statements, url: Option<&str>) -> Option<Statement> {
    let said = || statements.about(field);
    let with = |value: String, said: &Statement| Statement { value, ..said.clone() };
    match field {
        Field::Title => title::choose(statements, &sites(statements, url), statements.homes()),
        Field::Published | Field::Modified => moment::choose(field, statements, url),
        Field::Author => {
            let names = joined(said().filter(|said| names::is_name(&said.value)).cloned(), "\n");
            // Beside a person the house that publishes is none.
            let sites = sites(statements, url);
            let of_people = |value: &str| {
                let all: Vec<&str> = value.split('\n').collect();
                let people: Vec<&str> =
                    all.iter().copied().filter(|name| !sites.contains(&letters(name))).collect();
                names::each_once(if people.is_empty() { &all } else { &people }).join(", ")
            };
            let mut names: Vec<Statement> =
                names.into_iter().map(|said| Statement { value: of_people(&said.value), ..said }).collect();
            names::doubt_accounts(&mut names);
            believed(&names, say_the_same)
        }
        Field::Tags => believed(&joined(said().cloned(), ","), say_the_same),
        Field::Language => {
            let tags = said().filter_map(|said| Some(with(language(&said.value)?, said)));
            believed(&tags.collect::<Vec<_>>(), |one, other| primary(one) == primary(other))
        }
        Field::CanonicalUrl => {
            let absolute =
                |said: &&Statement| ["http://", "https://"].iter().any(|start| said.value.starts_with(start));
            believed(&said().filter(absolute).cloned().collect::<Vec<_>>(), |one, other| one == other)
        }
        Field::Publisher | Field::Source | Field::Description => {
            believed(&said().cloned().collect::<Vec<_>>(), say_the_same)
        }
    }
}

/// Statements of one kind of place as one, each value once.
fn joined(statements: impl Iterator<Item = Statement>, mark: &str) -> Vec<Statement> {
    let mut all: Vec<Statement> = Vec::new();
    for statement in statements {
        match all.iter_mut().find(|known| known.rule == statement.rule) {
            Some(known) if known.value.split(mark).any(|value| value == statement.value) => {}
            Some(known) => {
                known.value = format!("{}{mark}{}", known.value, statement.value);
                known.span =
                    known.span.start.min(statement.span.start)..known.span.end.max(statement.span.end);
            }
            None => all.push(statement),
        }
    }
    all
}

/// The letters of all names of the site: as it calls itself, and the part of its address that tells.
fn sites(statements: &Statements, url: Option<&str>) -> Vec<String> {
    let named = statements.about(Field::Publisher).map(|said| letters(&said.value));
    let addresses = statements.about(Field::CanonicalUrl).map(|said| said.value.as_str());
    let hosts = addresses.chain(url).filter_map(|url| {
        let host = tamis_text::hosts::host(url)?;
        Some(tamis_text::hosts::without_www(&host).to_owned())
    });
    let labels = hosts.flat_map(|host| {
        let longest = host.split('.').max_by_key(|label| label.len()).map(letters);
        [Some(letters(&host)), longest]
    });
    named.chain(labels.flatten()).filter(|name| !name.is_empty()).collect()
}

/// A language tag in the form of BCP 47, if it is one.
fn language(tag: &str) -> Option<String> {
    let tag = tag.trim().replace('_', "-");
    let mut parts = tag.split('-');
    let first = parts.next()?;
    let is_language = (2..=3).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_part =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_language && parts.all(is_part)).then_some(tag)
}

fn primary(tag: &str) -> String {
    tag.split('-').next().unwrap_or_default().to_ascii_lowercase()
}

/// The tags in one string, each once.
fn tags(joined: &str) -> Vec<&str> {
    let mut tags: Vec<&str> = Vec::new();
    for tag in joined.split(TAG_MARKS).map(str::trim).filter(|tag| !tag.is_empty()) {
        if tags.len() < MOST_TAGS && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}
