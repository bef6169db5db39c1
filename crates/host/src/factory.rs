//! Stages of a plugin as entries of the registry.

use std::sync::Arc;

use tamis_plugin::PluginTable;
use tamis_stage::handle::OpenStage;
use tamis_stage::{PluginOrigin, SetupError, StageFactory, StageInfo};

use crate::adapter;
use crate::descriptor::{self, Table};
use crate::library::Library;

/// The stages of a plugin that is linked into this program.
///
/// # Errors
///
/// When its descriptor breaks the contract of the header, as for a library.
pub fn bundled(plugin: &'static PluginTable) -> Result<Vec<Arc<dyn StageFactory>>, String> {
    // SAFETY: a reference is a valid pointer, and the SDK has made everything behind it static.
    let checked = unsafe { descriptor::check(plugin.as_abi(), PluginOrigin::Bundled)? };
    let stages = checked.description.stages.into_iter().zip(checked.stages);
    Ok(stages.map(|(info, table)| Arc::new(Bundled { info, table }) as Arc<dyn StageFactory>).collect())
}

struct Bundled {
    info: StageInfo,
    table: Table,
}

impl StageFactory for Bundled {
    fn info(&self) -> &StageInfo {
        &self.info
    }

    fn open(&self, options: &serde_json::Value) -> Result<OpenStage, SetupError> {
        adapter::open(self.table, &self.info, options)
    }
}

/// A stage of a library that has been described but is loaded only now, when it is opened.
pub(crate) struct FromLibrary {
    info: StageInfo,
    library: Arc<Library>,
}

impl FromLibrary {
    pub(crate) fn new(info: StageInfo, library: Arc<Library>) -> Self {
        Self { info, library }
    }
}

impl StageFactory for FromLibrary {
    fn info(&self) -> &StageInfo {
        &self.info
    }

    fn open(&self, options: &serde_json::Value) -> Result<OpenStage, SetupError> {
        let table = self.library.stage(self.info.kind, &self.info.name).map_err(SetupError::new)?;
        adapter::open(table, &self.info, options)
    }
}
