//! What is left of a line of labels before a text that shares its line.
//!
//! Of a page flattened to one line the text begins behind the last label of its byline, and that one is often a counter
//! that a script would have filled: no date and no name ends it, so it looks like the beginning of the sentence.

/// Counters of readers, with the colon that makes them labels; lower case.
const COUNTERS: [&str; 16] = [
    "浏览次数",
    "浏览量",
    "浏览数",
    "浏览",
    "点击次数",
    "点击量",
    "点击数",
    "点击",
    "阅读次数",
    "阅读量",
    "阅读数",
    "阅读",
    "访问次数",
    "访问量",
    "人气",
    "views",
];
/// What parts the labels of a line.
const SEPARATORS: [char; 5] = ['|', '｜', '丨', '│', '/'];
/// What a counter counts.
const UNITS: [&str; 2] = ["人次", "次"];

/// The text without counters and separators before it.
pub(super) fn without_counters(text: &str) -> &str {
    let mut rest = text;
    while let Some(behind) = behind_counter(rest) {
        rest = behind;
    }
    rest
}

/// What is behind a counter with which the text begins, and behind the separators around it.
fn behind_counter(text: &str) -> Option<&str> {
    let is_between = |c: char| c.is_whitespace() || SEPARATORS.contains(&c);
    let text = text.trim_start_matches(is_between);
    let colon = text.find([':', '：']).filter(|at| *at <= "浏览次数 ".len())?;
    let (label, behind) = text.split_at(colon);
    if !COUNTERS.contains(&label.trim_end().to_lowercase().as_str()) {
        return None;
    }
    let behind = behind.get(behind.chars().next()?.len_utf8()..)?.trim_start();
    // The digits may be those of a date, with which the text begins.
    let number = behind.trim_start_matches(|c: char| c.is_ascii_digit());
    let unit = UNITS.iter().find_map(|unit| number.strip_prefix(unit));
    let is_number = number.len() < behind.len();
    let behind = match unit {
        Some(behind_unit) if is_number => behind_unit,
        None if is_number && (number.is_empty() || number.starts_with(is_between)) => number,
        _ => behind,
    };
    Some(behind.trim_start_matches(is_between))
}

#[cfg(test)]
mod tests {
    use super::without_counters;

    #[test]
    fn counters_go_and_the_text_stays() {
        for (text, expected) in [
            ("| 浏览次数： 5月16日下午，学院开会。", "5月16日下午，学院开会。"),
            ("点击数：128 | 阅读：3次 大桥今天通车。", "大桥今天通车。"),
            ("Views: 12 | The bridge is open.", "The bridge is open."),
            ("浏览次数：2018年的春天", "2018年的春天"),
        ] {
            assert_eq!(without_counters(text), expected);
        }
        for text in ["", "阅读使人充实：培根这样说。", "| 大桥", "浏览器：如何选择", "5月16日下午"]
        {
            assert_eq!(without_counters(text), text);
        }
    }
}
