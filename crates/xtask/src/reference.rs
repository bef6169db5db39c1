//! The reference of all bundled stages, and the schema for editors.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, bail};
use tamis_stage::{OptionInfo, Registry, StageInfo};

use crate::root;

/// Writes what is not up to date and takes away what no stage stands for.
pub(crate) fn write() -> anyhow::Result<()> {
    let files = files()?;
    for path in existing()? {
        if !files.contains_key(&path) {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    for (path, content) in &files {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("wrote {} files", files.len());
    Ok(())
}

/// Fails when a generated file is not what the stages say.
pub(crate) fn check() -> anyhow::Result<()> {
    let files = files()?;
    let stale =
        files.iter().filter(|(path, content)| std::fs::read_to_string(path).ok().as_ref() != Some(content));
    let mut wrong: Vec<PathBuf> = stale.map(|(path, _)| path.clone()).collect();
    wrong.extend(existing()?.into_iter().filter(|path| !files.contains_key(path)));
    if wrong.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = wrong.iter().map(|path| format!("  {}", path.display())).collect();
    bail!("not up to date; run `cargo xtask reference`:\n{}", names.join("\n"));
}

/// All generated files with their content.
fn files() -> anyhow::Result<BTreeMap<PathBuf, String>> {
    let registry = registry()?;
    let folder = root().join("config/reference");
    let mut files = BTreeMap::new();
    for factory in registry.iter() {
        let info = factory.info();
        files.insert(
            folder.join(info.kind.table()).join(format!("{}.md", info.name)),
            page(info, &tamis_config::forms(factory.as_ref())),
        );
    }
    files.insert(folder.join("README.md"), index(&registry));
    files.insert(folder.join("plugins.md"), include_str!("plugins.md").to_owned());
    files.insert(
        folder.join("source/auto.md"),
        format!("{NOTE}\n\n# `auto`\n\n{}\n", tamis_config::AUTO_DOCS.trim()),
    );
    files.insert(folder.join("keys.md"), keys());
    let schema = serde_json::to_string_pretty(&tamis_config::schema(&registry))? + "\n";
    files.insert(root().join("config/schema.json"), schema);
    Ok(files)
}

fn existing() -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("config/reference")];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    Ok(found)
}

fn registry() -> anyhow::Result<Registry> {
    let plugins = [
        tamis_readers::plugin(),
        tamis_filters::plugin(),
        tamis_judges::plugin(),
        tamis_extractors::plugin(),
        tamis_columnar::plugin(),
        tamis_exec::plugin(),
        tamis_corpus::plugin(),
        tamis_pages::plugin(),
        tamis_sqlite::plugin(),
        tamis_tokens::plugin(),
        tamis_exporters::plugin(),
    ];
    let mut registry = Registry::new();
    for plugin in plugins {
        for stage in tamis_host::bundled(plugin).map_err(anyhow::Error::msg)? {
            registry.add(stage)?;
        }
    }
    Ok(registry)
}

const NOTE: &str =
    "<!-- Written by `cargo xtask reference` from the source of the stage; change it there. -->";

fn index(registry: &Registry) -> String {
    let mut page = format!("{NOTE}\n\n# Stages\n\n| stage | table | what it does |\n| --- | --- | --- |\n");
    for factory in registry.iter() {
        let info = factory.info();
        let (name, table) = (&info.name, info.kind.table());
        page += &format!("| [`{name}`]({table}/{name}.md) | `[[{table}]]` | {} |\n", info.summary);
    }
    page += &format!("| [`auto`](source/auto.md) | `[[source]]` | {} |\n", tamis_config::AUTO_SUMMARY);
    page + "\nWhat every table knows beside the options of its stage: [keys](keys.md).\n"
}

/// The keys that do not depend on the stage.
fn keys() -> String {
    let mut page = format!("{NOTE}\n\n# Keys of a pipeline file\n");
    for (table, title) in [
        ("pipeline", "Above all tables"),
        ("plugin", "`[[plugin]]`"),
        ("source", "`[[source]]`"),
        ("stage", "`[[stage]]`"),
        ("export", "`[[export]]`"),
        ("run", "`[run]`"),
        ("test", "`[[test]]`"),
    ] {
        page += &format!("\n## {title}\n\n{}", options(tamis_config::common_keys(table)));
    }
    page
}

fn page(info: &StageInfo, forms: &[(&str, String)]) -> String {
    let mut page =
        format!("{NOTE}\n\n# `{}`\n\n{}, in `[[{}]]`.\n\n", info.name, kind(info), info.kind.table());
    page += info.docs.trim();
    page += &fields(info);
    if !forms.is_empty() {
        let said: Vec<String> = forms.iter().map(|(verb, what)| format!("{verb} {what}")).collect();
        page += &format!("\n\n{}.", capital(&said.join("; ")));
    }
    page += "\n\n## Options\n\n";
    let options_of_stage = info.options();
    if options_of_stage.is_empty() {
        return page + "None.\n";
    }
    page + &options(options_of_stage)
}

fn options(options: Vec<OptionInfo>) -> String {
    let mut table = "| key | type | unit | default | meaning |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for option in options {
        let default = option.default.map_or(String::new(), |default| format!("`{default}`"));
        let help = option.help.replace("\n\n", "<br>").replace('\n', " ");
        let row = [format!("`{}`", option.name), option.kind, option.unit.unwrap_or_default(), default, help];
        table += &format!("| {} |\n", row.map(|cell| cell.replace('|', "\\|")).join(" | "));
    }
    table
}

fn kind(info: &StageInfo) -> String {
    capital(&info.kind.to_string())
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

fn fields(info: &StageInfo) -> String {
    let list = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let mut text = String::new();
    if !info.reads.is_empty() {
        text += &format!("\n\nReads {}.", list(&info.reads));
    }
    if !info.writes.is_empty() {
        text += &format!("\n\nWrites {}.", list(&info.writes));
    }
    if !info.measures.is_empty() {
        text += "\n\nMeasures, which a run keeps how they are spread:\n\n| measure | unit | limit | meaning |\n\
                 | --- | --- | --- | --- |";
        for measure in &info.measures {
            let row = [&format!("`{}`", measure.name), &*measure.unit, &measure.limits(), &measure.summary];
            text += &format!("\n| {} |", row.map(|cell| cell.replace('|', "\\|")).join(" | "));
        }
    }
    text
}
