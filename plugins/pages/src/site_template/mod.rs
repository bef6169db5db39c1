//! `site-template`: what the pages of a site have in common.
//!
//! [`options`] holds the page of the stage. `group` says to which site a page belongs, `paths` which elements are the
//! same on all its pages; `sites` counts, `evidence` is what is known of a page and how it is weighed, `table` writes
//! and reads what was learned.
//!
//! It is no keyed stage: what a user wants to read of a site are its paths, which are texts, and a path is as long as
//! the classes of a page; rows of fixed width would hold their hashes alone.

mod evidence;
mod group;
mod options;
mod paths;
mod sites;
mod table;
#[cfg(test)]
mod tests;
pub(crate) mod training;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use tamis_plugin::{
    CorpusStage, Draft, Failure, Form, Forms, SetupError, Verdict, View, Workspace, open_file,
};

use crate::features::Page;
use crate::model::judge;
use crate::parsed::{Source, is_page, parsed};
use sites::{Counting, Counts, PageCounts};
use table::Sites;

pub use evidence::Evidence;
pub use options::SiteTemplateOptions;

/// The name of the layout of what is attached to pages: three bytes for each block of the page, in their order: how
/// many pages of the site have something on the path of the block (255 at most), how varied the texts there are, and
/// how likely they are content, both in 255ths.
pub(crate) const LAYOUT: &str = "site-template.evidence";
/// Its version.
pub(crate) const VERSION: u64 = 1;

/// The first line of a saved state.
const STATE: &str = "tamis site-template state 1";

/// Learns the templates of sites; see [`SiteTemplateOptions`].
#[derive(Debug)]
pub struct SiteTemplate {
    options: SiteTemplateOptions,
    /// One for all workers: reading a page takes a thousand times as long as adding what was found.
    counting: Mutex<Counting>,
    sites: OnceLock<Sites>,
    keep: OnceLock<PathBuf>,
}

impl CorpusStage for SiteTemplate {
    const NAME: &'static str = "site-template";
    type Options = SiteTemplateOptions;
    type Local = ();

    fn open(options: Self::Options) -> Result<Self, SetupError> {
        if options.group_by.iter().any(String::is_empty) {
            return Err(SetupError::in_option(
                "group_by",
                "`group_by` has an empty name: name a metadata field",
            ));
        }
        if options.min_pages < 2 {
            let message =
                format!("`min_pages` is {}, but at least 2 pages share something", options.min_pages);
            return Err(SetupError::in_option("min_pages", message));
        }
        let sites = OnceLock::new();
        if !options.table.is_empty() {
            let tables = read_tables(&options).map_err(|error| SetupError::in_option("table", error))?;
            let _ = sites.set(tables);
        }
        Ok(Self { options, counting: Mutex::default(), sites, keep: OnceLock::new() })
    }

    fn forms(&self) -> Forms {
        Forms::new().taking([Form::Markup])
    }

    fn passes(&self) -> u32 {
        u32::from(self.options.table.is_empty())
    }

    fn prepare(&self, workspace: &Workspace) -> Result<(), Failure> {
        self.keep.get_or_init(|| workspace.keep.clone());
        Ok(())
    }

    fn observe(&self, _pass: u32, _local: &mut (), document: &View<'_>) -> Result<(), Failure> {
        let source = Source::of(document);
        if !is_page(document, source.as_ref()) {
            return Ok(());
        }
        let page = Page::of(parsed(document, source.as_ref())?);
        let counts = PageCounts::of(&page, &judge(&page));
        let site = self.site(document, &page);
        self.counting().add(&site, counts, self.options.max_state_bytes);
        Ok(())
    }

    fn merge(&self, _pass: u32, _local: ()) {}

    fn end_pass(&self, _pass: u32) -> Result<(), Failure> {
        let counting = std::mem::take(&mut *self.counting());
        let sites = counting.finish(self.options.min_pages);
        if let Some(folder) = self.keep.get() {
            table::write(&sites, folder)?;
        }
        self.sites.set(sites).map_err(|_| Failure::new("the pass has ended before"))
    }

    fn apply(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let sites =
            self.sites.get().ok_or_else(|| Failure::new("the collection has not been observed yet"))?;
        let document = draft.original();
        let source = Source::of(&document);
        if !is_page(&document, source.as_ref()) {
            draft.notes().count("no_markup", 1);
            return Ok(Verdict::Keep);
        }
        let page = Page::of(parsed(&document, source.as_ref())?);
        match sites.get(&self.site(&document, &page)) {
            Some(site) => {
                draft.attach(LAYOUT, VERSION, site.evidence(&page).bytes());
                draft.notes().count("with_evidence", 1);
            }
            None => draft.notes().count("without_evidence", 1),
        }
        Ok(Verdict::Keep)
    }

    fn save(&self, _pass: u32, out: &mut dyn Write) -> Result<(), Failure> {
        let unwritten = |error| Failure::new(format!("the state cannot be written: {error}"));
        writeln!(out, "{STATE}\n{}", self.observing()).map_err(unwritten)?;
        serde_json::to_writer(out, &self.counting().counts()).map_err(|error| unwritten(error.into()))
    }

    fn load(&self, _pass: u32, state: &mut dyn Read) -> Result<(), Failure> {
        let mut text = String::new();
        let none = |error: &dyn std::fmt::Display| {
            Failure::new(format!("these bytes are no saved state of `site-template`: {error}"))
        };
        state.read_to_string(&mut text).map_err(|error| none(&error))?;
        let mut lines = text.splitn(3, '\n');
        let (head, options) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        if head != STATE {
            return Err(none(&format!("they do not begin with `{STATE}`")));
        }
        let here = self.observing();
        if options != here {
            return Err(Failure::new(format!(
                "the state of `site-template` was saved with other options: {options} there, {here} here"
            )));
        }
        let counts: Counts =
            serde_json::from_str(lines.next().unwrap_or_default()).map_err(|error| none(&error))?;
        self.counting().merge(counts, self.options.max_state_bytes);
        Ok(())
    }
}

impl SiteTemplate {
    fn counting(&self) -> MutexGuard<'_, Counting> {
        // What is added is whole or not there, so a panic elsewhere leaves nothing half done.
        self.counting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The site of a page.
    fn site(&self, document: &View<'_>, page: &Page<'_>) -> String {
        let values = self.options.group_by.iter().filter_map(|field| document.metadata(field));
        let named = { values }.find_map(group::of_value);
        named.map_or_else(|| group::of_looks(page), std::borrow::Cow::into_owned)
    }

    /// The options that decide what is observed: states of others are not mixed with these.
    fn observing(&self) -> String {
        format!("group_by = {:?}, max_state_bytes = {}", self.options.group_by, self.options.max_state_bytes)
    }
}

fn read_tables(options: &SiteTemplateOptions) -> Result<Sites, String> {
    let mut sites = Sites::new();
    for path in &options.table {
        let name = path.display();
        let mut text = String::new();
        let unread = |error: &dyn std::fmt::Display| format!("cannot read the table `{name}`: {error}");
        let mut file = open_file(path).map_err(|error| unread(&error))?;
        file.read_to_string(&mut text).map_err(|error| unread(&error))?;
        table::read(&name.to_string(), &text, &mut sites)?;
    }
    Ok(sites)
}
