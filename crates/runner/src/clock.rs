//! Where the time of a run goes: on the clock, and of the processor.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::time::{Duration, Instant};

/// Time that something took, summed over all threads.
///
/// On a busy machine, or with more threads than cores, a thread that waits its turn spends time on the clock and
/// none of the processor: which of two stages is the dearer one, only the second tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spent {
    /// On the clock.
    pub wall: Duration,
    /// Of the processor; on systems that do not tell it of a thread, the same as on the clock.
    pub cpu: Duration,
}

impl AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.wall += other.wall;
        self.cpu += other.cpu;
    }
}

/// What a run does beside its sources, stages and exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Chore {
    /// Listing the inputs.
    Listing,
    /// Opening, decompressing and cutting files.
    Reading,
    /// Putting documents aside for the next segment, and taking them out again.
    Spilling,
    /// Writing results in their order, and seeing to it that they are on the disk.
    Writing,
}

impl Chore {
    /// As people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Listing => "listing inputs",
            Self::Reading => "reading files",
            Self::Spilling => "putting aside",
            Self::Writing => "writing files",
        }
    }
}

/// The time of every chore.
pub type Chores = BTreeMap<Chore, Spent>;

/// Measures what the thread that made it spends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu: Option<Duration>,
}

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self { wall: Instant::now(), cpu: thread_time() }
    }

    /// What was spent since; on the same thread.
    pub(crate) fn spent(&self) -> Spent {
        let wall = self.wall.elapsed();
        let cpu = self.cpu.zip(thread_time()).map_or(wall, |(start, now)| now.saturating_sub(start));
        Spent { wall, cpu }
    }
}

/// What the thread has spent of the processor since it began.
#[cfg(unix)]
fn thread_time() -> Option<Duration> {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID).ok()?;
    Some(Duration::from(now))
}

#[cfg(not(unix))]
fn thread_time() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_that_sleeps_spends_no_processor() {
        let watch = Stopwatch::start();
        std::thread::sleep(Duration::from_millis(20));
        let spent = watch.spent();
        assert!(spent.wall >= Duration::from_millis(20));
        if cfg!(unix) {
            assert!(spent.cpu < spent.wall, "{spent:?}");
        }
    }
}
