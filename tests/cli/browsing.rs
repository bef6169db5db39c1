//! The pages that commands make, in a real browser: by keyboard, with a filter, and by the rules of accessibility.

#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::process::Command;

use crate::looking::{Served, world};
use crate::world::World;

/// A browser; none where there is none, and that is said.
fn browser() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let runs =
        |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|ran| ran.status.success());
    let found = names.into_iter().find(|name| runs(name));
    if found.is_none() {
        eprintln!("SKIPPED: no Chromium on this machine");
    }
    found
}

/// The title of a page once its scripts have run.
fn title(browser: &str, world: &World, file: &str, more: &[&str]) -> String {
    let profile = tempfile::tempdir().unwrap();
    let ran = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
        ])
        .args(["--disable-component-update", "--disable-sync", "--disable-quic", "--dump-dom"])
        .args(more)
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", world.path(file).display()))
        .output()
        .unwrap();
    let page = String::from_utf8_lossy(&ran.stdout).into_owned();
    let title = page.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next());
    title.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&ran.stderr))).to_owned()
}

/// What is done on the page as somebody would, and what it says of its place after each step.
const STEPS: &str = r#"<script>
const told = [], tell = () => told.push(document.getElementById("place").textContent);
const key = (key) => { document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })); tell(); };
const set = (id, value, event) => {
  const field = document.getElementById(id);
  field.value = value;
  field.dispatchEvent(new Event(event, { bubbles: true }));
  tell();
};
tell();
key("j"); key("ArrowRight"); key("k");
document.getElementById("next").click(); tell();
set("cause", "fate:dropped", "change");
set("search", "渡船", "input");
set("search", "nowhere", "input");
set("cause", "", "change"); set("search", "", "input");
const shown = [...document.querySelectorAll("article.document")].filter((it) => !it.hidden);
document.title = told.join("|") + "|" + shown.map((it) => it.id).join(",");
</script>"#;

#[test]
fn a_preview_is_gone_through_by_keyboard_filter_and_search_in_a_browser() {
    let Some(browser) = browser() else { return };
    let world = world();
    world.tamis(&["preview", "p.toml", "-n", "1000", "-o", "page.html"]).exits(0);
    world.write("page.html", world.read("page.html").replace("</body>", &format!("{STEPS}</body>")));
    let expected = "5 of 41|6 of 41|7 of 41|6 of 41|7 of 41|1 of 3|1 of 2|none|none|1 of 41|d1";
    assert_eq!(title(browser, &world, "page.html#d5", &[]), expected);
}

/// Which rules a page breaks, and where.
const RULES: &str = r#"<script>
document.title = "not checked";
axe.run().then((found) => {
  const broken = found.violations.map((it) => it.id + " at " + it.nodes.map((node) => node.target).join(", "));
  document.title = found.passes.length + " rules hold" + broken.map((it) => "; broken: " + it).join("");
}).catch((error) => { document.title = String(error); });
</script>"#;

#[test]
fn the_pages_hold_to_the_rules_of_accessibility() {
    let Some(browser) = browser() else { return };
    let Some(axe) = std::env::var_os("TAMIS_AXE") else {
        eprintln!("SKIPPED: TAMIS_AXE does not name the file `axe.min.js` of the npm package axe-core");
        return;
    };
    let axe = std::fs::read_to_string(axe).unwrap().replace("</script>", "<\\/script>");
    let world = world();
    world.tamis(&["run", "p.toml"]).exits(0);
    world.tamis(&["run", "p.toml", "-o", "other", "--set", "stage.length.min_chars=400"]).exits(0);
    world.tamis(&["report", "out", "-o", "report.html"]).exits(0);
    world.tamis(&["diff", "out", "other", "-o", "diff.html"]).exits(0);
    world.tamis(&["explain", "p.toml", "d7", "-o", "explain.html"]).exits(0);
    world.tamis(&["preview", "p.toml", "-o", "preview.html"]).exits(0);
    world.write("served.html", Served::start(&world).page());
    for file in ["report", "diff", "explain", "preview", "served"].map(|name| format!("{name}.html")) {
        let page = world.read(&file);
        world.write(&file, page.replace("</body>", &format!("<script>{axe}</script>{RULES}</body>")));
        for colours in ["--window-size=1200,1000", "--blink-settings=preferredColorScheme=0"] {
            let title = title(browser, &world, &file, &["--virtual-time-budget=60000", colours]);
            assert!(title.ends_with(" rules hold"), "{file} {colours}: {title}");
        }
    }
}
