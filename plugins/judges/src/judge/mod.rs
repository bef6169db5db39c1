//! `judge`: drops or marks documents by rules over what is measured of their text.

mod file;
mod options;
mod rules;
#[cfg(test)]
mod tests;
mod why;

use std::collections::BTreeSet;

use tamis_measures::{Better as Direction, Measure, Measurer, StopWords};
use tamis_plugin::{
    BatchExtractor, Better, Draft, Failure, Form, Forms, MeasureInfo, SetupError, Value, ValueRef, Verdict,
};

pub use file::{preset, presets};
pub use options::{JudgeMode, JudgeOptions};
use rules::{Judged, Limits, RuleSet};
pub use why::{Because, why};

/// Judges documents by rules; see [`JudgeOptions`].
#[derive(Debug)]
pub struct Judge {
    sets: Vec<RuleSet>,
    /// So many of them, the first, are presets.
    n_presets: usize,
    mode: JudgeMode,
    all_measures: bool,
    field: String,
    language: String,
    /// Whether it is not the same for all languages.
    asks_language: bool,
}

impl BatchExtractor for Judge {
    const NAME: &'static str = "judge";
    const READS: &'static [&'static str] = &["*"];
    // Where it is written stands in the options.
    const WRITES: &'static [&'static str] = &[];
    const MEASURES: &'static [MeasureInfo] = &INFOS;
    type Options = JudgeOptions;
    type Local = Measurer;

    fn open(options: JudgeOptions) -> Result<Self, SetupError> {
        // A table without any option is refused by the schema; whoever lists stages opens one so.
        let is_empty = options == JudgeOptions::default();
        let mut sets = Vec::new();
        let overrides = overrides(&options)?;
        for name in &options.presets {
            let Some(text) = preset(name) else {
                let all: Vec<&str> = presets().collect();
                let message = format!("there is no preset `{name}`{}", instead(name, &all));
                return Err(SetupError::in_option("presets", message));
            };
            let set = file::parse(name, text).and_then(|file| RuleSet::new(name, text, file, &overrides));
            sets.push(set.map_err(|why| SetupError::in_option("presets", why))?);
        }
        let mut mistakes = Vec::new();
        for path in &options.rules {
            let text = std::fs::read_to_string(path)
                .map_err(|error| SetupError::in_option("rules", format!("cannot read {path}: {error}")))?;
            match file::parse(path, &text).and_then(|file| RuleSet::new(path, &text, file, &overrides)) {
                Ok(set) => sets.push(set),
                Err(why) => mistakes.push(why),
            }
        }
        if !mistakes.is_empty() {
            return Err(SetupError::in_option("rules", mistakes.join("\n")));
        }
        if sets.is_empty() && !is_empty {
            return Err(SetupError::in_option("presets", "it judges by nothing: give `presets` or `rules`"));
        }
        check_limits(&overrides, &sets)?;
        let asks_language = sets.iter().any(RuleSet::asks_language);
        let JudgeOptions { presets, mode, all_measures, field, language, .. } = options;
        Ok(Self { sets, n_presets: presets.len(), mode, all_measures, field, language, asks_language })
    }

    /// The rules of the user's files: that no document was as bad as some rule of a preset says is nothing to tell.
    fn counters(&self) -> Vec<String> {
        let own = self.sets.get(self.n_presets..).unwrap_or_default();
        own.iter().flat_map(|set| set.rules.iter().map(|rule| rule.reason.clone())).collect()
    }

    fn forms(&self) -> Forms {
        Forms::new().taking([Form::Flattened, Form::Clean]).counting_marks()
    }

    fn extract_one(&self, measurer: &mut Measurer, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let document = draft.original();
        let language = document.metadata(&self.language).and_then(ValueRef::as_str).unwrap_or_default();
        if language.is_empty() && self.asks_language {
            draft.notes().count("no_language", 1);
        }
        let no_words = StopWords::default();
        let mut measuring = measurer.begin(document.text());
        let (mut reasons, mut dropped): (Vec<&str>, Option<&str>) = (Vec::new(), None);
        'sets: for set in self.sets.iter().filter(|set| set.is_for(language)) {
            let stop_words = set.stop_words(language).unwrap_or(&no_words);
            measuring.forget_stop_words();
            for rule in &set.rules {
                measuring.want(&rule.measures, stop_words);
                let judged = Judged { document: &document, values: measuring.values(), language, set };
                let (is_bad, compared) = rule.judge(&judged).map_err(Failure::new)?;
                if let Some((measure, value, limit)) = compared {
                    draft.notes().measure(measure.name(), value, limit);
                }
                if is_bad && dropped.is_none() {
                    draft.notes().count(rule.reason.clone(), 1);
                    if self.mode == JudgeMode::Drop {
                        dropped = Some(&rule.reason);
                    }
                    reasons.push(&rule.reason);
                }
                // Measures are most of the time, and who wants to see how they are spread asks for those of rules
                // that decide nothing any more.
                if dropped.is_some() && !self.all_measures {
                    break 'sets;
                }
            }
        }
        if let Some(reason) = dropped {
            return Ok(Verdict::Drop(reason.to_owned().into()));
        }
        match self.mode {
            JudgeMode::Drop => {}
            JudgeMode::Annotate => {
                let list = serde_json::Value::from(reasons);
                draft.set_metadata(self.field.clone(), Value::from(list));
            }
            JudgeMode::Bucket => {
                let bucket = reasons.first().copied().unwrap_or("good");
                draft.set_metadata(self.field.clone(), bucket);
            }
        }
        Ok(Verdict::Keep)
    }
}

/// The limits that the pipeline gives, by language.
fn overrides(options: &JudgeOptions) -> Result<Limits, SetupError> {
    let mut limits = Limits::new();
    let wrong = |at: String, why: &str| Err(SetupError::in_option(format!("limits.{at}"), why));
    for (name, value) in &options.limits {
        if let Some(number) = value.as_f64() {
            limits.entry(String::new()).or_default().insert(name.clone(), number);
            continue;
        }
        let Some(values) = value.as_object() else {
            return wrong(name.clone(), "a limit is a number, or a table of numbers for a language");
        };
        let of_language = limits.entry(name.clone()).or_default();
        for (limit, value) in values {
            let Some(number) = value.as_f64() else {
                return wrong(format!("{name}.{limit}"), "a limit is a number");
            };
            of_language.insert(limit.clone(), number);
        }
    }
    Ok(limits)
}

/// Complains about limits that no rule names.
fn check_limits(overrides: &Limits, sets: &[RuleSet]) -> Result<(), SetupError> {
    let known: BTreeSet<&str> = sets.iter().flat_map(RuleSet::limit_names).collect();
    for (language, values) in overrides {
        let is_language = language.is_empty()
            || tamis_language::languages().contains(&language.as_str())
            || sets.iter().any(|set| set.tags.contains(language));
        if !is_language {
            let message = format!("`{language}` is no language; a table of limits is for one, as in `zh`");
            return Err(SetupError::in_key(format!("limits.{language}"), message));
        }
        if let Some(name) = values.keys().find(|name| !known.contains(name.as_str())) {
            let all: Vec<&str> = known.iter().copied().collect();
            let at = if language.is_empty() { String::new() } else { format!("{language}.") };
            let instead = instead(name, &all);
            // One that was probably meant needs no reading up.
            let help = if instead.contains("did you mean") {
                ""
            } else {
                ": `tamis stages judge --preset NAME` shows their rules"
            };
            let message = format!("no rule has a limit `{name}`{instead}{help}");
            return Err(SetupError::in_key(format!("limits.{at}{name}"), message));
        }
    }
    Ok(())
}

/// What there is instead of a name: the one that was probably meant, or all.
fn instead(name: &str, all: &[&str]) -> String {
    /// Two slips in a name are one word less; more, and it is another.
    const MOST_SLIPS: usize = 3;
    let slips = |known: &&str| strsim::damerau_levenshtein(name, known);
    let is_near = |known: &&&str| slips(known) <= MOST_SLIPS.min(name.len() / 3);
    match all.iter().filter(is_near).min_by_key(|known| slips(known)) {
        Some(known) => format!(": did you mean `{known}`?"),
        None => format!("; there are {}", all.join(", ")),
    }
}

/// What is said of each measure.
const INFOS: [MeasureInfo; Measure::ALL.len()] = {
    const NONE: MeasureInfo = MeasureInfo::new("", "", "");
    let mut infos = [NONE; Measure::ALL.len()];
    let mut at = 0;
    while at < infos.len() {
        let measure = Measure::ALL[at];
        let better = match measure.better() {
            Direction::Middle => Better::Neither,
            Direction::Higher => Better::Higher,
            Direction::Lower => Better::Lower,
        };
        let (least, most) = measure.limits();
        let info = MeasureInfo::new(measure.name(), measure.unit(), measure.summary()).better(better);
        let info = info.at_least(least).at_most(most);
        // Nothing is dropped by this, which a constant could not do.
        std::mem::forget(std::mem::replace(&mut infos[at], info));
        at += 1;
    }
    infos
};
