//! Simplified and traditional Chinese, by the characters that only one of them has.

use std::sync::LazyLock;

/// What a character is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Either,
    Simplified,
    Traditional,
    Japanese,
}

/// The first character of the table, and how many it has: the block of the CJK unified ideographs.
const FIRST: u32 = 0x4E00;
const N_CHARACTERS: usize = 0x5200;

/// The class of each character. The lists are of the tables of characters of `OpenCC` (Apache-2.0, see `NOTICE.md` beside
/// them): those that another form is written for, and which do not stand for themselves as well.
static CLASSES: LazyLock<Vec<Class>> = LazyLock::new(|| {
    let mut classes = vec![Class::Either; N_CHARACTERS];
    for (characters, class) in [
        (include_str!("models/hans.txt"), Class::Simplified),
        (include_str!("models/hant.txt"), Class::Traditional),
        (include_str!("models/jpan.txt"), Class::Japanese),
    ] {
        for c in characters.chars() {
            if let Some(entry) = place(c).and_then(|place| classes.get_mut(place)) {
                *entry = class;
            }
        }
    }
    classes
});

fn place(c: char) -> Option<usize> {
    u32::from(c).checked_sub(FIRST).map(|place| place as usize)
}

/// How many characters are of only one of the forms.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Forms {
    pub(crate) simplified: u32,
    pub(crate) traditional: u32,
    pub(crate) japanese: u32,
}

impl Forms {
    pub(crate) fn count(pieces: &[&str]) -> Self {
        let classes = &*CLASSES;
        let mut forms = Self::default();
        for c in pieces.iter().flat_map(|piece| piece.chars()) {
            match place(c).and_then(|place| classes.get(place)) {
                Some(Class::Simplified) => forms.simplified += 1,
                Some(Class::Traditional) => forms.traditional += 1,
                Some(Class::Japanese) => forms.japanese += 1,
                Some(Class::Either) | None => {}
            }
        }
        forms
    }

    /// The tag of a text without kana, and how sure it is.
    ///
    /// Japan has simplified many characters as China has, and left more as they were; its own are rare. So a text of
    /// kanji alone, a headline mostly, is Japanese if some are of Japan alone and nothing is of China alone that Japan
    /// would not write.
    pub(crate) fn tag(&self) -> (&'static str, f32) {
        let Self { simplified, traditional, japanese } = *self;
        let most = simplified.max(traditional);
        if japanese > 0 && japanese * 2 > simplified + traditional {
            return ("ja", 0.7);
        }
        // A page in one form names people and places in the other, seldom more than one in five.
        if simplified + traditional == 0 {
            ("zh", 1.0)
        } else if most * 5 < (simplified + traditional) * 4 {
            ("zh", 0.9)
        } else if simplified > traditional {
            ("zh-Hans", 1.0)
        } else {
            ("zh-Hant", 1.0)
        }
    }
}
