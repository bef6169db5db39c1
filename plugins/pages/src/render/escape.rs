//! Characters that would mean something in Markdown and mean themselves on the page.
//!
//! Only those are escaped that would: `snake_case`, `2 * 3` and `[1]` stay as they are, because what is written is read
//! by people and by models as often as by parsers.

/// Whether a character of a line needs a backslash before it, by the characters on both sides.
pub(super) fn needs_escape(before: Option<char>, c: char, rest: &str) -> bool {
    let next = rest.chars().next();
    let is_blank = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    match c {
        '`' => true,
        // A backslash at the end of a line breaks it.
        '\\' => next.is_none_or(|next| next.is_ascii_punctuation()),
        // Emphasis begins and ends at something.
        '*' => !(is_blank(before) && is_blank(next)),
        '_' => !(is_blank(before) && is_blank(next) || is_word(before) && is_word(next)),
        '~' => next == Some('~') || before == Some('~'),
        // `[a](b)`, `[a]: b`, `[a][b]`
        ']' => matches!(next, Some('(' | '[' | ':')),
        '<' => next.is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')),
        '&' => is_reference(rest),
        _ => false,
    }
}

/// Whether what follows `&` makes it a character reference.
fn is_reference(rest: &str) -> bool {
    let length = rest.bytes().take(40).position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'#'));
    length.is_some_and(|length| length > 0 && rest.as_bytes().get(length) == Some(&b';'))
}

/// How many bytes of a line stand before the character that needs a backslash so that the line begins no heading, list,
/// quotation, rule or table; `None` when it begins none.
pub(super) fn line_start_escape(line: &str) -> Option<usize> {
    let first = line.chars().next()?;
    let ends = |at: usize| {
        line.get(at..).is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    };
    match first {
        '>' => Some(0),
        '#' => {
            let n = line.bytes().take_while(|byte| *byte == b'#').count();
            (n <= 6 && ends(n)).then_some(0)
        }
        '+' | '-' | '*' if ends(1) => Some(0),
        // A rule, the underline of a heading, the line below the head of a table.
        '-' | '*' | '_' | '=' | ':' | '|' => {
            let is_rule = |c: char| c == first || c.is_whitespace() || matches!(c, '-' | '|' | ':');
            line.chars().all(is_rule).then_some(0)
        }
        '0'..='9' => {
            let n = line.bytes().take_while(u8::is_ascii_digit).count();
            let is_mark = matches!(line.as_bytes().get(n), Some(b'.' | b')'));
            (n <= 9 && is_mark && ends(n + 1)).then_some(n)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line as it is written.
    fn escaped(line: &str) -> String {
        let mut out = String::new();
        let start = line_start_escape(line);
        for (at, c) in line.char_indices() {
            let (before, rest) = line.split_at(at);
            let (before, rest) = (before.chars().next_back(), rest.get(c.len_utf8()..).unwrap_or_default());
            if start == Some(at) || needs_escape(before, c, rest) {
                out.push('\\');
            }
            out.push(c);
        }
        out
    }

    #[test]
    fn what_means_something_is_escaped() {
        for (line, expected) in [
            ("*bold* and _it_", "\\*bold\\* and \\_it\\_"),
            ("a `tick`", "a \\`tick\\`"),
            ("[a](b), [c]: d", "[a\\](b), [c\\]: d"),
            ("<b> &amp; \\*", "\\<b> \\&amp; \\\\\\*"),
            ("# one", "\\# one"),
            ("- one", "\\- one"),
            ("1984. A year", "1984\\. A year"),
            ("> so", "\\> so"),
            ("---", "\\---"),
            ("~~~", "\\~\\~\\~"),
        ] {
            assert_eq!(escaped(line), expected);
        }
    }

    #[test]
    fn what_means_nothing_stays() {
        for line in
            ["snake_case", "2 * 3 _ 4", "see [1], [2]", "a < b & c", "C:\\dir", "#tag", "-5", "1.5 m", "~5"]
        {
            assert_eq!(escaped(line), line);
        }
    }
}
