//! The day of publication in the address of a page.

use tamis_dates::certain_date;

/// The day as it stands in the path: `/2014/05/18/`, `/2020-02/19/`, `/20240520/`, `/2024-05-20-title`.
pub(super) fn day(address: &str) -> Option<&str> {
    let (_, path) = address.split_once("://")?;
    let path = path.split(['?', '#']).next()?;
    let path = path.get(path.find('/')?..)?;
    let bytes = path.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let starts = (1..path.len()).filter(|at| is_digit(*at) && !is_digit(at - 1));
    starts.filter_map(|start| day_at(path, start)).find(|day| iso(day).is_some())
}

/// A year, a month of two digits and a day of two, with marks of the same kind between them or none.
fn day_at(path: &str, start: usize) -> Option<&str> {
    let bytes = path.as_bytes();
    let are_digits =
        |from: usize, n: usize| (from..from + n).all(|at| bytes.get(at).is_some_and(u8::is_ascii_digit));
    let mark = |at: usize| usize::from(bytes.get(at).is_some_and(|byte| matches!(byte, b'/' | b'-' | b'_')));
    let month = start + 4 + mark(start + 4);
    let day = month + 2 + mark(month + 2);
    let is_day = are_digits(start, 4) && are_digits(month, 2) && are_digits(day, 2);
    let ends = !bytes.get(day + 2).is_some_and(u8::is_ascii_digit);
    (is_day && ends).then(|| path.get(start..day + 2)).flatten()
}

/// A day of [`day`] in ISO 8601.
pub(super) fn iso(day: &str) -> Option<String> {
    let digits: String = day.chars().filter(char::is_ascii_digit).collect();
    // Numbers of articles look like days of other centuries.
    let year: u16 = digits.get(..4)?.parse().ok()?;
    (1990..2100).contains(&year).then(|| certain_date(&digits)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_in_addresses() {
        for (address, expected) in [
            ("https://a.example/2014/05/18/title/", Some("2014/05/18")),
            ("http://news.example/politics/2020-02/19/c_1125597921.htm", Some("2020-02/19")),
            ("https://a.example/20240520/1.html", Some("20240520")),
            ("https://a.example/t-2024-05-20-x", Some("2024-05-20")),
            ("https://a.example/2014/05/", None),
            ("https://a.example/120240520", None),
            ("https://a.example/20249920", None),
            ("https://a.example/?d=2014-05-18", None),
            ("https://20140518.example/x", None),
        ] {
            assert_eq!(day(address), expected, "{address}");
        }
    }
}
