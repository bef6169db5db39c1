//! `site-rules`: cleans pages of known sites by rule files.
//!
//! [`options`] holds the page of the stage with the rule language, `file` a rule file as written, `site` the
//! rules that run, `compile` the way from one to the other, `detect` the search for the site, `page` the rules'
//! effect on one document, and `literals` what keeps both fast.

mod compile;
mod detect;
mod file;
mod lazy;
mod literals;
mod options;
mod page;
mod site;
#[cfg(test)]
mod tests;

use tamis_plugin::{
    Draft, Extractor, Failure, Form, Forms, Layout, Limit, MeasureInfo, Notes, SetupError, ValueRef, Verdict,
};

use tamis_text::scan::Scan;

use compile::Compiler;
use detect::Detector;
use page::Page;
use site::{FieldSource, Site};

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
        "cleaned_by",
        "description",
        "editor_note",
        "published_raw",
        "publisher",
        "site",
        "source",
        "title",
        "*",
    ];
    const MEASURES: &'static [MeasureInfo] = &[
        MeasureInfo::new(
            "signs:*",
            "signs",
            "How many signs of a site a text with any shows; the rule file sets the limit.",
        ),
        MeasureInfo::new("removed_at:*", "bytes", "Where a rule took its first piece out."),
        MeasureInfo::new("removed_bytes:*", "bytes", "How much a rule took out."),
    ];
    type Options = SiteRulesOptions;

    fn open(options: Self::Options) -> Result<Self, SetupError> {
        let mut compiler = Compiler::default();
        for path in &options.rules {
            compiler.add_file(path);
        }
        Self::build(compiler, options.on_unmatched)
    }

    fn counters(&self) -> Vec<String> {
        let of = |site: &Site| {
            let rules: Vec<String> = site.rule_ids().map(str::to_owned).collect();
            if rules.is_empty() { vec![format!("matched:{}", site.name)] } else { rules }
        };
        self.sites.iter().flat_map(of).collect()
    }

    fn forms(&self) -> Forms {
        // A site is told by what surrounds the text: of a page that was cleaned before, its rules know nothing.
        Forms::new().taking([Form::Flattened]).needing([Layout::Lines]).cleaning()
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let scan = crate::scanned::scan(draft.original());
        let text = scan.text();
        for site in self.detected(&scan, draft) {
            let mut page = Page::new(&scan, site);
            if let Some(reject) = page.rejected(site) {
                draft.notes().count(format!("matched:{}", site.name), 1);
                draft.notes().count(reject.id.clone(), 1);
                return Ok(Verdict::Drop(reject.reason.clone().into()));
            }
            if site.only_rejects() {
                continue;
            }
            page.apply(site);
            let cleaned = page.text();
            write_fields(site, &page, draft);
            write_notes(site, &page, draft.notes());
            if cleaned != text {
                draft.set_text(cleaned);
            }
            return Ok(Verdict::Keep);
        }
        draft.notes().count("unmatched", 1);
        Ok(match self.on_unmatched {
            OnUnmatched::Keep => Verdict::Keep,
            OnUnmatched::Drop => Verdict::Drop("unmatched-site".into()),
        })
    }
}

impl SiteRules {
    fn build(compiler: Compiler, on_unmatched: OnUnmatched) -> Result<Self, SetupError> {
        let (sites, detector) =
            compiler.finish().map_err(|mistakes| SetupError::in_option("rules", mistakes.join("\n")))?;
        Ok(Self { detector, sites, on_unmatched })
    }

    /// The sites that are detected, in the order of the files; what was found of any is noted.
    fn detected(&self, scan: &Scan<'_>, draft: &mut Draft<'_>) -> Vec<&Site> {
        let mut detected = Vec::new();
        for (site, signs) in self.sites.iter().zip(self.detector.signs(scan)) {
            if signs.found > 0 {
                let name = format!("signs:{}", site.name);
                draft.notes().measure(name, signs.found as f64, Limit::Min(signs.need as f64));
            }
            if signs.detected() {
                detected.push(site);
            }
        }
        detected
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
    if page.is_exact() {
        draft.set_metadata("cleaned_by", format!("site-rules:{}", site.name));
        draft.notes().count("exact", 1);
    }
}

/// Counts the rules that removed something, and says of each what it removed.
fn write_notes(site: &Site, page: &Page<'_>, notes: &mut Notes) {
    notes.count(format!("matched:{}", site.name), 1);
    notes.count("lines_dropped", page.lines_dropped);
    notes.count("parts_cut", page.parts_cut);
    for removal in &page.removals {
        notes.count(removal.id.to_owned(), 1);
        notes.measure(format!("removed_at:{}", removal.id), removal.at as f64, Limit::None);
        notes.measure(format!("removed_bytes:{}", removal.id), removal.bytes as f64, Limit::None);
    }
}
