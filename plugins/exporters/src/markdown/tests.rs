//! Tests of the `markdown` exporter.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tamis_plugin::{Document, ExportView, Exporter, Fate, Json, Limit, Measure, Output, Record};

use super::{Markdown, MarkdownOptions, Paragraphs};
use crate::file_name;

/// The path and the content of the file for a record.
fn file(paragraphs: Paragraphs, record: &Record) -> (String, String) {
    let mut out = Output::default();
    let markdown =
        Markdown::open(MarkdownOptions { paragraphs, ..MarkdownOptions::default() }).expect("options agree");
    markdown.encode(&ExportView::from(record), &mut out).expect("any record can be written");
    assert!(out.bytes.is_empty());
    let (path, content) = out.files.pop().expect("one file");
    assert!(out.files.is_empty());
    (path, String::from_utf8(content).expect("Markdown is UTF-8"))
}

#[test]
fn writes_front_matter_and_paragraphs() {
    let mut document = Document::new("news/a.html", "第一段。\r\n\n\n    第二段。 \n第三段。");
    for (name, value) in [("title", "一、总体要求"), ("published", "2024-05-06"), ("url", "https://a.b/c")]
    {
        document.metadata.insert(name, value);
    }
    document.metadata.insert("tags", Json::parse("[\"a\",\n\t{\"b\":null}]").expect("valid JSON"));
    document.metadata.insert("n", 3);
    document.metadata.insert("ratio", 0.5);
    document.metadata.insert("big", 1e300);
    document.metadata.insert("id", "inner");
    document.metadata.insert("reason", 1);
    let (path, content) = file(Paragraphs::Lines, &Record::from(document));
    assert_eq!(path, "news/a.html.md");
    let expected = "---\nid: news/a.html\nbig: 1.0e+300\n\"n\": 3\npublished: \"2024-05-06\"\nratio: 0.5\n\
                    tags: [\"a\",  {\"b\":null}]\ntitle: 一、总体要求\nurl: \"https://a.b/c\"\n\
                    metadata: {\"id\":\"inner\",\"reason\":1}\n---\n\n第一段。\n\n第二段。\n\n第三段。\n";
    assert_eq!(content, expected);
}

#[test]
fn files_are_named_and_front_matter_is_chosen_by_fields() {
    let fields = Some(["title", "none", "url"].map(str::to_owned).to_vec());
    let options = MarkdownOptions { name: Some("{title}".into()), fields, ..MarkdownOptions::default() };
    let markdown = Markdown::open(options).expect("options agree");
    let mut document = Document::new("a.html#3", "x");
    for (name, value) in [("title", "What? Now"), ("published", "2024-05-06"), ("url", "u")] {
        document.metadata.insert(name, value);
    }
    let mut untitled = document.clone();
    untitled.metadata.remove("title");
    for (document, path, front) in [
        (document, "What- Now.md", "id: \"a.html#3\"\ntitle: \"What? Now\"\nurl: u"),
        (untitled, "a.html-3.md", "id: \"a.html#3\"\nurl: u"),
    ] {
        let mut out = Output::default();
        markdown.encode(&ExportView::from(&Record::from(document)), &mut out).expect("it can be written");
        assert_eq!(out.files, [(path.to_owned(), format!("---\n{front}\n---\n\nx\n").into_bytes())]);
    }
}

#[test]
fn text_can_be_written_as_it_is() {
    let text = "# a\n\n    code\n| x |\n";
    let (_, content) = file(Paragraphs::AsIs, &Record::from(Document::new("a", text)));
    assert_eq!(content, format!("---\nid: a\n---\n\n{text}"));
    let (_, content) = file(Paragraphs::AsIs, &Record::from(Document::new("a", "")));
    assert_eq!(content, "---\nid: a\n---\n");
}

#[test]
fn dropped_documents_say_why() {
    let mut record = Record::from(Document::new("a", "t"));
    record.fate = Fate::Dropped("too-short".into());
    record.stage = Some("length".into());
    record.measures.push(Measure { name: "chars".into(), value: 1.0, limit: Limit::Min(2.0) });
    let (_, content) = file(Paragraphs::Lines, &record);
    let expected = "---\nid: a\nstage: length\nreason: too-short\n\
                    measures: [{\"name\":\"chars\",\"value\":1,\"min\":2}]\n---\n\nt\n";
    assert_eq!(content, expected);
}

#[test]
fn strings_are_in_quotes_where_yaml_would_take_them_for_something_else() {
    let cases = [
        ("plain text", "plain text"),
        ("“引号”：全角", "\"“引号”：全角\""),
        ("绍兴（日报）：第一版", "绍兴（日报）：第一版"),
        ("", "\"\""),
        ("No", "\"No\""),
        ("null", "\"null\""),
        ("12", "\"12\""),
        ("-", "\"-\""),
        ("a: b", "\"a: b\""),
        ("a #b", "\"a #b\""),
        ("a ", "\"a \""),
        ("'a'", "\"'a'\""),
        ("a\"b\\c\n", "\"a\\\"b\\\\c\\n\""),
        ("a\u{85}\u{2028}\u{feff}\u{7f}\0", "\"a\\u0085\\u2028\\ufeff\\u007f\\u0000\""),
        ("a\u{3000}b", "\"a\u{3000}b\""),
    ];
    for (text, expected) in cases {
        let mut document = Document::new("a", "");
        document.metadata.insert("x", text);
        let (_, content) = file(Paragraphs::Lines, &Record::from(document));
        assert_eq!(content, format!("---\nid: a\nx: {expected}\n---\n"));
    }
}

#[test]
fn surrogate_pairs_in_nested_values_become_characters() {
    let mut document = Document::new("a", "");
    document
        .metadata
        .insert("x", Json::parse(r#"["\ud83d\ude00\n\\ud83d 1e5",-1e5,2.5E-7]"#).expect("valid JSON"));
    document.metadata.insert("k".repeat(1001), 1);
    let (_, content) = file(Paragraphs::Lines, &Record::from(document));
    assert_eq!(
        content,
        format!("---\nid: a\n? {}\n: 1\nx: [\"😀\\n\\\\ud83d 1e5\",-1.0e+5,2.5e-7]\n---\n", "k".repeat(1001))
    );
}

#[test]
fn file_names_are_the_ids_where_they_can_be() {
    let cases = [
        ("a", "a.md"),
        ("dump/2024/文章.txt#0", "dump/2024/文章.txt-0.md"),
        ("..", "__-"),
        ("../a", "__/a-"),
        ("/etc/passwd", "etc/passwd-"),
        ("a//b", "a/b-"),
        ("https://a.b/c?d=1", "https_/a.b/c_d=1-"),
        ("C:\\a", "C__a-"),
        ("con", "_con-"),
        ("COM1.txt/Lpt².a", "_COM1.txt/_Lpt².a-"),
        ("console", "console.md"),
        (".hidden ", "_hidden_-"),
        ("a.", "a_-"),
        ("a.md/b", "a.md_/b-"),
        ("a.md", "a.md.md"),
        ("", "-"),
        ("a\nb\u{85}", "a_b_-"),
    ];
    for (id, expected) in cases {
        let name = file_name::of(id, "md");
        if let Some(start) = expected.strip_suffix('-') {
            let hash = name.strip_prefix(start).and_then(|rest| rest.strip_suffix(".md"));
            let digits = hash.and_then(|hash| hash.strip_prefix('-')).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(digits.len(), 16, "{name}");
        } else {
            assert_eq!(name, expected);
        }
    }
}

#[test]
fn long_ids_are_cut_at_a_character() {
    for id in ["字".repeat(39), "字".repeat(40), "a/".repeat(80), "b".repeat(5000)] {
        let name = file_name::of(&id, "md");
        assert!(name.len() <= 120, "{name}");
        assert_eq!(name == format!("{id}.md"), id.len() <= 117, "{name}");
    }
}

proptest! {
    #[test]
    fn any_id_gives_a_safe_name_of_its_own(ids in prop::collection::vec("[ab./\\\\:# 字\u{1}-]{0,8}|.{0,60}", 1..40)) {
        let mut taken: BTreeMap<String, &String> = BTreeMap::new();
        for id in &ids {
            let name = file_name::of(id, "md");
            prop_assert!(name.len() <= 120 && name.strip_suffix(".md").is_some());
            for part in name.split('/') {
                prop_assert!(!part.is_empty() && !part.starts_with('.') && !part.ends_with(['.', ' ']), "{}", name);
                prop_assert!(!part.contains(['<', '>', ':', '"', '\\', '|', '?', '*', '\0']), "{}", name);
            }
            let owner = taken.entry(name).or_insert(id);
            prop_assert_eq!(owner.replace('#', "-"), id.replace('#', "-"));
        }
    }

    #[test]
    fn front_matter_has_one_line_a_field(name in ".{1,20}", value in any::<String>(), id in any::<String>()) {
        let mut document = Document::new(id, "");
        document.metadata.insert(name, value);
        let (_, content) = file(Paragraphs::Lines, &Record::from(document));
        let breaks = ['\r', '\u{85}', '\u{2028}', '\u{2029}', '\0', '\u{7f}', '\u{feff}'];
        prop_assert!(!content.contains(breaks));
        prop_assert_eq!(content.lines().count(), 4);
    }
}
