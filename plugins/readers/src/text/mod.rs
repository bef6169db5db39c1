//! `text`: one document a file.

mod options;
#[cfg(test)]
mod tests;

pub use options::TextOptions;
use tamis_plugin::{Block, Emit, Failure, NewDocument, Reader, SetupError};

use crate::row;

/// The reader of plain-text files.
#[derive(Debug)]
pub struct Text;

/// How sure [`Text`] is of any text: enough to win when no structured reader wants the file.
const SURE_OF_TEXT: u8 = 10;
/// How sure the reader is of a file that is text in an encoding that it cannot read.
const OTHER_ENCODING: u8 = 1;

impl Reader for Text {
    const NAME: &'static str = "text";
    const WHOLE_FILE: bool = true;
    type Options = TextOptions;

    fn open(_options: TextOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn sniff(&self, head: &[u8], complete: bool, _name: &str) -> u8 {
        let is_text = match std::str::from_utf8(head) {
            Ok(_) => true,
            // The head may end inside a character.
            Err(error) => !complete && error.error_len().is_none(),
        };
        let is_utf16 = head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF");
        match (is_text, head.contains(&0)) {
            (true, false) => SURE_OF_TEXT,
            // Text in another encoding, as far as anyone can tell: it will fail, but this reader says why.
            (false, false) => OTHER_ENCODING,
            _ if is_utf16 => OTHER_ENCODING,
            _ => 0,
        }
    }

    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        let bytes = row::without_bom(block);
        match std::str::from_utf8(bytes) {
            Ok(text) => emit.document(&NewDocument {
                text,
                ordinal: block.first_ordinal,
                offset: block.offset,
                length: block.bytes.len() as u64,
                ..NewDocument::default()
            }),
            Err(error) => {
                let failure = not_utf8(bytes, error.valid_up_to());
                emit.failed(block.first_ordinal, block.offset, block.bytes, &failure);
            }
        }
        Ok(())
    }
}

/// Says where the first wrong byte is and what to do about it.
fn not_utf8(bytes: &[u8], at: usize) -> Failure {
    if let [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] = bytes {
        return Failure::new(
            "the file begins with a UTF-16 byte order mark; convert it to UTF-8, for example with \
             `iconv -f UTF-16 -t UTF-8`",
        );
    }
    let (line, column) = row::line_and_column(bytes, at);
    let byte = bytes.get(at).copied().unwrap_or_default();
    Failure::new(format_args!(
        "line {line}: column {column}: byte 0x{byte:02X} is not UTF-8; if the file is in another encoding, \
         convert it, for example with `iconv -f GB18030 -t UTF-8`"
    ))
}
