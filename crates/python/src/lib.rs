//! The native half of the Python package `tamis`.
//!
//! Runs of whole collections are processes of their own (`python -m tamis run`), which a crash of a plugin ends and a
//! notebook survives. What is here is the command line that such a process runs.

use std::ffi::OsString;

use pyo3::prelude::*;

/// The native half of the package.
#[pymodule]
mod _native {
    use super::{OsString, PyResult, Python, pyfunction};

    /// Runs the command line with these arguments, of which the first is the name of the program, and returns the exit
    /// code.
    #[pyfunction]
    fn main(python: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
        Ok(python.detach(|| tamis_cli::main_with(&tamis_cli::bundled(), arguments)))
    }
}
