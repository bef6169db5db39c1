//! From what the inputs are to the stages that an expert would take, tried on the sample before any is proposed.
//!
//! All stages that the kind of input may need go over the sample once; what they did there decides which of them stay,
//! and stands in the comments of the pipeline.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tamis_config::Diagnostics;
use tamis_document::{Record, Value};

use super::apart::Apart;
use super::effects::{Effect, Effects};
use super::look::{Look, most_frequent};
use super::pipeline::{pipeline, plan, quoted};
use super::sites::SITES;
use crate::alike;
use crate::context::{Context, logged_run};
use crate::names::plural;

/// What the documents are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// Sources of pages, and perhaps text with nothing around it.
    Pages,
    /// Sources of pages, and pages that were flattened to text.
    Both,
    /// Pages that were flattened to text.
    Flattened,
    /// Text with nothing around it.
    Text,
}

/// A stage that is proposed.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) name: &'static str,
    /// Its options, a line each.
    pub(super) options: String,
    /// Why it is there, a line each.
    pub(super) comment: String,
}

/// What came of the sample.
pub(super) struct Tried {
    pub(super) nature: Nature,
    pub(super) items: Vec<Item>,
    /// Names of the rule files that are needed.
    pub(super) rules: Vec<&'static str>,
    /// Languages by the number of documents.
    pub(super) languages: Vec<(String, usize)>,
    /// Sites by the number of documents.
    pub(super) sites: Vec<(String, usize)>,
    /// Documents whose text another one has, too.
    pub(super) n_copies: usize,
    /// Documents that begin or end as others do, and nothing that is proposed changes that.
    pub(super) n_framed: usize,
    pub(super) n_documents: usize,
}

/// The share of the documents that are the source of pages from which all others are few enough not to matter.
const ALL_PAGES: f64 = 0.95;
/// The share of the other documents that cleaning must change for these to be flattened pages.
const LEAST_CLEANED: f64 = 0.2;
/// The share of the characters that cleaning must take away for texts to be pages and not text alone.
const LEAST_AROUND: f64 = 0.03;
/// The share of the characters in lines that several documents have, behind all cleaning, from which a stage that learns
/// such lines is worth its passes.
const MOST_REPEATED: f64 = 0.04;
/// So many documents must have a line for it to count as repeated, and so many documents there must be; `line-template`
/// asks for as many as the first.
const REPEATED: (usize, usize) = (3, 12);

/// So many pages of a sample tell what pages of their site have in common, and so many of one site (`min_pages` of
/// `site-template`).
const LEAST_PAGES: (usize, usize) = (30, 5);
/// The share of the pages that must be of such sites.
const LEAST_OF_SITES: f64 = 0.25;
/// Pages that only lead to another one are small, and tell it to the browser.
const REDIRECTS: &str = r#"drop = 'size(text) < 5000 && text.matches(r"(?is)<meta[^>]*(refresh[^>]*url=|url=[^>]*refresh)")'
reason = "redirect"
any_order = true"#;
/// So many repeated lines must a document have for `line-template` to find others that look alike (`min_shared_lines`).
const LEAST_LINES: usize = 5;
/// So many languages are named that could be kept.
const MOST_KEPT: usize = 3;
/// So many files that cannot be read are named.
const MOST_UNREADABLE: usize = 4;
/// How long a line of a comment is, in characters.
const COLUMNS: usize = 100;

pub(super) fn item(name: &'static str, options: &str, comment: &str) -> Item {
    Item { name, options: options.to_owned(), comment: comment.to_owned() }
}

/// Which documents are the source of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pages {
    None,
    Some,
    /// All but a few.
    All,
}

impl Pages {
    fn of(look: &Look, n_records: usize) -> Self {
        match look.pages.len() {
            0 => Self::None,
            n if n as f64 >= ALL_PAGES * n_records as f64 => Self::All,
            _ => Self::Some,
        }
    }
}

/// Stages for the source of pages.
const FOR_PAGES: [&str; 3] = ["where", "html-metadata", "html-extract"];
/// Stages for pages that were flattened to text, and then for all texts.
const FOR_TEXT: [&str; 10] = [
    "unwrap",
    "site-rules",
    "newspaper-page",
    "metadata",
    "boilerplate",
    "recover-paragraphs",
    "repair-text",
    "published-date",
    "length",
    "language",
];

/// All stages that documents of a kind may need, in order; `rules` are files of `site-rules`.
fn candidates(pages: Pages, rules: &[PathBuf]) -> Vec<Item> {
    let is_for_all =
        |name: &&str| ["boilerplate", "repair-text", "published-date", "length", "language"].contains(name);
    let names: Vec<&'static str> = match pages {
        Pages::None => FOR_TEXT.to_vec(),
        Pages::Some => [&FOR_PAGES[..], &FOR_TEXT].concat(),
        Pages::All => FOR_PAGES.into_iter().chain(FOR_TEXT.into_iter().filter(is_for_all)).collect(),
    };
    let rules: Vec<String> = rules.iter().map(|path| quoted(&path.to_string_lossy())).collect();
    let options = |name: &str| match name {
        "site-rules" => format!("rules = [{}]", rules.join(", ")),
        "where" => REDIRECTS.to_owned(),
        "published-date" => "labelled = false".to_owned(),
        "metadata" if pages == Pages::Some => "skip_cleaned = true".to_owned(),
        _ => String::new(),
    };
    names.into_iter().map(|name| item(name, &options(name), "")).collect()
}

/// Tries the stages on the sample and keeps those that are needed.
pub(super) fn tried(
    context: &Context,
    inputs: &[PathBuf],
    look: &Look,
) -> anyhow::Result<Result<Tried, Diagnostics>> {
    let scratch = tempfile::tempdir()?;
    let mut rules = Vec::new();
    for (name, content) in SITES {
        let path = scratch.path().join(format!("{name}.toml"));
        std::fs::write(&path, content)?;
        rules.push(path);
    }
    let records = look.records();
    let items = candidates(Pages::of(look, records.len()), &rules);
    let stages: String = items.iter().map(|item| stage(item, false)).collect();
    let planned = match plan(context, &pipeline("use = \"auto\"", &stages), inputs) {
        Ok(planned) => planned,
        Err(diagnostics) => return Ok(Err(diagnostics)),
    };
    let effects = Effects::new(look.pages.clone());
    let records = tamis_runner::pass(planned.open(&logged_run())?, records, scratch.path(), &effects)?;
    Ok(Ok(decided(look, items, &effects.finish(), &records)))
}

/// A stage as it stands in the file.
pub(super) fn stage(item: &Item, with_comment: bool) -> String {
    let comment: String = if with_comment { commented(&item.comment) } else { String::new() };
    let options = if item.options.is_empty() { String::new() } else { format!("{}\n", item.options) };
    format!("\n{comment}[[stage]]\nuse = \"{}\"\n{options}", item.name)
}

/// A comment in lines.
pub(super) fn commented(text: &str) -> String {
    let mut lines = vec![String::from("#")];
    for word in text.split(' ') {
        let length = |text: &str| text.chars().count();
        match lines.last_mut() {
            Some(line) if length(line) + length(word) < COLUMNS => *line += &format!(" {word}"),
            _ => lines.push(format!("# {word}")),
        }
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

/// Which stages stay, by what they did.
fn decided(look: &Look, items: Vec<Item>, effects: &BTreeMap<String, Effect>, records: &[Record]) -> Tried {
    let none = Effect::default();
    let of = |name: &str| effects.get(name).unwrap_or(&none);
    let kept: Vec<&Record> = records.iter().filter(|record| record.is_kept()).collect();
    let matched: BTreeSet<&str> = of("site-rules").sites.keys().map(String::as_str).collect();
    // What pages share is for the stages that see their elements.
    let is_text = |record: &&Record| !look.pages.contains(&*record.document.id);
    let texts: Vec<&Record> = kept.iter().copied().filter(is_text).collect();
    let repeated = repeated(&texts, look.url.is_some());
    let n_framed = alike::framed(texts.iter().map(|record| record.document.text.as_str()));
    let nature = nature(look, records.len(), effects, n_framed > 0 || repeated > MOST_REPEATED);
    let has_flattened = [Nature::Flattened, Nature::Both].contains(&nature);
    let rules = rules(&matched, of("site-rules"));
    let (languages, n_copies) = (counted(&kept, language), copies(&kept));
    let has_dates = look.rename.contains("\"published_raw\"")
        || look.apart.iter().any(|apart| apart.mapping.gives("published_raw"));
    let mut chosen: Vec<Item> = items
        .into_iter()
        .filter(|item| is_needed(item.name, nature, of(item.name), has_dates))
        .map(|item| explained(item, look, of, &rules, kept.len()))
        .collect();
    learn_sites(&mut chosen, look, &kept);
    let learns_lines = has_flattened && repeated > MOST_REPEATED;
    judge(&mut chosen, look, &languages, kept.len());
    let copies = again(look, n_copies, kept.len());
    if learns_lines {
        learn_lines(&mut chosen, look, repeated, copies);
    } else {
        chosen.extend(copies);
    }
    let has_rules = chosen.iter().any(|item| item.name == "site-rules");
    Tried {
        nature,
        items: chosen,
        rules: if has_rules { rules } else { Vec::new() },
        sites: sites(&kept, look.url.as_deref()),
        languages,
        n_copies,
        n_framed: if learns_lines { 0 } else { n_framed },
        n_documents: kept.len(),
    }
}

/// What the documents are, by what cleaning does to them and what is left.
fn nature(look: &Look, n_records: usize, effects: &BTreeMap<String, Effect>, is_alike: bool) -> Nature {
    let n_changed = |name: &str| effects.get(name).map_or(0, |it| it.n_changed_texts);
    // A sign alone may stand on any page.
    let is_met = |it: &Effect| !it.sites.is_empty() && (it.n_changed_texts > 0 || !it.dropped.is_empty());
    let has_sites = effects.get("site-rules").is_some_and(is_met);
    // Menus that a model takes for text are what documents have in common.
    let is_flattened = |share: f64| share >= LEAST_AROUND || is_alike || has_sites;
    match Pages::of(look, n_records) {
        Pages::All => Nature::Pages,
        Pages::Some => {
            let n_others = n_records - look.pages.len().min(n_records);
            let n_cleaned: usize = CLEANERS.iter().map(|name| n_changed(name)).sum();
            let share = n_cleaned as f64 / n_others.max(1) as f64;
            if share >= LEAST_CLEANED || has_sites { Nature::Both } else { Nature::Pages }
        }
        Pages::None if is_flattened(around(effects)) => Nature::Flattened,
        Pages::None => Nature::Text,
    }
}

/// Stages that take away what stands around texts.
const CLEANERS: [&str; 3] = ["site-rules", "newspaper-page", "boilerplate"];

/// The share of the characters that stand around texts.
fn around(effects: &BTreeMap<String, Effect>) -> f64 {
    let cut = |name: &str| effects.get(name).map_or(0, |it| it.chars.0.saturating_sub(it.chars.1));
    let all = effects.get("site-rules").map_or(0, |it| it.chars.0).max(1);
    CLEANERS.map(cut).iter().sum::<usize>() as f64 / all as f64
}

fn is_needed(name: &str, nature: Nature, effect: &Effect, has_dates: bool) -> bool {
    let has_effect = effect.n_changed > 0 || !effect.dropped.is_empty();
    let has_flattened = [Nature::Flattened, Nature::Both].contains(&nature);
    match name {
        "where" | "unwrap" | "newspaper-page" => has_effect,
        "site-rules" => has_effect && has_flattened,
        "boilerplate" if nature == Nature::Pages => has_effect,
        "published-date" => has_flattened || has_dates,
        "boilerplate" | "metadata" | "recover-paragraphs" => has_flattened,
        // Only where it decides something; see `judge`.
        "language" => false,
        _ => true,
    }
}

/// The rule files whose sites were seen, and those for what stands in place of an article.
fn rules(matched: &BTreeSet<&str>, effect: &Effect) -> Vec<&'static str> {
    let is_needed = |name: &str| {
        let of_site = name.strip_suffix("-errors").is_some_and(|site| matched.contains(site));
        matched.contains(name) || of_site || (name == "error-pages" && !effect.dropped.is_empty())
    };
    SITES.iter().map(|(name, _)| *name).filter(|name| is_needed(name)).collect()
}

/// A stage with its options and with what it did.
fn explained<'e>(
    mut item: Item,
    look: &Look,
    of: impl Fn(&str) -> &'e Effect,
    rules: &[&str],
    n_kept: usize,
) -> Item {
    let effect = of(item.name);
    let (n, seen) = (effect.n_changed, effect.n_seen);
    let cut = 100 * effect.chars.0.saturating_sub(effect.chars.1) / effect.chars.0.max(1);
    let changed = format!("Changed {n} of {seen} documents of the sample");
    item.comment = match item.name {
        "where" => format!(
            "Pages that only lead to another one: {} of {seen}.",
            effect.dropped.values().sum::<usize>()
        ),
        "html-metadata" => format!(
            "Title, author, dates, language …, as far as pages say so: {} of {seen} did. Before the next stage, which takes \
             the markup away.",
            effect.n_fields
        ),
        "html-extract" => {
            "The main content. `output = \"markdown\"` keeps headings, lists, tables and emphasis; then \
                           `repair-text` must leave lines alone (`tamis stages html-extract`)."
                .to_owned()
        }
        "unwrap" => format!("Texts that were dumped as literals (`\\n` for the end of a line). {changed}."),
        "site-rules" => {
            let files: Vec<String> = rules.iter().map(|name| quoted(&format!("sites/{name}.toml"))).collect();
            item.options = format!("rules = [{}]", files.join(", "));
            let sites: Vec<String> = effect.sites.iter().map(|(name, n)| format!("{name} {n}")).collect();
            format!(
                "Pages of sites that rule files know ({}): heads and tails go to the line, fields are captured. For a site of \
                 your own write such a file (`tamis stages site-rules`).",
                sites.join(", ")
            )
        }
        "newspaper-page" => {
            format!("Pages of digital newspapers: masthead, index, numbered sections. {changed}.")
        }
        "metadata" => format!(
            "Title, author, date and source of all other pages, while the whole page is still there. Found something in \
             {} of {seen}.",
            effect.n_fields
        ),
        "boilerplate" => format!(
            "Menus, footers, lists of links around the text. {changed}, {cut} % of the characters. Pages of which it is not \
             sure pass whole."
        ),
        "recover-paragraphs" => {
            "Cuts glued lines where paragraphs begin. Before `repair-text`, which takes the signs \
                                 away."
                .to_owned()
        }
        "repair-text" => {
            "White space, invisible characters, Unicode form, damaged fonts, ends of lines inside sentences."
                .to_owned()
        }
        "published-date" => "`published_raw` becomes `published` where it is certain; relative dates need \
                             `crawl_date_field`."
            .to_owned(),
        "length" => {
            let min = if look.reader() == Some("warc") { 200 } else { 50 };
            item.options = format!("min_chars = {min}");
            format!(
                "Error pages and what has no text. Of the sample {} have less than 50 characters, and {n_kept} have more; \
                 `tamis report` shows how lengths are spread.",
                effect.dropped.values().sum::<usize>()
            )
        }
        _ => String::new(),
    };
    item
}

/// Puts a stage before `html-extract` that learns what the pages of a site share, if there are enough of them.
fn learn_sites(items: &mut Vec<Item>, look: &Look, kept: &[&Record]) {
    let pages: Vec<&Record> =
        kept.iter().copied().filter(|record| look.pages.contains(&*record.document.id)).collect();
    let sites = sites(&pages, look.url.as_deref());
    let n_known: usize = sites.iter().map(|(_, n)| n).filter(|n| **n >= LEAST_PAGES.1).sum();
    let is_enough = sites.is_empty() || n_known as f64 >= LEAST_OF_SITES * pages.len() as f64;
    let at = items.iter().position(|item| item.name == "html-extract");
    if let Some(at) = at.filter(|_| pages.len() >= LEAST_PAGES.0 && is_enough) {
        let comment = "What the pages of a site have in common, which tells `html-extract` what is menu and what is text. It \
                       must see all pages, so they are put aside on the disk and read again.";
        items.insert(at, item("site-template", "", comment));
    }
}

/// Puts stages before `boilerplate` that learn the lines which documents share: of each text one, or its paragraphs would
/// be such lines.
fn learn_lines(items: &mut Vec<Item>, look: &Look, share: f64, copies: Option<Item>) {
    let at = items.iter().position(|item| item.name == "boilerplate").unwrap_or(items.len());
    let group = look.url.as_ref().map(|url| format!("group_by = [{}]\n", quoted(url))).unwrap_or_default();
    let comment = format!(
        "The lines that pages of one site share: {:.0} % of the characters that all else would leave stand in such lines. It \
         must see all documents, so they are put aside on the disk and read again.",
        share * 100.0
    );
    let before =
        "The same text again, before the next stage takes what copies share for what pages of a site share.";
    let copies = copies.unwrap_or_else(|| exact(before));
    items.splice(at..at, [copies, item("line-template", &format!("{group}cluster = true"), &comment)]);
}

/// Tells languages apart where there are several.
fn judge(items: &mut Vec<Item>, look: &Look, languages: &[(String, usize)], n: usize) {
    let is_mixed = languages.iter().filter(|(_, n_of)| n_of * 50 >= n).count() > 1;
    if !is_crawl(look) && !is_mixed {
        return;
    }
    // The most frequent first, and of one language all scripts and countries at once.
    let mut keep: Vec<&str> = Vec::new();
    for name in languages.iter().filter_map(|(name, _)| name.split('-').next()) {
        if name != "und" && !keep.contains(&name) && keep.len() < MOST_KEPT {
            keep.push(name);
        }
    }
    let keep: Vec<String> = keep.into_iter().map(quoted).collect();
    let comment = format!(
        "The language of the text, in the field `language`. `keep = [{}]` would keep these alone.",
        keep.join(", ")
    );
    items.push(item("language", "", &comment));
}

fn is_crawl(look: &Look) -> bool {
    matches!(look.reader(), Some("warc" | "arc"))
}

/// Drops the same text again, where there is some, or where the sample is too small to hold any.
fn again(look: &Look, n_copies: usize, n: usize) -> Option<Item> {
    let seen = if n_copies > 0 {
        format!("{n_copies} of {n} documents of the sample, and more among all")
    } else if is_crawl(look) {
        "none in the sample, but crawls hold pages under several addresses".to_owned()
    } else if look.is_small_part() {
        "none in the sample, which is a small part of all".to_owned()
    } else {
        return None;
    };
    Some(exact(&format!(
        "The same text again: {seen}. For texts that are nearly the same there is `dedup-near`."
    )))
}

fn exact(comment: &str) -> Item {
    item("dedup-exact", "normalize = \"loose\"", comment)
}

/// Something of documents by how many have it, the most frequent first.
fn counted(records: &[&Record], of: impl Fn(&Record) -> Option<String>) -> Vec<(String, usize)> {
    most_frequent(records.iter().filter_map(|record| of(record)))
}

fn language(record: &Record) -> Option<String> {
    match record.document.metadata.get("language") {
        Some(Value::String(language)) => Some(language.clone()),
        _ => None,
    }
}

fn sites(records: &[&Record], url: Option<&str>) -> Vec<(String, usize)> {
    let host = |record: &Record| match url.and_then(|url| record.document.metadata.get(url)) {
        Some(Value::String(url)) => {
            let rest = url.split_once("://")?.1;
            rest.split(['/', '?', '#', ':']).next().map(str::to_lowercase)
        }
        _ => None,
    };
    counted(records, host)
}

/// How many documents have a text that one before them has.
fn copies(records: &[&Record]) -> usize {
    let mut seen = BTreeSet::new();
    let text = |record: &Record| record.document.text.split_whitespace().collect::<String>();
    records.iter().filter(|record| !seen.insert(text(record))).count()
}

/// The share of the characters that stand in lines which several documents have; 0 if a document has too few of them for
/// `line-template` to tell by them which documents go together, and nothing else tells.
fn repeated(records: &[&Record], has_groups: bool) -> f64 {
    // Copies have all their lines in common, which says nothing of templates.
    let mut seen = BTreeSet::new();
    let records: Vec<&Record> =
        records.iter().copied().filter(|record| seen.insert(&record.document.text)).collect();
    if records.len() < REPEATED.1 {
        return 0.0;
    }
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for record in &records {
        let own: BTreeSet<&str> = record.document.text.lines().map(str::trim).collect();
        for line in own {
            *lines.entry(line).or_default() += 1;
        }
    }
    let (mut n_repeated, mut n_all, mut n_lines) = (0, 0, 0);
    for line in records.iter().flat_map(|record| record.document.text.lines()).map(str::trim) {
        let n_chars = line.chars().count();
        n_all += n_chars;
        if lines[line] >= REPEATED.0 && n_chars > 0 {
            n_repeated += n_chars;
            n_lines += 1;
        }
    }
    let has_few = n_lines < LEAST_LINES * records.len() && !has_groups;
    if has_few { 0.0 } else { n_repeated as f64 / n_all.max(1) as f64 }
}

/// The sources as they stand in the file; `shown` makes a path what the file must call it.
pub(super) fn sources(look: &Look, inputs: &[PathBuf], shown: impl Fn(&Path) -> String) -> String {
    let mut sources = Vec::new();
    if look.has_others {
        sources.push(of_others(look, inputs, &shown));
    }
    let mut n_of: BTreeMap<&str, usize> = BTreeMap::new();
    for apart in &look.apart {
        let number = n_of.entry(&apart.reader).or_default();
        *number += 1;
        sources.push(of_apart(apart, *number, &shown));
    }
    sources.join("\n") + &unreadable(look)
}

/// The source of all files that have none of their own.
fn of_others(look: &Look, inputs: &[PathBuf], shown: impl Fn(&Path) -> String) -> String {
    let (name, comment) = match look.other_reader() {
        Some(reader) => {
            (reader, format!("# Every file of the sample is for `{reader}`; `auto` would look into each.\n"))
        }
        None => ("auto", "# Looks into each file; compressed and packed ones are opened.\n".to_owned()),
    };
    let is_apart = |input: &&PathBuf| look.apart.iter().any(|apart| apart.paths.contains(input));
    let paths: Vec<String> =
        inputs.iter().filter(|input| !is_apart(input)).map(|path| quoted(&shown(path))).collect();
    let apart = || look.apart.iter().flat_map(|apart| apart.exclude.iter().cloned());
    let is_left = |(is_there, what): (bool, &'static str)| is_there.then_some(what);
    let why = [
        (!look.unread.is_empty(), "files that no reader takes, each of which would be a dead letter"),
        (!look.assets.is_empty(), "style sheets and scripts, which would pass as text"),
        (apart().next().is_some(), "the files of the next sources"),
    ];
    let why: Vec<&str> = why.into_iter().filter_map(is_left).collect();
    let why = commented(&format!("Left out: {}.", why.join("; ")));
    let endings = look.unread.union(&look.assets).map(|ending| format!("*.{ending}"));
    let exclude = excluded(&why, endings.chain(apart()));
    format!("{comment}[[source]]\nuse = \"{name}\"\npaths = [{}]\n{exclude}{}", paths.join(", "), look.rename)
}

/// A list of patterns with its comment, if there are any.
fn excluded(comment: &str, patterns: impl Iterator<Item = String>) -> String {
    let patterns: Vec<String> = patterns.map(|pattern| quoted(&pattern)).collect();
    if patterns.is_empty() {
        String::new()
    } else {
        let line = format!("exclude = [{}]\n", patterns.join(", "));
        let is_short = line.chars().count() <= COLUMNS;
        let line =
            if is_short { line } else { format!("exclude = [\n    {},\n]\n", patterns.join(",\n    ")) };
        comment.to_owned() + &line
    }
}

/// A source for files whose records call their text otherwise.
fn of_apart(apart: &Apart, number: usize, shown: impl Fn(&Path) -> String) -> String {
    let paths: Vec<String> = apart.paths.iter().map(|path| quoted(&shown(path))).collect();
    let id = if number > 1 { format!("id = \"{}-{number}\"\n", apart.reader) } else { String::new() };
    let files = plural(apart.n_files as u64, "file", "files");
    let comment = commented(&format!(
        "{files} of the sample, whose records call their text otherwise. All other fields become metadata."
    ));
    format!(
        "{comment}[[source]]\n{id}use = \"{}\"\npaths = [{}]\n{}\n",
        apart.reader,
        paths.join(", "),
        apart.mapping.to_toml()
    )
}

/// Files of which no record can be read, as comments: what they need is for the user to say.
fn unreadable(look: &Look) -> String {
    let named = look.unreadable.iter().take(MOST_UNREADABLE);
    let lines: String =
        named.map(|it| commented(&format!("No record of `{}` can be read: {}", it.file, it.why))).collect();
    let more = match look.unreadable.len().saturating_sub(MOST_UNREADABLE) {
        0 => String::new(),
        more => format!("# And {more} more.\n"),
    };
    if lines.is_empty() { lines } else { format!("\n{lines}{more}") }
}

/// Writes the rule files that are needed into a folder beside the pipeline, unless they are there; those that were.
pub(super) fn write_rules(folder: &Path, rules: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let mut there = Vec::new();
    for (name, content) in SITES.iter().filter(|(name, _)| rules.contains(name)) {
        let path = folder.join(format!("{name}.toml"));
        std::fs::create_dir_all(folder)?;
        if !path.exists() {
            std::fs::write(&path, content)?;
        } else if std::fs::read_to_string(&path).ok().as_deref() != Some(content) {
            there.push(path);
        }
    }
    Ok(there)
}
