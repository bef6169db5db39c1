//! Streams of bzip2.

use std::io;

use bzip2::{Decompress, Error, Status};

use super::{Broken, Member, Step};

/// One stream after the other.
pub(super) struct Bzip2Stream {
    stream: Decompress,
}

impl Bzip2Stream {
    pub(super) fn new() -> Self {
        Self { stream: Decompress::new(false) }
    }
}

impl Member for Bzip2Stream {
    fn restart(&mut self) -> io::Result<()> {
        self.stream = Decompress::new(false);
        Ok(())
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
        let ended = match self.stream.decompress(input, output) {
            Ok(Status::StreamEnd) => Ok(true),
            Ok(Status::MemNeeded) => Err(Broken::TooMuch("needs more memory than there is".to_owned())),
            Ok(_) => Ok(false),
            Err(Error::DataMagic) => Err(Broken::Foreign),
            Err(_) => Err(Broken::Damaged("its checksum or its codes are wrong".to_owned())),
        };
        Step {
            consumed: (self.stream.total_in() - before_in) as usize,
            produced: (self.stream.total_out() - before_out) as usize,
            ended,
        }
    }
}
