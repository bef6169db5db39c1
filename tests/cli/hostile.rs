//! Inputs that nobody would write, and that are in every crawl.

use std::io::{Seek, SeekFrom, Write};
use std::process::Stdio;

use crate::world::{PIPELINE, World, line};

#[cfg(target_os = "linux")]
#[test]
fn a_line_of_200_megabytes_costs_itself_and_no_memory() {
    const LENGTH: u64 = 200_000_000;
    /// What the program takes before it reads anything, generously; the rest is the bound that it was given.
    const PROGRAM: u64 = 64 << 20;

    let world = World::with(&format!("{PIPELINE}memory = \"64 MiB\"\n"));
    let mut file = std::fs::File::create(world.path("in/a.jsonl")).unwrap();
    file.write_all(line(0, 50).as_bytes()).unwrap();
    // A hole in the file reads as zeros.
    let start = line(0, 50).len() as u64;
    file.seek(SeekFrom::Start(start + LENGTH)).unwrap();
    file.write_all(format!("\n{}", line(1, 50)).as_bytes()).unwrap();
    drop(file);

    let mut child = world.command(&["run", "p.toml"]).stdout(Stdio::null()).spawn().unwrap();
    let mut peak = 0;
    let status = loop {
        // The highest mark so far, in kB; gone when the process is.
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let mark = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        peak = mark.map_or(peak, |mark| mark.trim().parse::<u64>().unwrap() * 1024);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    };
    assert_eq!(status.code(), Some(0));
    assert!(peak > 0 && peak < (64 << 20) + PROGRAM, "{} MiB", peak >> 20);

    assert_eq!(world.tally(), (3, 2, 0, 1));
    assert_eq!(world.ids("out"), ["a.jsonl#0", "a.jsonl#200000085"]);
    let dead = &world.records("out/__failed")[0];
    assert_eq!(dead["id"], format!("a.jsonl#{start}"));
    assert_eq!(
        dead["origin"],
        serde_json::json!({ "file": "a.jsonl", "offset": start, "length": LENGTH + 1, "ordinal": 1 })
    );
    assert_eq!(dead["raw"].as_str().unwrap().len(), 64 << 10);
    let reason = dead["reason"].as_str().unwrap();
    assert!(reason.starts_with("the record takes 200000001 bytes, more than the 8 MiB of"), "{reason}");
}

#[test]
fn a_dump_goes_on_behind_a_record_that_is_too_long() {
    let world = World::with(&format!("{PIPELINE}memory = \"16 MiB\"\n"));
    let record =
        |n: usize, length: usize| format!("n: {n}\ntext: '{}'\n\n", "河水 text ".repeat(length / 12));
    let content =
        [record(0, 100), record(1, 3 << 20), record(2, 100), record(3, 5 << 20), record(4, 60 << 10)];
    world.write("in/a.txt", content.concat());
    world.run(&["--set", "source.auto.use=\"records\""]).exits(0);
    assert_eq!(world.tally(), (5, 3, 0, 2));
    let ns: Vec<String> =
        world.records("out").iter().map(|record| record["metadata"]["n"].to_string()).collect();
    assert_eq!(ns, ["0", "2", "4"]);
    for (dead, n) in world.records("out/__failed").iter().zip([1, 3]) {
        let offset: usize = content[..n].iter().map(String::len).sum();
        assert_eq!(dead["origin"]["offset"], offset);
        assert_eq!(dead["origin"]["length"], content[n].len());
    }
}

#[test]
fn deep_nesting_overflows_no_stack() {
    let world = World::new();
    let nested = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let mut lines = String::new();
    for value in [nested("[", "]"), nested("{\"a\":", "}"), "[".repeat(100_000)] {
        lines += &format!("{{\"text\":\"long enough to stay\",\"deep\":{value}}}\n");
        lines += &format!("{{\"text\":{value}}}\n{value}\n");
    }
    world.write("in/a.jsonl", format!("{lines}{}", line(0, 50)));
    let literals = [nested("[", "]"), nested("{'a':", "}"), nested("(", ",)"), "[".repeat(100_000)];
    let records: Vec<String> =
        literals.iter().map(|value| format!("text: 'long enough'\ndeep: {value}\n\n")).collect();
    world.write("in/b.txt", format!("{}text: 'the last one stays'\n", records.concat()));
    for reader in ["auto", "jsonl", "records", "text"] {
        world.run(&["--set", &format!("source.auto.use=\"{reader}\""), "-o", reader]).exits(0);
    }
    let dumped = World::new();
    std::fs::copy(world.path("in/b.txt"), dumped.path("in/b.txt")).unwrap();
    dumped.run(&["--set", "source.auto.use=\"records\""]).exits(0);
    assert_eq!(dumped.tally(), (5, 1, 0, 4));
    assert_eq!(dumped.ids("out"), ["b.txt#1200112"]);
}

#[test]
fn odd_bytes_come_through_or_become_dead_letters() {
    let world = World::new();
    let text = "long enough to stay";
    world.write(
        "in/a.jsonl",
        format!(
            "\u{feff}{{\"text\":\"{text} 0\"}}\r\n{{\"text\":\"{text} \\u0000 \u{7f}\"}}\r\n\
             {{\"text\":\"{text} \\ud83d\"}}\n{{\"text\":\"{text} \\ud83d\\ude00\"}}\n\
             {{\"text\":\"{text} \0\"}}\n{{\"text\":\"{text} \u{2028}\u{85}\"}}"
        ),
    );
    world.write("in/b.txt", format!("\u{feff}{text}\r\nmore\r\n"));
    world.run(&[]).exits(0);
    let texts: Vec<String> =
        world.records("out").iter().map(|record| record["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        texts,
        [
            format!("{text} 0"),
            format!("{text} \0 \u{7f}"),
            format!("{text} 😀"),
            format!("{text} \u{2028}\u{85}"),
            format!("{text}\r\nmore\r\n"),
        ]
    );
    assert_eq!(world.ids("out/__failed"), ["a.jsonl#78", "a.jsonl#160"]);
    assert_eq!(world.tally(), (7, 5, 0, 2));
}

#[cfg(target_os = "linux")]
#[test]
fn odd_file_names_give_sane_and_unique_ids() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let world = World::new();
    let names: [&[u8]; 9] = [
        b"two\nlines.jsonl",
        "emoji 😀.jsonl".as_bytes(),
        b"not \xFF UTF-8.jsonl",
        b"not \xFE UTF-8.jsonl",
        b"not \\xFF UTF-8.jsonl",
        b"#0.jsonl",
        b"a#0.jsonl",
        b"-o.jsonl",
        b"[x]*.jsonl",
    ];
    for (n, name) in names.iter().enumerate() {
        std::fs::write(world.path("in").join(OsStr::from_bytes(name)), line(n, 50)).unwrap();
    }
    world.run(&[]).exits(0);
    let mut ids = world.ids("out");
    ids.sort_unstable();
    let mut expected = [
        "two\nlines.jsonl#0",
        "emoji 😀.jsonl#0",
        "not \\xFF UTF-8.jsonl#0",
        "not \\xFE UTF-8.jsonl#0",
        "not \\x5CxFF UTF-8.jsonl#0",
        "#0.jsonl#0",
        "a#0.jsonl#0",
        "-o.jsonl#0",
        "[x]*.jsonl#0",
    ];
    expected.sort_unstable();
    assert_eq!(ids, expected);
    // A name can be given, too, when it looks like a glob or a flag.
    world.run(&["-o", "one", "--", "in/[x]*.jsonl", "in/-o.jsonl"]).exits(0);
    assert_eq!(world.ids("one"), ["[x]*.jsonl#0", "-o.jsonl#0"]);
}

#[test]
fn many_tiny_files() {
    let world = World::new();
    for n in 0..2_000 {
        world.write(format!("in/{}/{n}.txt", n % 10), format!("document number {n}"));
    }
    world.run(&[]).exits(0);
    assert_eq!(world.tally(), (2_000, 2_000, 0, 0));
    assert_eq!(world.ids("out")[..2], ["0/0.txt", "0/10.txt"]);
}

#[test]
fn a_file_that_grows_meanwhile_is_read_as_far_as_it_was_written() {
    let world = World::with(&format!("{PIPELINE}block_bytes = \"16 KiB\"\n"));
    let lines: String = (0..5_000).map(|n| line(n, 200)).collect();
    world.write("in/a.jsonl", &lines);
    let mut file = std::fs::File::options().append(true).open(world.path("in/a.jsonl")).unwrap();
    let mut child = world.command(&["run", "p.toml"]).stdout(Stdio::null()).spawn().unwrap();
    let mut written = 5_000;
    let status = loop {
        file.write_all(line(written, 200).as_bytes()).unwrap();
        written += 1;
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
    };
    assert_eq!(status.code(), Some(0));
    let (read, kept, ..) = world.tally();
    assert!((5_000..=written as u64).contains(&read) && kept >= 5_000, "{read} of {written}");
    world.run(&[]).exits(2).says(&["the inputs have changed since"]);
}

#[test]
fn a_text_that_is_all_one_thing() {
    let world = World::new();
    for (name, content) in [
        ("newlines.txt", "\n".repeat(300_000)),
        ("blanks.jsonl", " ".repeat(300_000)),
        ("quotes.txt", "'".repeat(300_000)),
        ("fields.txt", "text: ".repeat(50_000)),
        ("braces.txt", "{'".repeat(100_000)),
        ("escapes.txt", format!("text: '{}", "\\".repeat(300_001))),
    ] {
        world.write(format!("in/{name}"), content);
    }
    for reader in ["auto", "jsonl", "records", "text"] {
        let setting = format!("source.auto.use=\"{reader}\"");
        world.run(&["--set", &setting, "--set", "run.block_bytes=\"1 KiB\"", "-o", reader]).exits(0);
    }
}
