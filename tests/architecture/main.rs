//! The invariants of ARCHITECTURE.md, held to the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Crates that each crate may depend on, beside crates of others; for tests any arrow is allowed.
const ARROWS: &[(&str, &[&str])] = &[
    ("document", &[]),
    ("text", &[]),
    ("dates", &[]),
    ("html", &["text"]),
    ("language", &["text"]),
    ("measures", &["text", "language"]),
    ("expression", &["document"]),
    ("sort", &[]),
    ("child", &[]),
    ("packed", &["document"]),
    ("isolate", &["child", "packed", "stage", "document"]),
    ("stage", &["document"]),
    ("keyed", &["sort", "stage", "document"]),
    ("plugin", &["stage", "document"]),
    ("host", &["plugin", "keyed", "child", "stage", "document"]),
    ("address", &[]),
    ("config", &["stage", "document", "address", "expression"]),
    ("store", &["address"]),
    ("input", &["address", "store"]),
    ("runner", &["address", "config", "input", "store", "packed", "stage", "document", "text"]),
    ("report", &["runner", "input", "stage", "document", "html", "text"]),
    ("conformance", &["plugin", "stage", "document"]),
    (
        "cli",
        &[
            "address",
            "config",
            "input",
            "runner",
            "report",
            "host",
            "isolate",
            "conformance",
            "plugin",
            "stage",
            "document",
            "text",
            "readers",
            "filters",
            "judges",
            "extractors",
            "exporters",
            "corpus",
            "columnar",
            "pages",
            "sqlite",
            "tokens",
            "exec",
        ],
    ),
    (
        "xtask",
        &[
            "config",
            "host",
            "stage",
            "text",
            "language",
            "readers",
            "filters",
            "judges",
            "extractors",
            "exporters",
            "corpus",
            "columnar",
            "pages",
            "sqlite",
            "tokens",
            "exec",
        ],
    ),
    ("readers", &["plugin", "text"]),
    ("filters", &["plugin", "text", "expression"]),
    ("judges", &["plugin", "text", "expression", "language", "measures"]),
    ("extractors", &["plugin", "text", "dates"]),
    ("exporters", &["plugin", "text"]),
    ("corpus", &["plugin", "text"]),
    ("columnar", &["plugin", "readers"]),
    ("pages", &["plugin", "text", "html", "dates"]),
    ("sqlite", &["plugin"]),
    ("exec", &["plugin", "child"]),
    ("tokens", &["plugin", "text"]),
    ("template", &["plugin"]),
    ("python", &["cli", "config", "runner", "host", "stage", "document"]),
];

/// A plugin author compiles these; a dependency more is a decision.
const MOST_CRATES_OF_AN_AUTHOR: usize = 30;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests lie in the top folder").to_owned()
}

fn cargo(arguments: &[&str]) -> String {
    let output =
        Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

/// Source files below a folder with their text, without tests.
fn sources(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("readable") {
            let path = entry.expect("readable").path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs")
                && name != "tests.rs"
                && name != "testing.rs"
            {
                found.insert(path.clone(), std::fs::read_to_string(&path).expect("UTF-8"));
            }
        }
    }
    found
}

/// Lines of code that hold one of `words`, as `file:line: text`, up to the tests of a file.
fn lines_with(folder: &str, words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in sources(&root().join(folder)) {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for (number, line) in code.lines().enumerate() {
            let is_comment = line.trim_start().starts_with("//");
            if !is_comment && words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    found
}

/// The folders of all crates but the given ones.
fn crates_but(excepted: &[&str]) -> Vec<String> {
    let folder = |name: &str| {
        let kind = if root().join("crates").join(name).is_dir() { "crates" } else { "plugins" };
        format!("{kind}/{name}/src")
    };
    ARROWS.iter().map(|(name, _)| *name).filter(|name| !excepted.contains(name)).map(folder).collect()
}

#[track_caller]
fn assert_none(words: &[&str], excepted: &[&str], why: &str) {
    let found: Vec<String> =
        crates_but(excepted).iter().flat_map(|folder| lines_with(folder, words)).collect();
    assert!(found.is_empty(), "{why}:\n{}", found.join("\n"));
}

#[test]
fn crates_depend_on_each_other_as_drawn() {
    let metadata: serde_json::Value =
        serde_json::from_str(&cargo(&["metadata", "--no-deps", "--format-version", "1"])).expect("JSON");
    let arrows: BTreeMap<String, BTreeSet<String>> = ARROWS
        .iter()
        .map(|(name, to)| (format!("tamis-{name}"), to.iter().map(|to| format!("tamis-{to}")).collect()))
        .collect();
    let mut seen = BTreeSet::new();
    for package in metadata["packages"].as_array().expect("a list") {
        let name = package["name"].as_str().expect("a name");
        if name == "tamis-tests" {
            continue;
        }
        let allowed =
            arrows.get(name).unwrap_or_else(|| panic!("{name} is not in ARCHITECTURE.md and in this test"));
        seen.insert(name.to_owned());
        for dependency in package["dependencies"].as_array().expect("a list") {
            let to = dependency["name"].as_str().expect("a name");
            let is_ours = to.starts_with("tamis-") && dependency["kind"].is_null();
            assert!(
                !is_ours || allowed.contains(to),
                "{name} → {to} is a new arrow: draw it in ARCHITECTURE.md first"
            );
        }
    }
    assert_eq!(seen.len(), ARROWS.len(), "a crate of the list is gone");
}

#[test]
fn only_the_boundary_is_unsafe() {
    assert_none(
        &["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"],
        &["plugin", "host"],
        "`unsafe` belongs to `plugin` and `host`",
    );
}

#[test]
fn only_the_command_line_prints_reads_the_environment_or_exits() {
    let words =
        ["println!", "print!(", "std::env::var", "env::args", "process::exit", "io::stdout", "io::stderr"];
    assert_none(&words, &["cli", "xtask"], "printing, the environment and exiting belong to `cli`");
}

#[test]
fn data_and_text_do_no_input_or_output() {
    for name in ["document", "text", "dates", "html", "language", "measures"] {
        let folder = &format!("crates/{name}/src");
        let found = lines_with(folder, &["std::fs", "std::io", "std::net", "std::env", "std::process"]);
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}

#[test]
fn runner_and_configuration_name_no_stage() {
    let mut names = BTreeSet::new();
    for table in ["source", "stage", "export"] {
        for entry in
            std::fs::read_dir(root().join("config/reference").join(table)).expect("generated reference")
        {
            let path = entry.expect("readable").path();
            names.insert(path.file_stem().unwrap_or_default().to_string_lossy().into_owned());
        }
    }
    assert!(names.contains("site-rules"), "{names:?}");
    // Also what every document has, or may have by the output contract; and no stage, but a word of the configuration.
    for word in ["text", "metadata", "language", "auto"] {
        names.remove(word);
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let words: Vec<&str> = quoted.iter().map(String::as_str).collect();
    for folder in ["crates/runner/src", "crates/config/src"] {
        let found = lines_with(folder, &words);
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}

#[test]
fn what_a_plugin_author_compiles_stays_small() {
    let tree =
        cargo(&["tree", "--package", "tamis-plugin", "--edges", "normal", "--prefix", "none", "--no-dedupe"]);
    let crates: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("tamis-document"), "{crates:?}");
    assert!(crates.len() <= MOST_CRATES_OF_AN_AUTHOR, "{} crates: {crates:?}", crates.len());
}
