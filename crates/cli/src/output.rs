//! Printing: a terminal that goes away is no error, and colours vanish when nobody sees them.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use anstream::AutoStream;

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

/// Standard output, once it was put aside.
static STDOUT: OnceLock<Mutex<AutoStream<File>>> = OnceLock::new();

/// Keeps standard output for the program alone: what a plugin, or a library that it uses, prints goes to standard
/// error and stays out of what a machine reads. On Windows they share it.
///
/// # Errors
///
/// When there is no descriptor left.
pub(crate) fn keep_stdout() -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;

        let shared = io::stdout();
        let colours = AutoStream::choice(&shared);
        // Closed when another program is executed, so no process that a plugin starts has it either.
        let own = File::from(shared.as_fd().try_clone_to_owned()?);
        nix::unistd::dup2_stdout(io::stderr().as_fd())?;
        // Set once, by the one function that calls this.
        let _ = STDOUT.set(Mutex::new(AutoStream::new(own, colours)));
    }
    Ok(())
}

fn write_out(text: &str) -> io::Result<()> {
    if let Some(own) = STDOUT.get() {
        // In one piece: a file has no buffer.
        return own.lock().unwrap_or_else(PoisonError::into_inner).write_all(text.as_bytes());
    }
    let mut stdout = anstream::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
}

/// Standard output for documents, byte by byte as they are: colours that are in a text stay there.
pub(crate) struct Documents;

impl Write for Documents {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match STDOUT.get() {
            Some(own) => {
                let own = own.lock().unwrap_or_else(PoisonError::into_inner);
                let mut file = own.as_inner();
                file.write(bytes)
            }
            None => io::stdout().lock().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        if STDOUT.get().is_some() { Ok(()) } else { io::stdout().lock().flush() }
    }
}

/// Prints to standard output. Whoever closed the pipe has seen enough; a full disk is told, once.
pub(crate) fn print(text: impl Display) {
    if let Err(error) = write_out(&text.to_string())
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

/// Prints to standard error.
pub(crate) fn log(text: impl Display) {
    let _ = write!(anstream::stderr().lock(), "{text}");
}

/// Prints a line to standard error.
pub(crate) fn log_line(text: impl Display) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Whether standard error shows colours.
pub(crate) fn stderr_has_colour() -> bool {
    let choice = AutoStream::choice(&io::stderr());
    choice != anstream::ColorChoice::Never
}

pub(crate) fn stderr_is_terminal() -> bool {
    io::stderr().is_terminal()
}

pub(crate) fn stdout_is_terminal() -> bool {
    match STDOUT.get() {
        Some(own) => own.lock().unwrap_or_else(PoisonError::into_inner).as_inner().is_terminal(),
        None => io::stdout().is_terminal(),
    }
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
