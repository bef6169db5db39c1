//! `tamis diff`: what differs between two runs.

use tamis_report::compare::{Comparison, Moved, Texts, compare};

use crate::args::DiffArgs;
use crate::names::plural;
use crate::output::{self, BAD, BOLD, DIM, GOOD, styled};
use crate::{Exit, explained, summary};

/// So many documents with another text are shown on a terminal; a page shows more.
const MOST_TEXTS: usize = 3;

pub(crate) fn diff(args: &DiffArgs) -> anyhow::Result<Exit> {
    [&args.a, &args.b].into_iter().try_for_each(|run| summary::check_local(run))?;
    let comparison = compare(&args.a, &args.b)?;
    match &args.output {
        None => output::print(text(&comparison)),
        Some(file) => {
            let page = tamis_report::compare::page(&comparison)?;
            summary::page(file, page)?;
        }
    }
    Ok(Exit::Done)
}

fn text(comparison: &Comparison) -> String {
    let [a, b] = &comparison.folders;
    let mut out = format!("{}\n", styled(BOLD, format_args!("{} → {}", a.display(), b.display())));
    out += &match &comparison.changes {
        Some(changes) => format!("{changes}\n"),
        None => "the same pipeline\n".to_owned(),
    };
    if !comparison.has_same_inputs {
        out += "the runs have read other inputs, so documents are compared by their ids\n";
    }
    let other = comparison.n_common - comparison.n_same;
    out += &format!(
        "\n{} in both, {other} of them with another fate\n",
        plural(comparison.n_common, "record", "records")
    );
    for moved in &comparison.moved {
        self::moved(moved, &mut out);
    }
    for (only, folder) in comparison.only.iter().zip(&comparison.folders) {
        if only.n > 0 {
            out += &format!("{:>9}  only in {}\n", only.n, folder.display());
            for id in &only.ids {
                out += &format!("           {}\n", styled(DIM, id));
            }
        }
    }
    out.push('\n');
    match &comparison.texts {
        None => out += "texts are compared where both runs have written what they kept as JSON Lines\n",
        Some(texts) => self::texts(texts, &mut out),
    }
    out
}

fn moved(moved: &Moved, out: &mut String) {
    use tamis_report::compare::Outcome::Kept;
    let n = format!("{:>9}", moved.n);
    let n = match (&moved.from, &moved.to) {
        (Kept, _) => styled(BAD, n),
        (_, Kept) => styled(GOOD, n),
        _ => n,
    };
    *out += &format!("{n}  {} → {}\n", moved.from, moved.to);
    for sample in &moved.samples {
        let said = [styled(DIM, &sample.id)].into_iter().chain(sample.measures.iter().cloned());
        *out += &format!("           {}\n", said.collect::<Vec<_>>().join("  "));
    }
}

fn texts(texts: &Texts, out: &mut String) {
    *out += &format!(
        "{} kept by both, {} of them with another text",
        plural(texts.n_common, "document", "documents"),
        texts.n_changed
    );
    if texts.n_changed == 0 {
        out.push('\n');
        return;
    }
    *out += &format!(" ({} characters, then {})\n", texts.n_chars[0], texts.n_chars[1]);
    for text in texts.samples.iter().take(MOST_TEXTS) {
        *out += &format!("\n{}\n", styled(BOLD, &text.id));
        explained::pieces(&text.pieces, false, out);
    }
    if texts.samples.len() > MOST_TEXTS {
        let more = texts.samples.len() - MOST_TEXTS;
        *out += &format!("\n{}\n", styled(DIM, format_args!("{more} more on a page: `-o FILE`")));
    }
}
