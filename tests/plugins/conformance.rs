//! Every bundled stage, and that of the template, keeps the contract that `tamis plugin check` holds others to;
//! and what does not keep it is found.

mod mistakes;

use tamis_conformance::library::{Outcome, check};
use tamis_plugin::PluginTable;
use tamis_stage::StageFactory;

/// The checks that a stage fails, each with what was said.
fn failures(stage: &dyn StageFactory) -> Vec<(&'static str, String)> {
    let results = check(stage);
    assert!(results.len() > 3, "{}: only {} checks", stage.info().name, results.len());
    let failed = results.into_iter().filter_map(|result| match result.outcome {
        Outcome::Fail(why) => Some((result.name, why)),
        Outcome::Pass | Outcome::Skip(_) => None,
    });
    failed.collect()
}

#[track_caller]
fn keeps_the_contract(plugin: &'static PluginTable) {
    for stage in tamis_host::bundled(plugin).unwrap() {
        assert_eq!(failures(stage.as_ref()), [], "{}", stage.info().name);
    }
}

#[test]
fn the_readers_keep_it() {
    keeps_the_contract(tamis_readers::plugin());
}

#[test]
fn the_filters_keep_it() {
    keeps_the_contract(tamis_filters::plugin());
    keeps_the_contract(tamis_judges::plugin());
}

#[test]
fn the_extractors_keep_it() {
    keeps_the_contract(tamis_extractors::plugin());
}

#[test]
fn the_exporters_keep_it() {
    keeps_the_contract(tamis_exporters::plugin());
}

#[test]
fn the_corpus_stages_keep_it() {
    keeps_the_contract(tamis_corpus::plugin());
}

#[test]
fn the_columnar_stages_keep_it() {
    keeps_the_contract(tamis_columnar::plugin());
}

#[test]
fn the_stages_for_pages_keep_it() {
    keeps_the_contract(tamis_pages::plugin());
}

#[test]
fn the_exporter_of_databases_keeps_it() {
    keeps_the_contract(tamis_sqlite::plugin());
}

#[test]
fn the_stages_with_tokens_keep_it() {
    keeps_the_contract(tamis_tokens::plugin());
}

#[test]
fn the_template_keeps_it() {
    keeps_the_contract(tamis_template::plugin());
}

/// Stages of `mistakes.rs`, and what must be said of each: the check that fails, and a part of the reason.
const MISTAKES: &[(&str, &str, &str)] = &[
    ("loose-options", "refuses an option that it does not have", "deny_unknown_fields"),
    ("panics-at-open", "takes or refuses any value of an option", "the stage panicked: index out of bounds"),
    ("panics-on-nul", "takes any text", "document `nul and controls` failed: the stage panicked: NUL"),
    ("trips-on-title", "takes any metadata", "the stage panicked: a title is a string"),
    ("undeclared", "writes only the fields that it declares", "it wrote `extra`"),
    ("not-a-number", "returns what is valid", "measure `share` of document `empty` is NaN"),
    ("not-a-number", "measures only what it declares", "it measured `share` and does not declare it"),
    ("no-such-limit", "measures only what it declares", "is `min_lines`, which is no option of it"),
    ("keeps-what-it-knows", "needs nothing that was left with a text", "with what it has attached itself"),
    ("remembers", "gives the same result twice", "has another fate"),
    ("remembers", "does not let neighbours in a batch matter", "has another fate"),
    ("misplaces", "says where each record stands", "outside of its block"),
    ("counts", "encodes the same twice", "other bytes came out"),
    ("merges-in-order", "merges what several workers have seen", "the saved state of pass 0 has other bytes"),
    ("remembers-parts", "reads a file the same twice", "other records came out"),
    ("remembers-parts", "reads the parts of a file the same in any order", "other records came out"),
    ("remembers-ends", "writes the same part twice", "other bytes came out"),
    ("takes-any-state", "goes on from saved states", "the saved state of pass 0 has other bytes"),
    (
        "quiet-options",
        "says which options decide what it observes",
        "`observes` of its rounds does not name those",
    ),
    ("takes-any-state", "refuses a state that is none", "it took 8 bytes of nonsense for a saved state"),
];

#[test]
fn mistakes_are_found() {
    let stages = tamis_host::bundled(mistakes::plugin()).unwrap();
    for stage in &stages {
        let failed = failures(stage.as_ref());
        let name = &stage.info().name;
        let mut expected = MISTAKES.iter().filter(|(stage, ..)| stage == name).peekable();
        assert_eq!(expected.peek().is_none(), failed.is_empty(), "{name}: {failed:?}");
        for (_, check, reason) in expected {
            let found = failed.iter().any(|(name, why)| name == check && why.contains(reason));
            assert!(found, "`{check}`, `{reason}` is not among what was said of `{name}`: {failed:?}");
        }
    }
}
