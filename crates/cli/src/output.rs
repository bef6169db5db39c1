//! Printing: a terminal that goes away is no error, and colours vanish when nobody sees them.

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anstyle::{AnsiColor, Style};
use tamis_config::Diagnostics;

use crate::Exit;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const NAME: Style = AnsiColor::Cyan.on_default().bold();

/// A text in a style.
pub(crate) fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Whether something could not be printed that somebody wanted to see.
static IS_INCOMPLETE: AtomicBool = AtomicBool::new(false);

/// Prints to standard output. Whoever closed the pipe has seen enough; a full disk is told, once.
pub(crate) fn print(text: impl Display) {
    let mut stdout = anstream::stdout().lock();
    if let Err(error) = write!(stdout, "{text}").and_then(|()| stdout.flush())
        && error.kind() != ErrorKind::BrokenPipe
        && !IS_INCOMPLETE.swap(true, Ordering::Relaxed)
    {
        error_line(format_args!("cannot write to standard output: {error}"));
    }
}

/// How the process ends if everything else went as `exit` says.
pub(crate) fn exit(exit: Exit) -> Exit {
    if exit == Exit::Done && IS_INCOMPLETE.load(Ordering::Relaxed) { Exit::Broken } else { exit }
}

/// Prints a line to standard output.
pub(crate) fn print_line(text: impl Display) {
    print(format_args!("{text}\n"));
}

/// Prints a line to standard error.
pub(crate) fn log_line(text: impl Display) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Whether standard error shows colours.
pub(crate) fn stderr_has_colour() -> bool {
    let choice = anstream::AutoStream::choice(&std::io::stderr());
    choice != anstream::ColorChoice::Never
}

pub(crate) fn stderr_is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Prints complaints about a pipeline, and how many there are.
pub(crate) fn diagnostics(diagnostics: &Diagnostics) {
    if diagnostics.is_empty() {
        return;
    }
    log_line(diagnostics.render(stderr_has_colour()));
}

/// Complaints as one error, for commands that have no better place for them.
#[expect(clippy::needless_pass_by_value, reason = "an argument of `map_err`")]
pub(crate) fn diagnostics_error(found: Diagnostics) -> anyhow::Error {
    anyhow::Error::msg(found.render(false).trim_end().to_owned())
}

/// Prints an error with its causes.
pub(crate) fn failure(error: &anyhow::Error) -> Exit {
    error_line(format_args!("{error:#}"));
    Exit::Setup
}

/// Prints an error.
pub(crate) fn error_line(message: impl Display) {
    log_line(format_args!("{} {message}", styled(BAD, "error:")));
}
