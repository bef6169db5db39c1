//! A pipeline in the process of Python.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3_arrow::{PyRecordBatch, PyRecordBatchReader};
use rayon::prelude::*;
use tamis_config::{Diagnostics, Opened, Overrides, Pipeline as PipelineFile, Plan, PluginLocator};
use tamis_document::{Document, Form, Record};
use tamis_host::{Inspector, Loader, Request};
use tamis_stage::handle::OpenStage;
use tamis_stage::{Registry, RunContext};

use crate::{arrow, documents};

/// So many documents are a task: enough that handing them over costs nothing, few enough that all cores get some.
const TASK: usize = 64;

/// The stages of a pipeline, for documents that Python has in its hands.
#[pyclass(frozen, module = "tamis")]
pub(crate) struct Pipeline {
    plan: Arc<Plan>,
    registry: Registry,
    /// Open for good, unless one of the stages learns from the documents of a call.
    opened: Option<Opened>,
}

#[pymethods]
#[expect(clippy::needless_pass_by_value, reason = "Python hands values over")]
impl Pipeline {
    /// Reads a pipeline: from a file, or from `text`, whose paths are relative to `folder`.
    #[new]
    #[pyo3(signature = (path=None, *, text=None, folder=PathBuf::new(), program=PathBuf::from("tamis")))]
    fn new(path: Option<PathBuf>, text: Option<&str>, folder: PathBuf, program: PathBuf) -> PyResult<Self> {
        let overrides = Overrides::default();
        let file = match (path, text) {
            (Some(path), None) => PipelineFile::read(&path, &overrides),
            (None, Some(text)) => PipelineFile::from_text("pipeline", text, &folder, &overrides),
            _ => return Err(PyValueError::new_err("give the path of a pipeline, or its text")),
        };
        let file = file.map_err(|mistakes| told(&mistakes))?.stages_alone();
        let (registry, broken) = registry(&file, &program).map_err(PyRuntimeError::new_err)?;
        let plan = file.plan(&registry, broken).map_err(|mistakes| told(&mistakes))?;
        let plan = Arc::new(plan);
        let opened = open(&plan, &registry)?;
        let learns = opened.stages.iter().any(|stage| matches!(stage.handle, OpenStage::Corpus(_)));
        Ok(Self { plan, registry, opened: (!learns).then_some(opened) })
    }

    /// The ids of the stages, in order.
    #[getter]
    fn stages(&self) -> Vec<String> {
        self.plan.stages.iter().map(|stage| stage.id.clone()).collect()
    }

    /// Takes a JSON list of documents and returns one of records.
    fn process_json(&self, python: Python<'_>, json: &[u8]) -> PyResult<String> {
        let documents = documents::read(json).map_err(PyValueError::new_err)?;
        let records = python.detach(|| self.process(documents))?;
        Ok(documents::write(&records))
    }

    /// Takes one page, as bytes or as the bytes of a text, and returns its record as JSON.
    fn process_page(
        &self,
        python: Python<'_>,
        page: &[u8],
        is_text: bool,
        url: Option<&str>,
    ) -> PyResult<String> {
        let mut document = Document::new("page", "");
        document.form = Some(Form::Markup);
        if is_text {
            document.text = String::from_utf8_lossy(page).into_owned();
        } else {
            document.raw = Some(page.to_vec());
        }
        if let Some(url) = url {
            document.metadata.insert("url", url);
        }
        let records = python.detach(|| self.process(vec![document]))?;
        Ok(documents::write_one(&records))
    }

    /// Takes a stream of record batches and returns one of records for each.
    fn process_stream(
        &self,
        python: Python<'_>,
        stream: PyRecordBatchReader,
    ) -> PyResult<Vec<PyRecordBatch>> {
        let batches = stream.into_reader()?;
        batches
            .map(|batch| {
                let batch = batch.map_err(|error| PyValueError::new_err(error.to_string()))?;
                self.process_arrow(python, PyRecordBatch::new(batch))
            })
            .collect()
    }

    /// Takes a record batch of documents and returns one of records.
    fn process_arrow(&self, python: Python<'_>, batch: PyRecordBatch) -> PyResult<PyRecordBatch> {
        let batch = batch.into_inner();
        python.detach(|| {
            let documents = arrow::read(&batch).map_err(PyValueError::new_err)?;
            let records = self.process(documents)?;
            arrow::write(&records).map(PyRecordBatch::new).map_err(PyRuntimeError::new_err)
        })
    }
}

impl Pipeline {
    /// Puts documents through the stages, on all cores if no stage learns from them.
    fn process(&self, mut documents: Vec<Document>) -> PyResult<Vec<Record>> {
        let Some(opened) = &self.opened else {
            let failed = |error: &dyn std::fmt::Display| PyRuntimeError::new_err(error.to_string());
            let scratch = tempfile::tempdir().map_err(|error| failed(&error))?;
            let opened = open(&self.plan, &self.registry)?;
            return tamis_runner::process(opened, documents, scratch.path(), &())
                .map_err(|error| failed(&error));
        };
        let mut tasks = Vec::new();
        while !documents.is_empty() {
            let rest = documents.split_off(documents.len().min(TASK));
            tasks.push(std::mem::replace(&mut documents, rest));
        }
        Ok(tasks.into_par_iter().flat_map_iter(|task| tamis_runner::transform(opened, task)).collect())
    }
}

fn open(plan: &Arc<Plan>, registry: &Registry) -> PyResult<Opened> {
    Opened::new(Arc::clone(plan), registry, &RunContext::default())
        .map_err(|error| PyValueError::new_err(error.to_string()))
}

fn told(mistakes: &Diagnostics) -> PyErr {
    PyValueError::new_err(mistakes.render(false))
}

/// The standard stages and those of the plugins of a pipeline, and the plugins that cannot be had, with the reason.
///
/// `program` is the command line of this package, which looks at libraries before they are loaded here.
fn registry(file: &PipelineFile, program: &Path) -> Result<(Registry, Vec<(usize, String)>), String> {
    let mut registry = Registry::new();
    for plugin in tamis_cli::bundled() {
        for stage in tamis_host::bundled(plugin)? {
            registry.add(stage).map_err(|error| error.to_string())?;
        }
    }
    registry.isolate_with(tamis_cli::isolation(program));
    let mut loader = Loader::new(Inspector::of(program), tamis_cli::plugin_folders());
    let mut broken = Vec::new();
    for (index, plugin) in file.plugins().iter().enumerate() {
        let request = match &plugin.locator {
            PluginLocator::Path(path) => Request::Path(path.clone()),
            PluginLocator::Name(name) => Request::Name(name.clone()),
        };
        if let Err(error) = loader.register(&request, plugin.blake3.as_deref(), &mut registry) {
            broken.push((index, error.to_string()));
        }
    }
    Ok((registry, broken))
}
