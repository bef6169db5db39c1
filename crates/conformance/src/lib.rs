//! The tests that every stage, bundled or foreign, must pass.
//!
//! - [`cases`]: pages of prose, options, input and output that describe a stage and are checked. For tests: its
//!   functions panic with a readable message.
//! - [`library`]: what every stage must do whoever wrote it, driven over the plugin boundary. Behind
//!   `tamis plugin check`: it reports and never panics.

pub mod cases;
pub mod library;
