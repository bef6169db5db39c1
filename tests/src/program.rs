//! The program under test.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The top folder of the project.
///
/// # Panics
///
/// Never: the folder of this crate lies in it.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lie in the top folder").to_owned()
}

/// The program `tamis`, built before it is used first: `cargo test` does not build the programs of other
/// packages.
///
/// # Panics
///
/// When it cannot be built.
pub fn tamis() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let status = Command::new(env!("CARGO"))
            // Of the whole workspace, as the tests were built: for one package alone, cargo chooses other features of what
            // it shares with the others, and builds Arrow and TLS once more.
            .args(["build", "--quiet", "--workspace", "--bin", "tamis"])
            .current_dir(root())
            .status()
            .expect("cargo starts");
        assert!(status.success(), "tamis cannot be built");
        built("tamis")
    })
}

/// A file that cargo builds into the folder above that of this test.
///
/// # Panics
///
/// When the test does not lie where cargo puts tests.
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test has a file");
    let folder = test.ancestors().nth(2).expect("target/PROFILE/deps/TEST");
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
