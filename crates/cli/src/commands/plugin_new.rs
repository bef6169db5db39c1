//! `tamis plugin new`: copies the template of a kind under another name.

use std::path::{Path, PathBuf};

use anyhow::bail;
use tamis_stage::Registry;

use super::plugin_in_c;
use super::plugin_sdk::{self, write};
use crate::args::{PluginKind, PluginLanguage, PluginNewArgs};
use crate::output::{self, GOOD, print_line, styled};
use crate::{Exit, summary};

/// The sources of a template: path in the plugin, and content; its name in them, in any spelling, is that of the plugin.
type Sources = [(&'static str, &'static str); 3];

macro_rules! sources {
    ($folder:literal) => {
        [
            (
                "src/NAME/mod.rs",
                include_str!(concat!("../../../../plugins/template/src/", $folder, "/mod.rs")),
            ),
            (
                "src/NAME/options.rs",
                include_str!(concat!("../../../../plugins/template/src/", $folder, "/options.rs")),
            ),
            (
                "src/NAME/tests.rs",
                include_str!(concat!("../../../../plugins/template/src/", $folder, "/tests.rs")),
            ),
        ]
    };
}

/// A template for a kind of stage.
struct Template {
    /// What it is called, in kebab case.
    name: &'static str,
    /// The list of `export_plugin!` that it stands in.
    list: &'static str,
    sources: Sources,
}

impl Template {
    fn of(kind: PluginKind) -> Self {
        let (name, list, sources) = match kind {
            PluginKind::Extractor => ("template", "extractors", sources!("template")),
            PluginKind::Filter => ("template-filter", "filters", sources!("template_filter")),
            PluginKind::Reader => ("template-reader", "readers", sources!("template_reader")),
            PluginKind::Exporter => ("template-exporter", "exporters", sources!("template_exporter")),
            PluginKind::Corpus => ("template-corpus", "keyed_stages", sources!("template_corpus")),
        };
        Self { name, list, sources }
    }
}

pub(crate) fn new(args: &PluginNewArgs, bundled: &Registry) -> anyhow::Result<Exit> {
    let name = Name::new(&args.name)?;
    if let Some(taken) = bundled.iter().find(|factory| factory.info().name == name.kebab) {
        let kind = taken.info().kind;
        bail!(
            "`{0}` is the name of a bundled {kind}, and a pipeline cannot load a second one of its name: choose another name, \
             such as `my-{0}`",
            name.kebab
        );
    }
    let folder = args.path.join(&name.kebab);
    if folder.exists() {
        bail!("`{}` exists already: choose another name, or another folder with `--path`", folder.display());
    }
    match args.language {
        PluginLanguage::Rust => new_in_rust(&name, &folder, args.kind)?,
        PluginLanguage::C => plugin_in_c::write(&name.kebab, &folder, args.kind)?,
    }
    print_line(next_steps(&name, &folder, args));
    Ok(Exit::Done)
}

fn new_in_rust(name: &Name, folder: &Path, kind: PluginKind) -> anyhow::Result<()> {
    let template = Template::of(kind);
    for (path, source) in template.sources {
        write(&folder.join(path.replace("NAME", &name.snake)), &name.put_into(source, template.name))?;
    }
    write(&folder.join("src/lib.rs"), &library(name, template.list))?;
    write(&folder.join("Cargo.toml"), &manifest(name))?;
    write(&folder.join(".gitignore"), "/target\n")?;
    plugin_sdk::write_to(&folder.join("sdk"))
}

#[expect(clippy::unnecessary_wraps, reason = "every command returns a result")]
pub(crate) fn header() -> anyhow::Result<Exit> {
    output::print(tamis_plugin::HEADER);
    Ok(Exit::Done)
}

/// One name in the spellings that Rust and Tamis use.
struct Name {
    kebab: String,
    snake: String,
    camel: String,
}

impl Name {
    fn new(name: &str) -> anyhow::Result<Self> {
        let well_formed = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let starts_well = name.starts_with(|first: char| first.is_ascii_lowercase());
        if !starts_well || !name.split('-').all(well_formed) {
            bail!(
                "`{name}` is no name for a plugin: use lower-case letters, digits and single hyphens, such as `my-site`"
            );
        }
        let camel = name.split('-').map(capitalised).collect();
        Ok(Self { kebab: name.to_owned(), snake: name.replace('-', "_"), camel })
    }

    /// A template under this name.
    fn put_into(&self, source: &str, template: &str) -> String {
        let camel: String = template.split('-').map(capitalised).collect();
        source
            .replace(&format!("\"{template}\""), &format!("\"{}\"", self.kebab))
            .replace(&format!(".{template}\""), &format!(".{}\"", self.kebab))
            .replace(&camel, &self.camel)
            .replace(&template.replace('-', "_"), &self.snake)
    }
}

/// The root of the crate.
fn library(name: &Name, list: &str) -> String {
    let Name { snake, camel, .. } = name;
    format!(
        "//! A plugin with one stage.\n\n\
         mod {snake};\n\n\
         pub use {snake}::{{{camel}, {camel}Options}};\n\n\
         // The kinds are `readers`, `file_readers`, `filters`, `extractors`, `corpus_stages`, `keyed_stages`,\n\
         // `exporters` and `part_exporters`, after the trait that a stage implements; a plugin may have several stages of\n\
         // several kinds. `filters` and `extractors` also take those with state of their worker, `BatchFilter` and\n\
         // `BatchExtractor`.\n\
         tamis_plugin::export_plugin! {{\n    {list}: [{camel}],\n}}\n"
    )
}

fn capitalised(part: &str) -> String {
    let mut chars = part.chars();
    chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect()
}

fn manifest(name: &Name) -> String {
    format!(
        "[package]\n\
         name = \"{}\"\n\
         version = \"0.1.0\"\n\
         edition = \"2024\"\n\
         license = \"MIT OR Apache-2.0\"\n\
         publish = false\n\
         \n\
         [lib]\n\
         # The library that tamis loads, and the crate that tests and other programs link.\n\
         crate-type = [\"cdylib\", \"rlib\"]\n\
         \n\
         [dependencies]\n\
         schemars = \"1\"\n\
         serde = {{ version = \"1\", features = [\"derive\"] }}\n\
         # The SDK of the program that wrote this plugin, whose libraries it and later ones load. `tamis plugin new` of\n\
         # another version writes another one.\n\
         tamis-plugin = {{ path = \"sdk/plugin\" }}\n\
         \n\
         # Places in messages of a panic need lines, and nothing needs more.\n\
         [profile.dev]\n\
         debug = \"line-tables-only\"\n\
         \n\
         [profile.dev.package.\"*\"]\n\
         debug = false\n\
         \n\
         # A plugin is a project of its own, also when its folder lies in another one's.\n\
         [workspace]\n\
         exclude = [\"sdk\"]\n",
        name.kebab
    )
}

fn next_steps(name: &Name, folder: &Path, args: &PluginNewArgs) -> String {
    let shown = |path: &PathBuf| summary::shown(&std::path::absolute(path).unwrap_or_else(|_| path.clone()));
    let (library, build) = match args.language {
        PluginLanguage::Rust => {
            let manifest = shown(&folder.join("Cargo.toml"));
            let steps = format!(
                "  cargo test --manifest-path {manifest}\n  cargo build --release --manifest-path {manifest}\n"
            );
            (folder.join("target/release").join(tamis_host::library_file_name(&name.kebab)), steps)
        }
        PluginLanguage::C => {
            let library = folder.join(tamis_host::library_file_name(&name.kebab));
            let (source, out) = (shown(&folder.join(format!("{}.c", name.snake))), shown(&library));
            (library, format!("  cc -std=c11 -O2 -fPIC -shared -o {out} {source}\n"))
        }
    };
    let table = match args.kind {
        PluginKind::Reader => "source",
        PluginKind::Exporter => "export",
        PluginKind::Filter | PluginKind::Extractor | PluginKind::Corpus => "stage",
    };
    format!(
        "{} {}\n\n\
         build and test it:\n{build}  \
           tamis plugin check {library}\n\n\
         use it, with three lines in a pipeline (the first above all tables):\n  \
           plugin = [{{ path = \"{library}\" }}]\n  \
           [[{table}]]\n  \
           use = \"{}\"",
        styled(GOOD, "made"),
        folder.display(),
        name.kebab,
        library = shown(&library),
    )
}
