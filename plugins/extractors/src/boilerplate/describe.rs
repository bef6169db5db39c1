//! All features of a page.

use super::features::Sink;
use super::local;
use super::opinion::{Opinion, opinion};
use super::scene::Scene;
use super::segment::Segment;
use super::title::Title;

/// Describes all segments of a page.
pub(super) fn describe(page: &str, segments: &[Segment], title: &Title, sink: &mut impl Sink) {
    let opinions: Vec<Opinion> = segments.iter().map(|segment| opinion(page, segment, title)).collect();
    let scene = Scene::new(page, segments, &opinions);
    for (at, opinion) in opinions.iter().enumerate() {
        local::describe(page, segments, at, opinion, title, sink);
        scene.describe_node(at, sink);
        scene.describe_edge(at, sink);
    }
}
