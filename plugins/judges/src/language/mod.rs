//! `language`: says what language a document is in, and keeps or drops documents by it.

mod model;
mod options;
#[cfg(test)]
mod tests;

use tamis_language::{UNDETERMINED, identify, languages};
use tamis_plugin::{Better, Draft, Extractor, Failure, Form, Forms, Limit, MeasureInfo, SetupError, Verdict};

use crate::fasttext::listed;
use model::LanguageModel;
pub use options::LanguageOptions;
pub(crate) use options::stands_for;

/// Says what language a document is in; see [`LanguageOptions`].
#[derive(Debug)]
pub struct Language {
    options: LanguageOptions,
    /// A model of the user.
    model: Option<LanguageModel>,
}

impl Extractor for Language {
    const NAME: &'static str = "language";
    // Where it is written stands in the options.
    const WRITES: &'static [&'static str] = &[];
    const MEASURES: &'static [MeasureInfo] =
        &[MeasureInfo::new("language_confidence", "", "How sure it is of the language, from 0 to 1.")
            .better(Better::Higher)
            .at_least("min_confidence")];
    type Options = LanguageOptions;

    fn open(options: LanguageOptions) -> Result<Self, SetupError> {
        let model = options.model.as_deref().map(LanguageModel::load).transpose();
        let model = model.map_err(|why| SetupError::in_option("model", why))?;
        let known: Vec<&str> = match &model {
            Some(model) => model.tags(),
            None => languages(),
        };
        for (option, tags) in [("keep", &options.keep), ("drop", &options.drop)] {
            for tag in tags {
                check(tag, options.scripts, &known).map_err(|why| SetupError::in_option(option, why))?;
            }
        }
        Ok(Self { options, model })
    }

    fn forms(&self) -> Forms {
        // Tags of HTML are no language, and most of a page's letters.
        Forms::new().taking([Form::Flattened, Form::Clean]).counting_marks()
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let (found, confidence) = if let Some(model) = &self.model {
            model.identify(draft.text()).map_err(Failure::new)?
        } else {
            let found = identify(draft.text());
            (found.tag.to_owned(), f64::from(found.confidence))
        };
        let is_sure = confidence >= self.options.min_confidence && found != UNDETERMINED;
        let tag = match found.as_str() {
            _ if !is_sure => UNDETERMINED,
            tag if self.options.scripts => tag,
            tag => tag.split('-').next().unwrap_or(tag),
        };
        draft.set_metadata(self.options.field.clone(), tag);
        draft.notes().measure("language_confidence", confidence, Limit::Min(self.options.min_confidence));
        draft.notes().count(format!("language:{tag}"), 1);
        Ok(if self.options.keeps(tag) {
            Verdict::Keep
        } else {
            Verdict::Drop(format!("language:{tag}").into())
        })
    }
}

/// What people write for a language, and its tag: codes of countries, mostly.
const OTHERWISE: [(&str, &str); 20] = [
    ("cn", "zh"),
    ("zh-cn", "zh-Hans"),
    ("zh-sg", "zh-Hans"),
    ("zh-tw", "zh-Hant"),
    ("zh-hk", "zh-Hant"),
    ("chinese", "zh"),
    ("english", "en"),
    ("jp", "ja"),
    ("kr", "ko"),
    ("cz", "cs"),
    ("dk", "da"),
    ("gr", "el"),
    ("se", "sv"),
    ("ua", "uk"),
    ("vn", "vi"),
    ("no", "nb"),
    ("iw", "he"),
    ("in", "id"),
    ("fil", "tl"),
    ("ger", "de"),
];

/// Complains about a tag that no document can have.
fn check(tag: &str, scripts: bool, known: &[&str]) -> Result<(), String> {
    let is_known = |tag: &str| tag == UNDETERMINED || known.contains(&tag);
    if is_known(tag) {
        return match tag.split_once('-') {
            Some((language, _)) if !scripts => {
                Err(format!("no document is `{tag}` with `scripts = false`: write `{language}`"))
            }
            _ => Ok(()),
        };
    }
    let lower = tag.to_ascii_lowercase();
    let meant = OTHERWISE.iter().find(|(word, _)| *word == lower).map(|(_, tag)| *tag);
    let same = || known.iter().find(|known| known.eq_ignore_ascii_case(tag)).copied();
    let part =
        || lower.split('-').next().and_then(|part| known.iter().find(|known| **known == part)).copied();
    if let Some(meant) = meant.or_else(same).or_else(part) {
        return Err(format!("`{tag}` is no language that is told apart: did you mean `{meant}`?"));
    }
    let known: Vec<String> = known.iter().map(|tag| (*tag).to_owned()).collect();
    Err(format!("`{tag}` is no language that is told apart; there are {} and `und`", listed(&known)))
}
