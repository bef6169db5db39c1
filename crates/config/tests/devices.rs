//! What a pipeline names must be a file: a device has no end, and a pipe may never begin.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod common;

use std::path::Path;
use std::process::Command;

use tamis_config::{Overrides, Pipeline};

/// What is said about a pipeline in `folder`.
fn said(folder: &Path, content: &str) -> String {
    match Pipeline::from_text("p.toml", content, folder, &Overrides::default()) {
        Err(diagnostics) => diagnostics.render(false),
        Ok(pipeline) => pipeline.plan(&common::registry(), Vec::new()).unwrap_err().render(false),
    }
}

fn folder_with_a_pipe() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap().success());
    folder
}

#[test]
fn a_pipeline_extends_files_only() {
    let folder = folder_with_a_pipe();
    for (named, what) in [("/dev/zero", "a device"), ("pipe", "a named pipe"), (".", "a folder")] {
        let said = said(folder.path(), &format!("extends = \"{named}\"\n"));
        assert!(said.starts_with(&format!("error: cannot read `{named}`: it is {what}\n")), "{said}");
    }
    let large = folder.path().join("large.toml");
    std::fs::File::create(large).unwrap().set_len((16 << 20) + 1).unwrap();
    let said = said(folder.path(), "extends = \"large.toml\"\n");
    assert!(said.starts_with("error: cannot read `large.toml`: it is larger than 16 MiB\n"), "{said}");
}

#[test]
fn options_and_plugins_name_files_only() {
    let folder = folder_with_a_pipe();
    let said = said(
        folder.path(),
        "[[plugin]]\npath = \"/dev/zero\"\n[[stage]]\nuse = \"site-rules\"\nrules = [\"pipe\"]\nfolder = \"pipe\"\n",
    );
    for message in [
        "`/dev/zero` is a device, but a plugin is a file",
        "`pipe` is a named pipe, but `rules` needs a file",
        "`pipe` is a named pipe, but `folder` needs a folder",
    ] {
        assert!(said.contains(message), "{message}\n{said}");
    }
}

#[test]
fn the_pipeline_itself_may_come_through_a_pipe_but_has_an_end() {
    let folder = folder_with_a_pipe();
    let pipe = folder.path().join("pipe");
    let writer = {
        let pipe = pipe.clone();
        std::thread::spawn(move || std::fs::write(pipe, "name = \"piped\"\n").unwrap())
    };
    let pipeline = Pipeline::read(&pipe, &Overrides::default()).unwrap();
    writer.join().unwrap();
    assert_eq!(pipeline.file(), pipe);

    let said = Pipeline::read(Path::new("/dev/zero"), &Overrides::default()).unwrap_err().render(false);
    assert_eq!(said, "error: cannot read the pipeline `/dev/zero`: it is larger than 16 MiB\n");
}
