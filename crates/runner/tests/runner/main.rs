//! Runs with stages made for the purpose: breaks, stops and odd outputs at a given record, which no pipeline of
//! real stages could be brought to.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers are not marked as such")]

mod blocks;
mod compressed;
mod corpus;
mod exports;
mod fakes;
mod fates;
mod observer;
mod runs;
mod shutdown;
