//! Fields, conditions and forms of text, as they come out of a run.

use serde_json::json;

use crate::world::World;

const EXPORTS: &str = r#"
[[export]]
use = "jsonl"
path = "out"

[[export]]
id = "dropped"
use = "jsonl"
from = "dropped"
path = "dropped"
"#;

#[test]
fn fields_and_conditions_work_on_what_stages_before_have_written_and_measured() {
    let world = World::with(&format!(
        r#"
[[source]]
use = "jsonl"
paths = ["in"]

[[stage]]
use = "fields"
rename = {{ headline = "title" }}
replace = [{{ field = "title", pattern = ' - Mill News$', with = "" }}]
default = {{ language = "en" }}
set = {{ batch = 7 }}

[[stage]]
use = "length"
min_chars = 1

[[stage]]
use = "where"
rules = [
    {{ drop = 'chars < 10 && language != "zh"', reason = "short" }},
    {{ keep = 'language in ["zh", "en"]', reason = "language" }},
    {{ drop = 'score > 0.9', reason = "score" }},
]
{EXPORTS}"#
    ));
    world.write(
        "in/a.jsonl",
        r#"{"id":"kept","text":"The mill was sold in May.","headline":"Old Mill - Mill News","score":0.5}
{"id":"short","text":"Gone."}
{"id":"short but Chinese","text":"磨坊。","language":"zh"}
{"id":"German","text":"Die Mühle wurde im Mai verkauft.","language":"de"}
{"id":"score","text":"The mill was sold again in June.","score":0.95}
{"id":"number in quotes","text":"The mill was sold again in July.","score":"0.1"}
"#,
    );
    world.run(&["--set", "run.max_failed_ratio=1"]).exits(0);
    let kept = world.records("out");
    let ids = |records: &[serde_json::Value]| records.iter().map(|it| it["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&kept), [json!("kept"), json!("short but Chinese")]);
    assert_eq!(
        kept[0]["metadata"],
        json!({ "batch": 7, "language": "en", "score": 0.5, "title": "Old Mill" })
    );
    let reasons: Vec<_> =
        world.records("dropped").iter().map(|it| (it["id"].clone(), it["reason"].clone())).collect();
    let expected = [("short", "short"), ("German", "language"), ("score", "score")];
    assert_eq!(reasons, expected.map(|(id, reason)| (json!(id), json!(reason))));
    let failed = world.records("out/__failed");
    assert_eq!(ids(&failed), [json!("number in quotes")]);
    let reason = failed[0]["reason"].as_str().unwrap();
    assert!(reason.contains("the string \"0.1\" cannot be compared with the number 0.9"), "{reason}");
}

#[test]
fn pages_in_a_field_are_read_whether_as_text_or_as_raw() {
    let page = "<html><body><nav><a href=x>Home</a></nav><article><p>The mill by the river was sold in May, and the \
                new owner wants to grind flour again.</p></article></body></html>";
    let mut texts = Vec::new();
    for fields in ["{ text = \"\", raw = \"html\" }", "{ text = \"html\" }"] {
        let world = World::with(&format!(
            "[[source]]\nuse = \"jsonl\"\npaths = [\"in\"]\nfields = {fields}\nform = \"markup\"\n\n\
             [[stage]]\nuse = \"html-extract\"\n{EXPORTS}"
        ));
        world.write("in/a.jsonl", json!({ "id": "a", "html": page }).to_string());
        world.run(&[]).exits(0);
        texts.push(world.records("out")[0]["text"].as_str().unwrap().to_owned());
    }
    assert!(texts[0].starts_with("The mill by the river was sold in May"), "{texts:?}");
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn a_stage_that_meets_the_source_of_pages_says_so() {
    let pipeline = format!(
        "[[source]]\nuse = \"auto\"\npaths = [\"in\"]\n\n[[stage]]\nuse = \"boilerplate\"\n{EXPORTS}"
    );
    let world = World::with(&pipeline);
    for n in 0..3 {
        world.write(format!("in/{n}.html"), "<html><body><p>The mill was sold.</p></body></html>");
        world.write(format!("in/{n}.txt"), "The mill was sold.\nHome\nLogin\n");
    }
    let ran = world.run(&[]).exits(0);
    let told = "3 documents that came to `boilerplate` are the source of pages";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    // Behind a stage that extracts there is nothing to say.
    let stages = "[[stage]]\nuse = \"html-extract\"\n\n[[stage]]\nuse = \"boilerplate\"";
    world.write("p.toml", pipeline.replace("[[stage]]\nuse = \"boilerplate\"", stages));
    let ran = world.run(&["--fresh"]).exits(0);
    assert!(!ran.stderr.contains("came to `boilerplate`"), "{}", ran.stderr);
}

#[test]
fn what_stands_where_it_does_on_purpose_is_not_told() {
    let pipeline = format!(
        "[[source]]\nuse = \"text\"\npaths = [\"in\"]\n\n[[stage]]\nuse = \"repair-text\"\n\n\
         [[stage]]\nuse = \"recover-paragraphs\"\nany_order = true\n{EXPORTS}"
    );
    let world = World::with(&pipeline);
    world.write("in/a.txt", "The mill was sold.");
    let checked = world.tamis(&["check", "p.toml"]).exits(0);
    assert!(!checked.stderr.contains("warning"), "{}", checked.stderr);
    world.write("p.toml", pipeline.replace("any_order = true\n", ""));
    let checked = world.tamis(&["check", "p.toml"]).exits(0);
    assert!(
        checked.stderr.contains("in this order they work: recover-paragraphs, repair-text"),
        "{}",
        checked.stderr
    );
}
