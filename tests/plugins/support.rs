//! What the tests share: building libraries, writing pipelines, running the program.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value as Json;
use tamis_host::{Inspector, Loader, library_file_name};
use tamis_tests::program::{built, root, tamis};
use tempfile::TempDir;

/// A folder of one test; gone when the test ends.
pub(crate) fn folder() -> TempDir {
    tempfile::Builder::new().prefix("tamis-plugins-").tempdir().unwrap()
}

/// What a program did.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The run itself, if it ended as it should.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

/// Runs `tamis` with arguments.
pub(crate) fn run<A: AsRef<std::ffi::OsStr>>(arguments: &[A]) -> Run {
    Command::new(tamis()).args(arguments).output().unwrap().into()
}

/// A loader that inspects libraries as the program does.
pub(crate) fn loader() -> Loader {
    loader_within(std::time::Duration::from_secs(10))
}

/// A loader with a time limit for the inspection of a library.
pub(crate) fn loader_within(timeout: std::time::Duration) -> Loader {
    let arguments = vec!["plugin".into(), "describe".into()];
    Loader::new(Inspector { program: tamis().to_owned(), arguments, timeout }, Vec::new())
}

/// Whether libraries in C can be built; says so if not.
pub(crate) fn has_cc() -> bool {
    let found = Command::new("cc").arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: there is no C compiler `cc`");
    }
    found
}

/// The folders of today's header and of those that plugins have been built with before.
pub(crate) const HEADERS: [&str; 2] = ["crates/plugin/include", "tests/plugins/abi-1.1"];

/// Builds a source of `c/` as the library of plugin `name`, with macros defined.
#[track_caller]
pub(crate) fn c_library(folder: &Path, source: &str, name: &str, defines: &[&str]) -> PathBuf {
    c_library_against(HEADERS[0], folder, source, name, defines)
}

/// The same with one of [`HEADERS`].
#[track_caller]
pub(crate) fn c_library_against(
    header: &str,
    folder: &Path,
    source: &str,
    name: &str,
    defines: &[&str],
) -> PathBuf {
    let library = folder.join(library_file_name(name));
    let defines: Vec<_> = defines.iter().map(|define| format!("-D{define}")).collect();
    compile(&root().join(header), &root().join("tests/plugins/c").join(source), &library, &defines);
    library
}

/// Compiles a file in C to a library.
#[track_caller]
pub(crate) fn compile(headers: &Path, source: &Path, library: &Path, defines: &[String]) {
    let output = Command::new("cc")
        .args(["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I"])
        .arg(headers)
        .args(defines)
        .arg(source)
        .arg("-o")
        .arg(library)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {defines:?}: {said}", source.display());
}

/// Records by what became of them, as a pipeline wrote them.
#[derive(Debug)]
pub(crate) struct Records {
    pub(crate) kept: Vec<Json>,
    pub(crate) dropped: Vec<Json>,
    pub(crate) failed: Vec<Json>,
}

impl Records {
    pub(crate) fn ids(records: &[Json]) -> Vec<&str> {
        records.iter().map(|record| record["id"].as_str().unwrap()).collect()
    }

    /// The reason of a failed record.
    #[track_caller]
    pub(crate) fn failure(&self, id: &str) -> &str {
        let record = self.failed.iter().find(|record| record["id"] == id);
        record.unwrap_or_else(|| panic!("`{id}` did not fail: {self:?}"))["reason"].as_str().unwrap()
    }
}

/// Documents of a file; so many fill a block, so that those of the next file are in another call.
pub(crate) const DOCUMENTS_OF_A_CALL: usize = 100;

/// Runs a pipeline over documents (id and text) as JSON Lines; `stages` is its middle part, and may use
/// plugins by a path relative to `folder`. Every record may fail.
#[track_caller]
pub(crate) fn pipeline(folder: &Path, head: &str, stages: &str, documents: &[(&str, &str)]) -> Records {
    let line = |(id, text): &(&str, &str)| serde_json::json!({ "id": id, "text": text }).to_string() + "\n";
    for left in ["in", "out", "exported"] {
        // Of another pipeline of the same test, if there was one.
        let _ = std::fs::remove_dir_all(folder.join(left));
    }
    std::fs::create_dir_all(folder.join("in")).unwrap();
    for (index, file) in documents.chunks(DOCUMENTS_OF_A_CALL).enumerate() {
        let name = format!("in/{index}.jsonl");
        std::fs::write(folder.join(name), file.iter().map(line).collect::<String>()).unwrap();
    }
    let file = folder.join("pipeline.toml");
    let text = format!(
        "{head}\n[[source]]\nuse = \"jsonl\"\npaths = [\"in\"]\n{stages}\n\
         [[export]]\nuse = \"jsonl\"\npath = \"out\"\n\
         [[export]]\nid = \"dropped\"\nuse = \"jsonl\"\nfrom = \"dropped\"\npath = \"out/dropped\"\n\
         [[export]]\nid = \"failed\"\nuse = \"jsonl\"\nfrom = \"failed\"\npath = \"out/failed\"\n\
         [run]\nmax_failed_ratio = 1\nblock_bytes = 1024\n"
    );
    std::fs::write(&file, text).unwrap();
    run(&[Path::new("run"), &file]).exits(0);
    let out = folder.join("out");
    Records { kept: lines(&out), dropped: lines(&out.join("dropped")), failed: lines(&out.join("failed")) }
}

/// The records of the first part in a folder; none if there is no part.
pub(crate) fn lines(folder: &Path) -> Vec<Json> {
    let text = std::fs::read_to_string(folder.join("part-00000.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A folder for builds of cargo that is kept from run to run, so that they are cheap.
pub(crate) fn cargo_target() -> PathBuf {
    built("").parent().unwrap().join("tests/outside")
}
