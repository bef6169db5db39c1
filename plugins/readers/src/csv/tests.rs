//! Tests of the `csv` and `tsv` readers.

use proptest::prelude::*;
use tamis_plugin::{Block, Cut, Reader};

use super::{Csv, CsvOptions, Delimiter, Tsv, TsvOptions};
use crate::testing::{Collected, decode, decode_in_blocks};

fn csv(options: &str) -> Csv {
    Csv::open(serde_json::from_str(options).expect("valid options")).expect("good options")
}

/// Reads a file as the runner does: the header first, then blocks.
fn read_in_blocks(reader: &impl Reader, file: &[u8], step: usize) -> Collected {
    let head = reader.head(file, true).expect("a head");
    let mut collected = Collected::default();
    let (mut start, mut filled, mut first_ordinal) = (head, head, 0);
    while start < file.len() {
        filled = (filled + step).min(file.len());
        let Cut::At { bytes, records } =
            reader.cut_behind(&file[..head], &file[start..filled], filled == file.len())
        else {
            continue;
        };
        let bytes_of_block = &file[start..start + bytes];
        let block = Block {
            file: "a",
            head: &file[..head],
            bytes: bytes_of_block,
            offset: start as u64,
            first_ordinal,
        };
        reader.decode(&block, &mut collected).expect("a block is readable");
        start += bytes;
        first_ordinal += records;
    }
    collected
}

fn read(options: &str, file: &[u8]) -> Collected {
    read_in_blocks(&csv(options), file, file.len().max(1))
}

#[test]
fn a_row_is_a_document() {
    let file =
        "\u{feff}\r\nid,text,url,note\r\n7,\"第一段，\"\"引\"\"\n第二段\",http://a/,\r\n\r\n,b,,x\"y\"";
    let read = read("{}", file.as_bytes());
    assert_eq!(read.texts(), ["第一段，\"引\"\n第二段", "b"]);
    let found: Vec<_> = read
        .documents()
        .map(|document| {
            let metadata = serde_json::to_string(&document.metadata).expect("metadata can be written");
            (document.id.clone(), document.ordinal, metadata)
        })
        .collect();
    let expected = [
        (Some("7".to_owned()), 0, r#"{"url":"http://a/"}"#.to_owned()),
        (None, 2, r#"{"note":"x\"y\""}"#.to_owned()),
    ];
    assert_eq!(found, expected);
    let offset = read.documents().last().expect("two documents").offset;
    assert!(file.as_bytes()[offset as usize..].starts_with(b",b,,"));
}

#[test]
fn options_say_how_a_table_is_written() {
    let cases: &[(&str, &[u8], &[&str])] = &[
        (r#"{"delimiter":"semicolon"}"#, b"text;a\n1,5;x\n", &["1,5"]),
        (r#"{"delimiter":"bar"}"#, b"a|text\nx|1\n", &["1"]),
        (r#"{"has_header":false,"columns":["a","text"]}"#, b"x,1\ny,2", &["1", "2"]),
        (r#"{"has_header":false,"fields":{"text":"2"}}"#, b"x,1\ny,2,3", &["1", "2"]),
        (r#"{"has_header":false,"fields":{"text":"1"}}"#, b"\xEF\xBB\xBF\"a\nb\"", &["a\nb"]),
        (r#"{"quote":"'"}"#, b"text\n'a''\nb'", &["a'\nb"]),
        (r#"{"quote":""}"#, b"text\n\"a\n", &["\"a"]),
        (r#"{"encoding":"gbk"}"#, b"text,\xd7\xd6\n\xd7\xd6,1\n\"\xd7\xd6\",2\n", &["字", "字"]),
        ("{}", b"text\n\n\"\"\n", &[""]),
        ("{}", b"text\ra\r\rb\"\r\"c\rd\"\r", &["a", "b\"", "c\rd"]),
        ("{}", b"text\n\"a\"\r\"b\"\r\n\"c\"", &["a", "b", "c"]),
        ("{}", b"", &[]),
        ("{}", b"text,\n", &[]),
        (r#"{"fields":{"text":""},"metadata":[]}"#, b"raw,b\n<p>,c", &[""]),
    ];
    for (options, file, texts) in cases {
        let read = read(options, file);
        assert_eq!(read.messages(), [""; 0], "{options}");
        assert_eq!(read.texts(), *texts, "{options}");
    }
    let tsv = Tsv::open(TsvOptions::default()).expect("default options");
    assert_eq!(read_in_blocks(&tsv, b"a\ttext\nx\t1, 2\n", 99).texts(), ["1, 2"]);
}

#[test]
fn a_column_of_objects_is_spread() {
    let read = read("{}", b"text,metadata\na,\"{\"\"url\"\":\"\"u\"\",\"\"n\"\":1}\"\n");
    assert_eq!(read.metadata(), r#"{"n":1,"url":"u"}"#);
}

#[test]
fn bad_rows_fail_alone() {
    let cases: &[(&[u8], &str)] = &[
        (b"1,2,3", "row 2 (byte 15 of the file): 3 cells, but 2 columns"),
        (b"1", "row 2 (byte 15 of the file): 1 cells, but 2 columns"),
        (
            b"\"a,2",
            "row 2 (byte 15 of the file): a cell begins with a quote that nothing closes, to the end of the file",
        ),
        (b"\"a\"b,2", "row 2 (byte 15 of the file): a cell goes on behind the quote that closes it"),
        (b"\"a\" ,2", "row 2 (byte 15 of the file): a cell goes on behind the quote that closes it"),
        (
            b"\"1\n2\",\"a\"\"b\"\"",
            "row 2 (byte 21 of the file): a cell begins with a quote that nothing closes",
        ),
        (b"\"1\n2\",\"a\"\"b\"c", "row 2 (byte 21 of the file): a cell goes on behind the quote"),
        (b"a,\xb4", "row 2 (byte 17 of the file): byte 0xB4 is not UTF-8; name the encoding"),
    ];
    for (row, message) in cases {
        let file = [b"text,a\nbefore,\n", *row, b"\nafter,\n"].concat();
        let read = read(r#"{"max_record_bytes":64}"#, &file);
        assert_eq!(read.texts(), ["before", "after"]);
        let failed = read.failures().next().expect("one failure");
        assert!(failed.message.starts_with(message), "{}", failed.message);
        assert_eq!(failed.raw, *row);
    }
}

#[test]
fn a_stray_quote_costs_its_own_row() {
    let mut file = b"text\n\"stray\n".to_vec();
    for _ in 0..100 {
        file.extend_from_slice(b"row\n");
    }
    file.extend_from_slice(b"\"closed\"\n");
    let read = read(r#"{"max_record_bytes":100}"#, &file);
    assert_eq!((read.texts().len(), read.failures().count()), (101, 1));
}

/// The quote that would close the stray one opens a cell of a later row.
#[test]
fn a_stray_quote_does_not_swallow_the_rows_up_to_the_next_quote() {
    let rows = [r#"1,"open"#, "2,ok", r#"3,"a""b""#, "4,ok", r#"5,"x"y"#, "6,ok", r#"7,""#, r#"8,"z""#];
    for line_end in ["\n", "\r\n", "\r"] {
        let file = format!("id,text{line_end}{}", rows.join(line_end));
        let csv = csv("{}");
        for step in 1..file.len() {
            let read = read_in_blocks(&csv, file.as_bytes(), step);
            assert_eq!(read.texts(), ["ok", "a\"b", "ok", "ok", "z"], "{step} bytes at a time");
            let failed: Vec<_> = read.failures().map(|failed| failed.raw.as_slice()).collect();
            assert_eq!(failed, [rows[0].as_bytes(), rows[4].as_bytes(), rows[6].as_bytes()]);
        }
    }
}

#[test]
fn a_header_that_says_nothing_fails_the_file() {
    let cases: &[(&[u8], &str)] = &[
        (b"text,text\n", "two columns of the header are called `text`"),
        (
            b"id;text\n",
            "the header `id;text` is one column: say `use = \"csv\"` with `delimiter = \"semicolon\"`",
        ),
        (b"\xff\xfet\0", "the file is UTF-16"),
        (b"te\xb4xt\n", "in the header: byte 0xB4 is not UTF-8"),
        (b"", "the file has no header"),
    ];
    for (head, message) in cases {
        let block = Block { file: "a", head, bytes: b"1\n", offset: 9, first_ordinal: 0 };
        let commas = csv(r#"{"delimiter":"comma"}"#);
        let error = commas.decode(&block, &mut Collected::default()).expect_err("no header");
        assert!(error.to_string().starts_with(message), "{error}");
    }
}

#[test]
fn contradicting_options_are_refused() {
    let cases = [
        (r#"{"columns":["a"]}"#, "columns"),
        (r#"{"has_header":false,"columns":["a","a"]}"#, "columns"),
        (r#"{"quote":","}"#, "quote"),
        (r#"{"quote":"字"}"#, "quote"),
        (r#"{"encoding":"utf-16le"}"#, "encoding"),
        (r#"{"encoding":"gbx"}"#, "encoding"),
        (r#"{"encoding":"big5","delimiter":"bar"}"#, "delimiter"),
        (r#"{"encoding":"big5","quote":"|"}"#, "quote"),
    ];
    for (options, option) in cases {
        let options: CsvOptions = serde_json::from_str(options).expect("valid options");
        assert_eq!(Csv::open(options).expect_err("a mistake").option(), Some(option));
    }
    assert_eq!(CsvOptions::from(TsvOptions::default()).delimiter, Delimiter::Tab);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn any_table_is_read_the_same_in_any_blocks(file in "([ab,\"\n\r]|\r\n|\"\"){0,60}", step in 1..30_usize, max in 1..40) {
        let csv = csv(&format!(r#"{{"has_header":false,"fields":{{"text":"1"}},"max_record_bytes":{max}}}"#));
        let file = file.as_bytes();
        prop_assert_eq!(decode_in_blocks(&csv, file, step), decode(&csv, file));
    }

    /// Cells in quotes begin with a letter here: a quote in front of a delimiter or a line end closes what a stray
    /// one has opened, and nobody can tell that from a cell.
    #[test]
    fn a_damaged_row_costs_itself(
        rows in prop::collection::vec(prop::collection::vec("[ab\"\n\r,]{0,6}", 2), 1..12),
        damaged in prop::sample::select(vec!["1,\"open", "\"x\"y,2", "\"", "1,\"a\"\"", "\"p\nq\",\"a\"\"b\"c", "1", "1,2,3"]),
        at: prop::sample::Index,
        line_end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        step in 1..30_usize,
    ) {
        let written = |cell: &String| format!("\"c{}\"", cell.replace('"', "\"\""));
        let mut lines: Vec<_> = rows.iter().map(|row| format!("{},{}", written(&row[0]), written(&row[1]))).collect();
        let at = at.index(rows.len() + 1);
        lines.insert(at, damaged.to_owned());
        let file = format!("id,text{line_end}{}{line_end}", lines.join(line_end));
        let read = read_in_blocks(&csv("{}"), file.as_bytes(), step);
        let texts: Vec<_> = rows.iter().map(|row| format!("c{}", row[1])).collect();
        prop_assert_eq!(read.texts(), texts);
        let failed: Vec<_> = read.failures().map(|failed| (failed.ordinal, failed.raw.as_slice())).collect();
        prop_assert_eq!(failed, [(at as u64, damaged.as_bytes())]);
    }

    #[test]
    fn any_bytes_are_read_the_same_in_any_blocks(file: Vec<u8>, step in 1..30_usize) {
        // Found, it is that of each block.
        let csv = csv(r#"{"has_header":false,"fields":{"text":"1"},"encoding":"utf-8"}"#);
        prop_assert_eq!(decode_in_blocks(&csv, &file, step), decode(&csv, &file));
    }

    /// With what the `csv` crate makes of it, for tables whose quotes are closed.
    #[test]
    fn cells_are_those_that_others_see(rows in prop::collection::vec(prop::collection::vec("[ab,\"\n ]{0,6}", 1..5), 1..6)) {
        let mut writer = ::csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        for row in &rows {
            writer.write_record(row).expect("memory");
        }
        let file = writer.into_inner().expect("memory");
        let mut found = Vec::new();
        let dialect = csv("{}").0.dialect;
        let (mut at, mut cells) = (0, Vec::new());
        while let Some(line) = dialect.row(&file[at..], true, &mut cells) {
            found.push(cells.iter().map(|cell| {
                let bytes = &file[at..][cell.range.clone()];
                let mut plain = Vec::new();
                if cell.quoted { dialect.unquote(bytes, &mut plain) } else { plain.extend_from_slice(bytes) }
                String::from_utf8(plain).expect("ASCII")
            }).collect::<Vec<_>>());
            at += line.next;
        }
        prop_assert_eq!(found, rows);
    }
}

/// A window of as many bytes as a quote may have to be closed in tells already that it is not: more are never shown when
/// that is the longest record.
#[test]
fn a_quote_that_is_not_closed_is_told_within_its_bound() {
    const BOUND: usize = 64;
    let reader = csv(&format!(r#"{{"max_record_bytes":{BOUND}}}"#));
    let rows = |n: usize| (0..n).map(|n| format!("{n},row {n}\n")).collect::<Vec<_>>().concat();
    for open in 0..20 {
        let window = format!("{}1,\"{}\n{}", "x".repeat(open), "y".repeat(5), rows(20));
        let cut = reader.cut(&window.as_bytes()[..BOUND], false);
        assert!(matches!(cut, Cut::At { bytes, .. } if bytes > 0), "{open}: {cut:?}");
    }
}

#[test]
fn an_encoding_is_found_where_there_is_enough_to_see() {
    // In GB18030, as old Chinese programs write tables.
    let text = b"\xB5\xDA\xD2\xBB\xD0\xD0\xB5\xC4\xCE\xC4\xD7\xD6\xCB\xB5\xC3\xF7";
    let row = |n: usize| [format!("{n},").as_bytes(), text, b"\n"].concat();
    let file = [b"id,text\n".to_vec(), (0..40).flat_map(row).collect()].concat();
    let found = read("{}", &file);
    assert_eq!(
        (found.texts().len(), found.texts()[3], found.failures().count()),
        (40, "第一行的文字说明", 0)
    );
    // One wrong byte is no other encoding.
    let broken = read("{}", b"id,text\n1,good\n2,ba\xE4d\n");
    assert_eq!((broken.texts(), broken.failures().count()), (vec!["good"], 1));
}

#[test]
fn a_line_that_names_the_delimiter_is_no_row() {
    let semicolons = r#"{"delimiter":"semicolon"}"#;
    assert_eq!(read(semicolons, b"sep=;\r\nid;text\r\n1;a, b\r\n").texts(), ["a, b"]);
    assert_eq!(read("{}", b"sep=;\r\nid;text\r\n1;a, b\r\n").texts(), ["a, b"]);
    assert_eq!(read(semicolons, b"\"sep=;\"\r\nid;text\r\n1;a, b\r\n").texts(), ["a, b"]);
    assert_eq!(read("{}", b"sep=|\nid|text|x;y;z\n1|a|b\n").metadata(), r#"{"x;y;z":"b"}"#);
    let reader = csv(r#"{"delimiter":"comma"}"#);
    let file = b"sep=;\nid;text\n1;a\n";
    let head = reader.head(file, true).expect("a head");
    let block =
        Block { file: "a", head: &file[..head], bytes: &file[head..], offset: head as u64, first_ordinal: 0 };
    let error = reader.decode(&block, &mut Collected::default()).unwrap_err().to_string();
    assert_eq!(error, "the file says `sep=;`: say `use = \"csv\"` with `delimiter = \"semicolon\"`");
}

#[test]
fn backslashes_escape_if_they_are_said_to() {
    let row = br#"id,text
1,"a \"b\" \\ c\nd, ""e"""
2,"open \"
3,plain \n
"#;
    let escaped = read(r#"{"escapes":true}"#, row);
    assert_eq!(escaped.texts(), ["a \"b\" \\ c\nd, \"e\"", r"plain \n"]);
    assert_eq!(escaped.failures().count(), 1);
}

/// A text in GBK: the readers only decode, so the characters that the tests need stand here.
fn in_gbk(text: &str) -> Vec<u8> {
    let table: &[(char, &[u8])] = &[
        ('编', b"\xB1\xE0"),
        ('号', b"\xBA\xC5"),
        ('正', b"\xD5\xFD"),
        ('文', b"\xCE\xC4"),
        ('今', b"\xBD\xF1"),
        ('天', b"\xCC\xEC"),
        ('好', b"\xBA\xC3"),
        ('中', b"\xD6\xD0"),
        ('国', b"\xB9\xFA"),
        ('人', b"\xC8\xCB"),
    ];
    let mut bytes = Vec::new();
    for character in text.chars() {
        match table.iter().find(|(known, _)| *known == character) {
            Some((_, pair)) => bytes.extend_from_slice(pair),
            None => bytes.push(u8::try_from(character).expect("ASCII")),
        }
    }
    bytes
}

#[test]
fn a_short_table_in_chinese_is_read_whatever_stands_between_its_cells() {
    for delimiter in [",", ";", "\t"] {
        let file = "编号;text\n1;今天好\n2;中国人\n".replace(';', delimiter);
        let found = read("{}", &in_gbk(&file));
        assert_eq!((found.texts(), found.messages()), (vec!["今天好", "中国人"], vec![""; 0]), "{delimiter}");
    }
    // What a message advises for the rest works with every delimiter for which it is said.
    let lone = in_gbk("id;text\n1;中\n");
    let found = read("{}", &lone);
    assert!(
        found.messages()[0].ends_with("name the encoding of the file, as `encoding = \"gbk\"`"),
        "{found:?}"
    );
    let latin = read("{}", b"id,text\n1,M\xFCller\n");
    assert!(latin.messages()[0].ends_with("as `encoding = \"windows-1252\"`"), "{latin:?}");
    assert_eq!(read(r#"{"encoding":"windows-1252"}"#, b"id,text\n1,M\xFCller\n").texts(), ["Müller"]);
    for option in ["encoding", "fallback_encoding"] {
        let options = format!(r#"{{"{option}":"gb18030","delimiter":"semicolon"}}"#);
        assert_eq!(read(&options, &lone).texts(), ["中"], "{option}");
    }
    let bars = read(r#"{"delimiter":"bar"}"#, &in_gbk("id|text\n1|中国人\n"));
    assert!(bars.messages()[0].ends_with("convert the file to UTF-8, for example with `iconv`"), "{bars:?}");
    let named = csv(r#"{"encoding":"gb18030"}"#);
    let file = in_gbk("id|text\n1|中国人\n");
    let block = Block { file: "a", head: &file[..8], bytes: &file[8..], offset: 8, first_ordinal: 0 };
    let error = named.decode(&block, &mut Collected::default()).expect_err("bars part characters");
    assert!(error.to_string().starts_with("in gb18030 a bar may be part of a character"), "{error}");
}

#[test]
fn what_stands_between_cells_is_seen_in_the_first_line() {
    let cases: &[(&[u8], &str)] = &[
        (b"text,a\nx,1\n", "x"),
        (b"text;a\nx;1\n", "x"),
        (b"a|text\n1|x;y,z\n", "x;y,z"),
        (b"a\ttext\n1\tx\n", "x"),
        (b"text\nx\n", "x"),
        (b"price, EUR;text\n1,5;x\n", "x"),
        (b"\"a;b;c\",text\n1,x\n", "x"),
        (b"\xEF\xBB\xBF\r\n\"a,b\";text\r\n1;\"x\ny\"\r\n", "x\ny"),
        (b"\"a\nb\",text\n1,x\n", "x"),
    ];
    for (file, text) in cases {
        let whole = read("{}", file);
        assert_eq!(whole.texts(), [*text], "{}", String::from_utf8_lossy(file));
        for step in 1..file.len() {
            assert_eq!(read_in_blocks(&csv("{}"), file, step), whole);
        }
    }
}

#[test]
fn tables_are_told_by_their_looks_where_a_name_does_not_tell() {
    let (csv, tsv) = (csv("{}"), Tsv::open(TsvOptions::default()).expect("default options"));
    let gbk = in_gbk("编号;正文\n1;今天好\n2;中国人\n");
    let cases: &[(&str, &[u8], u8, u8)] = &[
        ("stdin", b"id,text\n1,a\n2,\"b, c\"\n", 40, 0),
        ("stdin", b"id;url\n1;a\n2;b", 40, 0),
        ("stdin", b"id\ttext\n1\ta\n2\tb\n", 0, 40),
        ("stdin", &gbk, 40, 0),
        ("stdin", b"sep=;\nid;url\n1;a", 40, 0),
        ("a.txt", b"id,text\n1,a\n2,b\n", 40, 0),
        ("a.txt", b"id,content\n1,a\n2,b\n", 0, 0),
        ("a.log", b"id,text\n1,a\n2,b\n", 0, 0),
        ("a.csv", b"prose", 60, 0),
        ("a.csv", b"\xFF\xFEi\0d\0,\0", 60, 0),
        ("a.csv", b"PK\x03\x04\0\0", 0, 0),
        ("stdin", b"Roses are red, violets\nare blue, sugar\nis sweet, and so\n", 0, 0),
        ("stdin", b"Dear Ann,\nthank you, and\ngood bye,\n", 0, 0),
        ("stdin", b"2021-01-01,info,started\n2021-01-02,info,ended\n2021-01-03,a,b\n", 0, 0),
        ("stdin", b"| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n", 0, 0),
        ("stdin", b"id,text\n1,a\n2\n", 0, 0),
        ("stdin", b"id,text\n1,a\n", 0, 0),
    ];
    for (name, head, sure_csv, sure_tsv) in cases {
        let sure = (csv.sniff(head, true, name), tsv.sniff(head, true, name));
        assert_eq!(sure, (*sure_csv, *sure_tsv), "{name}: {}", String::from_utf8_lossy(head));
    }
}

/// Tables of all kinds with what stands in them as JSON: `TAMIS_SUITES` names a folder that has `csv-spectrum` in it, as
/// its author publishes it, or as an archive; by default it is one beside the checkout.
#[test]
fn the_tables_of_csv_spectrum_are_read_as_they_are_meant() {
    let beside = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/eval/suites");
    let suites = std::env::var_os("TAMIS_SUITES").map_or(beside, std::path::PathBuf::from);
    let unpacked = tempfile::tempdir().expect("a folder");
    let mut folder = suites.join("csv-spectrum");
    if !folder.is_dir() {
        let Ok(archive) = std::fs::File::open(suites.join("csv-spectrum.tar.gz")) else {
            eprintln!("SKIPPED: neither `csv-spectrum` nor `csv-spectrum.tar.gz` in {}", suites.display());
            return;
        };
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
        archive.unpack(unpacked.path()).expect("a sound archive");
        folder = unpacked.path().join("csv-spectrum");
    }
    let mut n_tables = 0;
    for entry in folder.join("csvs").read_dir().expect("the folder can be read") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        let file = std::fs::read(&path).expect("the table can be read");
        let json = std::fs::read(folder.join("json").join(format!("{name}.json"))).expect("its content");
        let rows: Vec<serde_json::Map<String, serde_json::Value>> =
            serde_json::from_slice(&json).expect("JSON");
        let header = String::from_utf8_lossy(&file).lines().next().unwrap_or_default().to_owned();
        let text = header.split(',').next().unwrap_or_default().trim_matches('"').to_owned();
        let found = read(&format!(r#"{{"fields":{{"id":"","text":"{text}","raw":""}}}}"#), &file);
        assert_eq!(found.messages(), [""; 0], "{name}");
        assert_eq!(found.texts().len(), rows.len(), "{name}");
        for (document, mut row) in found.documents().zip(rows) {
            assert_eq!(row.remove(&text), Some(document.text.as_str().into()), "{name}");
            // An empty cell is no metadata.
            row.retain(|_, value| value != "");
            let metadata = serde_json::to_value(&document.metadata).expect("metadata can be written");
            assert_eq!(metadata, serde_json::Value::Object(row), "{name}");
        }
        n_tables += 1;
    }
    assert!(n_tables >= 11, "{n_tables} tables");
}
