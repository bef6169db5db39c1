//! A page while rules remove parts of it.

use std::borrow::Cow;
use std::ops::Range;

use regex::{Captures, Regex};

use super::compile::{Cut, Drop, DropLines, Field, FieldSource, Head, LineMatcher, Site, Tail, Window};

/// A page, line by line, with what has been captured from it.
pub(super) struct Page<'a> {
    lines: Vec<Line<'a>>,
    /// Captured fields, in the order of their capture; the first capture of a name counts.
    pub(super) fields: Vec<(String, String)>,
    /// Ids of the rules that removed something; one in a row.
    pub(super) hits: Vec<&'a str>,
    pub(super) lines_dropped: u64,
    pub(super) parts_cut: u64,
}

struct Line<'a> {
    text: Cow<'a, str>,
    removed: bool,
}

/// What of a line goes.
enum Part {
    Whole,
    /// A byte range of the line without the white space around it.
    Bytes(Range<usize>),
}

impl Line<'_> {
    fn trimmed(&self) -> &str {
        self.text.trim()
    }
}

impl<'a> Page<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let lines = text.split('\n').map(|text| Line { text: Cow::Borrowed(text), removed: false }).collect();
        Self { lines, fields: Vec::new(), hits: Vec::new(), lines_dropped: 0, parts_cut: 0 }
    }

    /// Applies the rules of a site, in the order that the page of the stage promises.
    pub(super) fn apply(&mut self, site: &'a Site) {
        for field in &site.fields {
            self.capture_field(field);
        }
        let mut start = 0;
        for head in &site.heads {
            start = self.cut_head(head, start);
        }
        self.cut_tail(&site.tails);
        for rule in &site.drops {
            self.drop_lines(rule);
        }
        for rule in &site.cuts {
            self.cut_parts(rule);
        }
    }

    /// The value of a captured field.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// What is left, without the blank lines around it.
    pub(super) fn text(&self) -> String {
        let kept: Vec<&str> =
            self.lines.iter().filter(|line| !line.removed).map(|line| &*line.text).collect();
        let is_text = |line: &&str| !line.trim().is_empty();
        let start = kept.iter().position(is_text).unwrap_or(kept.len());
        let end = kept.iter().rposition(is_text).map_or(start, |last| last + 1);
        kept.get(start..end).unwrap_or_default().join("\n")
    }

    /// The one place where anything is removed: a line or a part of it, by the rule `id`.
    fn remove(&mut self, index: usize, part: Part, id: &'a str) {
        let line = &mut self.lines[index];
        match part {
            Part::Whole => {
                line.removed = true;
                self.lines_dropped += u64::from(!line.trimmed().is_empty());
            }
            Part::Bytes(range) => {
                let text = line.text.to_mut();
                let indent = text.len() - text.trim_start().len();
                text.replace_range(indent + range.start..indent + range.end, "");
                text.truncate(text.trim_end().len());
                self.parts_cut += 1;
            }
        }
        if self.hits.last() != Some(&id) {
            self.hits.push(id);
        }
    }

    /// Indices of the lines that are left and not blank.
    fn visible(&self) -> Vec<usize> {
        let is_visible = |line: &Line<'_>| !line.removed && !line.trimmed().is_empty();
        (0..self.lines.len()).filter(|&index| is_visible(&self.lines[index])).collect()
    }

    fn trimmed(&self, index: usize) -> &str {
        self.lines[index].trimmed()
    }

    /// The byte range of the match, if the line at `rank` and the line after it match.
    fn matches(&self, matcher: &LineMatcher, visible: &[usize], rank: usize) -> Option<Range<usize>> {
        let found = matcher.line.find(self.trimmed(visible[rank]))?.range();
        self.next_matches(matcher.next.as_ref(), visible, rank).then_some(found)
    }

    fn next_matches(&self, next: Option<&Regex>, visible: &[usize], rank: usize) -> bool {
        next.is_none_or(|next| visible.get(rank + 1).is_some_and(|&index| next.is_match(self.trimmed(index))))
    }

    /// Sets a field that has not been captured yet; every run of white space in it becomes one blank.
    fn set_field(&mut self, name: &str, value: &str) {
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        if !value.is_empty() && self.field(name).is_none() {
            self.fields.push((name.to_owned(), value));
        }
    }

    /// Sets `field` to the group `value` of the match in a line, or to the whole line.
    fn capture(&mut self, field: Option<&str>, regex: &Regex, index: usize) {
        let Some(field) = field else { return };
        if let Some(value) = value_in(regex, self.trimmed(index)).map(str::to_owned) {
            self.set_field(field, &value);
        }
    }

    /// Sets the field of a cut to the group `value`, or to what is cut.
    fn capture_cut(&mut self, rule: &Cut, index: usize) {
        let Some(field) = &rule.field else { return };
        let Some(captures) = rule.text.captures(self.trimmed(index)) else { return };
        let value =
            ["value", "cut"].iter().find_map(|group| captures.name(group)).or_else(|| captures.get(0));
        let value = value.map_or_else(String::new, |value| value.as_str().to_owned());
        self.set_field(field, &value);
    }

    fn capture_field(&mut self, field: &Field) {
        match &field.from {
            FieldSource::Constant(value) => self.set_field(&field.name, value),
            // A copy waits until everything else has been captured.
            FieldSource::Copy(_) => {}
            FieldSource::Line { line, offset, value, unless, window } => {
                let visible = self.visible();
                let Some(rank) = self.find(line, *window, &visible) else { return };
                let Some(&index) = rank.checked_add_signed(*offset).and_then(|rank| visible.get(rank)) else {
                    return;
                };
                if unless.as_ref().is_some_and(|unless| unless.is_match(self.trimmed(index))) {
                    return;
                }
                match (offset, value) {
                    (0, _) => self.capture(Some(&field.name), line, index),
                    (_, Some(value)) => self.capture(Some(&field.name), value, index),
                    (_, None) => {
                        let value = self.trimmed(index).to_owned();
                        self.set_field(&field.name, &value);
                    }
                }
            }
        }
    }

    fn find(&self, line: &Regex, window: Window, visible: &[usize]) -> Option<usize> {
        let in_window = |rank: &usize| window.holds(*rank, visible.len());
        (0..visible.len()).filter(in_window).find(|&rank| line.is_match(self.trimmed(visible[rank])))
    }

    /// Cuts a head that begins at line `start` and returns where the text begins now.
    fn cut_head(&mut self, rule: &'a Head, start: usize) -> usize {
        let visible: Vec<usize> = self.visible().into_iter().filter(|&index| index >= start).collect();
        let end = rule.first.map_or(visible.len(), |first| first.min(visible.len()));
        let found = (0..end).find_map(|rank| Some((rank, self.matches(&rule.matcher, &visible, rank)?)));
        let Some((rank, range)) = found else { return start };
        let index = visible[rank];
        self.capture(rule.field.as_deref(), &rule.matcher.line, index);
        if rule.inside {
            self.remove(index, Part::Bytes(0..range.end), &rule.id);
            visible[..rank].iter().for_each(|&before| self.remove(before, Part::Whole, &rule.id));
            return index;
        }
        let end = (rank + rule.skip + 1).min(visible.len());
        visible[..end].iter().for_each(|&index| self.remove(index, Part::Whole, &rule.id));
        visible[end - 1] + 1
    }

    /// Cuts at the earliest line that any of the rules finds.
    fn cut_tail(&mut self, rules: &'a [Tail]) {
        let visible = self.visible();
        let find = |rule: &'a Tail| {
            let in_window = |rank: &usize| rule.window.holds(*rank, visible.len());
            let mut ranks = (0..visible.len()).filter(in_window);
            ranks.find_map(|rank| Some((rank, self.matches(&rule.matcher, &visible, rank)?.start, rule)))
        };
        let Some((rank, start, rule)) =
            rules.iter().filter_map(find).min_by_key(|(rank, start, _)| (*rank, *start))
        else {
            return;
        };
        let index = visible[rank];
        self.capture(rule.field.as_deref(), &rule.matcher.line, index);
        if rule.inside {
            let end = self.trimmed(index).len();
            self.remove(index, Part::Bytes(start..end), &rule.id);
        } else {
            self.remove(index, Part::Whole, &rule.id);
        }
        (index + 1..self.lines.len()).for_each(|index| self.remove(index, Part::Whole, &rule.id));
    }

    fn drop_lines(&mut self, rule: &'a Drop) {
        let visible = self.visible();
        let same_as = match &rule.lines {
            DropLines::SameAs(field) => match self.field(field) {
                Some(value) => value.to_owned(),
                None => return,
            },
            DropLines::Matching(_) => String::new(),
        };
        let mut rank = 0;
        while rank < visible.len() {
            let line = self.trimmed(visible[rank]);
            let hit = rule.window.holds(rank, visible.len())
                && match &rule.lines {
                    DropLines::Matching(regex) => regex.is_match(line),
                    DropLines::SameAs(_) => same_words(line, &same_as),
                }
                && self.next_matches(rule.next.as_ref(), &visible, rank);
            let last = match &rule.until {
                _ if !hit => None,
                None => Some(rank),
                Some(until) => {
                    (rank + 1..visible.len()).find(|&later| until.is_match(self.trimmed(visible[later])))
                }
            };
            let Some(last) = last else {
                rank += 1;
                continue;
            };
            if let DropLines::Matching(regex) = &rule.lines {
                self.capture(rule.field.as_deref(), regex, visible[rank]);
            }
            visible[rank..=last].iter().for_each(|&index| self.remove(index, Part::Whole, &rule.id));
            rank = last + 1;
        }
    }

    fn cut_parts(&mut self, rule: &'a Cut) {
        let visible = self.visible();
        for (rank, &index) in visible.iter().enumerate() {
            if !rule.window.holds(rank, visible.len()) {
                continue;
            }
            let line = self.trimmed(index);
            let ranges: Vec<_> =
                rule.text.captures_iter(line).filter_map(|found| part_to_cut(&found)).collect();
            if ranges.is_empty() {
                continue;
            }
            self.capture_cut(rule, index);
            // From the end, so that the ranges before stay where they are.
            for range in ranges.into_iter().rev() {
                self.remove(index, Part::Bytes(range), &rule.id);
            }
            if self.trimmed(index).is_empty() {
                self.lines[index].removed = true;
            }
        }
    }
}

/// The byte range of the group `cut`, or of all that matched, unless it is empty.
fn part_to_cut(found: &Captures<'_>) -> Option<Range<usize>> {
    let part = found.name("cut").or_else(|| found.get(0))?;
    (!part.is_empty()).then(|| part.range())
}

/// The group `value` of the first match in `line`, or all of the line; none if nothing matches.
fn value_in<'t>(regex: &Regex, line: &'t str) -> Option<&'t str> {
    let captures = regex.captures(line)?;
    Some(captures.name("value").map_or(line, |found| found.as_str()))
}

/// Whether two lines are the same but for white space; U+00A0 and U+3000 are white space too.
fn same_words(a: &str, b: &str) -> bool {
    let words = |text: &'_ str| -> String { text.chars().filter(|c| !c.is_whitespace()).collect() };
    words(a) == words(b)
}
