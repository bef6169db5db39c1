//! `tamis completions`.

use clap::CommandFactory;

use crate::args::Args;
use crate::{Exit, output};

#[expect(clippy::unnecessary_wraps, reason = "every command returns a result")]
pub(crate) fn completions(shell: clap_complete::Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "tamis", &mut script);
    output::print(String::from_utf8_lossy(&script));
    Ok(Exit::Done)
}
