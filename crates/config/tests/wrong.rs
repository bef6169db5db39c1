//! Every mistake has a page: `wrong/NAME.toml`, and what is said about it in `wrong/NAME.snap`.
//!
//! Lines that begin with `#!` give overrides: `#! --set KEY=VALUE`, `#! env VARIABLE KEY=VALUE`,
//! `#! input PATH`, `#! -o PATH`, `#! plugin-error INDEX MESSAGE`.

#![expect(clippy::unwrap_used, reason = "a test whose set-up fails has failed")]

mod common;

use std::path::{Path, PathBuf};

use tamis_config::{Diagnostics, Overrides, Pipeline, Setting, SettingOrigin};

fn setting(text: &str, origin: SettingOrigin) -> Setting {
    let (key, value) = text.split_once('=').unwrap();
    Setting { key: key.into(), value: value.into(), origin }
}

fn overrides(content: &str) -> (Overrides, Vec<(usize, String)>) {
    let mut overrides = Overrides::default();
    let mut plugin_errors = Vec::new();
    for line in content.lines().filter_map(|line| line.strip_prefix("#! ")) {
        let (word, rest) = line.split_once(' ').unwrap();
        match word {
            "--set" => overrides.set.push(setting(rest, SettingOrigin::Flag)),
            "env" => {
                let (variable, rest) = rest.split_once(' ').unwrap();
                overrides.set.push(setting(rest, SettingOrigin::Environment(variable.into())));
            }
            "input" => overrides.inputs.push(rest.into()),
            "-o" => overrides.output = Some(rest.into()),
            "plugin-error" => {
                let (index, message) = rest.split_once(' ').unwrap();
                plugin_errors.push((index.parse().unwrap(), message.into()));
            }
            other => panic!("no directive `{other}`"),
        }
    }
    (overrides, plugin_errors)
}

/// What is said about a pipeline, warnings included.
fn complaints(name: &str, content: &str, folder: &Path) -> Diagnostics {
    let (overrides, plugin_errors) = overrides(content);
    let pipeline = match Pipeline::from_text(name, content, folder, &overrides) {
        Ok(pipeline) => pipeline,
        Err(diagnostics) => return diagnostics,
    };
    match pipeline.plan(&common::registry(), plugin_errors) {
        Ok(plan) => plan.warnings,
        Err(diagnostics) => diagnostics,
    }
}

#[test]
fn every_mistake_is_shown_where_it_is() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong");
    let mut pages: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    pages.sort();
    assert!(pages.len() >= 40);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("wrong");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    for page in pages {
        let name = page.file_name().unwrap().to_str().unwrap().to_owned();
        let content = std::fs::read_to_string(&page).unwrap();
        let diagnostics = complaints(&name, &content, &folder);
        assert!(!diagnostics.is_empty(), "{name}: nothing is said");
        for diagnostic in diagnostics.iter() {
            let message = diagnostic.message();
            assert!(!message.ends_with('.'), "{name}: {message}");
            assert!(!message.starts_with(char::is_uppercase), "{name}: {message}");
        }
        let rendered = diagnostics.render(false);
        let machine_folder = env!("CARGO_MANIFEST_DIR");
        assert!(!rendered.contains(machine_folder), "{name}: a path of this machine\n{rendered}");
        insta::assert_snapshot!(page.file_stem().unwrap().to_str().unwrap(), rendered);
    }
}
