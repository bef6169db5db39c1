//! The stages of a pipeline that extends another, merged by id.
//!
//! Each `[[stage]]` is taken in the order of the file. One whose id the extended file knows changes options of that
//! stage, a value replacing a value; with `remove = true` it takes the stage out. Any other is a new stage, which stands where `before`
//! or `after` says, or else last. The id of a stage without `id` is its `use`, as everywhere.
//!
//! A table that would do nothing is a mistake: whoever wrote it takes the list for one that replaces the other.

use std::collections::VecDeque;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::node::{Data, Entry, Node, Table};
use crate::suggest::did_you_mean;
use crate::text::Place;

/// Keys of a `[[stage]]` that say what becomes of it in the list of another file.
pub(crate) const MERGE_KEYS: [&str; 3] = ["before", "after", "remove"];

/// The stages `base` of a file that messages call `base_name`, with what `own` says of them.
///
/// Tables with a mistake are left out, or stand last if they are stages.
pub(crate) fn merge(
    base: Vec<Node>,
    own: Vec<Node>,
    base_name: &str,
    diagnostics: &mut Diagnostics,
) -> Vec<Node> {
    let new_id = |node: &Node| {
        node.as_table().filter(|table| table.get("use").is_some()).and_then(id).map(str::to_owned)
    };
    let ahead = own.iter().map(new_id).collect();
    let slots = base.into_iter().map(|node| Slot::new(node, State::Base)).collect();
    let mut list = List { slots, base_name, ahead, removed: Vec::new(), diagnostics };
    for node in own {
        list.take(node);
    }
    list.slots.into_iter().map(|slot| slot.node).collect()
}

/// What a stage is called.
fn id(table: &Table) -> Option<&str> {
    table.get("id").or_else(|| table.get("use"))?.as_str()
}

/// The list on its way from one file to the other.
struct List<'a> {
    slots: Vec<Slot>,
    /// What messages call the file that is extended.
    base_name: &'a str,
    /// The ids of those tables of the file that extends it which are still to come, if they can be new stages.
    ahead: VecDeque<Option<String>>,
    /// The ids of stages that were taken out, and where that is said.
    removed: Vec<(String, Place)>,
    diagnostics: &'a mut Diagnostics,
}

/// A stage in its place.
struct Slot {
    node: Node,
    id: Option<String>,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    /// As the extended file has it.
    Base,
    /// Changed here.
    Changed,
    /// New, with the id of the stage behind which it was put, if it was.
    New { behind: Option<String> },
}

impl Slot {
    fn new(node: Node, state: State) -> Self {
        let id = node.as_table().and_then(id).map(str::to_owned);
        Self { node, id, state }
    }
}

/// A table of the file that extends the other, with what it says of its place taken out of it.
struct Own {
    id: String,
    place: Place,
    table: Table,
    before: Option<Entry>,
    after: Option<Entry>,
    remove: Option<Entry>,
}

impl List<'_> {
    fn take(&mut self, node: Node) {
        self.ahead.pop_front();
        let new = |node| Slot::new(node, State::New { behind: None });
        // What is no table is complained about as a type, and a stage without a name for want of one.
        let Data::Table(mut table) = node.data else { return self.slots.push(new(node)) };
        let Some(id) = id(&table).map(str::to_owned) else { return self.take_nameless(table, node.place) };
        let own = Own {
            id,
            before: take(&mut table, "before"),
            after: take(&mut table, "after"),
            remove: take(&mut table, "remove"),
            place: node.place,
            table,
        };
        let index = self.slots.iter().position(|slot| {
            !matches!(slot.state, State::New { .. }) && slot.id.as_deref() == Some(own.id.as_str())
        });
        let takes_out = own.remove.as_ref().is_some_and(|it| matches!(it.value.data, Data::Bool(true)));
        if let Some(entry) = own.remove.as_ref().filter(|_| !takes_out) {
            let message = "`remove = false` has no effect";
            self.diagnostics.push(Diagnostic::error(&entry.key_place, message).label("remove this"));
        }
        match index {
            _ if takes_out => self.remove(own, index),
            Some(index) => self.change(own, index),
            None => self.add(own),
        }
    }

    /// A table that names no stage: without `use` it can be none, and without `id` it changes none.
    fn take_nameless(&mut self, mut table: Table, place: Place) {
        let keys: Vec<Entry> = MERGE_KEYS.into_iter().filter_map(|key| take(&mut table, key)).collect();
        let is_unnamed = table.get("id").is_none() && table.get("use").is_none();
        match keys.iter().find(|entry| entry.key == "remove") {
            Some(_) if is_unnamed => {
                let message = "the stage to take out is not named";
                self.diagnostics.push(Diagnostic::error(&place, message).label("add its `id`"));
            }
            _ => {
                let node = Node { data: Data::Table(table), place };
                self.slots.push(Slot::new(node, State::New { behind: None }));
            }
        }
    }

    /// Takes a stage out.
    fn remove(&mut self, own: Own, index: Option<usize>) {
        let Some(index) = index else {
            let message = format!("`{}` has no stage `{}` to take out", self.base_name, own.id);
            let label = self.likely(&own.id, self.ids_of_base(&own.id));
            self.unknown(own.named_at(), &own.id, message, label);
            return;
        };
        if !self.uses_the_same(&own, index) {
            return;
        }
        let idle = own.before.iter().chain(&own.after).chain(own.options());
        let complaints = idle.map(|entry| {
            let message = format!("`{}` has no effect: the stage `{}` is taken out", entry.key, own.id);
            Diagnostic::error(&entry.key_place, message).label("remove this, or `remove = true`")
        });
        self.diagnostics.extend(complaints);
        self.slots.remove(index);
        self.removed.push((own.id, own.place));
    }

    /// Changes options of a stage.
    fn change(&mut self, own: Own, index: usize) {
        if !self.uses_the_same(&own, index) {
            return;
        }
        // One complaint about a table is enough.
        let mut is_idle = own.options().next().is_none() && own.remove.is_none();
        for entry in own.before.iter().chain(&own.after) {
            is_idle = false;
            let message = format!("`{}` has a stage `{}`, which stays where it is", self.base_name, own.id);
            let label = format!("`{}` is for new stages: remove it, or choose another `id`", entry.key);
            self.diagnostics.push(Diagnostic::error(&entry.key_place, message).label(label));
        }
        let Some(slot) = self.slots.get_mut(index) else { return };
        if slot.state == State::Changed {
            let message = format!("stage `{}` is changed twice", own.id);
            let label = "write all options in one table";
            self.diagnostics.push(Diagnostic::error(&own.place, message).label(label));
        } else if is_idle {
            let message = format!("this changes nothing: `{}` has the stage `{}`", self.base_name, own.id);
            let label = "give the options to change, or remove this table";
            self.diagnostics.push(Diagnostic::error(&own.place, message).label(label));
        }
        slot.state = State::Changed;
        let Data::Table(there) = &mut slot.node.data else { return };
        for entry in own.table.entries.into_iter().filter(|entry| !names_it(entry)) {
            there.set(entry);
        }
    }

    /// Puts a new stage where it says.
    fn add(&mut self, own: Own) {
        if own.table.get("use").is_none() {
            let message = format!("`{}` has no stage `{}` to change", self.base_name, own.id);
            let likely = self.likely(&own.id, self.ids_of_base(&own.id));
            let label = match likely.as_str() {
                "" => "a new stage needs `use`".to_owned(),
                question if question.ends_with('?') => likely,
                _ => format!("{likely}; a new stage needs `use`"),
            };
            self.unknown(own.named_at(), &own.id, message, label);
            return;
        }
        self.warn_of_another(&own);
        if let (Some(first), Some(second)) = (&own.before, &own.after) {
            let message = "a stage stands `before` or `after` another one, not both";
            self.diagnostics.push(
                Diagnostic::error(&second.key_place, message)
                    .label("remove one of the two")
                    .related(&first.key_place, "the other is here"),
            );
        }
        let anchor = own.before.as_ref().or(own.after.as_ref());
        let at = anchor.and_then(|anchor| self.place_of(anchor, &own.id));
        let behind = own.before.is_none().then_some(own.after.as_ref()).flatten();
        let behind = behind.and_then(|entry| entry.value.as_str()).map(str::to_owned);
        let node = Node { data: Data::Table(own.table), place: own.place };
        let at = at.unwrap_or(self.slots.len());
        self.slots.insert(at, Slot::new(node, State::New { behind }));
    }

    /// Warns of a new stage that says nothing of itself, where one of the other file uses the same under an id: that
    /// one was probably meant.
    fn warn_of_another(&mut self, own: &Own) {
        if own.table.get("id").is_some() || own.before.is_some() || own.after.is_some() {
            return;
        }
        if let Some((known, place)) = self.using(&own.id) {
            let message = format!("this adds another `{}`, as the last stage", own.id);
            let label =
                format!("write `id = \"{known}\"` to change that one, or give this one an `id` of its own");
            let warning = Diagnostic::warning(own.named_at(), message).label(label);
            self.diagnostics.push(warning.related(&place, format!("this is `{known}`")));
        }
    }

    /// The id of a stage of the other file that uses what was taken for an id, and where it says so.
    fn using(&self, name: &str) -> Option<(String, Place)> {
        self.slots.iter().filter(|slot| !matches!(slot.state, State::New { .. })).find_map(|slot| {
            let used = slot.node.as_table()?.get("use").filter(|used| used.as_str() == Some(name))?;
            Some((slot.id.clone()?, used.place.clone()))
        })
    }

    /// The index that `before` or `after` means for a stage of the id `id`.
    fn place_of(&mut self, entry: &Entry, id: &str) -> Option<usize> {
        let wanted = entry.value.as_str()?;
        let Some(index) = self.slots.iter().position(|slot| slot.id.as_deref() == Some(wanted)) else {
            let message = format!("no stage `{wanted}` for `{id}` to stand {}", entry.key);
            let label = if wanted == id {
                "this is the stage itself".to_owned()
            } else if self.ahead.iter().flatten().any(|id| id == wanted) {
                "it stands further down: write its table first".to_owned()
            } else {
                let ids: Vec<&str> = self.slots.iter().filter_map(|slot| slot.id.as_deref()).collect();
                self.likely(wanted, did_you_mean(wanted, ids, "stages"))
            };
            self.unknown(&entry.value.place, wanted, message, label);
            return None;
        };
        if entry.key == "before" {
            return Some(index);
        }
        // Several that stand after the same one keep the order of the file.
        let mut group = vec![wanted];
        let following = self.slots.iter().skip(index + 1).take_while(|slot| match &slot.state {
            State::New { behind: Some(behind) } if group.contains(&behind.as_str()) => {
                group.extend(slot.id.as_deref());
                true
            }
            _ => false,
        });
        Some(index + 1 + following.count())
    }

    /// Whether a table names the stage that it is about by the `use` that it has.
    fn uses_the_same(&mut self, own: &Own, index: usize) -> bool {
        let of = |table: &Table| {
            table.get("use").and_then(|node| Some((node.as_str()?.to_owned(), node.place.clone())))
        };
        let there = self.slots.get(index).and_then(|slot| of(slot.node.as_table()?));
        let (Some((here, place)), Some((there, there_place))) = (of(&own.table), there) else { return true };
        if here == there {
            return true;
        }
        let message = format!("stage `{}` of `{}` uses `{there}`, not `{here}`", own.id, self.base_name);
        let label = "choose another `id` for a new stage; take the other one out with `remove = true`";
        self.diagnostics.push(
            Diagnostic::error(&place, message)
                .label(label)
                .related(&there_place, "this is the stage of that id"),
        );
        false
    }

    /// Complains about an id that no stage has, or none any more.
    fn unknown(&mut self, place: &Place, id: &str, message: String, label: String) {
        let removed = self.removed.iter().find(|(removed, _)| removed == id);
        self.diagnostics.push(match removed {
            Some((_, removed)) => {
                Diagnostic::error(place, format!("the stage `{id}` is taken out before this"))
                    .related(removed, "here")
            }
            None => Diagnostic::error(place, message).label(label),
        });
    }

    /// Which stage of the extended file is probably meant, or all there are.
    fn ids_of_base(&self, id: &str) -> String {
        let base = self.slots.iter().filter(|slot| !matches!(slot.state, State::New { .. }));
        let ids: Vec<&str> = base.filter_map(|slot| slot.id.as_deref()).collect();
        did_you_mean(id, ids, "stages there")
    }

    /// `otherwise`, unless a stage of another id uses what was taken for an id.
    fn likely(&self, id: &str, otherwise: String) -> String {
        match self.using(id) {
            Some((known, _)) => format!("the stage that uses it has the id `{known}`"),
            None => otherwise,
        }
    }
}

impl Own {
    /// Where it says which stage it is about.
    fn named_at(&self) -> &Place {
        let node = self.table.get("id").or_else(|| self.table.get("use"));
        node.map_or(&self.place, |node| &node.place)
    }

    fn options(&self) -> impl Iterator<Item = &Entry> {
        self.table.entries.iter().filter(|entry| !names_it(entry))
    }
}

/// Whether an entry says which stage the table is about.
fn names_it(entry: &Entry) -> bool {
    matches!(entry.key.as_str(), "id" | "use")
}

/// Takes a key out of a table; one of a wrong type stays, to be complained about with the other types.
fn take(table: &mut Table, key: &str) -> Option<Entry> {
    let index = table.entries.iter().position(|entry| entry.key == key && has_effect(entry))?;
    Some(table.entries.remove(index))
}

/// Whether a key of [`MERGE_KEYS`] holds what it must hold.
pub(crate) fn has_effect(entry: &Entry) -> bool {
    match entry.key.as_str() {
        "remove" => matches!(entry.value.data, Data::Bool(_)),
        _ => entry.value.as_str().is_some(),
    }
}
