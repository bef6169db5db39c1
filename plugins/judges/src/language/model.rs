//! Languages by a model of the user.

use tamis_language::{UNDETERMINED, chinese_tag, sample};

use crate::fasttext::Model;

/// A model of fastText whose labels are languages.
#[derive(Debug)]
pub(super) struct LanguageModel {
    model: Model,
    tags: Vec<String>,
}

impl LanguageModel {
    pub(super) fn load(path: &str) -> Result<Self, String> {
        let model = Model::load(path)?;
        let mut tags: Vec<String> = model.labels().iter().map(|label| tag(label)).collect();
        if tags.iter().any(|tag| tag == "zh") {
            tags.extend(["zh-Hans".to_owned(), "zh-Hant".to_owned()]);
        }
        tags.sort_unstable();
        tags.dedup();
        Ok(Self { model, tags })
    }

    /// The tags that documents can have.
    pub(super) fn tags(&self) -> Vec<&str> {
        self.tags.iter().map(String::as_str).collect()
    }

    /// The tag of a text, and how probable it is.
    pub(super) fn identify(&self, text: &str) -> Result<(String, f64), String> {
        let Some(sample) = sample(text) else { return Ok((UNDETERMINED.to_owned(), 0.0)) };
        let Some(best) = self.model.best(&sample)? else { return Ok((UNDETERMINED.to_owned(), 0.0)) };
        let tag = match tag(&best.label) {
            tag if tag == "zh" => chinese_tag(&sample).to_owned(),
            tag => tag,
        };
        Ok((tag, best.probability))
    }
}

/// The tag by BCP 47 that a label stands for: the shortest code of the language, and the script of Chinese.
///
/// Labels are codes of two letters (lid.176), or of three with a script (`eng_Latn`: NLLB, GlotLID, OpenLID). Which script a language
/// is written in says nothing where it has one, and where it has two the tag stands for both.
fn tag(label: &str) -> String {
    let (language, script) = label.split_once(['_', '-']).unwrap_or((label, ""));
    let language = SHORT.iter().find(|(long, _)| *long == language).map_or(language, |(_, short)| *short);
    match script {
        "Hans" | "Hant" if language == "zh" => format!("{language}-{script}"),
        _ => language.to_owned(),
    }
}

/// Codes of three letters for languages that have one of two (ISO 639-3 and 639-1): those that the program tells apart, and the
/// members of macrolanguages that models name in their place.
const SHORT: &[(&str, &str)] = &[
    ("afr", "af"),
    ("amh", "am"),
    ("arb", "ar"),
    ("ara", "ar"),
    ("asm", "as"),
    ("azj", "az"),
    ("aze", "az"),
    ("bel", "be"),
    ("bul", "bg"),
    ("ben", "bn"),
    ("bod", "bo"),
    ("bos", "bs"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cym", "cy"),
    ("dan", "da"),
    ("deu", "de"),
    ("div", "dv"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("spa", "es"),
    ("est", "et"),
    ("ekk", "et"),
    ("eus", "eu"),
    ("fas", "fa"),
    ("pes", "fa"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("gle", "ga"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("ind", "id"),
    ("isl", "is"),
    ("ita", "it"),
    ("jpn", "ja"),
    ("kat", "ka"),
    ("kaz", "kk"),
    ("khm", "km"),
    ("kan", "kn"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lug", "lg"),
    ("lao", "lo"),
    ("lit", "lt"),
    ("lav", "lv"),
    ("lvs", "lv"),
    ("mri", "mi"),
    ("mkd", "mk"),
    ("mal", "ml"),
    ("mon", "mn"),
    ("khk", "mn"),
    ("mar", "mr"),
    ("msa", "ms"),
    ("zsm", "ms"),
    ("mya", "my"),
    ("nob", "nb"),
    ("nld", "nl"),
    ("nno", "nn"),
    ("ory", "or"),
    ("ori", "or"),
    ("pan", "pa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("som", "so"),
    ("sqi", "sq"),
    ("als", "sq"),
    ("srp", "sr"),
    ("sot", "st"),
    ("swe", "sv"),
    ("swh", "sw"),
    ("swa", "sw"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tha", "th"),
    ("tgl", "tl"),
    ("fil", "tl"),
    ("tsn", "tn"),
    ("tur", "tr"),
    ("tso", "ts"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("vie", "vi"),
    ("xho", "xh"),
    ("yor", "yo"),
    ("zho", "zh"),
    ("cmn", "zh"),
    ("zul", "zu"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_become_tags() {
        for (label, expected) in [
            ("en", "en"),
            ("eng_Latn", "en"),
            ("zho_Hans", "zh-Hans"),
            ("cmn_Hant", "zh-Hant"),
            ("zh", "zh"),
            ("srp_Cyrl", "sr"),
            ("yue_Hant", "yue"),
            ("gl", "gl"),
            ("pt-BR", "pt"),
        ] {
            assert_eq!(tag(label), expected, "{label}");
        }
    }

    #[test]
    fn every_language_that_the_program_tells_has_its_long_code() {
        let known = tamis_language::languages();
        for tag in known.iter().filter(|tag| tag.len() == 2) {
            assert!(SHORT.iter().any(|(_, short)| short == tag), "{tag}");
        }
        assert!(SHORT.iter().all(|(long, short)| long.len() == 3 && known.contains(short)));
    }
}
