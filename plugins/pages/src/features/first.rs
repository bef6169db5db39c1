//! The features of the first model: a block, its place, the elements around it, the page.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use rustc_hash::FxBuildHasher;
use tamis_html::{Container, Name, Tag};

use super::around::{Around, ELEMENTS, Likes, Map, likes, of_each};
use super::columns::Columns;
use super::cues::{COMMENT, RELATED};
use super::measure::{is_alphanumeric, part};
use super::tokens::{Token, tokens};
use super::wording::{Said, Wording};
use super::words::N_GROUPS;
use super::{CUES, MOST_UP, Measures, Page, WORDING, WORDS, cues, head, words};

/// Logarithms of small counts, which most are.
static LOGS: LazyLock<[f32; 256]> =
    LazyLock::new(|| std::array::from_fn(|count| tamis_text::maths::ln_f32(1.0 + count as f32)));

/// Logarithm of a count, so that few and many both make a difference.
pub(super) fn log(count: f32) -> f32 {
    let count = count.max(0.0);
    // In 32 bits the conversion is a third of that in 64.
    let whole = count as u32;
    match LOGS.get(whole as usize) {
        Some(log) if (whole as f32).to_bits() == count.to_bits() => *log,
        _ => tamis_text::maths::ln_f32(1.0 + count),
    }
}

/// How many elements up sums are taken, with the names of the sums.
const LEVELS: [(usize, [&str; 6]); 4] = [
    (0, ["own.blocks", "own.words", "own.links", "own.stops", "own.prose", "own.share"]),
    (1, ["up1.blocks", "up1.words", "up1.links", "up1.stops", "up1.prose", "up1.share"]),
    (2, ["up2.blocks", "up2.words", "up2.links", "up2.stops", "up2.prose", "up2.share"]),
    (4, ["up4.blocks", "up4.words", "up4.links", "up4.stops", "up4.prose", "up4.share"]),
];

/// Blocks before and behind that are looked at, with the names of what is looked at.
const NEIGHBOURS: [(isize, [&str; 5]); 6] = [
    (-3, ["prev3.words", "prev3.links", "prev3.prose", "prev3.same", "prev3.heading"]),
    (-2, ["prev2.words", "prev2.links", "prev2.prose", "prev2.same", "prev2.heading"]),
    (-1, ["prev1.words", "prev1.links", "prev1.prose", "prev1.same", "prev1.heading"]),
    (1, ["next1.words", "next1.links", "next1.prose", "next1.same", "next1.heading"]),
    (2, ["next2.words", "next2.links", "next2.prose", "next2.same", "next2.heading"]),
    (3, ["next3.words", "next3.links", "next3.prose", "next3.same", "next3.heading"]),
];

/// So many different texts there is room for from the start.
const MOST_LIKELY: usize = 256;

/// The farthest of [`NEIGHBOURS`].
const REACH: usize = 3;

/// Words of which the page as a whole is told how much of its prose they hold.
const PAGE_WORDS: [(&str, &str); 8] = [
    ("page.comment", "class:comment"),
    ("page.forum", "class:forum"),
    ("page.post", "class:post"),
    ("page.article", "class:article"),
    ("page.related", "class:related"),
    ("page.list", "class:list"),
    ("page.product", "class:product"),
    ("page.doc", "class:doc"),
];

impl<'a> Page<'a> {
    /// The features of the first model, a row for each block.
    pub fn first(&self) -> Columns {
        self.first_with(&WORDING)
    }

    /// The same with other weights of words than the bundled ones.
    pub fn first_with(&self, wording: &Wording) -> Columns {
        let mut columns = Columns::default();
        FirstParts::new(self, wording).next(self.n_blocks(), &mut columns);
        columns
    }

    /// The features of the first model for some blocks after the others.
    pub(crate) fn first_parts(&self) -> FirstParts<'_, 'a> {
        FirstParts::new(self, &WORDING)
    }
}

/// Makes the features of the first model, for some blocks at a time: 200 of them for each block of a page would
/// take a hundred times the page.
///
/// Holds what must be known of all blocks or of those before, and of the block elements.
pub(crate) struct FirstParts<'p, 'a> {
    page: &'p Page<'a>,
    n_done: usize,
    likes: Vec<Likes>,
    places: Places,
    candidates: [Candidate; 2],
    twins: Twins,
    titles: Titles,
    /// All windows of the body that the page declares.
    body: HashSet<u64>,
    of_page: Vec<(&'static str, f32)>,
    first_h1: Option<usize>,
    /// Words before the blocks that come next.
    n_words_before: f32,
    under: Under,
    said: Said,
}

/// An element that is likely the content, and how many elements up from each the one lies that holds it, too.
struct Candidate {
    names: [&'static str; 4],
    blocks: Range<usize>,
    levels_to_common: Vec<u16>,
}

/// Which texts occur how often.
struct Twins {
    /// For each text how many blocks have it, 10 at most.
    counts: Vec<u8>,
    /// For each block, its text, and in the last four bits how many of the same came before.
    of_block: Vec<u32>,
}

/// How alike blocks and what the page says of itself are; empty where it says nothing.
struct Titles {
    likenesses: Vec<f32>,
    descriptions: Vec<f32>,
    /// The block that most likely is the title.
    best: Option<usize>,
}

/// The elements around a block, its own first.
type Up = [u32; MOST_UP + 1];

/// Under which heading a block stands, and how far behind such blocks.
#[derive(Clone, Copy)]
struct Under {
    level: f32,
    distance: f32,
    cues: u32,
    since_related: f32,
    since_comment: f32,
}

impl<'p, 'a> FirstParts<'p, 'a> {
    fn new(page: &'p Page<'a>, wording: &Wording) -> Self {
        let is_h1 = |b: &usize| (page.heading(*b) - 1.0).abs() < 0.5;
        let (said, titles) = read_words(page, wording);
        Self {
            page,
            n_done: 0,
            likes: likes(page),
            places: Places::of(page),
            candidates: [
                Candidate::new(page, page.top, ["top.up", "top.side", "top.rank", "top.size"]),
                Candidate::new(page, page.bulk, ["bulk.up", "bulk.side", "bulk.rank", "bulk.size"]),
            ],
            twins: Twins::of(page),
            titles,
            body: windows(&page.head.body),
            of_page: of_page(page, (0..page.n_blocks()).filter(is_h1).count()),
            first_h1: (0..page.n_blocks()).find(is_h1),
            n_words_before: 0.0,
            under: Under {
                level: 0.0,
                distance: 1000.0,
                cues: 0,
                since_related: 1000.0,
                since_comment: 1000.0,
            },
            said,
        }
    }

    /// Makes the features of the next blocks, `most` at most; false when none is left.
    pub(crate) fn next(&mut self, most: usize, columns: &mut Columns) -> bool {
        let rows = self.n_done..self.page.n_blocks().min(self.n_done + most);
        self.n_done = rows.end;
        columns.begin(rows.clone());
        let up = self.page.elements_up(rows.clone());
        self.block_features(columns);
        self.element_features(&up, columns);
        self.sum_features(&up, columns);
        self.neighbour_features(columns);
        self.cue_features(columns);
        self.said.features(self.page, &up, columns);
        self.likeness_features(columns);
        self.page_features(columns);
        !rows.is_empty()
    }

    fn block_features(&self, columns: &mut Columns) {
        let page = self.page;
        let blocks = &page.blocks.blocks;
        // They are held in bytes, and asked for in a dozen columns.
        let start = columns.rows().start;
        let of_rows: Vec<Measures> = columns.rows().map(|block| page.measures.of(block)).collect();
        let measures = |block: usize| &of_rows[block - start];
        let per_word = |block: usize, count: fn(&Measures) -> u32| {
            let it = measures(block);
            part(count(it) as f32, it.n_words as f32)
        };
        columns.add("words", |b| log(page.n_words(b)));
        columns.add("links", |b| page.link(b));
        let marks = |block: usize| page.blocks.marks_of(&blocks[block]);
        columns.add("n_links", |b| marks(b).n_links as f32);
        columns.add("bold", |b| part(marks(b).bold_bytes as f32, blocks[b].text().len() as f32));
        columns.add("letters", |b| per_word(b, |it| it.n_letters));
        columns.add("cjk", |b| per_word(b, |it| it.n_cjk));
        columns.add("capitals", |b| part(measures(b).n_capitals as f32, measures(b).n_letters as f32));
        columns.add("digits", |b| per_word(b, |it| it.n_digits));
        columns.add("commas", |b| per_word(b, |it| it.n_commas));
        columns.add("stops", |b| per_word(b, |it| it.n_stops));
        columns.add("n_stops", |b| log(measures(b).n_stops as f32));
        columns.add("marks", |b| per_word(b, |it| it.n_marks));
        columns.add("ends_sentence", |b| f32::from(measures(b).ends_sentence));
        columns.add("ends_with_colon", |b| f32::from(measures(b).ends_with_colon));
        columns.add("after_break", |b| f32::from(blocks[b].after_break()));
        columns.add("prose", |b| page.prose(b));
        columns.add("heading", |b| page.heading(b));
    }

    fn element_features(&self, up: &[Up], columns: &mut Columns) {
        let page = self.page;
        // Looked up once, not for each of eighty columns.
        let around: Vec<&Around> =
            columns.rows().map(|block| page.around.of(page.container(block))).collect();
        let inline = self.inline_groups(columns.rows());
        let is_plain = inline.iter().all(|groups| *groups == 0);
        for group in 0..N_GROUPS {
            if is_plain {
                columns
                    .add_each(words::group_name(group), around.iter().map(|it| f32::from(it.words[group])));
                continue;
            }
            let distance = |(around, inline): (&&Around, &u64)| {
                if inline >> group & 1 == 1 { 0.0 } else { f32::from(around.words[group]) }
            };
            columns.add_each(words::group_name(group), around.iter().zip(&inline).map(distance));
        }
        for (element, (name, _)) in ELEMENTS.iter().enumerate() {
            columns.add_each(name, around.iter().map(|it| f32::from(it.elements[element])));
        }
        columns.add_each("hidden", around.iter().map(|it| f32::from(it.hidden)));
        columns.add_each("article_body", around.iter().map(|it| f32::from(it.article_body)));
        columns.add_each("aria_hidden", around.iter().map(|it| f32::from(it.aria_hidden)));
        let containers = &page.blocks.containers;
        columns.add("depth", |b| containers.get(page.container(b)).map_or(0.0, |it| it.depth() as f32));
        let images = |above: u32| containers.get(above as usize).map_or(0.0, |it| log(it.n_images() as f32));
        columns.add_each("images", up.iter().map(|up| images(up[1])));
    }

    /// For each of some blocks, the groups of words in the classes of the inline elements around its text.
    fn inline_groups(&self, rows: Range<usize>) -> Vec<u64> {
        let tree = &self.page.tree;
        // Lines that only `<br>` parts lie in the same elements, of which there may be five hundred.
        let mut last = (0, 0);
        let groups = |block: &tamis_html::Block| {
            let container = self.page.blocks.containers.get(block.container()).map_or(0, Container::node);
            let innermost = tree.parent(block.nodes().start);
            if innermost != last.0 {
                let mut groups = 0;
                let mut node = innermost;
                while node > container {
                    groups |= WORDS.groups(tree.attribute(node, Name::Class).unwrap_or_default());
                    node = tree.parent(node);
                }
                last = (innermost, groups);
            }
            last.1
        };
        self.page.blocks.blocks.get(rows).unwrap_or_default().iter().map(groups).collect()
    }

    fn sum_features(&self, up: &[Up], columns: &mut Columns) {
        let page = self.page;
        let whole = page.whole();
        for (levels, [blocks, words, links, stops, prose, share]) in LEVELS {
            let make = |element: usize| {
                let it = page.sum(element);
                [
                    log(it.n_blocks),
                    log(part(it.n_words, it.n_blocks)),
                    part(it.n_linked, it.n_words),
                    part(it.n_pointed, it.n_words),
                    part(it.n_prose, it.n_words),
                    part(it.n_words, whole.n_words),
                ]
            };
            let sums = of_each(up.iter().map(|up| up[levels]), make);
            for (at, name) in [blocks, words, links, stops, prose, share].into_iter().enumerate() {
                columns.add_each(name, sums.iter().map(|sums| sums[at]));
            }
        }
        let start = columns.rows().start;
        for (levels, name) in [(1, "up1.place"), (2, "up2.place"), (3, "up3.place")] {
            let ranges = of_each(up.iter().map(|up| up[levels]), |element| {
                let range = page.range(element);
                (range.start as f32, range.len() as f32 - 1.0)
            });
            columns.add(name, |b| {
                let (first, others) = ranges[b - start];
                part(b as f32 - first, others)
            });
        }
        for candidate in &self.candidates {
            candidate.features(page, columns);
        }
    }

    fn neighbour_features(&self, columns: &mut Columns) {
        let page = self.page;
        let rows = columns.rows();
        // Each is a neighbour of six. Before and behind the page are as many that are none.
        let near: Vec<Neighbour> = (rows.start..rows.end + 2 * REACH)
            .map(|at| at.checked_sub(REACH).map_or(Neighbour::NONE, |block| Neighbour::of(page, block)))
            .collect();
        let own = near.get(REACH..).unwrap_or_default();
        for (offset, [words, links, prose, same, heading]) in NEIGHBOURS {
            let others = || near.iter().skip(REACH.saturating_add_signed(offset)).take(rows.len());
            columns.add_each(words, others().map(|it| it.words));
            columns.add_each(links, others().map(|it| it.link));
            columns.add_each(prose, others().map(|it| it.prose));
            columns.add_each(same, own.iter().zip(others()).map(|(own, other)| own.kinship(other)));
            columns.add_each(heading, others().map(|it| it.heading));
        }
    }

    fn cue_features(&mut self, columns: &mut Columns) {
        let page = self.page;
        let start = columns.rows().start;
        let found: Vec<u32> = columns.rows().map(|b| CUES.groups(page.text(b))).collect();
        for group in 0..cues::N_GROUPS {
            columns.add(cues::group_name(group), |b| f32::from((found[b - start] >> group & 1) as u8));
        }
        let under: Vec<Under> = (columns.rows().zip(&found))
            .map(|(block, cues)| *self.under.pass(page.heading(block), page.n_words(block), *cues))
            .collect();
        let under = |b: usize| under[b - start];
        columns.add("under.level", |b| under(b).level);
        columns.add("under.distance", |b| log(under(b).distance));
        columns.add("under.related", |b| f32::from((under(b).cues >> RELATED & 1) as u8));
        columns.add("under.comment", |b| f32::from((under(b).cues >> COMMENT & 1) as u8));
        columns.add("since.related", |b| log(under(b).since_related));
        columns.add("since.comment", |b| log(under(b).since_comment));
    }

    fn likeness_features(&self, columns: &mut Columns) {
        let page = self.page;
        let start = columns.rows().start;
        let of = |b: usize| self.likes.get(page.look(page.container(b)));
        let likes: Vec<Likes> = columns.rows().map(|b| of(b).copied().unwrap_or_default()).collect();
        let like = |b: usize| likes[b - start];
        let whole = page.whole();
        columns.add("like.n", |b| log(like(b).n));
        columns.add("like.words", |b| log(part(like(b).n_words, like(b).n)));
        columns.add("like.links", |b| part(like(b).n_linked, like(b).n_words));
        columns.add("like.share", |b| part(like(b).n_words, whole.n_words));
        let place = |b: usize| self.places.of_container(page.container(b));
        columns.add("sibling.rank", |b| log(place(b).rank));
        columns.add("sibling.n", |b| log(place(b).n_siblings));
        columns.add("article.rank", |b| place(b).article as f32);
        let twins = &self.twins;
        columns.add("twin.rank", |b| (twins.of_block[b] & 15) as f32);
        columns.add("twin.n", |b| f32::from(twins.counts[(twins.of_block[b] >> 4) as usize]));
        let titles = &self.titles;
        columns.add("title", |b| titles.likenesses.get(b).copied().unwrap_or(-1.0));
        columns.add("since.title", |b| {
            titles.best.map_or(-100.0, |best| {
                let distance = b as f32 - best as f32;
                log(distance.abs()) * distance.signum()
            })
        });
        columns.add("description", |b| titles.descriptions.get(b).copied().unwrap_or(-1.0));
        columns.add("body.known", |_| f32::from(!self.body.is_empty()));
        columns.add("body", |b| if self.body.is_empty() { -1.0 } else { in_body(page.text(b), &self.body) });
    }

    fn page_features(&mut self, columns: &mut Columns) {
        let page = self.page;
        let n_blocks = page.n_blocks() as f32;
        let whole = page.whole();
        columns.add("place", |b| part(b as f32, n_blocks));
        columns.add("place.words", |b| {
            let place = part(self.n_words_before, whole.n_words);
            self.n_words_before += page.n_words(b);
            place
        });
        columns.add("place.first", |b| log(b as f32));
        columns.add("place.last", |b| log(n_blocks - b as f32));
        columns.add("place.h1", |b| self.first_h1.map_or(-1000.0, |h1| b as f32 - h1 as f32));
        for (name, value) in &self.of_page {
            columns.add(name, |_| *value);
        }
        for (bit, (name, _)) in head::KINDS.iter().enumerate() {
            columns.add(name, |_| f32::from((page.head.kinds >> bit & 1) as u8));
        }
    }
}

impl Under {
    /// Goes on to the next block.
    fn pass(&mut self, heading: f32, n_words: f32, cues: u32) -> &Self {
        let is_short = n_words < 12.0;
        let is = |cue: usize| is_short && cues >> cue & 1 == 1;
        if heading > 0.0 {
            (self.level, self.distance, self.cues) = (heading, 0.0, cues);
        } else {
            self.distance += 1.0;
        }
        self.since_related = if is(RELATED) { 0.0 } else { self.since_related + 1.0 };
        self.since_comment = if is(COMMENT) { 0.0 } else { self.since_comment + 1.0 };
        self
    }
}

impl Candidate {
    fn new(page: &Page<'_>, candidate: usize, names: [&'static str; 4]) -> Self {
        let blocks = page.range(candidate);
        let mut levels_to_common: Vec<u16> = Vec::with_capacity(page.blocks.containers.len());
        for (index, container) in page.blocks.containers.iter().enumerate() {
            let inside = container.blocks();
            let holds = inside.start <= blocks.start && blocks.end <= inside.end && index <= candidate;
            let above = levels_to_common.get(container.parent()).copied().unwrap_or(0);
            levels_to_common.push(if holds { 0 } else { above + 1 });
        }
        Self { names, blocks, levels_to_common }
    }

    /// Where a block lies relative to it.
    fn features(&self, page: &Page<'_>, columns: &mut Columns) {
        let Self { names, blocks, levels_to_common } = self;
        columns.add(names[0], |b| {
            if blocks.contains(&b) {
                -1.0
            } else {
                levels_to_common.get(page.container(b)).copied().unwrap_or(0).into()
            }
        });
        columns.add(names[1], |b| if b < blocks.start { -1.0 } else { f32::from(b >= blocks.end) });
        columns.add(names[2], |b| part(b as f32 - blocks.start as f32, blocks.len() as f32).clamp(-2.0, 3.0));
        columns.add(names[3], |_| part(blocks.len() as f32, page.n_blocks() as f32));
    }
}

impl Twins {
    fn of(page: &Page<'_>) -> Self {
        // As many as most pages have; a page of a million lines may have the same text in all of them.
        let n_likely = page.n_blocks().min(MOST_LIKELY);
        let mut texts: Map<&str, u32> = Map::with_capacity_and_hasher(n_likely, FxBuildHasher);
        let mut counts: Vec<u8> = Vec::new();
        let of_block = (0..page.n_blocks()).map(|b| {
            let text = *texts.entry(page.text(b)).or_insert(counts.len() as u32);
            if text as usize == counts.len() {
                counts.push(0);
            }
            let count = &mut counts[text as usize];
            *count = count.saturating_add(1).min(10);
            text << 4 | u32::from(*count - 1)
        });
        let of_block = of_block.collect();
        Self { counts, of_block }
    }
}

impl Titles {
    fn new(page: &Page<'_>, Comparison { title, likenesses, descriptions, .. }: Comparison) -> Self {
        let mut it = Self { likenesses, descriptions, best: None };
        if title.is_empty() {
            return it;
        }
        let likely = |b: usize| it.likenesses[b] + if page.heading(b) > 0.0 { 0.3 } else { 0.0 };
        let best = (0..it.likenesses.len()).max_by(|a, b| likely(*a).total_cmp(&likely(*b)).then(b.cmp(a)));
        it.best = best.filter(|best| it.likenesses[*best] > 0.3);
        it
    }
}

/// Makes [`Titles`] of the blocks of a page, one after the other.
struct Comparison {
    title: Vec<u64>,
    description: Vec<u64>,
    /// The bits of all of their words.
    looked_for: [u64; BITS / 64],
    likenesses: Vec<f32>,
    descriptions: Vec<f32>,
    /// The words of a block.
    own: Vec<u64>,
    /// Those of them that may be of the title or the description, and places for all to be counted once.
    common: Vec<u64>,
    places: Vec<u64>,
}

impl Comparison {
    fn new(page: &Page<'_>) -> Self {
        let (title, description) = (words_of(&page.head.title), words_of(&page.head.description));
        let mut looked_for = [0; BITS / 64];
        for word in title.iter().chain(&description) {
            looked_for[bit(*word) / 64] |= 1 << (bit(*word) % 64);
        }
        let room = |words: &[u64]| Vec::with_capacity(if words.is_empty() { 0 } else { page.n_blocks() });
        let (likenesses, descriptions) = (room(&title), room(&description));
        let (own, common, places) = (Vec::new(), Vec::new(), vec![0; PLACES]);
        Self { title, description, looked_for, likenesses, descriptions, own, common, places }
    }

    /// Begins with a block, and says whether its words are wanted: longer ones are no title and no description.
    fn begin(&mut self, page: &Page<'_>, block: usize) -> bool {
        self.own.clear();
        page.n_words(block) <= 80.0 && !(self.title.is_empty() && self.description.is_empty())
    }

    /// Ends the block, which was short or not.
    fn end(&mut self, is_short: bool) {
        let Self { looked_for, own, common, places, .. } = self;
        let may_be = |word: &&u64| looked_for[bit(**word) / 64] >> (bit(**word) % 64) & 1 == 1;
        common.clear();
        common.extend(own.iter().filter(may_be));
        common.sort_unstable();
        common.dedup();
        // Most have none of the words, and then it does not matter how many they have.
        let n_own = if common.is_empty() { 0 } else { n_different(own, places) };
        for (likenesses, words) in
            [(&mut self.likenesses, &self.title), (&mut self.descriptions, &self.description)]
        {
            if !words.is_empty() {
                likenesses.push(if is_short { overlap(common, n_own, words) } else { -1.0 });
            }
        }
    }
}

/// What the words of all blocks say, and how alike they are to what the page says of itself: one walk for both.
fn read_words(page: &Page<'_>, wording: &Wording) -> (Said, Titles) {
    let mut comparison = Comparison::new(page);
    let say = |block: usize| {
        let mut said = wording.begin();
        let is_short = comparison.begin(page, block);
        tokens(page.text(block), |token| {
            if is_short {
                add_word(&token, &mut comparison.own);
            }
            said.pass(&token) || is_short
        });
        comparison.end(is_short);
        said.end()
    };
    let said = (0..page.n_blocks()).map(say).collect();
    (Said::new(page, said), Titles::new(page, comparison))
}

/// The block that most likely is the title of a page.
pub(super) fn title_block(page: &Page<'_>) -> Option<usize> {
    let mut comparison = Comparison::new(page);
    if comparison.title.is_empty() {
        return None;
    }
    for block in 0..page.n_blocks() {
        let is_short = comparison.begin(page, block);
        if is_short {
            add_words(page.text(block), &mut comparison.own);
        }
        comparison.end(is_short);
    }
    Titles::new(page, comparison).best
}

/// The features that all blocks of a page share.
fn of_page(page: &Page<'_>, n_h1: usize) -> Vec<(&'static str, f32)> {
    let n_blocks = page.n_blocks() as f32;
    let whole = page.whole();
    let top = page.sum(page.top);
    let count = |tag: Tag| page.blocks.containers.iter().filter(|it| it.tag == tag).count() as f32;
    let groups = PAGE_WORDS.map(|(_, word)| words::group_of(word));
    let mut prose = [0.0_f32; PAGE_WORDS.len()];
    let mut n_cjk = 0.0_f32;
    for block in 0..page.n_blocks() {
        n_cjk += page.measures.of(block).n_cjk as f32;
        let around = page.around.of(page.container(block));
        let own = page.prose(block) * page.n_words(block);
        for (prose, group) in prose.iter_mut().zip(groups) {
            if around.words[group] < 8 {
                *prose += own;
            }
        }
    }
    let mut features = vec![
        ("page.h1", n_h1 as f32),
        ("page.blocks", log(n_blocks)),
        ("page.words", log(whole.n_words)),
        ("page.links", part(whole.n_linked, whole.n_words)),
        ("page.prose", part(whole.n_prose, whole.n_words)),
        ("page.articles", log(count(Tag::Article))),
        ("page.paragraphs", part(count(Tag::P), n_blocks)),
        ("page.items", part(count(Tag::Li), n_blocks)),
        ("page.top", part(top.n_words, whole.n_words)),
        ("page.top.prose", part(top.n_prose, whole.n_prose)),
        ("page.cjk", part(n_cjk, whole.n_words)),
    ];
    features
        .extend(PAGE_WORDS.iter().zip(prose).map(|((name, _), prose)| (*name, part(prose, whole.n_prose))));
    features
}

/// What is asked of a block by those around it.
#[derive(Clone, Copy)]
struct Neighbour {
    words: f32,
    link: f32,
    prose: f32,
    heading: f32,
    /// Its element, and what that looks like and lies in.
    element: usize,
    look: usize,
    above: usize,
}

impl Neighbour {
    /// What stands beside the first and the last block.
    const NONE: Self = Self {
        words: -1.0,
        link: -1.0,
        prose: -1.0,
        heading: 0.0,
        element: usize::MAX,
        look: usize::MAX,
        above: usize::MAX,
    };

    fn of(page: &Page<'_>, block: usize) -> Self {
        if block >= page.n_blocks() {
            return Self::NONE;
        }
        let element = page.container(block);
        Self {
            words: log(page.n_words(block)),
            link: page.link(block),
            prose: page.prose(block),
            heading: page.heading(block),
            element,
            look: page.look(element),
            above: page.parent(element),
        }
    }

    /// How close two blocks are: 3 in one element, 2 in such that look the same, 1 side by side; -1 if the other is none.
    fn kinship(&self, other: &Self) -> f32 {
        if other.element == usize::MAX {
            -1.0
        } else if self.element == other.element {
            3.0
        } else if self.look == other.look {
            2.0
        } else {
            f32::from(self.above == other.above)
        }
    }
}

/// Where block elements lie among those that look the same, and in which article.
///
/// Most lie in no article and have no such siblings, so what is known of each is held once: a page may have an element in
/// four bytes of source.
struct Places {
    known: Vec<Place>,
    /// For each block element, which of the known it has.
    of_container: Vec<u32>,
}

/// Of an element and those around it that have siblings which look the same and hold prose, the one with the most.
#[derive(Clone, Copy, Default, PartialEq)]
struct Place {
    /// Which of its siblings it is, and how many there are.
    rank: f32,
    n_siblings: f32,
    /// The number of the article that an element is or lies in, 0 outside.
    article: u32,
}

impl Places {
    fn of(page: &Page<'_>) -> Self {
        let containers = &page.blocks.containers;
        let mut counts: Map<(usize, u64), f32> = Map::default();
        let mut ranks = vec![0.0; containers.len()];
        let key = |index: usize| (page.parent(index), page.around.of(index).signature);
        let counted = |index: usize| index > 0 && page.sum(index).n_prose > 20.0;
        for index in (0..containers.len()).filter(|index| counted(*index)) {
            let count = counts.entry(key(index)).or_default();
            *count += 1.0;
            ranks[index] = *count;
        }
        let mut n_articles = 0;
        // Elements come in document order, so what is around one is known before it.
        let mut it =
            Self { known: vec![Place::default()], of_container: Vec::with_capacity(containers.len()) };
        for (index, container) in containers.iter().enumerate() {
            let above = it.of_container.get(container.parent()).copied().unwrap_or(0);
            let mut place = it.known.get(above as usize).copied().unwrap_or_default();
            let around = place;
            let is_counted = ranks[index] > 0.0;
            let n = if is_counted { counts.get(&key(index)).copied().unwrap_or(0.0) } else { 0.0 };
            if n > place.n_siblings.max(1.0) {
                (place.rank, place.n_siblings) = (ranks[index], n);
            }
            if container.tag == Tag::Article && place.article == 0 {
                n_articles += 1;
                place.article = n_articles;
            }
            if place == around {
                it.of_container.push(above);
            } else {
                it.of_container.push(it.known.len() as u32);
                it.known.push(place);
            }
        }
        it
    }

    fn of_container(&self, container: usize) -> Place {
        let known = self.of_container.get(container).and_then(|place| self.known.get(*place as usize));
        known.copied().unwrap_or_default()
    }
}

/// Whether a block stands in the text that the page declares as its body: 1, 0, or -1 for one too short to
/// be told.
fn in_body(block: &str, body: &HashSet<u64>) -> f32 {
    let start: Vec<char> = block.chars().filter(|c| is_alphanumeric(*c)).take(WINDOW).collect();
    if start.len() < WINDOW { -1.0 } else { f32::from(body.contains(&hash(&start))) }
}

/// How alike two lists of words are, 0 to 1: `n_own`, of which `common` may be among the others, and sorted `words`.
fn overlap(common: &[u64], n_own: usize, words: &[u64]) -> f32 {
    let n_common = common.iter().filter(|word| words.binary_search(word).is_ok()).count();
    2.0 * n_common as f32 / (n_own + words.len()).max(1) as f32
}

/// Places in which the words of a block are counted, more than most short ones have words.
const PLACES: usize = 256;

/// How many different words there are; `places` are all 0, and are so again.
fn n_different(words: &[u64], places: &mut [u64]) -> usize {
    if words.len() * 2 > PLACES {
        let mut words = words.to_vec();
        words.sort_unstable();
        words.dedup();
        return words.len();
    }
    let first_place = |word: u64| (word ^ word >> 32) as usize % PLACES;
    let mut n_found = 0;
    // 0 is no key but by a chance that would make a list one shorter.
    for word in words.iter().filter(|word| **word != 0) {
        let mut place = first_place(*word);
        while places[place] != 0 && places[place] != *word {
            place = (place + 1) % PLACES;
        }
        n_found += usize::from(places[place] == 0);
        places[place] = *word;
    }
    // What was put where another word stood lies behind it without a gap.
    for word in words {
        let mut place = first_place(*word);
        while places[place] != 0 {
            places[place] = 0;
            place = (place + 1) % PLACES;
        }
    }
    n_found
}

/// So many letters of a paragraph tell where it stands.
const WINDOW: usize = 12;

/// All windows of a text, letters and digits alone: white space, tags and punctuation differ between the
/// structured data and the page.
fn windows(text: &str) -> HashSet<u64> {
    let letters: Vec<char> = text.chars().filter(|c| is_alphanumeric(*c)).collect();
    letters.windows(WINDOW).map(hash).collect()
}

fn hash(letters: &[char]) -> u64 {
    letters.iter().fold(0, |hash, letter| step(hash, *letter))
}

fn step(hash: u64, letter: char) -> u64 {
    (hash ^ u64::from(u32::from(letter))).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23)
}

/// The words of a text, as numbers, sorted, each once; case does not count, and Chinese characters are words.
fn words_of(text: &str) -> Vec<u64> {
    let mut words = Vec::new();
    add_words(text, &mut words);
    words.sort_unstable();
    words.dedup();
    words
}

/// Adds the words of a text, in order.
fn add_words(text: &str, words: &mut Vec<u64>) {
    tokens(text, |token| {
        add_word(&token, words);
        true
    });
}

/// Adds a token as a word, or as the rest of the last one: the model of a thing is a word whatever its digits.
fn add_word(token: &Token, words: &mut Vec<u64>) {
    match words.last_mut().filter(|_| token.goes_on) {
        Some(word) => *word = (word.rotate_left(23) ^ token.key).wrapping_mul(0x9E37_79B9_7F4A_7C15),
        None => words.push(token.key),
    }
}

/// So many bits tell most words from those of a title and a description.
const BITS: usize = 4096;

/// The bit of a word.
fn bit(word: u64) -> usize {
    (word ^ word >> 40) as usize % BITS
}
