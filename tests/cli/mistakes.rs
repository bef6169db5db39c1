//! Pipelines that are wrong, with the stages of the program, and what `tamis check` says of each: `mistakes/NAME.toml`
//! and `mistakes/NAME.snap`.
//!
//! Mistakes that need no real stage are those of `crates/config/tests/wrong`.

use std::path::{Path, PathBuf};

use crate::world::World;

#[test]
fn every_mistake_is_told_with_its_place_and_a_way_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/mistakes");
    let mut pages: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    pages.sort();
    assert!(pages.len() >= 40);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let _bound = settings.bind_to_scope();
    let world = World::new();
    world.write("dump/a.html", "<html><body><p>The mill was sold.</p></body></html>");
    world.write("mill.toml", "name = \"mill\"\nneed = 1\ndetect = ['^The mill']\n");
    // What options name: `mistakes/data`.
    for file in std::fs::read_dir(folder.join("data")).unwrap() {
        let file = file.unwrap();
        world.write(file.file_name().to_str().unwrap(), std::fs::read(file.path()).unwrap());
    }
    for page in pages {
        let name = page.file_name().unwrap().to_str().unwrap();
        world.write(name, std::fs::read(&page).unwrap());
        let checked = world.tamis(&["check", name]);
        assert!(!checked.stderr.is_empty(), "{name}: nothing is said");
        assert!(!checked.stderr.contains("panicked"), "{name}: {}", checked.stderr);
        insta::assert_snapshot!(page.file_stem().unwrap().to_str().unwrap(), checked.stderr);
    }
}
