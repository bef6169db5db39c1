//! Signals, kills, and running again.

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tamis_tests::lottery::Lottery;

use crate::world::{PIPELINE, Ran, World, line};

/// Longer than any step takes; what takes it hangs.
const HANGS: Duration = Duration::from_mins(1);

/// A pipeline of small parts, `jsonl` or `markdown`.
fn pipeline(exporter: &str) -> String {
    // A file for each document has no parts.
    let part_bytes = if exporter == "markdown" { "" } else { "max_part_bytes = \"256 KiB\"\n" };
    let small = &format!("{part_bytes}\n[[export]]\nid = \"dropped");
    let pipeline = PIPELINE.replacen("\n[[export]]\nid = \"dropped", small, 1);
    let pipeline = pipeline.replacen("use = \"jsonl\"", &format!("use = \"{exporter}\""), 1);
    format!("{pipeline}threads = 2\nblock_bytes = \"32 KiB\"\ncheckpoint_secs = 0.02\n")
}

/// A collection of `n_files` names for one file of records, which takes no time to make.
fn world(exporter: &str, n_files: usize) -> World {
    let world = World::with(&pipeline(exporter));
    let lines: String = (0..1_500).map(|n| line(n, if n % 10 == 0 { 4 } else { 500 })).collect();
    world.write("seed.jsonl", lines);
    for n in 0..n_files {
        std::fs::hard_link(world.path("seed.jsonl"), world.path(format!("in/{n:03}.jsonl"))).unwrap();
    }
    world
}

pub(crate) fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_there() {
        assert!(start.elapsed() < HANGS, "{what} never came");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub(crate) fn start(world: &World, arguments: &[&str]) -> Child {
    world.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

pub(crate) fn end(mut child: Child) -> Ran {
    wait_for("the end of the program", || child.try_wait().unwrap().is_some());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Starts a run, waits until it has written `file`, and sends a signal.
///
/// A machine may be so busy that the run is done before the signal is sent; then the same is tried with
/// more input.
fn interrupted(exporter: &str, file: &str, signal: &str) -> (World, Ran) {
    interrupted_with(exporter, file, signal, &[])
}

fn interrupted_with(exporter: &str, file: &str, signal: &str, arguments: &[&str]) -> (World, Ran) {
    for n_files in [16, 64, 256] {
        let world = world(exporter, n_files);
        let child = start(&world, &[&["run", "p.toml"], arguments].concat());
        wait_for(file, || world.path("out").join(file).exists());
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let ran = end(child);
        if ran.code != Some(0) {
            return (world, ran);
        }
    }
    panic!("the run was never interrupted");
}

fn n_files(world: &World) -> usize {
    world.files("in").len()
}

pub(crate) fn names(files: &BTreeMap<String, Vec<u8>>) -> Vec<&String> {
    files.keys().collect()
}

/// The next run goes on, and makes of it what an undisturbed one would have made.
fn check_recovery(world: &World, exporter: &str) {
    world.write("out/notes.md", "mine");
    let again = world.run(&[]).exits(0).says(&["resumed an unfinished run"]);
    assert!(again.stdout.contains(" kept"), "{again:?}");
    let mut files = world.files("out");
    assert_eq!(files.remove("notes.md").as_deref(), Some(&b"mine"[..]));
    // The times of the inputs are those of the folder that was used, so the same folder is used again.
    std::fs::rename(world.path("out"), world.path("disturbed")).unwrap();
    world.run(&[]).exits(0);
    let undisturbed = world.files("out");
    assert_eq!(names(&files), names(&undisturbed), "{exporter}");
    assert!(files == undisturbed, "{exporter}: the bytes differ");
    let n_records = 1_500 * n_files(world) as u64;
    assert_eq!(world.tally(), (n_records, n_records * 9 / 10, n_records / 10, 0));
    assert!(world.run(&[]).exits(0).stdout.starts_with("nothing to do: out holds the finished output"));
    assert!(world.files("out") == undisturbed);
}

#[cfg(unix)]
#[test]
fn signals_stop_a_run_at_once_and_tidily() {
    for signal in ["-INT", "-TERM"] {
        let (world, ran) = interrupted("jsonl", "part-00000.jsonl", signal);
        ran.exits(130).says(&["stopping after the blocks in flight", "error: interrupted"]);
        let left = world.files("out");
        assert!(left.contains_key(".tamis/checkpoint.json"), "{:?}", names(&left));
        assert!(String::from_utf8_lossy(&left[".tamis/manifest.json"]).contains("\"complete\": false"));
        if signal == "-INT" {
            check_recovery(&world, "jsonl");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_killed_run_is_gone_on_with() {
    let (world, ran) = interrupted("jsonl", "part-00003.jsonl", "-KILL");
    assert_eq!(ran.code, None);
    check_recovery(&world, "jsonl");
}

/// What was read before the interruption counts among the records that are wanted.
#[cfg(unix)]
#[test]
fn a_limited_run_reads_no_more_for_being_interrupted() {
    let limit = ["--limit", "20000"];
    let (world, ran) = interrupted_with("jsonl", "part-00001.jsonl", "-TERM", &limit);
    ran.exits(130);
    world.run(&limit).exits(0).says(&["resumed an unfinished run"]);
    assert_eq!(world.tally(), (20_000, 18_000, 2_000, 0));
}

/// The same where documents are put aside for a corpus stage.
#[cfg(unix)]
#[test]
fn a_limited_run_with_a_corpus_stage_reads_no_more_for_being_interrupted() {
    let limit = ["--limit", "20000"];
    let stage = "[[stage]]\nuse = \"dedup-exact\"\n\n[[export]]";
    for n_files in [16, 64] {
        let world = world("jsonl", n_files);
        let text = std::fs::read_to_string(world.path("p.toml")).unwrap();
        world.write("p.toml", text.replacen("[[export]]", stage, 1));
        let child = start(&world, &[&["run", "p.toml"], &limit[..]].concat());
        wait_for("a checkpoint", || world.path("out/.tamis/checkpoint.json").exists());
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        if end(child).code == Some(0) {
            continue;
        }
        world.run(&limit).exits(0);
        assert_eq!(world.tally().0, 20_000);
        return;
    }
    panic!("the run was never interrupted");
}

/// The output folder under another name is still the one to go on with, if all exports have gone with it.
#[cfg(unix)]
#[test]
fn a_run_goes_on_in_a_folder_that_was_moved_or_has_a_second_name() {
    let (world, ran) = interrupted("jsonl", "part-00003.jsonl", "-KILL");
    assert_eq!(ran.code, None);
    std::fs::rename(world.path("out"), world.path("elsewhere")).unwrap();
    world.write("p.toml", pipeline("jsonl").replacen("path = \"out\"", "path = \"elsewhere\"", 1));
    let stays = world.run(&[]).exits(2);
    stays.says(&["export `dropped` went to `", "elsewhere/dropped`, and now goes to `", "out/dropped`"]);
    // `-o` takes all exports along.
    world.write("p.toml", pipeline("jsonl"));
    std::os::unix::fs::symlink(world.path("elsewhere"), world.path("link")).unwrap();
    world.run(&["-o", "link"]).exits(0).says(&["resumed an unfinished run"]);
    let again = world.run(&["-o", "elsewhere"]).exits(0);
    assert!(again.stdout.starts_with("nothing to do"), "{again:?}");
}

/// Kills runs of a pipeline at random moments, again and again, until one comes to its end.
///
/// Returns how often one was killed that had begun to write.
fn kill_until_done(world: &World, kills: usize, lottery: &mut Lottery) -> usize {
    let mut n_killed = 0;
    for _ in 0..kills {
        let mut child = start(world, &["run", "p.toml"]);
        std::thread::sleep(Duration::from_millis(lottery.below(250)));
        // Not a signal that it could hear: nothing is tidied up.
        child.kill().unwrap();
        if end(child).code == Some(0) {
            return n_killed;
        }
        n_killed += usize::from(world.path("out/.tamis/manifest.json").exists());
    }
    world.run(&[]).exits(0);
    n_killed
}

#[test]
fn runs_killed_at_random_points_make_what_an_undisturbed_one_makes() {
    let compressed = |export: &str| {
        pipeline("jsonl").replacen("use = \"jsonl\"", &format!("use = \"jsonl\"\n{export}"), 2)
    };
    let mut lottery = Lottery(7);
    let mut n_killed = 0;
    for text in
        [pipeline("jsonl"), compressed("compression = \"zstd\""), compressed("compression = \"gzip\"")]
    {
        let world = world("jsonl", 24);
        world.write("p.toml", &text);
        world.run(&[]).exits(0);
        let undisturbed = world.files("out");
        while n_killed % 20 < 18 {
            std::fs::remove_dir_all(world.path("out")).unwrap();
            n_killed += kill_until_done(&world, 18, &mut lottery);
            let files = world.files("out");
            assert_eq!(names(&files), names(&undisturbed), "{text}");
            assert!(files == undisturbed, "the bytes differ: {text}");
        }
        n_killed += 2;
    }
    assert!(n_killed >= 50, "{n_killed}");
}

#[cfg(unix)]
#[test]
fn a_killed_run_of_named_files_leaves_none_twice() {
    let small = |n: usize| line(n, if n.is_multiple_of(10) { 4 } else { 20 });
    let world = World::with(&pipeline("markdown").replace("32 KiB", "4 KiB"));
    world.write("in/a.jsonl", (0..400).map(small).collect::<String>());
    for signal in ["-KILL", "-INT"] {
        let child = start(&world, &["run", "p.toml", "--fresh"]);
        let is_page = |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().ends_with(".md");
        let pages = || {
            std::fs::read_dir(world.path("out"))
                .into_iter()
                .flatten()
                .flatten()
                .filter_map(|it| is_page(it).then_some(()))
        };
        wait_for("the fifth file", || pages().count() >= 5);
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        end(child);
        world.run(&[]).exits(0);
        let names: Vec<String> = world.files("out").into_keys().collect();
        assert!(names.iter().all(|name| !name.ends_with("-2.md") && !name.contains("tmp")), "{names:?}");
        assert_eq!(world.tally(), (400, 360, 40, 0));
        assert_eq!(names.iter().filter(|name| name.contains(".md")).count(), 360);
    }
}

#[cfg(unix)]
#[test]
fn two_runs_do_not_write_to_one_folder() {
    let world = world("jsonl", 16);
    let child = start(&world, &["run", "p.toml"]);
    wait_for("the first part", || world.path("out/part-00000.jsonl").exists());
    let second = world.run(&["--fresh"]);
    let first = end(child).exits(0);
    // On a busy machine the first may be done by then.
    if !second.stdout.contains(" kept") {
        second.exits(2).says(&["another run is writing to"]);
    }
    assert!(first.stdout.contains(" kept"));
    assert_eq!(world.tally().0, 1_500 * 16);
}

#[test]
fn fresh_replaces_what_runs_wrote_and_nothing_else() {
    let world = World::with(&pipeline("jsonl"));
    world.write("in/a.jsonl", (0..2_000).map(|n| line(n, 300)).collect::<String>());
    let small = "export.kept.max_part_bytes=65536";
    world.run(&["--set", small]).exits(0);
    let many = world.files("out");
    assert!(many.len() > 5, "{:?}", names(&many));
    for mine in ["out/notes.txt", "out/dropped/list.txt", "out/my-part-00000.jsonl", "out/deep/er/x"] {
        world.write(mine, "mine");
    }
    world.run(&["--fresh", "--set", "export.kept.max_part_bytes=\"1 GiB\""]).exits(0);
    assert_eq!(
        names(&world.files("out")),
        [
            ".tamis/fates",
            ".tamis/inputs",
            ".tamis/manifest.json",
            "deep/er/x",
            "dropped/list.txt",
            "my-part-00000.jsonl",
            "notes.txt",
            "part-00000.jsonl"
        ]
    );
    world.run(&["--fresh", "--set", small]).exits(0);
    let again = world.files("out");
    assert!(many.iter().all(|(name, content)| again.get(name) == Some(content)));
}

#[test]
fn an_output_inside_the_input_is_not_read() {
    let world = World::with(&PIPELINE.replace("\"out", "\"in/out"));
    world.write("in/a.jsonl", line(0, 50));
    for _ in 0..2 {
        world.run(&[]).exits(0);
        assert_eq!(world.ids("in/out"), ["a.jsonl#0"]);
    }
    world.write("in/b.jsonl", line(1, 50));
    world.run(&["--fresh"]).exits(0);
    assert_eq!(world.ids("in/out"), ["a.jsonl#0", "b.jsonl#0"]);
}
