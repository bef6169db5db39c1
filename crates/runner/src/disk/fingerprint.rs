//! What decides the output of a run, as two hashes: the plan, and its inputs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tamis_config::Plan;
use tamis_stage::{PluginInfo, PluginOrigin, StageInfo};
use walkdir::WalkDir;

use crate::error::RunError;

/// Two runs with equal fingerprints write the same bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// BLAKE3 over the pipeline, the files that its options name, and the plugins.
    pub plan: String,
    /// BLAKE3 over name, size and time of change of every input file.
    pub inputs: String,
}

/// What a [`Fingerprint`] says of a plan, for people: with which settings an output was made, and what of them has
/// changed when another run finds it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// The whole pipeline after `extends`, overrides and command line ([`Plan::canonical`]).
    #[serde(default)]
    pub plan: Value,
    /// How many records were wanted, if not all (`--limit`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// BLAKE3 of the files and folders that options name, by their last name, because where they lie differs from
    /// machine to machine; of one name, the later ones carry their number.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, String>,
}

impl Resolved {
    /// The settings of a run of a plan that writes its exports to `places`.
    pub(crate) fn of(plan: &Plan, places: &[PathBuf], limit: Option<u64>) -> Result<Self, RunError> {
        let mut files = BTreeMap::new();
        for path in &plan.files {
            let mut hasher = blake3::Hasher::new();
            for_each_file(path, &mut |content| {
                hasher.update(&(content.len() as u64).to_le_bytes()).update(content);
            })?;
            let last = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
            let numbered = (2..).map(|n| format!("{last}~{n}"));
            let name = std::iter::once(last.clone()).chain(numbered).find(|name| !files.contains_key(name));
            files.insert(name.unwrap_or(last), hasher.finalize().to_hex().to_string());
        }
        Ok(Self { plan: placed(plan, places), limit, files })
    }
}

/// The fingerprint of a plan over inputs with this hash, which writes its exports to `places`.
///
/// A shard has that of the whole: which it is, the folder tells.
pub(crate) fn fingerprint(
    plan: &Plan,
    places: &[PathBuf],
    limit: Option<u64>,
    inputs: String,
) -> Result<Fingerprint, RunError> {
    let mut hash = hash_of(plan, &placed(plan, places))?;
    if let Some(limit) = limit {
        hash = blake3::hash(format!("{hash} {limit}").as_bytes()).to_hex().to_string();
    }
    Ok(Fingerprint { plan: hash, inputs })
}

/// The canonical form of a plan with the folders where its exports really are, seen from the first of them.
///
/// As they are written, one folder has several names: through a link, or from another working directory. The first
/// has none at all, for that is where the fingerprint lies: an output folder that was moved is still that output.
fn placed(plan: &Plan, places: &[PathBuf]) -> Value {
    let mut canonical = plan.canonical.clone();
    let Some(base) = places.first() else { return canonical };
    let exports = canonical["exports"].as_array_mut().into_iter().flatten();
    for ((export, place), planned) in exports.zip(places).zip(&plan.exports) {
        // Where something is prepared that goes to a store differs from machine to machine, its address does not.
        if planned.address().is_none() || place.starts_with(base) {
            export["path"] = Value::from(folder_from(place, base).to_string_lossy());
        }
    }
    canonical
}

/// A folder of an export as the manifest names it: from its own folder if it lies below, absolute otherwise.
pub(crate) fn folder_from(place: &Path, base: &Path) -> PathBuf {
    place.strip_prefix(base).unwrap_or(place).to_owned()
}

/// The hash of what decides what corpus stages learn: readers and stages, but not where documents are read
/// from and written to, which differs from machine to machine.
pub(crate) fn learning_hash(plan: &Plan) -> Result<String, RunError> {
    let mut canonical = plan.canonical.clone();
    if let Some(tables) = canonical.as_object_mut() {
        tables.remove("exports");
    }
    for source in canonical["sources"].as_array_mut().into_iter().flatten() {
        if let Some(keys) = source.as_object_mut() {
            keys.remove("paths");
            keys.remove("exclude");
        }
    }
    hash_of(plan, &canonical)
}

fn hash_of(plan: &Plan, canonical: &Value) -> Result<String, RunError> {
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: &[u8]| {
        // Lengths in front keep parts apart that would read the same when joined.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    add(env!("CARGO_PKG_VERSION").as_bytes());
    add(canonical.to_string().as_bytes());
    for path in &plan.files {
        for_each_file(path, &mut |content| add(content))?;
    }
    for plugin in plugins(plan) {
        add(plugin.name.as_bytes());
        add(plugin.version.as_bytes());
        if let PluginOrigin::Library { blake3, .. } = &plugin.origin {
            add(blake3.as_bytes());
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

fn plugins(plan: &Plan) -> Vec<&PluginInfo> {
    let readers = plan.sources.iter().flat_map(|source| &source.readers).map(|reader| &reader.info);
    let stages = plan.stages.iter().map(|stage| &stage.info);
    let exports = plan.exports.iter().map(|export| &export.info);
    let infos = readers.chain(stages).chain(exports);
    let mut plugins: Vec<&PluginInfo> = infos.map(|info: &StageInfo| info.plugin.as_ref()).collect();
    plugins.sort_by(|a, b| a.name.cmp(&b.name));
    plugins.dedup();
    plugins
}

fn for_each_file(path: &Path, add: &mut impl FnMut(&[u8])) -> Result<(), RunError> {
    for entry in WalkDir::new(path).sort_by_file_name() {
        let unreadable =
            |message: String| RunError::Inputs { source_id: path.display().to_string(), message };
        let entry = entry.map_err(|error| unreadable(error.to_string()))?;
        if entry.file_type().is_file() {
            add(entry.file_name().as_encoded_bytes());
            add(&std::fs::read(entry.path()).map_err(|error| unreadable(error.to_string()))?);
        }
    }
    Ok(())
}
