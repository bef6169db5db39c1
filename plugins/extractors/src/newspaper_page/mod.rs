//! `newspaper-page`: takes a page of a newspaper's digital edition apart.
//!
//! [`options`] holds the page of the stage; `furniture` finds what is printed around the article, `sections`
//! its numbered parts, and `affinity` guesses which paragraphs belong together where the order is lost.

mod affinity;
mod furniture;
mod items;
mod lines;
mod options;
mod sections;
#[cfg(test)]
mod tests;

use tamis_plugin::{
    Draft, Extractor, Failure, Form, Forms, Json, Layout, Limit, MeasureInfo, SetupError, Value, ValueRef,
    Verdict,
};

use furniture::Furniture;
use lines::PageLine;
use sections::Sections;

pub use options::NewspaperPageOptions;

/// Takes newspaper pages apart; see [`NewspaperPageOptions`].
#[derive(Debug)]
pub struct NewspaperPage {
    options: NewspaperPageOptions,
}

impl Extractor for NewspaperPage {
    const NAME: &'static str = "newspaper-page";
    const WRITES: &'static [&'static str] =
        &["text", "cleaned_by", "order_uncertain", "page", "published_raw", "publisher", "sections", "title"];
    const MEASURES: &'static [MeasureInfo] = &[MeasureInfo::new(
        "signs",
        "signs",
        "How many of the three signs of a newspaper page a text with any shows.",
    )
    .at_least("min_signs")];
    type Options = NewspaperPageOptions;

    fn open(options: Self::Options) -> Result<Self, SetupError> {
        Ok(Self { options })
    }

    fn forms(&self) -> Forms {
        // Headings are told from paragraphs by their indentation.
        Forms::new().taking([Form::Flattened]).needing([Layout::Lines, Layout::WhiteSpace]).cleaning()
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let signs = furniture::signs(draft.original().text());
        if signs > 0 {
            draft.notes().measure("signs", signs as f64, Limit::Min(self.options.min_signs as f64));
        }
        if signs < self.options.min_signs {
            draft.notes().count("not_a_page", 1);
            return Ok(Verdict::Keep);
        }
        let mut lines = lines::split(draft.original().text());
        let mut furniture = Furniture::find(&lines);
        draft.notes().count("pages", 1);
        draft.notes().count("date_conflict", furniture.date_conflict.into());
        let mut removed = furniture.strip(&mut lines);
        sections::space_headings(&mut lines);
        let sections = sections::find(&mut lines).map(|(sections, n_lines)| {
            removed += n_lines;
            sections
        });
        draft.notes().count("lines_dropped", removed);
        draft.set_text(self.text(&lines, sections.as_ref()));
        write_page(draft, furniture)?;
        draft.set_metadata("cleaned_by", Self::NAME);
        if let Some(sections) = sections {
            draft.notes().count("sections", sections.list.len() as u64);
            draft.notes().count("order_uncertain", sections.uncertain.into());
            draft.set_metadata("sections", json(&sections.list)?);
            draft.set_metadata("order_uncertain", sections.uncertain);
        }
        Ok(Verdict::Keep)
    }
}

impl NewspaperPage {
    /// The text that is left: in source order, or by section numbers where these are certain.
    fn text(&self, lines: &[PageLine<'_>], sections: Option<&Sections>) -> String {
        let certain = sections.filter(|sections| self.options.reorder_sections && !sections.uncertain);
        let order = match certain {
            Some(sections) => sections.line_order(lines.len()),
            None => (0..lines.len()).collect(),
        };
        let kept = order.into_iter().map(|index| &lines[index]).filter(|line| !line.removed);
        let kept: Vec<&str> = kept.map(|line| &*line.text).collect();
        let is_text = |line: &&str| !line.trim().is_empty();
        let start = kept.iter().position(is_text).unwrap_or(kept.len());
        let end = kept.iter().rposition(is_text).map_or(start, |last| last + 1);
        kept.get(start..end).unwrap_or_default().join("\n")
    }
}

/// Writes the metadata of the page; what the document knows already stays.
fn write_page(draft: &mut Draft<'_>, furniture: Furniture) -> Result<(), Failure> {
    let page = furniture.page;
    let fields = [
        ("title", page.title.clone()),
        ("publisher", page.paper.clone()),
        ("published_raw", furniture.shown_date),
    ];
    draft.set_metadata("page", json(&page)?);
    for (name, value) in fields {
        let known = draft.metadata(name).is_some_and(|value| value != ValueRef::Null);
        if let (Some(value), false) = (value, known) {
            draft.set_metadata(name, value);
        }
    }
    Ok(())
}

fn json(value: &impl serde::Serialize) -> Result<Value, Failure> {
    let text = serde_json::to_string(value).map_err(Failure::new)?;
    Json::parse(&text).map(Value::from).map_err(Failure::new)
}
