//! `where`: keeps or drops documents by conditions over their fields, measures and origin.

mod options;
#[cfg(test)]
mod tests;

use tamis_expression::{Expression, Mistake, Scope};
use tamis_plugin::{Failure, Filter, Notes, SetupError, ValueRef, Verdict, View};

pub use options::{WhereOptions, WhereRule};

/// Keeps or drops documents by conditions; see [`WhereOptions`].
#[derive(Debug)]
pub struct Where {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    condition: Expression,
    /// Whether a document for which it holds goes, and not one for which it does not.
    drops: bool,
    reason: String,
}

impl Filter for Where {
    const NAME: &'static str = "where";
    // What it reads stands in the conditions.
    const READS: &'static [&'static str] = &["*"];
    type Options = WhereOptions;

    fn open(options: WhereOptions) -> Result<Self, SetupError> {
        let WhereOptions { keep, drop, reason, rules } = options;
        let at_top = WhereRule { keep, drop, reason };
        let mut opened = Vec::new();
        if at_top.keep.is_some() || at_top.drop.is_some() {
            opened.push(Rule::new(at_top, "")?);
        }
        for rule in rules {
            opened.push(Rule::new(rule, "rules")?);
        }
        for (index, rule) in opened.iter().enumerate() {
            let is_same = |other: &&Rule| {
                other.condition.source() == rule.condition.source() && other.drops == rule.drops
            };
            if opened.get(..index).unwrap_or_default().iter().any(|other| is_same(&other)) {
                let message = format!("the rule `{}` stands there twice", rule.condition.source());
                return Err(SetupError::in_option("rules", message));
            }
        }
        Ok(Self { rules: opened })
    }

    fn counters(&self) -> Vec<String> {
        let mut reasons: Vec<String> = self.rules.iter().map(|rule| rule.reason.clone()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        reasons
    }

    fn filter(&self, document: &View<'_>, notes: &mut Notes) -> Result<Verdict, Failure> {
        let scope = Page(document);
        for rule in &self.rules {
            if rule.condition.holds(&scope).map_err(Failure::new)? == rule.drops {
                notes.count(rule.reason.clone(), 1);
                return Ok(Verdict::Drop(rule.reason.clone().into()));
            }
        }
        Ok(Verdict::Keep)
    }
}

/// The reason of a rule that has none of its own.
const DEFAULT_REASON: &str = "where";

/// The longest reason, in bytes: reports count by it.
const MAX_REASON_BYTES: usize = 128;

impl Rule {
    /// Checks a rule; `list` is the option that it stands in, empty at the top.
    fn new(rule: WhereRule, list: &str) -> Result<Self, SetupError> {
        let at = |option: &'static str| if list.is_empty() { option.to_owned() } else { list.to_owned() };
        let (option, source, drops) = match (&rule.keep, &rule.drop) {
            (Some(keep), None) => ("keep", keep, false),
            (None, Some(drop)) => ("drop", drop, true),
            (Some(_), Some(_)) => {
                let message =
                    "`keep` and `drop` are two rules: write `rules = [{ keep = \"…\" }, { drop = \"…\" }]`";
                return Err(SetupError::in_option(at("drop"), message));
            }
            (None, None) => return Err(SetupError::in_option(at("rules"), "a rule needs `keep` or `drop`")),
        };
        let in_option = |mistake: Mistake| SetupError::in_option(at(option), mistake);
        let condition = Expression::condition(source).map_err(in_option)?;
        let reason = rule.reason.unwrap_or_else(|| DEFAULT_REASON.to_owned());
        if reason.is_empty() || reason.len() > MAX_REASON_BYTES || reason.chars().any(char::is_control) {
            let message =
                format!("a reason is one line of 1 to {MAX_REASON_BYTES} bytes, such as `not-english`");
            return Err(SetupError::in_option(at("reason"), message));
        }
        Ok(Self { condition, drops, reason })
    }
}

/// A document, as an expression sees it.
struct Page<'a>(&'a View<'a>);

impl Scope for Page<'_> {
    fn id(&self) -> &str {
        self.0.id()
    }

    fn text(&self) -> &str {
        self.0.text()
    }

    fn raw(&self) -> Option<&[u8]> {
        self.0.raw()
    }

    fn origin(&self) -> Option<(&str, u64, u64)> {
        self.0.origin().map(|place| (place.file, place.offset, place.length))
    }

    fn field(&self, name: &str) -> Option<ValueRef<'_>> {
        self.0.metadata(name)
    }

    fn measure(&self, name: &str) -> Option<f64> {
        self.0.measured(name)
    }
}
