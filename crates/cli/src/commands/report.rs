//! `tamis report`.

use std::io::Read;
use std::path::Path;

use anyhow::Context as _;
use tamis_runner::{Finish, Report};

use crate::args::ReportArgs;
use crate::context::{Context, Planned};
use crate::summary::{check_local, shown};
use crate::{Exit, output};

/// Where the page lies by default: where it is seen, under a name that readers of data sets pass over.
pub(crate) const PAGE: &str = "__report.html";
/// What the head of such a page holds: the end of its title.
const MARK: &str = ": what a run did</title>";
/// The title stands before the styles, within this many bytes.
const HEAD_BYTES: u64 = 4096;

pub(crate) fn report(context: &Context, args: &ReportArgs) -> anyhow::Result<Exit> {
    check_local(&args.folder)?;
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
/// the run. A page that `tamis report` has left there is made anew: it would tell of a run whose output is no longer there.
pub(crate) fn leave(planned: &Planned, report: &Report) {
    let file = report.folder.join(PAGE);
    if report.finish != Finish::Done || !(planned.plan.run.report || is_page(&file)) {
        return;
    }
    let page = tamis_report::page(&report.folder, &planned.registry).map_err(anyhow::Error::from);
    match page.and_then(|page| Ok(std::fs::write(&file, page)?)) {
        Err(error) => output::log_line(format_args!(
            "warning: the page `{}` could not be made: {error:#}",
            file.display()
        )),
        // Where nobody would look for it.
        Ok(()) if report.place != report.folder => {
            output::log_line(format_args!("the page of the run is {}", shown(&file)));
        }
        Ok(()) => {}
    }
}

/// Whether a file is a page of ours: a name alone says nothing of whose a file is.
fn is_page(file: &Path) -> bool {
    let mut head = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    read.is_ok() && String::from_utf8_lossy(&head).contains(MARK)
}
