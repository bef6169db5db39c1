//! From a request in a pipeline to stages in the registry.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tamis_stage::{Registry, StageFactory};

use crate::descriptor::Description;
use crate::error::PluginError;
use crate::factory::FromLibrary;
use crate::inspect::Inspector;
use crate::library::{Library, library_file_name};

/// A plugin that somebody asks for.
#[derive(Debug, Clone)]
pub enum Request {
    /// A library file.
    Path(PathBuf),
    /// A name, looked for in the plugin folders.
    Name(String),
}

/// Finds, describes and registers plugin libraries.
pub struct Loader {
    inspector: Inspector,
    folders: Vec<PathBuf>,
    registered: Vec<PathBuf>,
}

impl Loader {
    /// A loader that looks for names in `folders`, in order.
    pub fn new(inspector: Inspector, folders: Vec<PathBuf>) -> Self {
        Self { inspector, folders, registered: Vec::new() }
    }

    /// Describes a library in a child process; nothing of it runs in this one.
    ///
    /// # Errors
    ///
    /// When it is not found, not the pinned one, refused, crashes or hangs.
    pub fn describe(&self, request: &Request, pin: Option<&str>) -> Result<Description, PluginError> {
        let library = Library::examine(&self.find(request)?, pin)?;
        self.inspector.describe(&library)
    }

    /// Adds the stages of a library to the registry; the same file a second time changes nothing.
    ///
    /// # Errors
    ///
    /// As [`Loader::describe`], and when a stage has a name that is taken; the registry is then as before.
    pub fn register(
        &mut self,
        request: &Request,
        pin: Option<&str>,
        registry: &mut Registry,
    ) -> Result<(), PluginError> {
        let library = Library::examine(&self.find(request)?, pin)?;
        if self.registered.iter().any(|path| path == library.path()) {
            return Ok(());
        }
        let description = self.inspector.describe(&library)?;
        let library = Arc::new(library);
        let mut extended = registry.clone();
        for info in description.stages {
            let factory: Arc<dyn StageFactory> = Arc::new(FromLibrary::new(info, Arc::clone(&library)));
            extended.add(factory)?;
        }
        *registry = extended;
        self.registered.push(library.path().to_owned());
        Ok(())
    }

    fn find(&self, request: &Request) -> Result<PathBuf, PluginError> {
        let (name, candidates) = match request {
            Request::Path(path) => (path.display().to_string(), vec![path.clone()]),
            Request::Name(name) => {
                let file = library_file_name(name);
                (name.clone(), self.folders.iter().map(|folder| folder.join(&file)).collect())
            }
        };
        let found = candidates.iter().find(|path| Path::is_file(path)).cloned();
        found.ok_or(PluginError::NotFound { name, searched: candidates })
    }
}
