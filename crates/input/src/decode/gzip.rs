//! Members of gzip (RFC 1952).

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::{Broken, Member, Step};

const HEADER_CRC: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
const RESERVED: u8 = 0xE0;

/// One member after the other.
pub(super) struct GzipMember {
    place: Place,
    inflate: Decompress,
    /// Of the plain bytes.
    crc: Crc,
    /// Of the header.
    header_crc: Crc,
    flags: u8,
    /// Bytes of a number that is being read.
    number: [u8; 8],
}

/// Where in a member.
#[derive(Clone, Copy)]
enum Place {
    /// So many bytes of the ten that every header has.
    Fixed(usize),
    /// So many bytes of the two that say how long the extra field is.
    ExtraLength(usize),
    /// So many bytes of the extra field are left.
    Extra(usize),
    Name,
    Comment,
    /// So many bytes of the checksum of the header.
    HeaderCrc(usize),
    Body,
    /// So many bytes of checksum and length.
    Trailer(usize),
}

impl GzipMember {
    pub(super) fn new() -> Self {
        Self {
            place: Place::Fixed(0),
            inflate: Decompress::new(false),
            crc: Crc::new(),
            header_crc: Crc::new(),
            flags: 0,
            number: [0; 8],
        }
    }

    /// Takes one byte of the header.
    fn header(&mut self, byte: u8) -> Result<(), Broken> {
        if !matches!(self.place, Place::HeaderCrc(_)) {
            self.header_crc.update(&[byte]);
        }
        self.place = match self.place {
            Place::Fixed(at) => {
                let is_wrong = [0x1F, 0x8B, 8].get(at).is_some_and(|expected| *expected != byte);
                if is_wrong {
                    return Err(Broken::Foreign);
                }
                if at == 3 {
                    self.flags = byte;
                    if byte & RESERVED != 0 {
                        return Err(Broken::Damaged("its header has flags that mean nothing".to_owned()));
                    }
                }
                if at < 9 { Place::Fixed(at + 1) } else { self.after(0) }
            }
            Place::ExtraLength(at) => {
                self.number[at] = byte;
                match usize::from(u16::from_le_bytes([self.number[0], self.number[1]])) {
                    _ if at == 0 => Place::ExtraLength(1),
                    0 => self.after(EXTRA),
                    length => Place::Extra(length),
                }
            }
            Place::Extra(1) => self.after(EXTRA),
            Place::Extra(left) => Place::Extra(left - 1),
            Place::Name if byte == 0 => self.after(NAME),
            Place::Comment if byte == 0 => self.after(COMMENT),
            Place::HeaderCrc(at) => {
                self.number[at] = byte;
                if at == 0 {
                    Place::HeaderCrc(1)
                } else {
                    let [low, high, ..] = self.header_crc.sum().to_le_bytes();
                    if [low, high] != self.number[..2] {
                        return Err(Broken::Damaged("the checksum of its header is wrong".to_owned()));
                    }
                    Place::Body
                }
            }
            same => same,
        };
        Ok(())
    }

    /// What comes behind a part of the header, named by its flag; the fixed part is 0.
    fn after(&self, part: u8) -> Place {
        let has = |flag: u8| self.flags & flag != 0;
        match part {
            0 if has(EXTRA) => Place::ExtraLength(0),
            0 | EXTRA if has(NAME) => Place::Name,
            0 | EXTRA | NAME if has(COMMENT) => Place::Comment,
            _ if has(HEADER_CRC) => Place::HeaderCrc(0),
            _ => Place::Body,
        }
    }

    fn body(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        let (before_in, before_out) = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, output, FlushDecompress::None);
        let consumed = (self.inflate.total_in() - before_in) as usize;
        let produced = (self.inflate.total_out() - before_out) as usize;
        self.crc.update(output.get(..produced).unwrap_or_default());
        let ended = match status {
            Ok(Status::StreamEnd) => {
                self.place = Place::Trailer(0);
                Ok(false)
            }
            Ok(Status::Ok | Status::BufError) => Ok(false),
            Err(_) => Err(Broken::Damaged("what it holds cannot be inflated".to_owned())),
        };
        Step { consumed, produced, ended }
    }

    fn check(&self) -> Result<bool, Broken> {
        // First the checksum, then the length.
        let named = u64::from_le_bytes(self.number);
        if named as u32 != self.crc.sum() {
            return Err(Broken::Damaged("its checksum is wrong".to_owned()));
        }
        if (named >> 32) as u32 != self.inflate.total_out() as u32 {
            return Err(Broken::Damaged("its length is wrong".to_owned()));
        }
        Ok(true)
    }
}

impl Member for GzipMember {
    fn restart(&mut self) -> std::io::Result<()> {
        self.place = Place::Fixed(0);
        self.inflate.reset(false);
        self.crc.reset();
        self.header_crc.reset();
        Ok(())
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        let mut consumed = 0;
        let mut bytes = input.iter();
        loop {
            match self.place {
                Place::Body => {
                    let body = self.body(bytes.as_slice(), output);
                    return Step { consumed: consumed + body.consumed, ..body };
                }
                Place::Trailer(8) => return Step { consumed, produced: 0, ended: self.check() },
                _ => {}
            }
            let Some(&byte) = bytes.next() else { return Step { consumed, produced: 0, ended: Ok(false) } };
            consumed += 1;
            if let Place::Trailer(at) = self.place {
                self.number[at] = byte;
                self.place = Place::Trailer(at + 1);
            } else if let Err(broken) = self.header(byte) {
                return Step { consumed, produced: 0, ended: Err(broken) };
            }
        }
    }
}
