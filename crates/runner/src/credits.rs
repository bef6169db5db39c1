//! The bound on what is in flight between feeder and writer.

use crossbeam_channel::{Receiver, Sender, bounded};
use tamis_config::Plan;

/// How many times its size a block may take: as input, as documents and as output at once, while text may
/// grow on the way.
const GROWTH: u64 = 8;
/// Enough blocks for each thread that none waits while the writer puts them into order.
const BLOCKS_A_THREAD: usize = 4;

/// The feeder's side: asks before it sends a block.
pub(crate) struct Credits {
    returned: Receiver<u64>,
    max_bytes: u64,
    max_blocks: usize,
    bytes: u64,
    blocks: usize,
}

/// The other side has ended: there is nobody to feed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Closed;

impl Credits {
    /// Credits for the memory bound of a plan, and the writer's side, to which the weight of each written
    /// block is given back.
    pub(crate) fn new(plan: &Plan, threads: usize) -> (Self, Sender<u64>) {
        Self::bounded(plan.run.memory / GROWTH, threads.saturating_mul(BLOCKS_A_THREAD).max(1))
    }

    fn bounded(max_bytes: u64, max_blocks: usize) -> (Self, Sender<u64>) {
        // No more blocks can be given back than are in flight, so the writer never waits here.
        let (sender, returned) = bounded(max_blocks);
        (Self { returned, max_bytes, max_blocks, bytes: 0, blocks: 0 }, sender)
    }

    /// How many blocks may be in flight.
    pub(crate) fn max_blocks(&self) -> usize {
        self.max_blocks
    }

    /// Waits until a block of this weight may go; one that is heavier than the bound goes alone.
    pub(crate) fn take(&mut self, weight: u64) -> Result<(), Closed> {
        while self.blocks > 0
            && (self.blocks >= self.max_blocks || self.bytes.saturating_add(weight) > self.max_bytes)
        {
            let returned = self.returned.recv().map_err(|_| Closed)?;
            self.blocks -= 1;
            self.bytes = self.bytes.saturating_sub(returned);
        }
        self.blocks += 1;
        self.bytes = self.bytes.saturating_add(weight);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_blocks_are_bounded_and_a_heavy_block_goes_alone() {
        let (mut credits, writer) = Credits::bounded(10, 3);
        for weight in [4, 4, 2] {
            assert_eq!(credits.take(weight), Ok(()));
        }
        writer.send(4).expect("the feeder is there");
        // Three blocks were in flight: the returned one makes room.
        assert_eq!(credits.take(1), Ok(()));
        for weight in [4, 2, 1] {
            writer.send(weight).expect("the feeder is there");
        }
        assert_eq!(credits.take(99), Ok(()));
        drop(writer);
        assert_eq!(credits.take(1), Err(Closed));
    }
}
