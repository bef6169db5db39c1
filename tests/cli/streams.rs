//! Documents on standard output: `-o -`, and `tamis extract`.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};

use serde_json::Value as Json;
use tamis_tests::program::{root, tamis};

use crate::world::{PIPELINE, World, ran};

fn lines(stdout: &str) -> Vec<Json> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Some documents that are kept, one that is dropped, and a line that cannot be read.
fn collection(world: &World, n: usize) {
    let mut content = String::from("{\"id\": \"short\", \"text\": \"x\"}\n{broken\n");
    for number in 0..n {
        content +=
            &format!("{{\"id\": \"d{number}\", \"text\": \"the text number {number}, \\u001b[1m\"}}\n");
    }
    world.write("in/a.jsonl", content);
}

#[test]
fn kept_documents_go_to_standard_output_and_all_else_to_standard_error() {
    let world =
        World::with(&PIPELINE.replacen("use = \"jsonl\"", "use = \"jsonl\"\ncompression = \"zstd\"", 1));
    collection(&world, 2_000);
    let printed = world.run(&["-o", "-", "--set", "run.max_failed_ratio=1"]).exits(0);
    printed.says(&["2,000 kept · 1 dropped · 1 failed", "1 failed in"]);
    let printed = world.run(&["-o", "-", "--quiet", "--set", "run.max_failed_ratio=1"]).exits(0);
    assert_eq!(printed.stderr, "");
    world.run(&["--set", "run.max_failed_ratio=1", "--set", "export.kept.compression=\"none\""]).exits(0);
    let written = String::from_utf8(world.files("out")["part-00000.jsonl"].clone()).unwrap();
    assert!(printed.stdout == written);
    assert!(!world.path("-").exists());
    let failed = world.run(&["-o", "-", "--quiet", "--set", "run.max_failed_ratio=0"]).exits(1);
    failed.says(&["a run with `-o FOLDER` writes them as dead letters"]);
}

#[test]
fn what_cannot_be_printed_is_printed_as_json_lines() {
    for (exporter, first) in
        [("parquet", "{\"id\":\"d0\""), ("markdown", "{\"id\":\"d0\""), ("csv", "id,text,metadata")]
    {
        let world = World::with(&PIPELINE.replacen("use = \"jsonl\"", &format!("use = \"{exporter}\""), 1));
        collection(&world, 3);
        let printed = world.run(&["-o", "-", "-q", "--set", "run.max_failed_ratio=1"]).exits(0);
        assert!(printed.stdout.starts_with(first), "{exporter}: {}", printed.stdout);
        assert!(!printed.stdout.contains("short"), "{exporter}: {}", printed.stdout);
    }
}

#[test]
fn flags_that_make_no_sense_beside_it_are_refused() {
    let world = World::with(PIPELINE);
    collection(&world, 1);
    for flags in [&["--json"][..], &["--fresh"], &["--dry-run"], &["--shard", "0/1"], &["--segment", "0"]] {
        let refused = world.run(&[&["-o", "-"], flags].concat()).exits(2);
        refused.says(&["`-o -` prints documents to standard output", flags[0]]);
    }
}

/// The program with a pipe on both sides.
fn piped(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn whoever_has_seen_enough_ends_it_quietly() {
    let world = World::with(PIPELINE);
    collection(&world, 60_000);
    let mut command = world.command(&["run", "p.toml", "-o", "-", "--set", "run.max_failed_ratio=1"]);
    let mut child = piped(&mut command);
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with("{\"id\":\"d0\""));
    drop(reader);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

/// What `tamis extract` prints, with `input` on standard input.
fn extract(arguments: &[&str], input: &[u8]) -> (Option<i32>, String, String) {
    let mut child = piped(Command::new(tamis()).arg("extract").args(arguments).current_dir(root()));
    // A program that does not read its input closes it.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

const PAGE: &str = "examples/html/pages/docs-sieve.html";

#[test]
fn one_page_is_its_text_and_many_are_json_lines() {
    let (code, text, said) = extract(&[PAGE], b"");
    assert_eq!((code, said.as_str()), (Some(0), ""));
    assert!(text.starts_with("Meshes\nA mesh is named by its openings"), "{text}");
    assert!(text.contains("\nWith --twice everything passes two times.\n"), "{text}");
    let page = std::fs::read(root().join(PAGE)).unwrap();
    assert_eq!(extract(&["-"], &page).1, text);
    let (_, markdown, _) = extract(&[PAGE, "--markdown"], b"");
    assert!(
        markdown.starts_with("# Meshes\n\nA mesh") && markdown.contains("\n```\nsieve --mesh"),
        "{markdown}"
    );
    let (_, json, _) = extract(&[PAGE, "--json"], b"");
    let [document] = &lines(&json)[..] else { panic!("{json}") };
    assert_eq!(document["text"].as_str().unwrap(), text.trim_end());
    assert_eq!(document["metadata"]["title"], "Meshes");
    let (code, json, _) = extract(&["examples/html/pages"], b"");
    let documents = lines(&json);
    assert!(code == Some(0) && documents.len() == 5, "{json}");
    assert!(documents.contains(document));
}

#[test]
fn flattened_text_loses_its_template_and_gains_metadata() {
    let (code, json, said) = extract(&["examples/flattened/documents", "--json"], b"");
    assert_eq!((code, said.as_str()), (Some(0), ""));
    let documents = lines(&json);
    assert_eq!(documents.len(), 6);
    let of = |name: &str| documents.iter().find(|it| it["id"].as_str().unwrap().contains(name)).unwrap();
    let speech = of("library-tree-planting")["text"].as_str().unwrap();
    assert!(
        speech.starts_with("春季植树动员会讲话稿\n植树是造福后代的好事") && speech.contains("各位同志"),
        "{speech}"
    );
    assert!(documents.iter().filter(|it| it["metadata"]["title"].is_string()).count() >= 4);
}

#[test]
fn a_folder_is_written_and_what_cannot_be_read_is_told() {
    let world = World::with("");
    world.write("in/a.html", "<html><title>T</title><body><article><p>The path leaves the village behind the mill, and climbs through beech woods for an hour.</p></article></body></html>");
    world.write("in/b.pdf", "%PDF-1.4\n\0\0");
    let (input, out) = (world.path("in").display().to_string(), world.path("out").display().to_string());
    let (code, text, said) = extract(&[&input], b"");
    assert_eq!((code, lines(&text).len()), (Some(1), 1), "{said}");
    assert!(said.contains("b.pdf: ") && said.contains("1 of 2 documents could not be extracted"), "{said}");
    let (code, _, said) = extract(&[&input, "--markdown", "-o", &out], b"");
    assert_eq!(code, Some(1), "{said}");
    let written = world.read("out/a.html.md");
    assert!(written.starts_with("---\nid: a.html\n") && written.contains("\nThe path leaves"), "{written}");
    assert_eq!(world.tally(), (2, 1, 0, 1));
    let nothing = ran(Command::new(tamis()).args(["extract", "nothing-here.html"])).exits(2);
    nothing.says(&["no file or folder `nothing-here.html`"]);
    for (input, warning) in
        [(&b""[..], "warning: "), (b"<html><body><script>1</script></body></html>", "no text was found in")]
    {
        let (code, text, said) = extract(&["-"], input);
        assert!(code == Some(0) && text.is_empty() && said.contains(warning), "{text} {said}");
    }
}

#[test]
fn a_table_on_standard_input_is_read_as_one_and_markdown_stays_as_it_is() {
    let world = World::with(&PIPELINE.replace("min_chars = 10", "min_chars = 1"));
    let mut child = piped(&mut world.command(&["run", "p.toml", "-", "-o", "-"]));
    let table = b"id,text,url\n1,\xC4\xE3\xBA\xC3\xA3\xAC\xD6\xD0\xB9\xFA,a\n2,\"b, c\",d\n";
    child.stdin.take().unwrap().write_all(table).unwrap();
    let printed = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let texts: Vec<_> = lines(&printed).iter().map(|it| it["text"].clone()).collect();
    assert_eq!(texts, ["你好，中国", "b, c"]);

    let note = "# Ferry notes\n\nThe ferry <b>came</b> back on Tuesday.\n\n```sh\nls -l\n\n    indented\n```\n\n- six\n- seven\n";
    world.write("in/note.md", note);
    let input = world.path("in/note.md").display().to_string();
    assert_eq!(extract(&[&input], b"").1, note);
}
