//! Drops documents whose first line an earlier document has.

mod options;
#[cfg(test)]
mod tests;

use tamis_plugin::keyed::{Column, Known, Reduce, Round, Rounds, Rows};
use tamis_plugin::{Draft, Failure, KeyedStage, SetupError, Verdict, View};

pub use options::TemplateCorpusOptions;

/// The stage; see [`TemplateCorpusOptions`] for what it does.
pub struct TemplateCorpus {
    options: TemplateCorpusOptions,
}

/// The only round: what is said about each document before any of them is judged.
const TITLES: u32 = 0;

impl KeyedStage for TemplateCorpus {
    const NAME: &'static str = "template-corpus";
    type Options = TemplateCorpusOptions;
    type Local = ();

    fn open(options: TemplateCorpusOptions) -> Result<Self, SetupError> {
        Ok(Self { options })
    }

    // A row for each document, with a key; of the documents of a key the first is remembered. Sorting, memory, disk
    // and what other machines have seen are not the stage's business.
    fn rounds(&self) -> Rounds {
        let titles = Round {
            name: "titles".to_owned(),
            key: vec![Column::Bytes(16)],
            columns: Vec::new(),
            reduce: Reduce::First,
            ids: false,
        };
        Rounds {
            rounds: vec![titles],
            // What rows depend on: a state that was saved with other options is refused.
            observes: format!("min_chars = {}", self.options.min_chars),
            max_state_bytes: None,
        }
    }

    fn observe(
        &self,
        _round: u32,
        _local: &mut (),
        document: &View<'_>,
        _known: &dyn Known,
        rows: &mut dyn Rows,
    ) -> Result<(), Failure> {
        if let Some(key) = self.key(document.text()) {
            rows.emit(&key.to_be_bytes());
        }
        Ok(())
    }

    fn apply(&self, _local: &mut (), draft: &mut Draft<'_>, known: &dyn Known) -> Result<Verdict, Failure> {
        let position = draft.original().position();
        let is_later = known.first(TITLES, position)?.is_some_and(|fact| fact.first != position);
        Ok(if is_later { Verdict::Drop("same-title".into()) } else { Verdict::Keep })
    }
}

impl TemplateCorpus {
    /// A number for the first line; `None` if it is too short to mean anything.
    fn key(&self, text: &str) -> Option<u128> {
        let line = text.lines().next()?.trim();
        (line.chars().count() >= self.options.min_chars).then(|| fnv(line.as_bytes()))
    }
}

/// FNV-1a of 128 bits: the same on every machine, as what is compared between machines must be.
fn fnv(bytes: &[u8]) -> u128 {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0100_0000_0000_0000_0000_013b;
    bytes.iter().fold(OFFSET, |hash, byte| (hash ^ u128::from(*byte)).wrapping_mul(PRIME))
}
