//! Archives.
use std::io::{self, Read};
use std::marker::PhantomData;
use std::sync::Arc;

/// What a member of an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file, to be read.
    File,
    /// A folder, which holds nothing itself.
    Folder,
    /// A link, device or pipe: there is nothing to read, and [`Member::trouble`] says so.
    Special,
}

/// The members of an archive, in its order.
pub struct Members {}

impl Members {
    /// The next member, or `None` behind the last. What was not read of the one before is passed over.
    ///
    /// # Errors
    ///
    /// When the archive breaks off or is broken: then there are no more members.
    #[expect(clippy::should_implement_trait, reason = "members borrow the archive, so this is no `Iterator`")]
    pub fn next(&mut self) -> io::Result<Option<Member<'_>>> {
        Ok(None)
    }

    /// Passes over members, so that the next one is number `number`, counted from 0 with folders and specials.
    ///
    /// # Errors
    ///
    /// As [`Members::next`]; and when the archive has fewer members.
    pub fn skip_to(&mut self, number: u64) -> io::Result<()> {
        let _ = number;
        Ok(())
    }

    /// Bytes of the file itself, before decompression, that have been read since the last call.
    pub fn progress(&self) -> u64 {
        0
    }
}

/// One member of an archive, and its bytes.
pub struct Member<'a> {
    /// Which it is, counted from 0.
    pub number: u64,
    /// Its name in the archive, made safe: relative, with `/`, never leading out. Names may come twice.
    pub name: Arc<str>,
    /// What it is.
    pub kind: Kind,
    /// How many bytes it claims to have; not to be trusted.
    pub size: u64,
    /// Why it cannot be read, if so: it becomes a dead letter.
    pub trouble: Option<String>,
    reader: PhantomData<&'a ()>,
}

impl Read for Member<'_> {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}
