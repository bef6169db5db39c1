//! `tamis report`.

use std::path::Path;

use anyhow::Context as _;
use tamis_runner::{Finish, Report};

use crate::args::ReportArgs;
use crate::context::{Context, Planned};
use crate::summary::shown;
use crate::{Exit, output};

/// Where the page lies by default: where it is seen, under a name that readers of data sets pass over.
pub(crate) const PAGE: &str = "__report.html";

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

/// Leaves the page of a run that has just come to its end beside its output; what is wrong with the page is no fault of
/// the run.
pub(crate) fn leave(planned: &Planned, report: &Report) {
    if !planned.plan.run.report || report.finish != Finish::Done {
        return;
    }
    let file = report.folder.join(PAGE);
    let page = tamis_report::page(&report.folder, &planned.registry).map_err(anyhow::Error::from);
    if let Err(error) = page.and_then(|page| Ok(std::fs::write(&file, page)?)) {
        output::log_line(format_args!("warning: the page `{}` could not be made: {error:#}", file.display()));
    }
}
