//! A rule file, ready to judge.

use std::collections::{BTreeMap, BTreeSet};

use tamis_expression::{Expression, Field, Name, Names, Scope, Trouble, Type};
use tamis_measures::{Measure, StopWords, Values};
use tamis_plugin::{Limit, ValueRef, View};

use super::file::{RuleFile, place};

/// Limits by language, and those of all others under the empty name.
pub(super) type Limits = BTreeMap<String, BTreeMap<String, f64>>;

/// A set of rules.
#[derive(Debug)]
pub(super) struct RuleSet {
    /// The languages for which the file has something of its own.
    pub(super) tags: BTreeSet<String>,
    languages: Vec<String>,
    limits: Limits,
    stop_words: BTreeMap<String, StopWords>,
    pub(super) rules: Vec<Rule>,
}

/// A value, and the limit beside it.
pub(super) type Compared = (Measure, f64, Limit);

/// A rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) reason: String,
    condition: Expression,
    /// What it names.
    pub(super) measures: Vec<Measure>,
    /// The measure that it is about and the limit, where it compares one with a limit.
    bound: Option<Bound>,
}

#[derive(Debug)]
struct Bound {
    measure: Measure,
    is_minimum: bool,
    limit: Number,
}

#[derive(Debug)]
enum Number {
    Named(String),
    Plain(f64),
}

impl RuleSet {
    /// Checks a rule file; `path` and `text` are for messages, `overrides` limits that go before those of the file.
    ///
    /// # Errors
    ///
    /// All that is wrong in the file, a line each.
    pub(super) fn new(path: &str, text: &str, file: RuleFile, overrides: &Limits) -> Result<Self, String> {
        let (mut limits, mut mistakes) = limits(path, text, &file);
        let tags = limits.keys().chain(file.stop_words.keys()).cloned().collect();
        let mut named: BTreeSet<String> = limits.values().flat_map(|limits| limits.keys().cloned()).collect();
        // One that is wrong is one mistake, wherever it is named.
        let wrong = file.limits.iter().filter(|(_, value)| !value.get_ref().is_table());
        named.extend(wrong.map(|(name, _)| name.get_ref().clone()));
        for (language, values) in overrides {
            let known = values.iter().filter(|(name, _)| named.contains(*name));
            limits
                .entry(language.clone())
                .or_default()
                .extend(known.map(|(name, value)| (name.clone(), *value)));
        }
        if file.rule.is_empty() {
            return Err(format!("{path}: it has no `[[rule]]`"));
        }
        let mut set = Self {
            tags,
            languages: file.languages,
            stop_words: file
                .stop_words
                .iter()
                .map(|(tag, words)| (tag.clone(), StopWords::new(words)))
                .collect(),
            limits,
            rules: Vec::new(),
        };
        for rule in file.rule {
            let reason = rule.reason.get_ref();
            if reason.is_empty() || reason.len() > 64 || !reason.chars().all(is_of_reason) {
                let at = place(path, text, rule.reason.span().start);
                mistakes.push(format!(
                    "{at}: `{reason}` is no reason: write a few words in kebab case, as in `few-words`"
                ));
            }
            let at = place(path, text, rule.drop.span().start);
            match condition(rule.drop.get_ref(), &named) {
                Ok(condition) => set.rules.push(Rule {
                    measures: measures(&condition),
                    reason: format!("{}:{reason}", file.name.get_ref()),
                    bound: Bound::of(&condition, &named),
                    condition,
                }),
                Err(why) => mistakes.push(format!("{at}: {why}")),
            }
        }
        if !mistakes.is_empty() {
            return Err(mistakes.join("\n"));
        }
        let asks_for = |measure| set.rules.iter().any(|rule| rule.measures.contains(measure));
        if asks_for(&Measure::StopWords) && set.stop_words.is_empty() {
            return Err(format!("{path}: a rule asks for `stop_words`, and there is no `[stop_words]`"));
        }
        Ok(set)
    }

    /// The names of all limits.
    pub(super) fn limit_names(&self) -> BTreeSet<&str> {
        self.limits.values().flat_map(BTreeMap::keys).map(String::as_str).collect()
    }

    /// Whether documents of this language are judged. One without a language is of no other: who has named the rules and
    /// tells no languages means all.
    pub(super) fn is_for(&self, language: &str) -> bool {
        self.languages.is_empty()
            || language.is_empty()
            || ranges(language).any(|range| self.languages.iter().any(|tag| tag == range))
    }

    /// Whether documents of different languages are judged differently.
    pub(super) fn asks_language(&self) -> bool {
        !self.languages.is_empty()
            || self
                .limits
                .keys()
                .chain(self.stop_words.keys())
                .any(|tag| !matches!(tag.as_str(), "" | "default"))
    }

    /// The stop words of a language.
    pub(super) fn stop_words(&self, language: &str) -> Option<&StopWords> {
        ranges(language).chain(["default"]).find_map(|tag| self.stop_words.get(tag))
    }

    fn limit(&self, language: &str, name: &str) -> Option<f64> {
        ranges(language).chain([""]).find_map(|tag| self.limits.get(tag)?.get(name).copied())
    }
}

impl Rule {
    pub(super) fn condition(&self) -> &Expression {
        &self.condition
    }

    /// Whether it compares one measure with one limit, and the stage notes these.
    pub(super) fn is_noted(&self) -> bool {
        self.bound.is_some()
    }

    /// Whether its condition holds.
    pub(super) fn holds(&self, judged: &Judged<'_>) -> Result<bool, Trouble> {
        self.condition.holds(judged)
    }

    /// Whether a document is bad by it, and the value that it is about with its limit for this document.
    pub(super) fn judge(&self, judged: &Judged<'_>) -> Result<(bool, Option<Compared>), Trouble> {
        if self.bound.is_none() {
            return Ok((self.holds(judged)?, None));
        }
        // The same as the condition says, without looking for what its names mean: most rules are of this kind.
        let compared = self.bound(judged);
        let is_bad = compared.is_some_and(|(_, value, limit)| match limit {
            Limit::Min(limit) => value < limit,
            Limit::Max(limit) => value > limit,
            Limit::None => false,
        });
        Ok((is_bad, compared))
    }

    fn bound(&self, judged: &Judged<'_>) -> Option<Compared> {
        let Bound { measure, is_minimum, limit } = self.bound.as_ref()?;
        let limit = match limit {
            Number::Named(name) => judged.set.limit(judged.language, name)?,
            Number::Plain(limit) => *limit,
        };
        let limit = if *is_minimum { Limit::Min(limit) } else { Limit::Max(limit) };
        Some((*measure, judged.values.get(*measure)?, limit))
    }
}

impl Bound {
    /// Of `measure < limit` and `measure > limit`.
    fn of(condition: &Expression, limits: &BTreeSet<String>) -> Option<Self> {
        let words: Vec<&str> = condition.source().split_whitespace().collect();
        let [name, sign @ ("<" | ">"), limit] = words.as_slice() else { return None };
        let limit = match limit.parse() {
            Ok(number) => Number::Plain(number),
            Err(_) => Number::Named(limits.get(*limit)?.clone()),
        };
        Some(Self { measure: measure(name)?, is_minimum: *sign == "<", limit })
    }
}

fn is_of_reason(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
}

/// The tags that stand for a language: itself and its first parts, the longest first.
fn ranges(language: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(language), |tag| tag.rsplit_once('-').map(|(range, _)| range))
        .filter(|tag| !tag.is_empty())
}

/// The measures that a condition names.
fn measures(condition: &Expression) -> Vec<Measure> {
    let named = condition.names().into_iter().filter_map(|name| match name {
        Name::Either(name) | Name::Measure(name) => measure(name),
        _ => None,
    });
    named.collect()
}

fn measure(name: &str) -> Option<Measure> {
    Measure::ALL.iter().copied().find(|measure| measure.name() == name)
}

/// The limits of a file, and what is wrong with them.
fn limits(path: &str, text: &str, file: &RuleFile) -> (Limits, Vec<String>) {
    let (mut limits, mut mistakes) = (Limits::new(), Vec::new());
    for (name, value) in &file.limits {
        let mut wrong =
            |why: String| mistakes.push(format!("{}: {why}", place(path, text, name.span().start)));
        let name = name.get_ref();
        match (number(value.get_ref()), value.get_ref()) {
            (Some(_), _) if measure(name).is_some() => {
                wrong(format!("`{name}` is a measure: call its limit `min_{name}` or `max_{name}`"));
            }
            (Some(number), _) => {
                limits.entry(String::new()).or_default().insert(name.clone(), number);
            }
            (None, toml::Value::Table(values)) => {
                let of_language = limits.entry(name.clone()).or_default();
                for (limit, value) in values {
                    match number(value) {
                        Some(number) => {
                            of_language.insert(limit.clone(), number);
                        }
                        None => wrong(format!("`{limit}` in the table `{name}` is no number")),
                    }
                }
            }
            (None, _) => wrong(format!("`{name}` is no number, and no table of numbers for a language")),
        }
    }
    (limits, mistakes)
}

fn number(value: &toml::Value) -> Option<f64> {
    value.as_float().or_else(|| value.as_integer().map(|number| number as f64))
}

fn condition(source: &str, limits: &BTreeSet<String>) -> Result<Expression, String> {
    let expression = Expression::parse(source).map_err(|mistake| format!("in `drop`: {mistake}"))?;
    let fields = expression.names().into_iter().filter_map(|name| match name {
        Name::Field(name) => Some(name.clone()),
        _ => None,
    });
    let known = Known { limits, fields: fields.collect() };
    match expression.check_condition(&known).first() {
        Some(mistake) => Err(format!("in `drop`: {mistake}")),
        None => Ok(expression),
    }
}

/// What a condition of a rule file may name.
struct Known<'a> {
    limits: &'a BTreeSet<String>,
    /// Those that are written `metadata.…`.
    fields: BTreeSet<String>,
}

impl Names for Known<'_> {
    fn field(&self, name: &str) -> Field {
        if self.fields.contains(name) {
            Field::Known(Type::Any)
        } else {
            Field::Unknown(format!("a field is `metadata.{name}`"))
        }
    }

    fn unknown(&self, name: &str) -> String {
        format!("`{name}` is no measure, and no limit of the file")
    }

    fn any_field(&self) -> bool {
        true
    }

    fn measures(&self) -> Option<Vec<String>> {
        let measures = Measure::ALL.iter().map(|measure| measure.name().to_owned());
        Some(measures.chain(self.limits.iter().cloned()).collect())
    }
}

/// A document with what was measured of it, as the rules of one set see it.
pub(super) struct Judged<'a> {
    pub(super) document: &'a View<'a>,
    pub(super) values: &'a Values,
    pub(super) language: &'a str,
    pub(super) set: &'a RuleSet,
}

impl Scope for Judged<'_> {
    fn id(&self) -> &str {
        self.document.id()
    }

    fn text(&self) -> &str {
        self.document.text()
    }

    fn raw(&self) -> Option<&[u8]> {
        self.document.raw()
    }

    fn origin(&self) -> Option<(&str, u64, u64)> {
        self.document.origin().map(|place| (place.file, place.offset, place.length))
    }

    fn field(&self, name: &str) -> Option<ValueRef<'_>> {
        self.document.metadata(name)
    }

    fn measure(&self, name: &str) -> Option<f64> {
        match measure(name) {
            Some(measure) => self.values.get(measure),
            None => self.set.limit(self.language, name),
        }
    }
}
