//! Options of `blocklist`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Drops documents by lists of domains, addresses and words.
///
/// ```toml
/// [[stage]]
/// use = "blocklist"
/// domains = ["lists/adult.txt", "lists/malware.txt"]
/// words = ["lists/words.zh.txt"]
/// max_words = 2
/// ```
///
/// A list is a text file with an entry a line; empty lines and those that begin with `#` are passed over, as is what hosts files have before
/// the name (`0.0.0.0 ads.example`). Lists of the UT1 collection (`domains` and `urls` in a folder for each category) are read as
/// they are.
///
/// - `domains`: the host of the address, or a domain that it lies under: `mill.example` stands for `www.mill.example`, not for
///   `windmill.example`.
/// - `addresses`: the address itself, without scheme, `www.`, a slash at the end, and what follows `#`.
/// - `words`: in the text, whatever the case of ASCII letters. An entry counts where no letter or digit stands next to it;
///   Chinese and Japanese ones count anywhere, because nothing parts words there.
///
/// Words are lists of other people's judgement: `cock` is a bird, and 性 is in half of all Chinese pages. A number of different
/// words (`max_words`) says more than one.
///
/// Reasons: `blocked-domain`, `blocked-address`, `blocked-words`. Measure: `blocked_words`, how many different entries
/// occur.
///
/// Memory: about 60 bytes for a domain, 200 for a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct BlocklistOptions {
    /// Lists of domains.
    #[schemars(length(min = 1), extend("x-path" = "file", "uniqueItems" = true))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub domains: Vec<String>,
    /// Lists of addresses.
    #[schemars(length(min = 1), extend("x-path" = "file", "uniqueItems" = true))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// Lists of words and phrases.
    #[schemars(length(min = 1), extend("x-path" = "file", "uniqueItems" = true))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// How many different words may occur; with more the document is dropped.
    #[schemars(extend("x-needs" = {"words": "some"}))]
    pub max_words: u32,
    /// The field with the address.
    #[schemars(length(min = 1), extend("x-needs" = [{"domains": "some"}, {"addresses": "some"}]))]
    pub url: String,
}

impl Default for BlocklistOptions {
    fn default() -> Self {
        Self {
            domains: Vec::new(),
            addresses: Vec::new(),
            words: Vec::new(),
            max_words: 0,
            url: "url".to_owned(),
        }
    }
}
