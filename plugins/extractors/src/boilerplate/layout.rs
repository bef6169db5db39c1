//! What the segments of a page are part of, with the code between fences.

use super::segment::Segment;
use super::structure::Structure;

/// What each segment is part of. Pieces of one line belong together.
pub(super) fn structures(page: &str, segments: &[Segment]) -> Vec<Structure> {
    let mut found: Vec<Structure> = Vec::with_capacity(segments.len());
    for segment in segments {
        let line = match found.last() {
            Some(before) if segment.gap == 0 => *before,
            _ => segment.form.structure,
        };
        found.push(line);
    }
    fill_fences(page, segments, &mut found);
    found
}

/// Marks what stands between two fences. A fence that nothing closes is none.
fn fill_fences(page: &str, segments: &[Segment], found: &mut [Structure]) {
    let begins = |at: usize, found: &[Structure]| segments[at].gap > 0 && found[at] == Structure::Fence;
    let mut at = 0;
    while at < found.len() {
        if !begins(at, found) {
            at += 1;
            continue;
        }
        let fence = page.get(segments[at].range()).and_then(|line| line.get(..3)).unwrap_or_default();
        let closes = |other: &usize| {
            begins(*other, found)
                && page.get(segments[*other].range()).is_some_and(|line| line.trim() == fence)
        };
        if let Some(end) = (at + 1..found.len()).find(closes) {
            found[at..=end].fill(Structure::Fence);
            at = end + 1;
        } else {
            found[at] = Structure::Plain;
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::structure::Structure::{Fence, Heading, Item, Number, Plain, Quote, Row, Section};
    use super::*;
    use crate::boilerplate::lexicon::Found;
    use crate::boilerplate::segment::segments;

    fn found(page: &str) -> Vec<Structure> {
        structures(page, &segments(page, &Found::default()))
    }

    #[test]
    fn the_beginning_of_a_line_says_what_it_is_part_of() {
        for (line, expected) in [
            ("## Steps", Heading),
            ("#hashtag", Plain),
            ("- flour", Item),
            ("• Mehl", Item),
            ("-5 °C", Plain),
            ("2. stir", Number),
            ("3、搅拌", Number),
            ("1.5 litres", Plain),
            ("1.5", Plain),
            ("1.2.3", Plain),
            ("1.2.", Section),
            ("12.", Number),
            ("2.1. Keeping bees", Section),
            ("2.10 Ausblick", Section),
            ("3.1\u{A0}概述", Section),
            ("3.14159 Pi", Plain),
            ("2019. In that year", Plain),
            ("> he said", Quote),
            ("| a | b |", Row),
            ("| Home", Plain),
            ("plain words", Plain),
        ] {
            assert_eq!(found(line), [expected], "{line}");
        }
    }

    #[test]
    fn code_between_fences_is_one_structure_and_an_open_fence_none() {
        assert_eq!(found("a\n```sh\nls\n- x\n```\nb"), [Plain, Fence, Fence, Fence, Fence, Plain]);
        assert_eq!(found("a\n```\nls\n- x"), [Plain, Plain, Plain, Item]);
    }
}
