//! Puts the sources of the plugin SDK into the program, which writes them beside a new plugin.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The crates that whoever writes a plugin compiles, as `crates/plugin` depends on them.
const CRATES: [&str; 3] = ["document", "plugin", "stage"];

fn main() {
    let root =
        PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where it is")).join("../..");
    let mut table = String::from(
        "/// The sources of the plugin SDK: path and content.\npub(super) const FILES: &[(&str, &str)] = &[\n",
    );
    push(&mut table, &root, Path::new("Cargo.toml"));
    for name in CRATES {
        let folder = Path::new("crates").join(name);
        push(&mut table, &root, &folder.join("Cargo.toml"));
        for part in ["src", "include"] {
            walk(&mut table, &root, &folder.join(part));
        }
    }
    table.push_str("];\n");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo says where to write"));
    std::fs::write(out.join("sdk.rs"), table).expect("the folder for generated sources can be written");
}

fn walk(table: &mut String, root: &Path, folder: &Path) {
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else { return };
    println!("cargo::rerun-if-changed={}", root.join(folder).display());
    let mut names: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect();
    names.sort();
    for path in names.into_iter().map(|name| folder.join(name)) {
        if root.join(&path).is_dir() { walk(table, root, &path) } else { push(table, root, &path) }
    }
}

fn push(table: &mut String, root: &Path, path: &Path) {
    let file = root.join(path);
    println!("cargo::rerun-if-changed={}", file.display());
    let name = path.to_str().expect("sources have plain names").replace('\\', "/");
    let file = file.to_str().expect("the checkout has a plain name");
    writeln!(table, "    ({name:?}, include_str!({file:?})),").expect("memory");
}
