//! `tamis report`.

use std::path::Path;

use anyhow::Context as _;

use crate::args::ReportArgs;
use crate::context::Context;
use crate::summary::shown;
use crate::{Exit, output};

/// Where the page lies by default: beside the manifest, where it is no part of the output.
const PAGE: &str = ".tamis/report.html";

pub(crate) fn report(context: &Context, args: &ReportArgs) -> anyhow::Result<Exit> {
    let registry = match &args.pipeline {
        Some(pipeline) => context.registry_of(pipeline)?,
        None => context.registry(),
    };
    let page = tamis_report::page(&args.folder, &registry)?;
    if args.output.as_deref() == Some(Path::new("-")) {
        output::print(page);
        return Ok(Exit::Done);
    }
    let file = args.output.clone().unwrap_or_else(|| args.folder.join(PAGE));
    std::fs::write(&file, page).with_context(|| format!("cannot write `{}`", file.display()))?;
    output::print_line(shown(&file));
    Ok(Exit::Done)
}
