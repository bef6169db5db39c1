//! Files that are cut, damaged or made to harm, read with little memory.

use std::fs::File;
use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::process::Stdio;

use crate::world::{PIPELINE, Ran, World, line, ran};

/// The pipeline with as little memory as a run can have.
fn world() -> World {
    World::with(&format!("{PIPELINE}memory = \"16 MiB\"\nthreads = 2\nblock_bytes = \"64 KiB\"\n"))
}

fn lines(n: usize) -> String {
    (0..n).map(|n| line(n, 300)).collect()
}

/// Runs, and checks that nothing is lost: the neighbour of the bad file is read, and the bad file left a dead letter.
#[track_caller]
fn costs_itself_only(world: &World, what: &str) -> Ran {
    world.write("in/zz-fine.jsonl", line(0, 50));
    let ran = world.run(&["--fresh"]).exits(0);
    let (_, _, _, failed) = world.tally();
    assert!(failed > 0, "{what}: no dead letter in {ran:?}");
    assert!(world.ids("out").contains(&"zz-fine.jsonl#0".to_owned()), "{what}");
    for letter in world.records("out/__failed") {
        assert!(letter["reason"].as_str().is_some_and(|reason| reason.len() > 10), "{what}: {letter}");
    }
    std::fs::remove_dir_all(world.path("in")).unwrap();
    ran
}

/// A file of many records, made by the program.
fn made(exporter: &str) -> Vec<u8> {
    let world = World::with(&PIPELINE.replacen("use = \"jsonl\"", &format!("use = \"{exporter}\""), 1));
    world.write("in/a.jsonl", lines(500));
    world.run(&[]).exits(0);
    std::fs::read(world.path("out").join(format!("part-00000.{exporter}"))).unwrap()
}

#[test]
fn a_damaged_parquet_file_is_dead_letters() {
    let whole = made("parquet");
    let end = whole.len();
    let changed = |at: usize, bytes: &[u8]| {
        let mut file = whole.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let world = world();
    for (what, content) in [
        ("cut in the middle", whole[..end / 2].to_vec()),
        ("cut at the end", whole[..end - 1].to_vec()),
        ("a start only", whole[..4].to_vec()),
        ("a footer beyond the file", changed(end - 8, &u32::MAX.to_le_bytes())),
        ("a footer without length", changed(end - 8, &[0; 4])),
        ("a footer of something else", changed(end - 8, &100_u32.to_le_bytes())),
        ("a footer of 0xFF", changed(end - 200, &[0xFF; 100])),
        ("a page of zeros", changed(end / 3, &[0; 500])),
        ("text by another name", lines(10).into_bytes()),
        ("an empty file", Vec::new()),
        ("magic twice", b"PAR1PAR1".to_vec()),
    ] {
        world.write("in/bad.parquet", &content);
        for reader in ["auto", "parquet"] {
            // Which reader a renamed text is for, `auto` sees.
            if reader == "auto" && !content.starts_with(b"PAR1") {
                continue;
            }
            let setting = format!("source.auto.use=\"{reader}\"");
            let ran = world.run(&["--fresh", "--set", &setting]).exits(0);
            assert!(world.tally().3 > 0, "{what}: {ran:?}");
        }
    }
}

#[test]
fn a_damaged_arrow_file_is_no_panic() {
    let whole = made("arrow");
    let end = whole.len();
    let world = world();
    let run = |what: &str, content: &[u8]| {
        world.write("in/bad.arrow", content);
        let ran = world.run(&["--fresh", "--set", "source.auto.use=\"arrow\""]).exits(0);
        let (read, kept, ..) = world.tally();
        assert!(read > 0, "{what}: {ran:?}");
        kept
    };
    let n_all = run("whole", &whole);
    assert!(n_all > 400, "{n_all}");
    // Without its footer it is read from the front.
    assert_eq!(run("cut at the end", &whole[..end - 1]), n_all);
    for keep in [end / 2, 8, 3] {
        run("cut", &whole[..keep]);
        assert!(world.tally().3 > 0, "cut to {keep} bytes");
    }
    run("text by another name", lines(10).as_bytes());
    run("magic twice", b"ARROW1\0\0ARROW1");
    // Wherever the damage is, lengths and offsets may be anything.
    for at in (0..end - 8).step_by(end / 40) {
        for bytes in [[0xFF; 8], [0; 8], [0xFF, 0xFF, 0xFF, 0x7F, 0xFF, 0xFF, 0xFF, 0x7F]] {
            let mut damaged = whole.clone();
            damaged[at..at + 8].copy_from_slice(&bytes);
            run(&format!("{bytes:?} at {at}"), &damaged);
        }
    }
    for at in end - 40..end - 8 {
        let mut damaged = whole.clone();
        damaged[at..at + 4].fill(0xFF);
        run("a damaged footer", &damaged);
    }
}

#[test]
fn a_record_that_claims_more_than_there_is_costs_itself() {
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>A page that is long enough.";
    let record = |length: &str| {
        format!(
            "WARC/1.0\r\nWARC-Type: response\r\nContent-Type: application/http; msgtype=response\r\nContent-Length: {length}\r\n\r\n{page}\r\n\r\n"
        )
    };
    let fine = record(&page.len().to_string());
    for length in [
        "9223372036854775808",
        "18446744073709551615",
        "99999999999999999999999",
        "-1",
        "",
        "1e9",
        "200000000",
    ] {
        let world = world();
        world.write("in/a.warc", format!("{fine}{}{fine}", record(length)));
        costs_itself_only(&world, length);
        assert!(world.ids("out").len() >= 2, "{length}: the page before it is lost");
    }
}

#[test]
fn what_is_cut_off_is_told_and_what_came_before_is_kept() {
    let text = lines(2_000);
    let gzip = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let xz = {
        let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let bzip2 = {
        let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let lz4 = {
        let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let zip = {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file("a.jsonl", zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
        archive.finish().unwrap().into_inner()
    };
    let tar = {
        let mut archive = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        archive.append_data(&mut header, "a.jsonl", text.as_bytes()).unwrap();
        archive.into_inner().unwrap()
    };
    let zstd = zstd::encode_all(text.as_bytes(), 1).unwrap();
    let packed = [
        ("a.jsonl.gz", gzip),
        ("a.jsonl.zst", zstd),
        ("a.jsonl.xz", xz),
        ("a.jsonl.bz2", bzip2),
        ("a.jsonl.lz4", lz4),
        ("a.zip", zip),
        ("a.tar", tar),
    ];
    for (name, whole) in packed {
        for keep in [whole.len() - 3, whole.len() / 2, 30, 7] {
            // A tar ends in blocks of zeros, which nobody needs, and begins with a name, which is a text.
            if name == "a.tar" && (keep > whole.len() / 2 || keep == 7) {
                continue;
            }
            let world = world();
            world.write(format!("in/{name}"), &whole[..keep]);
            costs_itself_only(&world, &format!("{name} cut to {keep} bytes"));
        }
        let world = world();
        let mut damaged = whole;
        let middle = damaged.len() / 2;
        damaged[middle..middle + 64].fill(0x55);
        world.write(format!("in/{name}"), &damaged);
        world.run(&[]).exits(0);
        world.tally();
    }
}

#[test]
fn a_stream_that_gives_nothing_is_one_dead_letter() {
    let whole = zstd::encode_all("text,site\na report,a\nanother one,b\n".as_bytes(), 1).unwrap();
    let packed = &whole[..10];
    for (ending, reader) in [("csv", "csv"), ("tsv", "tsv"), ("jsonl", "jsonl"), ("txt", "text")] {
        let world = world();
        world.write(format!("in/a.{ending}.zst"), packed);
        world.run(&["--set", &format!("source.auto.use=\"{reader}\"")]).exits(0);
        assert_eq!(world.tally(), (1, 0, 0, 1), "{ending}: {:?}", world.records("out/__failed"));
    }
    // What comes before the damage is read behind the line of column names.
    let world = world();
    world.write("in/a.csv.zst", &whole[..whole.len() - 3]);
    world.run(&["--set", "source.auto.use=\"csv\""]).exits(0);
    assert_eq!(world.tally(), (2, 0, 1, 1), "{:?}", world.records("out/__failed"));
    assert_eq!(world.records("out/dropped")[0]["text"], "a report");
}

#[test]
fn a_bomb_is_one_dead_letter() {
    // Many times what the run may take, and not so much that a program without optimisation takes long.
    const SIZE: usize = 40 << 20;
    let zeros = vec![0; 1 << 20];
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("bomb.jsonl", zip::write::SimpleFileOptions::default()).unwrap();
    for _ in 0..SIZE >> 20 {
        gzip.write_all(&zeros).unwrap();
        archive.write_all(&zeros).unwrap();
    }
    for (name, packed) in
        [("bomb.jsonl.gz", gzip.finish().unwrap()), ("bomb.zip", archive.finish().unwrap().into_inner())]
    {
        assert!(packed.len() < 1 << 20, "{}", packed.len());
        let world = world();
        world.write(format!("in/{name}"), packed);
        world.run(&["--set", "source.auto.use=\"jsonl\""]).exits(0);
        let (read, kept, _, failed) = world.tally();
        assert_eq!((read, kept, failed), (1, 0, 1), "{name}");
        let letter = &world.records("out/__failed")[0];
        assert!(letter["reason"].as_str().unwrap().contains("more than"), "{letter}");
    }
}

#[test]
fn bytes_that_are_no_text_fail_alone_in_every_format() {
    let bad = b"\xFF\xFE\xC3\x28\xF5 not UTF-8 \xED\xA0\x80";
    let joined = |parts: &[&[u8]]| parts.concat();
    let long = b"a text that is long enough";
    for (reader, name, content, n_kept) in [
        (
            "jsonl",
            "a.jsonl",
            joined(&[b"{\"text\":\"", long, b"\"}\n{\"text\":\"", bad, b"\"}\n{\"text\":\"", long, b"\"}\n"]),
            2,
        ),
        ("csv", "a.csv", joined(&[b"id,text\n1,", long, b"\n2,", bad, b"\n3,", long, b"\n"]), 2),
        ("tsv", "a.tsv", joined(&[b"id\ttext\n1\t", long, b"\n2\t", bad, b"\n3\t", long, b"\n"]), 2),
        (
            "records",
            "a.txt",
            joined(&[b"text: '", long, b"'\n\ntext: '", bad, b"'\n\ntext: '", long, b"'\n"]),
            2,
        ),
        ("csv", "header.csv", joined(&[b"id,", bad, b"\n1,", long, b"\n"]), 0),
    ] {
        let world = world();
        world.write(format!("in/{name}"), content);
        world.run(&["--set", &format!("source.auto.use=\"{reader}\"")]).exits(0);
        let (_, kept, _, failed) = world.tally();
        assert_eq!(kept, n_kept, "{name}");
        assert!(failed > 0, "{name}");
        let letters = world.records("out/__failed");
        // A header that cannot be read is no record.
        if n_kept == 0 {
            continue;
        }
        let has_bytes = |letter: &serde_json::Value| letter["raw_base64"].is_string();
        assert!(letters.iter().any(has_bytes), "{name}: {letters:?}");
    }
    // Readers of pages and texts guess the encoding; whatever they make of it, nothing is lost.
    for (reader, name) in [("text", "a.txt"), ("html", "a.html"), ("warc", "a.warc"), ("auto", "a.bin")] {
        let world = world();
        world.write(format!("in/{name}"), bad.repeat(1_000));
        world.run(&["--set", &format!("source.auto.use=\"{reader}\"")]).exits(0);
        assert!(world.tally().0 >= 1, "{name}");
    }
}

#[test]
fn a_stray_quote_costs_its_row() {
    let rows = "7,a text that is long enough\n".repeat(2_000);
    for (what, bad) in [
        ("opened", "x,\"never closed, and so on\n"),
        ("within", "x,a \"quote\" in the middle of a cell\n"),
        ("behind", "x,\"closed\" and then more\n"),
    ] {
        let world = world();
        world.write("in/a.csv", format!("id,text\n{rows}{bad}{rows}"));
        world.run(&[]).exits(0);
        let (read, kept, _, _) = world.tally();
        assert!(read >= 4_000 && kept >= 4_000, "{what}: {kept} of {read}");
    }
}

#[test]
fn json_in_any_depth_overflows_no_stack() {
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    for value in [deep("[", "]"), deep("{\"a\":", "}"), deep("[{\"a\":[", "]}]")] {
        let world = world();
        world.write("in/a.jsonl", format!("{{\"text\":\"long enough to stay\",\"deep\":{value}}}\n"));
        let cell = value.replace('"', "\"\"");
        world.write("in/b.csv", format!("text,metadata\nlong enough to stay,\"{{\"\"a\"\":{cell}}}\"\n"));
        costs_itself_only(&world, "nested");
    }
}

#[cfg(unix)]
#[test]
fn standard_input_that_is_closed_or_empty_is_no_panic() {
    let world = world();
    let program = tamis_tests::program::tamis();
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &format!("'{}' run p.toml - <&-", program.display())]).current_dir(world.path(""));
    let closed = ran(&mut command);
    assert!(matches!(closed.code, Some(0 | 2 | 3)) && !closed.stderr.contains("panicked"), "{closed:?}");
    for from in [PathBuf::from("/dev/null"), world.path("in")] {
        let mut command = world.command(&["run", "p.toml", "-", "--fresh"]);
        let ran = ran(command.stdin(Stdio::from(File::open(&from).unwrap())));
        assert!(matches!(ran.code, Some(0 | 2 | 3)) && !ran.stderr.contains("panicked"), "{ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_that_goes_between_listing_and_reading_is_a_dead_letter() {
    use std::time::{Duration, Instant};

    let world = World::with(&format!("{PIPELINE}memory = \"16 MiB\"\nthreads = 1\n"));
    // The first file takes long enough for the last to be taken away.
    world.write("in/a.jsonl", lines(100_000));
    world.write("in/z.jsonl", line(0, 50));
    world.write("in/zz.jsonl", line(1, 50));
    let child = crate::interruption::start(&world, &["run", "p.toml"]);
    let begin = Instant::now();
    while !world.path("out/.tamis/manifest.json").exists() && begin.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::fs::remove_file(world.path("in/z.jsonl")).unwrap();
    crate::interruption::end(child).exits(0);
    let (read, _, _, failed) = world.tally();
    assert_eq!((read, failed), (100_002, 1));
    let letter = &world.records("out/__failed")[0];
    assert!(letter["id"].as_str().unwrap().starts_with("z.jsonl"), "{letter}");
}

/// One quote that is not closed costs its row, also where the memory allows no longer records than the reader does.
#[test]
fn an_open_quote_costs_one_row_whatever_the_memory() {
    let world = World::with(&PIPELINE.replace("use = \"jsonl\"\npaths", "use = \"csv\"\npaths"));
    let rows: Vec<_> =
        (0..120_000).map(|n| format!("{n},a row of the table that is long enough {n}\n")).collect();
    let rows = rows.concat();
    world.write("in/a.csv", format!("id,text\n1,\"open\n{rows}"));
    world.run(&["--set", "run.memory=16 MiB"]).exits(0);
    assert_eq!(world.tally(), (120_001, 120_000, 0, 1));
}

/// However few records a file that breaks off is, what was not read of it is not passed over in silence.
#[test]
fn a_run_that_could_not_read_much_of_its_input_says_so() {
    let world = World::new();
    let lines = |n: usize| (0..n).map(|n| line(n, 60)).collect::<String>();
    let mut file = gzip_members(&lines(3_000), 10);
    let middle = file.len() / 2;
    file[middle..middle + 40].fill(0xAA);
    world.write("in/a.jsonl.gz", &file);
    world.write("in/b.jsonl", lines(50));
    let ran = world.run(&["--set", "run.max_failed_ratio=0.01"]).exits(1);
    assert!(ran.stdout.contains("1 file not read, or not to the end: "), "{ran:?}");
    assert!(ran.stderr.contains("% of the bytes of the input could not be read"), "{ran:?}");
    let manifest: serde_json::Value =
        serde_json::from_slice(&world.files("out")[".tamis/manifest.json"]).unwrap();
    let failed = manifest["tally"]["input"]["bytes_failed"].as_u64().unwrap();
    let missing = file.len() as u64 / 2;
    assert!(failed >= missing && failed < missing + file.len() as u64 / 5, "{failed} of {}", file.len());
}

fn gzip_members(text: &str, n: usize) -> Vec<u8> {
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let member = |lines: &[&str]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(lines.concat().as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    lines.chunks(lines.len().div_ceil(n)).flat_map(member).collect()
}
