//! `site-rules`: cleans pages of known sites by rule files.
//!
//! [`options`] holds the page of the stage with the rule language, `file` a rule file as written, `compile`
//! the rules that run, and `page` their effect on one document.

mod compile;
mod file;
mod options;
mod page;
#[cfg(test)]
mod tests;

use tamis_plugin::{Draft, Extractor, Failure, Limit, SetupError, ValueRef, Verdict};

use compile::{Compiler, Detector, FieldSource, Site};
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
    fn build(mut compiler: Compiler, on_unmatched: OnUnmatched) -> Result<Self, SetupError> {
        let detector = if compiler.mistakes.is_empty() { compiler.detector() } else { Detector::default() };
        if !compiler.mistakes.is_empty() {
            return Err(SetupError::in_option("rules", compiler.mistakes.join("\n")));
        }
        Ok(Self { detector, sites: compiler.sites, on_unmatched })
    }

    /// The first site whose patterns are found, all sites searched together in one pass over the lines.
    fn detect(&self, text: &str, draft: &mut Draft<'_>) -> Option<&Site> {
        let set = &self.detector.set;
        let mut found = vec![false; set.len()];
        for line in text.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
            // Most lines match nothing, and asking that alone needs no allocation.
            if set.is_match(line) {
                set.matches(line).iter().for_each(|index| found[index] = true);
            }
        }
        let count =
            |range: &std::ops::Range<usize>| found[range.clone()].iter().filter(|found| **found).count();
        let mut winner = None;
        for (site, detection) in self.sites.iter().zip(&self.detector.sites) {
            let signals = count(&detection.detect);
            if signals > 0 {
                let name = format!("signals:{}", site.name);
                draft.notes().measure(name, signals as f64, Limit::Min(detection.need as f64));
            }
            if winner.is_none() && signals >= detection.need && count(&detection.unless) == 0 {
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
