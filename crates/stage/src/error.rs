//! The two ways in which a stage can fail.

use std::fmt;

/// A document that a stage could not process: it becomes a dead letter with this message, its neighbours go
/// on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    message: String,
}

impl Failure {
    /// A failure with a message: lower case, no final stop, what was wrong and where.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string() }
    }
}

/// A stage that cannot be opened with the options given: nothing runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SetupError {
    message: String,
    option: Option<String>,
}

impl SetupError {
    /// An error that concerns the stage as a whole.
    pub fn new(message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), option: None }
    }

    /// An error in one option; the pipeline file is shown at that option.
    pub fn in_option(option: impl Into<String>, message: impl fmt::Display) -> Self {
        Self { message: message.to_string(), option: Some(option.into()) }
    }

    /// The option at fault, if it is one.
    pub fn option(&self) -> Option<&str> {
        self.option.as_deref()
    }
}
