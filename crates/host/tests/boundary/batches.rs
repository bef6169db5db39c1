//! Stages with state of a worker, and stages that take several documents at once.

use tamis_document::{Document, Fate, Record};
use tamis_plugin::{
    BatchExtractor, BatchFilter, Draft, Extracted, Failure, Judged, Limit, NoOptions, Notes, SetupError,
    Verdict, View,
};
use tamis_stage::handle::{Effects, OpenStage};

/// Scratch space that counts how often it was used.
#[derive(Default)]
pub(crate) struct Scratch {
    used: usize,
}

fn verdict(text: &str) -> Result<Verdict, Failure> {
    match text {
        "panic" => panic!("no luck"),
        "fail" => Err(Failure::new("it says so")),
        "drop" => Ok(Verdict::Drop("it-says-so".into())),
        _ => Ok(Verdict::Keep),
    }
}

/// Measures how often its scratch space was used.
pub(crate) struct Remembers;

impl BatchFilter for Remembers {
    const NAME: &'static str = "remembers";
    type Options = NoOptions;
    type Local = Scratch;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn filter_one(&self, local: &mut Scratch, it: &View<'_>, notes: &mut Notes) -> Result<Verdict, Failure> {
        local.used += 1;
        notes.measure("used", local.used as f64, Limit::None);
        verdict(it.text())
    }
}

/// Measures how many documents it was given at once.
pub(crate) struct Threes;

impl BatchFilter for Threes {
    const NAME: &'static str = "threes";
    const BATCH: usize = 3;
    type Options = NoOptions;
    type Local = ();

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn filter_one(&self, (): &mut (), it: &View<'_>, notes: &mut Notes) -> Result<Verdict, Failure> {
        notes.measure("together", 1.0, Limit::None);
        verdict(it.text())
    }

    fn filter_all(&self, (): &mut (), documents: &mut [Judged<'_>]) {
        let n = documents.len() as f64;
        for it in documents {
            it.notes.measure("together", n, Limit::None);
            it.outcome = verdict(it.document.text());
        }
    }
}

/// Joins to each text how many documents it was given at once.
pub(crate) struct Pairs;

impl BatchExtractor for Pairs {
    const NAME: &'static str = "pairs";
    const BATCH: usize = 2;
    type Options = NoOptions;
    type Local = Scratch;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn extract_one(&self, local: &mut Scratch, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        local.used += 1;
        let text = format!("{} alone", draft.text());
        let verdict = verdict(draft.text())?;
        draft.set_text(text);
        Ok(verdict)
    }

    fn extract_all(&self, local: &mut Scratch, documents: &mut [Extracted<'_>]) {
        local.used += documents.len();
        let n = documents.len();
        for it in documents {
            it.outcome = verdict(it.draft.text());
            let text = format!("{} of {n}", it.draft.text());
            it.draft.set_text(text);
        }
    }
}

fn through(name: &str, texts: &[&str]) -> Vec<Record> {
    let OpenStage::Transform(stage) = crate::open(name) else { panic!("it is a filter or an extractor") };
    let mut records: Vec<_> = texts.iter().map(|text| Record::from(Document::new("id", *text))).collect();
    stage.process(&mut records, &mut Effects::default());
    records
}

fn measured(records: &[Record]) -> Vec<f64> {
    records.iter().map(|record| record.measures[0].value).collect()
}

/// `k` kept, `d` dropped, `f` failed, `p` failed by a panic.
fn fates(records: &[Record]) -> String {
    let fate = |record: &Record| match &record.fate {
        Fate::Kept => 'k',
        Fate::Dropped(_) => 'd',
        Fate::Failed(reason) if reason.starts_with("the stage panicked: no luck") => 'p',
        Fate::Failed(_) => 'f',
    };
    records.iter().map(fate).collect()
}

#[test]
fn state_of_a_worker_is_kept_from_document_to_document_and_made_anew_after_a_panic() {
    let records = through("remembers", &["a", "drop", "fail", "panic", "b", "c"]);
    assert_eq!(fates(&records), "kdfpkk");
    assert_eq!(measured(&records), [1.0, 2.0, 3.0, 4.0, 1.0, 2.0]);
    let OpenStage::Transform(stage) = crate::open("remembers") else { panic!("it is a filter") };
    let mut record = [Record::default()];
    for call in 1..4 {
        record[0].measures.clear();
        stage.process(&mut record, &mut Effects::default());
        assert_eq!(measured(&record), [f64::from(call)], "the next call of the worker finds it again");
    }
}

#[test]
fn documents_come_together_and_a_panic_costs_one() {
    let records = through("threes", &["a", "drop", "fail", "b", "panic", "drop", "c", "d"]);
    assert_eq!(fates(&records), "kdfkpdkk");
    assert_eq!(measured(&records), [3.0, 3.0, 3.0, 1.0, 1.0, 1.0, 2.0, 2.0]);
    let records = through("pairs", &["a", "drop", "fail", "panic", "b"]);
    assert_eq!(fates(&records), "kdfpk");
    let texts: Vec<&str> = records.iter().map(|record| record.document.text.as_str()).collect();
    assert_eq!(texts, ["a of 2", "drop of 2", "fail", "panic", "b of 1"]);
    assert!(through("threes", &[]).is_empty());
}
