//! A child process that is asked and answers, over its standard input and output.
//!
//! Whoever writes to a program and reads from it on one thread waits for ever once both pipes are full, and cannot give
//! up on a program that neither reads nor answers. So each pipe has a thread, and the worker waits for lines with a
//! limit. All of them end by themselves when the process does.
//!
//! What an answer is, [`Framing`] says: a line, bytes behind their number, or what a function of the caller's reads.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write as _};
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// An answer longer than this, in bytes, is none: nobody's document is.
pub const LONGEST: u64 = 1 << 30;
/// So many lines of standard error are kept for a message.
const LAST_LINES: usize = 5;
/// So many lines of standard error of a process are handed on.
const MOST_LINES: usize = 1000;
/// How long a process may take to end when its input has ended.
const GRACE: Duration = Duration::from_secs(2);

/// Reads the next answer; none at the end of what a program writes, or where an answer is broken off.
pub type Frame = fn(&mut dyn BufRead) -> Result<Option<Vec<u8>>, String>;

/// How answers are told apart.
#[derive(Debug, Clone, Copy)]
pub enum Framing {
    /// Each is a line, which is handed on without its end.
    Lines,
    /// Each is its length in bytes, as 8 bytes, least significant first, and then these bytes.
    Sized,
    /// Each is what this reads.
    By(Frame),
}

/// A process that answers.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    /// Gone when the input has ended.
    requests: Option<Sender<Vec<u8>>>,
    answers: Receiver<Result<Vec<u8>, String>>,
    errors: Arc<Mutex<Errors>>,
    listener: Option<JoinHandle<()>>,
}

/// What a process has written to standard error.
#[derive(Debug, Default)]
struct Errors {
    n_lines: usize,
    last: VecDeque<String>,
    new: Vec<String>,
}

impl Child {
    /// Starts a program; its three standard streams are taken.
    ///
    /// # Errors
    ///
    /// When the program cannot be started.
    pub fn start(mut command: Command, framing: Framing) -> Result<Self, String> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C goes to a whole group of processes. Only Tamis may hear it, which then ends the input; a program that
        // ends in the middle of a batch would look as if it had crashed.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let program = || command.get_program().to_string_lossy().into_owned();
        let program = program();
        let mut process = command.spawn().map_err(|error| format!("cannot start {program}: {error}"))?;
        let (requests, lines) = mpsc::channel();
        let (heard, answers) = mpsc::channel();
        let errors = Arc::new(Mutex::new(Errors::default()));
        if let Some(stdin) = process.stdin.take() {
            std::thread::spawn(move || write(stdin, &lines));
        }
        if let Some(stdout) = process.stdout.take() {
            std::thread::spawn(move || read(stdout, framing, &heard));
        }
        let listener = process.stderr.take().map(|stderr| {
            let errors = Arc::clone(&errors);
            std::thread::spawn(move || listen(stderr, &errors))
        });
        Ok(Self { process, requests: Some(requests), answers, errors, listener })
    }

    /// Gives the program some bytes to read. Whether it still reads shows when it is to answer.
    pub fn send(&self, bytes: Vec<u8>) {
        if let Some(requests) = &self.requests {
            let _ = requests.send(bytes);
        }
    }

    /// The next answer; `set_by` names the setting that `timeout` is the value of.
    ///
    /// # Errors
    ///
    /// Why there is none: the program ended, was silent for `timeout` and was ended, or what it sends is no answer. The
    /// last that it has said on standard error is part of the message. Nothing more comes of it then.
    pub fn answer(&mut self, timeout: Duration, set_by: &str) -> Result<Vec<u8>, String> {
        match self.answers.recv_timeout(timeout) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(why)) => Err(self.with_errors(&why)),
            Err(RecvTimeoutError::Timeout) => {
                let _ = self.process.kill();
                self.hear_out();
                let secs = timeout.as_secs_f64();
                Err(self.with_errors(&format!("the program was silent for {secs} s (`{set_by}`)")))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let why = match self.end() {
                    Some(status) => format!("the program ended ({}) before it had answered", how(status)),
                    None => "the program closed its standard output before it had answered".to_owned(),
                };
                self.hear_out();
                Err(self.with_errors(&why))
            }
        }
    }

    /// What the program has written to standard error since this was asked.
    pub fn take_errors(&self) -> Vec<String> {
        std::mem::take(&mut self.errors.lock().unwrap_or_else(PoisonError::into_inner).new)
    }

    /// Waits for the last words of a process that has ended: they come by another pipe than its answers, and say why.
    /// Not for long, because a process that it has started may hold that pipe open.
    fn hear_out(&self) {
        let began = Instant::now();
        while self.listener.as_ref().is_some_and(|it| !it.is_finished()) && began.elapsed() < GRACE {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// A message with the last that the program has said on standard error.
    pub fn with_errors(&self, why: &str) -> String {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        if errors.last.is_empty() {
            return why.to_owned();
        }
        let last: Vec<&str> = errors.last.iter().map(String::as_str).collect();
        format!("{why}; it said: {}", last.join(" / "))
    }

    /// Ends the input and waits for the process, which is killed if it stays.
    fn end(&mut self) -> Option<ExitStatus> {
        self.requests = None;
        let began = Instant::now();
        while began.elapsed() < GRACE {
            match self.process.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(2)),
                Ok(Some(status)) => return Some(status),
                Err(_) => return None,
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        None
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

/// How starting a program has gone so far, over all workers.
#[derive(Debug, Default)]
pub struct Starts(Mutex<FailedStarts>);

#[derive(Debug, Default)]
struct FailedStarts {
    in_a_row: u32,
    why: String,
}

/// So many starts in a row may fail before nothing is started any more.
const MOST_FAILED_STARTS: u32 = 3;

impl Starts {
    /// Starts a program, unless that has failed three times in a row: one that cannot start at all would otherwise be
    /// started for each of a million documents.
    ///
    /// # Errors
    ///
    /// What `start` says, or has said the last time.
    pub fn start<T>(&self, start: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
        let failed = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if failed().in_a_row >= MOST_FAILED_STARTS {
            return Err(failed().why.clone());
        }
        let started = start();
        let mut failed = failed();
        match &started {
            Ok(_) => failed.in_a_row = 0,
            Err(why) => {
                failed.in_a_row += 1;
                failed.why.clone_from(why);
            }
        }
        started
    }
}

fn write(mut stdin: ChildStdin, lines: &Receiver<Vec<u8>>) {
    for bytes in lines {
        // Whoever waits for the answer hears that the process has ended.
        if stdin.write_all(&bytes).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

fn read(stdout: impl Read, framing: Framing, heard: &Sender<Result<Vec<u8>, String>>) {
    let mut stdout = BufReader::with_capacity(64 << 10, stdout);
    loop {
        let answer = match framing {
            Framing::Lines => line(&mut stdout),
            Framing::Sized => sized(&mut stdout),
            Framing::By(frame) => frame(&mut stdout),
        };
        let Some(answer) = answer.transpose() else { return };
        let is_last = answer.is_err();
        if heard.send(answer).is_err() || is_last {
            return;
        }
    }
}

/// The next line; none at the end, and none if it has no end: an answer that was broken off.
///
/// # Errors
///
/// When it cannot be read or is longer than [`LONGEST`].
pub fn line(stdout: &mut dyn BufRead) -> Result<Option<Vec<u8>>, String> {
    let mut line = Vec::new();
    let n = stdout.take(LONGEST).read_until(b'\n', &mut line).map_err(|error| unreadable(&error))?;
    if line.pop_if(|last| *last == b'\n').is_some() {
        return Ok(Some(line));
    }
    if n as u64 == LONGEST { Err(too_long(LONGEST)) } else { Ok(None) }
}

/// The next bytes behind their number; none if they break off.
fn sized(stdout: &mut impl Read) -> Result<Option<Vec<u8>>, String> {
    let mut length = [0; 8];
    match stdout.read_exact(&mut length) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read.map_err(|error| unreadable(&error))?,
    }
    let length = u64::from_le_bytes(length);
    if length > LONGEST {
        return Err(too_long(length));
    }
    let mut bytes = Vec::new();
    let n = stdout.take(length).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    Ok((n as u64 == length).then_some(bytes))
}

/// What is said of an answer that cannot be read.
pub fn unreadable(error: &std::io::Error) -> String {
    format!("cannot read from the program: {error}")
}

/// What is said of an answer of so many bytes.
pub fn too_long(bytes: u64) -> String {
    format!("the program answers with {} MiB, which is more than {} MiB", bytes >> 20, (LONGEST >> 20) - 1)
}

fn listen(stderr: impl Read, errors: &Mutex<Errors>) {
    let mut stderr = BufReader::new(stderr);
    let mut line = Vec::new();
    // Read to the end, whatever is kept of it, because a program waits when nobody reads.
    while stderr.by_ref().take(64 << 10).read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.clear();
        if text.is_empty() {
            continue;
        }
        let mut errors = errors.lock().unwrap_or_else(PoisonError::into_inner);
        errors.n_lines += 1;
        if errors.n_lines <= MOST_LINES {
            errors.new.push(text.clone());
        } else if errors.n_lines == MOST_LINES + 1 {
            errors.new.push(format!("(more than {MOST_LINES} lines; the rest is left out)"));
        }
        if errors.last.len() == LAST_LINES {
            errors.last.pop_front();
        }
        errors.last.push_back(text);
    }
}

/// How a process ended, with the name of the signal if it was one.
#[cfg(unix)]
pub fn how(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;

    const NAMES: [(i32, &str); 5] =
        [(4, "SIGILL"), (6, "SIGABRT"), (7, "SIGBUS"), (8, "SIGFPE"), (11, "SIGSEGV")];
    match status.signal() {
        Some(signal) => match NAMES.iter().find(|(number, _)| *number == signal) {
            Some((_, name)) => format!("signal {signal}, {name}"),
            None => format!("signal {signal}"),
        },
        None => status.to_string(),
    }
}

/// How a process ended.
#[cfg(not(unix))]
pub fn how(status: ExitStatus) -> String {
    status.to_string()
}
