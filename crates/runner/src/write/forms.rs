//! What the forms of a placeholder make of a value: `{language:primary}`, `{url:host}`.

use std::borrow::Cow;

/// The form of a language tag that BCP 47 recommends (RFC 5646, section 2.1.1): `zh_cn` is `zh-CN`, `EN` is `en`,
/// `zh-hans` is `zh-Hans`.
///
/// Locales of POSIX lose what stands behind the tag (`en_US.UTF-8`); codes that were withdrawn are those of today. What
/// is no tag, such as `Chinese`, stays as it is.
pub(super) fn tag(written: &str) -> Cow<'_, str> {
    let trimmed = written.trim();
    let bare = trimmed.split(['.', '@']).next().unwrap_or_default();
    let mut subtags = bare.split(['-', '_']);
    let first = subtags.next().unwrap_or_default();
    let is_language = matches!(first.len(), 2 | 3) && first.bytes().all(|byte| byte.is_ascii_alphabetic());
    let is_subtag =
        |tag: &str| matches!(tag.len(), 1..=8) && tag.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_language || !subtags.clone().all(is_subtag) {
        return Cow::Borrowed(trimmed);
    }
    let mut tag = current(&first.to_ascii_lowercase()).to_owned();
    let mut is_in_extension = false;
    for subtag in subtags {
        is_in_extension |= subtag.len() == 1;
        let mut subtag = subtag.to_ascii_lowercase();
        let is_name = subtag.bytes().all(|byte| byte.is_ascii_alphabetic());
        match subtag.len() {
            2 if !is_in_extension => subtag.make_ascii_uppercase(),
            4 if !is_in_extension && is_name => {
                if let Some(initial) = subtag.get_mut(..1) {
                    initial.make_ascii_uppercase();
                }
            }
            _ => {}
        }
        tag.push('-');
        tag += &subtag;
    }
    Cow::Owned(tag)
}

/// The language of a tag, without script and region: of `zh-Hans-CN` `zh`.
pub(super) fn primary(written: &str) -> Cow<'_, str> {
    match tag(written) {
        Cow::Owned(mut tag) => {
            tag.truncate(tag.find('-').unwrap_or(tag.len()));
            Cow::Owned(tag)
        }
        other @ Cow::Borrowed(_) => other,
    }
}

/// The registry's replacements of two-letter codes that were withdrawn.
fn current(code: &str) -> &str {
    match code {
        "in" => "id",
        "iw" => "he",
        "ji" => "yi",
        "jw" => "jv",
        "mo" => "ro",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_written_in_one_way() {
        for (written, expected, language) in [
            ("zh", "zh", "zh"),
            ("EN", "en", "en"),
            (" zh_cn ", "zh-CN", "zh"),
            ("zh-hANS", "zh-Hans", "zh"),
            ("zh-hant-tw", "zh-Hant-TW", "zh"),
            ("en_US.UTF-8", "en-US", "en"),
            ("de_DE@euro", "de-DE", "de"),
            ("IW", "he", "he"),
            ("es-419", "es-419", "es"),
            ("sl-ROZAJ-biske-1994", "sl-rozaj-biske-1994", "sl"),
            ("en-US-u-CO-phonebk", "en-US-u-co-phonebk", "en"),
            ("Chinese", "Chinese", "Chinese"),
            ("中文", "中文", "中文"),
            ("zh--CN", "zh--CN", "zh--CN"),
            ("../x", "../x", "../x"),
            ("", "", ""),
        ] {
            assert_eq!(tag(written), expected, "{written}");
            assert_eq!(primary(written), language, "{written}");
            assert_eq!(tag(&tag(written)), expected, "{written}");
        }
    }
}
