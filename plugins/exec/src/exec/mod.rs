//! `exec`: runs a program as a stage.

#[cfg(feature = "arrow")]
mod arrow;
#[cfg(not(feature = "arrow"))]
#[path = "no_arrow.rs"]
mod arrow;
mod conversation;
mod options;
mod protocol;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tamis_child::Starts;
use tamis_plugin::{BatchExtractor, Draft, Extracted, Failure, SetupError, Verdict, View};

use conversation::Conversation;
pub use options::{ExecFormat, ExecOptions};

/// Runs a program as a stage; see [`ExecOptions`].
#[derive(Debug)]
pub struct Exec {
    options: ExecOptions,
    starts: Starts,
    /// What processes have said that failed.
    said: Mutex<BTreeSet<String>>,
}

/// So many different last words are remembered.
const MOST_SAID: usize = 256;

/// The process of a worker, once there was something to do.
#[derive(Debug, Default)]
pub struct Worker {
    conversation: Option<Conversation>,
}

impl BatchExtractor for Exec {
    const NAME: &'static str = "exec";
    const READS: &'static [&'static str] = &["text", "*"];
    const WRITES: &'static [&'static str] = &["text", "*"];
    // As many as the option allows: what is given at once is cut by it.
    const BATCH: usize = 1024;
    type Options = ExecOptions;
    type Local = Worker;

    fn open(options: ExecOptions) -> Result<Self, SetupError> {
        let Some(program) = options.command.first() else {
            let message = "it runs nothing: give a `command`, such as [\"python3\"]";
            return Err(SetupError::in_option("command", message));
        };
        if options.format == ExecFormat::Arrow && !arrow::IS_BUILT_IN {
            let message = "this program was built without Arrow: `cargo build --release` builds all of tamis, and \"jsonl\" needs nothing";
            return Err(SetupError::in_option("format", message));
        }
        // What is looked for when a run starts would be missed by `tamis check`.
        which::which(program).map_err(|_| {
            SetupError::in_option("command", format!("there is no program `{program}` on the path"))
        })?;
        Ok(Self { options, starts: Starts::default(), said: Mutex::default() })
    }

    fn extract_one(&self, worker: &mut Worker, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        draft.original().begin();
        let id = draft.original().id().to_owned();
        let asked = self.ask(worker, &[draft.original()]);
        let answer = asked.and_then(|program| program.answer(&id, &self.options));
        self.log(worker, draft, answer.is_err());
        match answer {
            Ok(answer) => answer.apply(draft),
            Err(why) => {
                if worker.conversation.take().is_some() {
                    draft.notes().count("exec:restarts", 1);
                }
                Err(Failure::new(why))
            }
        }
    }

    fn extract_all(&self, worker: &mut Worker, documents: &mut [Extracted<'_>]) {
        for documents in documents.chunks_mut(self.options.batch) {
            let n_answered = self.extract_batch(worker, documents);
            for it in &mut documents[n_answered..] {
                it.outcome = self.extract_one(worker, &mut it.draft);
            }
        }
    }
}

impl Exec {
    /// Gives the program a batch, and says how many documents of it were answered before something went wrong.
    fn extract_batch(&self, worker: &mut Worker, documents: &mut [Extracted<'_>]) -> usize {
        let views: Vec<View<'_>> = documents.iter().map(|it| it.draft.original()).collect();
        let asked = self.ask(worker, &views);
        let mut n_answered = 0;
        let answered = asked.and_then(|program| {
            for it in &mut *documents {
                // The program works at the first that it has not answered.
                it.draft.original().begin();
                let answer = program.answer(it.draft.original().id(), &self.options)?;
                it.outcome = answer.apply(&mut it.draft);
                n_answered += 1;
            }
            Ok(())
        });
        if let Some(first) = documents.first_mut() {
            self.log(worker, &mut first.draft, answered.is_err());
            if answered.is_err() && worker.conversation.take().is_some() {
                first.draft.notes().count("exec:restarts", 1);
            }
        }
        n_answered
    }

    /// Asks the process of a worker, which is started if there is none.
    fn ask<'w>(
        &self,
        worker: &'w mut Worker,
        documents: &[View<'_>],
    ) -> Result<&'w mut Conversation, String> {
        let mut program = match worker.conversation.take() {
            Some(program) => program,
            None => self.starts.start(|| Conversation::begin(&self.options))?,
        };
        program.ask(documents, &self.options)?;
        Ok(worker.conversation.insert(program))
    }

    /// Hands on what the program has said on standard error. What a process says that fails as one before it did is
    /// counted and not said again: a program that always fails says it of every document.
    fn log(&self, worker: &Worker, draft: &mut Draft<'_>, has_failed: bool) {
        let lines = worker.conversation.as_ref().map(Conversation::take_errors).unwrap_or_default();
        if has_failed && !lines.is_empty() && !self.is_new(&lines) {
            draft.notes().count("exec:said_again", 1);
            return;
        }
        for line in lines {
            draft.notes().warn(format!("{}: {line}", self.options.command[0]));
        }
    }

    /// Whether no process has failed with these words yet; numbers aside, which are those of documents and processes.
    fn is_new(&self, lines: &[String]) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let words: String = lines.iter().flat_map(|line| line.chars().chain(['\n'])).collect();
        let words = words.replace(|c: char| c.is_ascii_digit(), "");
        said.len() >= MOST_SAID || said.insert(words)
    }
}
