//! One module a command.

pub(crate) mod advise;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod extract;
pub(crate) mod init;
pub(crate) mod merge;
pub(crate) mod plan;
pub(crate) mod plugin_check;
mod plugin_in_c;
pub(crate) mod plugin_inspect;
pub(crate) mod plugin_new;
mod plugin_sdk;
pub(crate) mod plugin_serve;
pub(crate) mod preview;
pub(crate) mod report;
pub(crate) mod resolve;
pub(crate) mod retry;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod shards;
pub(crate) mod snapshots;
pub(crate) mod stages;
pub(crate) mod state;
pub(crate) mod test;
