//! Numbers and years as they are written in East Asia.

/// Eras with the year before their first one. Japan counts by emperors, Taiwan from the founding of the republic.
pub(super) const ERAS: &[(&str, i16)] =
    &[("民國", 1911), ("民国", 1911), ("令和", 2018), ("平成", 1988), ("昭和", 1925), ("大正", 1911)];

/// The characters that Chinese numbers are made of.
pub(super) const NUMERALS: &str = "〇零○一二三四五六七八九十廿百";

/// Lower case, full-width forms as ASCII, white space as blanks, Chinese numerals before the marks of a date or a
/// time as digits, years of an era as years of our own.
pub(super) fn normalised(shown: &str) -> String {
    let narrow = |c: char| match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        c if c.is_whitespace() => ' ',
        c => c,
    };
    let text: String = shown.trim().chars().map(narrow).flat_map(char::to_lowercase).collect();
    let mut out = String::with_capacity(text.len());
    let mut numeral = String::new();
    for c in text.chars() {
        if NUMERALS.contains(c) && !out.ends_with(['期', '周', '週', '拜']) {
            numeral.push(c);
            continue;
        }
        push_numeral(&mut out, &mut numeral, c);
        out.push(c);
    }
    out.push_str(&numeral);
    without_eras(out)
}

/// Appends a Chinese numeral: as digits before the marks of a date or a time, as it stands elsewhere.
fn push_numeral(out: &mut String, numeral: &mut String, next: char) {
    let value = match next {
        '年' if ERAS.iter().any(|(era, _)| out.ends_with(era)) => number_in_chinese(numeral),
        '年' => year_in_chinese(numeral),
        '月' | '日' | '号' | '號' | '时' | '時' | '点' | '點' | '分' | '秒' => {
            number_in_chinese(numeral)
        }
        _ => None,
    };
    match value {
        Some(value) => out.push_str(&value.to_string()),
        None => out.push_str(numeral),
    }
    numeral.clear();
}

/// Years of an era as years of our own: `令和2年5月3日` is `2020年5月3日`.
fn without_eras(text: String) -> String {
    let found = ERAS.iter().find_map(|(era, before)| {
        let (start, rest) = text.split_once(era)?;
        let rest = rest.trim_start();
        let n_digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (year, behind) = match rest.strip_prefix('元') {
            Some(behind) => (1, behind),
            None => {
                (rest.get(..n_digits)?.parse::<i16>().ok().filter(|_| n_digits <= 3)?, rest.get(n_digits..)?)
            }
        };
        let start = start.strip_suffix("中華").or_else(|| start.strip_suffix("中华")).unwrap_or(start);
        let is_year = (1..200).contains(&year) && behind.trim_start().starts_with(['年', '.', '/', '-']);
        is_year.then(|| format!("{start}{}{}", before + year, behind.trim_start()))
    });
    found.unwrap_or(text)
}

/// A year digit by digit: 二〇一八.
fn year_in_chinese(numeral: &str) -> Option<u32> {
    if numeral.chars().count() != 4 {
        return None;
    }
    numeral.chars().try_fold(0, |year, c| Some(year * 10 + digit_in_chinese(c)?))
}

/// A number below 200: 九, 十, 十三, 二十一, 廿一, 三〇, 一百零九, 一〇九.
fn number_in_chinese(numeral: &str) -> Option<u32> {
    let expanded = numeral.replace('廿', "二十");
    let (hundreds, rest) = match expanded.split_once('百') {
        Some((hundreds, rest)) => (100 * single(hundreds)?, rest.trim_start_matches(['零', '〇', '○'])),
        None => (0, expanded.as_str()),
    };
    let below = match rest.split_once('十') {
        None if rest.is_empty() && hundreds > 0 => 0,
        None if rest.is_empty() => return None,
        // Digit by digit: the years of the republic (一〇九) and minutes (零五) are.
        None => rest.chars().try_fold(0, |number, c| Some(number * 10 + digit_in_chinese(c)?))?,
        Some((tens, ones)) => {
            let tens = if tens.is_empty() { 1 } else { single(tens)? };
            let ones = if ones.is_empty() { 0 } else { single(ones)? };
            tens * 10 + ones
        }
    };
    Some(hundreds + below).filter(|number| *number < 200)
}

fn digit_in_chinese(c: char) -> Option<u32> {
    match c {
        '〇' | '零' | '○' => Some(0),
        _ => "一二三四五六七八九".chars().position(|digit| digit == c).map(|index| index as u32 + 1),
    }
}

fn single(numeral: &str) -> Option<u32> {
    let mut digits = numeral.chars();
    let digit = digit_in_chinese(digits.next()?)?;
    digits.next().is_none().then_some(digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_years_of_east_asia_become_ours() {
        for (shown, expected) in [
            ("二〇一八年九月十三日", "2018年9月13日"),
            ("二○二一年十二月三十一日 星期五", "2021年12月31日 星期五"),
            ("２０１８年９月１３日", "2018年9月13日"),
            ("民國109年5月3日", "2020年5月3日"),
            ("中華民國一百零九年五月三日", "2020年5月3日"),
            ("中华民国一〇九年廿三日", "2020年23日"),
            ("令和元年5月3日", "2019年5月3日"),
            ("平成 30 年 1 月 2 日", "2018年 1 月 2 日"),
            ("民國109/05/03", "2020/05/03"),
            ("十时零五分", "10时5分"),
            ("三十年河东", "三十年河东"),
            ("民國以來", "民國以來"),
        ] {
            assert_eq!(normalised(shown), expected, "{shown}");
        }
    }
}
