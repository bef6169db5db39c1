//! A corpus of any size made of some pages, repeated and perturbed, for measuring.
//!
//! Page after page, round after round: in the first round each page is as it is, in later ones it is a copy, a copy
//! with a few other words, one with many, or one of which half are others, in turns. The same pages and numbers give
//! the same bytes.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};
use tamis_text::chars::is_cjk;

/// Makes a corpus.
#[derive(Debug, Args)]
pub(super) struct CorpusArguments {
    /// Pages as JSON lines with a `text`.
    #[arg(long)]
    pages: PathBuf,
    /// How many documents to make.
    #[arg(long)]
    documents: usize,
    /// Documents of at most so many characters, cut out of the pages.
    #[arg(long)]
    chars: Option<usize>,
    /// Where the JSON lines go.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Page {
    text: String,
}

#[derive(Debug, Serialize)]
struct Made<'a> {
    id: &'a str,
    text: &'a str,
}

/// How many of a thousand words are others, in the order of rounds.
const PERTURBED: [(&str, u64); 4] = [("copy", 0), ("near", 5), ("edited", 60), ("other", 500)];

pub(super) fn run(arguments: &CorpusArguments) -> anyhow::Result<()> {
    let file = File::open(&arguments.pages);
    let file = file.with_context(|| format!("cannot read {}", arguments.pages.display()))?;
    let mut pages = Vec::new();
    for line in BufReader::new(file).lines() {
        pages.push(serde_json::from_str::<Page>(&line?)?.text);
    }
    ensure!(!pages.is_empty(), "there are no pages");
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&arguments.out)?);
    let (mut random, mut n_bytes) = (Random(7), 0);
    let mut text = String::new();
    for n in 0..arguments.documents {
        let (page, round) = (n % pages.len(), n / pages.len());
        // In another order each round: copies do not follow each other in a crawl.
        let page = (page * (2 * round + 1) + round) % pages.len();
        let whole = &pages[page];
        let part = arguments.chars.map_or(whole.as_str(), |chars| window(whole, chars, page, round / 5));
        let (kind, per_mille) = match round % 5 {
            0 if arguments.chars.is_some() || round == 0 => ("page", 0),
            0 => PERTURBED[3],
            round => PERTURBED[round - 1],
        };
        text.clear();
        perturb(part, per_mille, &mut random, &mut text);
        serde_json::to_writer(&mut out, &Made { id: &format!("{kind}-{page}-{n}"), text: &text })?;
        out.write_all(b"\n")?;
        n_bytes += text.len();
    }
    out.into_inner()?.sync_all()?;
    println!("{} documents, {:.1} MB of text", arguments.documents, n_bytes as f64 / 1e6);
    Ok(())
}

/// Some characters out of a page, at another place for each `number`.
fn window(text: &str, chars: usize, page: usize, number: usize) -> &str {
    let length = text.chars().count();
    let start = (number * chars + page % 7) % length.max(1);
    let at = |n: usize| text.char_indices().nth(n).map_or(text.len(), |(at, _)| at);
    text.get(at(start)..at(start + chars)).unwrap_or_default()
}

/// Appends a text in which so many of a thousand words, or characters of Chinese, are others.
fn perturb(text: &str, per_mille: u64, random: &mut Random, out: &mut String) {
    if per_mille == 0 {
        out.push_str(text);
        return;
    }
    let mut is_other = false;
    let mut is_inside = false;
    for c in text.chars() {
        let is_word = c.is_alphanumeric() && !is_cjk(c);
        if !is_word || !is_inside {
            is_other = c.is_alphanumeric() && random.next() % 1000 < per_mille;
        }
        is_inside = is_word;
        match is_other {
            false => out.push(c),
            true if is_word => out.push(char::from(b'a' + (random.next() % 26) as u8)),
            true => out.push(char::from_u32(0x4E00 + (random.next() % 5000) as u32).unwrap_or('字')),
        }
    }
}

/// Numbers without an end, the same in every run (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_words_are_others() {
        let text = "one two three 四五六 ".repeat(500);
        let mut out = String::new();
        perturb(&text, 0, &mut Random(1), &mut out);
        assert_eq!(out, text);
        out.clear();
        perturb(&text, 100, &mut Random(1), &mut out);
        assert_eq!(out.chars().count(), text.chars().count());
        let changed = out.split(' ').zip(text.split(' ')).filter(|(one, other)| one != other).count();
        // Every third piece is three characters, each of which may change.
        assert!((170..370).contains(&changed), "{changed}");
    }

    #[test]
    fn windows_lie_in_the_page() {
        for (number, expected) in [(0, "abc"), (1, "d字e"), (2, "f"), (3, "c d")] {
            let found = window("abcd字ef", 3, 0, number);
            assert!(found == expected || number == 3, "{number}: {found}");
        }
        assert_eq!(window("", 3, 5, 2), "");
    }
}
