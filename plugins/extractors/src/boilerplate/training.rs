//! What the training program needs: the same segments, features and decisions that the stage has.

use std::ops::Range;

use tamis_text::scan::Scan;

pub use super::decision::Decision;
pub use super::features::{N_EDGE, N_NODE, N_VIEW};
pub use super::model::MIN_NEED;
pub use super::model::{CHANGES, Four, Marginals, Models, Need, State, Sums, Weights};
pub use super::shared::Marks;

use super::describe::Seen;
use super::features::Sink;
use super::kind::Views;
use super::memory::{self, Memory};
use super::segment::Segment;
use super::title::Title;

/// A page with the features of its segments.
#[derive(Debug)]
pub struct Page {
    segments: Vec<Segment>,
    node: Lists,
    edge: Lists,
    /// Features that all segments have.
    of_all: Vec<u16>,
    /// Features that all boundaries have.
    of_all_boundaries: Vec<u16>,
}

/// Lists of features, one behind the other.
#[derive(Debug, Default)]
struct Lists {
    features: Vec<u16>,
    ends: Vec<u32>,
}

impl Lists {
    /// Begins the list of the next segment.
    fn next(&mut self) {
        self.ends.push(self.features.len() as u32);
    }

    /// Adds to the last list.
    fn push(&mut self, feature: usize) {
        self.features.push(feature as u16);
        if let Some(end) = self.ends.last_mut() {
            *end = self.features.len() as u32;
        }
    }

    fn of(&self, at: usize) -> &[u16] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.features[start as usize..self.ends[at] as usize]
    }
}

impl Page {
    /// Reads a page; `title` as the stage would find it in the metadata, `marks` as `line-template` leaves them.
    pub fn read(text: &str, title: Option<&str>, marks: &Marks) -> Self {
        let title = Title::of(title, text);
        let segments = memory::segments(&Scan::of(text), &title, &mut Memory::default());
        let mut page = Self {
            segments: Vec::new(),
            node: Lists::default(),
            edge: Lists::default(),
            of_all: Vec::new(),
            of_all_boundaries: Vec::new(),
        };
        Seen::of(text, &segments, &title, marks).describe(text, &segments, &title, &mut page);
        page.segments = segments;
        page
    }

    /// Bytes of each segment.
    pub fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        self.segments.iter().map(Segment::range)
    }

    /// How many segments there are.
    pub fn n_segments(&self) -> usize {
        self.segments.len()
    }

    /// Features of a segment, those of all segments left out.
    pub fn node(&self, at: usize) -> &[u16] {
        self.node.of(at)
    }

    /// Features of the boundary before a segment, those of all boundaries left out.
    pub fn edge(&self, at: usize) -> &[u16] {
        self.edge.of(at)
    }

    /// Features that all segments have, and those that all boundaries have.
    pub fn of_page(&self) -> (&[u16], &[u16]) {
        (&self.of_all, &self.of_all_boundaries)
    }

    /// The sums of the weights of its features.
    pub fn sums(&self, weights: &Weights) -> Sums {
        let node = |features: &[u16]| -> f32 {
            features.iter().map(|feature| weights.node[usize::from(*feature)]).sum()
        };
        let edge = |features: &[u16]| -> Four {
            let of = |change: usize| {
                features.iter().map(|feature| weights.edge[usize::from(*feature)][change]).sum()
            };
            [0, 1, 2, 3].map(of)
        };
        let (of_all, of_all_boundaries) = (node(&self.of_all), edge(&self.of_all_boundaries));
        let each = || 0..self.segments.len();
        let boundary = |at: usize| {
            let own = edge(self.edge(at));
            [0, 1, 2, 3].map(|change| own[change] + of_all_boundaries[change])
        };
        Sums {
            node: each().map(|at| node(self.node(at)) + of_all).collect(),
            edge: each().map(boundary).collect(),
            pause: weights.pause,
        }
    }

    /// The features of the page as both models see it, of which [`Need`] has the weights.
    pub fn views(&self, models: &Models) -> impl Iterator<Item = usize> {
        self.both(models).features(&self.segments).into_iter()
    }

    fn both(&self, models: &Models) -> Views {
        Views::of(self.sums(&models.rest), self.sums(&models.text), &self.segments)
    }

    /// The characters of each segment.
    pub fn n_chars(&self) -> impl Iterator<Item = u32> {
        self.segments.iter().map(|segment| segment.n_chars)
    }

    /// What the stage decides, if it takes pages for mostly rest without doubt from `min_need` on; see [`MIN_NEED`].
    pub fn decide(&self, models: &Models, min_need: f32) -> Decision {
        self.both(models).choose(&models.need, min_need, &self.segments)
    }
}

impl Sink for Page {
    fn next(&mut self) {
        self.node.next();
        self.edge.next();
    }

    fn nodes<const N: usize>(&mut self, features: [usize; N]) {
        for feature in features {
            self.node.push(feature);
        }
    }

    fn edges<const N: usize>(&mut self, features: [usize; N]) {
        for feature in features {
            self.edge.push(feature);
        }
    }

    fn node_of_page(&mut self, feature: usize) {
        self.of_all.push(feature as u16);
    }

    fn edge_of_page(&mut self, feature: usize) {
        self.of_all_boundaries.push(feature as u16);
    }
}
