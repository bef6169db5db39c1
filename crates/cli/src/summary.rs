//! The table at the end of a run.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use comfy_table::{CellAlignment, Table, presets};
use indicatif::{HumanBytes, HumanCount};
use tamis_config::{Plan, StagePlan};
use tamis_runner::{Finish, Report, StageTally};
use tamis_stage::Kind;

use crate::failures;
use crate::names::keys;
pub(crate) use crate::names::plural;
use crate::output::{BAD, BOLD, DIM, GOOD, styled};

/// What a run did, for people.
pub(crate) fn text(plan: &Plan, report: &Report, is_limited: bool) -> String {
    format!("{}\n\n{}\n{}", headline(report, is_limited), stages(plan, report), result(plan, report))
}

fn headline(report: &Report, is_limited: bool) -> String {
    let manifest = &report.manifest;
    let seconds = report.elapsed.as_secs_f64().max(0.001);
    let threads = plural(report.threads as u64, "thread", "threads");
    // Standard input does not tell its size, and of the files nobody knows how much a limit leaves unread.
    let work = match manifest.input_bytes {
        0 => threads,
        _ if is_limited => {
            format!("the first {} ({threads})", plural(report.tally.read, "record", "records"))
        }
        bytes => {
            format!("{} ({}/s, {threads})", HumanBytes(bytes), HumanBytes((bytes as f64 / seconds) as u64))
        }
    };
    format!(
        "{}: {} in {}, {work}",
        styled(BOLD, &manifest.pipeline),
        plural(manifest.input_files, "file", "files"),
        duration(report.elapsed),
    )
}

fn stages(plan: &Plan, report: &Report) -> String {
    let mut table = table(&["", "in", "dropped", "failed", "split off", "cpu", "wall"]);
    let mut counts = self::table(&["", "counted", ""]);
    for (key, name) in keys(plan) {
        let Some(tally) = report.tally.stages.get(&key) else { continue };
        table.add_row([
            name.clone(),
            count(tally.seen),
            count(tally.n_dropped()),
            count(tally.failed),
            count(tally.split),
            duration(tally.time.cpu),
            duration(tally.time.wall),
        ]);
        for (reason, n) in &tally.dropped {
            table.add_row([format!("  {reason}"), String::new(), count(*n)]);
        }
        add_counts(&mut counts, &name, tally);
    }
    // What nobody has asked for by name takes its time, too.
    for (chore, time) in &report.tally.chores {
        let [cpu, wall] = [time.cpu, time.wall].map(duration);
        let nothing = String::new;
        table.add_row([chore.name().to_owned(), nothing(), nothing(), nothing(), nothing(), cpu, wall]);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let counted = if counts.is_empty() { String::new() } else { align(counts) };
    format!("{}{counted}", render(&table))
}

/// So many silent counters are named; of more some, since most rule files of a long list match nothing in any one run.
const MAX_SILENT: usize = 8;

/// A line for each stage with counters that stayed at 0, such as rules that never matched.
pub(crate) fn silent(plan: &Plan, report: &Report) -> Vec<String> {
    // What a filter counts are the reasons for which it drops.
    let is_filter = |stage: &StagePlan| stage.info.kind == Kind::Filter;
    let drops = |key: &str| plan.stages.iter().any(|it| key == format!("stage.{}", it.id) && is_filter(it));
    let line = |(key, name): (String, String)| {
        let silent = &report.tally.stages.get(&key)?.silent;
        let named = if silent.len() > MAX_SILENT { 2 } else { silent.len() };
        let shown = silent.iter().take(named).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let what = match silent.len() - named {
            0 => shown,
            _ => format!("{} of what it looks for ({shown} …); the manifest names all", silent.len()),
        };
        let line = if drops(&key) {
            let reason = if silent.len() == 1 { "reason" } else { "reasons" };
            format!("`{name}`: no document was dropped for the {reason} {what}")
        } else {
            format!("`{name}`: no document had {what}")
        };
        (!silent.is_empty()).then_some(line)
    };
    keys(plan).into_iter().filter_map(line).collect()
}

/// Of fewer documents a share says nothing of a collection, and each can be looked at.
const MIN_TAKEN_FROM: u64 = 20;
/// Beyond this share of their text, what a stage takes of the documents that it keeps may be the text itself.
const MOST_TEXT: f64 = 0.5;
/// Beyond this share, the documents that a stage drops may be the collection.
const MOST_DOCUMENTS: f64 = 0.9;

/// Which stages have taken so much of all text, or of all documents, that somebody should look at it; and how to.
pub(crate) fn large_shares(plan: &Plan, report: &Report) -> Option<String> {
    let tallies = keys(plan).into_iter().filter_map(|(key, name)| {
        let tally = report.tally.stages.get(&key)?;
        (key.starts_with("stage.") && tally.seen >= MIN_TAKEN_FROM).then_some((name, tally))
    });
    let large: Vec<String> = tallies.filter_map(|(name, tally)| large_share(&name, tally)).collect();
    if large.is_empty() {
        return None;
    }
    let look = if report.finish == Finish::Dry {
        "`tamis preview` shows what goes, and `tamis explain` why".to_owned()
    } else {
        format!("`tamis report {}` shows examples, and `tamis explain` why one went", shown(&report.place))
    };
    Some(format!("{}: {look}", large.join(", ")))
}

fn large_share(name: &str, tally: &StageTally) -> Option<String> {
    // A share that is not whole must not look as if it were.
    let percent = |share: f64| (share * 100.0).min(99.0).round();
    let dropped = tally.n_dropped() as f64 / tally.seen.max(1) as f64;
    let text = tally.taken.ratio();
    if dropped > MOST_DOCUMENTS && tally.n_dropped() < tally.seen {
        return Some(format!("`{name}` dropped {} % of the documents that came to it", percent(dropped)));
    }
    (text > MOST_TEXT).then(|| format!("`{name}` took {} % of the text of those that it kept", percent(text)))
}

/// What a stage counted itself; its name stands in the first row only.
fn add_counts(table: &mut Table, name: &str, tally: &StageTally) {
    for (index, (what, n)) in tally.counts.iter().enumerate() {
        let name = if index == 0 { name } else { "" };
        table.add_row([name.to_owned(), tamis_report::counter(what), count(*n)]);
    }
}

pub(crate) fn table(titles: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(titles);
    table
}

/// The table as text, with a dim header. Cells hold no colours: their codes would count as width.
pub(crate) fn render(table: &Table) -> String {
    let text = table.trim_fmt();
    match text.split_once('\n') {
        Some((header, rows)) => format!("{}\n{rows}\n", styled(DIM, header)),
        None => text,
    }
}

/// Numbers stand in the last column.
fn align(mut table: Table) -> String {
    if let Some(column) = table.column_mut(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!("\n{}", render(&table))
}

fn result(plan: &Plan, report: &Report) -> String {
    let tally = &report.tally;
    let failed = format!("{} failed", HumanCount(tally.failed));
    let failed = if tally.failed > 0 { styled(BAD, failed) } else { failed };
    let mut lines = format!(
        "{} · {} dropped · {failed}\n",
        styled(GOOD, format!("{} kept", HumanCount(tally.kept))),
        HumanCount(tally.dropped),
    );
    lines += &failures::unread(report);
    let hidden = report.manifest.input_hidden;
    if hidden > 0 {
        let what = plural(hidden, "hidden file or folder", "hidden files and folders");
        lines += &format!("  {what} passed over: `paths` that name them (`.well-known/*`) read them\n");
    }
    lines += &failures::reasons(plan, report);
    if report.finish == Finish::Dry {
        return lines;
    }
    for export in &report.manifest.exports {
        if export.records == 0 {
            continue;
        }
        // Joining an empty path would leave a slash behind.
        let own = Some(&export.folder).filter(|folder| !folder.as_os_str().is_empty());
        let folder = shown(&own.map_or(report.place.clone(), |own| report.place.join(own)));
        let files = plural(export.n_files(), "file", "files");
        lines += &format!("  {} {} in {folder} ({files})\n", HumanCount(export.records), export.from);
    }
    lines
}

/// Writes a page to a file and says where it is; `-` is standard output.
pub(crate) fn page(file: &Path, page: String) -> anyhow::Result<()> {
    if file == Path::new("-") {
        crate::output::print(page);
    } else {
        std::fs::write(file, page).with_context(|| format!("cannot write `{}`", file.display()))?;
        crate::output::print_line(shown(file));
    }
    Ok(())
}

/// Refuses an output in an object store where one is read that lies on this machine.
pub(crate) fn check_local(output: &Path) -> anyhow::Result<()> {
    if output.to_str().is_none_or(|output| tamis_address::scheme(output).is_none()) {
        return Ok(());
    }
    anyhow::bail!(
        "`{}` is in an object store, and only folders are looked at: copy it to one, or name the work folder in which it \
         was prepared (`…/tamis-store-…/out`), which has all but the documents",
        output.display()
    )
}

/// A path as the user would write it: relative to the working folder if it lies below.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    match path.strip_prefix(&here) {
        Ok(here) if here.as_os_str().is_empty() => ".".to_owned(),
        Ok(below) => below.display().to_string(),
        Err(_) => path.display().to_string(),
    }
}

fn count(n: u64) -> String {
    if n == 0 { "·".to_owned() } else { HumanCount(n).to_string() }
}

fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match seconds {
        seconds if seconds < 0.000_95 => format!("{:.0} µs", seconds * 1e6),
        seconds if seconds < 0.95 => format!("{:.0} ms", seconds * 1e3),
        seconds if seconds < 120.0 => format!("{seconds:.1} s"),
        seconds => format!("{:.0} min", seconds / 60.0),
    }
}

#[cfg(test)]
mod tests {
    use tamis_runner::Taken;

    use super::*;

    #[test]
    fn only_what_is_most_of_all_is_a_large_share() {
        let tally = |seen, dropped, bytes| StageTally {
            seen,
            dropped: [("too-short".to_owned(), dropped)].into_iter().collect(),
            taken: Taken { bytes, of: 1000 },
            ..StageTally::default()
        };
        for (tally, expected) in [
            (tally(100, 0, 500), None),
            (tally(100, 0, 501), Some("`it` took 50 % of the text of those that it kept")),
            (tally(100, 90, 0), None),
            (tally(1000, 999, 600), Some("`it` dropped 99 % of the documents that came to it")),
            // That is a warning of its own.
            (tally(100, 100, 0), None),
            (StageTally::default(), None),
        ] {
            assert_eq!(large_share("it", &tally).as_deref(), expected, "{tally:?}");
        }
    }
}
