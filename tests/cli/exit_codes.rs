//! 0 done, 1 too many failures, 2 nothing ran, 3 broke; 130 is in `interruption`.

use crate::world::{PIPELINE, World, line};

/// Three good records and one broken.
fn a_quarter_fails() -> World {
    let world = World::new();
    world.write("in/a.jsonl", format!("{}{}{{\n{}", line(0, 50), line(1, 50), line(2, 50)));
    world
}

#[test]
fn the_share_of_failures_is_held_to_its_limit() {
    for (limit, code) in [("0", 1), ("0.1", 1), ("0.25", 0), ("0.5", 0), ("1", 0)] {
        let world = a_quarter_fails();
        let setting = format!("run.max_failed_ratio={limit}");
        let ran = world.run(&["--set", &setting]).exits(code);
        assert_eq!(world.tally(), (4, 3, 0, 1));
        if code == 1 {
            ran.says(&[
                "error: 25.00 % of the records failed",
                &format!("max_failed_ratio = {limit}"),
                "out/__failed",
            ]);
            // Asked again it says the same, and the limit is no part of what decides the output.
            world.run(&["--set", &setting]).exits(1);
            world.run(&[]).exits(0);
        }
    }
}

#[test]
fn without_failures_a_limit_of_zero_holds() {
    let world = World::new();
    world.write("in/a.jsonl", line(0, 50));
    world.run(&["--set", "run.max_failed_ratio=0"]).exits(0);
}

#[test]
fn setup_mistakes_run_nothing() {
    let misspelt = PIPELINE.replace("min_chars", "min_char");
    let no_plugin = format!("plugin = [{{ path = \"libnone.so\" }}]\n{PIPELINE}");
    let no_input = PIPELINE.replace("\"in\"", "\"inn\"");
    for (pipeline, arguments, said) in [
        (PIPELINE, &["run", "p.tom"][..], "cannot read the pipeline `p.tom`: no such file"),
        (PIPELINE, &["run"], "<PIPELINE>"),
        (PIPELINE, &["rum"], "unrecognized subcommand"),
        (PIPELINE, &["run", "p.toml", "--set", "stage.length.min_char=3"], "unknown option `min_char`"),
        (PIPELINE, &["run", "p.toml", "--set", "run.threads"], "expected KEY=VALUE"),
        (PIPELINE, &["run", "p.toml", "nowhere"], "`nowhere`"),
        (&misspelt, &["run", "p.toml"], "did you mean `min_chars`?"),
        (&no_plugin, &["run", "p.toml"], "libnone.so"),
        (&no_input, &["run", "p.toml"], "did you mean `in`?"),
        ("[[source", &["run", "p.toml"], "p.toml:1:"),
        ("", &["run", "p.toml"], "no `[[source]]`"),
    ] {
        let world = World::with(pipeline);
        world.write("in/a.jsonl", line(0, 50));
        world.tamis(arguments).exits(2).says(&["error:", said]);
        assert!(!world.path("out").exists(), "{arguments:?}");
    }
}

#[test]
fn an_empty_folder_is_nothing_to_read() {
    let world = World::new();
    world.run(&[]).exits(2).says(&["error: there is nothing to read: no file matches `in`"]);
    assert!(!world.path("out").exists());
}

#[test]
fn output_of_another_run_is_left_alone() {
    let world = World::new();
    world.write("in/a.jsonl", line(0, 50));
    world.run(&[]).exits(0);
    let before = world.files("out");
    let length = "stage.length.min_chars=11";
    world.run(&["--set", length]).exits(2).says(&[
        "holds the output of another run",
        "`stage.length.min_chars`: 10, now 11",
        "--fresh",
    ]);
    world.write("in/b.jsonl", line(1, 50));
    world.run(&[]).exits(2).says(&["the inputs have changed since"]);
    assert!(world.files("out") == before);
    // Something that is no output of tamis, but would be replaced.
    world.write("other/part-00000.jsonl", "mine");
    world.run(&["-o", "other"]).exits(2).says(&["`part-00000.jsonl`, which no run of this pipeline wrote"]);
    world.run(&["-o", "other", "--fresh"]).exits(2);
    assert_eq!(world.read("other/part-00000.jsonl"), "mine");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_a_wrong_setup() {
    let world = World::new();
    world.write("in/a.jsonl", line(0, 50));
    world.write("file", "");
    for output in ["file", "file/below", "/dev/null/below", "/proc/tamis"] {
        if cfg!(target_os = "linux") || !output.starts_with("/proc") {
            world.run(&["-o", output]).exits(2).says(&["cannot write to the folder", output, "with `-o`"]);
        }
    }
    // The folder of a second export is looked at before anything is read.
    world.write("p.toml", PIPELINE.replace("out/dropped", "file"));
    world.run(&[]).exits(2).says(&["cannot write to the folder", "file"]);
    assert!(!world.path("out/part-00000.jsonl").exists());
}

/// A file system of a megabyte, for those who may mount one.
fn mount(world: &World) -> Option<std::path::PathBuf> {
    let small = world.path("small");
    std::fs::create_dir(&small).unwrap();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
        .arg(&small)
        .output();
    mount.is_ok_and(|mount| mount.status.success()).then_some(small)
}

#[test]
fn a_full_disk_breaks_the_run_and_leaves_what_is_whole() {
    let world = World::new();
    let lines: String = (0..6_000).map(|n| line(n, 300)).collect();
    world.write("in/a.jsonl", &lines);
    let Some(small) = mount(&world) else {
        eprintln!("SKIPPED: no right to mount a file system");
        return;
    };
    let ran = world.run(&[
        "-o",
        "small/out",
        "--set",
        "export.kept.max_part_bytes=300000",
        "--set",
        "run.block_bytes=32768",
    ]);
    let names: Vec<String> = world.files("small/out").into_keys().collect();
    let manifest = std::fs::read_to_string(small.join("out/.tamis/manifest.json"));
    let unmounted = std::process::Command::new("umount").arg(&small).status();
    ran.exits(3).says(&["error: cannot write", "No space left on device"]);
    // What was noted stays, so that the run goes on when there is room.
    let is_noted = |name: &&String| name.contains(".tamis");
    let parts: Vec<_> = names.iter().filter(|name| !is_noted(name)).collect();
    assert_eq!(parts, ["part-00000.jsonl", "part-00001.jsonl", "part-00002.jsonl"]);
    assert!(manifest.unwrap().contains("\"complete\": false"));
    assert!(unmounted.unwrap().success());
}

#[test]
fn a_full_disk_breaks_a_run_whatever_it_writes() {
    for exporter in ["parquet", "arrow", "sqlite", "csv", "markdown"] {
        let export = format!("use = \"{exporter}\"\nmax_part_bytes = \"200 KiB\"");
        let export = match exporter {
            "parquet" | "arrow" => export + "\ncompression = \"none\"",
            // It has no parts.
            "markdown" => "use = \"markdown\"".to_owned(),
            _ => export,
        };
        let world =
            World::with(&PIPELINE.replacen("use = \"jsonl\"", &export, 1).replace("out/dropped", "gone"));
        world.write("in/a.jsonl", (0..4_000).map(|n| line(n, 300)).collect::<String>());
        let Some(small) = mount(&world) else {
            eprintln!("SKIPPED: no right to mount a file system");
            return;
        };
        let settings = ["--set", "run.block_bytes=32768"];
        let ran = world.run(&[&["-o", "small/out"], &settings[..]].concat());
        let manifest = std::fs::read_to_string(small.join("out/.tamis/manifest.json"));
        let larger =
            std::process::Command::new("mount").args(["-o", "remount,size=64m"]).arg(&small).status();
        let again =
            larger.unwrap().success().then(|| world.run(&[&["-o", "small/out"], &settings[..]].concat()));
        let files = world.files("small/out");
        let unmounted = std::process::Command::new("umount").arg(&small).status();
        assert!(unmounted.unwrap().success());
        ran.exits(3).says(&["error:"]);
        assert!(manifest.is_ok_and(|manifest| manifest.contains("\"complete\": false")), "{exporter}");
        // With room, the run is finished as if there had always been some.
        if let Some(again) = again {
            again.exits(0);
            world.run(&[&["-o", "plenty"], &settings[..]].concat()).exits(0);
            let (mut files, mut plenty) = (files, world.files("plenty"));
            // Where the output goes is part of the plan, whose hash is in the manifest.
            assert!(
                files.remove(".tamis/manifest.json").is_some()
                    && plenty.remove(".tamis/manifest.json").is_some()
            );
            assert!(files == plenty, "{exporter}: {:?}", files.keys());
        }
    }
}

#[test]
fn what_is_wrong_with_a_setup_is_an_event_for_machines() {
    let world = World::with(&PIPELINE.replace("min_chars = 10", "min_chars = \"few\""));
    world.write("in/a.jsonl", "{\"text\": \"a\"}\n");
    for (flags, said) in [
        (&["--json"][..], "`min_chars` is a string"),
        (&["--json", "--set", "stage.length.min_chars=1", "--segment", "3"], "no segment 3"),
    ] {
        let ran = world.run(flags).exits(2);
        let [event] = &ran.stdout.lines().collect::<Vec<_>>()[..] else { panic!("{}", ran.stdout) };
        let event: serde_json::Value = serde_json::from_str(event).unwrap();
        assert_eq!(event["event"], "refused");
        assert!(event["mistakes"][0]["message"].as_str().unwrap().contains(said), "{event}");
    }
}
