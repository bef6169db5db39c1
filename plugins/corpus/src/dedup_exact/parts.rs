//! Paragraphs and lines of a text.

use super::Unit;

/// The parts of a text, one behind the other, each with the line ends behind it: together they are the text.
pub(super) fn parts(text: &str, unit: Unit) -> Vec<&str> {
    let lines = text.split_inclusive('\n');
    if unit == Unit::Lines {
        return lines.collect();
    }
    let mut parts = Vec::new();
    let (mut start, mut at, mut is_ending) = (0, 0, false);
    for line in lines {
        let is_blank = line.trim().is_empty();
        if is_ending && !is_blank {
            parts.push(text.get(start..at).unwrap_or_default());
            start = at;
        }
        is_ending = is_blank;
        at += line.len();
    }
    parts.push(text.get(start..).unwrap_or_default());
    parts
}

/// What is left of a text when some of its parts are cut. White space that was not at its end is not there then.
pub(super) fn joined(parts: &[&str], is_cut: &[bool]) -> String {
    let kept: String =
        parts.iter().zip(is_cut).filter(|(_, is_cut)| !**is_cut).map(|(part, _)| *part).collect();
    if is_cut.last() != Some(&true) {
        return kept;
    }
    let end = parts.last().map_or("", |last| last.get(last.trim_end().len()..).unwrap_or_default());
    kept.trim_end().to_owned() + end
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paragraphs_lie_between_blank_lines() {
        let text = "one\nmore\n\n \ntwo\n\nthree";
        assert_eq!(parts(text, Unit::Paragraphs), ["one\nmore\n\n \n", "two\n\n", "three"]);
        assert_eq!(parts(text, Unit::Lines), ["one\n", "more\n", "\n", " \n", "two\n", "\n", "three"]);
        let parts = parts(text, Unit::Paragraphs);
        assert_eq!(joined(&parts, &[false, true, false]), "one\nmore\n\n \nthree");
        assert_eq!(joined(&parts, &[false, false, true]), "one\nmore\n\n \ntwo");
        assert_eq!(joined(&parts, &[true, true, true]), "");
    }

    proptest! {
        #[test]
        fn parts_are_the_text(text in "([ab河]{0,3}(\n| |\r\n){0,3}){0,9}") {
            for unit in [Unit::Lines, Unit::Paragraphs] {
                let parts = parts(&text, unit);
                prop_assert_eq!(parts.concat(), text.as_str());
                prop_assert_eq!(joined(&parts, &vec![false; parts.len()]), text.as_str());
            }
        }
    }
}
