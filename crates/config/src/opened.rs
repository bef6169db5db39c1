//! The stages of a plan, opened for one run.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use tamis_stage::handle::{ExporterHandle, OpenStage, ReaderHandle};
use tamis_stage::{Registry, RunContext, StageInfo};

use crate::plan::{ExportPlan, Plan, ReaderPlan, SourcePlan, StagePlan};

/// A plan with all its stages open, for one run.
///
/// A corpus stage remembers what it has seen and every stage counts what it does, so what was opened serves one run;
/// the plan serves as many as you like, one after the other or at once, each with stages of its own.
#[derive(Debug)]
pub struct Opened {
    /// What was opened.
    pub plan: Arc<Plan>,
    /// For which run: who cancels it asks the stages, too.
    pub run: RunContext,
    /// In the order of [`Plan::sources`].
    pub sources: Vec<OpenedSource>,
    /// In the order of [`Plan::stages`].
    pub stages: Vec<OpenedStage>,
    /// In the order of [`Plan::exports`].
    pub exports: Vec<OpenedExport>,
}

/// A source with its readers open, and what the plan says of it.
#[derive(Debug)]
pub struct OpenedSource {
    /// What the plan says of it.
    pub plan: SourcePlan,
    /// In the order of [`SourcePlan::readers`].
    pub readers: Vec<OpenedReader>,
}

/// An open reader, and what the plan says of it.
pub struct OpenedReader {
    /// What the plan says of it.
    pub plan: ReaderPlan,
    /// The open reader.
    pub handle: Box<dyn ReaderHandle>,
}

/// An open transform or corpus stage, and what the plan says of it.
pub struct OpenedStage {
    /// What the plan says of it.
    pub plan: StagePlan,
    /// The open stage.
    pub handle: OpenStage,
}

/// An open exporter, and what the plan says of the export.
pub struct OpenedExport {
    /// What the plan says of it.
    pub plan: ExportPlan,
    /// The open exporter.
    pub handle: Box<dyn ExporterHandle>,
}

/// A stage that could be opened when the plan was made cannot be opened now, or opens as another one.
#[derive(Debug, Clone, thiserror::Error)]
#[error("stage `{stage}` cannot be opened: {message}")]
pub struct OpenError {
    /// The name of the stage.
    pub stage: String,
    /// Why.
    pub message: String,
}

impl Opened {
    /// Opens the stages of a plan for a run; `registry` must know those that it was made with.
    ///
    /// # Errors
    ///
    /// When the registry does not know a stage, or the stage refuses its options: all this was looked at when the plan
    /// was made, so something has changed since, such as a file that an option names.
    pub fn new(plan: Arc<Plan>, registry: &Registry, run: &RunContext) -> Result<Self, OpenError> {
        let registry = &registry.in_context(run);
        let sources = plan.sources.iter().map(|source| OpenedSource::new(source, registry));
        let limit = Duration::try_from_secs_f64(plan.run.stage_timeout_secs).ok().filter(|it| !it.is_zero());
        let stages = plan.stages.iter().map(|stage| OpenedStage::new(stage, registry, limit));
        let exports = plan.exports.iter().map(|export| OpenedExport::new(export, registry));
        let (sources, stages) = (sources.collect::<Result<_, _>>()?, stages.collect::<Result<_, _>>()?);
        let exports = exports.collect::<Result<_, _>>()?;
        Ok(Self { plan, run: run.clone(), sources, stages, exports })
    }
}

impl OpenedSource {
    pub(crate) fn new(plan: &SourcePlan, registry: &Registry) -> Result<Self, OpenError> {
        let readers = plan.readers.iter().map(|reader| OpenedReader::new(reader, registry));
        Ok(Self { plan: plan.clone(), readers: readers.collect::<Result<_, _>>()? })
    }
}

impl OpenedReader {
    fn new(plan: &ReaderPlan, registry: &Registry) -> Result<Self, OpenError> {
        match open(&plan.info, &plan.options, registry)? {
            OpenStage::Reader(handle) => Ok(Self { plan: plan.clone(), handle }),
            _ => Err(another(&plan.info)),
        }
    }
}

impl OpenedStage {
    /// One that runs in processes of its own is given up on at a document after `limit`.
    fn new(plan: &StagePlan, registry: &Registry, limit: Option<Duration>) -> Result<Self, OpenError> {
        let handle = if plan.isolate {
            let opened = registry.open_isolated(&plan.info, &plan.options, limit);
            opened.map_err(|refused| refusal(&plan.info, &refused))?
        } else {
            open(&plan.info, &plan.options, registry)?
        };
        // The plan was cut into segments by this number.
        if handle.observing_passes() != plan.observing_passes || !handle.fits(plan.info.kind) {
            return Err(another(&plan.info));
        }
        Ok(Self { plan: plan.clone(), handle })
    }
}

impl OpenedExport {
    fn new(plan: &ExportPlan, registry: &Registry) -> Result<Self, OpenError> {
        match open(&plan.info, &plan.options, registry)? {
            OpenStage::Exporter(handle) => Ok(Self { plan: plan.clone(), handle }),
            _ => Err(another(&plan.info)),
        }
    }
}

fn open(info: &StageInfo, options: &serde_json::Value, registry: &Registry) -> Result<OpenStage, OpenError> {
    let factory = registry
        .get(info.kind.table(), &info.name)
        .filter(|factory| factory.info().plugin == info.plugin)
        .ok_or_else(|| refusal(info, &format!("plugin `{}` is not loaded", info.plugin.name)))?;
    factory.open(options).map_err(|refused| refusal(info, &refused))
}

fn refusal(info: &StageInfo, message: &dyn std::fmt::Display) -> OpenError {
    OpenError { stage: info.name.clone(), message: message.to_string() }
}

fn another(info: &StageInfo) -> OpenError {
    let message = "it is not what it was when the plan was made: a file that its options name has changed";
    OpenError { stage: info.name.clone(), message: message.to_owned() }
}

impl Deref for OpenedSource {
    type Target = SourcePlan;

    fn deref(&self) -> &SourcePlan {
        &self.plan
    }
}

impl Deref for OpenedReader {
    type Target = ReaderPlan;

    fn deref(&self) -> &ReaderPlan {
        &self.plan
    }
}

impl Deref for OpenedStage {
    type Target = StagePlan;

    fn deref(&self) -> &StagePlan {
        &self.plan
    }
}

impl Deref for OpenedExport {
    type Target = ExportPlan;

    fn deref(&self) -> &ExportPlan {
        &self.plan
    }
}

impl std::fmt::Debug for OpenedReader {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("OpenedReader").field(&self.info.name).finish()
    }
}

impl std::fmt::Debug for OpenedStage {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("OpenedStage").field(&self.id).finish()
    }
}

impl std::fmt::Debug for OpenedExport {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("OpenedExport").field(&self.id).finish()
    }
}
