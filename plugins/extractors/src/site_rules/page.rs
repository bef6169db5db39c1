//! A page while rules remove parts of it.

use std::borrow::Cow;
use std::ops::Range;

use regex::{Captures, Regex};
use tamis_text::likeness::look_alike;
use tamis_text::lines::{indent, squeeze, trim};
use tamis_text::scan::Scan;

use super::lazy::LazyRegex;
use super::literals::Literals;
use super::site::{
    Cut, Drop, DropLines, Field, FieldSource, Head, LineMatcher, Probe, Reject, Site, Tail, Window,
};

/// A page, line by line, with what has been captured from it.
pub(super) struct Page<'a> {
    lines: Vec<Line<'a>>,
    /// Indices of the lines that are left and not blank.
    visible: Vec<usize>,
    /// For each probe of the site, the lines that hold one of its literals.
    likely: Vec<Vec<usize>>,
    literals: &'a Literals,
    /// Captured fields, in the order of their capture; the first capture of a name counts.
    pub(super) fields: Vec<(String, String)>,
    /// What was removed, in the order of the rules.
    pub(super) removals: Vec<Removal<'a>>,
    pub(super) lines_dropped: u64,
    pub(super) parts_cut: u64,
    /// Whether the text begins right behind what the last head cut, and ends right before the tail.
    begins: bool,
    ends: bool,
}

/// What one rule has removed.
pub(super) struct Removal<'a> {
    pub(super) id: &'a str,
    /// Where the first of it began in the page, in bytes.
    pub(super) at: usize,
    /// All of it, in bytes, line ends included.
    pub(super) bytes: usize,
}

struct Line<'a> {
    /// Where the line begins in the page, in bytes.
    start: usize,
    /// The line, with the white space around it.
    text: Cow<'a, str>,
    /// The white space before the text, in bytes.
    indent: usize,
    /// What was cut from it: places in the line as it came, in order.
    cuts: Vec<Range<usize>>,
    removed: bool,
}

/// What of a line goes.
enum Part {
    Whole,
    /// A byte range of the line without the white space around it.
    Bytes(Range<usize>),
}

impl<'a> Line<'a> {
    fn new(start: usize, text: &'a str) -> Self {
        let indent = indent(text);
        Self { start, text: Cow::Borrowed(text), indent, cuts: Vec::new(), removed: false }
    }

    fn trimmed(&self) -> &str {
        trim(self.text.get(self.indent..).unwrap_or_default())
    }

    /// Cuts a range of the text out and returns where it began in the page.
    fn cut(&mut self, range: Range<usize>) -> usize {
        let (start, length) = (self.indent + range.start, range.len());
        let text = self.text.to_mut();
        text.replace_range(start..start + length, "");
        text.truncate(text.trim_end().len());
        self.indent = text.len() - text.trim_start().len();
        let original =
            self.cuts.iter().fold(start, |at, cut| if cut.start <= at { at + cut.len() } else { at });
        let place = self.cuts.partition_point(|cut| cut.start < original);
        self.cuts.insert(place, original..original + length);
        self.start + original
    }
}

impl<'a> Page<'a> {
    pub(super) fn new(scan: &Scan<'a>, site: &'a Site) -> Self {
        let lines: Vec<Line<'a>> = scan.lines().map(|line| Line::new(line.start, line.text)).collect();
        // Of a line that is blank all is indent.
        let mut visible = Vec::with_capacity(lines.len());
        visible.extend((0..lines.len()).filter(|&index| lines[index].indent < lines[index].text.len()));
        let mut page = Self {
            lines,
            visible,
            likely: vec![Vec::new(); site.n_probes],
            literals: &site.literals,
            fields: Vec::new(),
            removals: Vec::new(),
            lines_dropped: 0,
            parts_cut: 0,
            begins: false,
            ends: false,
        };
        page.find_likely(scan.text());
        page
    }

    /// The first rule that says that this page is no document.
    pub(super) fn rejected<'s>(&self, site: &'s Site) -> Option<&'s Reject> {
        site.rejects.iter().find(|rule| {
            rule.max_chars.is_none_or(|max| self.has_at_most(max))
                && self.find_line(&rule.matcher, rule.window).is_some()
        })
    }

    /// Applies the rules of a site, in the order that the page of the stage promises.
    pub(super) fn apply(&mut self, site: &'a Site) {
        for field in &site.fields {
            self.capture_field(field);
        }
        for head in &site.heads {
            self.cut_head(head);
        }
        self.cut_tail(&site.tails);
        for rule in &site.drops {
            self.drop_lines(rule);
        }
        for rule in &site.cuts {
            self.cut_parts(rule);
        }
    }

    /// Whether head and tail have left the text alone, so that nothing is left to find.
    pub(super) fn is_exact(&self) -> bool {
        self.begins && self.ends
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

    // --- Finding ------------------------------------------------------------------------------------------

    /// Notes which lines hold literals of which probes.
    fn find_likely(&mut self, text: &str) {
        let (lines, likely) = (&self.lines, &mut self.likely);
        let mut line = 0;
        self.literals.each(text, |probe, at| {
            if at < lines[line].start {
                line = lines.partition_point(|line| line.start <= at) - 1;
            }
            while lines.get(line + 1).is_some_and(|next| next.start <= at) {
                line += 1;
            }
            if likely[probe].last() != Some(&line) {
                likely[probe].push(line);
            }
        });
        for lines in likely.iter_mut().filter(|lines| !lines.is_sorted()) {
            lines.sort_unstable();
            lines.dedup();
        }
    }

    /// Looks at a line again after a part of it went: what is left may have come together to a literal.
    fn find_likely_in(&mut self, index: usize) {
        let (lines, likely) = (&self.lines, &mut self.likely);
        self.literals.each(lines[index].trimmed(), |probe, _| {
            if let Err(place) = likely[probe].binary_search(&index) {
                likely[probe].insert(place, index);
            }
        });
    }

    /// The first visible line in the window for which `test` has an answer, of those that a probe may match.
    fn find<T>(&self, probe: &Probe, window: Window, mut test: impl FnMut(usize) -> Option<T>) -> Option<T> {
        let n_lines = self.visible.len();
        if !probe.has_literal {
            return window.ranks(n_lines).find_map(test);
        }
        self.likely[probe.index].iter().find_map(|line| {
            let rank = self.visible.binary_search(line).ok()?;
            if window.holds(rank, n_lines) { test(rank) } else { None }
        })
    }

    /// The first visible line that matches, with the byte range of the match.
    fn find_line(&self, matcher: &LineMatcher, window: Window) -> Option<(usize, Range<usize>)> {
        self.find(&matcher.line, window, |rank| {
            let found = matcher.line.regex.find(self.visible_line(rank))?.range();
            self.next_matches(matcher.next.as_ref(), rank).then_some((rank, found))
        })
    }

    fn next_matches(&self, next: Option<&LazyRegex>, rank: usize) -> bool {
        next.is_none_or(|next| rank + 1 < self.visible.len() && next.is_match(self.visible_line(rank + 1)))
    }

    fn visible_line(&self, rank: usize) -> &str {
        self.trimmed(self.visible[rank])
    }

    fn trimmed(&self, index: usize) -> &str {
        self.lines[index].trimmed()
    }

    fn has_at_most(&self, max_chars: usize) -> bool {
        let text = self.visible.iter().flat_map(|&index| self.trimmed(index).chars());
        text.filter(|c| !c.is_whitespace()).nth(max_chars).is_none()
    }

    // --- Capturing ----------------------------------------------------------------------------------------

    /// Sets a field that has not been captured yet; every run of white space in it becomes one blank.
    fn set_field(&mut self, name: &str, value: &str) {
        let value = squeeze(value);
        if !value.is_empty() && self.field(name).is_none() {
            self.fields.push((name.to_owned(), value.into_owned()));
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
        let Some(captures) = rule.text.regex.captures(self.trimmed(index)) else { return };
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
                let is_match = |rank: usize| line.regex.is_match(self.visible_line(rank)).then_some(rank);
                let Some(rank) = self.find(line, *window, is_match) else { return };
                let Some(&index) = rank.checked_add_signed(*offset).and_then(|rank| self.visible.get(rank))
                else {
                    return;
                };
                if unless.as_ref().is_some_and(|unless| unless.is_match(self.trimmed(index))) {
                    return;
                }
                match (offset, value) {
                    (0, _) => self.capture(Some(&field.name), &line.regex, index),
                    (_, Some(value)) => self.capture(Some(&field.name), value, index),
                    (_, None) => {
                        let value = self.trimmed(index).to_owned();
                        self.set_field(&field.name, &value);
                    }
                }
            }
        }
    }

    // --- Removing -----------------------------------------------------------------------------------------

    /// The one place where anything is removed: a line or a part of it, by the rule `id`.
    fn remove(&mut self, index: usize, part: Part, id: &'a str) {
        let newline = usize::from(index + 1 < self.lines.len());
        let line = &mut self.lines[index];
        let (at, bytes) = match part {
            Part::Whole => {
                line.removed = true;
                self.lines_dropped += u64::from(!line.trimmed().is_empty());
                (line.start, line.text.len() + newline)
            }
            Part::Bytes(range) => {
                let bytes = range.len();
                let at = line.cut(range);
                self.parts_cut += 1;
                self.find_likely_in(index);
                (at, bytes)
            }
        };
        match self.removals.last_mut() {
            Some(removal) if removal.id == id => {
                removal.at = removal.at.min(at);
                removal.bytes += bytes;
            }
            _ => self.removals.push(Removal { id, at, bytes }),
        }
    }

    /// Brings [`Page::visible`] up to date after a rule has removed something.
    fn refresh(&mut self) {
        let lines = &self.lines;
        self.visible.retain(|&index| !lines[index].removed && !lines[index].trimmed().is_empty());
    }

    /// Cuts a head, which begins where the one before it ended.
    fn cut_head(&mut self, rule: &'a Head) {
        let Some((rank, range)) = self.find_line(&rule.matcher, rule.window) else { return };
        let index = self.visible[rank];
        self.capture(rule.field.as_deref(), &rule.matcher.line.regex, index);
        self.begins = rule.exact;
        let end = if rule.inside { rank } else { (rank + rule.skip + 1).min(self.visible.len()) };
        let head: Vec<usize> = self.visible.drain(..end).collect();
        if rule.inside {
            self.remove(index, Part::Bytes(0..range.end), &rule.id);
        }
        for index in head {
            self.remove(index, Part::Whole, &rule.id);
        }
        self.refresh();
    }

    /// Cuts at the earliest line that any of the rules finds.
    fn cut_tail(&mut self, rules: &'a [Tail]) {
        let find = |rule: &'a Tail| {
            let (rank, range) = self.find_line(&rule.matcher, rule.window)?;
            Some((rank, range.start, rule))
        };
        let Some((rank, start, rule)) =
            rules.iter().filter_map(find).min_by_key(|(rank, start, _)| (*rank, *start))
        else {
            return;
        };
        let index = self.visible[rank];
        self.capture(rule.field.as_deref(), &rule.matcher.line.regex, index);
        self.ends = rule.exact;
        if rule.inside {
            let end = self.trimmed(index).len();
            self.remove(index, Part::Bytes(start..end), &rule.id);
        } else {
            self.remove(index, Part::Whole, &rule.id);
        }
        for index in index + 1..self.lines.len() {
            self.remove(index, Part::Whole, &rule.id);
        }
        self.refresh();
    }

    fn drop_lines(&mut self, rule: &'a Drop) {
        let mut going: Vec<Range<usize>> = Vec::new();
        let mut test = |rank: usize| {
            let is_free = going.last().is_none_or(|last| rank >= last.end);
            if is_free && self.is_dropped(rule, rank) {
                going.extend(self.drop_end(rule, rank).map(|last| rank..last + 1));
            }
            None::<()>
        };
        match &rule.lines {
            DropLines::Matching(probe) => self.find(probe, rule.window, &mut test),
            DropLines::SameAs(_) => rule.window.ranks(self.visible.len()).find_map(&mut test),
        };
        if going.is_empty() {
            return;
        }
        for ranks in going {
            if let DropLines::Matching(probe) = &rule.lines {
                self.capture(rule.field.as_deref(), &probe.regex, self.visible[ranks.start]);
            }
            for rank in ranks {
                self.remove(self.visible[rank], Part::Whole, &rule.id);
            }
        }
        self.refresh();
    }

    fn is_dropped(&self, rule: &Drop, rank: usize) -> bool {
        let line = self.visible_line(rank);
        let hit = match &rule.lines {
            DropLines::Matching(probe) => probe.regex.is_match(line),
            DropLines::SameAs(field) => self.field(field).is_some_and(|value| look_alike(line, value)),
        };
        hit && self.next_matches(rule.next.as_ref(), rank)
    }

    /// The last line that goes with the one at `rank`.
    fn drop_end(&self, rule: &Drop, rank: usize) -> Option<usize> {
        let Some(until) = &rule.until else { return Some(rank) };
        (rank + 1..self.visible.len()).find(|&later| until.is_match(self.visible_line(later)))
    }

    fn cut_parts(&mut self, rule: &'a Cut) {
        let mut found: Vec<(usize, Vec<Range<usize>>)> = Vec::new();
        self.find(&rule.text, rule.window, |rank| {
            let parts = rule.text.regex.captures_iter(self.visible_line(rank));
            let parts: Vec<_> = parts.filter_map(|found| part_to_cut(&found)).collect();
            if !parts.is_empty() {
                found.push((self.visible[rank], parts));
            }
            None::<()>
        });
        if found.is_empty() {
            return;
        }
        for (index, parts) in found {
            self.capture_cut(rule, index);
            // From the end, so that the ranges before stay where they are.
            for range in parts.into_iter().rev() {
                self.remove(index, Part::Bytes(range), &rule.id);
            }
            if self.trimmed(index).is_empty() {
                self.lines[index].removed = true;
            }
        }
        self.refresh();
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
