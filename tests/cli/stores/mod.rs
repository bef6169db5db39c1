//! Output in an object store: the same bytes as in a folder, whatever happens on the way.

mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tamis_tests::lottery::Lottery;

use crate::interruption::{end, wait_for};
use crate::world::{Ran, World, line, ran};
use server::{Deed, Proxy, SKIPPED, Server};

const PIPELINE: &str = "\
[[source]]
use = \"jsonl\"
paths = [\"in\"]

[[stage]]
use = \"length\"
min_chars = 10

[[export]]
id = \"kept\"
use = \"jsonl\"
path = \"s3://bucket/out\"
max_part_bytes = \"256 KiB\"

[[export]]
id = \"dropped\"
use = \"jsonl\"
from = \"dropped\"
path = \"s3://bucket/out/__dropped\"

[run]
threads = 2
max_failed_ratio = 1
block_bytes = \"32 KiB\"
checkpoint_secs = 0.02
";

/// Some parts' worth of records; some are dropped, one cannot be read.
fn world(pipeline: &str) -> World {
    let world = World::with(pipeline);
    for file in 0..4 {
        let lines: String =
            (0..1_500).map(|n| line(file * 2_000 + n, if n % 10 == 0 { 4 } else { 500 })).collect();
        world.write(format!("in/{file}.jsonl"), lines);
    }
    world.write("in/z.jsonl", "{broken\n");
    world
}

/// A run that writes to the store of a server, from a machine with a cache folder of this name.
fn command(world: &World, server: &str, machine: &str, arguments: &[&str]) -> Command {
    let mut command = asks(world.command(&[&["run", "p.toml"], arguments].concat()), server);
    command.env("XDG_CACHE_HOME", world.path(machine));
    command
}

/// A command with what it takes to write to the store of a server.
fn asks(mut command: Command, server: &str) -> Command {
    for (name, value) in [
        ("AWS_ENDPOINT", server),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "somebody"),
        ("AWS_SECRET_ACCESS_KEY", "something"),
        ("AWS_REGION", "us-east-1"),
    ] {
        command.env(name, value);
    }
    command
}

fn run(world: &World, server: &str, machine: &str, arguments: &[&str]) -> Ran {
    ran(&mut command(world, server, machine, arguments))
}

/// Checks that the store has what a run into a folder writes, and nothing else.
#[track_caller]
fn same_as_local(world: &World, server: &Server) {
    world.run(&["-o", "local", "--set", "run.threads=1"]).exits(0);
    let (local, there) = (world.files("local"), server.files("out"));
    same_files(&local, &there);
    assert!(local.len() > 5, "{:?}", local.keys());
    assert_eq!(server.uploads(), [""; 0]);
}

type Files = BTreeMap<String, Vec<u8>>;

#[track_caller]
fn same_files(local: &Files, there: &Files) {
    assert_eq!(local.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>());
    for (name, content) in local {
        assert!(there[name] == *content, "{name} differs: {}", String::from_utf8_lossy(&there[name]));
    }
}

fn is_part(method: &str, target: &str) -> bool {
    method == "PUT" && target.contains("/part-")
}

#[test]
fn a_store_gets_what_a_folder_gets() {
    let Some(server) = Server::start() else { return eprintln!("{SKIPPED}") };
    for (pipeline, threads) in [
        (PIPELINE.to_owned(), "1"),
        (PIPELINE.to_owned(), "2"),
        (
            PIPELINE.replace("max_part_bytes = \"256 KiB\"\n", "").replacen(
                "\"jsonl\"\npath =",
                "\"markdown\"\npath =",
                1,
            ),
            "2",
        ),
        (PIPELINE.replacen("\"jsonl\"\npath =", "\"parquet\"\npath =", 1), "2"),
        (
            PIPELINE.replacen("bucket/out", "bucket/out/n={n}", 1).replace("min_chars", "# {n}\nmin_chars"),
            "2",
        ),
    ] {
        let world = world(&pipeline);
        if pipeline.contains("markdown") || pipeline.contains("n={n}") {
            let lines: String = (0..60).map(|n| line(n % 7, if n % 10 == 0 { 4 } else { 300 })).collect();
            for file in 0..4 {
                std::fs::remove_file(world.path(format!("in/{file}.jsonl"))).unwrap();
            }
            world.write("in/few.jsonl", lines);
        }
        let threads = format!("run.threads={threads}");
        run(&world, &server.address(), "here", &["--fresh", "--set", &threads]).exits(0);
        same_as_local(&world, &server);
        // Also from a machine that has never heard of it.
        for machine in ["here", "there"] {
            let again = run(&world, &server.address(), machine, &[]).exits(0);
            assert!(again.stdout.starts_with("nothing to do: s3://bucket/out holds"), "{again:#?}");
        }
        same_as_local(&world, &server);
        let left = world.files("here");
        let left: Vec<_> = left.keys().filter(|name| !name.contains("/.tamis/")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_run_that_is_killed_goes_on_where_it_was() {
    let Some(server) = Server::start() else { return eprintln!("{SKIPPED}") };
    let world = world(PIPELINE);
    // Everything but the first parts is held back, so that there is a middle to be killed in.
    let mut n_parts = 0;
    let proxy = Proxy::start(&server, move |method, target| {
        n_parts += usize::from(is_part(method, target));
        if is_part(method, target) && n_parts > 3 { Deed::Hold } else { Deed::Pass }
    });
    let mut child = command(&world, &proxy.address(), "here", &[]).spawn().unwrap();
    wait_for("a part that is held", || proxy.count(Deed::Hold) > 0);
    wait_for("a checkpoint", || world.files("here").keys().any(|name| name.ends_with("checkpoint.json")));
    assert!(child.try_wait().unwrap().is_none(), "it was not killed in the middle");
    child.kill().unwrap();
    child.wait().unwrap();
    let keys = server.keys();
    assert!(keys.contains(&"out/.tamis/claim".to_owned()), "{keys:?}");
    assert!(keys.iter().any(|key| key.contains("/part-")), "{keys:?}");
    assert!(!keys.contains(&"out/.tamis/manifest.json".to_owned()), "{keys:?}");
    // Nobody else may write there meanwhile; who has it is said, and how to take over.
    let other = run(&world, &server.address(), "there", &[]).exits(2);
    let other =
        other.says(&["error: `s3://bucket/out` is being written by process", "--take-over", "here/tamis"]);
    assert_eq!(other.stdout, "");
    let resumed = run(&world, &server.address(), "here", &[]).exits(0);
    assert!(resumed.stderr.contains("resumed an unfinished run"), "{resumed:#?}");
    same_as_local(&world, &server);
}

/// Kills runs at random moments, each time a little later, until one comes to its end.
#[test]
fn a_run_may_be_killed_again_and_again() {
    let Some(server) = Server::start() else { return eprintln!("{SKIPPED}") };
    // A part that was open at a checkpoint may be in the store when the run is killed: it is gone on with from there.
    let world = world(&PIPELINE.replace("256 KiB", "400 KiB").replace("0.02", "0.05"));
    let mut lottery = Lottery::of_seed(20);
    let (mut n_killed, mut n_with_parts) = (0, 0);
    for attempt in 1..60 {
        let threads = format!("run.threads={}", lottery.one_of(&[1, 2]));
        let mut child =
            command(&world, &server.address(), "here", &["-q", "--set", &threads]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(100 + lottery.below(100 * attempt)));
        if child.try_wait().unwrap().is_some_and(|status| status.success()) {
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        n_killed += 1;
        let keys = server.keys();
        let has_parts = keys.iter().any(|key| key.contains("/part-"));
        n_with_parts += u64::from(has_parts && keys.iter().all(|key| !key.ends_with("manifest.json")));
    }
    assert!(n_killed > 0 && n_with_parts > 0, "{n_killed} were killed, {n_with_parts} in the middle");
    run(&world, &server.address(), "here", &[]).exits(0);
    same_as_local(&world, &server);
}

#[test]
fn connections_that_are_cut_change_nothing() {
    let Some(server) = Server::start() else { return eprintln!("{SKIPPED}") };
    let world = world(PIPELINE);
    let mut n = 0;
    let proxy = Proxy::start(&server, move |_, _| {
        n += 1;
        match n % 5 {
            2 => Deed::CutBefore,
            4 => Deed::CutAfter,
            _ => Deed::Pass,
        }
    });
    run(&world, &proxy.address(), "here", &[]).exits(0);
    assert!(proxy.count(Deed::CutBefore) > 5 && proxy.count(Deed::CutAfter) > 5, "too few were cut");
    same_as_local(&world, &server);
}

/// Parts of some pieces each.
fn large() -> World {
    let world = World::with(&PIPELINE.replace("256 KiB", "20 MiB").replace("32 KiB", "1 MiB"));
    let lines: String = (0..1_000).map(|n| line(n, 20_000)).collect();
    world.write("in/a.jsonl", lines);
    world
        .write("in/b.jsonl", (0..30).map(|n| line(n, if n % 10 == 0 { 4 } else { 500 })).collect::<String>());
    world
}

fn is_piece(method: &str, target: &str) -> bool {
    method == "PUT" && target.contains("partNumber=3")
}

#[test]
fn pieces_of_large_parts_are_never_left_behind() {
    let Some(server) = Server::start() else { return eprintln!("{SKIPPED}") };
    let world = large();
    // The store refuses in the middle of a part: the run fails, and takes away what it has sent of it.
    let proxy = Proxy::start(
        &server,
        |method, target| {
            if is_piece(method, target) { Deed::Forbid } else { Deed::Pass }
        },
    );
    let refused = run(&world, &proxy.address(), "here", &[]).exits(3);
    refused.says(&["s3://bucket/out/part-0000", "credentials", "the same command goes on from there"]);
    assert!(proxy.count(Deed::Forbid) > 0);
    assert_eq!(server.uploads(), [""; 0]);
    // Killed in the middle of one, it cannot; the run that goes on does.
    let proxy = Proxy::start(
        &server,
        |method, target| {
            if is_piece(method, target) { Deed::Hold } else { Deed::Pass }
        },
    );
    let mut child = command(&world, &proxy.address(), "here", &[]).spawn().unwrap();
    wait_for("a piece that is held", || proxy.count(Deed::Hold) > 0);
    assert!(child.try_wait().unwrap().is_none(), "it was not killed in the middle");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!server.uploads().is_empty());
    // And with its connections cut, once for each piece and each upload, before or after the server has heard.
    let mut cut = BTreeSet::new();
    let proxy = Proxy::start(&server, move |_, target| {
        let is_new = target.contains("uploadId") && cut.insert(target.to_owned());
        match (is_new, cut.len() % 2) {
            (false, _) => Deed::Pass,
            (true, 0) => Deed::CutBefore,
            (true, _) => Deed::CutAfter,
        }
    });
    run(&world, &proxy.address(), "here", &[]).exits(0);
    assert!(proxy.count(Deed::CutBefore) > 1 && proxy.count(Deed::CutAfter) > 1, "too few were cut");
    same_as_local(&world, &server);
}

#[test]
fn a_store_that_is_silent_for_a_while_is_waited_for() {
    // Longer than one object is tried at a time.
    const SILENCE: Duration = Duration::from_secs(30);
    let Some(server) = Server::start() else { return eprintln!("{SKIPPED}") };
    let world = world(PIPELINE);
    let mut since = None;
    let proxy = Proxy::start(&server, move |method, target| {
        if !is_part(method, target) && since.is_none() {
            return Deed::Pass;
        }
        // With the first part everything is silent, the claim included.
        let since = since.get_or_insert_with(Instant::now);
        if since.elapsed() < SILENCE { Deed::CutBefore } else { Deed::Pass }
    });
    run(&world, &proxy.address(), "here", &[]).exits(0).says(&["cannot be written to", "it is tried again"]);
    assert!(proxy.count(Deed::CutBefore) > 6, "it was hardly silent");
    same_as_local(&world, &server);
}

#[test]
fn who_has_lost_its_place_writes_no_more() {
    let Some(server) = Server::start() else { return eprintln!("{SKIPPED}") };
    let world = world(PIPELINE);
    server.ask("PUT", "/bucket/out/mine.txt", b"mine");
    let mut n_parts = 0;
    let proxy = Proxy::start(&server, move |method, target| {
        n_parts += usize::from(is_part(method, target));
        if is_part(method, target) && n_parts > 3 { Deed::Hold } else { Deed::Pass }
    });
    let mut first = command(&world, &proxy.address(), "here", &[]);
    let first =
        first.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    wait_for("a part that is held", || proxy.count(Deed::Hold) > 0);
    run(&world, &server.address(), "there", &["--fresh"]).exits(2).says(&["--take-over"]);
    run(&world, &server.address(), "there", &["--take-over"]).exits(0);
    let there = server.files("out");
    proxy.let_go();
    let first = end(first);
    assert_eq!(first.code, Some(3), "{first:#?}");
    assert!(first.stderr.contains("s3://bucket/out"), "{first:#?}");
    assert!(server.files("out") == there, "it has written all the same");
    assert_eq!(server.object("out/mine.txt"), b"mine");
    server.ask("DELETE", "/bucket/out/mine.txt", b"");
    same_as_local(&world, &server);
    // The first knows by now that the output is another's, which is that of the same pipeline.
    let again = run(&world, &server.address(), "here", &[]).exits(0);
    assert!(again.stdout.starts_with("nothing to do"), "{again:#?}");
}

#[test]
fn what_others_have_written_stays() {
    let Some(server) = Server::start() else { return eprintln!("{SKIPPED}") };
    let world = world(PIPELINE);
    server.ask("PUT", "/bucket/out/part-00000.jsonl", b"mine");
    for arguments in [&[][..], &["--fresh"]] {
        run(&world, &server.address(), "here", arguments).exits(2).says(&[
            "error: `s3://bucket/out` holds `part-00000.jsonl`, which no run of this pipeline wrote there",
        ]);
    }
    assert_eq!(server.keys(), ["out/part-00000.jsonl"]);
    server.ask("DELETE", "/bucket/out/part-00000.jsonl", b"");
    server.ask("PUT", "/bucket/out/notes/part-00000.jsonl", b"mine");
    run(&world, &server.address(), "here", &[]).exits(0);
    // Another pipeline replaces what the first has written, when it is told to, from any machine, and nothing else.
    let other = ["--set", "stage.length.min_chars=5000"];
    run(&world, &server.address(), "there", &other).exits(2).says(&[
        "s3://bucket/out",
        "another run",
        "--fresh",
    ]);
    run(&world, &server.address(), "there", &[&other[..], &["--fresh"]].concat()).exits(0);
    assert_eq!(server.object("out/notes/part-00000.jsonl"), b"mine");
    assert!(!server.keys().contains(&"out/part-00000.jsonl".to_owned()));
    // What somebody takes away is missed.
    server.ask("DELETE", "/bucket/out/__dropped/part-00000.jsonl", b"");
    run(&world, &server.address(), "there", &other)
        .exits(2)
        .says(&["s3://bucket/out/__dropped/part-00000.jsonl"]);
}

#[test]
fn shards_write_beside_each_other() {
    let Some(server) = Server::start() else { return eprintln!("{SKIPPED}") };
    let world = world(PIPELINE);
    for shard in ["0/3", "1/3", "2/3"] {
        run(&world, &server.address(), "here", &["--shard", shard]).exits(0);
        world.run(&["-o", "local", "--shard", shard]).exits(0);
    }
    // What does not lie below the folder of a shard is named by its whole path, which is an address in a store.
    let folder = world.path("local").canonicalize().unwrap();
    let there = |(name, content): (String, Vec<u8>)| {
        let is_manifest = name.ends_with("manifest.json");
        let named = || String::from_utf8_lossy(&content).replace(folder.to_str().unwrap(), "s3://bucket/out");
        let content = if is_manifest { named().into_bytes() } else { content };
        (name, content)
    };
    let local: Files = world.files("local").into_iter().map(there).collect();
    same_files(&local, &server.files("out"));
    assert_eq!(local.keys().filter(|name| name.ends_with("manifest.json")).count(), 3);
    let merge = |arguments: &[&str]| {
        ran(&mut asks(world.command(&[&["merge", "s3://bucket/out"], arguments].concat()), &server.address()))
    };
    world.tamis(&["merge", "local"]).exits(0);
    let merged = merge(&[]).exits(0);
    assert!(merged.stdout.contains("merged into s3://bucket/out"), "{merged:#?}");
    same_files(&world.files("local").into_iter().map(there).collect(), &server.files("out"));
    server.ask("DELETE", "/bucket/out/shard-00001-of-00003/part-00000.jsonl", b"");
    merge(&[]).exits(2).says(&["`shard-00001-of-00003/part-00000.jsonl` cannot be found"]);
    server.ask("DELETE", "/bucket/out/shard-00001-of-00003/.tamis/manifest.json", b"");
    assert_eq!(merge(&["--missing"]).exits(0).stdout, "1\n");
}

#[test]
fn what_cannot_be_is_said() {
    let Some(server) = Server::start() else { return eprintln!("{SKIPPED}") };
    let world = world(PIPELINE);
    for (arguments, says) in [
        (&["--add"][..], "cannot add to `s3://bucket/out`"),
        (&["--segment", "0"], "`s3://bucket/out` is in an object store"),
        (&["-o", "s3://nowhere/out"], "`s3://nowhere/out"),
        (&["-o", "https://host/out"], "exports cannot write to web servers"),
        (&["-o", "hf://datasets/a/b"], "exports cannot write to the hub of Hugging Face"),
    ] {
        run(&world, &server.address(), "here", arguments).exits(2).says(&["error: ", says]);
    }
    for command in [
        &["report", "s3://bucket/out"][..],
        &["diff", "local", "s3://bucket/out"],
        &["retry", "p.toml", "s3://bucket/out"],
    ] {
        world.tamis(command).exits(2).says(&["`s3://bucket/out` is in an object store"]);
    }
    let proxy = Proxy::start(&server, |_, _| Deed::Unconditional);
    run(&world, &proxy.address(), "here", &[]).exits(2).says(&["takes no notice of `If-None-Match`"]);
    assert_eq!(server.keys(), [""; 0]);
    // A dry run asks nothing of the store.
    run(&world, "http://127.0.0.1:9", "here", &["--dry-run"]).exits(0);
    let events = run(&world, &server.address(), "here", &["--json"]).exits(0);
    let last: Json = serde_json::from_str(events.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["folder"], "s3://bucket/out");
}
