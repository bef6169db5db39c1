//! `tamis preview`: a sample before and after a pipeline, side by side.

#[cfg(feature = "serve")]
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
#[cfg(feature = "serve")]
use tamis_config::SettingOrigin;
use tamis_config::{Diagnostics, Plan, Setting};
use tamis_document::Fate;
use tamis_report::explain::Journey;
#[cfg(feature = "serve")]
use tamis_report::preview::Dial;
use tamis_report::preview::{Dials, Preview, page};
use tamis_runner::Sample;

use crate::args::{PlaceArgs, PreviewArgs};
#[cfg(feature = "serve")]
use crate::commands::advise::rewrite;
use crate::commands::explain::learners;
use crate::context::{Context, Planned, logged_run};
use crate::journeys::passed;
use crate::output::{self, print_line};
#[cfg(feature = "serve")]
use crate::serve::Question;
use crate::summary::shown;
use crate::{Exit, names};

pub(crate) fn preview(context: &Context, args: &PreviewArgs) -> anyhow::Result<Exit> {
    let looked = Looked { context, args, sample: Sample::default() };
    let planned = match looked.plan(&[]) {
        Ok(planned) => planned,
        Err(diagnostics) => {
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
    };
    output::diagnostics(&planned.plan.warnings);
    let sample = tamis_runner::sample(&planned.open(&logged_run())?, args.sample)?;
    let looked = Looked { sample, ..looked };
    if args.serve {
        return serve(&looked, &planned);
    }
    let documents = looked.passed(&planned)?;
    let page = looked.page(&planned, &documents, None)?;
    let default = || PathBuf::from(format!("{}-preview.html", file_name(&planned.plan)));
    let file = args.output.clone().unwrap_or_else(default);
    if file == Path::new("-") {
        output::print(page);
        return Ok(Exit::Done);
    }
    std::fs::write(&file, page).with_context(|| format!("cannot write `{}`", file.display()))?;
    let of = |fate: fn(&Fate) -> bool| documents.iter().filter(|it| fate(&it.fate)).count();
    print_line(format_args!(
        "{}: {}, {} kept, {} dropped, {} failed",
        shown(&file),
        names::plural(documents.len() as u64, "document", "documents"),
        of(|fate| *fate == Fate::Kept),
        of(|fate| matches!(fate, Fate::Dropped(_))),
        of(|fate| matches!(fate, Fate::Failed(_))),
    ));
    Ok(Exit::Done)
}

/// A sample that is looked at.
struct Looked<'a> {
    context: &'a Context,
    args: &'a PreviewArgs,
    sample: Sample,
}

impl Looked<'_> {
    /// The plan of the pipeline, with some values of it changed.
    fn plan(&self, settings: &[Setting]) -> Result<Planned, Diagnostics> {
        let places = PlaceArgs { inputs: self.args.inputs.clone(), output: None };
        let mut pipeline = self.args.pipeline.clone();
        pipeline.set.extend(settings.iter().map(|it| (it.key.clone(), it.value.clone())));
        self.context.plan(&pipeline, &places)
    }

    fn passed(&self, planned: &Planned) -> anyhow::Result<Vec<Journey>> {
        passed(planned, self.sample.records.clone())
    }

    fn page(
        &self,
        planned: &Planned,
        documents: &[Journey],
        dials: Option<Dials<'_>>,
    ) -> anyhow::Result<String> {
        let plan = &planned.plan;
        let notes = learners(plan, "these have been seen by them alone").into_iter().collect();
        let stages = plan.stages.iter().map(|stage| stage.id.as_str()).collect();
        let n_files = self.sample.n_files;
        Ok(page(&Preview { pipeline: &plan.name, notes, n_files, documents, stages, dials })?)
    }

    /// The page with limits that can be turned.
    #[cfg(feature = "serve")]
    fn live(&self, planned: &Planned) -> anyhow::Result<String> {
        let documents = self.passed(planned)?;
        let spreads = crate::spreads::spreads(&documents);
        let mut dials: Vec<Dial<'_>> = Vec::new();
        for spread in spreads.iter().filter(|spread| !spread.of.option.is_empty()) {
            let key = spread.key();
            // A limit to which several measures are held is turned once.
            // What the stage refuses, such as a limit of which no rule asks, cannot be turned.
            let as_it_is = [limit(key.clone(), spread.limit())];
            if dials.iter().all(|other| other.key != key) && self.plan(&as_it_is).is_ok() {
                let values = spread.values.iter().map(|it| it.value).collect();
                dials.push(Dial { key, stage: spread.stage, measured: spread.of, values });
            }
        }
        let file = shown(&self.args.pipeline.pipeline);
        self.page(planned, &documents, Some(Dials { file, dials }))
    }

    /// What is asked by the page: what comes of other limits, or that they are written.
    #[cfg(feature = "serve")]
    fn answer(&self, question: Question) -> Result<String, String> {
        let (what, settings) = match question {
            Question::Page => ("turn".to_owned(), Vec::new()),
            Question::Post(what, body) => (what, settings(&body)?),
        };
        let told = |diagnostics: &Diagnostics| diagnostics.to_string();
        let planned = self.plan(&settings).map_err(|diagnostics| told(&diagnostics))?;
        match what.as_str() {
            "turn" => self.live(&planned).map_err(|error| format!("{error:#}")),
            "write" => {
                let file = &self.args.pipeline.pipeline;
                rewrite(file, &settings).map_err(|error| format!("{error:#}"))?;
                Ok(format!(
                    "{} written to {}",
                    names::plural(settings.len() as u64, "limit", "limits"),
                    shown(file)
                ))
            }
            _ => Err(format!("nobody knows how to {what}")),
        }
    }
}

/// Limits as the page sends them: an object of numbers.
#[cfg(feature = "serve")]
fn settings(body: &[u8]) -> Result<Vec<Setting>, String> {
    let limits: BTreeMap<String, f64> =
        serde_json::from_slice(body).map_err(|error| format!("these are no limits: {error}"))?;
    Ok(limits.into_iter().map(|(key, value)| limit(key, value)).collect())
}

#[cfg(feature = "serve")]
fn limit(key: String, value: f64) -> Setting {
    Setting { key, value: value.to_string(), origin: SettingOrigin::Flag }
}

#[cfg(feature = "serve")]
fn serve(looked: &Looked<'_>, planned: &Planned) -> anyhow::Result<Exit> {
    // Before anybody is told an address: what does not work then never will.
    looked.live(planned)?;
    let ready = |address: &str| {
        let n = looked.sample.records.len() as u64;
        let sample = names::plural(n, "document", "documents");
        print_line(format_args!("{sample} at {address} (Ctrl-C ends it)"));
    };
    crate::serve::serve(looked.args.port, ready, |question| looked.answer(question))?;
    Ok(Exit::Done)
}

#[cfg(not(feature = "serve"))]
fn serve(_: &Looked<'_>, _: &Planned) -> anyhow::Result<Exit> {
    anyhow::bail!("`--serve` is not in this program: `cargo build --release` builds all of tamis")
}

/// The name of a pipeline, as that of a file.
fn file_name(plan: &Plan) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    plan.name.chars().map(|c| if is_plain(c) { c } else { '-' }).collect()
}
