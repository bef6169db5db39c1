//! Models of fastText that a user has.

use std::fs::File;
use std::io::{BufReader, Read};

use fasttext_pure_rs::{Error, FastText};

/// What the labels of fastText begin with.
const PREFIX: &str = "__label__";
/// More labels than any model has that says what kind a text is of.
const MOST_LABELS: usize = 100_000;
/// Where the number of words and labels stands in a model: behind the magic number, the version, 12 settings and a fraction.
const HEAD: usize = 4 + 4 + 12 * 4 + 8;
/// The fewest bytes of a word or label: its end, a count, a kind.
const ENTRY: u64 = 1 + 8 + 1;

/// A model, and its labels.
#[derive(Debug)]
pub(crate) struct Model {
    model: FastText,
    /// Without `__label__`, the first of the alphabet first.
    labels: Vec<String>,
}

/// A label and its probability.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Guess {
    pub(crate) label: String,
    pub(crate) probability: f64,
}

impl Model {
    /// Reads a model, `.bin` or `.ftz`; says what is wrong with one that is none.
    pub(crate) fn load(path: &str) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| format!("cannot read {path}: {error}"))?;
        let length = file.metadata().map_err(|error| format!("cannot read {path}: {error}"))?.len();
        let mut reader = BufReader::with_capacity(1 << 20, file);
        let mut head = [0; HEAD + 4];
        reader
            .read_exact(&mut head)
            .map_err(|_| format!("{path} is no model of fastText: it has {length} bytes"))?;
        // The library makes room for as many words as the file says before it reads the first.
        let n_entries = i32::from_le_bytes([head[HEAD], head[HEAD + 1], head[HEAD + 2], head[HEAD + 3]]);
        let n_entries = u64::try_from(n_entries).unwrap_or(u64::MAX);
        if n_entries.saturating_mul(ENTRY) > length {
            return Err(format!("{path} is no model of fastText, or not all of it is there"));
        }
        let model = FastText::load_from_reader(head.as_slice().chain(reader)).map_err(|error| match error {
            Error::UnsupportedVersion { actual, .. } => {
                format!("{path} is a model of fastText in version {actual} of its format, not 12: train it with fastText 0.2 or newer")
            }
            Error::Io(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                format!("{path} is not all there: it ends in the middle of the model")
            }
            error => format!("{path} is no model of fastText that can be used: {error}"),
        })?;
        // It has no list of its labels, but says how probable each is for any text.
        let all = model.predict("</s>", MOST_LABELS, 0.0).unwrap_or_default();
        let mut labels: Vec<String> = all.into_iter().map(|guess| bare(&guess.label).to_owned()).collect();
        labels.sort_unstable();
        Ok(Self { model, labels })
    }

    /// The labels without `__label__`; none if the model does not tell them.
    pub(crate) fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The most probable label; nothing for a text in which the model knows nothing.
    pub(crate) fn best(&self, text: &str) -> Result<Option<Guess>, String> {
        Ok(self.guesses(text, 1)?.into_iter().next())
    }

    /// Each label with its probability, the most probable first.
    pub(crate) fn all(&self, text: &str) -> Result<Vec<Guess>, String> {
        self.guesses(text, MOST_LABELS)
    }

    fn guesses(&self, text: &str, most: usize) -> Result<Vec<Guess>, String> {
        match self.model.predict(text, most, 0.0) {
            Ok(found) => Ok(found
                .into_iter()
                .map(|guess| Guess {
                    label: bare(&guess.label).to_owned(),
                    // Sums of rounded numbers pass 1 by a little.
                    probability: f64::from(guess.probability).clamp(0.0, 1.0),
                })
                .collect()),
            Err(Error::EmptyInput) => Ok(Vec::new()),
            Err(error) => Err(format!("the model fails on the text: {error}")),
        }
    }
}

/// A label as it is meant.
pub(crate) fn bare(label: &str) -> &str {
    label.strip_prefix(PREFIX).unwrap_or(label)
}

/// Some labels, for a message.
pub(crate) fn listed(labels: &[String]) -> String {
    const MOST: usize = 100;
    let mut listed = labels.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    if labels.len() > MOST {
        listed += &format!(" and {} more", labels.len() - MOST);
    }
    listed
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The bytes of a model of our own: words of two kinds, each kind with a vector of its own, and a label for each, by softmax.
    /// (Format: version 12 of fastText, no groups of letters, no quantization.)
    pub(crate) fn tiny(kinds: [(&str, &[&str]); 2]) -> Vec<u8> {
        let mut model = Vec::new();
        let int = |model: &mut Vec<u8>, numbers: &[i32]| {
            for number in numbers {
                model.extend(number.to_le_bytes());
            }
        };
        let n_words = 1 + kinds.iter().map(|(_, words)| words.len()).sum::<usize>();
        int(&mut model, &[793_712_314, 12]);
        // Dimension, window, epochs, least count, negatives, groups of words, loss (softmax), model (supervised), buckets,
        // least and most letters of groups, update rate; the threshold of sampling.
        int(&mut model, &[2, 5, 5, 1, 5, 1, 3, 3, 0, 0, 0, 100]);
        model.extend(0.0001f64.to_le_bytes());
        int(&mut model, &[n_words as i32 + 2, n_words as i32, 2]);
        model.extend(100i64.to_le_bytes());
        model.extend((-1i64).to_le_bytes());
        let mut entry = |word: &str, kind: u8| {
            model.extend(word.as_bytes());
            model.push(0);
            model.extend(10i64.to_le_bytes());
            model.push(kind);
        };
        entry("</s>", 0);
        kinds.iter().flat_map(|(_, words)| *words).for_each(|word| entry(word, 0));
        for (label, _) in &kinds {
            entry(&format!("__label__{label}"), 1);
        }
        let mut matrix = |rows: &[[f32; 2]]| {
            model.push(0);
            model.extend((rows.len() as i64).to_le_bytes());
            model.extend(2i64.to_le_bytes());
            rows.iter().flatten().for_each(|value| model.extend(value.to_le_bytes()));
        };
        let mut input = vec![[0.0, 0.0]];
        input.extend(kinds[0].1.iter().map(|_| [1.0, 0.0]));
        input.extend(kinds[1].1.iter().map(|_| [0.0, 1.0]));
        matrix(&input);
        matrix(&[[4.0, -4.0], [-4.0, 4.0]]);
        model
    }

    /// Writes a model, and gives its path.
    pub(crate) fn written(folder: &tempfile::TempDir, bytes: &[u8]) -> String {
        let path = folder.path().join("model.bin");
        std::fs::write(&path, bytes).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    }

    #[test]
    fn a_model_guesses_by_its_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let bytes = tiny([("good", &["mill", "river"]), ("bad", &["login", "menu"])]);
        let model = Model::load(&written(&folder, &bytes)).expect("a model");
        assert_eq!(model.labels(), ["bad", "good"]);
        let best = model.best("the mill by the river\nmill").expect("no failure").expect("known words");
        assert_eq!(best.label, "good");
        // Three words and the end of the line, which has no vector: 4 · 3/4 on one side, as much on the other.
        let expected = 1.0 / (1.0 + tamis_text::maths::exp(-6.0));
        // fastText adds a hundred thousandth before it takes a logarithm.
        assert!((best.probability - expected).abs() < 2e-5, "{}", best.probability);
        let all = model.all("login").expect("no failure");
        assert_eq!(all.iter().map(|guess| guess.label.as_str()).collect::<Vec<_>>(), ["bad", "good"]);
        assert!((all.iter().map(|guess| guess.probability).sum::<f64>() - 1.0).abs() < 5e-5);
    }

    #[test]
    fn a_file_that_is_no_model_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let whole = tiny([("good", &["mill"]), ("bad", &["login"])]);
        for length in 0..whole.len() {
            let error = Model::load(&written(&folder, &whole[..length])).expect_err("not all there");
            assert!(error.contains("model.bin"), "{error}");
        }
        let mut other = whole.clone();
        other[4] = 11;
        let error = Model::load(&written(&folder, &other)).expect_err("another version");
        assert!(error.contains("in version 11 of its format"), "{error}");
        // More words than the file could hold.
        let mut endless = whole.clone();
        endless[HEAD..HEAD + 4].copy_from_slice(&i32::MAX.to_le_bytes());
        assert!(Model::load(&written(&folder, &endless)).expect_err("too many").contains("not all of it"));
        assert!(Model::load("no-such.bin").expect_err("absent").starts_with("cannot read no-such.bin"));
    }
}
