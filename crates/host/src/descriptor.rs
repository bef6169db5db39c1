//! Checks the descriptor of a plugin before anything else in it is called.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tamis_plugin::abi::{self, Str};
use tamis_stage::{Better, Kind, MeasureInfo, PluginInfo, PluginOrigin, StageFlags, StageInfo};

/// Larger sizes are garbage read as a size.
const MAX_STRUCT_SIZE: u32 = 64 * 1024;
const MAX_STAGES: usize = 1024;
const MAX_MEASURES: usize = 256;
const MAX_NAME: usize = 64;
const MAX_TEXT: usize = 1 << 20;

/// What a plugin says about itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Description {
    /// The plugin.
    pub plugin: PluginInfo,
    /// What it was built with, for people.
    pub sdk: String,
    /// Its stages, in its own order.
    pub stages: Vec<StageInfo>,
}

/// A descriptor that holds all that the header asks for.
pub(crate) struct Checked {
    pub(crate) description: Description,
    pub(crate) stages: Vec<Table>,
}

/// The table of a stage, as far as this version knows it.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    pub(crate) stage: &'static abi::Stage,
    /// Tells its library from all others: the address of the descriptor, which is never freed.
    pub(crate) library: usize,
    /// What it says that it measures.
    pub(crate) measures: &'static [MeasureInfo],
    /// Whether it was built for a boundary that tells the forms of documents.
    pub(crate) knows_forms: bool,
}

/// The first minor version of the boundary in which documents have forms.
const FORMS: u32 = 3;

/// Checks a descriptor.
///
/// # Safety
///
/// `plugin` must be NULL or come from the entry function of a plugin: whether the memory behind it can be
/// read is all that cannot be checked here.
pub(crate) unsafe fn check(plugin: *const abi::Plugin, origin: PluginOrigin) -> Result<Checked, String> {
    let library = plugin.addr();
    // SAFETY: from the caller.
    let plugin = unsafe { check_plugin(plugin)? };
    // SAFETY: a plugin's strings are static (header, rule OWNERSHIP); lengths are checked first.
    let (name, version, license, sdk) = unsafe {
        (
            text("name of the plugin", plugin.name, MAX_NAME)?,
            text("version of the plugin", plugin.version, MAX_NAME)?,
            text("license of the plugin", plugin.license, MAX_TEXT)?,
            text("sdk of the plugin", plugin.sdk, MAX_TEXT)?,
        )
    };
    if name.is_empty() {
        return Err("the plugin has no name".to_owned());
    }
    let info = Arc::new(PluginInfo {
        name: name.to_owned(),
        version: version.to_owned(),
        license: license.to_owned(),
        abi_minor: plugin.abi_minor,
        origin,
    });
    // SAFETY: checked not to be NULL or misaligned, and `n_stages` to be sane.
    let pointers = unsafe { std::slice::from_raw_parts(plugin.stages, plugin.n_stages) };
    let mut names = BTreeSet::new();
    let mut stages = Vec::new();
    let mut infos = Vec::new();
    for (index, pointer) in pointers.iter().enumerate() {
        // SAFETY: a pointer from the table of a plugin, which is static.
        let (stage, stage_info) = unsafe { check_stage(*pointer, index, &info)? };
        let table = stage_info.kind.table();
        if !names.insert((table, stage_info.name.clone())) {
            return Err(format!("two of its stages for [[{table}]] are called `{}`", stage_info.name));
        }
        let measures = Vec::leak(stage_info.measures.clone());
        stages.push(Table { stage, library, measures, knows_forms: plugin.abi_minor >= FORMS });
        infos.push(stage_info);
    }
    let description = Description { plugin: (*info).clone(), sdk: sdk.to_owned(), stages: infos };
    Ok(Checked { description, stages })
}

unsafe fn check_plugin(plugin: *const abi::Plugin) -> Result<abi::Plugin, String> {
    check_pointer("the descriptor", plugin)?;
    // SAFETY: not NULL and aligned. Magic and size come first in every version of the structure.
    let (magic, size) = unsafe { ((*plugin).magic, (*plugin).struct_size) };
    if magic != abi::MAGIC {
        return Err(format!(
            "its descriptor begins with {magic:#018x} and not with the magic number {:#018x}: \
             the entry function returns something else than a `tamis_plugin`",
            abi::MAGIC
        ));
    }
    // SAFETY: as many bytes are there as its size says.
    let plugin = unsafe { known_part(plugin, "tamis_plugin", size, abi::Plugin::SIZE_1_0)? };
    if plugin.flags != 0 {
        return Err(format!("its flags {:#x} mean nothing to this program: update tamis", plugin.flags));
    }
    if plugin.abi_major != abi::MAJOR {
        return Err(format!(
            "it was built for plugin ABI {} and this program knows ABI {}: build the plugin against `tamis_plugin.h` \
             or `tamis-plugin` of this program",
            plugin.abi_major,
            abi::MAJOR
        ));
    }
    if plugin.n_stages == 0 || plugin.n_stages > MAX_STAGES {
        return Err(format!(
            "it says that it has {} stages; a plugin has 1 to {MAX_STAGES}",
            plugin.n_stages
        ));
    }
    check_pointer("its list of stages", plugin.stages)?;
    Ok(plugin)
}

unsafe fn check_stage(
    stage: *const abi::Stage,
    index: usize,
    plugin: &Arc<PluginInfo>,
) -> Result<(&'static abi::Stage, StageInfo), String> {
    check_pointer(&format!("stage {index}"), stage)?;
    // SAFETY: not NULL and aligned; the size is the first member.
    let size = unsafe { (*stage).struct_size };
    let what = format!("tamis_stage of stage {index}");
    // SAFETY: as many bytes are there as its size says.
    let mut stage = unsafe { known_part(stage, &what, size, abi::Stage::SIZE_1_0)? };
    // SAFETY: static strings.
    let name = unsafe { text(&format!("name of stage {index}"), stage.name, MAX_NAME)? };
    if !is_stage_name(name) {
        return Err(format!(
            "stage {index} is called `{name}`; a name has lower-case letters, digits and single hyphens between them"
        ));
    }
    let what = |error: String| format!("stage `{name}`: {error}");
    check_flags(&stage).map_err(what)?;
    // SAFETY: tables of a stage are static like the stage.
    let kind = unsafe { check_tables(&mut stage).map_err(what)? };
    let stage: &'static abi::Stage = Box::leak(Box::new(stage));
    // SAFETY: static strings.
    let info = unsafe {
        StageInfo {
            name: name.to_owned(),
            kind,
            summary: text("summary", stage.summary, MAX_TEXT).map_err(what)?.to_owned(),
            docs: text("docs", stage.docs, MAX_TEXT).map_err(what)?.to_owned(),
            schema: check_schema(stage.options_schema).map_err(what)?,
            reads: names("reads", stage.reads, stage.n_reads).map_err(what)?,
            writes: names("writes", stage.writes, stage.n_writes).map_err(what)?,
            measures: measures(stage.measures, stage.n_measures).map_err(what)?,
            flags: flags(stage),
            plugin: Arc::clone(plugin),
        }
    };
    Ok((stage, info))
}

/// What this program knows of the bits that it must know.
const UNDERSTOOD: u64 = abi::RANDOM_ACCESS | abi::PARTS | abi::OWN_FILE | abi::KEYED;

fn check_flags(stage: &abi::Stage) -> Result<(), String> {
    let has = |bits| stage.flags & bits == bits;
    let unknown = stage.flags & abi::MUST_UNDERSTAND & !UNDERSTOOD;
    if unknown != 0 {
        return Err(format!(
            "it needs features that this program does not have ({unknown:#x}): update tamis"
        ));
    }
    let mistakes = [
        (has(abi::RANDOM_ACCESS) && stage.kind != abi::READER, "TAMIS_RANDOM_ACCESS is for readers"),
        (
            has(abi::RANDOM_ACCESS | abi::WHOLE_FILE),
            "TAMIS_RANDOM_ACCESS and TAMIS_WHOLE_FILE contradict each other",
        ),
        (has(abi::BY_LINE) && stage.kind != abi::READER, "TAMIS_BY_LINE is for readers"),
        (has(abi::BY_LINE | abi::WHOLE_FILE), "TAMIS_BY_LINE and TAMIS_WHOLE_FILE contradict each other"),
        (
            has(abi::BY_LINE | abi::RANDOM_ACCESS),
            "TAMIS_BY_LINE and TAMIS_RANDOM_ACCESS contradict each other",
        ),
        (has(abi::KEYED) && stage.kind != abi::CORPUS, "TAMIS_KEYED is for corpus stages"),
        (has(abi::PARTS) && stage.kind != abi::EXPORTER, "TAMIS_PARTS is for exporters"),
        (has(abi::PARTS | abi::NAMED_FILES), "TAMIS_PARTS and TAMIS_NAMED_FILES contradict each other"),
        (has(abi::OWN_FILE) && !has(abi::PARTS), "TAMIS_OWN_FILE is for exporters with TAMIS_PARTS"),
    ];
    let mistake = mistakes.into_iter().find_map(|(is_there, what)| is_there.then_some(what));
    mistake.map_or(Ok(()), |what| Err(format!("its flags make no sense: {what}")))
}

fn flags(stage: &abi::Stage) -> StageFlags {
    let has = |bit| stage.flags & bit != 0;
    let exporter = stage.kind == abi::EXPORTER;
    StageFlags {
        pure: has(abi::PURE),
        byte_stream: exporter && !has(abi::NAMED_FILES) && !has(abi::PARTS),
        named_files: exporter && has(abi::NAMED_FILES),
        replayable: exporter && has(abi::REPLAYABLE),
        whole_file: has(abi::WHOLE_FILE),
        by_line: has(abi::BY_LINE),
        random_access: has(abi::RANDOM_ACCESS),
        parts: has(abi::PARTS),
        own_file: has(abi::OWN_FILE),
    }
}

/// The kind, once the table of that kind has all its functions.
///
/// The tables are replaced by what this version knows of them.
unsafe fn check_tables(stage: &mut abi::Stage) -> Result<Kind, String> {
    require(&[("open", stage.open.is_some()), ("close", stage.close.is_some())])?;
    match stage.kind {
        abi::READER => {
            // SAFETY: from the caller.
            let reader = unsafe { table("reader", stage.reader, abi::Reader::SIZE_1_0)? };
            stage.reader = reader;
            if stage.flags & abi::RANDOM_ACCESS != 0 {
                require(&[
                    ("reader.file_open", reader.file_open.is_some()),
                    ("reader.file_decode", reader.file_decode.is_some()),
                    ("reader.file_close", reader.file_close.is_some()),
                ])?;
                return Ok(Kind::Reader);
            }
            let whole = stage.flags & abi::WHOLE_FILE != 0;
            require(&[
                ("reader.cut", whole || reader.cut.is_some()),
                ("reader.decode", reader.decode.is_some()),
            ])?;
            Ok(Kind::Reader)
        }
        kind @ (abi::FILTER | abi::EXTRACTOR) => {
            // SAFETY: from the caller.
            let transform = unsafe { table("transform", stage.transform, abi::Transform::SIZE_1_0)? };
            stage.transform = transform;
            let local = transform.local_new.is_none() || transform.local_free.is_some();
            require(&[("transform.process", transform.process.is_some()), ("transform.local_free", local)])?;
            Ok(if kind == abi::FILTER { Kind::Filter } else { Kind::Extractor })
        }
        abi::CORPUS if stage.flags & abi::KEYED != 0 => {
            // SAFETY: from the caller.
            let keyed = unsafe { table("keyed", stage.keyed, abi::Keyed::SIZE_1_2)? };
            stage.keyed = keyed;
            let local = keyed.local_new.is_none() || keyed.local_free.is_some();
            require(&[
                ("keyed.rounds", keyed.rounds.is_some()),
                ("keyed.local_free", local),
                ("keyed.observe", keyed.observe.is_some()),
                ("keyed.apply", keyed.apply.is_some()),
            ])?;
            Ok(Kind::Corpus)
        }
        abi::CORPUS => {
            // SAFETY: from the caller.
            let corpus = unsafe { table("corpus", stage.corpus, abi::Corpus::SIZE_1_0)? };
            stage.corpus = corpus;
            require(&[
                ("corpus.local_new", corpus.local_new.is_some()),
                ("corpus.local_free", corpus.local_free.is_some()),
                ("corpus.observe", corpus.observe.is_some()),
                ("corpus.merge", corpus.merge.is_some()),
                ("corpus.end_pass", corpus.end_pass.is_some()),
                ("corpus.apply", corpus.apply.is_some()),
                ("corpus.state_save", corpus.state_save.is_some()),
                ("corpus.state_load", corpus.state_load.is_some()),
            ])?;
            if corpus.observing_passes == 0 {
                return Err("a corpus stage observes the corpus at least once".to_owned());
            }
            Ok(Kind::Corpus)
        }
        abi::EXPORTER => {
            // SAFETY: from the caller.
            let exporter = unsafe { table("exporter", stage.exporter, abi::Exporter::SIZE_1_0)? };
            stage.exporter = exporter;
            require(&[
                ("exporter.extension", exporter.extension.is_some()),
                ("exporter.encode", exporter.encode.is_some()),
            ])?;
            if stage.flags & abi::PARTS != 0 {
                require(&[
                    ("exporter.part_begin", exporter.part_begin.is_some()),
                    ("exporter.part_add", exporter.part_add.is_some()),
                    ("exporter.part_end", exporter.part_end.is_some()),
                    ("exporter.part_free", exporter.part_free.is_some()),
                ])?;
            }
            Ok(Kind::Exporter)
        }
        other => Err(format!("kind {other} is unknown; the header has 1 to 5")),
    }
}

/// # Safety
///
/// `table` must be a table of a plugin; all of them are static and begin with `struct_size`.
unsafe fn table<T: Copy>(name: &str, table: *const T, needed: usize) -> Result<&'static T, String> {
    check_pointer(&format!("its table `{name}`"), table)?;
    // SAFETY: not NULL and aligned; `struct_size` is the first member.
    let claimed = unsafe { table.cast::<u32>().read() };
    // SAFETY: as many bytes are there as its size says.
    let known = unsafe { known_part(table, &format!("tamis_{name}"), claimed, needed)? };
    Ok(Box::leak(Box::new(known)))
}

/// What this version knows of a structure that may be shorter (an older plugin) or longer (a newer one).
///
/// Copied, because a reference to a whole structure over a shorter one would be undefined behaviour; members
/// that the plugin does not have are NULL.
///
/// # Safety
///
/// `claimed` bytes must be readable at `pointer`, and `T` must be valid when all its bytes are 0.
unsafe fn known_part<T: Copy>(
    pointer: *const T,
    what: &str,
    claimed: u32,
    needed: usize,
) -> Result<T, String> {
    check_size(what, claimed, needed)?;
    let mut known = std::mem::MaybeUninit::<T>::zeroed();
    // Whoever claims half of a member does not have it; what was appended to ABI 1.0 is as long as a pointer.
    let length = (claimed as usize).min(size_of::<T>()) & !(size_of::<usize>() - 1);
    // SAFETY: readable as the caller says, writable as the size of `T` says, and apart from each other.
    unsafe { std::ptr::copy_nonoverlapping(pointer.cast::<u8>(), known.as_mut_ptr().cast(), length) };
    // SAFETY: all bytes are written or 0.
    Ok(unsafe { known.assume_init() })
}

fn require(functions: &[(&str, bool)]) -> Result<(), String> {
    match functions.iter().find(|(_, present)| !present) {
        Some((name, _)) => Err(format!("the function `{name}` is missing")),
        None => Ok(()),
    }
}

fn check_pointer<T>(what: &str, pointer: *const T) -> Result<(), String> {
    if pointer.is_null() {
        return Err(format!("{what} is NULL"));
    }
    if !pointer.is_aligned() {
        return Err(format!("{what} is at the misaligned address {pointer:p}"));
    }
    Ok(())
}

fn check_size(what: &str, claimed: u32, needed: usize) -> Result<(), String> {
    if claimed > MAX_STRUCT_SIZE {
        return Err(format!("struct_size of {what} is {claimed} bytes, which cannot be"));
    }
    if (claimed as usize) < needed {
        return Err(format!(
            "struct_size of {what} is {claimed} bytes, but ABI {}.0 has {needed}: build it against the whole \
             `tamis_plugin.h`, and set struct_size to sizeof the structure",
            abi::MAJOR
        ));
    }
    Ok(())
}

/// # Safety
///
/// `text` must be a static string of a plugin.
unsafe fn text(what: &str, text: Str, max: usize) -> Result<&'static str, String> {
    if text.len > max {
        return Err(format!("{what} is {} bytes long; at most {max} are allowed", text.len));
    }
    if text.len > 0 && text.ptr.is_null() {
        return Err(format!("{what} is NULL with length {}", text.len));
    }
    // SAFETY: not NULL, and of a sane length.
    let bytes = unsafe { text.bytes() };
    simdutf8::compat::from_utf8(bytes)
        .map_err(|error| format!("{what} is not UTF-8 at byte {}", error.valid_up_to()))
}

unsafe fn names(what: &str, list: *const Str, n: usize) -> Result<Vec<String>, String> {
    if n == 0 {
        return Ok(Vec::new());
    }
    if n > MAX_STAGES {
        return Err(format!("`{what}` lists {n} fields; at most {MAX_STAGES} are allowed"));
    }
    check_pointer(&format!("`{what}`"), list)?;
    // SAFETY: not NULL, aligned, and of a sane length.
    let list = unsafe { std::slice::from_raw_parts(list, n) };
    // SAFETY: static strings.
    list.iter().map(|name| unsafe { text(what, *name, MAX_NAME) }.map(str::to_owned)).collect()
}

/// What a stage says that it measures.
///
/// # Safety
///
/// `list` must be a static array of a plugin with `n` entries.
unsafe fn measures(list: *const abi::MeasureInfo, n: usize) -> Result<Vec<MeasureInfo>, String> {
    if n == 0 {
        return Ok(Vec::new());
    }
    if n > MAX_MEASURES {
        return Err(format!("it declares {n} measures; at most {MAX_MEASURES} are allowed"));
    }
    check_pointer("its list of measures", list)?;
    // SAFETY: not NULL, aligned, and of a sane length.
    let list = unsafe { std::slice::from_raw_parts(list, n) };
    let mut names = BTreeSet::new();
    let mut measures = Vec::with_capacity(n);
    for measure in list {
        // SAFETY: static strings.
        let measure = unsafe { measure_info(measure)? };
        if !names.insert(measure.name.clone()) {
            return Err(format!("it declares the measure `{}` twice", measure.name));
        }
        measures.push(measure);
    }
    Ok(measures)
}

/// # Safety
///
/// The strings must be static.
unsafe fn measure_info(measure: &abi::MeasureInfo) -> Result<MeasureInfo, String> {
    // SAFETY: the caller vouches for it.
    let text = |what, it, max| unsafe { text(&format!("{what} of a measure"), it, max) }.map(Cow::Borrowed);
    let name = text("the name", measure.name, MAX_NAME)?;
    if name.is_empty() {
        return Err("it declares a measure without a name".to_owned());
    }
    let better = match measure.better {
        abi::NEITHER => Better::Neither,
        abi::HIGHER => Better::Higher,
        abi::LOWER => Better::Lower,
        other => {
            return Err(format!("`better` of the measure `{name}` is {other}, which is none of 0, 1, 2"));
        }
    };
    if measure.reserved != 0 {
        return Err(format!("the reserved member of the measure `{name}` is not 0"));
    }
    Ok(MeasureInfo {
        name,
        unit: text("the unit", measure.unit, MAX_NAME)?,
        better,
        min_option: text("an option", measure.min_option, MAX_NAME)?,
        max_option: text("an option", measure.max_option, MAX_NAME)?,
        summary: text("the summary", measure.summary, MAX_TEXT)?,
    })
}

fn check_schema(schema: Str) -> Result<serde_json::Value, String> {
    // SAFETY: a static string.
    let schema = unsafe { text("options_schema", schema, MAX_TEXT)? };
    if schema.is_empty() {
        return Ok(serde_json::json!({ "type": "object", "properties": {}, "additionalProperties": false }));
    }
    let schema: serde_json::Value =
        serde_json::from_str(schema).map_err(|error| format!("options_schema is not JSON: {error}"))?;
    if schema.get("type").and_then(serde_json::Value::as_str) != Some("object") {
        return Err(
            "options_schema is not the schema of an object: it needs `\"type\": \"object\"`".to_owned()
        );
    }
    if !schema.get("properties").is_none_or(serde_json::Value::is_object) {
        return Err("`properties` of options_schema is not an object".to_owned());
    }
    Ok(schema)
}

/// Kebab case: lower-case letters and digits with single hyphens between.
fn is_stage_name(name: &str) -> bool {
    !name.is_empty()
        && name.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stage_names_are_kebab_case() {
        for name in ["length", "line-template", "utf8", "a-1-b"] {
            assert!(is_stage_name(name), "{name}");
        }
        for name in ["", "-a", "a-", "a--b", "Length", "a_b", "字", "a b"] {
            assert!(!is_stage_name(name), "{name}");
        }
    }
}
