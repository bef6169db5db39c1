//! `boilerplate`: keeps the text of a flattened page and removes what surrounds it.
//!
//! [`options`] holds the page of the stage. One walk over a line (`segment`, with `moment` and `counts`) cuts it into pieces
//! and has its words and characters (`tokens`) looked up among phrases of furniture and words of prose (`lexicon` with its
//! `phrases`). What a piece shows by itself (`form` with `opinion`, `structure` and `local`) is worked out once for a line,
//! which `memory` keeps. What only its page shows comes from `title`, `gaps`, `layout`, `shared`, `company`, `scene` and
//! `whole`; all of it together are the `features` that `describe` tells `model`: which pieces are text, once for pages that
//! are mostly rest and once for others. `kind` says which of the two it is, and `cut` puts the rest together, without what
//! `lead` finds before it.
//! [`training`] is what the training program needs of all that.

mod company;
mod counts;
mod cut;
mod decision;
mod describe;
mod features;
mod form;
mod gaps;
mod kind;
mod layout;
mod lead;
mod lexicon;
mod local;
mod memory;
mod model;
mod moment;
mod opinion;
mod options;
mod phrases;
mod scene;
mod segment;
mod shared;
mod structure;
#[cfg(test)]
mod tests;
mod title;
mod tokens;
pub mod training;
mod whole;

use std::sync::LazyLock;

use tamis_plugin::{
    BatchExtractor, Better, Draft, Failure, Form, Forms, Json, Layout, Limit, MeasureInfo, SetupError, Value,
    ValueRef, Verdict,
};

use tamis_text::scan::Scan;

use cut::Removed;
pub(crate) use lexicon::furniture_share;

use decision::Decision;
use describe::Seen;
use kind::{Both, Pairs};
use memory::Memory;
use model::{MIN_NEED, Models};
use segment::{MOST_SEGMENTS, Segment};
use shared::Marks;
use title::Title;

pub use options::{BoilerplateOptions, OnNoText, OnUncertain};

/// The weights that come with the stage.
static MODELS: LazyLock<Models> =
    LazyLock::new(|| Models::read(include_str!("weights.toml")).expect("a test reads the file"));
/// The same for adding up.
static PAIRS: LazyLock<Pairs> = LazyLock::new(|| Pairs::of(&MODELS));

/// Keeps the text of flattened pages; see [`BoilerplateOptions`].
#[derive(Debug)]
pub struct Boilerplate {
    options: BoilerplateOptions,
}

impl BatchExtractor for Boilerplate {
    const NAME: &'static str = "boilerplate";
    const WRITES: &'static [&'static str] = &["text", "boilerplate", "text_confidence", "text_uncertain"];
    const MEASURES: &'static [MeasureInfo] = &[
        MeasureInfo::new("segments", "segments", "Pieces in which the text was judged."),
        MeasureInfo::new("text_confidence", "", "How well the text is expected to be told from the rest.")
            .at_least("min_confidence")
            .better(Better::Higher),
        MeasureInfo::new(
            "text_gain",
            "",
            "How much better cutting is expected to be than leaving the page as it is.",
        )
        .at_least("min_gain"),
        MeasureInfo::new("removed_chars", "characters", "Characters that were cut."),
    ];
    type Options = BoilerplateOptions;
    type Local = Memory;

    fn open(options: Self::Options) -> Result<Self, SetupError> {
        for (name, value) in [("min_gain", options.min_gain), ("min_confidence", options.min_confidence)] {
            if !(0.0..=1.0).contains(&value) {
                let message = format!("`{name}` is {value}, but must be from 0 to 1");
                return Err(SetupError::in_option(name, message));
            }
        }
        Ok(Self { options })
    }

    fn forms(&self) -> Forms {
        Forms::new()
            .taking([Form::Flattened, Form::Clean])
            .giving([Form::Clean])
            .needing([Layout::Lines])
            .cleaning()
    }

    fn extract_one(&self, memory: &mut Memory, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        if draft.metadata("cleaned_by").is_some_and(|value| value != ValueRef::Null) {
            draft.notes().count("left_to_rules", 1);
            return Ok(Verdict::Keep);
        }
        if crate::laid_out::by_hand(draft) {
            draft.notes().count("left_as_laid_out", 1);
            return Ok(Verdict::Keep);
        }
        let text = draft.original().text();
        let title = Title::of(draft.metadata("title").and_then(ValueRef::as_str), text);
        let marks = Marks::read(draft.original().flat(shared::LAYOUT, shared::VERSION));
        let scan = crate::scanned::scan(draft.original());
        let Some(reading) = Reading::new(&scan, &title, &marks, memory) else {
            draft.notes().count("too_long", 1);
            return Ok(self.uncertain(draft).unwrap_or(Verdict::Keep));
        };
        draft.notes().measure("segments", reading.segments.len() as f64, Limit::None);
        if !reading.decision.has_text {
            return Ok(self.without_text(draft));
        }
        let gain = reading.decision.cut - reading.decision.whole;
        draft.notes().measure("text_gain", gain.into(), Limit::Min(self.options.min_gain));
        if f64::from(gain) < self.options.min_gain {
            draft.notes().count("left_alone", 1);
            draft.set_metadata("text_confidence", rounded(reading.decision.whole));
            return Ok(Verdict::Keep);
        }
        let confidence = reading.decision.cut;
        let limit = Limit::Min(self.options.min_confidence);
        draft.notes().measure("text_confidence", confidence.into(), limit);
        draft.set_metadata("text_confidence", rounded(confidence));
        if f64::from(confidence) < self.options.min_confidence {
            draft.notes().count("uncertain", 1);
            if let Some(verdict) = self.uncertain(draft) {
                return Ok(verdict);
            }
        }
        self.cut(draft, &scan, &reading)
    }
}

impl Boilerplate {
    /// What becomes of a page that is uncertain; `None` if it is cut all the same.
    fn uncertain(&self, draft: &mut Draft<'_>) -> Option<Verdict> {
        if self.options.on_uncertain == OnUncertain::Drop {
            return Some(Verdict::Drop("uncertain-text".into()));
        }
        draft.set_metadata("text_uncertain", true);
        (self.options.on_uncertain == OnUncertain::Flag).then_some(Verdict::Keep)
    }

    fn without_text(&self, draft: &mut Draft<'_>) -> Verdict {
        draft.notes().count("no_text", 1);
        match self.options.on_no_text {
            OnNoText::Keep => Verdict::Keep,
            OnNoText::Drop => Verdict::Drop("no-text".into()),
        }
    }

    fn cut(&self, draft: &mut Draft<'_>, scan: &Scan<'_>, reading: &Reading) -> Result<Verdict, Failure> {
        let removed = cut::removed(&reading.segments, &reading.decision.states);
        if removed.is_empty() {
            draft.notes().count("nothing_to_cut", 1);
            return Ok(Verdict::Keep);
        }
        draft.notes().count("cut", 1);
        let n_chars: u32 = removed
            .iter()
            .flat_map(|piece| &reading.segments[piece.segments.clone()])
            .map(|s| s.n_chars)
            .sum();
        draft.notes().measure("removed_chars", n_chars.into(), Limit::None);
        crate::scanned::set_text(draft, cut::kept(scan, &reading.segments, &reading.decision.states));
        if self.options.explain {
            draft.set_metadata("boilerplate", explanation(scan.text(), &removed, reading, draft)?);
        }
        Ok(Verdict::Keep)
    }
}

/// A page as the model reads it.
struct Reading {
    segments: Vec<Segment>,
    decision: Decision,
}

impl Reading {
    /// `None` if the page has too many segments to be one.
    fn new(scan: &Scan<'_>, title: &Title, marks: &Marks, memory: &mut Memory) -> Option<Self> {
        if scan.n_lines() >= MOST_SEGMENTS {
            return None;
        }
        let text = scan.text();
        let segments = memory::segments(scan, title, memory);
        if segments.len() >= MOST_SEGMENTS {
            return None;
        }
        let seen = Seen::of(text, &segments, title, marks);
        let mut both = Both::new(&PAIRS, segments.len());
        seen.describe(text, &segments, title, &mut both);
        let decision = both.views(&segments).choose(&MODELS.need, MIN_NEED, &segments);
        Some(Self { segments, decision })
    }
}

/// The removed pieces with their reasons, as the field `boilerplate`.
fn explanation(
    text: &str,
    removed: &[Removed],
    reading: &Reading,
    draft: &Draft<'_>,
) -> Result<Value, Failure> {
    let title = Title::of(draft.original().metadata("title").and_then(ValueRef::as_str), text);
    let marks = Marks::read(draft.original().flat(shared::LAYOUT, shared::VERSION));
    let weights = MODELS.text.towards(&MODELS.rest, reading.decision.of_rest);
    let reasons = cut::Reasons::of(text, &reading.segments, &title, &marks, &weights);
    let pieces: Vec<_> = removed
        .iter()
        .map(|piece| reasons.explain(piece, &reading.segments, &reading.decision.inside))
        .collect();
    let text = serde_json::to_string(&pieces).map_err(Failure::new)?;
    Json::parse(&text).map(Value::from).map_err(Failure::new)
}

fn rounded(confidence: f32) -> f64 {
    (f64::from(confidence) * 1000.0).round() / 1000.0
}
