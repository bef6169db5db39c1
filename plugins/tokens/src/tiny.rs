//! A tokenizer of our own, for tests: pairs of bytes, and a few words.

use std::io::Write;

use serde_json::json;
use tempfile::NamedTempFile;

/// What becomes one token, after the single bytes; `Ġ` stands for a blank.
const MERGES: [(&str, &str); 9] = [
    ("t", "h"),
    ("th", "e"),
    ("m", "i"),
    ("l", "l"),
    ("mi", "ll"),
    ("Ġ", "the"),
    ("Ġ", "mill"),
    // The character of a mill, of three bytes.
    ("ç", "£"),
    ("ç£", "¨"),
];

/// Signs that stand for bytes in the vocabularies of such tokenizers: those that can be seen for themselves, the others
/// behind all of Latin-1.
fn signs() -> Vec<String> {
    let is_seen = |byte: &u8| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let hidden: Vec<u8> = (0..=255).filter(|byte| !is_seen(byte)).collect();
    (0..=255)
        .map(|byte: u8| match hidden.iter().position(|hidden| *hidden == byte) {
            Some(nth) => char::from_u32(256 + nth as u32).expect("a character"),
            None => char::from(byte),
        })
        .map(String::from)
        .collect()
}

/// The file, `tokenizer.json`.
pub(crate) fn tiny() -> String {
    let words = MERGES.iter().map(|(one, other)| format!("{one}{other}"));
    let vocab: serde_json::Map<String, serde_json::Value> = signs()
        .into_iter()
        .chain(words)
        .zip(0..)
        .map(|(word, id): (String, u32)| (word, json!(id)))
        .collect();
    let end = vocab.len();
    let byte_level =
        json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true });
    let file = json!({
        "version": "1.0",
        "added_tokens": [{
            "id": end, "content": "<end>", "special": true,
            "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
        }],
        "normalizer": null,
        "pre_tokenizer": byte_level,
        "post_processor": null,
        "decoder": byte_level,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": vocab,
            "merges": MERGES.map(|(one, other)| format!("{one} {other}")),
        },
    });
    serde_json::to_string(&file).expect("plain values") + "\n"
}

/// A file with it.
pub(crate) fn written() -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a file");
    file.write_all(tiny().as_bytes()).expect("writable");
    file
}
