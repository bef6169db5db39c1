//! The program as a user runs it: a folder, a pipeline file, an exit code, what is printed, what is written.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers are not marked as such")]

mod accounting;
mod adding;
mod archives;
mod beginning;
mod browsing;
mod commands;
mod composing;
mod damage;
mod data_sets;
mod determinism;
mod exec;
mod exit_codes;
mod explaining;
mod formats;
mod hostile;
mod interruption;
mod judging;
mod letters;
mod looking;
mod mistakes;
mod nothing_done;
mod output;
mod partitions;
mod places;
mod plan;
mod printed;
mod ranges;
mod remote;
mod retrying;
mod round_trip;
mod shards;
mod stores;
mod streams;
mod telling;
mod times;
use tamis_tests::world;
