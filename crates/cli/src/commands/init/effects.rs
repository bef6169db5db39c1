//! What stages do with the documents of a sample.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use tamis_document::Fate;
use tamis_runner::{Event, Interest, Observer};

/// What stages do with the documents of a sample.
pub(super) struct Effects {
    /// The ids of the documents that are the source of a page.
    pages: BTreeSet<String>,
    of: Mutex<BTreeMap<String, Effect>>,
}

/// What a stage does.
#[derive(Debug, Clone, Default)]
pub(super) struct Effect {
    pub(super) n_seen: usize,
    /// Documents of which it changes the text, or splits off others.
    pub(super) n_changed: usize,
    /// How many of these were no source of a page.
    pub(super) n_changed_texts: usize,
    pub(super) n_fields: usize,
    pub(super) dropped: BTreeMap<String, usize>,
    pub(super) n_failed: usize,
    /// Characters of the texts before and after.
    pub(super) chars: (usize, usize),
    /// Sites that it knows pages of, with their number.
    pub(super) sites: BTreeMap<String, usize>,
}

impl Effects {
    pub(super) fn new(pages: BTreeSet<String>) -> Self {
        Self { pages, of: Mutex::default() }
    }

    pub(super) fn finish(self) -> BTreeMap<String, Effect> {
        self.of.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Effects {
    fn interest(&self) -> Interest {
        Interest::DOCUMENTS
    }

    fn event(&self, event: &Event<'_>) {
        let Event::Stage { stage, before, after, split, .. } = event else { return };
        let mut all = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        let effect = all.entry((*stage).to_owned()).or_default();
        effect.n_seen += 1;
        let is_changed = before.text != after.document.text || *split > 0;
        effect.n_changed += usize::from(is_changed);
        effect.n_changed_texts += usize::from(is_changed && !self.pages.contains(&*before.id));
        effect.n_fields += usize::from(before.metadata != after.document.metadata);
        effect.chars.0 += before.text.chars().count();
        effect.chars.1 += after.document.text.chars().count();
        match &after.fate {
            Fate::Kept => {}
            Fate::Dropped(reason) => *effect.dropped.entry(reason.to_string()).or_default() += 1,
            Fate::Failed(_) => effect.n_failed += 1,
        }
        for measure in after.measures.iter().filter(|measure| measure.holds()) {
            // Rule files of `site-rules` say so of every page that shows any sign of their site.
            if let Some(site) = measure.name.strip_prefix("signs:") {
                *effect.sites.entry(site.to_owned()).or_default() += 1;
            }
        }
    }
}
