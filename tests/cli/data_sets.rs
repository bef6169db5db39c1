//! An output folder is a data set as it is, for those who know nothing of Tamis.

use std::path::PathBuf;
use std::process::Command;

use crate::world::{World, ran};
use serde_json::json;
use tamis_tests::program::root;

/// A Python that has what the script imports; CI makes one and names it in this variable.
const PYTHON: &str = "TAMIS_TEST_PYTHON";

fn python() -> Option<PathBuf> {
    let python = PathBuf::from(std::env::var_os(PYTHON).unwrap_or_else(|| "python3".into()));
    let has_modules = Command::new(&python)
        .args(["-c", "import datasets, duckdb, pyarrow"])
        .current_dir(root())
        .output()
        .is_ok_and(|output| output.status.success());
    assert!(
        has_modules || std::env::var_os(PYTHON).is_none(),
        "`{PYTHON}` lacks pyarrow, duckdb or datasets"
    );
    has_modules.then_some(python)
}

/// Some documents of two languages; every fifth is dropped, and one line cannot be read.
fn collection(world: &World) -> Vec<String> {
    let mut lines = String::from("{broken\n");
    let mut kept = Vec::new();
    for n in 0..40 {
        let language = ["en", "zh"][n % 2];
        let is_kept = n % 5 != 4;
        let text = if is_kept { format!("the text number {n} is long enough") } else { "short".to_owned() };
        let document = json!({ "id": format!("d{n:02}"), "text": text, "language": language });
        lines += &format!("{document}\n");
        kept.extend(is_kept.then(|| format!("d{n:02}")));
    }
    world.write("in/a.jsonl", lines);
    kept
}

#[test]
fn pyarrow_duckdb_and_hugging_face_read_what_was_kept_and_nothing_else() {
    let Some(python) = python() else {
        eprintln!("SKIPPED: no Python with pyarrow, duckdb and datasets; `{PYTHON}` may name one");
        return;
    };
    for form in ["parquet", "jsonl"] {
        for (partition, pattern) in [("", "*"), ("/language={language}", "language=*/*")] {
            let world = World::with(&format!(
                "[[source]]\nuse = \"jsonl\"\npaths = [\"in/*\"]\n\
                 [[stage]]\nuse = \"length\"\nmin_chars = 10\n\
                 [[export]]\nuse = \"{form}\"\npath = \"out{partition}\"\n\
                 [[export]]\nid = \"dropped\"\nuse = \"{form}\"\nfrom = \"dropped\"\npath = \"out/__dropped\"\n\
                 [run]\nmax_failed_ratio = 1\n"
            ));
            let kept = collection(&world);
            world.run(&[]).exits(0);
            assert_eq!(world.tally(), (41, 32, 8, 1));
            let script = root().join("tests/cli/read_as_data_set.py");
            let arguments =
                [world.path("out").display().to_string(), form.to_owned(), format!("{pattern}.{form}")];
            let read = ran(Command::new(&python)
                .arg(script)
                .args(arguments)
                .arg(world.path("cache"))
                .env("HF_HUB_OFFLINE", "1"))
            .exits(0);
            let found: serde_json::Map<_, _> = serde_json::from_str(&read.stdout).unwrap();
            assert_eq!(found.len(), 3);
            for (reader, ids) in found {
                let mut ids: Vec<String> = serde_json::from_value(ids).unwrap();
                ids.sort_unstable();
                assert_eq!(ids, kept, "{reader}, {form}, out{partition}");
            }
        }
    }
}
