//! Filters and extractors.

use tamis_document::{Metadata, Record, ValueRef};
use tamis_stage::handle::{Effects, TransformHandle};
use tamis_stage::{Kind, StageInfo};

use super::documents::{difference, long_records, odd_records, records};
use super::{Results, failures, is_mistake, on_threads};

pub(super) fn check(
    info: &StageInfo,
    first: &dyn TransformHandle,
    second: &dyn TransformHandle,
    results: &mut Results,
) {
    results.run("takes an empty batch", || empty(first));
    let Some(expected) = results.run("takes any text", || takes_any(first)) else { return };
    let odd = results.run("takes any metadata", || takes_any_metadata(info, first));
    let odd = odd.unwrap_or_default();
    if info.kind == Kind::Filter {
        results.run("changes nothing, being a filter", || {
            unchanged(&long_records(), &expected.records)?;
            unchanged(&odd_records(info), &odd)
        });
    } else {
        results.run("writes only the fields that it declares", || {
            declared(info, &long_records(), &expected.records)?;
            declared(info, &odd_records(info), &odd)
        });
    }
    results.run("measures only what it declares", || {
        declared_measures(info, expected.records.iter().chain(&odd))
    });
    results.run("returns what is valid", || expected.records.iter().chain(&odd).try_for_each(valid));
    if info.flags.pure {
        results.run("gives the same result twice", || same(&expected, &process(first, long_records())));
    }
    let expected = process(first, records());
    if info.flags.pure {
        results.run("gives the same result in another instance", || {
            same(&expected, &process(second, records()))
        });
    }
    if info.flags.pure {
        results.run("needs nothing that was left with a text", || found(first, &expected));
    }
    results.run("does not let neighbours in a batch matter", || {
        difference(&expected.records, &one_by_one(first)).map_or(Ok(()), Err)
    });
    results.run("gives the same result on many threads", || {
        on_threads(|| same(&expected, &process(first, records())))
    });
}

/// What came of a batch.
pub(super) struct Processed {
    pub(super) records: Vec<Record>,
    pub(super) effects: Effects,
}

fn process(handle: &dyn TransformHandle, mut records: Vec<Record>) -> Processed {
    let mut effects = Effects::default();
    handle.process(&mut records, &mut effects);
    Processed { records, effects }
}

fn empty(handle: &dyn TransformHandle) -> Result<(), String> {
    let Processed { effects, .. } = process(handle, Vec::new());
    match effects.split.first() {
        Some(_) => Err("it split documents off none".to_owned()),
        None => Ok(()),
    }
}

fn takes_any(handle: &dyn TransformHandle) -> Result<Processed, String> {
    let processed = process(handle, long_records());
    refused(&processed.records).map(|()| processed)
}

/// Any text can be judged.
pub(super) fn refused(processed: &[Record]) -> Result<(), String> {
    let failure = failures(processed).next();
    failure.map_or(Ok(()), |(id, reason)| Err(format!("document `{id}` failed: {reason}")))
}

fn takes_any_metadata(info: &StageInfo, handle: &dyn TransformHandle) -> Result<Vec<Record>, String> {
    let processed = process(handle, odd_records(info)).records;
    stumbled(&processed).map(|()| processed)
}

/// A stage may fail a document whose metadata makes no sense to it, but must not stumble over it.
pub(super) fn stumbled(processed: &[Record]) -> Result<(), String> {
    let failure = failures(processed).find(|(_, reason)| is_mistake(reason));
    failure.map_or(Ok(()), |(id, reason)| Err(format!("document `{id}` failed: {reason}")))
}

fn unchanged(before: &[Record], after: &[Record]) -> Result<(), String> {
    let changed = before.iter().zip(after).find(|(before, after)| before.document != after.document);
    changed.map_or(Ok(()), |(before, _)| {
        Err(format!("document `{}` was changed: make the stage an extractor", before.document.id))
    })
}

/// Whether all that changed is among the fields that the stage says it writes, by name or through an option.
pub(super) fn declared(info: &StageInfo, before: &[Record], after: &[Record]) -> Result<(), String> {
    let options = info.schema.get("properties").and_then(|options| options.as_object());
    let of_options = options.into_iter().flat_map(|options| options.values()).filter_map(|option| {
        (option.get("x-field")?.as_str()? == "write").then(|| option.get("default")?.as_str()).flatten()
    });
    let allowed: Vec<&str> = info.writes.iter().map(String::as_str).chain(of_options).collect();
    let is_allowed = |name: &str| allowed.contains(&name) || (name != "text" && allowed.contains(&"*"));
    for (before, after) in before.iter().zip(after) {
        let (before, after) = (&before.document, &after.document);
        let text = (before.text != after.text).then_some("text");
        let changed = text.into_iter().chain(changed_fields(&before.metadata, &after.metadata));
        if let Some(name) = changed.into_iter().find(|name| !is_allowed(name)) {
            return Err(format!(
                "it wrote `{name}` of document `{}`, which is not among the fields that it writes: declare it \
                 (in Rust, in `WRITES`)",
                before.id
            ));
        }
    }
    Ok(())
}

/// The first minor version of the boundary in which measures are declared.
const DECLARE_MEASURES: u32 = 2;

/// Whether all that was measured is declared, with limits that are options of the stage.
///
/// A library that was built before measures could be declared is not to blame.
pub(super) fn declared_measures<'r>(
    info: &StageInfo,
    records: impl Iterator<Item = &'r Record>,
) -> Result<(), String> {
    let options = info.schema.get("properties");
    for measure in &info.measures {
        let limits = [&measure.min_option, &measure.max_option];
        // What stands behind a dot is a name in a table, which the schema need not list.
        let first = |option: &str| option.split('.').next().unwrap_or_default().to_owned();
        let is_known = |option: &str| options.and_then(|options| options.get(first(option))).is_some();
        let is_unknown = |option: &str| !option.is_empty() && !is_known(option);
        if let Some(option) = limits.into_iter().find(|option| is_unknown(option)) {
            return Err(format!(
                "the limit of its measure `{}` is `{option}`, which is no option of it",
                measure.name
            ));
        }
    }
    if info.plugin.abi_minor < DECLARE_MEASURES {
        return Ok(());
    }
    let mut measured = records.flat_map(|record| &record.measures);
    match measured.find(|measure| !info.measures.iter().any(|info| info.covers(&measure.name))) {
        Some(measure) => Err(format!(
            "it measured `{}` and does not declare it: declare it (in Rust, in `MEASURES`), so that the help names it \
             and a run keeps how its values are spread",
            measure.name
        )),
        None => Ok(()),
    }
}

fn changed_fields<'a>(before: &'a Metadata, after: &'a Metadata) -> impl Iterator<Item = &'a str> {
    let names = before.iter().chain(after.iter()).map(|(name, _)| name);
    names.filter(|name| before.get(name) != after.get(name))
}

/// A library may say that its text need not be checked (`TAMIS_UTF8_TRUSTED`); here it is.
pub(super) fn valid(record: &Record) -> Result<(), String> {
    let document = &record.document;
    let of_fields = document.metadata.iter().flat_map(|(name, value)| match value.as_ref() {
        ValueRef::String(text) | ValueRef::Json(text) => [name, text],
        _ => [name, ""],
    });
    if of_fields.chain([document.text.as_str()]).any(|text| std::str::from_utf8(text.as_bytes()).is_err()) {
        return Err(format!("document `{}` came back with text that is not UTF-8", document.id));
    }
    match record.measures.iter().find(|measure| !measure.value.is_finite()) {
        Some(measure) => Err(format!(
            "measure `{}` of document `{}` is {}, which no report can show",
            measure.name, document.id, measure.value
        )),
        None => Ok(()),
    }
}

/// The same documents again, with what the stage has left with them the first time: attachments spare work and
/// decide nothing.
fn found(handle: &dyn TransformHandle, expected: &Processed) -> Result<(), String> {
    let mut records = records();
    handle.process(&mut records, &mut Effects::default());
    let again = records.into_iter().zip(self::records()).map(|(processed, fresh)| {
        let is_same_text = processed.document.text == fresh.document.text;
        let attachments = if is_same_text { processed.attachments } else { fresh.attachments };
        Record { attachments, ..fresh }
    });
    same(expected, &process(handle, again.collect()))
        .map_err(|difference| format!("with what it has attached itself, {difference}"))
}

fn one_by_one(handle: &dyn TransformHandle) -> Vec<Record> {
    let mut records = records();
    for record in &mut records {
        handle.process(std::slice::from_mut(record), &mut Effects::default());
    }
    records
}

pub(super) fn same(expected: &Processed, actual: &Processed) -> Result<(), String> {
    if let Some(difference) = difference(&expected.records, &actual.records) {
        return Err(difference);
    }
    if expected.effects.split != actual.effects.split {
        return Err("other documents were split off".to_owned());
    }
    if expected.effects.counts != actual.effects.counts {
        return Err("other things were counted".to_owned());
    }
    Ok(())
}
