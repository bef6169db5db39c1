//! Names of people as pages write them, and where pages show them.

use tamis_dates::dates;
use tamis_html::{Name, Names, NodeId, Tag};
use tamis_text::likeness::{letters, say_the_same};

use super::options::Field;
use super::page::{Page, has_word};
use super::statement::{Statement, Statements};

/// A longer byline is none, characters.
const MOST_NAME_CHARS: usize = 100;
/// A longer line is text, characters.
const MOST_LINE_CHARS: usize = 160;
/// An element with more nodes holds more than names.
const MOST_NODES: usize = 60;
/// Words that a name has at most.
const MOST_NAME_WORDS: usize = 6;

/// Labels of authors, lower case.
const LABELS: &[&str] = &[
    "作者：",
    "作者:",
    "作者/",
    "作者 ",
    "撰文：",
    "撰文:",
    "文：",
    "文/",
    "文／",
    "文|",
    "文｜",
    "by ",
    "by: ",
    "written by ",
    "posted by ",
    "published by ",
    "words by ",
    "words: ",
    "text by ",
    "reported by ",
    "reporting by ",
    "article by ",
    "review by ",
    "story and photos by ",
    "words and photos by ",
    "text and photos by ",
    "story by ",
    "author: ",
    "authors: ",
    "author ",
    "von ",
    "ein beitrag von ",
    "ein artikel von ",
    "eine reportage von ",
    "von: ",
    "text: ",
    "autor: ",
    "autor ",
    "par ",
    "por ",
    "di ",
    "door ",
    "av ",
    "tekst: ",
    "автор: ",
    "автор ",
    "автор:",
    "текст: ",
    "текст:",
    "執筆：",
    "文・",
    "글 ",
    "글=",
    "글:",
    "기자 ",
    "기자명 ",
    "بقلم: ",
    "بقلم ",
    "الكاتب: ",
    "كتب: ",
    "מאת: ",
    "מאת ",
];
/// Labels of authors inside a line, where the name ends before the next label.
const LABELS_WITHIN: &[&str] = &["作者", "撰文", "撰稿", "采写", "採寫", "记者", "記者", "著者", "執筆"];
/// What stands between such a label and the name; blanks only where the label begins its part of the line.
const LABEL_MARKS: [char; 6] = [':', '：', '|', '｜', '/', '／'];
/// Labels of where a text comes from.
const SOURCE_LABELS: &[&str] = &[
    "来源：",
    "来源:",
    "來源：",
    "來源:",
    "稿源：",
    "稿源:",
    "出处：",
    "信息来源：",
    "文章来源：",
    "source: ",
    "quelle: ",
    "fuente: ",
    "fonte: ",
    "источник: ",
];
/// What follows a name and is no part of it.
const ENDS: &[&str] = &[
    "last updated",
    "for",
    "updated",
    "published",
    "posted",
    "photo",
    "photos",
    "photograph",
    "photography",
    "picture",
    "image",
    "images",
    "illustration",
    "video",
    "bild",
    "foto",
    "fotos",
    "quelle",
    "veröffentlicht",
    "aktualisiert",
    "摄影",
    "图",
    "编辑",
    "责任编辑",
    "来源",
    "时间",
    "发布",
    "浏览",
    "阅读",
    "点击",
    "评论",
];
/// What stands between names.
const BETWEEN: &[&str] = &[", ", " and ", " & ", " und ", " et ", " y ", "、", "；", "; ", "，", " | "];
/// Words of family names that have no capital.
const PARTICLES: &[&str] = &[
    "de", "da", "di", "del", "della", "du", "la", "le", "van", "von", "der", "den", "zu", "bin", "al", "ter",
];
/// What a field of a form holds and nobody is called, lower case.
const NOBODY: &[&str] = &[
    "admin",
    "administrator",
    "root",
    "user",
    "unknown",
    "none",
    "null",
    "undefined",
    "author",
    "authors",
    "anonymous",
    "editor",
    "follow author",
    "webmaster",
    "n/a",
    "by",
    "作者",
    "佚名",
    "未知",
];

/// Words of class names around the name of an author, and around that of the source.
const AUTHOR_CLASSES: &[&str] =
    &["author", "authors", "byline", "writer", "zuozhe", "autor", "autoren", "auteur", "auteurs", "vcard"];
const SOURCE_CLASSES: &[&str] = &["source", "origin", "laiyuan", "from"];
/// Parts of the addresses of pages about people.
const PROFILES: &[&str] = &[
    "author",
    "authors",
    "autor",
    "autoren",
    "auteur",
    "auteurs",
    "bio",
    "by",
    "profile",
    "profiles",
    "people",
    "person",
    "contributor",
    "contributors",
    "writer",
    "writers",
    "staff",
    "columnist",
    "journalist",
    "reporter",
    "user",
    "users",
    "team",
    "autore",
    "autori",
    "byline",
];

/// What says of an element that it holds a name.
const RELATED: Names = Names::of(&[Name::Rel]);
const NAMED: Names = Names::of(&[Name::Class, Name::Id]);

/// Finds the names that a page shows near its main heading.
pub(super) fn shown(page: &Page<'_, '_>, found: &mut Statements) {
    let mut reader = Reader { page, found };
    // Away from the heading the relation alone counts.
    let may_tell = |node: &NodeId| {
        page.tree.has_any(*node, RELATED) || page.is_near(*node) && page.tree.has_any(*node, NAMED)
    };
    for node in (1..page.tree.len()).filter(may_tell) {
        reader.element(node);
    }
    for block in page.near.clone().filter(|block| Some(*block) != page.main) {
        reader.line(block);
    }
}

struct Reader<'r, 'p, 'a> {
    page: &'r Page<'p, 'a>,
    found: &'r mut Statements,
}

impl Reader<'_, '_, '_> {
    /// Reads an element that says by its relation or its class that it holds a name.
    fn element(&mut self, node: NodeId) {
        let tree = self.page.tree;
        if matches!(tree.tag(node), Tag::Text | Tag::Meta | Tag::Link | Tag::Script | Tag::Style | Tag::Body)
            || tree.end(node) - node > MOST_NODES
            || tree.attribute(node, Name::ItemProp).is_some()
        {
            return;
        }
        let near = self.page.is_near(node);
        let rel = tree.attribute(node, Name::Rel).unwrap_or_default();
        if rel.split_ascii_whitespace().any(|rel| rel == "author") {
            // Elsewhere it is the author of another page, or of a comment.
            self.names(node, "rel-author", if near { 0.75 } else { 0.4 });
        }
        let class =
            tree.attribute(node, Name::Class).or_else(|| tree.attribute(node, Name::Id)).unwrap_or_default();
        if !near || class.is_empty() || self.page.is_code(node) {
            return;
        }
        if has_word(class, AUTHOR_CLASSES) {
            self.names(node, "author-class", 0.7);
        } else if has_word(class, SOURCE_CLASSES) {
            self.source(node);
        }
    }

    /// The names in an element: of the pages about people that it links, or else of its text.
    fn names(&mut self, node: NodeId, rule: &'static str, confidence: f64) {
        if self.page.is_beside(node) {
            return;
        }
        for name in names_in(self.page, node) {
            self.found.add(Field::Author, &name, rule, self.page.element_span(node), confidence);
        }
    }

    /// The name of a source at the beginning of an element that is so called.
    fn source(&mut self, node: NodeId) {
        let Some(block) = self.page.block_at(node) else { return };
        let text = if block.nodes().end <= self.page.tree.end(node) {
            self.page.blocks.text_of(block).to_owned()
        } else {
            self.page.text(node)
        };
        let name = SOURCE_LABELS.iter().find_map(|label| text.strip_prefix(label)).unwrap_or(&text).trim();
        let is_plain = !name.contains([':', '：', '。', '，']) && dates(name).next().is_none();
        if is_plain && is_name(name) {
            self.found.add(Field::Source, name, "source-class", self.page.element_span(node), 0.6);
        }
    }

    /// Reads a line near the main heading.
    fn line(&mut self, at: usize) {
        let page = self.page;
        let Some(block) = page.blocks.blocks.get(at) else { return };
        let text = page.blocks.text_of(block).trim();
        if text.chars().count() > MOST_LINE_CHARS
            || page.is_hidden(block)
            || page.is_code(block.nodes().start)
        {
            return;
        }
        let span = page.nodes_span(block.nodes());
        let within = |labels: &[&str]| {
            let behind = |label: &&str| {
                let start = text.get(..label.len()).filter(|start| start.eq_ignore_ascii_case(label));
                let other = || text.split_once(label).map(|(_, name)| name);
                start.and_then(|start| text.get(start.len()..)).or_else(other)
            };
            labels.iter().find_map(behind).map(|name| up_to_blank(name).to_owned())
        };
        // Every label of a source ends with a colon, and those within a line are Chinese.
        let source = if text.contains([':', '：']) { within(SOURCE_LABELS) } else { None };
        if let Some(source) = source.filter(|source| is_name(source)) {
            self.found.add(Field::Source, &source, "source-label", span.clone(), 0.65);
        }
        // They begin with four characters that have three first bytes, which no alphabet has.
        let may_be_within = memchr::memchr3(0xE4, 0xE6, 0xE8, text.as_bytes()).is_some();
        let name = if may_be_within { behind_label(text) } else { None };
        if let Some(name) = name {
            for name in people(name) {
                self.found.add(Field::Author, &name, "byline", span.clone(), 0.65);
            }
            return;
        }
        let name = without_label(text);
        if name.len() == text.len() || is_running(name) || page.is_beside(block.nodes().start) {
            return;
        }
        let linked = profiles(page, block.nodes().start, block.nodes().end);
        let names = if linked.is_empty() { people(text) } else { linked };
        for name in names.iter().filter(|name| name.split_whitespace().count() <= MOST_NAME_WORDS) {
            self.found.add(Field::Author, name, "byline", span.clone(), 0.6);
        }
    }
}

/// The names in an element, if it holds nothing else.
pub(super) fn names_in(page: &Page<'_, '_>, node: NodeId) -> Vec<String> {
    let linked = profiles(page, node + 1, page.tree.end(node));
    if !linked.is_empty() {
        return linked;
    }
    let is_name_of = |inner: &NodeId| page.tree.attribute(*inner, Name::ItemProp) == Some("name");
    let named: Vec<String> =
        (node + 1..page.tree.end(node)).filter(is_name_of).map(|inner| page.text(inner)).collect();
    if named.is_empty() {
        let lines = page.lines(node);
        // The next line says for whom, where and how to follow; but a list of names has a line for each.
        let has_label = lines.first().is_some_and(|line| without_label(line).len() < line.len());
        let others = lines.iter().skip(1).filter(|line| !has_label && is_full_name(line));
        lines.first().into_iter().chain(others).flat_map(|line| people(line)).collect()
    } else {
        named.iter().flat_map(|name| people(name)).collect()
    }
}

/// The texts of links to pages about people.
fn profiles(page: &Page<'_, '_>, from: NodeId, to: NodeId) -> Vec<String> {
    let tree = page.tree;
    let is_profile = |node: &NodeId| {
        let address = tree.attribute(*node, Name::Href).unwrap_or_default();
        let path = address.split(['?', '#']).next().unwrap_or_default();
        let mut parts = path.split('/').map(str::to_ascii_lowercase);
        tree.tag(*node) == Tag::A && parts.any(|part| PROFILES.contains(&part.as_str()))
    };
    let nodes = (from..to).chain(page.above(from).take(2)).filter(is_profile);
    nodes.flat_map(|node| people(&page.text(node))).collect()
}

/// A byline without `By` or `作者：`.
pub(super) fn without_label(text: &str) -> &str {
    let first = text.bytes().next().unwrap_or_default();
    let is_label = |label: &&&str| {
        // Most labels and most lines begin with a letter of ASCII, which tells them apart at once.
        if first.is_ascii() && !label.bytes().next().is_some_and(|byte| byte.eq_ignore_ascii_case(&first)) {
            return false;
        }
        let Some(start) = text.get(..label.len()) else { return false };
        // Looked for at every line near the heading, so nothing is allocated for what is ASCII.
        if start.is_ascii() { start.eq_ignore_ascii_case(label) } else { start.to_lowercase() == ***label }
    };
    let label = LABELS.iter().filter(is_label).max_by_key(|label| label.len());
    label.and_then(|label| text.get(label.len()..)).map_or(text, str::trim)
}

/// Whether what stands behind `By`, `Von` or `Par` goes on as a sentence does: those are words of running text, too, and
/// `Von oben sieht man das Tal.` names nobody.
fn is_running(behind: &str) -> bool {
    const MOST_WORDS: usize = 3;
    let first = behind.split_whitespace().next().unwrap_or_default();
    let is_word = first.starts_with(char::is_lowercase) && first.chars().all(char::is_alphabetic);
    let n_small = || behind.split_whitespace().filter(|word| word.starts_with(char::is_lowercase)).count();
    is_word && !PARTICLES.contains(&first) && n_small() > MOST_WORDS
}

/// The name behind a Chinese or Japanese label anywhere in a line; behind `（记者` at the beginning of one without a mark.
fn behind_label(text: &str) -> Option<&str> {
    const GLUED: [&str; 6] = ["（记者", "(记者", "（記者", "(記者", "本报记者", "本報記者"];
    const NAME_CHARS: std::ops::RangeInclusive<usize> = 2..=4;
    if let Some(rest) = GLUED.iter().find_map(|label| text.strip_prefix(label)) {
        let name = up_to_blank(rest).trim_end_matches(['）', ')']);
        let is_han = name.chars().all(tamis_text::chars::is_cjk);
        if is_han && NAME_CHARS.contains(&name.chars().count()) {
            return Some(name);
        }
    }
    let behind = |label: &&str| {
        text.match_indices(*label).find_map(|(at, _)| {
            let rest = text.get(at + label.len()..)?;
            let next = rest.trim_start();
            let marked = next.strip_prefix(LABEL_MARKS).map(str::trim_start);
            let name = marked.or_else(|| Some(next).filter(|next| next.len() < rest.len()))?;
            let is_japanese = matches!(*label, "著者" | "執筆");
            Some(if is_japanese { up_to_second_blank(name) } else { up_to_blank(name) })
        })
    };
    LABELS_WITHIN.iter().find_map(behind)
}

/// A Japanese name, whose two parts a blank may part.
fn up_to_second_blank(text: &str) -> &str {
    const MOST_CHARS: usize = 4;
    let family = up_to_blank(text);
    let rest = text.get(family.len()..).unwrap_or_default();
    let given = up_to_blank(rest);
    let is_part = |part: &str| (1..=MOST_CHARS).contains(&part.chars().count());
    let end = text.len() - rest.len() + (rest.len() - rest.trim_start().len()) + given.len();
    if is_part(family) && is_part(given) { text.get(..end).unwrap_or(family) } else { family }
}

/// Whether a part of a Chinese byline is a label and what it labels, as pages put them side by side without a blank:
/// `来源：清河日报2019-03-11编辑：王小河`.
pub(super) fn is_labelled_part(part: &str) -> bool {
    const PARTS: [&str; 22] = [
        "信息来源",
        "文章来源",
        "来源",
        "來源",
        "稿源",
        "出处",
        "作者",
        "责任编辑",
        "责编",
        "编辑",
        "編輯",
        "记者",
        "記者",
        "浏览",
        "阅读",
        "点击",
        "浏览次数",
        "点击数",
        "字号",
        "审核",
        "发布人",
        "发布者",
    ];
    const MOST_CHARS: usize = 24;
    let Some((label, value)) = part.split_once([':', '：']) else { return false };
    PARTS.contains(&label.trim()) && value.chars().count() <= MOST_CHARS && !value.contains(['。', '，'])
}

/// A name in a line of labels ends at the next blank, if it is Chinese.
fn up_to_blank(text: &str) -> &str {
    let text = text.trim_start();
    let has_cjk = text.chars().take(4).any(tamis_text::chars::is_cjk);
    let end = if has_cjk {
        text.find(|c: char| c.is_whitespace() || matches!(c, '|' | '｜' | '，'))
    } else {
        text.find(['|', '｜', '\u{3000}'])
    };
    text.get(..end.unwrap_or(text.len())).unwrap_or_default().trim_end()
}

/// The people whom a text names, without the label before them and what stands behind: roles, dates, credits.
pub(super) fn people(text: &str) -> Vec<String> {
    let mut text = text.trim();
    loop {
        let shorter = without_label(text);
        if shorter.len() == text.len() {
            break;
        }
        text = shorter;
    }
    let text = up_to_end(text);
    // `Ann Gray, Senior Reporter`, `Ann Gray, staff writer`.
    let mut parts = split(text);
    let n_parts = parts.len();
    parts.retain(|part| !has_role(part));
    let text = if parts.len() == 1 && n_parts > 1 && is_full_name(parts[0]) { parts[0] } else { text };
    let are_names = parts.len() > 1 && parts.iter().all(|part| is_full_name(part));
    let with_role = || {
        let (name, role) = text.split_once(", ")?;
        let is_role = role.starts_with(char::is_lowercase) && !role.starts_with("and ");
        (is_full_name(name) && is_role).then_some(name)
    };
    let names = if are_names { parts } else { vec![with_role().unwrap_or(text)] };
    names.into_iter().filter(|name| is_name(name)).map(str::to_owned).collect()
}

/// Whether a part of a byline says what somebody is.
fn has_role(part: &str) -> bool {
    const ROLES: [&str; 12] = [
        "writer",
        "reporter",
        "editor",
        "correspondent",
        "journalist",
        "contributor",
        "columnist",
        "producer",
        "photographer",
        "redakteur",
        "redakteurin",
        "journaliste",
    ];
    let mut words = part.split(|c: char| !c.is_alphanumeric());
    words.any(|word| ROLES.iter().any(|role| word.eq_ignore_ascii_case(role)))
}

/// A text up to where something else than names begins.
fn up_to_end(text: &str) -> &str {
    let date = dates(text).next().map_or(text.len(), |located| located.range().start);
    // An address to write to ends a full name.
    let address = text.find('@').and_then(|at| text.get(..at)?.rfind(char::is_whitespace));
    let address = address.filter(|end| text.get(..*end).is_some_and(is_full_name)).unwrap_or(text.len());
    let bracket =
        [" (http", " (@", " | ", " • ", " · ", "\u{3000}"].iter().filter_map(|mark| text.find(mark)).min();
    let lower = text.to_lowercase();
    // Lower case may have another length; then the words are not looked for.
    let word = ENDS.iter().filter(|_| lower.len() == text.len()).filter_map(|word| {
        let at = lower.match_indices(word).map(|(at, _)| at).find(|at| {
            let before = lower.get(..*at).unwrap_or_default();
            let behind = lower.get(at + word.len()..).unwrap_or_default();
            let is_cjk = !word.is_ascii();
            *at > 0
                && (is_cjk
                    || !before.ends_with(char::is_alphanumeric) && !behind.starts_with(char::is_alphabetic))
        })?;
        Some(at)
    });
    let end = word.chain(bracket).fold(date.min(address), usize::min);
    let text = text.get(..end).unwrap_or_default();
    let marks: &[char] = &[' ', '|', '·', ',', '-', '–', '—', '/', ':', '：', '，', '(', '（', '•', ';'];
    let text = text.trim_end_matches(marks).trim_start_matches(marks);
    let shorter = [" on", " am", " le", " in", " at", " el"].iter().find_map(|word| text.strip_suffix(word));
    if date < text.len() + 8 { shorter.unwrap_or(text) } else { text }
}

/// What stands between the marks of a list.
fn split(text: &str) -> Vec<&str> {
    let mut parts = vec![text];
    for mark in BETWEEN {
        parts = parts.into_iter().flat_map(|part| part.split(mark)).collect();
    }
    parts
        .into_iter()
        .map(|part| part.trim_matches([' ', ',']).trim_start_matches("and "))
        .filter(|part| !part.is_empty())
        .collect()
}

/// Whether a text has the form of given and family name: some words, each with a capital, or some Chinese
/// characters.
fn is_full_name(text: &str) -> bool {
    let n_words = text.split_whitespace().count();
    let n_chars = text.chars().count();
    let is_cjk = text.chars().all(|c| tamis_text::chars::is_cjk(c) || c == '·');
    let is_part = |word: &str| word.starts_with(char::is_uppercase) || PARTICLES.contains(&word);
    let is_upper = text.split_whitespace().all(is_part) && text.starts_with(char::is_uppercase);
    let plain = !text.contains(['(', ')', ':', '/', '@']) && !text.chars().any(|c| c.is_ascii_digit());
    if is_cjk { (2..=8).contains(&n_chars) } else { (2..=4).contains(&n_words) && is_upper && plain }
}

/// Addresses, code, dates and whole sentences are no names, and neither is what forms are filled with.
pub(super) fn is_name(text: &str) -> bool {
    let n_letters = text.chars().filter(|c| c.is_alphabetic()).count();
    n_letters > 0
        && !text.contains("://")
        && !text.starts_with("www.")
        && !text.contains(['{', '}', '<', '>', '=', ';', '。', '@'])
        && !text.starts_with("Follow ")
        && !text.contains("()")
        && text.chars().count() <= MOST_NAME_CHARS
        && !NOBODY.contains(&text.to_lowercase().trim())
}

/// Kinds of places by the heading that show who wrote the text.
const SHOWN: [&str; 3] = ["author-class", "byline", "rel-author"];
/// A shown name that is less sure may be that of another text.
const SURE: f64 = 0.6;
/// What is left of the confidence in an account where a full name is shown.
const ACCOUNT: f64 = 0.4;

/// Doubts declared names of one word where a full name is shown by the heading, and puts them last: systems declare the
/// account that published a text, or the house (`jdoe`, `Courier`, `newsroom`), and show who wrote it.
pub(super) fn doubt_accounts(names: &mut [Statement]) {
    let is_shown = |said: &Statement| SHOWN.contains(&said.rule);
    let has_full_name = |said: &Statement| {
        let is_other = |c: char| c == ':' || c.is_ascii_digit();
        said.value.split(", ").next().is_some_and(is_full_name) && !said.value.contains(is_other)
    };
    if !names.iter().any(|said| is_shown(said) && said.confidence >= SURE && has_full_name(said)) {
        return;
    }
    // Chinese and its neighbours write a whole name as one word.
    let is_word = |name: &str| !name.contains(char::is_whitespace) && name.is_ascii();
    let is_account = |said: &Statement| !is_shown(said) && is_word(&said.value);
    names.iter_mut().filter(|said| is_account(said)).for_each(|said| said.confidence *= ACCOUNT);
    names.sort_by_key(is_account);
}

/// Names each once: what another names as well goes, as in `A and B, A, B`.
pub(super) fn each_once(names: &[&str]) -> Vec<String> {
    let mut all: Vec<&str> = Vec::new();
    for name in names {
        if letters(name).next().is_some() && !all.iter().any(|known| say_the_same(known, name)) {
            all.push(name);
        }
    }
    all.into_iter().map(str::to_owned).collect()
}
