//! `tamis shards`: what each shard of a run would read.

use comfy_table::CellAlignment;
use indicatif::HumanBytes;
use serde_json::{Value, json};
use tamis_runner::Share;

use crate::args::ShardsArgs;
use crate::context::{Context, logged_run};
use crate::output::{self, print, print_line};
use crate::{Exit, summary};

pub(crate) fn shards(context: &Context, args: &ShardsArgs) -> anyhow::Result<Exit> {
    let planned = match context.plan(&args.pipeline, &args.places) {
        Ok(planned) => planned,
        Err(diagnostics) => {
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
    };
    match tamis_runner::shares(&planned.open(&logged_run())?, args.count) {
        Ok(shares) if args.json => print_line(to_json(&shares)),
        Ok(shares) => print(text(&shares)),
        Err(error) => {
            output::error_line(&error);
            return Ok(if error.is_setup() { Exit::Setup } else { Exit::Broken });
        }
    }
    Ok(Exit::Done)
}

fn text(shares: &[Share]) -> String {
    let mut rows = summary::table(&["shard", "bytes", "files", "from"]);
    for (shard, share) in shares.iter().enumerate() {
        let from = share.from.as_ref().map_or("·".to_owned(), |(file, byte)| match byte {
            0 => file.to_string(),
            byte => format!("{file} at byte {byte}"),
        });
        let bytes = HumanBytes(share.bytes).to_string();
        rows.add_row([shard.to_string(), bytes, share.files.to_string(), from]);
    }
    for column in 0..3 {
        if let Some(column) = rows.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    format!("{}the largest has {:.2} times the mean\n", summary::render(&rows), largest_over_mean(shares))
}

fn to_json(shares: &[Share]) -> Value {
    let shard = |(shard, share): (usize, &Share)| {
        let from = share.from.as_ref().map(|(file, byte)| json!({ "file": **file, "byte": byte }));
        json!({ "shard": shard, "bytes": share.bytes, "files": share.files, "from": from })
    };
    json!({
        "count": shares.len(),
        "bytes": bytes(shares),
        "largest_over_mean": largest_over_mean(shares),
        "shards": shares.iter().enumerate().map(shard).collect::<Vec<_>>(),
    })
}

fn bytes(shares: &[Share]) -> u64 {
    shares.iter().map(|share| share.bytes).sum()
}

/// How uneven the shards are: 1 if they are even, or empty.
fn largest_over_mean(shares: &[Share]) -> f64 {
    let largest = shares.iter().map(|share| share.bytes).max().unwrap_or_default();
    match bytes(shares) {
        0 => 1.0,
        all => largest as f64 * shares.len() as f64 / all as f64,
    }
}
