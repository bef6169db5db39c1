//! Filters and extractors in processes of their own.
//!
//! A library that overflows its stack, aborts or reads where nothing is ends the process that has loaded it, and a loop
//! without end keeps a thread for good; nothing in one process can prevent that. So the program starts itself again, once
//! for each worker that needs it: `Isolated` sends records to the child and [`serve()`] answers there, with the stage
//! opened as everywhere. What was not answered when a child ends comes again one by one in a new one, and the document at
//! which that happens once more fails, with how the child ended.
//!
//! A run with an isolated stage writes what it writes without, as long as nothing crashes. What stages have attached to a
//! text stays in its process, so the stages before and behind it make it again.

mod frames;
mod isolated;
mod serve;

pub use frames::Setup;
pub use isolated::Program;
pub use serve::serve;
