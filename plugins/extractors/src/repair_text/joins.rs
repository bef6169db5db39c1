//! Hard line ends inside a sentence.

use std::borrow::Cow;
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
/// second run change nothing. Two rounds are the rule, and each takes lines away; where a page has a line for each
/// piece of a paragraph, there are as many rounds as pieces, so lines keep what was found of them.
pub(super) fn repair(text: &str) -> Option<(String, u64)> {
    let lines = collect_lines(text, |line| line.text);
    // What is asked of all lines is asked only once a line could be broken at all.
    if !lines.windows(2).any(|pair| matches!(pair, [left, right] if joint(left, right).is_some())) {
        return None;
    }
    let mut lines = read(text, &lines);
    let mut n_joined = 0;
    loop {
        match join(&mut lines) {
            0 => break,
            n => n_joined += n,
        }
    }
    (n_joined > 0).then(|| (concatenated(&lines, text.len()), n_joined))
}

/// A line, and what was found of it so far: a line that is not joined is asked once, in however many rounds.
struct Line<'a> {
    text: Cow<'a, str>,
    /// Whether its end lies within a block of code.
    is_code: bool,
    /// How it would be joined to the next.
    joint: OnceCell<Option<Joint>>,
    n_visible: OnceCell<usize>,
    is_latin_prose: OnceCell<bool>,
    begins_with_word: OnceCell<bool>,
}

impl<'a> Line<'a> {
    fn new(text: Cow<'a, str>, is_code: bool) -> Self {
        Self {
            text,
            is_code,
            joint: OnceCell::new(),
            n_visible: OnceCell::new(),
            is_latin_prose: OnceCell::new(),
            begins_with_word: OnceCell::new(),
        }
    }

    fn joint_to(&self, next: &Self) -> Option<Joint> {
        let joint = || if self.is_code { None } else { joint(&self.text, &next.text) };
        *self.joint.get_or_init(joint)
    }

    fn n_visible(&self) -> usize {
        *self.n_visible.get_or_init(|| count_visible(&self.text))
    }

    fn is_latin_prose(&self) -> bool {
        *self.is_latin_prose.get_or_init(|| is_latin_prose(&self.text))
    }

    fn begins_with_word(&self) -> bool {
        *self.begins_with_word.get_or_init(|| begins_with_word(&self.text))
    }

    /// The line with the next behind it.
    fn joined(self, joint: Joint, next: &Self) -> Self {
        let mut text = self.text.into_owned();
        if joint == Joint::Latin {
            text.push(' ');
        }
        text.push_str(&next.text);
        Self::new(Cow::Owned(text), next.is_code)
    }
}

/// The lines of a text, with the blocks of code that they are in. Joining moves no fence: what begins with one is never
/// joined to a line before it, and what closes one ends in no letter.
fn read<'a>(text: &str, lines: &[&'a str]) -> Vec<Line<'a>> {
    let code = fences(text);
    let mut code = code.iter().peekable();
    let mut end = 0;
    let line = |line: &&'a str| {
        end += line.len();
        while code.next_if(|block| block.end <= end).is_some() {}
        let is_code = code.peek().is_some_and(|block| block.contains(&end));
        end += 1;
        Line::new(Cow::Borrowed(*line), is_code)
    };
    lines.iter().map(line).collect()
}

/// Joins each line that is broken, as all lines are before, to the next; the number of joints.
fn join(lines: &mut Vec<Line<'_>>) -> u64 {
    let shape = Shape::of(lines);
    let joint = |pair: &[Line<'_>]| match pair {
        [line, next] => line.joint_to(next).filter(|joint| shape.is_broken(*joint, line, next)),
        _ => None,
    };
    let joints: Vec<Option<Joint>> = lines.windows(2).map(joint).collect();
    let n_joined = joints.iter().flatten().count();
    if n_joined == 0 {
        return 0;
    }
    let n_left = lines.len() - n_joined;
    let mut before = None;
    for (line, joint) in
        std::mem::replace(lines, Vec::with_capacity(n_left)).into_iter().zip(joints.into_iter().chain([None]))
    {
        match before.and_then(|joint| Some((joint, lines.pop()?))) {
            Some((joint, begun)) => {
                if let Some(other) = lines.last_mut() {
                    // It would be joined to something else now.
                    other.joint = OnceCell::new();
                }
                lines.push(begun.joined(joint, &line));
            }
            None => lines.push(line),
        }
        before = joint;
    }
    n_joined as u64
}

fn concatenated(lines: &[Line<'_>], most: usize) -> String {
    let mut text = String::with_capacity(most);
    for (index, line) in lines.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        text.push_str(&line.text);
    }
    text
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
    lines: &'a [Line<'a>],
    /// Characters of the median line, white space not counted.
    median_chars: OnceCell<usize>,
    /// Whether lines of running text end as sentences do, nearly always.
    finished: OnceCell<bool>,
    /// The columns at which the text was wrapped, if it was.
    wrap_width: OnceCell<Option<usize>>,
}

impl<'a> Shape<'a> {
    fn of(lines: &'a [Line<'a>]) -> Self {
        Self { lines, median_chars: OnceCell::new(), finished: OnceCell::new(), wrap_width: OnceCell::new() }
    }

    fn median_chars(&self) -> usize {
        *self.median_chars.get_or_init(|| {
            let mut n_chars: Vec<usize> = self.lines.iter().map(Line::n_visible).filter(|n| *n > 0).collect();
            let middle = n_chars.len() / 2;
            if n_chars.is_empty() { 0 } else { *n_chars.select_nth_unstable(middle).1 }
        })
    }

    fn is_finished(&self) -> bool {
        *self.finished.get_or_init(|| {
            let running =
                self.lines.iter().map(|line| &*line.text).filter(|line| line.contains(is_full_stop));
            let count = |(n, finished), line: &str| (n + 1, finished + usize::from(ends_sentence(line)));
            let (n_running, n_finished) = running.fold((0, 0), count);
            n_finished * MIN_FINISHED.1 >= n_running * MIN_FINISHED.0
        })
    }

    fn is_broken(&self, joint: Joint, left: &Line<'_>, right: &Line<'_>) -> bool {
        match joint {
            Joint::Cjk => {
                self.is_wrapped(&left.text)
                    || (breaks_sentence(&left.text, &right.text) && self.is_finished())
            }
            Joint::Latin => left.is_latin_prose() && right.begins_with_word() && self.is_long(left),
        }
    }

    fn is_wrapped(&self, line: &str) -> bool {
        let wrap_width = *self.wrap_width.get_or_init(|| wrap_width(self.lines));
        let is_heading = || marker(line).is_some() && !line.contains(['，', ',', '。']);
        wrap_width.is_some_and(|width| text_width(line).abs_diff(width) <= WRAP_TOLERANCE) && !is_heading()
    }

    /// Whether a line is not much shorter than the median line.
    fn is_long(&self, line: &Line<'_>) -> bool {
        5 * line.n_visible() >= 3 * self.median_chars()
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
    // Most lines of menus and listings are shorter, and each character would have to be looked at otherwise.
    if line.len() < MIN_LATIN_CHARS + MIN_LATIN_BLANKS {
        return false;
    }
    let (mut n_letters, mut n_chars, mut n_blanks) = (0, 0, 0);
    for c in line.chars() {
        match c {
            ' ' => n_blanks += 1,
            _ if CODE.contains(&c) => return false,
            _ => {
                n_chars += 1;
                n_letters += usize::from(is_latin(c));
            }
        }
    }
    n_chars >= MIN_LATIN_CHARS && 10 * n_letters >= 9 * n_chars && n_blanks >= MIN_LATIN_BLANKS
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
fn wrap_width(lines: &[Line<'_>]) -> Option<usize> {
    let texts = || lines.iter().map(|line| &*line.text);
    let unfinished: Vec<&str> = texts().filter(|line| !line.is_empty() && !ends_sentence(line)).collect();
    // One line in five is enough, so no more are looked for.
    let n_enough = lines.len().div_ceil(5);
    let has_sentences =
        || texts().filter(|line| continues_after_sentence(line)).take(n_enough).count() == n_enough;
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
