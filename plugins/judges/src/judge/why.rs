//! What a rule was decided on, for whoever explains it.

use tamis_expression::{Name, Scope};
use tamis_measures::{Measurer, StopWords};
use tamis_plugin::{BatchExtractor, Document, ValueRef, View};

use super::rules::{Judged, Rule};
use super::{Judge, JudgeOptions};

/// A rule for which a document was dropped.
#[derive(Debug, Clone, PartialEq)]
pub struct Because {
    /// Its condition, as it is written.
    pub condition: String,
    /// What the condition names, in its order, with the values that this document has and that limits have for it.
    pub values: Vec<(String, String)>,
}

/// The rule by which a stage with these options has dropped a document for a reason, and what it was decided on.
///
/// `None` of a rule that compares one measure with one limit, because the stage notes these two; and where no rule of this
/// reason holds, as when a rule file has been changed since.
pub fn why(options: &serde_json::Value, document: &Document, reason: &str) -> Option<Because> {
    let options: JudgeOptions = serde_json::from_value(options.clone()).ok()?;
    let stage = Judge::open(options).ok()?;
    let view = View::from(document);
    let language = view.metadata(&stage.language).and_then(ValueRef::as_str).unwrap_or_default();
    let mut measurer = Measurer::default();
    let mut measuring = measurer.begin(view.text());
    let no_words = StopWords::default();
    for set in stage.sets.iter().filter(|set| set.is_for(language)) {
        measuring.forget_stop_words();
        for rule in set.rules.iter().filter(|rule| rule.reason == reason && !rule.is_noted()) {
            measuring.want(&rule.measures, set.stop_words(language).unwrap_or(&no_words));
            let judged = Judged { document: &view, values: measuring.values(), language, set };
            if rule.holds(&judged) == Ok(true) {
                return Some(because(rule, &judged));
            }
        }
    }
    None
}

fn because(rule: &Rule, judged: &Judged<'_>) -> Because {
    let condition = rule.condition().source();
    let mut values: Vec<(String, String)> =
        rule.condition().names().into_iter().filter_map(|name| value(name, judged)).collect();
    values.sort_by_key(|(name, _)| condition.find(name.as_str()));
    Because { condition: condition.to_owned(), values }
}

/// A measure, a limit or a field.
fn value(name: &Name, judged: &Judged<'_>) -> Option<(String, String)> {
    match name {
        Name::Either(name) | Name::Measure(name) => {
            let value = judged.measure(name).map_or("none".to_owned(), short);
            Some((name.clone(), value))
        }
        Name::Field(name) => {
            let value = judged
                .field(name)
                .map_or("none".to_owned(), |value| serde_json::to_string(&value).unwrap_or_default());
            Some((format!("metadata.{name}"), value))
        }
        _ => None,
    }
}

/// To four places: what holds by a hair should be seen to hold.
fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
