//! Why a stage did what it did with a document, where measures do not tell it.

use tamis_config::{Plan, StagePlan};
use tamis_document::{Document, Fate};
use tamis_report::explain::{Journey, Step};
use tamis_runner::Tally;
use tamis_stage::handle::{Counts, WRONG_FORM};

/// Adds what is known to the ways of documents; `tally` is empty where they did not go alone.
pub(crate) fn add(plan: &Plan, tally: &Tally, documents: &mut [Journey]) {
    // Which of several documents was counted is not known.
    if let [document] = &mut *documents {
        for step in &mut document.steps {
            if let Some(tally) = tally.stages.get(&format!("stage.{}", step.id)) {
                step.remarks = remarks(step, &tally.counts);
            }
        }
    }
    for document in documents {
        let stage = plan.stages.iter().find(|stage| document.decided_by.as_ref() == Some(&stage.id));
        let (Some(stage), Fate::Dropped(reason)) = (stage, &document.fate) else { continue };
        let of = Document {
            metadata: document.metadata.clone(),
            ..Document::new(document.id.clone(), document.text.clone())
        };
        if let Some(step) = document.steps.last_mut() {
            step.condition = condition(stage, &of, reason);
        }
    }
}

/// What the counters of a stage say of the only document that came to it. They are known by their names, whatever stage
/// has them.
fn remarks(step: &Step, counts: &Counts) -> Vec<String> {
    let of = |(name, _): (&String, &u64)| {
        Some(match name.as_str() {
            "no_structure" => {
                "handed on with all its lines: one element holds nearly all of the page, so nothing \
                               tells content from the rest; stages for flattened text go on from here"
                    .to_owned()
            }
            "no_markup" => "handed on as it is: the text is no page with markup".to_owned(),
            "no_content" => "nothing that could be content was found, so the text is empty".to_owned(),
            name => {
                let form = name.strip_prefix(WRONG_FORM)?;
                format!("the text came as {form}, on which `{}` does not work", step.name)
            }
        })
    };
    counts.iter().filter_map(of).collect()
}

/// The condition of a rule, and the values of what it names.
#[cfg(feature = "bundled")]
fn condition(
    stage: &StagePlan,
    document: &Document,
    reason: &str,
) -> Option<(String, Vec<(String, String)>)> {
    let because = (stage.info.name == "judge").then(|| tamis_judges::why(&stage.options, document, reason));
    because.flatten().map(|it| (it.condition, it.values))
}

#[cfg(not(feature = "bundled"))]
fn condition(_: &StagePlan, _: &Document, _: &str) -> Option<(String, Vec<(String, String)>)> {
    None
}
