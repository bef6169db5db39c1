//! `export_plugin!`.

/// Makes the crate a plugin: exports its stages over the C boundary.
///
/// Use it once, in `lib.rs` of a crate with `crate-type = ["cdylib", "rlib"]`.
/// The exported symbol carries the crate's name, so that plugins can also be linked together into one
/// program; for that the macro defines `pub fn plugin() -> &'static PluginTable`.
///
/// ```
/// # mod example {
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
/// use tamis_plugin::{Failure, Filter, Limit, Notes, SetupError, Verdict, View};
///
/// /// Drops documents with too few lines.
/// #[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
/// #[serde(default, deny_unknown_fields)]
/// pub struct Options {
///     /// Fewest lines of a document that is kept.
///     #[schemars(extend("x-unit" = "lines"))]
///     min_lines: usize,
/// }
///
/// pub struct LineCount(Options);
///
/// impl Filter for LineCount {
///     const NAME: &'static str = "line-count";
///     type Options = Options;
///
///     fn open(options: Options) -> Result<Self, SetupError> {
///         Ok(Self(options))
///     }
///
///     fn filter(&self, document: &View<'_>, notes: &mut Notes) -> Result<Verdict, Failure> {
///         let lines = document.text().lines().count();
///         notes.measure("lines", lines as f64, Limit::Min(self.0.min_lines as f64));
///         Ok(if lines < self.0.min_lines { Verdict::Drop("too-few-lines".into()) } else { Verdict::Keep })
///     }
/// }
///
/// tamis_plugin::export_plugin! {
///     filters: [LineCount],
/// }
/// # }
/// # assert_eq!(example::plugin().as_abi().n_stages, 1);
/// ```
#[macro_export]
macro_rules! export_plugin {
    ($($kind:ident: [$($stage:ty),* $(,)?]),* $(,)?) => {
        // `tamis-plugin` checks its own profile; only here is that of the library known.
        #[cfg(panic = "abort")]
        compile_error!("tamis plugins must be built with panic = \"unwind\": remove `panic = \"abort\"` from the profile");

        /// The descriptor of this plugin, for a program that links it in.
        pub fn plugin() -> &'static $crate::PluginTable {
            static PLUGIN: ::std::sync::OnceLock<$crate::PluginTable> = ::std::sync::OnceLock::new();
            PLUGIN.get_or_init(|| {
                let builder = $crate::PluginBuilder::new(
                    env!("CARGO_CRATE_NAME"),
                    env!("CARGO_PKG_VERSION"),
                    env!("CARGO_PKG_LICENSE"),
                );
                $($(let builder = $crate::__add_stage!(builder, $kind, $stage);)*)*
                builder.finish()
            })
        }

        #[allow(unsafe_code, reason = "a library is found by its exported symbol, and exporting one is unsafe")]
        #[unsafe(export_name = concat!("tamis_plugin_v1_", env!("CARGO_CRATE_NAME")))]
        extern "C-unwind" fn __tamis_plugin_entry() -> *const $crate::abi::Plugin {
            $crate::PluginTable::entry(plugin)
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __add_stage {
    ($builder:ident, readers, $stage:ty) => {
        $builder.reader::<$stage>()
    };
    ($builder:ident, file_readers, $stage:ty) => {
        $builder.file_reader::<$stage>()
    };
    ($builder:ident, filters, $stage:ty) => {
        $builder.filter::<$stage>()
    };
    ($builder:ident, extractors, $stage:ty) => {
        $builder.extractor::<$stage>()
    };
    ($builder:ident, corpus_stages, $stage:ty) => {
        $builder.corpus_stage::<$stage>()
    };
    ($builder:ident, keyed_stages, $stage:ty) => {
        $builder.keyed_stage::<$stage>()
    };
    ($builder:ident, exporters, $stage:ty) => {
        $builder.exporter::<$stage>()
    };
    ($builder:ident, part_exporters, $stage:ty) => {
        $builder.part_exporter::<$stage>()
    };
    ($builder:ident, $kind:ident, $stage:ty) => {
        compile_error!(concat!(
            "unknown kind `",
            stringify!($kind),
            "`: the kinds are readers, file_readers, filters, extractors, corpus_stages, \
             keyed_stages, exporters, part_exporters"
        ))
    };
}
