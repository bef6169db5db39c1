//! What stages leave with a text: across two libraries in C, and in the bundled stages that share a page.

use std::path::Path;

use serde_json::json;
use tamis_host::Request;
use tamis_plugin::{Document, Fate, Record};
use tamis_stage::Registry;
use tamis_stage::handle::{Effects, OpenStage, TransformHandle};

use crate::support::{c_library, folder, has_cc, loader};

fn stage(folder: &Path, name: &str) -> Box<dyn TransformHandle> {
    let library = c_library(folder, "attach.c", name, &[&format!("NAME={name}")]);
    let mut registry = Registry::new();
    loader().register(&Request::Path(library), None, &mut registry).unwrap();
    transform(&registry, "c-length", &json!({}))
}

fn transform(registry: &Registry, name: &str, options: &serde_json::Value) -> Box<dyn TransformHandle> {
    match registry.get("stage", name).unwrap().open(options).unwrap() {
        OpenStage::Transform(handle) => handle,
        _ => panic!("it is a filter or an extractor"),
    }
}

/// What a stage measures on a record, by name.
fn measured(stage: &dyn TransformHandle, record: &mut Record) -> Vec<(String, f64)> {
    record.measures.clear();
    stage.process(std::slice::from_mut(record), &mut Effects::default());
    record.measures.iter().map(|measure| (measure.name.clone().into_owned(), measure.value)).collect()
}

#[test]
fn bytes_are_for_all_libraries_and_a_value_for_one() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    let (one, two) = (stage(folder.path(), "attach_one"), stage(folder.path(), "attach_two"));
    let measures = |list: &[(&str, f64)]| -> Vec<(String, f64)> {
        list.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
    };
    let mut record = Record::from(Document::new("id", "seven b"));
    assert_eq!(measured(&*one, &mut record), measures(&[("dropped", 0.0)]));
    assert_eq!(measured(&*two, &mut record), measures(&[("bytes", 7.0), ("dropped", 0.0)]));
    let all = measures(&[("bytes", 7.0), ("value", 7.0), ("dropped", 0.0)]);
    assert_eq!((measured(&*one, &mut record), measured(&*two, &mut record)), (all.clone(), all));
    drop(record);
    let mut failed = Record::from(Document::new("id", "fail"));
    // Two values of each library are gone by now, each dropped by its own.
    assert_eq!(measured(&*one, &mut failed), measures(&[("dropped", 2.0)]));
    assert!(failed.attachments.is_empty());
    let mut huge = Record::from(Document::new("id", "huge"));
    assert_eq!(measured(&*two, &mut huge), measures(&[("dropped", 2.0)]));
    assert!(huge.is_kept());
    for (text, breach) in [
        ("name", "it passed an attachment with a name of 0 bytes"),
        ("drop", "it attached a value without a place or a function to drop it"),
    ] {
        let mut record = Record::from(Document::new("id", text));
        measured(&*one, &mut record);
        let Fate::Failed(reason) = &record.fate else { panic!("{record:?}") };
        assert!(reason.contains(breach), "{reason}");
    }
}

#[test]
fn a_page_is_parsed_once_for_its_metadata_and_its_content() {
    let mut registry = Registry::new();
    for stage in tamis_host::bundled(tamis_pages::plugin()).unwrap() {
        registry.add(stage).unwrap();
    }
    let stages = ["html-metadata", "html-extract"].map(|name| transform(&registry, name, &json!({})));
    let page = "<title>A title of a page</title><h1>A title of a page</h1><p>Some words of a paragraph, with commas, \
                and a full stop.<p>Another one that follows it, and is as long as that.<footer>Imprint</footer>";
    let through = |forget: bool| {
        let mut record = Record::from(Document::new("id", page));
        measured(&*stages[0], &mut record);
        assert!(!record.attachments.is_empty(), "the first stage leaves the page");
        if forget {
            record.attachments.clear();
        }
        measured(&*stages[1], &mut record);
        assert!(record.attachments.is_empty(), "a new text is no page");
        record
    };
    let (shared, parsed_twice) = (through(false), through(true));
    assert_eq!(shared, parsed_twice);
    assert!(shared.document.text.contains("Some words of a paragraph"), "{shared:?}");
}
