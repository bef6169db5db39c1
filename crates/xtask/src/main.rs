//! Project tasks, the same on a developer's machine and in CI.
//!
//! - `cargo xtask check`: format, lints, documentation, generated files, every example and ready pipeline.
//!   (The tests have a command of their own: `cargo test --workspace`.)
//! - `cargo xtask reference`: writes `config/reference/` and `config/schema.json` from the stages;
//!   with `--check` it only says whether they are up to date.
//! - `cargo xtask train`: learns the weights of the stages that have some (`docs/training.md`, `docs/training-html.md`,
//!   `docs/training-language.md`).
//! - `cargo xtask bench`: what a run costs, beside limits and peers (`docs/bench.md`).
//! - `cargo xtask near`: what `dedup-near` finds, drops wrongly and takes; makes the corpus for it.
//! - `cargo xtask faults`: what runs lose when they are harmed, which is nothing (`docs/faults.md`).
//! - `cargo xtask measures`: writes the chapter of the book with a picture of every measure.
//! - `cargo xtask wheel`: builds the Python package, and tries it in an environment of its own.

#![expect(clippy::print_stdout, reason = "a tool of the project that says what it does")]
#![expect(
    clippy::disallowed_methods,
    reason = "what is learned here goes into files that every machine reads alike, and what is measured is no result"
)]

mod bench;
mod check;
mod faults;
mod measures;
mod near;
mod reference;
mod train;
mod train_html;
mod train_language;
mod wheel;

use std::path::{Path, PathBuf};

use anyhow::bail;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["check"] => check::check(),
        ["reference"] => reference::write(),
        ["reference", "--check"] => reference::check(),
        ["train", "html", arguments @ ..] => {
            train_html::run(arguments, root().join("plugins/pages/src/model"))
        }
        ["train", "language", arguments @ ..] => {
            train_language::run(arguments, &root().join("crates/language/src/models"))
        }
        ["train", arguments @ ..] => train::run(arguments),
        ["bench", arguments @ ..] => bench::run(arguments),
        ["near", arguments @ ..] => near::run(arguments),
        ["faults", arguments @ ..] => faults::run(arguments),
        ["measures", arguments @ ..] => measures::run(arguments),
        ["wheel", arguments @ ..] => wheel::run(arguments),
        [bench::MEASURE, command @ ..] => bench::measure_one(command),
        [bench::JSONL_PEER, input, output] => bench::jsonl_peer(input.as_ref(), output.as_ref()),
        _ => bail!(
            "usage: cargo xtask check | reference [--check] | train boilerplate [--help] | train html --data FOLDER | train language --data FOLDER | bench [--help] | near pairs|corpus|measure|growth|peers [--help] | faults [--help] | measures [--help] | wheel [--help]"
        ),
    }
}

/// The top folder of the project.
fn root() -> PathBuf {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    crates.and_then(Path::parent).map_or_else(PathBuf::new, Path::to_owned)
}
