//! `line-template`: learns the lines that documents share, and removes them.
//!
//! [`options`] holds the page of the stage; `line` says which lines count as the same, `count` counts them,
//! `table` chooses, writes and reads the template, `strip` takes it out of a text.

mod count;
mod line;
mod options;
mod strip;
mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tamis_plugin::{CorpusStage, Draft, Failure, Limit, SetupError, ValueRef, Verdict, View, Workspace};

use crate::spill::{Header, Runs, Scratch};
use count::{Local, Tally};
use line::Lines;
use table::{Learner, Table};

pub use options::{FieldNames, LineTemplateOptions, Place};

/// Learns and removes template lines; see [`LineTemplateOptions`].
#[derive(Debug)]
pub struct LineTemplate {
    options: LineTemplateOptions,
    lines: Lines,
    /// The options that decide what is observed, for saved states.
    observing: String,
    counts: Runs<Tally>,
    keep: OnceLock<PathBuf>,
    table: OnceLock<Table>,
}

impl CorpusStage for LineTemplate {
    const NAME: &'static str = "line-template";
    const WRITES: &'static [&'static str] = &["text"];
    type Options = LineTemplateOptions;
    type Local = Local;

    fn open(options: Self::Options) -> Result<Self, SetupError> {
        check(&options)?;
        let table = match &options.table {
            Some(path) => OnceLock::from(
                read_table(path, &options).map_err(|error| SetupError::in_option("table", error))?,
            ),
            None => OnceLock::new(),
        };
        Ok(Self::new(options, table))
    }

    fn passes(&self) -> u32 {
        if self.options.table.is_some() { 0 } else { Self::OBSERVING_PASSES }
    }

    fn prepare(&self, workspace: &Workspace) -> Result<(), Failure> {
        self.counts.place(Scratch::new(workspace));
        self.keep.get_or_init(|| workspace.keep.clone());
        Ok(())
    }

    fn observe(&self, _pass: u32, local: &mut Local, document: &View<'_>) -> Result<(), Failure> {
        if self.options.table.is_some() || document.text().trim().is_empty() {
            return Ok(());
        }
        let group = self.group(|field| document.metadata(field));
        local.document(&group, document.text(), self.lines);
        if local.size() > self.counts.local_bytes() {
            self.counts.add(local.drain());
        }
        Ok(())
    }

    fn merge(&self, _pass: u32, mut local: Local) {
        self.counts.add(local.drain());
    }

    fn end_pass(&self, _pass: u32) -> Result<(), Failure> {
        let most = self.counts.scratch().map_or(usize::MAX, Scratch::table_bytes);
        let mut learner = Learner::new(&self.options, most);
        self.counts.drain(|tally| learner.see(tally))?;
        let table = learner.finish(self.keep.get().map(PathBuf::as_path))?;
        self.table.set(table).map_err(|_| Failure::new("the pass has ended before"))
    }

    fn apply(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let table = self.table.get().ok_or_else(|| Failure::new("the corpus has not been observed yet"))?;
        let original = draft.original();
        let group = self.group(|field| original.metadata(field));
        let Some(template) = table.lines(&group) else {
            draft.notes().count("no_template", 1);
            return Ok(Verdict::Keep);
        };
        let text = original.text();
        let mut plain = Vec::new();
        let stripped = strip::strip(text, self.options.position, |line| {
            self.lines.key(line, &mut plain).is_some_and(|key| template.contains(&key))
        });
        let n_lines = stripped.as_ref().map_or(0, |stripped| stripped.n_lines);
        draft.notes().measure("template_lines", n_lines as f64, Limit::None);
        let Some(stripped) = stripped else { return Ok(Verdict::Keep) };
        let n_removed = text.chars().count() - stripped.text.chars().count();
        draft.notes().measure("removed_chars", n_removed as f64, Limit::None);
        draft.notes().count("lines_dropped", n_lines);
        draft.notes().count("documents_changed", 1);
        if self.options.drop_empty && !stripped.has_text {
            // The text stays as it was: whoever looks at what was dropped wants to see it.
            return Ok(Verdict::Drop("template-only".into()));
        }
        draft.set_text(stripped.text);
        Ok(Verdict::Keep)
    }

    fn save(&self, _pass: u32, out: &mut dyn Write) -> Result<(), Failure> {
        self.counts.save(&self.header(), out)
    }

    fn load(&self, _pass: u32, state: &mut dyn Read) -> Result<(), Failure> {
        self.counts.load(&self.header(), state)
    }
}

impl LineTemplate {
    fn new(options: LineTemplateOptions, table: OnceLock<Table>) -> Self {
        let lines = Lines::of(&options);
        // What is only asked when the pass ends may differ between shards.
        let observing = format!(
            "group_by = {:?}, mask_digits = {}, max_line_columns = {}",
            options.group_by.0, options.mask_digits, options.max_line_columns
        );
        Self { options, lines, observing, counts: Runs::new("lines"), keep: OnceLock::new(), table }
    }

    /// The group of a document with these fields; empty when it has none of those that matter.
    fn group<'a>(&self, field: impl Fn(&str) -> Option<ValueRef<'a>>) -> Cow<'a, str> {
        let names = &self.options.group_by.0;
        names.iter().filter_map(|name| field(name)).find_map(line::group_of).unwrap_or_default()
    }

    fn header(&self) -> Header<'_> {
        Header { stage: Self::NAME, options: &self.observing }
    }
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
    if options.max_line_columns == 0 {
        return Err(SetupError::in_option(
            "max_line_columns",
            "`max_line_columns` is 0, so nothing would match",
        ));
    }
    Ok(())
}

fn read_table(path: &Path, options: &LineTemplateOptions) -> Result<Table, String> {
    let file =
        File::open(path).map_err(|error| format!("cannot read the table `{}`: {error}", path.display()))?;
    table::read(&path.display().to_string(), &mut BufReader::new(file), options)
}
