//! Learns the models of `crates/language`; see `docs/training-language.md`.

mod learn;
mod words;

use std::path::Path;

use anyhow::{Context, bail};

use learn::Lesson;

/// A model: its name, the bits of its rows, how many texts it is shown, and languages with their share among these texts.
type Model = (&'static str, u32, usize, &'static [(&'static str, f64)]);

/// What is learned.
///
/// The shares are what is more probable on the web. With equal ones, a line of names and brands, which says nothing, is as
/// often Latin or Esperanto as Spanish.
const MODELS: [Model; 4] = [
    (
        "latin",
        15,
        3_000_000,
        &[
            ("af", 1.0),
            ("az", 1.0),
            ("bs", 1.0),
            ("ca", 1.0),
            ("cs", 1.0),
            ("cy", 1.0),
            ("da", 1.5),
            ("de", 3.0),
            ("en", 3.0),
            ("eo", 1.0),
            ("es", 6.0),
            ("et", 1.0),
            ("eu", 1.0),
            ("fi", 1.0),
            ("fr", 3.0),
            ("ga", 1.0),
            ("hr", 1.0),
            ("hu", 1.0),
            ("id", 1.5),
            ("is", 1.0),
            ("it", 2.5),
            ("la", 1.0),
            ("lg", 1.0),
            ("lt", 1.0),
            ("lv", 1.0),
            ("mi", 1.0),
            ("ms", 1.0),
            ("nb", 1.0),
            ("nl", 2.0),
            ("nn", 1.0),
            ("pl", 1.0),
            ("pt", 4.0),
            ("ro", 1.0),
            ("sk", 1.0),
            ("sl", 1.0),
            ("sn", 1.0),
            ("so", 1.0),
            ("sq", 1.0),
            ("st", 1.0),
            ("sv", 1.5),
            ("sw", 1.0),
            ("tl", 1.0),
            ("tn", 1.0),
            ("tr", 1.0),
            ("ts", 1.0),
            ("vi", 1.0),
            ("xh", 1.0),
            ("yo", 1.0),
            ("zu", 1.0),
        ],
    ),
    (
        "cyrillic",
        13,
        1_500_000,
        &[
            ("be", 1.0),
            ("bg", 1.5),
            ("kk", 1.0),
            ("mk", 1.0),
            ("mn", 1.0),
            ("ru", 7.0),
            ("sr", 1.5),
            ("uk", 2.0),
        ],
    ),
    ("arabic", 12, 800_000, &[("ar", 1.5), ("fa", 1.0), ("ur", 1.0)]),
    ("devanagari", 11, 500_000, &[("hi", 2.5), ("mr", 1.0)]),
];

/// How many words of each language are drawn.
const N_WORDS: usize = 100_000;

/// Learns all models from the language models in `folder` and writes them to `output`.
pub(crate) fn run(arguments: &[&str], output: &Path) -> anyhow::Result<()> {
    let ["--data", folder] = arguments else { bail!("usage: cargo xtask train language --data FOLDER") };
    for (name, bits, n_texts, languages) in MODELS {
        let mut lesson = Lesson { script: name, bits, n_texts, languages: Vec::new() };
        for (language, share) in languages {
            let folder = Path::new(folder).join(language);
            let words = words::draw(&folder, N_WORDS)
                .with_context(|| format!("cannot read the model of `{language}` in {}", folder.display()))?;
            lesson.languages.push(learn::Language { tag: language, share: *share, words });
        }
        println!("{name}: {} languages", lesson.languages.len());
        let (head, weights) = lesson.learn();
        std::fs::write(output.join(format!("{name}.txt")), head)?;
        std::fs::write(output.join(format!("{name}.bin")), weights)?;
    }
    Ok(())
}

/// A generator that gives the same numbers on every machine (G. Marsaglia, *Xorshift RNGs*, 2003).
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 to `n`, which is left out.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 11) as usize) % n.max(1)
    }

    /// From 0 to 1, which is left out.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}
