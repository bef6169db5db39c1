//! The pipelines that are measured.

use std::collections::BTreeSet;
use std::path::Path;

/// One pipeline: a source, stages, an export.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    pub(crate) reader: &'static str,
    /// Files or globs.
    pub(crate) paths: Vec<String>,
    /// The name of a stage, and the lines of its options.
    pub(crate) stages: Vec<(&'static str, String)>,
    pub(crate) exporter: &'static str,
    /// The folders below the output, named by fields; none if empty.
    pub(crate) partition: &'static str,
    /// The lines of its options, without the path.
    pub(crate) export_options: &'static str,
    pub(crate) threads: usize,
}

impl Pipeline {
    /// The pipeline file. `output` is the folder to write to.
    ///
    /// No failed document ends a run: what is measured is the work, and the counts are checked apart.
    pub(crate) fn to_toml(&self, output: &Path) -> String {
        let paths: Vec<String> = self.paths.iter().map(|path| quoted(path)).collect();
        let mut toml = format!("[[source]]\nuse = \"{}\"\npaths = [{}]\n\n", self.reader, paths.join(", "));
        for (name, options) in &self.stages {
            toml += &format!("[[stage]]\nuse = \"{name}\"\n{options}\n");
        }
        // Joining nothing would add a slash.
        let folders = (!self.partition.is_empty()).then(|| output.join(self.partition));
        let output = quoted(&folders.as_deref().unwrap_or(output).to_string_lossy());
        toml += &format!("[[export]]\nuse = \"{}\"\npath = {output}\n", self.exporter);
        toml += self.export_options;
        toml + &format!("\n[run]\nthreads = {}\nmax_failed_ratio = 1.0\n", self.threads)
    }

    /// What of it is not among `known` stages, such as ``reader `warc` ``.
    pub(crate) fn unknown(&self, known: &Stages) -> Option<String> {
        let mut needed = vec![("reader", self.reader), ("exporter", self.exporter)];
        needed.extend(self.stages.iter().map(|(name, _)| ("stage", *name)));
        let missing: Vec<String> = needed
            .into_iter()
            .filter(|(kind, name)| !known.has(kind, name))
            .map(|(kind, name)| format!("{kind} `{name}`"))
            .collect();
        (!missing.is_empty()).then(|| missing.join(", "))
    }
}

/// The stages that a binary knows: table (`reader`, `stage`, `exporter`) and name.
#[derive(Debug, Default)]
pub(crate) struct Stages(BTreeSet<(String, String)>);

impl Stages {
    /// Reads what `tamis stages --json` prints.
    pub(crate) fn parse(json: &[u8]) -> serde_json::Result<Self> {
        #[derive(serde::Deserialize)]
        struct Stage {
            kind: String,
            name: String,
        }
        let stages: Vec<Stage> = serde_json::from_slice(json)?;
        let table =
            |kind: String| if matches!(&*kind, "reader" | "exporter") { kind } else { "stage".into() };
        Ok(Self(stages.into_iter().map(|stage| (table(stage.kind), stage.name)).collect()))
    }

    fn has(&self, table: &str, name: &str) -> bool {
        self.0.contains(&(table.to_owned(), name.to_owned()))
    }
}

/// A TOML string; what JSON escapes, TOML does too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipeline() -> Pipeline {
        Pipeline {
            reader: "jsonl",
            paths: vec!["a \"b\".jsonl".to_owned()],
            stages: vec![("length", "min_chars = 5\n".to_owned())],
            exporter: "jsonl",
            partition: "{language}",
            export_options: "compression = \"zstd\"\n",
            threads: 2,
        }
    }

    #[test]
    fn file_is_a_pipeline() {
        let expected = r#"[[source]]
use = "jsonl"
paths = ["a \"b\".jsonl"]

[[stage]]
use = "length"
min_chars = 5

[[export]]
use = "jsonl"
path = "out/{language}"
compression = "zstd"

[run]
threads = 2
max_failed_ratio = 1.0
"#;
        assert_eq!(pipeline().to_toml(Path::new("out")), expected);
    }

    #[test]
    fn unknown_stages_are_named() {
        for (known, expected) in [
            (
                r#"[{"kind":"reader","name":"jsonl"},{"kind":"exporter","name":"jsonl"},{"kind":"filter","name":"length"}]"#,
                None,
            ),
            (
                r#"[{"kind":"reader","name":"jsonl"},{"kind":"exporter","name":"jsonl"}]"#,
                Some("stage `length`"),
            ),
            (
                r#"[{"kind":"reader","name":"jsonl"},{"kind":"corpus","name":"length"}]"#,
                Some("exporter `jsonl`"),
            ),
            ("[]", Some("reader `jsonl`, exporter `jsonl`, stage `length`")),
        ] {
            let known = Stages::parse(known.as_bytes()).unwrap();
            assert_eq!(pipeline().unknown(&known).as_deref(), expected);
        }
    }
}
