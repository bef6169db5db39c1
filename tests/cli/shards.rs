//! A plan that is run by others: shard by shard, segment by segment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::world::{World, line, manifest_is_true};

/// Two corpus stages among others: three segments.
const PIPELINE: &str = "\
[[source]]
use = \"jsonl\"
paths = [\"in\"]

[[stage]]
use = \"dedup-exact\"

[[stage]]
use = \"line-template\"
group_by = \"site\"

[[stage]]
use = \"length\"
min_chars = 60

[[export]]
id = \"kept\"
use = \"jsonl\"
path = \"out\"
max_part_bytes = \"64 KiB\"

[[export]]
id = \"dropped\"
use = \"jsonl\"
from = \"dropped\"
path = \"gone/dropped\"

[run]
threads = 2
block_bytes = \"8 KiB\"
max_failed_ratio = 1
";

/// Twelve files in which documents of others come again, with a line that all of them share.
fn world() -> World {
    let world = World::with(PIPELINE);
    for file in 0..12_usize {
        let document = |n: usize| {
            let seed = if n % 5 == 4 { n / 3 } else { file * 1_000 + n };
            let end = format!(" {seed}\\nShare this page\",\"site\":\"s{}\",", seed % 4);
            line(seed, 20 + seed % 90).replacen("\",", &end, 1)
        };
        let lines: String = (0..100 + file * 10).map(document).collect();
        world.write(format!("in/{file:02}.jsonl"), format!("{lines}{{broken {file}\n"));
    }
    world
}

/// A launcher: it knows nothing but what `tamis plan --json` says and the help of that command promises.
struct Launcher<'a> {
    world: &'a World,
    plan: Json,
    shards: usize,
    /// Whether states are reduced when they are merged.
    reduces: bool,
    /// Whether it does what an engine does with states that are tallied.
    thins: bool,
    states: BTreeMap<String, PathBuf>,
}

impl<'a> Launcher<'a> {
    fn new(world: &'a World, shards: usize, reduces: bool) -> Self {
        let ran = world.tamis(&["plan", "p.toml", "--json"]).exits(0);
        let plan = serde_json::from_str(&ran.stdout).unwrap();
        Self { world, plan, shards, reduces, thins: false, states: BTreeMap::new() }
    }

    fn launch(&mut self) {
        for segment in self.plan["segments"].as_array().unwrap().clone() {
            let needs = segment["needs"].as_array().unwrap().iter();
            let states: Vec<String> = needs
                .map(|need| format!("{}-{}", need["stage"].as_str().unwrap(), need["pass"]))
                .map(|key| self.states[&key].to_str().unwrap().to_owned())
                .collect();
            // Nobody says in which order the machines of a cluster get to work.
            for shard in (0..self.shards).rev() {
                self.task(&segment["index"].to_string(), shard, &states);
            }
            if let Some(state) = segment["state"].as_str() {
                self.merge(&segment, state, &states);
            }
        }
    }

    fn task(&self, segment: &str, shard: usize, states: &[String]) {
        let shard = format!("{shard}/{}", self.shards);
        let mut arguments = vec!["run", "p.toml", "--quiet", "--segment", segment, "--shard", &shard];
        arguments.extend(states.iter().flat_map(|state| ["--state", state]));
        self.world.tamis(&arguments).exits(0);
        // Launched twice, as clusters do.
        self.world.tamis(&arguments).exits(0);
    }

    fn merge(&mut self, segment: &Json, state: &str, before: &[String]) {
        let home = Path::new(self.plan["exports"][0]["path"].as_str().unwrap());
        let saved = (0..self.shards).map(|shard| {
            let folder = format!("shard-{shard:05}-of-{:05}", self.shards);
            home.join(folder).join(".tamis").join(state).to_str().unwrap().to_owned()
        });
        let mut saved: Vec<String> = saved.collect();
        if self.thins {
            saved = self.thinned(saved);
        }
        let merged = self.world.path(format!("merged-{state}"));
        let mut arguments = vec!["state", "merge", "p.toml", "-o", merged.to_str().unwrap()];
        arguments.extend(saved.iter().map(String::as_str));
        let observes = &segment["observes"];
        if self.reduces {
            let of_stage = |state: &&String| state.contains(observes["stage"].as_str().unwrap());
            arguments.push("--reduce");
            arguments.extend(before.iter().filter(of_stage).flat_map(|state| ["--state", state]));
        }
        self.world.tamis(&arguments).exits(0);
        let key = format!("{}-{}", observes["stage"].as_str().unwrap(), observes["pass"]);
        self.states.insert(key, merged);
    }
}

impl Launcher<'_> {
    /// States without the entries that a single document has, where they are tallied; all others as they are.
    fn thinned(&self, states: Vec<String>) -> Vec<String> {
        let rows: Vec<_> = states.iter().filter_map(|state| tallied_rows(self.world, state)).collect();
        if rows.is_empty() {
            return states;
        }
        let mut sums = BTreeMap::<&[u8], u64>::new();
        for (key, count) in rows.iter().flatten() {
            *sums.entry(key).or_default() += count;
        }
        let n_left = sums.values().filter(|sum| **sum > 1).count();
        assert!(n_left > 0 && n_left < sums.len(), "{n_left} of {}", sums.len());
        let thin = |(state, rows): (&String, &Vec<(Vec<u8>, u64)>)| {
            let marks: Vec<u8> = rows.iter().map(|(key, _)| u8::from(sums[key.as_slice()] > 1)).collect();
            self.world.write("marks", &marks);
            let thinned = format!("{state}.thinned");
            let keep = ["state", "keep", "p.toml", state, "--rows", "marks", "-o", &thinned];
            let said: Json = serde_json::from_str(&self.world.tamis(&keep).exits(0).stdout).unwrap();
            assert_eq!(said["kept"], marks.iter().map(|mark| u64::from(*mark)).sum::<u64>());
            thinned
        };
        assert_eq!(rows.len(), states.len());
        states.iter().zip(&rows).map(thin).collect()
    }
}

/// The hash of each entry of a state and its count; nothing where the state is not tallied.
fn tallied_rows(world: &World, state: &str) -> Option<Vec<(Vec<u8>, u64)>> {
    let said = world.tamis(&["state", "rows", "p.toml", state, "-o", "some.rows"]).exits(0);
    let said: Json = serde_json::from_str(&said.stdout).unwrap();
    said["tallied"].as_object()?;
    assert_eq!(said["round"], Json::Null);
    assert_eq!(said["tallied"]["key"][0]["bytes"], 16);
    let bytes = std::fs::read(world.path("some.rows")).unwrap();
    assert_eq!(bytes.len() as u64, said["rows"].as_u64().unwrap() * 24);
    let row = |row: &[u8]| (row[..16].to_vec(), u64::from_be_bytes(row[16..].try_into().unwrap()));
    Some(bytes.chunks(24).map(row).collect())
}

/// All records below the shards of a folder, one line each, in the order of shards and parts.
pub(crate) fn concatenated(world: &World, folder: &str, shards: usize) -> String {
    let below = |shard: usize| match shards {
        0 => folder.to_owned(),
        n => format!("{folder}/shard-{shard:05}-of-{n:05}"),
    };
    let mut all = String::new();
    for shard in 0..shards.max(1) {
        for (name, content) in world.files(&below(shard)) {
            if name.starts_with("part-") {
                all += std::str::from_utf8(&content).unwrap();
            }
        }
    }
    all
}

/// Dead letters without what a shard counts from where it begins in a file, and says so: records and lines.
pub(crate) fn uncounted(letters: &str) -> String {
    let uncounted = letters.lines().map(|line| {
        let mut letter: Json = serde_json::from_str(line).unwrap();
        letter["origin"]["ordinal"] = Json::Null;
        let reason = letter["reason"].as_str().unwrap();
        let said = reason.split_once(" (counted from byte ").map_or(reason, |(said, _)| said);
        let said = said.strip_prefix("line ").map_or(said, |said| said.split_once(": ").unwrap().1);
        letter["reason"] = Json::from(said);
        format!("{letter}\n")
    });
    uncounted.collect()
}

fn sorted(lines: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = lines.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn a_launcher_needs_no_more_than_the_plan() {
    let world = world();
    world.run(&[]).exits(0);
    let folders = ["out", "out/__failed", "gone/dropped"];
    let expected = folders.map(|folder| concatenated(&world, folder, 0));
    assert!(expected.iter().all(|records| !records.is_empty()));
    let (read, _, dropped, _) = world.tally();
    assert!(dropped > 100 && expected[2].contains("duplicate") && expected[2].contains("too-short"));
    let learned = world.read("out/.tamis/learned/line-template/templates.toml");
    assert!(learned.contains("Share this page"), "{learned}");
    for (shards, reduces) in [(1, false), (3, true), (5, false)] {
        for folder in ["out", "gone"] {
            std::fs::remove_dir_all(world.path(folder)).unwrap();
        }
        let mut launcher = Launcher::new(&world, shards, reduces);
        assert_eq!(launcher.plan["segments"].as_array().unwrap().len(), 3);
        launcher.launch();
        let mut sum = 0;
        for shard in 0..shards {
            let name = format!("shard-{shard:05}-of-{shards:05}");
            let home = format!("out/{name}");
            let manifest: Json =
                serde_json::from_str(&world.read(format!("{home}/.tamis/manifest.json"))).unwrap();
            assert_eq!(manifest["complete"], true);
            sum += manifest["tally"]["read"].as_u64().unwrap();
            let kept: Vec<_> = world.files(&format!("{home}/.tamis")).into_keys().collect();
            let lasting = ["fates", "inputs", "manifest.json"];
            assert!(
                kept.iter().all(|name| name.starts_with("learned/") || lasting.contains(&name.as_str())),
                "{home}: {kept:?}"
            );
        }
        assert_eq!(sum, read, "{shards} shards");
        assert!(concatenated(&world, "out", shards) == expected[0], "{shards} shards");
        // What segments drop before the last comes first, in each shard, so only the lines are the same.
        let failed = (0..shards).map(|shard| format!("out/shard-{shard:05}-of-{shards:05}/__failed"));
        let failed: Vec<String> = failed.collect();
        let nested: String = failed.iter().map(|folder| concatenated(&world, folder, 0)).collect();
        let beside = concatenated(&world, "out/__failed", shards);
        let letters = nested + &beside;
        if shards == 1 {
            assert_eq!(sorted(&letters), sorted(&expected[1]));
        }
        let (letters, of_one) = (uncounted(&letters), uncounted(&expected[1]));
        assert_eq!(sorted(&letters), sorted(&of_one), "{shards} shards");
        let gone = concatenated(&world, "gone/dropped", shards);
        assert!(sorted(&gone) == sorted(&expected[2]), "{shards} shards");
    }
}

/// Texts of some pages, each with a line of its own, some of which are nearly the same: in groups that lie over shards.
#[test]
fn near_duplicates_are_the_same_in_shards_and_threads() {
    let exact = "use = \"dedup-exact\"\n\n[[stage]]\nuse = \"line-template\"\ngroup_by = \"site\"\n";
    assert!(PIPELINE.contains(exact));
    let world = World::with(&PIPELINE.replace(exact, "use = \"dedup-near\"\n"));
    let words =
        |page: usize, n: usize| (0..n).map(move |k| format!("word{} ", (page * 7919 + k * k * 31) % 9973));
    for file in 0..8_usize {
        let document = |n: usize| {
            let text: String = words((file * 5 + n) % 60, 80 + n % 7).collect();
            format!("{{\"id\":\"{file}.{n}\",\"text\":\"{text} read {n} times\"}}\n")
        };
        world.write(format!("in/{file:02}.jsonl"), (0..50).map(document).collect::<String>());
    }
    world.run(&[]).exits(0);
    let folders = ["out", "gone/dropped"];
    let expected = folders.map(|folder| concatenated(&world, folder, 0));
    let (read, kept, dropped, _) = world.tally();
    assert!(read == 400 && (60..65).contains(&kept) && kept + dropped == 400, "{kept} of {read}");
    assert!(
        expected[0].contains("\"cluster_size\":") && expected[1].contains("\"duplicate_similarity\":0.9")
    );
    for threads in ["run.threads=1", "run.threads=5"] {
        world
            .run(&["--fresh", "--set", threads, "--set", "stage.dedup-near.max_state_bytes=1048576"])
            .exits(0);
        assert!(folders.map(|folder| concatenated(&world, folder, 0)) == expected, "{threads}");
    }
    for (shards, reduces) in [(1, true), (4, false), (4, true)] {
        in_shards(&world, (shards, reduces), 3, &expected);
    }
}

/// Runs a plan of so many segments in shards, whose states are reduced or not, which must make what one run has made.
fn in_shards(
    world: &World,
    (shards, reduces): (usize, bool),
    n_segments: usize,
    expected: &[String; 2],
) -> BTreeMap<String, PathBuf> {
    for folder in ["out", "gone"] {
        std::fs::remove_dir_all(world.path(folder)).unwrap();
    }
    let mut launcher = Launcher::new(world, shards, reduces);
    assert_eq!(launcher.plan["segments"].as_array().unwrap().len(), n_segments);
    launcher.launch();
    assert!(concatenated(world, "out", shards) == expected[0], "{shards} shards");
    let gone = concatenated(world, "gone/dropped", shards);
    assert!(sorted(&gone) == sorted(&expected[1]), "{shards} shards");
    launcher.states
}

/// Documents that share passages and are alike, over eight shards; the indexes that are left are the same, too.
#[test]
fn an_index_and_what_is_cut_are_the_same_in_eight_shards() {
    for stage in ["dedup-near", "dedup-spans"] {
        let exact = "use = \"dedup-exact\"\n\n[[stage]]\nuse = \"line-template\"\ngroup_by = \"site\"\n";
        let world = World::with(&PIPELINE.replace(exact, &format!("use = \"{stage}\"\nindex = true\n")));
        let sentence = |seed: usize| {
            let words = (0..20).map(|k| format!("word{} ", (seed * 7919 + k * k * 31) % 9973));
            format!("The {}ends{seed}. ", words.collect::<Vec<_>>().concat())
        };
        for file in 0..16_usize {
            let document = |n: usize| {
                let page = (file * 5 + n) % 60;
                let text: String = (0..4 + page % 3).map(|k| sentence(page * 10 + k)).collect();
                let shared = sentence(n % 9 + 5000);
                format!("{{\"id\":\"{file}.{n}\",\"text\":\"{text}{shared}read {n} times\"}}\n")
            };
            world.write(format!("in/{file:02}.jsonl"), (0..25).map(document).collect::<String>());
        }
        world.run(&[]).exits(0);
        let expected = ["out", "gone/dropped"].map(|folder| concatenated(&world, folder, 0));
        let said = if stage == "dedup-near" { "\"duplicate_of\"" } else { "\"spans_kept_in\"" };
        assert!(expected.iter().any(|records| records.contains(said)), "{stage}");
        let index = std::fs::read(world.path(format!("out/.tamis/learned/{stage}/index.state"))).unwrap();
        let states = in_shards(&world, (8, false), 4, &expected);
        let merged = std::fs::read(&states[&format!("{stage}-2")]).unwrap();
        // Behind the line that says whose state it is.
        let behind = merged.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        assert!(merged[behind..] == index, "{stage}");

        // All of it once more is there already: by the merged states.
        let against = format!("use = \"{stage}\"\nagainst = [{:?}]\n", states[&format!("{stage}-2")]);
        world.write("p.toml", PIPELINE.replace(exact, &against));
        for folder in ["out", "gone"] {
            std::fs::remove_dir_all(world.path(folder)).unwrap();
        }
        world.run(&[]).exits(0);
        let (read, kept, ..) = world.tally();
        assert!(read == 400 && kept < 30, "{stage}: {kept}");

        // Who leaves no index can have its states reduced.
        world.write("p.toml", PIPELINE.replace(exact, &format!("use = \"{stage}\"\n")));
        in_shards(&world, (8, true), 3, &expected);
    }
}

#[test]
fn quantiles_are_those_of_all_shards() {
    let exact = "use = \"dedup-exact\"\n\n[[stage]]\nuse = \"line-template\"\ngroup_by = \"site\"\n";
    let world = World::with(
        &PIPELINE.replace(exact, "use = \"quantile\"\nfield = \"n\"\nby = \"site\"\nquantiles = [0.9]\n"),
    );
    for file in 0..16_usize {
        let document = |n: usize| {
            let score = (file * 25 + n) * 7919 % 1009;
            let text = format!(
                "The quay of {score} is long, and nobody who has walked there before the storm has ever seen its end."
            );
            format!("{{\"id\":\"{file}.{n}\",\"n\":{score},\"site\":{},\"text\":\"{text}\"}}\n", score % 2)
        };
        world.write(format!("in/{file:02}.jsonl"), (0..25).map(document).collect::<String>());
    }
    world.run(&[]).exits(0);
    let expected = ["out", "gone/dropped"].map(|folder| concatenated(&world, folder, 0));
    let in_bucket = |n: u32| expected[0].matches(&format!("\"n_bucket\":{n}")).count();
    assert!((38..=42).contains(&in_bucket(1)) && in_bucket(0) > 300, "{} and {}", in_bucket(0), in_bucket(1));
    in_shards(&world, (5, true), 2, &expected);
}

/// What comes next month is compared with what is there: by the file that a run leaves, or by states merged from shards.
#[test]
fn the_next_run_knows_what_is_there_already() {
    let exact = "use = \"dedup-exact\"\n\n[[stage]]\nuse = \"line-template\"\ngroup_by = \"site\"\n";
    let pipeline = |options: &str| PIPELINE.replace(exact, &format!("use = \"dedup-exact\"\n{options}\n"));
    let world = World::with(&pipeline("index = true"));
    let lines = |numbers: std::ops::Range<usize>| {
        let text = |n: usize| "The quay is long. ".repeat(8) + &n.to_string();
        let line = |n| format!("{{\"id\":\"{n}\",\"text\":\"{}\"}}\n", text(n));
        numbers.map(line).collect::<Vec<String>>().concat()
    };
    world.write("in/may-1.jsonl", lines(0..60));
    world.write("in/may-2.jsonl", lines(40..100));
    world.run(&[]).exits(0);
    assert_eq!(world.tally(), (120, 100, 20, 0));
    std::fs::rename(world.path("out/.tamis/learned/dedup-exact/index.state"), world.path("may.state"))
        .unwrap();

    let mut launcher = Launcher::new(&world, 2, false);
    for folder in ["out", "gone"] {
        std::fs::remove_dir_all(world.path(folder)).unwrap();
    }
    launcher.launch();
    let merged = launcher.states.remove("dedup-exact-0").unwrap();

    std::fs::remove_dir_all(world.path("in")).unwrap();
    world.write("in/june.jsonl", lines(70..150).replace("\"id\":\"", "\"id\":\"june "));
    for index in ["may.state", merged.to_str().unwrap()] {
        for folder in ["out", "gone"] {
            std::fs::remove_dir_all(world.path(folder)).unwrap();
        }
        world.write("p.toml", pipeline(&format!("against = [{index:?}]")));
        world.run(&[]).exits(0);
        assert_eq!(world.tally(), (80, 50, 30, 0), "{index}");
        let gone = concatenated(&world, "gone/dropped", 0);
        assert!(
            gone.contains("\"duplicate_of\":\"70\"") && !gone.contains("\"duplicate_of\":\"june"),
            "{gone}"
        );
    }
    world.write("p.toml", pipeline("against = [\"may.state\"]\nnormalize = \"loose\""));
    world.run(&["--fresh"]).says(&["the index `", "may.state` cannot be used", "saved with other options"]);
}

#[test]
fn shards_without_corpus_stages_need_no_launcher() {
    let world = world();
    let stages = PIPELINE.find("[[stage]]\nuse = \"dedup").unwrap()
        ..PIPELINE.find("[[stage]]\nuse = \"length").unwrap();
    let mut pipeline = PIPELINE.to_owned();
    pipeline.replace_range(stages, "");
    world.write("p.toml", pipeline.replace("gone/dropped", "out/dropped"));
    world.run(&[]).exits(0);
    manifest_is_true(&world, "out");
    let expected = concatenated(&world, "out", 0);
    for shards in [1, 3, 20] {
        for shard in 0..shards {
            world.run(&["--shard", &format!("{shard}/{shards}")]).exits(0);
        }
        assert!(concatenated(&world, "out", shards) == expected, "{shards} shards");
    }
}

#[test]
fn what_a_launcher_does_wrong_is_told_and_changes_nothing() {
    let world = world();
    let segment =
        |k: &'static str, more: &[&str]| world.run(&[&["--segment", k, "--shard", "0/3"], more].concat());
    segment("1", &[]).exits(2).says(&["the segments before it have not been run here"]);
    segment("0", &[]).exits(0);
    let state = "out/shard-00000-of-00003/.tamis";
    let mut names = world.files(state).into_keys();
    let state = format!("{state}/{}", names.find(|name| name.contains("dedup-exact")).unwrap());
    world.write("cut.state", &std::fs::read(world.path(&state)).unwrap()[..40]);
    segment("1", &["--state", "cut.state"]).exits(2).says(&["cut.state"]);
    segment("1", &["--state", "in/00.jsonl"]).exits(2).says(&["it is no state that tamis has saved"]);
    segment("2", &["--state", &state]).exits(2).says(&["segment 1 comes next in"]);
    // A shard must not go on with what it has seen alone.
    segment("1", &[]).exits(2).says(&["needs the state of pass 0 of `dedup-exact`, merged from all shards"]);
    // Of another pipeline.
    let merge =
        |more: &[&str]| world.tamis(&[&["state", "merge", "p.toml", &state, "-o", "m.state"], more].concat());
    world.write(
        "p.toml",
        PIPELINE.replace("use = \"dedup-exact\"", "use = \"dedup-exact\"\nnormalize = \"loose\""),
    );
    merge(&[]).exits(2);
    assert!(!world.path("m.state").exists());
    world.write("p.toml", PIPELINE);
    merge(&[]).exits(0);
    merge(&["--state", &state]).exits(2).says(&["--reduce"]);
    merge(&["--reduce"]).exits(2).says(&["lacks 2 of 3 shards, shard 1 the first of them"]);
    merge(&["--reduce", "--state", &state]).exits(2).says(&["lacks 2 of 3 shards"]);
    let of = |shard: usize| state.replacen("shard-00000", &format!("shard-0000{shard}"), 1);
    for shard in ["1/3", "2/3"] {
        world.run(&["--segment", "0", "--shard", shard]).exits(0);
    }
    let all = [of(1), of(2)];
    merge(&["--reduce", "--state", &state, &all[0], &all[1]])
        .exits(2)
        .says(&["which is none before pass 0 of `dedup-exact`"]);
    merge(&["--reduce", &all[0], &all[1]]).exits(0);
    // Nothing can be added to what was reduced, and nothing of it may be missing.
    let again = ["state", "merge", "p.toml", "m.state", "-o", "n.state"];
    world.tamis(&again).exits(2).says(&["it was reduced, and there is nothing left to merge"]);
    let mut bytes = std::fs::read(world.path("m.state")).unwrap();
    bytes.pop();
    world.write("cut.state", bytes);
    segment("1", &["--state", "cut.state"]).exits(2).says(&["cut.state"]);
    segment("1", &["--state", "m.state"]).exits(0);
}

#[test]
fn shards_are_merged_when_all_are_there() {
    let world = World::with(
        &PIPELINE
            .replace("[[stage]]\nuse = \"dedup-exact\"\n\n", "")
            .replace("[[stage]]\nuse = \"line-template\"\ngroup_by = \"site\"\n\n", ""),
    );
    for file in 0..9_usize {
        let lines: String = (0..40).map(|n| line(file * 1_000 + n, n * 3)).collect();
        world.write(format!("in/{file:02}.jsonl"), format!("{lines}{{broken {file}\n"));
    }
    world.run(&[]).exits(0);
    let (whole, tally) = (concatenated(&world, "out", 0), world.tally());
    assert!(tally.1 > 50 && tally.2 > 50 && tally.3 == 9, "{tally:?}");
    // A shard beside the output of a whole run does not take its manifest away.
    world.run(&["--shard", "0/3"]).exits(0);
    assert_eq!(world.manifest()["complete"], true);
    for folder in ["out", "gone"] {
        std::fs::remove_dir_all(world.path(folder)).unwrap();
    }
    world.tamis(&["merge", "out"]).exits(2).says(&["cannot be read"]);
    for shard in ["0/3", "2/3"] {
        world.run(&["--shard", shard]).exits(0);
    }
    let missing = world.tamis(&["merge", "out", "--missing"]).exits(0);
    assert_eq!(missing.stdout, "1\n");
    world.tamis(&["merge", "out"]).exits(2).says(&["1 of 3 are not finished, run them again: 1"]);
    assert!(!world.path("out/.tamis").exists());

    world.run(&["--shard", "1/3"]).exits(0);
    assert_eq!(world.tamis(&["merge", "out", "--missing"]).exits(0).stdout, "\n");
    let merged = world.tamis(&["merge", "out"]).exits(0);
    assert!(merged.stdout.starts_with("3 shards of `p`"), "{merged:?}");
    assert_eq!(world.tally(), tally);
    assert!(concatenated(&world, "out", 3) == whole);
    let manifest = world.manifest();
    let folders = manifest["exports"].as_array().unwrap().iter().map(|export| &export["folder"]);
    let folders: Vec<&str> = folders.map(|folder| folder.as_str().unwrap()).collect();
    assert!(
        matches!(folders.as_slice(), ["", gone, "__failed"] if gone.ends_with("gone/dropped")),
        "{folders:?}"
    );
    for export in manifest["exports"].as_array().unwrap() {
        let folder = world.path("out").join(export["folder"].as_str().unwrap());
        for file in export["files"].as_array().unwrap() {
            let bytes = std::fs::read(folder.join(file["name"].as_str().unwrap())).unwrap();
            assert_eq!(bytes.len() as u64, file["bytes"].as_u64().unwrap());
        }
    }

    // The folder of all may be seen under another name, and is one of its own when it was copied.
    std::fs::rename(world.path("out"), world.path("moved")).unwrap();
    world.tamis(&["merge", "moved"]).exits(0);
    let moved: Json = serde_json::from_str(&world.read("moved/.tamis/manifest.json")).unwrap();
    assert_eq!(moved, manifest);
    std::fs::rename(world.path("moved"), world.path("out")).unwrap();

    // What is cut off or exchanged is found.
    let part = world.path("out/shard-00002-of-00003/part-00000.jsonl");
    let content = std::fs::read(&part).unwrap();
    std::fs::write(&part, &content[1..]).unwrap();
    let damage = ["of shard 2", "part-00000.jsonl", "its manifest says", "run it again with `--fresh`"];
    world.tamis(&["merge", "out"]).exits(2).says(&damage);
    assert_eq!(world.tamis(&["merge", "out", "--missing"]).exits(0).says(&damage).stdout, "2\n");
    std::fs::write(&part, &content).unwrap();
    let letters = world.path("out/__failed/shard-00001-of-00003/part-00000.jsonl");
    std::fs::rename(&letters, world.path("letters")).unwrap();
    assert_eq!(world.tamis(&["merge", "out", "--missing"]).exits(0).stdout, "1\n");
    std::fs::rename(world.path("letters"), &letters).unwrap();

    // Nobody should take for whole what a shard is about to replace.
    assert_eq!(world.manifest()["complete"], true);
    world.run(&["--shard", "1/3"]).exits(0);
    assert_eq!(world.manifest()["complete"], true);
    world.run(&["--shard", "1/3", "--fresh", "--set", "stage.length.min_chars=70"]).exits(0);
    assert!(!world.path("out/.tamis/manifest.json").exists());
    world.tamis(&["merge", "out"]).exits(2).says(&["shard 1 was made with another pipeline than shard 0"]);
    world.run(&["--shard", "0/4"]).exits(0);
    world.tamis(&["merge", "out"]).exits(2).says(&["some are of 3, some of 4 shards"]);
}

#[test]
fn rows_that_went_through_an_engine_reduce_to_what_they_would() {
    let world = world();
    for shard in ["0/2", "1/2"] {
        world.run(&["--segment", "0", "--shard", shard]).exits(0);
    }
    let states = ["0", "1"].map(|shard| format!("out/shard-0000{shard}-of-00002/.tamis/dedup-exact.0.state"));
    let mut rows = Vec::new();
    for state in &states {
        let said = world.tamis(&["state", "rows", "p.toml", state, "-o", "some.rows"]).exits(0);
        let said: Json = serde_json::from_str(&said.stdout).unwrap();
        assert_eq!(said["round"]["reduce"], "first");
        let some = std::fs::read(world.path("some.rows")).unwrap();
        assert_eq!(some.len() as u64, said["rows"].as_u64().unwrap() * 32);
        rows.extend(some.chunks(32).map(<[u8]>::to_vec));
    }
    // What an engine does: rows of keys that are not alone, in any order.
    let n_of = |row: &[u8]| rows.iter().filter(|other| other[..16] == row[..16]).count();
    let left: Vec<u8> = rows.iter().rev().filter(|row| n_of(row) > 1).flatten().copied().collect();
    assert!(!left.is_empty() && left.len() < rows.len() * 32);
    world.write("left.rows", &left);
    let merge = |out: &str, more: &[&str]| {
        let merge = ["state", "merge", "p.toml", &states[0], &states[1], "-o", out, "--reduce"];
        world.tamis(&[&merge, more].concat())
    };
    merge("as.state", &[]).exits(0);
    merge("with.state", &["--rows", "left.rows"]).exits(0);
    let [natively, with_rows] =
        ["as.state", "with.state"].map(|name| std::fs::read(world.path(name)).unwrap());
    assert!(natively == with_rows);
    world.write("left.rows", &left[1..]);
    merge("cut.state", &["--rows", "left.rows"]).exits(2).says(&["left.rows", "the rows end inside of one"]);
    assert!(!world.path("cut.state").exists());
}

#[test]
fn line_counts_that_were_thinned_out_teach_the_same() {
    for clusters in [false, true] {
        let world = world();
        if clusters {
            world.write(
                "p.toml",
                PIPELINE.replace("group_by = \"site\"", "cluster = true\nmin_shared_lines = 1"),
            );
        }
        world.run(&[]).exits(0);
        let expected = ["out", "gone/dropped"].map(|folder| concatenated(&world, folder, 0));
        let table = ".tamis/learned/line-template/templates.toml";
        let learned = world.read(format!("out/{table}"));
        assert!(learned.contains("Share this page"), "{learned}");
        for folder in ["out", "gone"] {
            std::fs::remove_dir_all(world.path(folder)).unwrap();
        }
        let mut launcher = Launcher::new(&world, 3, true);
        launcher.thins = true;
        launcher.launch();
        assert!(concatenated(&world, "out", 3) == expected[0], "{clusters}");
        assert!(sorted(&concatenated(&world, "gone/dropped", 3)) == sorted(&expected[1]), "{clusters}");
        for shard in 0..3 {
            let of_shard = world.read(format!("out/shard-{shard:05}-of-00003/{table}"));
            assert!(of_shard == learned, "shard {shard} with clusters {clusters}");
        }
    }
}

#[test]
fn entries_that_cannot_be_told_apart_are_all_kept() {
    let world = world();
    world.run(&["--segment", "0", "--shard", "0/1"]).exits(0);
    let exact = "out/shard-00000-of-00001/.tamis/dedup-exact.0.state";
    let keep =
        |state: &str| world.tamis(&["state", "keep", "p.toml", state, "--rows", "marks", "-o", "kept.state"]);
    keep(exact).exits(2).says(&["its marks `", "marks` cannot be read"]);
    world.write("marks", [1]);
    keep(exact).exits(2).says(&[exact, "it has no entries that are counted"]);
    world.tamis(&["state", "merge", "p.toml", exact, "-o", "m.state", "--reduce"]).exits(0);
    keep("m.state").exits(2).says(&["it was reduced, and has no rows any more"]);
    world.run(&["--segment", "1", "--shard", "0/1", "--state", "m.state"]).exits(0);
    let lines = "out/shard-00000-of-00001/.tamis/line-template.0.state";
    keep(lines).exits(2).says(&[lines, "there are fewer marks than entries: they are of another state"]);
    let n_rows = tallied_rows(&world, lines).unwrap().len();
    world.write("marks", vec![1; n_rows + 1]);
    keep(lines).exits(2).says(&["there are more marks than entries: they are of another state"]);
    assert!(!world.path("kept.state").exists());
    world.write("marks", vec![1; n_rows]);
    keep(lines).exits(0);
    let [saved, kept] = [lines, "kept.state"].map(|state| std::fs::read(world.path(state)).unwrap());
    assert!(saved == kept);
}
