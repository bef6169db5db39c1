//! The ways of some records through the stages of a plan, for commands that look at a sample.

use tamis_document::Record;
use tamis_report::explain::{Explainer, Journey};
use tamis_runner::{Event, Found, Observer};

use crate::context::{Planned, logged_run};

/// The ways of the records of a sample, in corpus order.
pub(crate) fn passed(planned: &Planned, records: Vec<Found>) -> anyhow::Result<Vec<Journey>> {
    let stages = planned.plan.stages.iter().map(|stage| (stage.id.clone(), stage.info.clone()));
    let explainer = Explainer::brief(stages.collect());
    let (read, unread): (Vec<Found>, Vec<Found>) = records.into_iter().partition(|it| it.record.is_kept());
    let read: Vec<Record> = read.into_iter().map(|found| found.record).collect();
    let scratch = tempfile::tempdir()?;
    tamis_runner::pass(planned.open(&logged_run())?, read, scratch.path(), &explainer)?;
    for found in &unread {
        let stage = Some(found.source.as_str().into());
        explainer.event(&Event::Entered { record: &Record { stage, ..found.record.clone() } });
    }
    Ok(explainer.finish())
}
