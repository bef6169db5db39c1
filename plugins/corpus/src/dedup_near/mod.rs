//! `dedup-near`: of documents that are nearly the same, one is kept.
//!
//! [`options`] holds the page of the stage. A text becomes shingles (`shingles`), these a few keys (`signature`,
//! `passages`), and documents that share a key are tied by the machinery, which follows ties to groups: the first
//! round. Of documents in groups, the second round shows the sets of shingles (`set`) group by group, and `judge`
//! says who is dropped for whom. Nothing is dropped that was not compared.
//!
//! Two rounds and the stage itself make three sweeps over the documents. The first is where the time goes, because
//! it is about all of them; what is put aside of a text before it is known to have a candidate is 24 bytes a band.

mod choose;
mod components;
mod index;
mod judge;
mod law;
mod options;
mod passages;
mod set;
pub(crate) mod shingles;
mod signature;
mod star;
#[cfg(test)]
mod tests;

use std::path::PathBuf;

use tamis_plugin::keyed::{Choice, Column, Columns, Group, Index, Known, Reduce, Round, Rounds, Row, Rows};
use tamis_plugin::{Draft, Failure, Forms, KeyedStage, Limit, MeasureInfo, SetupError, Verdict, View};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use self::judge::{Judge, Judged};
use self::law::Standing;
use self::set::Set;
use self::signature::{Bands, Buckets};
use crate::field;
use crate::priority::Priority;

pub use options::{Clusters, DedupNearOptions, Rule};

/// Drops documents that are nearly the same as one that is kept; see [`DedupNearOptions`].
#[derive(Debug)]
pub struct DedupNear {
    options: DedupNearOptions,
    bands: Bands,
    priority: Priority,
}

/// Which documents have candidates.
const CANDIDATES: u32 = 0;
/// Who is dropped for whom: after a look at the texts, or without one.
const VERDICTS: u32 = 1;
/// What later runs must know of the documents that are kept.
const KEPT: u32 = 2;

/// Working space of a worker.
#[derive(Debug, Default)]
pub struct Local {
    tokens: Vec<u64>,
    shingles: Vec<u64>,
    buckets: Buckets,
    keys: Vec<u64>,
    set: Set,
    row: Row,
    behind: Vec<u8>,
}

impl KeyedStage for DedupNear {
    const NAME: &'static str = "dedup-near";
    const WRITES: &'static [&'static str] =
        &["duplicate_of", "duplicate_similarity", "duplicate_group", "cluster_size"];
    const MEASURES: &'static [MeasureInfo] = &[MeasureInfo::new(
        "similarity",
        "",
        "How much of its shingles a dropped document shares with the one that is kept.",
    )
    .at_most("threshold")];
    type Options = DedupNearOptions;
    type Local = Local;

    fn open(options: Self::Options) -> Result<Self, SetupError> {
        let bands = bands(&options)?;
        let priority = Priority::new(options.keep, &options.keep_by)?;
        if options.threshold.is_some_and(|threshold| !(0.3..=1.0).contains(&threshold)) {
            return Err(SetupError::in_option("threshold", "`threshold` must lie between 0.3 and 1"));
        }
        if !(1..=64).contains(&options.shingle_tokens) {
            return Err(SetupError::in_option(
                "shingle_tokens",
                "`shingle_tokens` must lie between 1 and 64",
            ));
        }
        if !options.verify && options.clusters == Clusters::Star {
            return Err(SetupError::in_option(
                "verify",
                "`verify = false` compares no texts, so it knows no twins: it needs `clusters = \"components\"`",
            ));
        }
        if !options.verify && (options.index || !options.against.is_empty()) {
            let option = if options.index { "index" } else { "against" };
            return Err(SetupError::in_option(
                option,
                "an index holds what texts are compared by: leave out `verify = false`",
            ));
        }
        Ok(Self { options, bands, priority })
    }

    fn forms(&self) -> Forms {
        Forms::new().comparing().deduplicating()
    }

    fn rounds(&self) -> Rounds {
        let candidates = Round {
            name: "candidates".to_owned(),
            key: vec![Column::U64],
            columns: Vec::new(),
            // A group is the same whoever of a key ties the others.
            reduce: Reduce::Groups { edges: 1 },
            ids: false,
        };
        let reduce =
            if self.options.verify { Reduce::Visit { gives: judge::gives() } } else { Reduce::First };
        let mut columns = vec![Standing::COLUMN];
        columns.extend(self.priority.columns());
        let verdicts =
            Round { name: "verdicts".to_owned(), key: vec![Column::Position], columns, reduce, ids: true };
        let DedupNearOptions { max_state_bytes, index, .. } = self.options;
        let mut rounds = vec![candidates, verdicts];
        rounds.extend(index.then(kept));
        Rounds { rounds, observes: self.observes(), max_state_bytes: Some(max_state_bytes) }
    }

    fn index(&self) -> Index {
        let DedupNearOptions { against, index, .. } = &self.options;
        if against.is_empty() && !index {
            return Index::default();
        }
        let against = against.iter().map(PathBuf::from).collect();
        Index { against, is_kept: *index, round: Some(kept()) }
    }

    fn notes(&self) -> Vec<String> {
        if self.options.rule == Rule::Contained {
            return Vec::new();
        }
        let Bands { number, rows, .. } = &self.bands;
        let per_cent = |share: f64| {
            let digits = if share < 0.001 { 4 } else { 1 };
            format!("{:.digits$} %", share * 100.0)
        };
        let least = self.options.least();
        let missed = [least, least + 0.05, least + 0.1].map(|alike| {
            let alike = alike.min(1.0);
            format!("{} of those alike at {alike:.2}", per_cent(self.bands.missed(alike)))
        });
        let compared = [0.2, 0.4].map(|alike| {
            format!("{} of those alike at {alike:.1}", per_cent(1.0 - self.bands.missed(alike)))
        });
        vec![format!(
            "candidates are found by {number} bands of {rows} rows, which are expected to miss {}, and to compare in vain {}",
            missed.join(", "),
            compared.join(" and "),
        )]
    }

    fn resolves(&self) -> bool {
        self.options.bands == "auto" && self.options.rule == Rule::Jaccard
    }

    fn resolve(&self, texts: &[String], n_documents: u64) -> Result<Vec<Choice>, Failure> {
        let chosen = choose::choose(&self.options, texts, n_documents);
        let choose::Chosen { number, rows, n_false, n_texts } = chosen;
        let least = self.options.least();
        let missed = Bands::new(number, rows).missed((least + 0.05).min(1.0)) * 100.0;
        let note = format!(
            "of about {n_documents} documents like the {n_texts} that were compared, {number} bands of {rows} rows are \
             expected to miss {missed:.1} % of those alike at {:.2}, and to compare each with {n_false:.2} others in vain",
            (least + 0.05).min(1.0)
        );
        Ok(vec![Choice { option: "bands".to_owned(), value: format!("{number}x{rows}"), note }])
    }

    fn observe(
        &self,
        round: u32,
        local: &mut Local,
        document: &View<'_>,
        known: &dyn Known,
        rows: &mut dyn Rows,
    ) -> Result<(), Failure> {
        if round == CANDIDATES {
            self.keys(document, local);
            for key in &local.keys {
                rows.emit(&key.to_be_bytes());
            }
            return Ok(());
        }
        let position = document.position();
        if round == KEPT {
            return self.keep(local, document, known, rows);
        }
        let Some(candidate) = known.first(CANDIDATES, position)? else { return Ok(()) };
        local.row.begin().position(candidate.first).bytes(&Standing::Now.byte());
        self.priority.write(document, &mut local.row);
        if self.options.verify {
            self.keys(document, local);
            self.describe(document, local);
            local.row.bytes(&local.behind);
        }
        rows.emit(local.row.as_bytes());
        Ok(())
    }

    fn recall(
        &self,
        round: u32,
        local: &mut Local,
        entry: &[u8],
        known: &dyn Known,
        rows: &mut dyn Rows,
    ) -> Result<(), Failure> {
        let mut columns = Columns::of(entry);
        let (position, _) = (columns.position(), columns.position());
        let (standing, priority) = (columns.bytes(1), columns.bytes(self.priority.width()));
        let (Some(position), Some(standing), Some(priority)) = (position, standing, priority) else {
            return Err(Failure::new("a row of the index is not what was written"));
        };
        if round == CANDIDATES {
            let n_keys = columns.u32().unwrap_or(0) as usize;
            let n_fields = self.options.differ_in.len();
            let (numbers, _) = columns.rest().as_chunks();
            for key in numbers.iter().skip(n_fields).take(n_keys) {
                rows.emit(&u64::from_le_bytes(*key).to_be_bytes());
            }
        } else if let Some(candidate) = known.first(CANDIDATES, position)? {
            local.row.begin().position(candidate.first).bytes(standing).bytes(priority);
            rows.emit(local.row.bytes(columns.rest()).as_bytes());
        }
        Ok(())
    }

    fn visit(
        &self,
        _round: u32,
        _local: &mut Local,
        group: &mut dyn Group,
        _known: &dyn Known,
        facts: &mut dyn Rows,
    ) -> Result<(), Failure> {
        let mut judge = Judge::new(&self.options);
        while let Some(row) = group.advance()? {
            judge.take(row, self.priority.width(), facts)?;
        }
        judge.finish(facts);
        Ok(())
    }

    fn apply(
        &self,
        _local: &mut Local,
        draft: &mut Draft<'_>,
        known: &dyn Known,
    ) -> Result<Verdict, Failure> {
        let position = draft.original().position();
        let Some(judged) = self.judged(position, known)? else { return Ok(Verdict::Keep) };
        if judged.twin == position {
            if judged.size > 1 {
                draft.set_metadata("cluster_size", i64::try_from(judged.size).unwrap_or(i64::MAX));
            }
            if judged.marks.is_partly_compared() {
                draft.notes().count("not_compared_with_all", 1);
            }
            return Ok(Verdict::Keep);
        }
        let id = |position| {
            let id = known.id(VERDICTS, position)?;
            id.ok_or_else(|| Failure::new("a document of the group has no id"))
        };
        draft.set_metadata("duplicate_of", id(judged.twin)?);
        if let Some(group) = judged.group {
            draft.set_metadata("duplicate_group", id(group)?);
        }
        if let Some(similarity) = judged.similarity {
            draft.set_metadata("duplicate_similarity", (similarity * 1e4).round() / 1e4);
            draft.notes().measure("similarity", similarity, Limit::Max(self.options.least()));
        }
        Ok(Verdict::Drop("near-duplicate".into()))
    }
}

/// What an index holds of a document: its position; behind it how it stands, its priority, and what describes it.
fn kept() -> Round {
    let key = vec![Column::Position];
    Round { name: "kept".to_owned(), key, columns: Vec::new(), reduce: Reduce::Kept, ids: true }
}

impl DedupNear {
    /// Emits a document for the index, if it stays and can be like another.
    fn keep(
        &self,
        local: &mut Local,
        document: &View<'_>,
        known: &dyn Known,
        rows: &mut dyn Rows,
    ) -> Result<(), Failure> {
        let position = document.position();
        let judged = self.judged(position, known)?;
        if judged.is_some_and(|judged| judged.twin != position) {
            return Ok(());
        }
        self.keys(document, local);
        if local.keys.is_empty() {
            return Ok(());
        }
        self.describe(document, local);
        let standing = judged.map_or(Standing::Earlier, |judged| judged.marks.standing());
        local.row.begin().position(position).bytes(&standing.byte());
        self.priority.write(document, &mut local.row);
        rows.emit(local.row.bytes(&local.behind).as_bytes());
        Ok(())
    }

    /// Writes behind a row what a text is compared by; its keys were made before.
    fn describe(&self, document: &View<'_>, local: &mut Local) {
        local.set.fill(&local.shingles);
        local.behind.clear();
        local.behind.extend_from_slice(&(local.keys.len() as u32).to_be_bytes());
        let fields = self.options.differ_in.iter().map(|field| field::hash(document, field));
        for number in fields.chain(local.keys.iter().copied()) {
            local.behind.extend_from_slice(&number.to_le_bytes());
        }
        local.set.write(&mut local.behind);
    }

    /// Makes shingles of the text, and keys of these.
    fn keys(&self, document: &View<'_>, local: &mut Local) {
        let Local { tokens, shingles, buckets, keys, .. } = local;
        shingles::shingles(document.text(), self.options.shingle_tokens, tokens, shingles);
        let kind = self
            .options
            .equal_in
            .iter()
            .fold(0, |kind, field| xxh3_64_with_seed(&field::hash(document, field).to_le_bytes(), kind));
        match self.options.rule {
            Rule::Jaccard => self.bands.keys(shingles, kind, buckets, keys),
            Rule::Contained => passages::keys(shingles, self.options.shingle_tokens, kind, keys),
        }
    }

    /// The options that decide what rows are.
    fn observes(&self) -> String {
        let DedupNearOptions { shingle_tokens, equal_in, differ_in, keep, keep_by, verify, .. } =
            &self.options;
        let keys = match self.options.rule {
            Rule::Jaccard => format!("bands = {}x{}", self.bands.number, self.bands.rows),
            Rule::Contained => "passages".to_owned(),
        };
        format!(
            "version 2, {keys}, shingle_tokens = {shingle_tokens}, equal_in = {equal_in:?}, differ_in = {differ_in:?}, \
             keep = {keep:?}, keep_by = {keep_by:?}, verify = {verify}"
        )
    }

    fn judged(&self, position: u128, known: &dyn Known) -> Result<Option<Judged>, Failure> {
        if !self.options.verify {
            let fact = known.first(VERDICTS, position)?;
            return Ok(fact.map(|fact| Judged {
                twin: fact.first,
                group: None,
                similarity: None,
                size: fact.size,
                marks: law::Marks::default(),
            }));
        }
        let mut judged = None;
        known.entries(VERDICTS, &position.to_be_bytes(), &mut |fact| {
            judged = Judged::read(fact);
            false
        })?;
        Ok(judged)
    }
}

/// Reads `bands`.
fn bands(options: &DedupNearOptions) -> Result<Bands, SetupError> {
    if options.bands == "auto" {
        return Ok(Bands::finding(options.least()));
    }
    let wrong = || {
        let given = &options.bands;
        let message = format!("`{given}` is no number of bands and rows: write `14x8`, or `auto`");
        SetupError::in_option("bands", message)
    };
    let (n_bands, rows) = options.bands.split_once('x').ok_or_else(wrong)?;
    let number = |text: &str| text.parse().ok().filter(|number| (1..=512).contains(number)).ok_or_else(wrong);
    Ok(Bands::new(number(n_bands)?, number(rows)?))
}
