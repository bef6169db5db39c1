//! Finds, checks, loads and guards plugin libraries, and hands them on as ordinary stages.
//!
//! A plugin is a table of C functions, whether it is linked into the program ([`bundled`]) or loaded from a
//! library ([`Loader`]); both end up as [`StageFactory`](tamis_stage::StageFactory)s in a
//! [`Registry`](tamis_stage::Registry), which cannot tell them apart.
//!
//! A library is first described in a short-lived child process ([`Inspector`]), so one that crashes or hangs
//! when it is loaded costs a message; it enters this process only when one of its stages is opened.
//! What a plugin does while it runs is checked call by call, and a breach of the contract is an error that
//! names the plugin.
//!
//! A loaded library can do whatever the process can do. Pins and the refusal of files that others may change
//! (`trust`) are the answers to that; a sandbox this is not. What was hashed is what is loaded: the file is
//! opened once, and on Linux the dynamic loader gets the descriptor. A library that looks for others beside
//! itself (`$ORIGIN`), and every library on other systems, is opened by its path: there only those can exchange
//! it in between who are trusted anyway.
//!
//! A plugin that calls `exit` is found out ([`guard_exit`]), one that does not come back is named
//! ([`Watchdog`]). What ends a process without asking, such as `_exit`, `abort`, an overflow of the stack or
//! memory that cannot be had, nothing in the same process can guard against.

#![expect(unsafe_code, reason = "this crate is one side of the C boundary")]

mod adapter;
mod call;
mod calls;
mod descriptor;
mod error;
mod exits;
mod factory;
mod inspect;
mod library;
mod loader;
#[cfg(unix)]
mod trust;
mod watchdog;

pub use calls::{OpenCall, open_calls};
pub use descriptor::Description;
pub use error::PluginError;
#[cfg(unix)]
pub use exits::exit_now;
pub use exits::{ExitGuard, guard_exit};
pub use factory::bundled;
pub use inspect::{DESCRIBE, Inspector, describe_for_parent};
pub use library::{library_file_name, plugin_name_of};
pub use loader::{Loader, Request};
pub use watchdog::Watchdog;
