//! Whether stages stand in an order in which each can work: what form a text has by then, and what is left of it.
//!
//! Known from what open stages say ([`Forms`]), so loaded ones are judged as bundled ones are. All of it are
//! warnings: a pipeline may mean what looks wrong, and says so with `any_order = true` in the table of the stage.

use std::collections::{BTreeMap, BTreeSet};

use tamis_document::Form;
use tamis_stage::{Forms, Kind, Layout, Registry};

use crate::diagnostic::Diagnostic;
use crate::step::Step;

/// What is probably not meant about the order of the stages, each with the stage that it is about. The first of those
/// that another order would mend says which.
pub(crate) fn check<'s>(
    sources: &[Step],
    stages: &'s [Step],
    registry: &Registry,
) -> Vec<(&'s Step, Diagnostic)> {
    let stages: Vec<&Step> = stages.iter().collect();
    let Walk { mut found, hints, .. } = walk(sources, &stages, registry);
    let first = found.iter().position(|finding| finding.way_out.is_some());
    let mended = first.and_then(|first| Some((first, mended(sources, stages, registry)?)));
    if let Some((first, order)) = mended {
        let finding = found.remove(first);
        let order: Vec<&str> = order.iter().map(|step| step.id.as_str()).collect();
        let warning = finding.warning.note(format!("in this order they work: {}", order.join(", ")));
        found.insert(first, Finding { warning, ..finding });
    }
    found.into_iter().chain(hints).map(|finding| (finding.step, finding.into_warning())).collect()
}

fn walk<'a, 's>(sources: &'a [Step], stages: &'a [&'s Step], registry: &'a Registry) -> Walk<'a, 's> {
    let (found, hints, marked) = (Vec::new(), Vec::new(), BTreeMap::new());
    let mut walk = Walk { stages, sources, registry, text: Text::of(sources), found, hints, marked };
    for index in 0..stages.len() {
        walk.stage(index);
    }
    walk
}

/// The stages in an order of which nothing is said any more, if moving one after the other finds one.
fn mended<'s>(sources: &[Step], mut stages: Vec<&'s Step>, registry: &Registry) -> Option<Vec<&'s Step>> {
    // Each stage is moved once or twice, or they chase each other.
    for _ in 0..2 * stages.len() {
        let found = walk(sources, &stages, registry).found;
        let Some(first) = found.first() else { return Some(stages) };
        let (from, to) = first.way_out?;
        let moved = stages.remove(from);
        stages.insert(to, moved);
    }
    None
}

/// Something that is probably not meant.
struct Finding<'s> {
    step: &'s Step,
    warning: Diagnostic,
    /// Which stage to move where: its place, and that of the stage that moves up or down for it.
    way_out: Option<(usize, usize)>,
    /// The forms in which texts come and which it does not work on, with what to do about them, if that is what is said.
    wrong_form: Option<(BTreeSet<Form>, String)>,
    /// Stages further down to which the same goes for the same reason.
    same: Vec<String>,
}

impl<'s> Finding<'s> {
    fn new(step: &'s Step, warning: Diagnostic, way_out: Option<(usize, usize)>) -> Self {
        Self { step, warning, way_out, wrong_form: None, same: Vec::new() }
    }

    fn into_warning(self) -> Diagnostic {
        if self.same.is_empty() {
            return self.warning;
        }
        let same: Vec<&str> = self.same.iter().map(String::as_str).collect();
        self.warning.note(format!("the same goes for {}", and(&same)))
    }
}

/// What the texts are at one point of the pipeline.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is known of the texts by itself")]
struct Text {
    forms: BTreeSet<Form>,
    /// Whether there may be texts of which nobody says what they are.
    unknown: bool,
    /// Whether some of the forms are those of readers of which a source will choose, and nobody has looked which.
    is_guessed: bool,
    /// The stage that gave them their form, by its index; none if a reader did.
    given_by: Option<usize>,
    /// Forms before that stage.
    before: BTreeSet<Form>,
    /// Whether a stage has taken away what is not the text.
    cleaned: bool,
    /// Whether a stage has dropped documents that repeat others.
    unique: bool,
    /// What is left of nothing, and the stage that did that.
    destroyed: BTreeMap<Layout, usize>,
    /// What was made on purpose, and the stage that did.
    made: BTreeMap<Layout, usize>,
}

impl Text {
    fn of(sources: &[Step]) -> Self {
        let given = |step: &Step| step.forms.given();
        Self {
            forms: sources.iter().flat_map(given).collect(),
            unknown: sources.is_empty() || sources.iter().any(|step| given(step).is_empty()),
            is_guessed: sources.windows(2).any(|two| two[0].id == two[1].id && two[0].example.is_none()),
            given_by: None,
            before: BTreeSet::new(),
            cleaned: false,
            unique: false,
            destroyed: BTreeMap::new(),
            made: BTreeMap::new(),
        }
    }

    /// Whether none of the texts is of a form that a stage takes, as far as that is known.
    fn is_wrong_for(&self, forms: Forms) -> bool {
        !self.unknown && !self.forms.is_empty() && !self.forms.iter().any(|form| forms.takes(*form))
    }

    /// Whether some of the texts are for certain the source of pages, of which a stage takes the tags for words: what else
    /// comes through another reader does not make that right.
    fn is_partly_wrong_for(&self, forms: Forms) -> bool {
        !self.is_guessed
            && self.forms.contains(&Form::Markup)
            && !forms.taken().is_empty()
            && !forms.takes(Form::Markup)
    }

    fn pass(&mut self, index: usize, forms: Forms) {
        let given = forms.given();
        if !given.is_empty() {
            self.before = self.forms.clone();
            self.forms.retain(|form| !forms.takes(*form));
            self.forms.extend(given);
            // What a stage makes of a text is known, whatever the text was.
            self.unknown = false;
            self.given_by = Some(index);
            self.destroyed.clear();
            self.made.clear();
        }
        self.cleaned |= forms.cleans();
        self.unique |= forms.deduplicates();
        for layout in forms.destroyed() {
            self.destroyed.entry(layout).or_insert(index);
            self.made.remove(&layout);
        }
        for layout in forms.made() {
            self.made.insert(layout, index);
            self.destroyed.remove(&layout);
        }
    }
}

struct Walk<'a, 's> {
    stages: &'a [&'s Step],
    sources: &'a [Step],
    registry: &'a Registry,
    text: Text,
    found: Vec<Finding<'s>>,
    /// What no other order of these stages would mend.
    hints: Vec<Finding<'s>>,
    /// Which of the hints is about the marks that a stage makes, by the index of that.
    marked: BTreeMap<usize, usize>,
}

impl Walk<'_, '_> {
    fn stage(&mut self, index: usize) {
        let Some(step) = self.stages.get(index) else { return };
        let Some(kind) = step.kind else {
            // It may do anything.
            self.text = Text { unknown: true, unique: true, ..Text::of(&[]) };
            return;
        };
        let forms = step.forms;
        // Whoever judges may judge anything; what it should not judge is a text that is still to be cleaned.
        if kind == Kind::Filter || forms.compares() {
            if !self.before_its_cleaner(index) && forms.compares() {
                self.uncleaned(index);
            }
        } else if self.text.is_wrong_for(forms) || self.text.is_partly_wrong_for(forms) {
            self.wrong_form(index);
        }
        self.destroyed(index);
        self.unmade(index);
        self.repeated(index);
        self.marked(index);
        self.text.pass(index, forms);
    }

    /// Warns about a stage that works on other texts than those that come to it.
    fn wrong_form(&mut self, index: usize) {
        let step = self.stages[index];
        let takes = |form: &Form| step.forms.takes(*form);
        let wrong: BTreeSet<Form> = self.text.forms.iter().copied().filter(|form| !takes(form)).collect();
        let is_all_wrong = self.text.is_wrong_for(step.forms);
        let some = if is_all_wrong { "what" } else { "some of what" };
        // Source of pages among other texts is what a reader gave, and no stage has taken.
        let given_by = self.text.given_by.filter(|_| is_all_wrong);
        let message = format!(
            "{} works on {} text, and {some} comes to it is {}",
            step.called(),
            either(&step.forms.taken()),
            either(&wrong.iter().copied().collect::<Vec<_>>()),
        );
        let made_before = given_by.filter(|_| self.text.before.iter().any(takes));
        let made_later = self.later_maker(index, &wrong);
        let (label, way_out) = match (made_before, made_later) {
            (Some(maker), _) => (format!("move it before `{}`", self.stages[maker].id), Some((index, maker))),
            (None, Some(maker)) => {
                (format!("move it behind `{}`", self.stages[maker].id), Some((index, maker)))
            }
            (None, None) => {
                let counterpart = given_by.and_then(|_| self.counterpart(step));
                let label = counterpart.or_else(|| self.missing_maker(step, &wrong));
                let label = label.or_else(|| self.missing_taker(&wrong).filter(|_| !is_all_wrong));
                (label.unwrap_or_else(|| "take it out, or give it other text".to_owned()), None)
            }
        };
        let wrong_form = way_out.is_none().then(|| (wrong.clone(), label.clone()));
        // What came in a wrong form and was not taken comes to the next stage in the same form: it is one mistake.
        if let Some(first) =
            self.found.iter_mut().find(|it| wrong_form.is_some() && it.wrong_form == wrong_form)
        {
            first.same.push(format!("`{}`", step.id));
            return;
        }
        let gives_wrong = |source: &&Step| source.forms.given().iter().any(|form| wrong.contains(form));
        let readers = || self.sources.iter().filter(gives_wrong).collect::<Vec<_>>();
        let givers = given_by.map_or_else(readers, |giver| vec![self.stages[giver]]);
        let mut warning = Diagnostic::warning(&step.place, message).label(label);
        // Readers among which one source chooses stand in one place.
        for same in givers.chunk_by(|one, other| one.place.rank() == other.place.rank()) {
            let said = |giver: &&Step| Some(format!("`{}` is for `{}`", giver.example.as_ref()?, giver.name));
            let examples: Vec<String> = same.iter().filter_map(said).collect();
            let examples =
                if examples.is_empty() { String::new() } else { format!(": {}", examples.join(", ")) };
            warning = warning.related(&same[0].place, format!("gives such text{examples}"));
        }
        self.found.push(Finding { wrong_form, ..Finding::new(step, warning, way_out) });
    }

    /// A stage further down that makes of what comes now what this stage works on.
    fn later_maker(&self, index: usize, coming: &BTreeSet<Form>) -> Option<usize> {
        let wanted = self.stages[index].forms;
        let is_maker = |forms: Forms| makes(forms, coming, wanted);
        (index + 1..self.stages.len()).find(|later| is_maker(self.stages[*later].forms))
    }

    /// What to do about a stage whose form nothing in the pipeline gives: another one reads the same off what came in.
    fn counterpart(&self, step: &Step) -> Option<String> {
        let giver = self.stages[self.text.given_by?];
        let has_same_fields = |writes: &[String]| {
            let fields = writes.iter().filter(|field| *field != "text" && step.writes.contains(*field));
            fields.count() >= SAME_FIELDS
        };
        let takes_what_came = |forms: Forms| self.text.before.iter().any(|form| forms.takes(*form));
        let mut transforms = self.registry.iter().filter(|factory| factory.info().kind.table() == "stage");
        let found = transforms.find(|factory| {
            let info = factory.info();
            let is_other = info.name != step.name && !info.writes.iter().any(|field| field == "text");
            is_other
                && has_same_fields(&info.writes)
                && factory.open(&serde_json::json!({})).is_ok_and(|it| takes_what_came(it.forms()))
        })?;
        Some(format!("put `{}` before `{}` in its place", found.info().name, giver.id))
    }

    /// Which stages would make of what is coming what this stage works on.
    fn missing_maker(&self, step: &Step, coming: &BTreeSet<Form>) -> Option<String> {
        let makers = self.stages_that(|forms| makes(forms, coming, step.forms));
        (!makers.is_empty()).then(|| format!("put {} before it", makers.join(" or ")))
    }

    /// Which stages would make of some of what is coming something else, and hand on the rest.
    fn missing_taker(&self, coming: &BTreeSet<Form>) -> Option<String> {
        let takers = self.stages_that(|forms| {
            let given = forms.given();
            let takes = !forms.taken().is_empty() && coming.iter().all(|form| forms.takes(*form));
            takes && !given.is_empty() && !given.iter().any(|form| coming.contains(form))
        });
        let takers = takers.join(" or ");
        (!takers.is_empty())
            .then(|| format!("put {takers} before it, for these texts: all others pass there"))
    }

    /// The first stages of which this holds, quoted.
    fn stages_that(&self, holds: impl Fn(Forms) -> bool) -> Vec<String> {
        let transforms = self.registry.iter().filter(|factory| factory.info().kind.table() == "stage");
        let found = transforms.filter(|factory| {
            // One that cannot be opened without options is no short way out.
            let opened = factory.open(&serde_json::json!({}));
            opened.is_ok_and(|opened| holds(opened.forms()))
        });
        found.map(|factory| format!("`{}`", factory.info().name)).take(MOST_MAKERS).collect()
    }

    /// Warns about a stage that looks at what a stage before it has destroyed.
    fn destroyed(&mut self, index: usize) {
        let step = self.stages[index];
        let mut by: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for layout in step.forms.needed() {
            if let Some(destroyer) = self.text.destroyed.get(&layout) {
                by.entry(*destroyer).or_default().push(layout.as_str());
            }
        }
        for (destroyer, layouts) in by {
            let other = self.stages[destroyer];
            let what = and(&layouts);
            let message = format!(
                "{} looks at {what} as they came, and `{}` before it changes them",
                step.called(),
                other.id
            );
            let warning = Diagnostic::warning(&step.place, message)
                .label(format!("move `{}` behind it", other.id))
                .related(&other.place, format!("changes {what}"));
            self.found.push(Finding::new(step, warning, Some((destroyer, index))));
        }
    }

    /// Warns about a stage that destroys what a stage before it has made on purpose.
    fn unmade(&mut self, index: usize) {
        let step = self.stages[index];
        for layout in step.forms.destroyed() {
            let Some(maker) = self.text.made.get(&layout).map(|maker| self.stages[*maker]) else { continue };
            let what = layout.as_str();
            let message = format!("{} destroys the {what} that `{}` makes", step.called(), maker.id);
            let label = format!("take it out, or switch off what it does to {what}");
            let warning = Diagnostic::warning(&step.place, message)
                .label(label)
                .related(&maker.place, format!("makes {what}"));
            self.found.push(Finding::new(step, warning, None));
        }
    }

    /// Warns about a stage that learns what documents share, while there may be documents that share everything.
    fn repeated(&mut self, index: usize) {
        let step = self.stages[index];
        if self.text.unique || !step.forms.counts_holders() {
            return;
        }
        let message = format!(
            "{} learns what documents share, and nothing before it drops those that are there twice: all of their text is \
             shared",
            step.called()
        );
        // One that compares cleaned texts comes behind it.
        let droppers = self.stages_that(|forms| forms.deduplicates() && !forms.compares());
        let label = match droppers.as_slice() {
            [] => "drop those before".to_owned(),
            droppers => format!("put {} before it", droppers.join(" or ")),
        };
        let warning = Diagnostic::warning(&step.place, message).label(label);
        self.hints.push(Finding::new(step, warning, None));
    }

    /// Warns about a stage that counts marks of Markdown as words and characters, and the stage that makes them.
    fn marked(&mut self, index: usize) {
        let step = self.stages[index];
        let made = self.text.made.get(&Layout::Markdown).copied();
        let Some(made_by) = made.filter(|_| step.forms.counts_marks()) else { return };
        if let Some(first) = self.marked.get(&made_by).and_then(|hint| self.hints.get_mut(*hint)) {
            first.same.push(format!("`{}`", step.id));
            return;
        }
        let maker = self.stages[made_by];
        let message = format!(
            "{} counts the marks of Markdown that `{}` makes as words and characters of the text",
            step.called(),
            maker.id
        );
        let warning = Diagnostic::warning(&step.place, message)
            .label(format!("let `{}` make text without marks, or have limits with them in mind", maker.id))
            .related(&maker.place, "makes Markdown");
        self.marked.insert(made_by, self.hints.len());
        self.hints.push(Finding::new(step, warning, None));
    }

    /// Warns about a stage that compares texts with what pages of a site share, and nothing in the pipeline takes
    /// that away.
    fn uncleaned(&mut self, index: usize) {
        let step = self.stages[index];
        let is_clean = self.text.forms.iter().all(|form| *form == Form::Clean);
        if self.text.unknown || self.text.cleaned || is_clean {
            return;
        }
        let coming = either(&self.text.forms.iter().copied().collect::<Vec<_>>());
        let message = format!(
            "{} compares whole texts, and what comes to it is {coming}: what a site repeats makes its pages alike",
            step.called()
        );
        let transforms = self.registry.iter().filter(|factory| factory.info().kind.table() == "stage");
        let cleaners = transforms.filter(|factory| {
            let forms = factory.open(&serde_json::json!({})).map(|opened| opened.forms());
            forms.is_ok_and(|forms| forms.cleans() && self.text.forms.iter().any(|form| forms.takes(*form)))
        });
        let cleaners: Vec<String> =
            cleaners.map(|factory| format!("`{}`", factory.info().name)).take(MOST_MAKERS).collect();
        let label = match cleaners.as_slice() {
            [] => "take that away before".to_owned(),
            cleaners => format!("put a stage before it that takes that away: {}", cleaners.join(" or ")),
        };
        let mut warning = Diagnostic::warning(&step.place, message).label(label);
        for source in self.sources {
            warning = warning.related(&source.place, "gives such text");
        }
        self.found.push(Finding::new(step, warning, None));
    }

    /// Warns about a stage that judges or compares a text which a later stage still cleans; tells whether one does.
    fn before_its_cleaner(&mut self, index: usize) -> bool {
        let filter = self.stages[index];
        let (_, rest) = self.stages.split_at(index + 1);
        let Some(last) = rest.iter().rposition(|step| step.forms.cleans()).filter(|_| filter.reads_text())
        else {
            return false;
        };
        // A cheap first look and a second one on the clean text is a plan, not a slip.
        if rest.iter().skip(last + 1).any(|step| step.name == filter.name) {
            return true;
        }
        let cleaner = rest[last];
        let does = if filter.forms.compares() { "compares texts" } else { "judges the text" };
        let what = if filter.forms.compares() { "them" } else { "it" };
        let message = format!("{} {does} before `{}` cleans {what}", filter.called(), cleaner.id);
        let warning = Diagnostic::warning(&filter.place, message)
            .label(format!(
                "move it behind `{}`, unless the unfinished text is what it should judge",
                cleaner.id
            ))
            .related(&cleaner.place, "cleans the text");
        self.found.push(Finding::new(filter, warning, Some((index, index + 1 + last))));
        true
    }
}

/// Two stages that write so many fields of the same names do the same.
const SAME_FIELDS: usize = 3;

/// More stages that could be put before another are no help.
const MOST_MAKERS: usize = 3;

/// Whether a stage takes one of these forms and gives one that another takes.
fn makes(maker: Forms, of: &BTreeSet<Form>, wanted: Forms) -> bool {
    let takes_some = of.iter().any(|form| maker.takes(*form));
    takes_some && !maker.taken().is_empty() && maker.given().into_iter().any(|form| wanted.takes(form))
}

fn either(forms: &[Form]) -> String {
    forms.iter().map(|form| form.as_str()).collect::<Vec<_>>().join(" or ")
}

fn and(words: &[&str]) -> String {
    match words {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        words => words.join(", "),
    }
}
