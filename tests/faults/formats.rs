//! Files of every format that is read, each of a few records whose texts are known.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use tamis_tests::world::World;

/// The formats, by the ending of their names.
pub(crate) const FORMATS: [&str; 9] =
    ["jsonl", "csv", "tsv", "txt", "html", "records.txt", "warc", "parquet", "arrow"];

/// What tables were made of, whose ids they therefore hold.
pub(crate) const SOURCE: &str = "made.jsonl";

/// Whether a file of a format holds one record only.
pub(crate) fn is_single(format: &str) -> bool {
    matches!(format, "txt" | "html")
}

/// A file of a format with the given words in its records, one each; a format of one record takes the first.
///
/// The words are of letters, digits and `-`, so that they need no escapes, and are found again in any output.
pub(crate) fn file(format: &str, words: &[String]) -> Vec<u8> {
    let text = |word: &String| format!("The report {word} was filed when the river rose. 河水上涨。");
    let each = |make: &dyn Fn(&String) -> String| words.iter().map(make).collect::<String>().into_bytes();
    match format {
        "jsonl" => each(&|word| format!("{{\"text\":\"{}\",\"site\":\"a\"}}\n", text(word))),
        "csv" => [b"text,site\n".to_vec(), each(&|word| format!("\"{}\",a\n", text(word)))].concat(),
        "tsv" => [b"text\tsite\n".to_vec(), each(&|word| format!("{}\ta\n", text(word)))].concat(),
        "txt" => text(&words[0]).into_bytes(),
        "html" => {
            let page = format!(
                "<!doctype html><html><head><title>A page</title></head><body><p>{}</p></body></html>",
                text(&words[0])
            );
            page.into_bytes()
        }
        "records.txt" => each(&|word| format!("text: '{}'\nsite: 'a'\n\n", text(word))),
        "warc" => each(&|word| {
            let page = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body><p>{}</p></body></html>",
                text(word)
            );
            format!(
                "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/{word}\r\n\
                 Content-Type: application/http; msgtype=response\r\nContent-Length: {}\r\n\r\n{page}\r\n\r\n",
                page.len()
            )
        }),
        table => made(table, words),
    }
}

/// A table, written by the program itself; each is made once, because that is a run.
fn made(format: &str, words: &[String]) -> Vec<u8> {
    type Made = std::sync::Mutex<BTreeMap<(String, Vec<String>), Vec<u8>>>;
    static MADE: OnceLock<Made> = OnceLock::new();
    let key = (format.to_owned(), words.to_vec());
    let mut made = MADE.get_or_init(Made::default).lock().unwrap();
    let bytes = made.entry(key).or_insert_with(|| {
        let pipeline = format!(
            "[[source]]\nuse = \"jsonl\"\npaths = [\"in\"]\n\n[[export]]\nuse = \"{format}\"\npath = \"out\"\n"
        );
        let world = World::with(&pipeline);
        world.write(format!("in/{SOURCE}"), file("jsonl", words));
        world.run(&[]).exits(0);
        std::fs::read(world.path("out").join(format!("part-00000.{format}"))).unwrap()
    });
    bytes.clone()
}
