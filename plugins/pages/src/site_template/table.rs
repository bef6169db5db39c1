//! The table of what is known of sites: a file that can be read, changed and used again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use serde::Deserialize;
use tamis_plugin::Failure;
use toml::Spanned;

use super::paths::key_of;
use super::sites::{PathFacts, Site};

/// What the table is called in the folder that a run keeps.
pub(super) const FILE_NAME: &str = "sites.toml";
/// The version of its format.
const FORMAT: u32 = 1;

const HEAD: &str = "\
# What `site-template` has learned: for each site the paths of elements, those with most words first.
#
# The empty path is the body of a page itself.
#
#   pages    on how many pages something stands there
#   variety  how many different texts stand there, as a share of all: 0 is the same everywhere
#   likely   how likely they are content, 0 to 1; what you set here is what `html-extract` is told
#
# To use it again: `table = [\"sites.toml\"]`.
";

/// What is known of sites, by name.
pub(super) type Sites = BTreeMap<String, Site>;

/// Writes the table to a folder, which is made.
///
/// # Errors
///
/// When it cannot be written.
pub(super) fn write(sites: &Sites, folder: &Path) -> Result<(), Failure> {
    let temporary = folder.join(format!("{FILE_NAME}.part"));
    let written = || -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let mut file = File::create(&temporary)?;
        file.write_all(text(sites).as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temporary, folder.join(FILE_NAME))
    };
    written().map_err(|error| {
        Failure::new(format!(
            "the table `{}` cannot be written: {error}: make room there, and run the same command again",
            folder.join(FILE_NAME).display()
        ))
    })
}

/// The table as text.
fn text(sites: &Sites) -> String {
    let mut text = format!("{HEAD}\nformat = {FORMAT}\n");
    for (name, site) in sites {
        let name = quoted(name);
        // Writing to a string cannot fail.
        let _ = write!(text, "\n[[site]]\nname = {name}\npages = {}\npaths = [\n", site.n_pages);
        let mut paths: Vec<&PathFacts> = site.paths.values().collect();
        paths.sort_by(|a, b| b.n_words.cmp(&a.n_words).then_with(|| a.path.cmp(&b.path)));
        for PathFacts { path, n_pages, variety, likely, .. } in paths {
            let path = quoted(path);
            let _ = writeln!(
                text,
                "  {{ pages = {n_pages}, variety = {variety:.3}, likely = {likely:.3}, path = {path} }},"
            );
        }
        text.push_str("]\n");
    }
    text
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[derive(Debug, Deserialize)]
struct Version {
    format: Option<Spanned<u32>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "format")]
    _format: u32,
    #[serde(default)]
    site: Vec<WrittenSite>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSite {
    name: String,
    pages: Spanned<u64>,
    paths: Vec<WrittenPath>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPath {
    path: String,
    pages: Spanned<u64>,
    variety: Spanned<f64>,
    likely: Spanned<f64>,
}

/// Reads a table, and adds its sites to others.
///
/// # Errors
///
/// When it does not follow the format: all mistakes, each with its place.
pub(super) fn read(name: &str, text: &str, sites: &mut Sites) -> Result<(), String> {
    let place = |byte: usize| {
        let before = text.get(..byte.min(text.len())).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{name}:{line}:{column}")
    };
    // First the format, so that a table of a later one is not told that its keys are unknown.
    if let Ok(Version { format: Some(format) }) = toml::from_str::<Version>(text)
        && *format.get_ref() != FORMAT
    {
        let other = format.get_ref();
        return Err(format!(
            "{}: the table has format {other}, and this program reads format {FORMAT}: learn it again",
            place(format.span().start)
        ));
    }
    let table: Written = toml::from_str(text).map_err(|error| {
        let message = error.message().lines().next().unwrap_or_default().to_owned();
        format!("{}: {message}", place(error.span().map_or(0, |span| span.start)))
    })?;
    let mut mistakes: Vec<String> = Vec::new();
    for written in table.site {
        let site = read_site(&written, &mut |byte, message| {
            mistakes.push(format!("{}: {message}", place(byte)));
        });
        sites.insert(written.name, site);
    }
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes.join("\n")) }
}

fn read_site(written: &WrittenSite, mistake: &mut dyn FnMut(usize, String)) -> Site {
    let n_pages = *written.pages.get_ref();
    if n_pages == 0 {
        mistake(written.pages.span().start, "`pages` is 0, but a site has at least 1".to_owned());
    }
    let mut site = Site { n_pages, paths: BTreeMap::new() };
    for path in &written.paths {
        if *path.pages.get_ref() > n_pages {
            let message =
                format!("`pages` of `{}` is {}, but the site has {n_pages}", path.path, path.pages.get_ref());
            mistake(path.pages.span().start, message);
        }
        for (name, value) in [("variety", &path.variety), ("likely", &path.likely)] {
            if !(0.0..=1.0).contains(value.get_ref()) {
                let message = format!("`{name}` is {}, but must be from 0 to 1", value.get_ref());
                mistake(value.span().start, message);
            }
        }
        let facts = PathFacts {
            path: path.path.clone(),
            n_pages: *path.pages.get_ref(),
            n_words: 0,
            variety: *path.variety.get_ref(),
            likely: *path.likely.get_ref(),
        };
        site.paths.insert(key_of(&path.path), facts);
    }
    site
}
