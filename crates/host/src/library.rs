//! A library file: its name, its bytes, and loading it.

use std::error::Error as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tamis_plugin::abi;
use tamis_stage::{Kind, PluginOrigin};

use crate::descriptor::{self, Checked};
use crate::error::PluginError;
use crate::exits;

/// The file name of the library of plugin `name` on this platform: `libmy_site.so` for `my-site`.
pub fn library_file_name(name: &str) -> String {
    format!("{}{}{}", std::env::consts::DLL_PREFIX, name.replace('-', "_"), std::env::consts::DLL_SUFFIX)
}

/// The plugin name that a library file stands for: `my_site` for `libmy_site.so`.
pub fn plugin_name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    stem.strip_prefix(std::env::consts::DLL_PREFIX).map_or(stem.clone(), str::to_owned)
}

/// A library file that has been looked at and may be loaded later; at most once, and never unloaded.
pub(crate) struct Library {
    path: PathBuf,
    blake3: String,
    loaded: OnceLock<Result<Checked, String>>,
}

impl Library {
    /// Reads and hashes the file, checks the pin and who may write it.
    pub(crate) fn examine(path: &Path, pin: Option<&str>) -> Result<Self, PluginError> {
        let unreadable = |source| PluginError::Unreadable { path: path.to_owned(), source };
        let canonical = path.canonicalize().map_err(unreadable)?;
        let blake3 = hash(&canonical)?;
        if let Some(pin) = pin
            && !pin.eq_ignore_ascii_case(&blake3)
        {
            return Err(PluginError::Pin { path: canonical, expected: pin.to_owned(), actual: blake3 });
        }
        refuse_world_writable(&canonical)?;
        Ok(Self { path: canonical, blake3, loaded: OnceLock::new() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn origin(&self) -> PluginOrigin {
        PluginOrigin::Library { path: self.path.clone(), blake3: self.blake3.clone() }
    }

    /// The table of a stage; loads the library if need be.
    pub(crate) fn stage(&self, kind: Kind, name: &str) -> Result<&'static abi::Stage, String> {
        let loaded = self.loaded.get_or_init(|| {
            if hash(&self.path).map_err(|error| error.to_string())? != self.blake3 {
                return Err(PluginError::Changed { path: self.path.clone() }.to_string());
            }
            load(&self.path, self.origin()).map_err(|error| error.to_string())
        });
        let checked = loaded.as_ref().map_err(Clone::clone)?;
        let index =
            checked.description.stages.iter().position(|stage| stage.kind == kind && stage.name == name);
        index.map(|index| checked.stages[index]).ok_or_else(|| {
            format!("plugin library `{}` no longer has the {kind} `{name}`", self.path.display())
        })
    }
}

fn hash(path: &Path) -> Result<String, PluginError> {
    let bytes =
        std::fs::read(path).map_err(|source| PluginError::Unreadable { path: path.to_owned(), source })?;
    Ok(blake3::hash(&bytes).to_hex().to_string())
}

#[cfg(unix)]
fn refuse_world_writable(path: &Path) -> Result<(), PluginError> {
    use std::os::unix::fs::PermissionsExt;

    const WORLD: u32 = 0o002;
    const STICKY: u32 = 0o1000;
    for place in [Some(path), path.parent()].into_iter().flatten() {
        let metadata = std::fs::metadata(place)
            .map_err(|source| PluginError::Unreadable { path: path.to_owned(), source })?;
        let mode = metadata.permissions().mode();
        // In a sticky folder such as the temporary one nobody else can replace the file.
        if mode & WORLD != 0 && !(metadata.is_dir() && mode & STICKY != 0) {
            return Err(PluginError::WorldWritable { path: path.to_owned(), writable: place.to_owned() });
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_world_writable(_path: &Path) -> Result<(), PluginError> {
    Ok(())
}

/// Loads a library for good and checks its descriptor.
pub(crate) fn load(path: &Path, origin: PluginOrigin) -> Result<Checked, PluginError> {
    let refused = |message: String| PluginError::Load { path: path.to_owned(), message: explain(&message) };
    let library = open(path).map_err(|error| refused(reason(&error)))?;
    // What the library does at an exit must not come before what is said of it.
    exits::register();
    let name = plugin_name_of(path);
    let symbol = format!("{}{name}", abi::ENTRY_PREFIX);
    // SAFETY: a function of this name has the signature of the header; that is the contract of the name.
    let entry = unsafe { library.get::<abi::EntryFn>(symbol.as_bytes()).map(|symbol| *symbol) };
    // Never unloaded: its tables are used until the process ends, and its constructors may have left something
    // behind that points into it, also when it is no plugin.
    std::mem::forget(library);
    let Ok(entry) = entry else {
        return Err(PluginError::MissingEntry {
            path: path.to_owned(),
            expected: symbol,
            advice: advice(path, &name),
        });
    };
    // SAFETY: the entry function takes nothing and returns its static descriptor.
    let descriptor = unsafe { entry() };
    // SAFETY: from the entry function.
    let checked = unsafe { descriptor::check(descriptor, origin) };
    let checked = checked.map_err(|message| PluginError::Descriptor { path: path.to_owned(), message })?;
    let said = &checked.description.plugin.name;
    if *said != name {
        return Err(PluginError::Descriptor {
            path: path.to_owned(),
            message: format!("it says that its name is `{said}`, but its file stands for `{name}`"),
        });
    }
    Ok(checked)
}

#[cfg(unix)]
fn open(path: &Path) -> Result<libloading::Library, libloading::Error> {
    use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

    // NOW, because a lazily bound symbol that is missing would end the process at its first call.
    // SAFETY: loading runs the constructors of the library; the library has survived that in a child process.
    unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }.map(libloading::Library::from)
}

#[cfg(windows)]
fn open(path: &Path) -> Result<libloading::Library, libloading::Error> {
    use libloading::os::windows::{LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR, LOAD_LIBRARY_SEARCH_SYSTEM32, Library};

    let flags = LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32;
    // SAFETY: as on unix.
    unsafe { Library::load_with_flags(path, flags) }.map(libloading::Library::from)
}

/// What the dynamic loader said; the error around it only says that it failed.
fn reason(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}

/// What a message of the dynamic loader usually means.
fn explain(message: &str) -> String {
    let meaning = if message.contains("GLIBC_") {
        "; it was built on a system with a newer C library: build it on this one, or on an older one"
    } else if message.contains("invalid ELF header") || message.contains("file too short") {
        "; the file is not a dynamic library, or only a part of one: copy or build it again"
    } else if message.contains("wrong ELF class") || message.contains("incompatible architecture") {
        "; it was built for another kind of processor: build it for this one"
    } else if message.contains("undefined symbol") {
        "; it needs a function that no library provides: link the library that has it"
    } else if message.contains("cannot open shared object file") {
        "; a library that it needs is not installed"
    } else {
        ""
    };
    format!("{message}{meaning}")
}

/// What to do about a library without the expected entry function.
fn advice(path: &Path, name: &str) -> String {
    let found = entries(&std::fs::read(path).unwrap_or_default());
    let current = found.iter().find_map(|symbol| symbol.strip_prefix(abi::ENTRY_PREFIX));
    if let Some(other) = current {
        return format!(
            "it exports plugin `{other}`; the file must be called `{}`: was it renamed?",
            library_file_name(other)
        );
    }
    match found.first() {
        Some(symbol) => format!(
            "it exports `{symbol}`, which is another version of the plugin ABI; this program knows version {}: \
             build the plugin against this program's `tamis-plugin` or `tamis_plugin.h`",
            abi::MAJOR
        ),
        None => format!(
            "it is not a tamis plugin; a plugin in Rust ends with `export_plugin!`, one in C has \
             `TAMIS_ENTRY({name})`"
        ),
    }
}

/// Symbols that look like an entry function of any version.
///
/// Found by their text in the file, because the tables of symbols differ from platform to platform.
fn entries(file: &[u8]) -> Vec<String> {
    const MARK: &[u8] = b"tamis_plugin_v";
    let is_symbol = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut found = Vec::new();
    let mut rest = file;
    while let Some(start) = rest.windows(MARK.len()).position(|window| window == MARK) {
        let symbol: Vec<u8> = rest[start..].iter().copied().take_while(is_symbol).collect();
        rest = &rest[start + symbol.len()..];
        let symbol = String::from_utf8_lossy(&symbol).into_owned();
        let version = symbol.trim_start_matches("tamis_plugin_v");
        let has_name = version.split_once('_').is_some_and(|(major, name)| {
            !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty()
        });
        if has_name && !found.contains(&symbol) {
            found.push(symbol);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_and_plugin_names_belong_together() {
        let file = library_file_name("my-site");
        assert_eq!(plugin_name_of(Path::new(&file)), "my_site");
    }

    #[test]
    fn entry_symbols_are_found_in_the_bytes_of_a_file() {
        let file = b"\0\x7fELFtamis_plugin_v3_other\0tamis_plugin_v1_\0junk tamis_plugin_v1_mine\0tamis_plugin_v1_mine\0";
        assert_eq!(entries(file), ["tamis_plugin_v3_other", "tamis_plugin_v1_mine"]);
    }
}
