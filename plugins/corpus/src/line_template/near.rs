//! Lines that are equal but for a value: a path of links, a label with a name behind it, the day of the week.

/// Wider lines are text, whatever they look like.
const MOST_BYTES: usize = 120;

/// Names before a mark are short: `责任编辑`, `Filed under`.
const LABEL_CHARS: std::ops::RangeInclusive<usize> = 2..=12;

/// Values behind a label are names, places, counts.
const VALUE_BYTES: usize = 36;

/// Stands for what was masked.
const MASK: char = '…';

/// Whether a line that was compared with its value masked ends like this.
///
/// Many lines become one that way, so such a line counts as template only beside other template.
pub(super) fn is_masked(plain: &str) -> bool {
    plain.ends_with(MASK)
}

/// `plain`, squeezed and without digits, with its value masked; `None` when it has none.
pub(super) fn masked(plain: &str, saw_digit: bool) -> Option<String> {
    if plain.len() > MOST_BYTES {
        return None;
    }
    let once = |plain: &str| {
        path(plain).or_else(|| label(plain)).or_else(|| if saw_digit { without_day(plain) } else { None })
    };
    let mut masked = once(plain)?;
    // What is left may be a label or have another day; a learned table is read as it was written.
    while let Some(again) = once(&masked).filter(|again| *again != masked) {
        masked = again;
    }
    Some(masked)
}

/// `您的位置：首页 > 新闻 > 正文`: what leads to a page differs from page to page, its start does not.
fn path(plain: &str) -> Option<String> {
    // The marks of code, of mail and of quotations.
    if plain.contains(['<', '=', '{', '}', ';', '"', '(', '«', '‹']) {
        return None;
    }
    let (start, rest) = plain.split_once(['>', '›', '»'])?;
    let start = start.trim();
    let says_something = start.chars().filter(|c| c.is_alphabetic()).count() >= 2;
    (says_something && !rest.trim().is_empty()).then(|| format!("{start} > {MASK}"))
}

/// `责任编辑：某人`, `Photo: J. Doe`: a label and a name, no sentence.
fn label(plain: &str) -> Option<String> {
    let (label, value) = plain.split_once([':', '：'])?;
    let value = value.trim();
    let is_label = LABEL_CHARS.contains(&label.chars().count())
        && label.chars().all(|c| c.is_alphabetic() || c == ' ')
        && label.chars().any(|c| c != ' ');
    let is_name = !value.is_empty()
        && value.len() <= VALUE_BYTES
        && !value.contains([
            '。', '！', '？', '；', '，', '、', '“', '”', '!', '?', ';', ',', '"', '/', '{', '(', '=', '.',
        ]);
    (is_label && is_name).then(|| format!("{label}：{MASK}"))
}

const DAYS: [&str; 3] = ["星期", "礼拜", "周"];
const CHINESE: [char; 8] = ['一', '二', '三', '四', '五', '六', '日', '天'];

/// The names of days and months, by their first three letters.
const NAMES: [&str; 19] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mon", "tue", "wed",
    "thu", "fri", "sat", "sun",
];

/// `0年0月0日 星期三`, `Friday, March 0, 0`: only beside digits, because May is a name, too.
fn without_day(plain: &str) -> Option<String> {
    for day in DAYS {
        if let Some((before, behind)) = plain.split_once(day)
            && let Some(rest) = behind.strip_prefix(CHINESE)
        {
            return Some(format!("{before}{day}{rest}{MASK}"));
        }
    }
    let is_name = |word: &str| {
        let word = word.to_ascii_lowercase();
        word.len() <= 9 && NAMES.iter().any(|name| word.starts_with(name))
    };
    let words: Vec<&str> = plain.split(' ').collect();
    let stripped = |word: &str| word.trim_matches([',', '.', '(', ')']).to_owned();
    let others: Vec<&str> = words.iter().copied().filter(|word| !is_name(&stripped(word))).collect();
    (others.len() < words.len()).then(|| format!("{} {MASK}", others.join(" ").trim()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_masked() {
        for (plain, expected) in [
            ("您的位置：首页 > 新闻 > 正文", Some("您的位置：首页 > …")),
            ("Home » News » Harbour", Some("Home > …")),
            ("> quoted mail", None),
            ("if (a > b) return;", None),
            ("责任编辑：某人", Some("责任编辑：…")),
            ("Photo: J Doe", Some("Photo：…")),
            ("他说：“不。”", None),
            ("https://example.org", None),
            ("Ratio: 0", Some("Ratio：…")),
            ("0年0月0日 星期三", Some("0年0月0日 星期…")),
            ("Friday, March 0, 0", Some("0, 0 …")),
            ("Share this", None),
        ] {
            let masked = masked(plain, plain.contains('0'));
            assert_eq!(masked.as_deref(), expected, "{plain}");
            assert!(masked.is_none_or(|masked| is_masked(&masked)), "{plain}");
        }
    }

    proptest! {
        #[test]
        fn a_masked_line_is_masked_already(plain in "([a-c0一：:>» .,…]|May|星期[一日]|周){0,20}", digit in any::<bool>()) {
            if let Some(once) = masked(&plain, digit) {
                let again = masked(&once, digit);
                prop_assert!(again.is_none() || again.as_ref() == Some(&once), "{} {:?}", once, again);
            }
        }
    }
}
