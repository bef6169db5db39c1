//! `tamis advise`: how the measures of a sample are spread, and what other limits would drop.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use comfy_table::CellAlignment;
use serde_json::Value as Json;
use tamis_config::{Setting, SettingOrigin};
use tamis_document::Fate;
use tamis_report::explain::Journey;
use tamis_runner::Found;

use crate::args::{AdviseArgs, PlaceArgs};
use crate::context::{Context, Planned, logged_run};
use crate::journeys::passed;
use crate::output::{self, BOLD, DIM, NAME, print, print_line, styled};
use crate::spreads::{Spread, quantile, spreads};
use crate::summary::{self, shown};
use crate::{Exit, alike, names};

/// The shares that are shown, in percent.
const SHOWN: [f64; 7] = [1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0];
/// What a limit that is proposed would drop, in percent.
const PROPOSED: [f64; 2] = [1.0, 5.0];
/// So many languages have a row of their own, each with so many documents at least.
const LANGUAGES: (usize, usize) = (6, 10);
/// So many documents are named as examples.
const EXAMPLES: usize = 3;

pub(crate) fn advise(context: &Context, args: &AdviseArgs) -> anyhow::Result<Exit> {
    let places = PlaceArgs { inputs: args.inputs.clone(), output: None };
    let planned = match context.plan(&args.pipeline, &places) {
        Ok(planned) => planned,
        Err(diagnostics) => {
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
    };
    let sample = tamis_runner::sample(&planned.open(&logged_run())?, args.sample)?;
    let documents = passed(&planned, sample.records.clone())?;
    let spreads = spreads(&documents);
    if spreads.is_empty() {
        anyhow::bail!("no stage of `{}` measures anything against a limit", args.pipeline.pipeline.display());
    }
    let asked = Asked { context, args, records: &sample.records };
    let advice = spreads.iter().map(|spread| Ok((spread, asked.is_usable(spread)?)));
    let advice = advice.collect::<anyhow::Result<Vec<_>>>()?;
    print_line(format_args!(
        "{} out of {}; a stage measures those that came to it\n",
        names::plural(documents.len() as u64, "document", "documents"),
        names::plural(sample.n_files, "file", "files")
    ));
    for (spread, is_usable) in &advice {
        print(spread.text(*is_usable));
    }
    let kept = documents.iter().filter(|it| matches!(it.fate, Fate::Kept));
    let n_kept = kept.clone().count();
    let n_framed = alike::framed(kept.map(|it| it.text.as_str()));
    if n_framed > 0 {
        print_line(format_args!(
            "{n_framed} of {n_kept} texts begin or end as others do{}\n",
            way_out(&planned)
        ));
    }
    let usable = advice.into_iter().filter(|(_, is_usable)| *is_usable).map(|(spread, _)| spread);
    // A limit that would drop nothing is none.
    let usable = usable.filter(|spread| spread.is_enough(args.drop) && spread.drops_at(args.drop));
    write(args, &planned, &usable.collect::<Vec<_>>())?;
    Ok(Exit::Done)
}

/// What takes away that texts begin or end alike, as far as the pipeline has not got it.
fn way_out(planned: &Planned) -> &'static str {
    let has = |name: &str| planned.plan.stages.iter().any(|stage| stage.info.name == name);
    match (has("html-extract"), has("site-template"), has("line-template")) {
        (true, false, _) => {
            ": `site-template` before `html-extract` learns what the pages of a site have in common \
             (`tamis stages site-template`)"
        }
        (true, true, _) => ", and `html-extract` takes that for text, with what `site-template` knows of it",
        (false, _, false) => {
            ": `line-template`, behind `dedup-exact`, learns lines that pages share, and a rule file cuts what stands in one \
             line with the text (`tamis stages site-rules`)"
        }
        (false, _, true) => {
            ": a rule file cuts what stands in one line with the text (`tamis stages site-rules`)"
        }
    }
}

/// Writes the limits where they were asked for.
fn write(args: &AdviseArgs, planned: &Planned, spreads: &[&Spread<'_>]) -> anyhow::Result<()> {
    if let Some(file) = &args.output {
        let text = tuned(spreads, planned, &args.pipeline.pipeline, file, args.drop);
        std::fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
        print_line(format_args!("wrote {}", shown(file)));
    }
    if args.write {
        let file = &args.pipeline.pipeline;
        let limits = limits(spreads, args.drop);
        rewrite(file, &limits)?;
        for limit in &limits {
            print_line(format_args!("{} = {}", limit.key, limit.value));
        }
        print_line(format_args!("changed {}", shown(file)));
    }
    Ok(())
}

/// So many documents are sent through the pipeline to see whether a limit drops them.
const TRIED: usize = 20;

/// Who wants advice, on which sample.
struct Asked<'a> {
    context: &'a Context,
    args: &'a AdviseArgs,
    records: &'a [Found],
}

impl Asked<'_> {
    /// Whether another limit may be written into the pipeline, and drops what is beyond it.
    fn is_usable(&self, spread: &Spread<'_>) -> anyhow::Result<bool> {
        if spread.of.option.is_empty() || spread.drops() == Some(false) {
            return Ok(false);
        }
        let limit = spread.proposed(self.args.drop.max(PROPOSED[1]));
        // What the stage refuses, such as a limit of which no rule asks, is no advice.
        let Some(planned) = self.plan(spread, limit) else { return Ok(false) };
        let (now, then) = (spread.ids_beyond(spread.limit()), spread.ids_beyond(limit));
        let changed: BTreeSet<&str> = now.symmetric_difference(&then).copied().take(TRIED).collect();
        if changed.is_empty() {
            return Ok(spread.drops() == Some(true));
        }
        let records = self.records.iter().filter(|found| changed.contains(found.record.document.id.as_str()));
        let documents = passed(&planned, records.cloned().collect())?;
        let is_dropped = |it: &Journey| {
            matches!(it.fate, Fate::Dropped(_)) && it.decided_by.as_deref() == Some(spread.stage)
        };
        // Another option of the stage may be what drops them.
        Ok(documents.iter().any(|it| is_dropped(it) == then.contains(&*it.id)))
    }

    /// The plan with another limit, if that can be.
    fn plan(&self, spread: &Spread<'_>, limit: f64) -> Option<Planned> {
        let places = PlaceArgs { inputs: self.args.inputs.clone(), output: None };
        let mut pipeline = self.args.pipeline.clone();
        pipeline.set.push((spread.key(), limit.to_string()));
        self.context.plan(&pipeline, &places).ok()
    }
}

impl Spread<'_> {
    fn text(&self, is_usable: bool) -> String {
        let unit = if self.of.unit.is_empty() { String::new() } else { format!(" ({})", self.of.unit) };
        let mut out = format!(
            "{}  {}{unit}  {}\n",
            styled(NAME, self.stage),
            styled(BOLD, &self.of.measure.name),
            self.of.limit()
        );
        if !self.of.summary.is_empty() {
            out += &format!("{}\n", styled(DIM, &self.of.summary));
        }
        out += &self.table();
        let now = self.limit();
        if !is_usable {
            return out + &format!("  {}\n\n", styled(DIM, self.why_none()));
        }
        out += &self.line("now", now);
        let mut told = now;
        for limit in self.worth_telling() {
            if (limit - told).abs() < f64::EPSILON {
                continue;
            }
            told = limit;
            let set = format!("--set {}={limit}", self.key());
            out += &self.line(&set, limit);
        }
        out + "\n"
    }

    /// The limits to choose from: those that this many documents can tell, and that drop some.
    fn worth_telling(&self) -> impl Iterator<Item = f64> {
        let is_told = |percent: &f64| self.is_enough(*percent) && self.drops_at(*percent);
        PROPOSED.into_iter().filter(is_told).map(|percent| self.proposed(percent))
    }

    /// Why no limit is proposed.
    fn why_none(&self) -> &'static str {
        if self.of.option.is_empty() {
            "no limit is proposed: no option of the stage sets this one"
        } else if self.beyond(self.limit()).len() == self.values.len() {
            "no limit is proposed: this is measured of dropped documents alone, which says nothing of others"
        } else {
            "no limit is proposed: another one would drop no other documents of the sample"
        }
    }

    /// What a limit drops, with those that it would just drop.
    fn line(&self, what: &str, limit: f64) -> String {
        let dropped = self.beyond(limit);
        let share = 100.0 * dropped.len() as f64 / self.values.len() as f64;
        let mut line = format!("  {what} drops {} ({share:.1} %)", dropped.len());
        let named =
            dropped.iter().take(EXAMPLES).map(|it| format!("{} {}", it.id, tamis_report::value(it.value)));
        let named: Vec<String> = named.collect();
        if !named.is_empty() {
            line += &styled(DIM, format_args!("  {}", named.join(", ")));
        }
        line + "\n"
    }

    fn table(&self) -> String {
        let titles: Vec<String> = SHOWN.iter().map(|percent| format!("{percent} %")).collect();
        let titles: Vec<&str> =
            ["  ", "documents"].into_iter().chain(titles.iter().map(String::as_str)).collect();
        let mut table = summary::table(&titles);
        let mut row = |name: &str, values: &[f64]| {
            let numbers = SHOWN.iter().map(|percent| tamis_report::value(quantile(values, *percent)));
            let cells = [format!("  {name}"), values.len().to_string()].into_iter().chain(numbers);
            table.add_row(cells.collect::<Vec<_>>());
        };
        row("all", &self.values.iter().map(|it| it.value).collect::<Vec<_>>());
        let languages: BTreeSet<&str> =
            self.values.iter().map(|it| it.language).filter(|it| !it.is_empty()).collect();
        let of = |language: &str| -> Vec<f64> {
            self.values.iter().filter(|it| it.language == language).map(|it| it.value).collect()
        };
        let mut languages: Vec<(&str, Vec<f64>)> = languages.into_iter().map(|it| (it, of(it))).collect();
        languages.retain(|(_, values)| values.len() >= LANGUAGES.1);
        languages.sort_by_key(|(_, values)| std::cmp::Reverse(values.len()));
        // One language alone is all.
        if languages.len() > 1 {
            languages.truncate(LANGUAGES.0);
            for (name, values) in &languages {
                row(name, values);
            }
            let is_shown = |language: &str| languages.iter().any(|(name, _)| *name == language);
            let rest = self.values.iter().filter(|it| !is_shown(it.language)).map(|it| it.value);
            let rest: Vec<f64> = rest.collect();
            if !rest.is_empty() {
                row("others", &rest);
            }
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        summary::render(&table)
    }
}

/// The limits that drop about so many percent each.
fn limits(spreads: &[&Spread<'_>], percent: f64) -> Vec<Setting> {
    // A limit that stays as it is needs no line.
    let is_new = |spread: &&&Spread<'_>| (spread.proposed(percent) - spread.limit()).abs() >= f64::EPSILON;
    let limit = |spread: &&Spread<'_>| Setting {
        key: spread.key(),
        value: spread.proposed(percent).to_string(),
        origin: SettingOrigin::Flag,
    };
    spreads.iter().filter(is_new).map(limit).collect()
}

/// Changes values of a pipeline file; nothing of it is lost when that fails.
pub(crate) fn rewrite(file: &Path, settings: &[Setting]) -> anyhow::Result<()> {
    let cannot = || format!("cannot change `{}`", file.display());
    let text = std::fs::read_to_string(file).with_context(cannot)?;
    let text = tamis_config::edited(&text, settings).map_err(anyhow::Error::msg).with_context(cannot)?;
    // What a link points to is the file that is meant.
    let file = file.canonicalize().with_context(cannot)?;
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut new = tempfile::NamedTempFile::new_in(folder).with_context(cannot)?;
    std::io::Write::write_all(&mut new, text.as_bytes()).with_context(cannot)?;
    let permissions = std::fs::metadata(&file).with_context(cannot)?.permissions();
    new.as_file().set_permissions(permissions).with_context(cannot)?;
    new.persist(&file).with_context(cannot)?;
    Ok(())
}

/// A pipeline that takes over the other one with these limits.
fn tuned(spreads: &[&Spread<'_>], planned: &Planned, pipeline: &Path, file: &Path, percent: f64) -> String {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (base, here) = (absolute(pipeline), absolute(file));
    let base = match here.parent().and_then(|folder| base.strip_prefix(folder).ok()) {
        Some(beside) => beside.to_owned(),
        None => base,
    };
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = format!(
        "# Written by `tamis advise`: limits that drop about {percent} % of a sample each.\n\nextends = {}\n",
        quoted(&base.to_string_lossy())
    );
    let mut stages: BTreeMap<&str, Vec<&Spread<'_>>> = BTreeMap::new();
    for spread in spreads {
        stages.entry(spread.stage).or_default().push(spread);
    }
    for (stage, spreads) in stages {
        text += &format!("\n[[stage]]\nid = {}\n", quoted(stage));
        text += &beside(planned, stage, &spreads);
        for spread in spreads {
            let limit = spread.proposed(percent);
            let n = spread.beyond(limit).len();
            text += &format!(
                "{} = {limit}    # was {}; {n} of {}\n",
                spread.of.option,
                spread.limit(),
                spread.values.len()
            );
        }
    }
    text
}

/// What stands in the pipeline beside limits in tables such as `limits.min_words`: a table replaces the one that was there
/// as a whole.
fn beside(planned: &Planned, stage: &str, spreads: &[&Spread<'_>]) -> String {
    let options = planned.plan.stages.iter().find(|it| it.id == stage).map(|it| &it.options);
    let tables: BTreeSet<&str> = spreads
        .iter()
        .filter_map(|spread| spread.of.option.split_once('.'))
        .map(|(table, _)| table)
        .collect();
    let mut lines = String::new();
    for table in tables {
        let Some(values) = options.and_then(|it| it.get(table)).and_then(Json::as_object) else { continue };
        let is_set = |name: &str| spreads.iter().any(|it| *it.of.option == format!("{table}.{name}"));
        for (name, value) in values.iter().filter(|(name, _)| !is_set(name)) {
            lines += &format!("{table}.{} = {}\n", key(name), toml(value));
        }
    }
    lines
}

/// A key as TOML has it.
fn key(name: &str) -> String {
    let is_bare = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_bare { name.to_owned() } else { Json::from(name).to_string() }
}

/// A value as TOML has it; lists, texts and numbers are as in JSON.
fn toml(value: &Json) -> String {
    match value {
        Json::Object(values) => {
            let values: Vec<String> =
                values.iter().map(|(name, value)| format!("{} = {}", key(name), toml(value))).collect();
            format!("{{ {} }}", values.join(", "))
        }
        Json::Array(values) => format!("[{}]", values.iter().map(toml).collect::<Vec<_>>().join(", ")),
        value => value.to_string(),
    }
}
