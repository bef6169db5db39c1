//! All features of a page.

use super::company::{Company, company};
use super::features::{Edge, Node, Sink};
use super::gaps;
use super::layout::structures;
use super::opinion::Opinion;
use super::scene::Scene;
use super::segment::Segment;
use super::shared::{Marks, Sharing};
use super::structure::Structure;
use super::title::Title;
use super::whole::Whole;

/// What a first look at a page shows: each segment by itself, and the page as a whole.
pub(super) struct Seen {
    opinions: Vec<Opinion>,
    structures: Vec<Structure>,
    company: Vec<Company>,
    sharing: Vec<Sharing>,
    pub(super) whole: Whole,
}

impl Seen {
    pub(super) fn of(page: &str, segments: &[Segment], title: &Title, marks: &Marks) -> Self {
        let opinions: Vec<Opinion> =
            segments.iter().map(|segment| opinion_of(page, segment, title)).collect();
        let structures = structures(page, segments);
        let sharing = marks.sharing(segments);
        let company = company(segments, &opinions, &structures);
        let whole = Whole::of(segments, &opinions, &structures, &sharing, &company);
        Self { opinions, structures, company, sharing, whole }
    }

    /// Describes all segments of the page, which is the one that was looked at.
    ///
    /// The order of features is part of the result: another one gives other sums in the last bits, and weights have so few
    /// digits that two ways to cut a page may be equally likely. One of 6,713 articles was cut otherwise for it.
    pub(super) fn describe(&self, page: &str, segments: &[Segment], title: &Title, sink: &mut impl Sink) {
        self.whole.describe(sink);
        let kinds = self.whole.kinds();
        let scene = Scene::new(page, segments, &self.opinions, &self.structures, &self.company, kinds);
        for (at, opinion) in self.opinions.iter().enumerate() {
            let was = at.checked_sub(1).map_or(Sharing::Own, |before| self.sharing[before]);
            sink.next();
            describe_sharing(was, self.sharing[at], opinion, sink);
            sink.nodes([Node::Bias.bin(0)]);
            segments[at].form.own.each(|feature| sink.nodes([feature]));
            gaps::describe(page, segments, at, opinion, title, sink);
            scene.describe_node(at, sink);
            scene.describe_edge(at, sink);
        }
    }
}

/// The opinion of a segment, which is another one if it is the title.
fn opinion_of(page: &str, segment: &Segment, title: &Title) -> Opinion {
    let opinion = segment.form.opinion;
    let is_title = title.is(page.get(segment.range()).unwrap_or_default());
    if is_title { opinion.of_title() } else { opinion }
}

/// What is known of other pages that have the segment; nothing, if none were looked at.
fn describe_sharing(was: Sharing, is: Sharing, opinion: &Opinion, sink: &mut impl Sink) {
    let bin = match is {
        Sharing::Unknown => return,
        Sharing::Own => 0,
        Sharing::Few => 1,
        Sharing::Many => 2,
    };
    sink.nodes([Node::Shared.bin(bin), Node::SharedGlance.bin(10 * bin.min(1) + opinion.glance as usize)]);
    let shared = |sharing| usize::from(sharing != Sharing::Own);
    sink.edges([Edge::Shared.bin(2 * shared(was) + shared(is))]);
}
