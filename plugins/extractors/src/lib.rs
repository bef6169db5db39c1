//! The standard extractors: stages that change a document.

mod boilerplate;
mod laid_out;
mod metadata;
mod newspaper_page;
mod published_date;
mod recover_paragraphs;
mod repair_text;
mod scanned;
mod site_rules;
mod unwrap;

pub use boilerplate::{Boilerplate, BoilerplateOptions, OnNoText, OnUncertain, training};
pub use metadata::{Metadata, MetadataOptions};
pub use newspaper_page::{NewspaperPage, NewspaperPageOptions};
pub use published_date::{PublishedDate, PublishedDateOptions};
pub use recover_paragraphs::{RecoverParagraphs, RecoverParagraphsOptions};
pub use repair_text::{RepairText, RepairTextOptions};
pub use site_rules::{OnUnmatched, RuleFile, SiteRules, SiteRulesOptions};
pub use unwrap::{Unwrap, UnwrapOptions};

tamis_plugin::export_plugin! {
    extractors: [
        Boilerplate, Metadata, NewspaperPage, PublishedDate, RecoverParagraphs, RepairText, SiteRules, Unwrap,
    ],
}
