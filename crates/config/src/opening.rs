//! From a table with `use = "…"` to an open stage.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use tamis_stage::{Kind, Registry, SetupError, StageFactory, StageInfo, not_a_file};

use crate::canonical::portable;
use crate::check::{Checker, Idle, Mark, Meaning, above_all_tables, needs};
use crate::common_keys::in_order;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::envelope::{COMPRESSION, ENVELOPE, declares, keys};
use crate::expressions;
use crate::inputs;
use crate::longest::Longest;
use crate::node::{self, Data, Node, Table};
use crate::rule_files;
use crate::size::in_bytes;
use crate::stages_by_id::{MERGE_KEYS, has_effect};
use crate::step::Step;
use crate::suggest::{
    akin, choice, closest, did_you_mean, did_you_mean_beside, fold, is_said_otherwise, with_article,
};
use crate::text::{Place, TextKind};

/// The `use` of a source that leaves the choice of the reader to the file.
pub(crate) const AUTO: &str = "auto";

/// Looks stages up, checks their options and opens them; gathers what is wrong on the way.
///
/// Many a mistake only the stage itself can find, so it is opened, asked, and closed again: a plan holds nothing open.
pub(crate) struct Opener<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) diagnostics: Diagnostics,
    longest: Longest,
    /// What options name with `x-path`.
    pub(crate) files: BTreeSet<PathBuf>,
    /// Plugins that could not be loaded, by what the pipeline calls them: a stage that nobody knows may come
    /// from one of them.
    failed_plugins: Vec<String>,
    /// The folder of the pipeline file.
    folder: PathBuf,
    /// The ids in the current list.
    ids: BTreeMap<String, Place>,
}

/// A table with its stage.
pub(crate) struct Entry {
    pub(crate) id: String,
    /// Where it says `use`.
    pub(crate) place: Place,
    /// The stage; several readers for `auto`, nothing when something is wrong.
    pub(crate) checked: Vec<Checked>,
    /// What it does to fields, as far as it is known.
    pub(crate) steps: Vec<Step>,
}

/// A stage that can be opened with these options.
pub(crate) struct Checked {
    pub(crate) info: StageInfo,
    /// Options with absolute paths.
    pub(crate) options: Value,
    /// Options with paths relative to the folder of the pipeline.
    pub(crate) portable: Value,
    /// See [`StagePlan::observing_passes`](crate::StagePlan).
    pub(crate) observing_passes: u32,
    /// See [`StagePlan::isolate`](crate::StagePlan).
    pub(crate) isolate: bool,
    /// See [`StagePlan::notes`](crate::StagePlan).
    pub(crate) notes: Vec<String>,
}

impl<'a> Opener<'a> {
    pub(crate) fn new(
        registry: &'a Registry,
        longest: Longest,
        failed_plugins: Vec<String>,
        folder: PathBuf,
    ) -> Self {
        Self {
            registry,
            longest,
            diagnostics: Diagnostics::default(),
            files: BTreeSet::new(),
            failed_plugins,
            folder,
            ids: BTreeMap::new(),
        }
    }

    /// Begins another list, in which ids count anew.
    pub(crate) fn begin(&mut self) {
        self.ids.clear();
    }

    /// Checks a table and opens its stage; `None` when it does not even say which.
    pub(crate) fn open(&mut self, list: &str, place: &Place, table: &Table) -> Option<Entry> {
        let named = table.get("use").and_then(|node| Some((node.as_str()?, &node.place)));
        let factory = named
            .filter(|(name, _)| list != "source" || *name != AUTO)
            .and_then(|(name, place)| self.find(list, name, place));
        let info = factory.as_ref().map(|factory| factory.info());
        let mut checker = Checker::for_keys(ENVELOPE.of(list), format!("`[[{list}]]`"), place)
            .excusing(written_otherwise(list, table, info));
        checker.table(&part(table, |key| is_envelope(list, key, info)));
        self.diagnostics.append(checker.finish().0);
        if list == "stage" {
            self.diagnostics
                .extend(MERGE_KEYS.into_iter().filter_map(|key| without_effect(table.entry(key)?)));
        }
        let (name, use_place) = named?;
        let id = self.id(list, table, name, use_place);
        let mut entry = Entry { id, place: use_place.clone(), checked: Vec::new(), steps: Vec::new() };
        if let Some(factory) = &factory {
            let options = options(list, table, factory.info());
            let idle = self.open_one(factory.as_ref(), table, &options, &mut entry);
            self.diagnostics.extend(idle.into_iter().map(|idle| idle.complaint));
        } else if list == "source" && name == AUTO {
            self.open_all(table, &mut entry);
        }
        if entry.steps.is_empty() {
            entry.steps.push(Step::unknown(name, use_place));
        }
        let any_order = table.entry("any_order").filter(|it| list == "stage" && is_true(&it.value));
        let steps = std::mem::take(&mut entry.steps).into_iter();
        entry.steps = steps.map(|step| step.in_table(&entry.id, any_order.map(|it| &it.key_place))).collect();
        Some(entry)
    }

    /// Opens an exporter that loses nothing of a failed record, with its defaults; the first by name that will do.
    pub(crate) fn open_replayable(&mut self, will_do: impl Fn(&StageInfo) -> bool) -> Option<Checked> {
        let registry = self.registry;
        let is_fit = |info: &StageInfo| info.kind == Kind::Exporter && info.flags.replayable && will_do(info);
        let factory = registry.iter().find(|factory| is_fit(factory.info()))?;
        let options = serde_json::json!({});
        factory.open(&options).ok()?;
        Some(Checked {
            info: factory.info().clone(),
            portable: options.clone(),
            options,
            observing_passes: 0,
            isolate: false,
            notes: Vec::new(),
        })
    }

    /// Whether a stage is to run in processes of its own; one that cannot is complained about.
    fn is_isolated(&mut self, table: &Table, info: &StageInfo) -> bool {
        let asked = table.entry("isolate").filter(|it| info.kind.table() == "stage" && is_true(&it.value));
        let Some(entry) = asked else { return false };
        let why = if info.kind == Kind::Corpus {
            "a corpus stage remembers what it has seen, which processes of its own would not share: remove this"
        } else if !self.registry.can_isolate() {
            "this program cannot start processes for stages: remove this"
        } else {
            return true;
        };
        let message = format!("`isolate` of stage `{}` is not possible", info.name);
        self.diagnostics.push(Diagnostic::error(&entry.key_place, message).label(why));
        false
    }

    /// Opens the stage of a table once more, without complaints.
    pub(crate) fn reopen(&mut self, list: &str, table: &Table) -> Option<Checked> {
        let node = table.get("use")?;
        let factory = self.lookup(list, node.as_str()?)?;
        let options = options(list, table, factory.info());
        let mut entry =
            Entry { id: String::new(), place: node.place.clone(), checked: Vec::new(), steps: Vec::new() };
        self.open_one(factory.as_ref(), table, &options, &mut entry);
        entry.checked.pop()
    }

    /// The id of a table, which no other of its list may have.
    fn id(&mut self, list: &str, table: &Table, name: &str, place: &Place) -> String {
        let given = table.get("id").and_then(|node| Some((node.as_str()?, &node.place)));
        let (id, place) = given.unwrap_or((name, place));
        if let Some(first) = self.ids.get(id) {
            let label = if given.is_some() {
                "choose another `id`"
            } else {
                "add a line `id = \"…\"` to one of the two tables"
            };
            self.diagnostics.push(
                Diagnostic::error(place, format!("two {list}s are called `{id}`"))
                    .label(label)
                    .related(first, "the first is here"),
            );
        } else {
            self.ids.insert(id.to_owned(), place.clone());
        }
        id.to_owned()
    }

    fn lookup(&self, list: &str, name: &str) -> Option<Arc<dyn StageFactory>> {
        self.named(name).into_iter().find(|factory| factory.info().kind.table() == list).map(Arc::clone)
    }

    /// The stages of a name: a format may have a reader and an exporter.
    fn named(&self, name: &str) -> Vec<&'a Arc<dyn StageFactory>> {
        self.registry.iter().filter(|factory| factory.info().name == name).collect()
    }

    fn find(&mut self, list: &str, name: &str, place: &Place) -> Option<Arc<dyn StageFactory>> {
        if let Some(factory) = self.lookup(list, name) {
            return Some(factory);
        }
        let kinds: Vec<Kind> = self.named(name).iter().map(|factory| factory.info().kind).collect();
        if !kinds.is_empty() {
            let what: Vec<String> = kinds.iter().map(|kind| with_article(&kind.to_string())).collect();
            let tables: Vec<String> = kinds.iter().map(|kind| format!("[[{}]]", kind.table())).collect();
            let message = format!("`{name}` is {}: it belongs in {}", what.join(" and "), choice(&tables));
            let label =
                match self.infos().find(|info| info.kind.table() == list && is_variant(&info.name, name)) {
                    Some(info) => format!("did you mean the {} `{}`?", info.kind, info.name),
                    None => format!("not in `[[{list}]]`"),
                };
            self.diagnostics.push(Diagnostic::error(place, message).label(label));
            return None;
        }
        let names = || self.infos().filter(|info| info.kind.table() == list).map(|info| info.name.as_str());
        let auto = (list == "source").then_some(AUTO);
        let what = match list {
            "source" => "reader",
            "export" => "exporter",
            _ => "stage",
        };
        let elsewhere = closest(name, self.infos().map(|info| info.name.as_str()))
            .filter(|_| closest(name, names()).is_none() && !is_said_otherwise(name))
            .and_then(|name| self.infos().find(|info| info.name == name));
        let table = TABLES.into_iter().find(|table| *table == list);
        if let Some(advice) = table.and_then(|table| self.registry.left_out(table, name)) {
            let message = format!("the {what} `{name}` is not in this program");
            self.diagnostics.push(Diagnostic::error(place, message).label(advice));
            return None;
        }
        let label = match elsewhere {
            Some(info) => format!(
                "did you mean the {} `{}`? it belongs in `[[{}]]`",
                info.kind,
                info.name,
                info.kind.table()
            ),
            None => self.suggestion(list, name, &names().chain(auto).collect::<Vec<_>>(), what),
        };
        if !self.may_be_failed(name, label.starts_with("did you mean")) {
            self.diagnostics.push(Diagnostic::error(place, format!("unknown {what} `{name}`")).label(label));
        }
        None
    }

    /// What to write beside an unknown stage of a list: the likely name, those that have to do with it, or all.
    fn suggestion(&self, list: &str, name: &str, names: &[&str], what: &str) -> String {
        if closest(name, names.iter().copied()).is_none() {
            let infos = self.infos().filter(|info| info.kind.table() == list);
            let described: Vec<_> = infos.map(|info| (info.name.as_str(), info.summary.as_str())).collect();
            let akin = akin(name, &described);
            if !akin.is_empty() {
                return format!("perhaps {}; `tamis stages` lists all", choice(&akin));
            }
        }
        match did_you_mean(name, names.iter().copied(), &format!("{what}s")) {
            label if label.is_empty() => "`tamis stages` lists all".to_owned(),
            label => label,
        }
    }

    /// Whether a stage is probably one of a plugin that could not be loaded: then one complaint is enough.
    fn may_be_failed(&self, name: &str, resembles_known: bool) -> bool {
        let name = fold(name);
        let same = |plugin: &String| {
            let plugin = fold(plugin_name(plugin));
            plugin.contains(&name) || name.contains(&plugin)
        };
        self.failed_plugins.iter().any(same) || (!self.failed_plugins.is_empty() && !resembles_known)
    }

    fn infos(&self) -> impl Iterator<Item = &'a StageInfo> + use<'a> {
        self.registry.iter().map(|factory| factory.info())
    }

    /// `use = "auto"`: every reader takes part, with those options that it knows.
    fn open_all(&mut self, table: &Table, entry: &mut Entry) {
        let options = part(table, |key| !is_envelope("source", key, None));
        let registry = self.registry;
        let readers: Vec<_> = registry.iter().filter(|factory| factory.info().kind == Kind::Reader).collect();
        let known: BTreeSet<&str> = readers.iter().flat_map(|factory| keys(&factory.info().schema)).collect();
        for option in &options.entries {
            let is_known = known.iter().any(|known| {
                *known == option.key || (is_loose(&option.key_place) && fold(known) == fold(&option.key))
            });
            if !is_known {
                let own = in_order(&ENVELOPE.source);
                let known = known.iter().copied();
                let label = above_all_tables(option, "the `[[source]]`").unwrap_or_else(|| {
                    let own = (own.as_slice(), "in every `[[source]]`");
                    did_you_mean_beside(&option.key, known, "options of readers", own)
                });
                let message = format!("no reader knows the option `{}`", option.key);
                self.diagnostics.push(Diagnostic::error(&option.key_place, message).label(label));
            }
        }
        if readers.is_empty() {
            self.diagnostics.push(Diagnostic::error(&entry.place, "there is no reader to choose from"));
        }
        let before = std::mem::take(&mut self.diagnostics);
        let mut idle = Vec::new();
        let mut taking_part: Vec<Table> = Vec::new();
        for factory in readers {
            let schema = &factory.info().schema;
            let mut known = part(&unfolded(options.clone(), schema), |key| declares(schema, key));
            under_auto(&mut known, schema);
            // A reader that cannot do without an option stays out until it is given.
            if needs(schema).into_iter().all(|key| known.get(key).is_some()) {
                idle.extend(self.open_one(factory.as_ref(), table, &known, entry));
                taking_part.push(known);
            }
        }
        // What does nothing in one reader may do something in another.
        let n_readers = |place: &Place| {
            let has =
                |known: &&Table| known.entries.iter().any(|known| known.key_place.rank() == place.rank());
            taking_part.iter().filter(has).count()
        };
        let n_idle = |place: &Place| idle.iter().filter(|idle| idle.place.rank() == place.rank()).count();
        let idle: Vec<&Idle> =
            idle.iter().filter(|idle| n_idle(&idle.place) >= n_readers(&idle.place).max(1)).collect();
        self.diagnostics.extend(idle.into_iter().map(|idle| idle.complaint.clone()));
        // What several readers say about one value is said once.
        let mut found = std::mem::replace(&mut self.diagnostics, before);
        found.once_a_place();
        self.diagnostics.append(found);
    }

    /// Opens the stage of a table with its options; returns the settings without effect.
    fn open_one(
        &mut self,
        factory: &dyn StageFactory,
        table: &Table,
        options: &Table,
        entry: &mut Entry,
    ) -> Vec<Idle> {
        let info = factory.info();
        let options = &in_bytes(options, &info.schema);
        let list = info.kind.table();
        let word = if list == "stage" { list.to_owned() } else { info.kind.to_string() };
        let owner = format!("{word} `{}`", info.name);
        let common = in_order(ENVELOPE.of(list)).into_iter().filter(|key| is_envelope(list, key, Some(info)));
        let mut checker = Checker::for_options(&info.schema, owner.as_str(), &entry.place)
            .beside(common, format!("in every `[[{list}]]`"))
            .part_of(table, ENVELOPE.of(list));
        checker.table(options);
        let mut idle = checker.take_idle();
        let (mut found, marks) = checker.finish();
        let mut absolute = options.to_json(|_| true);
        self.longest.bound(info, &owner, options, &mut absolute, &mut found);
        let mut relative = absolute.clone();
        expressions::read(&marks, &mut found);
        for mark in &marks {
            if let Some(path) = existing(mark, &mut found) {
                replace(&mut absolute, &mark.pointer, path.to_string_lossy().into_owned());
                replace(&mut relative, &mark.pointer, portable(&path, &self.folder));
                self.files.insert(path);
            }
        }
        let is_sound = found.is_empty();
        self.diagnostics.append(found);
        if !is_sound {
            entry.steps.push(Step::unknown(&info.name, &entry.place));
            return idle;
        }
        entry.steps.push(Step::new(info, &absolute, &marks, &entry.place));
        let isolate = self.is_isolated(table, info);
        let opened = if isolate {
            self.registry.open_isolated(info, &absolute, None)
        } else {
            factory.open(&absolute)
        };
        match opened {
            Ok(handle) if handle.fits(info.kind) => {
                if let Some(step) = entry.steps.last_mut() {
                    step.forms = handle.forms();
                }
                entry.checked.push(Checked {
                    info: info.clone(),
                    options: absolute,
                    portable: relative,
                    observing_passes: handle.observing_passes(),
                    isolate,
                    notes: handle.notes(),
                });
            }
            Ok(_) => {
                let message = format!("{owner} opens as a stage of another kind");
                let label = format!("this is a mistake in the plugin `{}`", info.plugin.name);
                self.diagnostics.push(Diagnostic::error(&entry.place, message).label(label));
            }
            Err(error) => {
                // What it would have taken away is there, as far as the others are concerned.
                if let Some(step) = entry.steps.last_mut() {
                    step.takes_nothing_away();
                }
                // What the stage says about an option is said once, and in its words.
                let refused = error.option().and_then(|option| options.entry(option.split('.').next()?));
                idle.retain(|idle| refused.is_none_or(|entry| entry.key_place.rank() != idle.place.rank()));
                let (in_files, rest) = rule_files::complaints(&error, &marks, &info.schema);
                let rest = rest.or_else(|| in_files.is_empty().then(String::new));
                self.diagnostics.append(in_files);
                self.diagnostics
                    .extend(rest.map(|rest| refusal(&owner, (&error, &rest), options, &entry.place)));
            }
        }
        idle
    }
}

/// The tables that name stages.
const TABLES: [&str; 3] = ["source", "stage", "export"];

/// Options that mean less where a reader is one of many: an option with `x-under-auto` is taken as the one named there.
///
/// An encoding for a collection of several kinds is that of files that do not say theirs, not of all.
fn under_auto(options: &mut Table, schema: &Value) {
    let is_given: BTreeSet<String> = options.entries.iter().map(|entry| entry.key.clone()).collect();
    for entry in &mut options.entries {
        let property = schema.get("properties").and_then(|properties| properties.get(&entry.key));
        let other = property.and_then(|property| property.get("x-under-auto")).and_then(Value::as_str);
        if let Some(other) = other.filter(|other| !is_given.contains(*other)) {
            other.clone_into(&mut entry.key);
        }
    }
}

/// The complaint about a key that would have been taken out of the table if the stages of two files were merged.
fn without_effect(entry: &node::Entry) -> Option<Diagnostic> {
    let label = match entry.key.as_str() {
        "remove" => "it is for a pipeline that `extends` another: leave the table out instead",
        _ => "it is for a pipeline that `extends` another: stages stand in the order of their tables",
    };
    let message = format!("`{}` of a stage has no effect here", entry.key);
    has_effect(entry).then(|| Diagnostic::error(&entry.key_place, message).label(label))
}

/// The complaint of a stage about its options, or what is left of it to be said, shown at the option.
fn refusal(owner: &str, (error, said): (&SetupError, &str), options: &Table, place: &Place) -> Diagnostic {
    let Some(option) = error.option() else {
        return Diagnostic::error(place, format!("{owner} cannot be opened: {said}"));
    };
    let message = format!("option `{option}` of {owner}: {said}");
    match place_of(options, option, error.is_in_key()) {
        Some(place) => Diagnostic::error(place, message),
        None => Diagnostic::error(place, message).label(format!("`{option}` is not given")),
    }
}

/// Where `a.b` stands, its value or its key, or as far on the way there as there is something.
fn place_of<'t>(table: &'t Table, option: &str, key: bool) -> Option<&'t Place> {
    let of = |entry: &'t node::Entry| if key { &entry.key_place } else { &entry.value.place };
    // A name with dots may be one key.
    if let Some(entry) = table.entry(option) {
        return Some(of(entry));
    }
    let (first, rest) = option.split_once('.')?;
    let entry = table.entry(first)?;
    let inner = entry.value.as_table().and_then(|table| place_of(table, rest, key));
    Some(inner.unwrap_or(&entry.value.place))
}

/// The absolute path that an option names, if the option is one and the path exists.
fn existing(mark: &Mark, diagnostics: &mut Diagnostics) -> Option<PathBuf> {
    let is_file = match mark.meaning {
        Meaning::File => true,
        Meaning::Directory => false,
        _ => return None,
    };
    let path = mark.place.resolve(Path::new(&mark.value));
    let what = if is_file { "file" } else { "folder" };
    let Ok(metadata) = path.metadata() else {
        diagnostics.push(inputs::missing(&mark.value, &path, &mark.place, what));
        return None;
    };
    // A file is read twice, to know what it holds and by its stage: pipes and devices cannot be.
    let instead = if is_file {
        not_a_file(&metadata)
    } else {
        (!metadata.is_dir()).then(|| not_a_file(&metadata).unwrap_or("a file"))
    };
    if let Some(instead) = instead {
        let message = format!("`{}` is {instead}, but `{}` needs a {what}", mark.value, mark.option);
        diagnostics.push(Diagnostic::error(&mark.place, message));
        return None;
    }
    Some(path)
}

fn replace(options: &mut Value, pointer: &str, text: String) {
    if let Some(value) = options.pointer_mut(pointer) {
        *value = Value::String(text);
    }
}

/// What a plugin is probably called, from its name or the path of its library.
fn plugin_name(plugin: &str) -> &str {
    let stem = Path::new(plugin).file_stem().and_then(std::ffi::OsStr::to_str).unwrap_or(plugin);
    stem.strip_prefix("lib").filter(|rest| !rest.is_empty()).unwrap_or(stem)
}

/// Whether one name is the other with something added: `jsonl` and `jsonl-export`.
fn is_variant(name: &str, other: &str) -> bool {
    name.strip_prefix(other).is_some_and(|rest| rest.starts_with('-'))
        || other.strip_prefix(name).is_some_and(|rest| rest.starts_with('-'))
}

/// Whether a key of a table belongs to the pipeline file, and not to the stage.
///
/// An exporter whose output cannot be compressed as a whole may have options `compression` and
/// `compression_level` of its own: that is where users expect them.
pub(crate) fn is_envelope(list: &str, key: &str, info: Option<&StageInfo>) -> bool {
    declares(ENVELOPE.of(list), key) && !info.is_some_and(|info| owns_compression(info, key))
}

fn owns_compression(info: &StageInfo, key: &str) -> bool {
    COMPRESSION.contains(&key) && !can_be_compressed(info) && declares(&info.schema, key)
}

/// Whether the output of an exporter is one stream of bytes and nothing else, so that it may be compressed.
pub(crate) fn can_be_compressed(info: &StageInfo) -> bool {
    info.flags.byte_stream && !info.flags.named_files && !info.flags.parts
}

/// The options in the table of a stage.
fn options(list: &str, table: &Table, info: &StageInfo) -> Table {
    unfolded(part(table, |key| !is_envelope(list, key, Some(info))), &info.schema)
}

/// The entries of a table whose keys are wanted.
fn part(table: &Table, wanted: impl Fn(&str) -> bool) -> Table {
    Table { entries: table.entries.iter().filter(|entry| wanted(&entry.key)).cloned().collect() }
}

fn is_true(node: &Node) -> bool {
    matches!(node.data, Data::Bool(true))
}

fn is_loose(place: &Place) -> bool {
    place.text.kind == TextKind::Environment
}

/// Options with those keys that come from the environment spelled as the schema spells them.
fn unfolded(mut options: Table, schema: &Value) -> Table {
    for entry in options.entries.iter_mut().filter(|entry| is_loose(&entry.key_place)) {
        if let Some(key) = keys(schema).find(|key| fold(key) == fold(&entry.key)) {
            key.clone_into(&mut entry.key);
        }
    }
    options
}
/// The keys of the pipeline file that a table has under other names, which are no options of its stage.
fn written_otherwise(list: &str, table: &Table, info: Option<&StageInfo>) -> Vec<&'static str> {
    let own: Vec<&'static str> = in_order(ENVELOPE.of(list));
    let is_option = |key: &str| info.is_some_and(|info| keys(&info.schema).any(|option| option == key));
    let strange = table.entries.iter().map(|entry| entry.key.as_str());
    let strange = strange.filter(|key| !own.contains(key) && !is_option(key));
    let meant = |key: &str| {
        let instead = ENVELOPE.of(list).get("x-instead").and_then(|words| words.get(key)?.as_str());
        let named = instead.and_then(|text| text.strip_prefix('`')?.split('`').next());
        let meant = named.or_else(|| closest(key, own.iter().copied()))?;
        own.iter().find(|own| **own == meant).copied()
    };
    strange.filter_map(meant).collect()
}
