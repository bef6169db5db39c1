//! `html-extract`: the main content of a page.
//!
//! [`options`] holds the page of the stage; `crate::features` measures, `crate::model` judges, `crate::select`
//! chooses blocks, `crate::render` writes them; `flat` knows pages that
//! have no blocks left, `articles` those with several articles.

mod articles;
mod flat;
mod options;
mod posts;
mod structured;
#[cfg(test)]
mod tests;

use tamis_plugin::{
    Document, Draft, Extractor, Failure, Form, Forms, Layout, Limit, MeasureInfo, SetupError, Verdict,
};

use crate::discussion::Discussion;
use crate::features::Page;
use crate::model::judge;
use crate::parsed::{Source, is_page, parsed};
use crate::render::{Form as Rendering, render};
use crate::select::content;
use crate::site_template::{self, Evidence};
use articles::Article;

pub use options::{Articles, Comments, Favour, HtmlExtractOptions, Output};

/// What the stage may write; of all but the first four see [`OF_THE_PAGE`].
const WRITES: &[&str] = &[
    "text",
    "cleaned_by",
    "comments",
    "posts",
    "author",
    "canonical_url",
    "description",
    "metadata_evidence",
    "modified",
    "published",
    "published_raw",
    "tags",
    "title",
];
/// Metadata that is said of a page and holds for none of several articles on it.
const OF_THE_PAGE: &[&str] = WRITES.split_at(4).1;

/// Takes the main content of a page; see [`HtmlExtractOptions`].
#[derive(Debug)]
pub struct HtmlExtract {
    options: HtmlExtractOptions,
}

impl Extractor for HtmlExtract {
    const NAME: &'static str = "html-extract";
    const WRITES: &'static [&'static str] = WRITES;
    const MEASURES: &'static [MeasureInfo] =
        &[MeasureInfo::new("content_ratio", "", "Share of the words of a page that are its content.")];
    type Options = HtmlExtractOptions;

    fn open(options: HtmlExtractOptions) -> Result<Self, SetupError> {
        for (name, given) in [("links", options.links), ("images", options.images)] {
            if given && options.output == Output::Text {
                return Err(SetupError::in_option(
                    name,
                    format!("`{name}` needs `output = \"markdown\"`: plain text has no way to write them"),
                ));
            }
        }
        Ok(Self { options })
    }

    fn forms(&self) -> Forms {
        let markdown = (self.options.output == Output::Markdown).then_some(Layout::Markdown);
        Forms::new().taking([Form::Markup]).giving([Form::Clean]).making(markdown).cleaning()
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let source = Source::of(&draft.original());
        if !is_page(&draft.original(), source.as_ref()) {
            draft.notes().count("no_markup", 1);
            return Ok(Verdict::Keep);
        }
        match source {
            Some(Source::Raw(_)) => draft.notes().count("from_raw", 1),
            Some(Source::Escaped(_)) => draft.notes().count("from_escaped", 1),
            None => {}
        }
        let page = Page::of(parsed(&draft.original(), source.as_ref())?);
        if let Some(text) = flat::text(&page) {
            draft.set_text(text);
            draft.notes().count("no_structure", 1);
            return Ok(Verdict::Keep);
        }
        let mut probabilities = judge(&page);
        if let Some(evidence) = draft.original().flat(site_template::LAYOUT, site_template::VERSION) {
            Evidence::read(evidence).weigh(&mut probabilities);
        }
        let Taken { selected, comments } = self.take(&page, &probabilities);
        let said = comments.as_ref().unwrap_or(&selected);
        let posts = if self.options.posts { posts::written(&page, said, self.form()) } else { None };
        let comments = comments.filter(|_| self.options.comments == Comments::Field);
        let comments = comments.map(|comments| render(&page, &comments, self.form()));
        if let Some(comments) = comments.filter(|comments| !comments.is_empty()) {
            draft.notes().count("with_comments", 1);
            draft.set_metadata("comments", comments);
        }
        if self.options.articles == Articles::Apart {
            let articles = articles::articles(&page, &selected);
            if !articles.is_empty() {
                self.part(draft, &page, &selected, articles);
                return Ok(Verdict::Keep);
            }
        }
        let (text, outcome, ratio) = self.text(&page, &selected);
        draft.set_text(text);
        if let Some(posts) = posts {
            draft.notes().count("with_posts", 1);
            draft.set_metadata("posts", posts);
        }
        draft.set_metadata("cleaned_by", Self::NAME);
        draft.notes().measure("content_ratio", f64::from(ratio), Limit::Min(0.0));
        draft.notes().count(outcome, 1);
        Ok(Verdict::Keep)
    }
}

/// The blocks that are taken of a page.
struct Taken {
    /// Its content, with comments that are kept.
    selected: Vec<bool>,
    /// The comments below an article, where they are asked for.
    comments: Option<Vec<bool>>,
}

impl HtmlExtract {
    /// Takes what is content, and the comments on it that are asked for.
    fn take(&self, page: &Page<'_>, probabilities: &[f32]) -> Taken {
        let mut selected = content(page, probabilities, self.options.favour.beta());
        if self.options.comments == Comments::Drop {
            return Taken { selected, comments: None };
        }
        let discussion = Discussion::of(page);
        if !discussion.is_below_article(page, probabilities) {
            return Taken { selected, comments: None };
        }
        let comments = discussion.comments(page);
        if self.options.comments == Comments::Keep {
            selected.iter_mut().zip(&comments).for_each(|(selected, comment)| *selected |= comment);
        }
        Taken { selected, comments: Some(comments) }
    }

    /// Makes a document of each article of a page.
    fn part(&self, draft: &mut Draft<'_>, page: &Page<'_>, selected: &[bool], articles: Vec<Article>) {
        draft.notes().count("several_articles", 1);
        for (rank, article) in articles.into_iter().enumerate() {
            let inside = |(block, selected): (usize, &bool)| *selected && article.blocks.contains(&block);
            let blocks: Vec<bool> = selected.iter().enumerate().map(inside).collect();
            let text = render(page, &blocks, self.form());
            if rank == 0 {
                for name in OF_THE_PAGE {
                    draft.remove_metadata(*name);
                }
                draft.set_metadata("title", article.title);
                draft.set_metadata("cleaned_by", Self::NAME);
                draft.set_text(text);
                continue;
            }
            // It inherits what is left of the metadata: what is said of the page has been removed.
            let mut document = Document::new("", text);
            document.metadata.insert("title", article.title);
            draft.split_off(document);
        }
    }

    /// The content of a page, where it was found, and its part of the words of the page.
    fn text(&self, page: &Page<'_>, selected: &[bool]) -> (String, &'static str, f32) {
        let words = |blocks: &dyn Fn(usize) -> bool| -> f32 {
            (0..page.n_blocks()).filter(|block| blocks(*block)).map(|block| page.n_words(block)).sum()
        };
        let taken = words(&|block| selected[block]);
        let ratio = if taken > 0.0 { taken / words(&|_| true) } else { 0.0 };
        if let Some((body, outcome)) = structured::body(page, taken) {
            return (body, outcome, ratio);
        }
        let text = render(page, selected, self.form());
        let outcome = if text.is_empty() { "no_content" } else { "extracted" };
        (text, outcome, ratio)
    }

    fn form(&self) -> Rendering {
        Rendering {
            markdown: self.options.output == Output::Markdown,
            tables: self.options.tables,
            code: self.options.code,
            links: self.options.links,
            images: self.options.images,
        }
    }
}
