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

/// Behind the path of an option: its name, not its value, as in relative JSON Pointers
/// (draft-bhutton-relative-json-pointer).
const KEY: &str = "#";

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

    /// An error in the name of an option of an option (`limits.min_word`), whatever its value; the pipeline file is shown
    /// at that name.
    pub fn in_key(option: impl Into<String>, message: impl fmt::Display) -> Self {
        Self::in_option(option.into() + KEY, message)
    }

    /// The option at fault, if it is one.
    pub fn option(&self) -> Option<&str> {
        let option = self.option.as_deref()?;
        Some(option.strip_suffix(KEY).unwrap_or(option))
    }

    /// The option at fault as it goes over the boundary: with a sign at its end if its name is at fault. It makes a
    /// [`Self::in_option`] that says the same.
    pub fn place(&self) -> Option<&str> {
        self.option.as_deref()
    }

    /// Whether the name of the option is at fault, and not its value.
    pub fn is_in_key(&self) -> bool {
        self.option.as_deref().is_some_and(|option| option.ends_with(KEY))
    }
}
