//! What elements say of not being shown.

use crate::tag::Name;
use crate::tree::{Names, NodeId, Tree};

/// How an element is hidden. Blocks may be hidden only until a script shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hiding {
    /// `hidden`, `display: none`: it takes no room.
    NotRendered,
    /// `visibility: hidden`: it takes room and is not seen.
    Invisible,
    /// For screen readers alone, by the class names that style sheets share (`sr-only`).
    ForScreenReaders,
    /// `aria-hidden`: seen, but not read aloud. Mostly an ornament or what is said a second time, such as a formula; but
    /// there are sites that set it on text of their articles.
    Silent,
}

/// Class names of what is for screen readers alone: those of Bootstrap, `WordPress`, HTML5 Boilerplate, Amazon, GOV.UK.
const FOR_SCREEN_READERS: &[&str] = &[
    "sr-only",
    "visually-hidden",
    "visuallyhidden",
    "screen-reader-text",
    "screenreader",
    "screen-reader-only",
    "a-offscreen",
    "govuk-visually-hidden",
];

/// By what an element may say that it is not shown: most have none of these attributes.
pub(crate) const SAYING: Names = Names::of(&[Name::Hidden, Name::Style, Name::Class, Name::AriaHidden]);
const SAYING_NOT_RENDERED: Names = Names::of(&[Name::Hidden, Name::Style]);

/// How an element itself, whatever is around it, says that it is not shown.
pub fn hiding(tree: &Tree<'_>, node: NodeId) -> Option<Hiding> {
    if !tree.has_any(node, SAYING) {
        return None;
    }
    let [hidden, style, class, aria] =
        tree.attributes(node, [Name::Hidden, Name::Style, Name::Class, Name::AriaHidden]);
    if let Some(hiding) = style_hiding(hidden, style) {
        return Some(hiding);
    }
    if class.unwrap_or_default().split_ascii_whitespace().any(|class| FOR_SCREEN_READERS.contains(&class)) {
        return Some(Hiding::ForScreenReaders);
    }
    aria.is_some_and(|value| value.eq_ignore_ascii_case("true")).then_some(Hiding::Silent)
}

/// Whether an element in a line of text says that nobody sees it.
pub fn is_hidden_in_line(tree: &Tree<'_>, node: NodeId) -> bool {
    hiding(tree, node).is_some_and(|hiding| hiding != Hiding::Silent)
}

/// Whether an element says that it takes no room.
pub fn is_hidden(tree: &Tree<'_>, node: NodeId) -> bool {
    if !tree.has_any(node, SAYING_NOT_RENDERED) {
        return false;
    }
    let [hidden, style] = tree.attributes(node, [Name::Hidden, Name::Style]);
    style_hiding(hidden, style) == Some(Hiding::NotRendered)
}

/// What `hidden` and `style` say. `hidden=until-found` is text that browsers find and show.
fn style_hiding(hidden: Option<&str>, style: Option<&str>) -> Option<Hiding> {
    if hidden.is_some_and(|value| !value.eq_ignore_ascii_case("until-found")) {
        return Some(Hiding::NotRendered);
    }
    let style = style?;
    let declarations = || style.split(';').filter_map(|declaration| declaration.split_once(':'));
    let says = |property: &str, value: &str| {
        declarations().any(|(name, said)| {
            let start = said.trim_start().get(..value.len());
            name.trim().eq_ignore_ascii_case(property)
                && start.is_some_and(|it| it.eq_ignore_ascii_case(value))
        })
    };
    if says("display", "none") {
        Some(Hiding::NotRendered)
    } else if says("visibility", "hidden") || says("visibility", "collapse") {
        Some(Hiding::Invisible)
    } else {
        None
    }
}
