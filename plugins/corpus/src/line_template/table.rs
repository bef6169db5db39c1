//! The table of learned lines: learning it, writing it, reading it back.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::{BufRead, Write};
use std::path::Path;

use serde::Deserialize;
use tamis_plugin::Failure;
use toml::Spanned;
use xxhash_rust::xxh3::xxh3_128;

use super::LineTemplateOptions;
use super::count::{Tally, WHOLE_GROUP};
use super::line::{FoldedState, Lines};
use crate::spill::Entry;

/// What the table is called in the folder that a run keeps.
pub(super) const FILE_NAME: &str = "templates.toml";

/// Begins a group in the file.
const GROUP: &str = "[[group]]";

/// After so many mistakes the rest of a file is not read.
const MOST_MISTAKES: usize = 20;

/// The template lines of every group, by hash.
#[derive(Debug, Default)]
pub(super) struct Table {
    groups: HashMap<u128, HashSet<u128, FoldedState>, FoldedState>,
}

impl Table {
    /// The lines of a group, if it has any.
    pub(super) fn lines(&self, group: &str) -> Option<&HashSet<u128, FoldedState>> {
        self.groups.get(&xxh3_128(group.as_bytes()))
    }

    fn add(&mut self, group: &str, line: u128) {
        self.groups.entry(xxh3_128(group.as_bytes())).or_default().insert(line);
    }
}

/// Finds the template lines among counts that come in order.
pub(super) struct Learner<'a> {
    options: &'a LineTemplateOptions,
    /// Bytes that the table may hold.
    most: usize,
    held: usize,
    groups: Vec<Group>,
}

/// A group and what was learned of it.
struct Group {
    whole: Tally,
    lines: Vec<Tally>,
}

impl<'a> Learner<'a> {
    pub(super) fn new(options: &'a LineTemplateOptions, most: usize) -> Self {
        Self { options, most, held: 0, groups: Vec::new() }
    }

    /// Takes the count of a group or of one of its lines.
    ///
    /// # Errors
    ///
    /// When more is learned than may be held.
    pub(super) fn see(&mut self, tally: Tally) -> Result<(), Failure> {
        if tally.line == WHOLE_GROUP {
            self.forget_if_empty();
            self.groups.push(Group { whole: tally, lines: Vec::new() });
            return Ok(());
        }
        let Some(group) = self.groups.last_mut().filter(|group| group.whole.group == tally.group) else {
            return Err(Failure::new("the counts hold a line of a group that has no documents"));
        };
        if !is_template(&tally, group.whole.documents, self.options) {
            return Ok(());
        }
        if group.lines.is_empty() {
            self.held += group.whole.size();
        }
        self.held += tally.size();
        if self.held > self.most {
            return Err(Failure::new(format!(
                "the learned template lines take more than the {} bytes of memory that the stage may hold: raise `min_documents` or `min_ratio`, or give the run more memory",
                self.most
            )));
        }
        group.lines.push(tally);
        Ok(())
    }

    /// Writes the table and returns it.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(super) fn finish(mut self, folder: Option<&Path>) -> Result<Table, Failure> {
        self.forget_if_empty();
        self.groups.sort_unstable_by(|one, other| one.whole.text.cmp(&other.whole.text));
        for group in &mut self.groups {
            group.lines.sort_unstable_by(|one, other| {
                (other.documents, &one.text).cmp(&(one.documents, &other.text))
            });
        }
        if let Some(folder) = folder {
            self.write(folder)?;
        }
        let mut table = Table::default();
        for group in self.groups {
            let lines = table.groups.entry(group.whole.group).or_default();
            lines.extend(group.lines.iter().map(|tally| tally.line));
        }
        Ok(table)
    }

    fn forget_if_empty(&mut self) {
        self.groups.pop_if(|group| group.lines.is_empty());
    }

    /// Under a temporary name first: a table that is there is whole.
    fn write(&self, folder: &Path) -> Result<(), Failure> {
        let path = folder.join(FILE_NAME);
        let temporary = folder.join(format!("{FILE_NAME}.tmp"));
        let written = || -> std::io::Result<()> {
            std::fs::create_dir_all(folder)?;
            let mut out = std::io::BufWriter::new(std::fs::File::create(&temporary)?);
            self.render(&mut out)?;
            out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
            std::fs::rename(&temporary, &path)
        };
        written().map_err(|error| {
            Failure::new(format!("the learned table `{}` cannot be written: {error}", path.display()))
        })
    }

    fn render(&self, out: &mut impl Write) -> std::io::Result<()> {
        let LineTemplateOptions { min_documents, min_ratio, mask_digits, group_by, .. } = self.options;
        let fields: Vec<String> = group_by.0.iter().map(|name| quoted(name)).collect();
        writeln!(
            out,
            "# Lines that at least {min_documents} documents and at least the share {min_ratio} of their group hold."
        )?;
        writeln!(
            out,
            "# Delete or change what is no template, and use the rest with `table = \"{FILE_NAME}\"` in the"
        )?;
        writeln!(
            out,
            "# stage `line-template`. Counts are for you to read; the stage does not look at them."
        )?;
        writeln!(out, "\ngroup_by = [{}]\nmask_digits = {mask_digits}", fields.join(", "))?;
        for Group { whole, lines } in &self.groups {
            writeln!(
                out,
                "\n{GROUP}\nname = {}\ndocuments = {}\nlines = [",
                quoted(&whole.text),
                whole.documents
            )?;
            for line in lines {
                let ratio = line.documents as f64 / whole.documents as f64;
                writeln!(
                    out,
                    "  {{ documents = {}, ratio = {ratio:.3}, text = {} }},",
                    line.documents,
                    quoted(&line.text)
                )?;
            }
            writeln!(out, "]")?;
        }
        Ok(())
    }
}

fn is_template(tally: &Tally, group_documents: u64, options: &LineTemplateOptions) -> bool {
    group_documents >= options.min_group_documents
        && tally.documents >= options.min_documents
        && tally.documents as f64 / group_documents.max(1) as f64 >= options.min_ratio
}

/// A basic string of TOML, on one line.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\u{20}'..='\u{7E}' | '\u{A0}'.. => quoted.push(c),
            c => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
        }
    }
    quoted.push('"');
    quoted
}

/// What stands before the groups.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    group_by: Option<Spanned<Vec<String>>>,
    mask_digits: Option<Spanned<bool>>,
}

/// One `[[group]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Part {
    group: Vec<WrittenGroup>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenGroup {
    name: String,
    #[expect(dead_code, reason = "counts are for whoever reads the file")]
    documents: Option<u64>,
    lines: Vec<WrittenLine>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLine {
    text: Spanned<String>,
    #[expect(dead_code, reason = "counts are for whoever reads the file")]
    documents: Option<u64>,
    #[expect(dead_code, reason = "counts are for whoever reads the file")]
    ratio: Option<f64>,
}

/// Reads a table group by group, so that a long one is never held as text.
///
/// # Errors
///
/// All mistakes, up to a number, each with `name:line:column: ` before it.
pub(super) fn read(
    name: &str,
    input: &mut dyn BufRead,
    options: &LineTemplateOptions,
) -> Result<Table, String> {
    let mut reading = Reading { name, options, table: Table::default(), mistakes: Vec::new(), first_line: 1 };
    let (mut part, mut line) = (String::new(), String::new());
    for number in 1.. {
        line.clear();
        let n_bytes = input.read_line(&mut line).map_err(|error| format!("{name}:{number}:1: {error}"))?;
        let begins_group = line.trim_start().starts_with(GROUP);
        if n_bytes == 0 || begins_group {
            reading.part(&part);
            part.clear();
            reading.first_line = number;
        }
        if n_bytes == 0 || reading.mistakes.len() >= MOST_MISTAKES {
            break;
        }
        part.push_str(&line);
    }
    if reading.mistakes.is_empty() { Ok(reading.table) } else { Err(reading.mistakes.join("\n")) }
}

struct Reading<'a> {
    name: &'a str,
    options: &'a LineTemplateOptions,
    table: Table,
    mistakes: Vec<String>,
    /// The line of the file on which the part begins.
    first_line: usize,
}

impl Reading<'_> {
    fn part(&mut self, text: &str) {
        if !text.trim_start().starts_with(GROUP) {
            match toml::from_str::<Head>(text) {
                Ok(head) => self.head(text, &head),
                Err(error) => self.unreadable(text, &error),
            }
            return;
        }
        match toml::from_str::<Part>(text) {
            Ok(part) => part.group.iter().for_each(|group| self.group(text, group)),
            Err(error) => self.unreadable(text, &error),
        }
    }

    fn head(&mut self, text: &str, head: &Head) {
        if let Some(fields) =
            head.group_by.as_ref().filter(|fields| *fields.get_ref() != self.options.group_by.0)
        {
            let list =
                |names: &[String]| names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
            let message = format!(
                "the table was learned with `group_by = [{}]`, but the stage has `[{}]`",
                list(fields.get_ref()),
                list(&self.options.group_by.0)
            );
            self.mistake(text, fields.span().start, &message);
        }
        if let Some(masked) =
            head.mask_digits.as_ref().filter(|mask| *mask.get_ref() != self.options.mask_digits)
        {
            let message = format!(
                "the table was learned with `mask_digits = {}`, but the stage has `{}`",
                masked.get_ref(),
                self.options.mask_digits
            );
            self.mistake(text, masked.span().start, &message);
        }
    }

    fn group(&mut self, text: &str, group: &WrittenGroup) {
        let lines = Lines::of(self.options);
        let mut plain = Vec::new();
        for line in &group.lines {
            let written = line.text.get_ref();
            if written.contains('\n') {
                self.mistake(text, line.text.span().start, "`text` has a line end, but must be one line");
            } else if let Some(key) = lines.key(written, &mut plain) {
                self.table.add(&group.name, key);
            } else if written.trim().is_empty() {
                self.mistake(
                    text,
                    line.text.span().start,
                    "`text` is blank, and blank lines are no template",
                );
            } else {
                let message = format!(
                    "`text` is wider than `max_line_columns`, which is {} columns here",
                    self.options.max_line_columns
                );
                self.mistake(text, line.text.span().start, &message);
            }
        }
    }

    fn unreadable(&mut self, text: &str, error: &toml::de::Error) {
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        self.mistake(text, error.span().map_or(0, |span| span.start), &message);
    }

    /// Notes a mistake at a byte of the part.
    fn mistake(&mut self, text: &str, byte: usize, message: &str) {
        let before = text.get(..byte.min(text.len())).unwrap_or_default();
        let line = self.first_line + before.matches('\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        self.mistakes.push(format!("{}:{line}:{column}: {message}", self.name));
    }
}
