//! Options of `convert`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Converts between simplified and traditional Chinese, by phrases and not by characters alone.
///
/// Use it before stages that compare or count, so that one text in both forms is one, or for a model that is to write one of
/// them. Put it behind `language`, whose tag says which documents are converted.
///
/// ```toml
/// [[stage]]
/// use = "language"
///
/// [[stage]]
/// use = "convert"
/// to = "simplified"
/// fields = ["title"]
/// ```
///
/// | form | what it is |
/// | --- | --- |
/// | `simplified` | that of the mainland and Singapore |
/// | `traditional` | traditional characters as `OpenCC` writes them, which is neither of the next two |
/// | `taiwan`, `hong-kong` | the characters that are standard there (`裡` and `裏`); with `words` also the words that are other ones (`軟體` and `软件`) |
///
/// How it decides: at each place the longest entry of the table is taken, so that `头发` becomes `頭髮` and `发展` becomes `發展`. What
/// no table has stays, byte by byte. Only documents are touched whose language asks for it: by `language_field`, `zh-Hans` where `from` is
/// `simplified`, else `zh-Hant`, and `zh` in both (`zh-CN`, `zh-SG`, `zh-TW`, `zh-HK` and `zh-MO` count as what they are written in). A document
/// without that field is looked at as `language` does it. So Japanese stays, and a text in the right form that quotes the other. The
/// tag of what was converted becomes `zh-Hans` or `zh-Hant`.
///
/// Counts: `documents_changed`. Measure: `converted`, characters that are others now.
///
/// Limits: a character that several are written for becomes the likeliest outside of known phrases; names that keep an
/// old form are not known. Of a long word that is another one elsewhere only the written form counts.
///
/// Source: the tables are those of `OpenCC` 1.4.2 (<https://github.com/BYVoid/OpenCC>, Apache License 2.0).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["to"]))]
pub struct ConvertOptions {
    /// The form that documents are to have.
    pub to: Option<Form>,
    /// The form that they have; by default `simplified`, or `traditional` where `to` is `simplified`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Form>,
    /// Whether words are exchanged that are others in Taiwan or Hong Kong.
    pub words: bool,
    /// Fields that are converted beside the text.
    #[schemars(length(min = 1), extend("uniqueItems" = true, "x-field" = "write"))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
    /// The languages whose documents are converted, such as `["zh"]` for all that is Chinese; by default those that `from` says.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only_if: Vec<String>,
    /// The field with the language.
    #[schemars(length(min = 1))]
    pub language_field: String,
}

impl Default for ConvertOptions {
    fn default() -> Self {
        Self {
            to: None,
            from: None,
            words: false,
            fields: Vec::new(),
            only_if: Vec::new(),
            language_field: "language".to_owned(),
        }
    }
}

/// A form of written Chinese.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Simplified.
    Simplified,
    /// Traditional, of no region.
    Traditional,
    /// Traditional as in Taiwan.
    Taiwan,
    /// Traditional as in Hong Kong.
    HongKong,
}
