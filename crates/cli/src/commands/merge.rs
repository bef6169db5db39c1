//! `tamis merge`: the outputs of shards, as one.

use indicatif::HumanCount;
use serde_json::json;
use tamis_runner::{RunError, Shards};

use crate::args::MergeArgs;
use crate::output::{self, print_line};
use crate::{Exit, summary};

pub(crate) fn merge(args: &MergeArgs) -> Exit {
    match looked_at(args) {
        Ok(exit) => exit,
        Err(error) => {
            output::error_line(&error);
            if error.is_setup() { Exit::Setup } else { Exit::Broken }
        }
    }
}

fn looked_at(args: &MergeArgs) -> Result<Exit, RunError> {
    let shards = Shards::read(&args.folder)?;
    if args.missing {
        let damaged = shards.damaged()?;
        let mut missing = shards.missing();
        missing.extend(damaged.iter().map(|(index, _)| *index));
        missing.sort_unstable();
        for (index, why) in &damaged {
            output::log_line(format_args!("warning: of shard {index}, {why}: run it again with `--fresh`"));
        }
        if args.json {
            let damaged: Vec<u32> = damaged.iter().map(|(index, _)| *index).collect();
            print_line(json!({ "count": shards.count(), "missing": missing, "damaged": damaged }));
        } else {
            let numbers: Vec<String> = missing.iter().map(u32::to_string).collect();
            print_line(numbers.join(","));
        }
        return Ok(Exit::Done);
    }
    let count = shards.count();
    let manifest = shards.merge()?;
    if args.json {
        print_line(
            json!({ "count": count, "missing": [], "tally": manifest.tally, "exports": manifest.exports }),
        );
        return Ok(Exit::Done);
    }
    let tally = &manifest.tally;
    print_line(format_args!(
        "{} of `{}`: {} kept · {} dropped · {} failed",
        summary::plural(u64::from(count), "shard", "shards"),
        manifest.pipeline,
        HumanCount(tally.kept),
        HumanCount(tally.dropped),
        HumanCount(tally.failed)
    ));
    print_line(format_args!("merged into {}", summary::shown(&args.folder)));
    Ok(Exit::Done)
}
