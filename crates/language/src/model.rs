//! What was learned: how much each feature speaks for each language of a script.

use std::sync::LazyLock;

use tamis_text::maths::exp;

use crate::grams;
use crate::script::Script;

/// A linear model over the languages of one script, with room for `N` of them.
///
/// Weights are bytes, 128 standing for 0, so that adding up a row is a few instructions on vectors of bytes; a row of
/// the largest model is one line of a cache.
pub(crate) struct Model<const N: usize> {
    script: Script,
    languages: Vec<&'static str>,
    /// Logits at the start, by language, in the unit of the weights.
    bias: Vec<f64>,
    /// How many units of a weight are 1 of a logit.
    scale: f64,
    bits: u32,
    rows: Vec<Row<N>>,
}

#[repr(align(64))]
#[derive(Clone)]
struct Row<const N: usize>([u8; N]);

/// So many rows of bytes can be added up in 16 bits.
const MAX_ROWS: usize = 256;

static LATIN: LazyLock<Model<64>> = LazyLock::new(|| {
    Model::read(Script::Latin, include_str!("models/latin.txt"), include_bytes!("models/latin.bin"))
});
static CYRILLIC: LazyLock<Model<16>> = LazyLock::new(|| {
    Model::read(Script::Cyrillic, include_str!("models/cyrillic.txt"), include_bytes!("models/cyrillic.bin"))
});
static ARABIC: LazyLock<Model<16>> = LazyLock::new(|| {
    Model::read(Script::Arabic, include_str!("models/arabic.txt"), include_bytes!("models/arabic.bin"))
});
static DEVANAGARI: LazyLock<Model<16>> = LazyLock::new(|| {
    let (head, weights) = (include_str!("models/devanagari.txt"), include_bytes!("models/devanagari.bin"));
    Model::read(Script::Devanagari, head, weights)
});

/// The language of the letters of a script, and how probable it is; `None` for a script without model.
pub(crate) fn best(script: Script, pieces: &[&str]) -> Option<(&'static str, f32)> {
    match script {
        Script::Latin => Some(LATIN.best(pieces)),
        Script::Cyrillic => Some(CYRILLIC.best(pieces)),
        Script::Arabic => Some(ARABIC.best(pieces)),
        Script::Devanagari => Some(DEVANAGARI.best(pieces)),
        _ => None,
    }
}

/// The languages that have a model.
pub(crate) fn languages() -> impl Iterator<Item = &'static str> {
    let all = [&LATIN.languages, &CYRILLIC.languages, &ARABIC.languages, &DEVANAGARI.languages];
    all.into_iter().flatten().copied()
}

impl<const N: usize> Model<N> {
    /// Reads a model: in `head` the languages, the scale and the logits at the start, a line each; in `weights` rows of
    /// a byte for each language.
    ///
    /// # Panics
    ///
    /// When they are not of this form: they are part of the program.
    fn read(script: Script, head: &'static str, weights: &'static [u8]) -> Self {
        const FORM: &str = "three lines and as many rows as a power of two";
        let mut lines = head.lines();
        let languages: Vec<&str> = lines.next().expect(FORM).split(' ').collect();
        let scale: f64 = lines.next().and_then(|line| line.parse().ok()).expect(FORM);
        let bias = lines.next().expect(FORM).split(' ').map(|bias| bias.parse::<f64>().expect(FORM) * scale);
        let bias: Vec<f64> = bias.collect();
        assert!(bias.len() == languages.len() && languages.len() <= N, "{FORM}");
        let rows = weights.chunks_exact(languages.len()).map(|weights| {
            let mut row = Row([128; N]);
            row.0[..weights.len()].copy_from_slice(weights);
            row
        });
        let rows: Vec<Row<N>> = rows.collect();
        assert!(rows.len().is_power_of_two(), "{FORM}");
        Self { script, languages, bias, scale, bits: rows.len().ilog2(), rows }
    }

    /// The most probable language of some pieces of a text.
    fn best(&self, pieces: &[&str]) -> (&'static str, f32) {
        let mut sums = Sums { few: [0; N], n_few: 0, all: [0; N], n_all: 0 };
        for piece in pieces {
            grams::each(piece, self.script, self.bits, &mut |row| sums.add(&self.rows[row].0));
        }
        sums.carry();
        let zero = f64::from(sums.n_all) * 128.0;
        let logit = |(sum, bias): (&u32, &f64)| (f64::from(*sum) - zero + bias) / self.scale;
        let logits: Vec<f64> = sums.all.iter().zip(&self.bias).map(logit).collect();
        let (best, highest) = logits
            .iter()
            .enumerate()
            .fold((0, f64::MIN), |best, (index, logit)| if *logit > best.1 { (index, *logit) } else { best });
        let total: f64 = logits.iter().map(|logit| exp(logit - highest)).sum();
        (self.languages[best], (1.0 / total) as f32)
    }
}

/// Rows added up: some of them in 16 bits, and what was carried over.
struct Sums<const N: usize> {
    few: [u16; N],
    n_few: usize,
    all: [u32; N],
    n_all: u32,
}

impl<const N: usize> Sums<N> {
    #[inline]
    fn add(&mut self, row: &[u8; N]) {
        for (sum, weight) in self.few.iter_mut().zip(row) {
            *sum += u16::from(*weight);
        }
        self.n_few += 1;
        if self.n_few == MAX_ROWS {
            self.carry();
        }
    }

    fn carry(&mut self) {
        for (all, few) in self.all.iter_mut().zip(&mut self.few) {
            *all += u32::from(std::mem::take(few));
        }
        self.n_all += self.n_few as u32;
        self.n_few = 0;
    }
}
