//! `site-rules`: cleans pages of known sites by rule files.
//!
//! [`options`] holds the page of the stage with the rule language, `file` a rule file as written, `compile`
//! the rules that run, `detect` the search for the site, and `page` the rules' effect on one document.

mod compile;
mod detect;
mod file;
mod options;
mod page;
#[cfg(test)]
mod tests;

use tamis_plugin::{Draft, Extractor, Failure, Limit, SetupError, ValueRef, Verdict};

use compile::{Compiler, FieldSource, Site};
use detect::Detector;
use page::Page;

pub use file::RuleFile;
pub use options::{OnUnmatched, SiteRulesOptions};

/// Cleans pages of known sites; see [`SiteRulesOptions`].
#[derive(Debug)]
pub struct SiteRules {
    detector: Detector,
    sites: Vec<Site>,
    on_unmatched: OnUnmatched,
}

impl Extractor for SiteRules {
    const NAME: &'static str = "site-rules";
    const WRITES: &'static [&'static str] = &[
        "text",
        "account",
        "account_id",
        "author",
        "description",
        "editor_note",
        "published_raw",
        "publisher",
        "site",
        "source",
        "title",
        "*",
    ];
    type Options = SiteRulesOptions;

    fn open(options: Self::Options) -> Result<Self, SetupError> {
        let mut compiler = Compiler::default();
        for path in &options.rules {
            compiler.add_file(path);
        }
        Self::build(compiler, options.on_unmatched)
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let text = draft.original().text();
        let Some(site) = self.detect(text, draft) else {
            draft.notes().count("unmatched", 1);
            return Ok(match self.on_unmatched {
                OnUnmatched::Keep => Verdict::Keep,
                OnUnmatched::Drop => Verdict::Drop("unmatched-site".into()),
            });
        };
        let mut page = Page::new(text);
        page.apply(site);
        let cleaned = page.text();
        write_fields(site, &page, draft);
        write_counts(site, &page, draft);
        if cleaned != text {
            draft.set_text(cleaned);
        }
        Ok(Verdict::Keep)
    }
}

impl SiteRules {
    fn build(compiler: Compiler, on_unmatched: OnUnmatched) -> Result<Self, SetupError> {
        let (sites, detector) =
            compiler.finish().map_err(|mistakes| SetupError::in_option("rules", mistakes.join("\n")))?;
        Ok(Self { detector, sites, on_unmatched })
    }

    /// The first site that is detected; what was found of any is noted.
    fn detect(&self, text: &str, draft: &mut Draft<'_>) -> Option<&Site> {
        let mut winner = None;
        for (site, signs) in self.sites.iter().zip(self.detector.signs(text)) {
            if signs.found > 0 {
                let name = format!("signs:{}", site.name);
                draft.notes().measure(name, signs.found as f64, Limit::Min(signs.need as f64));
            }
            if winner.is_none() && signs.detected() {
                winner = Some(site);
            }
        }
        winner
    }
}

/// Writes what was captured; what the document knows already stays.
fn write_fields(site: &Site, page: &Page<'_>, draft: &mut Draft<'_>) {
    let mut captured = 0;
    let mut write = |draft: &mut Draft<'_>, name: &str, value: &str| {
        let known = draft.metadata(name).is_some_and(|value| value != ValueRef::Null);
        if !known {
            draft.set_metadata(name.to_owned(), value);
            captured += 1;
        }
    };
    for (name, value) in &page.fields {
        write(draft, name, value);
    }
    for field in &site.fields {
        let FieldSource::Copy(from) = &field.from else { continue };
        if let Some(value) = draft.metadata(from).and_then(ValueRef::as_str).map(str::to_owned) {
            write(draft, &field.name, &value);
        }
    }
    write(draft, "site", &site.name);
    draft.notes().count("fields_captured", captured);
}

fn write_counts(site: &Site, page: &Page<'_>, draft: &mut Draft<'_>) {
    let notes = draft.notes();
    notes.count(format!("matched:{}", site.name), 1);
    notes.count("lines_dropped", page.lines_dropped);
    notes.count("parts_cut", page.parts_cut);
    for id in &page.hits {
        notes.count((*id).to_owned(), 1);
    }
}
