//! `convert`: simplified to traditional Chinese and back.

mod options;
mod table;
#[cfg(test)]
mod tests;

use tamis_plugin::{
    Draft, Extractor, Failure, Form as TextForm, Forms, Limit, MeasureInfo, SetupError, ValueRef, Verdict,
};

use crate::language::stands_for;
pub use options::{ConvertOptions, Form};
use table::Table;

/// Converts Chinese; see [`ConvertOptions`].
#[derive(Debug)]
pub struct Convert {
    options: ConvertOptions,
    /// The tables, each laid over what the one before has made.
    tables: Vec<Table>,
    /// The tags of documents that are converted, and what such a document has afterwards.
    only_if: Vec<String>,
    tag: &'static str,
}

impl Extractor for Convert {
    const NAME: &'static str = "convert";
    // Beside these the fields that options name.
    const WRITES: &'static [&'static str] = &["text", "language"];
    const MEASURES: &'static [MeasureInfo] =
        &[MeasureInfo::new("converted", "characters", "Characters of the text that were replaced.")];
    type Options = ConvertOptions;

    fn open(options: ConvertOptions) -> Result<Self, SetupError> {
        let Some(to) = options.to else {
            return Err(SetupError::in_option(
                "to",
                "it converts to nothing: say the form, as `\"simplified\"`",
            ));
        };
        let other = if to == Form::Simplified { Form::Traditional } else { Form::Simplified };
        let from = options.from.unwrap_or(other);
        if from == to {
            return Err(SetupError::in_option(
                "from",
                "`from` and `to` are the same form: nothing would change",
            ));
        }
        let is_regional = |form| matches!(form, Form::Taiwan | Form::HongKong);
        if options.words && !is_regional(from) && !is_regional(to) {
            let message =
                "only Taiwan and Hong Kong have words of their own: leave out `words`, or name one of them";
            return Err(SetupError::in_option("words", message));
        }
        let tables =
            sources(from, to, options.words).iter().map(|text| Table::parse(text)).collect::<Result<_, _>>();
        let tables =
            tables.map_err(|error| SetupError::new(format!("the tables cannot be built: {error}")))?;
        let only_if = if options.only_if.is_empty() {
            let script = if from == Form::Simplified { "zh-Hans" } else { "zh-Hant" };
            vec![script.to_owned(), UNDECIDED.to_owned()]
        } else {
            options.only_if.clone()
        };
        let tag = if to == Form::Simplified { "zh-Hans" } else { "zh-Hant" };
        Ok(Self { options, tables, only_if, tag })
    }

    fn forms(&self) -> Forms {
        Forms::new().taking([TextForm::Flattened, TextForm::Clean])
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let document = draft.original();
        let field = self.options.language_field.as_str();
        let told = document.metadata(field).and_then(ValueRef::as_str);
        let tag = tag_of(told, document.text());
        if !self.converts(tag) {
            return Ok(Verdict::Keep);
        }
        let mut is_changed = false;
        for name in &self.options.fields {
            let value = document.metadata(name).and_then(ValueRef::as_str);
            if let Some((converted, _)) = value.and_then(|value| self.convert(value)) {
                draft.set_metadata(name.clone(), converted);
                is_changed = true;
            }
        }
        let mut n_replaced = 0;
        if let Some((converted, n)) = self.convert(document.text()) {
            draft.set_text(converted);
            (n_replaced, is_changed) = (n, true);
        }
        draft.notes().measure("converted", n_replaced as f64, Limit::None);
        if is_changed {
            draft.notes().count("documents_changed", 1);
            if told.is_some_and(|told| told.starts_with("zh-")) {
                draft.set_metadata(field.to_owned(), self.tag);
            }
        }
        Ok(Verdict::Keep)
    }
}

/// The tag of a text that may be in either form.
const UNDECIDED: &str = "zh";

impl Convert {
    fn converts(&self, tag: &str) -> bool {
        let is_all = !self.options.only_if.is_empty();
        self.only_if.iter().any(|range| if is_all { stands_for(range, tag) } else { range == tag })
    }

    /// What becomes of a text, and how many characters were replaced; `None` if it stays as it is.
    fn convert(&self, text: &str) -> Option<(String, usize)> {
        let mut converted: Option<(String, usize)> = None;
        for table in &self.tables {
            let (text, n) = converted.as_ref().map_or((text, 0), |(text, n)| (text.as_str(), *n));
            if let Some((next, n_more)) = table.convert(text) {
                converted = Some((next, n + n_more));
            }
        }
        converted.filter(|(converted, _)| converted != text)
    }
}

/// How a document is tagged, by what it says itself if it does.
fn tag_of<'a>(told: Option<&'a str>, text: &str) -> &'a str {
    match told {
        None => tamis_language::identify(text).tag,
        Some("zh") => tamis_language::chinese_tag(text),
        Some("zh-CN" | "zh-SG") => "zh-Hans",
        Some("zh-TW" | "zh-HK" | "zh-MO") => "zh-Hant",
        Some(told) => told,
    }
}

/// The tables from one form to another, in turn: through the traditional characters of no region.
fn sources(from: Form, to: Form, words: bool) -> Vec<String> {
    macro_rules! table {
        ($name:literal) => {
            include_str!(concat!("tables/", $name, ".txt"))
        };
    }
    let first = match from {
        Form::Simplified => (table!("to_traditional"), ""),
        Form::Traditional => ("", ""),
        Form::Taiwan => (table!("from_taiwan"), table!("from_taiwan_words")),
        Form::HongKong => (table!("from_hong_kong"), table!("from_hong_kong_words")),
    };
    let second = match to {
        Form::Simplified => (table!("to_simplified"), ""),
        Form::Traditional => ("", ""),
        Form::Taiwan => (table!("to_taiwan"), table!("to_taiwan_words")),
        Form::HongKong => (table!("to_hong_kong"), table!("to_hong_kong_words")),
    };
    let tables = [first, second].into_iter();
    // Words are looked up beside the characters of their region, in which they are written.
    tables
        .map(
            |(characters, of_region)| {
                if words { format!("{of_region}{characters}") } else { characters.to_owned() }
            },
        )
        .filter(|table| !table.is_empty())
        .collect()
}
