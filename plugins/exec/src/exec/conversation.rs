//! A process of the program, and the talk with it.

use std::fmt;
use std::process::Command;
use std::time::Duration;

use tamis_child::{Child, Framing};
use tamis_plugin::View;

use super::arrow::{self, Batches};
use super::protocol::{self, Answer};
use super::{ExecFormat, ExecOptions};

/// A process that was greeted and answers.
pub(super) struct Conversation {
    child: Child,
    /// None for JSON Lines.
    batches: Option<Batches>,
}

impl Conversation {
    /// Starts the program and greets it.
    pub(super) fn begin(options: &ExecOptions) -> Result<Self, String> {
        let mut command = Command::new(&options.command[0]);
        command.args(&options.command[1..]).args(&options.script);
        let (framing, batches) = match options.format {
            ExecFormat::Jsonl => (Framing::Lines, None),
            ExecFormat::Arrow => (arrow::FRAMING, Some(Batches::new(options)?)),
        };
        let mut child = Child::start(command, framing)?;
        child.send(protocol::hello(options));
        let welcome = answer(&mut child, options)?;
        protocol::welcome(&welcome, options.format).map_err(|why| child.with_errors(&why))?;
        Ok(Self { child, batches })
    }

    /// Gives the program some documents, whose answers are then due.
    pub(super) fn ask(&mut self, documents: &[View<'_>], options: &ExecOptions) -> Result<(), String> {
        let bytes = match &mut self.batches {
            None => protocol::request(documents, options),
            Some(batches) => batches.request(documents, options)?,
        };
        self.child.send(bytes);
        Ok(())
    }

    /// What the program says of the document `id`, whose turn it is.
    pub(super) fn answer(&mut self, id: &str, options: &ExecOptions) -> Result<Answer, String> {
        match &mut self.batches {
            None => Answer::read(&answer(&mut self.child, options)?, id),
            Some(batches) => batches.answer(&mut self.child, id, |child| answer(child, options)),
        }
    }

    /// What the program has written to standard error since this was asked.
    pub(super) fn take_errors(&self) -> Vec<String> {
        self.child.take_errors()
    }
}

fn answer(child: &mut Child, options: &ExecOptions) -> Result<Vec<u8>, String> {
    child.answer(Duration::from_secs(options.timeout_secs), "timeout_secs")
}

impl fmt::Debug for Conversation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Conversation").field(&self.child).finish()
    }
}
