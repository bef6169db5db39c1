//! Dead letters are tried again, as `examples/dead-letters` shows.

use serde_json::Value as Json;

use crate::world::World;

/// The blocks of TOML of the example, by the name in their first line.
fn pipelines() -> Vec<(String, String)> {
    let page = std::fs::read_to_string(tamis_tests::program::root().join("examples/dead-letters/README.md"));
    let page = page.unwrap();
    let blocks = page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    let named = blocks.map(|block| {
        let name = block.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap().to_owned();
        (name, block)
    });
    named.collect()
}

fn ids(world: &World, folder: &str) -> Vec<String> {
    let files = world.files(folder);
    let parts = files.iter().filter(|(name, _)| name.starts_with("part-"));
    let text: String = parts.map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned()).collect();
    let records = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
    records.map(|record| record["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn dead_letters_are_tried_again_as_the_example_says() {
    let world = World::new();
    let dump = tamis_tests::program::root().join("examples/dead-letters/dump/mills.jsonl");
    world.write("examples/dead-letters/dump/mills.jsonl", std::fs::read(dump).unwrap());
    for (name, pipeline) in pipelines() {
        world.write(&name, pipeline);
    }
    for name in ["first.toml", "letters.toml", "again.toml"] {
        let ran = world.tamis(&["run", name]);
        assert_eq!(ran.code, Some(0), "{ran:#?}");
    }
    assert_eq!(ids(&world, "clean"), ["mills/1"]);
    // By the names of the letters, which are those of places in the dump.
    assert_eq!(ids(&world, "again"), ["mills/3", "mills/2"]);
    let again = world.files("again");
    let text = String::from_utf8_lossy(&again["part-00000.jsonl"]).into_owned();
    assert!(text.contains("河岸边的老磨坊已经停用多年"), "{text}");
    assert!(text.contains("\"score\":null"), "{text}");
    let left = String::from_utf8_lossy(&again["__failed/part-00000.jsonl"]).into_owned();
    assert!(left.contains("broke o") && left.lines().count() == 1, "{left}");
}
