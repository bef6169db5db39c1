//! Options of `html-extract`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Takes the main content of an HTML page, as text or Markdown, and leaves navigation, advertisements and the rest.
///
/// Use it behind the readers `html` and `warc`, or behind any other whose text is the source of a page.
/// Articles, forum threads, documentation, product pages, listings and service pages go through the same
/// configuration; nobody need say which is which.
///
/// How it decides: the page is parsed once, into blocks (paragraphs, headings, items, cells, lines) and the
/// elements around them.
/// Each block is measured: its length in words (a Chinese character is one), links, punctuation, the words in the
/// class names around it and its landmarks (`role`), how much prose lies in the elements around it, how often such elements occur, whether it
/// lies in the element that the Readability method chooses, phrases that begin lines around articles, which of its
/// words and phrases other sites use in content and which beside it, what the head
/// of the page and its structured data (JSON-LD) say.
/// A first model makes a probability of these, a second one reads the probabilities of all blocks, and decides.
/// Behind `site-template` what other pages of the site have in the same place is weighed with that.
/// Then those blocks are taken whose words together have the largest expected F-measure, so that a page of which
/// the models are unsure still gives its likeliest text; where some text is sure, menus and columns in doubt go.
/// A page whose first text stands under a heading and outside of what is named for comments is
/// an article, however long the thread below; a page with nothing outside is a thread, and its posts are its content.
/// Of the posts of a thread that which the program of the forum puts around them goes: ranks and numbers of members,
/// signatures, notes of changes, buttons; lines of name and time stay above all posts or none, as the models find them.
/// Other stories behind an article, three or more that are built alike and begin with a linked title, go.
/// What platforms say below the articles of their users (whose views these are, that they only store them) goes.
/// Last, units are completed: a heading stays with what it heads, a list, a table or a block of code of which most was
/// taken is taken whole, and so is what lies between two pieces of one element and is not unlikely.
///
/// Formulas become LaTeX between `$`, each once, where the page has it (`MathML` with an annotation or `alttext`,
/// `KaTeX`, sources for `MathJax`); the reading of a word stands in parentheses behind it.
///
/// Where the text is not in the markup but in the structured data of the page (`articleBody`), it is taken from
/// there; else from what a script would put into the page, if a name such as `content` tells it.
/// A text that is no page is handed on as it is, whatever tags it holds: one `<b>`, `List<String>`, Markdown. It is a page
/// if it begins as documents do, or if half of its characters stand inside elements of HTML; of what a reader says is
/// the source of a page (`form = "markup"`) a single tag is enough.
/// Handed on is also the text of a page that has lost its structure, where
/// one element holds nearly all of it with line ends between its pieces: for the stages that clean flattened text.
/// Pages whose content was taken are marked with `cleaned_by`, so that `boilerplate` leaves them alone.
///
/// ```toml
/// [[stage]]
/// use = "html-extract"
/// output = "markdown"
/// ```
///
/// With `posts = true` the posts of a thread go into the field `posts` as well, in their order: `author`, as the page
/// shows the name; `date` in ISO 8601, where it is certain which day and time are meant; `date_raw`, as the page shows
/// it (`3 weeks ago`, `03/05/12`); `text`, in the form of the output and without the line of name and time. What is not
/// known is left out. Posts are elements of one kind of which most have a name and a time, by microdata of schema.org
/// (`DiscussionForumPosting`, `Comment`, `Question`, `Answer`), by class names and addresses of members or by lines that
/// hold a date, and that hold half of what was taken of the page. Pages that fetch their posts by script have none, and
/// a board whose elements have neither classes nor numbered ids has none that could be told.
///
/// A page may hold several articles, as the front page of a blog does. With `articles = "apart"` each becomes a
/// document of its own: the first takes the place of the page, the others follow it with `/1`, `/2`, … behind its id.
/// A page of more than a hundred stays one document.
/// Its heading is its title; what else the page said about itself goes along, but for author, dates, description and
/// tags, which are those of the page.
///
/// Where the text is empty, the page is read from `raw`, the bytes as scraped. Markup of which every tag was escaped
/// (`&lt;p&gt;`), as feeds hold it, is read as markup.
///
/// Counts: `from_raw`, `from_escaped`, `several_articles`, `with_comments`, `with_posts`, `extracted`, `from_structured_data`, `from_script`, `from_noframes`, `no_markup` and `no_structure` (handed on), `no_content` (nothing that could be content
/// was found, so the text is empty).
/// Measure: `content_ratio`, the part of the words of the page that was taken.
///
/// Limits: scripts are not run, so what only they would show is not there; text in pictures is not read. A table of a few
/// cells stays where it is part of the text; in a box of its own behind it, or with nothing but links in it, it looks like
/// what stands beside articles, and may go: `favour = "recall"` keeps it.
///
/// Markdown is `CommonMark` with tables: a parser gives back the text of the page. Characters that would mean something
/// get a backslash, those that would not stay (`snake_case`, `2 * 3`); emphasis that would not be read as such, between
/// Chinese characters for instance, is left out; `<br>` is a line end with two blanks before it.
///
/// Source: the HTML standard for parsing; the method is that of learned block classification (Kohlschütter, Fankhauser
/// and Nejdl 2010, Vogels, Ganea and Eickhoff 2018) with forests of oblivious trees.
#[expect(clippy::struct_excessive_bools, reason = "one switch for each kind of content")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HtmlExtractOptions {
    /// What the text becomes.
    pub output: Output,
    /// Which mistake is worse: rest that is taken for content, or content that is lost.
    pub favour: Favour,
    /// Keep tables of data; tables that only arrange a page are always looked into.
    pub tables: bool,
    /// Keep blocks of code (`pre`).
    pub code: bool,
    /// What becomes of comments of readers below an article; the posts of a forum are no comments.
    pub comments: Comments,
    /// Write who said what and when into the field `posts` as well: of the posts of a thread, and of comments that are
    /// kept or go into their field.
    pub posts: bool,
    /// What becomes of a page that holds several articles.
    pub articles: Articles,
    /// Write links as `[text](address)`; Markdown only.
    #[schemars(extend("x-needs" = {"output": ["markdown"]}))]
    pub links: bool,
    /// Write pictures as `![description](address)`; Markdown only.
    #[schemars(extend("x-needs" = {"output": ["markdown"]}))]
    pub images: bool,
}

/// What the text becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(extend("x-instead" = {"md": "write `markdown`", "txt": "write `text`", "plain": "write `text`"}))]
pub enum Output {
    /// A line for each block; the cells of a row share one.
    Text,
    /// Headings, lists, tables, code, quotations and emphasis marked up, blocks parted by empty lines.
    Markdown,
}

/// What becomes of several articles on one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Articles {
    /// One document with all of them.
    Together,
    /// A document each.
    Apart,
}

/// What becomes of comments below an article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Comments {
    /// They go.
    Drop,
    /// They stay below the article.
    Keep,
    /// They go into the field `comments`, a line for each block.
    Field,
}

/// Which mistake is worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Favour {
    /// Take only what is likely content.
    Precision,
    /// Both count the same.
    Balance,
    /// Rather take too much.
    Recall,
}

impl Favour {
    /// The beta of the F-measure.
    ///
    /// Balance is 0.8 and not 1: what is not content weighs less in training where a page has very much of it, so
    /// probabilities run high, and at 0.8 precision and recall of pages of unseen sites meet.
    pub fn beta(self) -> f32 {
        match self {
            Self::Precision => 0.5,
            Self::Balance => 0.8,
            Self::Recall => 2.0,
        }
    }
}

impl Default for HtmlExtractOptions {
    fn default() -> Self {
        Self {
            output: Output::Text,
            favour: Favour::Balance,
            tables: true,
            code: true,
            comments: Comments::Drop,
            posts: false,
            articles: Articles::Together,
            links: false,
            images: false,
        }
    }
}
