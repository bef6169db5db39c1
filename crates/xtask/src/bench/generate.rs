//! Invented pages, the same for the same number.

use std::fmt::Write as _;

/// How many sites the pages are from; half of them are Chinese.
const SITES: u64 = 40;
/// One page in so many says what an earlier one says.
const REPEAT_EVERY: u64 = 40;
/// The most paragraphs of a page, about 600 KB of text.
const MOST_PARAGRAPHS: f64 = 2_000.0;

/// One invented page.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// Its path below the tree of pages.
    pub(crate) path: String,
    pub(crate) url: String,
    /// What is left when the tags are stripped: boilerplate and all.
    pub(crate) text: String,
    pub(crate) html: String,
}

/// Page `number` of the corpus.
///
/// A site repeats its lines on every page of it; sizes have a long tail (Pareto, exponent 1.25), as pages do.
pub(crate) fn page(number: u64) -> Page {
    let mut dice = Dice::new(number);
    let is_repeat = number > 0 && number.is_multiple_of(REPEAT_EVERY);
    let source = if is_repeat { dice.below(number) } else { number };
    let mut content = Dice::new(source ^ CONTENT);
    // Few sites have most of the pages.
    let site = content.below(SITES).min(content.below(SITES));
    let words = Words::of(site);
    let n_paragraphs = (3.0 / content.fraction().max(1e-9).powf(0.8)).min(MOST_PARAGRAPHS) as usize;
    let title = words.title(&mut content);
    let paragraphs: Vec<String> = (0..n_paragraphs).map(|_| words.paragraph(&mut content)).collect();
    let (header, footer) = boilerplate(site, words);

    let path = format!("site-{site:02}/{:03}/page-{number:07}.html", number / 500 % 1000);
    let lines = header.iter().chain([&title]).chain(&paragraphs).chain(&footer);
    let text = lines.fold(String::new(), |text, line| text + line + "\n");
    let url = format!("http://site-{site:02}.example/page-{number:07}.html");
    Page { path, url, text, html: html(site, words, &title, &header, &paragraphs, &footer) }
}

/// Keeps what pages say apart from which pages repeat others.
const CONTENT: u64 = 0x5eed_c047_e047;
/// Keeps what sites say apart from what pages say.
const SITE: u64 = 0x5eed_517e;

/// The lines that a site has on top and at the bottom of every page.
fn boilerplate(site: u64, words: Words) -> (Vec<String>, Vec<String>) {
    let mut dice = Dice::new(site ^ SITE);
    let mut lines = |most: u64| {
        let n_lines = 4 + dice.below(most);
        (0..n_lines).map(|_| words.title(&mut dice)).collect()
    };
    (lines(24), lines(16))
}

fn html(
    site: u64,
    words: Words,
    title: &str,
    header: &[String],
    paragraphs: &[String],
    footer: &[String],
) -> String {
    let language = if words == Words::Chinese { "zh" } else { "en" };
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title}</title>\n<style>\n"
    );
    for number in 0..24 {
        writeln!(
            html,
            ".site-{site}-box-{number} {{ margin: {number}px auto; color: #{:06x}; }}",
            number * 7919
        )
        .expect("a string takes all that is written");
    }
    html += "</style>\n<script>window.settings = {\"track\": false, \"site\": ";
    html += &format!("{site}}};</script>\n</head>\n<body>\n<nav><ul>\n");
    let items = |html: &mut String, lines: &[String]| {
        for (number, line) in lines.iter().enumerate() {
            *html +=
                &format!("<li class=\"item box-{number}\"><a href=\"/section/{number}/\">{line}</a></li>\n");
        }
    };
    items(&mut html, header);
    html += &format!("</ul></nav>\n<article>\n<h1>{title}</h1>\n");
    for (number, paragraph) in paragraphs.iter().enumerate() {
        html += &format!("<p class=\"body-text\" id=\"paragraph-{number}\">{paragraph}</p>\n");
    }
    html += "</article>\n<footer><ul>\n";
    items(&mut html, footer);
    html + "</ul></footer>\n</body>\n</html>\n"
}

/// The language of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Words {
    English,
    Chinese,
}

const SYLLABLES: &[&str] = &[
    "an", "ber", "con", "dal", "el", "fin", "gra", "hol", "in", "jor", "ken", "lis", "mar", "ne", "or",
    "pel", "qui", "ras", "sto", "ter", "un", "vel", "win", "yar", "zen", "ing", "ed", "ly", "tion", "ment",
];

const CHARACTERS: &str = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响约支般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适属圆包火住调满县局照参红细引听该铁价严";

impl Words {
    fn of(site: u64) -> Self {
        if site.is_multiple_of(2) { Self::Chinese } else { Self::English }
    }

    /// A line of some words: a heading, an entry of a menu.
    fn title(self, dice: &mut Dice) -> String {
        match self {
            Self::English => (0..2 + dice.below(4)).map(|_| word(dice)).collect::<Vec<_>>().join(" "),
            Self::Chinese => characters(dice, 4, 10),
        }
    }

    fn paragraph(self, dice: &mut Dice) -> String {
        let n_sentences = 1 + dice.below(7);
        (0..n_sentences).map(|_| self.sentence(dice)).collect()
    }

    fn sentence(self, dice: &mut Dice) -> String {
        match self {
            Self::English => {
                let words: Vec<String> = (0..6 + dice.below(14)).map(|_| word(dice)).collect();
                format!("{}. ", words.join(" "))
            }
            Self::Chinese => format!("{}，{}。", characters(dice, 6, 14), characters(dice, 5, 20)),
        }
    }
}

fn word(dice: &mut Dice) -> String {
    (0..=dice.below(3)).map(|_| SYLLABLES[dice.skewed(SYLLABLES.len())]).collect()
}

/// From `least` characters on, fewer than `more` more.
fn characters(dice: &mut Dice, least: u64, more: u64) -> String {
    // Every character of the list is three bytes long.
    let n_characters = CHARACTERS.len() / 3;
    let mut text = String::new();
    for _ in 0..least + dice.below(more) {
        let start = 3 * dice.skewed(n_characters);
        text += CHARACTERS.get(start..start + 3).expect("every character is three bytes long");
    }
    text
}

/// Random numbers, the same for the same seed: `SplitMix64` (Steele, Lea, Flood 2014).
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        let mut dice = Self(seed.wrapping_mul(0xd134_2543_de82_ef95));
        dice.next();
        dice
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// At least 0 and less than 1.
    fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Less than `limit`, which is not 0.
    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// An index below `length`, small ones more often, as words are.
    fn skewed(&mut self, length: usize) -> usize {
        let fraction = self.fraction();
        ((fraction * fraction * length as f64) as usize).min(length.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_three_bytes_long() {
        assert!(CHARACTERS.chars().all(|character| character.len_utf8() == 3));
    }

    #[test]
    fn pages_are_the_same_every_time() {
        let first: Vec<Page> = (0..50).map(page).collect();
        assert_eq!(first, (0..50).map(page).collect::<Vec<_>>());
        // A change of the generator changes figures: it must be on purpose.
        let n_bytes: usize = first.iter().map(|page| page.text.len()).sum();
        assert_eq!(n_bytes, 188_489);
    }

    #[test]
    fn pages_are_like_pages() {
        let pages: Vec<Page> = (0..2_000).map(page).collect();
        let mut sizes: Vec<usize> = pages.iter().map(|page| page.text.len()).collect();
        sizes.sort_unstable();
        let (middle, largest) = (sizes[1_000], sizes[1_999]);
        assert!((1_000..8_000).contains(&middle), "{middle}");
        assert!(largest > 20 * middle, "a long tail: {largest}");
        let is_chinese = |page: &&Page| page.html.contains("lang=\"zh\"");
        let n_chinese = pages.iter().filter(is_chinese).count();
        assert!((500..1_500).contains(&n_chinese), "both languages: {n_chinese}");
        let short =
            pages.iter().filter(|page| page.text.chars().filter(|c| !c.is_whitespace()).count() < 1_000);
        assert!((50..1_500).contains(&short.count()), "the filter has something to drop and to keep");
    }

    #[test]
    fn sites_repeat_lines_and_some_pages_repeat_others() {
        let pages: Vec<Page> = (0..400).map(page).collect();
        let mut by_first_line = std::collections::BTreeMap::<&str, usize>::new();
        for page in &pages {
            *by_first_line.entry(page.text.lines().next().unwrap()).or_default() += 1;
        }
        assert!(by_first_line.len() <= SITES as usize, "{}", by_first_line.len());
        let texts: std::collections::BTreeSet<&str> = pages.iter().map(|page| &*page.text).collect();
        assert!((380..400).contains(&texts.len()), "{}", texts.len());
        let paths: std::collections::BTreeSet<&str> = pages.iter().map(|page| &*page.path).collect();
        assert_eq!(paths.len(), 400, "every page has a place of its own");
    }
}
