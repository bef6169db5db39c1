//! The native half of the Python package `tamis`.
//!
//! Runs over whole collections are processes of their own (`python -m tamis run`), which a crash of a plugin ends and a
//! notebook survives; here is the command line that such a process runs. What a notebook wants in its own process is a
//! `Pipeline`: documents in, documents out.

mod arrow;
mod documents;
mod pipeline;

use std::ffi::OsString;

use pyo3::prelude::*;

use pipeline::Pipeline;

/// The native half of the package.
#[pymodule]
mod _native {
    #[pymodule_export]
    use super::Pipeline;
    #[pymodule_export]
    use super::extraction;
    #[pymodule_export]
    use super::main;
}

/// Runs the command line with these arguments, of which the first is the program itself, and returns the exit code.
#[pyfunction]
fn main(python: Python<'_>, arguments: Vec<OsString>) -> u8 {
    python.detach(|| tamis_cli::main_with(&tamis_cli::bundled(), arguments))
}

/// The pipeline of `tamis extract`.
#[pyfunction]
fn extraction(markdown: bool) -> String {
    tamis_cli::extraction(markdown)
}
