//! Every exporter through the whole program, and the way back.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::world::{World, manifest_is_true};

/// Bytes that are no UTF-8, for the dead letters.
const BROKEN: &[u8] = b"{\"text\":\"no UTF-8: \xFF\xFE\0\"}";

/// A pipeline that exports all three fates in one format, kept documents in small parts.
fn pipeline(exporter: &str, options: &str) -> String {
    let mut pipeline = "\
[[source]]
use = \"jsonl\"
paths = [\"in\"]

[[stage]]
use = \"length\"
min_chars = 10

[run]
threads = 2
block_bytes = \"4 KiB\"
max_failed_ratio = 1
"
    .to_owned();
    for from in ["kept", "dropped", "failed"] {
        let path = if from == "kept" { "out".to_owned() } else { format!("out/{from}") };
        let _ = write!(
            pipeline,
            "\n[[export]]\nid = \"{from}\"\nfrom = \"{from}\"\npath = \"{path}\"\n\
             use = \"{exporter}\"\n{options}\n"
        );
        if !matches!(exporter, "markdown" | "text") {
            pipeline += "max_part_bytes = \"20 KiB\"\n";
        }
    }
    pipeline
}

/// Documents with everything that a format may trip over; some are dropped, and some cannot be read.
fn collection(world: &World) {
    let texts = [
        "plain text of a document",
        "河水上涨，桥梁封闭，道路中断。",
        "two\nlines, \"quotes\", commas; and | bars\tand tabs",
        "ends in line ends\r\n\r\n",
        "   blanks around it   ",
        "a lone \r in the middle",
        "nul \0 and escape \u{1b} and \u{2028} and \u{feff}",
        "=SUM(A1:A9) is a formula",
        "'single', `back`, \\ back slash, \\n no line end",
        "😀 beyond the first plane 𠀀",
        "short",
    ];
    let mut lines = Vec::new();
    for n in 0..400_usize {
        let text = texts[n % texts.len()];
        let document = json!({
            "id": format!("document \"{n}\", 文档"),
            "text": if n % 13 == 0 { text.repeat(20) } else { text.to_owned() },
            "n": n,
            "ratio": 0.1 + n as f64,
            "is_even": n % 2 == 0,
            "nothing": null,
            "title": texts[(n + 3) % texts.len()],
            "empty": "",
            "tags": ["a", "b,c", "\"d\""],
            "deep": { "er": { "n": [1, 2.5, null] } },
            "中文": "值",
        });
        lines.extend_from_slice(document.to_string().as_bytes());
        lines.push(b'\n');
        if n % 50 == 0 {
            lines.extend_from_slice(BROKEN);
            lines.push(b'\n');
        }
    }
    lines.extend_from_slice(b"{\"id\":\"big\",\"text\":\"a number beyond all bounds\",\"n\":123456789012345678901234567890,\"e\":1e400}\n");
    world.write("in/a.jsonl", lines);
}

/// What was written as `exporter`, by the ending of its files, read by `reader` and written as JSON Lines again.
///
/// Lines and not what they mean: a number of thirty digits must keep them.
fn read_back(world: &World, reader: &str, options: &str, ending: &str, from: &str) -> Vec<String> {
    let folder = if from == "kept" { "out".to_owned() } else { format!("out/{from}") };
    world.write(
        "back.toml",
        format!(
            "[[source]]\nuse = \"{reader}\"\npaths = [\"{folder}/*.{ending}\"]\n{options}\n\n\
             [[export]]\nuse = \"jsonl\"\npath = \"back\"\nraw = true\n\n[run]\nmax_failed_ratio = 0\n"
        ),
    );
    world.tamis(&["run", "back.toml", "--fresh"]).exits(0);
    lines(world, "back")
}

fn lines(world: &World, folder: &str) -> Vec<String> {
    let parts = world.files(folder).into_iter().filter(|(name, _)| name.starts_with("part-"));
    parts
        .flat_map(|(_, part)| String::from_utf8(part).unwrap().lines().map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

/// A world in which the collection was exported, and the same records as JSON Lines.
fn exported(exporter: &str, options: &str) -> (World, Vec<String>) {
    let world = World::with(&pipeline("jsonl", ""));
    collection(&world);
    world.run(&[]).exits(0);
    let records = lines(&world, "out");
    assert_eq!(world.tally().3, 8);
    std::fs::remove_dir_all(world.path("out")).unwrap();
    world.write("p.toml", pipeline(exporter, options));
    world.run(&[]).exits(0);
    manifest_is_true(&world, "out");
    (world, records)
}

#[track_caller]
fn same(what: &str, found: &[String], expected: &[String]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected, "{what}");
    }
}

#[test]
fn what_is_exported_reads_back_as_it_was() {
    for (exporter, options, reader, how, ending) in [
        ("jsonl", "", "jsonl", "", "jsonl"),
        ("jsonl", "compression = \"zstd\"", "jsonl", "", "jsonl.zst"),
        ("jsonl", "compression = \"gzip\"", "jsonl", "", "jsonl.gz"),
        ("csv", "", "csv", "", "csv"),
        ("csv", "compression = \"zstd\"", "csv", "", "csv.zst"),
        ("csv", "compression = \"gzip\"", "csv", "", "csv.gz"),
        ("csv", "delimiter = \"semicolon\"", "csv", "delimiter = \"semicolon\"", "csv"),
        ("csv", "delimiter = \"bar\"", "csv", "delimiter = \"bar\"", "csv"),
        ("csv", "delimiter = \"tab\"", "tsv", "", "tsv"),
        ("parquet", "", "parquet", "", "parquet"),
        ("parquet", "compression = \"snappy\"\nrow_group_bytes = 5000", "auto", "", "parquet"),
        ("parquet", "compression = \"lz4\"", "parquet", "", "parquet"),
        ("arrow", "", "arrow", "", "arrow"),
        ("arrow", "compression = \"lz4\"", "auto", "", "arrow"),
    ] {
        let what = format!("{exporter} with {options}");
        let (world, expected) = exported(exporter, options);
        let n_parts = world.files("out").keys().filter(|name| name.starts_with("part-")).count();
        assert!(n_parts > 2, "{what}: {n_parts} parts");
        let kept = read_back(&world, reader, how, ending, "kept");
        same(&what, &kept, &expected);
        let dropped = read_back(&world, reader, how, ending, "dropped");
        assert_eq!(dropped.len() as u64, world.tally().2, "{what}");
    }
}

#[test]
fn dead_letters_keep_their_bytes() {
    for (exporter, ending) in [("jsonl", "jsonl"), ("parquet", "parquet"), ("arrow", "arrow")] {
        let (world, _) = exported(exporter, "");
        let letters = read_back(&world, exporter, "", ending, "failed");
        assert_eq!(letters.len(), 8, "{exporter}");
        for letter in letters {
            let letter: Json = serde_json::from_str(&letter).unwrap();
            // `BROKEN` in Base64.
            assert_eq!(letter["raw_base64"], "eyJ0ZXh0Ijoibm8gVVRGLTg6IP/+ACJ9", "{letter}");
        }
    }
}

/// The columns `id`, `text`, `metadata`, `stage` and `raw`.
type Row = (String, Option<String>, Option<String>, Option<String>, Option<Vec<u8>>);

#[test]
fn sqlite_holds_all_three_fates() {
    let (world, expected) = exported("sqlite", "index = [\"id\", \"n\"]");
    let rows = |folder: &str| {
        let files = world.files(folder);
        let parts = files.keys().filter(|name| name.ends_with(".sqlite") && !name.contains('/'));
        let mut rows: Vec<Row> = Vec::new();
        for part in parts {
            let path = world.path(folder).join(part);
            let database =
                rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
                    .unwrap();
            let fine: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!(fine, "ok", "{part}");
            let mut query = database
                .prepare("SELECT id, text, metadata, stage, raw FROM documents ORDER BY rowid")
                .unwrap();
            let found = query
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
                .unwrap();
            rows.extend(found.map(Result::unwrap));
        }
        rows
    };
    let kept = rows("out");
    assert_eq!(kept.len(), expected.len());
    for ((id, text, metadata, stage, raw), expected) in kept.iter().zip(&expected) {
        let Ok(expected) = serde_json::from_str::<Json>(expected) else { continue };
        assert_eq!(*id, expected["id"]);
        assert_eq!(json!(text), expected["text"]);
        assert_eq!(serde_json::from_str::<Json>(metadata.as_ref().unwrap()).unwrap(), expected["metadata"]);
        assert_eq!((stage, raw), (&None, &None));
    }
    let (_, _, dropped, failed) = world.tally();
    let dropped_rows = rows("out/dropped");
    assert_eq!(dropped_rows.len() as u64, dropped);
    assert!(dropped_rows.iter().all(|row| row.3.as_deref() == Some("length")));
    let letters = rows("out/failed");
    assert_eq!(letters.len() as u64, failed);
    for letter in letters {
        let raw = letter.4.unwrap();
        assert_eq!(raw.strip_suffix(b"\n").unwrap_or(&raw), BROKEN);
    }
}

#[test]
fn files_of_single_documents_hold_their_text() {
    for (exporter, ending) in [("markdown", ".md"), ("text", ".txt")] {
        let (world, expected) = exported(exporter, "");
        let files = world.files("out");
        let documents: Vec<_> =
            files.iter().filter(|(name, _)| name.ends_with(ending) && !name.contains('/')).collect();
        assert_eq!(documents.len(), expected.len(), "{exporter}");
        for record in &expected {
            let Ok(record) = serde_json::from_str::<Json>(record) else { continue };
            let first_line =
                record["text"].as_str().unwrap().trim().split(['\n', '\r']).next().unwrap().trim();
            let holds = |content: &[u8]| {
                content.windows(first_line.len()).any(|window| window == first_line.as_bytes())
            };
            assert!(documents.iter().any(|(_, content)| holds(content)), "{exporter}: {record}");
        }
        assert!(
            world.path("out/.tamis/files.b3").exists() && world.path("out/dropped/.tamis/files.b3").exists()
        );
        assert!(world.run(&[]).exits(0).stdout.starts_with("nothing to do"), "{exporter}");
    }
}
