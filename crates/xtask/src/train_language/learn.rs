//! A linear model by stochastic gradient descent.

use tamis_language::training::features;

use super::Numbers;

/// What a model is learned from.
pub(super) struct Lesson {
    /// The name of its script.
    pub(super) script: &'static str,
    /// Bits of the number of a row.
    pub(super) bits: u32,
    /// How many texts it is shown.
    pub(super) n_texts: usize,
    /// The languages, in the order of the columns.
    pub(super) languages: Vec<Language>,
}

/// A language and its words.
pub(super) struct Language {
    pub(super) tag: &'static str,
    /// Its share among the texts.
    pub(super) share: f64,
    pub(super) words: Vec<String>,
}

/// The step at the beginning, and the part of it that is gone at the end.
const STEP: f32 = 0.15;
const COOLING: f32 = 0.8;
/// How sure a model may be of a text before it learns nothing from it.
const SURE: f32 = 0.9995;
/// The share of weights that may be cut off where the weights are made bytes.
const CUT: f64 = 0.0001;

impl Lesson {
    /// Learns, and gives the head and the weights as the model's files hold them.
    ///
    /// Multinomial logistic regression with the steps of `AdaGrad` (J. Duchi, E. Hazan and Y. Singer, 2011).
    pub(super) fn learn(&self) -> (String, Vec<u8>) {
        let n_languages = self.languages.len();
        let (mut weights, mut squares) =
            (vec![0f32; n_languages << self.bits], vec![1e-3f32; n_languages << self.bits]);
        let (mut bias, mut bias_squares) = (vec![0f32; n_languages], vec![1e-3f32; n_languages]);
        let mut numbers = Numbers(88_172_645_463_325_252);
        let mut rows = Vec::new();
        for nth in 0..self.n_texts {
            let (truth, text) = self.text(&mut numbers);
            rows.clear();
            features(&text, self.script, self.bits, |row| rows.push(row * n_languages));
            let mut errors = bias.clone();
            for &row in &rows {
                errors.iter_mut().zip(&weights[row..]).for_each(|(logit, weight)| *logit += weight);
            }
            probabilities(&mut errors);
            errors[truth] -= 1.0;
            if errors[truth] > SURE - 1.0 {
                continue;
            }
            let step = STEP * (1.0 - COOLING * nth as f32 / self.n_texts as f32);
            for ((bias, square), error) in bias.iter_mut().zip(&mut bias_squares).zip(&errors) {
                *square += error * error;
                *bias -= step * 0.1 * error / square.sqrt();
            }
            for &row in &rows {
                let columns = weights[row..].iter_mut().zip(&mut squares[row..]).zip(&errors);
                for ((weight, square), error) in columns {
                    *square += error * error;
                    *weight -= step * error / square.sqrt();
                }
            }
        }
        self.written(&weights, &bias)
    }

    /// A text of a language: one to twenty words, of which a few are English in any language, and half of the texts
    /// are cut within their last word, as samples are.
    fn text(&self, numbers: &mut Numbers) -> (usize, String) {
        let total: f64 = self.languages.iter().map(|language| language.share).sum();
        let mut at = numbers.unit() * total;
        let truth = self.languages.iter().position(|language| {
            at -= language.share;
            at < 0.0
        });
        let truth = truth.unwrap_or(0);
        let english = self.languages.iter().find(|language| language.tag == "en");
        let n_words = match numbers.below(100) {
            0..20 => 1 + numbers.below(2),
            20..75 => 3 + numbers.below(6),
            _ => 9 + numbers.below(12),
        };
        let mut text = String::new();
        for nth in 0..n_words {
            let is_foreign = n_words > 2 && nth > 0 && numbers.below(100) < 3;
            let from = english.filter(|_| is_foreign).unwrap_or(&self.languages[truth]);
            text += &from.words[numbers.below(from.words.len())];
            text.push(' ');
        }
        if numbers.below(2) == 0 && text.chars().count() > 6 {
            for _ in 0..=numbers.below(5) {
                text.pop();
            }
        }
        (truth, text)
    }

    /// The files of a model.
    fn written(&self, weights: &[f32], bias: &[f32]) -> (String, Vec<u8>) {
        let mut sizes: Vec<f32> = weights.iter().map(|weight| weight.abs()).collect();
        sizes.sort_unstable_by(f32::total_cmp);
        let largest = sizes[((sizes.len() - 1) as f64 * (1.0 - CUT)) as usize];
        let scale = 127.0 / largest;
        let byte = |weight: &f32| ((weight * scale).round().clamp(-127.0, 127.0) + 128.0) as u8;
        let tags: Vec<&str> = self.languages.iter().map(|language| language.tag).collect();
        let bias: Vec<String> = bias.iter().map(|bias| format!("{bias:.4}")).collect();
        (format!("{}\n{scale}\n{}\n", tags.join(" "), bias.join(" ")), weights.iter().map(byte).collect())
    }
}

/// Logits to probabilities.
fn probabilities(logits: &mut [f32]) {
    let highest = logits.iter().copied().fold(f32::MIN, f32::max);
    for logit in logits.iter_mut() {
        *logit = (*logit - highest).exp();
    }
    let total: f32 = logits.iter().sum();
    for logit in logits.iter_mut() {
        *logit /= total;
    }
}
