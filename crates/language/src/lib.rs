//! Which language a text is in.
//!
//! ```
//! let found = tamis_language::identify("Le moulin est au bord de la rivière.");
//! assert_eq!(found.tag, "fr");
//! assert!(found.confidence > 0.9);
//! ```
//!
//! Scripts decide what they can: who writes kana writes Japanese. Where several languages share a script, a linear
//! model over groups of letters decides ([`training`] says what it was learned from). Chinese is told apart by
//! characters that only its simplified or only its traditional form has. Code, tables of numbers and formulas are no
//! language ([`UNDETERMINED`]).
//!
//! At most 2 KiB of a text are looked at, so that a book takes no longer than a page.
//!
//! Not for parts of a text in several languages, nor for language varieties (`pt-BR`, `en-GB`).

mod grams;
mod han;
mod model;
mod prose;
mod sample;
mod script;

use script::{ALL, N_SCRIPTS, Script};

/// What is used where the models are learned.
pub mod training {
    pub use crate::grams::features;
}

/// The tag of a text in no language that can be told (BCP 47).
pub const UNDETERMINED: &str = "und";

/// What language a text is in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Identified {
    /// The tag by BCP 47, such as `fr` or `zh-Hans`; `zh` where nothing tells which form; [`UNDETERMINED`] for a text
    /// without letters or which is code.
    pub tag: &'static str,
    /// How sure that is, from 0 to 1: the probability of the language among those of the main script, times the share
    /// of that script in the text. 0 if undetermined.
    pub confidence: f32,
}

impl Identified {
    const NONE: Self = Self { tag: UNDETERMINED, confidence: 0.0 };
}

/// Tells the language of `text` from at most 2 KiB of it.
///
/// The best guess, however little speaks for it: whoever wants to be sure asks for a confidence.
pub fn identify(text: &str) -> Identified {
    let pieces = sample::pieces(text, sample::PIECE_BYTES);
    let mut letters = Letters::default();
    for piece in &pieces {
        letters.count(piece);
    }
    let Some((script, share)) = letters.main() else { return Identified::NONE };
    if !prose::is_prose(&pieces) {
        return Identified::NONE;
    }
    let (tag, probability) = match script {
        Script::Han | Script::Kana => letters.east_asian(&pieces),
        Script::Bengali if pieces.iter().any(|piece| piece.contains(['ৰ', 'ৱ'])) => ("as", 1.0),
        _ => script.language().map_or_else(
            || {
                let pieces = sample::narrowed(&pieces, sample::MODEL_BYTES);
                model::best(script, &pieces).unwrap_or((UNDETERMINED, 0.0))
            },
            |tag| (tag, 1.0),
        ),
    };
    Identified { tag, confidence: probability * share }
}

/// The tags that [`identify`] knows, in alphabetical order.
pub fn languages() -> Vec<&'static str> {
    let alone = ALL.into_iter().filter_map(Script::language);
    let mut all: Vec<&str> =
        model::languages().chain(alone).chain(["as", "zh", "zh-Hans", "zh-Hant"]).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// What of `text` is shown to a model, at most 2 KiB of its beginning, middle and end with a line end between; nothing of a text that is
/// code, a table of numbers or formulas.
pub fn sample(text: &str) -> Option<String> {
    let pieces = sample::pieces(text, sample::PIECE_BYTES);
    prose::is_prose(&pieces).then(|| pieces.join("\n"))
}

/// The tag of a text that is known to be Chinese: `zh-Hans`, `zh-Hant`, or `zh` where nothing tells which.
pub fn chinese_tag(text: &str) -> &'static str {
    match han::Forms::count(&[text]).tag().0 {
        "ja" => "zh",
        tag => tag,
    }
}

/// How many characters of all of `text` only simplified, and only traditional Chinese has.
pub fn chinese_forms(text: &str) -> (u32, u32) {
    let forms = han::Forms::count(&[text]);
    (forms.simplified, forms.traditional)
}

/// How many letters of each script a text has.
#[derive(Default)]
struct Letters {
    counts: [u32; N_SCRIPTS],
}

impl Letters {
    fn count(&mut self, text: &str) {
        for c in text.chars() {
            if let Some(script) = Script::of(c) {
                self.counts[script as usize] += 1;
            }
        }
    }

    fn of(&self, script: Script) -> u32 {
        self.counts[script as usize]
    }

    /// The script with the most to say, and its share of all that letters say; Han and kana are one.
    fn main(&self) -> Option<(Script, f32)> {
        let mut weights = [0; N_SCRIPTS];
        for script in ALL {
            let counted_as = if script == Script::Kana { Script::Han } else { script };
            weights[counted_as as usize] += self.of(script) * script.weight();
        }
        let total: u32 = weights.iter().sum();
        let most = |best: (Script, u32), script: Script| {
            let weight = weights[script as usize];
            if weight > best.1 { (script, weight) } else { best }
        };
        let (main, weight) = ALL.into_iter().fold((Script::Latin, 0), most);
        (weight > 0).then(|| (main, weight as f32 / total as f32))
    }

    /// Chinese or Japanese, and which Chinese.
    fn east_asian(&self, pieces: &[&str]) -> (&'static str, f32) {
        let (n_kana, n_han) = (self.of(Script::Kana) as f32, self.of(Script::Han) as f32);
        let kana = n_kana / (n_kana + n_han);
        // Running Japanese is half kana, and its driest headlines a tenth; Chinese has a の or a ー here and there.
        if kana >= 0.1 {
            return ("ja", 1.0);
        }
        let forms = han::Forms::count(pieces);
        if kana > 0.02 && forms.japanese >= forms.simplified.max(forms.traditional) {
            return ("ja", 0.8);
        }
        forms.tag()
    }
}

#[cfg(test)]
mod tests;
