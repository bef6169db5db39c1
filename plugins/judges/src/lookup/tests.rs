use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, Draft, Extractor, Value, Verdict, View};

use super::{Lookup, LookupBy, LookupOptions, Missing};

fn table(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("written");
    path.to_str().expect("a plain path").to_owned()
}

fn looked_up(stage: &Lookup, url: &str) -> (Verdict, Option<Value>) {
    let mut document = Document::new("a", "");
    document.metadata.insert("url", url);
    let mut draft = Draft::new(View::from(&document));
    let verdict = stage.extract(&mut draft).expect("a string");
    let (edits, _) = draft.finish();
    edits.apply(&mut document);
    (verdict, document.metadata.get("licence").cloned())
}

#[test]
fn cases() {
    check_extractor::<Lookup>("lookup/cases/lookup.md", include_str!("cases/lookup.md"));
}

#[test]
fn hosts_and_the_domains_above_them_are_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let tsv = "domain\tlicence\tnote\nmill.example\tCC-BY\tx\nnews.mill.example\tnone\t\nempty.example\t\t\nXN--fiqs8s\tPD\t\n";
    let json = "{\"domain\": \"mill.example\", \"licence\": \"CC-BY\"}\n{\"domain\": \"news.mill.example\", \"licence\": \"none\"}\n{\"domain\": \"empty.example\"}\n{\"domain\": \"中国\", \"licence\": \"PD\"}\n";
    for table in [table(&folder, "t.tsv", tsv), table(&folder, "t.jsonl", json)] {
        let options = LookupOptions {
            table,
            key: "domain".into(),
            by: LookupBy::Host,
            take: vec!["licence".into()],
            missing: Missing::Drop,
            ..LookupOptions::default()
        };
        let stage = Lookup::open(options).expect("sound");
        for (url, licence) in [
            ("https://www.Mill.example/a", Some("CC-BY")),
            ("http://news.mill.example:80", Some("none")),
            ("https://empty.example/", None),
            ("https://www.中国/", Some("PD")),
            ("https://xn--fiqs8s/", Some("PD")),
        ] {
            assert_eq!(looked_up(&stage, url), (Verdict::Keep, licence.map(Value::from)), "{url}");
        }
        assert_eq!(looked_up(&stage, "https://windmill.example/").0, Verdict::Drop("not-in-table".into()));
    }
}

#[test]
fn a_table_that_is_none_is_refused_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    for (text, words) in [
        ("key\tlicence\na\t1\na\t2\n", "t.tsv:3: `a` stands in the table twice"),
        ("key\tlicence\na\n", "t.tsv:2: 1 cells, but 2 columns"),
        ("name\tlicence\n", "no column `key`; there are name, licence"),
        ("key\tlicense\n", "no column `licence`"),
    ] {
        let options = LookupOptions {
            table: table(&folder, "t.tsv", text),
            take: vec!["licence".into()],
            ..LookupOptions::default()
        };
        let error = Lookup::open(options).expect_err(text).to_string();
        assert!(error.contains(words), "{error}");
    }
    let error =
        Lookup::open(LookupOptions { table: table(&folder, "t.tsv", "key\n"), ..LookupOptions::default() });
    assert_eq!(error.expect_err("refused").option(), Some("take"));
}
