//! Whether two texts say the same: a title and its copy further down, a line and what is known of it.

use crate::chars::is_invisible;

/// What is left of a text without white space and what no reader sees: `强 村` and `强村` are set differently, no more.
pub fn visible(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_whitespace() && !is_invisible(*c))
}

/// Whether two texts are the same, white space and what no reader sees aside.
pub fn look_alike(one: &str, other: &str) -> bool {
    visible(one).eq(visible(other))
}

/// The letters and digits of a text in lower case: what it says, however it is punctuated.
pub fn letters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
}

/// The same as a text of its own: what most characters are, Han characters among them, is told without the tables of
/// Unicode.
pub fn plain(text: &str) -> String {
    plain_within(text, usize::MAX).unwrap_or_default()
}

/// The same, or nothing where it takes more than so many bytes: who looks for it in a title need not read a paragraph.
pub fn plain_within(text: &str, most_bytes: usize) -> Option<String> {
    let mut plain = String::with_capacity(text.len().min(most_bytes));
    for c in text.chars() {
        if plain.len() > most_bytes {
            return None;
        }
        if c.is_ascii() {
            plain.extend(c.is_ascii_alphanumeric().then(|| c.to_ascii_lowercase()));
        } else if ('\u{4E00}'..='\u{9FA5}').contains(&c) {
            plain.push(c);
        } else if c.is_alphanumeric() {
            plain.extend(c.to_lowercase());
        }
    }
    (plain.len() <= most_bytes).then_some(plain)
}

/// Whether two texts have the same letters and digits, case aside.
pub fn say_the_same(one: &str, other: &str) -> bool {
    letters(one).eq(letters(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_says_is_its_letters() {
        let all: String = ('\0'..=char::MAX).collect();
        assert!(plain(&all).chars().eq(letters(&all)));
    }

    #[test]
    fn what_is_too_long_is_nothing() {
        for text in ["The Ferry, at 7", "渡口的早市", "Été – ÇA!", "a", "", " — "] {
            let whole = plain(text);
            for most_bytes in 0..whole.len() + 3 {
                let expected = (whole.len() <= most_bytes).then(|| whole.clone());
                assert_eq!(plain_within(text, most_bytes), expected, "{text} {most_bytes}");
            }
        }
    }

    #[test]
    fn a_title_is_known_again() {
        for (one, other, look, say) in [
            ("渡口的早市", "渡口的早市", true, true),
            ("渡口 的\u{3000}早市", "渡口\u{A0}的早\u{200B}市\u{FEFF}", true, true),
            ("The Ferry", "the  ferry!", false, true),
            ("渡口的早市", "渡口的晚市", false, false),
            ("渡口的早市", "渡口的早", false, false),
            ("", " ", true, true),
            ("Straße 7", "STRASSE 7", false, false),
        ] {
            assert_eq!(look_alike(one, other), look, "{one} {other}");
            assert_eq!(say_the_same(one, other), say, "{one} {other}");
        }
    }
}
