//! What is judged, measured, masked, cut and shared out is the same at any number of threads, after kills and in shards.

use std::time::Duration;

use serde_json::Value as Json;
use tamis_tests::lottery::Lottery;
use tamis_tests::program::root;

use crate::interruption::{end, names, start, wait_for};
use crate::shards::concatenated;
use crate::world::{World, manifest_is_true};

/// All stages of judging, with limits that drop some of what there is and keep some.
const PIPELINE: &str = r#"
[[source]]
use = "jsonl"
paths = ["in"]

[[stage]]
use = "blocklist"
domains = ["lists/domains.txt"]
words = ["lists/words.txt"]

[[stage]]
use = "lookup"
table = "lists/sites.tsv"
key = "domain"
by = "host"
take = ["category"]

[[stage]]
use = "language"
drop = ["und"]

[[stage]]
use = "line-judge"
rules = ["digits", "symbols"]
between = "keep"

[[stage]]
use = "judge"
presets = ["gopher", "map-neo", "web-en", "web-zh"]
limits = { min_words = 20, min_visible_chars = 60, min_han_ratio = 0, min_letter_word_ratio = 0.3, min_stop_words = 0, min_mean_word_chars = 1, min_char_entropy = 2, max_dup_line_ratio = 0.6, max_dup_line_char_ratio = 0.6, max_top_2_gram_char_ratio = 0.9, max_top_3_gram_char_ratio = 0.9, max_top_4_gram_char_ratio = 0.9, max_dup_5_gram_char_ratio = 0.9, max_dup_6_gram_char_ratio = 0.9, max_dup_7_gram_char_ratio = 0.9, max_dup_8_gram_char_ratio = 0.9, max_dup_9_gram_char_ratio = 0.9, max_dup_10_gram_char_ratio = 0.5, max_dup_gram_char_ratio = 0.8, max_repeated_run_ratio = 0.9, max_repeated_line_char_ratio = 0.6 }

[[stage]]
use = "decontaminate"
against = ["lists/quiz.txt"]
action = "cut"

[[stage]]
use = "classify"
model = "lists/tiny.bin"
label = "good"
buckets = [0.25, 0.75]

[[stage]]
use = "tokens"
tokenizer = "lists/tiny.json"
field = "n_tokens"

[[stage]]
use = "quantile"
field = "n_tokens"
quantiles = [0.3, 0.6]
by = "language"

[[stage]]
use = "convert"
to = "taiwan"
words = true

[[stage]]
use = "mask"

[[stage]]
use = "chunk"
by = "tokens"
tokenizer = "lists/tiny.json"
max_tokens = 200
overlap_tokens = 20

[[stage]]
use = "sample"
ratio = 0.8
by = "parent"

[[stage]]
use = "split"
shares = { train = 0.7, test = 0.3 }
by = "parent"

[[export]]
use = "jsonl"
path = "out"
max_part_bytes = "64 KiB"

[[export]]
id = "dropped"
use = "jsonl"
from = "dropped"
path = "out/dropped"

[run]
block_bytes = "4 KiB"
checkpoint_secs = 0.02
"#;

const SENTENCES: [&str; 14] = [
    "The mill stands by the river, and its wheel has not turned since the flood of last spring.",
    "People say that the miller left for the city with both of his sons.",
    "Call +44 20 7946 0958 or write to anna@mill.example if you want to rent it.",
    "In autumn they brought their grain to him, and he gave them flour for bread.",
    "磨坊在河边，自从去年春天的洪水以后，水轮就没有再转过。",
    "村里的人说，磨坊主带着两个儿子进城去了，恐怕不会回来。",
    "有意租用者请拨打13800138000，或致电010-62300000。",
    "从前每到秋天，家家户户都把粮食送到这里，再把面粉背回家去做馒头。",
    "Home",
    "* * *",
    "Privacy policy",
    "casino",
    "1 2 3 4 5 6 7 8 9",
    "Who was it that broke the wheel of the old mill by the river in the night of the great flood?",
];

/// A collection of three files with `n` documents each; some are good, some are menus, some repeat themselves.
fn world(n: usize) -> World {
    let world = World::with(PIPELINE);
    world.write("lists/domains.txt", "spam.example\n");
    world.write("lists/words.txt", "casino\n");
    world.write("lists/sites.tsv", "domain\tcategory\nmill.example\tcrafts\n");
    world.write("lists/quiz.txt", format!("{}\n", SENTENCES[13]));
    for (list, case) in [
        ("lists/tiny.bin", "plugins/judges/src/classify/cases/tiny.bin"),
        ("lists/tiny.json", "plugins/tokens/src/tokens/cases/tiny.json"),
    ] {
        world.write(list, std::fs::read(root().join(case)).unwrap());
    }
    let mut lottery = Lottery::of_seed(17);
    for file in 0..3 {
        let documents = (0..n).map(|number| {
            // Half of the documents in one language, and a third of each taken from few sentences.
            let (from, width) = [(0, 4), (4, 4), (0, 14), (8, 6)][lottery.index(4)];
            let sentences = (0..=lottery.index(16)).map(|_| SENTENCES[from + lottery.index(width)]);
            let text = sentences.collect::<Vec<_>>().join(["\n", " "][lottery.index(2)]);
            let host =
                ["mill.example", "www.mill.example", "spam.example", "other.example"][lottery.index(4)];
            let url = format!("https://{host}/{number}");
            serde_json::json!({ "id": format!("{file}-{number}"), "url": url, "text": text }).to_string()
                + "\n"
        });
        world.write(format!("in/{file}.jsonl"), documents.collect::<String>());
    }
    world
}

#[test]
fn kept_sets_and_measures_do_not_depend_on_threads() {
    let world = world(300);
    world.run(&["--set", "run.threads=1"]).exits(0);
    let tally = &world.manifest()["tally"];
    let count = |name: &str| tally[name].as_u64().unwrap();
    assert!(count("kept") > 100 && count("dropped") > 200 && count("failed") == 0, "{tally}");
    manifest_is_true(&world, "out");
    let first = world.files("out");
    // The fates hold every measure of every record.
    assert!(first.keys().any(|name| name.contains("fates")), "{:?}", names(&first));
    let reasons: std::collections::BTreeSet<String> =
        world.records("out/dropped").iter().map(|record| record["reason"].to_string()).collect();
    for reason in ["blocked-domain", "blocked-words", "few-lines", "web-zh:", "gopher:", "not-sampled"] {
        assert!(reasons.iter().any(|found| found.contains(reason)), "{reason}: {reasons:?}");
    }
    // Each of the stages that write something has written it in some.
    let kept = world.records("out");
    let has = |told: &dyn Fn(&Json) -> bool| kept.iter().filter(|record| told(record)).count();
    for bucket in 0..3 {
        assert!(has(&|it| it["metadata"]["n_tokens_bucket"] == bucket) > 10, "{bucket}");
    }
    assert!(has(&|it| it["metadata"]["classify"].is_f64()) > 100);
    let chunked = |it: &Json| it["metadata"]["chunks"].as_u64() > Some(1);
    assert!(has(&chunked) > 10);
    // What is converted and masked has other tokens, but not half or twice as many.
    assert!(has(&|it| chunked(it) && it["metadata"]["n_tokens"].as_u64() < Some(100)) == 0);
    assert!(has(&|it| !chunked(it) && it["metadata"]["n_tokens"].as_u64() > Some(400)) == 0);
    assert!(has(&|it| it["text"].as_str().unwrap().contains("磨坊在河邊")) > 10);
    for threads in ["run.threads=2", "run.threads=8"] {
        std::fs::remove_dir_all(world.path("out")).unwrap();
        world.run(&["--set", threads]).exits(0);
        let second = world.files("out");
        assert_eq!(names(&first), names(&second), "{threads}");
        let differ: Vec<_> = first.iter().filter(|(name, content)| second[*name] != **content).collect();
        assert!(
            differ.is_empty(),
            "{threads}: {:?}",
            differ.iter().map(|(name, _)| name).collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_killed_run_judges_as_an_undisturbed_one() {
    let world = world(1500);
    world.run(&[]).exits(0);
    let undisturbed = world.files("out");
    let mut lottery = Lottery(17);
    let mut n_killed = 0;
    while n_killed < 3 {
        std::fs::remove_dir_all(world.path("out")).unwrap();
        for _ in 0..4 {
            let mut child = start(&world, &["run", "p.toml"]);
            let manifest = world.path("out/.tamis/manifest.json");
            // Opening all these stages takes longer than what they do here: killed before, a run would get nowhere.
            wait_for("a manifest, or the end", || manifest.exists() || child.try_wait().unwrap().is_some());
            std::thread::sleep(Duration::from_millis(lottery.below(400)));
            // It may be over, and then there is nobody to kill.
            let _ = child.kill();
            if end(child).code == Some(0) {
                break;
            }
            n_killed += usize::from(world.path("out/.tamis/manifest.json").exists());
        }
        if !world.path("out").exists() {
            std::fs::create_dir(world.path("out")).unwrap();
        }
        world.run(&[]).exits(0);
        let files = world.files("out");
        assert_eq!(names(&files), names(&undisturbed));
        assert!(files == undisturbed, "the bytes differ");
    }
}

#[test]
fn shards_judge_as_one_run_does() {
    let world = world(300);
    // Shards of stages that look at all documents are run segment by segment: `shards.rs`.
    let (before, quantile) = PIPELINE.split_once("[[stage]]\nuse = \"quantile\"").unwrap();
    let (_, behind) = quantile.split_once("[[stage]]").unwrap();
    world.write("p.toml", format!("{before}[[stage]]{behind}"));
    world.run(&[]).exits(0);
    let expected = ["out", "out/dropped"].map(|folder| concatenated(&world, folder, 0));
    assert!(expected.iter().all(|lines| lines.lines().count() > 100));
    for shards in [1, 3] {
        std::fs::remove_dir_all(world.path("out")).unwrap();
        for shard in 0..shards {
            world.run(&["--shard", &format!("{shard}/{shards}")]).exits(0);
        }
        for (folder, expected) in ["out", "out/dropped"].into_iter().zip(&expected) {
            assert!(concatenated(&world, folder, shards) == *expected, "{folder}, {shards} shards");
        }
    }
}
