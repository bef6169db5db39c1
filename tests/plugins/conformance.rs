//! Every bundled stage, and that of the template, keeps the contract that `tamis plugin check` holds others to.

use tamis_conformance::library::{Outcome, check};
use tamis_plugin::PluginTable;

#[track_caller]
fn keeps_the_contract(plugin: &'static PluginTable) {
    let mut failed = Vec::new();
    for stage in tamis_host::bundled(plugin).unwrap() {
        let results = check(stage.as_ref());
        assert!(results.len() > 3, "{}: only {} checks", stage.info().name, results.len());
        for result in results {
            if let Outcome::Fail(why) = result.outcome {
                failed.push(format!("{} {}: {why}", stage.info().name, result.name));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn the_readers_keep_it() {
    keeps_the_contract(tamis_readers::plugin());
}

#[test]
fn the_filters_keep_it() {
    keeps_the_contract(tamis_filters::plugin());
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
fn the_template_keeps_it() {
    keeps_the_contract(tamis_template::plugin());
}
