use std::fs;
use tamis_conformance::cases::check_filter;

use tamis_plugin::{Document, Filter, Notes, Verdict, View};

use super::{Blocklist, BlocklistOptions};

fn list(folder: &tempfile::TempDir, name: &str, text: &str) -> Vec<String> {
    let path = folder.path().join(name);
    fs::write(&path, text).expect("written");
    vec![path.to_str().expect("a plain path").to_owned()]
}

fn verdict(stage: &Blocklist, url: &str, text: &str) -> Verdict {
    let mut document = Document::new("a", text);
    document.metadata.insert("url", url);
    stage.filter(&View::from(&document), &mut Notes::default()).expect("never fails")
}

#[test]
fn cases() {
    check_filter::<Blocklist>("blocklist/cases/blocklist.md", include_str!("cases/blocklist.md"));
}

#[test]
fn domains_and_addresses_are_blocked_with_what_lies_under_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = BlocklistOptions {
        domains: list(&folder, "domains", "# hosts\n0.0.0.0 Ads.example # why\nmill.example\nxn--fiqs8s\n\n"),
        addresses: list(&folder, "urls", "river.example/old/\nhttps://www.lake.example/?a=1\n"),
        ..BlocklistOptions::default()
    };
    let stage = Blocklist::open(options).expect("sound");
    for (url, reason) in [
        ("https://mill.example/a", "blocked-domain"),
        ("http://user@www.Mill.example:8080/a", "blocked-domain"),
        ("https://windmill.example/", ""),
        ("https://example/", ""),
        ("x.ads.example", "blocked-domain"),
        ("https://www.中文.中国/", "blocked-domain"),
        ("https://XN--FIQS8S/", "blocked-domain"),
        ("https://river.example/old#part", "blocked-address"),
        ("https://river.example/old/more", ""),
        ("http://lake.example/?a=1", "blocked-address"),
        ("", ""),
    ] {
        let expected = if reason.is_empty() { Verdict::Keep } else { Verdict::Drop(reason.into()) };
        assert_eq!(verdict(&stage, url, ""), expected, "{url}");
    }
}

#[test]
fn words_count_where_they_stand_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let words = list(&folder, "words", "bad flour\nmill\n坏面\n");
    let stage = |max_words| {
        let options = BlocklistOptions { words: words.clone(), max_words, ..BlocklistOptions::default() };
        Blocklist::open(options).expect("sound")
    };
    let blocked = Verdict::Drop("blocked-words".into());
    for (text, n_words) in [
        ("The Mill, the mill and the mill.", 1),
        ("A miller has bad flours.", 0),
        ("BAD FLOUR of the mill", 2),
        ("这是坏面粉", 1),
        ("坏面mill", 2),
        ("mill2", 0),
    ] {
        assert_eq!(verdict(&stage(n_words), "", text), Verdict::Keep, "{text}");
        if n_words > 0 {
            assert_eq!(verdict(&stage(n_words - 1), "", text), blocked, "{text}");
        }
    }
}

#[test]
fn lists_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = |options: BlocklistOptions| Blocklist::open(options).expect_err("refused").to_string();
    let nothing = BlocklistOptions { max_words: 1, ..BlocklistOptions::default() };
    assert!(error(nothing).contains("give `domains`, `addresses` or `words`"));
    let domains = list(&folder, "empty", "# nothing\n");
    assert!(error(BlocklistOptions { domains, ..BlocklistOptions::default() }).contains("has no entry"));
    let path = folder.path().join("latin1");
    fs::write(&path, b"one\nM\xFChle\n").expect("written");
    let words = vec![path.to_str().expect("a plain path").to_owned()];
    assert!(error(BlocklistOptions { words, ..BlocklistOptions::default() }).contains("latin1:2: no UTF-8"));
}
