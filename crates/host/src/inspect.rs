//! Describes a library in a short-lived child process.
//!
//! Loading a library runs its constructors, so a broken one could take the program with it.
//! The child is a program that whoever embeds this crate names: `tamis` names itself, and has a hidden command that calls
//! [`describe_for_parent`].

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tamis_child::how;
use tamis_stage::PluginOrigin;

use crate::descriptor::Description;
use crate::error::PluginError;
use crate::library::{Library, Opened};

/// Begins the line with the answer: a library may print lines of its own while it is loaded.
const ANSWER: &str = "tamis-plugin-description ";
const POLL: Duration = Duration::from_millis(2);

/// The arguments with which the `tamis` program describes a library, before those that [`Inspector`] adds.
pub const DESCRIBE: [&str; 2] = ["plugin", "describe"];
/// How long a library may take to be described, unless somebody says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How to start the child process.
///
/// Any program will do that hands its last two arguments to [`describe_for_parent`] and prints what it gives: a
/// library that is embedded in another program cannot start that program again and must name one that does, such as
/// `tamis` itself ([`Inspector::of`]).
#[derive(Debug, Clone)]
pub struct Inspector {
    /// The program.
    pub program: PathBuf,
    /// Its arguments; the path of the library follows, and its BLAKE3 as hexadecimal digits.
    pub arguments: Vec<OsString>,
    /// How long it may take.
    pub timeout: Duration,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Description(Description),
    Refused(String),
}

/// The child's side: loads the library at `path`, if it has the hash that the parent has seen, and returns the lines
/// to print on standard output.
pub fn describe_for_parent(path: &Path, blake3: &str) -> String {
    let loaded = Opened::new(path).and_then(|opened| {
        opened.expect(blake3)?;
        opened.load(PluginOrigin::Bundled)
    });
    let answer = match loaded {
        Ok(checked) => Answer::Description(checked.description),
        Err(error) => Answer::Refused(error.to_string()),
    };
    let json = serde_json::to_string(&answer).unwrap_or_else(|error| format!("{{\"refused\":\"{error}\"}}"));
    // On a line of its own, whatever the library has printed before it.
    format!("\n{ANSWER}{json}")
}

impl Inspector {
    /// With a `tamis` program, or another with its command line ([`DESCRIBE`]), in 10 s a library.
    pub fn of(program: impl Into<PathBuf>) -> Self {
        let arguments = DESCRIBE.map(OsString::from).to_vec();
        Self { program: program.into(), arguments, timeout: TIMEOUT }
    }

    /// The parent's side: what a library says about itself.
    ///
    /// # Errors
    ///
    /// When the library is refused, crashes, or hangs.
    pub(crate) fn describe(&self, library: &Library) -> Result<Description, PluginError> {
        let (path, origin) = (library.path(), library.origin());
        let failed = |source| PluginError::Inspection { path: path.to_owned(), source };
        let start = Instant::now();
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .arg(path)
            .arg(library.blake3())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let output = collect(&mut child);
        let timed_out = || PluginError::TimedOut { path: path.to_owned(), limit: self.timeout };
        let status = self.wait(&mut child, start).map_err(failed)?.ok_or_else(timed_out)?;
        // Not joined but waited for: a process that the library has started may hold the pipe for ever.
        let rest = self.timeout.saturating_sub(start.elapsed()).max(POLL);
        let output = output.recv_timeout(rest).map_err(|_| timed_out())?;
        let answer = output.lines().rev().find_map(|line| line.strip_prefix(ANSWER));
        let answer = answer.and_then(|answer| serde_json::from_str(answer).ok());
        match answer {
            // One that crashes on the way out would do so at the end of every run.
            Some(_) if !status.success() => {
                Err(PluginError::Crashed { path: path.to_owned(), how: how(status) })
            }
            Some(Answer::Description(description)) => Ok(with_origin(description, origin)),
            Some(Answer::Refused(message)) => Err(PluginError::Refused { message }),
            None if status.success() => {
                let how = "it ended the process by calling `exit`".to_owned();
                Err(PluginError::Crashed { path: path.to_owned(), how })
            }
            None => Err(PluginError::Crashed { path: path.to_owned(), how: how(status) }),
        }
    }

    /// How the child ended; none if it had to be killed.
    fn wait(&self, child: &mut Child, start: Instant) -> std::io::Result<Option<ExitStatus>> {
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok(Some(status));
            }
            if start.elapsed() > self.timeout {
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
            std::thread::sleep(POLL);
        }
    }
}

/// Reads the output while the child runs, so that a full pipe cannot stop it.
fn collect(child: &mut Child) -> Receiver<String> {
    let stdout = child.stdout.take();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut output = Vec::new();
        if let Some(mut stdout) = stdout {
            // What was read before an error is all there is.
            let _ = stdout.read_to_end(&mut output);
        }
        // Nobody listens any more after a timeout.
        let _ = sender.send(String::from_utf8_lossy(&output).into_owned());
    });
    receiver
}

fn with_origin(mut description: Description, origin: PluginOrigin) -> Description {
    description.plugin.origin = origin;
    let plugin = std::sync::Arc::new(description.plugin.clone());
    for stage in &mut description.stages {
        stage.plugin = std::sync::Arc::clone(&plugin);
    }
    description
}
