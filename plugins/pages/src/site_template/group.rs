//! To which site a page belongs.

use std::borrow::Cow;

use tamis_html::{Name, Tag};
use tamis_plugin::ValueRef;

use super::paths::hash;
use crate::features::Page;

/// So many style sheets tell a template; those behind them come with what a page holds.
const N_SHEETS: usize = 3;
/// So many elements at the start of a page do, where there are no style sheets.
const N_ELEMENTS: usize = 12;

/// The site that the value of a field names, or nothing.
pub(super) fn of_value(value: ValueRef<'_>) -> Option<Cow<'_, str>> {
    match value {
        ValueRef::Null => None,
        ValueRef::String(value) => match value.trim() {
            "" => None,
            name => Some(host(name).map_or(name.into(), Cow::Owned)),
        },
        ValueRef::Json(json) => Some(json.into()),
        scalar => serde_json::to_string(&scalar).ok().map(Cow::from),
    }
}

/// The host of a URL, in small letters, without user, port and `www.`.
fn host(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    if scheme.is_empty() || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    {
        return None;
    }
    let authority = rest.split(['/', '?', '#', '\\']).next()?.rsplit('@').next()?;
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    let host = host.trim_end_matches('.').to_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    (!host.is_empty()).then(|| host.to_owned())
}

/// A name for the pages that look like this one.
pub(super) fn of_looks(page: &Page<'_>) -> String {
    let sheets = sheets(page);
    let looks = if sheets.is_empty() { elements(page) } else { sheets };
    format!("looks:{:016x}", hash(&looks))
}

/// The style sheets of a page, without what a new version of them changes.
fn sheets(page: &Page<'_>) -> String {
    let tree = &page.tree;
    let is_sheet = |node: &usize| {
        let rel = if tree.tag(*node) == Tag::Link { tree.attribute(*node, Name::Rel) } else { None };
        rel.is_some_and(|rel| rel.split_ascii_whitespace().any(|it| it.eq_ignore_ascii_case("stylesheet")))
    };
    let mut sheets = String::new();
    for node in (1..tree.len()).filter(is_sheet).take(N_SHEETS) {
        let address = tree.attribute(node, Name::Href).unwrap_or_default();
        // `../style.css` and `style.css` are the same sheet of pages in different folders.
        let name =
            address.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        sheets.extend(name.chars().filter(|c| !c.is_ascii_digit()));
        sheets.push('\n');
    }
    sheets
}

/// The first block elements of a page, with their first classes.
fn elements(page: &Page<'_>) -> String {
    let mut elements = String::new();
    // The classes of the body say which page it is.
    let is_around_all = |tag: Tag| matches!(tag, Tag::Root | Tag::Html | Tag::Body);
    let inside = page.blocks.containers.iter().filter(|it| !is_around_all(it.tag));
    for container in inside.take(N_ELEMENTS) {
        elements.push_str(container.tag.name());
        let classes = page.tree.attribute(container.node(), Name::Class).unwrap_or_default();
        elements.extend(classes.split_ascii_whitespace().take(1));
        elements.push('\n');
    }
    elements
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_an_address_or_the_value() {
        for (value, expected) in [
            ("https://user@www.Docs.example:8080/a/b?c#d", Some("docs.example")),
            ("http://docs.example", Some("docs.example")),
            (" gazette ", Some("gazette")),
            ("a note: see http://docs.example", Some("a note: see http://docs.example")),
            ("", None),
        ] {
            assert_eq!(of_value(ValueRef::String(value)).as_deref(), expected, "{value}");
        }
        assert_eq!(of_value(ValueRef::Null), None);
    }

    #[test]
    fn pages_that_load_the_same_sheets_look_alike() {
        let looks = |source: &str| of_looks(&Page::new(source).expect("short"));
        let one = looks("<link rel=stylesheet href='../css/site.css?v=3'><p>One.");
        assert_eq!(
            one,
            looks("<title>2</title><link href=/css/site.css rel='alternate stylesheet'><ul><li>Two.")
        );
        assert_ne!(one, looks("<link rel=stylesheet href=other.css><p>One."));
        assert_ne!(one, looks("<p>One."));
        assert_eq!(looks("<div class='top x'><p>1"), looks("<div class='top y'><p>2"));
        assert_ne!(looks("<div class=top><p>1"), looks("<div class=head><p>1"));
    }
}
