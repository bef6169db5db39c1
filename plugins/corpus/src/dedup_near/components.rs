//! Texts that are alike, also over others, are one; the most preferred of them is kept.

use super::index::Index;
use super::law::{Fate, Law, Marks, Tell, Text, differ};
use super::set::Set;

/// The texts of a group.
pub(super) struct Components {
    law: Law,
    memory: usize,
    held: usize,
    texts: Vec<Member>,
    /// Those before are compared with no others any more; the index numbers texts from here.
    first: u32,
    /// The first that was not compared with all before it.
    partly_from: u32,
    index: Index,
}

struct Member {
    position: u128,
    fields: Vec<u64>,
    /// Nothing of these where others are not compared with it any more.
    set: Set,
    keys: Vec<u64>,
    /// A text that it is tied to, which is preferred to it, or itself.
    tied: u32,
    /// How alike the most similar one of those is that it was found to be like.
    similarity: f64,
}

impl Member {
    /// Bytes of what it is compared by.
    fn bytes(&self) -> usize {
        self.set.bytes() + self.keys.len() * size_of::<u64>() + Index::bytes_of_one(self.keys.len())
    }
}

impl Components {
    pub(super) fn new(law: Law, memory: usize) -> Self {
        Self {
            law,
            memory,
            held: 0,
            texts: Vec::new(),
            first: 0,
            partly_from: u32::MAX,
            index: Index::default(),
        }
    }

    pub(super) fn take(&mut self, text: &mut Text) {
        let number = self.texts.len() as u32;
        let first = self.first;
        let alike: Vec<u32> = self.index.alike(&text.keys).map(|other| first + other).collect();
        self.index.add(&text.keys);
        let text = Member {
            position: text.position,
            fields: text.fields.clone(),
            set: std::mem::take(&mut text.set),
            keys: text.keys.clone(),
            tied: number,
            similarity: 0.0,
        };
        self.held += size_of::<Member>() + text.bytes();
        self.texts.push(text);
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

    /// Forgets what the texts that came first are compared by, so that the others take half of the memory. What they hang
    /// together with stays: that is known of all texts of a group.
    fn forget(&mut self) {
        while self.held > self.memory / 2 && self.first + 1 < self.texts.len() as u32 {
            let text = &mut self.texts[self.first as usize];
            self.held -= text.bytes();
            (text.set, text.keys) = (Set::default(), Vec::new());
            self.first += 1;
        }
        self.partly_from = self.partly_from.min(self.texts.len() as u32);
        self.index = Index::default();
        for text in self.texts.iter().skip(self.first as usize) {
            self.index.add(&text.keys);
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
                continue;
            }
            let marks = if *root >= self.partly_from { Marks::PARTLY_COMPARED } else { Marks::default() };
            if *size > 1 || marks != Marks::default() {
                tell(Fate::kept(text.position, *size, marks));
            }
        }
    }
}
