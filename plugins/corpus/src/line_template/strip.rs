//! Taking lines out of a text.

use super::Place;

/// What is left of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stripped {
    pub(super) text: String,
    /// Lines taken out, without the blank ones that went with them.
    pub(super) n_lines: u64,
    /// Whether a line that is not blank is left.
    pub(super) has_text: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Blank,
    Template,
    Text,
}

/// Takes the lines out for which `is_template` holds; `None` when there are none.
pub(super) fn strip(text: &str, place: Place, mut is_template: impl FnMut(&str) -> bool) -> Option<Stripped> {
    let classify = |line: &str| match line {
        line if line.trim().is_empty() => Class::Blank,
        line if is_template(line) => Class::Template,
        _ => Class::Text,
    };
    let mut classes: Vec<Class> = text.split('\n').map(classify).collect();
    if place == Place::Edges {
        spare_the_middle(&mut classes);
    }
    let n_lines = classes.iter().filter(|class| **class == Class::Template).count();
    if n_lines == 0 {
        return None;
    }
    let has_text = classes.contains(&Class::Text);
    let text = if has_text { without(text, &classes) } else { String::new() };
    Some(Stripped { text, n_lines: n_lines as u64, has_text })
}

/// Template between the first and the last line of text counts as text.
fn spare_the_middle(classes: &mut [Class]) {
    let is_text = |class: &Class| *class == Class::Text;
    let (Some(first), Some(last)) = (classes.iter().position(is_text), classes.iter().rposition(is_text))
    else {
        return;
    };
    for class in classes.iter_mut().take(last).skip(first) {
        if *class == Class::Template {
            *class = Class::Text;
        }
    }
}

/// The text without its template lines.
///
/// Of the blank lines on both sides of a removed line, those behind go where there are some before it or where
/// nothing is before it; and at the end of the text all go.
fn without(text: &str, classes: &[Class]) -> String {
    let mut kept: Vec<&str> = Vec::with_capacity(classes.len());
    // Whether a line was removed since the last line of text.
    let mut removed = false;
    // Whether the blank lines that follow belong to no text before them.
    let mut swallow = false;
    for (line, class) in text.split('\n').zip(classes) {
        match class {
            Class::Template => {
                removed = true;
                swallow = kept.last().is_none_or(|last| last.trim().is_empty());
            }
            Class::Blank if swallow => {}
            Class::Blank => kept.push(line),
            Class::Text => {
                kept.push(line);
                (removed, swallow) = (false, false);
            }
        }
    }
    if removed {
        while kept.last().is_some_and(|last| last.trim().is_empty()) {
            kept.pop();
        }
        if text.ends_with('\n') {
            kept.push("");
        }
    }
    kept.join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stripped(text: &str, place: Place) -> Option<String> {
        strip(text, place, |line| line.trim().starts_with('T')).map(|stripped| stripped.text)
    }

    #[test]
    fn lines_go_and_paragraph_breaks_do_not_pile_up() {
        for (text, any, edges) in [
            ("a\nb\n", None, None),
            ("T\na\nT", Some("a"), Some("a")),
            ("T\n\na\n\nb\n\nT\n\nT\n", Some("a\n\nb\n"), Some("a\n\nb\n")),
            ("a\n\nT\n\nb", Some("a\n\nb"), None),
            ("a\nT\nb\nT", Some("a\nb"), Some("a\nT\nb")),
            ("a\nT\n\nb", Some("a\n\nb"), None),
            ("a\n\n\nT\n\nT\n\nb", Some("a\n\n\nb"), None),
            (" a \r\nT\r\n b", Some(" a \r\n b"), None),
            ("\n\na\nT\n\n", Some("\n\na\n"), Some("\n\na\n")),
            ("a\n\nT", Some("a"), Some("a")),
            ("T\n\nT", Some(""), Some("")),
            ("a\n\u{3000}\nT", Some("a"), Some("a")),
        ] {
            assert_eq!(stripped(text, Place::Any).as_deref(), any, "{text:?}");
            assert_eq!(stripped(text, Place::Edges).as_deref(), edges, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn text_stays_byte_for_byte(text in "([aT ]{0,2}\n){0,12}[aT ]{0,2}") {
            for place in [Place::Any, Place::Edges] {
                let Some(left) = stripped(&text, place) else { continue };
                let lines = |text: &str| -> Vec<String> {
                    text.split('\n').filter(|line| line.contains('a') && !line.trim().starts_with('T')).map(str::to_owned).collect()
                };
                prop_assert_eq!(lines(&left), lines(&text));
                prop_assert_eq!(stripped(&left, place), None);
                prop_assert!(left.len() < text.len());
            }
        }
    }
}
