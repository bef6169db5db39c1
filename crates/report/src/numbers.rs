//! Numbers as people read them.

/// With commas between thousands: `1,204,551`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share of a whole in percent, with a decimal below ten: `0.3 %`, `41 %`; `0 %` of nothing.
pub(crate) fn share(part: u64, whole: u64) -> String {
    let percent = if whole == 0 { 0.0 } else { 100.0 * part as f64 / whole as f64 };
    match percent {
        percent if part > 0 && percent < 0.1 => "< 0.1 %".to_owned(),
        percent if part < whole && percent > 99.9 => "> 99.9 %".to_owned(),
        percent if percent == 0.0 || percent >= 10.0 => format!("{percent:.0} %"),
        percent => format!("{percent:.1} %"),
    }
}

/// The same of what is no number of records; `0 %` of nothing.
pub(crate) fn share_of(part: f64, whole: f64) -> String {
    // To a millionth, which is more than is shown.
    let of = |value: f64| (value / whole * 1e6) as u64;
    if whole > 0.0 { share(of(part), of(whole)) } else { share(0, 0) }
}

/// How long something takes, in seconds: `12 µs`, `1.3 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`.
pub(crate) fn duration(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match seconds {
        seconds if seconds < 0.000_95 => format!("{} µs", value((seconds * 1e7).round() / 10.0)),
        seconds if seconds < 0.95 => format!("{} ms", value((seconds * 1e4).round() / 10.0)),
        seconds if seconds < 59.5 => format!("{} s", value((seconds * 10.0).round() / 10.0)),
        seconds if seconds < 3570.0 => format!("{} min {} s", whole / 60, whole % 60),
        _ => format!("{} h {} min", count((whole + 30) / 3600), (whole + 30) % 3600 / 60),
    }
}

/// A size: `12.4 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A measured value, with as many digits as tell it from its neighbours: `0.02`, `4.5`, `12,040`.
pub(crate) fn value(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 1000.0 {
        let whole = count(magnitude.round() as u64);
        return if value < 0.0 { format!("−{whole}") } else { whole };
    }
    let text = match magnitude {
        magnitude if magnitude >= 100.0 || magnitude.fract() <= f64::EPSILON => format!("{value:.0}"),
        magnitude if magnitude >= 10.0 => format!("{value:.1}"),
        magnitude if magnitude >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    };
    text.replacen('-', "−", 1)
}

/// The same beside another, with more digits where two that differ would look the same: `0.2504`, `0.25`.
pub(crate) fn value_beside(value: f64, other: f64) -> String {
    let short = self::value(value);
    let gap = (value - other).abs();
    if !(gap > 0.0 && gap.is_finite()) || short != self::value(other) {
        return short;
    }
    // No two numbers are the same to seventeen digits.
    let shown = short.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let digits = (shown + 1..=17).find(|digits| format!("{value:.digits$}") != format!("{other:.digits$}"));
    let text = digits.map_or(short, |digits| format!("{value:.digits$}"));
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    text.replacen('-', "−", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_as_people_read_them() {
        for (seconds, expected) in [
            (0.0, "0 µs"),
            (0.000_012, "12 µs"),
            (0.001_3, "1.30 ms"),
            (0.25, "250 ms"),
            (4.2, "4.20 s"),
            (59.4, "59.4 s"),
            (200.0, "3 min 20 s"),
            (7500.0, "2 h 5 min"),
        ] {
            assert_eq!(duration(seconds), expected);
        }
        assert_eq!(share_of(0.5, 2.0), "25 %");
        assert_eq!(share_of(0.0, 0.0), "0 %");
    }

    #[test]
    fn values_that_differ_look_different() {
        for (one, other, expected) in [
            (0.25, 0.25, "0.25"),
            (0.2504, 0.25, "0.2504"),
            (0.2541, 0.2549, "0.254"),
            (1.0 + f64::EPSILON, 1.0, "1.0000000000000002"),
            (0.25, 0.2504, "0.25"),
            (0.3, 0.25, "0.30"),
            (1000.4, 1000.0, "1000.4"),
            (1000.0, 1000.4, "1000"),
            (-0.2504, -0.25, "−0.2504"),
            (f64::NAN, 1.0, "NaN"),
        ] {
            assert_eq!(value_beside(one, other), expected, "{one} beside {other}");
        }
    }
}
