//! What the text of a document is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What the text of a document is; a document of which nobody has said it has none.
///
/// Stages for pages with tags find nothing in a text that was flattened, and those for flattened pages take tags for
/// words: so readers say what they give, and stages what they take and give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The source of a page: HTML, XML.
    Markup,
    /// A page that was made text, with all that stood on it: menus, buttons, links.
    Flattened,
    /// What the page says, and nothing around it.
    Clean,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Markup, Self::Flattened, Self::Clean];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Markup => "markup",
            Self::Flattened => "flattened",
            Self::Clean => "clean",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}
