//! Filters and extractors.

use tamis_document::{Fate, Record};
use tamis_stage::handle::{Effects, TransformHandle};
use tamis_stage::{Kind, StageInfo};

use super::Results;
use super::documents::{difference, records};

const THREADS: usize = 4;

pub(super) fn check(
    info: &StageInfo,
    first: &dyn TransformHandle,
    second: &dyn TransformHandle,
    results: &mut Results,
) {
    let Some(expected) = results.run("takes any text", || takes_any(first)) else { return };
    if info.kind == Kind::Filter {
        results.run("changes nothing, being a filter", || unchanged(&expected));
    }
    if info.flags.pure {
        results.run("gives the same result twice", || same(&expected, &process(first)));
        results.run("gives the same result in another instance", || same(&expected, &process(second)));
    }
    results.run("does not let neighbours in a batch matter", || same(&expected, &one_by_one(first)));
    results.run("gives the same result on many threads", || threads(first, &expected));
}

fn process(handle: &dyn TransformHandle) -> Vec<Record> {
    let mut records = records();
    handle.process(&mut records, &mut Effects::default());
    records
}

fn takes_any(handle: &dyn TransformHandle) -> Result<Vec<Record>, String> {
    let records = process(handle);
    let failure = records.iter().find_map(|record| match &record.fate {
        Fate::Failed(reason) => Some(format!("document `{}` failed: {reason}", record.document.id)),
        Fate::Kept | Fate::Dropped(_) => None,
    });
    failure.map_or(Ok(records), Err)
}

fn unchanged(processed: &[Record]) -> Result<(), String> {
    for (before, after) in records().iter().zip(processed) {
        if before.document != after.document {
            return Err(format!(
                "document `{}` was changed: make the stage an extractor",
                before.document.id
            ));
        }
    }
    Ok(())
}

fn one_by_one(handle: &dyn TransformHandle) -> Vec<Record> {
    let mut records = records();
    for record in &mut records {
        handle.process(std::slice::from_mut(record), &mut Effects::default());
    }
    records
}

fn same(expected: &[Record], actual: &[Record]) -> Result<(), String> {
    difference(expected, actual).map_or(Ok(()), Err)
}

fn threads(handle: &dyn TransformHandle, expected: &[Record]) -> Result<(), String> {
    std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..THREADS).map(|_| scope.spawn(|| same(expected, &process(handle)))).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a thread panicked".to_owned())?)
    })
}
