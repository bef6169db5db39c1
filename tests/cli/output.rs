//! What lies in the output folder.

use std::collections::BTreeSet;

use crate::world::{PIPELINE, World, line, manifest_is_true};

fn collection(world: &World) {
    for n in 0..5 {
        let lines: String =
            (0..100).map(|m| line(n * 100 + m, if m % 7 == 0 { 3 } else { 200 + m })).collect();
        world.write(format!("in/{n}.jsonl"), format!("{lines}{{broken\n"));
    }
}

#[test]
fn compressed_parts_are_frames_that_hold_the_same_bytes() {
    let plain = World::with(&format!("{PIPELINE}block_bytes = \"4 KiB\"\n"));
    collection(&plain);
    let setting = "export.kept.max_part_bytes=20000";
    plain.run(&["--set", setting]).exits(0);
    let expected = plain.files("out");
    plain.run(&["--set", setting, "--set", "export.kept.compression=\"zstd\"", "-o", "zstd"]).exits(0);
    let files = plain.files("zstd");
    let parts: Vec<&String> = files.keys().filter(|name| name.starts_with("part-")).collect();
    assert!(parts.len() > 3, "{parts:?}");
    let mut n_frames = 0;
    for (name, content) in &files {
        let Some(plain_name) = name.strip_suffix(".zst") else { continue };
        let decoded = zstd::decode_all(content.as_slice()).unwrap();
        assert!(decoded == expected[plain_name], "{name}");
        n_frames += content.windows(4).filter(|magic| magic == b"\x28\xB5\x2F\xFD").count();
    }
    assert!(n_frames > parts.len(), "{n_frames} frames in {} parts", parts.len());
    // Dead letters go as the first export goes.
    assert!(files.contains_key("__failed/part-00000.jsonl.zst"), "{:?}", files.keys());
    assert!(files.contains_key("dropped/part-00000.jsonl"));
}

#[test]
fn the_manifest_lists_every_file_with_its_hash() {
    let world = World::with(&format!("{PIPELINE}block_bytes = \"4 KiB\"\n"));
    collection(&world);
    world.run(&["--set", "export.kept.max_part_bytes=20000"]).exits(0);
    manifest_is_true(&world, "out");
}

#[test]
fn named_files_are_unique_and_listed_as_b3sum_lists_them() {
    let world = World::with(&PIPELINE.replacen("use = \"jsonl\"", "use = \"markdown\"", 1));
    let long = "长".repeat(500);
    let ids =
        ["a", "A", "a", "news/b", "news/B", "../../etc/passwd", "CON", "a\\b", "two\nlines", &long, "/", "."];
    let lines: String = ids
        .iter()
        .map(|id| serde_json::json!({ "id": id, "text": "A text that is long enough." }).to_string() + "\n")
        .collect();
    world.write("in/a.jsonl", lines);
    world.run(&[]).exits(0);
    assert_eq!(world.tally(), (ids.len() as u64, ids.len() as u64, 0, 0));
    let mut files = world.files("out");
    files.remove(".tamis/manifest.json");
    files.remove(".tamis/fates");
    files.remove(".tamis/inputs");
    let list = String::from_utf8(files.remove(".tamis/files.b3").unwrap()).unwrap();
    assert_eq!(files.len(), ids.len(), "{:?}", files.keys());
    let folded: BTreeSet<String> = files.keys().map(|name| name.to_lowercase()).collect();
    assert_eq!(folded.len(), ids.len(), "two names differ in case only: {:?}", files.keys());
    for name in ["a.md", "A-2.md", "a-3.md", "news/b.md", "news/B-2.md"] {
        assert!(files.contains_key(name), "{name} in {:?}", files.keys());
    }
    let mut listed = 0;
    for line in list.lines() {
        let (hash, name) = line.split_once("  ").unwrap();
        assert_eq!(blake3::hash(&files[name]).to_hex().as_str(), hash, "{name}");
        listed += 1;
    }
    assert_eq!(listed, files.len());
    assert!(!world.path("../../etc/passwd.md").exists());
}

#[test]
fn dead_letters_can_be_read_again_whatever_the_first_export_is() {
    let world = World::with(&PIPELINE.replacen("use = \"jsonl\"", "use = \"markdown\"", 1));
    world.write("in/a.jsonl", "{broken\n");
    world.run(&[]).exits(0);
    let failed = world.files("out/__failed");
    let all: String = failed.values().map(|content| String::from_utf8_lossy(content)).collect();
    assert!(all.contains("{broken"), "the bytes are lost: {all}");
}

#[test]
fn a_run_writes_where_it_is_told() {
    let world = World::new();
    world.write("in/a.jsonl", line(0, 50) + &line(1, 3));
    world.write("elsewhere/b.jsonl", line(2, 50));
    world.run(&["elsewhere", "-o", "there/deep"]).exits(0);
    assert_eq!(world.ids("there/deep"), ["b.jsonl#0"]);
    assert!(!world.path("out").exists());
    // From another working folder paths of the file stay with the file, those of flags go with the folder.
    world.write("work/.keep", "");
    let mut command = world.command(&["run", "../p.toml", "-o", "mine"]);
    let ran = crate::world::ran(command.current_dir(world.path("work")));
    ran.exits(0);
    assert_eq!(world.ids("work/mine"), ["a.jsonl#0"]);
    assert_eq!(world.ids("work/mine/dropped"), ["a.jsonl#84"]);
    let mut command = world.command(&["run", "../p.toml", "-o", "."]);
    let ran = crate::world::ran(command.current_dir(world.path("work")));
    assert!(ran.exits(0).stdout.contains("1 kept in . (1 file)"));
}

/// A name with dots means the same wherever a field is named: in paths, columns, conditions, fields and groups.
#[test]
fn names_with_dots_reach_into_objects_everywhere() {
    let world = World::with(
        "[[source]]\nuse = \"jsonl\"\npaths = [\"in\"]\n\
         [[stage]]\nuse = \"where\"\nkeep = 'author.name != \"Nobody\"'\n\
         [[stage]]\nuse = \"fields\"\ncopy = { \"author.born.year\" = \"born\" }\n\
         [[stage]]\nuse = \"dedup-exact\"\nfield = \"author.id\"\n\
         [[export]]\nuse = \"jsonl\"\npath = \"out/{author.name}/{author.born.day:%Y}\"\n\
         columns = [\"author.id\", \"author.born\", \"author.none\", \"flat.name\"]\nrest = false\n",
    );
    let record = |id: &str, name: &str| {
        serde_json::json!({
            "id": id, "text": "The ferry stops at nine.", "flat.name": "own",
            "author": { "id": name, "name": name, "born": { "year": 1950, "day": "1950-02-03" } }
        })
        .to_string()
            + "\n"
    };
    let lines = [record("a", "Ann"), record("b", "Bo"), record("c", "Ann"), record("d", "Nobody")].concat();
    world.write("in/a.jsonl", lines);
    world.run(&[]).exits(0);
    assert_eq!(world.tally(), (4, 2, 2, 0));
    let files = world.files("out");
    let ann = String::from_utf8(files["Ann/1950/part-00000.jsonl"].clone()).unwrap();
    let ann: serde_json::Value = serde_json::from_str(&ann).unwrap();
    let expected = serde_json::json!({
        "id": "a", "text": "The ferry stops at nine.", "author.id": "Ann",
        "author.born": { "year": 1950, "day": "1950-02-03" }, "author.none": null, "flat.name": "own"
    });
    assert_eq!(ann, expected);
    assert!(files.contains_key("Bo/1950/part-00000.jsonl"), "{:?}", files.keys());
}
