//! Named files, and what is in the output folder before a run.

use std::sync::Arc;

use tamis_document::Record;
use tamis_runner::{Finish, RunError, Settings};
use tamis_stage::Output;

use crate::fakes::{Hooks, World, lines};

const NAMED: &str = "[[export]]\nuse = \"named\"\npath = \"out\"\n\
                     [[export]]\nid = \"failed\"\nuse = \"stream\"\nfrom = \"failed\"\npath = \"out/failed\"\n\
                     [run]\nblock_bytes = \"1 KiB\"\nmax_failed_ratio = 1\nthreads = 2\n";
fn fresh() -> Settings {
    Settings { fresh: true, ..Settings::default() }
}

/// Writes each kept record into the file that its text names; failed ones into the stream.
fn named() -> Hooks {
    let encode = |record: &Record, out: &mut Output| {
        if record.is_kept() {
            out.file(record.document.text.clone(), record.document.id.clone().into_bytes());
        } else {
            out.bytes.extend_from_slice(record.document.text.as_bytes());
        }
        Ok(())
    };
    Hooks { encode: Arc::new(encode), ..Hooks::default() }
}

#[cfg(unix)]
#[test]
fn named_files_are_unique_whatever_the_case_and_leave_others_alone() {
    let world = World::new();
    world.write("in/a.txt", "x.md\nX.md\nx.md\nfiles.b3\nmanifest.json\nsub/y\nmine.md\nlink\n");
    world.write("out/mine.md", "mine");
    std::os::unix::fs::symlink("nowhere", world.path("out/link")).unwrap();
    for _ in 0..2 {
        let report = world.run_with(NAMED, &named(), fresh()).unwrap();
        assert_eq!((report.tally.kept, report.tally.failed), (8, 0));
        std::fs::remove_file(world.path("out/link")).unwrap();
        let mut output = world.output();
        std::os::unix::fs::symlink("nowhere", world.path("out/link")).unwrap();
        let list = output.remove(".tamis/files.b3").unwrap();
        let names: Vec<&str> = output.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "X-2.md",
                "files.b3",
                "link-2",
                "manifest.json",
                "mine-2.md",
                "mine.md",
                "sub/y",
                "x-3.md",
                "x.md"
            ]
        );
        assert_eq!(output["mine.md"], "mine");
        assert_eq!(output["X-2.md"], "a.txt#1");
        assert_eq!(list.lines().count(), 8);
        for line in list.lines() {
            let (hash, name) = line.split_once("  ").unwrap();
            assert_eq!(hash, blake3::hash(output[name].as_bytes()).to_hex().as_str(), "{name}");
        }
    }
}

#[test]
fn a_document_may_be_called_like_a_part() {
    let world = World::new();
    world.write("in/a.txt", "part-00000.md\npart-00007.txt\n");
    for _ in 0..2 {
        world.run_with(NAMED, &named(), fresh()).unwrap();
        assert_eq!(world.output()["part-00007.txt"], "a.txt#1");
        assert_eq!(world.output().len(), 3);
    }
    world.write("out/part-00008.txt", "mine");
    let error = world.run_with(NAMED, &named(), fresh()).unwrap_err();
    assert!(matches!(&error, RunError::Occupied { .. }), "{error}");
}

#[test]
fn a_name_that_no_file_may_have_costs_its_record() {
    let world = World::new();
    world.write("in/a.txt", format!("good\n../bad\n/bad\n{}\nbetter\n", "x".repeat(300)));
    let report = world.run(NAMED, &named()).unwrap();
    assert_eq!((report.tally.kept, report.tally.failed), (2, 3));
    let output = world.output();
    assert_eq!(output["good"], "a.txt#0");
    assert_eq!(output["failed/part-00000.txt"], format!("../bad/bad{}", "x".repeat(300)));
    assert!(!world.path("bad").exists());
}

#[test]
fn named_files_of_a_run_that_broke_are_not_there_twice() {
    let world = World::new();
    let names: Vec<_> = (0..2_000).map(|n| format!("folder {}/{n}.md", n % 7)).collect();
    world.write("in/a.txt", names.join("\n"));
    let breaking = |record: &Record, out: &mut Output| {
        assert_ne!(record.document.text, "folder 5/1006.md");
        (named().encode)(record, out)
    };
    let error = world.run(NAMED, &Hooks { encode: Arc::new(breaking), ..Hooks::default() }).unwrap_err();
    assert!(error.to_string().contains("a worker panicked"), "{error}");
    assert!(world.output().contains_key(".tamis/files.b3"), "{:?}", world.output().keys());
    let report = world.run(NAMED, &named()).unwrap();
    assert!(report.restarted);
    let output = world.output();
    // And the list.
    assert_eq!(output.len(), 2_001);
    assert!(output.keys().all(|name| !name.contains("-2")));
}

#[test]
fn what_a_killed_run_had_no_time_to_list_goes() {
    let world = World::new();
    world.write("in/a.txt", lines(1_000));
    let text = "[[export]]\nuse = \"stream\"\npath = \"out\"\nmax_part_bytes = \"8 KiB\"\n";
    world.run(text, &Hooks::default()).unwrap();
    let undisturbed = world.output();
    // A run that was killed between the first part and the manifest that lists it, and in a second export.
    let manifest = std::fs::read_to_string(world.path("out/.tamis/manifest.json")).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    json["complete"] = false.into();
    for name in ["part-00000.txt", ".part-00001.txt.tamis-tmp"] {
        world.write(&format!("out/{name}"), "half");
    }
    for entry in json["exports"].as_array_mut().unwrap() {
        entry["files"] = serde_json::json!([]);
    }
    world.write("out/.tamis/manifest.json", json.to_string());
    world.write("out/notes.txt", "mine");
    let report = world.run(text, &Hooks::default()).unwrap();
    assert!(report.restarted);
    let mut output = world.output();
    assert_eq!(output.remove("notes.txt").as_deref(), Some("mine"));
    assert!(output == undisturbed);
}

#[test]
fn a_finished_output_that_was_changed_is_not_finished() {
    let world = World::new();
    world.write("in/a.txt", lines(10));
    assert_eq!(world.run("", &Hooks::default()).unwrap().finish, Finish::Done);
    assert_eq!(world.run("", &Hooks::default()).unwrap().finish, Finish::AlreadyDone);
    world.write("out/part-00000.txt", "changed");
    let error = world.run("", &Hooks::default()).unwrap_err();
    assert!(
        error.is_setup() && error.to_string().contains("`part-00000.txt` has 7 bytes instead of"),
        "{error}"
    );
    std::fs::remove_file(world.path("out/part-00000.txt")).unwrap();
    let error = world.run("", &Hooks::default()).unwrap_err();
    assert!(error.is_setup() && error.to_string().contains("`part-00000.txt` cannot be read"), "{error}");
    assert_eq!(world.run_with("", &Hooks::default(), fresh()).unwrap().finish, Finish::Done);
}

#[test]
fn files_that_look_like_output_but_are_not_listed_stop_the_run() {
    let dropped = "[[export]]\nuse = \"stream\"\npath = \"out\"\n\
                   [[export]]\nid = \"dropped\"\nuse = \"stream\"\nfrom = \"dropped\"\npath = \"elsewhere\"\n";
    for (file, text) in [
        ("out/part-00000.txt", ""),
        ("out/part-00017.jsonl.zst", ""),
        ("out/__failed/part-00000.txt", ""),
        ("out/.tamis/files.b3", ""),
        ("out/.tamis/manifest.json", ""),
        ("elsewhere/part-00000.txt", dropped),
        ("elsewhere/.tamis/manifest.json", dropped),
    ] {
        for settings in [Settings::default(), fresh()] {
            let world = World::new();
            world.write("in/a.txt", "one\n");
            world.write(file, "mine");
            let error = world.run_with(text, &Hooks::default(), settings).unwrap_err();
            assert!(matches!(&error, RunError::Occupied { .. }) && error.is_setup(), "{file}: {error}");
            assert_eq!(std::fs::read_to_string(world.path(file)).unwrap(), "mine");
        }
    }
    let world = World::new();
    world.write("in/a.txt", "one\n");
    world.write("out/part-1.txt", "mine");
    world.write("out/particulars.txt", "mine");
    world.run("", &Hooks::default()).unwrap();
    assert_eq!(world.output().len(), 3);
}

#[test]
fn a_manifest_of_another_version_is_replaced_only_when_asked() {
    let world = World::new();
    world.write("in/a.txt", "one\n");
    let old = r#"{"tamis":"9.0","exports":[{"folder":"","files":[{"name":"part-00000.txt"},{"name":"part-00001.txt"}]}]}"#;
    for (place, said) in [
        ("out/.tamis/manifest.json", "is not one of this version"),
        ("out/manifest.json", "by an older version"),
    ] {
        if world.path("out").exists() {
            std::fs::remove_dir_all(world.path("out")).unwrap();
        }
        world.write(place, old);
        world.write("out/part-00000.txt", "old");
        world.write("out/part-00001.txt", "old");
        let error = world.run("", &Hooks::default()).unwrap_err();
        assert!(matches!(&error, RunError::OtherRun { .. }) && error.to_string().contains(said), "{error}");
        assert!(world.path("out/part-00001.txt").exists());
        world.run_with("", &Hooks::default(), fresh()).unwrap();
        assert_eq!(
            world.output().into_iter().collect::<Vec<_>>(),
            [("part-00000.txt".to_owned(), "a.txt#0 0+4 one\n".to_owned())]
        );
    }
}

#[test]
fn the_named_files_of_an_older_version_go_and_a_manifest_that_is_not_ours_stays() {
    let world = World::new();
    world.write("in/a.txt", "x.md\n");
    let old = r#"{"tamis":"0.0","exports":[{"folder":"","files":[{"name":"files.b3"}]}]}"#;
    world.write("out/manifest.json", old);
    world.write("out/files.b3", "0123  sub/old.md\n");
    world.write("out/sub/old.md", "old");
    world.run(NAMED, &named()).unwrap_err();
    world.run_with(NAMED, &named(), fresh()).unwrap();
    assert!(world.output().keys().eq([".tamis/files.b3", "x.md"]), "{:?}", world.output());
    // That of a web application, say.
    world.write("out/manifest.json", r#"{"name": "mine"}"#);
    world.run_with(NAMED, &named(), fresh()).unwrap();
    assert!(world.path("out/manifest.json").exists());
}

#[test]
fn a_manifest_cannot_make_a_run_delete_what_lies_elsewhere() {
    let world = World::new();
    world.write("in/a.txt", "one\n");
    world.write("precious.txt", "mine");
    let outside = world.path("");
    let outside = outside.to_str().unwrap();
    for (folder, name) in
        [("", "../precious.txt"), ("..", "precious.txt"), (outside, "precious.txt"), ("", "/precious.txt")]
    {
        let manifest = serde_json::json!({
            "tamis": "0.1.0", "exports": [{ "folder": folder, "files": [{ "name": name }, { "name": ".tamis/files.b3" }] }],
        });
        world.write("out/.tamis/manifest.json", manifest.to_string());
        world.write("out/.tamis/files.b3", format!("0123  ../precious.txt\n0123  {outside}/precious.txt\n"));
        world.write(".tamis/files.b3", "0123  precious.txt\n");
        let result = world.run_with("", &Hooks::default(), fresh());
        if folder.is_empty() {
            result.unwrap();
        } else {
            // The list is not one of this folder.
            assert!(matches!(result, Err(RunError::Occupied { .. })));
        }
        assert_eq!(std::fs::read_to_string(world.path("precious.txt")).unwrap(), "mine");
        std::fs::remove_dir_all(world.path("out")).unwrap();
    }
}

#[test]
fn inputs_in_output_folders() {
    let world = World::new();
    world.write("in/a.txt", "one\n");
    let both = "[[export]]\nuse = \"stream\"\npath = \"in/out\"\n";
    // Output below the input: not read the next time.
    assert_eq!(world.run(both, &Hooks::default()).unwrap().tally.read, 1);
    assert_eq!(world.run(both, &Hooks::default()).unwrap().finish, Finish::AlreadyDone);
    // A part of an earlier run, and one of an export that the pipeline had before.
    let source = |path: &str| format!("[[source]]\nuse = \"lines\"\npaths = [\"{path}\"]\n{both}");
    let error = world.run(&source("in/out/part-00000.txt"), &Hooks::default()).unwrap_err();
    assert!(matches!(&error, RunError::InputIsOutput { .. }) && error.is_setup(), "{error}");
    let more = format!("{both}[[export]]\nid = \"more\"\nuse = \"stream\"\npath = \"in/out/more\"\n");
    world.run_with(&more, &Hooks::default(), fresh()).unwrap();
    let error =
        world.run_with(&source("in/out/more/part-00000.txt"), &Hooks::default(), fresh()).unwrap_err();
    assert!(matches!(&error, RunError::InputIsOutput { .. }), "{error}");
    assert!(world.path("in/out/more/part-00000.txt").exists());
}
