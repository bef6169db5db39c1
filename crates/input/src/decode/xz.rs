//! Streams of xz.

use std::io;

use liblzma::stream::{Action, Error, Status, Stream};

use super::{Broken, Member, Step};

/// How much memory a stream may take, in bytes: twice what `xz -9` needs.
const MAX_MEMORY: u64 = 128 << 20;

/// One stream after the other.
pub(super) struct XzStream {
    stream: Stream,
}

impl XzStream {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { stream: Stream::new_stream_decoder(MAX_MEMORY, 0)? })
    }
}

/// How large the dictionary is of a stream with these first bytes, in bytes, if its first block has no filter but
/// LZMA2 (section 3.1 of the format).
pub(super) fn dictionary(head: &[u8]) -> Option<u64> {
    let [_, flags, rest @ ..] = head.get(12..)? else { return None };
    // Sizes are numbers of seven bits a byte.
    let mut rest = rest;
    for size in [0x40, 0x80] {
        if flags & size != 0 {
            let length = rest.iter().position(|byte| byte & 0x80 == 0)? + 1;
            rest = rest.get(length..)?;
        }
    }
    match rest {
        [0x21, 1, bits @ 0..40, ..] if flags.trailing_zeros() >= 2 => {
            Some(u64::from(2 | (bits & 1)) << (bits / 2 + 11))
        }
        _ => None,
    }
}

impl Member for XzStream {
    fn restart(&mut self) -> io::Result<()> {
        self.stream = Stream::new_stream_decoder(MAX_MEMORY, 0)?;
        Ok(())
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
        let status = self.stream.process(input, output, Action::Run);
        let ended = match status {
            Ok(Status::StreamEnd) => Ok(true),
            Ok(_) => Ok(false),
            Err(Error::Format) => Err(Broken::Foreign),
            Err(Error::MemLimit) => {
                let limit = MAX_MEMORY >> 20;
                let message =
                    format!("needs more than {limit} MiB to decompress: compress it again with `xz -9`");
                Err(Broken::TooMuch(message))
            }
            Err(Error::Options | Error::UnsupportedCheck) => {
                Err(Broken::Damaged("it needs features of xz that are not known".to_owned()))
            }
            Err(error) => Err(Broken::Damaged(error.to_string())),
        };
        Step {
            consumed: (self.stream.total_in() - before_in) as usize,
            produced: (self.stream.total_out() - before_out) as usize,
            ended,
        }
    }
}
