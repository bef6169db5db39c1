//! Where a text is cut.

use std::ops::Range;

use tamis_text::chars::{is_blank, is_cjk, is_closing};
use tamis_text::lines::{fences, lines};
use tamis_text::sentences::{is_end, is_wide_end};

use super::length::Length;

/// A chunk: its bytes, without what it repeats of the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) range: Range<usize>,
    /// Where the repeated part begins.
    pub(super) from: usize,
    /// The headings above it.
    pub(super) heading: Vec<String>,
}

/// A heading of Markdown.
struct Heading {
    start: usize,
    level: usize,
    title: String,
}

/// How a text is cut.
#[derive(Debug)]
pub(super) struct Cutter {
    pub(super) length: Length,
    /// The most that a chunk has, with what it repeats.
    pub(super) max: usize,
    /// The most that a chunk repeats of the one before.
    pub(super) overlap: usize,
    pub(super) by_headings: bool,
}

impl Cutter {
    /// Cuts a text; the chunks together are the text. Fails where the tokenizer does.
    pub(super) fn cut(&self, text: &str) -> Result<Vec<Chunk>, String> {
        let headings = if self.by_headings { headings(text) } else { Vec::new() };
        let mut chunks = Vec::new();
        let mut path: Vec<(usize, String)> = Vec::new();
        let mut starts: Vec<usize> = headings.iter().map(|heading| heading.start).collect();
        starts.push(text.len());
        self.section(text, 0..starts[0], &path, &mut chunks)?;
        for (nth, heading) in headings.into_iter().enumerate() {
            path.retain(|(level, _)| *level < heading.level);
            path.push((heading.level, heading.title));
            self.section(text, heading.start..starts[nth + 1], &path, &mut chunks)?;
        }
        Ok(chunks)
    }

    /// Cuts what stands under one heading.
    fn section(
        &self,
        text: &str,
        range: Range<usize>,
        path: &[(usize, String)],
        chunks: &mut Vec<Chunk>,
    ) -> Result<(), String> {
        let heading: Vec<String> = path.iter().map(|(_, title)| title.clone()).collect();
        let (mut start, mut from) = (range.start, range.start);
        while start < range.end {
            let whole = text.get(from..range.end).unwrap_or_default();
            let Some(n_bytes) = self.fitting(whole, start - from)? else {
                // Behind what is repeated no character fits any more.
                from = start;
                continue;
            };
            let end = from + n_bytes;
            chunks.push(Chunk { range: start..end, from, heading: heading.clone() });
            from = self.overlapping(text, start..end)?;
            start = end;
        }
        Ok(())
    }

    /// How many bytes of `whole`, of which so many are repeated, make a chunk; `None` if nothing fits behind these.
    fn fitting(&self, whole: &str, repeated: usize) -> Result<Option<usize>, String> {
        let front = self.length.front(whole, self.max)?;
        if front.len() == whole.len() {
            return Ok(Some(whole.len()));
        }
        let rest = whole.get(repeated..).unwrap_or_default();
        // Not even one character: that is a chunk all the same.
        let least = if repeated == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { 0 };
        let mut window = front.get(repeated..).unwrap_or_default();
        while window.len() > least {
            let end = place(window, rest);
            // Where a token has been cut, what is left of it may be more than one.
            if self.length.of(whole.get(..repeated + end).unwrap_or_default())? <= self.max {
                return Ok(Some(repeated + end));
            }
            window = window.get(..window.floor_char_boundary(window.len() - 1)).unwrap_or_default();
        }
        Ok((least > 0).then_some(least))
    }

    /// Where what the next chunk repeats of this one begins: at most `overlap` before its end, at a sentence if one begins
    /// there, or at a word.
    fn overlapping(&self, text: &str, chunk: Range<usize>) -> Result<usize, String> {
        let whole = text.get(chunk.clone()).unwrap_or_default();
        if self.overlap == 0 || whole.is_empty() {
            return Ok(chunk.end);
        }
        let piece = self.length.back(whole, self.overlap)?;
        let tail = whole.len() - piece.len();
        // A sentence that ends in it, and is not all of it.
        let mut at = first_sentence_end(piece).filter(|at| *at < piece.len());
        if at.is_none() && tail > 0 {
            let breaks = piece.char_indices().find(|(_, c)| is_blank(*c) || *c == '\n' || is_cjk(*c));
            at = breaks.map(|(at, c)| if is_cjk(c) { at } else { at + c.len_utf8() });
        }
        let at = tail + at.unwrap_or(if tail == 0 { 0 } else { piece.len() });
        // What was cut from a token may be more of them.
        let is_short = self.length.of(whole.get(at..).unwrap_or_default())? <= self.overlap;
        Ok(if is_short { chunk.start + at } else { chunk.end })
    }
}

/// The best place for the end of a chunk in `window`, the beginning of `rest`.
fn place(window: &str, rest: &str) -> usize {
    let half = window.char_indices().nth(window.chars().count() / 2).map_or(0, |(at, _)| at);
    // From the best kind of place to the worst; of one kind the last that fits.
    let places = [paragraph_end, line_end, sentence_end, word_end];
    let found = places.into_iter().find_map(|place| place(window, rest).filter(|at| *at > half));
    // A word is cut only where the chunk is all one word.
    found.or_else(|| word_end(window, rest)).unwrap_or_else(|| whole_letter(rest, window.len()))
}

/// Behind the last empty line.
fn paragraph_end(window: &str, _: &str) -> Option<usize> {
    window.rfind("\n\n").map(|at| at + 2)
}

/// Behind the last line end.
fn line_end(window: &str, _: &str) -> Option<usize> {
    window.rfind('\n').map(|at| at + 1)
}

/// Behind the last sentence, with the quotation marks that close it and the blanks behind it.
fn sentence_end(window: &str, rest: &str) -> Option<usize> {
    let mut best = None;
    for (at, mark) in window.char_indices() {
        let is_wide = is_wide_end(mark) || mark == '；';
        if !is_wide && !is_end(mark) && mark != '…' {
            continue;
        }
        let behind = rest.get(at + mark.len_utf8()..).unwrap_or_default().trim_start_matches(is_closing);
        let blanks = behind.trim_start_matches(is_blank);
        let ends = is_wide || blanks.len() < behind.len() || behind.is_empty();
        let end = rest.len() - blanks.len();
        if ends && end <= window.len() {
            best = Some(end);
        }
    }
    best
}

/// Behind the last blank, or between the last two characters that are words by themselves.
fn word_end(window: &str, rest: &str) -> Option<usize> {
    let mut next = rest.get(window.len()..).and_then(|behind| behind.chars().next());
    for (at, c) in window.char_indices().rev() {
        let end = at + c.len_utf8();
        let opens = |c: char| !tamis_text::chars::is_wide_punctuation(c) && !is_closing(c);
        if is_blank(c) || (is_cjk(c) && next.is_none_or(|next| !is_blank(next) && opens(next))) {
            return Some(end);
        }
        next = Some(c);
    }
    None
}

/// The end of the last letter that fits with its marks; in the middle of the marks if there is none.
fn whole_letter(rest: &str, limit: usize) -> usize {
    let is_mark = |c: char| matches!(c, '\u{300}'..='\u{36F}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' | '\u{1F3FB}'..='\u{1F3FF}');
    let mut end = limit;
    while let Some(next) = rest.get(end..).and_then(|behind| behind.chars().next()).filter(|c| is_mark(*c)) {
        let _ = next;
        let Some(last) = rest.get(..end).and_then(|before| before.chars().next_back()) else { break };
        end -= last.len_utf8();
    }
    if end == 0 { limit } else { end }
}

fn first_sentence_end(piece: &str) -> Option<usize> {
    piece.char_indices().find_map(|(at, mark)| {
        let end = at + mark.len_utf8();
        let behind = piece.get(end..).unwrap_or_default().trim_start_matches(is_closing);
        let blanks = behind.trim_start_matches(|c| is_blank(c) || c == '\n');
        let is_wide = is_wide_end(mark) || mark == '\n';
        let ends = is_wide || ((is_end(mark) || mark == '…') && blanks.len() < behind.len());
        ends.then(|| piece.len() - blanks.len())
    })
}

/// The headings of a text in Markdown; what looks like one in a block of code is none.
fn headings(text: &str) -> Vec<Heading> {
    let code = fences(text);
    let mut headings: Vec<Heading> = Vec::new();
    let mut before: Option<(usize, &str)> = None;
    for line in lines(text) {
        let trimmed = line.text.trim_end();
        let is_code = code.iter().any(|block| block.contains(&line.start));
        let level = trimmed.bytes().take_while(|byte| *byte == b'#').count();
        let title = trimmed.get(level..).unwrap_or_default();
        if is_code {
            before = None;
        } else if (1..=6).contains(&level) && title.starts_with([' ', '\t']) {
            let title = title.trim().trim_end_matches('#').trim_end().to_owned();
            headings.push(Heading { start: line.start, level, title });
            before = None;
        } else if let (Some((start, title)), Some(level)) = (before, underline(trimmed)) {
            headings.push(Heading { start, level, title: title.trim().to_owned() });
            before = None;
        } else {
            before = (!trimmed.trim().is_empty()).then_some((line.start, line.text));
        }
    }
    headings
}

/// The level of a heading that a line of `=` or `-` stands under.
fn underline(line: &str) -> Option<usize> {
    let all = |sign: char| line.len() >= 3 && line.chars().all(|c| c == sign);
    if all('=') {
        Some(1)
    } else if all('-') {
        Some(2)
    } else {
        None
    }
}
