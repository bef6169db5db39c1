//! The tokenizer of a language model that a user has.

#[cfg(feature = "tokenizer")]
use kitoken::Kitoken;
#[cfg(feature = "tokenizer")]
use kitoken::convert::ConversionError;

/// A tokenizer; in a build without them there is none.
#[derive(Debug)]
pub(crate) struct Tokenizer {
    #[cfg(feature = "tokenizer")]
    tokenizer: Box<Kitoken>,
    #[cfg(not(feature = "tokenizer"))]
    none: std::convert::Infallible,
}

#[cfg(feature = "tokenizer")]
impl Tokenizer {
    /// Reads a `tokenizer.json`; says what is wrong with a file that is none.
    pub(crate) fn load(path: &str) -> Result<Self, String> {
        let bytes = std::fs::read(path).map_err(|error| format!("cannot read {path}: {error}"))?;
        let tokenizer = Kitoken::from_tokenizers_slice(&bytes).map_err(|error| match error {
            ConversionError::UnsupportedConfiguration(what) => {
                format!("{path} is a tokenizer of a kind that is not supported: {what}")
            }
            error => {
                format!("{path} is no tokenizer in the format of Hugging Face, `tokenizer.json`: {error}")
            }
        })?;
        Ok(Self { tokenizer: Box::new(tokenizer) })
    }

    /// How many tokens a text has, without those that a model wants at its beginning or end. What is written like a special
    /// token counts as one.
    pub(crate) fn count(&self, text: &str) -> Result<usize, String> {
        let tokens = self.tokenizer.encode(text, true);
        Ok(tokens
            .map_err(|error| format!("the tokenizer has no token for a part of the text: {error}"))?
            .len())
    }
}

#[cfg(not(feature = "tokenizer"))]
impl Tokenizer {
    /// Says what brings tokenizers.
    pub(crate) fn load(_: &str) -> Result<Self, String> {
        Err("this program was built without tokenizers: `cargo build --release` builds all of tamis"
            .to_owned())
    }

    pub(crate) fn count(&self, _: &str) -> Result<usize, String> {
        match self.none {}
    }
}
