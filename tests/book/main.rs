//! The book, tried: every chapter is in the table of contents, every link leads somewhere, every pipeline is one, and
//! every command does what its chapter says.
//!
//! In a chapter ```` ```toml file=a.toml ```` is a file of that name, checked as a pipeline; other languages with
//! `file=` are files that the chapter talks of; the lines of ```` ```console ```` that begin with `$ tamis` are run, in
//! the order of the chapter. TOML without a name is read as TOML.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers are not marked as such")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use tamis_tests::program::{root, tamis};

/// A block of code: what stands behind the ticks, and what is in it.
struct Block {
    language: String,
    file: Option<String>,
    is_ignored: bool,
    text: String,
}

fn source() -> PathBuf {
    root().join("crates/cli/book/src")
}

fn chapters() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(source()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Targets of `[text](target)`.
fn links(text: &str) -> Vec<&str> {
    let mut links = Vec::new();
    for part in text.split("](").skip(1) {
        links.extend(part.split(')').next());
    }
    links
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for line in text.lines() {
        match line.strip_prefix("```") {
            Some(_) if is_open => is_open = false,
            Some(head) => {
                is_open = true;
                let mut words = head.split([' ', ',']);
                let language = words.next().unwrap_or_default().to_owned();
                let words: Vec<&str> = words.collect();
                let file = words.iter().find_map(|word| word.strip_prefix("file=")).map(str::to_owned);
                let is_ignored = words.contains(&"ignore");
                blocks.push(Block { language, file, is_ignored, text: String::new() });
            }
            None if is_open => {
                let block = blocks.last_mut().unwrap();
                block.text += &format!("{line}\n");
            }
            None => {}
        }
    }
    assert!(!is_open, "a block of code has no end");
    blocks
}

#[test]
fn every_chapter_is_listed_and_every_link_leads_somewhere() {
    let summary = std::fs::read_to_string(source().join("SUMMARY.md")).unwrap();
    let listed: BTreeSet<PathBuf> = links(&summary).into_iter().map(|link| source().join(link)).collect();
    let there: BTreeSet<PathBuf> =
        chapters().into_iter().filter(|path| !path.ends_with("SUMMARY.md")).collect();
    assert_eq!(listed, there);
    assert!(there.len() > 5, "{there:?}");
    for chapter in chapters() {
        let text = std::fs::read_to_string(&chapter).unwrap();
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            let (file, _) = link.split_once('#').unwrap_or((link, ""));
            assert!(source().join(file).is_file(), "{}: {link}", chapter.display());
        }
    }
}

#[test]
fn what_the_book_calls_a_file_of_the_project_is_one() {
    for chapter in chapters() {
        let text = std::fs::read_to_string(&chapter).unwrap();
        for word in text.split('`').filter(|word| word.starts_with("config/") && !word.contains('\n')) {
            assert!(root().join(word).exists(), "{}: {word}", chapter.display());
        }
    }
}

#[test]
fn pipelines_hold_and_commands_work() {
    for chapter in chapters() {
        let text = std::fs::read_to_string(&chapter).unwrap();
        let world = tempfile::tempdir().unwrap();
        try_chapter(&chapter, &blocks(&text), world.path());
    }
}

fn try_chapter(chapter: &Path, blocks: &[Block], world: &Path) {
    let run = |arguments: &[&str]| {
        let mut tamis = Command::new(tamis());
        // As if the package were installed.
        tamis.env("PYTHONPATH", root().join("crates/python/python"));
        let ran = tamis.args(arguments).current_dir(world).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success(), "{}: tamis {arguments:?}: {said}", chapter.display());
    };
    copy(&root().join("config"), &world.join("config"));
    for block in blocks.iter().filter(|block| !block.is_ignored) {
        if let Some(file) = &block.file {
            let path = world.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &block.text).unwrap();
        }
    }
    for block in blocks.iter().filter(|block| !block.is_ignored && block.language == "toml") {
        match &block.file {
            Some(file) => {
                // Whether there is anything to read is not what a recipe is about.
                inputs(&block.text, world);
                run(&["check", file]);
            }
            None => assert!(
                block.text.parse::<toml::Table>().is_ok(),
                "{}: no TOML:\n{}",
                chapter.display(),
                block.text
            ),
        }
    }
    for line in blocks.iter().filter(|block| block.language == "console").flat_map(|block| block.text.lines())
    {
        let command =
            line.strip_prefix("$ tamis ").unwrap_or_else(|| panic!("{}: {line}", chapter.display()));
        run(&command.split(' ').collect::<Vec<_>>());
    }
}

/// Makes the inputs that a pipeline names, as far as they are not there.
fn inputs(pipeline: &str, world: &Path) {
    for line in pipeline.lines().filter_map(|line| line.strip_prefix("paths = [\"")) {
        let path = line.split('"').next().unwrap().replace("**", "a").replace('*', "a");
        let path = world.join(path);
        let file = if path.extension().is_some() { path } else { path.join("a.txt") };
        if file.exists() {
            continue;
        }
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "The ferry to the islands left the harbour again on Monday.\n").unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
