//! Settings that do nothing: options that lack what they need to have an effect (`x-needs`).

use serde_json::{Map, Value};
use tamis_stage::{Need, Needs};

use super::{At, Checker};
use crate::diagnostic::Diagnostic;
use crate::node::{Entry, Node, Table};
use crate::text::{Place, TextKind};

/// A setting without effect.
pub(crate) struct Idle {
    /// Where it is written.
    pub(crate) place: Place,
    pub(crate) complaint: Diagnostic,
}

impl<'a> Checker<'a> {
    /// Looks for entries of a table that do nothing; `wrong` are keys about which something else is said, or that
    /// were probably meant by a mistyped one: nobody knows yet how they will be.
    pub(super) fn idle(
        &mut self,
        table: &Table,
        properties: &'a Map<String, Value>,
        wrong: &[&str],
        at: &At,
        top: bool,
    ) {
        let beside = self.whole.filter(|_| top);
        let node = |name: &str| table.get(name).or_else(|| beside?.0.get(name));
        let default = |name: &str| {
            let beside = || beside?.1.get("properties")?.get(name);
            let schema = properties.get(name).or_else(beside);
            schema.and_then(|schema| schema.get("default")).cloned().unwrap_or_default()
        };
        let value = |name: &str| node(name).map_or_else(|| default(name), Node::to_json);
        for entry in &table.entries {
            // What is in the environment may serve several pipelines, and is not written in any of them.
            if entry.key_place.text.kind == TextKind::Environment {
                continue;
            }
            // A mark that says nothing is told of by `tamis plugin check`.
            let Some(Ok(Some(needs))) = properties.get(&entry.key).map(Needs::of) else { continue };
            if needs.is_met(value) || needs.iter().any(|need| wrong.contains(&need.option.as_str())) {
                continue;
            }
            let unmet: Vec<&Need> =
                needs.iter().filter(|need| !need.state.is_met(&value(&need.option))).collect();
            let culprits: Vec<&Node> = unmet.iter().filter_map(|need| node(&need.option)).collect();
            // Whoever tries another value on the command line has not written the file for it.
            if culprits.iter().any(|culprit| is_tried_out(&culprit.place, &entry.key_place)) {
                continue;
            }
            let owner = if top { self.owner.clone() } else { at.subject.clone() };
            let complaint = complaint(entry, &owner, &needs, &culprits);
            self.idle.push(Idle { place: entry.key_place.clone(), complaint });
        }
    }
}

fn complaint(entry: &Entry, owner: &str, needs: &Needs, culprits: &[&Node]) -> Diagnostic {
    let message = format!("`{}` of {owner} has no effect", entry.key);
    let way_out = if culprits.is_empty() { "set" } else { "change" };
    let label = format!("works only {needs}: {way_out} that, or remove this");
    let complaint = Diagnostic::error(&entry.key_place, message).label(label);
    culprits.iter().fold(complaint, |complaint, culprit| complaint.related(&culprit.place, "because of this"))
}

/// Whether `culprit` overrides what is written where `setting` is.
fn is_tried_out(culprit: &Place, setting: &Place) -> bool {
    culprit.text.kind != TextKind::File && setting.text.kind == TextKind::File
}
