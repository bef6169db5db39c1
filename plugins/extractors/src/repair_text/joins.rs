//! Hard line ends inside a sentence.

use std::cell::OnceCell;
use std::ops::Range;

use tamis_text::chars::{count_visible, is_han, is_kana, is_latin, text_width};
use tamis_text::lines::{Line, fences};
use tamis_text::numbering::marker;
use tamis_text::scan::Scan;
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
/// second run change nothing. Two rounds are the rule, but where a page has a line for each piece of a paragraph there
/// are as many as pieces. So a round looks at pairs of lines that may be broken, which are few, and not at all lines.
pub(super) fn repair(scan: &Scan<'_>) -> Option<(String, u64)> {
    let text = scan.text();
    let pairs = scan.lines().zip(scan.lines().skip(1)).enumerate();
    let candidates: Vec<usize> = pairs
        .filter(|(_, (left, right))| may_be_broken(left.text, right.text).is_some())
        .map(|(at, _)| at)
        .collect();
    // What is asked of all lines is asked only once a line could be broken at all, and so are they gathered.
    if candidates.is_empty() {
        return None;
    }
    let mut page = Page::new(text, scan.lines().collect(), &candidates);
    let mut n_joined = 0;
    loop {
        let broken = page.broken();
        if broken.is_empty() {
            break;
        }
        n_joined += broken.len() as u64;
        page.join(&broken);
    }
    (n_joined > 0).then(|| (page.concatenated(text.len()), n_joined))
}

/// How a line would be joined to the next one, if by what both say it may be broken.
fn may_be_broken(left: &str, right: &str) -> Option<Joint> {
    let joint = joint(left, right)?;
    (joint == Joint::Cjk || (is_latin_prose(left) && begins_with_word(right))).then_some(joint)
}

/// The lines of a text, some of them joined to those before them.
struct Page<'a> {
    /// As they came.
    lines: Vec<Line<'a>>,
    /// What a line holds once others are joined to it.
    joined: Vec<Option<String>>,
    links: Vec<Link>,
    /// Blocks of code. Joining moves no fence: what begins with one is never joined to a line before it, and what
    /// closes one ends in no letter.
    code: Vec<Range<usize>>,
    /// Lines that may be broken, in order.
    candidates: Vec<Candidate>,
    /// Made when somebody first asks for the median.
    lengths: OnceCell<Lengths>,
}

/// The lines beside one that is left.
#[derive(Clone, Copy)]
struct Link {
    /// `None` for the first.
    before: Option<usize>,
    /// The number of lines for the last, and 0, which is behind no line, for one that was joined to another.
    next: usize,
}

/// A line that is broken if lines of its text look like that.
#[derive(Clone, Copy)]
struct Candidate {
    line: usize,
    joint: Joint,
    /// Whether a sentence breaks off in it by what both lines say.
    breaks_sentence: bool,
}

impl<'a> Page<'a> {
    fn new(text: &str, lines: Vec<Line<'a>>, candidates: &[usize]) -> Self {
        let link = |at: usize| Link { before: at.checked_sub(1), next: at + 1 };
        let mut page = Self {
            joined: vec![None; lines.len()],
            links: (0..lines.len()).map(link).collect(),
            code: fences(text),
            candidates: Vec::new(),
            lengths: OnceCell::new(),
            lines,
        };
        page.candidates = candidates.iter().filter_map(|at| page.candidate(*at)).collect();
        page
    }

    fn text(&self, line: usize) -> &str {
        self.joined[line].as_deref().unwrap_or(self.lines[line].text)
    }

    /// The lines that are left.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let next = |line: &usize| Some(self.links[*line].next).filter(|next| *next < self.lines.len());
        std::iter::successors(Some(0), next).map(|line| self.text(line))
    }

    /// A line that may be broken.
    fn candidate(&self, line: usize) -> Option<Candidate> {
        let next = self.links[line].next;
        if next >= self.lines.len() {
            return None;
        }
        let (left, right) = (self.text(line), self.text(next));
        let joint = may_be_broken(left, right).filter(|_| !self.ends_in_code(line))?;
        let breaks_sentence = joint == Joint::Cjk && breaks_sentence(left, right);
        Some(Candidate { line, joint, breaks_sentence })
    }

    /// Whether the end of a line, with those joined to it, lies within a block of code.
    fn ends_in_code(&self, line: usize) -> bool {
        let end = self.lines[self.links[line].next - 1].end();
        self.code.iter().any(|block| block.contains(&end))
    }

    /// The lines that are broken, as all lines are by now.
    fn broken(&self) -> Vec<Candidate> {
        let shape = Shape::of(self);
        self.candidates.iter().filter(|candidate| shape.is_broken(candidate)).copied().collect()
    }

    /// Joins each of these lines to the next.
    fn join(&mut self, broken: &[Candidate]) {
        let mut changed = Vec::new();
        let mut last: Option<(usize, usize)> = None;
        for Candidate { line, joint, .. } in broken {
            // Where the next line is broken as well, all of them become one.
            let first = last.filter(|(_, joined)| joined == line).map_or(*line, |(first, _)| first);
            let next = self.links[first].next;
            self.append(first, *joint, next);
            changed.extend(self.links[first].before.into_iter().chain([first]));
            last = Some((first, next));
        }
        changed.sort_unstable();
        changed.dedup();
        let stays =
            |line: usize, links: &[Link]| links[line].next > 0 && changed.binary_search(&line).is_err();
        self.candidates.retain(|candidate| stays(candidate.line, &self.links));
        // These end in something else now, or something else is behind them.
        let again = changed.iter().filter(|line| self.links[**line].next > 0);
        let again: Vec<Candidate> = again.filter_map(|line| self.candidate(*line)).collect();
        self.candidates.extend(again);
        self.candidates.sort_unstable_by_key(|candidate| candidate.line);
    }

    /// Puts the line behind a line into it.
    fn append(&mut self, line: usize, joint: Joint, next: usize) {
        let mut text = self.joined[line].take().unwrap_or_else(|| self.lines[line].text.to_owned());
        if joint == Joint::Latin {
            text.push(' ');
        }
        text.push_str(self.text(next));
        (self.joined[line], self.joined[next]) = (Some(text), None);
        let behind = std::mem::replace(&mut self.links[next].next, 0);
        self.links[line].next = behind;
        if let Some(link) = self.links.get_mut(behind) {
            link.before = Some(line);
        }
        if let Some(lengths) = self.lengths.get_mut() {
            lengths.join(line, next);
        }
    }

    fn lengths(&self) -> &Lengths {
        self.lengths.get_or_init(|| Lengths::of(self.lines.len(), |line| self.length(line)))
    }

    /// Characters of a line other than white space; none if it was joined to another.
    fn length(&self, line: usize) -> usize {
        if self.links[line].next == 0 { 0 } else { count_visible(self.text(line)) }
    }

    fn concatenated(&self, most: usize) -> String {
        let mut text = String::with_capacity(most);
        for (index, line) in self.texts().enumerate() {
            if index > 0 {
                text.push('\n');
            }
            text.push_str(line);
        }
        text
    }
}

/// How many characters lines have, white space not counted, and how many lines have so many.
struct Lengths {
    each: Vec<usize>,
    /// By length; those that are longer all in the last.
    n_lines: [usize; Self::MANY + 1],
}

impl Lengths {
    /// Characters of a line, of which the median line hardly ever has more.
    const MANY: usize = 256;

    fn of(n_lines: usize, length: impl Fn(usize) -> usize) -> Self {
        let mut lengths = Self { each: (0..n_lines).map(length).collect(), n_lines: [0; Self::MANY + 1] };
        for length in &lengths.each {
            lengths.n_lines[(*length).min(Self::MANY)] += 1;
        }
        lengths
    }

    /// Joins a line to another: what is put between them is no character or white space.
    fn join(&mut self, line: usize, next: usize) {
        let of_next = std::mem::take(&mut self.each[next]);
        let of_line = self.each[line];
        self.each[line] += of_next;
        for gone in [of_line, of_next] {
            self.n_lines[gone.min(Self::MANY)] -= 1;
        }
        for come in [of_line + of_next, 0] {
            self.n_lines[come.min(Self::MANY)] += 1;
        }
    }

    /// That of the median line of those that have any.
    fn median(&self) -> usize {
        let middle = self.n_lines[1..].iter().sum::<usize>() / 2;
        let mut n_shorter = 0;
        for length in 1..Self::MANY {
            n_shorter += self.n_lines[length];
            if n_shorter > middle {
                return length;
            }
        }
        let mut lengths: Vec<usize> = self.each.iter().copied().filter(|length| *length > 0).collect();
        if lengths.is_empty() { 0 } else { *lengths.select_nth_unstable(middle).1 }
    }
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
    page: &'a Page<'a>,
    /// Characters of the median line, white space not counted.
    median_chars: OnceCell<usize>,
    /// Whether lines of running text end as sentences do, nearly always.
    finished: OnceCell<bool>,
    /// The columns at which the text was wrapped, if it was.
    wrap_width: OnceCell<Option<usize>>,
}

impl<'a> Shape<'a> {
    fn of(page: &'a Page<'a>) -> Self {
        Self { page, median_chars: OnceCell::new(), finished: OnceCell::new(), wrap_width: OnceCell::new() }
    }

    fn median_chars(&self) -> usize {
        *self.median_chars.get_or_init(|| self.page.lengths().median())
    }

    fn is_finished(&self) -> bool {
        *self.finished.get_or_init(|| {
            let running = self.page.texts().filter(|line| line.contains(is_full_stop));
            let count = |(n, finished), line: &str| (n + 1, finished + usize::from(ends_sentence(line)));
            let (n_running, n_finished) = running.fold((0, 0), count);
            n_finished * MIN_FINISHED.1 >= n_running * MIN_FINISHED.0
        })
    }

    fn is_broken(&self, candidate: &Candidate) -> bool {
        match candidate.joint {
            Joint::Cjk => {
                self.is_wrapped(self.page.text(candidate.line))
                    || (candidate.breaks_sentence && self.is_finished())
            }
            Joint::Latin => self.is_long(candidate.line),
        }
    }

    fn is_wrapped(&self, line: &str) -> bool {
        let wrap_width = *self.wrap_width.get_or_init(|| {
            let lines: Vec<&str> = self.page.texts().collect();
            wrap_width(&lines)
        });
        let is_heading = || marker(line).is_some() && !line.contains(['，', ',', '。']);
        wrap_width.is_some_and(|width| text_width(line).abs_diff(width) <= WRAP_TOLERANCE) && !is_heading()
    }

    /// Whether a line is not much shorter than the median line.
    fn is_long(&self, line: usize) -> bool {
        5 * self.page.lengths().each[line] >= 3 * self.median_chars()
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
fn wrap_width(lines: &[&str]) -> Option<usize> {
    let texts = || lines.iter().copied();
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, with all of the text read anew in each round.
    fn read_anew(text: &str) -> (String, u64) {
        let lines = Scan::of(text).lines().collect::<Vec<_>>();
        let all: Vec<usize> = (0..lines.len()).collect();
        let mut page = Page::new(text, lines, &all);
        let broken = page.broken();
        if broken.is_empty() {
            return (text.to_owned(), 0);
        }
        page.join(&broken);
        let (joined, n) = read_anew(&page.concatenated(text.len()));
        (joined, n + broken.len() as u64)
    }

    proptest! {
        #[test]
        fn what_is_joined_does_not_depend_on_what_was_found_before(
            pieces in proptest::collection::vec(prop_oneof![
                Just("The mill on the old canal was sold in spring, and nobody there"),
                Just("had expected that it would come so soon and at such a price"),
                Just("so the ferry went on as before, every morning and every night"),
                Just("- a list"), Just("It left."), Just("and then"), Just(""), Just("```"), Just("  x = {1}"),
                Just("老渡口昨天重新开放。第一班渡船载着二十多位乘客离开码头，岸上的人敲锣打"),
                Just("鼓，孩子们跑着追了很远。船上的人挥手，一直到看不见为止，谁也没有说话，只"),
                Just("有风。"), Just("（一）渡口"),
            ], 0..24),
        ) {
            let text = pieces.join("\n");
            let expected = read_anew(&text);
            let joined = repair(&Scan::of(&text)).unwrap_or((text, 0));
            prop_assert_eq!(joined, expected);
        }
    }
}
