//! From the author's traits to the tables of the boundary.
//!
//! [`PluginBuilder`] makes one table a stage; the functions in the tables, one module a kind, turn C views
//! into [`View`](crate::View)s, call the trait, and hand the outcome to the host.

mod corpus;
mod exporter;
mod file_reader;
mod host;
mod keyed;
mod part_exporter;
mod reader;
mod transform;

use std::ffi::c_void;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use schemars::generate::SchemaSettings;
use tamis_stage::{
    BatchExtractor, BatchFilter, Better, CorpusStage, Exporter, FileReader, Forms, KeyedStage, MeasureInfo,
    Options, PartExporter, Reader, SetupError,
};

use crate::abi::{self, Str};
use crate::guard;
use host::HostRef;

/// The descriptor of a plugin that was made with this SDK, so that all it points to is known to be static and
/// whole: unlike one that comes from a library, it can be used without `unsafe`.
pub struct PluginTable(abi::Plugin);

impl PluginTable {
    /// The descriptor as it crosses the boundary.
    pub fn as_abi(&self) -> &abi::Plugin {
        &self.0
    }

    /// The entry function of a library: the descriptor, or NULL if making it panics. The message goes where
    /// the panic hook sends it, standard error, and there the host that inspects the library looks for it.
    pub fn entry(make: impl FnOnce() -> &'static Self) -> *const abi::Plugin {
        match catch_unwind(AssertUnwindSafe(make)) {
            Ok(table) => std::ptr::from_ref(table.as_abi()),
            Err(_) => std::ptr::null(),
        }
    }
}

/// Collects the stages of a plugin; [`export_plugin!`](crate::export_plugin) writes the calls.
pub struct PluginBuilder {
    name: &'static str,
    version: &'static str,
    license: &'static str,
    stages: Vec<*const abi::Stage>,
}

impl PluginBuilder {
    /// A plugin without stages; `name` is the crate name, which is the stem of the library file.
    pub fn new(name: &'static str, version: &'static str, license: &'static str) -> Self {
        Self { name, version, license, stages: Vec::new() }
    }

    /// Adds a reader.
    #[must_use]
    pub fn reader<T: Reader>(self) -> Self {
        let flag = |has, bit| if has { bit } else { 0 };
        let flags = flag(T::WHOLE_FILE, abi::WHOLE_FILE) | flag(T::BY_LINE, abi::BY_LINE);
        let parts =
            Parts { kind: abi::READER, flags, name: T::NAME, reads: &[], writes: T::WRITES, measures: &[] };
        self.stage::<AsReader<T>>(&parts, |stage| {
            stage.reader = leak(reader::table::<T>());
        })
    }

    /// Adds a reader of files that are read anywhere.
    #[must_use]
    pub fn file_reader<T: FileReader>(self) -> Self {
        let flags = abi::RANDOM_ACCESS;
        let parts =
            Parts { kind: abi::READER, flags, name: T::NAME, reads: &[], writes: T::WRITES, measures: &[] };
        self.stage::<AsFileReader<T>>(&parts, |stage| {
            stage.reader = leak(file_reader::table::<T>());
        })
    }

    /// Adds a filter.
    #[must_use]
    pub fn filter<T: BatchFilter>(self) -> Self {
        let parts = Parts {
            kind: abi::FILTER,
            flags: abi::PURE,
            name: T::NAME,
            reads: T::READS,
            writes: &[],
            measures: T::MEASURES,
        };
        self.stage::<AsFilter<T>>(&parts, |stage| {
            stage.transform = leak(transform::filter_table::<T>());
        })
    }

    /// Adds an extractor.
    #[must_use]
    pub fn extractor<T: BatchExtractor>(self) -> Self {
        let parts = Parts {
            kind: abi::EXTRACTOR,
            flags: abi::PURE,
            name: T::NAME,
            reads: T::READS,
            writes: T::WRITES,
            measures: T::MEASURES,
        };
        self.stage::<AsExtractor<T>>(&parts, |stage| {
            stage.transform = leak(transform::extractor_table::<T>());
        })
    }

    /// Adds a corpus stage.
    #[must_use]
    pub fn corpus_stage<T: CorpusStage>(self) -> Self {
        let parts = Parts {
            kind: abi::CORPUS,
            flags: 0,
            name: T::NAME,
            reads: T::READS,
            writes: T::WRITES,
            measures: T::MEASURES,
        };
        self.stage::<AsCorpus<T>>(&parts, |stage| {
            stage.corpus = leak(corpus::table::<T>());
        })
    }

    /// Adds a corpus stage in the keyed form.
    #[must_use]
    pub fn keyed_stage<T: KeyedStage>(self) -> Self {
        let flags = abi::KEYED;
        let parts = Parts {
            kind: abi::CORPUS,
            flags,
            name: T::NAME,
            reads: T::READS,
            writes: T::WRITES,
            measures: T::MEASURES,
        };
        self.stage::<keyed::AsKeyed<T>>(&parts, |stage| {
            stage.keyed = leak(keyed::table::<T>());
        })
    }

    /// Adds an exporter.
    #[must_use]
    pub fn exporter<T: Exporter>(self) -> Self {
        let named_files = if T::NAMED_FILES { abi::NAMED_FILES } else { 0 };
        let flags = named_files | if T::REPLAYABLE { abi::REPLAYABLE } else { 0 };
        let parts =
            Parts { kind: abi::EXPORTER, flags, name: T::NAME, reads: T::READS, writes: &[], measures: &[] };
        self.stage::<AsExporter<T>>(&parts, |stage| {
            stage.exporter = leak(exporter::table::<T>());
        })
    }

    /// Adds an exporter of files with parts.
    #[must_use]
    pub fn part_exporter<T: PartExporter>(self) -> Self {
        let own_file = if T::OWN_FILE { abi::OWN_FILE } else { 0 };
        let flags = abi::PARTS | own_file | if T::REPLAYABLE { abi::REPLAYABLE } else { 0 };
        let parts =
            Parts { kind: abi::EXPORTER, flags, name: T::NAME, reads: T::READS, writes: &[], measures: &[] };
        self.stage::<AsPartExporter<T>>(&parts, |stage| {
            stage.exporter = leak(part_exporter::table::<T>());
        })
    }

    /// The descriptor; it and all it points to lives until the process ends.
    pub fn finish(self) -> PluginTable {
        let stages: &'static [*const abi::Stage] = self.stages.leak();
        PluginTable(abi::Plugin {
            magic: abi::MAGIC,
            struct_size: size_of::<abi::Plugin>() as u32,
            abi_major: abi::MAJOR,
            abi_minor: abi::MINOR,
            flags: 0,
            name: Str::new(self.name.as_bytes()),
            version: Str::new(self.version.as_bytes()),
            license: Str::new(self.license.as_bytes()),
            sdk: Str::new(concat!("tamis-plugin ", env!("CARGO_PKG_VERSION"), " (Rust)").as_bytes()),
            stages: stages.as_ptr(),
            n_stages: stages.len(),
        })
    }

    fn stage<K: Kind>(mut self, parts: &Parts, set_table: impl FnOnce(&mut abi::Stage)) -> Self {
        let schema = schema::<K::Options>();
        let docs =
            schema.get("description").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let summary = docs.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        let reads = leak_names(parts.reads);
        let writes = leak_names(parts.writes);
        let measures = leak_measures(parts.measures);
        let mut stage = abi::Stage {
            struct_size: size_of::<abi::Stage>() as u32,
            kind: parts.kind,
            flags: parts.flags | abi::UTF8_TRUSTED,
            name: Str::new(parts.name.as_bytes()),
            summary: leak_str(summary),
            docs: leak_str(docs),
            options_schema: leak_str(schema.to_string()),
            reads: reads.as_ptr(),
            n_reads: reads.len(),
            writes: writes.as_ptr(),
            n_writes: writes.len(),
            open: Some(open::<K>),
            close: Some(close::<K>),
            reader: std::ptr::null(),
            transform: std::ptr::null(),
            corpus: std::ptr::null(),
            exporter: std::ptr::null(),
            measures: measures.as_ptr(),
            n_measures: measures.len(),
            keyed: std::ptr::null(),
        };
        set_table(&mut stage);
        self.stages.push(leak(stage));
        self
    }
}

/// What is known about a stage at compile time.
struct Parts {
    kind: u32,
    flags: u64,
    name: &'static str,
    reads: &'static [&'static str],
    writes: &'static [&'static str],
    measures: &'static [MeasureInfo],
}

/// The schema of the options, without references, so that whoever reads it needs no resolver.
fn schema<O: Options>() -> serde_json::Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<O>().to_value();
    if let Some(object) = schema.as_object_mut() {
        // The name of a Rust type says nothing to whoever writes a pipeline.
        object.remove("title");
        object.remove("$schema");
    }
    shorten(&mut schema);
    schema
}

/// Writes numbers of 32 bits as short as people do: made one of 64 bits, 0.2 is 0.20000000298023224.
fn shorten(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Number(number) if number.is_f64() => {
            let (Some(wide), Ok(narrow)) = (number.as_f64(), number.to_string().parse::<f32>()) else {
                return;
            };
            if f64::from(narrow).total_cmp(&wide).is_eq()
                && let Some(short) = narrow.to_string().parse().ok().and_then(serde_json::Number::from_f64)
            {
                *number = short;
            }
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(shorten),
        serde_json::Value::Object(entries) => entries.values_mut().for_each(shorten),
        _ => {}
    }
}

fn leak<T>(value: T) -> *const T {
    Box::leak(Box::new(value))
}

fn leak_str(text: String) -> Str {
    Str::new(text.leak().as_bytes())
}

fn leak_names(names: &[&'static str]) -> &'static [Str] {
    names.iter().map(|name| Str::new(name.as_bytes())).collect::<Vec<_>>().leak()
}

fn leak_measures(measures: &'static [MeasureInfo]) -> &'static [abi::MeasureInfo] {
    let table = measures.iter().map(|measure| abi::MeasureInfo {
        name: Str::new(measure.name.as_bytes()),
        unit: Str::new(measure.unit.as_bytes()),
        min_option: Str::new(measure.min_option.as_bytes()),
        max_option: Str::new(measure.max_option.as_bytes()),
        summary: Str::new(measure.summary.as_bytes()),
        better: match measure.better {
            Better::Neither => abi::NEITHER,
            Better::Higher => abi::HIGHER,
            Better::Lower => abi::LOWER,
        },
        reserved: 0,
    });
    table.collect::<Vec<_>>().leak()
}

/// A stage of some kind, for what all kinds share; the traits of authors are one to the functions below.
trait Kind {
    type Stage: Send + Sync + 'static;
    type Options: Options;

    fn open(options: Self::Options) -> Result<Self::Stage, SetupError>;

    /// Counters that are declared.
    fn counters(_stage: &Self::Stage) -> Vec<String> {
        Vec::new()
    }

    /// What it says of forms.
    fn forms(_stage: &Self::Stage) -> Forms {
        Forms::new()
    }
}

macro_rules! kind {
    ($marker:ident, $author:ident $(, $tells:ident -> $told:ty)*) => {
        struct $marker<T>(PhantomData<T>);

        impl<T: $author> Kind for $marker<T> {
            type Stage = T;
            type Options = T::Options;

            fn open(options: T::Options) -> Result<T, SetupError> {
                T::open(options)
            }
            $(
                fn $tells(stage: &T) -> $told {
                    stage.$tells()
                }
            )*
        }
    };
}

kind!(AsReader, Reader, forms -> Forms);
kind!(AsFileReader, FileReader, forms -> Forms);
kind!(AsFilter, BatchFilter, counters -> Vec<String>, forms -> Forms);
kind!(AsExtractor, BatchExtractor, counters -> Vec<String>, forms -> Forms);
kind!(AsCorpus, CorpusStage, forms -> Forms);
kind!(AsExporter, Exporter);
kind!(AsPartExporter, PartExporter);

unsafe extern "C-unwind" fn open<K: Kind>(
    options: Str,
    host: *const abi::Host,
    instance: *mut *mut c_void,
) -> i32 {
    // SAFETY: the host passes its table and UTF-8 text; both outlive the call.
    let (host, options) = unsafe { (HostRef::new(host), host::text(options)) };
    let options = if options.is_empty() { "{}" } else { options };
    let opened = guard::catch(|| match serde_json::from_str::<K::Options>(options) {
        Ok(options) => K::open(options).map(|stage| (K::counters(&stage), K::forms(&stage), stage)),
        Err(error) => Err(SetupError::new(error)),
    });
    match opened {
        Ok(Ok((counters, forms, stage))) => {
            host.forms(forms);
            // To count 0 while a stage is opened is to declare the counter.
            for name in &counters {
                host.count(name, 0);
            }
            let pointer = Box::into_raw(Box::new(stage)).cast();
            // SAFETY: `instance` is the host's place for the result.
            unsafe { instance.write(pointer) };
            abi::OK
        }
        Ok(Err(error)) => {
            host.error(error.place().unwrap_or_default(), &error.to_string());
            abi::ERROR
        }
        Err(panic) => {
            host.error("", &panic);
            abi::PANIC
        }
    }
}

unsafe extern "C-unwind" fn close<K: Kind>(instance: *mut c_void) {
    // SAFETY: made by `open::<K>`; the host closes it once, after every other call has returned.
    let stage = unsafe { Box::from_raw(instance.cast::<K::Stage>()) };
    // A panicking `drop` has nobody left to tell.
    drop(guard::catch(|| drop(stage)));
}

/// The stage behind an instance pointer.
///
/// # Safety
///
/// `instance` must come from `open` of the same stage type and not be closed during `'a`.
unsafe fn stage<'a, T>(instance: *mut c_void) -> &'a T {
    // SAFETY: the caller vouches for it.
    unsafe { &*instance.cast::<T>() }
}

/// Runs a whole call; what is not caught document by document ends up here.
fn boundary(host: HostRef, call: impl FnOnce() -> Result<(), String>) -> i32 {
    match guard::catch(call) {
        Ok(Ok(())) => abi::OK,
        Ok(Err(message)) => {
            host.error("", &message);
            abi::ERROR
        }
        Err(panic) => {
            host.error("", &panic);
            abi::PANIC
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn numbers_are_as_short_as_people_write_them() {
        let mut schema = json!({
            "a": { "default": 0.2_f32, "maximum": 1.5, "minimum": 0.1 },
            "b": [f64::from(0.3_f32), 7, 1e300, f64::MIN_POSITIVE, "0.20000000298023224"],
        });
        super::shorten(&mut schema);
        assert_eq!(
            schema,
            json!({
                "a": { "default": 0.2, "maximum": 1.5, "minimum": 0.1 },
                "b": [0.3, 7, 1e300, f64::MIN_POSITIVE, "0.20000000298023224"],
            })
        );
    }
}
