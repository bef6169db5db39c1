//! What stands for Arrow in a build without it.

use std::convert::Infallible;

use tamis_child::{Child, Framing};
use tamis_plugin::View;

use super::ExecOptions;
use super::protocol::Answer;

/// Whether this build speaks it.
pub(super) const IS_BUILT_IN: bool = false;

/// There are no such streams.
pub(super) struct Batches(Infallible);

pub(super) const FRAMING: Framing = Framing::Lines;

impl Batches {
    pub(super) fn new(_: &ExecOptions) -> Result<Self, String> {
        Err("this program was built without Arrow".to_owned())
    }

    pub(super) fn request(&mut self, _: &[View<'_>], _: &ExecOptions) -> Result<Vec<u8>, String> {
        match self.0 {}
    }

    pub(super) fn answer(
        &mut self,
        _: &mut Child,
        _: &str,
        _: impl Fn(&mut Child) -> Result<Vec<u8>, String>,
    ) -> Result<Answer, String> {
        match self.0 {}
    }
}
