//! Labels of dates: 发布时间, `Published on`, `aktualisiert`.
//!
//! Where a label may stand, and what may stand between it and its date, depends on what is read: a byline of HTML, or a
//! line of a page that lost its tags. Which words are labels does not.

/// What a label says of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOf {
    /// When the page was published.
    Publication,
    /// When it was changed last.
    Change,
}

use DateOf::{Change, Publication};

/// Labels in lower case that say so wherever they stand.
const LABELS: &[(&str, DateOf)] = &[
    ("发布时间", Publication),
    ("发布日期", Publication),
    ("发表时间", Publication),
    ("发表日期", Publication),
    ("发稿时间", Publication),
    ("发布于", Publication),
    ("发表于", Publication),
    ("刊登于", Publication),
    ("发布", Publication),
    ("發佈時間", Publication),
    ("發布時間", Publication),
    ("發佈", Publication),
    ("發布", Publication),
    ("發表", Publication),
    ("published", Publication),
    ("publication date", Publication),
    ("date published", Publication),
    ("posted", Publication),
    ("written", Publication),
    ("released", Publication),
    ("submitted", Publication),
    ("gespeichert", Publication),
    ("eingereicht", Publication),
    ("soumis", Publication),
    ("enviado", Publication),
    ("inviato", Publication),
    ("created", Publication),
    ("erstellt", Publication),
    ("创建时间", Publication),
    ("veröffentlicht", Publication),
    ("publiziert", Publication),
    ("erschienen", Publication),
    ("geschrieben", Publication),
    ("gepostet", Publication),
    ("publié", Publication),
    ("publiée", Publication),
    ("mis en ligne", Publication),
    ("publicado", Publication),
    ("publicada", Publication),
    ("pubblicato", Publication),
    ("gepubliceerd", Publication),
    ("geplaatst", Publication),
    ("опубликовано", Publication),
    ("опубликована", Publication),
    ("opublikowano", Publication),
    ("yayınlanma", Publication),
    ("yayın tarihi", Publication),
    ("公開日", Publication),
    ("投稿日", Publication),
    ("掲載日", Publication),
    ("配信", Publication),
    ("입력", Publication),
    ("등록", Publication),
    ("작성일", Publication),
    ("stand", Publication),
    ("stand des artikels", Publication),
    ("發表於", Publication),
    ("更新发布", Publication),
    ("published on", Publication),
    ("published at", Publication),
    ("posted on", Publication),
    ("posted at", Publication),
    ("veröffentlicht am", Publication),
    ("publicado em", Publication),
    ("publicado el", Publication),
    ("publié le", Publication),
    ("giriş", Publication),
    ("data publikacji", Publication),
    ("入力", Publication),
    ("last revision", Change),
    ("last revised", Change),
    ("更新时间", Change),
    ("更新日期", Change),
    ("更新時間", Change),
    ("更新于", Change),
    ("更新日", Change),
    ("最后更新", Change),
    ("最後更新", Change),
    ("修改时间", Change),
    ("更新", Change),
    ("updated", Change),
    ("last update", Change),
    ("modified", Change),
    ("last edited", Change),
    ("edited", Change),
    ("last changed", Change),
    ("last reviewed", Change),
    ("aktualisiert", Change),
    ("geändert", Change),
    ("zuletzt", Change),
    ("letzte änderung", Change),
    ("letzte aktualisierung", Change),
    ("mis à jour", Change),
    ("mise à jour", Change),
    ("modifié", Change),
    ("modifiée", Change),
    ("actualizado", Change),
    ("atualizado", Change),
    ("aggiornato", Change),
    ("bijgewerkt", Change),
    ("обновлено", Change),
    ("güncelleme", Change),
    ("수정", Change),
    ("last updated", Change),
    ("last updated at", Change),
    ("last updated on", Change),
    ("updated at", Change),
    ("updated on", Change),
    ("atualizado em", Change),
    ("mis à jour le", Change),
];

/// Words for dates of any kind, in lower case: those of events end with them, too.
const PLAIN: &[&str] =
    &["时间", "時間", "日期", "date", "time", "datum", "fecha", "data", "дата", "날짜", "日付"];

/// What the label says that a text in lower case ends with, as a whole word; of two the longer.
pub fn label_at_end(text: &str) -> Option<DateOf> {
    let labels = LABELS.iter().filter(|(label, _)| ends_with_word(text, label));
    labels.max_by_key(|(label, _)| label.len()).map(|(_, of)| *of)
}

/// Whether a text in lower case ends with a word for dates of any kind.
pub fn ends_with_plain_label(text: &str) -> bool {
    PLAIN.iter().any(|label| ends_with_word(text, label))
}

/// Whether a text in lower case is a word for dates of any kind.
pub fn is_plain_label(text: &str) -> bool {
    PLAIN.contains(&text)
}

/// Whether a text in lower case begins with a label in an alphabet, as `posted on 3 may and filed under ferries` does.
pub fn begins_with_label(text: &str) -> bool {
    LABELS.iter().any(|(label, _)| !is_wide(label) && text.starts_with(label))
}

fn ends_with_word(text: &str, word: &str) -> bool {
    let Some(before) = text.strip_suffix(word) else { return false };
    is_wide(word) || !before.ends_with(char::is_alphanumeric)
}

/// Whether a label is of a script without blanks between words; those of Korean stand behind other letters, too.
fn is_wide(label: &str) -> bool {
    label.chars().any(|c| c >= '\u{2E80}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_whole_words_and_the_longest_counts() {
        for (text, expected) in [
            ("发布时间", Some(Publication)),
            ("大桥通车 发布", Some(Publication)),
            ("最后更新", Some(Change)),
            ("posted", Some(Publication)),
            ("last updated", Some(Change)),
            ("stand des artikels", Some(Publication)),
            ("republished", None),
            ("时间", None),
            ("", None),
        ] {
            assert_eq!(label_at_end(text), expected, "{text}");
        }
        assert!(
            ends_with_plain_label("start date") && !is_plain_label("start date") && is_plain_label("date")
        );
        assert!(begins_with_label("posted on 3 may") && !begins_with_label("发布于"));
    }

    #[test]
    fn labels_are_in_lower_case_and_stand_there_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (label, _) in LABELS {
            assert_eq!(*label, label.to_lowercase());
            assert!(seen.insert(label), "{label}");
        }
    }
}
