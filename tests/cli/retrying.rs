//! `tamis retry` and `tamis diff`; the page and the counters that a run leaves.

use serde_json::json;

use crate::world::{PIPELINE, World, line};

/// A world of which a run has failed for three reasons: a line that is no JSON, one whose text is called otherwise, and a
/// file that no reader takes.
fn failed() -> (World, usize) {
    let world = World::with(&PIPELINE.replace("use = \"auto\"", "id = \"in\"\nuse = \"auto\""));
    let mut lines: String = (0..40).map(|n| line(n, 60)).collect();
    let at = lines.len();
    lines += "{\"body\":\"The ferry to the islands left the harbour again.\"}\nno JSON\n";
    lines += &line(90, 60);
    world.write("in/a.jsonl", &lines);
    world.write("in/b.jsonl", line(7, 60));
    world.write("in/c.bin", b"\0\x01binary");
    world.run(&[]).exits(0);
    assert_eq!(world.ids("out/__failed").len(), 3);
    (world, at)
}

#[test]
fn what_failed_and_nothing_else_is_read_again() {
    let (world, at) = failed();
    let before = world.files("out");
    let retried = world.tamis(&["retry", "p.toml", "out"]).exits(0).stdout;
    assert!(
        retried.contains("3 dead letters led to 3 records: 0 kept, 0 dropped, 3 failed again"),
        "{retried}"
    );
    // Somebody has repaired what can be: the pipeline, and a file.
    let pipeline =
        world.read("p.toml").replace("paths = [\"in\"]", "paths = [\"in\"]\nexclude = [\"*.bin\"]");
    world
        .write("p.toml", pipeline.replace("use = \"auto\"", "use = \"jsonl\"\nfields = { text = \"body\" }"));
    let retried = world.tamis(&["retry", "p.toml", "out", "-o", "again"]).exits(0).stdout;
    assert!(
        retried.contains("3 dead letters led to 2 records: 1 kept, 0 dropped, 1 failed again"),
        "{retried}"
    );
    assert_eq!(world.ids("again"), [format!("a.jsonl#{at}")]);
    assert_eq!(world.files("out"), before);
    // It is not taken for a run over everything, nor the other way round.
    let whole = world.tamis(&["run", "p.toml", "-o", "again"]).exits(2).stderr;
    assert!(whole.contains("`--fresh`"), "{whole}");
}

#[test]
fn letters_that_were_compressed_with_the_rest_are_read() {
    let squeezed = PIPELINE
        .replace("id = \"kept\"\nuse = \"jsonl\"", "id = \"kept\"\nuse = \"jsonl\"\ncompression = \"zstd\"");
    let world = World::with(&squeezed);
    world.write("in/a.jsonl", format!("{}no JSON\n", line(1, 60)));
    world.run(&[]).exits(0);
    let letters: Vec<_> =
        world.files("out").into_iter().filter(|(name, _)| name.contains("__failed")).collect();
    assert!(letters.iter().any(|(name, _)| name.ends_with(".jsonl.zst")), "{letters:?}");
    let retried = world.tamis(&["retry", "p.toml", "out"]).exits(0).stdout;
    assert!(
        retried.contains("1 dead letter led to 1 record: 0 kept, 0 dropped, 1 failed again"),
        "{retried}"
    );
}

#[test]
fn letters_for_the_rest_of_a_file_are_all_records_there() {
    let world = World::new();
    let whole: String = (0..60).map(|n| line(n, 60)).collect();
    let packed = {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        packed.write_all(whole.as_bytes()).unwrap();
        packed.finish().unwrap()
    };
    world.write("in/a.jsonl.gz", &packed[..packed.len() / 2]);
    world.write("in/b.jsonl", line(0, 60));
    world.run(&[]).exits(0);
    let n_read = world.ids("out").len() - 1;
    assert!(n_read < 60, "{n_read}");
    // It was fetched anew.
    world.write("in/a.jsonl.gz", &packed);
    world.tamis(&["retry", "p.toml", "out"]).exits(0);
    assert_eq!(world.ids("out-retried").len(), 60 - n_read);
}

#[test]
fn a_run_without_failures_has_nothing_to_retry_and_a_folder_without_one_is_told() {
    let world = World::new();
    world.write("in/a.jsonl", line(0, 60));
    world.run(&[]).exits(0);
    let none = world.tamis(&["retry", "p.toml", "out"]).exits(0).stdout;
    assert_eq!(none, "nothing to do: no record of the run in out failed\n");
    let wrong = world.tamis(&["retry", "p.toml", "in"]).exits(2).stderr;
    assert!(wrong.contains("`in` holds no output of a run"), "{wrong}");
    assert!(!world.path("out-retried").exists());
}

#[test]
fn of_a_run_that_has_not_finished_nothing_is_retried_and_compared() {
    let world = World::new();
    world.write("in/a.jsonl", line(0, 60));
    world.run(&[]).exits(0);
    let manifest = world.read("out/.tamis/manifest.json");
    let begun = manifest.replace("\"complete\": true", "\"complete\": false");
    assert_ne!(begun, manifest);
    world.write("out/.tamis/manifest.json", begun);
    for arguments in [&["retry", "p.toml", "out"][..], &["diff", "out", "out"]] {
        let said = world.tamis(arguments).exits(2).stderr;
        assert!(said.contains("the run in `out` has not finished"), "{said}");
        assert!(said.contains("run the same command again"), "{said}");
    }
}

#[test]
fn two_runs_differ_by_what_their_pipelines_do() {
    let world = World::new();
    let text = |n: usize| "The ferry to the islands left the harbour. ".repeat(n);
    let lines: String = (1..30)
        .map(|n| json!({ "id": format!("d{n}"), "text": text(n) + "  end" }).to_string() + "\n")
        .collect();
    world.write("in/a.jsonl", &lines);
    world.run(&[]).exits(0);
    let same = world.tamis(&["diff", "out", "out"]).exits(0).stdout;
    assert!(
        same.contains("the same pipeline\n\n29 records in both, 0 of them with another fate\n"),
        "{same}"
    );
    assert!(same.contains("29 documents kept by both, 0 of them with another text\n"), "{same}");
    let other =
        world.read("p.toml").replace("min_chars = 10", "min_chars = 200\n[[stage]]\nuse = \"repair-text\"");
    world.write("q.toml", other);
    world.tamis(&["run", "q.toml", "-o", "other"]).exits(0);
    let differs = world.tamis(&["diff", "out", "other"]).exits(0).stdout;
    for part in [
        "`stage.length.min_chars`: 10, now 200; `stage.repair-text` is new",
        "29 records in both, 5 of them with another fate\n        5  kept → dropped by length: too-short\n           d1  chars 38, at least 200",
        "24 documents kept by both, 24 of them with another text",
        "[-  -]",
    ] {
        assert!(differs.contains(part), "{part}: {differs}");
    }
    world.tamis(&["diff", "out", "other", "-o", "d.html"]).exits(0);
    let page = world.read("d.html");
    assert!(page.contains("dropped by length: too-short") && page.contains("<del>"), "{page}");
    // Other inputs: by the ids of the documents.
    let fewer: Vec<&str> = lines.lines().rev().skip(4).collect();
    world.write(
        "in/a.jsonl",
        fewer.join(
            "
",
        ) + "
",
    );
    world.tamis(&["run", "p.toml", "-o", "fewer"]).exits(0);
    let fewer = world.tamis(&["diff", "out", "fewer"]).exits(0).stdout;
    assert!(fewer.contains("compared by their ids\n\n25 records in both, 0 of them"), "{fewer}");
    assert!(fewer.contains("        4  only in out\n           d26"), "{fewer}");
    let none = world.tamis(&["diff", "out", "in"]).exits(2).stderr;
    assert!(none.contains("`in` holds no output of a run"), "{none}");
}

#[test]
fn a_run_leaves_its_page_and_its_counters_where_they_are_asked_for() {
    let world = World::with(&format!("{PIPELINE}report = true\n"));
    world.write("in/a.jsonl", (0..20).map(|n| line(n, 60)).collect::<String>() + "{\"text\":\"short\"}\n");
    world.run(&["--metrics", "run.prom"]).exits(0);
    let page = world.read("out/__report.html");
    assert!(page.starts_with("<!doctype html>") && page.contains("too-short"), "{page}");
    let metrics = world.read("run.prom");
    for line in ["fate=\"kept\"} 20\n", "fate=\"dropped\"} 1\n", "tamis_run_state{pipeline=\"p\"} 1\n"] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    // The same page again, and a run that is done writes none.
    std::fs::remove_file(world.path("out/__report.html")).unwrap();
    world.run(&[]).exits(0);
    assert!(!world.path("out/__report.html").exists());
    world.tamis(&["report", "out"]).exits(0);
    assert_eq!(world.read("out/__report.html"), page);
    world.run(&["--fresh", "-o", "other"]).exits(0);
    assert!(world.path("other/__report.html").exists());
    // A page that is there is made anew, and a file of that name that is none stays.
    world.write("p.toml", PIPELINE);
    world.write("out/__report.html", page.replace("too-short", "too-long"));
    world.run(&["--fresh"]).exits(0);
    assert!(world.read("out/__report.html").contains("too-short"));
    world.write("out/__report.html", "mine");
    world.run(&["--fresh"]).exits(0);
    assert_eq!(world.read("out/__report.html"), "mine");
    let missing = world.run(&["--fresh", "--metrics", "no/such/run.prom"]).exits(2).stderr;
    assert!(missing.contains("cannot write the metrics to `no/such/run.prom`"), "{missing}");
}
