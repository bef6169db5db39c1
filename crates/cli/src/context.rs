//! The stages that this program knows, and reading a pipeline with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use tamis_config::{Diagnostics, Opened, Overrides, Pipeline, Plan, PluginLocator, Setting, SettingOrigin};
use tamis_host::{Inspector, Loader, Request};
use tamis_plugin::PluginTable;
use tamis_stage::{LogLevel, Registry, RunContext};

use crate::args::{PipelineArgs, PlaceArgs};
use crate::{environment, output};

/// A run whose stages log to the terminal.
pub(crate) fn logged_run() -> RunContext {
    RunContext::new(|level, line| {
        if level <= LogLevel::Warning {
            output::log_line(line);
        }
    })
}

/// Stages that a build may be without, by table and name (`columnar`, `sqlite` and `tokenizer` in the manifest). A program without
/// any bundled stage is another one, to which none of them belongs.
const LEFT_OUT: &[(&str, &str)] = if cfg!(feature = "bundled") {
    &[
        ("source", "parquet"),
        ("source", "arrow"),
        ("export", "parquet"),
        ("export", "arrow"),
        ("export", "sqlite"),
        ("stage", "tokens"),
    ]
} else {
    &[]
};

/// The stages that this program knows from the start.
pub(crate) struct Context {
    bundled: Registry,
}

impl Context {
    pub(crate) fn new(plugins: &[&'static PluginTable]) -> anyhow::Result<Self> {
        let mut bundled = Registry::new();
        for plugin in plugins {
            let stages = tamis_host::bundled(plugin)
                .map_err(anyhow::Error::msg)
                .context("a bundled plugin is broken")?;
            for stage in stages {
                bundled.add(stage).context("two bundled plugins are in each other's way")?;
            }
        }
        for (table, name) in LEFT_OUT {
            if bundled.get(table, name).is_none() {
                let advice = "this program was built without it: `cargo build --release` builds all of tamis";
                bundled.leave_out(table, name, advice);
            }
        }
        bundled.isolate_with(isolation(environment::program()));
        Ok(Self { bundled })
    }

    /// The bundled stages.
    pub(crate) fn registry(&self) -> Registry {
        self.bundled.clone()
    }

    /// Reads and checks a pipeline, its plugins included, with a glance at the first files of sources that choose a reader
    /// for each: what form their text has is known by then. What its stages log meanwhile is for whoever opens none of
    /// them afterwards, when they log it again.
    pub(crate) fn check(&self, args: &PipelineArgs, places: &PlaceArgs) -> Result<Arc<Plan>, Diagnostics> {
        let (pipeline, registry, errors) = self.read(args, places)?;
        let registry = registry.in_context(&logged_run());
        pipeline.plan_having_seen(&registry, errors, &tamis_runner::glance).map(Arc::new)
    }

    /// The same for a run, in which its stages are opened again.
    pub(crate) fn plan(&self, args: &PipelineArgs, places: &PlaceArgs) -> Result<Planned, Diagnostics> {
        let (pipeline, registry, errors) = self.read(args, places)?;
        let plan = pipeline.plan_having_seen(&registry, errors, &tamis_runner::glance)?;
        Ok(Planned { plan: Arc::new(plan), registry })
    }

    /// A plan that the program makes itself, of the text of a pipeline.
    pub(crate) fn plan_of(
        &self,
        pipeline: &str,
        set: &[(String, String)],
        places: &PlaceArgs,
    ) -> Result<Planned, Diagnostics> {
        let here = std::env::current_dir().unwrap_or_default();
        let pipeline = Pipeline::from_text("extract", pipeline, &here, &overrides(set, places))?;
        let mut registry = self.registry();
        let errors = register(&pipeline, &mut registry);
        Ok(Planned { plan: Arc::new(pipeline.plan(&registry, errors)?), registry })
    }

    /// The plan of a pipeline that reads what one of its exports of JSON Lines has written.
    pub(crate) fn plan_of_export(&self, args: &PipelineArgs, file: &Path) -> Result<Planned, Diagnostics> {
        let absolute = |path: &Path| {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            serde_json::Value::from(path.to_string_lossy()).to_string()
        };
        let pipeline = format!(
            "extends = {}\n[[source]]\nid = \"export\"\nuse = \"jsonl\"\npaths = [{}]\n",
            absolute(&args.pipeline),
            absolute(file)
        );
        self.plan_of(&pipeline, &args.set, &PlaceArgs::default())
    }

    /// The same for a run that reads no input: whether there is any does not matter.
    pub(crate) fn plan_without_inputs(&self, args: &PipelineArgs) -> Result<Planned, Diagnostics> {
        let (pipeline, registry, errors) = self.read(args, &PlaceArgs::default())?;
        Ok(Planned { plan: Arc::new(pipeline.without_inputs().plan(&registry, errors)?), registry })
    }

    /// A pipeline, the stages that it may use, and what is wrong with its plugins.
    fn read(&self, args: &PipelineArgs, places: &PlaceArgs) -> Result<Read, Diagnostics> {
        let pipeline = Pipeline::read(&args.pipeline, &overrides(&args.set, places))?;
        let mut registry = self.registry();
        let errors = register(&pipeline, &mut registry);
        Ok((pipeline, registry, errors))
    }

    /// The bundled stages and those of the plugins of a pipeline file.
    pub(crate) fn registry_of(&self, pipeline: &Path) -> anyhow::Result<Registry> {
        let pipeline = Pipeline::read(pipeline, &Overrides::default()).map_err(output::diagnostics_error)?;
        let mut registry = self.registry();
        if let Some((_, message)) = register(&pipeline, &mut registry).into_iter().next() {
            anyhow::bail!(message);
        }
        Ok(registry)
    }
}

/// What the environment and the command line change.
fn overrides(flags: &[(String, String)], places: &PlaceArgs) -> Overrides {
    let mut set = environment::settings();
    // Flags come last: what is typed now wins over what is in the environment.
    set.extend(flags.iter().map(|(key, value)| Setting {
        key: key.clone(),
        value: value.clone(),
        origin: SettingOrigin::Flag,
    }));
    let output = places.output.clone().filter(|_| !places.streams());
    Overrides { set, inputs: places.inputs.clone(), output, streams: places.streams() }
}

/// A plan, and the stages that it was made with.
pub(crate) struct Planned {
    pub(crate) plan: Arc<Plan>,
    pub(crate) registry: Registry,
}

impl Planned {
    /// The plan with stages of its own, for one run.
    pub(crate) fn open(&self, run: &RunContext) -> anyhow::Result<Opened> {
        Ok(Opened::new(Arc::clone(&self.plan), &self.registry, run)?)
    }
}

/// A pipeline that was read, the stages that it may use, and the plugins that failed with the reason.
type Read = (Pipeline, Registry, Vec<(usize, String)>);

/// How stages are put into processes of their own: in those of a program with the command line of this one.
pub(crate) fn isolation(program: PathBuf) -> tamis_isolate::Program {
    let arguments = ["plugin", "serve"].map(Into::into).into();
    tamis_isolate::Program { program, arguments }
}

/// A loader of libraries that describes them with this program.
pub(crate) fn loader() -> Loader {
    Loader::new(Inspector::of(environment::program()), environment::plugin_folders())
}

/// A library as the command line names it: a file, or else a name.
pub(crate) fn request(library: &Path) -> Request {
    match library.to_str() {
        Some(name)
            if !library.exists() && library.components().count() == 1 && library.extension().is_none() =>
        {
            Request::Name(name.to_owned())
        }
        _ => Request::Path(library.to_owned()),
    }
}

/// Registers the plugins of a pipeline; returns those that failed with the reason.
fn register(pipeline: &Pipeline, registry: &mut Registry) -> Vec<(usize, String)> {
    let mut loader = loader();
    let mut errors = Vec::new();
    for (index, plugin) in pipeline.plugins().iter().enumerate() {
        let request = match &plugin.locator {
            PluginLocator::Path(path) => Request::Path(path.clone()),
            PluginLocator::Name(name) => Request::Name(name.clone()),
        };
        if let Err(error) = loader.register(&request, plugin.blake3.as_deref(), registry) {
            errors.push((index, error.to_string()));
        }
    }
    errors
}
