//! The plugin boundary from outside: libraries in C and in Rust, sound and hostile, used as a user would.
//!
//! Sources of libraries in C lie in `c/`; without a C compiler their tests say so and pass.

#![cfg(unix)]
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test, whose helpers are not marked as such")]

mod attachments;
mod bare;
mod breaches;
mod conformance;
mod frozen;
mod in_c;
mod in_rust;
mod isolated;
mod loading;
mod minor;
mod stuck;
mod support;
