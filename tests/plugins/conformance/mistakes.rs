//! Stages with the mistakes that authors make, and some without, of kinds that are not bundled.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tamis_plugin::keyed::{Column, Fold, Known, Reduce, Round, Rounds, Row, Rows};
use tamis_plugin::{
    Block, CorpusStage, Draft, Emit, ExportView, Exporter, Extractor, Failure, FileReader, Filter,
    KeyedStage, Limit, MeasureInfo, NewDocument, NoOptions, Notes, Output, PartExporter, RandomAccess,
    Reader, SetupError, Split, ValueRef, Verdict, View, Workspace,
};

tamis_plugin::export_plugin! {
    readers: [Misplaces],
    file_readers: [Pairs, RemembersParts],
    filters: [LooseOptions, PanicsAtOpen, NotANumber, KeepsWhatItKnows, NoSuchLimit, Remembers],
    extractors: [PanicsOnNul, TripsOnTitle, Undeclared],
    corpus_stages: [RareLines, MergesInOrder, TakesAnyState, Listed],
    keyed_stages: [SharedLines, QuietOptions],
    exporters: [Counts],
    part_exporters: [Total, RemembersEnds],
}

/// Keeps everything.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Loose {
    /// Not used.
    limit: usize,
}

pub(crate) struct LooseOptions;

impl Filter for LooseOptions {
    const NAME: &'static str = "loose-options";
    type Options = Loose;

    fn open(_: Loose) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn filter(&self, _: &View<'_>, _: &mut Notes) -> Result<Verdict, Failure> {
        Ok(Verdict::Keep)
    }
}

/// Keeps everything.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Words {
    /// Not used.
    words: Vec<String>,
}

impl Default for Words {
    fn default() -> Self {
        Self { words: vec!["first".to_owned()] }
    }
}

pub(crate) struct PanicsAtOpen;

impl Filter for PanicsAtOpen {
    const NAME: &'static str = "panics-at-open";
    type Options = Words;

    fn open(options: Words) -> Result<Self, SetupError> {
        let first = &options.words[0];
        if first.is_empty() { Err(SetupError::in_option("words", "a word is empty")) } else { Ok(Self) }
    }

    fn filter(&self, _: &View<'_>, _: &mut Notes) -> Result<Verdict, Failure> {
        Ok(Verdict::Keep)
    }
}

/// A stage without options, opened as its default.
macro_rules! plain {
    ($trait:ident for $stage:ident, $name:literal { $($item:item)* }) => {
        #[derive(Default)]
        #[allow(dead_code, reason = "only some stages keep something")]
        pub(crate) struct $stage(State);

        impl $trait for $stage {
            const NAME: &'static str = $name;
            type Options = NoOptions;

            fn open(_: NoOptions) -> Result<Self, SetupError> {
                Ok(Self(State::default()))
            }

            $($item)*
        }
    };
}

/// What a stage keeps that should keep nothing.
#[derive(Default)]
struct State {
    seen: AtomicUsize,
    lines: Mutex<BTreeMap<String, u64>>,
    order: Mutex<Vec<String>>,
}

impl State {
    fn count(&self) -> usize {
        self.seen.fetch_add(1, Ordering::Relaxed)
    }
}

plain!(Filter for NotANumber, "not-a-number" {
    fn filter(&self, document: &View<'_>, notes: &mut Notes) -> Result<Verdict, Failure> {
        let text = document.text();
        notes.measure("share", text.lines().count() as f64 / text.len() as f64, Limit::None);
        Ok(Verdict::Keep)
    }
});

plain!(Filter for KeepsWhatItKnows, "keeps-what-it-knows" {
    fn filter(&self, document: &View<'_>, _: &mut Notes) -> Result<Verdict, Failure> {
        let is_known = document.flat("mistakes.seen", 1).is_some();
        document.attach("mistakes.seen", 1, b"");
        Ok(if is_known { Verdict::Keep } else { Verdict::Drop("unknown".into()) })
    }
});

plain!(Filter for NoSuchLimit, "no-such-limit" {
    const MEASURES: &'static [MeasureInfo] =
        &[MeasureInfo::new("lines", "lines", "Lines of the text.").at_least("min_lines")];

    fn filter(&self, _: &View<'_>, _: &mut Notes) -> Result<Verdict, Failure> {
        Ok(Verdict::Keep)
    }
});

plain!(Filter for Remembers, "remembers" {
    fn filter(&self, _: &View<'_>, _: &mut Notes) -> Result<Verdict, Failure> {
        Ok(if self.0.count().is_multiple_of(4) { Verdict::Drop("fourth".into()) } else { Verdict::Keep })
    }
});

plain!(Extractor for PanicsOnNul, "panics-on-nul" {
    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        assert!(!draft.text().contains('\0'), "NUL");
        Ok(Verdict::Keep)
    }
});

plain!(Extractor for TripsOnTitle, "trips-on-title" {
    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        if let Some(title) = draft.metadata("title") {
            let text = title.as_str().expect("a title is a string").trim().to_owned();
            draft.set_text(text);
        }
        Ok(Verdict::Keep)
    }
});

plain!(Extractor for Undeclared, "undeclared" {
    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        draft.set_metadata("extra", true);
        Ok(Verdict::Keep)
    }
});

plain!(Reader for Misplaces, "misplaces" {
    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        let text = std::str::from_utf8(block.bytes).map_err(Failure::new)?;
        // Counted from the start of the block, where the file is meant.
        let (ordinal, offset, length) = (block.first_ordinal, 0, block.bytes.len() as u64);
        emit.document(&NewDocument { text, ordinal, offset, length, ..NewDocument::default() });
        Ok(())
    }
});

plain!(Exporter for Counts, "counts" {
    fn extension(&self) -> &'static str {
        "txt"
    }

    fn encode(&self, _: &ExportView<'_>, out: &mut Output) -> Result<(), Failure> {
        out.bytes.extend_from_slice(self.0.count().to_string().as_bytes());
        Ok(())
    }
});

/// Counts every line of a corpus, and drops documents of which every line stands in another one as well.
macro_rules! rare_lines {
    ($stage:ident, $name:literal, $load:expr) => {
        plain!(CorpusStage for $stage, $name {
            type Local = BTreeMap<String, u64>;

            fn observe(&self, _: u32, local: &mut Self::Local, document: &View<'_>) -> Result<(), Failure> {
                for line in document.text().lines() {
                    *local.entry(line.to_owned()).or_default() += 1;
                }
                Ok(())
            }

            fn merge(&self, _: u32, local: Self::Local) {
                let mut lines = self.0.lines.lock().unwrap();
                for (line, n) in local {
                    *lines.entry(line).or_default() += n;
                }
            }

            fn apply(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
                let lines = self.0.lines.lock().unwrap();
                let is_rare = draft.text().lines().any(|line| lines.get(line) == Some(&1));
                let title = draft.metadata("title").is_some_and(|title| title == ValueRef::Bool(true));
                Ok(if is_rare || title { Verdict::Keep } else { Verdict::Drop("nothing-rare".into()) })
            }

            fn save(&self, _: u32, out: &mut dyn Write) -> Result<(), Failure> {
                serde_json::to_writer(out, &*self.0.lines.lock().unwrap()).map_err(Failure::new)
            }

            fn load(&self, _: u32, state: &mut dyn Read) -> Result<(), Failure> {
                let load: fn(&Self, &mut dyn Read) -> Result<(), Failure> = $load;
                load(self, state)
            }
        });
    };
}

rare_lines!(RareLines, "rare-lines", |stage, state| {
    stage.merge(0, serde_json::from_reader(state).map_err(Failure::new)?);
    Ok(())
});

rare_lines!(TakesAnyState, "takes-any-state", |_, _| Ok(()));

plain!(CorpusStage for MergesInOrder, "merges-in-order" {
    type Local = Vec<String>;

    fn observe(&self, _: u32, local: &mut Self::Local, document: &View<'_>) -> Result<(), Failure> {
        local.push(document.id().to_owned());
        Ok(())
    }

    fn merge(&self, _: u32, local: Self::Local) {
        self.0.order.lock().unwrap().extend(local);
    }

    fn apply(&self, _: &mut Draft<'_>) -> Result<Verdict, Failure> {
        Ok(Verdict::Keep)
    }

    fn save(&self, _: u32, out: &mut dyn Write) -> Result<(), Failure> {
        serde_json::to_writer(out, &*self.0.order.lock().unwrap()).map_err(Failure::new)
    }

    fn load(&self, _: u32, state: &mut dyn Read) -> Result<(), Failure> {
        self.merge(0, serde_json::from_reader(state).map_err(Failure::new)?);
        Ok(())
    }
});

/// Says of every document how many of its lines others have, too. With an option, which changes what is counted and
/// which the stage does not mention.
macro_rules! shared_lines {
    ($stage:ident, $name:literal, $options:ty) => {
        pub(crate) struct $stage;

        impl KeyedStage for $stage {
            const NAME: &'static str = $name;
            const WRITES: &'static [&'static str] = &["shared_lines"];
            type Options = $options;
            type Local = Row;

            fn open(_: Self::Options) -> Result<Self, SetupError> {
                Ok(Self)
            }

            fn rounds(&self) -> Rounds {
                let round = Round {
                    name: "lines".to_owned(),
                    key: vec![Column::U64],
                    columns: vec![Column::U64],
                    reduce: Reduce::Fold(vec![Fold::Sum]),
                    ids: false,
                };
                Rounds { rounds: vec![round], ..Rounds::default() }
            }

            fn observe(
                &self,
                _: u32,
                row: &mut Row,
                document: &View<'_>,
                _: &dyn Known,
                rows: &mut dyn Rows,
            ) -> Result<(), Failure> {
                for line in document.text().lines() {
                    rows.emit(row.begin().u64(key(line)).u64(1).as_bytes());
                }
                Ok(())
            }

            fn apply(
                &self,
                row: &mut Row,
                draft: &mut Draft<'_>,
                known: &dyn Known,
            ) -> Result<Verdict, Failure> {
                let mut n_shared = 0;
                for line in draft.text().lines() {
                    known.entries(0, row.begin().u64(key(line)).as_bytes(), &mut |entry| {
                        n_shared += i64::from(!entry.ends_with(&1_u64.to_be_bytes()));
                        true
                    })?;
                }
                draft.set_metadata("shared_lines", n_shared);
                Ok(Verdict::Keep)
            }
        }
    };
}

/// A number for a line.
fn key(line: &str) -> u64 {
    line.bytes().fold(7, |key, byte| key.wrapping_mul(31).wrapping_add(byte.into()))
}

shared_lines!(SharedLines, "shared-lines", NoOptions);
shared_lines!(QuietOptions, "quiet-options", Length);

/// Counts lines that are long enough.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Length {
    /// The least length of a line that counts.
    min_chars: u32,
}

/// Reads two bytes a record; the last may have one.
macro_rules! pairs {
    ($stage:ident, $name:literal, $suffix:expr) => {
        plain!(FileReader for $stage, $name {
            type File = u64;

            fn index(&self, bytes: &dyn RandomAccess, target: u64) -> Result<(u64, Vec<Split>), Failure> {
                let (size, step) = (bytes.size(), (target / 2).max(1));
                let records = size.div_ceil(2);
                let split = |first: u64| {
                    let records = step.min(records - first);
                    Split { first_ordinal: first, records, weight: 2 * records, bytes: 2 * records, token: [0; 2] }
                };
                Ok((size, (0..records).step_by(step as usize).map(split).collect()))
            }

            fn decode(
                &self,
                size: &u64,
                bytes: &dyn RandomAccess,
                split: &Split,
                emit: &mut dyn Emit,
            ) -> Result<(), Failure> {
                for ordinal in split.first_ordinal..split.first_ordinal + split.records {
                    let offset = 2 * ordinal;
                    let mut pair = vec![0; (size - offset).min(2) as usize];
                    bytes.read_at(offset, &mut pair).map_err(Failure::new)?;
                    let suffix: fn(&Self) -> String = $suffix;
                    let text = format!("{pair:?}{}", suffix(self));
                    let length = pair.len() as u64;
                    let document = NewDocument { text: &text, ordinal, offset, length, ..NewDocument::default() };
                    emit.document(&document);
                }
                Ok(())
            }
        });
    };
}

pairs!(Pairs, "pairs", |_| String::new());
pairs!(RemembersParts, "remembers-parts", |stage| stage.0.count().to_string());

/// Writes texts, and how many bytes they had at the end of a part.
macro_rules! total {
    ($stage:ident, $name:literal, $own:literal, $start:expr) => {
        plain!(PartExporter for $stage, $name {
            const OWN_FILE: bool = $own;
            type Part = (std::path::PathBuf, Vec<u8>, usize);

            fn extension(&self) -> &'static str {
                "txt"
            }

            fn encode(&self, records: &[ExportView<'_>], chunk: &mut Vec<u8>) -> Vec<(usize, Failure)> {
                for record in records {
                    chunk.extend_from_slice(record.document.text().as_bytes());
                }
                let is_blank = |(_, record): &(usize, &ExportView<'_>)| record.document.text().is_empty();
                let blank = records.iter().enumerate().filter(is_blank);
                blank.map(|(index, _)| (index, Failure::new("no text"))).collect()
            }

            fn begin(&self, path: &Path, _: &mut Vec<u8>) -> Result<Self::Part, Failure> {
                let start: fn(&Self) -> usize = $start;
                Ok((path.to_owned(), Vec::new(), start(self)))
            }

            fn add(&self, part: &mut Self::Part, chunk: Vec<u8>, out: &mut Vec<u8>) -> Result<(), Failure> {
                part.2 += chunk.len();
                if $own { part.1.extend(chunk) } else { out.extend(chunk) }
                Ok(())
            }

            fn end(&self, (path, mut bytes, total): Self::Part, out: &mut Vec<u8>) -> Result<(), Failure> {
                let end = total.to_string().into_bytes();
                if !$own {
                    out.extend(end);
                    return Ok(());
                }
                bytes.extend(end);
                std::fs::write(path, bytes).map_err(Failure::new)
            }
        });
    };
}

total!(Total, "total", true, |_| 0);
total!(RemembersEnds, "remembers-ends", false, |stage| stage.0.count());

// Nothing to learn: it brings its list along.
plain!(CorpusStage for Listed, "listed" {
    type Local = ();

    fn passes(&self) -> u32 {
        0
    }

    fn prepare(&self, workspace: &Workspace) -> Result<(), Failure> {
        let left = std::fs::read_dir(&workspace.scratch).map_err(Failure::new)?.count();
        if left > 0 || workspace.keep.exists() { Err(Failure::new("somebody was here")) } else { Ok(()) }
    }

    fn observe(&self, _: u32, (): &mut (), _: &View<'_>) -> Result<(), Failure> {
        Err(Failure::new("nothing to see"))
    }

    fn merge(&self, _: u32, (): ()) {}

    fn apply(&self, _: &mut Draft<'_>) -> Result<Verdict, Failure> {
        Ok(Verdict::Keep)
    }

    fn save(&self, _: u32, _: &mut dyn Write) -> Result<(), Failure> {
        Err(Failure::new("no state"))
    }

    fn load(&self, _: u32, _: &mut dyn Read) -> Result<(), Failure> {
        Ok(())
    }
});
