//! Hard line ends inside a sentence.

use std::cell::OnceCell;

use tamis_text::chars::{count_visible, is_han, is_kana, is_latin, text_width};
use tamis_text::lines::{collect_lines, fences};
use tamis_text::numbering::marker;
use tamis_text::sentences::{continues_after_sentence, ends_sentence, is_full_stop};

/// Share of the lines of running text that end as sentences do, from which on one that does not is broken
/// rather than written so. Chats and many blogs leave the last full stop of a paragraph out.
const MIN_FINISHED: (usize, usize) = (4, 5);

/// Fewest characters of the unfinished sentence at the end of a line.
const MIN_TAIL_CHARS: usize = 12;

/// Widths, in columns, that text is wrapped at: narrower is verse, wider are paragraphs.
const WRAP_WIDTHS: std::ops::RangeInclusive<usize> = 30..=160;

/// Columns by which wrapped lines differ: punctuation that must not begin a line, half-width figures.
const WRAP_TOLERANCE: usize = 4;

/// Fewest lines that show that a text is wrapped.
const MIN_WRAPPED_LINES: usize = 5;

/// Fewest characters of a broken line of Latin text, blanks not counted.
const MIN_LATIN_CHARS: usize = 32;

/// Fewest blanks in it.
const MIN_LATIN_BLANKS: usize = 5;

/// The text with broken lines joined and the number of joints, or `None`.
///
/// Joining changes the measures of a text, so it is repeated until nothing is left to join; that makes a
/// second run change nothing. Two rounds are the rule, and each takes lines away.
pub(super) fn repair(text: &str) -> Option<(String, u64)> {
    let (mut text, mut n_joined) = join(text)?;
    while let Some((joined, n)) = join(&text) {
        text = joined;
        n_joined += n;
    }
    Some((text, n_joined))
}

fn join(text: &str) -> Option<(String, u64)> {
    let lines = collect_lines(text, |line| line.text);
    // What is asked of all lines is asked only once a line could be broken at all.
    if !lines.windows(2).any(|pair| matches!(pair, [left, right] if joint(left, right).is_some())) {
        return None;
    }
    let shape = Shape::of(&lines);
    let mut joined = String::with_capacity(text.len());
    let mut n_joined = 0;
    let code = fences(text);
    let mut code = code.iter().peekable();
    let mut end = 0;
    for (index, line) in lines.iter().enumerate() {
        joined.push_str(line);
        let Some(next) = lines.get(index + 1) else { break };
        end += line.len();
        while code.next_if(|block| block.end <= end).is_some() {}
        let is_code = code.peek().is_some_and(|block| block.contains(&end));
        end += 1;
        match joint(line, next).filter(|joint| !is_code && shape.is_broken(*joint, line, next)) {
            Some(Joint::Cjk) => n_joined += 1,
            Some(Joint::Latin) => {
                joined.push(' ');
                n_joined += 1;
            }
            None => joined.push('\n'),
        }
    }
    (n_joined > 0).then_some((joined, n_joined))
}

/// How two lines would be joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// Directly.
    Cjk,
    /// With a blank.
    Latin,
}

/// Whether the characters at both sides of a line end allow that a sentence runs across it.
fn joint(left: &str, right: &str) -> Option<Joint> {
    let (last, first) = (left.chars().next_back()?, right.chars().next()?);
    let joint = match (last, first) {
        // Korean is left out: whether a blank belongs at a line end cannot be told.
        _ if is_unspaced(first) && (is_unspaced(last) || matches!(last, '，' | ',' | '、')) => Joint::Cjk,
        _ if is_latin(first) && first.is_lowercase() && (last == ',' || is_latin(last)) => Joint::Latin,
        _ => return None,
    };
    (marker(right).is_none()).then_some(joint)
}

fn is_unspaced(c: char) -> bool {
    is_han(c) || is_kana(c)
}

/// What the lines of a text look like as a whole; each answer is worked out when it is first asked for, because most
/// joints are ruled out by the two lines alone.
struct Shape<'a> {
    lines: &'a [&'a str],
    /// Characters of the median line, white space not counted.
    median_chars: OnceCell<usize>,
    /// Whether lines of running text end as sentences do, nearly always.
    finished: OnceCell<bool>,
    /// The columns at which the text was wrapped, if it was.
    wrap_width: OnceCell<Option<usize>>,
}

impl<'a> Shape<'a> {
    fn of(lines: &'a [&'a str]) -> Self {
        Self { lines, median_chars: OnceCell::new(), finished: OnceCell::new(), wrap_width: OnceCell::new() }
    }

    fn median_chars(&self) -> usize {
        *self.median_chars.get_or_init(|| {
            let mut n_chars: Vec<usize> =
                self.lines.iter().map(|line| count_visible(line)).filter(|n| *n > 0).collect();
            n_chars.sort_unstable();
            n_chars.get(n_chars.len() / 2).copied().unwrap_or(0)
        })
    }

    fn is_finished(&self) -> bool {
        *self.finished.get_or_init(|| {
            let running = self.lines.iter().filter(|line| line.contains(is_full_stop));
            let count = |(n, finished), line: &&str| (n + 1, finished + usize::from(ends_sentence(line)));
            let (n_running, n_finished) = running.fold((0, 0), count);
            n_finished * MIN_FINISHED.1 >= n_running * MIN_FINISHED.0
        })
    }

    fn is_broken(&self, joint: Joint, left: &str, right: &str) -> bool {
        match joint {
            Joint::Cjk => self.is_wrapped(left) || (breaks_sentence(left, right) && self.is_finished()),
            Joint::Latin => is_latin_prose(left) && begins_with_word(right) && self.is_long(left),
        }
    }

    fn is_wrapped(&self, line: &str) -> bool {
        let wrap_width = *self.wrap_width.get_or_init(|| wrap_width(self.lines));
        let is_heading = || marker(line).is_some() && !line.contains(['，', ',', '。']);
        wrap_width.is_some_and(|width| text_width(line).abs_diff(width) <= WRAP_TOLERANCE) && !is_heading()
    }

    /// Whether a line is not much shorter than the median line.
    fn is_long(&self, line: &str) -> bool {
        5 * count_visible(line) >= 3 * self.median_chars()
    }
}

/// Whether `left` is running text that stops within a sentence of several clauses, and `right` has the end
/// of a sentence.
///
/// A 。 inside `left` shows that it is running text: headings and signatures have none, and headlines that
/// consist of two sentences part them with ！ or a blank.
fn breaks_sentence(left: &str, right: &str) -> bool {
    left.rsplit_once('。').is_some_and(|(_, tail)| {
        tail.contains(['，', ',', '、'])
            && !tail.contains(['：', ':', '！', '？', '!', '?'])
            && tail.chars().count() >= MIN_TAIL_CHARS
    }) && right.contains(is_full_stop)
}

/// Whether a line is a piece of prose in Latin letters: words and little else.
fn is_latin_prose(line: &str) -> bool {
    let (mut n_letters, mut n_chars) = (0, 0);
    for c in line.chars().filter(|c| *c != ' ') {
        n_chars += 1;
        n_letters += usize::from(is_latin(c));
    }
    n_chars >= MIN_LATIN_CHARS
        && 10 * n_letters >= 9 * n_chars
        && line.matches(' ').count() >= MIN_LATIN_BLANKS
        && !line.contains(CODE)
}

/// Whether the first word of a line is one: `storyId:'1',` and `get_text()` are pieces of programs.
fn begins_with_word(line: &str) -> bool {
    let first = line.split(' ').next().unwrap_or_default();
    let word = first.trim_end_matches(|c: char| !c.is_alphanumeric());
    word.chars().all(|c| is_latin(c) || matches!(c, '-' | '’' | '\'')) && !first.contains([':', '('])
}

/// What stands in programs and hardly in prose.
const CODE: [char; 8] = ['{', '}', ';', '=', '<', '>', '_', '|'];

/// The columns at which `lines` were wrapped: most lines stop within sentences and are equally wide, and
/// sentences end within lines.
fn wrap_width(lines: &[&str]) -> Option<usize> {
    let unfinished: Vec<&&str> =
        lines.iter().filter(|line| !line.is_empty() && !ends_sentence(line)).collect();
    // One line in five is enough, so no more are looked for.
    let n_enough = lines.len().div_ceil(5);
    let has_sentences =
        || lines.iter().filter(|line| continues_after_sentence(line)).take(n_enough).count() == n_enough;
    // Lists of headlines are equally wide, too, but hold no sentences.
    if unfinished.len() < MIN_WRAPPED_LINES || 2 * unfinished.len() < lines.len() || !has_sentences() {
        return None;
    }
    let mut widths: Vec<usize> = unfinished.iter().map(|line| text_width(line)).collect();
    widths.sort_unstable();
    let width = *widths.get(widths.len() * 3 / 4)?;
    let n_full = widths.iter().filter(|other| other.abs_diff(width) <= WRAP_TOLERANCE).count();
    (WRAP_WIDTHS.contains(&width) && 5 * n_full >= 3 * widths.len()).then_some(width)
}
