//! The chapter of the book that shows every measure: what it is, and how it is spread over invented pages.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};
use clap::Parser;
use serde_json::{Value, json};

use crate::{bench, root};

/// So many invented pages, which are the same every time.
const PAGES: u64 = 2_000;

/// Stages that measure, with the options that have them measure all that they can. Those that drop
/// most come last.
const STAGES: &str = r#"
[[stage]]
use = "language"

[[stage]]
use = "boilerplate"

[[stage]]
use = "line-template"
group_by = "site"

[[stage]]
use = "length"
min_chars = 200

[[stage]]
use = "line-judge"

[[stage]]
use = "mask"

[[stage]]
use = "dedup-near"

[[stage]]
use = "judge"
presets = ["gopher", "c4", "fineweb", "web-en", "web-zh", "chinese-web-text", "map-neo"]
mode = "annotate"
"#;

/// Writes the chapter on measures.
#[derive(Parser)]
struct Arguments {
    /// The program that measures.
    #[arg(long, default_value = "target/release/tamis")]
    program: PathBuf,
}

/// A measure on the page of a run.
struct Shown {
    name: String,
    svg: String,
    quantiles: String,
}

impl Shown {
    /// The value that all documents have, if they have one.
    fn only_value(&self) -> Option<&str> {
        let least = self.quantiles.strip_prefix("least ")?.split(' ').next()?;
        (self.quantiles.rsplit(' ').next() == Some(least)).then_some(least)
    }
}

pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    let Arguments { program } =
        Arguments::parse_from(std::iter::once(&"cargo xtask measures").chain(arguments));
    let program = root().join(program);
    let folder = tempfile::tempdir()?;
    let mut documents = String::new();
    for number in 0..PAGES {
        let page = bench::invented(number);
        let site = page.path.split('/').next().unwrap_or_default();
        let text = spoiled(&page.text, number);
        documents += &json!({ "text": text, "url": page.url, "site": site }).to_string();
        documents.push('\n');
    }
    std::fs::write(folder.path().join("pages.jsonl"), documents)?;
    let pipeline = folder.path().join("measures.toml");
    let text = format!(
        "[[source]]\nuse = \"jsonl\"\npaths = [\"pages.jsonl\"]\n{STAGES}\n\
         [[export]]\nuse = \"jsonl\"\npath = \"out\"\n\n[run]\nreport = true\n"
    );
    std::fs::write(&pipeline, text)?;
    let status = Command::new(&program).args(["run", "--quiet"]).arg(&pipeline).status();
    let status = status.with_context(|| format!("cannot start `{}`", program.display()))?;
    if !status.success() {
        bail!("`{}` ended with {status}", program.display());
    }
    let page = std::fs::read_to_string(folder.path().join("out/__report.html"))?;
    let chapter = chapter(&program, &page)?;
    let file = root().join("crates/cli/book/src/measures.md");
    std::fs::write(&file, chapter)?;
    println!("{}", file.display());
    Ok(())
}

/// A page as pages are that rules look for: of every twelve, eight are spoiled each in a way of its own, in a share of
/// their lines that grows from none to all.
fn spoiled(text: &str, number: u64) -> String {
    let share = number / 12 % 11;
    let mut out = String::new();
    for (index, line) in (0..).zip(text.lines()) {
        let is_spoiled = index * 7 % 10 < share;
        let first = text.lines().next().unwrap_or_default();
        match number % 12 {
            _ if !is_spoiled => out += line,
            0 => out += &format!("• {line}"),
            1 => out += &format!("{}…", line.trim_end_matches(['.', '。'])),
            2 => out += first,
            3 => out += &line.to_uppercase(),
            4 => out += &format!("#tag #{index} {line}"),
            5 => {
                out += &format!(
                    "{index} 12.5 % 2026-11-02 {}",
                    line.chars().filter(|c| !c.is_alphabetic()).collect::<String>()
                );
            }
            6 => out += &line.chars().take(12).collect::<String>(),
            7 => out += line.trim_end_matches(['.', '。', '!', '?', '！', '？']),
            _ => out += line,
        }
        out.push('\n');
    }
    out
}

/// What the program says that each of its stages measures: name, unit, sentence, options.
fn declared(program: &Path) -> anyhow::Result<BTreeMap<String, Vec<Value>>> {
    let output = Command::new(program).args(["stages", "--json"]).output()?;
    let stages: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    let measures = |stage: &Value| {
        let name = stage["name"].as_str()?.to_owned();
        let measures = stage["measures"].as_array().filter(|all| !all.is_empty())?.clone();
        Some((name, measures))
    };
    Ok(stages.iter().filter_map(measures).collect())
}

fn chapter(program: &Path, page: &str) -> anyhow::Result<String> {
    let mut chapter = HEAD.to_owned();
    for (stage, measures) in declared(program)? {
        let article = article(page, &stage);
        let shown = article.map(shown).unwrap_or_default();
        let _ = writeln!(chapter, "\n## {stage}\n");
        for measure in &measures {
            let word = |key: &str| measure[key].as_str().unwrap_or_default();
            let (name, unit) = (word("name"), word("unit"));
            let unit = if unit.is_empty() { String::new() } else { format!(", in {unit}") };
            let options: Vec<String> = ["min_option", "max_option"]
                .into_iter()
                .map(word)
                .filter(|option| !option.is_empty())
                .map(|option| format!("`{option}`"))
                .collect();
            let limits =
                if options.is_empty() { String::new() } else { format!(" Limits: {}.", options.join(", ")) };
            let _ = writeln!(chapter, "**`{name}`**{unit}. {}{limits}\n", word("summary"));
            let family = name.strip_suffix('*');
            let is_it = |it: &&Shown| family.map_or(it.name == name, |family| it.name.starts_with(family));
            for it in shown.iter().filter(is_it).take(MOST_OF_FAMILY) {
                // A picture of one bar shows nothing.
                if let Some(only) = it.only_value() {
                    let _ = writeln!(chapter, "{only} for every page of the sample.\n");
                    continue;
                }
                let caption = if family.is_some() {
                    format!("`{}`: {}", it.name, it.quantiles)
                } else {
                    it.quantiles.clone()
                };
                let _ = writeln!(chapter, "{}\n\n{caption}\n", it.svg);
            }
        }
    }
    Ok(chapter.trim_end().to_owned() + "\n")
}

/// So many members of a family are shown, such as the kinds that a stage counts.
const MOST_OF_FAMILY: usize = 2;

/// The part of the page of a run that is about a stage.
fn article<'a>(page: &'a str, stage: &str) -> Option<&'a str> {
    let rest =
        page.split("<article>").find(|rest| rest.trim_start().starts_with(&format!("<h3>{stage}<")))?;
    rest.split("</article>").next()
}

fn shown(article: &str) -> Vec<Shown> {
    let figures = article.split("<figure class=\"measure\">").skip(1);
    figures
        .filter_map(|figure| {
            let between = |from: &str, to: &str| Some(figure.split_once(from)?.1.split_once(to)?.0);
            let name = between("<figcaption><b>", "</b>")?.to_owned();
            let svg = figure.get(figure.find("<svg")?..figure.find("</svg>")? + "</svg>".len())?;
            let quantiles = between("<dl class=\"quantiles\">", "</dl>")?;
            let quantiles =
                quantiles.replace("<div><dt>", "").replace("</dt><dd>", " ").replace("</dd></div>", " · ");
            let quantiles = quantiles.trim().trim_end_matches('·').trim().to_owned();
            Some(Shown { name, svg: without_titles(svg), quantiles })
        })
        .collect()
}

/// A picture without what a bar says when it is pointed at: half of its bytes.
fn without_titles(svg: &str) -> String {
    let mut out = String::new();
    for (index, part) in svg.split("<title>").enumerate() {
        out += if index == 0 { part } else { part.split_once("</title>").map_or("", |(_, rest)| rest) };
    }
    out.replace("></rect>", "/>")
}

const HEAD: &str = r"<!-- Written by `cargo xtask measures`. -->
<style>
.histogram { width: 100%; max-width: 30rem; height: auto; overflow: visible; font: 12px system-ui, sans-serif; }
.histogram .bar { fill: #6f94b3; } .histogram .axis { fill: currentColor; } .histogram line.axis { stroke: currentColor; opacity: .35; }
.histogram line.limit { stroke: #a8520d; stroke-width: 1.5; stroke-dasharray: 4 3; } .histogram text.limit { fill: #a8520d; }
</style>

# What is measured

A stage that judges by a number says how it is called, what its unit is, and which option is its limit. The number is noted for every document that it sees, kept or not: `tamis report` draws how it is spread, `tamis advise` proposes limits, `preview --serve` has a slider for each, `where` and `quantile` and the rules of `judge` take it by its name.

The sentence behind a name is its definition. A *share* goes from 0 to 1. Characters are Unicode scalar values; lines are those of the text as the stage sees it.

The pictures show 2,000 invented pages, flattened, half of them Chinese, as `cargo xtask bench` makes them; of every twelve, eight are spoiled on purpose, each in a way of its own and in a share of its lines: bullets, ellipses, lines that come again, capitals, hashtags, numbers, lines cut short, ends without a mark. So they show what a measure looks like where something answers to it, not what is usual on the web. Dashed lines are the limits of the options that were given or are the default. What no picture is shown of was not met in them, or needs a file of yours.
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn measures_are_found_on_the_page_of_a_run() {
        let page = concat!(
            "<article>\n    <h3>length</h3><figure class=\"measure\">\n<figcaption><b>chars</b> <small>characters</small></figcaption>\n",
            "<svg class=\"histogram\"><rect x=\"1\"><title>3 records</title></rect></svg>\n",
            "<dl class=\"quantiles\"><div><dt>least</dt><dd>1</dd></div><div><dt>half</dt><dd>5</dd></div></dl></figure></article>",
            "<article><h3>length-2 <small>length</small></h3></article>",
        );
        let found = shown(article(page, "length").expect("an article"));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, "chars");
        assert_eq!(found[0].svg, "<svg class=\"histogram\"><rect x=\"1\"/></svg>");
        assert_eq!(found[0].quantiles, "least 1 · half 5");
        assert_eq!(found[0].only_value(), None);
        let zero = Shown {
            name: String::new(),
            svg: String::new(),
            quantiles: "least 0 · half 0 · most 0".to_owned(),
        };
        assert_eq!(zero.only_value(), Some("0"));
        assert!(article(page, "mask").is_none());
    }
}
