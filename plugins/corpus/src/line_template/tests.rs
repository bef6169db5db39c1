use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, Extractor};
use tamis_stage::handle::OpenStage;

use super::*;
use crate::spill::tests::{applied, observe, workspace};

fn options(group_by: &[&str]) -> LineTemplateOptions {
    let group_by = FieldNames(group_by.iter().map(|&name| name.to_owned()).collect());
    LineTemplateOptions {
        group_by,
        min_documents: 3,
        min_ratio: 0.2,
        min_shared_lines: 0,
        min_group_documents: 4,
        near_equal: false,
        ..LineTemplateOptions::default()
    }
}

fn page(n: usize, site: &str, text: &str) -> Document {
    let mut document = Document::new(format!("p{n}"), text);
    document.metadata.insert("site", site);
    document
}

/// Four pages of a gazette, and two of a site that is too small to teach anything.
fn corpus() -> Vec<Document> {
    let gazette = |n: usize| {
        page(
            n,
            "gazette",
            &format!(
                "Harbour Gazette\n\nStory {n} of the day: boat {}.\n{n}\n\nShare this\n{} comments\n",
                "abcd".get(n..=n).unwrap(),
                n * 7
            ),
        )
    };
    let mut corpus: Vec<_> = (0..4).map(gazette).collect();
    corpus.extend((4..6).map(|n| page(n, "small", "Share this\nA note.")));
    corpus.push(page(6, "gazette", "Harbour Gazette\n\nShare this\n"));
    corpus
}

fn learned(options: LineTemplateOptions, corpus: &[Document]) -> LineTemplate {
    let stage = LineTemplate::open(options).unwrap();
    observe(&stage, 2, (0..).zip(corpus));
    stage.end_pass(0).unwrap();
    stage
}

/// Shows documents to `n_locals` locals of a pass in turn and merges them, the last first.
fn observe_pass<'a>(
    stage: &LineTemplate,
    pass: u32,
    n_locals: usize,
    documents: impl IntoIterator<Item = &'a Document>,
) {
    let mut locals: Vec<Local> = (0..n_locals).map(|_| Local::default()).collect();
    for (index, document) in documents.into_iter().enumerate() {
        stage.observe(pass, &mut locals[index % n_locals], &View::from(document)).unwrap();
    }
    locals.into_iter().rev().for_each(|local| stage.merge(pass, local));
}

fn saved(stage: &LineTemplate, pass: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    stage.save(pass, &mut bytes).unwrap();
    bytes
}

fn learned_in_all_passes(options: LineTemplateOptions, corpus: &[Document]) -> LineTemplate {
    let stage = LineTemplate::open(options).unwrap();
    for pass in 0..stage.passes() {
        observe_pass(&stage, pass, 2, corpus);
        stage.end_pass(pass).unwrap();
    }
    stage
}

const BOATS: [&str; 6] = ["渡船", "帆船", "货轮", "渔船", "拖船", "小艇"];

/// Six pages of a gazette.
fn gazette() -> Vec<Document> {
    let page = |n: usize| {
        let (boat, editor) = (BOATS[n], ["某甲", "某乙", "某丙"][n % 3]);
        let text = format!(
            "港口日报\n首页\n新闻\n您的位置：首页 > 新闻 > {boat}\n\n{boat}今天没有来\n\n昨天的{boat}也没有来，码头上的人等了又等。\n\n分享到\n{}条评论\n责任编辑：{editor}\n",
            n * 7
        );
        page(n, "gazette", &text)
    };
    (0..6).map(page).collect()
}

/// Two pages of a notebook, which share seven short lines, a quotation and a notice.
fn notebook() -> Vec<Document> {
    let page = |n: usize, story: &str| {
        let text = format!(
            "A notebook\nHome\nAbout me\nPhotos\n\n{story}\n\nThe sea is a bad neighbour. It takes what you leave lying about, and it never says sorry for the noise.\n\n{story} And more.\n\nOlder notes\nAll texts are mine. Please do not copy them to other places without a word to me, or I shall be very cross.\nNewer notes\nWrite to me\n{}",
            format!("{story} It was a long day, and I had time to write all of it down in full. ").repeat(6)
        );
        page(n, "notebook", &text)
    };
    vec![page(6, "I went to the harbour."), page(7, "I stayed at home and mended a net.")]
}

/// What the cases have seen.
struct Harbour(LineTemplate);

impl Extractor for Harbour {
    const NAME: &'static str = LineTemplate::NAME;
    type Options = LineTemplateOptions;

    fn open(options: LineTemplateOptions) -> Result<Self, SetupError> {
        let corpus = [gazette(), notebook()].concat();
        Ok(Self(learned_in_all_passes(options, &corpus)))
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        self.0.apply(draft)
    }
}

#[test]
fn cases() {
    for (page, markdown) in [
        ("template.md", include_str!("cases/template.md")),
        ("parts.md", include_str!("cases/parts.md")),
        ("quotations.md", include_str!("cases/quotations.md")),
    ] {
        check_extractor::<Harbour>(page, markdown);
    }
}

fn read(name: &str, content: &str, options: &LineTemplateOptions) -> Result<Table, String> {
    let mut table = Builder::new(None);
    table::read(name, &mut content.as_bytes(), options, &mut table)?;
    Ok(table.finish().unwrap())
}

#[test]
fn lines_that_a_site_repeats_go() {
    let corpus = corpus();
    let stage = learned(options(&["site"]), &corpus);
    let (verdict, text, _) = applied(&stage, 0, &corpus[2]);
    assert_eq!((verdict, text.as_str()), (Verdict::Keep, "Story 2 of the day: boat c.\n2\n"));
    assert_eq!(applied(&stage, 4, &corpus[4]).1, "Share this\nA note.");
    let (verdict, text, _) = applied(&stage, 6, &corpus[6]);
    assert_eq!((verdict, text), (Verdict::Drop("template-only".into()), corpus[6].text.clone()));
}

#[test]
fn a_page_of_template_can_be_kept_empty() {
    let corpus = corpus();
    let stage = learned(LineTemplateOptions { drop_empty: false, ..options(&["site"]) }, &corpus);
    let (verdict, text, _) = applied(&stage, 6, &corpus[6]);
    assert_eq!((verdict, text.as_str()), (Verdict::Keep, ""));
}

#[test]
fn a_line_counts_once_in_a_document() {
    let corpus: Vec<_> = (0..4).map(|n| page(n, "a", if n < 2 { "x\nx\nx" } else { "y" })).collect();
    let stage = learned(options(&[]), &corpus);
    assert_eq!(applied(&stage, 0, &corpus[0]).1, "x\nx\nx");
}

#[test]
fn the_table_that_was_kept_does_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut corpus = corpus();
    // A name and a line that need escapes.
    corpus.extend((7..12).map(|n| {
        page(
            n,
            "a \"b\"\n[[group]] \\ \u{7f}",
            &format!("say \"\\{n}x\" \u{1}\nunique {}", "vwxyz".get(n - 7..=n - 7).unwrap()),
        )
    }));
    let stage = LineTemplate::open(options(&["site"])).unwrap();
    stage.prepare(&workspace(folder.path(), 1)).unwrap();
    observe(&stage, 1, (0..).zip(&corpus));
    stage.end_pass(0).unwrap();
    let path = folder.path().join("keep").join(table::FILE_NAME);
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.contains("[[group]]\nname = \"gazette\"\ndocuments = 5\nlines = [\n  { documents = 5, ratio = 1.000, text = \"Harbour Gazette\" },\n  { documents = 5, ratio = 1.000, text = \"Share this\" },\n  { documents = 4, ratio = 0.800, text = \"0 comments\" },\n]"), "{written}");
    let groups = toml::from_str::<toml::Table>(&written).unwrap()["group"].clone();
    let names: Vec<_> =
        groups.as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a \"b\"\n[[group]] \\ \u{7f}", "gazette"]);

    let again =
        LineTemplate::open(LineTemplateOptions { table: TablePaths(vec![path]), ..options(&["site"]) })
            .unwrap();
    assert_eq!((stage.passes(), again.passes()), (1, 0));
    for (position, document) in (0..).zip(&corpus) {
        assert_eq!(applied(&again, position, document), applied(&stage, position, document));
    }
    assert_eq!(applied(&again, 8, &corpus[8]).1, "unique w");
}

#[test]
fn mistakes_in_a_table_have_their_place() {
    let options = LineTemplateOptions { max_line_columns: 10, ..options(&["site"]) };
    for (content, mistakes) in [
        ("group_by = [\"site\"]\n[[group]]\nname = \"\"\nlines = []\n", vec![]),
        (
            "mask_digits = false\n",
            vec!["t:1:15: the table was learned with `mask_digits = false`, but the stage has `true`"],
        ),
        (
            "# a\ngroup_by = []\n",
            vec!["t:2:12: the table was learned with `group_by = []`, but the stage has `[\"site\"]`"],
        ),
        (
            "\n[[group]]\nname = 'a'\nlines = [\n  { text = ' ' },\n]\n[[group]]\nname = 'b'\nlines = [{ text = 'abcdefghijk' }]\n",
            vec![
                "t:5:12: `text` is blank, and blank lines are no template",
                "t:9:19: `text` is wider than `max_line_columns`, which is 10 columns here",
            ],
        ),
        (
            "[[group]]\nname = 'a'\n\n[[group]]\nlines = [\n",
            vec!["t:1:1: missing field `lines`", "t:5:10: unclosed array, expected `]`"],
        ),
        (
            "[[group]]\nname = 'a'\nlines = [{ txt = 'a' }]\n",
            vec![
                "t:3:12: unknown field `txt`, expected one of `text`, `where`, `hash`, `documents`, `ratio`",
            ],
        ),
    ] {
        let found = read("t", content, &options).err().unwrap_or_default();
        assert_eq!(found.lines().collect::<Vec<_>>(), mistakes, "{content}");
    }
}

#[test]
fn wrong_options_are_named() {
    for (options, option) in [
        (options(&[""]), "group_by"),
        (LineTemplateOptions { min_ratio: f64::NAN, ..options(&[]) }, "min_ratio"),
        (LineTemplateOptions { min_documents: 1, ..options(&[]) }, "min_documents"),
        (LineTemplateOptions { max_line_columns: 0, ..options(&[]) }, "max_line_columns"),
        (LineTemplateOptions { table: TablePaths(vec!["no/such.toml".into()]), ..options(&[]) }, "table"),
    ] {
        assert_eq!(LineTemplate::open(options).unwrap_err().option(), Some(option));
    }
}

#[test]
fn a_group_may_be_one_name_or_a_list() {
    for (written, names) in [("'site'", vec!["site"]), ("['a', 'b']", vec!["a", "b"]), ("[]", vec![])] {
        let options: LineTemplateOptions = toml::from_str(&format!("group_by = {written}")).unwrap();
        assert_eq!(options.group_by.0, names);
    }
}

/// Lines that two pages share are template when they share many.
#[test]
fn two_pages_prove_what_they_share_by_how_much_it_is() {
    let site = |n_shared: usize| {
        let template: Vec<String> = ["one", "two", "three", "four", "five", "six", "seven"]
            .iter()
            .take(n_shared)
            .map(|name| format!("menu {name}\n"))
            .collect();
        let document = |n: usize, own: &str| page(n, "s", &format!("{}\n{own}\n", template.concat()));
        let corpus = [document(0, "The first."), document(1, "The second.")];
        let options =
            LineTemplateOptions { group_by: options(&["site"]).group_by, ..LineTemplateOptions::default() };
        let stage = learned_in_all_passes(options, &corpus);
        applied(&stage, 0, &corpus[0]).1
    };
    assert_eq!(site(1), "menu one\n\nThe first.\n");
    // Five lines have four others each.
    assert!(site(5).starts_with("menu one\n"));
    assert_eq!(site(6), "The first.\n");
    assert_eq!(site(7), "The first.\n");
}

#[test]
fn an_article_that_was_posted_twice_teaches_nothing() {
    let verses = "Eins\nZwei\nDrei\nVier\nFuenf\nSechs\nSieben\n";
    let prose =
        "The ferry left the harbour before dawn. Nobody had seen it return, and nobody spoke of it.\n"
            .repeat(2);
    let corpus: Vec<_> = ["On Monday.", "On Friday."]
        .iter()
        .enumerate()
        .map(|(n, day)| page(n, "s", &format!("{day}\n{verses}{prose}")))
        .collect();
    let options =
        LineTemplateOptions { group_by: options(&["site"]).group_by, ..LineTemplateOptions::default() };
    let stage = learned_in_all_passes(options, &corpus);
    for document in &corpus {
        assert_eq!(applied(&stage, 0, document).1, document.text);
    }
}

#[test]
fn one_text_many_times_proves_nothing() {
    let corpus: Vec<_> = (0..4).map(|n| page(n, "s", "a1\nb\nc\nd\ne\nf\ng\nh")).collect();
    let options =
        LineTemplateOptions { group_by: options(&["site"]).group_by, ..LineTemplateOptions::default() };
    let stage = learned_in_all_passes(options, &corpus);
    assert_eq!(applied(&stage, 0, &corpus[0]).1, corpus[0].text);
}

/// Pages of two sites and one of neither, none of which says where it is from.
fn nameless() -> Vec<Document> {
    let mut corpus = [gazette(), notebook()].concat();
    corpus.push(page(8, "", "Home\nA page that stands alone.\nPhotos"));
    for document in &mut corpus {
        document.metadata = tamis_plugin::Metadata::default();
    }
    corpus
}

fn clustering() -> LineTemplateOptions {
    LineTemplateOptions { cluster: true, ..LineTemplateOptions::default() }
}

#[test]
fn pages_that_look_alike_are_a_group() {
    let corpus = nameless();
    let stage = learned_in_all_passes(clustering(), &corpus);
    assert_eq!(
        applied(&stage, 0, &corpus[0]).1,
        "渡船今天没有来\n\n昨天的渡船也没有来，码头上的人等了又等。\n"
    );
    let note = applied(&stage, 0, &corpus[6]).1;
    assert!(
        note.starts_with("I went to the harbour.\n\nThe sea is a bad neighbour.")
            && !note.contains("All texts"),
        "{note}"
    );
    assert_eq!(applied(&stage, 0, &corpus[8]).1, corpus[8].text);
}

/// A chapter of a manual in several languages: of ten paragraphs each version has so many in common with all others.
fn chapter(n_shared: usize) -> Vec<Document> {
    const TOPICS: [&str; 10] =
        ["mail", "disks", "kernels", "printers", "fonts", "clocks", "shells", "networks", "sounds", "users"];
    let version = |name: char| {
        let paragraph = |(at, topic): (usize, &&str)| {
            let whose = if at < n_shared { "everybody".to_owned() } else { name.to_string().repeat(9) };
            format!(
                "On {topic}\n\nWhoever looks after {topic} for {whose} reads this first. Then it is time to begin.\n"
            )
        };
        let text: Vec<String> = TOPICS.iter().enumerate().map(paragraph).collect();
        Document::new(name.to_string(), format!("Home\nSearch\n{}", text.concat()))
    };
    ('a'..='l').map(version).collect()
}

#[test]
fn a_text_in_several_versions_is_no_template() {
    for (n_shared, is_whole) in [(10, true), (5, true), (4, false)] {
        let corpus = chapter(n_shared);
        let stage = learned_in_all_passes(clustering(), &corpus);
        let text = applied(&stage, 0, &corpus[0]).1;
        assert_eq!(text == corpus[0].text, is_whole, "{n_shared}: {text}");
    }
}

#[test]
fn notices_below_an_article_in_one_line_are_template() {
    let menu = "Home\nSearch\nShare\nNews\nSport\nWeather\nTravel\nContact\nImprint\nArchive\n";
    let notice =
        |about| format!("Whoever has questions about {about} writes to us. We answer in three days.\n");
    let notices = ["copies", "letters", "pictures", "errors", "work", "reprints"].map(notice).concat();
    // Once so long that its line is too wide to be compared, and once so short that the notices are most of the prose.
    let corpus = |n_times: usize| -> Vec<Document> {
        let page = |name: char| {
            let article =
                format!("This is story {name} of the ferry. It was told on board. ").repeat(n_times);
            Document::new(name.to_string(), format!("{menu}{article}\n{notices}"))
        };
        ('a'..='l').map(page).collect()
    };
    for (n_times, is_whole) in [(60, false), (4, true)] {
        let corpus = corpus(n_times);
        let stage = learned_in_all_passes(clustering(), &corpus);
        let text = applied(&stage, 0, &corpus[0]).1;
        assert_eq!(text.contains("questions"), is_whole, "{n_times}: {text}");
        assert!(text.contains("story a of the ferry"), "{text}");
    }
}

#[test]
fn clusters_join_groups_that_are_known() {
    let mut corpus = nameless();
    corpus.extend(self::corpus());
    let options = LineTemplateOptions { cluster: true, ..options(&["site"]) };
    let options = LineTemplateOptions { min_shared_lines: 5, ..options };
    let stage = learned_in_all_passes(options, &corpus);
    assert_eq!(applied(&stage, 0, &corpus[11]).1, "Story 2 of the day: boat c.\n2\n");
    // Without `near_equal` the path stays.
    let page = applied(&stage, 0, &corpus[0]).1;
    assert!(page.starts_with("您的位置：首页 > 新闻 > 渡船\n\n渡船今天没有来"), "{page}");
}

#[test]
fn clusters_are_the_same_in_shards_and_from_a_table() {
    let corpus = nameless();
    let folder = tempfile::tempdir().unwrap();
    let whole = LineTemplate::open(clustering()).unwrap();
    whole.prepare(&workspace(&folder.path().join("whole"), 1)).unwrap();
    let merged = LineTemplate::open(clustering()).unwrap();
    for pass in 0..2 {
        observe_pass(&whole, pass, 1, &corpus);
        for shard in 0..3 {
            let part = LineTemplate::open(clustering()).unwrap();
            // A process that runs a later pass has the merged states of those before.
            for earlier in 0..pass {
                part.load(earlier, &mut &saved_whole(&corpus, earlier)[..]).unwrap();
                part.end_pass(earlier).unwrap();
            }
            observe_pass(&part, pass, 2, corpus.iter().skip(shard).step_by(3));
            merged.load(pass, &mut &saved(&part, pass)[..]).unwrap();
        }
        assert_eq!(saved(&merged, pass), saved(&whole, pass), "pass {pass}");
        whole.end_pass(pass).unwrap();
        merged.end_pass(pass).unwrap();
    }
    let path = folder.path().join("whole/keep").join(table::FILE_NAME);
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.contains("by_lines = true\ndocuments = 6\n"), "{written}");
    assert!(written.contains("where = \"between\", text = \"All texts are mine."), "{written}");
    assert!(written.contains("where = \"beside\", text = \"责任编辑：…\""), "{written}");
    let again =
        LineTemplate::open(LineTemplateOptions { table: TablePaths(vec![path]), ..clustering() }).unwrap();
    for document in &corpus {
        assert_eq!(applied(&merged, 0, document), applied(&whole, 0, document));
        assert_eq!(applied(&again, 0, document), applied(&whole, 0, document));
    }
}

/// The state of a pass over a whole corpus.
fn saved_whole(corpus: &[Document], pass: u32) -> Vec<u8> {
    let stage = LineTemplate::open(clustering()).unwrap();
    for earlier in 0..pass {
        observe_pass(&stage, earlier, 1, corpus);
        stage.end_pass(earlier).unwrap();
    }
    observe_pass(&stage, pass, 1, corpus);
    saved(&stage, pass)
}

#[test]
fn states_of_other_options_are_refused() {
    let state = saved_whole(&nameless(), 0);
    let other = LineTemplate::open(LineTemplateOptions { near_equal: false, ..clustering() }).unwrap();
    let failure = other.load(0, &mut &state[..]).unwrap_err();
    assert!(failure.to_string().contains("with other options"), "{failure}");
}

/// A table as it was written before clusters, places and hashes.
const OLD_TABLE: &str = "group_by = [\"site\"]\nmask_digits = true\n\n[[group]]\nname = \"a\"\ndocuments = 9\nlines = [\n  { documents = 8, ratio = 0.889, text = \"Share this\" },\n]\n";

#[test]
fn old_tables_are_read_and_several_are_united() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["old.toml", "new.toml"].map(|name| folder.path().join(name));
    std::fs::write(&paths[0], OLD_TABLE).unwrap();
    let new = OLD_TABLE.replace("Share", "Print").replace("name = ", "by_lines = false\nname = ");
    std::fs::write(&paths[1], new).unwrap();
    for (n_tables, left) in [(1, "A\nPrint this\nb"), (2, "A\nb")] {
        let table = TablePaths(paths[..n_tables].to_vec());
        let options = LineTemplateOptions { table, near_equal: true, ..options(&["site"]) };
        let stage = LineTemplate::open(options).unwrap();
        assert_eq!(applied(&stage, 0, &page(0, "a", "A\nShare this\nPrint this\nb")).1, left);
    }
}

#[test]
fn a_table_of_another_format_says_so_and_nothing_else() {
    let content = "format = 7\nsaved_by = \"tamis 9.1.0\"\nnovelty = true\n[[group]]\nwhat = 1\n";
    let mistakes = read("t", content, &options(&["site"])).unwrap_err();
    let expected = concat!(
        "t:1:10: the table was saved by tamis 9.1.0 with format 7, and tamis ",
        env!("CARGO_PKG_VERSION"),
        " reads format 1: learn it again with this program, or use it with that one"
    );
    assert_eq!(mistakes, expected);
}

/// Pages of sites whose menus, notices and stories repeat in all the ways that are told apart.
fn crowd() -> Vec<Document> {
    let line = |kind: &str, n: usize| format!("{kind} {}", "abcdefghijklmnopqrstuvwxyz".get(n..=n).unwrap());
    let page = |n: usize| {
        let site = n % 7;
        let menu: Vec<String> = (0..6 + site).map(|at| line(&format!("menu of site {site}"), at)).collect();
        let own: Vec<String> =
            (0..12).map(|at| line(&format!("story {}", "x".repeat(n % 50 + 1)), at)).collect();
        let shared = line("section", n % 11);
        page(n, &format!("site {site}"), &format!("{}\n{shared}\n{}", menu.join("\n"), own.join("\n")))
    };
    (0..300).map(page).collect()
}

#[test]
fn the_bytes_are_the_same_for_every_bound_of_memory() {
    let folder = tempfile::tempdir().unwrap();
    let mut documents = crowd();
    let outcome = |bound: u64, options: LineTemplateOptions, documents: &[Document]| {
        let options = LineTemplateOptions { max_state_bytes: bound, ..options };
        let folder = folder.path().join(bound.to_string());
        let stage = LineTemplate::open(options).unwrap();
        stage.prepare(&workspace(&folder, 2)).unwrap();
        for pass in 0..stage.passes() {
            observe_pass(&stage, pass, 2, documents);
            stage.end_pass(pass).unwrap();
        }
        let texts: Vec<_> = documents.iter().map(|document| applied(&stage, 0, document)).collect();
        let n_tables = std::fs::read_dir(folder.join("scratch")).unwrap().count();
        (texts, std::fs::read(folder.join("keep").join(table::FILE_NAME)).unwrap(), n_tables)
    };
    // By sites; the whole corpus as one group, all of which is to be proved; by what they share.
    let by_site =
        LineTemplateOptions { group_by: options(&["site"]).group_by, ..LineTemplateOptions::default() };
    let whole = LineTemplateOptions { min_ratio: 0.0, ..LineTemplateOptions::default() };
    for options in [by_site, whole, clustering()] {
        let is_nameless = options.cluster;
        if is_nameless {
            for document in &mut documents {
                document.metadata = tamis_plugin::Metadata::default();
            }
        }
        let large = outcome(1 << 30, options.clone(), &documents);
        assert!(large.1.len() > 1000 && large.2 == 0, "{} bytes, {} tables", large.1.len(), large.2);
        for bound in [20_000, 200_000] {
            let small = outcome(bound, options.clone(), &documents);
            assert!(small.1 == large.1, "the learned table of {bound}");
            assert!(small.0 == large.0, "the texts of {bound}");
            assert!(small.2 > 0 || bound > 20_000, "nothing was put on the disk with {bound}");
        }
    }
}

#[test]
fn a_long_line_is_in_the_table_by_its_hash() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!("var settings = {{{}}}", "\"key\":[\"一\"],".repeat(40));
    let corpus: Vec<_> =
        (0..5).map(|n| page(n, "a", &format!("{script}\nstory {}", "abcde".get(n..=n).unwrap()))).collect();
    let stage = LineTemplate::open(options(&["site"])).unwrap();
    stage.prepare(&workspace(folder.path(), 1)).unwrap();
    observe(&stage, 1, (0..).zip(&corpus));
    stage.end_pass(0).unwrap();
    let path = folder.path().join("keep").join(table::FILE_NAME);
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.contains(", hash = \"") && written.len() < script.len() + 900, "{written}");
    let again = LineTemplateOptions { table: TablePaths(vec![path]), ..options(&["site"]) };
    let again = LineTemplate::open(again).unwrap();
    for stage in [&stage, &again] {
        assert_eq!(applied(stage, 0, &corpus[1]).1, "story b");
    }
}

/// Thins states out as an engine and the tasks of shards do: by the counts of all of them; how many entries they had and have.
fn thin(states: &mut [Vec<u8>]) -> (usize, u64) {
    let bundled = tamis_host::bundled(crate::plugin()).unwrap();
    let stage = bundled.iter().find(|stage| stage.info().name == LineTemplate::NAME).unwrap();
    let OpenStage::Corpus(handle) = stage.open(&serde_json::json!({})).unwrap() else {
        panic!("it is a corpus stage")
    };
    let rows_of = |state: &Vec<u8>| {
        let mut rows = Vec::new();
        let said = handle.export_rows(GROUPS, &mut &state[..], &mut rows).unwrap().unwrap();
        assert!(said.are_of_entries && said.round.collected_width() == 24);
        rows
    };
    let rows: Vec<Vec<u8>> = states.iter().map(rows_of).collect();
    let count = |row: &[u8]| u64::from_be_bytes(row[16..].try_into().unwrap());
    let mut sums = BTreeMap::<&[u8], u64>::new();
    for row in rows.iter().flat_map(|rows| rows.chunks(24)) {
        *sums.entry(&row[..16]).or_default() += count(row);
    }
    let mut n_left = 0;
    for (state, rows) in states.iter_mut().zip(&rows) {
        let marks: Vec<u8> = rows.chunks(24).map(|row| u8::from(sums[&row[..16]] > 1)).collect();
        let mut thinned = Vec::new();
        n_left += handle.keep_entries(&mut &state[..], &mut &marks[..], &mut thinned).unwrap();
        *state = thinned;
    }
    (rows.iter().map(|rows| rows.len() / 24).sum(), n_left)
}

/// What shards learn of their documents: the table, and how many entries they have saved in all passes and have merged.
fn learned_in_shards(
    options: &LineTemplateOptions,
    shards: &[Vec<&Document>],
    thins: bool,
) -> (Vec<u8>, usize, u64) {
    let mut merged: Vec<Vec<Vec<u8>>> = Vec::new();
    let folder = tempfile::tempdir().unwrap();
    let open = |merged: &[Vec<Vec<u8>>]| {
        let stage = LineTemplate::open(options.clone()).unwrap();
        stage.prepare(&workspace(folder.path(), 1)).unwrap();
        for (pass, states) in (0..).zip(merged) {
            for state in states {
                stage.load(pass, &mut &state[..]).unwrap();
            }
            stage.end_pass(pass).unwrap();
        }
        stage
    };
    let (mut n_entries, mut n_left) = (0, 0);
    for pass in 0..open(&[]).passes() {
        let of_shard = |documents: &Vec<&Document>| {
            let stage = open(&merged);
            observe_pass(&stage, pass, 1, documents.iter().copied());
            saved(&stage, pass)
        };
        let mut states: Vec<Vec<u8>> = shards.iter().map(of_shard).collect();
        if thins {
            let (entries, left) = thin(&mut states);
            (n_entries, n_left) = (n_entries + entries, n_left + left);
        }
        merged.push(states);
    }
    open(&merged);
    (std::fs::read(folder.path().join("keep").join(table::FILE_NAME)).unwrap(), n_entries, n_left)
}

/// Ways of learning in which lines are frequent, to be proved, or of clusters; with the smallest limits that there are.
fn ways_of_learning() -> Vec<LineTemplateOptions> {
    let least = LineTemplateOptions {
        min_documents: 2,
        min_ratio: 0.0,
        min_shared_lines: 0,
        group_by: options(&["site"]).group_by,
        ..LineTemplateOptions::default()
    };
    let proved = LineTemplateOptions { min_documents: 4, min_shared_lines: 2, ..least.clone() };
    let whole = LineTemplateOptions { group_by: FieldNames(Vec::new()), ..proved.clone() };
    let clusters = LineTemplateOptions { cluster: true, min_shared_lines: 1, ..least.clone() };
    let mixed = LineTemplateOptions { min_documents: 3, min_shared_lines: 2, ..clusters.clone() };
    vec![options(&["site"]), least, proved, whole, clustering(), clusters, mixed]
}

#[test]
fn entries_of_one_document_decide_nothing_whichever_way_is_learned() {
    let mut documents = crowd();
    for (n, document) in documents.iter_mut().enumerate() {
        let own: String = n.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
        document.text.push_str(&format!("\nonly on page {own}"));
    }
    let shards: Vec<Vec<&Document>> =
        (0..4).map(|shard| documents.iter().skip(shard).step_by(4).collect()).collect();
    for options in ways_of_learning() {
        let (table, ..) = learned_in_shards(&options, &[documents.iter().collect()], false);
        let (thinned, n_entries, n_left) = learned_in_shards(&options, &shards, true);
        assert!(thinned == table && table.len() > 200, "{} and {} bytes", thinned.len(), table.len());
        let n_gone = n_entries as u64 - n_left;
        assert!(n_gone >= 300 && n_left > 300, "{n_left} of {n_entries}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn what_one_document_has_decides_nothing_however_it_is_split(
        pages in prop::collection::vec((0_usize..5, prop::collection::vec(0_usize..14, 0..9), 0_usize..4, any::<bool>()), 1..40),
        way in prop::sample::select(ways_of_learning()),
    ) {
        let documents: Vec<Document> = pages.iter().enumerate().map(|(n, (site, lines, _, is_long))| {
            let mut lines: Vec<String> = lines.iter().map(|line| format!("line {}", char::from(b'a' + *line as u8))).collect();
            lines.push(if *is_long { "A sentence of prose that some pages have, and it is long. ".repeat(3) } else { "x".repeat(n + 1) });
            let site = format!("site {site}");
            // Those of the last are of no group that is known.
            if site == "site 4" { Document::new(format!("p{n}"), lines.join("\n")) } else { page(n, &site, &lines.join("\n")) }
        }).collect();
        let of = |shard: usize| documents.iter().zip(&pages).filter(|(_, page)| page.2 == shard).map(|(document, _)| document).collect();
        let shards: Vec<Vec<&Document>> = (0..4).map(of).collect();
        let (table, ..) = learned_in_shards(&way, &shards, false);
        let (thinned, n_entries, n_left) = learned_in_shards(&way, &shards, true);
        prop_assert!(n_left <= n_entries as u64);
        prop_assert_eq!(String::from_utf8(thinned).unwrap(), String::from_utf8(table).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn clusters_do_not_depend_on_threads_shards_and_memory(
        pages in prop::collection::vec((0_usize..3, prop::collection::vec(0_usize..12, 3..12), 0_usize..3), 0..40),
        n_locals in 1_usize..4,
        memory in prop::sample::select(vec![1_u64 << 14, 1 << 16, 1 << 30]),
    ) {
        let documents: Vec<_> = pages.iter().enumerate().map(|(n, (site, lines, _))| {
            let lines: Vec<String> = lines.iter().map(|line| format!("site {site} {}", char::from(b'a' + *line as u8))).collect();
            Document::new(format!("p{n}"), format!("{}\nown {}", lines.join("\n"), "x".repeat(n)))
        }).collect();
        let folder = tempfile::tempdir().unwrap();
        let whole = learned_in_all_passes(clustering(), &documents);
        let merging =
            LineTemplate::open(LineTemplateOptions { max_state_bytes: memory, ..clustering() }).unwrap();
        merging.prepare(&workspace(folder.path(), n_locals)).unwrap();
        for pass in 0..2 {
            for shard in [2, 0, 1] {
                let here = documents.iter().zip(&pages).filter(|(_, page)| page.2 == shard).map(|(document, _)| document);
                observe_pass(&merging, pass, n_locals, here);
            }
            merging.end_pass(pass).unwrap();
        }
        for document in &documents {
            prop_assert_eq!(applied(&merging, 0, document), applied(&whole, 0, document));
        }
    }

    #[test]
    fn any_memory_and_any_sharding_count_the_same(
        pages in prop::collection::vec((0_usize..3, prop::collection::vec(0_usize..12, 0..8), 0_usize..3), 0..60),
        memory in prop::sample::select(vec![0_u64, 1024, 1 << 16, 1 << 30]),
        n_locals in 1_usize..4,
    ) {
        let name = |line: usize| char::from(b'a' + line as u8).to_string();
        let documents: Vec<_> = pages.iter().enumerate().map(|(n, (site, lines, _))| {
            page(n, &site.to_string(), &lines.iter().map(|line| name(*line)).collect::<Vec<_>>().join("\n"))
        }).collect();
        // Plainly: the documents of each site, and of each of its lines.
        let mut counts = BTreeMap::<(usize, Option<usize>), usize>::new();
        for (site, lines, _) in pages.iter().filter(|(_, lines, _)| !lines.is_empty()) {
            *counts.entry((*site, None)).or_default() += 1;
            for line in lines.iter().collect::<BTreeSet<_>>() {
                *counts.entry((*site, Some(*line))).or_default() += 1;
            }
        }
        let is_template = |site: usize, line: usize| {
            let (n, of) = (counts[&(site, Some(line))], counts[&(site, None)]);
            of >= 4 && n >= 3 && n as f64 / of as f64 >= 0.5
        };
        let options = |memory: u64| LineTemplateOptions {
            min_ratio: 0.5,
            drop_empty: false,
            max_state_bytes: memory,
            ..options(&["site"])
        };

        let whole = LineTemplate::open(options(1 << 30)).unwrap();
        observe(&whole, 1, (0..).zip(&documents));
        let folder = tempfile::tempdir().unwrap();
        let merging = LineTemplate::open(options(memory)).unwrap();
        merging.prepare(&workspace(&folder.path().join("all"), n_locals)).unwrap();
        for shard in (0..3).rev() {
            let part = LineTemplate::open(options(memory)).unwrap();
            part.prepare(&workspace(&folder.path().join(shard.to_string()), n_locals)).unwrap();
            observe(&part, n_locals, (0..).zip(&documents).zip(&pages).filter(|(_, page)| page.2 == shard).map(|(placed, _)| placed));
            merging.load(0, &mut &saved(&part, 0)[..]).unwrap();
        }
        prop_assert_eq!(saved(&merging, 0), saved(&whole, 0));
        whole.end_pass(0).unwrap();
        for (document, (site, lines, _)) in documents.iter().zip(&pages) {
            let expected: Vec<_> = lines.iter().filter(|line| !is_template(*site, **line)).map(|line| name(*line)).collect();
            prop_assert_eq!(applied(&whole, 0, document).1, expected.join("\n"));
        }
        merging.end_pass(0).unwrap();
        for document in &documents {
            prop_assert_eq!(applied(&merging, 0, document), applied(&whole, 0, document));
        }
    }

    #[test]
    fn any_text_is_accepted(texts in prop::collection::vec("(\\PC|[\n\t\r\u{3000}0-9]){0,40}", 4..8)) {
        let documents: Vec<_> = texts.iter().chain(&texts).chain(&texts).enumerate().map(|(n, text)| page(n, "a", text)).collect();
        let stage = learned(options(&["site"]), &documents);
        for document in &documents {
            let (_, text, _) = applied(&stage, 0, document);
            prop_assert!(text.len() <= document.text.len());
        }
    }

    #[test]
    fn any_table_is_read_or_refused(content in "(\\[\\[group\\]\\]\n|name = 'a'\n|lines = \\[|\\{ text = 'b' \\},|\\]\n|\\PC|\n){0,12}") {
        let _ = read("t", &content, &options(&[]));
    }
}

#[test]
fn marked_lines_stay_and_are_told_to_stages_behind() {
    let corpus = corpus();
    let marking = LineTemplateOptions { action: Action::Mark, ..options(&["site"]) };
    let stage = learned(marking, &corpus);
    let marks_of = |document: &Document| {
        let mut draft = Draft::new(View::from(document));
        stage.apply(&mut draft).unwrap();
        let (edits, _) = draft.finish();
        assert_eq!(edits.text, None);
        edits.attachments.first().map(|(name, version, bytes)| {
            assert_eq!((&**name, *version), (marks::LAYOUT, marks::VERSION));
            let numbers: Vec<usize> =
                bytes.as_chunks::<4>().0.iter().map(|number| u32::from_le_bytes(*number) as usize).collect();
            let pieces = numbers.as_chunks::<3>().0.iter();
            pieces
                .map(|[start, end, _]| document.text.get(*start..*end).unwrap().to_owned())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(
        marks_of(&corpus[1]),
        Some(["Harbour Gazette", "Share this", "7 comments"].map(str::to_owned).to_vec())
    );
    // Nothing was learned of the small site, so nothing is said of its pages.
    assert_eq!(marks_of(&corpus[4]), None);
}
