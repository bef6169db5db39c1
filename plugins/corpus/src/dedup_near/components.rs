//! Texts that are alike, also over others, are one; the most preferred of them is kept.

use super::index::Index;
use super::judge::{Fate, Law, Marks, Tell, Text, differ};
use super::set::Set;

/// The texts of a group.
pub(super) struct Components {
    law: Law,
    memory: usize,
    held: usize,
    texts: Vec<Member>,
    /// Those before are compared with no others any more.
    first: u32,
    index: Index,
}

struct Member {
    position: u128,
    fields: Vec<u64>,
    set: Set,
    n_keys: usize,
    /// A text that it is tied to, which is preferred to it, or itself.
    tied: u32,
    /// How alike the most similar one of those is that it was found to be like.
    similarity: f64,
}

impl Components {
    pub(super) fn new(law: Law, memory: usize) -> Self {
        Self { law, memory, held: 0, texts: Vec::new(), first: 0, index: Index::default() }
    }

    pub(super) fn take(&mut self, text: &mut Text) {
        let number = self.texts.len() as u32;
        let alike: Vec<u32> = self.index.alike(&text.keys).filter(|other| *other >= self.first).collect();
        let set = std::mem::take(&mut text.set);
        let n_keys = text.keys.len();
        self.held += set.bytes() + Index::bytes_of_one(n_keys);
        self.index.add(&text.keys);
        let fields = text.fields.clone();
        self.texts.push(Member {
            position: text.position,
            fields,
            set,
            n_keys,
            tied: number,
            similarity: 0.0,
        });
        for other in alike {
            let (this, that) = (&self.texts[number as usize], &self.texts[other as usize]);
            if !differ(&this.fields, &that.fields) {
                continue;
            }
            if let Some(similarity) = self.law.similarity(&this.set, &that.set) {
                let text = &mut self.texts[number as usize];
                text.similarity = text.similarity.max(similarity);
                self.tie(number, other);
            }
        }
        if self.held > self.memory {
            self.forget();
        }
    }

    /// The most preferred text that this one hangs together with.
    fn root(&mut self, mut text: u32) -> u32 {
        loop {
            let tied = self.texts[text as usize].tied;
            if tied == text {
                return text;
            }
            let further = self.texts[tied as usize].tied;
            self.texts[text as usize].tied = further;
            text = further;
        }
    }

    fn tie(&mut self, one: u32, other: u32) {
        let (one, other) = (self.root(one), self.root(other));
        self.texts[one.max(other) as usize].tied = one.min(other);
    }

    fn forget(&mut self) {
        while self.held > self.memory / 2 && self.first + 1 < self.texts.len() as u32 {
            let text = &mut self.texts[self.first as usize];
            self.held -= text.set.bytes() + Index::bytes_of_one(text.n_keys);
            text.set = Set::default();
            self.first += 1;
        }
    }

    pub(super) fn finish(mut self, tell: &mut Tell<'_>) {
        let roots: Vec<u32> = (0..self.texts.len() as u32).map(|text| self.root(text)).collect();
        let mut sizes = vec![0_u64; roots.len()];
        for root in &roots {
            sizes[*root as usize] += 1;
        }
        for ((text, root), size) in self.texts.iter().zip(&roots).zip(&sizes) {
            let kept = &self.texts[*root as usize];
            if kept.position != text.position {
                let is_known = kept.set != Set::default() && text.set != Set::default();
                let similarity =
                    if is_known { self.law.measure(&text.set, &kept.set) } else { text.similarity };
                tell(Fate::dropped(text.position, kept.position, similarity));
            } else if *size > 1 {
                tell(Fate::kept(text.position, *size, Marks::default()));
            }
        }
    }
}
