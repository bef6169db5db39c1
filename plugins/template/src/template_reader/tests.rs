use tamis_plugin::{Block, Cut, Emit, Failure, NewDocument, Reader};

use super::{TemplateReader, TemplateReaderOptions};

#[derive(Default)]
struct Texts(Vec<String>);

impl Emit for Texts {
    fn document(&mut self, document: &NewDocument<'_>) {
        self.0.push(document.text.to_owned());
    }

    fn failed(&mut self, _ordinal: u64, _offset: u64, _raw: &[u8], failure: &Failure) {
        self.0.push(format!("failed: {failure}"));
    }

    fn count(&mut self, _name: &str, _n: u64) {}
}

fn reader() -> TemplateReader {
    TemplateReader::open(TemplateReaderOptions::default()).expect("valid options")
}

#[test]
fn separators_part_documents() {
    let mut texts = Texts::default();
    let bytes = b"one\nand more\n%%\ntwo\n%%\n";
    let block = Block { file: "a", head: &[], bytes, offset: 0, first_ordinal: 0 };
    reader().decode(&block, &mut texts).expect("a block is readable");
    assert_eq!(texts.0, ["one\nand more\n", "two\n"]);
}

#[test]
fn blocks_end_behind_a_separator() {
    assert_eq!(reader().cut(b"one\n%%\ntw", false), Cut::At { bytes: 7, records: 1 });
    assert_eq!(reader().cut(b"one\n%%", false), Cut::More);
    assert_eq!(reader().cut(b"one\n%%\ntw", true), Cut::At { bytes: 9, records: 2 });
}
