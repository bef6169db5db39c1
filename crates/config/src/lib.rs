//! Pipeline TOML to a checked [`Plan`]; every complaint points at a file, line and column.
//!
//! [`Pipeline::read`] parses a pipeline file, takes over what it `extends` and applies what the command
//! line and the environment override; every value keeps the place where it was written.
//! [`Pipeline::plugins`] tells which libraries to load, and [`Pipeline::plan`] checks everything else
//! against the stages of a [`Registry`](tamis_stage::Registry) and gives back a [`Plan`] or all mistakes in one go
//! ([`Diagnostics`]). A plan is data; [`Opened`] is a plan with its stages open, for one run.
//!
//! This crate never prints, never reads the environment and never loads a library: `tamis-cli` does, with
//! `tamis-host`. Of the disk it reads pipeline files, and asks whether the paths in them exist.
//! To run a plan see `tamis-runner`.
//!
//! ```
//! use std::path::Path;
//! use tamis_config::{Overrides, Pipeline};
//! use tamis_stage::Registry;
//!
//! let text = "[[source]]\nuse = \"auto\"\n";
//! let pipeline = Pipeline::from_text("news.toml", text, Path::new("."), &Overrides::default()).unwrap();
//! let mistakes = pipeline.plan(&Registry::new(), Vec::new()).unwrap_err();
//! assert_eq!(mistakes.len(), 3);
//! assert!(mistakes.render(false).starts_with(
//!     "\
//! error: `[[source]]` needs `paths`
//!   --> news.toml:1:1
//!    |
//!  1 | [[source]]
//!    | ^^^^^^^^^^ add `paths`: "
//! ));
//! ```

mod address;
mod canonical;
mod check;
mod common_keys;
mod compression;
mod destination;
mod diagnostic;
mod edit;
mod editor;
mod envelope;
mod expressions;
mod extends;
mod fields;
mod inputs;
mod longest;
mod node;
mod opened;
mod opening;
mod order;
mod overrides;
mod partition;
mod pipeline;
mod plan;
mod resolve;
mod rule_files;
mod size;
mod stages_by_id;
mod step;
mod suggest;
mod syntax;
mod tests_table;
mod text;

pub use common_keys::{AUTO_DOCS, AUTO_SUMMARY, common_keys, forms};
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use edit::edited;
pub use editor::schema;
pub use opened::{OpenError, Opened, OpenedExport, OpenedReader, OpenedSource, OpenedStage};
pub use overrides::{Overrides, Setting, SettingOrigin, looks_like_override};
pub use pipeline::{Pipeline, PluginLocator, PluginRequest};
pub use plan::{
    Compression, DEAD_LETTERS, Excluded, Expected, ExpectedDrop, ExportPlan, From, InputKind, InputPattern,
    NamedField, Partition, PartitionPiece, PipelineTest, Plan, ReaderPlan, RunSettings, SourcePlan,
    StagePlan,
};
pub use resolve::Seen;
pub use size::{format_size, parse_size};
pub use suggest::akin;
pub use text::Position;
