//! A text is dropped for one that is kept and like it.
//!
//! Texts come in the order in which they are preferred. Each is compared with those that were kept before it and share
//! a band with it; if one of them is like it, it is dropped for that one, and else it is kept. So a twin
//! is always there, and what is like a dropped text only stays.
//!
//! # Forms
//!
//! A letter to a hundred thousand people, a notice about each of a thousand machines: such texts are alike at .9
//! and are not copies. What gives them away is that *many different* texts differ from one in the *same place*,
//! where the name stands, while copies of one text differ in few ways (a line of the site below), or in many places
//! (each has been edited). So of each kept text the different ones that would be dropped for it are counted, and
//! for each of its shingles how many of these lack it. When there are more than the user allows, and nine of ten
//! lack the same shingle, the text is a form, and they stay.

use std::collections::HashMap;

use super::index::Index;
use super::law::{Fate, Law, Marks, Standing, Tell, Text, differ};
use super::set::Set;

/// So many of the texts made of a form lack the shingle with the name.
const SAME_PLACE: f64 = 0.9;

/// The texts of a group that were seen, by what became of them.
pub(super) struct Star {
    law: Law,
    /// For how many different texts a kept one may stand; 0: any number.
    max_variants: u32,
    /// So many bytes all of this may take.
    memory: usize,
    held: usize,
    kept: Vec<Kept>,
    /// Those that texts are compared with, by the numbers that the index gives them.
    compared: Vec<u32>,
    index: Index,
    /// What was seen, by its set.
    seen: HashMap<u128, Seen>,
    /// Whether texts were forgotten, so that those that follow are not compared with them.
    has_forgotten: bool,
}

/// A text that stays.
#[derive(Debug, Default)]
struct Kept {
    position: u128,
    fields: Vec<u64>,
    /// Nothing of these where others are not compared with it.
    set: Set,
    keys: Vec<u64>,
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
    marks: Marks,
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

/// About what a set takes that was seen: an entry of a table that is half empty at worst.
const SEEN_BYTES: usize = 2 * (size_of::<(u128, Seen)>() + 1);

impl Kept {
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + SEEN_BYTES
            + self.set.bytes()
            + self.lacking.len() * size_of::<u32>()
            + self.keys.len() * size_of::<u64>()
            + Index::bytes_of_one(self.keys.len())
            + self.dropped.len() * Dropped::BYTES
    }

    fn tell(&self, tell: &mut Tell<'_>) {
        for dropped in &self.dropped {
            tell(Fate::dropped(dropped.position, self.position, dropped.similarity));
        }
        if !self.dropped.is_empty() || self.marks != Marks::default() {
            tell(Fate::kept(self.position, 1 + self.dropped.len() as u64, self.marks));
        }
    }
}

impl Dropped {
    const BYTES: usize = size_of::<Self>() + SEEN_BYTES;

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
            index: Index::default(),
            seen: HashMap::new(),
            has_forgotten: false,
        }
    }

    pub(super) fn take(&mut self, text: &mut Text, tell: &mut Tell<'_>) {
        match text.standing {
            Standing::Earlier => self.keep(text, true),
            // Which texts were made of it does not matter any more: none is dropped for it, but copies of it.
            Standing::EarlierForm => {
                self.keep(text, true);
                if let Some(kept) = self.kept.last_mut() {
                    kept.form = Some(Vec::new());
                }
            }
            Standing::EarlierOfForm => self.keep(text, false),
            Standing::Now => self.judge(text),
        }
        if self.held > self.memory {
            self.forget(tell);
        }
    }

    /// Keeps a text of this run, or drops it for another.
    fn judge(&mut self, text: &mut Text) {
        if self.is_copy(text) {
            return;
        }
        match self.twin(text) {
            Some((kept, _)) if self.kept[kept as usize].form.is_some() => self.keep(text, false),
            Some((kept, similarity)) => self.drop(text, kept, similarity),
            None => {
                self.keep(text, true);
                if let Some(kept) = self.kept.last_mut().filter(|_| self.has_forgotten) {
                    kept.marks = kept.marks.and(Marks::PARTLY_COMPARED);
                }
            }
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
            self.held += Dropped::BYTES;
        }
        may
    }

    /// The kept text that this one is like, and how much. One that is a form only if no other is.
    fn twin(&mut self, text: &Text) -> Option<(u32, f64)> {
        let mut of_form = None;
        for number in self.index.alike(&text.keys) {
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
        self.held += Dropped::BYTES;
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
                    let marks = Marks::OF_FORM;
                    self.kept.push(Kept { position, fields, marks, ..Kept::default() });
                    continue;
                }
            };
            let copy = Dropped { position, fields, similarity: 1.0, variant: ITSELF };
            self.kept[copied as usize].dropped.push(copy);
        }
        let marks = &mut self.kept[form as usize].marks;
        *marks = marks.and(Marks::FORM);
        self.kept[form as usize].form = Some(own.into_iter().map(|kept| kept.unwrap_or(form)).collect());
    }

    /// Keeps a text; others are compared with it if it is not made of a form.
    fn keep(&mut self, text: &mut Text, is_compared: bool) {
        let number = self.kept.len() as u32;
        let mut kept = Kept { position: text.position, fields: text.fields.clone(), ..Kept::default() };
        self.seen.entry(text.fingerprint).or_insert(Seen::Kept(number));
        if is_compared {
            kept.set = std::mem::take(&mut text.set);
            kept.keys.clone_from(&text.keys);
            self.index.add(&text.keys);
            self.compared.push(number);
        } else {
            kept.marks = Marks::OF_FORM;
        }
        self.held += kept.bytes();
        self.kept.push(kept);
    }

    /// Forgets the texts that came first, so that the others take half of the memory; later ones are not compared with
    /// them. What became of them is told now.
    fn forget(&mut self, tell: &mut Tell<'_>) {
        let mut from = self.kept.len();
        self.held = 0;
        while let Some(bytes) = from.checked_sub(1).and_then(|last| self.kept.get(last)).map(Kept::bytes) {
            if self.held + bytes > self.memory / 2 {
                break;
            }
            self.held += bytes;
            from -= 1;
        }
        self.has_forgotten = true;
        let rest = self.kept.split_off(from);
        for kept in std::mem::replace(&mut self.kept, rest) {
            kept.tell(tell);
        }
        // All others have other numbers now.
        let from = from as u32;
        self.index = Index::default();
        self.compared.clear();
        for (number, kept) in (0..).zip(&mut self.kept) {
            if !kept.keys.is_empty() {
                self.index.add(&kept.keys);
                self.compared.push(number);
            }
            for own in kept.form.iter_mut().flatten() {
                *own -= from;
            }
        }
        self.seen.retain(|_, seen| {
            let (Seen::Kept(kept) | Seen::Variant { kept, .. }) = seen;
            let stays = *kept >= from;
            *kept = kept.saturating_sub(from);
            stays
        });
    }

    pub(super) fn finish(self, tell: &mut Tell<'_>) {
        for kept in &self.kept {
            kept.tell(tell);
        }
    }
}
