//! Documents that break careless code.

use tamis_document::{Document, Record};

const HUGE: usize = 10 << 20;

/// The documents, with ids that say what is special about them.
pub(crate) fn documents() -> Vec<Document> {
    let texts = [
        ("empty", String::new()),
        ("one byte", "a".to_owned()),
        ("blank", " \n\t\u{a0}\u{3000}\n".to_owned()),
        ("line ends", "a\r\nb\rc\u{85}d\u{2028}e\n\n\nf".to_owned()),
        ("english", "The town library opened on Monday. Readers came early, and stayed late.\n".repeat(20)),
        ("chinese", "图书馆星期一开放。读者来得很早，“走得很晚”。\n".repeat(20)),
        ("one long chinese line", "一、总体要求坚持便民。二、主要任务做好服务。".repeat(500)),
        ("mixed scripts", "日本語とEnglish и русский עברית العربية हिन्दी ไทย 한국어".repeat(10)),
        (
            "combining",
            "e\u{301}\u{302}\u{303} n\u{303} \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}".repeat(10),
        ),
        ("nul and controls", "a\0b\u{1}c\u{7f}d\u{feff}e\u{200b}f\u{ad}g".to_owned()),
        ("quotes", "“‘’”‚‛„«»\"'".repeat(50)),
        ("private use and last", "\u{e000}\u{10ffff}\u{fffd}".repeat(10)),
        ("many short lines", "x\n".repeat(5_000)),
        ("ten megabytes", "字".repeat(HUGE / 3)),
    ];
    texts.into_iter().map(|(id, text)| Document::new(id, text)).collect()
}

/// The documents as records, as a reader hands them on.
pub(crate) fn records() -> Vec<Record> {
    documents().into_iter().map(Record::from).collect()
}

/// The first record that differs between two runs, in words.
pub(crate) fn difference(first: &[Record], second: &[Record]) -> Option<String> {
    first.iter().zip(second).find_map(|(a, b)| {
        let what = if a.fate != b.fate {
            "fate"
        } else if a.document.text != b.document.text {
            "text"
        } else if a.document.metadata != b.document.metadata {
            "metadata"
        } else if a.measures != b.measures {
            "measures"
        } else {
            return None;
        };
        Some(format!("document `{}` has another {what}", a.document.id))
    })
}
