//! The table of learned lines: learning it, writing it, reading it back.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, Write};
use std::path::Path;

use serde::Deserialize;
use tamis_plugin::Failure;
use toml::Spanned;
use xxhash_rust::xxh3::xxh3_128;

use super::LineTemplateOptions;
use super::learn::{Class, Group};
use super::line::{FoldedState, Lines};
use crate::spill::way_out;

/// What the table is called in the folder that a run keeps.
pub(super) const FILE_NAME: &str = "templates.toml";

/// Begins a group in the file.
const GROUP: &str = "[[group]]";

/// After so many mistakes the rest of a file is not read.
const MOST_MISTAKES: usize = 20;

/// A line of more clusters than this says nothing about which it is.
const MOST_CLUSTERS: usize = 16;

/// The template lines of a group, by hash.
pub(super) type TemplateLines = HashMap<u128, Class, FoldedState>;

/// The template lines of every group.
#[derive(Debug, Default)]
pub(super) struct Table {
    groups: HashMap<u128, TemplateLines, FoldedState>,
    clusters: Vec<Cluster>,
    /// The place of a cluster, by the hash of its name.
    cluster_at: HashMap<u128, u32, FoldedState>,
    /// The clusters that have a line, until they are too many.
    clusters_of: HashMap<u128, Vec<u32>, FoldedState>,
}

/// A group whose documents are told by its lines.
#[derive(Debug)]
struct Cluster {
    name: Box<str>,
    lines: TemplateLines,
}

impl Table {
    /// What was learned.
    pub(super) fn of(groups: &[Group]) -> Self {
        let mut table = Self::default();
        for group in groups {
            let lines = group.lines.iter().map(|(class, tally)| (tally.line, *class));
            table.add(&group.whole.text, group.by_lines, lines);
        }
        table
    }

    /// The lines of a group, if it has any.
    pub(super) fn lines(&self, group: &str) -> Option<&TemplateLines> {
        self.groups.get(&xxh3_128(group.as_bytes()))
    }

    /// The lines of the cluster that has most of `lines`, at least `min_lines` of them; of several that have as many
    /// the one with fewer lines, then the first by name.
    pub(super) fn cluster(
        &self,
        lines: impl Iterator<Item = u128>,
        min_lines: u64,
    ) -> Option<&TemplateLines> {
        let mut votes: Vec<u32> = lines
            .filter_map(|line| self.clusters_of.get(&line).filter(|clusters| clusters.len() <= MOST_CLUSTERS))
            .flatten()
            .copied()
            .collect();
        votes.sort_unstable();
        let counted = votes.chunk_by(|one, other| one == other);
        let fitting = counted.filter(|votes| votes.len() as u64 >= min_lines.max(1));
        let clusters = fitting.filter_map(|votes| {
            let cluster = self.clusters.get(*votes.first()? as usize)?;
            Some((votes.len(), std::cmp::Reverse((cluster.lines.len(), &cluster.name)), cluster))
        });
        let best = clusters.max_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)))?;
        Some(&best.2.lines)
    }

    /// Adds lines to a group; of two classes for one line the surer one counts.
    fn add(&mut self, name: &str, by_lines: bool, lines: impl Iterator<Item = (u128, Class)>) {
        let hash = xxh3_128(name.as_bytes());
        if !by_lines {
            let known = self.groups.entry(hash).or_default();
            lines.for_each(|(line, class)| add(known, line, class));
            return;
        }
        let at = *self.cluster_at.entry(hash).or_insert(self.clusters.len() as u32);
        if at as usize == self.clusters.len() {
            self.clusters.push(Cluster { name: name.into(), lines: HashMap::default() });
        }
        let Some(cluster) = self.clusters.get_mut(at as usize) else { return };
        for (line, class) in lines {
            let clusters = self.clusters_of.entry(line).or_default();
            if clusters.len() <= MOST_CLUSTERS && !clusters.contains(&at) {
                clusters.push(at);
            }
            add(&mut cluster.lines, line, class);
        }
    }
}

fn add(known: &mut TemplateLines, line: u128, class: Class) {
    let known = known.entry(line).or_insert(class);
    *known = class.max(*known);
}

/// Writes what was learned to a folder.
///
/// # Errors
///
/// When it cannot be written.
pub(super) fn write(groups: &[Group], options: &LineTemplateOptions, folder: &Path) -> Result<(), Failure> {
    Writing { groups, options }.write(folder)
}

struct Writing<'a> {
    groups: &'a [Group],
    options: &'a LineTemplateOptions,
}

impl Writing<'_> {
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
            let way_out = way_out(&error, "make room there");
            Failure::new(format!(
                "the learned table `{}` cannot be written: {error}: {way_out}",
                path.display()
            ))
        })
    }

    fn render(&self, out: &mut impl Write) -> std::io::Result<()> {
        let LineTemplateOptions { min_documents, min_ratio, min_shared_lines, group_by, .. } = self.options;
        let LineTemplateOptions { mask_digits, near_equal, cluster, .. } = self.options;
        let fields: Vec<String> = group_by.0.iter().map(|name| quoted(name)).collect();
        writeln!(
            out,
            "# Lines that at least {min_documents} documents and at least the share {min_ratio} of their group hold, or fewer
# documents of which two share at least {min_shared_lines} other lines. A line with `where = \"beside\"` goes only next
# to other template, one with `where = \"between\"` only between other template, all others wherever they stand.
# One with a `hash` is longer than its `text`.
# Delete or change what is no template, and use the rest with `table = \"{FILE_NAME}\"` in the
# stage `line-template`. Counts are for you to read; the stage does not look at them."
        )?;
        writeln!(out, "\ngroup_by = [{}]\nmask_digits = {mask_digits}", fields.join(", "))?;
        writeln!(out, "near_equal = {near_equal}\ncluster = {cluster}")?;
        for Group { whole, lines, by_lines } in self.groups {
            let by_lines = if *by_lines { "by_lines = true\n" } else { "" };
            let name = quoted(&whole.text);
            writeln!(out, "\n{GROUP}\nname = {name}\n{by_lines}documents = {}\nlines = [", whole.documents)?;
            for (class, tally) in lines {
                let ratio = tally.documents as f64 / whole.documents as f64;
                write!(out, "  {{ documents = {}, ratio = {ratio:.3}, ", tally.documents)?;
                match class {
                    Class::Anywhere => {}
                    Class::Beside => write!(out, "where = \"beside\", ")?,
                    Class::Between => write!(out, "where = \"between\", ")?,
                }
                let mut plain = Vec::new();
                let key = Lines::of(self.options).key(&tally.text, &mut plain).map(|(key, _)| key.hash);
                if key != Some(tally.line) {
                    write!(out, "hash = \"{:032x}\", ", tally.line)?;
                }
                writeln!(out, "text = {} }},", quoted(&tally.text))?;
            }
            writeln!(out, "]")?;
        }
        Ok(())
    }
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
    near_equal: Option<Spanned<bool>>,
    #[expect(dead_code, reason = "groups say themselves whether they are clusters")]
    cluster: Option<bool>,
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
    #[serde(default)]
    by_lines: bool,
    #[expect(dead_code, reason = "counts are for whoever reads the file")]
    documents: Option<u64>,
    lines: Vec<WrittenLine>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLine {
    text: Spanned<String>,
    #[serde(default, rename = "where")]
    place: Where,
    hash: Option<Spanned<String>>,
    #[expect(dead_code, reason = "counts are for whoever reads the file")]
    documents: Option<u64>,
    #[expect(dead_code, reason = "counts are for whoever reads the file")]
    ratio: Option<f64>,
}

/// Where a line is template.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Where {
    #[default]
    Anywhere,
    Beside,
    Between,
}

impl From<Where> for Class {
    fn from(place: Where) -> Self {
        match place {
            Where::Anywhere => Self::Anywhere,
            Where::Beside => Self::Beside,
            Where::Between => Self::Between,
        }
    }
}

/// Reads a table into another, group by group, so that a long one is never held as text.
///
/// # Errors
///
/// All mistakes, up to a number, each with `name:line:column: ` before it.
pub(super) fn read(
    name: &str,
    input: &mut dyn BufRead,
    options: &LineTemplateOptions,
    table: &mut Table,
) -> Result<(), String> {
    let mut reading = Reading { name, options, table, mistakes: Vec::new(), first_line: 1 };
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
    if reading.mistakes.is_empty() { Ok(()) } else { Err(reading.mistakes.join("\n")) }
}

struct Reading<'a> {
    name: &'a str,
    options: &'a LineTemplateOptions,
    table: &'a mut Table,
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
        for (name, learned, here) in [
            ("mask_digits", &head.mask_digits, self.options.mask_digits),
            ("near_equal", &head.near_equal, self.options.near_equal),
        ] {
            if let Some(learned) = learned.as_ref().filter(|learned| *learned.get_ref() != here) {
                let message = format!(
                    "the table was learned with `{name} = {}`, but the stage has `{here}`",
                    learned.get_ref()
                );
                self.mistake(text, learned.span().start, &message);
            }
        }
    }

    fn group(&mut self, text: &str, group: &WrittenGroup) {
        let mut lines = Vec::with_capacity(group.lines.len());
        for line in &group.lines {
            match self.line(line) {
                Ok(key) => lines.push((key, line.place.into())),
                Err((byte, message)) => self.mistake(text, byte, &message),
            }
        }
        self.table.add(&group.name, group.by_lines, lines.into_iter());
    }

    /// The key of a line, or the byte at which there is a mistake and what it is.
    fn line(&self, line: &WrittenLine) -> Result<u128, (usize, String)> {
        if let Some(hash) = &line.hash {
            return u128::from_str_radix(hash.get_ref(), 16)
                .map_err(|_| (hash.span().start, "`hash` must be 32 hexadecimal digits".to_owned()));
        }
        let (start, written) = (line.text.span().start, line.text.get_ref());
        if written.contains('\n') {
            return Err((start, "`text` has a line end, but must be one line".to_owned()));
        }
        let lines = Lines::of(self.options);
        let mut plain = Vec::new();
        match lines.key(written, &mut plain) {
            Some((key, _)) => Ok(key.hash),
            None if written.trim().is_empty() => {
                Err((start, "`text` is blank, and blank lines are no template".to_owned()))
            }
            None => Err((
                start,
                format!(
                    "`text` is wider than `max_line_columns`, which is {} columns here",
                    self.options.max_line_columns
                ),
            )),
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
