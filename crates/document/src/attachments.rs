//! What stages have made of a text and left with it, for those that come after.

use std::any::Any;
use std::fmt;

/// What was made of the text of a record, such as a scan of its lines or the tree of its page: made by the first
/// stage that needs it, found by the next.
///
/// Two kinds are kept. *Flat* attachments are bytes in a layout that has a name and a version, which any library
/// may read. *Values* are of a type that only the library knows that made them.
///
/// An attachment is a function of the text (and of the raw bytes, where there is no text), so it can always be
/// made again: it is gone when the text changes, when the record leaves the process, and in a clone. Whoever
/// looks for one must be able to do without.
#[derive(Default)]
pub struct Attachments {
    all: Vec<Attachment>,
    /// Bytes that all of them take.
    bytes: usize,
}

enum Attachment {
    Flat(Flat),
    Value { library: usize, key: Box<str>, value: Box<dyn Any + Send + Sync> },
}

/// Bytes and the name of their layout in one piece of memory: `padding bytes name`.
struct Flat {
    version: u64,
    start: usize,
    length: usize,
    memory: Vec<u8>,
}

/// Flat attachments begin at multiples of this, so that any layout can be read where it lies.
const ALIGNMENT: usize = 16;

impl Flat {
    fn new(name: &str, version: u64, bytes: &[u8]) -> Self {
        let mut memory: Vec<u8> = Vec::with_capacity(ALIGNMENT - 1 + bytes.len() + name.len());
        // Reserved above, so what has been aligned once does not move when it is filled.
        let start = memory.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT - 1);
        memory.resize(start, 0);
        memory.extend_from_slice(bytes);
        memory.extend_from_slice(name.as_bytes());
        Self { version, start, length: bytes.len(), memory }
    }

    fn parts(&self) -> (&[u8], &[u8]) {
        self.memory.split_at_checked(self.start + self.length).unwrap_or_default()
    }

    fn is(&self, name: &str, version: u64) -> bool {
        self.version == version && self.parts().1 == name.as_bytes()
    }

    fn bytes(&self) -> &[u8] {
        self.parts().0.get(self.start..).unwrap_or_default()
    }
}

impl Attachments {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Bytes that they take in memory, as far as their makers tell.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The bytes of layout `name` in exactly this version; they begin at a multiple of 16.
    pub fn flat(&self, name: &str, version: u64) -> Option<&[u8]> {
        // What was attached last holds.
        self.all.iter().rev().find_map(|attachment| match attachment {
            Attachment::Flat(flat) if flat.is(name, version) => Some(flat.bytes()),
            _ => None,
        })
    }

    /// Attaches bytes, which are copied.
    pub fn attach(&mut self, name: &str, version: u64, bytes: &[u8]) {
        let flat = Flat::new(name, version, bytes);
        self.bytes += flat.memory.len();
        self.all.push(Attachment::Flat(flat));
    }

    /// The value that a library has attached under a key.
    pub fn value(&self, library: usize, key: &str) -> Option<&(dyn Any + Send + Sync)> {
        self.all.iter().rev().find_map(|attachment| match attachment {
            Attachment::Value { library: of, key: name, value } if *of == library && **name == *key => {
                Some(&**value)
            }
            _ => None,
        })
    }

    /// Attaches a value of `bytes` bytes, for the library that makes it alone.
    pub fn attach_value(
        &mut self,
        library: usize,
        key: &str,
        value: Box<dyn Any + Send + Sync>,
        bytes: usize,
    ) {
        self.bytes += bytes;
        self.all.push(Attachment::Value { library, key: key.into(), value });
    }

    /// Drops all of them, because the text is another now.
    pub fn clear(&mut self) {
        self.all = Vec::new();
        self.bytes = 0;
    }

    /// Takes over those of `other`.
    pub fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        if self.all.is_empty() {
            self.all = other.all;
        } else {
            self.all.extend(other.all);
        }
    }
}

/// A clone begins without: values cannot be copied, and whatever is missed is made again.
impl Clone for Attachments {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Records are the same whatever was made of them on the way.
impl PartialEq for Attachments {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Attachments {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Attachments({} of {} bytes)", self.all.len(), self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_found_by_name_and_version_where_they_can_be_read_as_they_lie() {
        let mut attachments = Attachments::default();
        for length in 0..70 {
            attachments.attach(&format!("layout-{length}"), 1, &vec![7; length]);
        }
        attachments.attach("layout-3", 2, b"new");
        for length in 0..70 {
            let bytes = attachments.flat(&format!("layout-{length}"), 1).expect("attached");
            assert_eq!(bytes, vec![7; length]);
            assert_eq!(bytes.as_ptr().align_offset(ALIGNMENT), 0);
        }
        assert_eq!(attachments.flat("layout-3", 2), Some(&b"new"[..]));
        assert_eq!((attachments.flat("layout-3", 3), attachments.flat("layout-", 1)), (None, None));
        attachments.attach("layout-3", 2, b"newer");
        assert_eq!(attachments.flat("layout-3", 2), Some(&b"newer"[..]));
        attachments.clear();
        assert_eq!((attachments.flat("layout-3", 2), attachments.bytes()), (None, 0));
    }

    #[test]
    fn a_value_is_found_by_its_library_alone() {
        let mut attachments = Attachments::default();
        attachments.attach_value(1, "tree", Box::new(7_i32), 4);
        let found =
            |library, key| attachments.value(library, key).and_then(|value| value.downcast_ref::<i32>());
        assert_eq!(found(1, "tree"), Some(&7));
        assert_eq!((found(2, "tree"), found(1, "trees")), (None, None));
        assert_eq!(attachments.bytes(), 4);
        assert!(attachments.clone().is_empty());
    }
}
