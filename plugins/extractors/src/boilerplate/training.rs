//! What the training program needs: the same segments and features that the stage sees.

use std::ops::Range;

pub use super::features::{N_EDGE, N_NODE};
pub use super::model::{CHANGES, Four, Marginals, State, Sums, Weights};

use super::describe::describe;
use super::features::Sink;
use super::segment::{self, Segment};
use super::title::Title;
use super::{lexicon, model::Summing};

/// A page with the features of its segments.
#[derive(Debug)]
pub struct Page {
    /// Bytes of each segment.
    pub ranges: Vec<Range<usize>>,
    /// Node features of each segment.
    pub node: Vec<Vec<u16>>,
    /// Features of the boundary before each segment.
    pub edge: Vec<Vec<u16>>,
}

impl Page {
    /// Reads a page; `title` as the stage would find it in the metadata.
    pub fn read(text: &str, title: Option<&str>) -> Self {
        let title = Title::of(title, text);
        let segments = segment::segments(text, &lexicon::BUNDLED.find(text, &title));
        let empty = vec![Vec::new(); segments.len()];
        let mut page =
            Self { ranges: segments.iter().map(Segment::range).collect(), node: empty.clone(), edge: empty };
        describe(text, &segments, &title, &mut page);
        page
    }

    /// The sums of the weights of its features.
    pub fn sums(&self, weights: &Weights) -> Sums {
        let mut summing = Summing::new(weights, self.ranges.len());
        for (at, (node, edge)) in self.node.iter().zip(&self.edge).enumerate() {
            for feature in node {
                summing.node(at, usize::from(*feature));
            }
            for feature in edge {
                summing.edge(at, usize::from(*feature));
            }
        }
        summing.sums
    }
}

impl Sink for Page {
    fn node(&mut self, at: usize, feature: usize) {
        self.node[at].push(feature as u16);
    }

    fn edge(&mut self, at: usize, feature: usize) {
        self.edge[at].push(feature as u16);
    }
}
