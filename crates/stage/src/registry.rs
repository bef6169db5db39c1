//! The stages that a program knows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::handle::OpenStage;
use crate::{PluginInfo, RunContext, SetupError, StageInfo};

/// Something that can open a stage: a table of a plugin, bundled or loaded.
pub trait StageFactory: Send + Sync {
    /// What is known about the stage.
    fn info(&self) -> &StageInfo;

    /// Opens the stage for a run, with options that fit its schema; a missing option takes its default.
    ///
    /// # Errors
    ///
    /// When the stage refuses the options.
    fn open_in(&self, run: &RunContext, options: &serde_json::Value) -> Result<OpenStage, SetupError>;

    /// The same for nobody's run: it is never cancelled, and what the stage logs is dropped.
    ///
    /// # Errors
    ///
    /// As [`StageFactory::open_in`].
    fn open(&self, options: &serde_json::Value) -> Result<OpenStage, SetupError> {
        self.open_in(&RunContext::default(), options)
    }
}

/// Opens stages in processes of their own, which a program does that can start itself again.
pub trait Isolation: Send + Sync {
    /// Opens a filter or an extractor so that what it does to its process costs a document and not the run. A document
    /// at which it is for longer than `limit` fails; there is no limit if none is given.
    ///
    /// # Errors
    ///
    /// When the stage refuses the options, or no process can be started.
    fn open_in(
        &self,
        run: &RunContext,
        info: &StageInfo,
        options: &serde_json::Value,
        limit: Option<Duration>,
    ) -> Result<OpenStage, SetupError>;
}

/// A stage whose [`StageFactory::open`] is for a certain run.
struct InContext {
    factory: Arc<dyn StageFactory>,
    run: RunContext,
}

impl StageFactory for InContext {
    fn info(&self) -> &StageInfo {
        self.factory.info()
    }

    fn open_in(&self, run: &RunContext, options: &serde_json::Value) -> Result<OpenStage, SetupError> {
        self.factory.open_in(run, options)
    }

    fn open(&self, options: &serde_json::Value) -> Result<OpenStage, SetupError> {
        self.factory.open_in(&self.run, options)
    }
}

/// The stages that a program knows, by name and table.
///
/// A reader and an exporter may share a name, as `jsonl` does: the table of the pipeline file tells which is
/// meant. Filters, extractors and corpus stages stand in one table and may not.
#[derive(Default, Clone)]
pub struct Registry {
    stages: BTreeMap<(String, &'static str), Arc<dyn StageFactory>>,
    /// What this build was made without, each with what brings it.
    left_out: BTreeMap<(String, &'static str), String>,
    isolation: Option<Arc<dyn Isolation>>,
    /// For which run stages are opened, unless somebody names one.
    run: RunContext,
}

/// Two plugins bring a stage of the same name for the same table.
#[derive(Debug, Clone, thiserror::Error)]
#[error("stage `{name}` of plugin `{}` has the name of a stage of plugin `{}`", second.name, first.name)]
pub struct DuplicateStage {
    /// The name of both.
    pub name: String,
    /// The plugin whose stage is known already.
    pub first: Arc<PluginInfo>,
    /// The plugin whose stage was refused.
    pub second: Arc<PluginInfo>,
}

impl Registry {
    /// A registry without stages.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a stage.
    ///
    /// # Errors
    ///
    /// When its name is taken; the registry is as before.
    pub fn add(&mut self, factory: Arc<dyn StageFactory>) -> Result<(), DuplicateStage> {
        let info = factory.info();
        let key = (info.name.clone(), info.kind.table());
        if let Some(first) = self.stages.get(&key) {
            return Err(DuplicateStage {
                name: info.name.clone(),
                first: Arc::clone(&first.info().plugin),
                second: Arc::clone(&info.plugin),
            });
        }
        self.stages.insert(key, factory);
        Ok(())
    }

    /// The same stages; what is opened without naming a run is opened for this one.
    #[must_use]
    pub fn in_context(&self, run: &RunContext) -> Self {
        let bound = |factory: &Arc<dyn StageFactory>| -> Arc<dyn StageFactory> {
            Arc::new(InContext { factory: Arc::clone(factory), run: run.clone() })
        };
        let stages = self.stages.iter().map(|(key, factory)| (key.clone(), bound(factory))).collect();
        Self { stages, run: run.clone(), ..self.clone() }
    }

    /// The stage `name` of a table: `source`, `stage` or `export`.
    pub fn get(&self, table: &'static str, name: &str) -> Option<&Arc<dyn StageFactory>> {
        self.stages.get(&(name.to_owned(), table))
    }

    /// Notes that a stage of a table was left out of this build, and what brings it, as a sentence without a stop.
    pub fn leave_out(&mut self, table: &'static str, name: &str, advice: impl Into<String>) {
        self.left_out.insert((name.to_owned(), table), advice.into());
    }

    /// What brings the stage `name` of a table, if it was left out of this build.
    pub fn left_out(&self, table: &'static str, name: &str) -> Option<&str> {
        self.left_out.get(&(name.to_owned(), table)).map(String::as_str)
    }

    /// Says how stages are opened in processes of their own.
    pub fn isolate_with(&mut self, isolation: impl Isolation + 'static) {
        self.isolation = Some(Arc::new(isolation));
    }

    /// Whether it is known how stages are opened in processes of their own.
    pub fn can_isolate(&self) -> bool {
        self.isolation.is_some()
    }

    /// Opens a stage in processes of its own; see [`Isolation::open_in`].
    ///
    /// # Errors
    ///
    /// As there, and when this program does not know how to.
    pub fn open_isolated(
        &self,
        info: &StageInfo,
        options: &serde_json::Value,
        limit: Option<Duration>,
    ) -> Result<OpenStage, SetupError> {
        let isolation = self.isolation.as_ref();
        let isolation = isolation
            .ok_or_else(|| SetupError::new("this program cannot start processes for stages (`isolate`)"))?;
        isolation.open_in(&self.run, info, options, limit)
    }

    /// All stages called `name`, at most one a table.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Arc<dyn StageFactory>> {
        self.iter().filter(move |factory| factory.info().name == name)
    }

    /// All stages in name order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn StageFactory>> {
        self.stages.values()
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_set().entries(self.stages.keys().map(|(name, _)| name)).finish()
    }
}
