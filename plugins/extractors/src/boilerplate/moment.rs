//! Dates and times of day, as the walk over a line passes them: what is one is not read as digits and signs.

/// The bytes of a date, with or without a time of day, or of a time of day, that begins at `at`.
///
/// Dates have a year of four digits, or day and month with a word of Chinese; times have a colon.
pub(super) fn moment(page: &str, at: usize, before: char) -> Option<usize> {
    if before.is_ascii_digit() || before == '.' {
        return None;
    }
    let bytes = page.as_bytes().get(at..)?;
    let mut reader = Digits { bytes, at: 0 };
    let first = reader.number()?;
    match first {
        4 => {
            reader.separator(&["-", "/", ".", "年", "년"])?;
            reader.blanks();
            reader.short()?;
            reader.separator(&["-", "/", ".", "月", "월"])?;
            reader.blanks();
            reader.short()?;
            let _ = reader.separator(&["日", "일"]);
        }
        1 | 2 => {
            if reader.separator(&["月"]).is_some() {
                reader.short()?;
                reader.separator(&["日"])?;
            } else {
                reader.separator(&[":"])?;
                (reader.number()? == 2).then_some(())?;
                reader.seconds();
                return reader.finish();
            }
        }
        _ => return None,
    }
    let date = reader.at;
    reader.blanks();
    let _ = reader.separator(&["T"]);
    if reader.short().is_some() && reader.separator(&[":"]).is_some() && reader.number() == Some(2) {
        reader.seconds();
    } else {
        reader.at = date;
    }
    reader.finish()
}

struct Digits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Digits<'_> {
    /// How many digits come next; none is `None`.
    fn number(&mut self) -> Option<usize> {
        let rest = self.bytes.get(self.at..)?;
        let length = rest.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
        self.at += length;
        (length > 0).then_some(length)
    }

    /// One or two digits.
    fn short(&mut self) -> Option<()> {
        matches!(self.number()?, 1 | 2).then_some(())
    }

    fn separator(&mut self, any: &[&str]) -> Option<()> {
        let rest = self.bytes.get(self.at..)?;
        let found = any.iter().find(|separator| rest.starts_with(separator.as_bytes()))?;
        self.at += found.len();
        Some(())
    }

    fn blanks(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        self.at += rest.iter().take(4).take_while(|byte| **byte == b' ').count();
    }

    /// Seconds, if there are any.
    fn seconds(&mut self) {
        let minutes = self.at;
        if !(self.separator(&[":"]).is_some() && self.number() == Some(2)) {
            self.at = minutes;
        }
    }

    /// The bytes read, if no digit follows.
    fn finish(self) -> Option<usize> {
        let next = self.bytes.get(self.at);
        next.is_none_or(|byte| !byte.is_ascii_digit()).then_some(self.at)
    }
}
