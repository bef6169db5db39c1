//! `tamis plugin new`: copies the template plugin under another name.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::args::PluginNewArgs;
use crate::output::{self, GOOD, print_line, styled};
use crate::{Exit, summary};

/// The sources of the template; `template` in them, in any spelling, is the name.
const SOURCES: [(&str, &str); 4] = [
    ("src/lib.rs", include_str!("../../../../plugins/template/src/lib.rs")),
    ("src/NAME/mod.rs", include_str!("../../../../plugins/template/src/template/mod.rs")),
    ("src/NAME/options.rs", include_str!("../../../../plugins/template/src/template/options.rs")),
    ("src/NAME/tests.rs", include_str!("../../../../plugins/template/src/template/tests.rs")),
];

pub(crate) fn new(args: &PluginNewArgs) -> anyhow::Result<Exit> {
    let name = Name::new(&args.name)?;
    let folder = args.path.join(&name.kebab);
    if folder.exists() {
        bail!("`{}` exists already: choose another name, or another folder with `--path`", folder.display());
    }
    for (path, source) in SOURCES {
        write(&folder.join(path.replace("NAME", &name.snake)), &name.apply(source))?;
    }
    write(&folder.join("Cargo.toml"), &manifest(&name))?;
    write(&folder.join(".gitignore"), "/target\n")?;
    print_line(next_steps(&name, &folder));
    Ok(Exit::Done)
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

    fn apply(&self, source: &str) -> String {
        source
            .replace("\"template\"", &format!("\"{}\"", self.kebab))
            .replace("Template", &self.camel)
            .replace("template", &self.snake)
    }
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
         # Where this machine has it; on another one, give the path of its checkout of tamis.\n\
         tamis-plugin = {}\n\
         \n\
         # A plugin is a project of its own, also when its folder lies in another one's.\n\
         [workspace]\n",
        name.kebab,
        sdk()
    )
}

/// Where the new plugin finds `tamis-plugin`: in the sources that this program was built from, if they are
/// still there, or else by its version.
fn sdk() -> String {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(|crates| crates.join("plugin"));
    match sources.filter(|path| path.join("Cargo.toml").is_file()) {
        Some(path) => format!("{{ path = {:?} }}", path.display().to_string()),
        None => format!("{:?}", env!("CARGO_PKG_VERSION")),
    }
}

fn write(path: &Path, content: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    }
    std::fs::write(path, content).with_context(|| format!("cannot write `{}`", path.display()))
}

fn next_steps(name: &Name, folder: &Path) -> String {
    let library = folder.join("target/release").join(tamis_host::library_file_name(&name.kebab));
    let shown = |path: &PathBuf| summary::shown(&std::path::absolute(path).unwrap_or_else(|_| path.clone()));
    format!(
        "{} {}\n\n\
         build and test it:\n  \
           cargo test --manifest-path {manifest}\n  \
           cargo build --release --manifest-path {manifest}\n  \
           tamis plugin check {library}\n\n\
         use it, with three lines in a pipeline (the first above all tables):\n  \
           plugin = [{{ path = \"{library}\" }}]\n  \
           [[stage]]\n  \
           use = \"{}\"",
        styled(GOOD, "made"),
        folder.display(),
        name.kebab,
        manifest = shown(&folder.join("Cargo.toml")),
        library = shown(&library),
    )
}
