//! Text that a page has in its data only: what it declares as its body, and what a script would have put into it.

use tamis_html::{Blocks, Name, Tag, Tree, decoded, parse};
use tamis_text::literal::{Cursor, Literal, Tree as Values, is_word};

use crate::features::{Measures, Page};

/// How many times longer than what was found in the markup the body must be: pages that cut their text off behind a
/// few lines have ten times more in their data, pages that show it all at most some captions more.
const LONGER: f32 = 3.0;
/// Words that make an article.
const LEAST_WORDS: u32 = 80;
/// Sentences that make one of what a script holds, where nobody has said that it is one.
const LEAST_SENTENCES: u32 = 3;

/// Names that scripts give the text of a page (the first is that of a post of pictures on `WeChat`).
const OF_TEXT: [&str; 12] = [
    "content_noencode",
    "content",
    "contents",
    "contentHtml",
    "content_html",
    "body",
    "bodyHtml",
    "html",
    "text",
    "articleBody",
    "articleContent",
    "article_content",
];
/// Under this name stands nothing else, so that a few words of it are a text.
const SURE: &str = "content_noencode";
const LEAST_SURE_WORDS: u32 = 10;

/// The text of a page that its markup holds only a little of, and where it was found.
pub(super) fn body(page: &Page<'_>, n_words_taken: f32) -> Option<(String, &'static str)> {
    let is_longer = |n_words: u32| n_words as f32 >= LONGER * n_words_taken;
    let declared = page.head.body.as_str();
    let n_words = Measures::of(declared).n_words;
    if n_words >= LEAST_WORDS && is_longer(n_words) {
        return Some((plain(declared)?, "from_structured_data"));
    }
    // Scripts are long, and an article that was found is not looked for in them.
    if n_words_taken >= LEAST_WORDS as f32 {
        return None;
    }
    if let Some((text, n_words)) = without_frames(&page.tree) {
        return is_longer(n_words).then_some((text, "from_noframes"));
    }
    let (text, n_words) = in_scripts(&page.tree)?;
    is_longer(n_words).then_some((text, "from_script"))
}

/// What a page of frames has for browsers without them: the text of the page where it is more than a word about that.
fn without_frames(tree: &Tree<'_>) -> Option<(String, u32)> {
    let inside = (1..tree.len()).find(|node| tree.tag(*node) == Tag::Noframes)?;
    let text = plain(tree.raw_text(inside))?;
    let n_words = Measures::of(&text).n_words;
    (n_words >= LEAST_WORDS).then_some((text, n_words))
}

/// The longest text that a script holds under one of the names of texts.
fn in_scripts(tree: &Tree<'_>) -> Option<(String, u32)> {
    let scripts = (1..tree.len()).filter(|node| tree.tag(*node) == Tag::Script);
    // What is declared for machines to read has been looked at.
    let is_program =
        |node: &usize| !tree.attribute(*node, Name::Type).is_some_and(|it| it.contains("ld+json"));
    let mut best: Option<(String, u32)> = None;
    for script in scripts.filter(is_program) {
        for (name, value) in Named(Cursor { bytes: tree.raw_text(script).as_bytes(), at: 0 }) {
            let longest = best.as_ref().map_or(0, |(_, n_words)| *n_words);
            // A word has two bytes at least.
            if value.len() < longest as usize * 2 {
                continue;
            }
            let Some(text) = plain(&value) else { continue };
            let measures = Measures::of(&text);
            let is_text = if name == SURE {
                measures.n_words >= LEAST_SURE_WORDS
            } else {
                measures.n_words >= LEAST_WORDS && measures.n_stops >= LEAST_SENTENCES
            };
            if is_text && measures.n_words > longest {
                best = Some((text, measures.n_words));
            }
        }
    }
    best
}

/// The strings of a script that stand behind one of the names of texts and `:` or `=`.
struct Named<'a>(Cursor<'a>);

impl Iterator for Named<'_> {
    type Item = (&'static str, String);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.0.at += memchr::memchr2(b':', b'=', self.0.rest())?;
            let name = name_before(self.0.bytes.get(..self.0.at).unwrap_or_default());
            self.0.at += 1;
            let Some(name) = name else { continue };
            let mut value = self.0.clone();
            value.take_blanks();
            // `JsDecode('…')`
            if value.peek().is_some_and(|byte| byte.is_ascii_alphabetic()) {
                value.take_while(is_word);
                value.take(b'(');
            }
            if !matches!(value.peek(), Some(b'"' | b'\'')) {
                continue;
            }
            let literal = value.literal::<Values>();
            // A string is read once, whether it ends or not.
            self.0.at = value.at.max(self.0.at);
            if let Ok(Literal::String(bytes)) = literal
                && let Ok(text) = String::from_utf8(bytes)
            {
                return Some((name, text));
            }
        }
    }
}

/// The name of a text, in quotation marks or not, that ends a piece of script.
fn name_before(script: &[u8]) -> Option<&'static str> {
    let script = script.trim_ascii_end();
    let script = script.strip_suffix(b"\"").or_else(|| script.strip_suffix(b"'")).unwrap_or(script);
    let is_whole = |before: &[u8]| !before.last().is_some_and(|byte| is_word(*byte));
    OF_TEXT.into_iter().find(|name| script.strip_suffix(name.as_bytes()).is_some_and(is_whole))
}

/// The text of a value that may hold HTML, escaped once more or not.
fn plain(value: &str) -> Option<String> {
    let tree = parse(value).ok()?;
    if tree.len() <= 2 {
        let text = decoded(value);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        return Some(lines.collect::<Vec<_>>().join("\n"));
    }
    let blocks = Blocks::of(&tree);
    Some(blocks.blocks.iter().map(|block| blocks.text_of(block)).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(script: &str) -> Option<String> {
        in_scripts(&parse(&format!("<script>{script}</script>")).expect("short")).map(|(text, _)| text)
    }

    #[test]
    fn a_text_is_found_under_its_name() {
        let text = "The ferry came back, and the queue reached the shop by noon. ".repeat(8);
        let text = text.trim_end();
        let escaped = text.replace(' ', "\\x20");
        for script in [
            format!("var a = {{title: 'x', content: '{text}', n: 1}};"),
            format!("window.__STATE__ = {{\"post\": {{\"content\" : \"<p>{text}<\\/p>\"}}}}"),
            format!("var c={{content_noencode:JsDecode('{escaped}')}}"),
            format!("x.body = \"{text}\";"),
        ] {
            assert_eq!(found(&script).as_deref(), Some(text), "{script}");
        }
    }

    #[test]
    fn a_page_of_frames_has_its_text_for_browsers_without_them() {
        let text = "The ferry came back, and the queue reached the shop by noon. ".repeat(8);
        let page = |inside: &str| {
            format!("<frameset><frame src=a><noframes><body><p>{inside}</p></body></noframes></frameset>")
        };
        let found = |source: &str| without_frames(&parse(source).expect("short")).map(|(text, _)| text);
        assert_eq!(found(&page(&text)).as_deref(), Some(text.trim_end()));
        assert_eq!(found(&page("Your browser shows no frames.")), None);
    }

    #[test]
    fn what_is_no_text_is_not_found() {
        let words = "word ".repeat(100);
        let text = "The ferry came back, and the queue reached the shop by noon. ".repeat(8);
        for script in [
            format!("a = {{content: '{words}'}}"),
            format!("a = {{mycontent: '{text}'}}"),
            format!("a = {{content: '{text}"),
            "a = {content: 'Short. Text. Only.'}".to_owned(),
            "content:".repeat(50),
        ] {
            assert_eq!(found(&script), None, "{script}");
        }
    }
}
