//! Stages that judge a document (what language it is in, how good its text is, what in it is private), and those that share out
//! what was judged.

mod address;
mod blocklist;
mod classify;
mod convert;
mod decontaminate;
mod fasttext;
mod judge;
mod language;
mod line_judge;
mod lookup;
mod lot;
mod mask;
mod sample;
mod split;

pub use blocklist::{Blocklist, BlocklistOptions};
pub use classify::{Classify, ClassifyOptions};
pub use convert::{Convert, ConvertOptions, Form};
pub use decontaminate::{Contaminated, Decontaminate, DecontaminateOptions};
pub use judge::{Because, Judge, JudgeMode, JudgeOptions, preset, presets, why};
pub use language::{Language, LanguageOptions};
pub use line_judge::{Between, LineJudge, LineJudgeOptions, LineRule};
pub use lookup::{Lookup, LookupBy, LookupOptions, Missing};
pub use mask::{Kind, Mask, MaskAction, MaskOptions};
pub use sample::{Sample, SampleOptions};
pub use split::{Split, SplitOptions};

tamis_plugin::export_plugin! {
    filters: [Blocklist, Sample],
    extractors: [Classify, Convert, Decontaminate, Judge, Language, LineJudge, Lookup, Mask, Split],
}
