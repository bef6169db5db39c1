//! Who else could change a library.
//!
//! A library may do what the user may do, so whoever may change it, or exchange it by a folder above it, may, too.
//! Trusted are the user and root. A folder or file may belong to nobody else and be written by nobody else.
//!
//! - A sticky folder, such as the temporary one, may be written by others: they cannot touch what is not theirs.
//! - A group may write if it is the user's own: their primary group, called like them, without another member, as
//!   many systems make one for every user and let it write.
//! - Inside of a container with users of its own, folders of an owner who is not known there are taken for the
//!   system's.
//!
//! A pin changes none of this: it names bytes, and who may write these may do so after they were compared; and it
//! says nothing of the libraries that the pinned one needs.
//! Lists of access rights beyond the mode are not looked at, except as far as they show in the rights of the group.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid};

use crate::error::PluginError;

const EVERYBODY: u32 = 0o002;
const GROUP: u32 = 0o020;
const STICKY: u32 = 0o1000;

/// Refuses a library that others could change; `path` is canonical, and `file` is what is known of the opened file.
pub(crate) fn check(path: &Path, file: &std::fs::Metadata) -> Result<(), PluginError> {
    let me = Me::new();
    for place in path.ancestors() {
        let folder = if place == path {
            None
        } else {
            let unreadable = |source| PluginError::Unreadable { path: path.to_owned(), source };
            Some(std::fs::metadata(place).map_err(unreadable)?)
        };
        let rights = Rights::from(folder.as_ref().unwrap_or(file));
        if let Some(other) = me.distrusts(rights) {
            let (why, advice) = other.explain(place, rights.is_folder);
            return Err(PluginError::Untrusted { path: path.to_owned(), why, advice });
        }
    }
    Ok(())
}

/// Who may do what with a file or folder.
#[derive(Debug, Clone, Copy)]
struct Rights {
    owner: u32,
    group: u32,
    mode: u32,
    is_folder: bool,
}

impl From<&std::fs::Metadata> for Rights {
    fn from(found: &std::fs::Metadata) -> Self {
        Self { owner: found.uid(), group: found.gid(), mode: found.mode(), is_folder: found.is_dir() }
    }
}

/// Somebody who could change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    Owner(u32),
    Group(u32),
    Everybody,
}

/// The user of this process.
#[derive(Debug)]
struct Me {
    user: u32,
    /// Their own group, if they have one.
    own_group: Option<u32>,
    /// Stands for all users outside of a container, inside of it.
    outsider: Option<u32>,
}

impl Me {
    fn new() -> Self {
        let (user, group) = (geteuid(), getegid());
        let own_group = is_own(user, group).then_some(group.as_raw());
        Self { user: user.as_raw(), own_group, outsider: outsider() }
    }

    fn distrusts(&self, rights: Rights) -> Option<Other> {
        let Rights { owner, group, mode, is_folder } = rights;
        let is_outsider = is_folder && self.outsider == Some(owner);
        if owner != self.user && owner != 0 && !is_outsider {
            return Some(Other::Owner(owner));
        }
        if is_folder && mode & STICKY != 0 {
            return None;
        }
        if mode & EVERYBODY != 0 {
            return Some(Other::Everybody);
        }
        let is_trusted = group == 0 || self.own_group == Some(group);
        (mode & GROUP != 0 && !is_trusted).then_some(Other::Group(group))
    }
}

/// Whether a group is that of one user alone.
fn is_own(user: Uid, group: Gid) -> bool {
    let name = User::from_uid(user).ok().flatten().map(|user| user.name);
    match (Group::from_gid(group), name) {
        (Ok(Some(group)), Some(name)) => group.name == name && group.mem.iter().all(|member| *member == name),
        // Nobody can be a member of it but by its number, as in a container that was started with numbers.
        (Ok(None), _) => group.as_raw() == user.as_raw(),
        _ => false,
    }
}

/// The number that stands for all users outside of a container; none outside of one.
fn outsider() -> Option<u32> {
    let map = std::fs::read_to_string("/proc/self/uid_map").ok()?;
    let numbers: Vec<&str> = map.split_whitespace().collect();
    // The first container of all knows every user.
    if numbers == ["0", "0", "4294967295"] {
        return None;
    }
    std::fs::read_to_string("/proc/sys/kernel/overflowuid").ok()?.trim().parse().ok()
}

impl Other {
    /// Why somebody is not trusted with a place, and what to do about it.
    fn explain(self, place: &Path, is_folder: bool) -> (String, String) {
        let place = place.display();
        match self {
            Self::Everybody => (
                format!("every user of this machine may write `{place}`"),
                format!("take the right away with `chmod o-w {place}`"),
            ),
            Self::Group(group) => {
                let name = Group::from_gid(Gid::from_raw(group)).ok().flatten().map(|group| group.name);
                (
                    format!("the group `{}` may write `{place}`", name.unwrap_or_else(|| group.to_string())),
                    format!(
                        "take the right away with `chmod g-w {place}`, or copy the library to a folder of your own"
                    ),
                )
            }
            Self::Owner(owner) => {
                let name = User::from_uid(Uid::from_raw(owner)).ok().flatten().map(|user| user.name);
                let owner = name.unwrap_or_else(|| owner.to_string());
                let what = if is_folder { "exchange what is in it" } else { "change it" };
                (
                    format!("`{place}` belongs to the user `{owner}`, who may {what}"),
                    "copy the library to a folder of your own, if you trust what it is now".to_owned(),
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Me = Me { user: 1000, own_group: Some(1000), outsider: None };

    #[track_caller]
    fn check(me: &Me, is_folder: bool, [owner, group, mode]: [u32; 3], expected: Option<Other>) {
        assert_eq!(me.distrusts(Rights { owner, group, mode, is_folder }), expected);
    }

    #[test]
    fn files_are_trusted_that_only_the_user_and_root_may_write() {
        for (rights, expected) in [
            ([1000, 1000, 0o100_755], None),
            ([0, 0, 0o100_755], None),
            // The group of the user alone, and that of root.
            ([1000, 1000, 0o100_775], None),
            ([1000, 0, 0o100_775], None),
            ([1000, 100, 0o100_755], None),
            ([1000, 100, 0o100_775], Some(Other::Group(100))),
            ([1000, 1000, 0o100_757], Some(Other::Everybody)),
            ([0, 0, 0o100_666], Some(Other::Everybody)),
            // The sticky bit of a file means nothing.
            ([1000, 1000, 0o101_757], Some(Other::Everybody)),
            // Whoever owns it may take the right to write.
            ([1001, 1001, 0o100_444], Some(Other::Owner(1001))),
        ] {
            check(&ME, false, rights, expected);
        }
        check(&Me { own_group: None, ..ME }, false, [1000, 1000, 0o100_775], Some(Other::Group(1000)));
    }

    #[test]
    fn folders_are_trusted_in_which_nobody_else_can_exchange_the_file() {
        for (rights, expected) in [
            ([0, 0, 0o40755], None),
            ([0, 0, 0o41777], None),
            ([1000, 100, 0o41775], None),
            ([1000, 1000, 0o40777], Some(Other::Everybody)),
            ([1000, 100, 0o40775], Some(Other::Group(100))),
            // The sticky bit does not bind the owner.
            ([1001, 0, 0o41777], Some(Other::Owner(1001))),
        ] {
            check(&ME, true, rights, expected);
        }
    }

    #[test]
    fn outsiders_are_trusted_with_folders_only() {
        let inside = Me { outsider: Some(65_534), ..ME };
        check(&inside, true, [65_534, 65_534, 0o40755], None);
        check(&inside, true, [65_534, 65_534, 0o40777], Some(Other::Everybody));
        check(&inside, false, [65_534, 65_534, 0o100_755], Some(Other::Owner(65_534)));
        check(&ME, true, [65_534, 65_534, 0o40755], Some(Other::Owner(65_534)));
    }
}
