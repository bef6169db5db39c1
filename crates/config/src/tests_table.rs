//! The `[[test]]` tables of a pipeline.

use tamis_document::{Document, Metadata};

use crate::check::Checker;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::envelope::ENVELOPE;
use crate::node::{Node, Table};
use crate::plan::{Expected, ExpectedDrop, PipelineTest};

/// The tests, and complaints about those that are wrong.
pub(crate) fn tests(root: &Table, diagnostics: &mut Diagnostics) -> Vec<PipelineTest> {
    let tables = root.get("test").and_then(Node::as_array).unwrap_or_default();
    let mut tests: Vec<PipelineTest> = Vec::new();
    let mut names = std::collections::BTreeMap::new();
    for node in tables {
        let Some(table) = node.as_table() else { continue };
        let mut checker = Checker::for_keys(&ENVELOPE.test, "`[[test]]`", &node.place);
        checker.table(table);
        let (found, _) = checker.finish();
        let is_sound = found.is_empty();
        diagnostics.append(found);
        if let Some(name) = table.get("name")
            && let Some(text) = name.as_str()
            && let Some(first) = names.insert(text.to_owned(), &name.place)
        {
            diagnostics.push(
                Diagnostic::error(&name.place, format!("two tests are called `{text}`"))
                    .label("choose another name")
                    .related(first, "the first is here"),
            );
        }
        if is_sound {
            tests.push(test(node, table));
        }
    }
    tests
}

fn test(node: &Node, table: &Table) -> PipelineTest {
    let items = |key: &str| {
        let items = table.get(key).and_then(Node::as_array).unwrap_or_default();
        items.iter().filter_map(Node::as_table)
    };
    PipelineTest {
        name: string(table, "name").unwrap_or_default(),
        input: items("input").map(document).collect(),
        expect: items("expect").map(expected).collect(),
        dropped: items("dropped").map(dropped).collect(),
        position: node.place.position(),
    }
}

fn document(table: &Table) -> Document {
    Document {
        metadata: metadata(table, "metadata").unwrap_or_default(),
        ..Document::new(string(table, "id").unwrap_or_default(), string(table, "text").unwrap_or_default())
    }
}

fn expected(table: &Table) -> Expected {
    Expected {
        id: string(table, "id").unwrap_or_default(),
        text: string(table, "text"),
        metadata: metadata(table, "metadata").unwrap_or_default(),
        all_metadata: metadata(table, "all_metadata"),
    }
}

fn dropped(table: &Table) -> ExpectedDrop {
    let string = |key| string(table, key).unwrap_or_default();
    ExpectedDrop { id: string("id"), stage: string("stage"), reason: string("reason") }
}

fn string(table: &Table, key: &str) -> Option<String> {
    table.get(key).and_then(Node::as_str).map(str::to_owned)
}

fn metadata(table: &Table, key: &str) -> Option<Metadata> {
    let fields = table.get(key)?.as_table()?;
    Some(fields.entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect())
}
