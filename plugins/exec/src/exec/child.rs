//! A program that runs beside a worker.
//!
//! Whoever writes to a program and reads from it on one thread waits for ever once both pipes are full, and cannot give
//! up on a program that neither reads nor answers. So each pipe has a thread, and the worker waits for lines with a
//! limit. All of them end by themselves when the process does.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::{ExecOptions, protocol};

/// A line longer than this is no answer: nobody's document is.
const LONGEST_LINE: u64 = 1 << 30;
/// So many lines of standard error are kept for a message.
const LAST_LINES: usize = 5;
/// So many lines of standard error of a process are handed on.
const MOST_LINES: usize = 1000;
/// How long a process may take to end when its input has ended.
const GRACE: Duration = Duration::from_secs(2);

/// A process that answers.
#[derive(Debug)]
pub(super) struct Child {
    process: std::process::Child,
    /// Gone when the input has ended.
    requests: Option<Sender<Vec<u8>>>,
    answers: Receiver<Result<Vec<u8>, String>>,
    errors: Arc<Mutex<Errors>>,
    listener: Option<JoinHandle<()>>,
    timeout: Duration,
}

/// What a process has written to standard error.
#[derive(Debug, Default)]
struct Errors {
    n_lines: usize,
    last: VecDeque<String>,
    new: Vec<String>,
}

impl Child {
    /// Starts the program and greets it.
    pub(super) fn start(options: &ExecOptions) -> Result<Self, String> {
        let mut command = Command::new(&options.command[0]);
        command.args(&options.command[1..]).args(&options.script);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C goes to a whole group of processes. Only Tamis may hear it, which then ends the input; a program that
        // ends in the middle of a batch would look as if it had crashed.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process =
            command.spawn().map_err(|error| format!("cannot start {}: {error}", options.command[0]))?;
        let (requests, lines) = mpsc::channel();
        let (heard, answers) = mpsc::channel();
        let errors = Arc::new(Mutex::new(Errors::default()));
        if let Some(stdin) = process.stdin.take() {
            std::thread::spawn(move || write(stdin, &lines));
        }
        if let Some(stdout) = process.stdout.take() {
            std::thread::spawn(move || read(stdout, &heard));
        }
        let listener = process.stderr.take().map(|stderr| {
            let errors = Arc::clone(&errors);
            std::thread::spawn(move || listen(stderr, &errors))
        });
        let timeout = Duration::from_secs(options.timeout_secs);
        let mut child = Self { process, requests: Some(requests), answers, errors, listener, timeout };
        child.send(protocol::hello(options));
        let welcome = child.answer()?;
        protocol::welcome(&welcome).map_err(|why| child.with_errors(&why))?;
        Ok(child)
    }

    /// Gives the program some bytes to read. Whether it still reads shows when it is to answer.
    pub(super) fn send(&self, bytes: Vec<u8>) {
        if let Some(requests) = &self.requests {
            let _ = requests.send(bytes);
        }
    }

    /// The next line of the program, or why there is none.
    pub(super) fn answer(&mut self) -> Result<Vec<u8>, String> {
        match self.answers.recv_timeout(self.timeout) {
            Ok(Ok(line)) => Ok(line),
            Ok(Err(why)) => Err(self.with_errors(&why)),
            Err(RecvTimeoutError::Timeout) => {
                let secs = self.timeout.as_secs();
                let _ = self.process.kill();
                self.hear_out();
                Err(self.with_errors(&format!("the program was silent for {secs} s (`timeout_secs`)")))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let why = match self.end() {
                    Some(status) => format!("the program ended ({status}) before it had answered"),
                    None => "the program closed its standard output before it had answered".to_owned(),
                };
                self.hear_out();
                Err(self.with_errors(&why))
            }
        }
    }

    /// What the program has written to standard error since this was asked.
    pub(super) fn take_errors(&self) -> Vec<String> {
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

    fn with_errors(&self, why: &str) -> String {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        if errors.last.is_empty() {
            return why.to_owned();
        }
        let last: Vec<&str> = errors.last.iter().map(String::as_str).collect();
        format!("{why}; it said: {}", last.join(" / "))
    }

    /// Ends the input and waits for the process, which is killed if it stays.
    fn end(&mut self) -> Option<std::process::ExitStatus> {
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

fn write(mut stdin: ChildStdin, lines: &Receiver<Vec<u8>>) {
    for bytes in lines {
        // Whoever waits for the answer hears that the process has ended.
        if stdin.write_all(&bytes).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

fn read(stdout: impl Read, heard: &Sender<Result<Vec<u8>, String>>) {
    let mut stdout = BufReader::with_capacity(64 << 10, stdout);
    loop {
        let mut line = Vec::new();
        let result = match stdout.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) => return,
            Ok(_) if line.last() == Some(&b'\n') => {
                line.pop();
                Ok(line)
            }
            Ok(_) if line.len() as u64 == LONGEST_LINE => {
                Err(format!("the program answers with a line of more than {} MiB", LONGEST_LINE >> 20))
            }
            // A line without end is an answer that was broken off.
            Ok(_) => return,
            Err(error) => Err(format!("cannot read from the program: {error}")),
        };
        let is_last = result.is_err();
        if heard.send(result).is_err() || is_last {
            return;
        }
    }
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
