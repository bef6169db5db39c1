//! Counting every record, twice.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tamis_config::{NamedField, Opened};
use tamis_document::{Record, Value, ValueRef};
use tamis_stage::Sketch;
use tamis_stage::handle::{Counts, OpenStage};

use crate::clock::{Chore, Chores, Spent};
use crate::fate_counts::FateCounts;
use crate::reasons::{Reasons, Unread};
use crate::sites::Sites;

/// Where the records of a run went.
///
/// Always `read + split = kept + dropped + failed`; a run checks this against what was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// The files.
    #[serde(default)]
    pub input: InputTally,
    /// Files that were not read, or not to the end, with the reasons. One that its reader took and made nothing of is among
    /// them, though it counts as read: all of its bytes were.
    #[serde(skip_serializing_if = "Unread::is_empty", default)]
    pub unread: Unread,
    /// Records read, unreadable ones included.
    pub read: u64,
    /// Documents that stages split off.
    pub split: u64,
    /// Records that passed every stage and were exported.
    pub kept: u64,
    /// Records that a stage dropped.
    pub dropped: u64,
    /// Records that could not be read, processed or exported: dead letters.
    pub failed: u64,
    /// What happened where, by `source.ID`, `stage.ID` or `export.ID`.
    pub stages: BTreeMap<String, StageTally>,
    /// What became of the records in each language, by the first part of the tag in their field `language`
    /// (`zh-Hans` and `zh-Hant` apart); those without one are left out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub languages: BTreeMap<String, FateCounts>,
    /// What became of the records of each site.
    #[serde(skip_serializing_if = "Sites::is_empty", default)]
    pub sites: Sites,
    /// Time spent beside that; not part of a manifest.
    #[serde(skip)]
    pub chores: Chores,
}

/// Where the input of a run went: files, members of archives, and the bytes of the files as they lie there.
///
/// A file that was read counts as such however many of its records failed; one of which a part could not be read,
/// or all, counts as failed, and a dead letter says why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputTally {
    /// Files that were read to their end.
    pub files: u64,
    /// Files of which a part could not be read, or all.
    pub files_failed: u64,
    /// Members of archives that were read to their end.
    pub members: u64,
    /// Members of which a part could not be read, or all; links and devices are among them.
    pub members_failed: u64,
    /// Files and members without a record, because they hold nothing but what a system wrote beside others
    /// (`._a.html` of macOS); they are among those that were read.
    #[serde(default)]
    pub companions: u64,
    /// Bytes that were read, of files whose size was known when they were listed.
    pub bytes: u64,
    /// Bytes that were written off.
    pub bytes_failed: u64,
}

impl InputTally {
    /// Accounts for a file that was listed with `size` bytes, of which `n_read` were read; of one that several shards
    /// share, for the bytes of this one, and as a file where it begins.
    pub(crate) fn close(&mut self, size: u64, n_read: u64, is_broken: bool, begins: bool) {
        let n_read = n_read.min(size);
        self.bytes += n_read;
        if is_broken {
            self.files_failed += u64::from(begins);
            self.bytes_failed += size - n_read;
        } else {
            self.files += u64::from(begins);
        }
    }

    /// The share of the bytes that could not be read; 0 if there were none.
    ///
    /// However many records they would have been, a file that breaks off is one that failed.
    pub fn failed_ratio(&self) -> f64 {
        share(self.bytes_failed, self.bytes + self.bytes_failed)
    }

    fn add(&mut self, other: Self) {
        self.files += other.files;
        self.files_failed += other.files_failed;
        self.members += other.members;
        self.members_failed += other.members_failed;
        self.companions += other.companions;
        self.bytes += other.bytes;
        self.bytes_failed += other.bytes_failed;
    }

    /// Why the account does not cover `files` files of `bytes` bytes, if it does not.
    pub(crate) fn imbalance(&self, files: u64, bytes: u64) -> Option<String> {
        let (said, covered) = (self.files + self.files_failed, self.bytes + self.bytes_failed);
        if said != files {
            return Some(format!(
                "{} input files were read and {} written off, of {files} that were listed",
                self.files, self.files_failed
            ));
        }
        (covered != bytes).then(|| {
            format!(
                "{} bytes of the input were read and {} written off, of {bytes} that were listed",
                self.bytes, self.bytes_failed
            )
        })
    }
}

/// What happened at one source, stage or export.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageTally {
    /// Records that came in; for a source, records read.
    pub seen: u64,
    /// Dropped records by reason.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub dropped: BTreeMap<String, u64>,
    /// Failed records.
    pub failed: u64,
    /// Why they failed.
    #[serde(skip_serializing_if = "Reasons::is_empty", default)]
    pub reasons: Reasons,
    /// Documents split off.
    pub split: u64,
    /// What the stage counted itself.
    #[serde(skip_serializing_if = "Counts::is_empty", default)]
    pub counts: Counts,
    /// How the values of each declared measure are spread over the records that came in.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub measures: BTreeMap<String, Sketch>,
    /// What a stage that cleans has taken of the texts that it let pass; that of source of pages is not counted, of which
    /// most is tags.
    #[serde(skip_serializing_if = "Taken::is_nothing", default)]
    pub taken: Taken,
    /// Counters that the stage has declared and that stayed at 0 to the end of the run, such as rules that never
    /// matched; `family/*` where all of a family (`family/rule`) did.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub silent: Vec<String>,
    /// While it runs, which of the fields that it names some record had ([`NamedField`]).
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub found: BTreeSet<String>,
    /// At the end, which of them no record had.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub absent: Vec<String>,
    /// Time spent, summed over all threads. Not part of a manifest, which is the same for the same input.
    #[serde(skip)]
    pub time: Spent,
}

/// How much of some texts is gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Bytes of text that are gone. Of a document that has grown, none are.
    pub bytes: u64,
    /// Bytes of all of the texts before.
    pub of: u64,
}

impl Taken {
    /// The share that is gone, 0 to 1.
    pub fn ratio(self) -> f64 {
        share(self.bytes, self.of)
    }

    pub(crate) fn note(&mut self, before: usize, after: usize) {
        self.bytes += before.saturating_sub(after) as u64;
        self.of += before as u64;
    }

    fn is_nothing(&self) -> bool {
        self.of == 0
    }

    fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.of += other.of;
    }
}

impl StageTally {
    /// All dropped records.
    pub fn n_dropped(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// Counts a failed record.
    pub(crate) fn fail(&mut self, record: &Record) {
        self.failed += 1;
        self.reasons.note(record);
    }

    /// Notes which of the fields that it names one of these records has.
    pub(crate) fn find(&mut self, named: &[NamedField], records: &[Record]) {
        for field in named.iter().filter(|field| !self.found.contains(&field.name)).collect::<Vec<_>>() {
            let has = |record: &Record| record.document.metadata.find(&field.name).is_some();
            if records.iter().any(|record| record.is_kept() && has(record)) {
                self.found.insert(field.name.clone());
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.seen += other.seen;
        self.failed += other.failed;
        self.found.extend(other.found);
        self.reasons.add(other.reasons);
        self.split += other.split;
        self.taken.add(other.taken);
        self.time += other.time;
        for (reason, n) in other.dropped {
            *self.dropped.entry(reason).or_default() += n;
        }
        for (name, n) in other.counts {
            *self.counts.entry(name).or_default() += n;
        }
        for (name, sketch) in other.measures {
            self.measures.entry(name).or_default().add(sketch);
        }
    }
}

/// What a tag counts as; none if it is no tag. There are so few of them that their number needs no bound.
fn language(tag: &str) -> Option<Cow<'_, str>> {
    let mut parts = tag.split(['-', '_']);
    let first = parts.next().filter(|it| matches!(it.len(), 2 | 3))?;
    if !first.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    if !first.eq_ignore_ascii_case("zh") {
        let is_lower = first.bytes().all(|byte| byte.is_ascii_lowercase());
        return Some(if is_lower { Cow::Borrowed(first) } else { Cow::Owned(first.to_ascii_lowercase()) });
    }
    let is = |part: &str, names: &[&str]| names.iter().any(|name| part.eq_ignore_ascii_case(name));
    Some(match parts.next() {
        Some(part) if is(part, &["Hant", "TW", "HK", "MO"]) => Cow::Borrowed("zh-Hant"),
        Some(part) if is(part, &["Hans", "CN", "SG"]) => Cow::Borrowed("zh-Hans"),
        _ => Cow::Borrowed("zh"),
    })
}

impl Tally {
    /// The entry of a stage; `table` is the table of the pipeline file that names it, because a source and an
    /// export may have the same id.
    pub(crate) fn stage(&mut self, table: &str, id: &str) -> &mut StageTally {
        self.stages.entry(format!("{table}.{id}")).or_default()
    }

    /// Adds the counts of another block.
    pub(crate) fn add(&mut self, other: Self) {
        self.input.add(other.input);
        self.unread.add(other.unread);
        self.read += other.read;
        self.split += other.split;
        self.kept += other.kept;
        self.dropped += other.dropped;
        self.failed += other.failed;
        for (id, stage) in other.stages {
            self.stages.entry(id).or_default().add(stage);
        }
        for (language, other) in other.languages {
            self.languages.entry(language).or_default().add(other);
        }
        self.sites.add(other.sites);
        for (chore, spent) in other.chores {
            self.spend(chore, spent);
        }
    }

    /// Counts a record that goes no further in its language.
    pub(crate) fn note_language(&mut self, record: &Record) {
        let Some(ValueRef::String(tag)) = record.document.metadata.get("language").map(Value::as_ref) else {
            return;
        };
        let Some(language) = language(tag) else { return };
        // The name is only made for the first record of a language.
        if !self.languages.contains_key(&*language) {
            self.languages.insert(language.to_string(), FateCounts::default());
        }
        let Some(of_language) = self.languages.get_mut(&*language) else { return };
        of_language.note(&record.fate);
    }

    /// Adds to the time of a chore.
    pub(crate) fn spend(&mut self, chore: Chore, spent: Spent) {
        *self.chores.entry(chore).or_default() += spent;
    }

    /// Notes which declared counters have stayed at 0, and which named fields no record had, where there were records.
    pub(crate) fn note_silent(&mut self, opened: &Opened) {
        let sources = opened.sources.iter().map(|it| ("source", &it.id, &it.named_fields));
        let stages = opened.stages.iter().map(|it| ("stage", &it.id, &it.named_fields));
        let exports = opened.exports.iter().map(|it| ("export", &it.id, &it.named_fields));
        for (table, id, named) in sources.chain(stages).chain(exports) {
            let Some(entry) = self.stages.get_mut(&format!("{table}.{id}")) else { continue };
            let found = std::mem::take(&mut entry.found);
            let names = named.iter().map(|field| &field.name);
            if entry.seen > entry.failed {
                entry.absent = names.filter(|name| !found.contains(*name)).cloned().collect();
            }
        }
        for stage in &opened.stages {
            let OpenStage::Transform(handle) = &stage.handle else { continue };
            let Some(entry) = self.stages.get_mut(&format!("stage.{}", stage.id)) else { continue };
            if entry.seen > 0 {
                entry.silent = silent(handle.counters(), &entry.counts);
            }
        }
    }

    /// Why the counts do not add up, if they do not.
    ///
    /// `read` and `split` were counted where records came into being, the others where they were written, and
    /// the stages counted their own drops and failures: three independent ways to the same sums.
    pub(crate) fn imbalance(&self) -> Option<String> {
        let (into, out) = (self.read + self.split, self.kept + self.dropped + self.failed);
        if into != out {
            return Some(format!(
                "{} read + {} split off = {into}, but {} kept + {} dropped + {} failed = {out}",
                self.read, self.split, self.kept, self.dropped, self.failed
            ));
        }
        let dropped: u64 = self.stages.values().map(StageTally::n_dropped).sum();
        let failed: u64 = self.stages.values().map(|stage| stage.failed).sum();
        if (dropped, failed) != (self.dropped, self.failed) {
            return Some(format!(
                "the stages dropped {dropped} and failed {failed}, but {} dropped and {} failed records were written",
                self.dropped, self.failed
            ));
        }
        None
    }

    /// The share of failed records among those read and split off; 0 if there were none.
    pub fn failed_ratio(&self) -> f64 {
        share(self.failed, self.read + self.split)
    }
}

fn share(part: u64, all: u64) -> f64 {
    if all == 0 { 0.0 } else { part as f64 / all as f64 }
}

/// The declared counters, in name order, that are not among the counts.
fn silent(declared: &[String], counts: &Counts) -> Vec<String> {
    let family = |name: &str| name.split_once('/').map(|(family, _)| family.to_owned());
    let counted: BTreeSet<String> =
        counts.iter().filter(|(_, n)| **n > 0).filter_map(|(name, _)| family(name)).collect();
    let mut silent: Vec<String> = Vec::new();
    for name in declared.iter().filter(|name| counts.get(*name).is_none_or(|n| *n == 0)) {
        let shown = match family(name) {
            Some(family) if !counted.contains(&family) => format!("{family}/*"),
            _ => name.clone(),
        };
        if silent.last() != Some(&shown) {
            silent.push(shown);
        }
    }
    silent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_that_stayed_at_0_are_named_and_silent_families_once() {
        let declared = ["matched:a", "matched:b", "a/head/x", "a/tail/y", "b/head/x", "b/tail/y"];
        let declared: Vec<String> = declared.map(str::to_owned).to_vec();
        let counts: Counts =
            [("matched:a".to_owned(), 2), ("a/tail/y".to_owned(), 1), ("b/tail/y".to_owned(), 0)].into();
        assert_eq!(silent(&declared, &counts), ["matched:b", "a/head/x", "b/*"]);
        assert!(silent(&[], &counts).is_empty());
    }

    #[test]
    fn a_lost_record_is_noticed() {
        let mut tally = Tally { read: 10, kept: 7, dropped: 2, failed: 1, ..Tally::default() };
        tally.stage("stage", "length").dropped.insert("too-short".to_owned(), 2);
        tally.stage("source", "records").failed = 1;
        assert_eq!(tally.imbalance(), None);
        tally.kept = 6;
        assert!(tally.imbalance().is_some_and(|message| message.contains("= 9")));
    }

    #[test]
    fn a_record_that_is_dropped_but_written_as_failed_is_noticed() {
        let mut tally = Tally { read: 2, dropped: 1, failed: 1, ..Tally::default() };
        tally.stage("stage", "length").dropped.insert("too-short".to_owned(), 2);
        assert!(tally.imbalance().is_some_and(|message| message.contains("dropped 2 and failed 0")));
    }
}
