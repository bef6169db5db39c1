//! Where exports go, and what of.

use std::path::PathBuf;

use serde_json::json;
use tamis_config::{Compression, From, Overrides, PartitionPiece};

use crate::{SMALL, plan, planned, project};

#[test]
fn placeholders_part_an_export() {
    let path = "out/v1/lang={language}/{published:%Y-%m}/{{x}}";
    for path in [path.to_owned(), format!("{path}/")] {
        let (folder, plan) = plan(&SMALL.replace("\"out\"", &format!("\"{path}\"")));
        let export = &plan.exports[0];
        assert_eq!(export.path, folder.path().join("out/v1"));
        let partition = export.partition.as_ref().unwrap();
        let field = |name: &str, format: Option<&str>| PartitionPiece::Field {
            name: name.to_owned(),
            format: format.map(str::to_owned),
        };
        let text = |text: &str| PartitionPiece::Text(text.to_owned());
        assert_eq!(
            partition.pieces,
            [
                text("lang="),
                field("language", None),
                text("/"),
                field("published", Some("%Y-%m")),
                text("/{x}")
            ]
        );
        assert_eq!(partition.to_string(), "lang={language}/{published:%Y-%m}/{{x}}");
        // Dead letters are all together.
        assert_eq!(plan.exports[1].path, folder.path().join("out/v1/__failed"));
        assert_eq!(plan.exports[1].partition, None);
    }
}

#[test]
fn another_output_keeps_the_placeholders() {
    let folder = project();
    let content = format!(
        "{}\n[[export]]\nid = \"x\"\nuse = \"files\"\npath = \"out/by-site/{{site}}\"\nfrom = \"dropped\"\n",
        SMALL.replace("\"out\"", "\"out/{language}\"")
    );
    let new = folder.path().join("new {curly}");
    let overrides = Overrides { output: Some(new.clone()), ..Overrides::default() };
    let plan = planned(folder.path(), &content, &overrides);
    let shown: Vec<(PathBuf, Option<String>)> = plan
        .exports
        .iter()
        .map(|export| (export.path.clone(), export.partition.as_ref().map(ToString::to_string)))
        .collect();
    let expected = [
        (new.clone(), Some("{language}".to_owned())),
        (new.join("by-site"), Some("{site}".to_owned())),
        (new.join("__failed"), None),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn a_plan_that_streams_has_one_export_that_can() {
    let folder = project();
    let more =
        "\n[[export]]\nid = \"more\"\nuse = \"jsonl\"\npath = \"more/{language}\"\ncompression = \"zstd\"\n";
    for (content, id) in [
        (SMALL.to_owned(), "jsonl"),
        (SMALL.replace("\"jsonl\"", "\"files\""), "output"),
        (SMALL.replace("\"jsonl\"", "\"files\"") + more, "more"),
    ] {
        let overrides = Overrides { streams: true, ..Overrides::default() };
        let plan = planned(folder.path(), &content, &overrides);
        let [export] = &plan.exports[..] else { panic!("{:?}", plan.exports) };
        assert_eq!((export.id.as_str(), export.info.name.as_str(), export.from), (id, "jsonl", From::Kept));
        assert_eq!((export.compression, &export.partition), (Compression::None, &None));
    }
}

#[test]
fn exports_move_with_the_first_one() {
    let export = |id: &str, path: &str| {
        format!("\n[[export]]\nid = \"{id}\"\nuse = \"files\"\npath = \"{path}\"\nfrom = \"dropped\"\n")
    };
    let content = format!(
        "{SMALL}{}{}{}",
        export("below", "out/beside"),
        export("beside", "elsewhere"),
        export("above", ".")
    );
    let folder = project();
    let overrides = Overrides { output: Some(folder.path().join("new")), ..Overrides::default() };
    let plan = planned(folder.path(), &content, &overrides);
    let paths: Vec<&PathBuf> = plan.exports.iter().map(|export| &export.path).collect();
    let expected = ["new", "new/beside", "new/beside-2", "new/above", "new/__failed"]
        .map(|path| folder.path().join(path));
    assert_eq!(paths, expected.iter().collect::<Vec<_>>());
}

#[test]
fn an_output_below_an_input_is_no_mistake() {
    for path in ["dump/out", "dump2"] {
        let (folder, plan) = plan(&SMALL.replace("\"out\"", &format!("\"{path}\"")));
        assert_eq!(plan.exports[0].path, folder.path().join(path));
    }
    // A file is named, and not found in a walk.
    plan(&SMALL.replace("dump/**/*.txt", "dump/a.txt").replace("\"out\"", "\"dump\""));
}

#[test]
fn gzip_has_a_level_of_its_own() {
    for (keys, level) in [("", 6), ("compression_level = 1", 1), ("compression_level = 9", 9)] {
        let (_folder, plan) = plan(&format!("{SMALL}compression = \"gzip\"\n{keys}\n"));
        assert_eq!(plan.exports[0].compression, Compression::Gzip { level });
        assert_eq!(plan.canonical["exports"][0]["compression"], json!({ "gzip": level }));
        // What takes the dead letters is compressed alike.
        assert_eq!(plan.exports[1].compression, Compression::Gzip { level });
    }
}

#[test]
fn dead_letters_go_where_their_bytes_have_a_place() {
    let (_folder, plan) = plan(&SMALL.replace("use = \"jsonl\"", "use = \"files\""));
    let exporters: Vec<(&str, bool)> =
        plan.exports.iter().map(|export| (export.info.name.as_str(), export.implicit)).collect();
    assert_eq!(exporters, [("files", false), ("jsonl", true)]);
}

#[test]
fn an_explicit_export_of_failed_records_is_enough() {
    let content =
        format!("{SMALL}\n[[export]]\nid = \"bad\"\nuse = \"files\"\npath = \"bad\"\nfrom = \"failed\"\n");
    let (_folder, plan) = plan(&content);
    assert_eq!(plan.exports.len(), 2);
    assert!(plan.exports.iter().all(|export| !export.implicit));
}
