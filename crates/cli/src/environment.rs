//! What the environment says.

use std::path::PathBuf;
use std::sync::OnceLock;

use tamis_config::{Setting, SettingOrigin};

use crate::output;

/// Folders in which plugins are looked for by name, separated as in `PATH`.
const PLUGIN_PATH: &str = "TAMIS_PLUGIN_PATH";
/// Begins the name of a variable that changes a value of the pipeline; two underscores separate the parts.
const OVERRIDE: &str = "TAMIS__";

/// The program, where it is not the one that this process runs: an interpreter runs it.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Says which file is this program; the first word holds.
pub(crate) fn set_program(path: PathBuf) {
    PROGRAM.get_or_init(|| path);
}

/// The file of this program.
pub(crate) fn program() -> PathBuf {
    let current = || std::env::current_exe().unwrap_or_else(|_| PathBuf::from("tamis"));
    PROGRAM.get().cloned().unwrap_or_else(current)
}

/// Which hub of Hugging Face data sets are read from, and the token for those that not everybody may read: in the
/// variables that its own programs ask.
#[cfg(feature = "remote")]
pub(crate) fn set_hub() {
    let [endpoint, token] = ["HF_ENDPOINT", "HF_TOKEN"].map(|name| std::env::var(name).ok());
    tamis_runner::set_hub(endpoint.filter(|it| !it.is_empty()), token.filter(|it| !it.is_empty()));
}

/// Where programs of this user keep what can be made again, ours in a folder of its own.
pub(crate) fn cache_folder() -> PathBuf {
    let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let folder = named.or_else(|| Some(std::env::home_dir()?.join(".cache")));
    folder.filter(|folder| folder.is_absolute()).unwrap_or_else(std::env::temp_dir).join("tamis")
}

/// What this machine is called.
pub(crate) fn host() -> String {
    #[cfg(unix)]
    let name = nix::unistd::gethostname().ok();
    #[cfg(not(unix))]
    let name = std::env::var_os("COMPUTERNAME");
    name.map_or_else(|| "a machine without a name".to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The plugin folders: those of the variable, then `plugins` beside the program.
pub(crate) fn plugin_folders() -> Vec<PathBuf> {
    let named = std::env::var_os(PLUGIN_PATH);
    let mut folders: Vec<PathBuf> = named.iter().flat_map(std::env::split_paths).collect();
    if let Some(folder) = program().parent() {
        folders.push(folder.join("plugins"));
    }
    folders
}

/// Values of the pipeline that the environment changes, by name so that the order is always the same.
///
/// A variable that was probably meant to change one, and does not, is worth a warning.
pub(crate) fn settings() -> Vec<Setting> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in names.filter(|name| name != PLUGIN_PATH) {
        if let Some(meant) = tamis_config::looks_like_override(&name) {
            output::log_line(format_args!(
                "warning: the variable {name} changes nothing; did you mean {meant}?"
            ));
        }
    }
    let mut settings: Vec<Setting> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter_map(|(name, value)| {
            let key = name.strip_prefix(OVERRIDE)?.split("__").collect::<Vec<_>>().join(".").to_lowercase();
            Some(Setting { key, value, origin: SettingOrigin::Environment(name) })
        })
        .collect();
    settings.sort_by(|a, b| a.key.cmp(&b.key));
    settings
}
