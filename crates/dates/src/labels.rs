//! Labels of dates: 发布时间, `Published on`, `aktualisiert`.
//!
//! Where a label may stand, and what may stand between it and its date, depends on what is read: a byline of HTML, or a
//! line of a page that lost its tags. Which words are labels does not.

use crate::{dates, parse};

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
    ("filed", Publication),
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
    ("发文日期", Publication),
    ("发文时间", Publication),
    ("上传时间", Publication),
    ("录入时间", Publication),
    ("添加时间", Publication),
    ("发稿日期", Publication),
    ("發布日期", Publication),
    ("發佈日期", Publication),
    ("發表時間", Publication),
    ("發表日期", Publication),
    ("發文日期", Publication),
    ("張貼日期", Publication),
    ("公告日期", Publication),
    ("刊登日期", Publication),
    ("刊出日期", Publication),
    ("建立日期", Publication),
    ("上版日期", Publication),
    ("公開日時", Publication),
    ("投稿日時", Publication),
    ("掲載日時", Publication),
    ("配信日時", Publication),
    ("登録日", Publication),
    ("作成日", Publication),
    ("등록일", Publication),
    ("등록일시", Publication),
    ("작성일시", Publication),
    ("게시일", Publication),
    ("기사입력", Publication),
    ("승인", Publication),
    ("дата публикации", Publication),
    ("опубліковано", Publication),
    ("نشر في", Publication),
    ("نُشر في", Publication),
    ("نشر بتاريخ", Publication),
    ("تاريخ النشر", Publication),
    ("פורסם", Publication),
    ("תאריך פרסום", Publication),
    ("publicerad", Publication),
    ("publiceret", Publication),
    ("publisert", Publication),
    ("julkaistu", Publication),
    ("zveřejněno", Publication),
    ("publikováno", Publication),
    ("közzétéve", Publication),
    ("δημοσιεύθηκε", Publication),
    ("đăng ngày", Publication),
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
    ("修改日期", Change),
    ("更新日時", Change),
    ("最後異動日期", Change),
    ("最近更新", Change),
    ("最終更新日", Change),
    ("수정일", Change),
    ("최종수정", Change),
    ("обновлена", Change),
    ("изменено", Change),
    ("оновлено", Change),
    ("آخر تحديث", Change),
    ("עודכן", Change),
    ("uppdaterad", Change),
    ("opdateret", Change),
    ("oppdatert", Change),
    ("päivitetty", Change),
    ("aktualizováno", Change),
    ("frissítve", Change),
    ("ενημερώθηκε", Change),
    ("cập nhật", Change),
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

/// Words that are labels only where nothing is glued before them: 公開 beside 情報公開, 등록 beside 회원등록.
const SHORT: &[(&str, DateOf)] = &[
    ("公開", Publication),
    ("投稿", Publication),
    ("掲載", Publication),
    ("作成", Publication),
    ("張貼", Publication),
    ("게시", Publication),
];

/// Words for dates of any kind, in lower case: those of events end with them, too.
const PLAIN: &[&str] =
    &["时间", "時間", "日期", "date", "time", "datum", "fecha", "data", "дата", "날짜", "日付"];

/// What the label says that a text in lower case ends with, as a whole word; of two the longer.
pub fn label_at_end(text: &str) -> Option<DateOf> {
    let last = text.as_bytes().last();
    // Their last bytes tell nearly all of them.
    let labels =
        LABELS.iter().filter(|(label, _)| label.as_bytes().last() == last && ends_with_word(text, label));
    let short = || {
        let is_alone = |before: &str| !before.ends_with(char::is_alphanumeric);
        SHORT.iter().find(|(label, _)| text.strip_suffix(label).is_some_and(is_alone))
    };
    labels.max_by_key(|(label, _)| label.len()).or_else(short).map(|(_, of)| *of)
}

/// What the label says that a line begins with, in any case, and what stands behind it and its colon; of two labels the
/// longer.
///
/// A word that goes on is no label (`standards`, 发布会), but a date may be glued to one.
pub fn label_at_start(line: &str) -> Option<(DateOf, &str)> {
    // Most lines begin with a letter that no label begins with.
    let first = line.chars().flat_map(char::to_lowercase).next()?;
    let mut bytes = [0; 4];
    let first = first.encode_utf8(&mut bytes).as_bytes();
    let labels = LABELS.iter().filter(|(label, _)| label.as_bytes().starts_with(first));
    let found = labels.filter_map(|(label, of)| Some((label.len(), *of, behind(line, label)?)));
    let (_, of, rest) = found.max_by_key(|(n_bytes, ..)| *n_bytes)?;
    if rest.starts_with(char::is_alphabetic) && !begins_with_date(rest) {
        return None;
    }
    let rest = rest.trim_start();
    Some((of, rest.strip_prefix([':', '：']).map_or(rest, str::trim_start)))
}

/// What stands behind a label at the beginning of a line.
fn behind<'t>(line: &'t str, label: &str) -> Option<&'t str> {
    let mut rest = line.chars();
    let is_next = |wanted: char| rest.next().is_some_and(|c| c.to_lowercase().eq([wanted]));
    label.chars().all(is_next).then_some(rest.as_str())
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

/// Whether a text begins with a date, or with a day that is named from today: 昨天.
fn begins_with_date(text: &str) -> bool {
    parse::begins_with_days_ago(text) || dates(text).next().is_some_and(|located| located.range().start == 0)
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
            ("公開", Some(Publication)),
            ("| 公開", Some(Publication)),
            ("情報公開", None),
            ("最終更新日", Some(Change)),
            ("تاريخ النشر", Some(Publication)),
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
    fn what_stands_behind_a_label_is_told() {
        for (line, expected) in [
            ("发布时间：2018-09-13 10:20", Some((Publication, "2018-09-13 10:20"))),
            ("发表于2018年9月13日", Some((Publication, "2018年9月13日"))),
            ("发布于昨天 10:20", Some((Publication, "昨天 10:20"))),
            ("发布二〇一八年九月十三日", Some((Publication, "二〇一八年九月十三日"))),
            ("PUBLISHED ON : 3 May 2018", Some((Publication, "3 May 2018"))),
            ("PostedMay 3, 2018", Some((Publication, "May 3, 2018"))),
            ("Posted by A. Keeper", Some((Publication, "by A. Keeper"))),
            ("Last updated 3 May 2018", Some((Change, "3 May 2018"))),
            ("发布会于2018年9月13日举行", None),
            ("Standards of 3 May 2018", None),
            ("It was posted on 3 May 2018", None),
            ("", None),
        ] {
            assert_eq!(label_at_start(line), expected, "{line}");
        }
    }

    #[test]
    fn labels_are_in_lower_case_and_stand_there_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (label, _) in LABELS.iter().chain(SHORT) {
            assert_eq!(*label, label.to_lowercase());
            assert!(seen.insert(label), "{label}");
        }
    }
}
