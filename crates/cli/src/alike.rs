//! What texts have in common that no stage has taken away: menus and footers in lines that hold the text as well.

use std::collections::BTreeSet;

/// Of fewer texts nothing is said.
const FEWEST: usize = 12;
/// So many characters must texts have in common at an end for that to be no chance: more than how sentences begin.
const LEAST: usize = 24;
/// So many characters of each end are looked at.
const SEEN: usize = 400;
/// So many times as long must a text be as what it has in common with others; else they are copies of each other.
const TIMES: usize = 3;
/// From this share of the texts on that have such an end it is told.
const SHARE: f64 = 0.3;

/// How many texts begin or end as at least two others do; 0 if they are few.
pub(crate) fn framed<'t>(texts: impl Iterator<Item = &'t str>) -> usize {
    let mut seen = BTreeSet::new();
    let texts: Vec<&str> = texts.map(str::trim).filter(|text| seen.insert(*text)).collect();
    if texts.len() < FEWEST {
        return 0;
    }
    let begin = shared(&texts.iter().map(|text| text.chars().take(SEEN).collect()).collect::<Vec<_>>());
    let end = shared(&texts.iter().map(|text| text.chars().rev().take(SEEN).collect()).collect::<Vec<_>>());
    let is_framed = |index: &usize| {
        let common = begin[*index].max(end[*index]);
        common >= LEAST && texts[*index].chars().nth(TIMES * common).is_some()
    };
    let n = (0..texts.len()).filter(is_framed).count();
    if n as f64 >= SHARE * texts.len() as f64 { n } else { 0 }
}

/// How many characters each text has in common with the beginnings of two others.
fn shared(texts: &[Vec<char>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|index| &texts[*index]);
    let mut shared = vec![0; texts.len()];
    for three in order.windows(3) {
        // In alphabetical order what the outer ones share the one between shares, too.
        let (first, last) = (&texts[three[0]], &texts[three[2]]);
        let common = first.iter().zip(last).take_while(|(one, other)| one == other).count();
        for index in three {
            shared[*index] = shared[*index].max(common);
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_that_many_texts_have_are_found_and_copies_are_none() {
        let body = |n: usize| {
            format!("{n} is the number of this walk, which leads {n} miles along the river. ").repeat(4)
        };
        let menu = "Home News Sport Culture Letters Archive Search ";
        let of = |text: &dyn Fn(usize) -> String| {
            let texts: Vec<String> = (0..20).map(text).collect();
            framed(texts.iter().map(String::as_str))
        };
        assert_eq!(of(&|n| format!("{menu}{}", body(n))), 20);
        assert_eq!(of(&|n| format!("{}{menu}", body(n))), 20);
        assert_eq!(of(&|n| format!("{}{}", if n < 10 { menu } else { "" }, body(n))), 10);
        assert_eq!(of(&|n| format!("{}{}", if n < 2 { menu } else { "" }, body(n))), 0);
        assert_eq!(of(&body), 0);
        assert_eq!(of(&|n| format!("{}{n}", body(0))), 0, "copies");
        assert_eq!(of(&|_| body(0)), 0);
    }
}
