//! The table of learned lines: learning it, writing it, reading it back.

use std::cmp::{Ordering, Reverse};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tamis_plugin::Failure;
use toml::Spanned;
use xxhash_rust::xxh3::xxh3_128;

use super::LineTemplateOptions;
use super::learn::{Class, Learned};
use super::line::Lines;
use crate::spill::{Batch, Entry, Fixed, Lookup, LookupWriter, Scratch, decode_str, encode_str, way_out};

/// What the table is called in the folder that a run keeps.
pub(super) const FILE_NAME: &str = "templates.toml";

/// The version of the format of the file. Tables without one, of before, are read as the first.
const FORMAT: u32 = 1;

/// The program that writes and reads tables.
const PROGRAM: &str = env!("CARGO_PKG_VERSION");

/// Begins a group in the file.
const GROUP: &str = "[[group]]";

/// After so many mistakes the rest of a file is not read.
const MOST_MISTAKES: usize = 20;

/// A line of more clusters than this says nothing about which it is.
const MOST_CLUSTERS: usize = 16;

/// The template lines of every group, and by which lines documents show to which cluster they belong.
///
/// What does not fit into memory lies on the disk; a document asks for its lines in the order of their keys.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Groups that are known, by the hash of their name.
    groups: Lookup<u128, ()>,
    lines: Lookup<(u128, u128), Class>,
    /// For each cluster, in the order of their names, how many lines it has.
    clusters: Lookup<u32, u64>,
    cluster_lines: Lookup<(u32, u128), Class>,
    /// The clusters that have a line, unless they are too many.
    clusters_of: Lookup<(u128, u32), ()>,
}

/// The lines of a document that are template, in the order of their keys.
#[derive(Debug)]
pub(super) struct TemplateLines(Vec<(u128, Class)>);

impl TemplateLines {
    /// How sure it is that a line is template, if it may be.
    pub(super) fn class(&self, line: u128) -> Option<Class> {
        let at = self.0.binary_search_by_key(&line, |(line, _)| *line).ok()?;
        self.0.get(at).map(|(_, class)| *class)
    }
}

impl Table {
    /// Which of some lines, in the order of their keys, are template in a group; in one of which nothing is known, in
    /// the cluster that has most of the lines. `None` where there is neither.
    ///
    /// # Errors
    ///
    /// When what was put on the disk cannot be read.
    pub(super) fn template(
        &self,
        group: &str,
        lines: &[u128],
        min_lines: u64,
    ) -> Result<Option<TemplateLines>, Failure> {
        let group = xxh3_128(group.as_bytes());
        if self.groups.get(group)?.is_some() {
            return known(&self.lines, group, lines).map(Some);
        }
        match self.cluster(lines, min_lines)? {
            Some(cluster) => known(&self.cluster_lines, cluster, lines).map(Some),
            None => Ok(None),
        }
    }

    /// The cluster that has most of `lines`, at least `min_lines` of them; of several that have as many the one with
    /// fewer lines, then the first by name.
    fn cluster(&self, lines: &[u128], min_lines: u64) -> Result<Option<u32>, Failure> {
        let mut votes: Vec<u32> = Vec::new();
        let mut of_line = self.clusters_of.cursor();
        for line in lines {
            of_line.each_from((*line, 0), |(at, cluster), ()| {
                let is_same = at == *line;
                votes.extend(is_same.then_some(cluster));
                is_same
            })?;
        }
        votes.sort_unstable();
        let mut best = None;
        let mut sizes = self.clusters.cursor();
        for votes in votes.chunk_by(|one, other| one == other) {
            let Some(cluster) = votes.first().filter(|_| votes.len() as u64 >= min_lines.max(1)) else {
                continue;
            };
            let n_lines = sizes.get(*cluster)?.unwrap_or(0);
            best = best.max(Some((votes.len(), Reverse((n_lines, *cluster)))));
        }
        Ok(best.map(|(_, Reverse((_, cluster)))| cluster))
    }
}

fn known<G: Fixed + Ord>(
    table: &Lookup<(G, u128), Class>,
    group: G,
    lines: &[u128],
) -> Result<TemplateLines, Failure> {
    let mut known = table.cursor();
    let mut found = Vec::new();
    for line in lines {
        found.extend(known.get((group, *line))?.map(|class| (*line, class)));
    }
    Ok(TemplateLines(found))
}

/// Stands for a group itself among its lines, so that one without lines is known, too.
const NO_LINE: u128 = 0;

/// A line of a group whose documents are known.
#[derive(Debug, Clone)]
struct GroupLine {
    group: u128,
    line: u128,
    class: Class,
}

impl Entry for GroupLine {
    fn order(&self, other: &Self) -> Ordering {
        (self.group, self.line).cmp(&(other.group, other.line))
    }

    /// The surer class counts.
    fn combine(&mut self, other: &Self) {
        self.class = self.class.max(other.class);
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        ((self.group, self.line), self.class).encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let ((group, line), class) = Fixed::decode(input)?;
        Some(Self { group, line, class })
    }
}

/// A line of a cluster.
#[derive(Debug, Clone)]
struct ClusterLine {
    cluster: Box<str>,
    line: u128,
    class: Class,
}

impl Entry for ClusterLine {
    fn order(&self, other: &Self) -> Ordering {
        (&self.cluster, self.line).cmp(&(&other.cluster, other.line))
    }

    /// The surer class counts.
    fn combine(&mut self, other: &Self) {
        self.class = self.class.max(other.class);
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.cluster.len() + 16
    }

    fn encode(&self, out: &mut Vec<u8>) {
        encode_str(&self.cluster, out);
        (self.line, self.class).encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let cluster = decode_str(input)?;
        let (line, class) = Fixed::decode(input)?;
        Some(Self { cluster, line, class })
    }
}

/// A cluster that has a line.
#[derive(Debug, Clone)]
struct ClusterOf {
    line: u128,
    cluster: u32,
}

impl Entry for ClusterOf {
    fn order(&self, other: &Self) -> Ordering {
        (self.line, self.cluster).cmp(&(other.line, other.cluster))
    }

    fn combine(&mut self, _other: &Self) {}

    fn size(&self) -> usize {
        size_of::<Self>()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        (self.line, self.cluster).encode(out);
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let (line, cluster) = Fixed::decode(input)?;
        Some(Self { line, cluster })
    }
}

/// Makes a table of lines that come in any order, from one source or several.
pub(super) struct Builder {
    groups: Batch<GroupLine>,
    clusters: Batch<ClusterLine>,
    scratch: Option<Scratch>,
}

impl Builder {
    pub(super) fn new(scratch: Option<&Scratch>) -> Self {
        Self {
            groups: Batch::new("group-lines", scratch),
            clusters: Batch::new("cluster-lines-learned", scratch),
            scratch: scratch.cloned(),
        }
    }

    /// Adds a group, which may have no lines.
    fn add_group(&mut self, name: &str, by_lines: bool) {
        self.add(name, by_lines, NO_LINE, Class::Between);
    }

    /// Adds a line to a group; of two classes for one line the surer one counts.
    fn add(&mut self, name: &str, by_lines: bool, line: u128, class: Class) {
        if by_lines {
            self.clusters.push(ClusterLine { cluster: name.into(), line, class });
        } else {
            self.groups.push(GroupLine { group: xxh3_128(name.as_bytes()), line, class });
        }
    }

    /// Adds a line that was learned.
    pub(super) fn learn(&mut self, learned: &Learned) {
        self.add(&learned.group, learned.by_lines, learned.line, learned.class);
    }

    /// The table.
    ///
    /// # Errors
    ///
    /// When the disk fails.
    pub(super) fn finish(mut self) -> Result<Table, Failure> {
        let scratch = self.scratch.as_ref();
        let most = scratch.map_or(usize::MAX, |scratch| scratch.table_bytes() / 5);
        let mut groups = LookupWriter::new("groups.table", scratch, most);
        let mut lines = LookupWriter::new("lines.table", scratch, most);
        let mut last = None;
        for entry in self.groups.sorted()? {
            let GroupLine { group, line, class } = entry?;
            if last.replace(group) != Some(group) {
                groups.push(group, ())?;
            }
            if line != NO_LINE {
                lines.push((group, line), class)?;
            }
        }
        let mut clusters = LookupWriter::new("cluster-sizes.table", scratch, most);
        let mut cluster_lines = LookupWriter::new("cluster-lines.table", scratch, most);
        let mut of_lines = Batch::new("clusters-of", scratch);
        let mut last: Option<(u32, Box<str>, u64)> = None;
        for entry in self.clusters.sorted()? {
            let ClusterLine { cluster: name, line, class } = entry?;
            if last.as_ref().is_none_or(|(_, known, _)| *known != name) {
                let number = last.as_ref().map_or(0, |(number, ..)| number + 1);
                if let Some((number, _, n_lines)) = last.replace((number, name, 0)) {
                    clusters.push(number, n_lines)?;
                }
            }
            let Some((cluster, _, n_lines)) = &mut last else { continue };
            if line != NO_LINE {
                *n_lines += 1;
                cluster_lines.push((*cluster, line), class)?;
                of_lines.push(ClusterOf { line, cluster: *cluster });
            }
        }
        if let Some((number, _, n_lines)) = last {
            clusters.push(number, n_lines)?;
        }
        Ok(Table {
            groups: groups.finish()?,
            lines: lines.finish()?,
            clusters: clusters.finish()?,
            cluster_lines: cluster_lines.finish()?,
            clusters_of: clusters_of(of_lines, scratch, most)?,
        })
    }
}

/// The clusters that have a line, of lines that say something.
fn clusters_of(
    mut of_lines: Batch<ClusterOf>,
    scratch: Option<&Scratch>,
    most: usize,
) -> Result<Lookup<(u128, u32), ()>, Failure> {
    let mut table = LookupWriter::new("clusters-of.table", scratch, most);
    // The clusters of a line, until they are too many.
    let mut clusters: Vec<u32> = Vec::new();
    let mut last = None;
    let mut add = |line: u128, clusters: &mut Vec<u32>| {
        let said = if clusters.len() <= MOST_CLUSTERS { clusters.as_slice() } else { &[] };
        let added = said.iter().try_for_each(|cluster| table.push((line, *cluster), ()));
        clusters.clear();
        added
    };
    for entry in of_lines.sorted()? {
        let ClusterOf { line, cluster } = entry?;
        if let Some(before) = last.replace(line).filter(|before| *before != line) {
            add(before, &mut clusters)?;
        }
        if clusters.len() <= MOST_CLUSTERS {
            clusters.push(cluster);
        }
    }
    last.map_or(Ok(()), |line| add(line, &mut clusters))?;
    table.finish()
}

/// Writes what was learned to a folder, line by line.
///
/// Under a temporary name first: a table that is there is whole.
pub(super) struct Writer<'o> {
    options: &'o LineTemplateOptions,
    folder: PathBuf,
    out: BufWriter<File>,
    /// The group of the last line.
    group: Option<(bool, Box<str>)>,
}

impl<'o> Writer<'o> {
    /// Begins a table.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(super) fn new(options: &'o LineTemplateOptions, folder: &Path) -> Result<Self, Failure> {
        let begun = || -> std::io::Result<BufWriter<File>> {
            std::fs::create_dir_all(folder)?;
            let mut out = BufWriter::new(File::create(temporary(folder))?);
            begin(options, &mut out)?;
            Ok(out)
        };
        let out = begun().map_err(|error| unwritten(folder, &error))?;
        Ok(Self { options, folder: folder.to_owned(), out, group: None })
    }

    /// Adds a line; they come group by group.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(super) fn line(&mut self, learned: &Learned) -> Result<(), Failure> {
        self.write(learned).map_err(|error| unwritten(&self.folder, &error))
    }

    /// Ends the table.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let Self { folder, mut out, group, .. } = self;
        let ended = || -> std::io::Result<()> {
            if group.is_some() {
                writeln!(out, "]")?;
            }
            out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all()?;
            std::fs::rename(temporary(&folder), folder.join(FILE_NAME))
        };
        ended().map_err(|error| unwritten(&folder, &error))
    }

    fn write(&mut self, learned: &Learned) -> std::io::Result<()> {
        let Self { options, out, group, .. } = self;
        let is_same =
            |(by_lines, group): &(bool, Box<str>)| (*by_lines, group) == (learned.by_lines, &learned.group);
        if !group.as_ref().is_some_and(is_same) {
            if group.replace((learned.by_lines, learned.group.clone())).is_some() {
                writeln!(out, "]")?;
            }
            let by_lines = if learned.by_lines { "by_lines = true\n" } else { "" };
            let name = quoted(&learned.group);
            writeln!(out, "\n{GROUP}\nname = {name}\n{by_lines}documents = {}\nlines = [", learned.of)?;
        }
        let ratio = learned.documents as f64 / learned.of as f64;
        write!(out, "  {{ documents = {}, ratio = {ratio:.3}, ", learned.documents)?;
        match learned.class {
            Class::Anywhere => {}
            Class::Beside => write!(out, "where = \"beside\", ")?,
            Class::Between => write!(out, "where = \"between\", ")?,
        }
        let mut plain = Vec::new();
        let key = Lines::of(options).key(&learned.text, &mut plain).map(|(key, _)| key.hash);
        if key != Some(learned.line) {
            write!(out, "hash = \"{:032x}\", ", learned.line)?;
        }
        writeln!(out, "text = {} }},", quoted(&learned.text))
    }
}

fn temporary(folder: &Path) -> PathBuf {
    folder.join(format!("{FILE_NAME}.tmp"))
}

fn unwritten(folder: &Path, error: &std::io::Error) -> Failure {
    let (path, way_out) = (folder.join(FILE_NAME), way_out(error, "make room there"));
    Failure::new(format!("the learned table `{}` cannot be written: {error}: {way_out}", path.display()))
}

/// What stands before the groups.
fn begin(options: &LineTemplateOptions, out: &mut impl Write) -> std::io::Result<()> {
    let LineTemplateOptions { min_documents, min_ratio, min_shared_lines, group_by, .. } = options;
    let LineTemplateOptions { mask_digits, near_equal, cluster, .. } = options;
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
    writeln!(out, "\nformat = {FORMAT}\nsaved_by = \"tamis {PROGRAM}\"")?;
    writeln!(out, "group_by = [{}]\nmask_digits = {mask_digits}", fields.join(", "))?;
    writeln!(out, "near_equal = {near_equal}\ncluster = {cluster}")
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

/// Which format a table has. It is read before the rest, of which a later format may have more.
#[derive(Debug, Deserialize)]
struct Version {
    format: Option<Spanned<u32>>,
    saved_by: Option<String>,
}

/// What stands before the groups.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    #[expect(dead_code, reason = "it was read before")]
    format: Option<u32>,
    #[expect(dead_code, reason = "it was read before")]
    saved_by: Option<String>,
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
    table: &mut Builder,
) -> Result<(), String> {
    let mut reading = Reading { name, options, table, mistakes: Vec::new(), is_other: false, first_line: 1 };
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
        if n_bytes == 0 || reading.is_other || reading.mistakes.len() >= MOST_MISTAKES {
            break;
        }
        part.push_str(&line);
    }
    if reading.mistakes.is_empty() { Ok(()) } else { Err(reading.mistakes.join("\n")) }
}

struct Reading<'a> {
    name: &'a str,
    options: &'a LineTemplateOptions,
    table: &'a mut Builder,
    mistakes: Vec<String>,
    /// Whether the format is another, so that nothing else can be said.
    is_other: bool,
    /// The line of the file on which the part begins.
    first_line: usize,
}

impl Reading<'_> {
    fn part(&mut self, text: &str) {
        if !text.trim_start().starts_with(GROUP) {
            if self.is_other(text) {
                return;
            }
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

    /// Looks for the format, and complains of another.
    fn is_other(&mut self, text: &str) -> bool {
        let Ok(Version { format: Some(format), saved_by }) = toml::from_str::<Version>(text) else {
            return false;
        };
        if *format.get_ref() != FORMAT {
            let message = format!(
                "the table was saved by {} with format {}, and tamis {PROGRAM} reads format {FORMAT}: learn it again with this program, or use it with that one",
                saved_by.as_deref().unwrap_or("another program"),
                format.get_ref()
            );
            self.mistake(text, format.span().start, &message);
            self.is_other = true;
        }
        self.is_other
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
        self.table.add_group(&group.name, group.by_lines);
        for line in &group.lines {
            match self.line(line) {
                Ok(key) => self.table.add(&group.name, group.by_lines, key, line.place.into()),
                Err((byte, message)) => self.mistake(text, byte, &message),
            }
        }
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
