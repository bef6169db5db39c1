//! The stage that runs a program of the user's, in any language, as a child process of each worker.

mod exec;

pub use exec::{Exec, ExecFormat, ExecOptions};

tamis_plugin::export_plugin! {
    extractors: [Exec],
}
