//! Literals that a pattern demands: where none of them stands, the pattern need not be tried.

use regex_syntax::hir::{Class, Hir, HirKind};
use tamis_text::needles::Needles;

/// More literals than this for one pattern, and the pattern is tried everywhere instead.
const MAX_LITERALS: usize = 64;
/// A class of more characters than this demands nothing: searching for each would cost more than it saves.
const MAX_CLASS: usize = 4;

/// Patterns, by the literals that they demand.
#[derive(Debug)]
pub(super) struct Literals {
    needles: Needles,
    /// The pattern that demands each needle.
    demanded_by: Vec<usize>,
}

impl Literals {
    /// Takes the literals of patterns, each with the number under which the pattern is found.
    pub(super) fn new<'p>(patterns: impl IntoIterator<Item = (usize, &'p [Vec<u8>])>) -> Self {
        let (mut literals, mut demanded_by) = (Vec::new(), Vec::new());
        for (number, demanded) in patterns {
            demanded_by.extend(std::iter::repeat_n(number, demanded.len()));
            literals.extend(demanded);
        }
        Self { needles: Needles::new(literals), demanded_by }
    }

    /// Calls `hit` with the number of a pattern and the first byte of a literal of its own, for every place of
    /// every literal; in the order of [`Needles::each`].
    pub(super) fn each(&self, text: &str, mut hit: impl FnMut(usize, usize)) {
        self.needles.each(text, |needle, start| hit(self.demanded_by[needle], start));
    }
}

/// Literals, in lower case, of which every match of `pattern` holds at least one in some case; none if it demands
/// nothing, or too many.
pub(super) fn demanded(pattern: &Hir) -> Option<Vec<Vec<u8>>> {
    let literals = demanded_by(pattern)?;
    (literals.len() <= MAX_LITERALS).then_some(literals)
}

fn demanded_by(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    if let Some(literal) = fixed(hir) {
        return Some(vec![literal]);
    }
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            // A class of a few characters is an alternation of them.
            let characters = class.iter().flat_map(|range| range.start()..=range.end()).take(MAX_CLASS + 1);
            let literals: Vec<Vec<u8>> = characters.map(lower).collect();
            (!literals.is_empty() && literals.len() <= MAX_CLASS).then_some(literals)
        }
        HirKind::Capture(capture) => demanded_by(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => demanded_by(&repetition.sub),
        HirKind::Alternation(branches) => {
            let branches: Vec<_> = branches.iter().map(demanded_by).collect::<Option<_>>()?;
            Some(branches.concat())
        }
        HirKind::Concat(parts) => demanded_by_some(parts),
        _ => None,
    }
}

/// What one part of a sequence demands. Any part will do: the one whose shortest literal is longest is the rarest.
fn demanded_by_some(parts: &[Hir]) -> Option<Vec<Vec<u8>>> {
    // Letters of either case are parts of their own, so neighbours are put together first.
    let runs = parts.chunk_by(|a, b| fixed(a).is_some() && fixed(b).is_some());
    let of_run = |run: &[Hir]| match run {
        [part] => demanded_by(part),
        run => Some(vec![run.iter().filter_map(fixed).collect::<Vec<_>>().concat()]),
    };
    runs.filter_map(of_run).max_by_key(|literals| {
        (literals.iter().map(Vec::len).min().unwrap_or(0), std::cmp::Reverse(literals.len()))
    })
}

/// The one literal, in lower case, that all matches are, if they differ in ASCII case only.
fn fixed(hir: &Hir) -> Option<Vec<u8>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(literal.0.to_ascii_lowercase()),
        HirKind::Class(Class::Unicode(class)) => {
            // With `(?i)`, `k` is also the sign of Kelvin and `s` the long s of old print. Nobody writes rules for
            // them, and taking them seriously would cut `access` into `acce`.
            let characters = class.iter().flat_map(|range| range.start()..=range.end()).take(MAX_CLASS + 1);
            let mut characters = characters.filter(|c| !matches!(c, '\u{212a}' | '\u{17f}')).map(lower);
            let first = characters.next()?;
            characters.all(|other| other == first).then_some(first)
        }
        _ => None,
    }
}

fn lower(character: char) -> Vec<u8> {
    character.to_ascii_lowercase().to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_demand_their_rarest_literals() {
        let of = |pattern: &str| {
            demanded(&regex_syntax::parse(pattern).unwrap()).map(|literals| {
                literals.into_iter().map(|literal| String::from_utf8(literal).unwrap()).collect::<Vec<_>>()
            })
        };
        assert_eq!(of("^微信号$").unwrap(), ["微信号"]);
        assert_eq!(of(r"^功能介绍[：:]?\s+\S|^微信号$").unwrap(), ["功能介绍", "微信号"]);
        assert_eq!(of(r"^第?[A-Z]?\d{1,5}版\s*[：:]").unwrap(), ["版"]);
        assert_eq!(of("(?:ab|c)+x?").unwrap(), ["ab", "c"]);
        assert_eq!(of("."), None);
        assert_eq!(of("x*"), None);
        assert_eq!(of("(?:ab|.)"), None);
        assert_eq!(of("(?i:Bad Gateway)").unwrap(), ["bad gateway"]);
        assert_eq!(of("(?i:(?:4|5)\\d\\d.?forbidden)").unwrap(), ["forbidden"]);
        assert_eq!(of("(?i:Skiff) 河").unwrap(), ["skiff 河"]);
    }
}
