//! What a run did, as one page of HTML that needs nothing else: no network, no script.
//!
//! All of it comes from the output folder: the manifest says where the records went and how measures are spread, what
//! was dropped lies in an export, and what was spent where in a file of its own (`times`). So the page of a run of last month is made as that of a run of now, on any machine,
//! and nothing is counted a second time.
//!
//! `view` makes of the manifest what the page shows, `flow` and `histogram` draw, `samples` reads some of the records
//! that were dropped; `templates/` holds the page and its style.
//!
//! ```no_run
//! use std::path::Path;
//!
//! # fn example(registry: &tamis_stage::Registry) -> Result<(), tamis_report::ReportError> {
//! let page: String = tamis_report::page(Path::new("out"), registry)?;
//! # Ok(())
//! # }
//! ```

pub mod compare;
pub mod explain;
mod flow;
mod histogram;
mod near;
mod numbers;
pub mod preview;
mod samples;
mod times;
mod timing;
mod view;

use std::path::{Path, PathBuf};

use minijinja::{AutoEscape, Environment};
use tamis_runner::{Manifest, RunError};
use tamis_stage::Registry;

pub use times::{Seconds, Slowest, Times};
use view::View;
pub use view::counter;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The folder holds no output.
    #[error(
        "`{}` holds no output of a run: name the folder that `path` of the first export, or `-o`, names",
        folder.display()
    )]
    NoRun {
        /// The folder.
        folder: PathBuf,
    },
    /// It has no table of fates.
    #[error(
        "`{}` has no table of what became of each record: run the pipeline with `fates = true` in [run]",
        folder.display()
    )]
    NoFates {
        /// The folder.
        folder: PathBuf,
    },
    /// The run has not come to its end, so what there is of it says nothing.
    #[error(
        "the run in `{}` has not finished: run the same command again, which goes on where it stopped",
        folder.display()
    )]
    Unfinished {
        /// The folder.
        folder: PathBuf,
    },
    /// Its manifest cannot be read.
    #[error(transparent)]
    Manifest(#[from] RunError),
    /// The page could not be filled in, which is a mistake in this crate.
    #[error("the page cannot be made: {message}")]
    Page {
        /// What is wrong with it.
        message: String,
    },
}

/// The page of the run whose output lies in `folder`, as HTML of a few hundred kilobytes.
///
/// `registry` is where measures have their units, limits and sentences; of stages that are not in it, those of
/// plugins that are not loaded, the names alone are shown.
///
/// # Errors
///
/// When the folder holds no output of a run, or its manifest cannot be read.
pub fn page(folder: &Path, registry: &Registry) -> Result<String, ReportError> {
    let manifest = Manifest::read(folder)?;
    let manifest = manifest.ok_or_else(|| ReportError::NoRun { folder: folder.to_owned() })?;
    let seen = view::Seen {
        samples: samples::dropped(folder, &manifest),
        near: manifest
            .fates
            .as_ref()
            .map(|table| near::misses(&folder.join(&table.name)))
            .unwrap_or_default(),
        times: Times::read(folder),
        skew: timing::Skew::of(folder),
    };
    let view = View::of(&manifest, registry, seen);
    fill("report.html", include_str!("../templates/report.html"), minijinja::context! { run => view })
}

/// Fills in a page; everything in it is escaped, unless the template says that it is markup.
fn fill(name: &str, template: &str, content: minijinja::Value) -> Result<String, ReportError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_global("style", STYLE);
    environment.add_filter("prose", prose);
    let filled = environment.template_from_named_str(name, template).and_then(|page| page.render(content));
    filled.map_err(|error| ReportError::Page { message: error.to_string() })
}

/// A sentence of a stage, in which names of the pipeline stand between backticks, as HTML.
fn prose(sentence: &str) -> minijinja::Value {
    let piece = |(index, piece): (usize, &str)| {
        let piece = flow::escaped(piece);
        if index % 2 == 1 { format!("<code>{piece}</code>") } else { piece }
    };
    minijinja::Value::from_safe_string(sentence.split('`').enumerate().map(piece).collect())
}

/// A measured value as people read it, with as many digits as tell it from its neighbours: `0.02`, `4.5`, `12,040`.
pub fn value(value: f64) -> String {
    numbers::value(value)
}

/// Written into the page, so that it is one file.
const STYLE: &str = include_str!("../templates/style.css");

#[cfg(test)]
mod tests;
