//! `tamis explain`.

use crate::world::{World, line};

/// Two stages that change a text, one that measures it, and one that splits.
const PIPELINE: &str = r#"
[[source]]
use = "auto"
paths = ["in"]

[[stage]]
use = "html-extract"

[[stage]]
use = "repair-text"

[[stage]]
use = "length"
min_chars = 20

[[export]]
use = "jsonl"
path = "out"

[[export]]
id = "dropped"
use = "jsonl"
from = "dropped"
path = "out/__dropped"

[run]
max_failed_ratio = 1
"#;

const PAGE: &str = "<html><body><nav><ul><li><a href='/'>Home</a></li><li><a href='/walks'>Walks</a></li></ul></nav>\
    <main><p>The path leaves the village behind the mill, climbs through beech woods, and comes out on open grass.</p>\
    <p>On the far side it drops to the lake, where the last bus leaves at six and waits for nobody.</p></main>\
    </body></html>";

fn world() -> World {
    let world = World::with(PIPELINE);
    world.write("in/pages/a.html", PAGE);
    world.write("in/pages/b.html", "<html><body><h1>404</h1></body></html>");
    world.write(
        "in/dump.jsonl",
        (0..300).map(|n| line(n, 60)).collect::<String>() + "{\"id\":\"own\",\"text\":\"short\"}\nno JSON\n",
    );
    world
}

#[test]
fn a_page_by_its_id_with_what_went_and_what_was_measured() {
    let world = world();
    let ran = world.tamis(&["explain", "p.toml", "pages/a.html"]).exits(0);
    for part in [
        "pages/a.html  ",
        " 1 html-extract",
        "   - Home\n   - Walks\n     The path leaves the village",
        " 2 repair-text",
        " 3 length",
        "at least 20 (min_chars)",
        "\nkept 1",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains('\u{1b}'), "{}", ran.stdout);
    // Nothing was written: no run has been made.
    assert!(!world.path("out").exists());
}

#[test]
fn ids_of_the_user_and_ids_with_a_place_are_found_with_and_without_a_run() {
    let world = world();
    let before: usize = (0..300).map(|n| line(n, 60).len()).sum();
    let broken = format!("dump.jsonl#{}", before + "{\"id\":\"own\",\"text\":\"short\"}\n".len());
    let check = |is_run: bool| {
        let own = world.tamis(&["explain", "p.toml", "own"]).exits(0).stdout;
        assert!(own.contains("own  5 characters in dump.jsonl\n"), "{own}");
        assert!(own.contains("✗\n") && own.ends_with("dropped by length: too-short\n"), "{own}");
        assert_eq!(
            own.contains("In the run in `out` it was dropped by `length`: too-short."),
            is_run,
            "{own}"
        );
        let letter = world.tamis(&["explain", "p.toml", &broken]).exits(0).stdout;
        assert!(letter.contains("\nfailed by auto: "), "{letter}");
    };
    check(false);
    world.run(&[]).exits(0);
    check(true);
}

#[test]
fn a_line_of_what_was_dropped_or_failed_leads_back_to_its_input() {
    let world = world();
    world.run(&[]).exits(0);
    let explain = |export: &str, record: &str| {
        let file = format!("out/{export}/part-00000.jsonl");
        world.tamis(&["explain", "p.toml", &file, "--record", record]).exits(0).stdout
    };
    let ids = world.ids("out/__dropped");
    let page = ids.iter().position(|id| id == "pages/b.html").unwrap() + 1;
    // Not the text that was left of it: the page.
    let dropped = explain("__dropped", &page.to_string());
    assert!(dropped.contains("pages/b.html  ") && dropped.contains("1 html-extract"), "{dropped}");
    assert!(dropped.ends_with("dropped by length: too-short\n"), "{dropped}");
    assert!(explain("__failed", "1").contains("failed by auto: "));
    // When the input is gone, the record as the export has it.
    std::fs::remove_file(world.path("in/pages/b.html")).unwrap();
    let gone = explain("__dropped", &page.to_string());
    assert!(
        gone.contains("It is no longer in the inputs") && gone.contains("`length` took it out"),
        "{gone}"
    );
    assert!(gone.ends_with("dropped by length: too-short\n"), "{gone}");
}

#[test]
fn files_and_standard_input_need_not_be_inputs_of_the_pipeline() {
    let world = world();
    world.write("elsewhere/page.html", PAGE);
    let file = world.tamis(&["explain", "p.toml", "elsewhere/page.html"]).exits(0).stdout;
    assert!(file.contains("page.html  ") && file.contains("   - Walks\n"), "{file}");
    let third = world.tamis(&["explain", "p.toml", "in/dump.jsonl", "--record", "301"]).exits(0).stdout;
    assert!(third.starts_with("own  "), "{third}");
    let none = world.tamis(&["explain", "p.toml", "in/dump.jsonl", "--record", "999"]).exits(2).stderr;
    assert!(none.contains("`in/dump.jsonl` has no record number 999"), "{none}");
    let missing = world.tamis(&["explain", "p.toml", "pages/c.html"]).exits(2).stderr;
    assert!(missing.contains("there is no file `pages/c.html`, and no record with this id"), "{missing}");
    let other = world.tamis(&["explain", "p.toml", "page.html", "elsewhere"]).exits(0).stdout;
    assert!(other.contains("   - Walks\n"), "{other}");
}

#[test]
fn corpus_stages_judge_alone_unless_all_are_read() {
    let world = World::with(&PIPELINE.replace("use = \"html-extract\"", "use = \"dedup-exact\""));
    world.write("in/a.txt", "The same text, at two addresses.\n");
    world.write("in/b.txt", "The same text, at two addresses.\n");
    let alone = world.tamis(&["explain", "p.toml", "b.txt"]).exits(0).stdout;
    assert!(alone.contains("`dedup-exact` judges by all documents") && alone.contains("\nkept "), "{alone}");
    let all = world.tamis(&["explain", "p.toml", "b.txt", "--all"]).exits(0).stdout;
    assert!(!all.contains("judges by all") && all.contains("\ndropped by dedup-exact: duplicate"), "{all}");
    assert_eq!(all.matches("b.txt  ").count(), 1, "{all}");
    assert!(!world.path("out").exists());
}

#[test]
fn a_page_of_html_says_the_same() {
    let world = world();
    let ran = world.tamis(&["explain", "p.toml", "pages/a.html", "-o", "x.html"]).exits(0);
    assert_eq!(ran.stdout, "x.html\n");
    let page = world.read("x.html");
    for part in ["<del>Walks</del>", "at least 20 (min_chars)", "<b>kept</b>", "html-extract"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let printed = world.tamis(&["explain", "p.toml", "pages/a.html", "-o", "-"]).exits(0);
    assert!(printed.stdout.starts_with("<!doctype html>"));
}

#[test]
fn a_rule_of_several_parts_is_shown_with_what_decided() {
    let world = World::with(&PIPELINE.replace("\"repair-text\"", "\"judge\"\npresets = [\"web-zh\"]"));
    let menu: Vec<String> = (0..12).map(|n| format!("第{n}章：河边的磨坊。\n")).collect();
    let record = serde_json::json!({ "id": "menu", "text": menu.concat() + "一二三四五六七八九十。", "language": "zh-Hans" });
    world.write("in/dump.jsonl", format!("{record}\n"));
    let ran = world.tamis(&["explain", "p.toml", "menu"]).exits(0);
    for part in [
        "     web-zh:menu\n     filled_lines >= enough_lines && short_line_ratio > max_short_line_ratio && ",
        "where filled_lines = 13, enough_lines = 10, short_line_ratio = 1, max_short_line_ratio = 0.8, mean_line_chars = ",
        "handed on as it is: the text is no page with markup",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    let page = world.tamis(&["explain", "p.toml", "menu", "-o", "-"]).exits(0).stdout;
    assert!(page.contains("max_short_line_ratio") && page.contains("It was dropped because"), "{page}");
    let preset = world.tamis(&["stages", "judge", "--preset", "web-zh"]).exits(0).stdout;
    assert!(
        preset.contains("\nmax_short_line_ratio = 0.8\n") && preset.contains("reason = \"menu\""),
        "{preset}"
    );
    world.tamis(&["stages", "judge", "--preset", "web-xx"]).exits(2).says(&["there are gopher, c4"]);
    world.tamis(&["stages", "length", "--preset", "c4"]).exits(2).says(&["`length` has no presets"]);
    world.tamis(&["explain", "p.toml", "in"]).exits(2).says(&["`in` is a folder"]);
}

#[test]
fn a_page_without_structure_is_said_to_be_handed_on() {
    let world = world();
    let lines: Vec<String> =
        (0..40).map(|n| format!("Line {n} of a page that was flattened once.\n")).collect();
    world.write("in/pages/flat.html", format!("<html><body><div>{}</div></body></html>", lines.concat()));
    let ran = world.tamis(&["explain", "p.toml", "pages/flat.html"]).exits(0);
    assert!(ran.stdout.contains("handed on with all its lines: one element holds"), "{}", ran.stdout);
}
