//! Posts as metadata.

use serde::Serialize;

use crate::features::Page;
use crate::posts::Thread;
use crate::render::{Form, render_each};

/// A post as the field `posts` has it; what is not known is left out.
#[derive(Debug, Serialize)]
struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_raw: Option<String>,
    text: String,
}

/// The posts of a page as a list of objects, `None` where it has none; `said` are the blocks that were taken of it.
pub(super) fn written(page: &Page<'_>, said: &[bool], form: Form) -> Option<serde_json::Value> {
    let posts = Thread::of(page, said)?.posts(page, said);
    let blocks: Vec<&[usize]> = posts.iter().map(|post| post.blocks.as_slice()).collect();
    let texts = render_each(page, &blocks, form);
    let written = posts.into_iter().zip(texts).map(|(post, text)| {
        let (date, date_raw) = post.time.map_or((None, None), |time| (time.date, Some(time.shown)));
        let date_raw = date_raw.filter(|shown| !shown.is_empty());
        Written { author: post.author, date, date_raw, text }
    });
    let written: Vec<Written> = written.filter(|post| !post.text.is_empty()).collect();
    if written.is_empty() { None } else { serde_json::to_value(written).ok() }
}
