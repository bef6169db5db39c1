//! Mistakes in the syntax of TOML, from what the parser says to what a user can act on.

use std::ops::Range;
use std::sync::Arc;

use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::envelope::{ENVELOPE, keys};
use crate::text::{Place, Text};

/// A file that is no TOML at all has a mistake on every line.
const MOST_MISTAKES: usize = 100;

/// One complaint a line, and not the same one over and over: the parser goes on after a mistake, and what it
/// says next is mostly an echo.
pub(crate) fn errors(text: &Arc<Text>, root: &DeTable<'_>, errors: &[toml::de::Error]) -> Diagnostics {
    let unclosed = unclosed(&text.content);
    let mut complaints = Complaints { text, root, lines: Vec::new(), diagnostics: Diagnostics::default() };
    let mut errors: Vec<_> =
        errors.iter().map(|error| (text.at(error.span().unwrap_or_default()), error.message())).collect();
    // Values are read after the structure; the user reads the file from its start.
    errors.sort_by_key(|(place, _)| place.start);
    let mut last = "";
    for (place, message) in errors {
        if complaints.diagnostics.len() == MOST_MISTAKES {
            let message = format!("there are more mistakes; the first {MOST_MISTAKES} are shown");
            complaints.push(Diagnostic::in_file(&text.name, message));
            break;
        }
        // What follows an open bracket is read as if it were inside.
        if let Some((open, bracket)) = unclosed.filter(|(open, _)| place.start > *open) {
            if !complaints.wide(&place, message) {
                complaints.unclosed(open, bracket);
            }
            break;
        }
        if message != last && complaints.add(&place, message) {
            last = message;
        }
    }
    complaints.diagnostics
}

struct Complaints<'a> {
    text: &'a Arc<Text>,
    root: &'a DeTable<'a>,
    /// The lines about which something has been said, from 0.
    lines: Vec<usize>,
    diagnostics: Diagnostics,
}

impl Complaints<'_> {
    fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Adds what the parser says about a place, unless something was said about the line; says whether it was
    /// added.
    fn add(&mut self, place: &Place, message: &str) -> bool {
        let (line, range) = self.text.line_at(place.start);
        if self.lines.contains(&line) {
            return false;
        }
        if message == "duplicate key" {
            // Every key may stand twice: those in the same file are different mistakes.
            self.duplicate(place);
            return false;
        }
        self.lines.push(line);
        if self.wide(place, message) {
            return true;
        }
        if self.letters_without_quotes(place, message) || self.backslash(place, message) {
            return true;
        }
        // The parser appends what it expected after a comma: that is the help beside the caret.
        let (message, expected) = message.split_once(", expected ").unwrap_or((message, ""));
        let rest = self.text.content.get(place.start..range.end).unwrap_or_default();
        self.push(if message == "string values must be quoted" && rest.trim().is_empty() {
            Diagnostic::error(place, "a value is missing")
        } else if message.starts_with("missing comma") {
            Diagnostic::error(place, message).label("expected `,`, or the end of the list or table before")
        } else if expected.is_empty() {
            Diagnostic::error(place, message)
        } else {
            Diagnostic::error(place, message).label(format!("expected {expected}"))
        });
        true
    }

    /// Adds a complaint about punctuation of a Chinese keyboard, if that is what stands at the place.
    fn wide(&mut self, place: &Place, message: &str) -> bool {
        let (_, range) = self.text.line_at(place.start);
        let rest = self.text.content.get(place.start..range.end).unwrap_or_default();
        let Some((wide, ascii)) = wide_punctuation(rest) else { return false };
        let message = message.split_once(", expected ").map_or(message, |(message, _)| message);
        self.push(
            Diagnostic::error(place, message)
                .label(format!("`{wide}` means nothing in TOML: write `{ascii}`")),
        );
        true
    }

    /// Adds a complaint about a backslash in double quotes that begins no escape: a path of Windows, or a regular
    /// expression.
    fn backslash(&mut self, place: &Place, message: &str) -> bool {
        let (_, range) = self.text.line_at(place.start);
        let before = self.text.content.get(range.start..place.start).unwrap_or_default();
        let Some(at) = before.rfind('\\').filter(|_| message.contains("escape")) else { return false };
        let rest = self.text.content.get(range.start + at..range.end).unwrap_or_default();
        let escape: String = rest.chars().take(2).collect();
        let at = range.start + at;
        let label = "in double quotes a backslash begins an escape: write the string in single quotes";
        let escape_place = self.text.at(at..at + escape.len());
        self.push(Diagnostic::error(&escape_place, format!("`{escape}` is no escape")).label(label));
        true
    }

    /// Adds a complaint about a key of other letters than those of ASCII, which TOML takes in quotes alone.
    fn letters_without_quotes(&mut self, place: &Place, message: &str) -> bool {
        let (_, range) = self.text.line_at(place.start);
        let content = &self.text.content;
        let is_of_key = |c: &char| c.is_alphanumeric() || matches!(c, '_' | '-');
        let before = content.get(range.start..place.start).unwrap_or_default();
        let begin =
            place.start - before.chars().rev().take_while(is_of_key).map(char::len_utf8).sum::<usize>();
        let rest = content.get(begin..range.end).unwrap_or_default();
        let key: String = rest.chars().take_while(is_of_key).collect();
        let is_key = rest.get(key.len()..).is_some_and(|rest| rest.trim_start().starts_with(['=', '.', ']']));
        // The keys of a pipeline itself are all of ASCII: only tables in options have keys of the user's.
        let begins_line =
            self.text.content.get(range.start..begin).is_some_and(|before| before.trim().is_empty());
        let header =
            self.header_before(range.start).and_then(|start| content.get(self.text.line_at(start).1));
        let is_of_user = !begins_line || header.is_some_and(|header| header.contains('.'));
        if key.is_ascii() || !is_key || !is_of_user {
            return false;
        }
        let message = message.split_once(", expected ").map_or(message, |(message, _)| message);
        let key_place = self.text.at(begin..begin + key.len());
        let label = format!("TOML takes such letters in quotes: write `\"{key}\"`");
        self.push(Diagnostic::error(&key_place, message).label(label));
        true
    }

    fn unclosed(&mut self, open: usize, bracket: char) {
        let (what, close) = if bracket == '[' { ("list", ']') } else { ("table", '}') };
        let message = format!("this {what} is not closed");
        let place = self.text.at(open..open + bracket.len_utf8());
        self.push(Diagnostic::error(&place, message).label(format!("add `{close}` where it ends")));
    }

    /// A key that stands twice: a list of tables written as one table, or a slip.
    fn duplicate(&mut self, place: &Place) {
        let (line, range) = self.text.line_at(place.start);
        let header = self.header_before(range.start);
        // The keys below a header that was taken for the one before it are there twice as well.
        if header.is_some_and(|start| self.lines.contains(&self.text.line_at(start).0)) {
            return;
        }
        self.lines.push(line);
        let content = &self.text.content;
        let key = content.get(place.start..place.end).unwrap_or_default();
        let is_header = content.get(range.clone()).is_some_and(is_header);
        if is_header && is_list_of_tables(key) {
            // Whichever of the two is written as a table is the one to change.
            let first = self.first(key, place, None);
            let single = |at: usize| {
                let line = content.get(self.text.line_at(at).1).unwrap_or_default().trim_start();
                line.starts_with('[') && !line.starts_with("[[")
            };
            let wrong =
                if single(place.start) { place.clone() } else { first.unwrap_or_else(|| place.clone()) };
            let label = format!("write `[[{key}]]` each time");
            self.push(Diagnostic::error(&wrong, format!("`{key}` is a list of tables")).label(label));
            return;
        }
        let first = self.first(key, place, if is_header { None } else { header });
        let mut diagnostic = Diagnostic::error(place, format!("`{key}` is given twice")).label("remove one");
        if let Some(first) = first {
            diagnostic = diagnostic.related(&first, "the first is here");
        }
        self.push(diagnostic);
    }

    /// Where the header of the table begins that is open at `offset`.
    fn header_before(&self, offset: usize) -> Option<usize> {
        let before = self.text.content.get(..offset)?;
        let mut start = 0;
        let mut found = None;
        for line in before.split_inclusive('\n') {
            if is_header(line) {
                found = Some(start);
            }
            start += line.len();
        }
        found
    }

    /// Where a key stands first: in a header when `place` is in one, or else in the table of `place`, which
    /// begins at `header`.
    fn first(&self, key: &str, place: &Place, header: Option<usize>) -> Option<Place> {
        let content = &self.text.content;
        let line_of = |offset: usize| self.text.line_at(offset).1;
        let is_header_key = |offset: usize| content.get(line_of(offset)).is_some_and(is_header);
        let begins_line = |offset: usize| {
            content.get(line_of(offset).start..offset).is_some_and(|before| before.trim().is_empty())
        };
        if is_header_key(place.start) {
            // The tree keeps one of the two only, so the text is looked at.
            let mut start = 0;
            for line in content.get(..line_of(place.start).start)?.split_inclusive('\n') {
                let name = line.trim().trim_start_matches('[').split(']').next().unwrap_or_default().trim();
                if is_header(line) && name == key {
                    let at = start + line.find(key)?;
                    return Some(self.text.at(at..at + key.len()));
                }
                start += line.len();
            }
            return None;
        }
        let mut spans = Vec::new();
        spans_of(self.root, key, 0, &mut spans);
        let own_line = begins_line(place.start);
        let found = spans.into_iter().find(|span| {
            let in_table = span.start >= header.unwrap_or(0) && span.start < place.start;
            let like_it =
                if own_line { begins_line(span.start) } else { line_of(span.start) == line_of(place.start) };
            in_table && like_it && !is_header_key(span.start)
        });
        found.map(|span| self.text.at(span))
    }
}

/// Whether a line begins a table. A line inside a list may begin with a bracket as well, but not end the same
/// way with a bare name between.
fn is_header(line: &str) -> bool {
    let line = line.trim_start();
    let name = line.trim_start_matches('[');
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '"');
    line.starts_with('[')
        && name.split_once(']').is_some_and(|(name, _)| !name.is_empty() && name.chars().all(is_name))
}

fn is_list_of_tables(key: &str) -> bool {
    keys(&ENVELOPE.root).any(|known| known == key)
        && ENVELOPE.root.pointer(&format!("/properties/{key}/x-tables")).is_some()
}

/// The spans of all keys of a name, in the order of the file. Deeper than any pipeline is not looked.
fn spans_of(table: &DeTable<'_>, key: &str, depth: usize, spans: &mut Vec<Range<usize>>) {
    const DEEPEST: usize = 16;
    for (name, value) in table {
        if name.get_ref() == key {
            spans.push(name.span());
        }
        if depth < DEEPEST {
            spans_in(value.get_ref(), key, depth + 1, spans);
        }
    }
    spans.sort_by_key(|span| span.start);
}

fn spans_in(value: &DeValue<'_>, key: &str, depth: usize, spans: &mut Vec<Range<usize>>) {
    match value {
        DeValue::Table(table) => spans_of(table, key, depth, spans),
        DeValue::Array(items) if depth < 16 => {
            for item in items {
                spans_in(item.get_ref(), key, depth + 1, spans);
            }
        }
        _ => {}
    }
}

/// The first bracket of a value that is not closed, by its place: a list that still is open where a key is
/// given a value, or a list or table that is open at the end.
fn unclosed(content: &str) -> Option<(usize, char)> {
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut chars = content.char_indices().peekable();
    let mut begins_line = true;
    while let Some((offset, c)) = chars.next() {
        match c {
            '#' => skip_line(&mut chars),
            '"' | '\'' => skip_string(content, offset, c, &mut chars)?,
            // A header, and not a value.
            '[' if open.is_empty() && begins_line => skip_line(&mut chars),
            '[' | '{' => open.push((offset, c)),
            ']' | '}' => match open.pop() {
                Some(inner) if (inner.1 == '[') != (c == ']') => return Some(inner),
                _ => {}
            },
            '=' if open.last().is_some_and(|(_, bracket)| *bracket == '[') => break,
            _ => {}
        }
        begins_line = c == '\n' || c == '#' || (begins_line && c.is_whitespace());
    }
    // The others were opened inside it.
    open.into_iter().next()
}

type Chars<'a> = std::iter::Peekable<std::str::CharIndices<'a>>;

fn skip_line(chars: &mut Chars<'_>) {
    while chars.next_if(|(_, c)| *c != '\n').is_some() {}
}

/// Skips a string that begins at `offset`; `None` if it does not end, which is a mistake of its own.
fn skip_string(content: &str, offset: usize, quote: char, chars: &mut Chars<'_>) -> Option<()> {
    let rest = content.get(offset..)?;
    let three: String = std::iter::repeat_n(quote, 3).collect();
    let is_long = rest.starts_with(&three);
    let mut run = 0;
    if is_long {
        chars.nth(1);
    }
    while let Some((_, c)) = chars.next() {
        run = if c == quote { run + 1 } else { 0 };
        match c {
            '\\' if quote == '"' => {
                chars.next();
            }
            '\n' if !is_long => return None,
            _ if c == quote && (!is_long || run == 3) => {
                // A long string may end with quotes of its own.
                if is_long {
                    while chars.next_if(|(_, c)| *c == quote).is_some() {}
                }
                return Some(());
            }
            _ => {}
        }
    }
    None
}

/// The punctuation of a Chinese keyboard at the start of a text, and what was meant.
fn wide_punctuation(text: &str) -> Option<(char, char)> {
    let wide = text.trim_start().chars().next()?;
    let ascii = match wide {
        '“' | '”' | '＂' | '「' | '」' => '"',
        '‘' | '’' | '＇' => '\'',
        '，' | '、' => ',',
        '＝' | '：' => '=',
        '［' | '【' => '[',
        '］' | '】' => ']',
        '｛' => '{',
        '｝' => '}',
        '＃' => '#',
        _ => return None,
    };
    Some((wide, ascii))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_open_bracket_is_found() {
        for (content, found) in [
            ("a = [1, 2\n[[b]]\nc = 1\n", Some((4, '['))),
            ("a = [[1], [2]\n", Some((4, '['))),
            ("a = { b = [1, 2 }\n", Some((10, '['))),
            ("a = { b = 1\n", Some((4, '{'))),
            ("a = [1, # ]\n]\n[[b]]\nc = [{ d = 1 }]\n", None),
            ("a = \"[\"\nb = '['\nc = \"\"\"[\"\"\"\"\nd = '''[''\n'''\n", None),
            ("a = [\"\\\"]\", ']']\n", None),
            // The string is the mistake.
            ("a = [\"x]\nb = 1\n", None),
        ] {
            assert_eq!(unclosed(content), found, "{content}");
        }
    }

    #[test]
    fn headers_are_told_from_lists() {
        for (line, header) in [
            ("[run]", true),
            ("  [[stage]] # x", true),
            ("[stage.a]", true),
            ("[\"a\", 1],", false),
            ("[", false),
            ("[]", false),
            ("a = [1]", false),
        ] {
            assert_eq!(is_header(line), header, "{line}");
        }
    }
}
