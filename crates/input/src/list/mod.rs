//! From what a user named to files, in a fixed order.

pub(crate) mod listing;
mod options;
pub(crate) mod seen;
mod walk;

#[cfg(feature = "remote")]
use std::collections::BTreeMap;

use crate::pattern::Place;
use crate::{InputError, InputFile, Location, Pattern};

pub use listing::Listing;
pub use options::{Candidate, ListOptions};
use seen::Seen;

impl Listing {
    /// Adds the files of one source: those of each pattern by name, each file once.
    ///
    /// Links are followed, wherever they lead.
    ///
    /// # Errors
    ///
    /// When what the user named itself cannot be read; what is found below it and cannot be read is a file with a
    /// `trouble`.
    pub fn add(&mut self, patterns: &[Pattern], options: &ListOptions<'_>) -> Result<(), InputError> {
        #[cfg(feature = "remote")]
        let mut named = Named::default();
        let mut seen = Seen::default();
        for (index, pattern) in patterns.iter().enumerate() {
            // One pattern alone finds no file twice, and what is seen costs memory.
            let others = patterns.iter().enumerate().filter(|(other, _)| *other != index);
            seen.is_wanted = others.into_iter().any(|(_, other)| pattern.meets(other));
            match &pattern.place {
                Place::Path { path, root } => walk::walk(pattern, path, root, options, &mut seen, self)?,
                Place::Stdin => {
                    if seen.is_new(b"-") {
                        self.push(InputFile::at(Location::Stdin));
                    }
                }
                #[cfg(feature = "remote")]
                Place::Url { address, root, is_prefix: true } => {
                    crate::remote::list(pattern, address, root, options, &mut seen, self)?;
                }
                #[cfg(feature = "remote")]
                Place::Url { address, root, is_prefix: false } => {
                    if seen.is_new(address.secret().as_bytes()) {
                        let mut file = crate::remote::one(pattern, address, root)?;
                        named.name(&mut file);
                        self.push(file);
                    }
                }
                #[cfg(not(feature = "remote"))]
                Place::Url { .. } => {
                    let reason = crate::peel::no_remote().to_string();
                    return Err(InputError::Unreadable { written: pattern.written.clone(), reason });
                }
            }
        }
        self.shrink();
        Ok(())
    }
}

/// The names of files that were named one by one by their addresses, of which queries are not shown.
#[cfg(feature = "remote")]
#[derive(Debug, Default)]
struct Named(BTreeMap<String, u64>);

#[cfg(feature = "remote")]
impl Named {
    /// Gives a file a name that no other has: two queries may look the same once they are not shown.
    fn name(&mut self, file: &mut InputFile) {
        let times = self.0.entry(file.name.to_string()).and_modify(|times| *times += 1).or_insert(1);
        if *times > 1 {
            file.name = format!("{}~{times}", file.name).into();
        }
    }
}

pub(crate) fn modified(metadata: &std::fs::Metadata) -> u128 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_nanos())
}

#[cfg(test)]
mod tests;
