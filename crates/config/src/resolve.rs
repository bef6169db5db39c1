//! From the merged tree to a plan: every check that needs the stages.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};
use tamis_stage::Registry;

use crate::canonical::{self, portable};
use crate::check::{Checker, size_of};
use crate::compression;
use crate::destination::{Destination, destinations, is_remote};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::envelope::{ENVELOPE, means_list};
use crate::fields;
use crate::inputs;
use crate::longest::longest;
use crate::node::{Data, Node, Table};
use crate::opened::OpenedSource;
use crate::opening::{Checked, Opener, is_envelope};
use crate::pipeline::{Pipeline, PluginLocator};
use crate::plan::{
    Compression, DEAD_LETTERS, ExportPlan, From, Plan, ReaderPlan, RunSettings, SourcePlan, StagePlan,
};
use crate::size::format_size;
use crate::step::Step;
use crate::tests_table;
use crate::text::{Place, TextKind};

/// Large enough that a billion documents are some thousand files, small enough to be moved about.
/// What stands for the folder of an export that has none.
const STREAM: &str = "-";
const DEFAULT_PART_BYTES: u64 = 256 << 20;

/// What the first files of sources are: by the id of a source, the readers that they are for, each with one of the files.
pub type Seen = BTreeMap<String, Vec<(String, String)>>;

impl Pipeline {
    /// Checks everything else, and whether the stages can be opened.
    ///
    /// `plugin_errors` are the libraries that could not be loaded, by their position in
    /// [`Pipeline::plugins`], with a message; they are shown where the pipeline names them.
    ///
    /// # Errors
    ///
    /// All mistakes and warnings, in the order of the file, when at least one is a mistake.
    pub fn plan(self, registry: &Registry, plugin_errors: Vec<(usize, String)>) -> Result<Plan, Diagnostics> {
        self.plan_having_seen(registry, plugin_errors, &|_| Seen::new())
    }

    /// The same, with a look at the first files of sources that choose among readers: what is said of forms of text is
    /// said of the readers that these files are for. `look` is given the sources that choose, with their readers open.
    ///
    /// # Errors
    ///
    /// As [`Pipeline::plan`].
    pub fn plan_having_seen(
        mut self,
        registry: &Registry,
        plugin_errors: Vec<(usize, String)>,
        look: &dyn Fn(&[OpenedSource]) -> Seen,
    ) -> Result<Plan, Diagnostics> {
        let mut diagnostics = std::mem::take(&mut self.diagnostics);
        let mut failed_plugins = self.unusable_plugins();
        failed_plugins.extend(plugin_errors.iter().filter_map(|(index, _)| {
            Some(match &self.plugins().get(*index)?.locator {
                PluginLocator::Path(path) => path.to_string_lossy().into_owned(),
                PluginLocator::Name(name) => name.clone(),
            })
        }));
        for (index, message) in plugin_errors {
            diagnostics.push(match self.plugins().get(index) {
                Some(plugin) => Diagnostic::error(&plugin.place, message),
                None => Diagnostic::in_file(&self.text.name, message),
            });
        }
        let folder = self.file.parent().unwrap_or(&self.file).to_path_buf();
        let longest = longest(self.root.get("run").and_then(Node::as_table), &mut diagnostics);
        let max_record_bytes = longest.bytes;
        let mut planner = Planner {
            pipeline: &self,
            opener: Opener::new(registry, longest, failed_plugins, folder.clone()),
            max_record_bytes,
            folder,
            diagnostics,
            look,
            seen: Vec::new(),
        };
        let plan = planner.plan();
        let mut diagnostics = planner.diagnostics;
        diagnostics.append(planner.opener.diagnostics);
        if diagnostics.has_errors() {
            diagnostics.sort();
            return Err(diagnostics);
        }
        diagnostics.sort();
        Ok(Plan { warnings: diagnostics, ..plan })
    }
}

/// Fewer blocks in memory than this leave threads without work.
const BLOCKS_IN_MEMORY: u64 = 8;

struct Planner<'a> {
    pipeline: &'a Pipeline,
    opener: Opener<'a>,
    /// The longest record, in bytes.
    max_record_bytes: u64,
    /// The folder of the pipeline file.
    folder: PathBuf,
    diagnostics: Diagnostics,
    /// Looks at the first files of sources.
    look: &'a dyn Fn(&[OpenedSource]) -> Seen,
    /// The readers that the first files are for, or all of a source at which nobody has looked.
    seen: Vec<Step>,
}

/// Plans of one kind, what they do to fields, and what they are compared by.
struct Planned<P> {
    plans: Vec<P>,
    steps: Vec<Step>,
    canonical: Vec<Value>,
}

impl<P> Planned<P> {
    fn new() -> Self {
        Self { plans: Vec::new(), steps: Vec::new(), canonical: Vec::new() }
    }
}

impl<'a> Planner<'a> {
    /// The plan as far as it can be made; whole only if there are no errors.
    fn plan(&mut self) -> Plan {
        let root = &self.pipeline.root;
        let mut checker = Checker::for_keys(&ENVELOPE.root, "the pipeline", &self.pipeline.text.at(0..0));
        checker.table(root);
        self.diagnostics.append(checker.finish().0);

        let mut sources = self.sources();
        let mut stages = self.stages();
        let n_stages = root.get("stage").and_then(Node::as_array).map_or(0, <[Node]>::len);
        let mut exports = self.exports(&sources.plans);
        let mut uncertain = fields::check(
            &sources.steps,
            &self.seen,
            &stages.steps,
            &exports.steps,
            self.opener.registry,
            &mut self.diagnostics,
        );
        for plan in &mut sources.plans {
            plan.named_fields = uncertain.take("source", &plan.id);
        }
        for plan in &mut stages.plans {
            plan.named_fields = uncertain.take("stage", &plan.id);
        }
        for plan in &mut exports.plans {
            plan.named_fields = uncertain.take("export", &plan.id);
        }
        let has_passes = stages.plans.iter().any(|stage| stage.observing_passes > 0);
        let all_known = stages.plans.len() == n_stages;
        let writes_there = |export: &ExportPlan| export.address().is_some();
        // With `-o` the pipeline may be for a store, and this run for a folder.
        let sends = self.pipeline.output.is_some() || exports.plans.iter().any(writes_there);
        let run = self.run(&sources.plans, has_passes || sends || !all_known);
        let file_stem = self.pipeline.file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let name = root.get("name").and_then(Node::as_str).map(str::to_owned).or(file_stem);
        let mut plan = Plan {
            name: name.unwrap_or_default(),
            file: self.pipeline.file.clone(),
            sources: sources.plans,
            stages: stages.plans,
            exports: exports.plans,
            run,
            tests: tests_table::tests(root, &mut self.diagnostics),
            warnings: Diagnostics::default(),
            canonical: Value::Null,
            files: self.opener.files.iter().cloned().collect(),
        };
        plan.canonical = canonical::plan(&plan, &sources.canonical, &stages.canonical, &exports.canonical);
        plan
    }

    /// The tables of a list, without what is no table (which is complained about as a type).
    fn tables(&mut self, list: &str, why: Option<&str>) -> Vec<(&'a Place, &'a Table)> {
        let pipeline: &'a Pipeline = self.pipeline;
        let node = pipeline.root.get(list);
        let items = node.and_then(Node::as_array).unwrap_or_default();
        if let Some(why) = why
            && !pipeline.is_stages_alone
            && items.is_empty()
            && node.is_none_or(|node| node.as_array().is_some())
            // Then there is one, under another name, and that has been said.
            && !pipeline.root.entries.iter().any(|entry| means_list(&entry.key, list))
        {
            let message = format!("the pipeline has no `[[{list}]]`");
            self.diagnostics.push(Diagnostic::in_file(&self.pipeline.text.name, message).note(why));
        }
        items.iter().filter_map(|item| Some((&item.place, item.as_table()?))).collect()
    }

    fn sources(&mut self) -> Planned<SourcePlan> {
        let mut planned = Planned::new();
        let why = "add one that says what to read, with `use = \"auto\"` and `paths = [\"…\"]`";
        let tables = self.tables("source", Some(why));
        self.opener.begin();
        let (mut stdin, mut readers_of) = (None, Vec::new());
        for (place, table) in tables {
            let Some(entry) = self.opener.open("source", place, table) else { continue };
            readers_of.push((entry.id.clone(), entry.steps.clone()));
            planned.steps.extend(entry.steps);
            let paths = table.get("paths").map(Node::strings).unwrap_or_default();
            let exclude = table.get("exclude").map(Node::strings).unwrap_or_default();
            inputs::stdin_once(&paths, &mut stdin, &mut self.diagnostics);
            let excluded = inputs::excluded(&exclude, &mut self.diagnostics);
            self.diagnostics.extend(inputs::excludes_nothing(&paths, table.entry("exclude")));
            let inputs = if self.pipeline.ignores_inputs {
                Vec::new()
            } else {
                inputs::inputs(&paths, &excluded, &mut self.diagnostics)
            };
            let readers: Vec<Value> = entry
                .checked
                .iter()
                .map(|reader| canonical::stage(&entry.id, &reader.info, &reader.portable))
                .collect();
            planned.canonical.push(json!({
                "id": entry.id,
                "readers": readers,
                "paths": paths.iter()
                    .map(|(path, place)| inputs::canonical(path, place, &self.folder))
                    .collect::<Vec<_>>(),
                "exclude": exclude.iter().map(|(pattern, _)| *pattern).collect::<Vec<_>>(),
            }));
            let reader = |it: Checked| ReaderPlan { info: it.info, options: it.options };
            let readers = entry.checked.into_iter().map(reader).collect();
            planned.plans.push(SourcePlan {
                id: entry.id,
                readers,
                inputs,
                exclude: excluded,
                named_fields: Vec::new(),
            });
        }
        self.look(&planned.plans, readers_of);
        planned
    }

    /// Notes which readers the first files of sources are for.
    fn look(&mut self, plans: &[SourcePlan], readers_of: Vec<(String, Vec<Step>)>) {
        let choose = plans.iter().filter(|plan| plan.readers.len() > 1);
        // Whatever keeps a reader from being opened once more is told by a run.
        let open = choose.filter_map(|plan| OpenedSource::new(plan, self.opener.registry).ok());
        let open: Vec<OpenedSource> = open.collect();
        let seen = if open.is_empty() { Seen::new() } else { (self.look)(&open) };
        for (id, readers) in readers_of {
            let Some(seen) = seen.get(&id) else {
                self.seen.extend(readers);
                continue;
            };
            let example =
                |step: &Step| seen.iter().find(|(name, _)| *name == step.name).map(|(_, file)| file.clone());
            self.seen.extend(readers.iter().filter_map(|step| Some(step.with_example(example(step)?))));
        }
    }

    fn stages(&mut self) -> Planned<StagePlan> {
        let mut planned = Planned::new();
        let tables = self.tables("stage", None);
        self.opener.begin();
        for (place, table) in tables {
            let Some(entry) = self.opener.open("stage", place, table) else { continue };
            planned.steps.extend(entry.steps);
            for stage in entry.checked {
                planned.canonical.push(canonical::stage(&entry.id, &stage.info, &stage.portable));
                planned.plans.push(StagePlan {
                    id: entry.id.clone(),
                    info: stage.info,
                    options: stage.options,
                    observing_passes: stage.observing_passes,
                    isolate: stage.isolate,
                    notes: stage.notes,
                    named_fields: Vec::new(),
                });
            }
        }
        planned
    }

    fn exports(&mut self, sources: &[SourcePlan]) -> Planned<ExportPlan> {
        let mut planned = Planned::new();
        let why = "add one that says where to write, with `use = \"jsonl\"` and `path = \"out\"`";
        let tables = self.tables("export", Some(why));
        self.opener.begin();
        let own: Vec<&Table> = tables.iter().map(|(_, table)| *table).collect();
        let destinations = destinations(&own, self.pipeline.output.as_ref(), &mut self.diagnostics);
        if !self.pipeline.streams {
            self.check_destinations(&destinations, sources);
        }
        for ((place, table), destination) in tables.iter().zip(&destinations) {
            let Some(entry) = self.opener.open("export", place, table) else { continue };
            let from = from(table);
            if from == From::Kept {
                let fields = || destination.iter().flat_map(|it| &it.fields);
                planned.steps.extend(entry.steps.into_iter().map(|step| {
                    fields().fold(step, |step, (field, place)| step.with_path_field(field, place))
                }));
            }
            for exporter in entry.checked {
                let compression = self.compression(table, &exporter);
                if exporter.info.flags.named_files
                    && let Some(entry) = table.entry("max_part_bytes")
                {
                    let name = &exporter.info.name;
                    let message = format!("`max_part_bytes` of exporter `{name}` has no effect");
                    let label = "it writes a file for each document: remove this";
                    self.diagnostics.push(Diagnostic::error(&entry.key_place, message).label(label));
                }
                let max_part_bytes =
                    table.get("max_part_bytes").and_then(size_of).unwrap_or(DEFAULT_PART_BYTES);
                let portable = exporter.portable.clone();
                let path = destination.as_ref().map(|it| it.folder.clone()).unwrap_or_default();
                let export = export(exporter, entry.id.clone(), path, from);
                let partition = destination.as_ref().and_then(|it| it.partition.clone());
                let export = ExportPlan { partition, compression, max_part_bytes, ..export };
                planned.canonical.push(self.canonical_export(&export, &portable));
                planned.plans.push(export);
            }
        }
        if self.pipeline.streams {
            self.stream(&mut planned);
        } else {
            self.dead_letters(&tables, &destinations, &mut planned);
        }
        planned
    }

    /// Leaves one export, whose bytes are handed on as they come.
    fn stream(&mut self, planned: &mut Planned<ExportPlan>) {
        let can_stream = |info: &tamis_stage::StageInfo| !info.flags.named_files && !info.flags.parts;
        let fit =
            planned.plans.iter().find(|plan| plan.from == From::Kept && can_stream(&plan.info)).cloned();
        let fit = fit.or_else(|| {
            let exporter = self.opener.open_replayable(can_stream)?;
            Some(export(exporter, "output".to_owned(), PathBuf::new(), From::Kept))
        });
        let Some(fit) = fit else { return };
        let path = PathBuf::from(STREAM);
        let fit = ExportPlan { path, partition: None, compression: Compression::None, ..fit };
        planned.canonical = vec![self.canonical_export(&fit, &fit.options)];
        planned.plans = vec![fit];
    }

    /// No two exports share a folder, and none writes over inputs.
    fn check_destinations(&mut self, destinations: &[Option<Destination>], sources: &[SourcePlan]) {
        let mut folders: BTreeMap<&Path, &Place> = BTreeMap::new();
        for destination in destinations.iter().flatten() {
            if let Some(first) = folders.insert(&destination.folder, &destination.place) {
                self.diagnostics.push(
                    Diagnostic::error(&destination.place, "two exports write to one folder")
                        .label("give this one a folder of its own")
                        .related(first, "the first is here"),
                );
            }
            self.check_apart("output", &destination.folder, &destination.place, sources);
        }
        self.check_one_kind(destinations);
    }

    /// What a run notes of its output lies beside that of the first export, so all lie on disks or all in stores.
    fn check_one_kind(&mut self, destinations: &[Option<Destination>]) {
        let mut all = destinations.iter().flatten();
        let Some(first) = all.next() else { return };
        let Some(other) = all.find(|it| is_remote(&it.folder) != is_remote(&first.folder)) else { return };
        let message = "some exports write to an object store and some to folders of this machine";
        self.diagnostics.push(
            Diagnostic::error(&other.place, message)
                .label("write all of them to one kind of place")
                .related(&first.place, "the first is here"),
        );
    }

    /// A folder that is written to neither is nor holds a folder of inputs.
    fn check_apart(&mut self, what: &str, folder: &Path, place: &Place, sources: &[SourcePlan]) {
        let inputs = sources.iter().flat_map(|source| &source.inputs);
        self.diagnostics.extend(inputs::overlap(what, folder, place, inputs));
    }

    /// Failed records always go somewhere: without an export that takes them, beside those of the first.
    fn dead_letters(
        &mut self,
        tables: &[(&Place, &Table)],
        destinations: &[Option<Destination>],
        planned: &mut Planned<ExportPlan>,
    ) {
        if tables.iter().any(|(_, table)| from(table) == From::Failed) {
            return;
        }
        let (Some((_, table)), Some(first)) = (tables.first(), planned.plans.first()) else { return };
        let path = first.path.join(DEAD_LETTERS);
        if let Some(taken) = destinations.iter().flatten().find(|it| it.folder == path) {
            let message = "failed records go to this folder";
            let label = "choose another one, or add an export with `from = \"failed\"`";
            self.diagnostics.push(Diagnostic::error(&taken.place, message).label(label));
            return;
        }
        let id = free_id("failed", &planned.plans);
        // Not every format has a place for the bytes of a record that could not be read.
        let other = if first.info.flags.replayable { None } else { self.opener.open_replayable(|_| true) };
        let (compression, max_part_bytes) = match other {
            Some(_) => (Compression::None, DEFAULT_PART_BYTES),
            None => (first.compression, first.max_part_bytes),
        };
        // The first export opened with these options already, so that this can only fail by chance.
        let Some(exporter) = other.or_else(|| self.opener.reopen("export", table)) else { return };
        let portable = exporter.portable.clone();
        let export = export(exporter, id, path, From::Failed);
        let export = ExportPlan { compression, max_part_bytes, implicit: true, ..export };
        planned.canonical.push(self.canonical_export(&export, &portable));
        planned.plans.push(export);
    }

    fn compression(&mut self, table: &Table, exporter: &Checked) -> Compression {
        let own = |key: &str| table.get(key).filter(|_| is_envelope("export", key, Some(&exporter.info)));
        compression::compression(
            own("compression"),
            own("compression_level"),
            &exporter.info,
            &mut self.diagnostics,
        )
    }

    fn canonical_export(&self, export: &ExportPlan, options: &Value) -> Value {
        let mut value = canonical::stage(&export.id, &export.info, options);
        value["path"] = Value::from(portable(&export.path, &self.folder));
        if let Some(partition) = &export.partition {
            value["partition"] = Value::from(partition.to_string());
        }
        value["from"] = Value::from(export.from.as_str());
        value["compression"] = canonical::compression(export.compression);
        value["max_part_bytes"] = Value::from(export.max_part_bytes);
        value
    }

    /// The `[run]` table; `puts_aside` says whether documents are put aside between passes, or
    /// parts until a store has them, as far as is known.
    fn run(&mut self, sources: &[SourcePlan], puts_aside: bool) -> RunSettings {
        let mut settings = RunSettings { max_record_bytes: self.max_record_bytes, ..RunSettings::default() };
        let Some(node) = self.pipeline.root.get("run") else { return settings };
        let Some(table) = node.as_table() else { return settings };
        let mut checker = Checker::for_keys(&ENVELOPE.run, "`[run]`", &node.place);
        checker.table(table);
        let (found, _) = checker.finish();
        let is_sound = found.is_empty();
        self.diagnostics.append(found);
        if let Some(Data::Integer(threads)) = table.get("threads").map(|node| &node.data) {
            settings.threads = usize::try_from(*threads).unwrap_or_default();
        }
        if let Some(memory) = table.get("memory").and_then(size_of) {
            settings.memory = memory;
        }
        if let Some(ratio) = table.get("max_failed_ratio").and_then(Node::as_f64) {
            settings.max_failed_ratio = ratio;
        }
        if let Some(bytes) = table.get("block_bytes").and_then(size_of) {
            settings.block_bytes = bytes;
        }
        if let Some(seconds) = table.get("checkpoint_secs").and_then(Node::as_f64) {
            settings.checkpoint_secs = seconds;
        }
        if let Some(seconds) = table.get("stage_timeout_secs").and_then(Node::as_f64) {
            settings.stage_timeout_secs = seconds;
        }
        if let Some(Data::Bool(fates)) = table.get("fates").map(|node| &node.data) {
            settings.fates = *fates;
        }
        if let Some(Data::Bool(report)) = table.get("report").map(|node| &node.data) {
            settings.report = *report;
        }
        if let Some((node, written)) = table.get("work").and_then(|node| Some((node, node.as_str()?))) {
            let folder = node.place.path(written);
            self.check_apart("work", &folder, &node.place, sources);
            settings.work = Some(folder);
            // A base or the environment may set it for all pipelines, some of which need it.
            let is_of_this_pipeline = Arc::ptr_eq(&node.place.text, &self.pipeline.text)
                || node.place.text.kind == TextKind::CommandLine;
            if !puts_aside && is_of_this_pipeline {
                let place = table.entry("work").map_or(&node.place, |entry| &entry.key_place);
                let label =
                    "works only with a corpus stage that learns or an export to an object store: remove this";
                self.diagnostics
                    .push(Diagnostic::error(place, "`work` of `[run]` has no effect").label(label));
            }
        }
        self.diagnostics.extend(large_blocks(table, &settings).filter(|_| is_sound));
        settings
    }
}

/// Warns about blocks of which hardly one a thread fits into the memory.
fn large_blocks(table: &Table, settings: &RunSettings) -> Option<Diagnostic> {
    let most = settings.memory / BLOCKS_IN_MEMORY;
    // The default is small enough for any memory that is allowed.
    let node = table.get("block_bytes").filter(|_| settings.block_bytes > most)?;
    let message = format!(
        "`block_bytes` is {}, and few blocks fit into a `memory` of {}",
        format_size(settings.block_bytes),
        format_size(settings.memory)
    );
    let label = format!("threads wait for memory; at most {} is better", format_size(most));
    Some(Diagnostic::warning(&node.place, message).label(label))
}

fn from(table: &Table) -> From {
    match table.get("from").and_then(Node::as_str) {
        Some("dropped") => From::Dropped,
        Some("failed") => From::Failed,
        _ => From::Kept,
    }
}

/// An export as its stage gives it, without compression.
fn export(exporter: Checked, id: String, path: PathBuf, from: From) -> ExportPlan {
    ExportPlan {
        id,
        info: exporter.info,
        options: exporter.options,
        path,
        partition: None,
        from,
        compression: Compression::None,
        max_part_bytes: DEFAULT_PART_BYTES,
        implicit: false,
        named_fields: Vec::new(),
    }
}

fn free_id(wanted: &str, exports: &[ExportPlan]) -> String {
    let taken = |id: &str| exports.iter().any(|export| export.id == id);
    let numbered = (2..).map(|number| format!("{wanted}-{number}"));
    std::iter::once(wanted.to_owned()).chain(numbered).find(|id| !taken(id)).unwrap_or_default()
}
