//! The `tamis` program: the command line with the standard stages linked in.

use std::process::ExitCode;

fn main() -> ExitCode {
    tamis_cli::main(&tamis_cli::bundled())
}
