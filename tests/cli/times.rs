//! What a run has spent where: noted beside its output, and shown on its page.

use serde_json::{Value as Json, json};

use crate::world::{PIPELINE, TIMES, World};

/// Three files of documents of some sites.
fn world(pipeline: &str) -> World {
    let world = World::with(pipeline);
    for file in 0..3 {
        let record = |n: usize| {
            let url = format!("https://www.s{}.example/{n}", n % 3);
            json!({ "text": format!("{file} {n} {}", "The river rose. ".repeat(n % 4)), "url": url })
                .to_string()
                + "\n"
        };
        world.write(format!("in/{file}.jsonl"), (0..100 + file * 50).map(record).collect::<String>());
    }
    world
}

fn times(world: &World, folder: &str) -> Json {
    serde_json::from_str(&world.read(format!("{folder}/{TIMES}"))).unwrap()
}

#[test]
fn a_run_notes_what_it_has_spent_and_its_page_shows_it() {
    let world = world(PIPELINE);
    world.run(&["--dry-run"]).exits(0);
    assert!(!world.path("out").exists());
    world.run(&[]).exits(0);
    let first = times(&world, "out");
    assert_eq!(first["processes"], 1);
    assert!(first["seconds"].as_f64().unwrap() > 0.0 && first["threads"].as_u64().unwrap() > 0, "{first:#}");
    for stage in ["source.auto", "stage.length", "export.kept"] {
        assert!(first["stages"][stage]["cpu"].is_number(), "{stage}: {first:#}");
    }
    // Nothing was done, so nothing was spent; what is made again is a run of its own.
    world.run(&[]).exits(0);
    assert_eq!(times(&world, "out"), first);
    world.run(&["--fresh"]).exits(0);
    assert_eq!(times(&world, "out")["processes"], 1);

    let counts = &world.manifest()["tally"]["sites"]["named"]["s1.example"];
    assert_eq!((counts["kept"].as_u64(), counts["dropped"].as_u64()), (Some(112), Some(38)));
    world.tamis(&["report", "out"]).exits(0);
    let page = world.read("out/__report.html");
    for part in [
        "How long it took",
        "records a second",
        "stage length",
        "By site",
        "<th scope=\"row\">s1.example</th>",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("Shard by shard"));
    // The page does without, as of a run of long ago.
    std::fs::remove_file(world.path("out").join(TIMES)).unwrap();
    world.tamis(&["report", "out"]).exits(0);
    assert!(!world.read("out/__report.html").contains("How long it took"));
}

#[test]
fn segments_of_a_plan_add_to_what_the_others_have_spent() {
    let world = world(&PIPELINE.replace("[[stage]]", "[[stage]]\nuse = \"dedup-exact\"\n\n[[stage]]"));
    world.run(&["--segment", "0"]).exits(0);
    let first = times(&world, "out");
    world.run(&["--segment", "1"]).exits(0);
    let both = times(&world, "out");
    assert_eq!((&first["processes"], &both["processes"]), (&1.into(), &2.into()));
    assert!(both["seconds"].as_f64() > first["seconds"].as_f64());
    assert!(first["stages"]["stage.length"].is_null() && both["stages"]["stage.length"].is_object());
}

#[test]
fn shards_are_compared_once_they_are_merged() {
    let world = world(PIPELINE);
    for shard in ["0/2", "1/2"] {
        world.run(&["--shard", shard]).exits(0);
    }
    world.tamis(&["merge", "out"]).exits(0);
    world.tamis(&["report", "out"]).exits(0);
    let page = world.read("out/__report.html");
    for part in ["Shard by shard", "2 shards", "<th scope=\"row\">1</th>"] {
        assert!(page.contains(part), "{part}: {page}");
    }
}
