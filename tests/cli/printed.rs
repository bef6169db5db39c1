//! What the documentation prints is run as it is printed: commands, pipelines, and the pieces of pipelines.
//!
//! A block of TOML that begins with `# name.toml` is a file of that name; others are pieces, which are checked with
//! what is missing put in. Blocks of `sh`, and commands in the first column of a table, are run in order in a folder
//! that has what they read.

use std::path::{Path, PathBuf};
use std::process::Command;

use tamis_tests::program::{root, tamis};

use crate::world::ran;

/// Blocks that are not run here, by what stands in them, and why.
const ELSEWHERE: [(&str, &str); 4] = [
    ("cargo test --workspace", "it runs this test"),
    ("tamis plugin new my-site", "builds a plugin, for minutes: `tests/plugins` and the template do"),
    ("my-site/target", "names what that block builds"),
    ("pip install ./crates/python", "builds the wheel, for minutes: `cargo xtask wheel` does, and tries it"),
];

/// A fenced block.
struct Block {
    language: String,
    text: String,
    /// The line of its first line, from 1.
    line: usize,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in page.lines().enumerate() {
        match (&mut open, line.trim_start().strip_prefix("```")) {
            (None, Some(language)) => {
                let language = language.trim().to_owned();
                open = Some(Block { language, text: String::new(), line: index + 2 });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.text += &format!("{line}\n"),
            (None, None) => blocks.extend(commands(line).map(|text| Block {
                language: "sh".to_owned(),
                text,
                line: index + 1,
            })),
        }
    }
    assert!(open.is_none(), "a block that does not end");
    blocks.retain(|block| !ELSEWHERE.iter().any(|(mark, _)| block.text.contains(mark)));
    blocks
}

/// The commands in the first column of a row.
fn commands(line: &str) -> impl Iterator<Item = String> {
    let cell = line.strip_prefix("| ").and_then(|row| row.split(" | ").next()).unwrap_or_default();
    let pieces = cell.split('`').skip(1).step_by(2).filter(|piece| piece.starts_with("tamis "));
    pieces.map(|piece| format!("{piece}\n"))
}

/// A folder as that of somebody who follows the documentation in a checkout.
fn desk() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for shared in ["config", "examples"] {
        copy(&root().join(shared), &at(shared));
    }
    copy(&root().join("examples/html/pages"), &at("pages"));
    copy(&root().join("examples/flattened/documents"), &at("dump"));
    copy(&root().join("examples/flattened/documents"), &at("other"));
    std::fs::copy(at("pages/news-ferry.html"), at("page.html")).unwrap();
    std::fs::create_dir_all(at("crawl")).unwrap();
    std::fs::write(at("crawl/a.warc.gz"), zipped(&warc(&at("pages")))).unwrap();
    std::fs::create_dir_all(at("scraped")).unwrap();
    for name in ["a", "b", "c", "d", "e"] {
        let body = format!(
            "A report of the town. {}",
            "The river rose, and the bridge was closed for a day. ".repeat(9)
        );
        let lines = format!(
            "{}\n{}\n",
            serde_json::json!({ "body": body, "url": "https://a.example/1", "title": "Report" }),
            serde_json::json!({ "body": format!("{name}: {body}"), "url": format!("https://{name}.example/2"), "title": name })
        );
        std::fs::write(at(&format!("scraped/{name}.jsonl.gz")), zipped(lines.as_bytes())).unwrap();
    }
    folder
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn zipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

fn warc(pages: &Path) -> Vec<u8> {
    let mut pages: Vec<PathBuf> = std::fs::read_dir(pages).unwrap().map(|it| it.unwrap().path()).collect();
    pages.sort();
    let mut warc = Vec::new();
    for (number, page) in pages.iter().enumerate() {
        let page = std::fs::read(page).unwrap();
        let http =
            [b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n", page.as_slice()].concat();
        let head = format!(
            "WARC/1.0\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:0000000{number}>\r\n\
             WARC-Date: 2024-0{}-01T00:00:00Z\r\nWARC-Target-URI: https://a.example/{number}\r\n\
             Content-Type: application/http; msgtype=response\r\nContent-Length: {}\r\n\r\n",
            number + 1,
            http.len()
        );
        warc.extend([head.as_bytes(), &http, b"\r\n\r\n"].concat());
    }
    warc
}

/// Runs all that a page prints; its blocks come one after the other, as for somebody who follows it.
fn follow(page: &str) -> usize {
    let desk = desk();
    let content = std::fs::read_to_string(root().join(page)).unwrap();
    let mut n_run = 0;
    for block in blocks(&content) {
        let place = format!("{page}:{}", block.line);
        match block.language.as_str() {
            "toml" => {
                let name = block.text.lines().next().and_then(|line| line.strip_prefix("# "));
                let Some(name) =
                    name.filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "toml"))
                else {
                    check_piece(&block.text, &place).unwrap_or_else(|mistake| panic!("{mistake}"));
                    continue;
                };
                std::fs::write(desk.path().join(name), &block.text).unwrap();
                shell(desk.path(), &format!("tamis check {name}"), &place);
                let out = format!("out-of-{name}");
                let ran = shell(
                    desk.path(),
                    &format!("tamis run {name} --limit 3 -o {out} --set run.max_failed_ratio=1"),
                    &place,
                );
                assert!(ran.contains(" kept"), "{place}: {ran}");
            }
            "sh" => {
                shell(desk.path(), &block.text, &place);
            }
            _ => continue,
        }
        n_run += 1;
    }
    n_run
}

/// Runs a command as printed; the program stands for the one that cargo would build first.
fn shell(desk: &Path, command: &str, place: &str) -> String {
    let command = command.replace("cargo quick\n", "").replace("target/quick/tamis", "tamis");
    let command = command.replace("cargo run --release --", "tamis");
    let mut path = std::ffi::OsString::from(tamis().parent().unwrap());
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    let ran = ran(Command::new("sh")
        .args(["-e", "-c", &command])
        .current_dir(desk)
        .env("PATH", path)
        // As if the package were installed.
        .env("PYTHONPATH", root().join("crates/python/python"))
        .env("SLURM_ARRAY_TASK_ID", "0"));
    assert_eq!(ran.code, Some(0), "{place}: {command}\n{}{}", ran.stdout, ran.stderr);
    ran.stdout
}

/// Checks a piece of a pipeline, such as one stage, in a pipeline.
fn check_piece(piece: &str, place: &str) -> Result<(), String> {
    let world = crate::world::World::with("");
    // A file of rules is checked by the stage that takes it.
    let marks = [("\ndetect = ", "site-rules"), ("[[rule]]", "judge")];
    let stage = marks.iter().find(|(mark, _)| piece.contains(mark));
    let taker = stage.map(|(_, stage)| format!("[[stage]]\nuse = \"{stage}\"\nrules = [\"rules.toml\"]\n"));
    world.write("rules.toml", piece);
    world.write("long_enough.py", "");
    let piece = taker.as_deref().unwrap_or(piece);
    let mut pipeline = String::new();
    if !piece.contains("[[source]]") && !piece.contains("extends") {
        world.write("in/a.jsonl", "{\"text\": \"a\"}\n");
        pipeline += "[[source]]\nuse = \"jsonl\"\npaths = [\"in\"]\n\n";
    }
    if !piece.contains("[[export]]") && !piece.contains("extends") {
        pipeline += "[[export]]\nuse = \"jsonl\"\npath = \"out-of-piece\"\n\n";
    }
    // What stands above all tables stands first.
    let is_head = !piece.trim_start().starts_with('[');
    let pipeline = if is_head { format!("{piece}\n{pipeline}") } else { format!("{pipeline}{piece}") };
    world.write("p.toml", &pipeline);
    // A stage that runs a program looks for it.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let checked = ran(world.command(&["check", "p.toml"]).env("PATH", path));
    // That a file of the reader's own is not here is the one thing that may be wrong.
    let mistakes: Vec<&str> = checked.stderr.lines().filter(|line| line.starts_with("error")).collect();
    let is_missing = |line: &&str| line.starts_with("error: no ") || line.starts_with("error: 1 mistake");
    if mistakes.iter().all(is_missing) {
        return Ok(());
    }
    Err(format!(
        "{place}:
{pipeline}
{}",
        checked.stderr
    ))
}

#[cfg(unix)]
#[test]
fn the_readme_does_what_it_says() {
    assert!(follow("README.md") >= 15);
}

#[cfg(unix)]
#[test]
fn the_examples_do_what_they_say() {
    for example in std::fs::read_dir(root().join("examples")).unwrap() {
        let name = example.unwrap().file_name().into_string().unwrap();
        let page = format!("examples/{name}/README.md");
        if root().join(&page).exists() {
            assert!(follow(&page) >= 1, "{page}");
        }
    }
}

#[test]
fn the_pieces_in_the_reference_are_pieces_of_pipelines() {
    let (mut n_pieces, mut mistakes) = (0, Vec::new());
    let list = |folder: &Path| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let folders = list(&root().join("config/reference")).filter(|path| path.is_dir());
    for page in folders.flat_map(|folder| list(&folder)) {
        let place = page.strip_prefix(root()).unwrap().display().to_string();
        for block in blocks(&std::fs::read_to_string(&page).unwrap()) {
            if block.language == "toml" && block.text.contains("[[") {
                mistakes.extend(check_piece(&block.text, &format!("{place}:{}", block.line)).err());
                n_pieces += 1;
            }
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
    assert!(n_pieces >= 20, "{n_pieces}");
}
