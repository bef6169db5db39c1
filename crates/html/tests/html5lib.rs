//! The tests of the HTML standard that the authors of browsers and parsers share (html5lib-tests).
//!
//! What matters here is which text a page has and which attributes, not where every element lies: texts are compared in
//! document order, white space apart, and the values of the attributes that are kept.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use tamis_html::{Name, Tag, parse};

/// The files of the suite by name; none where it is not at hand, because it is not part of this repository.
fn suite(folder: &str) -> Option<BTreeMap<String, String>> {
    let archive =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/eval/suites/html5lib-tests.tar.gz");
    let archive = std::fs::File::open(archive).ok()?;
    let mut files = BTreeMap::new();
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("a member");
        let path = entry.path().expect("a path").to_string_lossy().into_owned();
        if let Some((_, name)) = path.split_once(folder)
            && Path::new(name).extension().is_some_and(|kind| kind == "dat" || kind == "test")
            && !name.contains('/')
        {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("a whole member");
            files.insert(name.to_owned(), String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    Some(files)
}

/// A page and the tree that the standard makes of it.
struct Case {
    data: String,
    tree: String,
}

/// The tests of a file, without those that are about fragments or need scripts.
fn cases(file: &str) -> Vec<Case> {
    let tests = file.split("#data\n").skip(1);
    let cases = tests.filter_map(|test| {
        let (head, tree) = test.split_once("#document\n")?;
        let data = head.split("\n#").next().filter(|_| !head.starts_with("#errors")).unwrap_or_default();
        let is_other = head.contains("#document-fragment") || head.contains("#script-on");
        (!is_other).then(|| Case { data: data.to_owned(), tree: tree.trim_end_matches('\n').to_owned() })
    });
    cases.collect()
}

/// The texts and the attribute values of a tree in the notation of the suite.
fn expected(tree: &str) -> (String, Vec<String>) {
    let (mut text, mut attributes) = (String::new(), Vec::new());
    let mut lines = tree.lines();
    while let Some(line) = lines.next() {
        let node = line.trim_start_matches('|').trim_start();
        // A value may go on in the lines that follow, which have no mark.
        let mut value = |first: &str| {
            let mut value = first.to_owned();
            while !value.ends_with('"') || value.is_empty() {
                let Some(next) = lines.next() else { break };
                value.push('\n');
                value.push_str(next);
            }
            value.trim_end_matches('"').to_owned()
        };
        if let Some(first) = node.strip_prefix('"') {
            text.push_str(&value(first));
        } else if !node.starts_with('<')
            && let Some((name, first)) = node.split_once("=\"")
        {
            let known = Name::ALL.iter().any(|known| known.name() == name);
            let value = value(first);
            if known {
                attributes.push(format!("{name}={value}"));
            }
        }
    }
    attributes.sort();
    attributes.dedup();
    (bare(&text), attributes)
}

/// The same of our tree.
fn found(page: &str) -> (String, Vec<String>) {
    let tree = parse(page).expect("short");
    let mut text = String::new();
    let mut attributes = Vec::new();
    for node in 1..tree.len() {
        if tree.tag(node) == Tag::Text {
            tree.append_text(node, &mut text, 0);
            continue;
        }
        let known = Name::ALL.iter().filter(|name| **name != Name::Other);
        let value = |name: &Name| Some(format!("{}={}", name.name(), tree.attribute_text(node, *name)?));
        attributes.extend(known.filter_map(value));
    }
    attributes.sort();
    attributes.dedup();
    (bare(&text), attributes)
}

/// Without white space and without what stands for NUL.
fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace() && *c != '\0' && *c != '\u{FFFD}').collect()
}

/// Where we deviate, and why.
///
/// Text and elements between the rows of a table are moved before it by the standard. Here they stay where the source
/// has them: a reader of the source means them there, and nothing has to be moved or copied.
const STAYS_IN_TABLE: &[&str] = &[
    "<table><a>1<td>2</td>3</table>",
    "<table>A<td>B</td>C</table>",
    "<a href=\"blah\">aba<table><tr><td><a href=\"foo\">br</td></tr>x</table>aoe",
    "<table><a href=\"blah\">aba<tr><td><a href=\"foo\">br</td></tr>x</table>aoe",
    "<!doctype html><table><tr><style></script></style>abc",
    "<!doctype html><table><tr><script></style></script>abc",
    "<table><b><tr><td>aaa</td></tr>bbb</table>ccc",
];
/// Templates are never shown, so it does not matter that `<col>` takes no text in them.
const IN_TEMPLATE: &[&str] = &["<body><template><col>Hello"];
/// A second `<html>` gives its attributes to the first one; `<noscript>` in `<noscript>` is ignored in a head; a set of
/// frames takes away the elements before it: none of these shows anything.
const ATTRIBUTES: &[&str] = &[
    "<!DOCTYPE html><html><body><html id=x>",
    "<head><noscript><noscript class=\"foo\"><!--foo--></noscript>",
    "<input type=\"hidden\"><frameset>",
    "<!doctype html><input type=\"hidden\"><frameset>",
];

#[test]
fn texts_of_trees_are_those_of_the_standard() {
    let Some(files) = suite("tree-construction/") else {
        eprintln!("SKIPPED: no html5lib-tests in ../shared");
        return;
    };
    let mut n_cases = 0;
    let mut deviations = Vec::new();
    for (name, file) in &files {
        for case in cases(file) {
            n_cases += 1;
            let (expected, found) = (expected(&case.tree), found(&case.data));
            if expected != found {
                deviations.push(case.data.clone());
                let is_known =
                    [STAYS_IN_TABLE, IN_TEMPLATE, ATTRIBUTES].concat().contains(&case.data.as_str());
                assert!(is_known, "{name}: {:?}\nexpected {expected:?}\n   found {found:?}", case.data);
            }
        }
    }
    deviations.sort();
    deviations.dedup();
    // What is no deviation any more is to be struck off.
    assert_eq!(
        deviations.len(),
        STAYS_IN_TABLE.len() + IN_TEMPLATE.len() + ATTRIBUTES.len(),
        "{deviations:?}"
    );
    assert!(n_cases > 1400, "{n_cases} cases");
}

#[test]
fn characters_of_tokens_are_those_of_the_standard() {
    let Some(files) = suite("tokenizer/") else {
        eprintln!("SKIPPED: no html5lib-tests in ../shared");
        return;
    };
    let mut n_cases = 0;
    for (name, file) in &files {
        let file: serde_json::Value = serde_json::from_str(file).expect("JSON");
        for test in file["tests"].as_array().into_iter().flatten() {
            let input = test["input"].as_str().unwrap_or_default();
            let states = test["initialStates"].as_array();
            let is_data = states.is_none_or(|states| states.iter().any(|state| state == "Data state"));
            if !is_data || test["doubleEscaped"] == true {
                continue;
            }
            let tokens = test["output"].as_array().into_iter().flatten();
            let characters =
                tokens.filter(|token| token[0] == "Character").filter_map(|token| token[1].as_str());
            let expected = bare(&characters.collect::<String>());
            let (found, _) = found(input);
            n_cases += 1;
            assert_eq!(found, expected, "{name}: {input:?}");
        }
    }
    assert!(n_cases > 5000, "{n_cases} cases");
}
