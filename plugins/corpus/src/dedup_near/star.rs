//! A text is dropped for one that is kept and like it.
//!
//! Texts come in the order in which they are preferred. Each is compared with those that were kept before it and share
//! a band with it; if one of them is like it, it is dropped for that one, and else it is kept. So a twin
//! is always there, and what is like a dropped text only stays.
//!
//! # Forms
//!
//! A letter to a hundred thousand people, a notice about each of a thousand machines: such texts are alike at .9 and are not
//! copies. What gives them away is that *many different* texts differ from one in the *same place*, where the name stands, while
//! copies of one text differ in few ways (a line of the site below), or in many places (each has been edited).
//! So of each kept text the different ones that would be dropped for it are counted, and for each of its shingles
//! how many of these lack it. When there are more than the user allows, and nine of ten lack the same
//! shingle, the text is a form, and they stay.

use std::collections::HashMap;

use super::index::Index;
use super::judge::{Law, Text, differ};
use super::set::Set;

/// So many of the texts made of a form lack the shingle with the name.
const SAME_PLACE: f64 = 0.9;

/// The texts of a group that were seen, by what became of them.
pub(super) struct Star {
    law: Law,
    /// For how many different texts a kept one may stand; 0: any number.
    max_variants: u32,
    /// So many bytes the sets of kept texts may take.
    memory: usize,
    held: usize,
    kept: Vec<Kept>,
    /// Those that texts are compared with, by the numbers that the index gives them.
    compared: Vec<u32>,
    /// Of these the ones before have been forgotten.
    first: u32,
    index: Index,
    /// What was seen, by its set.
    seen: HashMap<u128, Seen>,
}

/// A text that stays.
#[derive(Debug, Default)]
struct Kept {
    position: u128,
    fields: Vec<u64>,
    set: Set,
    n_keys: usize,
    /// The texts that are dropped for it.
    dropped: Vec<Dropped>,
    /// How many different ones there are.
    n_variants: u32,
    /// How many of them lack each of its shingles.
    lacking: Vec<u32>,
    /// Where its variants are kept, if it has turned out to be a form.
    form: Option<Vec<u32>>,
    /// At how many variants it is asked again whether it is a form.
    next_look: u32,
}

#[derive(Debug)]
struct Dropped {
    position: u128,
    fields: Vec<u64>,
    similarity: f64,
    variant: u32,
}

/// What became of a set of shingles.
#[derive(Debug, Clone, Copy)]
enum Seen {
    Kept(u32),
    /// Dropped for a kept one, as one of its variants.
    Variant {
        kept: u32,
        variant: u32,
        similarity: f64,
    },
}

/// A copy of the kept text itself is no variant of it.
const ITSELF: u32 = u32::MAX;

impl Dropped {
    fn new(text: &Text, similarity: f64, variant: u32) -> Self {
        Self { position: text.position, fields: text.fields.clone(), similarity, variant }
    }
}

impl Star {
    pub(super) fn new(law: Law, max_variants: u32, memory: usize) -> Self {
        Self {
            law,
            max_variants,
            memory,
            held: 0,
            kept: Vec::new(),
            compared: Vec::new(),
            first: 0,
            index: Index::default(),
            seen: HashMap::new(),
        }
    }

    pub(super) fn take(&mut self, text: &mut Text) {
        if self.is_copy(text) {
            return;
        }
        match self.twin(text) {
            Some((kept, _)) if self.kept[kept as usize].form.is_some() => self.keep(text, false),
            Some((kept, similarity)) => self.drop(text, kept, similarity),
            None => self.keep(text, true),
        }
    }

    /// Drops a text whose set was seen before, if it may be.
    fn is_copy(&mut self, text: &Text) -> bool {
        let Some(seen) = self.seen.get(&text.fingerprint).copied() else { return false };
        let (kept, variant, similarity) = match seen {
            Seen::Kept(kept) => (kept, ITSELF, 1.0),
            Seen::Variant { kept, variant, similarity } => {
                match self.kept[kept as usize].form.as_ref().and_then(|form| form.get(variant as usize)) {
                    Some(own) => (*own, ITSELF, 1.0),
                    None => (kept, variant, similarity),
                }
            }
        };
        let twin = &mut self.kept[kept as usize];
        let may = differ(&text.fields, &twin.fields);
        if may {
            twin.dropped.push(Dropped::new(text, similarity, variant));
        }
        may
    }

    /// The kept text that this one is like, and how much. One that is a form only if no other is.
    fn twin(&mut self, text: &Text) -> Option<(u32, f64)> {
        let mut of_form = None;
        for number in self.index.alike(&text.keys, self.first) {
            let kept = self.compared[number as usize];
            let other = &self.kept[kept as usize];
            if !differ(&text.fields, &other.fields) {
                continue;
            }
            if let Some(similarity) = self.law.similarity(&text.set, &other.set) {
                if other.form.is_none() {
                    return Some((kept, similarity));
                }
                of_form = of_form.or(Some((kept, similarity)));
            }
        }
        of_form
    }

    fn drop(&mut self, text: &Text, kept: u32, similarity: f64) {
        let twin = &mut self.kept[kept as usize];
        let variant = twin.n_variants;
        twin.n_variants += 1;
        twin.dropped.push(Dropped::new(text, similarity, variant));
        self.seen.entry(text.fingerprint).or_insert(Seen::Variant { kept, variant, similarity });
        if self.max_variants == 0 {
            return;
        }
        if twin.lacking.is_empty() {
            twin.lacking.resize(twin.set.hashes().len(), 0);
            self.held += twin.lacking.len() * size_of::<u32>();
            twin.next_look = self.max_variants + 1;
        }
        let Kept { set, lacking, .. } = twin;
        set.each_missing_in(&text.set, |index| lacking[index] += 1);
        if twin.n_variants == twin.next_look {
            twin.next_look = twin.next_look.saturating_mul(2);
            let most = twin.lacking.iter().max().copied().unwrap_or(0);
            if f64::from(most) >= SAME_PLACE * f64::from(twin.n_variants) {
                self.make_form(kept);
            }
        }
    }

    /// Keeps what was to be dropped for a text that is a form: of each different text the first.
    fn make_form(&mut self, form: u32) {
        let n_variants = self.kept[form as usize].n_variants;
        let dropped = std::mem::take(&mut self.kept[form as usize].dropped);
        let mut own: Vec<Option<u32>> = vec![None; n_variants as usize];
        for Dropped { position, fields, variant, .. } in dropped {
            let copied = match own.get_mut(variant as usize) {
                None => form,
                Some(Some(kept)) => *kept,
                Some(first) => {
                    *first = Some(self.kept.len() as u32);
                    self.kept.push(Kept { position, fields, ..Kept::default() });
                    continue;
                }
            };
            let copy = Dropped { position, fields, similarity: 1.0, variant: ITSELF };
            self.kept[copied as usize].dropped.push(copy);
        }
        self.kept[form as usize].form = Some(own.into_iter().map(|kept| kept.unwrap_or(form)).collect());
    }

    /// Keeps a text; others are compared with it if it is not made of a form.
    fn keep(&mut self, text: &mut Text, is_compared: bool) {
        let number = self.kept.len() as u32;
        let mut kept = Kept { position: text.position, fields: text.fields.clone(), ..Kept::default() };
        self.seen.entry(text.fingerprint).or_insert(Seen::Kept(number));
        if is_compared {
            kept.set = std::mem::take(&mut text.set);
            self.held += kept.set.bytes() + Index::bytes_of_one(text.keys.len());
            kept.n_keys = text.keys.len();
            self.index.add(&text.keys);
            self.compared.push(number);
        }
        self.kept.push(kept);
        if self.held > self.memory {
            self.forget();
        }
    }

    /// Forgets the sets of the first half of what is held; later texts are not compared with them.
    fn forget(&mut self) {
        while self.held > self.memory / 2 && self.first + 1 < self.compared.len() as u32 {
            let kept = &mut self.kept[self.compared[self.first as usize] as usize];
            self.held -=
                kept.set.bytes() + kept.lacking.len() * size_of::<u32>() + Index::bytes_of_one(kept.n_keys);
            (kept.set, kept.lacking) = (Set::default(), Vec::new());
            self.first += 1;
        }
        self.index.forget_before(self.first);
    }

    pub(super) fn finish(self, tell: &mut dyn FnMut(u128, u128, f64, u64)) {
        for kept in &self.kept {
            for dropped in &kept.dropped {
                tell(dropped.position, kept.position, dropped.similarity, 0);
            }
            if !kept.dropped.is_empty() {
                tell(kept.position, kept.position, 1.0, 1 + kept.dropped.len() as u64);
            }
        }
    }
}
