//! `tamis advise`: how the measures of a sample are spread, and what other limits would drop.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use comfy_table::CellAlignment;
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
            "{n_framed} of {n_kept} texts begin or end as others do: `line-template` learns lines that pages share, and a rule \
             file cuts what stands in one line with the text (`tamis stages site-rules`)\n"
        ));
    }
    let usable = advice.into_iter().filter(|(_, is_usable)| *is_usable).map(|(spread, _)| spread);
    write(args, &usable.collect::<Vec<_>>())?;
    Ok(Exit::Done)
}

/// Writes the limits where they were asked for.
fn write(args: &AdviseArgs, spreads: &[&Spread<'_>]) -> anyhow::Result<()> {
    if let Some(file) = &args.output {
        let text = tuned(spreads, &args.pipeline.pipeline, file, args.drop);
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
        if spread.drops() == Some(true) {
            return Ok(true);
        }
        let beyond = spread.beyond(limit);
        let tried: Vec<&str> = beyond.iter().take(TRIED).map(|it| it.id).collect();
        let records = self.records.iter().filter(|found| tried.contains(&found.record.document.id.as_str()));
        let documents = passed(&planned, records.cloned().collect())?;
        let is_dropped = |it: &Journey| {
            matches!(it.fate, Fate::Dropped(_)) && it.decided_by.as_deref() == Some(spread.stage)
        };
        Ok(documents.iter().any(is_dropped))
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
        if self.drops() == Some(false) {
            let why = "no limit is proposed: what is beyond this one stays, or nothing else was measured";
            out += &format!("  {}\n", styled(DIM, why));
            return out + "\n";
        }
        out += &self.line("now", now);
        let mut told = now;
        for limit in PROPOSED.map(|percent| self.proposed(percent)) {
            if !is_usable || (limit - told).abs() < f64::EPSILON {
                continue;
            }
            told = limit;
            let set = format!("--set {}={limit}", self.key());
            out += &self.line(&set, limit);
        }
        out + "\n"
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
            languages.iter().take(LANGUAGES.0).for_each(|(name, values)| row(name, values));
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
fn tuned(spreads: &[&Spread<'_>], pipeline: &Path, file: &Path, percent: f64) -> String {
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
