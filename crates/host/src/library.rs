//! A library file: its name, its bytes, and loading it.

use std::error::Error as _;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tamis_plugin::abi;
use tamis_stage::{Kind, PluginOrigin};

use crate::descriptor::{self, Checked, Table};
use crate::error::PluginError;
use crate::exits;
#[cfg(unix)]
use crate::trust;

/// The file name of the library of plugin `name` on this platform: `libmy_site.so` for `my-site`.
pub fn library_file_name(name: &str) -> String {
    format!("{}{}{}", std::env::consts::DLL_PREFIX, name.replace('-', "_"), std::env::consts::DLL_SUFFIX)
}

/// The plugin name that a library file stands for: `my_site` for `libmy_site.so`.
pub fn plugin_name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    stem.strip_prefix(std::env::consts::DLL_PREFIX).map_or(stem.clone(), str::to_owned)
}

/// An opened library file: what was hashed is what is loaded, whatever happens to the name meanwhile.
pub(crate) struct Opened {
    /// Canonical.
    path: PathBuf,
    file: File,
    blake3: String,
}

impl Opened {
    /// Opens and hashes a file.
    pub(crate) fn new(path: &Path) -> Result<Self, PluginError> {
        let unreadable = |source| PluginError::Unreadable { path: path.to_owned(), source };
        let path = path.canonicalize().map_err(unreadable)?;
        let file = File::open(&path).map_err(unreadable)?;
        let blake3 = blake3::hash(&read(&file).map_err(unreadable)?).to_hex().to_string();
        Ok(Self { path, file, blake3 })
    }

    /// Refuses the file if it is not the one with this hash any more.
    pub(crate) fn expect(&self, blake3: &str) -> Result<(), PluginError> {
        if self.blake3 == blake3 { Ok(()) } else { Err(PluginError::Changed { path: self.path.clone() }) }
    }

    /// Loads the library for good and checks its descriptor.
    pub(crate) fn load(&self, origin: PluginOrigin) -> Result<Checked, PluginError> {
        let unreadable = |source| PluginError::Unreadable { path: self.path.clone(), source };
        let bytes = read(&self.file).map_err(unreadable)?;
        // The user may have built it again in place, or beside it under the same name.
        if blake3::hash(&bytes).to_hex().as_str() != self.blake3 || !self.is_at_its_place() {
            return Err(PluginError::Changed { path: self.path.clone() });
        }
        load(&self.path, &self.file, &bytes, origin)
    }

    #[cfg(unix)]
    fn is_at_its_place(&self) -> bool {
        use std::os::unix::fs::MetadataExt;

        let identity = |found: std::fs::Metadata| (found.dev(), found.ino());
        let (there, here) = (std::fs::metadata(&self.path), self.file.metadata());
        let (there, here) = (there.map(identity), here.map(identity));
        matches!((there, here), (Ok(there), Ok(here)) if there == here)
    }

    #[cfg(not(unix))]
    fn is_at_its_place(&self) -> bool {
        self.path.exists()
    }
}

/// All bytes of an opened file.
fn read(mut file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A library file that has been looked at and may be loaded later; at most once, and never unloaded.
pub(crate) struct Library {
    opened: Opened,
    loaded: OnceLock<Result<Checked, String>>,
}

impl Library {
    /// Opens and hashes the file, checks the pin and who may change it.
    pub(crate) fn examine(path: &Path, pin: Option<&str>) -> Result<Self, PluginError> {
        let opened = Opened::new(path)?;
        if let Some(pin) = pin
            && !pin.eq_ignore_ascii_case(&opened.blake3)
        {
            let (expected, actual) = (pin.to_owned(), opened.blake3);
            return Err(PluginError::Pin { path: opened.path, expected, actual });
        }
        #[cfg(unix)]
        {
            let found = opened.file.metadata();
            let unreadable = |source| PluginError::Unreadable { path: path.to_owned(), source };
            trust::check(&opened.path, &found.map_err(unreadable)?)?;
        }
        Ok(Self { opened, loaded: OnceLock::new() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.opened.path
    }

    pub(crate) fn blake3(&self) -> &str {
        &self.opened.blake3
    }

    pub(crate) fn origin(&self) -> PluginOrigin {
        PluginOrigin::Library { path: self.path().to_owned(), blake3: self.blake3().to_owned() }
    }

    /// The table of a stage; loads the library if need be.
    pub(crate) fn stage(&self, kind: Kind, name: &str) -> Result<Table, String> {
        let loaded =
            self.loaded.get_or_init(|| self.opened.load(self.origin()).map_err(|error| error.to_string()));
        let checked = loaded.as_ref().map_err(Clone::clone)?;
        let index =
            checked.description.stages.iter().position(|stage| stage.kind == kind && stage.name == name);
        index.map(|index| checked.stages[index]).ok_or_else(|| {
            format!("plugin library `{}` no longer has the {kind} `{name}`", self.path().display())
        })
    }
}

/// Loads a library for good and checks its descriptor; `bytes` is what is in the file.
fn load(path: &Path, file: &File, bytes: &[u8], origin: PluginOrigin) -> Result<Checked, PluginError> {
    let refused = |message: String| PluginError::Load { path: path.to_owned(), message: explain(&message) };
    let by_descriptor = by_descriptor(file, bytes);
    let name = by_descriptor.as_ref().map_or(path, |(name, _)| name);
    let library = open(name).map_err(|error| {
        let reason = reason(&error);
        refused(reason.replace(&*name.to_string_lossy(), &path.to_string_lossy()))
    })?;
    // Kept open, because whoever looks for the file of a function, such as a panic for its lines, goes by the name.
    std::mem::forget(by_descriptor);
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
            advice: advice(bytes, &name),
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

/// A name under which nothing else can be found than this file, however its folder changes, and the descriptor that
/// must stay open for it. None where there are no such names; then the file is opened by its path, and who may
/// change that is what counts (`trust`).
///
/// None as well for a library that looks for others beside itself: the dynamic loader takes the place of the file
/// from its name.
#[cfg(target_os = "linux")]
fn by_descriptor(file: &File, bytes: &[u8]) -> Option<(PathBuf, File)> {
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::MetadataExt;

    let looks_beside = |mark: &[u8]| memchr::memmem::find(bytes, mark).is_some();
    if looks_beside(b"$ORIGIN") || looks_beside(b"${ORIGIN}") {
        return None;
    }
    let kept = file.try_clone().ok()?;
    // Not `self`, so that a debugger finds the same.
    let name = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), kept.as_raw_fd()));
    let (there, here) = (std::fs::metadata(&name).ok()?, kept.metadata().ok()?);
    ((there.dev(), there.ino()) == (here.dev(), here.ino())).then_some((name, kept))
}

#[cfg(not(target_os = "linux"))]
fn by_descriptor(_file: &File, _bytes: &[u8]) -> Option<(PathBuf, File)> {
    None
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
fn advice(bytes: &[u8], name: &str) -> String {
    let found = entries(bytes);
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

    #[cfg(target_os = "linux")]
    #[test]
    fn the_name_for_the_loader_leads_to_the_opened_file_whatever_lies_at_its_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, other) = (folder.path().join("libx.so"), folder.path().join("other"));
        std::fs::write(&path, "hashed").expect("written");
        std::fs::write(&other, "exchanged").expect("written");
        let opened = Opened::new(&path).expect("opened");
        std::fs::rename(&other, &path).expect("renamed");
        let (name, kept) = by_descriptor(&opened.file, b"hashed").expect("a name");
        assert_eq!(std::fs::read(name).expect("readable"), b"hashed");
        drop(kept);
        // The loader would look beside the descriptor.
        for mark in ["$ORIGIN/../lib", "${ORIGIN}"] {
            assert!(by_descriptor(&opened.file, mark.as_bytes()).is_none(), "{mark}");
        }
        assert!(matches!(opened.load(PluginOrigin::Bundled), Err(PluginError::Changed { .. })));
    }

    #[test]
    fn entry_symbols_are_found_in_the_bytes_of_a_file() {
        let file = b"\0\x7fELFtamis_plugin_v3_other\0tamis_plugin_v1_\0junk tamis_plugin_v1_mine\0tamis_plugin_v1_mine\0";
        assert_eq!(entries(file), ["tamis_plugin_v3_other", "tamis_plugin_v1_mine"]);
    }
}
