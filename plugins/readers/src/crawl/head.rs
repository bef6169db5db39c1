//! The heads of records and of messages: lines of names and values.

use memchr::memchr;

/// The lines of a head: of a record, or of an HTTP message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    pub(crate) lines: &'a [u8],
}

impl<'a> Head<'a> {
    /// Names and values, without the first line; lines that are no field are passed over.
    pub(crate) fn fields(self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.lines().filter_map(|line| {
            let colon = memchr(b':', line)?;
            let name = line.get(..colon)?;
            // A line that begins with a blank goes on with the value before.
            let is_name = name.first().is_some_and(|byte| !byte.is_ascii_whitespace());
            is_name.then(|| (name.trim_ascii_end(), line.get(colon + 1..).unwrap_or_default().trim_ascii()))
        })
    }

    /// The first value of that name.
    pub(crate) fn field(self, name: &str) -> Option<&'a [u8]> {
        // Asked for a dozen times a record: the other lines are told apart by how they begin.
        self.lines().find_map(|line| {
            let (found, rest) = line.split_at_checked(name.len())?;
            let is_field = found.eq_ignore_ascii_case(name.as_bytes());
            let value = rest.trim_ascii_start().strip_prefix(b":").filter(|_| is_field)?;
            Some(value.trim_ascii())
        })
    }

    /// All lines but the first.
    fn lines(self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self.lines;
        let lines = std::iter::from_fn(move || {
            let end = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
            let (line, after) = rest.split_at(end);
            rest = after;
            (!line.is_empty()).then_some(line)
        });
        lines.skip(1)
    }

    /// The first value of that name, if it is UTF-8 and not empty.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        let value = std::str::from_utf8(self.field(name)?).ok()?;
        (!value.is_empty()).then_some(value)
    }

    /// What `Content-Length` says, if it is a number.
    pub(crate) fn content_length(self) -> Option<u64> {
        let digits = self.field("content-length")?;
        let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        // More digits than fit are a number, too: one that is not believed.
        is_number
            .then(|| std::str::from_utf8(digits).ok()?.parse().ok())
            .map(|parsed| parsed.unwrap_or(u64::MAX))
    }
}
