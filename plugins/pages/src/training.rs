//! For the trainer of the models: the features and the application of models that the stages use.

pub use crate::features::{Columns, Kind, Page, Wording, folded, phrases};
pub use crate::model::{Forest, Tree, judge_with};
pub use crate::render::text as render_text;
pub use crate::select::content;
pub use crate::site_template::{Evidence, training::Sites};
