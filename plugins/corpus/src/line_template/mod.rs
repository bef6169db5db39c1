//! `line-template`: learns the lines that documents share, and removes them.
//!
//! [`options`] holds the page of the stage. `line` says which lines there are and which count as the same, with
//! `measure` (how wide, how many sentences), `parts` (of wide lines) and `near` (equal but for a value); `count`
//! counts them, `cluster` finds groups where none are known, `learn` chooses, `table` writes and reads the
//! template, `strip` takes it out of a text, and `marks` says where it stands in one that stays.

mod cluster;
mod count;
mod learn;
mod line;
mod marks;
mod measure;
mod near;
mod options;
mod parts;
mod strip;
mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use tamis_plugin::{
    Better, CorpusStage, Draft, Failure, Form, Forms, Layout, Limit, MeasureInfo, SetupError, ValueRef,
    Verdict, View, Workspace, open_file,
};
use tamis_text::chars::count_visible;
use tamis_text::scan::Scan;
use xxhash_rust::xxh3::xxh3_128;

use crate::spill::{Header, Runs, Scratch};
use cluster::{Clusters, Pool};
use count::{Local, Tally};
use learn::Learner;
use line::{Lines, Unit};
use table::{Builder, Table, Writer};

use options::Action;
pub use options::{FieldNames, LineTemplateOptions, Place, TablePaths};

/// From so many lines of prose on that a document has from others of its cluster, and from this share of the bytes of its
/// prose on, its text is what it shares.
///
/// A template has a notice or two, and on short pages these may be most of the prose; the chapters of a manual in twenty
/// languages have those paragraphs in common that nobody has translated, and the original has them all.
const SHARED_PROSE: (usize, f64) = (5, 1.0 / 3.0);

/// The version of the format of saved states.
const STATE_FORMAT: u32 = 3;

/// The pass over documents whose group is known, and over all others to find theirs.
const GROUPS: u32 = 0;

/// Learns and removes template lines; see [`LineTemplateOptions`].
#[derive(Debug)]
pub struct LineTemplate {
    options: LineTemplateOptions,
    lines: Lines,
    /// The options that decide what is observed, for saved states.
    observing: String,
    counts: [Runs<Tally>; 2],
    /// Between the passes: what was learned of groups that are known, and the clusters of the other documents.
    learner: Mutex<Option<Learner>>,
    clusters: OnceLock<Clusters>,
    keep: OnceLock<PathBuf>,
    table: OnceLock<Table>,
}

impl CorpusStage for LineTemplate {
    const NAME: &'static str = "line-template";
    const WRITES: &'static [&'static str] = &["text", "template_ratio"];
    const MEASURES: &'static [MeasureInfo] = &[
        MeasureInfo::new("template_lines", "lines", "Lines that were taken out whole."),
        MeasureInfo::new("template_parts", "parts", "Parts that were cut off lines."),
        MeasureInfo::new("removed_chars", "characters", "Characters that were taken out."),
        MeasureInfo::new("template_ratio", "", "Share of the visible characters that was template.")
            .at_most("flag_ratio")
            .better(Better::Lower),
    ];
    const OBSERVING_PASSES: u32 = 2;
    type Options = LineTemplateOptions;
    type Local = Local;

    fn open(options: Self::Options) -> Result<Self, SetupError> {
        check(&options)?;
        let table = if options.table.0.is_empty() {
            OnceLock::new()
        } else {
            OnceLock::from(read_tables(&options).map_err(|error| SetupError::in_option("table", error))?)
        };
        Ok(Self::new(options, table))
    }

    fn forms(&self) -> Forms {
        let forms = Forms::new().taking([Form::Flattened, Form::Clean]).needing([Layout::Lines]).cleaning();
        // What is learned already is not learned from these documents.
        if self.passes() == 0 { forms } else { forms.counting_holders() }
    }

    fn passes(&self) -> u32 {
        match (self.options.table.0.is_empty(), self.options.cluster) {
            (false, _) => 0,
            (true, false) => 1,
            (true, true) => 2,
        }
    }

    fn prepare(&self, workspace: &Workspace) -> Result<(), Failure> {
        let scratch = Scratch::new(workspace, self.options.max_state_bytes);
        self.counts.iter().for_each(|counts| counts.place(scratch.clone()));
        self.keep.get_or_init(|| workspace.keep.clone());
        Ok(())
    }

    fn observe(&self, pass: u32, local: &mut Local, document: &View<'_>) -> Result<(), Failure> {
        let text = document.text();
        if pass >= self.passes() || text.trim().is_empty() {
            return Ok(());
        }
        let group = self.group(|field| document.metadata(field));
        if pass == GROUPS {
            local.read(text, self.lines);
            local.count(&group, text);
        } else if group.is_empty() {
            let clusters = self.clusters.get().ok_or_else(|| Failure::new("the first pass has not ended"))?;
            let cluster = clusters.name_for(local.read(text, self.lines).keys())?;
            if let Some(cluster) = cluster {
                local.count(&cluster, text);
            }
        }
        let counts = self.counts(pass)?;
        if local.size() > counts.local_bytes() {
            counts.add(local.drain());
        }
        Ok(())
    }

    fn merge(&self, pass: u32, mut local: Local) {
        if let Ok(counts) = self.counts(pass) {
            counts.add(local.drain());
        }
    }

    fn end_pass(&self, pass: u32) -> Result<(), Failure> {
        let counts = self.counts(pass)?;
        let mut known = self.learner.lock().unwrap_or_else(PoisonError::into_inner);
        let mut learner = known.take().unwrap_or_else(|| Learner::new(&self.options, counts.scratch()));
        if pass != GROUPS {
            learner.go_on_with_clusters()?;
        } else if self.options.cluster {
            let mut pool = Pool::new(counts.scratch());
            let unknown = xxh3_128(b"");
            counts.drain(|tally| {
                if tally.group == unknown {
                    pool.see(&tally);
                    Ok(())
                } else {
                    learner.see(tally)
                }
            })?;
            let clusters = pool.finish(self.options.min_shared_lines)?;
            *known = Some(learner);
            return self.clusters.set(clusters).map_err(|_| Failure::new("the pass has ended before"));
        }
        counts.drain(|tally| learner.see(tally))?;
        let mut kept = self.keep.get().map(|folder| Writer::new(&self.options, folder)).transpose()?;
        let mut table = Builder::new(counts.scratch());
        for line in learner.finish()? {
            let line = line?;
            if let Some(kept) = &mut kept {
                kept.line(&line)?;
            }
            table.learn(&line);
        }
        kept.map_or(Ok(()), Writer::finish)?;
        self.table.set(table.finish()?).map_err(|_| Failure::new("the pass has ended before"))
    }

    fn apply(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let table = self.table.get().ok_or_else(|| Failure::new("the corpus has not been observed yet"))?;
        let original = draft.original();
        let scan = Scan::shared(
            original.text(),
            |name, version| original.flat(name, version),
            |name, version, ends| original.attach(name, version, ends),
        );
        let text = scan.text();
        let group = self.group(|field| original.metadata(field));
        let mut units = Vec::new();
        self.lines.each_unit(&scan, &mut Vec::new(), |unit, _| units.push(unit));
        let mut keys: Vec<u128> = units.iter().filter_map(|unit| unit.key).map(|key| key.hash).collect();
        keys.sort_unstable();
        keys.dedup();
        let Some(template) = table.template(&group, &keys, self.options.min_shared_lines)? else {
            draft.notes().count("no_template", 1);
            return Ok(Verdict::Keep);
        };
        let class = |unit: &Unit| unit.key.and_then(|key| template.class(key.hash));
        if group.is_empty() && shares_its_text(&units, class) {
            draft.notes().count("shared_text", 1);
            return Ok(Verdict::Keep);
        }
        let pieces = strip::settled(strip::pieces(&units, class), self.options.position);
        if self.options.action == Action::Mark {
            // Also where nothing is shared: that a line is a document's own is worth knowing.
            draft.attach(marks::LAYOUT, marks::VERSION, marks::bytes(&pieces));
        }
        let stripped = strip::strip(&scan, &pieces);
        let (n_lines, n_parts) =
            stripped.as_ref().map_or((0, 0), |stripped| (stripped.n_lines, stripped.n_parts));
        draft.notes().measure("template_lines", n_lines as f64, Limit::None);
        draft.notes().measure("template_parts", n_parts as f64, Limit::None);
        let Some(stripped) = stripped else { return Ok(Verdict::Keep) };
        let n_removed = text.chars().count() - stripped.text.chars().count();
        if self.options.action == Action::Remove {
            draft.notes().measure("removed_chars", n_removed as f64, Limit::None);
        }
        let ratio = 1.0 - count_visible(&stripped.text) as f64 / count_visible(text).max(1) as f64;
        draft.notes().measure("template_ratio", ratio, Limit::Max(self.options.flag_ratio));
        match self.options.action {
            Action::Remove => {
                draft.notes().count("lines_dropped", n_lines);
                draft.notes().count("parts_cut", n_parts);
                draft.notes().count("documents_changed", 1);
            }
            Action::Mark => draft.notes().count("documents_marked", 1),
        }
        if self.options.drop_empty && !stripped.has_text {
            // The text stays as it was: whoever looks at what was dropped wants to see it.
            return Ok(Verdict::Drop("template-only".into()));
        }
        if ratio > self.options.flag_ratio {
            draft.notes().count("documents_flagged", 1);
            // Three decimals say enough, and look the same everywhere.
            draft.set_metadata("template_ratio", (ratio * 1000.0).round() / 1000.0);
        }
        if self.options.action == Action::Remove {
            draft.set_text(stripped.text);
        }
        Ok(Verdict::Keep)
    }

    fn save(&self, pass: u32, out: &mut dyn Write) -> Result<(), Failure> {
        self.counts(pass)?.save(&self.header(), out)
    }

    fn load(&self, pass: u32, state: &mut dyn Read) -> Result<(), Failure> {
        self.counts(pass)?.load(&self.header(), state)
    }
}

impl LineTemplate {
    fn new(options: LineTemplateOptions, table: OnceLock<Table>) -> Self {
        let lines = Lines::of(&options);
        // What is only asked when the pass ends may differ between shards.
        let observing = format!(
            "group_by = {:?}, cluster = {}, mask_digits = {}, near_equal = {}, max_line_columns = {}",
            options.group_by.0,
            options.cluster,
            options.mask_digits,
            options.near_equal,
            options.max_line_columns
        );
        Self {
            options,
            lines,
            observing,
            counts: [Runs::new("lines"), Runs::new("cluster-lines")],
            learner: Mutex::new(None),
            clusters: OnceLock::new(),
            keep: OnceLock::new(),
            table,
        }
    }

    fn counts(&self, pass: u32) -> Result<&Runs<Tally>, Failure> {
        self.counts.get(pass as usize).ok_or_else(|| Failure::new(format!("there is no pass {pass}")))
    }

    /// The group of a document with these fields; empty when it has none of those that matter.
    fn group<'a>(&self, field: impl Fn(&str) -> Option<ValueRef<'a>>) -> Cow<'a, str> {
        let names = &self.options.group_by.0;
        names.iter().filter_map(|name| field(name)).find_map(line::group_of).unwrap_or_default()
    }

    fn header(&self) -> Header<'_> {
        Header { stage: Self::NAME, format: STATE_FORMAT, options: &self.observing }
    }
}

/// Whether what a document has in common with its cluster is its text and no template.
///
/// A line that is too wide to be compared is text of its own: an article in one line below the notices of its account is
/// no version of another one. Lines of one sentence do not count, however wide: with them a handbook in many languages
/// lost the paragraphs that nobody has translated.
fn shares_its_text(units: &[Unit], class: impl Fn(&Unit) -> Option<learn::Class>) -> bool {
    let (mut n_shared, mut shared, mut all) = (0, 0, 0);
    for unit in units.iter().filter(|unit| !unit.is_part) {
        let n_bytes = (unit.end - unit.start) as u64;
        let prose = unit.key.map_or(n_bytes, |key| u64::from(key.prose));
        all += prose;
        if prose > 0 && class(unit).is_some() {
            n_shared += 1;
            shared += prose;
        }
    }
    n_shared >= SHARED_PROSE.0 && shared as f64 >= SHARED_PROSE.1 * all as f64
}

fn check(options: &LineTemplateOptions) -> Result<(), SetupError> {
    if options.group_by.0.iter().any(String::is_empty) {
        return Err(SetupError::in_option("group_by", "`group_by` has an empty name: name a metadata field"));
    }
    if !(0.0..=1.0).contains(&options.min_ratio) {
        let message = format!("`min_ratio` is {}, but must be from 0 to 1", options.min_ratio);
        return Err(SetupError::in_option("min_ratio", message));
    }
    for (name, value) in
        [("min_documents", options.min_documents), ("min_group_documents", options.min_group_documents)]
    {
        if value < 2 {
            let message = format!("`{name}` is {value}, but a line repeats in at least 2 documents");
            return Err(SetupError::in_option(name, message));
        }
    }
    if !(0.0..=1.0).contains(&options.flag_ratio) {
        let message = format!("`flag_ratio` is {}, but must be from 0 to 1", options.flag_ratio);
        return Err(SetupError::in_option("flag_ratio", message));
    }
    if options.cluster && options.min_shared_lines == 0 {
        let message = "`min_shared_lines` is 0, but documents of a cluster share at least 1 line";
        return Err(SetupError::in_option("min_shared_lines", message));
    }
    if options.max_line_columns == 0 {
        return Err(SetupError::in_option(
            "max_line_columns",
            "`max_line_columns` is 0, so nothing would match",
        ));
    }
    Ok(())
}

fn read_tables(options: &LineTemplateOptions) -> Result<Table, String> {
    let mut table = Builder::new(None);
    for path in &options.table.0 {
        read_table(path, options, &mut table)?;
    }
    table.finish().map_err(|failure| failure.to_string())
}

fn read_table(path: &Path, options: &LineTemplateOptions, table: &mut Builder) -> Result<(), String> {
    let file =
        open_file(path).map_err(|error| format!("cannot read the table `{}`: {error}", path.display()))?;
    table::read(&path.display().to_string(), &mut BufReader::new(file), options, table)
}
