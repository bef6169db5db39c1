use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, Extractor, Metadata, Record};

use super::evidence::Seen;
use super::*;
use crate::{HtmlExtract, HtmlExtractOptions};

/// A page of a manual: a bar that is the same on all pages, headings that are too, and texts of its own.
fn page(n: usize) -> String {
    let command = ["weigh", "sift", "grade", "bag", "store", "blend", "clean"][n % 7];
    format!(
        "<html><head><title>{command}</title></head><body class='page-{n}'>
        <div class='bar'><a href='/'>Manual</a> <a href='/index'>Index of commands</a></div>
        <div class='entry'><h1>{command}</h1>
        <p class='lead'>The command {command} works on sack {n}, and tells how much of it went where.</p>
        <h2>See also</h2><ul><li>{command} by night</li></ul></div></body></html>"
    )
}

fn document(n: usize, site: &str) -> Document {
    let mut document = Document::new(format!("p{n}"), page(n));
    document.metadata.insert("url", format!("https://www.{site}/{n}"));
    document
}

fn manual() -> Vec<Document> {
    (0..6).map(|n| document(n, "manual.example")).collect()
}

fn observed(options: SiteTemplateOptions, documents: &[Document]) -> SiteTemplate {
    let stage = SiteTemplate::open(options).unwrap();
    for document in documents {
        stage.observe(0, &mut (), &View::from(document)).unwrap();
    }
    stage
}

fn learned(options: SiteTemplateOptions, documents: &[Document]) -> SiteTemplate {
    let stage = observed(options, documents);
    stage.end_pass(0).unwrap();
    stage
}

fn saved(stage: &SiteTemplate) -> Vec<u8> {
    let mut bytes = Vec::new();
    stage.save(0, &mut bytes).unwrap();
    bytes
}

/// What is attached to a document, by the texts of its blocks.
fn evidence(stage: &SiteTemplate, document: &Document) -> Option<Vec<(String, Seen)>> {
    let mut draft = Draft::new(View::from(document));
    assert_eq!(stage.apply(&mut draft).unwrap(), Verdict::Keep);
    let (edits, _) = draft.finish();
    assert_eq!(edits.text, None);
    let (name, version, bytes) = edits.attachments.first()?;
    assert_eq!((&**name, *version), (LAYOUT, VERSION));
    let page = Page::new(&document.text).expect("short");
    let seen = bytes.as_chunks::<3>().0;
    assert_eq!(seen.len(), page.n_blocks());
    assert_eq!(Evidence::read(bytes).bytes(), *bytes);
    let evidence = Evidence::read(bytes);
    let of_block = evidence.rows().iter().enumerate();
    Some(of_block.map(|(block, seen)| (page.text(block).to_owned(), *seen)).collect())
}

#[test]
fn what_is_the_same_on_all_pages_is_told_from_what_varies() {
    let documents = manual();
    let stage = learned(SiteTemplateOptions::default(), &documents);
    let said = evidence(&stage, &documents[2]).expect("six pages are enough");
    let of = |text: &str| said.iter().find(|(it, _)| it.starts_with(text)).map(|(_, seen)| *seen).unwrap();
    for text in ["Manual", "See also"] {
        assert_eq!((of(text).pages, of(text).variety), (6, 43), "{text}: one text in six blocks");
    }
    for text in ["grade", "The command grade", "grade by night"] {
        assert_eq!((of(text).pages, of(text).variety), (6, 255), "{text}");
    }
    assert!(of("The command").likely > of("Manual").likely);
}

#[test]
fn pages_of_small_sites_and_texts_are_left_alone() {
    let mut documents = manual();
    documents.extend((0..4).map(|n| document(n, "small.example")));
    documents.push(Document::new("text", "No page at all."));
    let stage = learned(SiteTemplateOptions::default(), &documents);
    assert!(evidence(&stage, &documents[5]).is_some());
    assert_eq!(evidence(&stage, &documents[7]), None);
    assert_eq!(evidence(&stage, &documents[10]), None);
    let all = learned(SiteTemplateOptions { min_pages: 4, ..SiteTemplateOptions::default() }, &documents);
    assert!(evidence(&all, &documents[7]).is_some());
}

#[test]
fn pages_without_addresses_belong_together_by_their_looks() {
    let mut documents = manual();
    for document in &mut documents {
        document.metadata = Metadata::default();
    }
    documents
        .push(Document::new("other", "<ul class=menu><li>Elsewhere</ul><p>Another page, of another site."));
    let stage = learned(SiteTemplateOptions::default(), &documents);
    assert!(evidence(&stage, &documents[0]).is_some());
    assert_eq!(evidence(&stage, &documents[6]), None);
}

#[test]
fn neither_order_nor_parts_nor_memory_make_a_difference() {
    let documents: Vec<Document> =
        (0..60).map(|n| document(n, &format!("site-{}.example", n % 10))).collect();
    for max_state_bytes in [u64::MAX, 20_000] {
        let options = || SiteTemplateOptions { max_state_bytes, ..SiteTemplateOptions::default() };
        let whole = saved(&observed(options(), &documents));
        let mut reversed = documents.clone();
        reversed.reverse();
        assert_eq!(saved(&observed(options(), &reversed)), whole);
        let merged = SiteTemplate::open(options()).unwrap();
        for part in [&documents[40..], &documents[..7], &documents[7..40]] {
            merged.load(0, &mut &*saved(&observed(options(), part))).unwrap();
        }
        assert_eq!(saved(&merged), whole);
        merged.end_pass(0).unwrap();
        let n_known = documents.iter().take(10).filter(|it| evidence(&merged, it).is_some()).count();
        if max_state_bytes == u64::MAX {
            assert_eq!(n_known, 10);
        } else {
            assert!((1..10).contains(&n_known), "{n_known} of ten sites fit");
        }
    }
}

#[test]
fn a_state_of_others_is_refused() {
    let stage = observed(SiteTemplateOptions::default(), &manual());
    let whole = saved(&stage);
    let load = |options: SiteTemplateOptions, bytes: &[u8]| {
        SiteTemplate::open(options).unwrap().load(0, &mut &*bytes).unwrap_err().to_string()
    };
    for bytes in [&b""[..], b"x", &whole[..whole.len() - 1]] {
        let message = load(SiteTemplateOptions::default(), bytes);
        assert!(message.starts_with("these bytes are no saved state of `site-template`"), "{message}");
    }
    let other = SiteTemplateOptions { group_by: vec!["site".to_owned()], ..SiteTemplateOptions::default() };
    let message = load(other, &whole);
    assert!(message.contains("with other options: group_by = [\"site\", \"url\"]"), "{message}");
}

#[test]
fn a_table_is_written_read_and_may_be_changed() {
    let documents = manual();
    let folder = tempfile::tempdir().unwrap();
    let (scratch, keep) = (folder.path().join("scratch"), folder.path().join("keep"));
    let stage = observed(SiteTemplateOptions::default(), &documents);
    stage.prepare(&Workspace { scratch, keep: keep.clone(), memory: 1 << 30, threads: 1 }).unwrap();
    stage.end_pass(0).unwrap();
    let path = keep.join(table::FILE_NAME);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("[[site]]\nname = \"manual.example\"\npages = 6\npaths = [\n"), "{text}");
    let line = "variety = 0.167, likely = ";
    assert!(text.lines().any(|it| it.contains(line) && it.ends_with("path = \"div.bar\" },")), "{text}");

    let with_table = |text: &str| {
        let path = folder.path().join("changed.toml");
        std::fs::write(&path, text).unwrap();
        SiteTemplate::open(SiteTemplateOptions { table: vec![path], ..SiteTemplateOptions::default() })
    };
    let again = with_table(&text).unwrap();
    assert_eq!(again.passes(), 0);
    assert_eq!(evidence(&again, &documents[1]), evidence(&stage, &documents[1]));

    let changed: Vec<String> = text
        .lines()
        .map(|it| {
            let (before, _) = it.split_once("likely = ").unwrap_or((it, ""));
            if it.contains("\"div.bar\"") {
                format!("{before}likely = 1, path = \"div.bar\" }},")
            } else {
                it.to_owned()
            }
        })
        .collect();
    let changed = with_table(&changed.join("\n")).unwrap();
    let said = evidence(&changed, &documents[1]).unwrap();
    assert_eq!(said[0].1.likely, 255, "{said:?}");

    for (from, to, message) in [
        ("format = 1", "format = 2", ":11:10: the table has format 2, and this program reads format 1"),
        ("pages = 6\n", "pages = 0\n", ":15:9: `pages` is 0, but a site has at least 1"),
        (line, "variety = 1.5, likely = ", "`variety` is 1.5, but must be from 0 to 1"),
        ("name = ", "nome = ", "unknown field `nome`"),
    ] {
        let error = with_table(&text.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
}

/// What `html-extract` makes of a page behind the stage, and what the stage counted.
fn extracted(stage: &SiteTemplate, document: Document) -> (String, Vec<String>) {
    let mut record = Record::from(document);
    let mut draft = Draft::new(View::from(&record));
    stage.apply(&mut draft).unwrap();
    let (edits, notes) = draft.finish();
    for (name, version, bytes) in &edits.attachments {
        record.attachments.attach(name, *version, bytes);
    }
    let mut draft = Draft::new(View::from(&record));
    let extract = HtmlExtract::open(HtmlExtractOptions::default()).unwrap();
    extract.extract(&mut draft).unwrap();
    (draft.text().to_owned(), notes.counts().iter().map(|(name, _)| name.to_string()).collect())
}

#[test]
fn what_a_table_says_decides_where_the_models_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let with = |likely: f32| {
        let path = folder.path().join("sites.toml");
        let table = format!(
            "format = 1\n[[site]]\nname = 'manual.example'\npages = 40\npaths = [
            {{ path = 'div.entry>ul>li', pages = 40, variety = 1.0, likely = {likely} }}]"
        );
        std::fs::write(&path, table).unwrap();
        let options = SiteTemplateOptions { table: vec![path], ..SiteTemplateOptions::default() };
        extracted(&SiteTemplate::open(options).unwrap(), document(3, "manual.example")).0
    };
    assert!(with(1.0).contains("bag by night"), "{}", with(1.0));
    assert!(!with(0.0).contains("bag by night"), "{}", with(0.0));
    for likely in [0.0, 1.0] {
        assert!(with(likely).contains("The command bag works on sack 3"), "{}", with(likely));
    }
}

/// `html-extract` behind a stage that has learned from the manual.
struct Taught(SiteTemplate);

impl Extractor for Taught {
    const NAME: &'static str = SiteTemplate::NAME;
    type Options = SiteTemplateOptions;

    fn open(options: SiteTemplateOptions) -> Result<Self, SetupError> {
        Ok(Self(learned(options, &manual())))
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let mut document = Document::new("page", draft.text());
        if let Some(url) = draft.metadata("url").and_then(|value| value.as_str().map(str::to_owned)) {
            document.metadata.insert("url", url);
        }
        let (text, counts) = extracted(&self.0, document);
        for name in counts {
            draft.notes().count(name, 1);
        }
        draft.set_text(text);
        Ok(Verdict::Keep)
    }
}

#[test]
fn cases() {
    check_extractor::<Taught>("evidence.md", include_str!("cases/evidence.md"));
}
