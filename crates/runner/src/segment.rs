//! The segments of a plan: one sweep over the documents each, cut where a corpus stage must have seen them all.

use std::path::PathBuf;

use serde::Serialize;
use tamis_config::{Opened, OpenedStage, Plan};
use tamis_stage::Kind;

/// One sweep over the documents, and what it needs and leaves behind.
///
/// A plan without corpus stages is one segment. Every segment can be run on its own, for one shard of the
/// inputs, by any process that has the outputs of the segments before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Segment {
    /// Its number, from 0.
    pub index: usize,
    /// What it reads.
    pub reads: Reads,
    /// The stages that documents pass, by id, in order; the first may be a corpus stage that is applied.
    pub stages: Vec<String>,
    /// The corpus stages whose learned state it needs, as [`Segment::observes`] of earlier segments made them.
    pub needs: Vec<StateName>,
    /// The state that it makes: what a corpus stage has seen of the documents.
    pub observes: Option<StateName>,
    /// What it writes.
    pub writes: Writes,
}

/// Where the documents of a segment come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// The sources of the plan.
    Sources,
    /// The documents that an earlier segment has put aside.
    Spill,
}

/// Where the documents of a segment go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Writes {
    /// They are put aside for a later segment; those that are dropped or failed are exported.
    Spill,
    /// They are exported.
    Exports,
}

/// The state of a corpus stage after one of its passes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StateName {
    /// The id of the stage.
    pub stage: String,
    /// The pass, from 0.
    pub pass: u32,
}

impl StateName {
    /// The name of its file: `templates.0.state`.
    pub fn file(&self) -> String {
        format!("{}.{}.state", self.stage, self.pass)
    }
}

/// Which part of a plan to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentTask {
    /// The number of the segment.
    pub segment: usize,
    /// Saved states, one file for each that the segment needs, told apart by what is in them.
    pub states: Vec<PathBuf>,
}

/// Which of several equal parts of the inputs to read: what one shard reads follows what the one before reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Shard {
    /// From 0.
    pub index: u32,
    /// How many there are; at least 1.
    pub count: u32,
}

/// The segments of a plan, in order; at least one.
pub fn segments(plan: &Plan) -> Vec<Segment> {
    let mut segments = vec![Segment {
        index: 0,
        reads: Reads::Sources,
        stages: Vec::new(),
        needs: Vec::new(),
        observes: None,
        writes: Writes::Exports,
    }];
    for stage in &plan.stages {
        if stage.info.kind == Kind::Corpus {
            cut(&mut segments, &stage.id, stage.observing_passes);
        }
        if let Some(last) = segments.last_mut() {
            last.stages.push(stage.id.clone());
        }
    }
    segments
}

/// Ends the last segment where a corpus stage observes, and begins the one in which it is applied.
fn cut(segments: &mut Vec<Segment>, stage: &str, passes: u32) {
    let states: Vec<_> = (0..passes).map(|pass| StateName { stage: stage.to_owned(), pass }).collect();
    for (pass, state) in states.iter().enumerate() {
        if let Some(last) = segments.last_mut() {
            last.observes = Some(state.clone());
            last.writes = Writes::Spill;
        }
        segments.push(Segment {
            index: segments.len(),
            reads: Reads::Spill,
            stages: Vec::new(),
            needs: states[..=pass].to_vec(),
            observes: None,
            writes: Writes::Exports,
        });
    }
}

impl Segment {
    /// The stages that documents pass in this segment, and the corpus stage that only observes.
    pub(crate) fn of<'o>(&self, opened: &'o Opened) -> (&'o [OpenedStage], Option<(&'o OpenedStage, u32)>) {
        let place = |id: &String| opened.stages.iter().position(|stage| stage.id == *id);
        let first = self.stages.first().and_then(place).unwrap_or(0);
        let stages = opened.stages.get(first..first + self.stages.len()).unwrap_or_default();
        let observes = self.observes.as_ref().and_then(|name| {
            let stage = opened.stages.iter().find(|stage| stage.id == name.stage)?;
            Some((stage, name.pass))
        });
        (stages, observes)
    }
}
